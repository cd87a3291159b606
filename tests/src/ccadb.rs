//! The authorities' certificates that root programs disclosed (CCADB), read from their archive.

use std::process::Command;

use crate::{data, tool};
use kua::chain::{Certificate, Fingerprint};

/// One disclosed certificate.
#[derive(Debug)]
pub struct Disclosed {
    /// As the row states it; not always that of `certificate`.
    pub stated: Fingerprint,
    /// As the row holds it.
    pub certificate: Certificate,
}

/// Every certificate that became valid from 1994 to 2014, in the order of the archive; `None`
/// where the archive or the tools to open it are absent.
///
/// # Panics
/// Where the archive is another than it was.
pub fn disclosed() -> Option<Vec<Disclosed>> {
    let archive = data("ccadb")?.join("ca-pems-notbefore-1994-2014.tar.xz");
    let (tar, _) = (tool("tar")?, tool("xz")?);
    let unpacked = Command::new(tar).arg("-xJOf").arg(archive).output().unwrap();
    assert!(unpacked.status.success(), "{}", String::from_utf8_lossy(&unpacked.stderr));
    let text = String::from_utf8(unpacked.stdout).unwrap();
    // The files of the archive follow one another, each with its header.
    let rows = rows(&text).into_iter().filter(|row| row[0] != "SHA-256 Fingerprint");
    Some(rows.map(|row| of_row(&row)).collect())
}

fn of_row(row: &[String]) -> Disclosed {
    let [stated, pem] = row else { panic!("a row has a hash and a certificate: {row:?}") };
    let pem = pem.trim_matches('\'');
    let (_, block) = x509_parser::pem::parse_x509_pem(pem.as_bytes()).unwrap();
    Disclosed {
        stated: stated.parse().unwrap(),
        certificate: Certificate::from_bytes(&block.contents).unwrap(),
    }
}

/// The fields of every row (RFC 4180): a field in quotes may hold commas, line breaks and quotes
/// written twice.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            letter => field.push(letter),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_in_quotes() {
        let text = "a,\"b, \"\"c\"\"\r\nd\"\r\n'e',\"\"\nf";
        let expected: &[&[&str]] = &[&["a", "b, \"c\"\r\nd"], &["'e'", ""], &["f"]];
        assert_eq!(rows(text), expected);
    }
}
