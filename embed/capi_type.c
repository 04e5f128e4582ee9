/*
 * capi_type.c - wasm.h's descriptions of types: plain data, and from the runtime's types.
 *
 * A wasm_externtype_t is the head of each of the five kinds of external types. Value types have no
 * identity and nothing to free: there is one constant for each kind.
 */
#include "capi.h"

struct wasm_valtype_t {
    wasm_valkind_t kind;
};
struct wasm_externtype_t {
    wasm_externkind_t kind;
};
struct wasm_functype_t {
    wasm_externtype_t head;
    wasm_valtype_vec_t params, results;
};
struct wasm_globaltype_t {
    wasm_externtype_t head;
    wasm_mutability_t mutability;
    wasm_valtype_t *content;
};
struct wasm_tabletype_t {
    wasm_externtype_t head;
    wasm_limits_t limits;
    wasm_valtype_t *element;
};
struct wasm_memorytype_t {
    wasm_externtype_t head;
    wasm_limits_t limits;
};
struct wasm_tagtype_t {
    wasm_externtype_t head;
    wasm_functype_t *type;
};
struct wasm_importtype_t {
    wasm_name_t module, name;
    wasm_externtype_t *type;
};
struct wasm_exporttype_t {
    wasm_name_t name;
    wasm_externtype_t *type;
};

#define NEW(type) ((type *)wr_alloc_zero(&wr_alloc_system, sizeof(type)))
#define FREE(object) wr_free(&wr_alloc_system, (object), sizeof *(object))

/* ---- values --------------------------------------------------------------------------------- */

static const wasm_valtype_t valtypes[] = {
    {WASM_I32},       {WASM_I64},     {WASM_F32},    {WASM_F64},    {WASM_V128},
    {WASM_EXTERNREF}, {WASM_FUNCREF}, {WASM_ANYREF}, {WASM_EXNREF},
};

/* They are const, in truth: nothing changes them. */
wasm_valtype_t *wasm_valtype_new(wasm_valkind_t kind) {
    for (size_t i = 0; i < ARRAY_LEN(valtypes); i++) {
        if (valtypes[i].kind == kind) return (wasm_valtype_t *)(uintptr_t)&valtypes[i];
    }
    return NULL;
}
void wasm_valtype_delete(wasm_valtype_t *type) { (void)type; }
wasm_valtype_t *wasm_valtype_copy(const wasm_valtype_t *type) {
    return (wasm_valtype_t *)(uintptr_t)type;
}
wasm_valkind_t wasm_valtype_kind(const wasm_valtype_t *type) { return type->kind; }

wasm_valkind_t wr_capi_kind(const TypeTable *types, ValType type) {
    switch ((int)type_kind(type)) {
    case VK_I32: return WASM_I32;
    case VK_I64: return WASM_I64;
    case VK_F32: return WASM_F32;
    case VK_F64: return WASM_F64;
    case VK_V128: return WASM_V128;
    default: break;
    }
    HeapType heap = type_heap(type);
    if (wr_heap_matches(types, heap, HEAP_FUNC)) return WASM_FUNCREF;
    if (wr_heap_matches(types, heap, HEAP_EXTERN)) return WASM_EXTERNREF;
    if (wr_heap_matches(types, heap, HEAP_EXN)) return WASM_EXNREF;
    return WASM_ANYREF;
}

ValType wr_capi_type_of_kind(wasm_valkind_t kind) {
    switch (kind) {
    case WASM_I32: return T_I32;
    case WASM_I64: return T_I64;
    case WASM_F32: return T_F32;
    case WASM_F64: return T_F64;
    case WASM_V128: return T_V128;
    case WASM_FUNCREF: return T_FUNCREF;
    case WASM_ANYREF: return T_REF(HEAP_ANY, 1);
    case WASM_EXNREF: return T_EXNREF;
    default: return T_EXTERNREF;
    }
}

/* ---- functions ------------------------------------------------------------------------------ */

static bool holds_null(const wasm_valtype_vec_t *types) {
    for (size_t i = 0; i < types->size; i++) {
        if (!types->data[i]) return true;
    }
    return false;
}

wasm_functype_t *wasm_functype_new(wasm_valtype_vec_t *params, wasm_valtype_vec_t *results) {
    wasm_functype_t *type = NEW(wasm_functype_t);
    if (!type || holds_null(params) || holds_null(results)) {
        wasm_valtype_vec_delete(params);
        wasm_valtype_vec_delete(results);
        FREE(type);
        return NULL;
    }
    type->head.kind = WASM_EXTERN_FUNC;
    type->params = *params;
    type->results = *results;
    wasm_valtype_vec_new_empty(params);
    wasm_valtype_vec_new_empty(results);
    return type;
}
void wasm_functype_delete(wasm_functype_t *type) {
    if (!type) return;
    wasm_valtype_vec_delete(&type->params);
    wasm_valtype_vec_delete(&type->results);
    FREE(type);
}
wasm_functype_t *wasm_functype_copy(const wasm_functype_t *type) {
    wasm_valtype_vec_t params, results;
    wasm_valtype_vec_copy(&params, &type->params);
    wasm_valtype_vec_copy(&results, &type->results);
    if (params.size == type->params.size && results.size == type->results.size)
        return wasm_functype_new(&params, &results);
    wasm_valtype_vec_delete(&params);
    wasm_valtype_vec_delete(&results);
    return NULL;
}
const wasm_valtype_vec_t *wasm_functype_params(const wasm_functype_t *type) {
    return &type->params;
}
const wasm_valtype_vec_t *wasm_functype_results(const wasm_functype_t *type) {
    return &type->results;
}

static bool make_valtypes(const TypeTable *types, const ValType *from, u32 n,
                          wasm_valtype_vec_t *out) {
    wasm_valtype_vec_new_uninitialized(out, n);
    if (out->size != n) return false;
    for (u32 i = 0; i < n; i++) out->data[i] = wasm_valtype_new(wr_capi_kind(types, from[i]));
    return true;
}

wasm_functype_t *wr_capi_functype(const TypeTable *types, const DefType *type) {
    wasm_valtype_vec_t params, results;
    bool ok = make_valtypes(types, type->types, type->nparams, &params);
    ok &= make_valtypes(types, type->types + type->nparams, type->nresults, &results);
    if (ok) return wasm_functype_new(&params, &results);
    wasm_valtype_vec_delete(&params);
    wasm_valtype_vec_delete(&results);
    return NULL;
}

/* ---- globals, tables, memories, tags -------------------------------------------------------- */

wasm_globaltype_t *wasm_globaltype_new(wasm_valtype_t *content, wasm_mutability_t mutability) {
    wasm_globaltype_t *type = content ? NEW(wasm_globaltype_t) : NULL;
    if (type) *type = (wasm_globaltype_t){{WASM_EXTERN_GLOBAL}, mutability, content};
    return type;
}
void wasm_globaltype_delete(wasm_globaltype_t *type) { FREE(type); }
wasm_globaltype_t *wasm_globaltype_copy(const wasm_globaltype_t *type) {
    return wasm_globaltype_new(type->content, type->mutability);
}
const wasm_valtype_t *wasm_globaltype_content(const wasm_globaltype_t *type) {
    return type->content;
}
wasm_mutability_t wasm_globaltype_mutability(const wasm_globaltype_t *type) {
    return type->mutability;
}
wasm_externtype_t *wr_capi_globaltype(const TypeTable *types, ValType type, bool is_mutable) {
    wasm_valtype_t *content = wasm_valtype_new(wr_capi_kind(types, type));
    wasm_globaltype_t *made = wasm_globaltype_new(content, is_mutable ? WASM_VAR : WASM_CONST);
    return made ? &made->head : NULL;
}

static wasm_limits_t public_limits(u64 min, u64 max) {
    u64 none = wasm_limits_max_default;
    return (wasm_limits_t){(u32)min_u64(min, none), (u32)min_u64(max, none)};
}

wasm_tabletype_t *wasm_tabletype_new(wasm_valtype_t *element, const wasm_limits_t *limits) {
    wasm_tabletype_t *type = element ? NEW(wasm_tabletype_t) : NULL;
    if (type) *type = (wasm_tabletype_t){{WASM_EXTERN_TABLE}, *limits, element};
    return type;
}
void wasm_tabletype_delete(wasm_tabletype_t *type) { FREE(type); }
wasm_tabletype_t *wasm_tabletype_copy(const wasm_tabletype_t *type) {
    return wasm_tabletype_new(type->element, &type->limits);
}
const wasm_valtype_t *wasm_tabletype_element(const wasm_tabletype_t *type) { return type->element; }
const wasm_limits_t *wasm_tabletype_limits(const wasm_tabletype_t *type) { return &type->limits; }
wasm_externtype_t *wr_capi_tabletype(const TypeTable *types, ValType type, u64 min, u64 max) {
    wasm_limits_t limits = public_limits(min, max);
    wasm_tabletype_t *made =
        wasm_tabletype_new(wasm_valtype_new(wr_capi_kind(types, type)), &limits);
    return made ? &made->head : NULL;
}

wasm_memorytype_t *wasm_memorytype_new(const wasm_limits_t *limits) {
    wasm_memorytype_t *type = NEW(wasm_memorytype_t);
    if (type) *type = (wasm_memorytype_t){{WASM_EXTERN_MEMORY}, *limits};
    return type;
}
void wasm_memorytype_delete(wasm_memorytype_t *type) { FREE(type); }
wasm_memorytype_t *wasm_memorytype_copy(const wasm_memorytype_t *type) {
    return wasm_memorytype_new(&type->limits);
}
const wasm_limits_t *wasm_memorytype_limits(const wasm_memorytype_t *type) { return &type->limits; }
wasm_externtype_t *wr_capi_memorytype(u64 min, u64 max) {
    wasm_limits_t limits = public_limits(min, max);
    wasm_memorytype_t *made = wasm_memorytype_new(&limits);
    return made ? &made->head : NULL;
}

wasm_tagtype_t *wasm_tagtype_new(wasm_functype_t *functype) {
    wasm_tagtype_t *type = functype ? NEW(wasm_tagtype_t) : NULL;
    if (type)
        *type = (wasm_tagtype_t){{WASM_EXTERN_TAG}, functype};
    else
        wasm_functype_delete(functype);
    return type;
}
void wasm_tagtype_delete(wasm_tagtype_t *type) {
    if (!type) return;
    wasm_functype_delete(type->type);
    FREE(type);
}
wasm_tagtype_t *wasm_tagtype_copy(const wasm_tagtype_t *type) {
    return wasm_tagtype_new(wasm_functype_copy(type->type));
}
const wasm_functype_t *wasm_tagtype_functype(const wasm_tagtype_t *type) { return type->type; }
wasm_externtype_t *wr_capi_tagtype(const TypeTable *types, const DefType *type) {
    wasm_tagtype_t *made = wasm_tagtype_new(wr_capi_functype(types, type));
    return made ? &made->head : NULL;
}

/* ---- externals ------------------------------------------------------------------------------ */

wasm_externkind_t wasm_externtype_kind(const wasm_externtype_t *type) { return type->kind; }

#define DEFINE_AS_EXTERNTYPE(name, its_kind)                                                       \
    wasm_externtype_t *wasm_##name##_as_externtype(wasm_##name##_t *type) { return &type->head; }  \
    const wasm_externtype_t *wasm_##name##_as_externtype_const(const wasm_##name##_t *type) {      \
        return &type->head;                                                                        \
    }                                                                                              \
    wasm_##name##_t *wasm_externtype_as_##name(wasm_externtype_t *type) {                          \
        return type && type->kind == (its_kind) ? (wasm_##name##_t *)type : NULL;                  \
    }                                                                                              \
    const wasm_##name##_t *wasm_externtype_as_##name##_const(const wasm_externtype_t *type) {      \
        return type && type->kind == (its_kind) ? (const wasm_##name##_t *)type : NULL;            \
    }

DEFINE_AS_EXTERNTYPE(functype, WASM_EXTERN_FUNC)
DEFINE_AS_EXTERNTYPE(globaltype, WASM_EXTERN_GLOBAL)
DEFINE_AS_EXTERNTYPE(tabletype, WASM_EXTERN_TABLE)
DEFINE_AS_EXTERNTYPE(memorytype, WASM_EXTERN_MEMORY)
DEFINE_AS_EXTERNTYPE(tagtype, WASM_EXTERN_TAG)

void wasm_externtype_delete(wasm_externtype_t *type) {
    if (!type) return;
    switch (type->kind) {
    case WASM_EXTERN_FUNC: wasm_functype_delete(wasm_externtype_as_functype(type)); break;
    case WASM_EXTERN_GLOBAL: wasm_globaltype_delete(wasm_externtype_as_globaltype(type)); break;
    case WASM_EXTERN_TABLE: wasm_tabletype_delete(wasm_externtype_as_tabletype(type)); break;
    case WASM_EXTERN_MEMORY: wasm_memorytype_delete(wasm_externtype_as_memorytype(type)); break;
    default: wasm_tagtype_delete(wasm_externtype_as_tagtype(type)); break;
    }
}

wasm_externtype_t *wasm_externtype_copy(const wasm_externtype_t *type) {
    void *copy;
    switch (type->kind) {
    case WASM_EXTERN_FUNC:
        copy = wasm_functype_copy(wasm_externtype_as_functype_const(type));
        break;
    case WASM_EXTERN_GLOBAL:
        copy = wasm_globaltype_copy(wasm_externtype_as_globaltype_const(type));
        break;
    case WASM_EXTERN_TABLE:
        copy = wasm_tabletype_copy(wasm_externtype_as_tabletype_const(type));
        break;
    case WASM_EXTERN_MEMORY:
        copy = wasm_memorytype_copy(wasm_externtype_as_memorytype_const(type));
        break;
    default: copy = wasm_tagtype_copy(wasm_externtype_as_tagtype_const(type)); break;
    }
    return copy; /* whose head it is */
}

/* ---- imports and exports -------------------------------------------------------------------- */

wasm_importtype_t *wasm_importtype_new(wasm_name_t *module, wasm_name_t *name,
                                       wasm_externtype_t *externtype) {
    wasm_importtype_t *type = externtype ? NEW(wasm_importtype_t) : NULL;
    if (type) {
        *type = (wasm_importtype_t){*module, *name, externtype};
        wasm_name_new_empty(module);
        wasm_name_new_empty(name);
    } else {
        wasm_name_delete(module);
        wasm_name_delete(name);
        wasm_externtype_delete(externtype);
    }
    return type;
}
void wasm_importtype_delete(wasm_importtype_t *type) {
    if (!type) return;
    wasm_name_delete(&type->module);
    wasm_name_delete(&type->name);
    wasm_externtype_delete(type->type);
    FREE(type);
}
wasm_importtype_t *wasm_importtype_copy(const wasm_importtype_t *type) {
    wasm_name_t module, name;
    wasm_name_copy(&module, &type->module);
    wasm_name_copy(&name, &type->name);
    return wasm_importtype_new(&module, &name, wasm_externtype_copy(type->type));
}
const wasm_name_t *wasm_importtype_module(const wasm_importtype_t *type) { return &type->module; }
const wasm_name_t *wasm_importtype_name(const wasm_importtype_t *type) { return &type->name; }
const wasm_externtype_t *wasm_importtype_type(const wasm_importtype_t *type) { return type->type; }

wasm_exporttype_t *wasm_exporttype_new(wasm_name_t *name, wasm_externtype_t *externtype) {
    wasm_exporttype_t *type = externtype ? NEW(wasm_exporttype_t) : NULL;
    if (type) {
        *type = (wasm_exporttype_t){*name, externtype};
        wasm_name_new_empty(name);
    } else {
        wasm_name_delete(name);
        wasm_externtype_delete(externtype);
    }
    return type;
}
void wasm_exporttype_delete(wasm_exporttype_t *type) {
    if (!type) return;
    wasm_name_delete(&type->name);
    wasm_externtype_delete(type->type);
    FREE(type);
}
wasm_exporttype_t *wasm_exporttype_copy(const wasm_exporttype_t *type) {
    wasm_name_t name;
    wasm_name_copy(&name, &type->name);
    return wasm_exporttype_new(&name, wasm_externtype_copy(type->type));
}
const wasm_name_t *wasm_exporttype_name(const wasm_exporttype_t *type) { return &type->name; }
const wasm_externtype_t *wasm_exporttype_type(const wasm_exporttype_t *type) { return type->type; }
