/*
 * layout.c - the binary interface beside names: sizes, offsets and constants that compiled programs and
 * other languages' bindings rely on, on 64-bit hosts. It compiles, or the interface has changed.
 */
#include <wasm.h>
#include <wasmrun.h>

#define SIZE(type, size) _Static_assert(sizeof(type) == (size), #type)
#define AT(type, member, offset)                                                                   \
    _Static_assert(offsetof(type, member) == (offset), #type "." #member)
#define IS(constant, value) _Static_assert((constant) == (value), #constant)

#if UINTPTR_MAX == UINT64_MAX
SIZE(wr_slot_t, 8);
SIZE(wr_val_t, 24);
AT(wr_val_t, of, 8);
SIZE(wr_name_t, 16);
SIZE(wr_import_t, 40);
SIZE(wr_export_t, 24);
SIZE(wr_extern_t, 16);
AT(wr_extern_t, of, 8);
SIZE(wr_frame_t, 48);
AT(wr_frame_t, module_offset, 24);
AT(wr_frame_t, instance, 40);
SIZE(wr_memory_type_t, 24);
SIZE(wr_extern_type_t, 48);
AT(wr_extern_type_t, min, 32);
SIZE(wr_wasi_stream_t, 24);
SIZE(wr_wasi_clock_t, 24);
SIZE(wr_wasi_filestat_t, 56);
AT(wr_wasi_filestat_t, type, 48);
SIZE(wr_wasi_entry_t, 32);
AT(wr_wasi_entry_t, type, 24);
SIZE(wr_wasi_files_t, 128);
AT(wr_wasi_files_t, write, 40);
AT(wr_wasi_files_t, read_symlink, 120);
SIZE(wasm_val_t, 16);
AT(wasm_val_t, of, 8);
SIZE(wasm_byte_vec_t, 16);
SIZE(wasm_limits_t, 8);
#endif

IS(WR_ERROR_USAGE, 8);
IS(WR_I32, 0);
IS(WR_EXNREF, 8);
IS(WR_EXTERN_TAG, 4);
IS(WR_LOG_DEBUG, 3);
IS(WR_WASI_NOENT, 44);
IS(WR_WASI_XDEV, 75);
IS(WR_WASI_SYMBOLIC_LINK, 7);
IS(WASM_F64, 3);
IS(WASM_EXTERNREF, 128);
IS(WASM_FUNCREF, 129);
IS(WASM_EXTERN_MEMORY, 3);
IS(WASM_VAR, 1);

int main(void) { return 0; }
