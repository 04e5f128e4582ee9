#!/usr/bin/env python3
"""Makes a module in which every tile of the interpreter (interpreter/gen/tiles.py) is met, for test_tiles.c.

usage: tiles.py RUNTIME_DIR INTERPRETER_DIR DISPATCH MODULE.wasm CASES.txt

Each tile has functions of its own. They take two numbers of each type and the address of vectors, bring
operands into the cache state in which the tile starts, and then has the tile's sequence, with immediates
chosen at random within the lengths that the tile asks for. What follows tells whatever the sequence may
have changed: each operand that it left, the locals and the globals are mixed into a hash (global 0), and
branches are told by what they skip. What is around it cannot be part of a tile:

    before    a call (a result is in r0 then), the start of a loop (all operands in memory), f32.neg or
              f64.neg twice (in v0), v128.load (in v0)
    behind    memory.size

A line of CASES.txt, for a place in table 1: index of the function, and of the one by which the host enters
it; offset of the tile in its code; id; whether it branches, accesses memory, comes with checks; the state
and the sequence.
"""
import os
import random
import sys

TYPES = {"i": 0x7F, "I": 0x7E, "f": 0x7D, "F": 0x7C, "v": 0x7B}
PARAMS = "iiIIffFFi"
VECTORS = 8            # the parameter that is an address of vectors
FIRST_LONG = 128       # locals whose index needs two bytes; as many as there are parameters
GLOBALS = "IiiIIffFF"  # 0 is the hash
TABLE_SIZE, TABLE_FILLED = 60000, 50000
CALLEES, RESERVED = 12, 110
COPIES = 4             # functions for each tile, with other immediates
MEMORY_GUARD = 64 << 20
VALUES = {"i": b"\x41\x2A", "I": b"\x42\x2B", "f": b"\x43\0\0\x20\x41", "F": b"\x44\0\0\0\0\0\0\x14\x40",
          "v": b"\xFD\x0C" + bytes(range(16))}  # constants
NAMES = {"I32": "i", "I64": "I", "F32": "f", "F64": "F"}


# ---- the binary format ----

def unsigned(value, length=0):
    out = []
    while value > 0x7F or len(out) + 1 < length:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + [value])


def signed(value, length=0):
    out = []
    while not (-64 <= value < 64) or len(out) + 1 < length:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out + [value & 0x7F])


def vector(items):
    return unsigned(len(items)) + b"".join(items)


def section(code, content):
    return bytes([code]) + unsigned(len(content)) + content


def types_of(letters):
    return vector([bytes([TYPES[t]]) for t in letters])


# ---- types of operands, inferred from their use ----

class Var:
    """The type of an operand; `same` leads to the one that it has been found equal to."""

    def __init__(self, letter=None):
        self.letter, self.same = letter, None

    def find(self):
        return self.same.find() if self.same else self

    def unify(self, other):
        a, b = self.find(), other.find()
        if a is b:
            return
        if a.letter and b.letter and a.letter != b.letter:
            raise TypeError("%s is not %s" % (a.letter, b.letter))
        a.letter = a.letter or b.letter
        b.same = a

    def choose(self, rng, letters="iIfF"):
        var = self.find()
        if var.letter is None:
            var.letter = rng.choice(letters)
        return var.letter


class Shape:
    """A sequence's types: what it takes, and for each of its instructions the types that its immediates need."""

    def __init__(self, module, tile, rng):
        self.module, self.rng = module, rng
        self.needs, self.stack, self.steps = [], [], []
        for atom in tile.atoms:
            self.steps.append(self.step(atom))
        if tile.state != "E" and self.needs:
            allowed = {"I": "iIfF", "F": "fF", "V": "v"}[tile.state]
            if self.needs[0].choose(rng, allowed) not in allowed:
                raise TypeError("%s in state %s" % (self.needs[0].letter, tile.state))
        for var in self.needs:
            var.choose(rng)

    def pop(self, letter=None):
        var = Var(letter)
        if self.stack:
            self.stack.pop().unify(var)
        else:
            self.needs.append(var)
        return var

    def push(self, var):
        self.stack.append(var if isinstance(var, Var) else Var(var))

    def step(self, atom):
        """Does what the instruction does to the stack; a type or signature that its immediate needs."""
        name = atom.name
        if name in ("LOCAL_GET", "GLOBAL_GET"):
            self.push(Var())
            return self.stack[-1]
        if name in ("LOCAL_SET", "GLOBAL_SET"):
            return self.pop()
        if name == "LOCAL_TEE":
            var = self.pop()
            self.push(var)
            return var
        if name == "SELECT":
            self.pop("i")
            second, first = self.pop(), self.pop()
            first.unify(second)
            self.push(first)
            return None
        if name == "DROP":
            return self.pop()
        if name in ("BR_IF", "IF", "BR_TABLE"):
            self.pop("i")
            return None
        if name in ("BLOCK", "LOOP", "END", "BR", "NOP", "RETURN"):
            return None
        if name in ("CALL", "CALL_INDIRECT"):
            return self.call(name)
        if name.endswith("_CONST"):
            self.push("v" if name[0] == "V" else NAMES[name[:3]])
            return None
        params, results = atom.op.sig.replace("a", "i").split(">")
        for letter in reversed(params):
            self.pop(letter)
        for letter in results:
            self.push(letter)
        return None

    def call(self, name):
        """A callee whose parameters are on the stack, if need be with less than are there."""
        if name == "CALL_INDIRECT":
            self.pop("i")
        fits = []
        for index in self.module.table if name == "CALL_INDIRECT" else range(CALLEES, CALLEES + RESERVED):
            params = self.module.signatures[index][0]
            have = self.stack[len(self.stack) - len(params):]
            if len(params) <= len(self.stack) and all(v.find().letter in (None, p) for v, p in zip(have, params)):
                fits += [index] * (1 + 3 * len(params))
        index = self.rng.choice(fits)
        params, results = self.module.signatures[index]
        for letter in reversed(params):
            self.pop(letter)
        for letter in results:
            self.push(letter)
        return index


# ---- functions ----

class Block:
    """An open block: what it gives, which operands were there before it, whether a branch may leave it."""

    def __init__(self, results, height, leaves):
        self.results, self.height, self.leaves = results, height, leaves


class Function:
    """The test of one tile."""

    def __init__(self, module, tile, rng):
        self.module, self.tile, self.rng = module, tile, rng
        self.shape = Shape(module, tile, rng)
        self.code, self.stack, self.blocks = b"", [], []
        self.locals, self.globals, self.results = set(), set(), ""
        self.long_locals = any(a.name.startswith("LOCAL_") and a.length > 1 for a in tile.atoms)
        self.build()

    # -- instructions outside of the tile --

    def emit(self, *parts):
        for part in parts:
            self.code += part if isinstance(part, bytes) else bytes([part])

    def mix(self, letter):
        self.emit(0x10, unsigned(self.module.mix[letter]))

    def mix_constant(self, value):
        self.emit(0x41, signed(value))
        self.mix("i")

    def open(self, opcode, params, results, leaves):
        kind = b"\x40" if not params and not results else signed(self.module.type(params, results))
        self.emit(opcode, kind)
        self.blocks.append(Block(results, len(self.stack) - len(params), leaves))

    def close(self):
        """Mixes what the block leaves and ends it."""
        block = self.blocks.pop()
        while len(self.stack) > block.height + len(block.results):
            self.mix(self.stack.pop())
        self.emit(0x0B)

    def push_parameter(self, letter):
        if letter == "v":
            place = signed(16 * self.rng.randrange(8))
            self.emit(0x20, VECTORS, 0x41, place, 0x6A, 0xFD, 0x00, 0x04, 0x00)
        else:
            self.emit(0x20, self.rng.choice([i for i, t in enumerate(PARAMS[:VECTORS]) if t == letter]))
        self.stack.append(letter)

    def push_in_state(self, letter, state):
        self.push_parameter(letter)
        if state == "I":
            self.emit(0x10, unsigned(self.module.same[letter]))
        elif state == "F":
            self.emit({"f": b"\x8C\x8C", "F": b"\x9A\x9A"}[letter])

    # -- all of it --

    def build(self):
        if self.long_locals:
            for i in range(len(PARAMS)):
                self.emit(0x20, i, 0x21, unsigned(FIRST_LONG + i))
        self.open(0x02, "", "", True)
        self.open(0x02, "", "", True)
        self.prepare()
        self.at = len(self.code)
        ended = False
        for atom, need in zip(self.tile.atoms, self.shape.steps):
            ended = self.instruction(atom, need)
        if not ended:
            self.emit(0x3F, 0x00)
            self.mix("i")
        self.finish(ended)

    def finish(self, ended):
        """Ends all blocks; code behind a branch is not reached until one ends."""
        if ended:
            self.stack = self.stack[:self.blocks[-1].height]
            self.blocks.pop()
            self.emit(0x0B)
        while self.blocks:
            self.close()
            self.mix_constant(len(self.blocks) + 1)
        for index in sorted(self.locals):
            self.emit(0x20, unsigned(index))
            self.mix(PARAMS[index % FIRST_LONG])
        for index in sorted(self.globals):
            self.emit(0x23, unsigned(index))
            self.mix(GLOBALS[index])
        for letter in self.results:
            self.emit(0x20, PARAMS.index(letter))
        self.emit(0x0B)

    def prepare(self):
        """Operands in place, in the state in which the tile starts. Those that stay below it lie in the block
        that branches leave, or outside: then the branch has nothing to drop."""
        state, needs = self.tile.state, [v.choose(self.rng) for v in reversed(self.shape.needs)]
        below = "".join(self.rng.choice("iIfF") for _ in range(self.rng.randrange(3)))
        ends = self.tile.atoms[-1].name == "END"
        for letter in below:
            self.push_parameter(letter)
        if state != "E" and not needs:
            needs = ["I" if state == "I" else self.rng.choice("fF")]
        extra = [needs[0]] if not self.shape.needs and state != "E" else []
        left = "".join(extra + [v.choose(self.rng) for v in self.shape.stack])
        if state == "E":
            for letter in needs:
                self.push_parameter(letter)
            if not needs:
                self.emit(0x10, unsigned(self.module.nothing))
            if needs or ends:
                self.open(0x03, "".join(needs), left if ends else "", False)
            return
        if ends:
            self.open(0x02, "", left, False)
        for letter in needs[:-1]:
            self.push_parameter(letter)
        self.push_in_state(needs[-1], state)

    # -- the tile's instructions --

    def instruction(self, atom, need):
        """True if what is behind it cannot be reached by falling into it."""
        name, rng = atom.name, self.rng
        if atom.op.prefix:
            opcode = bytes([atom.op.prefix]) + unsigned(atom.op.code)
        else:
            opcode = bytes([atom.op.code])
        start = len(self.code)
        before = list(self.stack)
        self.emit(opcode)
        if name.startswith("LOCAL_"):
            self.emit(self.local(need.choose(rng), atom.length))
        elif name.startswith("GLOBAL_"):
            index = rng.choice([i for i, t in enumerate(GLOBALS) if t == need.choose(rng) and i])
            self.globals.add(index)
            self.emit(unsigned(index, atom.length))
        elif name in ("I32_CONST", "I64_CONST"):
            self.emit(self.constant(32 if name[1] == "3" else 64, atom.length))
        elif name in ("F32_CONST", "F64_CONST"):
            self.emit(rng.choice(self.module.floats[name[1]]))
        elif name == "V128_CONST":
            self.emit(rng.randbytes(16))
        elif atom.is_access:
            self.emit(self.memarg(atom))
        elif name in ("BLOCK", "LOOP"):
            self.emit(0x40)
            self.blocks.append(Block("", len(self.stack), name == "BLOCK"))
        elif name in ("BR", "BR_IF"):
            self.emit(self.label())
        elif name == "BR_TABLE":
            self.emit(2, self.label(), self.label(), self.label())
        elif name == "CALL":
            self.emit(unsigned(need, atom.length))
        elif name == "CALL_INDIRECT":
            kind = unsigned(self.module.type(*self.module.signatures[need]), atom.length)
            self.emit(kind, unsigned(0, atom.length))
        elif name == "IF":
            self.emit(0x40)
        elif atom.op.imm == "LANE":
            self.emit(rng.randrange(int(name.partition("X")[2].partition("_")[0])))
        elif name == "I8X16_SHUFFLE":
            self.emit(bytes(rng.randrange(32) for _ in range(16)))
        if len(self.code) - start != atom.size and name not in ("BR_TABLE", "CALL_INDIRECT"):
            raise ValueError("%s has %d bytes" % (name, len(self.code) - start))
        self.effect(atom, need, before)
        return name in ("BR", "BR_TABLE", "RETURN")

    def effect(self, atom, need, stack):
        """What the instruction does to the stack, with types known."""
        name = atom.name
        if name in ("LOCAL_GET", "GLOBAL_GET"):
            stack.append(need.choose(self.rng))
        elif name in ("LOCAL_SET", "GLOBAL_SET", "DROP", "BR_IF", "BR_TABLE"):
            stack.pop()
        elif name == "SELECT":
            del stack[-2:]
        elif name == "IF":
            stack.pop()
            self.mix_constant(31)
            self.emit(0x05)
            self.mix_constant(32)
            self.emit(0x0B)
        elif name == "END":
            self.blocks.pop()
        elif name == "RETURN":
            self.results = stack[-1] if stack and stack[-1] != "v" and self.rng.random() < 0.7 else ""
        elif name in ("CALL", "CALL_INDIRECT"):
            params, results = self.module.signatures[need]
            del stack[len(stack) - len(params) - (name == "CALL_INDIRECT"):]
            stack += results
        elif name.endswith("_CONST"):
            stack.append("v" if name[0] == "V" else NAMES[name[:3]])
        elif name not in ("LOCAL_TEE", "BLOCK", "LOOP", "BR", "NOP"):
            params, results = atom.op.sig.split(">")
            del stack[len(stack) - len(params):]
            stack += results
        self.stack = stack

    def local(self, letter, length):
        index = self.rng.choice([i for i, t in enumerate(PARAMS[:VECTORS]) if t == letter])
        if length == 2 and self.rng.random() < 0.7:
            index += FIRST_LONG
        self.locals.add(index)
        return unsigned(index, length)

    def constant(self, bits, length):
        """A number of so many bytes, or a smaller one that is padded; rather one that can be an address."""
        rng = self.rng
        size = rng.choice([length, length, rng.randint(1, length)])
        limit = min(7 * size, bits) - 1
        value = rng.randrange(1 << limit)
        if rng.random() < 0.6 and limit > 15:
            value >>= limit - 15
        return signed(-value - 1 if rng.random() < 0.2 else value, length)

    def memarg(self, atom):
        rng = self.rng
        offset = rng.randrange(64)
        if atom.length > 1 and rng.random() < 0.8:
            offset = rng.randrange(min(1 << 7 * atom.length, 30000 if rng.random() < 0.9 else MEMORY_GUARD - 16))
        if rng.random() < 0.7:
            offset &= ~7
        align = rng.randrange(self.module.aligns[atom.name] + 1)
        lane = bytes([rng.randrange(16 >> self.module.aligns[atom.name])]) if "LANE" in atom.name else b""
        return bytes([align]) + unsigned(offset, atom.length) + lane

    def label(self):
        """Of a block that branches may leave, not of the function."""
        labels = [i for i, b in enumerate(reversed(self.blocks)) if b.leaves]
        return self.rng.choice(labels)

    def body(self):
        groups = [(len(PARAMS) and FIRST_LONG - len(PARAMS), "i")] + [(1, t) for t in PARAMS]
        groups = groups if self.long_locals else []
        content = vector([unsigned(n) + bytes([TYPES[t]]) for n, t in groups]) + self.code
        return unsigned(len(content)) + content


# ---- the module ----

class Module:
    def __init__(self, tiles, aligns, rng):
        self.rng, self.aligns = rng, aligns
        self.types, self.signatures, self.bodies = [], [], []
        self.floats = {"3": [], "6": []}
        self.make_floats()
        self.helpers()
        self.callees()
        self.cases = []
        for tile in [t for t in tiles for _ in range(COPIES)]:
            function = Function(self, tile, rng)
            self.cases.append((len(self.bodies), function))
            self.define(PARAMS, function.results, None)
            self.bodies[-1] = function.body()
        self.entries = {r: self.entry(r) for r in ("", "i", "I", "f", "F")}

    def entry(self, results):
        """Calls the case that its last argument names: what the host calls starts by bytes."""
        code = b"".join(bytes([0x20, i]) for i in range(len(PARAMS) + 1))
        kind = unsigned(self.type(PARAMS, results))
        return self.define(PARAMS + "i", results, code + b"\x11" + kind + b"\x01")

    def make_floats(self):
        import struct
        for value in (0.0, -0.0, 1.5, -2.25, 1e9, -1e-3, float("inf"), 300.0):
            self.floats["3"].append(struct.pack("<f", value))
            self.floats["6"].append(struct.pack("<d", value))

    def type(self, params, results):
        key = "".join(params), "".join(results)
        if key not in self.types:
            self.types.append(key)
        return self.types.index(key)

    def define(self, params, results, code):
        self.type(params, results)
        self.signatures.append((params, results))
        if code is not None:
            code = b"\x00" + code + b"\x0B"
            code = unsigned(len(code)) + code
        self.bodies.append(code)
        return len(self.bodies) - 1

    def helpers(self):
        """Below CALLEES: what gives an operand back, and what mixes one into the hash. NaNs are one."""
        self.nothing = self.define("", "", b"")
        # not leaving the operand where it would have to be written
        self.same = {t: self.define(t, t, b"\x20\x00" + VALUES[t] + b"\x21\x00") for t in "iIfF"}
        step = b"\x23\x00\x42\x05\x89\x42" + signed(-0x61C8864680B583EB) + b"\x7E\x85\x24\x00"
        self.mix = {"I": self.define("I", "", b"\x20\x00" + step)}
        self.mix["i"] = self.define("i", "", b"\x20\x00\xAD" + step)
        nan = b"\x42\x7F\x20\x00\x20\x00%s\x1B"
        self.mix["f"] = self.define("f", "", b"\x20\x00\xBC\xAD" + nan.replace(b"%s", b"\x5B") + step)
        self.mix["F"] = self.define("F", "", b"\x20\x00\xBD" + nan.replace(b"%s", b"\x61") + step)
        mix = unsigned(self.mix["I"])
        lanes = b"".join(b"\x20\x00\xFD\x1D%c\x10" % lane + mix for lane in (0, 1))
        self.mix["v"] = self.define("v", "", lanes)

    def callees(self):
        """They mix their arguments and give numbers."""
        assert len(self.bodies) <= CALLEES
        while len(self.bodies) < CALLEES:
            self.define("", "", b"")
        params = [""] + list("iIfF") + ["ii", "iI", "Ii", "FF", "iii", "fi"]
        results = ["", "i", "I", "f", "F", "v", "iI", "Fi", "iF"]
        for index in range(RESERVED):
            ins, outs = params[index % len(params)], results[index % len(results)]
            code = b"".join(b"\x20%c\x10" % i + unsigned(self.mix[t]) for i, t in enumerate(ins))
            code += b"\x41" + signed(1000 + index) + b"\x10" + unsigned(self.mix["i"])
            self.define(ins, outs, code + b"".join(VALUES[t] for t in outs))
        self.table = [i for i in range(CALLEES, CALLEES + RESERVED) if self.signatures[i] in (("", "i"), ("i", "I"), ("ii", ""))]
        if len({self.signatures[i] for i in self.table}) < 2:
            raise ValueError("the table has one type only")

    def binary(self):
        zero = {"i": b"\x41\x00", "I": b"\x42\x00", "f": b"\x43" + b"\x00\x00\x80\x3F", "F": b"\x44" + b"\x00" * 6 + b"\xF0\x3F"}
        kinds = vector([b"\x60" + types_of(p) + types_of(r) for p, r in self.types])
        funcs = vector([unsigned(self.types.index(s)) for s in (("".join(p), "".join(r)) for p, r in self.signatures)])
        element = b"\x00\x41\x00\x0B" + vector([unsigned(self.table[i % len(self.table)]) for i in range(TABLE_FILLED)])
        entries = b"\x02\x01\x41\x00\x0B\x00" + vector([unsigned(index) for index, _ in self.cases])
        return b"\0asm\1\0\0\0" + b"".join([
            section(1, kinds), section(3, funcs),
            section(4, vector([b"\x70\x00" + unsigned(n) for n in (TABLE_SIZE, len(self.cases))])),
            section(5, vector([b"\x01\x02\x02"])),
            section(6, vector([bytes([TYPES[t], 1]) + zero[t] + b"\x0B" for t in GLOBALS])),
            section(9, vector([element, entries])),
            section(10, vector(self.bodies))])


def main():
    runtime, interpreter, dispatch, module_path, cases_path = sys.argv[1:6]
    sys.path.insert(0, os.path.join(interpreter, "gen"))
    from generate import Generator, Shadow, rows
    shadow = Shadow(Generator(runtime, interpreter, False), interpreter, dispatch != "tail")
    aligns = {a[0]: int(a[6]) for _, a in rows(os.path.join(runtime, "opcodes.def"), ["OP"])}
    module = Module(shadow.tiles.tiles, aligns, random.Random(4))
    with open(module_path, "wb") as out:
        out.write(module.binary())
    with open(cases_path, "w", encoding="utf-8") as out:
        for index, function in module.cases:
            tile = function.tile
            out.write("%d %d %d %d %d %d %d %s %s\n" % (
                index, module.entries[function.results], function.at, tile.id, tile.has_branch, tile.has_access, tile.can_check, tile.state,
                " ".join(tile.sequence)))


if __name__ == "__main__":
    main()
