//! Files that are no documents themselves: archives and letters, which may hold each other.

use extractor::archive::is_zip;
use extractor::detect::detect;
use extractor::model::Format;
use std::io::{Read, Seek};
use std::path::Path;

/// Archives and letters within each other: a letter that was passed on twice, with a zip.
const MAX_CONTAINERS: u32 = 4;

/// The archives and letters around an entry.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Place {
    containers: u32,
    zips: u32,
    /// A letter that was asked for comes with all that it holds: its text and its attachments do
    /// not have names like `*.eml`.
    pub(super) in_letter: bool,
}

impl Place {
    /// The place of what such a container holds that lies here, or in Russian why it stays closed.
    /// Zips multiply what they hold, so they have a limit of their own; letters are passed on in
    /// letters, with zips at any of them.
    pub(super) fn inside(self, format: Format, zips_within_zips: u32) -> Result<Place, String> {
        let inside = Place {
            containers: self.containers + 1,
            zips: self.zips + u32::from(format == Format::Zip),
            in_letter: self.in_letter || format == Format::Eml,
        };
        if inside.containers > MAX_CONTAINERS {
            return Err(format!("вложено глубже {MAX_CONTAINERS} уровней: не распаковано"));
        }
        if inside.zips > zips_within_zips {
            return Err(format!("архив вложен глубже {zips_within_zips} уровней: не распакован"));
        }
        Ok(inside)
    }
}

/// What a file is, by its content, if it is no document itself. A zip that is too damaged to tell
/// is one by its name: its own reader then says what is wrong with it.
pub(super) fn container(path: &Path, name: &str) -> Option<Format> {
    let mut file = std::fs::File::open(path).ok()?;
    match detect(&mut file, name).ok()? {
        Ok(detected) => detected.format.is_container().then_some(detected.format),
        Err(_) => {
            let mut head = [0; 4];
            let read = file.rewind().and_then(|()| file.read_exact(&mut head));
            let extension = Path::new(name).extension().unwrap_or_default();
            let is_zip = read.is_ok() && is_zip(&head) && extension.eq_ignore_ascii_case("zip");
            is_zip.then_some(Format::Zip)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_CONTAINERS, Place, container};
    use extractor::model::Format::{self, Eml, Zip};

    fn place(containers: &[Format]) -> Result<Place, String> {
        containers.iter().try_fold(Place::default(), |place, format| place.inside(*format, 2))
    }

    #[test]
    fn letters_and_zips_open_to_a_depth() {
        for opened in [&[Zip, Zip][..], &[Zip, Eml, Zip, Eml], &[Eml, Eml, Eml, Eml]] {
            assert!(place(opened).is_ok(), "{opened:?}");
        }
        assert!(place(&[Zip, Eml, Zip, Zip]).unwrap_err().contains("глубже 2 уровней"));
        assert!(place(&[Eml; MAX_CONTAINERS as usize + 1]).unwrap_err().contains("глубже 4"));
    }

    #[test]
    fn what_a_letter_holds_needs_no_name_that_is_included() {
        assert!(!place(&[Zip]).unwrap().in_letter);
        assert!(place(&[Zip, Eml]).unwrap().in_letter);
        assert!(place(&[Eml, Zip]).unwrap().in_letter, "nor what its attached archive holds");
    }

    #[test]
    fn containers_are_told_by_their_content() {
        let folder = tempfile::tempdir().unwrap();
        let told = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            container(&path, name)
        };
        assert_eq!(told("a.eml", b"From: a@b\r\nSubject: x\r\n\r\ntext"), Some(Eml));
        assert_eq!(told("a.zip", b"PK\x03\x04 and no directory"), Some(Zip));
        assert_eq!(told("b.zip", b"PKware"), None);
        assert_eq!(told("a.txt", b"text"), None);
    }
}
