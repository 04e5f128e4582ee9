/*
 * values.c - conversion between wr_val_t and slots, and calls with values.
 */
#include "values.h"

#include "externs.h"
#include "heap.h"

/* ---- conversion ----------------------------------------------------------------------------- */

static wr_valkind_t heap_kind(const TypeTable *types, HeapType heap) {
    if (wr_heap_matches(types, heap, HEAP_FUNC)) return WR_FUNCREF;
    if (wr_heap_matches(types, heap, HEAP_EXTERN)) return WR_EXTERNREF;
    if (wr_heap_matches(types, heap, HEAP_EXN)) return WR_EXNREF;
    return WR_ANYREF;
}

wr_valkind_t wr_value_kind(const TypeTable *types, ValType type) {
    switch ((int)type_kind(type)) {
    case VK_I32: return WR_I32;
    case VK_I64: return WR_I64;
    case VK_F32: return WR_F32;
    case VK_F64: return WR_F64;
    case VK_V128: return WR_V128;
    default: return heap_kind(types, type_heap(type));
    }
}

wr_val_t wr_value_from_slots(const TypeTable *types, ValType type, const Slot *slots) {
    wr_val_t value = {.kind = wr_value_kind(types, type)};
    switch (value.kind) {
    case WR_I32: value.of.i32 = slots->i32; break;
    case WR_I64: value.of.i64 = slots->i64; break;
    case WR_F32: value.of.f32 = slots->f32; break;
    case WR_F64: value.of.f64 = slots->f64; break;
    case WR_V128:
        le64_store(value.of.v128, slots[0].u64);
        le64_store(value.of.v128 + 8, slots[1].u64);
        break;
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_ANYREF:
    case WR_EXNREF: value.of.ref = slots->ref; break;
    }
    return value;
}

/* Narrow values are zero-extended: base.h, Slot. */
void wr_value_to_slots(const wr_val_t *value, Slot *slots) {
    slots->u64 = 0;
    switch (value->kind) {
    case WR_I32: slots->u64 = (u32)value->of.i32; break;
    case WR_I64: slots->i64 = value->of.i64; break;
    case WR_F32: {
        u32 bits;
        memcpy(&bits, &value->of.f32, sizeof bits);
        slots->u64 = bits;
        break;
    }
    case WR_F64: slots->f64 = value->of.f64; break;
    case WR_V128:
        slots[0].u64 = le64_load(value->of.v128);
        slots[1].u64 = le64_load(value->of.v128 + 8);
        break;
    case WR_FUNCREF:
    case WR_EXTERNREF:
    case WR_ANYREF:
    case WR_EXNREF: slots->ref = value->of.ref; break;
    }
}

/* ---- signatures of functions ---------------------------------------------------------------- */

static const TypeTable *types_of(const wr_func_t *func) {
    return func->host ? func->host->engine->types : func_instance(func)->store->engine->types;
}

size_t wr_func_param_count(const wr_func_t *func) { return func->type->nparams; }
size_t wr_func_result_count(const wr_func_t *func) { return func->type->nresults; }

wr_valkind_t wr_func_param(const wr_func_t *func, size_t index) {
    if (index >= func->type->nparams) return WR_I32;
    return wr_value_kind(types_of(func), func->type->types[index]);
}

wr_valkind_t wr_func_result(const wr_func_t *func, size_t index) {
    if (index >= func->type->nresults) return WR_I32;
    return wr_value_kind(types_of(func), func->type->types[func->type->nparams + index]);
}

void wr_func_name(const wr_func_t *func, wr_name_t *module, wr_name_t *name) {
    if (func->host) {
        *module = (wr_name_t){func->host->module, strlen(func->host->module)};
        *name = (wr_name_t){func->host->name, strlen(func->host->name)};
        return;
    }
    const Module *m = func_instance(func)->module;
    Name own = wr_module_own_name(m), its = wr_module_func_name(m, func->index);
    *module = (wr_name_t){own.data, own.size};
    *name = (wr_name_t){its.data, its.size};
}

size_t wr_func_signature(const wr_func_t *func, char *buffer, size_t size) {
    return wr_signature_print(types_of(func), func->type, buffer, size);
}

/* ---- calls ---------------------------------------------------------------------------------- */

#define USAGE(...) wr_error_at(WR_ERROR_USAGE, NO_OFFSET, __VA_ARGS__)

Error *wr_call_check(const Store *store, const Func *func, size_t nargs, size_t nresults) {
    if (!func) return USAGE("there is no such function");
    const DefType *type = func->type;
    if (func->handle >= store->nfuncs || store->funcs[func->handle] != func) {
        return USAGE("the function belongs to another store");
    }
    if (nargs != type->nparams) {
        return USAGE("wrong number of arguments: %zu for %u", nargs, type->nparams);
    }
    if (nresults < type->nresults) {
        return USAGE("no room for the results: %zu for %u", nresults, type->nresults);
    }
    return NULL;
}

/* i32, i64, f32, f64: one slot, no questions, and most of what is passed. */
_Static_assert(WR_F64 - WR_I32 == VK_F64 - VK_I32, "kinds of numbers are in the order of types");
INLINE bool is_number(ValType type) { return type - T_I32 <= T_F64 - T_I32; }
INLINE wr_valkind_t number_kind(ValType type) { return (wr_valkind_t)(WR_I32 + (type - T_I32)); }
INLINE bool is_narrow(ValType type) { return type == T_I32 || type == T_F32; }

INLINE void number_to_slot(const wr_val_t *value, ValType type, Slot *slot) {
    slot->u64 = is_narrow(type) ? (u32)value->of.i32 : (u64)value->of.i64;
}
INLINE void number_from_slot(wr_val_t *value, ValType type, const Slot *slot) {
    value->kind = number_kind(type);
    if (is_narrow(type))
        value->of.i32 = slot->i32;
    else
        value->of.i64 = slot->i64;
}

Error *wr_call_put(Store *store, const DefType *type, const wr_val_t *args, Slot *slots) {
    const TypeTable *types = store->engine->types;
    for (u32 i = 0; i < type->nparams; i++) {
        ValType wanted = type->types[i];
        if (LIKELY(is_number(wanted) && args[i].kind == number_kind(wanted))) {
            number_to_slot(&args[i], wanted, slots++);
            continue;
        }
        if (args[i].kind != wr_value_kind(types, wanted)) {
            return USAGE("argument %u of %u has the wrong kind", i + 1, type->nparams);
        }
        if (type_is_ref(wanted) && !wr_store_ref_matches(store, args[i].of.ref, wanted)) {
            return USAGE("argument %u of %u is no such reference", i + 1, type->nparams);
        }
        /* a reference that the host should not use any more */
        if (store->heap->marking && type_is_ref(wanted))
            wr_store_shade(store, args[i].of.ref, wanted);
        wr_value_to_slots(&args[i], slots);
        slots += type_slots(wanted);
    }
    return NULL;
}

/* Keeps what is an object alive for the host. */
Error *wr_call_get(Store *store, const DefType *type, const Slot *slots, wr_val_t *results) {
    const ValType *types = type->types + type->nparams;
    for (u32 i = 0; i < type->nresults; i++) {
        if (LIKELY(is_number(types[i]))) {
            number_from_slot(&results[i], types[i], slots++);
            continue;
        }
        results[i] = wr_value_from_slots(store->engine->types, types[i], slots);
        if (wr_type_in_heap(store->engine->types, types[i]) && !wr_store_keep(store, slots->ref)) {
            return ERROR_OOM;
        }
        slots += type_slots(types[i]);
    }
    return NULL;
}

static Error *call(Store *store, Func *func, const wr_val_t *args, wr_val_t *results, Slot *slots) {
    Error *error = wr_call_put(store, func->type, args, slots);
    if (!error) error = wr_store_call(store, func, slots);
    return error ? error : wr_call_get(store, func->type, slots, results);
}

wr_error_t *wr_func_call(wr_store_t *store, wr_func_t *func, const wr_val_t *args, size_t nargs,
                         wr_val_t *results, size_t nresults) {
    Error *error = wr_call_check(store, func, nargs, nresults);
    if (error) return error;
    u32 n = call_slots(func);
    if (n <= INLINE_SLOTS) {
        Slot slots[INLINE_SLOTS];
        return call(store, func, args, results, slots);
    }
    Slot *slots = wr_alloc_array(&store->alloc, n, sizeof *slots);
    if (!slots) return ERROR_OOM;
    error = call(store, func, args, results, slots);
    wr_free(&store->alloc, slots, n * sizeof *slots);
    return error;
}

/* ---- calls with slots ----------------------------------------------------------------------- */

static char letter_of(wr_valkind_t kind) {
    static const char letters[] = {
        [WR_I32] = 'i',       [WR_I64] = 'I',    [WR_F32] = 'f',
        [WR_F64] = 'F',       [WR_V128] = 'v',   [WR_FUNCREF] = 'c',
        [WR_EXTERNREF] = 'e', [WR_ANYREF] = 'a', [WR_EXNREF] = 'x',
    };
    return letters[kind];
}

bool wr_func_has_signature(const wr_func_t *func, const char *signature) {
    if (!func) return false;
    const DefType *type = func->type;
    for (u32 i = 0; i < type->nparams; i++) {
        if (*signature++ != letter_of(wr_func_param(func, i))) return false;
    }
    if (*signature++ != '>') return false;
    for (u32 i = 0; i < type->nresults; i++) {
        if (*signature++ != letter_of(wr_func_result(func, i))) return false;
    }
    return *signature == 0;
}

static Error *check_references(Store *store, const DefType *type, const Slot *slots) {
    for (u32 i = 0; i < type->nparams; slots += type_slots(type->types[i++])) {
        if (!type_is_ref(type->types[i])) continue;
        if (!wr_store_ref_matches(store, slots->ref, type->types[i])) {
            return USAGE("argument %u of %u is no such reference", i + 1, type->nparams);
        }
        if (store->heap->marking) wr_store_shade(store, slots->ref, type->types[i]);
    }
    return NULL;
}

static Error *keep_results(Store *store, const DefType *type, const Slot *slots) {
    const ValType *types = type->types + type->nparams;
    for (u32 i = 0; i < type->nresults; slots += type_slots(types[i++])) {
        if (type_is_ref(types[i]) && wr_type_in_heap(store->engine->types, types[i]) &&
            !wr_store_keep(store, slots->ref)) {
            return ERROR_OOM;
        }
    }
    return NULL;
}

wr_error_t *wr_func_call_slots(wr_store_t *store, wr_func_t *func, wr_slot_t *slots) {
    Slot *own_slots = (Slot *)(void *)slots;
    const DefType *type = func->type;
    if (UNLIKELY(func->handle >= store->nfuncs || store->funcs[func->handle] != func)) {
        return USAGE("the function belongs to another store");
    }
    if (LIKELY(!type->has_refs)) return wr_store_call(store, func, own_slots);
    Error *error = check_references(store, type, own_slots);
    if (!error) error = wr_store_call(store, func, own_slots);
    return error ? error : keep_results(store, type, own_slots);
}
