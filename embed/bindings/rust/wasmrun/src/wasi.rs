//! WASI: what a program sees of its host. A fresh context gives it nothing at all.

use std::ffi::CString;
use std::fmt;
use std::io::{ErrorKind, Read, Write};
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;

use wasmrun_sys as sys;

use crate::error::{Error, Panic, Result};
use crate::files::{Context, Files};
use crate::func::name;

type Reader = Box<dyn Read + Send>;
type Writer = Box<dyn Write + Send>;

/// What a guest gets: arguments, variables, directories, streams. Give it to a [`Store`](crate::Store::set_wasi).
pub struct Wasi {
    raw: *mut sys::wr_wasi_t,
    reader: Option<Box<Reader>>,
    writers: [Option<Box<Writer>>; 2],
    files: Vec<Box<Context>>,
}

// It is used by whoever has its store; streams and files are Send.
unsafe impl Send for Wasi {}

impl Wasi {
    /// Without arguments, variables and directories; streams are closed.
    pub fn new() -> Wasi {
        let raw = unsafe { sys::wr_wasi_new() };
        assert!(!raw.is_null(), "out of memory");
        Wasi { raw, reader: None, writers: [None, None], files: Vec::new() }
    }

    pub(crate) fn as_raw(&self) -> *mut sys::wr_wasi_t {
        self.raw
    }

    /// Arguments, of which the first is the program's name.
    pub fn args<A: AsRef<str>>(self, args: impl IntoIterator<Item = A>) -> Result<Wasi> {
        let texts: Vec<CString> = args.into_iter().map(|a| name(a.as_ref())).collect::<Result<_>>()?;
        let pointers: Vec<*const c_char> = texts.iter().map(|t| t.as_ptr()).collect();
        unsafe { Error::check(sys::wr_wasi_set_args(self.raw, pointers.len(), pointers.as_ptr()))? };
        Ok(self)
    }

    /// A variable.
    pub fn env(self, variable: &str, value: &str) -> Result<Wasi> {
        let text = name(&format!("{}={}", variable, value))?;
        unsafe { Error::check(sys::wr_wasi_add_env(self.raw, text.as_ptr()))? };
        Ok(self)
    }

    /// All variables of this process.
    pub fn inherit_env(self) -> Result<Wasi> {
        unsafe { Error::check(sys::wr_wasi_inherit_env(self.raw))? };
        Ok(self)
    }

    /// The standard streams of this process.
    pub fn inherit_stdio(self) -> Result<Wasi> {
        unsafe { Error::check(sys::wr_wasi_inherit_stdio(self.raw))? };
        Ok(self)
    }

    fn preopen(self, host: &Path, guest: &str, flags: u32) -> Result<Wasi> {
        let host = host.to_str().ok_or_else(|| Error::usage("the path is no UTF-8"))?;
        let (host, guest) = (name(host)?, name(guest)?);
        unsafe { Error::check(sys::wr_wasi_preopen_dir(self.raw, host.as_ptr(), guest.as_ptr(), flags))? };
        Ok(self)
    }

    /// A directory of the host's, under that name.
    pub fn dir(self, host: impl AsRef<Path>, guest: &str) -> Result<Wasi> {
        self.preopen(host.as_ref(), guest, 0)
    }

    /// The same, in which nothing can be changed.
    pub fn read_only_dir(self, host: impl AsRef<Path>, guest: &str) -> Result<Wasi> {
        self.preopen(host.as_ref(), guest, sys::WR_WASI_READ_ONLY)
    }

    /// Files of the embedder's own, under that name. They run on the guest's thread, in the middle of its call.
    pub fn files(mut self, files: impl Files + 'static, guest: &str) -> Result<Wasi> {
        let guest = name(guest)?;
        let mut context = Context::new(Box::new(files));
        let (callbacks, pointer) = (context.callbacks(), &mut *context as *mut Context as *mut c_void);
        unsafe {
            Error::check(sys::wr_wasi_preopen_files(self.raw, &callbacks, pointer, guest.as_ptr(), 0))?
        };
        self.files.push(context);
        Ok(self)
    }

    /// These bytes as standard input.
    pub fn input(self, bytes: impl AsRef<[u8]>) -> Result<Wasi> {
        let bytes = bytes.as_ref();
        unsafe {
            Error::check(sys::wr_wasi_set_input(self.raw, bytes.as_ptr() as *const c_void, bytes.len()))?
        };
        Ok(self)
    }

    /// Keeps what is written to 1 or 2, for [`Wasi::captured`]. More than `limit` bytes end the guest.
    pub fn capture(self, fd: u32, limit: usize) -> Result<Wasi> {
        unsafe { Error::check(sys::wr_wasi_capture(self.raw, fd, limit))? };
        Ok(self)
    }

    /// What was written so far.
    pub fn captured(&self, fd: u32) -> &[u8] {
        let mut data = std::ptr::null();
        match unsafe { sys::wr_wasi_captured(self.raw, fd, &mut data) } {
            0 => &[],
            size => unsafe { std::slice::from_raw_parts(data as *const u8, size) },
        }
    }

    /// Standard input. It runs on the guest's thread; an error that it gives ends the guest.
    pub fn stdin(mut self, reader: impl Read + Send + 'static) -> Result<Wasi> {
        let reader: Box<Reader> = Box::new(Box::new(reader));
        let context = &*reader as *const Reader as *mut c_void;
        let stream = sys::wr_wasi_stream_t { read: Some(read), write: None, context };
        unsafe { Error::check(sys::wr_wasi_set_stream(self.raw, 0, &stream))? };
        self.reader = Some(reader);
        Ok(self)
    }

    fn output(mut self, fd: u32, writer: impl Write + Send + 'static) -> Result<Wasi> {
        let writer: Box<Writer> = Box::new(Box::new(writer));
        let context = &*writer as *const Writer as *mut c_void;
        let stream = sys::wr_wasi_stream_t { read: None, write: Some(write), context };
        unsafe { Error::check(sys::wr_wasi_set_stream(self.raw, fd, &stream))? };
        self.writers[fd as usize - 1] = Some(writer);
        Ok(self)
    }

    /// Standard output, likewise.
    pub fn stdout(self, writer: impl Write + Send + 'static) -> Result<Wasi> {
        self.output(1, writer)
    }

    /// Standard error, likewise.
    pub fn stderr(self, writer: impl Write + Send + 'static) -> Result<Wasi> {
        self.output(2, writer)
    }

    /// All clocks show this time, in nanoseconds since 1970, and go forward by `step` with each look.
    pub fn fixed_time(self, nanoseconds: u64, step: u64) -> Wasi {
        unsafe { sys::wr_wasi_fix_time(self.raw, nanoseconds, step) };
        self
    }

    /// Random bytes that follow from a seed. Not for secrets.
    pub fn seed(self, seed: u64) -> Wasi {
        unsafe { sys::wr_wasi_set_seed(self.raw, seed) };
        self
    }
}

impl Default for Wasi {
    fn default() -> Wasi {
        Wasi::new()
    }
}

impl Drop for Wasi {
    fn drop(&mut self) {
        unsafe { sys::wr_wasi_delete(self.raw) }
    }
}

impl fmt::Debug for Wasi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wasi")
    }
}

/// What a stream of the embedder's came to: nothing unwinds into C.
unsafe fn outcome(run: impl FnOnce() -> std::io::Result<()>) -> *mut sys::wr_error_t {
    let error = match catch_unwind(AssertUnwindSafe(|| run().map_err(Error::host))) {
        Ok(Ok(())) => return std::ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(payload) => Error::host(Panic::new(payload)),
    };
    error.into_raw(std::ptr::null_mut(), 0)
}

unsafe extern "C" fn read(
    context: *mut c_void,
    bytes: *mut c_void,
    size: usize,
    done: *mut usize,
) -> *mut sys::wr_error_t {
    if size == 0 {
        return std::ptr::null_mut();
    }
    let (reader, to) =
        (&mut *(context as *mut Reader), std::slice::from_raw_parts_mut(bytes as *mut u8, size));
    outcome(|| loop {
        match reader.read(to) {
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
            Ok(n) => {
                *done = n.min(size);
                return Ok(());
            }
        }
    })
}

unsafe extern "C" fn write(context: *mut c_void, bytes: *const c_void, size: usize) -> *mut sys::wr_error_t {
    if size == 0 {
        return std::ptr::null_mut();
    }
    let (writer, from) =
        (&mut *(context as *mut Writer), std::slice::from_raw_parts(bytes as *const u8, size));
    outcome(|| writer.write_all(from))
}
