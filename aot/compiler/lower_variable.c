/*
 * lower_variable.c - locals, globals, constants, drop and select (spec: exec/instructions, parametric and
 * variable).
 *
 * Locals are allocas, which LLVM makes values of. A global is written by a volatile store, so that what the
 * host finds after a trap is what the code before it left.
 */
#include "lower.h"

/* ---- locals ---- */

static void lower_local_get(Lower *l) {
    u32 index = l->at.index;
    LLVMValueRef value = LLVMBuildLoad2(l->b, l->local_types[index], l->locals[index], "");
    wr_lower_push(l, wr_lower_note_type(l, value, l->local_valtypes[index]));
}

static void lower_local_set(Lower *l, bool keep) {
    LLVMValueRef value = wr_lower_pop(l);
    LLVMBuildStore(l->b, value, l->locals[l->at.index]);
    if (keep) wr_lower_push(l, value);
}

/* ---- globals ---- */

static LLVMValueRef global_address(Lower *l, u32 index) {
    LLVMValueRef global = wr_lower_entity(l, offsetof(struct wr_instance, globals), index);
    return wr_lower_field(l, global, offsetof(struct wr_global, value));
}

static void lower_global_get(Lower *l) {
    const GlobalDecl *decl = &l->module->globals[l->at.index];
    LLVMTypeRef type = wr_unit_type(l->unit, decl->type);
    LLVMValueRef address = global_address(l, l->at.index);
    LLVMValueRef value = decl->mutable ? wr_lower_load(l, type, address, l->unit->tbaa_global)
                                       : wr_lower_load_fixed(l, type, address, 0);
    wr_lower_push(l, wr_lower_note_type(l, value, decl->type));
}

static void lower_global_set(Lower *l) {
    LLVMValueRef value = wr_lower_widen(l, wr_lower_pop(l));
    wr_lower_store(l, value, global_address(l, l->at.index), l->unit->tbaa_global, true);
}

/* ---- constants and the rest ---- */

static void lower_constant(Lower *l, LLVMTypeRef bits, LLVMTypeRef type) {
    LLVMValueRef value = LLVMConstInt(bits, l->at.bits, 0);
    wr_lower_push(l, bits == type ? value : LLVMConstBitCast(value, type));
}

static void lower_vector_constant(Lower *l) {
    LLVMValueRef halves[] = {wr_lower_i64(l, le64_load(l->at.bytes)),
                             wr_lower_i64(l, le64_load(l->at.bytes + 8))};
    wr_lower_push(l, LLVMConstVector(halves, 2));
}

static void lower_select(Lower *l) {
    LLVMValueRef condition =
        LLVMBuildICmp(l->b, LLVMIntNE, wr_lower_pop(l), wr_lower_i32(l, 0), "");
    LLVMValueRef otherwise = wr_lower_pop(l), then = wr_lower_pop(l);
    wr_lower_push(l, LLVMBuildSelect(l->b, condition, then, otherwise, ""));
}

bool wr_lower_variable(Lower *l, Opcode op) {
    const Unit *u = l->unit;
    if (op == OP_LOCAL_GET)
        lower_local_get(l);
    else if (op == OP_LOCAL_SET || op == OP_LOCAL_TEE)
        lower_local_set(l, op == OP_LOCAL_TEE);
    else if (op == OP_GLOBAL_GET)
        lower_global_get(l);
    else if (op == OP_GLOBAL_SET)
        lower_global_set(l);
    else if (op == OP_I32_CONST)
        lower_constant(l, u->i32, u->i32);
    else if (op == OP_I64_CONST)
        lower_constant(l, u->i64, u->i64);
    else if (op == OP_F32_CONST)
        lower_constant(l, u->i32, u->f32);
    else if (op == OP_F64_CONST)
        lower_constant(l, u->i64, u->f64);
    else if (op == OP_V128_CONST)
        lower_vector_constant(l);
    else if (op == OP_SELECT || op == OP_SELECT_T)
        lower_select(l);
    else if (op == OP_DROP)
        wr_lower_pop(l);
    else
        return false;
    return true;
}
