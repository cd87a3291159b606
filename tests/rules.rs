//! Stored judgements are those of one set of rules: a change of a rule names another one.

use kua_tests::{files_below, repository};

#[allow(dead_code, reason = "a build script has a main function as well")]
#[path = "../build.rs"]
mod build;

#[test]
fn a_changed_detector_changes_the_rules_and_words_about_it_do_not() {
    let root = tempfile::tempdir().unwrap();
    let source = repository();
    for file in files_below(&source.join("src"), &[".rs"]) {
        let copy = root.path().join(file.strip_prefix(&source).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(&file, copy).unwrap();
    }
    std::fs::copy(source.join("Cargo.lock"), root.path().join("Cargo.lock")).unwrap();
    let rules = || build::rules(root.path()).unwrap();
    let first = rules();
    assert_eq!(first, kua::verdict::RULES, "the library was built from these sources");

    let change = |file: &str, from: &str, to: &str| {
        let path = root.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{file} holds {from:?}");
        std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    };
    let write = |file: &str, text: &str| std::fs::write(root.path().join(file), text).unwrap();
    change("src/detect/weak_key.rs", "//! ", "//! In other words: ");
    change("src/detect/testing.rs", "pub(crate) fn ", "#[must_use]\npub(crate) fn ");
    assert_eq!(rules(), first, "comments and tests are no rules");

    change("src/detect/weak_key.rs", "2048", "2047");
    let second = rules();
    assert_ne!(second, first, "a detector");
    write("src/detect/another.rs", "fn another() {}\n");
    let third = rules();
    assert_ne!(third, second, "a new file");
    change(
        "Cargo.lock",
        "name = \"x509-parser\"\nversion = \"0.",
        "name = \"x509-parser\"\nversion = \"9.",
    );
    assert_ne!(rules(), third, "a parser of certificates");
}
