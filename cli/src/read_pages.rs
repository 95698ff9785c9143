//! `ragtrain docs show --pages`: what was read, page by page, for a person to compare with the
//! document.

use crate::client::Client;
use crate::language::say;
use crate::table;
use serde_json::{Value, json};
use shared::reading::{ReadBlock, ReadKind, ReadPage, TextSource, TextVerdict};
use std::io::Write;
use uuid::Uuid;

/// The width of a table's text, shared by its columns; longer cells are broken.
const TABLE: usize = 96;
/// No column is broken to less, however many there are.
const COLUMN: usize = 14;

/// Prints all pages, or one.
pub(crate) async fn show(
    client: &Client,
    document: Uuid,
    page: Option<u32>,
    as_json: bool,
) -> anyhow::Result<()> {
    let path = format!("/documents/{document}/pages");
    let pages = match page {
        Some(number) => vec![client.get(&format!("{path}/{number}"), &[]).await?],
        None => client.rows(&path, "pages", &[]).await?,
    };
    if as_json {
        table::json(&json!({ "pages": pages }));
        return Ok(());
    }
    let mut out = std::io::stdout().lock();
    for page in pages {
        // A reader that has seen enough («| head») closes the pipe.
        if print(&mut out, page)?.is_err() {
            break;
        }
    }
    Ok(())
}

fn print(out: &mut impl Write, page: Value) -> anyhow::Result<std::io::Result<()>> {
    let page: ReadPage = serde_json::from_value(page)?;
    Ok(out.write_all(lines(&page).join("\n").as_bytes()).and_then(|()| out.write_all(b"\n\n")))
}

/// A page as lines of text.
fn lines(page: &ReadPage) -> Vec<String> {
    let mut lines = vec![match &page.name {
        Some(name) => format!("— {} {} «{name}» —", say("лист", "sheet"), page.number),
        None => format!("— {} {} —", say("страница", "page"), page.number),
    }];
    lines.push(format!("  {}: {}", say("прочитано", "read"), how(page)));
    lines.extend(page.warnings.iter().map(|warning| format!("  ! {warning}")));
    for text in &page.furniture {
        push(&mut lines, say("колонтитул", "running"), None, text);
    }
    for block in &page.blocks {
        let clause = block.clause.as_deref();
        push(&mut lines, &kind(block), clause, &block.text);
        if let Some(rows) = &block.rows {
            lines.extend(aligned(rows, block.header_rows).iter().map(|row| format!("    {row}")));
        }
    }
    lines
}

/// A block: its kind, its clause, and its text with further lines below its first.
fn push(lines: &mut Vec<String>, kind: &str, clause: Option<&str>, text: &str) {
    let clause = clause.map(|clause| format!("{} {clause}", say("п.", "cl."))).unwrap_or_default();
    let head = format!("  {kind:<12} {clause:<11} ");
    let margin = " ".repeat(head.chars().count());
    lines.push(
        format!("{head}{}", text.replace('\n', &format!("\n{margin}"))).trim_end().to_owned(),
    );
}

/// How the text of a page was won, why, and how sure it is.
fn how(page: &ReadPage) -> String {
    let reason = match page.verdict {
        TextVerdict::Good => None,
        TextVerdict::Blank => Some(say("страница пуста", "the page is blank")),
        TextVerdict::Scanned => Some(say("страница — изображение", "the page is an image")),
        TextVerdict::Broken => Some(say("текстовый слой повреждён", "its text layer is broken")),
        TextVerdict::Failed => {
            Some(say("сама программа чтения не справилась", "the own reader failed on it"))
        }
    };
    let source = match page.source {
        TextSource::Native => say("текст файла", "the file's own text"),
        TextSource::Fallback => say("запасной программой", "by the external text tool"),
        TextSource::Ocr => say("распознаванием", "by recognition"),
        TextSource::None => say("ничего", "nothing"),
    };
    let confidence = page.confidence.map(|share| {
        let words = say("уверенность", "confidence");
        format!("{words} {:.0} %", share * 100.0)
    });
    let details: Vec<String> = reason.map(str::to_owned).into_iter().chain(confidence).collect();
    if details.is_empty() {
        source.to_owned()
    } else {
        format!("{source} ({})", details.join(", "))
    }
}

fn kind(block: &ReadBlock) -> String {
    let name = match block.kind {
        ReadKind::Heading => say("заголовок", "heading"),
        ReadKind::Paragraph => say("абзац", "paragraph"),
        ReadKind::ListItem => say("перечисление", "list item"),
        ReadKind::Table => say("таблица", "table"),
        ReadKind::Caption => say("подпись", "caption"),
        ReadKind::Footnote => say("сноска", "footnote"),
        ReadKind::Contents => say("оглавление", "contents"),
    };
    match block.level {
        Some(level) => format!("{name} {level}"),
        None => name.to_owned(),
    }
}

/// Rows in columns as wide as their widest cell, with a line below the header.
fn aligned(rows: &[Vec<String>], header_rows: usize) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = (TABLE / columns.max(1)).max(COLUMN);
    let rows: Vec<Vec<Vec<String>>> =
        rows.iter().map(|row| row.iter().map(|cell| broken(cell, widest)).collect()).collect();
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column)).flatten();
            cells.map(|line| line.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut lines = Vec::new();
    for (index, row) in rows.iter().enumerate() {
        if index > 0 && index == header_rows {
            let parts: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            lines.push(parts.join("─┼─"));
        }
        for line in 0..row.iter().map(Vec::len).max().unwrap_or(0).max(1) {
            let cells = widths.iter().enumerate().map(|(column, width)| {
                let cell = row.get(column).and_then(|cell| cell.get(line));
                format!("{:<width$}", cell.map_or("", String::as_str))
            });
            lines.push(cells.collect::<Vec<_>>().join(" │ ").trim_end().to_owned());
        }
    }
    lines
}

/// The lines of a cell, none longer than this; words that are longer are cut.
fn broken(cell: &str, widest: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for written in cell.lines() {
        let mut line = String::new();
        for word in written.split_whitespace() {
            let letters: Vec<char> = word.chars().collect();
            for piece in letters.chunks(widest) {
                let length = line.chars().count();
                if length > 0 && length + 1 + piece.len() > widest {
                    lines.push(std::mem::take(&mut line));
                }
                if !line.is_empty() {
                    line.push(' ');
                }
                line.extend(piece);
            }
        }
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::{aligned, lines};
    use shared::reading::{ReadBlock, ReadKind, ReadPage, TextSource, TextVerdict};

    fn block(kind: ReadKind, clause: Option<&str>, text: &str) -> ReadBlock {
        ReadBlock {
            kind,
            level: (kind == ReadKind::Heading).then_some(1),
            clause: clause.map(str::to_owned),
            text: text.to_owned(),
            rows: None,
            header_rows: 0,
            bounds: Vec::new(),
        }
    }

    #[test]
    fn a_page_is_told_with_how_it_was_read() {
        let rows = [["Марка", "Класс"], ["М300", "В22,5"]];
        let rows = rows.map(|row| row.map(str::to_owned).to_vec()).to_vec();
        let table = ReadBlock {
            rows: Some(rows),
            header_rows: 1,
            ..block(ReadKind::Table, Some("5.2"), "")
        };
        let page = ReadPage {
            number: 14,
            source: TextSource::Ocr,
            verdict: TextVerdict::Scanned,
            confidence: Some(0.934),
            warnings: vec!["край обрезан".to_owned()],
            furniture: vec!["СП 1".to_owned()],
            blocks: vec![
                block(ReadKind::Heading, None, "5 Бетон"),
                block(ReadKind::Paragraph, Some("5.2"), "5.2 Класс:\nпо таблице"),
                table,
            ],
            ..ReadPage::default()
        };
        assert_eq!(
            lines(&page).join("\n"),
            "\
— страница 14 —
  прочитано: распознаванием (страница — изображение, уверенность 93 %)
  ! край обрезан
  колонтитул               СП 1
  заголовок 1              5 Бетон
  абзац        п. 5.2      5.2 Класс:
                           по таблице
  таблица      п. 5.2
    Марка │ Класс
    ──────┼──────
    М300  │ В22,5"
        );
    }

    #[test]
    fn long_cells_are_broken_between_words() {
        let long = "слово ".repeat(10) + &"я".repeat(60);
        let shown = aligned(&[vec![long, "x".to_owned()], vec![String::new()]], 0);
        assert!(
            shown.len() > 3 && shown.iter().all(|line| line.chars().count() <= 52),
            "{shown:#?}"
        );
        assert!(shown[0].ends_with("│ x"), "{shown:#?}");
    }
}
