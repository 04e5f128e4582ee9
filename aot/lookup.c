/*
 * lookup.c - questions to an artifact: code of functions; unwind rules, landing pads and places by address.
 *
 * All are binary searches in the mapped tables, and async-signal-safe. Every number of a table is checked when it is
 * used: a table that is wrong in spite of its checksum gives wrong answers, never an access outside of it.
 */
#include "artifact_image.h"

/* ---- tables ---- */

static const u8 *row(const Artifact *a, Part part, u32 row_size, u32 i) {
    return a->parts[part].data + (size_t)row_size * i;
}

/* The last row that begins at or before `code`; NONE_U32 if there is none. */
static u32 find_row(const Artifact *a, Part part, u32 row_size, u32 code) {
    u32 low = 0, high = a->parts[part].count;
    while (low < high) {
        u32 middle = low + (high - low) / 2;
        if (le32_load(row(a, part, row_size, middle)) <= code)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? NONE_U32 : low - 1;
}

static bool code_offset(const Artifact *a, const void *pc, u32 *code) {
    const PartView *part = &a->parts[PART_CODE];
    uintptr_t offset = (uintptr_t)pc - (uintptr_t)part->data;
    *code = (u32)offset;
    return offset < part->size;
}

static const void *code_at(const Artifact *a, u32 code) {
    const PartView *part = &a->parts[PART_CODE];
    return code < part->size ? part->data + code : NULL;
}

/* ---- functions ---- */

#define FUNCTION_ROW 12u

static const void *function_code(const Artifact *a, u32 func_index, u32 column) {
    u32 i = func_index - a->nimported;
    if (func_index < a->nimported || i >= a->parts[PART_FUNCTIONS].count) return NULL;
    return code_at(a, le32_load(row(a, PART_FUNCTIONS, FUNCTION_ROW, i) + 4 * (size_t)column));
}

const void *wr_artifact_code(const Artifact *a, u32 f) { return function_code(a, f, 0); }
const void *wr_artifact_tail_code(const Artifact *a, u32 f) { return function_code(a, f, 1); }
const void *wr_artifact_entry(const Artifact *a, u32 f) { return function_code(a, f, 2); }
#define LOOP_ROW 8u

const void *wr_artifact_loop(const Artifact *a, u64 offset) {
    if (offset > UINT32_MAX) return NULL;
    u32 i = find_row(a, PART_LOOPS, LOOP_ROW, (u32)offset);
    if (i == NONE_U32) return NULL;
    const u8 *at = row(a, PART_LOOPS, LOOP_ROW, i);
    return le32_load(at) == (u32)offset ? code_at(a, le32_load(at + 4)) : NULL;
}

void wr_artifact_put_before(Artifact *artifact, Artifact *older) { artifact->older = older; }
const Artifact *wr_artifact_older(const Artifact *artifact) { return artifact->older; }
const Module *wr_artifact_made_from(const Artifact *artifact) { return artifact->module; }
const NativeOptions *wr_artifact_options(const Artifact *artifact) { return &artifact->options; }
Features wr_artifact_features(const Artifact *artifact) { return artifact->features; }
u64 wr_artifact_guarded_memories(const Artifact *artifact) { return artifact->guarded; }
bool wr_artifact_polls(const Artifact *a) { return native_options_poll(&a->options); }
bool wr_artifact_counts_fuel(const Artifact *a) { return a->options.fuel; }

/* ---- unwinding ---- */

#define UNWIND_ROW 8u
#define RULE_ROW 92u
_Static_assert(RULE_ROW == 12 + 4 * UNWIND_REGISTERS, "PART_RULES");

bool wr_artifact_unwind(const Artifact *a, const void *pc, UnwindRule *rule) {
    u32 code;
    if (!code_offset(a, pc, &code)) return false;
    u32 i = find_row(a, PART_UNWIND, UNWIND_ROW, code);
    if (i == NONE_U32) return false;
    u32 number = le32_load(row(a, PART_UNWIND, UNWIND_ROW, i) + 4);
    if (number >= a->parts[PART_RULES].count) return false;
    const u8 *at = row(a, PART_RULES, RULE_ROW, number);
    rule->cfa_register = le32_load(at);
    rule->cfa_offset = (i32)le32_load(at + 4);
    rule->saved = le32_load(at + 8);
    for (u32 r = 0; r < UNWIND_REGISTERS; r++)
        rule->saved_at[r] = (i32)le32_load(at + 12 + 4 * (size_t)r);
    return true;
}

#define PAD_ROW 16u

const void *wr_artifact_landing(const Artifact *a, const void *return_address, i32 *sp_adjust,
                                bool *takes_exceptions) {
    u32 code;
    if (!code_offset(a, (const u8 *)return_address - 1, &code)) return NULL;
    u32 i = find_row(a, PART_PADS, PAD_ROW, code);
    if (i == NONE_U32) return NULL;
    const u8 *at = row(a, PART_PADS, PAD_ROW, i);
    if (code >= le32_load(at + 4)) return NULL;
    u32 adjust = le32_load(at + 12);
    *sp_adjust = (i32)(adjust & ~PAD_CLEANS);
    *takes_exceptions = !(adjust & PAD_CLEANS);
    return code_at(a, le32_load(at + 8));
}

/* ---- places ---- */

#define BLOCK_ROW 12u
#define SCOPE_ROW 8u
#define CHAIN_ROW 12u

/* LEB128 of at most 5 bytes; 0 at the end. */
static u32 read_leb(const u8 **at, const u8 *end) {
    u32 value = 0;
    for (u32 shift = 0; *at < end && shift < 35; shift += 7) {
        u8 byte = *(*at)++;
        value |= (u32)(byte & 0x7F) << shift;
        if (byte < 0x80) break;
    }
    return value;
}

/* Sign in the lowest bit. */
static i32 unfold(u32 n) { return (i32)(n >> 1) ^ -(i32)(n & 1); }

/* The byte offset of the instruction at `code`. */
static u32 find_offset(const Artifact *a, u32 code) {
    u32 i = find_row(a, PART_BLOCKS, BLOCK_ROW, code);
    if (i == NONE_U32) return 0;
    const u8 *block = row(a, PART_BLOCKS, BLOCK_ROW, i);
    const PartView *lines = &a->parts[PART_LINES];
    u32 start = le32_load(block + 8), limit = lines->size;
    if (i + 1 < a->parts[PART_BLOCKS].count) limit = le32_load(block + BLOCK_ROW + 8);
    limit = min_u32(limit, lines->size);
    u32 at_code = le32_load(block), offset = le32_load(block + 4);
    if (start > limit) return offset;
    for (const u8 *at = lines->data + start, *end = lines->data + limit; at < end;) {
        at_code += read_leb(&at, end);
        if (at_code > code) break;
        offset += (u32)unfold(read_leb(&at, end));
    }
    return offset;
}

u32 wr_artifact_places(const Artifact *a, const void *pc, NativePlace *places, u32 max) {
    u32 code, count = 0;
    if (!code_offset(a, pc, &code)) return 0;
    u32 i = find_row(a, PART_SCOPES, SCOPE_ROW, code);
    if (i == NONE_U32) return 0;
    u32 chain = le32_load(row(a, PART_SCOPES, SCOPE_ROW, i) + 4), offset = find_offset(a, code);
    for (u32 bound = a->parts[PART_CHAINS].count; chain < bound && count < max;) {
        const u8 *at = row(a, PART_CHAINS, CHAIN_ROW, chain);
        places[count++] = (NativePlace){le32_load(at), offset};
        offset = le32_load(at + 4);
        bound = chain; /* so it ends */
        chain = le32_load(at + 8);
    }
    return count;
}
