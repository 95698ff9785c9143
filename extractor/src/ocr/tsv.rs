//! The table that tesseract writes: one line for each page, block, paragraph, line and word.

/// A recognised word.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    /// Block, paragraph and line, as tesseract counts them.
    pub line: (u32, u32, u32),
    /// Left, top, right, bottom in pixels.
    pub bounds: [f32; 4],
    /// 0..1.
    pub confidence: f32,
    /// Never empty.
    pub text: String,
}

/// The words of the first page, in tesseract's reading order. Rows that are no words are skipped.
pub fn words(tsv: &str) -> Vec<Word> {
    let mut words: Vec<Word> = tsv.lines().filter_map(word).collect();
    for index in 1..words.len() {
        let after_number = words[index - 1].text.ends_with(|c: char| c.is_ascii_digit());
        if after_number && let Some(unit) = squared(&words[index].text) {
            words[index].text = unit;
        }
    }
    words
}

/// A raised two is misread in a few ways that mean nothing after a unit of length: «м?», «м”».
fn squared(word: &str) -> Option<String> {
    let core = word.trim_end_matches([',', '.', ';', ')']);
    let unit = core.strip_suffix(['?', '”', '\'', '’'])?;
    let end = &word[core.len()..];
    ["м", "мм", "см", "дм", "км"].contains(&unit).then(|| format!("{unit}2{end}"))
}

fn word(row: &str) -> Option<Word> {
    let fields: Vec<&str> = row.splitn(12, '\t').collect();
    let [level, page, block, paragraph, line, _, left, top, width, height, confidence, text] =
        fields.as_slice()
    else {
        return None;
    };
    let text = text.trim();
    if *level != "5" || *page != "1" || text.is_empty() {
        return None;
    }
    let number = |field: &str| field.parse::<f32>().ok().filter(|value| value.is_finite());
    let (left, top) = (number(left)?, number(top)?);
    let (width, height) = (number(width)?, number(height)?);
    Some(Word {
        line: (block.parse().ok()?, paragraph.parse().ok()?, line.parse().ok()?),
        bounds: [left, top, left + width, top + height],
        confidence: (number(confidence)? / 100.0).clamp(0.0, 1.0),
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::{squared, words};

    #[test]
    fn a_misread_square_is_mended() {
        assert_eq!(squared("м?"), Some("м2".to_owned()));
        assert_eq!(squared("см”,"), Some("см2,".to_owned()));
        for word in ["м", "где?", "м2", "м.", "?"] {
            assert_eq!(squared(word), None, "{word}");
        }
    }

    #[test]
    fn words_are_read_and_everything_else_is_skipped() {
        let tsv = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
                   1\t1\t0\t0\t0\t0\t0\t0\t2481\t3509\t-1\t\n\
                   5\t1\t2\t1\t3\t1\t10\t20\t30\t40\t96.5\tСвод\n\
                   5\t1\t2\t1\t3\t2\t50\t20\t30\t40\t80\t \n\
                   5\t1\tx\t1\t3\t2\t50\t20\t30\t40\t80\tплохо\nоборвано\n";
        let words = words(tsv);
        assert_eq!(words.len(), 1);
        assert_eq!((words[0].line, words[0].bounds), ((2, 1, 3), [10.0, 20.0, 40.0, 60.0]));
        assert!((words[0].confidence - 0.965).abs() < 1e-6);
    }
}
