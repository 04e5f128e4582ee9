/*
 * handlers_shadow.h - what only ids name: the end of a block, which is told from the end of the function when
 * ids are chosen; bytes that are passed over; places without an id of their own. Part of exec_shadow.c.
 */

HANDLER(BLOCK_END, E) {
    pc += 1;
    NEXT(E);
}
HANDLER(BLOCK_END, I) {
    FLUSH_I();
    pc += 1;
    NEXT(E);
}
HANDLER(BLOCK_END, F) {
    FLUSH_F();
    pc += 1;
    NEXT(E);
}
HANDLER(BLOCK_END, V) {
    FLUSH_V();
    pc += 1;
    NEXT(E);
}

/* A run of instructions that do nothing: its length in bytes is where the second byte's id would be. */
HANDLER(PASS, E) {
    pc += *(const u16 *)(ids + 2 * (uintptr_t)(pc + 1));
    NEXT(E);
}

/* A prefix: the instruction's handler is that of its code's last byte. */
HANDLER(SKIP, E) {
    do pc += 1;
    while (UNLIKELY(*pc & 0x80));
    NEXT(E);
}

/* No id: goes on by bytes, until a branch backward, a call or a return. */
HANDLER(TO_BYTES, E) { GO_ON_BY_BYTES(E); }
HANDLER(TO_BYTES, I) {
    FLUSH_I();
    GO_ON_BY_BYTES(E);
}
HANDLER(TO_BYTES, F) {
    FLUSH_F();
    GO_ON_BY_BYTES(E);
}
HANDLER(TO_BYTES, V) {
    FLUSH_V();
    GO_ON_BY_BYTES(E);
}

/* The exit frame's two positions (wr_exit_ids): the result is in r0 at the second. */
HANDLER(LEAVE, E) { RETURN_TO_C(); }
HANDLER(LEAVE, I) {
    FLUSH_I();
    RETURN_TO_C();
}
