//! PEM files: one chain a file, of nobody knows which site.
//!
//! PEM is no JSON, so a file becomes a record: `{"format":"kua.pem/1","certificates":[{"data":
//! "<base64>","format":"base64"},...]}`, its certificates in their order and nothing else that the
//! file holds. The same chain gives the same bytes.

use data_encoding::BASE64;

use super::certificates::{Certificates, of_der};
use super::node::Node;
use super::{Format, Text, WireError};
use crate::chain::Chain;
use crate::measurement::{Handshake, Measurement, Software};

pub(super) static FORMAT: Format = Format {
    name: "pem",
    about: "a file of PEM certificates: one presented chain, leaf first, of no known site",
    text: Some(&Text { sign: "-----BEGIN CERTIFICATE-----", to_record }),
    fits: |record| record.at("format").as_str() == Some(NAME),
    read,
};

const NAME: &str = "kua.pem/1";

const BEGIN: &str = "-----BEGIN ";
const CERTIFICATE: &str = "CERTIFICATE-----";

/// The record of a PEM file.
///
/// # Errors
/// [`WireError::BadCertificate`] where one of its certificates is none, or there is none.
fn to_record(text: &[u8]) -> Result<Vec<u8>, WireError> {
    let bad =
        |index, reason| WireError::BadCertificate { server_name: String::new(), index, reason };
    let ders = certificates_in(text).map_err(|reason| bad(0, reason))?;
    if ders.is_empty() {
        return Err(bad(0, "no PEM certificate".into()));
    }
    let mut record = format!("{{\"format\":\"{NAME}\",\"certificates\":[");
    for (index, der) in ders.iter().enumerate() {
        of_der(der).map_err(|reason| bad(index, reason))?;
        let comma = if index == 0 { "" } else { "," };
        record.push_str(comma);
        record.push_str("{\"data\":\"");
        BASE64.encode_append(der, &mut record);
        record.push_str("\",\"format\":\"base64\"}");
    }
    record.push_str("]}");
    Ok(record.into_bytes())
}

/// The certificates of PEM text (RFC 7468), whatever else is between them; or what is wrong.
pub(super) fn certificates_in(text: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let text = str::from_utf8(text).map_err(|error| error.to_string())?;
    let mut ders = Vec::new();
    let mut within: Option<String> = None;
    for line in text.lines() {
        let line = line.trim();
        match &mut within {
            None if line.strip_prefix(BEGIN) == Some(CERTIFICATE) => within = Some(String::new()),
            None => {}
            Some(body) if line.starts_with("-----END ") => {
                let der = BASE64.decode(body.as_bytes()).map_err(|error| error.to_string())?;
                ders.push(der);
                within = None;
            }
            Some(body) => body.extend(line.split_ascii_whitespace()),
        }
    }
    match within {
        None => Ok(ders),
        Some(_) => Err("a PEM certificate without an end".into()),
    }
}

fn read(record: &Node<'_>, certificates: &mut Certificates) -> Result<Measurement, WireError> {
    let bad =
        |index, reason| WireError::BadCertificate { server_name: String::new(), index, reason };
    let mut presented = Vec::new();
    for (index, certificate) in record.at("certificates").items().iter().enumerate() {
        let text = certificate.at("data").as_str().unwrap_or_default();
        presented.push(certificates.of(text).map_err(|reason| bad(index, reason))?);
    }
    let count = presented.len();
    let chain = Chain::new(presented).map_err(|error| bad(count, error.to_string()))?;
    Ok(Measurement {
        software: Software { name: "pem".into(), test: "pem".into(), ..Software::default() },
        handshakes: vec![Handshake {
            unverified: true,
            chain: Some(chain),
            whole: true,
            ..Handshake::default()
        }],
        ..Measurement::default()
    })
}

#[cfg(test)]
mod tests {
    use super::super::{from_line, from_record};
    use super::*;
    use crate::chain::Certificate;

    #[test]
    fn a_file_is_a_chain_and_the_same_chain_is_the_same_record() {
        let root = kua_mint::Authority::root("Some Root");
        let pem = |der: &[u8]| Certificate::from_bytes(der).unwrap().pem();
        let (leaf, root) = (pem(&root.leaf("a.example").certificate), pem(&root.certificate));
        let plain = to_record(format!("{leaf}{root}").as_bytes()).unwrap();
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let talkative =
            format!(" 0 s:CN=a.example\r\n{leaf}---\n{key}{root}").replace('\n', "\r\n");
        assert_eq!(to_record(talkative.as_bytes()).unwrap(), plain);
        let read = from_record(&plain).unwrap();
        let chain = read.handshakes[0].chain.as_ref().unwrap();
        assert_eq!(chain.certificates().len(), 2);
        assert_eq!(chain.first().pem(), leaf);
        assert_eq!(read.target_host(), None);
        assert!(from_line(&plain).is_err(), "it is not OONI's");
    }

    #[test]
    fn files_without_a_certificate_are_refused() {
        for text in [
            "",
            "no PEM",
            "-----BEGIN CERTIFICATE-----\nMIIB\n",
            "-----BEGIN CERTIFICATE-----\n%\n-----END CERTIFICATE-----\n",
            "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        ] {
            assert!(to_record(text.as_bytes()).is_err(), "{text:?}");
        }
        let empty = br#"{"format":"kua.pem/1","certificates":[]}"#;
        assert!(from_record(empty).is_err());
    }
}
