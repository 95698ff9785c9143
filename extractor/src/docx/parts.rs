//! The parts of a DOCX around its text: styles, lists, notes, running headers, properties.

use super::inline;
use super::numbering;
use super::styles::Styles;
use crate::encoding;
use crate::flow::add_running_line;
use crate::flow::numbering::Numbering;
use crate::package::Package;
use crate::reader::{Limits, ReadError};
use crate::tidy::{tidy, tidy_line};
use crate::xml::{self, Element};
use std::collections::{BTreeMap, HashMap};

/// Texts of footnotes and endnotes by kind and id.
pub(crate) type Notes = HashMap<(&'static str, String), String>;

/// Everything that must be known before the text is read.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// Name of the main part.
    pub(crate) document: String,
    pub(crate) styles: Styles,
    pub(crate) numbering: Numbering,
    pub(crate) notes: Notes,
    /// Lines of the running headers and footers, each once.
    pub(crate) furniture: Vec<String>,
    /// Title, author, dates, page count as the file states them.
    pub(crate) properties: BTreeMap<String, String>,
}

/// Reads the parts; only the main part must exist. A side part that is damaged is left out.
pub(crate) fn read(package: &mut Package<'_>, limits: &Limits) -> Result<Parts, ReadError> {
    let root = relations(package, "_rels/.rels", limits)?;
    let document = root
        .iter()
        .find(|(kind, _)| kind == "officeDocument")
        .map(|(_, target)| resolve("", target))
        .filter(|name| package.has(name))
        .unwrap_or_else(|| "word/document.xml".to_owned());
    if !package.has(&document) {
        return Err(ReadError::damaged("в файле нет основной части документа"));
    }
    let (folder, name) = document.rsplit_once('/').unwrap_or(("", &document));
    let related = relations(package, &format!("{folder}/_rels/{name}.rels"), limits)?;
    let named = |kind: &str| -> Vec<String> {
        let of_kind = related.iter().filter(|(found, _)| found == kind);
        of_kind.map(|(_, target)| resolve(folder, target)).collect()
    };

    let mut parts = Parts { document: document.clone(), ..Parts::default() };
    if let Some(root) = tree_of(package, named("styles").first(), limits)? {
        parts.styles = Styles::read(&root);
    }
    if let Some(root) = tree_of(package, named("numbering").first(), limits)? {
        parts.numbering = numbering::read(&root, &parts.styles);
    }
    for (kind, relation) in [("footnote", "footnotes"), ("endnote", "endnotes")] {
        if let Some(root) = tree_of(package, named(relation).first(), limits)? {
            read_notes(kind, &root, &parts.styles, &mut parts.notes);
        }
    }
    for name in named("header").iter().chain(&named("footer")) {
        if let Some(root) = tree_of(package, Some(name), limits)? {
            let text = container_text(&root, &parts.styles);
            for line in text.lines().filter(|line| !is_page_number(line)) {
                add_running_line(&mut parts.furniture, line.to_owned());
            }
        }
    }
    parts.properties = properties(package, limits)?;
    Ok(parts)
}

/// Relations of a part: the last word of their type, and the target.
fn relations(
    package: &mut Package<'_>,
    name: &str,
    limits: &Limits,
) -> Result<Vec<(String, String)>, ReadError> {
    let Some(root) = tree_of(package, Some(&name.to_owned()), limits)? else {
        return Ok(Vec::new());
    };
    let relation = |element: &Element| {
        let kind = element.attribute("Type")?.rsplit('/').next()?.to_owned();
        let external = element.attribute("TargetMode") == Some("External");
        (!external).then_some((kind, element.attribute("Target")?.to_owned()))
    };
    Ok(root.all("Relationship").filter_map(relation).collect())
}

/// A target relative to the folder of the part that names it.
fn resolve(folder: &str, target: &str) -> String {
    if let Some(absolute) = target.strip_prefix('/') {
        return absolute.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "." | "" => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

/// A side part as a tree. Limits and declared entities end the document; other damage to a side
/// part costs only that part.
fn tree_of(
    package: &mut Package<'_>,
    name: Option<&String>,
    limits: &Limits,
) -> Result<Option<Element>, ReadError> {
    use shared::outcome::Code;
    let tree = (|| {
        let Some(bytes) = name.map(|name| package.read(name)).transpose()?.flatten() else {
            return Ok(None);
        };
        xml::parse(&encoding::decode(&bytes, None).text, limits).map(Some)
    })();
    match tree {
        Err(error) if error.code == Code::DamagedFile => Ok(None),
        other => other,
    }
}

fn read_notes(kind: &'static str, root: &Element, styles: &Styles, notes: &mut Notes) {
    for note in root.all(kind).filter(|note| note.attribute("type").is_none()) {
        if let Some(id) = note.attribute("id") {
            let text = tidy_line(&container_text(note, styles));
            if !text.is_empty() {
                notes.insert((kind, id.to_owned()), text);
            }
        }
    }
}

/// The plain text of every paragraph in a side part, one line each.
fn container_text(container: &Element, styles: &Styles) -> String {
    let mut lines = Vec::new();
    let mut open = vec![container];
    while let Some(element) = open.pop() {
        if &*element.name == "p" {
            let mut fields = Vec::new();
            let base = &styles.paragraph(None).properties;
            let inline = inline::read(element, base, styles, &mut fields);
            lines.push(tidy(&inline.text));
            open.extend(inline.boxes.iter().rev());
        } else {
            let children: Vec<&Element> = element.elements().collect();
            open.extend(children.into_iter().rev());
        }
    }
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// «12», «- 12 -», «Страница 3 из 40» once the numbers are gone.
fn is_page_number(line: &str) -> bool {
    let words = line.chars().filter(|character| character.is_alphabetic()).count();
    let of_page = ["страница", "стр", "page", "лист", "из", "of"];
    words == 0
        || line
            .to_lowercase()
            .split(|character: char| !character.is_alphabetic())
            .filter(|word| !word.is_empty())
            .all(|word| of_page.contains(&word))
}

fn properties(
    package: &mut Package<'_>,
    limits: &Limits,
) -> Result<BTreeMap<String, String>, ReadError> {
    const NAMES: [(&str, &str); 10] = [
        ("title", "title"),
        ("creator", "author"),
        ("subject", "subject"),
        ("keywords", "keywords"),
        ("description", "description"),
        ("created", "created"),
        ("modified", "modified"),
        ("Company", "company"),
        ("Application", "application"),
        ("Pages", "pages"),
    ];
    let mut properties = BTreeMap::new();
    for part in ["docProps/core.xml", "docProps/app.xml"] {
        let Some(root) = tree_of(package, Some(&part.to_owned()), limits)? else { continue };
        for (element, name) in NAMES {
            if let Some(value) = root.child_text(element) {
                properties.insert(name.to_owned(), value.chars().take(1000).collect());
            }
        }
    }
    Ok(properties)
}
