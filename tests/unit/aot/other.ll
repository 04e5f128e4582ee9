; A second object for test_artifact.c: what main.ll calls, with DWARF 5.

declare fastcc i32 @f5(ptr, i32)

define fastcc i32 @f6(ptr %c, i32 %x) uwtable !dbg !10 {
  %r = notail call fastcc i32 @f5(ptr %c, i32 %x), !dbg !11
  %s = add i32 %r, 1, !dbg !12
  ret i32 %s, !dbg !12
}

define fastcc double @f7(ptr %c, double %x) uwtable !dbg !20 {
  %y = notail call tailcc double @t7(ptr %c, double %x), !dbg !21
  ret double %y, !dbg !21
}

define tailcc double @t7(ptr %c, double %x) uwtable noinline !dbg !30 {
  %y = fmul double %x, 2.0, !dbg !31
  ret double %y, !dbg !31
}

; a stub: the function is left out
define fastcc i32 @f9(ptr %c, i32 %x) uwtable {
  ret i32 99
}

define weak hidden void @in0(ptr %c, ptr %code, ptr %slots) uwtable {
  ret void
}

!llvm.dbg.cu = !{!0}
!llvm.module.flags = !{!2, !3, !4}
!0 = distinct !DICompileUnit(language: DW_LANG_C, file: !1, isOptimized: true, emissionKind: FullDebug)
!1 = !DIFile(filename: "module", directory: ".")
!2 = !{i32 2, !"Debug Info Version", i32 3}
!3 = !{i32 7, !"PIC Level", i32 2}
!4 = !{i32 7, !"Dwarf Version", i32 5}
!5 = !DISubroutineType(types: !{})
!10 = distinct !DISubprogram(name: "f6", linkageName: "f6", scope: !1, file: !1, line: 600, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!11 = !DILocation(line: 601, scope: !10)
!12 = !DILocation(line: 602, scope: !10)
!20 = distinct !DISubprogram(name: "f7", linkageName: "f7", scope: !1, file: !1, line: 700, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!21 = !DILocation(line: 701, scope: !20)
!30 = distinct !DISubprogram(name: "t7", linkageName: "t7", scope: !1, file: !1, line: 750, type: !5, unit: !0, spFlags: DISPFlagDefinition)
!31 = !DILocation(line: 751, scope: !30)
