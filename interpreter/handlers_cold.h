/*
 * handlers_cold.h - leaving the machine, and the slow ways of branches, calls and returns: values to move, host
 * functions, functions of other instances, functions without ids. Part of exec.c and
 * exec_shadow.c.
 */

/* ---- leaving the machine ---- */

/* r0 = trap code; pc may stand anywhere in the trapping instruction. */
COLD_HANDLER(h_TRAP) {
    Fiber *fiber = inst->store->fiber;
    fr->pc = pc;
    fr->stp = stp;
    fiber->fr = fr;
    fiber->sp = sp;
    fiber->trap = (wr_trap_code_t)r0;
    fiber->outcome = OUTCOME_TRAPPED;
    LEAVE();
}

/* Fuel, deadline or interruption: the instruction at pc has not started. */
COLD_HANDLER(h_STOP) {
    Fiber *fiber = inst->store->fiber;
    fr->pc = pc;
    fr->stp = stp;
    fiber->fr = fr;
    fiber->sp = sp;
    fiber->outcome = OUTCOME_SUSPENDED;
    LEAVE();
}

/* A host function failed: the fiber's outcome is set. Or compiled code did not come back, since the call pauses: then the
 * frames are as they have to be. */
COLD_HANDLER(h_FAILED) {
    Fiber *fiber = inst->store->fiber;
    if (fiber->outcome == OUTCOME_SUSPENDED) LEAVE();
    if (fiber->outcome == OUTCOME_THREW) {
        r0 = fiber->exception;
        JUMP(h_UNWIND);
    }
    fr->pc = pc;
    fr->stp = stp;
    fiber->fr = fr;
    fiber->sp = sp;
    LEAVE();
}

/* The frame below the outermost one: back to C. */
#define RETURN_TO_C()                                                                              \
    do {                                                                                           \
        Fiber *fiber = inst->store->fiber;                                                         \
        fiber->fr = fr;                                                                            \
        fiber->sp = sp;                                                                            \
        fiber->outcome = OUTCOME_RETURNED;                                                         \
        LEAVE();                                                                                   \
    } while (0)

/* ---- cold paths of handlers_jump.h ---- */

#define TRANSFER_IF_METERED(target)                                                                \
    do {                                                                                           \
        if (is_metered(inst->store)) wr_interp_transfer(inst->store, pc, target);                  \
    } while (0)
/* The way back from a call that has paid for both. */
#define PASS_IF_METERED(target)                                                                    \
    do {                                                                                           \
        if (is_metered(inst->store)) wr_interp_pass(inst->store, pc, target);                      \
    } while (0)
/* Nobody looks where a branch has come to the final `end`: the caller will. */
#define ARRIVE_ANY()                                                                               \
    do {                                                                                           \
        if (pc + 1 != fr->func->end && UNLIKELY(wr_interp_poll(inst->store, pc))) JUMP(h_STOP);    \
    } while (0)

#if defined(WR_SHADOW)
/* ---- from ids to bytes ---- */

/* Goes on with the byte at pc: the current function has no ids, or none for this place. */
#define GO_ON_BY_BYTES(state)                                                                      \
    do {                                                                                           \
        disp = wr_interp_table(inst->store, fr->func->home);                                       \
        if (UNLIKELY(disp == NULL)) TRAP(WR_TRAP_ALLOCATION_FAILURE);                              \
        NEXT_BYTE(state);                                                                          \
    } while (0)

/* At the start of a function without ids, which may get some now. */
COLD_HANDLER(h_COLD) {
    Func *f = fr->func;
    if (f->heat++ >= WARM) ids = wr_shadow_ids(inst->store, f);
    if (ids != 0) NEXT(E);
    GO_ON_BY_BYTES(E);
}

COLD_HANDLER(h_COLD_RETURN_E) { GO_ON_BY_BYTES(E); }
COLD_HANDLER(h_COLD_RETURN_I) { GO_ON_BY_BYTES(I); }

#define ENTER_HOME(f)                                                                              \
    do {                                                                                           \
        inst = (f)->home->instance;                                                                \
        mem = inst->mem_base;                                                                      \
    } while (0)
#define GO_ON_ELSEWHERE(state)                                                                     \
    do {                                                                                           \
        ids = fr->func->ids;                                                                       \
        if (ids == 0) JUMP(h_COLD_RETURN_##state);                                                 \
        NEXT(state);                                                                               \
    } while (0)
#define GO_ON_ENTERED_ELSEWHERE()                                                                  \
    do {                                                                                           \
        ids = fr->func->ids;                                                                       \
        if (ids == 0) JUMP(h_COLD);                                                                \
        NEXT(E);                                                                                   \
    } while (0)
#else
/* What code of another home needs. Its table exists if it ran before. */
#define ENTER_HOME(f)                                                                              \
    do {                                                                                           \
        Handler *const *table = wr_interp_table(inst->store, (f)->home);                           \
        if (UNLIKELY(table == NULL)) TRAP(WR_TRAP_ALLOCATION_FAILURE);                             \
        disp = table;                                                                              \
        inst = (f)->home->instance;                                                                \
        mem = inst->mem_base;                                                                      \
    } while (0)
#define GO_ON_ELSEWHERE(state)                                                                     \
    do {                                                                                           \
        if (fr->func->ids != 0) JUMP(h_WARM_RETURN);                                               \
        NEXT(state);                                                                               \
    } while (0)
#define GO_ON_ENTERED_ELSEWHERE()                                                                  \
    do {                                                                                           \
        if (fr->func->heat++ >= WARM) JUMP(h_WARM);                                                \
        NEXT(E);                                                                                   \
    } while (0)
#endif

/* A handler that polls has arrived at pc, behind a branch or at the start of a function. */
COLD_HANDLER(h_LOOK) {
    if (pc + 1 != fr->func->end && wr_interp_must_stop(inst->store, pc)) JUMP(h_STOP);
    if (inst->store->engine->tier != NULL && !is_metered(inst->store)) JUMP(h_TIER);
    JUMP(h_LOOKED);
}

/* Nothing wants the call to stop. */
COLD_HANDLER(h_LOOKED) {
#if defined(WR_SHADOW)
    ids = fr->func->ids;
    if (ids == 0) JUMP(h_COLD);
#endif
    NEXT(E);
}

/* The alarm may be that of who compiles functions meanwhile (TierOps). If there is code for the loop that begins here,
 * that goes on in the frame's place. */
COLD_HANDLER(h_TIER) {
    Fiber *fiber = inst->store->fiber;
    fr->pc = pc;
    fr->stp = stp;
    fiber->fr = fr;
    fiber->sp = fiber->operand_end = sp;
    const void *code = wr_interp_tier(inst->store);
    if (LIKELY(code == NULL)) {
        fiber->fr = NULL;
        JUMP(h_LOOKED);
    }
    Func *f = fr->func;
    fr += 1;
    fiber->fr = fr;
    fiber->sp = fp + f->param_slots + f->frame_slots;
    if (UNLIKELY(!wr_interp_enter_loop(f, code, fp))) {
        pc = fr->pc - 1; /* in the call */
        stp = fr->stp;
        JUMP(h_FAILED);
    }
    fiber->fr = NULL;
    sp = fp + f->result_slots;
    if (f->result_slots != 1) JUMP(h_RETURN_SLOW_E);
    sp -= 1;
    r0 = sp->u64;
    JUMP(h_RETURN_SLOW_I);
}

/* stp: the entry, whose pop is not 0. */
COLD_HANDLER(h_JUMP_SLOW) {
    Jump jump = wr_interp_jump(fr->func, pc, stp, sp);
    TRANSFER_IF_METERED(jump.pc);
    pc = jump.pc;
    stp = jump.stp;
    sp = jump.sp;
    ARRIVE_ANY();
    NEXT(E);
}

/* Before a function with another home is entered: its body may not have been validated so far, and then the room
 * that it takes was not known. */
#define NEED_CODE(f)                                                                               \
    do {                                                                                           \
        if (LIKELY(!(f)->home->lazy)) break;                                                       \
        if (!wr_interp_need_code(inst->store->fiber, f)) JUMP(h_FAILED);                           \
        if (!CODE_ROOM(f)) TRAP(WR_TRAP_STACK_EXHAUSTED);                                          \
    } while (0)

/* r0: the function; there is room for it; fr->pc and stp are set: a host function, or one with another
 * home. */
COLD_HANDLER(h_CALL_SLOW) {
    Func *f = wr_interp_callee(inst->store, (Func *)(uintptr_t)r0);
    if (f->home == NULL) {
        Slot *slots = sp - f->param_slots;
        inst->store->fiber->sp = sp + f->frame_slots;
        inst->store->fiber->fr = fr;
        TRANSFER_IF_METERED(pc);
        if (UNLIKELY(!wr_interp_call_host(inst, pc, f, slots))) JUMP(h_FAILED);
        inst->store->fiber->fr = NULL;
        PASS_IF_METERED(fr->pc);
        sp = slots + f->result_slots;
        mem = inst->mem_base;
        pc = fr->pc;
        stp = fr->stp;
        if (f->result_slots != 1) NEXT(E);
        sp -= 1;
        r0 = sp->u64;
        NEXT(I);
    }
    NEED_CODE(f);
    TRANSFER_IF_METERED(f->start);
    ENTER_HOME(f);
    ENTER(f);
    ARRIVE_ANY();
    GO_ON_ENTERED_ELSEWHERE();
}

/* r0: the function, which takes the place of the current frame. */
COLD_HANDLER(h_TAIL_SLOW) {
    Func *f = wr_interp_callee(inst->store, (Func *)(uintptr_t)r0);
    if (f->home == NULL) {
        Slot *slots = sp - f->param_slots;
        inst->store->fiber->sp = sp + f->frame_slots;
        inst->store->fiber->fr = fr;
        fr->pc = pc;
        TRANSFER_IF_METERED(pc);
        if (UNLIKELY(!wr_interp_call_host(inst, pc, f, slots))) JUMP(h_FAILED_TAIL);
        inst->store->fiber->fr = NULL;
        move_down(fp, slots, f->result_slots);
        sp = fp + f->result_slots;
        fr += 1;
        PASS_IF_METERED(fr->pc);
        if (f->result_slots != 1) JUMP(h_RETURN_SLOW_E);
        sp -= 1;
        r0 = sp->u64;
        JUMP(h_RETURN_SLOW_I);
    }
    NEED_CODE(f);
    TRANSFER_IF_METERED(f->start);
    ENTER_HOME(f);
    move_down(fp, sp - f->param_slots, f->param_slots);
    sp = fp + f->param_slots;
    fr += 1;
    ENTER(f);
    ARRIVE_ANY();
    GO_ON_ENTERED_ELSEWHERE();
}

/* fr: the frame to go on with, which may have another home. */
#define DEFINE_RETURN_SLOW(state)                                                                  \
    ENTER_HOME(fr->func);                                                                          \
    pc = fr->pc;                                                                                   \
    stp = fr->stp;                                                                                 \
    fp = fr->fp;                                                                                   \
    GO_ON_ELSEWHERE(state)
COLD_HANDLER(h_RETURN_SLOW_E) { DEFINE_RETURN_SLOW(E); }
COLD_HANDLER(h_RETURN_SLOW_I) { DEFINE_RETURN_SLOW(I); }
