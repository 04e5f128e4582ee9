//! Linkers: what modules import, by name. Pre-linked modules: the same, done once for many instances.

use std::fmt;
use std::marker::PhantomData;
use std::os::raw::c_void;
use std::ptr::null_mut;
use std::sync::Arc;

use wasmrun_sys as sys;

use crate::error::{c_text, Error, Result};
use crate::func::{call_host, drop_closure, name, Closure, IntoFunc};
use crate::objects::counted;
use crate::store::{handle, handle_for, AsContext};
use crate::{Caller, Engine, Extern, Instance, Module, Store, Val};

/// What modules may import, in stores with data of type `T`. Threads may instantiate with it at the same time.
pub struct Linker<T: 'static> {
    raw: *mut sys::wr_linker_t,
    engine: Engine,
    store: Option<u64>, // to whose objects it is bound
    _data: PhantomData<fn(T) -> T>,
}

// wasmrun.h: threads may instantiate at the same time, as long as none defines (&mut) anything. Closures are Sync.
unsafe impl<T> Send for Linker<T> {}
unsafe impl<T> Sync for Linker<T> {}

impl<T: 'static> Linker<T> {
    /// Without anything to import.
    pub fn new(engine: &Engine) -> Linker<T> {
        let raw = unsafe { sys::wr_linker_new(engine.as_raw()) };
        assert!(!raw.is_null(), "out of memory");
        Linker { raw, engine: engine.clone(), store: None, _data: PhantomData }
    }

    /// A host function, for instances in all stores: a function or closure of up to 8 values, before them a
    /// [`Caller`] if it wants one. Later definitions of a name replace earlier ones.
    ///
    /// An [`Error`] that it returns ends the guest and comes out of its call; a panic becomes a trap.
    ///
    /// ```
    /// # fn main() -> wasmrun::Result<()> {
    /// # let engine = wasmrun::Engine::new()?;
    /// let mut linker = wasmrun::Linker::<u32>::new(&engine);
    /// linker.func("app", "double", |n: i32| n * 2)?;
    /// linker.func("app", "count", |mut caller: wasmrun::Caller<'_, u32>, n: u32| *caller.data_mut() += n)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn func<P, R>(
        &mut self,
        module: &str,
        name: &str,
        function: impl IntoFunc<T, P, R>,
    ) -> Result<&mut Self> {
        let (signature, closure) = function.into_closure();
        self.define_closure(module, name, &signature, closure)
    }

    /// The same for a type that is known only now: parameters > results, i = i32, I = i64, f = f32, F = f64,
    /// v = v128, c = funcref, e = externref, a = anyref, x = exnref. Results are there to be changed.
    pub fn func_new(
        &mut self,
        module: &str,
        name: &str,
        signature: &str,
        function: impl Fn(Caller<'_, T>, &[Val], &mut [Val]) -> Result<()> + Send + Sync + 'static,
    ) -> Result<&mut Self> {
        self.define_closure(module, name, signature, Closure::untyped(signature, function)?)
    }

    fn define_closure(
        &mut self,
        module: &str,
        name_: &str,
        signature: &str,
        closure: Closure<T>,
    ) -> Result<&mut Self> {
        let (module, name, signature) = (name(module)?, name(name_)?, c_text(signature));
        let context = Box::into_raw(Box::new(closure));
        unsafe {
            let error = sys::wr_linker_define_func(
                self.raw,
                module.as_ptr(),
                name.as_ptr(),
                signature.as_ptr(),
                Some(call_host::<T>),
                context as *mut c_void,
                Some(drop_closure::<T>),
            );
            if !error.is_null() {
                drop(Box::from_raw(context));
            }
            Error::check(error)?;
        }
        Ok(self)
    }

    fn bind(&mut self, id: u64) -> Result<()> {
        match self.store {
            Some(bound) if bound != id => Err(Error::usage("the linker is bound to another store")),
            _ => {
                self.store = Some(id);
                Ok(())
            }
        }
    }

    /// An object of a store, in which alone the linker can instantiate from then on.
    pub fn define(
        &mut self,
        store: &impl AsContext<Data = T>,
        module: &str,
        name: &str,
        external: impl Into<Extern>,
    ) -> Result<&mut Self> {
        let (e, id) = external.into().to_raw();
        let raw = handle_for(store, id)?;
        self.bind(id)?;
        unsafe { Error::check(sys::wr_linker_define(self.raw, counted(module), counted(name), raw, &e))? };
        Ok(self)
    }

    /// Every export of an instance, under that module name; likewise.
    pub fn define_instance(
        &mut self,
        store: &impl AsContext<Data = T>,
        module: &str,
        instance: Instance,
    ) -> Result<&mut Self> {
        handle_for(store, instance.store_id())?;
        self.bind(instance.store_id())?;
        let module = name(module)?;
        unsafe {
            Error::check(sys::wr_linker_define_instance(self.raw, module.as_ptr(), instance.as_raw()))?
        };
        Ok(self)
    }

    /// Another name for a definition.
    pub fn alias(&mut self, module: &str, old: &str, as_module: &str, as_name: &str) -> Result<&mut Self> {
        let names = (name(module)?, name(old)?, name(as_module)?, name(as_name)?);
        let (a, b, c, d) = (names.0.as_ptr(), names.1.as_ptr(), names.2.as_ptr(), names.3.as_ptr());
        unsafe { Error::check(sys::wr_linker_alias(self.raw, a, b, c, d))? };
        Ok(self)
    }

    /// WASI preview 1. Guests see what the [`Wasi`](crate::Wasi) of their store gives them.
    pub fn wasi(&mut self) -> Result<&mut Self> {
        unsafe { Error::check(sys::wr_wasi_link_stores(self.raw))? };
        Ok(self)
    }

    /// Resolves imports, instantiates, runs the start function.
    pub fn instantiate(&self, store: &mut impl AsContext<Data = T>, module: &Module) -> Result<Instance> {
        let (raw_store, id) = handle(store);
        if self.store.map_or(false, |bound| bound != id) {
            return Err(Error::usage("the linker is bound to another store"));
        }
        let mut raw = null_mut();
        let error = unsafe { sys::wr_linker_instantiate(self.raw, raw_store, module.as_raw(), &mut raw) };
        unsafe { Error::check_in(error, Some((raw_store, id)))? };
        Ok(Instance::from_raw(raw, id))
    }

    /// Resolves the imports, which must be host functions, once and for all.
    pub fn prelink(&self, module: &Module) -> Result<Prelinked<T>> {
        if self.store.is_some() {
            return Err(Error::usage("the linker is bound to a store"));
        }
        let mut raw = null_mut();
        unsafe { Error::check(sys::wr_linker_prelink(self.raw, module.as_raw(), &mut raw))? };
        let inner = PrelinkedInner { raw, engine: self.engine.clone() };
        Ok(Prelinked { inner: Arc::new(inner), _data: PhantomData })
    }
}

impl<T> Drop for Linker<T> {
    fn drop(&mut self) {
        unsafe { sys::wr_linker_delete(self.raw) }
    }
}

impl<T> fmt::Debug for Linker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Linker")
    }
}

/// A module with its imports, for many instances, each in a store of its own. A clone is the same.
pub struct Prelinked<T: 'static> {
    inner: Arc<PrelinkedInner>,
    _data: PhantomData<fn(T) -> T>,
}

struct PrelinkedInner {
    raw: *mut sys::wr_prelinked_t,
    engine: Engine,
}

// wasmrun.h: it may be used by any number of threads.
unsafe impl Send for PrelinkedInner {}
unsafe impl Sync for PrelinkedInner {}

/// What became of the stores of a pre-linked module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PrelinkedStats {
    /// In use.
    pub live: u64,
    /// Kept for the next one.
    pub idle: u64,
    /// Given out, new ones.
    pub made: u64,
    /// And others.
    pub reused: u64,
}

impl<T: 'static> Prelinked<T> {
    /// A store that is prepared for an instance. Dropping it makes it ready for the next one.
    pub fn new_store(&self, data: T) -> Result<Store<T>> {
        let mut raw = null_mut();
        unsafe {
            Error::check(sys::wr_prelinked_new_store(self.inner.raw, &mut raw))?;
            Store::from_raw(&self.inner.engine, raw, data)
        }
    }

    /// Instantiates and runs the start function.
    pub fn instantiate(&self, store: &mut impl AsContext<Data = T>) -> Result<Instance> {
        let ((raw_store, id), mut raw) = (handle(store), null_mut());
        let error = unsafe { sys::wr_prelinked_instantiate(self.inner.raw, raw_store, &mut raw) };
        unsafe { Error::check_in(error, Some((raw_store, id)))? };
        Ok(Instance::from_raw(raw, id))
    }

    /// What became of its stores.
    pub fn stats(&self) -> PrelinkedStats {
        unsafe {
            let mut stats = std::mem::zeroed::<sys::wr_prelinked_stats_t>();
            sys::wr_prelinked_get_stats(self.inner.raw, &mut stats);
            PrelinkedStats { live: stats.live, idle: stats.idle, made: stats.made, reused: stats.reused }
        }
    }
}

impl<T> Clone for Prelinked<T> {
    fn clone(&self) -> Self {
        Prelinked { inner: self.inner.clone(), _data: PhantomData }
    }
}

impl Drop for PrelinkedInner {
    fn drop(&mut self) {
        unsafe { sys::wr_prelinked_delete(self.raw) }
    }
}

impl<T> fmt::Debug for Prelinked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prelinked({:?})", self.stats())
    }
}
