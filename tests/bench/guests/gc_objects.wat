;; gc_objects.wat - objects as compilers of object-oriented languages make them: subtypes told apart by
;; casts, method tables called through call_ref, arrays of references, bytes and numbers, strings as
;; arrays of i8. gc_objects.c is the same on C structures.
(data (i32.const 768) "gc_objects")
(global $name_length i32 (i32.const 10))
(global $preset i64 (i64.const 2500))
(rec
  (type $method (func (param (ref $shape)) (result i32)))
  (type $table (struct (field $area (ref $method)) (field $grow (ref $method))))
  (type $shape (sub (struct (field $methods (ref $table)) (field $id (mut i32)))))
  (type $box (sub final $shape
    (struct (field (ref $table)) (field (mut i32)) (field $w (mut i32)) (field $h (mut i32)))))
  (type $disc (sub final $shape (struct (field (ref $table)) (field (mut i32)) (field $r (mut i32))))))
(type $shapes (array (mut (ref null $shape))))
(type $bytes (array (mut i8)))
(type $ints (array (mut i32)))

(elem declare func $box_area $box_grow $disc_area $disc_grow)
(global $box_table (ref $table) (struct.new $table (ref.func $box_area) (ref.func $box_grow)))
(global $disc_table (ref $table) (struct.new $table (ref.func $disc_area) (ref.func $disc_grow)))

(func $box_area (type $method)
  (local $b (ref $box))
  (local.set $b (ref.cast (ref $box) (local.get 0)))
  (i32.mul (struct.get $box $w (local.get $b)) (struct.get $box $h (local.get $b))))
(func $box_grow (type $method)
  (local $b (ref $box))
  (local.set $b (ref.cast (ref $box) (local.get 0)))
  (struct.set $box $w (local.get $b) (i32.add (struct.get $box $w (local.get $b)) (i32.const 1)))
  (struct.get $box $h (local.get $b)))
(func $disc_area (type $method)
  (local $d (ref $disc))
  (local.set $d (ref.cast (ref $disc) (local.get 0)))
  (i32.mul (i32.mul (struct.get $disc $r (local.get $d)) (struct.get $disc $r (local.get $d)))
           (i32.const 3)))
(func $disc_grow (type $method)
  (local $d (ref $disc))
  (local.set $d (ref.cast (ref $disc) (local.get 0)))
  (struct.set $disc $r (local.get $d)
    (i32.and (i32.add (struct.get $disc $r (local.get $d)) (i32.const 3)) (i32.const 255)))
  (struct.get $disc $r (local.get $d)))

(func $make (param $id i32) (result (ref $shape))
  (local $r i32)
  (local.set $r (call $random))
  (if (result (ref $shape)) (i32.and (local.get $r) (i32.const 1))
    (then
      (struct.new $box (global.get $box_table) (local.get $id)
        (i32.shr_u (local.get $r) (i32.const 26)) (i32.and (local.get $r) (i32.const 31))))
    (else
      (struct.new $disc (global.get $disc_table) (local.get $id)
        (i32.shr_u (local.get $r) (i32.const 25))))))

;; Calls both methods of every shape.
(func $visit (param $all (ref $shapes)) (result i32)
  (local $i i32) (local $sum i32) (local $s (ref $shape))
  (loop $next
    (local.set $s (ref.as_non_null (array.get $shapes (local.get $all) (local.get $i))))
    (drop (call_ref $method (local.get $s)
      (struct.get $table $grow (struct.get $shape $methods (local.get $s)))))
    (local.set $sum (i32.add (local.get $sum) (call_ref $method (local.get $s)
      (struct.get $table $area (struct.get $shape $methods (local.get $s))))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $all)))))
  (local.get $sum))

;; Widths of boxes, by a branch on the cast; others count as 1.
(func $widths (param $all (ref $shapes)) (result i32)
  (local $i i32) (local $sum i32)
  (loop $next
    (local.set $sum
      (i32.add (local.get $sum)
        (block $done (result i32)
          (block $is_box (result (ref $box))
            (drop (br_on_cast $is_box (ref null $shape) (ref $box)
              (array.get $shapes (local.get $all) (local.get $i))))
            (br $done (i32.const 1)))
          (struct.get $box $w))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $all)))))
  (local.get $sum))

;; A string of random letters, and its hash.
(func $string (param $length i32) (result (ref $bytes))
  (local $s (ref $bytes)) (local $i i32)
  (local.set $s (array.new $bytes (i32.const 97) (local.get $length)))
  (loop $next
    (array.set $bytes (local.get $s) (local.get $i)
      (i32.add (i32.const 97) (i32.rem_u (call $random) (i32.const 26))))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (local.get $length))))
  (local.get $s))
(func $hash (param $s (ref $bytes)) (result i32)
  (local $i i32) (local $h i32)
  (loop $next
    (local.set $h
      (i32.mul (i32.xor (local.get $h) (array.get_u $bytes (local.get $s) (local.get $i)))
               (i32.const 0x01000193)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $next (i32.lt_u (local.get $i) (array.len (local.get $s)))))
  (local.get $h))

;; Both strings in one.
(func $join (param $a (ref $bytes)) (param $b (ref $bytes)) (result (ref $bytes))
  (local $s (ref $bytes))
  (local.set $s
    (array.new_default $bytes (i32.add (array.len (local.get $a)) (array.len (local.get $b)))))
  (array.copy $bytes $bytes
    (local.get $s) (i32.const 0) (local.get $a) (i32.const 0) (array.len (local.get $a)))
  (array.copy $bytes $bytes
    (local.get $s) (array.len (local.get $a)) (local.get $b) (i32.const 0) (array.len (local.get $b)))
  (local.get $s))

;; Insertion sort of random numbers; returns the middle one.
(func $sorted (param $n i32) (result i32)
  (local $v (ref $ints)) (local $i i32) (local $j i32) (local $x i32)
  (local.set $v (array.new_default $ints (local.get $n)))
  (loop $outer
    (local.set $x (i32.shr_u (call $random) (i32.const 8)))
    (local.set $j (local.get $i))
    (block $place
      (loop $shift
        (br_if $place (i32.eqz (local.get $j)))
        (br_if $place (i32.le_u
          (array.get $ints (local.get $v) (i32.sub (local.get $j) (i32.const 1))) (local.get $x)))
        (array.set $ints (local.get $v) (local.get $j)
          (array.get $ints (local.get $v) (i32.sub (local.get $j) (i32.const 1))))
        (local.set $j (i32.sub (local.get $j) (i32.const 1)))
        (br $shift)))
    (array.set $ints (local.get $v) (local.get $j) (local.get $x))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $outer (i32.lt_u (local.get $i) (local.get $n))))
  (array.get $ints (local.get $v) (i32.shr_u (local.get $n) (i32.const 1))))

(func $main (param $sum i64) (result i64)
  (local $all (ref $shapes)) (local $i i32) (local $s (ref $bytes))
  (local.set $all (array.new_default $shapes (i32.const 64)))
  (loop $fill
    (array.set $shapes (local.get $all) (local.get $i) (call $make (local.get $i)))
    (local.set $i (i32.add (local.get $i) (i32.const 1)))
    (br_if $fill (i32.lt_u (local.get $i) (i32.const 64))))
  (local.set $i (i32.const 10))
  (loop $again
    (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (call $visit (local.get $all)))))
    (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (call $widths (local.get $all)))))
    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
    (br_if $again (local.get $i)))
  (local.set $s (call $string (i32.const 24)))
  (local.set $i (i32.const 6))
  (loop $double
    (local.set $s (call $join (local.get $s) (call $string (i32.const 8))))
    (local.set $sum (call $mix (local.get $sum) (i64.extend_i32_u (call $hash (local.get $s)))))
    (local.set $i (i32.sub (local.get $i) (i32.const 1)))
    (br_if $double (local.get $i)))
  (call $mix (local.get $sum) (i64.extend_i32_u (call $sorted (i32.const 40)))))
