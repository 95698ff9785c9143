//! W3C Trace Context: the header `traceparent` of a request goes with its job to every attempt at
//! every document, so that one trace shows what a request set off.

use uuid::Uuid;

/// The trace of a request: its own header where it is valid, otherwise a new trace.
pub fn accept(header: Option<&str>) -> String {
    match header.map(str::trim).filter(|header| is_valid(header)) {
        Some(header) => header.to_owned(),
        None => format!("00-{}-{}-01", Uuid::new_v4().simple(), span_id()),
    }
}

/// The trace's id (32 hex digits) and a new id for a span in it (16 hex digits).
pub fn child(traceparent: &str) -> Option<(String, String)> {
    if !is_valid(traceparent) {
        return None;
    }
    Some((traceparent.split('-').nth(1)?.to_owned(), span_id()))
}

fn span_id() -> String {
    let random = Uuid::new_v4().simple().to_string();
    random.chars().take(16).collect()
}

/// Version 00: `00-<32 hex>-<16 hex>-<2 hex>`, lower case, ids not all zero.
fn is_valid(header: &str) -> bool {
    let parts: Vec<&str> = header.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    let hex = |part: &&str| part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let zero = |part: &&str| part.bytes().all(|b| b == b'0');
    lengths == [2, 32, 16, 2]
        && parts.first() == Some(&"00")
        && parts.iter().all(hex)
        && !parts.iter().skip(1).take(2).any(zero)
}

#[cfg(test)]
mod tests {
    use super::{accept, child};

    #[test]
    fn a_valid_trace_is_kept_and_anything_else_becomes_a_new_one() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let header = format!("00-{trace}-b7ad6b7169203331-01");
        assert_eq!(accept(Some(&header)), header);
        let (of, span) = child(&header).unwrap();
        assert_eq!((of.as_str(), span.len()), (trace, 16));
        for broken in [
            "",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        ] {
            assert!(child(broken).is_none(), "{broken}");
            let fresh = accept(Some(broken));
            assert!(child(&fresh).is_some() && fresh != broken);
        }
        assert_ne!(accept(None), accept(None));
    }
}
