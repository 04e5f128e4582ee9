#!/usr/bin/env python3
"""The declarations of wasmrun.h in other languages, which are made from the header and checked in.

    declarations.py                  write the bindings' declarations
    declarations.py --check          fail if those that lie here are not the header's
    declarations.py --layout FILE    write a C program that compiles if layouts are as the bindings have them
    declarations.py --abi FILE       fail if the interface and FILE, a list of what it has, differ; with --write, add
                                     to FILE what it lacks

The header is written for this: a declaration is a statement of its own, nothing needs the preprocessor. Not
a C parser: what it does not know is an error, not a guess.
"""
from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
HEADER = HERE.parent / "include" / "wasmrun.h"
RUST = HERE / "rust" / "wasmrun-sys" / "src" / "declarations.rs"
PYTHON = HERE / "python" / "src" / "wasmrun" / "_declarations.py"

# ---- the model ------------------------------------------------------------------------------------


@dataclass
class Type:
    """A base type behind pointers, outermost last; each says whether what it points to is const."""

    base: str
    pointers: list[bool] = field(default_factory=list)
    array: int = 0
    callback: Callback | None = None


@dataclass
class Member:
    name: str
    type: Type


@dataclass
class Callback:
    result: Type
    params: list[Member]


@dataclass
class Function:
    name: str
    result: Type
    params: list[Member]
    variadic: bool
    doc: str


@dataclass
class Record:
    name: str
    is_union: bool
    members: list[Member]
    doc: str


@dataclass
class Enum:
    name: str
    values: list[tuple[str, int, str]]
    doc: str


@dataclass
class Interface:
    version: str = ""
    constants: list[tuple[str, int]] = field(default_factory=list)
    opaque: list[str] = field(default_factory=list)
    enums: list[Enum] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    callbacks: list[tuple[str, Callback, str]] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)


# ---- reading the header ---------------------------------------------------------------------------


def statements(text: str) -> list[tuple[str, str]]:
    """Statements up to their semicolon at depth 0, each with the comment right before it, or behind it in its line."""
    found: list[tuple[str, str]] = []
    body, doc, depth, same_line = "", "", 0, False
    for piece in re.findall(r"/\*.*?\*/|\n|[{};]|[^{};/\n]+|/", text, re.S):
        if piece.startswith("/*"):
            if depth:
                body += piece
            elif same_line and not found[-1][1]:
                found[-1] = (found[-1][0], comment(piece))
            elif not body.strip():
                body, doc = "", comment(piece)
            continue
        if piece == "\n":
            if body == "\n":
                doc = ""
            same_line = False
        body += piece
        depth += {"{": 1, "}": -1}.get(piece, 0)
        if piece == ";" and depth == 0:
            found.append((re.sub(r"\s+", " ", body[:-1]).strip(), doc))
            body, doc, same_line = "", "", True
    if body.strip():
        raise SystemExit(f"{HEADER.name}: no statement: {body.strip()[:80]!r}")
    return found


def comment(piece: str) -> str:
    if piece.startswith("/* ----"):
        return ""
    lines = [re.sub(r"^\s*\*? ?", "", line).rstrip() for line in piece[2:-2].strip().split("\n")]
    return "\n".join(lines).strip()


def read_declarator(text: str) -> Member:
    """`const char *const *argv`, `uint8_t v128[16]`, `void (*f)(void *context)`, or a type without a name."""
    text = text.replace("own ", "").strip()
    pointer = re.fullmatch(r"(.*?)\(\*\s*(\w*)\)\s*\((.*)\)", text)
    if pointer:
        result, name, params = pointer.groups()
        callback = Callback(read_declarator(result).type, read_params(params)[0])
        return Member(name, Type("", callback=callback))
    array = 0
    dimension = re.search(r"\[(\d+)\]$", text)
    if dimension:
        array, text = int(dimension[1]), text[: dimension.start()]
    tokens = re.findall(r"\w+|\*", text)
    name = ""
    if len(tokens) > 1 and tokens[-1] not in ("*", "const") and tokens[-2:-1] != ["struct"]:
        if [t for t in tokens[:-1] if t not in ("const", "struct")]:
            name = tokens.pop()
    const, base, pointers = False, "", []
    for token in tokens:
        if token == "const":
            const = True
        elif token == "*":
            pointers.append(const)
            const = False
        elif token != "struct":
            if base:
                raise SystemExit(f"{HEADER.name}: no declarator: {text!r}")
            base = token
    return Member(name, Type(base, pointers, array))


def read_params(text: str) -> tuple[list[Member], bool]:
    parts, depth, part = [], 0, ""
    for c in text:
        depth += {"(": 1, ")": -1}.get(c, 0)
        if c == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += c
    parts = [p.strip() for p in parts + [part] if p.strip() and p.strip() != "void"]
    variadic = parts[-1:] == ["..."]
    return [read_declarator(p) for p in (parts[:-1] if variadic else parts)], variadic


def read_enum(name: str, body: str, doc: str) -> Enum:
    values, next_value = [], 0
    body = re.sub(r"^\s*/\*.*?\*/", "", body)  # about all of them
    for entry in re.findall(r"(\w+)(?: = (\w+))?\s*,?\s*(/\*.*?\*/)?", body):
        next_value = int(entry[1], 0) if entry[1] else next_value
        values.append((entry[0], next_value, comment(entry[2]) if entry[2] else ""))
        next_value += 1
    return Enum(name, values, doc)


def read_record(interface: Interface, name: str, is_union: bool, body: str, doc: str) -> None:
    """A union inside without a name of its own becomes one of that name: wr_val_t's `of` is wr_val_of."""
    body = re.sub(r"/\*.*?\*/", "", body)

    def inner(match: re.Match[str]) -> str:
        inner_name = f"{name[:-2]}_{match[2]}"
        read_record(interface, inner_name, True, match[1], f"The `{match[2]}` of a [`{name}`].")
        return f"{inner_name} {match[2]};"

    body = re.sub(r"union \{(.*?)\} (\w+);", inner, body)
    members = []
    for line in filter(None, (part.strip() for part in body.split(";"))):
        members += read_members(line)
    interface.records.append(Record(name, is_union, members, doc))


def read_members(line: str) -> list[Member]:
    if "(" in line or "," not in line:
        return [read_declarator(line)]
    first, *others = line.split(",")
    member = read_declarator(first)
    prefix = first[: first.rindex(member.name)]
    base = prefix.split("*")[0]
    return [member] + [read_declarator(base + other) for other in others]


def read_statement(interface: Interface, text: str, doc: str) -> None:
    text = re.sub(r"__attribute__\(\(.*\)\)\)?", "", text).strip()
    if re.fullmatch(r"struct \w+", text):
        interface.opaque.append(text[7:])
    elif match := re.fullmatch(r"typedef struct (\w+) (\w+)", text):
        interface.opaque.append(match[2])
    elif match := re.fullmatch(r"enum \{(.*)\}", text):  # flags, which are passed as integers
        interface.constants += [(name, value) for name, value, _ in read_enum("", match[1], doc).values]
    elif match := re.fullmatch(r"typedef enum \w+ \{(.*)\} (\w+)", text):
        interface.enums.append(read_enum(match[2], match[1], doc))
    elif match := re.fullmatch(r"typedef (struct|union) \w+ \{(.*)\} (\w+)", text):
        read_record(interface, match[3], match[1] == "union", match[2], doc)
    elif match := re.fullmatch(r"typedef (.*\(\*\w+\).*)", text):
        member = read_declarator(match[1])
        assert member.type.callback
        interface.callbacks.append((member.name, member.type.callback, doc))
    elif match := re.fullmatch(r"WR_API (.*?)(\w+)\((.*)\)", text):
        result = read_declarator(match[1].replace("WR_NODISCARD", ""))
        params, variadic = read_params(re.sub(r"/\*.*?\*/", "", match[3]))
        interface.functions.append(Function(match[2], result.type, params, variadic, doc))
    else:
        raise SystemExit(f"{HEADER.name}: no declaration: {text!r}")


def check_types(interface: Interface) -> None:
    """That the header declares what it uses, and that both languages have it."""
    known = set(RUST_BASES) & set(PYTHON_BASES) | set(interface.opaque)
    known |= {thing.name for thing in interface.enums} | {thing.name for thing in interface.records}
    known |= {name for name, _, _ in interface.callbacks}

    def check(where: str, t: Type) -> None:
        if t.callback:
            for part in [t.callback.result] + [p.type for p in t.callback.params]:
                check(where, part)
        elif t.base not in known:
            raise SystemExit(f"{HEADER.name}: unknown type {t.base!r} in {where}")

    for name, callback, _ in interface.callbacks:
        check(name, Type("", callback=callback))
    for record in interface.records:
        for member in record.members:
            check(record.name, member.type)
    for function in interface.functions:
        for t in [function.result] + [p.type for p in function.params]:
            check(function.name, t)


def read_header() -> Interface:
    text = HEADER.read_text(encoding="utf-8")
    interface = Interface()
    version = re.search(r'#define WR_VERSION_STRING "([^"]+)"', text)
    interface.version = version[1] if version else ""
    start, end = text.index("#define own"), text.rindex("#ifdef __cplusplus")
    body = re.sub(r"#define own.*", "", text[start:end])
    for statement, doc in statements(re.sub(r"^#.*$", "", body, flags=re.M)):
        read_statement(interface, statement, doc)
    check_types(interface)
    return interface


# ---- Rust -----------------------------------------------------------------------------------------

RUST_BASES = {
    "void": "c_void", "char": "c_char", "bool": "bool", "int": "c_int", "unsigned": "c_uint", "size_t": "usize", "float": "f32",
    "double": "f64", "uint8_t": "u8", "uint32_t": "u32", "uint64_t": "u64", "int32_t": "i32", "int64_t": "i64",
}  # fmt: skip
RUST_KEYWORDS = {"type", "in", "fn", "ref", "move"}


def rust_name(name: str) -> str:
    return f"r#{name}" if name in RUST_KEYWORDS else name


def rust_callback(callback: Callback) -> str:
    params = ", ".join(f"{rust_name(p.name)}: {rust_type(p.type)}" for p in callback.params)
    return f'Option<unsafe extern "C" fn({params}){rust_result(callback.result)}>'


def rust_type(t: Type) -> str:
    if t.callback:
        return rust_callback(t.callback)
    text = RUST_BASES.get(t.base, t.base)
    for const in t.pointers:
        text = f"*{'const' if const else 'mut'} {text}"
    return f"[{text}; {t.array}]" if t.array else text


def rust_result(t: Type) -> str:
    return "" if t.base == "void" and not t.pointers else f" -> {rust_type(t)}"


def rust_doc(text: str, indent: str = "") -> list[str]:
    return [f"{indent}/// {line}".rstrip() for line in text.split("\n")] if text else []


def rust_record(record: Record) -> list[str]:
    out = rust_doc(record.doc)
    out += ["#[repr(C)]", "#[derive(Clone, Copy)]"]
    out.append(f"pub {'union' if record.is_union else 'struct'} {record.name} {{")
    out += [f"    pub {rust_name(m.name)}: {rust_type(m.type)}," for m in record.members]
    return out + ["}", ""]


def rust_functions(interface: Interface) -> list[str]:
    out = ['extern "C" {']
    for f in interface.functions:
        params = [f"{rust_name(p.name)}: {rust_type(p.type)}" for p in f.params] + ["..."] * f.variadic
        out += rust_doc(f.doc, "    ")
        out.append(f"    pub fn {f.name}({', '.join(params)}){rust_result(f.result)};")
    return out + ["}", ""]


def rust_test(records: list[Record]) -> list[str]:
    out = ["#[cfg(all(test, target_pointer_width = \"64\"))]", "#[test]", "fn layouts() {"]
    out += ["    use std::mem::{align_of, size_of};"]
    for r, (size, align, _) in zip(records, layouts(records)):
        out.append(f"    assert_eq!((size_of::<{r.name}>(), align_of::<{r.name}>()), ({size}, {align}));")
    return out + ["}"]


def rust(interface: Interface) -> str:
    out = ["// Made from wasmrun.h by embed/bindings/declarations.py: change the header, not this.", ""]
    out += ["use std::os::raw::{c_char, c_int, c_uint, c_void};", ""]
    out += ["/// Of the header that these declarations were made from."]
    out += [f'pub const WR_VERSION_STRING: &str = "{interface.version}";']
    out += [f"pub const {name}: u32 = {value};" for name, value in interface.constants]
    out.append("")
    for name in interface.opaque:
        out += ["#[repr(C)]", f"pub struct {name} {{", "    _opaque: [u8; 0],", "}"]
    out.append("")
    for enum in interface.enums:
        out += rust_doc(enum.doc) + [f"pub type {enum.name} = c_uint;"]
        for name, value, doc in enum.values:
            out += rust_doc(doc) + [f"pub const {name}: {enum.name} = {value};"]
        out.append("")
    for name, callback, doc in interface.callbacks:
        out += rust_doc(doc) + [f"pub type {name} = {rust_callback(callback)};", ""]
    for record in interface.records:
        out += rust_record(record)
    return "\n".join(out + rust_functions(interface) + rust_test(interface.records)) + "\n"


# ---- Python ---------------------------------------------------------------------------------------

PYTHON_BASES = {
    "void": "None", "char": "c_char", "bool": "c_bool", "int": "c_int", "unsigned": "c_uint", "size_t": "c_size_t", "float": "c_float",
    "double": "c_double", "uint8_t": "c_uint8", "uint32_t": "c_uint32", "uint64_t": "c_uint64",
    "int32_t": "c_int32", "int64_t": "c_int64",
}  # fmt: skip


def python_callback(callback: Callback) -> str:
    types = [python_type(t, True) for t in [callback.result] + [p.type for p in callback.params]]
    return f"CFUNCTYPE({', '.join(types)})"


def python_type(t: Type, in_callback: bool = False) -> str:
    """Handles are numbers, and so is what may hold zeros. Strings that end in one are bytes."""
    if t.callback:
        return python_callback(t.callback)
    base = PYTHON_BASES.get(t.base, t.base)
    if t.array:
        return f"{base} * {t.array}"
    if not t.pointers:
        return base
    is_record = t.base.startswith("wr_") and t.base in KNOWN_RECORDS
    if len(t.pointers) == 1:
        if t.base == "char" and t.pointers[0]:
            return "c_char_p"
        if is_record and not in_callback:
            return f"POINTER({base})"
        if t.base in PYTHON_BASES and t.base not in ("void", "char", "uint8_t") and not t.pointers[0]:
            return f"POINTER({base})"
        return "c_void_p"
    return "POINTER(c_char_p)" if t.base == "char" and t.pointers == [True, True] else "POINTER(c_void_p)"


KNOWN_RECORDS: set[str] = set()


def python_record(record: Record) -> list[str]:
    out = [f"class {record.name}({'Union' if record.is_union else 'Structure'}):", "    _fields_ = ["]
    for m in record.members:
        text = python_type(m.type)
        if record.name == "wr_name_t" and m.name == "data":
            text = "c_void_p"  # not zero-terminated
        out.append(f'        ("{m.name}", {text}),')
    return out + ["    ]", "", ""]


PYTHON_HEAD = '''"""Made from wasmrun.h by embed/bindings/declarations.py: change the header, not this."""
# fmt: off
from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    Union,
    c_bool,
    c_char,
    c_char_p,
    c_double,
    c_float,
    c_int,
    c_int32,
    c_int64,
    c_size_t,
    c_uint,
    c_uint8,
    c_uint32,
    c_uint64,
    c_void_p,
)
from typing import Any
'''


def python(interface: Interface) -> str:
    KNOWN_RECORDS.update(r.name for r in interface.records)
    out = [PYTHON_HEAD, f'VERSION = "{interface.version}"']
    out += [f"{name} = {value}" for name, value in interface.constants]
    for enum in interface.enums:
        out += ["", f"{enum.name} = c_uint"]
        out += [f"{name} = {value}" for name, value, _ in enum.values]
    out.append("")
    out += [f"{name} = {python_callback(callback)}" for name, callback, _ in interface.callbacks]
    out += ["", ""]
    for record in interface.records:
        out += python_record(record)
    out += ["# Result and parameters of each function.", "FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {"]
    for f in interface.functions:
        params = ", ".join(python_type(p.type) for p in f.params)
        out.append(f'    "{f.name}": ({python_type(f.result)}, [{params}]),')
    return "\n".join(out + ["}"]) + "\n"


# ---- the binary interface ---------------------------------------------------------------------------

SIZES = {"bool": 1, "uint8_t": 1, "char": 1, "int": 4, "unsigned": 4, "float": 4, "uint32_t": 4, "int32_t": 4}


def layouts(records: list[Record]) -> list[tuple[int, int, list[int]]]:
    """Size, alignment and offsets of each, on hosts with pointers of 64 bits."""
    known: dict[str, tuple[int, int]] = {}
    found = []
    for record in records:
        end, align, offsets = 0, 1, []
        for m in record.members:
            size, own = (8, 8) if m.type.pointers or m.type.callback else known.get(m.type.base, (0, 0))
            if not size:
                size = SIZES.get(m.type.base, 4 if m.type.base.endswith("_t") and m.type.base in ENUMS else 8)
                own = size
            size *= m.type.array or 1
            start = 0 if record.is_union else -(-end // own) * own
            offsets.append(start)
            end, align = max(end, start + size), max(align, own)
        end = -(-end // align) * align
        known[record.name] = (end, align)
        found.append((end, align, offsets))
    return found


ENUMS: set[str] = set()


def c_program(interface: Interface) -> str:
    out = ["#include <stddef.h>", "#include <wasmrun.h>", "#if UINTPTR_MAX == UINT64_MAX"]
    for record, (size, _, offsets) in zip(interface.records, layouts(interface.records)):
        if not record.name.endswith("_t"):  # part of another one
            continue
        out.append(f'_Static_assert(sizeof({record.name}) == {size}, "{record.name}");')
        for m, offset in zip(record.members, offsets):
            out.append(f'_Static_assert(offsetof({record.name}, {m.name}) == {offset}, "{record.name}.{m.name}");')
    out.append("#endif")
    for enum in interface.enums:
        out.append(f'_Static_assert(sizeof({enum.name}) == sizeof(unsigned), "{enum.name}");')
        out += [f'_Static_assert({name} == {value}, "{name}");' for name, value, _ in enum.values]
    return "\n".join(out + ["int main(void) { return 0; }"]) + "\n"


def abi(interface: Interface) -> list[str]:
    """One line for each thing that compiled programs rely on; Rust's types, which say it all."""
    lines = [f"constant {name} = {value}" for name, value in interface.constants]
    lines += [f"constant {name} = {value}" for enum in interface.enums for name, value, _ in enum.values]
    lines += [f"callback {name}: {rust_callback(callback)}" for name, callback, _ in interface.callbacks]
    for record, (size, _, offsets) in zip(interface.records, layouts(interface.records)):
        members = [f"{o} {m.name}: {rust_type(m.type)}" for m, o in zip(record.members, offsets)]
        lines.append(f"layout {record.name}, {size} bytes: {'; '.join(members)}")
    for f in interface.functions:
        params = [rust_type(p.type) for p in f.params] + ["..."] * f.variadic
        lines.append(f"function {f.name}({', '.join(params)}){rust_result(f.result)}")
    return sorted(lines)


def check_abi(interface: Interface, path: Path, write: bool) -> int:
    """What is listed must hold, and everything must be listed. Writing adds only: what breaks programs, and has to be,
    is taken out of the list by hand."""
    now = abi(interface)
    listed = path.read_text(encoding="utf-8").split("\n")[:-1]
    gone, new = sorted(set(listed) - set(now)), sorted(set(now) - set(listed))
    for line in gone:
        print(f"{path.name}: not so any more: {line}")
    if write:
        path.write_text("\n".join(sorted(listed + new)) + "\n", encoding="utf-8")
        new = []
    for line in new:
        print(f"{path.name}: not listed, add it by `declarations.py --abi {path.name} --write`: {line}")
    print(f"{len(now) - len(new)} of {len(now)} entries of the interface are listed, {len(gone)} are broken")
    return 1 if gone or new or len(listed) < 250 else 0


# ---- the command ------------------------------------------------------------------------------------


def check_versions(interface: Interface) -> list[str]:
    """The crates', and the one that a crate wants of the other."""
    wrong = []
    for manifest in sorted((HERE / "rust").glob("*/Cargo.toml")):
        for version in re.findall(r'^(?:version = |wasmrun-sys = .*version = )"=?([^"]+)"', manifest.read_text(), re.M):
            if version != interface.version:
                wrong.append(f"{manifest.relative_to(HERE)}: version {version}, the header has {interface.version}")
    return wrong


def check(interface: Interface, outputs: dict[Path, str]) -> int:
    problems = check_versions(interface)
    for path, text in outputs.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            problems.append(f"{path.relative_to(HERE)} is not what wasmrun.h says: run embed/bindings/declarations.py")
    print("\n".join(problems) if problems else f"{len(interface.functions)} functions")
    return 1 if problems or len(interface.functions) < 150 else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--layout", type=Path)
    parser.add_argument("--abi", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    interface = read_header()
    ENUMS.update(e.name for e in interface.enums)
    outputs = {RUST: rust(interface), PYTHON: python(interface)}
    if arguments.layout:
        arguments.layout.write_text(c_program(interface), encoding="utf-8")
        return 0
    if arguments.abi:
        return check_abi(interface, arguments.abi, arguments.write)
    if arguments.check:
        return check(interface, outputs)
    for path, text in outputs.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
