"""What belongs to a store: functions, memories, globals, tables, tags, instances."""
from __future__ import annotations

import contextlib
import ctypes
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Union

from . import _declarations as d
from ._engine import ExternKind, ExternType, Module, signature_text
from ._errors import Exit, UsageError, check, answer_exception, raise_error
from ._handles import u64
from ._library import lib
from ._store import Store, store_of
from ._values import LETTERS, Signature, Value, get, put, signature

# ---- host functions -------------------------------------------------------------------------------

HostFunction = Callable[..., Any]


class Caller:
    """Who calls a host function. Good for nothing once that returns."""

    def __init__(self, store: Store, pointer: int) -> None:
        self.store = store
        self._pointer: int | None = pointer

    def _ptr(self) -> int:
        if self._pointer is None:
            raise UsageError("the call is over")
        return self._pointer

    @property
    def memory(self) -> Memory:
        """The memory that the calling instance exports as "memory"."""
        instance = lib.wr_caller_instance(self._ptr())
        memory = lib.wr_instance_memory(instance, b"memory") if instance else None
        if not memory:
            raise UsageError('the caller exports no memory named "memory"')
        return Memory(self.store, memory)

    def export(self, name: str) -> Extern | None:
        """Any export of the calling instance; None if it has none of that name, or the host itself calls."""
        instance = lib.wr_caller_instance(self._ptr())
        return _export_named(self.store, instance, name) if instance else None

    def poll(self) -> None:
        """For functions that block: raises a trap when the call is interrupted or past its deadline."""
        check(lib.wr_caller_poll(self._ptr()), self.store)

    @property
    def patience(self) -> float | None:
        """Seconds that a function may block before it should poll() again."""
        nanoseconds = lib.wr_caller_patience(self._ptr())
        return None if nanoseconds == 2**64 - 1 else nanoseconds / 1e9


class _Definition:
    """What the library's context of a host function leads to."""

    def __init__(self, function: HostFunction, sig: Signature, caller: bool) -> None:
        self.function, self.sig, self.caller = function, sig, caller

    def call(self, store: Store, pointer: int, slots: int) -> None:
        sig = self.sig
        array = sig.array.from_address(slots)
        arguments = sig.get(store, array, True)
        if self.caller:
            caller = Caller(store, pointer)
            try:
                result = self.function(caller, *arguments)
            finally:
                caller._pointer = None
        else:
            result = self.function(*arguments)
        sig.put(store, array, self._values(result), False)

    def _values(self, result: Any) -> tuple[Value, ...]:
        """No result, one, or a sequence of several."""
        n = len(self.sig.results)
        if n == 1:
            return (result,)
        if n == 0:
            if result is not None:
                raise TypeError(f"a result of a function that has none ({self.sig.text})")
            return ()
        return tuple(result)


_numbers = itertools.count(1)
_definitions: dict[int, _Definition] = {}


def _call_host(caller: int, context: int, slots: int, answer: Any) -> None:
    store = None
    try:
        store = store_of(lib.wr_caller_store(caller))
        _definitions[context].call(store, caller, slots)
        answer[0] = None
    except BaseException as e:
        answer_exception(answer, store, e)


def _forget(context: int) -> None:
    _definitions.pop(context, None)


def host_context(function: HostFunction, sig: str, caller: bool) -> int:
    """The context for the library, to be forgotten by its finalizer."""
    number = next(_numbers)
    _definitions[number] = _Definition(function, signature(sig), caller)
    return number


def forget_context(number: int) -> None:
    """When defining failed."""
    _definitions.pop(number, None)


call_host, forget = d.wr_callback_t(_call_host), ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_forget)

# ---- functions ------------------------------------------------------------------------------------


class _Object:
    """Something of a store, which it keeps."""

    _store: Store
    _pointer: int

    def __init__(self, store: Store, pointer: int) -> None:
        self._store, self._pointer = store, pointer

    @property
    def store(self) -> Store:
        """Where it lives."""
        return self._store

    def _of(self, store: Store) -> int:
        """The pointer, for use in that store."""
        if store is not self._store:
            raise UsageError("the object belongs to another store")
        return self._pointer

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and isinstance(other, _Object) and self._pointer == other._pointer

    def __hash__(self) -> int:
        return hash(self._pointer)


class Func(_Object):
    """A function of a guest, or of the host. Calling it gives None, a value, or a tuple of several."""

    def __init__(self, store: Store, pointer: int) -> None:
        super().__init__(store, pointer)
        self._signature = signature(signature_text(lib.wr_func_signature, pointer))

    @classmethod
    def new(cls, store: Store, sig: str, function: HostFunction, *, caller: bool = False) -> Func:
        """A host function, as a value for guests. With `caller` its first argument is the Caller."""
        context = host_context(function, sig, caller)
        made = ctypes.c_void_p()
        pointer = store._enter()
        try:
            error = lib.wr_store_make_callback(pointer, sig.encode(), call_host, context, forget, ctypes.byref(made))
            if error:
                forget_context(context)
                raise_error(error, store)
            assert made.value
            return cls(store, made.value)
        finally:
            store._leave()

    @property
    def signature(self) -> str:
        """As in ExternType.signature."""
        return self._signature.text

    def __call__(self, *arguments: Value) -> Any:
        sig, store = self._signature, self._store
        slots = sig.array()
        raw = store._enter()
        scope = None
        try:
            if store._views:
                store._may_change()
            sig.put(store, slots, arguments, True)
            if sig.has_objects:
                scope = lib.wr_store_open_scope(raw)
            store._depth += 1
            try:
                error = lib.wr_func_call_slots(raw, self._pointer, slots_of(slots))
            finally:
                store._depth -= 1
            if error:
                raise_error(error, store)
            results = sig.get(store, slots, False)
        finally:
            if scope is not None:
                lib.wr_store_close_scope(raw, scope)
            store._leave()
        return results[0] if len(results) == 1 else results or None

    def start(self, *arguments: Value) -> Call:
        """A call that pauses where it would trap because fuel, time or patience is at an end."""
        return Call(self, arguments)


def slots_of(array: Any) -> Any:
    """ctypes wants a pointer to the type of the declaration."""
    return ctypes.cast(array, ctypes.POINTER(d.wr_slot_t))


class Call:
    """A call that can pause. It has returned when `paused` is None; `result` is what it returned then.

    While it is paused the store can be used for other calls. close() gives it up.
    """

    def __init__(self, func: Func, arguments: tuple[Value, ...]) -> None:
        self._store, self._signature = func._store, func._signature
        params, results = self._signature.params, self._signature.results
        if len(arguments) != len(params):
            raise TypeError(f"{len(arguments)} values for {len(params)} ({func.signature})")
        self._results = (d.wr_val_t * len(results))()
        self._paused: int | None = None
        self.result: Any = None
        """What the function returned, as calling it would."""

        def begin(raw: int, paused: Any) -> int | None:
            values = (d.wr_val_t * len(params))()
            for i, letter in enumerate(params):
                put(self._store, values[i], letter, arguments[i])
            error: int | None = lib.wr_call_start(
                raw, func._pointer, values, len(params), self._results, len(results), paused
            )
            return error

        self._run(begin)

    def _run(self, go: Callable[[int, Any], int | None]) -> None:
        store = self._store
        raw = store._enter()
        scope = lib.wr_store_open_scope(raw)
        try:
            store._may_change()
            paused = ctypes.c_void_p()
            store._depth += 1
            try:
                error = go(raw, ctypes.byref(paused))
            finally:
                store._depth -= 1
                self._paused = paused.value
            if error:
                raise_error(error, store)
            if self._paused is None:
                values = tuple(get(store, v) for v in self._results)
                self.result = values[0] if len(values) == 1 else values or None
        finally:
            lib.wr_store_close_scope(raw, scope)
            store._leave()

    @property
    def paused(self) -> str | None:
        """Why it is paused: "out_of_fuel", "deadline", "interrupted"; None if it is not."""
        if self._paused is None:
            return None
        self._store._enter()
        try:
            return {
                d.WR_TRAP_OUT_OF_FUEL: "out_of_fuel",
                d.WR_TRAP_DEADLINE: "deadline",
                d.WR_TRAP_INTERRUPTED: "interrupted",
            }.get(lib.wr_call_reason(self._paused))
        finally:
            self._store._leave()

    def resume(self) -> None:
        """Goes on: with new fuel, another deadline, in another thread."""
        call = self._paused
        if call is None:
            raise UsageError("the call is not paused")

        def go_on(_raw: int, paused: Any) -> int | None:
            error: int | None = lib.wr_call_resume(call, self._results, len(self._results), paused)
            return error

        self._run(go_on)

    def close(self) -> None:
        """Gives it up: it never goes on. Dropping the object does not: the store keeps it until then."""
        call, self._paused = self._paused, None
        if call is not None:
            self._store._enter()
            try:
                lib.wr_call_delete(call)
            finally:
                self._store._leave()


# ---- memories -------------------------------------------------------------------------------------


def _check_address(number: int) -> None:
    if not 0 <= number < 1 << 64:
        raise IndexError(f"{number} is no address")


class Memory(_Object):
    """A memory of guests. Addresses are checked: IndexError where it ends.

    memory[a:b] is bytes, memory[a] a byte; both can be assigned to, without changing the length.
    """

    @classmethod
    def new(
        cls,
        store: Store,
        min: int,
        max: int | None = None,
        *,
        is_64: bool = False,
        is_shared: bool = False,
    ) -> Memory:
        """A memory of the host's, in pages of 64 KiB."""
        made = ctypes.c_void_p()
        t = d.wr_memory_type_t(u64(min), 2**64 - 1 if max is None else u64(max), is_shared, is_64, 16)
        pointer = store._enter()
        try:
            check(lib.wr_store_make_memory(pointer, ctypes.byref(t), ctypes.byref(made)), store)
        finally:
            store._leave()
        assert made.value
        return cls(store, made.value)

    @property
    def type(self) -> ExternType:
        """With the size that it has now."""
        return extern_type(self)

    def __len__(self) -> int:
        self._store._enter()
        try:
            size: int = lib.wr_memory_size(self._pointer)
            return size
        finally:
            self._store._leave()

    def grow(self, pages: int) -> int:
        """By so many pages; gives their old number. OverflowError if a limit does not allow it."""
        self._store._enter()
        try:
            self._store._may_change()
            old: int = lib.wr_memory_grow(self._pointer, u64(pages))
        finally:
            self._store._leave()
        if old == 2**64 - 1:
            raise OverflowError(f"the memory cannot grow by {pages} pages")
        return old

    def read(self, address: int, size: int) -> bytes:
        """A copy."""
        _check_address(address)
        _check_address(size)
        self._store._enter()
        try:
            if not lib.wr_memory_view(self._pointer, address, size) and size:  # before memory for it is taken
                raise IndexError(f"{size} bytes at {address} are not in the memory")
            buffer = ctypes.create_string_buffer(size)
            if not lib.wr_memory_read(self._pointer, address, buffer, size):
                raise IndexError(f"{size} bytes at {address} are not in the memory")
            return buffer.raw
        finally:
            self._store._leave()

    def write(self, address: int, data: bytes | bytearray | memoryview) -> None:
        """All of it, or nothing."""
        data = bytes(data)
        _check_address(address)
        self._store._enter()
        try:
            if not lib.wr_memory_write(self._pointer, address, data, len(data)):
                raise IndexError(f"{len(data)} bytes at {address} are not in the memory")
        finally:
            self._store._leave()

    def read_u32(self, address: int) -> int:
        """Little-endian."""
        return int.from_bytes(self.read(address, 4), "little")

    def read_u64(self, address: int) -> int:
        """Little-endian."""
        return int.from_bytes(self.read(address, 8), "little")

    def write_u32(self, address: int, value: int) -> None:
        """Little-endian."""
        self.write(address, value.to_bytes(4, "little"))

    def write_u64(self, address: int, value: int) -> None:
        """Little-endian."""
        self.write(address, value.to_bytes(8, "little"))

    def read_string(self, address: int, max: int = 1 << 16) -> bytes:
        """Up to a zero byte, which must be among the first `max`."""
        string, length = ctypes.c_void_p(), ctypes.c_size_t()
        _check_address(address)
        self._store._enter()
        try:
            if not lib.wr_memory_string(
                self._pointer, address, u64(max), ctypes.byref(string), ctypes.byref(length)
            ):
                raise IndexError(f"no zero byte within {max} of {address}")
            return ctypes.string_at(string.value or 0, length.value)
        finally:
            self._store._leave()

    def _range(self, key: slice) -> tuple[int, int]:
        start, stop, step = key.indices(len(self))
        if step != 1:
            raise ValueError("slices of memory have no step")
        return start, max(stop - start, 0)

    def __getitem__(self, key: int | slice) -> Any:
        if isinstance(key, slice):
            return self.read(*self._range(key))
        return self.read(key, 1)[0]

    def __setitem__(self, key: int | slice, value: Any) -> None:
        if not isinstance(key, slice):
            self.write(key, bytes([value]))
            return
        start, size = self._range(key)
        if len(value) != size:
            raise ValueError(f"{len(value)} bytes for {size}")
        self.write(start, value)

    @contextlib.contextmanager
    def view(self) -> Iterator[memoryview]:
        """All of it, writable, without copying. While it is open, guests do not run, and the store cannot be closed.

        Nothing that was made of it, as slices or arrays, may be used after the `with`: it would be an access
        to memory that may not be there any more.
        """
        store = self._store
        store._enter()
        try:
            size = lib.wr_memory_size(self._pointer)
            address = lib.wr_memory_data(self._pointer)
            store._views += 1
            memory = memoryview((ctypes.c_uint8 * (size if address else 0)).from_address(address or 1)).cast("B")
            try:
                yield memory
            finally:
                store._views -= 1
                memory.release()
        finally:
            store._leave()


# ---- globals, tables, tags --------------------------------------------------------------------------


class Global(_Object):
    """A global: `value` gets and sets it."""

    @classmethod
    def new(cls, store: Store, kind: str, value: Value, *, mutable: bool = False) -> Global:
        """`kind` is a letter, as in signatures."""
        made, initial = ctypes.c_void_p(), d.wr_val_t()
        pointer = store._enter()
        try:
            put(store, initial, kind, value)
            check(lib.wr_store_make_global(pointer, ctypes.byref(initial), mutable, ctypes.byref(made)), store)
        finally:
            store._leave()
        assert made.value
        return cls(store, made.value)

    @property
    def type(self) -> ExternType:
        """Kind of its value, and whether it can be set."""
        return extern_type(self)

    @property
    def value(self) -> Any:
        """What it holds."""
        raw = self._store._enter()
        scope = lib.wr_store_open_scope(raw)
        try:
            value = d.wr_val_t()
            lib.wr_global_get(self._pointer, ctypes.byref(value))
            return get(self._store, value)
        finally:
            lib.wr_store_close_scope(raw, scope)
            self._store._leave()

    @value.setter
    def value(self, new: Value) -> None:
        kind = self.type.value
        assert kind is not None
        self._store._enter()
        try:
            value = d.wr_val_t()
            put(self._store, value, LETTERS[kind], new)
            check(lib.wr_global_set(self._pointer, ctypes.byref(value)), self._store)
        finally:
            self._store._leave()


class Table(_Object):
    """A table of references: len(t), t[i], t[i] = value, t.extend(n)."""

    @classmethod
    def new(cls, store: Store, kind: str, min: int, max: int | None = None, value: Value = None) -> Table:
        """`kind` is a letter, as in signatures; all elements are `value`."""
        made, initial = ctypes.c_void_p(), d.wr_val_t()
        most = 2**64 - 1 if max is None else u64(max)
        pointer = store._enter()
        try:
            put(store, initial, kind, value)
            check(lib.wr_store_make_table(pointer, ctypes.byref(initial), u64(min), most, ctypes.byref(made)), store)
        finally:
            store._leave()
        assert made.value
        return cls(store, made.value)

    @property
    def type(self) -> ExternType:
        """With the size that it has now."""
        return extern_type(self)

    def __len__(self) -> int:
        self._store._enter()
        try:
            size: int = lib.wr_table_size(self._pointer)
            return size
        finally:
            self._store._leave()

    def _put(self, value: Value) -> d.wr_val_t:
        kind = self.type.value
        assert kind is not None
        to = d.wr_val_t()
        put(self._store, to, LETTERS[kind], value)
        return to

    def __getitem__(self, index: int) -> Value:
        raw = self._store._enter()
        scope = lib.wr_store_open_scope(raw)
        try:
            value = d.wr_val_t()
            if not 0 <= index < 1 << 64 or not lib.wr_table_get(self._pointer, index, ctypes.byref(value)):
                raise IndexError(index)
            return get(self._store, value)
        finally:
            lib.wr_store_close_scope(raw, scope)
            self._store._leave()

    def __setitem__(self, index: int, value: Value) -> None:
        self._store._enter()
        try:
            if not 0 <= index < lib.wr_table_size(self._pointer):
                raise IndexError(index)
            new = self._put(value)
            check(lib.wr_table_set(self._pointer, index, ctypes.byref(new)), self._store)
        finally:
            self._store._leave()

    def extend(self, count: int, value: Value = None) -> None:
        """Appends so many elements."""
        self._store._enter()
        try:
            new = self._put(value)
            check(lib.wr_table_extend(self._pointer, u64(count), ctypes.byref(new)), self._store)
        finally:
            self._store._leave()


class Tag(_Object):
    """What tells exceptions apart; `params` are the kinds of their values."""

    def __init__(self, store: Store, pointer: int, sig: str) -> None:
        super().__init__(store, pointer)
        self.params = sig.partition(">")[0]

    @classmethod
    def new(cls, store: Store, params: str) -> Tag:
        """A tag for exceptions with such values: letters, as in signatures."""
        made = ctypes.c_void_p()
        pointer = store._enter()
        try:
            check(lib.wr_store_make_tag(pointer, (params + ">").encode(), ctypes.byref(made)), store)
        finally:
            store._leave()
        assert made.value
        return cls(store, made.value, params)


Extern = Union[Func, Table, Memory, Global, Tag]
"""What can be imported and exported."""

_KINDS: dict[type, tuple[ExternKind, str]] = {
    Func: (ExternKind.FUNC, "func"),
    Table: (ExternKind.TABLE, "table"),
    Memory: (ExternKind.MEMORY, "memory"),
    Global: (ExternKind.GLOBAL, "global"),
    Tag: (ExternKind.TAG, "tag"),
}


def extern_struct(external: Extern) -> d.wr_extern_t:
    """For the library."""
    kind, member = _KINDS[type(external)]
    e = d.wr_extern_t(kind)
    setattr(e.of, member, external._pointer)
    return e


def extern_type(external: Extern) -> ExternType:
    """What the object is now."""
    t = d.wr_extern_type_t()
    external._store._enter()
    try:
        lib.wr_extern_type(ctypes.byref(extern_struct(external)), ctypes.byref(t))
    finally:
        external._store._leave()
    return ExternType._of(t, None)


def _wrap(store: Store, e: d.wr_extern_t, sig: str | None) -> Extern:
    if e.kind == d.WR_EXTERN_FUNC:
        return Func(store, e.of.func)
    if e.kind == d.WR_EXTERN_MEMORY:
        return Memory(store, e.of.memory)
    if e.kind == d.WR_EXTERN_TABLE:
        return Table(store, e.of.table)
    if e.kind == d.WR_EXTERN_GLOBAL:
        return Global(store, getattr(e.of, "global"))
    return Tag(store, e.of.tag, sig or ">")


def counted(name: str) -> tuple[d.wr_name_t, object]:
    """A name that may hold zeros, and what keeps it."""
    data = ctypes.create_string_buffer(name.encode())
    return d.wr_name_t(ctypes.addressof(data), len(data) - 1), data


def _export_named(store: Store, instance: int, name: str, sig: str | None = None) -> Extern | None:
    e = d.wr_extern_t()
    raw, keep = counted(name)
    found = lib.wr_instance_export_named(instance, raw, ctypes.byref(e))
    del keep
    return _wrap(store, e, sig) if found else None


class Exports(Mapping[str, Extern]):
    """What an instance exports, by name."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._types = {export.name: export.type for export in instance.module.exports}

    def __getitem__(self, name: str) -> Extern:
        t, instance = self._types[name], self._instance
        instance._store._enter()
        try:
            found = _export_named(instance._store, instance._pointer, name, t.signature)
        finally:
            instance._store._leave()
        assert found is not None
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)


class Instance(_Object):
    """An instance of a module; Linker.instantiate() makes them."""

    def __init__(self, store: Store, pointer: int, module: Module) -> None:
        super().__init__(store, pointer)
        self.module = module
        self.exports = Exports(self)

    def _get(self, name: str, kind: type[_Object]) -> Any:
        found = self.exports.get(name)
        if not isinstance(found, kind):
            raise UsageError(f"there is no exported {kind.__name__.lower()} named {name!r}")
        return found

    def func(self, name: str) -> Func:
        """An exported function."""
        found: Func = self._get(name, Func)
        return found

    def memory(self, name: str = "memory") -> Memory:
        """An exported memory."""
        found: Memory = self._get(name, Memory)
        return found

    def table(self, name: str) -> Table:
        """An exported table."""
        found: Table = self._get(name, Table)
        return found

    def global_(self, name: str) -> Global:
        """An exported global."""
        found: Global = self._get(name, Global)
        return found

    def tag(self, name: str) -> Tag:
        """An exported tag."""
        found: Tag = self._get(name, Tag)
        return found

    def run(self) -> int:
        """Calls `_start`, as for a WASI program; gives its exit status."""
        try:
            self.func("_start")()
        except Exit as e:
            return e.status
        return 0


