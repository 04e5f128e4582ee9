"""One handler under construction: a symbolic operand stack and the statements so far."""

CTYPE = {"i": "u32", "I": "u64", "f": "f32", "F": "f64", "v": "v128"}
RESULT_STATE = {"i": "I", "I": "I", "f": "F", "F": "F", "v": "V"}
LETTER = {"u32": "i", "u64": "I", "f32": "f", "f64": "F", "v128": "v"}


class Text(str):
    """A finished body; `end` is the cache state in which it ends."""


class Body:
    """One handler under construction: a symbolic operand stack and the statements so far."""

    def __init__(self, state):
        self.lines, self.stack, self.depth, self.temps = [], [], 0, 0
        self.cached = {"E": None, "I": "I", "F": "F", "V": "V"}[state]

    def emit(self, line):
        self.lines.append(line)

    def temp(self, ctype, expression):
        self.temps += 1
        self.emit("%s t%d = %s;" % (ctype, self.temps, expression))
        return "t%d" % self.temps

    def push(self, letter, expression):
        self.stack.append((letter, expression))

    def spill(self):
        """Writes the cached operand to memory, because something is pushed above it."""
        if self.cached:
            self.emit("SPILL_%s(%d);" % (self.cached, -self.depth))
            self.depth -= 2 if self.cached == "V" else 1
            self.cached = None

    def pop(self, letter):
        """The topmost operand as a C expression of the letter's type."""
        if self.stack:
            have, expression = self.stack.pop()
            assert have == letter
            return expression
        if self.cached:
            cached, self.cached = self.cached, None
            return "CACHED_%s_%s" % (cached, letter)
        self.depth += 2 if letter == "v" else 1
        return "SLOT_%s(sp[%d])" % (letter, -self.depth)

    def finish(self, length):
        """Puts results in place, moves sp and pc, dispatches the next instruction."""
        if self.stack and self.cached:
            self.spill()
        position = -self.depth
        for letter, expression in self.stack[:-1]:
            self.emit("STORE_%s(sp[%d], %s);" % (letter, position, expression))
            position += 2 if letter == "v" else 1
        state = self.cached or "E"
        if self.stack:
            letter, expression = self.stack[-1]
            state = RESULT_STATE[letter]
            self.emit("SET_%s(%s);" % (letter, expression))
        if position:
            self.emit("sp += %d;" % position)
        self.emit("pc += %s;" % length)
        self.emit("NEXT(%s);" % state)
        text = Text("".join("    %s\n" % line for line in self.lines))
        text.end = state
        return text
