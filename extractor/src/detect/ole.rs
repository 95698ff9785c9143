//! The directory of a compound file (OLE): names of its streams, nothing else.

use std::io::{self, Read, Seek, SeekFrom};

/// Directory sectors that are looked at; a document of Word or Excel has fewer than ten.
const MAX_DIRECTORY_SECTORS: usize = 64;

/// The names of the entries, as many as can be found; empty when the file is damaged.
pub(super) fn entry_names<R: Read + Seek>(source: &mut R, head: &[u8]) -> io::Result<Vec<String>> {
    let size = match u16_at(head, 30) {
        Some(shift @ (9 | 12)) => 1_u64 << shift,
        _ => return Ok(Vec::new()),
    };
    let Some(mut sector) = u32_at(head, 48) else { return Ok(Vec::new()) };
    let mut names = Vec::new();
    for _ in 0..MAX_DIRECTORY_SECTORS {
        let Some(bytes) = read_sector(source, sector, size)? else { break };
        names.extend(bytes.chunks_exact(128).filter_map(entry_name));
        match next_sector(source, head, sector, size)? {
            Some(next) => sector = next,
            None => break,
        }
    }
    Ok(names)
}

/// The sector after this one in its chain, by the file's allocation table. Only the tables listed
/// in the header are used: they reach 7 MB, and a directory that lies behind them ends there.
fn next_sector<R: Read + Seek>(
    source: &mut R,
    head: &[u8],
    sector: u32,
    size: u64,
) -> io::Result<Option<u32>> {
    let per_table = size / 4;
    let table = u64::from(sector) / per_table;
    if table >= 109 {
        return Ok(None);
    }
    let Some(table_sector) = u32_at(head, 76 + 4 * table as usize) else { return Ok(None) };
    let Some(bytes) = read_sector(source, table_sector, size)? else { return Ok(None) };
    let slot = (u64::from(sector) % per_table) as usize;
    // Values from 0xFFFFFFFA on are marks: end of chain, free, table.
    Ok(u32_at(&bytes, 4 * slot).filter(|next| *next < 0xFFFF_FFFA))
}

fn read_sector<R: Read + Seek>(
    source: &mut R,
    sector: u32,
    size: u64,
) -> io::Result<Option<Vec<u8>>> {
    source.seek(SeekFrom::Start((u64::from(sector) + 1) * size))?;
    let mut bytes = Vec::new();
    source.by_ref().take(size).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 == size).then_some(bytes))
}

/// The name of a used entry: up to 32 UTF-16 units, their length in bytes at 64, the kind at 66.
fn entry_name(entry: &[u8]) -> Option<String> {
    let length = usize::from(u16_at(entry, 64)?).min(64);
    let in_use = *entry.get(66)? != 0;
    let units: Vec<u16> = entry
        .get(..length)?
        .chunks_exact(2)
        .map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
        .take_while(|unit| *unit != 0)
        .collect();
    (in_use && !units.is_empty()).then(|| String::from_utf16_lossy(&units))
}

fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(offset..offset + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(offset..offset + 4)?.try_into().ok()?))
}
