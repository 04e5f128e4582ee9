/* debugger.c - see debugger.h. Names and layouts are gdb's. */
#include "debugger.h"

#include <stdatomic.h>

#include "artifact_image.h"
#include "debug_image.h"
#include "log.h"
#include "store.h"

typedef struct DebugEntry DebugEntry;
struct DebugEntry {
    DebugEntry *next, *previous;
    const u8 *image;
    u64 size;
};

typedef enum DebugAction { ACTION_NONE, ACTION_ADD, ACTION_REMOVE } DebugAction;

typedef struct DebugDescriptor {
    u32 version;
    u32 action;
    DebugEntry *entry; /* that the action is about */
    DebugEntry *first;
} DebugDescriptor;

/* Other compilers of code in the same program have these, too: all use the same ones. */
WEAK void __jit_debug_register_code(void);
extern DebugDescriptor __jit_debug_descriptor;

WEAK DebugDescriptor __jit_debug_descriptor = {.version = 1};
WEAK void __jit_debug_register_code(void) { __asm__ volatile("" : : : "memory"); }

static atomic_flag lock = ATOMIC_FLAG_INIT; /* of the list; debuggers stop all threads */

static void tell(DebugAction action, DebugEntry *entry) {
    __jit_debug_descriptor.action = action;
    __jit_debug_descriptor.entry = entry;
    __jit_debug_register_code();
    __jit_debug_descriptor.action = ACTION_NONE;
}

static void enter_list(DebugEntry *entry) {
    DebugDescriptor *list = &__jit_debug_descriptor;
    while (atomic_flag_test_and_set(&lock)) {
    }
    entry->next = list->first;
    if (entry->next) entry->next->previous = entry;
    list->first = entry;
    tell(ACTION_ADD, entry);
    atomic_flag_clear(&lock);
}

static void leave_list(DebugEntry *entry) {
    while (atomic_flag_test_and_set(&lock)) {
    }
    if (entry->next) entry->next->previous = entry->previous;
    *(entry->previous ? &entry->previous->next : &__jit_debug_descriptor.first) = entry->next;
    tell(ACTION_REMOVE, entry);
    atomic_flag_clear(&lock);
}

static DebugEntry *new_entry(const Module *module, const Artifact *artifact) {
    const Alloc *alloc = &module->engine->alloc;
    Buffer image;
    wr_buffer_init(&image, alloc, BUFFER_MAX);
    wr_debug_image(module, artifact, &image);
    DebugEntry *entry = wr_alloc_zero(alloc, sizeof *entry);
    if (entry) entry->size = image.size;
    if (entry) entry->image = wr_buffer_take(&image);
    wr_buffer_free(&image);
    if (entry && entry->image) return entry;
    wr_free(alloc, entry, sizeof *entry);
    return NULL;
}

void wr_debugger_add(const Module *module, Artifact *artifact) {
    if (artifact->debug) return;
    artifact->debug = new_entry(module, artifact);
    if (artifact->debug)
        enter_list(artifact->debug);
    else
        wr_log(module->engine, WR_LOG_WARNING, "no names for debuggers: out of memory");
}

void wr_debugger_remove(Artifact *artifact) {
    const Alloc *alloc = &artifact->engine->alloc;
    DebugEntry *entry = artifact->debug;
    if (!entry) return;
    leave_list(entry);
    wr_free(alloc, (void *)(uintptr_t)entry->image, (size_t)entry->size);
    wr_free(alloc, entry, sizeof *entry);
    artifact->debug = NULL;
}
