/*
 * gc_model.c - types, objects and text of gc_model.h.
 */
#include "gc_model.h"

#include <stdarg.h>

/* ---- the input ------------------------------------------------------------------------------ */

u32 wr_gc_byte(GcProgram *p) { return p->at < p->size ? p->data[p->at++] : 0; }

u32 wr_gc_pick(GcProgram *p, u32 n) {
    u32 value = wr_gc_byte(p);
    if (n > 256) value = value << 8 | wr_gc_byte(p);
    return value % n;
}

/* ---- references and objects ----------------------------------------------------------------- */

bool wr_gc_kind_matches(const GcProgram *p, u32 sub, u32 super) {
    if (sub == super || super == KIND_ANY) return (sub == KIND_EXTERN) == (super == KIND_EXTERN);
    if (sub == KIND_EXTERN || super == KIND_EXTERN || sub == KIND_ANY) return false;
    if (sub == KIND_NONE || super == KIND_EQ) return true;
    if (sub < KIND_TYPE) return false;
    const GcType *type = &p->types[sub - KIND_TYPE];
    if (super == KIND_STRUCT) return !type->is_array;
    if (super == KIND_ARRAY) return type->is_array;
    return type->super != NONE_U32 && wr_gc_kind_matches(p, KIND_TYPE + type->super, super);
}

bool wr_gc_matches(const GcProgram *p, GcRef ref, u32 kind) {
    switch (ref.is) {
    case REF_NULL: break;
    case REF_I31: return kind == KIND_ANY || kind == KIND_EQ || kind == KIND_I31;
    case REF_HOST: return kind == KIND_ANY;
    case REF_OBJECT: return wr_gc_kind_matches(p, KIND_TYPE + ref.object->type, kind);
    }
    return false;
}

bool wr_gc_same(GcRef a, GcRef b) {
    return a.is == b.is && a.number == b.number && a.object == b.object;
}

GcObject *wr_gc_object(GcProgram *p, u32 type, u32 length) {
    if (p->nobjects == MAX_OBJECTS || length > MAX_CELLS - p->ncells) return NULL;
    GcObject *object = calloc(1, sizeof *object + length * sizeof object->cells[0]);
    CHECK(object);
    object->type = type;
    object->length = length;
    p->objects[p->nobjects++] = object;
    p->ncells += length;
    return object;
}

/* ---- types ---------------------------------------------------------------------------------- */

static GcField make_field(GcProgram *p) {
    GcField field = {.storage = (Storage)wr_gc_pick(p, 12), .nullable = true};
    if (field.storage > IS_REF) field.storage = IS_REF;
    field.mutable = wr_gc_pick(p, 4) > 0;
    if (field.storage != IS_REF) return field;
    field.kind = wr_gc_pick(p, KIND_TYPE + p->ntypes);
    if (field.kind <= KIND_I31) field.nullable = wr_gc_pick(p, 8) > 0; /* of these there is one */
    return field;
}

static void make_struct(GcProgram *p, u32 index) {
    GcType *type = &p->types[index];
    u32 super = wr_gc_pick(p, index + 2);
    *type = (GcType){.super = NONE_U32, .final = wr_gc_pick(p, 4) == 0};
    if (super < index && !p->types[super].is_array && !p->types[super].final) {
        *type = p->types[super];
        type->super = super;
        type->final = wr_gc_pick(p, 4) == 0;
    }
    u32 more = wr_gc_pick(p, MAX_FIELDS - type->nfields + 1);
    while (more-- > 0) type->fields[type->nfields++] = make_field(p);
}

void wr_gc_make_types(GcProgram *p) {
    u32 nstructs = 1 + wr_gc_pick(p, 6), narrays = 1 + wr_gc_pick(p, 4);
    p->ntypes = nstructs + narrays + 1;
    for (u32 i = 0; i < nstructs; i++) make_struct(p, i);
    for (u32 i = nstructs; i < p->ntypes; i++) {
        p->types[i] = (GcType){.is_array = true, .super = NONE_U32, .nfields = 1};
        p->types[i].fields[0] = make_field(p);
    }
    p->types[p->ntypes - 1].fields[0] =
        (GcField){.storage = IS_REF, .kind = KIND_ANY, .nullable = true, .mutable = true};
}

/* ---- text ----------------------------------------------------------------------------------- */

void wr_gc_emit(GcProgram *p, const char *format, ...) {
    va_list args;
    if (p->capacity - p->length < 512) {
        p->capacity = p->capacity * 2 + 4096;
        p->text = realloc(p->text, p->capacity);
        CHECK(p->text);
    }
    va_start(args, format);
    int n = vsnprintf(p->text + p->length, p->capacity - p->length, format, args);
    va_end(args);
    CHECK(n >= 0 && (size_t)n < p->capacity - p->length);
    p->length += (size_t)n;
}

/* A type has two names: the group is declared twice, which makes no difference. */
void wr_gc_emit_kind(GcProgram *p, u32 kind) {
    static const char *const names[] = {"any", "eq", "i31", "struct", "array", "none", "extern"};
    if (kind < KIND_TYPE)
        wr_gc_emit(p, "%s", names[kind]);
    else
        wr_gc_emit(p, "$%c%u", "tu"[wr_gc_byte(p) & 1], kind - KIND_TYPE);
}

static void emit_storage(GcProgram *p, const GcField *field, char group) {
    static const char *const names[] = {"i8", "i16", "i32", "i64", "f32", "f64", "v128"};
    if (field->mutable) wr_gc_emit(p, "(mut ");
    if (field->storage != IS_REF) {
        wr_gc_emit(p, "%s", names[field->storage]);
    } else {
        wr_gc_emit(p, "(ref %s", field->nullable ? "null " : "");
        if (field->kind < KIND_TYPE)
            wr_gc_emit_kind(p, field->kind);
        else
            wr_gc_emit(p, "$%c%u", group, field->kind - KIND_TYPE);
        wr_gc_emit(p, ")");
    }
    if (field->mutable) wr_gc_emit(p, ")");
}

void wr_gc_write_group(GcProgram *p, char group) {
    wr_gc_emit(p, "(rec");
    for (u32 i = 0; i < p->ntypes; i++) {
        const GcType *type = &p->types[i];
        wr_gc_emit(p, "\n (type $%c%u (sub %s", group, i, type->final ? "final " : "");
        if (type->super != NONE_U32) wr_gc_emit(p, "$%c%u ", group, type->super);
        wr_gc_emit(p, type->is_array ? "(array " : "(struct");
        for (u32 f = 0; f < type->nfields; f++) {
            if (!type->is_array) wr_gc_emit(p, " (field ");
            emit_storage(p, &type->fields[f], group);
            if (!type->is_array) wr_gc_emit(p, ")");
        }
        wr_gc_emit(p, ")))");
    }
    wr_gc_emit(p, ")\n");
}

void wr_gc_write_base(GcProgram *p) {
    p->length = 0;
    wr_gc_emit(p, "(module\n");
    wr_gc_write_group(p, 't');
    wr_gc_emit(
        p,
        "(func (export \"see\") (import \"h\" \"see\") (param i64))\n"
        "(func (export \"back\") (import \"h\" \"back\") (param anyref) (result anyref))\n"
        "(func (export \"host\") (import \"h\" \"host\") (param externref) (result externref))\n"
        "(table (export \"table\") %u anyref)\n(tag $e (export \"tag\") (param anyref i32))\n",
        TABLE_SIZE);
    for (u32 i = 0; i < NGLOBALS; i++)
        wr_gc_emit(p, "(global (export \"g%u\") (mut anyref) (ref.null any))\n", i);
    /* garbage; then the argument */
    wr_gc_emit(p,
               "(func $keep (export \"keep\") (param $n i32) (param $v anyref) (result anyref)\n"
               " (loop $more (drop (array.new_default $t%u (local.get $n)))\n"
               "  (br_if $more (i32.gt_s (local.tee $n (i32.sub (local.get $n) (i32.const 1)))\n"
               "   (i32.const 0)))) (local.get $v))\n",
               p->ntypes - 1);
    /* the argument, from frames that all hold it on their stack */
    wr_gc_emit(p,
               "(func $deep (export \"deep\") (param $n i32) (param $v anyref) (result anyref)\n"
               " (if (result anyref) (i32.eqz (local.get $n))\n"
               "  (then (call $keep (i32.const 3) (local.get $v)))\n"
               "  (else (array.get $t%u (array.new_fixed $t%u 2 (local.get $v) (call $deep\n"
               "   (i32.sub (local.get $n) (i32.const 1)) (local.get $v))) (i32.const 1)))))\n",
               p->ntypes - 1, p->ntypes - 1);
    /* thrown from below frames */
    wr_gc_emit(p,
               "(func $throw (export \"throw\") (param $n i32) (param $v anyref) (param $k i32)\n"
               " (if (i32.eqz (local.get $n)) (then (throw $e (local.get $v) (local.get $k))))\n"
               " (call $throw (i32.sub (local.get $n) (i32.const 1))\n"
               "  (call $keep (i32.const 1) (local.get $v)) (local.get $k)))\n");
    /* n pairs of the one before and the argument */
    wr_gc_emit(p,
               "(func (export \"list\") (param $n i32) (param $v anyref) (result anyref)\n"
               " (local $l anyref) (loop $more\n"
               "  (local.set $l (array.new_fixed $t%u 2 (local.get $l) (local.get $v)))\n"
               "  (br_if $more (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))\n"
               " (local.get $l)))\n",
               p->ntypes - 1);
}
