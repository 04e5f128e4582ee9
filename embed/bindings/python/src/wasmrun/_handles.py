"""Objects of the library that Python owns: deleted once, by close(), `with`, or with the last reference."""
from __future__ import annotations

import weakref
from types import TracebackType
from typing import Any, Callable, TypeVar

from ._errors import UsageError

_Self = TypeVar("_Self", bound="Owned")


def u64(number: int) -> int:
    """For the library: ctypes cuts off what does not fit."""
    if not 0 <= number < 1 << 64:
        raise OverflowError(f"{number} does not fit 64 bits without a sign")
    return number


class Ref:
    """What owns the pointer. It is passed to the library itself, so that a close() by another thread, meanwhile,
    cannot delete what is in use; and is deleted before Python's own things go when the process ends.
    `keep` lives as long: what the library may still look at."""

    __slots__ = ("_as_parameter_", "__weakref__")

    def __init__(self, pointer: int, delete: Callable[[int], Any], *keep: object) -> None:
        self._as_parameter_ = pointer
        weakref.finalize(self, _delete, delete, pointer, keep)


def _delete(delete: Callable[[int], Any], pointer: int, keep: tuple[object, ...]) -> None:
    delete(pointer)
    del keep


class Owned:
    """What can be closed. What was made with it keeps what it needs, and stays usable."""

    _what = "object"
    _ref: Ref | None

    def _ptr(self) -> Ref:
        ref = self._ref
        if ref is None:
            raise UsageError(f"the {self._what} is closed")
        return ref

    def close(self) -> None:
        """Lets go of it now. Doing it twice is allowed."""
        self._ref = None

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None) -> None:
        self.close()
