//! What is inspected: certificates in a file, records in a file, or a live host.

use std::io::{Read, Seek};
use std::path::Path;

use data_encoding::BASE64;
use kua::chain::{Certificate, Chain, MAX_CERTIFICATE};
use kua::measurement::{Handshake, Measurement, Target};
use kua_console::{Moment, Trouble};
use kua_probes::target;

use crate::commands::records::Records;

/// Longest file of certificates, in bytes.
const MAX_FILE: usize = 8 * 1024 * 1024;

pub(super) enum Source {
    /// PEM or DER.
    Certificates(Chain),
    /// One measurement a line.
    Records(Records),
    /// Somebody to connect to.
    Live(Target),
}

/// A file if there is one of that name, else a host.
pub(super) fn open(subject: &str) -> Result<Source, Trouble> {
    let unreadable =
        |error: std::io::Error| Trouble::new(format!("cannot read {subject}")).because(error);
    if subject != "-" && !Path::new(subject).exists() {
        return target::parse(subject).map(Source::Live).map_err(|error| {
            Trouble::new(format!("cannot inspect {subject}"))
                .because(error)
                .hint("there is no file of that name, and it is no host either")
        });
    }
    if subject == "-" {
        let mut start = Vec::new();
        let mut input = std::io::stdin().lock();
        input.by_ref().take(MAX_FILE as u64).read_to_end(&mut start).map_err(unreadable)?;
        if is_json(&start) {
            let rest = std::io::Cursor::new(start).chain(std::io::stdin());
            return Ok(Source::Records(Records::new(subject, Box::new(rest))));
        }
        return certificates(subject, &start).map(Source::Certificates);
    }
    let mut file = std::fs::File::open(subject).map_err(unreadable)?;
    let mut start = Vec::new();
    file.by_ref().take(MAX_FILE as u64).read_to_end(&mut start).map_err(unreadable)?;
    if is_json(&start) {
        file.rewind().map_err(unreadable)?;
        return Ok(Source::Records(Records::new(subject, Box::new(file))));
    }
    certificates(subject, &start).map(Source::Certificates)
}

/// A chain from a file as if it had been presented at `at` for the name that its leaf has first. An
/// authority's certificate is presented for no site.
pub(super) fn measurement(chain: Chain, at: Moment) -> Measurement {
    let leaf = chain.first().fields().filter(|fields| !fields.is_ca);
    let name = leaf.and_then(|leaf| {
        let first = leaf.alternative_names.first().cloned();
        first.or_else(|| leaf.subject.attribute("CN").map(str::to_owned))
    });
    let shaken = Handshake {
        // A wildcard stands for any name below it.
        server_name: name.map(|name| name.replacen("*.", "www.", 1)),
        chain: Some(chain),
        whole: true,
        unverified: true,
        ..Handshake::default()
    };
    Measurement { started: Some(at), handshakes: vec![shaken], ..Measurement::default() }
}

fn is_json(start: &[u8]) -> bool {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    text.trim_ascii_start().starts_with(b"{")
}

fn certificates(subject: &str, bytes: &[u8]) -> Result<Chain, Trouble> {
    let refused = |reason: String| {
        Trouble::new(format!("cannot inspect {subject}"))
            .because(reason)
            .hint("it must hold certificates (PEM or DER) or measurement records (JSONL)")
    };
    let pem = pem_blocks(bytes).map_err(refused)?;
    if !pem.is_empty() {
        return Chain::from_der(&pem).map_err(|error| refused(error.to_string()));
    }
    if bytes.first() != Some(&0x30) || bytes.len() > MAX_CERTIFICATE {
        return Err(refused("it holds no certificate".into()));
    }
    let one = Certificate::from_bytes(bytes).and_then(|one| Chain::new(vec![one]));
    one.map_err(|error| refused(error.to_string()))
}

/// The certificates among the text, in order; other text and other blocks are passed over.
fn pem_blocks(bytes: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    const END: &str = "-----END CERTIFICATE-----";
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    let mut rest = text.as_ref();
    while let Some((_, block)) = rest.split_once(BEGIN) {
        let (body, after) = block.split_once(END).ok_or("its last certificate has no end")?;
        let body: String = body.split_whitespace().collect();
        let der = BASE64.decode(body.as_bytes());
        found.push(
            der.map_err(|error| format!("certificate {} is broken: {error}", found.len() + 1))?,
        );
        rest = after;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_der_and_nothing() {
        let root = kua_mint::Authority::root("Root");
        let leaf = root.leaf("example.com").certificate;
        let pem =
            format!("depth 0\n{}\r\n{}", kua_mint::pem(&leaf), kua_mint::pem(&root.certificate));
        let chain = certificates("a", pem.as_bytes()).unwrap();
        assert_eq!(chain.certificates().len(), 2);
        assert_eq!(certificates("a", &leaf).unwrap().first().der(), leaf);
        let broken = pem.replace("-----END CERTIFICATE-----", "");
        for nothing in [&b""[..], b"hello", broken.as_bytes(), b"-----BEGIN CERTIFICATE-----"] {
            assert!(certificates("a", nothing).is_err());
        }
    }
}
