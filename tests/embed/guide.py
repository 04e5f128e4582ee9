#!/usr/bin/env python3
"""Does what the first part of docs/embedding.md says: puts its pieces together to a program, in their order, builds it
with a library, and runs it on plugins that report, spin and exit.

usage: guide.py SOURCE-FOLDER LIBRARY WASMRUN COMPILER FLAG...
"""
from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

HEAD = """(module
 (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
 (import "app" "report" (func $report (param i32 i32)))
 (memory (export "memory") 1) (data (i32.const 16) "\\40\\00\\00\\00\\80")
 (func $spin (loop (br 0)))
 (func $name (drop (call $read (i32.const 0) (i32.const 16) (i32.const 1) (i32.const 0)))
  (call $report (i32.const 64) (i32.load (i32.const 0))))
 (func (export "_start")"""
# What the plugin does: what it prints, what is told of it.
PLUGINS = [
    ("(call $name)", "Ada\n", r""),
    ("(call $spin)", "", r"trap: (out of fuel|deadline exceeded)\n    0: \S+ (\S+!)?spin\+\S+\n    1: \S+ (\S+!)?_start\+\S+\n"),
    ("(call $report (i32.const -8) (i32.const 9))", "", r"trap: report: not in the plugin's memory\n.*"),
    ("(call $exit (i32.const 3))", "", r""),
    ("none", "", r"error: there is no such function\n"),
]


def program(guide: str) -> str:
    part = guide[guide.index("## Ten minutes") : guide.index("## Rules")]
    blocks = [textwrap.dedent(b) for b in re.findall(r"(?:^    .*\n|^\n(?=    ))+", part, re.M)]
    functions, body = [], []
    for block in blocks:
        found = re.findall(r"^static .*?^}\n", block, re.M | re.S)
        functions += found
        for function in found:
            block = block.replace(function, "")
        if ";" in block:
            body.append(block)
    end = "wr_wasi_delete(wasi);\nwr_linker_delete(linker);\nwr_module_delete(module);\nwr_engine_delete(engine);\nreturn 0;\n"
    return "#include <stdio.h>\n#include <wasmrun.h>\n" + "".join(functions) + "int main(void) {\n" + "".join(body) + end + "}\n"


def main(folder: str, library: str, wasmrun: str, *compiler: str) -> int:
    source = program((Path(folder) / "docs/embedding.md").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "guide.c").write_text(source, encoding="utf-8")
        include = f"-I{folder}/embed/include"
        warnings = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter"]
        command = [*compiler, *warnings, include, "guide.c", library, "-lpthread", "-lm", "-o", "guide"]
        subprocess.run(command, cwd=scratch, check=True)
        for body, output, told in PLUGINS:
            text = f"{HEAD} {body}))" if "none" not in body else "(module)"
            Path(scratch, "plugin.wat").write_text(text, encoding="utf-8")
            subprocess.run([wasmrun, "wat2wasm", "plugin.wat", "-o", "plugin.wasm"], cwd=scratch, check=True)
            done = subprocess.run(["./guide"], cwd=scratch, capture_output=True, text=True)
            if done.returncode or done.stdout != output or not re.fullmatch(told, done.stderr, re.S):
                print(f"{body}: {done}")
                return 1
    print(f"{source.count(chr(10))} lines of the guide, {len(PLUGINS)} plugins")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
