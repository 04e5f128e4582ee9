"""Handlers of byte dispatch that look ahead.

A dispatch costs more than a comparison that mostly comes out the same. So the handlers of frequent instructions
compare the byte behind theirs with what is likely there, and do that as well, or jump to its handler; the table
has the rest. They know one more cache state, J: the two topmost operands are in r1 and r0, as two local.get
leave them. They take locals for slots, so tables of wide functions have the instructions' own handlers instead,
and so have tables for memories that are not guarded, where memory is accessed.

Bodies are those of tiles, so immediates have one byte; longer ones are left to the instruction's own handler, but
for constants: these have handlers that read any number, and go on as if it had had one byte.
"""
import copy

from body import CTYPE
from tiles import Atom, TileBody, Unsuitable

OPCODE = {"LOCAL_GET": 0x20, "LOCAL_SET": 0x21, "LOCAL_TEE": 0x22, "I32_CONST": 0x41, "I32_ADD": 0x6A, "BR_IF": 0x0D}
# What is jumped to behind a result, by the state in which that is left.
LIKELY = {"E": ["LOCAL_GET"], "I": ["LOCAL_TEE", "LOCAL_SET", "LOCAL_GET", "I32_CONST"],
          "F": ["LOCAL_TEE", "LOCAL_SET", "LOCAL_GET"]}
# With the letter of their type.
CONSTANTS = {"I32_CONST": "i", "I64_CONST": "I"}


class AheadBody(TileBody):
    """A body that may look ahead: at pc[self.at], since pc moves at the end only."""

    def __init__(self, name, state, generator):
        self.own = name, state
        super().__init__("E" if state in "IJ" else state, generator, False, False)
        for register in {"I": ["r0"], "J": ["r1", "r0"]}.get(state, []):
            self.push("I", register)

    def long_constant(self, atom):
        """A constant of more bytes than the atom's one."""
        letter = CONSTANTS[atom.name]
        self.emit("const u8 *place = pc;")
        self.push_known(letter, self.temp(CTYPE[letter], "read_long_%s(&place)" % CTYPE[letter].replace("u", "s")))
        self.emit("pc = place;")
        self.at += atom.size

    def branch(self):
        """A copy that goes on by itself, its statements apart."""
        other = copy.copy(self)
        other.lines, other.stack, other.known = [], list(self.stack), set(self.known)
        return other

    def embed(self, condition, other):
        self.emit("if (%s) {" % condition)
        self.lines += ["    " + line for line in other.lines]
        self.emit("}")

    def look(self, name, then):
        """Where instruction `name` follows, with an immediate of one byte: does it, too, and what `then` says."""
        has_immediate = name in ("LOCAL_GET", "I32_CONST")
        condition = "pc[%d] == 0x%02X" % (self.at, OPCODE[name])
        if has_immediate:
            condition += " && pc[%d] < 0x80" % (self.at + 1)
        other = self.branch()
        other.step(Atom(name + ":1" if has_immediate else name, self.generator))
        then(other)
        self.embed(condition, other)

    def look_for_branch(self):
        """The same for a br_if on the result."""
        other = self.branch()
        _, flag = other.stack.pop()
        other.settle("")
        other.advance()
        other.emit("BRANCH_IF(%s);" % flag)
        self.embed("pc[%d] == 0x%02X" % (self.at, OPCODE["BR_IF"]), other)

    def settle_two(self):
        """The two topmost operands to r1 and r0, if they are integers or whatever locals hold."""
        if len(self.stack) < 2 or any(letter not in "iI" for letter, _ in self.stack[-2:]):
            return False
        pairs = list(zip(("r1", "r0"), self.stack[-2:]))
        del self.stack[-2:]
        self.settle("")
        if pairs[0][1][1] == "r0":
            moves = pairs  # before r0 changes
        else:
            moves = pairs[::-1] if pairs[1][1][1] == "r1" else pairs
        for register, (letter, value) in moves:
            if value != register:
                self.emit("%s = %s%s;" % (register, "(u32)" if letter == "i" else "", value))
        return True

    def go_on(self, jumps):
        """The end: operands in place, and to the next handler; `jumps`: by a jump to one that is likely."""
        state = "J" if self.settle_two() else self.settle("IFV")
        self.advance()
        for name in LIKELY.get(state, []) if jumps else []:
            if (name, state) != self.own:  # not to itself: compilers make loops of that
                self.emit("if (*pc == 0x%02X) JUMP(h_%s_%s_AHEAD);" % (OPCODE[name], name, state))
        self.emit("NEXT(%s);" % state)


# What follows what: each ends the body.

def after_result(body):
    body.go_on(True)


def after_test(body):
    body.look_for_branch()
    body.go_on(True)


def after_constant(body):
    if body.stack[:-1]:
        body.look("I32_ADD", after_result)
    body.go_on(True)


def after_operand(body):
    """Behind local.get, local.tee."""
    body.look("LOCAL_GET", lambda other: other.go_on(False))
    body.look("I32_CONST", after_constant)
    body.go_on(False)


class Ahead:
    """Adds the handlers to the generator's: variant AHEAD, and PLAIN where they branch, which does not count."""

    def __init__(self, generator):
        self.generator = generator
        for state in "EIFJ":
            for variant in ("AHEAD", "AHEAD_LONG"):
                self.add("I32_CONST:1", state, after_constant, variant)
                self.add("I64_CONST:1", state, after_result, variant)
            self.add("LOCAL_GET:1", state, after_operand)
        for state in "IFJ":
            self.add("LOCAL_SET:1", state, after_result)
            self.add("LOCAL_TEE:1", state, after_operand)
        for name in ("SELECT", "DROP"):
            self.add(name, "J", after_result)
        for op in generator.ops:
            if op.prefix == 0 and op.id in generator.numeric:
                for state in "IFJ":
                    self.add(op.id, state, after_result)
                    if generator.is_test(op):
                        self.add(op.id, state, after_test, "PLAIN")
        for name in generator.scalar_access:
            for state in "IFJ":
                self.add(name + ":1", state, after_result)

    def add(self, text, state, then, variant="AHEAD"):
        """The handler of an atom in a state, if an operand can be there at all."""
        atom = Atom(text, self.generator)
        body = AheadBody(atom.name, state, self.generator)
        own = self.generator.handlers.get((atom.name, state, ""), "h_FLUSH_J" if state == "J" else None)
        if own is None:
            return
        if variant == "AHEAD_LONG":
            body.long_constant(atom)
        else:
            self.leave_long(body, atom, state, own)
            try:
                body.step(atom)
            except Unsuitable:
                return
        then(body)
        name = "h_%s_%s_%s" % (atom.name, state, variant)
        self.generator.handlers[atom.name, state, variant] = name
        self.generator.out.append("HANDLER_AS(%s, %s, %s) {\n%s}\n" % (atom.name, state, variant, body.text()))

    @staticmethod
    def leave_long(body, atom, state, own):
        """Immediates of more than one byte."""
        if atom.is_access:
            body.emit("if (UNLIKELY(le16_load(pc + 1) & 0x80C0)) JUMP(%s);" % own)
        elif atom.length:
            other = "h_%s_%s_AHEAD_LONG" % (atom.name, state) if atom.name in CONSTANTS else own
            body.emit("if (UNLIKELY(pc[1] & 0x80)) JUMP(%s);" % other)
