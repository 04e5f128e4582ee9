/*
 * interp.c - the interpreter as an executor: fibers, activations, dispatch table variants, faults, errors
 * with backtraces, and the cold helpers of the handlers. The machine itself is exec.c.
 */
#include "interp.h"

#include "decode_code.h"
#include "frame.h"
#include "lazy_bodies.h"
#include "object.h"
#include "shadow.h"

/* Slots that must stay free above what a function declares: room for a host function's results. */
#define EXIT_SLACK 4u

static _Thread_local struct {
    Activation *activation;
    bool is_ready; /* for guard pages: wr_os_fault_thread() has been called */
} thread;

/* ---- dispatch tables: one for each memory kind, wide or not, and mode; made when first needed ---- */

/* What code does beside running: counts, so that it gets warm; nothing; one of these, but polls while an alarm
 * is on; polls, and counts; the same, and tells the tracer. */
enum { TABLE_COUNTED, TABLE_PLAIN, TABLE_STOPPABLE, TABLE_METERED, TABLE_TRACED, TABLE_USES };
#define TABLE_COUNT (MEM_KINDS * 2 * TABLE_USES)
/* Unused fibers that an engine keeps; on cache lines of their own. */
#define MAX_SPARES 16u
/* Stores of pre-linked modules, of which there may be a hundred thousand, that keep their fiber between calls. */
#define MAX_KEEPERS 64
typedef struct Spare {
    _Alignas(64) _Atomic(Fiber *) fiber;
} Spare;
typedef struct Tables {
    Spare spares[MAX_SPARES];
    _Atomic(Handler **) made[TABLE_COUNT];
    atomic_int keepers;
    atomic_int alarms; /* how many running calls are to stop, which they only see where they poll */
} Tables;

static void delete_fiber(const Alloc *alloc, Fiber *fiber);

static size_t table_bytes(u32 use) {
    return (use == TABLE_TRACED ? 2 : 1) * wr_exec_table_size * sizeof(Handler *);
}

static bool engine_init(Engine *engine) {
    engine->executor_state = wr_alloc_zero(&engine->alloc, sizeof(Tables));
    if (engine->executor_state == NULL) return false;
    if (wr_shadow_engine_init(engine)) return true;
    wr_free(&engine->alloc, engine->executor_state, sizeof(Tables));
    return false;
}

static void engine_free(Engine *engine) {
    Tables *tables = engine->executor_state;
    if (tables == NULL) return;
    for (u32 i = 0; i < MAX_SPARES; i++)
        delete_fiber(&engine->alloc, atomic_load(&tables->spares[i].fiber));
    wr_shadow_engine_free(engine);
    for (u32 i = 0; i < TABLE_COUNT; i++)
        wr_free(&engine->alloc, atomic_load(&tables->made[i]), table_bytes(i % TABLE_USES));
    wr_free(&engine->alloc, tables, sizeof *tables);
    engine->executor_state = NULL;
}

/* Whether code with such a home, if it need not look for stops, runs handlers that neither count nor poll, but look at
 * the instruction behind theirs, which takes locals for slots. */
static bool has_plain(const Engine *engine, bool wide) { return engine->shadows == NULL && !wide; }

static Handler **make_table(Engine *engine, u32 kind, bool wide, u32 use) {
    Handler **table = wr_alloc(&engine->alloc, table_bytes(use));
    if (table == NULL) return NULL;
    memcpy(table, wr_exec_base_table(), wr_exec_table_size * sizeof(Handler *));
    if (use == TABLE_TRACED) wr_exec_apply(VARIANT_SINGLE, table);
    /* First, since it has accesses as those of guarded memories are. */
    if (wide) wr_exec_apply(VARIANT_WIDE, table);
    if (kind == MEM_CHECK32) wr_exec_apply(VARIANT_CHECK, table);
    if (kind == MEM_64) wr_exec_apply(VARIANT_MEM64, table);
    if (use >= TABLE_METERED) wr_exec_apply(VARIANT_POLLED, table);
    if (use == TABLE_TRACED) wr_exec_trace(table);
    if (use == TABLE_PLAIN || (use == TABLE_STOPPABLE && has_plain(engine, wide)))
        wr_exec_apply(VARIANT_PLAIN, table);
    return table;
}

/* Of two threads that make the same, one throws its own away. */
static Handler **add_table(Engine *engine, u32 kind, bool wide, u32 use) {
    Tables *tables = engine->executor_state;
    _Atomic(Handler **) *place = &tables->made[(kind * 2 + (u32)wide) * TABLE_USES + use];
    Handler **table = make_table(engine, kind, wide, use), **expected = NULL;
    if (table == NULL) return NULL;
    if (!atomic_compare_exchange_strong(place, &expected, table)) {
        wr_free(&engine->alloc, table, table_bytes(use));
        return expected;
    }
    if (use == TABLE_STOPPABLE) wr_interp_heed_alarms(engine);
    return table;
}

Handler *const *wr_interp_table(Store *store, const Home *home) {
    static const u8 uses[] = {TABLE_COUNTED, TABLE_STOPPABLE, TABLE_METERED, TABLE_TRACED};
    u32 kind = home->instance->memory_kind;
    Engine *engine = store->engine;
    u32 use = uses[store->fiber->mode];
    if (use == TABLE_COUNTED && has_plain(engine, home->wide)) use = TABLE_PLAIN;
    if (kind == MEM_GUARD32 && !home->wide && use == TABLE_COUNTED) return wr_exec_base_table();
    Tables *tables = engine->executor_state;
    _Atomic(Handler **) *place = &tables->made[(kind * 2 + (u32)home->wide) * TABLE_USES + use];
    Handler **table = atomic_load_explicit(place, memory_order_acquire);
    return LIKELY(table != NULL) ? table : add_table(engine, kind, home->wide, use);
}

/* ---- alarms: stops without polling ---- */

/*
 * Calls that a deadline or an interruption may stop do not look for one: code that nobody wants to stop would
 * pay for that. Instead, when one of the engine's running calls is to stop, the handlers of branches, calls
 * and returns in the tables that all such calls use are replaced by those that poll, and put back when
 * the last such call has stopped or ended. Every dispatch reads the table, so each thread
 * meets them at its next transfer of control; meanwhile the others poll, too, and go on.
 *
 * There is no lock, for the sake of signal handlers: whoever changes the tables looks afterwards whether what they
 * should be has changed meanwhile, and does it again then. So the last change is right.
 */
static void set_alarm(Engine *engine, bool on) {
    Tables *tables = engine->executor_state;
    for (u32 i = TABLE_STOPPABLE; i < TABLE_COUNT; i += TABLE_USES) {
        Handler **table = atomic_load(&tables->made[i]);
        if (table == NULL) continue;
        bool plain = has_plain(engine, i / TABLE_USES % 2 != 0);
        if (plain) (on ? wr_exec_undo : wr_exec_apply)(VARIANT_PLAIN, table);
        if (on)
            wr_exec_apply(VARIANT_POLLED, table);
        else if (!plain)
            wr_exec_undo(VARIANT_POLLED, table);
    }
    wr_shadow_alarm(engine, on);
}

static void heed(Engine *engine) {
    Tables *tables = engine->executor_state;
    bool on;
    do {
        on = atomic_load(&tables->alarms) > 0;
        set_alarm(engine, on);
    } while ((atomic_load(&tables->alarms) > 0) != on);
}

static void alarm(Engine *engine, int change) {
    Tables *tables = engine->executor_state;
    int before = atomic_fetch_add(&tables->alarms, change);
    if ((before > 0) != (before + change > 0)) heed(engine);
}

void wr_interp_heed_alarms(Engine *engine) {
    Tables *tables = engine->executor_state;
    if (atomic_load(&tables->alarms) > 0) heed(engine);
}

/* ---- immediates off the fast path ---- */

static u64 read_leb(const u8 **p) {
    u64 value = 0, byte;
    unsigned shift = 0;
    do {
        byte = *(*p)++;
        value |= shift < 64 ? (byte & 0x7F) << shift : 0;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

const u8 *wr_interp_skip_heap_type(const u8 *p) {
    if (*p == 0x62) p++; /* exact */
    while (*p++ & 0x80) {
    }
    return p;
}

void wr_interp_shade_field(const Instance *inst, u32 type_index, u32 field, const u8 *at) {
    ValType type = inst->types[type_index]->fields[field].type;
    if (wr_type_in_heap(inst->store->engine->types, type)) wr_object_shade(inst->store, at, 1);
}

/* Abstract heap types by their byte, 0x69 to 0x74. */
static const u8 abstract_heaps[] = {
    HEAP_EXN,    HEAP_ARRAY, HEAP_STRUCT, HEAP_I31,      HEAP_EQ,     HEAP_ANY,
    HEAP_EXTERN, HEAP_FUNC,  HEAP_NONE,   HEAP_NOEXTERN, HEAP_NOFUNC, HEAP_NOEXN,
};

bool wr_interp_matches(const Instance *inst, u64 ref, const u8 *p) {
    HeapType exact = *p == 0x62 ? HEAP_EXACT : 0;
    if (exact)
        p++;
    else if (*p >= 0x69 && *p <= 0x74)
        return wr_ref_matches(inst->store, ref, abstract_heaps[*p - 0x69]);
    const DefType *type = inst->types[read_leb(&p)];
    return wr_ref_matches(inst->store, ref, (HEAP_DEFINED + type->id) | exact);
}

const u8 *wr_interp_skip_block_type(const u8 *p) {
    return *p == 0x63 || *p == 0x64 ? wr_interp_skip_heap_type(p + 1) : wr_interp_skip_heap_type(p);
}

const u8 *wr_interp_skip_select_types(const u8 *p) {
    for (u64 n = read_leb(&p); n > 0; n--) p = wr_interp_skip_block_type(p);
    return p;
}

bool wr_interp_select_is_wide(const u8 *p) {
    read_leb(&p);
    return *p == 0x7B;
}

bool wr_interp_is_wide(const Code *code, const u8 *pc) {
    u32 offset = (u32)(pc - code->start), low = 0, high = code->nwide;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (code->wide_pcs[middle] == offset) return true;
        if (code->wide_pcs[middle] < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

u8 *wr_interp_address(Instance *inst, const u8 *pc, u64 address, u64 size, const u8 **next) {
    const u8 *p = pc + 1;
    u64 flags = read_leb(&p);
    Memory *memory = inst->memories[flags & 0x40 ? read_leb(&p) : 0];
    u64 offset = read_leb(&p), place;
    *next = p;
    if (!memory->is_64) address = (u32)address;
    if (__builtin_add_overflow(address, offset, &place)) return NULL;
    u64 bytes = memory_size(memory);
    if (size > bytes || place > bytes - size) return NULL;
    if (memory == inst->memories[0]) inst->mem_size = bytes; /* other threads may grow it */
    return memory->base + place;
}

const Memory *wr_interp_memory(const Instance *inst, const u8 *pc) {
    const u8 *p = pc + 1;
    u64 flags = read_leb(&p);
    return inst->memories[flags & 0x40 ? read_leb(&p) : 0];
}

Jump wr_interp_jump(const Func *func, const u8 *pc, const SideEntry *stp, Slot *sp) {
    FarEntry e = {stp->pc, stp->stp, stp->pop, stp->keep};
    if (stp->pop == SIDE_FAR) e = func->code->far[stp->pc];
    if (e.pop != 0) memmove(sp - e.keep - e.pop, sp - e.keep, e.keep * sizeof(Slot));
    return (Jump){pc + e.pc, stp + e.stp, sp - e.pop};
}

/* ---- metering ---- */

/* Store.fuel holds what a metered activation may use until it looks for other reasons to stop, plus pc; the
 * rest is aside. In any other it is so small that handlers that poll, while an alarm is on, look each time. */
#define SLICE ((i64)1 << 16)
#define NO_FUEL (INT64_MIN / 2)

static void set_slice(Store *store, const u8 *pc, i64 fuel) {
    bool asked = atomic_load_explicit(&store->interrupt, memory_order_relaxed) & POLL_ASKED;
    i64 most = asked ? 0 : SLICE, slice = fuel < most ? fuel : most;
    store->fuel = slice + (i64)(uintptr_t)pc;
    store->fiber->other_fuel = fuel - slice;
}

/* All that is left: fuel that peers have in common is drawn when the store's own is spent. */
static bool refuel(Store *store, const u8 *pc) {
    i64 left = store->fuel - (i64)(uintptr_t)pc + store->fiber->other_fuel;
    if (!store->fuel_on) left = SLICE; /* no longer */
    if (left < 0) left += wr_budget_draw(store->budget, (u64)-left);
    set_slice(store, pc, left);
    return left >= 0;
}

bool wr_interp_must_stop(Store *store, const u8 *pc) {
    Fiber *fiber = store->fiber;
    u32 interrupt = atomic_load_explicit(&store->interrupt, memory_order_relaxed);
    if (!is_metered(store)) store->fuel = NO_FUEL;
    if (fiber->mode == RUNS_FREE) return false;
    wr_trap_code_t code = store_stop(store, interrupt);
    if (code == WR_TRAP_NONE && is_metered(store) && !refuel(store, pc)) code = WR_TRAP_OUT_OF_FUEL;
    if (code == WR_TRAP_NONE) return false;
    fiber->trap = code;
    return true;
}

/* ---- fibers ---- */

static bool map_stack(Fiber *fiber, size_t size) {
    size_t page = wr_os_page_size();
    size = (size + page - 1) & ~(page - 1);
    if (size < 4 * page) size = 4 * page;
    fiber->size = size;
    fiber->map = wr_os_reserve(size);
    if (fiber->map == NULL) return false;
    if (wr_os_commit(fiber->map, size)) return true;
    wr_os_release(fiber->map, size);
    return false;
}

static void delete_fiber(const Alloc *alloc, Fiber *fiber) {
    if (fiber == NULL) return;
    wr_os_release(fiber->map, fiber->size);
    wr_free(alloc, fiber, sizeof *fiber);
}

/* Threads begin to look at different places, so that they do not meet. */
static u32 first_spare(void) { return wr_os_thread_number() % MAX_SPARES; }

static Fiber *take_spare(Tables *tables) {
    for (u32 i = first_spare(), n = 0; n < MAX_SPARES; n++, i = (i + 1) % MAX_SPARES) {
        _Atomic(Fiber *) *place = &tables->spares[i].fiber;
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL) continue;
        Fiber *fiber = atomic_exchange_explicit(place, NULL, memory_order_acquire);
        if (fiber != NULL) return fiber;
    }
    return NULL;
}

static bool keep_spare(Tables *tables, Fiber *fiber) {
    for (u32 i = first_spare(), n = 0; n < MAX_SPARES; n++, i = (i + 1) % MAX_SPARES) {
        _Atomic(Fiber *) *place = &tables->spares[i].fiber;
        Fiber *expected = NULL;
        if (atomic_load_explicit(place, memory_order_relaxed) == NULL &&
            atomic_compare_exchange_strong_explicit(place, &expected, fiber, memory_order_release,
                                                    memory_order_relaxed))
            return true;
    }
    return false;
}

COLD static Fiber *fiber_new(const Store *store) {
    Fiber *fiber = take_spare(store->engine->executor_state);
    if (fiber == NULL) {
        fiber = wr_alloc_zero(&store->alloc, sizeof *fiber);
        if (fiber == NULL) return NULL;
        if (!map_stack(fiber, store->engine->config.max_stack)) {
            wr_free(&store->alloc, fiber, sizeof *fiber);
            return NULL;
        }
    }
    fiber->sp = (Slot *)(void *)fiber->map;
    fiber->fr = (Frame *)(void *)(fiber->map + fiber->size);
    fiber->operand_end = NULL;
    fiber->activation = NULL;
    fiber->base = NULL;
    fiber->mode = RUNS_FREE;
    fiber->pauses = false;
    return fiber;
}

/* How much of a stack a guest has touched is not known, and asking costs a system call: so it is given
 * back every so many times, except for some at both ends. */
#define USES_TO_TRIM 1024u
#define KEEP_STACK ((size_t)64 << 10)

static void trim(Fiber *fiber) {
    if (++fiber->uses % USES_TO_TRIM != 0 || fiber->size <= 2 * KEEP_STACK) return;
    wr_os_reset(fiber->map + KEEP_STACK, fiber->size - 2 * KEEP_STACK);
}

/* Nothing of it is cleared: guests read no slot that they have not written. */
static void fiber_free(Store *store, Fiber *fiber) {
    Tables *tables = store->engine->executor_state;
    if (store->fiber == fiber) store->fiber = NULL;
    if (fiber->is_kept) atomic_fetch_sub_explicit(&tables->keepers, 1, memory_order_relaxed);
    fiber->is_kept = false;
    trim(fiber);
    if (!keep_spare(tables, fiber)) delete_fiber(&store->alloc, fiber);
}

/* Behind the outermost call of a pre-linked module's store: the fiber stays if not too many others keep theirs. */
static void settle_fiber(Store *store) {
    Tables *tables = store->engine->executor_state;
    Fiber *fiber = store->fiber;
    if (fiber->is_kept) return;
    if (atomic_load_explicit(&tables->keepers, memory_order_relaxed) < MAX_KEEPERS) {
        atomic_fetch_add_explicit(&tables->keepers, 1, memory_order_relaxed);
        fiber->is_kept = true;
    } else {
        fiber_free(store, fiber);
    }
}

/* ---- errors ---- */

/* The start of the instruction that byte `pc` of `code` belongs to: a trap may have been noticed anywhere in
 * it, a return address stands after a call. Linear in the body; for errors only. */
static const u8 *instruction_at(const Module *module, const Code *code, const u8 *pc) {
    Reader r = {.pos = code->start, .end = code->end, .base = module->bytes};
    Instr instr = {.start = code->start};
    while (wr_instr_next(&r, &instr) && instr.end <= pc) {
    }
    return instr.start;
}

/* A function that has made a tail call, to a host function here, is no more. */
static void add_frame(Error *error, const Frame *frame, bool innermost, bool has_trapped) {
    const Code *code = frame->func->code;
    Instance *instance = frame->func->home->instance;
    const Module *module = instance->module;
    const u8 *pc = instruction_at(module, code, innermost ? frame->pc : frame->pc - 1);
    if (innermost && !has_trapped && byte_is_tail_call(*pc)) return;
    wr_error_add_frame(error, instance, frame->func->index, wr_module_offset(module, pc));
}

/* Frames of this activation, innermost first, which has trapped itself or called a host function that failed. Those
 * in the middle, which no backtrace shows, are not looked at: there may be a hundred thousand, each in a body of
 * megabytes. */
static void add_backtrace(Error *error, const Frame *from, const Frame *base, bool has_trapped) {
    size_t count = (size_t)(base - from);
    for (size_t i = 0; i < count; i++) {
        if (i == BACKTRACE_END && count > 2 * BACKTRACE_END) {
            wr_error_skip_frames(error, count - 2 * BACKTRACE_END);
            i = count - BACKTRACE_END;
        }
        add_frame(error, &from[i], i == 0, has_trapped);
    }
}

static Error *outcome_error(Fiber *fiber) {
    Error *error = fiber->error;
    fiber->error = NULL;
    if (error != NULL) return error;
    if (fiber->outcome == OUTCOME_THREW)
        return wr_error_exception(fiber->activation->store, fiber->exception);
    return wr_store_trap(fiber->activation->store, fiber->trap, fiber->trap_element);
}

/* ---- functions that are compiled meanwhile ---- */

Func *wr_interp_deep_callee(Func *func) {
    Func *interpreted = func->native_entry != NULL ? wr_func_interpreted(func) : func;
    return interpreted != NULL ? interpreted : func;
}

const void *wr_interp_tier(Store *store) {
    const Fiber *fiber = store->fiber;
    TierFrame frames[TIER_FRAMES];
    u32 count = 0;
    if (fiber->pauses) return NULL;
    for (const Frame *fr = fiber->fr; count < TIER_FRAMES && fr->func->code != NULL; fr++)
        frames[count++] = (TierFrame){fr->func, fr->pc};
    return store->engine->tier_ops->look(store, frames, count);
}

static void reseat_fiber(const Fiber *fiber) {
    const Frame *top = (const Frame *)(const void *)(fiber->map + fiber->size);
    for (Frame *fr = fiber->fr; fr < top; fr++)
        if (fr->func->home == NULL && fr->func->code != NULL) fr->func = fr->func->interpreted;
}

static void reseat(Store *store) {
    if (store->fiber != NULL) reseat_fiber(store->fiber);
    for (const PausedCall *p = store->paused; p != NULL; p = p->next) reseat_fiber(p->fiber);
}

/* ---- faults of guarded memories ---- */

static bool in_guarded_memory(const Store *store, const u8 *address) {
    for (u32 i = 0; i < store->nmemories; i++) {
        const Memory *m = store->memories[i];
        if (m->is_guarded && address >= m->base && address < m->base + m->reserved) return true;
    }
    return false;
}

/* In the signal handler: a guest access outside its memory ends the activation. */
static bool on_fault(const OsFault *fault) {
    Activation *a = thread.activation;
    if (a == NULL || a->store->fiber->fr != NULL) return false; /* not in guest code */
    if (!in_guarded_memory(a->store, fault->address)) return false;
    if (wr_exec_pc_in_register() && wr_os_fault_has_arguments()) {
        a->fault.pc = (const u8 *)(uintptr_t)wr_os_fault_argument(fault, 0);
        a->fault.fr = (Frame *)(uintptr_t)wr_os_fault_argument(fault, 6);
    } else {
        a->fault = a->store->fiber->fault;
    }
    JUMP_POINT_GO(a->on_fault);
}

/* The memory access at or behind `pc`: a tile faults with pc at an instruction before it (tiles.py). */
static const u8 *access_at(const Func *func, const u8 *pc) {
    Reader r = {.pos = func->start, .end = func->end, .base = func->home->instance->module->bytes};
    Instr instr;
    while (wr_instr_next(&r, &instr)) {
        u8 imm = wr_op_info[instr.op].imm;
        if (instr.end > pc && (imm == IMM_MEMARG || imm == IMM_MEMARG_LANE)) return instr.start;
    }
    return pc;
}

/* After a fault: the frame and pc as the registers had them, if they are plausible. */
COLD static void recover_fault(Activation *a, Fiber *fiber) {
    Frame *frame = a->fault.fr;
    Frame *low = (Frame *)(void *)fiber->map, *high = a->base;
    fiber->trap = WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    fiber->outcome = OUTCOME_TRAPPED;
    if (frame == NULL || frame <= low || frame >= high) {
        fiber->fr = high;
        return;
    }
    if (a->fault.pc != NULL && a->fault.pc >= frame->func->start && a->fault.pc < frame->func->end)
        frame->pc = access_at(frame->func, a->fault.pc);
    fiber->fr = frame;
}

/* ---- activations ---- */

const u8 wr_exit_code[2] = {0xFF, 0xFF};

/* Around guest code. See handlers_jump.h for what fuel counts. */
static void meter_start(Store *store, const u8 *pc) {
    if (is_metered(store)) {
        set_slice(store, pc, store->fuel_on ? store->fuel : SLICE);
    } else {
        store->fiber->other_fuel = store->fuel;
        store->fuel = NO_FUEL;
    }
}
static void meter_end(Store *store, const u8 *pc) {
    if (is_metered(store))
        store->fuel += store->fiber->other_fuel - (i64)(uintptr_t)pc;
    else
        store->fuel = store->fiber->other_fuel;
}

/* Mostly one or two: calling memcpy would take longer. */
INLINE void copy_slots(Slot *to, const Slot *from, u32 n) {
    for (u32 i = 0; i < n; i++) {
        to[i] = from[i];
        __asm__ volatile("" : : : "memory"); /* or compilers make that call of it */
    }
}

#define FEW_SLOTS 8u
INLINE void clear_slots(Slot *slots, u32 n) {
    if (n > FEW_SLOTS) {
        memset(slots, 0, n * sizeof(Slot));
        return;
    }
    for (u32 i = 0; i < n; i++) {
        slots[i].u64 = 0;
        __asm__ volatile("" : : : "memory");
    }
}

/* Pushes the exit frame and the function's frame; false when the stack has no room. */
INLINE bool push_frames(Fiber *fiber, Activation *a, Func *func, const Slot *args) {
    Slot *base = fiber->sp;
    Frame *fr = fiber->fr;
    if (fr == NULL) return false;
    u64 need = (u64)func->param_slots + func->result_slots + func->frame_slots + EXIT_SLACK;
    if ((u64)((u8 *)fr - (u8 *)base) < need * sizeof(Slot) + 4 * sizeof(Frame)) return false;
    copy_slots(base, args, func->param_slots);
    clear_slots(base + func->param_slots, func->zero_slots);
    fr[-1] =
        (Frame){wr_exit_code + (func->result_slots == 1), NULL, base, &func->home->instance->exit};
    fr[-2] = (Frame){func->start, func->side, base, func};
    a->base = fr - 1;
    fiber->fr = fr - 2;
    fiber->sp = base + func->param_slots + func->zero_slots;
    return true;
}

/* Handlers trap with pc anywhere in the instruction; what is left is counted at its start. */
COLD static void find_trap(Frame *fr) {
    if (fr->func->code == NULL) return;
    fr->pc = instruction_at(fr->func->home->instance->module, fr->func->code, fr->pc);
}

/* From the fiber's frame on, until it ends or stops. */
INLINE void run_activation(Activation *a) {
    Store *store = a->store;
    Fiber *fiber = store->fiber;
    meter_start(store, fiber->fr->pc);
    fiber->activation = a;
    a->outer = thread.activation;
    thread.activation = a;
    if (!wr_exec_run(store, fiber)) recover_fault(a, fiber);
    thread.activation = a->outer;
    if (is_metered(store) && fiber->outcome == OUTCOME_TRAPPED) find_trap(fiber->fr);
    meter_end(store, (fiber->fr < a->base ? fiber->fr : a->base)->pc);
}

/* Whether what would stop the call makes it pause; code that cannot may have come while it runs. */
static bool pauses(const Store *store) {
    return store->pauses && (store->native == NULL || store->native_ops->can_pause(store));
}

/* All frames of the activation, behind those of activations inside of it. */
COLD static Error *write_down(const Activation *a, const Fiber *fiber) {
    const Slot *end = fiber->sp;
    if (a->store->written.count == 0) a->store->written.reason = fiber->trap;
    for (const Frame *fr = fiber->fr; fr < a->base; end = fr++->fp) {
        u32 n = (u32)(end - fr->fp);
        Slot *to = wr_frames_add(a->store, fr->func, (u32)(fr->pc - fr->func->start),
                                 (u32)(fr->stp - fr->func->side), n);
        if (to != NULL) memcpy(to, fr->fp, n * sizeof(Slot));
    }
    return ERROR_PAUSED;
}

COLD static Error *activation_error(const Activation *a, Fiber *fiber) {
    if (fiber->outcome == OUTCOME_SUSPENDED && pauses(a->store)) return write_down(a, fiber);
    Error *error = outcome_error(fiber);
    if (is_traced(a->store)) wr_interp_trace_failure(a->store, a->base - 1);
    add_backtrace(error, fiber->fr, a->base, fiber->outcome == OUTCOME_TRAPPED);
    return error;
}

COLD static void run_apart(Activation *a) { run_activation(a); }

/* The results, or what ended it. They are where the arguments were. */
INLINE Error *end_activation(const Activation *a, Slot *slots, u32 nslots) {
    Fiber *fiber = a->store->fiber;
    Error *error = NULL;
    if (LIKELY(fiber->outcome == OUTCOME_RETURNED))
        copy_slots(slots, a->base->fp, nslots);
    else
        error = activation_error(a, fiber);
    fiber->sp = a->base->fp;
    fiber->fr = a->base + 1;
    fiber->activation = a->below;
    fiber->operand_end = a->below_end;
    return error;
}

COLD static Error *end_apart(const Activation *a, Slot *slots, u32 nslots) {
    return end_activation(a, slots, nslots);
}

INLINE Error *begin_activation(Activation *a, Func *func, const Slot *args) {
    Fiber *fiber = a->store->fiber;
    if (!wr_shadow_prepare(a->store->engine, fiber->mode)) return ERROR_OOM;
    return push_frames(fiber, a, func, args) ? NULL : wr_error_trap(WR_TRAP_STACK_EXHAUSTED);
}

/* Field by field: clearing the rest takes longer than many a call. */
INLINE void init_activation(Activation *a, Store *store) {
    a->below = store->fiber->activation;
    a->below_end = store->fiber->operand_end;
    a->store = store;
}

INLINE Error *call_wasm(Store *store, Func *func, Slot *slots) {
    Activation a;
    init_activation(&a, store);
    Error *error = begin_activation(&a, func, slots);
    if (error != NULL) return error;
    run_activation(&a);
    return end_activation(&a, slots, func->result_slots);
}

/* Of a function that is not interpreted, from C (caller NULL) or from interpreted code. */
static Error *call_other(Store *store, Func *func, Instance *caller, Slot *slots) {
    return func->native_entry != NULL ? store->native_ops->call(store, func, slots)
                                      : wr_store_call_host(store, func, caller, slots);
}

COLD static Error *call_other_traced(Store *store, Func *func, Instance *caller, Slot *slots) {
    wr_interp_trace_other(store, WR_TRACE_CALL, func, slots);
    Error *error = call_other(store, func, caller, slots);
    wr_interp_trace_other(store, error != NULL ? WR_TRACE_FAIL : WR_TRACE_RETURN, func, slots);
    return error;
}

/* Compiled code that interpreted code calls: fuel is looked at on arrival there, too. */
static Error *arrive_elsewhere(Store *store, const u8 *pc, Func *func, const Slot *args) {
    if (func->native_entry == NULL || !is_metered(store) || !wr_interp_poll(store, pc)) return NULL;
    if (pauses(store)) {
        store->written.reason = store->fiber->trap;
        wr_frames_add_call(store, func, args);
        return ERROR_PAUSED;
    }
    Error *error = wr_error_trap(store->fiber->trap);
    Instance *instance = func->native_context;
    wr_error_add_frame(error, instance, func->index, wr_body_start(instance->module, func->index));
    return error;
}

/* What an activation inside of this one ended with. */
static bool came_back(Fiber *fiber, Store *store, Error *error) {
    if (LIKELY(error == NULL)) return true;
    if (error == ERROR_PAUSED) {
        fiber->outcome = OUTCOME_SUSPENDED;
        return false;
    }
    fiber->exception = wr_error_exception_ref(error, store);
    fiber->error = error;
    fiber->outcome = fiber->exception == 0 ? OUTCOME_FAILED : OUTCOME_THREW;
    return false;
}

/* The frame is canonical behind the call, to the results of which `slots` belongs; after a tail call it is no more. */
COLD static const u8 *pause_in_call(Fiber *fiber, const u8 *pc, Slot *slots) {
    bool is_tail = fiber->fr->pc == pc;
    fiber->sp = is_tail ? fiber->fr->fp : slots;
    fiber->fr += is_tail;
    return fiber->fr->pc;
}

bool wr_interp_call_host(Instance *caller, const u8 *pc, Func *func, Slot *slots) {
    Store *store = caller->store;
    Fiber *fiber = store->fiber;
    fiber->operand_end = slots;
    Error *error = arrive_elsewhere(store, pc, func, slots);
    meter_end(store, pc);
    if (error == NULL)
        error = (is_traced(store) ? call_other_traced : call_other)(store, func, caller, slots);
    if (UNLIKELY(error == ERROR_PAUSED)) pc = pause_in_call(fiber, pc, slots);
    meter_start(store, pc);
    return came_back(fiber, store, error);
}

bool wr_interp_enter_loop(Func *func, const void *code, Slot *slots) {
    Instance *instance = func->home->instance;
    Store *store = instance->store;
    Fiber *fiber = store->fiber;
    const u8 *pc = fiber->fr->pc;
    fiber->operand_end = slots;
    meter_end(store, pc);
    Error *error = store->native_ops->enter(store, instance, code, slots);
    meter_start(store, pc);
    return came_back(fiber, store, error);
}

bool wr_interp_need_code(Fiber *fiber, Func *func) {
    fiber->error = wr_func_need_code(func);
    fiber->outcome = OUTCOME_FAILED;
    return fiber->error == NULL;
}

void wr_interp_caught(Fiber *fiber) {
    wr_error_delete(fiber->error);
    fiber->error = NULL;
}

/* What guest code needs of the thread. */
static bool prepare_thread(const Store *store) {
    if (LIKELY(thread.is_ready) || store->engine->config.memory_mode != WR_MEMORY_GUARD)
        return true;
    thread.is_ready = wr_os_fault_thread();
    return thread.is_ready;
}

/* What runs inside of another activation may be stopped by what may stop that. */
static RunMode mode_of(const Store *store) {
    if (store->engine->config.tracer != NULL) return RUNS_TRACED;
    RunMode mode = store->fuel_on ? RUNS_METERED : store_stops(store) ? RUNS_STOPPABLE : RUNS_FREE;
    RunMode outer = store->nesting > 0 ? store->fiber->mode : RUNS_FREE;
    return mode > outer ? mode : outer;
}

/* Whether it is from now on that alarms tell what is asked of the store. */
static bool hear_alarms(Store *store) {
    if (store->fiber->mode != RUNS_STOPPABLE) return false;
    u32 bits = atomic_load_explicit(&store->interrupt, memory_order_relaxed);
    return !(bits & POLL_RUNNING) && (wr_store_raise(store, POLL_RUNNING), true);
}

/* Around what runs guest code from C. False: no memory. */
INLINE bool begin_running(Store *store, RunMode *outer, bool *hears) {
    if (store->fiber == NULL && (store->fiber = fiber_new(store)) == NULL) return false;
    if (!prepare_thread(store)) return false;
    *outer = store->fiber->mode;
    store->fiber->mode = mode_of(store);
    *hears = hear_alarms(store);
    store->nesting += 1;
    return true;
}

INLINE void end_running(Store *store, RunMode outer, bool hears) {
    store->nesting -= 1;
    if (hears) wr_store_lower(store, POLL_RUNNING);
    store->fiber->mode = outer;
    if (store->kit != NULL && store->nesting == 0) settle_fiber(store);
}

static Error *call(Store *store, Func *func, Slot *slots) {
    if (store->nesting >= MAX_NESTING) return wr_error_trap(WR_TRAP_STACK_EXHAUSTED);
    if (func->home == NULL) return call_other(store, func, NULL, slots);
    Error *error = func->home->lazy ? wr_func_need_code(func) : NULL;
    if (error != NULL) return error;
    RunMode outer;
    bool hears;
    if (!begin_running(store, &outer, &hears)) return ERROR_OOM;
    error = call_wasm(store, func, slots);
    end_running(store, outer, hears);
    return error;
}

/* ---- frames from elsewhere ---- */

static bool has_room(const Slot *base, const Frame *fr, const Func *func) {
    u64 need = (u64)func->param_slots + func->result_slots + func->frame_slots + EXIT_SLACK;
    return (u64)((const u8 *)fr - (const u8 *)base) >= need * sizeof(Slot) + 4 * sizeof(Frame);
}

/* As push_frames(), for Store.written from the frame at `at` in; a frame begins where the operands of the one before
 * it end. */
static bool push_written(Fiber *fiber, Activation *a) {
    const FrameList *list = &a->store->written;
    const CanonicalFrame *f = frame_at(list, list->last);
    Slot *base = fiber->sp;
    Frame *fr = fiber->fr;
    if (fr == NULL || !has_room(base, fr, f->func)) return false;
    *--fr = (Frame){wr_exit_code + (f->func->result_slots == 1), NULL, base,
                    &f->func->home->instance->exit};
    a->base = fr;
    for (u32 i = 0; i < list->count; i++, f = frame_at(list, f->before)) {
        if (!has_room(base, fr, f->func)) return false;
        memcpy(base, f + 1, f->nslots * sizeof(Slot));
        *--fr = (Frame){f->pc, f->entry, base, f->func};
        base += f->nslots;
    }
    fiber->fr = fr;
    fiber->sp = base;
    return true;
}

/* Puts the frames of Store.written on the fiber, and empties that. */
static Error *take_written(Activation *a) {
    Error *error = a->store->written.error;
    if (error == NULL && !push_written(a->store->fiber, a))
        error = wr_error_trap(WR_TRAP_STACK_EXHAUSTED);
    wr_frames_clear(a->store);
    return error;
}

static Error *run_written(Store *store, Slot *slots) {
    const FrameList *list = &store->written;
    u32 results = list->count > 0 ? frame_at(list, list->last)->func->result_slots : 0;
    Activation a;
    init_activation(&a, store);
    Error *error = take_written(&a);
    if (error != NULL) return error;
    if (!wr_shadow_prepare(store->engine, store->fiber->mode)) {
        store->fiber->outcome = OUTCOME_FAILED;
        store->fiber->error = ERROR_OOM;
    } else {
        run_apart(&a);
    }
    return end_apart(&a, slots, results);
}

COLD static Error *go_on(Store *store, Slot *slots) {
    RunMode outer;
    bool hears;
    if (store->nesting < MAX_NESTING && begin_running(store, &outer, &hears)) {
        Error *error = run_written(store, slots);
        end_running(store, outer, hears);
        return error;
    }
    wr_frames_clear(store);
    return ERROR_OOM;
}

/* ---- paused calls ---- */

/* The frames stay as they are: what is on the C stack goes. */
static void pause_call(PausedCall *call, const Activation *a) {
    Fiber *fiber = call->store->fiber;
    fiber->base = a->base;
    fiber->activation = NULL;
    fiber->operand_end = fiber->sp;
    call->fiber = fiber;
    call->reason = fiber->trap;
    call->store->fiber = NULL;
}

/* The same where frames have been written down: they become those of the fiber, on which there are none. */
COLD static Error *pause_written(PausedCall *call) {
    Store *store = call->store;
    Activation a = {.store = store};
    if (store->fiber == NULL && (store->fiber = fiber_new(store)) == NULL) {
        wr_frames_clear(store);
        return ERROR_OOM;
    }
    store->fiber->trap = store->written.reason;
    Error *error = take_written(&a);
    if (error == NULL) pause_call(call, &a);
    return error;
}

/* What ended the activation, or the call, which has not returned. */
static Error *stop_pausable(PausedCall *call, Activation *a, Slot *slots) {
    Store *store = call->store;
    bool in_one = store->fiber->outcome == OUTCOME_SUSPENDED && store->written.count == 0;
    if (in_one && store->written.error == NULL) {
        pause_call(call, a);
        return NULL;
    }
    store->fiber->mode = RUNS_FREE;
    store->fiber->base = NULL;
    Error *error = end_apart(a, slots, call->func->result_slots);
    return error == ERROR_PAUSED ? pause_written(call) : error;
}

static Error *run_pausable(PausedCall *call, Activation *a, Slot *slots) {
    Store *store = call->store;
    bool hears = hear_alarms(store);
    store->nesting += 1;
    store->fiber->pauses = true;
    run_apart(a);
    store->fiber->pauses = false;
    store->nesting -= 1;
    if (hears) wr_store_lower(store, POLL_RUNNING);
    return stop_pausable(call, a, slots);
}

static Error *start_pausable(PausedCall *call, Slot *slots) {
    Store *store = call->store;
    if (store->fiber == NULL && (store->fiber = fiber_new(store)) == NULL) return ERROR_OOM;
    Activation a = {.store = store};
    store->fiber->mode = mode_of(store);
    if (!wr_shadow_prepare(store->engine, store->fiber->mode)) return ERROR_OOM;
    wr_frames_add_call(store, call->func, slots);
    Error *error = take_written(&a);
    return error != NULL ? error : run_pausable(call, &a, slots);
}

/* On the call's own fiber; of two that are left over one is kept. */
static Error *resume_paused(PausedCall *call, Slot *slots) {
    Store *store = call->store;
    Fiber *spare = store->fiber;
    Activation a = {.store = store, .base = call->fiber->base};
    store->fiber = call->fiber;
    call->fiber = NULL;
    store->fiber->mode = mode_of(store);
    Error *error = run_pausable(call, &a, slots);
    if (store->fiber == NULL)
        store->fiber = spare;
    else if (spare != NULL)
        fiber_free(store, spare);
    return error;
}

/* A function that is not interpreted. */
static Error *start_elsewhere(PausedCall *call, Slot *slots) {
    Error *error = call_other(call->store, call->func, NULL, slots);
    return error == ERROR_PAUSED ? pause_written(call) : error;
}

static Error *run_call(PausedCall *call, Slot *slots) {
    if (call->fiber != NULL) return resume_paused(call, slots);
    return call->func->home != NULL ? start_pausable(call, slots) : start_elsewhere(call, slots);
}

COLD static Error *call_pausable(PausedCall *call, Slot *slots) {
    Store *store = call->store;
    if (store->native != NULL && !store->native_ops->can_pause(store))
        store->native_ops->detach(store);
    if (!prepare_thread(store)) return ERROR_OOM;
    store->pauses = true;
    Error *error = run_call(call, slots);
    store->pauses = false;
    if (store->kit != NULL && store->fiber != NULL) settle_fiber(store);
    return error;
}

static void backtrace(const PausedCall *call, Error *error) {
    add_backtrace(error, call->fiber->fr, call->fiber->base, true);
}

/* ---- frames ---- */

static void each_frame_of(const Fiber *fiber, FrameVisitor *visit, void *context) {
    const Frame *top = (const Frame *)(const void *)(fiber->map + fiber->size);
    const Activation *a = fiber->activation;
    Slot *end = fiber->operand_end;
    ASSERT(fiber->fr != NULL);
    for (Frame *fr = fiber->fr; fr < top; fr++) {
        if (fr->func->code != NULL) {
            visit(context, fr->func, fr->pc, fr->fp, end);
            end = fr->fp;
        } else if (a != NULL) { /* the exit frame of `a` */
            end = a->below_end;
            a = a->below;
        }
    }
}

static void each_frame(Store *store, FrameVisitor *visit, void *context) {
    if (store->fiber != NULL) each_frame_of(store->fiber, visit, context);
    for (const PausedCall *p = store->paused; p != NULL; p = p->next)
        each_frame_of(p->fiber, visit, context);
}

static bool guard_init(void) { return wr_os_fault_install(on_fault); }

const Executor wr_interpreter = {
    .name = "interp",
    .engine_init = engine_init,
    .engine_free = engine_free,
    .call = call,
    .go_on = go_on,
    .call_pausable = call_pausable,
    .fiber_free = fiber_free,
    .backtrace = backtrace,
    .each_frame = each_frame,
    .reseat = reseat,
    .guard_init = guard_init,
    .alarm = alarm,
    .module_free = wr_shadow_module_free,
    .shadow_stats = wr_shadow_stats,
};
