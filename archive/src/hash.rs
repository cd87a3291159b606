//! SHA-256 names of records and of files.

/// Makes a type for one kind of SHA-256, so that the kinds cannot be mixed up.
macro_rules! sha256_name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; 32]);

        impl $name {
            /// Hashes `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                let mut hash = [0; 32];
                let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
                hash.copy_from_slice(digest.as_ref());
                Self(hash)
            }

            /// The hash itself.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// Reads 64 hexadecimal digits in lower case.
            pub fn from_hex(hex: &[u8]) -> Option<Self> {
                let bytes = data_encoding::HEXLOWER.decode(hex).ok()?;
                Some(Self(bytes.try_into().ok()?))
            }
        }

        impl From<[u8; 32]> for $name {
            fn from(hash: [u8; 32]) -> Self {
                Self(hash)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self}")
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as serde::Deserialize>::deserialize(from)?;
                let read = Self::from_hex(text.as_bytes());
                read.ok_or_else(|| serde::de::Error::custom("not a SHA-256 in hexadecimal digits"))
            }
        }
    };
}

sha256_name! {
    /// The SHA-256 of a file of the archive.
    FileHash
}

sha256_name! {
    /// The SHA-256 of a record as it was received, without the line break after it.
    RecordHash
}
