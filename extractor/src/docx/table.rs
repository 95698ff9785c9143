//! Tables of `WordprocessingML`.

use super::block::Reading;
use super::styles::switch;
use crate::flow::Piece;
use crate::flow::table::{self, Cell, Row};
use crate::reader::ReadError;
use crate::xml::Element;

impl Reading<'_> {
    /// Reads a table.
    pub(super) fn table(&mut self, element: &Element) -> Result<Vec<Piece>, ReadError> {
        let mut rows = Vec::new();
        self.rows(element, &mut rows)?;
        table::pieces(rows, &mut self.cells, self.limits)
    }

    fn rows(&mut self, container: &Element, rows: &mut Vec<Row>) -> Result<(), ReadError> {
        for element in container.elements() {
            match &*element.name {
                "tr" => {
                    let properties = element.child("trPr");
                    if properties.is_some_and(|properties| properties.child("del").is_some()) {
                        continue;
                    }
                    let before = properties
                        .and_then(|properties| properties.value_of("gridBefore"))
                        .and_then(|value| value.parse().ok())
                        .unwrap_or(0);
                    let is_header =
                        properties.and_then(|p| switch(p, "tblHeader")).unwrap_or(false);
                    let mut cells = Vec::new();
                    self.cells(element, &mut cells)?;
                    rows.push(Row { cells, before, is_header });
                }
                "sdt" | "sdtContent" | "ins" | "moveTo" | "customXml" => {
                    self.rows(element, rows)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn cells(&mut self, container: &Element, cells: &mut Vec<Cell>) -> Result<(), ReadError> {
        for element in container.elements() {
            match &*element.name {
                "tc" => {
                    let properties = element.child("tcPr");
                    let value = |name| properties.and_then(|p| p.value_of(name));
                    let columns = value("gridSpan").and_then(|span| span.parse().ok()).unwrap_or(1);
                    let merge = |name: &str| {
                        let merge = properties.and_then(|p| p.child(name));
                        merge.is_some_and(|merge| merge.attribute("val") != Some("restart"))
                    };
                    let merged = merge("vMerge") || merge("hMerge");
                    let pieces = self.container(element)?;
                    cells.push(Cell { pieces, columns, rows: 1, merged });
                }
                "sdt" | "sdtContent" | "customXml" => self.cells(element, cells)?,
                _ => {}
            }
        }
        Ok(())
    }
}
