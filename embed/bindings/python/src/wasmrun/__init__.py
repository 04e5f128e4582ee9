"""wasmrun for Python: WebAssembly in a sandbox.

    from wasmrun import Engine, Linker, Module, Store, Wasi

    engine = Engine()
    linker = Linker(engine)
    linker.define_wasi()
    store = Store(engine, wasi=Wasi(args=["hello"], stdout="inherit"), timeout=10)
    status = linker.instantiate(store, Module.from_file(engine, "hello.wasm")).run()

Engines, modules, linkers and pre-linked modules may be shared by threads. A store, and what belongs to it, is used by
one thread at a time: a second one gets a UsageError. Guests run without the interpreter's lock.
"""
from ._engine import (
    Engine,
    EngineKind,
    Export,
    ExternKind,
    ExternType,
    Import,
    LogLevel,
    MemoryMode,
    Module,
    ValueKind,
    wat_to_wasm,
)
from ._errors import (
    ErrorKind,
    Exit,
    FileError,
    Frame,
    GuestException,
    InvalidError,
    LinkError,
    MalformedError,
    OutOfMemoryError,
    Trap,
    TrapCode,
    UsageError,
    WasmrunError,
)
from ._files import File, FileKind, Files, FileStat, MemoryFiles, OpenFlags
from ._library import version as library_version
from ._linker import Linker, Prelinked, PrelinkedStats
from ._objects import Call, Caller, Exports, Extern, Func, Global, Instance, Memory, Table, Tag
from ._store import Store
from ._values import ObjectKind, Reference, Value
from ._wasi import Completed, Wasi, run_wasi

__all__ = [
    "Call",
    "Caller",
    "Completed",
    "Engine",
    "EngineKind",
    "ErrorKind",
    "Exit",
    "Export",
    "Exports",
    "Extern",
    "ExternKind",
    "ExternType",
    "File",
    "FileError",
    "FileKind",
    "FileStat",
    "Files",
    "Frame",
    "Func",
    "Global",
    "GuestException",
    "Import",
    "Instance",
    "InvalidError",
    "LinkError",
    "Linker",
    "LogLevel",
    "MalformedError",
    "Memory",
    "MemoryFiles",
    "MemoryMode",
    "Module",
    "ObjectKind",
    "OpenFlags",
    "OutOfMemoryError",
    "Prelinked",
    "PrelinkedStats",
    "Reference",
    "Store",
    "Table",
    "Tag",
    "Trap",
    "TrapCode",
    "UsageError",
    "Value",
    "ValueKind",
    "Wasi",
    "WasmrunError",
    "library_version",
    "run_wasi",
    "wat_to_wasm",
]
__version__ = library_version
