"""Engines and modules: what stores share. Any number of threads may use them."""
from __future__ import annotations

import ctypes
import enum
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import _declarations as d
from ._errors import UsageError, check, raise_error
from ._handles import Owned, Ref, u64
from ._library import lib


class MemoryMode(enum.IntEnum):
    """How guests' memories are bounded."""

    AUTO = d.WR_MEMORY_AUTO
    GUARD = d.WR_MEMORY_GUARD
    EXPLICIT = d.WR_MEMORY_EXPLICIT


class EngineKind(enum.IntEnum):
    """How functions are run. COMPILED takes the program wasmrun-aot: beside the library, or where WASMRUN_AOT says."""

    INTERPRETER = d.WR_ENGINE_INTERPRETER
    COMPILED = d.WR_ENGINE_COMPILED


class LogLevel(enum.IntEnum):
    """How important a message is."""

    ERROR = d.WR_LOG_ERROR
    WARNING = d.WR_LOG_WARNING
    INFO = d.WR_LOG_INFO
    DEBUG = d.WR_LOG_DEBUG


LogFunction = Callable[[LogLevel, str], object]


def _log_callback(log: LogFunction) -> Any:
    """Exceptions end here, as unraisable ones: the library has no use for them."""

    def callback(_context: object, level: int, message: bytes) -> None:
        log(LogLevel(level), message.decode("utf-8", "replace"))

    return d.wr_log_func_t(callback)


class Engine(Owned):
    """What modules and stores share; one for the process is usual.

    max_stack: bytes of guest stack of one store (default 8 MiB).
    features: proposals on or off by name, as `wasmrun --help` lists them.
    pool: what each pre-linked module keeps for reuse: stores, and bytes of each memory.
    kind: whether modules are compiled when they are loaded, how well (opt_level 0 to 3, 4 for size), and whether
        the code is kept: cache is a folder, or True for the user's.
    log: called with what an operator may want to know, from any thread.
    """

    _what = "engine"

    def __init__(
        self,
        *,
        memory_mode: MemoryMode = MemoryMode.AUTO,
        max_stack: int | None = None,
        features: Mapping[str, bool] | None = None,
        pool: tuple[int, int] | None = None,
        warm_after: int | None = None,
        kind: EngineKind = EngineKind.INTERPRETER,
        opt_level: int | None = None,
        cache: bool | str | os.PathLike[str] = False,
        log: LogFunction | None = None,
        log_level: LogLevel = LogLevel.INFO,
    ) -> None:
        config = lib.wr_config_new()
        if not config:
            raise MemoryError
        lib.wr_config_set_memory_mode(config, memory_mode)
        if max_stack is not None:
            lib.wr_config_set_max_stack(config, u64(max_stack))
        if pool is not None:
            lib.wr_config_set_pool(config, *pool)
        if warm_after is not None:
            lib.wr_config_set_warm_after(config, warm_after)
        lib.wr_config_set_engine_kind(config, kind)
        if opt_level is not None:
            lib.wr_config_set_opt_level(config, opt_level)
        if cache is not False and not lib.wr_config_set_cache(config, None if cache is True else os.fsencode(cache)):
            lib.wr_config_delete(config)
            raise MemoryError
        for name, on in (features or {}).items():
            if not lib.wr_config_set_feature(config, name.encode(), on):
                lib.wr_config_delete(config)
                raise UsageError(f"there is no feature {name!r}")
        self._log = _log_callback(log) if log else None
        if self._log:
            lib.wr_config_set_log(config, self._log, None, log_level)
        pointer = ctypes.c_void_p()
        check(lib.wr_engine_new(config, ctypes.byref(pointer)))
        assert pointer.value
        self._ref = Ref(pointer.value, lib.wr_engine_delete, self._log)


class ExternKind(enum.IntEnum):
    """What can be imported and exported."""

    FUNC = d.WR_EXTERN_FUNC
    TABLE = d.WR_EXTERN_TABLE
    MEMORY = d.WR_EXTERN_MEMORY
    GLOBAL = d.WR_EXTERN_GLOBAL
    TAG = d.WR_EXTERN_TAG


class ValueKind(enum.IntEnum):
    """Kinds of values, references by their hierarchy."""

    I32 = d.WR_I32
    I64 = d.WR_I64
    F32 = d.WR_F32
    F64 = d.WR_F64
    V128 = d.WR_V128
    FUNCREF = d.WR_FUNCREF
    EXTERNREF = d.WR_EXTERNREF
    ANYREF = d.WR_ANYREF
    EXNREF = d.WR_EXNREF


@dataclass(frozen=True)
class ExternType:
    """The type of something that is imported or exported. What does not concern the kind is None."""

    kind: ExternKind
    signature: str | None = None
    """FUNC, TAG: parameters > results: i = i32, I = i64, f = f32, F = f64, v = v128, c = funcref, e = externref,
    a = anyref, x = exnref."""
    value: ValueKind | None = None
    """GLOBAL: of the value; TABLE: of the elements."""
    is_mutable: bool | None = None
    """GLOBAL."""
    is_shared: bool | None = None
    is_64: bool | None = None
    """MEMORY, TABLE."""
    page_size: int | None = None
    """MEMORY: bytes."""
    min: int | None = None
    """MEMORY: pages, TABLE: elements."""
    max: int | None = None

    @staticmethod
    def _of(t: d.wr_extern_type_t, signature: str | None) -> ExternType:
        kind = ExternKind(t.kind)
        if kind in (ExternKind.FUNC, ExternKind.TAG):
            return ExternType(kind, signature=signature)
        if kind == ExternKind.GLOBAL:
            return ExternType(kind, value=ValueKind(t.value), is_mutable=bool(t.is_mutable))
        is_memory = kind == ExternKind.MEMORY
        return ExternType(
            kind,
            value=None if is_memory else ValueKind(t.value),
            is_shared=bool(t.is_shared),
            is_64=bool(t.is_64),
            page_size=1 << t.page_size_log2 if is_memory else None,
            min=t.min,
            max=None if t.max == 2**64 - 1 else t.max,
        )


@dataclass(frozen=True)
class Import:
    """What a module asks for."""

    module: str
    name: str
    type: ExternType


@dataclass(frozen=True)
class Export:
    """What a module offers."""

    name: str
    type: ExternType


def name_text(name: d.wr_name_t) -> str:
    """Names are UTF-8: that was validated."""
    return ctypes.string_at(name.data, name.size).decode() if name.size else ""


def signature_text(function: Any, *arguments: Any) -> str:
    """What a function of the library writes, however long it is."""
    size = function(*arguments, None, 0) + 1
    buffer = ctypes.create_string_buffer(size)
    function(*arguments, buffer, size)
    return buffer.value.decode()


class Module(Owned):
    """A validated module, from bytes, or from a string in the text format."""

    _what = "module"

    def __init__(self, engine: Engine, source: bytes | bytearray | memoryview | str) -> None:
        pointer = ctypes.c_void_p()
        if isinstance(source, str):
            self._from_text(engine, source.encode(), None, pointer)
        else:
            source = bytes(source)
            check(lib.wr_module_new(engine._ptr(), source, len(source), ctypes.byref(pointer)))
        self._adopt(engine, pointer.value)

    @classmethod
    def from_file(cls, engine: Engine, path: str | os.PathLike[str]) -> Module:
        """Maps the file, which must not be changed while the module lives. Names that end in .wat are text."""
        module = cls.__new__(cls)
        pointer = ctypes.c_void_p()
        name = os.fsencode(path)
        if name.endswith(b".wat"):
            with open(path, "rb") as f:
                module._from_text(engine, f.read(), name, pointer)
        else:
            check(lib.wr_module_open(engine._ptr(), name, ctypes.byref(pointer)))
        module._adopt(engine, pointer.value)
        return module

    def _adopt(self, engine: Engine, pointer: int | None) -> None:
        assert pointer
        self.engine = engine
        self._ref = Ref(pointer, lib.wr_module_delete, engine._log)
        self.imports = self._read_imports()
        self.exports = self._read_exports()

    @staticmethod
    def _from_text(engine: Engine, text: bytes, name: bytes | None, pointer: ctypes.c_void_p) -> None:
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        check(lib.wr_wat_to_wasm(text, len(text), name, True, ctypes.byref(data), ctypes.byref(size)))
        try:
            error = lib.wr_module_new(engine._ptr(), data, size, ctypes.byref(pointer))
            if error:
                raise_error(lib.wr_wat_locate(text, len(text), name, data, size, error))
        finally:
            lib.wr_bytes_delete(data, size)

    @classmethod
    def from_artifact(cls, engine: Engine, path: str | os.PathLike[str]) -> Module:
        """The module that an artifact holds, with its code. Whoever made the file decides what runs: only open those of
        people whose programs you would run."""
        module = cls.__new__(cls)
        pointer = ctypes.c_void_p()
        check(lib.wr_artifact_open(engine._ptr(), os.fsencode(path), ctypes.byref(pointer)))
        module._adopt(engine, pointer.value)
        return module

    def compile(
        self,
        *,
        opt_level: int = 2,
        polls: bool | None = None,
        explicit_memory: bool = False,
        count_fuel: bool = False,
        target: str | None = None,
        threads: int = 0,
    ) -> bytes:
        """An artifact: the module and its code, for from_artifact() here or, with an LLVM triple as target, elsewhere.
        With polls it looks whether to stop, without it is stopped by a signal; None: only for explicit_memory.
        Without count_fuel it is interpreted in stores that have fuel."""
        options = d.wr_compile_options_t()
        options.level, options.polls, options.no_polls = opt_level + 1, polls is True, polls is False
        options.explicit_memory, options.count_fuel = explicit_memory, count_fuel
        options.triple, options.threads = target.encode() if target else None, threads
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        check(
            lib.wr_module_compile(self._ptr(), ctypes.byref(options), ctypes.byref(data), ctypes.byref(size), None)
        )
        try:
            return ctypes.string_at(data.value or 0, size.value)
        finally:
            lib.wr_bytes_delete(data, size)

    @property
    def is_compiled(self) -> bool:
        """Whether there is compiled code for it."""
        return bool(lib.wr_module_is_compiled(self._ptr()))

    @staticmethod
    def validate(engine: Engine, data: bytes) -> None:
        """Raises what is wrong with the bytes."""
        check(lib.wr_module_validate(engine._ptr(), data, len(data)))

    def _read_imports(self) -> tuple[Import, ...]:
        found, entry, t = [], d.wr_import_t(), d.wr_extern_type_t()
        for i in range(lib.wr_module_import_count(self._ref)):
            lib.wr_module_import(self._ref, i, ctypes.byref(entry))
            lib.wr_module_import_type(self._ref, i, ctypes.byref(t))
            signature = signature_text(lib.wr_module_import_signature, self._ref, i)
            found.append(Import(name_text(entry.module), name_text(entry.name), ExternType._of(t, signature)))
        return tuple(found)

    def _read_exports(self) -> tuple[Export, ...]:
        found, entry, t = [], d.wr_export_t(), d.wr_extern_type_t()
        for i in range(lib.wr_module_export_count(self._ref)):
            lib.wr_module_export(self._ref, i, ctypes.byref(entry))
            lib.wr_module_export_type(self._ref, i, ctypes.byref(t))
            signature = signature_text(lib.wr_module_export_signature, self._ref, i)
            found.append(Export(name_text(entry.name), ExternType._of(t, signature)))
        return tuple(found)

    @property
    def custom_sections(self) -> tuple[tuple[str, bytes], ...]:
        """Names and contents, in the order of the module."""
        found, name = [], d.wr_name_t()
        data, size = ctypes.c_void_p(), ctypes.c_size_t()
        for i in range(lib.wr_module_custom_section_count(self._ptr())):
            lib.wr_module_custom_section_at(
                self._ptr(), i, ctypes.byref(name), ctypes.byref(data), ctypes.byref(size)
            )
            found.append((name_text(name), ctypes.string_at(data.value or 0, size.value) if size.value else b""))
        return tuple(found)


def wat_to_wasm(text: str, *, names: bool = True) -> bytes:
    """The text format into the binary one, with identifiers as a name section. The text is only parsed."""
    source = text.encode()
    data, size = ctypes.c_void_p(), ctypes.c_size_t()
    check(lib.wr_wat_to_wasm(source, len(source), None, names, ctypes.byref(data), ctypes.byref(size)))
    try:
        return ctypes.string_at(data.value or 0, size.value)
    finally:
        lib.wr_bytes_delete(data, size)


