#!/usr/bin/env python3
"""Writes modules of loops over arrays, which the compiler makes two versions of (docs/aot.md): what their gates must tell
apart are arrays that overlap, end with the memory or behind it, or wrap around.

usage: loops.py FOLDER COUNT [SEED]      writes FOLDER/loops-N.wat; the same seed gives the same modules
"""
import pathlib
import random
import sys

PAGE = 65536
COMPARE = ["lt_s", "lt_u", "le_s", "le_u", "gt_s", "gt_u", "ge_s", "ge_u", "ne", "eq"]
INT = ["add", "sub", "mul", "and", "or", "xor", "shl", "shr_s", "shr_u", "rotl"]
FLOAT = ["add", "sub", "mul", "min", "max"]
VECTOR = ["i8x16.add_sat_u", "i16x8.mul", "i32x4.sub", "i64x2.add", "v128.xor", "i16x8.min_s"]
LOADS = {
    "i32": ["load", "load", "load8_u", "load8_s", "load16_u", "load16_s"],
    "i64": ["load", "load8_s", "load32_u", "load32_s"],
    "f32": ["load"],
    "f64": ["load"],
    "v128": ["load"],
}
STORES = {
    "i32": ["store", "store", "store8", "store16"],
    "i64": ["store", "store8", "store32"],
    "f32": ["store"],
    "f64": ["store"],
    "v128": ["store"],
}


class Function:
    """One function of three i32 parameters; it returns what it has summed up."""

    def __init__(self, rng, calls):
        self.r = rng
        self.calls = calls  # the function of this number, which loads, may be called
        self.counters = 0
        self.types = rng.sample(["i32", "i64", "f32", "f64", "v128"], rng.choice([1, 1, 2, 3]))
        self.width = rng.choice([1, 2, 4, 4, 8, 16])  # of most strides
        self.bases = [self.base() for _ in range(3)]

    def base(self):
        """Where an array begins: anywhere, near an end, before the beginning, near another parameter's."""
        return self.r.choice(
            [
                self.r.randrange(PAGE),
                self.r.randrange(64),
                PAGE - self.r.randrange(400),
                -self.r.randrange(1, 200),
                PAGE // 2 + self.r.randrange(-20, 20),
            ]
        )

    def array(self):
        which = self.r.randrange(4)
        if which == 3:
            return f"(i32.const {self.r.choice(self.bases)})"
        return f"(local.get $p{which})"

    def counter(self):
        return f"(local.get $i{self.r.randrange(self.counters)})" if self.counters else self.array()

    def address(self):
        """Mostly base + counter * stride; sometimes constant in the loop, or of no such form."""
        kind = self.r.randrange(12)
        if kind == 0:
            return self.array()
        if kind == 1:
            return self.counter()
        if kind == 2:
            return f"(i32.and (i32.load {self.array()}) (i32.const {PAGE - 1}))"
        stride = self.r.choice([self.width] * 5 + [1, 3, 2 * self.width, -self.width, PAGE, 0])
        counter = self.counter()
        if self.r.randrange(8) == 0:
            counter = f"(i32.xor {counter} (i32.const {self.r.choice([-1, -1, -2, -4, 3])}))"
        scaled = f"(i32.mul {counter} (i32.const {stride}))"
        if stride == self.width and kind < 9:
            scaled = f"(i32.shl {counter} (i32.const {self.width.bit_length() - 1}))"
        op = "sub" if kind == 3 else "add"
        whole = f"(i32.{op} {self.array()} {scaled})"
        if kind == 4:
            whole = f"(i32.add {whole} (i32.const {self.r.randrange(-40, 40)}))"
        return whole

    def offset(self):
        choices = [0, 0, 0, self.width, self.r.randrange(40), PAGE - self.r.randrange(300)]
        number = self.r.choice([*choices, 0xFFFFFFFF - self.r.randrange(200)])
        return f"offset={number} align=1"

    def load(self, kind):
        if kind == "i32" and self.calls is not None and self.r.randrange(6) == 0:
            return f"(call $leaf{self.calls} {self.address()})"
        return f"({kind}.{self.r.choice(LOADS[kind])} {self.offset()} {self.address()})"

    def const(self, kind):
        if kind == "v128":
            return f"(v128.const i32x4 {' '.join(str(self.r.getrandbits(32)) for _ in range(4))})"
        return f"({kind}.const {self.r.randrange(-3, 100)})"

    def value(self, kind, depth=2):
        which = self.r.randrange(6)
        if depth == 0 or which == 0:
            return self.r.choice([self.const(kind), f"(local.get ${kind})"])
        if which < 3:
            return self.load(kind)
        if which == 3:
            a, b = self.value(kind, depth - 1), self.value(kind, depth - 1)
            return f"(select {a} {b} {self.condition()})"
        op = self.r.choice(VECTOR if kind == "v128" else FLOAT if kind[0] == "f" else INT)
        name = op if kind == "v128" else f"{kind}.{op}"
        return f"({name} {self.value(kind, depth - 1)} {self.value(kind, depth - 1)})"

    def condition(self):
        if self.r.randrange(3) == 0:
            return f"(i32.{self.r.choice(COMPARE)} {self.load('i32')} (i32.const 3))"
        return f"(i32.and {self.counter()} (i32.const {self.r.choice([1, 2, 4, 16])}))"

    def statement(self, depth):
        kind, which = self.r.choice(self.types), self.r.randrange(16)
        if which < 6:
            op = self.r.choice(STORES[kind])
            return f"({kind}.{op} {self.offset()} {self.address()} {self.value(kind)})"
        if which < 10:
            return f"(local.set ${kind} {self.value(kind)})"
        if which < 12:
            arms = [" ".join(self.statements(0)) for _ in range(2)]
            return f"(if {self.condition()} (then {arms[0]}) (else {arms[1]}))"
        if which == 12 and self.counters:
            return f"(br_if $out{self.counters - 1} {self.condition()})"
        if which == 13:
            return f"(local.set $i32 (i32.div_s (local.get $i32) {self.value('i32', 1)}))"
        if which == 14:
            return self.search()
        return self.loop(depth - 1) if which == 15 and depth > 0 else "(nop)"

    def statements(self, depth):
        return [self.statement(depth) for _ in range(self.r.randrange(1, 4))]

    def loop(self, depth):
        """A counter from somewhere by some step as long as a comparison holds, which is done first or last."""
        n = self.counters
        step = self.r.choice([1, 1, 1, 2, 4, self.width, -1, -1, -self.width])
        count = self.r.choice([0, 1, 2, 3, 7, 16, 33, 100, self.r.randrange(300)])
        first = self.r.choice([0, 0, 0, 1, -5, 1 << 31, self.r.randrange(100)])
        last = first + count * step + self.r.choice([0, 0, 0, 1])
        up = self.r.choice(["lt_s", "lt_u", "ne", "le_s", "ne"])
        compare = up if step > 0 else self.r.choice(["gt_s", "ne", "gt_u", "ge_s"])
        if step < 0 and self.r.randrange(3) == 0:  # until less than that is left
            first, last, compare = count * -step + self.r.randrange(-step), -step - 1, "gt_u"
        end = f"(i32.const {last & 0xFFFFFFFF})"
        if self.r.randrange(3) == 0:
            masked = f"(i32.and (local.get $p{self.r.randrange(3)}) (i32.const 127))"
            end = f"(i32.add {end} (i32.mul {masked} (i32.const {step})))"
        begin = f"(local.set $i{n} (i32.const {first & 0xFFFFFFFF})) (local.set $n{n} {end})"
        self.counters = n + 1
        body = " ".join(self.statements(depth))
        moved = f"(i32.add (local.get $i{n}) (i32.const {step}))"
        test = f"(i32.{compare} (local.get $i{n}) (local.get $n{n}))"
        if self.r.randrange(2):
            inside = f"{body} (local.set $i{n} {moved}) (br_if $again{n} {test})"
        else:
            inside = f"(br_if $out{n} (i32.eqz {test})) {body} (local.set $i{n} {moved}) (br $again{n})"
        self.counters = n
        return f"(block $out{n} {begin} (loop $again{n} {inside}))"

    def found(self, n, load, shift):
        """Whether a search ends at what its counter says: what it reads there, or at two places, is so."""
        scaled = f"(i32.shl (local.get $i{n}) (i32.const {shift}))"
        here, there = (f"(i32.{load} {self.offset()} (i32.add {self.array()} {scaled}))" for _ in "12")
        number = f"(i32.const {self.r.choice([0, 0, 3, 200, self.r.getrandbits(8 << shift)])})"
        return self.r.choice(
            [
                f"(i32.{self.r.choice(COMPARE)} {here} {number})",
                f"(i32.eqz {here})",
                f"(i32.ne {here} {there})",
                f"(i32.lt_u (i32.sub {here} {number}) (i32.const {self.r.randrange(30)}))",
                f"(i32.eq (i32.and {here} {number}) (local.get $p0))",
                f"(i32.shl {here} {there})",
            ]
        )

    def search(self):
        """Looks for something, and says in memory where it was; counted or not."""
        n = self.counters
        load, shift = self.r.choice([("load8_u", 0), ("load8_s", 0), ("load16_u", 1), ("load", 2)])
        first = self.r.choice([0, 0, 1, 1 << 31, self.r.randrange(100)])
        tests = [self.found(n, load, shift) for _ in range(self.r.choice([1, 1, 2, 3]))]
        if self.r.randrange(2):
            end = f"(i32.const {first + self.r.choice([0, 3, 20, 100, 1000])})"
            tests.append(f"(i32.{self.r.choice(['eq', 'ge_u', 'ge_s'])} (local.get $i{n}) {end})")
        self.r.shuffle(tests)
        exits = " ".join(f"(br_if $out{n} {test})" for test in tests)
        moved = f"(local.set $i{n} (i32.add (local.get $i{n}) (i32.const 1)))"
        whole = f"(local.set $i{n} (i32.const {first})) (loop $again{n} {exits} {moved} (br $again{n}))"
        return f"(block $out{n} {whole}) (i32.store offset={self.r.randrange(64)} (i32.const 0) (local.get $i{n}))"

    def parameter(self, n):
        """Parameters are any numbers: most of them are brought near the memory."""
        mask, base = self.r.choice([0, 7, 63, 127, PAGE - 1, -1]), self.r.choice(self.bases)
        near = f"(i32.add (i32.and (local.get $p{n}) (i32.const {mask})) (i32.const {base}))"
        return f"(local.set $p{n} {near})"

    def text(self, name):
        body = [self.parameter(n) for n in range(3) if self.r.randrange(8)]
        body += [self.loop(2) for _ in range(self.r.choice([1, 1, 2]))]
        counters = " ".join(f"(local $i{n} i32) (local $n{n} i32)" for n in range(4))
        sums = " ".join(f"(local ${kind} {kind})" for kind in LOADS)
        results = [f"(local.get ${kind})" for kind in self.types]
        return (
            f'(func (export "{name}") (param $p0 i32) (param $p1 i32) (param $p2 i32)'
            f" (result {' '.join(self.types)})\n {counters} {sums}\n "
            + "\n ".join(body + results)
            + ")\n"
        )


def module(rng):
    leaf = f"(func $leaf0 (param i32) (result i32) (i32.load offset={rng.randrange(9)} (local.get 0)))"
    data = "".join(f"\\{rng.getrandbits(8):02x}" for _ in range(600))
    functions = [Function(rng, rng.choice([None, 0])).text(f"f{n}") for n in range(4)]
    places = [0, PAGE // 2 - 300, PAGE - 600]
    segments = [f'(data (i32.const {place}) "{data}")' for place in places]
    parts = ['(memory (export "memory") 1 2)', leaf, *functions, *segments]
    return "(module\n" + "\n".join(parts) + ")\n"


def main():
    folder, count = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(sys.argv[3] if len(sys.argv) > 3 else None)
    folder.mkdir(parents=True, exist_ok=True)
    for n in range(count):
        (folder / f"loops-{n}.wat").write_text(module(rng))


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    main()
