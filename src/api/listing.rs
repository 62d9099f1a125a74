//! A list of runs of any length, a page at a time.

use super::client::RunFilter;
use super::{ApiError, Client};
use crate::core::paging::Paging;
use crate::model::Run;

/// The most runs that the API gives at once.
const PAGE: usize = 1000;

/// A list that is being read, newest run first.
pub struct Listing<'a> {
    api: &'a Client,
    filter: RunFilter,
    paging: Paging,
}

impl<'a> Listing<'a> {
    /// The list of the runs that a filter lets through. Its limit and its cursor are chosen here.
    pub fn new(api: &'a Client, filter: RunFilter) -> Self {
        Self { api, filter, paging: Paging::default() }
    }

    /// The next runs, each run once; none where there are no more. `most`: how many are asked for.
    pub async fn next(&mut self, most: usize) -> Result<Option<Vec<Run>>, ApiError> {
        self.filter.limit = most.clamp(1, PAGE);
        while !self.paging.is_over() {
            self.filter.cursor = self.paging.cursor();
            let page = self.api.runs(&self.filter).await?;
            let fresh = self.paging.take(page, self.filter.limit);
            if !fresh.is_empty() {
                return Ok(Some(fresh));
            }
        }
        Ok(None)
    }

    /// All runs that are left.
    pub async fn all(mut self) -> Result<Vec<Run>, ApiError> {
        let mut all = Vec::new();
        while let Some(page) = self.next(PAGE).await? {
            all.extend(page);
        }
        Ok(all)
    }

    /// Whether it ended because the server's cursors lead nowhere: there may be more.
    pub fn is_cut_short(&self) -> bool {
        self.paging.is_cut_short()
    }
}
