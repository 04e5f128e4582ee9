#!/usr/bin/env python3
"""Writes a header with a number for all that decides what the compiler makes of a module: its sources, and LLVM's version. Code
that another compiler has made is not taken from caches (cache.c).

usage: revision.py HEADER TEXT FILE...
"""
import hashlib
import pathlib
import sys


def main():
    header, text, *files = sys.argv[1:]
    whole = hashlib.sha256(text.encode())
    for name in sorted(files):
        part = hashlib.sha256(pathlib.Path(name).read_bytes())
        whole.update(pathlib.Path(name).name.encode() + part.digest())
    number = whole.hexdigest()[:16]
    pathlib.Path(header).write_text(f"/* Made by revision.py. */\n#define WR_COMPILER_REVISION 0x{number}u\n")


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main()
