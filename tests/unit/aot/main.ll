; Functions as the compiler makes them, for test_artifact.c: constants, a jump table, calls between objects,
; library functions, a landing pad, inlined functions, a tail-call body, thunks.
; The C side: struct { i32 (*call)(void *context, i32, void *sp); } is the context.

declare i32 @__gxx_personality_v0(...)
declare fastcc i32 @f6(ptr, i32)
declare fastcc double @f7(ptr, double)
declare double @llvm.ceil.f64(double)
declare double @llvm.fma.f64(double, double, double)
declare ptr @llvm.stacksave.p0()

; a jump table
define fastcc i32 @f1(ptr %c, i32 %x) uwtable nounwind !dbg !10 {
  switch i32 %x, label %other [
    i32 0, label %zero
    i32 1, label %one
    i32 2, label %two
    i32 3, label %three
    i32 4, label %four
  ]
zero:
  %r0 = notail call fastcc i32 @f6(ptr %c, i32 100), !dbg !11
  ret i32 %r0, !dbg !11
one:
  %r1 = notail call fastcc i32 @f2(ptr %c, i32 1), !dbg !12
  %s1 = add i32 %r1, 7, !dbg !12
  ret i32 %s1, !dbg !12
two:
  ret i32 21, !dbg !13
three:
  %r3 = notail call fastcc i32 @f6(ptr %c, i32 3), !dbg !14
  %s3 = mul i32 %r3, 5, !dbg !14
  ret i32 %s3, !dbg !14
four:
  ret i32 -7, !dbg !15
other:
  ret i32 %x, !dbg !15
}

; calls out; a frame with saved registers
define fastcc i32 @f2(ptr %c, i32 %x) uwtable noinline !dbg !20 {
  %f = load ptr, ptr %c, !dbg !21
  %sp = call ptr @llvm.stacksave.p0(), !dbg !21
  %r = call i32 %f(ptr %c, i32 %x, ptr %sp), !dbg !22
  %s = add i32 %r, %x, !dbg !23
  ret i32 %s, !dbg !23
}

; what f2 throws lands here
define fastcc i32 @f3(ptr %c, i32 %x) uwtable noinline personality ptr @__gxx_personality_v0 !dbg !30 {
  %r = invoke fastcc i32 @f2(ptr %c, i32 %x) to label %ok unwind label %bad, !dbg !31
ok:
  ret i32 %r, !dbg !32
bad:
  %lp = landingpad { ptr, i32 } catch ptr null, !dbg !33
  %p = extractvalue { ptr, i32 } %lp, 0, !dbg !33
  %i = ptrtoint ptr %p to i64, !dbg !33
  %t = trunc i64 %i to i32, !dbg !33
  %s = add i32 %t, %x, !dbg !33
  ret i32 %s, !dbg !33
}

; a large frame, aligned: its CFA is no distance from the stack pointer
define fastcc i32 @f4(ptr %c, i32 %x) uwtable noinline !dbg !40 {
  %a = alloca [100 x i32], align 64, !dbg !41
  %e = getelementptr i32, ptr %a, i32 %x, !dbg !41
  store volatile i32 5, ptr %e, !dbg !41
  %r = notail call fastcc i32 @f2(ptr %c, i32 %x), !dbg !42
  %v = load volatile i32, ptr %e, !dbg !43
  %s = add i32 %r, %v, !dbg !43
  ret i32 %s, !dbg !43
}

; f4 and f2 inlined, at 502 and 503
define fastcc i32 @f5(ptr %c, i32 %x) uwtable !dbg !50 {
  %f = load ptr, ptr %c, !dbg !60
  %sp = call ptr @llvm.stacksave.p0(), !dbg !60
  %r = call i32 %f(ptr %c, i32 %x, ptr %sp), !dbg !61
  %s = add i32 %r, %x, !dbg !62
  %q = notail call fastcc i32 @f3(ptr %c, i32 %s), !dbg !52
  ret i32 %q, !dbg !53
}

; library functions, constants
define fastcc double @f8(ptr %c, double %x) uwtable !dbg !80 {
  %y = call double @llvm.ceil.f64(double %x), !dbg !81
  %w = call double @llvm.fma.f64(double %y, double 3.25, double 0.5), !dbg !81
  %z = notail call fastcc double @f7(ptr %c, double %w), !dbg !82
  %u = fadd double %z, 1.5, !dbg !83
  ret double %u, !dbg !83
}

define void @in0(ptr %c, ptr %code, ptr %slots) uwtable {
  %x = load i32, ptr %slots
  %r = notail call fastcc i32 %code(ptr %c, i32 %x)
  %r64 = zext i32 %r to i64
  store i64 %r64, ptr %slots
  ret void
}

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2, !3, !4}
!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, isOptimized: true, emissionKind: FullDebug)
!1 = !DIFile(filename: "module", directory: ".")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !{i32 7, !"PIC Level", i32 2}
!4 = !{i32 7, !"Dwarf Version", i32 4}
!5 = !DISubroutineType(types: !{})
!10 = distinct !DISubprogram(name: "f1", linkageName: "f1", scope: !1, file: !1, line: 100, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!11 = !DILocation(line: 101, scope: !10)
!12 = !DILocation(line: 102, scope: !10)
!13 = !DILocation(line: 103, scope: !10)
!14 = !DILocation(line: 104, scope: !10)
!15 = !DILocation(line: 105, scope: !10)
!20 = distinct !DISubprogram(name: "f2", linkageName: "f2", scope: !1, file: !1, line: 200, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!21 = !DILocation(line: 201, scope: !20)
!22 = !DILocation(line: 202, scope: !20)
!23 = !DILocation(line: 203, scope: !20)
!30 = distinct !DISubprogram(name: "f3", linkageName: "f3", scope: !1, file: !1, line: 300, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!31 = !DILocation(line: 301, scope: !30)
!32 = !DILocation(line: 302, scope: !30)
!33 = !DILocation(line: 303, scope: !30)
!40 = distinct !DISubprogram(name: "f4", linkageName: "f4", scope: !1, file: !1, line: 400, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!41 = !DILocation(line: 401, scope: !40)
!42 = !DILocation(line: 402, scope: !40)
!43 = !DILocation(line: 403, scope: !40)
!50 = distinct !DISubprogram(name: "f5", linkageName: "f5", scope: !1, file: !1, line: 500, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!52 = !DILocation(line: 502, scope: !50)
!53 = !DILocation(line: 503, scope: !50)
!54 = !DILocation(line: 5000000, scope: !50)
!55 = distinct !DILocation(line: 504, scope: !40, inlinedAt: !56)
!56 = distinct !DILocation(line: 501, scope: !50)
!60 = !DILocation(line: 201, scope: !20, inlinedAt: !55)
!61 = !DILocation(line: 202, scope: !20, inlinedAt: !55)
!62 = !DILocation(line: 203, scope: !20, inlinedAt: !55)
!80 = distinct !DISubprogram(name: "f8", linkageName: "f8", scope: !1, file: !1, line: 800, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!81 = !DILocation(line: 801, scope: !80)
!82 = !DILocation(line: 802, scope: !80)
!83 = !DILocation(line: 803, scope: !80)
