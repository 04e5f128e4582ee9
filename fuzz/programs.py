#!/usr/bin/env python3
"""Writes modules that do much before they end: typed programs with objects and casts, exceptions, tail calls, atomics,
vectors and memories of both address types, whose functions call each other. What generators make of random bytes has all of
these, but traps early, and seldom comes to the same object or handler twice.

usage: programs.py FOLDER COUNT [SEED]      writes FOLDER/programs-N.wat; the same seed gives the same modules
"""
import pathlib
import random
import sys

PAGE = 65536
NUMBERS = ["i32", "i64", "f32", "f64", "v128"]
LEVELS, WIDTH = 3, 3  # functions call those of lower levels, so that all calls end

# Numbers have a local, a global and a field of each type.
TYPES = """ (rec
  (type $s0 (sub (struct (field (mut i32)) (field (mut i64)) (field (mut i8)) (field (mut (ref null $s0))))))
  (type $s1 (sub $s0 (struct (field (mut i32)) (field (mut i64)) (field (mut i8)) (field (mut (ref null $s0)))
   (field (mut f64)) (field (mut v128)))))
  (type $s2 (sub final $s1 (struct (field (mut i32)) (field (mut i64)) (field (mut i8)) (field (mut (ref null $s0)))
   (field (mut f64)) (field (mut v128)) (field (mut f32)) (field (mut i16)))))
  (type $s3 (sub $s0 (struct (field (mut i32)) (field (mut i64)) (field (mut i8)) (field (mut (ref null $s0)))
   (field (mut anyref))))))
 (type $a8 (array (mut i8))) (type $a32 (array (mut i32))) (type $a64 (array (mut f64)))
 (type $aref (array (mut (ref null $s0))))
 (tag $t0 (param i32)) (tag $t1 (param i64 f64)) (tag $t2) (tag $t3 (param (ref null $s0)))
"""
FIELDS = {"$s1": 4, "$s2": 4, "$s3": 4}
ARRAYS = {"$a8": "i32", "$a32": "i32", "$a64": "f64", "$aref": "s"}
TAGS = {"$t0": ["i32"], "$t1": ["i64", "f64"], "$t2": [], "$t3": ["s"]}
WRITTEN = {"s": "(ref null $s0)", "any": "anyref", "exn": "exnref", **{a: f"(ref null {a})" for a in ARRAYS}}

UNARY = {
    "i32": ["clz", "ctz", "popcnt", "extend8_s", "extend16_s"],
    "i64": ["clz", "ctz", "popcnt", "extend8_s", "extend32_s"],
    "f32": ["neg", "abs", "sqrt", "ceil", "nearest"],
    "f64": ["neg", "abs", "sqrt", "floor", "trunc"],
}
INT = "add sub mul and or xor shl shr_s shr_u rotl rotr div_s div_u rem_s rem_u".split()
FLOAT = "add sub mul div min max copysign".split()
INT_COMPARE = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u".split()
FLOAT_COMPARE = "eq ne lt gt le ge".split()
CONVERT = {
    "i32": ["i32.wrap_i64:i64", "i32.trunc_sat_f64_s:f64", "i32.trunc_f32_u:f32", "i32.reinterpret_f32:f32"],
    "i64": ["i64.extend_i32_s:i32", "i64.extend_i32_u:i32", "i64.trunc_sat_f32_u:f32", "i64.reinterpret_f64:f64"],
    "f32": ["f32.convert_i32_s:i32", "f32.demote_f64:f64", "f32.convert_i64_u:i64"],
    "f64": ["f64.convert_i64_s:i64", "f64.promote_f32:f32", "f64.convert_i32_u:i32", "f64.reinterpret_i64:i64"],
}
VECTOR_UNARY = (
    "v128.not i8x16.neg i16x8.abs i8x16.popcnt i32x4.extadd_pairwise_i16x8_s i64x2.extend_low_i32x4_u f32x4.sqrt "
    "f64x2.neg i32x4.trunc_sat_f32x4_s f64x2.convert_low_i32x4_u f64x2.promote_low_f32x4"
).split()
VECTOR_BINARY = (
    "v128.and v128.or v128.xor v128.andnot i8x16.add i8x16.sub_sat_s i16x8.mul i32x4.add i64x2.mul i32x4.min_s i8x16.max_u "
    "i16x8.q15mulr_sat_s i32x4.dot_i16x8_s i8x16.narrow_i16x8_u i64x2.extmul_high_i32x4_s i8x16.avgr_u i8x16.swizzle "
    "i8x16.eq i16x8.lt_s i32x4.gt_u i64x2.ge_s f32x4.add f32x4.pmin f64x2.mul f64x2.max f32x4.lt f64x2.ne"
).split()
# Relaxed ones give the same in all engines: what they leave open is chosen once.
VECTOR_BINARY += "i8x16.relaxed_swizzle f32x4.relaxed_min f64x2.relaxed_max i16x8.relaxed_q15mulr_s".split()
VECTOR_TERNARY = (
    "v128.bitselect f32x4.relaxed_madd f64x2.relaxed_nmadd i16x8.relaxed_laneselect i32x4.relaxed_dot_i8x16_i7x16_add_s"
).split()
VECTOR_SHIFT = "i8x16.shl i16x8.shr_s i32x4.shr_u i64x2.shl".split()
LANES = {
    "i32": ["i8x16.extract_lane_s 5", "i16x8.extract_lane_u 3", "i32x4.extract_lane 2"],
    "i64": ["i64x2.extract_lane 1"],
    "f32": ["f32x4.extract_lane 3"],
    "f64": ["f64x2.extract_lane 0"],
}
SPLATS = {"i32": ["i8x16", "i16x8", "i32x4"], "i64": ["i64x2"], "f32": ["f32x4"], "f64": ["f64x2"]}
LOADS = {
    "i32": ["load", "load", "load8_u", "load8_s", "load16_s"],
    "i64": ["load", "load8_u", "load16_s", "load32_u", "load32_s"],
    "f32": ["load"],
    "f64": ["load"],
    "v128": ["load", "load8x8_s", "load16x4_u", "load32x2_s", "load8_splat", "load64_splat", "load32_zero"],
}
STORES = {
    "i32": ["store", "store8", "store16"],
    "i64": ["store", "store8", "store32"],
    "f32": ["store"],
    "f64": ["store"],
    "v128": ["store"],
}
RMW = "add sub and or xor xchg".split()


class Function:
    """One function. Expressions and statements are text; `depth` bounds how deep they are."""

    def __init__(self, module, index):
        self.m, self.r, self.index = module, module.r, index
        self.level = index // WIDTH
        self.labels = 0
        self.loops = 0
        self.results = module.signatures[index]
        self.handlers = 0

    # ---- helpers

    def pick(self, *choices):
        return self.r.choice(choices)

    def label(self):
        self.labels += 1
        return f"$l{self.labels}"

    def callee(self, results=None):
        """A function of a lower level, or None."""
        below = [n for n in range(self.level * WIDTH) if results in (None, self.m.signatures[n])]
        return self.r.choice(below) if below and (self.loops == 0 or self.r.randrange(4) == 0) else None

    def arguments(self, depth):
        return " ".join(self.value(t, depth) for t in ("i32", "i64", "s"))

    def call(self, callee, depth, tail=""):
        """By its number, through the table, or by reference."""
        arguments, how = self.arguments(depth), self.r.randrange(4)
        kind = self.m.type_of(callee)
        if how == 0:
            return f"({tail}call_indirect $table (type {kind}) {arguments} (i32.const {callee}))"
        if how == 1:
            return f"({tail}call_ref {kind} {arguments} (ref.func $f{callee}))"
        return f"({tail}call $f{callee} {arguments})"

    # ---- memory

    def memory(self):
        return self.r.randrange(len(self.m.memories))

    def place(self, memory, depth):
        """An index in the memory's address type: in it mostly, sometimes at or beyond its end."""
        kind = self.m.memories[memory]
        at = self.r.randrange(150)
        if at < 2:
            return f"({kind}.const {PAGE - self.r.randrange(24)})"
        if at == 2:
            return self.value(kind, depth)
        mask = self.pick(63, 255, 4095, PAGE - 64)
        return f"({kind}.and {self.value(kind, depth)} ({kind}.const {mask}))"

    def aligned(self, memory, depth, size):
        kind = self.m.memories[memory]
        return f"({kind}.and {self.value(kind, depth)} ({kind}.const {4096 - size}))"

    def offset(self):
        if self.r.randrange(200) == 0:
            return f"offset={self.pick(PAGE - 9, PAGE, 1 << 31)}"
        return self.pick("", "", f"offset={self.r.randrange(40)}")

    def load(self, kind, depth):
        memory = self.memory()
        return f"({kind}.{self.r.choice(LOADS[kind])} {memory} {self.offset()} {self.place(memory, depth)})"

    def atomic(self, kind, depth):
        memory, op = self.memory(), self.r.choice(RMW + ["load", "cmpxchg"])
        size, width = self.pick((4, ""), (1, "8"), (2, "16")) if kind == "i32" else self.pick((8, ""), (4, "32"))
        unsigned = "_u" if width else ""
        at = self.aligned(memory, depth, size) if self.r.randrange(40) else self.place(memory, depth)
        if op == "load":
            return f"({kind}.atomic.load{width}{unsigned} {memory} {at})"
        values = " ".join(self.value(kind, depth) for _ in range(2 if op == "cmpxchg" else 1))
        return f"({kind}.atomic.rmw{width}.{op}{unsigned} {memory} {at} {values})"

    # ---- numbers

    def const(self, kind):
        if kind == "v128":
            return f"(v128.const i32x4 {' '.join(str(self.pick(0, 1, 255, self.r.getrandbits(32))) for _ in range(4))})"
        if kind in ("f32", "f64"):
            return f"({kind}.const {self.pick('0', '-0', '1.5', '-3', '1e9', '0.1', 'inf')})"
        bits = int(kind[1:])
        return f"({kind}.const {self.pick(0, 1, 2, 7, -1, 100, 1 << (bits - 1), self.r.getrandbits(bits))})"

    def condition(self, depth):
        kind = self.pick("i32", "i32", "i64", "f64", "f32")
        ops = FLOAT_COMPARE if kind[0] == "f" else INT_COMPARE
        return f"({kind}.{self.r.choice(ops)} {self.value(kind, depth)} {self.value(kind, depth)})"

    def value(self, kind, depth):
        if kind in WRITTEN:
            return self.reference(kind, depth)
        simple = [f"(local.get ${kind})", f"(local.get ${kind}b)", self.const(kind), f"(global.get $g_{kind})"]
        if depth <= 0:
            return self.r.choice(simple)
        d = depth - 1
        which = self.r.randrange(20)
        if which < 4:
            return self.r.choice(simple)
        if which < 8:
            return self.load(kind, d)
        if which == 8:
            return f"(select {self.value(kind, d)} {self.value(kind, d)} {self.condition(d)})"
        if which == 9:
            return f"(if (result {kind}) {self.condition(d)} (then {self.value(kind, d)}) (else {self.value(kind, d)}))"
        if which == 10:
            label = self.label()
            early = f"(drop (br_if {label} {self.value(kind, d)} {self.condition(d)}))"
            return f"(block {label} (result {kind}) {early} {self.value(kind, d)})"
        if which == 11:
            return f"(local.tee ${kind} {self.value(kind, d)})"
        if which == 12:
            callee = self.callee([kind])
            if callee is not None:
                return self.call(callee, d)
        if which < 15:
            return self.of_object(kind, d)
        return self.vector(d) if kind == "v128" else self.scalar(kind, d)

    def scalar(self, kind, d):
        which = self.r.randrange(8)
        if which == 0:
            op, given = self.r.choice(CONVERT[kind]).split(":")
            return f"({op} {self.value(given, d)})"
        if which == 1:
            return f"({self.r.choice(LANES[kind])} {self.value('v128', d)})"
        if which == 2:
            return f"({kind}.{self.r.choice(UNARY[kind])} {self.value(kind, d)})"
        if which == 3 and kind == "i32":
            test = f"(ref.test (ref {self.pick('null $s1', '$s2', '$s3', '$a8', 'i31')}) {self.value('any', d)})"
            null = f"(ref.is_null {self.value('s', d)})"
            equal = f"(ref.eq {self.value('s', d)} {self.value('s', d)})"
            return self.pick(self.condition(d), test, null, equal, f"(v128.any_true {self.value('v128', d)})")
        if which < 5 and kind in ("i32", "i64"):
            return self.atomic(kind, d)
        op = self.r.choice(FLOAT if kind[0] == "f" else INT)
        right = self.value(kind, d)
        if op[:3] in ("div", "rem") and kind[0] == "i" and self.r.randrange(8):
            right = f"({kind}.or {right} ({kind}.const 1))"
        return f"({kind}.{op} {self.value(kind, d)} {right})"

    def vector(self, d):
        which = self.r.randrange(7)
        if which == 0:
            kind = self.pick("i32", "i64", "f32", "f64")
            return f"({self.r.choice(SPLATS[kind])}.splat {self.value(kind, d)})"
        if which == 1:
            return f"({self.r.choice(VECTOR_UNARY)} {self.value('v128', d)})"
        if which == 2:
            return f"({self.r.choice(VECTOR_SHIFT)} {self.value('v128', d)} {self.value('i32', d)})"
        if which == 3:
            lanes = " ".join(str(self.r.randrange(32)) for _ in range(16))
            return f"(i8x16.shuffle {lanes} {self.value('v128', d)} {self.value('v128', d)})"
        if which == 4:
            memory, bits = self.memory(), self.pick(8, 16, 32, 64)
            lane = self.r.randrange(128 // bits)
            return f"(v128.load{bits}_lane {memory} {lane} {self.place(memory, d)} {self.value('v128', d)})"
        if which == 5:
            return f"({self.r.choice(VECTOR_TERNARY)} {self.value('v128', d)} {self.value('v128', d)} {self.value('v128', d)})"
        return f"({self.r.choice(VECTOR_BINARY)} {self.value('v128', d)} {self.value('v128', d)})"

    # ---- objects

    def of_object(self, kind, d):
        """A number from an object."""
        array = {"i32": self.pick("$a8", "$a32"), "f64": "$a64"}.get(kind)
        if array is not None and self.r.randrange(2):
            get = self.pick("get_s", "get_u") if array == "$a8" else "get"
            return self.pick(
                f"(array.{get} {array} {self.value(array, d)} {self.element(d)})",
                f"(array.{get} {array} {self.value(array, d)} {self.element(d)})",
                f"(i32.and (array.len {self.value(array, d)}) (i32.const 15))"
                if kind == "i32"
                else self.value(kind, d),
            )
        if kind == "i32":
            small = f"(struct.get_{self.pick('s', 'u')} $s0 2 {self.value('s', d)})"
            i31 = f"(i31.get_{self.pick('s', 'u')} (ref.i31 {self.value('i32', d)}))"
            return self.pick(small, i31, f"(struct.get $s0 0 {self.value('s', d)})")
        if kind == "i64":
            return f"(struct.get $s0 1 {self.value('s', d)})"
        return self.cast_field(kind, d)

    def cast_field(self, kind, d):
        """A field that only some objects have: by a cast that traps, or by a branch."""
        of, field = {"f64": ("$s1", 4), "v128": ("$s1", 5), "f32": ("$s2", 6)}[kind]
        if self.r.randrange(12) == 0:
            return f"(struct.get {of} {field} (ref.cast (ref {of}) {self.value('s', d)}))"
        no, yes = self.label(), self.label()
        tried = f"(drop (br_on_cast {yes} (ref null $s0) (ref {of}) {self.value('s', d)}))"
        cast = f"(block {yes} (result (ref {of})) {tried} (br {no} {self.value(kind, d)}))"
        return f"(block {no} (result {kind}) (struct.get {of} {field} {cast}))"

    def element(self, d):
        """An index: arrays have eight elements mostly."""
        return f"(i32.and {self.value('i32', d)} (i32.const {self.pick(7, 7, 7, 7, 7, 3) if self.r.randrange(8) else 15}))"

    def new_struct(self, d):
        kind = self.pick("$s0", "$s1", "$s2", "$s3")
        fields = [self.value(t, d) for t in ("i32", "i64", "i32", "s")]
        more = {"$s1": ["f64", "v128"], "$s2": ["f64", "v128", "f32", "i32"], "$s3": ["any"]}.get(kind, [])
        if self.r.randrange(6) == 0:
            return f"(struct.new_default {kind})"
        return f"(struct.new {kind} {' '.join(fields + [self.value(t, d) for t in more])})"

    def new_array(self, array, d):
        element = ARRAYS[array]
        which = self.r.randrange(5)
        if which == 0:
            return f"(array.new_default {array} (i32.const {self.pick(0, 8, 8, 9, 100)}))"
        if which == 1 and array == "$a8":
            return f"(array.new_data $a8 $data {self.element(0)} (i32.const 8))"
        if which == 2:
            return f"(array.new_fixed {array} 8 {' '.join(self.value(element, 0) for _ in range(8))})"
        return f"(array.new {array} {self.value(element, d)} (i32.const 8))"

    def reference(self, kind, depth):
        local = f"(local.get ${kind})"
        if kind == "exn":
            return local
        if depth <= 0:
            new = {"s": "(struct.new_default $s0)", "any": "(ref.i31 (i32.const 3))"}
            return self.pick(local, local, local, new.get(kind, f"(array.new_default {kind} (i32.const 8))"))
        d, which = depth - 1, self.r.randrange(10)
        if which < 3:
            return local
        if which == 3:
            chosen = f"{self.value(kind, d)} {self.value(kind, d)} {self.condition(d)}"
            return f"(select (result {WRITTEN[kind]}) {chosen})"
        if which == 4:
            label = self.label()
            heap = {"s": "$s0", "any": "any"}.get(kind, kind)
            default = self.new_struct(0) if kind in ("s", "any") else self.new_array(kind, 0)
            there = f"(br_on_non_null {label} {self.value(kind, d)})"
            return f"(block {label} (result (ref {heap})) {there} {default})"
        if kind == "any":
            inside = self.pick("s", "$a8", "$a32", "s")
            whole = self.pick(self.value(inside, d), f"(ref.i31 {self.value('i32', d)})")
            return self.pick(whole, f"(any.convert_extern (extern.convert_any {whole}))")
        if kind == "s":
            return self.struct_reference(d, which)
        if which == 5:
            label = self.label()
            cast = f"(br_on_cast {label} anyref (ref {kind}) {self.value('any', d)})"
            return f"(block {label} (result (ref {kind})) (drop {cast}) {self.new_array(kind, 0)})"
        return self.new_array(kind, d)

    def struct_reference(self, d, which):
        if which == 5:
            return f"(struct.get $s0 3 {self.value('s', d)})"
        if which == 6:
            return f"(array.get $aref {self.value('$aref', d)} {self.element(d)})"
        if which == 7:
            label, to = self.label(), self.pick("$s1", "$s2", "$s3")
            tried = f"(br_on_cast_fail {label} (ref null $s0) (ref null {to}) {self.value('s', d)})"
            return f"(block {label} (result (ref null $s0)) {tried})"
        if which == 8:
            return self.pick("(global.get $g_s)", f"(table.get $objects {self.element(0)})")
        return self.new_struct(d)

    # ---- statements

    def store(self, depth):
        kind, memory = self.r.choice(NUMBERS), self.memory()
        if kind in ("i32", "i64") and self.r.randrange(4) == 0:
            at = self.aligned(memory, depth, 8)
            return f"({kind}.atomic.store {memory} {at} {self.value(kind, depth)})"
        if kind == "v128" and self.r.randrange(3) == 0:
            return f"(v128.store16_lane {memory} 5 {self.place(memory, depth)} {self.value(kind, depth)})"
        op = self.r.choice(STORES[kind])
        return f"({kind}.{op} {memory} {self.offset()} {self.place(memory, depth)} {self.value(kind, depth)})"

    def grow(self):
        """Memories move nowhere, but are longer; how long they were is looked at."""
        memory = self.memory()
        kind = self.m.memories[memory]
        size = f"(memory.size {memory})"
        grown = f"(memory.grow {memory} ({kind}.const {self.pick(0, 1, 1, 9)}))"
        return f"(local.set ${kind} ({kind}.add (local.get ${kind}) ({kind}.mul {size} {grown})))"

    def wide(self):
        """128 bits as two numbers of 64."""
        a, b, c, d = (self.value("i64", 1) for _ in range(4))
        made = self.pick(f"(i64.add128 {a} {b} {c} {d})", f"(i64.sub128 {a} {b} {c} {d})",
                         f"(i64.mul_wide_s {a} {b})", f"(i64.mul_wide_u {a} {b})")
        return f"{made} (local.set $i64) (local.set $i64b)"

    def bulk(self):
        if self.r.randrange(6) == 0:
            return self.grow()
        memory = self.memory()
        kind = self.m.memories[memory]
        a, b = self.place(memory, 1), self.place(memory, 1)
        size = f"({kind}.and {self.value(kind, 1)} ({kind}.const {self.pick(15, 63, 300)}))"
        return self.pick(
            f"(memory.fill {memory} {a} {self.value('i32', 1)} {size})",
            f"(memory.copy {memory} {memory} {a} {b} {size})",
            f"(memory.init {memory} $data {a} {self.element(0)} {self.element(0)})",
        )

    def change_object(self, d):
        which = self.r.randrange(8)
        array = self.r.choice(list(ARRAYS))
        if which < 3:
            value = self.value(ARRAYS[array], d)
            return f"(array.set {array} {self.value(array, d)} {self.element(d)} {value})"
        if which == 3:
            value = self.value(ARRAYS[array], d)
            return f"(array.fill {array} {self.value(array, d)} {self.element(0)} {value} {self.element(0)})"
        if which == 4:
            places = f"{self.value(array, d)} {self.element(0)} {self.value(array, d)} {self.element(0)}"
            return f"(array.copy {array} {array} {places} (i32.and {self.value('i32', d)} (i32.const 3)))"
        if which == 5:
            return f"(table.set $objects {self.element(d)} {self.value('s', d)})"
        field, kind = self.pick((0, "i32"), (1, "i64"), (2, "i32"), (3, "s"))
        return f"(struct.set $s0 {field} {self.value('s', d)} {self.value(kind, d)})"

    def throw(self):
        if self.handlers and self.r.randrange(3) == 0:
            return f"(if {self.condition(1)} (then (throw_ref (local.get $exn))))"
        tag = self.r.choice(list(TAGS))
        return f"(if {self.condition(1)} (then (throw {tag} {' '.join(self.value(t, 1) for t in TAGS[tag])})))"

    def handle(self, depth):
        """A try_table whose handler takes what was thrown."""
        done, handler = self.label(), self.label()
        self.handlers += 1
        body = self.statements(depth - 1)
        tag = self.r.choice(list(TAGS))
        kinds = list(TAGS[tag])
        how = self.r.randrange(4)
        clause = [f"catch {tag}", f"catch_ref {tag}", "catch_all", "catch_all_ref"][how]
        if how > 1:
            kinds = []
        if how % 2:
            kinds.append("exn")
        more = self.pick("", f"(catch_all {done})") if how < 2 else ""
        types = " ".join(WRITTEN.get(k, k) for k in kinds)
        result = f"(result {types})" if kinds else ""
        taken = " ".join(f"(local.set ${k})" for k in reversed(kinds))
        tried = f"(try_table ({clause} {handler}) {more} {body})"
        return f"(block {done} (block {handler} {result} {tried} (br {done})) {taken})"

    def loop(self, depth):
        label, n = self.label(), self.loops
        self.loops += 1
        body = self.statements(depth - 1)
        self.loops -= 1
        count = self.pick(2, 3, 5, 9, 20) if n == 0 else self.pick(1, 2, 4)
        step = f"(local.tee $n{n} (i32.add (local.get $n{n}) (i32.const 1)))"
        again = f"(br_if {label} (i32.lt_u {step} (i32.const {count})))"
        return f"(local.set $n{n} (i32.const 0)) (loop {label} {body} {again})"

    def switch(self, depth):
        labels = [self.label() for _ in range(3)]
        table = " ".join(self.r.choice(labels) for _ in range(self.r.randrange(1, 5)))
        text = f"(br_table {table} {self.r.choice(labels)} {self.value('i32', 1)})"
        for label in labels:
            text = f"(block {label} {text}) {self.statements(depth - 1)}"
        return text

    def call_many(self):
        """Of what several results are left."""
        callee = self.callee()
        if callee is None:
            return self.set(2)
        taken = " ".join(f"(local.set ${t}b)" for t in reversed(self.m.signatures[callee]))
        return f"{self.call(callee, 1)} {taken}"

    def set(self, depth):
        kind = self.pick(*NUMBERS, "s", "s", "any", *ARRAYS)
        if kind in (*NUMBERS, "s") and self.r.randrange(4) == 0:
            return f"(global.set $g_{kind} {self.value(kind, depth)})"
        return f"(local.set ${kind} {self.value(kind, depth)})"

    def statement(self, depth):
        which = self.r.randrange(24 if depth > 0 else 16)
        if which < 4:
            return self.set(3)
        if which < 8:
            return self.store(2)
        if which < 11:
            return self.change_object(2)
        if which < 13:
            return self.call_many()
        if which == 13:
            return self.throw()
        if which == 14:
            return self.bulk() if self.r.randrange(3) else self.wide()
        if which == 15:
            if self.r.randrange(4):
                return self.set(2)
            return f"(if {self.condition(2)} (then {self.end()}))"
        if which < 18:
            return f"(if {self.condition(2)} (then {self.statements(depth - 1)}) (else {self.statements(depth - 1)}))"
        if which < 21:
            return self.handle(depth)
        if which < 23 and self.loops < 2:
            return self.loop(depth)
        return self.switch(depth)

    def statements(self, depth):
        return " ".join(self.statement(depth) for _ in range(self.r.randrange(1, 4)))

    def end(self):
        """Returns, by a tail call if there is a function to call."""
        callee = self.callee(self.results)
        if callee is not None and self.r.randrange(2):
            return self.call(callee, 1, "return_")
        return f"(return {' '.join(self.value(t, 2) for t in self.results)})"

    def text(self):
        body = "\n  ".join(self.statements(3) for _ in range(self.r.randrange(1, 4)))
        numbers = " ".join(f"(local ${t} {t}) (local ${t}b {t})" for t in ("f32", "f64", "v128"))
        references = " ".join(f"(local ${t} {WRITTEN[t]})" for t in WRITTEN if t != "s")
        arrays = " ".join(f"(local.set {('$' + a)} {self.new_array(a, 0)})" for a in ARRAYS)
        results = "".join(f" (result {t})" for t in self.results)
        return (
            f' (func $f{self.index} (type {self.m.type_of(self.index)})'
            f" (param $i32 i32) (param $i64 i64) (param $s (ref null $s0)){results}\n"
            f"  (local $i32b i32) (local $i64b i64) {numbers} {references} (local $n0 i32) (local $n1 i32)\n"
            f"  {arrays} (local.set $any (ref.i31 (local.get $i32)))\n  {body}\n  {self.end()})\n"
        )


class Module:
    def __init__(self, rng):
        self.r = rng
        results = [["i32"], ["i64"], ["f64"], ["v128"], ["f32"], ["i32", "f64"], ["i64", "v128", "i32"]]
        self.results = results
        self.signatures = [rng.choice(results) for _ in range(LEVELS * WIDTH)]
        self.memories = rng.choice([["i32"], ["i64"], ["i32", "i64"], ["i32", "i32"], ["i64", "i32"]])

    def type_of(self, function):
        return f"$type{self.results.index(self.signatures[function])}"

    def declarations(self):
        for n, results in enumerate(self.results):
            given = "(param i32 i64 (ref null $s0))"
            yield f" (type $type{n} (func {given} (result {' '.join(results)})))"
        for kind in self.memories:
            shared = "shared" if self.r.randrange(5) == 0 else ""
            yield f" (memory {'i64' if kind == 'i64' else ''} 1 {self.r.choice([1, 2])} {shared})"
        for kind in NUMBERS:
            start = "(v128.const i32x4 1 2 3 4)" if kind == "v128" else f"({kind}.const 5)"
            yield f" (global $g_{kind} (mut {kind}) {start})"
        yield " (global $g_s (mut (ref null $s0)) (struct.new_default $s2))"
        yield " (table $objects 8 (ref null $s0) (struct.new_default $s1))"
        names = " ".join(f"$f{n}" for n in range(len(self.signatures)))
        yield f" (table $table funcref (elem {names}))"
        yield f' (data $data "{"".join(chr(97 + n) for n in range(20))}")'

    def export(self, n):
        """Objects cannot come from outside."""
        results = " ".join(self.signatures[n])
        made = f"(struct.new $s1 (local.get 0) (local.get 1) (i32.const {n}) (global.get $g_s) (f64.const 2) (v128.const i64x2 3 4))"
        return (
            f' (func (export "f{n}") (param i32 i64) (result {results})'
            f" (call $f{n} (local.get 0) (local.get 1) {made}))\n"
        )

    def text(self):
        functions = "".join(Function(self, n).text() + self.export(n) for n in range(len(self.signatures)))
        return "(module\n" + TYPES + "\n".join(self.declarations()) + "\n" + functions + ")\n"


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(sys.argv[3] if len(sys.argv) > 3 else None)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"programs-{n}.wat").write_text(Module(rng).text())


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main()
