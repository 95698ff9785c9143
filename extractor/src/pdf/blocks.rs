//! Paragraphs and tables become the blocks of a page.

use super::columns;
use super::furniture::Furniture;
use super::geometry::Area;
use super::hyphens::{self, Hyphens};
use super::layout::{Layout, Table};
use super::letters::is_letter;
use super::lines::Line;
use super::paragraphs::{Margins, Paragraph, paragraphs};
use super::patterns;
use crate::model::{Block, BlockKind, Page};
use std::collections::{HashMap, HashSet};

/// Longer paragraphs are no headings, in characters.
const MAX_HEADING: usize = 250;
/// A table of contents ends after so many entries even when nothing else ends it.
const MAX_CONTENTS: usize = 3000;

/// What is known about the document so far; pages are composed in order.
#[derive(Debug, Default)]
pub(crate) struct Composer {
    pub(crate) hyphens: Hyphens,
    /// How many characters were set in each size, in half points.
    sizes: HashMap<i32, usize>,
    /// The entries of the table of contents that is being read.
    contents: Option<HashSet<String>>,
    /// How many lines ended at each place, in points: text set to both margins shows the right
    /// one.
    ends: HashMap<i32, usize>,
    /// The margins of the last page full of text.
    margins: Option<Margins>,
    /// The texts of the cells of the title blocks met so far, numbers left out.
    stamps: HashSet<String>,
    /// The header of the last table with one, for tables that go on on the next page.
    header: Vec<Vec<String>>,
}

impl Composer {
    /// Learns what pages ahead show: hyphens and the size of the body type.
    pub(crate) fn learn(&mut self, layout: &Layout) {
        for line in &layout.lines {
            let text = line.text();
            self.hyphens.learn(&text);
            let size = (line.size * 2.0).round().clamp(0.0, 4000.0) as i32;
            *self.sizes.entry(size).or_default() += text.len();
            *self.ends.entry(line.x1().round().clamp(0.0, 20_000.0) as i32).or_default() += 1;
        }
    }

    /// The size most of the text is set in, in points.
    fn body_size(&self) -> f32 {
        let most = self.sizes.iter().max_by_key(|(size, count)| (**count, **size));
        most.map_or(10.0, |(size, _)| *size as f32 / 2.0)
    }

    /// Where most lines of the document end, when it is clear and lies on a page of this width.
    fn common_end(&self, width: f32) -> Option<f32> {
        let (end, count) = self.ends.iter().max_by_key(|(end, count)| (**count, **end))?;
        let all: usize = self.ends.values().sum();
        let end = *end as f32;
        (*count >= 12 && count * 6 >= all && end < width).then_some(end)
    }

    /// Makes a page out of its layout.
    pub(crate) fn compose(&mut self, number: u32, layout: Layout, furniture: &Furniture) -> Page {
        let running = furniture.lines((number as usize).saturating_sub(1));
        let (mut furniture, mut body) = (Vec::new(), Vec::new());
        let mut furniture_bounds = Vec::new();
        for (index, line) in layout.lines.into_iter().enumerate() {
            if running.binary_search(&index).is_ok() {
                furniture.push(line.text());
                furniture_bounds.push(line.area().bounds());
            } else {
                body.push(line);
            }
        }
        furniture.extend(layout.strays);
        let mut tables = layout.tables;
        let unreadable = drop_unreadable(&mut body, &mut tables);
        let common = self.common_end(layout.size.0);
        self.margins = Margins::of(&body).or(self.margins.take());
        if let (Some(margins), Some(end)) = (&mut self.margins, common) {
            margins.right = margins.right.max(end);
        }
        tables.retain(|table| {
            let repeats = table.is_stamp && self.repeats_stamp(table);
            if repeats {
                let cells = table.rows.iter().flatten().filter(|cell| !cell.is_empty());
                furniture.push(cells.map(String::as_str).collect::<Vec<_>>().join(" "));
                furniture_bounds.push(table.area.bounds());
            }
            !repeats
        });
        tables.sort_by(|a, b| a.area.y0.total_cmp(&b.area.y0));
        let tops: Vec<Area> = tables.iter().map(|table| table.area).collect();
        let mut blocks: Vec<Block> = Vec::new();
        let mut waiting = tables.into_iter();
        let mut placed = 0;
        let regions = columns::regions(body, &tops);
        let foot = foot_start(&regions, &layout.separators, self.body_size(), layout.size.1);
        for region in regions {
            while placed < region.band {
                if let Some(table) = waiting.next() {
                    self.push_table(&mut blocks, table);
                }
                placed += 1;
            }
            let margins = if region.is_column { None } else { self.margins.as_ref() };
            let mut first = region.is_column;
            for paragraph in paragraphs(&region.lines, margins, &self.hyphens) {
                // A paragraph goes on at the top of the next column.
                let goes_on = std::mem::take(&mut first)
                    && paragraph.text.starts_with(char::is_lowercase)
                    && !paragraph.bold;
                match blocks.last_mut() {
                    Some(last) if goes_on && is_open(last) => {
                        let keeps = self.hyphens.keeps(&last.text, &paragraph.text);
                        hyphens::append(&mut last.text, &paragraph.text, keeps);
                        last.continued.push(paragraph.area.bounds());
                    }
                    _ => {
                        let block = self.block(paragraph, foot);
                        blocks.push(block);
                    }
                }
            }
        }
        for table in waiting {
            self.push_table(&mut blocks, table);
        }
        let mut warnings = Vec::new();
        if unreadable > 0 {
            warnings.push(format!(
                "не прочитано слов: {unreadable} (в файле нет соответствия знаков буквам)"
            ));
        }
        if layout.cut {
            warnings.push("на странице слишком много элементов, прочитана только часть".to_owned());
        }
        Page {
            number,
            size: Some([layout.size.0, layout.size.1]),
            quarter_turns: layout.quarter_turns,
            blocks,
            furniture,
            furniture_bounds,
            warnings,
            ..Page::default()
        }
    }

    /// Whether most cells of a title block were in those of earlier sheets: then it is a running
    /// footer. The first one stays in the body, because it names the document.
    fn repeats_stamp(&mut self, table: &Table) -> bool {
        let keys: Vec<String> = table
            .rows
            .iter()
            .flatten()
            .map(|cell| cell.chars().filter(|c| is_letter(*c)).collect::<String>())
            .filter(|key| !key.is_empty())
            .collect();
        let known = keys.iter().filter(|key| self.stamps.contains(*key)).count();
        let repeats = known > 0 && known * 10 >= keys.len() * 6;
        if self.stamps.len() < 10_000 {
            self.stamps.extend(keys);
        }
        repeats
    }

    fn push_table(&mut self, blocks: &mut Vec<Block>, table: Table) {
        let rows: Vec<Vec<String>> = table
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| hyphens::joined(&self.hyphens, cell)).collect())
            .collect();
        let mut header_rows = table.header_rows;
        // The title of a table stands right before it, under its number.
        if let [.., number, title] = blocks.as_mut_slice()
            && number.kind == BlockKind::Caption
            && number.text.split(' ').count() <= 3
            && title.centered
            && title.kind != BlockKind::Caption
        {
            title.kind = BlockKind::Caption;
        }
        // A unit of measure may stand between the caption and the table.
        let captioned = blocks.iter().rev().take(2).any(|block| block.kind == BlockKind::Caption);
        let repeats = !self.header.is_empty() && rows.starts_with(&self.header);
        if header_rows == 0 && repeats && rows.len() > self.header.len() {
            header_rows = self.header.len();
        } else if header_rows == 0 && captioned {
            let is_title = |cell: &String| {
                cell.chars().any(is_letter) && !cell.starts_with(|c: char| c.is_ascii_digit())
            };
            let titled = rows.first().is_some_and(|row| row.len() > 1 && row.iter().all(is_title));
            header_rows = usize::from(rows.len() > 1 && titled);
        }
        if header_rows > 0 {
            self.header = rows.iter().take(header_rows).cloned().collect();
        }
        let mut block = Block::table(rows, header_rows);
        block.bounds = Some(table.area.bounds());
        blocks.push(block);
    }

    fn block(&mut self, paragraph: Paragraph, foot: Option<f32>) -> Block {
        let kind = self.kind(&paragraph, foot);
        let text = match (&kind, patterns::leader(&paragraph.text)) {
            (BlockKind::Contents, Some((entry, Some(page)))) => format!("{entry}\t{page}"),
            (BlockKind::Contents, Some((entry, None))) => entry.to_owned(),
            _ => paragraph.text,
        };
        Block {
            kind,
            text,
            bounds: Some(paragraph.area.bounds()),
            continued: Vec::new(),
            bold: paragraph.bold,
            centered: paragraph.centered,
        }
    }

    fn kind(&mut self, paragraph: &Paragraph, foot: Option<f32>) -> BlockKind {
        let text = paragraph.text.as_str();
        if patterns::is_contents_title(text) {
            self.contents = Some(HashSet::new());
            return BlockKind::Heading { level: 1 };
        }
        if self.is_contents(paragraph) {
            return BlockKind::Contents;
        }
        if foot.is_some_and(|foot| paragraph.area.y0 >= foot - 1.0) {
            return BlockKind::Footnote;
        }
        if patterns::starts_caption(text) && text.chars().count() <= 400 {
            return BlockKind::Caption;
        }
        if let Some(level) = heading(paragraph, self.body_size()) {
            return BlockKind::Heading { level };
        }
        if patterns::starts_item(text) { BlockKind::ListItem } else { BlockKind::Paragraph }
    }

    /// Whether the paragraph is an entry of the table of contents that is being read.
    fn is_contents(&mut self, paragraph: &Paragraph) -> bool {
        let text = paragraph.text.as_str();
        let leader = patterns::leader(text);
        let Some(seen) = &mut self.contents else { return leader.is_some() };
        let key = contents_key(leader.map_or(text, |(entry, _)| entry));
        let looks = leader.is_some()
            || patterns::starts_section(text)
            || patterns::is_named_part(text)
            || (text.chars().count() < 200 && !text.ends_with(['.', ':', ';']));
        // The body begins where an entry comes a second time.
        if !looks || seen.contains(&key) || seen.len() >= MAX_CONTENTS {
            self.contents = None;
            return false;
        }
        seen.insert(key);
        true
    }
}

/// A paragraph or list item whose sentence has not ended.
fn is_open(block: &Block) -> bool {
    matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem)
        && !block.text.ends_with(['.', ':', ';', '!', '?'])
}

/// Takes out words of which no letter is known; how many they were.
fn drop_unreadable(body: &mut Vec<Line>, tables: &mut [Table]) -> usize {
    let is_readable = |word: &str| word.chars().any(|c| c != char::REPLACEMENT_CHARACTER);
    let mut dropped = 0;
    for line in body.iter_mut() {
        let before = line.words.len();
        line.words.retain(|word| is_readable(&word.text));
        dropped += before - line.words.len();
    }
    body.retain(|line| !line.words.is_empty());
    for cell in tables.iter_mut().flat_map(|table| &mut table.rows).flatten() {
        let unreadable = cell.split_whitespace().filter(|word| !is_readable(word)).count();
        if unreadable > 0 {
            dropped += unreadable;
            let kept: Vec<&str> =
                cell.split_whitespace().filter(|word| is_readable(word)).collect();
            *cell = kept.join(" ");
        }
    }
    dropped
}

fn contents_key(text: &str) -> String {
    text.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ')
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

/// The level of a heading; 0 when only its looks tell that it is one.
fn heading(paragraph: &Paragraph, body_size: f32) -> Option<u8> {
    let text = paragraph.text.as_str();
    let characters = text.chars().count();
    let letters = text.chars().filter(|c| is_letter(*c)).count();
    if characters > MAX_HEADING || letters < 3 || paragraph.lines > 5 {
        return None;
    }
    if text.ends_with([';', ':', ',']) || patterns::starts_item(text) {
        return None;
    }
    let capitals = text.chars().filter(|c| is_letter(*c)).all(|c| !c.is_lowercase());
    let ended = text.ends_with('.');
    let large = paragraph.size > 1.15 * body_size;
    let loud = paragraph.bold || paragraph.centered || capitals || large;
    if patterns::starts_part(text) && (loud || !ended) && characters < 200 {
        return Some(1);
    }
    if patterns::starts_section(text) {
        let level = patterns::depth(text)?;
        let title = text.split_once(' ').map_or("", |(_, title)| title);
        let begins_upper = title.trim_start_matches(['«', '(']).chars().next()?.is_uppercase();
        let calm = !ended && paragraph.short && paragraph.lines == 1 && characters <= 100;
        let named = loud && (!ended || (characters < 120 && (paragraph.bold || capitals)));
        let is_heading = begins_upper && (named || calm);
        return is_heading.then_some(level);
    }
    if patterns::is_named_part(text) && (loud || paragraph.lines == 1) {
        return Some(1);
    }
    let stands_out = (paragraph.bold && (paragraph.centered || paragraph.short || capitals))
        || (paragraph.centered && (capitals || large));
    (stands_out && !ended).then_some(0)
}

/// Where the footnotes of a page begin, in points from its top.
fn foot_start(
    regions: &[columns::Region],
    separators: &[Area],
    body_size: f32,
    height: f32,
) -> Option<f32> {
    let lines: Vec<&Line> = regions.iter().flat_map(|region| &region.lines).collect();
    let last = lines.iter().map(|line| line.baseline).fold(0.0, f32::max);
    let mut start: Option<f32> = None;
    let mut below: Vec<&&Line> = lines.iter().collect();
    below.sort_by(|a, b| b.baseline.total_cmp(&a.baseline));
    // From the bottom upwards as long as the type is small.
    let mut marked = None;
    for line in below {
        if line.size > 0.92 * body_size || line.baseline < 0.4 * height {
            break;
        }
        start = Some(line.area().y0);
        if patterns::starts_note(&line.text()) {
            marked = start;
        }
    }
    let start = start?;
    let is_parted = separators.iter().any(|rule| {
        rule.width() < 0.45 * height && rule.y1 <= start + 3.0 && rule.y1 > start - 2.5 * body_size
    });
    if is_parted && start < last { Some(start) } else { marked }
}

#[cfg(test)]
#[path = "blocks_tests.rs"]
mod tests;
