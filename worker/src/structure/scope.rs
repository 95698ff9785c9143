//! Numbering spaces: clause numbers start again in an appendix, in an article, in an approved text.

/// A part of a document in which clause numbers are counted anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// What the numbers are told apart by: nothing for the main text, «А» for an appendix,
    /// «статья 12», «приказ», «приложение 2».
    pub prefix: String,
    /// How a number is called after a prefix of words: «пункт», «часть».
    pub unit: &'static str,
}

impl Scope {
    /// The address of a clause of this scope that is unique in the document as far as the
    /// document's own numbering is.
    pub fn address(&self, number: &str) -> String {
        if self.prefix.is_empty() {
            return number.to_owned();
        }
        if self.prefix.chars().count() == 1 {
            let own = format!("{}.", self.prefix);
            return if number.starts_with(&own) { number.to_owned() } else { own + number };
        }
        format!("{}, {} {number}", self.prefix, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    fn check(prefix: &str, unit: &'static str, number: &str, expected: &str) {
        assert_eq!(Scope { prefix: prefix.to_owned(), unit }.address(number), expected);
    }

    #[test]
    fn addresses_carry_their_scope() {
        check("", "", "5.10", "5.10");
        check("А", "", "1", "А.1");
        check("А", "", "А.1", "А.1");
        check("статья 12", "часть", "3", "статья 12, часть 3");
        check("приказ", "пункт", "2", "приказ, пункт 2");
    }
}
