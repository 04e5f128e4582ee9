;; eh_calm.wat - exceptions that are hardly ever thrown: hot loops inside of try_table, calls below a
;; handler. What they cost should be nothing. eh_calm.c is the same with error codes.
(data (i32.const 768) "eh_calm")
(global $name_length i32 (i32.const 7))
(global $preset i64 (i64.const 1000))
(tag $overflow (param i32))

;; a + b, thrown when it does not fit.
(func $add (param $a i32) (param $b i32) (result i32)
  (local $sum i32)
  (local.set $sum (i32.add (local.get $a) (local.get $b)))
  (if (i32.lt_u (local.get $sum) (local.get $a)) (then (throw $overflow (local.get $sum))))
  (local.get $sum))

(func $collatz (param $n i32) (result i32)
  (local $steps i32)
  (block $caught (result i32)
    (try_table (catch $overflow $caught)
      (loop $next
        (if (i32.and (local.get $n) (i32.const 1))
          (then
            (local.set $n
              (call $add (call $add (local.get $n) (local.get $n))
                         (call $add (local.get $n) (i32.const 1)))))
          (else (local.set $n (i32.shr_u (local.get $n) (i32.const 1)))))
        (local.set $steps (i32.add (local.get $steps) (i32.const 1)))
        (br_if $next (i32.gt_u (local.get $n) (i32.const 1)))))
    (return (local.get $steps)))
  (i32.add (local.get $steps)))

;; A handler entered and left on each turn.
(func $inner (param $count i32) (result i32)
  (local $sum i32)
  (loop $next
    (block $done
      (block $caught (result i32)
        (try_table (catch $overflow $caught)
          (local.set $sum (call $add (local.get $sum) (i32.shr_u (call $random) (i32.const 12)))))
        (br $done))
      (local.set $sum (i32.xor (i32.shr_u (local.get $sum) (i32.const 3)))))
    (local.set $count (i32.sub (local.get $count) (i32.const 1)))
    (br_if $next (local.get $count)))
  (local.get $sum))

(func $main (param $sum i64) (result i64)
  (local $i i32)
  (local.set $i (i32.const 40))
  (loop $next
    (local.set $sum
      (call $mix (local.get $sum)
        (i64.extend_i32_u
          (call $collatz (i32.or (i32.shr_u (call $random) (i32.const 12)) (i32.const 1))))))
    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
    (br_if $next (local.get $i)))
  (call $mix (local.get $sum) (i64.extend_i32_u (call $inner (i32.const 1500)))))
