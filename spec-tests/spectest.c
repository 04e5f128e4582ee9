/*
 * spectest.c - see spectest.h. A module in text declares it all; its functions are the host's, which
 * that module imports and exports again.
 */
#include "spectest.h"

#include "module.h"
#include "text_parse.h"
#include "value.h"

static const struct {
    const char *name, *params;
    u32 nparams;
    ValType types[2];
} prints[SPECTEST_PRINTS] = {
    {"print", "", 0, {0, 0}},
    {"print_i32", "i32", 1, {T_I32, 0}},
    {"print_i64", "i64", 1, {T_I64, 0}},
    {"print_f32", "f32", 1, {T_F32, 0}},
    {"print_f64", "f64", 1, {T_F64, 0}},
    {"print_i32_f32", "i32 f32", 2, {T_I32, T_F32}},
    {"print_f64_f64", "f64 f64", 2, {T_F64, T_F64}},
};

static const char globals[] = "(global (export \"global_i32\") i32 (i32.const 666))"
                              "(global (export \"global_i64\") i64 (i64.const 666))"
                              "(global (export \"global_f32\") f32 (f32.const 666.6))"
                              "(global (export \"global_f64\") f64 (f64.const 666.6))"
                              "(table (export \"table\") 10 20 funcref)"
                              "(memory (export \"memory\") 1 2)";

/* What some feature is needed for: modules of their own, so that none needs several tables or memories. */
static const struct {
    Feature feature;
    const char *text;
} extras[] = {
    {FEATURE_MEMORY64, "(table (export \"table64\") i64 10 20 funcref)"},
    {FEATURE_THREADS, "(memory (export \"shared_memory\") 1 2 shared)"},
};
_Static_assert(ARRAY_LEN(extras) == SPECTEST_INSTANCES - 1, "an instance each");

/* ---- functions ---- */

static wr_error_t *print_values(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    const struct PrintContext *c = context;
    const Store *store = wr_caller_store(caller);
    if (c->log == NULL) return NULL;
    wr_print(c->log, "%s", prints[c->index].name);
    for (u32 i = 0; i < prints[c->index].nparams; i++) {
        Slot slot = {.u64 = slots[i].u64};
        wr_print(c->log, " ");
        wr_value_print_slots(c->log, store, prints[c->index].types[i], &slot);
    }
    wr_print(c->log, "\n");
    return NULL;
}

static Error *new_print(Store *store, struct PrintContext *context, Func **func) {
    HostFunc *host =
        wr_host_func_new(store->engine, "spectest", prints[context->index].name,
                         prints[context->index].types, prints[context->index].nparams, 0);
    if (host == NULL) return ERROR_OOM;
    host->func = print_values;
    host->context = context;
    *func = wr_store_new_host_func(store, host->type, host);
    wr_host_func_unref(host);
    return *func != NULL ? NULL : ERROR_OOM;
}

/* ---- the module ---- */

static Error *instantiate(Store *store, const char *text, size_t size, const ExternVal *imports,
                          Instance **instance) {
    u8 *bytes = NULL;
    size_t bytes_size = 0;
    Module *module = NULL;
    TextOptions options = {.alloc = &store->engine->alloc};
    Error *error = wr_text_to_binary(&options, text, size, "spectest", &bytes, &bytes_size);
    if (error == NULL)
        error = wr_module_load(store->engine, bytes, bytes_size, BYTES_COPIED, &module);
    if (error != NULL) return error;
    error = wr_instance_new(store, module, imports, instance);
    wr_module_unref(module);
    return error;
}

static Error *new_main(Store *store, const ExternVal *imports, Instance **instance) {
    Buffer text;
    wr_buffer_init(&text, &store->engine->alloc, BUFFER_MAX);
    for (u32 i = 0; i < SPECTEST_PRINTS; i++)
        wr_print(&text, "(func (export \"%s\") (import \"\" \"\") (param %s))", prints[i].name,
                 prints[i].params);
    wr_print(&text, "%s", globals);
    Error *error = ERROR_OOM;
    if (!text.failed)
        error = instantiate(store, (const char *)text.data, text.size, imports, instance);
    wr_buffer_free(&text);
    return error;
}

Error *wr_spectest_new(Spectest *spectest, Store *store, Buffer *log,
                       Instance *instances[SPECTEST_INSTANCES]) {
    ExternVal imports[SPECTEST_PRINTS];
    for (u32 i = 0; i < SPECTEST_PRINTS; i++) {
        spectest->prints[i] = (struct PrintContext){log, i};
        imports[i].kind = EXT_FUNC;
        Error *error = new_print(store, &spectest->prints[i], &imports[i].of.func);
        if (error != NULL) return error;
    }
    Error *error = new_main(store, imports, &instances[0]);
    for (u32 i = 0; i < ARRAY_LEN(extras) && error == NULL; i++) {
        instances[i + 1] = NULL;
        if (feature_on(store->engine->config.features, extras[i].feature))
            error =
                instantiate(store, extras[i].text, strlen(extras[i].text), NULL, &instances[i + 1]);
    }
    return error;
}
