use super::{Refusal, detect};
use crate::model::Format;
use proptest::prelude::*;
use shared::outcome::Code;
use std::io::{Cursor, Write};

fn check(bytes: &[u8], name: &str) -> Result<(Format, bool), Code> {
    detect(&mut Cursor::new(bytes), name)
        .unwrap()
        .map(|detected| (detected.format, detected.mismatch.is_some()))
        .map_err(|refusal: Refusal| refusal.code)
}

fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        writer.start_file(*name, stored).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// A compound file with one directory sector holding these names.
fn ole(names: &[&str]) -> Vec<u8> {
    let mut bytes = vec![0; 512 * 3];
    bytes[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
    bytes[30] = 9;
    bytes[48..52].copy_from_slice(&1_u32.to_le_bytes());
    bytes[512..1024].fill(0xFF);
    for (index, name) in names.iter().enumerate() {
        let entry = &mut bytes[1024 + 128 * index..][..128];
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        entry[..units.len()].copy_from_slice(&units);
        entry[64] = units.len() as u8 + 2;
        entry[66] = 2;
    }
    bytes
}

#[test]
fn content_comes_before_the_extension() {
    assert_eq!(check(b"%PDF-1.7\n", "a.pdf"), Ok((Format::Pdf, false)));
    assert_eq!(check(b"\r\n%PDF-1.4\n", "a.pdf"), Ok((Format::Pdf, false)));
    assert_eq!(check(b"<html><body>%PDF-", "a.pdf"), Ok((Format::Html, true)));
    assert_eq!(check(b"\n<!DOCTYPE HTML PUBLIC \"x\">", "a.pdf"), Ok((Format::Html, true)));
    assert_eq!(check(b"\x89PNG\r\n\x1a\n", "a.docx"), Ok((Format::Png, true)));
    assert_eq!(check(b"\xFF\xD8\xFF\xE0", "a.JPG"), Ok((Format::Jpeg, false)));
    assert_eq!(check(b"II*\0", "a.tif"), Ok((Format::Tiff, false)));
    assert_eq!(check(b"%PDF-1.7\n", "a.2017"), Ok((Format::Pdf, false)));
}

#[test]
fn texts_are_told_apart() {
    assert_eq!(check("Свод правил".as_bytes(), "a.txt"), Ok((Format::Text, false)));
    assert_eq!(check("BMW и другие".as_bytes(), "a.txt"), Ok((Format::Text, false)));
    assert_eq!(check(b"# Title", "a.md"), Ok((Format::Markdown, false)));
    assert_eq!(check(b"a;b\n1;2", "a.csv"), Ok((Format::Csv, false)));
    assert_eq!(check(b"{\"a\": 1}", "a.json"), Ok((Format::Json, false)));
    assert_eq!(check(b"  0\r\nSECTION\r\n  2\r\nHEADER\r\n", "a.dxf"), Ok((Format::Dxf, false)));
    assert_eq!(check(b"999\nmade by\n0\nSECTION\n", "a.txt"), Ok((Format::Dxf, true)));
    let wide: Vec<u8> = "Раздел 1. Общие".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(check(&wide, "a.txt"), Ok((Format::Text, false)));
    assert_eq!(check(&[0, 1, 2, 3, 0xF0, 0x9F, 0, 7], "a.txt"), Err(Code::UnsupportedFormat));
}

#[test]
fn markup_is_told_by_its_root() {
    let estimate =
        "\u{feff}<?xml version=\"1.0\"?>\n<!-- -->\n<Construction><Meta/></Construction>";
    assert_eq!(check(estimate.as_bytes(), "a.gge"), Ok((Format::Gge, false)));
    assert_eq!(check(estimate.as_bytes(), "a.xml"), Ok((Format::Gge, false)));
    let entity = b"<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY x SYSTEM \"f\">]><Construction/>";
    assert_eq!(check(entity, "a.gge"), Ok((Format::Gge, false)));
    assert_eq!(check(b"<?xml version=\"1.0\"?><base a=\"1\"/>", "a.xml"), Ok((Format::Xml, false)));
    assert_eq!(check(b"<table><tr><td>1", "a.xls"), Ok((Format::Html, true)));
    assert_eq!(check("<Введение> без тегов".as_bytes(), "a.txt"), Ok((Format::Text, false)));
}

#[test]
fn containers_are_told_by_what_they_hold() {
    let docx = zip(&[("[Content_Types].xml", b""), ("word/document.xml", b"x")]);
    assert_eq!(check(&docx, "a.docx"), Ok((Format::Docx, false)));
    assert_eq!(check(&docx, "a.zip"), Ok((Format::Docx, true)));
    let xlsx = zip(&[("[Content_Types].xml", b""), ("xl/workbook.xml", b"x")]);
    assert_eq!(check(&xlsx, "a.xlsx"), Ok((Format::Xlsx, false)));
    assert_eq!(check(&zip(&[("a.txt", b"x")]), "a.zip"), Ok((Format::Zip, false)));
    let odt = zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.text"),
        ("content.xml", b"content content content"),
    ]);
    assert_eq!(check(&odt, "a.odt"), Ok((Format::Odt, false)));
    let ods = zip(&[("mimetype", b"application/vnd.oasis.opendocument.spreadsheet")]);
    assert_eq!(check(&ods, "a.odt"), Ok((Format::Ods, true)));
    assert_eq!(check(&docx[..docx.len() - 30], "a.docx"), Err(Code::DamagedFile));
    assert_eq!(check(&ole(&["Root Entry", "Workbook"]), "a.xls"), Ok((Format::Xls, false)));
    assert_eq!(check(&ole(&["Root Entry", "WordDocument"]), "a.doc"), Ok((Format::Doc, false)));
    assert_eq!(
        check(&ole(&["Root Entry", "EncryptedPackage"]), "a.docx"),
        Err(Code::PasswordProtected)
    );
    assert_eq!(check(&ole(&[]), "a.doc"), Err(Code::DamagedFile));
}

#[test]
fn an_empty_file_has_its_own_code() {
    assert_eq!(check(b"", "a.pdf"), Err(Code::EmptyFile));
}

proptest! {
    #[test]
    fn any_bytes_are_decided_without_a_panic(
        sign in prop::sample::select(vec![
            &b""[..], b"PK\x03\x04", b"PK\x05\x06", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
            b"<", b"<!--", b"<!DOCTYPE ", b"<?xml", b"\xFF\xFE", b"%PDF-", b"BM",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..700),
    ) {
        let bytes = [sign, &rest].concat();
        let _any = check(&bytes, "файл.docx");
    }
}

#[test]
fn a_letter_is_told_by_its_head() {
    let passed = b"Received: from a\r\n by b\r\nMessage-ID: <1@b>\r\nSubject: x\r\n\r\ntext";
    assert_eq!(check(passed, "a.eml"), Ok((Format::Eml, false)));
    assert_eq!(check(passed, "a.txt"), Ok((Format::Eml, true)));
    assert_eq!(check(b"Subject: x\nFrom: a@b\n\ntext", "a.eml"), Ok((Format::Eml, false)));
    // A text about letters is none.
    assert_eq!(check(b"Subject: x\nFrom: a@b\n\ntext", "a.txt"), Ok((Format::Text, false)));
    assert_eq!(check(b"Note: x\nFrom: a@b", "a.eml"), Ok((Format::Text, true)));
}

#[test]
fn letters_of_all_programs_are_told() {
    let letter = "From: a@b\r\nSubject: x\r\n\r\ntext";
    for before in [
        "\u{feff}",
        "\r\n\r\n",
        "From a@b Fri Nov 27 10:00:00 2026\r\n",
        "X_Spam: no\r\n",
        "X.Y: no\r\n",
    ] {
        let letter = format!("{before}{letter}");
        assert_eq!(check(letter.as_bytes(), "a.eml"), Ok((Format::Eml, false)), "{before:?}");
    }
    let page = b"From: <Saved by Blink>\r\nSubject: x\r\n\r\ntext";
    assert_eq!(check(page, "a.mht"), Ok((Format::Eml, false)));
    assert_eq!(check(page, "a.MHTML"), Ok((Format::Eml, false)));
    let begins_like_a_zip = b"PK: 1\r\nFrom: a@b\r\nSubject: x\r\n\r\ntext";
    assert_eq!(check(begins_like_a_zip, "a.eml"), Ok((Format::Eml, false)));
}

#[test]
fn texts_that_begin_like_letters_are_none() {
    for text in [
        "Received: 05.05.2026\nFrom: ООО Строй\nSubject: ведомость\nOrder: 5\n\nДоска",
        "From: the architect\nTo: builder\nMessage-ID: doc-5\n\nText",
        "Mime-Version: 5\nSubject: x\n\nText",
    ] {
        assert_eq!(check(text.as_bytes(), "a.txt"), Ok((Format::Text, false)), "{text}");
    }
    assert_eq!(check(b"MIME-Version: 1.0\nSubject: x\n\nText", "a"), Ok((Format::Eml, false)));
}

#[test]
fn a_building_model_may_begin_with_a_mark_or_an_empty_line() {
    for before in ["", "\u{feff}", "\r\n"] {
        let model = format!("{before}ISO-10303-21;\nHEADER;");
        assert_eq!(check(model.as_bytes(), "a.ifc"), Ok((Format::Ifc, false)), "{before:?}");
    }
}
