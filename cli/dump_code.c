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

/* An offset and as many bytes as fit, padded to the bar if `pad`. */
static void put_bytes(const Dump *d, const u8 *at, const u8 *end, bool pad) {
    wr_disasm_text(&d->text, " %06llx:", (unsigned long long)dump_offset(d, at));
    u32 i = 0;
    for (; i < BYTES_A_LINE && at + i < end; i++) wr_disasm_text(&d->text, " %02x", at[i]);
    if (pad) wr_disasm_text(&d->text, "%*s", (int)(BYTES_A_LINE - i) * 3, "");
}

/* Offset, bytes, bar and indentation. Bytes beyond the line's get lines of their own from put_rest(). */
static void begin_line(const Dump *d, const u8 *at, const u8 *end, u32 depth) {
    put_bytes(d, at, end, true);
    wr_disasm_text(&d->text, " | %*s", (int)min_u32(depth, MAX_INDENT) * 2, "");
}

static void put_rest(const Dump *d, const u8 *at, const u8 *end) {
    for (at += BYTES_A_LINE; at < end; at += BYTES_A_LINE) {
        put_bytes(d, at, end, false);
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

/* How many entries belong to the instruction. */
static u32 side_entries(const Instr *instr) {
    Opcode op = instr->op;
    u8 imm = wr_op_info[op].imm;
    if (op == OP_DELEGATE) return 0;
    if (op == OP_IF || op == OP_ELSE || op == OP_CATCH || op == OP_CATCH_ALL) return 1;
    if (imm == IMM_LABEL || imm == IMM_BR_CAST) return 1;
    if (imm == IMM_BR_TABLE) return instr->vector.count + 1;
    return imm == IMM_TRY_TABLE ? instr->vector.count : 0;
}

static FarEntry unpack(const Code *code, u32 index) {
    const SideEntry *packed = &code->side[index];
    if (packed->pop == SIDE_FAR) return code->far[packed->pc];
    return (FarEntry){packed->pc, packed->stp, packed->pop, packed->keep};
}

static void put_side_entry(const Dump *d, const Body *body, const Instr *instr) {
    FarEntry entry = unpack(body->code, body->side);
    wr_disasm_text(&d->text, " %*s   side %u: ", 6 + 3 * BYTES_A_LINE, "", body->side);
    if (instr->op == OP_RETHROW) {
        wr_disasm_text(&d->text, "exception in local slot %d\n", entry.pc);
        return;
    }
    u64 target = dump_offset(d, instr->start) + (u64)(i64)entry.pc;
    wr_disasm_text(&d->text, "to %06llx, entry %u", (unsigned long long)target,
                   body->side + (u32)entry.stp);
    if (entry.pop) wr_disasm_text(&d->text, ", pop %u keep %u", entry.pop, entry.keep);
    say(d, body->code->side[body->side].pop == SIDE_FAR ? " (far)\n" : "\n");
}

static void put_side_entries(const Dump *d, Body *body, const Instr *instr) {
    u32 count = body->code ? side_entries(instr) : 0;
    for (; count && body->side < body->code->nside; count--, body->side++)
        put_side_entry(d, body, instr);
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

/* Parameters and results as the type section has them; gives the number of parameters. */
static u32 put_signature(Dump *d, u32 type) {
    static const char *const words[] = {"param", "result"};
    Name lies = wr_dump_names_find(&d->types, type);
    if (!lies.data) return 0;
    const u8 *at = (const u8 *)lies.data;
    Reader r = {.pos = at, .end = at + lies.size, .base = d->bytes};
    u32 counts[2] = {0, 0};
    for (u32 part = 0; part < 2; part++) {
        u32 count = counts[part] = wr_read_u32(&r);
        if (count) wr_disasm_text(&d->text, " (%s", words[part]);
        for (u32 i = 0; i < count && !r.error; i++) {
            ValType value = wr_read_valtype(&r, NULL);
            say(d, " ");
            wr_disasm_valtype(&d->text, value);
        }
        if (count) say(d, ")");
    }
    wr_error_delete(r.error);
    return counts[0];
}

static void put_locals(Dump *d, Reader *r, u32 next) {
    u32 runs = wr_read_u32(r);
    for (u32 i = 0; i < runs; i++) {
        const u8 *at = r->pos;
        u32 count = wr_read_u32(r);
        ValType type = wr_read_valtype(r, NULL);
        if (r->error) return;
        begin_line(d, at, r->pos, 0);
        wr_disasm_text(&d->text, count == 0 ? "no local" : "local %u", next);
        if (count > 1) wr_disasm_text(&d->text, "..%llu", (unsigned long long)next + count - 1);
        say(d, ": ");
        wr_disasm_valtype(&d->text, type);
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

static void put_instruction(Dump *d, Body *body, const Instr *instr) {
    Opcode op = instr->op;
    if (ends_block(op) && d->depth) d->depth--;
    begin_line(d, instr->start, instr->end, d->depth - (splits_block(op) && d->depth));
    wr_disasm_instr(&d->text, instr);
    if (opens_block(op)) wr_disasm_text(&d->text, " <@%u>", ++d->depth);
    say(d, "\n");
    put_rest(d, instr->start, instr->end);
    put_side_entries(d, body, instr);
    put_error(d, instr->start, instr->end);
}

/* The byte where decoding ended. */
static void put_no_instruction(const Dump *d, const u8 *at, const u8 *end) {
    if (at < end) end = at + 1;
    begin_line(d, at, end, d->depth);
    say(d, "?\n");
    put_error(d, at, at + 1);
}

static void put_instructions(Dump *d, Body *body, Reader *r) {
    Instr instr;
    const u8 *at = r->pos;
    d->depth = 0;
    while (wr_instr_next(r, &instr)) {
        put_instruction(d, body, &instr);
        at = r->pos;
    }
    if (r->error) put_no_instruction(d, at, body->end);
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
    put_instructions(d, body, &r);
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
