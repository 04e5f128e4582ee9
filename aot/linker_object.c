/* linker_object.c - reading ELF64 relocatable files: sections, symbols, relocations. Everything is checked. */
#include "linker_state.h"

#define ET_REL 1u
#define EHDR_SIZE 64u
#define SHDR_SIZE 64u
#define SHT_SYMTAB 2u
#define SHN_LORESERVE 0xFF00u
#define MAX_ALIGN 4096u

static bool fits(u64 offset, u64 size, u64 whole) {
    return offset <= whole && size <= whole - offset;
}

/* ---- sections ---- */

typedef struct Headers {
    const u8 *file;
    u64 size;
    const u8 *table; /* count of SHDR_SIZE bytes each */
    u32 count;
    u32 names; /* index of the section with their names */
} Headers;

static const u8 *header_of(const Headers *h, u32 i) { return h->table + (size_t)SHDR_SIZE * i; }

static bool read_headers(Ld *l, const Object *o, const ObjectFile *file, Headers *h) {
    static const u8 ident[] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    const u8 *d = file->data;
    if (file->size < EHDR_SIZE || memcmp(d, ident, sizeof ident) != 0 ||
        le16_load(d + 16) != ET_REL)
        return wr_ld_fail(l, o, "not an ELF64 relocatable file");
    if (le16_load(d + 18) != l->machine) return wr_ld_fail(l, o, "for another processor");
    u64 place = le64_load(d + 40);
    *h = (Headers){
        .file = d, .size = file->size, .count = le16_load(d + 60), .names = le16_load(d + 62)};
    if (!fits(place, SHDR_SIZE, file->size) || le16_load(d + 58) != SHDR_SIZE)
        return wr_ld_fail(l, o, "section headers");
    h->table = d + place;
    if (h->count == 0) { /* more than fit in 16 bits: the first header has the numbers */
        u64 count = le64_load(h->table + 32);
        if (count > UINT32_MAX / SHDR_SIZE) return wr_ld_fail(l, o, "section headers");
        h->count = (u32)count;
    }
    if (h->names == 0xFFFF) h->names = le32_load(h->table + 40);
    if (!fits(place, (u64)h->count * SHDR_SIZE, file->size) || h->names >= h->count)
        return wr_ld_fail(l, o, "section headers");
    return true;
}

/* The contents of section i; false if they do not lie in the file. */
static bool contents(const Headers *h, u32 i, const u8 **data, u64 *size) {
    const u8 *at = header_of(h, i);
    u64 place = le64_load(at + 24);
    *size = le64_load(at + 32);
    *data = NULL;
    if (le32_load(at + 4) == SHT_NOBITS) return true;
    if (!fits(place, *size, h->size)) return false;
    *data = h->file + place;
    return true;
}

/* A table of zero-terminated texts: false unless it ends with a zero. */
static bool texts(const Headers *h, u32 i, const char **data, u64 *size) {
    const u8 *bytes;
    if (i >= h->count || !contents(h, i, &bytes, size)) return false;
    *data = (const char *)bytes;
    return *size > 0 && bytes != NULL && bytes[*size - 1] == 0;
}

static bool read_section(Ld *l, const Object *o, const Headers *h, u32 i, Section *section) {
    const char *names;
    u64 names_size;
    const u8 *at = header_of(h, i);
    if (!texts(h, h->names, &names, &names_size) || le32_load(at) >= names_size)
        return wr_ld_fail(l, o, "section names");
    *section = (Section){.name = names + le32_load(at),
                         .type = le32_load(at + 4),
                         .flags = le64_load(at + 8),
                         .align = 1};
    u64 align = le64_load(at + 48);
    if (align > MAX_ALIGN || (align & (align - 1)) != 0)
        return wr_ld_fail(l, o, "alignment of %s", section->name);
    if (align > 1) section->align = (u32)align;
    if (!contents(h, i, &section->data, &section->size))
        return wr_ld_fail(l, o, "section %s is not in the file", section->name);
    return true;
}

/* Hangs relocations onto the section that they are for; finds the symbols. */
static bool read_link(Ld *l, Object *o, const Headers *h, u32 i) {
    const Section *s = &o->sections[i];
    u32 link = le32_load(header_of(h, i) + 40), info = le32_load(header_of(h, i) + 44);
    if (s->type == SHT_RELA) {
        if (info >= o->nsections || s->size % RELA_SIZE != 0 || s->size / RELA_SIZE > UINT32_MAX)
            return wr_ld_fail(l, o, "section %s", s->name);
        o->sections[info].rela = s->data;
        o->sections[info].nrela = (u32)(s->size / RELA_SIZE);
    } else if (s->type == SHT_SYMTAB) {
        if (s->size % SYMBOL_SIZE != 0 || s->size / SYMBOL_SIZE > UINT32_MAX ||
            !texts(h, link, &o->names, &o->names_size))
            return wr_ld_fail(l, o, "symbols");
        o->symbols = s->data;
        o->nsymbols = (u32)(s->size / SYMBOL_SIZE);
    }
    return true;
}

bool wr_ld_read(Ld *l, Object *o, const ObjectFile *file) {
    Headers h;
    if (!read_headers(l, o, file, &h)) return false;
    o->nsections = h.count;
    o->sections = wr_arena_new(&l->arena, h.count, sizeof *o->sections);
    if (!o->sections) return wr_ld_no_memory(l);
    for (u32 i = 1; i < h.count; i++)
        if (!read_section(l, o, &h, i, &o->sections[i])) return false;
    for (u32 i = 1; i < h.count; i++)
        if (!read_link(l, o, &h, i)) return false;
    return true;
}

bool wr_ld_is_code(const Section *s) {
    return (s->flags & SHF_ALLOC) != 0 && (s->flags & SHF_EXECINSTR) != 0;
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

bool wr_ld_is_rodata(const Section *s) {
    return (s->flags & (SHF_ALLOC | SHF_EXECINSTR | SHF_WRITE)) == SHF_ALLOC &&
           !begins(s->name, ".eh_frame") && !begins(s->name, ".gcc_except_table") &&
           !begins(s->name, ".note");
}

const Section *wr_ld_section(const Object *o, const char *name) {
    for (u32 i = 1; i < o->nsections; i++)
        if (strcmp(o->sections[i].name, name) == 0) return &o->sections[i];
    return NULL;
}

Relocation wr_ld_relocation(const Section *section, u32 i) {
    const u8 *at = section->rela + (size_t)RELA_SIZE * i;
    u64 info = le64_load(at + 8);
    return (Relocation){.offset = le64_load(at),
                        .type = (u32)info,
                        .symbol = (u32)(info >> 32),
                        .addend = (i64)le64_load(at + 16)};
}

/* ---- symbols ---- */

bool wr_ld_symbol(Ld *l, const Object *o, u32 i, ObjectSymbol *symbol) {
    if (i >= o->nsymbols) return wr_ld_fail(l, o, "no symbol %u", i);
    const u8 *at = o->symbols + (size_t)SYMBOL_SIZE * i;
    u32 name = le32_load(at), section = le16_load(at + 6);
    if (name >= o->names_size) return wr_ld_fail(l, o, "name of symbol %u", i);
    *symbol = (ObjectSymbol){.name = o->names + name,
                             .binding = (u8)(at[4] >> 4),
                             .section = section < SHN_LORESERVE ? section : NONE_U32,
                             .value = le64_load(at + 8),
                             .size = le64_load(at + 16)};
    return true;
}

static bool parse_index(const char *digits, u32 *index) {
    u64 n = 0;
    if (*digits == 0) return false;
    for (; *digits != 0; digits++) {
        if (*digits < '0' || *digits > '9') return false;
        n = n * 10 + (u64)(*digits - '0');
        if (n >= NONE_U32) return false;
    }
    *index = (u32)n;
    return true;
}

bool wr_ld_parse_name(const char *name, SymbolKind *kind, FunctionBody *body, u32 *index) {
    static const struct {
        const char *prefix;
        SymbolKind kind;
        FunctionBody body;
    } kinds[] = {{"f", SYMBOL_FUNCTION, BODY_PLAIN},     {"t", SYMBOL_FUNCTION, BODY_TAIL},
                 {"r", SYMBOL_FUNCTION, BODY_COUNTED},   {"in", SYMBOL_ENTRY, BODY_PLAIN},
                 {"outt", SYMBOL_EXIT_TAIL, BODY_PLAIN}, {"out", SYMBOL_EXIT, BODY_PLAIN}};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!begins(name, kinds[i].prefix) || !parse_index(name + strlen(kinds[i].prefix), index))
            continue;
        *kind = kinds[i].kind;
        *body = kinds[i].body;
        return true;
    }
    return false;
}

/* Where a symbol of that name is kept; NULL if it is none of the module's. */
static Spot *spot_of(const Ld *l, const char *name) {
    SymbolKind kind;
    FunctionBody body;
    u32 index;
    if (!wr_ld_parse_name(name, &kind, &body, &index)) return NULL;
    if (kind == SYMBOL_FUNCTION) {
        u32 i = index - l->module->nimported_funcs;
        if (index < l->module->nimported_funcs || i >= l->module->ncodes) return NULL;
        return &l->functions[body][i];
    }
    return index < l->plan->nshapes ? &l->thunks[kind - SYMBOL_ENTRY][index] : NULL;
}

/* Where the symbol is. */
static bool locate(Ld *l, const Object *o, const ObjectSymbol *symbol, Spot *spot) {
    if (symbol->section >= o->nsections) return wr_ld_fail(l, o, "symbol %.50s", symbol->name);
    const Section *section = &o->sections[symbol->section];
    if (section->place == 0 || !wr_ld_is_code(section) ||
        !fits(symbol->value, symbol->size, section->size) || symbol->size == 0)
        return wr_ld_fail(l, o, "symbol %.50s is not in the code", symbol->name);
    *spot = (Spot){section->place + (u32)symbol->value, (u32)symbol->size};
    return true;
}

/* Thunks may be in several objects: weak, and all the same. */
static bool define(Ld *l, const Object *o, const ObjectSymbol *symbol) {
    Spot at, *spot = spot_of(l, symbol->name);
    u32 loop;
    if (!locate(l, o, symbol, &at)) return false;
    if (symbol->name[0] == 'o' && parse_index(symbol->name + 1, &loop))
        return wr_ld_row(l, &l->loops, loop, at.place, at.size, 0);
    if (!spot) return wr_ld_fail(l, o, "symbol %.50s is of no function", symbol->name);
    if (spot->place != 0 && symbol->binding != STB_WEAK)
        return wr_ld_fail(l, o, "symbol %.50s is there twice", symbol->name);
    if (spot->place == 0) *spot = at;
    return true;
}

static bool is_personality(const char *name) { return begins(name, "DW.ref."); }

bool wr_ld_define(Ld *l, const Object *o) {
    for (u32 i = 1; i < o->nsymbols; i++) {
        ObjectSymbol symbol;
        if (!wr_ld_symbol(l, o, i, &symbol)) return false;
        if (symbol.binding == STB_LOCAL || symbol.section == 0 || is_personality(symbol.name))
            continue;
        if (!define(l, o, &symbol)) return false;
    }
    return true;
}

bool wr_ld_find_spot(const Ld *l, const char *name, Spot *spot) {
    const Spot *found = spot_of(l, name);
    if (found) *spot = *found;
    return found && found->place != 0;
}
