//! What belongs to a store beside functions: memories, globals, tables, tags, instances.

use std::ptr::null_mut;

use wasmrun_sys as sys;

use crate::error::{c_text, Error, Result};
use crate::func::{Func, TypedFunc};
use crate::store::{handle, handle_for, AsContext};
use crate::value::{self, Val, WasmTuple};
use crate::ExternType;

macro_rules! object {
    ($(#[$doc:meta])* $name:ident, $raw:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct $name {
            raw: *mut sys::$raw,
            store: u64,
        }

        // A handle: only functions that are given its store look behind it.
        unsafe impl Send for $name {}
        unsafe impl Sync for $name {}

        #[allow(dead_code)]
        impl $name {
            pub(crate) fn from_raw(raw: *mut sys::$raw, store: u64) -> $name {
                $name { raw, store }
            }

            pub(crate) fn as_raw(&self) -> *mut sys::$raw {
                self.raw
            }

            pub(crate) fn store_id(&self) -> u64 {
                self.store
            }
        }
    };
}

object!(
    /// A memory.
    Memory,
    wr_memory_t
);
object!(
    /// A global.
    Global,
    wr_global_t
);
object!(
    /// A table of references.
    Table,
    wr_table_t
);
object!(
    /// What tells exceptions apart.
    Tag,
    wr_tag_t
);
object!(
    /// An instance of a module; [`Linker::instantiate`](crate::Linker::instantiate) makes them.
    Instance,
    wr_instance_t
);

/// What can be imported and exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Extern {
    Func(Func),
    Table(Table),
    Memory(Memory),
    Global(Global),
    Tag(Tag),
}

macro_rules! from_object {
    ($($name:ident)*) => {
        $(impl From<$name> for Extern {
            fn from(object: $name) -> Extern {
                Extern::$name(object)
            }
        })*
    };
}
from_object!(Func Table Memory Global Tag);

impl Extern {
    pub(crate) fn to_raw(self) -> (sys::wr_extern_t, u64) {
        let (kind, of, store) = match self {
            Extern::Func(o) => (sys::WR_EXTERN_FUNC, sys::wr_extern_of { func: o.raw }, o.store),
            Extern::Table(o) => (sys::WR_EXTERN_TABLE, sys::wr_extern_of { table: o.raw }, o.store),
            Extern::Memory(o) => (sys::WR_EXTERN_MEMORY, sys::wr_extern_of { memory: o.raw }, o.store),
            Extern::Global(o) => (sys::WR_EXTERN_GLOBAL, sys::wr_extern_of { global: o.raw }, o.store),
            Extern::Tag(o) => (sys::WR_EXTERN_TAG, sys::wr_extern_of { tag: o.raw }, o.store),
        };
        (sys::wr_extern_t { kind, of }, store)
    }

    unsafe fn from_raw(e: &sys::wr_extern_t, store: u64) -> Extern {
        match e.kind {
            sys::WR_EXTERN_FUNC => Extern::Func(Func { raw: e.of.func, store }),
            sys::WR_EXTERN_TABLE => Extern::Table(Table { raw: e.of.table, store }),
            sys::WR_EXTERN_MEMORY => Extern::Memory(Memory { raw: e.of.memory, store }),
            sys::WR_EXTERN_GLOBAL => Extern::Global(Global { raw: e.of.global, store }),
            _ => Extern::Tag(Tag { raw: e.of.tag, store }),
        }
    }

    /// What it is now: of memories and tables `min` is the size that they have. Signatures of tags are left out.
    pub fn ty(&self, store: &impl AsContext) -> Result<ExternType> {
        let (e, id) = self.to_raw();
        handle_for(store, id)?;
        let signature = match self {
            Extern::Func(func) => func.signature(store)?,
            _ => String::new(),
        };
        unsafe {
            let mut t = std::mem::zeroed();
            sys::wr_extern_type(&e, &mut t);
            Ok(ExternType::from_raw(&t, signature))
        }
    }
}

fn out_of_bounds(address: u64, size: usize) -> Error {
    Error::trap(format!("{} bytes at {} are not in the memory", size, address))
}

impl Memory {
    /// A memory of the host's, in pages of 64 KiB.
    pub fn new(store: &mut impl AsContext, min: u64, max: Option<u64>) -> Result<Memory> {
        let max = max.unwrap_or(u64::MAX);
        let t = sys::wr_memory_type_t { min, max, is_shared: false, is_64: false, page_size_log2: 16 };
        let ((raw_store, id), mut raw) = (handle(store), null_mut());
        unsafe { Error::check(sys::wr_store_make_memory(raw_store, &t, &mut raw))? };
        Ok(Memory { raw, store: id })
    }

    /// Bytes.
    pub fn size(&self, store: &impl AsContext) -> Result<u64> {
        handle_for(store, self.store)?;
        Ok(unsafe { sys::wr_memory_size(self.raw) })
    }

    /// Grows by so many pages; gives their old number.
    pub fn grow(&self, store: &mut impl AsContext, pages: u64) -> Result<u64> {
        handle_for(store, self.store)?;
        match unsafe { sys::wr_memory_grow(self.raw, pages) } {
            u64::MAX => Err(Error::usage("a limit does not allow the memory to grow so much")),
            old => Ok(old),
        }
    }

    /// Address and size of what nobody else changes: shared memories are refused.
    fn range(&self, store: &impl AsContext) -> Result<(*mut u8, usize)> {
        handle_for(store, self.store)?;
        if let ExternType::Memory { is_shared: true, .. } = Extern::from(*self).ty(store)? {
            return Err(Error::usage("a shared memory has no slices: other threads may write to it"));
        }
        let data = unsafe { sys::wr_memory_data(self.raw) };
        let size = if data.is_null() { 0 } else { unsafe { sys::wr_memory_size(self.raw) } };
        let data = if data.is_null() { std::ptr::NonNull::dangling().as_ptr() } else { data };
        Ok((data, usize::try_from(size).map_err(|_| Error::usage("the memory is too large"))?))
    }

    /// All of it, as long as nobody uses the store otherwise.
    ///
    /// ```compile_fail
    /// # fn f(store: &mut wasmrun::Store<()>, memory: wasmrun::Memory, func: wasmrun::Func) -> wasmrun::Result<u8> {
    /// let bytes = memory.data(store)?;
    /// func.call(store, &[])?; // might grow the memory, and move it
    /// Ok(bytes[0])
    /// # }
    /// ```
    pub fn data<'a>(&self, store: &'a impl AsContext) -> Result<&'a [u8]> {
        let (data, size) = self.range(store)?;
        Ok(unsafe { std::slice::from_raw_parts(data, size) })
    }

    /// All of it, to be written to.
    pub fn data_mut<'a>(&self, store: &'a mut impl AsContext) -> Result<&'a mut [u8]> {
        let (data, size) = self.range(store)?;
        Ok(unsafe { std::slice::from_raw_parts_mut(data, size) })
    }

    /// A copy of a part; of shared memories, too.
    pub fn read(&self, store: &impl AsContext, address: u64, to: &mut [u8]) -> Result<()> {
        handle_for(store, self.store)?;
        match unsafe { sys::wr_memory_read(self.raw, address, to.as_mut_ptr() as *mut _, to.len()) } {
            true => Ok(()),
            false => Err(out_of_bounds(address, to.len())),
        }
    }

    /// All of the bytes, or nothing.
    pub fn write(&self, store: &mut impl AsContext, address: u64, from: &[u8]) -> Result<()> {
        handle_for(store, self.store)?;
        match unsafe { sys::wr_memory_write(self.raw, address, from.as_ptr() as *const _, from.len()) } {
            true => Ok(()),
            false => Err(out_of_bounds(address, from.len())),
        }
    }

    /// A copy of a part, as text: a trap if it is not UTF-8, or not in the memory.
    pub fn read_string(&self, store: &impl AsContext, address: u64, size: u32) -> Result<String> {
        if address.checked_add(size.into()).map_or(true, |end| end > self.size(store).unwrap_or(0)) {
            return Err(out_of_bounds(address, size as usize)); // before memory for it is taken
        }
        let mut bytes = vec![0; size as usize];
        self.read(store, address, &mut bytes)?;
        String::from_utf8(bytes).map_err(Error::host)
    }
}

impl Global {
    /// A global of the host's.
    pub fn new(store: &mut impl AsContext, value: Val, is_mutable: bool) -> Result<Global> {
        let ((raw_store, id), mut raw) = (handle(store), null_mut());
        let value = value.to_raw(id)?;
        unsafe { Error::check(sys::wr_store_make_global(raw_store, &value, is_mutable, &mut raw))? };
        Ok(Global { raw, store: id })
    }

    /// What it holds.
    pub fn get(&self, store: &mut impl AsContext) -> Result<Val> {
        let raw = handle_for(store, self.store)?;
        let mut value = value::zero();
        unsafe {
            sys::wr_global_get(self.raw, &mut value);
            Ok(Val::from_raw(&value, self.store, raw))
        }
    }

    /// An error if it is immutable, or the value of another kind.
    pub fn set(&self, store: &mut impl AsContext, value: impl Into<Val>) -> Result<()> {
        handle_for(store, self.store)?;
        let value = value.into().to_raw(self.store)?;
        unsafe { Error::check(sys::wr_global_set(self.raw, &value)) }
    }
}

impl Table {
    /// A table of the host's; all elements are `value`.
    pub fn new(store: &mut impl AsContext, value: Val, min: u64, max: Option<u64>) -> Result<Table> {
        let ((raw_store, id), mut raw) = (handle(store), null_mut());
        let (value, max) = (value.to_raw(id)?, max.unwrap_or(u64::MAX));
        unsafe { Error::check(sys::wr_store_make_table(raw_store, &value, min, max, &mut raw))? };
        Ok(Table { raw, store: id })
    }

    /// Elements.
    pub fn size(&self, store: &impl AsContext) -> Result<u64> {
        handle_for(store, self.store)?;
        Ok(unsafe { sys::wr_table_size(self.raw) })
    }

    /// An element; `None` if there are not so many.
    pub fn get(&self, store: &mut impl AsContext, index: u64) -> Result<Option<Val>> {
        let raw = handle_for(store, self.store)?;
        let mut value = value::zero();
        unsafe {
            let found = sys::wr_table_get(self.raw, index, &mut value);
            Ok(if found { Some(Val::from_raw(&value, self.store, raw)) } else { None })
        }
    }

    /// Changes an element.
    pub fn set(&self, store: &mut impl AsContext, index: u64, value: Val) -> Result<()> {
        handle_for(store, self.store)?;
        let value = value.to_raw(self.store)?;
        unsafe { Error::check(sys::wr_table_set(self.raw, index, &value)) }
    }

    /// Appends so many elements.
    pub fn extend(&self, store: &mut impl AsContext, count: u64, value: Val) -> Result<()> {
        handle_for(store, self.store)?;
        let value = value.to_raw(self.store)?;
        unsafe { Error::check(sys::wr_table_extend(self.raw, count, &value)) }
    }
}

impl Tag {
    /// A tag for exceptions with values of these kinds: letters as in signatures.
    pub fn new(store: &mut impl AsContext, params: &str) -> Result<Tag> {
        let ((raw_store, id), mut raw) = (handle(store), null_mut());
        let signature = c_text(&format!("{}>", params));
        unsafe { Error::check(sys::wr_store_make_tag(raw_store, signature.as_ptr(), &mut raw))? };
        Ok(Tag { raw, store: id })
    }
}

pub(crate) fn counted(name: &str) -> sys::wr_name_t {
    sys::wr_name_t { data: name.as_ptr() as *const _, size: name.len() }
}

impl Instance {
    /// What it exports by that name.
    pub fn export(&self, store: &mut impl AsContext, name: &str) -> Option<Extern> {
        handle_for(store, self.store).ok()?;
        unsafe {
            let mut e = std::mem::zeroed();
            let found = sys::wr_instance_export_named(self.raw, counted(name), &mut e);
            found.then(|| Extern::from_raw(&e, self.store))
        }
    }

    /// An exported function.
    pub fn func(&self, store: &mut impl AsContext, name: &str) -> Result<Func> {
        match self.export(store, name) {
            Some(Extern::Func(func)) => Ok(func),
            _ => Err(Error::usage(&format!("there is no exported function named {:?}", name))),
        }
    }

    /// An exported function, with its type as one of Rust.
    pub fn typed_func<P: WasmTuple, R: WasmTuple>(
        &self,
        store: &mut impl AsContext,
        name: &str,
    ) -> Result<TypedFunc<P, R>> {
        self.func(store, name)?.typed(store)
    }

    /// An exported memory.
    pub fn memory(&self, store: &mut impl AsContext, name: &str) -> Result<Memory> {
        match self.export(store, name) {
            Some(Extern::Memory(memory)) => Ok(memory),
            _ => Err(Error::usage(&format!("there is no exported memory named {:?}", name))),
        }
    }

    /// Calls `_start`, as for a WASI program; gives its exit status.
    pub fn run(&self, store: &mut impl AsContext) -> Result<u32> {
        match self.typed_func::<(), ()>(store, "_start")?.call(store, ()) {
            Ok(()) => Ok(0),
            Err(error) => error.exit_status().ok_or(error),
        }
    }
}
