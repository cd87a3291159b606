//! A record without the address of its sender.

use std::borrow::Cow;
use std::ops::Range;

use data_encoding::BASE64;

use super::marker::marker;
use super::sender::Sender;
use crate::chain::Certificate;

/// What stands in place of an address, as OONI's probes write it.
const SCRUBBED: &str = "[scrubbed]";

/// The shortest base64 text that is looked into: an address with its length needs as much.
const SHORTEST: usize = 8;

struct Edit {
    range: Range<usize>,
    text: Cow<'static, str>,
}

/// The record without the address; `None` where it does not hold it. All else stays as it was sent.
///
/// A certificate with the address in it is taken out whole, and a marker says so. Blanking the
/// address would not do: whoever knows a hash of the certificate, or its signature and the signer's
/// key, finds the address again by trying all.
pub(super) fn scrub<'a>(
    record: &str,
    sender: &Sender,
    certificates: impl Iterator<Item = &'a Certificate>,
) -> Option<Vec<u8>> {
    let mut edits: Vec<_> = sender.texts_in(record).into_iter().map(in_text).collect();
    let mut others = None;
    let mut certificates = Some(certificates);
    for range in strings(record) {
        let Some(bytes) = decoded(&record[range.clone()]) else { continue };
        let found = sender.found_in(&bytes);
        if found.is_empty() {
            continue;
        }
        let others = others.get_or_insert_with(|| {
            certificates.take().into_iter().flatten().take(64).cloned().collect::<Vec<_>>()
        });
        edits.push(in_base64(record, range, bytes, &found, sender, others));
    }
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|edit| edit.range.start);
    let mut scrubbed = String::with_capacity(record.len());
    let mut from = 0;
    for Edit { range, text } in edits {
        // One base64 text may be inside another's edit only if a string held a string.
        if range.start < from {
            continue;
        }
        scrubbed.push_str(&record[from..range.start]);
        scrubbed.push_str(&text);
        from = range.end;
    }
    scrubbed.push_str(&record[from..]);
    Some(scrubbed.into_bytes())
}

fn in_text(range: Range<usize>) -> Edit {
    Edit { range, text: SCRUBBED.into() }
}

fn in_base64(
    record: &str,
    range: Range<usize>,
    mut bytes: Vec<u8>,
    found: &[Range<usize>],
    sender: &Sender,
    others: &[Certificate],
) -> Edit {
    let signed_structure = bytes.first() == Some(&0x30);
    if signed_structure && is_data(&record[..range.start]) {
        // The string becomes empty, and the marker its neighbour.
        let text = format!("\",\"x_kua_scrubbed\":{}", marker(&bytes, sender, others));
        return Edit { range: range.start..range.end + 1, text: text.into() };
    }
    if signed_structure {
        return Edit { range, text: SCRUBBED.into() };
    }
    for part in found {
        bytes[part.clone()].fill(b'x');
    }
    Edit { range, text: BASE64.encode(&bytes).into() }
}

/// Whether what stands before a string's text makes it the `data` of an object.
fn is_data(before: &str) -> bool {
    let key = before.strip_suffix('"').map(str::trim_end).and_then(|key| key.strip_suffix(':'));
    key.is_some_and(|key| key.trim_end().ends_with("\"data\""))
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    if text.len() < SHORTEST {
        return None;
    }
    // Some of OONI's published files escape every slash.
    let text = if text.contains('\\') { text.replace("\\/", "/").into() } else { Cow::from(text) };
    BASE64.decode(text.as_bytes()).ok()
}

/// The text of each string of JSON, between its quotes.
fn strings(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let bytes = text.as_bytes();
    let mut from = 0;
    std::iter::from_fn(move || {
        let start = from + memchr::memchr(b'"', bytes.get(from..)?)? + 1;
        let mut end = start;
        loop {
            end += memchr::memchr2(b'"', b'\\', bytes.get(end..)?)?;
            if bytes[end] == b'"' {
                break;
            }
            end += 2;
        }
        from = end + 1;
        Some(start..end)
    })
}
