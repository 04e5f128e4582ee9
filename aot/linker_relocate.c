/*
 * linker_relocate.c - references between code, constants, and library functions. Nothing but differences of
 * two places is ever written, so that the file can be mapped anywhere.
 */
#include "libcalls.h"
#include "linker_state.h"

/* The types that LLVM uses for small, position-independent code. */
enum {
    R_X86_64_PC32 = 2,
    R_X86_64_PLT32 = 4,
    R_X86_64_GOTPCREL = 9,
    R_X86_64_PC64 = 24,
    R_X86_64_GOTPCRELX = 41,
    R_X86_64_REX_GOTPCRELX = 42,
    R_AARCH64_PREL64 = 260,
    R_AARCH64_PREL32 = 261,
    R_AARCH64_LD_PREL_LO19 = 273,
    R_AARCH64_ADR_PREL_LO21 = 274,
    R_AARCH64_ADR_PREL_PG_HI21 = 275,
    R_AARCH64_ADD_ABS_LO12_NC = 277,
    R_AARCH64_LDST8_ABS_LO12_NC = 278,
    R_AARCH64_TSTBR14 = 279,
    R_AARCH64_CONDBR19 = 280,
    R_AARCH64_JUMP26 = 282,
    R_AARCH64_CALL26 = 283,
    R_AARCH64_LDST16_ABS_LO12_NC = 284,
    R_AARCH64_LDST32_ABS_LO12_NC = 285,
    R_AARCH64_LDST64_ABS_LO12_NC = 286,
    R_AARCH64_LDST128_ABS_LO12_NC = 299,
    R_AARCH64_ADR_GOT_PAGE = 311,
    R_AARCH64_LD64_GOT_LO12_NC = 312,
    R_AARCH64_PLT32 = 314
};

typedef struct Target {
    i64 place;   /* of the symbol: for a library function, of its stub */
    i64 address; /* place of the slot with its address; 0: it is in this file */
} Target;

/* One reference being resolved. */
typedef struct Reference {
    Ld *l;
    const Object *object;
    u32 type;
    u8 *at;    /* in the output */
    u32 room;  /* bytes of the section from there on */
    u32 into;  /* bytes of the section before it */
    i64 place; /* of `at` */
    i64 addend;
    Target target;
    const char *name;
} Reference;

/* ---- library functions ---- */

static u32 find_libcall(const Ld *l, const char *name) {
    for (u32 i = 0; i < l->nlibcalls; i++)
        if (strcmp(l->libcalls[i].name, name) == 0) return i;
    return NONE_U32;
}

static bool need_libcall(Ld *l, const Object *o, const char *name) {
    if (find_libcall(l, name) != NONE_U32) return true;
    if (!wr_libcall_address(name) || l->nlibcalls == MAX_LIBCALLS)
        return wr_ld_fail(l, o, "undefined symbol %.100s", name);
    l->libcalls[l->nlibcalls++] = (Libcall){.name = name};
    return true;
}

bool wr_ld_find_libcalls(Ld *l, const Object *o) {
    for (u32 i = 1; i < o->nsymbols; i++) {
        ObjectSymbol symbol;
        SymbolKind kind;
        FunctionBody body;
        u32 index;
        if (!wr_ld_symbol(l, o, i, &symbol)) return false;
        if (symbol.section != 0 || symbol.binding == STB_LOCAL ||
            strncmp(symbol.name, "__gxx_", 6) == 0 ||
            wr_ld_parse_name(symbol.name, &kind, &body, &index))
            continue;
        if (!need_libcall(l, o, symbol.name)) return false;
    }
    return true;
}

u32 wr_ld_stub_size(const Ld *l) { return l->machine == MACHINE_X86_64 ? 8 : 16; }

static i64 page_of(i64 place) { return place & ~(i64)0xFFF; }

/* ADRP's and ADR's immediate: 21 bits, the lowest two apart. */
static u32 adr_bits(i64 n) { return (u32)(n & 3) << 29 | (u32)(n >> 2 & 0x7FFFF) << 5; }

/* The file's size keeps all differences within reach. */
void wr_ld_write_stubs(Ld *l) {
    for (u32 i = 0; i < l->nlibcalls; i++) {
        u32 place = l->libcalls[i].stub, slot = l->addresses + 8 * i;
        u8 *at = l->out + place;
        if (l->machine == MACHINE_X86_64) { /* jmp *slot(%rip) */
            le16_store(at, 0x25FF);
            le32_store(at + 2, slot - (place + 6));
            le16_store(at + 6, 0xCCCC);
        } else { /* adrp x16, slot; ldr x16, [x16, slot]; br x16; brk */
            le32_store(at, 0x90000010u | adr_bits((page_of(slot) - page_of(place)) >> 12));
            le32_store(at + 4, 0xF9400210u | (slot & 0xFFF) >> 3 << 10);
            le32_store(at + 8, 0xD61F0200u);
            le32_store(at + 12, 0xD4200000u);
        }
    }
}

/* ---- writing ---- */

static bool fail(const Reference *r, const char *what) {
    return wr_ld_fail(r->l, r->object, "%s: relocation %u to %.100s", what, r->type, r->name);
}

static bool write32(const Reference *r, i64 value) {
    if (r->room < 4) return fail(r, "out of the section");
    if (value != (i32)value) return fail(r, "out of reach");
    le32_store(r->at, (u32)(i32)value);
    return true;
}

static bool write64(const Reference *r, i64 value) {
    if (r->room < 8) return fail(r, "out of the section");
    le64_store(r->at, (u64)value);
    return true;
}

/* ---- x86-64 ---- */

/* The slot's address is not needed for what is in this file: the instruction can name it itself. */
static bool relax_got(const Reference *r) {
    i64 value = r->target.place + r->addend - r->place;
    if (r->into < 2 || r->room < 4) return fail(r, "out of the section");
    u8 *op = r->at - 2;
    if (op[0] == 0x8B) { /* mov slot, %r -> lea */
        op[0] = 0x8D;
        return write32(r, value);
    }
    if (op[0] == 0xFF && op[1] == 0x15) { /* call *slot -> call, with a prefix of no effect */
        op[0] = 0x67;
        op[1] = 0xE8;
        return write32(r, value);
    }
    if (op[0] == 0xFF && op[1] == 0x25) { /* jmp *slot -> jmp, and a nop behind it */
        Reference jump = *r;
        op[0] = 0xE9;
        jump.at--;
        r->at[3] = 0x90;
        return write32(&jump, value + 1);
    }
    return fail(r, "instruction not known");
}

static bool relocate_x86_64(const Reference *r) {
    switch (r->type) {
    case R_X86_64_PC32:
    case R_X86_64_PLT32: return write32(r, r->target.place + r->addend - r->place);
    case R_X86_64_PC64: return write64(r, r->target.place + r->addend - r->place);
    case R_X86_64_GOTPCREL:
    case R_X86_64_GOTPCRELX:
    case R_X86_64_REX_GOTPCRELX:
        if (r->target.address == 0) return relax_got(r);
        return write32(r, r->target.address + r->addend - r->place);
    default: return fail(r, "not supported");
    }
}

/* ---- aarch64 ---- */

static void put_bits(const Reference *r, u32 mask, u32 bits) {
    le32_store(r->at, (le32_load(r->at) & ~mask) | (bits & mask));
}

/* A branch's distance: `bits` of words, in the instruction from bit `shift` on. */
static bool branch(const Reference *r, u32 bits, u32 shift) {
    i64 distance = r->target.place + r->addend - r->place, limit = (i64)1 << (bits + 1);
    if ((distance & 3) != 0 || distance < -limit || distance >= limit)
        return fail(r, "out of reach");
    u32 mask = (((u32)1 << bits) - 1) << shift;
    put_bits(r, mask, (u32)(distance >> 2) << shift);
    return true;
}

static bool page_difference(const Reference *r, i64 target) {
    put_bits(r, 0x60FFFFE0u, adr_bits((page_of(target + r->addend) - page_of(r->place)) >> 12));
    return true;
}

/* The low 12 bits, in units of 1 << scale, as an unsigned immediate. */
static bool low12(const Reference *r, i64 target, u32 scale) {
    u32 low = (u32)(target + r->addend) & 0xFFF;
    if ((low & (((u32)1 << scale) - 1)) != 0) return fail(r, "not aligned");
    put_bits(r, 0x3FFC00u, low >> scale << 10);
    return true;
}

/* The load of an address from its slot; or an addition, if the address can be had by one. */
static bool got_low12(const Reference *r) {
    if (r->target.address != 0) return low12(r, r->target.address, 3);
    u32 load = le32_load(r->at);
    if ((load & 0xFFC00000u) != 0xF9400000u) return fail(r, "instruction not known");
    le32_store(r->at, 0x91000000u | (load & 0x3FF));
    return low12(r, r->target.place, 0);
}

static bool relocate_aarch64(const Reference *r) {
    const Target *t = &r->target;
    if (r->room < 4) return fail(r, "out of the section");
    switch (r->type) {
    case R_AARCH64_PREL64: return write64(r, t->place + r->addend - r->place);
    case R_AARCH64_PREL32:
    case R_AARCH64_PLT32: return write32(r, t->place + r->addend - r->place);
    case R_AARCH64_CALL26:
    case R_AARCH64_JUMP26: return branch(r, 26, 0);
    case R_AARCH64_CONDBR19:
    case R_AARCH64_LD_PREL_LO19: return branch(r, 19, 5);
    case R_AARCH64_TSTBR14: return branch(r, 14, 5);
    case R_AARCH64_ADR_PREL_LO21: {
        i64 distance = t->place + r->addend - r->place;
        if (distance < -(1 << 20) || distance >= 1 << 20) return fail(r, "out of reach");
        put_bits(r, 0x60FFFFE0u, adr_bits(distance));
        return true;
    }
    case R_AARCH64_ADR_PREL_PG_HI21: return page_difference(r, t->place);
    case R_AARCH64_ADR_GOT_PAGE: return page_difference(r, t->address != 0 ? t->address : t->place);
    case R_AARCH64_LD64_GOT_LO12_NC: return got_low12(r);
    case R_AARCH64_ADD_ABS_LO12_NC:
    case R_AARCH64_LDST8_ABS_LO12_NC: return low12(r, t->place, 0);
    case R_AARCH64_LDST16_ABS_LO12_NC: return low12(r, t->place, 1);
    case R_AARCH64_LDST32_ABS_LO12_NC: return low12(r, t->place, 2);
    case R_AARCH64_LDST64_ABS_LO12_NC: return low12(r, t->place, 3);
    case R_AARCH64_LDST128_ABS_LO12_NC: return low12(r, t->place, 4);
    default: return fail(r, "not supported");
    }
}

/* ---- both ---- */

static bool find_target(Reference *r, u32 index) {
    Ld *l = r->l;
    ObjectSymbol symbol;
    if (!wr_ld_symbol(l, r->object, index, &symbol)) return false;
    r->name = symbol.name;
    Spot spot;
    if (symbol.binding != STB_LOCAL && wr_ld_find_spot(l, symbol.name, &spot)) {
        r->target = (Target){spot.place, 0};
        return true;
    }
    if (symbol.section != 0) {
        if (symbol.section >= r->object->nsections) return fail(r, "symbol of no section");
        const Section *section = &r->object->sections[symbol.section];
        if (section->place == 0 || symbol.value > section->size)
            return fail(r, "symbol is not in the output");
        r->target = (Target){(i64)section->place + (i64)symbol.value, 0};
        return true;
    }
    u32 libcall = find_libcall(l, symbol.name);
    if (libcall == NONE_U32) return fail(r, "undefined symbol");
    r->target = (Target){l->libcalls[libcall].stub, (i64)l->addresses + 8 * (i64)libcall};
    return true;
}

/* Any more and sums of places could overflow. */
static bool is_reasonable(i64 addend) {
    return addend > -(i64)ARTIFACT_MAX && addend < (i64)ARTIFACT_MAX;
}

static bool relocate_one(Ld *l, const Object *o, const Section *s, const Relocation *from) {
    Reference r = {.l = l, .object = o, .type = from->type, .addend = from->addend, .name = "?"};
    if (from->offset >= s->size || !is_reasonable(from->addend))
        return fail(&r, "out of the section");
    r.into = (u32)from->offset;
    r.room = (u32)(s->size - from->offset);
    r.place = (i64)s->place + r.into;
    r.at = l->out + r.place;
    if (from->type == 0) return true; /* R_*_NONE */
    if (!find_target(&r, from->symbol)) return false;
    return l->machine == MACHINE_X86_64 ? relocate_x86_64(&r) : relocate_aarch64(&r);
}

bool wr_ld_relocate(Ld *l, const Object *o) {
    for (u32 i = 1; i < o->nsections; i++) {
        const Section *s = &o->sections[i];
        for (u32 k = 0; s->place != 0 && k < s->nrela; k++) {
            Relocation relocation = wr_ld_relocation(s, k);
            if (!relocate_one(l, o, s, &relocation)) return false;
        }
    }
    return true;
}
