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
    return image->bytes != NULL;
}

void wr_image_free(const Alloc *alloc, MemoryImage *image) {
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
    if (image->size > 0) memcpy(base + image->start, image->bytes, (size_t)image->size);
}

/* ---- putting back --------------------------------------------------------------------------- */

#define MAX_RUNS 256u

/* Bytes [from, end) of the memory. */
static void restore_run(const MemoryImage *image, u8 *base, u64 from, u64 end) {
    u64 start = image->start, stop = start + image->size;
    u64 low = from < start ? min_u64(start, end) : from; /* image bytes are [low, high) */
    u64 high = min_u64(end, stop);
    if (high < low) high = low;
    memset(base + from, 0, (size_t)(low - from));
    if (low < high) memcpy(base + low, image->bytes + (low - start), (size_t)(high - low));
    memset(base + high, 0, (size_t)(end - high));
}

static bool restore_written(const MemoryImage *image, const PageScanner *scanner, u8 *base,
                            u64 used, u64 keep) {
    OsPages runs[MAX_RUNS];
    u32 count;
    size_t pages = (size_t)(keep / wr_os_page_size());
    if (!wr_os_scan(&scanner->os, base, (size_t)used, pages, runs, MAX_RUNS, &count)) return false;
    u64 origin = (uintptr_t)base;
    for (u32 i = 0; i < count; i++)
        restore_run(image, base, runs[i].start - origin, runs[i].end - origin);
    return true;
}

void wr_image_restore(const MemoryImage *image, const PageScanner *scanner, u8 *base, u64 used,
                      bool mapped, u64 keep) {
    if (used == 0) return;
    if (scanner->works && restore_written(image, scanner, base, used, keep)) return;
    wr_os_reset(base, (size_t)used);
    if (!mapped) wr_image_copy(image, base);
}
