//! Engines and modules: what stores share. Any number of threads may use them.

use std::fmt;
use std::os::raw::{c_char, c_void};
use std::path::Path;
use std::ptr::null_mut;
use std::sync::Arc;

use wasmrun_sys as sys;

use crate::error::{c_text, drop_quietly, Error, Result};
use crate::value::ValKind;

/// How guests' memories are bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryMode {
    /// Guard pages where the host allows, else explicit checks.
    Auto,
    /// Reserve address space, and let the processor check.
    Guard,
    /// Compare each access: no reservations, no signal handler.
    Explicit,
}

/// How important a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something does not work.
    Error,
    /// Something works otherwise than it should.
    Warning,
    /// What happens.
    Info,
    /// And how.
    Debug,
}

type Log = Box<dyn Fn(LogLevel, &str) + Send + Sync>;

unsafe extern "C" fn log(context: *mut c_void, level: sys::wr_log_level_t, message: *const c_char) {
    let level = match level {
        sys::WR_LOG_ERROR => LogLevel::Error,
        sys::WR_LOG_WARNING => LogLevel::Warning,
        sys::WR_LOG_INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    let log = &*(context as *const Log);
    let text = std::ffi::CStr::from_ptr(message).to_string_lossy();
    let run = std::panic::AssertUnwindSafe(|| log(level, &text));
    if let Err(payload) = std::panic::catch_unwind(run) {
        drop_quietly(payload);
    }
}

/// Settings of an engine.
pub struct Config {
    raw: *mut sys::wr_config_t,
    log: Option<Box<Log>>,
}

unsafe impl Send for Config {}

impl Config {
    /// The defaults.
    pub fn new() -> Config {
        let raw = unsafe { sys::wr_config_new() };
        assert!(!raw.is_null(), "out of memory");
        Config { raw, log: None }
    }

    /// How memories are bounded.
    pub fn memory_mode(self, mode: MemoryMode) -> Config {
        let mode = match mode {
            MemoryMode::Auto => sys::WR_MEMORY_AUTO,
            MemoryMode::Guard => sys::WR_MEMORY_GUARD,
            MemoryMode::Explicit => sys::WR_MEMORY_EXPLICIT,
        };
        unsafe { sys::wr_config_set_memory_mode(self.raw, mode) };
        self
    }

    /// Bytes of guest stack of one store; 8 MiB if not set.
    pub fn max_stack(self, bytes: usize) -> Config {
        unsafe { sys::wr_config_set_max_stack(self.raw, bytes) };
        self
    }

    /// What each pre-linked module keeps for reuse: stores, and bytes of each memory.
    pub fn pool(self, stores: u32, resident_bytes: usize) -> Config {
        unsafe { sys::wr_config_set_pool(self.raw, stores, resident_bytes) };
        self
    }

    /// Modules are compiled when they are loaded, `level` (0 to 3, 4 for size) saying how well. That takes the program
    /// wasmrun-aot: beside the library, or where the environment variable WASMRUN_AOT says.
    pub fn compiled(self, level: u32) -> Config {
        unsafe {
            sys::wr_config_set_engine_kind(self.raw, sys::WR_ENGINE_COMPILED);
            sys::wr_config_set_opt_level(self.raw, level);
        }
        self
    }

    /// Keeps compiled code in a folder that is the user's alone; `None` for the user's own.
    pub fn cache(self, folder: Option<&str>) -> Config {
        let folder = folder.map(c_text);
        let name = folder.as_ref().map_or(std::ptr::null(), |f| f.as_ptr());
        assert!(unsafe { sys::wr_config_set_cache(self.raw, name) }, "out of memory");
        self
    }

    /// Turns a proposal on or off, by the name that `wasmrun --help` has for it.
    pub fn feature(self, name: &str, on: bool) -> Result<Config> {
        if unsafe { sys::wr_config_set_feature(self.raw, c_text(name).as_ptr(), on) } {
            Ok(self)
        } else {
            Err(Error::usage(&format!("there is no feature {:?}", name)))
        }
    }

    /// Called with what an operator may want to know, from any thread. It must not call into this crate.
    pub fn log(mut self, level: LogLevel, log_: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Config {
        let level = match level {
            LogLevel::Error => sys::WR_LOG_ERROR,
            LogLevel::Warning => sys::WR_LOG_WARNING,
            LogLevel::Info => sys::WR_LOG_INFO,
            LogLevel::Debug => sys::WR_LOG_DEBUG,
        };
        let function: Box<Log> = Box::new(Box::new(log_));
        unsafe {
            sys::wr_config_set_log(self.raw, Some(log), &*function as *const Log as *mut c_void, level)
        };
        self.log = Some(function);
        self
    }
}

impl Default for Config {
    fn default() -> Config {
        Config::new()
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        unsafe { sys::wr_config_delete(self.raw) }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

/// What modules and stores share; one for the process is usual. A clone is the same engine.
#[derive(Clone, Debug)]
pub struct Engine(Arc<EngineInner>);

#[derive(Debug)]
struct EngineInner {
    raw: *mut sys::wr_engine_t,
    _log: LogBox, // all that the library might log for has a clone of this engine
}

struct LogBox(Option<Box<Log>>);

impl fmt::Debug for LogBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", if self.0.is_some() { "on" } else { "off" })
    }
}

// wasmrun.h: an engine may be used by any number of threads.
unsafe impl Send for EngineInner {}
unsafe impl Sync for EngineInner {}

impl Engine {
    /// With the defaults.
    pub fn new() -> Result<Engine> {
        Engine::with_config(Config::new())
    }

    /// With these settings.
    pub fn with_config(mut config: Config) -> Result<Engine> {
        let mut raw = null_mut();
        let given = std::mem::replace(&mut config.raw, null_mut()); // which is consumed
        unsafe { Error::check(sys::wr_engine_new(given, &mut raw))? };
        Ok(Engine(Arc::new(EngineInner { raw, _log: LogBox(config.log.take()) })))
    }

    pub(crate) fn as_raw(&self) -> *mut sys::wr_engine_t {
        self.0.raw
    }
}

impl Drop for EngineInner {
    fn drop(&mut self) {
        unsafe { sys::wr_engine_delete(self.raw) }
    }
}

/// The type of something that is imported or exported.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternType {
    /// A function, with its signature: see [`Linker::func`](crate::Linker::func).
    Func(String),
    /// A table.
    Table {
        /// Kind of its elements.
        element: ValKind,
        /// How many there are at least.
        min: u64,
        /// And at most.
        max: Option<u64>,
        /// Whether its indices have 64 bits.
        is_64: bool,
    },
    /// A memory.
    Memory {
        /// Pages that it has at least.
        min: u64,
        /// And at most.
        max: Option<u64>,
        /// Bytes of a page.
        page_size: u64,
        /// Whether its addresses have 64 bits.
        is_64: bool,
        /// Whether threads can share it.
        is_shared: bool,
    },
    /// A global.
    Global {
        /// Kind of its value.
        value: ValKind,
        /// Whether it can be set.
        is_mutable: bool,
    },
    /// A tag, with the signature of its exceptions' values.
    Tag(String),
}

impl ExternType {
    pub(crate) fn from_raw(t: &sys::wr_extern_type_t, signature: String) -> ExternType {
        let max = Some(t.max).filter(|&max| max != u64::MAX);
        match t.kind {
            sys::WR_EXTERN_FUNC => ExternType::Func(signature),
            sys::WR_EXTERN_TABLE => {
                ExternType::Table { element: ValKind::from_raw(t.value), min: t.min, max, is_64: t.is_64 }
            }
            sys::WR_EXTERN_MEMORY => ExternType::Memory {
                min: t.min,
                max,
                page_size: 1 << t.page_size_log2,
                is_64: t.is_64,
                is_shared: t.is_shared,
            },
            sys::WR_EXTERN_GLOBAL => {
                ExternType::Global { value: ValKind::from_raw(t.value), is_mutable: t.is_mutable }
            }
            _ => ExternType::Tag(signature),
        }
    }
}

/// What a module asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// The module's name.
    pub module: String,
    /// The name in it.
    pub name: String,
    /// What it has to be.
    pub ty: ExternType,
}

/// What a module offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Its name.
    pub name: String,
    /// What it is.
    pub ty: ExternType,
}

unsafe fn name_of(name: sys::wr_name_t) -> String {
    if name.size == 0 {
        return String::new();
    }
    String::from_utf8_lossy(std::slice::from_raw_parts(name.data as *const u8, name.size)).into_owned()
}

/// What a function of the library writes, however long it is.
pub(crate) fn written(write: impl Fn(*mut c_char, usize) -> usize) -> String {
    let size = write(null_mut(), 0) + 1;
    let mut buffer = vec![0u8; size];
    write(buffer.as_mut_ptr() as *mut c_char, size);
    buffer.truncate(size - 1);
    String::from_utf8_lossy(&buffer).into_owned()
}

/// How a module is compiled into an artifact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileOptions {
    /// 0 (at once) to 3, 4 for size.
    pub level: u8,
    /// Whether the code looks if it has to stop; else it is stopped by a signal. None: only for `explicit_memory`.
    pub polls: Option<bool>,
    /// Whether it counts fuel: else it is interpreted in stores that have any.
    pub count_fuel: bool,
    /// For engines whose memories are not guarded.
    pub explicit_memory: bool,
    /// Another machine, as LLVM names it.
    pub target: Option<String>,
    /// 0: as many as there are processors.
    pub threads: u32,
}

impl Default for CompileOptions {
    fn default() -> CompileOptions {
        CompileOptions {
            level: 2,
            polls: None,
            count_fuel: false,
            explicit_memory: false,
            target: None,
            threads: 0,
        }
    }
}

/// A validated module. A clone is the same module.
#[derive(Clone, Debug)]
pub struct Module(Arc<ModuleInner>);

#[derive(Debug)]
struct ModuleInner {
    raw: *mut sys::wr_module_t,
    _engine: Engine,
}

// wasmrun.h: a module may be used by any number of threads.
unsafe impl Send for ModuleInner {}
unsafe impl Sync for ModuleInner {}

impl Drop for ModuleInner {
    fn drop(&mut self) {
        unsafe { sys::wr_module_delete(self.raw) }
    }
}

/// The text format into the binary one, with identifiers as a name section. The text is only parsed.
pub fn wat_to_wasm(text: &str) -> Result<Vec<u8>> {
    let (mut bytes, mut n) = (null_mut(), 0);
    unsafe {
        let text_data = text.as_ptr() as *const c_char;
        let error = sys::wr_wat_to_wasm(text_data, text.len(), std::ptr::null(), true, &mut bytes, &mut n);
        Error::check(error)?;
        let copy = if n == 0 { Vec::new() } else { std::slice::from_raw_parts(bytes, n).to_vec() };
        sys::wr_bytes_delete(bytes, n);
        Ok(copy)
    }
}

impl Module {
    /// From the binary format.
    pub fn new(engine: &Engine, bytes: impl AsRef<[u8]>) -> Result<Module> {
        let (bytes, mut raw) = (bytes.as_ref(), null_mut());
        unsafe {
            let data = bytes.as_ptr() as *const c_void;
            Error::check(sys::wr_module_new(engine.as_raw(), data, bytes.len(), &mut raw))?;
        }
        Ok(Module(Arc::new(ModuleInner { raw, _engine: engine.clone() })))
    }

    /// From the text format. Errors have a [place](Error::place).
    pub fn from_wat(engine: &Engine, text: &str) -> Result<Module> {
        let bytes = wat_to_wasm(text)?;
        let mut raw = null_mut();
        unsafe {
            let error =
                sys::wr_module_new(engine.as_raw(), bytes.as_ptr() as *const c_void, bytes.len(), &mut raw);
            if !error.is_null() {
                let (data, null) = (text.as_ptr() as *const c_char, std::ptr::null());
                let located = sys::wr_wat_locate(data, text.len(), null, bytes.as_ptr(), bytes.len(), error);
                return Err(Error::from_raw(located, None));
            }
        }
        Ok(Module(Arc::new(ModuleInner { raw, _engine: engine.clone() })))
    }

    /// Reads a file in the binary format.
    pub fn from_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        Module::new(engine, std::fs::read(path)?)
    }

    /// Maps a file instead of reading it.
    ///
    /// # Safety
    ///
    /// The file must not be changed while the module, or an instance of it, exists.
    pub unsafe fn map_file(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref().to_str().ok_or_else(|| Error::usage("the path is no UTF-8"))?;
        let mut raw = null_mut();
        Error::check(sys::wr_module_open(engine.as_raw(), c_text(path).as_ptr(), &mut raw))?;
        Ok(Module(Arc::new(ModuleInner { raw, _engine: engine.clone() })))
    }

    /// The module that an artifact holds, with its code.
    ///
    /// # Safety
    ///
    /// Whoever made the file decides what runs. It must not be changed while the module, or an instance of it, exists.
    pub unsafe fn from_artifact(engine: &Engine, path: impl AsRef<Path>) -> Result<Module> {
        let path = path.as_ref().to_str().ok_or_else(|| Error::usage("the path is no UTF-8"))?;
        let mut raw = null_mut();
        Error::check(sys::wr_artifact_open(engine.as_raw(), c_text(path).as_ptr(), &mut raw))?;
        Ok(Module(Arc::new(ModuleInner { raw, _engine: engine.clone() })))
    }

    /// An artifact: the module and its code, for [`Module::from_artifact`].
    pub fn compile(&self, options: &CompileOptions) -> Result<Vec<u8>> {
        let target = options.target.as_deref().map(c_text);
        let (mut bytes, mut n) = (null_mut(), 0);
        unsafe {
            let mut given = std::mem::zeroed::<sys::wr_compile_options_t>();
            given.level = options.level + 1;
            given.polls = options.polls == Some(true);
            given.no_polls = options.polls == Some(false);
            given.explicit_memory = options.explicit_memory;
            given.count_fuel = options.count_fuel;
            given.triple = target.as_ref().map_or(std::ptr::null(), |t| t.as_ptr());
            given.threads = options.threads;
            Error::check(sys::wr_module_compile(self.0.raw, &given, &mut bytes, &mut n, null_mut()))?;
            let copy = std::slice::from_raw_parts(bytes, n).to_vec();
            sys::wr_bytes_delete(bytes, n);
            Ok(copy)
        }
    }

    /// Whether there is compiled code for it.
    pub fn is_compiled(&self) -> bool {
        unsafe { sys::wr_module_is_compiled(self.0.raw) }
    }

    pub(crate) fn as_raw(&self) -> *mut sys::wr_module_t {
        self.0.raw
    }

    /// What it asks for, in its order.
    pub fn imports(&self) -> Vec<Import> {
        let raw = self.0.raw;
        (0..unsafe { sys::wr_module_import_count(raw) })
            .map(|i| unsafe {
                let (mut import, mut t) = std::mem::zeroed::<(sys::wr_import_t, sys::wr_extern_type_t)>();
                sys::wr_module_import(raw, i, &mut import);
                sys::wr_module_import_type(raw, i, &mut t);
                let signature = written(|buffer, size| sys::wr_module_import_signature(raw, i, buffer, size));
                Import {
                    module: name_of(import.module),
                    name: name_of(import.name),
                    ty: ExternType::from_raw(&t, signature),
                }
            })
            .collect()
    }

    /// What it offers, in its order.
    pub fn exports(&self) -> Vec<Export> {
        let raw = self.0.raw;
        (0..unsafe { sys::wr_module_export_count(raw) })
            .map(|i| unsafe {
                let (mut export, mut t) = std::mem::zeroed::<(sys::wr_export_t, sys::wr_extern_type_t)>();
                sys::wr_module_export(raw, i, &mut export);
                sys::wr_module_export_type(raw, i, &mut t);
                let signature = written(|buffer, size| sys::wr_module_export_signature(raw, i, buffer, size));
                Export { name: name_of(export.name), ty: ExternType::from_raw(&t, signature) }
            })
            .collect()
    }

    /// The first custom section of that name.
    pub fn custom_section(&self, name: &str) -> Option<&[u8]> {
        let (mut data, mut size) = (std::ptr::null(), 0);
        unsafe {
            if !sys::wr_module_custom_section(self.0.raw, c_text(name).as_ptr(), &mut data, &mut size) {
                return None;
            }
            Some(if size == 0 { &[] } else { std::slice::from_raw_parts(data as *const u8, size) })
        }
    }
}
