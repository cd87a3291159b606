//! One reader for each package that carries a root program's list.

pub mod certifi;
pub mod chrome;
pub mod debian;
pub mod java;
pub mod observatory;
pub mod webpki;
pub mod x509roots;
