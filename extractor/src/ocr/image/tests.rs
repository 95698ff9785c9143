use super::{Rendered, frame, frame_sizes, prepare};
use crate::model::Format;
use image::{GrayImage, ImageFormat, Luma};
use std::io::Cursor;

fn page(width: u32, height: u32) -> GrayImage {
    let mut image = GrayImage::from_pixel(width, height, Luma([250]));
    for x in 20..width / 2 {
        for y in 10..20 {
            image.put_pixel(x, y, Luma([10]));
        }
    }
    image
}

fn encoded(image: &GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

#[test]
fn every_image_format_is_decoded_and_turned() {
    let formats = [
        (Format::Png, ImageFormat::Png),
        (Format::Jpeg, ImageFormat::Jpeg),
        (Format::Tiff, ImageFormat::Tiff),
        (Format::Bmp, ImageFormat::Bmp),
    ];
    for (format, written) in formats {
        let bytes = encoded(&page(200, 100), written);
        let size = frame_sizes(&bytes, format, 10).unwrap();
        assert_eq!(size.len(), 1);
        assert!((size[0][0] - 842.0).abs() < 1.0 && (size[0][1] - 421.0).abs() < 1.0);
        let rendered = prepare(frame(&bytes, format, 0, 1_000_000).unwrap(), 0);
        assert_eq!((rendered.head.width, rendered.head.height), (200, 100));
        assert!(!rendered.head.blank);
        let turned = prepare(frame(&bytes, format, 0, 1_000_000).unwrap(), 1);
        assert_eq!((turned.head.width, turned.head.height), (100, 200));
    }
}

#[test]
fn an_image_over_the_limit_is_reduced() {
    let bytes = encoded(&page(2000, 1000), ImageFormat::Png);
    let rendered = prepare(frame(&bytes, Format::Png, 0, 500_000).unwrap(), 0);
    assert!(u64::from(rendered.head.width) * u64::from(rendered.head.height) <= 500_000);
    assert!(rendered.head.width > 900);
}

#[test]
fn every_frame_of_a_tiff_is_found() {
    // Two TIFF files in one: the second's offsets moved by the length of the first.
    let first = encoded(&page(40, 30), ImageFormat::Tiff);
    let second = encoded(&page(60, 50), ImageFormat::Tiff);
    assert!(first.starts_with(b"II"));
    let u32_at =
        |bytes: &[u8], at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
    let u16_at =
        |bytes: &[u8], at: usize| u16::from_le_bytes(bytes[at..at + 2].try_into().unwrap());
    let shift = first.len() as u32;
    let mut moved = second.clone();
    let directory = u32_at(&second, 4) as usize;
    let entries = usize::from(u16_at(&second, directory));
    for entry in (0..entries).map(|index| directory + 2 + 12 * index) {
        let kind = u16_at(&second, entry + 2);
        let size = match kind {
            1 | 2 => 1,
            3 => 2,
            4 => 4,
            _ => 8,
        } * u32_at(&second, entry + 4);
        let is_offset = size > 4 || u16_at(&second, entry) == 273;
        if is_offset {
            let value = u32_at(&second, entry + 8) + shift;
            moved[entry + 8..entry + 12].copy_from_slice(&value.to_le_bytes());
        }
    }
    let mut both = [first.clone(), moved].concat();
    let directory_of_first = u32_at(&first, 4) as usize;
    let next = directory_of_first + 2 + 12 * usize::from(u16_at(&first, directory_of_first));
    let directory_of_second = u32_at(&second, 4) + shift;
    both[next..next + 4].copy_from_slice(&directory_of_second.to_le_bytes());
    assert_eq!(frame_sizes(&both, Format::Tiff, 10).unwrap().len(), 2);
    let mut circle = both.clone();
    let next_of_second = directory_of_second as usize + 2 + 12 * entries;
    circle[next_of_second..next_of_second + 4].copy_from_slice(&u32_at(&first, 4).to_le_bytes());
    assert_eq!(frame_sizes(&circle, Format::Tiff, u32::MAX).unwrap().len(), 2);
    let rendered = prepare(frame(&both, Format::Tiff, 1, 1_000_000).unwrap(), 0);
    assert_eq!((rendered.head.width, rendered.head.height), (60, 50));
    assert!(frame(&both, Format::Tiff, 2, 1_000_000).is_err());
}

#[test]
fn what_was_written_is_read() {
    let bytes = encoded(&page(200, 100), ImageFormat::Png);
    let rendered = prepare(frame(&bytes, Format::Png, 0, 1_000_000).unwrap(), 0);
    let mut pipe = Vec::new();
    rendered.write(&mut pipe).unwrap();
    let read = Rendered::read(pipe.clone()).unwrap();
    assert_eq!((&read.head, read.grey()), (&rendered.head, rendered.grey()));
    assert!(Rendered::read(pipe[..pipe.len() - 1].to_vec()).is_err());
    assert!(Rendered::read(Vec::new()).is_err());
}

#[test]
fn paper_alone_is_blank() {
    let bytes = encoded(&GrayImage::from_pixel(300, 300, Luma([235])), ImageFormat::Png);
    assert!(prepare(frame(&bytes, Format::Png, 0, 1_000_000).unwrap(), 0).head.blank);
}

#[test]
fn small_letters_are_enlarged() {
    let mut image = GrayImage::from_pixel(900, 300, Luma([250]));
    for index in 0..100_u32 {
        let (left, top) = (10 + index % 50 * 17, 50 + index / 50 * 40);
        for (x, y) in (0..8).flat_map(|x| (0..11).map(move |y| (x, y))) {
            image.put_pixel(left + x, top + y, Luma([20]));
        }
    }
    let bytes = encoded(&image, ImageFormat::Png);
    let head = prepare(frame(&bytes, Format::Png, 0, 10_000_000).unwrap(), 0).head;
    assert_eq!((head.width, head.height), (1800, 600));
    let size = frame_sizes(&bytes, Format::Png, 1).unwrap()[0];
    assert!((head.width as f32 * 72.0 / head.dpi - size[0]).abs() < 1.0);
}
