//! The unpacked packages, as `certs/fetch` lays them out: certificates by their SHA-256.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64;
use time::Date;
use time::macros::format_description;

use crate::layout::{RootCertificate, Roots, Sha256};

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Certificates, each under the SHA-256 that is computed here and nowhere copied.
pub type Certificates = BTreeMap<Sha256, Vec<u8>>;

/// Every certificate of a file of PEM blocks.
///
/// # Errors
/// When the file cannot be read, or a block is not closed or not base64.
pub fn pem_file(path: &Path) -> io::Result<Certificates> {
    pem(&fs::read_to_string(path)?).ok_or_else(|| broken(path, "a broken PEM block"))
}

/// Every certificate of PEM blocks; `None` where one is broken.
pub fn pem(text: &str) -> Option<Certificates> {
    let mut blocks = text.split(BEGIN);
    blocks.next();
    let ders = blocks.map(|block| {
        let (base64, _) = block.split_once(END)?;
        let base64: String = base64.split_whitespace().collect();
        BASE64.decode(base64.as_bytes()).ok()
    });
    ders.map(|der| der.map(|der| (sha256(&der), der))).collect()
}

/// Adds certificates under the names of their subjects.
///
/// # Errors
/// When one is no certificate.
pub fn add(roots: &mut Roots, certificates: Certificates) -> io::Result<()> {
    for (sha256, der) in certificates {
        let subject = subject(&der)?;
        roots.insert(sha256, RootCertificate { subject, der });
    }
    Ok(())
}

fn subject(der: &[u8]) -> io::Result<String> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).map_err(io::Error::other)?;
    Ok(certificate.subject().to_string())
}

/// The versions of a package that are there, by name of their folder.
///
/// # Errors
/// When the folder cannot be read, or holds nothing.
pub fn versions(package: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let mut versions = Vec::new();
    for entry in fs::read_dir(package).map_err(|error| broken(package, &error.to_string()))? {
        let entry = entry?;
        versions.push((entry.file_name().to_string_lossy().into_owned(), entry.path()));
    }
    versions.sort();
    match versions.is_empty() {
        true => Err(broken(package, "no version is there")),
        false => Ok(versions),
    }
}

/// A day as `2026-10-23`.
///
/// # Errors
/// When the text is not one.
pub fn day(text: &str) -> io::Result<Date> {
    let format = format_description!("[year]-[month]-[day]");
    Date::parse(text, format).map_err(|_| io::Error::other(format!("{text}: not a day")))
}

/// SHA-256 of some bytes.
pub fn sha256(bytes: &[u8]) -> Sha256 {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, bytes).as_ref());
    hash
}

/// A package that is not as it was when its reader was written.
pub fn broken(path: &Path, why: &str) -> io::Error {
    io::Error::other(format!("{}: {why}", path.display()))
}
