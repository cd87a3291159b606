//! A root program's anchors: `stores/<program>.pem`, PEM blocks with `# key: value` comments.

use data_encoding::BASE64;
use time::Date;
use time::macros::format_description;

use super::ReferenceError;
use crate::trust::{Anchor, TrustStore};

/// Reads `program` and `date` from the head of the file, then every block: a `CERTIFICATE`, or a
/// `PUBLIC KEY` after `# subject: <base64 DER Name>` where the program gives no more.
/// `# name-constraints: <base64>` before a block adds what the program imposes.
pub(super) fn parse(path: &str, text: &str) -> Result<TrustStore, ReferenceError> {
    let stem = path.rsplit('/').next().unwrap_or(path).trim_end_matches(".pem");
    let mut store = TrustStore { program: stem.to_owned(), date: None, anchors: Vec::new() };
    let mut notes = Notes::default();
    let mut block: Option<(Block, String)> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let bad =
            |reason: String| ReferenceError::BadStore { path: path.into(), line: number, reason };
        let line = line.trim();
        if let Some((kind, body)) = &mut block {
            if line.starts_with("-----END ") {
                let der = BASE64.decode(body.as_bytes()).map_err(|error| bad(error.to_string()))?;
                store.anchors.push(anchor(path, store.anchors.len(), *kind, &der, &notes)?);
                notes = Notes::default();
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
                Some(("subject", name)) => {
                    notes.subject = Some(decoded(name).map_err(bad)?);
                }
                Some(("name-constraints", constraints)) => {
                    notes.name_constraints = Some(decoded(constraints).map_err(bad)?);
                }
                _ => {}
            }
        } else {
            block = Block::opened_by(line).map(|kind| (kind, String::new()));
        }
    }
    match (block, store.anchors.is_empty()) {
        (Some(_), _) => Err(ReferenceError::BadStore {
            path: path.into(),
            line: text.lines().count(),
            reason: "the last PEM block has no end".into(),
        }),
        (None, true) => Err(ReferenceError::BadStore {
            path: path.into(),
            line: 1,
            reason: "holds no root".into(),
        }),
        (None, false) => Ok(store),
    }
}

#[derive(Default)]
struct Notes {
    subject: Option<Vec<u8>>,
    name_constraints: Option<Vec<u8>>,
}

#[derive(Clone, Copy)]
enum Block {
    Certificate,
    PublicKey,
}

impl Block {
    fn opened_by(line: &str) -> Option<Self> {
        match line {
            "-----BEGIN CERTIFICATE-----" => Some(Self::Certificate),
            "-----BEGIN PUBLIC KEY-----" => Some(Self::PublicKey),
            _ => None,
        }
    }
}

fn anchor(
    path: &str,
    index: usize,
    kind: Block,
    der: &[u8],
    notes: &Notes,
) -> Result<Anchor, ReferenceError> {
    let bad = |reason: String| ReferenceError::BadAnchor { path: path.into(), index, reason };
    let anchor = match (kind, &notes.subject) {
        (Block::Certificate, _) => {
            Anchor::from_certificate(der).map_err(|error| bad(error.to_string()))?
        }
        (Block::PublicKey, Some(subject)) => Anchor::from_key(subject, der)
            .ok_or_else(|| bad("its subject or key is not DER".into()))?,
        (Block::PublicKey, None) => return Err(bad("a key without a subject".into())),
    };
    Ok(match &notes.name_constraints {
        Some(constraints) => anchor.constrained(constraints.clone()),
        None => anchor,
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
    fn head_and_notes() {
        let root = kua_mint::Authority::root("Some Root");
        let key = BASE64.encode(&root.key.spki());
        let text = format!(
            "# program: Some Program\n# date: 2026-10-18\n\n# subject: {}\n\
             -----BEGIN PUBLIC KEY-----\n{key}\n-----END PUBLIC KEY-----\n",
            BASE64.encode(&root.name)
        );
        let store = parse("stores/some.pem", &text).unwrap();
        assert_eq!(store.program, "Some Program");
        assert_eq!(store.date.unwrap().to_string(), "2026-10-18");
        assert_eq!(store.anchors[0].subject, "CN=Some Root");
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        for text in [
            "",
            "# program: Empty\n",
            "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\nMAMCAQE=\n",
            "-----BEGIN PUBLIC KEY-----\nMAMCAQE=\n-----END PUBLIC KEY-----\n",
            "# date: yesterday\n",
        ] {
            assert!(parse("stores/some.pem", text).is_err(), "{text}");
        }
    }
}
