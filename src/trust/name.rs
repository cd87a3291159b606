//! Names as certificates are compared with them (RFC 6125), and whether a leaf is for one.

use rustls_pki_types::{CertificateDer, ServerName};
use webpki::EndEntityCert;

use super::Refusal;
use crate::chain::Chain;

/// The name in the form that certificates are compared with: an IP address or an ASCII host name.
pub(super) fn server_name(name: &str) -> Result<ServerName<'_>, Refusal> {
    let trimmed = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(trimmed).map_err(|_| Refusal::BadName { name: name.to_owned() })
}

/// Whether the first certificate is for `name` (RFC 6125); `None` where nobody can read it.
///
/// One that only a client refuses to read, such as a router's of version 1, is for the names that
/// it states, and where it states none for its common name.
pub fn fits_name(chain: &Chain, name: &str) -> Option<bool> {
    let server = server_name(name).ok()?;
    let der = CertificateDer::from(chain.first().der());
    if let Ok(leaf) = EndEntityCert::try_from(&der) {
        return Some(leaf.verify_is_valid_for_subject_name(&server).is_ok());
    }
    let fields = chain.first().fields()?;
    let stated = &fields.alternative_names;
    let common = fields.subject.attribute("CN").filter(|_| stated.is_empty());
    Some(stated.iter().map(String::as_str).chain(common).any(|stated| covers(stated, name)))
}

/// Whether a name of a certificate, perhaps with a wildcard for its first label, is `name`.
fn covers(stated: &str, name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    let beyond = name.split_once('.').map(|(_, beyond)| beyond);
    let wild = stated.strip_prefix("*.").zip(beyond);
    stated.eq_ignore_ascii_case(name)
        || wild.is_some_and(|(suffix, beyond)| suffix.eq_ignore_ascii_case(beyond))
}

#[cfg(test)]
mod tests {
    use kua_mint::{Authority, Key, Template};

    use super::*;

    #[test]
    fn names_of_leaves_that_no_client_reads() {
        let root = Authority::root("Root");
        let old = |name: &str| {
            root.leaf_with(&Key::ecdsa_p256(), Template::leaf(&[name]).version_1()).certificate
        };
        for (case, leaf, expected) in [
            ("root -> version 1 leaf", old("www.example.com"), Some(true)),
            ("root -> version 1 leaf, wildcard", old("*.example.com"), Some(true)),
            ("root -> version 1 leaf, wildcard above", old("*.com"), Some(false)),
            ("root -> version 1 leaf for another name", old("example.com"), Some(false)),
            ("garbage", b"\x30\x01\x00".to_vec(), None),
        ] {
            let chain = Chain::from_der([&leaf]).unwrap();
            assert_eq!(fits_name(&chain, "www.example.com"), expected, "{case}");
        }
    }
}
