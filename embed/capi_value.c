/*
 * capi_value.c - values of wasm.h, from and to slots.
 */
#include "capi.h"

static bool holds_ref(wasm_valkind_t kind) {
    return wasm_valkind_is_ref(kind) || kind == WASM_V128;
}

void wasm_val_delete(wasm_val_t *value) {
    if (!holds_ref(value->kind)) return;
    wr_capi_unref(value->of.ref);
    value->of.ref = NULL;
}

void wasm_val_copy(wasm_val_t *out, const wasm_val_t *value) {
    *out = *value;
    if (holds_ref(value->kind) && value->of.ref) (void)wr_capi_ref(value->of.ref);
}

/* Narrow values are zero-extended: base.h, Slot. */
static bool number_to_slots(const wasm_val_t *value, ValType type, Slot *slots) {
    slots->u64 = 0;
    switch ((int)type_kind(type)) {
    case VK_I32: slots->u64 = (u32)value->of.i32; return value->kind == WASM_I32;
    case VK_I64: slots->i64 = value->of.i64; return value->kind == WASM_I64;
    case VK_F32: {
        u32 bits;
        memcpy(&bits, &value->of.f32, sizeof bits);
        slots->u64 = bits;
        return value->kind == WASM_F32;
    }
    case VK_F64: slots->f64 = value->of.f64; return value->kind == WASM_F64;
    default: break;
    }
    u8 bytes[16];
    if (value->kind != WASM_V128 || !wasm_v128_get(value->of.ref, bytes)) return false;
    slots[0].u64 = le64_load(bytes);
    slots[1].u64 = le64_load(bytes + 8);
    return true;
}

const char *wr_capi_to_slots(wasm_store_t *store, const wasm_val_t *value, ValType type,
                             Slot *slots) {
    if (!type_is_ref(type))
        return number_to_slots(value, type, slots) ? NULL : "a value of another kind";
    if (!wasm_valkind_is_ref(value->kind)) return "a value of another kind";
    return wr_capi_to_raw(store, value->of.ref, type, &slots->ref) ? NULL : "no such reference";
}

static bool v128_from_slots(const Slot *slots, wasm_val_t *value) {
    u8 bytes[16];
    le64_store(bytes, slots[0].u64);
    le64_store(bytes + 8, slots[1].u64);
    value->of.ref = wasm_v128_new(bytes);
    return value->of.ref != NULL;
}

bool wr_capi_from_slots(wasm_store_t *store, ValType type, const Slot *slots, wasm_val_t *value) {
    *value = wr_capi_default(store->store->engine->types, type);
    switch ((int)type_kind(type)) {
    case VK_I32: value->of.i32 = slots->i32; return true;
    case VK_I64: value->of.i64 = slots->i64; return true;
    case VK_F32: value->of.f32 = slots->f32; return true;
    case VK_F64: value->of.f64 = slots->f64; return true;
    case VK_V128: return v128_from_slots(slots, value);
    default: return wr_capi_from_raw(store, type, slots->ref, &value->of.ref);
    }
}

wasm_val_t wr_capi_default(const TypeTable *types, ValType type) {
    wasm_val_t value;
    memset(&value, 0, sizeof value);
    value.kind = wr_capi_kind(types, type);
    return value;
}
