//! NSS databases (`cert9.db`) of Firefox, Thunderbird, Chromium and systems: an SQLite table of
//! PKCS#11 objects. It is read from a copy in memory, so that it is never locked or changed.

use std::collections::{BTreeMap, BTreeSet};

use data_encoding::HEXLOWER;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, MAIN_DB};

use super::{Content, MAX_CERTIFICATES, StoreError, Trust};

/// How an SQLite database begins.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";

/// How `cert8.db` begins: Berkeley DB 1.85, a hash, in either byte order.
pub(super) const OLD_MAGICS: [&[u8]; 2] = [&[0, 0x06, 0x15, 0x61], &[0x61, 0x15, 0x06, 0]];

/// Where the header says that changes lie in a second file, which a copy in memory has not.
const JOURNAL_VERSIONS: [usize; 2] = [18, 19];

/// Columns are named `a` and the number of the PKCS#11 attribute in hexadecimal.
const CLASS: &str = "a0";
const LABEL: &str = "a3";
const VALUE: &str = "a11";
const ISSUER: &str = "a81";
const SERIAL: &str = "a82";
/// Of NSS until 2025, and of PKCS#11 3.2.
const SERVER_AUTH: [&str; 2] = ["ace536358", "a62c"];
const HASH: [&str; 2] = ["ace5363b4", "a635"];

const CERTIFICATE: u32 = 1;
/// `CKO_NSS_TRUST` and `CKO_TRUST`.
const TRUST: [u32; 2] = [0xce53_4353, 0x0b];
/// `CKT_NSS_TRUSTED`, `CKT_NSS_TRUSTED_DELEGATOR`, `CKT_TRUSTED` and `CKT_TRUST_ANCHOR`.
const TRUSTED: [u32; 4] = [0xce53_4351, 0xce53_4352, 1, 2];
/// `CKT_NSS_NOT_TRUSTED` and `CKT_NOT_TRUSTED`.
const DISTRUSTED: [u32; 2] = [0xce53_435a, 3];

/// What NSS writes where an attribute has no bytes.
const NO_BYTES: &[u8] = &[0xa5, 0, 0x5a];

/// Longest attribute, in bytes.
const MAX_ATTRIBUTE: i32 = 1 << 20;

/// Reads the certificates and what is said of them for TLS servers. The signatures over the trust
/// settings need the profile's key and are not checked.
///
/// # Errors
/// [`StoreError::Nss`], [`StoreError::NotNss`] and [`StoreError::TooMany`].
pub fn read(bytes: &[u8]) -> Result<Content, StoreError> {
    let connection = opened(bytes).map_err(StoreError::Nss)?;
    // A view or a virtual table of that name could run for ever.
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' \
                  AND name = 'nssPublic' AND sql LIKE 'CREATE TABLE%'";
    let tables: i64 =
        connection.query_row(tables, [], |row| row.get(0)).map_err(StoreError::Nss)?;
    if tables != 1 {
        return Err(StoreError::NotNss);
    }
    let objects = objects(&connection).map_err(StoreError::Nss)?;
    if objects.len() > 2 * MAX_CERTIFICATES {
        return Err(StoreError::TooMany);
    }
    content(&objects)
}

fn opened(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut copy = bytes.to_vec();
    for at in JOURNAL_VERSIONS {
        if let Some(version) = copy.get_mut(at) {
            *version = 1;
        }
    }
    let mut connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, MAX_ATTRIBUTE)?;
    connection.deserialize_read_exact(MAIN_DB, copy.as_slice(), copy.len(), true)?;
    Ok(connection)
}

/// The attributes of one object that matter here, by column.
type Object = BTreeMap<&'static str, Vec<u8>>;

fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let columns = columns(connection)?;
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let (limit, names) = (2 * MAX_CERTIFICATES + 1, columns.join(", "));
    let query = format!("SELECT id, {names} FROM nssPublic ORDER BY id LIMIT {limit}");
    let mut statement = connection.prepare(&query)?;
    let mut rows = statement.query([])?;
    let mut objects = Vec::new();
    while let Some(row) = rows.next()? {
        let mut object = Object::new();
        for (position, name) in (1..).zip(&columns) {
            let bytes = match row.get_ref(position)? {
                ValueRef::Blob(bytes) | ValueRef::Text(bytes) if bytes != NO_BYTES => bytes,
                _ => continue,
            };
            object.insert(name, bytes.to_vec());
        }
        objects.push(object);
    }
    Ok(objects)
}

/// Those of the columns that matter here which the table has.
///
/// rusqlite panics where it is asked for the name of a column that is not UTF-8.
fn columns(connection: &Connection) -> rusqlite::Result<Vec<&'static str>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info('nssPublic')")?;
    let mut rows = statement.query([])?;
    let mut named = BTreeSet::new();
    while let Some(row) = rows.next()? {
        if let ValueRef::Text(name) = row.get_ref(0)? {
            named.insert(name.to_vec());
        }
    }
    let wanted = [CLASS, LABEL, VALUE, ISSUER, SERIAL].into_iter().chain(SERVER_AUTH).chain(HASH);
    Ok(wanted.filter(|name| named.contains(name.as_bytes())).collect())
}

fn content(objects: &[Object]) -> Result<Content, StoreError> {
    // What is said of a certificate is another object with the same issuer and serial number.
    let said = objects.iter().filter(|object| TRUST.iter().any(|class| is(object, *class)));
    let mut said: BTreeMap<_, _> =
        said.filter_map(|object| Some((named(object)?, (trust(object), object)))).collect();
    let mut content = Content::default();
    for object in objects.iter().filter(|object| is(object, CERTIFICATE)) {
        let Some(der) = object.get(VALUE) else {
            content.passed_over += 1;
            continue;
        };
        let said = named(object).and_then(|name| said.remove(&name));
        let trust = said.map_or(Trust::Unsaid, |(trust, _)| trust);
        let label = object.get(LABEL).map(|label| String::from_utf8_lossy(label).into_owned());
        content.add_with(der, &label.unwrap_or_default(), trust, None)?;
    }
    let without = said.values().filter(|(trust, _)| *trust == Trust::Distrusted);
    let hash = |object: &Object| HASH.iter().find_map(|column| object.get(column).cloned());
    content.distrusted =
        without.filter_map(|(_, object)| Some(HEXLOWER.encode(&hash(object)?))).collect();
    Ok(content)
}

fn is(object: &Object, class: u32) -> bool {
    number(object, CLASS) == Some(class)
}

/// A number is four bytes, big-endian, on every machine.
fn number(object: &Object, column: &str) -> Option<u32> {
    let bytes = object.get(column)?.as_slice();
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn named(object: &Object) -> Option<(&[u8], &[u8])> {
    Some((object.get(ISSUER)?, object.get(SERIAL)?))
}

fn trust(object: &Object) -> Trust {
    match SERVER_AUTH.iter().find_map(|column| number(object, column)) {
        Some(value) if TRUSTED.contains(&value) => Trust::Trusted,
        Some(value) if DISTRUSTED.contains(&value) => Trust::Distrusted,
        _ => Trust::Unsaid,
    }
}

#[cfg(test)]
mod tests {
    use kua::chain::Certificate;
    use kua_mint::Authority;

    use super::*;
    use crate::machine::testing::{DISTRUSTS, TRUSTS, database};

    /// What a fuzzer found: a name that rusqlite would not take for text.
    #[test]
    fn a_column_whose_name_is_no_text() {
        let bytes = database(&[("root", &Authority::root("One").certificate, Some(TRUSTS))]);
        let at = bytes.windows(3).position(|window| window == b"a3,").unwrap();
        for byte in [0x80, 0xff] {
            let mut odd = bytes.clone();
            odd[at + 1] = byte;
            let content = read(&odd).unwrap();
            assert_eq!(content.held.len(), 1);
            assert_eq!(content.held[0].label, "", "the column of labels is not there");
        }
    }

    #[test]
    fn what_is_said_goes_with_issuer_and_serial() {
        let roots: Vec<_> =
            ["One", "Two", "Three", "Four"].map(|name| Authority::root(name).certificate).into();
        let bytes = database(&[
            ("trusted", &roots[0], Some(TRUSTS)),
            ("distrusted", &roots[1], Some(DISTRUSTS)),
            ("held", &roots[2], None),
            ("", &roots[3], Some(DISTRUSTS)),
        ]);
        let mut in_a_journal = bytes.clone();
        in_a_journal[18..20].copy_from_slice(&[2, 2]);
        for bytes in [bytes, in_a_journal] {
            let content = read(&bytes).unwrap();
            let held: Vec<_> =
                content.held.iter().map(|held| (held.label.as_str(), held.trust)).collect();
            assert_eq!(
                held,
                [
                    ("trusted", Trust::Trusted),
                    ("distrusted", Trust::Distrusted),
                    ("held", Trust::Unsaid)
                ]
            );
            assert_eq!(content.distrusted, [Certificate::from_bytes(&roots[3]).unwrap().sha1()]);
        }
    }

    #[test]
    fn what_is_no_database_of_nss() {
        let root = Authority::root("Root").certificate;
        let bytes = database(&[("root", &root, None)]);
        for cut in (0..bytes.len()).step_by(97) {
            let _ = read(&bytes[..cut]);
        }
        assert!(matches!(read(&bytes[..4096]), Err(StoreError::Nss(_))));
        assert!(matches!(read(MAGIC), Err(StoreError::Nss(_))));
        for schema in [
            "CREATE TABLE other (id)",
            "CREATE VIEW nssPublic AS WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id FROM n) SELECT id FROM n",
            "CREATE VIRTUAL TABLE nssPublic USING fts5(a0)",
        ] {
            let mut connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(schema).unwrap();
            let bytes = connection.serialize(MAIN_DB).unwrap().to_vec();
            assert!(matches!(read(&bytes), Err(StoreError::NotNss)), "{schema}");
        }
    }
}
