;; (thread ...) and (wait ...): a store for each thread, and a memory that all of them share.

(module $memory (memory (export "shared") 1 1 shared))

(thread $waiting (shared (module $memory))
  (register "memory" $memory)
  (module
    (memory (import "memory" "shared") 1 1 shared)
    (func (export "run") (result i32)
      (loop $again ;; until the other thread has written, or it is woken
        (if (i32.eqz (i32.atomic.load (i32.const 0)))
          (then
            (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 1000000)))
            (br $again))))
      (i32.atomic.load (i32.const 4)))
  )
  (assert_return (invoke "run") (i32.const 42))
)

(thread $writing (shared (module $memory))
  (register "memory" $memory)
  (module
    (memory (import "memory" "shared") 1 1 shared)
    (func (export "run")
      (i32.atomic.store (i32.const 4) (i32.const 42))
      (i32.atomic.store (i32.const 0) (i32.const 1))
      (drop (memory.atomic.notify (i32.const 0) (i32.const 1))))
  )
  (invoke "run")
  ;; names of the outer script are not seen here, and other instances cannot be used
  (assert_unlinkable (module (import "outer" "f" (func))) "unknown import")
)

(module (func (export "f")))
(register "outer")

(wait $waiting)
(wait $writing)

(register "memory" $memory)
(module
  (import "memory" "shared" (memory 1 1 shared))
  (func (export "sum") (result i32)
    (i32.add (i32.load (i32.const 0)) (i32.load (i32.const 4))))
)
(assert_return (invoke "sum") (i32.const 43))
