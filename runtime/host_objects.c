/*
 * host_objects.c - what the host makes in a store without a module: globals and tags. Memories and
 * tables are made alike for both, in their own files; functions are host_func.c's.
 */
#include "store.h"

Global *wr_store_new_global(Store *store, ValType type, bool is_mutable, const Slot *value) {
    if (!wr_grow_array(&store->alloc, &store->host_globals, &store->cap_host_globals,
                       (u64)store->nhost_globals + 1, UINT32_MAX, sizeof(Global *))) {
        return NULL;
    }
    Global *global = wr_alloc_zero(&store->alloc, sizeof *global);
    if (!global) return NULL;
    global->type = type;
    global->mutable = is_mutable;
    global->wide = type == T_V128;
    global->store = store;
    memcpy(global->value, value, type_slots(type) * sizeof *value);
    return store->host_globals[store->nhost_globals++] = global;
}

Tag *wr_store_new_tag(Store *store, const DefType *type, RecGroup *group) {
    u64 need = (u64)store->ntags + 1;
    if (!wr_grow_array(&store->alloc, &store->tags, &store->cap_tags, need, UINT32_MAX,
                       sizeof(Tag *))) {
        return NULL;
    }
    Tag *tag = wr_alloc(&store->alloc, sizeof *tag);
    if (!tag) return NULL;
    tag->type = type;
    tag->group = group;
    tag->index = store->ntags;
    return store->tags[store->ntags++] = tag;
}
