/*
 * handlers_gc.h - structures, arrays, casts (prefix 0xFB). Part of exec.c. What is done here in place
 * is what programs do all the time; the rest calls object.c. Handlers that may collect run in state
 * E and save the frame first, with pc at the instruction's first byte.
 */

/* ---- structures ---- */

/* A structure of plain words takes its cell from its class's run and is written here. */
HANDLER(STRUCT_NEW, E) {
    READ_INDEX(index, next);
    const DefType *type = inst->types[index];
    u32 ref = heap_bump(inst->heap, type->word_class), n = type->nfields;
    if (UNLIKELY(ref == 0)) JUMP(h_STRUCT_NEW_SLOW);
    u8 *object = inst->heap_base + ref;
    sp -= n;
    le32_store(object, type->header);
    for (u32 i = 0; i < n; i++) {
        object += 4;
        le32_store(object, sp[i].u32);
    }
    r0 = ref;
    pc = next;
    NEXT(I);
}

/* Any other, or the run has ended. A descriptor, which is not null, lies on top. */
COLD_HANDLER(h_STRUCT_NEW_SLOW) {
    READ_INDEX(index, next);
    const DefType *type = inst->types[index];
    bool has_descriptor = type->descriptor != NULL;
    u32 slots = wr_struct_slots(type) + has_descriptor;
    BEGIN_ALLOCATION(start_of(pc, 0xFB));
    r0 = wr_struct_new(inst->store, type, has_descriptor ? sp[-1].u32 : 0, sp - slots);
    END_ALLOCATION();
    sp -= slots;
    pc = next;
    NEXT(I);
}

HANDLER(STRUCT_NEW_DEFAULT, E) {
    READ_INDEX(index, next);
    BEGIN_ALLOCATION(start_of(pc, 0xFB));
    r0 = wr_struct_new(inst->store, inst->types[index], 0, NULL);
    END_ALLOCATION();
    pc = next;
    NEXT(I);
}

/* The same with a descriptor on top of the fields: it is the header. */
HANDLER(STRUCT_NEW_DESC, E) {
    READ_INDEX(index, next);
    const DefType *type = inst->types[index];
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
    u32 ref = heap_bump(inst->heap, type->word_class), n = type->nfields;
    if (UNLIKELY(ref == 0)) JUMP(h_STRUCT_NEW_SLOW);
    u8 *object = inst->heap_base + ref;
    le32_store(object, sp[-1].u32);
    sp -= n + 1;
    for (u32 i = 0; i < n; i++) {
        object += 4;
        le32_store(object, sp[i].u32);
    }
    r0 = ref;
    pc = next;
    NEXT(I);
}

HANDLER(STRUCT_NEW_DEFAULT_DESC, E) {
    READ_INDEX(index, next);
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_DESCRIPTOR_REFERENCE);
    BEGIN_ALLOCATION(start_of(pc, 0xFB));
    r0 = wr_struct_new(inst->store, inst->types[index], sp[-1].u32, NULL);
    END_ALLOCATION();
    sp -= 1;
    pc = next;
    NEXT(I);
}

/* Type and field after the opcode: declares `place`, `next`. */
#define READ_FIELD(next)                                                                           \
    READ_TWO(type_index, field, next);                                                             \
    u32 place = inst->types[type_index]->places[field]

#define OBJECT(ref) (inst->heap_base + (u32)(ref))

/* The field of the structure `ref` goes to a register. */
#define DEFINE_STRUCT_GET(ref)                                                                     \
    READ_TWO(type_index, field, next);                                                             \
    const DefType *type = inst->types[type_index];                                                 \
    u64 object = (ref);                                                                            \
    if (UNLIKELY(object == 0)) TRAP(WR_TRAP_NULL_STRUCTURE_REFERENCE);                             \
    pc = next;                                                                                     \
    u32 first_word = type->first_word;                                                             \
    if (LIKELY(first_word != 0)) {                                                                 \
        r0 = le32_load(OBJECT(object) + first_word + 4 * field);                                   \
        NEXT(I);                                                                                   \
    }                                                                                              \
    u32 place = type->places[field];                                                               \
    const u8 *at = OBJECT(object) + place_offset(place);                                           \
    if (place_width(place) == PLACE_128) {                                                         \
        v0 = v128_load(at);                                                                        \
        NEXT(V);                                                                                   \
    }                                                                                              \
    r0 = place_width(place) == PLACE_32 ? le32_load(at) : le64_load(at);                           \
    NEXT(I)
HANDLER(STRUCT_GET, E) {
    sp -= 1;
    DEFINE_STRUCT_GET(sp->ref);
}
HANDLER(STRUCT_GET, I) { DEFINE_STRUCT_GET(r0); }

HANDLER(STRUCT_GET_S, E) {
    READ_FIELD(next);
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_STRUCTURE_REFERENCE);
    sp -= 1;
    r0 = place_load_signed(OBJECT(sp->ref) + place_offset(place), place_width(place));
    pc = next;
    NEXT(I);
}

HANDLER(STRUCT_GET_U, E) {
    READ_FIELD(next);
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_STRUCTURE_REFERENCE);
    sp -= 1;
    r0 = place_load(OBJECT(sp->ref) + place_offset(place), place_width(place));
    pc = next;
    NEXT(I);
}

/* While the heap is marked, what is overwritten may have to be marked first (heap.h). */
HANDLER(STRUCT_SET, E) {
    READ_FIELD(next);
    Slot *value = sp - place_slots(place_width(place));
    if (UNLIKELY(value[-1].ref == 0)) TRAP(WR_TRAP_NULL_STRUCTURE_REFERENCE);
    u8 *at = OBJECT(value[-1].ref) + place_offset(place);
    if (UNLIKELY(inst->heap->marking)) wr_interp_shade_field(inst, type_index, field, at);
    place_store(at, place_width(place), value);
    sp = value - 1;
    pc = next;
    NEXT(E);
}

HANDLER(STRUCT_SET, I) {
    READ_FIELD(next);
    if (UNLIKELY(inst->heap->marking)) {
        FLUSH_I();
        JUMP(h_STRUCT_SET_E);
    }
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_STRUCTURE_REFERENCE);
    sp -= 1;
    u8 *at = OBJECT(sp->ref) + place_offset(place);
    if (LIKELY(place_width(place) == PLACE_32))
        le32_store(at, (u32)r0);
    else
        place_store_slot(at, place_width(place), r0);
    pc = next;
    NEXT(E);
}

#define DEFINE_REF_GET_DESC(reference)                                                             \
    READ_INDEX(index, next);                                                                       \
    (void)index;                                                                                   \
    u64 object = (reference);                                                                      \
    if (UNLIKELY(object == 0)) TRAP(WR_TRAP_NULL_REFERENCE);                                       \
    r0 = le32_load(OBJECT(object));                                                                \
    pc = next;                                                                                     \
    NEXT(I)
HANDLER(REF_GET_DESC, E) {
    sp -= 1;
    DEFINE_REF_GET_DESC(sp->ref);
}
HANDLER(REF_GET_DESC, I) { DEFINE_REF_GET_DESC(r0); }

/* ---- arrays ---- */

HANDLER(ARRAY_NEW, E) {
    READ_INDEX(index, next);
    const DefType *type = inst->types[index];
    u32 slots = place_slots(place_width(type->places[0]));
    PAY(sp[-1].u32);
    BEGIN_ALLOCATION(start_of(pc, 0xFB));
    r0 = wr_array_new(inst->store, type, sp[-1].u32, sp - 1 - slots);
    END_ALLOCATION();
    sp -= 1 + slots;
    pc = next;
    NEXT(I);
}

HANDLER(ARRAY_NEW_DEFAULT, E) {
    READ_INDEX(index, next);
    PAY(sp[-1].u32);
    BEGIN_ALLOCATION(start_of(pc, 0xFB));
    r0 = wr_array_new(inst->store, inst->types[index], sp[-1].u32, NULL);
    END_ALLOCATION();
    sp -= 1;
    pc = next;
    NEXT(I);
}

HANDLER(ARRAY_NEW_FIXED, E) {
    READ_TWO(index, length, next);
    const DefType *type = inst->types[index];
    u32 slots = length * place_slots(place_width(type->places[0]));
    BEGIN_ALLOCATION(start_of(pc, 0xFB));
    r0 = wr_array_new_fixed(inst->store, type, length, sp - slots);
    END_ALLOCATION();
    sp -= slots;
    pc = next;
    NEXT(I);
}

/* `make` is wr_array_new_data or wr_array_new_elem. */
#define DEFINE_ARRAY_NEW_SEGMENT(make)                                                             \
    READ_TWO(index, segment, next);                                                                \
    u32 ref = 0;                                                                                   \
    PAY(sp[-1].u32);                                                                               \
    BEGIN_ALLOCATION(start_of(pc, 0xFB));                                                          \
    wr_trap_code_t trap = make(inst, inst->types[index], segment, sp[-2].u32, sp[-1].u32, &ref);   \
    inst->store->fiber->fr = NULL;                                                                 \
    if (UNLIKELY(trap != WR_TRAP_NONE)) TRAP(trap);                                                \
    sp -= 2;                                                                                       \
    r0 = ref;                                                                                      \
    pc = next;                                                                                     \
    NEXT(I)
HANDLER(ARRAY_NEW_DATA, E) { DEFINE_ARRAY_NEW_SEGMENT(wr_array_new_data); }
HANDLER(ARRAY_NEW_ELEM, E) { DEFINE_ARRAY_NEW_SEGMENT(wr_array_new_elem); }

/* Declares `at` and `width`: element `i` of array `ref`. */
#define FIND_ELEMENT(type, reference, i)                                                           \
    if (UNLIKELY((reference) == 0)) TRAP(WR_TRAP_NULL_ARRAY_REFERENCE);                            \
    u8 *array = OBJECT(reference);                                                                 \
    if (UNLIKELY((i) >= array_length(array))) TRAP(WR_TRAP_ARRAY_OUT_OF_BOUNDS);                   \
    Place width = place_width((type)->places[0]);                                                  \
    u8 *at = array + ARRAY_HEADER + ((u64)(i) << width)

/* The array is at sp[-1]. */
#define DEFINE_ARRAY_GET(i)                                                                        \
    READ_INDEX(type_index, next);                                                                  \
    u32 element = (i);                                                                             \
    FIND_ELEMENT(inst->types[type_index], sp[-1].ref, element);                                    \
    sp -= 1;                                                                                       \
    pc = next;                                                                                     \
    if (LIKELY(width == PLACE_32)) {                                                               \
        r0 = le32_load(at);                                                                        \
        NEXT(I);                                                                                   \
    }                                                                                              \
    if (width == PLACE_128) {                                                                      \
        v0 = v128_load(at);                                                                        \
        NEXT(V);                                                                                   \
    }                                                                                              \
    r0 = le64_load(at);                                                                            \
    NEXT(I)
HANDLER(ARRAY_GET, E) {
    sp -= 1;
    DEFINE_ARRAY_GET(sp->u32);
}
HANDLER(ARRAY_GET, I) { DEFINE_ARRAY_GET((u32)r0); }

#define DEFINE_ARRAY_GET_PACKED(i, load)                                                           \
    READ_INDEX(type_index, next);                                                                  \
    u32 element = (i);                                                                             \
    FIND_ELEMENT(inst->types[type_index], sp[-1].ref, element);                                    \
    sp -= 1;                                                                                       \
    r0 = load(at, width);                                                                          \
    pc = next;                                                                                     \
    NEXT(I)
HANDLER(ARRAY_GET_S, E) {
    sp -= 1;
    DEFINE_ARRAY_GET_PACKED(sp->u32, place_load_signed);
}
HANDLER(ARRAY_GET_S, I) { DEFINE_ARRAY_GET_PACKED((u32)r0, place_load_signed); }
HANDLER(ARRAY_GET_U, E) {
    sp -= 1;
    DEFINE_ARRAY_GET_PACKED(sp->u32, place_load);
}
HANDLER(ARRAY_GET_U, I) { DEFINE_ARRAY_GET_PACKED((u32)r0, place_load); }

HANDLER(ARRAY_SET, E) {
    READ_INDEX(type_index, next);
    const DefType *type = inst->types[type_index];
    Slot *value = sp - place_slots(place_width(type->places[0]));
    FIND_ELEMENT(type, value[-2].ref, value[-1].u32);
    if (UNLIKELY(inst->heap->marking) && type->nrefs != 0) wr_object_shade(inst->store, at, 1);
    place_store(at, width, value);
    sp = value - 2;
    pc = next;
    NEXT(E);
}

HANDLER(ARRAY_SET, I) {
    READ_INDEX(type_index, next);
    if (UNLIKELY(inst->heap->marking)) {
        FLUSH_I();
        JUMP(h_ARRAY_SET_E);
    }
    FIND_ELEMENT(inst->types[type_index], sp[-2].ref, sp[-1].u32);
    if (LIKELY(width == PLACE_32))
        le32_store(at, (u32)r0);
    else
        place_store_slot(at, width, r0);
    sp -= 2;
    pc = next;
    NEXT(E);
}

HANDLER(ARRAY_LEN, E) {
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_ARRAY_REFERENCE);
    sp -= 1;
    r0 = array_length(OBJECT(sp->ref));
    pc += 1;
    NEXT(I);
}
HANDLER(ARRAY_LEN, I) {
    if (UNLIKELY(r0 == 0)) TRAP(WR_TRAP_NULL_ARRAY_REFERENCE);
    r0 = array_length(OBJECT(r0));
    pc += 1;
    NEXT(I);
}

HANDLER(ARRAY_FILL, E) {
    READ_INDEX(type_index, next);
    const DefType *type = inst->types[type_index];
    u32 n = sp[-1].u32;
    Slot *value = sp - 1 - place_slots(place_width(type->places[0]));
    PAY(n);
    TRY_BULK(wr_array_fill(inst->store, type, value[-2].ref, value[-1].u32, value, n));
    sp = value - 2;
    pc = next;
    NEXT(E);
}

HANDLER(ARRAY_COPY, E) {
    READ_TWO(to, from, next);
    (void)from;
    PAY(sp[-1].u32);
    TRY_BULK(wr_array_copy(inst->store, inst->types[to], sp[-5].ref, sp[-4].u32, sp[-3].ref,
                           sp[-2].u32, sp[-1].u32));
    sp -= 5;
    pc = next;
    NEXT(E);
}

#define DEFINE_ARRAY_INIT(init)                                                                    \
    READ_TWO(index, segment, next);                                                                \
    PAY(sp[-1].u32);                                                                               \
    TRY_BULK(                                                                                      \
        init(inst, inst->types[index], segment, sp[-4].ref, sp[-3].u32, sp[-2].u32, sp[-1].u32));  \
    sp -= 4;                                                                                       \
    pc = next;                                                                                     \
    NEXT(E)
HANDLER(ARRAY_INIT_DATA, E) { DEFINE_ARRAY_INIT(wr_array_init_data); }
HANDLER(ARRAY_INIT_ELEM, E) { DEFINE_ARRAY_INIT(wr_array_init_elem); }

/* ---- casts ---- */

/* Whether `reference`, not null, matches the heap type at `heap_type`; a type index of one byte, the
 * common case, is done here. Functions are told from objects by the type. */
#define MATCHES(reference, heap_type)                                                              \
    (LIKELY(*(heap_type) < 0x40) && inst->types[*(heap_type)]->comp != COMP_FUNC                   \
         ? ref_has_type(inst->store, reference, inst->types[*(heap_type)])                         \
         : wr_interp_matches(inst, reference, heap_type))

#define DEFINE_REF_TEST(reference, null_result)                                                    \
    const u8 *next = wr_interp_skip_heap_type(pc + 1);                                             \
    r0 = (reference) == 0 ? (null_result) : MATCHES(reference, pc + 1);                            \
    pc = next;                                                                                     \
    NEXT(I)
HANDLER(REF_TEST, E) {
    sp -= 1;
    DEFINE_REF_TEST(sp->ref, 0);
}
HANDLER(REF_TEST, I) { DEFINE_REF_TEST(r0, 0); }
HANDLER(REF_TEST_NULL, E) {
    sp -= 1;
    DEFINE_REF_TEST(sp->ref, 1);
}
HANDLER(REF_TEST_NULL, I) { DEFINE_REF_TEST(r0, 1); }

#define DEFINE_REF_CAST(reference, null_passes, state)                                             \
    const u8 *next = wr_interp_skip_heap_type(pc + 1);                                             \
    if (UNLIKELY((reference) == 0 ? !(null_passes) : !MATCHES(reference, pc + 1)))                 \
        TRAP(WR_TRAP_CAST_FAILURE);                                                                \
    pc = next;                                                                                     \
    NEXT(state)
HANDLER(REF_CAST, E) { DEFINE_REF_CAST(sp[-1].ref, false, E); }
HANDLER(REF_CAST, I) { DEFINE_REF_CAST(r0, false, I); }
HANDLER(REF_CAST_NULL, E) { DEFINE_REF_CAST(sp[-1].ref, true, E); }
HANDLER(REF_CAST_NULL, I) { DEFINE_REF_CAST(r0, true, I); }

/* Immediates: flags (bit 1: null matches), label, source type, target type. Branches if whether it
 * matches is `wanted`. */
#define DEFINE_BR_ON_CAST(wanted)                                                                  \
    const u8 *p = pc + 2;                                                                          \
    while (UNLIKELY(*p++ & 0x80)) continue;                                                        \
    p = wr_interp_skip_heap_type(p);                                                               \
    u64 reference = sp[-1].ref;                                                                    \
    bool matches = reference == 0 ? pc[1] >> 1 & 1 : MATCHES(reference, p);                        \
    if (matches == (wanted)) {                                                                     \
        pc = start_of(pc, 0xFB);                                                                   \
        JUMP(h_BRANCH);                                                                            \
    }                                                                                              \
    pc = wr_interp_skip_heap_type(p);                                                              \
    stp += 1;                                                                                      \
    NEXT(E)
HANDLER(BR_ON_CAST, E) { DEFINE_BR_ON_CAST(true); }
HANDLER(BR_ON_CAST_FAIL, E) { DEFINE_BR_ON_CAST(false); }

/* Takes the branch of the side entry at stp; pc is at the instruction's first byte. */
COLD_HANDLER(h_BRANCH) {
    if (UNLIKELY(stp->pop)) JUMP(h_JUMP_SLOW);
    TRANSFER_IF_METERED(pc + stp->pc);
    pc += stp->pc;
    stp += stp->stp;
    ARRIVE_ANY();
    NEXT(E);
}

/* By descriptor: it is above the reference. */
#define DEFINE_REF_CAST_DESC(desc, null_passes)                                                    \
    const u8 *next = wr_interp_skip_heap_type(pc + 1);                                             \
    u64 descriptor = (desc), reference = sp[-1].ref;                                               \
    if (UNLIKELY(descriptor == 0)) TRAP(WR_TRAP_NULL_DESCRIPTOR_REFERENCE);                        \
    if (UNLIKELY(reference == 0 ? !(null_passes)                                                   \
                                : !ref_has_descriptor(inst->store, reference, descriptor)))        \
        TRAP(WR_TRAP_DESCRIPTOR_CAST_FAILURE);                                                     \
    pc = next;                                                                                     \
    NEXT(E)
HANDLER(REF_CAST_DESC_EQ, E) {
    sp -= 1;
    DEFINE_REF_CAST_DESC(sp->ref, false);
}
HANDLER(REF_CAST_DESC_EQ, I) { DEFINE_REF_CAST_DESC(r0, false); }
HANDLER(REF_CAST_DESC_EQ_NULL, E) {
    sp -= 1;
    DEFINE_REF_CAST_DESC(sp->ref, true);
}
HANDLER(REF_CAST_DESC_EQ_NULL, I) { DEFINE_REF_CAST_DESC(r0, true); }

#define DEFINE_BR_ON_CAST_DESC(wanted)                                                             \
    u64 descriptor = sp[-1].ref, reference = sp[-2].ref;                                           \
    if (UNLIKELY(descriptor == 0)) TRAP(WR_TRAP_NULL_DESCRIPTOR_REFERENCE);                        \
    bool matches =                                                                                 \
        reference == 0 ? pc[1] >> 1 & 1 : ref_has_descriptor(inst->store, reference, descriptor);  \
    sp -= 1;                                                                                       \
    if (matches == (wanted)) {                                                                     \
        pc = start_of(pc, 0xFB);                                                                   \
        JUMP(h_BRANCH);                                                                            \
    }                                                                                              \
    const u8 *p = pc + 2;                                                                          \
    while (UNLIKELY(*p++ & 0x80)) continue;                                                        \
    pc = wr_interp_skip_heap_type(wr_interp_skip_heap_type(p));                                    \
    stp += 1;                                                                                      \
    NEXT(E)
HANDLER(BR_ON_CAST_DESC_EQ, E) { DEFINE_BR_ON_CAST_DESC(true); }
HANDLER(BR_ON_CAST_DESC_EQ_FAIL, E) { DEFINE_BR_ON_CAST_DESC(false); }
