/* cache.c - see cache.h. */
#include "cache.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "aot_os.h"
#include "compiler_revision.h"
#include "hash.h"
#include "native.h"
#include "store.h"

#define SUFFIX ".wasmrun"
#define STALE_SECONDS 600 /* a file that was being written so long ago will not be finished */

/* ---- the folder ---- */

static bool users_folder(char *path) {
    const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    int n = -1;
    if (base != NULL && base[0] == '/')
        n = snprintf(path, CACHE_PATH_MAX, "%s/wasmrun", base);
    else if (home != NULL && home[0] == '/')
        n = snprintf(path, CACHE_PATH_MAX, "%s/.cache/wasmrun", home);
    return n > 0 && (size_t)n < CACHE_PATH_MAX - 256;
}

static Error *unusable(const char *folder, const char *why) {
    return wr_error_at(WR_ERROR_IO, NO_OFFSET, "the cache %.500s is not used: %s", folder, why);
}

Error *wr_cache_open(Cache *cache, const char *folder) {
    cache->folder[0] = 0;
    if (folder == NULL || *folder == 0) {
        if (!users_folder(cache->folder))
            return wr_error_at(WR_ERROR_IO, NO_OFFSET,
                               "no cache is used: neither XDG_CACHE_HOME nor HOME says where");
    } else {
        size_t n = strlen(folder);
        if (n >= CACHE_PATH_MAX - 256) return unusable(folder, "its name is too long");
        memcpy(cache->folder, folder, n + 1);
    }
    if (wr_aot_owner(cache->folder, true) == OWNED) return NULL; /* it mostly is there */
    const char *why = wr_aot_make_folder(cache->folder);
    if (why != NULL) return unusable(cache->folder, why);
    if (wr_aot_owner(cache->folder, true) != OWNED)
        return unusable(cache->folder, "others may write to it, or it belongs to somebody else");
    return NULL;
}

bool wr_cache_of(Cache *cache, const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL || (size_t)(slash - path) >= CACHE_PATH_MAX) return false;
    memcpy(cache->folder, path, (size_t)(slash - path));
    cache->folder[slash - path] = 0;
    return wr_aot_owner(cache->folder, true) == OWNED;
}

/* ---- names ---- */

static u64 mix_text(u64 seed, const char *text) {
    return text != NULL ? wr_hash(text, strlen(text), seed).low : seed + 1;
}

/* Everything that decides what the compiler makes of a module, itself included: what an older one did wrong does not
 * stay. NULL for CPU and features means this host's: a cache on a shared disk finds artifacts for another CPU refused,
 * and makes new ones. */
static u64 request_seed(const Module *module, const CompileRequest *request) {
    const NativeOptions *o = &request->options;
    u8 options[8] = {o->guarded, o->polled, o->fuel, o->migratable, o->level};
    u64 compiler = wr_native_abi() ^ WR_COMPILER_REVISION;
    u64 seed = wr_hash(options, sizeof options, compiler ^ module->features).low;
    seed = mix_text(seed, request->triple);
    seed = mix_text(seed, request->cpu);
    return mix_text(seed, request->features);
}

void wr_cache_path(const Cache *cache, const Module *module, const CompileRequest *request,
                   char path[CACHE_PATH_MAX]) {
    Hash128 name = wr_hash(module->bytes, module->size, request_seed(module, request));
    (void)snprintf(path, CACHE_PATH_MAX, "%.3800s/%016" PRIx64 "%016" PRIx64 SUFFIX, cache->folder,
                   name.high, name.low);
}

void wr_cache_slice_path(const char *path, u32 number, char slice[CACHE_PATH_MAX]) {
    int stem = (int)(strlen(path) - strlen(SUFFIX));
    (void)snprintf(slice, CACHE_PATH_MAX, "%.*s-%u" SUFFIX, stem, path, (unsigned)number);
}

static bool ends_with(const char *name, const char *end) {
    size_t n = strlen(name), m = strlen(end);
    return n >= m && memcmp(name + n - m, end, m) == 0;
}

/* ---- files ---- */

bool wr_cache_has(const char *path) {
    if (wr_aot_owner(path, false) != OWNED) return false;
    wr_aot_touch(path);
    return true;
}

void wr_cache_remove(const char *path) { (void)wr_aot_remove(path); }

static void claim_path(const char *path, char claim[CACHE_PATH_MAX]) {
    (void)snprintf(claim, CACHE_PATH_MAX, "%.4000s.claim.part", path);
}

bool wr_cache_claim(const char *path) {
    char claim[CACHE_PATH_MAX];
    claim_path(path, claim);
    if (wr_aot_claim(claim)) return true;
    if (wr_aot_changed(claim) >= wr_aot_time() - STALE_SECONDS) return false;
    (void)wr_aot_remove(claim); /* if two do so at once, both compile: no harm */
    return wr_aot_claim(claim);
}

void wr_cache_unclaim(const char *path) {
    char claim[CACHE_PATH_MAX];
    claim_path(path, claim);
    (void)wr_aot_remove(claim);
}

Error *wr_cache_put(const Cache *cache, const char *path, const u8 *bytes, size_t size) {
    const char *why = wr_aot_write_file(path, bytes, size);
    if (why != NULL) return unusable(cache->folder, why);
    (void)wr_cache_trim(cache, CACHE_MAX_BYTES);
    return NULL;
}

/* ---- the whole ---- */

typedef struct Each {
    void (*visit)(void *context, const CacheEntry *entry);
    void *context;
} Each;

static void visit_artifact(void *context, const char *name, u64 size, i64 used) {
    const Each *each = context;
    if (!ends_with(name, SUFFIX)) return;
    CacheEntry entry = {name, size, used};
    each->visit(each->context, &entry);
}

bool wr_cache_each(const Cache *cache, void (*visit)(void *context, const CacheEntry *entry),
                   void *context) {
    Each each = {visit, context};
    return wr_aot_each_file(cache->folder, visit_artifact, &each);
}

/* One walk over the folder: what it takes, and which was not used for longest. */
typedef struct Survey {
    const Cache *cache;
    u64 total;
    i64 oldest;
    char name[256]; /* of the oldest, or empty */
    u32 removed;
    bool clear;
} Survey;

static bool remove_file(const Cache *cache, const char *name) {
    char path[CACHE_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", cache->folder, name);
    return n > 0 && (size_t)n < sizeof path && wr_aot_remove(path);
}

static void survey(void *context, const char *name, u64 size, i64 used) {
    Survey *s = context;
    if (ends_with(name, ".part")) {
        if (s->clear || used < wr_aot_time() - STALE_SECONDS) (void)remove_file(s->cache, name);
        return;
    }
    if (!ends_with(name, SUFFIX) || strlen(name) >= sizeof s->name) return;
    if (s->clear) { /* all of them, in this one walk */
        s->removed += remove_file(s->cache, name);
        return;
    }
    s->total += size;
    if (s->name[0] != 0 && used >= s->oldest) return;
    s->oldest = used;
    memcpy(s->name, name, strlen(name) + 1);
}

u32 wr_cache_trim(const Cache *cache, u64 bytes) {
    Survey s = {.cache = cache, .clear = bytes == 0};
    for (;;) {
        s.total = 0;
        s.name[0] = 0;
        if (!wr_aot_each_file(cache->folder, survey, &s) || s.name[0] == 0 || s.total <= bytes)
            break;
        if (!remove_file(cache, s.name)) break;
        s.removed += 1;
    }
    return s.removed;
}
