/*
 * capi_trap.c - traps and frames of wasm.h: an error of the runtime behind a reference.
 */
#include "capi.h"

struct wasm_frame_t {
    Object *instance; /* a reference, or NULL */
    u32 func_index;
    u64 func_offset, module_offset;
};

Object wr_capi_oom_trap = {.kind = OBJECT_TRAP, .refs = 1, .of.error = ERROR_OOM};

static wasm_trap_t *trap_of(Object *object) { return (wasm_trap_t *)(void *)object; }

/* ---- traps ---------------------------------------------------------------------------------- */

wasm_trap_t *wr_capi_trap(wasm_store_t *store, Error *error) {
    Object *object = wr_capi_new_object(store, OBJECT_TRAP);
    if (!object) {
        wr_error_delete(error);
        return trap_of(&wr_capi_oom_trap);
    }
    object->of.error = error;
    return trap_of(object);
}

wasm_trap_t *wr_capi_dead(void) {
    return wr_capi_trap(NULL, wr_trap_new("the object's store was deleted"));
}

/* A trap that others refer to keeps its error: the message is copied. */
Error *wr_capi_error(wasm_trap_t *trap) {
    Object *object = OBJECT_OF(trap);
    if (object == &wr_capi_oom_trap) return ERROR_OOM;
    Error *error = object->of.error;
    if (object->refs == 1 && !object->handle) {
        object->of.error = NULL;
    } else {
        error = wr_trap_new(wr_error_message(error));
    }
    wr_capi_unref(object);
    return error;
}

wasm_trap_t *wasm_trap_new(wasm_store_t *store, const wasm_message_t *message) {
    size_t size = message->size;
    if (size > 0 && message->data[size - 1] == 0) size--;
    int length = size > INT32_MAX ? INT32_MAX : (int)size;
    const char *text = size > 0 ? message->data : "";
    return wr_capi_trap(store, wr_error_new(WR_ERROR_TRAP, "%.*s", length, text));
}

void wasm_trap_message(const wasm_trap_t *trap, wasm_message_t *out) {
    wasm_name_new_from_string_nt(out, wr_error_message(OBJECT_OF(trap)->of.error));
}

/* ---- frames --------------------------------------------------------------------------------- */

static wasm_frame_t *new_frame(wasm_frame_t contents) {
    wasm_frame_t *frame = wr_alloc(&wr_alloc_system, sizeof *frame);
    if (!frame) return NULL;
    *frame = contents;
    if (frame->instance) (void)wr_capi_ref(frame->instance);
    return frame;
}

static wasm_frame_t *frame_of(wasm_store_t *store, const wr_frame_t *from) {
    Object *instance = NULL;
    if (store && from->instance) instance = wr_capi_object(store, OBJECT_INSTANCE, from->instance);
    wasm_frame_t *frame = new_frame(
        (wasm_frame_t){instance, from->function_index, from->function_offset, from->module_offset});
    wr_capi_unref(instance);
    return frame;
}

/* The next frame of guest code from *index on. */
static bool next_frame(const Error *error, size_t *index, wr_frame_t *frame) {
    while (wr_error_frame(error, (*index)++, frame)) {
        if (frame->function_index != UINT32_MAX) return true;
    }
    return false;
}

wasm_frame_t *wasm_trap_origin(const wasm_trap_t *trap) {
    const Object *object = OBJECT_OF(trap);
    size_t index = 0;
    wr_frame_t frame;
    return next_frame(object->of.error, &index, &frame) ? frame_of(object->store, &frame) : NULL;
}

void wasm_trap_trace(const wasm_trap_t *trap, wasm_frame_vec_t *out) {
    const Object *object = OBJECT_OF(trap);
    size_t index = 0, count = 0;
    wr_frame_t frame;
    while (next_frame(object->of.error, &index, &frame)) count++;
    wasm_frame_vec_new_uninitialized(out, count);
    index = 0;
    for (size_t i = 0; i < out->size; i++) {
        if (next_frame(object->of.error, &index, &frame))
            out->data[i] = frame_of(object->store, &frame);
        if (out->data[i]) continue;
        wasm_frame_vec_delete(out); /* out of memory: no trace rather than one with gaps */
    }
}

void wasm_frame_delete(wasm_frame_t *frame) {
    if (!frame) return;
    wr_capi_unref(frame->instance);
    wr_free(&wr_alloc_system, frame, sizeof *frame);
}

wasm_frame_t *wasm_frame_copy(const wasm_frame_t *frame) { return new_frame(*frame); }
wasm_instance_t *wasm_frame_instance(const wasm_frame_t *frame) {
    return (wasm_instance_t *)(void *)frame->instance;
}
uint32_t wasm_frame_func_index(const wasm_frame_t *frame) { return frame->func_index; }
size_t wasm_frame_func_offset(const wasm_frame_t *frame) { return (size_t)frame->func_offset; }
size_t wasm_frame_module_offset(const wasm_frame_t *frame) { return (size_t)frame->module_offset; }
