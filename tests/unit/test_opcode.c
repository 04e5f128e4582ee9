/* The instruction table: invariants, so that no column can rot, and lookup. */
#include <criterion/criterion.h>

#include "opcode.h"

Test(opcode, rows_are_in_order) {
    for (u32 i = 1; i < OP_COUNT; i++) {
        const OpInfo *a = &wr_op_info[i - 1], *b = &wr_op_info[i];
        cr_assert(a->prefix < b->prefix || (a->prefix == b->prefix && a->code < b->code), "%s",
                  wr_op_text(i));
    }
}

Test(opcode, texts_are_unique) {
    for (u32 i = 0; i < OP_COUNT; i++)
        for (u32 k = 0; k < i; k++)
            cr_assert(strcmp(wr_op_text(i), wr_op_text(k)) != 0 ||
                          (i == OP_SELECT_T && k == OP_SELECT),
                      "%s", wr_op_text(i));
}

Test(opcode, codes_are_found) {
    u32 found = 0;
    for (u32 prefix = 0; prefix < 256; prefix++) {
        for (u32 code = 0; code < 1024; code++) {
            Opcode op = wr_op_from_code((u8)prefix, code);
            if (op == OP_INVALID) continue;
            found++;
            cr_assert(wr_op_info[op].prefix == prefix && wr_op_info[op].code == code);
            if (prefix == 0) cr_assert_eq(wr_op_plain[code], (u32)op + 1);
        }
        cr_assert_eq(wr_op_from_code((u8)prefix, UINT32_MAX), OP_INVALID);
    }
    cr_assert_eq(found, OP_COUNT);
    for (u32 prefix = 0xFB; prefix <= 0xFE; prefix++) cr_assert_eq(wr_op_plain[prefix], 0u);
    cr_assert_eq(wr_op_from_code(0, 0x6A), OP_I32_ADD);
    cr_assert_eq(wr_op_from_code(0xFD, 0x113), OP_I32X4_RELAXED_DOT_I8X16_I7X16_ADD_S);
}

Test(opcode, signatures_are_well_formed) {
    for (u32 i = 0; i < OP_COUNT; i++) {
        const char *sig = wr_op_sig(i), *arrow = strchr(sig, '>');
        if (sig[0] == 0) continue;
        cr_assert_not_null(arrow, "%s", wr_op_text(i));
        cr_assert_null(strchr(arrow + 1, '>'), "%s", wr_op_text(i));
        cr_assert_eq(strspn(sig, "iIfFva>"), strlen(sig), "%s", wr_op_text(i));
    }
}

static bool is_memory_access(const OpInfo *op) {
    return op->imm == IMM_MEMARG || op->imm == IMM_MEMARG_LANE;
}

Test(opcode, columns_agree) {
    for (u32 i = 0; i < OP_COUNT; i++) {
        const OpInfo *op = &wr_op_info[i];
        cr_assert_lt(op->feature, FEATURE_COUNT);
        cr_assert_leq(op->imm, IMM_ZERO);
        cr_assert(op->align <= 4 && (op->align == 0 || is_memory_access(op)), "%s", wr_op_text(i));
        if (is_memory_access(op)) cr_assert_eq(wr_op_sig(i)[0], 'a', "%s", wr_op_text(i));
        if (op->prefix == 0xFE) cr_assert_eq(op->feature, FEATURE_THREADS, "%s", wr_op_text(i));
        if (op->prefix == 0xFD)
            cr_assert_eq(op->feature, op->code >= 0x100 ? FEATURE_RELAXED_SIMD : FEATURE_SIMD);
    }
}

Test(opcode, features_have_names) {
    cr_assert_leq((int)FEATURE_COUNT, 32);
    for (u32 i = 0; i < FEATURE_COUNT; i++) {
        Feature found;
        cr_assert(wr_feature_find(wr_feature_name((Feature)i), &found) && found == (Feature)i);
        cr_assert_eq(feature_on(wr_features_default, (Feature)i), i != FEATURE_CUSTOM_DESCRIPTORS);
    }
    Feature none;
    cr_assert_not(wr_feature_find("no-such-feature", &none));
}
