/* frames.c - see frames.h. */
#include "frames.h"

#include "lazy_bodies.h"
#include "store.h"

#define HEADER (sizeof(CanonicalFrame) / sizeof(Slot))
_Static_assert(sizeof(CanonicalFrame) % sizeof(Slot) == 0, "slots follow it at once");
#define MAX_SLOTS (UINT32_MAX / 2)

static Func *fail(FrameList *list, Error *error) {
    list->error = error;
    return NULL;
}

/* The function as the interpreter runs it. */
static Func *runnable(FrameList *list, Func *func) {
    if (list->error) return NULL;
    if (!func->home) func = wr_func_interpreted(func);
    if (!func) return fail(list, ERROR_OOM);
    Error *error = func->home->lazy ? wr_func_need_code(func) : NULL;
    return error ? fail(list, error) : func;
}

Slot *wr_frames_add(Store *store, Func *func, u32 pc, u32 entry, u32 nslots) {
    FrameList *list = &store->written;
    func = runnable(list, func);
    if (!func) return NULL;
    u64 size = list->size + HEADER + nslots;
    if (!wr_grow_array(&store->alloc, &list->slots, &list->capacity, size, MAX_SLOTS,
                       sizeof(Slot))) {
        list->error = ERROR_OOM;
        return NULL;
    }
    CanonicalFrame frame = {func, func->start + pc, func->side + entry, nslots, list->last};
    Slot *at = list->slots + list->size;
    memcpy(at, &frame, sizeof frame);
    memset(at + HEADER, 0, nslots * sizeof *at);
    list->last = list->size;
    list->size = (u32)size;
    list->count++;
    return at + HEADER;
}

void wr_frames_add_call(Store *store, Func *func, const Slot *args) {
    func = runnable(&store->written, func);
    if (!func) return;
    Slot *slots = wr_frames_add(store, func, 0, 0, func->param_slots + func->zero_slots);
    if (slots) memcpy(slots, args, func->param_slots * sizeof *slots);
}

void wr_frames_clear(Store *store) {
    FrameList *list = &store->written;
    wr_free(&store->alloc, list->slots, list->capacity * sizeof *list->slots);
    *list = (FrameList){.slots = NULL};
}
