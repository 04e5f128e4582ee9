/*
 * places.c - see places.h. Instructions are selected a block at a time, and only a load that is used once is taken
 * into what uses it, at once or through conversions.
 */
#include "places.h"

#include <stdbool.h>
#include <stddef.h>

#include <llvm-c/DebugInfo.h>

#define MOST_STEPS 8 /* conversions on the way */

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

static bool is_computation(LLVMValueRef value) {
    if (LLVMIsACallInst(value)) return is_intrinsic(value);
    return LLVMIsABinaryOperator(value) || LLVMIsAUnaryOperator(value) || LLVMIsACastInst(value) ||
           LLVMIsACmpInst(value) || LLVMIsASelectInst(value) || LLVMIsAInsertElementInst(value) ||
           LLVMIsAExtractElementInst(value) || LLVMIsAShuffleVectorInst(value) ||
           LLVMIsAFreezeInst(value);
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
        bool goes_on = is_computation(user);
        if (goes_on || stores_back(user, value, load)) LLVMInstructionSetDebugLoc(user, place);
        if (!goes_on) break;
        value = user;
    }
}

/* In order: of two operands in memory the later load is the one that is taken in. */
static void settle_block(LLVMBasicBlockRef block) {
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    for (; i != NULL; i = LLVMGetNextInstruction(i))
        if (LLVMIsALoadInst(i) && LLVMGetVolatile(i)) settle(i);
}

void wr_settle_places(LLVMModuleRef module) {
    LLVMValueRef f = LLVMGetFirstFunction(module);
    for (; f != NULL; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f);
        for (; block != NULL; block = LLVMGetNextBasicBlock(block)) settle_block(block);
    }
}
