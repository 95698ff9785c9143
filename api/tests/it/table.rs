//! The table of faults in docs/live.md names tests that exist.

use std::path::Path;

#[test]
fn every_fault_has_its_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let page = std::fs::read_to_string(root.join("docs/live.md")).unwrap();
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with('|')).collect();
    let mut faults = Vec::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let Ok(number) = cells[1].parse::<u32>() else { continue };
        faults.push(number);
        let tests = cells[4].split('`').filter_map(|word| word.split_once("::"));
        let mut named = 0;
        for (module, test) in tests {
            let exists = ["api/tests/it", "shared/tests/it"].iter().any(|folder| {
                let file = root.join(folder).join(format!("{module}.rs"));
                std::fs::read_to_string(file)
                    .is_ok_and(|text| text.contains(&format!("fn {test}(")))
            });
            assert!(exists, "{number}: there is no {module}::{test}");
            named += 1;
        }
        assert!(named > 0, "{number} names no test");
    }
    assert_eq!(faults, Vec::from_iter(1..=20));
}
