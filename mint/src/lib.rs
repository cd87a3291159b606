//! Certificates as odd as interceptors make them, for tests and the lab.
//!
//! Every byte of a certificate is the caller's to choose: weak keys, SHA-1, version 1, encodings
//! that are not DER, any validity, any extension. Nothing here reads a clock.
//!
//! ```
//! use kua_mint::{Algorithm, Authority, Key, Template, name};
//!
//! let state = Template::authority(&name(&[("C", "KZ"), ("CN", "Qaznet Trust Network")]));
//! let root = Authority::root_with(Key::ecdsa_p256(), state);
//! let leaf = root.leaf("example.org");
//! let expired = Template::leaf(&["example.org"]).valid(kua_mint::NOW - 200, kua_mint::NOW - 100);
//! let presented = [root.leaf_with(&leaf.key, expired).certificate, root.certificate];
//! ```
//!
//! A caller that asks for the impossible (an ECDSA signature by an RSA key, a year 12000) gets a
//! panic that says so: that is a mistake in a test, and no test wants to handle it.

mod authority;
mod encoding;
mod extension;
mod key;
mod log;
mod name;
mod oddity;
mod rsa_legacy;
mod template;

pub use authority::{Authority, Leaf, self_signed};
pub use encoding::pem;
pub use extension::{
    CLIENT_AUTH, Extension, KeyUsage, SERVER_AUTH, aki, aki_full, basic_constraints,
    extended_key_usage, key_usage, san, ski,
};
pub use key::{Algorithm, Key};
pub use log::{Log, sct_list};
pub use name::name;
pub use oddity::{OddLeaf, Oddity, Presented};
pub use template::Template;

/// The moment certificates are minted around by default, 2025-10-09T08:53:20Z in seconds since
/// 1970 UTC, so that tests read no clock.
pub const NOW: i64 = 1_760_000_000;
