//! Words with their places as `pdftotext -bbox-layout` writes them (XHTML).

use super::compose::{Boxes, Recognised};
use super::image::Head;
use super::tsv::Word;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

/// The pages of the output; the first has the number `first`. What is cut off at the end is left
/// out.
pub fn pages(xhtml: &str, first: u32) -> Vec<Recognised> {
    let mut reader = Reader::from_str(xhtml);
    let mut pages: Vec<Recognised> = Vec::new();
    let mut place = (0, 0, 0);
    let mut open: Option<[f32; 4]> = None;
    let mut text = String::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Eof => break,
            Event::Start(tag) => match tag.name().as_ref() {
                "page" => {
                    let head = Head {
                        width: number(&tag, "width").unwrap_or(0.0).clamp(0.0, 1e6) as u32,
                        height: number(&tag, "height").unwrap_or(0.0).clamp(0.0, 1e6) as u32,
                        dpi: 72.0,
                        ..Head::default()
                    };
                    let number = first.saturating_add(pages.len() as u32);
                    pages.push(Recognised {
                        number,
                        head,
                        words: Vec::new(),
                        boxes: Boxes::Font,
                        quarter_turns: 0,
                    });
                    place = (0, 0, 0);
                }
                "flow" => place.0 += 1,
                "block" => place.1 += 1,
                "line" => place.2 += 1,
                "word" => {
                    text.clear();
                    open = bounds(&tag);
                }
                _ => {}
            },
            Event::Text(piece) => {
                text.push_str(&piece.xml_content(quick_xml::XmlVersion::Explicit1_0))
            }
            Event::GeneralRef(entity) => text.push_str(match entity.as_ref() {
                "amp" => "&",
                "lt" => "<",
                "gt" => ">",
                "quot" => "\"",
                "apos" | "#39" => "'",
                _ => "",
            }),
            Event::End(tag) if tag.name().as_ref() == "word" => {
                if let (Some(bounds), Some(page)) = (open.take(), pages.last_mut())
                    && !text.trim().is_empty()
                {
                    let word =
                        Word { line: place, bounds, confidence: 1.0, text: text.trim().to_owned() };
                    page.words.push(word);
                }
            }
            _ => {}
        }
    }
    pages
}

fn bounds(tag: &BytesStart<'_>) -> Option<[f32; 4]> {
    Some([number(tag, "xMin")?, number(tag, "yMin")?, number(tag, "xMax")?, number(tag, "yMax")?])
}

fn number(tag: &BytesStart<'_>, name: &str) -> Option<f32> {
    let attribute = tag.try_get_attribute(name).ok()??;
    attribute.value.parse().ok().filter(|value: &f32| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::pages;

    #[test]
    fn words_of_two_pages_are_read() {
        let xhtml = r#"<html><body><doc>
            <page width="595.2" height="841.8"><flow><block xMin="1" yMin="2" xMax="3" yMax="4">
            <line xMin="1" yMin="2" xMax="3" yMax="4"><word xMin="10.5" yMin="20" xMax="30" yMax="32">А&amp;Б</word>
            <word xMin="40" yMin="20" xMax="60" yMax="32">  </word></line></block></flow></page>
            <page width="100" height="200"></page></doc></body></html>"#;
        let pages = pages(xhtml, 5);
        assert_eq!(pages.iter().map(|page| page.number).collect::<Vec<_>>(), [5, 6]);
        assert_eq!(pages[0].words.len(), 1);
        assert_eq!(pages[0].words[0].text, "А&Б");
        assert_eq!(pages[0].words[0].bounds, [10.5, 20.0, 30.0, 32.0]);
        assert_eq!(pages[0].head.height, 841);
    }

    #[test]
    fn damaged_output_gives_what_is_whole() {
        assert!(pages("<page width=\"x\"><word xMin=", 1).len() <= 1);
        assert!(pages("нет", 1).is_empty());
    }
}
