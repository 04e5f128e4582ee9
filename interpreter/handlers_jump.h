/*
 * handlers_jump.h - control transfer: branches, calls, returns. Part of exec.c, which includes it twice:
 * plain, and with WR_POLLED defined, where calls and branches also count fuel and look whether
 * they must stop (store.h: metering). A stop happens before the instruction, so it is resumable.
 *
 * Fuel: Store.fuel holds the remaining units plus the address of pc, so that straight-line code costs
 * nothing: a transfer to t adds t - pc - 1 (one unit for itself), and what remains is fuel - pc.
 */
#ifdef WR_POLLED
#define POLLED_HANDLER(id, state) HANDLER_AS(id, state, POLLED)
#define POLL(state)                                                                                \
    do {                                                                                           \
        if (UNLIKELY(wr_interp_poll(inst->store, pc))) {                                           \
            FLUSH_##state();                                                                       \
            JUMP(h_STOP);                                                                          \
        }                                                                                          \
    } while (0)
#define TRANSFER(target) wr_interp_transfer(inst->store, pc, target)
#define SIBLING(name) name##_POLLED
#else
#define POLLED_HANDLER(id, state) HANDLER(id, state)
#define POLL(state) ((void)0)
#define TRANSFER(target) ((void)0)
#define SIBLING(name) name
#endif

/* ---- branches ---- */

/* Takes the branch of side entry e. */
#define BRANCH(e)                                                                                  \
    do {                                                                                           \
        stp = (e);                                                                                 \
        if (UNLIKELY(stp->pop)) JUMP(h_JUMP_SLOW);                                                 \
        TRANSFER(pc + stp->pc);                                                                    \
        pc += stp->pc;                                                                             \
        stp += stp->stp;                                                                           \
        NEXT(E);                                                                                   \
    } while (0)

POLLED_HANDLER(BR, E) {
    POLL(E);
    BRANCH(stp);
}

POLLED_HANDLER(BR, I) {
    POLL(I);
    FLUSH_I();
    BRANCH(stp);
}

POLLED_HANDLER(BR_IF, E) {
    POLL(E);
    sp -= 1;
    if (sp->u32) BRANCH(stp);
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    NEXT(E);
}

POLLED_HANDLER(BR_IF, I) {
    POLL(I);
    if ((u32)r0) BRANCH(stp);
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    NEXT(E);
}

POLLED_HANDLER(BR_TABLE, E) {
    POLL(E);
    READ_INDEX(count, labels);
    (void)labels;
    sp -= 1;
    BRANCH(stp + (sp->u32 < count ? sp->u32 : count));
}

POLLED_HANDLER(BR_TABLE, I) {
    POLL(I);
    READ_INDEX(count, labels);
    (void)labels;
    BRANCH(stp + ((u32)r0 < count ? (u32)r0 : count));
}

POLLED_HANDLER(BR_ON_NULL, E) {
    POLL(E);
    if (sp[-1].ref == 0) {
        sp -= 1;
        BRANCH(stp);
    }
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    NEXT(E);
}

POLLED_HANDLER(BR_ON_NON_NULL, E) {
    POLL(E);
    if (sp[-1].ref != 0) BRANCH(stp);
    sp -= 1;
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    NEXT(E);
}

POLLED_HANDLER(IF, E) {
    sp -= 1;
    if (sp->u32 == 0) BRANCH(stp);
    AFTER_BLOCK_TYPE(next);
    pc = next;
    stp += 1;
    NEXT(E);
}

POLLED_HANDLER(IF, I) {
    if ((u32)r0 == 0) BRANCH(stp);
    AFTER_BLOCK_TYPE(next);
    pc = next;
    stp += 1;
    NEXT(E);
}

/* Reached by falling out of the first arm. */
POLLED_HANDLER(ELSE, E) { BRANCH(stp); }

POLLED_HANDLER(ELSE, I) {
    FLUSH_I();
    BRANCH(stp);
}

/* ---- returns ---- */

/* Goes back to the calling frame: results are at the callee's fp, one perhaps cached (`state`). */
#define LEAVE_FRAME(state)                                                                         \
    do {                                                                                           \
        const Home *home = fr->func->home;                                                         \
        fr += 1;                                                                                   \
        TRANSFER(fr->pc);                                                                          \
        if (UNLIKELY(fr->func->home != home)) {                                                    \
            FLUSH_##state();                                                                       \
            JUMP(h_RETURN_SLOW);                                                                   \
        }                                                                                          \
        pc = fr->pc;                                                                               \
        stp = fr->stp;                                                                             \
        fp = fr->fp;                                                                               \
        NEXT(state);                                                                               \
    } while (0)

/* Returns with the results in memory on top of the stack. */
#define RETURN_FROM_MEMORY()                                                                       \
    do {                                                                                           \
        u32 n = fr->func->result_slots;                                                            \
        if (n == 1) {                                                                              \
            r0 = sp[-1].u64;                                                                       \
            sp = fp;                                                                               \
            LEAVE_FRAME(I);                                                                        \
        }                                                                                          \
        move_down(fp, sp - n, n);                                                                  \
        sp = fp + n;                                                                               \
        LEAVE_FRAME(E);                                                                            \
    } while (0)

/* Returns with the topmost result in a register that holds `slots` slots. */
#define RETURN_CACHED(state, slots)                                                                \
    do {                                                                                           \
        if (LIKELY(fr->func->result_slots == (slots))) {                                           \
            sp = fp;                                                                               \
            LEAVE_FRAME(state);                                                                    \
        }                                                                                          \
        FLUSH_##state();                                                                           \
        RETURN_FROM_MEMORY();                                                                      \
    } while (0)

#define AT_FUNCTION_END() (pc + 1 == fr->func->end)

POLLED_HANDLER(END, E) {
    if (AT_FUNCTION_END()) RETURN_FROM_MEMORY();
    pc += 1;
    NEXT(E);
}

POLLED_HANDLER(END, I) {
    if (AT_FUNCTION_END()) RETURN_CACHED(I, 1);
    FLUSH_I();
    pc += 1;
    NEXT(E);
}

POLLED_HANDLER(END, F) {
    if (AT_FUNCTION_END()) RETURN_CACHED(F, 1);
    FLUSH_F();
    pc += 1;
    NEXT(E);
}

POLLED_HANDLER(END, V) {
    if (AT_FUNCTION_END()) RETURN_CACHED(V, 2);
    FLUSH_V();
    pc += 1;
    NEXT(E);
}

POLLED_HANDLER(RETURN, E) { RETURN_FROM_MEMORY(); }

POLLED_HANDLER(RETURN, I) {
    if (fr->func->result_slots == 0) {
        sp = fp;
        LEAVE_FRAME(E);
    }
    RETURN_CACHED(I, 1);
}

POLLED_HANDLER(RETURN, F) {
    if (fr->func->result_slots == 0) {
        sp = fp;
        LEAVE_FRAME(E);
    }
    RETURN_CACHED(F, 1);
}

/* ---- calls ---- */

/* Calls f; its arguments are on the stack, the code goes on at `next`, with side entry `entry`. */
#define CALL_FUNC(f, next, entry)                                                                  \
    do {                                                                                           \
        if (UNLIKELY(!CODE_ROOM(f))) TRAP(WR_TRAP_STACK_EXHAUSTED);                                \
        fr->pc = (next);                                                                           \
        fr->stp = (entry);                                                                         \
        if (UNLIKELY((f)->home != fr->func->home)) {                                               \
            r0 = (u64)(uintptr_t)(f);                                                              \
            JUMP(h_CALL_SLOW);                                                                     \
        }                                                                                          \
        TRANSFER((f)->start);                                                                      \
        ENTER(f);                                                                                  \
        NEXT(E);                                                                                   \
    } while (0)

/* The same in place of the current frame. */
#define TAIL_CALL_FUNC(f)                                                                          \
    do {                                                                                           \
        if (UNLIKELY(!CODE_ROOM(f))) TRAP(WR_TRAP_STACK_EXHAUSTED);                                \
        if (UNLIKELY((f)->home != fr->func->home)) {                                               \
            r0 = (u64)(uintptr_t)(f);                                                              \
            JUMP(h_TAIL_SLOW);                                                                     \
        }                                                                                          \
        TRANSFER((f)->start);                                                                      \
        move_down(fp, sp - (f)->param_slots, (f)->param_slots);                                    \
        sp = fp + (f)->param_slots;                                                                \
        fr += 1;                                                                                   \
        ENTER(f);                                                                                  \
        NEXT(E);                                                                                   \
    } while (0)

/* A function index of one or two bytes; longer ones go the long way, in state E. */
#define READ_CALLEE(index, next)                                                                   \
    u32 index = pc[1];                                                                             \
    const u8 *next = pc + 2;                                                                       \
    if (index & 0x80) {                                                                            \
        if (UNLIKELY(pc[2] & 0x80)) JUMP(SIBLING(h_CALL_LONG_E));                                  \
        index = (index & 0x7F) | (u32)pc[2] << 7;                                                  \
        next = pc + 3;                                                                             \
    }

POLLED_HANDLER(CALL, E) {
    POLL(E);
    READ_CALLEE(index, next);
    Func *f = inst->funcs[index];
    CALL_FUNC(f, next, stp);
}

POLLED_HANDLER(CALL, I) {
    POLL(I);
    FLUSH_I();
    READ_CALLEE(index, next);
    Func *f = inst->funcs[index];
    CALL_FUNC(f, next, stp);
}

POLLED_HANDLER(CALL_LONG, E) {
    READ_INDEX(index, next);
    Func *f = inst->funcs[index];
    CALL_FUNC(f, next, stp);
}

POLLED_HANDLER(RETURN_CALL, E) {
    POLL(E);
    READ_INDEX(index, next);
    (void)next;
    Func *f = inst->funcs[index];
    TAIL_CALL_FUNC(f);
}

/* The function that a call_indirect means. `index` is the operand, already masked to the table's
 * address type; jumps to traps. The immediates stand after pc; `next` is declared behind them. */
#define FIND_INDIRECT(f, operand)                                                                  \
    READ_INDEX(type_index, after_type);                                                            \
    const u8 *next = after_type + 1;                                                               \
    u32 table_index = after_type[0];                                                               \
    if (UNLIKELY(table_index & 0x80)) table_index = read_leb_rest(table_index, &next);             \
    Table *table = inst->tables[table_index];                                                      \
    u64 at = table->is_64 ? (operand) : (u32)(operand);                                            \
    if (UNLIKELY(at >= table->size)) TRAP(WR_TRAP_UNDEFINED_ELEMENT);                              \
    u32 handle = table->elems[at];                                                                 \
    if (UNLIKELY(handle == 0)) {                                                                   \
        inst->store->fiber->trap_element = at;                                                     \
        TRAP(WR_TRAP_UNINITIALIZED_ELEMENT);                                                       \
    }                                                                                              \
    Func *f = inst->store->funcs[handle];                                                          \
    const DefType *expected = inst->types[type_index];                                             \
    if (UNLIKELY(f->type != expected) && !def_is_subtype(f->type, expected))                       \
    TRAP(WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH)

POLLED_HANDLER(CALL_INDIRECT, E) {
    POLL(E);
    FIND_INDIRECT(f, sp[-1].u64);
    sp -= 1;
    CALL_FUNC(f, next, stp);
}

POLLED_HANDLER(CALL_INDIRECT, I) {
    POLL(I);
    FIND_INDIRECT(f, r0);
    CALL_FUNC(f, next, stp);
}

POLLED_HANDLER(RETURN_CALL_INDIRECT, E) {
    POLL(E);
    FIND_INDIRECT(f, sp[-1].u64);
    (void)next;
    sp -= 1;
    TAIL_CALL_FUNC(f);
}

POLLED_HANDLER(CALL_REF, E) {
    POLL(E);
    AFTER_INDEX(next);
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_FUNCTION_REFERENCE);
    sp -= 1;
    Func *f = inst->store->funcs[sp->u32];
    CALL_FUNC(f, next, stp);
}

POLLED_HANDLER(RETURN_CALL_REF, E) {
    POLL(E);
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_FUNCTION_REFERENCE);
    sp -= 1;
    Func *f = inst->store->funcs[sp->u32];
    TAIL_CALL_FUNC(f);
}

#undef POLLED_HANDLER
#undef POLL
#undef TRANSFER
#undef SIBLING
#undef READ_CALLEE
#undef BRANCH
#undef LEAVE_FRAME
#undef RETURN_FROM_MEMORY
#undef RETURN_CACHED
#undef AT_FUNCTION_END
#undef CALL_FUNC
#undef TAIL_CALL_FUNC
#undef FIND_INDIRECT
