/*
 * handlers_memory.h - sizes, growth, bulk operations on memories and tables, table access. Part of
 * exec.c. Bounds are checked by the operations of store.h; bulk work pays fuel by its length.
 */

/* Two LEB128 indices after the opcode. */
#define READ_TWO(first, second, next)                                                              \
    READ_INDEX(first, next);                                                                       \
    u32 second = *next++;                                                                          \
    if (UNLIKELY(second & 0x80)) second = read_leb_rest(second, &next)

/* An operand of a memory's or table's address type. */
#define ADDRESS(object, slot) ((object)->is_64 ? (slot).u64 : (slot).u32)

#define PAY(amount)                                                                                \
    do {                                                                                           \
        if (UNLIKELY(is_metered(inst->store))) wr_interp_pay(inst->store, amount);                 \
    } while (0)

#define TRY_BULK(operation)                                                                        \
    do {                                                                                           \
        wr_trap_code_t trap = operation;                                                           \
        if (UNLIKELY(trap != WR_TRAP_NONE)) TRAP(trap);                                            \
    } while (0)

/* ---- memories ---- */

HANDLER(MEMORY_SIZE, E) {
    READ_INDEX(index, next);
    r0 = memory_pages(inst->memories[index]);
    pc = next;
    NEXT(I);
}

HANDLER(MEMORY_GROW, E) {
    READ_INDEX(index, next);
    Memory *memory = inst->memories[index];
    u64 old = wr_memory_grow(memory, ADDRESS(memory, sp[-1]));
    r0 = memory->is_64 ? old : (u32)old;
    mem = inst->mem_base;
    sp -= 1;
    pc = next;
    NEXT(I);
}

HANDLER(MEMORY_FILL, E) {
    READ_INDEX(index, next);
    Memory *memory = inst->memories[index];
    u64 n = ADDRESS(memory, sp[-1]);
    PAY(n);
    TRY_BULK(wr_memory_fill(memory, ADDRESS(memory, sp[-3]), (u8)sp[-2].u32, n));
    sp -= 3;
    pc = next;
    NEXT(E);
}

HANDLER(MEMORY_COPY, E) {
    READ_TWO(to, from, next);
    Memory *dst = inst->memories[to], *src = inst->memories[from];
    u64 n = dst->is_64 && src->is_64 ? sp[-1].u64 : sp[-1].u32;
    PAY(n);
    TRY_BULK(wr_memory_copy(dst, src, ADDRESS(dst, sp[-3]), ADDRESS(src, sp[-2]), n));
    sp -= 3;
    pc = next;
    NEXT(E);
}

HANDLER(MEMORY_INIT, E) {
    READ_TWO(data, index, next);
    PAY(sp[-1].u32);
    TRY_BULK(wr_memory_init(inst, index, data, ADDRESS(inst->memories[index], sp[-3]), sp[-2].u32,
                            sp[-1].u32));
    sp -= 3;
    pc = next;
    NEXT(E);
}

HANDLER(DATA_DROP, E) {
    READ_INDEX(index, next);
    wr_data_drop(inst, index);
    pc = next;
    NEXT(E);
}

/* ---- tables ---- */

HANDLER(TABLE_GET, E) {
    READ_INDEX(index, next);
    const Table *table = inst->tables[index];
    u64 at = ADDRESS(table, sp[-1]);
    if (UNLIKELY(at >= table->size)) TRAP(WR_TRAP_TABLE_OUT_OF_BOUNDS);
    r0 = table->elems[at];
    sp -= 1;
    pc = next;
    NEXT(I);
}

HANDLER(TABLE_SET, E) {
    READ_INDEX(index, next);
    Table *table = inst->tables[index];
    u64 at = ADDRESS(table, sp[-2]);
    if (UNLIKELY(at >= table->size)) TRAP(WR_TRAP_TABLE_OUT_OF_BOUNDS);
    table->elems[at] = sp[-1].u32;
    sp -= 2;
    pc = next;
    NEXT(E);
}

HANDLER(TABLE_SIZE, E) {
    READ_INDEX(index, next);
    r0 = inst->tables[index]->size;
    pc = next;
    NEXT(I);
}

HANDLER(TABLE_GROW, E) {
    READ_INDEX(index, next);
    Table *table = inst->tables[index];
    u64 old = wr_table_grow(table, ADDRESS(table, sp[-1]), sp[-2].u32);
    r0 = table->is_64 ? old : (u32)old;
    sp -= 2;
    pc = next;
    NEXT(I);
}

HANDLER(TABLE_FILL, E) {
    READ_INDEX(index, next);
    Table *table = inst->tables[index];
    u64 n = ADDRESS(table, sp[-1]);
    PAY(n);
    TRY_BULK(wr_table_fill(table, ADDRESS(table, sp[-3]), sp[-2].u32, n));
    sp -= 3;
    pc = next;
    NEXT(E);
}

HANDLER(TABLE_COPY, E) {
    READ_TWO(to, from, next);
    Table *dst = inst->tables[to], *src = inst->tables[from];
    u64 n = dst->is_64 && src->is_64 ? sp[-1].u64 : sp[-1].u32;
    PAY(n);
    TRY_BULK(wr_table_copy(dst, src, ADDRESS(dst, sp[-3]), ADDRESS(src, sp[-2]), n));
    sp -= 3;
    pc = next;
    NEXT(E);
}

HANDLER(TABLE_INIT, E) {
    READ_TWO(elem, index, next);
    PAY(sp[-1].u32);
    TRY_BULK(wr_table_init(inst, index, elem, ADDRESS(inst->tables[index], sp[-3]), sp[-2].u32,
                           sp[-1].u32));
    sp -= 3;
    pc = next;
    NEXT(E);
}

HANDLER(ELEM_DROP, E) {
    READ_INDEX(index, next);
    wr_elem_drop(inst, index);
    pc = next;
    NEXT(E);
}

/* ---- atomics that are no plain accesses ---- */

/* The bytes that a wait or notify names, checked; jumps to traps. Declares `place` and `next`. */
#define FIND_ATOMIC(address, size)                                                                 \
    const u8 *next;                                                                                \
    u8 *place = wr_interp_address(inst, pc, address, size, &next);                                 \
    if (UNLIKELY(place == NULL)) TRAP_MEMORY();                                                    \
    if (UNLIKELY((uintptr_t)place & ((size) - 1))) TRAP(WR_TRAP_UNALIGNED_ATOMIC)

HANDLER(MEMORY_ATOMIC_NOTIFY, E) {
    FIND_ATOMIC(sp[-2].u64, 4);
    r0 = wr_interp_memory(inst, pc)->is_shared ? wr_unpark(inst->store, place, sp[-1].u32) : 0;
    sp -= 2;
    pc = next;
    NEXT(I);
}

/* The instruction has not started when something stops the waiting. */
#define DEFINE_WAIT(size, expected)                                                                \
    FIND_ATOMIC(sp[-3].u64, size);                                                                 \
    if (UNLIKELY(!wr_interp_memory(inst, pc)->is_shared)) TRAP(WR_TRAP_EXPECTED_SHARED_MEMORY);    \
    WaitResult result;                                                                             \
    Fiber *fiber = inst->store->fiber;                                                             \
    fiber->trap = wr_park(inst->store, place, size, expected, sp[-1].i64,                          \
                          fiber->mode != RUNS_FREE, &result);                                      \
    if (UNLIKELY(fiber->trap != WR_TRAP_NONE)) {                                                   \
        pc = start_of(pc, 0xFE);                                                                   \
        JUMP(h_STOP);                                                                              \
    }                                                                                              \
    sp -= 3;                                                                                       \
    r0 = result;                                                                                   \
    pc = next;                                                                                     \
    NEXT(I)
HANDLER(MEMORY_ATOMIC_WAIT32, E) { DEFINE_WAIT(4, sp[-2].u32); }
HANDLER(MEMORY_ATOMIC_WAIT64, E) { DEFINE_WAIT(8, sp[-2].u64); }

HANDLER(ATOMIC_FENCE, E) {
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    pc += 2;
    NEXT(E);
}
