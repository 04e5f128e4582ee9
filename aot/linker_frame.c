/*
 * linker_frame.c - .eh_frame into unwind rules by address, .gcc_except_table into landing pads.
 *
 * Call-frame instructions are a program that yields rows: from this address on the CFA is there, and these
 * registers are saved. It is run here, so that nobody has to at run time, where a signal handler may be
 * asking. There are few different rows, so that a row in the table is an address and a number.
 */
#include "hash.h"
#include "linker_state.h"

#define MAX_REMEMBERED 8u
#define NO_ENCODING 0xFFu

/* DWARF's numbers of registers. */
enum {
    X86_RBX = 3,
    X86_RBP = 6,
    X86_RSP = 7,
    X86_R8 = 8,
    X86_R12 = 12,
    X86_R15 = 15,
    X86_RETURN = 16
};
#define LAST_REGISTER 95u /* of the general and vector registers of either machine */
enum { ARM_X19 = 19, ARM_X29 = 29, ARM_X30 = 30, ARM_SP = 31, ARM_D8 = 72, ARM_D15 = 79 };

/* The common part of frames. */
typedef struct Cie {
    u64 offset; /* in the section */
    u64 code_factor;
    i64 data_factor;
    u8 lsda_encoding, code_encoding;
    bool is_augmented;
    Cursor program;
} Cie;

typedef struct State {
    u64 cfa_register; /* DWARF's number */
    i64 cfa_offset;
    UnwindRule rule; /* of the registers */
    i64 pushed;      /* bytes of arguments (GNU_args_size) */
} State;

/* One function's frame. */
typedef struct Frame {
    Ld *l;
    const Object *object;
    const Cie *cie;
    u32 start, end, at; /* code */
    State state, initial, remembered[MAX_REMEMBERED];
    u32 nremembered;
    Rows rows; /* code, rule, CFA's distance from the stack pointer or NONE_U32, pushed */
} Frame;

static bool bad(const Frame *f, const char *what, u64 number) {
    return wr_ld_fail(f->l, f->object, "frame of code at %u: %s %llu", f->start, what,
                      (unsigned long long)number);
}

/* ---- rules ---- */

/* UNWIND_REGISTERS: nobody's who must be restored. */
static u32 register_index(const Ld *l, u64 number) {
    if (l->machine == MACHINE_X86_64) {
        if (number == X86_RBX) return 0;
        if (number == X86_RBP) return 1;
        if (number >= X86_R12 && number <= X86_R15) return (u32)(number - X86_R12) + 2;
    } else {
        if (number >= ARM_X19 && number <= ARM_X30) return (u32)(number - ARM_X19);
        if (number >= ARM_D8 && number <= ARM_D15) return (u32)(number - ARM_D8) + 12;
    }
    return UNWIND_REGISTERS;
}

static bool cfa_register(const Ld *l, u64 number, u32 *found) {
    bool is_x86 = l->machine == MACHINE_X86_64;
    *found = UNWIND_OTHER + (u32)number;
    if (number == (is_x86 ? X86_RSP : ARM_SP))
        *found = UNWIND_SP;
    else if (number == (is_x86 ? X86_RBP : ARM_X29))
        *found = UNWIND_FP;
    else
        return is_x86 ? number >= X86_R8 && number < X86_RETURN : number < ARM_SP;
    return true;
}

static bool grow_slots(Ld *l) {
    u32 count = l->nrule_slots ? l->nrule_slots * 2 : 256;
    u32 *slots = wr_alloc_array(l->alloc, count, sizeof *slots);
    if (!slots) return wr_ld_no_memory(l);
    for (u32 i = 0; i < l->nrules; i++) {
        u64 at = wr_hash(&l->rules[i], sizeof l->rules[i], 0).low;
        while (slots[at & (count - 1)] != 0) at++;
        slots[at & (count - 1)] = i + 1;
    }
    wr_free(l->alloc, l->rule_slots, l->nrule_slots * sizeof *slots);
    l->rule_slots = slots;
    l->nrule_slots = count;
    return true;
}

/* The number of this rule. */
static bool intern(Ld *l, const UnwindRule *rule, u32 *number) {
    if (l->nrules * 2 >= l->nrule_slots && !grow_slots(l)) return false;
    u64 at = wr_hash(rule, sizeof *rule, 0).low;
    for (u32 slot; (slot = l->rule_slots[at & (l->nrule_slots - 1)]) != 0; at++) {
        *number = slot - 1;
        if (memcmp(&l->rules[*number], rule, sizeof *rule) == 0) return true;
    }
    if (!wr_grow_array(l->alloc, &l->rules, &l->cap_rules, (u64)l->nrules + 1,
                       ARTIFACT_MAX / sizeof *rule, sizeof *rule))
        return wr_ld_no_memory(l);
    *number = l->nrules;
    l->rules[l->nrules++] = *rule;
    l->rule_slots[at & (l->nrule_slots - 1)] = l->nrules;
    return true;
}

/* ---- call-frame instructions ---- */

/* The state holds from f->at up to `next`. */
static bool emit(Frame *f, u64 next) {
    UnwindRule rule = f->state.rule;
    u32 number = 0;
    if (next < f->at || next > f->end) return bad(f, "advances to", next);
    if (next == f->at) return true;
    if (!cfa_register(f->l, f->state.cfa_register, &rule.cfa_register))
        return bad(f, "CFA in register", f->state.cfa_register);
    if (f->state.cfa_offset != (i32)f->state.cfa_offset || f->state.pushed != (i32)f->state.pushed)
        return bad(f, "frame of size", (u64)f->state.cfa_offset);
    rule.cfa_offset = (i32)f->state.cfa_offset;
    u32 distance = rule.cfa_register == UNWIND_SP ? (u32)rule.cfa_offset : NONE_U32;
    if (!intern(f->l, &rule, &number)) return false;
    if (!wr_ld_row(f->l, &f->rows, f->at, number, distance, (u32)f->state.pushed)) return false;
    f->at = (u32)next;
    return true;
}

static bool advance(Frame *f, u64 delta) {
    u64 bytes;
    if (__builtin_mul_overflow(delta, f->cie->code_factor, &bytes) || bytes > ARTIFACT_MAX)
        return bad(f, "advances by", delta);
    return emit(f, f->at + bytes);
}

static bool save(Frame *f, u64 number, i64 factored) {
    i64 at;
    u32 i = register_index(f->l, number);
    if (__builtin_mul_overflow(factored, f->cie->data_factor, &at) || at != (i32)at)
        return bad(f, "register saved at", (u64)factored);
    if (f->l->machine == MACHINE_X86_64 && number == X86_RETURN)
        return at == -8 || bad(f, "return address at", (u64)at);
    if (i == UNWIND_REGISTERS) /* preserved by convention: nobody unwinds to such a caller */
        return number <= LAST_REGISTER || bad(f, "saves register", number);
    f->state.rule.saved |= 1u << i;
    f->state.rule.saved_at[i] = (i32)at;
    return true;
}

static bool restore(Frame *f, u64 number) {
    u32 i = register_index(f->l, number);
    if (i == UNWIND_REGISTERS)
        return number <= LAST_REGISTER || bad(f, "restores register", number);
    const UnwindRule *initial = &f->initial.rule;
    f->state.rule.saved = (f->state.rule.saved & ~(1u << i)) | (initial->saved & 1u << i);
    f->state.rule.saved_at[i] = initial->saved_at[i];
    return true;
}

static bool unsave(Frame *f, u64 number) { /* it has its value again, or nobody needs it */
    u32 i = register_index(f->l, number);
    if (i == UNWIND_REGISTERS) return true;
    f->state.rule.saved &= ~(1u << i);
    f->state.rule.saved_at[i] = 0;
    return true;
}

static bool remember(Frame *f) {
    if (f->nremembered == MAX_REMEMBERED) return bad(f, "remembers more than", MAX_REMEMBERED);
    f->remembered[f->nremembered++] = f->state;
    return true;
}

static bool recall(Frame *f) {
    if (f->nremembered == 0) return bad(f, "restores what was not remembered", 0);
    f->state = f->remembered[--f->nremembered];
    return true;
}

static bool instruction(Frame *f, Cursor *c) {
    u8 op = (u8)wr_cursor_read(c, 1), low = op & 0x3F;
    u64 number;
    switch (op >> 6) {
    case 1: return advance(f, low);
    case 2: return save(f, low, (i64)wr_cursor_uleb(c));
    case 3: return restore(f, low);
    default: break;
    }
    switch (op) {
    case 0x00: /* nop */ return true;
    case 0x02: /* advance_loc1, 2, 4 */
    case 0x03:
    case 0x04: return advance(f, wr_cursor_read(c, 1u << (op - 2)));
    case 0x05: /* offset_extended */
        number = wr_cursor_uleb(c);
        return save(f, number, (i64)wr_cursor_uleb(c));
    case 0x06: /* restore_extended */ return restore(f, wr_cursor_uleb(c));
    case 0x07: /* undefined */
    case 0x08: /* same_value */ return unsave(f, wr_cursor_uleb(c));
    case 0x0A: return remember(f);
    case 0x0B: return recall(f);
    case 0x0C: /* def_cfa */
        f->state.cfa_register = wr_cursor_uleb(c);
        f->state.cfa_offset = (i64)wr_cursor_uleb(c);
        return true;
    case 0x0D: /* def_cfa_register */ f->state.cfa_register = wr_cursor_uleb(c); return true;
    case 0x0E: /* def_cfa_offset */ f->state.cfa_offset = (i64)wr_cursor_uleb(c); return true;
    case 0x11: /* offset_extended_sf */
        number = wr_cursor_uleb(c);
        return save(f, number, wr_cursor_sleb(c));
    case 0x2E: /* GNU_args_size */ f->state.pushed = (i64)wr_cursor_uleb(c); return true;
    default: return bad(f, "call-frame instruction", op);
    }
}

static bool run(Frame *f, Cursor program) {
    while (cursor_more(&program))
        if (!instruction(f, &program)) return false;
    return !program.failed || bad(f, "cut off", 0);
}

/* ---- landing pads ---- */

static const Row *row_at(const Frame *f, u32 code) {
    const Row *found = NULL;
    for (u32 i = 0; i < f->rows.count && f->rows.rows[i].columns[0] <= code; i++)
        found = &f->rows.rows[i];
    return found;
}

/* What has to be added to the stack pointer after the call, at `from`, to have it as the pad, at `to`, expects it. */
static i32 adjustment(const Frame *f, u32 from, u32 to) {
    const Row *call = row_at(f, from), *pad = row_at(f, to);
    if (!call || !pad) return 0;
    if (call->columns[2] != NONE_U32 && pad->columns[2] != NONE_U32)
        return (i32)(call->columns[2] - pad->columns[2]);
    return (i32)call->columns[3];
}

static u64 read_encoded(Cursor *c, u8 encoding) {
    switch (encoding & 0x0F) {
    case 0x01: return wr_cursor_uleb(c);
    case 0x03:
    case 0x0B: return wr_cursor_read(c, 4);
    case 0x00:
    case 0x04:
    case 0x0C: return wr_cursor_read(c, 8);
    default: c->failed = true; return 0;
    }
}

static bool call_site(Frame *f, Cursor *c, u8 encoding) {
    u64 start = read_encoded(c, encoding), size = read_encoded(c, encoding),
        pad = read_encoded(c, encoding), length = f->end - f->start;
    bool only_cleans = wr_cursor_uleb(c) == 0; /* no action: it is not for exceptions */
    if (c->failed || start > length || size > length - start || pad > length)
        return bad(f, "call site at", start);
    if (pad == 0) return true;
    u32 from = f->start + (u32)start, to = f->start + (u32)pad;
    return wr_ld_row(f->l, &f->l->pads, from, from + (u32)size, to,
                     (u32)adjustment(f, size > 0 ? from + (u32)size - 1 : from, to) | only_cleans);
}

static bool landing_pads(Frame *f, const Cursor *tables, u64 offset) {
    Cursor c = wr_cursor_at(tables, offset);
    if (wr_cursor_read(&c, 1) != NO_ENCODING) return bad(f, "landing pads with a base at", offset);
    if (wr_cursor_read(&c, 1) != NO_ENCODING) (void)wr_cursor_uleb(&c);
    u8 encoding = (u8)wr_cursor_read(&c, 1);
    Cursor sites = wr_cursor_take(&c, wr_cursor_uleb(&c));
    while (cursor_more(&sites))
        if (!call_site(f, &sites, encoding)) return false;
    return !(sites.failed || c.failed) || bad(f, "landing pads at", offset);
}

/* ---- entries ---- */

static bool read_augmentation(const char *text, Cursor *c, Cie *cie) {
    for (; *text != 0; text++) {
        u8 encoding = *text == 'S' || *text == 'z' ? 0 : (u8)wr_cursor_read(c, 1);
        switch (*text) {
        case 'z': break;
        case 'L': cie->lsda_encoding = encoding; break;
        case 'R': cie->code_encoding = encoding; break;
        case 'P': (void)read_encoded(c, encoding); break;
        default: return false;
        }
    }
    return !c->failed;
}

static bool read_cie(Ld *l, const Object *o, u64 offset, Cursor c, Cie *cie) {
    u64 version = wr_cursor_read(&c, 1);
    const char *augmentation = wr_cursor_text(&c);
    *cie = (Cie){.offset = offset, .lsda_encoding = NO_ENCODING};
    cie->code_factor = wr_cursor_uleb(&c);
    cie->data_factor = wr_cursor_sleb(&c);
    (void)(version == 1 ? wr_cursor_read(&c, 1)
                        : wr_cursor_uleb(&c)); /* where the return address is */
    cie->is_augmented = augmentation[0] == 'z';
    if (cie->is_augmented) {
        Cursor data = wr_cursor_take(&c, wr_cursor_uleb(&c));
        if (!read_augmentation(augmentation, &data, cie))
            return wr_ld_fail(l, o, "frame augmentation %.20s", augmentation);
    }
    cie->program = c;
    return !c.failed || wr_ld_fail(l, o, "call-frame information is cut off");
}

/* Rules for code that has run outside of any function. */
static bool finish(Frame *f) {
    Ld *l = f->l;
    for (u32 i = 0; i < f->rows.count; i++) {
        const u32 *columns = f->rows.rows[i].columns;
        if (!wr_ld_row(l, &l->unwind, columns[0], columns[1], 0, 0)) return false;
    }
    return wr_ld_row(l, &l->unwind, f->end, NONE_U32, 0, 0);
}

static bool read_frame(Frame *f, Cursor c, const Cursor *tables) {
    const Cie *cie = f->cie;
    u64 place = read_encoded(&c, cie->code_encoding), size = read_encoded(&c, cie->code_encoding);
    if (c.failed || !wr_ld_code(f->l, place, &f->start) ||
        !wr_ld_code(f->l, place + size, &f->end) || size > ARTIFACT_MAX)
        return bad(f, "outside of the code:", place);
    Cursor augmentation = {0};
    if (cie->is_augmented) augmentation = wr_cursor_take(&c, wr_cursor_uleb(&c));
    f->at = f->start;
    if (!run(f, cie->program) || f->at != f->start) return bad(f, "common part", cie->offset);
    f->initial = f->state;
    if (!run(f, c) || !emit(f, f->end)) return false;
    if (cie->lsda_encoding != NO_ENCODING &&
        !landing_pads(f, tables, read_encoded(&augmentation, cie->lsda_encoding)))
        return false;
    return finish(f);
}

#define MAX_CIES 16u

typedef struct FrameReader {
    Cie cies[MAX_CIES];
    u32 ncies;
    Cursor tables; /* .gcc_except_table */
    Rows rows;     /* of the frame being read */
} FrameReader;

static bool read_entry(Ld *l, const Object *o, FrameReader *r, u64 offset, Cursor entry) {
    u64 back = wr_cursor_read(&entry, 4);
    if (back == 0) {
        if (r->ncies == MAX_CIES) return wr_ld_fail(l, o, "too many sorts of frames");
        return read_cie(l, o, offset, entry, &r->cies[r->ncies++]);
    }
    for (u32 i = 0; i < r->ncies; i++) {
        if (r->cies[i].offset != offset + 4 - back) continue;
        Frame f = {.l = l, .object = o, .cie = &r->cies[i], .rows = r->rows};
        f.rows.count = 0;
        bool ok = read_frame(&f, entry, &r->tables);
        r->rows = f.rows;
        return ok;
    }
    return wr_ld_fail(l, o, "frame without its common part");
}

static bool read_frames(Ld *l, const Object *o, FrameReader *r) {
    Cursor c;
    if (!wr_ld_contents(l, o, ".gcc_except_table", &r->tables) ||
        !wr_ld_contents(l, o, ".eh_frame", &c))
        return false;
    while (cursor_more(&c)) {
        u64 offset = cursor_offset(&c), size = wr_cursor_read(&c, 4);
        if (size == 0) continue;
        Cursor entry = wr_cursor_take(&c, size);
        if (!c.failed && !read_entry(l, o, r, offset, entry)) return false;
    }
    return !c.failed || wr_ld_fail(l, o, "call-frame information is cut off");
}

bool wr_ld_frames(Ld *l, const Object *o) {
    FrameReader r = {0};
    bool ok = read_frames(l, o, &r);
    wr_free(l->alloc, r.rows.rows, r.rows.capacity * sizeof(Row));
    return ok;
}
