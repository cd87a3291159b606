//! The lab as visitors see it, over real sockets on loopback.

mod client;
mod handover;
mod national;
mod roles;
