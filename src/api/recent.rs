//! What a server shows of an agent since a moment: its runs and its messages, however busy it is.

use jiff::Timestamp;

use super::Client;
use super::error::ApiError;
use super::exchange::Call;
use super::lost_message::PATIENCE;
use crate::core::backwards::Backwards;
use crate::core::paging::{Cursor, Paging};
use crate::model::{AgentId, Message, Run};

/// How many are asked for at first: most agents have had fewer since.
const FIRST: usize = 100;
/// How many are asked for from then on: the most that the API gives at once.
const PAGE: usize = 1000;
/// How many pages are read: an end must come, whatever the server brings.
const MOST_PAGES: usize = 12;

/// An agent, since a moment.
pub(super) struct Recent<'a> {
    pub(super) api: &'a Client,
    pub(super) agent: &'a AgentId,
    /// By the server's clock.
    pub(super) since: Timestamp,
}

impl Recent<'_> {
    /// The agent's runs, newest first, some older ones among them. What a later page was to bring may be missing.
    pub(super) async fn runs(&self) -> Result<Vec<Run>, ApiError> {
        let (mut paging, mut all) = (Paging::default(), Vec::new());
        for size in sizes() {
            let page = match self.runs_page(paging.cursor(), size).await {
                Ok(page) => page,
                Err(error) if all.is_empty() => return Err(error),
                Err(_) => break,
            };
            let fresh = paging.take(page, size);
            let reaches_back = fresh.last().and_then(Run::created_at).is_some_and(|made| made < self.since);
            all.extend(fresh);
            if reaches_back || paging.is_over() {
                break;
            }
        }
        Ok(all)
    }

    async fn runs_page(&self, cursor: Option<Cursor>, size: usize) -> Result<Vec<Run>, ApiError> {
        let call = Call::get("/runs/").list().within(PATIENCE).query("agent_id", self.agent.to_string());
        let call = call.query("background", "true").query("order", "desc").query("limit", size.to_string());
        let call = match cursor {
            None => call,
            Some(Cursor::After(run)) => call.query("after", run.as_str()),
            Some(Cursor::Before(run)) => call.query("before", run.as_str()),
        };
        let answer = self.api.exchange(&call).await?;
        self.api.runs_in(&call, &answer)
    }

    /// The agent's messages; those of a run may be filtered. What a later page was to bring may be missing.
    pub(super) async fn messages(&self) -> Result<Vec<Message>, ApiError> {
        let (mut back, mut all) = (Backwards::default(), Vec::new());
        for size in sizes() {
            let page = match self.messages_page(back.cursor(), size).await {
                Ok(page) => page,
                Err(error) if all.is_empty() => return Err(error),
                Err(_) => break,
            };
            let fresh = back.take(page);
            // A message that is stored late may have an early date: only a page without any recent one is the last.
            let reaches_back = !fresh.iter().any(|message| message.date().is_none_or(|date| date >= self.since));
            all.extend(fresh);
            if reaches_back || back.cursor().is_none() {
                break;
            }
        }
        Ok(all)
    }

    async fn messages_page(&self, before: Option<&str>, size: usize) -> Result<Vec<Message>, ApiError> {
        let mut call = Call::get(format!("/agents/{}/messages", self.agent)).list().within(PATIENCE);
        call = call.query("order", "desc").query("limit", size.to_string());
        if let Some(id) = before {
            call = call.query("before", id);
        }
        let answer = self.api.exchange(&call).await?;
        Ok(self.api.documents_in(&call, &answer)?.into_iter().map(Message::new).collect())
    }
}

/// How many are asked for, page by page.
fn sizes() -> impl Iterator<Item = usize> {
    std::iter::once(FIRST).chain(std::iter::repeat(PAGE)).take(MOST_PAGES)
}
