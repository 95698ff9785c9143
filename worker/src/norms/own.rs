//! The norm or act that a document itself is, kept apart from those it cites.

use super::fold::fold;
use super::{Designation, Mention, find, letterhead};
use crate::rules::{Rules, Topic};
use crate::title_page::{Line, TitlePage};
use std::collections::BTreeSet;

/// Where a document names itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Only the file name.
    FileName,
    /// «Утверждён постановлением …» on the title page.
    Approval,
    /// A running header or footer.
    Furniture,
    /// A line of the title page, or the letterhead.
    Title,
}

/// A document's own designation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Own {
    /// What the document is.
    pub designation: Designation,
    /// Number of the amendment, when the document is «Изменение № N к …» that norm.
    pub amendment: Option<String>,
    /// The strongest place that says so.
    pub place: Place,
    /// The page of that place; `None` for the file name.
    pub page: Option<u32>,
}

struct Candidate {
    own: Own,
    weight: f64,
}

/// Table rows of a title page that begin with as many different norms are a list of norms.
const ROWS_OF_A_LIST: usize = 3;

/// Finds the document's own norm or act; `None` when it names none.
pub fn own(rules: &Rules, page: &TitlePage, file_name: &str) -> Option<Own> {
    let topic = rules.topic("title_page");
    let mut candidates = Vec::new();
    title_lines(rules, topic, page, &mut candidates);
    for (line, pages) in &page.furniture {
        let weight = if *pages > 1 { 6.0 } else { 4.5 };
        let at = Some(line.page);
        candidates.extend(of_line(rules, topic, &line.text, Place::Furniture, at, weight));
    }
    if let Some(mention) = approval(rules, topic, page) {
        let first = page.title.first().map(|line| line.page);
        candidates.push(candidate(mention.designation, None, Place::Approval, first, 4.0));
    }
    let name = stem(file_name);
    if let Some(mention) = find(rules, &name).into_iter().next()
        && name.get(..mention.span.start).is_some_and(|lead| lead.trim().is_empty())
    {
        candidates.push(candidate(mention.designation, None, Place::FileName, None, 4.0));
    }
    let mut own = strongest(&candidates)?;
    if page.recognised {
        own = spelled_by_name(own, &candidates);
    }
    Some(own)
}

/// Recognition confuses digits; a file name that names the same norm with its year is surer.
fn spelled_by_name(own: Own, candidates: &[Candidate]) -> Own {
    let named = candidates.iter().find(|other| {
        let other = &other.own;
        other.place == Place::FileName
            && other.designation.id == own.designation.id
            && other.designation.edition.is_some()
    });
    match named {
        Some(named) => Own { designation: named.own.designation.clone(), ..own },
        None => own,
    }
}

/// A file name as a person reads it: without its extension, with spaces for underscores.
pub fn stem(file_name: &str) -> String {
    let base = file_name.rsplit(['/', '\\']).next().unwrap_or(file_name);
    let stem = match base.rsplit_once('.') {
        Some((stem, extension)) if (2..=4).contains(&extension.len()) && !stem.is_empty() => stem,
        _ => base,
    };
    stem.replace('_', " ").trim().to_owned()
}

fn title_lines(rules: &Rules, topic: &Topic, page: &TitlePage, candidates: &mut Vec<Candidate>) {
    let texts: Vec<String> = page.title.iter().map(|line| line.text.clone()).collect();
    let first = page.title.first().map(|line| line.page);
    if let Some(act) = letterhead(rules, &texts) {
        candidates.push(candidate(act, None, Place::Title, first, 10.0));
    }
    let follows = topic.rule("other_norm_follows");
    let mut previous: Option<&Line> = None;
    let mut rows = Vec::new();
    for (index, line) in page.title.iter().enumerate() {
        let other = previous.is_some_and(|line| follows.is_match(&line.folded));
        previous = Some(line);
        if !other {
            // Higher on the page is surer.
            let weight = 10.0 - 0.1 * index as f64;
            let place = Place::Title;
            let found = of_line(rules, topic, &line.text, place, Some(line.page), weight);
            if line.text.contains('\t') { &mut rows } else { &mut *candidates }.extend(found);
        }
    }
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.own.designation.id.as_str()).collect();
    if listed.len() < ROWS_OF_A_LIST {
        candidates.append(&mut rows);
    }
}

/// A line that begins with a designation.
fn of_line(
    rules: &Rules,
    topic: &Topic,
    line: &str,
    place: Place,
    page: Option<u32>,
    weight: f64,
) -> Option<Candidate> {
    let mention = find(rules, line).into_iter().next()?;
    let lead = Lead::of(line, &mention);
    // «ВСН» in one cell and «456» in the next one are no designation.
    let one_cell = !line.get(mention.span.clone()).is_some_and(|text| text.contains('\t'));
    if !one_cell || !topic.rule("own_lead").is_match(lead.0.as_str()) {
        return None;
    }
    let amendment = topic
        .rule("amendment")
        .captures(&fold(line))
        .and_then(|captures| Some(captures.name("number")?.as_str().to_owned()));
    Some(candidate(mention.designation, amendment, place, page, weight))
}

/// The folded text before a mention; its trailing space is kept as one.
struct Lead(String);

impl Lead {
    fn of(line: &str, mention: &Mention) -> Lead {
        let before = line.get(..mention.span.start).unwrap_or("");
        let folded = fold(before);
        let space = !folded.is_empty() && before.ends_with(char::is_whitespace);
        Lead(if space { format!("{folded} ") } else { folded })
    }
}

fn approval(rules: &Rules, topic: &Topic, page: &TitlePage) -> Option<Mention> {
    let lines: Vec<&str> = page.title.iter().map(|line| line.text.as_str()).collect();
    let text = lines.join(" ");
    find(rules, &text).into_iter().find(|mention| {
        let act = matches!(mention.designation.kind.as_str(), "decree" | "order");
        act && topic.rule("approved_by").is_match(&Lead::of(&text, mention).0)
    })
}

fn candidate(
    designation: Designation,
    amendment: Option<String>,
    place: Place,
    page: Option<u32>,
    weight: f64,
) -> Candidate {
    Candidate { own: Own { designation, amendment, place, page }, weight }
}

/// Candidates that name the same norm support each other; the best place gives the spelling.
fn strongest(candidates: &[Candidate]) -> Option<Own> {
    let support = |id: &str| -> f64 {
        let same = candidates.iter().filter(|other| other.own.designation.id == id);
        same.map(|other| other.weight).fold(0.0, f64::max)
            + candidates.iter().filter(|other| other.own.designation.id == id).count() as f64
    };
    let best = candidates.iter().max_by(|left, right| {
        support(&left.own.designation.id)
            .total_cmp(&support(&right.own.designation.id))
            .then(
                left.own
                    .designation
                    .edition
                    .is_some()
                    .cmp(&right.own.designation.edition.is_some()),
            )
            .then(left.weight.total_cmp(&right.weight))
    })?;
    Some(best.own.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extracted::Extracted;
    use extractor::model::{Block, BlockKind, Format, Page};

    fn check(lines: &[&str], file_name: &str, expected: Option<&str>) {
        let blocks = lines.iter().map(|line| Block::new(BlockKind::Paragraph, *line)).collect();
        let extracted = Extracted {
            format: Format::Docx,
            pages: vec![Page { number: 1, blocks, ..Page::default() }],
            page_count: 1,
            properties: Default::default(),
            warnings: Vec::new(),
        };
        let page = TitlePage::read(Rules::shipped(), &extracted);
        let found = own(Rules::shipped(), &page, file_name);
        let text = found.as_ref().map(|own| own.designation.text.as_str());
        assert_eq!(text, expected, "{lines:?}");
    }

    #[test]
    fn the_title_page_wins_over_what_it_replaces() {
        let lines = [
            "СВОД ПРАВИЛ",
            "СП 999.13330.2031",
            "КРОВЛИ",
            "Актуализированная редакция",
            "СНиП 9.01.02-88",
        ];
        check(&lines, "кровли.docx", Some("СП 999.13330.2031"));
    }

    #[test]
    fn acts_from_letterhead_line_and_approval() {
        let lines =
            ["МИНИСТЕРСТВО ТРАНСПОРТА РОССИЙСКОЙ ФЕДЕРАЦИИ", "ПРИКАЗ", "от 7 мая 2031 г. № 12/пр"];
        check(&lines, "x.docx", Some("Приказ Минтранса России от 07.05.2031 № 12/пр"));
        check(
            &[
                "Утверждены\nпостановлением Правительства\nРеспублики Казахстан\nот 3 мая 2031 года № 77",
            ],
            "правила.docx",
            Some("Постановление Правительства РК от 03.05.2031 № 77"),
        );
    }

    #[test]
    fn a_cited_norm_is_not_the_document() {
        check(
            &["ПРОЕКТ ПРОИЗВОДСТВА РАБОТ", "Разработан в соответствии с СП 48.13330.2019"],
            "ППР.docx",
            None,
        );
        check(&["ПРОЕКТ", "разработан согласно", "СП 48.13330.2019"], "ППР.docx", None);
    }

    #[test]
    fn a_list_of_norms_is_none_of_them() {
        let rows = [
            "Обозначение\tДата введения",
            "ГОСТ 9.801-92 Бумага\t01.01.1993",
            "ГОСТ 9.802-2031 Картон\t01.07.2031",
            "ГОСТ 9.803-85 Клей\t01.01.1986",
        ];
        check(&rows, "список.html", None);
        check(&["Тип документа\tЧисло", "ВСН\t456"], "виды.html", None);
        check(&["СП 999.13330.2031\tКРОВЛИ"], "x.docx", Some("СП 999.13330.2031"));
    }

    #[test]
    fn the_file_name_corrects_a_misread_year() {
        let page = TitlePage {
            title: vec![Line { text: "СП 999.13330.2037".to_owned(), ..Line::default() }],
            recognised: true,
            ..TitlePage::default()
        };
        let own = |name: &str| own(Rules::shipped(), &page, name).unwrap().designation.text;
        assert_eq!(own("СП 999.13330.2031 скан.pdf"), "СП 999.13330.2031");
        assert_eq!(own("скан.pdf"), "СП 999.13330.2037");
    }

    #[test]
    fn the_file_name_helps_when_the_text_is_silent() {
        check(
            &["Земляные сооружения"],
            "СП_999.13330.2031 Земляные.docx",
            Some("СП 999.13330.2031"),
        );
        check(&["Земляные сооружения"], "ППР по СП 45.13330.docx", None);
    }
}
