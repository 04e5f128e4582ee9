/*
 * lower_gc.c - structures and arrays (spec: exec/instructions, aggregate). Allocation takes the cell that is next in
 * its size class (heap_bump()), or else calls a helper; whatever is done often is done in place.
 *
 * Stores are volatile: a trap that LLVM knows nothing of may follow (a fault), after which the collector
 * must find objects as the program has left them. And they are in order: code without polls may be stopped between any
 * two instructions, and then either a cell is free, whatever has been written there, or an object is complete.
 */
#include "lower_object.h"

#define INLINE_DEFAULTS 16u /* fields that are cleared in place */

/* ---- objects and types ---- */

static LLVMValueRef at_index(Lower *l, LLVMValueRef base, LLVMValueRef index) {
    LLVMValueRef wide = LLVMBuildZExt(l->b, index, l->unit->i64, "");
    return LLVMBuildInBoundsGEP2(l->b, l->unit->i8, base, &wide, 1, "");
}

LLVMValueRef wr_lower_object(Lower *l, LLVMValueRef ref) {
    return at_index(l, wr_lower_heap_base(l), ref);
}

static void align(const Unit *unit, LLVMValueRef access, LLVMTypeRef type) {
    if (type == unit->i64 || type == unit->f64 || type == unit->v128) LLVMSetAlignment(access, 4);
}

LLVMValueRef wr_lower_object_load(Lower *l, LLVMTypeRef type, LLVMValueRef address, u32 part) {
    LLVMValueRef load = LLVMBuildLoad2(l->b, type, address, "");
    LLVMSetMetadata(load, l->unit->kind_tbaa, wr_unit_heap_class(l->unit, "part", part));
    align(l->unit, load, type);
    return load;
}

void wr_lower_object_store(Lower *l, LLVMValueRef value, LLVMValueRef address, u32 part) {
    LLVMValueRef store = LLVMBuildStore(l->b, value, address);
    LLVMSetMetadata(store, l->unit->kind_tbaa, wr_unit_heap_class(l->unit, "part", part));
    LLVMSetVolatile(store, true);
    align(l->unit, store, LLVMTypeOf(value));
}

LLVMValueRef wr_lower_def(Lower *l, u32 type_index) {
    return wr_lower_entity(l, offsetof(struct wr_instance, types), type_index);
}

static bool is_in_loop(const Lower *l) {
    for (u32 i = 0; i < l->nlabels; i++)
        if (l->labels[i].kind == LABEL_LOOP) return true;
    return false;
}

/* Asked for in a loop it is read at the function's entry: LLVM takes no chain of loads out of a loop that may not come to
 * them. */
LLVMValueRef wr_lower_header(Lower *l, u32 type_index) {
    LLVMBasicBlockRef here = LLVMGetInsertBlock(l->b);
    if (is_in_loop(l)) LLVMPositionBuilderAtEnd(l->b, l->entry);
    LLVMValueRef header = wr_lower_load_fixed(l, l->unit->i32, wr_lower_def(l, type_index),
                                              offsetof(DefType, header));
    LLVMPositionBuilderAtEnd(l->b, here);
    return header;
}

static const DefType *type_at(const Lower *l, u32 index) { return l->module->types[index]; }

/* ---- fields and elements, as operands ---- */

static LLVMTypeRef stored_type(const Unit *unit, ValType type) {
    if (type_kind(type) == VK_I8) return unit->i8;
    return type_kind(type) == VK_I16 ? unit->i16 : wr_unit_type(unit, type);
}

static LLVMValueRef load_place(Lower *l, ValType type, LLVMValueRef address, u32 part,
                               bool is_signed) {
    LLVMValueRef value = wr_lower_object_load(l, stored_type(l->unit, type), address, part);
    if (type_kind(type) != VK_I8 && type_kind(type) != VK_I16)
        return wr_lower_note_type(l, value, type);
    return is_signed ? LLVMBuildSExt(l->b, value, l->unit->i32, "")
                     : LLVMBuildZExt(l->b, value, l->unit->i32, "");
}

static void store_place(Lower *l, ValType type, LLVMValueRef address, u32 part,
                        LLVMValueRef value) {
    if (type_kind(type) == VK_I8 || type_kind(type) == VK_I16)
        value = LLVMBuildTrunc(l->b, value, stored_type(l->unit, type), "");
    wr_lower_object_store(l, value, address, part);
}

static LLVMValueRef heap(Lower *l) {
    return wr_lower_load_fixed(l, l->unit->ptr, l->context, offsetof(struct wr_instance, heap));
}

/* Before a reference at `address` is overwritten, while the heap is marked: see heap.h. */
static void shade(Lower *l, ValType type, LLVMValueRef address, u32 part) {
    if (!wr_type_in_heap(l->module->engine->types, type)) return;
    LLVMBasicBlockRef likely;
    LLVMValueRef marking =
        wr_lower_load(l, l->unit->i8, wr_lower_field(l, heap(l), offsetof(Heap, marking)),
                      l->unit->tbaa_instance);
    wr_lower_unlikely(l, LLVMBuildIsNotNull(l->b, marking, ""), &likely);
    LLVMValueRef old = wr_lower_object_load(l, l->unit->i32, address, part);
    wr_lower_helper(l, HELPER_SHADE, &old, 1);
    LLVMBuildBr(l->b, likely);
    LLVMPositionBuilderAtEnd(l->b, likely);
}

/* ---- allocation ---- */

static LLVMValueRef call_allocator(Lower *l, NativeHelper helper, LLVMValueRef *arguments,
                                   u32 count) {
    LLVMValueRef ref = wr_lower_helper(l, helper, arguments, count);
    wr_lower_trap_if(l, wr_lower_is_null(l, ref), WR_TRAP_ALLOCATION_FAILURE);
    return ref;
}

Cell wr_lower_allocate(Lower *l, u32 size, NativeHelper helper, LLVMValueRef *arguments,
                       u32 count) {
    if (size > HEAP_SMALL_MAX) return (Cell){.ref = call_allocator(l, helper, arguments, count)};
    LLVMTypeRef word = l->unit->i32;
    LLVMBasicBlockRef likely, done = wr_lower_block(l), from[2];
    LLVMValueRef refs[2], ends[2];
    u32 class = heap_class(size);
    LLVMValueRef bump = wr_lower_field(l, heap(l), offsetof(Heap, bumps) + class * sizeof(Bump));
    LLVMValueRef at = wr_lower_field(l, bump, offsetof(Bump, at));
    refs[0] = wr_lower_load(l, word, at, l->unit->tbaa_bump);
    LLVMValueRef end =
        wr_lower_load(l, word, wr_lower_field(l, bump, offsetof(Bump, end)), l->unit->tbaa_bump);
    LLVMValueRef is_full = LLVMBuildICmp(l->b, LLVMIntEQ, refs[0], end, "");
    wr_lower_unlikely(l, is_full, &likely);
    refs[1] = call_allocator(l, helper, arguments, count);
    ends[1] = wr_lower_load(l, word, at, l->unit->tbaa_bump);
    from[1] = LLVMGetInsertBlock(l->b);
    LLVMBuildBr(l->b, done);
    LLVMPositionBuilderAtEnd(l->b, likely);
    ends[0] = LLVMBuildAdd(l->b, refs[0], wr_lower_i32(l, heap_cell(class)), "");
    from[0] = LLVMGetInsertBlock(l->b);
    LLVMBuildBr(l->b, done);
    LLVMMoveBasicBlockAfter(done, from[0]);
    LLVMPositionBuilderAtEnd(l->b, done);
    Cell cell = {LLVMBuildPhi(l->b, word, ""), LLVMBuildPhi(l->b, word, ""), at};
    LLVMAddIncoming(cell.ref, refs, from, 2);
    LLVMAddIncoming(cell.next, ends, from, 2);
    return cell;
}

/* What a helper has made is taken already, and this changes nothing. */
void wr_lower_take(Lower *l, const Cell *cell) {
    if (cell->at != NULL) wr_lower_store(l, cell->next, cell->at, l->unit->tbaa_bump, true);
}

static LLVMValueRef null_slots(const Lower *l) { return LLVMConstNull(l->unit->ptr); }

/* ---- structures ---- */

static void write_header(Lower *l, u32 type_index, LLVMValueRef object, LLVMValueRef descriptor) {
    const DefType *type = type_at(l, type_index);
    wr_lower_object_store(l, descriptor != NULL ? descriptor : wr_lower_header(l, type_index),
                          object, PART_HEADER);
    if (type->describes == NULL) return;
    LLVMValueRef described = wr_lower_load_fixed(l, l->unit->ptr, wr_lower_def(l, type_index),
                                                 offsetof(DefType, describes));
    LLVMValueRef header =
        wr_lower_load_fixed(l, l->unit->i32, described, offsetof(DefType, header));
    wr_lower_object_store(l, header, wr_lower_field(l, object, OBJECT_HEADER), PART_HEADER);
}

/* `values` NULL: default values. */
static void new_struct(Lower *l, u32 type_index, LLVMValueRef descriptor, LLVMValueRef *values) {
    const DefType *type = type_at(l, type_index);
    Cell cell = {.at = NULL};
    LLVMValueRef none = wr_lower_i32(l, 0);
    LLVMValueRef arguments[] = {wr_lower_i32(l, type_index), descriptor != NULL ? descriptor : none,
                                null_slots(l)};
    bool in_place =
        type->object_size <= HEAP_SMALL_MAX && (values != NULL || type->nfields <= INLINE_DEFAULTS);
    if (in_place)
        cell = wr_lower_allocate(l, type->object_size, HELPER_STRUCT_NEW, arguments, 3);
    else
        cell.ref = call_allocator(l, HELPER_STRUCT_NEW, arguments, 3);
    LLVMValueRef object = wr_lower_object(l, cell.ref);
    if (in_place) write_header(l, type_index, object, descriptor);
    for (u32 i = 0; i < type->nfields && (in_place || values != NULL); i++) {
        LLVMTypeRef stored = stored_type(l->unit, type->fields[i].type);
        u32 offset = place_offset(type->places[i]);
        LLVMValueRef address = wr_lower_field(l, object, offset);
        if (values != NULL)
            store_place(l, type->fields[i].type, address, PART_FIELD(offset), values[i]);
        else
            wr_lower_object_store(l, LLVMConstNull(stored), address, PART_FIELD(offset));
    }
    wr_lower_take(l, &cell);
    wr_lower_push(l, cell.ref);
}

static void lower_struct_new(Lower *l, Opcode op) {
    bool has_descriptor = op == OP_STRUCT_NEW_DESC || op == OP_STRUCT_NEW_DEFAULT_DESC;
    bool has_values = op == OP_STRUCT_NEW || op == OP_STRUCT_NEW_DESC;
    LLVMValueRef descriptor = NULL;
    u32 n = has_values ? type_at(l, l->at.index)->nfields : 0;
    if (has_descriptor) {
        descriptor = wr_lower_pop(l);
        wr_lower_trap_if_null(l, descriptor, WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
    }
    if (n > l->height) {
        l->failed = true;
        return;
    }
    l->height -= n; /* the values stay there until the result is pushed */
    new_struct(l, l->at.index, descriptor, has_values ? l->stack + l->height : NULL);
}

static LLVMValueRef field_address(Lower *l, LLVMValueRef ref, u32 *part) {
    u32 offset = place_offset(type_at(l, l->at.index)->places[l->at.index2]);
    *part = PART_FIELD(offset);
    wr_lower_trap_if_null(l, ref, WR_TRAP_NULL_STRUCTURE_REFERENCE);
    return wr_lower_field(l, wr_lower_object(l, ref), offset);
}

static void lower_struct_get(Lower *l, bool is_signed) {
    ValType type = type_at(l, l->at.index)->fields[l->at.index2].type;
    u32 part;
    LLVMValueRef address = field_address(l, wr_lower_pop(l), &part);
    wr_lower_push(l, load_place(l, type, address, part, is_signed));
}

static void lower_struct_set(Lower *l) {
    ValType type = type_at(l, l->at.index)->fields[l->at.index2].type;
    u32 part;
    LLVMValueRef value = wr_lower_pop(l), address = field_address(l, wr_lower_pop(l), &part);
    shade(l, type, address, part);
    store_place(l, type, address, part, value);
}

/* ---- arrays ---- */

static ValType element_type(const Lower *l) { return type_at(l, l->at.index)->fields[0].type; }

static LLVMValueRef length_of(Lower *l, LLVMValueRef ref) {
    wr_lower_trap_if_null(l, ref, WR_TRAP_NULL_ARRAY_REFERENCE);
    LLVMValueRef object = wr_lower_object(l, ref);
    return wr_lower_object_load(l, l->unit->i32, wr_lower_field(l, object, 4), PART_LENGTH);
}

static LLVMValueRef element_address(Lower *l, LLVMValueRef ref, LLVMValueRef index) {
    LLVMValueRef length = length_of(l, ref);
    LLVMValueRef outside = LLVMBuildICmp(l->b, LLVMIntUGE, index, length, "");
    wr_lower_trap_if(l, outside, WR_TRAP_ARRAY_OUT_OF_BOUNDS);
    LLVMValueRef first = wr_lower_field(l, wr_lower_object(l, ref), ARRAY_HEADER);
    LLVMValueRef wide = LLVMBuildZExt(l->b, index, l->unit->i64, "");
    LLVMTypeRef element = stored_type(l->unit, element_type(l));
    return LLVMBuildInBoundsGEP2(l->b, element, first, &wide, 1, "");
}

static void lower_array_get(Lower *l, bool is_signed) {
    LLVMValueRef index = wr_lower_pop(l), ref = wr_lower_pop(l);
    LLVMValueRef address = element_address(l, ref, index);
    ValType type = element_type(l);
    wr_lower_push(l, load_place(l, type, address, PART_ELEMENT(type), is_signed));
}

static void lower_array_set(Lower *l) {
    LLVMValueRef value = wr_lower_pop(l), index = wr_lower_pop(l), ref = wr_lower_pop(l);
    LLVMValueRef address = element_address(l, ref, index);
    ValType type = element_type(l);
    shade(l, type, address, PART_ELEMENT(type));
    store_place(l, type, address, PART_ELEMENT(type), value);
}

/* A value in a slot, or two, for a helper. */
static LLVMValueRef in_slot(Lower *l, LLVMValueRef value) {
    LLVMValueRef slots = wr_lower_slots(l, 2);
    wr_lower_store_slot(l, slots, 0, value);
    return slots;
}

static void lower_array_new(Lower *l) {
    LLVMValueRef length = wr_lower_pop(l), value = wr_lower_pop(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), length, in_slot(l, value)};
    wr_lower_push(l, call_allocator(l, HELPER_ARRAY_NEW, arguments, 3));
}

static void lower_array_new_default(Lower *l) {
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), wr_lower_pop(l), null_slots(l)};
    wr_lower_push(l, call_allocator(l, HELPER_ARRAY_NEW, arguments, 3));
}

/* Made with default values if not in place; then they are stored one by one. */
static void lower_array_new_fixed(Lower *l) {
    u32 n = l->at.index2, width = place_width(type_at(l, l->at.index)->places[0]);
    u64 size = ARRAY_HEADER + ((u64)n << width);
    ValType type = element_type(l);
    Cell cell = {.at = NULL};
    LLVMValueRef length = wr_lower_i32(l, n);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), length, null_slots(l)};
    if (n > l->height) {
        l->failed = true;
        return;
    }
    bool in_place = size <= HEAP_SMALL_MAX;
    if (in_place)
        cell = wr_lower_allocate(l, (u32)size, HELPER_ARRAY_NEW, arguments, 3);
    else
        cell.ref = call_allocator(l, HELPER_ARRAY_NEW, arguments, 3);
    LLVMValueRef object = wr_lower_object(l, cell.ref);
    if (in_place) {
        wr_lower_object_store(l, wr_lower_header(l, l->at.index), object, PART_HEADER);
        wr_lower_object_store(l, length, wr_lower_field(l, object, 4), PART_LENGTH);
    }
    l->height -= n;
    for (u32 i = 0; i < n; i++) {
        u64 offset = ARRAY_HEADER + ((u64)i << width);
        store_place(l, type, wr_lower_field(l, object, offset), PART_ELEMENT(type),
                    l->stack[l->height + i]);
    }
    wr_lower_take(l, &cell);
    wr_lower_push(l, cell.ref);
}

/* Pops operands behind the indices that are immediates already. */
static void pop_into(Lower *l, LLVMValueRef *arguments, u32 from, u32 count) {
    while (count > from) arguments[--count] = wr_lower_pop(l);
}

static void lower_array_new_segment(Lower *l, NativeHelper helper) {
    LLVMValueRef arguments[4] = {wr_lower_i32(l, l->at.index), wr_lower_i32(l, l->at.index2)};
    pop_into(l, arguments, 2, 4);
    wr_lower_helper(l, helper, arguments, 4);
    wr_lower_push(l, wr_lower_load_slot(l, wr_lower_values(l), 0, l->unit->i32));
}

static void lower_array_init(Lower *l, NativeHelper helper) {
    LLVMValueRef arguments[6] = {wr_lower_i32(l, l->at.index), wr_lower_i32(l, l->at.index2)};
    pop_into(l, arguments, 2, 6);
    wr_lower_helper(l, helper, arguments, 6);
}

static void lower_array_copy(Lower *l) {
    LLVMValueRef arguments[6] = {wr_lower_i32(l, l->at.index)};
    pop_into(l, arguments, 1, 6);
    wr_lower_helper(l, HELPER_ARRAY_COPY, arguments, 6);
}

static void lower_array_fill(Lower *l) {
    LLVMValueRef n = wr_lower_pop(l), slots = in_slot(l, wr_lower_pop(l));
    LLVMValueRef start = wr_lower_pop(l), ref = wr_lower_pop(l);
    LLVMValueRef arguments[] = {wr_lower_i32(l, l->at.index), ref, start, slots, n};
    wr_lower_helper(l, HELPER_ARRAY_FILL, arguments, 5);
}

static bool lower_array(Lower *l, Opcode op) {
    if (op == OP_ARRAY_GET || op == OP_ARRAY_GET_S || op == OP_ARRAY_GET_U)
        lower_array_get(l, op == OP_ARRAY_GET_S);
    else if (op == OP_ARRAY_SET)
        lower_array_set(l);
    else if (op == OP_ARRAY_LEN)
        wr_lower_push(l, length_of(l, wr_lower_pop(l)));
    else if (op == OP_ARRAY_NEW)
        lower_array_new(l);
    else if (op == OP_ARRAY_NEW_DEFAULT)
        lower_array_new_default(l);
    else if (op == OP_ARRAY_NEW_FIXED)
        lower_array_new_fixed(l);
    else if (op == OP_ARRAY_NEW_DATA)
        lower_array_new_segment(l, HELPER_ARRAY_NEW_DATA);
    else if (op == OP_ARRAY_NEW_ELEM)
        lower_array_new_segment(l, HELPER_ARRAY_NEW_ELEM);
    else if (op == OP_ARRAY_FILL)
        lower_array_fill(l);
    else if (op == OP_ARRAY_COPY)
        lower_array_copy(l);
    else if (op == OP_ARRAY_INIT_DATA)
        lower_array_init(l, HELPER_ARRAY_INIT_DATA);
    else if (op == OP_ARRAY_INIT_ELEM)
        lower_array_init(l, HELPER_ARRAY_INIT_ELEM);
    else
        return false;
    return true;
}

bool wr_lower_gc(Lower *l, Opcode op) {
    if (op == OP_STRUCT_NEW || op == OP_STRUCT_NEW_DEFAULT || op == OP_STRUCT_NEW_DESC ||
        op == OP_STRUCT_NEW_DEFAULT_DESC)
        lower_struct_new(l, op);
    else if (op == OP_STRUCT_GET || op == OP_STRUCT_GET_S || op == OP_STRUCT_GET_U)
        lower_struct_get(l, op == OP_STRUCT_GET_S);
    else if (op == OP_STRUCT_SET)
        lower_struct_set(l);
    else
        return lower_array(l, op);
    return true;
}
