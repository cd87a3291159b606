//! Prints `certs/stores/mozilla.pem`, the roots that Mozilla trusts for TLS servers; with
//! `logs FILE`, what a downloaded list of Certificate Transparency logs becomes in `certs/logs`.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{self, BufWriter, Write};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, HEXLOWER};
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;
use webpki_roots::TLS_SERVER_ROOTS;
use x509_parser::prelude::{FromDer, X509Certificate};

/// The date is the day on which the newer of the two packages was published.
const HEADER: &str = "\
# program: Mozilla
# date: 2026-10-23
# source: webpki-root-certs 1.0.11, webpki-roots 1.0.10
# licence: CDLA-Permissive-2.0
# use: TLS server authentication
";

fn main() -> io::Result<()> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    match arguments.as_slice() {
        [] => write_store(&mut out)?,
        [command, file] if command == "logs" => out.write_all(logs(file)?.as_bytes())?,
        _ => return Err(io::Error::other("usage: kua-certs [logs FILE]")),
    }
    out.flush()
}

fn logs(file: &OsStr) -> io::Result<String> {
    let list = kua_certs::reports::logs::from_bytes(&std::fs::read(file)?);
    Ok(list.map_err(io::Error::other)?.toml())
}

fn write_store(out: &mut impl Write) -> io::Result<()> {
    let roots = roots(&anchors())?;
    out.write_all(HEADER.as_bytes())?;
    for (sha256, root) in &roots {
        write_root(out, sha256, root)?;
    }
    Ok(())
}

/// What a program trusts: a name and a key, both as whole DER values.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Anchor {
    subject: Vec<u8>,
    key: Vec<u8>,
}

/// A root whose certificate is at hand.
struct Root {
    subject: String,
    der: &'static [u8],
    constraints: Option<&'static [u8]>,
}

/// Anchors, each with the name constraints that the program imposes on it.
type Anchors = BTreeMap<Anchor, Option<&'static [u8]>>;

fn anchors() -> Anchors {
    TLS_SERVER_ROOTS
        .iter()
        .map(|anchor| {
            let identity = Anchor {
                subject: sequence(&anchor.subject),
                key: sequence(&anchor.subject_public_key_info),
            };
            (identity, anchor.name_constraints.as_deref())
        })
        .collect()
}

/// Every certificate by its SHA-256. An anchor without a certificate is one that Mozilla has removed
/// since: webpki-root-certs is the newer of the two packages.
fn roots(anchors: &Anchors) -> io::Result<BTreeMap<String, Root>> {
    TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| {
            let (_, certificate) = X509Certificate::from_der(der).map_err(io::Error::other)?;
            let subject = certificate.subject().to_string();
            let anchor = Anchor {
                subject: certificate.subject().as_raw().to_vec(),
                key: certificate.public_key().raw.to_vec(),
            };
            let constraints = anchors.get(&anchor).copied().ok_or_else(|| {
                io::Error::other(format!("webpki-roots has no anchor for {subject}"))
            })?;
            let root = Root { subject, der, constraints };
            Ok((sha256(der), root))
        })
        .collect()
}

fn write_root(out: &mut impl Write, sha256: &str, root: &Root) -> io::Result<()> {
    writeln!(out, "\n# {}\n# sha256: {sha256}", root.subject)?;
    write_constraints(out, root.constraints)?;
    write_pem(out, root.der)
}

fn write_constraints(out: &mut impl Write, constraints: Option<&[u8]>) -> io::Result<()> {
    constraints.map_or(Ok(()), |der| writeln!(out, "# name-constraints: {}", BASE64.encode(der)))
}

fn write_pem(out: &mut impl Write, der: &[u8]) -> io::Result<()> {
    writeln!(out, "-----BEGIN CERTIFICATE-----")?;
    for line in BASE64.encode(der).as_bytes().chunks(64) {
        out.write_all(line)?;
        writeln!(out)?;
    }
    writeln!(out, "-----END CERTIFICATE-----")
}

fn sha256(der: &[u8]) -> String {
    HEXLOWER.encode(digest(&SHA256, der).as_ref())
}

/// webpki-roots keeps the contents of its DER values; this puts the SEQUENCE around them again.
fn sequence(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let significant = &length[content.len().leading_zeros() as usize / 8..];
    let mut der = vec![0x30];
    match content.len() {
        short @ 0..0x80 => der.push(short as u8),
        _ => {
            der.push(0x80 | significant.len() as u8);
            der.extend_from_slice(significant);
        }
    }
    der.extend_from_slice(content);
    der
}
