/*
 * callbacks.c - host functions that answer through a parameter, for languages whose callbacks may end without
 * an answer: over the ordinary ones, which answer by their result. WASI's streams have the same in wasi/streams.c.
 */
#include "store.h"

/* The context of the ordinary function. */
typedef struct Callback {
    wr_callback_t func;
    void *context;
    void (*finalizer)(void *context);
} Callback;

static wr_error_t *call_back(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    static char mark; /* its address is no error's */
    const Callback *c = context;
    Error *const no_answer = (Error *)(void *)&mark, *error = no_answer;
    c->func(caller, c->context, slots, &error);
    return error == no_answer ? wr_trap_new("the host function gave no answer") : error;
}

static void finalize(void *context) {
    Callback *c = context;
    if (c->finalizer) c->finalizer(c->context);
    wr_free(&wr_alloc_system, c, sizeof *c);
}

static Callback *new_callback(wr_callback_t func, void *context, void (*finalizer)(void *)) {
    Callback *c = wr_alloc(&wr_alloc_system, sizeof *c);
    if (c) *c = (Callback){func, context, finalizer};
    return c;
}

/* Defining failed: `finalizer` does not run. */
static Error *drop(Callback *c, Error *error) {
    if (error) wr_free(&wr_alloc_system, c, sizeof *c);
    return error;
}

wr_error_t *wr_linker_define_callback(wr_linker_t *linker, const char *module, const char *name,
                                      const char *signature, wr_callback_t func, void *context,
                                      void (*finalizer)(void *context)) {
    Callback *c = new_callback(func, context, finalizer);
    if (!c) return ERROR_OOM;
    return drop(c, wr_linker_define_func(linker, module, name, signature, call_back, c, finalize));
}

wr_error_t *wr_store_make_callback(wr_store_t *store, const char *signature, wr_callback_t func,
                                   void *context, void (*finalizer)(void *context),
                                   wr_func_t **made) {
    Callback *c = new_callback(func, context, finalizer);
    if (!c) return ERROR_OOM;
    return drop(c, wr_store_make_func(store, signature, call_back, c, finalize, made));
}
