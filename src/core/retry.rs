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
pub enum Loss {
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

/// Decides whether to retry a command's own request. `dice` is uniform in [0, 1).
pub fn decide(intent: Intent, loss: Loss, spent: Spent, dice: f64) -> RetryDecision {
    if !repeatable(intent, loss) || spent.tries >= tries(intent, loss) {
        return RetryDecision::Stop;
    }
    let pause = pause(loss, spent.tries - 1, dice);
    if spent.elapsed + pause + LEAST <= budget(loss) {
        return RetryDecision::Retry(pause);
    }
    match loss {
        Loss::Status { retry_after: Some(asked), .. } => RetryDecision::StopAsked(asked),
        _ => RetryDecision::Stop,
    }
}

/// Returns the time limit of the next try, so that it ends within the budget; `None` for a message.
///
/// Cutting a message off would leave unknown whether it was accepted.
pub fn left(intent: Intent, loss: Loss, elapsed: Duration) -> Option<Duration> {
    (intent != Intent::Write).then(|| budget(loss).saturating_sub(elapsed).max(LEAST))
}

/// Returns whether another try is safe and may succeed.
pub fn repeatable(intent: Intent, loss: Loss) -> bool {
    match (intent, loss) {
        (_, Loss::Forbidden) => false,
        (_, Loss::NotConnected { .. } | Loss::NameUnknown) => true,
        // A 409 with Retry-After is a transaction that was rolled back; other 409s are final.
        (_, Loss::Status { code: 409, retry_after }) => retry_after.is_some(),
        (Intent::Write, Loss::Status { code, .. }) => code == 429,
        (Intent::Write, Loss::Interrupted | Loss::TimedOut | Loss::NotHttp | Loss::Unreadable) => false,
        (_, Loss::Status { code, .. }) => matches!(code, 408 | 425 | 429 | 500..),
        (_, Loss::Interrupted | Loss::TimedOut | Loss::NotHttp | Loss::Unreadable) => true,
    }
}

/// Returns whether a poll that failed this way may succeed later. A 409 may, on any server.
pub fn passing(loss: Loss) -> bool {
    matches!(loss, Loss::Status { code: 409, .. }) || repeatable(Intent::Read, loss)
}

/// Returns the pause before the next try: exponential backoff with jitter, or the server's `Retry-After`. `failures`
/// counts the failed tries before this one.
pub fn pause(loss: Loss, failures: u32, dice: f64) -> Duration {
    let (base, cap) = match loss {
        Loss::NotConnected { loopback: true } if failures == 0 => return LOOPBACK_PAUSE,
        Loss::Status { code: 429 | 503, .. } => (1.0, 20.0),
        _ => (0.5, 8.0),
    };
    let backoff = f64::min(base * 2f64.powi(failures.min(16) as i32), cap);
    let jittered = backoff / 2.0 * (1.0 + dice);
    match loss {
        Loss::Status { retry_after: Some(asked), .. } => obey(asked, backoff, dice),
        _ => Duration::from_secs_f64(jittered),
    }
}

/// Returns a pause of at least the time that was asked for, with jitter so that clients do not retry at the same moment.
fn obey(asked: Duration, backoff: f64, dice: f64) -> Duration {
    let asked = asked.as_secs_f64();
    Duration::from_secs_f64(asked.max(backoff / 2.0) + dice * f64::min(0.1 * asked, 5.0))
}

fn tries(intent: Intent, loss: Loss) -> u32 {
    match (intent, loss) {
        // Not an outage. A watch still continues: the cause, such as a captive portal, may be gone at its next poll.
        (_, Loss::NotHttp) => 1,
        (_, Loss::NotConnected { loopback: true } | Loss::NameUnknown | Loss::Unreadable) => 2,
        (_, Loss::NotConnected { loopback: false }) => u32::MAX,
        (Intent::Read | Intent::IdempotentWrite, _) => READ_TRIES,
        (Intent::Write, _) => SEND_TRIES,
    }
}

fn budget(loss: Loss) -> Duration {
    match loss {
        Loss::Status { retry_after: Some(_), .. } => ASKED_BUDGET,
        _ => BUDGET,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FIRST: Spent = Spent { tries: 1, elapsed: Duration::ZERO };

    fn status(code: u16, retry_after: Option<u64>) -> Loss {
        Loss::Status { code, retry_after: retry_after.map(Duration::from_secs) }
    }

    #[test]
    fn a_message_is_repeated_only_where_nothing_can_have_been_accepted() {
        for (loss, again) in [
            (Loss::NotConnected { loopback: false }, true),
            (Loss::NotConnected { loopback: true }, true),
            (Loss::NameUnknown, true),
            (status(429, None), true),
            (status(409, Some(1)), true),
            (status(409, None), false),
            (Loss::Interrupted, false),
            (Loss::TimedOut, false),
            (Loss::NotHttp, false),
            (Loss::Unreadable, false),
            (Loss::Forbidden, false),
            (status(400, None), false),
            (status(408, None), false),
            (status(425, None), false),
            (status(500, Some(1)), false),
            (status(503, Some(1)), false),
        ] {
            assert_eq!(matches!(decide(Intent::Write, loss, FIRST, 0.0), RetryDecision::Retry(_)), again, "{loss:?}");
        }
    }

    #[test]
    fn a_read_or_a_message_with_a_key_that_counts_is_repeated_where_it_may_get_better() {
        for (loss, again) in [
            (Loss::Interrupted, true),
            (Loss::TimedOut, true),
            (Loss::Unreadable, true),
            (status(500, None), true),
            (status(503, None), true),
            (status(408, None), true),
            (status(425, None), true),
            (status(409, None), false),
            (status(404, None), false),
            (status(401, None), false),
            (Loss::NotHttp, false),
            (Loss::Forbidden, false),
        ] {
            for intent in [Intent::Read, Intent::IdempotentWrite] {
                assert_eq!(
                    matches!(decide(intent, loss, FIRST, 0.0), RetryDecision::Retry(_)),
                    again,
                    "{intent:?} {loss:?}"
                );
            }
        }
        assert!(passing(status(409, None)) && passing(Loss::NotHttp));
    }

    #[test]
    fn nothing_listens_on_this_machine_is_known_within_300_ms() {
        let refused = Loss::NotConnected { loopback: true };
        let RetryDecision::Retry(pause) = decide(Intent::Read, refused, FIRST, 1.0) else { panic!("one more try") };
        assert!(pause < Duration::from_millis(300));
        let second = Spent { tries: 2, elapsed: pause };
        assert_eq!(decide(Intent::Read, refused, second, 1.0), RetryDecision::Stop);
    }

    #[test]
    fn a_name_that_nobody_knows_is_asked_for_twice() {
        let RetryDecision::Retry(pause) = decide(Intent::Write, Loss::NameUnknown, FIRST, 1.0) else {
            panic!("one more try")
        };
        assert!(pause <= Duration::from_millis(500));
        assert_eq!(
            decide(Intent::Write, Loss::NameUnknown, Spent { tries: 2, elapsed: pause }, 1.0),
            RetryDecision::Stop
        );
        assert!(passing(Loss::NameUnknown), "a watch outlives a name server that is away");
    }

    #[test]
    fn an_unreachable_server_is_tried_for_fifteen_seconds() {
        let (mut spent, mut dice) = (Spent { tries: 0, elapsed: Duration::ZERO }, fastrand::Rng::with_seed(1));
        loop {
            spent.tries += 1;
            match decide(Intent::Write, Loss::NotConnected { loopback: false }, spent, dice.f64()) {
                RetryDecision::Retry(pause) => spent.elapsed += pause,
                _ => break,
            }
        }
        assert!(spent.elapsed > Duration::from_secs(7) && spent.elapsed <= BUDGET, "{spent:?}");
    }

    #[test]
    fn a_wait_beyond_the_budget_is_said_instead_of_waited() {
        let verdict = decide(Intent::Read, status(429, Some(3600)), FIRST, 0.5);
        assert_eq!(verdict, RetryDecision::StopAsked(Duration::from_secs(3600)));
    }

    /// A loss as it may come, with or without a wish.
    fn any_loss() -> impl Strategy<Value = Loss> {
        let status = (100u16..600, prop::option::of(0u64..2_000_000))
            .prop_map(|(code, millis)| Loss::Status { code, retry_after: millis.map(Duration::from_millis) });
        prop_oneof![
            Just(Loss::NotConnected { loopback: false }),
            Just(Loss::NotConnected { loopback: true }),
            Just(Loss::NameUnknown),
            Just(Loss::Interrupted),
            Just(Loss::TimedOut),
            Just(Loss::NotHttp),
            Just(Loss::Unreadable),
            Just(Loss::Forbidden),
            status,
        ]
    }

    proptest! {
        /// A request against losses one after the other, each try costing time, on a virtual clock.
        #[test]
        fn whatever_is_lost_the_pauses_end_and_no_wish_is_cut_short(
            losses in prop::collection::vec(any_loss(), 1..40),
            act: bool,
            took in 0u64..5_000,
            seed: u64,
        ) {
            let intent = if act { Intent::Write } else { Intent::Read };
            let (mut spent, mut dice) = (Spent { tries: 0, elapsed: Duration::ZERO }, fastrand::Rng::with_seed(seed));
            for loss in losses {
                spent.tries += 1;
                spent.elapsed += Duration::from_millis(took);
                match decide(intent, loss, spent, dice.f64()) {
                    RetryDecision::Retry(pause) => {
                        prop_assert!(repeatable(intent, loss));
                        if let Loss::Status { retry_after: Some(asked), .. } = loss {
                            prop_assert!(pause >= asked, "{pause:?} before {asked:?}");
                        }
                        spent.elapsed += pause;
                        prop_assert!(spent.elapsed <= ASKED_BUDGET, "{spent:?}");
                    }
                    RetryDecision::Stop => break,
                    RetryDecision::StopAsked(asked) => {
                        let wish = matches!(loss, Loss::Status { retry_after, .. } if retry_after == Some(asked));
                        prop_assert!(wish);
                        break;
                    }
                }
            }
        }

        /// Tries that take all the time that they get, after a first one of any length.
        #[test]
        fn a_read_never_outlasts_its_budget_but_by_its_first_try(
            losses in prop::collection::vec(any_loss(), 1..40),
            first in 0u64..40_000,
            once: bool,
            seed: u64,
        ) {
            let intent = if once { Intent::IdempotentWrite } else { Intent::Read };
            let first = Duration::from_millis(first);
            let (mut spent, mut dice) = (Spent { tries: 1, elapsed: first }, fastrand::Rng::with_seed(seed));
            let mut most = first;
            for loss in losses {
                let RetryDecision::Retry(pause) = decide(intent, loss, spent, dice.f64()) else { break };
                let left = left(intent, loss, spent.elapsed + pause).expect("a limit");
                prop_assert!(left >= LEAST, "{left:?}");
                most = most.max(budget(loss));
                spent = Spent { tries: spent.tries + 1, elapsed: spent.elapsed + pause + left };
                prop_assert!(spent.elapsed <= most, "{spent:?} beyond {most:?}");
            }
        }

        #[test]
        fn a_message_on_its_way_is_not_hurried(loss in any_loss(), elapsed in 0u64..60_000) {
            prop_assert_eq!(left(Intent::Write, loss, Duration::from_millis(elapsed)), None);
        }

        #[test]
        fn pauses_without_a_wish_stay_within_their_cap(n: u32, dice in 0.0f64..1.0) {
            prop_assert!(pause(Loss::Interrupted, n, dice) <= Duration::from_secs(8));
            prop_assert!(pause(status(503, None), n, dice) <= Duration::from_secs(20));
            prop_assert!(pause(Loss::Interrupted, n, dice) >= Duration::from_millis(250));
        }
    }
}
