//! Errors: what went wrong, where the guest was, and what a host function had to say about it.

use std::any::Any;
use std::ffi::{CStr, CString};
use std::fmt;
use std::os::raw::{c_char, c_uint, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr::NonNull;

use wasmrun_sys as sys;

use crate::value::{self, Val};
use crate::Tag;

/// The result of what can fail in this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $code:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$vdoc])* $variant,)*
            /// One that this version of the crate does not know.
            Other,
        }
        impl $name {
            fn from_raw(code: c_uint) -> Self {
                match code {
                    $(sys::$code => $name::$variant,)*
                    _ => $name::Other,
                }
            }
        }
    };
}

codes! {
    /// What went wrong.
    ErrorKind {
        /// The bytes are no WebAssembly module.
        Malformed = WR_ERROR_MALFORMED,
        /// The module breaks a validation rule.
        Invalid = WR_ERROR_INVALID,
        /// An import is missing or has another type.
        Unlinkable = WR_ERROR_UNLINKABLE,
        /// The guest trapped: see [`Error::trap_code`].
        Trap = WR_ERROR_TRAP,
        /// No guest caught an exception: see [`Error::exception`].
        Exception = WR_ERROR_EXCEPTION,
        /// The guest asked to exit: see [`Error::exit_status`].
        Exit = WR_ERROR_EXIT,
        /// The host is out of memory, or a limit on it was reached.
        Memory = WR_ERROR_MEMORY,
        /// A file could not be read.
        Io = WR_ERROR_IO,
        /// Arguments do not fit: wrong types, another store, a missing export.
        Usage = WR_ERROR_USAGE,
    }
}

codes! {
    /// Why a guest trapped.
    TrapCode {
        /// It executed `unreachable`.
        Unreachable = WR_TRAP_UNREACHABLE,
        /// An access beyond a memory.
        MemoryOutOfBounds = WR_TRAP_MEMORY_OUT_OF_BOUNDS,
        /// An access beyond a table.
        TableOutOfBounds = WR_TRAP_TABLE_OUT_OF_BOUNDS,
        /// An access beyond an array.
        ArrayOutOfBounds = WR_TRAP_ARRAY_OUT_OF_BOUNDS,
        /// An indirect call beyond the table.
        UndefinedElement = WR_TRAP_UNDEFINED_ELEMENT,
        /// An indirect call of a null element.
        UninitializedElement = WR_TRAP_UNINITIALIZED_ELEMENT,
        /// An indirect call of a function of another type.
        IndirectCallTypeMismatch = WR_TRAP_INDIRECT_CALL_TYPE_MISMATCH,
        /// An integer was divided by zero.
        IntegerDivideByZero = WR_TRAP_INTEGER_DIVIDE_BY_ZERO,
        /// A result does not fit an integer.
        IntegerOverflow = WR_TRAP_INTEGER_OVERFLOW,
        /// A NaN was converted to an integer.
        InvalidConversionToInteger = WR_TRAP_INVALID_CONVERSION_TO_INTEGER,
        /// A reference was null.
        NullReference = WR_TRAP_NULL_REFERENCE,
        /// A reference to a function was null.
        NullFunctionReference = WR_TRAP_NULL_FUNCTION_REFERENCE,
        /// A reference to a structure was null.
        NullStructureReference = WR_TRAP_NULL_STRUCTURE_REFERENCE,
        /// A reference to an array was null.
        NullArrayReference = WR_TRAP_NULL_ARRAY_REFERENCE,
        /// A reference to an i31 was null.
        NullI31Reference = WR_TRAP_NULL_I31_REFERENCE,
        /// A reference to an exception was null.
        NullExceptionReference = WR_TRAP_NULL_EXCEPTION_REFERENCE,
        /// A reference to a descriptor was null.
        NullDescriptorReference = WR_TRAP_NULL_DESCRIPTOR_REFERENCE,
        /// A reference is not of the type that it was cast to.
        CastFailure = WR_TRAP_CAST_FAILURE,
        /// The same, by descriptor.
        DescriptorCastFailure = WR_TRAP_DESCRIPTOR_CAST_FAILURE,
        /// An atomic access that is not aligned.
        UnalignedAtomic = WR_TRAP_UNALIGNED_ATOMIC,
        /// A wait on a memory that is not shared.
        ExpectedSharedMemory = WR_TRAP_EXPECTED_SHARED_MEMORY,
        /// Calls are nested too deep.
        StackExhausted = WR_TRAP_STACK_EXHAUSTED,
        /// The garbage-collected heap is full.
        AllocationFailure = WR_TRAP_ALLOCATION_FAILURE,
        /// See [`Store::set_fuel`](crate::Store::set_fuel).
        OutOfFuel = WR_TRAP_OUT_OF_FUEL,
        /// See [`Store::set_timeout`](crate::Store::set_timeout).
        Deadline = WR_TRAP_DEADLINE,
        /// See [`InterruptHandle`](crate::InterruptHandle).
        Interrupted = WR_TRAP_INTERRUPTED,
        /// A host function failed: see [`Error::downcast_ref`].
        Host = WR_TRAP_HOST,
    }
}

pub(crate) fn trap_code(code: c_uint) -> TrapCode {
    TrapCode::from_raw(code)
}

/// A frame of a backtrace.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Frame {
    /// From the name section.
    pub module_name: Option<String>,
    /// From the name section, else an export's name.
    pub function_name: Option<String>,
    /// In its module; `None` for a host function.
    pub function_index: Option<u32>,
    /// Byte offset of the instruction in the module.
    pub module_offset: u64,
    /// The same, from the first instruction of the function.
    pub function_offset: u64,
}

/// What went wrong. It belongs to no store: it can be kept, and sent to other threads.
pub struct Error(Box<Inner>);

struct Inner {
    raw: Owned, // detached, if it was an exception
    thrown: Option<(Tag, Vec<Val>)>,
}

struct Owned(NonNull<sys::wr_error_t>);

// The library's functions on errors that are detached only read; what was attached is Send and Sync.
unsafe impl Send for Error {}
unsafe impl Sync for Error {}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A panic of a host function, as the source of the trap that it became.
#[derive(Debug)]
pub struct Panic(String);

impl fmt::Display for Panic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "host function panicked: {}", self.0)
    }
}

impl std::error::Error for Panic {}

impl Panic {
    pub(crate) fn new(payload: Box<dyn Any + Send>) -> Panic {
        let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
            (Some(text), _) => text.to_string(),
            (_, Some(text)) => text.clone(),
            _ => "(no message)".into(),
        };
        drop_quietly(payload);
        Panic(text)
    }
}

/// For values of others, whose `drop` might panic where nothing may unwind.
pub(crate) fn drop_quietly<V>(value: V) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(move || drop(value))) {
        std::mem::forget(payload);
    }
}

unsafe extern "C" fn drop_source(data: *mut c_void) {
    drop_quietly(Box::from_raw(data as *mut Source));
}

/// Strings for C: a zero would end them early.
pub(crate) fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "\u{fffd}")).unwrap_or_default()
}

unsafe fn text_of<'a>(text: *const c_char) -> Option<&'a str> {
    if text.is_null() {
        return None;
    }
    CStr::from_ptr(text).to_str().ok() // the library makes UTF-8 of it
}

impl Error {
    /// Takes over an error of the library. `store` is where it happened, if in one.
    pub(crate) unsafe fn from_raw(
        raw: *mut sys::wr_error_t,
        store: Option<(*mut sys::wr_store_t, u64)>,
    ) -> Error {
        let mut thrown = None;
        if sys::wr_error_kind(raw) == sys::WR_ERROR_EXCEPTION {
            if let Some((raw_store, id)) = store {
                let mut tag = std::ptr::null_mut();
                let n = sys::wr_error_exception_values(raw, &mut tag, std::ptr::null_mut(), 0);
                if !tag.is_null() {
                    let mut values = vec![value::zero(); n];
                    sys::wr_error_exception_values(raw, &mut tag, values.as_mut_ptr(), n);
                    thrown = Some((
                        Tag::from_raw(tag, id),
                        values.iter().map(|v| Val::from_raw(v, id, raw_store)).collect(),
                    ));
                }
            }
            sys::wr_error_detach(raw);
        }
        Error(Box::new(Inner { raw: Owned(NonNull::new_unchecked(raw)), thrown }))
    }

    /// What a function of the library returned.
    pub(crate) unsafe fn check(raw: *mut sys::wr_error_t) -> Result<()> {
        Error::check_in(raw, None)
    }

    pub(crate) unsafe fn check_in(
        raw: *mut sys::wr_error_t,
        store: Option<(*mut sys::wr_store_t, u64)>,
    ) -> Result<()> {
        if raw.is_null() {
            Ok(())
        } else {
            Err(Error::from_raw(raw, store))
        }
    }

    /// For the library: an own error, in a host function that was called in that store.
    pub(crate) unsafe fn into_raw(self, store: *mut sys::wr_store_t, id: u64) -> *mut sys::wr_error_t {
        if let Some((tag, values)) = &self.0.thrown {
            let values = values.iter().map(|v| v.to_raw(id)).collect::<Result<Vec<_>>>();
            if let (Ok(values), true) = (values, tag.store_id() == id) {
                return sys::wr_throw_new(store, tag.as_raw(), values.as_ptr(), values.len());
            }
        }
        // What is left of the error is the library's now.
        let raw = std::mem::ManuallyDrop::new(self.0.raw);
        raw.0.as_ptr()
    }

    /// A trap with that message: for host functions.
    pub fn trap(message: impl AsRef<str>) -> Error {
        unsafe { Error::from_raw(sys::wr_trap_new(c_text(message.as_ref()).as_ptr()), None) }
    }

    /// A host function that returns it ends the guest, as if the guest had asked to exit.
    pub fn exit(status: u32) -> Error {
        unsafe { Error::from_raw(sys::wr_exit_new(status), None) }
    }

    /// A host function that returns it throws an exception.
    pub fn exception(tag: Tag, values: &[Val]) -> Error {
        let mut error = Error::trap("exception of a host function");
        error.0.thrown = Some((tag, values.to_vec()));
        error
    }

    /// A trap whose source is `source`: it comes out of the guest's call as that, see [`Error::downcast_ref`].
    pub fn host(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        let source: Source = source.into();
        let error = Error::trap(source.to_string());
        let data = Box::into_raw(Box::new(source));
        unsafe {
            if !sys::wr_error_set_data(error.0.raw.0.as_ptr(), data as *mut c_void, Some(drop_source)) {
                drop_source(data as *mut c_void); // out of memory
            }
        }
        error
    }

    pub(crate) fn usage(message: &str) -> Error {
        unsafe {
            let text = c_text(message);
            let format = b"%s\0".as_ptr() as *const c_char;
            Error::from_raw(sys::wr_error_new(sys::WR_ERROR_USAGE, format, text.as_ptr()), None)
        }
    }

    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        if self.0.thrown.is_some() {
            return ErrorKind::Exception;
        }
        ErrorKind::from_raw(unsafe { sys::wr_error_kind(self.0.raw.0.as_ptr()) })
    }

    /// One line, as the official test suite words it.
    pub fn message(&self) -> &str {
        unsafe { text_of(sys::wr_error_message(self.0.raw.0.as_ptr())).unwrap_or("") }
    }

    /// Byte offset in the module, of malformed and invalid ones.
    pub fn offset(&self) -> Option<u64> {
        let mut offset = 0;
        unsafe { sys::wr_error_offset(self.0.raw.0.as_ptr(), &mut offset) }.then_some(offset)
    }

    /// FILE:LINE:COLUMN, of errors in the text format.
    pub fn place(&self) -> Option<&str> {
        unsafe { text_of(sys::wr_error_place(self.0.raw.0.as_ptr())) }
    }

    /// Why the guest trapped, if it did.
    pub fn trap_code(&self) -> Option<TrapCode> {
        match unsafe { sys::wr_error_trap_code(self.0.raw.0.as_ptr()) } {
            _ if self.0.thrown.is_some() => None,
            sys::WR_TRAP_NONE => None,
            code => Some(TrapCode::from_raw(code)),
        }
    }

    /// The guest's exit status, if it asked to exit.
    pub fn exit_status(&self) -> Option<u32> {
        let mut status = 0;
        unsafe { sys::wr_error_exit_status(self.0.raw.0.as_ptr(), &mut status) }.then_some(status)
    }

    /// Tag and values of an exception.
    pub fn thrown(&self) -> Option<(Tag, &[Val])> {
        self.0.thrown.as_ref().map(|(tag, values)| (*tag, values.as_slice()))
    }

    /// Where the guest was, innermost first: at most 64 innermost and outermost frames.
    pub fn frames(&self) -> Vec<Frame> {
        let raw = self.0.raw.0.as_ptr();
        let mut frames = Vec::new();
        unsafe {
            let mut f = std::mem::zeroed::<sys::wr_frame_t>();
            while sys::wr_error_frame(raw, frames.len(), &mut f) {
                frames.push(Frame {
                    module_name: text_of(f.module_name).map(String::from),
                    function_name: text_of(f.function_name).map(String::from),
                    function_index: Some(f.function_index).filter(|&index| index != u32::MAX),
                    module_offset: f.module_offset,
                    function_offset: f.function_offset,
                });
            }
        }
        frames
    }

    /// Message and backtrace, as the command prints them.
    pub fn rendered(&self) -> String {
        unsafe {
            let size = sys::wr_error_render(self.0.raw.0.as_ptr(), std::ptr::null_mut(), 0) + 1;
            let mut buffer = vec![0u8; size];
            sys::wr_error_render(self.0.raw.0.as_ptr(), buffer.as_mut_ptr() as *mut c_char, size);
            buffer.truncate(size - 1);
            String::from_utf8_lossy(&buffer).into_owned()
        }
    }

    fn source_box(&self) -> Option<&Source> {
        unsafe { (sys::wr_error_data(self.0.raw.0.as_ptr()) as *const Source).as_ref() }
    }

    /// What a host function gave to [`Error::host`], or its [`Panic`].
    pub fn downcast_ref<E: std::error::Error + 'static>(&self) -> Option<&E> {
        self.source_box()?.downcast_ref()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        unsafe { sys::wr_error_delete(self.0.as_ptr()) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind(), self.rendered().trim_end())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source_box().map(|source| &**source as &(dyn std::error::Error + 'static))
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Error {
        Error::host(error)
    }
}
