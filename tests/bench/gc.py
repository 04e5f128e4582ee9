#!/usr/bin/env python3
"""Measures garbage collection beside wasmtime and node: time, peak memory, longest pause.

usage: gc.py [OPTION...]

The programs are gc/trees.wat and gc/list.wat. Each engine runs each of them in processes of its own,
taking turns:
  time    processor time, user and system, of the whole process that calls run(N), start-up and
          compilation included
  memory  the largest resident set of that process, less that of one that calls run(1) only
  pause   begin(N) makes what lives long; then step() is called often, each time a little work, and
          timed: the longest one less the median one. wasmrun and wasmtime by the thread's processor
          time, so that other load on the machine does not count; node, which has no such clock and
          collects in several threads, by the wall clock. Behind it what the engine itself reports
          of its collector (wasmrun's statistics, node's --trace-gc), by the wall clock
Figures are medians of the passes; pauses are the smallest of the passes' longest ones, since load
makes pauses longer, never shorter.

wasmrun is build/release/libwasmrun.so. wasmtime is the Python package of that name, installed into
build/bench-python where it is missing (or WASMTIME_PYTHON, a Python that has it); the package has no
setting for the collector, so it is the default one. node is NODE, or the package of that name from
npm's registry, version 24, installed into build/bench-node, with its defaults.
"""

import argparse
import collections
import os
import pathlib
import re
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
BUILD = TOP / "build"
NODE_VERSION = "24"
Program = collections.namedtuple("Program", "name run begin")
Figures = collections.namedtuple("Figures", "result seconds rss pause own")

# ---- in the process that is measured: `gc.py --guest ENGINE FILE run|pause N STEPS` ----------------


def guest_wasmrun(path):
    """Functions begin(n), run(n), step(), and one that gives the collector's own figures."""
    import ctypes

    lib = ctypes.CDLL(str(BUILD / "release/libwasmrun.so"))
    pointer = ctypes.c_void_p

    class Val(ctypes.Structure):
        _fields_ = [("kind", ctypes.c_int), ("bits", ctypes.c_uint64 * 2)]

    def function(name, result, *args):
        f = getattr(lib, name)
        f.restype, f.argtypes = result, args
        return f

    message = function("wr_error_message", ctypes.c_char_p, pointer)

    def check(error):
        if error:
            sys.exit(f"gc.py: {message(error).decode()}")

    def make(name, *args):
        out = pointer()
        types = [pointer if not isinstance(a, (bytes, int)) else None for a in args]
        types = [t or (ctypes.c_char_p if isinstance(a, bytes) else ctypes.c_size_t)
                 for t, a in zip(types, args)]
        check(function(name, pointer, *types, pointer)(*args, ctypes.byref(out)))
        return out

    text = path.read_bytes()
    size = ctypes.c_size_t()
    binary = pointer()
    to_wasm = function("wr_wat_to_wasm", pointer, ctypes.c_char_p, ctypes.c_size_t,
                       ctypes.c_char_p, ctypes.c_bool, pointer, pointer)
    check(to_wasm(text, len(text), None, False, ctypes.byref(binary), ctypes.byref(size)))
    engine = make("wr_engine_new", None)
    module = make("wr_module_new", engine, binary, size.value)
    store = make("wr_store_new", engine)
    linker = pointer(function("wr_linker_new", pointer, pointer)(engine))
    instance = make("wr_linker_instantiate", linker, store, module)
    get = function("wr_instance_func", pointer, pointer, ctypes.c_char_p)
    call = function("wr_func_call", pointer, pointer, pointer, pointer, ctypes.c_size_t, pointer,
                    ctypes.c_size_t)

    def caller(name, nargs, nresults):
        func, args, results = get(instance, name), (Val * 1)(), (Val * 1)()

        def run(*values):
            for i, value in enumerate(values):
                args[i].bits[0] = value
            check(call(store, func, args, nargs, results, nresults))
            return results[0].bits[0] & 0xFFFFFFFF

        return run

    def own():
        stats = (ctypes.c_uint64 * 6)()
        function("wr_store_get_heap_stats", None, pointer, pointer)(store, stats)
        return stats[2] / 1e6

    return caller(b"begin", 1, 0), caller(b"run", 1, 1), caller(b"step", 0, 1), own


def guest_wasmtime(path):
    import wasmtime

    config = wasmtime.Config()
    config.wasm_gc = True
    config.wasm_function_references = True
    engine = wasmtime.Engine(config)
    store = wasmtime.Store(engine)
    module = wasmtime.Module.from_file(engine, str(path))
    exports = wasmtime.Instance(store, module, []).exports(store)

    def caller(name):
        func = exports[name]
        return lambda *args: (func(store, *args) or 0) & 0xFFFFFFFF

    return caller("begin"), caller("run"), caller("step"), lambda: ""


def guest(engine, path, what, n, steps):
    """Prints the result, the longest pause in ms, and the collector's own figures."""
    import resource
    import time

    begin, run, step, own = {"wasmrun": guest_wasmrun, "wasmtime": guest_wasmtime}[engine](path)
    result = pause = 0
    if what == "run":
        result = run(n)
    else:
        begin(n)
        clock, times = time.thread_time_ns, []
        for _ in range(steps):
            start = clock()
            step()
            times.append(clock() - start)
        pause = (max(times) - statistics.median(times)) / 1e6
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(result, pause, rss, own())


NODE_GUEST = """
const [file, what, n, steps] = process.argv.slice(2);
const code = new WebAssembly.Module(require('fs').readFileSync(file));
const {begin, run, step} = new WebAssembly.Instance(code).exports;
let result = 0, pause = 0;
if (what === 'run') {
    result = run(Number(n)) >>> 0;
} else {
    begin(Number(n));
    const times = [];
    for (let i = 0; i < Number(steps); i++) {
        const start = process.hrtime.bigint();
        step();
        times.push(Number(process.hrtime.bigint() - start));
    }
    times.sort((a, b) => a - b);
    pause = (times[times.length - 1] - times[times.length >> 1]) / 1e6;
}
console.log(result, pause, process.resourceUsage().maxRSS);
"""

# ---- engines ------------------------------------------------------------------------------------


def install(what, command, probe):
    """Runs the command unless `probe` exists; None when it failed."""
    if not probe.exists():
        print(f"installing {what}", file=sys.stderr)
        for step in command:
            if subprocess.run(step, stdout=subprocess.DEVNULL).returncode != 0:
                print(f"gc.py: no {what}", file=sys.stderr)
                return None
    return str(probe)


def wasmtime_python():
    if "WASMTIME_PYTHON" in os.environ:
        return os.environ["WASMTIME_PYTHON"]
    folder = BUILD / "bench-python"
    pip = [str(folder / "bin/pip"), "install", "-q", "wasmtime"]
    done = folder / "has-wasmtime"
    commands = [[sys.executable, "-m", "venv", str(folder)], pip, ["touch", str(done)]]
    return str(folder / "bin/python") if install("wasmtime", commands, done) else None


def node():
    if "NODE" in os.environ:
        return os.environ["NODE"]
    folder = BUILD / "bench-node"
    npm = ["npm", "install", "--silent", "--prefix", str(folder), f"node@{NODE_VERSION}"]
    return install("node", [["mkdir", "-p", str(folder)], npm],
                   folder / "node_modules/node/bin/node")


def commands(binaries):
    """Engine -> function from (program, what, n, steps) to a command line."""
    me = str(pathlib.Path(__file__).resolve())
    wat = {name: str(HERE / f"gc/{name}.wat") for name in binaries}
    found = {"wasmrun": lambda *a: [sys.executable, me, "--guest", "wasmrun", wat[a[0]], *a[1:]]}
    python, javascript = wasmtime_python(), node()
    if python:
        found["wasmtime"] = lambda *a: [python, me, "--guest", "wasmtime", wat[a[0]], *a[1:]]
    if javascript:
        script = BUILD / "bench-node-guest.cjs"
        script.write_text(NODE_GUEST)
        found["node"] = lambda *a: [javascript, "--trace-gc", str(script), binaries[a[0]], *a[1:]]
    return found


# ---- measuring ----------------------------------------------------------------------------------


def run_once(command):
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        return None
    figures = re.search(r"^\d+ [\d.e-]+ \d+ ?[\d.]*$", output, re.M)  # among what --trace-gc prints
    traced = [float(pause) for pause in re.findall(r"\) MB, (?:pooled: .*? MB, )?([\d.]+) /", output)]
    words = figures.group().split()
    own = float(words[3]) if words[3:] else max(traced, default=None)
    return Figures(int(words[0]), usage.ru_utime + usage.ru_stime, int(words[2]) / 1024,
                   float(words[1]), own)


def measure(programs, engines, options):
    """(program, engine) -> lists of Figures: of a small run, of the run, of the steps."""
    runs = collections.defaultdict(lambda: ([], [], []))
    for _ in range(options.passes):
        for program in programs:
            for engine, command in engines.items():
                small, full, steps = runs[program.name, engine]
                small.append(run_once(command(program.name, "run", 1, 0)))
                full.append(run_once(command(program.name, "run", program.run, 0)))
                steps.append(run_once(
                    command(program.name, "pause", program.begin, options.steps)))
    return runs


def show(programs, engines, runs):
    """The table; False when an engine's result differs from wasmrun's."""
    agree = True
    print(f"{'':18}{'time':>10}{'memory':>12}{'pause':>12}{'its own':>12}")
    for program in programs:
        expected = runs[program.name, "wasmrun"][1][0]
        for engine in engines:
            small, full, steps = (list(filter(None, r)) for r in runs[program.name, engine])
            if not (small and full and steps):
                print(f"{program.name:8}{engine:10}    cannot run it")
                agree = agree and engine != "wasmrun"
                continue
            agree = agree and expected is not None and full[0].result == expected.result
            seconds = statistics.median(f.seconds for f in full)
            memory = statistics.median(f.rss for f in full) - statistics.median(s.rss for s in small)
            own = [f.own for f in steps if f.own is not None]
            print(f"{program.name:8}{engine:10}{seconds:8.2f} s"
                  f"{memory:9.1f} MB{min(f.pause for f in steps):9.2f} ms"
                  f"{f'{min(own):.2f} ms' if own else '':>12}")
    return agree


def main():
    if sys.argv[1:2] == ["--guest"]:
        engine, path, what, n, steps = sys.argv[2:]
        return guest(engine, pathlib.Path(path), what, int(n), int(steps))
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.partition("\n\n")[2],
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--passes", type=int, default=3, metavar="N", help="(3)")
    parser.add_argument("--depth", type=int, default=17, metavar="N", help="of trees (17)")
    parser.add_argument("--cells", type=int, default=5000000, metavar="N", help="of lists (5000000)")
    parser.add_argument("--steps", type=int, default=20000, metavar="N", help="timed (20000)")
    options = parser.parse_args()
    programs = [Program("trees", options.depth, options.depth + 1),
                Program("list", options.cells, 1000000)]
    binaries = {}
    for program in programs:
        binaries[program.name] = str(BUILD / f"bench-gc-{program.name}.wasm")
        subprocess.run([str(BUILD / "release/wasmrun"), "wat2wasm", "-o", binaries[program.name],
                        str(HERE / f"gc/{program.name}.wat")], check=True)
    engines = commands(binaries)
    load = os.getloadavg()[0]
    runs = measure(programs, engines, options)
    print(f"trees of depth {options.depth}, {options.cells} cells; {options.passes} passes;"
          f" load of the machine {load:.1f} before, {os.getloadavg()[0]:.1f} after")
    return 0 if show(programs, engines, runs) else 1


if __name__ == "__main__":
    sys.exit(main())
