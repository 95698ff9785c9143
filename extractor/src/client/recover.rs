//! The chain of a page whose own text is not usable: external text tool, then recognition. Each
//! page keeps the best that was won, and says how.

use super::checks;
use super::tools::Runs;
use super::{ExtractError, Extraction};
use crate::model::{Format, Page, TextSource, TextVerdict};
use crate::ocr::{self, Recognised};
use crate::pdf::plausible_share;
use shared::outcome::Code;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A page of the external tool whose words are less often words than this is garbage too.
const MIN_PLAUSIBLE: f32 = 0.9;
/// Recognition that is less sure than this may be of a page that lies on its side.
const DOUBTFUL: f32 = 0.7;
/// Below this the own text of a page, broken as it is, is worth more.
const USELESS: f32 = 0.4;

/// Whether the page goes down the chain.
pub(crate) fn needs_help(page: &Page) -> bool {
    !matches!(page.verdict, TextVerdict::Good | TextVerdict::Blank)
}

/// The external tool's pages after the last one that the own reader finished before it failed.
/// True when it gave any text, so that the failure cost nothing but looks.
pub(crate) fn continue_after(
    runs: &Runs<'_>,
    extraction: &mut Extraction,
) -> Result<bool, ExtractError> {
    let Some(pdftotext) = runs.tools.pdftotext.as_deref() else { return Ok(false) };
    if extraction.format != Format::Pdf {
        return Ok(false);
    }
    let first = extraction.pages.last().map_or(1, |page| page.number.saturating_add(1));
    let found = match runs.fallback(pdftotext, first, None) {
        Ok(found) => found,
        Err(ExtractError::Failed(_)) => return Ok(false),
        Err(other) => return Err(other),
    };
    let any = found.iter().any(|page| !page.words.is_empty());
    for mut page in ocr::compose(&found) {
        if page.number >= first && page.number <= runs.limits.pages {
            page.verdict = TextVerdict::Failed;
            extraction.pages.push(page);
        }
    }
    extraction.page_count = extraction.pages.last().map_or(0, |page| page.number);
    Ok(any)
}

/// Sends every page that needs it down the chain, in place.
pub(crate) fn recover(
    runs: &Runs<'_>,
    extraction: &mut Extraction,
    on_page: &(dyn Fn(&Page) + Sync),
) -> Result<(), ExtractError> {
    if extraction.format == Format::Pdf {
        read_again(runs, &mut extraction.pages)?;
    }
    let unread = |page: &&Page| needs_help(page) && page.source != TextSource::Fallback;
    let waiting: Vec<u32> =
        extraction.pages.iter().filter(unread).map(|page| page.number).collect();
    for page in extraction.pages.iter().filter(|page| needs_help(page) && !unread(page)) {
        on_page(page);
    }
    if waiting.is_empty() {
        return Ok(());
    }
    let tesseract = match ready(runs) {
        Ok(tesseract) => tesseract,
        Err(why) => {
            for page in extraction.pages.iter_mut().filter(|page| unread(&&**page)) {
                page.warnings.push("страница не распознана".to_owned());
                on_page(page);
            }
            extraction.warnings.push((Some(Code::OcrLanguageMissing), why));
            return Ok(());
        }
    };
    let results = recognise_all(runs, tesseract, &waiting, on_page)?;
    let recognised: Vec<Recognised> =
        results.values().filter_map(|result| result.as_ref().ok()).cloned().collect();
    let mut composed: BTreeMap<u32, Page> =
        ocr::compose(&recognised).into_iter().map(|page| (page.number, page)).collect();
    for page in &mut extraction.pages {
        let Some(result) = results.get(&page.number) else { continue };
        match (result, composed.remove(&page.number)) {
            (Ok(_), Some(read)) => replace(page, read),
            (Err(why), _) => {
                page.warnings.push(format!("страница не распознана: {why}"));
            }
            (Ok(_), None) => {}
        }
    }
    Ok(())
}

/// Takes the recognised text unless the page's own is likely better.
fn replace(page: &mut Page, read: Page) {
    let confidence = read.confidence.unwrap_or(0.0);
    let own_text = page.blocks.iter().any(|block| !block.text.trim().is_empty());
    if own_text && (read.blocks.is_empty() || confidence < USELESS) {
        page.warnings.push(
            "текстовый слой страницы повреждён, а распознать её не удалось: текст ненадёжен"
                .to_owned(),
        );
        return;
    }
    if read.blocks.is_empty() {
        page.source = TextSource::None;
        page.warnings.push("на изображении страницы не найдено текста".to_owned());
        return;
    }
    let kept = std::mem::take(page);
    *page = Page {
        number: kept.number,
        // Bounds are those of the page that was recognised, which may have been turned.
        size: read.size.or(kept.size),
        name: kept.name,
        verdict: kept.verdict,
        warnings: kept.warnings,
        ..read
    };
}

/// Broken or failed pages by the external tool, where it reads words.
fn read_again(runs: &Runs<'_>, pages: &mut [Page]) -> Result<(), ExtractError> {
    let Some(pdftotext) = runs.tools.pdftotext.as_deref() else { return Ok(()) };
    for page in pages.iter_mut() {
        let broken = matches!(page.verdict, TextVerdict::Broken | TextVerdict::Failed);
        if !broken || page.source == TextSource::Fallback {
            continue;
        }
        let found = match runs.fallback(pdftotext, page.number, Some(page.number)) {
            Ok(found) => found,
            Err(ExtractError::Failed(_)) => continue,
            Err(other) => return Err(other),
        };
        let words = found.iter().flat_map(|page| &page.words).map(|word| word.text.as_str());
        if plausible_share(words).is_some_and(|share| share >= MIN_PLAUSIBLE)
            && let Some(read) = ocr::compose(&found).pop()
        {
            replace(page, Page { confidence: Some(1.0), ..read });
            page.confidence = None;
        }
    }
    Ok(())
}

/// The recognition program, when it and all its languages are there; otherwise what to install.
fn ready<'a>(runs: &Runs<'a>) -> Result<&'a Path, String> {
    let Some(tesseract) = runs.tools.tesseract.as_deref() else {
        return Err("нет программы распознавания: установите пакет tesseract-ocr".to_owned());
    };
    let missing = checks::missing_languages(runs.tools)?;
    if missing.is_empty() {
        return Ok(tesseract);
    }
    let packages: Vec<String> =
        missing.iter().map(|language| checks::language_package(language)).collect();
    Err(format!(
        "нет языка распознавания {}: установите пакет {}",
        missing.join(", "),
        packages.join(" ")
    ))
}

/// A recognised page, or in Russian why there is none.
type Outcome = Result<Recognised, String>;

/// Recognises pages side by side, as many at once as there are free slots.
fn recognise_all(
    runs: &Runs<'_>,
    tesseract: &Path,
    numbers: &[u32],
    on_page: &(dyn Fn(&Page) + Sync),
) -> Result<BTreeMap<u32, Outcome>, ExtractError> {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    let fatal = Mutex::new(None);
    let slots = &runs.tools.ocr_slots;
    std::thread::scope(|scope| {
        for _ in 0..slots.total().min(numbers.len()) {
            scope.spawn(|| {
                while let Some(number) = numbers.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let Some(_slot) = slots.take(&|| (runs.cancel)()) else { break };
                    let outcome = match recognise(&runs.for_page(), tesseract, *number) {
                        Ok(recognised) => {
                            ocr::compose(std::slice::from_ref(&recognised))
                                .iter()
                                .for_each(on_page);
                            Ok(recognised)
                        }
                        Err(ExtractError::Failed(failure)) => Err(failure.message),
                        Err(other) => {
                            fatal.lock().unwrap_or_else(PoisonError::into_inner).replace(other);
                            next.store(numbers.len(), Ordering::SeqCst);
                            break;
                        }
                    };
                    results.lock().unwrap_or_else(PoisonError::into_inner).insert(*number, outcome);
                }
            });
        }
    });
    if let Some(error) = fatal.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    if (runs.cancel)() {
        return Err(ExtractError::Cancelled);
    }
    Ok(results.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn recognise(runs: &Runs<'_>, tesseract: &Path, number: u32) -> Result<Recognised, ExtractError> {
    let image = runs.render(number, 0)?;
    let page = Recognised {
        number,
        head: image.head.clone(),
        words: Vec::new(),
        boxes: ocr::Boxes::Ink,
        quarter_turns: 0,
    };
    if image.head.blank {
        return Ok(page);
    }
    let words = runs.words(tesseract, &image)?;
    let upright = Recognised { words, ..page };
    if upright.confidence() >= DOUBTFUL && !upright.is_sideways() {
        return Ok(upright);
    }
    let told = runs.quarter_turns(tesseract, &image)?;
    let tried: &[u8] = match told {
        // Words that were read well lie on their side; which one, recognition tells.
        0 if upright.is_sideways() && upright.confidence() >= DOUBTFUL => &[1, 3],
        0 => &[],
        _ => &[told],
    };
    let mut best = upright;
    for turns in tried {
        let image = runs.render(number, *turns)?;
        let words = runs.words(tesseract, &image)?;
        let (head, boxes) = (image.head, best.boxes);
        let turned = Recognised { number, head, words, boxes, quarter_turns: *turns };
        let rank = |page: &Recognised| (!page.is_sideways(), page.confidence());
        if rank(&turned) > rank(&best) {
            best = turned;
        }
    }
    Ok(best)
}
