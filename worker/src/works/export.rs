//! The work graph in the forms that other programs read.

use serde_json::json;
use shared::structure::{Dependency, Work};
use std::fmt::Write;

/// Nodes and edges with their evidence.
pub fn json(works: &[Work], dependencies: &[Dependency]) -> String {
    json!({ "works": works, "dependencies": dependencies }).to_string()
}

/// A Mermaid flow chart, edges labelled with their evidence.
pub fn mermaid(works: &[Work], dependencies: &[Dependency]) -> String {
    let mut text = String::from("graph TD\n");
    for work in works {
        let _ = writeln!(text, "    {}[\"{}\"]", work.id, mermaid_label(&work.name));
    }
    for edge in dependencies {
        let label = mermaid_label(&edge.evidence);
        let _ = writeln!(text, "    {} -->|\"{label}\"| {}", edge.from, edge.to);
    }
    text
}

/// Quotes end a label, and line breaks end a statement; both have entity forms.
fn mermaid_label(text: &str) -> String {
    let short: String = text.chars().take(120).collect();
    short.replace('#', "#35;").replace('"', "#quot;").replace(['\n', '\r'], " ")
}

/// GraphML 1.0 with names, pages and evidence as data.
pub fn graphml(works: &[Work], dependencies: &[Dependency]) -> String {
    let mut text = String::from(concat!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n",
        "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
        "  <key id=\"name\" for=\"node\" attr.name=\"name\" attr.type=\"string\"/>\n",
        "  <key id=\"page\" for=\"all\" attr.name=\"page\" attr.type=\"int\"/>\n",
        "  <key id=\"evidence\" for=\"edge\" attr.name=\"evidence\" attr.type=\"string\"/>\n",
        "  <graph id=\"works\" edgedefault=\"directed\">\n",
    ));
    for work in works {
        let _ = writeln!(
            text,
            "    <node id=\"{}\"><data key=\"name\">{}</data><data key=\"page\">{}</data></node>",
            xml(&work.id),
            xml(&work.name),
            work.pages[0]
        );
    }
    for edge in dependencies {
        let _ = writeln!(
            text,
            "    <edge source=\"{}\" target=\"{}\"><data key=\"evidence\">{}</data><data key=\"page\">{}</data></edge>",
            xml(&edge.from),
            xml(&edge.to),
            xml(&edge.evidence),
            edge.pages[0]
        );
    }
    text.push_str("  </graph>\n</graphml>\n");
    text
}

/// Characters that XML 1.0 does not allow are left out.
fn xml(text: &str) -> String {
    text.chars()
        .filter(|character| !character.is_control() || matches!(character, '\n' | '\t'))
        .fold(String::new(), |mut out, character| {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                other => out.push(other),
            }
            out
        })
}

#[cfg(test)]
mod tests {
    use super::{graphml, mermaid};
    use shared::structure::{Dependency, Work};

    #[test]
    fn labels_cannot_break_out() {
        let works = [
            Work { id: "w1".into(), name: "Монтаж \"А\"]\n#1".into(), ..Work::default() },
            Work { id: "w2".into(), name: "Сварка <&>".into(), ..Work::default() },
        ];
        let edges = [Dependency {
            from: "w1".into(),
            to: "w2".into(),
            evidence: "после \"А\"".into(),
            pages: [1, 1],
        }];
        let chart = mermaid(&works, &edges);
        assert_eq!(chart.lines().count(), 4);
        assert!(chart.contains("w1 -->|\"после #quot;А#quot;\"| w2"));
        assert!(graphml(&works, &edges).contains("Сварка &lt;&amp;&gt;"));
    }
}
