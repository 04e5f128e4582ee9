/*
 * stacks.h - native stacks, which compiled code runs on: mapped with a guard at their low end, kept by the engine
 * while nobody uses them. And what else an engine has for compiled code.
 */
#ifndef WR_AOT_STACKS_H
#define WR_AOT_STACKS_H

#include "client.h"
#include "store.h"

/* Running into it is noticed whatever the frame's size: code probes each page of a large one. */
#define STACK_GUARD ((size_t)64 << 10)

/* At the high end of its own mapping. */
typedef struct NativeStack {
    u8 *map;
    size_t size;
    u32 uses; /* how often it was given back */
} NativeStack;

/* Unused stacks that an engine keeps; on different cache lines. */
#define MAX_SPARE_STACKS 16u
typedef struct SpareStack {
    _Atomic(NativeStack *) stack;
    u8 padding[56];
} SpareStack;

/* Engine.native: made when it is first needed (prepare.c). */
typedef struct NativeEngine {
    OsMutex lock; /* of what follows: one module at a time is compiled, on all threads */
    Compiler *compiler;
    atomic_bool told_of_cache; /* that it is not used, and why */
    OsMutex hasty_lock;        /* of what follows, and of Native.next_hasty */
    struct Native *hasty;      /* stores with hasty code */
    SpareStack spares[MAX_SPARE_STACKS];
} NativeEngine;

NativeEngine *wr_native_engine(Engine *engine); /* NULL when out of memory */

/* Of the size that the configuration says. NULL when out of memory. */
NativeStack *wr_native_take_stack(Engine *engine, NativeEngine *native);
void wr_native_return_stack(NativeEngine *native, NativeStack *stack);
void wr_native_free_stack(NativeStack *stack); /* NULL: nothing */
void wr_native_free_spares(NativeEngine *native);

#endif
