"""Files of Python's own for guests: out of memory, an archive, a database; nothing of the host's is behind them."""
from __future__ import annotations

import ctypes
import enum
import errno
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import _declarations as d

UNCHANGED = (1 << 64) - 1
LIMIT = 64 << 20
"""Bytes that MemoryFiles take of a guest."""


class FileKind(enum.IntEnum):
    DEVICE = d.WR_WASI_CHARACTER_DEVICE
    DIRECTORY = d.WR_WASI_DIRECTORY
    FILE = d.WR_WASI_REGULAR_FILE
    LINK = d.WR_WASI_SYMBOLIC_LINK


class OpenFlags(enum.IntFlag):
    READ = d.WR_WASI_OPEN_READ
    WRITE = d.WR_WASI_OPEN_WRITE
    CREATE = d.WR_WASI_OPEN_CREATE
    EXCLUSIVE = d.WR_WASI_OPEN_EXCLUSIVE
    TRUNCATE = d.WR_WASI_OPEN_TRUNCATE


@dataclass(frozen=True)
class FileStat:
    """Times are nanoseconds since 1970; inode 0: one is made of the path."""

    kind: FileKind = FileKind.FILE
    size: int = 0
    inode: int = 0
    links: int = 1
    accessed: int = 0
    modified: int = 0
    changed: int = 0


class File:
    """An open file. What is not overridden cannot be done."""

    def stat(self) -> FileStat:
        raise NotImplementedError

    def read(self, size: int, offset: int) -> bytes:
        """At most so many bytes; none at the end."""
        raise NotImplementedError

    def write(self, data: bytes, offset: int) -> int:
        """How many of them were written: at least one. Beyond the end of the file there come zeros between."""
        raise NotImplementedError

    def resize(self, size: int) -> None:
        raise NotImplementedError

    def sync(self) -> None:
        """Nothing, unless it is overridden."""

    def set_times(self, accessed: int | None, modified: int | None) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing, unless it is overridden."""


class Files:
    """To be inherited from. Paths are finished, as "dir/file", and "" for the root: no dots, no links on the way. Methods
    raise OSError (FileNotFoundError, PermissionError, OSError(errno.ENOSPC, ...)), which the guest gets as its number; of
    any other exception it gets EIO, and sys.unraisablehook the exception. They run in the middle of a guest's call, and
    must not call into it. What is not overridden cannot be done; `writable` says whether files can be written."""

    writable = False

    def stat(self, path: str) -> FileStat:
        raise NotImplementedError

    def open(self, path: str, flags: OpenFlags) -> File:
        raise NotImplementedError

    def list(self, path: str) -> Iterable[str]:
        """The names in a directory."""
        raise NotImplementedError

    def make_directory(self, path: str) -> None:
        raise NotImplementedError

    def remove(self, path: str) -> None:
        """A file, a link, or an empty directory."""
        raise NotImplementedError

    def rename(self, old: str, new: str) -> None:
        """In the place of what is there, which is of the same kind, and empty if it is a directory."""
        raise NotImplementedError

    def link(self, old: str, new: str) -> None:
        raise NotImplementedError

    def make_symlink(self, target: str, path: str) -> None:
        raise NotImplementedError

    def read_symlink(self, path: str) -> str:
        raise NotImplementedError

    def set_times(self, path: str, accessed: int | None, modified: int | None) -> None:
        raise NotImplementedError


# ---- in memory ----------------------------------------------------------------------------------------


class _MemoryFile(File):
    def __init__(self, owner: MemoryFiles, data: bytes) -> None:
        self.owner, self.data = owner, bytearray(data)

    def stat(self) -> FileStat:
        return FileStat(size=len(self.data), inode=id(self))

    def read(self, size: int, offset: int) -> bytes:
        return bytes(self.data[offset : offset + size])

    def write(self, data: bytes, offset: int) -> int:
        self.resize(max(len(self.data), offset + len(data)))
        self.data[offset : offset + len(data)] = data
        return len(data)

    def resize(self, size: int) -> None:
        self.owner._take(size - len(self.data))
        if size > len(self.data):
            self.data.extend(bytes(size - len(self.data)))
        del self.data[size:]


class MemoryFiles(Files):
    """Files in memory: their contents by paths. If they are `writable`, at most `limit` bytes in all; `contents` shows
    what the guest has left."""

    def __init__(self, contents: Mapping[str, bytes] | None = None, *, writable: bool = False, limit: int = LIMIT) -> None:
        self.writable = writable
        self._left = limit
        self._files = {path.strip("/"): _MemoryFile(self, data) for path, data in (contents or {}).items()}
        self._directories = {""}
        for path in self._files:
            parts = path.split("/")
            self._directories.update("/".join(parts[:n]) for n in range(1, len(parts)))

    @property
    def contents(self) -> dict[str, bytes]:
        return {path: bytes(file.data) for path, file in self._files.items()}

    def _take(self, size: int) -> None:
        if size > self._left:
            raise OSError(errno.ENOSPC, "the files' limit")
        self._left -= size

    def _find(self, path: str) -> _MemoryFile:
        if path in self._directories:
            raise IsADirectoryError(path)
        if path not in self._files:
            raise FileNotFoundError(path)
        return self._files[path]

    def stat(self, path: str) -> FileStat:
        return FileStat(FileKind.DIRECTORY) if path in self._directories else self._find(path).stat()

    def open(self, path: str, flags: OpenFlags) -> File:
        if flags & OpenFlags.CREATE and path not in self._directories:
            if flags & OpenFlags.EXCLUSIVE and path in self._files:
                raise FileExistsError(path)
            self._files.setdefault(path, _MemoryFile(self, b""))
        file = self._find(path)
        if flags & OpenFlags.TRUNCATE:
            file.resize(0)
        return file

    def list(self, path: str) -> Iterable[str]:
        start = f"{path}/" if path else ""
        everything = itertools.chain(self._files, filter(None, self._directories))
        return [name[len(start) :] for name in everything if name.startswith(start) and "/" not in name[len(start) :]]

    def make_directory(self, path: str) -> None:
        self._change()
        self._directories.add(path)

    def remove(self, path: str) -> None:
        self._change()
        if path in self._directories:
            if list(self.list(path)):
                raise OSError(errno.ENOTEMPTY, path)
            self._directories.remove(path)
        else:
            self._find(path).resize(0)  # open ones end here: their bytes count no more
            del self._files[path]

    def rename(self, old: str, new: str) -> None:
        self._change()

        def moved(path: str) -> str:
            return new + path[len(old) :] if path == old or path.startswith(f"{old}/") else path

        if old in self._files and new in self._files and old != new:
            self.remove(new)
        self._files = {moved(path): file for path, file in self._files.items()}
        self._directories = {moved(path) for path in self._directories}

    def _change(self) -> None:
        if not self.writable:
            raise OSError(errno.EROFS, "read-only")


# ---- as the library has them --------------------------------------------------------------------------

_ERRNOS: dict[int, int] = {
    getattr(errno, f"E{name[8:]}"): int(value)
    for name, value in vars(d).items()
    if name.startswith("WR_WASI_") and hasattr(errno, f"E{name[8:]}")
}
_KINDS: list[tuple[type[BaseException], int]] = [
    (FileNotFoundError, d.WR_WASI_NOENT),
    (FileExistsError, d.WR_WASI_EXIST),
    (PermissionError, d.WR_WASI_ACCES),
    (IsADirectoryError, d.WR_WASI_ISDIR),
    (NotADirectoryError, d.WR_WASI_NOTDIR),
    (NotImplementedError, d.WR_WASI_NOTSUP),
    (MemoryError, d.WR_WASI_NOMEM),
]


def _number_of(e: BaseException) -> int:
    if isinstance(e, OSError) and e.errno in _ERRNOS:
        return _ERRNOS[e.errno]
    for kind, number in _KINDS:
        if isinstance(e, kind):
            return number
    return int(d.WR_WASI_IO)


class _Unraisable:
    """Raises where nobody can catch it: sys.unraisablehook gets it."""

    def __init__(self, e: BaseException) -> None:
        self._e = e

    def __del__(self) -> None:
        raise self._e


def _guarded(function: Callable[..., None]) -> Callable[..., int]:
    """Nothing may be raised through C: an errno instead."""

    def call(_context: object, *args: Any) -> int:
        try:
            function(*args)
            return 0
        except BaseException as e:
            if not isinstance(e, (OSError, NotImplementedError, MemoryError)):
                _Unraisable(e)
            return _number_of(e)

    return call


def _time(nanoseconds: int) -> int | None:
    return None if nanoseconds == UNCHANGED else nanoseconds


class Callbacks:
    """The functions that the library calls for some Files; it has to live as long as the context."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._opened: dict[int, File] = {}
        self._numbers = itertools.count(1)
        self._listed: dict[bytes, list[str]] = {}
        self._name = b""  # lives until the next callback
        self.table = table = d.wr_wasi_files_t(size=ctypes.sizeof(d.wr_wasi_files_t))
        types: dict[str, Any] = dict(d.wr_wasi_files_t._fields_)
        for name in self._wanted():
            function = getattr(self, f"_{name}")
            setattr(table, name, types[name](function if name == "close" else _guarded(function)))

    def _wanted(self) -> list[str]:
        changes = ("list", "make_directory", "remove", "rename", "link", "make_symlink", "read_symlink", "set_times")
        kind = type(self._files)
        wanted = ["stat", "open", "close", "read"]
        wanted += [name for name in changes if getattr(kind, name) is not getattr(Files, name)]
        return wanted + ["write", "resize", "sync"] * bool(self._files.writable)

    def _stat(self, path: bytes | None, file: int | None, to: int) -> None:
        stat = self._files.stat(path.decode()) if path is not None else self._opened[file or 0].stat()
        out = d.wr_wasi_filestat_t.from_address(to)
        out.inode, out.links, out.size, out.type = stat.inode, stat.links, stat.size, int(stat.kind)
        out.accessed, out.modified, out.changed = stat.accessed, stat.modified, stat.changed

    def _open(self, path: bytes, flags: int, to: Any) -> None:
        number = next(self._numbers)
        self._opened[number] = self._files.open(path.decode(), OpenFlags(flags))
        to[0] = number

    def _read(self, file: int, to: int, size: int, offset: int, done: Any) -> None:
        data = self._opened[file].read(size, offset)
        if len(data) > size:
            raise ValueError(f"{len(data)} bytes read of {size}")
        ctypes.memmove(to, data, len(data))
        done[0] = len(data)

    def _write(self, file: int, data: int, size: int, offset: int, done: Any) -> None:
        written = self._opened[file].write(ctypes.string_at(data, size), offset)
        if not 0 <= written <= size:
            raise ValueError(f"{written} bytes written of {size}")
        done[0] = written

    def _resize(self, file: int, size: int) -> None:
        self._opened[file].resize(size)

    def _sync(self, file: int) -> None:
        self._opened[file].sync()

    def _close(self, _context: object, file: int) -> None:
        try:
            self._opened.pop(file).close()
        except BaseException as e:
            _Unraisable(e)

    def _list(self, path: bytes, position: int, to: int) -> None:
        """Each listing from the start is of its own; positions are places in it."""
        if position == 0 or path not in self._listed:
            self._listed[path] = list(self._files.list(path.decode()))
        names = self._listed[path]
        out = d.wr_wasi_entry_t.from_address(to)
        self._name = names[position].encode() if position < len(names) else b""
        out.name = self._name or None
        out.inode, out.next, out.type = 0, position + 1, 0

    def _set_times(self, path: bytes | None, file: int | None, accessed: int, modified: int) -> None:
        if path is not None:
            self._files.set_times(path.decode(), _time(accessed), _time(modified))
        else:
            self._opened[file or 0].set_times(_time(accessed), _time(modified))

    def _make_directory(self, path: bytes) -> None:
        self._files.make_directory(path.decode())

    def _remove(self, path: bytes) -> None:
        self._files.remove(path.decode())

    def _rename(self, old: bytes, new: bytes) -> None:
        self._files.rename(old.decode(), new.decode())

    def _link(self, old: bytes, new: bytes) -> None:
        self._files.link(old.decode(), new.decode())

    def _make_symlink(self, target: bytes, path: bytes) -> None:
        self._files.make_symlink(target.decode(), path.decode())

    def _read_symlink(self, path: bytes, to: int, size: int, length: Any) -> None:
        data = self._files.read_symlink(path.decode()).encode()[:size]
        ctypes.memmove(to, data, len(data))
        length[0] = len(data)
