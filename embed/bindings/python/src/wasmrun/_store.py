"""Stores: where instances live, with their limits."""
from __future__ import annotations

import ctypes
import functools
import threading
import weakref
from typing import TYPE_CHECKING, Any, Protocol

from . import _declarations as d
from ._engine import Engine
from ._errors import UsageError, check
from ._handles import Owned, Ref, u64
from ._library import lib

if TYPE_CHECKING:
    from ._objects import Tag
    from ._wasi import Wasi

class _Lock(Protocol):
    def acquire(self, blocking: bool = ...) -> bool: ...


_NONE = 2**64 - 1
_stores: weakref.WeakValueDictionary[int, Store] = weakref.WeakValueDictionary()


def store_of(pointer: int) -> Store:
    """The store in which a callback was called: its caller has a reference to it."""
    return _stores[pointer]


def _delete_store(lock: _Lock, pointer: int) -> None:
    """Not while the process ends and a thread that was left behind still runs a guest."""
    if lock.acquire(False):
        lib.wr_store_delete(pointer)


class Store(Owned):
    """Where instances live. Closing it throws away all that guests did there.

    One thread at a time may use a store and what belongs to it; a second one gets a UsageError. interrupt() is for
    any thread. Limits are bytes, elements, counts; fuel and timeout as set_fuel() and set_timeout() say.

    wasi: what guests get from Linker.define_wasi(); it can be set later, too.
    """

    _what = "store"

    def __init__(
        self,
        engine: Engine,
        *,
        wasi: Wasi | None = None,
        memory_limit: int | None = None,
        table_limit: int | None = None,
        instance_limit: int | None = None,
        heap_limit: int | None = None,
        fuel: int | None = None,
        timeout: float | None = None,
        interruptible: bool = False,
        _made: int | None = None,
    ) -> None:
        pointer = ctypes.c_void_p(_made)
        if _made is None:
            check(lib.wr_store_new(engine._ptr(), ctypes.byref(pointer)))
        assert pointer.value
        self.engine = engine
        self._raw: int = pointer.value
        """For the library, between _enter() and _leave() only."""
        self._lock = threading.RLock()  # held by the thread that uses the store
        self._depth = 0  # of calls that run
        self._views = 0  # of memory that are open
        self._life = threading.Lock()  # between closing and interrupt()
        self._externs: list[Any] = []  # what externrefs refer to, by number
        self._extern_refs: dict[int, int] = {}  # the reference of each, by id(): the same one every time
        self._unpinned: list[int] = []  # references that are gone: the thread that uses the store unpins them
        self._keep: list[object] = []
        self._ref = Ref(self._raw, functools.partial(_delete_store, self._lock), self._keep, engine._log)
        _stores[self._raw] = self
        self.wasi = wasi
        self._limit(memory_limit, table_limit, instance_limit, heap_limit)
        if fuel is not None:
            self.fuel = fuel
        if timeout is not None:
            self.set_timeout(timeout)
        if interruptible:
            self.set_interruptible(True)

    def _limit(self, memory: int | None, tables: int | None, instances: int | None, heap: int | None) -> None:
        limits = (
            (lib.wr_store_limit_memory, memory),
            (lib.wr_store_limit_tables, tables),
            (lib.wr_store_limit_instances, instances),
            (lib.wr_store_limit_heap, heap),
        )
        for function, limit in limits:
            if limit is not None:
                function(self._raw, u64(limit))

    # ---- one thread at a time

    def _enter(self) -> int:
        """The pointer; to be followed by _leave()."""
        if not self._lock.acquire(False):
            raise UsageError("the store is in use by another thread")
        if self._ref is None:
            self._lock.release()
            raise UsageError("the store is closed")
        try:
            while self._unpinned:
                lib.wr_store_unpin(self._raw, self._unpinned.pop())
        except BaseException:  # recursion, Ctrl-C
            self._lock.release()
            raise
        return self._raw

    def _leave(self) -> None:
        self._lock.release()

    def _may_change(self) -> None:
        if self._views:
            raise UsageError("a view of memory is open")

    def close(self) -> None:
        """Deletes the store and all that belongs to it. Not while guests run in it."""
        if not self._lock.acquire(False):
            raise UsageError("the store is in use by another thread")
        try:
            if self._depth:
                raise UsageError("a guest is running in the store")
            self._may_change()
            with self._life:
                _stores.pop(self._raw, None)
                self._ref = None
            self._externs.clear()
            self._extern_refs.clear()
        finally:
            self._lock.release()

    # ---- WASI

    @property
    def wasi(self) -> Wasi | None:
        """What guests see by WASI. Without it their calls trap."""
        return self._wasi

    @wasi.setter
    def wasi(self, wasi: Wasi | None) -> None:
        self._wasi = wasi
        if wasi is None:
            return
        pointer = self._enter()
        try:
            ref = wasi._ptr()
            check(lib.wr_wasi_attach(ref, pointer), self)
            if not self._depth:
                self._keep.clear()
            self._keep.append(ref)  # as long as guests may run here; a call of theirs may be in the old one
            wasi._stores.add(self)
        finally:
            self._leave()

    # ---- fuel, time, interruption

    @property
    def fuel(self) -> int | None:
        """What is left; None: not metered. One unit pays for a byte of code passed, or one transfer of control."""
        pointer = self._enter()
        try:
            fuel: int = lib.wr_store_fuel(pointer)
        finally:
            self._leave()
        return None if fuel == _NONE else fuel

    @fuel.setter
    def fuel(self, units: int | None) -> None:
        pointer = self._enter()
        try:
            lib.wr_store_set_fuel(pointer, _NONE if units is None else u64(units))
        finally:
            self._leave()

    def add_fuel(self, units: int) -> None:
        """For calls that are to go on: what they used beyond the end of their fuel is taken from it."""
        pointer = self._enter()
        try:
            lib.wr_store_add_fuel(pointer, u64(units))
        finally:
            self._leave()

    def set_timeout(self, seconds: float | None) -> None:
        """Guests that still run so many seconds from now trap. None: no limit."""
        pointer = self._enter()
        try:
            nanoseconds = 0 if seconds is None else u64(max(1, int(seconds * 1e9)))
            check(lib.wr_store_set_timeout(pointer, nanoseconds), self)
        finally:
            self._leave()

    def set_interruptible(self, on: bool) -> None:
        """Whether interrupt() has an effect on calls that are started from now on."""
        pointer = self._enter()
        try:
            lib.wr_store_set_interruptible(pointer, on)
        finally:
            self._leave()

    def interrupt(self) -> None:
        """From any thread: the call that runs, or else the next one, traps."""
        with self._life:
            if self._ref is not None:
                lib.wr_store_interrupt(self._raw)

    # ---- the garbage-collected heap

    def collect(self) -> None:
        """Collects garbage now."""
        pointer = self._enter()
        try:
            lib.wr_store_collect(pointer)
        finally:
            self._leave()

    # ---- host values in externrefs

    def _extern_new(self, value: object) -> int:
        """A reference to any object; it lives as long as the store."""
        known = self._extern_refs.get(id(value))
        if known is not None:
            return known
        number = len(self._externs) + 1  # 0 would be indistinguishable from NULL
        self._externs.append(value)
        reference = ctypes.c_uint64()
        check(lib.wr_extern_new(self._raw, number, ctypes.byref(reference)), self)
        self._extern_refs[id(value)] = reference.value
        return reference.value

    def _extern_value(self, reference: int) -> tuple[bool, Any]:
        number = ctypes.c_void_p()
        if not lib.wr_extern_value(self._raw, reference, ctypes.byref(number)):
            return False, None
        return True, self._externs[(number.value or 0) - 1]

    # ---- exceptions

    def _throw(self, tag: Tag, values: tuple[Any, ...]) -> int:
        """An own error that throws."""
        from . import _values

        array = (d.wr_val_t * len(values))()
        for i, (kind, value) in enumerate(zip(tag.params, values)):
            _values.put(self, array[i], kind, value)
        pointer: int = lib.wr_throw_new(self._raw, tag._of(self), array, len(values))
        return pointer

    def _thrown(self, error: int) -> tuple[Tag | None, tuple[Any, ...]]:
        from . import _values
        from ._objects import Tag

        tag = ctypes.c_void_p()
        n = lib.wr_error_exception_values(error, ctypes.byref(tag), None, 0)
        if not tag.value:
            return None, ()
        array = (d.wr_val_t * n)()
        lib.wr_error_exception_values(error, ctypes.byref(tag), array, n)
        values = tuple(_values.get(self, v) for v in array)
        return Tag(self, tag.value, "".join(_values.LETTERS[v.kind] for v in array) + ">"), values
