/*
 * exec.c - byte dispatch: the handlers of all instructions, running the module's own bytes in place (spec:
 * exec/instructions). Called by interp.c through wr_exec_run(). machine.h says what handlers are made
 * of. Plain ones are generated (gen/generate.py), the others stand in handlers_*.h.
 */
#include "machine.h"
#include "shadow.h"

const size_t wr_exec_table_size = 4 * DISPATCH_SIZE;

#if defined(WR_TAIL_DISPATCH)
#define DECLARE(name) static Step name;
#include "exec_decls.inc"
#undef DECLARE
static Step h_TRAP, h_STOP, h_FAILED, h_FAILED_TAIL, h_UNWIND, h_BRANCH, h_STRUCT_NEW_SLOW, h_LOOK,
    h_JUMP_SLOW, h_CALL_SLOW, h_TAIL_SLOW, h_RETURN_SLOW_E, h_RETURN_SLOW_I, h_INVALID_E, h_WARM,
    h_WARM_RETURN;
#endif

#if defined(WR_TAIL_DISPATCH)
/* Every handler has all registers as parameters, and not each uses all. */
#include "exec_handlers.h"

static Handler *const base_table[] = {
#define H(name) (Handler *)name,
#include "exec_tables.inc"
    BASE_TABLE
#undef H
};
Handler *const *wr_exec_base_table(void) { return base_table; }

typedef struct Change {
    u32 index;
    Handler *handler;
} Change;
#define H(index, name) {index, (Handler *)name},
static const Change check_changes[] = {CHECK_ENTRIES};
static const Change mem64_changes[] = {MEM64_ENTRIES};
static const Change wide_changes[] = {WIDE_ENTRIES};
static const Change polled_changes[] = {POLLED_ENTRIES};
static const Change plain_changes[] = {PLAIN_ENTRIES};
#undef H
static const Change *const changes[VARIANTS] = {check_changes, mem64_changes, wide_changes,
                                                polled_changes, plain_changes};
static const u32 change_counts[VARIANTS] = {ARRAY_LEN(check_changes), ARRAY_LEN(mem64_changes),
                                            ARRAY_LEN(wide_changes), ARRAY_LEN(polled_changes),
                                            ARRAY_LEN(plain_changes)};

void wr_exec_apply(ExecVariant variant, Handler **table) {
    for (u32 i = 0; i < change_counts[variant]; i++)
        set_handler(&table[changes[variant][i].index], changes[variant][i].handler);
}

void wr_exec_undo(ExecVariant variant, Handler **table) {
    for (u32 i = 0; i < change_counts[variant]; i++)
        set_handler(&table[changes[variant][i].index], base_table[changes[variant][i].index]);
}

bool wr_exec_pc_in_register(void) { return !INSTRUMENTED; }

/* The ids to go on by from the start of a function that is called from C; 0: by bytes. */
static uintptr_t entry_ids(Store *store, const Frame *fr) {
    Func *func = fr->func;
    uintptr_t ids = func->ids;
    if (fr->pc != func->start) return 0;
    if (LIKELY(ids != 0)) return ids;
    return store->engine->shadows != NULL && func->heat++ >= WARM ? wr_shadow_ids(store, func) : 0;
}

bool wr_exec_run(Store *store, Fiber *fiber) {
    if (JUMP_POINT_SET(fiber->activation->on_fault)) return false;
    Frame *fr = fiber->fr;
    Instance *inst = fr->func->home->instance;
    uintptr_t ids = entry_ids(store, fr);
    Handler *const *disp = ids ? wr_shadow_table(store) : wr_interp_table(store, fr->func->home);
    if (UNLIKELY(disp == NULL)) {
        fiber->outcome = OUTCOME_FAILED;
        fiber->error = ERROR_OOM;
        return true;
    }
    u32 first = ids ? *(const u16 *)(ids + 2 * (uintptr_t)fr->pc) : *fr->pc;
    fiber->fr = NULL;
    ((Step *)HANDLER_AT(first))(fr->pc, fiber->sp, fr->fp, fr->stp, inst->mem_base, disp, fr, inst,
                                ids, 0, v128_zero());
    return true;
}
#endif

#if !defined(WR_TAIL_DISPATCH)

enum { WANT_BASE, WANT_RUN, WANT_CHANGES, WANT_NO_CHANGES };

/* The whole machine as one function, whose labels are the handlers. Labels cannot leave it: `want` asks
 * for the base table or for a variant's changes instead of a run. */
static const void *machine(Store *store, Fiber *fiber, int want, ExecVariant variant,
                           Handler **table) {
#define H(name) &&name,
#include "exec_tables.inc"
    static const void *const base_table[] = {BASE_TABLE};
#undef H
    typedef struct Change {
        u32 index;
        const void *handler;
    } Change;
#define H(index, name) {index, &&name},
    static const Change check_changes[] = {CHECK_ENTRIES};
    static const Change mem64_changes[] = {MEM64_ENTRIES};
    static const Change wide_changes[] = {WIDE_ENTRIES};
    static const Change polled_changes[] = {POLLED_ENTRIES};
    static const Change plain_changes[] = {PLAIN_ENTRIES};
#undef H
    static const Change *const changes[VARIANTS] = {check_changes, mem64_changes, wide_changes,
                                                    polled_changes, plain_changes};
    static const u32 counts[VARIANTS] = {ARRAY_LEN(check_changes), ARRAY_LEN(mem64_changes),
                                         ARRAY_LEN(wide_changes), ARRAY_LEN(polled_changes),
                                         ARRAY_LEN(plain_changes)};
    if (want == WANT_BASE) return (const void *)base_table;
    if (want != WANT_RUN) {
        for (u32 i = 0; i < counts[variant]; i++) {
            u32 index = changes[variant][i].index;
            set_handler(&table[index],
                        (Handler *)(want == WANT_CHANGES ? changes[variant][i].handler
                                                         : base_table[index]));
        }
        return NULL;
    }
    Frame *fr = fiber->fr;
    Instance *inst = fr->func->home->instance;
    Handler *const *disp = wr_interp_table(store, fr->func->home);
    if (disp == NULL) {
        fiber->outcome = OUTCOME_FAILED;
        fiber->error = ERROR_OOM;
        return NULL;
    }
    const u8 *pc = fr->pc;
    Slot *sp = fiber->sp, *fp = fr->fp;
    const SideEntry *stp = fr->stp;
    u8 *mem = inst->mem_base;
    u64 r0 = 0;
    v128 v0 = v128_zero();
    fiber->fr = NULL;
    NEXT(E);
#include "exec_handlers.h"
}

Handler *const *wr_exec_base_table(void) {
    return (Handler *const *)machine(NULL, NULL, WANT_BASE, VARIANTS, NULL);
}
void wr_exec_apply(ExecVariant variant, Handler **table) {
    machine(NULL, NULL, WANT_CHANGES, variant, table);
}
void wr_exec_undo(ExecVariant variant, Handler **table) {
    machine(NULL, NULL, WANT_NO_CHANGES, variant, table);
}
bool wr_exec_pc_in_register(void) { return false; }
bool wr_exec_run(Store *store, Fiber *fiber) {
    if (JUMP_POINT_SET(fiber->activation->on_fault)) return false;
    machine(store, fiber, WANT_RUN, VARIANTS, NULL);
    return true;
}
#endif
