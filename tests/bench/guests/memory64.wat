;; memory64.wat - a 64-bit memory beside the default one: a sieve, sums over words, a linked list with
;; 64-bit links, copies between the two memories. memory64.c is the same.
(data (i32.const 768) "memory64")
(global $name_length i32 (i32.const 8))
(global $preset i64 (i64.const 200))
(memory $wide i64 4)

(func $sieve (param $limit i64) (result i32)
  (local $i i64) (local $j i64) (local $count i32)
  (memory.fill $wide (i64.const 0) (i32.const 1) (local.get $limit))
  (local.set $i (i64.const 2))
  (loop $next
    (if (i32.load8_u $wide (local.get $i))
      (then
        (local.set $count (i32.add (local.get $count) (i32.const 1)))
        (local.set $j (i64.mul (local.get $i) (local.get $i)))
        (loop $strike
          (if (i64.lt_u (local.get $j) (local.get $limit))
            (then
              (i32.store8 $wide (local.get $j) (i32.const 0))
              (local.set $j (i64.add (local.get $j) (local.get $i)))
              (br $strike))))))
    (local.set $i (i64.add (local.get $i) (i64.const 1)))
    (br_if $next (i64.lt_u (local.get $i) (local.get $limit))))
  (local.get $count))

;; Nodes of {link, value} at 65536, in an order that a stride of 7 gives.
(func $list (param $nodes i64) (result i64)
  (local $i i64) (local $at i64) (local $sum i64)
  (loop $link
    (local.set $at (i64.add (i64.const 65536) (i64.shl (local.get $i) (i64.const 4))))
    (i64.store $wide (local.get $at)
      (i64.add (i64.const 65536)
        (i64.shl (i64.rem_u (i64.add (local.get $i) (i64.const 7)) (local.get $nodes)) (i64.const 4))))
    (i64.store $wide offset=8 (local.get $at) (i64.extend_i32_u (call $random)))
    (local.set $i (i64.add (local.get $i) (i64.const 1)))
    (br_if $link (i64.lt_u (local.get $i) (local.get $nodes))))
  (local.set $at (i64.const 65536))
  (loop $walk
    (local.set $sum
      (i64.add (i64.mul (local.get $sum) (i64.const 3)) (i64.load $wide offset=8 (local.get $at))))
    (local.set $at (i64.load $wide (local.get $at)))
    (local.set $i (i64.sub (local.get $i) (i64.const 1)))
    (br_if $walk (i64.ne (local.get $i) (i64.const 0))))
  (local.get $sum))

;; Through the default memory and back, in pieces.
(func $copies (param $count i32) (result i32)
  (local $sum i32)
  (loop $next
    (memory.copy $memory $wide (i32.const 2048) (i64.const 65536) (i32.const 200))
    (i32.store (i32.const 2100)
      (i32.add (i32.load (i32.const 2100)) (i32.load16_u (i32.const 2208))))
    (memory.copy $wide $memory (i64.const 65600) (i32.const 2050) (i32.const 180))
    (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 5)) (i32.load $wide (i64.const 65650))))
    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
    (br_if $next (local.get $count)))
  (local.get $sum))

(func $main (param $sum i64) (result i64)
  (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u
    (call $sieve (i64.add (i64.const 20000) (i64.and (local.get $sum) (i64.const 255)))))))
  (local.set $sum (call $mix (local.get $sum) (call $list (i64.const 2000))))
  (call $mix (local.get $sum) (i64.extend_i32_u (call $copies (i32.const 500)))))
