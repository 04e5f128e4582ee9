/* unknown.c - see unknown.h. */
#include "unknown.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

/* Zero-terminated; for free(). NULL when out of memory. */
static char *text_of(wr_name_t name) {
    char *text = malloc(name.size + 1);
    if (!text) return NULL;
    memcpy(text, name.data, name.size);
    text[name.size] = 0;
    return text;
}

/* ---- functions ---------------------------------------------------------------------------------- */

typedef struct Stub {
    size_t nslots;  /* of its results */
    char message[]; /* of its trap */
} Stub;

static wr_error_t *trap(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller, (void)slots;
    const Stub *stub = context;
    return wr_trap_new(stub->message);
}

static wr_error_t *return_defaults(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    const Stub *stub = context;
    memset(slots, 0, stub->nslots * sizeof *slots);
    return NULL;
}

static size_t slots_of_results(const char *signature) {
    size_t n = 0;
    const char *results = strchr(signature, '>');
    for (const char *at = results ? results + 1 : ""; *at; at++) n += *at == 'v' ? 2 : 1;
    return n;
}

static Stub *new_stub(const char *module, const char *name, const char *signature) {
    static const char form[] = "unknown import: function \"%s\" \"%s\"";
    size_t size = sizeof form + strlen(module) + strlen(name);
    Stub *stub = malloc(sizeof *stub + size);
    if (!stub) return NULL;
    stub->nslots = slots_of_results(signature);
    snprintf(stub->message, size, form, module, name);
    return stub;
}

static wr_error_t *define_stub(UnknownImports how, wr_linker_t *linker, const char *module,
                               const char *name, const char *signature) {
    Stub *stub = new_stub(module, name, signature);
    if (!stub) return wr_cli_no_memory();
    wr_host_func_t func = how == UNKNOWN_TRAP ? trap : return_defaults;
    wr_error_t *error = wr_linker_define_func(linker, module, name, signature, func, stub, free);
    if (error) free(stub);
    return error;
}

/* Not those with zeros in a name: the linker takes none for functions, so they stay unknown. */
static wr_error_t *define_func(UnknownImports how, wr_linker_t *linker, const wr_module_t *of,
                               size_t index, const wr_import_t *import) {
    size_t size = wr_module_import_signature(of, index, NULL, 0) + 1;
    char *module = text_of(import->module), *name = text_of(import->name);
    char *signature = malloc(size);
    wr_error_t *error = NULL;
    if (!module || !name || !signature) {
        error = wr_cli_no_memory();
    } else if (strlen(module) == import->module.size && strlen(name) == import->name.size) {
        wr_module_import_signature(of, index, signature, size);
        error = define_stub(how, linker, module, name, signature);
    }
    free(module);
    free(name);
    free(signature);
    return error;
}

/* ---- other objects ------------------------------------------------------------------------------ */

static wr_error_t *make_memory(wr_store_t *store, const wr_extern_type_t *type,
                               wr_memory_t **made) {
    wr_memory_type_t memory = {type->min, type->max, type->is_shared, type->is_64,
                               type->page_size_log2};
    return wr_store_make_memory(store, &memory, made);
}

static wr_error_t *make_tag(wr_store_t *store, const wr_module_t *of, size_t index,
                            wr_tag_t **made) {
    size_t size = wr_module_import_signature(of, index, NULL, 0) + 1;
    char *signature = malloc(size);
    if (!signature) return wr_cli_no_memory();
    wr_module_import_signature(of, index, signature, size);
    wr_error_t *error = wr_store_make_tag(store, signature, made);
    free(signature);
    return error;
}

/* Zeros and nulls, as small as the import's type allows. */
static wr_error_t *make_object(wr_store_t *store, const wr_module_t *of, size_t index,
                               const wr_extern_type_t *type, wr_extern_t *made) {
    wr_val_t zero = {.kind = type->value};
    made->kind = type->kind;
    switch (type->kind) {
    case WR_EXTERN_TABLE:
        return wr_store_make_table(store, &zero, type->min, type->max, &made->of.table);
    case WR_EXTERN_MEMORY: return make_memory(store, type, &made->of.memory);
    case WR_EXTERN_GLOBAL:
        return wr_store_make_global(store, &zero, type->is_mutable, &made->of.global);
    case WR_EXTERN_TAG: return make_tag(store, of, index, &made->of.tag);
    case WR_EXTERN_FUNC: break; /* define_func() */
    }
    return NULL;
}

/* Shared memories come with the threads (wr_wasi_link_threads()). */
static wr_error_t *define_object(wr_linker_t *linker, wr_store_t *store, const wr_module_t *of,
                                 size_t index, const wr_import_t *import) {
    wr_extern_type_t type = {0};
    wr_extern_t object;
    wr_module_import_type(of, index, &type);
    if (type.kind == WR_EXTERN_MEMORY && type.is_shared) return NULL;
    wr_error_t *error = make_object(store, of, index, &type, &object);
    return error ? error : wr_linker_define(linker, import->module, import->name, store, &object);
}

/* ---- imports ------------------------------------------------------------------------------------ */

wr_error_t *wr_cli_define_unknown(UnknownImports how, wr_linker_t *linker, wr_store_t *store,
                                  const wr_module_t *module) {
    wr_error_t *error = NULL;
    wr_import_t import;
    for (size_t i = 0; !error && how != UNKNOWN_REFUSED && wr_module_import(module, i, &import);
         i++) {
        if (import.kind == WR_EXTERN_FUNC)
            error = define_func(how, linker, module, i, &import);
        else if (how == UNKNOWN_DEFAULT)
            error = define_object(linker, store, module, i, &import);
    }
    return error;
}
