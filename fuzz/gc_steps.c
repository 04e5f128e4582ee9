/*
 * gc_steps.c - what a segment of a program does (gc_model.h): each step is written as text and carried
 * out in the model, from bytes of the input. Operands mostly fit; where they do not, the model knows which
 * trap comes of it, and nothing of what follows in the text happens.
 *
 * A step is valid whatever the input is. In the text a segment's variables are the locals $l0.. of type
 * anyref and $x0.. of type exnref; a value is cast where it is used.
 */
#include "gc_model.h"

#define emit wr_gc_emit
#define pick wr_gc_pick
#define MAX_STEPS 120u

static const GcRef null_ref = {REF_NULL, 0, NULL};

static void fail(GcProgram *p, wr_trap_code_t trap) {
    if (p->ended) return;
    p->ended = true;
    p->end = ENDS_TRAP;
    p->trap = trap;
}

/* What the next call of $see is given. */
static void see(GcProgram *p, u64 value) {
    if (p->ended) return;
    CHECK(p->nseen < MAX_SEEN);
    p->seen[p->nseen++] = value;
}

static u64 number(GcProgram *p) {
    u64 value = pick(p, 256);
    switch (pick(p, 4)) {
    case 0: return value;
    case 1: return value * 0x0101010101010101u;
    case 2: return ~value;
    default: return value << 56 | (u64)pick(p, 256) << 28 | pick(p, 256);
    }
}

static GcRef i31(u32 value) { return (GcRef){REF_I31, value & 0x7FFFFFFF, NULL}; }

/* ---- operands ------------------------------------------------------------------------------- */

/* A local, which is mostly not null and of that kind if there is such a one. */
static u32 pick_local(GcProgram *p, u32 kind) {
    u32 fitting[NLOCALS], n = 0;
    for (u32 i = 0; i < NLOCALS; i++)
        if (wr_gc_matches(p, p->locals[i], kind)) fitting[n++] = i;
    return n == 0 || pick(p, 16) == 15 ? pick(p, NLOCALS) : fitting[pick(p, n)];
}

/* Whether no local is of that kind; then it is mostly better to make one. */
static bool lacks(GcProgram *p, u32 kind) {
    for (u32 i = 0; i < NLOCALS; i++)
        if (wr_gc_matches(p, p->locals[i], kind)) return false;
    return pick(p, 32) < 31;
}

/* Its value as an anyref, sometimes after making garbage. */
static void put_local(GcProgram *p, u32 local) {
    if (pick(p, 8) == 7)
        emit(p, "(call $%s (i32.const %u) (local.get $l%u))", pick(p, 4) ? "keep" : "deep",
             pick(p, 12), local);
    else
        emit(p, "(local.get $l%u)", local);
}

/* Its value as a reference of that kind, or a trap. */
static GcRef put_cast(GcProgram *p, u32 local, u32 kind, bool nullable) {
    GcRef ref = p->locals[local];
    emit(p, "(ref.cast (ref %s", nullable ? "null " : "");
    wr_gc_emit_kind(p, kind);
    emit(p, ") ");
    put_local(p, local);
    emit(p, ")");
    if (ref.is == REF_NULL ? !nullable : !wr_gc_matches(p, ref, kind))
        fail(p, WR_TRAP_CAST_FAILURE);
    return ref;
}

/* A reference for such a field that needs no trap. */
static GcRef put_reference(GcProgram *p, const GcField *field) {
    bool is_extern = field->kind == KIND_EXTERN;
    u32 kind = is_extern ? KIND_ANY : field->kind, local = pick_local(p, kind);
    GcRef ref = p->locals[local];
    if (wr_gc_matches(p, ref, kind) || (ref.is == REF_NULL && field->nullable)) {
        if (is_extern) emit(p, "(extern.convert_any ");
        if (kind == KIND_ANY && field->nullable)
            put_local(p, local);
        else
            put_cast(p, local, kind, field->nullable);
        if (is_extern) emit(p, ")");
        return ref;
    }
    if (field->nullable) {
        emit(p, "(ref.null %s)", is_extern ? "noextern" : "none");
        return null_ref;
    }
    u32 value = pick(p, 256) << 23;
    emit(p, "(ref.i31 (i32.const %u))", value);
    return i31(value);
}

/* A value for such a field. */
static GcCell put_value(GcProgram *p, const GcField *field) {
    GcCell cell = {{0, 0}, null_ref};
    if (field->storage == IS_REF) {
        cell.ref = put_reference(p, field);
        return cell;
    }
    u64 value = number(p);
    switch (field->storage) {
    case IS_I8: cell.bits[0] = value & 0xFF; break;
    case IS_I16: cell.bits[0] = value & 0xFFFF; break;
    case IS_I32:
    case IS_F32: cell.bits[0] = (u32)value; break;
    case IS_V128: cell.bits[1] = ~value * 3; /* fallthrough */
    case IS_I64:
    case IS_F64: cell.bits[0] = value; break;
    case IS_REF: break;
    }
    static const char *const forms[] = {
        "(i32.const %d)",
        "(i32.const %d)",
        "(i32.const %d)",
        "(i64.const %lld)",
        "(f32.reinterpret_i32 (i32.const %d))",
        "(f64.reinterpret_i64 (i64.const %lld))",
    };
    if (field->storage == IS_V128)
        emit(p, "(v128.const i64x2 %lld %lld)", (long long)cell.bits[0], (long long)cell.bits[1]);
    else if (field->storage == IS_I64 || field->storage == IS_F64)
        emit(p, field->storage == IS_I64 ? "(i64.const %lld)" : forms[5], (long long)value);
    else
        emit(p, field->storage == IS_F32 ? forms[4] : "(i32.const %d)", (int)(u32)value);
    return cell;
}

static u32 pick_type(GcProgram *p, bool arrays) {
    u32 first = 0, end = p->ntypes;
    while (!p->types[first].is_array) first++;
    if (arrays) return first + pick(p, end - first);
    return pick(p, first);
}

/* A local for an operation on structures or arrays, and the type to take it as: mostly its own one or a
 * supertype. */
static u32 pick_operand(GcProgram *p, bool arrays, u32 *type) {
    u32 local = pick_local(p, arrays ? KIND_ARRAY : KIND_STRUCT);
    GcRef ref = p->locals[local];
    *type = pick_type(p, arrays);
    if (!wr_gc_matches(p, ref, arrays ? KIND_ARRAY : KIND_STRUCT) || pick(p, 16) == 15)
        return local;
    *type = ref.object->type;
    while (p->types[*type].super != NONE_U32 && pick(p, 3) == 2) *type = p->types[*type].super;
    return local;
}

static void set_local(GcProgram *p, u32 local, GcRef ref) {
    if (!p->ended) p->locals[local] = ref;
}

/* ---- reading fields ------------------------------------------------------------------------- */

/* What is written around the instruction that reads the field: it becomes a report, or goes to a local. */
typedef struct Reading {
    const char *before, *suffix, *after;
    u64 (*as)(u64 bits);
} Reading;

static u64 as_is(u64 bits) { return bits; }
static u64 as_i8(u64 bits) { return (u64)(i64)(i8)bits; }
static u64 as_i16(u64 bits) { return (u64)(i64)(i16)bits; }
static u64 as_i32(u64 bits) { return (u64)(i64)(i32)bits; }

static const Reading readings[] = {
    [IS_I8] = {"i64.extend_i32_u (", "_u", "", as_is},
    [IS_I16] = {"i64.extend_i32_s (", "_s", "", as_i16},
    [IS_I32] = {"i64.extend_i32_s (", "", "", as_i32},
    [IS_I64] = {"i64.add (i64.const 0) (", "", "", as_is},
    [IS_F32] = {"i64.extend_i32_u (i32.reinterpret_f32 (", "", ")", as_is},
    [IS_F64] = {"i64.reinterpret_f64 (", "", "", as_is},
    [IS_V128] = {"i64x2.extract_lane 1 (", "", "", as_is},
    [IS_REF] = {"i64.extend_i32_s (", "_s", "", as_i8}, /* of an i8, the other way */
};

/* `what`: "struct" or "array"; the operands follow, then end_read(). */
static const Reading *begin_read(GcProgram *p, const GcField *field, const char *what, u32 local) {
    if (field->storage == IS_REF) {
        emit(p, "(local.set $l%u (%s%s.get", local,
             field->kind == KIND_EXTERN ? "any.convert_extern (" : "", what);
        return NULL;
    }
    const Reading *r = &readings[field->storage == IS_I8 && pick(p, 2) ? IS_REF : field->storage];
    emit(p, "(call $see (%s%s.get%s", r->before, what, r->suffix);
    return r;
}

static void end_read(GcProgram *p, const GcField *field, const Reading *r, u32 local,
                     const GcCell *cell) {
    emit(p, "))%s%s\n", r ? r->after : "", r ? ")" : field->kind == KIND_EXTERN ? ")" : "");
    if (p->ended) return;
    if (r)
        see(p, r->as(cell->bits[field->storage == IS_V128]));
    else
        set_local(p, local, cell->ref);
}

/* ---- structures ----------------------------------------------------------------------------- */

static bool defaultable(const GcType *type) {
    for (u32 i = 0; i < type->nfields; i++)
        if (type->fields[i].storage == IS_REF && !type->fields[i].nullable) return false;
    return true;
}

static void struct_new(GcProgram *p) {
    u32 local = pick(p, NLOCALS), index = pick_type(p, false);
    const GcType *type = &p->types[index];
    bool by_default = defaultable(type) && pick(p, 4) == 0;
    GcObject *object = wr_gc_object(p, index, type->nfields);
    if (!object) return;
    emit(p, "(local.set $l%u (struct.new%s ", local, by_default ? "_default" : "");
    wr_gc_emit_kind(p, KIND_TYPE + index);
    for (u32 i = 0; i < type->nfields && !by_default; i++)
        object->cells[i] = put_value(p, &type->fields[i]);
    emit(p, "))\n");
    set_local(p, local, (GcRef){REF_OBJECT, 0, object});
}

static void struct_access(GcProgram *p) {
    if (lacks(p, KIND_STRUCT)) {
        struct_new(p);
        return;
    }
    u32 index, local = pick_operand(p, false, &index), to = pick(p, NLOCALS);
    const GcType *type = &p->types[index];
    if (type->nfields == 0) return;
    u32 f = pick(p, type->nfields);
    const GcField *field = &type->fields[f];
    bool write = field->mutable && pick(p, 2);
    const Reading *r = NULL;
    if (write)
        emit(p, "(struct.set");
    else
        r = begin_read(p, field, "struct", to);
    emit(p, " $t%u %u ", index, f);
    GcRef ref = put_cast(p, local, KIND_TYPE + index, true);
    bool known = !p->ended && ref.is == REF_OBJECT;
    GcCell *at = known ? &ref.object->cells[f] : NULL;
    GcCell value = {{0, 0}, null_ref};
    if (write) value = put_value(p, field);
    if (!known) fail(p, WR_TRAP_NULL_STRUCTURE_REFERENCE);
    if (!write) {
        end_read(p, field, r, to, at);
        return;
    }
    emit(p, ")\n");
    if (!p->ended) *at = value;
}

/* ---- arrays --------------------------------------------------------------------------------- */

static u32 pick_length(GcProgram *p) {
    switch (pick(p, 8)) {
    case 0: return pick(p, 300);
    case 1: return pick(p, 4) ? pick(p, 40) : pick(p, 3000) * 2;
    default: return pick(p, 9);
    }
}

static u32 width_of(const GcField *field) {
    static const u32 widths[] = {1, 2, 4, 8, 4, 8, 16, 4};
    return widths[field->storage];
}

static GcCell cell_of_data(const GcField *field, u32 at) {
    GcCell cell = {{0, 0}, null_ref};
    for (u32 i = 0; i < width_of(field); i++)
        cell.bits[i / 8] |= (u64)gc_data_byte(at + i) << 8 * (i & 7);
    return cell;
}

static GcCell cell_of_elem(u32 at) { return (GcCell){{0, 0}, i31(gc_elem(at))}; }

/* Whether elements of i31ref may go there. */
static bool takes_i31(const GcField *field) {
    return field->storage == IS_REF && field->kind <= KIND_I31 && field->nullable;
}

/* From a segment: `n` elements from `start` on, or a trap. */
static void fill_from_segment(GcProgram *p, const GcField *field, GcCell *to, u32 start, u32 n) {
    bool refs = field->storage == IS_REF;
    u64 size = refs ? (p->elem_dropped ? 0 : ELEM_SIZE) : (p->data_dropped ? 0 : DATA_SIZE);
    if (start + (u64)n * (refs ? 1 : width_of(field)) > size)
        fail(p, refs ? WR_TRAP_TABLE_OUT_OF_BOUNDS : WR_TRAP_MEMORY_OUT_OF_BOUNDS);
    for (u32 i = 0; i < n && !p->ended; i++)
        to[i] = refs ? cell_of_elem(start + i) : cell_of_data(field, start + i * width_of(field));
}

static void array_new_segment(GcProgram *p, u32 local, u32 index) {
    const GcField *field = &p->types[index].fields[0];
    u32 start = pick(p, 10), n = pick(p, 7);
    GcObject *object = wr_gc_object(p, index, n);
    if (!object) return;
    emit(p, "(local.set $l%u (array.new_%s $t%u %s (i32.const %u) (i32.const %u)))\n", local,
         field->storage == IS_REF ? "elem" : "data", index, field->storage == IS_REF ? "$i" : "$d",
         start, n);
    fill_from_segment(p, field, object->cells, start, n);
    set_local(p, local, (GcRef){REF_OBJECT, 0, object});
}

static void array_new_fixed(GcProgram *p, u32 local, u32 index) {
    u32 n = pick(p, 6);
    GcObject *object = wr_gc_object(p, index, n);
    if (!object) return;
    emit(p, "(local.set $l%u (array.new_fixed $u%u %u ", local, index, n);
    for (u32 i = 0; i < n; i++) object->cells[i] = put_value(p, &p->types[index].fields[0]);
    emit(p, "))\n");
    set_local(p, local, (GcRef){REF_OBJECT, 0, object});
}

static void array_new(GcProgram *p) {
    u32 local = pick(p, NLOCALS), index = pick_type(p, true), form = pick(p, 5);
    const GcType *type = &p->types[index];
    const GcField *field = &type->fields[0];
    if (form == 0 && (field->storage != IS_REF || takes_i31(field))) {
        array_new_segment(p, local, index);
        return;
    }
    if (form == 1) {
        array_new_fixed(p, local, index);
        return;
    }
    bool by_default = defaultable(type) && form == 2, huge = pick(p, 200) == 199;
    u32 n = pick_length(p);
    GcObject *object = wr_gc_object(p, index, n);
    if (!object) return;
    emit(p, "(local.set $l%u (array.new%s $t%u ", local, by_default ? "_default" : "", index);
    if (!by_default) {
        GcCell value = put_value(p, field);
        for (u32 i = 0; i < n; i++) object->cells[i] = value;
    }
    emit(p, " (i32.const %u)))\n", huge ? n + 0x10000000u : n);
    if (huge) fail(p, WR_TRAP_ALLOCATION_FAILURE);
    set_local(p, local, (GcRef){REF_OBJECT, 0, object});
}

/* A position in an array of that length, or a little behind it. */
static u32 pick_place(GcProgram *p, u32 length) {
    if (pick(p, 32) == 31) return pick(p, 2) ? length : 0xFFFFFFFFu;
    return length ? pick(p, length) : 0;
}

/* Part of an array, [start, start + n), mostly in bounds. */
typedef struct Range {
    u32 start, n;
} Range;

static Range pick_range(GcProgram *p, u32 length) {
    Range r = {pick_place(p, length), 0};
    u32 room = r.start < length ? length - r.start : 0;
    r.n = pick(p, 32) == 31 ? room + 1 : pick(p, room + 1);
    return r;
}

static u32 length_of(GcRef ref) { return ref.is == REF_OBJECT ? ref.object->length : 0; }

static void check_array(GcProgram *p, GcRef ref, u32 start, u32 n) {
    if (ref.is == REF_NULL)
        fail(p, WR_TRAP_NULL_ARRAY_REFERENCE);
    else if (!p->ended && (u64)start + n > ref.object->length)
        fail(p, WR_TRAP_ARRAY_OUT_OF_BOUNDS);
}

static void array_access(GcProgram *p) {
    if (lacks(p, KIND_ARRAY)) {
        array_new(p);
        return;
    }
    u32 index, local = pick_operand(p, true, &index), to = pick(p, NLOCALS);
    const GcField *field = &p->types[index].fields[0];
    u32 place = pick_place(p, length_of(p->locals[local]));
    bool write = field->mutable && pick(p, 2);
    const Reading *r = NULL;
    if (write)
        emit(p, "(array.set");
    else
        r = begin_read(p, field, "array", to);
    emit(p, " $u%u ", index);
    GcRef ref = put_cast(p, local, KIND_TYPE + index, true);
    emit(p, " (i32.const %u) ", place);
    GcCell value = {{0, 0}, null_ref};
    if (write) value = put_value(p, field);
    check_array(p, ref, place, 1);
    GcCell *at = p->ended ? NULL : &ref.object->cells[place];
    if (!write) {
        end_read(p, field, r, to, at);
        return;
    }
    emit(p, ")\n");
    if (at && !p->ended) *at = value;
}

static void array_length(GcProgram *p) {
    if (lacks(p, KIND_ARRAY)) {
        array_new(p);
        return;
    }
    u32 local = pick_local(p, KIND_ARRAY);
    emit(p, "(call $see (i64.extend_i32_u (array.len ");
    GcRef ref = put_cast(p, local, KIND_ARRAY, true);
    emit(p, ")))\n");
    check_array(p, ref, 0, 0);
    see(p, length_of(ref));
}

static void array_fill(GcProgram *p) {
    if (lacks(p, KIND_ARRAY)) {
        array_new(p);
        return;
    }
    u32 index, local = pick_operand(p, true, &index);
    const GcField *field = &p->types[index].fields[0];
    if (!field->mutable) return;
    Range r = pick_range(p, length_of(p->locals[local]));
    emit(p, "(array.fill $t%u ", index);
    GcRef ref = put_cast(p, local, KIND_TYPE + index, true);
    emit(p, " (i32.const %u) ", r.start);
    GcCell value = put_value(p, field);
    emit(p, " (i32.const %u))\n", r.n);
    check_array(p, ref, r.start, r.n);
    for (u32 i = 0; i < r.n && !p->ended; i++) ref.object->cells[r.start + i] = value;
}

static bool may_copy(const GcProgram *p, u32 to, u32 from) {
    const GcField *a = &p->types[to].fields[0], *b = &p->types[from].fields[0];
    if (a->storage != b->storage) return false;
    return a->storage != IS_REF ||
           (wr_gc_kind_matches(p, b->kind, a->kind) && (a->nullable || !b->nullable));
}

static void copy_cells(GcCell *to, const GcCell *from, u32 n) { memmove(to, from, n * sizeof *to); }

static void array_copy(GcProgram *p) {
    if (lacks(p, KIND_ARRAY)) {
        array_new(p);
        return;
    }
    u32 to_type, from_type, to = pick_operand(p, true, &to_type);
    u32 from = pick_operand(p, true, &from_type);
    if (!p->types[to_type].fields[0].mutable) return;
    if (!may_copy(p, to_type, from_type)) {
        from = to;
        from_type = to_type;
    }
    Range r = pick_range(p, length_of(p->locals[to]));
    u32 start = pick_place(p, length_of(p->locals[from]));
    u32 room = length_of(p->locals[from]) - start;
    if (start < length_of(p->locals[from]) && r.n > room && pick(p, 16)) r.n = room;
    emit(p, "(array.copy $t%u $u%u ", to_type, from_type);
    GcRef a = put_cast(p, to, KIND_TYPE + to_type, true);
    emit(p, " (i32.const %u) ", r.start);
    GcRef b = put_cast(p, from, KIND_TYPE + from_type, true);
    emit(p, " (i32.const %u) (i32.const %u))\n", start, r.n);
    if (a.is == REF_NULL || b.is == REF_NULL) fail(p, WR_TRAP_NULL_ARRAY_REFERENCE);
    check_array(p, a, r.start, r.n);
    check_array(p, b, start, r.n);
    if (!p->ended) copy_cells(a.object->cells + r.start, b.object->cells + start, r.n);
}

static void array_init(GcProgram *p) {
    if (lacks(p, KIND_ARRAY)) {
        array_new(p);
        return;
    }
    u32 index, local = pick_operand(p, true, &index), start = pick(p, 10);
    const GcField *field = &p->types[index].fields[0];
    if (!field->mutable || (field->storage == IS_REF && !takes_i31(field))) return;
    bool refs = field->storage == IS_REF;
    Range r = pick_range(p, length_of(p->locals[local]));
    emit(p, "(array.init_%s $t%u %s ", refs ? "elem" : "data", index, refs ? "$i" : "$d");
    GcRef ref = put_cast(p, local, KIND_TYPE + index, true);
    emit(p, " (i32.const %u) (i32.const %u) (i32.const %u))\n", r.start, start, r.n);
    check_array(p, ref, r.start, r.n);
    if (p->ended) return;
    GcCell *cells = calloc(r.n + 1, sizeof *cells);
    CHECK(cells);
    fill_from_segment(p, field, cells, start, r.n);
    if (!p->ended) copy_cells(ref.object->cells + r.start, cells, r.n);
    free(cells);
}

static void drop_segment(GcProgram *p) {
    if (pick(p, 4)) return;
    bool data = pick(p, 2);
    emit(p, data ? "(data.drop $d)\n" : "(elem.drop $i)\n");
    if (p->ended) return;
    if (data)
        p->data_dropped = true;
    else
        p->elem_dropped = true;
}

/* A place in an object that may be emptied. */
static bool may_clear(const GcField *field) {
    return field->storage == IS_REF && field->nullable && field->mutable;
}

/* Moves a reference from a structure or array to a local, so that only this holds it: what a collection
 * under way may have to be told. */
static void take(GcProgram *p) {
    bool from_array = pick(p, 2);
    u32 index, from = pick_operand(p, from_array, &index), to = pick(p, NLOCALS);
    const GcType *type = &p->types[index];
    GcRef ref = p->locals[from];
    if (from == to || !wr_gc_matches(p, ref, KIND_TYPE + index)) return;
    u32 count = from_array ? ref.object->length : type->nfields;
    u32 place = count ? pick(p, count) : 0;
    if (count == 0 || !may_clear(gc_field(type, place))) return;
    const char *what = from_array ? "array" : "struct";
    bool is_extern = gc_field(type, place)->kind == KIND_EXTERN;
    for (u32 i = 0; i < 2; i++) {
        if (i == 0)
            emit(p, "(local.set $l%u (%s%s.get $t%u", to, is_extern ? "any.convert_extern (" : "",
                 what, index);
        else
            emit(p, "(%s.set $t%u", what, index);
        if (!from_array) emit(p, " %u", place);
        emit(p, " (ref.cast (ref $t%u) (local.get $l%u))", index, from);
        if (from_array) emit(p, " (i32.const %u)", place);
        if (i == 0)
            emit(p, is_extern ? ")))\n" : "))\n");
        else
            emit(p, " (ref.null %s))\n", is_extern ? "noextern" : "none");
    }
    set_local(p, to, ref.object->cells[place].ref);
    if (!p->ended) ref.object->cells[place].ref = null_ref;
}

/* ---- scalars and casts ---------------------------------------------------------------------- */

static void i31_new(GcProgram *p) {
    u32 local = pick(p, NLOCALS), value = (u32)number(p);
    emit(p, "(local.set $l%u (ref.i31 (i32.const %d)))\n", local, (int)value);
    set_local(p, local, i31(value));
}

static void i31_get(GcProgram *p) {
    if (lacks(p, KIND_I31)) {
        i31_new(p);
        return;
    }
    u32 local = pick_local(p, KIND_I31);
    bool is_signed = pick(p, 2);
    emit(p, "(call $see (i64.extend_i32_s (i31.get_%c ", is_signed ? 's' : 'u');
    GcRef ref = put_cast(p, local, KIND_I31, true);
    emit(p, ")))\n");
    if (ref.is == REF_NULL) fail(p, WR_TRAP_NULL_I31_REFERENCE);
    see(p, is_signed ? (u64)(i64)((i32)(ref.number << 1) >> 1) : (u64)ref.number);
}

/* Any heap type that an anyref may be tested for. */
static u32 pick_kind(GcProgram *p) {
    u32 kind = pick(p, KIND_TYPE + p->ntypes);
    return kind == KIND_EXTERN ? KIND_EQ : kind;
}

static bool is_of(const GcProgram *p, GcRef ref, u32 kind, bool nullable) {
    return ref.is == REF_NULL ? nullable : wr_gc_matches(p, ref, kind);
}

static void ref_test(GcProgram *p) {
    u32 local = pick(p, NLOCALS), kind = pick_kind(p);
    bool nullable = pick(p, 2);
    emit(p, "(call $see (i64.extend_i32_u (ref.test (ref %s", nullable ? "null " : "");
    wr_gc_emit_kind(p, kind);
    emit(p, ") (local.get $l%u))))\n", local);
    see(p, is_of(p, p->locals[local], kind, nullable));
}

static void ref_cast(GcProgram *p) {
    u32 kind = pick_kind(p), from = pick_local(p, kind), to = pick(p, NLOCALS);
    if (!wr_gc_matches(p, p->locals[from], kind) && pick(p, 8)) {
        ref_test(p);
        return;
    }
    emit(p, "(local.set $l%u ", to);
    GcRef ref = put_cast(p, from, kind, pick(p, 4) > 0);
    emit(p, ")\n");
    set_local(p, to, ref);
}

static void br_on_cast(GcProgram *p) {
    u32 local = pick(p, NLOCALS), kind = pick_kind(p);
    bool nullable = pick(p, 2), fails = pick(p, 2);
    emit(p,
         "(block $done (drop (block $yes (result anyref) (drop (br_on_cast%s $yes anyref (ref %s",
         fails ? "_fail" : "", nullable ? "null " : "");
    wr_gc_emit_kind(p, kind);
    emit(p, ") (local.get $l%u)))\n (call $see (i64.const 0)) (br $done)))", local);
    emit(p, " (call $see (i64.const 1)))\n");
    see(p, is_of(p, p->locals[local], kind, nullable) != fails);
}

static void ref_eq(GcProgram *p) {
    if (lacks(p, KIND_EQ)) {
        i31_new(p);
        return;
    }
    u32 a = pick_local(p, KIND_EQ), b = pick_local(p, KIND_EQ);
    emit(p, "(call $see (i64.extend_i32_u (ref.eq ");
    GcRef first = put_cast(p, a, KIND_EQ, true), second = put_cast(p, b, KIND_EQ, true);
    emit(p, ")))\n");
    see(p, wr_gc_same(first, second));
}

/* ---- variables ------------------------------------------------------------------------------ */

static void move_local(GcProgram *p) {
    u32 from = pick(p, NLOCALS), to = pick(p, NLOCALS);
    bool clear = pick(p, 3) == 0;
    emit(p, clear ? "(local.set $l%u (ref.null none))\n" : "(local.set $l%u (local.get $l%u))\n",
         to, from);
    set_local(p, to, clear ? null_ref : p->locals[from]);
}

static void use_global(GcProgram *p) {
    u32 global = pick(p, NGLOBALS), local = pick(p, NLOCALS);
    if (pick(p, 2)) {
        emit(p, "(global.set $g%u (local.get $l%u))\n", global, local);
        if (!p->ended) p->globals[global] = p->locals[local];
    } else if (pick(p, 8) == 0) {
        emit(p, "(local.set $l%u (global.get $c))\n", local);
        set_local(p, local, p->constant);
    } else {
        emit(p, "(local.set $l%u (global.get $g%u))\n", local, global);
        set_local(p, local, p->globals[global]);
    }
}

static void use_table(GcProgram *p) {
    u32 place = pick_place(p, TABLE_SIZE), local = pick(p, NLOCALS), form = pick(p, 4);
    Range r = pick_range(p, TABLE_SIZE);
    if (form == 0)
        emit(p, "(table.set $s (i32.const %u) (local.get $l%u))\n", place, local);
    else if (form == 1)
        emit(p, "(local.set $l%u (table.get $s (i32.const %u)))\n", local, place);
    else if (form == 2)
        emit(p, "(table.fill $s (i32.const %u) (local.get $l%u) (i32.const %u))\n", r.start, local,
             r.n);
    else
        emit(p, "(table.init $s $i (i32.const %u) (i32.const 0) (i32.const %u))\n", r.start, r.n);
    u64 end = form < 2 ? (u64)place + 1 : (u64)r.start + r.n;
    if (end > TABLE_SIZE || (form == 3 && r.n > (p->elem_dropped ? 0 : ELEM_SIZE)))
        fail(p, WR_TRAP_TABLE_OUT_OF_BOUNDS);
    if (p->ended) return;
    if (form == 0) p->table[place] = p->locals[local];
    if (form == 1) p->locals[local] = p->table[place];
    for (u32 i = 0; form >= 2 && i < r.n; i++)
        p->table[r.start + i] = form == 2 ? p->locals[local] : cell_of_elem(i).ref;
}

/* ---- calls and exceptions ------------------------------------------------------------------- */

static void call_host(GcProgram *p) {
    u32 from = pick(p, NLOCALS), to = pick(p, NLOCALS);
    if (pick(p, 2))
        emit(p, "(local.set $l%u (call $back (local.get $l%u)))\n", to, from);
    else
        emit(p,
             "(local.set $l%u (any.convert_extern (call $host (extern.convert_any"
             " (local.get $l%u)))))\n",
             to, from);
    set_local(p, to, p->locals[from]);
}

/* A host value: the host makes it of an i31. */
static void host_value(GcProgram *p) {
    u32 local = pick(p, NLOCALS), which = pick(p, NHOSTS);
    emit(p,
         "(local.set $l%u (any.convert_extern (call $host (extern.convert_any (ref.i31"
         " (i32.const %u))))))\n",
         local, 0x40000000u + which);
    set_local(p, local, (GcRef){REF_HOST, which, NULL});
}

static void make_list(GcProgram *p) {
    u32 to = pick(p, NLOCALS), from = pick(p, NLOCALS), n = 1 + pick(p, 40);
    GcRef list = null_ref;
    for (u32 i = 0; i < n; i++) {
        GcObject *object = wr_gc_object(p, p->ntypes - 1, 2);
        if (!object) return;
        object->cells[0].ref = list;
        object->cells[1].ref = p->locals[from];
        list = (GcRef){REF_OBJECT, 0, object};
    }
    emit(p, "(local.set $l%u (call $list (i32.const %u) (local.get $l%u)))\n", to, n, from);
    set_local(p, to, list);
}

static void make_garbage(GcProgram *p) {
    emit(p, "(drop (call $keep (i32.const %u) (local.get $l0)))\n", 1 + pick(p, 30));
}

static void throw_and_catch(GcProgram *p) {
    u32 from = pick(p, NLOCALS), to = pick(p, NLOCALS), x = pick(p, NEXCEPTIONS), k = pick(p, 256);
    emit(p, "(block $c (result anyref i32 exnref) (try_table (catch_ref $e $c) ");
    if (pick(p, 2))
        emit(p, "(throw $e (local.get $l%u) (i32.const %u))", from, k);
    else
        emit(p, "(call $throw (i32.const %u) (local.get $l%u) (i32.const %u))", pick(p, 9), from,
             k);
    emit(p, ") unreachable) local.set $x%u i64.extend_i32_u call $see local.set $l%u\n", x, to);
    see(p, k);
    if (p->ended) return;
    p->exceptions[x] = (GcException){false, p->locals[from], k};
    set_local(p, to, p->locals[from]);
}

static void throw_again(GcProgram *p) {
    u32 to = pick(p, NLOCALS), x = pick(p, NEXCEPTIONS);
    emit(p,
         "(block $c (result anyref i32) (try_table (catch $e $c) (throw_ref (local.get $x%u)))"
         " unreachable) i64.extend_i32_u call $see local.set $l%u\n",
         x, to);
    if (p->exceptions[x].is_null) fail(p, WR_TRAP_NULL_EXCEPTION_REFERENCE);
    see(p, p->exceptions[x].number);
    set_local(p, to, p->exceptions[x].ref);
}

/* The older forms. */
static void throw_legacy(GcProgram *p) {
    u32 from = pick(p, NLOCALS), to = pick(p, NLOCALS), k = pick(p, 256);
    emit(p,
         "try (result anyref i32) try (result anyref i32) i32.const %u local.get $l%u i32.const %u"
         " call $throw unreachable catch $e drop drop i32.const 2 local.get $l%u call $keep drop"
         " rethrow 0 end catch $e end i64.extend_i32_u call $see local.set $l%u\n",
         pick(p, 4), from, k, from, to);
    see(p, k);
    set_local(p, to, p->locals[from]);
}

static void leave(GcProgram *p) {
    if (pick(p, 12)) return;
    bool throws = pick(p, 2);
    emit(p, throws ? "(throw $e (local.get $l0) (i32.const 1))\n" : "(unreachable)\n");
    if (!throws) fail(p, WR_TRAP_UNREACHABLE);
    if (p->ended) return;
    p->ended = true;
    p->end = ENDS_THROW;
}

/* ---- segments ------------------------------------------------------------------------------- */

typedef void Step(GcProgram *p);

static Step *const steps[] = {
    struct_new, struct_new,   struct_new,      struct_access, struct_access, struct_access,
    array_new,  array_new,    array_access,    array_access,  array_length,  array_fill,
    array_copy, array_init,   drop_segment,    take,          take,          take,
    i31_new,    i31_get,      ref_test,        ref_cast,      br_on_cast,    ref_eq,
    move_local, use_global,   use_global,      use_table,     call_host,     host_value,
    make_list,  make_garbage, throw_and_catch, throw_again,   throw_legacy,  leave,
};

static void emit_imports(GcProgram *p) {
    static const char *const helpers[] = {
        "see\") (param i64",
        "back\") (param anyref) (result anyref",
        "host\") (param externref) (result externref",
        "keep\") (param i32 anyref) (result anyref",
        "deep\") (param i32 anyref) (result anyref",
        "list\") (param i32 anyref) (result anyref",
        "throw\") (param i32 anyref i32",
    };
    for (u32 i = 0; i < ARRAY_LEN(helpers); i++)
        emit(p, "(func $%.*s (import \"b\" \"%s))\n", (int)strcspn(helpers[i], "\""), helpers[i],
             helpers[i]);
    for (u32 i = 0; i < NGLOBALS; i++)
        emit(p, "(global $g%u (import \"b\" \"g%u\") (mut anyref))\n", i, i);
    emit(p, "(table $s (import \"b\" \"table\") %u anyref)\n", TABLE_SIZE);
    emit(p, "(tag $e (import \"b\" \"tag\") (param anyref i32))\n(data $d \"");
    for (u32 i = 0; i < DATA_SIZE; i++) emit(p, "\\%02x", gc_data_byte(i));
    emit(p, "\")\n(elem $i i31ref");
    for (u32 i = 0; i < ELEM_SIZE; i++) emit(p, " (ref.i31 (i32.const %u))", gc_elem(i));
    emit(p, ")\n");
}

/* A global whose value a constant expression makes. */
static void emit_constant(GcProgram *p) {
    GcObject *outer = wr_gc_object(p, p->ntypes - 1, 2), *inner = NULL;
    if (outer) inner = wr_gc_object(p, p->ntypes - 1, 1);
    if (!inner) {
        emit(p, "(global $c (export \"c\") anyref (ref.null any))\n");
        p->constant = null_ref;
        return;
    }
    outer->cells[0].ref = i31(p->nobjects);
    outer->cells[1].ref = (GcRef){REF_OBJECT, 0, inner};
    emit(p,
         "(global $c (export \"c\") anyref (array.new_fixed $t%u 2 (ref.i31 (i32.const %u))"
         " (array.new_default $u%u (i32.const 1))))\n",
         p->ntypes - 1, p->nobjects, p->ntypes - 1);
    p->constant = (GcRef){REF_OBJECT, 0, outer};
}

static void begin_segment(GcProgram *p) {
    for (u32 i = 0; i < NLOCALS; i++) p->locals[i] = null_ref;
    for (u32 i = 0; i < NEXCEPTIONS; i++) p->exceptions[i] = (GcException){true, null_ref, 0};
    p->locals[0] = p->argument;
    p->data_dropped = p->elem_dropped = p->ended = false;
    p->end = ENDS_RETURN;
    p->trap = WR_TRAP_NONE;
    p->nseen = 0;
    p->length = 0;
}

void wr_gc_write_segment(GcProgram *p) {
    begin_segment(p);
    emit(p, "(module\n");
    wr_gc_write_group(p, 't');
    wr_gc_write_group(p, 'u');
    emit_imports(p);
    emit_constant(p);
    emit(p, "(func (export \"run\") (param $l0 anyref) (result anyref)\n");
    for (u32 i = 1; i < NLOCALS; i++) emit(p, " (local $l%u anyref)", i);
    for (u32 i = 0; i < NEXCEPTIONS; i++) emit(p, " (local $x%u exnref)", i);
    emit(p, "\n");
    for (u32 i = 0; i < MAX_STEPS && p->at < p->size && !p->ended; i++)
        steps[pick(p, ARRAY_LEN(steps))](p);
    emit(p, "(local.get $l0)))\n");
    p->result = p->ended ? null_ref : p->locals[0];
}
