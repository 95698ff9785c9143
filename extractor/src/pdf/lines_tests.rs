use super::{Glyph, Line, lines};

/// Glyphs of a text in a font where every glyph is half as wide as the font is high.
pub(crate) fn typed(text: &str, x: f32, baseline: f32, size: f32) -> Vec<Glyph> {
    text.chars()
        .enumerate()
        .map(|(index, character)| Glyph {
            character,
            x0: x + index as f32 * size / 2.0,
            x1: x + (index + 1) as f32 * size / 2.0,
            baseline,
            size,
            bold: false,
        })
        .collect()
}

fn texts(lines: &[Line]) -> Vec<String> {
    lines.iter().map(Line::text).collect()
}

#[test]
fn words_part_at_spaces_and_gaps() {
    let mut glyphs = typed("Земляные работы", 50.0, 100.0, 12.0);
    glyphs.extend(typed("ведут", 50.0 + 15.0 * 6.0 + 3.0, 100.0, 12.0));
    assert_eq!(texts(&lines(glyphs)), ["Земляные работы ведут"]);
}

#[test]
fn kerned_letters_stay_one_word() {
    let mut glyphs = typed("грунт", 50.0, 100.0, 12.0);
    for (index, glyph) in glyphs.iter_mut().enumerate() {
        glyph.x0 += index as f32 * 0.8;
        glyph.x1 += index as f32 * 0.8;
    }
    assert_eq!(texts(&lines(glyphs)), ["грунт"]);
}

#[test]
fn letter_spaced_headings_are_words() {
    let mut glyphs = typed("МЕЖГОСУДАРСТВЕННЫЙ СТАНДАРТ", 50.0, 100.0, 12.0);
    let mut moved = 0.0;
    for glyph in &mut glyphs {
        glyph.x0 += moved;
        glyph.x1 += moved;
        moved += 4.0;
    }
    glyphs.retain(|glyph| glyph.character != ' ');
    assert_eq!(texts(&lines(glyphs)), ["МЕЖГОСУДАРСТВЕННЫЙ СТАНДАРТ"]);
}

#[test]
fn words_typed_with_spaces_between_letters_are_words() {
    let glyphs = typed("С Т А Н Д А Р Т   С С С Р от А и Б", 50.0, 100.0, 12.0);
    assert_eq!(texts(&lines(glyphs)), ["СТАНДАРТ СССР от А и Б"]);
}

#[test]
fn indices_are_glued_to_their_base() {
    let mut glyphs = typed("10 м", 50.0, 100.0, 12.0);
    glyphs.extend(typed("2", 74.0, 95.0, 8.0));
    glyphs.extend(typed("/чел", 78.0, 100.0, 12.0));
    glyphs.extend(typed("следующая строка", 50.0, 114.0, 12.0));
    assert_eq!(texts(&lines(glyphs)), ["10 м2/чел", "следующая строка"]);
}

#[test]
fn letters_painted_twice_are_one_bold_letter() {
    let mut glyphs = typed("СНиП", 50.0, 100.0, 12.0);
    glyphs.extend(typed("СНиП", 50.4, 100.0, 12.0));
    let lines = lines(glyphs);
    assert_eq!(texts(&lines), ["СНиП"]);
    assert!(lines[0].is_bold());
}

#[test]
fn combining_marks_join_their_letter() {
    let mut glyphs = typed("краи", 50.0, 100.0, 12.0);
    let mut mark = typed("\u{306}", 71.0, 100.0, 12.0);
    mark[0].x1 = mark[0].x0;
    glyphs.extend(mark);
    assert_eq!(texts(&lines(glyphs)), ["край"]);
}
