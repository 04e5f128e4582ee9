/*
 * native_run.c - see native_run.h. What the compiler has made is kept until the test ends, since programs run many times.
 */
#define _DEFAULT_SOURCE
#include "native_run.h"

#include <stdlib.h>
#include <unistd.h>

#include "prepare.h"

Way way;
size_t pauses;

/* ---- modules ---- */

static void write_temporary(char *path, const u8 *bytes, size_t size) {
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    FILE *f = fdopen(fd, "wb");
    cr_assert(f && fwrite(bytes, 1, size, f) == size);
    cr_assert_eq(fclose(f), 0);
}

/* What the compiler has made: programs run many times. */
typedef struct Made {
    NativeOptions options;
    u8 *module, *bytes;
    size_t module_size, size;
} Made;

static Made made[64];
static size_t nmade;

static bool is_made_of(const Made *m, const Module *module, NativeOptions options) {
    return memcmp(&m->options, &options, sizeof options) == 0 && m->module_size == module->size &&
           memcmp(m->module, module->bytes, module->size) == 0;
}

static Made make(wr_module_t *module, NativeOptions options) {
    CompileRequest request = {.options = options, .threads = 1};
    CompileStats stats;
    Made m = {.options = options, .module_size = module->size};
    must(wr_aot_compile(module, &request, &m.bytes, &m.size, &stats));
    cr_assert_eq(stats.left_out, 0);
    m.module = malloc(module->size);
    cr_assert_not_null(m.module);
    memcpy(m.module, module->bytes, module->size);
    return m;
}

static const Made *find_or_make(wr_module_t *module, NativeOptions options) {
    size_t i = 0;
    while (i < nmade && !is_made_of(&made[i], module, options)) i++;
    cr_assert_lt(i, ARRAY_LEN(made));
    if (i == nmade) made[nmade++] = make(module, options);
    return &made[i];
}

void forget_made(void) {
    for (; nmade > 0; nmade--) {
        free(made[nmade - 1].module);
        wr_free(&wr_alloc_system, made[nmade - 1].bytes, made[nmade - 1].size);
    }
}

wr_module_t *compile(wr_module_t *module) {
    char path[] = "native-XXXXXX";
    NativeOptions options = wr_aot_options(module->engine);
    options.polled = !way.without_polls;
    options.fuel = way.fuel;
    options.migratable = way.migratable;
    const Made *code = find_or_make(module, options);
    wr_module_t *compiled;
    write_temporary(path, code->bytes, code->size);
    must(wr_artifact_open(module->engine, path, &compiled));
    cr_assert_eq(remove(path), 0);
    cr_assert_not_null(compiled->lazy, "the compiler has validated it");
    wr_module_delete(module);
    return compiled;
}

wr_instance_t *add(Run *r, const char *name, const char *text) {
    bool is_compiled = r->compiled >> r->made++ & 1;
    wr_module_t *module =
        r->compiled != 0 ? lazy_text_module(&r->b, text) : text_module(&r->b, text);
    if (is_compiled) module = compile(module);
    wr_instance_t *instance = NULL;
    must(wr_linker_instantiate(r->b.linker, r->b.store, module, &instance));
    must(wr_linker_define_instance(r->b.linker, name, instance));
    for (u32 i = 0; i < ((Module *)module)->ncodes; i++)
        cr_assert_eq(instance->own_funcs[i].native_code != NULL, is_compiled);
    wr_module_delete(module);
    return instance;
}

/* ---- what is seen ---- */

static void say_error(Run *r, const wr_error_t *error) {
    SAY(r->seen, "%s\n", wr_error_message(error));
    if (way.hides_frames) return;
    for (size_t i = 0; i < wr_error_frame_count(error); i++) {
        wr_frame_t f;
        if (!wr_error_frame(error, i, &f)) continue;
        SAY(r->seen, "  %zu: %s at %llu\n", i, f.function_name ? f.function_name : "?",
            (unsigned long long)f.module_offset);
    }
}

void shorten(Seen *seen) {
    u64 hash = 0xCBF29CE484222325u;
    if (seen->size < sizeof seen->text / 2) return;
    for (size_t i = 0; i < seen->size; i++) hash = (hash ^ (u8)seen->text[i]) * 0x100000001B3u;
    seen->size = 0;
    SAY(seen, "before: %llx\n", (unsigned long long)hash);
}

i64 fuel_left(const Run *r) { return ((const Store *)r->b.store)->fuel; }

/* ---- calls ---- */

/* Where a call pauses, why, and with what. */
static void say_pause(Run *r, const wr_call_t *paused) {
    pauses++;
    shorten(r->seen);
    wr_error_t *error = wr_call_backtrace(paused);
    SAY(r->seen, "left %lld: ", (long long)fuel_left(r));
    if (!way.hides_pauses) say_error(r, error);
    wr_error_delete(error);
}

static wr_error_t *call_in_slices(Run *r, wr_instance_t *i, const char *name, int32_t arg,
                                  int32_t *result) {
    wr_val_t given = {.kind = WR_I32, .of.i32 = arg}, got = {0};
    wr_func_t *func = wr_instance_func(i, name);
    wr_call_t *paused;
    wr_store_set_fuel(r->b.store, way.slice);
    wr_error_t *error =
        wr_call_start(r->b.store, func, &given, wr_func_param_count(func), &got, 1, &paused);
    while (error == NULL && paused != NULL) {
        say_pause(r, paused);
        wr_store_add_fuel(r->b.store, way.slice);
        error = wr_call_resume(paused, &got, 1, &paused);
    }
    SAY(r->seen, "left %lld: ", (long long)fuel_left(r));
    *result = got.of.i32;
    return error;
}

void call(Run *r, wr_instance_t *i, const char *name, int32_t arg) {
    int32_t result = 0;
    wr_error_t *error = way.slice > 0 ? call_in_slices(r, i, name, arg, &result)
                                      : call_i32(&r->b, i, name, arg, &result);
    SAY(r->seen, "%s %d: ", name, arg);
    if (error)
        say_error(r, error);
    else
        SAY(r->seen, "%d\n", result);
    wr_error_delete(error);
}

/* ---- runs ---- */

static void run_with(Program *program, u32 gc_debug, unsigned compiled, Seen *seen) {
    wr_config_t *config = wr_config_new();
    wr_config_set_gc_debug(config, gc_debug);
    Run r = {.b = bench_new(config), .compiled = compiled, .seen = seen};
    seen->size = 0;
    program(&r);
    bench_delete(&r.b);
}

void run_all(Program *program, u32 gc_debug, unsigned modules) {
    static Seen interpreted, seen;
    run_with(program, gc_debug, 0, &interpreted);
    for (unsigned set = 1; set < 1u << modules; set++) {
        run_with(program, gc_debug, set, &seen);
        cr_assert_str_eq(seen.text, interpreted.text, "compiled: %x\n%s\ninterpreted:\n%s", set,
                         seen.text, interpreted.text);
    }
}
