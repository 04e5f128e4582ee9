/*
 * text_print.c - see text_print.h. One pass over the sections; what the text has in one place and the
 * binary in two (functions and their bodies) is remembered by where it lies in the bytes.
 */
#include "text_print.h"

#include "binary.h"
#include "encode.h"
#include "text_names.h"
#include "text_parse.h"
#include "utf8.h"

/* Identifiers of labels that are looked for this far out: farther ones are numbers. */
enum { LABELS_SEEN = 64 };
/* Deeper nesting does not go farther to the right. */
enum { INDENT_MAX = 40 };

/* Where items lie in the bytes, by index. */
typedef struct Places {
    const u8 **items;
    u32 count, capacity;
} Places;

typedef struct Printer {
    const Alloc *alloc;
    Disasm d; /* writes to `out` */
    Buffer out;
    const u8 *bytes, *end;
    Reader *r; /* the section's */
    bool with_name_section;
    TextNames names;
    u32 next[SPACE_COUNT]; /* the index of the next item */
    Places types;          /* function types: where their parameters lie; others NULL */
    Places funcs;          /* defined functions: where their type's index lies */
    u32 nbodies;
    u32 indent;
    NameTable inner;  /* names of the function's locals, or of a type's fields */
    u32 inner_type;   /* whose fields they are, or NONE_U32 */
    NameTable labels; /* names of the function's labels, by ordinal */
    Name *scopes;     /* of the labels in scope, outermost first */
    u32 nscopes, cap_scopes;
} Printer;

/* ---- writing ---- */

static void write_out(void *context, const char *text, size_t size) {
    Printer *p = context;
    wr_put_bytes(&p->out, text, size);
}

static void put(Printer *p, const char *text) { wr_put_bytes(&p->out, text, strlen(text)); }

static void put_u64(Printer *p, u64 n) { wr_disasm_text(&p->d, "%llu", (unsigned long long)n); }

static void new_line(Printer *p) {
    static const char spaces[2 * INDENT_MAX + 1] =
        "                                                                                ";
    put(p, "\n");
    wr_put_bytes(&p->out, spaces, 2 * (size_t)min_u32(p->indent, INDENT_MAX));
}

static void fail_memory(Printer *p) { wr_reader_fail_memory(p->r); }

static bool is_idchar(u8 c) { return c > 0x20 && c < 0x7F && strchr("\"(),;[]{}", c) == NULL; }

/* Text between quotes: characters that are safe to show as they are, others escaped. */
static void put_quoted(Printer *p, Name name) {
    const u8 *at = (const u8 *)name.data, *end = at + name.size;
    put(p, "\"");
    while (at < end) {
        u32 c;
        char shown[32];
        size_t size = wr_utf8_char(at, (size_t)(end - at), &c);
        size_t length = size ? wr_text_escape(shown, sizeof shown, (const char *)at, size) : 0;
        if (size != 0 && length == size && c != '"' && c != '\\')
            wr_put_bytes(&p->out, at, size);
        else if (size > 1)
            wr_disasm_text(&p->d, "\\u{%x}", (unsigned)c);
        else
            wr_disasm_text(&p->d, "\\%02x", (unsigned)*at);
        at += size ? size : 1;
    }
    put(p, "\"");
}

/* Any bytes: ASCII as it is. */
static void put_bytes(Printer *p, const u8 *at, size_t size) {
    static const char digits[] = "0123456789abcdef";
    put(p, "\"");
    for (size_t i = 0; i < size; i++) {
        u8 c = at[i];
        char text[3] = {'\\', digits[c >> 4], digits[c & 15]};
        bool is_plain = c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
        if (is_plain) text[0] = (char)c;
        wr_put_bytes(&p->out, text, is_plain ? 1 : 3);
    }
    put(p, "\"");
}

/* The same as strings of bounded length, a line each. */
static void put_data(Printer *p, const u8 *at, size_t size) {
    enum { BYTES_IN_LINE = 64 };
    if (size <= BYTES_IN_LINE) {
        put(p, " ");
        put_bytes(p, at, size);
        return;
    }
    p->indent++;
    for (size_t done = 0; done < size; done += BYTES_IN_LINE) {
        new_line(p);
        put_bytes(p, at + done, (size_t)min_u64(size - done, BYTES_IN_LINE));
    }
    p->indent--;
}

/* ---- identifiers and indices ---- */

static void put_id(Printer *p, Name name) {
    bool is_plain = true;
    for (u32 i = 0; i < name.size && is_plain; i++) is_plain = is_idchar((u8)name.data[i]);
    put(p, "$");
    if (is_plain)
        wr_put_bytes(&p->out, name.data, name.size);
    else
        put_quoted(p, name);
}

static void put_id_or_index(Printer *p, Name name, u32 index) {
    if (name.data != NULL)
        put_id(p, name);
    else
        put_u64(p, index);
}

/* The name of the label that many scopes out, unless one further in hides it. */
static Name label_name(const Printer *p, u32 depth) {
    Name none = {NULL, 0};
    if (depth >= p->nscopes || depth >= LABELS_SEEN) return none;
    const Name *scope = &p->scopes[p->nscopes - 1 - depth];
    for (u32 i = 0; scope->data != NULL && i < depth; i++) {
        const Name *inner = &p->scopes[p->nscopes - 1 - i];
        if (inner->data != NULL && wr_name_compare(*inner, *scope) == 0) return none;
    }
    return *scope;
}

static void write_index(void *context, IndexSpace space, u32 index) {
    Printer *p = context;
    Name name;
    if (space == SPACE_LOCAL)
        name = wr_name_table_find(&p->inner, index);
    else if (space == SPACE_LABEL)
        name = label_name(p, index);
    else
        name = wr_name_table_find(&p->names.spaces[space], index);
    put_id_or_index(p, name, index);
}

static void write_field(void *context, u32 type, u32 field) {
    Printer *p = context;
    NameTable fields;
    wr_name_table_init(&fields, p->alloc);
    if (!wr_name_table_open(&fields, &p->names.field_maps, type, false)) fail_memory(p);
    put_id_or_index(p, wr_name_table_find(&fields, field), field);
    wr_name_table_free(&fields);
}

/* "(word $id (;3;)": the beginning of a definition. */
static void begin(Printer *p, const char *word, IndexSpace space) {
    u32 index = p->next[space]++;
    Name name = wr_name_table_find(&p->names.spaces[space], index);
    wr_disasm_text(&p->d, "(%s ", word);
    if (name.data != NULL) {
        put_id(p, name);
        put(p, " ");
    }
    wr_disasm_text(&p->d, "(;%u;)", (unsigned)index);
}

static void put_reference(Printer *p, IndexSpace space) {
    u32 index = wr_read_u32(p->r);
    put(p, " ");
    write_index(p, space, index);
}

static void put_type_use(Printer *p, u32 type) {
    put(p, " (type ");
    write_index(p, SPACE_TYPE, type);
    put(p, ")");
}

static void put_read_name(Printer *p) {
    Name name = wr_read_name(p->r);
    put(p, " ");
    if (p->r->error == NULL) put_quoted(p, name);
}

static void add_place(Printer *p, Places *places, const u8 *place) {
    if (!wr_grow_array(p->alloc, &places->items, &places->capacity, (u64)places->count + 1,
                       UINT32_MAX, sizeof *places->items)) {
        fail_memory(p);
        return;
    }
    places->items[places->count++] = place;
}

/* ---- types ---- */

static void put_value_type(Printer *p, Reader *r) {
    ValType type = wr_read_valtype(r, NULL);
    if (r->error == NULL) wr_disasm_valtype(&p->d, type);
}

/* Parameters or results: named ones each for itself, others together. `first` is the first one's index
 * among the locals, if `locals` has their names. */
static void put_types(Printer *p, Reader *r, const char *word, const NameTable *locals) {
    u32 count = wr_read_u32(r);
    bool is_open = false;
    for (u32 i = 0; i < count && r->error == NULL && !p->out.failed; i++) {
        Name name = locals != NULL ? wr_name_table_find(locals, i) : (Name){NULL, 0};
        if (is_open && name.data != NULL) put(p, ")");
        if (!is_open || name.data != NULL) wr_disasm_text(&p->d, " (%s", word);
        put(p, " ");
        if (name.data != NULL) {
            put_id(p, name);
            put(p, " ");
        }
        put_value_type(p, r);
        is_open = name.data == NULL;
        if (!is_open) put(p, ")");
    }
    if (is_open) put(p, ")");
}

static void put_field_type(Printer *p) {
    Reader *r = p->r;
    u8 code = r->pos < r->end ? *r->pos : 0;
    ValType type = code == CODE_I8 ? (ValType)VK_I8 : (ValType)VK_I16;
    if (code == CODE_I8 || code == CODE_I16)
        r->pos++;
    else
        type = wr_read_valtype(r, NULL);
    bool is_mutable = wr_read_u8(r) & 1;
    if (r->error != NULL) return;
    if (is_mutable) put(p, "(mut ");
    wr_disasm_valtype(&p->d, type);
    if (is_mutable) put(p, ")");
}

static void put_fields(Printer *p, u32 type) {
    u32 count = wr_read_u32(p->r);
    if (!wr_name_table_open(&p->inner, &p->names.field_maps, type, false)) fail_memory(p);
    for (u32 i = 0; i < count && p->r->error == NULL; i++) {
        put(p, " (field ");
        Name name = wr_name_table_find(&p->inner, i);
        if (name.data != NULL) {
            put_id(p, name);
            put(p, " ");
        }
        put_field_type(p);
        put(p, ")");
    }
}

static void put_comp_type(Printer *p) {
    Reader *r = p->r;
    const u8 *at = r->pos;
    u8 code = wr_read_u8(r);
    add_place(p, &p->types, code == CODE_FUNC ? r->pos : NULL);
    switch (code) {
    case CODE_FUNC:
        put(p, "(func");
        put_types(p, r, "param", NULL);
        put_types(p, r, "result", NULL);
        break;
    case CODE_STRUCT:
        put(p, "(struct");
        put_fields(p, p->next[SPACE_TYPE] - 1);
        break;
    case CODE_ARRAY:
        put(p, "(array ");
        put_field_type(p);
        break;
    default: wr_reader_fail(r, at, "malformed definition type"); return;
    }
    put(p, ")");
}

/* A clause of the custom descriptors proposal, if it is there. */
static void put_descriptor(Printer *p, u8 code, const char *word) {
    if (p->r->pos >= p->r->end || *p->r->pos != code) return;
    p->r->pos++;
    wr_disasm_text(&p->d, "(%s", word);
    put_reference(p, SPACE_TYPE);
    put(p, ") ");
}

static void put_sub_type(Printer *p) {
    Reader *r = p->r;
    new_line(p);
    begin(p, "type", SPACE_TYPE);
    put(p, " ");
    u8 code = r->pos < r->end ? *r->pos : 0;
    bool is_sub = code == CODE_SUB || code == CODE_SUB_FINAL;
    if (is_sub) {
        r->pos++;
        put(p, code == CODE_SUB ? "(sub" : "(sub final");
        u32 count = wr_read_u32(r);
        for (u32 i = 0; i < count && r->error == NULL; i++) put_reference(p, SPACE_TYPE);
        put(p, " ");
    }
    put_descriptor(p, CODE_DESCRIBES, "describes");
    put_descriptor(p, CODE_DESCRIPTOR, "descriptor");
    put_comp_type(p);
    put(p, is_sub ? "))" : ")");
}

static void put_rec_type(Printer *p) {
    Reader *r = p->r;
    if (r->pos >= r->end || *r->pos != CODE_REC) {
        put_sub_type(p);
        return;
    }
    r->pos++;
    u32 count = wr_read_u32(r);
    new_line(p);
    put(p, "(rec");
    p->indent++;
    for (u32 i = 0; i < count && r->error == NULL; i++) put_sub_type(p);
    p->indent--;
    put(p, ")");
}

/* ---- types of externals ---- */

static void put_limits(Printer *p) {
    Reader *r = p->r;
    const u8 *at = r->pos;
    u8 flags = wr_read_u8(r);
    if (flags > 15) wr_reader_fail(r, at, "malformed limits flags");
    if ((flags & LIMITS_64) != 0) put(p, " i64");
    put(p, " ");
    put_u64(p, wr_read_u64(r));
    if ((flags & LIMITS_MAX) != 0) {
        put(p, " ");
        put_u64(p, wr_read_u64(r));
    }
    if ((flags & LIMITS_SHARED) != 0) put(p, " shared");
    u32 log2 = (flags & LIMITS_PAGE_SIZE) != 0 ? wr_read_u32(r) : 0;
    if (log2 > 63) wr_reader_fail(r, at, "invalid custom page size");
    if ((flags & LIMITS_PAGE_SIZE) == 0 || r->error != NULL) return;
    wr_disasm_text(&p->d, " (pagesize %llu)", 1ull << log2);
}

/* The element type comes first in the binary and last in the text. */
static void put_table_type(Printer *p) {
    ValType type = wr_read_reftype(p->r, NULL);
    put_limits(p);
    put(p, " ");
    if (p->r->error == NULL) wr_disasm_valtype(&p->d, type);
}

static void put_tag_type(Printer *p) {
    const u8 *at = p->r->pos;
    if (wr_read_u8(p->r) != 0) wr_reader_fail(p->r, at, "zero byte expected");
    put_type_use(p, wr_read_u32(p->r));
}

/* ---- instructions ---- */

static bool opens_block(Opcode op) {
    return wr_op_info[op].imm == IMM_BLOCK || wr_op_info[op].imm == IMM_TRY_TABLE;
}

/* Of one instruction: in parentheses; of more: one after the other, which `word` (may be NULL) brackets
 * where the grammar wants one. */
static void put_const_expr(Printer *p, const char *word) {
    Reader *r = p->r;
    Instr i;
    if (!wr_instr_next(r, &i)) {
        wr_reader_fail(r, r->pos, "unexpected end of section or function");
        return;
    }
    bool is_single = i.op != OP_END && !opens_block(i.op) && r->pos < r->end && *r->pos == 0x0B;
    if (is_single)
        put(p, " (");
    else if (word != NULL)
        wr_disasm_text(&p->d, " (%s", word);
    for (u32 depth = 0; i.op != OP_END || depth > 0;) {
        depth += opens_block(i.op);
        depth -= i.op == OP_END || (i.op == OP_DELEGATE && depth > 0);
        if (!is_single) put(p, " ");
        wr_disasm_instr(&p->d, &i);
        if (!wr_instr_next(r, &i)) {
            wr_reader_fail(r, r->pos, "unexpected end of section or function");
            return;
        }
    }
    if (is_single || word != NULL) put(p, ")");
}

static void open_scope(Printer *p, u32 ordinal) {
    if (!wr_grow_array(p->alloc, &p->scopes, &p->cap_scopes, (u64)p->nscopes + 1, UINT32_MAX,
                       sizeof *p->scopes)) {
        fail_memory(p);
        return;
    }
    Name name = wr_name_table_find(&p->labels, ordinal);
    p->scopes[p->nscopes++] = name;
}

/* Labels in immediates are those around the instruction, before it opens its own. */
static void put_block(Printer *p, const Instr *i, u32 ordinal) {
    Name name = wr_name_table_find(&p->labels, ordinal);
    put(p, wr_op_text(i->op));
    if (name.data != NULL) {
        put(p, " ");
        put_id(p, name);
    }
    wr_disasm_immediates(&p->d, i);
    open_scope(p, ordinal);
    p->indent++;
}

/* `delegate` counts labels from outside of its block. */
static void put_delegate(Printer *p, const Instr *i) {
    wr_disasm_text(&p->d, "%s %u", wr_op_text(i->op), (unsigned)i->index);
}

static bool divides_block(Opcode op) {
    return op == OP_ELSE || op == OP_CATCH || op == OP_CATCH_ALL;
}

/* Up to the final `end`, which the text leaves out. */
static void put_instructions(Printer *p, Reader *r) {
    Instr i;
    u32 labels = 0, outer = p->indent;
    while (wr_instr_next(r, &i) && p->r->error == NULL) {
        if (p->out.failed) fail_memory(p);
        if (i.op == OP_END && p->nscopes == 0) return;
        bool closes = i.op == OP_END || i.op == OP_DELEGATE;
        if (closes && p->nscopes > 0) p->nscopes--;
        if (closes || divides_block(i.op)) p->indent -= p->indent > outer;
        new_line(p);
        if (opens_block(i.op))
            put_block(p, &i, labels++);
        else if (i.op == OP_DELEGATE)
            put_delegate(p, &i);
        else
            wr_disasm_instr(&p->d, &i);
        p->indent += divides_block(i.op);
    }
    wr_reader_fail(r, r->pos, "unexpected end of section or function");
}

/* ---- functions ---- */

/* Where the parameters of function type `type` lie, or an error-free empty reader. */
static Reader signature_of(const Printer *p, u32 type) {
    const u8 *start = type < p->types.count ? p->types.items[type] : NULL;
    return start != NULL ? (Reader){.pos = start, .end = p->end, .base = p->bytes}
                         : (Reader){.base = p->bytes};
}

/* The names of parameters stand in a repetition of the type's contents. */
static u32 put_signature(Printer *p, u32 type) {
    Reader r = signature_of(p, type);
    if (r.pos == NULL) return 0;
    Reader count = r;
    u32 nparams = wr_read_u32(&count);
    put_types(p, &r, "param", &p->inner);
    put_types(p, &r, "result", NULL);
    wr_error_delete(r.error);
    return nparams;
}

/* One run of locals, of which the first has index `first`. Those behind the parameters begin a line. */
static void put_locals(Printer *p, ValType type, u32 first, u32 count, u32 nparams) {
    bool is_open = false;
    for (u32 i = 0; i < count && !p->out.failed; i++) {
        Name name = wr_name_table_find(&p->inner, first + i);
        if (is_open && name.data != NULL) put(p, ")");
        if (!is_open || name.data != NULL) put(p, first + i == nparams ? "(local" : " (local");
        put(p, " ");
        if (name.data != NULL) {
            put_id(p, name);
            put(p, " ");
        }
        wr_disasm_valtype(&p->d, type);
        is_open = name.data == NULL;
        if (!is_open) put(p, ")");
    }
    if (is_open) put(p, ")");
}

static void put_declarations(Printer *p, Reader *r, u32 nparams) {
    u32 runs = wr_read_u32(r);
    u64 next = nparams;
    if (runs > 0 && r->error == NULL) new_line(p);
    for (u32 i = 0; i < runs && r->error == NULL; i++) {
        const u8 *at = r->pos;
        u32 count = wr_read_u32(r);
        ValType type = wr_read_valtype(r, NULL);
        if (next + count > LIMIT_LOCALS + LIMIT_PARAMS) wr_reader_fail(r, at, "too many locals");
        if (r->error == NULL) put_locals(p, type, (u32)next, count, nparams);
        next += count;
    }
}

/* The type of the defined function whose turn it is; NONE_U32 and an error if there is none. */
static u32 next_function_type(Printer *p, const u8 *at) {
    if (p->nbodies == p->funcs.count) {
        wr_reader_fail(p->r, at, "function and code section have inconsistent lengths");
        return NONE_U32;
    }
    Reader r = {.pos = p->funcs.items[p->nbodies++], .end = p->end, .base = p->bytes};
    return wr_read_u32(&r);
}

static void open_names(Printer *p, u32 func) {
    if (!wr_name_table_open(&p->inner, &p->names.local_maps, func, false) ||
        !wr_name_table_open(&p->labels, &p->names.label_maps, func, true))
        fail_memory(p);
}

static void put_function(Printer *p) {
    const u8 *at = p->r->pos;
    u32 type = next_function_type(p, at), size = wr_read_u32(p->r);
    const u8 *start = wr_read_bytes(p->r, size);
    if (start == NULL) return;
    Reader r = {.pos = start, .end = start + size, .base = p->bytes, .limit = p->end};
    open_names(p, p->next[SPACE_FUNC]);
    new_line(p);
    begin(p, "func", SPACE_FUNC);
    put_type_use(p, type);
    u32 nparams = put_signature(p, type);
    p->indent++;
    p->nscopes = 0;
    put_declarations(p, &r, nparams);
    put_instructions(p, &r);
    p->indent--;
    put(p, ")");
    if (r.error == NULL && r.pos != r.end) wr_reader_fail(&r, r.pos, "END opcode expected");
    if (r.error != NULL && p->r->error == NULL) {
        p->r->error = r.error;
        r.error = NULL;
    }
    wr_error_delete(r.error);
}

/* ---- other items ---- */

static void put_import(Printer *p) {
    new_line(p);
    put(p, "(import");
    put_read_name(p);
    put_read_name(p);
    put(p, " ");
    const u8 *at = p->r->pos;
    u8 kind = wr_read_u8(p->r);
    bool is_exact = kind == EXTERN_EXACT_FUNC;
    switch (is_exact ? EXT_FUNC : kind) {
    case EXT_FUNC:
        begin(p, "func", SPACE_FUNC);
        if (is_exact) put(p, " (exact");
        put_type_use(p, wr_read_u32(p->r));
        if (is_exact) put(p, ")");
        break;
    case EXT_TABLE:
        begin(p, "table", SPACE_TABLE);
        put_table_type(p);
        break;
    case EXT_MEMORY:
        begin(p, "memory", SPACE_MEMORY);
        put_limits(p);
        break;
    case EXT_GLOBAL:
        begin(p, "global", SPACE_GLOBAL);
        put(p, " ");
        put_field_type(p);
        break;
    case EXT_TAG:
        begin(p, "tag", SPACE_TAG);
        put_tag_type(p);
        break;
    default: wr_reader_fail(p->r, at, "malformed import kind");
    }
    put(p, "))");
}

/* Printed with its body. */
static void remember_function(Printer *p) {
    add_place(p, &p->funcs, p->r->pos);
    (void)wr_read_u32(p->r);
}

static void put_table(Printer *p) {
    Reader *r = p->r;
    bool has_init = r->pos < r->end && *r->pos == CODE_EMPTY;
    if (has_init) {
        r->pos++;
        const u8 *at = r->pos;
        if (wr_read_u8(r) != 0) wr_reader_fail(r, at, "zero byte expected");
    }
    new_line(p);
    begin(p, "table", SPACE_TABLE);
    put_table_type(p);
    if (has_init) put_const_expr(p, NULL);
    put(p, ")");
}

static void put_memory(Printer *p) {
    new_line(p);
    begin(p, "memory", SPACE_MEMORY);
    put_limits(p);
    put(p, ")");
}

static void put_tag(Printer *p) {
    new_line(p);
    begin(p, "tag", SPACE_TAG);
    put_tag_type(p);
    put(p, ")");
}

static void put_global(Printer *p) {
    new_line(p);
    begin(p, "global", SPACE_GLOBAL);
    put(p, " ");
    put_field_type(p);
    put_const_expr(p, NULL);
    put(p, ")");
}

static void put_export(Printer *p) {
    static const struct {
        const char *word;
        IndexSpace space;
    } kinds[] = {[EXT_FUNC] = {"func", SPACE_FUNC},
                 [EXT_TABLE] = {"table", SPACE_TABLE},
                 [EXT_MEMORY] = {"memory", SPACE_MEMORY},
                 [EXT_GLOBAL] = {"global", SPACE_GLOBAL},
                 [EXT_TAG] = {"tag", SPACE_TAG}};
    new_line(p);
    put(p, "(export");
    put_read_name(p);
    const u8 *at = p->r->pos;
    u8 kind = wr_read_u8(p->r);
    if (kind >= ARRAY_LEN(kinds)) wr_reader_fail(p->r, at, "malformed export kind");
    if (p->r->error != NULL) return;
    wr_disasm_text(&p->d, " (%s", kinds[kind].word);
    put_reference(p, kinds[kind].space);
    put(p, "))");
}

static void put_start(Printer *p) {
    new_line(p);
    put(p, "(start");
    put_reference(p, SPACE_FUNC);
    put(p, ")");
}

/* Flags of element segments (spec: binary/modules, element section). */
enum { ELEM_NOT_ACTIVE = 1, ELEM_INDEX_OR_DECLARED = 2, ELEM_EXPRESSIONS = 4 };

static void put_elem_items(Printer *p, bool are_expressions) {
    u32 count = wr_read_u32(p->r);
    for (u32 i = 0; i < count && p->r->error == NULL && !p->out.failed; i++) {
        if (are_expressions)
            put_const_expr(p, "item");
        else
            put_reference(p, SPACE_FUNC);
    }
}

/* What the items are, where the binary says so, and "func" or funcref where it does not. */
static void put_elem_type(Printer *p, u32 flags) {
    bool is_explicit = (flags & (ELEM_NOT_ACTIVE | ELEM_INDEX_OR_DECLARED)) != 0;
    if ((flags & ELEM_EXPRESSIONS) != 0) {
        ValType type = is_explicit ? wr_read_reftype(p->r, NULL) : T_FUNCREF;
        put(p, " ");
        if (p->r->error == NULL) wr_disasm_valtype(&p->d, type);
        return;
    }
    const u8 *at = p->r->pos;
    if (is_explicit && wr_read_u8(p->r) != 0) wr_reader_fail(p->r, at, "malformed element kind");
    put(p, " func");
}

static void put_elem(Printer *p) {
    Reader *r = p->r;
    const u8 *at = r->pos;
    u32 flags = wr_read_u32(r);
    if (flags > 7) wr_reader_fail(r, at, "malformed elements segment kind");
    new_line(p);
    begin(p, "elem", SPACE_ELEM);
    bool is_active = (flags & ELEM_NOT_ACTIVE) == 0;
    bool is_declared = !is_active && (flags & ELEM_INDEX_OR_DECLARED) != 0;
    if (is_declared) put(p, " declare");
    if (is_active && (flags & ELEM_INDEX_OR_DECLARED) != 0) {
        put(p, " (table");
        put_reference(p, SPACE_TABLE);
        put(p, ")");
    }
    if (is_active) put_const_expr(p, "offset");
    put_elem_type(p, flags);
    put_elem_items(p, (flags & ELEM_EXPRESSIONS) != 0);
    put(p, ")");
}

/* Flags of data segments. */
enum { DATA_ACTIVE, DATA_PASSIVE, DATA_ACTIVE_INDEX };

static void put_data_segment(Printer *p) {
    Reader *r = p->r;
    const u8 *at = r->pos;
    u32 flags = wr_read_u32(r);
    if (flags > DATA_ACTIVE_INDEX) wr_reader_fail(r, at, "malformed data segment kind");
    new_line(p);
    begin(p, "data", SPACE_DATA);
    if (flags == DATA_ACTIVE_INDEX) {
        put(p, " (memory");
        put_reference(p, SPACE_MEMORY);
        put(p, ")");
    }
    if (flags != DATA_PASSIVE) put_const_expr(p, "offset");
    u32 size = wr_read_u32(r);
    const u8 *data = wr_read_bytes(r, size);
    if (data != NULL) put_data(p, data, size);
    put(p, ")");
}

/* ---- sections ---- */

static void put_custom(Printer *p, u8 after) {
    static const char *const words[SECTION_TOTAL] = {
        [SECTION_TYPE] = "type",     [SECTION_IMPORT] = "import",
        [SECTION_FUNC] = "func",     [SECTION_TABLE] = "table",
        [SECTION_MEMORY] = "memory", [SECTION_GLOBAL] = "global",
        [SECTION_EXPORT] = "export", [SECTION_START] = "start",
        [SECTION_ELEM] = "elem",     [SECTION_CODE] = "code",
        [SECTION_DATA] = "data",     [SECTION_DATA_COUNT] = "datacount",
        [SECTION_TAG] = "tag",
    };
    Name name = wr_read_name(p->r);
    bool is_names = name.size == 4 && memcmp(name.data, "name", 4) == 0;
    const u8 *start = p->r->pos;
    p->r->pos = p->r->end;
    if (p->r->error != NULL || (is_names && !p->with_name_section)) return;
    new_line(p);
    put(p, "(@custom ");
    put_quoted(p, name);
    if (after == SECTION_CUSTOM)
        put(p, " (before first)");
    else
        wr_disasm_text(&p->d, " (after %s)", words[after]);
    put_data(p, start, (size_t)(p->r->end - start));
    put(p, ")");
}

static void put_section(Printer *p, u8 id) {
    static void (*const items[SECTION_TOTAL])(Printer *) = {
        [SECTION_TYPE] = put_rec_type,
        [SECTION_IMPORT] = put_import,
        [SECTION_FUNC] = remember_function,
        [SECTION_TABLE] = put_table,
        [SECTION_MEMORY] = put_memory,
        [SECTION_GLOBAL] = put_global,
        [SECTION_EXPORT] = put_export,
        [SECTION_ELEM] = put_elem,
        [SECTION_CODE] = put_function,
        [SECTION_DATA] = put_data_segment,
        [SECTION_TAG] = put_tag,
    };
    if (id == SECTION_START) {
        put_start(p);
        return;
    }
    u32 count = wr_read_u32(p->r);
    for (u32 i = 0; i < count && items[id] != NULL && p->r->error == NULL && !p->out.failed; i++)
        items[id](p);
}

/* Calls `visit` with each section's id and contents in p->r. */
static void walk_sections(Printer *p, Reader *r, void (*visit)(Printer *p, u8 id, u8 after)) {
    u8 after = SECTION_CUSTOM;
    while (r->pos < r->end && r->error == NULL) {
        const u8 *at = r->pos;
        u8 id = wr_read_u8(r);
        u32 size = wr_read_u32(r);
        const u8 *start = wr_read_bytes(r, size);
        if (id >= SECTION_TOTAL) wr_reader_fail(r, at, "malformed section id");
        if (r->error != NULL) return;
        Reader section = {.pos = start, .end = start + size, .base = p->bytes, .limit = p->end};
        p->r = &section;
        visit(p, id, after);
        if (section.error == NULL && section.pos != section.end)
            wr_reader_fail(&section, section.pos, "section size mismatch");
        r->error = section.error;
        if (id != SECTION_CUSTOM) after = id;
    }
    p->r = r;
}

static void print_section(Printer *p, u8 id, u8 after) {
    if (id == SECTION_CUSTOM)
        put_custom(p, after);
    else
        put_section(p, id);
}

static void find_names(Printer *p, u8 id, u8 after) {
    (void)after;
    Name name = id == SECTION_CUSTOM ? wr_read_name(p->r) : (Name){NULL, 0};
    bool is_names = name.size == 4 && memcmp(name.data, "name", 4) == 0;
    if (is_names && !wr_text_names_read(&p->names, p->r->pos, p->r->end)) fail_memory(p);
    p->r->pos = p->r->end;
}

/* ---- modules ---- */

static void print_module(Printer *p, Reader *r) {
    const u8 *sections = r->pos;
    walk_sections(p, r, find_names);
    r->pos = r->error == NULL ? sections : r->end;
    put(p, "(module");
    if (p->names.module.size > 0) {
        put(p, " ");
        put_id(p, p->names.module);
    }
    p->indent = 1;
    walk_sections(p, r, print_section);
    put(p, ")\n");
    if (r->error == NULL && p->nbodies != p->funcs.count)
        wr_reader_fail(r, r->end, "function and code section have inconsistent lengths");
}

static void free_printer(Printer *p) {
    wr_text_names_free(&p->names);
    wr_name_table_free(&p->inner);
    wr_name_table_free(&p->labels);
    wr_free(p->alloc, p->types.items, p->types.capacity * sizeof *p->types.items);
    wr_free(p->alloc, p->funcs.items, p->funcs.capacity * sizeof *p->funcs.items);
    wr_free(p->alloc, p->scopes, p->cap_scopes * sizeof *p->scopes);
    wr_buffer_free(&p->out);
}

static Error *print(const Alloc *alloc, const u8 *bytes, size_t size, bool with_name_section,
                    char **text, size_t *text_size) {
    static const u8 header[] = {0, 'a', 's', 'm', 1, 0, 0, 0};
    Printer p = {.alloc = alloc, .bytes = bytes, .end = bytes + size};
    Reader r = {.pos = bytes, .end = bytes + size, .base = bytes};
    p.with_name_section = with_name_section;
    p.r = &r;
    p.d = (Disasm){.write = write_out, .context = &p, .index = write_index, .field = write_field};
    wr_buffer_init(&p.out, alloc, TEXT_MAX);
    wr_text_names_init(&p.names, alloc);
    wr_name_table_init(&p.inner, alloc);
    wr_name_table_init(&p.labels, alloc);
    const u8 *start = wr_read_bytes(&r, sizeof header);
    if (start != NULL && memcmp(start, header, sizeof header) != 0)
        wr_reader_fail(&r, start, "magic header not detected");
    print_module(&p, &r);
    if (r.error == NULL && p.out.failed) wr_reader_fail_memory(&r);
    *text_size = r.error == NULL ? p.out.size : 0;
    *text = r.error == NULL ? (char *)wr_buffer_take(&p.out) : NULL;
    if (r.error == NULL && *text == NULL) wr_reader_fail_memory(&r);
    free_printer(&p);
    return r.error;
}

/* ---- the name section ---- */

/* The first custom section "name", header and all, and what is behind it; NULL if there is none. */
static const u8 *find_name_section(const u8 *bytes, size_t size, size_t *section_size,
                                   bool *is_last) {
    Reader r = {.pos = bytes + 8, .end = bytes + size, .base = bytes};
    const u8 *found = NULL;
    while (r.pos < r.end && r.error == NULL && found == NULL) {
        const u8 *at = r.pos;
        u8 id = wr_read_u8(&r);
        u32 length = wr_read_u32(&r);
        const u8 *start = wr_read_bytes(&r, length);
        bool is_name = id == SECTION_CUSTOM && length >= 5 && memcmp(start, "\4name", 5) == 0;
        if (!is_name) continue;
        found = at;
        *section_size = (size_t)(r.pos - at);
        *is_last = r.pos == r.end;
    }
    wr_error_delete(r.error);
    return found;
}

/* Whether identifiers alone give the name section again, in its place. */
static bool names_come_back(const Alloc *alloc, const u8 *bytes, size_t size, const char *text,
                            size_t text_size) {
    size_t old_size, new_size, encoded_size;
    bool old_last, new_last;
    u8 *encoded;
    TextOptions options = {.alloc = alloc, .names = true};
    const u8 *old = find_name_section(bytes, size, &old_size, &old_last);
    if (old == NULL) return true;
    Error *error = wr_text_to_binary(&options, text, text_size, "", &encoded, &encoded_size);
    wr_error_delete(error);
    if (error != NULL) return false;
    const u8 *new = find_name_section(encoded, encoded_size, &new_size, &new_last);
    bool ok =
        new != NULL &&old_last &&new_last &&old_size == new_size &&memcmp(old, new, old_size) == 0;
    wr_free(alloc, encoded, encoded_size);
    return ok;
}

Error *wr_binary_to_text(const Alloc *alloc, const u8 *bytes, size_t size, char **text,
                         size_t *text_size) {
    Error *error = print(alloc, bytes, size, false, text, text_size);
    if (error != NULL || names_come_back(alloc, bytes, size, *text, *text_size)) return error;
    wr_free(alloc, *text, *text_size);
    return print(alloc, bytes, size, true, text, text_size);
}
