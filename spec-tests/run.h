/*
 * run.h - runs one script in a store of its own, with the module "spectest" of the official suite,
 * and says which commands did what they should. An engine may serve many scripts at a time, a script is one
 * thread's; those that it starts by (thread ...) have stores of their own.
 *
 * What errors say is compared as the reference interpreter does: it must begin with what is expected.
 */
#ifndef WR_RUN_H
#define WR_RUN_H

#include "encode.h"
#include "store.h"

typedef struct ScriptOptions {
    bool verbose;    /* log what the print functions are given */
    bool round_trip; /* modules in text must come back from binary to text and binary again */
    bool lazy; /* modules are valid when they are loaded, and bodies validated when they run */
} ScriptOptions;

typedef struct ScriptResult {
    u32 commands, commands_ok; /* assertions included */
    u32 assertions, assertions_ok;
    Buffer log; /* a line for each failure; the caller frees it */
} ScriptResult;

/* `name` is that of the file, for the log. */
void wr_script_run(Engine *engine, const ScriptOptions *options, const char *name, const char *text,
                   size_t size, ScriptResult *result);

INLINE bool script_passed(const ScriptResult *r) { return r->commands_ok == r->commands; }

#endif
