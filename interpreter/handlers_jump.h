/*
 * handlers_jump.h - control transfer: branches, calls, returns. Part of exec.c and exec_shadow.c, which
 * include it once for each way of transferring control:
 *
 *   neither      byte dispatch counts calls and backward branches: a function that gets warm goes on by ids
 *                (shadow.h). Shadow dispatch just transfers
 *   WR_PLAIN     byte dispatch that just transfers, and looks ahead: not in wide functions
 *   WR_POLLED    counts fuel and looks whether to stop (store.h: metering); byte dispatch counts too. In
 *                tables of metered activations, and while an alarm is on in those of others (interp.c). A
 *                stop happens on arrival, behind a taken branch or at the start of a function, where
 *                all operands are in memory: so it is resumable.
 *
 * Fuel: Store.fuel holds the remaining units plus the address of pc, so that straight-line code costs
 * nothing: a transfer to t adds t - pc - 1 (one unit for itself), and what remains is fuel - pc.
 *
 * Results of a call arrive in state I if they are one slot, else in state E: so it is known behind
 * every call, whoever is called.
 */
#if defined(WR_POLLED)
#define JUMP_HANDLER(id, state) HANDLER_AS(id, state, POLLED)
#define TRANSFER(target) wr_interp_transfer(inst->store, pc, target)
#define ARRIVE()                                                                                   \
    if (UNLIKELY(wr_interp_looks(inst->store, pc))) JUMP(h_LOOK)
#define SIBLING(name) name##_POLLED
#define POLLS 1
#define ONWARD(state) NEXT(state)
#elif defined(WR_PLAIN)
#define JUMP_HANDLER(id, state) HANDLER_AS(id, state, PLAIN)
#define TRANSFER(target) ((void)0)
#define ARRIVE() ((void)0)
#define SIBLING(name) name##_PLAIN
#define POLLS 0
#define ONWARD(state) NEXT_LIKELY(state)
#else
#define JUMP_HANDLER(id, state) HANDLER(id, state)
#define TRANSFER(target) ((void)0)
#define ARRIVE() ((void)0)
#define SIBLING(name) name
#define POLLS 0
#define ONWARD(state) NEXT(state)
#endif

/* The last step of a transfer, in the current frame: at the start of function f; behind a branch by
 * `delta` bytes; behind a call. */
#if defined(WR_SHADOW)
#define GO_ON_ENTERED(f)                                                                           \
    ids = (f)->ids;                                                                                \
    if (UNLIKELY(ids == 0)) JUMP(h_COLD);                                                          \
    NEXT(E)
#define GO_ON_BRANCHED(delta) NEXT(E)
#define GO_ON_RETURNED(state)                                                                      \
    ids = fr->func->ids;                                                                           \
    if (UNLIKELY(ids == 0)) JUMP(h_COLD_RETURN_##state);                                           \
    NEXT(state)
#elif !defined(WR_PLAIN)
#define GO_ON_ENTERED(f)                                                                           \
    if (UNLIKELY((f)->heat++ >= WARM)) JUMP(h_WARM);                                               \
    NEXT(E)
#define GO_ON_BRANCHED(delta)                                                                      \
    if ((delta) < 0 && fr->func->heat++ >= WARM) JUMP(h_WARM);                                     \
    NEXT(E)
#define GO_ON_RETURNED(state)                                                                      \
    if (fr->func->ids != 0) JUMP(h_WARM_RETURN);                                                   \
    NEXT(state)
#else
#define GO_ON_ENTERED(f) ONWARD(E)
#define GO_ON_BRANCHED(delta) ONWARD(E)
#define GO_ON_RETURNED(state) ONWARD(state)
#endif

/* ---- branches ---- */

/* Takes the branch of side entry e. */
#define BRANCH(e)                                                                                  \
    do {                                                                                           \
        stp = (e);                                                                                 \
        if (UNLIKELY(stp->pop)) JUMP(h_JUMP_SLOW);                                                 \
        i32 delta = stp->pc;                                                                       \
        (void)delta;                                                                               \
        TRANSFER(pc + stp->pc);                                                                    \
        pc += stp->pc;                                                                             \
        stp += stp->stp;                                                                           \
        ARRIVE();                                                                                  \
        GO_ON_BRANCHED(delta);                                                                     \
    } while (0)

JUMP_HANDLER(BR, E) { BRANCH(stp); }

JUMP_HANDLER(BR, I) {
    FLUSH_I();
    BRANCH(stp);
}

#if defined(WR_SHADOW) && defined(WR_POLLED)
/* The same for tiles (tile.h): pc is at any branch. */
COLD_HANDLER(h_TAKEN) { BRANCH(stp); }
#endif

JUMP_HANDLER(BR_IF, E) {
    sp -= 1;
    if (sp->u32) BRANCH(stp);
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(BR_IF, I) {
    if ((u32)r0) BRANCH(stp);
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(BR_TABLE, E) {
    READ_INDEX(count, labels);
    (void)labels;
    sp -= 1;
    BRANCH(stp + (sp->u32 < count ? sp->u32 : count));
}

JUMP_HANDLER(BR_TABLE, I) {
    READ_INDEX(count, labels);
    (void)labels;
    BRANCH(stp + ((u32)r0 < count ? (u32)r0 : count));
}

JUMP_HANDLER(BR_ON_NULL, E) {
    if (sp[-1].ref == 0) {
        sp -= 1;
        BRANCH(stp);
    }
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(BR_ON_NON_NULL, E) {
    if (sp[-1].ref != 0) BRANCH(stp);
    sp -= 1;
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(IF, E) {
    sp -= 1;
    if (sp->u32 == 0) BRANCH(stp);
    AFTER_BLOCK_TYPE(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(IF, I) {
    if ((u32)r0 == 0) BRANCH(stp);
    AFTER_BLOCK_TYPE(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

/* Reached by falling out of the first arm. */
JUMP_HANDLER(ELSE, E) { BRANCH(stp); }

JUMP_HANDLER(ELSE, I) {
    FLUSH_I();
    BRANCH(stp);
}

/* ---- returns ---- */

/* Goes back to the calling frame: results are at the callee's fp, or the one of them in r0 (I). */
#define LEAVE_FRAME(state)                                                                         \
    do {                                                                                           \
        const Home *home = fr->func->home;                                                         \
        fr += 1;                                                                                   \
        TRANSFER(fr->pc);                                                                          \
        if (UNLIKELY(fr->func->home != home)) JUMP(h_RETURN_SLOW_##state);                         \
        pc = fr->pc;                                                                               \
        stp = fr->stp;                                                                             \
        fp = fr->fp;                                                                               \
        GO_ON_RETURNED(state);                                                                     \
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

/* Returns with the topmost operand in r0, of which the function may return less. */
#define RETURN_CACHED()                                                                            \
    do {                                                                                           \
        if (LIKELY(fr->func->result_slots == 1)) {                                                 \
            sp = fp;                                                                               \
            LEAVE_FRAME(I);                                                                        \
        }                                                                                          \
        if (fr->func->result_slots == 0) {                                                         \
            sp = fp;                                                                               \
            LEAVE_FRAME(E);                                                                        \
        }                                                                                          \
        FLUSH_I();                                                                                 \
        RETURN_FROM_MEMORY();                                                                      \
    } while (0)

#define MOVE_F_TO_I() r0 = bits_of_f64(v128_f64(v0))

JUMP_HANDLER(RETURN, E) { RETURN_FROM_MEMORY(); }

JUMP_HANDLER(RETURN, I) { RETURN_CACHED(); }

JUMP_HANDLER(RETURN, F) {
    MOVE_F_TO_I();
    RETURN_CACHED();
}

#if defined(WR_SHADOW)
/* ---- what is told apart when ids are chosen: ends, results, branches to the end of the function ---- */

JUMP_HANDLER(RETURN_NONE, E) {
    sp = fp;
    LEAVE_FRAME(E);
}

JUMP_HANDLER(RETURN_ONE, E) {
    r0 = sp[-1].u64;
    sp = fp;
    LEAVE_FRAME(I);
}

JUMP_HANDLER(RETURN_ONE, I) {
    sp = fp;
    LEAVE_FRAME(I);
}

JUMP_HANDLER(RETURN_ONE, F) {
    MOVE_F_TO_I();
    sp = fp;
    LEAVE_FRAME(I);
}

/* The branch counts, although what it leads to is done here too. */
#define RETURN_FROM_EXIT()                                                                         \
    do {                                                                                           \
        TRANSFER(fr->func->end - 1);                                                               \
        if (POLLS) pc = fr->func->end - 1;                                                         \
        JUMP(SIBLING(h_RETURN_E));                                                                 \
    } while (0)

#if POLLS
JUMP_HANDLER(BR_EXIT, E) { RETURN_FROM_EXIT(); }
JUMP_HANDLER(BR_EXIT, I) {
    FLUSH_I();
    RETURN_FROM_EXIT();
}
JUMP_HANDLER(BR_EXIT, F) {
    FLUSH_F();
    RETURN_FROM_EXIT();
}
#else
JUMP_HANDLER(BR_EXIT, E) { RETURN_FROM_MEMORY(); }
JUMP_HANDLER(BR_EXIT, I) { RETURN_CACHED(); }
JUMP_HANDLER(BR_EXIT, F) {
    MOVE_F_TO_I();
    RETURN_CACHED();
}
#endif

JUMP_HANDLER(BR_IF_EXIT, E) {
    sp -= 1;
    if (sp->u32) RETURN_FROM_EXIT();
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(BR_IF_EXIT, I) {
    if ((u32)r0) RETURN_FROM_EXIT();
    AFTER_INDEX(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(IF_EXIT, E) {
    sp -= 1;
    if (sp->u32 == 0) RETURN_FROM_EXIT();
    AFTER_BLOCK_TYPE(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(IF_EXIT, I) {
    if ((u32)r0 == 0) RETURN_FROM_EXIT();
    AFTER_BLOCK_TYPE(next);
    pc = next;
    stp += 1;
    ONWARD(E);
}

JUMP_HANDLER(BR_TABLE_EXIT, E) {
    READ_INDEX(count, labels);
    (void)labels;
    sp -= 1;
    stp += sp->u32 < count ? sp->u32 : count;
    Jump jump = wr_interp_jump(fr->func, pc, stp, sp);
    TRANSFER(jump.pc);
    pc = jump.pc;
    stp = jump.stp;
    sp = jump.sp;
    if (pc + 1 == fr->func->end) JUMP(SIBLING(h_RETURN_E));
    ARRIVE();
    ONWARD(E);
}
#else

#define AT_FUNCTION_END() (pc + 1 == fr->func->end)

JUMP_HANDLER(END, E) {
    if (AT_FUNCTION_END()) RETURN_FROM_MEMORY();
    pc += 1;
    ONWARD(E);
}

JUMP_HANDLER(END, I) {
    if (AT_FUNCTION_END()) RETURN_CACHED();
    FLUSH_I();
    pc += 1;
    ONWARD(E);
}

JUMP_HANDLER(END, F) {
    if (AT_FUNCTION_END()) {
        MOVE_F_TO_I();
        RETURN_CACHED();
    }
    FLUSH_F();
    pc += 1;
    ONWARD(E);
}
#endif

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
        ARRIVE();                                                                                  \
        GO_ON_ENTERED(f);                                                                          \
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
        ARRIVE();                                                                                  \
        GO_ON_ENTERED(f);                                                                          \
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

JUMP_HANDLER(CALL, E) {
    READ_CALLEE(index, next);
    Func *f = inst->funcs[index];
    CALL_FUNC(f, next, stp);
}

JUMP_HANDLER(CALL, I) {
    FLUSH_I();
    READ_CALLEE(index, next);
    Func *f = inst->funcs[index];
    CALL_FUNC(f, next, stp);
}

JUMP_HANDLER(CALL_LONG, E) {
    READ_INDEX(index, next);
    Func *f = inst->funcs[index];
    CALL_FUNC(f, next, stp);
}

JUMP_HANDLER(RETURN_CALL, E) {
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
    FIND_IN_TABLE(f, operand, type_index, table_index)
#define FIND_IN_TABLE(f, operand, type_index, table_index)                                         \
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

JUMP_HANDLER(CALL_INDIRECT, E) {
    FIND_INDIRECT(f, sp[-1].u64);
    sp -= 1;
    CALL_FUNC(f, next, stp);
}

JUMP_HANDLER(CALL_INDIRECT, I) {
    FIND_INDIRECT(f, r0);
    CALL_FUNC(f, next, stp);
}

#if defined(WR_SHADOW)
#define DEFINE_CALL_5()                                                                            \
    Func *f = inst->funcs[read_leb5(pc + 1)];                                                      \
    CALL_FUNC(f, pc + 6, stp)
JUMP_HANDLER(CALL_5, E) { DEFINE_CALL_5(); }
JUMP_HANDLER(CALL_5, I) {
    FLUSH_I();
    DEFINE_CALL_5();
}

JUMP_HANDLER(CALL_INDIRECT_5, E) {
    FIND_IN_TABLE(f, sp[-1].u64, read_leb5(pc + 1), read_leb5(pc + 6));
    sp -= 1;
    CALL_FUNC(f, pc + 11, stp);
}
JUMP_HANDLER(CALL_INDIRECT_5, I) {
    FIND_IN_TABLE(f, r0, read_leb5(pc + 1), read_leb5(pc + 6));
    CALL_FUNC(f, pc + 11, stp);
}
#endif

JUMP_HANDLER(RETURN_CALL_INDIRECT, E) {
    FIND_INDIRECT(f, sp[-1].u64);
    (void)next;
    sp -= 1;
    TAIL_CALL_FUNC(f);
}

JUMP_HANDLER(CALL_REF, E) {
    AFTER_INDEX(next);
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_FUNCTION_REFERENCE);
    sp -= 1;
    Func *f = inst->store->funcs[sp->u32];
    CALL_FUNC(f, next, stp);
}

JUMP_HANDLER(RETURN_CALL_REF, E) {
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_FUNCTION_REFERENCE);
    sp -= 1;
    Func *f = inst->store->funcs[sp->u32];
    TAIL_CALL_FUNC(f);
}

#undef JUMP_HANDLER
#undef TRANSFER
#undef ARRIVE
#undef SIBLING
#undef POLLS
#undef ONWARD
#undef GO_ON_ENTERED
#undef GO_ON_BRANCHED
#undef GO_ON_RETURNED
#undef READ_CALLEE
#undef BRANCH
#undef LEAVE_FRAME
#undef RETURN_FROM_MEMORY
#undef RETURN_CACHED
#undef MOVE_F_TO_I
#undef RETURN_FROM_EXIT
#undef AT_FUNCTION_END
#undef CALL_FUNC
#undef TAIL_CALL_FUNC
#undef FIND_INDIRECT
#undef FIND_IN_TABLE
#undef DEFINE_CALL_5
