/*
 * dump_code.c - function bodies as instructions: offset, bytes, text indented by block; on request with
 * the side table's entries under the branches that they belong to (module.h says which those are).
 */
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"

enum { BYTES_A_LINE = 9, MAX_INDENT = 40 };

typedef struct Body {
    u32 index;             /* of the function */
    const u8 *start, *end; /* in d->bytes, locals first */
    const Code *code;      /* NULL when the module does not validate, or without --side-tables */
    u32 side;              /* index of the next side entry */
} Body;

static void say(const Dump *d, const char *text) {
    d->text.write(d->text.context, text, strlen(text));
}

/* ---- Lines --------------------------------------------------------------------------------------- */

/* Offset, bytes, bar and indentation. Bytes beyond the line's go to lines of their own by put_rest(). */
static void begin_line(const Dump *d, const u8 *at, const u8 *end, u32 depth) {
    wr_disasm_text(&d->text, " %06llx:", (unsigned long long)dump_offset(d, at));
    for (u32 i = 0; i < BYTES_A_LINE; i++)
        if (at + i < end)
            wr_disasm_text(&d->text, " %02x", at[i]);
        else
            say(d, "   ");
    wr_disasm_text(&d->text, " | %*s", (int)(depth < MAX_INDENT ? depth : MAX_INDENT) * 2, "");
}

static void put_rest(const Dump *d, const u8 *at, const u8 *end) {
    for (at += BYTES_A_LINE; at < end; at += BYTES_A_LINE) {
        begin_line(d, at, end, 0);
        say(d, "\n");
    }
}

/* Under the instruction where the module's error is: what it is. */
static void put_error(const Dump *d, const u8 *at, const u8 *end) {
    u64 offset;
    if (!d->error || !wr_error_offset(d->error, &offset)) return;
    if (offset < dump_offset(d, at) || offset >= dump_offset(d, end)) return;
    wr_disasm_text(&d->text, " %*s ^ ", 8 + 3 * BYTES_A_LINE, "");
    say(d, wr_error_message(d->error));
    say(d, "\n");
}

/* ---- Side table ---------------------------------------------------------------------------------- */

/* Reads past an opcode of one byte and, if it has one, a block type; then a count. */
static u32 read_count(const u8 *at, const u8 *end, bool block_type) {
    Reader r = {.pos = at + 1, .end = end, .base = at};
    if (block_type) {
        i64 type = wr_read_s33(&r);
        if (type == -0x1C || type == -0x1D) wr_read_s33(&r); /* (ref ht), (ref null ht) */
    }
    u32 count = wr_read_u32(&r);
    wr_error_delete(r.error);
    return count;
}

/* How many entries belong to the instruction. */
static u32 side_entries(Opcode op, const u8 *at, const u8 *end) {
    if (op == OP_RETHROW || op == OP_DELEGATE) return 0;
    if (op == OP_IF || op == OP_ELSE || op == OP_CATCH || op == OP_CATCH_ALL) return 1;
    u8 imm = wr_op_info[op].imm;
    if (imm == IMM_LABEL || imm == IMM_BR_CAST) return 1;
    if (imm == IMM_BR_TABLE) return read_count(at, end, false) + 1;
    return imm == IMM_TRY_TABLE ? read_count(at, end, true) : 0;
}

static void put_side_entry(const Dump *d, const Body *body, const u8 *at) {
    const SideEntry *packed = &body->code->side[body->side];
    FarEntry entry = {packed->pc, packed->stp, packed->pop, packed->keep};
    bool far = packed->pop == SIDE_FAR;
    if (far) entry = body->code->far[packed->pc];
    wr_disasm_text(&d->text, " %*s   side %u: to %06llx, entry %u", 6 + 3 * BYTES_A_LINE, "",
                   body->side, (unsigned long long)(dump_offset(d, at) + (u64)(i64)entry.pc),
                   body->side + (u32)entry.stp);
    if (entry.pop) wr_disasm_text(&d->text, ", pop %u keep %u", entry.pop, entry.keep);
    say(d, far ? " (far)\n" : "\n");
}

static void put_side_entries(const Dump *d, Body *body, Opcode op, const u8 *at, const u8 *end) {
    u32 count = body->code ? side_entries(op, at, end) : 0;
    for (; count && body->side < body->code->nside; count--, body->side++)
        put_side_entry(d, body, at);
}

static void put_side_summary(const Dump *d, const Body *body) {
    const Code *code = body->code;
    if (!code) return;
    wr_disasm_text(
        &d->text,
        "  side table: %u entries, %u far; %u locals in %u slots, at most %u operand slots%s\n",
        code->nside, code->nfar, code->nlocals, code->local_slots, code->max_slots,
        code->is_wide ? ", wide" : "");
    u64 base = wr_module_offset(d->module, code->start);
    for (u32 i = 0; i < code->ntries; i++)
        wr_disasm_text(&d->text, "  try %u: %06llx to %06llx, entry %u, height %u\n", i,
                       (unsigned long long)base + code->tries[i].start,
                       (unsigned long long)base + code->tries[i].end, code->tries[i].stp,
                       code->tries[i].height);
}

/* ---- Bodies -------------------------------------------------------------------------------------- */

/* Parameters and results as the type section has them. */
static u32 put_signature(Dump *d, u32 type) {
    Name lies = wr_dump_names_find(&d->types, type);
    if (!lies.data || (u8)lies.data[0] != 0x60) return 0;
    const u8 *at = (const u8 *)lies.data + 1;
    Reader r = {.pos = at, .end = at + lies.size - 1, .base = d->bytes};
    static const char *const words[] = {"param", "result"};
    u32 nparams = 0;
    for (u32 part = 0; part < 2 && !r.error; part++) {
        u32 count = wr_read_u32(&r);
        if (part == 0) nparams = count;
        if (count) wr_disasm_text(&d->text, " (%s", words[part]);
        for (u32 i = 0; i < count && !r.error; i++) {
            say(d, " ");
            wr_disasm_valtype(&d->text, &r);
        }
        if (count) say(d, ")");
    }
    wr_error_delete(r.error);
    return nparams;
}

static void put_locals(Dump *d, Reader *r, u32 next) {
    u32 runs = wr_read_u32(r);
    for (u32 i = 0; i < runs && !r->error; i++) {
        const u8 *at = r->pos;
        u32 count = wr_read_u32(r);
        Reader ahead = *r;
        Disasm nowhere = d->text;
        nowhere.write = wr_dump_nowhere;
        wr_disasm_valtype(&nowhere, &ahead);
        wr_error_delete(r->error ? NULL : ahead.error);
        if (r->error) return;
        begin_line(d, at, ahead.pos, 0);
        if (count == 1)
            wr_disasm_text(&d->text, "local %u: ", next);
        else
            wr_disasm_text(&d->text, "local %u..%llu: ", next,
                           (unsigned long long)next + count - 1);
        wr_disasm_valtype(&d->text, r);
        say(d, "\n");
        next += count;
    }
}

static bool ends_block(Opcode op) { return op == OP_END || op == OP_DELEGATE; }

static bool splits_block(Opcode op) {
    return op == OP_ELSE || op == OP_CATCH || op == OP_CATCH_ALL;
}

static bool opens_block(Opcode op) {
    return wr_op_info[op].imm == IMM_BLOCK || wr_op_info[op].imm == IMM_TRY_TABLE;
}

/* The opcode at the reader's position and, in *end, where the instruction ends; nothing is printed. */
static Opcode look_ahead(const Dump *d, const Reader *r, const u8 **end) {
    Disasm nowhere = d->text;
    nowhere.write = wr_dump_nowhere;
    Reader ahead = *r;
    Opcode op = wr_disasm_instr(&nowhere, &ahead);
    if (op == OP_INVALID) wr_error_delete(ahead.error);
    *end = ahead.pos;
    return op;
}

/* One instruction. False after the last one, or an error. */
static bool put_instruction(Dump *d, Body *body, Reader *r) {
    const u8 *at = r->pos, *end;
    Opcode op = look_ahead(d, r, &end);
    if (op == OP_INVALID) {
        begin_line(d, at, at < r->end ? at + 1 : at, d->depth);
        wr_disasm_instr(&d->text, r);
        say(d, "\n");
        put_error(d, at, at + 1);
        return false;
    }
    if (ends_block(op) && d->depth) d->depth--;
    begin_line(d, at, end, splits_block(op) && d->depth ? d->depth - 1 : d->depth);
    wr_disasm_instr(&d->text, r);
    if (opens_block(op)) wr_disasm_text(&d->text, " <@%u>", ++d->depth);
    say(d, "\n");
    put_rest(d, at, end);
    put_side_entries(d, body, op, at, end);
    put_error(d, at, end);
    return true;
}

/* An error in the body becomes the section reader's. */
static void put_body(Dump *d, Body *body, u32 type, Reader *section) {
    wr_disasm_text(&d->text, "\nfunc ");
    wr_disasm_index(&d->text, SPACE_FUNC, body->index);
    wr_disasm_text(&d->text, " (type ");
    wr_disasm_index(&d->text, SPACE_TYPE, type);
    wr_disasm_text(&d->text, ")");
    u32 nparams = put_signature(d, type);
    wr_disasm_text(&d->text, ", %llu bytes at 0x%06llx\n",
                   (unsigned long long)(body->end - body->start),
                   (unsigned long long)dump_offset(d, body->start));
    wr_dump_names_enter(&d->names, body->index);
    Reader r = {.pos = body->start, .end = body->end, .base = d->bytes};
    put_locals(d, &r, nparams);
    d->depth = 0;
    while (!r.error && r.pos < r.end && put_instruction(d, body, &r)) continue;
    put_side_summary(d, body);
    section->error = r.error;
}

/* Whether --function leaves the body out. */
static bool is_wanted(const Dump *d, u32 index) {
    const List *list = &d->settings->functions;
    if (list->count == 0) return true;
    Name name = wr_dump_names_find(&d->names.spaces[SPACE_FUNC], index);
    char number[16];
    snprintf(number, sizeof number, "%u", index);
    for (size_t i = 0; i < list->count; i++) {
        const char *value = list->items[i].value;
        if (strcmp(value, number) == 0) return true;
        if (name.data && strlen(value) == name.size && memcmp(value, name.data, name.size) == 0)
            return true;
    }
    return false;
}

static const Code *find_code(const Dump *d, u32 index) {
    const Module *m = d->module;
    if (!m || !d->settings->side_tables || index < m->nimported_funcs || index >= m->nfuncs)
        return NULL;
    return wr_module_code(m, index);
}

void wr_dump_code(Dump *d, Reader *r) {
    Reader types = {.pos = d->func_types, .end = d->func_types_end, .base = d->bytes};
    wr_read_u32(&types);
    u32 count = wr_read_u32(r);
    for (u32 i = 0; i < count && !r->error; i++) {
        u32 size = wr_read_u32(r), type = wr_read_u32(&types);
        const u8 *start = wr_read_bytes(r, size);
        if (r->error) break;
        Body body = {.index = d->first_body + i, .start = start, .end = start + size};
        body.code = find_code(d, body.index);
        if (is_wanted(d, body.index)) put_body(d, &body, type, r);
    }
    wr_error_delete(types.error);
}
