//! The model that replies with the text of the message.

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, ready};

use super::turn::{Act, Model, Step, Turn};
use crate::model::StopReason;
use crate::server::types::run_error::RunError;

/// `agentctl/echo`.
pub struct Echo;

impl Model for Echo {
    fn step<'a>(&'a self, turn: &'a Turn, _: usize) -> BoxFuture<'a, Result<Step, RunError>> {
        turn.first_output.mark();
        let reply = Act::Reply(turn.text.clone());
        ready(Ok(Step { acts: vec![reply], stop: Some(StopReason::EndTurn), ..Step::default() })).boxed()
    }
}
