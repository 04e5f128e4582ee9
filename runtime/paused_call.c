/*
 * paused_call.c - calls that stop for fuel, a deadline or an interruption, and go on later. What stops and goes on
 * is the executor's; here is the list of them, which the collector's roots come from.
 */
#include "store.h"

static void enlist(PausedCall *call) {
    call->previous = NULL;
    call->next = call->store->paused;
    if (call->next) call->next->previous = call;
    call->store->paused = call;
}

static void unlist(PausedCall *call) {
    if (call->next) call->next->previous = call->previous;
    if (call->previous) {
        call->previous->next = call->next;
    } else {
        call->store->paused = call->next;
    }
}

/* A stop is spent when it has paused a call, as when it has ended one. */
static Error *run(PausedCall *call, Slot *slots) {
    Store *store = call->store;
    wr_store_note_deadline(store);
    Error *error = store->engine->executor->call_pausable(call, slots);
    if (call->fiber) enlist(call);
    wr_trap_code_t code = error ? wr_error_trap_code(error) : WR_TRAP_NONE;
    wr_store_spend_interrupt(store, call->fiber ? call->reason : code);
    return error;
}

Error *wr_paused_start(PausedCall *call, Store *store, Func *func, Slot *slots) {
    *call = (PausedCall){.store = store, .func = func};
    if (!store->engine->executor->call_pausable) return wr_store_call(store, func, slots);
    return run(call, slots);
}

Error *wr_paused_resume(PausedCall *call, Slot *slots) {
    unlist(call);
    return run(call, slots);
}

void wr_paused_abandon(PausedCall *call) {
    if (!call->store || !call->fiber) return;
    unlist(call);
    call->store->engine->executor->fiber_free(call->store, call->fiber);
    call->fiber = NULL;
}

void wr_paused_forget(Store *store) {
    while (store->paused) {
        PausedCall *call = store->paused;
        wr_paused_abandon(call);
        call->store = NULL;
    }
}
