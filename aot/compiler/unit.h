/*
 * unit.h - one LLVM module: a batch of functions that are compiled together, and all that belongs to it. Each
 * unit has a context of its own, so that threads work on units side by side.
 */
#ifndef WR_AOT_UNIT_H
#define WR_AOT_UNIT_H

#include <llvm-c/Core.h>
#include <llvm-c/DebugInfo.h>
#include <llvm-c/TargetMachine.h>

#include "artifact.h"
#include "native.h"

#define CC_FAST 8u /* LLVM's numbers of calling conventions */
#define CC_TAIL 18u
#define CC_PRESERVE_ALL 15u

/* All elements of a type, where they stand next to each other in a table. */
typedef struct FixedRange {
    u32 type_number, first, count;
} FixedRange;

/* fixed.h: a table whose elements are known. */
typedef struct FixedTable {
    u32 *funcs; /* function indices, or NONE_U32 for null; NULL: it is none */
    u32 size;
    FixedRange *ranges; /* by type number: of `size` there may be */
    u32 nranges;
} FixedTable;

/* How much LLVM does for a function (survey.h). */
typedef enum Effort { EFFORT_FULL, EFFORT_LITTLE, EFFORT_NONE } Effort;

/* hints.h: of a branch, by its byte offset in the module. */
typedef struct BranchHint {
    u64 offset;
    bool is_likely; /* to be taken */
} BranchHint;

/* What all units of a compilation share; fixed before the first is made. */
typedef struct Plan {
    const Module *module;
    NativeOptions options;
    bool is_hasty; /* native_is_hasty(), and a slice: others may take the place of any function */
    const char *triple, *cpu, *features;
    const char *preserving; /* features, for functions that preserve all registers */
    u32 *shapes;            /* by type index: shape, or NONE_U32 */
    u32 nshapes;
    const DefType **shape_types; /* one type of each shape */
    u64 guarded_memories;        /* bit i: accesses of memory i rely on the guard */
    bool *has_tail;              /* by function index: compiled as `t` too (native.h) */
    u8 *efforts;                 /* by function index: Effort */
    FixedTable *fixed;           /* by table index */
    u32 *type_numbers;           /* by type index: equal for equal types */
    BranchHint *hints;           /* ascending by offset */
    size_t nhints, hints_room;
} Plan;

typedef struct Unit {
    const Plan *plan;
    LLVMContextRef context;
    LLVMModuleRef module;
    LLVMTargetMachineRef machine; /* the thread's */
    LLVMDIBuilderRef debug;
    LLVMMetadataRef file, compile_unit, subroutine_type;
    u64 most_stored; /* Lower.nstored of one of its functions */
    LLVMTypeRef i1, i8, i16, i32, i64, f32, f64, v128, ptr, none;
    /* metadata: what does not alias with what (memory contents, heap, instance fields, values, globals), and
     * !invariant.load for fields that never change during an instance's life */
    LLVMValueRef tbaa_memory, tbaa_instance, tbaa_bump, tbaa_values, tbaa_global, tbaa_table;
    LLVMMetadataRef heap_class;               /* objects: see lower_object.h */
    LLVMValueRef tbaa_fuel;                   /* overlaps linear memory: see lower_fuel.c */
    LLVMValueRef invariant, unlikely, likely; /* the latter: whether a branch is taken */
    LLVMValueRef known_refs[4]; /* our own: what is known of a reference (lower_ref.c) */
    unsigned kind_tbaa, kind_invariant, kind_prof, kind_known;
    LLVMValueRef personality;
} Unit;

NODISCARD bool wr_unit_init(Unit *unit, const Plan *plan, LLVMTargetMachineRef machine);
void wr_unit_free(Unit *unit);

/* The tag of accesses of a class of objects' parts, which overlaps no other one. */
LLVMValueRef wr_unit_heap_class(const Unit *unit, const char *name, u32 number);

LLVMTypeRef wr_unit_type(const Unit *unit, ValType type);
/* Of a function of that type: context, direct parameters; the result, or void (native.h). */
LLVMTypeRef wr_unit_signature(const Unit *unit, const DefType *type);
/* Declared on demand: "f<i>", "t<i>" (of defined functions), and thunks "in<s>", "out<s>", "outt<s>". */
LLVMValueRef wr_unit_function(Unit *unit, u32 func_index, bool tail);
LLVMValueRef wr_unit_declare(Unit *unit, const char *name, LLVMTypeRef type, unsigned convention);
/* Whether it stands for a function of the module, by its name: 'f', 't' or, of counted.h, 'r', and which. */
bool wr_unit_is_function(LLVMValueRef function, u32 *func_index, char *letter);
LLVMValueRef wr_unit_loop(Unit *unit, u64 offset); /* "o<offset>" */
LLVMValueRef wr_unit_thunk(Unit *unit, const char *prefix, u32 shape);
/* The attributes that all our functions have: target, no-builtins, stack probes, unwind table, ... */
void wr_unit_attributes(Unit *unit, LLVMValueRef function);
/* One more, of those that LLVM knows by name and that have no value. */
void wr_unit_flag(const Unit *unit, LLVMValueRef function, const char *name);
/* What a function of CC_PRESERVE_ALL has besides. */
void wr_unit_preserving(const Unit *unit, LLVMValueRef function);
void wr_unit_call_flag(const Unit *unit, LLVMValueRef call, const char *name);

/* lower.c: the body of a defined function into this unit ("f<i>", and "t<i>" if plan->has_tail). False when
 * it cannot be compiled (out of memory, over a limit): nothing of it is left in the unit then. */
NODISCARD bool wr_lower_function(Unit *unit, u32 func_index);
/* The same function from one of its loops on (SliceLoop.offset): "o<offset>", which is like an entry thunk,
 * with the interpreter's frame as its slots. Its locals and operands come from there, its results go there. */
bool wr_lower_loop(Unit *unit, u32 func_index, u64 offset);
/* thunk.c: "f<i>" or "t<i>" for a function that is not compiled here: goes out with its Func; if it may be compiled
 * elsewhere, to that code, and the symbol is the unit's own. */
void wr_lower_stub(Unit *unit, u32 func_index, bool tail, bool is_elsewhere);
/* thunk.c: the three thunks of a shape. */
void wr_lower_thunks(Unit *unit, u32 shape);

#endif
