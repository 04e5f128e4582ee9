/*
 * lower_table.c - tables (spec: exec/instructions, table). Reading and writing are inlined with their
 * check; all else are helpers.
 */
#include "lower.h"

static bool is_64(const Lower *l, u32 table) { return l->module->tables[table].limits.is_64; }

static LLVMValueRef load_table(Lower *l, u32 table) {
    return wr_lower_entity(l, offsetof(struct wr_instance, tables), table);
}

static LLVMValueRef load_size(Lower *l, LLVMValueRef table) {
    return wr_lower_load(l, l->unit->i32, wr_lower_field(l, table, offsetof(struct wr_table, size)),
                         l->unit->tbaa_instance);
}

/* An address operand, as a u64. */
static LLVMValueRef pop_address(Lower *l) {
    return LLVMBuildZExt(l->b, wr_lower_pop(l), l->unit->i64, "");
}

/* A number of an address type: pushes it as the table's. */
static void push_address(Lower *l, u32 table, LLVMValueRef number) {
    LLVMTypeRef type = is_64(l, table) ? l->unit->i64 : l->unit->i32;
    wr_lower_push(l, LLVMBuildIntCast2(l->b, number, type, 0, ""));
}

/* Where an element is, after a check. */
static LLVMValueRef element_address(Lower *l, u32 index, LLVMValueRef at, wr_trap_code_t code) {
    LLVMValueRef table = load_table(l, index);
    LLVMValueRef size = LLVMBuildZExt(l->b, load_size(l, table), l->unit->i64, "");
    wr_lower_trap_if(l, LLVMBuildICmp(l->b, LLVMIntUGE, at, size, ""), code);
    LLVMValueRef elems =
        wr_lower_load(l, l->unit->ptr, wr_lower_field(l, table, offsetof(struct wr_table, elems)),
                      l->unit->tbaa_instance);
    return LLVMBuildInBoundsGEP2(l->b, l->unit->i32, elems, &at, 1, "");
}

LLVMValueRef wr_lower_table_element(Lower *l, u32 table, wr_trap_code_t code, LLVMValueRef *index) {
    *index = pop_address(l);
    LLVMValueRef address = element_address(l, table, *index, code);
    return wr_lower_load(l, l->unit->i32, address, l->unit->tbaa_table);
}

static void lower_get(Lower *l) {
    LLVMValueRef index;
    u32 table = l->at.index;
    LLVMValueRef value = wr_lower_table_element(l, table, WR_TRAP_TABLE_OUT_OF_BOUNDS, &index);
    wr_lower_push(l, wr_lower_note_type(l, value, l->module->tables[table].type));
}

static void lower_set(Lower *l) {
    LLVMValueRef value = wr_lower_pop(l), at = pop_address(l);
    LLVMValueRef address = element_address(l, l->at.index, at, WR_TRAP_TABLE_OUT_OF_BOUNDS);
    wr_lower_store(l, value, address, l->unit->tbaa_table, true);
}

static void lower_size(Lower *l) {
    push_address(l, l->at.index, load_size(l, load_table(l, l->at.index)));
}

static void lower_grow(Lower *l) {
    LLVMValueRef delta = pop_address(l), value = wr_lower_pop(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), delta, value};
    push_address(l, l->at.index, wr_lower_helper(l, HELPER_TABLE_GROW, arguments, 3));
}

static void lower_fill(Lower *l) {
    LLVMValueRef n = pop_address(l), value = wr_lower_pop(l), at = pop_address(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), at, value, n};
    wr_lower_helper(l, HELPER_TABLE_FILL, arguments, 4);
}

static void lower_copy(Lower *l) {
    LLVMValueRef n = pop_address(l), from = pop_address(l), to = pop_address(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), wr_lower_i32(l, l->at.index2), to,
                                from, n};
    wr_lower_helper(l, HELPER_TABLE_COPY, arguments, 5);
}

static void lower_init(Lower *l) {
    LLVMValueRef n = wr_lower_pop(l), from = wr_lower_pop(l), to = pop_address(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index2), wr_lower_i32(l, l->at.index), to,
                                from, n};
    wr_lower_helper(l, HELPER_TABLE_INIT, arguments, 5);
}

static void lower_drop(Lower *l) {
    LLVMValueRef elem = wr_lower_i32(l, l->at.index);
    wr_lower_helper(l, HELPER_ELEM_DROP, &elem, 1);
}

bool wr_lower_table(Lower *l, Opcode op) {
    if (op == OP_TABLE_GET)
        lower_get(l);
    else if (op == OP_TABLE_SET)
        lower_set(l);
    else if (op == OP_TABLE_SIZE)
        lower_size(l);
    else if (op == OP_TABLE_GROW)
        lower_grow(l);
    else if (op == OP_TABLE_FILL)
        lower_fill(l);
    else if (op == OP_TABLE_COPY)
        lower_copy(l);
    else if (op == OP_TABLE_INIT)
        lower_init(l);
    else if (op == OP_ELEM_DROP)
        lower_drop(l);
    else
        return false;
    return true;
}
