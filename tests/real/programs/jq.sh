# shellcheck shell=bash
# jq, from Debian's source package, without regular expressions: its own test suite, and ours.

build() {
    local src have
    src=$(debian_source jq)
    mkdir -p "$1/src"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$src/src/builtin.jq" >"$1/src/builtin.inc"
    echo '#define JQ_VERSION "test"' >"$1/src/version.h"
    cp -r "$src/tests" "$1/tests"
    # What configure would find in both C libraries.
    have=$(grep -oh 'HAVE_[A-Z0-9]*' "$src/src/libm.h" | sort -u |
        grep -vE 'EXP10|POW10|_GAMMA$|DREM|SIGNIFICAND|SCALB$' | sed 's/^/-D/')
    have="$have -DHAVE_MEMMEM -DHAVE_ALLOCA_H -DHAVE_ALLOCA -DHAVE_ISATTY -DHAVE_STRFTIME -DHAVE_STRPTIME
        -DHAVE_TIMEGM -DHAVE_GMTIME_R -DHAVE_GMTIME -DHAVE_GETTIMEOFDAY -DHAVE_TM_TM_GMT_OFF
        -DHAVE_TGAMMA -DHAVE_LGAMMA -DHAVE_LGAMMA_R -DHAVE_FREXP -DHAVE_MODF -DHAVE_MKTIME
        -DHAVE_ATEXIT -DHAVE_MKSTEMP -DIEEE_8087=1 -D_GNU_SOURCE"
    set -- "$1" "$src"/src/[!i]*.c # all but inject_errors.c
    wasm_cc $have -UHAVE_MKSTEMP -I"$1" -I"$src/src" "${@:2}" -o "$1/jq.wasm" "${WASM_LIBS[@]}" \
        -Wl,-z,stack-size=33554432 # the suite recurses 10,000 calls deep
    native_cc $have -I"$1" -I"$src/src" "${@:2}" -o "$1/native" -lm -lpthread
}

guest_env=(PAGER=less HOME=/)

prepare() {
    cp -r "$DIR/tests" tests
    awk 'BEGIN { print "["; for (i = 0; i < 3000; i++) printf "%s{\"id\":%d,\"name\":\"n%d\",\"group\":\"g%d\",\"v\":%.3f,\"at\":%d}\n",
        (i ? "," : ""), i, i * 7 % 1000, i % 13, i * i % 977 / 7, 1500000000 + i * 86413; print "]" }' >records.json
    printf 'def twice(f): f | f;\ndef mean: add / length;\n' >lib.jq
}

scenario() {
    local suite=tests/jq.test
    if [ -n "$quick" ]; then # from the tests of modules on: a sixth of all
        suite=tests/quick.test
        sed -n '/^import "a" as foo/,$p' tests/jq.test >$suite
    fi
    prog -L tests/modules --run-tests $suite; echo "jq.test: $?"
    prog --run-tests tests/base64.test; echo "base64.test: $?"
    prog -c 'group_by(.group) | map({g: .[0].group, n: length, mean: (map(.v) | add / length), top: max_by(.v).name})[]' records.json
    prog -r '.[:5][] | [.id, .name, (.at | todate)] | @csv, @tsv, @sh, @json' records.json
    prog '[paths(type == "number")] | length' records.json
    prog -L . 'import "lib" as l; map(.v) | l::mean, l::twice(map(. + 1))[0]' records.json
    prog -n --arg a x --argjson b '{"k":[1,2]}' '$ENV.PAGER, $a, $b.k[1], input_filename'
    prog -n '[limit(20; range(2; infinite) | select(. as $n | all(range(2; $n | sqrt | floor + 1); $n % . != 0)))] | tostring'
    prog -c --stream 'select(length == 2 and .[1] == 1.714)' records.json
    prog -s -R 'split("\n") | map(length) | add' records.json
    cat records.json | prog -S --tab '.[17]'
    prog -c '[.[] | .name | ltrimstr("n") | tonumber] | sort | unique | (length, .[0], .[-1])' <records.json
    echo '{"a":[1,2' | prog .; echo "syntax: $?"
    prog '.[] | error("stop \(.id)")' records.json; echo "error: $?"
    prog . missing.json; echo "missing: $?"
    prog -e '.[0].nothing' records.json; echo "null: $?"
    echo '"\u00e9\ud83d\ude00" 1e1000 0.1 -0 [] 12345678901234567890' | prog -c '., (tojson | length)'
}
