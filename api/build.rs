//! Puts the built dashboard into the program (a clone without node has none and builds all the same),
//! and tells how the program is linked when it is built to be handed out (`scripts/release.sh`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A file with the functions that lie side by side, made by `scripts/order_functions.py`.
const ORDER: &str = "RAGTRAIN_FUNCTION_ORDER";
/// `1`: the system has glibc 2.36 or newer; an older one cannot load what this makes.
const PACKED: &str = "RAGTRAIN_PACKED_RELOCATIONS";

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script by its environment")]
fn variable(name: &str) -> Result<String, env::VarError> {
    env::var(name)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    embed_dashboard()?;
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed={ORDER}");
    println!("cargo::rerun-if-env-changed={PACKED}");
    if let Ok(order) = variable(ORDER) {
        println!("cargo::rerun-if-changed={order}");
        link_with(&format!("--symbol-ordering-file={order}"));
        // A function that this build does not have is no mistake: the order may be of an older one.
        link_with("--no-warn-symbol-ordering");
    }
    if variable(PACKED).is_ok_and(|packed| packed == "1") {
        // Where the program is loaded is written into 48,000 places of it at its start. Their list
        // is read whole and stays in memory: 1.1 MB, or a sixtieth of that when it is packed.
        link_with("-z,pack-relative-relocs");
    }
    Ok(())
}

fn link_with(option: &str) {
    println!("cargo::rustc-link-arg-bin=ragtrain-api=-Wl,{option}");
}

fn embed_dashboard() -> Result<(), Box<dyn std::error::Error>> {
    let crate_folder = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
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
    fs::write(Path::new(&variable("OUT_DIR")?).join("dashboard.rs"), code)?;
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
