//! Measurements from files: which formats there are, and how files become records.
//!
//! One thread reads and unpacks, one a core reads records, and the caller gets them in order:
//! `inputs` (which files) -> `source` (unpacked bytes) -> `blocks` (whole lines, members of a tar)
//! -> `records` (what they say) -> `reading` (in order). All queues are bounded. `line` is the way back.

mod blocks;
mod control;
mod expand;
mod inputs;
mod line;
mod mark;
mod read;
mod reading;
mod reason;
mod records;
mod room;
mod source;
mod state;
mod tape;

#[cfg(test)]
mod tests;

pub use control::read_control;
pub use expand::expand;
pub use inputs::Input;
/// Every format, in the order in which help shows them; the first is the default.
pub use kua::wire::FORMATS as IMPORTS;
/// A format that files may have.
pub use kua::wire::Format as Import;
pub use line::line_of;
pub use mark::{InputState, Mark};
pub use read::{Incoming, Inputs, ReadError, read_files};
pub use reading::{Batch, Next, Reading};
pub use reason::reason;
pub use state::State;
