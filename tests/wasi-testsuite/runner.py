"""Starts the test runner of WebAssembly/wasi-testsuite: runner.py SUITE [OPTION of the runner...]

The runner is the suite's own. It is written for Python 3.12, of which it needs one thing that 3.11
lacks: asking with `in` whether an enumeration has a value. This file provides that and then hands
over. Afterwards it prints 'N passed, M failed' over all tests found; a test that was not executed
counts as failed.
"""

import enum
import json
import os
import sys
import tempfile


def allow_values_in_enum_tests() -> None:
    """Gives `value in Enum` the meaning that it has since Python 3.12."""
    def contains(cls, value):  # type: ignore[no-untyped-def]
        return isinstance(value, cls) or value in cls._value2member_map_

    if sys.version_info < (3, 12):
        enum.EnumMeta.__contains__ = contains  # type: ignore[method-assign]


def summarize(results_path: str) -> bool:
    """Prints the failures and the closing line; true if every test ran and passed."""
    with open(results_path, encoding="utf-8") as file:
        suites = json.load(file)["results"]
    passed = failed = 0
    for suite in suites:
        for test in suite["tests"]:
            if test["outcome"] == "pass":
                passed += 1
            else:
                failed += 1
                print(f"FAIL {suite['name']}: {test['name']} ({test['outcome']})")
    print(f"{passed} passed, {failed} failed", flush=True)
    return passed > 0 and failed == 0


def main() -> int:
    suite, options = sys.argv[1], sys.argv[2:]
    sys.path.insert(0, os.path.join(suite, "test-runner"))
    allow_values_in_enum_tests()
    # pylint: disable=import-outside-toplevel
    from wasi_test_runner import __main__ as suite_runner  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as scratch:
        results = os.path.join(scratch, "results.json")
        sys.argv = ["wasi_test_runner", "--json-output-location", results] + options
        suite_runner.main()
        return 0 if summarize(results) else 1


if __name__ == "__main__":
    sys.exit(main())
