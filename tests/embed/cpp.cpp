/*
 * cpp.cpp - wasmrun.h from C++: owners with destructors, a lambda as host function, errors that are looked at. Nothing of
 * C++'s library, so that a compiler alone will do.
 */
#include <stdio.h>
#include <string.h>
#include <wasmrun.h>

/* Owns one object, and deletes it by the function of its type. */
template <typename T, void (*remove)(T *)> class Owner {
  public:
    explicit Owner(T *object = nullptr) : object_(object) {}
    Owner(const Owner &) = delete;
    Owner &operator=(const Owner &) = delete;
    ~Owner() { remove(object_); }
    operator T *() const { return object_; }
    T **out() { return &object_; }

  private:
    T *object_;
};
using Engine = Owner<wr_engine_t, wr_engine_delete>;
using Module = Owner<wr_module_t, wr_module_delete>;
using Linker = Owner<wr_linker_t, wr_linker_delete>;
using Store = Owner<wr_store_t, wr_store_delete>;
using Failure = Owner<wr_error_t, wr_error_delete>;

static const char text[] = "(import \"host\" \"add\" (func $add (param i32 i32) (result i32)))"
                           "(func (export \"twice\") (param i32) (result i32)"
                           "  (call $add (local.get 0) (local.get 0)))"
                           "(func (export \"fail\") unreachable)";

static bool went_well(wr_error_t *error) {
    Failure failure(error);
    if (error) fprintf(stderr, "%s\n", wr_error_message(failure));
    return !error;
}

/* Function pointers are what lambdas without captures turn into; what they would capture is the context. */
static wr_error_t *define(wr_linker_t *linker, int *calls) {
    return wr_linker_define_func(
        linker, "host", "add", "ii>i",
        [](wr_caller_t *, void *context, wr_slot_t *slots) -> wr_error_t * {
            ++*static_cast<int *>(context);
            slots[0].i32 = slots[0].i32 + slots[1].i32;
            return nullptr;
        },
        calls, nullptr);
}

static bool load(wr_engine_t *engine, wr_module_t **module) {
    uint8_t *bytes = nullptr;
    size_t size = 0;
    if (!went_well(wr_wat_to_wasm(text, strlen(text), nullptr, true, &bytes, &size))) return false;
    bool ok = went_well(wr_module_new(engine, bytes, size, module));
    wr_bytes_delete(bytes, size);
    return ok;
}

int main() {
    Engine engine;
    Module module;
    Store store;
    wr_instance_t *instance = nullptr;
    int calls = 0;
    if (!went_well(wr_engine_new(nullptr, engine.out())) || !load(engine, module.out())) return 1;
    Linker linker(wr_linker_new(engine));
    if (!went_well(define(linker, &calls)) || !went_well(wr_store_new(engine, store.out())) ||
        !went_well(wr_linker_instantiate(linker, store, module, &instance)))
        return 1;
    wr_val_t argument{}, result{};
    argument.kind = WR_I32;
    argument.of.i32 = 21;
    if (!went_well(
            wr_func_call(store, wr_instance_func(instance, "twice"), &argument, 1, &result, 1)))
        return 1;
    Failure trap(wr_func_call(store, wr_instance_func(instance, "fail"), nullptr, 0, nullptr, 0));
    printf("%d in %d call, then: %s\n", result.of.i32, calls, wr_error_message(trap));
    return wr_error_trap_code(trap) == WR_TRAP_UNREACHABLE ? 0 : 1;
}
