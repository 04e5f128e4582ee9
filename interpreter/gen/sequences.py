#!/usr/bin/env python3
"""Which instruction sequences get a handler of their own (superinstructions).

A sequence is a tuple of atoms. An atom is an instruction's OP_ id; behind it stands the length in bytes of
its LEB128 immediate (of a memory access: of the offset; the alignment takes one byte; of br_table: of the
count; of call_indirect: of both indices): LOCAL_GET:1, I32_CONST:3, I32_LOAD:1, BR_IF:1, IF, I32_ADD.

The sequences come from templates, not from counts: each row of TEMPLATES is a shape that compilers write,
for all types and operators for which it makes sense. tests/bench/tiles.py tells what a row is worth.

usage: sequences.py     prints the number of sequences and handlers of each row
"""
import itertools
import re

# A row: * if it is also for dispatches that cannot have all (dispatch.h: goto, switch), as tests/bench/tiles.py --best
# chose it; the types it is for, then words. A word is a list of alternatives separated by |, with ? at its
# end if it may be missing; a+b is one alternative of two instructions. An alternative is
#   get set tee get2 set2 tee2     locals with an index of one byte, of two
#   c1 c2 ... c12 ...              constants of the row's type, of 1, of 2, of 1 or 2 bytes
#   add shl eq ...                 operators of the row's type
#   i32.add i64.load:1 call:5 ...  any instruction, with the length of its immediate
#   a name of GROUPS
GROUPS = {
    "arith": "add|sub|mul|and|or|xor|shl|shr_s|shr_u",
    "common": "add|sub|and|or|xor|shl|shr_u",
    "order": "eq|ne|lt_s|lt_u|gt_s|gt_u|le_s|le_u|ge_s|ge_u",
    "order0": "eq|ne|lt_s|lt_u|gt_s|gt_u",
    "farith": "add|sub|mul|div",
    "fma": "add|sub|mul",
    "keep": "set|tee",
    "jump": "br_if:1|if",
    "jump0": "br_if:1|if|i32.eqz+br_if:1|i32.eqz+if",
    "noop": "end|block|loop",
    "i32load": "i32.load:1|i32.load8_u:1|i32.load8_s:1|i32.load16_u:1|i32.load16_s:1",
    "i32load3": "i32.load:1|i32.load8_u:1|i32.load16_u:1",
    "i64load": "i64.load:1|i64.load32_u:1|i64.load32_s:1|i64.load8_u:1|i64.load16_u:1",
    "fload": "f32.load:1|f64.load:1",
    "load": "i32load|i64load|fload",
    "wload": "i32.load:1|i64.load:1|f32.load:1|f64.load:1",
    "load_2": "i32.load:2|i32.load8_u:2|i32.load8_s:2|i32.load16_u:2|i32.load16_s:2|i64.load:2|f32.load:2|f64.load:2",
    "load_5": "i32.load:5|i32.load8_u:5|i64.load:5|f64.load:5",
    "i32store": "i32.store:1|i32.store8:1|i32.store16:1",
    "store": "i32store|i64.store:1|i64.store32:1|f32.store:1|f64.store:1",
    "store_2": "i32.store:2|i32.store8:2|i32.store16:2|i64.store:2|f32.store:2|f64.store:2",
    "store_5": "i32.store:5|i32.store8:5|i64.store:5|f64.store:5",
    "call": "call:1|call:2|call:5",
    "indirect": "call_indirect:2|call_indirect:10",
    "gget": "global.get:1|global.get:5",
    "gset": "global.set:1|global.set:5",
    "wide": "i64.extend_i32_u|i64.extend_i32_s",
    "tofloat": "convert_i32_s|convert_i32_u|convert_i64_s",
}

TEMPLATES = """
# One operator on locals and constants, the result perhaps to a local.
* i32 i64: get|get+get arith keep?
* i32: get? c12 arith keep?
* i32: get? c5 add|and|or|xor|mul keep?
* i64: get? c12 arith set?
i32 i64: get? c34 add|and|mul set?
* i64: get? c5 add|and|mul set?
* i32 i64: arith set|tee
* i64: i64.const:9|i64.const:10 mul|add|xor|and set|tee?
* i32 i64: get? c1 rotl keep?
* i32: get get get|c1|c2 common
* i64: get get get|c1 add
* i32 i64: get get get|c12 add|sub tee

# The same in a line of statements.
* i32: common|c1+add|c1+and set get get?
* i32 i64: get c12 add set get c12 add set|tee?
i32 i64: get get add|sub set get get add|sub|xor set?
i32: get get add|and|or|shl set get get add|and set
i32: set c12 set get get common set?
i32 i64: set c12 set get get?
* i32 i64: c1 set c1 set
* i32: common|c1+common tee get|c1
* i64: add|xor|shr_u|and tee get|c1
* i32 i64: get c1 add get c1 add
i32 i64: get tee c12 add tee? set
* i32 i64: get c1 add tee set get|get+get?
i32: get get common c1

# Statements before the end of a block, a plain block or loop, or a branch.
* i32: get get|c1|c2? add|sub|and|or set br:1|end|block|loop
* i32: c125? set br:1|end|block|loop
* i64: c1 set br:1|end|block|loop
* i32: get set br:1|end|block|loop
* i32: set get set br:1|end|block|loop
i32: set c1 set block|loop
i32: set block loop
* i32: get i32load3|i64.load:1 set br:1|end|block|loop
* i32: i32store|i64.store:1|f64.store:1 br:1|end|block|loop
i32: get get i32store|i64.store:1|f64.store:1 br:1|end|block|loop
i32 i64: add|sub|mul|and|or|xor|shl|shr_u end
* i32: drop get|end|br:1

* i32: get set get set br:1|end|block|loop
i32: get c1 add set get c1 add set br:1|end|block|loop
i32: drop block

# Plain blocks before a statement, as where several branches leave for different places.
* i32: block block? get i32.eqz? br_if:1
* i32: block block? get c1|get order0 br_if:1
* i32 i64: block get c1 and eqz br_if:1
* i32: block get c1 and br_if:1
* i32: block get get|c1?
* i32: block get i32load3|i64.load:1|i32.load:2 set|tee?
* i32: block get i32load3 tee? i32.eqz? br_if:1
* i32: block get i32.load8_u:1 c1 and br_if:1
* i32: block get get order br_if:1
* i32: block get c1|c2|get add|sub|and set?
* i32: block c1 i32.load:5?
* i32: block block block? block? get?
* i32: block loop

# Two operators in a row.
i32: get? c1 common c1 common
i32: get? c1 common common
i32: common c12 common
* i32: common get common
i32: arith arith
i64: get? c1 shl|shr_u|and|add add|and|or|xor
i64: shl|shr_u|and|add|xor c1 add|and|or|xor|shr_u
i64: common|mul add|and|or|xor
i32 i64: get? c1 shl|shr_u|and|add get add|and|or|xor
i32: get add|sub|and|or|xor c1 shl|shr_u|and
* i32 i64: get? mul get? add|sub
i32 i64: get? c1 rotl add|xor|or
i32 i64: rotl|add get c1 rotl

# Comparison and branch.
* i32: get|get+get|tee+get? order jump
* i64: get|get+get? order jump
* i32: get|tee? c1 order jump
i32: get|tee? c2 order br_if:1
i64: get|tee? c12 order br_if:1
i32: get? c5 eq|ne jump
* i32 i64: get|tee|c1+and|get+c1+and? eqz jump
* i32: get|tee|c1+and|get+c1+and|set+get jump
* i32: and|add|or i32.eqz? br_if:1
i32 i64: add|sub|and tee get eq|ne|lt_u|lt_s br_if:1
* i32: get get c1 add tee eq|ne|lt_u|gt_u br_if:1

# Comparison as a value.
* i32: order set|tee|select|select+set|select+tee
i32: get|get+get order set|select?
i64: get|get+get order
* i32: get? c12 order select?
i64: get? c1 order
* i32 i64: get|tee eqz

# The end of a loop: a local is stepped and tested.
* i32: get c12 add tee get|c12 order br_if:1
* i32: get c12 add tee br_if:1
i64: get c1 add tee i64.eqz i32.eqz? br_if:1
* i32 i64: get c12 add set get br_if:1?
* i32: get c1 add set get c12 order0 br_if:1

# Moves.
* i32: get get get? get?
* i32: get set get? get?
i32: get set get set get? set?
* i32: set get|get+set|get+get|get+set+get|set
i32: set get set get set
* i32: tee get|get+get|set|set+get|set+get+get
* i32: get tee get|c1|c2?
* i32 i64: c1235 set|tee|set+get|set+get+get|get|end|return
* i32: get|set|tee|get+get c12345
* i64: get|tee|get+get c12345
* i32 i64: c125 c1 get?
* f32 f64: get|tee? const get?
* f32 f64: const set

# Locals with an index of two bytes, as unoptimised code has.
i32: get2|set2 get get?
i32: c12 set2 get2?
i32: common|order0 set2

# Loads.
* i32: get? load|load_2 keep?
i32: get i32load3|i64.load:1|f64.load:1 set get get?
i32: get i32load3|i64.load:1 set c12 set
i32: get i32.load:1 set get i32.load:1 set c12 set
* i32: get i32.load:1+get+i32.load:1|i64.load:1+get+i64.load:1|i32.load8_u:1+get+i32.load8_u:1
* i32: get? i32.load:1 tee get i32.load:1 tee? eq|ne|lt_u|gt_u br_if:1
i32: get i32.load:1|i32.load8_u:1 tee get order br_if:1
* i32: tee load
i32: i32.add|get+get+i32.add load keep?
i32: get? c125 i32.add load
* i32: c1 shl add|get+add wload? keep?
i32: get|get+get c1 shl add wload|i32.load16_u:1? keep?
* i32: get? c1 shl c5 add wload?
i32: c1 load_2|load_5 keep?
i32: get c1 load_5|i32.load:2
i32: c1 c1 load_5
* i32: get get load tee?
i32: get get i32.load:2|i64.load:2

# What was loaded is used.
i32: get? i32load3 c1 add|sub|and|shl
* i32: get? i32load tee? br_if:1|i32.eqz+br_if:1|if
* i32: get? i32.load:1|i32.load8_u:1 tee? c1 order0 br_if:1
i32: get? i32load3 order br_if:1
i32: get? i32.load:1|i32.load8_u:1 tee order0 br_if:1
i32: get? i32.load8_u:1 tee? get i32.load8_u:1 tee? eq|ne br_if:1
i32: get? i32.load:1 load
i32: get? i32.load:1 set get i32load keep?

# Stores.
i32: get|get+get store|store_2 get? get?
* i32: get get i32.store:1|i64.store:1 get get|c1 i32.store:1|i64.store:1 br:1?
i32: get get i32.store:1 get i32.load:1 set
* i32: i32.store:1|i64.store:1 get get|c1 i32.store:1|i64.store:1
* i32: get? c12 i32store|i32.store:2
i32: get? c5 i32.store:1
* i64: get? c1235 i64.store:1|i64.store:2
i32: c1 get|c1? store_5 get|c1?
i32: add|sub|and|or store_5
* i32: arith|c1+arith i32.store:1|i32.store8:1
i32: get c1 add|sub|and|or i32.store:1|i32.store8:1
* i32: get get c1 add|sub i32.store:1
* i32: get c12 add get|c1 i32.store:1|i32.store8:1
* i64: get i32.const:1+i32.add|i32.const:2+i32.add get|c1 i64.store:1
* i32: get add|sub|or|xor i32.store:1
i64: arith i64.store:1
* i32: store|i32.store:2|i64.store:2 get? get?
i32: tee i32.store:1|i64.store:1|i32.store:2 get? get?
* i32: get|get+get? i32.load:1+i32.store:1|i64.load:1+i64.store:1|i32.load8_u:1+i32.store8:1|i64.load:2+i64.store:1|f64.load:1+f64.store:1
i32: get? c12 add i64.load:1+i64.store:1|i32.load:1+i32.store:1
* i32: get c1 add get c1 add i64.load:1+i64.store:1|i32.load:1+i32.store:1
i32: get|get+get? i32.load:1 c1 add|sub|or|and i32.store:1
i64: get|get+get? i64.load:1 c1 add|sub i64.store:1

# Calls and returns.
* i32: get|get+get|get+get+get|get+c1|get+get+c1|get+c1+add|add|c1+add|tee|set+get|c1|c2|c5|get+i32.load:1|i32.load:1 call
* i32: get+c2+add|get+get+c1+add|get+c1+add+get+get|get+get+get+get|c1+get|get+c5 call
* i32: get|i32.load:1|i32.load:1+i32.load:1|get+i32.load:1 call_indirect
i32: get|i32.load8_u:1|get+i32.load8_u:1|c1+sub|get+c1+sub|get+c1+and br_table
i32: get|i32.load:1|get+i32.load:1 end|return

# The stack pointer and other globals.
i32: gget c123 sub set|tee|tee+global.set:1|tee+global.set:5?
i32: get c12 add gset get
i32: i32.wrap_i64 i32.load:1 le_u if
i32: get c1 sub tee global.set:1 get i64.const:5 i64.store:1
i32: get c123 sub|add tee? gset
i32: get|tee gset get?
i32: gget get|set|tee|gget
i32: global.get:5 set c12 set get get sub set
* i32: get gget

# Changes of width, mostly in addresses.
* i32: get|i32.load:1|get+i32.load:1? wide keep?
* i32: get|i64.add|i64.const:1+i64.add|i64.const:2+i64.add|get+i64.const:1+i64.add|i64.shr_u|i64.const:1+i64.shr_u|get+i64.const:1+i64.shr_u? i32.wrap_i64 keep?
i64: get i64.extend_i32_u c12 add? i32.wrap_i64?
i64: get i64.extend_i32_u c12 add i32.wrap_i64 i64.load:1|get+i64.store:1|i64.const:1+i64.store:1
i32: get? i32.wrap_i64 load|i64.load:2 set?
i32: get|i64.const:1+i64.add|i64.const:2+i64.add? i32.wrap_i64 get|i64.const:1 i64.store:1
i64: wide add|sub|and|or|shl|mul
i32: get? i32.extend8_s|i32.extend16_s keep?

# Select.
* i32: get|get+get|get+get+get? select keep?
i32: get get get get order select

# Floats.
f32 f64: get|get+get fma keep?
f32 f64: farith set|tee|end
* f64: get|get+get? fma fma
f32: mul get add|sub tee?
f64: fma get fma tee?
f32 f64: add|sub|mul tee get add|sub|mul
f32 f64: fma set get get?
f32: get? f32.load:1|f32.load:2 fma
* f64: get? f64.load:1|f64.load:2 fma
* f64: get? f64.load:1 get fma
f64: get? f64.load:1 get f64.load:1 fma
f32: get? f32.load:1 get? f32.load:1? mul add|sub
f32: get? fma f32.store:1|f32.store:2
f64: get? fma f64.store:1|f64.store:2
* f32: i32.const:1+i32.add|i32.const:2+i32.add|get+i32.const:2+i32.add f32.load:1 get|mul|mul+add
* f64: i32.const:1+i32.add|i32.const:2+i32.add|get+i32.const:2+i32.add f64.load:1 get|mul|mul+add
* f32 f64: get? const farith
f32 f64: get|get+get|const|get+const? lt|gt|le|ge br_if:1
"""

LOCALS = {"get": "LOCAL_GET:1", "set": "LOCAL_SET:1", "tee": "LOCAL_TEE:1",
          "get2": "LOCAL_GET:2", "set2": "LOCAL_SET:2", "tee2": "LOCAL_TEE:2"}
CONTROL = ("if", "select", "end", "return", "drop", "block", "loop", "call_indirect", "br_table")
UNARY = ("I32_EQZ I64_EQZ I32_WRAP_I64 I64_EXTEND_I32_S I64_EXTEND_I32_U I32_EXTEND8_S I32_EXTEND16_S "
         "I64_EXTEND32_S F64_CONVERT_I32_S F64_CONVERT_I32_U F64_CONVERT_I64_S F64_PROMOTE_F32 F32_DEMOTE_F64 "
         "F64_NEG F32_NEG F64_ABS F32_ABS F64_SQRT F32_SQRT I32_CLZ I32_CTZ I32_POPCNT I64_CLZ I64_CTZ").split()


# ---- templates into sequences ----

def atoms(name, prefix):
    """The alternatives that a name stands for in a row of type `prefix` (I32, ...): tuples of atoms."""
    if name in LOCALS:
        return [(LOCALS[name],)]
    if re.fullmatch(r"c\d+", name):
        return [("%s_CONST:%s" % (prefix, n),) for n in name[1:]]
    if name in GROUPS:
        return [a for part in GROUPS[name].split("|") for a in alternative(part, prefix)]
    if name in CONTROL or "." in name or ":" in name:
        return [(name.upper().replace(".", "_"),)]
    return [(prefix + "_" + name.upper(),)]


def alternative(text, prefix):
    parts = [atoms(name, prefix) for name in text.split("+")]
    return [tuple(itertools.chain(*choice)) for choice in itertools.product(*parts)]


def word(text, prefix):
    found = [()] if text.endswith("?") else []
    for part in text.rstrip("?").split("|"):
        found += alternative(part, prefix)
    return found


def expand(row):
    """The sequences of a row."""
    types, pattern = row.split(":", 1)
    for prefix in types.upper().split():
        words = [word(text, prefix) for text in pattern.split()]
        for choice in itertools.product(*words):
            sequence = tuple(itertools.chain(*choice))
            if len(sequence) > 1:
                yield sequence


def rows(marked=False):
    """All rows, or the marked ones; without their marks."""
    lines = [line.strip() for line in TEMPLATES.splitlines() if line.strip() and not line.startswith("#")]
    return [line.lstrip("* ") for line in lines if line.startswith("*") or not marked]


def sequences(marked=False):
    """All sequences, each once; of all rows or of those marked."""
    seen = set()
    for row in rows(marked):
        for sequence in expand(row):
            if sequence not in seen:
                seen.add(sequence)
                yield sequence


# ---- where a sequence can start ----

def stack_effect(atom):
    """(operands popped, results pushed) of the instructions used here."""
    name = atom.partition(":")[0]
    if name in ("LOCAL_GET", "GLOBAL_GET") or name.endswith("_CONST"):
        return 0, 1
    if name in ("LOCAL_SET", "GLOBAL_SET", "DROP", "BR_IF", "IF", "BR_TABLE", "CALL_INDIRECT"):
        return 1, 0
    if name in ("CALL", "BR", "END", "RETURN", "LOOP", "BLOCK"):
        return 0, 0
    if "STORE" in name:
        return 2, 0
    if name == "SELECT":
        return 3, 1
    one = "LOAD" in name or name in UNARY or name == "LOCAL_TEE"
    return (1 if one else 2), 1


def states(sequence):
    """The cache states in which a handler is worth having, as letters of EIF. Operands are in memory only
    where a branch ended: what takes one first wants a register. What begins and ends with an
    empty stack is a statement, and those follow each other in state E."""
    depth = 0
    taker = None  # the first instruction that takes an operand from before the sequence
    for atom in sequence:
        pops, pushes = stack_effect(atom)
        if depth - pops < 0 and taker is None:
            taker = atom
        depth = max(depth - pops, 0) + pushes
    if taker is None:
        floats = any(atom[0] == "F" for atom in sequence[:3])
        return "E" if depth == 0 else "EIF" if floats else "EI"
    if taker[0] == "F" and "LOAD" not in taker:
        return "IF"
    if taker[:9] == "LOCAL_SET" and len(sequence) <= 3:
        return "IF"
    return "I"


def main():
    seen, handlers = set(), 0
    for row in rows():
        new = set(expand(row)) - seen
        seen |= new
        count = sum(len(states(s)) for s in new)
        handlers += count
        print("%5d sequences %5d handlers  %s" % (len(new), count, row))
    print("%5d sequences %5d handlers" % (len(seen), handlers))


if __name__ == "__main__":
    main()
