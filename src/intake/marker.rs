//! What is kept of a certificate that had to be taken out of a record.

use data_encoding::BASE64;
use serde_json::{Map, Value, json};

use super::sender::Sender;
use crate::chain::Certificate;
use crate::chain::fields::Fields;
use crate::signature::{Signed, signed_by};

/// Says who the certificate named as its issuer, which key it was for, and which key among the
/// certificates it came with had signed it, checked while the certificate was whole. That is the
/// collector's word and no evidence: nobody can check it again.
pub(super) fn marker(certificate: &[u8], sender: &Sender, others: &[Certificate]) -> Value {
    let mut said = Map::new();
    let whole = Certificate::from_bytes(certificate).ok();
    if let Some(fields) = whole.as_ref().and_then(Certificate::fields) {
        let issuer = fields.issuer.der();
        if sender.found_in(issuer).is_empty() {
            said.insert("issuer".into(), BASE64.encode(issuer).into());
        }
        said.insert("spki_sha256".into(), fields.key_hash.to_string().into());
        said.insert("signed_by".into(), json!(signer(fields, others)));
    }
    Value::Object(said)
}

fn signer(fields: &Fields, others: &[Certificate]) -> Option<String> {
    let signers = others.iter().filter_map(Certificate::fields);
    let mut signed = signers.filter(|other| signed_by(fields, &other.spki) == Signed::Yes);
    signed.next().map(|other| other.key_hash.to_string())
}
