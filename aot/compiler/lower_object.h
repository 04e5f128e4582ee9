/*
 * lower_object.h - objects in the heap and their types, as compiled code sees them (object.h, types.h): shared by
 * lower_gc.c, lower_ref.c and lower_exception.c. A canonical type has another id in each process, so it is
 * always the instance that is asked for it.
 */
#ifndef WR_AOT_LOWER_OBJECT_H
#define WR_AOT_LOWER_OBJECT_H

#include "lower.h"
#include "object.h"

/* The address of the object that a reference, which is not null, leads to. */
LLVMValueRef wr_lower_object(Lower *l, LLVMValueRef ref);
/* Parts of objects: LLVM is told that accesses of different ones do not overlap. Places of fields are the same in all the
 * types that an object has, and the elements of an array have one width and kind; an object that comes where another one
 * was is made by a helper, or in what a helper gave, and those may do anything. */
#define PART_HEADER 0u  /* the first word, a descriptor's second, an exception's tag */
#define PART_LENGTH 1u  /* of an array */
#define PART_PAYLOAD 2u /* of an exception */
#define PART_ELEMENT(type) (3u + (u32)type_kind(type)) /* of an array */
#define PART_FIELD(offset) (32u + (u32)(offset))       /* of a structure */

/* A part of it, not aligned to more than 4. */
LLVMValueRef wr_lower_object_load(Lower *l, LLVMTypeRef type, LLVMValueRef address, u32 part);
void wr_lower_object_store(Lower *l, LLVMValueRef value, LLVMValueRef address, u32 part);
/* The DefType of one of the module's type indices; its header (DefType.header). */
LLVMValueRef wr_lower_def(Lower *l, u32 type_index);
LLVMValueRef wr_lower_header(Lower *l, u32 type_index);

/* Where an object is being made: its reference, not null; and what its size class's Bump.at becomes, and where that is,
 * or NULL. */
typedef struct Cell {
    LLVMValueRef ref, next, at;
} Cell;
/* A cell for `size` bytes, or what the helper makes. Nothing is written in the first case; the helper's object has its
 * header and default values. Both are written over then, before anything else is done, and then taken: until it is
 * complete nobody knows of the object. */
Cell wr_lower_allocate(Lower *l, u32 size, NativeHelper helper, LLVMValueRef *arguments, u32 count);
void wr_lower_take(Lower *l, const Cell *cell);

INLINE LLVMValueRef wr_lower_is_null(Lower *l, LLVMValueRef ref) {
    return LLVMBuildIsNull(l->b, ref, "");
}

#endif
