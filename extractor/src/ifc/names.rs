//! What `rules/ifc.toml` knows about the classes, attributes, properties and units of a model.

use serde::Deserialize;
use std::collections::{HashMap, HashSet};

/// The rules; classes are in upper case, as files write them.
#[derive(Deserialize)]
pub(super) struct Names {
    ignored: HashSet<String>,
    generic: HashSet<String>,
    classes: HashMap<String, String>,
    predefined: HashMap<String, usize>,
    kinds: HashMap<String, String>,
    attributes: HashMap<String, Vec<(usize, String, String)>>,
    properties: HashMap<String, String>,
    units: HashMap<String, String>,
}

impl Default for Names {
    fn default() -> Names {
        let mut rules: Names =
            toml::from_str(include_str!("../../rules/ifc.toml")).expect("a test reads the rules");
        rules.ignored = rules.ignored.iter().map(|class| class.to_uppercase()).collect();
        rules.generic = rules.generic.iter().map(|class| class.to_uppercase()).collect();
        rules.classes = upper(rules.classes);
        rules.predefined = upper(rules.predefined);
        rules.attributes = upper(rules.attributes);
        rules
    }
}

fn upper<V>(by_class: HashMap<String, V>) -> HashMap<String, V> {
    by_class.into_iter().map(|(class, value)| (class.to_uppercase(), value)).collect()
}

/// A class for the usual case («`IfcWallStandardCase`») is the class itself for people.
fn usual(class: &str) -> &str {
    class.strip_suffix("STANDARDCASE").unwrap_or(class)
}

impl Names {
    /// «Стена» for «IFCWALL»; a class without a Russian name keeps its own.
    pub(super) fn class(&self, class: &str) -> String {
        self.classes.get(usual(class)).cloned().unwrap_or_else(|| class.to_owned())
    }

    /// Whether a class is known, so that its objects count also where nothing relates to them.
    pub(super) fn is_known(&self, class: &str) -> bool {
        self.classes.contains_key(usual(class))
    }

    /// Whether objects of this class are helpers of the model, not built.
    pub(super) fn is_ignored(&self, class: &str) -> bool {
        self.ignored.contains(class)
    }

    /// Whether the class of the type says more.
    pub(super) fn is_generic(&self, class: &str) -> bool {
        self.generic.contains(class)
    }

    /// The attribute that tells the kind within the class.
    pub(super) fn predefined(&self, class: &str) -> Option<usize> {
        self.predefined.get(usual(class)).copied()
    }

    /// «перекрытие» for «FLOOR».
    pub(super) fn kind(&self, enumeration: &str) -> Option<&str> {
        self.kinds.get(enumeration).map(String::as_str)
    }

    /// Attributes that are shown like properties: place, name, measure.
    pub(super) fn attributes(&self, class: &str) -> &[(usize, String, String)] {
        self.attributes.get(usual(class)).map_or(&[], Vec::as_slice)
    }

    /// «`FireRating` (предел огнестойкости)»; other names stay as they are.
    pub(super) fn property(&self, name: &str) -> String {
        match self.properties.get(name) {
            Some(russian) => format!("{name} ({russian})"),
            None => name.to_owned(),
        }
    }

    /// A unit, whole or symbol by symbol: «м³/ч» for «m³/h».
    pub(super) fn unit(&self, unit: &str) -> String {
        if let Some(whole) = self.units.get(unit) {
            return whole.clone();
        }
        let is_letter = |sign: char| sign.is_alphabetic() || sign == '°';
        let mut translated = String::new();
        let mut rest = unit;
        while let Some(first) = rest.chars().next() {
            let same = |sign: char| is_letter(sign) != is_letter(first);
            let (part, after) = rest.split_at(rest.find(same).unwrap_or(rest.len()));
            translated.push_str(self.units.get(part).map_or(part, String::as_str));
            rest = after;
        }
        translated
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn classes_properties_and_units_have_russian_names() {
        let names = Names::default();
        assert_eq!(names.class("IFCWALL"), "Стена");
        assert_eq!(names.class("IFCWALLSTANDARDCASE"), "Стена");
        assert_eq!(names.class("IFCUNHEARDOF"), "IFCUNHEARDOF");
        assert!(names.is_ignored("IFCDISTRIBUTIONPORT") && names.is_generic("IFCFLOWSEGMENT"));
        assert_eq!(names.predefined("IFCSLABSTANDARDCASE"), Some(8));
        assert_eq!(names.kind("BASESLAB"), Some("фундаментная плита"));
        assert_eq!(names.property("IsExternal"), "IsExternal (наружный)");
        assert_eq!(names.property("Марка бетона"), "Марка бетона");
        for (unit, russian) in [
            ("mm", "мм"),
            ("m³/h", "м³/ч"),
            ("kg/(K·s³)", "Вт/(м²·К)"),
            ("J/(kg·K)", "Дж/(кг·К)"),
            ("cd", "cd"),
        ] {
            assert_eq!(names.unit(unit), russian);
        }
    }
}
