//! Messages in Russian or English.

use std::sync::OnceLock;

static ENGLISH: OnceLock<bool> = OnceLock::new();

/// Fixes the language of this run: `--lang`, else the locale, else Russian.
pub(crate) fn choose(wanted: Option<&str>) {
    let language = wanted.unwrap_or_else(|| shared::settings::language());
    let _ = ENGLISH.set(language == "en");
}

/// One of two wordings.
pub(crate) fn say(russian: &'static str, english: &'static str) -> &'static str {
    if *ENGLISH.get_or_init(|| false) { english } else { russian }
}
