# shellcheck shell=bash
# A Lisp in Kotlin, ours (lisp/), built by the Kotlin compiler from Maven Central: for WASI with objects in
# the garbage-collected heap and with the language's exceptions as WebAssembly's, and for the JVM.

KOTLIN=2.3.0

# Prints the directory of the compiler and of its libraries.
kotlin_compiler() (
    local dir=$CACHE/sources/kotlin-$KOTLIN
    if [ ! -e "$dir/.ready" ]; then
        need javac openjdk-17-jdk-headless && need mvn maven || return
        rm -rf "$dir" && mkdir -p "$dir" || return
        cat >"$dir/pom.xml" <<EOF
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>kotlin</groupId><artifactId>kotlin</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.jetbrains.kotlin</groupId><artifactId>kotlin-compiler-embeddable</artifactId>
      <version>$KOTLIN</version></dependency>
    <dependency><groupId>org.jetbrains.kotlin</groupId><artifactId>kotlin-stdlib-wasm-wasi</artifactId>
      <version>$KOTLIN</version><type>klib</type></dependency>
  </dependencies>
</project>
EOF
        mvn -q -B -f "$dir/pom.xml" -Dmaven.repo.local="$CACHE/m2" dependency:copy-dependencies \
            -DoutputDirectory="$dir/lib" >"$dir/log" 2>&1 || { tail -n 5 "$dir/log" >&2; return 1; }
        touch "$dir/.ready"
    fi
    printf '%s\n' "$dir/lib"
)

# kotlin COMPILER ARGUMENT...
kotlin() {
    java -cp "$lib/*" "org.jetbrains.kotlin.cli.$1" "${@:2}"
}

build() {
    local lib sources=$REAL/programs/lisp
    lib=$(kotlin_compiler)
    local js=(js.K2JSCompiler -Xwasm -Xwasm-target=wasm-wasi -libraries
        "$lib/kotlin-stdlib-wasm-wasi-$KOTLIN.klib" -ir-output-dir "$1" -ir-output-name lisp)
    kotlin "${js[@]}" -Xir-produce-klib-file "$sources"/{main,tour,wasi}.kt
    kotlin "${js[@]}" -Xir-produce-js -Xwasm-enable-array-range-checks -Xinclude="$1/lisp.klib"
    kotlin jvm.K2JVMCompiler -no-stdlib -no-reflect -classpath "$lib/kotlin-stdlib-$KOTLIN.jar" \
        -d "$1/lisp.jar" "$sources"/{main,tour,jvm}.kt
    printf '#!/bin/sh\nexec java -Dfile.encoding=UTF-8 -Dsun.stdout.encoding=UTF-8 -cp "%s" JvmKt\n' "$1/lisp.jar:$lib/kotlin-stdlib-$KOTLIN.jar" >"$1/native"
    chmod +x "$1/native"
}

prepare() { cp "$REAL"/programs/lisp/* .; }

scenario() {
    prog <program.lisp; echo "status $?"
    { echo tour; cat tour.kt; } | prog; echo "tour: status $?"
    prog </dev/null; echo "nothing: status $?"
    printf ')' | prog
    grep -v 'count-errors\|loop' program.lisp | prog | tail -n 3
}
