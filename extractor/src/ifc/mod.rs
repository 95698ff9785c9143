//! IFC: the words of a building model – project, storeys, rooms, elements and what is said of
//! them. Geometry is not read.

mod elements;
mod groups;
mod header;
mod materials;
mod model;
mod names;
mod overview;
mod properties;
mod records;
mod values;

use crate::encoding;
use crate::model::{Block, BlockKind, Page};
use crate::reader::{Limits, ReadError, Sink};
use elements::Rows;
use model::Model;
use properties::Sets;
use shared::outcome::Code;

/// Bytes of a table, and of a page; a storey that has more goes on on further pages. What crosses
/// the pipe has every cell twice, and a frame has 64 MB.
const TABLE_BYTES: usize = 1 << 20;
const PAGE_BYTES: usize = 4 << 20;
/// Bytes of all pages; a worker takes 128 MB of one document.
const MODEL_BYTES: usize = 48 << 20;
/// Where the end of the file is looked for: some programs write a comment behind it.
const TAIL: usize = 1024;

/// Reads a building model (STEP form of IFC). The first page tells of the project, each storey has
/// one of its own (or more), zones and systems follow.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    // The standard writes other letters than Latin as escapes; some programs write them as they are.
    let text = encoding::decode(bytes, None).text;
    sink.properties(header::properties(&text)?)?;
    let (records, model) = Model::read(text.as_bytes(), limits.cells);
    if records.len() == 0 {
        return Err(ReadError::damaged("в файле IFC нет ни одного объекта"));
    }
    let mut sets = Sets::new(&records, limits.cells, MODEL_BYTES);
    let mut pages = Pages { sink, limits, number: 0, bytes: 0, is_cut: false };
    let places = overview::pages(&records, &model);
    let mut blocks = overview::blocks(&records, &model, &places);
    let project: Vec<u32> = model.project.into_iter().collect();
    let of_project = elements::rows(&records, &model, &mut sets, &project).properties;
    blocks.extend(tables(Rows { properties: of_project, ..Rows::default() }));
    pages.spread("Модель", Vec::new(), blocks)?;
    for (place, objects) in places {
        let mut rows = elements::rows(&records, &model, &mut sets, &objects);
        if let Some(place) = place {
            // What is said of the place itself comes first; it is no element in itself.
            let own = elements::rows(&records, &model, &mut sets, &[place]).properties;
            rows.properties.splice(0..0, own);
        }
        if rows.elements.is_empty() && rows.properties.is_empty() {
            continue;
        }
        let title = place.map(|place| overview::title(&records, &model, place));
        let title = title.unwrap_or_else(|| "Вне этажей".to_owned());
        pages.spread(&title, heading(&title), tables(rows))?;
    }
    let groups = groups::blocks(&records, &model, &mut sets);
    if !groups.is_empty() {
        let title = "Зоны и системы";
        pages.spread(title, heading(title), groups)?;
    }
    if pages.is_cut || sets.is_exhausted() || model.is_cut {
        pages.sink.warning(None, "модель слишком велика: прочитана не вся")?;
    }
    let tail = &text.as_bytes()[text.len().saturating_sub(TAIL)..];
    let is_whole = tail.windows(16).any(|end| end == b"END-ISO-10303-21");
    match (is_whole, records.is_damaged) {
        (false, _) => Err(ReadError::damaged("файл IFC обрывается")),
        (true, true) => {
            let message = "часть записей файла IFC испорчена и пропущена";
            pages.sink.warning(Some(Code::DamagedFile), message)
        }
        (true, false) => Ok(()),
    }
}

/// The tables of a page, each short enough to cross the pipe.
fn tables(rows: Rows) -> Vec<Block> {
    let elements = ["Элемент", "Наименование", "Тип", "Материал", "Количество"];
    let properties = ["Элемент", "Наименование", "Тип", "Набор", "Свойство", "Значение"];
    let mut blocks = split(&elements, rows.elements);
    blocks.extend(split(&properties, rows.properties));
    blocks
}

/// Tables with this header of at most [`TABLE_BYTES`].
fn split(header: &[&str], rows: Vec<Vec<String>>) -> Vec<Block> {
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    let (mut blocks, mut part, mut bytes) = (Vec::new(), vec![header.clone()], 0);
    for row in rows {
        bytes += row.iter().map(String::len).sum::<usize>();
        part.push(row);
        if bytes > TABLE_BYTES {
            blocks.push(Block::table(std::mem::replace(&mut part, vec![header.clone()]), 1));
            bytes = 0;
        }
    }
    if part.len() > 1 {
        blocks.push(Block::table(part, 1));
    }
    blocks
}

fn heading(title: &str) -> Vec<Block> {
    vec![Block::new(BlockKind::Heading { level: 1 }, title)]
}

/// The pages that are passed on.
struct Pages<'s, 'a> {
    sink: &'s mut Sink<'a>,
    limits: &'s Limits,
    number: u32,
    bytes: usize,
    /// Whether some did not fit.
    is_cut: bool,
}

impl Pages<'_, '_> {
    /// One page that begins with a heading, or several that go on.
    fn spread(
        &mut self,
        name: &str,
        mut part: Vec<Block>,
        blocks: Vec<Block>,
    ) -> Result<(), ReadError> {
        let next = format!("{name}, продолжение");
        let (mut bytes, mut is_first) = (0, true);
        for block in blocks {
            bytes += block.text.len();
            part.push(block);
            if bytes > PAGE_BYTES {
                let full = std::mem::replace(&mut part, heading(&next));
                self.add(if is_first { name } else { &next }, full)?;
                (bytes, is_first) = (0, false);
            }
        }
        // A page that only goes on has to have more than its heading.
        if is_first || part.len() > 1 {
            self.add(if is_first { name } else { &next }, part)?;
        }
        Ok(())
    }

    fn add(&mut self, name: &str, blocks: Vec<Block>) -> Result<(), ReadError> {
        self.bytes += blocks.iter().map(|block| block.text.len()).sum::<usize>();
        if self.number >= self.limits.pages || self.bytes > MODEL_BYTES {
            self.is_cut = true;
            return Ok(());
        }
        self.number += 1;
        let (number, name) = (self.number, Some(name.to_owned()));
        self.sink.page(Page { number, name, blocks, ..Page::default() })
    }
}

#[cfg(test)]
mod tests;
