/* symbols.c - see symbols.h. */
#include "symbols.h"

#include <stdio.h>

#define SYMBOL_ROW 12u

NativeSymbol wr_symbol(const Artifact *a, u32 i) {
    const u8 *row = a->parts[PART_SYMBOLS].data + SYMBOL_ROW * (size_t)i;
    u32 what = le32_load(row + 8);
    return (NativeSymbol){.code = le32_load(row),
                          .size = le32_load(row + 4),
                          .kind = what >> SYMBOL_SHIFT,
                          .index = what & ((1u << SYMBOL_SHIFT) - 1)};
}

static void copy_name(char *out, Name name, u32 index) {
    size_t n = 0;
    for (; n < name.size && n + 1 < SYMBOL_NAME_MAX; n++) {
        u8 c = (u8)name.data[n];
        out[n] = c < 0x20 || c == 0x7F ? '.' : (char)c;
    }
    out[n] = 0;
    if (n == 0) (void)snprintf(out, SYMBOL_NAME_MAX, "function[%u]", index);
}

void wr_symbol_name(const Module *module, const NativeSymbol *symbol, char name[SYMBOL_NAME_MAX]) {
    static const char *const thunks[] = {
        [SYMBOL_ENTRY] = "wasm-entry",
        [SYMBOL_EXIT] = "wasm-exit",
        [SYMBOL_EXIT_TAIL] = "wasm-tail-exit",
        [SYMBOL_LIBCALL] = "wasm-library-call",
    };
    if (symbol->kind < ARRAY_LEN(thunks) && thunks[symbol->kind])
        (void)snprintf(name, SYMBOL_NAME_MAX, "%s[%u]", thunks[symbol->kind], symbol->index);
    else if (symbol->index < module->nfuncs)
        copy_name(name, wr_module_func_name(module, symbol->index), symbol->index);
    else
        (void)snprintf(name, SYMBOL_NAME_MAX, "wasm");
}
