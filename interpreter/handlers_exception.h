/*
 * handlers_exception.h - throwing, catching, and the blocks that catch; the legacy forms too. Part
 * of exec.c. The search is unwind.c's.
 */

/* ---- unwinding: cold ---- */

/* Goes on where the exception in r0 is caught, thrown at `position` (wr_interp_unwind()). */
#define LAND(position)                                                                             \
    do {                                                                                           \
        Fiber *fiber = inst->store->fiber;                                                         \
        Landing landing = wr_interp_unwind(inst->store, fr, position, (u32)r0);                    \
        if (landing.fr == NULL) {                                                                  \
            fr->pc = pc;                                                                           \
            fr->stp = stp;                                                                         \
            fiber->fr = fr;                                                                        \
            fiber->sp = sp;                                                                        \
            fiber->exception = (u32)r0;                                                            \
            fiber->outcome = OUTCOME_THREW;                                                        \
            LEAVE();                                                                               \
        }                                                                                          \
        fiber->fr = NULL;                                                                          \
        if (fiber->error != NULL) wr_interp_caught(fiber);                                         \
        TRANSFER_IF_METERED(landing.pc);                                                           \
        fr = landing.fr;                                                                           \
        pc = landing.pc;                                                                           \
        stp = landing.stp;                                                                         \
        sp = landing.sp;                                                                           \
        fp = fr->fp;                                                                               \
        const Home *home = fr->func->home;                                                         \
        disp = wr_interp_table(home->instance->store, home);                                       \
        inst = home->instance;                                                                     \
        mem = inst->mem_base;                                                                      \
        ARRIVE_ANY();                                                                              \
        NEXT_BYTE(E);                                                                              \
    } while (0)

COLD_HANDLER(h_UNWIND) { LAND(pc); }

/* A host function failed that took the place of the current frame. */
COLD_HANDLER(h_FAILED_TAIL) {
    if (inst->store->fiber->outcome != OUTCOME_THREW) JUMP(h_FAILED);
    r0 = inst->store->fiber->exception;
    LAND(NULL);
}

/* ---- throwing ---- */

HANDLER(THROW, E) {
    READ_INDEX(index, next);
    (void)next;
    const Tag *tag = inst->tags[index];
    BEGIN_ALLOCATION(pc);
    r0 = wr_exception_new(inst->store, tag, sp - tag->type->param_slots);
    END_ALLOCATION();
    JUMP(h_UNWIND);
}

HANDLER(THROW_REF, E) {
    r0 = sp[-1].ref;
    if (UNLIKELY(r0 == 0)) TRAP(WR_TRAP_NULL_EXCEPTION_REFERENCE);
    JUMP(h_UNWIND);
}

/* The side entry is no branch: it names the slot where the catch clause found the exception. */
HANDLER(RETHROW, E) {
    r0 = fp[stp->pc].ref;
    JUMP(h_UNWIND);
}

/* ---- blocks ---- */

#define SKIP_LEB(p)                                                                                \
    while (UNLIKELY(*(p)++ & 0x80)) continue

/* Passes by the clauses, each of which has a side entry: kind (bit 1: no tag), tag, label. */
#define DEFINE_TRY_TABLE(state)                                                                    \
    AFTER_BLOCK_TYPE(p);                                                                           \
    u32 count = *p++;                                                                              \
    if (UNLIKELY(count & 0x80)) count = read_leb_rest(count, &p);                                  \
    for (u32 i = 0; i < count; i++) {                                                              \
        if (!(*p++ & 2)) SKIP_LEB(p);                                                              \
        SKIP_LEB(p);                                                                               \
    }                                                                                              \
    pc = p;                                                                                        \
    stp += count;                                                                                  \
    NEXT(state)
HANDLER(TRY_TABLE, E) { DEFINE_TRY_TABLE(E); }
HANDLER(TRY_TABLE, I) { DEFINE_TRY_TABLE(I); }

#define DEFINE_TRY(state)                                                                          \
    AFTER_BLOCK_TYPE(next);                                                                        \
    pc = next;                                                                                     \
    NEXT(state)
HANDLER(TRY, E) { DEFINE_TRY(E); }
HANDLER(TRY, I) { DEFINE_TRY(I); }

/* Reached by falling through: to behind the `end`. Such a branch never moves operands. */
#define DEFINE_CATCH()                                                                             \
    TRANSFER_IF_METERED(pc + stp->pc);                                                             \
    pc += stp->pc;                                                                                 \
    stp += stp->stp;                                                                               \
    NEXT(E)
HANDLER(CATCH, E) {
    if (UNLIKELY(stp->pop != 0)) JUMP(h_JUMP_SLOW);
    DEFINE_CATCH();
}
HANDLER(CATCH_ALL, E) {
    if (UNLIKELY(stp->pop != 0)) JUMP(h_JUMP_SLOW);
    DEFINE_CATCH();
}

/* Likewise: it is an `end`. */
HANDLER(DELEGATE, E) {
    AFTER_INDEX(next);
    pc = next;
    NEXT(E);
}
HANDLER(DELEGATE, I) {
    FLUSH_I();
    AFTER_INDEX(next);
    pc = next;
    NEXT(E);
}
