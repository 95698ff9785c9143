//! What stage 3 read, as a person may look at it: the pages with their blocks, each with its clause.

use crate::extracted::Extracted;
use crate::stages::rubern_markup::Markup;
use extractor::model::{Block, BlockKind, Page};
use shared::reading::{Bounds, ReadBlock, ReadDocument, ReadKind, ReadPage};
use std::collections::HashMap;

/// The pages with their blocks.
pub fn reading(extracted: &Extracted, markup: &Markup) -> ReadDocument {
    let clauses: HashMap<(usize, usize), &str> = markup
        .block_clauses
        .iter()
        .filter_map(|(block, clause)| Some((*block, markup.clauses.get(*clause)?.number.as_str())))
        .collect();
    let pages = extracted.pages.iter().enumerate().map(|(index, page)| {
        let clause = |block: usize| clauses.get(&(index, block)).copied();
        let blocks = page.blocks.iter().enumerate();
        read_page(page, blocks.map(|(block, read)| read_block(read, clause(block))).collect())
    });
    ReadDocument {
        format: extracted.format.name(),
        page_count: extracted.page_count,
        pages: pages.collect(),
    }
}

fn read_page(page: &Page, blocks: Vec<ReadBlock>) -> ReadPage {
    ReadPage {
        number: page.number,
        name: page.name.clone(),
        size: page.size.map(|size| size.map(rounded)),
        quarter_turns: page.quarter_turns,
        source: page.source,
        verdict: page.verdict,
        confidence: page.confidence,
        warnings: page.warnings.clone(),
        blocks,
        furniture: page.furniture.clone(),
        furniture_bounds: page.furniture_bounds.iter().map(place).collect(),
    }
}

fn read_block(block: &Block, clause: Option<&str>) -> ReadBlock {
    let (kind, level) = match &block.kind {
        BlockKind::Heading { level: 0 } => (ReadKind::Heading, None),
        BlockKind::Heading { level } => (ReadKind::Heading, Some(*level)),
        BlockKind::Paragraph => (ReadKind::Paragraph, None),
        BlockKind::ListItem => (ReadKind::ListItem, None),
        BlockKind::Table(_) => (ReadKind::Table, None),
        BlockKind::Caption => (ReadKind::Caption, None),
        BlockKind::Footnote => (ReadKind::Footnote, None),
        BlockKind::Contents => (ReadKind::Contents, None),
    };
    let (text, rows, header_rows) = match &block.kind {
        BlockKind::Table(cells) => (String::new(), Some(cells.rows.clone()), cells.header_rows),
        _ => (block.text.clone(), None, 0),
    };
    let bounds = block.bounds.iter().chain(&block.continued).map(place).collect();
    let clause = clause.map(str::to_owned);
    ReadBlock { kind, level, clause, text, rows, header_rows, bounds }
}

fn place(bounds: &Bounds) -> Bounds {
    bounds.map(rounded)
}

/// A tenth of a point is finer than any screen shows, and shorter to write down.
fn rounded(points: f32) -> f32 {
    (points * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::reading;
    use crate::extracted::Extracted;
    use crate::rules::Rules;
    use crate::stages::rubern_markup::rubern_markup;
    use crate::stages::structural_analysis::structural_analysis;
    use extractor::model::{Block, BlockKind, Format, Page};
    use shared::reading::ReadKind;
    use shared::structure::DocumentType;

    #[test]
    fn blocks_have_their_clauses_and_places() {
        let block = |text: &str| Block {
            bounds: Some([1.04, 2.0, 3.0, 4.0]),
            continued: vec![[5.0, 6.0, 7.0, 8.0]],
            ..Block::new(BlockKind::Paragraph, text)
        };
        let table =
            Block::table(vec![vec!["а".into(), "б".into()], vec!["1".into(), "2".into()]], 1);
        let mut blocks: Vec<Block> = [
            "1 Область",
            "1.1 Нормы касаются рвов.",
            "Рвы бывают сухими и мокрыми.",
            "1.2 Рвы обводят валом.",
        ]
        .map(block)
        .into();
        blocks.push(table);
        let extracted = Extracted {
            format: Format::Pdf,
            pages: vec![Page { number: 1, blocks, ..Page::default() }],
            page_count: 1,
            properties: Default::default(),
            warnings: Vec::new(),
        };
        let rules = Rules::shipped();
        let kind = DocumentType { family: "norms".to_owned(), ..DocumentType::default() };
        let skeleton = structural_analysis(rules, &extracted, &kind);
        let markup = rubern_markup(rules, &extracted, &skeleton, &[], &kind);
        let read = reading(&extracted, &markup);
        assert_eq!((read.format.as_str(), read.page_count), ("pdf", 1));
        let blocks = &read.pages[0].blocks;
        let clauses: Vec<_> = blocks.iter().map(|block| block.clause.as_deref()).collect();
        assert_eq!(clauses, [None, Some("1.1"), Some("1.1"), Some("1.2"), Some("1.2")]);
        assert_eq!(blocks[1].bounds, [[1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0]]);
        let table = &blocks[4];
        assert_eq!((table.kind, table.header_rows, table.text.as_str()), (ReadKind::Table, 1, ""));
        assert_eq!(table.rows.as_ref().unwrap()[1], ["1", "2"]);
    }
}
