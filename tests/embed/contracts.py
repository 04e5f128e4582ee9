#!/usr/bin/env python3
"""What wasmrun.h promises of all its functions, as far as a script can see it.

usage: contracts.py SOURCE-FOLDER

Ownership: what has a delete function is passed out, or deleted, as `own`. Errors: what can fail has to be looked at.
Const: what only looks takes const; text and bytes that go in are const. FFI: constants are enumerators, no function
is in the header, no structure is passed by value. Threads: each group of functions in docs/embedding.md says who may
call them.
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

# Macros of the compiler and of the version; UNCHANGED is no int, as enumerators are.
MACROS = {"WASMRUN_H", "WR_API", "WR_NODISCARD", "own", "WR_WASI_UNCHANGED"}
# What lends a thing that has a delete function: it belongs to its store, or to an object of wasm.h.
LENDERS = re.compile(r"wr_caller_store|wr_instance_module|wr_\w+_of_wasm")
# What makes an error as its result, instead of failing with one.
MAKERS = re.compile(r"wr_(trap|exit|throw|error)_new|wr_call_backtrace|wr_wat_locate")
LOOKS = re.compile(r"(?<!_set_engine)_(get_\w+|count|total|size|kind|message|offset|place|code|status|signature|type|is_\w+|has_\w+|stats)$")
OUTPUTS = {"buffer", "to", "bytes", "target", "text"}


def functions(text: str) -> list[tuple[str, str, list[str]]]:
    """Result, name and parameters of each function, without comments."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    found = []
    for result, name, params in re.findall(r"^WR_API\s+([^;]*?)(wr_\w+)\(((?:[^()]|\([^()]*\))*)\)[^;]*;", text, re.M):
        parts = re.split(r",(?![^(]*\))", " ".join(params.split()))
        found.append((" ".join(result.split()), name, [p.strip() for p in parts if p.strip() not in ("", "void")]))
    return found


def wrong(result: str, name: str, params: list[str], deletable: set[str]) -> list[str]:
    found = []
    error = re.fullmatch(r"(WR_NODISCARD )?(own )?(const )?wr_error_t \*", result)
    if error and not error[3] and not error[2]:
        found.append("an error that nobody owns")
    if error and error[2] and not error[1] and not MAKERS.fullmatch(name):
        found.append("can fail, but is no WR_NODISCARD")
    kind = re.fullmatch(r"(?:WR_NODISCARD )?(own )?(const )?(wr_\w+_t) \*", result)
    if kind and kind[3] in deletable and bool(kind[1]) == bool(kind[2] or LENDERS.fullmatch(name)):
        found.append(f"its result, a {kind[3]}, is neither own nor known to be lent")
    for param in params:
        passed = re.fullmatch(r"(own )?(wr_\w+_t) \*\*\w+", param)
        if passed and passed[2] in deletable and not passed[1]:
            found.append(f"passes out, not own: {param}")
        if re.fullmatch(r"(char|void|uint8_t) \*(?!context|value|data|key)\w+", param) and param.split("*")[1] not in OUTPUTS:
            found.append(f"goes in, but is not const: {param}")
        if re.fullmatch(r"(const )?wr_\w+_t \w+", param) and param.split()[-2] in deletable:
            found.append(f"passed by value: {param}")
    if name.endswith("_delete") and not params[0].startswith("own "):
        found.append("deletes what is not own")
    if LOOKS.search(name) and params and re.match(r"wr_\w+_t \*", params[0]):
        found.append(f"only looks, but takes no const: {params[0]}")
    return found


def groups_without_threads(guide: str) -> list[str]:
    reference = guide[guide.index("\n## Reference") :]
    groups = re.split(r"\n##+ ", reference)
    return [g.split("\n")[0] for g in groups if "| functions | for |" in g and not re.search(r"\bThreads: ", g)]


def main(folder: str) -> int:
    header = (Path(folder) / "embed/include/wasmrun.h").read_text(encoding="utf-8")
    declared = functions(header)
    names = {name for _, name, _ in declared}
    if len(declared) != header.count("\nWR_API "):
        sys.exit(f"{len(declared)} of {header.count(chr(10) + 'WR_API ')} declarations are understood")
    deletable = {f"{name[: -len('_delete')]}_t" for name in names if name.endswith("_delete")}
    problems = [f"{name}: {p}" for result, name, params in declared for p in wrong(result, name, params, deletable)]
    for macro in re.findall(r"^#define (\w+)", header, re.M):
        if macro not in MACROS and not macro.startswith("WR_VERSION_"):
            problems.append(f"{macro}: a macro, which other languages cannot see")
    problems += [f"a function in the header: {line}" for line in re.findall(r"^static .*", header, re.M)]
    guide = (Path(folder) / "docs/embedding.md").read_text(encoding="utf-8")
    problems += [f"docs/embedding.md does not say which threads: {g}" for g in groups_without_threads(guide)]
    print("\n".join(problems) if problems else f"{len(declared)} functions, {len(deletable)} kinds that are owned")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
