//! Reads one office file in this process and prints its blocks: `read_file FILE [--text]`.

use anyhow::{Context, bail};
use extractor::model::{BlockKind, Message};
use extractor::reader::{Limits, Sink};
use std::path::Path;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("usage: read_file FILE [--text]")?;
    let plain = arguments.next().is_some();
    let bytes = std::fs::read(&path)?;
    let limits = Limits::default();
    let mut print = |message: Message| {
        show(message, plain);
        Ok(())
    };
    let mut sink = Sink::new(&mut print);
    let extension = Path::new(&path).extension().and_then(|e| e.to_str()).unwrap_or_default();
    let result = match extension.to_lowercase().as_str() {
        "docx" => extractor::docx::read(&bytes, &limits, &mut sink),
        "xlsx" | "xls" => extractor::spreadsheet::read(&bytes, &limits, &mut sink),
        "txt" => extractor::text::read(&bytes, &limits, &mut sink),
        "md" => extractor::text::markdown::read(&bytes, &limits, &mut sink),
        "csv" => extractor::text::csv::read(&bytes, &limits, &mut sink),
        "json" => extractor::text::json::read(&bytes, &limits, &mut sink),
        "html" | "htm" => extractor::html::read(&bytes, &limits, &mut sink),
        "xml" | "gge" => extractor::estimate::read(&bytes, &limits, &mut sink),
        "dxf" => extractor::dxf::read(&bytes, &limits, &mut sink),
        other => bail!("no reader for .{other}"),
    };
    result.map_err(anyhow::Error::from)
}

fn show(message: Message, plain: bool) {
    match message {
        Message::Page(page) if plain => {
            page.blocks.iter().for_each(|block| println!("{}", block.text))
        }
        Message::Page(page) => {
            println!("=== {} {:?} {:?}", page.number, page.name, page.furniture);
            for block in &page.blocks {
                let hints = [(block.bold, "b"), (block.centered, "c")];
                let hints: String =
                    hints.iter().filter(|(on, _)| *on).map(|(_, hint)| *hint).collect();
                match &block.kind {
                    BlockKind::Table(cells) => {
                        println!(
                            "[table {}x{} h{}]",
                            cells.rows.len(),
                            cells.rows.first().map_or(0, Vec::len),
                            cells.header_rows
                        );
                        cells.rows.iter().for_each(|row| println!("  | {}", row.join(" | ")));
                    }
                    kind => println!("[{kind:?} {hints}] {}", block.text),
                }
            }
        }
        _ if plain => {}
        other => println!("{other:?}"),
    }
}
