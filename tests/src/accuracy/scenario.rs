//! One incident, or one innocent thing that looks like one, as a value.

use super::built::Built;
use super::expected::Expected;
use super::world::World;

/// An incident with the innocent chain that looks most like it.
pub(super) struct Scenario {
    /// Stable name.
    pub(super) id: &'static str,
    /// Ids in the catalogue of incidents; empty for what is no incident.
    pub(super) incidents: &'static [&'static str],
    pub(super) story: Story,
    /// Absent where the story itself is innocent.
    pub(super) neighbour: Option<Story>,
    /// Why today's judgement of the story is not the right one. The run fails where it is.
    pub(super) known_gap: Option<&'static str>,
}

/// A drawn chain, how to build it, and what is right to say of it.
pub(super) struct Story {
    /// Who signs whom, what is recorded, and what controls see.
    pub(super) drawn: &'static str,
    pub(super) build: fn(&World) -> Built,
    pub(super) expected: Expected,
}

impl Scenario {
    /// Whether somebody does something to the connection, accused or not.
    pub(super) fn is_attack(&self) -> bool {
        self.neighbour.is_some()
    }
}
