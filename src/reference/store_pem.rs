//! A root program's anchors at one day, `stores/<program>.pem`, and certificates for other files to
//! name, `roots.pem`: PEM with `# key: value` comments.

use data_encoding::BASE64;
use time::Date;
use time::macros::format_description;

use super::ReferenceError;
use crate::chain::Certificate;
use crate::trust::{Anchor, TrustStore};

/// Reads `program` and `date` from the head of the file, then every certificate;
/// `# name-constraints: <base64>` before one adds what the program imposes on it.
pub(super) fn parse(path: &str, text: &str) -> Result<TrustStore, ReferenceError> {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".pem");
    let (mut program, mut date, mut constraints) = (stem.to_owned(), None, None);
    let mut anchors = Vec::new();
    read(path, text, |number, item| {
        let bad = |reason| ReferenceError::BadStore { path: path.into(), line: number, reason };
        match item {
            Item::Comment("program", name) => program = name.to_owned(),
            Item::Comment("date", stated) => date = Some(day(stated).map_err(bad)?),
            Item::Comment("name-constraints", imposed) => {
                constraints = Some(decoded(imposed).map_err(bad)?);
            }
            Item::Comment(..) => {}
            Item::Certificate(der) => {
                let anchor = anchor(path, anchors.len(), &der)?;
                anchors.push(match constraints.take() {
                    Some(imposed) => anchor.constrained(imposed),
                    None => anchor,
                });
            }
        }
        Ok(())
    })?;
    if anchors.is_empty() {
        let (line, reason) = (text.lines().count(), "the file holds no root".into());
        return Err(ReferenceError::BadStore { path: path.into(), line, reason });
    }
    let mut store = TrustStore::new(program, anchors);
    store.date = date;
    Ok(store)
}

/// The certificates of `roots.pem`, in their order.
pub(super) fn certificates(path: &str, text: &str) -> Result<Vec<Certificate>, ReferenceError> {
    let mut certificates = Vec::new();
    read(path, text, |line, item| {
        if let Item::Certificate(der) = item {
            let certificate = Certificate::from_bytes(&der).map_err(|error| {
                ReferenceError::BadStore { path: path.into(), line, reason: error.to_string() }
            })?;
            certificates.push(certificate);
        }
        Ok(())
    })?;
    Ok(certificates)
}

enum Item<'a> {
    Comment(&'a str, &'a str),
    Certificate(Vec<u8>),
}

/// Hands over comments `# key: value` and certificates with the number of their last line.
fn read(
    path: &str,
    text: &str,
    mut each: impl FnMut(usize, Item<'_>) -> Result<(), ReferenceError>,
) -> Result<(), ReferenceError> {
    let bad =
        |line: usize, reason: String| ReferenceError::BadStore { path: path.into(), line, reason };
    let mut block: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if let Some(body) = &mut block {
            if line == "-----END CERTIFICATE-----" {
                let der = decoded(body).map_err(|reason| bad(number, reason))?;
                each(number, Item::Certificate(der))?;
                block = None;
            } else {
                body.push_str(line);
            }
        } else if let Some(comment) = line.strip_prefix('#') {
            if let Some((key, value)) = comment.split_once(':') {
                each(number, Item::Comment(key.trim(), value.trim()))?;
            }
        } else if line == "-----BEGIN CERTIFICATE-----" {
            block = Some(String::new());
        }
    }
    match block {
        Some(_) => Err(bad(text.lines().count(), "the last certificate has no end".into())),
        None => Ok(()),
    }
}

fn anchor(path: &str, index: usize, der: &[u8]) -> Result<Anchor, ReferenceError> {
    Anchor::from_certificate(der).map_err(|error| ReferenceError::BadAnchor {
        path: path.into(),
        index,
        reason: error.to_string(),
    })
}

/// A day as reference files write it.
pub(super) fn day(text: &str) -> Result<Date, String> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|error| format!("{text:?} is not a day: {error}"))
}

pub(super) fn decoded(text: &str) -> Result<Vec<u8>, String> {
    BASE64.decode(text.as_bytes()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_pem_file_is_a_store() {
        let root = kua_mint::Authority::root("Some Root");
        let store = parse("stores/some.pem", &kua_mint::pem(&root.certificate)).unwrap();
        assert_eq!(store.program, "some");
        assert_eq!(store.anchors.len(), 1);
        assert_eq!(store.anchors[0].spki, root.key.spki());
    }

    #[test]
    fn head_and_imposed_constraints() {
        let root = kua_mint::Authority::root("Some Root");
        // NameConstraints content: permittedSubtrees, dNSName "example.com".
        let imposed = BASE64.encode(b"\xa0\x0f\x30\x0d\x82\x0bexample.com");
        let text = format!(
            "# program: Some Program\n# date: 2026-10-18\n\n# name-constraints: {imposed}\n{}",
            kua_mint::pem(&root.certificate)
        );
        let store = parse("stores/some.pem", &text).unwrap();
        assert_eq!(store.program, "Some Program");
        assert_eq!(store.date.unwrap().to_string(), "2026-10-18");
        let at = time::OffsetDateTime::from_unix_timestamp(kua_mint::NOW).ok();
        for (name, accepted) in [("www.example.com", true), ("www.example.org", false)] {
            let chain = crate::chain::Chain::from_der([root.leaf(name).certificate]).unwrap();
            assert_eq!(store.accepts(&chain, name, at).is_ok(), accepted, "{name}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in [
            "",
            "# program: Empty\n",
            "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n",
            "# date: yesterday\n",
        ] {
            assert!(parse("stores/some.pem", text).is_err(), "{text}");
        }
    }
}
