"""Finds libwasmrun, loads it and declares its functions.

In this order: the file that the environment variable WASMRUN_LIBRARY names, the one that the wheel carries, the
one that the system's loader finds.
"""
from __future__ import annotations

import ctypes
import ctypes.util
import os
from pathlib import Path
from typing import Any

from . import _declarations as d


def _candidates() -> list[str]:
    chosen = os.environ.get("WASMRUN_LIBRARY")
    if chosen:
        return [chosen]
    names = [str(path) for path in sorted(Path(__file__).parent.glob("libwasmrun.so*"))]
    soname = "libwasmrun.so." + d.VERSION.rsplit(".", 1)[0]
    found = ctypes.util.find_library("wasmrun")
    return names + [soname] + ([found] if found else [])


def _load() -> ctypes.CDLL:
    problems = []
    for name in _candidates():
        try:
            return ctypes.CDLL(name)
        except OSError as e:
            problems.append(str(e))
    raise ImportError("libwasmrun was not found (WASMRUN_LIBRARY can name it): " + "; ".join(problems))


def _check_version(library: ctypes.CDLL) -> str:
    """Before 1.0 the interface may change with the second number: names that are missing would be found late."""
    library.wr_version.restype = ctypes.c_char_p
    version: str = library.wr_version().decode()
    if version.split(".")[:2] != d.VERSION.split(".")[:2]:
        raise ImportError(f"libwasmrun is version {version}, and this package is for {d.VERSION}")
    return version


lib: Any = _load()
version = _check_version(lib)
for _name, (_result, _params) in d.FUNCTIONS.items():
    _function = getattr(lib, _name)
    _function.restype, _function.argtypes = _result, _params
