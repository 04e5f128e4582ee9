/*
 * versioning.h - what the parts of version.c share: one loop that is looked at, and what is made of it.
 *
 *   version_look.c     what the loop consists of
 *   version_gate.c     what is asked before the fast loop
 *   version_kept.c     places in memory that a fast loop has in registers
 *   version_search.c   loops that look for something: vectors of many iterations
 *   version_copy.c     loops that copy: a call of memmove
 *   version.c          the fast loop, and all of them
 */
#ifndef WR_AOT_VERSIONING_H
#define WR_AOT_VERSIONING_H

#include "charge.h"
#include "trips.h"
#include "unit.h"

#define LOOP_ACCESSES 128u
#define LOOP_GROUPS 16u /* tests at the gate */
#define KEPT_SLOTS 4u   /* of a group */

/* One load or store of memory 0, at index + offset. */
typedef struct Access {
    LLVMValueRef instruction;
    Affine index;
    u64 offset; /* once it is in a group: from the group's index */
    u32 bytes, group;
} Access;

/* One value of a place that does not change. */
typedef struct KeptSlot {
    const Access *access; /* the first one */
    LLVMValueRef local;   /* what the fast loop has for it: an `alloca` */
} KeptSlot;

/* Accesses whose indices are constants apart: they are tested, and computed, together. */
typedef struct Group {
    Affine index;            /* of the first one */
    i64 low, high;           /* relative to it: the least index; the end of what is accessed */
    bool is_stored;          /* something is stored there */
    bool is_kept;            /* it is stored at one place, which the fast loop has in registers */
    LLVMValueRef least, end; /* of all iterations: the first byte, the end; i64, in the memory */
    LLVMValueRef base;       /* index.base, as an i64 */
    LLVMValueRef start;      /* its address */
    LLVMValueRef step;       /* i64 */
    LLVMValueRef moved;      /* start + iteration * step */
    KeptSlot slots[KEPT_SLOTS]; /* of one that is kept */
    u32 nslots;
} Group;

/* What a loop carries from one iteration to the next. */
typedef struct Carried {
    LLVMValueRef phi;  /* of the header */
    LLVMValueRef next; /* its value for the next iteration */
    LLVMValueRef
        at_gate; /* phis in its place: at the gate, in the fast loop, in the loop as it was */
    LLVMValueRef fast, fresh;
    LLVMValueRef moved; /* of loops that copy or search: with what they go on behind that */
    u64 step;           /* of these: what is added in each iteration */
    LLVMValueRef start; /* what both loops begin with: at_gate, or fuel that is more */
} Carried;

typedef struct Versioning {
    Unit *unit;
    Arena *arena;
    LLVMValueRef function, memory_base; /* the latter: once there are accesses */
    const Loop *loop;
    LLVMBasicBlockRef *blocks; /* of the loop, but for those in which it stops (looks.h) */
    u32 nblocks;
    LLVMBuilderRef b;
    AffineScope scope;
    Carried *carried;
    u32 ncarried;
    Access accesses[LOOP_ACCESSES];
    Group groups[LOOP_GROUPS];
    u32 naccesses, ngroups, size;
    bool stores_else; /* not to memory 0 */
    bool has_trips;
    Trips trips;
    Charge charge;   /* if fuel is counted */
    u32 work, chunk; /* how much is done between polls, in instructions and in iterations */
    /* the new loop */
    ValueMap copies;  /* value or block -> that of the fast loop */
    ValueMap at_gate; /* phi of the header -> that of the gate */
    LLVMBasicBlockRef gate, ready, tail, left;
    LLVMValueRef exit_trip, rounds, counter;
    bool is_frugal;          /* fuel is all that is known of: see make_frugal() */
    LLVMValueRef bad;        /* i1: the loop as it was is run to its end */
    bool is_split;           /* a chunk may end before a store reaches what is otherwise constant */
    LLVMBasicBlockRef again; /* behind the latch of the loop as it was, if `is_split` */
    LLVMBasicBlockRef moved; /* from here the loop as it was is entered with Carried.moved */
} Versioning;

static inline bool counts_fuel(const Versioning *v) { return v->unit->plan->options.fuel; }
static inline bool has_state(const Versioning *v) { return v->unit->plan->options.migratable; }
static inline bool is_latch_counted(const Versioning *v) {
    return v->trips.block == v->loop->latch;
}
static inline LLVMValueRef number(const Versioning *v, u64 value) {
    return LLVMConstInt(v->unit->i64, value, 0);
}
static inline LLVMBasicBlockRef new_block(const Versioning *v) {
    return LLVMInsertBasicBlockInContext(v->unit->context, v->loop->header, "");
}

/* ---- version_look.c ---- */

/* False: the loop cannot be run in two versions. */
bool wr_version_look(Versioning *v);
/* False: not all addresses are known, or there are too many different ones. */
bool wr_version_group(Versioning *v);
bool wr_version_find_trips(Versioning *v);
u32 wr_version_count_exits(const Versioning *v);
/* The one block of the loop that control goes on to; NULL if there are several. */
LLVMBasicBlockRef wr_version_next(const Versioning *v, LLVMBasicBlockRef block);
/* Of a phi. */
LLVMValueRef wr_version_incoming(LLVMValueRef phi, LLVMBasicBlockRef from);
/* What a value was loaded by, if it is one that was loaded. */
LLVMValueRef wr_version_unfrozen(LLVMValueRef value);
/* NULL: the value is not what one of the accesses loads. */
const Access *wr_version_access_of(const Versioning *v, LLVMValueRef value);
bool wr_version_is_fixed(const Group *g);    /* in each iteration at the same place */
bool wr_version_is_constant(const Group *g); /* all that is accessed there is read */
/* All memory that is needed on the way, and Versioning.carried. */
bool wr_version_reserve(Versioning *v);
/* Whether all that the loop carries on are numbers to which a constant is added; sets Carried.step. */
bool wr_version_has_constant_steps(Versioning *v);

/* ---- version_gate.c: at its end ---- */

LLVMValueRef wr_version_minimum(const Versioning *v, LLVMValueRef a, LLVMValueRef b);
LLVMValueRef wr_version_memory_size(const Versioning *v);
LLVMValueRef wr_version_address(const Versioning *v, LLVMValueRef index);
/* Makes Group.base and the like. */
void wr_version_locate(Versioning *v, Group *g);
/* The same, and whether one of its addresses up to that of iteration `last` does not lie in the memory. */
void wr_version_test_group(Versioning *v, Group *g, LLVMValueRef last, LLVMValueRef size);
/* Whether the loop as it was has to look, at the head of its first iteration: there is what makes a frame. NULL: not in
 * this code. */
LLVMValueRef wr_version_build_asked(const Versioning *v);
bool wr_version_build_phis(Versioning *v);
/* Sets `bad`; the condition of not entering the fast loop is returned. */
LLVMValueRef wr_version_build_tests(Versioning *v);

/* ---- version_kept.c ---- */

/* Chooses groups to be kept. */
void wr_version_choose_kept(Versioning *v);
/* At the end of `ready` and, if it is not NULL, of what the fast loop has for them. */
void wr_version_read_kept(Versioning *v);
void wr_version_write_kept(Versioning *v);
/* What an access of a group that is kept goes to. */
LLVMValueRef wr_version_kept_slot(const Versioning *v, const Access *access);

/* ---- version_search.c, version_copy.c ---- */

/* False: it is not such a loop, or there is no memory for it; then nothing has changed. */
bool wr_version_search(Versioning *v);
bool wr_version_copy(Versioning *v);
/* Sets Carried.moved: what is carried into the iteration of that number. */
void wr_version_build_moved(const Versioning *v, Carried *c, LLVMValueRef trip);

/* ---- version.c ---- */

#define LOOP_BOUNDED "wasmrun.bounded" /* our own: a loop that is over soon */
#define LOOP_NOT_UNROLLED "llvm.loop.unroll.disable"

/* At the branch back. */
void wr_version_mark(const Versioning *v, LLVMValueRef branch, const char *hint);
void wr_version_choose_chunk(Versioning *v);
/* The loop as it was is entered from the gate and, if it is not NULL, from `moved`. */
void wr_version_replace_phis(Versioning *v);

#endif
