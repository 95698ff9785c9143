//! The limited child process: one file in, length-prefixed messages out.
fn main() {}
