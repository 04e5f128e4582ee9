/* lazy_bodies.c - see lazy_bodies.h. */
#include "lazy_bodies.h"

#include "os.h"
#include "store.h"
#include "validate.h"
#include "validate_code.h"

struct LazyBodies {
    OsMutex lock;
    Arena arena;     /* under lock */
    u64 map_entries; /* of local maps that may still be made (local_map.c); under lock */
    _Atomic(const Code *) codes[]; /* by function, imports not counted; NULL: not validated yet */
};

static size_t size_of(const Module *m) {
    return sizeof(LazyBodies) + m->ncodes * sizeof(_Atomic(const Code *));
}

LazyBodies *wr_lazy_bodies_new(const Module *m) {
    LazyBodies *bodies = wr_alloc_zero(&m->engine->alloc, size_of(m));
    if (bodies == NULL) return NULL;
    wr_os_mutex_init(&bodies->lock);
    wr_arena_init(&bodies->arena, &m->engine->alloc);
    bodies->map_entries = wr_local_map_entries(m);
    return bodies;
}

void wr_lazy_bodies_free(LazyBodies *bodies, const Module *m) {
    if (bodies == NULL) return;
    wr_arena_free(&bodies->arena);
    wr_os_mutex_destroy(&bodies->lock);
    wr_free(&m->engine->alloc, bodies, size_of(m));
}

/* ---- validating one ---- */

static Error *validate(const Module *m, LazyBodies *bodies, Code *code) {
    Checker checker;
    wr_checker_init(&checker, m);
    Error *error = wr_check_body(&checker, code, &bodies->arena);
    wr_checker_free(&checker);
    return error != NULL ? error : wr_make_local_map(m, code, &bodies->arena, &bodies->map_entries);
}

/* Under the lock. What goes wrong leaves nothing behind: it may be tried again for ever. */
static const Code *make(const Module *m, LazyBodies *bodies, u32 i, Error **error) {
    Arena before = bodies->arena;
    Code *code = wr_arena_copy(&bodies->arena, &m->codes[i], sizeof *code);
    *error = code == NULL ? ERROR_OOM : validate(m, bodies, code);
    if (*error == NULL) return code;
    wr_arena_rewind(&bodies->arena, &before);
    return NULL;
}

const Code *wr_lazy_body(const Module *m, u32 func_index, Error **error) {
    LazyBodies *bodies = m->lazy;
    u32 i = func_index - m->nimported_funcs;
    const Code *code = atomic_load_explicit(&bodies->codes[i], memory_order_acquire);
    *error = NULL;
    if (code != NULL) return code;
    wr_os_mutex_lock(&bodies->lock);
    code = atomic_load_explicit(&bodies->codes[i], memory_order_relaxed);
    if (code == NULL && (code = make(m, bodies, i, error)) != NULL)
        atomic_store_explicit(&bodies->codes[i], code, memory_order_release);
    wr_os_mutex_unlock(&bodies->lock);
    return code;
}

u64 wr_body_start(const Module *m, u32 func_index) {
    const Code *code = wr_module_code(m, func_index);
    if (m->lazy == NULL) return wr_module_offset(m, code->start);
    Reader r = {.pos = code->start, .end = code->end, .base = m->bytes};
    wr_skip_locals(&r);
    wr_error_delete(r.error);
    return wr_module_offset(m, r.pos);
}
