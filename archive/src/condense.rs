//! A record with its certificates' texts taken out, and put back byte for byte.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::BASE64;
use kua::chain::{Certificate, Fingerprint};
use kua::wire::MAX_RECORD;
use memchr::{memchr, memchr2};

use crate::Damage;

/// Stands in front of a certificate's name.
const NAMED: &[u8] = b"sha256:";
const NAME_LENGTH: usize = NAMED.len() + 64;

/// Stands behind the name where the text has its slashes escaped, as some of OONI's published
/// files have them.
const ESCAPED: &[u8] = br"\/";

/// What a settled segment keeps of `raw`: without the texts of `certificates` where they can be put
/// back.
pub(crate) fn condense<'a>(
    raw: &[u8],
    certificates: impl Iterator<Item = &'a Certificate>,
) -> Vec<u8> {
    let mut names = HashMap::new();
    let mut texts: HashMap<Fingerprint, Arc<[u8]>> = HashMap::new();
    for certificate in certificates {
        let text = BASE64.encode(certificate.der()).into_bytes();
        if text.len() > NAME_LENGTH + ESCAPED.len() {
            let name = format!("sha256:{}", certificate.fingerprint()).into_bytes();
            names.insert(escaped(&text), [&name, ESCAPED].concat());
            names.insert(text.clone(), name);
            texts.insert(certificate.fingerprint(), text.into());
        }
    }
    let text_of = |fingerprint| {
        texts.get(&fingerprint).cloned().ok_or(Damage::MissingCertificate { fingerprint })
    };
    let short = replace(raw, |text| Ok::<_, Damage>(names.get(text).cloned()))
        .ok()
        .filter(|short| restore(short, text_of).is_ok_and(|restored| restored == raw));
    short.unwrap_or_else(|| raw.to_vec())
}

/// Puts the texts of certificates back in the place of their names.
pub(crate) fn restore<E: From<Damage>>(
    short: &[u8],
    mut text_of: impl FnMut(Fingerprint) -> Result<Arc<[u8]>, E>,
) -> Result<Vec<u8>, E> {
    replace(short, |string| {
        let (name, is_escaped) = match string.strip_suffix(ESCAPED) {
            Some(name) => (name, true),
            None => (string, false),
        };
        let Some(name) = named(name) else { return Ok(None) };
        let text = text_of(name)?;
        Ok(Some(if is_escaped { escaped(&text) } else { text.to_vec() }))
    })
}

/// The certificates that stand in a text by their names.
pub(crate) fn named_in(short: &[u8]) -> Vec<Fingerprint> {
    let mut names = Vec::new();
    let all = replace(short, |string| {
        names.extend(named(string.strip_suffix(ESCAPED).unwrap_or(string)));
        Ok::<_, Damage>(None)
    });
    // Nothing is replaced, so that it is not longer than it was.
    all.map(|_| names).unwrap_or_default()
}

fn named(text: &[u8]) -> Option<Fingerprint> {
    let hex = text.strip_prefix(NAMED).filter(|_| text.len() == NAME_LENGTH)?;
    str::from_utf8(hex).ok()?.parse().ok()
}

fn escaped(text: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len() + 64);
    for byte in text {
        if *byte == b'/' {
            escaped.push(b'\\');
        }
        escaped.push(*byte);
    }
    escaped
}

/// Replaces what is between the quotes of some of the JSON strings in `text`.
fn replace<E: From<Damage>>(
    text: &[u8],
    mut by: impl FnMut(&[u8]) -> Result<Option<Vec<u8>>, E>,
) -> Result<Vec<u8>, E> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = memchr(b'"', rest) {
        let (before, string) = rest.split_at(start + 1);
        replaced.extend_from_slice(before);
        let (content, after) = string.split_at(end_of_string(string));
        match by(content)? {
            Some(other) => replaced.extend_from_slice(&other),
            None => replaced.extend_from_slice(content),
        }
        // The closing quote must not open the next string.
        let quote = after.len().min(1);
        replaced.extend_from_slice(&after[..quote]);
        rest = &after[quote..];
        if replaced.len() > MAX_RECORD {
            return Err(Damage::TooLong.into());
        }
    }
    replaced.extend_from_slice(rest);
    Ok(replaced)
}

/// The position of the quote that closes the string, or the length where none does.
fn end_of_string(string: &[u8]) -> usize {
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', &string[at..]) {
        at += found;
        if string[at] == b'"' {
            return at;
        }
        at = (at + 2).min(string.len());
    }
    string.len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn certificate() -> Certificate {
        Certificate::from_bytes(&[[0x30; 45], [0xff; 45]].concat()).unwrap()
    }

    /// What a reader does, with one certificate kept.
    fn read_back(line: Vec<u8>, raw: &[u8]) -> Vec<u8> {
        let kept = certificate();
        if line == raw {
            return line;
        }
        let text: Arc<[u8]> = BASE64.encode(kept.der()).into_bytes().into();
        restore(&line, |fingerprint| {
            let found = (fingerprint == kept.fingerprint()).then(|| text.clone());
            found.ok_or(Damage::MissingCertificate { fingerprint })
        })
        .unwrap()
    }

    #[test]
    fn texts_of_certificates_are_taken_out_where_they_can_be_put_back() {
        let certificate = certificate();
        let text = BASE64.encode(certificate.der());
        let name = format!("sha256:{}", certificate.fingerprint());
        let other = format!("sha256:{}", Fingerprint::of(b"other"));
        let slashes = text.replace('/', r"\/");
        for (case, raw, kept) in [
            ("slashes escaped", format!(r#"["{slashes}"]"#), format!(r#"["{name}\/"]"#)),
            (
                "one slash escaped",
                format!(r#"["{}"]"#, text.replacen('/', r"\/", 1)),
                format!(r#"["{}"]"#, text.replacen('/', r"\/", 1)),
            ),
            ("one", format!(r#"{{"data":"{text}"}}"#), format!(r#"{{"data":"{name}"}}"#)),
            ("twice", format!(r#"["{text}","{text}"]"#), format!(r#"["{name}","{name}"]"#)),
            ("after an escape", format!(r#"["\"","{text}"]"#), format!(r#"["\"","{name}"]"#)),
            ("part of a string", format!(r#"["a{text}"]"#), format!(r#"["a{text}"]"#)),
            (
                "a name of its own",
                format!(r#"["{text}","{name}"]"#),
                format!(r#"["{text}","{name}"]"#),
            ),
            (
                "another name",
                format!(r#"["{text}","{other}"]"#),
                format!(r#"["{text}","{other}"]"#),
            ),
            ("lines", format!("[\n\"{text}\"\n]"), format!("[\n\"{name}\"\n]")),
            ("no string ends", format!(r#"["{text}"#), format!(r#"["{name}"#)),
        ] {
            let condensed = condense(raw.as_bytes(), std::iter::once(&certificate));
            assert_eq!(String::from_utf8_lossy(&condensed), kept, "{case}");
            assert_eq!(read_back(condensed, raw.as_bytes()), raw.as_bytes(), "{case}");
        }
    }

    proptest! {
        #[test]
        fn any_text_comes_back(parts in proptest::collection::vec(0usize..9, 0..30)) {
            let certificate = certificate();
            let text = BASE64.encode(certificate.der());
            let name = format!("sha256:{}", certificate.fingerprint());
            let slashes = text.replace('/', r"\/");
            let pieces = ["\"", "\\", "{", ",", "\n", r"\/", &text, &slashes, &name];
            let raw: String = parts.iter().map(|part| pieces[*part]).collect();
            let condensed = condense(raw.as_bytes(), std::iter::once(&certificate));
            prop_assert_eq!(read_back(condensed, raw.as_bytes()), raw.as_bytes());
        }
    }
}
