/* hints.c - see hints.h. */
#include "hints.h"

#include <stdlib.h>

#include "binary.h"
#include "decode.h"
#include "store.h"

#define SECTION "metadata.code.branch_hint"
#define HEADER 8u     /* bytes: magic number and version */
#define LEAST_HINT 3u /* bytes: an offset, the size 1, 0 or 1 */

static const CustomSection *find_section(const Module *m) {
    static const Name wanted = {SECTION, sizeof SECTION - 1};
    for (u32 i = 0; i < m->ncustoms; i++)
        if (wr_name_compare(m->customs[i].name, wanted) == 0) return &m->customs[i];
    return NULL;
}

/* At the first body of the code section, before its size. */
static Reader open_bodies(const Module *m) {
    Reader r = {.pos = m->bytes + HEADER, .end = m->bytes + m->size, .base = m->bytes};
    while (r.error == NULL && r.pos < r.end) {
        u8 id = wr_read_u8(&r);
        u32 size = wr_read_u32(&r);
        if (id == SECTION_CODE) break;
        (void)wr_read_bytes(&r, size);
    }
    (void)wr_read_count(&r, 0);
    return r;
}

/* Where the next body begins: with its local declarations, which hints count from. */
static const u8 *next_body(Reader *bodies, u32 *size) {
    *size = wr_read_u32(bodies);
    return wr_read_bytes(bodies, *size);
}

/* The hints of one function. */
static void read_function(Plan *plan, Reader *r, u64 body, u32 size) {
    for (u32 n = wr_read_count(r, LEAST_HINT); n > 0; n--) {
        u32 offset = wr_read_u32(r);
        bool is_byte = wr_read_u32(r) == 1;
        u8 value = wr_read_u8(r);
        if (r->error == NULL && (!is_byte || value > 1 || offset >= size))
            wr_reader_fail(r, r->pos, "malformed branch hint");
        if (r->error != NULL) return;
        plan->hints[plan->nhints++] = (BranchHint){body + offset, value == 1};
    }
}

/* Functions are in order; so the bodies are gone through once. */
static void read_functions(Plan *plan, Reader *r) {
    const Module *m = plan->module;
    Reader bodies = open_bodies(m);
    u32 at = m->nimported_funcs, size = 0;
    for (u32 n = wr_read_count(r, 2); n > 0 && r->error == NULL && bodies.error == NULL; n--) {
        u32 func = wr_read_u32(r);
        const u8 *body = NULL;
        if (func < at || func >= m->nfuncs) break;
        for (; at <= func; at++) body = next_body(&bodies, &size);
        if (body != NULL) read_function(plan, r, wr_module_offset(m, body), size);
    }
    wr_error_delete(bodies.error);
}

static int compare(const void *a, const void *b) {
    u64 x = ((const BranchHint *)a)->offset, y = ((const BranchHint *)b)->offset;
    return (x > y) - (x < y);
}

bool wr_hints_read(Plan *plan, const Alloc *alloc) {
    const Module *m = plan->module;
    const CustomSection *section = find_section(m);
    if (section == NULL) return true;
    const u8 *start = m->bytes + section->offset;
    Reader r = {.pos = start, .end = start + section->size, .base = m->bytes};
    plan->hints_room = section->size / LEAST_HINT + 1;
    plan->hints = wr_alloc_array(alloc, plan->hints_room, sizeof *plan->hints);
    if (plan->hints == NULL) return false;
    read_functions(plan, &r);
    wr_error_delete(r.error);
    qsort(plan->hints, plan->nhints, sizeof *plan->hints, compare);
    return true;
}

void wr_hints_free(Plan *plan, const Alloc *alloc) {
    wr_free(alloc, plan->hints, plan->hints_room * sizeof *plan->hints);
}

LLVMValueRef wr_hints_weights(const Unit *unit, u64 offset) {
    const Plan *plan = unit->plan;
    BranchHint wanted = {.offset = offset};
    const BranchHint *hint =
        plan->nhints > 0 ? bsearch(&wanted, plan->hints, plan->nhints, sizeof *plan->hints, compare)
                         : NULL;
    return hint == NULL ? NULL : hint->is_likely ? unit->likely : unit->unlikely;
}
