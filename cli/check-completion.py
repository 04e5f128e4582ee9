#!/usr/bin/env python3
"""Types beginnings of commands and a tab into a shell, and compares what stands in the line then.

usage: check-completion.py bash|zsh|fish COMPLETIONS-FOLDER WASMRUN

Exits with 77, which ctest shows as skipped, if there is no such shell, or no terminal to run it in, as in containers
without /dev/pts.
"""
from __future__ import annotations

import os
import pty
import select
import shutil
import sys
import tempfile
import time
from pathlib import Path

PATIENCE = 60  # seconds, for a machine that has other things to do

# What is typed before the tab, and what is there after it (but for a space, = or / at its end).
CASES = [
    ("wasmrun val", "wasmrun validate"),
    ("wasmrun run --eng", "wasmrun run --engine"),
    ("wasmrun run --engine i", "wasmrun run --engine interp"),
    ("wasmrun --fue", "wasmrun --fuel"),
    ("wasmrun validate --thr", "wasmrun validate --threads"),
    ("wasmrun validate --fue", "wasmrun validate --fue"),
    ("wasmrun help fea", "wasmrun help features"),
    ("wasmrun run --dir on", "wasmrun run --dir only-folder"),
    ("wasmrun run modu", "wasmrun run module.wasm"),
]
START = {
    "bash": (["--norc", "--noprofile", "-i"], "PS1=; source '{folder}/wasmrun.bash'"),
    "zsh": (["-f", "-i"], "PS1=; PROMPT_SP=; unsetopt prompt_sp; fpath=('{folder}' $fpath); autoload -Uz compinit; compinit -u -D"),
    "fish": (["--no-config", "-i"], "function fish_prompt; end; source '{folder}/wasmrun.fish'"),
}


class Shell:
    """An interactive shell at the other end of a terminal."""

    def __init__(self, program: str, arguments: list[str], folder: str, path: str) -> None:
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            environment = dict(os.environ, HOME=folder, TERM="dumb", PATH=f"{path}:{os.environ['PATH']}", LC_ALL="C.UTF-8")
            os.execvpe(program, [program, *arguments], environment)

    def send(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def wait_for(self, text: str) -> str:
        """What came up to the text, and is taken."""
        end = time.monotonic() + PATIENCE
        while text not in self.seen:
            if not select.select([self.fd], [], [], max(0, end - time.monotonic()))[0]:
                raise SystemExit(f"no {text!r} in {self.seen!r}")
            self.seen += os.read(self.fd, 4096).decode(errors="replace")
        before, _, self.seen = self.seen.partition(text)
        return before

    def completed(self, typed: str) -> str:
        """Puts a command in front of the line that shows the rest of it; quotes keep both markers out of the echo."""
        self.send(f"{typed}\t")
        self.send("\x01printf '<%s>' o\"\"f '\x05' e\"\"nd\r")
        self.wait_for("<of><")
        return self.wait_for("><end>")


def check(name: str, completions: str, wasmrun: str) -> list[str]:
    problems = []
    with tempfile.TemporaryDirectory() as folder:
        tools = Path(folder, ".tools")
        tools.mkdir()
        (tools / "wasmrun").symlink_to(Path(wasmrun).resolve())
        Path(folder, "only-folder").mkdir()
        Path(folder, "module.wasm").touch()
        arguments, setup = START[name]
        shell = Shell(name, arguments, folder, str(tools))
        shell.send(setup.replace("{folder}", str(Path(completions).resolve())) + "\r")
        shell.send("printf '<%s>' re\"\"ady\r")
        shell.wait_for("<ready>")
        for typed, wanted in CASES:
            line = shell.completed(typed).rstrip(" =/")
            if line != wanted:
                problems.append(f"{name}: {typed!r} became {line!r}, not {wanted!r}")
        os.close(shell.fd)
        os.waitpid(shell.pid, 0)
    return problems


def lacks(name: str) -> str | None:
    """What it takes and is not here."""
    if not shutil.which(name):
        return name
    try:
        for descriptor in os.openpty():
            os.close(descriptor)
    except OSError as error:
        return f"terminal: {error}"
    return None


def main(name: str, completions: str, wasmrun: str) -> int:
    missing = lacks(name)
    if missing:
        print(f"there is no {missing}")
        return 77
    problems = check(name, completions, wasmrun)
    print("\n".join(problems) or f"{name}: {len(CASES)} lines completed")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
