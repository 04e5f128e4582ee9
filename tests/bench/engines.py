"""The engines that run.py measures: what they are called, and how each runs a module."""

import os
import pathlib
import shlex
import shutil
import sys

import ahead

TOP = pathlib.Path(__file__).resolve().parent.parent.parent

OURS = "wasmrun"
COMPILED = "wasmrun-aot"  # the same command; the first of several passes compiles
AUTO = "wasmrun-auto"  # likewise
FUEL = "wasmrun-fuel"  # compiled code that counts fuel
MIGRATABLE = "wasmrun-migratable"  # compiled code whose frames can be written down
ARTIFACT = "wasmrun-artifact"  # compiled before (ahead.py)
NATIVE = "native"
NATIVE_CPU = "native-cpu"  # compiled for this machine's processor, as compiled code of most engines is

NODE_HOST = """
const { WASI } = require("node:wasi");
const args = process.argv.slice(1);
const wasi = new WASI({ version: "preview1", args, env: {}, preopens: {} });
const module = new WebAssembly.Module(require("node:fs").readFileSync(args[0]));
const imports = wasi.getImportObject ? wasi.getImportObject() : wasi.getImports(module);
wasi.start(new WebAssembly.Instance(module, imports));
"""
NODE = ["--no-warnings", "-e", NODE_HOST, "--"]
# V8's optimising compiler at once: it does not replace code of its first one that is running.
TURBOFAN = ["--no-liftoff", "--no-wasm-lazy-compilation"]
BUN = ["-e", NODE_HOST, "--"]

# Engine: (environment variable, options before the module). The interpreters' default stacks are
# too small for deep recursion.
KNOWN = {
    OURS: ("WASMRUN", ["run", "--engine=interp"]),
    COMPILED: ("WASMRUN", ["run", "--engine=aot"]),
    AUTO: ("WASMRUN", ["run"]),
    FUEL: ("WASMRUN", ["run", "--engine=aot", "--fuel=1000000000000000"]),
    MIGRATABLE: ("WASMRUN", ["run", "--engine=aot", "--migratable"]),
    "wasm3": ("WASM3", ["--stack-size", "8388608"]),
    "iwasm": ("IWASM", ["--stack-size=8388608"]),
    "toywasm": ("TOYWASM", ["--wasi", "--"]),
    "wizard": ("WIZENG", ["--mode=int"]),
    "wasmi": ("WASMI", []),
    "wasmtime": ("WASMTIME", ["run"]),
    "node": ("NODE", NODE),
    "node-turbofan": ("NODE", TURBOFAN + NODE),
    "bun": ("BUN", BUN),
    "bun-ipint": ("BUN", BUN),
}
ON_DEMAND = ("node-turbofan", FUEL, MIGRATABLE)  # run only if --engines names them
# What an engine that is a mode of another runs under: JavaScriptCore's in-place interpreter alone.
WRAPPERS = {"bun-ipint": ["env", "BUN_JSC_useBBQJIT=0", "BUN_JSC_useOMGJIT=0"]}


def fail(message):
    sys.exit(f"bench: {message}")


def find(name):
    """The command of an engine, as a list to which the module and its arguments are appended."""
    variable, prefix = KNOWN[name]
    path = os.environ.get(variable)
    if path is None:
        path = TOP / "build/release/wasmrun" if KNOWN[name][0] == "WASMRUN" else name.partition("-")[0]
        path = shlex.quote(shutil.which(str(path)) or "")
    command = shlex.split(path)
    if not command or not command[0]:
        return None
    if not shutil.which(command[0]):
        fail(f"{variable}={path}: not a command")
    return WRAPPERS.get(name, []) + command + prefix


def with_command(option, text):
    """(name, command) of --add or --ours NAME=COMMAND."""
    name, _, command = text.partition("=")
    return name, shlex.split(command) or fail(f"{option} {text}: NAME=COMMAND wanted")


def choose(options):
    """(engine name -> command, the set of names that are ours). native's command is None, and that of
    engines that compile ahead (ahead.py), which run only if they are asked for: it depends on the program."""
    usual = [name for name in KNOWN if name not in ON_DEMAND]
    wanted = options.engines.split(",") if options.engines else [*usual, NATIVE]
    engines, ours = {}, set()
    for text in options.ours:
        name, engines_command = with_command("--ours", text)
        engines[name] = engines_command
        ours.add(name)
    for name in wanted:
        if name == OURS and ours and not options.engines:
            continue
        if name in (NATIVE, NATIVE_CPU):
            engines[name] = None
        elif name in ahead.KNOWN:
            engines[name] = None if ahead.is_there(name) else fail(f"engine {name} not found")
            ours |= {name} & {ARTIFACT}
        elif name not in KNOWN:
            fail(f"no engine {name!r}; there are {', '.join([*KNOWN, *ahead.KNOWN, NATIVE, NATIVE_CPU])}")
        elif command := find(name):
            engines[name] = command
            ours |= {name} & {OURS}
        elif options.engines:
            fail(f"engine {name} not found")
    for text in options.add:
        name, engines[name] = with_command("--add", text)
    return engines, ours
