//! The accuracy of judgements, pinned: the page that `make accuracy` prints, word for word.

use kua_tests::accuracy::measure;
use kua_tests::{repository, told};

/// What was measured when this was last looked at. `UPDATE_ACCURACY=1` writes it anew.
const EXPECTED: &str = "tests/accuracy.txt";

#[test]
fn is_what_it_was() {
    let report = measure();
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
    let path = repository().join(EXPECTED);
    if std::env::var_os("UPDATE_ACCURACY").is_some() {
        std::fs::write(&path, report.to_string()).unwrap();
        return;
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    let (skipped, measured): (Vec<_>, Vec<_>) =
        report.sections.iter().partition(|section| section.skipped);
    for section in &skipped {
        told(&format!("{}: {}", section.title, section.lines[0]));
    }
    for section in measured {
        let section = section.to_string();
        assert!(expected.contains(&section), "not in {EXPECTED}:\n{section}");
    }
    if skipped.is_empty() {
        assert_eq!(report.to_string(), expected, "{EXPECTED} says more than was measured");
    }
}
