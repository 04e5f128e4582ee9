/*
 * handlers_core.h - structured control, parametric instructions, variables, references. Part of exec.c
 * and exec_shadow.c.
 */

/* ---- structured control ---- */

HANDLER(UNREACHABLE, E) { TRAP(WR_TRAP_UNREACHABLE); }

#define DEFINE_NOP(state)                                                                          \
    pc += 1;                                                                                       \
    NEXT(state)
HANDLER(NOP, E) { DEFINE_NOP(E); }
HANDLER(NOP, I) { DEFINE_NOP(I); }
HANDLER(NOP, F) { DEFINE_NOP(F); }
HANDLER(NOP, V) { DEFINE_NOP(V); }

/* Runs of plain blocks, as before a br_table, are passed in one step. */
#define DEFINE_BLOCK(state)                                                                        \
    AFTER_BLOCK_TYPE(next);                                                                        \
    while (next[0] == 0x02 && next[1] == 0x40) next += 2;                                          \
    pc = next;                                                                                     \
    NEXT(state)
HANDLER(BLOCK, E) { DEFINE_BLOCK(E); }
HANDLER(BLOCK, I) { DEFINE_BLOCK(I); }
HANDLER(BLOCK, F) { DEFINE_BLOCK(F); }

HANDLER(LOOP, E) {
    AFTER_BLOCK_TYPE(next);
    pc = next;
    NEXT(E);
}

/* ---- parametric ---- */

HANDLER(SELECT, E) {
    sp -= 2;
    if (sp[1].u32 == 0) sp[-1] = sp[0];
    pc += 1;
    NEXT(E);
}

HANDLER(SELECT, I) {
    u64 first = sp[-2].u64, second = sp[-1].u64;
    sp -= 2;
    r0 = (u32)r0 ? first : second;
    pc += 1;
    NEXT(I);
}

HANDLER_AS(SELECT, E, WIDE) {
    if (wr_interp_is_wide(fr->func->code, pc)) {
        sp -= 3;
        if (sp[2].u32 == 0) {
            sp[-2] = sp[0];
            sp[-1] = sp[1];
        }
    } else {
        sp -= 2;
        if (sp[1].u32 == 0) sp[-1] = sp[0];
    }
    pc += 1;
    NEXT(E);
}

HANDLER(SELECT_T, E) {
    bool wide = wr_interp_select_is_wide(pc + 1);
    const u8 *next = wr_interp_skip_select_types(pc + 1);
    if (wide) {
        sp -= 3;
        if (sp[2].u32 == 0) {
            sp[-2] = sp[0];
            sp[-1] = sp[1];
        }
    } else {
        sp -= 2;
        if (sp[1].u32 == 0) sp[-1] = sp[0];
    }
    pc = next;
    NEXT(E);
}

HANDLER_AS(DROP, E, WIDE) {
    sp -= wr_interp_is_wide(fr->func->code, pc) ? 2 : 1;
    pc += 1;
    NEXT(E);
}

HANDLER(DROP, V) {
    pc += 1;
    NEXT(E);
}

/* ---- variables: indices of three bytes and more ---- */

HANDLER(LOCAL_GET_LONG, E) {
    READ_INDEX(index, next);
    r0 = fp[index].u64;
    pc = next;
    NEXT(I);
}

HANDLER(LOCAL_SET_LONG, E) {
    READ_INDEX(index, next);
    fp[index] = *--sp;
    pc = next;
    NEXT(E);
}

HANDLER(LOCAL_TEE_LONG, E) {
    READ_INDEX(index, next);
    fp[index] = sp[-1];
    pc = next;
    NEXT(E);
}

/* ---- constants of two bytes and more ---- */

HANDLER(I32_CONST_LONG, E) {
    const u8 *next = pc + 1;
    r0 = (u32)read_sleb(&next);
    pc = next;
    NEXT(I);
}

HANDLER(I64_CONST_LONG, E) {
    const u8 *next = pc + 1;
    r0 = (u64)read_sleb(&next);
    pc = next;
    NEXT(I);
}

/* ---- variables: functions with v128 locals (Code.is_wide) ---- */

HANDLER_AS(LOCAL_GET, E, WIDE) {
    READ_INDEX(index, next);
    u32 place = fr->func->code->local_map[index];
    const Slot *local = fp + (place >> 1);
    pc = next;
    if (place & 1) {
        v0 = v128_load(local);
        NEXT(V);
    }
    r0 = local->u64;
    NEXT(I);
}

#define DEFINE_WIDE_SET(keep)                                                                      \
    READ_INDEX(index, next);                                                                       \
    u32 place = fr->func->code->local_map[index];                                                  \
    Slot *local = fp + (place >> 1);                                                               \
    pc = next;                                                                                     \
    if (place & 1) {                                                                               \
        local[0] = sp[-2];                                                                         \
        local[1] = sp[-1];                                                                         \
        if (!(keep)) sp -= 2;                                                                      \
    } else {                                                                                       \
        local[0] = sp[-1];                                                                         \
        if (!(keep)) sp -= 1;                                                                      \
    }                                                                                              \
    NEXT(E)
HANDLER_AS(LOCAL_SET, E, WIDE) { DEFINE_WIDE_SET(false); }
HANDLER_AS(LOCAL_TEE, E, WIDE) { DEFINE_WIDE_SET(true); }

/* A v128 in the register goes to its local at once: only wide functions have any. */
HANDLER_AS(LOCAL_SET, V, WIDE) {
    READ_INDEX(index, next);
    v128_store(fp + (fr->func->code->local_map[index] >> 1), v0);
    pc = next;
    NEXT(E);
}
HANDLER_AS(LOCAL_TEE, V, WIDE) {
    READ_INDEX(index, next);
    v128_store(fp + (fr->func->code->local_map[index] >> 1), v0);
    pc = next;
    NEXT(V);
}

/* ---- globals ---- */

#define DEFINE_GLOBAL_GET(state)                                                                   \
    READ_INDEX(index, next);                                                                       \
    const Global *global = inst->globals[index];                                                   \
    FLUSH_##state();                                                                               \
    pc = next;                                                                                     \
    if (UNLIKELY(global->wide)) {                                                                  \
        v0 = v128_load(global->value);                                                             \
        NEXT(V);                                                                                   \
    }                                                                                              \
    r0 = global->value[0].u64;                                                                     \
    NEXT(I)
HANDLER(GLOBAL_GET, E) { DEFINE_GLOBAL_GET(E); }
HANDLER(GLOBAL_GET, I) { DEFINE_GLOBAL_GET(I); }
HANDLER(GLOBAL_GET, F) { DEFINE_GLOBAL_GET(F); }

HANDLER(GLOBAL_SET, E) {
    READ_INDEX(index, next);
    Global *global = inst->globals[index];
    pc = next;
    sp -= 1;
    if (UNLIKELY(global->wide)) {
        sp -= 1;
        global->value[1] = sp[1];
    }
    global->value[0] = sp[0];
    NEXT(E);
}

HANDLER(GLOBAL_SET, I) {
    READ_INDEX(index, next);
    inst->globals[index]->value[0].u64 = r0;
    pc = next;
    NEXT(E);
}

/* ---- references ---- */

HANDLER(REF_NULL, E) {
    const u8 *next = wr_interp_skip_heap_type(pc + 1);
    r0 = 0;
    pc = next;
    NEXT(I);
}

HANDLER(REF_IS_NULL, E) {
    r0 = (--sp)->ref == 0;
    pc += 1;
    NEXT(I);
}

HANDLER(REF_IS_NULL, I) {
    r0 = r0 == 0;
    pc += 1;
    NEXT(I);
}

HANDLER(REF_FUNC, E) {
    READ_INDEX(index, next);
    r0 = inst->funcs[index]->handle;
    pc = next;
    NEXT(I);
}

HANDLER(REF_EQ, E) {
    sp -= 2;
    r0 = sp[0].ref == sp[1].ref;
    pc += 1;
    NEXT(I);
}

HANDLER(REF_AS_NON_NULL, E) {
    if (UNLIKELY(sp[-1].ref == 0)) TRAP(WR_TRAP_NULL_REFERENCE);
    pc += 1;
    NEXT(E);
}

/* i31 and the conversions between the any and extern hierarchies need no heap (store.h). */

HANDLER(REF_I31, E) {
    r0 = (u64)((sp[-1].u32 << 1) | 1);
    sp -= 1;
    pc += 1;
    NEXT(I);
}
HANDLER(REF_I31, I) {
    r0 = ((u32)r0 << 1) | 1;
    pc += 1;
    NEXT(I);
}

#define DEFINE_I31_GET(reference, type)                                                            \
    if (UNLIKELY((reference) == 0)) TRAP(WR_TRAP_NULL_I31_REFERENCE);                              \
    r0 = (u32)((type)(u32)(reference) >> 1);                                                       \
    pc += 1;                                                                                       \
    NEXT(I)
HANDLER(I31_GET_S, E) {
    sp -= 1;
    DEFINE_I31_GET(sp->ref, i32);
}
HANDLER(I31_GET_S, I) { DEFINE_I31_GET(r0, i32); }
HANDLER(I31_GET_U, E) {
    sp -= 1;
    DEFINE_I31_GET(sp->ref, u32);
}
HANDLER(I31_GET_U, I) { DEFINE_I31_GET(r0, u32); }

HANDLER(ANY_CONVERT_EXTERN, E) {
    pc += 1;
    NEXT(E);
}

HANDLER(EXTERN_CONVERT_ANY, E) {
    pc += 1;
    NEXT(E);
}

HANDLER(REF_EQ, I) {
    sp -= 1;
    r0 = sp->ref == r0;
    pc += 1;
    NEXT(I);
}
HANDLER(REF_AS_NON_NULL, I) {
    if (UNLIKELY(r0 == 0)) TRAP(WR_TRAP_NULL_REFERENCE);
    pc += 1;
    NEXT(I);
}
