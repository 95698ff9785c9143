//! Letters (EML): the text and each attachment become files, as the entries of an archive do. Runs
//! in the child.

use super::ArchiveLimits;
use crate::model::{ArchiveEntry, Message};
use crate::reader::ReadError;
use mail_parser::{Address, MessageParser, MessagePart, MimeHeaders, PartType};
use shared::outcome::Code;
use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;

/// An image inside the text that is smaller is a logo of a signature, no document.
const LOGO_BYTES: usize = 30_000;
/// The longest name of a file made here, in characters.
const MAX_NAME: usize = 120;

/// Unpacks a letter into `folder` and announces each file; a letter within it stays packed.
pub(super) fn unpack(
    bytes: &[u8],
    folder: &Path,
    limits: &ArchiveLimits,
    send: &mut dyn FnMut(Message) -> io::Result<()>,
) -> Result<(), ReadError> {
    let letter = MessageParser::default()
        .parse(bytes)
        .ok_or_else(|| ReadError::damaged("письмо не читается"))?;
    let mut files = Files { folder, limits, send, names: HashSet::new(), left: limits.total_bytes };
    let subject = letter.subject().map(str::trim).filter(|subject| !subject.is_empty());
    let body = body(&letter);
    if !body.is_empty() {
        files.add(&format!("{}.html", subject.unwrap_or("письмо")), body.as_bytes())?;
    }
    for (number, part) in (1..).zip(letter.attachments()) {
        if is_logo(part) {
            continue;
        }
        let name = part.attachment_name().map_or_else(
            || match part.is_message() {
                true => format!("письмо-{number}.eml"),
                false => format!("вложение-{number}"),
            },
            ToOwned::to_owned,
        );
        files.add(&name, part.contents())?;
    }
    Ok(())
}

/// The text of a letter under its head, as a page of HTML.
fn body(letter: &mail_parser::Message<'_>) -> String {
    let mut text = String::new();
    for part in letter.html_bodies() {
        match &part.body {
            PartType::Html(html) => text.push_str(html),
            PartType::Text(plain) => {
                let lines = plain.lines().map(|line| format!("<p>{}</p>\n", escaped(line)));
                text.extend(lines);
            }
            _ => {}
        }
    }
    let head = [
        ("Тема", letter.subject().map(ToOwned::to_owned)),
        ("От", letter.from().map(people)),
        ("Кому", letter.to().map(people)),
        ("Копия", letter.cc().map(people)),
        ("Дата", letter.date().map(mail_parser::DateTime::to_rfc3339)),
    ];
    let head = head.into_iter().filter_map(|(label, value)| Some((label, value?)));
    let head: String =
        head.map(|(label, value)| format!("<p>{label}: {}</p>\n", escaped(&value))).collect();
    if head.is_empty() && text.trim().is_empty() {
        return String::new();
    }
    format!("<!DOCTYPE html>\n<meta charset=\"utf-8\">\n{head}{text}")
}

/// «Иванов <ivanov@example.org>, Петров».
fn people(address: &Address<'_>) -> String {
    let people = address.iter().map(|one| match (one.name(), one.address()) {
        (Some(name), Some(address)) => format!("{name} <{address}>"),
        (name, address) => name.or(address).unwrap_or_default().to_owned(),
    });
    people.collect::<Vec<_>>().join(", ")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn is_logo(part: &MessagePart<'_>) -> bool {
    let is_image = part.content_type().is_some_and(|kind| kind.ctype() == "image");
    is_image && part.content_id().is_some() && part.contents().len() < LOGO_BYTES
}

/// The folder that is filled.
struct Files<'a> {
    folder: &'a Path,
    limits: &'a ArchiveLimits,
    send: &'a mut dyn FnMut(Message) -> io::Result<()>,
    names: HashSet<String>,
    left: u64,
}

impl Files<'_> {
    fn add(&mut self, name: &str, bytes: &[u8]) -> Result<(), ReadError> {
        let too_much = |why: &str| ReadError::new(Code::ArchiveLimits, why);
        let size = bytes.len() as u64;
        if self.names.len() as u64 >= self.limits.entries {
            return Err(too_much("в письме слишком много вложений"));
        }
        if size > self.limits.entry_bytes || size > self.left {
            return Err(too_much("вложения письма слишком велики"));
        }
        self.left -= size;
        let path = self.own_name(name);
        let file = format!("{:06}.bin", self.names.len());
        let own_fault = |error: io::Error| {
            ReadError::new(Code::InternalError, format!("вложение письма не записано: {error}"))
        };
        let target = self.folder.join(&file);
        let mut output =
            OpenOptions::new().write(true).create_new(true).open(target).map_err(own_fault)?;
        output.write_all(bytes).map_err(own_fault)?;
        (self.send)(Message::Entry(ArchiveEntry { path, file, size })).map_err(own_fault)
    }

    /// A file name of one part that no other file of the letter has.
    fn own_name(&mut self, name: &str) -> String {
        let clean: String = name
            .chars()
            .map(|sign| if sign.is_control() || "/\\:".contains(sign) { '_' } else { sign })
            .collect();
        let clean = clean.trim().trim_start_matches(['.', '~']);
        let (stem, end) = match clean.rsplit_once('.') {
            Some((stem, end)) if end.chars().count() <= 10 => (stem, format!(".{end}")),
            _ => (clean, String::new()),
        };
        let stem: String = stem.chars().take(MAX_NAME).collect();
        let stem = if stem.trim().is_empty() { "вложение".to_owned() } else { stem };
        let same = (1..).map(|number| match number {
            1 => format!("{stem}{end}"),
            _ => format!("{stem} ({number}){end}"),
        });
        let mut same = same.skip_while(|name| self.names.contains(name));
        let own = same.next().unwrap_or_default();
        self.names.insert(own.clone());
        own
    }
}

#[cfg(test)]
mod tests {
    use super::unpack;
    use crate::archive::ArchiveLimits;
    use crate::model::Message;
    use shared::outcome::Code;

    /// Names and contents of the files of a letter, or the code of its refusal.
    fn files(letter: &[u8], limits: &ArchiveLimits) -> Result<Vec<(String, String)>, Code> {
        let folder = tempfile::tempdir().unwrap();
        let mut entries = Vec::new();
        let unpacked = unpack(letter, folder.path(), limits, &mut |message| {
            let Message::Entry(entry) = message else { panic!("{message:?}") };
            entries.push(entry);
            Ok(())
        });
        unpacked.map_err(|error| error.code)?;
        let read = |file: &str| std::fs::read(folder.path().join(file)).unwrap();
        let text = |file: &str| String::from_utf8_lossy(&read(file)).into_owned();
        Ok(entries.iter().map(|entry| (entry.path.clone(), text(&entry.file))).collect())
    }

    /// A letter as Russian mail programs write them: base64 of Windows-1251 in the head, an HTML
    /// text with a logo, an attachment with a Russian name, and a letter that is passed on.
    const LETTER: &str = "From: =?windows-1251?B?yOLg7e7i?= <ivanov@example.org>\r\n\
        To: petrov@example.org\r\n\
        Date: Fri, 27 Nov 2026 10:00:00 +0300\r\n\
        Subject: =?UTF-8?B?0JDQutGCINGB0LrRgNGL0YLRi9GFINGA0LDQsdC+0YI=?=\r\n\
        MIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=\"b1\"\r\n\r\n\
        --b1\r\nContent-Type: text/html; charset=windows-1251\r\n\
        Content-Transfer-Encoding: quoted-printable\r\n\r\n\
        <p>=C0=EA=F2 <b>=B9 7</b></p>\r\n\
        --b1\r\nContent-Type: image/png\r\nContent-ID: <logo>\r\nContent-Disposition: inline\r\n\
        Content-Transfer-Encoding: base64\r\n\r\niVBORw0KGgo=\r\n\
        --b1\r\nContent-Type: text/plain; charset=utf-8\r\n\
        Content-Disposition: attachment; filename*=UTF-8''..%2F%D0%B0%D0%BA%D1%82.txt\r\n\r\n\
        first\r\n\
        --b1\r\nContent-Type: text/plain\r\n\
        Content-Disposition: attachment; filename*=UTF-8''..%2F%D0%B0%D0%BA%D1%82.txt\r\n\r\n\
        second\r\n\
        --b1\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nInner text\r\n\
        --b1--\r\n";

    #[test]
    fn a_letter_becomes_its_text_and_its_attachments() {
        let files = files(LETTER.as_bytes(), &ArchiveLimits::default()).unwrap();
        let names: Vec<_> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(
            names,
            ["Акт скрытых работ.html", "_акт.txt", "_акт (2).txt", "письмо-4.eml"],
            "no path leads out, no name comes twice, the logo is no document"
        );
        let text = &files[0].1;
        for part in
            ["Тема: Акт скрытых работ", "От: Иванов &lt;ivanov@example.org&gt;", "Акт <b>№ 7"]
        {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert_eq!((files[1].1.trim(), files[2].1.trim()), ("first", "second"));
        assert!(files[3].1.contains("Inner text"));
    }

    #[test]
    fn attachments_have_limits() {
        let limits = ArchiveLimits { total_bytes: 100, ..ArchiveLimits::default() };
        assert_eq!(files(LETTER.as_bytes(), &limits), Err(Code::ArchiveLimits));
        let limits = ArchiveLimits { entries: 2, ..ArchiveLimits::default() };
        assert_eq!(files(LETTER.as_bytes(), &limits), Err(Code::ArchiveLimits));
    }
}
