//! A log for tests. It signs over a TBSCertificate that mint made without the extension, so that
//! nothing under test takes part in the expected bytes.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use kua_mint::{Authority, Extension, Key, NOW, Template};
use time::OffsetDateTime;

use super::{Kind, Log, LogKey, LogList, LogState};
use crate::chain::{Certificate, KeyHash};

/// A log and its key.
pub(crate) struct TestLog {
    pub(crate) key: Key,
    pub(crate) log: Log,
}

impl TestLog {
    pub(crate) fn new(description: &str, operator: &str) -> Self {
        let key = Key::ecdsa_p256();
        let log = Log {
            id: KeyHash::of(&key.spki()),
            description: description.into(),
            operator: operator.into(),
            kind: Kind::Rfc6962,
            purpose: None,
            key: LogKey::from_spki(&key.spki()).unwrap(),
            states: vec![(OffsetDateTime::UNIX_EPOCH, LogState::Usable)],
        };
        Self { key, log }
    }

    /// A serialised SCT over the certificate that `template` without SCTs becomes.
    pub(crate) fn sct(&self, authority: &Authority, leaf: &Key, template: &Template) -> Vec<u8> {
        let plain = Certificate::from_bytes(&authority.sign(&leaf.spki(), template)).unwrap();
        let tbs = &plain.fields().unwrap().tbs;
        let timestamp = u64::try_from(NOW * 1000).unwrap().to_be_bytes();
        let issuer = KeyHash::of(&authority.key.spki());
        let length = u32::try_from(tbs.len()).unwrap().to_be_bytes();
        let signed =
            [&[0, 0][..], &timestamp, &[0, 1], issuer.as_bytes(), &length[1..], tbs, &[0, 0]]
                .concat();
        let pair =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.key.pkcs8()).unwrap();
        let signature = pair.sign(&SystemRandom::new(), &signed).unwrap();
        let mut sct = vec![0];
        sct.extend(self.log.id.as_bytes());
        sct.extend(timestamp);
        sct.extend([0, 0, 4, 3]);
        sct.extend(opaque(signature.as_ref()));
        sct
    }
}

/// The logs as one program's list.
pub(crate) fn list(logs: &[&TestLog]) -> LogList {
    let logs = logs.iter().map(|log| log.log.clone()).collect();
    LogList { program: "Test".into(), version: None, date: None, logs }
}

/// The extension that holds `scts`.
pub(crate) fn extension(scts: &[Vec<u8>]) -> Extension {
    let list: Vec<u8> = scts.iter().flat_map(|sct| opaque(sct)).collect();
    let list = opaque(&list);
    let length = u16::try_from(list.len()).unwrap();
    let mut value = match u8::try_from(length) {
        Ok(short @ 0..0x80) => vec![0x04, short],
        Ok(short) => vec![0x04, 0x81, short],
        Err(_) => [&[0x04, 0x82][..], &length.to_be_bytes()].concat(),
    };
    value.extend(list);
    raw_extension(&value)
}

/// The extension with any content.
pub(crate) fn raw_extension(value: &[u8]) -> Extension {
    let oid = vec![1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2];
    Extension { oid, critical: false, value: value.to_vec() }
}

fn opaque(bytes: &[u8]) -> Vec<u8> {
    [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
}
