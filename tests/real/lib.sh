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
