//! Which tables of a page only arrange it.

use scraper::{Html, Node};

/// The nodes (by their position in document order) of tables that are layout: they hold another
/// table, or never have two cells in a row.
pub(super) fn layout_tables(html: &Html) -> Vec<bool> {
    struct Open {
        index: usize,
        nested: bool,
        cells: usize,
        widest: usize,
    }
    let mut layout = Vec::new();
    let mut open: Vec<Open> = Vec::new();
    let mut node = html.tree.root();
    loop {
        if let Node::Element(element) = node.value() {
            match element.name() {
                "table" => {
                    if let Some(outer) = open.last_mut() {
                        outer.nested = true;
                    }
                    open.push(Open { index: layout.len(), nested: false, cells: 0, widest: 0 });
                    layout.push(false);
                }
                "tr" => open.iter_mut().next_back().into_iter().for_each(|table| table.cells = 0),
                "td" | "th" => {
                    if let Some(table) = open.last_mut() {
                        table.cells = table.cells.saturating_add(1);
                        table.widest = table.widest.max(table.cells);
                    }
                }
                _ => {}
            }
        }
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        loop {
            if matches!(node.value(), Node::Element(element) if element.name() == "table")
                && let Some(table) = open.pop()
                && let Some(place) = layout.get_mut(table.index)
            {
                *place = table.nested || table.widest < 2;
            }
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            let Some(parent) = node.parent() else { return layout };
            node = parent;
        }
    }
}
