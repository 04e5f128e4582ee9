//! Values of guests, and types of Rust that stand for them.

use std::any::Any;
use std::os::raw::{c_uint, c_void};

use wasmrun_sys as sys;

use crate::error::{Error, Result};
use crate::func::Func;
use crate::store::{handle, handle_for, AsContext};

/// Kinds of values, references by their hierarchy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum ValKind {
    I32,
    I64,
    F32,
    F64,
    V128,
    FuncRef,
    ExternRef,
    AnyRef,
    ExnRef,
}

impl ValKind {
    pub(crate) fn from_raw(kind: c_uint) -> ValKind {
        match kind {
            sys::WR_I32 => ValKind::I32,
            sys::WR_I64 => ValKind::I64,
            sys::WR_F32 => ValKind::F32,
            sys::WR_F64 => ValKind::F64,
            sys::WR_V128 => ValKind::V128,
            sys::WR_FUNCREF => ValKind::FuncRef,
            sys::WR_EXTERNREF => ValKind::ExternRef,
            sys::WR_ANYREF => ValKind::AnyRef,
            _ => ValKind::ExnRef,
        }
    }

    pub(crate) fn as_raw(self) -> c_uint {
        match self {
            ValKind::I32 => sys::WR_I32,
            ValKind::I64 => sys::WR_I64,
            ValKind::F32 => sys::WR_F32,
            ValKind::F64 => sys::WR_F64,
            ValKind::V128 => sys::WR_V128,
            ValKind::FuncRef => sys::WR_FUNCREF,
            ValKind::ExternRef => sys::WR_EXTERNREF,
            ValKind::AnyRef => sys::WR_ANYREF,
            ValKind::ExnRef => sys::WR_EXNREF,
        }
    }

    pub(crate) fn of_letter(letter: u8) -> Option<ValKind> {
        Some(match letter {
            b'i' => ValKind::I32,
            b'I' => ValKind::I64,
            b'f' => ValKind::F32,
            b'F' => ValKind::F64,
            b'v' => ValKind::V128,
            b'c' => ValKind::FuncRef,
            b'e' => ValKind::ExternRef,
            b'a' => ValKind::AnyRef,
            b'x' => ValKind::ExnRef,
            _ => return None,
        })
    }

    pub(crate) fn slots(self) -> usize {
        1 + usize::from(self == ValKind::V128)
    }
}

/// A reference of a store. Copies are the same; see [`Store::scope`](crate::Store::scope) for how long it is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ref {
    raw: u64, // not 0
    store: u64,
}

impl Ref {
    /// A host value for guests (externref): they can hold and give it back, nothing else. It is kept until the
    /// store's end.
    pub fn host<V: Any + Send>(store: &mut impl AsContext, value: V) -> Result<Ref> {
        let (raw_store, id) = handle(store);
        let mut raw = 0;
        unsafe {
            let externs = &mut (*store.raw_inner().0.as_ptr()).externs;
            externs.push(Box::new(value));
            let number = externs.len(); // 0 would be no value
            Error::check(sys::wr_extern_new(raw_store, number as *mut c_void, &mut raw))?;
        }
        Ok(Ref { raw, store: id })
    }

    /// The host value that it is, if it is one of that type.
    pub fn host_value<'a, V: Any>(&self, store: &'a impl AsContext) -> Option<&'a V> {
        let raw = handle_for(store, self.store).ok()?;
        let mut number = std::ptr::null_mut();
        unsafe {
            if !sys::wr_extern_value(raw, self.raw, &mut number) {
                return None;
            }
            let externs: &'a Vec<Box<dyn Any + Send>> = &(*store.raw_inner().0.as_ptr()).externs;
            externs.get((number as usize).wrapping_sub(1))?.downcast_ref()
        }
    }

    /// A number of 31 bits as a reference: the uppermost bit is lost, the next is the sign.
    pub fn i31(store: &impl AsContext, number: i32) -> Ref {
        Ref { raw: unsafe { sys::wr_i31_new(number).of.r#ref }, store: handle(store).1 }
    }

    fn any(&self) -> sys::wr_val_t {
        sys::wr_val_t { kind: sys::WR_ANYREF, of: sys::wr_val_of { r#ref: self.raw } }
    }

    /// The number, if it is one.
    pub fn as_i31(&self) -> Option<i32> {
        let mut number = 0;
        unsafe { sys::wr_i31_get(&self.any(), &mut number) }.then_some(number)
    }

    /// Fields of a structure, elements of an array; 0 for others.
    pub fn len(&self, store: &impl AsContext) -> usize {
        handle_for(store, self.store).map_or(0, |raw| unsafe { sys::wr_object_length(raw, &self.any()) })
    }

    /// Whether there are none.
    pub fn is_empty(&self, store: &impl AsContext) -> bool {
        self.len(store) == 0
    }

    /// A field or an element. Packed ones are zero-extended.
    pub fn get(&self, store: &mut impl AsContext, index: usize) -> Option<Val> {
        let raw = handle_for(store, self.store).ok()?;
        let mut value = zero();
        let found = unsafe { sys::wr_object_get(raw, &self.any(), index, &mut value) };
        found.then(|| unsafe { Val::from_raw(&value, self.store, raw) })
    }

    /// Changes one.
    pub fn set(&self, store: &mut impl AsContext, index: usize, value: Val) -> Result<()> {
        let raw = handle_for(store, self.store)?;
        let value = value.to_raw(self.store)?;
        unsafe { Error::check(sys::wr_object_set(raw, &self.any(), index, &value)) }
    }
}

/// A value. References are `None` when they are null.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Val {
    I32(i32),
    I64(i64),
    F32(f32),
    F64(f64),
    /// Lanes little-endian, as `u128::from_le_bytes` has them.
    V128(u128),
    FuncRef(Option<Func>),
    ExternRef(Option<Ref>),
    AnyRef(Option<Ref>),
    ExnRef(Option<Ref>),
}

pub(crate) fn zero() -> sys::wr_val_t {
    sys::wr_val_t { kind: sys::WR_I32, of: sys::wr_val_of { v128: [0; 16] } }
}

impl Val {
    /// What kind of value it is.
    pub fn kind(&self) -> ValKind {
        match self {
            Val::I32(_) => ValKind::I32,
            Val::I64(_) => ValKind::I64,
            Val::F32(_) => ValKind::F32,
            Val::F64(_) => ValKind::F64,
            Val::V128(_) => ValKind::V128,
            Val::FuncRef(_) => ValKind::FuncRef,
            Val::ExternRef(_) => ValKind::ExternRef,
            Val::AnyRef(_) => ValKind::AnyRef,
            Val::ExnRef(_) => ValKind::ExnRef,
        }
    }

    fn store_id(&self) -> Option<u64> {
        match self {
            Val::FuncRef(func) => func.as_ref().map(|f| f.store),
            Val::ExternRef(r) | Val::AnyRef(r) | Val::ExnRef(r) => r.as_ref().map(|r| r.store),
            _ => None,
        }
    }

    /// For use in that store.
    pub(crate) fn to_raw(self, store: u64) -> Result<sys::wr_val_t> {
        match self.store_id() {
            Some(id) if id != store => Err(Error::usage("a reference belongs to another store")),
            _ => Ok(unsafe { self.to_raw_here() }),
        }
    }

    /// A reference must belong to a store that is there.
    unsafe fn to_raw_here(self) -> sys::wr_val_t {
        let mut value = zero();
        value.kind = self.kind().as_raw();
        match self {
            Val::I32(v) => value.of.i32 = v,
            Val::I64(v) => value.of.i64 = v,
            Val::F32(v) => value.of.f32 = v,
            Val::F64(v) => value.of.f64 = v,
            Val::V128(v) => value.of.v128 = v.to_le_bytes(),
            Val::FuncRef(None) => (),
            Val::FuncRef(Some(func)) => value = sys::wr_func_ref(func.raw),
            Val::ExternRef(r) | Val::AnyRef(r) | Val::ExnRef(r) => value.of.r#ref = r.map_or(0, |r| r.raw),
        }
        value
    }

    /// From the library, which has it of that store.
    pub(crate) unsafe fn from_raw(
        value: &sys::wr_val_t,
        store: u64,
        raw_store: *const sys::wr_store_t,
    ) -> Val {
        match ValKind::from_raw(value.kind) {
            ValKind::I32 => Val::I32(value.of.i32),
            ValKind::I64 => Val::I64(value.of.i64),
            ValKind::F32 => Val::F32(value.of.f32),
            ValKind::F64 => Val::F64(value.of.f64),
            ValKind::V128 => Val::V128(u128::from_le_bytes(value.of.v128)),
            kind => Val::of_ref(kind, value.of.r#ref, store, raw_store),
        }
    }

    unsafe fn of_ref(kind: ValKind, raw: u64, store: u64, raw_store: *const sys::wr_store_t) -> Val {
        let reference = (raw != 0).then_some(Ref { raw, store });
        match kind {
            ValKind::ExternRef => Val::ExternRef(reference),
            ValKind::AnyRef => Val::AnyRef(reference),
            ValKind::ExnRef => Val::ExnRef(reference),
            _ => Val::FuncRef(func_of(raw, store, raw_store)),
        }
    }

    /// From slots that the library filled.
    pub(crate) unsafe fn from_slots(
        kind: ValKind,
        slots: *const sys::wr_slot_t,
        store: u64,
        raw_store: *const sys::wr_store_t,
    ) -> Val {
        match kind {
            ValKind::I32 => Val::I32((*slots).i32),
            ValKind::I64 => Val::I64((*slots).i64),
            ValKind::F32 => Val::F32((*slots).f32),
            ValKind::F64 => Val::F64((*slots).f64),
            ValKind::V128 => Val::V128(u128::from((*slots).u64) | u128::from((*slots.add(1)).u64) << 64),
            kind => Val::of_ref(kind, (*slots).r#ref, store, raw_store),
        }
    }

    /// Into slots, for use in that store.
    pub(crate) unsafe fn to_slots(self, slots: *mut sys::wr_slot_t, store: u64) -> Result<()> {
        let raw = self.to_raw(store)?;
        (*slots).u64 = 0;
        match self {
            Val::I32(v) => (*slots).i32 = v,
            Val::I64(v) => (*slots).i64 = v,
            Val::F32(v) => (*slots).f32 = v,
            Val::F64(v) => (*slots).f64 = v,
            Val::V128(v) => {
                (*slots).u64 = v as u64;
                (*slots.add(1)).u64 = (v >> 64) as u64;
            }
            _ => (*slots).r#ref = raw.of.r#ref,
        }
        Ok(())
    }
}

unsafe fn func_of(raw: u64, store: u64, raw_store: *const sys::wr_store_t) -> Option<Func> {
    if raw == 0 {
        return None;
    }
    let value = sys::wr_val_t { kind: sys::WR_FUNCREF, of: sys::wr_val_of { r#ref: raw } };
    let func = sys::wr_ref_func(raw_store, &value);
    (!func.is_null()).then_some(Func { raw: func, store })
}

macro_rules! from {
    ($($t:ty => $variant:ident,)*) => {
        $(impl From<$t> for Val {
            fn from(value: $t) -> Val {
                Val::$variant(value)
            }
        })*
    };
}
from! { i32 => I32, i64 => I64, f32 => F32, f64 => F64, u128 => V128, Option<Func> => FuncRef, }

mod sealed {
    pub trait Sealed {}
}

/// Types of Rust that are values of guests: `i32`, `u32`, `i64`, `u64`, `f32`, `f64`, `u128` (v128), `Option<Func>`
/// (funcref) and `Option<Ref>` (externref).
pub trait WasmTy: sealed::Sealed + Sized {
    #[doc(hidden)]
    const LETTER: u8;
    #[doc(hidden)]
    const SLOTS: usize = 1;
    #[doc(hidden)]
    fn into_val(self) -> Val;
    #[doc(hidden)]
    fn from_val(val: Val) -> Self;
}

macro_rules! wasm_ty {
    ($($t:ty, $letter:literal, $slots:literal, $variant:ident, |$v:ident| $to:expr, |$w:ident| $from:expr;)*) => {
        $(impl sealed::Sealed for $t {}
        impl WasmTy for $t {
            const LETTER: u8 = $letter;
            const SLOTS: usize = $slots;
            #[inline]
            fn into_val(self) -> Val {
                let $v = self;
                Val::$variant($to)
            }
            #[inline]
            fn from_val(val: Val) -> $t {
                match val {
                    Val::$variant($w) => $from,
                    _ => unreachable!("the type was checked"),
                }
            }
        })*
    };
}

wasm_ty! {
    i32, b'i', 1, I32, |v| v, |w| w;
    u32, b'i', 1, I32, |v| v as i32, |w| w as u32;
    i64, b'I', 1, I64, |v| v, |w| w;
    u64, b'I', 1, I64, |v| v as i64, |w| w as u64;
    f32, b'f', 1, F32, |v| v, |w| w;
    f64, b'F', 1, F64, |v| v, |w| w;
    u128, b'v', 2, V128, |v| v, |w| w;
    Option<Func>, b'c', 1, FuncRef, |v| v, |w| w;
    Option<Ref>, b'e', 1, ExternRef, |v| v, |w| w;
}

/// Arguments or results: `()`, one value, or a tuple of several.
pub trait WasmTuple: Sized {
    #[doc(hidden)]
    const SLOTS: usize;
    #[doc(hidden)]
    fn letters(to: &mut String);
    #[doc(hidden)]
    unsafe fn put(self, slots: *mut sys::wr_slot_t, store: u64) -> Result<()>;
    #[doc(hidden)]
    unsafe fn get(slots: *const sys::wr_slot_t, store: u64, raw_store: *const sys::wr_store_t) -> Self;
}

impl<A: WasmTy> WasmTuple for A {
    const SLOTS: usize = A::SLOTS;
    fn letters(to: &mut String) {
        to.push(A::LETTER as char);
    }
    #[inline]
    unsafe fn put(self, slots: *mut sys::wr_slot_t, store: u64) -> Result<()> {
        self.into_val().to_slots(slots, store)
    }
    #[inline]
    unsafe fn get(slots: *const sys::wr_slot_t, store: u64, raw_store: *const sys::wr_store_t) -> A {
        let kind = ValKind::of_letter(A::LETTER).expect("a letter");
        A::from_val(Val::from_slots(kind, slots, store, raw_store))
    }
}

macro_rules! tuple {
    ($($t:ident)*) => {
        #[allow(non_snake_case, unused_variables, unused_mut, unused_assignments, clippy::unused_unit)]
        impl<$($t: WasmTy),*> WasmTuple for ($($t,)*) {
            const SLOTS: usize = 0 $(+ $t::SLOTS)*;
            fn letters(to: &mut String) {
                $(<$t as WasmTuple>::letters(to);)*
            }
            #[inline]
            unsafe fn put(self, slots: *mut sys::wr_slot_t, store: u64) -> Result<()> {
                let ($($t,)*) = self;
                let mut at = 0;
                $($t.put(slots.add(at), store)?; at += $t::SLOTS;)*
                Ok(())
            }
            #[inline]
            unsafe fn get(slots: *const sys::wr_slot_t, store: u64, raw: *const sys::wr_store_t) -> Self {
                let mut at = 0;
                $(let $t = <$t as WasmTuple>::get(slots.add(at), store, raw); at += $t::SLOTS;)*
                ($($t,)*)
            }
        }
    };
}

tuple!();
tuple!(A1);
tuple!(A1 A2);
tuple!(A1 A2 A3);
tuple!(A1 A2 A3 A4);
tuple!(A1 A2 A3 A4 A5);
tuple!(A1 A2 A3 A4 A5 A6);
tuple!(A1 A2 A3 A4 A5 A6 A7);
tuple!(A1 A2 A3 A4 A5 A6 A7 A8);

/// More than tuples have.
pub(crate) const MAX_SLOTS: usize = 16;

/// A signature as a string, "ii>i".
pub(crate) fn signature<P: WasmTuple, R: WasmTuple>() -> String {
    let mut text = String::new();
    P::letters(&mut text);
    text.push('>');
    R::letters(&mut text);
    text
}
