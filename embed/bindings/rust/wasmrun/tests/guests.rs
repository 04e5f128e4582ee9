//! The crate as its users have it: guests in the text format, against libwasmrun.

use std::io::{Cursor, Read, Write};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use wasmrun::*;

const SPIN: &str = r#"(module (func (export "spin") (loop (br 0))))"#;

fn engine() -> Engine {
    Engine::new().unwrap()
}

fn store() -> Store<()> {
    Store::new(&engine(), ()).unwrap()
}

fn engine_and_store() -> (Engine, Store<()>) {
    let engine = engine();
    let store = Store::new(&engine, ()).unwrap();
    (engine, store)
}

fn instance<T: 'static>(engine: &Engine, store: &mut Store<T>, text: &str) -> Instance {
    Linker::new(engine).instantiate(store, &Module::from_wat(engine, text).unwrap()).unwrap()
}

fn assert_send<T: Send>() {}
fn assert_sync<T: Sync>() {}

#[test]
fn auto_traits() {
    assert_send::<Engine>();
    assert_sync::<Engine>();
    assert_send::<Module>();
    assert_sync::<Module>();
    assert_send::<Linker<std::cell::Cell<u8>>>();
    assert_sync::<Linker<std::cell::Cell<u8>>>();
    assert_sync::<Prelinked<u8>>();
    assert_send::<Store<u8>>();
    assert_send::<Error>();
    assert_sync::<Error>();
    assert_sync::<InterruptHandle>();
    assert_sync::<Func>();
    assert_send::<Wasi>();
}

#[test]
fn modules() {
    let engine = engine();
    let module = Module::from_wat(
        &engine,
        r#"(module (import "m" "f" (func (param i32 v128) (result i64))) (import "m" "t" (table 2 9 externref))
            (memory (export "mem") 1 5) (global (export "g") (mut f64) (f64.const 0)) (tag (export "e") (param i64))
            (@custom "note" "hi"))"#,
    )
    .unwrap();
    let imports = module.imports();
    assert_eq!((imports[0].module.as_str(), imports[0].name.as_str()), ("m", "f"));
    assert_eq!(imports[0].ty, ExternType::Func("iv>I".into()));
    assert_eq!(
        imports[1].ty,
        ExternType::Table { element: ValKind::ExternRef, min: 2, max: Some(9), is_64: false }
    );
    let exports = module.exports();
    assert_eq!(exports[0].name, "mem");
    assert!(matches!(exports[0].ty, ExternType::Memory { min: 1, max: Some(5), page_size: 65536, .. }));
    assert_eq!(exports[1].ty, ExternType::Global { value: ValKind::F64, is_mutable: true });
    assert_eq!(exports[2].ty, ExternType::Tag("I>".into()));
    assert_eq!(module.custom_section("note"), Some(&b"hi"[..]));
    assert_eq!(module.custom_section("none"), None);
    assert!(library_version().starts_with("0.1."));
}

#[test]
fn errors_of_modules() {
    let engine = engine();
    let error = Module::new(&engine, b"\0asm\x01\0\0\0\xff").unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Malformed, Some(8)));
    let error = Module::from_wat(&engine, "(module\n (func (result i32)\n  i64.const 1))").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.place().unwrap().contains(":3:") || error.place().unwrap().contains(":2:"), "{:?}", error);
    let error = Module::from_file(&engine, "/nonexistent/file.wasm").unwrap_err();
    assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::NotFound);
    let unlinkable = Module::from_wat(&engine, r#"(module (import "no" "such" (func)))"#).unwrap();
    let error = Linker::new(&engine).instantiate(&mut store_in(&engine), &unlinkable).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unlinkable);
    assert!(Config::new().feature("no-such-thing", true).is_err());
}

fn store_in(engine: &Engine) -> Store<()> {
    Store::new(engine, ()).unwrap()
}

#[test]
fn typed_and_untyped_calls() {
    let (engine, mut store) = engine_and_store();
    let text = r#"(module
        (func (export "mix") (param i32 i64 f32 f64 v128 externref) (result externref v128 f64 f32 i64 i32)
            local.get 5 local.get 4 local.get 3 local.get 2 local.get 1 local.get 0)
        (func (export "nothing"))
        (func (export "func") (param funcref) (result funcref) local.get 0))"#;
    let instance = instance(&engine, &mut store, text);
    let host = Ref::host(&mut store, String::from("mine")).unwrap();
    type Args = (i32, u64, f32, f64, u128, Option<Ref>);
    type Out = (Option<Ref>, u128, f64, f32, i64, u32);
    let mix = instance.typed_func::<Args, Out>(&mut store, "mix").unwrap();
    let big = u128::from_le_bytes(*b"0123456789abcdef");
    let out = mix.call(&mut store, (-1, u64::MAX, 0.5, -0.25, big, Some(host))).unwrap();
    assert_eq!(out, (Some(host), big, -0.25, 0.5, -1, u32::MAX));
    assert_eq!(out.0.unwrap().host_value::<String>(&store).unwrap(), "mine");
    assert_eq!(out.0.unwrap().host_value::<u8>(&store), None);
    let args =
        [Val::I32(1), Val::I64(2), Val::F32(3.0), Val::F64(4.0), Val::V128(big), Val::ExternRef(Some(host))];
    let mut back = mix.func().call(&mut store, &args).unwrap();
    back.reverse();
    assert_eq!(back, args);
    assert_eq!(mix.func().signature(&store).unwrap(), "iIfFve>evFfIi");

    let nothing = instance.func(&mut store, "nothing").unwrap();
    nothing.typed::<(), ()>(&store).unwrap().call(&mut store, ()).unwrap();
    let func = instance.typed_func::<Option<Func>, Option<Func>>(&mut store, "func").unwrap();
    assert_eq!(func.call(&mut store, Some(nothing)).unwrap(), Some(nothing));
    assert_eq!(func.call(&mut store, None).unwrap(), None);
    assert_eq!(
        func.func().call(&mut store, &[Val::FuncRef(Some(nothing))]).unwrap()[0],
        Val::FuncRef(Some(nothing))
    );

    let wrong = instance.typed_func::<(), i32>(&mut store, "nothing").unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::Usage);
    assert!(wrong.message().contains(">, not >i"), "{}", wrong);
    assert_eq!(nothing.call(&mut store, &[Val::I32(1)]).unwrap_err().kind(), ErrorKind::Usage);
    assert!(instance.func(&mut store, "none").is_err());
    assert!(instance.memory(&mut store, "nothing").is_err());
}

#[test]
fn other_stores_are_refused() {
    let (engine, mut one) = engine_and_store();
    let mut other = store_in(&engine);
    let instance = instance(
        &engine,
        &mut one,
        r#"(module (memory (export "m") 1) (func (export "f") (param externref)))"#,
    );
    let (func, memory) = (instance.func(&mut one, "f").unwrap(), instance.memory(&mut one, "m").unwrap());
    let foreign = Ref::host(&mut other, 1u8).unwrap();
    let typed = func.typed::<Option<Ref>, ()>(&one).unwrap();
    assert_eq!(typed.call(&mut other, None).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(typed.call(&mut one, Some(foreign)).unwrap_err().kind(), ErrorKind::Usage);
    assert_eq!(func.call(&mut one, &[Val::ExternRef(Some(foreign))]).unwrap_err().kind(), ErrorKind::Usage);
    assert!(memory.data(&other).is_err());
    assert!(memory.grow(&mut other, 1).is_err());
    assert!(foreign.host_value::<u8>(&one).is_none());
    drop(one); // addresses may be used again, ids are not
    for _ in 0..10 {
        let mut next = store_in(&engine);
        assert!(func.call(&mut next, &[Val::ExternRef(None)]).is_err());
        assert!(memory.size(&next).is_err());
    }
}

#[test]
fn host_functions() {
    let engine = engine();
    let mut store = Store::new(&engine, Vec::<String>::new()).unwrap();
    let mut linker = Linker::new(&engine);
    linker
        .func("h", "log", |mut caller: Caller<'_, Vec<String>>, address: u32, size: u32| -> Result<u32> {
            assert!(caller.patience().is_none());
            caller.poll()?;
            let memory = caller.memory()?;
            let text = memory.read_string(&caller, address.into(), size)?;
            memory.data_mut(&mut caller)?[address as usize] = b'J';
            caller.data_mut().push(text);
            let again = caller.export("add");
            let add = match again {
                Some(Extern::Func(f)) => f.typed::<(i32, i32), i32>(&caller)?,
                _ => return Err(Error::trap("no add")),
            };
            Ok(add.call(&mut caller, (20, 22))? as u32)
        })
        .unwrap()
        .func("h", "swap", |a: i32, b: f64| (b, a))
        .unwrap()
        .func_new("h", "untyped", "iv>vi", |_, args, results| {
            results.copy_from_slice(&[args[1], args[0]]);
            Ok(())
        })
        .unwrap()
        .func("h", "unit", || ())
        .unwrap()
        .alias("h", "unit", "other", "unit")
        .unwrap();
    let text = r#"(module
        (import "h" "log" (func $log (param i32 i32) (result i32)))
        (import "h" "swap" (func $swap (param i32 f64) (result f64 i32)))
        (import "h" "untyped" (func $untyped (param i32 v128) (result v128 i32)))
        (import "other" "unit" (func $unit))
        (memory (export "memory") 1) (data (i32.const 8) "hello\ff")
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "log") (param i32) (result i32) (call $unit) (call $log (i32.const 8) (local.get 0)))
        (func (export "swap") (param i32 f64) (result f64 i32) (call $swap (local.get 0) (local.get 1)))
        (func (export "untyped") (param i32 v128) (result v128 i32) (call $untyped (local.get 0) (local.get 1))))"#;
    let instance = linker.instantiate(&mut store, &Module::from_wat(&engine, text).unwrap()).unwrap();
    drop(linker);
    let log = instance.typed_func::<u32, u32>(&mut store, "log").unwrap();
    assert_eq!(log.call(&mut store, 5).unwrap(), 42);
    assert_eq!(log.call(&mut store, 5).unwrap(), 42);
    assert_eq!(store.data(), &["hello", "Jello"]);
    assert!(log.call(&mut store, 6).unwrap_err().downcast_ref::<std::string::FromUtf8Error>().is_some());
    assert!(log.call(&mut store, u32::MAX).unwrap_err().message().contains("not in the memory"));
    let swap = instance.typed_func::<(i32, f64), (f64, i32)>(&mut store, "swap").unwrap();
    assert_eq!(swap.call(&mut store, (7, 0.5)).unwrap(), (0.5, 7));
    let untyped = instance.typed_func::<(i32, u128), (u128, i32)>(&mut store, "untyped").unwrap();
    assert_eq!(untyped.call(&mut store, (7, u128::MAX - 1)).unwrap(), (u128::MAX - 1, 7));
    let made = Func::wrap(&mut store, |n: i64| n + 1).unwrap();
    assert_eq!(made.call(&mut store, &[Val::I64(41)]).unwrap(), [Val::I64(42)]);
    assert!(Func::new(&mut store, "?", |_, _, _| Ok(())).is_err());
    assert!(Linker::<()>::new(&engine).func_new("h", "f", "i", |_, _, _| Ok(())).is_err());
    assert!(Linker::<()>::new(&engine).func("h\0", "f", || ()).is_err());
}

const CALL: &str = r#"(module $guest (import "h" "f" (func $f (param i32) (result i32)))
    (func $inner (param i32) (result i32) (call $f (local.get 0)))
    (func (export "run") (param i32) (result i32) (call $inner (local.get 0))))"#;

fn run_host<P, R>(function: impl IntoFunc<(), P, R>) -> Result<i32> {
    let (engine, mut store) = engine_and_store();
    let mut linker = Linker::new(&engine);
    linker.func("h", "f", function)?;
    let instance = linker.instantiate(&mut store, &Module::from_wat(&engine, CALL)?)?;
    let run = instance.typed_func::<i32, i32>(&mut store, "run")?;
    run.call(&mut store, 1)
}

#[derive(Debug, PartialEq)]
struct Mine(u32);
impl std::fmt::Display for Mine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "mine \0 {}", self.0)
    }
}
impl std::error::Error for Mine {}

#[test]
fn errors_of_host_functions() {
    let error = run_host(|_: i32| -> Result<i32> { Err(Error::host(Mine(7))) }).unwrap_err();
    assert_eq!((error.kind(), error.trap_code()), (ErrorKind::Trap, Some(TrapCode::Host)));
    assert_eq!(error.downcast_ref::<Mine>(), Some(&Mine(7)));
    assert_eq!(error.message(), "mine \u{fffd} 7");
    assert!(std::error::Error::source(&error).is_some());
    let frames = error.frames();
    assert_eq!(frames[0].function_name.as_deref(), Some("f"));
    assert_eq!(frames[0].module_name.as_deref(), Some("h"));
    assert_eq!(frames[1].function_name.as_deref(), Some("inner"));
    assert_eq!(frames[1].module_name.as_deref(), Some("guest"));
    assert_eq!(frames[2].function_name.as_deref(), Some("run"));
    assert!(error.rendered().contains("guest!inner"), "{}", error.rendered());

    let error = run_host(|_: i32| -> Result<i32> { Err(Error::exit(3)) }).unwrap_err();
    assert_eq!((error.kind(), error.exit_status()), (ErrorKind::Exit, Some(3)));
    let error = run_host(|_: i32| -> Result<i32> { Err(Error::trap("no")) }).unwrap_err();
    assert_eq!((error.message(), error.downcast_ref::<Mine>()), ("no", None));
}

#[test]
fn panics_become_traps() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let literal = run_host(|_: i32| -> i32 { panic!("at the disco") });
    let formatted = run_host(|n: i32| -> i32 { panic!("number {}", n) });
    struct Bomb;
    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("in drop");
        }
    }
    let nasty = run_host(|_: i32| -> i32 { std::panic::panic_any(Mutex::new(Bomb)) });
    let closure_drops = std::panic::catch_unwind(AssertUnwindSafe(|| {
        let bomb = Bomb;
        run_host(move |n: i32| {
            let _keep = &bomb;
            n
        })
    }));
    std::panic::set_hook(hook);
    let error = literal.unwrap_err();
    assert_eq!(error.trap_code(), Some(TrapCode::Host));
    assert_eq!(error.message(), "host function panicked: at the disco");
    assert!(error.downcast_ref::<Panic>().is_some());
    assert_eq!(formatted.unwrap_err().message(), "host function panicked: number 1");
    assert!(nasty.unwrap_err().downcast_ref::<Panic>().is_some());
    assert_eq!(closure_drops.unwrap().unwrap(), 1);
}

#[test]
fn inner_traps_pass() {
    let text = r#"(module $in (func (export "f") (param i32) (result i32) unreachable))"#;
    let error = run_host(move |_: i32| -> Result<i32> {
        let (engine, mut inner) = engine_and_store();
        let f = instance(&engine, &mut inner, text).typed_func::<i32, i32>(&mut inner, "f")?;
        f.call(&mut inner, 1)
    })
    .unwrap_err();
    assert_eq!(error.trap_code(), Some(TrapCode::Unreachable));
    let names: Vec<_> = error.frames().into_iter().map(|f| f.function_name.unwrap()).collect();
    assert_eq!(names, ["f", "f", "inner", "run"]);
}

#[test]
fn recursion_through_the_host() {
    let (engine, mut store) = engine_and_store();
    let mut linker = Linker::new(&engine);
    linker
        .func("h", "f", |mut caller: Caller<'_, ()>, n: i32| -> Result<i32> {
            let run = caller.instance().unwrap().typed_func::<i32, i32>(&mut caller, "run")?;
            run.call(&mut caller, n + 1)
        })
        .unwrap();
    let instance = linker.instantiate(&mut store, &Module::from_wat(&engine, CALL).unwrap()).unwrap();
    let run = instance.typed_func::<i32, i32>(&mut store, "run").unwrap();
    let error = run.call(&mut store, 0).unwrap_err();
    assert_eq!(error.trap_code(), Some(TrapCode::StackExhausted));
}

#[test]
fn memories() {
    let (engine, mut store) = engine_and_store();
    let text =
        r#"(module (memory (export "m") 1 3) (memory (export "s") 1 1 shared) (data (i32.const 4) "abc"))"#;
    let instance = instance(&engine, &mut store, text);
    let memory = instance.memory(&mut store, "m").unwrap();
    assert_eq!(&memory.data(&store).unwrap()[4..7], b"abc");
    memory.data_mut(&mut store).unwrap()[5] = b'x';
    let mut bytes = [0; 3];
    memory.read(&store, 4, &mut bytes).unwrap();
    assert_eq!(&bytes, b"axc");
    memory.write(&mut store, 65533, b"end").unwrap();
    for address in [65534, u64::MAX] {
        assert!(memory.write(&mut store, address, b"end").is_err());
        assert!(memory.read(&store, address, &mut bytes).is_err());
        assert!(memory.read_string(&store, address, 3).is_err());
    }
    assert_eq!(memory.grow(&mut store, 2).unwrap(), 1);
    assert!(memory.grow(&mut store, 1).is_err());
    assert_eq!(memory.data(&store).unwrap().len(), 3 * 65536);
    assert!(matches!(Extern::from(memory).ty(&store), Ok(ExternType::Memory { min: 3, max: Some(3), .. })));
    let shared = instance.memory(&mut store, "s").unwrap();
    assert!(shared.data(&store).is_err() && shared.data_mut(&mut store).is_err());
    shared.write(&mut store, 0, b"copy").unwrap();
    assert_eq!(shared.read_string(&store, 0, 4).unwrap(), "copy");
}

#[test]
fn objects_of_the_host() {
    let (engine, mut store) = engine_and_store();
    let mut linker = Linker::new(&engine);
    let double = Func::wrap(&mut store, |n: i32| n * 2).unwrap();
    let global = Global::new(&mut store, Val::I32(5), true).unwrap();
    let memory = Memory::new(&mut store, 1, Some(2)).unwrap();
    let table = Table::new(&mut store, Val::FuncRef(Some(double)), 2, Some(4)).unwrap();
    linker.define(&store, "h", "f", double).unwrap();
    linker.define(&store, "h", "g", global).unwrap();
    linker.define(&store, "h", "m", memory).unwrap();
    linker.define(&store, "h", "z\0z", table).unwrap();
    let text = r#"(module (import "h" "f" (func $f (param i32) (result i32)))
        (import "h" "g" (global $g (mut i32))) (import "h" "m" (memory 1 2)) (import "h" "z\00z" (table 2 4 funcref))
        (func (export "run") (param i32) (result i32) (global.set $g (call $f (global.get $g)))
          (i32.store (i32.const 0) (global.get $g))
          (call_indirect (param i32) (result i32) (local.get 0) (i32.const 1))))"#;
    let module = Module::from_wat(&engine, text).unwrap();
    let instance = linker.instantiate(&mut store, &module).unwrap();
    let run = instance.typed_func::<i32, i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 4).unwrap(), 8);
    assert_eq!(global.get(&mut store).unwrap(), Val::I32(10));
    assert_eq!(memory.data(&store).unwrap()[0], 10);
    global.set(&mut store, -1).unwrap();
    assert_eq!(global.get(&mut store).unwrap(), Val::I32(-1));
    assert!(global.set(&mut store, 1.5f64).is_err());
    assert_eq!(table.get(&mut store, 1).unwrap(), Some(Val::FuncRef(Some(double))));
    assert_eq!(table.get(&mut store, 2).unwrap(), None);
    table.set(&mut store, 1, Val::FuncRef(None)).unwrap();
    assert_eq!(run.call(&mut store, 4).unwrap_err().trap_code(), Some(TrapCode::UninitializedElement));
    table.extend(&mut store, 2, Val::FuncRef(None)).unwrap();
    assert_eq!(table.size(&store).unwrap(), 4);
    assert_eq!(table.extend(&mut store, 1, Val::FuncRef(None)).unwrap_err().kind(), ErrorKind::Memory);

    // A linker that is bound to a store: in no other one, and not beyond it.
    let mut other = store_in(&engine);
    assert!(linker.instantiate(&mut other, &module).is_err());
    assert!(linker.define(&other, "h", "x", global).is_err());
    assert!(linker.prelink(&module).is_err());
    drop(store);
    assert!(linker.instantiate(&mut store_in(&engine), &module).is_err());
}

#[test]
fn instances_as_modules() {
    let (engine, mut store) = engine_and_store();
    let one = instance(&engine, &mut store, r#"(module (func (export "one") (result i32) i32.const 1))"#);
    let mut linker = Linker::new(&engine);
    linker.define_instance(&store, "a", one).unwrap();
    let module = Module::from_wat(
        &engine,
        r#"(module (import "a" "one" (func $f (result i32))) (export "f" (func $f)))"#,
    );
    let instance = linker.instantiate(&mut store, &module.unwrap()).unwrap();
    assert_eq!(instance.typed_func::<(), i32>(&mut store, "f").unwrap().call(&mut store, ()).unwrap(), 1);
}

#[test]
fn exceptions() {
    let (engine, mut store) = engine_and_store();
    let mut linker = Linker::new(&engine);
    let tag = Tag::new(&mut store, "iF").unwrap();
    linker.define(&store, "h", "e", tag).unwrap();
    linker
        .func("h", "f", move |n: i32| -> Result<()> {
            Err(Error::exception(tag, &[Val::I32(n), Val::F64(0.5)]))
        })
        .unwrap();
    let text = r#"(module (import "h" "e" (tag $e (param i32 f64))) (import "h" "f" (func $f (param i32)))
        (func (export "catch") (param i32) (result i32) (block $h (result i32 f64)
          (try_table (catch $e $h) (call $f (local.get 0))) (unreachable)) (drop))
        (func (export "pass") (param i32) (call $f (local.get 0))))"#;
    let instance = linker.instantiate(&mut store, &Module::from_wat(&engine, text).unwrap()).unwrap();
    let catch = instance.typed_func::<i32, i32>(&mut store, "catch").unwrap();
    assert_eq!(catch.call(&mut store, 41).unwrap(), 41);
    let pass = instance.typed_func::<i32, ()>(&mut store, "pass").unwrap();
    let error = pass.call(&mut store, 6).unwrap_err();
    assert_eq!((error.kind(), error.trap_code()), (ErrorKind::Exception, None));
    assert_eq!(error.thrown(), Some((tag, &[Val::I32(6), Val::F64(0.5)][..])));
    assert_eq!(error.message(), "exception 6, 0.5");
    // In another store it is a plain failure.
    let mut other = store_in(&engine);
    let again = Mutex::new(Some(error));
    let f =
        Func::wrap(&mut other, move || -> Result<()> { Err(again.lock().unwrap().take().unwrap()) }).unwrap();
    drop(store);
    assert!(f.call(&mut other, &[]).is_err());
}

#[test]
fn objects_of_the_heap() {
    let (engine, mut store) = engine_and_store();
    store.limit_heap(1 << 20);
    let text = r#"(module (type $p (struct (field (mut i32)) (field (mut anyref))))
        (func (export "pair") (param i32 anyref) (result anyref) (struct.new $p (local.get 0) (local.get 1)))
        (func (export "first") (param anyref) (result i32) (struct.get $p 0 (ref.cast (ref $p) (local.get 0)))))"#;
    let instance = instance(&engine, &mut store, text);
    let (pair, first) =
        (instance.func(&mut store, "pair").unwrap(), instance.func(&mut store, "first").unwrap());
    let small = Ref::i31(&store, -5);
    let of = |values: Vec<Val>| match values[0] {
        Val::AnyRef(Some(object)) => object,
        ref other => panic!("{:?}", other),
    };
    let object = of(pair.call(&mut store, &[Val::I32(1), Val::AnyRef(Some(small))]).unwrap());
    assert_eq!((object.len(&store), object.get(&mut store, 0)), (2, Some(Val::I32(1))));
    match object.get(&mut store, 1) {
        Some(Val::AnyRef(Some(number))) => assert_eq!(number.as_i31(), Some(-5)),
        other => panic!("{:?}", other),
    }
    assert_eq!(object.get(&mut store, 2), None);
    object.set(&mut store, 0, Val::I32(9)).unwrap();
    assert!(object.set(&mut store, 0, Val::F32(9.0)).is_err());
    for i in 0..3000 {
        // ten times the limit, if they were kept
        store.scope(|store| {
            let outer = of(pair.call(store, &[Val::I32(i), Val::AnyRef(Some(object))]).unwrap());
            assert_eq!(outer.get(store, 0), Some(Val::I32(i)));
        });
    }
    store.collect();
    assert_eq!(first.call(&mut store, &[Val::AnyRef(Some(object))]).unwrap(), [Val::I32(9)]);
}

fn spin_in(store: &mut Store<()>, engine: &Engine) -> Option<TrapCode> {
    let spin = instance(engine, store, SPIN).typed_func::<(), ()>(store, "spin").unwrap();
    spin.call(store, ()).unwrap_err().trap_code()
}

#[test]
fn limits() {
    let (engine, mut store) = engine_and_store();
    store.set_fuel(Some(10_000));
    assert_eq!(store.fuel(), Some(10_000));
    assert_eq!(spin_in(&mut store, &engine), Some(TrapCode::OutOfFuel));
    store.set_fuel(None);
    assert_eq!(store.fuel(), None);
    store.set_timeout(Some(Duration::from_millis(20))).unwrap();
    assert_eq!(spin_in(&mut store, &engine), Some(TrapCode::Deadline));
    store.set_timeout(None).unwrap();

    let handle = store.interrupt_handle();
    let other = handle.clone();
    let thread = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        other.interrupt();
    });
    assert_eq!(spin_in(&mut store, &engine), Some(TrapCode::Interrupted));
    thread.join().unwrap();
    drop(store);
    handle.interrupt();

    let module = Module::from_wat(&engine, r#"(module (memory 2))"#).unwrap();
    let mut store = store_in(&engine);
    store.limit_memory(131071);
    let error = Linker::new(&engine).instantiate(&mut store, &module).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Memory);
}

#[test]
fn calls_that_pause() {
    let (engine, mut store) = engine_and_store();
    let text = r#"(module (func $count (export "count") (param i32) (result i32) (local i32)
        (loop (local.set 1 (i32.add (local.get 1) (i32.const 1)))
          (br_if 0 (i32.lt_u (local.get 1) (local.get 0)))) (local.get 1)))"#;
    let count = instance(&engine, &mut store, text).func(&mut store, "count").unwrap();
    store.set_fuel(Some(100));
    let mut pauses = 0;
    let mut progress = count.start(&mut store, &[Val::I32(500)]).unwrap();
    let result = loop {
        match progress {
            Progress::Done(values) => break values,
            Progress::Paused(call) => {
                pauses += 1;
                assert_eq!(call.reason, TrapCode::OutOfFuel);
                assert_eq!(
                    call.backtrace(&store).unwrap().frames()[0].function_name.as_deref(),
                    Some("count")
                );
                assert!(call.backtrace(&store_in(&engine)).is_err());
                store.add_fuel(1000);
                progress = call.resume(&mut store).unwrap();
            }
        }
    };
    assert_eq!(result, [Val::I32(500)]);
    assert!(pauses > 3);
    for given_up in [true, false] {
        store.set_fuel(Some(100));
        match count.start(&mut store, &[Val::I32(500)]).unwrap() {
            Progress::Paused(call) if given_up => call.cancel(&mut store).unwrap(),
            Progress::Paused(_) => (), // the store gives it up
            Progress::Done(_) => panic!(),
        }
    }
}

const COPY: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env (param i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
      (loop $again
        (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 16))
        (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
        (i32.store (i32.const 4) (i32.load (i32.const 8)))
        (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 12)))
        (br_if $again (i32.load (i32.const 8))))
      (drop (call $args (i32.const 20) (i32.const 24)))
      (drop (call $env (i32.const 28) (i32.const 24)))
      (if (i32.load (i32.const 20))
        (then (call $exit (i32.add (i32.load (i32.const 20)) (i32.load (i32.const 28))))))))"#;

fn copy_with(wasi: Wasi) -> (Result<u32>, Vec<u8>) {
    let (engine, mut store) = engine_and_store();
    store.set_wasi(wasi).unwrap();
    let module = Module::from_wat(&engine, COPY).unwrap();
    let instance = Linker::new(&engine).wasi().unwrap().instantiate(&mut store, &module).unwrap();
    let status = instance.run(&mut store);
    let captured = store.wasi().unwrap().captured(1).to_vec();
    (status, captured)
}

struct Failing;
impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::new(std::io::ErrorKind::Other, Mine(1)))
    }
}
impl Write for Failing {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        panic!("cannot write")
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[derive(Clone, Default)]
struct Collected(Arc<Mutex<Vec<u8>>>);
impl Write for Collected {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn wasi_programs() {
    let wasi = Wasi::new().args(["program", "b"]).unwrap().env("A", "B").unwrap();
    let (status, out) =
        copy_with(wasi.input("some input, longer than sixteen").unwrap().capture(1, 100).unwrap());
    assert_eq!((status.unwrap(), out.as_slice()), (3, &b"some input, longer than sixteen"[..]));
    let (status, out) = copy_with(Wasi::new());
    assert_eq!((status.unwrap(), out.len()), (0, 0));

    let to = Collected::default();
    let wasi = Wasi::new().stdin(Cursor::new("from a reader")).unwrap().stdout(to.clone()).unwrap();
    copy_with(wasi.fixed_time(1, 1).seed(1)).0.unwrap();
    assert_eq!(to.0.lock().unwrap().as_slice(), b"from a reader");

    let error = copy_with(Wasi::new().stdin(Failing).unwrap()).0.unwrap_err();
    assert!(error.downcast_ref::<std::io::Error>().is_some(), "{:?}", error);
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    let panicked = copy_with(Wasi::new().input("x").unwrap().stdout(Failing).unwrap()).0;
    std::panic::set_hook(hook);
    assert!(panicked.unwrap_err().downcast_ref::<Panic>().is_some());
    assert!(copy_with(Wasi::new().input("12345").unwrap().capture(1, 4).unwrap()).0.is_err());

    assert_eq!(Wasi::new().dir("/nonexistent", "/d").unwrap_err().kind(), ErrorKind::Io);
    assert!(Wasi::new().args(["a\0b"]).is_err());
    let (engine, mut store) = engine_and_store(); // a store without a context
    let module = Module::from_wat(&engine, COPY).unwrap();
    let instance = Linker::new(&engine).wasi().unwrap().instantiate(&mut store, &module).unwrap();
    assert_eq!(instance.run(&mut store).unwrap_err().kind(), ErrorKind::Trap);
}

/// Opens "a", which its input names, in the first directory, and makes "b" of it in the second; lists that to its output.
const COPY_FILE: &str = r#"(module
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_readdir" (func $list (param i32 i32 i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_unlink_file" (func $unlink (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1) (data (i32.const 32) "b")
    (data (i32.const 64) "\00\01\00\00\00\02\00\00")
    (func $must (param i32) (if (local.get 0) (then (call $exit (local.get 0)))))
    (func (export "_start")
      (call $must (call $read (i32.const 0) (i32.const 64) (i32.const 1) (i32.const 88)))
      (call $must (call $open (i32.const 3) (i32.const 0) (i32.const 256) (i32.load (i32.const 88))
        (i32.const 0) (i64.const 2) (i64.const 0) (i32.const 0) (i32.const 80)))
      (call $must (call $open (i32.const 4) (i32.const 0) (i32.const 32) (i32.const 1)
        (i32.const 1) (i64.const 64) (i64.const 0) (i32.const 0) (i32.const 84)))
      (call $must (call $read (i32.load (i32.const 80)) (i32.const 64) (i32.const 1) (i32.const 88)))
      (i32.store (i32.const 68) (i32.load (i32.const 88)))
      (call $must (call $write (i32.load (i32.const 84)) (i32.const 64) (i32.const 1) (i32.const 88)))
      (call $must (call $list (i32.const 4) (i32.const 2048) (i32.const 512) (i64.const 0) (i32.const 88)))
      (i32.store (i32.const 64) (i32.const 2048)) (i32.store (i32.const 68) (i32.load (i32.const 88)))
      (call $must (call $write (i32.const 1) (i32.const 64) (i32.const 1) (i32.const 88)))
      (call $must (call $unlink (i32.const 4) (i32.const 32) (i32.const 1)))
      (call $must (call $unlink (i32.const 4) (i32.const 32) (i32.const 1)))))"#;

type Contents = Arc<Mutex<std::collections::BTreeMap<String, Vec<u8>>>>;

/// Files in memory. "panic" does, and "busy" is.
#[derive(Clone, Default)]
struct InMemory(Contents, bool);
struct Opened(InMemory, String);

impl Files for InMemory {
    fn stat(&mut self, path: &str) -> std::result::Result<FileStat, Errno> {
        match self.0.lock().unwrap().get(path) {
            Some(data) => Ok(FileStat::file(data.len() as u64)),
            None if path.is_empty() => Ok(FileStat::directory()),
            None if path == "panic" || path == "busy" => Ok(FileStat::file(0)),
            None => Err(std::io::Error::from(std::io::ErrorKind::NotFound).into()),
        }
    }
    fn open(&mut self, path: &str, flags: OpenFlags) -> std::result::Result<Box<dyn File>, Errno> {
        assert!(path != "panic");
        if path == "busy" {
            return Err(Errno::BUSY);
        }
        if flags.create {
            self.0.lock().unwrap().entry(path.to_string()).or_default();
        }
        Ok(Box::new(Opened(self.clone(), path.to_string())))
    }
    fn writable(&self) -> bool {
        self.1
    }
    fn list(&mut self, _: &str) -> std::result::Result<Vec<String>, Errno> {
        Ok(self.0.lock().unwrap().keys().cloned().collect())
    }
    fn remove(&mut self, path: &str) -> std::result::Result<(), Errno> {
        self.0.lock().unwrap().insert("removed".to_string(), path.as_bytes().to_vec());
        self.0.lock().unwrap().remove(path).map(drop).ok_or(Errno::NOENT)
    }
}

impl File for Opened {
    fn stat(&mut self) -> std::result::Result<FileStat, Errno> {
        let path = self.1.clone();
        self.0.stat(&path)
    }
    fn read(&mut self, to: &mut [u8], offset: u64) -> std::result::Result<usize, Errno> {
        let contents = (self.0).0.lock().unwrap();
        let rest = contents[&self.1].get(offset as usize..).unwrap_or(&[]);
        let n = rest.len().min(to.len());
        to[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }
    fn write(&mut self, bytes: &[u8], offset: u64) -> std::result::Result<usize, Errno> {
        let mut contents = (self.0).0.lock().unwrap();
        let data = contents.get_mut(&self.1).ok_or(Errno::IO)?;
        data.resize(offset as usize + bytes.len(), 0);
        data[offset as usize..].copy_from_slice(bytes);
        Ok(bytes.len())
    }
}

#[test]
fn wasi_files() {
    let source = InMemory::default();
    source.0.lock().unwrap().insert("a".to_string(), b"contents".to_vec());
    let copied = |name: &str, out: &InMemory| {
        let (engine, mut store) = engine_and_store();
        let wasi = Wasi::new().input(name).unwrap().capture(1, 1000).unwrap();
        let wasi = wasi.files(source.clone(), "/in").unwrap().files(out.clone(), "/out").unwrap();
        store.set_wasi(wasi).unwrap();
        let module = Module::from_wat(&engine, COPY_FILE).unwrap();
        let instance = Linker::new(&engine).wasi().unwrap().instantiate(&mut store, &module).unwrap();
        let status = instance.run(&mut store).unwrap();
        (status, store.wasi().unwrap().captured(1).to_vec())
    };
    let out = InMemory(Contents::default(), true);
    out.0.lock().unwrap().insert("kept".to_string(), Vec::new());
    let (status, listed) = copied("a", &out);
    assert_eq!(Errno(status), Errno::NOENT); // removed twice
    assert!(listed.windows(4).any(|w| w == b"kept"), "{:?}", listed);
    assert_eq!(out.0.lock().unwrap().keys().collect::<Vec<_>>(), ["kept", "removed"]);

    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| ()));
    assert_eq!(Errno(copied("panic", &out).0), Errno::IO);
    std::panic::set_hook(hook);
    assert_eq!(Errno(copied("busy", &out).0), Errno::BUSY);
    assert_eq!(Errno(copied("none", &out).0), Errno::NOENT);
    assert_eq!(Errno(copied("a", &source).0), Errno::ROFS);
}

#[test]
fn prelinked_by_threads() {
    let engine = engine();
    let mut linker = Linker::<u32>::new(&engine);
    linker.func("h", "f", |caller: Caller<'_, u32>, n: u32| n + *caller.data()).unwrap();
    let text = r#"(module (import "h" "f" (func $f (param i32) (result i32))) (memory (export "memory") 1)
        (func (export "run") (param i32) (result i32) (i32.store (i32.const 0)
          (i32.add (i32.load (i32.const 0)) (call $f (local.get 0)))) (i32.load (i32.const 0))))"#;
    let pre = linker.prelink(&Module::from_wat(&engine, text).unwrap()).unwrap();
    drop((linker, engine));
    let threads: Vec<_> = (0..4u32)
        .map(|data| {
            let pre = pre.clone();
            std::thread::spawn(move || {
                for i in 0..100 {
                    let mut store = pre.new_store(data).unwrap();
                    let instance = pre.instantiate(&mut store).unwrap();
                    let run = instance.typed_func::<u32, u32>(&mut store, "run").unwrap();
                    assert_eq!(run.call(&mut store, i).unwrap(), i + data);
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let stats = pre.stats();
    assert_eq!((stats.live, stats.made + stats.reused), (0, 400));
    assert!(stats.reused > 0);
}

#[test]
fn everything_is_dropped() {
    static ALIVE: AtomicU32 = AtomicU32::new(0);
    struct Counted;
    impl Counted {
        fn new() -> Counted {
            ALIVE.fetch_add(1, Ordering::SeqCst);
            Counted
        }
    }
    impl Drop for Counted {
        fn drop(&mut self) {
            ALIVE.fetch_sub(1, Ordering::SeqCst);
        }
    }
    let engine = Engine::with_config({
        let kept = Counted::new();
        Config::new().memory_mode(MemoryMode::Explicit).max_stack(1 << 20).pool(2, 0).log(
            LogLevel::Debug,
            move |_, _| {
                let _keep = &kept;
            },
        )
    })
    .unwrap();
    let mut store = Store::new(&engine, Counted::new()).unwrap();
    let (a, b, c, d) = (Counted::new(), Counted::new(), Counted::new(), Counted::new());
    let mut linker = Linker::new(&engine);
    let use_ = |_: &Counted| 1i32;
    linker.func("h", "f", move |n: i32| n + use_(&a)).unwrap();
    linker.func("h", "f", move |n: i32| n + use_(&b)).unwrap(); // replaces it
    Func::wrap(&mut store, move || use_(&c)).unwrap();
    assert!(linker
        .func_new("h", "g", "i>?", move |_, _, _| {
            use_(&d);
            Ok(())
        })
        .is_err());
    assert_eq!(ALIVE.load(Ordering::SeqCst), 4);
    Ref::host(&mut store, Counted::new()).unwrap();
    let instance = linker.instantiate(&mut store, &Module::from_wat(&engine, CALL).unwrap()).unwrap();
    drop((engine, linker));
    let run = instance.typed_func::<i32, i32>(&mut store, "run").unwrap();
    assert_eq!(run.call(&mut store, 1).unwrap(), 2);
    let moved = std::thread::spawn(move || run.call(&mut store, 2).unwrap());
    assert_eq!(moved.join().unwrap(), 3);
    assert_eq!(ALIVE.load(Ordering::SeqCst), 0);
    let _ = self::store();
}

/// With a compiler at hand (WASMRUN_AOT): code that is made when modules are loaded, and artifacts.
#[test]
fn compiled_code() {
    if std::env::var_os("WASMRUN_AOT").is_none() {
        return;
    }
    let text = r#"(module
        (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
        (func (export "spin") (loop (br 0))))"#;
    let compiling = Engine::with_config(Config::new().compiled(1)).unwrap();
    let module = Module::from_wat(&compiling, text).unwrap();
    assert!(module.is_compiled());

    let engine = engine();
    let module = Module::from_wat(&engine, text).unwrap();
    assert!(!module.is_compiled());
    let options = CompileOptions { level: 3, count_fuel: true, ..CompileOptions::default() };
    let path = std::env::temp_dir().join(format!("wasmrun-{}.cwasm", std::process::id()));
    std::fs::write(&path, module.compile(&options).unwrap()).unwrap();
    let compiled = unsafe { Module::from_artifact(&engine, &path) }.unwrap();
    assert!(compiled.is_compiled());
    let mut store = Store::new(&engine, ()).unwrap();
    store.set_fuel(Some(10000));
    let instance = Linker::new(&engine).instantiate(&mut store, &compiled).unwrap();
    let add = instance.typed_func::<(i32, i32), i32>(&mut store, "add").unwrap();
    assert_eq!(add.call(&mut store, (40, 2)).unwrap(), 42);
    let spin = instance.typed_func::<(), ()>(&mut store, "spin").unwrap();
    assert_eq!(spin.call(&mut store, ()).unwrap_err().trap_code(), Some(TrapCode::OutOfFuel));
    std::fs::remove_file(&path).unwrap();
}
