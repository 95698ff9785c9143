//! The invariants of ARCHITECTURE.md that a compiler does not check.

use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Rust sources of the workspace, tests left out unless wanted.
fn sources(with_tests: bool) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for krate in ["shared", "stores", "extractor", "worker", "api", "cli", "testkit", "simulation"]
    {
        for folder in ["src", "tests"].into_iter().take(if with_tests { 2 } else { 1 }) {
            collect(&root().join(krate).join(folder), &mut found);
        }
    }
    found.sort();
    found
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.map(|entry| entry.unwrap().path()) {
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            found.push((path.strip_prefix(root()).unwrap().to_owned(), text));
        }
    }
}

/// The part of a file before its tests.
fn code(text: &str) -> &str {
    let tests = ["\n#[cfg(test)]\nmod tests", "\n#[cfg(test)]\npub(crate) mod tests"];
    tests.iter().filter_map(|start| text.find(start)).min().map_or(text, |end| &text[..end])
}

#[test]
fn api_and_worker_do_not_know_each_other() {
    for (krate, other) in [("api", "worker"), ("worker", "api")] {
        let manifest = std::fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        assert!(
            !manifest.lines().any(|line| line.starts_with(other)),
            "{krate} depends on {other}"
        );
    }
}

#[test]
fn stages_know_no_redis_and_no_http() {
    let (mut seen, forbidden) = (0, ["redis", "axum", "reqwest", "shared::queue"]);
    for (path, text) in sources(false) {
        if path.starts_with("worker/src/stages") {
            seen += 1;
            for word in forbidden {
                assert!(!code(&text).contains(word), "{} names {word}", path.display());
            }
        }
    }
    assert!(seen >= 14);
}

#[test]
fn only_the_queue_touches_its_keys() {
    for (path, text) in sources(false) {
        if !path.starts_with("shared/src/queue") && !path.starts_with("cli/tests") {
            assert!(!text.contains("{tq:"), "{} names a key of the queue", path.display());
        }
    }
}

#[test]
fn every_stage_is_a_file_and_a_step_of_the_pipeline_in_order() {
    let pipeline = std::fs::read_to_string(root().join("worker/src/pipeline.rs")).unwrap();
    let mut at = 0;
    for stage in shared::stage::Stage::ALL {
        let file = root().join(format!("worker/src/stages/{}.rs", stage.name()));
        assert!(file.exists(), "no file for {}", stage.name());
        let step = format!("Stage::{stage:?},");
        let found = pipeline[at..].find(&step);
        at += found.unwrap_or_else(|| panic!("{step} is missing or out of order")) + step.len();
    }
}

#[test]
fn no_file_is_longer_than_400_lines_without_its_tests() {
    let long: Vec<String> = sources(false)
        .iter()
        .filter(|(path, _)| !path.ends_with("tests.rs"))
        .map(|(path, text)| (path, code(text).lines().count()))
        .filter(|(_, lines)| *lines > 400)
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_unfinished_or_ignored_code() {
    let words = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("#[", "ignore"),
        concat!("FIX", "ME"),
    ];
    for (path, text) in sources(true) {
        for word in words {
            assert!(!text.contains(word), "{} has {word}", path.display());
        }
    }
}
