//! Office formulas as one line of text: «N/(φ·A) ≤ `R_y`».

use crate::xml::{Element, Node};

/// The linear form of a formula element; depth is bounded by the XML reader.
pub(crate) fn linear(element: &Element) -> String {
    let part = |name: &str| element.child(name).map(linear).unwrap_or_default();
    match &*element.name {
        "t" => element.text(),
        "f" => format!("{}/{}", grouped(&part("num")), grouped(&part("den"))),
        "sSup" => format!("{}^{}", part("e"), grouped(&part("sup"))),
        "sSub" => format!("{}_{}", part("e"), grouped(&part("sub"))),
        "sSubSup" => {
            format!("{}_{}^{}", part("e"), grouped(&part("sub")), grouped(&part("sup")))
        }
        "rad" => {
            let degree = part("deg");
            format!("{}√({})", degree, part("e"))
        }
        "nary" => {
            let sign = element.child("naryPr").and_then(|p| p.value_of("chr")).unwrap_or("∫");
            let bounds = [("_", part("sub")), ("^", part("sup"))];
            let bounds: String = bounds
                .iter()
                .filter(|(_, bound)| !bound.is_empty())
                .map(|(mark, bound)| format!("{mark}{}", grouped(bound)))
                .collect();
            format!("{sign}{bounds} {}", part("e"))
        }
        "d" => {
            let properties = element.child("dPr");
            let sign = |name, usual| properties.and_then(|p| p.value_of(name)).unwrap_or(usual);
            let inside: Vec<String> = element.all("e").map(linear).collect();
            format!("{}{}{}", sign("begChr", "("), inside.join("; "), sign("endChr", ")"))
        }
        "func" => format!("{} {}", part("fName"), part("e")),
        "m" => element
            .all("mr")
            .map(|row| row.all("e").map(linear).collect::<Vec<_>>().join(" "))
            .collect::<Vec<_>>()
            .join("; "),
        _ => element
            .children
            .iter()
            .map(|node| match node {
                Node::Element(child) => linear(child),
                Node::Text(_) => String::new(),
            })
            .collect(),
    }
}

/// In brackets, unless it is a single number or name.
fn grouped(text: &str) -> String {
    if text.chars().all(|character| character.is_alphanumeric() || matches!(character, ',' | '.')) {
        text.to_owned()
    } else {
        format!("({text})")
    }
}

#[cfg(test)]
mod tests {
    use super::linear;
    use crate::reader::Limits;
    use crate::xml::parse;

    #[test]
    fn fractions_and_indices() {
        let xml = "<oMath><f><num><r><t>N</t></r></num><den><r><t>φ·A</t></r></den></f>\
                   <r><t> ≤ </t></r><sSub><e><r><t>R</t></r></e><sub><r><t>y</t></r></sub></sSub></oMath>";
        assert_eq!(linear(&parse(xml, &Limits::default()).unwrap()), "N/(φ·A) ≤ R_y");
    }
}
