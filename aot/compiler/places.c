/* places.c - see places.h. */
#include "places.h"

#include <stddef.h>

#include <llvm-c/DebugInfo.h>

#define MOST_STEPS 8 /* computations on the way */

static bool is_volatile_load(LLVMValueRef value) {
    return LLVMIsALoadInst(value) != NULL && LLVMGetVolatile(value);
}

bool wr_is_frozen_load(LLVMValueRef value) {
    return LLVMIsAFreezeInst(value) != NULL && is_volatile_load(LLVMGetOperand(value, 0));
}

/* The one instruction that uses it, if it is in the same block, which is what instructions are selected of; or NULL. */
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

/* What `operand` may be taken in by: it cannot trap itself. */
static bool is_computation(LLVMValueRef value, LLVMValueRef operand) {
    if (LLVMIsASelectInst(value)) return LLVMGetOperand(value, 0) != operand;
    if (LLVMIsACallInst(value)) return is_intrinsic(value);
    return LLVMIsABinaryOperator(value) || LLVMIsAUnaryOperator(value) || LLVMIsACastInst(value) ||
           LLVMIsACmpInst(value) || LLVMIsAInsertElementInst(value) ||
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
        bool goes_on = is_computation(user, value);
        if (goes_on || stores_back(user, value, load)) LLVMInstructionSetDebugLoc(user, place);
        if (!goes_on) break;
        value = user;
    }
}

/* In order: of two operands in memory the later load is the one that is taken in. */
static void settle_block(LLVMBasicBlockRef block) {
    LLVMValueRef i = LLVMGetFirstInstruction(block);
    for (; i != NULL; i = LLVMGetNextInstruction(i))
        if (is_volatile_load(i)) settle(i);
}

void wr_settle_places(const Unit *unit) {
    LLVMValueRef f = LLVMGetFirstFunction(unit->module);
    for (; f != NULL; f = LLVMGetNextFunction(f)) {
        LLVMBasicBlockRef block = LLVMGetFirstBasicBlock(f);
        for (; block != NULL; block = LLVMGetNextBasicBlock(block)) settle_block(block);
    }
}
