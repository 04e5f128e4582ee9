#!/usr/bin/env python3
"""Tells what the superinstructions of interpreter/gen/sequences.py are worth on given modules.

usage: tiles.py [OPTION...] MODULE[=PROFILE]...

Cuts every function into tiles in the cheapest way, as the interpreter does for warm functions
(interpreter/tiling.c), and prints for each module the dispatches and the cost of an instruction:
a tile costs 1, each of its instructions 0.15, and 0.15 if it has to write the cached operand to
memory first. Without superinstructions every instruction would be a tile.

How often code runs is read from PROFILE: for each byte of the module the number of times that the
instruction starting there ran, as 64-bit little-endian integers. Without one it is guessed: eight
times as often in a loop as outside of it.

  --rows      what each row of templates is worth: handlers, and by how much the cost (geometric mean
              over the modules, in 1/10000) grows without the row
  --best N    the rows that together are worth most with at most N handlers, the best first: for dispatches
              that cannot have all (the rows marked `*`); the handlers and the cost so far before each
  --pairs N   the N heaviest pairs of tiles that follow each other: candidates for new templates

Choose by some programs and judge by others: hot loops of small programs make any sequence look good.
"""

import argparse
import array
import collections
import heapq
import itertools
import math
import pathlib
import re
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(TOP / "interpreter" / "gen"))
import sequences  # noqa: E402

PER_TILE, PER_INSTRUCTION, PER_SPILL = 1.0, 0.15, 0.15
LOOP_WEIGHT, DEEPEST = 8, 4
COVERAGE = 0.995  # of a profile: the rest is a long tail of cold code

# After these the operands are in memory, but for the result of a call.
ENDS = set(
    "END LOOP ELSE TRY TRY_TABLE CATCH CATCH_ALL DELEGATE THROW THROW_REF RETHROW BR BR_IF IF BR_TABLE "
    "BR_ON_NULL BR_ON_NON_NULL BR_ON_CAST BR_ON_CAST_FAIL RETURN UNREACHABLE CALL CALL_INDIRECT CALL_REF "
    "RETURN_CALL RETURN_CALL_INDIRECT RETURN_CALL_REF".split()
)
OPENS = {"BLOCK", "LOOP", "IF", "TRY", "TRY_TABLE"}
STATE_OF = {"i": "I", "I": "I", "a": "I", "f": "F", "F": "F", "v": "V"}


# --- reading modules -----------------------------------------------------------------------------


def read_ops():
    """(prefix, code) -> (id, kind of immediates); id -> signature."""
    ops, signatures = {}, {}
    row = r'OP\((\w+),\s*(0x\w+),\s*(0x\w+),\s*"[^"]*",\s*(\w+),\s*"([^"]*)"'
    for match in re.finditer(row, (TOP / "runtime" / "opcodes.def").read_text(encoding="utf-8")):
        ops[int(match[2], 16), int(match[3], 16)] = match[1], match[4]
        signatures[match[1]] = match[5]
    return ops, signatures


OPS, SIGNATURES = read_ops()

# Kind of immediates -> what they consist of: n = LEB128 number, t = block or value type, 1 4 8 6 =
# bytes (6: sixteen), m = memarg, T = types, L = labels, C = catch clauses.
PARTS = {
    "NONE": "", "BLOCK": "t", "TRY_TABLE": "tC", "LABEL": "n", "BR_TABLE": "L", "FUNC": "n", "TYPE": "n",
    "TYPE_TABLE": "nn", "TYPE_FIELD": "nn", "TYPE_COUNT": "nn", "TYPE_DATA": "nn", "TYPE_ELEM": "nn",
    "TYPE_TYPE": "nn", "TAG": "n", "SELECT_TYPES": "T", "LOCAL": "n", "GLOBAL": "n", "TABLE": "n",
    "TABLE_TABLE": "nn", "ELEM": "n", "ELEM_TABLE": "nn", "MEMORY": "n", "MEMORY_MEMORY": "nn", "DATA": "n",
    "DATA_MEMORY": "nn", "MEMARG": "m", "MEMARG_LANE": "m1", "LANE": "1", "SHUFFLE": "6", "V128": "6",
    "I32": "n", "I64": "n", "F32": "4", "F64": "8", "HEAP_TYPE": "n", "BR_CAST": "1nnn", "ZERO": "1",
}
WITH_LENGTH = {"LABEL", "FUNC", "LOCAL", "GLOBAL", "I32", "I64"}
WITHOUT = {"NONE", "F32", "F64", "TYPE_TABLE", "BR_TABLE", "LANE", "SHUFFLE", "V128"}


def leb(code, at):
    value = shift = 0
    while True:
        byte = code[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def skip_number(code, at):
    return leb(code, at)[1]


def skip_type(code, at):
    return skip_number(code, at + 1 if code[at] in (0x63, 0x64) else at)


def skip_part(part, code, at):
    if part == "n":
        return skip_number(code, at)
    if part == "t":
        return skip_type(code, at)
    if part == "m":
        flags, at = leb(code, at)
        return skip_number(code, skip_number(code, at) if flags & 0x40 else at)
    if part in "TLC":
        count, at = leb(code, at)
        for _ in range(count + (part == "L")):
            if part == "C":
                at = skip_number(code, at + 1) if code[at] < 2 else at + 1
            at = skip_type(code, at) if part == "T" else skip_number(code, at)
        return at
    return at + {"1": 1, "4": 4, "8": 8, "6": 16}[part]


def instruction(code, at):
    """The atom of the instruction at `at`, and where the next one starts. Forms of which no handler knows the
    length end in ":x"."""
    opcode, immediate = code[at], at + 1
    if opcode >= 0xFB:
        number, immediate = leb(code, at + 1)
        name, kind = OPS[opcode, number]
    else:
        name, kind = OPS[0, opcode]
    end = immediate
    for part in PARTS[kind]:
        end = skip_part(part, code, end)
    if kind in WITH_LENGTH:
        return "%s:%d" % (name, end - immediate), end
    if kind == "MEMARG" and code[immediate] < 0x40:
        return "%s:%d" % (name, end - immediate - 1), end
    known = kind in WITHOUT or kind == "BLOCK" and end == immediate + 1
    return (name if known else name + ":x"), end


def bodies(module):
    """Start and end of every function body, at its local declarations."""
    at = 8
    while at < len(module):
        section = module[at]
        size, at = leb(module, at + 1)
        if section == 10:
            count, body = leb(module, at)
            for _ in range(count):
                length, body = leb(module, body)
                yield body, body + length
                body += length
        at += size


def read_sections(module, profile):
    """Sequences of atoms that control enters only at their start -> how often they run."""
    found = collections.Counter()
    for at, end in bodies(module):
        if profile is not None and not any(profile[at:end]):
            continue
        wide, loops, section, times = False, [], [], 0
        count, at = leb(module, at)
        for _ in range(count):
            at = skip_number(module, at)
            wide |= module[at] == 0x7B
            at = skip_type(module, at)
        while at < end:
            start = at
            atom, at = instruction(module, at)
            name = atom.partition(":")[0]
            if not section:
                depth = min(sum(loops), DEEPEST)
                times = LOOP_WEIGHT**depth if profile is None else profile[start]
            section.append(name + ":x" if wide and name.startswith("LOCAL_") else atom)
            if name in OPENS:
                loops.append(name == "LOOP")
            if name == "END" and loops:
                loops.pop()
            if name in ENDS:
                found[tuple(section)] += times
                section = []
    return heaviest(found)


def heaviest(found):
    """As fractions of all instructions that run."""
    total = sum(len(s) * n for s, n in found.items()) or 1
    kept, covered = {}, 0
    for section, times in sorted(found.items(), key=lambda x: -len(x[0]) * x[1]):
        if covered > COVERAGE * total:
            break
        kept[section] = times / total
        covered += len(section) * times
    return kept


# --- tiling --------------------------------------------------------------------------------------


def effect(atom):
    """(operands popped, states of what is pushed); None instead: the operands go to memory. T: what was
    popped."""
    name = atom.partition(":")[0]
    if name in ("BR_IF", "IF", "BR_TABLE", "CALL_INDIRECT"):
        return 1, None
    if name in ENDS:
        return 0, None
    if name in ("LOCAL_GET", "GLOBAL_GET"):
        return 0, "I"
    if name in ("LOCAL_SET", "GLOBAL_SET", "DROP"):
        return 1, ""
    if name == "LOCAL_TEE":
        return 1, "T"
    if name == "SELECT":
        return 3, "I"
    if name in ("BLOCK", "NOP"):
        return 0, ""
    params, arrow, results = SIGNATURES[name].partition(">")
    return (len(params), [STATE_OF[c] for c in results]) if arrow else (0, None)


def walk(sequence, state):
    """The state behind a tile that starts in `state`, and whether it writes the cached operand first."""
    cached, stack, spills = state if state != "E" else None, [], 0
    for atom in sequence:
        pops, pushes = effect(atom)
        taken = "I"
        for _ in range(pops):
            if stack:
                taken = stack.pop()
            elif cached:
                taken, cached = cached, None
        if cached and (pushes is None or pushes):
            spills, cached = 1, None
        if pushes is None:
            return "E", spills
        stack += [taken] if pushes == "T" else pushes
    return (stack[-1] if stack else cached or "E"), spills


class Tiles:
    """The sequences as a trie: node = {atom: node, None: (sequence, states)}."""

    def __init__(self, chosen):
        self.trie, self.handlers, self.walks = {}, 0, {}
        for sequence in chosen:
            node = self.trie
            for atom in sequence:
                node = node.setdefault(atom, {})
            if None not in node:
                node[None] = sequence, sequences.states(sequence)
                self.handlers += len(node[None][1])

    def at(self, section, i):
        """The tiles that match there, the single instruction first."""
        yield section[i : i + 1], "EIFV"
        node = self.trie.get(section[i])
        while node is not None:
            if None in node:
                yield node[None]
            i += 1
            node = node.get(section[i]) if i < len(section) else None

    def walk(self, sequence, state):
        key = sequence, state
        if key not in self.walks:
            self.walks[key] = walk(sequence, state)
        return self.walks[key]

    def cut(self, section):
        """The cheapest way: its cost and its tiles."""
        start = "I" if effect(section[0])[0] > 0 else "E"
        ways = [{} for _ in range(len(section) + 1)]
        ways[0][start] = 0.0, None
        for i in range(len(section)):
            for sequence, states in self.at(section, i) if ways[i] else ():
                for state, (cost, _) in ways[i].items():
                    if state not in states:
                        continue
                    end, spills = self.walk(sequence, state)
                    cost += PER_TILE + PER_INSTRUCTION * len(sequence) + PER_SPILL * spills
                    place = ways[i + len(sequence)]
                    if end not in place or place[end][0] > cost:
                        place[end] = cost, (i, state, sequence)
        cost, step = min(ways[-1].values(), key=lambda way: way[0])
        tiles = []
        while step:
            tiles.append(step[2])
            step = ways[step[0]][step[1]][1]
        return cost, tiles[::-1]


# --- reports -------------------------------------------------------------------------------------


def geomean(values):
    values = list(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def total(cuts, sections):
    """Dispatches and cost of an instruction."""
    dispatches = sum(times * len(cuts[s][1]) for s, times in sections.items())
    return dispatches, sum(times * cuts[s][0] for s, times in sections.items())


def report_rows(modules, cuts, before):
    rows = {row: set(sequences.expand(row)) for row in sequences.rows()}
    owners = collections.Counter(s for row in rows.values() for s in row)
    everything = set(owners)
    users = collections.defaultdict(set)
    for section, (_, tiles) in cuts.items():
        for sequence in tiles:
            users[sequence].add(section)
    print("handlers  worth  row")
    for row, members in rows.items():
        own = {s for s in members if owners[s] == 1}
        without = Tiles(everything - own)
        changed = {s: without.cut(s) for sequence in own for s in users[sequence]}
        after = [total({**cuts, **changed}, sections)[1] for sections in modules.values()]
        worth = 1e4 * (geomean(a / b for a, b in zip(after, before)) - 1)
        print("%8d %6.1f  %s" % (sum(len(sequences.states(s)) for s in own), worth, row))


def sections_with(modules, chosen):
    """Each of the sequences -> the sections in which it occurs."""
    tiles, found = Tiles(chosen), collections.defaultdict(set)
    for section in {s for sections in modules.values() for s in sections}:
        for i in range(len(section)):
            for sequence, _ in itertools.islice(tiles.at(section, i), 1, None):
                found[sequence].add(section)
    return found


def cost_with(modules, cuts, changed):
    return geomean(total({**cuts, **changed}, sections)[1] for sections in modules.values())


def report_best(modules, limit):
    """Greedy: always the row that saves most for each of its handlers. A row's saving seldom grows when others are
    there, so that what it last was bounds what it is now, nearly."""
    rows = {row: set(sequences.expand(row)) for row in sequences.rows()}
    where = sections_with(modules, set().union(*rows.values()))
    chosen, tiles = set(), Tiles([])
    cuts = {s: tiles.cut(s) for sections in modules.values() for s in sections}
    cost = cost_with(modules, cuts, {})
    promises = [(-math.inf, row) for row in rows]
    while promises:
        _, row = heapq.heappop(promises)
        tiles = Tiles(chosen | rows[row])
        handlers = tiles.handlers - Tiles(chosen).handlers
        changed = {s: tiles.cut(s) for sequence in rows[row] - chosen for s in where[sequence]}
        saved = (cost - cost_with(modules, cuts, changed)) / max(handlers, 1)
        if promises and -saved > promises[0][0]:
            heapq.heappush(promises, (-saved, row))
            continue
        if tiles.handlers > limit or saved <= 0:
            continue
        chosen |= rows[row]
        cuts.update(changed)
        cost = cost_with(modules, cuts, {})
        print("%8d %5.3f  %s" % (tiles.handlers, cost, row), flush=True)


def report_pairs(modules, cuts, count):
    pairs = collections.Counter()
    for sections in modules.values():
        for section, times in sections.items():
            tiles = cuts[section][1]
            for pair in zip(tiles, tiles[1:]):
                pairs[pair] += times / len(modules)
    for (first, second), weight in pairs.most_common(count):
        print("%.4f  %s | %s" % (weight, " ".join(first), " ".join(second)))


def load(argument):
    path, _, profile = argument.partition("=")
    counts = None
    if profile:
        counts = array.array("Q", pathlib.Path(profile).read_bytes())
        if sys.byteorder == "big":
            counts.byteswap()
    return read_sections(pathlib.Path(path).read_bytes(), counts)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0],
        epilog=__doc__.split("\n\n", 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rows", action="store_true", help="what each row of templates is worth")
    parser.add_argument("--best", type=int, metavar="N", help="the best rows of at most N handlers")
    parser.add_argument("--pairs", type=int, metavar="N", help="the N heaviest pairs of tiles")
    parser.add_argument("modules", nargs="+", metavar="MODULE[=PROFILE]")
    options = parser.parse_args()
    modules = {argument: load(argument) for argument in options.modules}
    tiles = Tiles(sequences.sequences())
    cuts = {s: tiles.cut(s) for sections in modules.values() for s in sections}
    totals = {name: total(cuts, sections) for name, sections in modules.items()}
    print("%d handlers\ndispatches  cost  of an instruction" % tiles.handlers)
    for name, (dispatches, cost) in totals.items():
        print("%10.3f %5.3f  %s" % (dispatches, cost, name.partition("=")[0]))
    dispatches, costs = zip(*totals.values())
    print("%10.3f %5.3f  geometric mean" % (geomean(dispatches), geomean(costs)))
    if options.rows:
        report_rows(modules, cuts, costs)
    if options.best:
        report_best(modules, options.best)
    if options.pairs:
        report_pairs(modules, cuts, options.pairs)


if __name__ == "__main__":
    main()
