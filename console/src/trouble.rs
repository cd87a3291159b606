//! What a person reads when a command could not do its job: what was attempted, why not, what helps.

use std::error::Error;
use std::fmt;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// A command that could not do its job.
#[derive(Debug)]
pub struct Trouble {
    attempted: String,
    because: Option<Box<dyn Error + Send + Sync>>,
    hint: Option<String>,
}

impl Trouble {
    /// `attempted` says what could not be done: lower case, no full stop.
    pub fn new(attempted: impl Into<String>) -> Self {
        Self { attempted: attempted.into(), because: None, hint: None }
    }

    /// Adds the cause; its own sources are printed too.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.because = Some(cause.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Prints it on standard error, for a command that goes on.
    pub fn tell(&self) {
        let mut text = format!("error: {self}\n");
        let mut cause = self.source();
        while let Some(error) = cause {
            // A library's message may be of several lines.
            for line in error.to_string().trim_end().lines() {
                text.push_str(&format!("because: {line}\n"));
            }
            cause = error.source();
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("hint: {hint}\n"));
        }
        // Nothing is left to do when standard error is gone too.
        let _ = anstream::stderr().write_all(text.as_bytes());
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.attempted)
    }
}

impl Error for Trouble {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.because.as_deref().map(|cause| cause as _)
    }
}

impl From<std::io::Error> for Trouble {
    /// Output that could not be written; reading names its file and never comes here.
    fn from(error: std::io::Error) -> Self {
        Self::new("cannot write the output").because(error)
    }
}

/// Ends a program: prints what went wrong and gives the exit code (0 done, 1 failed; 2 is clap's,
/// 3 is `--fail-on`). A reader that closed the pipe is no failure.
pub fn finish(result: Result<ExitCode, Trouble>) -> ExitCode {
    let trouble = match result {
        Ok(code) => return code,
        Err(trouble) => trouble,
    };
    if is_broken_pipe(&trouble) {
        return ExitCode::SUCCESS;
    }
    trouble.tell();
    ExitCode::FAILURE
}

fn is_broken_pipe(trouble: &Trouble) -> bool {
    let cause = trouble.because.as_ref().and_then(|cause| cause.downcast_ref::<std::io::Error>());
    cause.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
