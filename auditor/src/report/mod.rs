//! Reports: one account of what was found, in several formats.

mod account;
mod browsers;
mod chart;
mod csv;
mod html;
mod json;
mod markdown;
mod method;
pub mod model;
mod over_time;
mod summary;
mod words;

pub use account::Counted;
pub use model::Report;
pub use over_time::{NetworkName, OverTime, Period, Step};

/// Every format, in the order in which help lists them.
pub static FORMATS: &[&Format] = &[&html::FORMAT, &json::FORMAT, &csv::FORMAT, &markdown::FORMAT];

/// A way to write a report.
#[derive(Debug)]
pub struct Format {
    /// What `--format` calls it, and the ending of its files.
    pub name: &'static str,
    /// What it is good for, in a few words.
    pub purpose: &'static str,
    /// The whole report as one text.
    pub document: fn(&Report) -> Result<String, FormatError>,
    /// Further files beside the document, where there are files at all.
    pub tables: &'static [Table],
}

/// A file beside a document.
#[derive(Debug)]
pub struct Table {
    /// Stands before the ending: `report.networks.csv`.
    pub name: &'static str,
    /// Its text.
    pub write: fn(&Report) -> String,
}

/// The format of a name.
pub fn format_named(name: &str) -> Option<&'static Format> {
    FORMATS.iter().copied().find(|format| format.name == name)
}

/// Why a report could not be written in a format.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A chart.
    #[error("cannot draw a chart: {reason}")]
    Chart {
        /// What the plotter said.
        reason: String,
    },
    /// A value that JSON has no form for.
    #[error("cannot write it as JSON")]
    Json(#[from] serde_json::Error),
    /// A template.
    #[error("cannot fill in the page")]
    Page(#[from] askama::Error),
}
