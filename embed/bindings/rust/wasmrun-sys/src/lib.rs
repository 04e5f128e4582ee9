//! Declarations of libwasmrun, as in `wasmrun.h`, from which they are made. What a function does, who owns what, and
//! which threads may call it, is said there. The crate `wasmrun` is the safe layer over this one.

#![no_std]
#![allow(non_camel_case_types)]
#![allow(rustdoc::broken_intra_doc_links, rustdoc::invalid_html_tags)]

extern crate std;

#[rustfmt::skip]
mod declarations;
pub use declarations::*;
