;; Binary trees: short-lived ones are made and dropped while a long-lived one stays.
;;   run(depth)     the usual benchmark: trees of all even depths from 4 on; nodes counted
;;   begin(depth)   makes the long-lived tree
;;   step()         makes, counts and drops a tree of 511 nodes: for the longest pause
(module
  (type $node (struct (field $left (ref null $node)) (field $right (ref null $node))))
  (global $long (mut (ref null $node)) (ref.null $node))

  (func $make (param $depth i32) (result (ref $node))
    (if (result (ref $node)) (i32.eqz (local.get $depth))
      (then (struct.new_default $node))
      (else
        (local.set $depth (i32.sub (local.get $depth) (i32.const 1)))
        (struct.new $node (call $make (local.get $depth)) (call $make (local.get $depth))))))

  (func $count (param $tree (ref null $node)) (result i32)
    (if (result i32) (ref.is_null (struct.get $node $left (local.get $tree)))
      (then (i32.const 1))
      (else
        (i32.add
          (i32.add (call $count (struct.get $node $left (local.get $tree)))
                   (call $count (struct.get $node $right (local.get $tree))))
          (i32.const 1)))))

  (func (export "begin") (param $depth i32)
    (global.set $long (call $make (local.get $depth))))

  (func (export "step") (result i32)
    (call $count (call $make (i32.const 8))))

  (func (export "run") (param $depth i32) (result i32)
    (local $d i32) (local $trees i32) (local $sum i32)
    (local.set $sum (call $count (call $make (i32.add (local.get $depth) (i32.const 1)))))
    (global.set $long (call $make (local.get $depth)))
    (local.set $d (i32.const 4))
    (loop $depths
      (local.set $trees
        (i32.shl (i32.const 1)
                 (i32.add (i32.sub (local.get $depth) (local.get $d)) (i32.const 4))))
      (loop $again
        (local.set $sum (i32.add (local.get $sum) (call $count (call $make (local.get $d)))))
        (br_if $again (local.tee $trees (i32.sub (local.get $trees) (i32.const 1)))))
      (br_if $depths
        (i32.le_s (local.tee $d (i32.add (local.get $d) (i32.const 2))) (local.get $depth))))
    (i32.add (local.get $sum) (call $count (global.get $long)))))
