"""Suites of others that run.py measures when --set names them: CoreMark and PolyBench/C.

Their sources are in the folders COREMARK_SOURCE and POLYBENCH_SOURCE, else fetched by git into the cache of real
programs; they are never part of this repository. Both are compiled as they are, with -O3 for either machine.
"""

import concurrent.futures
import os
import pathlib
import subprocess

import programs
from programs import Entry, Program

HERE = pathlib.Path(__file__).resolve().parent / "suites"
HOMES = {
    "coremark": "https://github.com/eembc/coremark",
    "polybench": "https://github.com/MatthiasJReisinger/PolyBenchC-4.2.1",
}
LEVEL = "-O3"

# CoreMark runs this often for a second or so; it says that ten were wanted.
COREMARK_TURNS = 30000
# Times, compilers, and what follows from a short run. What is left has the checksums of all parts.
COREMARK_IGNORE = "^(Total|Iterations/Sec|Compiler|Memory location|ERROR! Must|Errors|Correct|CoreMark 1)"


def kernels():
    """Name of a program -> (path of its folder, dataset, turns)."""
    lines = (HERE / "polybench.txt").read_text().splitlines()
    rows = (line.split() for line in lines if line and not line.startswith("#"))
    return {f"poly-{pathlib.Path(path).name}": (path, dataset, turns) for path, dataset, turns in rows}


def entries():
    """As programs.read_list()'s, by name."""
    found = {"coremark": Entry("coremark", "coremark", "coremark", [], "EEMBC's CoreMark")}
    for name, (path, dataset, turns) in kernels().items():
        found[name] = Entry(name, "polybench", "polybench", [], f"PolyBench/C {path}, {dataset} x {turns}")
    return found


def source(suite, cache):
    """The folder of a suite's source."""
    given = os.environ.get(f"{suite.upper()}_SOURCE")
    folder = pathlib.Path(given) if given else cache / "sources" / suite
    if not given and not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if subprocess.run(["git", "clone", "-q", "--depth=1", HOMES[suite], folder]).returncode != 0:
            programs.fail(f"cannot fetch {suite}; {suite.upper()}_SOURCE may name a folder that has it")
    if not folder.is_dir():
        programs.fail(f"no folder {folder}")
    return folder.resolve()


def coremark_parts(folder):
    """(what to compile, flags)"""
    files = [*sorted(folder.glob("core_*.c")), folder / "posix" / "core_portme.c"]
    return files, ["-I", folder, "-I", folder / "posix", "-DPERFORMANCE_RUN=1", '-DFLAGS_STR="-O3"']


def polybench_parts(folder, name):
    path, dataset, turns = kernels()[name]
    kernel, utilities = folder / path, folder / "utilities"
    files = [utilities / "polybench.c", kernel / f"{kernel.name}.c"]
    folders = ["-I", HERE, "-I", utilities, "-I", kernel]
    folders.append("-D_WASI_EMULATED_PROCESS_CLOCKS")  # declared, not used
    return files, [*folders, f"-D{dataset}_DATASET", f"-DBENCH_TURNS={turns}", "-DPOLYBENCH_DUMP_ARRAYS"]


def build_one(entry, folder, options):
    if entry.set == "coremark":
        files, flags = coremark_parts(folder)
        args = ["0x0", "0x0", "0x66", str(max(1, round(COREMARK_TURNS * options.scale))), "7", "1", "2000"]
        ignore = COREMARK_IGNORE
    else:
        files, flags = polybench_parts(folder, entry.name)
        args, ignore = [], None
    wasm, native = (options.build_dir / f"{entry.name}{end}" for end in (".wasm", ""))
    ours = [pathlib.Path(__file__), *HERE.iterdir()]
    if not programs.newer(wasm, [*files, *ours]):
        common = [programs.compiler("clang-19", "clang"), LEVEL, "-w", "-ffp-contract=off", *flags, *files]
        programs.run_compiler([*common, *programs.WASM_FLAGS, "-o", wasm])
        programs.native_builds([*common, "-lm"], native)
    return Program(*entry[:4], wasm, native, args, None, ignore)


def build(chosen, options):
    """The Programs of those entries that are of a suite, compiled."""
    chosen = [e for e in chosen if e.set in HOMES]
    folders = {suite: source(suite, options.real_cache) for suite in {e.set for e in chosen}}
    options.build_dir.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda e: build_one(e, folders[e.set], options), chosen))
