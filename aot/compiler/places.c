/*
 * places.c - see places.h. Instructions are selected a block at a time, and only a load that is used once is taken
 * into what uses it, at once or through conversions.
 */
#include "places.h"

#include <stddef.h>

#include <llvm-c/DebugInfo.h>

#define MOST_STEPS 8 /* conversions on the way */

static bool is_volatile_load(LLVMValueRef value) {
    return LLVMIsALoadInst(value) != NULL && LLVMGetVolatile(value);
}

bool wr_is_frozen_load(LLVMValueRef value) {
    return LLVMIsAFreezeInst(value) != NULL && is_volatile_load(LLVMGetOperand(value, 0));
}

/* The one instruction that uses it, if it is in the same block; or NULL. */
static LLVMValueRef only_user(LLVMValueRef value) {
    LLVMUseRef use = LLVMGetFirstUse(value);
    if (use == NULL || LLVMGetNextUse(use) != NULL) return NULL;
    LLVMValueRef user = LLVMGetUser(use);
    if (LLVMIsAInstruction(user) == NULL) return NULL;
    return LLVMGetInstructionParent(user) == LLVMGetInstructionParent(value) ? user : NULL;
}

static bool is_intrinsic(LLVMValueRef call) {
    LLVMValueRef callee = LLVMGetCalledValue(call);
    return LLVMIsAFunction(callee) != NULL && LLVMGetIntrinsicID(callee) != 0;
}

static bool is_computed_with_constant(LLVMValueRef value) {
    return LLVMIsABinaryOperator(value) && LLVMIsAConstantInt(LLVMGetOperand(value, 1));
}

static bool is_extension(LLVMValueRef value) {
    return LLVMIsAZExtInst(value) != NULL || LLVMIsASExtInst(value) != NULL;
}

/* Whether the result of what `operand` is computed with is extended, so that LLVM may extend the operand instead. If it is
 * used for nothing else in one block, extend_first() does so. */
static bool is_extended_later(LLVMValueRef operand, LLVMValueRef computation) {
    LLVMUseRef use = LLVMGetFirstUse(computation);
    while (use != NULL && !is_extension(LLVMGetUser(use))) use = LLVMGetNextUse(use);
    return use != NULL && (only_user(operand) == NULL || only_user(computation) == NULL);
}

/* Whether it is computed with constants, one after the other, and then extended: LLVM may extend it first. */
static bool is_extended_at_last(LLVMValueRef value) {
    LLVMValueRef user = only_user(value);
    int steps = 0;
    for (; user != NULL && is_computed_with_constant(user); user = only_user(value)) {
        value = user;
        steps += 1;
    }
    LLVMUseRef use = LLVMGetFirstUse(value);
    while (use != NULL && !is_extension(LLVMGetUser(use))) use = LLVMGetNextUse(use);
    return use != NULL && steps > 1;
}

/* What `operand` may be taken in by. */
static bool is_computation(LLVMValueRef value, LLVMValueRef operand) {
    if (LLVMIsASelectInst(value)) return LLVMGetOperand(value, 0) != operand;
    if (LLVMIsACallInst(value)) return is_intrinsic(value);
    return LLVMIsABinaryOperator(value) || LLVMIsAUnaryOperator(value) || LLVMIsACastInst(value) ||
           LLVMIsACmpInst(value) || LLVMIsAInsertElementInst(value) ||
           LLVMIsAExtractElementInst(value) || LLVMIsAShuffleVectorInst(value) ||
           LLVMIsAFreezeInst(value);
}

static bool is_integer(LLVMTypeRef type) { return LLVMGetTypeKind(type) == LLVMIntegerTypeKind; }

/* Whether the value, or what is computed with it alone, is selected as a float or a vector. AVX-512 does that with a mask,
 * and then an operand in memory is not read where the mask is 0: no fault, so no trap. */
static bool is_masked_later(LLVMValueRef value) {
    LLVMValueRef user;
    for (int i = 0; i < MOST_STEPS && (user = only_user(value)) != NULL; i++) {
        if (!is_computation(user, value)) return false;
        if (LLVMIsASelectInst(user) && !is_integer(LLVMTypeOf(user))) return true;
        value = user;
    }
    return false;
}

static bool is_narrow(LLVMTypeRef type) {
    return is_integer(type) && LLVMGetIntTypeWidth(type) < 32;
}

/* Whether LLVM would change the load when it selects instructions, so that it does not fault, or has the place of a selection
 * or none: selections of narrow numbers, also of cut ones, are made of 32 bits, and extensions go before computations. It
 * stays frozen. */
static bool is_changed_later(LLVMValueRef frozen) {
    if (is_masked_later(frozen) || is_extended_at_last(frozen)) return true;
    for (LLVMUseRef use = LLVMGetFirstUse(frozen); use != NULL; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (is_narrow(LLVMTypeOf(user)) && (LLVMIsASelectInst(user) || LLVMIsATruncInst(user)))
            return true;
        if (is_computed_with_constant(user) && is_extended_later(frozen, user)) return true;
    }
    return false;
}

static bool touches_memory(LLVMValueRef value) {
    return LLVMIsALoadInst(value) || LLVMIsAStoreInst(value) || LLVMIsACallInst(value) ||
           LLVMIsAAtomicRMWInst(value) || LLVMIsAAtomicCmpXchgInst(value) ||
           LLVMIsAFenceInst(value);
}

/* Back to where the value came from: whatever is wrong with the address, the load finds it. */
static bool stores_back(LLVMValueRef store, LLVMValueRef value, LLVMValueRef load) {
    return LLVMIsAStoreInst(store) && LLVMGetOperand(store, 0) == value &&
           LLVMGetOperand(store, 1) == LLVMGetOperand(load, 0);
}

/* Whether one instruction loads, computes and stores. */
static bool is_in_place(LLVMValueRef load, LLVMValueRef computation) {
    LLVMValueRef next = LLVMGetNextInstruction(load);
    while (next != NULL && !touches_memory(next)) next = LLVMGetNextInstruction(next);
    return next != NULL && stores_back(next, computation, load) && only_user(computation) == next;
}

/* A number that instructions hold. */
static bool is_immediate(LLVMValueRef value) {
    if (LLVMIsAConstantInt(value) == NULL || LLVMGetIntTypeWidth(LLVMTypeOf(value)) > 64)
        return false;
    long long number = LLVMConstIntGetSExtValue(value);
    return number >= INT32_MIN && number <= INT32_MAX;
}

/* Surely in a register that nothing needs behind `user`. The next iteration of a loop may, and so may what needs the number
 * that a conversion is of. */
static bool dies_in(LLVMValueRef value, LLVMValueRef user) {
    return LLVMIsAInstruction(value) && !LLVMIsACastInst(value) && only_user(value) == user;
}

static bool is_vector_logic(LLVMValueRef value) {
    if (LLVMIsABinaryOperator(value) == NULL || is_integer(LLVMTypeOf(value))) return false;
    LLVMOpcode op = LLVMGetInstructionOpcode(value);
    return op == LLVMAnd || op == LLVMOr || op == LLVMXor;
}

/* Whether the result may have to come into the register of an operand. AVX's instructions have a register more, but for those
 * of three operands. */
static bool overwrites(const Unit *unit, LLVMValueRef computation) {
    bool has_avx = strstr(unit->plan->features, "+avx") != NULL;
    if (!has_avx || LLVMIsABinaryOperator(computation) == NULL) return true;
    return is_integer(LLVMTypeOf(computation)) || is_vector_logic(computation);
}

/* Whether an operand besides `value` is, or may be, in a register that is needed again. */
static bool has_lasting_operand(LLVMValueRef computation, LLVMValueRef value) {
    bool is_select = LLVMIsASelectInst(computation), is_call = LLVMIsACallInst(computation);
    int i = is_select ? 1 : 0; /* behind the condition */
    int count = is_call ? (int)LLVMGetNumArgOperands(computation) : LLVMGetNumOperands(computation);
    for (; i < count; i++) {
        LLVMValueRef other = LLVMGetOperand(computation, (unsigned)i);
        bool is_held = i == 1 && !is_select && is_immediate(other);
        if (other != value && !is_held && !dies_in(other, computation)) return true;
    }
    return false;
}

/* Whether it is the lower half of a number that only an `and` uses: of the other operand it needs the lower half. */
static bool is_lower_half(LLVMValueRef value) {
    if (LLVMIsAZExtInst(value) == NULL || !is_integer(LLVMTypeOf(value))) return false;
    LLVMValueRef user = only_user(value);
    return user != NULL && LLVMIsABinaryOperator(user) && LLVMGetInstructionOpcode(user) == LLVMAnd;
}

/* What becomes a part of the instruction that uses it. */
static bool is_melted(LLVMValueRef value) {
    return LLVMIsABitCastInst(value) || LLVMIsAUnaryOperator(value) || is_vector_logic(value) ||
           is_lower_half(value);
}

/* Whether LLVM would take the load into a computation and, having found that what this overwrites is needed again, out of it:
 * such a load has no place at all. Or into what becomes one instruction of several that use it, as the least of two floats. It
 * stays frozen, and comes first at once: in the first case by the same instructions. */
static bool is_taken_out(const Unit *unit, LLVMValueRef frozen) {
    LLVMValueRef value = frozen, user;
    for (int i = 0; i < MOST_STEPS && (user = only_user(value)) != NULL; i++) {
        if (!is_computation(user, value) || is_in_place(LLVMGetOperand(frozen, 0), user))
            return false;
        if (overwrites(unit, user) && has_lasting_operand(user, value)) return true;
        if (!is_melted(user)) return false;
        value = user;
    }
    return !is_integer(LLVMTypeOf(value));
}

static void thaw_block(const Unit *unit, LLVMBasicBlockRef block) {
    LLVMValueRef next;
    for (LLVMValueRef i = LLVMGetFirstInstruction(block); i != NULL; i = next) {
        next = LLVMGetNextInstruction(i);
        if (!wr_is_frozen_load(i) || is_changed_later(i) || is_taken_out(unit, i)) continue;
        LLVMReplaceAllUsesWith(i, LLVMGetOperand(i, 0));
        LLVMInstructionEraseFromParent(i);
    }
}

static void settle(LLVMValueRef load) {
    LLVMMetadataRef place = LLVMInstructionGetDebugLoc(load);
    LLVMValueRef value = load, user;
    for (int i = 0; i < MOST_STEPS && (user = only_user(value)) != NULL; i++) {
        bool goes_on = is_computation(user, value);
        if (goes_on || stores_back(user, value, load)) LLVMInstructionSetDebugLoc(user, place);
        if (!goes_on) break;
        value = user;
    }
}

static bool is_bitwise(LLVMValueRef value) {
    if (!is_computed_with_constant(value)) return false;
    LLVMOpcode op = LLVMGetInstructionOpcode(value);
    return op == LLVMAnd || op == LLVMOr || op == LLVMXor;
}

static LLVMValueRef extended_constant(LLVMValueRef constant, LLVMTypeRef type, bool is_signed) {
    unsigned long long value = is_signed ? (unsigned long long)LLVMConstIntGetSExtValue(constant)
                                         : LLVMConstIntGetZExtValue(constant);
    return LLVMConstInt(type, value, is_signed);
}

/* Extends what was loaded before a constant is applied to its bits, not behind that. LLVM would do so when it selects
 * instructions, and the load would lose its place. */
static void extend_first(LLVMValueRef load) {
    LLVMValueRef bitwise = only_user(load), extension = bitwise ? only_user(bitwise) : NULL;
    if (extension == NULL || !is_bitwise(bitwise)) return;
    bool is_signed = LLVMIsASExtInst(extension) != NULL;
    LLVMTypeRef type = LLVMTypeOf(extension);
    if (!is_extension(extension) || LLVMGetIntTypeWidth(type) > 64) return;
    LLVMBuilderRef b = LLVMCreateBuilderInContext(LLVMGetTypeContext(type));
    LLVMPositionBuilderBefore(b, bitwise);
    LLVMSetCurrentDebugLocation2(b, LLVMInstructionGetDebugLoc(load));
    LLVMValueRef wide = LLVMBuildIntCast2(b, load, type, is_signed, "");
    LLVMValueRef constant = extended_constant(LLVMGetOperand(bitwise, 1), type, is_signed);
    wide = LLVMBuildBinOp(b, LLVMGetInstructionOpcode(bitwise), wide, constant, "");
    LLVMReplaceAllUsesWith(extension, wide);
    LLVMInstructionEraseFromParent(extension);
    LLVMInstructionEraseFromParent(bitwise);
    LLVMDisposeBuilder(b);
}

/* In order: of two operands in memory the later load is the one that is taken in. */
static void settle_block(const Unit *unit, LLVMBasicBlockRef block) {
    (void)unit;
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    for (; i != NULL; i = LLVMGetNextInstruction(i))
        if (is_volatile_load(i)) {
            extend_first(i);
            settle(i);
        }
}

static void for_each_block(const Unit *unit, void (*visit)(const Unit *, LLVMBasicBlockRef)) {
    LLVMValueRef f = LLVMGetFirstFunction(unit->module);
    for (; f != NULL; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f);
        for (; block != NULL; block = LLVMGetNextBasicBlock(block)) visit(unit, block);
    }
}

void wr_thaw_loads(const Unit *unit) { for_each_block(unit, thaw_block); }

void wr_settle_places(const Unit *unit) { for_each_block(unit, settle_block); }
