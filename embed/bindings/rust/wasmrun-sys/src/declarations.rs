// Made from wasmrun.h by embed/bindings/declarations.py: change the header, not this.

use std::os::raw::{c_char, c_int, c_uint, c_void};

/// Of the header that these declarations were made from.
pub const WR_VERSION_STRING: &str = "0.1.0";
pub const WR_GC_STRESS: u32 = 1;
pub const WR_GC_VERIFY: u32 = 2;
pub const WR_GC_STEPS: u32 = 4;
pub const WR_WASI_READ_ONLY: u32 = 1;
pub const WR_WASI_OPEN_READ: u32 = 1;
pub const WR_WASI_OPEN_WRITE: u32 = 2;
pub const WR_WASI_OPEN_CREATE: u32 = 4;
pub const WR_WASI_OPEN_EXCLUSIVE: u32 = 8;
pub const WR_WASI_OPEN_TRUNCATE: u32 = 16;

#[repr(C)]
pub struct wr_error_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_config_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_engine_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_module_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_store_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_linker_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_instance_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_prelinked_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_caller_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_func_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_memory_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_shared_memory_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_table_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_global_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_tag_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_wasi_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wr_call_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_config_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_engine_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_store_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_module_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_instance_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_extern_t {
    _opaque: [u8; 0],
}
#[repr(C)]
pub struct wasm_trap_t {
    _opaque: [u8; 0],
}

pub type wr_error_kind_t = c_uint;
/// the bytes are no WebAssembly module
pub const WR_ERROR_MALFORMED: wr_error_kind_t = 0;
/// the module breaks a validation rule
pub const WR_ERROR_INVALID: wr_error_kind_t = 1;
/// an import is missing or has another type
pub const WR_ERROR_UNLINKABLE: wr_error_kind_t = 2;
/// execution trapped: see wr_error_trap_code()
pub const WR_ERROR_TRAP: wr_error_kind_t = 3;
/// an exception left the outermost function
pub const WR_ERROR_EXCEPTION: wr_error_kind_t = 4;
/// the guest asked to exit: see wr_error_exit_status()
pub const WR_ERROR_EXIT: wr_error_kind_t = 5;
/// the host is out of memory, or a limit on it was reached
pub const WR_ERROR_MEMORY: wr_error_kind_t = 6;
/// a file could not be read
pub const WR_ERROR_IO: wr_error_kind_t = 7;
/// the embedder's arguments do not fit (wrong types, missing export)
pub const WR_ERROR_USAGE: wr_error_kind_t = 8;

pub type wr_trap_code_t = c_uint;
pub const WR_TRAP_NONE: wr_trap_code_t = 0;
pub const WR_TRAP_UNREACHABLE: wr_trap_code_t = 1;
pub const WR_TRAP_MEMORY_OUT_OF_BOUNDS: wr_trap_code_t = 2;
pub const WR_TRAP_TABLE_OUT_OF_BOUNDS: wr_trap_code_t = 3;
pub const WR_TRAP_ARRAY_OUT_OF_BOUNDS: wr_trap_code_t = 4;
pub const WR_TRAP_UNDEFINED_ELEMENT: wr_trap_code_t = 5;
pub const WR_TRAP_UNINITIALIZED_ELEMENT: wr_trap_code_t = 6;
pub const WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH: wr_trap_code_t = 7;
pub const WR_TRAP_INTEGER_DIVIDE_BY_ZERO: wr_trap_code_t = 8;
pub const WR_TRAP_INTEGER_OVERFLOW: wr_trap_code_t = 9;
pub const WR_TRAP_INVALID_CONVERSION_TO_INTEGER: wr_trap_code_t = 10;
pub const WR_TRAP_NULL_REFERENCE: wr_trap_code_t = 11;
pub const WR_TRAP_NULL_FUNCTION_REFERENCE: wr_trap_code_t = 12;
pub const WR_TRAP_NULL_STRUCTURE_REFERENCE: wr_trap_code_t = 13;
pub const WR_TRAP_NULL_ARRAY_REFERENCE: wr_trap_code_t = 14;
pub const WR_TRAP_NULL_I31_REFERENCE: wr_trap_code_t = 15;
pub const WR_TRAP_NULL_EXCEPTION_REFERENCE: wr_trap_code_t = 16;
pub const WR_TRAP_NULL_DESCRIPTOR_REFERENCE: wr_trap_code_t = 17;
pub const WR_TRAP_CAST_FAILURE: wr_trap_code_t = 18;
pub const WR_TRAP_DESCRIPTOR_CAST_FAILURE: wr_trap_code_t = 19;
pub const WR_TRAP_UNALIGNED_ATOMIC: wr_trap_code_t = 20;
pub const WR_TRAP_EXPECTED_SHARED_MEMORY: wr_trap_code_t = 21;
pub const WR_TRAP_STACK_EXHAUSTED: wr_trap_code_t = 22;
/// the garbage-collected heap is full
pub const WR_TRAP_ALLOCATION_FAILURE: wr_trap_code_t = 23;
pub const WR_TRAP_OUT_OF_FUEL: wr_trap_code_t = 24;
pub const WR_TRAP_DEADLINE: wr_trap_code_t = 25;
pub const WR_TRAP_INTERRUPTED: wr_trap_code_t = 26;
/// a host function refused: the message is its own
pub const WR_TRAP_HOST: wr_trap_code_t = 27;

/// How linear memories are bounded; chosen per engine.
pub type wr_memory_mode_t = c_uint;
/// guard pages where the host allows, else explicit
pub const WR_MEMORY_AUTO: wr_memory_mode_t = 0;
/// reserve address space, let the MMU check 32-bit accesses
pub const WR_MEMORY_GUARD: wr_memory_mode_t = 1;
/// compare each access; no reservation, no signal handler
pub const WR_MEMORY_EXPLICIT: wr_memory_mode_t = 2;

/// How functions are run. COMPILED: every module is compiled to machine code when it is loaded, by the program
/// wasmrun-aot, which stands beside this one, is installed with it, or is where the environment variable
/// WASMRUN_AOT says; loading fails without it. What cannot be compiled is interpreted in the same instance. AUTO: code
/// is interpreted at first; meanwhile that program compiles what runs often, and running code switches over. What
/// comes of it is cached, if there is a cache, and is there when the module is loaded again; what the program is at
/// when the module is deleted, or this process ends, it finishes for the cache, within seconds. Without the program,
/// or when it fails, code stays interpreted; so do calls that count fuel or may be paused.
pub type wr_engine_kind_t = c_uint;
/// the default
pub const WR_ENGINE_INTERPRETER: wr_engine_kind_t = 0;
pub const WR_ENGINE_COMPILED: wr_engine_kind_t = 1;
pub const WR_ENGINE_AUTO: wr_engine_kind_t = 2;

/// Messages about what an operator may want to know: what the host refuses, what is loaded, and how long it
/// takes. One line without a newline; levels up to `level`. Any thread may call it, and it must not
/// call back into the library. No guest writes to it.
pub type wr_log_level_t = c_uint;
pub const WR_LOG_ERROR: wr_log_level_t = 0;
pub const WR_LOG_WARNING: wr_log_level_t = 1;
pub const WR_LOG_INFO: wr_log_level_t = 2;
pub const WR_LOG_DEBUG: wr_log_level_t = 3;

pub type wr_valkind_t = c_uint;
pub const WR_I32: wr_valkind_t = 0;
pub const WR_I64: wr_valkind_t = 1;
pub const WR_F32: wr_valkind_t = 2;
pub const WR_F64: wr_valkind_t = 3;
pub const WR_V128: wr_valkind_t = 4;
/// any reference to a function
pub const WR_FUNCREF: wr_valkind_t = 5;
/// any reference to a host value
pub const WR_EXTERNREF: wr_valkind_t = 6;
/// any reference into the garbage-collected heap, and i31
pub const WR_ANYREF: wr_valkind_t = 7;
pub const WR_EXNREF: wr_valkind_t = 8;

pub type wr_externkind_t = c_uint;
pub const WR_EXTERN_FUNC: wr_externkind_t = 0;
pub const WR_EXTERN_TABLE: wr_externkind_t = 1;
pub const WR_EXTERN_MEMORY: wr_externkind_t = 2;
pub const WR_EXTERN_GLOBAL: wr_externkind_t = 3;
pub const WR_EXTERN_TAG: wr_externkind_t = 4;

/// Tracing: what guests do, told while they do it. An engine with a tracer interprets all code one instruction at a
/// time, whatever else its configuration says; that takes ten times as long and more. Engines without one
/// look for a tracer nowhere in guest code.
pub type wr_trace_kind_t = c_uint;
/// a function begins: `values` are its arguments
pub const WR_TRACE_CALL: wr_trace_kind_t = 1;
/// it returns: `values` are its results. After a tail call only the callee does
pub const WR_TRACE_RETURN: wr_trace_kind_t = 2;
/// a host function, or an outermost call, ended by a trap, an exception or an exit
pub const WR_TRACE_FAIL: wr_trace_kind_t = 4;
/// the instruction at `code` is about to run
pub const WR_TRACE_INSTRUCTION: wr_trace_kind_t = 8;

/// Objects of the garbage-collected heap. What is made or read here is kept as results of calls are: see the
/// scopes above. Packed fields and elements are i32 values, zero-extended.
pub type wr_object_kind_t = c_uint;
/// null, a function, or no reference of this store
pub const WR_OBJECT_NONE: wr_object_kind_t = 0;
pub const WR_OBJECT_I31: wr_object_kind_t = 1;
pub const WR_OBJECT_STRUCT: wr_object_kind_t = 2;
pub const WR_OBJECT_ARRAY: wr_object_kind_t = 3;
/// see wr_extern_value()
pub const WR_OBJECT_HOST: wr_object_kind_t = 4;
pub const WR_OBJECT_EXCEPTION: wr_object_kind_t = 5;

/// Files of the embedder's own, out of memory or of an archive, with nothing of the host's file system behind them.
///
/// The callbacks see finished paths: "dir/file", "" for the root; never empty components, dots, slashes at the
/// ends, or symbolic links on the way: the library walks, follows links, keeps guests beneath the directory that
/// they were given and does the rest of path_open, rights, positions, appending and cookies. What a path leads to
/// has been looked at before (stat), so that `remove` is not called for what does not exist, `rename` not to put
/// a directory over a file, and so on; a callback still fails as it should when it finds otherwise, since another
/// guest with the same files may have been quicker.
///
/// All run on the guest's thread in the middle of its call, for one context and preopen one at a time; they must not
/// call into the guest. Files never wait: what has no data yet is better a stream. Pointers that they are given are good
/// for the call. What they return is an errno, 0 for success; any that is not in the list below reaches the guest as
/// WR_WASI_IO. Callbacks but `stat`, `open` and `read` may be NULL: then there is nothing to close, directories
/// cannot be listed, there are no links, files are read-only (WR_WASI_ROFS), or what they are for is not supported.
pub type wr_wasi_errno_t = c_uint;
pub const WR_WASI_SUCCESS: wr_wasi_errno_t = 0;
pub const WR_WASI_ACCES: wr_wasi_errno_t = 2;
pub const WR_WASI_AGAIN: wr_wasi_errno_t = 6;
pub const WR_WASI_BADF: wr_wasi_errno_t = 8;
pub const WR_WASI_BUSY: wr_wasi_errno_t = 10;
pub const WR_WASI_DQUOT: wr_wasi_errno_t = 19;
pub const WR_WASI_EXIST: wr_wasi_errno_t = 20;
pub const WR_WASI_FBIG: wr_wasi_errno_t = 22;
pub const WR_WASI_INTR: wr_wasi_errno_t = 27;
pub const WR_WASI_INVAL: wr_wasi_errno_t = 28;
pub const WR_WASI_IO: wr_wasi_errno_t = 29;
pub const WR_WASI_ISDIR: wr_wasi_errno_t = 31;
pub const WR_WASI_LOOP: wr_wasi_errno_t = 32;
pub const WR_WASI_MFILE: wr_wasi_errno_t = 33;
pub const WR_WASI_MLINK: wr_wasi_errno_t = 34;
pub const WR_WASI_NAMETOOLONG: wr_wasi_errno_t = 37;
pub const WR_WASI_NFILE: wr_wasi_errno_t = 41;
pub const WR_WASI_NOENT: wr_wasi_errno_t = 44;
pub const WR_WASI_NOMEM: wr_wasi_errno_t = 48;
pub const WR_WASI_NOSPC: wr_wasi_errno_t = 51;
pub const WR_WASI_NOSYS: wr_wasi_errno_t = 52;
pub const WR_WASI_NOTDIR: wr_wasi_errno_t = 54;
pub const WR_WASI_NOTEMPTY: wr_wasi_errno_t = 55;
pub const WR_WASI_NOTSUP: wr_wasi_errno_t = 58;
pub const WR_WASI_OVERFLOW: wr_wasi_errno_t = 61;
pub const WR_WASI_PERM: wr_wasi_errno_t = 63;
pub const WR_WASI_ROFS: wr_wasi_errno_t = 69;
pub const WR_WASI_STALE: wr_wasi_errno_t = 72;
pub const WR_WASI_TIMEDOUT: wr_wasi_errno_t = 73;
pub const WR_WASI_TXTBSY: wr_wasi_errno_t = 74;
pub const WR_WASI_XDEV: wr_wasi_errno_t = 75;

pub type wr_wasi_filetype_t = c_uint;
/// cannot seek: offsets are 0. To guests it looks like a terminal
pub const WR_WASI_CHARACTER_DEVICE: wr_wasi_filetype_t = 2;
pub const WR_WASI_DIRECTORY: wr_wasi_filetype_t = 3;
pub const WR_WASI_REGULAR_FILE: wr_wasi_filetype_t = 4;
pub const WR_WASI_SYMBOLIC_LINK: wr_wasi_filetype_t = 7;

/// An allocator: like realloc with the old size. new_size 0 frees and returns NULL. Must be
/// thread-safe when the engine is shared. NULL result = failure, which the library survives.
pub type wr_alloc_func_t = Option<unsafe extern "C" fn(context: *mut c_void, pointer: *mut c_void, old_size: usize, new_size: usize) -> *mut c_void>;

/// Called while a module is compiled, by the thread that loads it: `done` of `total` functions.
pub type wr_compile_progress_t = Option<unsafe extern "C" fn(context: *mut c_void, done: u32, total: u32)>;

pub type wr_log_func_t = Option<unsafe extern "C" fn(context: *mut c_void, level: wr_log_level_t, message: *const c_char)>;

/// A folder of compiled code (wr_config_set_cache(); NULL: the user's): visits its files; removes what was not
/// used for longest until they take at most so many bytes, 0 for all of them.
pub type wr_cache_visit_t = Option<unsafe extern "C" fn(context: *mut c_void, name: *const c_char, size: u64, used: i64)>;

/// A host function. `slots` holds the arguments in order; the results are written from slots[0] on
/// (there is room for the larger of both). Returns NULL, or an own error: a trap, an exit, ...
/// It runs on the caller's C stack and may call back into the store.
pub type wr_host_func_t = Option<unsafe extern "C" fn(caller: *mut wr_caller_t, context: *mut c_void, slots: *mut wr_slot_t) -> *mut wr_error_t>;

/// The same for languages whose callbacks may end without a result: an exception at their very beginning
/// (Python's, for a signal) leaves whatever the register held. The function sets *error, to NULL or an own
/// error; one that leaves it alone has failed, and the guest traps.
pub type wr_callback_t = Option<unsafe extern "C" fn(caller: *mut wr_caller_t, context: *mut c_void, slots: *mut wr_slot_t, error: *mut *mut wr_error_t)>;

/// Runs in the thread that runs the guest; it may read the store's memories, and must not call into the store.
pub type wr_tracer_t = Option<unsafe extern "C" fn(context: *mut c_void, event: *const wr_trace_event_t)>;

/// Random bytes of the embedder's own; false if there are none. NULL: the host's again.
pub type wr_wasi_random_t = Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut c_void, size: usize) -> bool>;

/// One frame of a backtrace, innermost first. Names are valid while the error lives.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_frame_t {
    pub module_name: *const c_char,
    pub function_name: *const c_char,
    pub function_index: u32,
    pub module_offset: u64,
    pub function_offset: u64,
    pub instance: *mut wr_instance_t,
}

/// What made functions faster in this engine so far: see wr_config_set_warm_after(). Any thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_shadow_stats_t {
    pub functions: u64,
    pub bytes: u64,
    pub ns: u64,
    pub limited: bool,
}

/// What an engine of kind AUTO has compiled so far; zeros in others. Any thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_tier_stats_t {
    pub slices: u32,
    pub functions: u32,
    pub loops: u32,
    pub failures: u32,
    pub ns: u64,
    pub first_ns: u64,
}

/// How a module is compiled; all zeros is the default.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_compile_options_t {
    pub level: u8,
    pub no_polls: bool,
    pub explicit_memory: bool,
    pub count_fuel: bool,
    pub migratable: bool,
    pub polls: bool,
    pub triple: *const c_char,
    pub cpu: *const c_char,
    pub cpu_features: *const c_char,
    pub threads: u32,
    pub progress: wr_compile_progress_t,
    pub progress_context: *mut c_void,
}

/// What compiling took, for --stats. Nanoseconds; all but total_ns are summed over threads.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_compile_stats_t {
    pub total_ns: u64,
    pub lower_ns: u64,
    pub optimise_ns: u64,
    pub generate_ns: u64,
    pub link_ns: u64,
    pub peak_bytes: u64,
    pub functions: u32,
    pub interpreted: u32,
    pub units: u32,
    pub threads: u32,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_name_t {
    pub data: *const c_char,
    pub size: usize,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_import_t {
    pub module: wr_name_t,
    pub name: wr_name_t,
    pub kind: wr_externkind_t,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_export_t {
    pub name: wr_name_t,
    pub kind: wr_externkind_t,
}

/// The type of an import or export.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_extern_type_t {
    pub kind: wr_externkind_t,
    pub nparams: usize,
    pub nresults: usize,
    pub value: wr_valkind_t,
    pub is_mutable: bool,
    pub is_shared: bool,
    pub is_64: bool,
    pub page_size_log2: u8,
    pub min: u64,
    pub max: u64,
}

/// Sizes and times of a module, for --stats. Bytes and nanoseconds.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_module_stats_t {
    pub module_bytes: u64,
    pub code_bytes: u64,
    pub side_table_bytes: u64,
    pub resident_bytes: u64,
    pub functions: u64,
    pub decode_ns: u64,
    pub validate_ns: u64,
    pub validation_threads: u32,
}

/// The garbage-collected heap of a store.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_heap_stats_t {
    pub collections: u64,
    pub pause_ns: u64,
    pub longest_pause_ns: u64,
    pub allocated_bytes: u64,
    pub live_bytes: u64,
    pub peak_bytes: u64,
}

/// The type of a memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_memory_type_t {
    pub min: u64,
    pub max: u64,
    pub is_shared: bool,
    pub is_64: bool,
    pub page_size_log2: u8,
}

/// The `of` of a [`wr_val_t`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union wr_val_of {
    pub i32: i32,
    pub i64: i64,
    pub f32: f32,
    pub f64: f64,
    pub v128: [u8; 16],
    pub r#ref: u64,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_val_t {
    pub kind: wr_valkind_t,
    pub of: wr_val_of,
}

/// What host functions see: 8 bytes per value, v128 two adjacent slots (low half first).
#[repr(C)]
#[derive(Clone, Copy)]
pub union wr_slot_t {
    pub i32: i32,
    pub u32: u32,
    pub i64: i64,
    pub u64: u64,
    pub f32: f32,
    pub f64: f64,
    pub r#ref: u64,
}

/// Valid during the call of the tracer, with all that it points to.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_trace_event_t {
    pub kind: wr_trace_kind_t,
    pub function_index: u32,
    pub func: *const wr_func_t,
    pub instance: *mut wr_instance_t,
    pub depth: u64,
    pub module_offset: u64,
    pub code: *const u8,
    pub code_size: usize,
    pub values: *const wr_slot_t,
}

/// The `of` of a [`wr_extern_t`].
#[repr(C)]
#[derive(Clone, Copy)]
pub union wr_extern_of {
    pub func: *mut wr_func_t,
    pub table: *mut wr_table_t,
    pub memory: *mut wr_memory_t,
    pub global: *mut wr_global_t,
    pub tag: *mut wr_tag_t,
}

/// What can be imported and exported. Belongs to its store.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_extern_t {
    pub kind: wr_externkind_t,
    pub of: wr_extern_of,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_prelinked_stats_t {
    pub live: u64,
    pub idle: u64,
    pub made: u64,
    pub reused: u64,
}

/// A stream of the embedder's own, as standard input or output. `read` puts at most `size` bytes in
/// `bytes` and tells how many; 0 is the end. `write` takes all of them. Either may be NULL: nothing to
/// read, writes vanish. An own error that they return ends the guest: a limit is exceeded, for instance.
/// They run on the guest's thread, in the middle of its call.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_wasi_stream_t {
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut c_void, size: usize, done: *mut usize) -> *mut wr_error_t>,
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const c_void, size: usize) -> *mut wr_error_t>,
    pub context: *mut c_void,
}

/// The same with callbacks that answer through a parameter: see wr_callback_t. `read` sets *done, too.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_wasi_callbacks_t {
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *mut c_void, size: usize, done: *mut usize, error: *mut *mut wr_error_t)>,
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, bytes: *const c_void, size: usize, error: *mut *mut wr_error_t)>,
    pub context: *mut c_void,
}

/// Clocks of the embedder's own. `now` tells the time of a clock (0: since 1970, 1: monotonic, 2 and 3: CPU
/// time) in nanoseconds; false if there is no such clock. `sleep` is called instead of waiting, and has to
/// bring the clocks forward by so much; with NULL guests wait in real time. On the guest's thread.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_wasi_clock_t {
    pub now: Option<unsafe extern "C" fn(context: *mut c_void, clock: u32, nanoseconds: *mut u64) -> bool>,
    pub sleep: Option<unsafe extern "C" fn(context: *mut c_void, nanoseconds: u64)>,
    pub context: *mut c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_wasi_filestat_t {
    pub inode: u64,
    pub links: u64,
    pub size: u64,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
    pub r#type: wr_wasi_filetype_t,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_wasi_entry_t {
    pub name: *const c_char,
    pub inode: u64,
    pub next: u64,
    pub r#type: wr_wasi_filetype_t,
}

#[repr(C)]
#[derive(Clone, Copy)]
pub struct wr_wasi_files_t {
    pub size: usize,
    pub stat: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char, file: *mut c_void, stat: *mut wr_wasi_filestat_t) -> wr_wasi_errno_t>,
    pub open: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char, flags: u32, file: *mut *mut c_void) -> wr_wasi_errno_t>,
    pub close: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void)>,
    pub read: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void, bytes: *mut c_void, size: usize, offset: u64, done: *mut usize) -> wr_wasi_errno_t>,
    pub write: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void, bytes: *const c_void, size: usize, offset: u64, done: *mut usize) -> wr_wasi_errno_t>,
    pub resize: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void, size: u64) -> wr_wasi_errno_t>,
    pub sync: Option<unsafe extern "C" fn(context: *mut c_void, file: *mut c_void) -> wr_wasi_errno_t>,
    pub list: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char, position: u64, entry: *mut wr_wasi_entry_t) -> wr_wasi_errno_t>,
    pub set_times: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char, file: *mut c_void, accessed: u64, modified: u64) -> wr_wasi_errno_t>,
    pub make_directory: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char) -> wr_wasi_errno_t>,
    pub remove: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char) -> wr_wasi_errno_t>,
    pub rename: Option<unsafe extern "C" fn(context: *mut c_void, from: *const c_char, to: *const c_char) -> wr_wasi_errno_t>,
    pub link: Option<unsafe extern "C" fn(context: *mut c_void, from: *const c_char, to: *const c_char) -> wr_wasi_errno_t>,
    pub make_symlink: Option<unsafe extern "C" fn(context: *mut c_void, target: *const c_char, path: *const c_char) -> wr_wasi_errno_t>,
    pub read_symlink: Option<unsafe extern "C" fn(context: *mut c_void, path: *const c_char, target: *mut c_char, size: usize, length: *mut usize) -> wr_wasi_errno_t>,
}

extern "C" {
    /// The version of the library that is running, "MAJOR.MINOR.PATCH"; static storage.
    pub fn wr_version() -> *const c_char;
    /// What kind of error it is; the other questions below depend on that.
    pub fn wr_error_kind(error: *const wr_error_t) -> wr_error_kind_t;
    /// One line without a newline, UTF-8, as the official test suite words it; lives as long as `error`.
    pub fn wr_error_message(error: *const wr_error_t) -> *const c_char;
    /// Byte offset in the module for MALFORMED and INVALID; false when the error has none.
    pub fn wr_error_offset(error: *const wr_error_t, offset: *mut u64) -> bool;
    /// "FILE:LINE:COLUMN" of an error in the text format, else NULL; lives as long as `error`.
    pub fn wr_error_place(error: *const wr_error_t) -> *const c_char;
    /// WR_TRAP_NONE unless the kind is TRAP.
    pub fn wr_error_trap_code(error: *const wr_error_t) -> wr_trap_code_t;
    /// The guest's exit status; false unless the kind is EXIT.
    pub fn wr_error_exit_status(error: *const wr_error_t, status: *mut u32) -> bool;
    /// Frames of a trap, innermost first. At most 64 innermost and outermost ones are kept:
    /// wr_error_frame_total() tells how many there were.
    pub fn wr_error_frame_count(error: *const wr_error_t) -> usize;
    pub fn wr_error_frame_total(error: *const wr_error_t) -> usize;
    pub fn wr_error_frame(error: *const wr_error_t, index: usize, frame: *mut wr_frame_t) -> bool;
    /// Renders message and backtrace as the command prints them (several lines, ending in a newline).
    /// Writes at most `size` bytes including the terminating zero; returns the length it would need.
    pub fn wr_error_render(error: *const wr_error_t, buffer: *mut c_char, size: usize) -> usize;
    pub fn wr_error_delete(error: *mut wr_error_t);
    /// A pointer of the embedder's that goes with an error, so that what made a host function fail comes out of
    /// the guest's call as what it was: an exception of another language, for instance. `finalizer` (may be NULL)
    /// runs with it once, when the error is deleted or given other data. False, and nothing is taken over, for
    /// the static out-of-memory error: it belongs to everybody.
    pub fn wr_error_set_data(error: *mut wr_error_t, data: *mut c_void, finalizer: Option<unsafe extern "C" fn(data: *mut c_void)>) -> bool;
    /// NULL if none was set
    pub fn wr_error_data(error: *const wr_error_t) -> *mut c_void;
    /// Makes an error of kind EXCEPTION independent of its store, so that any thread may have it, at any time: its
    /// exception is gone then, message and frames stay. Others are independent already. Store's thread.
    pub fn wr_error_detach(error: *mut wr_error_t);
    /// For host functions: make the error to return. Never NULL (a static out-of-memory error otherwise).
    pub fn wr_trap_new(message: *const c_char) -> *mut wr_error_t;
    pub fn wr_exit_new(status: u32) -> *mut wr_error_t;
    /// General errors with a formatted message, for layers built on this interface (WASI, the command).
    pub fn wr_error_new(kind: wr_error_kind_t, format: *const c_char, ...) -> *mut wr_error_t;
    /// NULL when out of memory
    pub fn wr_config_new() -> *mut wr_config_t;
    /// one that no engine has consumed
    pub fn wr_config_delete(config: *mut wr_config_t);
    /// How memories are bounded; WR_MEMORY_EXPLICIT needs neither address space nor signal handlers.
    pub fn wr_config_set_memory_mode(config: *mut wr_config_t, mode: wr_memory_mode_t);
    /// Bytes of guest stack (values and frames) of one store; default 8 MiB, rounded up to pages.
    pub fn wr_config_set_max_stack(config: *mut wr_config_t, bytes: usize);
    pub fn wr_config_set_gc_debug(config: *mut wr_config_t, flags: u32);
    /// Threads that may validate one module's bodies; 0 = as many as there are processors.
    pub fn wr_config_set_validation_threads(config: *mut wr_config_t, threads: u32);
    /// What each pre-linked module keeps of deleted stores for new ones: at most so many of them, with at
    /// most so many bytes of each memory that guests have written to. Defaults: 64, 1 MiB.
    pub fn wr_config_set_pool(config: *mut wr_config_t, stores: u32, resident_bytes: usize);
    /// After how many calls and turns of loops a function gets a faster form: ids beside its code, two bytes for
    /// each of its bytes, which name handlers for whole sequences of instructions (docs/interpreter.md). 0 = at
    /// once, UINT32_MAX = never: code is then run from its own bytes alone.
    pub fn wr_config_set_warm_after(config: *mut wr_config_t, count: u32);
    /// Bytes that these ids may take in the whole engine; default 64 MiB. Functions beyond it run without.
    pub fn wr_config_set_max_shadow(config: *mut wr_config_t, bytes: usize);
    pub fn wr_config_set_engine_kind(config: *mut wr_config_t, kind: wr_engine_kind_t);
    /// How well code is compiled: 0 (at once) to 3, 4 for size; default 2.
    pub fn wr_config_set_opt_level(config: *mut wr_config_t, level: c_uint);
    /// How compiled code is stopped by deadlines and interruption. True: it polls, which takes a few per cent of its time.
    /// False: it does not, and its thread is sent a signal, SIGURG, which costs nothing; in engines with explicit memories,
    /// which use no signals, what does not poll is interpreted in stores that have a timeout or are interruptible. So the
    /// default is false, but true for engines with explicit memories. Code that counts fuel or can be paused always polls.
    /// If it is true the engine sends no signals, and interprets code without polls in such stores.
    ///
    /// The handler is installed when the first such store runs such code. A handler that was there is called, too; who
    /// installs one later has to call ours. Threads that run guests get the signal unblocked, and an alternate stack, as
    /// for faults. Signals are not sent while host functions run; but one may be on its way when a host function begins, which
    /// then sees EINTR from calls that SA_RESTART does not help (poll(), nanosleep()).
    pub fn wr_config_set_compiled_polls(config: *mut wr_config_t, polls: bool);
    /// Whether compiled code counts fuel; default false. Without, modules are interpreted in stores that have fuel.
    pub fn wr_config_set_compiled_fuel(config: *mut wr_config_t, counts: bool);
    /// Whether calls of compiled code can be written down where it polls, and go on in the interpreter; default false. Without,
    /// what a store calls is interpreted from its first wr_call_start() on.
    pub fn wr_config_set_compiled_migratable(config: *mut wr_config_t, migratable: bool);
    /// Writes the names of compiled functions to /tmp/perf-PID.map, where Linux' perf looks for them. Default false.
    pub fn wr_config_set_perf_map(config: *mut wr_config_t, perf_map: bool);
    /// Tells debuggers that are attached to the process (gdb, lldb) of compiled functions: names, and how to walk their
    /// frames. Takes memory and time for each module. Default false.
    pub fn wr_config_set_debug_info(config: *mut wr_config_t, debug_info: bool);
    /// Keeps compiled code in a folder: NULL for the user's, $XDG_CACHE_HOME/wasmrun or $HOME/.cache/wasmrun. Without
    /// this call nothing is kept. The folder must be the user's alone; else it is not used, and a warning
    /// logged. False when out of memory.
    pub fn wr_config_set_cache(config: *mut wr_config_t, folder: *const c_char) -> bool;
    pub fn wr_config_set_compile_progress(config: *mut wr_config_t, func: wr_compile_progress_t, context: *mut c_void);
    pub fn wr_config_set_allocator(config: *mut wr_config_t, func: wr_alloc_func_t, context: *mut c_void);
    pub fn wr_config_set_log(config: *mut wr_config_t, func: wr_log_func_t, context: *mut c_void, level: wr_log_level_t);
    /// Turns a proposal on or off by its name (see `wasmrun --help`); false if there is none such.
    pub fn wr_config_set_feature(config: *mut wr_config_t, name: *const c_char, on: bool) -> bool;
    /// Consumes `config` (NULL for defaults).
    pub fn wr_engine_new(config: *mut wr_config_t, engine: *mut *mut wr_engine_t) -> *mut wr_error_t;
    /// Modules and stores keep their engine alive: deleting in any order is fine.
    pub fn wr_engine_delete(engine: *mut wr_engine_t);
    pub fn wr_engine_get_shadow_stats(engine: *const wr_engine_t, stats: *mut wr_shadow_stats_t);
    pub fn wr_engine_get_tier_stats(engine: *const wr_engine_t, stats: *mut wr_tier_stats_t);
    /// Copies the bytes, decodes and validates.
    pub fn wr_module_new(engine: *mut wr_engine_t, bytes: *const c_void, size: usize, module: *mut *mut wr_module_t) -> *mut wr_error_t;
    /// Maps the file (it must not be changed while the module lives: a truncation would fault).
    pub fn wr_module_open(engine: *mut wr_engine_t, path: *const c_char, module: *mut *mut wr_module_t) -> *mut wr_error_t;
    pub fn wr_module_validate(engine: *mut wr_engine_t, bytes: *const c_void, size: usize) -> *mut wr_error_t;
    pub fn wr_module_delete(module: *mut wr_module_t);
    /// Compiles a module into an artifact, which holds the module too. `options` and `stats` may be NULL. Free it
    /// with wr_bytes_delete().
    pub fn wr_module_compile(module: *mut wr_module_t, options: *const wr_compile_options_t, artifact: *mut *mut u8, size: *mut usize, stats: *mut wr_compile_stats_t) -> *mut wr_error_t;
    /// Loads the module that an artifact holds, with its code, in an engine of any kind. The file is mapped, and must not
    /// be changed while the module lives. It is checked against damage, and refused when it was made by another
    /// version, for another CPU, or for memories that this engine does not have; but whoever made it decides
    /// what runs: load only artifacts from those you would run programs from (docs/aot.md).
    pub fn wr_artifact_open(engine: *mut wr_engine_t, path: *const c_char, module: *mut *mut wr_module_t) -> *mut wr_error_t;
    /// Whether these bytes, the first 64 of a file will do, begin as an artifact does.
    pub fn wr_artifact_recognise(bytes: *const c_void, size: usize) -> bool;
    /// Whether the module has compiled code.
    pub fn wr_module_is_compiled(module: *const wr_module_t) -> bool;
    pub fn wr_cache_list(folder: *const c_char, visit: wr_cache_visit_t, context: *mut c_void) -> *mut wr_error_t;
    pub fn wr_cache_clear(folder: *const c_char, bytes: u64, removed: *mut u32) -> *mut wr_error_t;
    /// The text format (.wat) into the binary one: a whole module, or its fields alone. `file_name` is for
    /// errors, whose place is then FILE:LINE:COLUMN; NULL will do. With `names` the identifiers become a name
    /// section, which backtraces use. The text is only parsed: wr_module_new() validates.
    pub fn wr_wat_to_wasm(text: *const c_char, size: usize, file_name: *const c_char, names: bool, bytes: *mut *mut u8, n: *mut usize) -> *mut wr_error_t;
    /// For an error of wr_module_new() about the bytes that this text became: if a function's code is
    /// invalid, an error that says the same with the instruction's place in the text. Takes `error`.
    pub fn wr_wat_locate(text: *const c_char, size: usize, file_name: *const c_char, bytes: *const u8, n: usize, error: *mut wr_error_t) -> *mut wr_error_t;
    pub fn wr_bytes_delete(bytes: *mut u8, n: usize);
    /// Imports and exports in the order of the module; false if there is none of that index. Names lie in the
    /// module, and live as long.
    pub fn wr_module_import_count(module: *const wr_module_t) -> usize;
    pub fn wr_module_import(module: *const wr_module_t, index: usize, import: *mut wr_import_t) -> bool;
    pub fn wr_module_export_count(module: *const wr_module_t) -> usize;
    pub fn wr_module_export(module: *const wr_module_t, index: usize, export_: *mut wr_export_t) -> bool;
    pub fn wr_module_import_type(module: *const wr_module_t, index: usize, r#type: *mut wr_extern_type_t) -> bool;
    pub fn wr_module_export_type(module: *const wr_module_t, index: usize, r#type: *mut wr_extern_type_t) -> bool;
    /// The signature of a function or tag (see there) as a string, references by their hierarchy. Writes at
    /// most `size` bytes including the terminating zero; returns the length it would need; 0 for others.
    pub fn wr_module_import_signature(module: *const wr_module_t, index: usize, buffer: *mut c_char, size: usize) -> usize;
    pub fn wr_module_export_signature(module: *const wr_module_t, index: usize, buffer: *mut c_char, size: usize) -> usize;
    /// Custom sections in the order of the module; contents are valid while the module lives.
    pub fn wr_module_custom_section_count(module: *const wr_module_t) -> usize;
    pub fn wr_module_custom_section_at(module: *const wr_module_t, index: usize, name: *mut wr_name_t, data: *mut *const c_void, size: *mut usize) -> bool;
    /// The first custom section of that name; false if there is none.
    pub fn wr_module_custom_section(module: *const wr_module_t, name: *const c_char, data: *mut *const c_void, size: *mut usize) -> bool;
    pub fn wr_module_get_stats(module: *const wr_module_t, stats: *mut wr_module_stats_t);
    /// A store is where instances live and all that belongs to them. It keeps its engine.
    pub fn wr_store_new(engine: *mut wr_engine_t, store: *mut *mut wr_store_t) -> *mut wr_error_t;
    /// A store for another thread of the same guest: with the limits, the deadline and the interruptibility
    /// that `store` has now. Memory and fuel the two, and all peers made of either, take from one budget:
    /// together they use no more than `store` was given. Call it where `store` may be used.
    pub fn wr_store_new_peer(store: *mut wr_store_t, peer: *mut *mut wr_store_t) -> *mut wr_error_t;
    pub fn wr_store_delete(store: *mut wr_store_t);
    /// Limits for everything created in the store from now on. UINT64_MAX = none (the default). A shared
    /// memory counts where it was made, whoever grows it.
    pub fn wr_store_limit_memory(store: *mut wr_store_t, bytes: u64);
    /// sum over memories, of peers too
    pub fn wr_store_limit_tables(store: *mut wr_store_t, elements: u64);
    /// sum over tables
    pub fn wr_store_limit_instances(store: *mut wr_store_t, count: u64);
    /// Bytes of the garbage-collected heap, rounded up to blocks of 64 KiB; allocations that would need
    /// more trap with WR_TRAP_ALLOCATION_FAILURE. At most nearly 4 GiB. Address space for the limit is
    /// reserved when the first object is made: a limit raised later than that may not be reached.
    pub fn wr_store_limit_heap(store: *mut wr_store_t, bytes: u64);
    pub fn wr_store_get_heap_stats(store: *const wr_store_t, stats: *mut wr_heap_stats_t);
    /// Collects garbage now. Also in host functions.
    pub fn wr_store_collect(store: *mut wr_store_t);
    /// The embedder's data of a store: a pointer for each key, which is any address that is the embedder's
    /// own. NULL if none was set. Deleting the store forgets them; host functions get at them by
    /// wr_caller_store().
    pub fn wr_store_set_data(store: *mut wr_store_t, key: *const c_void, value: *mut c_void) -> *mut wr_error_t;
    pub fn wr_store_data(store: *const wr_store_t, key: *const c_void) -> *mut c_void;
    /// Fuel: one unit pays for one byte of code passed, or one transfer of control (a taken branch,
    /// call, return); checked at branches and calls. UINT64_MAX turns metering off (default). Peers draw on
    /// what is left in portions of 64 Ki: when it runs out, another one may have a rest of its portion.
    pub fn wr_store_set_fuel(store: *mut wr_store_t, units: u64);
    pub fn wr_store_fuel(store: *const wr_store_t) -> u64;
    /// Adds to what is left, for calls that are to go on after a pause. Calls stop at the first poll after fuel is
    /// spent: what they have used beyond it is taken from what is added, so that a program uses the same
    /// sum in however many portions it comes. Turns metering on. Not in host functions.
    pub fn wr_store_add_fuel(store: *mut wr_store_t, units: u64);
    /// Calls trap with WR_TRAP_DEADLINE when this many nanoseconds from now have passed; 0 = none. Compiled code is stopped
    /// by a signal: see wr_config_set_compiled_polls().
    pub fn wr_store_set_timeout(store: *mut wr_store_t, nanoseconds: u64) -> *mut wr_error_t;
    /// Allow wr_store_interrupt() to take effect in calls started from now on. Default off.
    pub fn wr_store_set_interruptible(store: *mut wr_store_t, on: bool);
    /// Any thread, signal handlers too: the running call traps with WR_TRAP_INTERRUPTED at its next branch or call,
    /// or, when nothing runs, the next call does. Compiled code is stopped by a signal: see wr_config_set_compiled_polls().
    pub fn wr_store_interrupt(store: *mut wr_store_t);
    /// References to objects in the garbage-collected heap, as the host sees them: what a function gives as
    /// result, or a global holds, is kept alive for the host until the scope is closed in which it came.
    /// A host function has a scope of its own, so that what it is given, and gets by calls of its own,
    /// lives until it returns; the outermost scope ends with the store. A host that keeps calling opens
    /// scopes of its own: closing one with what opening it gave closes all inside it.
    /// Using a reference after its scope is an error that the library survives, with an unspecified object.
    pub fn wr_store_open_scope(store: *mut wr_store_t) -> usize;
    pub fn wr_store_close_scope(store: *mut wr_store_t, scope: usize);
    /// Makes a reference (externref) to a host value, for arguments and results; it lives as long as the
    /// store. And back: false if `ref` is null or no host value.
    pub fn wr_extern_new(store: *mut wr_store_t, value: *mut c_void, r#ref: *mut u64) -> *mut wr_error_t;
    pub fn wr_extern_value(store: *const wr_store_t, r#ref: u64, value: *mut *mut c_void) -> bool;
    /// The type of a function, references by their hierarchy. Indices beyond the counts give WR_I32.
    pub fn wr_func_param_count(func: *const wr_func_t) -> usize;
    pub fn wr_func_result_count(func: *const wr_func_t) -> usize;
    pub fn wr_func_param(func: *const wr_func_t, index: usize) -> wr_valkind_t;
    pub fn wr_func_result(func: *const wr_func_t, index: usize) -> wr_valkind_t;
    /// All of it as a string, as by wr_module_export_signature().
    pub fn wr_func_signature(func: *const wr_func_t, buffer: *mut c_char, size: usize) -> usize;
    /// What backtraces call it: the module that it is of, or under whose name the host defined it, and its own name. Size 0
    /// where there is none. As in the module: control characters are not escaped. Valid as long as the store.
    pub fn wr_func_name(func: *const wr_func_t, module: *mut wr_name_t, name: *mut wr_name_t);
    /// Kinds are checked. `results` needs room for wr_func_result_count(). `func` NULL, as looking up an export gives it if
    /// there is none, is an error.
    pub fn wr_func_call(store: *mut wr_store_t, func: *mut wr_func_t, args: *const wr_val_t, nargs: usize, results: *mut wr_val_t, nresults: usize) -> *mut wr_error_t;
    /// Calls without boxing, for who knows the function's type: see wr_func_has_signature(), once. `slots` holds
    /// the arguments in order and gets the results from slots[0] on; it has room for the larger of both. What
    /// does not belong to the type is undefined; references are checked.
    pub fn wr_func_call_slots(store: *mut wr_store_t, func: *mut wr_func_t, slots: *mut wr_slot_t) -> *mut wr_error_t;
    /// Whether there is a function (not NULL), and it has the type that the signature says.
    pub fn wr_func_has_signature(func: *const wr_func_t, signature: *const c_char) -> bool;
    /// `kinds`: WR_TRACE_* bits, what is told. NULL: no tracing.
    pub fn wr_config_set_tracer(config: *mut wr_config_t, kinds: u32, tracer: wr_tracer_t, context: *mut c_void);
    /// Arguments are checked as by wr_func_call(). Without fuel, deadline or interruptibility it never pauses.
    pub fn wr_call_start(store: *mut wr_store_t, func: *mut wr_func_t, args: *const wr_val_t, nargs: usize, results: *mut wr_val_t, nresults: usize, paused: *mut *mut wr_call_t) -> *mut wr_error_t;
    /// Goes on with the call, which is consumed; *paused is set again if it pauses again. Not in host functions
    /// of the same store, which is an error that leaves the call paused in *paused.
    pub fn wr_call_resume(call: *mut wr_call_t, results: *mut wr_val_t, nresults: usize, paused: *mut *mut wr_call_t) -> *mut wr_error_t;
    /// Why it is paused: OUT_OF_FUEL, DEADLINE or INTERRUPTED; NONE once its store is gone.
    pub fn wr_call_reason(call: *const wr_call_t) -> wr_trap_code_t;
    /// Where it is paused: an error with the reason and the frames, as it would be without pausing.
    pub fn wr_call_backtrace(call: *const wr_call_t) -> *mut wr_error_t;
    /// Gives it up: it never goes on. Also after its store is gone; in the store's thread.
    pub fn wr_call_delete(call: *mut wr_call_t);
    /// Pointers are valid until the guest runs or the memory grows.
    pub fn wr_memory_data(memory: *mut wr_memory_t) -> *mut u8;
    /// bytes
    pub fn wr_memory_size(memory: *const wr_memory_t) -> u64;
    /// Grows by so many pages; gives their old number, or UINT64_MAX if a limit does not allow it.
    pub fn wr_memory_grow(memory: *mut wr_memory_t, pages: u64) -> u64;
    /// Checked access: nothing is touched, and NULL or false is the result, if a byte of it would lie outside.
    /// A size of 0 is allowed at the very end. Numbers are little-endian whatever the host is.
    pub fn wr_memory_view(memory: *mut wr_memory_t, address: u64, size: u64) -> *mut c_void;
    pub fn wr_memory_read(memory: *const wr_memory_t, address: u64, to: *mut c_void, size: usize) -> bool;
    pub fn wr_memory_write(memory: *mut wr_memory_t, address: u64, from: *const c_void, size: usize) -> bool;
    pub fn wr_memory_read_u32(memory: *const wr_memory_t, address: u64, value: *mut u32) -> bool;
    pub fn wr_memory_read_u64(memory: *const wr_memory_t, address: u64, value: *mut u64) -> bool;
    pub fn wr_memory_write_u32(memory: *mut wr_memory_t, address: u64, value: u32) -> bool;
    pub fn wr_memory_write_u64(memory: *mut wr_memory_t, address: u64, value: u64) -> bool;
    /// The length of a zero-terminated string in guest memory of at most `max` bytes; false if it does not end
    /// there, or in the memory.
    pub fn wr_memory_string(memory: *const wr_memory_t, address: u64, max: u64, string: *mut *const c_char, length: *mut usize) -> bool;
    /// What the object is now: of memories and tables `min` is the size that they have.
    pub fn wr_extern_type(external: *const wr_extern_t, r#type: *mut wr_extern_type_t);
    /// Objects that the host makes. They live as long as the store. Values and references are checked; types
    /// of references are the nullable ones at the top of each hierarchy.
    pub fn wr_store_make_func(store: *mut wr_store_t, signature: *const c_char, func: wr_host_func_t, context: *mut c_void, finalizer: Option<unsafe extern "C" fn(context: *mut c_void)>, made: *mut *mut wr_func_t) -> *mut wr_error_t;
    pub fn wr_store_make_callback(store: *mut wr_store_t, signature: *const c_char, func: wr_callback_t, context: *mut c_void, finalizer: Option<unsafe extern "C" fn(context: *mut c_void)>, made: *mut *mut wr_func_t) -> *mut wr_error_t;
    pub fn wr_store_make_global(store: *mut wr_store_t, value: *const wr_val_t, is_mutable: bool, made: *mut *mut wr_global_t) -> *mut wr_error_t;
    /// A memory as the type says; shared ones too.
    pub fn wr_store_make_memory(store: *mut wr_store_t, r#type: *const wr_memory_type_t, made: *mut *mut wr_memory_t) -> *mut wr_error_t;
    /// A table of at least `min` elements, all `value`, which is a reference; max UINT64_MAX: none.
    pub fn wr_store_make_table(store: *mut wr_store_t, value: *const wr_val_t, min: u64, max: u64, made: *mut *mut wr_table_t) -> *mut wr_error_t;
    /// A tag for exceptions whose values the signature's parameters are; it has no results.
    pub fn wr_store_make_tag(store: *mut wr_store_t, signature: *const c_char, made: *mut *mut wr_tag_t) -> *mut wr_error_t;
    /// An object as its value is kept alive as by results of calls: see the scopes above.
    pub fn wr_global_get(global: *const wr_global_t, value: *mut wr_val_t);
    /// An error if it is immutable, or the value of another type.
    pub fn wr_global_set(global: *mut wr_global_t, value: *const wr_val_t) -> *mut wr_error_t;
    /// elements
    pub fn wr_table_size(table: *const wr_table_t) -> u64;
    /// False if there is no such element.
    pub fn wr_table_get(table: *const wr_table_t, index: u64, value: *mut wr_val_t) -> bool;
    pub fn wr_table_set(table: *mut wr_table_t, index: u64, value: *const wr_val_t) -> *mut wr_error_t;
    /// Appends so many elements, all `value`. An error if a limit does not allow it.
    pub fn wr_table_extend(table: *mut wr_table_t, count: u64, value: *const wr_val_t) -> *mut wr_error_t;
    /// A function as a reference, and back: NULL if it is none.
    pub fn wr_func_ref(func: *const wr_func_t) -> wr_val_t;
    pub fn wr_ref_func(store: *const wr_store_t, value: *const wr_val_t) -> *mut wr_func_t;
    /// Exceptions. To throw one, a host function returns the error that this makes.
    pub fn wr_throw_new(store: *mut wr_store_t, tag: *mut wr_tag_t, values: *const wr_val_t, nvalues: usize) -> *mut wr_error_t;
    /// Of an error of kind EXCEPTION: its tag, and up to `max` of its values; *tag is NULL for other errors, and
    /// when the store is gone. Returns how many values it has.
    pub fn wr_error_exception_values(error: *const wr_error_t, tag: *mut *mut wr_tag_t, values: *mut wr_val_t, max: usize) -> usize;
    pub fn wr_object_kind(store: *const wr_store_t, value: *const wr_val_t) -> wr_object_kind_t;
    /// Numbers of 31 bits, and back: false if it is none. The uppermost bit is lost, the next is the sign.
    pub fn wr_i31_new(value: i32) -> wr_val_t;
    pub fn wr_i31_get(value: *const wr_val_t, number: *mut i32) -> bool;
    /// Fields of a structure, elements of an array; 0 and false for others.
    pub fn wr_object_length(store: *const wr_store_t, object: *const wr_val_t) -> usize;
    pub fn wr_object_get(store: *mut wr_store_t, object: *const wr_val_t, index: usize, value: *mut wr_val_t) -> bool;
    pub fn wr_object_set(store: *mut wr_store_t, object: *const wr_val_t, index: usize, value: *const wr_val_t) -> *mut wr_error_t;
    /// Parts of an array of i8; false if it is none (or, for writing, immutable), or shorter.
    pub fn wr_object_read_bytes(store: *const wr_store_t, array: *const wr_val_t, start: usize, to: *mut c_void, size: usize) -> bool;
    pub fn wr_object_write_bytes(store: *mut wr_store_t, array: *const wr_val_t, start: usize, from: *const c_void, size: usize) -> bool;
    /// Of a type of the instance's module, by its index. No values: the default ones. What they refer to must be
    /// kept, as everything is that the host was given.
    pub fn wr_object_new_struct(instance: *mut wr_instance_t, type_index: u32, values: *const wr_val_t, nvalues: usize, object: *mut wr_val_t) -> *mut wr_error_t;
    /// All elements are `value`; NULL: the default one.
    pub fn wr_object_new_array(instance: *mut wr_instance_t, type_index: u32, length: u32, value: *const wr_val_t, object: *mut wr_val_t) -> *mut wr_error_t;
    /// References that stay beyond scopes: keeps the object that `value` leads to, until it is let go. The store
    /// does so at its end.
    pub fn wr_store_pin(store: *mut wr_store_t, value: *const wr_val_t, pin: *mut u32) -> *mut wr_error_t;
    pub fn wr_store_unpin(store: *mut wr_store_t, pin: u32);
    /// The type of the memory that import `index` asks for; false if it asks for something else.
    pub fn wr_module_import_memory(module: *const wr_module_t, index: usize, r#type: *mut wr_memory_type_t) -> bool;
    /// Counts against the memory limit of `store` and its peers, but belongs to no store.
    pub fn wr_shared_memory_new(store: *mut wr_store_t, r#type: *const wr_memory_type_t, memory: *mut *mut wr_shared_memory_t) -> *mut wr_error_t;
    /// A handle of a store's memory; NULL if that is not shared.
    pub fn wr_memory_share(memory: *mut wr_memory_t) -> *mut wr_shared_memory_t;
    /// Any thread may use what follows. Stores and linkers that use the memory keep it.
    pub fn wr_shared_memory_delete(memory: *mut wr_shared_memory_t);
    pub fn wr_shared_memory_data(memory: *const wr_shared_memory_t) -> *mut u8;
    /// bytes; may grow
    pub fn wr_shared_memory_size(memory: *const wr_shared_memory_t) -> u64;
    /// The store in which it is called; calls back into it are allowed.
    pub fn wr_caller_store(caller: *mut wr_caller_t) -> *mut wr_store_t;
    /// NULL if called by the host itself
    pub fn wr_caller_instance(caller: *mut wr_caller_t) -> *mut wr_instance_t;
    /// The host address of guest bytes [address, address + size) in the memory that the calling instance
    /// exports as "memory"; NULL if there is none or the range leaves it. size 0 is allowed at the end.
    /// Valid until the guest runs or the memory grows.
    pub fn wr_caller_memory(caller: *mut wr_caller_t, address: u64, size: u64) -> *mut c_void;
    /// For blocking host functions: an own trap when the call is interrupted or past its deadline.
    pub fn wr_caller_poll(caller: *mut wr_caller_t) -> *mut wr_error_t;
    /// Nanoseconds that a host function may block before asking wr_caller_poll() again; UINT64_MAX when
    /// the store has neither a deadline nor is interruptible.
    pub fn wr_caller_patience(caller: *mut wr_caller_t) -> u64;
    /// NULL when out of memory
    pub fn wr_linker_new(engine: *mut wr_engine_t) -> *mut wr_linker_t;
    /// Instances made with it are not affected.
    pub fn wr_linker_delete(linker: *mut wr_linker_t);
    /// Defines a host function; a later definition of the same name replaces the earlier one.
    /// `finalizer` (may be NULL) runs once with `context` when the last user of the definition is gone, in
    /// the thread that dropped it; not if defining fails.
    pub fn wr_linker_define_func(linker: *mut wr_linker_t, module: *const c_char, name: *const c_char, signature: *const c_char, func: wr_host_func_t, context: *mut c_void, finalizer: Option<unsafe extern "C" fn(context: *mut c_void)>) -> *mut wr_error_t;
    /// The same by a callback that answers through a parameter.
    pub fn wr_linker_define_callback(linker: *mut wr_linker_t, module: *const c_char, name: *const c_char, signature: *const c_char, func: wr_callback_t, context: *mut c_void, finalizer: Option<unsafe extern "C" fn(context: *mut c_void)>) -> *mut wr_error_t;
    /// Every export of `instance`, under that module name. The instance's store is then the only one that
    /// the linker can instantiate in; the linker must not be used, other than deleted, after that store.
    pub fn wr_linker_define_instance(linker: *mut wr_linker_t, module: *const c_char, instance: *mut wr_instance_t) -> *mut wr_error_t;
    /// A shared memory of the same engine: for instances in all stores.
    pub fn wr_linker_define_memory(linker: *mut wr_linker_t, module: *const c_char, name: *const c_char, memory: *mut wr_shared_memory_t) -> *mut wr_error_t;
    /// One object of the store. Names are counted, and may hold zeros.
    pub fn wr_linker_define(linker: *mut wr_linker_t, module: wr_name_t, name: wr_name_t, store: *mut wr_store_t, external: *const wr_extern_t) -> *mut wr_error_t;
    /// Another name for what is defined as `module` `name`, then or later; with both names NULL for all names
    /// of a module. Aliases of aliases are followed, up to 16 of them.
    pub fn wr_linker_alias(linker: *mut wr_linker_t, module: *const c_char, name: *const c_char, as_module: *const c_char, as_name: *const c_char) -> *mut wr_error_t;
    /// Resolves imports, instantiates, runs the start function. The instance belongs to the store.
    pub fn wr_linker_instantiate(linker: *mut wr_linker_t, store: *mut wr_store_t, module: *mut wr_module_t, instance: *mut *mut wr_instance_t) -> *mut wr_error_t;
    /// Pre-linked modules, for who instantiates the same module many times. The imports are resolved, which
    /// must be host functions, types are compared and initial values evaluated once. A pre-linked module may
    /// be used by any number of threads; the linker is not needed any more.
    ///
    ///     wr_prelinked_t *pre;                        once
    ///     error = wr_linker_prelink(linker, module, &pre);
    ///
    ///     error = wr_prelinked_new_store(pre, &store);      for each request
    ///     wr_store_limit_memory(store, ...); ...
    ///     error = wr_prelinked_instantiate(pre, store, &instance);
    ///     error = wr_func_call(store, wr_instance_func(instance, "f"), ...);
    ///     wr_store_delete(store);
    ///
    /// The store has everything in it that the instance needs, and when it is deleted it is cleaned and kept
    /// for the next one: nothing that a guest left there can be seen by another. Instantiating then takes
    /// less than a microsecond, deleting a few and some for each page that the guest has written to.
    pub fn wr_linker_prelink(linker: *mut wr_linker_t, module: *mut wr_module_t, pre: *mut *mut wr_prelinked_t) -> *mut wr_error_t;
    /// Stores made from it, and their instances, may outlive it.
    pub fn wr_prelinked_delete(pre: *mut wr_prelinked_t);
    /// A store like any other, prepared for one instance of this module. Limits that are set before
    /// instantiating hold for that instance too.
    pub fn wr_prelinked_new_store(pre: *mut wr_prelinked_t, store: *mut *mut wr_store_t) -> *mut wr_error_t;
    /// Instantiates and runs the start function. It can be done in any store of the engine, but is quick only
    /// the first time in one that wr_prelinked_new_store() made.
    pub fn wr_prelinked_instantiate(pre: *mut wr_prelinked_t, store: *mut wr_store_t, instance: *mut *mut wr_instance_t) -> *mut wr_error_t;
    pub fn wr_prelinked_get_stats(pre: *const wr_prelinked_t, stats: *mut wr_prelinked_stats_t);
    /// Exports by name; NULL when there is none of that name and kind.
    pub fn wr_instance_func(instance: *mut wr_instance_t, name: *const c_char) -> *mut wr_func_t;
    pub fn wr_instance_memory(instance: *mut wr_instance_t, name: *const c_char) -> *mut wr_memory_t;
    pub fn wr_instance_global(instance: *mut wr_instance_t, name: *const c_char) -> *mut wr_global_t;
    pub fn wr_instance_table(instance: *mut wr_instance_t, name: *const c_char) -> *mut wr_table_t;
    pub fn wr_instance_tag(instance: *mut wr_instance_t, name: *const c_char) -> *mut wr_tag_t;
    /// The same for any kind, and for names with zeros in them: false if there is none of that name.
    pub fn wr_instance_export_named(instance: *mut wr_instance_t, name: wr_name_t, export_: *mut wr_extern_t) -> bool;
    /// In the order of wr_module_export().
    pub fn wr_instance_export_at(instance: *mut wr_instance_t, index: usize, export_: *mut wr_extern_t) -> bool;
    /// borrowed
    pub fn wr_instance_module(instance: *mut wr_instance_t) -> *mut wr_module_t;
    /// A WASI context: arguments, variables, descriptors. Fresh ones grant nothing at all: no arguments,
    /// no variables, no directories, and standard streams that are closed (reads see the end, writes
    /// vanish) until they are set. NULL when out of memory.
    pub fn wr_wasi_new() -> *mut wr_wasi_t;
    pub fn wr_wasi_delete(wasi: *mut wr_wasi_t);
    pub fn wr_wasi_set_args(wasi: *mut wr_wasi_t, argc: usize, argv: *const *const c_char) -> *mut wr_error_t;
    /// "NAME=VALUE"; replaces an earlier one of that name.
    pub fn wr_wasi_add_env(wasi: *mut wr_wasi_t, assignment: *const c_char) -> *mut wr_error_t;
    /// The whole environment of the host process.
    pub fn wr_wasi_inherit_env(wasi: *mut wr_wasi_t) -> *mut wr_error_t;
    /// Standard streams of the host process.
    pub fn wr_wasi_inherit_stdio(wasi: *mut wr_wasi_t) -> *mut wr_error_t;
    /// fd 0, 1 or 2. NULL closes it.
    pub fn wr_wasi_set_stream(wasi: *mut wr_wasi_t, fd: u32, stream: *const wr_wasi_stream_t) -> *mut wr_error_t;
    /// fd 0, 1 or 2.
    pub fn wr_wasi_set_callbacks(wasi: *mut wr_wasi_t, fd: u32, callbacks: *const wr_wasi_callbacks_t) -> *mut wr_error_t;
    /// A descriptor of its own for the guest, which can only read, or only write, if the other is NULL. Its
    /// number goes to *fd; the guest has to be told, by an argument for instance.
    pub fn wr_wasi_add_stream(wasi: *mut wr_wasi_t, stream: *const wr_wasi_stream_t, fd: *mut u32) -> *mut wr_error_t;
    /// A host descriptor (a pipe, a file) as standard stream; the context takes a duplicate.
    pub fn wr_wasi_set_host_stream(wasi: *mut wr_wasi_t, fd: u32, host_descriptor: c_int) -> *mut wr_error_t;
    /// These bytes as standard input; they are copied.
    pub fn wr_wasi_set_input(wasi: *mut wr_wasi_t, bytes: *const c_void, size: usize) -> *mut wr_error_t;
    /// Keeps what the guest writes to fd 1 or 2, at most `limit` bytes: more ends the guest.
    pub fn wr_wasi_capture(wasi: *mut wr_wasi_t, fd: u32, limit: usize) -> *mut wr_error_t;
    /// What it has written so far; valid until it writes more, or the context goes. Returns the size.
    pub fn wr_wasi_captured(wasi: *const wr_wasi_t, fd: u32, bytes: *mut *const c_char) -> usize;
    /// NULL: the host's again.
    pub fn wr_wasi_set_clock(wasi: *mut wr_wasi_t, clock: *const wr_wasi_clock_t);
    /// For runs that can be repeated: all clocks show this time, each look at one brings them forward by
    /// `step`, and sleeping does so by its length, without waiting.
    pub fn wr_wasi_fix_time(wasi: *mut wr_wasi_t, nanoseconds: u64, step: u64);
    pub fn wr_wasi_set_random(wasi: *mut wr_wasi_t, random: wr_wasi_random_t, context: *mut c_void);
    /// Bytes that follow from a seed: the same ones on every host. Not for secrets.
    pub fn wr_wasi_set_seed(wasi: *mut wr_wasi_t, seed: u64);
    /// Opens a host directory and gives it to the guest under the name `guest_path`.
    pub fn wr_wasi_preopen_dir(wasi: *mut wr_wasi_t, host_path: *const c_char, guest_path: *const c_char, flags: u32) -> *mut wr_error_t;
    /// Gives them to the guest as the directory `guest_path`; `flags` as above. The structure is copied, and the callbacks may be
    /// called until the context is deleted, which closes what is open.
    pub fn wr_wasi_preopen_files(wasi: *mut wr_wasi_t, files: *const wr_wasi_files_t, context: *mut c_void, guest_path: *const c_char, flags: u32) -> *mut wr_error_t;
    /// Gives the guest a listening or connected socket (host descriptor; the context takes a duplicate).
    pub fn wr_wasi_preopen_socket(wasi: *mut wr_wasi_t, host_descriptor: c_int) -> *mut wr_error_t;
    /// Defines all functions of wasi_snapshot_preview1 and wasi_unstable. The context must outlive every
    /// store that uses them.
    pub fn wr_wasi_link(wasi: *mut wr_wasi_t, linker: *mut wr_linker_t) -> *mut wr_error_t;
    /// The same for many stores with a context each, as with pre-linked modules: a call is served by the
    /// context that is attached to the store from which it comes, which must live as long as guests run in that
    /// store; without one it traps. Deleting the store forgets its context.
    pub fn wr_wasi_link_stores(linker: *mut wr_linker_t) -> *mut wr_error_t;
    pub fn wr_wasi_attach(wasi: *mut wr_wasi_t, store: *mut wr_store_t) -> *mut wr_error_t;
    /// wasi-threads: "wasi" "thread-spawn", and a shared memory for each that the module imports. A thread runs a new
    /// instance of the module, from the same linker, in a peer of the spawning thread's store; the guest calls with the
    /// limits of `store`, at most `max_threads` at a time beside the main one, and gets a negative errno for
    /// more. A thread that returns ends alone; one that traps or exits ends all, and calls into `store` end with
    /// WR_TRAP_INTERRUPTED then. For a module that imports no thread-spawn only the memories are defined;
    /// for others `store` becomes interruptible. Call it before instantiating; the linker must hold no instances
    /// of a store (threads could not use them) and define nothing more.
    pub fn wr_wasi_link_threads(wasi: *mut wr_wasi_t, linker: *mut wr_linker_t, store: *mut wr_store_t, module: *mut wr_module_t, max_threads: u32) -> *mut wr_error_t;
    /// To be called when the main thread has returned, with its result, and before linker, module or store go: ends the
    /// others, waits for them, and tells how the guest as a whole ended: with the first trap or exit of any
    /// thread, else NULL. Does nothing for a guest that can have no threads.
    pub fn wr_wasi_end_threads(wasi: *mut wr_wasi_t, error: *mut wr_error_t) -> *mut wr_error_t;
    pub fn wr_config_of_wasm(config: *mut wasm_config_t) -> *mut wr_config_t;
    pub fn wr_engine_of_wasm(engine: *mut wasm_engine_t) -> *mut wr_engine_t;
    pub fn wr_store_of_wasm(store: *mut wasm_store_t) -> *mut wr_store_t;
    pub fn wr_module_of_wasm(module: *const wasm_module_t) -> *mut wr_module_t;
    pub fn wr_instance_of_wasm(instance: *const wasm_instance_t) -> *mut wr_instance_t;
    pub fn wr_extern_of_wasm(external: *const wasm_extern_t, out: *mut wr_extern_t) -> bool;
    /// What a trap is about: kind, code, exit status, symbolised frames. Lives as long as the trap.
    pub fn wr_error_of_wasm(trap: *const wasm_trap_t) -> *const wr_error_t;
    /// Counted references to objects of that store; NULL for others, or when out of memory.
    pub fn wr_instance_to_wasm(store: *mut wasm_store_t, instance: *mut wr_instance_t) -> *mut wasm_instance_t;
    pub fn wr_extern_to_wasm(store: *mut wasm_store_t, external: *const wr_extern_t) -> *mut wasm_extern_t;
}

#[cfg(all(test, target_pointer_width = "64"))]
#[test]
fn layouts() {
    use std::mem::{align_of, size_of};
    assert_eq!((size_of::<wr_frame_t>(), align_of::<wr_frame_t>()), (48, 8));
    assert_eq!((size_of::<wr_shadow_stats_t>(), align_of::<wr_shadow_stats_t>()), (32, 8));
    assert_eq!((size_of::<wr_tier_stats_t>(), align_of::<wr_tier_stats_t>()), (32, 8));
    assert_eq!((size_of::<wr_compile_options_t>(), align_of::<wr_compile_options_t>()), (56, 8));
    assert_eq!((size_of::<wr_compile_stats_t>(), align_of::<wr_compile_stats_t>()), (64, 8));
    assert_eq!((size_of::<wr_name_t>(), align_of::<wr_name_t>()), (16, 8));
    assert_eq!((size_of::<wr_import_t>(), align_of::<wr_import_t>()), (40, 8));
    assert_eq!((size_of::<wr_export_t>(), align_of::<wr_export_t>()), (24, 8));
    assert_eq!((size_of::<wr_extern_type_t>(), align_of::<wr_extern_type_t>()), (48, 8));
    assert_eq!((size_of::<wr_module_stats_t>(), align_of::<wr_module_stats_t>()), (64, 8));
    assert_eq!((size_of::<wr_heap_stats_t>(), align_of::<wr_heap_stats_t>()), (48, 8));
    assert_eq!((size_of::<wr_memory_type_t>(), align_of::<wr_memory_type_t>()), (24, 8));
    assert_eq!((size_of::<wr_val_of>(), align_of::<wr_val_of>()), (16, 8));
    assert_eq!((size_of::<wr_val_t>(), align_of::<wr_val_t>()), (24, 8));
    assert_eq!((size_of::<wr_slot_t>(), align_of::<wr_slot_t>()), (8, 8));
    assert_eq!((size_of::<wr_trace_event_t>(), align_of::<wr_trace_event_t>()), (64, 8));
    assert_eq!((size_of::<wr_extern_of>(), align_of::<wr_extern_of>()), (8, 8));
    assert_eq!((size_of::<wr_extern_t>(), align_of::<wr_extern_t>()), (16, 8));
    assert_eq!((size_of::<wr_prelinked_stats_t>(), align_of::<wr_prelinked_stats_t>()), (32, 8));
    assert_eq!((size_of::<wr_wasi_stream_t>(), align_of::<wr_wasi_stream_t>()), (24, 8));
    assert_eq!((size_of::<wr_wasi_callbacks_t>(), align_of::<wr_wasi_callbacks_t>()), (24, 8));
    assert_eq!((size_of::<wr_wasi_clock_t>(), align_of::<wr_wasi_clock_t>()), (24, 8));
    assert_eq!((size_of::<wr_wasi_filestat_t>(), align_of::<wr_wasi_filestat_t>()), (56, 8));
    assert_eq!((size_of::<wr_wasi_entry_t>(), align_of::<wr_wasi_entry_t>()), (32, 8));
    assert_eq!((size_of::<wr_wasi_files_t>(), align_of::<wr_wasi_files_t>()), (128, 8));
}
