# shellcheck shell=bash
# esbuild's own WASI build, from npm, against its native one: bundles the project in bundle/.

version=0.27.2

build() {
    local wasi native machine
    case $(uname -m) in
    aarch64) machine=arm64 ;;
    *) machine=x64 ;;
    esac
    wasi=$(npm_package @esbuild/wasi-preview1 $version)
    native=$(npm_package "@esbuild/linux-$machine" $version)
    cp "$wasi/esbuild.wasm" "$1/esbuild.wasm"
    cp "$native/bin/esbuild" "$1/native"
}

prepare() { cp -r "$REAL/programs/bundle/." .; }

scenario() {
    prog --version; echo "version: $?"
    prog --bundle src/main.tsx --outdir=out --sourcemap --jsx=automatic --external:react --format=esm --loader:.txt=text --log-level=error
    echo "bundle: $?"
    prog --bundle src/main.tsx --outfile=out/min.js --minify --target=es2017 --jsx=transform --external:react --loader:.txt=text --metafile=out/meta.json --log-level=error
    echo "minified: $?"
    prog --bundle src/style.css --outfile=out/style.css --minify --log-level=error; echo "css: $?"
    echo 'let x: number = 1 as any; export {x}' | prog --loader=ts --log-level=error; echo "stdin: $?"
    prog --bundle src/broken.ts --log-level=error; echo "broken: $?"
    prog src/missing.ts --log-level=error; echo "missing: $?"
}
