//! Mutations that leave a container whole, so that they reach the parser behind it.

use libfuzzer_sys::fuzzer_mutate;
use std::io::{Cursor, Read, Write};
use std::panic::catch_unwind;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

/// Parts are read up to this size, and grow by as much as `ROOM` in one step.
const PART: u64 = 1 << 20;
const ROOM: usize = 4 << 10;
/// What a part weighs besides its bytes when one is drawn: small parts matter, too.
const PART_WEIGHT: u64 = 256;

/// Changes one part of a zip and packs it again; bytes of other containers (OLE) stay in their
/// places. One time in eight the container itself is what is changed.
pub fn mutate_container(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    if seed.is_multiple_of(8) {
        return fuzzer_mutate(data, size, max_size);
    }
    if !data[..size].starts_with(b"PK") {
        return mutate_in_place(data, size, max_size, seed);
    }
    // The library may panic over what the fuzzer made of the zip itself.
    let bytes: &[u8] = &data[..size];
    let packed = catch_unwind(|| with_changed_part(bytes, seed)).ok().flatten();
    match packed.filter(|packed| packed.len() <= max_size) {
        Some(packed) => {
            data[..packed.len()].copy_from_slice(&packed);
            packed.len()
        }
        None => fuzzer_mutate(data, size, max_size),
    }
}

/// Changes up to 128 neighbouring bytes and moves none.
pub fn mutate_in_place(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    let length = 4 << (seed % 6);
    if size <= length || size > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    let start = usize::try_from(mixed(seed) % (size - length) as u64).unwrap_or(0);
    let window = &mut data[start..start + length];
    let mut changed = window.to_vec();
    fuzzer_mutate(&mut changed, length, length);
    window.copy_from_slice(&changed);
    size
}

fn with_changed_part(bytes: &[u8], seed: u32) -> Option<Vec<u8>> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let chosen = drawn_part(&mut archive, seed)?;
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        if index != chosen {
            writer.raw_copy_file(archive.by_index_raw(index).ok()?).ok()?;
            continue;
        }
        let part = archive.by_index(index).ok()?;
        let name = part.name().ok()?.into_owned();
        let mut content = Vec::new();
        part.take(PART).read_to_end(&mut content).ok()?;
        let size = content.len();
        content.resize(size + ROOM, 0);
        let size = fuzzer_mutate(&mut content, size, size + ROOM);
        writer.start_file(name, SimpleFileOptions::default().compression_level(Some(1))).ok()?;
        writer.write_all(&content[..size]).ok()?;
    }
    Some(writer.finish().ok()?.into_inner())
}

/// A part, large ones more often.
fn drawn_part(archive: &mut ZipArchive<Cursor<&[u8]>>, seed: u32) -> Option<usize> {
    let mut weights = Vec::new();
    for index in 0..archive.len() {
        weights.push(archive.by_index_raw(index).ok()?.size().min(PART) + PART_WEIGHT);
    }
    let mut left = mixed(seed).checked_rem(weights.iter().sum())?;
    weights.iter().position(|weight| match left.checked_sub(*weight) {
        Some(rest) => {
            left = rest;
            false
        }
        None => true,
    })
}

/// The seed spread over 64 bits.
fn mixed(seed: u32) -> u64 {
    let wide = u64::from(seed).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    wide ^ (wide >> 29)
}
