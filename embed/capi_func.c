/*
 * capi_func.c - functions of wasm.h: those that the host defines, and calls.
 */
#include "capi.h"

#define INLINE_VALUES 16u /* most calls need no allocation */
#define INLINE_SLOTS 32u

static Object *object_of(const wasm_func_t *func) { return OBJECT_OF(func); }

/* ---- functions of the host ------------------------------------------------------------------ */

typedef struct Closure {
    wasm_store_t *store;
    const DefType *type;
    wasm_func_callback_t plain; /* or NULL: */
    wasm_func_callback_with_env_t with_env;
    void *env;
    void (*finalizer)(void *env);
} Closure;

static Error *out_of_place(const char *what) {
    return wr_error_new(WR_ERROR_TRAP, "result of a host function: %s", what);
}

static bool make_arguments(const Closure *c, const Slot *slots, wasm_val_t *args) {
    bool ok = true;
    for (u32 i = 0; i < c->type->nparams; i++) {
        ok &= wr_capi_from_slots(c->store, c->type->types[i], slots, &args[i]);
        slots += type_slots(c->type->types[i]);
    }
    return ok;
}

static Error *take_results(const Closure *c, const wasm_val_t *results, Slot *slots) {
    const ValType *types = c->type->types + c->type->nparams;
    for (u32 i = 0; i < c->type->nresults; i++) {
        const char *problem = wr_capi_to_slots(c->store, &results[i], types[i], slots);
        if (problem) return out_of_place(problem);
        slots += type_slots(types[i]);
    }
    return NULL;
}

/* `values`: arguments, then results. A host function has a scope of its own for what its references keep,
 * but results outlive it: what they lead to is the caller's again before anything is collected. */
static Error *call_back(const Closure *c, wasm_val_t *values, Slot *slots) {
    u32 nparams = c->type->nparams, nresults = c->type->nresults;
    wasm_val_vec_t args = {nparams, values}, results = {nresults, values + nparams};
    for (u32 i = 0; i < nresults; i++)
        results.data[i] =
            wr_capi_default(c->store->store->engine->types, c->type->types[nparams + i]);
    Error *error = make_arguments(c, slots, args.data) ? NULL : ERROR_OOM;
    if (!error) {
        wasm_trap_t *trap =
            c->plain ? c->plain(&args, &results) : c->with_env(c->env, &args, &results);
        error = trap ? wr_capi_error(trap) : take_results(c, values + nparams, slots);
    }
    for (u32 i = 0; i < nparams + nresults; i++) wasm_val_delete(&values[i]);
    return error;
}

static wr_error_t *enter(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    const Closure *c = context;
    u32 n = c->type->nparams + c->type->nresults;
    if (n <= INLINE_VALUES) {
        wasm_val_t values[INLINE_VALUES];
        return call_back(c, values, (Slot *)(void *)slots);
    }
    wasm_val_t *values = wr_alloc_array(&wr_alloc_system, n, sizeof *values);
    if (!values) return ERROR_OOM;
    Error *error = call_back(c, values, (Slot *)(void *)slots);
    wr_free(&wr_alloc_system, values, n * sizeof *values);
    return error;
}

static void free_closure(void *context) {
    Closure *c = context;
    if (c->finalizer) c->finalizer(c->env);
    wr_free(&wr_alloc_system, c, sizeof *c);
}

/* ---- defining them -------------------------------------------------------------------------- */

/* The definition without a function behind it. */
static HostFunc *new_host_func(Engine *engine, const wasm_functype_t *type) {
    const wasm_valtype_vec_t *params = wasm_functype_params(type);
    const wasm_valtype_vec_t *results = wasm_functype_results(type);
    if (params->size > LIMIT_PARAMS || results->size > LIMIT_RESULTS) return NULL;
    size_t n = params->size + results->size;
    ValType *types = wr_alloc_array(&wr_alloc_system, n + 1, sizeof *types);
    if (!types) return NULL;
    for (size_t i = 0; i < n; i++) {
        bool is_param = i < params->size;
        types[i] = wr_capi_type_of_kind(
            wasm_valtype_kind(is_param ? params->data[i] : results->data[i - params->size]));
    }
    HostFunc *host = wr_host_func_new(engine, "", "", types, (u32)params->size, (u32)results->size);
    wr_free(&wr_alloc_system, types, (n + 1) * sizeof *types);
    return host;
}

static Object *add_function(wasm_store_t *store, HostFunc *host, Closure closure) {
    Closure *c = wr_alloc(&wr_alloc_system, sizeof *c);
    if (!c) return NULL;
    closure.type = host->type;
    *c = closure;
    host->func = enter;
    host->context = c;
    Func *func = wr_store_new_host_func(store->store, host->type, host);
    Object *object = func ? wr_capi_object(store, OBJECT_FUNC, func) : NULL;
    if (object) {
        host->finalizer = free_closure;
    } else { /* the store may have it, but nobody can reach it */
        wr_free(&wr_alloc_system, c, sizeof *c);
    }
    return object;
}

static wasm_func_t *new_func(const wasm_functype_t *type, Closure closure) {
    HostFunc *host = new_host_func(closure.store->store->engine, type);
    if (!host) return NULL;
    Object *object = add_function(closure.store, host, closure);
    wr_host_func_unref(host);
    return (wasm_func_t *)(void *)object;
}

wasm_func_t *wasm_func_new(wasm_store_t *store, const wasm_functype_t *type,
                           wasm_func_callback_t callback) {
    return new_func(type, (Closure){.store = store, .plain = callback});
}

wasm_func_t *wasm_func_new_with_env(wasm_store_t *store, const wasm_functype_t *type,
                                    wasm_func_callback_with_env_t callback, void *env,
                                    void (*finalizer)(void *)) {
    return new_func(
        type, (Closure){.store = store, .with_env = callback, .env = env, .finalizer = finalizer});
}

/* ---- asking --------------------------------------------------------------------------------- */

wasm_functype_t *wasm_func_type(const wasm_func_t *func) {
    const Object *object = object_of(func);
    if (!object->store) return NULL;
    return wr_capi_functype(object->store->store->engine->types, object->of.func->type);
}

size_t wasm_func_param_arity(const wasm_func_t *func) {
    return object_of(func)->store ? object_of(func)->of.func->type->nparams : 0;
}

size_t wasm_func_result_arity(const wasm_func_t *func) {
    return object_of(func)->store ? object_of(func)->of.func->type->nresults : 0;
}

/* ---- calls ---------------------------------------------------------------------------------- */

static Error *check_sizes(const DefType *type, const wasm_val_vec_t *args,
                          const wasm_val_vec_t *results) {
    size_t nargs = args ? args->size : 0, nresults = results ? results->size : 0;
    if (nargs != type->nparams)
        return wr_error_new(WR_ERROR_USAGE, "wrong number of arguments: %zu for %u", nargs,
                            (unsigned)type->nparams);
    if (nresults < type->nresults)
        return wr_error_new(WR_ERROR_USAGE, "no room for the results: %zu for %u", nresults,
                            (unsigned)type->nresults);
    return NULL;
}

static Error *put_arguments(wasm_store_t *store, const DefType *type, const wasm_val_t *args,
                            Slot *slots) {
    for (u32 i = 0; i < type->nparams; i++) {
        const char *problem = wr_capi_to_slots(store, &args[i], type->types[i], slots);
        if (problem)
            return wr_error_new(WR_ERROR_USAGE, "argument %u of %u: %s", (unsigned)i + 1,
                                (unsigned)type->nparams, problem);
        slots += type_slots(type->types[i]);
    }
    return NULL;
}

/* All or none. */
static Error *get_results(wasm_store_t *store, const DefType *type, const Slot *slots,
                          wasm_val_t *results) {
    const ValType *types = type->types + type->nparams;
    bool ok = true;
    for (u32 i = 0; i < type->nresults; i++) {
        ok &= wr_capi_from_slots(store, types[i], slots, &results[i]);
        slots += type_slots(types[i]);
    }
    if (ok) return NULL;
    for (u32 i = 0; i < type->nresults; i++) wasm_val_delete(&results[i]);
    return ERROR_OOM;
}

static Error *call(const Object *object, const wasm_val_t *args, wasm_val_t *results, Slot *slots) {
    Func *func = object->of.func;
    wasm_store_t *store = object->store;
    Error *error = put_arguments(store, func->type, args, slots);
    if (!error) error = wr_store_call(store->store, func, slots);
    return error ? error : get_results(store, func->type, slots, results);
}

static Error *call_checked(const Object *object, const wasm_val_vec_t *args,
                           wasm_val_vec_t *results) {
    const Func *func = object->of.func;
    const wasm_val_t *from = args ? args->data : NULL;
    wasm_val_t *to = results ? results->data : NULL;
    u32 n = func->param_slots > func->result_slots ? func->param_slots : func->result_slots;
    if (n <= INLINE_SLOTS) {
        Slot slots[INLINE_SLOTS];
        return call(object, from, to, slots);
    }
    Slot *slots = wr_alloc_array(&wr_alloc_system, n, sizeof *slots);
    if (!slots) return ERROR_OOM;
    Error *error = call(object, from, to, slots);
    wr_free(&wr_alloc_system, slots, n * sizeof *slots);
    return error;
}

wasm_trap_t *wasm_func_call(const wasm_func_t *func, const wasm_val_vec_t *args,
                            wasm_val_vec_t *results) {
    Object *object = object_of(func);
    if (!object->store) return wr_capi_dead();
    wasm_store_t *store = object->store;
    Error *error = check_sizes(object->of.func->type, args, results);
    if (!error) error = call_checked(object, args, results);
    return error ? wr_capi_trap(store, error) : NULL;
}
