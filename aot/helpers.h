/*
 * helpers.h - the C functions of helpers.def, which switch_*.S calls for compiled code. They run on the host stack.
 */
#ifndef WR_AOT_HELPERS_H
#define WR_AOT_HELPERS_H

#include "native.h"

u32 wr_native_exit(Native *native, Func *func, Slot *slots);
u32 wr_native_func_matches(Instance *i, Func *func, u32 type);
u32 wr_native_poll(Instance *i, u32 spent);
Slot *wr_native_spill(Instance *i, u32 func_index, u32 pc, u32 entry, u32 nslots);

u64 wr_native_memory_grow(Instance *i, u32 memory, u64 delta);
u64 wr_native_memory_size(Instance *i, u32 memory);
u32 wr_native_memory_init(Instance *i, u32 memory, u32 data, u64 dst, u32 src, u32 n);
u32 wr_native_memory_copy(Instance *i, u32 to, u32 from, u64 dst, u64 src, u64 n);
u32 wr_native_memory_fill(Instance *i, u32 memory, u64 dst, u32 value, u64 n);
void wr_native_data_drop(Instance *i, u32 data);
u32 wr_native_notify(Instance *i, u32 memory, u64 address, u32 count);
u32 wr_native_wait32(Instance *i, u32 memory, u64 address, u32 expected, u64 timeout);
u32 wr_native_wait64(Instance *i, u32 memory, u64 address, u64 expected, u64 timeout);

u64 wr_native_table_grow(Instance *i, u32 table, u64 delta, u32 value);
u32 wr_native_table_init(Instance *i, u32 table, u32 elem, u64 dst, u32 src, u32 n);
u32 wr_native_table_copy(Instance *i, u32 to, u32 from, u64 dst, u64 src, u64 n);
u32 wr_native_table_fill(Instance *i, u32 table, u64 dst, u32 value, u64 n);
void wr_native_elem_drop(Instance *i, u32 elem);

u32 wr_native_struct_new(Instance *i, u32 type, u32 descriptor, const Slot *values);
u32 wr_native_array_new(Instance *i, u32 type, u32 length, const Slot *value);
u32 wr_native_array_new_fixed(Instance *i, u32 type, u32 length, const Slot *values);
u32 wr_native_array_new_data(Instance *i, u32 type, u32 data, u32 start, u32 length);
u32 wr_native_array_new_elem(Instance *i, u32 type, u32 elem, u32 start, u32 length);
u32 wr_native_array_fill(Instance *i, u32 type, u32 ref, u32 start, const Slot *value, u32 n);
u32 wr_native_array_copy(Instance *i, u32 type, u32 dst, u32 dst_start, u32 src, u32 src_start,
                         u32 n);
u32 wr_native_array_init_data(Instance *i, u32 type, u32 data, u32 ref, u32 dst, u32 src, u32 n);
u32 wr_native_array_init_elem(Instance *i, u32 type, u32 elem, u32 ref, u32 dst, u32 src, u32 n);
void wr_native_shade(Instance *i, u32 ref);
u32 wr_native_ref_matches(Instance *i, u32 ref, u32 heap_type);
u32 wr_native_exception_new(Instance *i, u32 tag);

#endif
