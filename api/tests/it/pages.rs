//! The pages of a document: what was read from them, and their pictures.

use crate::harness::Server;
use crate::knowledge::record;
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use shared::identity::document_id;
use shared::job::Location;
use shared::reading::{ReadBlock, ReadDocument, ReadKind, ReadPage};
use std::path::Path;
use stores::Database;
use stores::database::{Artifacts, DocumentRecord, EmbeddedChunks};
use uuid::Uuid;

const SAMPLE: &str = "СП 999.1325800.2026 Бетонные работы зимой.pdf";
const BLUE: Rgb<u8> = Rgb([21, 80, 200]);
const ORANGE: Rgb<u8> = Rgb([235, 110, 0]);

fn sample() -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("samples");
    std::fs::read(folder.join(SAMPLE)).unwrap()
}

fn block(kind: ReadKind, bounds: [f32; 4]) -> ReadBlock {
    ReadBlock {
        kind,
        level: None,
        clause: Some("5.2".to_owned()),
        text: "Текст".to_owned(),
        rows: None,
        header_rows: 0,
        bounds: vec![bounds],
    }
}

/// Two pages of an A4 document, the second of which was turned before it was read.
fn reading(format: &str) -> ReadDocument {
    let upright = ReadPage {
        number: 1,
        size: Some([595.0, 842.0]),
        blocks: vec![
            block(ReadKind::Heading, [100.0, 100.0, 300.0, 120.0]),
            block(ReadKind::Table, [100.0, 200.0, 400.0, 600.0]),
        ],
        furniture: vec!["СП 1".to_owned()],
        furniture_bounds: vec![[100.0, 30.0, 200.0, 40.0]],
        ..ReadPage::default()
    };
    let turned =
        ReadPage { number: 2, size: Some([842.0, 595.0]), quarter_turns: 1, ..ReadPage::default() };
    ReadDocument { format: format.to_owned(), page_count: 3, pages: vec![upright, turned] }
}

/// Stores a document as the worker would.
fn seed(server: &Server, name: &str, bytes: &[u8], location: Location, format: &str) -> Uuid {
    let database = Database::open(&server.folder.path().join("data")).unwrap();
    let id = document_id("default", name);
    let attempt = database.begin(id, "default", Uuid::from_u128(9), 1).unwrap();
    database.stage_chunks(&attempt, EmbeddedChunks { chunks: &[], vectors: None }).unwrap();
    let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let record = DocumentRecord { name: name.to_owned(), sha256, ..record(location) };
    let reading = serde_json::to_string(&reading(format)).unwrap();
    let artifacts = Artifacts { reading, ..Artifacts::default() };
    database.switch(&attempt, &record, &artifacts).unwrap();
    id
}

/// Writes a file below the root and stores it as a document.
fn seed_file(server: &Server, name: &str, bytes: &[u8], format: &str) -> Uuid {
    let path = server.docs().join(name);
    std::fs::write(&path, bytes).unwrap();
    let location = Location::File(path.to_str().unwrap().to_owned());
    seed(server, name, bytes, location, format)
}

async fn picture(server: &Server, path: &str) -> RgbImage {
    let answer = server.http.get(server.url(path)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    assert_eq!(answer.headers()["content-type"], "image/png");
    assert!(answer.headers()["cache-control"].to_str().unwrap().starts_with("private"));
    let bytes = answer.bytes().await.unwrap();
    assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
    image::load_from_memory(&bytes).unwrap().into_rgb8()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_is_shown_with_outlines_around_what_was_read() {
    let server = Server::start().await;
    let id = seed_file(&server, SAMPLE, &sample(), "pdf");
    let page = picture(&server, &format!("/documents/{id}/pages/1.png")).await;
    let (width, height) = page.dimensions();
    assert!((905..=912).contains(&width) && (1280..=1290).contains(&height), "{width}×{height}");
    let count = |image: &RgbImage, colour| image.pixels().filter(|pixel| **pixel == colour).count();
    // The outline of a heading of 200 × 20 points and of a table of 300 × 400 at 110 dpi.
    assert!(count(&page, BLUE) > 600, "{}", count(&page, BLUE));
    assert!(count(&page, ORANGE) > 2000, "{}", count(&page, ORANGE));
    let left = (100.0_f32 * 110.0 / 72.0).floor() as u32 - 1;
    assert_eq!(*page.get_pixel(left, 500), ORANGE);
    assert!(count(&page, Rgb([255; 3])) > 500_000, "the page itself is there");
    assert!(page.pixels().any(|pixel| pixel.0.iter().all(|light| *light < 60)), "and its text");

    let large = picture(&server, &format!("/documents/{id}/pages/1.png?dpi=200")).await;
    assert!(large.width() > 1600, "{}", large.width());
    let turned = picture(&server, &format!("/documents/{id}/pages/2.png")).await;
    assert!(turned.width() > turned.height(), "{:?}", turned.dimensions());

    let (_, listed) = server.get(&format!("/documents/{id}/pages?limit=1")).await;
    assert_eq!(listed["pages"][0]["blocks"][0]["clause"], "5.2");
    assert_eq!(listed["pages"][0]["source"], "native");
    let cursor = listed["next_cursor"].as_str().unwrap();
    let (_, rest) = server.get(&format!("/documents/{id}/pages?cursor={cursor}")).await;
    assert_eq!((&rest["pages"][0]["number"], &rest["next_cursor"]), (&json!(2), &Value::Null));
    let (_, one) = server.get(&format!("/documents/{id}/pages/2")).await;
    assert_eq!(one, rest["pages"][0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_their_codes() {
    let server = Server::start().await;
    let id = seed_file(&server, SAMPLE, &sample(), "pdf");
    let unknown = Uuid::from_u128(5);
    let damaged = seed_file(&server, "damaged.pdf", b"%PDF-1.7\nnothing", "pdf");
    let text = seed_file(&server, "works.docx", b"PK", "docx");
    let changed = seed_file(&server, "changed.pdf", b"0", "pdf");
    std::fs::write(server.docs().join("changed.pdf"), "another").unwrap();
    let gone = seed_file(&server, "gone.pdf", b"1", "pdf");
    std::fs::remove_file(server.docs().join("gone.pdf")).unwrap();
    let secret = server.folder.path().join("secret.pdf");
    std::fs::write(&secret, sample()).unwrap();
    let link = server.docs().join("link.pdf");
    std::os::unix::fs::symlink(&secret, &link).unwrap();
    let outside = Location::File(secret.to_str().unwrap().to_owned());
    let outside = seed(&server, "outside.pdf", b"2", outside, "pdf");
    let linked = Location::File(link.to_str().unwrap().to_owned());
    let linked = seed(&server, "linked.pdf", b"3", linked, "pdf");
    for (path, status, code) in [
        (format!("{unknown}/pages/1.png"), 404, "document_not_found"),
        (format!("{unknown}/pages"), 404, "document_not_found"),
        ("nonsense/pages/1.png".to_owned(), 404, "document_not_found"),
        (format!("{id}/pages/0.png"), 404, "page_not_found"),
        (format!("{id}/pages/4.png"), 404, "page_not_found"),
        (format!("{id}/pages/4"), 404, "page_not_found"),
        // The file has it, but nothing was read from it.
        (format!("{id}/pages/3"), 404, "page_not_found"),
        (format!("{id}/pages/+1.png"), 404, "page_not_found"),
        (format!("{id}/pages/99999999999.png"), 404, "page_not_found"),
        (format!("{id}/pages/..%2F..%2Fsecret.png"), 404, "page_not_found"),
        (format!("{id}/pages/1.png?dpi=201"), 422, "invalid_field"),
        (format!("{id}/pages/1.png?dpi=29"), 422, "invalid_field"),
        (format!("{id}/pages/1.png?dpi=many"), 422, "invalid_field"),
        (format!("{id}/pages/1.png?path=/etc/passwd"), 422, "unknown_field"),
        (format!("{id}/pages/1?dpi=110"), 422, "invalid_field"),
        (format!("{id}/pages?cursor=x"), 422, "invalid_field"),
        (format!("{text}/pages/1.png"), 404, "no_page_pictures"),
        (format!("{damaged}/pages/1.png"), 422, "damaged_file"),
        (format!("{changed}/pages/1.png"), 409, "original_changed"),
        (format!("{gone}/pages/1.png"), 404, "original_gone"),
        (format!("{outside}/pages/1.png"), 403, "source_outside_roots"),
        (format!("{linked}/pages/1.png"), 403, "source_outside_roots"),
    ] {
        let (answered, refusal) = server.get(&format!("/documents/{path}")).await;
        assert_eq!((answered, refusal["code"].as_str()), (status, Some(code)), "{path}");
    }
    assert_eq!(server.get(&format!("/documents/{text}/pages/1")).await.0, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_is_shown_too_and_a_page_of_which_nothing_was_read() {
    let server = Server::start().await;
    let mut scan = std::io::Cursor::new(Vec::new());
    let grey = RgbImage::from_pixel(400, 300, Rgb([200; 3]));
    grey.write_to(&mut scan, image::ImageFormat::Png).unwrap();
    let scan = scan.into_inner();
    server.blobs().put("uploads/x/files/0", scan.clone()).await.unwrap();
    let location = Location::Blob("uploads/x/files/0".to_owned());
    let id = seed(&server, "скан.png", &scan, location, "png");
    let page = picture(&server, &format!("/documents/{id}/pages/1.png?dpi=200")).await;
    assert_eq!(page.dimensions(), (400, 300), "a scan is not made larger than it is");
    let (status, refusal) = server.get(&format!("/documents/{id}/pages/3.png")).await;
    assert_eq!((status, &refusal["code"]), (422, &json!("damaged_file")), "it has one image");
}
