//! The instances of a STEP file (ISO 10303-21) by their numbers, and their attributes.

use super::names::Names;
use super::values::{Unit, text_of};
use ifc_lite_core::parser::{StepRecord, parse_ref};
use ifc_lite_core::project_units::resolve_unit_by_ref;
use ifc_lite_core::{
    EntityDecoder, EntityIndex, EntityScanner, MeasureUnit, ProjectUnits, StepListItems,
    measure_unit, parse_step_real, set_report_sink,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

/// The longest name or text of an attribute, in characters.
const MAX_TEXT: usize = 500;
/// The longest name of a class; that of the standard has 54 signs. A record with a longer one is spoilt.
const MAX_CLASS: usize = 100;
/// The longest symbol of a unit, in bytes.
const MAX_SYMBOL: usize = 50;
/// A unit that is composed of more than this many bytes of references is no unit of a real file.
const MAX_UNIT_BYTES: usize = 4096;

/// All instances of a file.
pub(super) struct Records<'a> {
    bytes: &'a [u8],
    index: Arc<EntityIndex>,
    units: ProjectUnits,
    decoder: RefCell<EntityDecoder<'a>>,
    own_units: RefCell<HashMap<u32, Option<String>>>,
    pub(super) names: Names,
    /// Whether an instance is cut or spoilt.
    pub(super) is_damaged: bool,
}

impl<'a> Records<'a> {
    /// Finds all instances, and tells `visit` the number and the class (upper case) of each.
    pub(super) fn scan(bytes: &'a [u8], mut visit: impl FnMut(u32, &str, &Names)) -> Records<'a> {
        // Spoilt records are told with a code, not on standard error.
        set_report_sink(|_| ());
        let names = Names::default();
        let mut scanner = EntityScanner::new(bytes);
        let mut index = EntityIndex::default();
        let mut class = String::new();
        let (mut units_are_sane, mut has_long_class) = (true, false);
        while let Some((id, keyword, start, end)) = scanner.next_entity() {
            if keyword.len() > MAX_CLASS {
                has_long_class = true;
                continue;
            }
            class.clear();
            class.push_str(keyword);
            class.make_ascii_uppercase();
            let is_unit = matches!(class.as_str(), "IFCUNITASSIGNMENT" | "IFCDERIVEDUNIT");
            units_are_sane &= !is_unit || end - start <= MAX_UNIT_BYTES;
            // An instance that is written twice is one.
            if index.insert(id, (start, end)).is_none() {
                visit(id, &class, &names);
            }
        }
        let is_damaged = has_long_class || scanner.malformed_record_start().is_some();
        let index = Arc::new(index);
        let mut decoder = EntityDecoder::with_arc_index(bytes, Arc::clone(&index));
        let units = match units_are_sane {
            true => ProjectUnits::resolve_file(&mut decoder),
            false => ProjectUnits::default(),
        };
        let (decoder, own_units) = (RefCell::new(decoder), RefCell::default());
        Records { bytes, index, units, decoder, own_units, names, is_damaged }
    }

    pub(super) fn len(&self) -> usize {
        self.index.len()
    }

    pub(super) fn get(&self, id: u32) -> Option<StepRecord<'a>> {
        let (start, end) = *self.index.get(&id)?;
        StepRecord::parse(self.bytes.get(start..end)?)
    }

    /// The length of an instance in bytes: what looking at it costs.
    pub(super) fn length(&self, id: u32) -> usize {
        self.index.get(&id).map_or(0, |(start, end)| end - start)
    }

    /// The class in upper case; empty for an unknown number.
    pub(super) fn class(&self, id: u32) -> String {
        let record = self.get(id);
        let keyword = record.as_ref().and_then(StepRecord::keyword).unwrap_or_default();
        keyword.to_ascii_uppercase()
    }

    pub(super) fn is_class(&self, id: u32, class: &str) -> bool {
        self.get(id).is_some_and(|record| record.keyword_is(class.as_bytes()))
    }

    /// A string attribute; empty ones are none.
    pub(super) fn string(&self, id: u32, attribute: usize) -> Option<String> {
        let text = text_of(self.get(id)?.attr(attribute)?)?;
        let text: String = text.trim().chars().take(MAX_TEXT).collect();
        (!text.is_empty()).then_some(text)
    }

    /// An enumeration without its dots.
    pub(super) fn enumeration(&self, id: u32, attribute: usize) -> Option<String> {
        let record = self.get(id)?;
        record.enum_at(attribute).map(|name| String::from_utf8_lossy(name).to_ascii_uppercase())
    }

    pub(super) fn reference(&self, id: u32, attribute: usize) -> Option<u32> {
        self.get(id)?.ref_at(attribute)
    }

    /// The references of a list, or a single one; what is none is left out.
    pub(super) fn references(&self, id: u32, attribute: usize) -> Vec<u32> {
        self.first_references(id, attribute, usize::MAX)
    }

    /// The same, at most so many.
    pub(super) fn first_references(&self, id: u32, attribute: usize, most: usize) -> Vec<u32> {
        let Some(mut value) = self.get(id).and_then(|record| record.attr(attribute)) else {
            return Vec::new();
        };
        // A set of property definitions is written with its type before the list: «TYPE((#1,#2))».
        if value.first().is_some_and(u8::is_ascii_alphabetic) {
            let inner = value.iter().position(|byte| *byte == b'(').map(|at| &value[at..]);
            value = inner
                .and_then(StepListItems::of_list)
                .and_then(|mut list| list.next())
                .unwrap_or_default();
        }
        match StepListItems::of_list(value) {
            Some(items) => items.filter_map(parse_ref).take(most).collect(),
            None => parse_ref(value).into_iter().collect(),
        }
    }

    /// A number as it is.
    pub(super) fn number(&self, id: u32, attribute: usize) -> Option<f64> {
        parse_step_real(self.get(id)?.attr(attribute)?)
    }

    /// Any attribute as people read it. `measure` is that of a number («IFCLENGTHMEASURE»), empty for
    /// none; values that name their own measure have that.
    pub(super) fn value(&self, id: u32, attribute: usize, measure: &str) -> Option<String> {
        super::values::value(self, self.get(id)?.attr(attribute)?, &Unit::Measure(measure))
    }

    /// The value of a property, whose unit may stand in another attribute.
    pub(super) fn value_with_unit(&self, id: u32, attribute: usize, unit: usize) -> Option<String> {
        let unit = self.own_unit(id, unit).map_or(Unit::Measure(""), Unit::Own);
        super::values::value(self, self.get(id)?.attr(attribute)?, &unit)
    }

    /// The unit that an attribute refers to: `None` where there is no reference, `Some(None)` for one
    /// that cannot be resolved.
    pub(super) fn own_unit(&self, id: u32, attribute: usize) -> Option<Option<String>> {
        let unit = self.reference(id, attribute)?;
        if let Some(known) = self.own_units.borrow().get(&unit) {
            return Some(known.clone());
        }
        let is_sane = self.length(unit) <= MAX_UNIT_BYTES;
        let resolve = || resolve_unit_by_ref(&mut self.decoder.borrow_mut(), unit);
        let resolved = is_sane.then(resolve).flatten();
        let resolved = resolved.and_then(|(_, unit, _)| self.symbol(&unit.symbol));
        self.own_units.borrow_mut().insert(unit, resolved.clone());
        Some(resolved)
    }

    /// The unit that the file declares for a measure; one that is not declared is not guessed.
    pub(super) fn unit_of(&self, measure: &str) -> Option<String> {
        let unit = match measure_unit(measure)? {
            MeasureUnit::Typed { unit_type, .. } => self.units.resolved_for_unit_type(unit_type)?,
            MeasureUnit::Monetary => self.units.monetary()?,
            MeasureUnit::Dimensionless => return None,
        };
        self.symbol(&unit.symbol)
    }

    fn symbol(&self, symbol: &str) -> Option<String> {
        (1..=MAX_SYMBOL).contains(&symbol.len()).then(|| self.names.unit(symbol))
    }
}
