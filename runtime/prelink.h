/*
 * prelink.h - pre-linked modules: what every instantiation of a module with the same imports would
 * do again is done once.
 *
 * Imports are resolved (to host functions: nothing else lives outside of stores) and their types
 * compared; global initialisers, element segments and data segments are evaluated in a store that is
 * then thrown away. What results are numbers: the functions of an instance that is the first in its
 * store always have the same handles, so tables and globals can be copied from a template as they
 * are, and a memory's contents are an image (image.h). Instances are made in kits (kit.h): stores
 * with everything in place, that are used again.
 *
 * Not all modules can be had like that (has_kits): objects of the garbage-collected heap in initial
 * values and shared memories belong to one store. These are instantiated as others are, only that
 * nothing is looked up.
 *
 * Immutable once made but for the kits; counted; for any number of threads.
 */
#ifndef WR_PRELINK_H
#define WR_PRELINK_H

#include "image.h"
#include "kit.h"
#include "memory.h"

struct wr_prelinked {
    atomic_size_t refs;
    Engine *engine;     /* counted */
    Module *module;     /* counted */
    HostFunc **imports; /* counted, by import */
    bool has_kits;
    /* the template: initial values in the order of the module's index spaces, nothing is imported */
    Slot (*globals)[2];
    u32 **tables; /* of decl.limits.min elements, NULL if there are none */
    u32 **elem_values;
    bool *dropped_elems, *dropped_datas;
    MemoryImage *images;
    PageScanner scanner;
    KitPool pool;
};

/* `imports` are counted for it. Errors: an import's type is another, an active segment does not fit,
 * out of memory. */
NODISCARD Error *wr_prelinked_new(Engine *engine, Module *module, HostFunc *const *imports,
                                  Prelinked **out);
Prelinked *wr_prelinked_ref(Prelinked *pre);
void wr_prelinked_unref(Prelinked *pre);

/* Functions for the imports, appended to an empty array of `module->nimports`. */
NODISCARD bool wr_prelinked_bind(const Prelinked *pre, Store *store, ExternVal *imports);
/* Gives an instance in a kit its initial values, except for memories. */
void wr_prelinked_apply(const Prelinked *pre, Instance *instance);

#endif
