//! Text with signatures (C2SP signed-note), by Ed25519 keys that have a name.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use data_encoding::{BASE64, HEXLOWER};

use super::{Hash, TlogError, sha256};

/// The longest note that is read, in bytes.
pub const MAX_NOTE: usize = 64 * 1024;

/// The most signatures that a note may have.
const MAX_SIGNATURES: usize = 64;

/// Marks an Ed25519 signature.
const ED25519_TYPE: u8 = 1;

/// How a key's secret text begins.
const SECRET: &str = "PRIVATE+KEY+";

/// Text with its signatures, none of them verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The text, with the line break at its end.
    pub text: String,
    signatures: Vec<Signature>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Signature {
    name: String,
    id: [u8; 4],
    bytes: Vec<u8>,
}

impl Note {
    /// Reads a note. Its text must not be believed before a key has verified it.
    ///
    /// # Errors
    /// Bytes that are none.
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogError> {
        let malformed = |reason| TlogError::malformed("signed note", reason);
        if bytes.len() > MAX_NOTE {
            return Err(malformed("too long"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
        if text.bytes().any(|byte| byte < 0x20 && byte != b'\n') {
            return Err(malformed("a control character"));
        }
        let (body, signed) = text.rsplit_once("\n\n").ok_or(malformed("no signature"))?;
        let signed = signed.strip_suffix('\n').ok_or(malformed("no line break at its end"))?;
        let signatures: Option<Vec<_>> = signed.split('\n').map(signature).collect();
        let signatures = signatures.ok_or(malformed("a line that is no signature"))?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(malformed("too many signatures"));
        }
        Ok(Self { text: format!("{body}\n"), signatures })
    }
}

fn signature(line: &str) -> Option<Signature> {
    let (name, bytes) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = from_base64(bytes)?;
    let (id, bytes) = bytes.split_first_chunk()?;
    let whole = is_name(name) && !bytes.is_empty();
    whole.then(|| Signature { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for Signature { name, id, bytes } in &self.signatures {
            writeln!(f, "\u{2014} {name} {}", BASE64.encode(&[&id[..], bytes].concat()))?;
        }
        Ok(())
    }
}

/// The public part of a key with a name. Its text is `name+id+key`, as other programs write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    id: [u8; 4],
    key: [u8; 32],
}

impl VerifyingKey {
    fn new(name: &str, key: [u8; 32]) -> Self {
        let hashed = [name.as_bytes(), b"\n", &[ED25519_TYPE], &key].concat();
        let [a, b, c, d, ..] = sha256(&hashed);
        Self { name: name.to_owned(), id: [a, b, c, d], key }
    }

    /// Its name; of a log's key, the log's origin.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Checks that this key signed the note.
    ///
    /// # Errors
    /// No signature of it, or one that does not verify.
    pub fn verify(&self, note: &Note) -> Result<(), TlogError> {
        let mine = |made: &&Signature| made.name == self.name && made.id == self.id;
        let mut found = false;
        for made in note.signatures.iter().filter(mine) {
            let key = UnparsedPublicKey::new(&ED25519, &self.key);
            let name = || self.name.clone();
            key.verify(note.text.as_bytes(), &made.bytes)
                .map_err(|_| TlogError::BadSignature { name: name() })?;
            found = true;
        }
        if found { Ok(()) } else { Err(TlogError::NotSigned { name: self.name.clone() }) }
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = [&[ED25519_TYPE], &self.key[..]].concat();
        write!(f, "{}+{}+{}", self.name, HEXLOWER.encode(&self.id), BASE64.encode(&key))
    }
}

impl FromStr for VerifyingKey {
    type Err = TlogError;

    fn from_str(text: &str) -> Result<Self, TlogError> {
        let (name, id, key) = parts(text).ok_or(malformed_key("not name+id+key"))?;
        let parsed = Self::new(name, key);
        if parsed.id != id {
            return Err(malformed_key("its id is not that of the key"));
        }
        Ok(parsed)
    }
}

/// A key with a name that signs notes. Its secret text is `PRIVATE+KEY+name+id+seed`.
#[derive(Debug)]
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyingKey,
}

impl SigningKey {
    /// The key that `seed` gives. `name` is neither empty nor has spaces or `+`.
    ///
    /// # Errors
    /// Another name.
    pub fn from_seed(name: &str, seed: &Hash) -> Result<Self, TlogError> {
        if !is_name(name) {
            return Err(malformed_key("its name is empty or has a space or +"));
        }
        let pair = Ed25519KeyPair::from_seed_unchecked(seed);
        let pair = pair.map_err(|_| malformed_key("the seed gives no key"))?;
        let public = pair.public_key().as_ref().try_into();
        let public = public.map_err(|_| malformed_key("the seed gives no key"))?;
        Ok(Self { pair, public: VerifyingKey::new(name, public) })
    }

    /// Reads the text that `secret_text` writes.
    ///
    /// # Errors
    /// Text that is no key.
    pub fn from_secret(text: &str) -> Result<Self, TlogError> {
        let text = text.trim_end().strip_prefix(SECRET).ok_or(malformed_key("not a secret key"))?;
        let (name, id, seed) = parts(text).ok_or(malformed_key("not name+id+seed"))?;
        let key = Self::from_seed(name, &seed)?;
        if key.public.id != id {
            return Err(malformed_key("its id is not that of the key"));
        }
        Ok(key)
    }

    /// The public part.
    pub fn public(&self) -> &VerifyingKey {
        &self.public
    }

    /// The note of `text`, which ends with a line break.
    pub fn sign(&self, text: &str) -> Note {
        let bytes = self.pair.sign(text.as_bytes()).as_ref().to_vec();
        let signature = Signature { name: self.public.name.clone(), id: self.public.id, bytes };
        Note { text: text.to_owned(), signatures: vec![signature] }
    }

    /// The text of the key that `seed` gives, for a file that nobody else reads.
    pub fn secret_text(&self, seed: &Hash) -> String {
        let seed = [&[ED25519_TYPE], &seed[..]].concat();
        let id = HEXLOWER.encode(&self.public.id);
        format!("{SECRET}{}+{id}+{}\n", self.public.name, BASE64.encode(&seed))
    }
}

/// `name+id+key`.
fn parts(text: &str) -> Option<(&str, [u8; 4], [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (id, key) = rest.split_once('+')?;
    let id = HEXLOWER.decode(id.as_bytes()).ok()?.try_into().ok()?;
    let key = from_base64(key)?;
    let (kind, key) = key.split_first()?;
    let whole = is_name(name) && *kind == ED25519_TYPE;
    whole.then_some((name, id, key.try_into().ok()?))
}

fn is_name(name: &str) -> bool {
    let fits = |letter: char| !letter.is_whitespace() && !letter.is_control() && letter != '+';
    !name.is_empty() && name.chars().all(fits)
}

fn malformed_key(reason: &'static str) -> TlogError {
    TlogError::malformed("key", reason)
}

/// The bytes of a text that is written in one way only: `data-encoding` also takes several padded texts, one
/// after the other.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    (BASE64.encode(&bytes) == text).then_some(bytes)
}
