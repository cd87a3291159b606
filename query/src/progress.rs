//! How far a query has come, by what its scans have read.

use std::sync::Arc;

use datafusion::datasource::physical_plan::FileScanConfig;
use datafusion::datasource::source::DataSourceExec;
use datafusion::physical_plan::ExecutionPlan;

/// What the scans of a query have read so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Rows that the scans gave on.
    pub rows: u64,
    /// Files, or parts of large ones, that were read to their end.
    pub read: u64,
    /// Files that are to be read; a file that is divided among threads counts as one.
    pub files: u64,
}

impl Progress {
    pub(crate) fn of(plan: &Arc<dyn ExecutionPlan>) -> Self {
        let mut progress = Self::default();
        progress.add(plan);
        progress.read = progress.read.min(progress.files);
        progress
    }

    fn add(&mut self, plan: &Arc<dyn ExecutionPlan>) {
        if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
            if let Some(config) = scan.data_source().downcast_ref::<FileScanConfig>() {
                let mut paths: Vec<_> = config
                    .file_groups
                    .iter()
                    .flat_map(|group| group.iter().map(|file| file.path().as_ref()))
                    .collect();
                paths.sort_unstable();
                paths.dedup();
                self.files += paths.len() as u64;
            }
            if let Some(metrics) = scan.metrics() {
                let figure = |name| metrics.sum_by_name(name).map_or(0, |sum| sum.as_usize());
                self.rows += metrics.output_rows().unwrap_or(0) as u64;
                self.read += figure("files_processed") as u64;
            }
        }
        for child in plan.children() {
            self.add(child);
        }
    }
}
