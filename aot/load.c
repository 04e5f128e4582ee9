/*
 * load.c - opening an artifact: mapping it, checking all of its frame, making its code executable.
 *
 * A file is mapped as it is, read-only; then the page of addresses is filled in and closed again, and the
 * code's pages become executable. Where the host refuses that for a file, or the bytes come from memory, they are
 * copied to pages of our own first. The tables' rows are not looked at here: lookup.c does, one by one.
 */
#include "artifact_image.h"
#include "debugger.h"
#include "hash.h"
#include "libcalls.h"
#include "native.h"
#include "os.h"
#include "store.h"

#define MAPPINGS 5u /* that one artifact may take: the parts differ in what may be done with them */

/* ---- the frame ---- */

static Error *refuse(u64 offset, const char *what) {
    return wr_error_at(WR_ERROR_MALFORMED, offset, "unusable artifact: %s", what);
}

bool wr_artifact_is(const u8 *bytes, u64 size) {
    return size >= 8 && memcmp(bytes, ARTIFACT_MAGIC, 8) == 0;
}

/* A part of the file; false if it does not lie within. */
static bool view_part(const u8 *bytes, u64 size, Part part, PartView *view) {
    static const u32 rows[] = {
#define ROW(id, row) row,
        ARTIFACT_PARTS(ROW)
#undef ROW
    };
    u64 place = le32_load(bytes + HEAD_PART + 8 * part);
    u32 length = le32_load(bytes + HEAD_PART + 8 * part + 4);
    *view = (PartView){bytes + place, length, length / rows[part]};
    return place + length <= size && place >= HEAD_SIZE && length % rows[part] == 0;
}

static u32 place_of(const u8 *bytes, const PartView *part) { return (u32)(part->data - bytes); }

/* In the file's order, without overlapping: nothing that becomes writable is anything else. */
static Error *view_parts(Artifact *a) {
    u64 end = HEAD_SIZE;
    if (le32_load(a->bytes + HEAD_PARTS) != PARTS) return refuse(HEAD_PARTS, "other parts");
    for (u32 i = 0; i < PARTS; i++) {
        PartView *part = &a->parts[i];
        if (!view_part(a->bytes, a->size, (Part)i, part) || place_of(a->bytes, part) < end)
            return refuse(HEAD_PART + 8 * i, "part out of bounds");
        end = (u64)place_of(a->bytes, part) + part->size;
    }
    if (end != a->size) return refuse(HEAD_PART, "bytes after the last part");
    return NULL;
}

static bool is_whole(u64 n, u32 page) { return n % page == 0; }

static Error *check_pages(const Artifact *a) {
    const PartView *addresses = &a->parts[PART_ADDRESSES], *code = &a->parts[PART_CODE];
    u32 page = le32_load(a->bytes + HEAD_PAGE);
    if (page == 0 || (page & (page - 1)) != 0) return refuse(HEAD_PAGE, "page size");
    if (!is_whole(page, (u32)wr_os_page_size())) return refuse(HEAD_PAGE, "pages are too small");
    u64 code_end = (u64)place_of(a->bytes, code) + code->size;
    if (code->size == 0 || !is_whole(place_of(a->bytes, code), page) ||
        place_of(a->bytes, &a->parts[PART_FUNCTIONS]) < (code_end + page - 1) / page * page) {
        return refuse(HEAD_PART + 8 * PART_CODE, "code is not in pages of its own");
    }
    bool is_page = addresses->size == page && is_whole(place_of(a->bytes, addresses), page);
    if (addresses->size != 0 && !is_page)
        return refuse(HEAD_PART + 8 * PART_ADDRESSES, "addresses are not in a page of their own");
    return NULL;
}

/* Whole pages of the file for whole pages of the memory; the memory's size is looked at when the module is there. */
static Error *check_image(const Artifact *a) {
    const PartView *image = &a->parts[PART_IMAGE];
    u32 page = le32_load(a->bytes + HEAD_PAGE);
    u64 start = le64_load(a->bytes + HEAD_IMAGE);
    if (image->size == 0) return NULL;
    bool is_aligned = is_whole(place_of(a->bytes, image), page) && is_whole(image->size, page) &&
                      is_whole(start, page);
    return is_aligned ? NULL : refuse(HEAD_IMAGE, "image is not in pages of its own");
}

/* Of everything but the module, which is compared or has a hash, and itself. */
static Hash128 checksum(const u8 *bytes, u64 size, const PartView *module) {
    u64 start = place_of(bytes, module), end = start + module->size;
    Hash128 hash = wr_hash(bytes, HEAD_CHECKSUM, ARTIFACT_VERSION);
    hash = wr_hash(bytes + HEAD_CHECKSUM + 16, start - HEAD_CHECKSUM - 16, hash.low ^ hash.high);
    return wr_hash(bytes + end, size - end, hash.low ^ hash.high);
}

void wr_artifact_seal(u8 *bytes, u64 size) {
    PartView module;
    if (!view_part(bytes, size, PART_MODULE, &module)) return;
    Hash128 hash = wr_hash(module.data, module.size, SEED_MODULE);
    le64_store(bytes + HEAD_MODULE_HASH, hash.low);
    le64_store(bytes + HEAD_MODULE_HASH + 8, hash.high);
    hash = checksum(bytes, size, &module);
    le64_store(bytes + HEAD_CHECKSUM, hash.low);
    le64_store(bytes + HEAD_CHECKSUM + 8, hash.high);
}

static Hash128 load_hash(const u8 *at) { return (Hash128){le64_load(at), le64_load(at + 8)}; }

void wr_artifact_module(const Artifact *a, const u8 **module, u64 *size) {
    *module = a->parts[PART_MODULE].data;
    *size = a->parts[PART_MODULE].size;
}

/* ---- what it was made for ---- */

static u32 host_machine(void) {
    static const struct {
        const char *name;
        u32 machine;
    } machines[] = {{"x86_64", MACHINE_X86_64}, {"aarch64", MACHINE_AARCH64}};
    for (size_t i = 0; i < ARRAY_LEN(machines); i++)
        if (strcmp(machines[i].name, wr_os_machine()) == 0) return machines[i].machine;
    return 0;
}

static NativeOptions load_options(const u8 *bytes) {
    const u8 *at = bytes + HEAD_OPTIONS;
    return (NativeOptions){.guarded = at[0] != 0,
                           .polled = at[1] != 0,
                           .fuel = at[2] != 0,
                           .migratable = at[3] != 0,
                           .level = at[4]};
}

static Error *check_options(const u8 *bytes, const NativeOptions *options) {
    const u8 *have = bytes + HEAD_OPTIONS;
    if (!options) return NULL;
    const bool want[] = {options->guarded, options->polled, options->fuel, options->migratable};
    for (u32 i = 0; i < ARRAY_LEN(want); i++)
        if (have[i] != want[i]) return refuse(HEAD_OPTIONS + i, "made with other options");
    return NULL;
}

/* What the rest can be found by. */
static Error *check_frame(const u8 *bytes, u64 size) {
    if (!wr_artifact_is(bytes, size)) return refuse(HEAD_MAGIC, "not an artifact");
    if (size < HEAD_SIZE) return refuse(HEAD_FILE_SIZE, "cut off, or longer than it was");
    if (le32_load(bytes + HEAD_VERSION) != ARTIFACT_VERSION)
        return refuse(HEAD_VERSION, "made by another version of wasmrun");
    return NULL;
}

static Error *check_size(const u8 *bytes, u64 size) {
    if (le64_load(bytes + HEAD_FILE_SIZE) == size && size <= ARTIFACT_MAX) return NULL;
    return refuse(HEAD_FILE_SIZE, "cut off, or longer than it was");
}

/* The beginning: everything that decides whether the rest can be understood. */
static Error *check_head(const u8 *bytes, u64 size) {
    Error *error = check_frame(bytes, size);
    if (error) return error;
    if (le32_load(bytes + HEAD_MACHINE) != host_machine())
        return refuse(HEAD_MACHINE, "made for another processor");
    if (le64_load(bytes + HEAD_ABI) != wr_native_abi())
        return refuse(HEAD_ABI, "made by another version of wasmrun");
    return check_size(bytes, size);
}

static Error *compare_module(const Artifact *a, const Module *module) {
    const PartView *own = &a->parts[PART_MODULE];
    bool is_same = own->size == module->size &&
                   (own->data == module->bytes || memcmp(own->data, module->bytes, own->size) == 0);
    return is_same ? NULL : refuse(place_of(a->bytes, own), "made from another module");
}

/* Where there is nothing to compare it with. */
static Error *check_own_module(const Artifact *a) {
    const PartView *own = &a->parts[PART_MODULE];
    Hash128 hash = wr_hash(own->data, own->size, SEED_MODULE);
    if (hash_equal(load_hash(a->bytes + HEAD_MODULE_HASH), hash)) return NULL;
    return refuse(place_of(a->bytes, own), "damaged: wrong hash of the module");
}

static bool fits_memory(const Artifact *a, const Module *m) {
    u64 start = le64_load(a->bytes + HEAD_IMAGE), size = a->parts[PART_IMAGE].size;
    if (size == 0) return true;
    if (m->nmemories == 0 || m->nimported_memories > 0 || m->memories[0].limits.is_shared ||
        m->nimported_tables > 0)
        return false;
    u64 limit = m->memories[0].limits.min, page = (u64)1 << m->memories[0].page_size_log2;
    return start <= UINT32_MAX && (start + size + page - 1) / page <= limit;
}

Error *wr_artifact_bind(Artifact *a, const Module *module) {
    if (!fits_memory(a, module)) return refuse(HEAD_IMAGE, "image outside of the memory");
    if (a->parts[PART_FUNCTIONS].count != module->ncodes)
        return refuse(HEAD_PART + 8 * PART_FUNCTIONS, "another number of functions");
    a->module = module;
    a->nimported = module->nimported_funcs;
    return NULL;
}

/* Features, in LLVM's manner: "+avx2,-xop". Those with a plus have to be there. */
static Error *check_features(const char *features) {
    for (const char *at = features; *at != 0;) {
        size_t size = strcspn(at, ",");
        if (size > 1 && *at == '+' && !wr_os_cpu_has(at + 1, size - 1))
            return wr_error_at(WR_ERROR_MALFORMED, NO_OFFSET,
                               "unusable artifact: this processor lacks %.*s",
                               (int)min_u64(size - 1, 40), at + 1);
        at += size + (at[size] == ',');
    }
    return NULL;
}

#define V2 "+cx16,+sahf,+popcnt,+sse3,+ssse3,+sse4.1,+sse4.2"
#define V3 V2 ",+avx,+avx2,+bmi,+bmi2,+f16c,+fma,+lzcnt,+movbe"
#define V4 V3 ",+avx512f,+avx512bw,+avx512cd,+avx512dq,+avx512vl"

/* What the name of a processor implies. Models imply more, which the compiler has listed if it was asked for its
 * own host; if somebody named another model, that the host is one is theirs to know. */
static const char *implied_features(const char *cpu) {
    static const struct {
        const char *cpu, *features;
    } levels[] = {{"x86-64-v2", V2}, {"x86-64-v3", V3}, {"x86-64-v4", V4}};
    for (size_t i = 0; i < ARRAY_LEN(levels); i++)
        if (strcmp(levels[i].cpu, cpu) == 0) return levels[i].features;
    return "";
}

bool wr_artifact_texts(const Artifact *a, const char *texts[3]) {
    const PartView *part = &a->parts[PART_TEXTS];
    u32 ends = 0;
    for (u32 i = 0; i < part->size; i++) ends += part->data[i] == 0;
    if (ends != 3 || part->data[part->size - 1] != 0) return false;
    texts[0] = (const char *)part->data;
    for (u32 i = 1; i < 3; i++) texts[i] = texts[i - 1] + strlen(texts[i - 1]) + 1;
    return true;
}

static Error *check_texts(const Artifact *a) {
    const char *texts[3];
    if (!wr_artifact_texts(a, texts))
        return refuse(place_of(a->bytes, &a->parts[PART_TEXTS]), "texts");
    Error *error = check_features(implied_features(texts[1]));
    return error ? error : check_features(texts[2]);
}

static bool has_checksum(const Artifact *a) {
    return hash_equal(load_hash(a->bytes + HEAD_CHECKSUM),
                      checksum(a->bytes, a->size, &a->parts[PART_MODULE]));
}

static Error *check(Artifact *a, const Module *module, const NativeOptions *options) {
    Error *error = check_head(a->bytes, a->size);
    if (!error) error = view_parts(a);
    if (!error) error = check_pages(a);
    if (!error) error = check_image(a);
    if (error) return error;
    if (!has_checksum(a)) return refuse(HEAD_CHECKSUM, "damaged: wrong checksum");
    error = check_options(a->bytes, options);
    if (!error) error = check_texts(a);
    if (!error) error = module ? compare_module(a, module) : check_own_module(a);
    if (!error && module) error = wr_artifact_bind(a, module);
    return error;
}

static void read_head(Artifact *a) {
    a->guarded = le64_load(a->bytes + HEAD_GUARDED);
    a->options = load_options(a->bytes);
    a->features = le32_load(a->bytes + HEAD_FEATURES);
}

/* ---- without running it ---- */

Error *wr_artifact_view(const u8 *bytes, u64 size, Artifact *view) {
    *view = (Artifact){.bytes = (u8 *)(uintptr_t)bytes, .size = size};
    Error *error = check_frame(bytes, size);
    if (!error) error = check_size(bytes, size);
    if (!error) error = view_parts(view);
    if (!error) read_head(view);
    return error;
}

bool wr_artifact_is_whole(const Artifact *a) {
    Error *error = check_own_module(a);
    wr_error_delete(error);
    return !error && has_checksum(a);
}

/* ---- making it run ---- */

/* Finds the functions that it names, and puts their addresses into the page. */
static Error *fill_addresses(const Artifact *a, u8 *page) {
    const PartView *names = &a->parts[PART_LIBCALLS];
    u32 room = a->parts[PART_ADDRESSES].count, count = 0;
    for (u32 at = 0; at < names->size;) {
        const u8 *end = memchr(names->data + at, 0, names->size - at);
        if (!end || count == room) return refuse(place_of(a->bytes, names) + at, "names");
        const void *address = wr_libcall_address((const char *)names->data + at);
        if (!address) return refuse(place_of(a->bytes, names) + at, "unknown library function");
        u64 number = (uintptr_t)address;
        memcpy(page + 8 * (size_t)count++, &number, sizeof number);
        at = (u32)(end - names->data) + 1;
    }
    return NULL;
}

static Error *resolve(const Artifact *a) {
    const PartView *part = &a->parts[PART_ADDRESSES];
    if (part->size == 0)
        return a->parts[PART_LIBCALLS].size == 0 ? NULL : refuse(HEAD_PART, "no addresses");
    u8 *page = a->bytes + place_of(a->bytes, part);
    if (!wr_os_commit(page, part->size)) return ERROR_OOM; /* makes it writable, and ours */
    Error *error = fill_addresses(a, page);
    if (!error && !wr_os_make_readonly(page, part->size)) error = ERROR_OOM;
    return error;
}

/* ---- objects ------------------------------------------------------------------------------ */

static void close_file(Artifact *a) {
    if (a->is_open) wr_os_close_file(a->image.os.descriptor);
    a->is_open = false;
}

static void release_bytes(Artifact *a) {
    if (a->is_copy)
        wr_os_release(a->bytes, (size_t)a->size);
    else
        wr_os_unmap_file(a->bytes, a->size);
}

static void free_artifact(Artifact *a) {
    Engine *engine = a->engine;
    close_file(a);
    release_bytes(a);
    wr_engine_return_mappings(engine, MAPPINGS);
    wr_free(&engine->alloc, a, sizeof *a);
    wr_engine_unref(engine);
}

Artifact *wr_artifact_ref(Artifact *artifact) {
    atomic_fetch_add_explicit(&artifact->refs, 1, memory_order_relaxed);
    return artifact;
}

void wr_artifact_unref(Artifact *artifact) {
    while (artifact && atomic_fetch_sub(&artifact->refs, 1) == 1) {
        Artifact *older = artifact->older;
        wr_debugger_remove(artifact);
        wr_artifact_unregister(artifact);
        free_artifact(artifact);
        artifact = older;
    }
}

/* NULL if there is no room. */
static u8 *copy_to_pages(const u8 *bytes, u64 size) {
    u8 *copy = wr_os_reserve((size_t)size);
    if (!copy) return NULL;
    if (!wr_os_commit(copy, (size_t)size)) {
        wr_os_release(copy, (size_t)size);
        return NULL;
    }
    memcpy(copy, bytes, (size_t)size);
    return copy;
}

/* Goes on with a copy of the mapped file. */
static bool become_copy(Artifact *a) {
    u8 *copy = copy_to_pages(a->bytes, a->size);
    if (!copy) return false;
    for (u32 i = 0; i < PARTS; i++) a->parts[i].data = copy + place_of(a->bytes, &a->parts[i]);
    release_bytes(a);
    a->bytes = copy;
    a->is_copy = true;
    return true;
}

static bool make_executable(const Artifact *a) {
    const PartView *code = &a->parts[PART_CODE];
    if (a->is_copy && !wr_os_make_readonly(a->bytes, (size_t)a->size)) return false;
    return wr_os_make_executable(a->bytes + place_of(a->bytes, code), code->size);
}

/* Of bytes that have been checked. */
static Error *start(Artifact *a) {
    Error *error = resolve(a);
    if (error) return error;
    if (!make_executable(a) && (a->is_copy || !become_copy(a) || !make_executable(a)))
        return wr_error_at(WR_ERROR_MEMORY, NO_OFFSET, "the host does not make code executable");
    return wr_artifact_register(a) ? NULL : ERROR_OOM;
}

/* The file stays open only if an image is to be mapped from it. */
static void read_image(Artifact *a) {
    const PartView *part = &a->parts[PART_IMAGE];
    MemoryImage *image = &a->image;
    image->start = le64_load(a->bytes + HEAD_IMAGE);
    image->size = image->content = a->image_run[1] = part->size;
    image->bytes = image->os.bytes = part->data;
    image->os.size = part->size;
    image->os.offset = place_of(a->bytes, part);
    image->runs = a->image_run;
    image->nruns = 1;
    if (part->size == 0 || a->is_copy) close_file(a);
    image->is_shared = a->is_open;
}

const MemoryImage *wr_artifact_image(const Artifact *a) { return a->image.size ? &a->image : NULL; }

/* Takes over the bytes and the file, also on failure. */
static Error *open_artifact(Engine *engine, const Artifact *from, const Module *module,
                            const NativeOptions *options, Artifact **out) {
    Artifact *a = wr_alloc(&engine->alloc, sizeof *a);
    Error *error = ERROR_OOM;
    if (a && !wr_engine_take_mappings(engine, MAPPINGS)) {
        wr_free(&engine->alloc, a, sizeof *a);
        a = NULL;
    }
    if (!a) {
        Artifact given = *from;
        close_file(&given);
        release_bytes(&given);
        return error;
    }
    *a = *from;
    a->engine = wr_engine_ref(engine);
    error = check(a, module, options);
    if (!error) error = start(a);
    if (error) return free_artifact(a), error;
    read_head(a);
    read_image(a);
    *out = a;
    return NULL;
}

Error *wr_artifact_open_file(Engine *engine, const char *path, const Module *module,
                             const NativeOptions *options, Artifact **out) {
    Artifact from = {.refs = 1};
    const u8 *bytes;
    const char *why;
    if (!wr_os_open_file(path, &from.image.os.descriptor, &bytes, &from.size, &why))
        return wr_error_at(WR_ERROR_IO, NO_OFFSET, "cannot read %s: %s", path, why);
    from.is_open = true;
    if (from.size == 0) return close_file(&from), refuse(0, "not an artifact");
    from.bytes = (u8 *)(uintptr_t)bytes;
    return open_artifact(engine, &from, module, options, out);
}

Error *wr_artifact_open_bytes(Engine *engine, const u8 *bytes, size_t size, const Module *module,
                              const NativeOptions *options, Artifact **out) {
    if (!wr_artifact_is(bytes, size)) return refuse(0, "not an artifact");
    u8 *copy = copy_to_pages(bytes, size);
    if (!copy) return ERROR_OOM;
    Artifact from = {.refs = 1, .bytes = copy, .size = size, .is_copy = true};
    return open_artifact(engine, &from, module, options, out);
}
