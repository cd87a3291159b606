//! A national network in a box: sites, an antivirus, a censor and two interceptors.
//!
//! Each role is one file and one async function over a listener that is already bound. A role
//! knows nothing of the others but the address of its next hop ([`Route`]), so that each can run
//! in a network namespace of its own. [`Network`] puts them in a row on loopback:
//!
//! ```text
//! clean entry    -> sites
//! national entry -> antivirus -> censor -> listed interceptor -> unlisted interceptor -> sites
//! ```
//!
//! Nothing here leaves the machine, and every certificate is minted at start: the names are real,
//! the sites are not.

pub mod antivirus;
mod bounds;
pub mod censor;
mod error;
pub mod forge;
mod handover;
pub mod hello;
pub mod hosts;
mod identity;
pub mod interceptor;
mod network;
mod pki;
mod reference;
mod route;
pub mod site;
mod splice;
mod upstream;

pub use error::LabError;
pub use identity::Identity;
pub use network::{Hop, Network};
pub use route::Route;
