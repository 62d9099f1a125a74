//! A token bucket for retries, which limits how many one process sends to a failing server.

use super::retry::TryError;

/// The tokens of a full bucket.
const CAPACITY: u32 = 100;
/// The tokens that a retry costs.
const RETRY: u32 = 5;
/// The tokens that a retry after a timeout costs.
const RETRY_LATE: u32 = 10;

/// A token bucket. A retry takes tokens, and a success returns one.
#[derive(Debug)]
pub struct RetryBudget(u32);

impl Default for RetryBudget {
    fn default() -> Self {
        Self(CAPACITY)
    }
}

impl RetryBudget {
    /// Takes the tokens for a retry after an error. Returns false if too few are left.
    pub fn pay(&mut self, error: TryError) -> bool {
        let cost = if error == TryError::TimedOut { RETRY_LATE } else { RETRY };
        match self.0.checked_sub(cost) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }

    /// Returns one token after a successful request.
    pub fn earn(&mut self) {
        self.0 = (self.0 + 1).min(CAPACITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY: TryError = TryError::Status { code: 429, retry_after: None };

    fn retries(bucket: &mut RetryBudget, error: TryError) -> usize {
        std::iter::repeat_with(|| bucket.pay(error)).take_while(|paid| *paid).count()
    }

    #[test]
    fn a_dead_server_gets_twenty_retries_and_a_silent_one_ten() {
        assert_eq!(retries(&mut RetryBudget::default(), TryError::Interrupted), 20);
        assert_eq!(retries(&mut RetryBudget::default(), BUSY), 20);
        assert_eq!(retries(&mut RetryBudget::default(), TryError::TimedOut), 10);
    }

    #[test]
    fn successes_earn_retries_up_to_the_capacity() {
        let mut bucket = RetryBudget::default();
        retries(&mut bucket, BUSY);
        (0..5).for_each(|_| bucket.earn());
        assert_eq!(retries(&mut bucket, BUSY), 1);
        (0..1000).for_each(|_| bucket.earn());
        assert_eq!(retries(&mut bucket, BUSY), 20);
    }
}
