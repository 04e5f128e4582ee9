/*
 * pausing.c - many guests take turns in one thread: each gets some fuel, pauses when it is spent, and goes on when
 * it is its turn again. None of them knows about it.
 */
#include <stdio.h>
#include <string.h>
#include <wasmrun.h>

enum { GUESTS = 3, SLICE = 2000 };

/* Counts down from its argument, slowly, and tells each hundred. */
static const char text[] =
    "(module (import \"app\" \"tell\" (func $tell (param i32 i32)))"
    " (func (export \"count\") (param $who i32) (param $n i32) (result i32) (local $steps i32)"
    "  (loop $next"
    "   (if (i32.eqz (i32.rem_u (local.get $n) (i32.const 100)))"
    "    (then (call $tell (local.get $who) (local.get $n))))"
    "   (local.set $steps (i32.add (local.get $steps) (i32.const 1)))"
    "   (br_if $next (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))"
    "  (local.get $steps)))";

static wr_error_t *tell(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    (void)caller;
    (void)context;
    printf("guest %d is at %d\n", slots[0].i32, slots[1].i32);
    return NULL;
}

typedef struct Guest {
    wr_store_t *store;
    wr_call_t *paused; /* NULL when it has ended */
    wr_val_t result;
} Guest;

static wr_error_t *start(Guest *guest, int number, wr_engine_t *engine, wr_linker_t *linker,
                         wr_module_t *module) {
    wr_instance_t *instance;
    wr_error_t *error = wr_store_new(engine, &guest->store);
    if (!error) error = wr_linker_instantiate(linker, guest->store, module, &instance);
    if (error) return error;
    wr_store_set_fuel(guest->store, SLICE);
    wr_val_t args[2] = {{.kind = WR_I32, .of.i32 = number},
                        {.kind = WR_I32, .of.i32 = 100 * (number + 1)}};
    return wr_call_start(guest->store, wr_instance_func(instance, "count"), args, 2, &guest->result,
                         1, &guest->paused);
}

/* Another slice for each, until all have ended. */
static wr_error_t *take_turns(Guest *guests) {
    for (int running = GUESTS; running > 0;) {
        running = 0;
        for (int i = 0; i < GUESTS; i++) {
            Guest *guest = &guests[i];
            if (!guest->paused) continue;
            wr_store_add_fuel(guest->store, SLICE);
            wr_error_t *error = wr_call_resume(guest->paused, &guest->result, 1, &guest->paused);
            if (error) return error;
            if (!guest->paused) printf("guest %d took %d steps\n", i, guest->result.of.i32);
            running += guest->paused != NULL;
        }
    }
    return NULL;
}

static wr_error_t *run(wr_engine_t *engine, wr_linker_t *linker, Guest *guests) {
    uint8_t *bytes;
    size_t size;
    wr_module_t *module;
    wr_error_t *error = wr_wat_to_wasm(text, strlen(text), "count.wat", true, &bytes, &size);
    if (error) return error;
    error = wr_module_new(engine, bytes, size, &module);
    wr_bytes_delete(bytes, size);
    if (error) return error;
    error = wr_linker_define_func(linker, "app", "tell", "ii>", tell, NULL, NULL);
    for (int i = 0; i < GUESTS && !error; i++) error = start(&guests[i], i, engine, linker, module);
    wr_module_delete(module); /* instances keep it */
    return error ? error : take_turns(guests);
}

int main(void) {
    Guest guests[GUESTS] = {{0}};
    wr_engine_t *engine = NULL;
    wr_linker_t *linker = NULL;
    wr_error_t *error = wr_engine_new(NULL, &engine);
    if (!error) linker = wr_linker_new(engine);
    if (linker) error = run(engine, linker, guests);
    if (error) fprintf(stderr, "%s\n", wr_error_message(error));
    int result = error || !linker;
    wr_error_delete(error);
    for (int i = 0; i < GUESTS; i++) {
        wr_call_delete(guests[i].paused);
        wr_store_delete(guests[i].store);
    }
    wr_linker_delete(linker);
    wr_engine_delete(engine);
    return result;
}
