//! DWG: a library reads the drawing and writes it out as DXF; from there it is one.
//!
//! The words of a drawing are all that is wanted, and the reader of DXF knows already where they
//! stand and what a title block is.

#[cfg(test)]
mod tests;

use crate::dxf;
use crate::reader::{Limits, ReadError, Sink};
use acadrust::types::DxfVersion;
use acadrust::{CadDocument, DwgReadOptions, DwgReader, DxfError, DxfWriter};
use shared::outcome::Code;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Reads a drawing of `AutoCAD`, release 13 or later. Of a damaged one what can be recovered is read,
/// with a warning.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let most = usize::try_from(limits.unpacked_bytes).unwrap_or(usize::MAX);
    let options = DwgReadOptions::default().with_max_decompressed_bytes(most);
    let (drawing, is_damaged) = match open(bytes, options.clone()) {
        Ok(drawing) => (drawing, false),
        Err(refusal) if refusal.code == Code::UnsupportedFormat => return Err(refusal),
        Err(damage) => match open(bytes, DwgReadOptions { failsafe: true, ..options }) {
            Ok(drawing) if drawing.entities().next().is_some() => (drawing, true),
            _ => return Err(damage),
        },
    };
    // In the newest version all texts are UTF-8.
    let writer = DxfWriter::new(&drawing).with_version(DxfVersion::AC1032);
    let dxf = caught(|| writer.write_to_vec())?;
    dxf::read_text(&String::from_utf8_lossy(&dxf), limits, sink)?;
    if is_damaged {
        sink.warning(
            Some(Code::DamagedFile),
            "чертёж повреждён: прочитано то, что удалось восстановить",
        )?;
    }
    Ok(())
}

fn open(bytes: &[u8], options: DwgReadOptions) -> Result<CadDocument, ReadError> {
    caught(|| DwgReader::from_stream_with_options(Cursor::new(bytes), options).read())
}

/// The library takes lengths from the file on trust in places.
fn caught<T>(run: impl FnOnce() -> Result<T, DxfError>) -> Result<T, ReadError> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| ReadError::damaged("чертёж DWG повреждён"))?
        .map_err(|error| drawing_error(&error))
}

fn drawing_error(error: &DxfError) -> ReadError {
    match error {
        DxfError::UnsupportedVersion(version) => ReadError::new(
            Code::UnsupportedFormat,
            format!("версия DWG не читается: {version}; сохраните чертёж как DXF"),
        ),
        other => ReadError::damaged(format!("чертёж DWG повреждён: {other}")),
    }
}
