/*
 * trace.c - what a tracer (wr_config_set_tracer()) is told: calls, returns, instructions, as traced activations come by.
 * They dispatch by tables in which h_TRACE stands for every instruction (exec.c: wr_exec_trace()), so other code has
 * nothing to do with this. Called by that handler, and by interp.c around functions of the host.
 */
#include "frame.h"

static void tell(const Store *store, const wr_trace_event_t *event) {
    const struct wr_config *config = &store->engine->config;
    if (config->trace_kinds & event->kind) config->tracer(config->trace_context, event);
}

/* How many interpreted functions wait for the one of frame `fr`: each activation has one frame that is none. */
static u64 depth_of(const Fiber *fiber, const Frame *fr) {
    const Frame *top = (const Frame *)(const void *)(fiber->map + fiber->size);
    u64 depth = 0;
    for (const Activation *a = fiber->activation; a != NULL; a = a->below) depth++;
    return (u64)(top - fr) - depth - 1;
}

static wr_trace_event_t event_of(const Fiber *fiber, wr_trace_kind_t kind, const Frame *fr,
                                 const Slot *values) {
    return (wr_trace_event_t){
        .kind = kind,
        .func = fr->func,
        .function_index = fr->func->index,
        .instance = fr->func->home->instance,
        .depth = depth_of(fiber, fr),
        .values = (const wr_slot_t *)(const void *)values,
    };
}

/* The final end, to which branches out of the body lead too, or return. */
static bool is_return(const Func *func, const u8 *pc) {
    return pc + 1 == func->end || wr_op_from_code(0, *pc) == OP_RETURN;
}

static void tell_instruction(const Store *store, const Frame *fr, const u8 *pc) {
    wr_trace_event_t event = event_of(store->fiber, WR_TRACE_INSTRUCTION, fr, NULL);
    event.module_offset = wr_module_offset(event.instance->module, pc);
    event.code = pc;
    event.code_size = (size_t)(fr->func->end - pc);
    tell(store, &event);
}

static void tell_call(const Store *store, wr_trace_kind_t kind, const Frame *fr,
                      const Slot *values) {
    wr_trace_event_t event = event_of(store->fiber, kind, fr, values);
    tell(store, &event);
}

/* No branch leads to a body's first instruction: one to a loop leads behind `loop`. */
void wr_interp_trace(const Instance *inst, Frame *fr, const u8 *pc, Slot *sp) {
    const Store *store = inst->store;
    const Func *func = fr->func;
    u32 kinds = store->engine->config.trace_kinds;
    store->fiber->fr = fr; /* what faults now is not the guest */
    if (pc == func->start) tell_call(store, WR_TRACE_CALL, fr, fr->fp);
    if (kinds & WR_TRACE_INSTRUCTION) tell_instruction(store, fr, pc);
    if (is_return(func, pc)) tell_call(store, WR_TRACE_RETURN, fr, sp - func->result_slots);
    store->fiber->fr = NULL;
}

void wr_interp_trace_other(Store *store, wr_trace_kind_t kind, const Func *func,
                           const Slot *values) {
    const Fiber *fiber = store->fiber;
    wr_trace_event_t event = {
        .kind = kind,
        .func = func,
        .function_index = func->index,
        .depth = depth_of(fiber, fiber->fr) + 1,
        .values = (const wr_slot_t *)(const void *)values,
    };
    tell(store, &event);
}

void wr_interp_trace_failure(Store *store, const Frame *outermost) {
    tell_call(store, WR_TRACE_FAIL, outermost, NULL);
}
