/*
 * linker_line.c - .debug_line (DWARF 4 and 5) into the table of places: from which code on which byte offset in the
 * module, which the compiler gives to LLVM as the line.
 *
 * Line 0 is code of no place: what LLVM made of several instructions, or a function's beginning. Such code takes the place
 * before it in the same function, or the first one there is.
 */
#include "linker_state.h"

#define BLOCK_ROWS 32u /* one of them is looked up by going through a block */

/* The header of one line program. */
typedef struct Program {
    u8 min_length;
    i8 line_base;
    u8 line_range, opcode_base;
    u8 lengths[256]; /* operands of standard opcodes */
    Cursor code;
} Program;

/* The state machine: where it is, and what it has written. */
typedef struct Machine {
    Ld *l;
    const Object *object;
    u64 place, line;
    Rows rows; /* code, line */
} Machine;

static bool bad(const Machine *m, const char *what) {
    return wr_ld_fail(m->l, m->object, "line table: %s", what);
}

/* ---- the program ---- */

static bool read_program(Machine *m, Cursor *section, Program *p) {
    u64 size = wr_cursor_read(section, 4);
    if (size >= 0xFFFFFFF0u) return bad(m, "64-bit DWARF");
    Cursor c = wr_cursor_take(section, size);
    u64 version = wr_cursor_read(&c, 2);
    if (version < 2 || version > 5) return bad(m, "unknown version");
    if (version >= 5) wr_cursor_skip(&c, 2); /* sizes of addresses and selectors */
    u64 header_size = wr_cursor_read(&c, 4);
    p->code = c;
    wr_cursor_skip(&p->code, header_size);
    p->min_length = (u8)wr_cursor_read(&c, 1);
    if (version >= 4) wr_cursor_skip(&c, 1); /* operations in one instruction */
    wr_cursor_skip(&c, 1);                   /* default_is_stmt */
    p->line_base = (i8)wr_cursor_read(&c, 1);
    p->line_range = (u8)wr_cursor_read(&c, 1);
    p->opcode_base = (u8)wr_cursor_read(&c, 1);
    for (u32 i = 1; i < p->opcode_base; i++) p->lengths[i] = (u8)wr_cursor_read(&c, 1);
    if (c.failed || p->code.failed || p->line_range == 0 || p->opcode_base < 10)
        return bad(m, "header");
    return true;
}

static bool add_row(Machine *m, bool is_end) {
    u32 code;
    if (!wr_ld_code(m->l, m->place, &code)) return bad(m, "address outside of the code");
    if (is_end) return true;
    return wr_ld_row(m->l, &m->rows, code, m->line > UINT32_MAX ? 0 : (u32)m->line, m->rows.count,
                     0);
}

static bool extended(Machine *m, Cursor *c) {
    Cursor operand = wr_cursor_take(c, wr_cursor_uleb(c));
    switch (wr_cursor_read(&operand, 1)) {
    case 1: { /* end_sequence */
        bool ok = add_row(m, true);
        m->place = 0;
        m->line = 1;
        return ok;
    }
    case 2: /* set_address */
        m->place = wr_cursor_read(&operand, 8);
        return !operand.failed || bad(m, "address");
    default: return true;
    }
}

static bool standard(Machine *m, const Program *p, Cursor *c, u8 op) {
    switch (op) {
    case 1: /* copy */ return add_row(m, false);
    case 2: /* advance_pc */ m->place += wr_cursor_uleb(c) * p->min_length; return true;
    case 3: /* advance_line */ m->line += (u64)wr_cursor_sleb(c); return true;
    case 8: /* const_add_pc */
        m->place += (u64)((255 - p->opcode_base) / p->line_range) * p->min_length;
        return true;
    case 9: /* fixed_advance_pc */ m->place += wr_cursor_read(c, 2); return true;
    default:
        for (u32 i = 0; i < p->lengths[op]; i++) (void)wr_cursor_uleb(c);
        return true;
    }
}

static bool special(Machine *m, const Program *p, u8 op) {
    u32 adjusted = op - (u32)p->opcode_base;
    m->place += (u64)(adjusted / p->line_range) * p->min_length;
    m->line += (u64)(i64)(p->line_base + (i32)(adjusted % p->line_range));
    return add_row(m, false);
}

static bool run(Machine *m, const Program *p) {
    Cursor c = p->code;
    m->place = 0;
    m->line = 1;
    while (cursor_more(&c)) {
        u8 op = (u8)wr_cursor_read(&c, 1);
        bool ok = op == 0               ? extended(m, &c)
                  : op < p->opcode_base ? standard(m, p, &c, op)
                                        : special(m, p, op);
        if (!ok) return false;
    }
    return !c.failed || bad(m, "cut off");
}

/* ---- the table ---- */

static bool add_leb(Ld *l, u32 value) {
    for (; value >= 0x80; value >>= 7)
        if (!wr_ld_byte(l, &l->lines, (u8)(value | 0x80))) return false;
    return wr_ld_byte(l, &l->lines, (u8)value);
}

/* Sign in the lowest bit. */
static u32 fold(i32 n) { return (u32)n << 1 ^ (u32)(n >> 31); }

typedef struct Writer {
    Ld *l;
    u32 code, line; /* the last row */
    u32 left;       /* rows that still go into the block */
} Writer;

static bool write_row(Writer *w, u32 code, u32 line) {
    Ld *l = w->l;
    if (w->left < BLOCK_ROWS && line == w->line) return true;
    if (w->left == BLOCK_ROWS || w->left == 0) {
        if (!wr_ld_row(l, &l->blocks, code, line, l->lines.size, 0)) return false;
        w->left = BLOCK_ROWS;
    } else if (!add_leb(l, code - w->code) || !add_leb(l, fold((i32)(line - w->line)))) {
        return false;
    }
    w->left--;
    w->code = code;
    w->line = line;
    return true;
}

/* Rows of the function that begins at `code`, [from, to), sorted. */
static bool write_function(Writer *w, u32 code, const Row *from, const Row *to) {
    const Row *first = from;
    while (first < to && first->columns[1] == 0) first++;
    if (first == to) return true;
    if (!write_row(w, code, first->columns[1])) return false;
    for (const Row *row = first; row < to; row++)
        if (row->columns[1] != 0 && !write_row(w, row->columns[0], row->columns[1])) return false;
    return true;
}

static bool write_rows(Ld *l, const Rows *rows) {
    Writer w = {.l = l, .left = BLOCK_ROWS};
    if (rows->count == 0) return true;
    const Row *end = rows->rows + rows->count;
    for (const Row *from = rows->rows, *to; from < end; from = to) {
        const Row *symbol = wr_ld_symbol_at(l, from->columns[0]);
        to = from + 1;
        if (!symbol) continue;
        u32 limit = symbol->columns[0] + symbol->columns[1];
        while (to < end && to->columns[0] < limit) to++;
        if (!write_function(&w, symbol->columns[0], from, to)) return false;
    }
    return true;
}

bool wr_ld_lines(Ld *l, const Object *o) {
    Machine m = {.l = l, .object = o};
    Cursor section;
    bool ok = wr_ld_contents(l, o, ".debug_line", &section);
    while (ok && cursor_more(&section)) {
        Program program;
        ok = read_program(&m, &section, &program) && run(&m, &program);
    }
    if (ok) {
        wr_ld_sort(&m.rows);
        wr_ld_unique(&m.rows);
        ok = write_rows(l, &m.rows);
    }
    wr_free(l->alloc, m.rows.rows, m.rows.capacity * sizeof(Row));
    return ok;
}
