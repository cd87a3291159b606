//! Stores as programs write them, for tests: NSS databases and Java keystores.

use aws_lc_rs::digest;
use kua::chain::Certificate;
use kua_mint::NOW;
use rusqlite::{Connection, MAIN_DB, params};

/// `CKT_NSS_TRUSTED_DELEGATOR`.
pub(crate) const TRUSTS: u32 = 0xce53_4352;
/// `CKT_NSS_NOT_TRUSTED`.
pub(crate) const DISTRUSTS: u32 = 0xce53_435a;

const CERTIFICATE: u32 = 1;
const TRUST: u32 = 0xce53_4353;

/// An NSS database with one object for each certificate that has a nickname, and one for what is
/// said of it for TLS servers.
pub(crate) fn database(entries: &[(&str, &[u8], Option<u32>)]) -> Vec<u8> {
    let mut connection = Connection::open_in_memory().unwrap();
    let columns = "a0, a3, a11, a81, a82, ace536358, ace5363b4";
    let table =
        format!("CREATE TABLE nssPublic (id PRIMARY KEY UNIQUE ON CONFLICT ABORT, {columns});");
    connection.execute_batch(&table).unwrap();
    for (nickname, der, said) in entries {
        let certificate = Certificate::from_bytes(der).unwrap();
        let fields = certificate.fields().unwrap();
        let (issuer, serial) = (fields.issuer.der(), &fields.serial);
        if !nickname.is_empty() {
            let insert = "INSERT INTO nssPublic (id, a0, a3, a11, a81, a82) \
                          SELECT count(*), ?1, ?2, ?3, ?4, ?5 FROM nssPublic";
            let class = CERTIFICATE.to_be_bytes();
            connection
                .execute(insert, params![class, nickname.as_bytes(), der, issuer, serial])
                .unwrap();
        }
        if let Some(said) = said {
            let insert = "INSERT INTO nssPublic (id, a0, a3, a81, a82, ace536358, ace5363b4) \
                          SELECT count(*), ?1, ?2, ?3, ?4, ?5, ?6 FROM nssPublic";
            let nothing: &[u8] = &[0xa5, 0, 0x5a];
            let sha1 = data_encoding::HEXLOWER.decode(certificate.sha1().as_bytes()).unwrap();
            let (class, said) = (TRUST.to_be_bytes(), said.to_be_bytes());
            connection
                .execute(insert, params![class, nothing, issuer, serial, said, sha1])
                .unwrap();
        }
    }
    connection.serialize(MAIN_DB).unwrap().to_vec()
}

/// A keystore as `keytool -importcert` makes it, all entries of [`NOW`].
pub(crate) fn keystore(password: &str, entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![0xfe, 0xed, 0xfe, 0xed, 0, 0, 0, 2];
    let number = |length: usize| u32::try_from(length).unwrap().to_be_bytes();
    let text = |text: &str| {
        let length = u16::try_from(text.len()).unwrap().to_be_bytes();
        [&length[..], text.as_bytes()].concat()
    };
    bytes.extend(number(entries.len()));
    for (alias, der) in entries {
        bytes.extend(number(2));
        bytes.extend(text(alias));
        bytes.extend((NOW * 1000).to_be_bytes());
        bytes.extend(text("X.509"));
        bytes.extend(number(der.len()));
        bytes.extend(*der);
    }
    let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let hashed = [password.as_slice(), b"Mighty Aphrodite", &bytes].concat();
    bytes.extend(digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &hashed).as_ref());
    bytes
}
