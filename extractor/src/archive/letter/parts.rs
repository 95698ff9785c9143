//! Which parts of a letter are its text, and which are files.

use super::{contents, head, is_attached, type_of};
use mail_parser::{HeaderName, Message, MessagePart, MimeHeaders, PartType};
use std::collections::BTreeSet;

/// The parts of a letter by their use.
pub(super) struct Parts<'a> {
    /// The text, in HTML where there is such.
    pub(super) html: Vec<&'a MessagePart<'a>>,
    /// The same text, in the plain alternative where there is such.
    pub(super) plain: Vec<&'a MessagePart<'a>>,
    /// The files, each with its name.
    pub(super) files: Vec<(String, &'a MessagePart<'a>)>,
}

impl<'a> Parts<'a> {
    pub(super) fn of(bytes: &[u8], letter: &'a Message<'a>) -> Parts<'a> {
        let part = |id: &u32| letter.parts.get(*id as usize);
        let has_name = |id: &u32| part(id).is_some_and(|part| given_name(bytes, part).is_some());
        // To the library images that are shown between the texts are of the body, too.
        let is_read = |id: &&u32| part(id).is_some_and(MessagePart::is_text);
        let shown = letter.html_body.iter().chain(&letter.text_body).filter(is_read);
        // The library takes an inline text for a part of the body even when it is a file. A saved
        // web page has a name at times.
        let is_file = |id: &&u32| {
            has_name(id) && part(id).is_some_and(|part| part.content_location().is_none())
        };
        let (named, mut body): (BTreeSet<u32>, BTreeSet<u32>) = shown.partition(is_file);
        let mut html = letter.html_body.clone();
        let mut plain = letter.text_body.clone();
        if letter.parts.first().is_some_and(is_text) && !has_name(&0) && body.insert(0) {
            // «Content-Type: text», which old programs write.
            (html, plain) = (vec![0], vec![0]);
        }
        let copies = copies(letter, &body);
        let attached = letter.attachments.iter().copied().filter(|id| !body.contains(id));
        let files: BTreeSet<u32> = attached.chain(named).collect();
        let files = files.iter().filter(|id| !copies.contains(id) || has_name(id));
        let of_body =
            |ids: &[u32]| ids.iter().filter(|id| body.contains(id)).filter_map(part).collect();
        Parts {
            html: of_body(&html),
            plain: of_body(&plain),
            files: (1..)
                .zip(files.filter_map(part))
                .map(|(number, part)| (name_of(bytes, part, number), part))
                .collect(),
        }
    }
}

/// Whether a part is text and not cut off.
fn is_text(part: &MessagePart<'_>) -> bool {
    let (kind, subtype) = type_of(part);
    kind == "text" && subtype != "calendar" && !contents::is_spoilt(part)
}

/// Parts that hold the text of the body once more, in a format such as text/enriched.
fn copies(letter: &Message<'_>, body: &BTreeSet<u32>) -> BTreeSet<u32> {
    let part = |id: &u32| letter.parts.get(*id as usize);
    let is_copy = |id: &u32| {
        // An HTML text that is cut off is none of the body, and may say more than the plain one.
        let is_other = |part| is_text(part) && !is_attached(part) && !part.is_encoding_problem;
        part(id).is_some_and(is_other) && !body.contains(id)
    };
    let is_shown = |id: &u32| {
        body.contains(id)
            || part(id).is_some_and(|part| matches!(part.body, PartType::Multipart(_)))
    };
    let compounds =
        letter.parts.iter().filter(|part| type_of(part) == ("multipart", "alternative"));
    let alternatives = compounds.filter_map(|part| match &part.body {
        PartType::Multipart(ids) if ids.iter().any(is_shown) => Some(ids),
        _ => None,
    });
    alternatives.flatten().copied().filter(is_copy).collect()
}

/// The name that the sender gave to a part. Of a path only its end is the name; a slash stays, as
/// it may be that of a document's number.
fn given_name(letter: &[u8], part: &MessagePart<'_>) -> Option<String> {
    let attribute = |header, name| {
        let values = head::values(letter, &part.headers, &header, |line| line.parse_content_type());
        values.first()?.as_content_type()?.attribute(name).map(ToOwned::to_owned)
    };
    let name = attribute(HeaderName::ContentDisposition, "filename")
        .or_else(|| attribute(HeaderName::ContentType, "name"))?;
    Some(end_of_path(&name).to_owned())
}

/// «x.pdf» of «C:\temp\x.pdf».
pub(super) fn end_of_path(name: &str) -> &str {
    name.rsplit('\\').next().unwrap_or(name)
}

/// The name that the sender gave to an attachment, or one by its number.
fn name_of(letter: &[u8], part: &MessagePart<'_>, number: usize) -> String {
    // By this extension a letter is told even when it has a poor head.
    let is_letter = part.is_message();
    match given_name(letter, part) {
        Some(name) if is_letter && !super::ends_with(&name, ".eml") => format!("{name}.eml"),
        Some(name) => name,
        None if is_letter => format!("письмо-{number}.eml"),
        None if type_of(part) == ("text", "calendar") => "встреча.ics".to_owned(),
        None => format!("вложение-{number}"),
    }
}
