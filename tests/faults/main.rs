//! Harnesses that inject faults and keep a ledger of the true events.
//!
//! Each harness is a test that takes seconds. `AGENTCTL_FAULTS=long` makes it take as many rounds as a promise needs, and
//! `UPDATE=1` then writes what it counted into RELIABILITY.md. Seeds are printed; `AGENTCTL_SEED` repeats a run.

mod ambiguous;
mod answers;
mod attacks;
mod bodies;
mod canary;
mod crowd;
mod cuts;
mod faultd;
mod full;
mod kills;
mod outage;
mod overload;
mod proxied;
mod proxy;
mod redirects;
mod report;
mod sabotage;
mod stops;
#[path = "../cli/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests that look from outside, which use all of it")]
mod support;
mod tls;
