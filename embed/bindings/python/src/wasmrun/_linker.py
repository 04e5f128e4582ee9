"""Linkers: what modules import, by name. Pre-linked modules: the same, done once for many instances."""
from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from . import _declarations as d
from ._engine import Engine, Module
from ._errors import UsageError, check, raise_error
from ._handles import Owned, Ref
from ._library import lib
from ._objects import (
    Extern,
    HostFunction,
    Instance,
    call_host,
    counted,
    extern_struct,
    forget,
    forget_context,
    host_context,
)
from ._store import Store

_F = TypeVar("_F", bound=HostFunction)


def _text(name: str) -> bytes:
    if "\0" in name:
        raise UsageError("only define() takes names with zeros")
    return name.encode()


class Linker(Owned):
    """What modules may import. Threads may instantiate with it at the same time; nothing is defined meanwhile.

    Host functions are kept until the linker, and the stores that were made with it, are gone. One that refers
    to such a store keeps it for ever: take it from the Caller instead, or close it.
    """

    _what = "linker"

    def __init__(self, engine: Engine) -> None:
        pointer = lib.wr_linker_new(engine._ptr())
        if not pointer:
            raise MemoryError
        self.engine = engine
        self._lock = threading.Lock()
        self._users = 0  # threads that instantiate
        self._stores: list[Store] = []  # of what was defined
        self._ref = Ref(pointer, lib.wr_linker_delete, engine._log)

    def _checked(self) -> Ref:
        if any(store._ref is None for store in self._stores):
            raise UsageError("the store of what the linker defines is closed")
        return self._ptr()

    @contextlib.contextmanager
    def _change(self) -> Iterator[Ref]:
        with self._lock:
            if self._users:
                raise UsageError("the linker is in use")
            yield self._checked()

    @contextlib.contextmanager
    def _use(self) -> Iterator[Ref]:
        with self._lock:
            self._users += 1
        try:
            yield self._checked()
        finally:
            with self._lock:
                self._users -= 1

    def define_func(
        self, module: str, name: str, sig: str, function: HostFunction, *, caller: bool = False
    ) -> None:
        """A host function, for instances in all stores; a later definition of a name replaces an earlier one.

        It gets the arguments that the signature says, and returns None, a value, or a sequence of several.
        What it raises ends the guest: a Trap comes out of the call, with the exception as its cause.
        With `caller` its first argument is the Caller.
        """
        context = host_context(function, sig, caller)
        try:
            with self._change() as ref:
                error = lib.wr_linker_define_callback(
                    ref, _text(module), _text(name), sig.encode(), call_host, context, forget
                )
        except BaseException:
            forget_context(context)
            raise
        if error:
            forget_context(context)
            raise_error(error)

    def func(self, module: str, name: str, sig: str, *, caller: bool = False) -> Callable[[_F], _F]:
        """define_func() as a decorator."""

        def define(function: _F) -> _F:
            self.define_func(module, name, sig, function, caller=caller)
            return function

        return define

    def define(self, module: str, name: str, external: Extern) -> None:
        """An object of a store, in which alone the linker can instantiate then."""
        module_name, keep1 = counted(module)
        name_name, keep2 = counted(name)
        store = external.store
        raw = store._enter()
        try:
            with self._change() as ref:
                e = extern_struct(external)
                check(lib.wr_linker_define(ref, module_name, name_name, raw, ctypes.byref(e)), store)
                self._stores.append(store)
        finally:
            store._leave()
        del keep1, keep2

    def define_instance(self, module: str, instance: Instance) -> None:
        """Every export of the instance, under that module name."""
        store = instance.store
        store._enter()
        try:
            with self._change() as ref:
                check(lib.wr_linker_define_instance(ref, _text(module), instance._pointer), store)
                self._stores.append(store)
        finally:
            store._leave()

    def alias(self, module: str, name: str | None, as_module: str, as_name: str | None) -> None:
        """Another name for a definition; with both names None, for a whole module."""
        old = None if name is None else _text(name)
        new = None if as_name is None else _text(as_name)
        with self._change() as ref:
            check(lib.wr_linker_alias(ref, _text(module), old, _text(as_module), new))

    def define_wasi(self) -> None:
        """WASI preview 1. Guests see what the Wasi of their store gives them."""
        with self._change() as ref:
            check(lib.wr_wasi_link_stores(ref))

    def instantiate(self, store: Store, module: Module) -> Instance:
        """Resolves imports, instantiates, runs the start function."""
        pointer = ctypes.c_void_p()
        with self._use() as ref, _running(store) as raw:
            check(lib.wr_linker_instantiate(ref, raw, module._ptr(), ctypes.byref(pointer)), store)
        assert pointer.value
        return Instance(store, pointer.value, module)

    def prelink(self, module: Module) -> Prelinked:
        """Resolves the imports, which must be host functions, once and for all."""
        pointer = ctypes.c_void_p()
        with self._use() as ref:
            check(lib.wr_linker_prelink(ref, module._ptr(), ctypes.byref(pointer)))
        assert pointer.value
        return Prelinked(self.engine, module, pointer.value)


@contextlib.contextmanager
def _running(store: Store) -> Iterator[int]:
    raw = store._enter()
    store._depth += 1
    try:
        store._may_change()
        yield raw
    finally:
        store._depth -= 1
        store._leave()


@dataclass(frozen=True)
class PrelinkedStats:
    """Stores in use and kept; given out so far, new ones and others."""

    live: int
    idle: int
    made: int
    reused: int


class Prelinked(Owned):
    """A module with its imports: for many instances, each in a store of its own. Any number of threads may use it."""

    _what = "pre-linked module"

    def __init__(self, engine: Engine, module: Module, pointer: int) -> None:
        self.engine, self.module = engine, module
        self._ref = Ref(pointer, lib.wr_prelinked_delete, engine._log)

    def new_store(self, **settings: Any) -> Store:
        """A store that is prepared for an instance; settings as for Store. Closing it makes it ready for the next."""
        pointer = ctypes.c_void_p()
        check(lib.wr_prelinked_new_store(self._ptr(), ctypes.byref(pointer)))
        assert pointer.value
        return Store(self.engine, _made=pointer.value, **settings)

    def instantiate(self, store: Store) -> Instance:
        """Instantiates and runs the start function."""
        pointer = ctypes.c_void_p()
        with _running(store) as raw:
            check(lib.wr_prelinked_instantiate(self._ptr(), raw, ctypes.byref(pointer)), store)
        assert pointer.value
        return Instance(store, pointer.value, self.module)

    @property
    def stats(self) -> PrelinkedStats:
        """What became of stores."""
        stats = d.wr_prelinked_stats_t()
        lib.wr_prelinked_get_stats(self._ptr(), ctypes.byref(stats))
        return PrelinkedStats(stats.live, stats.idle, stats.made, stats.reused)
