//! Why a cluster could not do its job.

use std::net::SocketAddr;

use kua_query::QueryError;

/// Why a part of a cluster could not work, or a query has no whole answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// A part of the answer could not be had from the executor that holds it.
    #[error("executor {executor} did not give its part of the answer: {}", brief(reason))]
    Answer {
        /// Its address.
        executor: String,
        /// In Ballista's words.
        reason: String,
    },
    /// The engine could not be set up.
    #[error("the engine cannot be set up: {}", brief(.0))]
    Engine(String),
    /// The scheduler gave up on the query.
    #[error("{}", brief(.0))]
    Failed(String),
    /// The scheduler does not know the query that it has accepted.
    #[error("the scheduler has forgotten the query; it was probably started anew")]
    Forgotten,
    /// Executors were lost each time that the query was tried.
    #[error("executors were lost while the query ran, each time that it was tried")]
    Lost,
    /// An address that other machines reach, and no word that they may.
    #[error("{0} can be reached by other machines")]
    NotLoopback(SocketAddr),
    /// An executor that would listen on every address, and its second port has no number.
    #[error("port {0} has no port after it")]
    NoPortAfter(u16),
    /// No executor was there to do the work.
    #[error("no executor has registered with the scheduler at {scheduler} for {seconds} s")]
    NoExecutor {
        /// The scheduler's address.
        scheduler: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The query itself cannot be run.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The scheduler refused the query.
    #[error("the scheduler refused the query: {}", brief(.0))]
    Refused(String),
    /// A scheduler's address that is none.
    #[error("{0:?} is no scheduler's address")]
    SchedulerAddress(String),
    /// A part of the answer was shorter or longer than its executor had said.
    #[error("executor {executor} sent {sent} of {said} rows")]
    Short {
        /// Its address.
        executor: String,
        /// Rows that came.
        sent: u64,
        /// Rows that it had counted.
        said: u64,
    },
    /// Asked to stop while the query ran.
    #[error("stopped before the answer was whole")]
    Stopped,
    /// An executor that ended although nobody had asked it to.
    #[error(
        "the executor ended by itself; the scheduler had probably been unreachable for a while"
    )]
    Ended,
    /// The query took longer than it may.
    #[error("the query was not done after {seconds} s, and was cancelled")]
    TooLong {
        /// What it may take.
        seconds: u64,
    },
    /// The scheduler does not answer.
    #[error("the scheduler at {scheduler} does not answer: {}", brief(reason))]
    Unreachable {
        /// Its address.
        scheduler: String,
        /// What was tried last and why it failed.
        reason: String,
    },
    /// Who listens on other machines' addresses must say by which name they reach it.
    #[error("{0} is every address of this machine, and others need one")]
    Wildcard(SocketAddr),
    /// The directory for what is under way cannot be used.
    #[error("cannot use the directory {directory}")]
    WorkDirectory {
        /// Its path.
        directory: String,
        /// Why not.
        source: std::io::Error,
    },
}

/// The most of an engine's message that a person should have to read.
const BRIEF: usize = 600;

/// One line, without what a plan looks like inside.
fn brief(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(BRIEF) {
        Some((end, _)) => format!("{}...", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_short_line() {
        assert_eq!(brief("a\n  b"), "a b");
        let long = brief(&"é ".repeat(2_000));
        assert_eq!(long.chars().count(), BRIEF + 3);
    }
}
