//! The header of a STEP file.

use crate::reader::ReadError;
use crate::tidy::tidy_line;
use ifc_lite_core::parser::header;
use shared::outcome::Code;
use std::collections::BTreeMap;

/// Bytes in which the header of a file ends.
const HEADER_BYTES: usize = 64 << 10;

/// What the header says of the file. Other STEP files (of machines and their parts) are refused.
pub(super) fn properties(text: &str) -> Result<BTreeMap<String, String>, ReadError> {
    let mut properties = BTreeMap::new();
    let head = &text[..text.floor_char_boundary(HEADER_BYTES)];
    if let Some(schema) = header::declared_schema_bounded(head.as_bytes()) {
        if !schema.to_ascii_uppercase().starts_with("IFC") {
            let message = format!("модель STEP другого вида, не IFC: {}", tidy_line(&schema));
            return Err(ReadError::new(Code::UnsupportedFormat, message));
        }
        properties.insert("ifc_schema".to_owned(), schema);
    }
    // FILE_NAME: name, time stamp, authors, organizations, preprocessor, program, authorization.
    let arguments = header::extract_record_args(head, "FILE_NAME").unwrap_or_default();
    let arguments = header::split_top_level(&arguments);
    let names = ["", "created", "author", "organization", "", "program"];
    for (argument, name) in arguments.iter().zip(names) {
        let value = match argument.trim().starts_with('(') {
            true => header::decode_string_list(argument).join("; "),
            false => header::decode_opt_string(argument).unwrap_or_default(),
        };
        let value = tidy_line(&value);
        if !name.is_empty() && !value.is_empty() {
            properties.insert(name.to_owned(), value);
        }
    }
    Ok(properties)
}
