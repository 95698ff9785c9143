//! The shared corpus, where it is there: hostile files end as its manifest says, in time.

use super::{code, read, text, tools};
use extractor::client::{ExtractLimits, unpack};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The corpus beside the checkout; its tests have nothing to do without it.
fn corpus() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus");
    folder.is_dir().then_some(folder)
}

#[test]
fn traps_end_with_their_codes() {
    let Some(corpus) = corpus() else { return };
    let traps = corpus.join("files/ловушки");
    for (name, expected) in [
        ("xxe.gge", "xml_external_entity"),
        ("бомба.docx", "archive_limits"),
        ("картинка.docx", "extension_mismatch"),
        ("обрезан.docx", "damaged_file"),
        ("под паролем.pdf", "password_protected"),
        ("пустой.pdf", "empty_file"),
    ] {
        let started = Instant::now();
        assert_eq!(code(read(&traps.join(name)).unwrap_err()), expected, "{name}");
        assert!(started.elapsed() < Duration::from_secs(30), "{name}");
    }
    assert!(text(&read(&traps.join("чистый лист.pdf")).unwrap()).trim().is_empty());
    assert!(text(&read(&traps.join("только владелец.pdf")).unwrap()).len() > 500);
    let cut = read(&traps.join("обрезан.pdf")).unwrap();
    assert!(text(&cut).len() > 10_000);
    assert!(cut.warnings.iter().any(|(code, _)| code.is_some_and(|c| c.name() == "damaged_file")));
}

#[test]
fn archives_are_unpacked_or_refused() {
    let Some(corpus) = corpus() else { return };
    let traps = corpus.join("files/ловушки");
    let folder = tempfile::tempdir().unwrap();
    let limits = ExtractLimits::default();
    let unpacked =
        unpack(&traps.join("архив.zip"), folder.path(), &limits, &tools(), &|| false).unwrap();
    assert_eq!(unpacked.entries.len(), 3, "{unpacked:?}");
    let folder = tempfile::tempdir().unwrap();
    let slip = unpack(&traps.join("zip-slip.zip"), folder.path(), &limits, &tools(), &|| false);
    assert_eq!(code(slip.unwrap_err()), "archive_unsafe_path");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_scan_is_recognised_nearly_without_errors() {
    let Some(corpus) = corpus() else { return };
    let scan = read(&corpus.join("files/сканы/СН РК 2.03-01-2011 скан 200dpi.pdf")).unwrap();
    let truth =
        std::fs::read_to_string(corpus.join("expected/scan-sn-2.03-clean.truth.txt")).unwrap();
    // Words rather than characters: a wrong letter costs the word, and no order is needed.
    let words = |text: &str| -> Vec<String> {
        let mut words: Vec<_> = text.split_whitespace().map(str::to_lowercase).collect();
        words.sort();
        words
    };
    let (found, wanted) = (words(&text(&scan)), words(&truth));
    let hits = wanted.iter().filter(|word| found.binary_search(word).is_ok()).count();
    assert!(hits * 100 >= wanted.len() * 95, "{hits} of {}", wanted.len());
}
