"""Tests of the package, as users have it: against libwasmrun, with guests in the text format.

    python3 -m unittest discover embed/bindings/python/tests
"""
from __future__ import annotations

import errno
import gc
import os
import signal
import sys
import tempfile
import threading
import time
import unittest
import weakref
from pathlib import Path
from typing import Any, Callable

import wasmrun
from wasmrun import (
    Engine,
    File,
    FileKind,
    Files,
    FileStat,
    Func,
    Global,
    Instance,
    Linker,
    Memory,
    MemoryFiles,
    Module,
    OpenFlags,
    Store,
    Table,
    Tag,
    Trap,
    TrapCode,
    Wasi,
)

ENGINE = Engine()


def instance_of(text: str, store: Store | None = None, linker: Linker | None = None) -> Instance:
    store = store or Store(ENGINE)
    return (linker or Linker(ENGINE)).instantiate(store, Module(ENGINE, text))


WASI_IMPORTS = """
 (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
 (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
"""
# Copies standard input to standard output; the exit status is how many arguments there are, but one.
COPY = f"""(module {WASI_IMPORTS} (memory (export "memory") 1)
 (func (export "_start")
  (loop $again
   (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 16))
   (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
   (i32.store (i32.const 4) (i32.load (i32.const 8)))
   (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
   (br_if $again (i32.load (i32.const 8))))
  (drop (call $args (i32.const 20) (i32.const 24)))
  (if (i32.gt_u (i32.load (i32.const 20)) (i32.const 1))
   (then (call $exit (i32.sub (i32.load (i32.const 20)) (i32.const 1)))))))"""
# Copies the file of its first directory that its input names to "old" in the second one, puts that into a new directory,
# lists, and removes what is there no more. The exit status is the errno of what fails.
COPY_FILE = """(module
 (import "wasi_snapshot_preview1" "path_open"
  (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
 (import "wasi_snapshot_preview1" "path_rename" (func $rename (param i32 i32 i32 i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "path_create_directory" (func $mkdir (param i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
 (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
 (memory (export "memory") 1) (data (i32.const 32) "old") (data (i32.const 48) "sub")
 (data (i32.const 64) "\\00\\01\\00\\00\\00\\02\\00\\00")
 (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
 (func (export "_start") (local $name i32)
  (call $must (call $read (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 88)))
  (local.set $name (i32.load (i32.const 88)))
  (memory.copy (i32.const 1024) (i32.const 256) (local.get $name))
  (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 1024) (local.get $name)
   (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80)))
  (call $must (call $open (i32.const 4) (i32.const 0) (i32.const 32) (i32.const 3)
   (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 84)))
  (call $must (call $read (i32.load (i32.const 80)) (i32.const 64) (i32.const 1) (i32.const 88)))
  (i32.store (i32.const 68) (i32.load (i32.const 88)))
  (call $must (call $write (i32.load (i32.const 84)) (i32.const 64) (i32.const 1) (i32.const 88)))
  (call $must (call $mkdir (i32.const 4) (i32.const 48) (i32.const 3)))
  (i32.store8 (i32.const 51) (i32.const 47)) (i32.store8 (i32.const 52) (i32.const 120))
  (call $must (call $rename (i32.const 4) (i32.const 32) (i32.const 3)
   (i32.const 4) (i32.const 48) (i32.const 5)))
  (call $must (call $list (i32.const 4) (i32.const 2048) (i32.const 512) (i64.const 0) (i32.const 88)))
  (i32.store (i32.const 64) (i32.const 2048)) (i32.store (i32.const 68) (i32.load (i32.const 88)))
  (call $must (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 88)))
  (call $must (call $unlink (i32.const 4) (i32.const 32) (i32.const 3)))))
"""
SPIN = '(module (func (export "spin") (loop (br 0))))'


def each_raises(test: unittest.TestCase, error: type[BaseException], *uses: Callable[[], object]) -> None:
    for use in uses:
        with test.assertRaises(error):
            use()


class Modules(unittest.TestCase):
    def test_reflection(self) -> None:
        module = Module(
            ENGINE,
            '(module (import "m" "f" (func (param i32 v128) (result i64))) (import "m" "t" (table 2 9 externref))'
            ' (memory (export "mem") 1 5) (global (export "g") (mut f64) (f64.const 0))'
            ' (tag (export "e\\c3\\a9") (param i64)) (@custom "note" "hi"))',
        )
        f, t = module.imports
        self.assertEqual((f.module, f.name, f.type.signature), ("m", "f", "iv>I"))
        self.assertEqual((t.type.min, t.type.max, t.type.value), (2, 9, wasmrun.ValueKind.EXTERNREF))
        mem, g, e = module.exports
        self.assertEqual((mem.type.kind, mem.type.page_size), (wasmrun.ExternKind.MEMORY, 65536))
        self.assertEqual((g.type.value, g.type.is_mutable), (wasmrun.ValueKind.F64, True))
        self.assertEqual((e.name, e.type.signature), ("eé", "I>"))
        self.assertIn(("note", b"hi"), module.custom_sections)

    def test_errors(self) -> None:
        with self.assertRaises(wasmrun.MalformedError) as caught:
            Module(ENGINE, b"\0asm\1\0\0\0\xff")
        self.assertEqual(caught.exception.offset, 8)
        self.assertEqual(caught.exception.kind, wasmrun.ErrorKind.MALFORMED)
        with self.assertRaises(wasmrun.InvalidError) as invalid:
            Module(ENGINE, "(module\n (func (result i32)\n  i64.const 1))")
        self.assertIn("type mismatch", str(invalid.exception))
        self.assertTrue(str(invalid.exception.place).split(":")[1:], invalid.exception.place)
        with self.assertRaises(wasmrun.MalformedError):
            wasmrun.wat_to_wasm("(modul)")
        with self.assertRaises(wasmrun.FileError) as missing:
            Module.from_file(ENGINE, "/nonexistent/file.wasm")
        self.assertIsInstance(missing.exception, OSError)
        with self.assertRaises(wasmrun.LinkError):
            instance_of('(module (import "no" "such" (func)))')
        with self.assertRaises(wasmrun.UsageError):
            Engine(features={"no-such-thing": True})
        Module.validate(ENGINE, wasmrun.wat_to_wasm("(module)"))

    def test_files(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            text, binary = Path(folder, "a.wat"), Path(folder, "a.wasm")
            text.write_text('(module (func (export "f") (result i32) i32.const 4))')
            binary.write_bytes(wasmrun.wat_to_wasm(text.read_text()))
            for path in (text, binary):
                module = Module.from_file(ENGINE, path)
                self.assertEqual(Linker(ENGINE).instantiate(Store(ENGINE), module).func("f")(), 4)

    def test_log(self) -> None:
        lines: list[str] = []
        engine = Engine(log=lambda level, text: lines.append(f"{level.name} {text}"), log_level=wasmrun.LogLevel.DEBUG)
        Module(engine, "(module)").close()
        engine.close()
        self.assertTrue(lines)


@unittest.skipUnless(os.environ.get("WASMRUN_AOT"), "there is no compiler")
class Compiled(unittest.TestCase):
    TEXT = """(module (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
     (func (export "spin") (loop (br 0))))"""

    def test_engine(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(2):  # made, found
                engine = Engine(kind=wasmrun.EngineKind.COMPILED, opt_level=1, cache=folder)
                module = Module(engine, self.TEXT)
                self.assertTrue(module.is_compiled)
                self.assertEqual(Linker(engine).instantiate(Store(engine), module).func("add")(40, 2), 42)
                self.assertEqual(len(os.listdir(folder)), 1)

    def test_artifact(self) -> None:
        module = Module(ENGINE, self.TEXT)
        self.assertFalse(module.is_compiled)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "add.cwasm")
            path.write_bytes(module.compile(opt_level=3, count_fuel=True))
            compiled = Module.from_artifact(ENGINE, path)
            self.assertTrue(compiled.is_compiled)
            self.assertEqual(compiled.exports, module.exports)
            store = Store(ENGINE, fuel=10000)
            instance = Linker(ENGINE).instantiate(store, compiled)
            self.assertEqual(instance.func("add")(40, 2), 42)
            with self.assertRaises(Trap) as caught:
                instance.func("spin")()
            self.assertEqual(caught.exception.code, TrapCode.OUT_OF_FUEL)
            path.write_bytes(b"\0asm\1\0\0\0")
            with self.assertRaises(wasmrun.WasmrunError):
                Module.from_artifact(ENGINE, path)

    def test_other_target(self) -> None:
        artifact = Module(ENGINE, self.TEXT).compile(target="aarch64-linux-gnu")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "add.cwasm")
            path.write_bytes(artifact)
            if os.uname().machine != "aarch64":
                with self.assertRaises(wasmrun.WasmrunError):
                    Module.from_artifact(ENGINE, path)


class Calls(unittest.TestCase):
    IDENTITY = "".join(
        f'(func (export "{t}") (param {t}) (result {t}) local.get 0)'
        for t in ("i32", "i64", "f32", "f64", "v128", "funcref", "externref", "anyref")
    )

    def test_values(self) -> None:
        instance = instance_of(f"(module {self.IDENTITY})")
        for name, value, result in (
            ("i32", -(2**31), -(2**31)),
            ("i32", 2**32 - 1, -1),
            ("i64", -(2**63), -(2**63)),
            ("i64", 2**64 - 2, -2),
            ("f32", 0.5, 0.5),
            ("f64", 3, 3.0),
            ("v128", bytes(range(16)), bytes(range(16))),
            ("funcref", None, None),
            ("externref", None, None),
            ("anyref", None, None),
        ):
            self.assertEqual(instance.func(name)(value), result, name)
        for name, value, error in (
            ("i32", 2**32, OverflowError),
            ("i64", 2**64, OverflowError),
            ("i32", 1.5, TypeError),
            ("i32", "1", TypeError),
            ("f64", "1", TypeError),
            ("v128", b"short", TypeError),
            ("funcref", print, TypeError),
        ):
            with self.assertRaises(error, msg=name):
                instance.func(name)(value)
        with self.assertRaises(TypeError):
            instance.func("i32")()

    def test_references(self) -> None:
        instance = instance_of(f"(module {self.IDENTITY})")
        thing = {"any": "object"}
        self.assertIs(instance.func("externref")(thing), thing)
        self.assertEqual(instance.func("funcref")(instance.func("i64")), instance.func("i64"))
        with self.assertRaises(wasmrun.UsageError):
            instance.func("funcref")(instance_of(f"(module {self.IDENTITY})").func("i64"))

    def test_many_results(self) -> None:
        func = instance_of(
            '(module (func (export "f") (param i32 v128 f32) (result f32 v128 i32 i64)'
            " local.get 2 local.get 1 local.get 0 i64.const 9))"
        ).func("f")
        self.assertEqual(func.signature, "ivf>fviI")
        self.assertEqual(func(1, b"x" * 16, 0.25), (0.25, b"x" * 16, 1, 9))

    def test_traps(self) -> None:
        instance = instance_of(
            '(module $guest (func $inner unreachable) (func (export "outer") call $inner)'
            ' (func (export "divide") (param i32) (result i32) (i32.div_u (i32.const 1) (local.get 0))))'
        )
        with self.assertRaises(Trap) as caught:
            instance.func("outer")()
        trap = caught.exception
        self.assertEqual((trap.code, str(trap)), (TrapCode.UNREACHABLE, "unreachable"))
        self.assertEqual([f.function_name for f in trap.frames], ["inner", "outer"])
        self.assertEqual(trap.frames[0].module_name, "guest")
        self.assertEqual(trap.frames[0].function_index, 0)
        self.assertIn("guest!inner", trap.rendered)
        with self.assertRaises(Trap) as caught:
            instance.func("divide")(0)
        self.assertEqual(caught.exception.code, TrapCode.INTEGER_DIVIDE_BY_ZERO)


class HostFunctions(unittest.TestCase):
    def test_kinds(self) -> None:
        linker = Linker(ENGINE)
        seen: list[Any] = []

        @linker.func("h", "f", "iIfFve>iIfFve")
        def echo(*values: Any) -> tuple[Any, ...]:
            seen.append(values)
            return values

        linker.define_func("h", "nothing", ">", lambda: None)
        instance = instance_of(
            '(module (import "h" "f" (func $f (param i32 i64 f32 f64 v128 externref)'
            " (result i32 i64 f32 f64 v128 externref))) (import \"h\" \"nothing\" (func $n))"
            ' (func (export "run") (param i32 i64 f32 f64 v128 externref) (result i32 i64 f32 f64 v128 externref)'
            " (call $n) (call $f (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5))))",
            linker=linker,
        )
        values = (-1, 2**40, 0.5, 0.1, bytes(range(16)), "text")
        self.assertEqual(instance.func("run")(*values), values)
        self.assertEqual(seen, [values])

    def test_caller(self) -> None:
        linker, store = Linker(ENGINE), Store(ENGINE)
        kept: list[wasmrun.Caller] = []

        def shout(caller: wasmrun.Caller, address: int, size: int) -> None:
            self.assertIs(caller.store, store)
            self.assertIsNone(caller.patience)
            caller.poll()
            caller.memory.write(address, caller.memory.read(address, size).upper())
            other = caller.export("twice")
            assert isinstance(other, Func)
            caller.memory.write_u32(100, other(21))
            self.assertIsNone(caller.export("none"))
            kept.append(caller)

        linker.define_func("h", "shout", "ii>", shout, caller=True)
        instance = instance_of(
            '(module (import "h" "shout" (func $s (param i32 i32))) (memory (export "memory") 1)'
            ' (data (i32.const 8) "hello") (func (export "run") (call $s (i32.const 8) (i32.const 5)))'
            ' (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2))))',
            store,
            linker,
        )
        instance.func("run")()
        self.assertEqual(instance.memory().read(8, 5), b"HELLO")
        self.assertEqual(instance.memory().read_u32(100), 42)
        with self.assertRaises(wasmrun.UsageError):
            kept[0].memory

    CALL = '(module (import "h" "f" (func $f (result i32))) (func (export "run") (result i32) call $f))'

    def run_host(self, function: Any) -> Any:
        linker = Linker(ENGINE)
        linker.define_func("h", "f", ">i", function)
        return instance_of(self.CALL, linker=linker).func("run")()

    def test_exceptions(self) -> None:
        problem = KeyError("what")

        def fail() -> int:
            raise problem

        with self.assertRaises(Trap) as caught:
            self.run_host(fail)
        self.assertIs(caught.exception.__cause__, problem)
        self.assertEqual(caught.exception.code, TrapCode.HOST)
        self.assertEqual(str(caught.exception), "KeyError: 'what'")
        self.assertEqual([f.function_name for f in caught.exception.frames], ["f", "run"])

        def refuse() -> int:
            raise Trap("not today")

        with self.assertRaisesRegex(Trap, "^not today$"):
            self.run_host(refuse)

        def leave() -> int:
            raise wasmrun.Exit(7)

        with self.assertRaises(wasmrun.Exit) as exit_:
            self.run_host(leave)
        self.assertEqual(exit_.exception.status, 7)

    def test_unprintable_exception(self) -> None:
        class Bad(Exception):
            def __str__(self) -> str:
                raise ValueError

        def fail() -> int:
            raise Bad

        with self.assertRaisesRegex(Trap, "a host function failed"):
            self.run_host(fail)

    def test_results_of_wrong_types(self) -> None:
        for result in ("text", None, 2**40, (1, 2)):
            with self.assertRaises(Trap) as caught:
                self.run_host(lambda result=result: result)
            self.assertIsInstance(caught.exception.__cause__, (TypeError, OverflowError))

    def test_interrupts_pass(self) -> None:
        for exception in (KeyboardInterrupt, SystemExit):

            def fail() -> int:
                raise exception

            with self.assertRaises(exception):
                self.run_host(fail)

    def test_inner_trap_passes(self) -> None:
        """A trap that a host function lets pass is the same outside, with all frames."""
        inner = instance_of('(module (func (export "f") (result i32) unreachable))').func("f")
        with self.assertRaises(Trap) as caught:
            self.run_host(inner)
        self.assertEqual(caught.exception.code, TrapCode.UNREACHABLE)
        self.assertEqual([f.function_name for f in caught.exception.frames], ["f", "f", "run"])
        kept = caught.exception

        def again() -> int:
            raise kept

        for _ in range(2):  # the first takes the error itself, the second one says the same
            with self.assertRaises(Trap):
                self.run_host(again)

    def test_deep_recursion(self) -> None:
        """Host and guest call each other until one of their stacks is full; at every depth that Python allows."""
        linker, store = Linker(ENGINE), Store(ENGINE)
        linker.define_func("h", "f", "i>i", lambda n: run(n + 1))
        run = instance_of(
            '(module (import "h" "f" (func $f (param i32) (result i32)))'
            ' (func (export "run") (param i32) (result i32) (call $f (local.get 0))))',
            store,
            linker,
        ).func("run")
        limit = sys.getrecursionlimit()
        hook, sys.unraisablehook = sys.unraisablehook, bool  # says nothing, and needs no frame
        try:
            for depth in range(150, 200):
                sys.setrecursionlimit(depth)
                with self.assertRaises((Trap, RecursionError)):
                    run(0)
        finally:
            sys.setrecursionlimit(limit)
            sys.unraisablehook = hook
        with self.assertRaises(Trap):
            run(0)

    def test_signals(self) -> None:
        """Ctrl-C at any place of a callback, its first instruction too, is no crash, and ends the guest."""
        linker = Linker(ENGINE)
        linker.define_func("h", "f", "i>i", lambda n: n)
        module = Module(
            ENGINE,
            '(module (import "h" "f" (func $f (param i32) (result i32)))'
            ' (func (export "spin") (loop (drop (call $f (i32.const 1))) (br 0))))',
        )
        hook, sys.unraisablehook = sys.unraisablehook, bool  # says nothing, and needs no frame
        old = signal.signal(signal.SIGALRM, signal.default_int_handler)
        gc.collect()
        gc.disable()  # what a destructor raises is lost: no Ctrl-C may come while garbage is collected
        try:
            for i in range(60):
                spin = linker.instantiate(Store(ENGINE), module).func("spin")
                try:
                    signal.setitimer(signal.ITIMER_REAL, 0.002 + i * 0.00003)
                    spin()
                except (KeyboardInterrupt, Trap):
                    pass
        finally:
            gc.enable()
            signal.signal(signal.SIGALRM, old)
            sys.unraisablehook = hook

    def test_callback_that_cannot_begin(self) -> None:
        """The same without chance: it fails before its first line."""
        from wasmrun import _declarations as d
        from wasmrun._library import lib

        linker = Linker(ENGINE)
        failing = d.wr_callback_t(lambda: None)  # too few parameters
        lib.wr_linker_define_callback(linker._ptr(), b"h", b"f", b">i", failing, None, d.FUNCTIONS["wr_error_set_data"][1][2]())
        hook, sys.unraisablehook = sys.unraisablehook, bool  # says nothing, and needs no frame
        try:
            with self.assertRaisesRegex(Trap, "gave no answer"):
                instance_of(self.CALL, linker=linker).func("run")()
        finally:
            sys.unraisablehook = hook

    def test_bad_signature(self) -> None:
        for sig in ("i", "z>", "i>>"):
            with self.assertRaises(wasmrun.UsageError):
                Linker(ENGINE).define_func("h", "f", sig, print)


class Objects(unittest.TestCase):
    def test_memory(self) -> None:
        memory = instance_of('(module (memory (export "memory") 1 3) (data (i32.const 4) "abc\\00"))').memory()
        self.assertEqual(len(memory), 65536)
        self.assertEqual((memory[4:7], memory[4], memory.read_string(4)), (b"abc", 97, b"abc"))
        memory[0:4] = b"\1\2\3\4"
        memory[1] = 9
        self.assertEqual(memory.read_u32(0), 0x04030901)
        memory.write_u64(65528, 2**64 - 1)
        self.assertEqual(memory.read_u64(65528), 2**64 - 1)
        self.assertEqual(memory.read(65536, 0), b"")
        each_raises(self, IndexError, lambda: memory.read(65536, 1), lambda: memory.read(-1, 1), lambda: memory.read(2**64, 1),
                    lambda: memory.read(0, 2**62), lambda: memory.write(65535, b"xx"), lambda: memory[65536],
                    lambda: memory.read_string(65530, 100))  # fmt: skip
        with self.assertRaises(ValueError):
            memory[0:2] = b"x"
        self.assertEqual(memory.grow(2), 1)
        self.assertEqual(memory.type.min, 3)
        with self.assertRaises(OverflowError):
            memory.grow(1)

    def test_memory_view(self) -> None:
        store = Store(ENGINE)
        instance = instance_of('(module (memory (export "memory") 1 2) (func (export "f")))', store)
        memory = instance.memory()
        with memory.view() as view:
            view[10:13] = b"xyz"
            self.assertEqual(len(view), 65536)
            each_raises(self, wasmrun.UsageError, instance.func("f"), store.close, lambda: memory.grow(1))
        with self.assertRaises(ValueError):
            view[0]
        self.assertEqual(memory.read(10, 3), b"xyz")
        instance.func("f")()

    def test_host_objects(self) -> None:
        store, linker = Store(ENGINE), Linker(ENGINE)
        double = Func.new(store, "i>i", lambda n: n * 2)
        counter = Global.new(store, "i", 5, mutable=True)
        memory = Memory.new(store, 1, 2)
        table = Table.new(store, "c", 2, 4, double)
        things: dict[str, wasmrun.Extern] = {"f": double, "g": counter, "m": memory, "t": table, "z\0z": double}
        for name, thing in things.items():
            linker.define("h", name, thing)
        linker.alias("h", "f", "other", "name")
        run = instance_of(
            '(module (import "h" "f" (func $f (param i32) (result i32))) (import "h" "g" (global $g (mut i32)))'
            ' (import "h" "m" (memory 1 2)) (import "h" "t" (table 2 4 funcref)) (import "other" "name" (func $o '
            ' (param i32) (result i32))) (import "h" "z\\00z" (func (param i32) (result i32)))'
            ' (func (export "run") (param i32) (result i32) (global.set $g (call $o (global.get $g)))'
            "  (i32.store (i32.const 0) (global.get $g))"
            "  (call_indirect (param i32) (result i32) (local.get 0) (i32.const 1))))",
            store,
            linker,
        ).func("run")
        self.assertEqual(run(4), 8)
        self.assertEqual((counter.value, memory.read_u32(0)), (10, 10))
        counter.value = -1
        self.assertEqual(counter.value, -1)
        self.assertEqual((len(table), table[0]), (2, double))
        table[1] = None
        with self.assertRaises(Trap) as caught:
            run(1)
        self.assertEqual(caught.exception.code, TrapCode.UNINITIALIZED_ELEMENT)
        table.extend(2, double)
        self.assertEqual((len(table), table.type.min, table.type.max), (4, 4, 4))
        with self.assertRaises(IndexError):
            table[4]
        with self.assertRaises(IndexError):
            table[4] = None
        with self.assertRaises(wasmrun.OutOfMemoryError):
            table.extend(1)
        constant = Global.new(store, "F", 1.5)
        with self.assertRaises(wasmrun.UsageError):
            constant.value = 2.0
        with self.assertRaises(wasmrun.UsageError):
            linker.define("h", "x", Func.new(Store(ENGINE), ">", print))

    def test_instances_as_modules(self) -> None:
        store, linker = Store(ENGINE), Linker(ENGINE)
        linker.define_instance("a", instance_of('(module (func (export "one") (result i32) i32.const 1))', store))
        run = instance_of('(module (import "a" "one" (func $f (result i32))) (export "f" (func $f)))', store, linker)
        self.assertEqual(run.func("f")(), 1)
        self.assertEqual(sorted(run.exports), ["f"])
        with self.assertRaises(wasmrun.UsageError):
            run.func("none")
        with self.assertRaises(wasmrun.UsageError):
            run.memory("f")

    def test_exceptions(self) -> None:
        store, linker = Store(ENGINE), Linker(ENGINE)
        tag = Tag.new(store, "iF")
        linker.define("h", "e", tag)
        state = {"throw": True}

        def throw(n: int) -> None:
            if state["throw"]:
                raise wasmrun.GuestException(tag, (n, 0.5))

        linker.define_func("h", "f", "i>", throw)
        instance = instance_of(
            '(module (import "h" "e" (tag $e (param i32 f64))) (import "h" "f" (func $f (param i32)))'
            ' (func (export "catch") (param i32) (result i32) (block $h (result i32 f64)'
            "  (try_table (catch $e $h) (call $f (local.get 0))) (i32.const -1) (return)) (drop))"
            ' (func (export "pass") (param i32) (call $f (local.get 0))))',
            store,
            linker,
        )
        self.assertEqual(instance.func("catch")(41), 41)
        with self.assertRaises(wasmrun.GuestException) as caught:
            instance.func("pass")(6)
        self.assertEqual((caught.exception.tag, caught.exception.values), (tag, (6, 0.5)))
        self.assertTrue(caught.exception.frames)
        state["throw"] = False
        self.assertEqual(instance.func("catch")(1), -1)
        store.close()
        del caught

    def test_heap(self) -> None:
        store = Store(ENGINE, heap_limit=1 << 20)
        instance = instance_of(
            "(module (type $p (struct (field (mut i32)) (field (mut anyref)))) (type $a (array (mut i8)))"
            ' (func (export "pair") (param i32 anyref) (result anyref) (struct.new $p (local.get 0) (local.get 1)))'
            ' (func (export "array") (result anyref) (array.new_fixed $a 3 (i32.const 7) (i32.const 8) (i32.const 9)))'
            ' (func (export "first") (param anyref) (result i32)'
            "  (struct.get $p 0 (ref.cast (ref $p) (local.get 0)))))",
            store,
        )
        inner = instance.func("pair")(1, wasmrun.Reference.i31(store, -5))
        outer = instance.func("pair")(2, inner)
        array = instance.func("array")()
        self.assertEqual((inner.kind, len(inner), inner[0], int(inner[1])), (wasmrun.ObjectKind.STRUCT, 2, 1, -5))
        self.assertEqual((array.kind, [array[i] for i in range(len(array))]), (wasmrun.ObjectKind.ARRAY, [7, 8, 9]))
        del inner
        for i in range(3000):  # ten times the limit, if they were kept
            instance.func("pair")(i, outer)
        store.collect()
        self.assertEqual(outer[1][0], 1)
        outer[1][0] = 99
        self.assertEqual(instance.func("first")(outer[1]), 99)
        with self.assertRaises(IndexError):
            outer[2]
        with self.assertRaises(TypeError):
            int(outer)
        with self.assertRaises(wasmrun.UsageError):
            instance_of("(module (func (export \"f\") (param anyref)))").func("f")(outer)


class Limits(unittest.TestCase):
    def trap_of(self, store: Store, name: str = "spin") -> TrapCode:
        with self.assertRaises(Trap) as caught:
            instance_of(SPIN, store).func(name)()
        return caught.exception.code

    def test_fuel(self) -> None:
        store = Store(ENGINE, fuel=10000)
        self.assertEqual(store.fuel, 10000)
        self.assertEqual(self.trap_of(store), TrapCode.OUT_OF_FUEL)
        store.fuel = None
        self.assertIsNone(store.fuel)

    def test_timeout(self) -> None:
        began = time.monotonic()
        self.assertEqual(self.trap_of(Store(ENGINE, timeout=0.05)), TrapCode.DEADLINE)
        self.assertGreater(time.monotonic() - began, 0.04)

    def test_interruption(self) -> None:
        """Guests run without the interpreter's lock, so another thread can stop one."""
        store = Store(ENGINE, interruptible=True)
        timer = threading.Timer(0.05, store.interrupt)
        timer.start()
        self.assertEqual(self.trap_of(store), TrapCode.INTERRUPTED)
        timer.join()
        store.close()
        store.interrupt()

    def test_memory(self) -> None:
        text = '(module (memory (export "m") 2))'
        instance_of(text, Store(ENGINE, memory_limit=131072))
        with self.assertRaises(wasmrun.OutOfMemoryError) as caught:
            instance_of(text, Store(ENGINE, memory_limit=131071))
        self.assertIsInstance(caught.exception, MemoryError)
        store = Store(ENGINE, instance_limit=1)
        instance_of("(module)", store)
        with self.assertRaises(wasmrun.WasmrunError):
            instance_of("(module)", store)

    def test_pausing(self) -> None:
        store = Store(ENGINE, fuel=100)
        count = instance_of(
            '(module (func (export "count") (param i32) (result i32) (local i32)'
            " (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))"
            "  (br_if 0 (i32.lt_u (local.get 1) (local.get 0)))) (local.get 1)))",
            store,
        ).func("count")
        call, pauses = count.start(500), 0
        while call.paused:
            self.assertEqual(call.paused, "out_of_fuel")
            store.add_fuel(1000)
            call.resume()
            pauses += 1
        self.assertEqual(call.result, 500)
        self.assertGreater(pauses, 3)
        store.fuel = 100
        given_up = count.start(500)
        self.assertTrue(given_up.paused)
        given_up.close()
        self.assertIsNone(given_up.paused)
        with self.assertRaises(wasmrun.UsageError):
            given_up.resume()
        forgotten = count.start(500)
        store.close()
        with self.assertRaises(wasmrun.UsageError):
            forgotten.resume()


class WasiPrograms(unittest.TestCase):
    PROGRAM = wasmrun.wat_to_wasm(COPY)

    def run_wasi(self, **settings: Any) -> tuple[int, Wasi]:
        wasi = Wasi(**settings)
        linker = Linker(ENGINE)
        linker.define_wasi()
        with Store(ENGINE, wasi=wasi) as store:
            return linker.instantiate(store, Module(ENGINE, self.PROGRAM)).run(), wasi

    def test_run(self) -> None:
        done = wasmrun.run_wasi(self.PROGRAM, ["a", "b"], stdin=b"some input", engine=ENGINE)
        self.assertEqual((done.status, done.stdout, done.stderr), (2, b"some input", b""))

    def test_nothing_given(self) -> None:
        status, wasi = self.run_wasi()
        self.assertEqual((status, wasi.captured(1)), (0, b""))

    def test_functions_as_streams(self) -> None:
        given, out = [b"first", b"second"], list[bytes]()
        status, _ = self.run_wasi(stdin=lambda size: given.pop(0) if given else b"", stdout=out.append)
        self.assertEqual((status, b"".join(out)), (0, b"firstsecond"))

        def fail(_: object) -> bytes:
            raise ValueError("no stream")

        bad: list[dict[str, Any]] = [
            {"stdin": fail},
            {"stdin": b"x", "stdout": fail},
            {"stdin": lambda size: b"x" * (size + 1)},
        ]
        for settings in bad:
            with self.assertRaises(Trap) as caught:
                self.run_wasi(**settings)
            self.assertIsInstance(caught.exception.__cause__, (ValueError, wasmrun.UsageError))

    def test_files_as_streams(self) -> None:
        with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as to:
            source.write(b"from a file")
            source.seek(0)
            self.run_wasi(stdin=source, stdout=to)
            to.seek(0)
            self.assertEqual(to.read(), b"from a file")
        with self.assertRaises(wasmrun.UsageError):
            Wasi(stdout="somewhere")

    def test_too_much_output(self) -> None:
        with self.assertRaisesRegex(Trap, "more than 4 bytes"):
            self.run_wasi(stdin=b"12345", stdout="capture", capture_limit=4)

    def test_environment(self) -> None:
        linker = Linker(ENGINE)
        linker.define_wasi()
        text = (
            f"(module {WASI_IMPORTS} (memory (export \"memory\") 1)"
            ' (func (export "env") (result i32) (drop (call $env (i32.const 0) (i32.const 4))) (i32.load (i32.const 4)))'
            ' (func (export "time") (result i64)'
            "  (drop (call $time (i32.const 0) (i64.const 1) (i32.const 8))) (i64.load (i32.const 8))))"
        )
        store = Store(ENGINE, wasi=Wasi(env={"NAME": "value"}, fixed_time=12345, seed=1))
        instance = instance_of(text, store, linker)
        self.assertEqual(instance.func("env")(), len("NAME=value") + 1)
        self.assertIn(instance.func("time")(), range(12345, 12345 + 2000001))
        store.wasi = Wasi(env={})
        self.assertEqual(instance.func("env")(), 0)
        with self.assertRaises(Trap):  # a store without
            instance_of(text, Store(ENGINE), linker).func("env")()

    def copy_file(self, name: str, files: Any, out: Any) -> wasmrun.Completed:
        program = wasmrun.wat_to_wasm(COPY_FILE)
        return wasmrun.run_wasi(program, stdin=name.encode(), engine=ENGINE, files={"/in": files, "/out": out})

    def test_files_in_memory(self) -> None:
        out = MemoryFiles({"kept": b"!"}, writable=True)
        done = self.copy_file("a/b", {"a/b": b"contents", "c": b""}, out)
        self.assertEqual(done.status, 44)  # "old" is no more
        self.assertEqual(out.contents, {"kept": b"!", "sub/x": b"contents"})
        self.assertEqual([name in done.stdout for name in (b"kept", b"sub", b"old", b"x")], [True, True, False, False])
        self.assertEqual(self.copy_file("none", {}, out).status, 44)
        self.assertEqual(self.copy_file("a", {"a/b": b""}, out).status, 31)
        self.assertEqual(self.copy_file("f", {"f": b""}, {}).status, 69)  # read-only
        self.assertEqual(self.copy_file("f", {"f": b"12"}, MemoryFiles(writable=True, limit=1)).status, 51)

    def test_files_of_ones_own(self) -> None:
        closed = []

        class Square(File):
            def __init__(self, number: int) -> None:
                self.text = str(number**2).encode()

            def read(self, size: int, offset: int) -> bytes:
                return self.text[offset : offset + size]

            def stat(self) -> FileStat:
                return FileStat(size=len(self.text))

            def close(self) -> None:
                closed.append(1)

        class Squares(Files):
            """Every number is a file, which holds its square."""

            def stat(self, path: str) -> FileStat:
                return FileStat(FileKind.FILE if path.isdigit() else FileKind.DIRECTORY)

            def open(self, path: str, flags: OpenFlags) -> File:
                errors = [PermissionError(), OSError(errno.EBUSY, "busy"), ValueError("a mistake")]
                if int(path) < len(errors):
                    raise errors[int(path)]
                return Square(int(path))

        out = MemoryFiles(writable=True)
        self.assertEqual(self.copy_file("12", Squares(), out).status, 44)
        gc.collect()
        self.assertEqual((out.contents, closed), ({"sub/x": b"144"}, [1]))
        seen = []
        hook, sys.unraisablehook = sys.unraisablehook, lambda args: seen.append(args.exc_type)
        try:
            statuses = [self.copy_file(name, Squares(), out).status for name in "012"]
        finally:
            sys.unraisablehook = hook
        self.assertEqual((statuses, seen), ([2, 10, 29], [ValueError]))

    def test_directories(self) -> None:
        with self.assertRaises(wasmrun.FileError):
            Wasi(dirs={"/data": "/nonexistent"})
        hello = os.environ.get("WASMRUN_TEST_GUEST")  # lists lines of a file, sorted: examples/sort.c
        if hello:
            with tempfile.TemporaryDirectory() as folder:
                Path(folder, "lines").write_text("b\na\n")
                done = wasmrun.run_wasi(hello, ["/data/lines"], read_only_dirs={"/data": folder}, timeout=60)
                self.assertEqual((done.status, done.stdout[:4]), (0, b"a\nb\n"))
            done = wasmrun.run_wasi(hello, ["/data/lines"], files={"/data": {"lines": b"d\nc\n"}}, timeout=60)
            self.assertEqual((done.status, done.stdout[:4]), (0, b"c\nd\n"))


class Ownership(unittest.TestCase):
    def test_closing(self) -> None:
        engine = Engine()
        module = Module(engine, SPIN)
        linker = Linker(engine)
        store = Store(engine)
        instance = linker.instantiate(store, module)
        engine.close()
        module.close()
        linker.close()
        each_raises(self, wasmrun.UsageError, lambda: Linker(engine), lambda: linker.instantiate(store, module), lambda: linker.define_wasi())
        func = instance.func("spin")
        store.close()
        store.close()
        each_raises(self, wasmrun.UsageError, func, lambda: store.fuel, lambda: instance.func("spin"), store.collect)

    def test_closing_under_a_guest(self) -> None:
        linker, store = Linker(ENGINE), Store(ENGINE)
        linker.define_func("h", "close", ">", store.close)
        with self.assertRaises(Trap) as caught:
            instance_of('(module (import "h" "close" (func $f)) (func (export "f") call $f))', store, linker).func("f")()
        self.assertIsInstance(caught.exception.__cause__, wasmrun.UsageError)
        store.close()

    def test_linker_of_a_closed_store(self) -> None:
        linker, store = Linker(ENGINE), Store(ENGINE)
        linker.define("h", "f", Func.new(store, ">", print))
        store.close()
        each_raises(self, wasmrun.UsageError, lambda: linker.instantiate(Store(ENGINE), Module(ENGINE, "(module)")), linker.define_wasi)

    def test_host_functions_are_released(self) -> None:
        def make() -> tuple[weakref.ref[Any], weakref.ref[Any]]:
            def one() -> None:
                pass

            def two() -> None:
                pass

            linker, store = Linker(ENGINE), Store(ENGINE)
            linker.define_func("h", "one", ">", one)
            Func.new(store, ">", two)
            instance_of('(module (import "h" "one" (func)))', store, linker)
            return weakref.ref(one), weakref.ref(two)

        ones = make()
        gc.collect()
        self.assertEqual([one() for one in ones], [None, None])

    def test_exceptions_are_released(self) -> None:
        from wasmrun import _errors

        def fail() -> None:
            raise ValueError

        linker = Linker(ENGINE)
        linker.define_func("h", "f", ">", fail)
        run = instance_of('(module (import "h" "f" (func $f)) (func (export "f") call $f))', linker=linker).func("f")
        for _ in range(10):
            with self.assertRaises(Trap):
                run()
        gc.collect()
        self.assertEqual(len(_errors._passing), 0)


class Threads(unittest.TestCase):
    def test_one_at_a_time(self) -> None:
        store, linker, begun = Store(ENGINE, interruptible=True), Linker(ENGINE), threading.Event()
        linker.define_func("h", "begun", ">", begun.set)
        text = '(module (import "h" "begun" (func $begun)) (func (export "spin") (call $begun) (loop (br 0))))'
        spin = instance_of(text, store, linker).func("spin")
        found: list[BaseException] = []

        def other() -> None:
            begun.wait()
            uses: list[Callable[[], object]] = [spin, lambda: store.fuel, store.close, lambda: Memory.new(store, 1)]
            for use in uses:
                try:
                    use()
                except wasmrun.UsageError as e:
                    found.append(e)
            store.interrupt()

        thread = threading.Thread(target=other)
        thread.start()
        with self.assertRaises(Trap):
            spin()
        thread.join()
        self.assertEqual(len(found), 4)
        moved: list[int] = []  # a store may change threads
        thread = threading.Thread(target=lambda: moved.append(len(Memory.new(store, 1))))
        thread.start()
        thread.join()
        self.assertEqual(moved, [65536])

    def test_prelinked(self) -> None:
        linker = Linker(ENGINE)
        linker.define_func("h", "f", "i>i", lambda n: n + 1)
        linker.define_wasi()
        pre = linker.prelink(
            Module(
                ENGINE,
                '(module (import "h" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)'
                ' (func (export "run") (param i32) (result i32) (i32.store (i32.const 0)'
                "  (i32.add (i32.load (i32.const 0)) (call $f (local.get 0)))) (i32.load (i32.const 0))))",
            )
        )
        linker.close()
        wrong: list[int] = []

        def work(n: int) -> None:
            for i in range(50):
                with pre.new_store(memory_limit=1 << 20) as store:
                    result = pre.instantiate(store).func("run")(n + i)
                    if result != n + i + 1:
                        wrong.append(result)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        stats = pre.stats
        self.assertEqual((stats.live, stats.made + stats.reused), (0, 200))
        self.assertGreater(stats.reused, 0)

    def test_closing_meanwhile(self) -> None:
        """What one thread closes, another one may be using."""
        for _ in range(30):
            engine = Engine()
            module = Module(engine, SPIN)
            linker = Linker(engine)

            def work() -> None:
                try:
                    for _ in range(20):
                        linker.instantiate(Store(engine), module)
                except wasmrun.UsageError:
                    pass

            thread = threading.Thread(target=work)
            thread.start()
            for thing in (module, linker, engine):
                thing.close()
            thread.join()

    def test_store_dropped_in_another_thread(self) -> None:
        def work() -> None:
            for _ in range(100):
                instance_of('(module (memory 1))', Store(ENGINE))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            gc.collect()
        for thread in threads:
            thread.join()


class Readme(unittest.TestCase):
    def test_example(self) -> None:
        """The first example of the README, as it stands there."""
        readme = Path(os.environ.get("WASMRUN_TEST_README", Path(__file__).parent.parent / "README.md"))
        lines = readme.read_text(encoding="utf-8").split("\n")
        start = next(i for i, line in enumerate(lines) if line.startswith("    from wasmrun import"))
        code = []
        for line in lines[start:]:
            if line and not line.startswith("    "):
                break
            code.append(line[4:])
        back = os.getcwd()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                Path("hello.wasm").write_bytes(wasmrun.wat_to_wasm(COPY))
                names: dict[str, Any] = {}
                exec("\n".join(code), names)
            finally:
                os.chdir(back)
        self.assertEqual(names["status"], 0)


if __name__ == "__main__":
    unittest.main()
