/*
 * threads.c - wasi-threads: "wasi" "thread-spawn", which runs the guest's module again, in a thread and a
 * store of its own, on the same shared memory.
 *
 * As the proposal has it: a thread that returns ends alone; a trap or an exit in one ends them all, and
 * so does the return of the main one, which the embedder tells by wr_wasi_end_threads(). Ending a thread
 * is interrupting its store.
 *
 * Nothing else in this folder refers to this file.
 */
#include <stdlib.h>
#include <string.h>

#include "wasi.h"

enum { ID_MAX = (1 << 29) - 1 }; /* the bits above are libc's */

/* One thread but the main one. In the list from before its instance is made until it is joined. */
typedef struct Thread {
    struct Thread *next;
    struct Threads *group;
    SysThread *host;   /* set before anything else of the group can happen */
    wr_store_t *store; /* NULL when it is over */
    wr_func_t *start;
    int32_t id, argument;
    bool is_over;
} Thread;

typedef struct Threads {
    wr_linker_t *linker;
    wr_module_t *module;
    wr_store_t *main;
    uint32_t limit;
    /* Under the lock, as are `store`, `host` and `is_over` of threads: */
    SysMutex lock;
    Thread *list;
    uint32_t count; /* of threads that are not over */
    int32_t last_id;
    bool is_ending;
    wr_error_t *outcome; /* what the first to trap or exit ended the guest with; owned */
} Threads;

/* ---- Ending ------------------------------------------------------------------------------------------- */

/* With the lock. */
static void interrupt_all(Threads *group) {
    group->is_ending = true;
    for (Thread *thread = group->list; thread; thread = thread->next)
        if (thread->store) wr_store_interrupt(thread->store);
}

/* With the lock: how one of them ended is how all end, unless they are ending already. */
static void settle(Threads *group, wr_error_t *error) {
    if (!error) return;
    if (group->is_ending) {
        wr_error_delete(error);
        return;
    }
    group->outcome = error;
    interrupt_all(group);
    wr_store_interrupt(group->main);
}

/* The thread's last deed, or the spawner's if it never ran. Its store goes when nobody can reach it. */
static void finish(Thread *thread, wr_error_t *error) {
    Threads *group = thread->group;
    wr_sys_mutex_lock(&group->lock);
    settle(group, error);
    wr_store_t *store = thread->store;
    thread->store = NULL;
    thread->is_over = true;
    group->count--;
    wr_sys_mutex_unlock(&group->lock);
    wr_store_delete(store);
}

/* Takes a thread out of the list: one that is over, or with `any`, the first. NULL if there is none. */
static Thread *take(Threads *group, bool any) {
    wr_sys_mutex_lock(&group->lock);
    Thread **place = &group->list;
    while (*place && !any && !(*place)->is_over) place = &(*place)->next;
    Thread *thread = *place;
    if (thread) *place = thread->next;
    wr_sys_mutex_unlock(&group->lock);
    return thread;
}

static void join(Threads *group, bool all) {
    for (Thread *thread; (thread = take(group, all));) {
        if (thread->host) wr_sys_thread_join(thread->host);
        free(thread);
    }
}

wr_error_t *wr_wasi_end_threads(wr_wasi_t *wasi, wr_error_t *error) {
    Threads *group = wasi->threads;
    if (!group) return error;
    wr_sys_mutex_lock(&group->lock);
    if (error && !group->outcome) {
        group->outcome = error;
        error = NULL;
    }
    interrupt_all(group);
    wr_sys_mutex_unlock(&group->lock);
    wr_error_delete(error); /* another one came before, and interrupted the main thread perhaps */
    join(group, true);
    wr_error_t *outcome = group->outcome;
    group->outcome = NULL;
    group->is_ending = false;
    return outcome;
}

/* ---- Spawning ----------------------------------------------------------------------------------------- */

static bool id_in_use(const Threads *group, int32_t id) {
    for (const Thread *thread = group->list; thread; thread = thread->next)
        if (thread->id == id) return true;
    return false;
}

/* With the lock. There are fewer threads than numbers. */
static int32_t next_id(Threads *group) {
    do group->last_id = group->last_id < ID_MAX ? group->last_id + 1 : 1;
    while (id_in_use(group, group->last_id));
    return group->last_id;
}

static bool reserve(Threads *group) {
    wr_sys_mutex_lock(&group->lock);
    bool ok = !group->is_ending && group->count < group->limit;
    if (ok) group->count++;
    wr_sys_mutex_unlock(&group->lock);
    return ok;
}

static void unreserve(Threads *group) {
    wr_sys_mutex_lock(&group->lock);
    group->count--;
    wr_sys_mutex_unlock(&group->lock);
}

/* Threads that the guest has seen end may still be on their way out: they are given a moment. */
static bool reserve_soon(Threads *group, wr_caller_t *caller, wr_error_t **trap) {
    enum { TRIES = 100, PAUSE = 1000000 /* ns */ };
    for (int i = 0; i < TRIES; i++) {
        size_t ready;
        if (reserve(group)) return true;
        if ((*trap = wr_caller_poll(caller)) || wr_sys_poll(NULL, 0, PAUSE, &ready)) return false;
    }
    return false;
}

/* The store is then the thread's. AGAIN when all are ending. */
static Errno enlist(Threads *group, Thread *thread, wr_store_t *store) {
    wr_sys_mutex_lock(&group->lock);
    Errno error = group->is_ending ? WASI_ERRNO_AGAIN : WASI_ERRNO_SUCCESS;
    if (!error) {
        thread->group = group;
        thread->store = store;
        thread->id = next_id(group);
        thread->next = group->list;
        group->list = thread;
    }
    wr_sys_mutex_unlock(&group->lock);
    return error;
}

/* In the room that has been reserved, which goes with it when it is finished. */
static Errno new_thread(Threads *group, wr_store_t *spawner, int32_t argument, Thread **result) {
    Thread *thread = calloc(1, sizeof *thread);
    wr_store_t *store = NULL;
    wr_error_t *failure = thread ? wr_store_new_peer(spawner, &store) : NULL;
    Errno error = thread && !failure ? enlist(group, thread, store) : WASI_ERRNO_NOMEM;
    wr_error_delete(failure);
    if (!error) {
        thread->argument = argument;
        *result = thread;
        return WASI_ERRNO_SUCCESS;
    }
    unreserve(group);
    wr_store_delete(store);
    free(thread);
    return error;
}

static bool is_entry(const wr_func_t *func) {
    return func && wr_func_param_count(func) == 2 && wr_func_result_count(func) == 0 &&
           wr_func_param(func, 0) == WR_I32 && wr_func_param(func, 1) == WR_I32;
}

/* What is wrong with the new instance is the spawner's to know, but an exit is an exit. */
static Errno judge(wr_error_t *failure, wr_error_t **trap) {
    wr_trap_code_t code = wr_error_trap_code(failure);
    bool ends = wr_error_kind(failure) == WR_ERROR_EXIT || code == WR_TRAP_INTERRUPTED ||
                code == WR_TRAP_DEADLINE || code == WR_TRAP_OUT_OF_FUEL;
    Errno error = wr_error_kind(failure) == WR_ERROR_MEMORY ? WASI_ERRNO_NOMEM : WASI_ERRNO_NOEXEC;
    if (ends)
        *trap = failure;
    else
        wr_error_delete(failure);
    return error;
}

/* In the spawner's thread, which is told if it fails. */
static Errno make_instance(Thread *thread, wr_error_t **trap) {
    Threads *group = thread->group;
    wr_instance_t *instance;
    wr_error_t *failure =
        wr_linker_instantiate(group->linker, thread->store, group->module, &instance);
    if (failure) return judge(failure, trap);
    thread->start = wr_instance_func(instance, "wasi_thread_start");
    return is_entry(thread->start) ? WASI_ERRNO_SUCCESS : WASI_ERRNO_NOEXEC;
}

static void run(void *context) {
    Thread *thread = context;
    wr_val_t arguments[2] = {{.kind = WR_I32, .of.i32 = thread->id},
                             {.kind = WR_I32, .of.i32 = thread->argument}};
    finish(thread, wr_func_call(thread->store, thread->start, arguments, 2, NULL, 0));
}

/* It cannot be over before its host thread is noted: that takes the lock. */
static Errno start(Thread *thread) {
    wr_sys_mutex_lock(&thread->group->lock);
    thread->host = wr_sys_thread_start(run, thread);
    bool ok = thread->host != NULL;
    wr_sys_mutex_unlock(&thread->group->lock);
    return ok ? WASI_ERRNO_SUCCESS : WASI_ERRNO_AGAIN;
}

static wr_error_t *spawn(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    Threads *group = context;
    Thread *thread = NULL;
    wr_error_t *trap = NULL;
    int32_t id = 0;
    Errno error = WASI_ERRNO_AGAIN;
    join(group, false);
    if (reserve_soon(group, caller, &trap))
        error = new_thread(group, wr_caller_store(caller), slots[0].i32, &thread);
    if (!error) {
        id = thread->id;
        error = make_instance(thread, &trap);
        if (!error) error = start(thread);
        if (error) finish(thread, NULL);
    }
    slots[0].i32 = error ? -(int32_t)error : id;
    return trap;
}

/* ---- Setting up --------------------------------------------------------------------------------------- */

static bool is_named(wr_name_t name, const char *string) {
    return name.size == strlen(string) && memcmp(name.data, string, name.size) == 0;
}

static bool spawns(const wr_module_t *module) {
    wr_import_t import;
    for (size_t i = 0; wr_module_import(module, i, &import); i++)
        if (is_named(import.module, "wasi") && is_named(import.name, "thread-spawn")) return true;
    return false;
}

static char *copy(wr_name_t name) {
    char *string = malloc(name.size + 1);
    if (!string) return NULL;
    memcpy(string, name.data, name.size);
    string[name.size] = '\0';
    return string;
}

/* Names that contain a zero cannot be defined: then the import is not found. */
static wr_error_t *define_memory(wr_linker_t *linker, wr_store_t *store, const wr_import_t *import,
                                 const wr_memory_type_t *type) {
    wr_shared_memory_t *memory = NULL;
    char *module = copy(import->module), *name = copy(import->name);
    wr_error_t *error =
        module && name ? wr_shared_memory_new(store, type, &memory) : wr_wasi_no_memory();
    if (!error) error = wr_linker_define_memory(linker, module, name, memory);
    wr_shared_memory_delete(memory);
    free(module);
    free(name);
    return error;
}

static wr_error_t *define_memories(wr_linker_t *linker, wr_store_t *store,
                                   const wr_module_t *module) {
    wr_import_t import;
    wr_memory_type_t type;
    for (size_t i = 0; wr_module_import(module, i, &import); i++) {
        if (!wr_module_import_memory(module, i, &type) || !type.is_shared) continue;
        wr_error_t *error = define_memory(linker, store, &import, &type);
        if (error) return error;
    }
    return NULL;
}

static void free_threads(Threads *group) {
    wr_error_delete(wr_wasi_end_threads(&(wr_wasi_t){.threads = group}, NULL));
    wr_sys_mutex_destroy(&group->lock);
    free(group);
}

/* Every context has one main thread: the store for which it was last set up. */
static wr_error_t *set_up(wr_wasi_t *wasi, wr_linker_t *linker, wr_store_t *store,
                          wr_module_t *module, uint32_t limit) {
    Threads *group = wasi->threads ? wasi->threads : calloc(1, sizeof *group);
    if (!group) return wr_wasi_no_memory();
    if (!wasi->threads) wr_sys_mutex_init(&group->lock);
    wasi->threads = group;
    wasi->free_threads = free_threads;
    group->linker = linker;
    group->module = module;
    group->main = store;
    group->limit = limit < ID_MAX ? limit : ID_MAX;
    wr_store_set_interruptible(store, true);
    return wr_linker_define_func(linker, "wasi", "thread-spawn", "i>i", spawn, group, NULL);
}

wr_error_t *wr_wasi_link_threads(wr_wasi_t *wasi, wr_linker_t *linker, wr_store_t *store,
                                 wr_module_t *module, uint32_t max_threads) {
    wr_error_t *error = define_memories(linker, store, module);
    if (error || !spawns(module)) return error;
    return set_up(wasi, linker, store, module, max_threads);
}
