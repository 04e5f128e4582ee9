/*
 * image.c - initial contents of memories, put in place and put back; see image.h.
 */
#include "image.h"

/* ---- making --------------------------------------------------------------------------------- */

static bool is_zero(const u8 *bytes, size_t size) {
    return size == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0);
}

/* Bytes [*start, *end) hold all that is not zero, in whole pages; the memory's end may be in the
 * middle of one. */
static void find_extent(const u8 *contents, u64 size, u64 *start, u64 *end) {
    u64 page = wr_os_page_size(), first = size, last = 0;
    for (u64 at = 0; at < size; at += page) {
        u64 end_of_page = min_u64(at + page, size);
        if (is_zero(contents + at, (size_t)(end_of_page - at))) continue;
        if (first == size) first = at;
        last = end_of_page;
    }
    *start = first;
    *end = last;
}

static const u8 *copy_bytes(const Alloc *alloc, const u8 *bytes, u64 used, u64 size) {
    u8 *copy = wr_alloc_zero(alloc, (size_t)size);
    if (copy) memcpy(copy, bytes, (size_t)used);
    return copy;
}

static bool add_run(const Alloc *alloc, MemoryImage *image, u64 start, u64 end) {
    image->content += end - start;
    u64 *last = image->nruns ? &image->runs[(image->nruns - 1) * (size_t)2] : NULL;
    if (last && last[0] + last[1] == start) {
        last[1] += end - start;
        return true;
    }
    if (!wr_grow_array(alloc, &image->runs, &image->cap_runs, (u64)image->nruns + 1, UINT32_MAX / 2,
                       2 * sizeof(u64))) {
        return false;
    }
    image->runs[image->nruns * (size_t)2] = start;
    image->runs[image->nruns * (size_t)2 + 1] = end - start;
    image->nruns++;
    return true;
}

/* Copying what is zero anyway would make pages of it. */
static bool find_runs(const Alloc *alloc, MemoryImage *image) {
    u64 page = wr_os_page_size();
    for (u64 at = 0; at < image->size; at += page) {
        if (is_zero(image->bytes + at, (size_t)page)) continue;
        if (!add_run(alloc, image, at, at + page)) return false;
    }
    return true;
}

bool wr_image_new(const Alloc *alloc, const u8 *contents, u64 size, MemoryImage *image) {
    u64 start, end, page = wr_os_page_size();
    find_extent(contents, size, &start, &end);
    *image = (MemoryImage){0};
    if (start >= end) return true;
    u64 used = end - start;
    image->start = start;
    image->size = (used + page - 1) & ~(page - 1);
    image->is_shared = wr_os_image_new(contents + start, (size_t)used, &image->os);
    image->bytes =
        image->is_shared ? image->os.bytes : copy_bytes(alloc, contents + start, used, image->size);
    return image->bytes != NULL && find_runs(alloc, image);
}

void wr_image_free(const Alloc *alloc, MemoryImage *image) {
    wr_free(alloc, image->runs, image->cap_runs * 2 * sizeof(u64));
    if (image->is_shared)
        wr_os_image_free(&image->os);
    else
        wr_free(alloc, (void *)(uintptr_t)image->bytes, (size_t)image->size);
    *image = (MemoryImage){0};
}

/* ---- putting -------------------------------------------------------------------------------- */

bool wr_image_map(const MemoryImage *image, u8 *base) {
    if (image->size == 0) return true;
    return image->is_shared && wr_os_image_map(&image->os, base + image->start);
}

void wr_image_copy(const MemoryImage *image, u8 *base) {
    for (u32 i = 0; i < image->nruns; i++) {
        u64 start = image->runs[i * (size_t)2], size = image->runs[i * (size_t)2 + 1];
        memcpy(base + image->start + start, image->bytes + start, (size_t)size);
    }
}

/* ---- putting back --------------------------------------------------------------------------- */

#define MAX_RUNS 256u

/* What a page of a memory is to hold; `zeros` is a page of them. */
static const u8 *wanted_page(const MemoryImage *image, u64 at, const u8 *zeros) {
    u64 offset = at - image->start;
    return at >= image->start && offset < image->size ? image->bytes + offset : zeros;
}

/* Counts pages that were as they should be. */
static u64 restore_run(const MemoryImage *image, u8 *base, u64 from, u64 end, const u8 *zeros) {
    u64 page = wr_os_page_size(), equal = 0;
    for (u64 at = from; at < end; at += page) {
        const u8 *wanted = wanted_page(image, at, zeros);
        if (memcmp(base + at, wanted, (size_t)page) == 0)
            equal++;
        else
            memcpy(base + at, wanted, (size_t)page);
    }
    return equal;
}

static bool restore_written(const MemoryImage *image, const PageScanner *scanner, u8 *base,
                            u64 used, u64 keep, u64 *equal) {
    OsPages runs[MAX_RUNS];
    u32 count;
    size_t pages = (size_t)(keep / wr_os_page_size());
    if (!wr_os_scan(&scanner->os, base, (size_t)used, pages, runs, MAX_RUNS, &count)) return false;
    u64 origin = (uintptr_t)base;
    for (u32 i = 0; i < count; i++)
        *equal +=
            restore_run(image, base, runs[i].start - origin, runs[i].end - origin, scanner->zeros);
    return true;
}

/* Dropping a page costs the next guest that writes to it about as much as comparing it so many times. */
#define COMPARISONS_PER_FAULT 8u

void wr_image_restore(const MemoryImage *image, const PageScanner *scanner, u8 *base, u64 used,
                      bool mapped, u64 keep, u64 *wasted) {
    u64 equal = 0;
    if (used == 0) return;
    if (scanner->works && restore_written(image, scanner, base, used, keep, &equal)) {
        *wasted += equal;
        if (equal == 0 || *wasted <= COMPARISONS_PER_FAULT * equal) return;
    }
    *wasted = 0;
    wr_os_reset(base, (size_t)used);
    if (!mapped) wr_image_copy(image, base);
}

/* ---- the scanner ---------------------------------------------------------------------------- */

bool wr_page_scanner_open(const Alloc *alloc, PageScanner *scanner) {
    *scanner = (PageScanner){0};
    scanner->zeros = wr_alloc_zero(alloc, wr_os_page_size());
    scanner->works = scanner->zeros && wr_os_scanner_open(&scanner->os);
    return scanner->zeros != NULL;
}

void wr_page_scanner_close(const Alloc *alloc, PageScanner *scanner) {
    if (scanner->works) wr_os_scanner_close(&scanner->os);
    wr_free(alloc, scanner->zeros, wr_os_page_size());
}
