#!/bin/sh
# Builds the Python package's wheel with the library in it, installs it into a fresh environment that has nothing
# else, and runs the tests there, of which the README's example is one. A wheel without the library has no platform.
# usage: wheel.sh PACKAGE-FOLDER PYTHON LIBRARY GUEST
set -eu
package=$1 python=$2 library=$3
export WASMRUN_TEST_GUEST="$4" PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset PYTHONPATH WASMRUN_LIBRARY || true

build() { # FOLDER
    cp -R "$package" "$scratch/source"
    "$python" -m pip wheel -q --no-build-isolation --no-deps --no-index -w "$1" "$scratch/source"
    rm -r "$scratch/source"
}

build "$scratch/pure"
WASMRUN_BUNDLE=$library build "$scratch/bundled"
ls "$scratch/pure" "$scratch/bundled"
ls "$scratch"/pure/wasmrun-*-py3-none-any.whl >/dev/null
ls "$scratch"/bundled/wasmrun-*-py3-none-linux_*.whl >/dev/null

"$python" -m venv --without-pip "$scratch/venv"
"$python" -m pip --python "$scratch/venv/bin/python" install -q --no-index "$scratch"/bundled/*.whl
cd "$scratch"
"$scratch/venv/bin/python" -c 'import wasmrun, os
assert os.path.dirname(wasmrun.__file__).startswith(os.environ["PWD"]), wasmrun.__file__
print("wasmrun", wasmrun.library_version)'
WASMRUN_TEST_README=$package/README.md "$scratch/venv/bin/python" "$package/tests/test_wasmrun.py"
