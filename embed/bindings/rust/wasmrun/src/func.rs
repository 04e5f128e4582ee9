//! Functions: calls of guests, and functions of the host.

use std::ffi::CString;
use std::marker::PhantomData;
use std::os::raw::c_void;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::{null_mut, NonNull};

use wasmrun_sys as sys;

use crate::engine::written;
use crate::error::{c_text, drop_quietly, trap_code, Error, Panic, Result, TrapCode};
use crate::store::{handle, handle_for, inner_of, AsContext, Caller};
use crate::value::{self, signature, Val, ValKind, WasmTuple, WasmTy, MAX_SLOTS};

/// A function of a store, of a guest or of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Func {
    pub(crate) raw: *mut sys::wr_func_t,
    pub(crate) store: u64,
}

// A handle: only functions that are given its store look behind it.
unsafe impl Send for Func {}
unsafe impl Sync for Func {}

impl Func {
    /// A host function with checked values: see [`Linker::func_new`](crate::Linker::func_new).
    pub fn new<C: AsContext>(
        store: &mut C,
        signature: &str,
        function: impl Fn(Caller<'_, C::Data>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Func> {
        Func::make(store, signature, Closure::untyped(signature, function)?)
    }

    /// A host function: see [`Linker::func`](crate::Linker::func).
    pub fn wrap<C: AsContext, P, R>(store: &mut C, function: impl IntoFunc<C::Data, P, R>) -> Result<Func> {
        let (signature, closure) = function.into_closure();
        Func::make(store, &signature, closure)
    }

    fn make<C: AsContext>(store: &mut C, signature: &str, closure: Closure<C::Data>) -> Result<Func> {
        let (raw_store, id) = handle(store);
        let (context, mut made) = (Box::into_raw(Box::new(closure)), null_mut());
        unsafe {
            let error = sys::wr_store_make_func(
                raw_store,
                c_text(signature).as_ptr(),
                Some(call_host::<C::Data>),
                context as *mut c_void,
                Some(drop_closure::<C::Data>),
                &mut made,
            );
            if !error.is_null() {
                drop(Box::from_raw(context));
            }
            Error::check(error)?;
        }
        Ok(Func { raw: made, store: id })
    }

    /// Its type: parameters > results, as for [`Linker::func_new`](crate::Linker::func_new).
    pub fn signature(&self, store: &impl AsContext) -> Result<String> {
        handle_for(store, self.store)?;
        Ok(written(|buffer, size| unsafe { sys::wr_func_signature(self.raw, buffer, size) }))
    }

    /// Calls it, with values that are checked.
    pub fn call(&self, store: &mut impl AsContext, args: &[Val]) -> Result<Vec<Val>> {
        let raw = handle_for(store, self.store)?;
        let args = args.iter().map(|v| v.to_raw(self.store)).collect::<Result<Vec<_>>>()?;
        unsafe {
            let mut results = vec![value::zero(); sys::wr_func_result_count(self.raw)];
            let (given, room) = (args.len(), results.len());
            let error = sys::wr_func_call(raw, self.raw, args.as_ptr(), given, results.as_mut_ptr(), room);
            Error::check_in(error, Some((raw, self.store)))?;
            Ok(values(raw, self.store, &results))
        }
    }

    /// With its type as one of Rust, to be called without boxing. An error if it has another one.
    pub fn typed<P: WasmTuple, R: WasmTuple>(&self, store: &impl AsContext) -> Result<TypedFunc<P, R>> {
        handle_for(store, self.store)?;
        let wanted = signature::<P, R>();
        if !unsafe { sys::wr_func_has_signature(self.raw, c_text(&wanted).as_ptr()) } {
            let actual = self.signature(store)?;
            return Err(Error::usage(&format!("the function has the type {}, not {}", actual, wanted)));
        }
        Ok(TypedFunc { func: *self, _type: PhantomData })
    }

    /// A call that pauses where it would trap because fuel, time or patience is at an end. Not in host functions.
    pub fn start(&self, store: &mut impl AsContext, args: &[Val]) -> Result<Progress> {
        let raw = handle_for(store, self.store)?;
        let args = args.iter().map(|v| v.to_raw(self.store)).collect::<Result<Vec<_>>>()?;
        unsafe {
            let mut results = vec![value::zero(); sys::wr_func_result_count(self.raw)];
            let (mut paused, given, room) = (null_mut(), args.len(), results.len());
            let error = sys::wr_call_start(
                raw,
                self.raw,
                args.as_ptr(),
                given,
                results.as_mut_ptr(),
                room,
                &mut paused,
            );
            progress(store, error, paused, results)
        }
    }
}

unsafe fn values(raw: *mut sys::wr_store_t, store: u64, results: &[sys::wr_val_t]) -> Vec<Val> {
    results.iter().map(|v| Val::from_raw(v, store, raw)).collect()
}

/// A function whose type was checked.
#[derive(Debug)]
pub struct TypedFunc<P, R> {
    func: Func,
    _type: PhantomData<fn(P) -> R>,
}

impl<P, R> Clone for TypedFunc<P, R> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P, R> Copy for TypedFunc<P, R> {}

impl<P: WasmTuple, R: WasmTuple> TypedFunc<P, R> {
    /// Calls it.
    pub fn call(&self, store: &mut impl AsContext, args: P) -> Result<R> {
        let raw = handle_for(store, self.func.store)?;
        let mut slots = [sys::wr_slot_t { u64: 0 }; MAX_SLOTS];
        unsafe {
            args.put(slots.as_mut_ptr(), self.func.store)?;
            let error = sys::wr_func_call_slots(raw, self.func.raw, slots.as_mut_ptr());
            if !error.is_null() {
                return Err(Error::from_raw(error, Some((raw, self.func.store))));
            }
            Ok(R::get(slots.as_ptr(), self.func.store, raw))
        }
    }

    /// The function without its type.
    pub fn func(&self) -> Func {
        self.func
    }
}

// ---- calls that pause

/// How far a call has come.
#[derive(Debug)]
pub enum Progress {
    /// It has returned.
    Done(Vec<Val>),
    /// It can go on.
    Paused(PausedCall),
}

/// A call that waits in its store. Dropping this does not end it: the store keeps it until then.
#[derive(Debug)]
#[must_use]
pub struct PausedCall {
    store: u64,
    index: usize,
    results: usize,
    /// Why: out of fuel, past the deadline, or interrupted.
    pub reason: TrapCode,
}

unsafe fn progress<C: AsContext>(
    store: &mut C,
    error: *mut sys::wr_error_t,
    paused: *mut sys::wr_call_t,
    results: Vec<sys::wr_val_t>,
) -> Result<Progress> {
    let (raw, id) = handle(store);
    if !paused.is_null() {
        let calls = &mut (*store.raw_inner().0.as_ptr()).calls;
        let index = calls.iter().position(|call| call.is_null()).unwrap_or(calls.len());
        if index == calls.len() {
            calls.push(null_mut());
        }
        calls[index] = paused;
        let reason = trap_code(sys::wr_call_reason(paused));
        Error::check_in(error, Some((raw, id)))?;
        return Ok(Progress::Paused(PausedCall { store: id, index, results: results.len(), reason }));
    }
    Error::check_in(error, Some((raw, id)))?;
    Ok(Progress::Done(values(raw, id, &results)))
}

impl PausedCall {
    fn take<C: AsContext>(&self, store: &mut C) -> *mut sys::wr_call_t {
        let calls = unsafe { &mut (*store.raw_inner().0.as_ptr()).calls };
        std::mem::replace(&mut calls[self.index], null_mut())
    }

    /// Goes on: with new fuel, another deadline.
    pub fn resume(self, store: &mut impl AsContext) -> Result<Progress> {
        handle_for(store, self.store)?;
        let call = self.take(store);
        unsafe {
            let mut results = vec![value::zero(); self.results];
            let mut paused = null_mut();
            let error = sys::wr_call_resume(call, results.as_mut_ptr(), results.len(), &mut paused);
            progress(store, error, paused, results)
        }
    }

    /// Gives it up.
    pub fn cancel(self, store: &mut impl AsContext) -> Result<()> {
        handle_for(store, self.store)?;
        unsafe { sys::wr_call_delete(self.take(store)) };
        Ok(())
    }

    /// Where it waits: the error with which it would have ended.
    pub fn backtrace(&self, store: &impl AsContext) -> Result<Error> {
        handle_for(store, self.store)?;
        unsafe {
            let call = (&(*store.raw_inner().0.as_ptr()).calls)[self.index];
            Ok(Error::from_raw(sys::wr_call_backtrace(call), None))
        }
    }
}

// ---- host functions

type Function<T> = dyn Fn(Caller<'_, T>, *mut sys::wr_slot_t) -> Result<()> + Send + Sync;

/// What the library's context of a host function is.
#[allow(missing_debug_implementations)]
pub struct Closure<T: 'static>(Box<Function<T>>);

pub(crate) unsafe extern "C" fn drop_closure<T: 'static>(context: *mut c_void) {
    drop_quietly(Box::from_raw(context as *mut Closure<T>));
}

/// Nothing unwinds into C: panics become traps.
pub(crate) unsafe extern "C" fn call_host<T: 'static>(
    caller: *mut sys::wr_caller_t,
    context: *mut c_void,
    slots: *mut sys::wr_slot_t,
) -> *mut sys::wr_error_t {
    let store = sys::wr_caller_store(caller);
    let inner: NonNull<crate::store::Inner<T>> = match inner_of(store) {
        Some(inner) => inner,
        None => return sys::wr_trap_new(b"called in a foreign store\0".as_ptr() as *const _),
    };
    let id = (*inner.as_ptr()).id;
    let run = AssertUnwindSafe(|| {
        let closure = &*(context as *const Closure<T>);
        (closure.0)(Caller::new(inner, caller), slots)
    });
    match catch_unwind(run) {
        Ok(Ok(())) => null_mut(),
        Ok(Err(error)) => error.into_raw(store, id),
        Err(payload) => Error::host(Panic::new(payload)).into_raw(store, id),
    }
}

fn kinds(letters: &str) -> Result<Vec<ValKind>> {
    letters
        .bytes()
        .map(|c| ValKind::of_letter(c).ok_or_else(|| Error::usage("there is no such kind of values")))
        .collect()
}

impl<T: 'static> Closure<T> {
    pub(crate) fn untyped(
        signature: &str,
        function: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<Closure<T>> {
        let (params, results) =
            signature.split_once('>').ok_or_else(|| Error::usage("a signature has a >"))?;
        let (params, results) = (kinds(params)?, kinds(results)?);
        Ok(Closure(Box::new(move |caller, slots| {
            let (raw, id) = handle(&caller);
            let (mut args, mut at) = (Vec::with_capacity(params.len()), 0);
            for &kind in &params {
                args.push(unsafe { Val::from_slots(kind, slots.add(at), id, raw) });
                at += kind.slots();
            }
            let mut out: Vec<Val> = results.iter().map(|&kind| null_of(kind)).collect();
            function(caller, &args, &mut out)?;
            at = 0;
            for (value, &kind) in out.iter().zip(&results) {
                if value.kind() != kind {
                    return Err(Error::trap("a host function gave a result of another kind"));
                }
                unsafe { value.to_slots(slots.add(at), id)? };
                at += kind.slots();
            }
            Ok(())
        })))
    }
}

fn null_of(kind: ValKind) -> Val {
    match kind {
        ValKind::I32 => Val::I32(0),
        ValKind::I64 => Val::I64(0),
        ValKind::F32 => Val::F32(0.0),
        ValKind::F64 => Val::F64(0.0),
        ValKind::V128 => Val::V128(0),
        ValKind::FuncRef => Val::FuncRef(None),
        ValKind::ExternRef => Val::ExternRef(None),
        ValKind::AnyRef => Val::AnyRef(None),
        ValKind::ExnRef => Val::ExnRef(None),
    }
}

/// What a host function returns: results, or a [`Result`] of them.
pub trait WasmReturn {
    #[doc(hidden)]
    type Results: WasmTuple;
    #[doc(hidden)]
    fn into_results(self) -> Result<Self::Results>;
}

impl<R: WasmTuple> WasmReturn for R {
    type Results = R;
    fn into_results(self) -> Result<R> {
        Ok(self)
    }
}

impl<R: WasmTuple> WasmReturn for Result<R> {
    type Results = R;
    fn into_results(self) -> Result<R> {
        self
    }
}

/// Functions and closures that can be host functions: up to 8 parameters of [`WasmTy`], before them a [`Caller`] if
/// they want it, and a [`WasmReturn`].
pub trait IntoFunc<T: 'static, P, R> {
    #[doc(hidden)]
    fn into_closure(self) -> (String, Closure<T>);
}

macro_rules! into_func {
    ($($t:ident)*) => {
        #[allow(non_snake_case, unused_variables)]
        impl<T: 'static, F, $($t: WasmTy,)* R: WasmReturn> IntoFunc<T, ($($t,)*), R> for F
        where
            F: Fn($($t),*) -> R + Send + Sync + 'static,
        {
            fn into_closure(self) -> (String, Closure<T>) {
                let with = move |_: Caller<'_, T>, $($t: $t),*| self($($t),*);
                IntoFunc::<T, (Caller<'static, T>, $($t,)*), R>::into_closure(with)
            }
        }

        #[allow(non_snake_case, unused_variables)]
        impl<T: 'static, F, $($t: WasmTy,)* R: WasmReturn> IntoFunc<T, (Caller<'static, T>, $($t,)*), R> for F
        where
            F: Fn(Caller<'_, T>, $($t),*) -> R + Send + Sync + 'static,
        {
            fn into_closure(self) -> (String, Closure<T>) {
                let call = move |caller: Caller<'_, T>, slots: *mut sys::wr_slot_t| {
                    let (raw, id) = handle(&caller);
                    unsafe {
                        let ($($t,)*) = <($($t,)*) as WasmTuple>::get(slots, id, raw);
                        self(caller, $($t),*).into_results()?.put(slots, id)
                    }
                };
                (signature::<($($t,)*), R::Results>(), Closure(Box::new(call)))
            }
        }
    };
}

into_func!();
into_func!(A1);
into_func!(A1 A2);
into_func!(A1 A2 A3);
into_func!(A1 A2 A3 A4);
into_func!(A1 A2 A3 A4 A5);
into_func!(A1 A2 A3 A4 A5 A6);
into_func!(A1 A2 A3 A4 A5 A6 A7);
into_func!(A1 A2 A3 A4 A5 A6 A7 A8);

/// For the linker: a name.
pub(crate) fn name(text: &str) -> Result<CString> {
    CString::new(text).map_err(|_| Error::usage("the name has a zero in it"))
}
