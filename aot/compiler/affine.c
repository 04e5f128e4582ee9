/*
 * affine.c - see affine.h.
 */
#include "affine.h"

#define AFFINE_DEPTH 24u /* of an expression */

/* ---- sums ---- */

bool wr_linear_add(Linear *a, const Linear *b, u64 factor) {
    a->constant += factor * b->constant;
    for (u32 i = 0; i < b->nterms; i++) {
        u32 at = 0;
        while (at < a->nterms && a->terms[at].value != b->terms[i].value) at += 1;
        if (at == LINEAR_TERMS) return false;
        if (at == a->nterms) {
            a->terms[a->nterms++].value = b->terms[i].value;
            a->terms[at].factor = 0;
        }
        a->terms[at].factor += factor * b->terms[i].factor;
        if (a->terms[at].factor == 0) a->terms[at] = a->terms[--a->nterms];
    }
    return true;
}

static u64 low_bits(u64 value, u32 bits) {
    return bits == 64 ? value : value & ((1ull << bits) - 1);
}

i64 wr_linear_signed(u64 value, u32 bits) {
    u64 sign = 1ull << (bits - 1);
    return (i64)((low_bits(value, bits) ^ sign) - sign);
}

bool wr_linear_same_terms(const Linear *a, const Linear *b, u32 bits) {
    Linear difference = *a;
    if (!wr_linear_add(&difference, b, ~0ull)) return false;
    for (u32 i = 0; i < difference.nterms; i++)
        if (low_bits(difference.terms[i].factor, bits) != 0) return false;
    return true;
}

static Linear one_term(LLVMValueRef value) { return (Linear){.nterms = 1, .terms = {{value, 1}}}; }

static bool is_constant(const Linear *a) { return a->nterms == 0; }
static bool is_zero(const Linear *a) { return a->nterms == 0 && a->constant == 0; }

static bool add(Affine *a, const Affine *b, u64 factor) {
    return wr_linear_add(&a->base, &b->base, factor) && wr_linear_add(&a->step, &b->step, factor);
}

static bool scaled(const Affine *a, u64 factor, Affine *out) {
    *out = (Affine){0};
    return add(out, a, factor);
}

/* ---- what does not depend on the iteration ---- */

/* Computes nothing but its result, and may be done although it would not have been. */
static bool is_pure(LLVMValueRef instruction) {
    switch ((int)LLVMGetInstructionOpcode(instruction)) {
    case LLVMAdd:
    case LLVMSub:
    case LLVMMul:
    case LLVMShl:
    case LLVMLShr:
    case LLVMAShr:
    case LLVMAnd:
    case LLVMOr:
    case LLVMXor:
    case LLVMTrunc:
    case LLVMZExt:
    case LLVMSExt:
    case LLVMICmp:
    case LLVMSelect: return true;
    default: return false;
    }
}

/* Moves an instruction that does not depend on the iteration out of the loop. */
static bool hoist(AffineScope *scope, LLVMValueRef value, u32 depth) {
    if (!wr_loop_makes(scope->loop, value)) return true;
    if (depth == AFFINE_DEPTH || !is_pure(value)) return false;
    int count = LLVMGetNumOperands(value);
    for (int i = 0; i < count; i++)
        if (!hoist(scope, LLVMGetOperand(value, (unsigned)i), depth + 1)) return false;
    LLVMBuilderRef b = LLVMCreateBuilderInContext(LLVMGetTypeContext(LLVMTypeOf(value)));
    LLVMPositionBuilderBefore(b, LLVMGetBasicBlockTerminator(scope->loop->preheader));
    LLVMInstructionRemoveFromParent(value);
    LLVMInsertIntoBuilder(b, value);
    LLVMDisposeBuilder(b);
    return true;
}

/* ---- forms ---- */

static LLVMValueRef incoming_from(LLVMValueRef phi, LLVMBasicBlockRef block) {
    u32 count = LLVMCountIncoming(phi);
    for (u32 i = 0; i < count; i++)
        if (LLVMGetIncomingBlock(phi, i) == block) return LLVMGetIncomingValue(phi, i);
    return NULL;
}

/* What is added to a phi in each iteration. */
static bool step_of_phi(AffineScope *scope, LLVMValueRef phi, Linear *step) {
    AffineScope inner = {.arena = scope->arena,
                         .loop = scope->loop,
                         .known = {.arena = scope->arena},
                         .self = phi,
                         .depth = scope->depth};
    Affine next;
    Linear self = one_term(phi);
    LLVMValueRef value = incoming_from(phi, scope->loop->latch);
    if (value == NULL || !wr_affine_of(&inner, value, &next)) return false;
    *step = next.base;
    if (!wr_linear_add(step, &self, ~0ull)) return false;
    for (u32 i = 0; i < step->nterms; i++)
        if (step->terms[i].value == phi) return false;
    return true;
}

static bool form_of_phi(AffineScope *scope, LLVMValueRef phi, Affine *form) {
    form->base = one_term(phi);
    if (scope->self != NULL) return phi == scope->self;
    return LLVMGetInstructionParent(phi) == scope->loop->header &&
           step_of_phi(scope, phi, &form->step);
}

static bool form_of_product(AffineScope *scope, LLVMValueRef value, Affine *form) {
    Affine a, b;
    if (!wr_affine_of(scope, LLVMGetOperand(value, 0), &a) ||
        !wr_affine_of(scope, LLVMGetOperand(value, 1), &b) || !is_zero(&b.step))
        return false;
    return is_constant(&b.base) && scaled(&a, b.base.constant, form);
}

static bool form_of_shift(AffineScope *scope, LLVMValueRef value, Affine *form) {
    LLVMValueRef count = LLVMGetOperand(value, 1);
    if (LLVMIsAConstantInt(count) == NULL || LLVMConstIntGetZExtValue(count) > 63) return false;
    return wr_affine_of(scope, LLVMGetOperand(value, 0), form) &&
           scaled(&(Affine){form->base, form->step}, 1ull << LLVMConstIntGetZExtValue(count), form);
}

static bool form_of_sum(AffineScope *scope, LLVMValueRef value, u64 factor, Affine *form) {
    Affine right;
    return wr_affine_of(scope, LLVMGetOperand(value, 0), form) &&
           wr_affine_of(scope, LLVMGetOperand(value, 1), &right) && add(form, &right, factor);
}

static bool is_multiple(AffineScope *scope, const Linear *a, u64 of);

/* Of a phi of the header, in all iterations. */
static bool is_phi_multiple(AffineScope *scope, LLVMValueRef phi, u64 of) {
    Affine form;
    if (scope->self != NULL || LLVMIsAPHINode(phi) == NULL ||
        LLVMGetInstructionParent(phi) != scope->loop->header)
        return false;
    LLVMValueRef first = incoming_from(phi, scope->loop->preheader);
    return first != NULL && LLVMIsAConstantInt(first) != NULL &&
           LLVMConstIntGetZExtValue(first) % of == 0 && wr_affine_of(scope, phi, &form) &&
           is_multiple(scope, &form.step, of);
}

/* Whether all of a sum's values are multiples of a power of two. */
static bool is_multiple(AffineScope *scope, const Linear *a, u64 of) {
    for (u32 i = 0; i < a->nterms; i++) {
        u64 factor = a->terms[i].factor, shared = factor & (0 - factor); /* not 0 */
        if (shared < of && !is_phi_multiple(scope, a->terms[i].value, of / shared)) return false;
    }
    return a->constant % of == 0;
}

/* x ^ -m is -m - x if m is a power of two, and x a multiple of it. LLVM makes that of `n - i - 1`. */
static bool form_of_difference(AffineScope *scope, LLVMValueRef value, Affine *form) {
    LLVMValueRef constant = LLVMGetOperand(value, 1);
    Affine a;
    if (LLVMIsAConstantInt(constant) == NULL) return false;
    u64 mask = (u64)LLVMConstIntGetSExtValue(constant), of = 0 - mask;
    if (of == 0 || (of & (of - 1)) != 0 || !wr_affine_of(scope, LLVMGetOperand(value, 0), &a) ||
        !is_multiple(scope, &a.base, of) || !is_multiple(scope, &a.step, of) ||
        !scaled(&a, ~0ull, form))
        return false;
    form->base.constant += mask;
    return true;
}

static bool form_of_instruction(AffineScope *scope, LLVMValueRef value, Affine *form) {
    switch ((int)LLVMGetInstructionOpcode(value)) {
    case LLVMPHI: return form_of_phi(scope, value, form);
    case LLVMAdd: return form_of_sum(scope, value, 1, form);
    case LLVMSub: return form_of_sum(scope, value, ~0ull, form);
    case LLVMOr: return LLVMGetIsDisjoint(value) && form_of_sum(scope, value, 1, form);
    case LLVMXor: return form_of_difference(scope, value, form);
    case LLVMMul: return form_of_product(scope, value, form);
    case LLVMShl: return form_of_shift(scope, value, form);
    case LLVMTrunc: return wr_affine_of(scope, LLVMGetOperand(value, 0), form);
    default: return false;
    }
}

static bool find_form(AffineScope *scope, LLVMValueRef value, Affine *form) {
    LLVMTypeRef type = LLVMTypeOf(value);
    if (LLVMGetTypeKind(type) != LLVMIntegerTypeKind || LLVMGetIntTypeWidth(type) > 64)
        return false;
    *form = (Affine){0};
    if (LLVMIsAConstantInt(value) != NULL) {
        form->base.constant = LLVMConstIntGetZExtValue(value);
        return true;
    }
    if (LLVMIsAConstant(value) != NULL) return false; /* undefined */
    if (wr_loop_makes(scope->loop, value) && !hoist(scope, value, 0))
        return form_of_instruction(scope, value, form);
    form->base = one_term(value);
    return true;
}

bool wr_affine_of(AffineScope *scope, LLVMValueRef value, Affine *form) {
    const Affine *known = wr_value_map_get(&scope->known, value);
    if (known != NULL) {
        *form = *known;
        return known != &scope->none;
    }
    if (scope->depth == AFFINE_DEPTH) return false;
    scope->depth += 1;
    bool ok = find_form(scope, value, form);
    scope->depth -= 1;
    Affine *entry = ok ? wr_arena_copy(scope->arena, form, sizeof *form) : &scope->none;
    return entry != NULL && wr_value_map_put(&scope->known, value, entry) && ok;
}
