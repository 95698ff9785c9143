use super::chunking;
use crate::extracted::Extracted;
use crate::rules::Rules;
use crate::stages::rubern_markup::{Markup, rubern_markup};
use crate::stages::structural_analysis::structural_analysis;
use extractor::model::{Block, BlockKind, Format, Page};
use proptest::prelude::*;
use shared::chunk::{Chunk, ChunkKind};
use shared::structure::{DocumentType, Reference};
use std::collections::{BTreeMap, HashSet};

fn document(blocks: Vec<Block>) -> Extracted {
    let page = Page { number: 1, blocks, ..Page::default() };
    Extracted {
        format: Format::Text,
        pages: vec![page],
        page_count: 1,
        properties: BTreeMap::new(),
        warnings: Vec::new(),
    }
}

fn marked_up(extracted: &Extracted) -> Markup {
    let rules = Rules::shipped();
    let kind = DocumentType { family: "norms".to_owned(), ..DocumentType::default() };
    let skeleton = structural_analysis(rules, extracted, &kind);
    rubern_markup(rules, extracted, &skeleton, &[], &kind)
}

/// Counts words, as a stand-in for a model's tokens.
fn words(text: &str) -> usize {
    text.split_whitespace().count()
}

fn chunks(extracted: &Extracted, window: usize) -> Vec<Chunk> {
    chunking(&marked_up(extracted), extracted, &[], &words, window)
}

fn paragraphs(text: &str) -> Vec<Block> {
    text.lines().map(|line| Block::new(BlockKind::Paragraph, line.trim())).collect()
}

#[test]
fn one_clause_is_one_chunk() {
    let mut blocks = paragraphs(
        "1 Область применения
         1.1 Нормы распространяются на земляные работы.
         1.2 Нормы не распространяются на взрывы:
         - подводные;
         - подземные.
         2 Водопонижение
         2.1 Насосы
         2.1.1 Насосы ставят по ГОСТ 1.
         Резервный насос обязателен.",
    );
    blocks.extend(paragraphs("Таблица 1 - Подача"));
    let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
    blocks.push(Block::table(vec![row("Насос", "Подача"), row("НЦ", "20"), row("ГНОМ", "10")], 1));
    let extracted = document(blocks);
    let reference = |id: &str, text: &str| Reference {
        id: id.to_owned(),
        text: text.to_owned(),
        ..Reference::default()
    };
    let cited = [reference("ГОСТ 1", "ГОСТ 1"), reference("ГОСТ 12", "ГОСТ 12")];
    let chunks = chunking(&marked_up(&extracted), &extracted, &cited, &words, 100);
    let addresses: Vec<&str> = chunks.iter().map(|chunk| chunk.address.as_str()).collect();
    assert_eq!(addresses, ["1.1", "1.2", "2.1.1", "таблица 1"]);
    assert_eq!(chunks[1].text.lines().count(), 3);
    assert_eq!(chunks[2].path, ["2 Водопонижение", "2.1 Насосы", "2.1.1"]);
    assert!(chunks[2].text.ends_with("обязателен."));
    assert_eq!(chunks[2].cited, ["ГОСТ 1"]);
    assert_eq!(chunks[3].kind, ChunkKind::Table);
    assert_eq!(chunks[3].caption.as_deref(), Some("Таблица 1 - Подача"));
    assert_eq!(chunks[3].text, "Насос | Подача\nНЦ | 20\nГНОМ | 10");
    assert_eq!(chunks[3].path.last().map(String::as_str), Some("2.1.1"));
}

#[test]
fn a_long_list_repeats_its_lead() {
    let items: String =
        (0..30).map(|item| format!("\n- вид работ номер {item} на объекте;")).collect();
    let extracted =
        document(paragraphs(&format!("1 Область\n1.1 Запрещается выполнять:{items}\n1.2 Конец.")));
    let chunks = chunks(&extracted, 60);
    let long: Vec<&Chunk> = chunks.iter().filter(|chunk| chunk.address == "1.1").collect();
    assert!(long.len() > 2);
    assert!(long.iter().all(|chunk| chunk.text.starts_with("Запрещается выполнять:")));
}

#[test]
fn a_long_table_comes_in_bands_with_its_header() {
    let mut rows = vec![vec!["Грунт".to_owned(), "Угол".to_owned()]];
    rows.extend((0..50).map(|row| vec![format!("грунт {row}"), row.to_string()]));
    let mut blocks = paragraphs("1 Область\n1.1 Смотри таблицу.\nТаблица 7 - Углы");
    blocks.push(Block::table(rows, 1));
    let chunks = chunks(&document(blocks), 60);
    let bands: Vec<&Chunk> = chunks.iter().filter(|c| c.kind == ChunkKind::Table).collect();
    assert!(bands.len() > 2);
    for band in &bands {
        assert!(band.text.starts_with("Грунт | Угол\n"));
        assert_eq!(band.table.as_ref().map(|rows| rows[0][0].as_str()), Some("Грунт"));
        assert_eq!(band.address, "таблица 7");
    }
    let rows: usize =
        bands.iter().filter_map(|band| band.table.as_ref()).map(|t| t.len() - 1).sum();
    assert_eq!(rows, 50);
}

#[test]
fn text_without_sections_comes_in_windows() {
    let sentence = "Бригада выполняет укладку бетона слоями.";
    let text = vec![sentence; 40].join(" ");
    let chunks = chunks(&document(paragraphs(&text)), 50);
    assert!(chunks.len() > 5);
    assert!(chunks.iter().all(|chunk| chunk.kind == ChunkKind::Window));
    assert!(chunks.iter().all(|chunk| chunk.text.ends_with("слоями.")));
}

/// Lines of the kinds that documents are made of.
fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        "[А-Я][а-я]{2,9}( [а-я]{1,9}){0,30}\\.",
        "[1-9](\\.[1-9]){0,3} [А-Я][а-я]{2,9}( [а-я]{1,9}){0,20}\\.",
        "[1-9](\\.[1-9]){0,2} [А-Я][а-я]{2,9}( [а-я]{1,9}){0,40}",
        "- [а-я]{1,9}( [а-я]{1,9}){0,6};",
        "Приложение [А-Г]",
        "Глава [1-9]\\. [А-Я][а-я]{2,9}",
        "Таблица [1-9] - [А-Я][а-я]{2,9}",
        "[А-Я]{4,9} [А-Я]{4,9}",
        "\\PC{1,30}",
    ]
}

fn block() -> impl Strategy<Value = Block> {
    let table = prop::collection::vec(prop::collection::vec("[а-я0-9 ]{0,12}", 3), 1..6);
    prop_oneof![
        8 => (line(), any::<bool>(), any::<bool>()).prop_map(|(text, bold, centered)| Block {
            bold,
            centered,
            ..Block::new(BlockKind::Paragraph, text)
        }),
        1 => table.prop_map(|rows| Block::table(rows, 1)),
        1 => (line(), 0u8..4).prop_map(|(text, level)| Block::new(BlockKind::Heading { level }, text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    #[test]
    fn every_word_is_in_a_chunk_and_every_chunk_fits(
        blocks in prop::collection::vec(block(), 0..40),
        // Wider than any caption with its headings, as every model's window is: a caption that
        // fills the window alone has no room for its path.
        window in 240usize..480,
    ) {
        let extracted = document(blocks);
        let markup = marked_up(&extracted);
        let chunks = chunking(&markup, &extracted, &[], &words, window);
        for (index, chunk) in chunks.iter().enumerate() {
            prop_assert_eq!(chunk.ordinal as usize, index);
            prop_assert!(!chunk.text.trim().is_empty());
            let length = words(&chunk.indexed_text());
            prop_assert!(length <= window, "{} words: {:?}", length, chunk);
        }
        let all: Vec<String> = chunks.iter().map(Chunk::indexed_text).collect();
        let all = all.join("\n");
        let found: HashSet<&str> = all.split(|c: char| !c.is_alphanumeric()).collect();
        let numbers: HashSet<String> = markup.clauses.iter().map(|c| c.number.clone()).collect();
        prop_assert_eq!(numbers.len(), markup.clauses.len(), "clause numbers are unique");
        let mut expected: Vec<&str> = Vec::new();
        expected.extend(markup.clauses.iter().map(|clause| clause.text.as_str()));
        expected.extend(markup.headings.iter().map(String::as_str));
        expected.extend(markup.tables.iter().flat_map(|t| t.rows.iter().flatten()).map(String::as_str));
        for word in expected.iter().flat_map(|text| text.split(|c: char| !c.is_alphanumeric())) {
            let cut = word.chars().count() >= window;
            prop_assert!(cut || found.contains(word), "{word} of {expected:?} in {all}");
        }
    }

    #[test]
    fn every_line_of_the_document_is_in_a_chunk(blocks in prop::collection::vec(block(), 0..30)) {
        let extracted = document(blocks);
        let chunks = chunks(&extracted, 400);
        let all: Vec<String> = chunks.iter().map(Chunk::indexed_text).collect();
        let all = all.join("\n");
        let known: HashSet<&str> = all.split(|c: char| !c.is_alphanumeric()).collect();
        for (_, block) in extracted.blocks() {
            for word in block.text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
                // the words of «Продолжение таблицы N» and of a contents are no body
                prop_assert!(known.contains(word), "{word} in {all}");
            }
        }
    }
}
