#!/usr/bin/env python3
"""Writes the fuzz corpus: small modules made by hand, one thing each, named after it.

usage: corpus.py [FOLDER]      writes FOLDER/modules/*.wasm and FOLDER/wasi/* (default: corpus/ beside it)

The files are committed, so that replaying them takes no Python; run this after a change here. Inputs
that once went wrong are added as they are, named after what went wrong.
"""
import pathlib
import sys

I32, I64, F32, F64, V128 = 0x7F, 0x7E, 0x7D, 0x7C, 0x7B
FUNCREF, EXTERNREF = 0x70, 0x6F
FUNC, TABLE, MEMORY, GLOBAL, TAG = range(5)
END, VOID = 0x0B, 0x40


def leb(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def sleb(n):
    out = bytearray()
    while not -64 <= n < 64:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n & 0x7F]))


def cat(*parts):
    """Bytes of numbers below 256, strings (names), byte strings and lists of these."""
    out = b""
    for part in parts:
        if isinstance(part, int):
            out += bytes([part])
        elif isinstance(part, str):
            out += leb(len(part.encode())) + part.encode()
        elif isinstance(part, (list, tuple)):
            out += cat(*part)
        else:
            out += part
    return out


def vec(*items):
    return leb(len(items)) + b"".join(cat(item) for item in items)


def sec(number, *contents):
    body = cat(*contents)
    return bytes([number]) + leb(len(body)) + body


def custom(name, *contents):
    return sec(0, name, *contents)


def types(*items):
    return sec(1, vec(*items))


def imports(*items):
    return sec(2, vec(*[["m", f"i{k}", *item] for k, item in enumerate(items)]))


def funcs(*indices):
    return sec(3, vec(*indices))


def tables(*items):
    return sec(4, vec(*items))


def memories(*items):
    return sec(5, vec(*items))


def globals_(*items):
    return sec(6, vec(*items))


def exports(*items):
    """(kind, index), named by their number."""
    return sec(7, vec(*[[f"e{k}", kind, leb(index)] for k, (kind, index) in enumerate(items)]))


def start(index):
    return sec(8, index)


def elems(*items):
    return sec(9, vec(*items))


class Body:
    """Local declarations, (count, type) each, and instructions."""

    def __init__(self, locals_, *text):
        self.locals, self.text = vec(*locals_), cat(*text)


def sized(body):
    text = body.locals + body.text if isinstance(body, Body) else b"\0" + cat(body)
    return leb(len(text) + 1) + text + bytes([END])


def code(*bodies):
    """A Body or instructions each; `end` is added."""
    return sec(10, vec(*[sized(body) for body in bodies]))


def datas(*items):
    return sec(11, vec(*items))


def data_count(n):
    return sec(12, n)


def tags(*items):
    return sec(13, vec(*items))


def fn(params=(), results=()):
    return cat(0x60, vec(*params), vec(*results))


def module(*sections):
    return b"\0asm\1\0\0\0" + b"".join(sections)


def i32(n):
    return cat(0x41, sleb(n))


def i64(n):
    return cat(0x42, sleb(n))


def get(n):
    return cat(0x20, leb(n))


def put(n):
    return cat(0x21, leb(n))


def access(op, offset=0):
    return cat(op, 0, leb(offset))


def simple(params, results, *text, before=b""):
    """One exported function."""
    return module(types(fn(params, results)), funcs(0), before, exports((FUNC, 0)), code(cat(*text)))


ZERO_V128 = cat(0xFD, 12, bytes(16))
MODULES = {
    # ---- valid: plain instructions
    "empty": module(),
    "i32-arithmetic": simple([I32, I32], [I32], get(0), get(1), 0x6D, get(1), 0x70, get(0), 0x78, get(1), 0x6C),
    "i64-arithmetic": simple([I64, I64], [I64], get(0), get(1), 0x7F, get(1), 0x82, 0x7B, get(0), 0x8A),
    "float-arithmetic": simple([F32, F64], [F64], get(0), 0x91, 0xBB, get(1), 0xA3, 0x9F, get(1), 0xA5),
    "conversions": simple([F64, F32], [I64], get(0), 0xAA, 0xAD, get(1), 0xFC, 4, 0x7C, get(0), 0xB0, 0x7C),
    "wide-arithmetic": simple([I64, I64], [I64, I64], get(0), get(1), get(1), get(0), 0xFC, 19, get(0), 0xFC, 22, 0x7C),
    "select-wide": simple([V128, V128, I32], [V128], get(0), get(1), get(2), 0x1B, get(1), get(2), 0x1C, 1, V128),
    "simd": simple([V128, V128], [V128], get(0), get(1), 0xFD, 13, bytes(range(31, 15, -1)), get(1), 0xFD, leb(110),
                   get(0), 0xFD, leb(186), get(1), 0xFD, 14),
    "simd-relaxed": simple([V128, V128], [V128], get(0), get(1), get(0), 0xFD, leb(0x105), get(1), 0xFD, leb(0x100)),
    "locals-of-all-types": module(types(fn([I32], [V128])), funcs(0), exports((FUNC, 0)), code(
        Body([[3, I32], [2, V128], [1, EXTERNREF], [5, F64], [1, V128]], 0xFD, 12, bytes(range(16)), put(4), get(4),
             get(12), get(0), 0x1B, put(12), get(12)))),
    # ---- valid: control
    "endless-loop": simple([], [], 0x03, VOID, 0x0C, 0, END),
    "endless-recursion": simple([I64], [I64], get(0), 0x10, 0),
    "counting-loop": simple([I32], [I32], 0x03, VOID, get(0), 0x04, VOID, get(0), i32(1), 0x6B, put(0), 0x0C, 1, END, END,
                            get(0)),
    "values-kept-over-a-branch": simple([I32], [I32], 0x02, I32, i32(1), i32(2), i32(3), get(0), 0x0D, 0, 0x1A, 0x1A, END),
    "br-table": simple([I32], [I32], 0x02, I32, 0x02, I32, 0x02, I32, i32(7), get(0), 0x0E, vec(0, 1, 2, 0), 1, END,
                       i32(1), 0x6A, END, i32(2), 0x6A, END),
    "block-types": module(types(fn([I32, I64], [I64, I32]), fn([I32, I64], [I32, I64])), funcs(0), exports((FUNC, 0)),
                          code(Body([[1, I64]], get(0), get(1), 0x03, 1, 0x02, 1, 0x0C, 0, END, END, put(2), put(0), get(2),
                                    get(0)))),
    "code-behind-a-branch": simple([], [I32], 0x00, 0x6A, 0x1B, 0x02, I32, i32(1), 0x0C, 0, 0xD1, END, 0x6A),
    "call-indirect": module(types(fn([I32], [I32]), fn([], [I32])), funcs(0, 1, 0), tables([FUNCREF, 0, 4]),
                            exports((FUNC, 0)), elems([0, i32(0), END, vec(1, 2)]),
                            code([get(0), 0x11, 1, 0], [i32(5)], [get(0), get(0), 0x11, 0, 0])),
    "call-ref": module(types(fn([I32], [I32]), fn([[0x63, 0], I32], [I32])), funcs(0, 1), exports((FUNC, 0), (FUNC, 1)),
                       code([get(0)], [get(1), get(0), 0x14, 0])),
    "br-on-null": simple([FUNCREF], [I32], 0x02, VOID, get(0), 0xD5, 0, 0x1A, i32(1), 0x0F, END, i32(0)),
    "tail-calls": module(types(fn([I32], [I32])), funcs(0, 0), tables([FUNCREF, 0, 1]), exports((FUNC, 0)),
                         elems([0, i32(0), END, vec(1)]),
                         code([get(0), i32(1), 0x6B, 0x12, 1],
                              [get(0), 0x45, 0x04, I32, get(0), 0x05, get(0), i32(0), 0x13, 0, 0, END])),
    "tail-call-with-more-arguments": module(types(fn([], [I32]), fn([I32] * 40, [I32])), funcs(0, 1), exports((FUNC, 0)),
                                            code([i32(1) * 40, 0x12, 1], [get(39)])),
    # ---- valid: memories, tables, globals
    "memory-at-its-end": simple([I32], [I64], get(0), access(0x29, 0xFFF8), get(0), access(0x2D, 0xFFFFFFFF), 0xAC, 0x7C,
                                before=memories([0, 1])),
    "memory-grows": module(types(fn([I32], [I32])), funcs(0), memories([1, 1, 3]), exports((FUNC, 0), (MEMORY, 0)),
                           code([get(0), 0x40, 0, 0x1A, get(0), get(0), access(0x36), 0x3F, 0])),
    "memory-64": simple([I64], [I32], get(0), access(0x28, 0x10000), get(0), 0x40, 0, 0xA7, 0x6A,
                        before=memories([5, 1, 4])),
    "memories-two": module(types(fn([I32], [I32])), funcs(0), memories([0, 1], [0, 2]), exports((FUNC, 0), (MEMORY, 1)),
                           code([get(0), get(0), 0x36, 0x42, 1, 4, get(0), get(0), i32(16), 0xFC, 10, 1, 0, get(0), 0x28,
                                 2, 4])),
    "memory-of-bytes": simple([I32], [I32], get(0), access(0x2D), i32(3), 0x40, 0, 0x6A, before=memories([8, 5, 0])),
    "memory-shared-atomics": simple([I32], [I32], get(0), i32(1), 0xFE, 0x1E, 2, 0, get(0), i32(1), 0xFE, 0x00, 2, 0, 0x6A,
                                    before=memories([3, 1, 2])),
    "simd-memory": simple([I32], [V128], get(0), 0xFD, 0, 4, 3, get(0), 0xFD, 7, 0, 5, 0xFD, leb(174), get(0), get(0),
                          0xFD, 0, 0, 0, 0xFD, 84, 0, leb(65530), 15, 0xFD, leb(174), before=memories([0, 1])),
    "bulk-memory": module(types(fn([I32, I32])), funcs(0), memories([0, 1]), exports((FUNC, 0)), data_count(2),
                          code([get(0), get(1), i32(9), 0xFC, 8, 1, 0, 0xFC, 9, 1, get(0), get(1), i32(100), 0xFC, 10, 0, 0,
                                get(1), get(0), get(1), 0xFC, 11, 0]),
                          datas([0, i32(8), END, "active"], [1, "passive!!"])),
    "tables": module(types(fn([I32], [I32]), fn()), funcs(0, 1), tables([FUNCREF, 1, 2, 9], [EXTERNREF, 0, 3]),
                     exports((FUNC, 0), (TABLE, 0)),
                     elems([0, i32(0), END, vec(1)], [1, 0, vec(0, 1)], [3, 0, vec(0)]),
                     code([get(0), i32(0), i32(1), 0xFC, 12, 1, 0, 0xFC, 13, 1, 0xD2, 0, get(0), 0xFC, 15, 0, get(0),
                           get(0), i32(1), 0xFC, 14, 0, 0, get(0), 0xD0, EXTERNREF, i32(2), 0xFC, 17, 1, 0xFC, 16, 0,
                           0x6A], [])),
    "globals": module(types(fn([], [I64])), imports([GLOBAL, I64, 0], [GLOBAL, V128, 1]), funcs(0),
                      globals_([I64, 1, 0x23, 0, i64(-5), 0x7C, i64(3), 0x7E, END], [FUNCREF, 0, 0xD2, 0, END],
                               [V128, 0, ZERO_V128, END]),
                      exports((FUNC, 0), (GLOBAL, 1), (GLOBAL, 2), (GLOBAL, 3)),
                      code([0x23, 2, i64(1), 0x7C, 0x24, 2, 0x23, 4, 0x24, 1, 0x23, 2])),
    "element-expressions": module(types(fn()), funcs(0), tables([FUNCREF, 0, 3]), exports((TABLE, 0)),
                                  elems([4, i32(1), END, vec([0xD2, 0, END], [0xD0, FUNCREF, END])]), code([])),
    # ---- valid: the host's side, instantiation
    "imports-of-all-kinds": module(
        types(fn([I32], [I64]), fn([V128, EXTERNREF], [FUNCREF, V128]), fn([I32])),
        imports([FUNC, 0], [FUNC, 1], [TABLE, FUNCREF, 1, 1, 5], [MEMORY, 0, 1], [GLOBAL, F64, 0], [GLOBAL, FUNCREF, 1],
                [TAG, 0, 2]), funcs(0), exports((FUNC, 0), (FUNC, 1), (FUNC, 2), (MEMORY, 0), (TABLE, 0)),
        code([ZERO_V128, 0xD0, EXTERNREF, 0x10, 1, 0x1A, 0x24, 1, get(0), 0x10, 0, get(0), access(0x29), 0x7C])),
    "host-grows-memory": module(
        types(fn()), imports([FUNC, 0]), funcs(0), memories([0, 1]), sec(7, vec(["memory", MEMORY, 0], ["run", FUNC, 1])),
        code([0x10, 0, i32(65535), access(0x2D), 0x1A, 0x10, 0, i32(0), i32(1), access(0x36), 0x10, 0])),
    "start-function": module(types(fn()), funcs(0), memories([0, 1]), exports((MEMORY, 0)), start(0),
                             code([i32(0), i32(0), i32(65536), 0xFC, 11, 0])),
    "start-function-traps": module(types(fn()), funcs(0), start(0), code([0x00])),
    "segment-does-not-fit": module(memories([0, 1]), datas([0, i32(65535), END, "ab"])),
    # ---- valid: types, objects, exceptions
    "recursive-types": module(types(
        cat(0x4E, vec([0x50, vec(), 0x5F, vec([[0x63, 1], 1])], [0x50, vec(0), 0x5F, vec([[0x63, 1], 1], [I32, 0])])),
        fn([[0x63, 1]], [[0x63, 0]])), funcs(2), exports((FUNC, 0)), code([get(0)])),
    "structs": module(types(cat(0x5F, vec([I32, 1], [0x78, 1], [V128, 0])), fn([I32], [I32])), funcs(1),
                      exports((FUNC, 0)), code(Body([[1, [0x63, 0]]], get(0), get(0), ZERO_V128, 0xFB, 0, 0, put(1), get(1),
                                                    get(0), 0xFB, 5, 0, 1, get(1), 0xFB, 3, 0, 1))),
    "structs-in-circles-until-memory-ends": module(
        types(cat(0x4E, vec([0x5F, vec([[0x63, 0], 1], [I64, 0])])), fn([], [[0x63, 0]])), funcs(1), exports((FUNC, 0)),
        code(Body([[1, [0x63, 0]]], 0x03, VOID, get(0), i64(7), 0xFB, 0, 0, put(0), get(0), get(0), 0xFB, 5, 0, 0, 0x0C, 0,
                  END, get(0)))),
    "garbage": module(
        types(cat(0x5E, 0x78, 1), fn([], [])), funcs(1), exports((FUNC, 0)),
        code([0x03, VOID, i32(100000), 0xFB, 7, 0, 0x1A, 0x0C, 0, END])),
    "arrays": module(types(cat(0x5E, 0x77, 1), fn([I32], [I32])), funcs(1), memories([0, 1]), exports((FUNC, 0)),
                     data_count(1),
                     code(Body([[1, [0x63, 0]]], i32(3), get(0), 0xFB, 6, 0, put(1), get(1), get(0), i32(9), 0xFB, 14, 0,
                               i32(0), i32(4), 0xFB, 9, 0, 0, get(0), 0xFB, 13, 0, get(1), 0xFB, 15, 0x6A)),
                     datas([1, "12345678"])),
    "i31-and-casts": simple([I32], [I32], get(0), 0xFB, 28, 0xFB, 23, 0x6C, 0xFB, 29),
    # (rec (type (descriptor 1) (struct i32 (mut anyref)))
    #      (type (describes 0) (descriptor 2) (struct (mut i64))) (type (describes 1) (struct)))
    "descriptors": module(
        types(cat(0x4E, vec([0x4D, 1, 0x5F, vec([I32, 0], [0x6E, 1])], [0x4C, 0, 0x4D, 2, 0x5F, vec([I64, 1])],
                            [0x4C, 1, 0x5F, vec()])),
              fn([I32], [I32]), fn([[0x63, 0]], [[0x63, 1]])),
        funcs(3, 4), globals_([0x64, 0x62, 2, 0, 0xFB, 0, 2, END]), exports((FUNC, 0), (FUNC, 1)),
        code(Body([[1, [0x63, 0x62, 1]], [1, [0x63, 0]]], i64(5), 0x23, 0, 0xFB, 0x20, 1, put(1),
                  0x03, VOID, get(0), get(2), get(1), 0xFB, 0x20, 0, put(2), get(2), get(2), 0xFB, 5, 0, 1,
                  0x02, 0x63, 0x62, 0, get(2), get(1), 0xFB, 0x25, 3, 0, 0x6E, 0x62, 0, 0x1A, get(1), 0xFB, 0x21, 0, END, 0x1A,
                  get(0), i32(-1), 0x6A, 0x22, 0, 0x0D, 0, END,
                  get(2), get(1), 0xFB, 0x23, 0, 0xFB, 2, 0, 0),
             [0x02, 0x6E, get(0), get(0), 0xFB, 0x22, 0, 0xFB, 0x26, 1, 0, 0x6E, 0, 0xFB, 0x22, 0, 0x0F, END, 0x1A,
              0xD0, 0x62, 1, 0x23, 0, 0xFB, 0x24, 1])),
    "exact-types": module(
        types(cat(0x50, vec(), 0x60, 0, 0), cat(0x50, vec(0), 0x60, 0, 0), cat(0x50, vec(), 0x5F, vec([[0x63, 0x62, 2], 1])),
              cat(0x50, vec(2), 0x5F, vec([[0x63, 0x62, 2], 1], [I32, 0])), fn([[0x63, 2]], [I32])),
        imports([0x20, 1], [FUNC, 0]), funcs(4), tables([0x63, 0x62, 3, 0, 1]),
        globals_([0x64, 0x62, 1, 0, 0xD2, 0, END]), exports((FUNC, 1), (FUNC, 2)), elems([3, 0, vec(1)]),
        code([0x02, 0x63, 2, get(0), 0xFB, 0x18, 3, 0, 2, 0x62, 2, 0xFB, 0x14, 0x62, 3, 0x0F, END, 0x1A,
              0xD2, 1, 0xFB, 0x14, 0x62, 1, i32(0), 0x25, 0, 0xD1, 0x6A])),
    "exceptions": module(types(fn([I32]), fn([I32], [I32])), funcs(1), tags([0, 0]), exports((FUNC, 0)),
                         code([0x02, I32, 0x1F, VOID, vec([0, 0, 0]), get(0), 0x08, 0, END, i32(1), END])),
    "exceptions-nobody-catches": module(types(fn([I32]), fn()), funcs(0, 1), tags([0, 0]), exports((FUNC, 0), (FUNC, 1)),
                                        code([get(0), 0x08, 0], [i32(1), 0x10, 0])),
    "exceptions-passed-on": module(types(fn([I32]), fn([I32], [I32])), funcs(1, 1), tags([0, 0], [0, 0]),
                                   exports((FUNC, 0), (FUNC, 1)),
                                   code([0x02, I32, 0x1F, VOID, vec([0, 1, 0]), get(0), 0x08, 0, END, i32(1), END],
                                        [0x02, I32, 0x1F, VOID, vec([0, 1, 0]), get(0), 0x10, 0, 0x1A, END, i32(1), END])),
    "exceptions-legacy": module(types(fn([I32]), fn([I32], [I32])), funcs(1), tags([0, 0]), exports((FUNC, 0)),
                                code([0x06, I32, get(0), 0x08, 0, 0x07, 0, i32(1), 0x6A, 0x19, i32(9), END])),
    "try-table-without-clauses": simple([I32], [I32], 0x1F, VOID, vec(), END, get(0), 0x1F, VOID, vec(), END),
    # ---- valid: the format, sizes
    "names": module(types(fn([I32])), funcs(0), exports((FUNC, 0)), code([0x00]),
                    custom("name", 0, 2, "m", 1, 5, 1, 0, "\u00fc", 2, 6, 1, 0, 1, 0, "x")),
    "custom-sections": module(custom("", b"\xff\xff"), types(), custom("a" * 200), custom("name"), custom("name", 9)),
    "long-encodings": module(b"\1\x84\x80\x80\x80\0\1\x60\0\0", b"\3\x86\x80\x80\x80\0\x81\x80\x80\x80\0\0",
                             code(Body([], 0x41, b"\xff\xff\xff\xff\x7f", 0x1A, 0x42, b"\x80" * 9 + b"\x7f", 0x1A))),
    "deep-blocks": simple([], [], [0x02, VOID] * 3000, [END] * 3000),
    "many-values": simple([], [I32], i32(1) * 3000, [0x6A] * 2999),
    "many-results": module(types(fn([], [I64] * 900), fn()), funcs(0, 1), exports((FUNC, 0), (FUNC, 1)),
                           code([i64(1) * 900], [0x10, 0, [0x1A] * 900])),
    "many-locals": module(types(fn([], [I32])), funcs(0), exports((FUNC, 0)),
                          code(Body([[leb(25000), I32], [leb(25000), V128]], get(24999), 0x10, 0, 0x6A))),
    # ---- not valid
    "bad-no-bytes": b"",
    "bad-header-only-half": b"\0as",
    "bad-version": b"\0asm\2\0\0\0",
    "bad-section-size": module(b"\1\x20\1\x60\0\0"),
    "bad-section-order": module(funcs(), types()),
    "bad-section-unknown": module(sec(99)),
    "bad-count-of-types": module(sec(1, b"\xff\xff\xff\xff\x0f")),
    "bad-count-of-bodies": module(types(fn()), funcs(0, 0), code([])),
    "bad-count-of-locals": module(types(fn()), funcs(0), code(Body([[leb(0xFFFFFFFF), I32]] * 4))),
    "bad-count-of-labels": simple([I32], [], get(0), 0x0E, b"\xff\xff\xff\xff\x0f"),
    "bad-integer-too-long": module(sec(1, b"\x80\x80\x80\x80\x80\x00")),
    "bad-integer-too-large": simple([], [I32], 0x41, b"\xff\xff\xff\xff\x0f"),
    "bad-utf8": module(custom(b"\2\xc0\x80")),
    "bad-type-of-operand": simple([I64], [I32], get(0), 0x45),
    "bad-no-operand": simple([], [I32], 0x6A),
    "bad-label": simple([], [], 0x0C, 2),
    "bad-no-end": module(types(fn()), funcs(0), sec(10, 1, 3, 0, 0x02, VOID)),
    "bad-else": simple([], [], 0x05),
    "bad-supertype-of-itself": module(types(cat(0x50, vec(0), 0x5F, vec()))),
    "bad-constant-expression": module(globals_([I32, 0, 0x23, 0, END])),
    "bad-alignment": simple([I32], [I32], get(0), 0x28, 3, 0, before=memories([0, 1])),
    "bad-lane": simple([V128], [I32], get(0), 0xFD, 21, 16),
    "bad-prefix": simple([], [], 0xFD, b"\xff\xff\xff\xff\x0f"),
}

# ---- calls of WASI functions, as wasi.c reads them: functions by number (the order of wasi/preview1.def)

(ARGS_GET, ENVIRON_GET, CLOCK, ALLOCATE, CLOSE, SET_SIZE, PREAD, PRESTAT_NAME, READ, READDIR, RENUMBER, SEEK, WRITE, MKDIR,
 STAT, LINK, OPEN, READLINK, RMDIR, RENAME, SYMLINK, UNLINK, POLL, EXIT, RAISE, RANDOM, ACCEPT, RECV, SEND, SHUTDOWN) = (
    0, 2, 5, 7, 8, 14, 16, 18, 20, 21, 22, 23, 26, 27, 28, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 41, 42, 43, 44, 45)
A, B, B_C, OUT, LOOP, UP, SECRET, NEW = 96, 97, 98, 99, 100, 101, 102, 104
VECTOR, SUBSCRIPTION, HERE, LAST_BYTE, LARGEST, POKE = 128 + 3, 144, 152, 161, 255, 250
ALL_RIGHTS = bytes([232, 0, 0, 0, 0, 0x1F, 0xFF, 0xFF, 0xFF])
DIR, SOCKET, OPENED = 3, 4, 5
READ_ONLY, WALK = 1, 2


def opened(path, length, flags=0, lookup=1):
    return cat(OPEN, DIR, lookup, path, length, flags, ALL_RIGHTS, ALL_RIGHTS, 0, HERE)


def calls(*parts, options=0):
    return cat(options, *parts)


WAYS_OUT = [opened(OUT, 3), opened(SECRET, 9), opened(UP, 2, 2), opened(LOOP, 4), [STAT, DIR, 1, SECRET, 9, HERE],
            [LINK, DIR, 1, SECRET, 9, DIR, NEW, 3], [RENAME, DIR, A, 1, DIR, SECRET, 9], [MKDIR, DIR, SECRET, 9],
            [RMDIR, DIR, UP, 2], [UNLINK, DIR, SECRET, 9], [SYMLINK, SECRET, 9, DIR, NEW, 3], opened(NEW, 3),
            [READLINK, DIR, OUT, 3, HERE, 9, 153]]
WASI = {
    "nothing": b"",
    "every-function": calls(*[bytes([k]) + bytes(range(k, k + 9)) for k in range(46) if k not in (EXIT, RAISE)]),
    "read-and-seek": calls(opened(A, 1), [READ, OPENED, VECTOR, 3, HERE], [SEEK, OPENED, 2, 0, HERE], [CLOSE, OPENED],
                           [READ, OPENED, VECTOR, 1, HERE]),
    "write-and-resize": calls(opened(NEW, 3, 1), [WRITE, OPENED, VECTOR, 4, HERE], [SET_SIZE, OPENED, 195],
                              [ALLOCATE, OPENED, 9, 194], [PREAD, OPENED, VECTOR, 2, 3, HERE], [RENUMBER, OPENED, DIR]),
    "read-only": calls(opened(NEW, 3, 1), opened(A, 1), [WRITE, OPENED, VECTOR, 2, HERE], [MKDIR, DIR, NEW, 3],
                       [UNLINK, DIR, A, 1], options=READ_ONLY),
    "ways-out": calls(WAYS_OUT),
    "ways-out-component-by-component": calls(WAYS_OUT, options=WALK),
    "folders": calls([MKDIR, DIR, NEW, 3], [READDIR, DIR, HERE, 200, 1, 0, HERE], [READDIR, DIR, HERE, 25, 2, HERE],
                     [RENAME, DIR, B, 1, DIR, NEW, 3], [RMDIR, DIR, NEW, 3], [RMDIR, DIR, A, 1]),
    "poll": calls([POLL, SUBSCRIPTION, 153, 8, HERE], [POLL, SUBSCRIPTION, 153, 0, HERE],
                  [POLL, 145, 153, LARGEST, HERE]),
    "socket": calls([RECV, SOCKET, VECTOR, 1, 0, HERE, HERE], [SEND, SOCKET, VECTOR, 5, 0, HERE], [ACCEPT, SOCKET, 0, HERE],
                    [SHUTDOWN, SOCKET, 3], [SEND, SOCKET, VECTOR, 5, 0, HERE]),
    "memory-at-its-end": calls([ARGS_GET, LAST_BYTE, HERE], [ENVIRON_GET, LAST_BYTE, LAST_BYTE], [CLOCK, 0, 0, LAST_BYTE],
                               [PRESTAT_NAME, DIR, LARGEST, LARGEST], [RANDOM, LAST_BYTE, 2], [RANDOM, LARGEST, LARGEST],
                               [READ, SOCKET, LAST_BYTE, 1, HERE]),
    "poked-vectors": calls([POKE, VECTOR, 16, b"\xff" * 16], [WRITE, 1, VECTOR, 2, HERE], [POKE, VECTOR, 8, bytes(7), 255],
                           [READ, SOCKET, VECTOR, 1, HERE]),
    "exit": calls([EXIT, 77], [WRITE, 1, VECTOR, 1, HERE]),
    "signal": calls([RAISE, 0], [RAISE, 9]),
}


def main():
    top = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent / "corpus")
    for folder, files, suffix in (("modules", MODULES, ".wasm"), ("wasi", WASI, "")):
        (top / folder).mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (top / folder / (name + suffix)).write_bytes(content)


if __name__ == "__main__":
    main()
