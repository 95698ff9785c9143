//! DXF: the words of a drawing – texts, title block, dimensions – in reading order.

mod collect;
mod groups;
mod markup;

use crate::model::{Block, BlockKind, Page};
use crate::reader::{Limits, ReadError, Sink};
use collect::Text;
use groups::Group;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Dimension values listed for one layer; a plan has thousands, most of them alike.
const MAX_DIMENSIONS: usize = 300;

/// Reads a drawing exchange file, ASCII or binary. The model and every layout are pages.
pub fn read(bytes: &[u8], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    read_groups(&groups::read(bytes)?, limits, sink)
}

/// The same for the decoded text of a file.
pub(crate) fn read_text(text: &str, limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    read_groups(&groups::of_text(text)?, limits, sink)
}

fn read_groups(groups: &[Group], limits: &Limits, sink: &mut Sink<'_>) -> Result<(), ReadError> {
    let drawing = collect::collect(groups, limits)?;
    let mut properties = BTreeMap::new();
    if !drawing.version.is_empty() {
        properties.insert("dxf_version".to_owned(), drawing.version.clone());
    }
    if !drawing.layers.is_empty() {
        let layers: Vec<&str> = drawing.layers.iter().map(String::as_str).collect();
        properties.insert("layers".to_owned(), layers.join("; "));
    }
    sink.properties(properties)?;

    let mut by_layout: BTreeMap<&str, Vec<&Text>> = BTreeMap::new();
    for text in &drawing.texts {
        by_layout.entry(&text.layout).or_default().push(text);
    }
    // The model first, then the sheets by name.
    let mut layouts: Vec<(&str, Vec<&Text>)> = by_layout.into_iter().collect();
    layouts.sort_by_key(|(name, _)| (*name != "Model", *name));
    if layouts.is_empty() {
        layouts.push(("Model", Vec::new()));
    }
    for (number, (layout, texts)) in (1u32..=limits.pages).zip(layouts) {
        let blocks = blocks(&texts);
        sink.page(Page { number, name: Some(layout.to_owned()), blocks, ..Page::default() })?;
    }
    if drawing.truncated {
        return Err(ReadError::damaged("файл чертежа обрывается"));
    }
    Ok(())
}

/// Title block first as «name: value», then layer by layer the texts from top to bottom, then the
/// dimensions.
fn blocks(here: &[&Text]) -> Vec<Block> {
    let paragraph = |text: String| Block::new(BlockKind::Paragraph, text);
    let mut blocks: Vec<Block> = here
        .iter()
        .filter_map(|text| Some(paragraph(format!("{}: {}", text.tag.as_deref()?, text.value))))
        .collect();

    let mut layers: Vec<(f64, Vec<&Text>)> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    for text in here.iter().copied().filter(|text| text.tag.is_none() && !text.is_dimension) {
        let place = *places.entry(&text.layer).or_insert(layers.len());
        match layers.get_mut(place) {
            Some((top, texts)) => {
                *top = top.max(text.y);
                texts.push(text);
            }
            None => layers.push((text.y, vec![text])),
        }
    }
    layers.sort_by(|left, right| right.0.total_cmp(&left.0));
    for (_, texts) in layers {
        blocks.extend(lines(texts).into_iter().map(paragraph));
    }

    let dimensions: BTreeSet<&str> = here
        .iter()
        .filter(|text| text.is_dimension)
        .map(|text| text.value.as_str())
        .take(100_000)
        .collect();
    if !dimensions.is_empty() {
        let values: Vec<&str> = dimensions.into_iter().take(MAX_DIMENSIONS).collect();
        blocks.push(paragraph(format!("Размеры: {}", values.join("; "))));
    }
    blocks
}

/// Texts at one height are one line, read left to right; a text of several lines stands alone.
fn lines(mut texts: Vec<&Text>) -> Vec<String> {
    texts.sort_by(|left, right| right.y.total_cmp(&left.y).then(left.x.total_cmp(&right.x)));
    let mut lines: Vec<Vec<&Text>> = Vec::new();
    for text in texts {
        let same = lines.last_mut().filter(|line| {
            line.first().is_some_and(|first| {
                (first.y - text.y).abs() <= 0.5 * first.height.max(text.height).max(1e-6)
                    && !first.value.contains('\n')
                    && !text.value.contains('\n')
            })
        });
        match same {
            Some(line) => line.push(text),
            None => lines.push(vec![text]),
        }
    }
    lines
        .into_iter()
        .map(|mut line| {
            line.sort_by(|left, right| left.x.total_cmp(&right.x));
            line.iter().map(|text| text.value.as_str()).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[cfg(test)]
mod tests;
