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
    if (is_masked_later(frozen)) return true;
    for (LLVMUseRef use = LLVMGetFirstUse(frozen); use != NULL; use = LLVMGetNextUse(use)) {
        LLVMValueRef user = LLVMGetUser(use);
        if (is_narrow(LLVMTypeOf(user)) && (LLVMIsASelectInst(user) || LLVMIsATruncInst(user)))
            return true;
        if (is_computed_with_constant(user) && is_extended_later(frozen, user)) return true;
    }
    return false;
}

static void thaw_block(LLVMBasicBlockRef block) {
    LLVMValueRef next;
    for (LLVMValueRef i = LLVMGetFirstInstruction(block); i != NULL; i = next) {
        next = LLVMGetNextInstruction(i);
        if (!wr_is_frozen_load(i) || is_changed_later(i)) continue;
        LLVMReplaceAllUsesWith(i, LLVMGetOperand(i, 0));
        LLVMInstructionEraseFromParent(i);
    }
}

/* Back to where the value came from: whatever is wrong with the address, the load finds it. */
static bool stores_back(LLVMValueRef store, LLVMValueRef value, LLVMValueRef load) {
    return LLVMIsAStoreInst(store) && LLVMGetOperand(store, 0) == value &&
           LLVMGetOperand(store, 1) == LLVMGetOperand(load, 0);
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
static void settle_block(LLVMBasicBlockRef block) {
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    for (; i != NULL; i = LLVMGetNextInstruction(i))
        if (is_volatile_load(i)) {
            extend_first(i);
            settle(i);
        }
}

static void for_each_block(LLVMModuleRef module, void (*visit)(LLVMBasicBlockRef block)) {
    LLVMValueRef f = LLVMGetFirstFunction(module);
    for (; f != NULL; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f);
        for (; block != NULL; block = LLVMGetNextBasicBlock(block)) visit(block);
    }
}

void wr_thaw_loads(LLVMModuleRef module) { for_each_block(module, thaw_block); }

void wr_settle_places(LLVMModuleRef module) { for_each_block(module, settle_block); }
