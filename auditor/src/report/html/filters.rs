//! Filters of the page's templates.

use std::fmt::Display;

use askama::filters::{Html, Safe, escape};
use askama::{Result, Values};

/// Escapes text and keeps dates and percentages on one line: browsers break at hyphens and spaces.
#[askama::filter_fn]
pub(super) fn unbroken(text: impl Display, _: &dyn Values) -> Result<Safe<String>> {
    let escaped = escape(text.to_string(), Html)?.to_string();
    let words = escaped.replace(" %", "\u{a0}%");
    let words = words.split(' ').map(|word| match begins_with_date(word) {
        true => format!("<span class=\"date\">{word}</span>"),
        false => word.to_owned(),
    });
    Ok(Safe(words.collect::<Vec<_>>().join(" ")))
}

fn begins_with_date(word: &str) -> bool {
    let mut bytes = word.bytes();
    "0000-00-00".bytes().all(|wanted| match bytes.next() {
        Some(byte) if wanted == b'0' => byte.is_ascii_digit(),
        byte => byte == Some(wanted),
    })
}
