/*
 * test_interp.c - what the interpreter promises beyond results: where traps are, how deep calls go, what
 * is charged for, and that control may pass between instances and kinds of functions.
 */
#include "embed_support.h"
#include "opcode.h"

enum { T_I32_ = 0x7F, T_I64_ = 0x7E, T_F32_ = 0x7D, T_F64_ = 0x7C, T_V128_ = 0x7B };

static wr_config_t *with_mode(wr_memory_mode_t mode) {
    wr_config_t *config = wr_config_new();
    cr_assert_not_null(config);
    wr_config_set_memory_mode(config, mode);
    return config;
}

/* A module with one page of memory, its own or that of module "m", and one exported function "f" of type
 * [i32] -> [] whose code (without local declarations and final end) is `code`. Returns the offset of
 * the code. */
static size_t one_function_in(Wasm *w, bool imports_memory, const u8 *code, size_t size) {
    *w = wasm_begin();
    SECTION(w, 1, 1, 0x60, 1, T_I32_, 0);
    if (imports_memory) SECTION(w, 2, 1, 1, 'm', 1, 'm', 2, 0, 1);
    SECTION(w, 3, 1, 0);
    if (!imports_memory) SECTION(w, 5, 1, 0, 1);
    SECTION(w, 7, 1, 1, 'f', 0, 0);
    wasm_open(w, 10);
    BYTES(w, 1);
    wasm_u32(w, (u32)size + 2);
    BYTES(w, 0);
    size_t start = w->size;
    wasm_bytes(w, code, size);
    BYTES(w, 0x0B);
    wasm_close(w);
    return start;
}

static size_t one_function(Wasm *w, const u8 *code, size_t size) {
    return one_function_in(w, false, code, size);
}

static wr_error_t *call_f(Bench *b, const Wasm *w, i32 argument) {
    wr_instance_t *instance = NULL;
    must(try_instantiate(b, w, &instance));
    wr_val_t arg = {.kind = WR_I32, .of.i32 = argument};
    return wr_func_call(b->store, wr_instance_func(instance, "f"), &arg, 1, NULL, 0);
}

/* ---- where traps are ---- */

typedef struct Code {
    u8 bytes[128];
    size_t size;
} Code_;

static void put(Code_ *c, const void *bytes, size_t size) {
    memcpy(c->bytes + c->size, bytes, size);
    c->size += size;
}
#define PUT(c, ...) put(c, BYTES_OF(__VA_ARGS__))

static void put_constant(Code_ *c, char letter) {
    static const u8 zeros[16];
    switch (letter) {
    case 'i': PUT(c, 0x41, 0); break;
    case 'I': PUT(c, 0x42, 0); break;
    case 'f': PUT(c, 0x43), put(c, zeros, 4); break;
    case 'F': PUT(c, 0x44), put(c, zeros, 8); break;
    default: PUT(c, 0xFD, 12), put(c, zeros, 16); break;
    }
}

static void put_opcode(Code_ *c, const OpInfo *info) {
    if (info->prefix != 0) PUT(c, info->prefix);
    if (info->prefix != 0 && info->code >= 0x80)
        PUT(c, (u8)(info->code | 0x80), (u8)(info->code >> 7));
    else
        PUT(c, (u8)info->code);
}

/* local.get 0, perhaps through a block (which leaves it in memory), operands, the access, drop. The
 * offset's length in bytes chooses among fast and general paths. Returns where the access is. */
static size_t put_access(Code_ *c, Opcode op, bool through_block, unsigned offset_bytes) {
    const OpInfo *info = &wr_op_info[op];
    const char *sig = wr_op_sig(op);
    if (through_block)
        PUT(c, 0x02, T_I32_, 0x20, 0, 0x0B);
    else
        PUT(c, 0x20, 0);
    for (const char *p = sig + 1; *p != '>'; p++) put_constant(c, *p);
    if (through_block && sig[1] != '>') PUT(c, 0x01);
    size_t at = c->size;
    put_opcode(c, info);
    PUT(c, info->align);
    for (unsigned i = 1; i < offset_bytes; i++) PUT(c, 0x80);
    PUT(c, 0);
    if (info->imm == IMM_MEMARG_LANE) PUT(c, 0);
    if (strchr(sig, '>')[1] != 0) PUT(c, 0x1A);
    return at;
}

static void check_access(Bench *b, Opcode op, bool through_block, unsigned offset_bytes) {
    const OpInfo *info = &wr_op_info[op];
    const char *text = wr_op_text(op);
    Code_ c = {.size = 0};
    Wasm w;
    size_t at = put_access(&c, op, through_block, offset_bytes);
    size_t start = one_function_in(&w, true, c.bytes, c.size);
    must(call_f(b, &w, 65536 - (1 << info->align)));
    for (int i = 0; i < 2; i++) {
        wr_error_t *error = call_f(b, &w, i == 0 ? 65536 : -(1 << info->align));
        wr_frame_t frame;
        cr_assert_not_null(error, "%s", text);
        cr_assert_eq(wr_error_trap_code(error), WR_TRAP_MEMORY_OUT_OF_BOUNDS, "%s", text);
        cr_assert_eq(wr_error_frame_count(error), 1, "%s", text);
        cr_assert(wr_error_frame(error, 0, &frame));
        cr_assert_eq(frame.module_offset, start + at, "%s: at %llu, not %zu", text,
                     (unsigned long long)frame.module_offset, start + at);
        wr_error_delete(error);
    }
}

/* All functions share one memory: thousands of reservations are too much for an emulator. */
static void check_accesses(wr_memory_mode_t mode) {
    Bench b = bench_new(with_mode(mode));
    Wasm w = wasm_begin();
    SECTION(&w, 5, 1, 0, 1);
    SECTION(&w, 7, 1, 1, 'm', 2, 0);
    must(wr_linker_define_instance(b.linker, "m", instantiate(&b, &w)));
    for (u32 op = 0; op < OP_COUNT; op++) {
        const OpInfo *info = &wr_op_info[op];
        if ((info->imm != IMM_MEMARG && info->imm != IMM_MEMARG_LANE) || info->prefix == 0xFE)
            continue;
        for (unsigned bytes = 1; bytes <= 3; bytes++) {
            check_access(&b, (Opcode)op, false, bytes);
            check_access(&b, (Opcode)op, true, bytes);
        }
    }
    bench_delete(&b);
}

Test(interp, guarded_accesses_trap_where_they_are) { check_accesses(WR_MEMORY_GUARD); }
Test(interp, checked_accesses_trap_where_they_are) { check_accesses(WR_MEMORY_EXPLICIT); }

Test(interp, large_offsets_are_checked) {
    for (int mode = WR_MEMORY_GUARD; mode <= WR_MEMORY_EXPLICIT; mode++) {
        Bench b = bench_new(with_mode((wr_memory_mode_t)mode));
        Wasm w;
        static const u8 code[] = {0x20, 0, 0x28, 2, 0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0x1A};
        one_function(&w, code, sizeof code);
        must_trap(call_f(&b, &w, 0), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
        must_trap(call_f(&b, &w, -1), WR_TRAP_MEMORY_OUT_OF_BOUNDS);
        bench_delete(&b);
    }
}

/* ---- calls ---- */

/* f(n): if n == 0 return, else [return_]call f(n - 1). */
static void countdown(Wasm *w, u8 call) {
    const u8 code[] = {0x20, 0, 0x45, 0x04, 0x40, 0x0F, 0x0B, 0x20, 0, 0x41, 1, 0x6B, call, 0};
    one_function(w, code, sizeof code);
}

Test(interp, tail_calls_use_no_stack) {
    Bench b = bench_new(NULL);
    Wasm w;
    countdown(&w, 0x12);
    must(call_f(&b, &w, 3000000));
    bench_delete(&b);
}

Test(interp, deep_calls_end_in_a_trap) {
    wr_config_t *config = wr_config_new();
    wr_config_set_max_stack(config, 1 << 16);
    Bench b = bench_new(config);
    Wasm w;
    countdown(&w, 0x10);
    must(call_f(&b, &w, 500));
    wr_error_t *error = call_f(&b, &w, 1 << 20);
    cr_assert_gt(wr_error_frame_total(error), 500);
    cr_assert_leq(wr_error_frame_count(error), 128);
    must_trap(error, WR_TRAP_STACK_EXHAUSTED);
    must(call_f(&b, &w, 500));
    bench_delete(&b);
}

/* ---- fuel: one unit a byte of code, whichever way control goes ---- */

static u64 cost(Bench *b, const Wasm *w, i32 argument) {
    wr_store_set_fuel(b->store, 1000000);
    must(call_f(b, w, argument));
    u64 left = wr_store_fuel(b->store);
    wr_store_set_fuel(b->store, UINT64_MAX);
    return 1000000 - left;
}

Test(interp, fuel_counts_bytes_of_code) {
    Bench b = bench_new(NULL);
    Wasm w;
    static const u8 straight[] = {0x20, 0, 0x1A, 0x01, 0x01};
    one_function(&w, straight, sizeof straight);
    cr_assert_eq(cost(&b, &w, 0), 5 + 1);
    /* loop: local.get 0; i32.const 1; i32.sub; local.tee 0; br_if 0; end: seven bytes to the branch */
    static const u8 loop[] = {0x03, 0x40, 0x20, 0, 0x41, 1, 0x6B, 0x22, 0, 0x0D, 0, 0x0B};
    one_function(&w, loop, sizeof loop);
    u64 once = cost(&b, &w, 1), many = cost(&b, &w, 101);
    cr_assert_eq(many - once, 100 * (7 + 1));
    countdown(&w, 0x10);
    once = cost(&b, &w, 1), many = cost(&b, &w, 11);
    cr_assert_eq((many - once) % 10, 0);
    cr_assert_gt(many, once);
    bench_delete(&b);
}

Test(interp, fuel_stops_loops_and_calls_and_bulk_work) {
    Bench b = bench_new(NULL);
    Wasm w;
    static const u8 loop[] = {0x03, 0x40, 0x0C, 0, 0x0B};
    one_function(&w, loop, sizeof loop);
    wr_store_set_fuel(b.store, 1000);
    must_trap(call_f(&b, &w, 0), WR_TRAP_OUT_OF_FUEL);
    countdown(&w, 0x12);
    wr_store_set_fuel(b.store, 1000);
    must_trap(call_f(&b, &w, -1), WR_TRAP_OUT_OF_FUEL);
    /* loop memory.fill of a page */
    static const u8 fill[] = {0x03, 0x40, 0x41, 0,  0x41, 0,    0x41, 0x80,
                              0x80, 4,    0xFC, 11, 0,    0x0C, 0,    0x0B};
    one_function(&w, fill, sizeof fill);
    wr_store_set_fuel(b.store, 100000);
    must_trap(call_f(&b, &w, 0), WR_TRAP_OUT_OF_FUEL);
    bench_delete(&b);
}

/* ---- functions with v128 locals beside others ---- */

Test(interp, wide_and_narrow_functions_call_each_other) {
    Bench b = bench_new(NULL);
    Wasm w = wasm_begin();
    SECTION(&w, 1, 1, 0x60, 1, T_I32_, 1, T_I32_);
    SECTION(&w, 3, 2, 0, 0);
    SECTION(&w, 7, 1, 1, 'f', 0, 0);
    wasm_open(&w, 10);
    BYTES(&w, 2);
    /* f: calls wide, adds 1 */
    BODY(&w, 0, 0x20, 0, 0x10, 1, 0x41, 1, 0x6A, 0x0B);
    /* wide: local 1 is a v128, 2 an i32; recurses into f while the argument is not 0 */
    BODY(&w, 2, 1, T_V128_, 1, T_I32_, 0x20, 0, 0xFD, 17, 0x21, 1, 0x41, 5, 0x21, 2, 0x20, 0, 0x04,
         T_I32_, 0x20, 0, 0x41, 1, 0x6B, 0x10, 0, 0x05, 0x41, 0, 0x0B, 0x20, 1, 0xFD, 27, 3, 0x6A,
         0x20, 2, 0x6A, 0x20, 1, 0x1A, 0x0B);
    wasm_close(&w);
    wr_instance_t *instance = NULL;
    must(try_instantiate(&b, &w, &instance));
    wr_val_t arg = {.kind = WR_I32, .of.i32 = 3}, result;
    must(wr_func_call(b.store, wr_instance_func(instance, "f"), &arg, 1, &result, 1));
    /* wide(n) = n + 5 + (n ? f(n - 1) : 0), f(n) = wide(n) + 1 */
    cr_assert_eq(result.of.i32, (3 + 2 + 1 + 0) + 4 * 5 + 4);
    bench_delete(&b);
}

/* ---- side entries that do not fit 8 bytes ---- */

Test(interp, branches_may_drop_and_keep_many_values) {
    Bench b = bench_new(NULL);
    Wasm w = wasm_begin();
    SECTION(&w, 1, 2, 0x60, 0, 1, T_I32_, 0x60, 0, 2, T_I32_, T_I32_);
    SECTION(&w, 3, 1, 0);
    SECTION(&w, 7, 1, 1, 'f', 0, 0);
    static u8 code[2048];
    size_t n = 0;
    code[n++] = 0;
    code[n++] = 0x02, code[n++] = 1; /* block [] -> [i32 i32] */
    for (int i = 0; i < 400; i++) code[n++] = 0x41, code[n++] = (u8)(i & 0x3F);
    code[n++] = 0x41, code[n++] = 40, code[n++] = 0x41, code[n++] = 2;
    code[n++] = 0x0C, code[n++] = 0, code[n++] = 0x0B, code[n++] = 0x6A, code[n++] = 0x0B;
    wasm_open(&w, 10);
    BYTES(&w, 1);
    wasm_sized(&w, code, n);
    wasm_close(&w);
    wr_instance_t *instance = NULL;
    must(try_instantiate(&b, &w, &instance));
    wr_val_t result;
    must(wr_func_call(b.store, wr_instance_func(instance, "f"), NULL, 0, &result, 1));
    cr_assert_eq(result.of.i32, 42);
    bench_delete(&b);
}
