//! How a place in a document is named for people.

/// «СП 45.13330.2017, п. 5.10, с. 14»; tables are «табл. 3», sections «разд. 5», appendices
/// «прил. А»; without an address only the pages. `document` is the designation or the name;
/// `pages` is `None` where no print of the document has the page numbers that were counted.
pub(crate) fn cite(document: &str, address: &str, pages: Option<[u32; 2]>) -> String {
    let mut parts = vec![document.to_owned()];
    parts.extend(place(address.trim()));
    parts.extend(match pages {
        None | Some([0, _]) => None,
        Some([first, last]) if last > first => Some(format!("с. {first}–{last}")),
        Some([first, _]) => Some(format!("с. {first}")),
    });
    parts.join(", ")
}

fn place(address: &str) -> Option<String> {
    let lower = address.to_lowercase();
    let number_after = |word: &str| {
        lower.starts_with(word).then(|| {
            address.chars().skip(word.chars().count()).collect::<String>().trim().to_owned()
        })
    };
    if address.is_empty() {
        None
    } else if let Some(number) = number_after("таблица") {
        Some(format!("табл. {number}").trim_end().to_owned())
    } else if let Some(letter) = number_after("приложение") {
        Some(format!("прил. {letter}").trim_end().to_owned())
    } else if let Some(number) = number_after("раздел") {
        Some(format!("разд. {number}").trim_end().to_owned())
    } else if is_number(address) {
        Some(format!("п. {address}"))
    } else {
        Some(format!("«{address}»"))
    }
}

/// «5.10», «5.10–5.12», «А.1», «15(1)», «5», and those with a remark: «5.1 (повтор)».
fn is_number(address: &str) -> bool {
    let (number, remark) = address.split_once(' ').unwrap_or((address, ""));
    let letters = number.chars().filter(|c| c.is_alphabetic()).count();
    let sign = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '–' | ',' | '(' | ')');
    number.chars().any(|c| c.is_ascii_digit())
        && letters <= 2
        && number.chars().all(sign)
        && (remark.is_empty() || remark.starts_with(['(', '[']))
}

#[cfg(test)]
mod tests {
    use super::cite;

    #[test]
    fn citations_read_as_people_write_them() {
        let sp = "СП 45.13330.2017";
        for (address, pages, expected) in [
            ("5.10", [14, 14], "СП 45.13330.2017, п. 5.10, с. 14"),
            ("5.10", [14, 15], "СП 45.13330.2017, п. 5.10, с. 14–15"),
            ("таблица 3", [9, 9], "СП 45.13330.2017, табл. 3, с. 9"),
            ("Таблица А.1", [9, 9], "СП 45.13330.2017, табл. А.1, с. 9"),
            ("А.1.2", [40, 40], "СП 45.13330.2017, п. А.1.2, с. 40"),
            ("Приложение А", [40, 40], "СП 45.13330.2017, прил. А, с. 40"),
            ("Область применения", [3, 3], "СП 45.13330.2017, «Область применения», с. 3"),
            ("5.1 (повтор)", [4, 4], "СП 45.13330.2017, п. 5.1 (повтор), с. 4"),
            ("15(1)", [4, 4], "СП 45.13330.2017, п. 15(1), с. 4"),
            ("таблица в п. 5.1", [4, 4], "СП 45.13330.2017, табл. в п. 5.1, с. 4"),
            ("раздел 5", [4, 4], "СП 45.13330.2017, разд. 5, с. 4"),
            ("", [2, 3], "СП 45.13330.2017, с. 2–3"),
            ("5.1–5.3", [4, 4], "СП 45.13330.2017, п. 5.1–5.3, с. 4"),
        ] {
            assert_eq!(cite(sp, address, Some(pages)), expected);
        }
        assert_eq!(cite(sp, "5.10", None), "СП 45.13330.2017, п. 5.10");
        assert_eq!(cite("Смета.xlsx", "", None), "Смета.xlsx");
    }
}
