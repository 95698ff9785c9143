//! The texts of a drawing with their places: entities, and what inserted blocks bring along.

use super::groups::Group;
use super::markup::{formatted, plain};
use crate::frames::MAX_FRAME;
use crate::reader::{Limits, ReadError};
use crate::tidy::tidy;
use shared::outcome::Code;
use std::collections::{BTreeSet, HashMap};

/// Blocks inside blocks that are followed; drawings nest three or four deep.
const MAX_NESTING: usize = 8;
/// Bytes of entities that are looked at: a block that is inserted often is looked at as often.
const MAX_LOOKED_AT: usize = 1 << 30;

/// A piece of text in the drawing.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) layout: String,
    pub(super) layer: String,
    /// The name of an attribute (a field of the title block).
    pub(super) tag: Option<String>,
    pub(super) is_dimension: bool,
    pub(super) value: String,
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) height: f64,
}

/// Everything of a drawing that can be read.
#[derive(Debug, Default)]
pub(super) struct Drawing {
    pub(super) version: String,
    pub(super) layers: BTreeSet<String>,
    pub(super) texts: Vec<Text>,
    /// The file ends without its end mark.
    pub(super) truncated: bool,
}

/// An entity: its kind and its groups.
struct Entity<'g> {
    kind: &'g str,
    groups: &'g [Group],
    /// About how many bytes.
    size: usize,
}

impl<'g> Entity<'g> {
    fn value(&self, code: i32) -> Option<&'g str> {
        self.groups.iter().find(|group| group.code == code).map(|group| group.value.as_str())
    }

    fn number(&self, code: i32) -> f64 {
        let number = self.value(code).and_then(|value| value.trim().parse::<f64>().ok());
        number.filter(|number| number.is_finite()).unwrap_or(0.0)
    }

    /// All values of a code, joined: MTEXT comes in pieces of 250 characters.
    fn joined(&self, codes: &[i32]) -> String {
        let pieces = self.groups.iter().filter(|group| codes.contains(&group.code));
        pieces.map(|group| group.value.as_str()).collect()
    }
}

/// Reads the sections of a drawing.
pub(super) fn collect(groups: &[Group], limits: &Limits) -> Result<Drawing, ReadError> {
    let mut drawing = Drawing {
        truncated: !groups.iter().rev().take(4).any(|g| g.code == 0 && g.value.trim() == "EOF"),
        ..Drawing::default()
    };
    let mut blocks: HashMap<&str, Vec<Entity<'_>>> = HashMap::new();
    let mut entities = Vec::new();
    for (name, section) in sections(groups) {
        match name {
            "HEADER" => {
                let mut pairs = section.iter().skip_while(|group| group.value.trim() != "$ACADVER");
                drawing.version =
                    pairs.nth(1).map(|g| g.value.trim().to_owned()).unwrap_or_default();
            }
            "TABLES" => {
                let layers = split(section).into_iter().filter(|entity| entity.kind == "LAYER");
                drawing.layers =
                    layers.filter_map(|layer| layer.value(2)).map(str::to_owned).collect();
            }
            "BLOCKS" => {
                let mut name = "";
                for entity in split(section) {
                    match entity.kind {
                        "BLOCK" => name = entity.value(2).unwrap_or_default(),
                        "ENDBLK" => name = "",
                        _ if !name.is_empty() => blocks.entry(name).or_default().push(entity),
                        _ => {}
                    }
                }
            }
            "ENTITIES" => entities = split(section),
            _ => {}
        }
    }
    let mut reading =
        Reading { blocks: &blocks, limits, texts: Vec::new(), steps: 0, looked_at: 0, said: 0 };
    reading.entities(&entities, &Place::default(), 0)?;
    drawing.texts = reading.texts;
    Ok(drawing)
}

/// The named sections: from «0 SECTION, 2 NAME» to «0 ENDSEC», or to the next where that is missing.
fn sections(groups: &[Group]) -> Vec<(&str, &[Group])> {
    let starts = groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.code == 0 && group.value.trim() == "SECTION");
    let mut sections = Vec::new();
    for (start, _) in starts {
        let Some(rest) = groups.get(start.saturating_add(1)..) else { continue };
        let Some((name, rest)) = rest.split_first() else { continue };
        let end = rest.iter().position(|group| {
            group.code == 0 && matches!(group.value.trim(), "ENDSEC" | "SECTION")
        });
        let inside = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        sections.push((name.value.trim(), inside));
    }
    sections
}

/// Entities: each begins with a group 0.
fn split(groups: &[Group]) -> Vec<Entity<'_>> {
    let mut entities = Vec::new();
    let mut rest = groups;
    while let Some((first, after)) = rest.split_first() {
        let length = after.iter().position(|group| group.code == 0).unwrap_or(after.len());
        let (own, next) = after.split_at(length);
        if first.code == 0 {
            let size = own.iter().map(|group| group.value.len().saturating_add(8)).sum();
            entities.push(Entity { kind: first.value.trim(), groups: own, size });
        }
        rest = next;
    }
    entities
}

/// Where the entities of a block come to stand.
#[derive(Clone, Debug)]
struct Place {
    x: f64,
    y: f64,
    scale: (f64, f64),
    layout: Option<String>,
    layer: Option<String>,
}

impl Default for Place {
    fn default() -> Place {
        Place { x: 0.0, y: 0.0, scale: (1.0, 1.0), layout: None, layer: None }
    }
}

struct Reading<'d> {
    blocks: &'d HashMap<&'d str, Vec<Entity<'d>>>,
    limits: &'d Limits,
    texts: Vec<Text>,
    steps: u64,
    /// Bytes of the entities so far, and of the texts that they gave.
    looked_at: usize,
    said: usize,
}

impl Reading<'_> {
    fn entities(
        &mut self,
        entities: &[Entity<'_>],
        place: &Place,
        nesting: usize,
    ) -> Result<(), ReadError> {
        for entity in entities {
            self.steps = self.steps.saturating_add(1);
            self.looked_at = self.looked_at.saturating_add(entity.size);
            let is_too_much = self.steps > self.limits.cells
                || self.looked_at > MAX_LOOKED_AT
                || self.said > MAX_FRAME;
            if is_too_much {
                return Err(ReadError::new(
                    Code::ArchiveLimits,
                    "в чертеже слишком много элементов",
                ));
            }
            match entity.kind {
                "TEXT" | "ATTRIB" => {
                    let value = plain(entity.value(1).unwrap_or_default());
                    let tag = (entity.kind == "ATTRIB").then(|| entity.value(2)).flatten();
                    self.text(entity, place, value, tag, false);
                }
                // The sample texts of attribute definitions show only without an insertion.
                "ATTDEF" if nesting == 0 => {
                    let value = plain(entity.value(1).unwrap_or_default());
                    self.text(entity, place, value, entity.value(2), false);
                }
                "MTEXT" => {
                    let value = formatted(&entity.joined(&[3, 1]));
                    self.text(entity, place, value, None, false);
                }
                "MULTILEADER" | "MLEADER" => {
                    let value = formatted(entity.value(304).unwrap_or_default());
                    self.text(entity, place, value, None, false);
                }
                "DIMENSION" | "ARC_DIMENSION" => {
                    let measured = entity.number(42);
                    let shown = entity.value(1).unwrap_or_default();
                    let measured = format!("{:.3}", (measured * 1000.0).round() / 1000.0);
                    let measured = measured.trim_end_matches('0').trim_end_matches('.');
                    let value = if shown.trim().is_empty() {
                        measured.to_owned()
                    } else {
                        formatted(&shown.replace("<>", measured))
                    };
                    if value != "0" {
                        self.text(entity, place, value, None, true);
                    }
                }
                "INSERT" | "ACAD_TABLE" if nesting < MAX_NESTING => {
                    self.insert(entity, place, nesting)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn insert(
        &mut self,
        entity: &Entity<'_>,
        place: &Place,
        nesting: usize,
    ) -> Result<(), ReadError> {
        let Some(inside) = entity.value(2).and_then(|name| self.blocks.get(name)) else {
            return Ok(());
        };
        let scale = |code| Some(entity.number(code)).filter(|scale| *scale != 0.0).unwrap_or(1.0);
        let inner = Place {
            x: place.x + entity.number(10) * place.scale.0,
            y: place.y + entity.number(20) * place.scale.1,
            scale: (place.scale.0 * scale(41), place.scale.1 * scale(42)),
            layout: Some(layout(entity, place)),
            layer: entity.value(8).map(str::to_owned),
        };
        self.entities(inside, &inner, nesting.saturating_add(1))
    }

    fn text(
        &mut self,
        entity: &Entity<'_>,
        place: &Place,
        value: String,
        tag: Option<&str>,
        is_dimension: bool,
    ) {
        let value = tidy(&value);
        if value.is_empty() {
            return;
        }
        // Layer 0 inside a block means the layer of the insertion.
        let layer = match (entity.value(8).unwrap_or("0"), &place.layer) {
            ("0", Some(outer)) => outer.clone(),
            (own, _) => own.to_owned(),
        };
        let layout = layout(entity, place);
        let lengths = [value.len(), layer.len(), layout.len()];
        self.said = lengths.into_iter().fold(self.said, usize::saturating_add);
        self.texts.push(Text {
            layout,
            layer,
            tag: tag.map(tidy).filter(|tag| !tag.is_empty()),
            is_dimension,
            value,
            x: place.x + entity.number(10) * place.scale.0,
            y: place.y + entity.number(20) * place.scale.1,
            height: (entity.number(40) * place.scale.1).abs(),
        });
    }
}

/// The model or a sheet, by name where the file gives it.
fn layout(entity: &Entity<'_>, place: &Place) -> String {
    if let Some(layout) = &place.layout {
        return layout.clone();
    }
    let on_paper = entity.value(67).is_some_and(|value| value.trim() == "1");
    match entity.value(410) {
        Some(name) if !name.trim().is_empty() => name.trim().to_owned(),
        _ if on_paper => "Лист".to_owned(),
        _ => "Model".to_owned(),
    }
}
