"""The programs that bench.py's run.py measures: read from programs.txt, compiled on demand.

A guest is guests/NAME.c, .cpp or .rs; it is compiled to WebAssembly and, to know the right output
and native speed, for this machine. A guest NAME.wat is in the text format, with NAME.c beside it, the
same program for this machine; bench.wat is put in front of it. Programs of the group `real` are built by real.sh from other
projects' sources. What is up to date is not compiled again.
"""

import collections
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys

import engines

HERE = pathlib.Path(__file__).resolve().parent
GUESTS = HERE / "guests"
SETS = ("tuned", "unseen")  # of programs.txt; "all" is both
TEXT_PRELUDE = GUESTS / "bench.wat"
REAL = "real"  # the group whose programs are other projects'

FLAGS = ["-Wall", "-Wextra", "-ffp-contract=off"]  # beside the level: --level
C_FLAGS = ["-std=gnu17"]
CXX_FLAGS = ["-std=c++20", "-fno-exceptions", "-Wno-deprecated-declarations"]
CLANG_FEATURES = ["simd128", "bulk-memory", "tail-call"]
WASM_FLAGS = ["--target=wasm32-wasi", "-Wl,-z,stack-size=1048576", "-Wl,--strip-debug"]

# name, set and group: see programs.txt. wasm, native: files, native None where there is none.
# args: after the program's name. stdin: a file or None. ignore: a pattern of output lines that differ
# from run to run, or None.
Program = collections.namedtuple(
    "Program", "name set group needs wasm native args stdin ignore", defaults=(None, None)
)
Entry = collections.namedtuple("Entry", "name set group needs reason")


def fail(message):
    sys.exit(f"bench: {message}")


def read_list():
    """The entries of programs.txt, by name, in its order."""
    entries = {}
    for line in (HERE / "programs.txt").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        name, kind, group, needs, reason = line.split(maxsplit=4)
        if kind not in SETS or name in entries:
            fail(f"programs.txt: {line}")
        needs = [] if needs == "-" else needs.split(",")
        entries[name] = Entry(name, kind, group, needs, reason)
    return entries


def choose(entries, options):
    """The entries that the options ask for."""
    if options.only is not None:
        names = [name for name in options.only.split(",") if name]
        for name in names:
            if name not in entries:
                fail(f"no program {name!r}; there are {', '.join(entries)}")
        return [entries[name] for name in entries if name in names]
    groups = options.group.split(",") if options.group else None
    known = {e.group for e in entries.values()}
    for group in groups or []:
        if group not in known:
            fail(f"no group {group!r}; there are {', '.join(sorted(known))}")
    sets = [kind for word in options.set.split(",") for kind in (SETS if word == "all" else [word])]
    for kind in sets:
        if all(e.set != kind for e in entries.values()):
            fail(f"no set {kind!r}; there are all, {', '.join(dict.fromkeys(e.set for e in entries.values()))}")
    return [
        e
        for e in entries.values()
        if e.set in sets
        and (e.group in groups if groups else e.group != REAL or options.real)
    ]


# --- compilers -----------------------------------------------------------------------------------


def compiler(*names):
    found = next(filter(None, map(shutil.which, names)), None)
    return found or fail(f"no compiler found; looked for {', '.join(names)}")


def rustc_for_wasi():
    """[rustc, "--target", TARGET] of a Rust compiler that has a WASI target. Debian's has one."""
    for rustc in ("/usr/bin/rustc", "rustc"):
        if not shutil.which(rustc):
            continue
        for target in ("wasm32-wasip1", "wasm32-wasi"):
            command = [rustc, "--print", "target-libdir", "--target", target]
            found = subprocess.run(command, capture_output=True, text=True)
            if found.returncode == 0 and os.path.isdir(found.stdout.strip()):
                return [rustc, "--target", target]
    return None


def run_compiler(command):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    if done.returncode != 0 or done.stderr:
        sys.stderr.write(done.stderr)
    if done.returncode != 0:
        fail(f"cannot compile: {' '.join(str(word) for word in command)}")


def newer(target, sources):
    return target.exists() and target.stat().st_mtime > max(s.stat().st_mtime for s in sources)


def tuned_native(native):
    """The file of the native program for this machine's processor (engines.NATIVE_CPU)."""
    return native.with_name(f"{native.name}.cpu")


def native_builds(command, native, tune="-march=native"):
    """Compiles the native program twice: for any processor of the architecture, and for this one."""
    run_compiler([*command, "-o", native])
    run_compiler([*command, *tune.split(), "-o", tuned_native(native)])


def build_c(source, entry, wasm, native, level):
    cxx = source.suffix == ".cpp"
    clang = compiler("clang++-19", "clang++") if cxx else compiler("clang-19", "clang")
    common = [clang, f"-O{level}", *FLAGS, *(CXX_FLAGS if cxx else C_FLAGS), source]
    features = [f"-m{need}" for need in entry.needs if need in CLANG_FEATURES]
    if wasm:
        run_compiler([*common, *WASM_FLAGS, *features, "-o", wasm])
    native_builds([*common, "-lm"], native)
    return True


def build_rust(source, wasm, native, level):
    """False without a compiler for WASI."""
    rustc = rustc_for_wasi()
    if not rustc:
        return False
    common = ["--edition", "2021", "-C", f"opt-level={level}", source]
    run_compiler([*rustc, "-C", "strip=debuginfo", *common, "-o", wasm])
    native_builds([rustc[0], *common], native, "-C target-cpu=native")
    return True


def translate_text(source, wasm):
    """Makes a module of a guest in the text format, with wasmrun itself."""
    wasmrun = engines.find(engines.OURS) or fail(f"{source.name} needs wasmrun (./dev build)")
    whole = wasm.with_suffix(".wat")
    whole.write_text(f"(module\n{TEXT_PRELUDE.read_text()}{source.read_text()})\n")
    run_compiler([wasmrun[0], "wat2wasm", whole, "-o", wasm])


def build_guest(entry, build_dir, level="2"):
    """Compiles a guest, unless up to date; its Program, or None without a compiler for it."""
    found = [GUESTS / f"{entry.name}{suffix}" for suffix in (".c", ".cpp", ".rs", ".wat")]
    found = [source for source in found if source.exists()]
    if not found:
        fail(f"programs.txt: {entry.name}: no such guest")
    source, text = found[0], found[-1] if found[-1].suffix == ".wat" else None
    wasm, native = build_dir / f"{entry.name}.wasm", build_dir / entry.name
    sources = [*found, GUESTS / "bench.h", TEXT_PRELUDE, pathlib.Path(__file__), HERE / "programs.txt"]
    if not all(newer(file, sources) for file in (wasm, native, tuned_native(native))):
        if source.suffix == ".rs":
            built = build_rust(source, wasm, native, level)
        else:
            built = build_c(source, entry, None if text else wasm, native, level)
        if not built:
            print(f"{entry.name}: left out, no compiler for WASI", file=sys.stderr)
            return None
        if text:
            translate_text(text, wasm)
    return Program(*entry[:4], wasm, native, [])


def scaled(text, scale):
    """The text with {N} replaced by N times the scale, at least 1."""
    return re.sub(r"\{(\d+)\}", lambda m: str(max(1, round(int(m.group(1)) * scale))), text)


def build_real(entry, options):
    """Builds one of real/, see real.sh; its Program, or None where that fails."""
    command = [HERE / "real.sh", entry.name, options.real_cache]
    if subprocess.run(command).returncode != 0:
        print(f"{entry.name}: left out, not built", file=sys.stderr)
        return None
    folder = options.real_cache / "bench" / entry.name
    args = [scaled(arg, options.scale) for arg in (folder / "args").read_text().splitlines()]
    ignore = (folder / "ignore").read_text() or None
    files = folder / f"{entry.name}.wasm", folder / "native"
    return Program(*entry[:4], *files, args, folder / "input", ignore)


def build(entries, options):
    """The Programs of the entries that are ours or real, compiled."""
    folder = options.build_dir / ("" if options.level == "2" else f"O{options.level}")
    folder.mkdir(parents=True, exist_ok=True)
    percent = f"{max(1, round(options.scale * 100))}%"
    guests = [e for e in entries if e.set in SETS and e.group != REAL]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        built = pool.map(lambda e: build_guest(e, folder, options.level), guests)
        programs = [program._replace(args=[percent]) for program in built if program]
    built = [build_real(e, options) for e in entries if e.group == REAL]
    return programs + [program for program in built if program]


def from_option(text):
    """The Program of a --module option: NAME=FILE[,ARG...]. The native program is FILE with the ending .native."""
    name, equals, rest = text.partition("=")
    file, *args = rest.split(",")
    if not equals or not os.path.isfile(file):
        fail(f"--module {text}: NAME=FILE[,ARG...] wanted, with an existing file")
    wasm = pathlib.Path(file)
    native = wasm.with_suffix(".native")
    return Program(name, "unseen", "modules", [], wasm, native if native.exists() else None, args)
