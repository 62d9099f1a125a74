//! Reads a list of runs page by page.

use super::endpoints::RunFilter;
use super::{ApiError, Client};
use crate::core::pages::{Order, PageReader};
use crate::model::Run;

/// The largest page that the API returns.
const PAGE: usize = 1000;

/// A list of runs, newest first.
pub struct RunPages<'a> {
    api: &'a Client,
    filter: RunFilter,
    pages: PageReader,
}

impl<'a> RunPages<'a> {
    /// Returns the list of the runs that match a filter. The reader sets the limit and the cursor of the filter.
    pub fn new(api: &'a Client, filter: RunFilter) -> Self {
        Self { api, filter, pages: PageReader::new(Order::NewestFirst) }
    }

    /// Returns the next runs, at most `most`; `None` at the end of the list. No run is returned twice.
    pub async fn next(&mut self, most: usize) -> Result<Option<Vec<Run>>, ApiError> {
        self.filter.limit = most.clamp(1, PAGE);
        while !self.pages.is_over() {
            self.filter.cursor = self.pages.cursor();
            let page = self.api.runs(&self.filter).await?;
            let fresh = self.pages.take(page, self.filter.limit);
            if !fresh.is_empty() {
                return Ok(Some(fresh));
            }
        }
        Ok(None)
    }

    /// Returns the rest of the list.
    pub async fn all(mut self) -> Result<Vec<Run>, ApiError> {
        let mut all = Vec::new();
        while let Some(page) = self.next(PAGE).await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// Returns whether the list ended early because the server's cursors repeat pages. There may be more runs.
    pub fn is_cut_short(&self) -> bool {
        self.pages.is_cut_short()
    }
}
