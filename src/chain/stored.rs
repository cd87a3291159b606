//! Certificates and chains as other programs of ours store them: their bytes.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Certificate, Chain};

impl Serialize for Certificate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&data_encoding::BASE64.encode(self.der()))
        } else {
            serializer.serialize_bytes(self.der())
        }
    }
}

impl<'de> Deserialize<'de> for Certificate {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = if from.is_human_readable() {
            let text = String::deserialize(from)?;
            data_encoding::BASE64.decode(text.as_bytes()).map_err(Error::custom)?
        } else {
            <&'de [u8]>::deserialize(from)?.to_vec()
        };
        Self::from_bytes(&bytes).map_err(Error::custom)
    }
}

impl Serialize for Chain {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.certificates().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Chain {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::new(Vec::deserialize(from)?).map_err(Error::custom)
    }
}
