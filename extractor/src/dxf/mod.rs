//! DXF: the words of a drawing – texts, title block, dimensions – in reading order.

mod collect;
mod groups;
mod markup;

use crate::model::{Block, BlockKind, Page};
use crate::reader::{Limits, ReadError, Sink};
use collect::{Drawing, Text};
use groups::Group;
use std::collections::{BTreeMap, BTreeSet};

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

    let layouts: BTreeSet<&str> = drawing.texts.iter().map(|text| text.layout.as_str()).collect();
    // The model first, then the sheets by name.
    let mut layouts: Vec<&str> = layouts.into_iter().collect();
    layouts.sort_by_key(|name| (*name != "Model", *name));
    if layouts.is_empty() {
        layouts.push("Model");
    }
    for (number, layout) in (1u32..=limits.pages).zip(layouts) {
        let blocks = blocks(&drawing, layout);
        sink.page(Page { number, name: Some(layout.to_owned()), blocks, ..Page::default() })?;
    }
    if drawing.truncated {
        return Err(ReadError::damaged("файл чертежа обрывается"));
    }
    Ok(())
}

/// Title block first as «name: value», then layer by layer the texts from top to bottom, then the
/// dimensions.
fn blocks(drawing: &Drawing, layout: &str) -> Vec<Block> {
    let here: Vec<&Text> = drawing.texts.iter().filter(|text| text.layout == layout).collect();
    let paragraph = |text: String| Block::new(BlockKind::Paragraph, text);
    let mut blocks: Vec<Block> = here
        .iter()
        .filter_map(|text| Some(paragraph(format!("{}: {}", text.tag.as_deref()?, text.value))))
        .collect();

    let plain: Vec<&Text> =
        here.iter().copied().filter(|text| text.tag.is_none() && !text.is_dimension).collect();
    let mut layers: Vec<(&str, f64)> = Vec::new();
    for text in &plain {
        match layers.iter_mut().find(|(layer, _)| *layer == text.layer) {
            Some((_, top)) => *top = top.max(text.y),
            None => layers.push((&text.layer, text.y)),
        }
    }
    layers.sort_by(|left, right| right.1.total_cmp(&left.1));
    for (layer, _) in layers {
        let of_layer = plain.iter().copied().filter(|text| text.layer == layer).collect();
        blocks.extend(lines(of_layer).into_iter().map(paragraph));
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
