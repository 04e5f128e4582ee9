"""Engines that compile ahead: each module is compiled before anything is measured.

What is measured is then start-up and code, not the compiler. What is up to date is not compiled again.
"""

import os
import pathlib
import shlex
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
WASM2C_FILES = "/usr/share/wabt/wasm2c"  # Debian's; or WASM2C_FILES


def command(variable, name):
    """The command in an environment variable, else `name` on PATH; None if there is none."""
    words = shlex.split(os.environ.get(variable, name))
    return words if words and shutil.which(words[0]) else None


def run(words, folder):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, cwd=folder)
    if done.returncode == 0:
        return True
    complaint = (done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or [""])[0]
    print(f"{pathlib.Path(words[-1]).name}: {pathlib.Path(words[0]).name}: {complaint}", file=sys.stderr)
    return False


def wasm2c(wasm, folder):
    """wabt's: C, compiled by clang -O3. The program itself."""
    files = pathlib.Path(os.environ.get("WASM2C_FILES", WASM2C_FILES))
    translator = command("WASM2C", "wasm2c")
    clang = command("WASM2C_CC", "clang-19") or command("WASM2C_CC", "clang")
    if not translator or not clang:
        return None
    program = folder / "program"
    parts = ["wasm-rt-impl.c", "wasm-rt-mem-impl.c", "wasm-rt-exceptions-impl.c"]  # older ones are one
    there = [files / part for part in parts if (files / part).exists()]
    naming = ["-DWASM2C_OLD"] if len(there) == 1 else []
    flags = ["-O3", "-march=native", "-w", "-I", folder, "-I", files, "-ffp-contract=off", *naming]
    steps = [[*translator, "-n", "guest", "-o", "guest.c", wasm],
             [*clang, *flags, "guest.c", HERE / "wasm2c_host.c", *there, "-lm", "-o", program]]
    return steps, [str(program)]


def wamr(wasm, folder):
    """WAMR's compiler wamrc -O3, and its runtime (IWASM_AOT)."""
    compiler, runtime = command("WAMRC", "wamrc"), command("IWASM_AOT", "iwasm")
    if not compiler or not runtime:
        return None
    target = folder / "program.aot"
    return ([[*compiler, "--opt-level=3", "--enable-tail-call", "-o", target, wasm]],
            [*runtime, "--stack-size=8388608", str(target)])


def wasmtime(wasm, folder):
    """wasmtime compile, and run --allow-precompiled."""
    found = command("WASMTIME", "wasmtime")
    if not found:
        return None
    target = folder / "program.cwasm"
    return [[*found, "compile", "-o", target, wasm]], [*found, "run", "--allow-precompiled", str(target)]


def wasmrun(wasm, folder):
    """wasmrun compile, and the artifact: without looking into the cache."""
    found = command("WASMRUN", str(HERE.parent.parent / "build/release/wasmrun"))
    if not found:
        return None
    target = folder / "program.wasmrun"
    return [[*found, "compile", "-o", target, wasm]], [*found, "run", str(target)]


# Engine: what makes (steps, the command that runs it) of a module and a folder; None where it is not there.
KNOWN = {"wasm2c": wasm2c, "wamr-aot": wamr, "wasmtime-aot": wasmtime, "wasmrun-artifact": wasmrun}


def is_there(name):
    return KNOWN[name](pathlib.Path("x"), pathlib.Path("y")) is not None


def compilers(steps):
    """The programs that the steps start; wasmrun's has another one beside it."""
    for words in steps:
        file = pathlib.Path(shutil.which(words[0]))
        yield file
        if (compiler := file.with_name("wasmrun-aot")).exists():
            yield compiler


def prepare(name, program, build_dir):
    """The command that runs the program (without its arguments), or None where compiling it fails."""
    folder = (build_dir / "ahead" / name / program.name).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    steps, runs = KNOWN[name](program.wasm.resolve(), folder)
    done, stamp = folder / "done", "\n".join(shlex.join(str(w) for w in words) for words in steps)
    newest = max(os.stat(file).st_mtime for file in [program.wasm, HERE / "wasm2c_host.c", *compilers(steps)])
    if done.exists() and done.read_text() == stamp and done.stat().st_mtime > newest:
        return runs
    done.unlink(missing_ok=True)
    if not all(run(words, folder) for words in steps):
        return None
    done.write_text(stamp)
    return runs


def prepare_all(programs, engines, build_dir):
    """(program name, engine name) -> command, for the engines that compile ahead."""
    return {
        (program.name, name): prepare(name, program, build_dir)
        for name in engines
        if name in KNOWN
        for program in programs
    }
