;; bench.wat - what every guest in the text format shares: its fields are put in front of the guest's, see
;; programs.py. It is bench.h once more: the number of iterations from argv[1], the checksum, the line of
;; output. A guest defines $main; it takes the iterations' preset from $preset, its name from $name
;; (at 768, $name_length bytes), and may use the default memory from 1024 on.
(import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
(memory $memory (export "memory") 4)
(data (i32.const 640) " iterations= checksum=\n")

;; The digits at $at up to another byte; returns the number and where that byte is.
(func $digits (param $at i32) (result i64 i32)
  (local $n i64) (local $d i32)
  (loop $next
    (local.set $d (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)))
    (if (i32.lt_u (local.get $d) (i32.const 10))
      (then
        (local.set $n (i64.add (i64.mul (local.get $n) (i64.const 10)) (i64.extend_i32_u (local.get $d))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $next))))
  (local.get $n) (local.get $at))

(func $iterations (result i64)
  (local $n i64) (local $end i32)
  (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
  (if (i32.or (i32.lt_u (i32.load (i32.const 0)) (i32.const 2))
              (i32.gt_u (i32.load (i32.const 4)) (i32.const 256)))
    (then (return (global.get $preset))))
  (drop (call $args_get (i32.const 16) (i32.const 128)))
  (call $digits (i32.load (i32.const 20)))
  (local.set $end) (local.set $n)
  (if (i32.eq (i32.load8_u (local.get $end)) (i32.const 37)) ;; %
    (then (local.set $n (i64.div_u (i64.mul (local.get $n) (global.get $preset)) (i64.const 100)))))
  (select (i64.const 1) (local.get $n) (i64.eqz (local.get $n))))

(func $mix (param $sum i64) (param $value i64) (result i64)
  (local.set $sum
    (i64.mul (i64.xor (local.get $sum) (local.get $value)) (i64.const 0x9e3779b97f4a7c15)))
  (i64.xor (local.get $sum) (i64.shr_u (local.get $sum) (i64.const 29))))

;; xorshift32
(global $seed (mut i32) (i32.const 1))
(func $random (result i32)
  (local $x i32)
  (local.set $x (i32.xor (global.get $seed) (i32.shl (global.get $seed) (i32.const 13))))
  (local.set $x (i32.xor (local.get $x) (i32.shr_u (local.get $x) (i32.const 17))))
  (global.set $seed (local.tee $x (i32.xor (local.get $x) (i32.shl (local.get $x) (i32.const 5)))))
  (local.get $x))

(global $out (mut i32) (i32.const 512))
(func $put (param $from i32) (param $length i32)
  (loop $next
    (if (local.get $length)
      (then
        (i32.store8 (global.get $out) (i32.load8_u (local.get $from)))
        (global.set $out (i32.add (global.get $out) (i32.const 1)))
        (local.set $from (i32.add (local.get $from) (i32.const 1)))
        (local.set $length (i32.sub (local.get $length) (i32.const 1)))
        (br $next)))))

(func $put_decimal (param $n i64)
  (if (i64.ge_u (local.get $n) (i64.const 10))
    (then (call $put_decimal (i64.div_u (local.get $n) (i64.const 10)))))
  (i32.store8 (global.get $out)
    (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $n) (i64.const 10)))))
  (global.set $out (i32.add (global.get $out) (i32.const 1))))

(func $put_hex (param $n i64) (param $digits i32)
  (local $d i32)
  (if (i32.gt_u (local.get $digits) (i32.const 1))
    (then (call $put_hex (i64.shr_u (local.get $n) (i64.const 4))
                         (i32.sub (local.get $digits) (i32.const 1)))))
  (local.set $d (i32.and (i32.wrap_i64 (local.get $n)) (i32.const 15)))
  (i32.store8 (global.get $out)
    (i32.add (local.get $d) (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $d) (i32.const 10)))))
  (global.set $out (i32.add (global.get $out) (i32.const 1))))

(func $report (param $iterations i64) (param $sum i64)
  (call $put (i32.const 768) (global.get $name_length))
  (call $put (i32.const 640) (i32.const 12))
  (call $put_decimal (local.get $iterations))
  (call $put (i32.const 652) (i32.const 10))
  (call $put_hex (local.get $sum) (i32.const 16))
  (call $put (i32.const 662) (i32.const 1))
  (i32.store (i32.const 0) (i32.const 512))
  (i32.store (i32.const 4) (i32.sub (global.get $out) (i32.const 512)))
  (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))

(func (export "_start")
  (local $n i64) (local $i i64) (local $sum i64)
  (local.set $n (call $iterations))
  (loop $next
    (global.set $seed (i32.or (i32.wrap_i64 (local.get $sum)) (i32.const 1)))
    (local.set $sum (call $main (local.get $sum)))
    (local.set $i (i64.add (local.get $i) (i64.const 1)))
    (br_if $next (i64.lt_u (local.get $i) (local.get $n))))
  (call $report (local.get $n) (local.get $sum)))
