//! News: who in this process waits for something to happen to a run, or to the work for an agent.
//!
//! Each hears of what it asked for and of nothing else, so that a thousand who listen to one run each cost nothing while
//! the others go on.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// All who wait, by the id of what they wait for.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    ears: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

/// One who waits. Nothing is missed that happens after it began to.
#[derive(Debug)]
pub struct Subscription {
    news: Subscriptions,
    of: String,
    heard: watch::Receiver<()>,
}

impl Subscriptions {
    /// Begins to listen for news of a run or an agent.
    pub fn listen(&self, of: &str) -> Subscription {
        let heard = self.ears().entry(of.to_owned()).or_default().subscribe();
        Subscription { news: self.clone(), of: of.to_owned(), heard }
    }

    /// Wakes those who wait for news of a run or an agent.
    pub fn tell(&self, of: &str) {
        if let Some(ears) = self.ears().get(of) {
            ears.send_replace(());
        }
    }

    fn ears(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        // No code that can panic runs under this lock, and the map is whole at any time.
        self.ears.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Returns once there is news that was not heard yet.
    pub async fn next(&mut self) {
        // The sender stays as long as somebody listens.
        let _ = self.heard.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut ears = self.news.ears();
        // This one still counts.
        if ears.get(&self.of).is_some_and(|ears| ears.receiver_count() == 1) {
            ears.remove(&self.of);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn each_hears_what_it_asked_for_once_and_nothing_else() {
        let news = Subscriptions::default();
        let (mut one, mut same, mut other) = (news.listen("run-1"), news.listen("run-1"), news.listen("run-2"));
        news.tell("run-1");
        news.tell("run-1");
        for ear in [&mut one, &mut same] {
            assert!(ear.next().now_or_never().is_some(), "told before it waited");
            assert!(ear.next().now_or_never().is_none(), "nothing new since");
        }
        assert!(other.next().now_or_never().is_none());
    }

    #[test]
    fn nothing_is_kept_of_those_who_left() {
        let news = Subscriptions::default();
        let (one, mut same) = (news.listen("run-1"), news.listen("run-1"));
        drop(one);
        news.tell("run-1");
        assert!(same.next().now_or_never().is_some(), "one stayed");
        drop(same);
        news.tell("run-1");
        assert!(news.ears().is_empty());
    }
}
