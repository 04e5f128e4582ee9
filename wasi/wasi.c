/*
 * wasi.c - contexts: what the embedder sets up, and how guests' calls reach the handlers.
 */
#include "wasi.h"

#include <stdlib.h>
#include <string.h>

#include "virtual.h"

/* ---- The functions -------------------------------------------------------------------------------- */

#define BOTH false
#define STABLE true
#define WASI_FUNC(name, signature, handler, worlds) {#name, signature, handler, worlds},
static const WasiFunc functions[] = {
#include "preview1.def"
};
#undef WASI_FUNC

_Static_assert(sizeof functions / sizeof *functions == WASI_FUNC_COUNT, "preview 1 has 46");

const WasiFunc *wr_wasi_func(size_t index) { return &functions[index]; }

/* Every call comes here. */
static wr_error_t *run(wr_wasi_t *wasi, const WasiFunc *func, bool unstable, wr_caller_t *caller,
                       wr_slot_t *slots) {
    Call call = {.wasi = wasi, .caller = caller, .args = slots, .unstable = unstable};
    Errno error = func->handler(&call);
    while (call.held_count > 0)
        (void)wr_fdtable_release(&wasi->table, call.held[--call.held_count]);
    if (call.trap) return call.trap;
    slots[0].u32 = error;
    return NULL;
}

static wr_error_t *enter(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    const Binding *binding = context;
    return run(binding->wasi, binding->func, binding->unstable, caller, slots);
}

typedef void *BindingOf(wr_wasi_t *wasi, size_t world, size_t index);

static wr_error_t *link(wr_linker_t *linker, wr_wasi_t *wasi, wr_host_func_t *const enters,
                        BindingOf *binding_of) {
    static const char *const modules[] = {"wasi_snapshot_preview1", "wasi_unstable"};
    for (size_t world = 0; world < 2; world++) {
        for (size_t i = 0; i < WASI_FUNC_COUNT; i++) {
            const WasiFunc *func = &functions[i];
            if (world == 1 && func->stable_only) continue;
            wr_error_t *error =
                wr_linker_define_func(linker, modules[world], func->name, func->signature,
                                      enters[world], binding_of(wasi, world, i), NULL);
            if (error) return error;
        }
    }
    return NULL;
}

static void *own_binding(wr_wasi_t *wasi, size_t world, size_t index) {
    Binding *binding = &wasi->bindings[world][index];
    *binding = (Binding){wasi, &functions[index], world == 1};
    return binding;
}

wr_error_t *wr_wasi_link(wr_wasi_t *wasi, wr_linker_t *linker) {
    static wr_host_func_t enters[] = {enter, enter};
    return link(linker, wasi, enters, own_binding);
}

/* ---- The same for stores with contexts of their own -------------------------------------------------- */

static const char store_key; /* its address */

static wr_error_t *enter_world(wr_caller_t *caller, const WasiFunc *func, bool unstable,
                               wr_slot_t *slots) {
    wr_wasi_t *wasi = wr_store_data(wr_caller_store(caller), &store_key);
    if (!wasi) return wr_trap_new("the store has no WASI context");
    return run(wasi, func, unstable, caller, slots);
}

static wr_error_t *enter_stable(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    return enter_world(caller, context, false, slots);
}

static wr_error_t *enter_unstable(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    return enter_world(caller, context, true, slots);
}

static void *no_binding(wr_wasi_t *wasi, size_t world, size_t index) {
    (void)wasi, (void)world;
    return (void *)(uintptr_t)&functions[index];
}

wr_error_t *wr_wasi_link_stores(wr_linker_t *linker) {
    static wr_host_func_t enters[] = {enter_stable, enter_unstable};
    return link(linker, NULL, enters, no_binding);
}

wr_error_t *wr_wasi_attach(wr_wasi_t *wasi, wr_store_t *store) {
    return wr_store_set_data(store, &store_key, wasi);
}

/* ---- Descriptors of a call --------------------------------------------------------------------------- */

static Errno check_rights(const Descriptor *descriptor, uint64_t rights) {
    if (rights & ~descriptor->base) return WASI_ERRNO_NOTCAPABLE;
    if (descriptor->read_only && (rights & RIGHTS_CHANGING)) return WASI_ERRNO_PERM;
    return WASI_ERRNO_SUCCESS;
}

/* What a call wants of a descriptor, besides rights. */
typedef enum Wanted { ANYTHING, A_DIRECTORY, NO_DIRECTORY } Wanted;

static Errno check_kind(const Descriptor *descriptor, Wanted wanted) {
    bool is_directory = descriptor->kind == KIND_DIRECTORY;
    if (wanted == A_DIRECTORY && !is_directory) return WASI_ERRNO_NOTDIR;
    if (wanted == NO_DIRECTORY && is_directory) return WASI_ERRNO_ISDIR;
    return WASI_ERRNO_SUCCESS;
}

static Errno find(Call *call, uint32_t fd, Wanted wanted, uint64_t rights, Descriptor **result) {
    FdTable *table = &call->wasi->table;
    if (call->held_count == HELD_LIMIT) return WASI_ERRNO_NOMEM;
    *result = wr_fdtable_hold(table, fd);
    if (!*result) return WASI_ERRNO_BADF;
    Errno error = check_kind(*result, wanted);
    if (!error) error = check_rights(*result, rights);
    if (error)
        (void)wr_fdtable_release(table, *result);
    else
        call->held[call->held_count++] = *result;
    return error;
}

Errno wr_wasi_descriptor(Call *call, uint32_t fd, uint64_t rights, Descriptor **result) {
    return find(call, fd, ANYTHING, rights, result);
}

Errno wr_wasi_directory(Call *call, uint32_t fd, uint64_t rights, Descriptor **result) {
    return find(call, fd, A_DIRECTORY, rights, result);
}

Errno wr_wasi_file(Call *call, uint32_t fd, uint64_t rights, Descriptor **result) {
    return find(call, fd, NO_DIRECTORY, rights, result);
}

void wr_wasi_keep(Call *call, const Descriptor *descriptor) {
    if (call->held_count > 0 && call->held[call->held_count - 1] == descriptor) call->held_count--;
}

/* ---- Contexts --------------------------------------------------------------------------------------------- */

wr_wasi_t *wr_wasi_new(void) {
    wr_wasi_t *wasi = calloc(1, sizeof *wasi);
    if (!wasi) return NULL;
    wr_fdtable_init(&wasi->table);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t fd;
        uint64_t rights = i == 0 ? STDIN_RIGHTS : STDOUT_RIGHTS;
        if (wr_fdtable_insert(&wasi->table, wr_descriptor_null(rights), &fd)) {
            wr_wasi_delete(wasi);
            return NULL;
        }
    }
    return wasi;
}

static void free_list(StringList *list) {
    free(list->bytes);
    *list = (StringList){0};
}

void wr_wasi_delete(wr_wasi_t *wasi) {
    if (!wasi) return;
    if (wasi->threads) wasi->free_threads(wasi->threads);
    wr_fdtable_free(&wasi->table);
    while (wasi->trees) wasi->trees = wr_virtual_tree_delete(wasi->trees);
    free_list(&wasi->args);
    free_list(&wasi->environment);
    wr_byte_streams_free(wasi);
    free(wasi);
}

wr_error_t *wr_wasi_no_memory(void) { return wr_error_new(WR_ERROR_MEMORY, "out of memory"); }

/* Appends a string; what guests count in 32 bits must fit them. */
static wr_error_t *append(StringList *list, const char *string) {
    size_t size = strlen(string) + 1;
    if (size > INT32_MAX - list->size)
        return wr_error_new(WR_ERROR_USAGE, "arguments or variables of more than 2 GiB");
    char *bytes = realloc(list->bytes, list->size + size);
    if (!bytes) return wr_wasi_no_memory();
    memcpy(bytes + list->size, string, size);
    list->bytes = bytes;
    list->size += size;
    list->count++;
    return NULL;
}

wr_error_t *wr_wasi_set_args(wr_wasi_t *wasi, size_t argc, const char *const *argv) {
    StringList list = {0};
    for (size_t i = 0; i < argc; i++) {
        wr_error_t *error = append(&list, argv[i]);
        if (error) {
            free_list(&list);
            return error;
        }
    }
    free_list(&wasi->args);
    wasi->args = list;
    return NULL;
}

/* Takes an older variable out: one before the last whose assignment starts with the `length` bytes
 * of "NAME=". Appending comes first, so that running out of memory loses nothing. */
static void remove_variable(StringList *list, const char *name, size_t length) {
    for (size_t at = 0; at < list->size;) {
        size_t size = strlen(list->bytes + at) + 1;
        if (at + size == list->size) return;
        if (size > length && memcmp(list->bytes + at, name, length) == 0) {
            memmove(list->bytes + at, list->bytes + at + size, list->size - at - size);
            list->size -= size;
            list->count--;
            return;
        }
        at += size;
    }
}

wr_error_t *wr_wasi_add_env(wr_wasi_t *wasi, const char *assignment) {
    const char *equals = strchr(assignment, '=');
    if (!equals || equals == assignment)
        return wr_error_new(WR_ERROR_USAGE, "not of the form NAME=VALUE: '%s'", assignment);
    wr_error_t *error = append(&wasi->environment, assignment);
    if (!error) remove_variable(&wasi->environment, assignment, (size_t)(equals - assignment) + 1);
    return error;
}

wr_error_t *wr_wasi_inherit_env(wr_wasi_t *wasi) {
    const char *const *variables = wr_sys_environment();
    for (size_t i = 0; variables && variables[i]; i++) {
        const char *equals = strchr(variables[i], '=');
        if (!equals || equals == variables[i])
            continue; /* no variable: the host let somebody put it there */
        wr_error_t *error = wr_wasi_add_env(wasi, variables[i]);
        if (error) return error;
    }
    return NULL;
}

/* ---- Giving descriptors ---------------------------------------------------------------------------------------- */

/* Takes ownership of the directory. */
static Errno insert_directory(wr_wasi_t *wasi, File file, const char *name, bool read_only) {
    Descriptor descriptor;
    uint32_t fd;
    Errno error =
        wr_descriptor_open(file, RIGHTS_DIRECTORY, RIGHTS_DIRECTORY | RIGHTS_REGULAR, &descriptor);
    if (error) {
        wr_file_close(file);
        return error;
    }
    descriptor.read_only = read_only;
    descriptor.flags = descriptor.host_flags = 0;
    size_t size = strlen(name) + 1;
    descriptor.preopen = malloc(size);
    if (!descriptor.preopen) {
        wr_descriptor_close(&descriptor);
        return WASI_ERRNO_NOMEM;
    }
    memcpy(descriptor.preopen, name, size);
    return wr_fdtable_insert(&wasi->table, descriptor, &fd);
}

static wr_error_t *describe(Errno error, const char *path) {
    if (error == WASI_ERRNO_NOMEM) return wr_wasi_no_memory();
    const char *reason = error == WASI_ERRNO_NOENT    ? "no such directory"
                         : error == WASI_ERRNO_NOTDIR ? "not a directory"
                         : error == WASI_ERRNO_ACCES  ? "permission denied"
                         : error == WASI_ERRNO_MFILE  ? "too many open files"
                                                      : "cannot be opened";
    return wr_error_new(WR_ERROR_IO, "%s: %s", path, reason);
}

wr_error_t *wr_wasi_preopen_dir(wr_wasi_t *wasi, const char *host_path, const char *guest_path,
                                uint32_t flags) {
    if (flags & ~(uint32_t)WR_WASI_READ_ONLY)
        return wr_error_new(WR_ERROR_USAGE, "unknown flags for a preopened directory");
    int host;
    Errno error = wr_sys_open_dir(host_path, &host);
    if (!error)
        error =
            insert_directory(wasi, wr_file_of_host(host), guest_path, flags & WR_WASI_READ_ONLY);
    return error ? describe(error, host_path) : NULL;
}

/* Opens the root of what the first tree has. */
static Errno insert_root(wr_wasi_t *wasi, const char *guest_path, bool read_only) {
    VirtualFile *root;
    Errno error = wr_virtual_open_root(wasi->trees, &root);
    return error ? error : insert_directory(wasi, wr_file_of_virtual(root), guest_path, read_only);
}

wr_error_t *wr_wasi_preopen_files(wr_wasi_t *wasi, const wr_wasi_files_t *files, void *context,
                                  const char *guest_path, uint32_t flags) {
    if (flags & ~(uint32_t)WR_WASI_READ_ONLY)
        return wr_error_new(WR_ERROR_USAGE, "unknown flags for a preopened directory");
    if (files->size < offsetof(wr_wasi_files_t, write) || !files->stat || !files->open ||
        !files->read)
        return wr_error_new(WR_ERROR_USAGE, "files without stat, open or read");
    VirtualTree *tree = wr_virtual_tree_new(wasi, files, context, wasi->trees);
    if (!tree) return wr_wasi_no_memory();
    wasi->trees = tree;
    Errno error = insert_root(wasi, guest_path, flags & WR_WASI_READ_ONLY);
    if (!error) return NULL;
    wasi->trees = wr_virtual_tree_delete(tree);
    return describe(error, guest_path);
}

wr_error_t *wr_wasi_preopen_socket(wr_wasi_t *wasi, int host_descriptor) {
    int host;
    uint32_t fd;
    Descriptor descriptor;
    Errno error = wr_sys_duplicate(host_descriptor, &host);
    if (!error) {
        error =
            wr_descriptor_open(wr_file_of_host(host), RIGHTS_SOCKET, RIGHTS_SOCKET, &descriptor);
        if (!error && descriptor.kind != KIND_SOCKET) error = WASI_ERRNO_NOTSOCK;
        if (error) wr_sys_close(host);
    }
    if (!error) error = wr_fdtable_insert(&wasi->table, descriptor, &fd);
    if (error == WASI_ERRNO_NOTSOCK)
        return wr_error_new(WR_ERROR_USAGE, "descriptor %d is not a socket", host_descriptor);
    return error ? wr_error_new(WR_ERROR_IO, "descriptor %d cannot be used (WASI errno %u)",
                                host_descriptor, (unsigned)error)
                 : NULL;
}
