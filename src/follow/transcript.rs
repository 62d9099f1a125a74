//! The messages and steps of a run that were reported already.

use std::collections::HashSet;

use crate::model::Message;

/// A message that was not reported before.
pub struct UnreportedMessage {
    /// The message.
    pub message: Message,
    /// The id and the number of the step that it belongs to, if it is the first message of that step.
    pub step: Option<(String, usize)>,
}

/// The messages and steps of a run that were reported already.
#[derive(Debug, Default)]
pub struct Transcript {
    messages: HashSet<(String, String, String)>,
    steps: HashSet<String>,
    last: Option<String>,
}

impl Transcript {
    /// Returns the messages that were not reported before, and records them.
    pub fn add(&mut self, messages: Vec<Message>) -> Vec<UnreportedMessage> {
        let mut new = Vec::new();
        for message in messages {
            self.last = message.document().text("id").map(str::to_owned).or(self.last.take());
            if self.messages.insert(message.key()) {
                let step = self.new_step(&message);
                new.push(UnreportedMessage { message, step });
            }
        }
        new
    }

    fn new_step(&mut self, message: &Message) -> Option<(String, usize)> {
        let step = message.step_id()?.to_owned();
        let is_new = self.steps.insert(step.clone());
        is_new.then_some((step, self.steps.len()))
    }

    /// Returns the id of the last message: the cursor after which new ones are listed.
    pub fn last(&self) -> Option<String> {
        self.last.clone()
    }
}
