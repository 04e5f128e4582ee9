;; gc_trees.wat - garbage-collected structures: binary trees built and summed, a search tree filled at
;; random and searched. gc_trees.c is the same with malloc.
(data (i32.const 768) "gc_trees")
(global $name_length i32 (i32.const 8))
(global $preset i64 (i64.const 200))
(type $tree (struct
  (field $left (mut (ref null $tree))) (field $right (mut (ref null $tree))) (field $key (mut i32))))

(func $build (param $depth i32) (result (ref $tree))
  (if (result (ref $tree)) (i32.eqz (local.get $depth))
    (then (struct.new $tree (ref.null $tree) (ref.null $tree) (i32.const 1)))
    (else
      (struct.new $tree
        (call $build (i32.sub (local.get $depth) (i32.const 1)))
        (call $build (i32.sub (local.get $depth) (i32.const 1)))
        (local.get $depth)))))

(func $count (param $t (ref null $tree)) (result i32)
  (local $n i32)
  (block $done
    (loop $next
      (br_on_null $done (local.get $t)) (drop)
      (local.set $n
        (i32.add (local.get $n)
          (i32.add (struct.get $tree $key (local.get $t))
                   (call $count (struct.get $tree $left (local.get $t))))))
      (local.set $t (struct.get $tree $right (local.get $t)))
      (br $next)))
  (local.get $n))

(func $insert (param $root (ref $tree)) (param $key i32)
  (local $t (ref $tree))
  (local.set $t (local.get $root))
  (loop $next
    (if (i32.lt_u (local.get $key) (struct.get $tree $key (local.get $t)))
      (then
        (if (ref.is_null (struct.get $tree $left (local.get $t)))
          (then
            (struct.set $tree $left (local.get $t)
              (struct.new $tree (ref.null $tree) (ref.null $tree) (local.get $key)))
            (return)))
        (local.set $t (ref.as_non_null (struct.get $tree $left (local.get $t)))))
      (else
        (if (ref.is_null (struct.get $tree $right (local.get $t)))
          (then
            (struct.set $tree $right (local.get $t)
              (struct.new $tree (ref.null $tree) (ref.null $tree) (local.get $key)))
            (return)))
        (local.set $t (ref.as_non_null (struct.get $tree $right (local.get $t))))))
    (br $next)))

;; How far down the key is or would be.
(func $depth (param $t (ref null $tree)) (param $key i32) (result i32)
  (local $n i32)
  (block $done
    (loop $next
      (br_on_null $done (local.get $t)) (drop)
      (br_if $done (i32.eq (local.get $key) (struct.get $tree $key (local.get $t))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (local.set $t
        (select (result (ref null $tree))
          (struct.get $tree $left (local.get $t)) (struct.get $tree $right (local.get $t))
          (i32.lt_u (local.get $key) (struct.get $tree $key (local.get $t)))))
      (br $next)))
  (local.get $n))

(func $main (param $sum i64) (result i64)
  (local $root (ref $tree)) (local $i i32)
  (local.set $sum
    (call $mix (local.get $sum) (i64.extend_i32_u (call $count (call $build (i32.const 11))))))
  (local.set $root (struct.new $tree (ref.null $tree) (ref.null $tree) (i32.const 0x80000000)))
  (loop $fill
    (call $insert (local.get $root) (call $random))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $fill (i32.lt_u (local.get $i) (i32.const 1000))))
  (loop $search
    (local.set $sum
      (call $mix (local.get $sum)
        (i64.extend_i32_u (call $depth (local.get $root) (call $random)))))
    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
    (br_if $search (local.get $i)))
  (local.get $sum))
