//! Optical recognition: pages become images without ruling lines (in the child), tesseract reads
//! words from them, and the words are laid out by the same code as those of a PDF.

mod image;
mod ink;
mod letters;
mod rules;
mod skew;
mod tsv;
mod bbox;
mod running;
mod compose;

pub use self::bbox::pages as bbox_pages;
pub use self::image::{DPI, Head, Rendered, coloured_frame, frame, frame_sizes, painted, prepare};
pub use compose::{Boxes, Recognised, compose};
pub use skew::Straightened;
pub use tsv::{Word, words};
