;; eh_storm.wat - exceptions thrown often and through several frames: a backtracking search that fails by
;; throwing, rethrown references, a choice among tags. eh_storm.c is the same with error codes.
(data (i32.const 768) "eh_storm")
(global $name_length i32 (i32.const 8))
(global $preset i64 (i64.const 4000))
(tag $dead_end)
(tag $found (param i32 i32))
(tag $other (param i64))

;; Goes down, choosing by random bits; ends in $found or $dead_end. Every third level catches dead ends
;; and tries once more.
(func $search (param $depth i32) (param $path i32)
  (local $r i32)
  (local.set $r (call $random))
  (if (i32.eqz (local.get $depth))
    (then
      (if (i32.eqz (i32.and (local.get $r) (i32.const 7)))
        (then (throw $found (local.get $path) (local.get $r))))
      (throw $dead_end)))
  (if (i32.rem_u (local.get $depth) (i32.const 3))
    (then
      (call $search (i32.sub (local.get $depth) (i32.const 1))
        (i32.add (i32.mul (local.get $path) (i32.const 3)) (i32.and (local.get $r) (i32.const 1))))
      (return)))
  (block $again
    (try_table (catch $dead_end $again)
      (call $search (i32.sub (local.get $depth) (i32.const 1))
        (i32.add (local.get $path) (i32.shr_u (local.get $r) (i32.const 28)))))
    (return))
  (call $search (i32.sub (local.get $depth) (i32.const 1)) (i32.xor (local.get $path) (local.get $r))))

;; Passes exceptions on, counting them in the default memory.
(func $watch (param $depth i32)
  (block $caught (result exnref)
    (try_table (catch_all_ref $caught)
      (call $search (local.get $depth) (i32.const 1)))
    (return))
  (i32.store (i32.const 1024) (i32.add (i32.load (i32.const 1024)) (i32.const 1)))
  (throw_ref))

(func $main (param $sum i64) (result i64)
  (local $i i32) (local $a i32) (local $b i32)
  (i32.store (i32.const 1024) (i32.const 0))
  (local.set $i (i32.const 30))
  (loop $next
    (block $done
      (block $dead_end
        (block $found (result i32 i32)
          (block $never (result i64)
            (try_table (catch $other $never) (catch $found $found) (catch $dead_end $dead_end)
              (call $watch (i32.add (i32.const 6) (i32.and (local.get $i) (i32.const 7)))))
            (br $done))
          (drop)
          (br $done))
        (local.set $b) (local.set $a)
        (local.set $sum
          (call $mix (local.get $sum) (i64.extend_i32_u (i32.add (local.get $a) (local.get $b)))))
        (br $done))
      (local.set $sum (i64.add (local.get $sum) (i64.const 1))))
    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
    (br_if $next (local.get $i)))
  (call $mix (local.get $sum) (i64.extend_i32_u (i32.load (i32.const 1024)))))
