/*
 * lanes.h - operations on numbers that are the same for a scalar and for each lane of a vector: one table
 * row says what an instruction is in LLVM's terms. lower_numeric.c and lower_simd.c hold the tables, which
 * stand beside numeric.def and numeric_simd.def; those say in C what the same instructions compute.
 *
 * Floats (spec: exec/numerics): LLVM takes a signalling NaN for a quiet one, so that what it folds to an
 * operand (x * 1, x - 0) keeps a NaN signalling. Where an operand is such a constant, the result is made
 * quiet by hand (wr_lanes_quiet()).
 */
#ifndef WR_AOT_LANES_H
#define WR_AOT_LANES_H

#include "lower.h"

typedef enum Shape { I32, I64, F32, F64, I8X16, I16X8, I32X4, I64X2, F32X4, F64X2, SHAPES } Shape;

typedef enum How {
    NO_ROW,
    BINARY,     /* what: LLVMOpcode, of integers */
    ARITHMETIC, /* what: LLVMOpcode, of floats */
    NEGATE,
    COMPARE,       /* what: LLVMIntPredicate */
    COMPARE_FLOAT, /* what: LLVMRealPredicate */
    IS_ZERO,
    INTRINSIC, /* name: one that is overloaded by the lanes' type; as many operands as the signature has */
    COUNT_ZEROS, /* name */
    ABSOLUTE,    /* of integers */
    SHIFT,       /* what: LLVMOpcode; the count is taken modulo the lane's bits */
    ROTATE,      /* name */
    EXTEND_LOW,  /* what: bits whose sign is extended */
    CONVERT,     /* what: LLVMOpcode; from `from` */
    DEMOTE,      /* from `from` */
    ROUND,       /* what: Rounding; name */
    MINIMUM,
    MAXIMUM,
    PSEUDO_MINIMUM, /* b < a ? b : a */
    PSEUDO_MAXIMUM, /* a < b ? b : a */
    OTHER           /* what: the table's own */
} How;

typedef enum Rounding { NEAREST, FLOOR, CEIL, TRUNC } Rounding;

typedef struct Row {
    u8 how, shape,
        from; /* How; Shape of the result's lanes or of the operands that are compared; of the operand */
    u16 what;
    const char *name;
} Row;
#define ROW(h, s) {.how = h, .shape = s}
#define OF(h, s, w) {.how = h, .shape = s, .what = w}
#define FROM(h, s, f, w) {.how = h, .shape = s, .from = f, .what = w}
#define NAMED(h, s, n) {.how = h, .shape = s, .name = n}

/* The result of a row; operands in IR types (lower.h). Not OTHER. */
LLVMValueRef wr_lanes_apply(Lower *l, const Row *row, LLVMValueRef *operands);

LLVMTypeRef wr_lanes_type(const Unit *unit, Shape shape); /* i32, ..., <2 x double> */
LLVMTypeRef wr_lanes_integers(const Unit *unit,
                              Shape shape); /* the same, as integers of that width */
/* Constants: of a type, integers or a vector of them; of a shape. */
LLVMValueRef wr_lanes_constant(LLVMTypeRef type, u64 value);
LLVMValueRef wr_lanes_splat_int(Lower *l, Shape shape, u64 value);
LLVMValueRef wr_lanes_splat(Lower *l, Shape shape, double value);
LLVMValueRef wr_lanes_cast(Lower *l, LLVMValueRef value, Shape shape); /* bits of another shape */
bool wr_lanes_are_floats(Shape shape);
u32 wr_lanes_bits(Shape shape); /* of a lane */
/* Quiet where it is a NaN, else as it is. */
LLVMValueRef wr_lanes_quiet(Lower *l, Shape shape, LLVMValueRef value);
LLVMValueRef wr_lanes_round(Lower *l, Shape shape, Rounding rounding, LLVMValueRef value);

/* Calls an intrinsic: `types` are those that its name does not say, nargs of its arguments. */
LLVMValueRef wr_lower_intrinsic(Lower *l, const char *name, LLVMTypeRef *types, u32 ntypes,
                                LLVMValueRef *arguments, u32 nargs);
/* Whether the code is for x86-64, or aarch64; whether the CPU has an x86 feature ("ssse3"). */
bool wr_target_is_x86(const Unit *unit);
bool wr_target_is_arm(const Unit *unit);
bool wr_target_has(const Unit *unit, const char *feature);

/* After the passes: aarch64's code generator makes `x < 0 ? x : 0` a minimum, which may be -0 for zeros and quiet
 * for a signalling NaN, if it knows that one of the operands is a number. A copy of the operand for the
 * comparison alone hides that from it. */
void wr_lanes_guard_selects(const Unit *unit);

/* Operands of `op`, as many as its signature has; popped, in order. At most 4. */
void wr_lower_pop_all(Lower *l, Opcode op, LLVMValueRef *operands);

#endif
