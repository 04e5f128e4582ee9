;; A hash table of linked cells, at most eight in a chain: old objects are written all the time, and
;; refer to new ones.
;;   run(n)     n insertions; sums what is met in the chains
;;   begin(n)   n insertions: fills the table
;;   step()     256 insertions: for the longest pause
(module
  (type $cell (struct (field $value i32) (field $next (mut (ref null $cell)))))
  (type $table (array (mut (ref null $cell))))
  (global $table (ref $table) (array.new_default $table (i32.const 65536)))
  (global $count (mut i32) (i32.const 0))

  ;; Cuts the chain after its eighth cell; the sum of values up to there.
  (func $cut (param $cell (ref null $cell)) (result i32) (local $n i32) (local $sum i32)
    (loop $next
      (if (ref.is_null (local.get $cell)) (then (return (local.get $sum))))
      (local.set $sum (i32.add (local.get $sum) (struct.get $cell $value (local.get $cell))))
      (if (i32.eq (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 8))
        (then (struct.set $cell $next (local.get $cell) (ref.null $cell))))
      (local.set $cell (struct.get $cell $next (local.get $cell)))
      (br $next))
    (unreachable))

  (func $insert (result i32) (local $slot i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (local.set $slot
      (i32.shr_u (i32.mul (global.get $count) (i32.const 0x9E3779B1)) (i32.const 16)))
    (array.set $table (global.get $table) (local.get $slot)
      (struct.new $cell (global.get $count)
                        (array.get $table (global.get $table) (local.get $slot))))
    (call $cut (array.get $table (global.get $table) (local.get $slot))))

  (func $run (export "run") (param $n i32) (result i32) (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (local.get $sum) (call $insert)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "begin") (param $n i32) (drop (call $run (local.get $n))))

  (func (export "step") (result i32) (call $run (i32.const 256))))
