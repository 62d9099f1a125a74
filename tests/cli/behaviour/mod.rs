//! Promises about every server. Each test runs against the local engine, against the same on a port, with the faults of
//! the real server too, and against a real server if `AGENTCTL_TEST_BASE_URL`, `AGENTCTL_TEST_API_KEY` and
//! `AGENTCTL_TEST_AGENT_ID` name one. Its model is expected to follow the words of a message (see [`fixture`]).

mod agents;
mod approvals;
mod callbacks;
mod cancelling;
mod ends;
mod fixture;
mod listening;
mod lists;
mod messages;
mod refusals;
mod views;
mod waiting;

use fixture::{Behaviour, Fixture, Started};

/// Makes four tests of each of these functions: `NAME::local`, `NAME::serve`, `NAME::quirks` and `NAME::real`.
macro_rules! for_each_fixture {
    ($($check:ident),+ $(,)?) => {$(
        mod $check {
            use crate::behaviour::Fixture;

            #[test]
            fn local() {
                super::$check(&Fixture::local());
            }

            #[test]
            fn serve() {
                super::$check(&Fixture::serve());
            }

            #[test]
            fn quirks() {
                super::$check(&Fixture::quirks());
            }

            #[test]
            fn real() {
                if let Some(fixture) = Fixture::real() {
                    super::$check(&fixture);
                }
            }
        }
    )+};
}
use for_each_fixture;
