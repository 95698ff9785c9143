//! Small documents made here, through the whole chain.

use super::{code, read, text, tools};
use extractor::client::{ExtractLimits, extract, unpack};
use extractor::model::{Format, TextSource};
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

pub(super) fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    (folder, path)
}

/// A PDF with one page that draws `content` with Helvetica as F1.
pub(super) fn pdf(content: &str) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R \
         /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let mut bytes = b"%PDF-1.4\n".to_vec();
    let mut offsets = Vec::new();
    for (index, object) in objects.iter().enumerate() {
        offsets.push(bytes.len());
        bytes.extend(format!("{} 0 obj\n{object}\nendobj\n", index + 1).bytes());
    }
    let start = bytes.len();
    bytes.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).bytes());
    for offset in offsets {
        bytes.extend(format!("{offset:010} 00000 n \n").bytes());
    }
    let trailer = format!("trailer << /Size {} /Root 1 0 R >>\n", objects.len() + 1);
    bytes.extend(format!("{trailer}startxref\n{start}\n%%EOF\n").bytes());
    bytes
}

pub(super) const LINES: &str = "BT /F1 24 Tf 60 760 Td (Concrete works and formwork) Tj 0 -40 Td \
    (shall be accepted in writing) Tj 0 -40 Td (before the next stage begins) Tj 0 -40 Td \
    (The surface must be clean and level) Tj 0 -40 Td (Reinforcement is fixed by wire) Tj 0 -40 Td \
    (Joints are sealed within two days) Tj ET";

/// The page of [`LINES`] as an image, by a tool of the same package as pdftotext.
pub(super) fn painted(turn: &str) -> Vec<u8> {
    let content = format!("q {turn} cm {LINES} Q");
    let (folder, path) = file("page.pdf", &pdf(&content));
    let target = folder.path().join("page");
    let status = std::process::Command::new("pdftoppm")
        .args(["-png", "-singlefile", "-r", "150"])
        .args([&path, &target])
        .status()
        .unwrap();
    assert!(status.success());
    fs::read(target.with_extension("png")).unwrap()
}

#[test]
fn a_pdf_is_read_natively() {
    let (_folder, path) = file("works.pdf", &pdf(LINES));
    let extraction = read(&path).unwrap();
    assert_eq!((extraction.format, extraction.page_count), (Format::Pdf, 1));
    assert_eq!(extraction.pages[0].source, TextSource::Native);
    assert!(text(&extraction).contains("Concrete works and formwork"));
}

#[test]
fn an_upright_image_and_one_on_its_side_are_recognised() {
    // As matrices of PDF.
    for turn in ["1 0 0 1 0 0", "0 1 -1 0 842 0"] {
        let (_folder, path) = file("page.png", &painted(turn));
        let extraction = read(&path).unwrap();
        let page = &extraction.pages[0];
        assert_eq!(page.source, TextSource::Ocr, "{turn}: {:?}", page.warnings);
        assert!(page.confidence.unwrap() > 0.8, "{turn}: {:?}", page.confidence);
        let text = text(&extraction).replace('\n', " ");
        assert!(text.contains("accepted in writing"), "{turn}: {text}");
    }
}

#[test]
fn recognised_pages_are_cached() {
    let (folder, path) = file("page.png", &painted("1 0 0 1 0 0"));
    let mut tools = tools();
    tools.ocr_cache = Some(folder.path().join("cache"));
    let limits = ExtractLimits::default();
    let first = extract(&path, "page.png", &limits, &tools, &|| false, &|_| ()).unwrap();
    // From now on there is no recognition that could answer.
    tools.tesseract = tools.pdftotext.clone();
    tools.ocr_languages.clear();
    tools.ocr_languages.extend(["rus", "eng"].map(String::from));
    let tsv = walk(&folder.path().join("cache"));
    assert_eq!(tsv.len(), 1);
    assert!(fs::read_to_string(&tsv[0]).unwrap().contains("formwork"));
    fs::write(&tsv[0], fs::read_to_string(&tsv[0]).unwrap().replace("formwork", "cachework"))
        .unwrap();
    tools.tesseract = super::tools().tesseract;
    let second = extract(&path, "page.png", &limits, &tools, &|| false, &|_| ()).unwrap();
    assert_eq!(text(&second), text(&first).replace("formwork", "cachework"));
}

fn walk(folder: &std::path::Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
    }
    found
}

#[test]
fn a_missing_language_is_named_with_its_package() {
    let (_folder, path) = file("page.png", &painted("1 0 0 1 0 0"));
    let mut tools = tools();
    tools.ocr_languages = vec!["kaz_absent".to_owned()];
    let limits = ExtractLimits::default();
    let extraction = extract(&path, "page.png", &limits, &tools, &|| false, &|_| ()).unwrap();
    let (code, message) = &extraction.warnings[0];
    assert_eq!(code.unwrap().name(), "ocr_language_missing");
    assert!(message.contains("kaz_absent") && message.contains("tesseract-ocr-kaz-absent"));
    assert!(text(&extraction).is_empty());
}

#[test]
fn a_text_under_a_wrong_extension_is_read() {
    let (_folder, path) = file("note.pdf", "Акт скрытых работ № 7".as_bytes());
    let extraction = read(&path).unwrap();
    assert_eq!(extraction.format, Format::Text);
    assert_eq!(text(&extraction), "Акт скрытых работ № 7");
}

#[test]
fn sources_that_are_no_documents_have_their_codes() {
    for (name, bytes, expected) in [
        ("a.pdf", &b""[..], "empty_file"),
        ("a.pdf", b"%PDF-1.4 and nothing", "damaged_file"),
        ("a.docx", b"PK\x03\x04 and nothing", "damaged_file"),
        ("a.docx", b"\x89PNG\r\n\x1a\nnoise", "extension_mismatch"),
        ("a.ifc", b"ISO-10303-21;", "damaged_file"),
        ("a.bin", &[0, 1, 2, 3, 255, 254, 0, 9], "unsupported_format"),
    ] {
        let (_folder, path) = file(name, bytes);
        assert_eq!(code(read(&path).unwrap_err()), expected, "{name} {bytes:?}");
    }
    let (_folder, path) = file("a.txt", &[b'a'; 200]);
    let limits = ExtractLimits { file_bytes: 100, ..ExtractLimits::default() };
    let large = extract(&path, "a.txt", &limits, &tools(), &|| false, &|_| ()).unwrap_err();
    assert_eq!(code(large), "file_too_large");
}

#[test]
fn an_archive_is_unpacked_only_into_its_folder() {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["акты/1.txt", "2.txt"] {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(name.as_bytes()).unwrap();
    }
    let (folder, path) = file("a.zip", &writer.finish().unwrap().into_inner());
    let target = folder.path().join("out");
    fs::create_dir(&target).unwrap();
    let unpacked = unpack(&path, &target, &ExtractLimits::default(), &tools(), &|| false).unwrap();
    let paths: Vec<_> = unpacked.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["акты/1.txt", "2.txt"]);
    let bytes = fs::read(target.join(&unpacked.entries[0].file)).unwrap();
    assert_eq!(bytes, "акты/1.txt".as_bytes());
}
