/*
 * lower.c - see lower.h: one body from its first instruction to its last, and what all kinds of
 * instructions need: operands, fields of the store's objects, traps, helpers.
 */
#include "lower.h"

#include <stdio.h>

#include "counted.h"
#include "live.h"
#include "side_table.h"
#include "state.h"

/* ---- helpers.def as a table ---- */

/* Their signatures: "result=parameters". */
static const char *const helpers[] = {
#define HELPER(id, function, signature, flags) signature,
#include "helpers.def"
#undef HELPER
};

static LLVMTypeRef letter_type(const Unit *u, char letter) {
    switch (letter) {
    case 'v': return u->none;
    case 'I': return u->i64;
    case 'f': return u->f32;
    case 'd': return u->f64;
    case 'i':
    case 't':
    case 'x': return u->i32;
    default: return u->ptr;
    }
}

static LLVMTypeRef helper_type(const Unit *u, const char *signature) {
    LLVMTypeRef params[8];
    u32 n = 0;
    for (const char *p = signature + 2; *p != 0; p++) params[n++] = letter_type(u, *p);
    return LLVMFunctionType(letter_type(u, signature[0]), params, n, 0);
}

/* ---- operands ---- */

LLVMValueRef wr_lower_pop(Lower *l) {
    if (LIKELY(l->height > 0)) return l->stack[--l->height];
    l->failed = true; /* valid code does not come here */
    return wr_lower_i32(l, 0);
}

void wr_lower_push(Lower *l, LLVMValueRef value) {
    if (UNLIKELY(l->height == l->capacity))
        l->failed = true;
    else
        l->stack[l->height++] = value;
}

LLVMValueRef wr_lower_i32(const Lower *l, u32 value) {
    return LLVMConstInt(l->unit->i32, value, 0);
}
LLVMValueRef wr_lower_i64(const Lower *l, u64 value) {
    return LLVMConstInt(l->unit->i64, value, 0);
}

LLVMBasicBlockRef wr_lower_block(Lower *l) {
    return LLVMAppendBasicBlockInContext(l->unit->context, l->function, "");
}

/* ---- fields ---- */

LLVMValueRef wr_lower_field(Lower *l, LLVMValueRef base, u64 offset) {
    if (offset == 0) return base;
    LLVMValueRef at = wr_lower_i64(l, offset);
    return LLVMBuildInBoundsGEP2(l->b, l->unit->i8, base, &at, 1, "");
}

LLVMValueRef wr_lower_load(Lower *l, LLVMTypeRef type, LLVMValueRef address, LLVMValueRef tbaa) {
    LLVMValueRef load = LLVMBuildLoad2(l->b, type, address, "");
    LLVMSetMetadata(load, l->unit->kind_tbaa, tbaa);
    if (type == l->unit->v128) LLVMSetAlignment(load, 8);
    return load;
}

LLVMValueRef wr_lower_load_fixed(Lower *l, LLVMTypeRef type, LLVMValueRef base, u64 offset) {
    LLVMValueRef load =
        wr_lower_load(l, type, wr_lower_field(l, base, offset), l->unit->tbaa_instance);
    LLVMSetMetadata(load, l->unit->kind_invariant, l->unit->invariant);
    return load;
}

LLVMValueRef wr_lower_entity(Lower *l, size_t array, u32 index) {
    LLVMValueRef pointers = wr_lower_load_fixed(l, l->unit->ptr, l->context, array);
    return wr_lower_load_fixed(l, l->unit->ptr, pointers, (u64)index * sizeof(void *));
}

void wr_lower_store(Lower *l, LLVMValueRef value, LLVMValueRef address, LLVMValueRef tbaa,
                    bool is_volatile) {
    LLVMValueRef store = LLVMBuildStore(l->b, value, address);
    LLVMSetMetadata(store, l->unit->kind_tbaa, tbaa);
    LLVMSetVolatile(store, is_volatile);
    if (LLVMTypeOf(value) == l->unit->v128) LLVMSetAlignment(store, 8);
}

/* Of the instance, read once, in the entry block, when the first one asks: it never changes. */
static LLVMValueRef read_once(Lower *l, LLVMValueRef *cache, size_t offset) {
    if (*cache != NULL) return *cache;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    LLVMPositionBuilderAtEnd(l->b, l->entry);
    *cache = wr_lower_load_fixed(l, l->unit->ptr, l->context, offset);
    LLVMPositionBuilderAtEnd(l->b, here);
    return *cache;
}

LLVMValueRef wr_lower_native(Lower *l) {
    if (l->native != NULL) return l->native;
    return wr_lower_load_fixed(l, l->unit->ptr, l->context, offsetof(struct wr_instance, native));
}
LLVMValueRef wr_lower_heap_base(Lower *l) {
    return read_once(l, &l->heap_base, offsetof(struct wr_instance, heap_base));
}
LLVMValueRef wr_lower_memory_base(Lower *l) {
    return read_once(l, &l->memory_base, offsetof(struct wr_instance, mem_base));
}

/* ---- slots ---- */

LLVMValueRef wr_lower_values(Lower *l) {
    return wr_lower_field(l, wr_lower_native(l), offsetof(Native, values));
}

LLVMValueRef wr_lower_widen(Lower *l, LLVMValueRef value) {
    const Unit *u = l->unit;
    LLVMTypeRef type = LLVMTypeOf(value);
    if (type == u->f32) value = LLVMBuildBitCast(l->b, value, u->i32, "");
    if (type == u->f32 || type == u->i32) return LLVMBuildZExt(l->b, value, u->i64, "");
    return value;
}

void wr_lower_store_slot(Lower *l, LLVMValueRef slots, u32 index, LLVMValueRef value) {
    LLVMValueRef at = wr_lower_field(l, slots, (u64)index * sizeof(Slot));
    wr_lower_store(l, wr_lower_widen(l, value), at, l->unit->tbaa_values, false);
}

LLVMValueRef wr_lower_load_slot(Lower *l, LLVMValueRef slots, u32 index, LLVMTypeRef type) {
    LLVMValueRef at = wr_lower_field(l, slots, (u64)index * sizeof(Slot));
    return wr_lower_load(l, type, at, l->unit->tbaa_values);
}

/* One array serves all instructions of the function that need no more. */
LLVMValueRef wr_lower_slots(Lower *l, u32 count) {
    if (l->slots != NULL && count <= l->nslots) return l->slots;
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    LLVMPositionBuilderAtEnd(l->b, l->entry);
    l->nslots = count < 8 ? 8 : count;
    l->slots = LLVMBuildAlloca(l->b, LLVMArrayType2(l->unit->i64, l->nslots), "");
    LLVMPositionBuilderAtEnd(l->b, here);
    return l->slots;
}

/* ---- leaving ---- */

LLVMBasicBlockRef wr_lower_unlikely(Lower *l, LLVMValueRef condition, LLVMBasicBlockRef *likely) {
    LLVMBasicBlockRef cold = wr_lower_block(l);
    *likely = wr_lower_block(l);
    LLVMMoveBasicBlockAfter(*likely, LLVMGetInsertBlock(l->b));
    LLVMValueRef branch = LLVMBuildCondBr(l->b, condition, cold, *likely);
    LLVMSetMetadata(branch, l->unit->kind_prof, l->unit->unlikely);
    wr_lower_fuel_flow(l, *likely);
    LLVMPositionBuilderAtEnd(l->b, cold);
    return cold;
}

static LLVMValueRef load_helper(Lower *l, LLVMValueRef native, NativeHelper helper) {
    return wr_lower_load_fixed(l, l->unit->ptr, native,
                               offsetof(Native, helpers) + (u64)helper * sizeof(void *));
}

void wr_lower_trap(Lower *l, LLVMValueRef code) {
    wr_lower_fuel_trap(l);
    LLVMValueRef native = wr_lower_native(l);
    LLVMValueRef arguments[] = {native, code, wr_lower_i32(l, (u32)l->offset)};
    LLVMValueRef call = LLVMBuildCall2(l->b, helper_type(l->unit, helpers[HELPER_TRAP]),
                                       load_helper(l, native, HELPER_TRAP), arguments, 3, "");
    wr_unit_call_flag(l->unit, call, "noreturn");
    wr_unit_call_flag(l->unit, call, "nounwind");
    wr_unit_call_flag(l->unit, call, "cold");
    wr_unit_call_flag(l->unit, call, "nomerge"); /* inlined twice, it has two places */
    LLVMBuildUnreachable(l->b);
}

void wr_lower_trap_if(Lower *l, LLVMValueRef condition, wr_trap_code_t code) {
    if (LLVMIsNull(condition)) return;
    LLVMBasicBlockRef likely;
    wr_lower_unlikely(l, condition, &likely);
    wr_lower_trap(l, wr_lower_i32(l, code));
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* ---- helpers ---- */

LLVMValueRef wr_lower_invoke(Lower *l, LLVMTypeRef type, LLVMValueRef function,
                             LLVMValueRef *arguments, u32 count, unsigned convention) {
    LLVMBasicBlockRef pad = l->place != NULL ? wr_state_pad(l, l->place) : wr_lower_pad(l);
    LLVMValueRef call;
    if (pad == NULL) {
        call = LLVMBuildCall2(l->b, type, function, arguments, count, "");
    } else {
        LLVMBasicBlockRef next = wr_lower_block(l);
        LLVMMoveBasicBlockAfter(next, LLVMGetInsertBlock(l->b));
        call = LLVMBuildInvoke2(l->b, type, function, arguments, count, next, pad, "");
        LLVMPositionBuilderAtEnd(l->b, next);
    }
    LLVMSetInstructionCallConv(call, convention);
    wr_unit_call_flag(l->unit, call, "nomerge"); /* backtraces tell its place */
    return call;
}

void wr_lower_leave(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count) {
    LLVMValueRef all[8] = {wr_lower_native(l)};
    for (u32 i = 0; i < count; i++) all[i + 1] = arguments[i];
    if (helper == HELPER_RAISE) all[++count] = wr_lower_i32(l, (u32)l->offset);
    LLVMValueRef call =
        wr_lower_invoke(l, helper_type(l->unit, helpers[helper]), load_helper(l, all[0], helper),
                        all, count + 1, LLVMCCallConv);
    wr_unit_call_flag(l->unit, call, "noreturn");
    wr_unit_call_flag(l->unit, call, "cold");
    LLVMBuildUnreachable(l->b);
}

/* What its status asks for, 0 being nothing. */
static void check_status(Lower *l, LLVMValueRef status, bool is_trap) {
    LLVMBasicBlockRef likely;
    LLVMValueRef bad = LLVMBuildICmp(l->b, LLVMIntNE, status, wr_lower_i32(l, 0), "");
    wr_lower_unlikely(l, bad, &likely);
    if (is_trap)
        wr_lower_trap(l, status);
    else
        wr_lower_leave(l, HELPER_RAISE, NULL, 0);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

LLVMValueRef wr_lower_ask(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count) {
    const char *signature = helpers[helper];
    LLVMValueRef native = wr_lower_native(l), all[8];
    u32 n = 0;
    if (signature[2] == 'c') all[n++] = l->context;
    if (signature[2] == 'n') all[n++] = native;
    for (u32 i = 0; i < count; i++) all[n++] = arguments[i];
    LLVMValueRef call = LLVMBuildCall2(l->b, helper_type(l->unit, signature),
                                       load_helper(l, native, helper), all, n, "");
    wr_unit_call_flag(l->unit, call, "nounwind");
    /* as above; of exit thunks, which are inlined, too */
    wr_unit_call_flag(l->unit, call, "nomerge");
    return call;
}

LLVMValueRef wr_lower_helper(Lower *l, NativeHelper helper, LLVMValueRef *arguments, u32 count) {
    LLVMValueRef call = wr_lower_ask(l, helper, arguments, count);
    char result = helpers[helper][0];
    if (result == 't' || result == 'x') check_status(l, call, result == 't');
    return call;
}

/* The load is volatile and not atomic: so it can be a part of the test. */
LLVMValueRef wr_lower_asked(Lower *l, u32 bits) {
    Unit *u = l->unit;
    LLVMValueRef store =
        wr_lower_load_fixed(l, u->ptr, l->context, offsetof(struct wr_instance, store));
    LLVMValueRef at = wr_lower_field(l, store, offsetof(struct wr_store, interrupt));
    LLVMValueRef flags = wr_lower_load(l, u->i8, at, u->tbaa_instance);
    LLVMSetVolatile(flags, true);
    flags = LLVMBuildAnd(l->b, flags, LLVMConstInt(u->i8, bits, 0), "");
    return LLVMBuildICmp(l->b, LLVMIntNE, flags, LLVMConstNull(u->i8), "");
}

/* ---- instructions ---- */

/* Whether the topmost operand tells how much there is to do, which is paid for. */
static bool is_bulk(Opcode op) {
    switch ((unsigned)op) {
    case OP_MEMORY_FILL:
    case OP_MEMORY_COPY:
    case OP_MEMORY_INIT:
    case OP_TABLE_FILL:
    case OP_TABLE_COPY:
    case OP_TABLE_INIT:
    case OP_ARRAY_NEW:
    case OP_ARRAY_NEW_DEFAULT:
    case OP_ARRAY_NEW_DATA:
    case OP_ARRAY_NEW_ELEM:
    case OP_ARRAY_FILL:
    case OP_ARRAY_COPY:
    case OP_ARRAY_INIT_DATA:
    case OP_ARRAY_INIT_ELEM: return true;
    default: return false;
    }
}

static bool lower_instruction(Lower *l) {
    Opcode op = l->at.op;
    if (is_bulk(op)) wr_lower_fuel_bulk(l);
    return wr_lower_variable(l, op) || wr_lower_numeric(l, op) || wr_lower_memory(l, op) ||
           wr_lower_control(l, op) || wr_lower_call(l, op) || wr_lower_table(l, op) ||
           wr_lower_simd(l, op) || wr_lower_ref(l, op) || wr_lower_gc(l, op) ||
           wr_lower_exception(l, op);
}

/* Whether an instruction has to be lowered although no block is open: it begins or ends a part of the innermost
 * label's block. */
static bool resumes(Lower *l) {
    u8 kind = wr_op_info[l->at.op].imm;
    if (kind == IMM_BLOCK || kind == IMM_TRY_TABLE) {
        l->skipped += 1;
        return false;
    }
    if (l->at.op == OP_END || l->at.op == OP_DELEGATE) {
        if (l->skipped == 0) return true;
        l->skipped -= 1;
        return false;
    }
    return l->skipped == 0 &&
           (l->at.op == OP_ELSE || l->at.op == OP_CATCH || l->at.op == OP_CATCH_ALL);
}

void wr_lower_locate(Lower *l, u64 offset) {
    l->offset = offset;
    LLVMMetadataRef at =
        LLVMDIBuilderCreateDebugLocation(l->unit->context, (unsigned)offset, 0, l->scope, NULL);
    LLVMSetCurrentDebugLocation2(l->b, at);
}

static void lower_code(Lower *l) {
    Reader r = {.pos = l->code->start, .end = l->code->end, .base = l->module->bytes};
    while (!l->failed && wr_instr_next(&r, &l->at)) {
        if (!l->unreachable || resumes(l)) {
            wr_lower_locate(l, wr_module_offset(l->module, l->at.start));
            if (!lower_instruction(l)) l->failed = true;
        }
        l->entry_index += wr_side_count(&l->at);
    }
    if (r.error != NULL || l->entry_index != l->code->nside) l->failed = true;
    wr_error_delete(r.error);
}

/* ---- locals ---- */

void wr_lower_add_local(Lower *l, u32 index, ValType type) {
    l->local_types[index] = wr_unit_type(l->unit, type);
    l->local_valtypes[index] = type;
    l->locals[index] = LLVMBuildAlloca(l->b, l->local_types[index], "");
}

static LLVMValueRef parameter(Lower *l, u32 index, u32 direct, u32 slot) {
    if (index < direct) return LLVMGetParam(l->function, index + 1 + l->is_counted);
    return wr_lower_load_slot(l, wr_lower_values(l), slot, l->local_types[index]);
}

static void lower_locals(Lower *l) {
    const DefType *type = l->decl->type;
    u32 n = 0, slot = 0, direct = native_direct(type);
    if (l->frame != NULL) {
        wr_lower_frame_locals(l);
        return;
    }
    for (; n < type->nparams; n++) {
        wr_lower_add_local(l, n, type->types[n]);
        LLVMBuildStore(l->b, parameter(l, n, direct, slot), l->locals[n]);
        if (n >= direct) slot += type_slots(type->types[n]);
    }
    for (u32 run = 0; run < l->code->nruns; run++) {
        for (u32 i = 0; i < l->code->runs[run].count; i++, n++) {
            wr_lower_add_local(l, n, l->code->runs[run].type);
            LLVMBuildStore(l->b, LLVMConstNull(l->local_types[n]), l->locals[n]);
        }
    }
}

/* ---- functions ---- */

static void lower_scope(Lower *l, const char *name) {
    const Unit *u = l->unit;
    unsigned line = (unsigned)wr_module_offset(l->module, l->code->start);
    l->scope = LLVMDIBuilderCreateFunction(u->debug, u->file, name, strlen(name), name,
                                           strlen(name), u->file, line, u->subroutine_type, 0, 1,
                                           line, LLVMDIFlagZero, u->plan->options.level > 0);
    LLVMSetSubprogram(l->function, l->scope);
}

/* Makes `function` the one that is lowered. */
static bool begin(Lower *l, LLVMValueRef function, bool tail) {
    char name[16];
    u32 nlocals = l->code->nlocals;
    l->function = function;
    wr_unit_attributes(l->unit, l->function);
    char letter = tail ? 't' : l->is_counted ? 'r' : 'f';
    (void)snprintf(name, sizeof name, "%c%u", letter, (unsigned)l->func_index);
    lower_scope(l, name);
    l->context = LLVMGetParam(l->function, 0);
    l->capacity = l->code->max_slots + FRAME_SLACK;
    l->stack = wr_arena_new(&l->arena, l->capacity, sizeof(LLVMValueRef));
    l->locals = wr_arena_new(&l->arena, nlocals, sizeof(LLVMValueRef));
    l->local_types = wr_arena_new(&l->arena, nlocals, sizeof(LLVMTypeRef));
    l->local_valtypes = wr_arena_new(&l->arena, nlocals, sizeof(ValType));
    return l->stack != NULL && l->locals != NULL && l->local_types != NULL &&
           l->local_valtypes != NULL;
}

static void lower_body(Lower *l) {
    static const StatePlace start = {0, 0, 0};
    if (wr_state_is_kept(l) && l->code->nlocals > STATE_LOCALS) {
        l->failed = true;
        return;
    }
    if (wr_state_is_kept(l)) l->live = wr_live_find(&l->arena, l->code, l->module->bytes);
    l->entry = wr_lower_block(l);
    l->body = wr_lower_block(l);
    LLVMBasicBlockRef first = wr_lower_block(l);
    LLVMPositionBuilderAtEnd(l->b, l->entry);
    wr_lower_locate(l, wr_module_offset(l->module, l->code->start));
    lower_locals(l);
    LLVMPositionBuilderAtEnd(l->b, first);
    wr_lower_fuel_begin(l);
    if (wr_lower_enter(l, LABEL_BODY) != NULL) lower_code(l);
    LLVMPositionBuilderAtEnd(l->b, l->entry);
    wr_lower_locate(l, l->frame != NULL ? l->loop : wr_module_offset(l->module, l->code->start));
    if (l->frame != NULL && l->gate == NULL) l->failed = true; /* there is no such loop */
    if (l->failed) return;
    LLVMBuildBr(l->b, l->frame != NULL ? l->gate : l->body);
    LLVMPositionBuilderAtEnd(l->b, l->body);
    if (wr_state_is_kept(l) && l->calls) wr_state_poll(l, &start);
    LLVMBuildBr(l->b, first);
}

/* "f<i>" of a function that makes tail calls. */
static void lower_wrapper(Lower *l) {
    Unit *u = l->unit;
    LLVMValueRef f = wr_unit_function(u, l->func_index, false), arguments[NATIVE_PARAMS + 1];
    LLVMTypeRef type = wr_unit_signature(u, l->decl->type);
    wr_unit_attributes(u, f);
    u32 n = LLVMCountParams(f);
    for (u32 i = 0; i < n; i++) arguments[i] = LLVMGetParam(f, i);
    LLVMSetCurrentDebugLocation2(l->b, NULL);
    LLVMPositionBuilderAtEnd(l->b, LLVMAppendBasicBlockInContext(u->context, f, ""));
    LLVMValueRef call = LLVMBuildCall2(l->b, type, l->function, arguments, n, "");
    LLVMSetInstructionCallConv(call, CC_TAIL);
    wr_unit_call_flag(l->unit, call, "noinline"); /* it has no place in a backtrace of its own */
    if (LLVMGetReturnType(type) == u->none)
        LLVMBuildRetVoid(l->b);
    else
        LLVMBuildRet(l->b, call);
}

/* Back to a declaration, which others in the unit may call. */
static void forget(LLVMValueRef function) {
    LLVMBasicBlockRef block;
    for (block = LLVMGetFirstBasicBlock(function); block; block = LLVMGetNextBasicBlock(block)) {
        LLVMValueRef instruction;
        while ((instruction = LLVMGetLastInstruction(block)) != NULL) {
            if (LLVMGetTypeKind(LLVMTypeOf(instruction)) != LLVMVoidTypeKind)
                LLVMReplaceAllUsesWith(instruction, LLVMGetUndef(LLVMTypeOf(instruction)));
            LLVMInstructionEraseFromParent(instruction);
        }
    }
    while ((block = LLVMGetFirstBasicBlock(function)) != NULL) LLVMDeleteBasicBlock(block);
    LLVMSetSubprogram(function, NULL);
    LLVMSetPersonalityFn(function, NULL);
}

static Lower lower_of(Unit *unit, u32 func_index) {
    const Module *m = unit->plan->module;
    Lower l = {.unit = unit,
               .module = m,
               .code = wr_module_code(m, func_index),
               .decl = &m->funcs[func_index],
               .func_index = func_index};
    wr_arena_init(&l.arena, &m->engine->alloc);
    l.b = LLVMCreateBuilderInContext(unit->context);
    return l;
}

static void lower_all(Lower *l, LLVMValueRef function, bool tail) {
    if (begin(l, function, tail))
        lower_body(l);
    else
        l->failed = true;
    if (l->failed) forget(l->function);
}

/* Where fuel is counted each function has both. */
static void lower_other_convention(Unit *unit, u32 func_index) {
    if (wr_counted_is(unit->plan, func_index))
        wr_counted_lower_plain(unit, func_index);
    else if (unit->plan->options.fuel)
        wr_counted_lower_stub(unit, func_index);
}

static void end(Lower *l) {
    LLVMDisposeBuilder(l->b);
    wr_free(&l->module->engine->alloc, l->labels, l->cap_labels * sizeof *l->labels);
    wr_arena_free(&l->arena);
}

bool wr_lower_function(Unit *unit, u32 func_index) {
    bool tail = unit->plan->has_tail[func_index];
    Lower l = lower_of(unit, func_index);
    l.is_counted = wr_counted_is(unit->plan, func_index);
    lower_all(&l,
              l.is_counted ? wr_counted_function(unit, func_index)
                           : wr_unit_function(unit, func_index, tail),
              tail);
    if (tail && !l.failed) lower_wrapper(&l);
    end(&l);
    if (!l.failed) lower_other_convention(unit, func_index);
    return !l.failed;
}

bool wr_lower_loop(Unit *unit, u32 func_index, u64 offset) {
    Lower l = lower_of(unit, func_index);
    l.loop = offset;
    l.function = wr_unit_loop(unit, offset);
    l.frame = LLVMGetParam(l.function, 2);
    lower_all(&l, l.function, false);
    end(&l);
    return !l.failed;
}
