//! Words of a text as the index sees them.
