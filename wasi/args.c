/*
 * args.c - arguments and environment variables of the guest.
 */
#include <string.h>

#include "guest.h"

static Errno put_sizes(Call *call, const StringList *list) {
    Errno error = wr_guest_put_u32(call, call->args[0].u32, (uint32_t)list->count);
    return error ? error : wr_guest_put_u32(call, call->args[1].u32, (uint32_t)list->size);
}

/* The strings go to one block, the guest address of each to an array. */
static Errno put_strings(Call *call, const StringList *list) {
    uint32_t block = call->args[1].u32;
    uint8_t *pointers = wr_guest_bytes(call, call->args[0].u32, (uint64_t)list->count * 4);
    uint8_t *bytes = wr_guest_bytes(call, block, list->size);
    if (!pointers || !bytes) return WASI_ERRNO_FAULT;
    for (size_t at = 0; at < list->size; pointers += 4) {
        size_t size = strlen(list->bytes + at) + 1;
        put_u32(pointers, block + (uint32_t)at);
        memcpy(bytes + at, list->bytes + at, size);
        at += size;
    }
    return WASI_ERRNO_SUCCESS;
}

Errno wr_wasi_args_sizes_get(Call *call) { return put_sizes(call, &call->wasi->args); }

Errno wr_wasi_args_get(Call *call) { return put_strings(call, &call->wasi->args); }

Errno wr_wasi_environ_sizes_get(Call *call) { return put_sizes(call, &call->wasi->environment); }

Errno wr_wasi_environ_get(Call *call) { return put_strings(call, &call->wasi->environment); }
