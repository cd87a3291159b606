//! An intake over real sockets: what it takes, what it refuses, and what nobody finds out.

mod durable;
mod hostile;
mod private;
mod protocol;
mod signed;
mod tls;
