/*
 * exec.c - byte dispatch: the handlers of all instructions, running the module's own bytes in place (spec:
 * exec/instructions). Called by interp.c through wr_exec_run(). machine.h says what handlers are made
 * of. Plain ones are generated (gen/generate.py), the others stand in handlers_*.h.
 */
#include "machine.h"
#include "shadow.h"

const size_t wr_exec_table_size = TABLE_SIZE;

/* ---- dispatch tables ---- */

#include "exec_tables.inc"

typedef struct Change {
    u32 index;
    Handler *handler;
} Change;

typedef struct TableParts {
    Handler *const *base, *const *traced;
    const Change *changes[VARIANTS];
    u32 counts[VARIANTS];
} TableParts;

#define H(name) ENTRY_OF(name),
#define CHANGE(index, name) {index, ENTRY_OF(name)},
/* Handlers have names where these tables are defined. */
#define DEFINE_TABLES(parts)                                                                       \
    static Handler *const base_table[] = {BASE_TABLE};                                             \
    static const Change check_changes[] = {CHECK_ENTRIES};                                         \
    static const Change mem64_changes[] = {MEM64_ENTRIES};                                         \
    static const Change wide_changes[] = {WIDE_ENTRIES};                                           \
    static const Change polled_changes[] = {POLLED_ENTRIES};                                       \
    static const Change plain_changes[] = {PLAIN_ENTRIES};                                         \
    static const Change single_changes[] = {SINGLE_ENTRIES};                                       \
    static Handler *const traced[] = {H(h_TRACE) H(h_FLUSH_I) H(h_FLUSH_F) H(h_FLUSH_V)            \
                                          H(h_FLUSH_J)};                                           \
    static const TableParts parts = {base_table,                                                   \
                                     traced,                                                       \
                                     {check_changes, mem64_changes, wide_changes, polled_changes,  \
                                      plain_changes, single_changes},                              \
                                     {ARRAY_LEN(check_changes), ARRAY_LEN(mem64_changes),          \
                                      ARRAY_LEN(wide_changes), ARRAY_LEN(polled_changes),          \
                                      ARRAY_LEN(plain_changes), ARRAY_LEN(single_changes)}}

/* ---- the machine ---- */

#if defined(WR_DISPATCH_TAIL)
#define DECLARE(name) static Step name;
#include "exec_decls.inc"
BYTE_COLD_HANDLERS(DECLARE)
#undef DECLARE

/* Every handler has all registers as parameters, and not each uses all. */
#include "exec_handlers.h"

DEFINE_TABLES(table_parts);
static const TableParts *parts_of_tables(void) { return &table_parts; }

#elif defined(WR_DISPATCH_GOTO)
/* Runs by bytes. Labels cannot leave the function: without `m` it gives its tables. */
static Onward run_by_bytes(Registers *m, const TableParts **tables) {
    DEFINE_TABLES(parts);
    if (m == NULL) {
        *tables = &parts;
        return ON_IN_C;
    }
    DEFINE_REGISTERS(m);
    u32 first = m->first;
    NEXT_AT(first);
#include "exec_handlers.h"
hand_over:
    HANDED_OVER(m, first, ON_BY_IDS);
}

static const TableParts *parts_of_tables(void) {
    const TableParts *parts;
    run_by_bytes(NULL, &parts);
    return parts;
}
static Onward bytes_run(Registers *m) { return run_by_bytes(m, NULL); }

#else
#define DECLARE(name) CASE_##name,
enum {
#include "exec_decls.inc"
    BYTE_COLD_HANDLERS(DECLARE)
};
#undef DECLARE

static __attribute__((noinline)) Onward bytes_run(Registers *m) {
    DEFINE_REGISTERS(m);
    u32 first = m->first, number = (u32)(uintptr_t)HANDLER_AT(first);
    for (;;) {
        switch (number) {
#include "exec_handlers.h"
        default: ASSERT(false && "tables hold numbers of handlers"); return ON_IN_C;
        }
    next:;
    }
hand_over:
    HANDED_OVER(m, first, ON_BY_IDS);
}

DEFINE_TABLES(table_parts);
static const TableParts *parts_of_tables(void) { return &table_parts; }
#endif

Handler *const *wr_exec_base_table(void) { return parts_of_tables()->base; }

void wr_exec_apply(ExecVariant variant, Handler **table) {
    const TableParts *parts = parts_of_tables();
    const Change *changes = parts->changes[variant];
    for (u32 i = 0; i < parts->counts[variant]; i++)
        set_handler(&table[changes[i].index], changes[i].handler);
}

void wr_exec_undo(ExecVariant variant, Handler **table) {
    const TableParts *parts = parts_of_tables();
    const Change *changes = parts->changes[variant];
    for (u32 i = 0; i < parts->counts[variant]; i++)
        set_handler(&table[changes[i].index], parts->base[changes[i].index]);
}

/* First bytes of instructions; behind them the way back to C, which is none. */
#define OPCODES 0xFFu

/* In state E the tracer hears of the instruction, in the others the cached operand goes to memory before. */
void wr_exec_trace(Handler **table) {
    static const u32 states[] = {STATE_E, STATE_I, STATE_F, STATE_V, STATE_J};
    Handler *const *traced = parts_of_tables()->traced;
    memcpy(table + TABLE_SIZE, table, TABLE_SIZE * sizeof *table);
    /* They do the same, but the handler of a block passes further blocks. */
    u16 block = wr_op_info[OP_BLOCK].code, loop = wr_op_info[OP_LOOP].code;
    table[TABLE_SIZE + STATE_E + block] = table[STATE_E + loop];
    for (u32 s = 0; s < ARRAY_LEN(states); s++)
        for (u32 byte = 0; byte < OPCODES; byte++) table[states[s] + byte] = traced[s];
}

/* ---- running ---- */

/* The ids to go on by from the start of a function that is called from C; 0: by bytes. */
static uintptr_t entry_ids(Store *store, const Frame *fr) {
    Func *func = fr->func;
    uintptr_t ids = func->ids;
    if (fr->pc != func->start) return 0;
    if (LIKELY(ids != 0)) return ids;
    return store->engine->shadows != NULL && func->heat++ >= WARM ? wr_shadow_ids(store, func) : 0;
}

#if defined(WR_DISPATCH_TAIL)
bool wr_exec_pc_in_register(void) { return !INSTRUMENTED; }

static void run(const u8 *pc, Slot *sp, Slot *fp, const SideEntry *stp, Handler *const *disp,
                Frame *fr, Instance *inst, uintptr_t ids, u32 first) {
    ((Step *)HANDLER_AT(first))(pc, sp, fp, stp, inst->mem_base, disp, fr, inst, ids, 0,
                                v128_zero());
}
#else
bool wr_exec_pc_in_register(void) { return false; }

static void run(const u8 *pc, Slot *sp, Slot *fp, const SideEntry *stp, Handler *const *disp,
                Frame *fr, Instance *inst, uintptr_t ids, u32 first) {
    Registers m = {pc, sp, fp, stp, inst->mem_base, disp, fr, inst, ids, 0, v128_zero(), first};
    Onward onward = ids ? ON_BY_IDS : ON_BY_BYTES;
    while (onward != ON_IN_C) onward = onward == ON_BY_IDS ? wr_shadow_run(&m) : bytes_run(&m);
}
#endif

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
    run(fr->pc, fiber->sp, fr->fp, fr->stp, disp, fr, inst, ids, first);
    return true;
}
