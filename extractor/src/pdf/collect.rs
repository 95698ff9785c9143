//! Reads the glyphs and the ruling lines of one page.

use super::geometry::{Area, Turn};
use super::symbols;
use hayro_interpret::font::{Glyph as PdfGlyph, GlyphRun};
use hayro_interpret::hayro_cmap::BfString;
use hayro_interpret::kurbo::{Affine, BezPath, PathEl, Point, Rect, Shape};
use hayro_interpret::{
    BlendMode, ClipPath, Context, Device, DrawMode, DrawProps, Image, ImageDrawProps,
    InterpreterCache, InterpreterSettings, Paint, RectExt, SoftMask, TransformExt, interpret_page,
};
use hayro_syntax::object::dict::keys::CONTENTS;
use hayro_syntax::page::Page;

/// More glyphs on one page are not read; the densest page of the corpus has 9 thousand.
const MAX_GLYPHS: usize = 400_000;
/// More ruling lines are not read: a page with so many is a drawing, not a table.
const MAX_RULES: usize = 20_000;
/// A stroke or filled area up to this thickness, in points, is a ruling line.
const RULE_THICKNESS: f32 = 3.5;
/// Shorter strokes, in points, are no ruling lines.
const RULE_LENGTH: f32 = 3.0;

/// One character as it stands on the page.
#[derive(Clone, Debug)]
pub(crate) struct RawGlyph {
    pub(crate) character: char,
    /// Where its baseline starts.
    pub(crate) origin: (f32, f32),
    /// How far the pen moves, in points.
    pub(crate) advance: f32,
    /// Height of the font, in points.
    pub(crate) size: f32,
    /// `None` for slanted text, such as a watermark.
    pub(crate) turn: Option<Turn>,
    pub(crate) bold: bool,
    /// Painted invisibly: the layer of an optical recognition.
    pub(crate) hidden: bool,
}

/// What one page holds.
#[derive(Debug, Default)]
pub(crate) struct RawPage {
    /// Width and height in points.
    pub(crate) size: (f32, f32),
    pub(crate) glyphs: Vec<RawGlyph>,
    /// Thin horizontal or vertical areas.
    pub(crate) rules: Vec<Area>,
    /// Share of the page that the largest image covers, 0..1.
    pub(crate) image_cover: f32,
    /// How many paths were painted.
    pub(crate) paths: usize,
    /// A limit was reached; the rest of the page was not read.
    pub(crate) cut: bool,
    /// The page has content that cannot be decoded.
    pub(crate) unread: bool,
}

/// Interprets a page. The cache is shared by the pages of one file.
pub(crate) fn collect<'a>(
    page: &'a Page<'a>,
    cache: &InterpreterCache<'a>,
    settings: &InterpreterSettings,
) -> RawPage {
    let size = page.render_dimensions();
    let transform = page.initial_transform(true).to_kurbo();
    let area = page.intersected_crop_box().to_kurbo();
    let mut context = Context::new(transform, area, cache, page.xref(), settings.clone());
    let unread = page.raw().contains_key(CONTENTS) && page.page_stream().is_none();
    let mut collector = Collector { page: RawPage { size, unread, ..RawPage::default() } };
    interpret_page(page, &mut context, &mut collector);
    collector.page
}

struct Collector {
    page: RawPage,
}

impl<'a> Device<'a> for Collector {
    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.page.paths += 1;
        if is_unseen(&props.paint) {
            return;
        }
        if self.page.rules.len() >= MAX_RULES {
            self.page.cut = true;
            return;
        }
        match mode {
            DrawMode::Stroke(stroke) => {
                let scale = props.transform.determinant().abs().sqrt() as f32;
                self.stroke(path, props.transform, stroke.line_width * scale);
            }
            DrawMode::Fill(_) | DrawMode::FillAndStroke(..) => self.fill(path, props.transform),
            DrawMode::Invisible => {}
        }
    }

    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        let bold = run.glyphs().first().is_some_and(|glyph| is_bold(glyph));
        let hidden = matches!(mode, DrawMode::Invisible);
        for glyph in run.glyphs() {
            if self.page.glyphs.len() >= MAX_GLYPHS {
                self.page.cut = true;
                return;
            }
            self.glyph(glyph, props.transform * glyph.transform(), bold, hidden);
        }
    }

    fn draw_image(&mut self, image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        let corners = Rect::new(0.0, 0.0, f64::from(image.width()), f64::from(image.height()));
        let box_ = props.transform.transform_rect_bbox(corners);
        let (width, height) = self.page.size;
        let seen = area(box_).intersection(&Area::new(0.0, 0.0, width, height));
        if width * height > 0.0 {
            self.page.image_cover = self.page.image_cover.max(seen.surface() / (width * height));
        }
    }

    fn push_clip_path(&mut self, _: &ClipPath) {}
    fn push_clip_rect(&mut self, _: &Rect) {}
    fn push_transparency_group(&mut self, _: f32, _: Option<SoftMask<'a>>, _: BlendMode) {}
    fn pop_clip(&mut self) {}
    fn pop_transparency_group(&mut self) {}
}

impl Collector {
    fn glyph(&mut self, glyph: &PdfGlyph<'_>, transform: Affine, bold: bool, hidden: bool) {
        let [a, b, c, d, e, f] = transform.as_coeffs().map(|value| value as f32);
        let size = c.hypot(d) * 1000.0;
        let along = a.hypot(b);
        let units = match glyph {
            PdfGlyph::Outline(outline) => outline.advance_width(),
            PdfGlyph::Type3(drawn) => drawn.advance_width(),
        };
        let advance = units.unwrap_or(500.0) * along;
        let readable = [e, f, size, advance].iter().all(|value| value.is_finite());
        if !readable || size < 0.5 {
            return;
        }
        let turn = Turn::of_vector(a, b);
        let mut characters = [char::REPLACEMENT_CHARACTER; 8];
        let mut count = 0;
        let mut keep = |character: char| {
            if let Some(slot) = characters.get_mut(count) {
                *slot = character;
                count += 1;
            }
        };
        match glyph.as_unicode() {
            Some(BfString::Char(character)) => symbols::meant(character, &mut keep),
            Some(BfString::String(text)) => {
                text.chars().for_each(|character| symbols::meant(character, &mut keep));
            }
            None => keep(char::REPLACEMENT_CHARACTER),
        }
        // A ligature gives each of its letters an equal part of the way.
        let step = advance / count.max(1) as f32;
        let (dx, dy) = if along > 0.0 { (a / along, b / along) } else { (1.0, 0.0) };
        for (index, character) in characters.iter().take(count).enumerate() {
            let moved = step * index as f32;
            self.page.glyphs.push(RawGlyph {
                character: *character,
                origin: (e + dx * moved, f + dy * moved),
                advance: step,
                size,
                turn,
                bold,
                hidden,
            });
        }
    }

    /// Each straight edge of a stroked path is a ruling line.
    fn stroke(&mut self, path: &BezPath, transform: Affine, thickness: f32) {
        if thickness > RULE_THICKNESS {
            return;
        }
        let half = (thickness / 2.0).max(0.1);
        let (mut start, mut here) = (Point::ZERO, Point::ZERO);
        for element in path.elements() {
            let next = match *element {
                PathEl::MoveTo(point) => {
                    start = transform * point;
                    here = start;
                    continue;
                }
                PathEl::LineTo(point) => transform * point,
                PathEl::ClosePath => start,
                PathEl::QuadTo(_, point) | PathEl::CurveTo(_, _, point) => {
                    here = transform * point;
                    continue;
                }
            };
            let edge = area(Rect::from_points(here, next));
            if edge.width().min(edge.height()) <= 0.8 {
                self.rule(edge.grown(half));
            }
            here = next;
        }
    }

    /// Each part of a filled path that is thin enough is a ruling line.
    fn fill(&mut self, path: &BezPath, transform: Affine) {
        let mut part = BezPath::new();
        for element in path.elements() {
            if matches!(element, PathEl::MoveTo(_)) {
                self.fill_part(&part, transform);
                part.truncate(0);
            }
            part.push(*element);
        }
        self.fill_part(&part, transform);
    }

    fn fill_part(&mut self, part: &BezPath, transform: Affine) {
        if part.elements().len() > 1 && part.elements().len() <= 6 {
            self.rule(area(transform.transform_rect_bbox(part.bounding_box())));
        }
    }

    fn rule(&mut self, rule: Area) {
        let (long, thin) = (rule.width().max(rule.height()), rule.width().min(rule.height()));
        let (width, height) = self.page.size;
        let seen = rule.intersection(&Area::new(0.0, 0.0, width, height).grown(0.15 * width));
        let is_rule = long >= RULE_LENGTH && thin <= RULE_THICKNESS && long > 2.0 * thin;
        if is_rule && seen.width() > 0.0 && seen.height() > 0.0 && self.page.rules.len() < MAX_RULES
        {
            self.page.rules.push(seen);
        }
    }
}

fn area(rect: Rect) -> Area {
    Area::new(rect.x0 as f32, rect.y0 as f32, rect.x1 as f32, rect.y1 as f32)
}

/// White or fully transparent.
fn is_unseen(paint: &Paint<'_>) -> bool {
    match paint {
        Paint::Color(color) => {
            let [red, green, blue, alpha] = color.to_rgba().to_rgba8();
            alpha < 8 || red.min(green).min(blue) > 245
        }
        Paint::Pattern(_) => false,
    }
}

fn is_bold(glyph: &PdfGlyph<'_>) -> bool {
    let PdfGlyph::Outline(outline) = glyph else { return false };
    let Some(font) = outline.font_data() else { return false };
    let named = font.postscript_name.as_deref().is_some_and(|name| {
        let name = name.to_lowercase();
        ["bold", "black", "heavy", "semibold", "demi"].iter().any(|mark| name.contains(mark))
    });
    named || font.weight.is_some_and(|weight| weight >= 600)
}
