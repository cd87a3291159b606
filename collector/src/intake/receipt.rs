//! How a record came: kept beside it, and never part of it.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

/// How a record came. Of the sender's address it holds only how it compares with the record's claim.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// When it was received.
    #[serde(default, with = "moment", skip_serializing_if = "Option::is_none")]
    pub t: Option<OffsetDateTime>,
    /// The name that the collector gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Which protocol it came by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<String>,
    /// The Ed25519 key that signed the submission.
    #[serde(default, with = "base64", skip_serializing_if = "Option::is_none")]
    pub key: Option<Vec<u8>>,
    /// Its signature.
    #[serde(default, with = "base64", skip_serializing_if = "Option::is_none")]
    pub sig: Option<Vec<u8>>,
    /// How the sender's address compares with the network and country that the record claims.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Sender>,
    /// The sender's address was taken out of the record before it was kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub scrubbed: bool,
}

/// How a sender's address compares with what the record claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sender {
    /// It lies in the network that the record names.
    Same,
    /// In another network of the same country.
    OtherNetwork,
    /// In another country.
    OtherCountry,
    /// The address is in no table.
    Unknown,
}

impl Receipt {
    /// One JSON object without a space, as it stands in a segment.
    pub(crate) fn to_text(&self) -> Vec<u8> {
        // A value of text, bytes and numbers always serialises; outside of its strings there is
        // no space.
        let text = serde_json::to_string(self).unwrap_or_default();
        text.replace(' ', "\\u0020").into_bytes()
    }
}

mod moment {
    use serde::{Deserialize, Deserializer, Serializer};
    use time::OffsetDateTime;
    use time::format_description::well_known::Rfc3339;

    pub(super) fn serialize<S: Serializer>(
        t: &Option<OffsetDateTime>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let text = t.map(|t| t.format(&Rfc3339)).transpose().map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&text.unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        let text = String::deserialize(from)?;
        OffsetDateTime::parse(&text, &Rfc3339).map(Some).map_err(serde::de::Error::custom)
    }
}

mod base64 {
    use data_encoding::BASE64;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(
        bytes: &Option<Vec<u8>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64.encode(bytes.as_deref().unwrap_or_default()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<Vec<u8>>, D::Error> {
        let text = String::deserialize(from)?;
        BASE64.decode(text.as_bytes()).map(Some).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_receipt_is_one_word_and_comes_back() {
        for (case, receipt) in [
            ("nothing known", Receipt::default()),
            (
                "all known",
                Receipt {
                    t: Some(datetime!(2026-11-25 02:00:00.5 UTC)),
                    uid: Some("20261125 020000\\ \"x\"".into()),
                    via: Some("ooni report".into()),
                    key: Some(vec![1; 32]),
                    sig: Some(vec![255; 64]),
                    network: Some(Sender::OtherNetwork),
                    scrubbed: true,
                },
            ),
        ] {
            let text = receipt.to_text();
            assert!(!text.contains(&b' ') && !text.contains(&b'\n'), "{case}");
            assert_eq!(serde_json::from_slice::<Receipt>(&text).unwrap(), receipt, "{case}");
        }
        assert_eq!(Receipt::default().to_text(), b"{}");
    }

    #[test]
    fn what_is_no_receipt_is_refused() {
        for text in ["", "-", r#"{"t":"yesterday"}"#, r#"{"key":"?"}"#, r#"{"network":"moon"}"#] {
            assert!(serde_json::from_str::<Receipt>(text).is_err(), "{text}");
        }
    }
}
