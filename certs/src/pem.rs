//! Prints `stores/mozilla.pem`, the roots that Mozilla trusts for TLS servers.

use std::io::{self, Write};

use data_encoding::{BASE64, HEXLOWER};
use kua_certs::layout::Roots;
use kua_certs::sources::webpki;

/// The date is the day on which the newer of the two packages was published.
const HEADER: &str = "\
# program: Mozilla
# date: 2026-10-23
# source: webpki-root-certs 1.0.11, webpki-roots 1.0.10
# licence: CDLA-Permissive-2.0
# use: TLS server authentication
";

/// Writes the whole file.
pub(crate) fn write(out: &mut impl Write) -> io::Result<()> {
    let mut roots = Roots::new();
    let (_, constraints) = webpki::state(&mut roots)?;
    out.write_all(HEADER.as_bytes())?;
    for (sha256, root) in &roots {
        writeln!(out, "\n# {}\n# sha256: {}", root.subject, HEXLOWER.encode(sha256))?;
        if let Some(der) = constraints.get(sha256) {
            writeln!(out, "# name-constraints: {}", BASE64.encode(der))?;
        }
        writeln!(out, "-----BEGIN CERTIFICATE-----")?;
        for line in BASE64.encode(&root.der).as_bytes().chunks(64) {
            out.write_all(line)?;
            writeln!(out)?;
        }
        writeln!(out, "-----END CERTIFICATE-----")?;
    }
    Ok(())
}
