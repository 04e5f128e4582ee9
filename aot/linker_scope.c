/*
 * linker_scope.c - .debug_info (DWARF 4 and 5) into the tables of scopes and chains: which guest function code belongs
 * to, and into which calls it was inlined.
 *
 * A chain is a function, and where and into which chain it was inlined. The tree of entries (DIEs) gives ranges of code
 * within ranges; what is looked up is flat: from this code on, this chain, the innermost one.
 * A wrapper (an f where there is a t) and a stub stand for no frame of the guest: they have no chain.
 */
#include <stdlib.h>

#include "linker_state.h"

enum { TAG_COMPILE_UNIT = 0x11, TAG_INLINED_SUBROUTINE = 0x1D, TAG_SUBPROGRAM = 0x2E };

enum {
    AT_NAME = 0x03,
    AT_LOW_PC = 0x11,
    AT_HIGH_PC = 0x12,
    AT_ABSTRACT_ORIGIN = 0x31,
    AT_SPECIFICATION = 0x47,
    AT_RANGES = 0x55,
    AT_CALL_LINE = 0x59,
    AT_LINKAGE_NAME = 0x6E,
    AT_STR_OFFSETS_BASE = 0x72,
    AT_ADDR_BASE = 0x73,
    AT_RNGLISTS_BASE = 0x74
};

enum {
    FORM_ADDR = 0x01,
    FORM_BLOCK2 = 0x03,
    FORM_BLOCK4 = 0x04,
    FORM_DATA2 = 0x05,
    FORM_DATA4 = 0x06,
    FORM_DATA8 = 0x07,
    FORM_STRING = 0x08,
    FORM_BLOCK = 0x09,
    FORM_BLOCK1 = 0x0A,
    FORM_DATA1 = 0x0B,
    FORM_FLAG = 0x0C,
    FORM_SDATA = 0x0D,
    FORM_STRP = 0x0E,
    FORM_UDATA = 0x0F,
    FORM_REF_ADDR = 0x10,
    FORM_REF1 = 0x11,
    FORM_REF2 = 0x12,
    FORM_REF4 = 0x13,
    FORM_REF8 = 0x14,
    FORM_REF_UDATA = 0x15,
    FORM_SEC_OFFSET = 0x17,
    FORM_EXPRLOC = 0x18,
    FORM_FLAG_PRESENT = 0x19,
    FORM_STRX = 0x1A,
    FORM_ADDRX = 0x1B,
    FORM_DATA16 = 0x1E,
    FORM_LINE_STRP = 0x1F,
    FORM_IMPLICIT_CONST = 0x21,
    FORM_LOCLISTX = 0x22,
    FORM_RNGLISTX = 0x23,
    FORM_STRX1 = 0x25,
    FORM_STRX2 = 0x26,
    FORM_STRX3 = 0x27,
    FORM_STRX4 = 0x28,
    FORM_ADDRX1 = 0x29,
    FORM_ADDRX2 = 0x2A,
    FORM_ADDRX3 = 0x2B,
    FORM_ADDRX4 = 0x2C
};

/* What one entry says, as far as it matters. */
typedef struct Die {
    u64 offset; /* in .debug_info */
    u64 tag;    /* 0: the end of the children of one */
    bool has_children, has_low, has_high, high_is_size, has_ranges, has_origin, ranges_indexed;
    const char *name, *linkage_name; /* or NULL */
    u64 low, high, ranges, origin, call_line;
} Die;

/* One function, or inlined call, that is open while its children are read. */
typedef struct Open {
    u32 chain;     /* NONE_U32: none */
    u32 call_line; /* of a wrapper: where it was inlined */
    bool is_wrapper;
    u32 depth; /* its children are deeper */
} Open;

typedef struct Scopes {
    Ld *l;
    const Object *object;
    Cursor info, abbrevs, strings, str_offsets, addresses, ranges, rnglists;
    /* of the unit being read */
    u64 unit, version, abbrev, base, str_base, addr_base, rng_base;
    const u8 **declarations; /* by abbreviation code - 1: after the code; NULL: none */
    u32 ndeclarations;
    Rows names;     /* offset of a DIE, function index: first pass, sorted as it comes */
    Rows intervals; /* code, end, chain, number: of the function being read */
    Open *open;
    u32 nopen, cap_open;
} Scopes;

static bool bad(const Scopes *s, const char *what) {
    return wr_ld_fail(s->l, s->object, "debug information: %s", what);
}

/* ---- abbreviations ---- */

/* One declaration: tag, children, pairs of attribute and form. False at the end of the table. */
static bool skip_declaration(Cursor *c) {
    u64 attribute, form;
    (void)wr_cursor_uleb(c);
    wr_cursor_skip(c, 1);
    do {
        attribute = wr_cursor_uleb(c);
        form = wr_cursor_uleb(c);
        if (form == FORM_IMPLICIT_CONST) (void)wr_cursor_sleb(c);
    } while ((attribute != 0 || form != 0) && !c->failed);
    return !c->failed;
}

#define MAX_ABBREVIATIONS 4096u

static bool read_abbreviations(Scopes *s) {
    Cursor c = wr_cursor_at(&s->abbrevs, s->abbrev);
    if (!s->declarations)
        s->declarations = wr_arena_new(&s->l->scratch, MAX_ABBREVIATIONS, sizeof *s->declarations);
    if (!s->declarations) return wr_ld_no_memory(s->l);
    memset(s->declarations, 0, MAX_ABBREVIATIONS * sizeof *s->declarations);
    for (u64 code; (code = wr_cursor_uleb(&c)) != 0;) {
        if (code > MAX_ABBREVIATIONS) return bad(s, "too many abbreviations");
        s->declarations[code - 1] = c.at;
        if (!skip_declaration(&c)) break;
    }
    return !c.failed || bad(s, "abbreviations are cut off");
}

/* ---- attributes ---- */

typedef struct Value {
    u64 number;
    const char *text; /* NULL unless the form is a string */
} Value;

static const char *text_at(const Cursor *section, u64 offset) {
    Cursor c = wr_cursor_at(section, offset);
    return wr_cursor_text(&c);
}

static const char *indexed_text(const Scopes *s, u64 index) {
    Cursor c = wr_cursor_at(&s->str_offsets, s->str_base + 4 * index);
    return text_at(&s->strings, wr_cursor_read(&c, 4));
}

static u64 indexed_address(const Scopes *s, u64 index) {
    Cursor c = wr_cursor_at(&s->addresses, s->addr_base + 8 * index);
    return wr_cursor_read(&c, 8);
}

static Value number(u64 n) { return (Value){n, NULL}; }
static Value text(const char *t) { return (Value){0, t}; }

/* False for a form that is not known: then nothing after it can be read. */
static bool read_value(const Scopes *s, Cursor *c, u64 form, i64 constant, Value *v) {
    *v = number(0);
    switch (form) {
    case FORM_ADDR:
    case FORM_DATA8:
    case FORM_REF8: return *v = number(wr_cursor_read(c, 8)), true;
    case FORM_DATA1:
    case FORM_FLAG:
    case FORM_REF1: return *v = number(wr_cursor_read(c, 1)), true;
    case FORM_DATA2:
    case FORM_REF2: return *v = number(wr_cursor_read(c, 2)), true;
    case FORM_DATA4:
    case FORM_REF4:
    case FORM_REF_ADDR:
    case FORM_SEC_OFFSET:
    case FORM_LINE_STRP: return *v = number(wr_cursor_read(c, 4)), true;
    case FORM_UDATA:
    case FORM_REF_UDATA:
    case FORM_LOCLISTX:
    case FORM_RNGLISTX: return *v = number(wr_cursor_uleb(c)), true;
    case FORM_SDATA: return *v = number((u64)wr_cursor_sleb(c)), true;
    case FORM_IMPLICIT_CONST: return *v = number((u64)constant), true;
    case FORM_FLAG_PRESENT: return true;
    case FORM_STRING: return *v = text(wr_cursor_text(c)), true;
    case FORM_STRP: return *v = text(text_at(&s->strings, wr_cursor_read(c, 4))), true;
    case FORM_STRX: return *v = text(indexed_text(s, wr_cursor_uleb(c))), true;
    case FORM_STRX1:
    case FORM_STRX2:
    case FORM_STRX3:
    case FORM_STRX4:
        return *v = text(indexed_text(s, wr_cursor_read(c, (u32)(form - FORM_STRX1) + 1))), true;
    case FORM_ADDRX: return *v = number(indexed_address(s, wr_cursor_uleb(c))), true;
    case FORM_ADDRX1:
    case FORM_ADDRX2:
    case FORM_ADDRX3:
    case FORM_ADDRX4:
        return *v = number(indexed_address(s, wr_cursor_read(c, (u32)(form - FORM_ADDRX1) + 1))),
               true;
    case FORM_BLOCK1: return wr_cursor_skip(c, wr_cursor_read(c, 1)), true;
    case FORM_BLOCK2: return wr_cursor_skip(c, wr_cursor_read(c, 2)), true;
    case FORM_BLOCK4: return wr_cursor_skip(c, wr_cursor_read(c, 4)), true;
    case FORM_BLOCK:
    case FORM_EXPRLOC: return wr_cursor_skip(c, wr_cursor_uleb(c)), true;
    case FORM_DATA16: return wr_cursor_skip(c, 16), true;
    default: return false;
    }
}

static bool is_reference_in_unit(u64 form) { return form >= FORM_REF1 && form <= FORM_REF_UDATA; }

static void keep(const Scopes *s, Die *d, u64 attribute, u64 form, Value v) {
    switch (attribute) {
    case AT_NAME: d->name = v.text; break;
    case AT_LINKAGE_NAME: d->linkage_name = v.text; break;
    case AT_LOW_PC:
        d->low = v.number;
        d->has_low = true;
        break;
    case AT_HIGH_PC:
        d->high = v.number;
        d->has_high = true;
        d->high_is_size = form != FORM_ADDR && form != FORM_ADDRX;
        break;
    case AT_RANGES:
        d->ranges = v.number;
        d->has_ranges = true;
        d->ranges_indexed = form == FORM_RNGLISTX;
        break;
    case AT_ABSTRACT_ORIGIN:
    case AT_SPECIFICATION:
        d->origin = v.number + (is_reference_in_unit(form) ? s->unit : 0);
        d->has_origin = true;
        break;
    case AT_CALL_LINE: d->call_line = v.number; break;
    default: break;
    }
}

/* The bases of indexed forms, which the unit's own entry gives. */
static void keep_base(Scopes *s, u64 attribute, u64 value) {
    if (attribute == AT_STR_OFFSETS_BASE) s->str_base = value;
    if (attribute == AT_ADDR_BASE) s->addr_base = value;
    if (attribute == AT_RNGLISTS_BASE) s->rng_base = value;
}

static bool read_die(Scopes *s, Cursor *c, Die *d) {
    *d = (Die){.offset = cursor_offset(c) + (u64)(c->start - s->info.start)};
    u64 code = wr_cursor_uleb(c);
    if (code == 0) return true;
    if (code > MAX_ABBREVIATIONS || !s->declarations[code - 1]) return bad(s, "no abbreviation");
    Cursor a = s->abbrevs;
    a.at = s->declarations[code - 1];
    d->tag = wr_cursor_uleb(&a);
    d->has_children = wr_cursor_read(&a, 1) != 0;
    for (;;) {
        u64 attribute = wr_cursor_uleb(&a), form = wr_cursor_uleb(&a);
        i64 constant = form == FORM_IMPLICIT_CONST ? wr_cursor_sleb(&a) : 0;
        Value value;
        if ((attribute == 0 && form == 0) || a.failed) break;
        if (!read_value(s, c, form, constant, &value)) return bad(s, "unknown form");
        keep(s, d, attribute, form, value);
        if (d->tag == TAG_COMPILE_UNIT) keep_base(s, attribute, value.number);
    }
    return !(c->failed || a.failed) || bad(s, "cut off");
}

/* ---- units ---- */

static bool read_unit(Scopes *s, Cursor *unit) {
    s->unit = cursor_offset(&s->info);
    u64 size = wr_cursor_read(&s->info, 4);
    if (size >= 0xFFFFFFF0u) return bad(s, "64-bit DWARF");
    *unit = wr_cursor_take(&s->info, size);
    s->version = wr_cursor_read(unit, 2);
    if (s->version < 2 || s->version > 5) return bad(s, "unknown version");
    if (s->version >= 5) {
        wr_cursor_skip(unit, 2); /* sort of unit, size of addresses */
        s->abbrev = wr_cursor_read(unit, 4);
    } else {
        s->abbrev = wr_cursor_read(unit, 4);
        wr_cursor_skip(unit, 1);
    }
    s->base = 0;
    s->str_base = s->addr_base = s->rng_base = 8;
    return (!unit->failed && !s->info.failed) ? read_abbreviations(s) : bad(s, "cut off");
}

/* The unit's own entry twice: its bases may come after what is indexed by them. */
static bool read_unit_die(Scopes *s, Cursor *unit) {
    Cursor again = *unit;
    Die d;
    if (!read_die(s, &again, &d) || !read_die(s, unit, &d)) return false;
    if (d.tag != TAG_COMPILE_UNIT) return bad(s, "no unit");
    if (d.has_low) s->base = d.low;
    return true;
}

static bool each_die(Scopes *s, bool (*visit)(Scopes *, const Die *, u32 depth)) {
    s->info.at = s->info.start;
    while (cursor_more(&s->info)) {
        Cursor unit;
        if (!read_unit(s, &unit) || !read_unit_die(s, &unit)) return false;
        u32 depth = 1;
        while (cursor_more(&unit) && depth > 0) {
            Die d;
            if (!read_die(s, &unit, &d)) return false;
            if (d.tag == 0) {
                depth--;
                continue;
            }
            if (!visit(s, &d, depth)) return false;
            if (d.has_children) depth++;
        }
    }
    return !s->info.failed || bad(s, "cut off");
}

/* ---- names ---- */

/* f<i>, t<i> and r<i> are function i. */
static bool name_of(const Die *d, u32 *func, FunctionBody *body) {
    SymbolKind kind;
    const char *name = d->linkage_name ? d->linkage_name : d->name;
    return name && wr_ld_parse_name(name, &kind, body, func) && kind == SYMBOL_FUNCTION;
}

static bool note_name(Scopes *s, const Die *d, u32 depth) {
    u32 func;
    FunctionBody body;
    (void)depth;
    if (d->tag != TAG_SUBPROGRAM || d->offset > UINT32_MAX || !name_of(d, &func, &body))
        return true;
    return wr_ld_row(s->l, &s->names, (u32)d->offset, func, body, 0);
}

/* The function that an entry is of, by its own name or that of its origin. */
static bool find_function(const Scopes *s, const Die *d, u32 *func, FunctionBody *body) {
    if (name_of(d, func, body)) return true;
    u32 low = 0, high = d->has_origin ? s->names.count : 0;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        const u32 *columns = s->names.rows[middle].columns;
        if (columns[0] == d->origin) {
            *func = columns[1];
            *body = (FunctionBody)columns[2];
            return true;
        }
        if (columns[0] < d->origin)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static bool is_wrapper(const Scopes *s, u32 func, FunctionBody body) {
    const Ld *l = s->l;
    u32 i = func - l->module->nimported_funcs;
    if (func < l->module->nimported_funcs || i >= l->module->ncodes) return true;
    if (l->plan->left_out && l->plan->left_out[func]) return true;
    return body != wr_ld_guest_body(l, i);
}

/* ---- ranges ---- */

static bool add_interval(Scopes *s, u64 low, u64 high, u32 chain) {
    u32 start, end;
    if (low >= high || low == 0) return true; /* nothing is left of it */
    if (!wr_ld_code(s->l, low, &start) || !wr_ld_code(s->l, high, &end))
        return bad(s, "range outside of the code");
    return wr_ld_row(s->l, &s->intervals, start, end, chain, s->intervals.count);
}

/* .debug_ranges: pairs of addresses, relative to the unit's, unless that is given anew. */
static bool old_ranges(Scopes *s, u64 offset, u32 chain) {
    Cursor c = wr_cursor_at(&s->ranges, offset);
    u64 base = s->base;
    while (cursor_more(&c)) {
        u64 low = wr_cursor_read(&c, 8), high = wr_cursor_read(&c, 8);
        if (low == 0 && high == 0) return true;
        if (low == UINT64_MAX)
            base = high;
        else if (!add_interval(s, base + low, base + high, chain))
            return false;
    }
    return bad(s, "ranges are cut off");
}

/* One entry of .debug_rnglists; *done at the end of the list. */
static bool range_entry(Scopes *s, Cursor *c, u64 *base, u32 chain, bool *done) {
    u64 a, b;
    switch (wr_cursor_read(c, 1)) {
    case 0: /* end_of_list */ return *done = true;
    case 1: /* base_addressx */ *base = indexed_address(s, wr_cursor_uleb(c)); return true;
    case 2: /* startx_endx */
        a = indexed_address(s, wr_cursor_uleb(c));
        return add_interval(s, a, indexed_address(s, wr_cursor_uleb(c)), chain);
    case 3: /* startx_length */
        a = indexed_address(s, wr_cursor_uleb(c));
        return add_interval(s, a, a + wr_cursor_uleb(c), chain);
    case 4: /* offset_pair */
        a = wr_cursor_uleb(c);
        b = wr_cursor_uleb(c);
        return add_interval(s, *base + a, *base + b, chain);
    case 5: /* base_address */ *base = wr_cursor_read(c, 8); return true;
    case 6: /* start_end */
        a = wr_cursor_read(c, 8);
        return add_interval(s, a, wr_cursor_read(c, 8), chain);
    case 7: /* start_length */
        a = wr_cursor_read(c, 8);
        return add_interval(s, a, a + wr_cursor_uleb(c), chain);
    default: return bad(s, "unknown range");
    }
}

static bool new_ranges(Scopes *s, const Die *d, u32 chain) {
    u64 offset = d->ranges, base = s->base;
    if (d->ranges_indexed) {
        Cursor at = wr_cursor_at(&s->rnglists, s->rng_base + 4 * d->ranges);
        offset = s->rng_base + wr_cursor_read(&at, 4);
    }
    Cursor c = wr_cursor_at(&s->rnglists, offset);
    bool done = false;
    while (!done && cursor_more(&c))
        if (!range_entry(s, &c, &base, chain, &done)) return false;
    return done || bad(s, "ranges are cut off");
}

static bool add_ranges(Scopes *s, const Die *d, u32 chain) {
    if (d->has_ranges)
        return s->version >= 5 ? new_ranges(s, d, chain) : old_ranges(s, d->ranges, chain);
    if (!d->has_low || !d->has_high) return true;
    return add_interval(s, d->low, d->high_is_size ? d->low + d->high : d->high, chain);
}

/* ---- flattening ---- */

/* Outer ones first. */
static int compare_intervals(const void *a, const void *b) {
    const u32 *x = ((const Row *)a)->columns, *y = ((const Row *)b)->columns;
    if (x[0] != y[0]) return x[0] < y[0] ? -1 : 1;
    if (x[1] != y[1]) return x[1] > y[1] ? -1 : 1;
    return x[3] < y[3] ? -1 : x[3] > y[3];
}

/* From `code` on; what was said of the same code before is replaced. */
static bool scope_row(Ld *l, u32 first, u32 code, u32 chain) {
    if (l->scopes.count > first && l->scopes.rows[l->scopes.count - 1].columns[0] == code) {
        l->scopes.rows[l->scopes.count - 1].columns[1] = chain;
        return true;
    }
    return wr_ld_row(l, &l->scopes, code, chain, 0, 0);
}

/* Writes the rows of one function: `nest` holds the intervals that are open. */
static bool flatten_into(Scopes *s, Rows *nest) {
    Ld *l = s->l;
    u32 first = l->scopes.count;
    for (u32 i = 0; i <= s->intervals.count; i++) {
        const u32 *next = i < s->intervals.count ? s->intervals.rows[i].columns : NULL;
        while (nest->count > 0 && (!next || nest->rows[nest->count - 1].columns[1] <= next[0])) {
            u32 end = nest->rows[--nest->count].columns[1];
            u32 outer = nest->count > 0 ? nest->rows[nest->count - 1].columns[2] : NONE_U32;
            if (!scope_row(l, first, end, outer)) return false;
        }
        if (!next) break;
        if (!scope_row(l, first, next[0], next[2])) return false;
        if (!wr_ld_row(l, nest, next[0], next[1], next[2], 0)) return false;
    }
    return true;
}

static bool flatten(Scopes *s) {
    Rows nest = {0};
    if (s->intervals.count == 0) return true;
    qsort(s->intervals.rows, s->intervals.count, sizeof(Row), compare_intervals);
    bool ok = flatten_into(s, &nest);
    s->intervals.count = 0;
    wr_free(s->l->alloc, nest.rows, nest.capacity * sizeof(Row));
    return ok;
}

/* ---- the tree ---- */

static bool push(Scopes *s, Open open) {
    if (!wr_grow_array(s->l->alloc, &s->open, &s->cap_open, (u64)s->nopen + 1, UINT32_MAX,
                       sizeof *s->open))
        return wr_ld_no_memory(s->l);
    s->open[s->nopen++] = open;
    return true;
}

static bool new_chain(Scopes *s, u32 func, u32 call_line, u32 parent, u32 *chain) {
    *chain = s->l->chains.count;
    return wr_ld_row(s->l, &s->l->chains, func, call_line, parent, 0);
}

static bool open_function(Scopes *s, const Die *d, u32 depth, u32 func, FunctionBody body) {
    Open open = {NONE_U32, 0, is_wrapper(s, func, body), depth};
    if (open.is_wrapper) return push(s, open);
    return new_chain(s, func, 0, NONE_U32, &open.chain) && add_ranges(s, d, open.chain) &&
           push(s, open);
}

/* A wrapper that was inlined is no link of the chain, but where it was called is. */
static bool open_inlined(Scopes *s, const Die *d, u32 depth, u32 func, FunctionBody body) {
    Open open = {NONE_U32, (u32)d->call_line, is_wrapper(s, func, body), depth};
    if (s->nopen > 0) {
        const Open *outer = &s->open[s->nopen - 1];
        open.chain = outer->chain;
        if (outer->is_wrapper) open.call_line = outer->call_line;
    }
    if (!open.is_wrapper && (!new_chain(s, func, open.call_line, open.chain, &open.chain) ||
                             !add_ranges(s, d, open.chain)))
        return false;
    return push(s, open);
}

static bool note_scope(Scopes *s, const Die *d, u32 depth) {
    u32 func;
    FunctionBody body;
    while (s->nopen > 0 && s->open[s->nopen - 1].depth >= depth) s->nopen--;
    if (s->nopen == 0 && !flatten(s)) return false;
    if (d->tag != TAG_SUBPROGRAM && d->tag != TAG_INLINED_SUBROUTINE) return true;
    if (d->tag == TAG_SUBPROGRAM && !d->has_low && !d->has_ranges) return true;
    if (!find_function(s, d, &func, &body)) return true;
    return d->tag == TAG_SUBPROGRAM ? open_function(s, d, depth, func, body)
                                    : open_inlined(s, d, depth, func, body);
}

/* ---- all of it ---- */

static bool read_sections(Scopes *s) {
    const struct {
        const char *name;
        Cursor *cursor;
    } sections[] = {{".debug_info", &s->info},        {".debug_abbrev", &s->abbrevs},
                    {".debug_str", &s->strings},      {".debug_str_offsets", &s->str_offsets},
                    {".debug_addr", &s->addresses},   {".debug_ranges", &s->ranges},
                    {".debug_rnglists", &s->rnglists}};
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        if (!wr_ld_contents(s->l, s->object, sections[i].name, sections[i].cursor)) return false;
    return true;
}

bool wr_ld_scopes(Ld *l, const Object *o) {
    Scopes s = {.l = l, .object = o};
    bool ok =
        read_sections(&s) && each_die(&s, note_name) && each_die(&s, note_scope) && flatten(&s);
    wr_free(l->alloc, s.names.rows, s.names.capacity * sizeof(Row));
    wr_free(l->alloc, s.intervals.rows, s.intervals.capacity * sizeof(Row));
    wr_free(l->alloc, s.open, s.cap_open * sizeof *s.open);
    return ok;
}
