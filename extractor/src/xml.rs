//! XML as events and small trees, shared by DOCX, state estimates and plain XML.
//!
//! There is no document type handling at all: a DOCTYPE that declares entities ends the document
//! with its own code, so nothing is ever expanded or fetched. Nesting is capped, which also bounds
//! every recursion over a tree.

use crate::reader::{Limits, ReadError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use shared::outcome::Code;
use std::collections::HashSet;
use std::rc::Rc;

/// An element with its children. Names are local names, without their prefix.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    /// The element's local name.
    pub(crate) name: Rc<str>,
    /// Attributes in order, by local name.
    pub(crate) attributes: Vec<(Rc<str>, String)>,
    /// Elements and text in order; white space between elements is left out.
    pub(crate) children: Vec<Node>,
}

/// What stands inside an element.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    /// A child element.
    Element(Element),
    /// Text with its entities resolved.
    Text(String),
}

impl Element {
    /// Child elements of any name.
    pub(crate) fn elements(&self) -> impl Iterator<Item = &Element> {
        self.children.iter().filter_map(|node| match node {
            Node::Element(element) => Some(element),
            Node::Text(_) => None,
        })
    }

    /// Child elements of this name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.elements().filter(move |element| &*element.name == name)
    }

    /// The first child element of this name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.elements().find(|element| &*element.name == name)
    }

    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| &**key == name).map(|(_, value)| value.as_str())
    }

    /// The `val` attribute of a child, the usual form of a `WordprocessingML` property.
    pub(crate) fn value_of(&self, child: &str) -> Option<&str> {
        self.child(child)?.attribute("val")
    }

    /// All text inside, in order.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.collect_text(&mut text);
        text
    }

    /// The trimmed text of a child, when it is not empty.
    pub(crate) fn child_text(&self, name: &str) -> Option<String> {
        let text = self.child(name)?.text().split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty()).then_some(text)
    }

    fn collect_text(&self, text: &mut String) {
        for node in &self.children {
            match node {
                Node::Element(element) => element.collect_text(text),
                Node::Text(part) => text.push_str(part),
            }
        }
    }
}

/// One step through a document.
#[derive(Debug)]
pub(crate) enum Step {
    /// An element opens; it has no children yet.
    Open(Element),
    /// The innermost open element closes.
    Close,
    /// Text between tags.
    Text(String),
    /// The end of a document in which every element was closed.
    End,
}

/// A document read step by step.
pub(crate) struct XmlReader<'a> {
    reader: Reader<&'a [u8]>,
    names: HashSet<Rc<str>>,
    depth: usize,
    max_depth: usize,
    keeps_space: bool,
}

impl<'a> XmlReader<'a> {
    /// A reader over decoded text.
    pub(crate) fn new(text: &'a str, limits: &Limits) -> XmlReader<'a> {
        let mut reader = Reader::from_str(text);
        reader.config_mut().expand_empty_elements = true;
        XmlReader {
            reader,
            names: HashSet::new(),
            depth: 0,
            max_depth: limits.depth,
            keeps_space: false,
        }
    }

    /// White space between elements is text: in formats that set words apart by it.
    pub(crate) fn keeping_space(mut self) -> XmlReader<'a> {
        self.keeps_space = true;
        self
    }

    /// The next step.
    pub(crate) fn step(&mut self) -> Result<Step, ReadError> {
        loop {
            match self.reader.read_event().map_err(|error| xml_error(&error))? {
                Event::Start(start) => {
                    self.depth = self.depth.saturating_add(1);
                    if self.depth > self.max_depth {
                        return Err(ReadError::new(
                            Code::ArchiveLimits,
                            format!("вложенность XML больше {}", self.max_depth),
                        ));
                    }
                    return Ok(Step::Open(self.open(&start)));
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    return Ok(Step::Close);
                }
                Event::Text(text) => return Ok(Step::Text(text.xml10_content().into_owned())),
                Event::CData(text) => return Ok(Step::Text(text.xml10_content().into_owned())),
                Event::GeneralRef(reference) => {
                    let name: &str = &reference;
                    let text = match reference.resolve_char_ref() {
                        Ok(Some(character)) => character.to_string(),
                        _ => match quick_xml::escape::resolve_predefined_entity(name) {
                            Some(text) => text.to_owned(),
                            None => format!("&{name};"),
                        },
                    };
                    return Ok(Step::Text(text));
                }
                Event::DocType(text) => {
                    if text.to_ascii_uppercase().contains("ENTITY") {
                        return Err(ReadError::new(
                            Code::XmlExternalEntity,
                            "XML объявляет сущности (DOCTYPE … ENTITY): такой файл не читается",
                        ));
                    }
                }
                Event::Eof if self.depth > 0 => {
                    return Err(ReadError::damaged("XML обрывается: не все элементы закрыты"));
                }
                Event::Eof => return Ok(Step::End),
                Event::Empty(_) | Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
    }

    /// Reads the rest of an opened element into a tree.
    pub(crate) fn subtree(&mut self, root: Element) -> Result<Element, ReadError> {
        let mut open = vec![root];
        loop {
            let step = self.step()?;
            let Some(innermost) = open.last_mut() else {
                return Err(ReadError::damaged("XML: закрыт элемент, который не открывался"));
            };
            match step {
                Step::Open(element) => open.push(element),
                Step::Text(text) => match innermost.children.last_mut() {
                    Some(Node::Text(before)) => before.push_str(&text),
                    _ => innermost.children.push(Node::Text(text)),
                },
                Step::Close => {
                    if !self.keeps_space {
                        drop_layout_space(innermost);
                    }
                    let Some(element) = open.pop() else { continue };
                    match open.last_mut() {
                        Some(parent) => parent.children.push(Node::Element(element)),
                        None => return Ok(element),
                    }
                }
                Step::End => return Err(ReadError::damaged("XML обрывается")),
            }
        }
    }

    fn open(&mut self, start: &BytesStart<'_>) -> Element {
        let name = self.name(start.local_name().as_ref());
        let attributes = start
            .attributes()
            .with_checks(false)
            .filter_map(Result::ok)
            .map(|attribute| {
                let value = match attribute.normalized_value(XmlVersion::Implicit1_0) {
                    Ok(value) => value.into_owned(),
                    Err(_) => attribute.value.to_string(),
                };
                (self.name(attribute.key.local_name().as_ref()), value)
            })
            .collect();
        Element { name, attributes, children: Vec::new() }
    }

    /// Shares equal names: a document has millions of elements and a hundred names.
    fn name(&mut self, name: &str) -> Rc<str> {
        if let Some(known) = self.names.get(name) {
            return Rc::clone(known);
        }
        let new: Rc<str> = Rc::from(name);
        self.names.insert(Rc::clone(&new));
        new
    }
}

/// The root of a whole document as a tree.
pub(crate) fn parse(text: &str, limits: &Limits) -> Result<Element, ReadError> {
    let mut reader = XmlReader::new(text, limits);
    loop {
        match reader.step()? {
            Step::Open(root) => return reader.subtree(root),
            Step::End => return Err(ReadError::damaged("в XML нет ни одного элемента")),
            Step::Text(_) | Step::Close => {}
        }
    }
}

/// White space between the children of an element is indentation; alone in a leaf it is text.
fn drop_layout_space(element: &mut Element) {
    if element.children.iter().any(|node| matches!(node, Node::Element(_))) {
        element.children.retain(|node| match node {
            Node::Element(_) => true,
            Node::Text(text) => !text.trim().is_empty(),
        });
    }
}

fn xml_error(error: &quick_xml::Error) -> ReadError {
    ReadError::damaged(format!("ошибка XML: {error}"))
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::reader::Limits;
    use shared::outcome::Code;

    fn text(xml: &str) -> Result<String, Code> {
        parse(xml, &Limits::default()).map(|root| root.text()).map_err(|error| error.code)
    }

    #[test]
    fn resolves_only_what_xml_itself_defines() {
        assert_eq!(text("<a>1 &lt; 2 &#1046;<b> </b>&nbsp;</a>").unwrap(), "1 < 2 Ж &nbsp;");
        assert_eq!(text("<a><![CDATA[<p>]]></a>").unwrap(), "<p>");
    }

    #[test]
    fn declared_entities_end_the_document() {
        let xml = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
        assert_eq!(text(xml), Err(Code::XmlExternalEntity));
        assert_eq!(text("<!DOCTYPE a><a>да</a>").unwrap(), "да");
    }

    #[test]
    fn cut_and_deep_documents_are_refused() {
        assert_eq!(text("<a><b>текст"), Err(Code::DamagedFile));
        assert_eq!(text(&"<a>".repeat(600)), Err(Code::ArchiveLimits));
        assert_eq!(text("<a></b>"), Err(Code::DamagedFile));
        assert_eq!(text(""), Err(Code::DamagedFile));
    }
}
