/*
 * validate_memory.c - immediates, and the instructions on tables and memories whose types depend on
 * two of them (spec: valid/instructions, table and memory). Plain loads, stores, memory.fill and so
 * on have signatures: their immediates are read here, the rest is generic.
 */
#include "validate_code.h"

#define MEMARG_INDEX 0x40u /* in the alignment field: a memory index follows */

/* ---- indices ---- */

/* Before multi-memory and reference types, the byte that now is an index was a reserved zero. */
static u32 gated_index(Checker *c, Feature feature) {
    if (feature_on(c->module->features, feature)) return wr_read_u32(&c->reader);
    if (wr_read_u8(&c->reader) != 0) wr_check_malformed(c, "zero byte expected");
    return 0;
}

/* Each fails if there is no such thing, and gives 0 then. */
static u32 existing(Checker *c, u32 index, u32 count, const char *what) {
    if (LIKELY(index < count)) return index;
    wr_check_fail(c, "unknown %s %u", what, index);
    return 0;
}

static u32 existing_memory(Checker *c, u32 index) {
    return existing(c, index, c->module->nmemories, "memory");
}

static u32 existing_table(Checker *c, u32 index) {
    return existing(c, index, c->module->ntables, "table");
}

static u32 existing_elem(Checker *c, u32 index) {
    return existing(c, index, c->module->nelems, "elem segment");
}

static u32 existing_data(Checker *c, u32 index) {
    if (!c->module->has_data_count) wr_check_malformed(c, "data count section required");
    return existing(c, index, c->module->data_count, "data segment");
}

static u32 read_memory_index(Checker *c) { return gated_index(c, FEATURE_MULTI_MEMORY); }
static u32 read_table_index(Checker *c) { return gated_index(c, FEATURE_REFERENCE_TYPES); }

u32 wr_check_memory_index(Checker *c) { return existing_memory(c, read_memory_index(c)); }
u32 wr_check_table_index(Checker *c) { return existing_table(c, read_table_index(c)); }
u32 wr_check_elem_index(Checker *c) { return existing_elem(c, wr_read_u32(&c->reader)); }
u32 wr_check_data_index(Checker *c) { return existing_data(c, wr_read_u32(&c->reader)); }

const DefType *wr_check_type_index(Checker *c) {
    u32 index = wr_read_u32(&c->reader);
    if (LIKELY(index < c->module->ntypes)) return check_failed(c) ? NULL : c->module->types[index];
    wr_check_fail(c, "unknown type %u", index);
    return NULL;
}

const DefType *wr_check_comp_index(Checker *c, CompKind comp) {
    static const char *const names[] = {"function", "structure", "array"};
    const DefType *def = wr_check_type_index(c);
    if (def == NULL || def->comp == comp) return def;
    wr_check_fail(c, "type mismatch: %s type required", names[comp]);
    return NULL;
}

/* Indices are 0 after an error, so that the declaration may not exist. */
static ValType memory_address(const Checker *c, u32 index) {
    return !check_failed(c) && c->module->memories[index].limits.is_64 ? T_I64 : T_I32;
}

static ValType table_address(const Checker *c, u32 index) {
    return !check_failed(c) && c->module->tables[index].limits.is_64 ? T_I64 : T_I32;
}

/* ---- immediates of instructions with a signature ---- */

static void check_alignment(Checker *c, u32 align, const OpInfo *info) {
    bool is_atomic = info->prefix == 0xFE;
    if (align > info->align)
        wr_check_fail(c, "alignment must not be larger than natural: 2^%u", align);
    else if (is_atomic && align != info->align)
        wr_check_fail(c, "atomic alignment must be natural: 2^%u", align);
}

static ValType read_memarg(Checker *c, const OpInfo *info) {
    u32 flags = wr_read_u32(&c->reader), index = 0;
    bool has_index = flags & MEMARG_INDEX && feature_on(c->module->features, FEATURE_MULTI_MEMORY);
    if (has_index) {
        flags &= ~MEMARG_INDEX;
        index = wr_read_u32(&c->reader);
    }
    if (flags >= MEMARG_INDEX) wr_check_malformed(c, "malformed memop flags");
    u64 offset = wr_read_u64(&c->reader);
    index = existing_memory(c, index);
    ValType address = memory_address(c, index);
    check_alignment(c, flags, info);
    if (address == T_I32 && offset > UINT32_MAX) wr_check_fail(c, "offset out of range");
    return address;
}

/* The number of lanes is the one in the name: i8x16.replace_lane. Accesses name no shape: theirs
 * follows from their size. */
static u32 lane_count(Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    if (info->imm == IMM_MEMARG_LANE) return 16u >> info->align;
    const char *digits = strchr(wr_op_text(op), 'x') + 1;
    u32 n = 0;
    while (*digits >= '0' && *digits <= '9') n = n * 10 + (u32)(*digits++ - '0');
    return n;
}

static void check_lane(Checker *c, u32 lanes) {
    if (wr_read_u8(&c->reader) >= lanes) wr_check_fail(c, "invalid lane index");
}

static void check_shuffle(Checker *c) {
    for (u32 i = 0; i < 16; i++) check_lane(c, 32);
}

static ValType read_table_init(Checker *c) {
    u32 elem = wr_read_u32(&c->reader), table = wr_check_table_index(c);
    elem = existing_elem(c, elem);
    if (check_failed(c)) return T_I32;
    ValType from = c->module->elems[elem].type, to = c->module->tables[table].type;
    if (!wr_type_matches(c->types, from, to)) wr_check_mismatch(c, to, from);
    return table_address(c, table);
}

static ValType read_memory_init(Checker *c) {
    u32 data = wr_read_u32(&c->reader), memory = wr_check_memory_index(c);
    existing_data(c, data);
    return memory_address(c, memory);
}

ValType wr_check_immediates(Checker *c, Opcode op) {
    const OpInfo *info = &wr_op_info[op];
    ValType address = T_I32;
    switch (info->imm) {
    case IMM_NONE: break;
    case IMM_I32: wr_read_s32(&c->reader); break;
    case IMM_I64: wr_read_s64(&c->reader); break;
    case IMM_F32: (void)wr_read_bytes(&c->reader, 4); break;
    case IMM_F64: (void)wr_read_bytes(&c->reader, 8); break;
    case IMM_V128: (void)wr_read_bytes(&c->reader, 16); break;
    case IMM_MEMARG: address = read_memarg(c, info); break;
    case IMM_MEMARG_LANE:
        address = read_memarg(c, info);
        check_lane(c, lane_count(op));
        break;
    case IMM_LANE: check_lane(c, lane_count(op)); break;
    case IMM_SHUFFLE: check_shuffle(c); break;
    case IMM_MEMORY: address = memory_address(c, wr_check_memory_index(c)); break;
    case IMM_TABLE: address = table_address(c, wr_check_table_index(c)); break;
    case IMM_DATA: wr_check_data_index(c); break;
    case IMM_ELEM: wr_check_elem_index(c); break;
    case IMM_DATA_MEMORY: address = read_memory_init(c); break;
    case IMM_ELEM_TABLE: address = read_table_init(c); break;
    case IMM_ZERO:
        if (wr_read_u8(&c->reader) != 0) wr_check_malformed(c, "zero byte expected");
        break;
    default: wr_check_malformed(c, "illegal opcode: %s", wr_op_text(op)); break;
    }
    return address;
}

/* ---- instructions typed by hand ---- */

/* The length of a copy between a 32-bit and a 64-bit place has the smaller address type. */
static ValType min_address(ValType a, ValType b) { return a == T_I32 ? a : b; }

static void check_memory_copy(Checker *c) {
    ValType to = memory_address(c, wr_check_memory_index(c));
    ValType from = memory_address(c, wr_check_memory_index(c));
    check_pop(c, min_address(to, from));
    check_pop(c, from);
    check_pop(c, to);
}

static void check_table_copy(Checker *c) {
    u32 to = wr_check_table_index(c), from = wr_check_table_index(c);
    if (check_failed(c)) return;
    ValType to_type = c->module->tables[to].type, from_type = c->module->tables[from].type;
    if (!wr_type_matches(c->types, from_type, to_type)) wr_check_mismatch(c, to_type, from_type);
    check_pop(c, min_address(table_address(c, to), table_address(c, from)));
    check_pop(c, table_address(c, from));
    check_pop(c, table_address(c, to));
}

/* The four others work on one table and values of its type. */
static void check_table_op(Checker *c, Opcode op) {
    u32 index = wr_check_table_index(c);
    if (check_failed(c)) return;
    ValType address = table_address(c, index), type = c->module->tables[index].type;
    if (op == OP_TABLE_GROW || op == OP_TABLE_FILL) check_pop(c, address); /* count */
    if (op != OP_TABLE_GET) check_pop(c, type);
    if (op != OP_TABLE_GROW) check_pop(c, address);
    if (op == OP_TABLE_GET) check_push(c, type);
    if (op == OP_TABLE_GROW) check_push(c, address);
}

bool wr_check_bulk(Checker *c, Opcode op) {
    switch ((unsigned)op) {
    case OP_MEMORY_COPY: check_memory_copy(c); return true;
    case OP_TABLE_COPY: check_table_copy(c); return true;
    case OP_TABLE_GET:
    case OP_TABLE_SET:
    case OP_TABLE_GROW:
    case OP_TABLE_FILL: check_table_op(c, op); return true;
    default: return false;
    }
}
