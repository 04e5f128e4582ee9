/* Modules in the text format: what they encode to, what is an error and where, and hostile texts.
 * */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>

#include "text_parse.h"

static const TextOptions plain = {.alloc = &wr_alloc_system};
static const TextOptions with_names = {.alloc = &wr_alloc_system, .names = true};

static Error *parse(const TextOptions *options, const char *text, u8 **bytes, size_t *size) {
    return wr_text_to_binary(options, text, strlen(text), "t", bytes, size);
}

/* ---- what is encoded ---- */

/* Bytes behind the header, in hexadecimal. */
static void expect_bytes(const TextOptions *options, const char *text, const char *hex) {
    u8 *bytes;
    size_t size;
    char got[4096] = "", *end = got;
    Error *error = parse(options, text, &bytes, &size);
    cr_assert_null(error, "%s: %s", text, error == NULL ? "" : wr_error_message(error));
    cr_assert_geq(size, 8);
    for (size_t i = 8; i < size && i < 1000; i++)
        end += snprintf(end, 4, i == 8 ? "%02x" : " %02x", bytes[i]);
    cr_expect_str_eq(got, hex, "%s: %s", text, got);
    wr_free(&wr_alloc_system, bytes, size);
}

#define T_VOID "01 04 01 60 00 00 03 02 01 00 " /* one type, one function */

Test(text_parse, modules) {
    expect_bytes(&plain, "", "");
    expect_bytes(&plain, "(module)", "");
    expect_bytes(&plain, "(module $m (@a))", "");
    expect_bytes(&plain, "(module quote \"(func)\")", T_VOID "0a 04 01 02 00 0b");
    expect_bytes(&plain, "(module binary \"\\00asm\" \"\\01\\00\\00\\00\" \"\\00\\01\\00\")",
                 "00 01 00");
    expect_bytes(&plain, "(func) (@a) (export \"f\" (func 0))",
                 T_VOID "07 05 01 01 66 00 00 0a 04 01 02 00 0b");
}

Test(text_parse, types) {
    expect_bytes(&plain, "(type (func (param $x i32) (param i64 f32) (result f64)))",
                 "01 08 01 60 03 7f 7e 7d 01 7c");
    expect_bytes(&plain, "(type $a (array (mut i8))) (type (struct (field i16) (field (ref $a))))",
                 "01 0b 02 5e 78 01 5f 02 77 00 64 00 00");
    expect_bytes(&plain, "(rec (type $a (sub (struct))) (type (sub final $a (struct))))",
                 "01 0c 01 4e 02 50 00 5f 00 4f 01 00 5f 00");
    expect_bytes(&plain, "(type (sub final (func))) (type (sub (func)))",
                 "01 09 02 60 00 00 50 00 60 00 00");
    expect_bytes(&plain, "(type (func (param funcref (ref null func) (ref func) (ref null 0))))",
                 "01 0a 01 60 04 70 70 64 70 63 00 00");
}

/* Implicit types come behind all explicit ones, wherever these stand, and are used again. */
Test(text_parse, type_uses) {
    expect_bytes(&plain,
                 "(import \"\" \"\" (func (param i32))) (import \"\" \"\" (func (param i32)))"
                 "(type (func)) (import \"\" \"\" (func (type 1) (param i32)))",
                 "01 08 02 60 00 00 60 01 7f 00 02 0d 03 00 00 00 01 00 00 00 01 00 00 00 01");
    expect_bytes(&plain, "(rec (type (func))) (import \"\" \"\" (func))",
                 "01 06 01 4e 01 60 00 00 02 05 01 00 00 00 00");
    expect_bytes(&plain, "(type (sub (func))) (import \"\" \"\" (func))",
                 "01 09 02 50 00 60 00 00 60 00 00 02 05 01 00 00 00 01");
}

static void expect_body(const char *instructions, const char *hex) {
    char text[1024], want[1024];
    u32 size = ((u32)strlen(hex) + 1) / 3 + 2;
    if (*hex == 0) size = 2;
    snprintf(text, sizeof text, "(func %s)", instructions);
    snprintf(want, sizeof want, T_VOID "0a %02x 01 %02x 00 %s%s0b", size + 2, size, hex,
             *hex == 0 ? "" : " ");
    expect_bytes(&plain, text, want);
}

Test(text_parse, flat_and_folded) {
    expect_body("", "");
    expect_body("i32.const 1 i32.const 2 i32.add drop", "41 01 41 02 6a 1a");
    expect_body("(drop (i32.add (i32.const 1) (i32.const 2)))", "41 01 41 02 6a 1a");
    expect_body("block $a loop $b br $a br $b br 2 end $b end $a",
                "02 40 03 40 0c 01 0c 00 0c 02 0b 0b");
    expect_body("(block $a (loop $b (br $a)) nop)", "02 40 03 40 0c 01 0b 01 0b");
    expect_body("(if (i32.const 0) (then nop) (else unreachable))", "41 00 04 40 01 05 00 0b");
    expect_body("i32.const 0 if $x nop else $x unreachable end $x", "41 00 04 40 01 05 00 0b");
    expect_body("(if $x (block $x (result i32) (br $x (i32.const 1))) (then (br $x)))",
                "02 7f 41 01 0c 00 0b 04 40 0c 00 0b");
    /* shadowing, and the outer label after it */
    expect_body("(block $x (block $x (br $x)) (br $x))", "02 40 02 40 0c 00 0b 0c 00 0b");
    expect_body("block br_table 0 1 (i32.const 0) end", "02 40 0e 01 00 01 41 00 0b");
    expect_body("(br_table 0 (i32.const 0))", "41 00 0e 00 00");
    expect_body("(block (nop) block end (nop))", "02 40 01 02 40 0b 01 0b");
    expect_body("select select (result i32)", "1b 1c 01 7f");
}

Test(text_parse, exceptions) {
    expect_body("(block $l try_table (catch 0 $l) (catch_all_ref 1) end)",
                "02 40 1f 40 02 00 00 00 03 01 0b 0b");
    expect_body("(try (do nop) (catch 1 drop) (catch_all rethrow 0))",
                "06 40 01 07 01 1a 19 09 00 0b");
    expect_body("(block $l (try $t (do) (delegate $l)))", "02 40 06 40 18 00 0b");
    expect_body("try $t catch 1 catch 2 catch_all end", "06 40 07 01 07 02 19 0b");
    expect_body("block $l try delegate $l end", "02 40 06 40 18 00 0b");
}

Test(text_parse, immediates) {
    expect_body("i32.load i32.load offset=8 align=1 i32.load 1 offset=0x80",
                "28 02 00 28 00 08 28 42 01 80 01");
    expect_body("v128.load8_lane 3 v128.load8_lane 1 3 v128.load8_lane offset=1 2",
                "fd 54 00 00 03 fd 54 40 01 00 03 fd 54 00 01 02");
    expect_body("memory.copy memory.copy 1 2 table.copy 1 2 memory.fill 1",
                "fc 0a 00 00 fc 0a 01 02 fc 0e 01 02 fc 0b 01");
    expect_body("table.init 2 table.init 1 2", "fc 0c 02 00 fc 0c 02 01");
    expect_body("ref.null any ref.null 0 ref.test anyref ref.cast (ref 0)",
                "d0 6e d0 00 fb 15 6e fb 16 00");
    expect_body("br_on_cast 0 anyref (ref i31)", "fb 18 01 00 6e 6c");
    expect_body("call_indirect 1 (type 0) call_indirect", "11 00 01 11 00 00");
    expect_body("i32.const -1 i64.const 0x8000_0000_0000_0000 f32.const -nan:0x1 f64.const 1",
                "41 7f 42 80 80 80 80 80 80 80 80 80 7f 43 01 00 80 ff "
                "44 00 00 00 00 00 00 f0 3f");
    expect_body("v128.const i16x8 1 -1 0 0 0 0 0 0xffff",
                "fd 0c 01 00 ff ff 00 00 00 00 00 00 00 00 00 00 ff ff");
    expect_body("i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 31 atomic.fence",
                "fd 0d 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 1f fe 03 00");
}

Test(text_parse, locals) {
    expect_bytes(
        &plain,
        "(func (param $a i32) (local i32 i32) (local $b f32) (local f32 i32)"
        " local.get $a local.get $b)",
        "01 05 01 60 01 7f 00 03 02 01 00 0a 0e 01 0c 03 02 7f 02 7d 01 7f 20 00 20 03 0b");
    expect_bytes(&plain,
                 "(type (func (param i64 i64))) (func (type 0) (local $x i32) local.get $x)",
                 "01 06 01 60 02 7e 7e 00 03 02 01 00 0a 08 01 06 01 01 7f 20 02 0b");
}

Test(text_parse, memories_and_data) {
    expect_bytes(&plain, "(memory 1 2) (memory i64 3) (memory 1 1 shared) (memory 0 (pagesize 1))",
                 "05 0c 04 01 01 02 04 03 03 01 01 08 00 00");
    expect_bytes(&plain, "(memory i64 (data \"ab\" \"\" \"\\00\"))",
                 "05 04 01 05 01 01 0b 09 01 00 42 00 0b 03 61 62 00");
    expect_bytes(&plain, "(memory (pagesize 1) (data \"ab\"))",
                 "05 05 01 09 02 02 00 0b 08 01 00 41 00 0b 02 61 62");
    expect_bytes(&plain, "(data (i8 1 -1) (i16 0x102) \"x\" (f32 1) (v128 i64x2 1 2) (i64))",
                 "0b 1c 01 01 19 01 ff 02 01 78 00 00 80 3f "
                 "01 00 00 00 00 00 00 00 02 00 00 00 00 00 00 00");
    expect_bytes(&plain, "(data (memory 1) (offset i32.const 0) \"x\")",
                 "0b 08 01 02 01 41 00 0b 01 78");
    /* the data count goes with uses in code */
    expect_bytes(&plain, "(data $d \"\") (func data.drop $d)",
                 T_VOID "0c 01 01 0a 07 01 05 00 fc 09 00 0b 0b 03 01 01 00");
}

Test(text_parse, tables_and_elements) {
    expect_bytes(
        &plain,
        "(table 1 funcref) (table i64 0 1 (ref null extern)) (table 1 (ref func) (ref.func 0))",
        "04 11 03 70 00 01 6f 05 00 01 40 00 64 70 00 01 d2 00 0b");
    /* the segment of an inline one has the next index: $e is the second */
    expect_bytes(&plain, "(table funcref (elem 0 0)) (elem $e func) (func elem.drop $e)",
                 T_VOID "04 05 01 70 01 02 02 09 0b 02 00 41 00 0b 02 00 00 01 00 00 "
                        "0a 07 01 05 00 fc 0d 01 0b");
    expect_bytes(&plain,
                 "(elem declare func 0) (elem (ref null func) (item ref.func 0))"
                 "(elem (table 1) (i32.const 0) func 1) (elem (i32.const 0) funcref)",
                 "09 18 04 03 00 01 00 05 70 01 d2 00 0b 02 01 41 00 0b 00 01 01 04 41 00 0b 00");
}

Test(text_parse, imports_and_exports) {
    expect_bytes(&plain,
                 "(global (export \"g\") (export \"h\") (import \"m\" \"n\") (mut i32))"
                 "(tag (export \"t\") (param i32))",
                 "01 05 01 60 01 7f 00 02 08 01 01 6d 01 6e 03 7f 01 0d 03 01 00 00 "
                 "07 0d 03 01 67 03 00 01 68 03 00 01 74 04 00");
}

Test(text_parse, names) {
    expect_bytes(
        &with_names,
        "(module $m (type $t (struct (field i8) (field $x i8)))"
        " (func $f (param $p i32) (local i32) (local $l i32)"
        "  (if $i (block $b (result i32) i32.const 0) (then))) (memory $n 0))",
        "01 0b 02 5f 02 78 00 78 00 60 01 7f 00 03 02 01 01 05 03 01 00 00 "
        "0a 0e 01 0c 01 02 7f 02 7f 41 00 0b 04 40 0b 0b "
        "00 39 04 6e 61 6d 65 00 02 01 6d 01 04 01 00 01 66 02 09 01 00 02 00 01 70 02 01 6c "
        "03 09 01 00 02 00 01 62 01 01 69 04 04 01 00 01 74 06 04 01 00 01 6e "
        "0a 06 01 00 01 01 01 78");
    expect_bytes(&with_names, "(module $m (@name \"M\") (func $f (@name \"F G\")))",
                 T_VOID
                 "0a 04 01 02 00 0b 00 11 04 6e 61 6d 65 00 02 01 4d 01 06 01 00 03 46 20 47");
    expect_bytes(&with_names, "(module (func))", T_VOID "0a 04 01 02 00 0b");
}

Test(text_parse, annotations) {
    expect_bytes(
        &plain, "(@custom \"a\" (before func) \"1\") (@custom \"b\" \"2\" \"3\") (func)",
        "01 04 01 60 00 00 00 03 01 61 31 03 02 01 00 0a 04 01 02 00 0b 00 04 01 62 32 33");
    expect_bytes(&plain, "(func (i32.const 0) (@metadata.code.branch_hint \"\\01\") if end)",
                 T_VOID "00 20 19 6d 65 74 61 64 61 74 61 2e 63 6f 64 65 2e 62 72 61 6e 63 68 5f "
                        "68 69 6e 74 01 00 01 03 01 01 0a 09 01 07 00 41 00 04 40 0b 0b");
}

/* ---- errors ---- */

static const struct {
    const char *text, *place, *message;
} errors[] = {
    {"(", "t:1:2", "unexpected token: the text ends here"},
    {"(module", "t:1:8", "unexpected token: the text ends here"},
    {"(module))", "t:1:9", "unexpected token )"},
    {"(module) (module)", "t:1:10", "unexpected token ("},
    {"(foo)", "t:1:2", "unknown operator foo"},
    {"(i32.add)", "t:1:2", "unexpected token i32.add"},
    {"(module definition $x (func (nop", "t:1:33", "unexpected token: the text ends here"},
    {"(module instance $a $b)", "t:1:1", "unexpected token: no module"},
    {"(module quote \"(module quote \\\"\\\")\")", "t:1:1", "unexpected token: no module"},
    {"(func\n  i32.ad)", "t:2:3", "unknown operator i32.ad"},
    {"(func (i32.add nop))", "t:1:16", "unexpected token nop"},
    {"(func else)", "t:1:7", "unexpected token else"},
    {"(func block else end)", "t:1:13", "unexpected token else"},
    {"(func if else else end)", "t:1:15", "unexpected token else"},
    {"(func end)", "t:1:7", "unexpected token end"},
    {"(func block)", "t:1:12", "unexpected token )"},
    {"(func (block end))", "t:1:14", "unexpected token end"},
    {"(func (if (i32.const 0)))", "t:1:24", "unexpected token )"},
    {"(func (if (else)))", "t:1:12", "unexpected token else"},
    {"(func (if (then) (then)))", "t:1:19", "unexpected token then"},
    {"(func (if nop (then)))", "t:1:11", "unexpected token nop"},
    {"(func (then))", "t:1:8", "unexpected token then"},
    {"(func try catch_all catch 0 end)", "t:1:21", "unexpected token catch"},
    {"(func (try (catch 0)))", "t:1:13", "unexpected token catch"},
    {"(func (try (do) (delegate 0) (catch 0)))", "t:1:31", "unexpected token catch"},
    {"(func block $a end $b)", "t:1:20", "mismatching label"},
    {"(func block end $b)", "t:1:17", "mismatching label"},
    {"(func br $x)", "t:1:10", "unknown label $x"},
    {"(func (block $x) br $x)", "t:1:21", "unknown label $x"},
    {"(func try_table $x (catch_all $x) end)", "t:1:31", "unknown label $x"},
    {"(func try $x delegate $x)", "t:1:23", "unknown label $x"},
    {"(func local.get $x)", "t:1:17", "unknown local $x"},
    {"(func (local $x i32)) (func local.get $x)", "t:1:39", "unknown local $x"},
    {"(func call $\"f g\")", "t:1:12", "unknown function $\"f g\""},
    {"(global i32 (local.get $x))", "t:1:24", "unknown local $x"},
    {"(type $t (struct (field $a i32))) (func struct.get $t $b)", "t:1:55", "unknown field $b"},
    {"(type (struct (field $a i32) (field $a i32)))", "t:1:37", "duplicate field $a"},
    {"(func $f) (func $f)", "t:1:17", "duplicate function $f"},
    {"(func $a\\b) (func $\"a\\\\b\")", "t:1:19", "duplicate function $\"a\\\\b\""},
    {"(func (param $x i32) (local $x i32))", "t:1:29", "duplicate local $x"},
    {"(func) (import \"\" \"\" (func))", "t:1:8", "import after function definition"},
    {"(memory 0) (table (import \"\" \"\") 0 funcref)", "t:1:12", "import after memory definition"},
    {"(func $f) (start $f) (start $f)", "t:1:22", "multiple start sections"},
    {"(func (type 1) (local $x i32))", "t:1:23", "unknown type 1"},
    {"(func (type 0) (param i32))", "t:1:13", "unknown type 0"},
    {"(type (struct)) (func (type 0) (param i32))", "t:1:29", "non-function type 0"},
    {"(type (func)) (func (type 0) (param i32))", "t:1:27",
     "inline function type does not match explicit type"},
    {"(func (result i32) (param i32))", "t:1:21", "unexpected token param"},
    {"(func i32.const 4294967296)", "t:1:17", "constant out of range"},
    {"(func i32.const 1.0)", "t:1:17", "constant out of range"},
    {"(func f32.const 1e39)", "t:1:17", "constant out of range"},
    {"(func v128.const i8x16 1)", "t:1:24", "wrong number of lane literals"},
    {"(func v128.const i64x2 1 2 3)", "t:1:28", "wrong number of lane literals"},
    {"(func v128.const f32)", "t:1:18", "unexpected token f32"},
    {"(func i8x16.shuffle 0)", "t:1:21", "invalid lane length"},
    {"(func i8x16.extract_lane_s 256)", "t:1:28", "i8 constant out of range"},
    {"(func i32.load align=3)", "t:1:16", "alignment must be a power of two"},
    {"(func i32.load align=0)", "t:1:16", "alignment must be a power of two"},
    {"(func i32.load align=1 offset=1)", "t:1:24", "unexpected token offset=1"},
    {"(func local.get 4294967296)", "t:1:17", "i32 constant out of range"},
    {"(memory 0 (pagesize 3))", "t:1:21", "invalid custom page size"},
    {"(export \"\\ff\" (func 0))", "t:1:9", "malformed UTF-8 encoding"},
    {"(func $\"\\ff\")", "t:1:7", "malformed UTF-8 encoding"},
    {"(@custom)", "t:1:1", "@custom annotation: missing section name"},
    {"(@custom \"a\" (before foo))", "t:1:14", "@custom annotation: malformed section kind"},
    {"(func (@custom \"a\"))", "t:1:7", "misplaced @custom annotation"},
    {"(module (@name \"a\") (@name \"b\"))", "t:1:21", "@name annotation: multiple module names"},
    {"(func nop (@name \"a\"))", "t:1:11", "misplaced @name annotation"},
    {"(@metadata.code.branch_hint \"\\00\") (func)", "t:1:1",
     "@metadata.code.branch_hint annotation: not in a function"},
    {"(func (@metadata.code.branch_hint \"\\02\") if end)", "t:1:7",
     "@metadata.code.branch_hint annotation: invalid hint value"},
    {"(func (@metadata.code.branch_hint \"\\00\") nop)", "t:1:42",
     "@metadata.code.branch_hint annotation: invalid target"},
};

Test(text_parse, errors) {
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        u8 *bytes;
        size_t size;
        Error *error = parse(&plain, errors[i].text, &bytes, &size);
        cr_assert_not_null(error, "%s", errors[i].text);
        cr_assert_null(bytes);
        cr_expect_str_eq(wr_error_message(error), errors[i].message);
        cr_expect_str_eq(wr_error_place(error), errors[i].place);
        wr_error_delete(error);
    }
}

Test(text_parse, limits_may_be_narrow) {
    TextOptions narrow = {.alloc = &wr_alloc_system, .narrow_limits = true};
    u8 *bytes;
    size_t size;
    Error *error = parse(&narrow, "(memory 0x1_0000_0000)", &bytes, &size);
    cr_assert_not_null(error);
    cr_assert_str_eq(wr_error_message(error), "i32 constant out of range");
    wr_error_delete(error);
    error = parse(&narrow, "(memory i64 0x1_0000_0000)", &bytes, &size);
    cr_assert_null(error);
    wr_free(&wr_alloc_system, bytes, size);
}

static void expect_rendered(const char *text, const char *rendered) {
    u8 *bytes;
    size_t size;
    char buffer[1000];
    Error *error = parse(&plain, text, &bytes, &size);
    cr_assert_not_null(error);
    (void)wr_error_render(error, buffer, sizeof buffer);
    cr_expect_str_eq(buffer, rendered, "%s", buffer);
    wr_error_delete(error);
}

Test(text_parse, errors_show_the_line) {
    expect_rendered("(module\n\t(\xC3\xA4unc))", "t:2:3: malformed module: illegal character\n"
                                                 "   (\xC3\xA4unc))\n"
                                                 "    ^\n");
    char text[600], want[600];
    memset(text, ' ', sizeof text);
    memcpy(text + 300, "foo", 3);
    memcpy(text + 500, "\n", 2);
    snprintf(want, sizeof want,
             "t:1:301: malformed module: unknown operator foo\n  %*sfoo%*s\n  %*s^~~\n", 49, "", 48,
             "", 49, "");
    expect_rendered(text, want);
}

/* Bytes that never start a character. */
Test(text_parse, errors_in_what_is_no_text) {
    char text[1000];
    u8 *bytes;
    size_t size;
    memset(text, 0x9A, sizeof text);
    text[500] = 0;
    Error *error = parse(&plain, text, &bytes, &size);
    cr_assert_not_null(error);
    cr_assert_str_eq(wr_error_message(error), "malformed UTF-8 encoding");
    wr_error_delete(error);
    memset(text, ' ', 400);
    error = parse(&plain, text, &bytes, &size);
    cr_assert_not_null(error);
    cr_assert_str_eq(wr_error_place(error), "t:1:401");
    wr_error_delete(error);
}

Test(text_parse, public_interface) {
    static const char text[] = "(func $f (export \"f\"))";
    wr_engine_t *engine;
    wr_module_t *module;
    const void *section;
    uint8_t *bytes;
    size_t size, section_size;
    cr_assert_null(wr_engine_new(NULL, &engine));
    for (int names = 0; names < 2; names++) {
        cr_assert_null(wr_wat_to_wasm(text, strlen(text), NULL, names != 0, &bytes, &size));
        cr_assert_null(wr_module_new(engine, bytes, size, &module));
        cr_assert_eq(wr_module_custom_section(module, "name", &section, &section_size), names != 0);
        wr_module_delete(module);
        wr_bytes_delete(bytes, size);
    }
    wr_error_t *error = wr_wat_to_wasm("(", 1, NULL, false, &bytes, &size);
    cr_assert_str_eq(wr_error_place(error), "text:1:2");
    wr_error_delete(error);
    cr_assert_null(wr_wat_to_wasm(NULL, 0, "empty", false, &bytes, &size));
    cr_assert_eq(size, 8);
    wr_bytes_delete(bytes, size);
    wr_engine_delete(engine);
}

/* ---- hostile texts ---- */

static const char rich[] =
    "(module $m (@name \"M\") (@custom \"c\" \"x\")\n"
    "(type $t (func (param i32) (result i32))) (rec (type $s (struct (field $a i32))))\n"
    "(import \"m\" \"f\" (func $i (param f64))) (memory $mem (data \"abc\"))\n"
    "(table $tab funcref (elem $f $\"\\66\")) (global $g (mut i32) (i32.const 1)) (tag $e)\n"
    "(elem (i32.const 0) funcref (ref.func $f)) (data $d (i32 1 2 3))\n"
    "(func $f (export \"f\") (type $t) (local $l i32) (block $b (param i32) (result i32 i32)\n"
    " (br_table $b 0 $b (i32.const 0))) (call_indirect (type $t) (i32.const 0) (local.get $l))\n"
    " (@metadata.code.branch_hint \"\\00\") (if (i32.const 1) (then (memory.init $d)))\n"
    " (struct.get $s $a (ref.null $s)) try_table (catch $e 0) end unreachable)\n"
    "(start $f))";

/* Every allocation fails once: an error each time, and nothing is lost. */
Test(text_parse, every_allocation_may_fail) {
    for (size_t n = 1;; n++) {
        FailAlloc state = {.fail_at = n};
        Alloc alloc = wr_alloc_failing(&state);
        TextOptions options = {.alloc = &alloc, .names = true};
        u8 *bytes;
        size_t size;
        Error *error = parse(&options, rich, &bytes, &size);
        if (error == NULL) {
            cr_assert_gt(n, 40);
            wr_free(&alloc, bytes, size);
            cr_assert_eq(state.live_bytes, 0);
            break;
        }
        cr_assert_eq(wr_error_kind(error), WR_ERROR_MEMORY, "%s", wr_error_message(error));
        cr_assert_eq(state.live_bytes, 0, "allocation %zu", n);
        wr_error_delete(error);
    }
}

/* Cut off anywhere it is an error, but never more than that. */
Test(text_parse, every_prefix_is_an_error) {
    for (size_t n = 1; n < sizeof rich - 1; n++) {
        u8 *bytes;
        size_t size;
        char *copy = malloc(n); /* so that the address sanitizer sees reads beyond */
        memcpy(copy, rich, n);
        Error *error = wr_text_to_binary(&with_names, copy, n, "t", &bytes, &size);
        cr_assert_not_null(error, "%zu bytes", n);
        wr_error_delete(error);
        free(copy);
    }
}

static char *repeat(const char *before, const char *open, const char *middle, const char *close,
                    size_t count, const char *after) {
    size_t o = strlen(open), c = strlen(close);
    char *text = malloc(strlen(before) + count * (o + c) + strlen(middle) + strlen(after) + 1);
    char *p = text + sprintf(text, "%s", before);
    for (size_t i = 0; i < count; i++, p += o) memcpy(p, open, o);
    p += sprintf(p, "%s", middle);
    for (size_t i = 0; i < count; i++, p += c) memcpy(p, close, c);
    sprintf(p, "%s", after);
    return text;
}

Test(text_parse, nesting_takes_no_stack, .timeout = 100) {
    static const char *const rows[][3] = {
        {"(block", "", ")"},   {"block $a ", "br $a ", "end "},
        {"(drop", "", ")"},    {"(if(i32.const 0)(then", "", "))"},
        {"(try(do", "", "))"}, {"(if", "(i32.const 0)", "(then))"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *text = repeat("(func ", rows[i][0], rows[i][1], rows[i][2], 200000, ")");
        u8 *bytes;
        size_t size;
        Error *error = parse(&plain, text, &bytes, &size);
        cr_assert_null(error, "%s", error == NULL ? "" : wr_error_message(error));
        wr_free(&wr_alloc_system, bytes, size);
        free(text);
        text = repeat("(func ", rows[i][0], "", "", 200000, "");
        error = parse(&plain, text, &bytes, &size);
        cr_assert_not_null(error);
        wr_error_delete(error);
        free(text);
    }
}

/* Time and memory are linear where it would be easy to be worse. */
Test(text_parse, many_of_everything, .timeout = 100) {
    static const char *const fields[] = {"(func)",
                                         "(type (func))",
                                         "(rec (type (struct)))",
                                         "(func (param i32) block $x br $x end)",
                                         "(@custom \"\")",
                                         "(elem func)",
                                         "(func (@name \"x\"))",
                                         "(data \"x\")"};
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        char *text = repeat("(module ", fields[i], "", "", 100000, ")");
        u8 *bytes;
        size_t size;
        Error *error = parse(&with_names, text, &bytes, &size);
        cr_assert_null(error, "%s", error == NULL ? "" : wr_error_message(error));
        wr_free(&wr_alloc_system, bytes, size);
        free(text);
    }
}
