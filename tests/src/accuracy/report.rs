//! The report as a plain value, and as a page of text.

use std::fmt;

/// Everything that was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of the page.
    pub sections: Vec<Section>,
}

/// One thing that was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// What.
    pub title: String,
    /// What was found, a line each.
    pub lines: Vec<String>,
    /// What must not be; empty where all is well.
    pub failures: Vec<String>,
    /// The corpus is not here, so nothing was measured.
    pub skipped: bool,
}

impl Section {
    /// Nothing measured yet.
    pub(crate) fn new(title: &str) -> Self {
        Self { title: title.into(), ..Self::default() }
    }

    pub(crate) fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    pub(crate) fn fail(&mut self, text: impl Into<String>) {
        self.failures.push(text.into());
    }

    /// What cannot be measured here, and why.
    pub(crate) fn skip(mut self, why: &str) -> Self {
        self.skipped = true;
        self.lines = vec![format!("skipped: {why}")];
        self
    }
}

impl Report {
    /// What must not be, of all sections.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.sections.iter().flat_map(|section| section.failures.iter().map(String::as_str))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "How right Kua's judgement is. Intervals are Wilson's, of 95 %.")?;
        for section in &self.sections {
            write!(f, "\n{section}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        for line in &self.lines {
            writeln!(f, "  {}", line.trim_end())?;
        }
        for failure in &self.failures {
            writeln!(f, "  FAILED: {failure}")?;
        }
        Ok(())
    }
}
