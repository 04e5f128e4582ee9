/*
 * run.c - see run.h.
 */
#include "run.h"

#include "prepare.h"

#include "link.h"
#include "memory.h"
#include "module.h"
#include "script.h"
#include "spectest.h"
#include "text_print.h"
#include "value.h"

/* Something that has a name, data NULL for none. */
typedef struct Named {
    Name name;
    Module *module;     /* of definitions: counted */
    Instance *instance; /* of instances and registered modules */
} Named;

typedef struct List {
    Named *items;
    u32 count, capacity;
} List;

typedef struct Run {
    const ScriptOptions *options;
    const char *file;
    Engine *engine;
    Store *store;
    Arena arena; /* what commands consist of: all of the script */
    TextOptions text;
    TextReader reader;
    List definitions, instances; /* the last one is the current one */
    List registered;
    Spectest spectest;
    ScriptResult *result;
    const Command *command; /* at work */
    bool is_lossy;          /* its module does not come back from text the same */
    struct Run *threads;    /* started by this one and not waited for: the newest */
    /* Of a thread's run: */
    struct Run *outer, *next;
    Name name;
    OsThread *thread;
    ScriptResult own;
} Run;

/* ---- saying what failed ---- */

/* "FILE:LINE:COLUMN: assert_return: ", to be followed by the reason. */
static Buffer *begin_failure(Run *run, const char *word, u32 line, u32 column) {
    Buffer *log = &run->result->log;
    wr_print(log, "%s:%u:%u: %s%s", run->file, line, column, word, *word ? ": " : "");
    return log;
}

static bool fail(Run *run, const char *reason) {
    const Command *c = run->command;
    wr_print(begin_failure(run, c->word, c->line, c->column), "%s\n", reason);
    return false;
}

static const char *kind_text(wr_error_kind_t kind) {
    static const char *const texts[] = {
        [WR_ERROR_MALFORMED] = "malformed",   [WR_ERROR_INVALID] = "invalid",
        [WR_ERROR_UNLINKABLE] = "unlinkable", [WR_ERROR_TRAP] = "trap",
        [WR_ERROR_EXCEPTION] = "exception",   [WR_ERROR_EXIT] = "exit",
        [WR_ERROR_MEMORY] = "memory",         [WR_ERROR_IO] = "input or output",
        [WR_ERROR_USAGE] = "usage",
    };
    return texts[kind];
}

static void print_error(Buffer *log, const Error *error) {
    const char *place = wr_error_place(error);
    wr_print(log, "%s: %s", kind_text(wr_error_kind(error)), wr_error_message(error));
    if (place != NULL) wr_print(log, " (at %s)", place);
}

/* Consumes the error, which nobody expected; true if there is none. */
static bool expect_none(Run *run, Error *error) {
    if (error == NULL) return true;
    const Command *c = run->command;
    Buffer *log = begin_failure(run, c->word, c->line, c->column);
    print_error(log, error);
    wr_print(log, "\n");
    wr_error_delete(error);
    return false;
}

static bool begins(const char *text, Name with) {
    return with.data == NULL ||
           (strlen(text) >= with.size && memcmp(text, with.data, with.size) == 0);
}

/* Consumes the error; it must be of that kind and begin with the command's message. */
static bool expect_error(Run *run, Error *error, wr_error_kind_t kind) {
    const Command *c = run->command;
    bool ok = error != NULL && wr_error_kind(error) == kind &&
              begins(wr_error_message(error), c->message);
    if (!ok) {
        Buffer *log = begin_failure(run, c->word, c->line, c->column);
        wr_print(log, "expected %s", kind_text(kind));
        if (c->message.data != NULL)
            wr_print(log, " \"%.*s\"", (int)min_u32(c->message.size, 200), c->message.data);
        wr_print(log, ", got ");
        if (error != NULL) print_error(log, error);
        wr_print(log, "%s\n", error != NULL ? "" : "none");
    }
    wr_error_delete(error);
    return ok;
}

/* ---- names ---- */

/* The newest of that name; of any, for data NULL. */
static Named *find(const List *list, Name name) {
    for (u32 i = list->count; i-- > 0;)
        if (name.data == NULL ||
            (list->items[i].name.data != NULL && wr_name_compare(list->items[i].name, name) == 0))
            return &list->items[i];
    return NULL;
}

static Error *add(Run *run, List *list, Named item) {
    if (!wr_grow_array(&run->engine->alloc, &list->items, &list->capacity, (u64)list->count + 1,
                       UINT32_MAX, sizeof item))
        return ERROR_OOM;
    list->items[list->count++] = item;
    return NULL;
}

static Instance *find_instance(const Run *run, Name name) {
    const Named *found = find(&run->instances, name);
    return found ? found->instance : NULL;
}

/* ---- modules ---- */

/* With what a script needs of it: code, or nothing but what vouches for the bodies. */
static Error *load_otherwise(Run *run, const u8 *bytes, size_t size, Module **out) {
    Error *error = wr_module_load_outline(run->engine, bytes, size, BYTES_COPIED, out);
    if (error != NULL) return error;
    error = run->options->lazy ? wr_module_check_bodies(*out, BODIES_WHEN_NEEDED)
                               : wr_aot_prepare(*out);
    if (error == NULL) return NULL;
    wr_module_unref(*out);
    *out = NULL;
    return error;
}

/* Takes over what the command has of a module. */
static Error *load_bytes(Run *run, const u8 *bytes, size_t size, Module **out) {
    if (size == 0) return wr_module_load(run->engine, (const u8 *)"", 0, BYTES_BORROWED, out);
    if (run->engine->config.kind != WR_ENGINE_INTERPRETER)
        return load_otherwise(run, bytes, size, out);
    if (!run->options->lazy) return wr_module_load(run->engine, bytes, size, BYTES_COPIED, out);
    Error *error = wr_module_load(run->engine, bytes, size, BYTES_BORROWED, out);
    if (error != NULL) {
        wr_free(&run->engine->alloc, (void *)(uintptr_t)bytes, size);
        return error;
    }
    wr_module_unref(*out);
    return load_otherwise(run, bytes, size, out);
}

static Error *parse_quoted(Run *run, TextModule *module) {
    u8 *text = module->bytes;
    size_t size = module->size;
    module->bytes = NULL;
    module->size = 0;
    Error *error = wr_text_to_binary(&run->text, size ? (const char *)text : "", size,
                                     "quoted text", &module->bytes, &module->size);
    wr_free(run->text.alloc, text, size);
    return error;
}

/* Prints a binary and encodes the text. */
static Error *print_and_encode(Run *run, const u8 *bytes, size_t size, u8 **again, size_t *n) {
    char *text = NULL;
    size_t text_size = 0;
    *again = NULL;
    *n = 0;
    Error *error = wr_binary_to_text(run->text.alloc, bytes, size, &text, &text_size);
    if (error == NULL) error = wr_text_to_binary(&run->text, text, text_size, "printed", again, n);
    wr_free(run->text.alloc, text, text_size);
    return error;
}

/* Whether a binary that the encoder made is the same after having been text. */
static bool comes_back(Run *run, const u8 *bytes, size_t size) {
    u8 *again;
    size_t n;
    bool ok = expect_none(run, print_and_encode(run, bytes, size, &again, &n));
    if (ok && (n != size || memcmp(again, bytes, n) != 0))
        ok = fail(run, "does not come back from text the same");
    wr_free(run->text.alloc, again, n);
    return ok;
}

/* The same for a binary that others made: it may change once. */
static bool settles(Run *run, const Module *module) {
    u8 *first;
    size_t n;
    size_t size = (size_t)module->size;
    bool ok = expect_none(run, print_and_encode(run, module->bytes, size, &first, &n)) &&
              comes_back(run, first, n);
    wr_free(run->text.alloc, first, n);
    return ok;
}

/* Makes a module of what the command holds, which is consumed. */
static Error *load(Run *run, Command *c, Module **out) {
    *out = NULL;
    TextModule *m = &c->module;
    bool is_text = m->form != TEXT_BINARY;
    Error *error = c->module_error;
    c->module_error = NULL;
    if (error == NULL && m->form == TEXT_QUOTE) error = parse_quoted(run, m);
    if (error == NULL) {
        error = m->invalid;
        m->invalid = NULL;
    }
    if (error != NULL) return error;
    const u8 *bytes = m->bytes;
    m->bytes = NULL;
    bool checks = run->options->round_trip;
    if (checks && is_text) run->is_lossy |= !comes_back(run, bytes, m->size);
    error = load_bytes(run, bytes, m->size, out);
    if (checks && !is_text && error == NULL) run->is_lossy |= !settles(run, *out);
    return error;
}

/* Of an instance in another store only what is shared can be used. */
static bool make_accessible(const Run *run, const Instance *instance, ExternVal *export) {
    if (instance->store == run->store) return true;
    if (export->kind != EXT_MEMORY || !export->of.memory->is_shared) return false;
    export->of.memory = wr_memory_attach(run->store, export->of.memory->shared);
    return export->of.memory != NULL;
}

static Error *resolve(const Run *run, const Import *import, ExternVal *out) {
    for (u32 i = run->registered.count; i-- > 0;) {
        const Named *registered = &run->registered.items[i];
        if (wr_name_compare(registered->name, import->module) == 0 &&
            wr_instance_export(registered->instance, import->name.data, import->name.size, out) &&
            make_accessible(run, registered->instance, out))
            return NULL;
    }
    return wr_link_unknown(import);
}

static Error *instantiate(Run *run, Module *module, Instance **out) {
    const Alloc *alloc = &run->engine->alloc;
    ExternVal *imports = wr_alloc_array(alloc, module->nimports, sizeof *imports);
    if (module->nimports > 0 && imports == NULL) return ERROR_OOM;
    Error *error = NULL;
    for (u32 i = 0; i < module->nimports && error == NULL; i++)
        error = resolve(run, &module->imports[i], &imports[i]);
    if (error == NULL) error = wr_instance_new(run->store, module, imports, out);
    wr_free(alloc, imports, module->nimports * sizeof *imports);
    return error;
}

static Error *instantiate_as(Run *run, Module *module, Name name) {
    Named item = {.name = name};
    Error *error = instantiate(run, module, &item.instance);
    return error != NULL ? error : add(run, &run->instances, item);
}

/* Loads a definition and binds it; NULL after a failure. */
static Module *define(Run *run, Command *c) {
    Named item = {.name = c->module.id};
    Error *error = load(run, c, &item.module);
    if (error == NULL && (error = add(run, &run->definitions, item)) != NULL)
        wr_module_unref(item.module);
    return expect_none(run, error) ? item.module : NULL;
}

/* A module that failed must not leave the one before it as the current one. */
static bool run_module(Run *run, Command *c) {
    if (c->module_error == NULL && c->module.form == TEXT_INSTANCE) {
        const Named *definition = find(&run->definitions, c->module.definition);
        if (definition == NULL) return fail(run, "unknown module");
        return expect_none(run, instantiate_as(run, definition->module, c->module.id));
    }
    Module *module = define(run, c);
    bool ok = module != NULL;
    if (!c->module.is_definition) {
        ok = ok && expect_none(run, instantiate_as(run, module, c->module.id));
        if (!ok) wr_error_delete(add(run, &run->instances, (Named){.name = c->module.id}));
    }
    return ok;
}

static bool run_register(Run *run, const Command *c) {
    Instance *instance = find_instance(run, c->instance);
    if (instance == NULL) return fail(run, "unknown instance");
    return expect_none(run, add(run, &run->registered, (Named){c->name, NULL, instance}));
}

/* ---- actions ---- */

/* What an action came to: results at `slots`, of these types. */
typedef struct Outcome {
    const ValType *types;
    u32 count;
    Slot *slots; /* in the arena */
} Outcome;

static Error *wrong_use(const char *what, Name name) {
    return wr_error_at(WR_ERROR_USAGE, NO_OFFSET, "%s \"%.*s\"", what, (int)min_u32(name.size, 200),
                       name.data);
}

static Error *pass_arguments(Run *run, const Action *action, const Func *func, Slot *slots) {
    const DefType *type = func->type;
    if (action->nargs != type->nparams)
        return wrong_use("wrong number of arguments:", action->name);
    for (u32 i = 0; i < action->nargs; i++) {
        bool out_of_memory;
        if (!wr_value_pass(run->store, &action->args[i], type->types[i], slots, &out_of_memory))
            return out_of_memory ? ERROR_OOM
                                 : wrong_use("argument of the wrong type:", action->name);
        slots += type_slots(type->types[i]);
    }
    return NULL;
}

static Error *invoke(Run *run, const Action *action, Func *func, Outcome *out) {
    u32 n = func->param_slots > func->result_slots ? func->param_slots : func->result_slots;
    Slot *slots = wr_arena_new(&run->arena, (size_t)n + 1, sizeof *slots);
    if (slots == NULL) return ERROR_OOM;
    *out = (Outcome){func->type->types + func->type->nparams, func->type->nresults, slots};
    Error *error = pass_arguments(run, action, func, slots);
    return error != NULL ? error : wr_store_call(run->store, func, slots);
}

static Error *act(Run *run, const Action *action, Outcome *out) {
    Instance *instance = find_instance(run, action->instance);
    if (instance == NULL) return wrong_use("no instance for", action->name);
    ExternVal export;
    if (!wr_instance_export(instance, action->name.data, action->name.size, &export) ||
        export.kind != (action->is_get ? EXT_GLOBAL : EXT_FUNC))
        return wrong_use("unknown export", action->name);
    if (!action->is_get) return invoke(run, action, export.of.func, out);
    const Global *global = export.of.global;
    *out = (Outcome){&global->type, 1, (Slot *)global->value};
    return NULL;
}

static Error *run_action(Run *run, const Command *c) {
    Outcome ignored;
    return act(run, &c->action, &ignored);
}

static void print_outcome(Run *run, const Outcome *o) {
    const Command *c = run->command;
    Buffer *log = begin_failure(run, c->word, c->line, c->column);
    wr_print(log, "expected");
    for (u32 i = 0; i < c->nresults; i++) {
        wr_print(log, " ");
        wr_value_print(log, &c->results[i]);
    }
    wr_print(log, c->nresults == 0 ? " nothing, got" : ", got");
    const Slot *slots = o->slots;
    for (u32 i = 0; i < o->count; slots += type_slots(o->types[i]), i++) {
        wr_print(log, " ");
        wr_value_print_slots(log, run->store, o->types[i], slots);
    }
    wr_print(log, o->count == 0 ? " nothing\n" : "\n");
}

static bool assert_return(Run *run, const Command *c) {
    Outcome o;
    if (!expect_none(run, act(run, &c->action, &o))) return false;
    bool ok = o.count == c->nresults;
    const Slot *slots = o.slots;
    for (u32 i = 0; ok && i < o.count; slots += type_slots(o.types[i]), i++)
        ok = wr_value_matches(run->store, &c->results[i], o.types[i], slots);
    if (!ok) print_outcome(run, &o);
    return ok;
}

/* ---- assertions about modules ---- */

/* Loads and, for what is to go wrong later, instantiates. */
static Error *try_module(Run *run, Command *c, bool and_instantiate) {
    Module *module = NULL;
    Instance *ignored;
    Error *error = load(run, c, &module);
    if (error != NULL) return error;
    if (and_instantiate) error = instantiate(run, module, &ignored);
    wr_module_unref(module);
    return error;
}

static bool assert_trap(Run *run, Command *c) {
    Error *error = c->has_module ? try_module(run, c, true) : run_action(run, c);
    return expect_error(run, error, WR_ERROR_TRAP);
}

/* ---- commands ---- */

static bool run_thread(Run *run, const Command *c);
static bool run_wait(Run *run, const Command *c);

static bool run_command(Run *run, Command *c) {
    switch (c->kind) {
    case COMMAND_MODULE: return run_module(run, c);
    case COMMAND_REGISTER: return run_register(run, c);
    case COMMAND_ACTION: return expect_none(run, run_action(run, c));
    case COMMAND_THREAD: return run_thread(run, c);
    case COMMAND_WAIT: return run_wait(run, c);
    case ASSERT_RETURN: return assert_return(run, c);
    case ASSERT_TRAP: return assert_trap(run, c);
    case ASSERT_EXHAUSTION:
    case ASSERT_SUSPENSION: return expect_error(run, run_action(run, c), WR_ERROR_TRAP);
    case ASSERT_EXCEPTION: return expect_error(run, run_action(run, c), WR_ERROR_EXCEPTION);
    case ASSERT_INVALID:
    case ASSERT_INVALID_CUSTOM:
        return expect_error(run, try_module(run, c, false), WR_ERROR_INVALID);
    case ASSERT_MALFORMED:
    case ASSERT_MALFORMED_CUSTOM:
        return expect_error(run, try_module(run, c, false), WR_ERROR_MALFORMED);
    case ASSERT_UNLINKABLE: return expect_error(run, try_module(run, c, true), WR_ERROR_UNLINKABLE);
    case COMMAND_END:
    case COMMAND_KINDS: break;
    }
    return false;
}

static void count(Run *run, const Command *c, bool ok) {
    ScriptResult *r = run->result;
    bool is_assertion = command_is_assertion(c->kind);
    r->commands++;
    r->commands_ok += ok;
    r->assertions += is_assertion;
    r->assertions_ok += is_assertion && ok;
}

/* What the host got of the heap lives until the next command. */
static void run_next(Run *run, Command *c) {
    size_t scope = wr_store_open_scope(run->store);
    run->command = c;
    run->is_lossy = false;
    bool ok = run_command(run, c) && !run->is_lossy;
    count(run, c, ok);
    wr_store_close_scope(run->store, scope);
    wr_script_drop_module(&run->text, c);
}

/* Counts as a command that failed. */
static void fail_script(Run *run, Error *error) {
    if (error == NULL) return;
    Command nothing = {.kind = COMMAND_END, .word = ""};
    const char *place = wr_error_place(error);
    wr_print(&run->result->log, "%s: %s\n", place ? place : run->file, wr_error_message(error));
    wr_error_delete(error);
    count(run, &nothing, false);
}

/* To the end of the script, or of a thread's commands. */
static void run_commands(Run *run) {
    for (;;) {
        Command c;
        wr_script_next(&run->reader, &run->text, &run->arena, &c);
        if (c.kind == COMMAND_END) break;
        run_next(run, &c);
    }
    bool has_more =
        run->reader.error == NULL && wr_text_is(&run->reader, TOKEN_CLOSE) && run->outer == NULL;
    if (has_more) wr_text_unexpected(&run->reader);
    Error *error = run->reader.error;
    run->reader.error = NULL;
    fail_script(run, error);
}

/* The text is a module without "(module". */
static void run_fields(Run *run, const char *text, size_t size) {
    Command c = {.kind = COMMAND_MODULE, .line = 1, .column = 1, .word = "module"};
    c.has_module = true;
    c.module_error =
        wr_text_to_binary(&run->text, text, size, run->file, &c.module.bytes, &c.module.size);
    run_next(run, &c);
}

/* ---- a run ---- */

static Error *begin(Run *run, Engine *engine, const ScriptOptions *options, const char *file,
                    ScriptResult *result) {
    *run = (Run){.options = options, .file = file, .engine = engine, .result = result};
    run->text =
        (TextOptions){.alloc = &engine->alloc,
                      .names = options->round_trip,
                      .narrow_limits = !feature_on(engine->config.features, FEATURE_MEMORY64)};
    wr_arena_init(&run->arena, &engine->alloc);
    wr_buffer_init(&result->log, &engine->alloc, BUFFER_MAX);
    Error *error = wr_store_new(engine, &run->store);
    if (error != NULL) return error;
    Instance *spectest[SPECTEST_INSTANCES];
    error = wr_spectest_new(&run->spectest, run->store, options->verbose ? &result->log : NULL,
                            spectest);
    for (u32 i = 0; i < SPECTEST_INSTANCES && error == NULL; i++)
        if (spectest[i] != NULL)
            error = add(run, &run->registered, (Named){{"spectest", 8}, NULL, spectest[i]});
    return error;
}

static void free_list(Run *run, List *list) {
    for (u32 i = 0; i < list->count; i++)
        if (list->items[i].module != NULL) wr_module_unref(list->items[i].module);
    wr_free(&run->engine->alloc, list->items, list->capacity * sizeof *list->items);
}

/* All threads but this one's have ended, or use nothing of its store. */
static void end(Run *run) {
    if (run->store != NULL) wr_store_delete(run->store);
    free_list(run, &run->definitions);
    free_list(run, &run->instances);
    free_list(run, &run->registered);
    wr_arena_free(&run->arena);
}

/* ---- threads ---- */

/* Runs on the new thread. */
static void thread_main(void *context) { run_commands(context); }

/* What the outer script lets the thread see. */
static bool share_instances(Run *run, Run *inner, const Command *c) {
    for (u32 i = 0; i < c->nshared; i++) {
        Named item = {.name = c->shared[i], .instance = find_instance(run, c->shared[i])};
        if (item.instance == NULL) return fail(run, "unknown instance");
        if (!expect_none(run, add(inner, &inner->instances, item))) return false;
    }
    return true;
}

static bool start_thread(Run *run, Run *inner, const Command *c) {
    Error *error = begin(inner, run->engine, run->options, run->file, &inner->own);
    inner->outer = run;
    inner->name = c->name;
    inner->reader = c->body;
    if (!expect_none(run, error) || !share_instances(run, inner, c)) return false;
    inner->thread = wr_os_thread_start(thread_main, inner);
    return inner->thread != NULL || fail(run, "cannot start a thread");
}

static bool run_thread(Run *run, const Command *c) {
    Run *inner = wr_alloc_zero(&run->engine->alloc, sizeof *inner);
    if (inner == NULL) return expect_none(run, ERROR_OOM);
    if (start_thread(run, inner, c)) {
        inner->next = run->threads;
        run->threads = inner;
        return true;
    }
    end(inner);
    wr_buffer_free(&inner->own.log);
    wr_free(&run->engine->alloc, inner, sizeof *inner);
    return false;
}

/* Waits for the thread at *place, takes over what it counted, and forgets it. */
static void join_thread(Run *run, Run **place) {
    Run *inner = *place;
    wr_os_thread_join(inner->thread);
    while (inner->threads != NULL) join_thread(inner, &inner->threads);
    *place = inner->next;
    ScriptResult *sum = run->result, *own = &inner->own;
    sum->commands += own->commands;
    sum->commands_ok += own->commands_ok;
    sum->assertions += own->assertions;
    sum->assertions_ok += own->assertions_ok;
    wr_put_bytes(&sum->log, own->log.data, own->log.size);
    end(inner);
    wr_buffer_free(&own->log);
    wr_free(&run->engine->alloc, inner, sizeof *inner);
}

static bool run_wait(Run *run, const Command *c) {
    for (Run **place = &run->threads; *place != NULL; place = &(*place)->next) {
        if (wr_name_compare((*place)->name, c->name) != 0) continue;
        join_thread(run, place);
        return true;
    }
    return fail(run, "unknown thread");
}

void wr_script_run(Engine *engine, const ScriptOptions *options, const char *name, const char *text,
                   size_t size, ScriptResult *result) {
    *result = (ScriptResult){0};
    Run *run = wr_alloc(&engine->alloc, sizeof *run);
    if (run == NULL) {
        wr_buffer_init(&result->log, &engine->alloc, BUFFER_MAX);
        result->commands = 1;
        return;
    }
    Error *error = begin(run, engine, options, name, result);
    if (error != NULL) {
        fail_script(run, error);
    } else {
        wr_text_open(&run->reader, text, size, name);
        if (wr_script_is_module(&run->reader))
            run_fields(run, text, size);
        else
            run_commands(run);
        while (run->threads != NULL) join_thread(run, &run->threads);
    }
    end(run);
    wr_free(&engine->alloc, run, sizeof *run);
}
