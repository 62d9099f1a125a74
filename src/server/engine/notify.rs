//! Subscriptions to the changes of a run or an agent, within this process.
//!
//! Each subscriber is notified about its own id only, so a thousand subscribers to different runs cost nothing while
//! other runs change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// All subscriptions, by the id of a run or an agent.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    senders: Arc<Mutex<HashMap<String, watch::Sender<()>>>>,
}

/// A subscription. It reports every notification since it was made.
#[derive(Debug)]
pub struct Subscription {
    subscriptions: Subscriptions,
    id: String,
    receiver: watch::Receiver<()>,
}

impl Subscriptions {
    /// Subscribes to the changes of a run or an agent.
    pub fn subscribe(&self, id: &str) -> Subscription {
        let receiver = self.senders().entry(id.to_owned()).or_default().subscribe();
        Subscription { subscriptions: self.clone(), id: id.to_owned(), receiver }
    }

    /// Notifies the subscribers of a run or an agent.
    pub fn notify(&self, id: &str) {
        if let Some(sender) = self.senders().get(id) {
            sender.send_replace(());
        }
    }

    fn senders(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<()>>> {
        // No code that can panic runs under this lock, so the map is consistent even if it is poisoned.
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Subscription {
    /// Returns once there was a notification since the last call.
    pub async fn changed(&mut self) {
        // The sender is kept as long as there is a subscriber.
        let _ = self.receiver.changed().await;
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut senders = self.subscriptions.senders();
        // This subscription still counts, so 1 means that it is the last.
        if senders.get(&self.id).is_some_and(|sender| sender.receiver_count() == 1) {
            senders.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn each_subscriber_is_notified_once_and_about_its_own_id_only() {
        let subscriptions = Subscriptions::default();
        let mut first = subscriptions.subscribe("run-1");
        let mut second = subscriptions.subscribe("run-1");
        let mut other = subscriptions.subscribe("run-2");
        subscriptions.notify("run-1");
        subscriptions.notify("run-1");
        for subscription in [&mut first, &mut second] {
            assert!(subscription.changed().now_or_never().is_some(), "notified before it waited");
            assert!(subscription.changed().now_or_never().is_none(), "no change since");
        }
        assert!(other.changed().now_or_never().is_none());
    }

    #[test]
    fn nothing_is_kept_for_dropped_subscriptions() {
        let subscriptions = Subscriptions::default();
        let first = subscriptions.subscribe("run-1");
        let mut second = subscriptions.subscribe("run-1");
        drop(first);
        subscriptions.notify("run-1");
        assert!(second.changed().now_or_never().is_some(), "one subscriber is left");
        drop(second);
        subscriptions.notify("run-1");
        assert!(subscriptions.senders().is_empty());
    }
}
