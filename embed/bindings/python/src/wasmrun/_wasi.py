"""WASI: what a program sees of its host. A fresh context gives it nothing at all."""
from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Union

from . import _declarations as d
from ._engine import Engine, Module
from ._errors import UsageError, check, answer_exception
from ._files import Callbacks, Files, MemoryFiles
from ._handles import Owned, Ref, u64
from ._library import lib


if TYPE_CHECKING:
    from ._store import Store


class _Descriptor(Protocol):
    def fileno(self) -> int: ...


Input = Union[None, bytes, str, int, _Descriptor, Callable[[int], bytes]]
"""None: nothing to read. bytes: these. "inherit": the process's. A file or descriptor: that. A function: called with
how many bytes are wanted, gives at most so many; none at the end."""
Output = Union[None, str, int, _Descriptor, Callable[[bytes], object]]
"""None: writes vanish. "capture": kept, for Wasi.captured(). "inherit": the process's. A file or descriptor: that.
A function: called with the bytes."""

CAPTURE_LIMIT = 64 << 20
"""Bytes that are captured of each stream; more ends the guest."""


class Wasi(Owned):
    """What a guest gets: give it to a Store.

    args: the program's name comes first. env: variables. dirs: guest paths, with the host's directories for them;
    read_only_dirs: likewise. files: guest paths, with Files of your own, or contents by paths. fixed_time: all clocks show it, in nanoseconds since 1970, and go forward by a
    millisecond with each look. seed: random bytes follow from it.
    """

    _what = "WASI context"

    def __init__(
        self,
        *,
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        inherit_env: bool = False,
        dirs: Mapping[str, str | os.PathLike[str]] | None = None,
        read_only_dirs: Mapping[str, str | os.PathLike[str]] | None = None,
        files: Mapping[str, Files | Mapping[str, bytes]] | None = None,
        stdin: Input = None,
        stdout: Output = None,
        stderr: Output = None,
        capture_limit: int = CAPTURE_LIMIT,
        fixed_time: int | None = None,
        seed: int | None = None,
    ) -> None:
        pointer = lib.wr_wasi_new()
        if not pointer:
            raise MemoryError
        self._callbacks: list[object] = []
        self._stores: weakref.WeakSet[Store] = weakref.WeakSet()  # that it was given to
        self._ref = ref = Ref(pointer, lib.wr_wasi_delete, self._callbacks)
        self._limit = capture_limit
        encoded = [os.fsencode(arg) for arg in args]
        check(lib.wr_wasi_set_args(ref, len(encoded), (ctypes.c_char_p * len(encoded))(*encoded)))
        if inherit_env:
            check(lib.wr_wasi_inherit_env(ref))
        for name, value in (env or {}).items():
            check(lib.wr_wasi_add_env(ref, os.fsencode(f"{name}={value}")))
        for flags, given in ((0, dirs), (d.WR_WASI_READ_ONLY, read_only_dirs)):
            for guest, host in (given or {}).items():
                check(lib.wr_wasi_preopen_dir(ref, os.fsencode(host), os.fsencode(guest), flags))
        for guest, given_files in (files or {}).items():
            self._give_files(ref, guest, given_files)
        self._set_input(ref, stdin)
        self._set_output(ref, 1, stdout)
        self._set_output(ref, 2, stderr)
        if fixed_time is not None:
            lib.wr_wasi_fix_time(ref, u64(fixed_time), 1000000)
        if seed is not None:
            lib.wr_wasi_set_seed(ref, u64(seed))

    def _give_files(self, ref: Ref, guest: str, files: Files | Mapping[str, bytes]) -> None:
        callbacks = Callbacks(files if isinstance(files, Files) else MemoryFiles(files))
        self._callbacks.append(callbacks)
        check(lib.wr_wasi_preopen_files(ref, ctypes.byref(callbacks.table), None, os.fsencode(guest), 0))

    def _set_input(self, ref: Ref, source: Input) -> None:
        if source is None:
            return
        if isinstance(source, bytes):
            check(lib.wr_wasi_set_input(ref, source, len(source)))
        elif _is_function(source):
            self._set_stream(ref, 0, source)
        else:
            check(lib.wr_wasi_set_host_stream(ref, 0, _descriptor(0, source)))

    def _set_output(self, ref: Ref, fd: int, to: Output) -> None:
        if to is None:
            return
        if to == "capture":
            check(lib.wr_wasi_capture(ref, fd, self._limit))
        elif _is_function(to):
            self._set_stream(ref, fd, to)
        else:
            check(lib.wr_wasi_set_host_stream(ref, fd, _descriptor(fd, to)))

    def _set_stream(self, ref: Ref, fd: int, function: Any) -> None:
        stream = d.wr_wasi_callbacks_t()
        types: dict[str, Any] = dict(d.wr_wasi_callbacks_t._fields_)
        if fd == 0:
            stream.read = types["read"](_reader(function))
        else:
            stream.write = types["write"](_writer(function))
        self._callbacks.append(stream)
        check(lib.wr_wasi_set_callbacks(ref, fd, ctypes.byref(stream)))

    def captured(self, fd: int = 1) -> bytes:
        """What the guest has written to 1 or 2 so far. Not while it runs in another thread."""
        data = ctypes.c_void_p()
        with contextlib.ExitStack() as stack:
            for store in list(self._stores):
                if store._ref is not None:
                    store._enter()
                    stack.callback(store._leave)
            size = lib.wr_wasi_captured(self._ptr(), fd, ctypes.byref(data))
            bytes_written = ctypes.string_at(data.value or 0, size) if size else b""
        return bytes_written


def _is_function(given: object) -> bool:
    return callable(given) and not hasattr(given, "fileno")


def _descriptor(fd: int, given: Any) -> int:
    if given == "inherit":
        if fd:
            with contextlib.suppress(Exception):  # what Python wrote comes first
                (sys.stdout if fd == 1 else sys.stderr).flush()
        return fd
    if isinstance(given, int):
        return given
    if isinstance(given, str) or not hasattr(given, "fileno"):
        raise UsageError(f"no stream: {given!r}")
    if fd and hasattr(given, "flush"):
        given.flush()
    number: int = given.fileno()
    return number


def _reader(function: Callable[[int], bytes]) -> Callable[[object, int, int, Any, Any], None]:
    def read(_context: object, to: int, size: int, done: Any, answer: Any) -> None:
        try:
            data = function(size)
            if len(data) > size:
                raise UsageError(f"{len(data)} bytes of input for {size}")
            ctypes.memmove(to, data, len(data))
            done[0] = len(data)
            answer[0] = None
        except BaseException as e:
            answer_exception(answer, None, e)

    return read


def _writer(function: Callable[[bytes], object]) -> Callable[[object, int | None, int, Any], None]:
    def write(_context: object, data: int | None, size: int, answer: Any) -> None:
        try:
            function(ctypes.string_at(data or 0, size) if size else b"")
            answer[0] = None
        except BaseException as e:
            answer_exception(answer, None, e)

    return write


@dataclass(frozen=True)
class Completed:
    """How a program ended, and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes


def run_wasi(
    program: str | os.PathLike[str] | bytes,
    args: Sequence[str] = (),
    *,
    engine: Engine | None = None,
    env: Mapping[str, str] | None = None,
    dirs: Mapping[str, str | os.PathLike[str]] | None = None,
    read_only_dirs: Mapping[str, str | os.PathLike[str]] | None = None,
    files: Mapping[str, Files | Mapping[str, bytes]] | None = None,
    stdin: Input = None,
    stdout: Output = "capture",
    stderr: Output = "capture",
    fuel: int | None = None,
    timeout: float | None = None,
    memory_limit: int | None = None,
) -> Completed:
    """Runs a WASI program, from a file or from bytes, with what it is given and nothing else.

    args: without the program's name. Traps, and ends of fuel or time, are raised.
    """
    from ._linker import Linker
    from ._store import Store

    engine = engine or Engine()
    is_file = not isinstance(program, bytes)
    module = Module.from_file(engine, program) if is_file else Module(engine, program)  # type: ignore[arg-type]
    name = os.path.basename(os.fspath(program)) if is_file else "program"
    wasi = Wasi(
        args=[str(name), *args],
        env=env,
        dirs=dirs,
        read_only_dirs=read_only_dirs,
        files=files,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
    )
    linker = Linker(engine)
    linker.define_wasi()
    with Store(engine, wasi=wasi, fuel=fuel, timeout=timeout, memory_limit=memory_limit) as store:
        status = linker.instantiate(store, module).run()
        return Completed(status, wasi.captured(1), wasi.captured(2))
