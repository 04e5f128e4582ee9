#!/usr/bin/env python3
"""Measures wasmrun beside other WebAssembly engines and native code.

usage: run.py [OPTION...]        (or ./dev bench [OPTION...])

Compiles the programs of programs.txt to WebAssembly (clang, wasi-libc) and natively, runs each on
every engine found, checks that all print the same, and prints a table: seconds for the base engine,
for every other engine its time relative to the base, smaller being faster; then geometric means by
group of programs and by set (programs.txt says what `tuned` and `unseen` mean), with the worst
ratio behind `≤`. Where the first base cannot run a program, the next one is its base.

An engine is found by its environment variable (WASMRUN, WASM3, IWASM, TOYWASM, WIZENG, WASMI,
WASMTIME, NODE, BUN: a command, empty to leave the engine out), else on PATH; wasmrun is
build/release/wasmrun. Several builds or modes of wasmrun are compared by --ours. Engines that compile
ahead are measured when --engines names them: wasm2c with clang -O3 (WASM2C, WASM2C_CC, WASM2C_FILES),
wamr-aot (WAMRC, IWASM_AOT), wasmtime-aot (WASMTIME), wasmrun-artifact; they do so, into the build
folder, before anything is measured. On demand are, too: node-turbofan, which compiles all code by
V8's optimising compiler before it begins (that time counts), and native-cpu, the native program
compiled for this machine's processor.

Other sets than those of programs.txt are `coremark` and `polybench` (suites.py): --set coremark,polybench.

How it measures: the time of a run is the processor time, user and system, of the whole process, so
start-up and compilation count and other load on the machine matters less. Passes are interleaved:
each pass runs every engine on every program once, engines taking turns to be first. A ratio is the
median of the passes' ratios, and the smallest and the largest stand behind it. With --net the
time of each engine's hello world is taken off.

The exit status is 1 if wasmrun failed or printed something else than the native program (without
one, than most engines); other engines' failures are only reported.
"""

import argparse
import collections
import os
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile

import ahead
import engines as engines_module
import judge
import programs as programs_module
import report
import suites
from engines import NATIVE, NATIVE_CPU, TOP

Run = collections.namedtuple("Run", "seconds rss output error")


def fail(message):
    sys.exit(f"bench: {message}")


def command_for(program, name, command, prepared):
    """The whole command line, or None where the engine cannot run the program."""
    if name in ahead.KNOWN:
        command = prepared[program.name, name]
        return [*command, *program.args] if command else None
    if command is not None:
        return [*command, str(program.wasm), *program.args]
    native = program.native
    if native and name == NATIVE_CPU:
        native = programs_module.tuned_native(native)
    return [str(native), *program.args] if native and native.exists() else None


def run_once(command, program, options):
    """Runs a command to its end; a Run whose `error` is None if it exited with 0."""
    limit = options.timeout
    with (
        tempfile.TemporaryFile() as out,
        tempfile.TemporaryFile() as err,
        open(program.stdin or os.devnull, "rb") as stdin,
    ):
        process = subprocess.Popen(
            command,
            stdin=stdin,
            stdout=out,
            stderr=err,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (limit, limit)),
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        output = out.read().decode(errors="replace").splitlines()
        complaint = (err.read().decode(errors="replace").strip().splitlines() or [""])[0]
    for pattern in filter(None, (options.ignore, program.ignore)):
        output = [line for line in output if not re.search(pattern, line)]
    code = process.returncode
    error = None if code == 0 else f"exit status {code}: {complaint}"
    return Run(usage.ru_utime + usage.ru_stime, usage.ru_maxrss, output, error)


def measure(programs, engines, options):
    """All runs: (program name, engine name) -> list of Run. What failed is not run again."""
    runs = collections.defaultdict(list)
    names = list(engines)
    prepared = ahead.prepare_all(programs, engines, options.build_dir)
    for turn in range(options.passes):
        for number, program in enumerate(programs):
            if sys.stderr.isatty():
                print(f"\rpass {turn + 1} {program.name:<16}", end="", file=sys.stderr, flush=True)
            first = (turn + number) % len(names)
            for name in names[first:] + names[:first]:
                command = command_for(program, name, engines[name], prepared)
                done = runs[program.name, name]
                if command and not (done and done[-1].error):
                    done.append(run_once(command, program, options))
    if sys.stderr.isatty():
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return runs


START_UPS = 10  # runs of hello world: it is short


def start_ups(engines, options):
    """Engine name -> seconds that hello world takes, the median; engines that fail are left out."""
    entry = programs_module.Entry("hello", "tuned", "startup", [], "")
    hello = programs_module.build_guest(entry, options.build_dir)
    runs = measure([hello], engines, argparse.Namespace(**{**vars(options), "passes": START_UPS}))
    good = {name: [r.seconds for r in runs[hello.name, name] if not r.error] for name in engines}
    return {name: statistics.median(seconds) for name, seconds in good.items() if seconds}


def net_of(runs, taken_off):
    """The runs without start-up."""
    return collections.defaultdict(list, {
        (program, name): [run._replace(seconds=max(0, run.seconds - taken_off.get(name, 0))) for run in done]
        for (program, name), done in runs.items()
    })


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog=__doc__.split("\n\n", 2)[2].rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--passes", type=int, default=5, metavar="N", help="runs of each program and engine (5)")
    add("--scale", type=float, default=1, metavar="F", help="work, relative to about 1 s in wasm3")
    add("--set", default="all", metavar="NAME,...",
        help="programs of these sets: tuned, unseen, all (both), coremark, polybench")
    add("--level", choices="123s", default="2", help="of the programs' compilers: -O2 (the suites' is 3)")
    add("--net", action="store_true", help="take start-up off")
    add("--group", metavar="NAME,...", help="programs of these groups")
    add("--real", action="store_true", help="real programs, too (fetches their sources)")
    add("--only", metavar="NAME,...", help="these programs; empty for none but --module")
    add("--list", action="store_true", help="list the chosen programs and stop")
    add("--build", action="store_true",
        help="compile the chosen programs, also by those of --engines that compile ahead, and stop")
    add("--engines", metavar="NAME,...", help="these engines; they must be there")
    add("--ours", action="append", default=[], metavar="NAME=COMMAND",
        help="a build or mode of wasmrun, in place of build/release/wasmrun run")
    add("--add", action="append", default=[], metavar="NAME=COMMAND", help="one more engine")
    add("--base", metavar="NAME,...", help="what ratios refer to (wasm3,iwasm,native)")
    add("--module", action="append", default=[], metavar="NAME=FILE,ARG,...", help="one more; beside FILE.wasm may be FILE.native")
    add("--ignore", metavar="REGEX", help="output lines not to compare, such as times")
    add("--timeout", type=int, default=300, metavar="S", help="processor time for one run (300)")
    add("--json", type=pathlib.Path, metavar="FILE", help="write all figures there")
    add("--svg", type=pathlib.Path, metavar="FILE", help="draw the ratios there")
    add("--build-dir", type=pathlib.Path, default=TOP / "build/bench", metavar="DIR",
        help="where to build the programs (build/bench)")
    add("--real-cache", type=pathlib.Path, metavar="DIR",
        default=os.environ.get("REAL_CACHE", TOP / "build/real"),
        help="where real programs are fetched and built (build/real)")
    options = parser.parse_args()
    if options.passes < 1 or not options.scale > 0:
        parser.error("--passes and --scale must be positive")
    return options


def choose_bases(options, engines):
    if options.base:
        bases = options.base.split(",")
        for base in bases:
            if base not in engines:
                fail(f"the base engine {base!r} is not among {', '.join(engines)}")
        return bases
    return [n for n in ("wasm3", "iwasm", NATIVE, *engines) if n in engines]


def print_list(entries):
    for e in entries:
        print(f"{e.name:20}{e.set:10}{e.group:10}{','.join(e.needs) or '-':22} {e.reason}")


def main():
    options = parse_options()
    known = {**programs_module.read_list(), **suites.entries()}
    entries = programs_module.choose(known, options)
    if options.list:
        return print_list(entries)
    programs = programs_module.build(entries, options) + suites.build(entries, options)
    programs += [programs_module.from_option(text) for text in options.module]
    engines, ours = engines_module.choose(options)
    if options.build:
        ahead.prepare_all(programs, engines, options.build_dir)
        return None
    if not programs or not engines:
        fail("nothing to run")
    bases = choose_bases(options, engines)
    before = report.host()
    print("{cpu}, {cores} cores, load {load:.2f}".format(**before))
    if not ours:
        print("wasmrun is not built (./dev build) or was left out")
    taken_off = start_ups(engines, options) if options.net else {}
    runs = measure(programs, engines, options)
    table, means = judge.judge(programs, engines, bases, net_of(runs, taken_off))
    if options.net:
        report.print_start_ups(taken_off)
        means["with start-up"] = judge.judge(programs, engines, bases, runs)[1]["all"]
    report.print_table(programs, engines, ours, bases[0], table, means)
    report.print_slow(programs, ours, table)
    if options.json:
        report.write_json(options.json, programs, options, bases, table, means, before, taken_off)
    if options.svg:
        report.write_svg(options.svg, programs, engines, bases[0], table, means)
    return 1 if any("error" in table[p.name]["results"].get(n, {}) for p in programs for n in ours) else 0


if __name__ == "__main__":
    sys.exit(main())
