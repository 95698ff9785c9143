//! Russian names of classes and units, from `rules/ifc.toml`.

use serde::Deserialize;
use std::collections::HashMap;

#[derive(Deserialize)]
pub(super) struct Names {
    /// By class in upper case.
    classes: HashMap<String, String>,
    /// By name in the standard sets.
    properties: HashMap<String, String>,
    /// By the international symbol.
    units: HashMap<String, String>,
}

impl Default for Names {
    fn default() -> Names {
        let rules: Names =
            toml::from_str(include_str!("../../rules/ifc.toml")).expect("a test reads the rules");
        let classes = rules.classes.into_iter();
        Names {
            classes: classes.map(|(class, name)| (class.to_uppercase(), name)).collect(),
            properties: rules.properties,
            units: rules.units,
        }
    }
}

impl Names {
    /// «Стена» for «IFCWALL»; a class without a Russian name keeps its own.
    pub(super) fn class(&self, keyword: &str) -> String {
        let upper = keyword.to_ascii_uppercase();
        let own = self.classes.get(&upper);
        // A class for the usual case («IfcWallStandardCase») is the class itself for people.
        let name = own.or_else(|| self.classes.get(upper.strip_suffix("STANDARDCASE")?));
        name.cloned().unwrap_or_else(|| keyword.to_owned())
    }

    /// «`FireRating` (предел огнестойкости)»; other names stay as they are.
    pub(super) fn property(&self, name: &str) -> String {
        match self.properties.get(name) {
            Some(russian) => format!("{name} ({russian})"),
            None => name.to_owned(),
        }
    }

    pub(super) fn unit(&self, symbol: &str) -> String {
        self.units.get(symbol).cloned().unwrap_or_else(|| symbol.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn classes_and_units_have_russian_names() {
        let names = Names::default();
        assert_eq!(names.class("IFCWALL"), "Стена");
        assert_eq!(names.class("IfcWallStandardCase"), "Стена");
        assert_eq!(names.class("IFCUNHEARDOF"), "IFCUNHEARDOF");
        assert_eq!(names.property("IsExternal"), "IsExternal (наружный)");
        assert_eq!(names.property("Марка бетона"), "Марка бетона");
        assert_eq!(names.unit("mm"), "мм");
        assert_eq!(names.unit("cd"), "cd");
    }
}
