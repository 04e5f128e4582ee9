#!/usr/bin/env python3
"""Compares how many instructions short runs take with the committed figures, counts.txt.

usage: counts.py [--update] WASMRUN GUESTS

GUESTS is the folder of the compiled guests. Valgrind counts, so the figures neither depend on the load
of the machine nor need its counters; they do depend on the compilers of wasmrun and of the guests. A
run that takes 3 % more than its figure is an error. One that takes 3 % less should have its figure
updated, so that the gain is not lost unnoticed later: --update writes all anew.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

FIGURES = pathlib.Path(__file__).resolve().parent / "counts.txt"
TOLERANCE = 0.03


def read_figures():
    """[(name, count or None, arguments)]; count None where the file says `?`."""
    rows = []
    for line in FIGURES.read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            name, count, arguments = line.split(maxsplit=2)
            rows.append((name, None if count == "?" else int(count), arguments))
    return rows


def write_figures(rows, counts):
    header = [line for line in FIGURES.read_text().splitlines() if line.startswith("#")]
    lines = [f"{name:12}{counts[name]:>12}  {arguments}" for name, _, arguments in rows]
    FIGURES.write_text("\n".join(header + lines) + "\n")


def count(wasmrun, guests, arguments):
    """(instructions, None) or (None, what went wrong)."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", wasmrun]
    command += [word.replace("@", guests + "/") for word in arguments.split()]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    if done.returncode != 0 or not found:
        return None, f"exit status {done.returncode}: {done.stderr[-300:]}"
    return int(found.group(1)), None


def judge(name, figure, counted, error):
    """(line to print, whether that is a failure)"""
    if error:
        return f"{name}: {error}", True
    if figure is None:
        return f"{name:12}{counted:>12}  no figure yet", False
    change = counted / figure - 1
    note = ""
    if abs(change) > TOLERANCE:
        note = "  too many" if change > 0 else "  fewer: update the figure (--update)"
    return f"{name:12}{counted:>12}  {change:+7.2%}{note}", change > TOLERANCE


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--update", action="store_true", help="write the figures anew")
    parser.add_argument("wasmrun")
    parser.add_argument("guests")
    options = parser.parse_args()
    rows = read_figures()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda r: count(options.wasmrun, options.guests, r[2]), rows))
    failed = False
    for (name, figure, _), (counted, error) in zip(rows, results):
        line, bad = judge(name, figure, counted, error)
        print(line)
        failed |= bool(error) if options.update else bad
    if options.update and not failed:
        write_figures(rows, {row[0]: result[0] for row, result in zip(rows, results)})
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
