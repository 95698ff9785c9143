//! Lines of one region become paragraphs.

use super::geometry::Area;
use super::hyphens::{self, Hyphens};
use super::lines::Line;
use super::patterns;

/// Lines that belong together, joined.
#[derive(Clone, Debug)]
pub(crate) struct Paragraph {
    pub(crate) text: String,
    pub(crate) area: Area,
    pub(crate) size: f32,
    pub(crate) bold: bool,
    pub(crate) centered: bool,
    pub(crate) lines: usize,
    /// Ends before the right margin.
    pub(crate) short: bool,
}

/// Where text begins and ends on a page.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Margins {
    pub(crate) left: f32,
    pub(crate) right: f32,
    /// Where many lines begin: the margin and the indents of paragraphs and lists.
    pub(crate) starts: Vec<f32>,
}

impl Margins {
    /// The margins that the lines of a page show; `None` when they are too few.
    pub(crate) fn of(lines: &[Line]) -> Option<Margins> {
        if !(15..=3000).contains(&lines.len()) {
            return None;
        }
        let (starts, ends) = edges(lines);
        let needed = (lines.len() / 12).max(3);
        let mut common: Vec<f32> = Vec::new();
        for start in &starts {
            let alike = starts.iter().filter(|other| (**other - start).abs() <= 1.0).count();
            if alike >= needed && common.last().is_none_or(|last| start - last > 1.0) {
                common.push(*start);
            }
        }
        Some(Margins { left: at(&starts, 0.05), right: at(&ends, 0.95), starts: common })
    }
}

/// The left and right ends of lines, sorted.
fn edges(lines: &[Line]) -> (Vec<f32>, Vec<f32>) {
    let mut starts: Vec<f32> = lines.iter().map(Line::x0).collect();
    let mut ends: Vec<f32> = lines.iter().map(Line::x1).collect();
    starts.sort_by(f32::total_cmp);
    ends.sort_by(f32::total_cmp);
    (starts, ends)
}

/// The value at a share of sorted values.
fn at(sorted: &[f32], share: f32) -> f32 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f32 * share).round() as usize).copied().unwrap_or_default()
}

/// The margins and the line distance of a region.
#[derive(Clone, Debug)]
struct Measure {
    left: f32,
    right: f32,
    pitch: f32,
    starts: Vec<f32>,
    /// Paragraphs begin with an indent.
    indents: bool,
}

impl Measure {
    fn of(region: &[Line]) -> Measure {
        let (starts, ends) = edges(region);
        // A single line that sticks out to the left or right must not set the margin.
        let (left, right) = if region.len() >= 8 {
            (at(&starts, 0.04), at(&ends, 0.96))
        } else {
            (at(&starts, 0.0), at(&ends, 1.0))
        };
        let mut steps: Vec<f32> = region
            .windows(2)
            .filter_map(|pair| {
                let [above, below] = pair else { return None };
                let step = below.baseline - above.baseline;
                (step > 0.5 * below.size && step < 3.0 * below.size).then_some(step)
            })
            .collect();
        steps.sort_by(f32::total_cmp);
        let size = region.first().map_or(10.0, |line| line.size);
        // The lower half: distances between paragraphs are larger, those inside them are equal.
        let pitch = if steps.is_empty() { 1.2 * size } else { at(&steps, 0.4) };
        let common = Margins::of(region).map(|margins| margins.starts).unwrap_or_default();
        Measure { left, right, pitch, starts: common, indents: false }
    }

    fn width(&self) -> f32 {
        (self.right - self.left).max(1.0)
    }

    /// Both margins are wide and equal, and it is not an indent that makes them so.
    fn centers(&self, line: &Line) -> bool {
        let (before, after) = (line.x0() - self.left, self.right - line.x1());
        before > 1.2 * line.size
            && after > 0.6 * line.size
            && self.is_middle(line)
            && !self.starts.iter().any(|start| (start - line.x0()).abs() <= 1.0)
    }

    /// Its middle is that of the column; long lines of a centred title reach both margins.
    fn is_middle(&self, line: &Line) -> bool {
        self.is_middle_after(line, 0.0)
    }

    fn is_middle_after(&self, line: &Line, indent: f32) -> bool {
        let (before, after) = (line.x0() - self.left - indent, self.right - line.x1());
        (before - after).abs() <= 0.03 * self.width() + 3.0
    }

    /// The first line of a centred title; programs that indent the first line of paragraphs
    /// centre it between the indent and the right margin.
    fn begins_centered(&self, line: &Line) -> bool {
        let mut indents =
            self.starts.iter().map(|start| start - self.left).filter(|indent| *indent > 8.0);
        self.is_middle(line) || indents.any(|indent| self.is_middle_after(line, indent))
    }

    /// Whether the first word of the next line would still have fitted: then the line was ended
    /// on purpose.
    fn had_room(&self, line: &Line, next: &Line) -> bool {
        let word = next.words.first().map_or(0.0, |word| word.x1 - word.x0);
        let room = if self.begins_centered(line) && self.centers(next) {
            // The indent of the first line, if any, is not room; it is 0 on later lines.
            let shift = (line.x0() - self.left) - (self.right - line.x1());
            self.width() - (line.x1() - line.x0()) - shift.max(0.0)
        } else {
            self.right - line.x1()
        };
        word + 0.3 * line.size < room - 0.6 * line.size
    }
}

/// Joins the lines of a region into paragraphs. `page` gives the margins when the region has too
/// few lines to show them.
pub(crate) fn paragraphs(
    region: &[Line],
    page: Option<&Margins>,
    hyphens: &Hyphens,
) -> Vec<Paragraph> {
    let mut measure = Measure::of(region);
    if let Some(page) = page {
        if region.len() < 8 {
            measure.left = measure.left.min(page.left);
        }
        // A ragged column may lack a full line; a narrow one has its own margin.
        if region.len() < 8 || page.right - measure.right < 0.15 * measure.width() {
            measure.right = measure.right.max(page.right);
        }
        measure.starts.extend(&page.starts);
    }
    let indented = |start: &f32| start - measure.left > 8.0 && start - measure.left < 60.0;
    measure.indents = measure.starts.iter().any(indented);
    let mut paragraphs = Vec::new();
    let mut open: Vec<&Line> = Vec::new();
    let measure = measure;
    for line in region {
        if open.last().is_some_and(|last| !continues(&measure, &open, last, line)) {
            paragraphs.extend(paragraph(&measure, &open, hyphens));
            open.clear();
        }
        open.push(line);
    }
    paragraphs.extend(paragraph(&measure, &open, hyphens));
    paragraphs
}

fn continues(measure: &Measure, open: &[&Line], last: &Line, line: &Line) -> bool {
    let step = line.baseline - last.baseline;
    if step <= 0.3 * last.size {
        return true;
    }
    let scale = (line.size.max(last.size) / line.size.min(last.size).max(0.1)).max(1.0);
    if scale > 1.12 || step > 1.35 * measure.pitch.max(1.05 * line.size) {
        return false;
    }
    let (before, text) = (last.text(), line.text());
    let had_room = measure.had_room(last, line);
    let ended = before.ends_with(['.', ';', ':', '!', '?']) && !is_cue(&before);
    let lower = text.chars().next().is_some_and(char::is_lowercase);
    let (centered, next_centered) = (measure.centers(last), measure.centers(line));
    if last.is_bold() != line.is_bold() && !(lower && !had_room && !ended) {
        return false;
    }
    if patterns::leader(&before).is_some() {
        return false;
    }
    let titled = last.is_bold() || open.iter().all(|line| measure.centers(line));
    if next_centered && measure.begins_centered(last) && titled {
        return !had_room && !patterns::starts_section(&text);
    }
    if centered != next_centered && open.iter().all(|line| measure.centers(line)) && had_room {
        return false;
    }
    let indent = line.x0() - measure.left;
    let em = line.size;
    let body_start = open.get(1).map_or(measure.left, |second| second.x0());
    let indented = indent > 0.7 * em && line.x0() > body_start + 0.5 * em;
    let starts = patterns::starts_item(&text)
        || patterns::starts_clause(&text)
        || patterns::starts_caption(&text);
    if starts && (had_room || ended || indented || !(measure.indents || is_cue(&before))) {
        return false;
    }
    if !starts && lower && !ended && !had_room {
        return true;
    }
    // «Раздел 2», «3 Термины» inside a sentence begin a line by chance.
    let titled = patterns::starts_section(&text) && !lower;
    let parallel = open.first().is_some_and(|first| {
        let first = first.text();
        patterns::starts_section(&first)
            && patterns::starts_part(&first) == patterns::starts_part(&text)
    });
    if titled && (had_room || indented || parallel || (!measure.indents && ended)) {
        return false;
    }
    if indented {
        // The first line of a paragraph is indented; so are all lines of a block set in.
        let same = (line.x0() - last.x0()).abs() < 0.3 * em;
        if !same || had_room || ended {
            return false;
        }
    }
    // A hanging paragraph ends where the text goes back to the margin.
    if open.len() >= 2 && line.x0() < last.x0() - 0.8 * em && (had_room || ended) {
        return false;
    }
    if had_room {
        // A figure beside the text makes lines short; such lines go on in lower case.
        let spare = measure.right - last.x1();
        return lower && !ended && spare < 0.3 * measure.width();
    }
    true
}

/// The line ends with a word after which a number is a reference, not the start of a clause.
fn is_cue(line: &str) -> bool {
    const CUES: [&str; 40] = [
        "п.",
        "пп.",
        "пункт",
        "пункта",
        "пункте",
        "пунктом",
        "пунктами",
        "пунктах",
        "пунктов",
        "подпункт",
        "разделе",
        "раздела",
        "разделом",
        "раздел",
        "таблице",
        "таблицы",
        "таблицей",
        "табл.",
        "рисунке",
        "рис.",
        "по",
        "в",
        "с",
        "со",
        "из",
        "до",
        "от",
        "и",
        "или",
        "на",
        "не",
        "более",
        "менее",
        "гост",
        "сп",
        "снип",
        "рк",
        "сн",
        "формуле",
        "(",
    ];
    let last = line.rsplit(' ').next().unwrap_or(line).to_lowercase();
    CUES.contains(&last.trim_start_matches(['(', '«'])) || last.ends_with([',', '-', '–', '('])
}

fn paragraph(measure: &Measure, lines: &[&Line], hyphens: &Hyphens) -> Option<Paragraph> {
    let first = lines.first()?;
    let last = lines.last()?;
    let mut text = String::new();
    for line in lines {
        let line = line.text();
        let keeps = hyphens.keeps(&text, &line);
        hyphens::append(&mut text, &line, keeps);
    }
    // A soft hyphen is seen at a line end only.
    text.retain(|character| character != '\u{ad}');
    Some(Paragraph {
        text,
        area: lines.iter().map(|line| line.area()).reduce(|a, b| a.union(&b))?,
        size: first.size,
        bold: lines.iter().all(|line| line.is_bold()),
        centered: measure.centers(last)
            && measure.begins_centered(first)
            && lines.iter().skip(1).all(|line| measure.is_middle(line)),
        lines: lines.len(),
        short: measure.right - last.x1() > 2.0 * last.size,
    })
}

#[cfg(test)]
mod tests {
    use super::{Margins, paragraphs};
    use crate::pdf::hyphens::Hyphens;
    use crate::pdf::lines::{lines, tests::typed};

    /// Paragraphs of lines given with their indent in points; 60 characters fill the line.
    fn joined(rows: &[(f32, &str)]) -> Vec<String> {
        let glyphs = rows
            .iter()
            .enumerate()
            .flat_map(|(row, (indent, text))| {
                typed(text, 50.0 + indent, 100.0 + row as f32 * 12.0, 10.0)
            })
            .collect();
        paragraphs(
            &lines(glyphs),
            Some(&Margins { left: 50.0, right: 350.0, starts: vec![] }),
            &Hyphens::default(),
        )
        .into_iter()
        .map(|paragraph| paragraph.text)
        .collect()
    }

    #[test]
    fn wrapped_lines_are_joined_and_indents_part() {
        assert_eq!(
            joined(&[
                (25.0, "4.2.1 Основание и несущие конструкции зданий и зданиям"),
                (0.0, "следует проектировать с учетом требований, приведенных в"),
                (0.0, "настоящем разделе."),
                (25.0, "При этом следует учесть нагрузки, действующие на них со-"),
                (0.0, "гласно заданию."),
            ]),
            [
                "4.2.1 Основание и несущие конструкции зданий и зданиям следует проектировать с учетом требований, приведенных в настоящем разделе.",
                "При этом следует учесть нагрузки, действующие на них согласно заданию.",
            ]
        );
    }

    #[test]
    fn a_reference_at_the_start_of_a_line_is_no_clause() {
        let text = joined(&[
            (0.0, "Расчет оснований выполняют по указаниям разделов, пунктов и"),
            (0.0, "4.2.1 настоящего свода правил."),
        ]);
        assert_eq!(text.len(), 1, "{text:?}");
    }

    #[test]
    fn clauses_without_indent_are_parted() {
        assert_eq!(
            joined(&[
                (0.0, "5.1 Котлованы следует разрабатывать с учетом требований раздела"),
                (0.0, "по технике безопасности."),
                (0.0, "5.2 Отвалы грунта размещают вне призмы обрушения стенок котлована"),
                (0.0, "и траншей."),
            ])
            .len(),
            2
        );
    }

    #[test]
    fn list_items_are_parted() {
        assert_eq!(
            joined(&[(20.0, "- песок;"), (20.0, "- щебень;"), (20.0, "- гравий.")]),
            ["- песок;", "- щебень;", "- гравий."]
        );
    }
}
