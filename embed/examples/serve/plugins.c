/*
 * plugins.c - the folder of modules: NAME.wasm serves /NAME. Files may be put there, changed and
 * removed at any time, best by renaming. One thread looks; requests go on with the state that they
 * began with. A state that does not load leaves the one before it in service.
 */
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "serve.h"

static wr_engine_t *engine;
static wr_linker_t *linker;
static _Atomic(Plugin *) plugins;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of Plugin.version */

Plugin *plugins_first(void) { return atomic_load_explicit(&plugins, memory_order_acquire); }

/* ---- versions ----------------------------------------------------------------------------------- */

Version *plugin_hold(Plugin *plugin) {
    pthread_mutex_lock(&lock);
    Version *version = plugin->version;
    if (version) atomic_fetch_add_explicit(&version->refs, 1, memory_order_relaxed);
    pthread_mutex_unlock(&lock);
    return version;
}

void version_release(Version *version) {
    if (!version || atomic_fetch_sub_explicit(&version->refs, 1, memory_order_acq_rel) != 1) return;
    wr_prelinked_delete(version->prelinked);
    free(version);
}

static void set_version(Plugin *plugin, Version *version) {
    pthread_mutex_lock(&lock);
    Version *old = plugin->version;
    plugin->version = version;
    pthread_mutex_unlock(&lock);
    version_release(old);
}

/* ---- loading ------------------------------------------------------------------------------------ */

/* A program: it exports _start, and the memory that WASI needs. */
static wr_error_t *check_exports(const wr_module_t *module) {
    wr_export_t item;
    bool start = false, memory = false;
    for (size_t i = 0; wr_module_export(module, i, &item); i++) {
        if (item.kind == WR_EXTERN_FUNC && item.name.size == 6 &&
            memcmp(item.name.data, "_start", 6) == 0)
            start = true;
        if (item.kind == WR_EXTERN_MEMORY && item.name.size == 6 &&
            memcmp(item.name.data, "memory", 6) == 0)
            memory = true;
    }
    if (start && memory) return NULL;
    return wr_error_new(WR_ERROR_USAGE, "exports no %s", start ? "memory" : "_start");
}

static wr_error_t *prelink(const void *bytes, size_t size, wr_prelinked_t **prelinked) {
    wr_module_t *module = NULL;
    wr_error_t *error = wr_module_new(engine, bytes, size, &module);
    if (error) return error;
    error = check_exports(module);
    if (!error) error = wr_linker_prelink(linker, module, prelinked);
    wr_module_delete(module);
    return error;
}

enum { MAX_FILE = 256 << 20 };

/* The whole file, read: a mapped one that is truncated would take the server down. */
static void *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rbe");
    struct stat st;
    void *bytes = NULL;
    if (!file) return NULL;
    if (fstat(fileno(file), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= MAX_FILE) {
        *size = (size_t)st.st_size;
        bytes = malloc(*size ? *size : 1);
        if (bytes && fread(bytes, 1, *size, file) != *size) {
            free(bytes);
            bytes = NULL;
        }
    }
    (void)fclose(file);
    return bytes;
}

static wr_error_t *load(const char *path, Version **out) {
    size_t size;
    void *bytes = read_file(path, &size);
    if (!bytes) return wr_error_new(WR_ERROR_IO, "cannot be read");
    Version *version = calloc(1, sizeof *version);
    wr_error_t *error = version ? prelink(bytes, size, &version->prelinked)
                                : wr_error_new(WR_ERROR_MEMORY, "out of memory");
    free(bytes);
    if (error) {
        free(version);
        return error;
    }
    atomic_init(&version->refs, 1);
    *out = version;
    return NULL;
}

static void reload(Plugin *plugin, const char *path) {
    Version *version = NULL;
    wr_error_t *error = load(path, &version);
    if (!error) {
        set_version(plugin, version);
        plugin->metrics.loads++;
        serve_log("%s: loaded", plugin->name);
        return;
    }
    plugin->metrics.failed_loads++;
    serve_log("%s: %s%s", plugin->name, wr_error_message(error),
              plugin->version ? " (the module before it goes on)" : "");
    wr_error_delete(error);
}

/* ---- the folder --------------------------------------------------------------------------------- */

static bool is_name(const char *name, size_t size) {
    if (size == 0 || size > 128 || name[0] == '.') return false;
    for (size_t i = 0; i < size; i++) {
        char c = name[i];
        bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '.' || c == '_' || c == '-';
        if (!ok) return false;
    }
    return true;
}

Plugin *plugins_find(const char *name, size_t size) {
    for (Plugin *plugin = plugins_first(); plugin; plugin = plugin->next)
        if (strlen(plugin->name) == size && memcmp(plugin->name, name, size) == 0) return plugin;
    return NULL;
}

static Plugin *add_plugin(const char *name, size_t size) {
    Plugin *plugin = calloc(1, sizeof *plugin);
    if (!plugin) return NULL;
    plugin->name = strndup(name, size);
    if (!plugin->name) {
        free(plugin);
        return NULL;
    }
    plugin->next = plugins_first();
    atomic_store_explicit(&plugins, plugin, memory_order_release);
    return plugin;
}

/* Tells one state of a file from another; never 0. */
static uint64_t identity_of(const struct stat *st) {
    uint64_t hash = 14695981039346656037u;
    const uint64_t parts[] = {(uint64_t)st->st_mtim.tv_sec, (uint64_t)st->st_mtim.tv_nsec,
                              (uint64_t)st->st_size, (uint64_t)st->st_ino, (uint64_t)st->st_dev};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        hash = (hash ^ parts[i]) * 1099511628211u;
    return hash | 1;
}

/* A file that has just changed may still be written: it is loaded when it was the same twice. */
static void look_at(const char *file, size_t name_size, bool at_once) {
    char path[4096];
    struct stat st;
    int n = snprintf(path, sizeof path, "%s/%s", settings.folder, file);
    if (n < 0 || (size_t)n >= sizeof path || stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return;
    Plugin *plugin = plugins_find(file, name_size);
    if (!plugin && !(plugin = add_plugin(file, name_size))) return;
    uint64_t identity = identity_of(&st);
    bool settled = at_once || plugin->seen == identity;
    plugin->seen = identity;
    plugin->exists = plugin->listed = true;
    if (!settled || plugin->identity == identity) return;
    plugin->identity = identity;
    reload(plugin, path);
}

static bool scan_folder(bool at_once) {
    DIR *folder = opendir(settings.folder);
    if (!folder) return false;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length <= 5 || strcmp(entry->d_name + length - 5, ".wasm") != 0) continue;
        if (is_name(entry->d_name, length - 5)) look_at(entry->d_name, length - 5, at_once);
    }
    closedir(folder);
    return true;
}

static void forget(Plugin *plugin) {
    if (plugin->identity) serve_log("%s: gone", plugin->name);
    plugin->identity = plugin->seen = 0;
    plugin->exists = false;
    set_version(plugin, NULL);
}

void plugins_refresh(void) {
    for (Plugin *p = plugins_first(); p; p = p->next) p->listed = false;
    if (!scan_folder(false)) return; /* it will be back */
    for (Plugin *p = plugins_first(); p; p = p->next)
        if (!p->listed && p->exists) forget(p);
}

/* ---- start and end ------------------------------------------------------------------------------ */

static bool report(wr_error_t *error) {
    if (!error) return true;
    serve_log("%s", wr_error_message(error));
    wr_error_delete(error);
    return false;
}

static bool make_linker(void) {
    linker = wr_linker_new(engine);
    return linker && report(wr_wasi_link_stores(linker));
}

bool plugins_start(void) {
    wr_config_t *config = wr_config_new();
    if (!config) return false;
    if (settings.no_guard) wr_config_set_memory_mode(config, WR_MEMORY_EXPLICIT);
    wr_config_set_pool(config, settings.pool, (size_t)1 << 20);
    if (!report(wr_engine_new(config, &engine)) || !make_linker()) return false;
    if (scan_folder(true)) return true;
    serve_log("%s: %s", settings.folder, strerror(errno));
    return false;
}

void plugins_stop(void) {
    for (Plugin *plugin = plugins_first(), *next; plugin; plugin = next) {
        next = plugin->next;
        version_release(plugin->version);
        free(plugin->name);
        free(plugin);
    }
    plugins = NULL;
    wr_linker_delete(linker);
    wr_engine_delete(engine);
}
