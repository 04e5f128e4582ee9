# shellcheck shell=bash
# Shared by run.sh and the files of programs/: where sources come from, how they are compiled.
# Functions fail by their exit status and say why on stderr. Nothing is written outside of $CACHE.

say() { printf '%s\n' "$*" >&2; }

# install_packages PACKAGE...: with apt, as root; others are told to.
install_packages() {
    [ "$(id -u)" = 0 ] || { say "missing: apt-get install $*"; return 1; }
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@"; } \
        >"$CACHE/apt-install.log" 2>&1 || { tail -n 5 "$CACHE/apt-install.log" >&2; return 1; }
}

# need COMMAND PACKAGE...: installs the packages unless the command exists.
need() {
    command -v "$1" >/dev/null 2>&1 || install_packages "${@:2}"
}

# An apt configuration of our own that knows Debian's source packages and backports, taken from the
# machine's; so neither its package lists nor its configuration change, and root is not needed.
private_apt() {
    export APT_CONFIG=$CACHE/apt/apt.conf
    [ -e "$CACHE/apt/ready" ] && return
    local archive release
    release=$(. /etc/os-release && printf %s "$VERSION_CODENAME")
    archive=$(APT_CONFIG='' apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        sed -n "s/ $release\$//p" | head -1)
    [ -n "$archive" ] || { say "apt knows no archive of $release (apt-get update?)"; return 1; }
    mkdir -p "$CACHE/apt/parts" "$CACHE/apt/lists/partial" "$CACHE/apt/archives/partial"
    cat >"$CACHE/apt/parts/debian.sources" <<EOF
Types: deb deb-src
URIs: $archive
Suites: $release $release-backports
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg
EOF
    cat >"$APT_CONFIG" <<EOF
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$CACHE/apt/parts";
Dir::State::lists "$CACHE/apt/lists";
Dir::Cache "$CACHE/apt";
APT::Sandbox::User "$(id -un)";
Acquire::Languages "none";
EOF
    apt-get update -qq >&2 && touch "$CACHE/apt/ready"
}

# debian_source PACKAGE: prints the directory of its unpacked source.
debian_source() (
    local dir=$CACHE/sources/$1
    if [ ! -e "$dir/.ready" ]; then
        need dpkg-source dpkg-dev && private_apt || return
        rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || return
        apt-get source -qq "$1" >log 2>&1 || { cat log >&2; return 1; }
        touch .ready
    fi
    set -- "$dir"/*/
    printf '%s\n' "${1%/}"
)

# debian_binary PACKAGE...: unpacks binary packages and prints the directory that stands for /.
debian_binary() (
    local dir=$CACHE/sources/$1-bin
    if [ ! -e "$dir/.ready" ]; then
        private_apt || return
        rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || return
        apt-get download -qq "$@" >log 2>&1 || { cat log >&2; return 1; }
        for deb in *.deb; do dpkg-deb -x "$deb" . || return; done
        rm -f ./*.deb && touch .ready
    fi
    printf '%s\n' "$dir"
)

# npm_package NAME VERSION: prints the directory of its unpacked files. Nothing of it is run.
npm_package() (
    local dir=$CACHE/sources/npm-${1//\//-}-$2
    if [ ! -e "$dir/.ready" ]; then
        need npm npm || return
        rm -rf "$dir" && mkdir -p "$dir" && cd "$dir" || return
        npm pack --silent "$1@$2" >log 2>&1 || { cat log >&2; return 1; }
        tar xzf ./*.tgz && rm -f ./*.tgz && touch .ready || return
    fi
    printf '%s\n' "$dir/package"
)

# wasm_cc ARGUMENT...: compiles (and links) C for WASI preview 1, with the shim where POSIX is missed.
wasm_cc() {
    "${WASM_CC:-clang-19}" --target=wasm32-wasi -nostdlibinc -isystem "$REAL/shim" \
        -isystem /usr/include/wasm32-wasi -include posix.h -O2 -Wno-everything \
        -D_WASI_EMULATED_SIGNAL -D_WASI_EMULATED_MMAN -D_WASI_EMULATED_GETPID \
        -D_WASI_EMULATED_PROCESS_CLOCKS "$@"
}

# shellcheck disable=SC2034,SC2054 # used in programs/; no commas between words
# What wasm_cc links with, and a stack as large as a Linux process has.
WASM_LIBS=(-Wl,-z,stack-size=8388608 -lwasi-emulated-signal -lwasi-emulated-mman
    -lwasi-emulated-getpid -lwasi-emulated-process-clocks -lm)

native_cc() {
    "${NATIVE_CC:-clang-19}" -O1 -w "$@"
}

# pypi_files PACKAGE VERSION PREFIX...: files of a wheel under these prefixes; prints where they are.
# Nothing of it is run.
pypi_files() (
    local dir=$CACHE/sources/pypi-$1-$2
    if [ ! -e "$dir/.ready" ]; then
        python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip || return
        rm -rf "$dir" && mkdir -p "$dir/wheel" && cd "$dir" || return
        python3 -m pip download -q --no-deps --only-binary :all: -d wheel "$1==$2" >log 2>&1 ||
            { cat log >&2; return 1; }
        python3 - wheel/*.whl "${@:3}" <<'EOF' || return
import sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
wheel.extractall(members=[n for n in wheel.namelist() if n.startswith(tuple(sys.argv[2:]))])
EOF
        rm -rf wheel && touch .ready
    fi
    printf '%s\n' "$dir"
)

# wasm_cxx ARGUMENT...: as wasm_cc, for C++ (Debian's libc++-19-dev-wasm32).
wasm_cxx() {
    [ -d /usr/lib/llvm-19/include/wasm32-wasi/c++/v1 ] ||
        install_packages libc++-19-dev-wasm32 libc++abi-19-dev-wasm32 || return
    "${WASM_CXX:-clang++-19}" --target=wasm32-wasi -nostdlibinc \
        -isystem /usr/lib/llvm-19/include/wasm32-wasi/c++/v1 -isystem "$REAL/shim" \
        -isystem /usr/include/wasm32-wasi -std=c++20 -O2 -w "$@"
}

# wasm_cxx_runtime NAME FLAG...: prints a directory of objects that a C++ program with exceptions links
# before Debian's libc++, built with the flags: LLVM 19's libc++abi, libunwind and some of libc++, as the
# wheel of zig has their sources; and setjmp.
wasm_cxx_runtime() (
    local top dir=$CACHE/build/cxx-$1 file flags
    [ ! -e "$dir/.ready" ] || { printf '%s\n' "$dir"; return; }
    top=$(pypi_files ziglang 0.14.1 ziglang/lib/libcxx/ ziglang/lib/libcxxabi/ ziglang/lib/libunwind/) || return
    top=$top/ziglang/lib
    flags=("${@:2}" -DNDEBUG -D_LIBCPP_BUILDING_LIBRARY -D_LIBCXXABI_BUILDING_LIBRARY
        -DLIBCXX_BUILDING_LIBCXXABI -D_LIBCXXABI_HAS_NO_THREADS -D_LIBUNWIND_HIDE_SYMBOLS
        -I "$top/libcxxabi/include" -I "$top/libcxxabi/src" -I "$top/libcxx" -I "$top/libcxx/src"
        -I "$top/libunwind/include")
    rm -rf "$dir" && mkdir -p "$dir" || return
    local abi=(abort_message cxa_aux_runtime cxa_default_handlers cxa_demangle cxa_exception
        cxa_exception_storage cxa_guard cxa_handlers cxa_personality cxa_vector cxa_virtual
        fallback_malloc private_typeinfo stdlib_exception stdlib_new_delete stdlib_stdexcept
        stdlib_typeinfo)
    for file in "${abi[@]/#/libcxxabi/src/}" libcxx/src/{exception,stdexcept,string}; do
        wasm_cxx "${flags[@]}" -std=c++23 -c "$top/$file.cpp" -o "$dir/${file//\//-}.o" || return
    done
    wasm_cxx "${flags[@]}" -std=c11 -x c -c "$top/libunwind/src/Unwind-wasm.c" -o "$dir/unwind.o" &&
        wasm_cxx "${flags[@]}" -std=c11 -x c -c "$REAL/shim/setjmp.c" -o "$dir/setjmp.o" || return
    touch "$dir/.ready"
    printf '%s\n' "$dir"
)
