/* perf_map.c - see perf_map.h. A line for each symbol: start and size in hexadecimal, and a name. */
#include "perf_map.h"

#include <stdio.h>

#include "aot_os.h"
#include "artifact_image.h"
#include "log.h"
#include "store.h"

#define SYMBOL_ROW 12u
#define NAME_MAX 200u /* bytes of a guest's name */
#define LINE_MAX 300u

/* Whatever a guest calls its functions: one line, no control characters. */
static void print_name(char *out, size_t size, Name name, u32 index) {
    size_t n = 0;
    for (; n < name.size && n < NAME_MAX && n + 1 < size; n++) {
        u8 c = (u8)name.data[n];
        out[n] = c < 0x20 || c == 0x7F ? '.' : (char)c;
    }
    out[n] = 0;
    if (n == 0) (void)snprintf(out, size, "function[%u]", index);
}

static void describe(const Module *module, u32 what, char *out, size_t size) {
    static const char *const thunks[] = {
        [SYMBOL_ENTRY] = "wasm-entry",
        [SYMBOL_EXIT] = "wasm-exit",
        [SYMBOL_EXIT_TAIL] = "wasm-tail-exit",
        [SYMBOL_LIBCALL] = "wasm-library-call",
    };
    u32 kind = what >> SYMBOL_SHIFT, index = what & ((1u << SYMBOL_SHIFT) - 1);
    if (kind < ARRAY_LEN(thunks) && thunks[kind])
        (void)snprintf(out, size, "%s[%u]", thunks[kind], index);
    else if (index < module->nfuncs)
        print_name(out, size, wr_module_func_name(module, index), index);
    else
        (void)snprintf(out, size, "wasm");
}

static size_t print_line(const Module *module, const Artifact *artifact, u32 i, char *line) {
    char name[NAME_MAX + 1];
    const u8 *row = artifact->parts[PART_SYMBOLS].data + SYMBOL_ROW * (size_t)i;
    u64 start = (uintptr_t)artifact->parts[PART_CODE].data + le32_load(row);
    describe(module, le32_load(row + 8), name, sizeof name);
    int n = snprintf(line, LINE_MAX, "%llx %x %s\n", (unsigned long long)start, le32_load(row + 4),
                     name);
    return n > 0 ? (size_t)n : 0;
}

void wr_perf_map_add(const Module *module, const Artifact *artifact) {
    const Alloc *alloc = &module->engine->alloc;
    u32 count = artifact->parts[PART_SYMBOLS].count;
    size_t size = LINE_MAX * (size_t)count, used = 0;
    char *text = wr_alloc(alloc, size);
    const char *why = count > 0 && !text ? "out of memory" : NULL;
    for (u32 i = 0; text && i < count; i++) used += print_line(module, artifact, i, text + used);
    if (used > 0) why = wr_aot_append_perf_map(text, used);
    if (why) wr_log(module->engine, WR_LOG_WARNING, "no names for profilers: %s", why);
    wr_free(alloc, text, size);
}
