//! Reads all runs and messages of an agent since a time, page by page.

use jiff::Timestamp;

use super::Client;
use super::error::ApiError;
use super::exchange::Call;
use crate::core::pages::{Cursor, Order, PageReader};
use crate::core::run_match::REQUEST_TIME_LIMIT;
use crate::model::{AgentId, Message, Run};

/// The size of the first page, which is usually the only one.
const FIRST: usize = 100;
/// The size of later pages, the largest that the API returns.
const PAGE: usize = 1000;
/// The limit of pages, for a server whose lists never end.
const MOST_PAGES: usize = 12;

/// The runs and messages of an agent since a time.
pub(super) struct AgentActivity<'a> {
    pub(super) api: &'a Client,
    pub(super) agent: &'a AgentId,
    /// The time, by the server's clock.
    pub(super) since: Timestamp,
}

impl AgentActivity<'_> {
    /// Returns the agent's runs, newest first, and some older ones. If a later page fails, its runs are missing.
    pub(super) async fn runs(&self) -> Result<Vec<Run>, ApiError> {
        let mut pages = PageReader::new(Order::NewestFirst);
        let mut all = Vec::new();
        for size in sizes() {
            let page = match self.runs_page(pages.cursor(), size).await {
                Ok(page) => page,
                Err(error) if all.is_empty() => return Err(error),
                Err(_) => break,
            };
            let fresh = pages.take(page, size);
            let is_last = fresh.last().and_then(Run::created_at).is_some_and(|made| made < self.since);
            all.extend(fresh);
            if is_last || pages.is_over() {
                break;
            }
        }
        Ok(all)
    }

    async fn runs_page(&self, cursor: Option<Cursor>, size: usize) -> Result<Vec<Run>, ApiError> {
        let call = Call::get("/runs/").list().within(REQUEST_TIME_LIMIT).query("agent_id", self.agent.to_string());
        let call = call.query("background", "true").query("order", "desc").query("limit", size.to_string());
        let call = call.cursor(cursor.as_ref());
        let answer = self.api.exchange(&call).await?;
        self.api.runs_in(&call, &answer)
    }

    /// Returns the agent's messages, and some older ones; the server may leave out some of a run. If a later page
    /// fails, its messages are missing.
    pub(super) async fn messages(&self) -> Result<Vec<Message>, ApiError> {
        let mut pages = PageReader::new(Order::NewestPageFirst);
        let mut all = Vec::new();
        for size in sizes() {
            let page = match self.messages_page(pages.cursor(), size).await {
                Ok(page) => page,
                Err(error) if all.is_empty() => return Err(error),
                Err(_) => break,
            };
            let fresh = pages.take(page, size);
            // A message that is stored late may have an early date, so only a page without any recent date is the last.
            let is_last = !fresh.iter().any(|message| message.date().is_none_or(|date| date >= self.since));
            all.extend(fresh);
            if is_last || pages.is_over() {
                break;
            }
        }
        Ok(all)
    }

    async fn messages_page(&self, cursor: Option<Cursor>, size: usize) -> Result<Vec<Message>, ApiError> {
        let path = format!("/agents/{}/messages", self.agent);
        let call = Call::get(path).list().within(REQUEST_TIME_LIMIT);
        let call = call.query("order", "desc").query("limit", size.to_string()).cursor(cursor.as_ref());
        let answer = self.api.exchange(&call).await?;
        Ok(self.api.documents_in(&call, &answer)?.into_iter().map(Message::new).collect())
    }
}

/// Returns the sizes of the pages.
fn sizes() -> impl Iterator<Item = usize> {
    std::iter::once(FIRST).chain(std::iter::repeat(PAGE)).take(MOST_PAGES)
}
