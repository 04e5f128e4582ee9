/*
 * pausable.c - calls of wasmrun.h that pause instead of trapping when they are stopped.
 */
#include "values.h"

#define USAGE(text) wr_error_at(WR_ERROR_USAGE, NO_OFFSET, text)

static void free_call(PausedCall *call) {
    wr_paused_abandon(call);
    wr_free(&wr_alloc_system, call, sizeof *call);
}

/* After `error` of starting or resuming. */
static Error *settle(PausedCall *call, Error *error, const Slot *slots, wr_val_t *results,
                     PausedCall **paused) {
    if (!error && call->fiber) {
        *paused = call;
        return NULL;
    }
    if (!error) error = wr_call_get(call->store, call->func->type, slots, results);
    free_call(call);
    return error;
}

static Error *start(PausedCall *call, Store *store, Func *func, const wr_val_t *args, Slot *slots) {
    Error *error = wr_call_put(store, func->type, args, slots);
    return error ? error : wr_paused_start(call, store, func, slots);
}

/* Slots for a call: the given ones, if they suffice. */
static Slot *get_slots(const Func *func, Slot *given) {
    u32 n = call_slots(func);
    return n <= INLINE_SLOTS ? given : wr_alloc_array(&wr_alloc_system, n, sizeof(Slot));
}

static void put_slots(const Func *func, Slot *slots, const Slot *given) {
    if (slots != given) wr_free(&wr_alloc_system, slots, call_slots(func) * sizeof(Slot));
}

wr_error_t *wr_call_start(wr_store_t *store, wr_func_t *func, const wr_val_t *args, size_t nargs,
                          wr_val_t *results, size_t nresults, wr_call_t **paused) {
    *paused = NULL;
    Error *error = wr_call_check(store, func, nargs, nresults);
    if (error) return error;
    if (store->nesting > 0) return USAGE("a host function cannot start a call that pauses");
    Slot few[INLINE_SLOTS], *slots = get_slots(func, few);
    PausedCall *call = wr_alloc_zero(&wr_alloc_system, sizeof *call);
    if (slots && call) {
        error = settle(call, start(call, store, func, args, slots), slots, results, paused);
    } else {
        error = ERROR_OOM;
        wr_free(&wr_alloc_system, call, sizeof *call);
    }
    put_slots(func, slots, few);
    return error;
}

wr_error_t *wr_call_resume(wr_call_t *call, wr_val_t *results, size_t nresults,
                           wr_call_t **paused) {
    *paused = NULL;
    if (!call->store) {
        free_call(call);
        return USAGE("the store of the call was deleted");
    }
    Func *func = call->func;
    *paused = call; /* unless it goes on */
    if (call->store->nesting > 0) return USAGE("a host function cannot resume a call");
    if (nresults < func->type->nresults) return USAGE("no room for the results");
    Slot few[INLINE_SLOTS], *slots = get_slots(func, few);
    if (!slots) return ERROR_OOM;
    *paused = NULL;
    Error *error = settle(call, wr_paused_resume(call, slots), slots, results, paused);
    put_slots(func, slots, few);
    return error;
}

wr_trap_code_t wr_call_reason(const wr_call_t *call) {
    return call->store ? call->reason : WR_TRAP_NONE;
}

wr_error_t *wr_call_backtrace(const wr_call_t *call) {
    if (!call->store) return USAGE("the store of the call was deleted");
    Error *error = wr_error_trap(call->reason);
    if (error != ERROR_OOM) call->store->engine->executor->backtrace(call, error);
    return error;
}

void wr_call_delete(wr_call_t *call) {
    if (call) free_call(call);
}
