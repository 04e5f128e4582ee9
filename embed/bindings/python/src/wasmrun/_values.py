"""Values of guests as Python's: numbers, bytes, functions, and any object as a host value."""
from __future__ import annotations

import ctypes
import enum
import struct
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Union

from . import _declarations as d
from ._errors import UsageError, check
from ._library import lib

if TYPE_CHECKING:
    from ._objects import Func
    from ._store import Store

Value = Union[int, float, bytes, "Func", "Reference", None, Any]
"""i32, i64: int, given signed or unsigned, got signed; f32, f64: float; v128: 16 bytes, little-endian; funcref: Func;
externref: any object; other references: Reference. None is null."""

LETTERS = "iIfFvceax"  # by wr_valkind_t
_REFERENCES = "ceax"


class ObjectKind(enum.IntEnum):
    """What a reference leads to."""

    NONE = d.WR_OBJECT_NONE
    I31 = d.WR_OBJECT_I31
    STRUCT = d.WR_OBJECT_STRUCT
    ARRAY = d.WR_OBJECT_ARRAY
    HOST = d.WR_OBJECT_HOST
    EXCEPTION = d.WR_OBJECT_EXCEPTION


class Reference:
    """An object of the guest's heap, or a number of 31 bits. It keeps the object alive.

    Structures have fields, arrays elements: len(r), r[i], r[i] = value. int(r) is the number of an i31.
    """

    def __init__(self, store: Store, kind: int, raw: int) -> None:
        self._store, self._kind, self._raw = store, kind, raw
        self._pin: int | None = None
        pin = ctypes.c_uint32()
        check(lib.wr_store_pin(store._raw, ctypes.byref(self._val()), ctypes.byref(pin)), store)
        self._pin = pin.value

    def __del__(self) -> None:
        if self._pin is not None:
            self._store._unpinned.append(self._pin)

    def _val(self) -> d.wr_val_t:
        value = d.wr_val_t(self._kind)
        value.of.ref = self._raw
        return value

    @staticmethod
    def i31(store: Store, number: int) -> Reference:
        """A number of 31 bits as a reference: the uppermost bit is lost, the next is the sign."""
        store._enter()
        try:
            return Reference(store, d.WR_ANYREF, lib.wr_i31_new(_integer(number, 32)).of.ref)
        finally:
            store._leave()

    @property
    def kind(self) -> ObjectKind:
        """What it leads to."""
        pointer = self._store._enter()
        try:
            return ObjectKind(lib.wr_object_kind(pointer, ctypes.byref(self._val())))
        finally:
            self._store._leave()

    def __int__(self) -> int:
        number = ctypes.c_int32()
        if not lib.wr_i31_get(ctypes.byref(self._val()), ctypes.byref(number)):
            raise TypeError("the reference is no i31")
        return number.value

    def __len__(self) -> int:
        pointer = self._store._enter()
        try:
            length: int = lib.wr_object_length(pointer, ctypes.byref(self._val()))
            return length
        finally:
            self._store._leave()

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> Value:
        pointer = self._store._enter()
        scope = lib.wr_store_open_scope(pointer)
        try:
            value = d.wr_val_t()
            if not 0 <= index < 1 << 64 or not lib.wr_object_get(pointer, ctypes.byref(self._val()), index, ctypes.byref(value)):
                raise IndexError(index)
            return get(self._store, value)
        finally:
            lib.wr_store_close_scope(pointer, scope)
            self._store._leave()

    def __setitem__(self, index: int, new: Value) -> None:
        pointer = self._store._enter()
        scope = lib.wr_store_open_scope(pointer)
        try:
            value = d.wr_val_t()
            if not 0 <= index < 1 << 64 or not lib.wr_object_get(pointer, ctypes.byref(self._val()), index, ctypes.byref(value)):
                raise IndexError(index)
            put(self._store, value, LETTERS[value.kind], new)
            check(lib.wr_object_set(pointer, ctypes.byref(self._val()), index, ctypes.byref(value)), self._store)
        finally:
            lib.wr_store_close_scope(pointer, scope)
            self._store._leave()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reference) and (self._store, self._raw) == (other._store, other._raw)

    def __hash__(self) -> int:
        return hash(self._raw)


# ---- one value ------------------------------------------------------------------------------------


def _integer(value: object, bits: int) -> int:
    """Signed or unsigned, as a signed one."""
    if not isinstance(value, int):
        raise TypeError(f"an i{bits} is an int, not {type(value).__name__}")
    if not -(1 << (bits - 1)) <= value < 1 << bits:
        raise OverflowError(f"{value} does not fit an i{bits}")
    return value if value < 1 << (bits - 1) else value - (1 << bits)


def _float(value: object) -> float:
    if not isinstance(value, (int, float)):
        raise TypeError(f"a floating-point number is a float, not {type(value).__name__}")
    return float(value)


def _vector(value: object) -> bytes:
    if not isinstance(value, (bytes, bytearray)) or len(value) != 16:
        raise TypeError("a v128 is 16 bytes")
    return bytes(value)


def _reference(store: Store, letter: str, value: object) -> int:
    """The number by which guests know an object; the store must be entered."""
    from ._objects import Func

    if value is None:
        return 0
    if isinstance(value, Reference):
        if value._store is not store:
            raise UsageError("the reference belongs to another store")
        return value._raw
    if letter == "c":
        if not isinstance(value, Func):
            raise TypeError(f"a funcref is a Func or None, not {type(value).__name__}")
        raw: int = lib.wr_func_ref(value._of(store)).of.ref
        return raw
    if letter == "x":
        raise TypeError("an exnref is a Reference or None")
    return store._extern_new(value)


def put(store: Store, to: d.wr_val_t, letter: str, value: Value) -> None:
    """Fills a wr_val_t. The store must be entered."""
    to.kind = LETTERS.index(letter)
    if letter == "i":
        to.of.i32 = _integer(value, 32)
    elif letter == "I":
        to.of.i64 = _integer(value, 64)
    elif letter in "fF":
        setattr(to.of, "f32" if letter == "f" else "f64", _float(value))
    elif letter == "v":
        ctypes.memmove(to.of.v128, _vector(value), 16)
    else:
        to.of.ref = _reference(store, letter, value)


def _object(store: Store, letter: str, raw: int) -> Value:
    from ._objects import Func

    if raw == 0:
        return None
    if letter == "c":
        value = d.wr_val_t(d.WR_FUNCREF)
        value.of.ref = raw
        return Func(store, lib.wr_ref_func(store._raw, ctypes.byref(value)))
    if letter != "x":
        found, host = store._extern_value(raw)
        if found:
            return host
    return Reference(store, LETTERS.index(letter), raw)


def get(store: Store, value: d.wr_val_t) -> Value:
    """What a wr_val_t holds. The store must be entered."""
    letter = LETTERS[value.kind]
    if letter in _REFERENCES:
        return _object(store, letter, value.of.ref)
    if letter == "v":
        return bytes(value.of.v128)
    return getattr(value.of, ("i32", "i64", "f32", "f64")[value.kind])


# ---- signatures: many values, in slots --------------------------------------------------------------

_FORMATS = {"i": "i4x", "I": "q", "f": "f4x", "F": "d", "v": "QQ", "c": "Q", "e": "Q", "a": "Q", "x": "Q"}


class Signature:
    """How arguments and results of a type of functions go into slots, and out of them."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.params, _, self.results = text.partition(">")
        if not set(self.params + self.results) <= set(LETTERS) or ">" not in text:
            raise UsageError(f"bad signature: {text!r}")
        self.arguments = struct.Struct("=" + "".join(_FORMATS[c] for c in self.params))
        self.returned = struct.Struct("=" + "".join(_FORMATS[c] for c in self.results))
        self.size = max(self.arguments.size, self.returned.size, 8)
        self.array = ctypes.c_uint64 * (self.size // 8)
        self.plain_params = not set(self.params) & set("v" + _REFERENCES)
        self.plain_results = not set(self.results) & set("v" + _REFERENCES)
        self.has_objects = bool(set(self.results) & set("eax"))

    def put(self, store: Store, slots: Any, values: Sequence[Value], params: bool) -> None:
        """Writes arguments, or results."""
        letters, form = (self.params, self.arguments) if params else (self.results, self.returned)
        if len(values) != len(letters):
            raise TypeError(f"{len(values)} values for {len(letters)} ({self.text})")
        if self.plain_params if params else self.plain_results:
            try:
                form.pack_into(slots, 0, *values)
                return
            except struct.error:
                pass  # unsigned, or of a wrong type: with more care
        flat: list[Any] = []
        for letter, value in zip(letters, values):
            flat += self._flat(store, letter, value)
        form.pack_into(slots, 0, *flat)

    @staticmethod
    def _flat(store: Store, letter: str, value: Value) -> list[Any]:
        if letter == "i":
            return [_integer(value, 32)]
        if letter == "I":
            return [_integer(value, 64)]
        if letter in "fF":
            return [_float(value)]
        if letter == "v":
            return list(struct.unpack("<QQ", _vector(value)))
        return [_reference(store, letter, value)]

    def get(self, store: Store, slots: Any, params: bool) -> tuple[Value, ...]:
        """Reads arguments, or results."""
        letters, form = (self.params, self.arguments) if params else (self.results, self.returned)
        flat = form.unpack_from(slots, 0)
        if self.plain_params if params else self.plain_results:
            return flat
        values: list[Value] = []
        raw = iter(flat)
        for letter in letters:
            if letter == "v":
                values.append(struct.pack("<QQ", next(raw), next(raw)))
            elif letter in _REFERENCES:
                values.append(_object(store, letter, next(raw)))
            else:
                values.append(next(raw))
        return tuple(values)


_signatures: dict[str, Signature] = {}


def signature(text: str) -> Signature:
    """The same object for the same text."""
    found = _signatures.get(text)
    if found is None:
        found = _signatures[text] = Signature(text)
    return found
