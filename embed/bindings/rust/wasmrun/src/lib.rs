//! WebAssembly in a sandbox: a safe layer over libwasmrun.
//!
//! ```
//! use wasmrun::{Engine, Linker, Module, Store, Wasi};
//!
//! # fn main() -> wasmrun::Result<()> {
//! let engine = Engine::new()?;
//! # let module = Module::from_wat(&engine, "(module (func (export \"_start\")))")?;
//! # #[cfg(any())]
//! let module = Module::from_file(&engine, "hello.wasm")?;
//! let mut store = Store::new(&engine, ())?;
//! store.set_wasi(Wasi::new().args(["hello"])?.inherit_stdio()?)?;
//! let status = Linker::new(&engine).wasi()?.instantiate(&mut store, &module)?.run(&mut store)?;
//! # assert_eq!(status, 0);
//! # Ok(())
//! # }
//! ```
//!
//! An [`Engine`] and its [`Module`]s are shared by threads. A [`Store`] is where instances live; functions, memories and
//! what else belongs to it are handles, which are used together with the store. [`Linker`]s say what guests may
//! import, typed by closures; calls of guests are typed by [`Instance::typed_func`]:
//!
//! ```
//! # use wasmrun::*;
//! # fn main() -> Result<()> {
//! # let engine = Engine::new()?;
//! # let mut store = Store::new(&engine, 0u32)?;
//! let module = Module::from_wat(
//!     &engine,
//!     r#"(module (import "app" "next" (func $next (result i32)))
//!          (func (export "add_next") (param i32) (result i32) (i32.add (local.get 0) (call $next))))"#,
//! )?;
//! let mut linker = Linker::new(&engine);
//! linker.func("app", "next", |mut caller: Caller<'_, u32>| {
//!     *caller.data_mut() += 1;
//!     *caller.data()
//! })?;
//! let instance = linker.instantiate(&mut store, &module)?;
//! let add_next = instance.typed_func::<u32, u32>(&mut store, "add_next")?;
//! assert_eq!(add_next.call(&mut store, 41)?, 42);
//! # Ok(())
//! # }
//! ```
//!
//! No guest can do harm, no panic crosses the library, and no use of this crate's safe functions is undefined.

#![warn(missing_docs, missing_debug_implementations)]

mod engine;
mod error;
mod files;
mod func;
mod linker;
mod objects;
mod store;
mod value;
mod wasi;

pub use engine::{
    wat_to_wasm, CompileOptions, Config, Engine, Export, ExternType, Import, LogLevel, MemoryMode, Module,
};
pub use error::{Error, ErrorKind, Frame, Panic, Result, TrapCode};
pub use files::{Errno, File, FileKind, FileStat, Files, OpenFlags};
pub use func::{Func, IntoFunc, PausedCall, Progress, TypedFunc, WasmReturn};
pub use linker::{Linker, Prelinked, PrelinkedStats};
pub use objects::{Extern, Global, Instance, Memory, Table, Tag};
pub use store::{AsContext, Caller, InterruptHandle, Scope, Store};
pub use value::{Ref, Val, ValKind, WasmTuple, WasmTy};
pub use wasi::Wasi;
pub use wasmrun_sys;

/// The version of the library that is running.
pub fn library_version() -> &'static str {
    unsafe { std::ffi::CStr::from_ptr(wasmrun_sys::wr_version()) }.to_str().unwrap_or("")
}
