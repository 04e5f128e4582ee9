#!/usr/bin/env python3
"""Measures wasmrun beside other WebAssembly engines and native code.

usage: run.py [OPTION...]        (or ./dev bench [OPTION...])

Compiles guests/*.c to WebAssembly (clang, wasi-libc) and natively, runs each on every engine found,
checks that all print the same, and prints a table: seconds for the base engine (wasm3 if present,
else native), for every other engine its time relative to the base, smaller being faster.

An engine is found by its environment variable (WASMRUN, WASM3, IWASM, TOYWASM, WASMTIME, NODE: a
command, empty to leave the engine out), else on PATH; wasmrun is build/release/wasmrun.

How it measures: the time of a run is the processor time, user and system, of the whole process, so
start-up and compilation count and other load on the machine matters less. Passes are interleaved:
each pass runs every engine on every program once, engines taking turns to be first. A ratio is the
median of the passes' ratios, and the smallest and the largest stand behind it; a geomean is over the
programs that both engines ran, modules given with --module apart.

The exit status is 1 if wasmrun failed or printed something else than the native program (without
one, than most engines); other engines' failures are only reported.
"""

import argparse
import collections
import concurrent.futures
import datetime
import json
import math
import os
import pathlib
import platform
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent

OURS = "wasmrun"
NATIVE = "native"

# Engine: (environment variable, options before the module). The interpreters' default stacks are
# too small for deep recursion.
ENGINES = {
    OURS: ("WASMRUN", ["run"]),
    "wasm3": ("WASM3", ["--stack-size", "8388608"]),
    "iwasm": ("IWASM", ["--stack-size=8388608"]),
    "toywasm": ("TOYWASM", ["--wasi", "--"]),
    "wasmtime": ("WASMTIME", ["run"]),
    "node": ("NODE", None),
}

NODE_HOST = """
const { WASI } = require("node:wasi");
const args = process.argv.slice(1);
const wasi = new WASI({ version: "preview1", args, env: {}, preopens: {} });
const module = new WebAssembly.Module(require("node:fs").readFileSync(args[0]));
wasi.start(new WebAssembly.Instance(module, wasi.getImportObject()));
"""

FLAGS = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-ffp-contract=off"]
WASM_FLAGS = ["--target=wasm32-wasi", "-Wl,-z,stack-size=1048576", "-Wl,--strip-debug"]
GUEST_FLAGS = {"simd": ["-msimd128"]}  # for the WebAssembly build only

Program = collections.namedtuple("Program", "name wasm native args extra")
Run = collections.namedtuple("Run", "seconds output error")


def fail(message):
    sys.exit(f"bench: {message}")


# --- what to run ---------------------------------------------------------------------------------


def compiler(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    return found or fail(f"no compiler found; looked for {', '.join(names)}")


def newer(target, sources):
    return target.exists() and target.stat().st_mtime > max(s.stat().st_mtime for s in sources)


def build_guest(source, build_dir):
    """Compiles one guest twice, unless it is up to date; returns its Program without arguments."""
    wasm = build_dir / f"{source.stem}.wasm"
    native = build_dir / source.stem
    sources = [source, HERE / "guests" / "bench.h", pathlib.Path(__file__)]
    clang = compiler("clang-19", "clang")
    own = GUEST_FLAGS.get(source.stem, [])
    if not newer(wasm, sources):
        subprocess.run([clang, *FLAGS, *WASM_FLAGS, *own, source, "-o", wasm], check=True)
    if not newer(native, sources):
        subprocess.run([clang, *FLAGS, source, "-o", native, "-lm"], check=True)
    return Program(source.stem, wasm, native, [], False)


def build_guests(options):
    sources = sorted((HERE / "guests").glob("*.c"), key=lambda s: (s.stem != "coreish", s.stem))
    names = [s.stem for s in sources]
    only = options.only.split(",") if options.only else names
    for name in only:
        if name and name not in names:
            fail(f"no program {name!r}; there are {', '.join(names)}")
    options.build_dir.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        chosen = [s for s in sources if s.stem in only]
        built = pool.map(lambda s: build_guest(s, options.build_dir), chosen)
        percent = f"{max(1, round(options.scale * 100))}%"
        return [program._replace(args=[percent]) for program in built]


def extra_program(text):
    """The Program of a --module option: NAME=FILE[,ARG...]."""
    name, equals, rest = text.partition("=")
    file, *args = rest.split(",")
    if not equals or not os.path.isfile(file):
        fail(f"--module {text}: NAME=FILE[,ARG...] wanted, with an existing file")
    return Program(name, pathlib.Path(file), None, args, True)


def find_engine(name):
    """The command of an engine, as a list to which the module and its arguments are appended."""
    variable, prefix = ENGINES[name]
    path = os.environ.get(variable)
    if path is None:
        path = TOP / "build/release/wasmrun" if name == OURS else name
        path = shlex.quote(shutil.which(str(path)) or "")
    command = shlex.split(path)
    if not command or not command[0]:
        return None
    if not shutil.which(command[0]):
        fail(f"{variable}={path}: not a command")
    if name == "node":
        return command + ["--no-warnings", "-e", NODE_HOST, "--"]
    return command + prefix


def find_engines(options):
    """Engine name -> command; None for native, whose command is the program."""
    wanted = options.engines.split(",") if options.engines else [*ENGINES, NATIVE]
    engines = {}
    for name in wanted:
        if name == NATIVE:
            engines[name] = None
        elif name not in ENGINES:
            fail(f"no engine {name!r}; there are {', '.join([*ENGINES, NATIVE])}")
        elif command := find_engine(name):
            engines[name] = command
        elif options.engines:
            fail(f"engine {name} not found")
    for text in options.add:
        name, _, command = text.partition("=")
        engines[name] = shlex.split(command) or fail(f"--add {text}: NAME=COMMAND wanted")
    return engines


# --- running -------------------------------------------------------------------------------------


def command_for(program, command):
    """The whole command line, or None where the engine cannot run the program."""
    if command is not None:
        return [*command, str(program.wasm), *program.args]
    return [str(program.native), *program.args] if program.native else None


def run_once(command, options):
    """Runs a command to its end; a Run whose `error` is None if it exited with 0."""
    limit = options.timeout
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
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
    if options.ignore:
        output = [line for line in output if not re.search(options.ignore, line)]
    code = process.returncode
    error = None if code == 0 else f"exit status {code}: {complaint}"
    return Run(usage.ru_utime + usage.ru_stime, output, error)


def measure(programs, engines, options):
    """All runs: (program name, engine name) -> list of Run. What failed is not run again."""
    runs = collections.defaultdict(list)
    names = list(engines)
    for turn in range(options.passes):
        for number, program in enumerate(programs):
            if sys.stderr.isatty():
                print(f"\rpass {turn + 1} {program.name:<16}", end="", file=sys.stderr, flush=True)
            first = (turn + number) % len(names)
            for name in names[first:] + names[:first]:
                command = command_for(program, engines[name])
                done = runs[program.name, name]
                if command and not (done and done[-1].error):
                    done.append(run_once(command, options))
    if sys.stderr.isatty():
        print("\r" + " " * 40 + "\r", end="", file=sys.stderr)
    return runs


# --- judging -------------------------------------------------------------------------------------


def expected_output(program, engines, runs):
    """What the native program printed, else what most engines did; None if nothing ran."""
    outputs = {n: runs[program.name, n][0] for n in engines if runs[program.name, n]}
    good = {n: tuple(run.output) for n, run in outputs.items() if not run.error}
    if NATIVE in good:
        return list(good[NATIVE])
    counts = collections.Counter(good.values()).most_common(1)
    return list(counts[0][0]) if counts else None


def error_of(done, expected):
    """Why an engine's runs of a program do not count, or None."""
    for run in done:
        if run.error:
            return run.error
        if run.output != expected:
            return f"wrong output: {(run.output or ['nothing'])[0]}"
    return None


def compare(result, base_times):
    """Adds to a result "ratio", the median of the passes' ratios, and "range", the extremes."""
    each = [t / b for t, b in zip(result["times"], base_times) if b > 0]
    if each:
        result["ratio"] = statistics.median(each)
        result["range"] = [min(each), max(each)]


def judge(programs, engines, base, runs):
    """Program name -> engine name -> {"times", "median", "ratio", "range"} or {"error"}."""
    table = {}
    for program in programs:
        expected = expected_output(program, engines, runs)
        row = table[program.name] = {}
        for name in engines:
            done = runs[program.name, name]
            if done and (error := error_of(done, expected)):
                row[name] = {"error": error}
            elif done:
                times = [run.seconds for run in done]
                row[name] = {"times": times, "median": statistics.median(times)}
        for result in row.values():
            if "times" in result:
                compare(result, row.get(base, {}).get("times", []))
    return table


def geomeans(programs, engines, table):
    """Engine name -> {"ratio", "programs"}, over the programs that have a ratio."""
    means = {}
    for name in engines:
        rows = [table[p.name].get(name, {}).get("ratio") for p in programs if not p.extra]
        logs = [math.log(r) for r in rows if r]
        if logs:
            means[name] = {"ratio": math.exp(sum(logs) / len(logs)), "programs": len(logs)}
    return means


# --- printing ------------------------------------------------------------------------------------


def base_cell(result):
    if "times" not in result:
        return "failed" if "error" in result else "-"
    spread = (max(result["times"]) - min(result["times"])) / result["median"] * 100
    return f"{result['median']:.3f} s {spread:4.1f}%"


def ratio_cell(result):
    if "ratio" in result:
        return "{:.2f} ({:.2f}-{:.2f})".format(result["ratio"], *result["range"])
    if "median" in result:
        return f"{result['median']:.3f} s"
    return "failed" if "error" in result else "-"


def mean_cell(mean):
    return f"{mean['ratio']:.3f} (of {mean['programs']})" if mean else "-"


def print_table(programs, engines, base, table, means):
    order = [base] + [name for name in engines if name != base]
    width = 1 + max(len(name) for name in ["geomean", *table])
    print(f"{'':{width}}" + "".join(f"{name:>19}" for name in order))
    for program in programs:
        row = table[program.name]
        cells = [base_cell(row.get(base, {}))] + [ratio_cell(row.get(n, {})) for n in order[1:]]
        print(f"{program.name:{width}}" + "".join(f"{cell:>19}" for cell in cells))
    cells = [mean_cell(means.get(name)) for name in order]
    print(f"{'geomean':{width}}" + "".join(f"{cell:>19}" for cell in cells))
    for program in programs:
        for name in order:
            if error := table[program.name].get(name, {}).get("error"):
                print(f"{program.name}: {name}: {error}")


def cpu_name():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def host():
    return {"cpu": cpu_name(), "cores": os.cpu_count(), "load": os.getloadavg()[0]}


def write_json(path, programs, options, base, table, means, before):
    report = {
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "host": before,
        "passes": options.passes,
        "scale": options.scale,
        "base": base,
        "programs": {p.name: {"args": p.args, "results": table[p.name]} for p in programs},
        "geomean": means,
    }
    path.write_text(json.dumps(report, indent=1) + "\n")


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0],
        epilog=__doc__.split("\n\n", 2)[2].rstrip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--passes", type=int, default=5, metavar="N", help="runs of each program and engine (5)")
    add("--scale", type=float, default=1, metavar="F", help="work, relative to about 1 s in wasm3")
    add("--only", metavar="NAME,...", help="these programs; empty for none but --module")
    add("--engines", metavar="NAME,...", help="these engines; they must be there")
    add("--add", action="append", default=[], metavar="NAME=COMMAND", help="one more engine")
    add("--base", metavar="NAME", help="the engine that ratios refer to")
    add("--module", action="append", default=[], metavar="NAME=FILE,ARG,...", help="a module more")
    add("--ignore", metavar="REGEX", help="output lines not to compare, such as times")
    add("--timeout", type=int, default=300, metavar="S", help="processor time for one run (300)")
    add("--json", type=pathlib.Path, metavar="FILE", help="write all figures there")
    add("--build-dir", type=pathlib.Path, default=TOP / "build/bench", metavar="DIR",
        help="where to build the programs (build/bench)")
    options = parser.parse_args()
    if options.passes < 1 or not options.scale > 0:
        parser.error("--passes and --scale must be positive")
    return options


def main():
    options = parse_options()
    programs = [] if options.only == "" else build_guests(options)
    programs += [extra_program(text) for text in options.module]
    engines = find_engines(options)
    if not programs or not engines:
        fail("nothing to run")
    base = options.base or next(n for n in ("wasm3", NATIVE, *engines) if n in engines)
    if base not in engines:
        fail(f"the base engine {base!r} is not among {', '.join(engines)}")
    before = host()
    print("{cpu}, {cores} cores, load {load:.2f}".format(**before))
    if OURS not in engines:
        print("wasmrun is not built (./dev build) or was left out")
    runs = measure(programs, engines, options)
    table = judge(programs, engines, base, runs)
    means = geomeans(programs, engines, table)
    print_table(programs, engines, base, table, means)
    if options.json:
        write_json(options.json, programs, options, base, table, means, before)
    return 1 if any("error" in table[p.name].get(OURS, {}) for p in programs) else 0


if __name__ == "__main__":
    sys.exit(main())
