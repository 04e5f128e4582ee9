/*
 * test_lower_ops.c - every numeric and vector instruction as the AOT compiler lowers it, against what
 * numeric.def and numeric_simd.def compute: each in a function of its own, optimised or not, for several
 * levels of CPU features, on operands drawn from edge cases and from random bits. The rest of the compiler is
 * not here: stacks and traps are this file's own.
 */
#include <criterion/criterion.h>
#include <llvm-c/Analysis.h>
#include <llvm-c/ExecutionEngine.h>
#include <llvm-c/Target.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <math.h>

#include "lower.h"
#include "numeric_simd.h"
#include "operands.h"

typedef union Cell {
    u8 u8[16];
    u16 u16[8];
    u32 u32[4];
    u64 u64[2];
    f32 f32[4];
    f64 f64[2];
} Cell;

/* What an instruction computes: operands, immediates, results; the trap. */
typedef u32 Reference(const Cell *in, u32 lane, const u8 *lanes, Cell *out);

/* ---- references ---- */

#define GETTER(type, from, expression)                                                             \
    static type get_##type(const Cell *from) { return expression; }                                \
    static void put_##type(Cell *to, type value)
GETTER(u32, c, c->u32[0]) { to->u32[0] = value; }
GETTER(u64, c, c->u64[0]) { to->u64[0] = value; }
GETTER(f32, c, c->f32[0]) { to->f32[0] = value; }
GETTER(f64, c, c->f64[0]) { to->f64[0] = value; }
GETTER(v128, c, v128_load(c)) { v128_store(to, value); }

#define REFERENCE(id, body)                                                                        \
    static u32 ref_##id(const Cell *in, u32 lane, const u8 *lanes, Cell *out) {                    \
        (void)lane, (void)lanes;                                                                   \
        body;                                                                                      \
        return WR_TRAP_NONE;                                                                       \
    }
#define UN(id, R, A, e) REFERENCE(id, put_##R(out, num_##id(get_##A(in))))
#define BIN(id, R, A, B, e) REFERENCE(id, put_##R(out, num_##id(get_##A(in), get_##B(in + 1))))
#define TER(id, R, A, B, C, e)                                                                     \
    REFERENCE(id, put_##R(out, num_##id(get_##A(in), get_##B(in + 1), get_##C(in + 2))))
#define TRAPPING(id, R, call)                                                                      \
    REFERENCE(id, R result = 0; wr_trap_code_t trap = call; put_##R(out, result); return trap)
#define TRAP_UN(id, R, A, e) TRAPPING(id, R, num_##id(get_##A(in), &result))
#define TRAP_BIN(id, R, A, B, e) TRAPPING(id, R, num_##id(get_##A(in), get_##B(in + 1), &result))
#define LANE_UN(id, R, A, e) REFERENCE(id, put_##R(out, num_##id(get_##A(in), lane)))
#define LANE_BIN(id, R, A, B, e)                                                                   \
    REFERENCE(id, put_##R(out, num_##id(get_##A(in), get_##B(in + 1), lane)))
#define LANES_BIN(id, R, A, B, e)                                                                  \
    REFERENCE(id, put_##R(out, num_##id(get_##A(in), get_##B(in + 1), lanes)))
#include "numeric.def"
#include "numeric_simd.def"

static void put_wide(Cell *out, U128 value) {
    out[0].u64[0] = (u64)value;
    out[1].u64[0] = (u64)(value >> 64);
}
#define WIDE(n) u128_of(in[n].u64[0], in[n + 1].u64[0])
REFERENCE(I64_ADD128, put_wide(out, WIDE(0) + WIDE(2)))
REFERENCE(I64_SUB128, put_wide(out, WIDE(0) - WIDE(2)))
REFERENCE(I64_MUL_WIDE_S, put_wide(out, u128_product_s(in[0].u64[0], in[1].u64[0])))
REFERENCE(I64_MUL_WIDE_U, put_wide(out, u128_product_u(in[0].u64[0], in[1].u64[0])))

#undef UN
#undef BIN
#undef TER
#undef TRAP_UN
#undef TRAP_BIN
#undef LANE_UN
#undef LANE_BIN
#undef LANES_BIN
#define ENTRY(id) [OP_##id] = ref_##id,
#define UN(id, ...) ENTRY(id)
#define BIN(id, ...) ENTRY(id)
#define TER(id, ...) ENTRY(id)
#define TRAP_UN(id, ...) ENTRY(id)
#define TRAP_BIN(id, ...) ENTRY(id)
#define LANE_UN(id, ...) ENTRY(id)
#define LANE_BIN(id, ...) ENTRY(id)
#define LANES_BIN(id, ...) ENTRY(id)
static Reference *const references[OP_COUNT] = {
#include "numeric.def"
#include "numeric_simd.def"
    ENTRY(I64_ADD128) ENTRY(I64_SUB128) ENTRY(I64_MUL_WIDE_S) ENTRY(I64_MUL_WIDE_U)};

/* ---- a compiler of one instruction ---- */

static LLVMValueRef stack[8];
static u32 height;

LLVMValueRef wr_lower_pop(Lower *l) {
    (void)l;
    cr_assert_gt(height, 0);
    return stack[--height];
}
void wr_lower_push(Lower *l, LLVMValueRef value) {
    (void)l;
    stack[height++] = value;
}
LLVMValueRef wr_lower_i32(const Lower *l, u32 value) {
    return LLVMConstInt(l->unit->i32, value, false);
}
/* The function returns the trap. */
void wr_lower_trap(Lower *l, LLVMValueRef code) { LLVMBuildRet(l->b, code); }
LLVMBasicBlockRef wr_lower_unlikely(Lower *l, LLVMValueRef condition, LLVMBasicBlockRef *likely) {
    LLVMBasicBlockRef cold = LLVMAppendBasicBlockInContext(l->unit->context, l->function, "");
    *likely = LLVMAppendBasicBlockInContext(l->unit->context, l->function, "");
    LLVMBuildCondBr(l->b, condition, cold, *likely);
    LLVMPositionBuilderAtEnd(l->b, cold);
    return cold;
}
void wr_lower_trap_if(Lower *l, LLVMValueRef condition, wr_trap_code_t code) {
    LLVMBasicBlockRef on;
    wr_lower_unlikely(l, condition, &on);
    wr_lower_trap(l, wr_lower_i32(l, code));
    LLVMPositionBuilderAtEnd(l->b, on);
}

typedef struct Target {
    const char *name, *triple, *features;
} Target;

static void begin_unit(Unit *unit, const Plan *plan) {
    LLVMContextRef c = LLVMContextCreate();
    *unit = (Unit){.plan = plan, .context = c, .module = LLVMModuleCreateWithNameInContext("t", c)};
    unit->i1 = LLVMInt1TypeInContext(c);
    unit->i8 = LLVMInt8TypeInContext(c);
    unit->i16 = LLVMInt16TypeInContext(c);
    unit->i32 = LLVMInt32TypeInContext(c);
    unit->i64 = LLVMInt64TypeInContext(c);
    unit->f32 = LLVMFloatTypeInContext(c);
    unit->f64 = LLVMDoubleTypeInContext(c);
    unit->v128 = LLVMVectorType(unit->i64, 2);
    unit->ptr = LLVMPointerTypeInContext(c, 0);
    unit->kind_prof = LLVMGetMDKindIDInContext(c, "prof", 4);
}

static LLVMTypeRef type_of(const Unit *unit, char letter) {
    switch (letter) {
    case 'i': return unit->i32;
    case 'I': return unit->i64;
    case 'f': return unit->f32;
    case 'F': return unit->f64;
    default: return unit->v128;
    }
}

static LLVMValueRef cell(Lower *l, u32 param, u32 index) {
    LLVMValueRef offset = LLVMConstInt(l->unit->i64, 16 * (u64)index, false);
    return LLVMBuildGEP2(l->b, l->unit->i8, LLVMGetParam(l->function, param), &offset, 1, "");
}

static void attribute(Unit *unit, LLVMValueRef function, const char *name, const char *value) {
    LLVMAttributeRef a = LLVMCreateStringAttribute(unit->context, name, (unsigned)strlen(name),
                                                   value, (unsigned)strlen(value));
    LLVMAddAttributeAtIndex(function, LLVMAttributeFunctionIndex, a);
}

/* One case: an instruction with its immediates, and perhaps a constant for one of its operands. */
typedef struct Case {
    Opcode op;
    u8 lane, lanes[16];
    int constant_at; /* -1: none */
    Cell constant;
    LLVMValueRef function;
    u64 address;
} Case;

/* i32 f(const Cell *in, Cell *out): the trap */
static void lower_case(Unit *unit, const char *name, Case *c) {
    LLVMTypeRef params[] = {unit->ptr, unit->ptr};
    LLVMTypeRef type = LLVMFunctionType(unit->i32, params, 2, false);
    Lower l = {.unit = unit, .b = LLVMCreateBuilderInContext(unit->context)};
    l.function = c->function = LLVMAddFunction(unit->module, name, type);
    attribute(unit, l.function, "target-cpu", unit->plan->cpu);
    attribute(unit, l.function, "target-features", unit->plan->features);
    l.at = (Instr){.op = c->op, .lane = c->lane, .bytes = c->lanes};
    LLVMPositionBuilderAtEnd(l.b, LLVMAppendBasicBlockInContext(unit->context, l.function, ""));
    const char *sig = wr_op_sig(c->op);
    height = 0;
    for (u32 i = 0; *sig != '>'; sig++, i++) {
        LLVMTypeRef operand = type_of(unit, *sig);
        LLVMValueRef value = LLVMBuildLoad2(l.b, operand, cell(&l, 0, i), "");
        LLVMSetAlignment(value, 1);
        if (c->constant_at == (int)i) {
            u64 bits[2] = {c->constant.u64[0], c->constant.u64[1]};
            LLVMTypeRef wide = LLVMInt128TypeInContext(unit->context);
            LLVMTypeRef integer = *sig == 'v'                  ? wide
                                  : *sig == 'i' || *sig == 'f' ? unit->i32
                                                               : unit->i64;
            value = LLVMConstIntOfArbitraryPrecision(integer, *sig == 'v' ? 2 : 1, bits);
            value = LLVMConstBitCast(value, operand);
        }
        wr_lower_push(&l, value);
    }
    cr_assert(wr_lower_numeric(&l, c->op) || wr_lower_simd(&l, c->op), "%s is not lowered",
              wr_op_text(c->op));
    cr_assert_eq(height, strlen(sig + 1), "%s", wr_op_text(c->op));
    for (u32 i = 0; i < height; i++) {
        cr_assert_eq(LLVMTypeOf(stack[i]), type_of(unit, sig[1 + i]), "%s", wr_op_text(c->op));
        LLVMSetAlignment(LLVMBuildStore(l.b, stack[i], cell(&l, 1, i)), 1);
    }
    LLVMBuildRet(l.b, LLVMConstInt(unit->i32, 0, false));
    LLVMDisposeBuilder(l.b);
}

/* ---- operands ---- */

static Cell random_cell(void) {
    Cell v;
    random_operand(&v);
    return v;
}

/* ---- comparison ---- */

/* Width of the floats that an instruction computes and whose NaNs may differ; 0: bits are compared. */
static u32 computed_floats(Opcode op) {
    const char *text = wr_op_text(op);
    static const char *const exact[] = {".abs",  ".neg",  ".copysign", ".reinterpret", ".splat",
                                        "_lane", ".pmin", ".pmax",     ".eq",          ".ne",
                                        ".lt",   ".gt",   ".le",       ".ge"};
    for (u32 i = 0; i < ARRAY_LEN(exact); i++) {
        const char *found = strstr(text, exact[i]);
        if (found && strncmp(found, ".nearest", 8) != 0) return 0;
    }
    if (strncmp(text, "f32", 3) == 0) return 32;
    return strncmp(text, "f64", 3) == 0 ? 64 : 0;
}

static bool is_nan(u32 width, u64 bits) {
    return width == 32 ? isnan(f32_of_bits((u32)bits)) : isnan(f64_of_bits(bits));
}
static bool is_quiet(u32 width, u64 bits) { return bits >> (width == 32 ? 22 : 51) & 1; }
static bool is_canonical(u32 width, u64 bits) {
    return width == 32 ? (bits & 0x7FFFFFFF) == 0x7FC00000
                       : (bits & 0x7FFFFFFFFFFFFFFF) == 0x7FF8000000000000;
}

/* Whether some operand has a NaN that is not canonical: then any quiet one may come out. */
static bool has_odd_nan(const Cell *in) {
    bool any = false;
    for (u32 i = 0; i < 3; i++) {
        for (u32 k = 0; k < 4; k++)
            any |= is_nan(32, in[i].u32[k]) && !is_canonical(32, in[i].u32[k]);
        for (u32 k = 0; k < 2; k++)
            any |= is_nan(64, in[i].u64[k]) && !is_canonical(64, in[i].u64[k]);
    }
    return any;
}

/* The same bits, or both are NaNs, and the first is one that the specification allows. */
static bool same_lane(u32 width, u64 got, u64 want, bool odd) {
    if (got == want) return true;
    if (!is_nan(width, want) || !is_nan(width, got)) return false;
    return is_canonical(width, got) || (odd && is_quiet(width, got));
}

static bool same(Opcode op, Cell got, Cell want, const Cell *in) {
    u32 width = computed_floats(op);
    bool all = true, odd = has_odd_nan(in);
    if (width == 0) return memcmp(&got, &want, sizeof got) == 0;
    if (width == 32)
        for (u32 i = 0; i < 4; i++) all &= same_lane(32, got.u32[i], want.u32[i], odd);
    else
        for (u32 i = 0; i < 2; i++) all &= same_lane(64, got.u64[i], want.u64[i], odd);
    return all;
}

static void show(const Cell *cells, u32 count, char *text, size_t size) {
    size_t at = 0;
    for (u32 i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, size - at, " %016llx.%016llx",
                               (unsigned long long)cells[i].u64[1],
                               (unsigned long long)cells[i].u64[0]);
}

static void run_case(const Target *target, const Case *c, u32 rounds) {
    u32 (*code)(const Cell *, Cell *) = (u32(*)(const Cell *, Cell *))(uintptr_t)c->address;
    random_state = 0x9E3779B97F4A7C15u + c->op;
    for (u32 round = 0; round < rounds; round++) {
        Cell in[4], got[2] = {{{0}}}, want[2] = {{{0}}};
        for (u32 i = 0; i < 4; i++) in[i] = random_cell();
        if (round % 16 == 0) in[1] = in[0];
        if (c->constant_at >= 0) in[c->constant_at] = c->constant;
        u32 trap = references[c->op](in, c->lane, c->lanes, want);
        u32 got_trap = code(in, got);
        if (trap != WR_TRAP_NONE) memset(want, 0, sizeof want);
        bool right = trap == got_trap && same(c->op, got[0], want[0], in) &&
                     same(c->op, got[1], want[1], in);
        if (right) continue;
        char operands[256], results[128], expected[128];
        show(in, 4, operands, sizeof operands);
        show(got, 2, results, sizeof results);
        show(want, 2, expected, sizeof expected);
        cr_assert(right, "%s lane %u (%s; constant %d):%s: trap %u,%s, not %u,%s",
                  wr_op_text(c->op), c->lane, target->name, c->constant_at, operands, got_trap,
                  results, trap, expected);
    }
}

/* ---- all instructions ---- */

enum { MAX_CASES = 4096 };
static Case cases[MAX_CASES];
static u32 ncases;

static Case *add_case(Opcode op) {
    cr_assert_lt(ncases, MAX_CASES);
    cases[ncases] = (Case){.op = op, .constant_at = -1};
    return &cases[ncases++];
}

static u32 lane_count(Opcode op) {
    const char *text = wr_op_text(op);
    return (u32)atoi(strchr(text, 'x') + 1);
}

static void add_cases(Opcode op) {
    u8 imm = wr_op_info[op].imm;
    if (imm == IMM_LANE) {
        for (u32 i = 0; i < lane_count(op); i++) add_case(op)->lane = (u8)i;
    } else if (imm == IMM_SHUFFLE) {
        for (u32 i = 0; i < 24; i++) {
            Case *c = add_case(op);
            for (u32 k = 0; k < 16; k++)
                c->lanes[k] = i < 8 ? (u8)(k + i * 2) & 31 : (u8)(random_bits() % 32);
        }
    } else {
        add_case(op);
    }
}

/* Constants with which optimisers know shortcuts. */
static void add_constant_cases(Opcode op) {
    static const f64 numbers[] = {0.0, -0.0, 1.0, -1.0, 2.0, 0.5};
    const char *sig = wr_op_sig(op), *text = wr_op_text(op);
    if (strncmp(sig, "ff", 2) != 0 && strncmp(sig, "FF", 2) != 0 && strncmp(sig, "vv>", 3) != 0 &&
        strncmp(sig, "ii", 2) != 0 && strncmp(sig, "II>", 3) != 0)
        return;
    bool is_32 = strncmp(text, "f32", 3) == 0, is_float = text[0] == 'f';
    for (u32 i = 0; i < ARRAY_LEN(numbers) * 2; i++) {
        Case *c = add_case(op);
        c->constant_at = i & 1;
        for (u32 k = 0; k < 16; k++) c->lanes[k] = (u8)(random_bits() % 32);
        for (u32 k = 0; k < 4 && is_32; k++) c->constant.f32[k] = (f32)numbers[i / 2];
        for (u32 k = 0; k < 2 && is_float && !is_32; k++) c->constant.f64[k] = numbers[i / 2];
        if (!is_float) c->constant = i < 4 ? random_cell() : (Cell){.u64 = {i / 2 - 3, ~(u64)0}};
    }
}

static void collect(void) {
    random_state = 1;
    ncases = 0;
    for (u32 op = 0; op < OP_COUNT; op++) {
        if (references[op] == NULL) continue;
        add_cases((Opcode)op);
        add_constant_cases((Opcode)op);
    }
}

static void lower_all(Unit *unit) {
    for (u32 i = 0; i < ncases; i++) {
        char name[16];
        snprintf(name, sizeof name, "case%u", i);
        lower_case(unit, name, &cases[i]);
    }
    char *message = NULL;
    cr_assert(!LLVMVerifyModule(unit->module, LLVMReturnStatusAction, &message), "%s", message);
    LLVMDisposeMessage(message);
}

static void optimise(Unit *unit) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(unit->module, "default<O2>", NULL, options);
    cr_assert_null(error);
    LLVMDisposePassBuilderOptions(options);
}

static void check_target(const Target *target, bool optimised) {
    Plan plan = {.triple = target->triple, .cpu = "x86-64", .features = target->features};
    Unit unit;
    collect();
    begin_unit(&unit, &plan);
    LLVMSetTarget(unit.module, target->triple);
    lower_all(&unit);
    if (optimised) optimise(&unit);
    LLVMExecutionEngineRef engine = NULL;
    char *message = NULL;
    struct LLVMMCJITCompilerOptions options;
    LLVMInitializeMCJITCompilerOptions(&options, sizeof options);
    options.OptLevel = optimised ? 2 : 0;
    cr_assert(
        !LLVMCreateMCJITCompilerForModule(&engine, unit.module, &options, sizeof options, &message),
        "%s", message);
    for (u32 i = 0; i < ncases; i++) {
        char name[16];
        snprintf(name, sizeof name, "case%u", i);
        cases[i].address = LLVMGetFunctionAddress(engine, name);
        cr_assert_neq(cases[i].address, 0);
        run_case(target, &cases[i], cases[i].constant_at >= 0 ? 300 : 2000);
    }
    LLVMDisposeExecutionEngine(engine);
    LLVMContextDispose(unit.context);
}

static void setup(void) {
    LLVMInitializeNativeTarget();
    LLVMInitializeNativeAsmPrinter();
    LLVMLinkInMCJIT();
}

static char *host_features;
/* A library's string, which lives as long as the test. */
static char *host_triple;

static void forget_triple(void) {
    LLVMDisposeMessage(host_triple);
    host_triple = NULL;
}

static const char *triple(void) {
    if (host_triple == NULL) host_triple = LLVMGetDefaultTargetTriple();
    return host_triple;
}

static Target host_target(void) {
    host_features = LLVMGetHostCPUFeatures();
    return (Target){"host", triple(), host_features};
}

Test(lower_ops, host, .init = setup, .fini = forget_triple) {
    Target target = host_target();
    check_target(&target, true);
    check_target(&target, false);
}

/* The least that the architecture has. */
Test(lower_ops, baseline, .init = setup, .fini = forget_triple) {
    Target target = {"baseline", triple(), ""};
    check_target(&target, true);
}

Test(lower_ops, sse4, .init = setup, .fini = forget_triple) {
    Target target = {"SSE4.1", triple(), "+sse3,+ssse3,+sse4.1"};
    check_target(&target, true);
}
