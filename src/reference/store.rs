//! A root program's anchors: `stores/<program>.pem`, PEM with `# key: value` comments.

use data_encoding::BASE64;
use time::Date;
use time::macros::format_description;

use super::ReferenceError;
use crate::trust::{Anchor, TrustStore};

/// Reads `program` and `date` from the head of the file, then every certificate;
/// `# name-constraints: <base64>` before one adds what the program imposes on it.
pub(super) fn parse(path: &str, text: &str) -> Result<TrustStore, ReferenceError> {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".pem");
    let mut store = TrustStore { program: stem.to_owned(), date: None, anchors: Vec::new() };
    let mut constraints = None;
    let mut block: Option<String> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let bad =
            |reason: String| ReferenceError::BadStore { path: path.into(), line: number, reason };
        let line = line.trim();
        if let Some(body) = &mut block {
            if line == "-----END CERTIFICATE-----" {
                let der = decoded(body).map_err(bad)?;
                let anchor = anchor(path, store.anchors.len(), &der)?;
                store.anchors.push(match constraints.take() {
                    Some(imposed) => anchor.constrained(imposed),
                    None => anchor,
                });
                block = None;
            } else {
                body.push_str(line);
            }
        } else if let Some(comment) = line.strip_prefix('#') {
            match comment.split_once(':').map(|(key, value)| (key.trim(), value.trim())) {
                Some(("program", name)) => store.program = name.to_owned(),
                Some(("date", date)) => {
                    let format = format_description!("[year]-[month]-[day]");
                    let date = Date::parse(date, format).map_err(|error| bad(error.to_string()))?;
                    store.date = Some(date);
                }
                Some(("name-constraints", imposed)) => {
                    constraints = Some(decoded(imposed).map_err(bad)?);
                }
                _ => {}
            }
        } else if line == "-----BEGIN CERTIFICATE-----" {
            block = Some(String::new());
        }
    }
    let bad = |reason: &str| ReferenceError::BadStore {
        path: path.into(),
        line: text.lines().count(),
        reason: reason.into(),
    };
    match (block, store.anchors.is_empty()) {
        (Some(_), _) => Err(bad("the last certificate has no end")),
        (None, true) => Err(bad("the file holds no root")),
        (None, false) => Ok(store),
    }
}

fn anchor(path: &str, index: usize, der: &[u8]) -> Result<Anchor, ReferenceError> {
    Anchor::from_certificate(der).map_err(|error| ReferenceError::BadAnchor {
        path: path.into(),
        index,
        reason: error.to_string(),
    })
}

fn decoded(text: &str) -> Result<Vec<u8>, String> {
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
