use super::{MAX_COMPOUND, unpack};
use crate::archive::ArchiveLimits;
use crate::model::Message;
use encoding_rs::{KOI8_R, WINDOWS_1251};
use shared::outcome::Code;

/// What unpacking told.
#[derive(Debug, Default)]
struct Unpacked {
    files: Vec<(String, Vec<u8>)>,
    warnings: Vec<(Option<Code>, String)>,
}

impl Unpacked {
    fn names(&self) -> Vec<&str> {
        self.files.iter().map(|(name, _)| name.as_str()).collect()
    }

    fn text(&self, index: usize) -> String {
        String::from_utf8_lossy(&self.files[index].1).into_owned()
    }
}

fn unpacked(letter: &[u8], limits: &ArchiveLimits) -> Result<Unpacked, Code> {
    let folder = tempfile::tempdir().unwrap();
    let mut told = Unpacked::default();
    let done = unpack(letter, folder.path(), limits, &mut |message| {
        match message {
            Message::Entry(entry) => {
                let bytes = std::fs::read(folder.path().join(&entry.file)).unwrap();
                assert_eq!(bytes.len() as u64, entry.size);
                told.files.push((entry.path, bytes));
            }
            Message::Warning { code, message } => told.warnings.push((code, message)),
            other => panic!("{other:?}"),
        }
        Ok(())
    });
    done.map(|()| told).map_err(|error| error.code)
}

fn open(letter: impl AsRef<[u8]>) -> Unpacked {
    unpacked(letter.as_ref(), &ArchiveLimits::default()).unwrap()
}

/// A letter of these parts, each with its head.
fn mixed(parts: &[&[u8]]) -> Vec<u8> {
    compound("mixed", parts)
}

fn compound(kind: &str, parts: &[&[u8]]) -> Vec<u8> {
    let head = format!("Subject: T\r\nContent-Type: multipart/{kind}; boundary=b1\r\n\r\n");
    let mut letter = head.into_bytes();
    for part in parts {
        letter.extend([b"--b1\r\n", *part, b"\r\n"].concat());
    }
    letter.extend(b"--b1--\r\n");
    letter
}

/// An attachment in base64 of the three letters «АКТ» (Windows-1251).
fn attachment(kind: &str, name: &str, base64: &str) -> Vec<u8> {
    format!(
        "Content-Type: {kind}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{base64}"
    )
    .into_bytes()
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
    <p>=C0=EA=F2 <b>=B9 7</b><img src=3D\"cid:logo\"></p>\r\n\
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
    let told = open(LETTER);
    assert_eq!(
        told.names(),
        ["Акт скрытых работ.html", "_акт.txt", "_акт (2).txt", "письмо-4.eml"],
        "no path leads out, no name comes twice, the logo is no document"
    );
    let text = told.text(0);
    for part in ["Тема: Акт скрытых работ", "От: Иванов &lt;ivanov@example.org&gt;", "Акт <b>№ 7"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    assert_eq!((told.text(1).as_str(), told.text(2).as_str()), ("first", "second"));
    assert_eq!(told.text(3), "Subject: inner\r\n\r\nInner text");
    assert!(told.warnings.is_empty());
}

#[test]
fn attachments_have_limits() {
    let limits = ArchiveLimits { total_bytes: 100, ..ArchiveLimits::default() };
    assert_eq!(unpacked(LETTER.as_bytes(), &limits).unwrap_err(), Code::ArchiveLimits);
    let limits = ArchiveLimits { entries: 2, ..ArchiveLimits::default() };
    assert_eq!(unpacked(LETTER.as_bytes(), &limits).unwrap_err(), Code::ArchiveLimits);
}

#[test]
fn attachments_keep_their_bytes() {
    let told = open(mixed(&[
        &attachment("text/xml", "a.xml", "wMrS"),
        &attachment("text/csv; charset=us-ascii", "b.csv", "wMrS"),
        &attachment("text/plain; charset=koi8-r", "c.pdf", "JVBERv8="),
        b"Content-Type: text/csv; name=d.csv\r\n\
          Content-Transfer-Encoding: quoted-printable\r\n\r\n=C0=CA=\r\n=D2;1",
        &[b"Content-Type: text/csv; name=e.csv\r\n\r\n", &[0xC0, 0xCA, 0xD2][..]].concat(),
    ]));
    let files: Vec<&[u8]> = told.files[1..].iter().map(|(_, bytes)| bytes.as_slice()).collect();
    assert_eq!(
        files,
        [
            b"\xC0\xCA\xD2".as_slice(),
            b"\xC0\xCA\xD2",
            b"%PDF\xFF",
            b"\xC0\xCA\xD2;1",
            b"\xC0\xCA\xD2"
        ]
    );
}

#[test]
fn text_without_a_known_charset_is_read() {
    let letter = "From: Иванов <i@x.ru>\r\nTo: =?x-ms-cyr?B?z+Xy8OLi?=, =?utf-8?B?0JjQstCw0L0=?=\r\n\
        Subject: Акт скрытых работ\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain\r\n\r\nДобрый день, высылаю акт\r\n\
        --b\r\nContent-Type: text/plain; charset=cp-1251\r\n\r\nчертежи котлована\r\n\
        --b\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\nведомость работ\r\n\
        --b\r\nContent-Type: a/b\r\nContent-Disposition: attachment; filename=\"Схема.pdf\"\r\n\r\n\
        %PDF\r\n--b--\r\n";
    let told = open(WINDOWS_1251.encode(letter).0);
    assert_eq!(told.names(), ["Акт скрытых работ.html", "Схема.pdf"]);
    let text = told.text(0);
    for part in ["От: Иванов &lt;", "высылаю акт", "чертежи котлована", "ведомость работ"]
    {
        assert!(text.contains(part), "{part:?} in {text}");
    }
    let (html, _, _) = KOI8_R.encode("<p>Добрый день, коллеги</p>");
    let told = open([b"Subject: x\r\nContent-Type: text/html\r\n\r\n", &*html].concat());
    assert!(told.text(0).contains("Добрый день, коллеги"), "{}", told.text(0));
}

#[test]
fn words_of_the_head_in_no_known_charset_are_read() {
    let subject = |line: &str| open(format!("Subject: {line}\r\n\r\ntext")).files.remove(0).0;
    assert_eq!(
        subject("=?ms-cyr?B?wOryIPHq8Pvy+/U=?= =?ms-cyr?Q?_=F0=E0=E1=EE=F2?= 5"),
        "Акт скрытых работ 5.html"
    );
    // «Акт» cut within the letter «к».
    assert_eq!(subject("=?utf-8?B?0JDQ?= =?utf-8?B?utGC?="), "Акт.html");
    assert_eq!(subject("=?utf-8?B?0JDQutGC?= =?no word"), "Акт =?no word.html");
    let told = open("From: =?x-cyr?B?yOLg7e7iLCDI4uDt?= <i@x>, b@x\r\n\r\ntext");
    assert!(told.text(0).contains("От: Иванов, Иван &lt;i@x&gt;, b@x"), "{}", told.text(0));
}

#[test]
fn what_is_left_of_a_spoilt_attachment_is_kept_and_told() {
    let part = attachment("application/pdf", "a.pdf", "JVBERi0xLjQgeHh4\r\neHh4e");
    let whole = mixed(&[&part]);
    let cut = &whole[..whole.len() - b"\r\n--b1--\r\n".len()];
    let told = open(cut);
    assert_eq!(told.files[1].1, b"%PDF-1.4 xxxxxx");
    assert_eq!(told.warnings[0].0, Some(Code::DamagedFile));
    assert!(told.warnings[0].1.contains("a.pdf"));

    let told = open(mixed(&[&attachment("application/pdf", "a.pdf", "JVBE!!Ri0x\r\n")]));
    assert_eq!((told.files[1].1.as_slice(), told.warnings.len()), (b"%PDF-1".as_slice(), 1));
    let told = open(mixed(&[&attachment("application/pdf", "a.pdf", "!?")]));
    assert_eq!((told.files.len(), told.warnings.len()), (1, 1), "nothing is left");
}

#[test]
fn what_programs_put_before_a_letter_is_passed_over() {
    for before in ["\u{feff}", "\r\n\r\n", "From i@x.ru Fri Nov 27 10:00:00 2026\r\n"] {
        let told = open([before.as_bytes(), LETTER.as_bytes()].concat());
        assert_eq!(told.files.len(), 4, "{before:?}");
        assert!(told.text(0).contains("От: Иванов"), "{before:?}");
    }
}

#[test]
fn an_empty_html_alternative_does_not_hide_the_text() {
    let plain = b"Content-Type: text/plain; charset=utf-8\r\n\r\nThe whole text".as_slice();
    let html = "Content-Type: text/html; charset=utf-8\r\n\r\n<html><head><title>x</title>\
        <style>p > a {color: red}</style></head><body>&nbsp;<!-- x --></body></html>";
    let told = open(compound("alternative", &[plain, html.as_bytes()]));
    assert!(told.text(0).contains("The whole text"));
    let html = b"Content-Type: text/html; charset=utf-8\r\n\r\n<p>In HTML</p>".as_slice();
    let told = open(compound("alternative", &[plain, html]));
    assert!(!told.text(0).contains("The whole text") && told.text(0).contains("In HTML"));
}

#[test]
fn only_images_within_the_text_are_logos() {
    let image = |id: &str, rest: &str| {
        format!("Content-Type: image/png; name={id}.png\r\nContent-ID: <{id}>\r\n{rest}\r\nPNG")
    };
    let told = open(compound(
        "related",
        &[
            b"Content-Type: text/html\r\n\r\n<p>Scheme<img src='cid:logo'><img src='cid:plan'>",
            image("logo", "").as_bytes(),
            image("photo", "").as_bytes(),
            image("plan", "Content-Disposition: attachment\r\n").as_bytes(),
        ],
    ));
    assert_eq!(told.names(), ["T.html", "photo.png", "plan.png"]);
}

#[test]
fn a_saved_web_page_is_its_text() {
    let told = open(compound(
        "related",
        &[
            b"Content-Type: text/html; name=a.htm\r\nContent-Location: https://x/\r\n\r\n<p>Page",
            b"Content-Type: image/png\r\nContent-Location: https://x/a.png\r\n\r\nPNG",
            b"Content-Type: text/css\r\nContent-Location: https://x/a.css\r\n\r\np {}",
            b"Content-Type: application/javascript\r\nContent-Location: x.js\r\n\r\n0",
        ],
    ));
    assert_eq!(told.names(), ["T.html"]);
    assert!(told.text(0).contains("<p>Page"));
}

#[test]
fn signatures_are_left_out_and_sealed_parts_are_told() {
    let told = open(mixed(&[
        b"Content-Type: text/plain\r\n\r\nText",
        &attachment("application/pkcs7-signature", "s.bin", "MIIB"),
        &attachment("application/pgp-signature", "s.asc", "MIIB"),
        &attachment("application/octet-stream", "smime.P7S", "MIIB"),
        &attachment("application/octet-stream", "Akt.pdf.sig", "MIIB"),
        &attachment("application/octet-stream", "alone.pdf.sig", "MIIB"),
        &attachment("application/pdf", "akt.PDF", "MIIB"),
        &attachment("application/x-pkcs7-mime", "smime.p7m", "MIIB"),
        &attachment("application/octet-stream", "winmail.dat", "eJ8+"),
    ]));
    assert_eq!(told.names(), ["T.html", "alone.pdf.sig", "akt.PDF"]);
    assert_eq!(told.warnings.len(), 2);
    for ((code, message), reason) in told.warnings.iter().zip(["S/MIME", "TNEF"]) {
        assert_eq!(*code, Some(Code::UnsupportedFormat));
        assert!(message.contains(reason), "{message}");
    }
}

#[test]
fn lines_that_a_program_broke_are_joined() {
    let text = |letter: &str| {
        let told = open(format!("Content-Type: text/plain; charset=utf-8{letter}"));
        told.text(0).lines().skip(2).collect::<Vec<_>>().join("\n")
    };
    let long = "Высылаем вам исполнительную документацию по котловану секции";
    assert_eq!(
        text(&format!(
            "\r\n\r\nДобрый день!\r\n\r\n\r\n{long}\r\nномер пять.\r\n{long}\r\n1) акт\r\n- схема\r\n\
             > {long}\r\n> было\r\n\r\nИванов\r\n+7 900"
        )),
        format!(
            "<p>Добрый день!</p>\n<p>{long} номер пять.</p>\n<p>{long}</p>\n<p>1) акт</p>\n\
             <p>- схема</p>\n<p>&gt; {long}</p>\n<p>&gt; было</p>\n<p>Иванов</p>\n<p>+7 900</p>"
        )
    );
    assert_eq!(
        text("; format=flowed\r\n\r\nВысылаем \r\nакт.\r\n-- \r\nИванов"),
        "<p>Высылаем акт.</p>\n<p>--</p>\n<p>Иванов</p>"
    );
    assert!(text(&format!("\r\n\r\na{}", "\n".repeat(1000))).len() < 20);
}

#[test]
fn all_receivers_are_kept() {
    let told = open("To: Dept: a@x, \"P, I\" <p@x>;\r\nTo: b@x\r\nCc: c@x\r\nCc: d@x\r\n\r\ntext");
    let text = told.text(0);
    assert!(text.contains("Кому: a@x, P, I &lt;p@x&gt;, b@x</p>"), "{text}");
    assert!(text.contains("Копия: c@x, d@x</p>"), "{text}");
}

#[test]
fn hostile_letters_cost_little() {
    let began = std::time::Instant::now();
    let part = b"Content-Type: a/b; name=a.pdf\r\n\r\nx".as_slice();
    let told = open(mixed(&vec![part; 5_000]));
    assert_eq!(told.names()[1..3], ["a.pdf", "a (2).pdf"]);
    assert_eq!(told.names()[5_000], "a (5000).pdf");

    let part = b"Content-Type: multipart/mixed;\r\n\tBoundary*0 = zz\r\n\r\nx".as_slice();
    let refused = unpacked(&mixed(&vec![part; MAX_COMPOUND]), &ArchiveLimits::default());
    assert_eq!(refused.unwrap_err(), Code::ArchiveLimits);
    open(mixed(&vec![part; MAX_COMPOUND - 1]));
    open(format!("Subject: \u{fffd}{}\r\n\r\nx", "=?a?q?".repeat(100_000)));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}

#[test]
fn names_show_all_their_signs() {
    let name = |given: &str| {
        let part = format!("Content-Disposition: attachment; filename=\"{given}\"\r\n\r\nx");
        open(mixed(&[part.as_bytes()])).files.remove(1).0
    };
    assert_eq!(name("act\u{202e}fdp.exe"), "actfdp.exe");
    assert_eq!(name("\u{feff}a\u{200b}\u{2066}b\u{2069}.pdf"), "ab.pdf");
    assert_eq!(name("\u{202e}..pdf"), "pdf");
    assert_eq!(name(r"C:\\temp\\x.pdf"), "x.pdf", "a path");
    assert_eq!(name("Akt 5/7.pdf"), "Akt 5_7.pdf", "a number");
}

#[test]
fn a_letter_that_is_passed_on_is_named_as_one() {
    let part = b"Content-Type: message/rfc822; name=\"Fwd 5.10\"\r\n\r\nSubject: inner\r\n\r\nText";
    let told = open(mixed(&[part]));
    assert_eq!(told.names(), ["T.html", "Fwd 5.10.eml"]);
}

#[test]
fn a_text_with_a_file_name_is_a_file() {
    let told = open(mixed(&[
        b"Content-Type: text/html\r\n\r\n<p>Text",
        b"Content-Type: text/plain\r\n\r\nFooter",
        b"Content-Type: image/png\r\n\r\nPNG",
        b"Content-Type: text/plain\r\nContent-Disposition: inline; filename=a.csv\r\n\r\na;b",
        b"Content-Type: text/html; name=b.html\r\n\r\n<p>b",
    ]));
    assert_eq!(told.names(), ["T.html", "вложение-1", "a.csv", "b.html"]);
    let text = told.text(0);
    assert!(text.contains("Footer") && !text.contains("a;b") && !text.contains("<p>b"), "{text}");
    assert_eq!(told.text(2), "a;b");
}

#[test]
fn other_formats_of_the_text_are_no_files() {
    let plain = b"Content-Type: text/plain\r\n\r\nText".as_slice();
    let rich = b"Content-Type: text/enriched\r\n\r\n<bold>Text</bold>".as_slice();
    let named = b"Content-Type: text/csv; name=a.csv\r\n\r\na;b".as_slice();
    let meeting = b"Content-Type: text/calendar\r\n\r\nBEGIN:VCALENDAR".as_slice();
    let told = open(compound("alternative", &[plain, rich, named, meeting]));
    assert_eq!(told.names(), ["T.html", "a.csv", "встреча.ics"]);
    let told = open(compound("alternative", &[rich]));
    assert_eq!(told.names(), ["T.html", "вложение-1"], "there is no other text");
    let html = b"Content-Type: text/html\r\n\r\n<p>More".as_slice();
    let whole = compound("alternative", &[plain, html]);
    let told = open(&whole[..whole.len() - b"\r\n--b1--\r\n".len()]);
    assert_eq!(told.names(), ["T.html", "вложение-1"], "it is cut off");
}

#[test]
fn a_letter_that_is_text_without_a_subtype_is_its_text() {
    let told = open("Subject: T\r\nContent-Type: text\r\n\r\nWhole text");
    assert_eq!(told.names(), ["T.html"]);
    assert!(told.text(0).contains("<p>Whole text"));
}

#[test]
fn text_in_a_charset_that_only_the_letter_names_becomes_utf8() {
    // «Акт», and a PDF that is called text.
    let told = open(mixed(&[
        &attachment("text/plain; charset=iso-8859-5", "a.txt", "sNri"),
        &attachment("text/csv; charset=x-mac-cyrillic", "b.csv", "gOry"),
        &attachment("text/plain; charset=iso-8859-5", "c.pdf", "JVBERi3/"),
        &attachment("application/x; charset=iso-8859-5", "d.txt", "sNri"),
    ]));
    assert_eq!((told.text(1).as_str(), told.text(2).as_str()), ("Акт", "Акт"));
    assert_eq!((&*told.files[3].1, &*told.files[4].1), (&b"%PDF-\xFF"[..], &b"\xB0\xDA\xE2"[..]));
}

#[test]
fn files_within_the_text_are_taken_out() {
    let head = "Subject: T\r\n\r\nhi\r\nbegin 644 C:\\a.txt\r\n#0V%T\r\n";
    let told = open(format!("{head}`\r\nend\r\nbye"));
    assert_eq!((told.names(), told.text(1).as_str()), (vec!["T.html", "a.txt"], "Cat"));
    assert!(told.text(0).ends_with("<p>hi</p>\n<p>bye</p>\n"), "{}", told.text(0));
    assert!(told.warnings.is_empty());
    assert_eq!(open(head).warnings[0].0, Some(Code::DamagedFile), "the end is missing");
    let limits = ArchiveLimits { entries: 1, ..ArchiveLimits::default() };
    assert_eq!(unpacked(head.as_bytes(), &limits).unwrap_err(), Code::ArchiveLimits);
}
