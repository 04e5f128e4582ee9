/* meter.c - see meter.h. */
#include "meter.h"

#include "lazy_bodies.h"

#define SLICE ((i64)1 << 16)

static void set_slice(Store *store, NativeActivation *a, i64 fuel) {
    bool asked =
        atomic_load_explicit(&store->interrupt, memory_order_relaxed) & (POLL_ASKED | POLL_SPILL);
    i64 most = asked ? 0 : SLICE;
    store->fuel = fuel < most ? fuel : most;
    a->other_fuel = fuel - store->fuel;
}

static void start(Store *store, NativeActivation *a) {
    if (a->is_metered) {
        set_slice(store, a, store->fuel_on ? store->fuel : SLICE);
    } else {
        a->other_fuel = store->fuel;
        store->fuel = SLICE;
    }
}

/* A function that C calls begins before anyone looks. */
void wr_native_meter_begin(Native *native, NativeActivation *a) {
    Store *store = native->store;
    a->is_metered = store->fuel_on;
    start(store, a);
    if (store->fuel >= 0) return;
    a->other_fuel += store->fuel;
    store->fuel = 0;
}

void wr_native_meter_stop(Native *native) {
    Store *store = native->store;
    const NativeActivation *a = native->activation;
    store->fuel = a->is_metered ? store->fuel + a->other_fuel : a->other_fuel;
}

void wr_native_meter_go_on(Native *native) { start(native->store, native->activation); }

/* What the store has, with what it draws if that is less than nothing. */
static i64 draw(Store *store, i64 left) {
    return left < 0 ? left + wr_budget_draw(store->budget, (u64)-left) : left;
}

bool wr_native_meter_refill(Native *native) {
    Store *store = native->store;
    NativeActivation *a = native->activation;
    if (!a->is_metered) {
        i64 host = a->other_fuel;
        set_slice(store, a, SLICE);
        a->other_fuel = host;
        return true;
    }
    i64 left = store->fuel_on ? draw(store, store->fuel + a->other_fuel) : SLICE;
    set_slice(store, a, left);
    return left >= 0;
}

Error *wr_native_meter_arrive(Native *native, Func *func, const Slot *args) {
    Store *store = native->store;
    if (LIKELY(!native->activation->is_metered || store->fuel >= 0)) return NULL;
    store->fuel = draw(store, store->fuel);
    if (store->fuel >= 0) return NULL;
    if (store->pauses && wr_native_ops.can_pause(store)) {
        store->written.reason = WR_TRAP_OUT_OF_FUEL;
        wr_frames_add_call(store, func, args);
        return ERROR_PAUSED;
    }
    Error *error = wr_error_trap(WR_TRAP_OUT_OF_FUEL);
    Instance *instance = func->home->instance;
    wr_error_add_frame(error, instance, func->index, wr_body_start(instance->module, func->index));
    return error;
}

/* A function that found no stack has not begun; the call has been paid for, though it has not come about. */
void wr_native_meter_settle(Native *native, u32 offset) {
    NativeActivation *a = native->activation;
    const Instance *instance;
    NativePlace place;
    if (!a->is_metered) return;
    if (!wr_native_place(native, a, offset, &instance, &place)) {
        native->store->fuel += native->trap_code == WR_TRAP_STACK_EXHAUSTED;
        return;
    }
    const Module *m = instance->module;
    if (wr_artifact_counts_fuel(m->artifact))
        native->store->fuel -= (i64)(place.offset - wr_body_start(m, place.func_index));
}
