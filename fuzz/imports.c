/*
 * imports.c - see imports.h. It makes run-time objects as the runtime itself does, since the public
 * interface lets hosts define functions only.
 */
#include "imports.h"

#include "memory.h"
#include "table.h"

/* ---- values --------------------------------------------------------------------------------- */

/* Some function of the store that is of the type. */
static bool find_function(Guest *guest, ValType type, Slot *value) {
    const Store *store = guest->store;
    u32 count = store->nfuncs, start = (u32)random_below(&guest->random, count);
    for (u32 i = 0; i < count; i++) {
        value->ref = (start + i) % count;
        if (value->ref != 0 && wr_store_ref_matches(store, value->ref, type)) return true;
    }
    return false;
}

/* One that came from the guest: an object, perhaps. */
static bool find_reference(Guest *guest, ValType type, Slot *value) {
    u64 start = random_next(&guest->random);
    for (u64 i = 0; i < ARRAY_LEN(guest->references); i++) {
        value->ref = guest->references[(start + i) % ARRAY_LEN(guest->references)];
        if (value->ref != 0 && wr_store_ref_matches(guest->store, value->ref, type)) return true;
    }
    return false;
}

/* An i31, or a value of the host's. */
static bool make_scalar(Guest *guest, ValType type, Slot *value) {
    u64 i31 = (u32)random_next(&guest->random) | 1;
    u64 host_value = wr_store_new_extern(guest->store, guest);
    bool host_first = host_value != 0 && random_one_in(&guest->random, 2);
    value->ref = host_first ? host_value : i31;
    if (wr_store_ref_matches(guest->store, value->ref, type)) return true;
    value->ref = host_first ? i31 : host_value;
    return value->ref != 0 && wr_store_ref_matches(guest->store, value->ref, type);
}

static bool make_reference(Guest *guest, ValType type, Slot *value) {
    value->ref = 0;
    if (type_is_nullable(type) && random_one_in(&guest->random, 3)) return true;
    if (random_one_in(&guest->random, 2) && find_reference(guest, type, value)) return true;
    if (find_function(guest, type, value) || make_scalar(guest, type, value)) return true;
    if (find_reference(guest, type, value)) return true;
    value->ref = 0;
    return type_is_nullable(type);
}

bool wr_fuzz_value(Guest *guest, ValType type, Slot value[2]) {
    Random *random = &guest->random;
    value[0].u64 = random_value(random);
    switch ((int)type_kind(type)) {
    case VK_I32:
    case VK_F32: value[0].u64 = (u32)value[0].u64; return true;
    case VK_V128: value[1].u64 = random_value(random); return true;
    case VK_REF: return make_reference(guest, type, value);
    default: return true;
    }
}

/* ---- functions ------------------------------------------------------------------------------ */

typedef struct HostStub {
    Guest *guest;
    const DefType *type;
} HostStub;

bool wr_fuzz_is_limit(const Error *error) {
    if (error == NULL) return false;
    wr_trap_code_t trap = wr_error_trap_code(error);
    return wr_error_kind(error) == WR_ERROR_MEMORY || trap == WR_TRAP_STACK_EXHAUSTED ||
           trap == WR_TRAP_ALLOCATION_FAILURE || trap == WR_TRAP_OUT_OF_FUEL ||
           trap == WR_TRAP_DEADLINE;
}

/* Calls some function of the store that takes and gives few values, and hands on how that ended or
 * does not. */
static Error *call_back(Guest *guest) {
    Store *store = guest->store;
    Func *func = store->funcs[1 + random_below(&guest->random, store->nfuncs - 1)];
    Slot slots[16] = {{0}}, *slot = slots;
    if (guest->callbacks == 0 || func->param_slots > 14 || func->result_slots > 14) return NULL;
    guest->callbacks--;
    for (u32 i = 0; i < func->type->nparams; i++) {
        if (!wr_fuzz_value(guest, func->type->types[i], slot)) return NULL;
        slot += type_slots(func->type->types[i]);
    }
    Error *error = wr_store_call(store, func, slots);
    if (wr_fuzz_is_limit(error)) guest->limited = true;
    if (random_one_in(&guest->random, 2)) return error;
    wr_error_delete(error);
    return NULL;
}

/* Memory that a host function was given is there to its last byte, and may then move. */
static void use_memory(Guest *guest, Caller *caller) {
    Instance *instance = wr_caller_instance(caller);
    if (!instance || !instance->exported_memory) return;
    Memory *memory = instance->exported_memory;
    u8 *bytes = wr_caller_memory(caller, 0, memory->size);
    CHECK(bytes && !wr_caller_memory(caller, 1, memory->size));
    if (memory->size > 0) bytes[memory->size - 1] ^= 1;
    (void)wr_memory_grow(memory, random_below(&guest->random, 3));
}

static Error *make_results(HostStub *stub, Slot *slots) {
    const DefType *type = stub->type;
    for (u32 i = 0; i < type->nresults; i++) {
        ValType result = type->types[type->nparams + i];
        Slot value[2];
        if (!wr_fuzz_value(stub->guest, result, value)) return wr_trap_new("no such value");
        memcpy(slots, value, type_slots(result) * sizeof *slots);
        slots += type_slots(result);
    }
    return NULL;
}

static wr_error_t *host_function(wr_caller_t *caller, void *context, wr_slot_t *slots) {
    HostStub *stub = context;
    Guest *guest = stub->guest;
    Error *error = NULL;
    switch (random_below(&guest->random, 32)) {
    case 0: return wr_trap_new("the host refuses");
    case 1: error = random_one_in(&guest->random, 4) ? wr_exit_new(7) : NULL; break;
    case 2:
    case 3: use_memory(guest, caller); break;
    case 4:
    case 5:
    case 6: error = call_back(guest); break;
    default: break;
    }
    return error ? error : make_results(stub, (Slot *)(void *)slots);
}

static Func *make_function(Guest *guest, u32 import, const DefType *type) {
    HostStub *stub = &guest->stubs[import];
    *stub = (HostStub){guest, type};
    HostFunc *host = wr_host_func_new(guest->store->engine, "fuzz", "stub", NULL, 0, 0);
    if (!host) return NULL;
    host->func = host_function;
    host->context = stub;
    Func *func = wr_store_new_host_func(guest->store, type, host);
    wr_host_func_unref(host);
    return func;
}

/* ---- tables, memories, globals, tags -------------------------------------------------------- */

static Table *make_table(Guest *guest, const TableDecl *decl) {
    Table *table = NULL;
    Error *error = wr_table_new(guest->store, decl, &table);
    wr_error_delete(error);
    if (error || table->size == 0) return table;
    Slot value[2];
    if (wr_fuzz_value(guest, decl->type, value)) {
        (void)wr_table_fill(table, 0, value[0].u32, table->size);
        return table;
    }
    return type_is_nullable(decl->type) ? table : NULL;
}

static Memory *make_memory(Guest *guest, const MemoryDecl *decl) {
    Memory *memory = NULL;
    Error *error = wr_memory_new(guest->store, decl, &memory);
    wr_error_delete(error);
    return memory;
}

static Global *make_global(Guest *guest, const GlobalDecl *decl) {
    Store *s = guest->store;
    Slot value[2] = {{0}};
    if (!wr_fuzz_value(guest, decl->type, value)) return NULL;
    if (!wr_grow_array(&s->alloc, &s->host_globals, &s->cap_host_globals, (u64)s->nhost_globals + 1,
                       UINT32_MAX, sizeof(Global *))) {
        return NULL;
    }
    Global *global = wr_alloc_zero(&s->alloc, sizeof *global);
    if (!global) return NULL;
    memcpy(global->value, value, sizeof value);
    global->type = decl->type;
    global->mutable = decl->mutable;
    global->wide = decl->type == T_V128;
    global->store = s;
    return s->host_globals[s->nhost_globals++] = global;
}

static Tag *make_tag(Guest *guest, const TagDecl *decl) {
    Store *s = guest->store;
    if (!wr_grow_array(&s->alloc, &s->tags, &s->cap_tags, (u64)s->ntags + 1, UINT32_MAX,
                       sizeof(Tag *))) {
        return NULL;
    }
    Tag *tag = wr_alloc_zero(&s->alloc, sizeof *tag);
    if (!tag) return NULL;
    tag->type = decl->type;
    tag->index = s->ntags;
    return s->tags[s->ntags++] = tag;
}

/* ---- all imports ---------------------------------------------------------------------------- */

static bool make_import(Guest *guest, u32 i) {
    const Module *m = guest->module;
    ExternVal *out = &guest->imports[i];
    u32 index = m->imports[i].index;
    out->kind = m->imports[i].kind;
    switch (out->kind) {
    case EXT_FUNC: return (out->of.func = make_function(guest, i, m->funcs[index].type)) != NULL;
    case EXT_TABLE: return (out->of.table = make_table(guest, &m->tables[index])) != NULL;
    case EXT_MEMORY: return (out->of.memory = make_memory(guest, &m->memories[index])) != NULL;
    case EXT_GLOBAL: return (out->of.global = make_global(guest, &m->globals[index])) != NULL;
    case EXT_TAG: return (out->of.tag = make_tag(guest, &m->tags[index])) != NULL;
    }
    return false;
}

/* Functions first: other imports may be references to them. */
bool wr_fuzz_imports(Guest *guest) {
    u32 count = guest->module->nimports;
    guest->imports = calloc(count + 1, sizeof *guest->imports);
    guest->stubs = calloc(count + 1, sizeof *guest->stubs);
    CHECK(guest->imports && guest->stubs);
    for (u32 pass = 0; pass < 2; pass++) {
        for (u32 i = 0; i < count; i++) {
            bool is_func = guest->module->imports[i].kind == EXT_FUNC;
            if (is_func == (pass == 0) && !make_import(guest, i)) return false;
        }
    }
    return true;
}

void wr_fuzz_imports_free(Guest *guest) {
    free(guest->imports);
    free(guest->stubs);
}
