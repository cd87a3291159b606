//! A Certificate Transparency log, as far as its promises go (RFC 6962, sections 3.2 and 3.3).

use aws_lc_rs::digest::{SHA256, digest};

use crate::NOW;
use crate::authority::Authority;
use crate::encoding;
use crate::extension::Extension;
use crate::key::{Algorithm, Key};
use crate::template::Template;

/// A log with a P-256 key, which promises at [`NOW`] to show a certificate.
#[derive(Clone, Debug)]
pub struct Log {
    /// The key that signs.
    pub key: Key,
}

impl Log {
    /// A log with a new key.
    #[expect(clippy::new_without_default, reason = "every log is another")]
    pub fn new() -> Log {
        Log { key: Key::ecdsa_p256() }
    }

    /// The log's name: SHA-256 of its public key.
    pub fn id(&self) -> Vec<u8> {
        digest(&SHA256, &self.key.spki()).as_ref().to_vec()
    }

    /// The serialised SCT for what `authority` signs for the key `leaf` by `template`, which has no
    /// list of SCTs yet.
    pub fn sct(&self, authority: &Authority, leaf: &Key, template: &Template) -> Vec<u8> {
        let algorithm = authority.key.resolve(template.algorithm);
        let entry = encoding::to_be_signed(algorithm, &authority.name, &leaf.spki(), template);
        let milliseconds = (NOW as u64 * 1000).to_be_bytes();
        let issuer = digest(&SHA256, &authority.key.spki());
        let length = (entry.len() as u32).to_be_bytes();
        let mut signed = vec![0, 0];
        signed.extend(milliseconds);
        signed.extend([0, 1]);
        signed.extend(issuer.as_ref());
        signed.extend(&length[1..]);
        signed.extend(entry);
        signed.extend([0, 0]);
        let mut sct = vec![0];
        sct.extend(self.id());
        sct.extend(milliseconds);
        sct.extend([0, 0, 4, 3]);
        sct.extend(opaque(&self.key.sign(Algorithm::EcdsaSha256, &signed)));
        sct
    }
}

/// The extension that holds serialised SCTs.
pub fn sct_list(scts: &[Vec<u8>]) -> Extension {
    let list: Vec<u8> = scts.iter().flat_map(|sct| opaque(sct)).collect();
    let value = yasna::construct_der(|writer| writer.write_bytes(&opaque(&list)));
    Extension { oid: vec![1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2], critical: false, value }
}

fn opaque(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("SCTs and their lists are short");
    [&length.to_be_bytes()[..], bytes].concat()
}
