//! Files of the embedder's own for guests: out of memory, an archive, a database.

use std::collections::HashMap;
use std::ffi::{CStr, CString};
use std::fmt;
use std::io::ErrorKind;
use std::os::raw::{c_char, c_void};
use std::panic::{catch_unwind, AssertUnwindSafe};

use wasmrun_sys as sys;

/// What a guest gets instead of what it asked for: WASI's number of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errno(pub u32);

#[allow(missing_docs)]
impl Errno {
    pub const ACCES: Errno = Errno(sys::WR_WASI_ACCES);
    pub const BUSY: Errno = Errno(sys::WR_WASI_BUSY);
    pub const EXIST: Errno = Errno(sys::WR_WASI_EXIST);
    pub const FBIG: Errno = Errno(sys::WR_WASI_FBIG);
    pub const INVAL: Errno = Errno(sys::WR_WASI_INVAL);
    pub const IO: Errno = Errno(sys::WR_WASI_IO);
    pub const ISDIR: Errno = Errno(sys::WR_WASI_ISDIR);
    pub const NOENT: Errno = Errno(sys::WR_WASI_NOENT);
    pub const NOMEM: Errno = Errno(sys::WR_WASI_NOMEM);
    pub const NOSPC: Errno = Errno(sys::WR_WASI_NOSPC);
    pub const NOTDIR: Errno = Errno(sys::WR_WASI_NOTDIR);
    pub const NOTEMPTY: Errno = Errno(sys::WR_WASI_NOTEMPTY);
    pub const NOTSUP: Errno = Errno(sys::WR_WASI_NOTSUP);
    pub const PERM: Errno = Errno(sys::WR_WASI_PERM);
    pub const ROFS: Errno = Errno(sys::WR_WASI_ROFS);
}

impl fmt::Display for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WASI's error {}", self.0)
    }
}

impl std::error::Error for Errno {}

impl From<std::io::Error> for Errno {
    fn from(error: std::io::Error) -> Errno {
        match error.kind() {
            ErrorKind::NotFound => Errno::NOENT,
            ErrorKind::PermissionDenied => Errno::ACCES,
            ErrorKind::AlreadyExists => Errno::EXIST,
            ErrorKind::InvalidInput => Errno::INVAL,
            ErrorKind::Unsupported => Errno::NOTSUP,
            ErrorKind::OutOfMemory => Errno::NOMEM,
            _ => Errno::IO,
        }
    }
}

type Outcome<T> = std::result::Result<T, Errno>;

/// What is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// Cannot seek; to guests it looks like a terminal.
    Device,
    /// Holds others.
    Directory,
    /// An ordinary file.
    File,
    /// A symbolic link.
    Link,
}

/// What is known of a file. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Bytes.
    pub size: u64,
    /// The same for all names of a file; 0: one is made of the path.
    pub inode: u64,
    /// When it was read.
    pub accessed: u64,
    /// When it was written.
    pub modified: u64,
}

impl FileStat {
    /// A file of that size.
    pub fn file(size: u64) -> FileStat {
        FileStat { kind: FileKind::File, size, inode: 0, accessed: 0, modified: 0 }
    }

    /// A directory.
    pub fn directory() -> FileStat {
        FileStat { kind: FileKind::Directory, ..FileStat::file(0) }
    }
}

/// How a file is to be opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct OpenFlags {
    /// To read.
    pub read: bool,
    /// To write.
    pub write: bool,
    /// Make it if it is not there.
    pub create: bool,
    /// With `create`: [`Errno::EXIST`] if it is there.
    pub exclusive: bool,
    /// Leave no bytes in it.
    pub truncate: bool,
}

/// An open file: what is not implemented cannot be done.
pub trait File: Send {
    /// What is known of it now.
    fn stat(&mut self) -> Outcome<FileStat>;
    /// How many bytes were read; 0 is the end.
    fn read(&mut self, to: &mut [u8], offset: u64) -> Outcome<usize>;
    /// How many bytes were written, at least one; beyond the end there come zeros between.
    fn write(&mut self, _bytes: &[u8], _offset: u64) -> Outcome<usize> {
        Err(Errno::ROFS)
    }
    /// Cuts off, or appends zeros.
    fn resize(&mut self, _size: u64) -> Outcome<()> {
        Err(Errno::ROFS)
    }
    /// Makes what was written last.
    fn sync(&mut self) -> Outcome<()> {
        Ok(())
    }
}

/// A directory with all below it, for [`Wasi::files`](crate::Wasi::files). Paths are finished, as `dir/file`, and empty for
/// the root: no dots, no links on the way. What panics is [`Errno::IO`] for the guest. What is not implemented
/// cannot be done.
pub trait Files: Send {
    /// What is at a path; of a symbolic link, the link itself.
    fn stat(&mut self, path: &str) -> Outcome<FileStat>;
    /// Opens a file.
    fn open(&mut self, path: &str, flags: OpenFlags) -> Outcome<Box<dyn File>>;
    /// Whether files can be written.
    fn writable(&self) -> bool {
        false
    }
    /// The names in a directory.
    fn list(&mut self, _path: &str) -> Outcome<Vec<String>> {
        Err(Errno::NOTSUP)
    }
    /// Makes a directory.
    fn make_directory(&mut self, _path: &str) -> Outcome<()> {
        Err(Errno::NOTSUP)
    }
    /// A file, a link, or an empty directory. Open files live on until they are closed.
    fn remove(&mut self, _path: &str) -> Outcome<()> {
        Err(Errno::NOTSUP)
    }
    /// In the place of what is there: the same kind, and an empty directory only.
    fn rename(&mut self, _from: &str, _to: &str) -> Outcome<()> {
        Err(Errno::NOTSUP)
    }
    /// Another name for a file.
    fn link(&mut self, _from: &str, _to: &str) -> Outcome<()> {
        Err(Errno::NOTSUP)
    }
    /// A symbolic link.
    fn make_symlink(&mut self, _target: &str, _path: &str) -> Outcome<()> {
        Err(Errno::NOTSUP)
    }
    /// Where a symbolic link leads to.
    fn read_symlink(&mut self, _path: &str) -> Outcome<String> {
        Err(Errno::NOTSUP)
    }
}

/// What the callbacks get: it has to live as long as the context, and stay where it is.
pub(crate) struct Context {
    files: Box<dyn Files>,
    /// Directories as they were when listing them began; positions are places in them.
    listed: HashMap<String, Vec<CString>>,
}

impl Context {
    pub(crate) fn new(files: Box<dyn Files>) -> Box<Context> {
        Box::new(Context { files, listed: HashMap::new() })
    }

    pub(crate) fn callbacks(&self) -> sys::wr_wasi_files_t {
        let writable = self.files.writable();
        sys::wr_wasi_files_t {
            size: std::mem::size_of::<sys::wr_wasi_files_t>(),
            stat: Some(stat),
            open: Some(open),
            close: Some(close),
            read: Some(read),
            write: if writable { Some(write) } else { None },
            resize: if writable { Some(resize) } else { None },
            sync: if writable { Some(sync) } else { None },
            list: Some(list),
            set_times: None,
            make_directory: Some(make_directory),
            remove: Some(remove),
            rename: Some(rename),
            link: Some(link),
            make_symlink: Some(make_symlink),
            read_symlink: Some(read_symlink),
        }
    }
}

/// Nothing unwinds into C.
fn outcome(run: impl FnOnce() -> Outcome<()>) -> sys::wr_wasi_errno_t {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(())) => sys::WR_WASI_SUCCESS,
        Ok(Err(Errno(sys::WR_WASI_SUCCESS))) | Err(_) => sys::WR_WASI_IO,
        Ok(Err(Errno(number))) => number,
    }
}

unsafe fn context<'a>(pointer: *mut c_void) -> &'a mut Context {
    &mut *(pointer as *mut Context)
}

/// Paths that the library passes are UTF-8.
unsafe fn path<'a>(pointer: *const c_char) -> Outcome<&'a str> {
    CStr::from_ptr(pointer).to_str().map_err(|_| Errno::INVAL)
}

unsafe fn file<'a>(pointer: *mut c_void) -> &'a mut dyn File {
    &mut **(pointer as *mut Box<dyn File>)
}

unsafe extern "C" fn stat(
    c: *mut c_void,
    at: *const c_char,
    opened: *mut c_void,
    to: *mut sys::wr_wasi_filestat_t,
) -> sys::wr_wasi_errno_t {
    outcome(|| {
        let stat = if at.is_null() { file(opened).stat()? } else { context(c).files.stat(path(at)?)? };
        let to = &mut *to;
        to.inode = stat.inode;
        to.size = stat.size;
        to.accessed = stat.accessed;
        to.modified = stat.modified;
        to.changed = stat.modified;
        to.r#type = match stat.kind {
            FileKind::Device => sys::WR_WASI_CHARACTER_DEVICE,
            FileKind::Directory => sys::WR_WASI_DIRECTORY,
            FileKind::File => sys::WR_WASI_REGULAR_FILE,
            FileKind::Link => sys::WR_WASI_SYMBOLIC_LINK,
        };
        Ok(())
    })
}

unsafe extern "C" fn open(
    c: *mut c_void,
    at: *const c_char,
    flags: u32,
    to: *mut *mut c_void,
) -> sys::wr_wasi_errno_t {
    outcome(|| {
        let flags = OpenFlags {
            read: flags & sys::WR_WASI_OPEN_READ != 0,
            write: flags & sys::WR_WASI_OPEN_WRITE != 0,
            create: flags & sys::WR_WASI_OPEN_CREATE != 0,
            exclusive: flags & sys::WR_WASI_OPEN_EXCLUSIVE != 0,
            truncate: flags & sys::WR_WASI_OPEN_TRUNCATE != 0,
        };
        let opened = context(c).files.open(path(at)?, flags)?;
        *to = Box::into_raw(Box::new(opened)) as *mut c_void;
        Ok(())
    })
}

unsafe extern "C" fn close(_: *mut c_void, opened: *mut c_void) {
    let opened = Box::from_raw(opened as *mut Box<dyn File>);
    outcome(move || {
        drop(opened);
        Ok(())
    });
}

unsafe extern "C" fn read(
    _: *mut c_void,
    opened: *mut c_void,
    bytes: *mut c_void,
    size: usize,
    offset: u64,
    done: *mut usize,
) -> sys::wr_wasi_errno_t {
    outcome(|| {
        if size > 0 {
            let to = std::slice::from_raw_parts_mut(bytes as *mut u8, size);
            *done = file(opened).read(to, offset)?.min(size);
        }
        Ok(())
    })
}

unsafe extern "C" fn write(
    _: *mut c_void,
    opened: *mut c_void,
    bytes: *const c_void,
    size: usize,
    offset: u64,
    done: *mut usize,
) -> sys::wr_wasi_errno_t {
    outcome(|| {
        if size > 0 {
            let from = std::slice::from_raw_parts(bytes as *const u8, size);
            *done = file(opened).write(from, offset)?.min(size);
        }
        Ok(())
    })
}

unsafe extern "C" fn resize(_: *mut c_void, opened: *mut c_void, size: u64) -> sys::wr_wasi_errno_t {
    outcome(|| file(opened).resize(size))
}

unsafe extern "C" fn sync(_: *mut c_void, opened: *mut c_void) -> sys::wr_wasi_errno_t {
    outcome(|| file(opened).sync())
}

unsafe extern "C" fn list(
    c: *mut c_void,
    at: *const c_char,
    position: u64,
    entry: *mut sys::wr_wasi_entry_t,
) -> sys::wr_wasi_errno_t {
    outcome(|| {
        let (c, at) = (context(c), path(at)?);
        if position == 0 || !c.listed.contains_key(at) {
            let names = c.files.list(at)?.into_iter().filter_map(|name| CString::new(name).ok());
            c.listed.insert(at.to_string(), names.collect());
        }
        let name = c.listed[at].get(position as usize);
        let entry = &mut *entry;
        entry.name = name.map_or(std::ptr::null(), |name| name.as_ptr());
        entry.next = position + 1;
        Ok(())
    })
}

unsafe extern "C" fn make_directory(c: *mut c_void, at: *const c_char) -> sys::wr_wasi_errno_t {
    outcome(|| context(c).files.make_directory(path(at)?))
}

unsafe extern "C" fn remove(c: *mut c_void, at: *const c_char) -> sys::wr_wasi_errno_t {
    outcome(|| context(c).files.remove(path(at)?))
}

unsafe extern "C" fn rename(c: *mut c_void, from: *const c_char, to: *const c_char) -> sys::wr_wasi_errno_t {
    outcome(|| context(c).files.rename(path(from)?, path(to)?))
}

unsafe extern "C" fn link(c: *mut c_void, from: *const c_char, to: *const c_char) -> sys::wr_wasi_errno_t {
    outcome(|| context(c).files.link(path(from)?, path(to)?))
}

unsafe extern "C" fn make_symlink(
    c: *mut c_void,
    target: *const c_char,
    at: *const c_char,
) -> sys::wr_wasi_errno_t {
    outcome(|| context(c).files.make_symlink(path(target)?, path(at)?))
}

unsafe extern "C" fn read_symlink(
    c: *mut c_void,
    at: *const c_char,
    to: *mut c_char,
    size: usize,
    length: *mut usize,
) -> sys::wr_wasi_errno_t {
    outcome(|| {
        let target = context(c).files.read_symlink(path(at)?)?;
        let n = target.len().min(size);
        std::ptr::copy_nonoverlapping(target.as_ptr(), to as *mut u8, n);
        *length = n;
        Ok(())
    })
}
