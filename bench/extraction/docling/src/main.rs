//! Prints the text of a PDF file as docling reads it from the text layer, in its reading order.

use docling_pdf::{TextOptions, convert_text_layer_pages_opts};
use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("usage: docling-text FILE")?;
    let bytes = std::fs::read(&path)?;
    // By default quotes and dashes become ASCII, which would count as wrong words.
    let options = TextOptions { keep_typography: true, ..TextOptions::default() };
    let document = convert_text_layer_pages_opts(&bytes, &path, None, options)?;
    std::io::stdout().write_all(document.export_to_text().as_bytes())?;
    Ok(())
}
