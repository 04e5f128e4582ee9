/* perf_map.c - see perf_map.h. A line for each symbol: start and size in hexadecimal, and a name. */
#include "perf_map.h"

#include <stdio.h>

#include "aot_os.h"
#include "log.h"
#include "store.h"
#include "symbols.h"

#define LINE_MAX (SYMBOL_NAME_MAX + 40u)

static size_t print_line(const Module *module, const Artifact *artifact, u32 i, char *line) {
    char name[SYMBOL_NAME_MAX];
    NativeSymbol symbol = wr_symbol(artifact, i);
    u64 start = (uintptr_t)artifact->parts[PART_CODE].data + symbol.code;
    wr_symbol_name(module, &symbol, name);
    int n = snprintf(line, LINE_MAX, "%llx %x %s\n", (unsigned long long)start, symbol.size, name);
    return n > 0 ? (size_t)n : 0;
}

void wr_perf_map_add(const Module *module, const Artifact *artifact) {
    const Alloc *alloc = &module->engine->alloc;
    u32 count = wr_symbol_count(artifact);
    size_t size = LINE_MAX * (size_t)count, used = 0;
    char *text = wr_alloc(alloc, size);
    const char *why = count > 0 && !text ? "out of memory" : NULL;
    for (u32 i = 0; text && i < count; i++) used += print_line(module, artifact, i, text + used);
    if (used > 0) why = wr_aot_append_perf_map(text, used);
    if (why) wr_log(module->engine, WR_LOG_WARNING, "no names for profilers: %s", why);
    wr_free(alloc, text, size);
}
