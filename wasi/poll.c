/*
 * poll.c - poll_oneoff: waiting for clocks and descriptors together.
 *
 * Subscriptions are copied out of guest memory first, so that events may overwrite them. One that
 * cannot be served is an event with an error, reported at once. Regular files are always ready.
 */
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "guest.h"
#include "io.h"

enum { POLL_LIMIT = 1 << 14 }; /* subscriptions in one call */

typedef struct Subscription {
    uint64_t userdata;
    uint64_t deadline;      /* CLOCK: on that clock */
    Descriptor *descriptor; /* FD_*: held, unless there is an error */
    uint32_t clock;
    uint32_t item;  /* FD_*: its place in Poll.items, if it has to be asked for */
    uint16_t error; /* WASI_ERRNO_ */
    uint8_t type;   /* WASI_EVENTTYPE_ */
    bool ready;     /* without asking anybody */
} Subscription;

typedef struct Poll {
    Subscription *subscriptions;
    SysPoll *items;
    uint32_t count, item_count;
} Poll;

/* ---- Taking subscriptions in -------------------------------------------------------------------------- */

typedef struct Layout {
    uint8_t size, id, timeout, flags; /* of a subscription; offsets within it */
} Layout;

#define CLOCK_FIELD(world, field)                                                                  \
    (world##_SUBSCRIPTION_U + WASI_SUBSCRIPTION_U_U + world##_SUBSCRIPTION_CLOCK_##field)

static const Layout layouts[] = {
    {WASI_SUBSCRIPTION_SIZE, CLOCK_FIELD(WASI, ID), CLOCK_FIELD(WASI, TIMEOUT),
     CLOCK_FIELD(WASI, FLAGS)},
    {WASI0_SUBSCRIPTION_SIZE, CLOCK_FIELD(WASI0, ID), CLOCK_FIELD(WASI0, TIMEOUT),
     CLOCK_FIELD(WASI0, FLAGS)},
};

static void take_clock(Call *call, const uint8_t *bytes, const Layout *layout,
                       Subscription *subscription) {
    uint64_t timeout = get_u64(bytes + layout->timeout), now = 0;
    uint16_t flags = get_u16(bytes + layout->flags);
    subscription->clock = get_u32(bytes + layout->id);
    subscription->error = wr_clock_look(call->wasi, subscription->clock, &now);
    if (flags & ~WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME)
        subscription->error = WASI_ERRNO_INVAL;
    bool absolute = flags & WASI_SUBCLOCKFLAGS_SUBSCRIPTION_CLOCK_ABSTIME;
    uint64_t start = absolute ? 0 : now;
    subscription->deadline = timeout > UINT64_MAX - start ? UINT64_MAX : start + timeout;
}

static void take_descriptor(Call *call, const uint8_t *bytes, Poll *poll,
                            Subscription *subscription) {
    bool reads = subscription->type == WASI_EVENTTYPE_FD_READ;
    uint64_t rights =
        WASI_RIGHTS_POLL_FD_READWRITE | (reads ? WASI_RIGHTS_FD_READ : WASI_RIGHTS_FD_WRITE);
    Descriptor *descriptor;
    uint32_t fd = get_u32(bytes + WASI_SUBSCRIPTION_U + WASI_SUBSCRIPTION_U_U +
                          WASI_SUBSCRIPTION_FD_READWRITE_FILE_DESCRIPTOR);
    subscription->error = wr_wasi_file(call, fd, rights, &descriptor);
    if (subscription->error) return;
    wr_wasi_keep(call, descriptor);
    subscription->descriptor = descriptor;
    if (descriptor->kind == KIND_NULL || descriptor->kind == KIND_FILE) {
        subscription->ready = true;
        return;
    }
    subscription->item = poll->item_count++;
    poll->items[subscription->item] =
        (SysPoll){.fd = descriptor->file.host, .events = reads ? SYS_POLL_READ : SYS_POLL_WRITE};
}

static Errno take(Call *call, const uint8_t *bytes, Poll *poll, Subscription *subscription) {
    *subscription = (Subscription){.userdata = get_u64(bytes + WASI_SUBSCRIPTION_USERDATA),
                                   .type = bytes[WASI_SUBSCRIPTION_U + WASI_SUBSCRIPTION_U_TAG],
                                   .item = UINT32_MAX};
    if (subscription->type > WASI_EVENTTYPE_FD_WRITE) return WASI_ERRNO_INVAL;
    if (subscription->type == WASI_EVENTTYPE_CLOCK)
        take_clock(call, bytes, &layouts[call->unstable], subscription);
    else
        take_descriptor(call, bytes, poll, subscription);
    subscription->ready |= subscription->error != WASI_ERRNO_SUCCESS;
    return WASI_ERRNO_SUCCESS;
}

static Errno take_all(Call *call, uint32_t address, Poll *poll) {
    const size_t size = layouts[call->unstable].size;
    const uint8_t *bytes = wr_guest_bytes(call, address, poll->count * size);
    if (!bytes) return WASI_ERRNO_FAULT;
    for (uint32_t i = 0; i < poll->count; i++) {
        Errno error = take(call, bytes + i * size, poll, &poll->subscriptions[i]);
        if (error) return error;
    }
    return WASI_ERRNO_SUCCESS;
}

/* ---- Waiting --------------------------------------------------------------------------------------------- */

static uint64_t time_left(const Call *call, const Subscription *subscription) {
    uint64_t now;
    if (wr_clock_look(call->wasi, subscription->clock, &now) || now >= subscription->deadline)
        return 0;
    uint64_t left = subscription->deadline - now;
    /* The wall clock may be set: look again now and then. */
    const uint64_t second = 1000000000u;
    return subscription->clock == WASI_CLOCKID_REALTIME && left > second ? second : left;
}

/* How long nothing can happen that the host would not report. */
static uint64_t quiet_time(const Call *call, const Poll *poll) {
    uint64_t quiet = UINT64_MAX;
    for (uint32_t i = 0; i < poll->count; i++) {
        const Subscription *subscription = &poll->subscriptions[i];
        if (subscription->ready) return 0;
        if (subscription->type != WASI_EVENTTYPE_CLOCK) continue;
        uint64_t left = time_left(call, subscription);
        quiet = left < quiet ? left : quiet;
    }
    return quiet;
}

static Errno wait_once(Call *call, const Poll *poll) {
    size_t ready;
    uint64_t quiet = quiet_time(call, poll);
    call->trap = wr_caller_poll(call->caller);
    if (call->trap) return WASI_ERRNO_INTR;
    uint64_t patience = wr_io_patience(call);
    bool sleeps = quiet > 0 && quiet < UINT64_MAX && wr_clock_sleeps(call->wasi);
    if (sleeps) patience = 0;
    Errno error =
        wr_sys_poll(poll->items, poll->item_count, quiet < patience ? quiet : patience, &ready);
    if (!error && sleeps && ready == 0) wr_clock_sleep(call->wasi, quiet);
    return error;
}

/* ---- Events ------------------------------------------------------------------------------------------------ */

static bool happened(const Call *call, const Poll *poll, const Subscription *subscription) {
    if (subscription->ready) return true;
    if (subscription->type == WASI_EVENTTYPE_CLOCK) return time_left(call, subscription) == 0;
    return poll->items[subscription->item].ready;
}

/* Bytes that can be moved without waiting: exact for reading, a safe amount for writing. */
static uint64_t byte_count(const Subscription *subscription) {
    const Descriptor *descriptor = subscription->descriptor;
    uint64_t at;
    SysStat stat;
    if (subscription->type == WASI_EVENTTYPE_FD_WRITE) return wr_sys_pipe_atom();
    if (descriptor->kind == KIND_NULL) return 0;
    if (descriptor->kind != KIND_FILE) return wr_sys_available(descriptor->file.host);
    if (wr_file_stat(descriptor->file, &stat) ||
        wr_file_seek(descriptor->file, 0, WASI_WHENCE_CUR, &at))
        return 0;
    return stat.size > at ? stat.size - at : 0;
}

static void put_event(const Poll *poll, const Subscription *subscription, uint8_t *bytes) {
    uint16_t error = subscription->error;
    uint8_t *readwrite = bytes + WASI_EVENT_FD_READWRITE;
    memset(bytes, 0, WASI_EVENT_SIZE);
    if (subscription->type != WASI_EVENTTYPE_CLOCK && !error) {
        int ready = subscription->ready ? 0 : poll->items[subscription->item].ready;
        if (ready & SYS_POLL_BAD)
            error = WASI_ERRNO_BADF;
        else
            put_u64(readwrite + WASI_EVENT_FD_READWRITE_NBYTES, byte_count(subscription));
        if (ready & SYS_POLL_HANGUP)
            put_u16(readwrite + WASI_EVENT_FD_READWRITE_FLAGS,
                    WASI_EVENTRWFLAGS_FD_READWRITE_HANGUP);
    }
    put_u64(bytes + WASI_EVENT_USERDATA, subscription->userdata);
    put_u16(bytes + WASI_EVENT_ERROR, error);
    bytes[WASI_EVENT_TYPE] = subscription->type;
}

static uint32_t put_events(Call *call, const Poll *poll, uint32_t address) {
    uint32_t written = 0;
    uint8_t *bytes = wr_guest_bytes(call, address, (uint64_t)poll->count * WASI_EVENT_SIZE);
    for (uint32_t i = 0; i < poll->count; i++) {
        const Subscription *subscription = &poll->subscriptions[i];
        if (happened(call, poll, subscription))
            put_event(poll, subscription, bytes + (size_t)written++ * WASI_EVENT_SIZE);
    }
    return written;
}

static Errno run(Call *call, Poll *poll) {
    uint32_t events = call->args[1].u32, written = 0;
    Errno error = wr_guest_check(call, events, (uint64_t)poll->count * WASI_EVENT_SIZE);
    if (!error) error = wr_guest_check(call, call->args[3].u32, 4);
    if (!error) error = take_all(call, call->args[0].u32, poll);
    while (!error && written == 0) {
        error = wait_once(call, poll);
        if (!error) written = put_events(call, poll, events);
    }
    return error ? error : wr_guest_put_u32(call, call->args[3].u32, written);
}

static void release_all(Call *call, const Poll *poll) {
    for (uint32_t i = 0; poll->subscriptions && i < poll->count; i++) {
        Descriptor *descriptor = poll->subscriptions[i].descriptor;
        if (descriptor) (void)wr_fdtable_release(&call->wasi->table, descriptor);
    }
}

Errno wr_wasi_poll_oneoff(Call *call) {
    Poll poll = {.count = call->args[2].u32};
    if (poll.count == 0 || poll.count > POLL_LIMIT) return WASI_ERRNO_INVAL;
    poll.subscriptions = calloc(poll.count, sizeof *poll.subscriptions);
    poll.items = calloc(poll.count, sizeof *poll.items);
    Errno error = poll.subscriptions && poll.items ? run(call, &poll) : WASI_ERRNO_NOMEM;
    release_all(call, &poll);
    free(poll.subscriptions);
    free(poll.items);
    return error;
}
