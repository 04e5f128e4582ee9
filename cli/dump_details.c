/* dump_details.c - what each section declares, one item a line (spec: binary/modules). */
#include "dump.h"

/* ---- Parts --------------------------------------------------------------------------------------- */

static void say(const Dump *d, const char *text) {
    d->text.write(d->text.context, text, strlen(text));
}

static void quoted(const Dump *d, Name name) {
    say(d, "\"");
    wr_disasm_name(&d->text, name);
    say(d, "\"");
}

/* "  func 3 <main>", counting the item. */
static void new_item(Dump *d, IndexSpace space, const char *word) {
    wr_disasm_text(&d->text, "  %s ", word);
    wr_disasm_index(&d->text, space, d->next[space]++);
}

static void reference(const Dump *d, Reader *r, IndexSpace space, const char *word) {
    u32 index = wr_read_u32(r);
    if (r->error) return;
    say(d, word);
    wr_disasm_index(&d->text, space, index);
}

static void value_type(const Dump *d, Reader *r) {
    ValType type = wr_read_valtype(r, NULL);
    if (!r->error) wr_disasm_valtype(&d->text, type);
}

static Name read_name_bytes(Reader *r) {
    Name name = wr_read_name(r);
    return r->error ? (Name){NULL, 0} : name;
}

void wr_dump_const_expr(Dump *d, Reader *r) {
    Instr instr;
    for (bool first = true; wr_instr_next(r, &instr) && instr.op != OP_END; first = false) {
        if (!first) say(d, ", ");
        wr_disasm_instr(&d->text, &instr);
    }
}

/* ---- Types --------------------------------------------------------------------------------------- */

static void type_list(const Dump *d, Reader *r, const char *word) {
    u32 count = wr_read_u32(r);
    if (r->error || count == 0) return;
    wr_disasm_text(&d->text, " (%s", word);
    for (u32 i = 0; i < count && !r->error; i++) {
        say(d, " ");
        value_type(d, r);
    }
    say(d, ")");
}

/* A value type, or a packed one in a field. */
static ValType storage_type(Reader *r) {
    u8 code = r->pos < r->end ? *r->pos : 0;
    if (code != CODE_I8 && code != CODE_I16) return wr_read_valtype(r, NULL);
    wr_read_u8(r);
    return code == CODE_I8 ? (ValType)VK_I8 : (ValType)VK_I16;
}

/* A type and the flag behind it, which the text has in front. */
static void mutable_type(const Dump *d, Reader *r) {
    ValType type = storage_type(r);
    bool is_mutable = wr_read_u8(r) & 1;
    if (r->error) return;
    if (is_mutable) say(d, "(mut ");
    wr_disasm_valtype(&d->text, type);
    if (is_mutable) say(d, ")");
}

static void field_list(const Dump *d, Reader *r) {
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && !r->error; i++) {
        say(d, " (field ");
        mutable_type(d, r);
        say(d, ")");
    }
}

/* Where the parameters and results of the type at hand lie, for the headings of bodies. */
static void remember_signature(Dump *d, const Reader *r) {
    Name lies = {(const char *)r->pos, (u32)min_u64((u64)(r->end - r->pos), UINT32_MAX)};
    if (d->learning) wr_dump_names_add(&d->types, d->next[SPACE_TYPE] - 1, NAMED_BY_SECTION, lies);
}

static void comp_type(Dump *d, Reader *r) {
    const u8 *at = r->pos;
    u8 code = wr_read_u8(r);
    if (r->error) return;
    if (code == CODE_FUNC) {
        remember_signature(d, r);
        say(d, "(func");
        type_list(d, r, "param");
        type_list(d, r, "result");
        say(d, ")");
    } else if (code == CODE_STRUCT) {
        say(d, "(struct");
        field_list(d, r);
        say(d, ")");
    } else if (code == CODE_ARRAY) {
        say(d, "(array ");
        mutable_type(d, r);
        say(d, ")");
    } else {
        wr_reader_fail(r, at, "malformed type");
    }
}

/* A clause in front of the type, if it is there (custom descriptors). */
static void descriptor_clause(const Dump *d, Reader *r, u8 code, const char *word) {
    if (r->pos >= r->end || *r->pos != code) return;
    wr_read_u8(r);
    wr_disasm_text(&d->text, "(%s ", word);
    reference(d, r, SPACE_TYPE, "");
    say(d, ") ");
}

static void sub_type(Dump *d, Reader *r) {
    new_item(d, SPACE_TYPE, "type");
    say(d, ": ");
    u8 code = r->pos < r->end ? *r->pos : 0;
    bool is_sub = code == CODE_SUB || code == CODE_SUB_FINAL;
    if (is_sub) {
        wr_read_u8(r);
        say(d, code == CODE_SUB ? "(sub " : "(sub final ");
        u32 count = wr_read_u32(r);
        for (u32 i = 0; i < count && !r->error; i++) {
            reference(d, r, SPACE_TYPE, "");
            say(d, " ");
        }
    }
    descriptor_clause(d, r, CODE_DESCRIBES, "describes");
    descriptor_clause(d, r, CODE_DESCRIPTOR, "descriptor");
    comp_type(d, r);
    say(d, is_sub ? ")\n" : "\n");
}

static void type_item(Dump *d, Reader *r) {
    if (r->pos >= r->end || *r->pos != CODE_REC) {
        sub_type(d, r);
        return;
    }
    wr_read_u8(r);
    u32 count = wr_read_u32(r);
    wr_disasm_text(&d->text, "  rec group of %u\n", count);
    for (u32 i = 0; i < count && !r->error; i++) sub_type(d, r);
}

/* ---- Declarations -------------------------------------------------------------------------------- */

static void limits(const Dump *d, Reader *r, const char *unit) {
    const u8 *at = r->pos;
    u8 flags = wr_read_u8(r);
    if (flags > 15) wr_reader_fail(r, at, "malformed limits flags");
    u64 min = flags & LIMITS_64 ? wr_read_u64(r) : wr_read_u32(r), max = 0;
    if (flags & LIMITS_MAX) max = flags & LIMITS_64 ? wr_read_u64(r) : wr_read_u32(r);
    u32 page_size = flags & LIMITS_PAGE_SIZE ? wr_read_u32(r) : 16;
    if (r->error) return;
    wr_disasm_text(&d->text, "%llu", (unsigned long long)min);
    if (flags & LIMITS_MAX) wr_disasm_text(&d->text, " to %llu", (unsigned long long)max);
    wr_disasm_text(&d->text, "%s%s%s", unit, flags & LIMITS_64 ? ", i64" : "",
                   flags & LIMITS_SHARED ? ", shared" : "");
    if (flags & LIMITS_PAGE_SIZE) wr_disasm_text(&d->text, ", of 2**%u bytes", page_size);
}

static void table_type(const Dump *d, Reader *r) {
    value_type(d, r);
    say(d, ", ");
    limits(d, r, " elements");
}

static void tag_type(const Dump *d, Reader *r) {
    wr_read_u8(r); /* attribute: exception */
    reference(d, r, SPACE_TYPE, "type ");
}

static const struct ExternText {
    const char *word;
    IndexSpace space;
} externs[] = {[EXT_FUNC] = {"func", SPACE_FUNC},
               [EXT_TABLE] = {"table", SPACE_TABLE},
               [EXT_MEMORY] = {"memory", SPACE_MEMORY},
               [EXT_GLOBAL] = {"global", SPACE_GLOBAL},
               [EXT_TAG] = {"tag", SPACE_TAG}};

/* NULL and an error when the byte names no kind. */
static const struct ExternText *read_kind(Reader *r, const char *message) {
    const u8 *at = r->pos;
    u8 kind = wr_read_u8(r);
    if (!r->error && kind >= ARRAY_LEN(externs)) wr_reader_fail(r, at, "%s", message);
    return r->error ? NULL : &externs[kind];
}

static void extern_type(const Dump *d, Reader *r, ExternKind kind) {
    switch (kind) {
    case EXT_FUNC: reference(d, r, SPACE_TYPE, "type "); break;
    case EXT_TABLE: table_type(d, r); break;
    case EXT_MEMORY: limits(d, r, " pages"); break;
    case EXT_GLOBAL: mutable_type(d, r); break;
    case EXT_TAG: tag_type(d, r); break;
    }
}

static void import_item(Dump *d, Reader *r) {
    Name module = read_name_bytes(r), name = read_name_bytes(r);
    bool is_exact = r->pos < r->end && *r->pos == EXTERN_EXACT_FUNC;
    if (is_exact) wr_read_u8(r);
    const struct ExternText *kind =
        is_exact ? &externs[EXT_FUNC] : read_kind(r, "malformed import kind");
    if (!kind) return;
    if (d->learning)
        wr_dump_names_add(&d->names.spaces[kind->space], d->next[kind->space], NAMED_BY_IMPORT,
                          name);
    new_item(d, kind->space, kind->word);
    say(d, ": ");
    quoted(d, module);
    say(d, " ");
    quoted(d, name);
    say(d, is_exact ? ", exactly " : ", ");
    extern_type(d, r, (ExternKind)(kind - externs));
    say(d, "\n");
}

static void func_item(Dump *d, Reader *r) {
    new_item(d, SPACE_FUNC, "func");
    reference(d, r, SPACE_TYPE, ": type ");
    say(d, "\n");
}

/* 0x40 0x00 before the type: an initial value follows it. */
static void table_item(Dump *d, Reader *r) {
    bool has_init = r->pos < r->end && *r->pos == CODE_EMPTY;
    if (has_init) wr_read_bytes(r, 2);
    new_item(d, SPACE_TABLE, "table");
    say(d, ": ");
    table_type(d, r);
    if (has_init) {
        say(d, " = ");
        wr_dump_const_expr(d, r);
    }
    say(d, "\n");
}

static void memory_item(Dump *d, Reader *r) {
    new_item(d, SPACE_MEMORY, "memory");
    say(d, ": ");
    limits(d, r, " pages");
    say(d, "\n");
}

static void tag_item(Dump *d, Reader *r) {
    new_item(d, SPACE_TAG, "tag");
    say(d, ": ");
    tag_type(d, r);
    say(d, "\n");
}

static void global_item(Dump *d, Reader *r) {
    new_item(d, SPACE_GLOBAL, "global");
    say(d, ": ");
    mutable_type(d, r);
    say(d, " = ");
    wr_dump_const_expr(d, r);
    say(d, "\n");
}

static void export_item(Dump *d, Reader *r) {
    Name name = read_name_bytes(r);
    const struct ExternText *kind = read_kind(r, "malformed export kind");
    u32 index = wr_read_u32(r);
    if (!kind || r->error) return;
    if (d->learning) wr_dump_names_add(&d->names.spaces[kind->space], index, NAMED_BY_EXPORT, name);
    say(d, "  ");
    quoted(d, name);
    wr_disasm_text(&d->text, ": %s ", kind->word);
    wr_disasm_index(&d->text, kind->space, index);
    say(d, "\n");
}

/* ---- Segments and bodies ------------------------------------------------------------------------- */

/* The flags of segments: bit 0 = not active; then bit 1 = declarative, else an index is given;
 * bit 2 = items are expressions. */
enum { SEGMENT_INACTIVE = 1, SEGMENT_EXPLICIT = 2, SEGMENT_EXPRESSIONS = 4 };

static void segment_target(Dump *d, Reader *r, u32 flags, IndexSpace space, const char *word) {
    u32 index = flags & SEGMENT_EXPLICIT ? wr_read_u32(r) : 0;
    if (r->error) return;
    wr_disasm_text(&d->text, "%s ", word);
    wr_disasm_index(&d->text, space, index);
    say(d, " at ");
    wr_dump_const_expr(d, r);
}

static void elem_values(Dump *d, Reader *r, u32 flags) {
    u32 count = wr_read_u32(r);
    if (!r->error) wr_disasm_text(&d->text, ", %u elements\n", count);
    for (u32 i = 0; i < count && !r->error; i++) {
        wr_disasm_text(&d->text, "    [%u] ", i);
        if (flags & SEGMENT_EXPRESSIONS)
            wr_dump_const_expr(d, r);
        else
            reference(d, r, SPACE_FUNC, "func ");
        say(d, "\n");
    }
}

static void elem_item(Dump *d, Reader *r) {
    const u8 *at = r->pos;
    u32 flags = wr_read_u32(r);
    if (!r->error && flags > 7) wr_reader_fail(r, at, "malformed elements segment kind");
    if (r->error) return;
    new_item(d, SPACE_ELEM, "elem");
    say(d, ": ");
    if (!(flags & SEGMENT_INACTIVE))
        segment_target(d, r, flags, SPACE_TABLE, "table");
    else
        say(d, flags & SEGMENT_EXPLICIT ? "declarative" : "passive");
    say(d, ", ");
    if (!(flags & (SEGMENT_INACTIVE | SEGMENT_EXPLICIT))) {
        say(d, "funcref");
    } else if (flags & SEGMENT_EXPRESSIONS) {
        value_type(d, r);
    } else {
        wr_read_u8(r); /* element kind: functions */
        say(d, "funcref");
    }
    elem_values(d, r, flags);
}

enum { PREVIEW = 48 };

/* The first bytes of a data segment as text. */
static void preview(const Dump *d, const u8 *data, u32 size) {
    say(d, " \"");
    for (u32 i = 0; i < size && i < PREVIEW; i++) {
        bool plain = data[i] >= 0x20 && data[i] < 0x7F && data[i] != '"' && data[i] != '\\';
        wr_disasm_text(&d->text, plain ? "%c" : "\\%02x", data[i]);
    }
    say(d, size > PREVIEW ? "\"...\n" : "\"\n");
}

static void data_item(Dump *d, Reader *r) {
    const u8 *at = r->pos;
    u32 flags = wr_read_u32(r);
    if (!r->error && flags > 2) wr_reader_fail(r, at, "malformed data segment kind");
    if (r->error) return;
    new_item(d, SPACE_DATA, "data");
    say(d, ": ");
    if (!(flags & SEGMENT_INACTIVE))
        segment_target(d, r, flags, SPACE_MEMORY, "memory");
    else
        say(d, "passive");
    u32 size = wr_read_u32(r);
    const u8 *data = wr_read_bytes(r, size);
    if (r->error) return;
    wr_disasm_text(&d->text, ", %u bytes at 0x%06llx", size,
                   (unsigned long long)dump_offset(d, data));
    preview(d, data, size);
}

static void code_item(Dump *d, Reader *r) {
    u32 size = wr_read_u32(r);
    const u8 *body = wr_read_bytes(r, size);
    if (r->error) return;
    say(d, "  func ");
    wr_disasm_index(&d->text, SPACE_FUNC, d->next_body++);
    wr_disasm_text(&d->text, ": %u bytes at 0x%06llx\n", size,
                   (unsigned long long)dump_offset(d, body));
}

static void start_section(const Dump *d, Reader *r) {
    reference(d, r, SPACE_FUNC, "  func ");
    say(d, "\n");
}

static void data_count_section(const Dump *d, Reader *r) {
    u32 count = wr_read_u32(r);
    if (!r->error) wr_disasm_text(&d->text, "  %u data segments\n", count);
}

/* Which tools made the module: fields of names and versions. */
static void producers_section(const Dump *d, Reader *r) {
    u32 fields = wr_read_u32(r);
    for (u32 i = 0; i < fields && !r->error; i++) {
        Name field = read_name_bytes(r);
        u32 values = wr_read_u32(r);
        for (u32 j = 0; j < values && !r->error; j++) {
            Name name = read_name_bytes(r), version = read_name_bytes(r);
            say(d, "  ");
            wr_disasm_name(&d->text, field);
            say(d, ": ");
            wr_disasm_name(&d->text, name);
            say(d, version.size ? " " : "");
            wr_disasm_name(&d->text, version);
            say(d, "\n");
        }
    }
}

/* What a custom section says is not the module's business: nonsense in it is no error. */
static void custom_section(const Dump *d, const Section *section) {
    static const char producers[] = "producers";
    Reader r = {.pos = section->start, .end = section->end, .base = d->bytes};
    if (section->name.size == sizeof producers - 1 &&
        memcmp(section->name.data, producers, sizeof producers - 1) == 0)
        producers_section(d, &r);
    wr_error_delete(r.error);
}

static void items(Dump *d, Reader *r, void (*item)(Dump *, Reader *)) {
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && !r->error; i++) item(d, r);
}

void wr_dump_section_details(Dump *d, const Section *section, Reader *r) {
    static void (*const vectors[])(Dump *, Reader *) = {
        [SECTION_TYPE] = type_item,     [SECTION_IMPORT] = import_item,
        [SECTION_FUNC] = func_item,     [SECTION_TABLE] = table_item,
        [SECTION_MEMORY] = memory_item, [SECTION_GLOBAL] = global_item,
        [SECTION_EXPORT] = export_item, [SECTION_ELEM] = elem_item,
        [SECTION_CODE] = code_item,     [SECTION_DATA] = data_item,
        [SECTION_TAG] = tag_item,
    };
    if (section->id == SECTION_FUNC && d->learning) {
        d->first_body = d->next[SPACE_FUNC];
        d->func_types = section->start;
        d->func_types_end = section->end;
    }
    d->next_body = d->first_body;
    if (section->id == SECTION_CUSTOM)
        custom_section(d, section);
    else if (section->id == SECTION_START)
        start_section(d, r);
    else if (section->id == SECTION_DATA_COUNT)
        data_count_section(d, r);
    else if (section->id < ARRAY_LEN(vectors) && vectors[section->id])
        items(d, r, vectors[section->id]);
}
