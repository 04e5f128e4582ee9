//! Stores: where instances live, with their limits.

use std::any::Any;
use std::fmt;
use std::marker::PhantomData;
use std::os::raw::c_void;
use std::ptr::{null_mut, NonNull};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use wasmrun_sys as sys;

use crate::error::{Error, Result};
use crate::{Engine, Extern, Instance, Memory, Wasi};

/// A store as the library's callbacks find it. Behind a pointer: nothing may hold a reference to all of it
/// while guests run.
pub(crate) struct Inner<T> {
    pub(crate) raw: *mut sys::wr_store_t,
    pub(crate) id: u64, // never used again, as addresses are
    data: T,
    wasi: Option<Wasi>,
    pub(crate) externs: Vec<Box<dyn Any + Send>>,
    pub(crate) calls: Vec<*mut sys::wr_call_t>, // that are paused; NULL: gone on
    life: Arc<Life>,
    _engine: Engine,
}

struct Life(Mutex<*mut sys::wr_store_t>);

// The one function that is called with it is for any thread.
unsafe impl Send for Life {}
unsafe impl Sync for Life {}

static KEY: u8 = 0;

fn key() -> *const c_void {
    &KEY as *const u8 as *const c_void
}

/// The store of a callback; `None` if it is not one of this crate's.
pub(crate) unsafe fn inner_of<T>(store: *mut sys::wr_store_t) -> Option<NonNull<Inner<T>>> {
    NonNull::new(sys::wr_store_data(store, key()) as *mut Inner<T>)
}

pub(crate) mod private {
    use super::Inner;

    #[allow(missing_docs)]
    pub trait Context {
        type Data: 'static;
        #[doc(hidden)]
        fn raw_inner(&self) -> InnerPtr<Self::Data>;
    }

    #[allow(missing_debug_implementations)]
    pub struct InnerPtr<T>(pub(crate) std::ptr::NonNull<Inner<T>>);
}

use private::{Context, InnerPtr};

/// What leads to a store: a [`Store`], or the [`Caller`] of a host function. What belongs to a store is looked at
/// through `&`, and changed or called through `&mut`.
pub trait AsContext: Context {}
impl<C: Context> AsContext for C {}

impl<T: 'static> Context for Store<T> {
    type Data = T;
    fn raw_inner(&self) -> InnerPtr<T> {
        InnerPtr(self.inner)
    }
}

impl<T: 'static> Context for Caller<'_, T> {
    type Data = T;
    fn raw_inner(&self) -> InnerPtr<T> {
        InnerPtr(self.inner)
    }
}

/// The pointer and the id of a store.
pub(crate) fn handle(context: &impl AsContext) -> (*mut sys::wr_store_t, u64) {
    let inner = context.raw_inner().0.as_ptr();
    unsafe { ((*inner).raw, (*inner).id) }
}

/// The same, if it is the one that an object belongs to.
pub(crate) fn handle_for(context: &impl AsContext, id: u64) -> Result<*mut sys::wr_store_t> {
    match handle(context) {
        (raw, own) if own == id => Ok(raw),
        _ => Err(Error::usage("the object belongs to another store")),
    }
}

/// Where instances live, beside data of yours that host functions get at. Dropping it throws away all that guests
/// did there. It can be sent to another thread, if the data can.
///
/// What belongs to a store (functions, memories, instances, ...) is a handle that may be copied at will, but used
/// only with the store: with another one it is an error.
pub struct Store<T: 'static> {
    inner: NonNull<Inner<T>>,
    _owns: PhantomData<T>,
}

// wasmrun.h: it belongs to one thread at a time. Closures, host values and WASI contexts in it are Send.
unsafe impl<T: Send> Send for Store<T> {}

impl<T: 'static> Store<T> {
    /// An empty one.
    pub fn new(engine: &Engine, data: T) -> Result<Store<T>> {
        let mut raw = null_mut();
        unsafe {
            Error::check(sys::wr_store_new(engine.as_raw(), &mut raw))?;
            Store::from_raw(engine, raw, data)
        }
    }

    pub(crate) unsafe fn from_raw(engine: &Engine, raw: *mut sys::wr_store_t, data: T) -> Result<Store<T>> {
        static IDS: AtomicU64 = AtomicU64::new(1);
        let inner = Box::new(Inner {
            raw,
            id: IDS.fetch_add(1, Ordering::Relaxed),
            data,
            wasi: None,
            externs: Vec::new(),
            calls: Vec::new(),
            life: Arc::new(Life(Mutex::new(raw))),
            _engine: engine.clone(),
        });
        let store = Store { inner: NonNull::new_unchecked(Box::into_raw(inner)), _owns: PhantomData };
        Error::check(sys::wr_store_set_data(raw, key(), store.inner.as_ptr() as *mut c_void))?;
        Ok(store)
    }

    fn raw(&self) -> *mut sys::wr_store_t {
        unsafe { (*self.inner.as_ptr()).raw }
    }

    /// Your data.
    pub fn data(&self) -> &T {
        unsafe { &(*self.inner.as_ptr()).data }
    }

    /// Your data.
    pub fn data_mut(&mut self) -> &mut T {
        unsafe { &mut (*self.inner.as_ptr()).data }
    }

    /// What guests see by WASI, if their linker has [it](crate::Linker::wasi). Without one their calls trap.
    pub fn set_wasi(&mut self, wasi: Wasi) -> Result<()> {
        unsafe {
            Error::check(sys::wr_wasi_attach(wasi.as_raw(), self.raw()))?;
            (*self.inner.as_ptr()).wasi = Some(wasi); // and the old one goes
        }
        Ok(())
    }

    /// What was set; it has what a guest has written, for instance.
    pub fn wasi(&self) -> Option<&Wasi> {
        unsafe { (*self.inner.as_ptr()).wasi.as_ref() }
    }

    /// Bytes of all memories together.
    pub fn limit_memory(&mut self, bytes: u64) {
        unsafe { sys::wr_store_limit_memory(self.raw(), bytes) }
    }

    /// Elements of all tables together.
    pub fn limit_tables(&mut self, elements: u64) {
        unsafe { sys::wr_store_limit_tables(self.raw(), elements) }
    }

    /// How many instances there can be.
    pub fn limit_instances(&mut self, count: u64) {
        unsafe { sys::wr_store_limit_instances(self.raw(), count) }
    }

    /// Bytes of the garbage-collected heap.
    pub fn limit_heap(&mut self, bytes: u64) {
        unsafe { sys::wr_store_limit_heap(self.raw(), bytes) }
    }

    /// One unit pays for a byte of code passed, or one transfer of control; guests trap when it is spent. `None`:
    /// they are not metered.
    pub fn set_fuel(&mut self, units: Option<u64>) {
        unsafe { sys::wr_store_set_fuel(self.raw(), units.unwrap_or(u64::MAX)) }
    }

    /// For calls that are to go on after a pause: what they used beyond the end of their fuel is taken from it.
    pub fn add_fuel(&mut self, units: u64) {
        unsafe { sys::wr_store_add_fuel(self.raw(), units) }
    }

    /// What is left.
    pub fn fuel(&self) -> Option<u64> {
        Some(unsafe { sys::wr_store_fuel(self.raw()) }).filter(|&fuel| fuel != u64::MAX)
    }

    /// Guests trap that still run then. `None`: they may run for ever.
    pub fn set_timeout(&mut self, timeout: Option<Duration>) -> Result<()> {
        let nanoseconds = timeout.map_or(0, |t| u64::try_from(t.as_nanos()).unwrap_or(u64::MAX).max(1));
        unsafe { Error::check(sys::wr_store_set_timeout(self.raw(), nanoseconds)) }
    }

    /// What stops calls that are started from now on, from any thread.
    pub fn interrupt_handle(&mut self) -> InterruptHandle {
        unsafe {
            sys::wr_store_set_interruptible(self.raw(), true);
            InterruptHandle((*self.inner.as_ptr()).life.clone())
        }
    }

    /// Collects garbage now.
    pub fn collect(&mut self) {
        unsafe { sys::wr_store_collect(self.raw()) }
    }

    /// References that come up in `f` keep their objects alive until it returns, and no longer. Without it they
    /// do so until the store, or the host function in which they came, is at its end. Using a reference after that
    /// does no harm, but it may lead to another object.
    pub fn scope<R>(&mut self, f: impl FnOnce(&mut Scope<'_, T>) -> R) -> R {
        let scope = unsafe { sys::wr_store_open_scope(self.raw()) };
        f(&mut Scope { inner: self.inner, scope, _store: PhantomData })
    }
}

/// A store within [`Store::scope`].
pub struct Scope<'a, T: 'static> {
    inner: NonNull<Inner<T>>,
    scope: usize,
    _store: PhantomData<&'a mut Store<T>>,
}

impl<T: 'static> Context for Scope<'_, T> {
    type Data = T;
    fn raw_inner(&self) -> InnerPtr<T> {
        InnerPtr(self.inner)
    }
}

impl<T> fmt::Debug for Scope<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

impl<T: 'static> Drop for Scope<'_, T> {
    fn drop(&mut self) {
        unsafe { sys::wr_store_close_scope((*self.inner.as_ptr()).raw, self.scope) }
    }
}

impl<T: 'static> Drop for Store<T> {
    fn drop(&mut self) {
        unsafe {
            let inner = self.inner.as_ptr();
            let life = &(*inner).life;
            *life.0.lock().unwrap_or_else(PoisonError::into_inner) = null_mut();
            for call in std::mem::take(&mut (*inner).calls) {
                if !call.is_null() {
                    sys::wr_call_delete(call);
                }
            }
            sys::wr_store_delete((*inner).raw);
            drop(Box::from_raw(inner)); // the WASI context, host values, data, and the engine after them
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Store<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("data", self.data()).finish_non_exhaustive()
    }
}

/// Stops what runs in a store, or else the next call, from any thread. After the store's end it does nothing.
#[derive(Clone)]
pub struct InterruptHandle(Arc<Life>);

impl InterruptHandle {
    /// The guest traps.
    pub fn interrupt(&self) {
        let raw = self.0 .0.lock().unwrap_or_else(PoisonError::into_inner);
        if !raw.is_null() {
            unsafe { sys::wr_store_interrupt(*raw) }
        }
    }
}

impl fmt::Debug for InterruptHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InterruptHandle")
    }
}

/// Who calls a host function; it leads to the store.
pub struct Caller<'a, T: 'static> {
    inner: NonNull<Inner<T>>,
    raw: *mut sys::wr_caller_t,
    _call: PhantomData<&'a mut T>,
}

impl<T> fmt::Debug for Caller<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Caller")
    }
}

impl<T: 'static> Caller<'_, T> {
    pub(crate) unsafe fn new<'a>(inner: NonNull<Inner<T>>, raw: *mut sys::wr_caller_t) -> Caller<'a, T> {
        Caller { inner, raw, _call: PhantomData }
    }

    /// The data of the store.
    pub fn data(&self) -> &T {
        unsafe { &(*self.inner.as_ptr()).data }
    }

    /// The data of the store.
    pub fn data_mut(&mut self) -> &mut T {
        unsafe { &mut (*self.inner.as_ptr()).data }
    }

    /// The instance that calls; `None` if the host itself does.
    pub fn instance(&self) -> Option<Instance> {
        let instance = unsafe { sys::wr_caller_instance(self.raw) };
        NonNull::new(instance).map(|raw| Instance::from_raw(raw.as_ptr(), handle(self).1))
    }

    /// What the calling instance exports by that name.
    pub fn export(&mut self, name: &str) -> Option<Extern> {
        self.instance()?.export(self, name)
    }

    /// The memory that the calling instance exports as "memory"; guests that have none get the error.
    pub fn memory(&mut self) -> Result<Memory> {
        match self.export("memory") {
            Some(Extern::Memory(memory)) => Ok(memory),
            _ => Err(Error::trap("the caller exports no memory named \"memory\"")),
        }
    }

    /// For functions that block: an error when the call is interrupted or past its deadline.
    pub fn poll(&mut self) -> Result<()> {
        unsafe { Error::check(sys::wr_caller_poll(self.raw)) }
    }

    /// How long a function may block before it should [poll](Caller::poll) again.
    pub fn patience(&self) -> Option<Duration> {
        let nanoseconds = unsafe { sys::wr_caller_patience(self.raw) };
        (nanoseconds != u64::MAX).then(|| Duration::from_nanos(nanoseconds))
    }
}
