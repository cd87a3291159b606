//! A judgement as `kua.judgement/1` writes it.

use serde::Serialize;
use serde::ser::SerializeStruct;

use super::Judgement;
use crate::chain::{Chain, Fingerprint};
use crate::measurement::Failure;
use crate::moment::rfc3339;

impl Serialize for Judgement {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Judgement", 19)?;
        object.serialize_field("schema", "kua.judgement/1")?;
        object.serialize_field("measurement_uid", &self.measurement_uid)?;
        object.serialize_field("line", &self.line)?;
        object.serialize_field("target", &self.target)?;
        object.serialize_field("endpoint", &self.endpoint)?;
        object.serialize_field("probe_cc", &self.probe_cc)?;
        object.serialize_field("probe_asn", &self.probe_asn)?;
        object.serialize_field("started", &self.started.map(rfc3339))?;
        object.serialize_field("verdict", &self.verdict)?;
        object.serialize_field("actor", &self.actor)?;
        object.serialize_field("level", &self.level)?;
        object.serialize_field("interceptor", &self.interceptor)?;
        object.serialize_field("basis", &self.basis)?;
        object.serialize_field("signing_key", &self.signing_key)?;
        let chain = self.chain.as_ref();
        let chain: Vec<Fingerprint> = chain.map(Chain::fingerprints).unwrap_or_default();
        object.serialize_field("chain", &chain)?;
        object.serialize_field("failure", &self.failure.as_ref().map(Failure::code))?;
        object.serialize_field("programs", &self.programs)?;
        object.serialize_field("findings", &self.findings)?;
        object.serialize_field("browsers", &self.browsers)?;
        object.end()
    }
}
