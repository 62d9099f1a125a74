//! Room for what is large: how much of all request bodies and answers is in memory at once, over all connections.
//!
//! Who finds none waits for it, in the order of coming. Nobody waits who holds some, so that all get their turn.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much memory there is for what is large, in bytes.
const ALL: usize = 128 << 20;
/// What is counted, in bytes.
const GRAIN: usize = 1 << 10;
/// What is not larger than this, in bytes, needs none: it waits for nothing that is.
pub const SMALL: usize = 64 << 10;

/// The room of one server.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<Semaphore>);

/// A part of it, until this is dropped.
#[derive(Debug)]
pub struct Taken {
    _part: Option<OwnedSemaphorePermit>,
}

/// Bytes with the room that they take.
struct Held {
    bytes: Bytes,
    _room: Taken,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(ALL / GRAIN)))
    }
}

impl MemoryBudget {
    /// Waits for room to make something of so many bytes, which takes that many times their memory. Where that is more
    /// than there is, it waits for all of it.
    pub async fn take(&self, bytes: usize, times: usize) -> Taken {
        if bytes <= SMALL {
            return Taken { _part: None };
        }
        let grains = bytes.saturating_mul(times).min(ALL).div_ceil(GRAIN);
        let part = Arc::clone(&self.0).acquire_many_owned(u32::try_from(grains).unwrap_or(u32::MAX));
        // It is never closed.
        Taken { _part: part.await.ok() }
    }
}

impl Taken {
    /// Gives the room back with the last of these bytes.
    pub fn around(self, bytes: impl Into<Bytes>) -> Bytes {
        Bytes::from_owner(Held { bytes: bytes.into(), _room: self })
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn what_finds_no_room_waits_until_the_bytes_before_it_are_gone() {
        let room = MemoryBudget::default();
        let large = room.take(ALL / 3, 2).now_or_never().expect("room").around(vec![0; 5]);
        let part = large.slice(1..2);
        let next = room.take(ALL / 3, 2);
        tokio::pin!(next);
        assert!(next.as_mut().now_or_never().is_none());
        assert!(room.take(SMALL, 9).now_or_never().is_some(), "what is small does not wait");
        drop(large);
        assert!(next.as_mut().now_or_never().is_none(), "a part of the bytes is left");
        drop(part);
        assert!(next.now_or_never().is_some());
    }

    #[test]
    fn what_is_larger_than_all_gets_all() {
        let room = MemoryBudget::default();
        let all = room.take(usize::MAX, 3).now_or_never().expect("room");
        assert!(room.take(SMALL + 1, 1).now_or_never().is_none());
        drop(all);
        assert!(room.take(SMALL + 1, 1).now_or_never().is_some());
    }
}
