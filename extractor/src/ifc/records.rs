//! The instances of a STEP file (ISO 10303-21) by their numbers, and the values of their
//! attributes as people read them.

use super::names::Names;
use ifc_lite_core::parser::{StepRecord, parse_ref};
use ifc_lite_core::{
    EntityDecoder, EntityScanner, MeasureUnit, ProjectUnits, StepListItems, decode_ifc_string,
    measure_unit, parse_step_real, set_report_sink,
};
use std::collections::HashMap;

/// Values within each other («IFCLABEL('…')» in a list in a list).
const MAX_NESTING: u32 = 8;

/// All instances of a file.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    places: HashMap<u32, (usize, usize)>,
    units: ProjectUnits,
    names: Names,
    /// Whether an instance is cut or spoilt.
    pub(super) is_damaged: bool,
}

impl<'a> Records<'a> {
    /// Finds all instances, and tells `visit` the number and the class (upper case) of each.
    pub(super) fn scan(bytes: &'a [u8], mut visit: impl FnMut(u32, &str)) -> Records<'a> {
        // Spoilt records are told with a code, not on standard error.
        set_report_sink(|_| ());
        let mut scanner = EntityScanner::new(bytes);
        let mut places = HashMap::new();
        let mut class = String::new();
        while let Some((id, keyword, start, end)) = scanner.next_entity() {
            places.insert(id, (start, end));
            class.clear();
            class.push_str(keyword);
            class.make_ascii_uppercase();
            visit(id, &class);
        }
        let is_damaged = scanner.malformed_record_start().is_some();
        let units = ProjectUnits::resolve_file(&mut EntityDecoder::new(bytes));
        Records { bytes, places, units, names: Names::default(), is_damaged }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn get(&self, id: u32) -> Option<StepRecord<'a>> {
        let (start, end) = *self.places.get(&id)?;
        StepRecord::parse(self.bytes.get(start..end)?)
    }

    /// The class as the file writes it, for its Russian name.
    pub(super) fn class(&self, id: u32) -> String {
        let record = self.get(id);
        let keyword = record.as_ref().and_then(StepRecord::keyword).unwrap_or_default();
        self.names.class(keyword)
    }

    /// The name of a property with its Russian meaning.
    pub(super) fn property_name(&self, id: u32) -> Option<String> {
        self.string(id, 0).map(|name| self.names.property(&name))
    }

    /// A string attribute; empty ones are none.
    pub(super) fn string(&self, id: u32, attribute: usize) -> Option<String> {
        let record = self.get(id)?;
        let text = record.string_at(attribute)?;
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    pub(super) fn reference(&self, id: u32, attribute: usize) -> Option<u32> {
        self.get(id)?.ref_at(attribute)
    }

    /// The references of a list, or a single one; what is none is left out.
    pub(super) fn references(&self, id: u32, attribute: usize) -> Vec<u32> {
        let Some(value) = self.get(id).and_then(|record| record.attr(attribute)) else {
            return Vec::new();
        };
        // A set of property definitions may be written with its type before the list.
        let list = value.iter().position(|byte| *byte == b'(').map_or(value, |at| &value[at..]);
        match StepListItems::of_list(list) {
            Some(items) => items.filter_map(parse_ref).collect(),
            None => parse_ref(value).into_iter().collect(),
        }
    }

    pub(super) fn is_class(&self, id: u32, class: &str) -> bool {
        self.get(id).is_some_and(|record| record.keyword_is(class.as_bytes()))
    }

    /// Any attribute as people read it.
    pub(super) fn attribute(&self, id: u32, attribute: usize) -> Option<String> {
        self.value(self.get(id)?.attr(attribute)?, None)
    }

    /// A number whose measure the class of the instance tells, with its unit.
    pub(super) fn measured(&self, id: u32, attribute: usize, measure: &str) -> Option<String> {
        self.value(self.get(id)?.attr(attribute)?, Some(measure))
    }

    pub(super) fn number(&self, id: u32, attribute: usize) -> Option<f64> {
        self.get(id)?.real_at(attribute)
    }

    /// A value with its unit, as people write it: «200 мм», «да», «REI 60»; several are parted by
    /// «; ». `unit` is the measure of numbers that do not name their own.
    fn value(&self, raw: &[u8], unit: Option<&str>) -> Option<String> {
        self.nested_value(raw, unit, 0)
    }

    fn nested_value(&self, raw: &[u8], unit: Option<&str>, nesting: u32) -> Option<String> {
        if nesting > MAX_NESTING {
            return None;
        }
        let inside = |value: &[u8], unit: Option<&str>| self.nested_value(value, unit, nesting + 1);
        match raw.first()? {
            b'\'' => {
                let inner = raw.strip_prefix(b"'")?.strip_suffix(b"'")?;
                let text = String::from_utf8_lossy(inner).replace("''", "'");
                let text = decode_ifc_string(&text).trim().to_owned();
                (!text.is_empty()).then_some(text)
            }
            b'.' => match raw {
                b".T." => Some("да".to_owned()),
                b".F." => Some("нет".to_owned()),
                b".U." => None,
                other => Some(String::from_utf8_lossy(other).trim_matches('.').to_owned()),
            },
            b'(' => {
                let items = StepListItems::of_list(raw)?;
                let values: Vec<String> = items.filter_map(|item| inside(item, unit)).collect();
                (!values.is_empty()).then(|| values.join("; "))
            }
            first if first.is_ascii_alphabetic() => {
                let open = raw.iter().position(|byte| *byte == b'(')?;
                let measure = std::str::from_utf8(&raw[..open]).ok()?.trim();
                inside(StepListItems::of_list(&raw[open..])?.next()?, Some(measure))
            }
            _ => {
                let number = parse_step_real(raw)?;
                Some(match unit.and_then(|measure| self.unit(measure)) {
                    Some(unit) => format!("{number} {unit}"),
                    None => number.to_string(),
                })
            }
        }
    }

    /// The unit that the file declares for a measure; one that is not declared is not guessed.
    fn unit(&self, measure: &str) -> Option<String> {
        let unit = match measure_unit(measure)? {
            MeasureUnit::Typed { unit_type, .. } => self.units.resolved_for_unit_type(unit_type)?,
            MeasureUnit::Monetary => self.units.monetary()?,
            MeasureUnit::Dimensionless => return None,
        };
        (!unit.symbol.is_empty()).then(|| self.names.unit(&unit.symbol))
    }
}
