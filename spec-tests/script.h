/*
 * script.h - the commands of a script (.wast), one at a time, on the text format's reader (grammar:
 * the reference interpreter's README, "Scripts"). Nothing is run here: see run.h.
 *
 * What commands consist of lies in the text or in the arena, and lives as long as both; only a
 * module's bytes and error are handed over.
 */
#ifndef WR_SCRIPT_H
#define WR_SCRIPT_H

#include "text_parse.h"
#include "value.h"

typedef enum CommandKind {
    COMMAND_END, /* of the script, or of a thread's commands; after an error too */
    COMMAND_MODULE,
    COMMAND_REGISTER,
    COMMAND_ACTION,
    COMMAND_THREAD,
    COMMAND_WAIT,
    /* Assertions from here on */
    ASSERT_RETURN,
    ASSERT_TRAP, /* of an action or of instantiating a module */
    ASSERT_EXHAUSTION,
    ASSERT_EXCEPTION,
    ASSERT_SUSPENSION,
    ASSERT_INVALID,
    ASSERT_MALFORMED,
    ASSERT_INVALID_CUSTOM,
    ASSERT_MALFORMED_CUSTOM,
    ASSERT_UNLINKABLE,
    COMMAND_KINDS
} CommandKind;

INLINE bool command_is_assertion(CommandKind kind) { return kind >= ASSERT_RETURN; }

/* (invoke $instance? "name" value*) or (get $instance? "name") */
typedef struct Action {
    bool is_get;
    Name instance; /* data NULL = the current one; so wherever an identifier may be left out */
    Name name;
    Value *args;
    u32 nargs;
} Action;

typedef struct Command {
    CommandKind kind;
    u32 line, column;
    const char *word; /* "assert_return" */
    bool has_module;
    TextModule module;
    Error *module_error; /* own: the module's text is malformed or invalid; then it has no bytes */
    bool has_action;
    Action action;
    Value *results; /* ASSERT_RETURN */
    u32 nresults;
    Name message;  /* what an assertion expects to be said; data NULL = anything */
    Name name;     /* REGISTER: under which name; THREAD, WAIT: the thread */
    Name instance; /* REGISTER: of what */
    Name *shared;  /* THREAD: instances of the outer script that it may use */
    u32 nshared;
    TextReader body; /* THREAD: at its first command */
} Command;

/* Reads the next command. After an error (t->error) there are no more. The caller drops
 * the module, or what it left of it. */
void wr_script_next(TextReader *t, const TextOptions *options, Arena *arena, Command *out);
void wr_script_drop_module(const TextOptions *options, Command *command);

/* Whether the text is no script but a module's fields alone: (func) (memory 0). */
bool wr_script_is_module(TextReader *t);

#endif
