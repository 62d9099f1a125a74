//! Whether a server may have accepted a request. Only a request that it cannot have accepted is safe to repeat.

use crate::exit::Exit;

/// Whether the server may have accepted a request that got no usable answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// The server cannot have accepted it: no byte was written, or the server rejected it.
    Impossible,
    /// The server may have accepted it.
    Possible,
}

impl Acceptance {
    /// Returns the exit code of a command whose message failed. `refusal` is the exit code if nothing was accepted.
    pub fn exit(self, refusal: Exit) -> Exit {
        match self {
            Self::Impossible => refusal,
            Self::Possible => Exit::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_may_be_accepted_is_never_reported_as_safe_to_repeat() {
        for refusal in Exit::ALL {
            assert_eq!(Acceptance::Possible.exit(refusal), Exit::Unknown);
        }
        assert_eq!(Acceptance::Impossible.exit(Exit::Unreachable), Exit::Unreachable);
    }
}
