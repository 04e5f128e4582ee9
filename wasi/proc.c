/*
 * proc.c - the guest as a process: exit, signals, yielding.
 */
#include "wasi.h"

Errno wr_wasi_proc_exit(Call *call) {
    call->trap = wr_exit_new(call->args[0].u32);
    return WASI_ERRNO_SUCCESS;
}

/* A guest can neither catch nor block signals, so raising one has its default effect: those that
 * POSIX ignores do nothing, stopping cannot be had, the others end the guest with the exit status
 * by which shells tell of a signal. */
Errno wr_wasi_proc_raise(Call *call) {
    uint32_t signal = call->args[0].u32 & 0xFF;
    switch (signal) {
    case WASI_SIGNAL_NONE:
    case WASI_SIGNAL_CHLD:
    case WASI_SIGNAL_CONT:
    case WASI_SIGNAL_URG:
    case WASI_SIGNAL_WINCH: return WASI_ERRNO_SUCCESS;
    case WASI_SIGNAL_STOP:
    case WASI_SIGNAL_TSTP:
    case WASI_SIGNAL_TTIN:
    case WASI_SIGNAL_TTOU: return WASI_ERRNO_NOTSUP;
    default: break;
    }
    if (signal > WASI_SIGNAL_SYS) return WASI_ERRNO_INVAL;
    call->trap = wr_exit_new(128 + signal);
    return WASI_ERRNO_SUCCESS;
}

Errno wr_wasi_sched_yield(Call *call) {
    (void)call;
    wr_sys_yield();
    return WASI_ERRNO_SUCCESS;
}
