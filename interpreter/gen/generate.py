#!/usr/bin/env python3
"""Generates the interpreter's handlers and dispatch tables.

usage: generate.py OUTDIR RUNTIME_DIR INTERPRETER_DIR PARTS

PARTS is the number of files over which tiles are spread where handlers are functions, 0 where all are in one
function (dispatch.h).

Reads the instruction table (opcodes.def), the meaning of numerics (numeric.def, numeric_simd.def) and memory
accesses (access.def), and the names of the handlers written by hand (HANDLER(...) in
handlers_*.h). Writes
  exec_gen.inc     a handler for each plain instruction in each cache state where it pays
  exec_decls.inc   DECLARE(name) for every handler
  exec_tables.inc  the dispatch tables: for each state and code the handler

How a handler is made: the instruction (later: a sequence of instructions) is run against a symbolic
operand stack. Cache states say where the topmost operand is: E = memory, I = register r0, F = the low
half of v0 (f32 and f64), V = all of v0 (v128). Operands below are in memory under sp. What an instruction
pushes becomes a C expression; at the end the topmost result goes to a register and the others to memory.
An instruction without a handler of its own in a state gets a flush handler there, which writes the
cached operand to memory and dispatches the same instruction again in state E.
"""
import os
import re
import sys

from body import Body, CTYPE, LETTER
from ends import Ends
from lookahead import Ahead
from sequences import sequences
from tiles import Tiles, offsets

STATES = "EIFV"
AHEAD_STATES = STATES + "J"  # of byte dispatch, see lookahead.py; behind a prefix J does not occur
PREFIX_BASE = {0x00: (0, 256), 0xFB: (256, 48), 0xFC: (304, 32), 0xFD: (336, 276), 0xFE: (612, 80)}
TABLE_SIZE = 692
J_SIZE = 256
BYTE_VARIANTS = {"PLAIN", "AHEAD", "AHEAD_LONG"}  # which only byte dispatch has


def rows(path, names):
    """Rows NAME(a, b, ...) of a .def file, split at top-level commas."""
    for line in open(path, encoding="utf-8"):
        match = re.match(r"(%s)\((.*)\)\s*$" % "|".join(names), line)
        if match:
            yield match[1], split_arguments(match[2])


def split_arguments(text):
    parts, depth, quoted, current = [], 0, False, ""
    for char in text:
        if char == '"':
            quoted = not quoted
        if not quoted and char in "([{":
            depth += 1
        if not quoted and char in ")]}":
            depth -= 1
        if char == "," and depth == 0 and not quoted:
            parts.append(current.strip())
            current = ""
        else:
            current += char
    return parts + [current.strip()]


class Op:
    def __init__(self, args):
        self.id, self.prefix, self.code = args[0], int(args[1], 0), int(args[2], 0)
        self.imm, self.sig = args[4], args[5].strip('"')

    def index(self):
        base, size = PREFIX_BASE[self.prefix]
        assert self.code < size, self.id
        return base + self.code


class Generator:
    def __init__(self, runtime, interpreter, by_bytes):
        self.bytes = by_bytes  # whether handlers may look at the instruction behind theirs
        self.ends = {}       # (id, state, variant) -> the state in which the handler ends
        self.ops = [Op(a) for _, a in rows(os.path.join(runtime, "opcodes.def"), ["OP"])]
        self.by_id = {op.id: op for op in self.ops}
        self.out = []
        self.handlers = {}   # (id, state, variant) -> name; variant "" is the base
        kinds = ["UN", "BIN", "TER", "TRAP_UN", "TRAP_BIN", "LANE_UN", "LANE_BIN", "LANES_BIN"]
        self.numeric = {}
        for name in ("numeric.def", "numeric_simd.def"):
            path = os.path.join(runtime, name)
            for kind, args in rows(path, kinds):
                self.numeric[args[0]] = (kind, args)
        access = os.path.join(runtime, "access.def")
        self.access = list(rows(access, ["LOAD", "STORE"]))
        self.vector_access = list(rows(access, ["LOAD_V", "STORE_V", "LOAD_LANE", "STORE_LANE"]))
        self.scalar_access = {a[0]: (kind == "LOAD", a[1], LETTER[a[2]]) for kind, a in self.access}
        self.vector_kind = {a[0]: (kind, a[1], a[2]) for kind, a in self.vector_access}
        self.read_handwritten(interpreter)

    def read_handwritten(self, directory):
        """HANDLER(id, state) in handlers_*.h; HANDLER_AS(id, state, variant) for variants."""
        for name in sorted(os.listdir(directory)):
            if not re.match(r"handlers_\w+\.h$", name):
                continue
            text = open(os.path.join(directory, name), encoding="utf-8").read()
            for match in re.finditer(r"\bHANDLER\((\w+),\s+(\w)\)", text, re.M):
                self.handlers[match[1], match[2], ""] = "h_%s_%s" % (match[1], match[2])
            for match in re.finditer(r"\bHANDLER_AS\((\w+),\s+(\w),\s+(\w+)\)", text, re.M):
                self.handlers[match[1], match[2], match[3]] = "h_%s_%s_%s" % match.groups()
            for match in re.finditer(r"\bJUMP_HANDLER\((\w+),\s+(\w)\)", text, re.M):
                self.handlers[match[1], match[2], ""] = "h_%s_%s" % (match[1], match[2])
                for variant in ("POLLED", "PLAIN"):
                    self.handlers[match[1], match[2], variant] = "h_%s_%s_%s" % (match[1], match[2], variant)

    def handler(self, op_id, state, text, variant="", seldom=False):
        suffix = "_" + variant if variant else ""
        name = "h_%s_%s%s" % (op_id, state, suffix)
        self.handlers[op_id, state, variant] = name
        self.ends[op_id, state, variant] = text.end
        macro = "HANDLER_AS(%s, %s, %s)" % (op_id, state, variant) if variant else "HANDLER(%s, %s)" % (op_id, state)
        self.out.append("%s%s {\n%s}\n" % ("SELDOM " if seldom else "", macro, text))

    # Which states deserve a handler: those in which the operand can be found there at all.
    @staticmethod
    def states_for(top):
        if top is None:
            return "EIFV"
        return {"i": "EI", "I": "EI", "f": "EIF", "F": "EIF", "v": "EV"}[top]

    def numerics(self):
        for op in self.ops:
            if op.id not in self.numeric or self.is_tile(op):
                continue
            kind, args = self.numeric[op.id]
            params = op.sig.split(">")[0]
            result = op.sig.split(">")[1]
            assert [CTYPE[p] for p in params] == args[2:2 + len(params)], op.id
            assert CTYPE[result] == args[1], op.id
            for state in self.states_for(params[-1]):
                self.handler(op.id, state, self.numeric_body(op, kind, params, result, state))

    def is_tile(self, op):
        """Numerics behind a prefix are tiles in shadow dispatch, and nothing else."""
        return not self.bytes and op.prefix != 0 and op.id in self.numeric

    @staticmethod
    def is_test(op):
        """Comparisons, which a br_if mostly follows."""
        return op.prefix == 0 and 0x45 <= op.code <= 0x66

    def numeric_body(self, op, kind, params, result, state):
        body = Body(state)
        operands = [body.temp(CTYPE[p], body.pop(p)) for p in reversed(params)][::-1]
        if kind.startswith("TRAP"):
            body.emit("%s out = 0;" % CTYPE[result])
            body.emit("wr_trap_code_t trap = num_%s(%s, &out);" % (op.id, ", ".join(operands)))
            body.emit("if (UNLIKELY(trap != WR_TRAP_NONE)) TRAP(trap);")
            body.push(result, "out")
        else:
            immediate = {"LANE": ["pc[1]"], "LANES": ["pc + 1"]}.get(kind.split("_")[0], [])
            body.push(result, "num_%s(%s)" % (op.id, ", ".join(operands + immediate)))
        return body.finish({"LANE": 2, "LANES": 17}.get(kind.split("_")[0], 1))

    def constants(self):
        for op_id, letter, read in (("I32_CONST", "i", "LEB"), ("I64_CONST", "I", "LEB"),
                                    ("F32_CONST", "f", "f32_of_bits(le32_load(pc + 1))"),
                                    ("F64_CONST", "F", "f64_of_bits(le64_load(pc + 1))"),
                                    ("V128_CONST", "v", "v128_load(pc + 1)")):
            states = "EV" if letter == "v" else "EIFV"
            for state in states:
                body = Body(state)
                if read == "LEB":
                    body.emit("READ_CONSTANT(value, %d, %s, h_%s_LONG_E);" % (32 if letter == "i" else 64, state, op_id))
                    value, length = "value", "2"
                else:
                    value = body.temp(CTYPE[letter], read)
                    length = {"f": "5", "F": "9", "v": "17"}[letter]
                body.spill()
                body.push(letter, value)
                self.handler(op_id, state, body.finish(length))

    def locals(self):
        for state in STATES:
            body = Body(state)
            body.emit("READ_LOCAL(index, next, %s, h_LOCAL_GET_LONG_E);" % state)
            value = body.temp("u64", "fp[index].u64")
            body.spill()
            body.push("I", value)
            self.handler("LOCAL_GET", state, body.finish("next - pc"))
        for state in "EIF":
            letter = {"E": "I", "I": "I", "F": "F"}[state]
            for op_id in ("LOCAL_SET", "LOCAL_TEE"):
                body = Body(state)
                body.emit("READ_LOCAL(index, next, %s, h_%s_LONG_E);" % (state, op_id))
                value = body.temp(CTYPE[letter], body.pop(letter))
                body.emit("STORE_%s(fp[index], %s);" % (letter, value))
                if op_id == "LOCAL_TEE":
                    body.push(letter, value)
                self.handler(op_id, state, body.finish("next - pc"))

    def drop(self):
        for state in "EIF":
            body = Body(state)
            body.pop("F" if state == "F" else "I")
            self.handler("DROP", state, body.finish(1))

    def memory(self):
        """Scalar accesses: GUARD (base) and CHECK fast paths, and one that handles every memarg."""
        for kind, (op_id, mtype, otype) in self.access:
            op, letter = self.by_id[op_id], LETTER[otype]
            load = kind == "LOAD"
            size = int(re.sub(r"\D", "", mtype)) // 8
            for state in self.states_for("i" if load else letter):
                for variant in ("", "CHECK"):
                    self.handler(op_id, state, self.access_body(op_id, load, mtype, letter, size, state, variant), variant)
            self.handler(op_id, "E", self.any_access_body(load, mtype, letter, size), "MEM64")
            for state in "IFV":
                self.handlers[op_id, state, "MEM64"] = "h_FLUSH_%s" % state

    def convert_load(self, body, mtype, letter, pointer):
        """The operand from memory; floats travel as bits so that NaNs stay as they are."""
        unsigned = mtype.replace("i", "u")
        raw = body.temp(unsigned, "MEMORY_LOAD_%s(%s)" % (unsigned, pointer))
        if letter == "f":
            return "f32_of_bits(%s)" % raw
        if letter == "F":
            return "f64_of_bits(%s)" % raw
        if mtype.startswith("i"):
            return "(%s)(%s)(%s)%s" % (CTYPE[letter], CTYPE[letter].replace("u", "i"), mtype, raw)
        return "(%s)%s" % (CTYPE[letter], raw)

    def convert_store(self, mtype, letter, value):
        if letter == "f":
            return "bits_of_f32(%s)" % value
        if letter == "F":
            return "bits_of_f64(%s)" % value
        return "(%s)%s" % (mtype, value)

    def access_body(self, op_id, load, mtype, letter, size, state, variant):
        body = Body(state)
        body.emit("READ_MEMARG(offset, next, %s, h_%s_E_MEM64);" % (state, op_id))
        value = None if load else body.temp(CTYPE[letter], body.pop(letter))
        address = body.temp("u64", "(u64)%s + offset" % body.pop("i"))
        if variant == "CHECK":
            self.check_access(body, op_id, state, address, size)
        if load:
            body.emit("SAVE_PC_%s();" % (variant or "GUARD"))
            result = body.temp(CTYPE[letter], self.convert_load(body, mtype, letter, "mem + %s" % address))
            body.emit("ACCESSED_%s();" % (variant or "GUARD"))
            body.push(letter, result)
        else:
            body.emit("SAVE_PC_%s();" % (variant or "GUARD"))
            body.emit("MEMORY_STORE_%s(mem + %s, %s);" % (mtype, address, self.convert_store(mtype, letter, value)))
            body.emit("ACCESSED_%s();" % (variant or "GUARD"))
        return body.finish("next - pc")

    def check_access(self, body, op_id, state, address, size):
        """Against the cached size. Beyond it the general handler decides: a shared memory may have grown."""
        body.emit("if (UNLIKELY(%s + %s > inst->mem_size)) {" % (address, size))
        body.emit("    FLUSH_%s();" % state)
        body.emit("    JUMP(h_%s_E_MEM64);" % op_id)
        body.emit("}")

    def any_access_body(self, load, mtype, letter, size):
        body = Body("E")
        value = None if load else body.temp(CTYPE[letter], body.pop(letter))
        address = body.temp("u64", body.pop("I"))
        body.emit("const u8 *next;")
        body.emit("u8 *place = wr_interp_address(inst, pc, %s, %d, &next);" % (address, size))
        body.emit("if (UNLIKELY(place == NULL)) TRAP_MEMORY();")
        if load:
            body.push(letter, self.convert_load(body, mtype, letter, "place"))
        else:
            body.emit("MEMORY_STORE_%s(place, %s);" % (mtype, self.convert_store(mtype, letter, value)))
        return body.finish("next - pc")

    def vector_memory(self):
        """Accesses of v128 values, whole or one lane; the same variants as scalar ones have."""
        for kind, (op_id, size, expression) in self.vector_access:
            for state in self.states_for("i" if kind == "LOAD_V" else "v"):
                for variant in ("", "CHECK"):
                    text = self.vector_access_body(op_id, kind, size, expression, state, variant)
                    self.handler(op_id, state, text, variant)
            text = self.any_vector_access_body(kind, size, expression)
            self.handler(op_id, "E", text, "MEM64")
            for state in "IFV":
                self.handlers[op_id, state, "MEM64"] = "h_FLUSH_%s" % state

    def vector_access_body(self, op_id, kind, size, expression, state, variant):
        body = Body(state)
        body.emit("READ_MEMARG(offset, next, %s, h_%s_E_MEM64);" % (state, op_id))
        if kind != "LOAD_V":
            body.emit("v128 a = %s;" % body.pop("v"))
        address = body.temp("u64", "(u64)%s + offset" % body.pop("i"))
        if variant == "CHECK":
            self.check_access(body, op_id, state, address, size)
        body.emit("u8 *p = mem + %s;" % address)
        body.emit("SAVE_PC_%s();" % (variant or "GUARD"))
        self.access_vector(body, kind, expression)
        body.emit("ACCESSED_%s();" % (variant or "GUARD"))
        return body.finish("next - pc")

    def any_vector_access_body(self, kind, size, expression):
        body = Body("E")
        if kind != "LOAD_V":
            body.emit("v128 a = %s;" % body.pop("v"))
        address = body.temp("u64", body.pop("I"))
        body.emit("const u8 *next;")
        body.emit("u8 *p = wr_interp_address(inst, pc, %s, %s, &next);" % (address, size))
        body.emit("if (UNLIKELY(p == NULL)) TRAP_MEMORY();")
        self.access_vector(body, kind, expression)
        return body.finish("next - pc")

    def access_vector(self, body, kind, expression):
        if kind.endswith("LANE"):
            body.emit("u32 lane = *next++;")
        if kind.startswith("LOAD"):
            body.push("v", body.temp("v128", expression))
        else:
            body.emit("%s;" % expression)

    def atomics(self):
        """Atomic accesses (sequentially consistent); every memarg by the general path."""
        for op in self.ops:
            match = re.match(r"(I32|I64)_ATOMIC_(LOAD|STORE|RMW)(8|16|32)?_?(ADD|SUB|AND|OR|XOR|XCHG|CMPXCHG)?", op.id)
            if not match:
                continue
            letter, kind = {"I32": "i", "I64": "I"}[match[1]], match[4] or match[2]
            bits = int(match[3] or match[1][1:])
            self.handler(op.id, "E", self.atomic_body(letter, kind, bits), seldom=True)

    def atomic_body(self, letter, kind, bits):
        body = Body("E")
        count = {"LOAD": 0, "CMPXCHG": 2}.get(kind, 1)
        operands = [body.temp("u%d" % bits, "(u%d)%s" % (bits, body.pop(letter))) for _ in range(count)][::-1]
        address = body.temp("u64", body.pop("I"))
        body.emit("const u8 *next;")
        body.emit("u8 *place = wr_interp_address(inst, pc, %s, %d, &next);" % (address, bits // 8))
        body.emit("if (UNLIKELY(place == NULL)) TRAP_MEMORY();")
        body.emit("if (UNLIKELY((uintptr_t)place & %d)) TRAP(WR_TRAP_UNALIGNED_ATOMIC);" % (bits // 8 - 1))
        call = "ATOMIC_%s(u%d, %s)" % (kind, bits, ", ".join(["place"] + operands))
        if kind == "STORE":
            body.emit(call + ";")
        else:
            body.push(letter, body.temp(CTYPE[letter], call))
        return body.finish("next - pc")

    def wide_flushes(self):
        """In wide functions these work on memory only, where slots and not locals are counted."""
        for op_id in ("LOCAL_GET", "LOCAL_SET", "LOCAL_TEE", "DROP", "SELECT"):
            for state in "IFV":
                self.handlers.setdefault((op_id, state, "WIDE"), "h_FLUSH_%s" % state)

    def declarations(self, names):
        return "".join("DECLARE(%s)\n" % name for name in sorted(set(names)))

    def generate(self):
        self.out = []
        self.numerics()
        self.constants()
        self.locals()
        self.drop()
        self.memory()
        self.vector_memory()
        self.atomics()
        self.wide_flushes()
        if self.bytes:
            Ahead(self)
        return "/* Generated by gen/generate.py from the instruction table. */\n" + "\n".join(self.out)

    def entry(self, index, state, variant):
        """What stands in a table for a code: always something in the base's, elsewhere perhaps None for the same."""
        op = self.by_index.get(index)
        if op is None:
            return "h_INVALID_E" if not variant else None
        found = self.handlers.get((op.id, state, variant))
        ahead = self.handlers.get((op.id, state, "AHEAD"))
        if found and variant:
            return found
        if variant and not (ahead and self.needs_own(op, variant)):
            return None
        found = self.handlers.get((op.id, state, ""))
        if state == "E" and not found:
            sys.exit("generate.py: no handler for OP_%s" % op.id)
        return (not variant and ahead) or found or "h_FLUSH_%s" % state

    def needs_own(self, op, variant):
        """Whether the variant cannot have a handler that looks ahead."""
        is_access = op.id in self.scalar_access or op.id in self.vector_kind
        return variant in ("WIDE", "SINGLE") or (is_access and variant in ("CHECK", "MEM64"))

    @staticmethod
    def places():
        """What the entries of a table are for, in their order."""
        return [(state, index) for state in AHEAD_STATES for index in range(J_SIZE if state == "J" else TABLE_SIZE)]

    def tables(self):
        self.by_index = {op.index(): op for op in self.ops}
        for prefix in (0xFB, 0xFC, 0xFD, 0xFE):
            self.by_index[prefix] = Op(["PREFIX_%02X" % prefix, "0", hex(prefix), "", "NONE", '""'])
        self.by_index[0xFF] = Op(["EXIT", "0", "0xFF", "", "NONE", '""'])
        out = ["/* Generated by gen/generate.py: dispatch tables. */", "#define BASE_TABLE \\"]
        for state, index in self.places():
            out.append("    H(%s) \\" % self.entry(index, state, ""))
        out.append("")
        for variant in ("CHECK", "MEM64", "WIDE", "POLLED", "PLAIN", "SINGLE"):
            out.append("#define %s_ENTRIES \\" % variant)
            for place, (state, index) in enumerate(self.places()):
                name = self.entry(index, state, variant)
                if name and (state == "E" or variant != "SINGLE"):
                    out.append("    CHANGE(%d, %s) \\" % (place, name))
            out.append("")
        return "\n".join(out) + "\n"

    def constants_header(self):
        lines = ["#define DISPATCH_SIZE %d" % TABLE_SIZE, "#define DISPATCH_J_SIZE %d" % J_SIZE]
        lines += ["#define DISPATCH_%02X %d" % (p, PREFIX_BASE[p][0]) for p in (0xFB, 0xFC, 0xFD, 0xFE)]
        lines += ["#define DISPATCH_%02X_COUNT %d" % (p, PREFIX_BASE[p][1]) for p in (0xFB, 0xFC, 0xFD, 0xFE)]
        return "\n".join(lines) + "\n"


SHADOW_ONLY = {"BLOCK_END", "SKIP", "TO_BYTES", "RETURN_NONE", "RETURN_ONE", "BR_EXIT", "BR_IF_EXIT", "IF_EXIT",
               "BR_TABLE_EXIT", "PASS", "CALL_5", "CALL_INDIRECT_5", "LEAVE"}
BYTE_ONLY = {"END", "EXIT"}


class Shadow:
    """The handlers of shadow dispatch: those of single instructions, in every state, and the tiles.

    An instruction without a handler of its own in a state gets a wrapper there, which writes the
    cached operand to memory and goes on in the handler of state E; none where the operand cannot be in that
    state. What has no handler at all goes on by bytes."""

    def __init__(self, generator, interpreter, small):
        self.generator = generator
        self.out = [generator.generate()]
        ends = Ends(interpreter)
        self.handlers, self.ends = {}, {}
        for key, name in generator.handlers.items():
            if key[0] in BYTE_ONLY or key[0].startswith("PREFIX_") or key[2] in BYTE_VARIANTS:
                continue
            self.handlers[key] = name
            self.ends[key] = generator.ends.get(key) or self.written_end(ends, key)
        self.wrap()
        self.ids = {name: i for i, name in enumerate(sorted(set(self.handlers.values())))}
        self.tiles = Tiles(generator, sequences(small), len(self.ids))

    @staticmethod
    def written_end(ends, key):
        op, state, variant = key
        for text_key in ((op, state) if not variant else key, (op, state)):
            if text_key in ends.texts:
                found = ends.states(ends.texts[text_key])
                return ends.of(*text_key) if op not in ("RETURN", "BR_EXIT") and found & set("EIFV") else "E"
        return "E"  # a flush

    def wrap(self):
        for (op, state, variant), name in list(self.handlers.items()):
            if state != "E" or op in SHADOW_ONLY and op not in ("BR_EXIT", "BR_TABLE_EXIT", "CALL_5", "CALL_INDIRECT_5"):
                continue
            for other in "IFV":
                key = (op, other, variant)
                own = self.handlers.get(key)
                if own is not None and not own.startswith("h_FLUSH"):
                    continue
                if not self.occurs(op, other):
                    self.handlers.pop(key, None)
                    continue
                if own is None and variant not in ("", "WIDE") and not self.differs(op, other, variant):
                    continue
                suffix = "_" + variant if variant else ""
                self.handlers[key] = "h_%s_%s%s" % (op, other, suffix)
                self.ends[key] = self.ends[op, "E", variant]
                macro = "HANDLER_AS(%s, %s, %s)" if variant else "SELDOM HANDLER(%s, %s)"
                args = (op, other, variant) if variant else (op, other)
                self.out.append("%s {\n    FLUSH_%s();\n    JUMP(%s);\n}\n" % (macro % args, other, name))

    def occurs(self, op, state):
        """Whether the operand that the instruction takes first can be cached in that state. F and V tell the type."""
        params = self.generator.by_id[op].sig.split(">")[0] if op in self.generator.by_id else ""
        return not params or state in self.generator.states_for(params[-1].replace("a", "i"))

    def differs(self, op, state, variant):
        """Whether the variant's handler in state E is another than the base's, so that its wrapper is too."""
        return self.handlers[op, "E", variant] != self.handlers.get((op, "E", ""))

    def id_rows(self):
        """For every instruction and state: the id, and the state behind it; then what variants change."""
        rank = {"E": 0, "I": 1, "F": 2, "V": 3, "T": 5}
        out = ["/* Generated by gen/generate.py: the ids of single instructions. */",
               "static const Single singles[][4] = {"]
        for op in self.generator.ops:
            cells = []
            for state in STATES:
                key = (op.id, state, "")
                if key not in self.handlers:
                    key = ("TO_BYTES", state, "")
                cells.append("{%d, %d}" % (self.ids[self.handlers[key]], rank[self.ends[key]]))
            out.append("    {%s}, /* %s */" % (", ".join(cells), op.id))
        out.append("};")
        order = {op.id: i for i, op in enumerate(self.generator.ops)}
        for variant in ("CHECK", "MEM64", "WIDE"):
            out.append("static const SingleChange %s_singles[] = {" % variant.lower())
            for (op, state, own), name in self.handlers.items():
                if own == variant and op in order:
                    out.append("    {%d, %d, {%d, %d}}," % (
                        order[op], STATES.index(state), self.ids[name], rank[self.ends[op, state, own]]))
            out.append("};")
        out.append("enum {")
        for (op, state, variant), name in self.handlers.items():
            if op in SHADOW_ONLY and not variant:
                out.append("    ID_%s_%s = %d," % (op, state, self.ids[name]))
        out += ["};", "static const u16 polled_pairs[][2] = {"]
        for (op, state, variant), name in self.handlers.items():
            if variant == "POLLED":
                out.append("    {%d, %d}," % (self.ids[self.handlers[op, state, ""]], self.ids[name]))
        return "\n".join(out + ["};", ""])

    def fill(self):
        """How many handlers there are; where they are functions, a table of them."""
        names = ["wr_shadow_%s" % name for name in self.ids]
        table = offsets("wr_singles", names).replace("\n", " \\\n")
        counts = (len(names), self.tiles.end_id() - len(names))
        return "#define SINGLE_COUNT %du\n#define TILE_COUNT %du\n" % counts + "#define SINGLES_TABLE \\\n%s\n" % table + self.parts()

    def parts(self):
        """Where the tiles of each file are in the table."""
        counts = self.tiles.counts
        if not counts:
            return ""
        out = ["#define TILE_PARTS(X) \\"]
        for i, (first, count) in enumerate(counts):
            out.append("    X(%d, %d, %d)%s" % (i, first, count, " \\" if i + 1 < len(counts) else ""))
        return "\n".join(out) + "\n"


def write(path, text):
    with open(path, "w", encoding="utf-8") as out:
        out.write(text)


def main():
    outdir, runtime, interpreter, parts = sys.argv[1:4] + [int(sys.argv[4])]
    put = lambda name, text: write(os.path.join(outdir, name), text)
    generator = Generator(runtime, interpreter, True)
    put("exec_gen.inc", generator.generate())
    put("exec_decls.inc", generator.declarations(
        name for (op, _, _), name in generator.handlers.items() if op not in SHADOW_ONLY))
    put("exec_tables.inc", generator.tables())
    put("exec_sizes.inc", generator.constants_header())
    shadow = Shadow(Generator(runtime, interpreter, False), interpreter, parts == 0)
    put("shadow_gen.inc", "\n".join(shadow.out))
    put("shadow_decls.inc", shadow.generator.declarations(shadow.handlers.values()))
    put("shadow_ids.inc", shadow.id_rows() + shadow.tiles.trie())
    if parts:
        for i, text in enumerate(shadow.tiles.files(parts)):
            put("tiles_%d.c" % i, text)
    else:
        put("tiles.inc", shadow.tiles.text())
        put("shadow_tiles.inc", shadow.tiles.declarations())
    put("shadow_fill.inc", shadow.fill())


if __name__ == "__main__":
    main()
