/*
 * format.h - the layout of an artifact's file: written by linker.c, read by load.c and lookup.c. All numbers are
 * little-endian; "place" is an offset from the file's beginning, "code" one from the beginning of the code.
 *
 *     header        HEAD_SIZE bytes: below
 *     texts         three zero-terminated strings: triple, CPU, features, as given to LLVM
 *     libcalls      zero-terminated names: addresses[i] gets the address of the i-th
 *     rodata        constants, jump tables
 *     addresses     page aligned, a page or nothing: zeros in the file
 *     code          page aligned
 *     ...           page aligned: the tables
 *     image         page aligned, whole pages or nothing: what memory 0 holds from HEAD_IMAGE on when its data
 *                   segments are in it
 *     module        the bytes of the module that it was made from
 *
 * "Page" is the header's alignment, which is at least the host's page.
 * Tables are sorted by their first column, so that a lookup is a binary search; no row is looked at before
 * it is needed, and every number in it is checked then.
 */
#ifndef WR_AOT_FORMAT_H
#define WR_AOT_FORMAT_H

#include "base.h"

#define ARTIFACT_MAGIC "\177wasmrun"
#define ARTIFACT_VERSION 3u
#define ARTIFACT_MAX 0x7FFFFFFFu /* bytes: references within it are 32 bits, signed */

/* Parts, in the order of the file, and the size of a row. */
#define ARTIFACT_PARTS(X)                                                                          \
    X(TEXTS, 1)                                                                                    \
    X(LIBCALLS, 1)                                                                                 \
    X(RODATA, 1)                                                                                   \
    X(ADDRESSES, 8)                                                                                \
    X(CODE, 1)                                                                                     \
    X(FUNCTIONS, 12) /* by function index, imports not counted: f, t, entry thunk; or NONE_U32 */  \
    X(LOOPS,                                                                                       \
      8) /* byte offset in the module of a loop's first instruction, code that goes on there */    \
    X(SYMBOLS, 12) /* code, size, what: SymbolKind << SYMBOL_SHIFT | index */                      \
    X(UNWIND, 8)   /* code, rule from there on, or NONE_U32 */                                     \
    X(RULES, 92)   /* UnwindRule: register, offset, saved, saved_at[20] */                         \
    X(PADS, 16)    /* code of calls: first, one past the last; landing pad, sp_adjust (| 1) */     \
    X(BLOCKS, 12)  /* code, its byte offset in the module, place in lines of the deltas */         \
    X(LINES, 1)  /* pairs of LEB128: delta of code; delta of the offset, sign in the lowest bit */ \
    X(SCOPES, 8) /* code, chain from there on, or NONE_U32 */                                      \
    X(CHAINS, 12) /* function index, byte offset of the call that was inlined, chain of the     \
                        function that it is inlined into (a lower one), or NONE_U32 */  \
    X(IMAGE, 1)                                                                                    \
    X(MODULE, 1)

typedef enum Part {
#define PART(id, row) PART_##id,
    ARTIFACT_PARTS(PART)
#undef PART
        PARTS
} Part;

typedef enum SymbolKind {
    SYMBOL_FUNCTION, /* guest code: f<i>, or t<i>, or r<i>, or o<n> of that function */
    SYMBOL_WRAPPER,  /* another body of that function, or a stub: no guest code */
    SYMBOL_ENTRY,
    SYMBOL_EXIT,
    SYMBOL_EXIT_TAIL,
    SYMBOL_LIBCALL
} SymbolKind;
#define SYMBOL_SHIFT 28u

/* The header: offsets of its fields. */
#define HEAD_MAGIC 0u        /* 8 bytes */
#define HEAD_VERSION 8u      /* u32 */
#define HEAD_MACHINE 12u     /* u32: MACHINE_* */
#define HEAD_ABI 16u         /* u64: wr_native_abi() */
#define HEAD_FILE_SIZE 24u   /* u64 */
#define HEAD_CHECKSUM 32u    /* 16 bytes: of all but itself and the module */
#define HEAD_MODULE_HASH 48u /* 16 bytes */
#define HEAD_GUARDED 64u     /* u64 */
#define PAD_CLEANS 1u        /* the pad writes its frame down, and takes no exceptions */
#define HEAD_OPTIONS 72u     /* 5 bytes: NativeOptions; 3 zeros */
#define HEAD_PAGE 80u        /* u32 */
#define HEAD_PARTS 84u       /* u32: PARTS */
#define HEAD_PART 88u        /* for each: place, size in bytes */
#define HEAD_IMAGE 240u      /* u64: where in the memory the image begins: whole pages */
#define HEAD_FEATURES 248u   /* u32: Features, of the module */
#define HEAD_SIZE 256u

_Static_assert(HEAD_PART + 8 * PARTS <= HEAD_IMAGE, "the list of parts has its room");

#define MACHINE_X86_64 62u /* as in ELF */
#define MACHINE_AARCH64 183u

#define SEED_MODULE 0x6D6F64756C65u /* of HEAD_MODULE_HASH */

#endif
