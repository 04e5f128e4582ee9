/* linker_debug.c - reading .eh_frame, .gcc_except_table and .debug_*: contents with references resolved, LEB128. */
#include "linker_state.h"

/* ---- contents ---- */

/* Bytes of the field that a relocation of this type fills in; 0: not known. Differences to the field's own place
 * are not made: the reader wants the target. */
static u32 field_size(const Ld *l, u32 type) {
    static const struct {
        u32 machine, type, size;
    } types[] = {
        {MACHINE_X86_64, 1, 8},    /* 64 */
        {MACHINE_X86_64, 2, 4},    /* PC32 */
        {MACHINE_X86_64, 10, 4},   /* 32 */
        {MACHINE_X86_64, 24, 8},   /* PC64 */
        {MACHINE_AARCH64, 257, 8}, /* ABS64 */
        {MACHINE_AARCH64, 258, 4}, /* ABS32 */
        {MACHINE_AARCH64, 260, 8}, /* PREL64 */
        {MACHINE_AARCH64, 261, 4}, /* PREL32 */
    };
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i].machine == l->machine && types[i].type == type) return types[i].size;
    return 0;
}

static bool resolve(Ld *l, const Object *o, const Section *s, const Relocation *r, u8 *data) {
    ObjectSymbol symbol;
    u32 size = field_size(l, r->type);
    if (!wr_ld_symbol(l, o, r->symbol, &symbol)) return false;
    if (size == 0 || r->offset > s->size || size > s->size - r->offset)
        return wr_ld_fail(l, o, "relocation %u in %s", r->type, s->name);
    u64 value = symbol.value + (u64)r->addend;
    if (symbol.section != 0 && symbol.section < o->nsections)
        value += o->sections[symbol.section].place;
    if (size == 4)
        le32_store(data + r->offset, (u32)value);
    else
        le64_store(data + r->offset, value);
    return true;
}

bool wr_ld_contents(Ld *l, const Object *o, const char *name, Cursor *out) {
    const Section *s = wr_ld_section(o, name);
    *out = (Cursor){0};
    if (!s || !s->data) return true;
    u8 *data = wr_arena_copy(&l->scratch, s->data, (size_t)s->size);
    if (!data) return wr_ld_no_memory(l);
    for (u32 i = 0; i < s->nrela; i++) {
        Relocation relocation = wr_ld_relocation(s, i);
        if (relocation.type != 0 && !resolve(l, o, s, &relocation, data)) return false;
    }
    *out = (Cursor){.start = data, .at = data, .end = data + s->size};
    return true;
}

bool wr_ld_code(const Ld *l, u64 place, u32 *code) {
    *code = (u32)(place - l->code);
    return place >= l->code && place <= l->code_end;
}

/* ---- cursors ---- */

void wr_cursor_skip(Cursor *c, u64 size) {
    if (size > (u64)(c->end - c->at)) {
        c->failed = true;
        size = (u64)(c->end - c->at);
    }
    if (size > 0) c->at += size; /* there may be no section */
}

u64 wr_cursor_read(Cursor *c, u32 bytes) {
    const u8 *at = c->at;
    u64 value = 0;
    wr_cursor_skip(c, bytes);
    if (c->failed) return 0;
    for (u32 i = 0; i < bytes; i++) value |= (u64)at[i] << 8 * i;
    return value;
}

/* Bits beyond 64 are lost. */
static u64 read_leb(Cursor *c, u32 *bits, u8 *last) {
    u64 value = 0;
    *bits = 0;
    do {
        *last = (u8)wr_cursor_read(c, 1);
        if (*bits < 64) value |= (u64)(*last & 0x7F) << *bits;
        *bits += 7;
    } while (*last >= 0x80);
    return value;
}

u64 wr_cursor_uleb(Cursor *c) {
    u32 bits;
    u8 last;
    return read_leb(c, &bits, &last);
}

i64 wr_cursor_sleb(Cursor *c) {
    u32 bits;
    u8 last;
    u64 value = read_leb(c, &bits, &last);
    if ((last & 0x40) != 0 && bits < 64) value |= ~(u64)0 << bits;
    return (i64)value;
}

const char *wr_cursor_text(Cursor *c) {
    const char *text = (const char *)c->at;
    const u8 *end = c->at < c->end ? memchr(c->at, 0, (size_t)(c->end - c->at)) : NULL;
    if (!end || c->failed) {
        c->failed = true;
        return "";
    }
    c->at = end + 1;
    return text;
}

Cursor wr_cursor_take(Cursor *c, u64 size) {
    Cursor part = {.start = c->at, .at = c->at};
    wr_cursor_skip(c, size);
    part.end = c->at;
    part.failed = c->failed;
    return part;
}

Cursor wr_cursor_at(const Cursor *c, u64 offset) {
    Cursor there = *c;
    there.at = there.start;
    there.failed = c->start == NULL;
    wr_cursor_skip(&there, offset);
    return there;
}
