"""Superinstructions: handlers for whole sequences of instructions ("tiles"), for shadow dispatch.

A sequence is a tuple of atoms. An atom is an instruction and, where its immediate is a LEB128 number, how many
bytes that has: "LOCAL_GET:1", "I32_CONST:3", "I32_LOAD:1", "I32_ADD", "BR_IF:1". sequences.py lists
the sequences; here each is run against a symbolic operand stack, once for every cache state in which it
may start, and becomes one handler. Nothing of the canonical state is lost: a trap says which instruction
trapped, and what is behind a tile finds locals, operands and pc as single steps would leave them.

All numbers are read from the module's own bytes: offsets from pc are known because lengths are.
"""
import re

from body import Body, CTYPE, LETTER, RESULT_STATE
from sequences import states

# How long an immediate may be; longer ones are left to single instructions.
LONGEST = {"LOCAL_GET": 2, "LOCAL_SET": 2, "LOCAL_TEE": 2, "I32_CONST": 5, "I64_CONST": 10,
           "GLOBAL_GET": 5, "GLOBAL_SET": 5, "BR_IF": 1, "CALL": 5, "CALL_INDIRECT": 5, "BR": 1}
LONGEST_CHECKED = 3  # instructions of a tile that also comes with explicit checks of bounds
LONGEST_OFFSET = 5  # only offsets below the guard are met
FIXED = {"F32_CONST": 5, "F64_CONST": 9, "IF": 2, "V128_CONST": 18, "BLOCK": 2, "LOOP": 2}
# Instructions that may end a tile: what comes before is put in place, and their own handler goes on.
STATES = "EIFV"
LAST = {"CALL", "BR", "BR_TABLE", "RETURN", "CALL_INDIRECT", "END", "LOOP", "RETURN_NONE", "RETURN_ONE"}


def table_of(table, entries):
    """Definition of a table by the assembler, which knows distances between functions."""
    out = ["__asm__(\".pushsection .rodata,\\\"a\\\"\\n\"", "        \".balign 4\\n\"",
           "        \".globl %s\\n.hidden %s\\n%s:\\n\"" % (table, table, table)]
    out += ["        \"%s\\n\"" % entry for entry in entries]
    return "\n".join(out + ["        \".popsection\\n\");"])


def offsets(table, names):
    """Functions as 32-bit distances from the table: no relocations, nothing to do at start-up."""
    return table_of(table, [".long %s - %s" % (name, table) for name in names])


def steps(table, names):
    """Functions that follow each other: the first as such a distance, each other as 16 bits from the one before."""
    pairs = zip(names, names[1:])
    return table_of(table, [".long %s - %s" % (names[0], table)] + [".short %s - %s" % (b, a) for a, b in pairs])


class Atom:
    def __init__(self, text, generator):
        name, _, length = text.partition(":")
        self.name, self.length = name, int(length or 0)
        self.op = generator.by_id.get(name)
        self.is_access = name in generator.scalar_access or name in generator.vector_kind
        opcode = 1
        if self.op is not None and self.op.prefix:
            opcode = 2 if self.op.code < 0x80 else 3
        self.opcode = opcode
        if self.is_access:
            self.size = opcode + 1 + self.length + (1 if "LANE" in name else 0)
        elif name in FIXED:
            self.size = FIXED[name]
        else:
            self.size = opcode + self.length
            kind = generator.numeric.get(name, ("",))[0]
            self.size += {"LANE": 1, "LANES": 16}.get(kind.split("_")[0], 0)


class Unsuitable(Exception):
    """The sequence takes another type than can be cached in that state, or than is there."""


class TileBody(Body):
    """A body of several instructions; self.at is the offset of the current one from pc."""

    def __init__(self, state, generator, check, polled):
        super().__init__(state)
        self.generator, self.check, self.polled = generator, check, polled
        self.at, self.accessed, self.moved = 0, False, 0
        self.known = set()  # expressions of the type that their letter says; others are whatever a slot holds

    # -- operands of any type --

    @staticmethod
    def convert(have, want, expression):
        if have == want or {have, want} == {"i", "I"}:
            return expression if have == want else "(%s)%s" % (CTYPE[want], expression)
        if want in "fF":
            bits = "(u32)%s" % expression if want == "f" else expression
            return "%s_of_bits(%s)" % (CTYPE[want], bits)
        assert want in "iI" and have in "fF", (have, want)
        return "bits_of_%s(%s)" % (CTYPE[have], expression)

    def pop(self, letter):
        if self.stack:
            have, expression = self.stack.pop()
            assert have == letter or "v" not in (have, letter)
            if have != letter and expression in self.known:
                raise Unsuitable
            return self.convert(have, letter, expression)
        if self.cached and letter not in {"I": "iIfF", "F": "fF", "V": "v"}[self.cached]:
            raise Unsuitable
        return super().pop(letter)

    def push_known(self, letter, expression):
        self.known.add(expression)
        self.push(letter, expression)

    def pop_any(self):
        """An operand that is not a v128, with its letter."""
        if self.stack:
            return self.stack.pop()
        letter = "F" if self.cached == "F" else "I"
        assert self.cached != "V"
        return letter, super().pop(letter)

    def byte(self, offset):
        return "pc[%d]" % (self.at - self.moved + offset)

    def index(self, offset, length):
        if length == 1:
            return "(u32)%s" % self.byte(offset)
        if length == 5:
            return "read_leb5(&%s)" % self.byte(offset)
        parts = []
        for i in range(length):
            part = "(u32)%s" % self.byte(offset + i)
            if i + 1 < length:
                part = "(%s & 0x7F)" % part
            parts.append("%s << %d" % (part, 7 * i) if i else part)
        return "(%s)" % " | ".join("(%s)" % p for p in parts)

    def signed(self, ctype, offset, length):
        """A signed LEB128 number of that many bytes, as an expression of type u32 or u64."""
        bits = 32 if ctype == "u32" else 64
        parts, done = [], 0
        if length == 5 and bits == 32:
            return "read_leb5(&%s)" % self.byte(offset)
        if length > 8:
            parts.append("read_leb8(&%s)" % self.byte(offset))
            done = 8
        for i in range(done, length - 1):
            parts.append("((%s)%s & 0x7F) << %d" % (ctype, self.byte(offset + i), 7 * i))
        shift = 7 * (length - 1)
        last = "(%s)%s" % (ctype, self.byte(offset + length - 1))
        if shift + 7 <= bits:
            top = "(%s)((i%d)(%s << %d) >> %d)" % (ctype, bits, last, bits - 7, bits - 7 - shift)
            if shift:
                top = "((%s) & ~(((%s)1 << %d) - 1))" % (top, ctype, shift)
        else:
            top = "(%s << %d)" % (last, shift)
        return " | ".join(["(%s)" % p for p in parts] + [top])

    def trap_if(self, condition, trap):
        self.emit("if (UNLIKELY(%s)) {" % condition)
        if self.at - self.moved:
            self.emit("    pc += %d;" % (self.at - self.moved))
        self.emit("    %s;" % trap)
        self.emit("}")

    # -- instructions --

    def step(self, atom):
        name = atom.name
        if name in self.generator.numeric:
            self.numeric(atom)
        elif name in ("I32_CONST", "I64_CONST"):
            letter = "i" if name[1] == "3" else "I"
            self.push_known(letter, self.temp(CTYPE[letter], self.signed(CTYPE[letter], 1, atom.length)))
        elif name == "F32_CONST":
            self.push_known("f", self.temp("f32", "f32_of_bits(le32_load(&%s))" % self.byte(1)))
        elif name == "F64_CONST":
            self.push_known("F", self.temp("f64", "f64_of_bits(le64_load(&%s))" % self.byte(1)))
        elif name == "V128_CONST":
            self.push("v", self.temp("v128", "v128_load(&%s)" % self.byte(2)))
        elif name == "LOCAL_GET":
            self.push("I", self.temp("u64", "fp[%s].u64" % self.index(1, atom.length)))
        elif name in ("LOCAL_SET", "LOCAL_TEE"):
            letter, value = self.pop_any()
            self.emit("STORE_%s(fp[%s], %s);" % (letter, self.index(1, atom.length), value))
            if name == "LOCAL_TEE":
                self.push(letter, value)
        elif name == "GLOBAL_GET":
            self.push("I", self.temp("u64", "inst->globals[%s]->value[0].u64" % self.index(1, atom.length)))
        elif name == "GLOBAL_SET":
            letter, value = self.pop_any()
            self.emit("STORE_%s(inst->globals[%s]->value[0], %s);" % (letter, self.index(1, atom.length), value))
        elif name == "SELECT":
            self.select()
        elif name == "DROP":
            self.pop_any()
        elif name in ("NOP", "BLOCK"):
            pass
        elif name in self.generator.scalar_access:
            self.access(atom)
        elif name in self.generator.vector_kind:
            self.vector_access(atom)
        else:
            raise ValueError("no way to put %s into a tile" % name)
        self.at += atom.size

    def numeric(self, atom):
        kind, args = self.generator.numeric[atom.name]
        params, result = atom.op.sig.split(">")
        operands = [self.temp(CTYPE[p], self.pop(p)) for p in reversed(params)][::-1]
        if kind.startswith("TRAP"):
            self.temps += 1
            out = "t%d" % self.temps
            self.emit("%s %s = 0;" % (CTYPE[result], out))
            trap = self.temp("wr_trap_code_t", "num_%s(%s, &%s)" % (atom.name, ", ".join(operands), out))
            self.trap_if("%s != WR_TRAP_NONE" % trap, "TRAP(%s)" % trap)
            self.push_known(result, out)
            return
        if kind.startswith("LANES"):
            operands.append("&%s" % self.byte(atom.opcode))
        elif kind.startswith("LANE"):
            operands.append(self.byte(atom.opcode))
        self.push_known(result, self.temp(CTYPE[result], "num_%s(%s)" % (atom.name, ", ".join(operands))))

    def select(self):
        condition = self.temp("u32", self.pop("i"))
        second, b = self.pop_any()
        first, a = self.pop_any()
        letter = first if first == second else "I"
        a = self.temp(CTYPE[letter], self.convert(first, letter, a))
        b = self.temp(CTYPE[letter], self.convert(second, letter, b))
        self.push(letter, self.temp(CTYPE[letter], "%s ? %s : %s" % (condition, a, b)))

    def place(self, atom, size):
        """The address of an access, which has been checked or is guarded."""
        address = self.temp("u64", "(u64)(u32)%s + %s" % (self.pop("i"), self.index(atom.opcode + 1, atom.length)))
        if self.check:
            self.trap_if("%s + %s > inst->mem_size" % (address, size), "TRAP_MEMORY()")
        elif self.accessed:
            self.emit("pc += %d;" % (self.at - self.moved))
            self.emit("MOVED_PC();")
            self.moved = self.at
        if not self.check:
            self.emit("SAVE_PC_GUARD();")
        self.accessed = True
        return address

    def accessed_now(self):
        self.emit("ACCESSED_%s();" % ("CHECK" if self.check else "GUARD"))

    def access(self, atom):
        load, mtype, letter = self.generator.scalar_access[atom.name]
        size = int(re.sub(r"\D", "", mtype)) // 8
        if load:
            address = self.place(atom, size)
            self.push_known(letter, self.temp(CTYPE[letter], self.generator.convert_load(self, mtype, letter, "mem + %s" % address)))
        else:
            value = self.temp(CTYPE[letter], self.pop(letter))
            address = self.place(atom, size)
            self.emit("MEMORY_STORE_%s(mem + %s, %s);" % (mtype, address, self.generator.convert_store(mtype, letter, value)))
        self.accessed_now()

    def vector_access(self, atom):
        kind, size, expression = self.generator.vector_kind[atom.name]
        a = None if kind == "LOAD_V" else self.temp("v128", self.pop("v"))
        address = self.place(atom, size)
        out = None
        if kind.startswith("LOAD"):
            self.temps += 1
            out = "t%d" % self.temps
            self.emit("v128 %s;" % out)
        self.emit("{")
        self.emit("u8 *p = mem + %s;" % address)
        if a:
            self.emit("v128 a = %s;" % a)
        if kind.endswith("LANE"):
            self.emit("u32 lane = %s;" % self.byte(atom.opcode + 1 + atom.length))
        self.emit("%s%s;" % ("%s = " % out if out else "", expression))
        self.emit("}")
        if out:
            self.push("v", out)
        self.accessed_now()

    # -- endings --

    def settle(self, keep):
        """Writes all operands to memory, but for the topmost one if `keep` allows its state; moves sp, not pc.
        The state that it leaves."""
        if self.stack and self.cached:
            self.spill()
        position, state = -self.depth, self.cached or "E"
        if not self.stack and self.cached and self.cached not in keep:
            self.spill()
            position, state = -self.depth, "E"
        for i, (letter, expression) in enumerate(self.stack):
            last = i + 1 == len(self.stack)
            if last and RESULT_STATE[letter] in keep:
                self.emit("SET_%s(%s);" % (letter, expression))
                state = RESULT_STATE[letter]
            else:
                self.emit("STORE_%s(sp[%d], %s);" % (letter, position, expression))
                position += 2 if letter == "v" else 1
        if position:
            self.emit("sp += %d;" % position)
        return state

    def advance(self):
        if self.at - self.moved:
            self.emit("pc += %d;" % (self.at - self.moved))

    def text(self):
        return "".join("    %s\n" % line for line in self.lines)

    def finish_next(self):
        state = self.settle("IFV")
        self.advance()
        self.emit("NEXT(%s);" % state)
        return state

    def finish_branch(self, atom, here):
        flag = self.temp("u32", self.pop("i"))
        self.settle("")
        self.advance()
        variant = "_POLLED_HERE" if self.polled and here else "_POLLED" if self.polled else ""
        self.emit("TILE_%s%s(%s);" % (atom.name, variant, flag))
        return "E"

    def finish_noop(self, atom):
        self.settle("")
        self.at += atom.size
        self.advance()
        self.emit("NEXT(E);")
        return "E"

    def finish_into(self, atom):
        handlers, name = self.generator.handlers, atom.name
        if atom.length == 5 and (name + "_5", "E", "") in handlers:
            name += "_5"
        keep = "".join(s for s in "IFV" if (name, s, "") in handlers)
        state = self.settle(keep)
        self.advance()
        variant = "POLLED" if self.polled and (name, state, "POLLED") in handlers else ""
        self.emit("JUMP(%s);" % handlers[name, state, variant])
        return "*"


class Tile:
    """One handler: a sequence in a start state."""

    def __init__(self, sequence, state, atoms):
        self.sequence, self.state, self.atoms = sequence, state, atoms
        self.has_access = any(a.is_access for a in atoms)
        self.end, self.texts = None, []

    def may_end_loop(self):
        """Whether its br_if is worth more code when it polls: not in what mostly leaves a block."""
        steps = any(atom.startswith("LOCAL_TEE") for atom in self.sequence)
        leaves = self.sequence[-2].endswith("EQZ") and not steps
        return self.sequence[-1] == "BR_IF:1" and self.sequence[0] != "BLOCK" and not self.has_access and not leaves

    def build(self, generator, polled_ops, can_check):
        last = self.atoms[-1]
        self.has_branch = last.name in polled_ops
        self.can_check = self.has_access and can_check
        for polled in ([False, True] if self.has_branch else [False]):
            for check in ([False, True] if self.can_check else [False]):
                body = TileBody(self.state, generator, check, polled)
                ends = last.name in ("BR_IF", "IF") or last.name in LAST
                for atom in self.atoms[:-1] if ends else self.atoms:
                    body.step(atom)
                if last.name in ("BR_IF", "IF"):
                    self.end = body.finish_branch(last, self.may_end_loop())
                elif last.name in ("END", "LOOP"):
                    self.end = body.finish_noop(last)
                elif ends:
                    self.end = body.finish_into(last)
                else:
                    self.end = body.finish_next()
                self.texts.append(body.text())


def starts(sequence, atoms, generator):
    """The states in which the sequence may be met: those that its first operand can be in."""
    need = 0
    for atom in atoms:
        name = atom.name
        if name in generator.numeric or atom.is_access:
            params = atom.op.sig.split(">")[0].replace("a", "i")
            if need < len(params):
                letter = params[len(params) - 1 - need]
                return {"i": "EI", "I": "EI", "f": "EIF", "F": "EIF", "v": "EV"}[letter]
            need += len(atom.op.sig.split(">")[1]) - len(params)
        elif name in ("LOCAL_SET", "GLOBAL_SET", "DROP", "LOCAL_TEE"):
            if need < 1:
                return "EIF"
            need -= 0 if name == "LOCAL_TEE" else 1
        elif name in ("BR_IF", "IF"):
            return "EI" if need < 1 else "EIF"
        elif name == "SELECT":
            if need < 3:
                return "EI" if need == 0 else "EIF"
            need -= 2
        elif name in LAST or name == "NOP":
            return "EIF"
        else:
            need += 1
    return "EIF"


class Tiles:
    """All tiles, their numbers, and the trie that finds them."""

    def __init__(self, generator, sequences, first_id):
        self.generator, self.first_id = generator, first_id
        self.polled_ops = {op for op, _, variant in generator.handlers if variant == "POLLED"} - {"END"}
        self.atom_ids, self.atom_rows = {}, []
        self.tiles, self.by_sequence, self.counts = [], {}, []
        seen = set()
        for sequence in list(self.singles()) + [s for s in sequences for s in self.indirect(s)]:
            passed = all(atom in ("BLOCK", "LOOP") for atom in sequence)  # by one handler: PASS
            if sequence not in seen and not passed:
                seen.add(sequence)
                self.add(sequence)

    @staticmethod
    def indirect(sequence):
        """Both indices of a call_indirect have one byte, or five."""
        if sequence[-1] != "CALL_INDIRECT":
            return [sequence]
        return [sequence[:-1] + ("CALL_INDIRECT:1",), sequence[:-1] + ("CALL_INDIRECT:5",)]

    def singles(self):
        """Instructions behind a prefix: one dispatch instead of two."""
        for op in self.generator.ops:
            if op.prefix in (0xFC, 0xFD) and op.id in self.generator.numeric:
                yield (op.id,)
            if op.prefix == 0xFD and op.id in self.generator.vector_kind:
                for length in (1, 2):
                    yield ("%s:%d" % (op.id, length),)
            if op.id == "V128_CONST":
                yield (op.id,)
        for length in range(2, 11):
            yield ("I64_CONST:%d" % length,)
            if length > 2:
                for name in ("ADD", "AND", "MUL", "XOR"):
                    yield ("I64_CONST:%d" % length, "I64_" + name)
        for length in range(2, 6):
            yield ("I32_CONST:%d" % length,)

    def add(self, sequence):
        atoms = [Atom(text, self.generator) for text in sequence]
        for atom in atoms:
            longest = LONGEST_OFFSET if atom.is_access else LONGEST.get(atom.name, 0)
            if atom.length > longest or (longest and not atom.length):
                raise ValueError("bad atom in %s" % (sequence,))
            self.number(atom, longest)
        for state in starts(sequence, atoms, self.generator) if len(atoms) == 1 and atoms[0].op.prefix else states(sequence):
            tile = Tile(sequence, state, atoms)
            try:
                tile.build(self.generator, self.polled_ops, len(atoms) <= LONGEST_CHECKED)
            except Unsuitable:
                continue
            tile.id = self.first_id + sum(len(t.texts) for t in self.tiles[-1:]) + (self.tiles[-1].id - self.first_id if self.tiles else 0)
            self.tiles.append(tile)
            self.by_sequence.setdefault(sequence, {})[state] = tile

    def number(self, atom, longest):
        if atom.name not in self.atom_ids:
            self.atom_ids[atom.name] = 1 + sum(row[1] for row in self.atom_rows)
            self.atom_rows.append((atom.name, max(longest, 1)))
        return self.atom_ids[atom.name] + max(atom.length, 1) - 1

    def end_id(self):
        return self.tiles[-1].id + len(self.tiles[-1].texts) if self.tiles else self.first_id

    # -- output --

    def files(self, count):
        """The handlers, spread over so many files; each has a function that puts them into the table."""
        share = (len(self.tiles) + count - 1) // count
        self.counts = []  # of each file: the first id, and how many there are
        for n in range(count):
            out = ["/* Generated by gen/generate.py: superinstructions. */", '#include "tile.h"', ""]
            mine = self.tiles[n * share:(n + 1) * share]
            names = ["tile_%d" % (tile.id + i) for tile in mine for i in range(len(tile.texts))]
            self.counts.append((mine[0].id, len(names)))
            yield "\n".join(out + [self.text(mine), steps("wr_tiles_%d" % n, names), ""])

    def text(self, tiles=None):
        """The handlers of all tiles, or of those."""
        out = []
        for tile in self.tiles if tiles is None else tiles:
            out.append("/* %s */" % " ".join(tile.sequence))
            words = ["TILE"] + ["SELDOM_TILE"] * (len(tile.texts) - 1)  # those behind the first poll and check
            out += ["%s(%d) {\n%s}\n" % (word, tile.id + i, text) for i, (word, text) in enumerate(zip(words, tile.texts))]
        return "\n".join(out)

    def declarations(self):
        return "".join("DECLARE_TILE(%d)\n" % i for i in range(self.first_id, self.end_id()))

    def trie(self):
        nodes = [{}]  # an edge's atom -> the node that it leads to
        tiles_of = [{}]  # by the state in which they start
        for sequence, tiles in self.by_sequence.items():
            node = 0
            for atom in next(iter(tiles.values())).atoms:
                key = self.number(atom, 0)
                if key not in nodes[node]:
                    nodes[node][key] = len(nodes)
                    nodes.append({})
                    tiles_of.append({})
                node = nodes[node][key]
            tiles_of[node].update(tiles)
        order = [(0, 0)]  # level by level: a node's children are beside each other
        for _, node in order:
            order += sorted(nodes[node].items())
        out = ["/* Generated by gen/generate.py: which sequences have tiles. */", "static const TrieNode trie[] = {"]
        rows, children = [], 1
        for atom, node in order:
            out.append("    {%d, %d, %d}," % (atom, children, len(rows)))
            children += len(nodes[node])
            rows += [(s, tiles_of[node][s]) for s in STATES if s in tiles_of[node]]
        out.append("    {0, %d, %d}," % (children, len(rows)))
        out += ["};", "static const TileInfo tiles[] = {"]
        ends = {"E": 0, "I": 1, "F": 2, "V": 3, "*": 4}
        for state, tile in rows:
            flags = (1 if tile.has_access else 0) | (2 if tile.has_branch else 0) | (4 if tile.can_check else 0)
            out.append("    {%d, %d, %d, %d}," % (tile.id, ends[state], ends[tile.end], flags))
        out += ["};", "static const AtomRow atom_rows[] = {"]
        longest = dict(self.atom_rows)
        for op in self.generator.ops:
            out.append("    {%d, %d}, /* %s */" % (self.atom_ids.get(op.id, 0), longest.get(op.id, 0), op.id))
        out += ["};", "#define FIRST_TILE %d" % self.first_id, "#define SHADOW_TABLE_SIZE %d" % self.end_id(), ""]
        return "\n".join(out)
