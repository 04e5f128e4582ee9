/*
 * imports.h - things for a module to import, made to fit: functions that do what guests do not expect,
 * tables, memories, globals and tags of the declared types; and values of any type.
 */
#ifndef WR_FUZZ_IMPORTS_H
#define WR_FUZZ_IMPORTS_H

#include "fuzz.h"
#include "store.h"

/* One run of a module. What its host functions are up to comes from `random`. */
typedef struct Guest {
    Store *store;
    Module *module;
    Random random;
    ExternVal *imports;     /* one per import of the module */
    struct HostStub *stubs; /* likewise; those of functions are used */
    u32 callbacks;          /* how often host functions may still call back */
    u64 references[16];     /* that came back from calls, at any place; 0 = none */
    bool limited;           /* a callback ended at a limit, see wr_fuzz_is_limit() */
} Guest;

/* Whether the error is one of those that another engine may meet sooner, or later. */
bool wr_fuzz_is_limit(const Error *error);

/* An arbitrary value of that type; false when none can be made (a reference to an object). */
NODISCARD bool wr_fuzz_value(Guest *guest, ValType type, Slot value[2]);

/* Fills guest->imports. False when something cannot be made: over a limit, or no value of its
 * type. */
NODISCARD bool wr_fuzz_imports(Guest *guest);
void wr_fuzz_imports_free(Guest *guest);

#endif
