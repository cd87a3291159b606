//! x509-limbo, on its own: the same section stands in the report of accuracy.

use kua_tests::accuracy::limbo;
use kua_tests::told;

#[test]
fn answers_as_clients_should_or_says_why_not() {
    let section = limbo::section();
    told(&section.to_string());
    assert_eq!(section.failures, Vec::<String>::new());
}
