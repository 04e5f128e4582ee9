/*
 * opcode.c - opcodes.def and features.def as tables. Two rows with the same code are a compile-time
 * error (an element initialised twice).
 */
#include "opcode.h"

const OpInfo wr_op_info[OP_COUNT] = {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst)                                \
    [OP_##id] = {code, prefix, IMM_##imm, align, FEATURE_##feature, KONST_##konst},
#include "opcodes.def"
#undef OP
};

/* The texts one after another, and where each begins: a pointer would take four times as much, and a
 * relocation. */
static const struct Texts {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst) char text_##id[sizeof text];
#include "opcodes.def"
#undef OP
} texts = {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst) text,
#include "opcodes.def"
#undef OP
};
static const u16 text_at[OP_COUNT] = {
#define OP(id, prefix, code, text, imm, sig, align, feature, konst)                                \
    offsetof(struct Texts, text_##id),
#include "opcodes.def"
#undef OP
};

const char *wr_op_text(Opcode op) { return (const char *)&texts + text_at[op]; }

/* A table for each prefix holds OP_x + 1 by code, so that holes are 0. A row is an entry of its own
 * prefix's table only: the prefix in the row selects a macro of this name, empty but for one. */
#define OP(id, prefix, code, text, imm, sig, align, feature, konst) ENTRY_##prefix(id, code)
#define ENTRY(id, code) [code] = OP_##id + 1,

#define ENTRY_0x00(id, code) ENTRY(id, code)
#define ENTRY_0xFB(id, code)
#define ENTRY_0xFC(id, code)
#define ENTRY_0xFD(id, code)
#define ENTRY_0xFE(id, code)
const u16 wr_op_plain[256] = {
#include "opcodes.def"
};
#undef ENTRY_0x00
#define ENTRY_0x00(id, code)

#undef ENTRY_0xFB
#define ENTRY_0xFB(id, code) ENTRY(id, code)
static const u16 ops_fb[] = {
#include "opcodes.def"
};
#undef ENTRY_0xFB
#define ENTRY_0xFB(id, code)

#undef ENTRY_0xFC
#define ENTRY_0xFC(id, code) ENTRY(id, code)
static const u16 ops_fc[] = {
#include "opcodes.def"
};
#undef ENTRY_0xFC
#define ENTRY_0xFC(id, code)

#undef ENTRY_0xFD
#define ENTRY_0xFD(id, code) ENTRY(id, code)
static const u16 ops_fd[] = {
#include "opcodes.def"
};
#undef ENTRY_0xFD
#define ENTRY_0xFD(id, code)

#undef ENTRY_0xFE
#define ENTRY_0xFE(id, code) ENTRY(id, code)
static const u16 ops_fe[] = {
#include "opcodes.def"
};
#undef OP

Opcode wr_op_from_code(u8 prefix, u32 code) {
    static const struct {
        const u16 *ops;
        u32 count;
    } tables[] = {{ops_fb, ARRAY_LEN(ops_fb)},
                  {ops_fc, ARRAY_LEN(ops_fc)},
                  {ops_fd, ARRAY_LEN(ops_fd)},
                  {ops_fe, ARRAY_LEN(ops_fe)}};
    u32 found = 0;
    if (prefix == 0) {
        if (code < ARRAY_LEN(wr_op_plain)) found = wr_op_plain[code];
    } else if (prefix >= 0xFB && prefix <= 0xFE && code < tables[prefix - 0xFB].count) {
        found = tables[prefix - 0xFB].ops[code];
    }
    return found == 0 ? OP_INVALID : (Opcode)(found - 1);
}

/* ---- features ---- */

static const char *const feature_names[FEATURE_COUNT] = {
#define FEATURE(id, name, on) [FEATURE_##id] = name,
#include "features.def"
#undef FEATURE
};

const Features wr_features_default = 0
#define FEATURE(id, name, on) | ((on) ? 1u << FEATURE_##id : 0)
#include "features.def"
#undef FEATURE
    ;

const char *wr_feature_name(Feature feature) { return feature_names[feature]; }

bool wr_feature_find(const char *name, Feature *feature) {
    for (u32 i = 0; i < FEATURE_COUNT; i++) {
        if (strcmp(feature_names[i], name) != 0) continue;
        *feature = (Feature)i;
        return true;
    }
    return false;
}
