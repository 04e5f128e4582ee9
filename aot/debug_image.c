/* debug_image.c - see debug_image.h. */
#include "debug_image.h"

#include "symbols.h"

/* ---- the file (System V ABI: ELF-64) ---- */

enum {
    SECTION_NONE,
    SECTION_TEXT,
    SECTION_SYMTAB,
    SECTION_STRTAB,
    SECTION_FRAME,
    SECTION_NAMES,
    SECTIONS
};

#define EHDR_SIZE 64u
#define SHDR_SIZE 64u
#define SYM_SIZE 24u
#define ET_REL 1u
#define SHT_PROGBITS 1u
#define SHT_SYMTAB 2u
#define SHT_STRTAB 3u
#define SHT_NOBITS 8u
#define SHF_ALLOC 2u
#define SHF_EXECINSTR 4u
#define STB_GLOBAL_FUNC 0x12u /* st_info */

static const char section_names[] = "\0.text\0.symtab\0.strtab\0.debug_frame\0.shstrtab";
static const u32 name_at[SECTIONS] = {0, 1, 7, 15, 23, 36};

typedef struct Image {
    const Module *module;
    const Artifact *artifact;
    Buffer contents[SECTIONS]; /* of those that have any */
} Image;

static void put_le(Buffer *b, u64 value, u32 size) {
    u8 bytes[8];
    le64_store(bytes, value);
    wr_put_bytes(b, bytes, size);
}

static u32 machine(const Artifact *a) { return le32_load(a->bytes + HEAD_MACHINE); }

static void put_head(const Image *image, Buffer *out) {
    static const u8 ident[16] = {0x7F, 'E', 'L', 'F', 2, 1, 1};
    wr_put_bytes(out, ident, sizeof ident);
    put_le(out, ET_REL, 2);
    put_le(out, machine(image->artifact), 2);
    put_le(out, 1, 4);         /* version */
    put_le(out, 0, 8);         /* entry */
    put_le(out, 0, 8);         /* program headers */
    put_le(out, EHDR_SIZE, 8); /* section headers */
    put_le(out, 0, 4);         /* flags */
    put_le(out, EHDR_SIZE, 2);
    put_le(out, 0, 2);
    put_le(out, 0, 2);
    put_le(out, SHDR_SIZE, 2);
    put_le(out, SECTIONS, 2);
    put_le(out, SECTION_NAMES, 2);
}

typedef struct SectionHead {
    u32 type, flags, link, info, entry_size;
} SectionHead;

static const SectionHead heads[SECTIONS] = {
    [SECTION_TEXT] = {SHT_NOBITS, SHF_ALLOC | SHF_EXECINSTR, 0, 0, 0},
    [SECTION_SYMTAB] = {SHT_SYMTAB, 0, SECTION_STRTAB, 1, SYM_SIZE},
    [SECTION_STRTAB] = {SHT_STRTAB, 0, 0, 0, 0},
    [SECTION_FRAME] = {SHT_PROGBITS, 0, 0, 0, 0},
    [SECTION_NAMES] = {SHT_STRTAB, 0, 0, 0, 0},
};

static void put_section_head(const Image *image, u32 i, u64 place, Buffer *out) {
    const SectionHead *head = &heads[i];
    const PartView *code = &image->artifact->parts[PART_CODE];
    bool is_code = i == SECTION_TEXT;
    put_le(out, name_at[i], 4);
    put_le(out, head->type, 4);
    put_le(out, head->flags, 8);
    put_le(out, is_code ? (uintptr_t)code->data : 0, 8);
    put_le(out, place, 8);
    put_le(out, is_code ? code->size : image->contents[i].size, 8);
    put_le(out, head->link, 4);
    put_le(out, head->info, 4);
    put_le(out, is_code ? 16 : 1, 8); /* alignment */
    put_le(out, head->entry_size, 8);
}

static void put_file(const Image *image, Buffer *out) {
    u64 place = EHDR_SIZE + SHDR_SIZE * SECTIONS;
    put_head(image, out);
    for (u32 i = 0; i < SECTIONS; i++) {
        put_section_head(image, i, i == SECTION_NONE ? 0 : place, out);
        place += image->contents[i].size;
    }
    for (u32 i = 0; i < SECTIONS; i++)
        wr_put_bytes(out, image->contents[i].data, image->contents[i].size);
}

/* ---- symbols ---- */

static void put_symbol(Image *image, const NativeSymbol *symbol) {
    Buffer *table = &image->contents[SECTION_SYMTAB], *names = &image->contents[SECTION_STRTAB];
    char name[SYMBOL_NAME_MAX];
    wr_symbol_name(image->module, symbol, name);
    put_le(table, names->size, 4);
    put_le(table, STB_GLOBAL_FUNC, 2); /* info, other */
    put_le(table, SECTION_TEXT, 2);
    put_le(table, symbol->code, 8);
    put_le(table, symbol->size, 8);
    wr_put_bytes(names, name, strlen(name) + 1);
}

static void put_symbols(Image *image) {
    static const u8 none[SYM_SIZE];
    wr_put_bytes(&image->contents[SECTION_SYMTAB], none, sizeof none);
    wr_put_u8(&image->contents[SECTION_STRTAB], 0);
    for (u32 i = 0; i < wr_symbol_count(image->artifact); i++) {
        NativeSymbol symbol = wr_symbol(image->artifact, i);
        put_symbol(image, &symbol);
    }
}

/* ---- unwind rules ---- */

enum {
    CFA_ADVANCE_LOC4 = 0x04,
    CFA_SAME_VALUE = 0x08,
    CFA_DEF_CFA = 0x0C,
    CFA_OFFSET_EXTENDED_SF = 0x11,
    CFA_OFFSET = 0x80
};
#define DATA_ALIGN (-8) /* what offsets of saved registers count in */

/* DWARF's numbers. */
typedef struct Registers {
    u8 sp, fp, return_address;
    u8 count;
    u8 saved[UNWIND_REGISTERS];
} Registers;

static const Registers x86_64 = {7, 6, 16, 6, {3, 6, 12, 13, 14, 15}};
static const Registers aarch64 = {31, 29, 30, 20, {19, 20, 21, 22, 23, 24, 25, 26, 27, 28,
                                                   29, 30, 72, 73, 74, 75, 76, 77, 78, 79}};

static const Registers *registers_of(const Artifact *a) {
    return machine(a) == MACHINE_X86_64 ? &x86_64 : &aarch64;
}

static u32 cfa_register(const Registers *regs, u32 number) {
    return number == UNWIND_SP ? regs->sp : number == UNWIND_FP ? regs->fp : number - UNWIND_OTHER;
}

/* What has changed from one rule to the next. */
static void put_rule(Buffer *b, const Registers *regs, const UnwindRule *from,
                     const UnwindRule *to) {
    wr_put_u8(b, CFA_DEF_CFA);
    wr_put_u32(b, cfa_register(regs, to->cfa_register));
    wr_put_u32(b, (u32)to->cfa_offset);
    for (u32 i = 0; i < regs->count; i++) {
        bool was = from->saved >> i & 1, is = to->saved >> i & 1;
        if (is && (!was || from->saved_at[i] != to->saved_at[i])) {
            wr_put_u8(b, CFA_OFFSET_EXTENDED_SF);
            wr_put_u32(b, regs->saved[i]);
            wr_put_s64(b, to->saved_at[i] / DATA_ALIGN);
        } else if (was && !is) {
            wr_put_u8(b, CFA_SAME_VALUE);
            wr_put_u32(b, regs->saved[i]);
        }
    }
}

/* A record is its length in 4 bytes, and that: the place where it begins. */
static size_t open_record(Buffer *b) {
    size_t start = b->size;
    put_le(b, 0, 4);
    return start;
}

static void close_record(Buffer *b, size_t start) {
    while (!b->failed && (b->size - start) % 8 != 0) wr_put_u8(b, 0); /* DW_CFA_nop */
    if (!b->failed) le32_store(b->data + start, (u32)(b->size - start - 4));
}

/* What all frames have in common. */
static void put_common(Image *image) {
    Buffer *b = &image->contents[SECTION_FRAME];
    const Registers *regs = registers_of(image->artifact);
    size_t start = open_record(b);
    put_le(b, UINT32_MAX, 4); /* it is not about a function */
    wr_put_u8(b, 1);          /* version */
    wr_put_u8(b, 0);          /* no augmentation */
    wr_put_u32(b, 1);         /* what code offsets count in */
    wr_put_s64(b, DATA_ALIGN);
    wr_put_u8(b, regs->return_address);
    if (regs == &x86_64) {
        wr_put_u8(b, CFA_OFFSET | regs->return_address);
        wr_put_u32(b, 1);
    }
    close_record(b, start);
}

#define UNWIND_ROW 8u

static u32 row_code(const Artifact *a, u32 row) {
    return le32_load(a->parts[PART_UNWIND].data + UNWIND_ROW * (size_t)row);
}

/* The rules from `code` to `end`; *row is the first one behind `code`. */
static void put_rules(Image *image, u32 code, u32 end, u32 *row) {
    const Artifact *a = image->artifact;
    Buffer *b = &image->contents[SECTION_FRAME];
    const Registers *regs = registers_of(a);
    UnwindRule rules[2] = {{0}};
    u32 now = 0, at = code, count = a->parts[PART_UNWIND].count;
    for (u32 next = code; next < end;) {
        if (wr_artifact_unwind(a, a->parts[PART_CODE].data + next, &rules[!now])) {
            if (next > at) {
                wr_put_u8(b, CFA_ADVANCE_LOC4);
                put_le(b, next - at, 4);
            }
            put_rule(b, regs, &rules[now], &rules[!now]);
            now = !now;
            at = next;
        }
        while (*row < count && row_code(a, *row) <= next) *row += 1;
        next = *row < count ? row_code(a, *row) : end;
    }
}

static void put_frames(Image *image) {
    const Artifact *a = image->artifact;
    Buffer *b = &image->contents[SECTION_FRAME];
    u32 row = 0;
    put_common(image);
    for (u32 i = 0; i < wr_symbol_count(a); i++) {
        NativeSymbol symbol = wr_symbol(a, i);
        size_t start = open_record(b);
        put_le(b, 0, 4); /* where the common part is */
        put_le(b, (uintptr_t)a->parts[PART_CODE].data + symbol.code, 8);
        put_le(b, symbol.size, 8);
        put_rules(image, symbol.code, symbol.code + symbol.size, &row);
        close_record(b, start);
    }
}

/* ---- all ---- */

void wr_debug_image(const Module *module, const Artifact *artifact, Buffer *out) {
    Image image = {.module = module, .artifact = artifact};
    for (u32 i = 0; i < SECTIONS; i++) wr_buffer_init(&image.contents[i], out->alloc, out->max);
    put_symbols(&image);
    put_frames(&image);
    wr_put_bytes(&image.contents[SECTION_NAMES], section_names, sizeof section_names);
    put_file(&image, out);
    for (u32 i = 0; i < SECTIONS; i++) {
        out->failed = out->failed || image.contents[i].failed;
        wr_buffer_free(&image.contents[i]);
    }
}
