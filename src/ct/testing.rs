//! A log for tests: mint's signs over a TBSCertificate that was made without the extension, so that
//! nothing under test takes part in the expected bytes.

use kua_mint::{Authority, Extension, Key, Template};
use time::OffsetDateTime;

use super::{Kind, Log, LogKey, LogList, LogState};
use crate::chain::KeyHash;

/// A log and what a list says of it.
pub(crate) struct TestLog {
    pub(crate) mint: kua_mint::Log,
    pub(crate) log: Log,
}

impl TestLog {
    pub(crate) fn new(description: &str, operator: &str) -> Self {
        let mint = kua_mint::Log::new();
        let log = Log {
            id: KeyHash::of(&mint.key.spki()),
            description: description.into(),
            operator: operator.into(),
            kind: Kind::Rfc6962,
            purpose: None,
            key: LogKey::from_spki(&mint.key.spki()).unwrap(),
            states: vec![(OffsetDateTime::UNIX_EPOCH, LogState::Usable)],
        };
        Self { mint, log }
    }

    /// A serialised SCT over the certificate that `template` without SCTs becomes.
    pub(crate) fn sct(&self, authority: &Authority, leaf: &Key, template: &Template) -> Vec<u8> {
        self.mint.sct(authority, leaf, template)
    }
}

/// The logs as one program's list.
pub(crate) fn list(logs: &[&TestLog]) -> LogList {
    let logs = logs.iter().map(|log| log.log.clone()).collect();
    LogList { program: "Test".into(), version: None, date: None, logs }
}

/// The extension that holds `scts`.
pub(crate) fn extension(scts: &[Vec<u8>]) -> Extension {
    kua_mint::sct_list(scts)
}

/// The extension with any content.
pub(crate) fn raw_extension(value: &[u8]) -> Extension {
    Extension { value: value.to_vec(), ..kua_mint::sct_list(&[]) }
}
