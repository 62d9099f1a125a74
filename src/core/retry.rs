//! Retry policy. A message is sent again only if the first one was certainly not accepted.

use std::time::Duration;

/// The time limit for retries of a server that is unreachable or answers with errors.
pub const BUDGET: Duration = Duration::from_secs(15);
/// The pause before the one retry after a refused connection on loopback: the server may just be starting.
pub const LOOPBACK_PAUSE: Duration = Duration::from_millis(250);
/// The time limit for retries of a server that sends `Retry-After`.
pub const ASKED_BUDGET: Duration = Duration::from_secs(60);
/// The least time that a try needs: with less left, there is no retry.
pub const LEAST: Duration = Duration::from_secs(1);
/// The number of tries of a request that only reads, with the first.
pub const READ_TRIES: u32 = 6;
/// The number of tries of a message, with the first.
pub const SEND_TRIES: u32 = 3;

/// The effect of a request, which decides whether it may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It reads, or may be repeated without another effect.
    Read,
    /// Each copy takes effect again.
    Write,
    /// Copies take effect once: the server declares that it honours the idempotency key.
    IdempotentWrite,
}

/// The failure of one try of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TryError {
    /// No connection was opened, so no byte was written.
    NotConnected {
        /// Whether a loopback address refused the connection.
        loopback: bool,
    },
    /// The host name does not resolve, so no byte was written.
    NameUnknown,
    /// The connection ended after the request was written.
    Interrupted,
    /// Time ran out: the request may have been written.
    TimedOut,
    /// The response is not HTTP: another kind of server listens there.
    NotHttp,
    /// The response is complete but is not from this API.
    Unreadable,
    /// An HTTP status that is not success.
    Status {
        /// The status.
        code: u16,
        /// The wait that the server asks for.
        retry_after: Option<Duration>,
    },
    /// An invalid certificate, a redirect, or a request that this program refuses to send.
    Forbidden,
}

/// The decision after a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again after this pause.
    Retry(Duration),
    /// Stop.
    Stop,
    /// Stop: the server asks for this pause, which is longer than the time left.
    StopAsked(Duration),
}

/// The tries and the time spent on a request so far.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Tries made.
    pub tries: u32,
    /// Time since the first try began.
    pub elapsed: Duration,
}

/// Decides whether to retry a command's own request. `jitter` is uniform in [0, 1).
pub fn decide(intent: Intent, error: TryError, spent: Spent, jitter: f64) -> RetryDecision {
    if !repeatable(intent, error) || spent.tries >= tries(intent, error) {
        return RetryDecision::Stop;
    }
    let pause = pause(error, spent.tries - 1, jitter);
    if spent.elapsed + pause + LEAST <= budget(error) {
        return RetryDecision::Retry(pause);
    }
    match error {
        TryError::Status { retry_after: Some(asked), .. } => RetryDecision::StopAsked(asked),
        _ => RetryDecision::Stop,
    }
}

/// Returns the time limit of the next try, so that it ends within the budget; `None` for a message.
///
/// Cutting a message off would leave unknown whether it was accepted.
pub fn left(intent: Intent, error: TryError, elapsed: Duration) -> Option<Duration> {
    (intent != Intent::Write).then(|| budget(error).saturating_sub(elapsed).max(LEAST))
}

/// Returns whether another try is safe and may succeed.
pub fn repeatable(intent: Intent, error: TryError) -> bool {
    match (intent, error) {
        (_, TryError::Forbidden) => false,
        (_, TryError::NotConnected { .. } | TryError::NameUnknown) => true,
        // A 409 with Retry-After is a transaction that was rolled back; other 409s are final.
        (_, TryError::Status { code: 409, retry_after }) => retry_after.is_some(),
        (Intent::Write, TryError::Status { code, .. }) => code == 429,
        (Intent::Write, TryError::Interrupted | TryError::TimedOut | TryError::NotHttp | TryError::Unreadable) => false,
        (_, TryError::Status { code, .. }) => matches!(code, 408 | 425 | 429 | 500..),
        (_, TryError::Interrupted | TryError::TimedOut | TryError::NotHttp | TryError::Unreadable) => true,
    }
}

/// Returns whether a poll that failed this way may succeed later. A 409 may, on any server.
pub fn passing(error: TryError) -> bool {
    matches!(error, TryError::Status { code: 409, .. }) || repeatable(Intent::Read, error)
}

/// Returns the pause before the next try: exponential backoff with jitter, or the server's `Retry-After`. `failures`
/// counts the failed tries before this one.
pub fn pause(error: TryError, failures: u32, jitter: f64) -> Duration {
    let (base, cap) = match error {
        TryError::NotConnected { loopback: true } if failures == 0 => return LOOPBACK_PAUSE,
        TryError::Status { code: 429 | 503, .. } => (1.0, 20.0),
        _ => (0.5, 8.0),
    };
    let backoff = f64::min(base * 2f64.powi(failures.min(16) as i32), cap);
    let jittered = backoff / 2.0 * (1.0 + jitter);
    match error {
        TryError::Status { retry_after: Some(asked), .. } => obey(asked, backoff, jitter),
        _ => Duration::from_secs_f64(jittered),
    }
}

/// Returns a pause of at least the time that was asked for, with jitter so that clients do not retry at the same
/// moment.
fn obey(asked: Duration, backoff: f64, jitter: f64) -> Duration {
    let asked = asked.as_secs_f64();
    Duration::from_secs_f64(asked.max(backoff / 2.0) + jitter * f64::min(0.1 * asked, 5.0))
}

fn tries(intent: Intent, error: TryError) -> u32 {
    match (intent, error) {
        // Not an outage. A watch still continues: the cause, such as a captive portal, may be gone at its next poll.
        (_, TryError::NotHttp) => 1,
        (_, TryError::NotConnected { loopback: true } | TryError::NameUnknown | TryError::Unreadable) => 2,
        (_, TryError::NotConnected { loopback: false }) => u32::MAX,
        (Intent::Read | Intent::IdempotentWrite, _) => READ_TRIES,
        (Intent::Write, _) => SEND_TRIES,
    }
}

fn budget(error: TryError) -> Duration {
    match error {
        TryError::Status { retry_after: Some(_), .. } => ASKED_BUDGET,
        _ => BUDGET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Spent = Spent { tries: 1, elapsed: Duration::ZERO };

    fn status(code: u16, retry_after: Option<u64>) -> TryError {
        TryError::Status { code, retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn a_message_is_repeated_only_if_the_server_cannot_have_accepted_it() {
        for (error, again) in [
            (TryError::NotConnected { loopback: false }, true),
            (TryError::NotConnected { loopback: true }, true),
            (TryError::NameUnknown, true),
            (status(429, None), true),
            (status(409, Some(1)), true),
            (status(409, None), false),
            (TryError::Interrupted, false),
            (TryError::TimedOut, false),
            (TryError::NotHttp, false),
            (TryError::Unreadable, false),
            (TryError::Forbidden, false),
            (status(400, None), false),
            (status(408, None), false),
            (status(425, None), false),
            (status(500, Some(1)), false),
            (status(503, Some(1)), false),
        ] {
            assert_eq!(matches!(decide(Intent::Write, error, FIRST, 0.0), RetryDecision::Retry(_)), again, "{error:?}");
        }
    }

    #[test]
    fn a_read_or_an_idempotent_write_is_repeated_after_a_temporary_error() {
        for (error, again) in [
            (TryError::Interrupted, true),
            (TryError::TimedOut, true),
            (TryError::Unreadable, true),
            (status(500, None), true),
            (status(503, None), true),
            (status(408, None), true),
            (status(425, None), true),
            (status(409, None), false),
            (status(404, None), false),
            (status(401, None), false),
            (TryError::NotHttp, false),
            (TryError::Forbidden, false),
        ] {
            for intent in [Intent::Read, Intent::IdempotentWrite] {
                assert_eq!(
                    matches!(decide(intent, error, FIRST, 0.0), RetryDecision::Retry(_)),
                    again,
                    "{intent:?} {error:?}"
                );
            }
        }
        assert!(passing(status(409, None)) && passing(TryError::NotHttp));
    }

    #[test]
    fn a_refused_connection_on_loopback_is_retried_once_within_300_ms() {
        let refused = TryError::NotConnected { loopback: true };
        let RetryDecision::Retry(pause) = decide(Intent::Read, refused, FIRST, 1.0) else { panic!("one more try") };
        assert!(pause < Duration::from_millis(300));
        let second = Spent { tries: 2, elapsed: pause };
        assert_eq!(decide(Intent::Read, refused, second, 1.0), RetryDecision::Stop);
    }

    #[test]
    fn an_unknown_host_name_is_tried_twice() {
        let RetryDecision::Retry(pause) = decide(Intent::Write, TryError::NameUnknown, FIRST, 1.0) else {
            panic!("one more try")
        };
        assert!(pause <= Duration::from_millis(500));
        assert_eq!(
            decide(Intent::Write, TryError::NameUnknown, Spent { tries: 2, elapsed: pause }, 1.0),
            RetryDecision::Stop
        );
        assert!(passing(TryError::NameUnknown), "a watch continues while the name server is down");
    }

    #[test]
    fn an_unreachable_server_is_tried_for_fifteen_seconds() {
        let mut spent = Spent { tries: 0, elapsed: Duration::ZERO };
        let mut rng = fastrand::Rng::with_seed(1);
        loop {
            spent.tries += 1;
            match decide(Intent::Write, TryError::NotConnected { loopback: false }, spent, rng.f64()) {
                RetryDecision::Retry(pause) => spent.elapsed += pause,
                _ => break,
            }
        }
        assert!(spent.elapsed > Duration::from_secs(7) && spent.elapsed <= BUDGET, "{spent:?}");
    }

    #[test]
    fn a_requested_pause_beyond_the_budget_is_returned_instead() {
        let decision = decide(Intent::Read, status(429, Some(3600)), FIRST, 0.5);
        assert_eq!(decision, RetryDecision::StopAsked(Duration::from_secs(3600)));
    }

    /// Generates any error, with or without `Retry-After`.
    fn any_error() -> impl Strategy<Value = TryError> {
        let status = (100u16..600, prop::option::of(0u64..2_000_000))
            .prop_map(|(code, millis)| TryError::Status { code, retry_after: millis.map(Duration::from_millis) });
        prop_oneof![
            Just(TryError::NotConnected { loopback: false }),
            Just(TryError::NotConnected { loopback: true }),
            Just(TryError::NameUnknown),
            Just(TryError::Interrupted),
            Just(TryError::TimedOut),
            Just(TryError::NotHttp),
            Just(TryError::Unreadable),
            Just(TryError::Forbidden),
            status,
        ]
    }

    proptest! {
        /// Each try fails with the next error and takes the same time, on a virtual clock.
        #[test]
        fn retries_end_after_any_errors_and_no_requested_pause_is_shortened(
            errors in prop::collection::vec(any_error(), 1..40),
            writes: bool,
            took in 0u64..5_000,
            seed: u64,
        ) {
            let intent = if writes { Intent::Write } else { Intent::Read };
            let mut spent = Spent { tries: 0, elapsed: Duration::ZERO };
            let mut rng = fastrand::Rng::with_seed(seed);
            for error in errors {
                spent.tries += 1;
                spent.elapsed += Duration::from_millis(took);
                match decide(intent, error, spent, rng.f64()) {
                    RetryDecision::Retry(pause) => {
                        prop_assert!(repeatable(intent, error));
                        if let TryError::Status { retry_after: Some(asked), .. } = error {
                            prop_assert!(pause >= asked, "{pause:?} before {asked:?}");
                        }
                        spent.elapsed += pause;
                        prop_assert!(spent.elapsed <= ASKED_BUDGET, "{spent:?}");
                    }
                    RetryDecision::Stop => break,
                    RetryDecision::StopAsked(asked) => {
                        let is_asked = matches!(error, TryError::Status { retry_after, .. } if retry_after == Some(asked));
                        prop_assert!(is_asked);
                        break;
                    }
                }
            }
        }

        /// Each try uses its whole time limit, after a first try of any length.
        #[test]
        fn only_the_first_try_of_a_read_may_exceed_the_budget(
            errors in prop::collection::vec(any_error(), 1..40),
            first in 0u64..40_000,
            is_write: bool,
            seed: u64,
        ) {
            let intent = if is_write { Intent::IdempotentWrite } else { Intent::Read };
            let first = Duration::from_millis(first);
            let mut spent = Spent { tries: 1, elapsed: first };
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut most = first;
            for error in errors {
                let RetryDecision::Retry(pause) = decide(intent, error, spent, rng.f64()) else { break };
                let left = left(intent, error, spent.elapsed + pause).expect("a limit");
                prop_assert!(left >= LEAST, "{left:?}");
                most = most.max(budget(error));
                spent = Spent { tries: spent.tries + 1, elapsed: spent.elapsed + pause + left };
                prop_assert!(spent.elapsed <= most, "{spent:?} beyond {most:?}");
            }
        }

        #[test]
        fn a_retried_message_has_no_shorter_time_limit(error in any_error(), elapsed in 0u64..60_000) {
            prop_assert_eq!(left(Intent::Write, error, Duration::from_millis(elapsed)), None);
        }

        #[test]
        fn pauses_without_retry_after_stay_within_their_cap(n: u32, jitter in 0.0f64..1.0) {
            prop_assert!(pause(TryError::Interrupted, n, jitter) <= Duration::from_secs(8));
            prop_assert!(pause(status(503, None), n, jitter) <= Duration::from_secs(20));
            prop_assert!(pause(TryError::Interrupted, n, jitter) >= Duration::from_millis(250));
        }
    }
}
