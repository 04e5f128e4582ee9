//! Where libwasmrun is: in WASMRUN_LIB_DIR, or where pkg-config says. WASMRUN_STATIC=1 links the static one.

use std::env;
use std::process::Command;

fn pkg_config() -> Option<Vec<String>> {
    let output = Command::new(env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into()))
        .args(["--libs-only-L", "wasmrun"])
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let flags = String::from_utf8(output.stdout).ok()?;
    Some(flags.split_whitespace().filter_map(|f| f.strip_prefix("-L").map(String::from)).collect())
}

fn main() {
    for name in ["WASMRUN_LIB_DIR", "WASMRUN_STATIC", "PKG_CONFIG", "PKG_CONFIG_PATH"] {
        println!("cargo:rerun-if-env-changed={}", name);
    }
    println!("cargo:rerun-if-changed=build.rs");
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    let folders = match env::var("WASMRUN_LIB_DIR") {
        Ok(folder) => vec![folder],
        Err(_) => pkg_config().unwrap_or_default(),
    };
    for folder in folders {
        println!("cargo:rustc-link-search=native={}", folder);
    }
    if env::var("WASMRUN_STATIC").map_or(false, |value| value != "0") {
        println!("cargo:rustc-link-lib=static=wasmrun");
        println!("cargo:rustc-link-lib=pthread");
        println!("cargo:rustc-link-lib=m");
    } else {
        println!("cargo:rustc-link-lib=dylib=wasmrun");
    }
}
