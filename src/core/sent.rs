//! Whether a request may have been acted upon: the difference between "try again" and "do not".

use crate::exit::Exit;

/// What is known about a request that did not get a usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// Nothing can have been accepted: no byte was written, or the server refused.
    No,
    /// It may have been accepted.
    Maybe,
}

impl Sent {
    /// The exit of a command whose message was lost this way.
    ///
    /// `refusal` is the exit where it is certain that nothing was accepted.
    pub fn exit(self, refusal: Exit) -> Exit {
        match self {
            Self::No => refusal,
            Self::Maybe => Exit::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_accepted_is_never_called_safe_to_repeat() {
        for refusal in Exit::ALL {
            assert_eq!(Sent::Maybe.exit(refusal), Exit::Unknown);
        }
        assert_eq!(Sent::No.exit(Exit::Unreachable), Exit::Unreachable);
    }
}
