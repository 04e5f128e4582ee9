/*
 * image.h - the initial contents of a memory, for many memories of the same module.
 *
 * Made once from a memory that has its data segments. Where the host can, an image is mapped
 * copy-on-write: nothing is copied, and pages that nobody writes to exist once. Else, or where a
 * mapping for each memory is too much (kit.c decides), its bytes are copied.
 *
 * Putting back a memory that was used is the other half. On Linux the kernel tells which pages were
 * written to: these alone are overwritten with what they held, and stay in the memory, so that the
 * next guest takes no fault on them. When there are many, or the kernel cannot tell, all pages are
 * dropped. A fault costs five to twenty times what writing a page does.
 *
 * Immutable once made; for any number of threads.
 */
#ifndef WR_IMAGE_H
#define WR_IMAGE_H

#include "alloc.h"
#include "os.h"

typedef struct MemoryImage {
    u64 start, size; /* bytes of the memory: whole host pages. size 0: it is all zeros */
    const u8 *bytes; /* `size` of them */
    OsImage os;
    bool is_shared; /* os is there, and `bytes` are its; else they are allocated */
    u64 *runs;      /* of pages that are not all zeros: offset and size, each; nruns of them */
    u32 nruns, cap_runs;
    u64 content; /* bytes of all runs: what copying costs */
} MemoryImage;

/* False when out of memory. */
NODISCARD bool wr_image_new(const Alloc *alloc, const u8 *contents, u64 size, MemoryImage *image);
void wr_image_free(const Alloc *alloc, MemoryImage *image);

/* Give a memory at `base`, all zeros, those contents: by mapping them, which may fail and leaves it all
 * zeros then, or by copying. */
NODISCARD bool wr_image_map(const MemoryImage *image, u8 *base);
void wr_image_copy(const MemoryImage *image, u8 *base);

/* What is known of the process' pages; `works` may be false. */
typedef struct PageScanner {
    OsScanner os;
    bool works;
    u8 *zeros; /* a page */
} PageScanner;
/* False when out of memory; it may not work all the same. */
NODISCARD bool wr_page_scanner_open(const Alloc *alloc, PageScanner *scanner);
void wr_page_scanner_close(const Alloc *alloc, PageScanner *scanner);

/* Makes bytes [base, base + used) as they were: the image, and zeros. `mapped` as it was put. At most
 * `keep` bytes of pages remain that are not shared. *wasted, 0 at first, is of this memory: how often
 * pages were compared that nobody had changed. Pages that guests once wrote to and no longer do are
 * dropped when that has cost as much as keeping them could save. */
void wr_image_restore(const MemoryImage *image, const PageScanner *scanner, u8 *base, u64 used,
                      bool mapped, u64 keep, u64 *wasted);

#endif
