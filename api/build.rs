//! Puts the built dashboard into the program. A clone without node has none and builds all the same.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let crate_folder = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?);
    let dashboard = crate_folder.join("../dashboard");
    let dist = dashboard.join("dist");
    let built = dist.join("index.html").is_file();
    // A missing path would count as changed at every build; its parent tells when it appears.
    let watched = if built { &dist } else { &dashboard };
    println!("cargo::rerun-if-changed={}", watched.display());

    let mut code = String::new();
    writeln!(code, "pub(super) const INDEX: Option<&[u8]> = {};", index(&dist, built))?;
    writeln!(code, "pub(super) const ASSETS: &[(&str, &[u8])] = &[")?;
    for (name, path) in if built { assets(&dist.join("assets"))? } else { Vec::new() } {
        writeln!(code, "({name:?}, include_bytes!({path:?})),")?;
    }
    writeln!(code, "];")?;
    fs::write(Path::new(&env::var("OUT_DIR")?).join("dashboard.rs"), code)?;
    Ok(())
}

fn index(dist: &Path, built: bool) -> String {
    if built {
        format!("Some(include_bytes!({:?}))", dist.join("index.html"))
    } else {
        "None".to_owned()
    }
}

/// Names and paths, in a fixed order.
fn assets(folder: &Path) -> std::io::Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        found.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    found.sort();
    Ok(found)
}
