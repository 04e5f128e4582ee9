#!/usr/bin/env python3
"""Measures how fast programs start: their version or a greeting, on every engine found.

usage: startup.py [OPTION...]        (or ./dev bench-startup [OPTION...])

For each program and engine: wall time of the whole process from start to end (median and minimum of the
rounds, which are interleaved), least processor time, greatest resident memory, system calls. Programs are
hello.c and, as far as tests/real or bench have built them (./dev test-real, ./dev bench --real), Lua, the
SQLite shell, jq, a Go and a Rust program, and esbuild, all asked for no more than their version or usage.
The time above the native program's is what starting the engine and loading the module takes.
"""

import argparse
import os
import pathlib
import subprocess
import sys

import engines
import programs
from engines import TOP

HERE = pathlib.Path(__file__).resolve().parent

# Name: (folders below the real cache, of which the first is taken that exists, arguments)
REAL = {
    "lua": (["bench/lua"], ["-v"]),
    "jq": (["build/jq", "bench/jq"], ["--version"]),
    "sqlite": (["build/sqlite"], ["--version"]),
    "rust": (["build/rust"], ["/none"]),
    "go": (["build/go"], ["--help"]),
    "esbuild": (["build/esbuild"], ["--version"]),
}


def hello(build_dir):
    build_dir.mkdir(parents=True, exist_ok=True)
    entry = programs.Entry("hello", "tuned", "startup", [], "")
    return programs.build_guest(entry, build_dir)


def real_programs(cache):
    for name, (folders, args) in REAL.items():
        for folder in (cache / f for f in folders):
            if (folder / f"{name}.wasm").exists():
                native = folder / "native"
                yield programs.Program(name, "", "", [], folder / f"{name}.wasm", native, args)
                break


def command_for(program, command):
    if command is None:
        return [str(program.native), *program.args] if program.native else None
    return [*command, str(program.wasm), *program.args]


def measure(helper, commands, runs):
    """A list of figures for each command, as startup.c prints them."""
    words = []
    for command in commands:
        words += [*command, ";;"]
    done = subprocess.run([helper, str(runs), *words[:-1]], capture_output=True, text=True)
    if done.returncode != 0:
        programs.fail(f"startup: {done.stderr}")
    return [[int(word) for word in line.split()] for line in done.stdout.splitlines()]


def print_program(program, names, rows):
    size = program.wasm.stat().st_size
    print(f"\n{program.name}, {size / 1e6:.2f} MB")
    print(f"{'':14}{'ms':>10}{'least':>10}{'cpu ms':>10}{'MiB':>8}{'calls':>8}")
    for name, (median, least, _, cpu, resident, calls, status) in zip(names, rows):
        note = f"  exit status {status}" if status not in (0, rows[-1][6]) else ""
        figures = f"{median / 1e3:10.2f}{least / 1e3:10.2f}{cpu / 1e3:10.2f}"
        print(f"{name:14}{figures}{resident / 1024:8.1f}{calls:8}{note}")


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog=__doc__.split("\n\n", 2)[2].rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--runs", type=int, default=100, metavar="N", help="rounds (100; a tenth for the larger)")
    add("--engines", metavar="NAME,...", help="these engines; they must be there")
    add("--ours", action="append", default=[], metavar="NAME=COMMAND", help="as for bench")
    add("--add", action="append", default=[], metavar="NAME=COMMAND", help="one more engine")
    add("--module", action="append", default=[], metavar="NAME=FILE,ARG,...", help="a module more")
    add("--only", metavar="NAME,...", help="these programs")
    add("--real-cache", type=pathlib.Path, metavar="DIR",
        default=os.environ.get("REAL_CACHE", TOP / "build/real"))
    add("--build-dir", type=pathlib.Path, default=TOP / "build/bench", metavar="DIR")
    return parser.parse_args()


def main():
    options = parse_options()
    found, _ = engines.choose(options)
    chosen = [hello(options.build_dir), *real_programs(pathlib.Path(options.real_cache))]
    chosen += [programs.from_option(text) for text in options.module]
    helper = options.build_dir / "startup"
    source = HERE / "startup.c"
    if not programs.newer(helper, [source]):
        programs.run_compiler([programs.compiler("clang-19", "cc"), "-O2", "-o", helper, source])
    only = options.only.split(",") if options.only else [p.name for p in chosen]
    for program in (p for p in chosen if p.name in only):
        large = program.wasm.stat().st_size > 1 << 20
        commands = {n: command_for(program, c) for n, c in found.items()}
        commands = {n: c for n, c in commands.items() if c}
        rows = measure(helper, commands.values(), max(3, options.runs // 10 if large else options.runs))
        print_program(program, commands, rows)


if __name__ == "__main__":
    sys.exit(main())
