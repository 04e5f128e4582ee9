/*
 * charge.c - see charge.h. All that fuel becomes in a loop are sums of the header's phi and constants (lower_fuel.c), and
 * choices among them. Looks compare those with constants.
 */
#include "charge.h"

#include "looks.h"
#include "lower_fuel.h"

#define STEPS 64u              /* depth of a value's operands */
#define LARGEST ((i64)1 << 40) /* constants: so that nothing overflows */

/* A value is at least that, or, if it has fuel, the header's phi plus that. */
typedef struct Floor {
    i64 least;
    bool has_fuel;
} Floor;

typedef struct Finder {
    Arena *arena;
    const Unit *unit;
    const Loop *loop;
    Charge *charge;
    ValueMap known; /* value -> Floor */
    u32 depth;
} Finder;

bool wr_charge_is_store(const Unit *unit, LLVMValueRef instruction) {
    return LLVMIsAStoreInst(instruction) != NULL &&
           LLVMGetMetadata(instruction, unit->kind_tbaa) == unit->tbaa_fuel;
}

/* ---- the least that a value can be ---- */

static bool floor_of(Finder *f, LLVMValueRef value, Floor *result);

static bool floor_of_constant(LLVMValueRef constant, Floor *result) {
    i64 value = LLVMConstIntGetSExtValue(constant);
    *result = (Floor){value, false};
    return value > -LARGEST && value < LARGEST;
}

static bool floor_of_sum(Finder *f, LLVMValueRef sum, Floor *result) {
    Floor a, b;
    if (!floor_of(f, LLVMGetOperand(sum, 0), &a) || !floor_of(f, LLVMGetOperand(sum, 1), &b))
        return false;
    *result = (Floor){a.least + b.least, a.has_fuel || b.has_fuel};
    return !(a.has_fuel && b.has_fuel) && result->least > -LARGEST && result->least < LARGEST;
}

/* One more that a value may be. */
static bool floor_of_choice(Finder *f, LLVMValueRef value, bool is_first, Floor *result) {
    Floor other;
    if (!floor_of(f, value, &other)) return false;
    if (!is_first && other.has_fuel != result->has_fuel) return false;
    if (is_first || other.least < result->least) *result = other;
    return true;
}

/* Without what comes back from a stop, which does not happen. */
static bool floor_of_phi(Finder *f, LLVMValueRef phi, Floor *result) {
    bool any = false;
    if (LLVMGetInstructionParent(phi) == f->loop->header) {
        if (f->charge->fuel == NULL) f->charge->fuel = phi;
        *result = (Floor){0, true};
        return f->charge->fuel == phi;
    }
    for (u32 i = 0; i < LLVMCountIncoming(phi); i++) {
        if (wr_looks_stop(f->unit, LLVMGetIncomingBlock(phi, i)) != NULL) continue;
        if (!floor_of_choice(f, LLVMGetIncomingValue(phi, i), !any, result)) return false;
        any = true;
    }
    return any;
}

static bool floor_of_instruction(Finder *f, LLVMValueRef i, Floor *result) {
    switch ((int)LLVMGetInstructionOpcode(i)) {
    case LLVMAdd: return floor_of_sum(f, i, result);
    case LLVMPHI: return floor_of_phi(f, i, result);
    case LLVMSelect:
        return floor_of_choice(f, LLVMGetOperand(i, 1), true, result) &&
               floor_of_choice(f, LLVMGetOperand(i, 2), false, result);
    default: return false;
    }
}

static bool floor_of(Finder *f, LLVMValueRef value, Floor *result) {
    if (LLVMTypeOf(value) != f->unit->i64) return false;
    if (LLVMIsAConstantInt(value) != NULL) return floor_of_constant(value, result);
    const Floor *known = wr_value_map_get(&f->known, value);
    if (known != NULL) {
        *result = *known;
        return true;
    }
    if (!wr_loop_makes(f->loop, value) || f->depth == STEPS) return false;
    f->depth += 1;
    bool ok = floor_of_instruction(f, value, result);
    f->depth -= 1;
    Floor *copy = ok ? wr_arena_copy(f->arena, result, sizeof *result) : NULL;
    return copy != NULL && wr_value_map_put(&f->known, value, copy);
}

/* ---- all looks of a loop ---- */

/* Fuel that a look lets pass is at least *least. */
static bool read_look(LLVMValueRef branch, unsigned stays, LLVMValueRef *fuel, i64 *least) {
    LLVMValueRef test = LLVMGetCondition(branch);
    if (LLVMIsAICmpInst(test) == NULL || LLVMIsAConstantInt(LLVMGetOperand(test, 1)) == NULL)
        return false;
    bool is_less = LLVMGetICmpPredicate(test) == LLVMIntSLT && stays == 1;
    bool is_more = LLVMGetICmpPredicate(test) == LLVMIntSGT && stays == 0;
    Floor bound;
    *fuel = LLVMGetOperand(test, 0);
    if (!floor_of_constant(LLVMGetOperand(test, 1), &bound)) return false;
    *least = bound.least + is_more;
    return is_less || is_more;
}

static u64 place_of(LLVMValueRef stop) { return LLVMConstIntGetZExtValue(LLVMGetOperand(stop, 1)); }

/* That one which is first in the code is at the head of the loop: branches within go forward from there. */
static void note_stop(Charge *charge, LLVMValueRef stop) {
    if (charge->stop == NULL || place_of(stop) < place_of(charge->stop)) charge->stop = stop;
}

static bool add_look(Finder *f, LLVMBasicBlockRef block, unsigned stays) {
    LLVMValueRef branch = LLVMGetBasicBlockTerminator(block), fuel;
    Floor passes;
    i64 least;
    if (!read_look(branch, stays, &fuel, &least) || !floor_of(f, fuel, &passes) || !passes.has_fuel)
        return false;
    if (passes.least - least < f->charge->spare) f->charge->spare = passes.least - least;
    note_stop(f->charge, wr_looks_stop(f->unit, LLVMGetSuccessor(branch, 1 - stays)));
    return true;
}

static LLVMValueRef from_latch(const Loop *loop, LLVMValueRef phi) {
    for (u32 i = 0; i < LLVMCountIncoming(phi); i++)
        if (LLVMGetIncomingBlock(phi, i) == loop->latch) return LLVMGetIncomingValue(phi, i);
    return NULL;
}

bool wr_charge_find(Arena *arena, const Unit *unit, const Loop *loop, Charge *charge) {
    Finder f = {
        .arena = arena, .unit = unit, .loop = loop, .charge = charge, .known = {.arena = arena}};
    Floor next;
    *charge = (Charge){.spare = LARGEST};
    for (u32 i = 0; i < loop->nblocks; i++) {
        int stays = wr_looks_stays(unit, loop->blocks[i]);
        if (stays >= 0 && !add_look(&f, loop->blocks[i], (unsigned)stays)) return false;
    }
    if (charge->fuel == NULL || !floor_of(&f, from_latch(loop, charge->fuel), &next)) return false;
    charge->each = (u64)-next.least;
    return next.has_fuel && next.least < 0;
}

/* ---- at the gate ---- */

LLVMValueRef wr_charge_build(Unit *unit, LLVMBuilderRef b, const Charge *charge,
                             LLVMValueRef *fuel) {
    LLVMValueRef zero = LLVMConstNull(unit->i64);
    *fuel = wr_fuel_refill(unit, b, charge->stop, *fuel);
    LLVMValueRef spare = LLVMConstInt(unit->i64, (u64)charge->spare, 0);
    LLVMValueRef room = LLVMBuildAdd(b, *fuel, spare, "");
    LLVMValueRef none = LLVMBuildICmp(b, LLVMIntSLT, room, zero, "");
    room = LLVMBuildSelect(b, none, zero, room, "");
    return LLVMBuildUDiv(b, room, LLVMConstInt(unit->i64, charge->each, 0), "");
}
