//! DOCX files made here, read back.
