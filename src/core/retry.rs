//! Whether and when a request is repeated. A message is never sent twice on a guess.

use std::time::Duration;

/// How long a server that cannot be reached, or does not answer well, is tried.
pub const BUDGET: Duration = Duration::from_secs(15);
/// On loopback a refused connection means that nothing listens: one more try, in case it is just starting.
pub const LOOPBACK_PAUSE: Duration = Duration::from_millis(250);
/// How long a server that says itself when to come back is tried.
pub const ASKED_BUDGET: Duration = Duration::from_secs(60);
/// A try that would have less time than this is not made.
pub const LEAST: Duration = Duration::from_secs(1);
/// Requests in all, for one that only reads.
pub const READ_TRIES: u32 = 6;
/// Requests in all, for a message.
pub const SEND_TRIES: u32 = 3;
/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intent {
    /// It reads, or may be repeated without another effect.
    Read,
    /// It makes something happen, once each time.
    Write,
    /// It makes something happen, once however often it comes: the server declares that it honours its key.
    IdempotentWrite,
}

/// How one try of a request was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// No connection: not a byte was written. `loopback` is a refused connection on this machine.
    NotConnected {
        /// Refused by this machine itself.
        loopback: bool,
    },
    /// No name server knows the name: not a byte was written.
    NameUnknown,
    /// The connection ended after the request was written.
    Interrupted,
    /// Time ran out: the request may have been written.
    TimedOut,
    /// What came is no HTTP: something else answers there.
    NotHttp,
    /// The answer came whole and is not this API's.
    Unreadable,
    /// An HTTP status that is not success.
    Status {
        /// The status.
        code: u16,
        /// What the server asks to wait.
        retry_after: Option<Duration>,
    },
    /// A certificate that does not hold, a redirect, or a rule of this program.
    Forbidden,
}

/// What to do about a lost try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Try again after this pause.
    Retry(Duration),
    /// Stop.
    Stop,
    /// Stop, since the server asks for a longer pause than there is time for.
    StopAsked(Duration),
}

/// What has been spent on a request so far.
#[derive(Clone, Copy, Debug)]
pub struct Spent {
    /// Tries made.
    pub tries: u32,
    /// Time since the first try began.
    pub elapsed: Duration,
}

/// Decides about a lost try of a command's own request. `dice` is uniform in [0, 1).
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

/// How much time is left for the try that follows a lost one, where it must not outlast the budget.
///
/// A message that is on its way is not hurried: cutting it off would leave unknown what waiting tells.
pub fn left(intent: Intent, loss: Loss, elapsed: Duration) -> Option<Duration> {
    (intent != Intent::Write).then(|| budget(loss).saturating_sub(elapsed).max(LEAST))
}

/// Whether another try can do no harm and may do better.
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

/// Whether a poll that was lost this way may succeed later. A 409 may, on any server.
pub fn passing(loss: Loss) -> bool {
    matches!(loss, Loss::Status { code: 409, .. }) || repeatable(Intent::Read, loss)
}

/// The pause before the next try; `failures` counts the lost tries before this one.
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

/// Never earlier than asked, and spread out, so that many clients do not come back together.
fn obey(asked: Duration, backoff: f64, dice: f64) -> Duration {
    let asked = asked.as_secs_f64();
    Duration::from_secs_f64(asked.max(backoff / 2.0) + dice * f64::min(0.1 * asked, 5.0))
}

fn tries(intent: Intent, loss: Loss) -> u32 {
    match (intent, loss) {
        // It is no outage. A watch goes on all the same: what stands between may be gone when it looks again.
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
