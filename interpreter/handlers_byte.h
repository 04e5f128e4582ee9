/*
 * handlers_byte.h - what only byte dispatch has: flushes, blocks that are looked past, prefixes, the way back to C,
 * the way on to ids.
 * Part of exec.c.
 */

COLD_HANDLER(h_INVALID_E) {
    ASSERT(false && "validated code holds no invalid opcode");
    TRAP(WR_TRAP_UNREACHABLE);
}

COLD_HANDLER(h_FLUSH_I) {
    FLUSH_I();
    NEXT(E);
}
COLD_HANDLER(h_FLUSH_F) {
    FLUSH_F();
    NEXT(E);
}
COLD_HANDLER(h_FLUSH_V) {
    FLUSH_V();
    NEXT(E);
}
/* Below the topmost operand, which stays in r0. */
COLD_HANDLER(h_FLUSH_J) {
    sp->u64 = r1;
    sp += 1;
    NEXT(I);
}

/* Blocks without parameters or results; runs of them, as before a br_table, are passed in one step. */
HANDLER_AS(BLOCK, E, AHEAD) {
    if (UNLIKELY(pc[1] != 0x40)) JUMP(h_BLOCK_E);
    do pc += 2;
    while (pc[0] == 0x02 && pc[1] == 0x40);
    NEXT_LIKELY(E);
}
HANDLER_AS(LOOP, E, AHEAD) {
    if (UNLIKELY(pc[1] != 0x40)) JUMP(h_LOOP_E);
    pc += 2;
    NEXT_LIKELY(E);
}

HANDLER(EXIT, E) { RETURN_TO_C(); }

/* Before every instruction of traced activations (wr_exec_trace()). */
COLD_HANDLER(h_TRACE) {
    wr_interp_trace(inst, fr, pc, sp);
    NEXT_AT(TABLE_SIZE + *pc);
}

/* ---- from bytes to ids ---- */

/* The current function is warm, pc is where it starts or a branch leads: all operands are in memory. */
COLD_HANDLER(h_WARM) {
    ids = wr_shadow_ids(inst->store, fr->func);
    if (UNLIKELY(ids == 0)) NEXT(E);
    disp = wr_shadow_table(inst->store);
    NEXT_ID();
}

/* Behind a call, the caller has ids; results are where they belong. */
COLD_HANDLER(h_WARM_RETURN) {
    ids = fr->func->ids;
    disp = wr_shadow_table(inst->store);
    NEXT_ID();
}

/* ---- prefixes: one more dispatch, by the code after the prefix; pc then stands on its last byte ---- */

#define READ_PREFIXED(code)                                                                        \
    pc += 1;                                                                                       \
    u32 code = pc[0];                                                                              \
    if (UNLIKELY(code & 0x80)) {                                                                   \
        const u8 *after = pc + 1;                                                                  \
        code = read_leb_rest(code, &after);                                                        \
        pc = after - 1;                                                                            \
    }

/* A flush handler dispatches the byte at pc again, which would not do here: flush and choose at once. */
#define DEFINE_PREFIX(prefix, state)                                                               \
    READ_PREFIXED(code);                                                                           \
    if (HANDLER_AT(STATE_##state + DISPATCH_##prefix + code) == ENTRY_OF(h_FLUSH_##state)) {       \
        FLUSH_##state();                                                                           \
        NEXT_AT(STATE_E + DISPATCH_##prefix + code);                                               \
    }                                                                                              \
    NEXT_AT(STATE_##state + DISPATCH_##prefix + code)
#define DEFINE_PREFIX_E(prefix)                                                                    \
    READ_PREFIXED(code);                                                                           \
    NEXT_AT(STATE_E + DISPATCH_##prefix + code)

HANDLER(PREFIX_FB, E) { DEFINE_PREFIX_E(FB); }
HANDLER(PREFIX_FB, I) { DEFINE_PREFIX(FB, I); }
HANDLER(PREFIX_FB, F) { DEFINE_PREFIX(FB, F); }
HANDLER(PREFIX_FB, V) { DEFINE_PREFIX(FB, V); }
HANDLER(PREFIX_FC, E) { DEFINE_PREFIX_E(FC); }
HANDLER(PREFIX_FC, I) { DEFINE_PREFIX(FC, I); }
HANDLER(PREFIX_FC, F) { DEFINE_PREFIX(FC, F); }
HANDLER(PREFIX_FD, E) { DEFINE_PREFIX_E(FD); }
HANDLER(PREFIX_FD, I) { DEFINE_PREFIX(FD, I); }
HANDLER(PREFIX_FD, F) { DEFINE_PREFIX(FD, F); }
HANDLER(PREFIX_FD, V) { DEFINE_PREFIX(FD, V); }
HANDLER(PREFIX_FE, E) { DEFINE_PREFIX_E(FE); }
