//! The memory budget for large request bodies and responses, over all connections of a server.
//!
//! First come, first served. A holder of a permit never waits for another one, so nothing deadlocks.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The whole budget, in bytes.
const TOTAL: usize = 128 << 20;
/// The unit of the budget, in bytes.
const UNIT: usize = 1 << 10;
/// Up to this size, in bytes, no permit is needed, so small requests never wait for large ones.
pub const SMALL: usize = 64 << 10;

/// The memory budget of a server.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<Semaphore>);

/// A part of the budget, returned when this is dropped.
#[derive(Debug)]
pub struct MemoryPermit {
    _permit: Option<OwnedSemaphorePermit>,
}

/// Bytes with their permit.
struct PermittedBytes {
    bytes: Bytes,
    _permit: MemoryPermit,
}

impl Default for MemoryBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(TOTAL / UNIT)))
    }
}

impl MemoryBudget {
    /// Waits for a permit for `bytes` bytes whose processing takes `times` as much memory. A larger need than the whole
    /// budget takes the whole budget.
    pub async fn acquire(&self, bytes: usize, times: usize) -> MemoryPermit {
        if bytes <= SMALL {
            return MemoryPermit { _permit: None };
        }
        let units = bytes.saturating_mul(times).min(TOTAL).div_ceil(UNIT);
        let permit = Arc::clone(&self.0).acquire_many_owned(u32::try_from(units).unwrap_or(u32::MAX));
        // The semaphore is never closed.
        MemoryPermit { _permit: permit.await.ok() }
    }
}

impl MemoryPermit {
    /// Attaches the permit to bytes: it is returned when the last slice of them is dropped.
    pub fn attach(self, bytes: impl Into<Bytes>) -> Bytes {
        Bytes::from_owner(PermittedBytes { bytes: bytes.into(), _permit: self })
    }
}

impl AsRef<[u8]> for PermittedBytes {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn a_permit_is_returned_with_the_last_slice_of_its_bytes() {
        let budget = MemoryBudget::default();
        let large = budget.acquire(TOTAL / 3, 2).now_or_never().expect("a permit").attach(vec![0; 5]);
        let slice = large.slice(1..2);
        let next = budget.acquire(TOTAL / 3, 2);
        tokio::pin!(next);
        assert!(next.as_mut().now_or_never().is_none());
        assert!(budget.acquire(SMALL, 9).now_or_never().is_some(), "small bodies need no permit");
        drop(large);
        assert!(next.as_mut().now_or_never().is_none(), "a slice is left");
        drop(slice);
        assert!(next.now_or_never().is_some());
    }

    #[test]
    fn a_need_larger_than_the_budget_takes_all_of_it() {
        let budget = MemoryBudget::default();
        let all = budget.acquire(usize::MAX, 3).now_or_never().expect("a permit");
        assert!(budget.acquire(SMALL + 1, 1).now_or_never().is_none());
        drop(all);
        assert!(budget.acquire(SMALL + 1, 1).now_or_never().is_some());
    }
}
