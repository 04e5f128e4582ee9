"""wasmrun's adapter for the test runner of WebAssembly/wasi-testsuite (its doc/adapters.md).

The runner loads this file as a module. WASMRUN in the environment names the command, with options
if need be (shell quoting); otherwise it is looked for on PATH.
"""

import os
import shlex
import subprocess
from typing import Dict, List, Optional, Tuple

WASMRUN = shlex.split(os.getenv("WASMRUN", "wasmrun"))


def get_name() -> str:
    return "wasmrun"


def get_version() -> str:
    result = subprocess.run(WASMRUN[0:1] + ["--version"], encoding="UTF-8",
                            capture_output=True, check=True)
    return result.stdout.split()[1]


def get_wasi_versions() -> List[str]:
    return ["wasm32-wasip1"]


def get_wasi_worlds() -> List[str]:
    return ["wasi:cli/command"]


def get_timeout_seconds() -> float:
    """Generous, for emulated and instrumented builds; a test takes milliseconds."""
    return 60.0


def compute_argv(test_path: str,
                 args_env_root: Tuple[List[str], Dict[str, str], Optional[str]],
                 proposals: List[str],
                 wasi_world: str,
                 wasi_version: str) -> List[str]:
    del proposals, wasi_world, wasi_version
    args, env, root = args_env_root
    argv = WASMRUN[0:1] + ["run"] + WASMRUN[1:]
    for name, value in env.items():
        argv += ["--env", f"{name}={value}"]
    if root:
        argv += ["--dir", f"{root}::/"]
    return argv + [test_path] + args
