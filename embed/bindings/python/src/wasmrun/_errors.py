"""Errors of the library as exceptions, and exceptions of host functions as errors of the library."""
from __future__ import annotations

import ctypes
import enum
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from . import _declarations as d
from ._library import lib

if TYPE_CHECKING:
    from ._objects import Tag
    from ._store import Store


class ErrorKind(enum.IntEnum):
    """What went wrong."""

    MALFORMED = d.WR_ERROR_MALFORMED
    INVALID = d.WR_ERROR_INVALID
    UNLINKABLE = d.WR_ERROR_UNLINKABLE
    TRAP = d.WR_ERROR_TRAP
    EXCEPTION = d.WR_ERROR_EXCEPTION
    EXIT = d.WR_ERROR_EXIT
    MEMORY = d.WR_ERROR_MEMORY
    IO = d.WR_ERROR_IO
    USAGE = d.WR_ERROR_USAGE


class TrapCode(enum.IntEnum):
    """Why a guest trapped."""

    UNREACHABLE = d.WR_TRAP_UNREACHABLE
    MEMORY_OUT_OF_BOUNDS = d.WR_TRAP_MEMORY_OUT_OF_BOUNDS
    TABLE_OUT_OF_BOUNDS = d.WR_TRAP_TABLE_OUT_OF_BOUNDS
    ARRAY_OUT_OF_BOUNDS = d.WR_TRAP_ARRAY_OUT_OF_BOUNDS
    UNDEFINED_ELEMENT = d.WR_TRAP_UNDEFINED_ELEMENT
    UNINITIALIZED_ELEMENT = d.WR_TRAP_UNINITIALIZED_ELEMENT
    INDIRECT_CALL_TYPE_MISMATCH = d.WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH
    INTEGER_DIVIDE_BY_ZERO = d.WR_TRAP_INTEGER_DIVIDE_BY_ZERO
    INTEGER_OVERFLOW = d.WR_TRAP_INTEGER_OVERFLOW
    INVALID_CONVERSION_TO_INTEGER = d.WR_TRAP_INVALID_CONVERSION_TO_INTEGER
    NULL_REFERENCE = d.WR_TRAP_NULL_REFERENCE
    NULL_FUNCTION_REFERENCE = d.WR_TRAP_NULL_FUNCTION_REFERENCE
    NULL_STRUCTURE_REFERENCE = d.WR_TRAP_NULL_STRUCTURE_REFERENCE
    NULL_ARRAY_REFERENCE = d.WR_TRAP_NULL_ARRAY_REFERENCE
    NULL_I31_REFERENCE = d.WR_TRAP_NULL_I31_REFERENCE
    NULL_EXCEPTION_REFERENCE = d.WR_TRAP_NULL_EXCEPTION_REFERENCE
    NULL_DESCRIPTOR_REFERENCE = d.WR_TRAP_NULL_DESCRIPTOR_REFERENCE
    CAST_FAILURE = d.WR_TRAP_CAST_FAILURE
    DESCRIPTOR_CAST_FAILURE = d.WR_TRAP_DESCRIPTOR_CAST_FAILURE
    UNALIGNED_ATOMIC = d.WR_TRAP_UNALIGNED_ATOMIC
    EXPECTED_SHARED_MEMORY = d.WR_TRAP_EXPECTED_SHARED_MEMORY
    STACK_EXHAUSTED = d.WR_TRAP_STACK_EXHAUSTED
    ALLOCATION_FAILURE = d.WR_TRAP_ALLOCATION_FAILURE
    OUT_OF_FUEL = d.WR_TRAP_OUT_OF_FUEL
    DEADLINE = d.WR_TRAP_DEADLINE
    INTERRUPTED = d.WR_TRAP_INTERRUPTED
    HOST = d.WR_TRAP_HOST


@dataclass(frozen=True)
class Frame:
    """A frame of a backtrace."""

    module_name: str | None
    function_name: str | None
    function_index: int | None
    """In its module; None for a host function."""
    module_offset: int
    """Byte offset of the instruction in the module."""
    function_offset: int
    """The same, from the first instruction of the function."""


class WasmrunError(Exception):
    """What all errors of this package are."""

    kind = ErrorKind.USAGE
    message: str
    offset: int | None = None
    """Byte offset in the module, for malformed and invalid ones."""
    place: str | None = None
    """FILE:LINE:COLUMN, for errors in the text format."""
    frames: tuple[Frame, ...] = ()
    """Where the guest was, innermost first: at most 64 innermost and outermost ones."""
    rendered: str
    """Message and backtrace, as the command prints them."""
    _error: _OwnedError | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.rendered = message + "\n"


class MalformedError(WasmrunError):
    """The bytes are no WebAssembly module."""

    kind = ErrorKind.MALFORMED


class InvalidError(WasmrunError):
    """The module breaks a validation rule."""

    kind = ErrorKind.INVALID


class LinkError(WasmrunError):
    """An import is missing or has another type."""

    kind = ErrorKind.UNLINKABLE


class Trap(WasmrunError):
    """The guest trapped. If a host function raised an exception, that is the cause (`__cause__`).

    Host functions may raise it to end the guest with that message.
    """

    kind = ErrorKind.TRAP
    code = TrapCode.HOST


class GuestException(WasmrunError):
    """An exception that no guest caught. Host functions may raise it to throw one."""

    kind = ErrorKind.EXCEPTION

    def __init__(self, tag: Tag | None, values: tuple[Any, ...] = (), message: str = "exception") -> None:
        super().__init__(message)
        self.tag = tag
        self.values = values


class Exit(WasmrunError):
    """The guest asked to exit. Host functions may raise it to make one exit."""

    kind = ErrorKind.EXIT

    def __init__(self, status: int, message: str = "") -> None:
        super().__init__(message or f"exit with status {status}")
        self.status = status


class OutOfMemoryError(WasmrunError, MemoryError):
    """The host is out of memory, or a limit on it was reached."""

    kind = ErrorKind.MEMORY


class FileError(WasmrunError, OSError):
    """A file could not be read."""

    kind = ErrorKind.IO


class UsageError(WasmrunError):
    """Arguments do not fit, something is closed, or in use by another thread."""

    kind = ErrorKind.USAGE


_CLASSES: dict[int, type[WasmrunError]] = {
    c.kind: c for c in (MalformedError, InvalidError, LinkError, OutOfMemoryError, FileError, UsageError, Trap)
}

# ---- exceptions that go through guests ------------------------------------------------------------

_numbers = itertools.count(1)
_passing: dict[int, BaseException] = {}


def _forget(number: int) -> None:
    _passing.pop(number, None)


_finalizer = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_forget)


def _new_trap(message: str) -> int:
    pointer: int = lib.wr_trap_new(message.encode("utf-8", "replace").replace(b"\0", b"?"))
    return pointer


def error_of_exception(store: Store | None, e: BaseException) -> int:
    """For callbacks: an own wr_error_t with which the guest ends, and the exception comes out of it again."""
    if isinstance(e, WasmrunError) and e._error is not None and not isinstance(e, GuestException):
        released = e._error.release()
        if e.__cause__ is not None:
            _attach(released, e.__cause__)
        return released
    if isinstance(e, GuestException) and store is not None and e.tag is not None:
        return store._throw(e.tag, e.values)
    if isinstance(e, Exit):
        pointer: int = lib.wr_exit_new(e.status & 0xFFFFFFFF)
    else:
        text = str(e)
        name = type(e).__name__
        pointer = _new_trap(text if isinstance(e, Trap) else f"{name}: {text}" if text else name)
    _attach(pointer, e)
    return pointer


def _attach(pointer: int, e: BaseException) -> None:
    number = next(_numbers)
    _passing[number] = e
    if not lib.wr_error_set_data(pointer, number, _finalizer):
        _forget(number)


def answer_exception(answer: Any, store: Store | None, e: BaseException) -> None:
    """Callbacks answer through a parameter, because one that fails before it runs, as by Ctrl-C, returns anything
    at all. Nothing may be raised through C, also not by an exception that cannot be made a string."""
    try:
        answer[0] = error_of_exception(store, e)
    except BaseException:
        answer[0] = lib.wr_trap_new(b"a host function failed")


# ---- errors that come out of the library ------------------------------------------------------------


class _OwnedError:
    """A wr_error_t that nobody has taken yet. It belongs to no store any more: any thread may drop it."""

    def __init__(self, pointer: int) -> None:
        self.pointer: int | None = pointer

    def release(self) -> int:
        """For who passes it on; for the second one there is a new one that says the same."""
        pointer, self.pointer = self.pointer, None
        return pointer if pointer else _new_trap("the error was passed on already")

    def __del__(self) -> None:
        if self.pointer:
            lib.wr_error_delete(self.pointer)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode("utf-8", "replace")


def _frames(pointer: int) -> tuple[Frame, ...]:
    found = []
    f = d.wr_frame_t()
    for i in range(lib.wr_error_frame_count(pointer)):
        lib.wr_error_frame(pointer, i, ctypes.byref(f))
        index = None if f.function_index == 0xFFFFFFFF else f.function_index
        found.append(
            Frame(_text(f.module_name), _text(f.function_name), index, f.module_offset, f.function_offset)
        )
    return tuple(found)


def _rendered(pointer: int) -> str:
    size = lib.wr_error_render(pointer, None, 0) + 1
    buffer = ctypes.create_string_buffer(size)
    lib.wr_error_render(pointer, buffer, size)
    return buffer.value.decode("utf-8", "replace")


def _make(store: Store | None, pointer: int, message: str) -> WasmrunError:
    kind = lib.wr_error_kind(pointer)
    if kind == d.WR_ERROR_EXIT:
        status = ctypes.c_uint32()
        lib.wr_error_exit_status(pointer, ctypes.byref(status))
        return Exit(status.value, message)
    if kind == d.WR_ERROR_EXCEPTION:
        tag, values = store._thrown(pointer) if store is not None else (None, ())
        lib.wr_error_detach(pointer)
        return GuestException(tag, values, message)
    e = _CLASSES[kind](message)
    if isinstance(e, Trap):
        e.code = TrapCode(lib.wr_error_trap_code(pointer))
    return e


def exception_of_error(pointer: int, store: Store | None = None) -> WasmrunError:
    """Takes over the error."""
    owned = _OwnedError(pointer)
    e = _make(store, pointer, _text(lib.wr_error_message(pointer)) or "")
    offset = ctypes.c_uint64()
    if lib.wr_error_offset(pointer, ctypes.byref(offset)):
        e.offset = offset.value
    e.place = _text(lib.wr_error_place(pointer))
    e.frames = _frames(pointer)
    e.rendered = _rendered(pointer)
    e._error = owned
    return e


def raise_error(pointer: int, store: Store | None = None) -> NoReturn:
    """Takes over the error. What must not be swallowed, as KeyboardInterrupt, goes on as itself."""
    cause = _passing.pop(lib.wr_error_data(pointer) or 0, None)  # else it, and its frames, would be kept for ever
    e = exception_of_error(pointer, store)
    if cause is not None and not isinstance(cause, Exception):
        raise cause
    raise e from cause


def check(pointer: int | None, store: Store | None = None) -> None:
    """Raises what a function of the library has returned, if that is an error."""
    if pointer:
        raise_error(pointer, store)
