/* stop.c - see stop.h. */
#include "stop.h"

#include "switch.h"
#include "watchdog.h"

_Static_assert(ASKED == POLL_ASKED, "switch.h");

static u32 interrupt_of(const Store *store) {
    return atomic_load_explicit(&store->interrupt, memory_order_relaxed);
}

bool wr_native_can_stop(Native *native) {
    if (!native->can_stop)
        native->can_stop =
            wr_engine_may_signal(native->store->engine) && wr_os_stop_install(wr_native_on_stop);
    return native->can_stop;
}

/* From here on whoever asks sees the number, and what has been asked before is seen by whoever comes in. */
Error *wr_native_come_in(Native *native) {
    Store *store = native->store;
    if (LIKELY(!native->no_polls || !store_stops(store)) || !wr_native_can_stop(native))
        return NULL;
    u32 thread = wr_os_stop_thread();
    if (thread == 0 || !wr_watchdog_start(store->engine)) return ERROR_OOM;
    wr_store_raise(store, thread << POLL_THREAD_SHIFT);
    return NULL;
}

void wr_native_go_out(const Native *native) {
    if (LIKELY(!(interrupt_of(native->store) & POLL_THREAD))) return;
    wr_store_lower(native->store, POLL_THREAD);
    wr_os_stop_heard();
}

/* Code that polls stops itself, where its frames are known. What is pending ends the activation anyway, or is caught. */
wr_trap_code_t wr_native_must_stop(const Native *native, const void *pc) {
    u32 interrupt = interrupt_of(native->store);
    const Artifact *artifact = interrupt & POLL_THREAD ? wr_artifact_at(pc) : NULL;
    if (artifact == NULL || wr_artifact_polls(artifact) || native->pending != NULL)
        return WR_TRAP_NONE;
    return store_stop(native->store, interrupt);
}

/* What is asked of a store that nobody can stop now is asked again when it is in its code. */
u32 wr_native_stop_behind(Native *native) {
    NativeRegisters at;
    wr_switch_registers(native->exit, &at);
    wr_trap_code_t code = wr_native_must_stop(native, (const u8 *)(uintptr_t)at.pc - 1);
    if (code == WR_TRAP_NONE) {
        u32 interrupt = interrupt_of(native->store);
        if (interrupt & POLL_THREAD && store_stop(native->store, interrupt) != WR_TRAP_NONE)
            wr_watchdog_send(native->store->engine, wr_os_stop_thread());
        return 0;
    }
    native->left = at;
    native->trap_code = code;
    native->trap_offset = 0;
    return LEFT_TRAPPED;
}
