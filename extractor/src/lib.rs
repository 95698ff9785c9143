//! Turns one file into pages and blocks. The formats run in a limited child process
//! (`ragtrain-extractor`); this library holds the types that cross the pipe and the parent's side.

pub mod model;
pub mod reader;
pub mod request;
pub mod frames;
pub mod detect;
pub mod archive;
pub mod client;
pub mod sandbox;
pub mod probe;
pub mod pdf;
pub mod ocr;
pub mod picture;
pub mod doc;
pub mod docx;
pub mod odt;
pub mod rtf;
pub mod spreadsheet;
pub mod text;
pub mod html;
pub mod estimate;
pub mod dwg;
pub mod dxf;
pub mod ifc;

mod encoding;
mod flow;
mod grid;
mod package;
mod tidy;
mod xml;
