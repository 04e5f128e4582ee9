/*
 * helpers.c - what compiled code does out of line (helpers.def): the runtime's operations by index, and with
 * operands that the collector sees. They do what the interpreter's handlers do (interpreter/handlers_*.h).
 */
#include "helpers.h"

#include "meter.h"
#include "object.h"
#include "parking.h"
#include "spill.h"
#include "stop.h"

/* ---- calls ---------------------------------------------------------------------------------- */

static Error *call_interpreted(Native *native, Func *func, Slot *slots) {
    Store *store = native->store;
    Error *error = wr_native_meter_arrive(native, func, slots);
    return error != NULL ? error : store->engine->executor->call(store, func, slots);
}

u32 wr_native_exit(Native *native, Func *func, Slot *slots) {
    wr_native_meter_stop(native);
    wr_native_go_out(native);
    Error *error = func->host != NULL
                       ? wr_store_call_host(native->store, func, native->caller, slots)
                       : call_interpreted(native, func, slots);
    Error *stuck = wr_native_come_in(native);
    wr_native_meter_go_on(native);
    native->pending = error != NULL ? error : stuck;
    if (error != NULL) wr_error_delete(stuck);
    return native->pending != NULL;
}

u32 wr_native_func_matches(Instance *i, Func *func, u32 type) {
    return def_is_subtype(func->type, i->types[type]);
}

u32 wr_native_poll(Instance *i, u32 spent) {
    Store *store = i->store;
    u32 interrupt = atomic_load_explicit(&store->interrupt, memory_order_relaxed);
    wr_trap_code_t code = store_stop(store, interrupt);
    if (code == WR_TRAP_NONE && spent && !wr_native_meter_refill(i->native))
        code = WR_TRAP_OUT_OF_FUEL;
    bool spills = code != WR_TRAP_NONE
                      ? store->pauses && wr_native_ops.can_pause(store)
                      : (interrupt & POLL_SPILL) != 0 && wr_native_spills(i->native, i);
    if (code == WR_TRAP_NONE && !spills) return 0;
    store->written.reason = code;
    i->native->pending = spills ? ERROR_PAUSED : wr_error_trap(code);
    return 1;
}

/* ---- memories ------------------------------------------------------------------------------- */

u64 wr_native_memory_grow(Instance *i, u32 memory, u64 delta) {
    return wr_memory_grow(i->memories[memory], delta);
}

u64 wr_native_memory_size(Instance *i, u32 memory) { return memory_pages(i->memories[memory]); }

u32 wr_native_memory_init(Instance *i, u32 memory, u32 data, u64 dst, u32 src, u32 n) {
    return wr_memory_init(i, memory, data, dst, src, n);
}

u32 wr_native_memory_copy(Instance *i, u32 to, u32 from, u64 dst, u64 src, u64 n) {
    return wr_memory_copy(i->memories[to], i->memories[from], dst, src, n);
}

u32 wr_native_memory_fill(Instance *i, u32 memory, u64 dst, u32 value, u64 n) {
    return wr_memory_fill(i->memories[memory], dst, (u8)value, n);
}

void wr_native_data_drop(Instance *i, u32 data) { wr_data_drop(i, data); }

/* The bytes that a wait or notify names; WR_TRAP_NONE, or the trap. */
static wr_trap_code_t find_atomic(const Instance *i, u32 memory, u64 address, u32 size,
                                  const u8 **place) {
    const Memory *m = i->memories[memory];
    u64 bytes = memory_size(m);
    if (size > bytes || address > bytes - size) return WR_TRAP_MEMORY_OUT_OF_BOUNDS;
    if (address & (size - 1)) return WR_TRAP_UNALIGNED_ATOMIC;
    *place = m->base + address;
    return WR_TRAP_NONE;
}

u32 wr_native_notify(Instance *i, u32 memory, u64 address, u32 count) {
    const u8 *place;
    wr_trap_code_t trap = find_atomic(i, memory, address, 4, &place);
    if (trap != WR_TRAP_NONE) return trap;
    u32 woken = i->memories[memory]->is_shared ? wr_unpark(i->store, place, count) : 0;
    i->native->values[0].u64 = woken;
    return WR_TRAP_NONE;
}

static u32 wait(Instance *i, u32 memory, u64 address, u32 size, u64 expected, u64 timeout) {
    const u8 *place;
    wr_trap_code_t trap = find_atomic(i, memory, address, size, &place);
    if (trap != WR_TRAP_NONE) return trap;
    if (!i->memories[memory]->is_shared) return WR_TRAP_EXPECTED_SHARED_MEMORY;
    WaitResult result;
    trap = wr_park(i->store, place, size, expected, (i64)timeout, store_stops(i->store), &result);
    if (trap == WR_TRAP_NONE) i->native->values[0].u64 = result;
    return trap;
}

u32 wr_native_wait32(Instance *i, u32 memory, u64 address, u32 expected, u64 timeout) {
    return wait(i, memory, address, 4, expected, timeout);
}

u32 wr_native_wait64(Instance *i, u32 memory, u64 address, u64 expected, u64 timeout) {
    return wait(i, memory, address, 8, expected, timeout);
}

/* ---- tables --------------------------------------------------------------------------------- */

u64 wr_native_table_grow(Instance *i, u32 table, u64 delta, u32 value) {
    return wr_table_grow(i->tables[table], delta, value);
}

u32 wr_native_table_init(Instance *i, u32 table, u32 elem, u64 dst, u32 src, u32 n) {
    return wr_table_init(i, table, elem, dst, src, n);
}

u32 wr_native_table_copy(Instance *i, u32 to, u32 from, u64 dst, u64 src, u64 n) {
    return wr_table_copy(i->tables[to], i->tables[from], dst, src, n);
}

u32 wr_native_table_fill(Instance *i, u32 table, u64 dst, u32 value, u64 n) {
    return wr_table_fill(i->tables[table], dst, value, n);
}

void wr_native_elem_drop(Instance *i, u32 elem) { wr_elem_drop(i, elem); }

/* ---- objects -------------------------------------------------------------------------------- */

/* Operands are in a compiled frame, where the collector looks, or in Native.values, where it has to be told. */
static void root_values(Instance *i, const Slot *values, u32 count) {
    i->native->nrooted = values == i->native->values ? count : 0;
}

u32 wr_native_struct_new(Instance *i, u32 type, u32 descriptor, const Slot *values) {
    const DefType *def = i->types[type];
    size_t scope = wr_store_open_scope(i->store);
    u32 ref = 0;
    root_values(i, values, values ? wr_struct_slots(def) : 0);
    if (wr_store_keep(i->store, descriptor)) ref = wr_struct_new(i->store, def, descriptor, values);
    wr_store_close_scope(i->store, scope);
    root_values(i, NULL, 0);
    return ref;
}

u32 wr_native_array_new(Instance *i, u32 type, u32 length, const Slot *value) {
    root_values(i, value, 2);
    u32 ref = wr_array_new(i->store, i->types[type], length, value);
    root_values(i, NULL, 0);
    return ref;
}

u32 wr_native_array_new_fixed(Instance *i, u32 type, u32 length, const Slot *values) {
    const DefType *def = i->types[type];
    root_values(i, values, length * place_slots(place_width(def->places[0])));
    u32 ref = wr_array_new_fixed(i->store, def, length, values);
    root_values(i, NULL, 0);
    return ref;
}

u32 wr_native_array_new_data(Instance *i, u32 type, u32 data, u32 start, u32 length) {
    u32 ref = 0;
    wr_trap_code_t trap = wr_array_new_data(i, i->types[type], data, start, length, &ref);
    i->native->values[0].u64 = ref;
    return trap;
}

u32 wr_native_array_new_elem(Instance *i, u32 type, u32 elem, u32 start, u32 length) {
    u32 ref = 0;
    wr_trap_code_t trap = wr_array_new_elem(i, i->types[type], elem, start, length, &ref);
    i->native->values[0].u64 = ref;
    return trap;
}

u32 wr_native_array_fill(Instance *i, u32 type, u32 ref, u32 start, const Slot *value, u32 n) {
    return wr_array_fill(i->store, i->types[type], ref, start, value, n);
}

u32 wr_native_array_copy(Instance *i, u32 type, u32 dst, u32 dst_start, u32 src, u32 src_start,
                         u32 n) {
    return wr_array_copy(i->store, i->types[type], dst, dst_start, src, src_start, n);
}

u32 wr_native_array_init_data(Instance *i, u32 type, u32 data, u32 ref, u32 dst, u32 src, u32 n) {
    return wr_array_init_data(i, i->types[type], data, ref, dst, src, n);
}

u32 wr_native_array_init_elem(Instance *i, u32 type, u32 elem, u32 ref, u32 dst, u32 src, u32 n) {
    return wr_array_init_elem(i, i->types[type], elem, ref, dst, src, n);
}

void wr_native_shade(Instance *i, u32 ref) { wr_heap_mark(i->store, ref); }

u32 wr_native_ref_matches(Instance *i, u32 ref, u32 heap_type) {
    if (heap_type >= HEAP_DEFINED) {
        const DefType *def = i->types[heap_type_id(heap_type)];
        heap_type = (HEAP_DEFINED + def->id) | (heap_type & HEAP_EXACT);
    }
    return wr_ref_matches(i->store, ref, heap_type);
}

u32 wr_native_exception_new(Instance *i, u32 tag) {
    return wr_exception_new(i->store, i->tags[tag], NULL);
}
