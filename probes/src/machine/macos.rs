//! macOS: its keychains as `security find-certificate -a -p` prints them, and its trust settings.

use super::{Content, StoreError, Trust, pem};

/// Keychains and what they are, in words. `~` is the user's home.
pub const KEYCHAINS: &[(&str, &str)] = &[
    ("/System/Library/Keychains/SystemRootCertificates.keychain", "Apple's roots"),
    ("/Library/Keychains/System.keychain", "the machine's own certificates"),
    ("~/Library/Keychains/login.keychain-db", "the user's certificates"),
];

/// Certificates of a keychain that nobody trusts unless a trust setting says so.
pub const OWN: &[&str] =
    &["/Library/Keychains/System.keychain", "~/Library/Keychains/login.keychain-db"];

/// What the result of a trust setting means (`SecTrustSettingsResult`).
const TRUST_ROOT: i64 = 1;
const TRUST_AS_ROOT: i64 = 2;
const DENY: i64 = 3;

/// A keychain as printed, with the trust that `settings` give it, by SHA-1. A certificate of a
/// keychain whose certificates need a setting is held and not trusted where there is none.
///
/// # Errors
/// As [`pem::read`].
pub fn listed(text: &[u8], settings: &[(String, Trust)], own: bool) -> Result<Content, StoreError> {
    let mut content = pem::read(text)?;
    for held in &mut content.held {
        let sha1 = held.certificate.sha1();
        let said = settings.iter().find(|(hash, _)| *hash == sha1).map(|(_, trust)| *trust);
        let unsaid = if own { Trust::Unsaid } else { Trust::Trusted };
        held.trust = said.unwrap_or(unsaid);
    }
    Ok(content.each_once())
}

/// The trust settings that `security trust-settings-export` writes: an XML property list with a
/// dictionary for each certificate, named by its SHA-1. A certificate without a stated result is
/// trusted as a root; one with several keeps the worst for the user, a denial.
pub fn settings(plist: &str) -> Vec<(String, Trust)> {
    let mut settings: Vec<(String, Trust)> = Vec::new();
    for part in plist.split("<key>").skip(1) {
        let Some((key, after)) = part.split_once("</key>") else { continue };
        if key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            settings.push((key.to_ascii_lowercase(), Trust::Trusted));
        } else if key == "kSecTrustSettingsResult" {
            let number = after.split_once("<integer>").and_then(|(_, rest)| rest.split_once('<'));
            let result = number.and_then(|(number, _)| number.trim().parse::<i64>().ok());
            let said = match result {
                Some(TRUST_ROOT | TRUST_AS_ROOT) => Trust::Trusted,
                Some(DENY) => Trust::Distrusted,
                _ => Trust::Unsaid,
            };
            if let Some((_, trust)) = settings.last_mut() {
                *trust = (*trust).max(said);
            }
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use kua::chain::Certificate;
    use kua_mint::Authority;

    use super::*;

    #[test]
    fn settings_go_with_certificates_by_hash() {
        let roots = ["One", "Two", "Three"].map(|name| Authority::root(name).certificate);
        let sha1 = |der: &[u8]| Certificate::from_bytes(der).unwrap().sha1().to_uppercase();
        let entry = |hash: &str, result: &str| {
            format!(
                "<key>{hash}</key><dict><key>issuerName</key><data>AA==</data>\n<key>trustSettings</key><array>{result}</array></dict>\n"
            )
        };
        let deny = "<dict><key>kSecTrustSettingsResult</key>\n<integer>3</integer></dict>";
        let plist = format!(
            "<plist><dict><key>trustList</key><dict>{}{}</dict><key>trustVersion</key><integer>1</integer></dict></plist>",
            entry(&sha1(&roots[0]), ""),
            entry(&sha1(&roots[1]), deny)
        );
        let text: String = roots.iter().map(|root| kua_mint::pem(root)).collect();
        let settings = settings(&plist);
        for (own, last) in [(true, Trust::Unsaid), (false, Trust::Trusted)] {
            let content = listed(text.as_bytes(), &settings, own).unwrap();
            let trust: Vec<_> = content.held.iter().map(|held| held.trust).collect();
            assert_eq!(trust, [Trust::Trusted, Trust::Distrusted, last]);
        }
        assert_eq!(super::settings("<key>"), []);
    }
}
