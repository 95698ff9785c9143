//! Files within plain text («begin 644 акт.pdf»), as programs wrote them before MIME.

/// The most files that are taken out of one letter; what follows stays text.
const MAX_FILES: usize = 1_000;

/// A file that stood in the text.
#[derive(Debug, PartialEq)]
pub(super) struct Coded {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
    /// Whether its end is there.
    pub(super) whole: bool,
}

/// The text without the files in it, which are put into `files`.
pub(super) fn take_files(text: &str, files: &mut Vec<Coded>) -> String {
    let mut left = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let first = lines.peek().and_then(|line| bytes_of(line)).filter(|bytes| !bytes.is_empty());
        match (name(line), first) {
            (Some(name), Some(_)) if files.len() < MAX_FILES => {
                let mut bytes = Vec::new();
                // No line «begin» passes for data, so that each line is looked at once.
                while let Some(more) = lines.peek().and_then(|line| bytes_of(line)) {
                    bytes.extend(more);
                    lines.next();
                }
                let whole = lines.next_if(|line| line.trim_end() == "end").is_some();
                files.push(Coded { name: name.to_owned(), bytes, whole });
            }
            _ => {
                left.push_str(line);
                left.push('\n');
            }
        }
    }
    left
}

/// «a.txt» of «begin 644 a.txt».
fn name(line: &str) -> Option<&str> {
    let (mode, name) = line.strip_prefix("begin ")?.split_once(' ')?;
    let is_mode = (3..=4).contains(&mode.len()) && mode.bytes().all(|digit| digit.is_ascii_digit());
    (is_mode && !name.trim().is_empty()).then(|| name.trim())
}

/// The bytes of a line of data: its first sign tells how many there are, and each four signs that
/// follow make three. Blanks are zeros, and mail cuts them off at the end.
fn bytes_of(line: &str) -> Option<Vec<u8>> {
    let mut signs = line.bytes();
    if !signs.clone().all(|sign| (b' '..=b'`').contains(&sign)) {
        return None;
    }
    let value = |sign: Option<u8>| u32::from(sign.unwrap_or(b' ') - b' ') & 63;
    let length = value(signs.next()) as usize;
    let coded = length.div_ceil(3) * 4;
    // Some programs put a sum behind.
    if signs.len() > coded + 1 {
        return None;
    }
    let mut bytes = Vec::with_capacity(length);
    while bytes.len() < length {
        let group = (0..4).fold(0, |group, _| group << 6 | value(signs.next()));
        bytes.extend(&group.to_be_bytes()[1..]);
    }
    bytes.truncate(length);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::{MAX_FILES, take_files};

    #[test]
    fn lines_are_decoded() {
        let taken = |text: &str| {
            let mut files = Vec::new();
            let left = take_files(text, &mut files);
            let files = files.into_iter().map(|file| (file.bytes, file.whole)).collect::<Vec<_>>();
            (left, files)
        };
        let file = |bytes: &[u8]| (String::new(), vec![(bytes.to_vec(), true)]);
        let full = "M04%!04%!04%!04%!04%!04%!04%!04%!04%!04%!04%!04%!04%!04%!04%!";
        assert_eq!(taken(&format!("begin 0644 a b.txt\n{full}\n!00``\n`\nend")), file(&[b'A'; 46]));
        // Blanks for zeros, which are cut off; a sum behind; no line that is empty.
        assert_eq!(taken("begin 644 a\n$    \n#\n\nend\n"), file(&[0; 7]));
        assert_eq!(taken("begin 644 a\n#0V%T5\nend"), file(b"Cat"));
        for text in ["begin 644 a\nwith words\n", "begin the work\n#0V%T\n", "begin 644 a\n"] {
            assert_eq!(taken(text), (text.to_owned(), Vec::new()));
        }
    }

    #[test]
    fn there_are_not_endless_files() {
        let mut files = Vec::new();
        let text = "begin 644 a\n#0V%T\n".repeat(MAX_FILES + 1);
        assert_eq!(take_files(&text, &mut files).lines().count(), 2);
        assert_eq!(files.len(), MAX_FILES);
    }
}
