//! Pictures of pages: what was read must lie where its ink is, however the page lies.

use super::formats::{LINES, file, painted, pdf};
use super::{code, read, tools};
use extractor::client::{ExtractError, ExtractLimits, paint};
use extractor::picture::Picture;
use extractor::request::PageLook;
use std::fs::File;
use std::path::Path;

fn look(path: &Path, page: u32, quarter_turns: u8) -> PageLook {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    PageLook { name, page, quarter_turns, dpi: 100.0 }
}

fn picture(path: &Path, look: &PageLook) -> Result<Picture, ExtractError> {
    paint(&File::open(path).unwrap(), look, &ExtractLimits::default(), &tools(), &|| false)
}

#[test]
fn what_was_read_lies_where_its_ink_is() {
    // As matrices of PDF: upright, running up, upside down, running down.
    let up = "0 1 -1 0 842 0";
    let pages = [
        ("upright.pdf", pdf(LINES), 0),
        ("up.pdf", pdf(&format!("q 0 1 -1 0 800 0 cm {LINES} Q")), 1),
        ("over.pdf", pdf(&format!("q -1 0 0 -1 595 842 cm {LINES} Q")), 2),
        ("down.pdf", pdf(&format!("q 0 -1 1 0 -200 700 cm {LINES} Q")), 3),
        ("upright.png", painted("1 0 0 1 0 0"), 0),
        ("up.png", painted(up), 1),
    ];
    for (name, bytes, quarter_turns) in pages {
        let (_folder, path) = file(name, &bytes);
        let extraction = read(&path).unwrap();
        let page = &extraction.pages[0];
        assert_eq!(page.quarter_turns, quarter_turns, "{name}");
        let [width, height] = page.size.unwrap();
        let png = picture(&path, &look(&path, 1, quarter_turns)).unwrap().png().unwrap();
        let image = image::load_from_memory(&png).unwrap().into_luma8();
        let (across, down) = (image.width() as f32 / width, image.height() as f32 / height);
        assert!((across / down - 1.0).abs() < 0.02, "{name}: {:?}", image.dimensions());
        let ink = image.enumerate_pixels().filter(|(_, _, light)| light.0[0] < 100);
        let (mut inside, mut all) = (0, 0);
        for (x, y, _) in ink {
            let (x, y) = (x as f32 / across, y as f32 / down);
            let mut places = page.blocks.iter().filter_map(|block| block.bounds);
            all += 1;
            inside += u32::from(places.any(|[left, top, right, bottom]| {
                (left..right).contains(&x) && (top..bottom).contains(&y)
            }));
        }
        assert!(all > 500 && inside * 100 >= all * 97, "{name}: {inside} of {all}");
    }
}

#[test]
fn pages_that_cannot_be_painted_have_their_codes() {
    let (_folder, path) = file("page.pdf", &pdf(LINES));
    assert_eq!(code(picture(&path, &look(&path, 2, 0)).unwrap_err()), "damaged_file");
    let (_folder, path) = file("page.txt", "текст".as_bytes());
    assert_eq!(code(picture(&path, &look(&path, 1, 0)).unwrap_err()), "damaged_file");
    let huge = String::from_utf8(pdf(LINES)).unwrap().replace("[0 0 595 842]", "[0 0 9000 9000]");
    let (_folder, path) = file("huge.pdf", huge.as_bytes());
    let (width, height) = picture(&path, &look(&path, 1, 0)).unwrap().size();
    assert!(u64::from(width) * u64::from(height) <= extractor::picture::MAX_PIXELS);
}
