/*
 * validate_code.c - one body or constant expression: local declarations, the order of things, the
 * instructions whose types the table gives, and the finished Code. The fast path over the commonest
 * instructions is validate_loop.c; instructions typed by hand are in the other validate_*.c files.
 */
#include "validate_code.h"

#include <stdio.h>

#include "decode_code.h"
#include "signature.h"
#include "store.h"

#define FIRST_OPERANDS 256u

void wr_checker_init(Checker *c, const Module *m) {
    *c = (Checker){.module = m, .types = m->engine->types, .alloc = &m->engine->alloc};
    c->reader.base = m->bytes;
    c->reader.limit = m->bytes + m->size;
}

void wr_checker_free(Checker *c) {
    const Alloc *a = c->alloc;
    wr_free(a, c->stack, c->stack_capacity * sizeof *c->stack);
    wr_free(a, c->locals, c->locals_capacity * sizeof *c->locals);
    wr_free(a, c->runs, c->runs_capacity * sizeof *c->runs);
    wr_free(a, c->inits, c->inits_capacity * sizeof *c->inits);
    wr_free(a, c->frames, c->frames_capacity * sizeof *c->frames);
    wr_free(a, c->wide_pcs, c->wide_capacity * sizeof *c->wide_pcs);
    wr_free(a, c->regions, c->regions_capacity * sizeof *c->regions);
    wr_free(a, c->catches, c->catches_capacity * sizeof *c->catches);
    wr_side_free(&c->side, a);
}

/* ---- errors ---- */

#define TYPE_TEXT 64 /* bytes, enough for any type */

/* As the text format writes it: a defined type by its index in the module, not its canonical id. */
static void print_type(const Checker *c, ValType t, char text[TYPE_TEXT]) {
    HeapType heap = type_heap(t);
    if (!type_is_ref(t) || !heap_is_defined(heap)) {
        wr_type_print(t, text, TYPE_TEXT);
        return;
    }
    u32 index = 0;
    while (index < c->module->ntypes && c->module->types[index]->id != heap_type_id(heap)) index++;
    wr_type_print_ref(t, index, text, TYPE_TEXT);
}

/* T_BOT and the bottom reference stand for what an instruction takes any of. */
static void print_wanted(const Checker *c, ValType want, char text[TYPE_TEXT]) {
    if (want == T_BOT)
        strcpy(text, "any");
    else if (want == T_REF(HEAP_BOT, 0))
        strcpy(text, "a reference");
    else
        print_type(c, want, text);
}

void wr_check_mismatch(Checker *c, ValType want, ValType have) {
    char want_text[TYPE_TEXT], have_text[TYPE_TEXT];
    print_wanted(c, want, want_text);
    print_type(c, have, have_text);
    wr_check_fail(c, "type mismatch: instruction requires [%s] but stack has [%s]", want_text,
                  have_text);
}

/* The heap type stands between "(ref " and ")". */
void wr_check_no_descriptor(Checker *c, HeapType heap) {
    char text[TYPE_TEXT];
    print_type(c, T_REF(heap, 0), text);
    wr_check_fail(c, "type %.*s does not have a descriptor", (int)strlen(text) - 6, text + 5);
}

void wr_check_missing(Checker *c, ValType want) {
    char text[TYPE_TEXT];
    print_wanted(c, want, text);
    wr_check_fail(c, "type mismatch: instruction requires [%s] but stack has []", text);
}

enum { TYPES_SHOWN = 6 };

/* "i32 (ref null 3)"; of a long list the end. */
static void print_types(const Checker *c, const ValType *types, u32 count,
                        char text[(TYPES_SHOWN + 1) * TYPE_TEXT]) {
    size_t size = 0;
    text[0] = 0;
    for (u32 i = count > TYPES_SHOWN ? count - TYPES_SHOWN : 0; i < count; i++) {
        const char *before = i == 0 ? "" : size == 0 ? "... " : " ";
        size += (size_t)snprintf(text + size, TYPE_TEXT, "%s", before);
        print_type(c, types[i], text + size);
        size += strlen(text + size);
    }
}

void wr_check_surplus(Checker *c, const Frame *f) {
    char want[(TYPES_SHOWN + 1) * TYPE_TEXT], have[(TYPES_SHOWN + 1) * TYPE_TEXT];
    TypeList results = check_block_results(&f->type);
    print_types(c, results.types, results.count, want);
    print_types(c, c->stack + f->height, c->sp - f->height + results.count, have);
    wr_check_fail(c, "type mismatch: block requires [%s] but stack has [%s]", want, have);
}

/* ---- one instruction ---- */

static void check_signature(Checker *c, Opcode op, const Signature *sig) {
    ValType address = wr_check_immediates(c, op);
    for (u32 i = sig->nin; i-- > 0;) check_pop(c, sig->in[i] == SIG_ADDRESS ? address : sig->in[i]);
    for (u32 i = 0; i < sig->nout; i++)
        check_push(c, sig->out[i] == SIG_ADDRESS ? address : sig->out[i]);
}

static bool is_constant(const Checker *c, const OpInfo *info) {
    switch ((ConstRule)info->konst) {
    case KONST_ALWAYS: return true;
    case KONST_EXTENDED: return feature_on(c->module->features, FEATURE_EXTENDED_CONST);
    case KONST_GC: return feature_on(c->module->features, FEATURE_GC);
    case KONST_NEVER: break;
    }
    return false;
}

/* Whether the instruction may stand here at all. */
static bool check_allowed(Checker *c, const OpInfo *info) {
    if (!wr_reader_require(&c->reader, c->at, c->module->features, (Feature)info->feature,
                           "illegal opcode"))
        return false;
    if (LIKELY(!c->is_const) || is_constant(c, info)) return true;
    wr_check_fail(c, "constant expression required");
    return false;
}

void wr_check_step(Checker *c) {
    c->at = c->reader.pos;
    Opcode op = wr_read_opcode(&c->reader);
    if (op == OP_INVALID || !check_allowed(c, &wr_op_info[op])) return;
    const Signature *sig = &wr_signatures[op];
    if (sig->nin != SIG_BY_HAND) {
        check_signature(c, op, sig);
        return;
    }
    bool known = wr_check_control(c, op) || wr_check_variable(c, op) || wr_check_bulk(c, op) ||
                 wr_check_reference(c, op) || wr_check_exception(c, op) ||
                 wr_check_aggregate(c, op);
    if (!known) wr_check_malformed(c, "illegal opcode: %s", wr_op_text(op));
}

/* ---- a body ---- */

static void reset(Checker *c, const u8 *start, const u8 *end) {
    c->reader.pos = start;
    c->reader.end = end;
    c->at = start;
    c->sp = c->wide = c->max_slots = 0;
    c->nlocals = c->known = c->nruns = c->ninits = c->local_slots = 0;
    c->type = NULL;
    c->nframes = 0;
    c->side.count = 0;
    c->nwide = c->nregions = c->nclosed = c->ncatches = 0;
    c->catch_depth = c->max_catch_depth = 0;
    c->is_const = false;
}

static void add_run(Checker *c, u32 count, ValType type) {
    if (count == 0) return;
    if (!wr_grow_array(c->alloc, &c->runs, &c->runs_capacity, (u64)c->nruns + 1, NONE_U32 - 1,
                       sizeof *c->runs)) {
        wr_check_oom(c);
        return;
    }
    c->runs[c->nruns++] = (LocalRun){count, type};
    c->nlocals += count;
    c->local_slots += count * type_slots(type);
}

static void read_locals(Checker *c) {
    Reader *r = &c->reader;
    u64 total = 0;
    for (u32 n = wr_read_count(r, 2); n > 0 && r->error == NULL; n--) {
        const u8 *at = r->pos;
        u32 count = wr_read_u32(r);
        ValType type = wr_read_valtype(r, c->module);
        total += count;
        if (total > LIMIT_LOCALS)
            wr_reader_fail(r, at, "too many locals: more than %u", LIMIT_LOCALS);
        if (r->error == NULL) add_run(c, count, type);
    }
}

static void begin_body(Checker *c, const Code *code) {
    reset(c, code->start, code->end);
    c->type = c->module->funcs[code->func_index].type;
    c->nlocals = c->type->nparams;
    c->local_slots = c->type->param_slots;
}

static bool enter_body(Checker *c) {
    c->origin = c->reader.pos;
    if (c->stack == NULL && !wr_check_reserve(c, FIRST_OPERANDS)) return false;
    return !check_failed(c) && wr_check_push_frame(c, FRAME_BODY, (BlockType){c->type, T_BOT});
}

bool wr_check_enter(Checker *c, const Code *code) {
    begin_body(c, code);
    if (code->end - code->start > LIMIT_BODY)
        wr_check_malformed(c, "function body too large: more than %u bytes", LIMIT_BODY);
    read_locals(c);
    return enter_body(c);
}

bool wr_check_enter_again(Checker *c, const Code *code) {
    begin_body(c, code);
    for (u32 i = 0; i < code->nruns; i++) add_run(c, code->runs[i].count, code->runs[i].type);
    return enter_body(c);
}

static bool has_wide_local(const Checker *c) {
    u32 slots = c->type->param_slots - c->type->nparams;
    for (u32 i = 0; i < c->nruns && slots == 0; i++) slots = c->runs[i].type == T_V128;
    return slots != 0;
}

static bool finish_code(Checker *c, Code *code, Arena *arena) {
    code->start = c->origin;
    code->nlocals = c->nlocals;
    code->local_slots = c->local_slots + c->max_catch_depth;
    code->param_slots = c->type->param_slots;
    code->result_slots = c->type->result_slots;
    code->max_slots = c->max_slots;
    code->nruns = c->nruns;
    code->nwide = c->nwide;
    code->is_wide = c->nwide > 0 || has_wide_local(c);
    if (c->nruns > 0 &&
        (code->runs = wr_arena_copy(arena, c->runs, c->nruns * sizeof *c->runs)) == NULL)
        return false;
    if (c->nwide > 0 && (code->wide_pcs = wr_arena_copy(arena, c->wide_pcs,
                                                        c->nwide * sizeof *c->wide_pcs)) == NULL)
        return false;
    return wr_side_finish(&c->side, arena, code) && wr_check_finish_regions(c, arena, code);
}

static Error *take_error(Checker *c) {
    Error *error = c->reader.error;
    c->reader.error = NULL;
    return error;
}

Error *wr_check_body(Checker *c, Code *code, Arena *arena) {
    if (wr_check_enter(c, code)) wr_check_run(c, c->reader.end);
    if (!check_failed(c) && c->nframes > 0) wr_check_cut_off(c);
    if (!check_failed(c) && c->reader.pos != c->reader.end) {
        c->at = c->reader.pos;
        wr_check_malformed(c, "section size mismatch: bytes follow the end of the function");
    }
    if (!check_failed(c) && !finish_code(c, code, arena)) wr_check_oom(c);
    return take_error(c);
}

/* ---- a constant expression ---- */

/* i32.const and end, which is what most are: some modules have 100000 data segments. That the integer
 * is well-formed decode has seen. */
static bool is_plain_i32(const u8 *start, u32 size) {
    u32 i = 1;
    if (size < 3 || start[0] != 0x41) return false;
    while (start[i] >= 0x80 && i < size - 2) i++;
    return i == size - 2 && start[i + 1] == 0x0B;
}

Error *wr_check_const(Checker *c, const ConstExpr *expr, ValType want, u32 visible_globals) {
    const u8 *start = c->module->bytes + expr->offset;
    if (want == T_I32 && is_plain_i32(start, expr->size)) return NULL;
    reset(c, start, start + expr->size);
    c->origin = start;
    c->is_const = true;
    c->visible_globals = visible_globals;
    if (wr_check_push_frame(c, FRAME_BODY, (BlockType){NULL, want}))
        while (c->nframes > 0 && c->reader.pos < c->reader.end) wr_check_step(c);
    if (!check_failed(c) && (c->nframes > 0 || c->reader.pos != c->reader.end))
        wr_check_malformed(c, "END opcode expected");
    return take_error(c);
}
