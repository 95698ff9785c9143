//! Prints what is read from a PDF file: `cargo run --release --example pdf_pages -- file.pdf`.
//!
//! `--text` prints the text only, `--render N file.png` paints page N.

use extractor::model::BlockKind;
use extractor::pdf::PdfFile;
use std::sync::Arc;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let path = arguments.first().ok_or_else(|| anyhow::anyhow!("usage: pdf_pages file.pdf"))?;
    let option = arguments.get(1).map_or("", String::as_str);
    let file = PdfFile::open(Arc::new(std::fs::read(path)?))?;
    if option == "--render" {
        let (Some(page), Some(target)) = (arguments.get(2), arguments.get(3)) else {
            anyhow::bail!("usage: pdf_pages file.pdf --render page file.png");
        };
        let image = file.render_page(page.parse::<usize>()?.saturating_sub(1), 300.0)?;
        println!("{} × {} at {} dpi", image.width, image.height, image.dpi);
        return Ok(std::fs::write(target, image.png)?);
    }
    let summary = file.read(&mut |read| {
        if option != "--text" {
            println!("━━ page {} {:?} {:?}", read.page.number, read.page.size, read.layer);
            read.page.furniture.iter().for_each(|text| println!("  furniture │ {text}"));
        }
        for block in &read.page.blocks {
            if option == "--text" {
                println!("{}", block.text);
                continue;
            }
            let kind = match &block.kind {
                BlockKind::Heading { level } => format!("heading {level}"),
                BlockKind::Table(cells) => format!("table, {} header rows", cells.header_rows),
                other => format!("{other:?}").to_lowercase(),
            };
            let marks = [(block.bold, "B"), (block.centered, "C")];
            let marks: String =
                marks.iter().filter(|(set, _)| *set).map(|(_, mark)| *mark).collect();
            println!(
                "  {kind} {marks}│ {}",
                block.text.replace('\n', "\n    ").replace('\t', " ¦ ")
            );
        }
    });
    if option != "--text" {
        println!("{summary:?}");
    }
    Ok(())
}
