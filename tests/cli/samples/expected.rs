//! The expected content of each recorded answer.

use agentctl::core::Outcome;

use self::Outcome::{Cancelled, Failed, NeedsApproval, Open, Succeeded, Truncated};

/// The content of a sample.
#[derive(Clone, Copy)]
pub enum Expect {
    /// A run: status, stop reason, outcome, and how its error begins.
    Run(&'static str, Option<&'static str>, Outcome, Option<&'static str>),
    /// A list of runs: how many, and the durations that the server filled in.
    Runs(usize, &'static [u64]),
    /// Messages: their types, and the reply that they make.
    Messages(&'static [&'static str], Option<&'static str>),
    /// Steps: their statuses, and how the run's reason begins when the run itself says nothing.
    Steps(&'static [&'static str], Option<&'static str>),
    /// An object with this number in it.
    Number(&'static str, u64),
    /// An object whose first value is this text.
    Word(&'static str),
    /// An error body: its message holds this.
    Refusal(&'static str),
    /// An event stream with this many frames.
    Stream(usize),
    /// A redirect without a body.
    Redirect,
}

use Expect::{Messages, Number, Redirect, Refusal, Run as ARun, Runs, Steps, Stream, Word};

const CREATED: Expect = ARun("created", None, Open, None);
const COMPLETED: Expect = ARun("completed", Some("end_turn"), Succeeded, None);
const CANCELLED: Expect = ARun("cancelled", Some("cancelled"), Cancelled, None);
const MAX_STEPS: Expect = ARun("completed", Some("max_steps"), Truncated, None);

const fn failed(error: &'static str) -> Expect {
    ARun("failed", Some("error"), Failed, Some(error))
}

const THREE_TOOL_TURNS: &[&str] = &[
    "user_message",
    "tool_call_message",
    "tool_return_message",
    "tool_call_message",
    "tool_return_message",
    "tool_call_message",
    "tool_return_message",
];

pub const EXPECTED: &[(&str, Expect)] = &[
    // A run from its submission to its end.
    ("post-async", CREATED),
    ("run-created", CREATED),
    ("run-while-working", CREATED),
    ("run-running", ARun("running", None, Open, None)),
    ("run-completed", COMPLETED),
    ("run-messages", Messages(&["user_message", "assistant_message"], Some("echo: slow 1 hello"))),
    ("run-usage", Number("total_tokens", 378)),
    ("run-steps", Steps(&["success"], None)),
    ("run-metrics", Number("run_ns", 1_446_280_448)),
    ("run-trace", Refusal("OTEL traces require ClickHouse")),
    // Request fields.
    ("post-async-input", CREATED),
    ("post-async-unknown-field", CREATED),
    ("run-completed-filtered", COMPLETED),
    ("run-messages-filtered", Messages(&["assistant_message"], Some("echo: hello"))),
    ("post-async-max-steps-0", CREATED),
    ("run-max-steps-0", COMPLETED),
    ("post-async-max-steps-minus-1", CREATED),
    ("run-max-steps-minus-1", COMPLETED),
    // Tools and the step budget.
    (
        "run-messages-tools",
        Messages(
            &[
                "user_message",
                "tool_call_message",
                "tool_return_message",
                "tool_call_message",
                "tool_return_message",
                "assistant_message",
            ],
            Some("echo: tool 2 please"),
        ),
    ),
    ("run-steps-tools", Steps(&["success", "success", "success"], None)),
    ("run-max-steps", MAX_STEPS),
    ("run-max-steps-messages", Messages(THREE_TOOL_TURNS, None)),
    ("run-max-steps-usage", Number("total_tokens", 1206)),
    ("run-max-steps-memgpt", MAX_STEPS),
    // Agents that speak through a tool.
    ("run-completed-memgpt", COMPLETED),
    (
        "run-messages-memgpt",
        Messages(
            &[
                "user_message",
                "reasoning_message",
                "tool_call_message",
                "tool_return_message",
                "user_message",
                "reasoning_message",
                "assistant_message",
            ],
            Some("echo: tool please"),
        ),
    ),
    ("run-failed-memgpt", failed("Error code: 500")),
    // Failures of the model, and of requests that the server should have refused.
    ("run-failed", failed("INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 500")),
    ("run-failed-messages", Messages(&[], None)),
    ("run-failed-usage", Number("total_tokens", 0)),
    (
        "run-failed-steps",
        Steps(&["failed"], Some("LLMServerError: INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 500")),
    ),
    ("run-failed-llm-400", failed("INVALID_ARGUMENT: Bad request to OpenAI-compatible endpoint")),
    ("run-failed-llm-401", failed("UNAUTHENTICATED: Authentication failed with OpenAI")),
    ("run-failed-llm-429", failed("RATE_LIMIT_EXCEEDED: Rate limited by OpenAI")),
    ("run-failed-llm-503", failed("INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 503")),
    ("post-async-bad-model", CREATED),
    ("run-failed-bad-model", failed("NOT_FOUND: Handle nobody/nothing not found")),
    ("run-completed-after-failure", COMPLETED),
    ("error-empty-messages", CREATED),
    ("run-empty-messages", failed("list index out of range")),
    ("post-async-empty-text", CREATED),
    ("run-empty-text", failed("Message content is empty or invalid")),
    // Cancelling.
    ("cancel", Word("cancelled")),
    ("run-cancelled", CANCELLED),
    ("cancel-again", Word("cancelled")),
    ("run-cancelled-later", COMPLETED),
    ("run-cancelled-messages", Messages(&["user_message", "assistant_message"], Some("echo: slow 4 hello"))),
    ("run-cancelled-steps", Steps(&["success"], None)),
    ("cancel-none-active", Refusal("CONFLICT: No active runs to cancel for agent agent-")),
    ("run-after-cancel", COMPLETED),
    ("cancel-completed", Word("cancelled")),
    ("run-after-cancel-completed", COMPLETED),
    ("cancel-unknown-run", Word("failed")),
    ("cancel-malformed-run", Word("failed")),
    ("cancel-unknown-agent", Refusal("CONFLICT: No active runs to cancel for agent agent-")),
    ("cancel-all", Word("cancelled")),
    ("run-cancelled-loop", CANCELLED),
    ("run-cancelled-loop-messages", Messages(THREE_TOOL_TURNS, None)),
    // Approvals.
    ("run-requires-approval", ARun("completed", Some("requires_approval"), NeedsApproval, None)),
    ("run-requires-approval-messages", Messages(&["user_message", "approval_request_message"], None)),
    ("run-failed-approval-pending", failed("CONFLICT: Cannot send a new message: The agent is waiting for approval")),
    // Callbacks.
    ("post-async-callback", CREATED),
    ("post-async-callback-malformed", CREATED),
    ("post-async-callback-ftp", CREATED),
    ("run-callback-ok", COMPLETED),
    ("run-callback-run-failed", failed("INTERNAL_SERVER_ERROR: OpenAI API error: Error code: 500")),
    ("run-callback-run-cancelled", CANCELLED),
    ("run-callback-500", COMPLETED),
    ("run-callback-302", COMPLETED),
    ("run-callback-timeout", COMPLETED),
    ("run-callback-refused", COMPLETED),
    ("run-callback-no-such-host", COMPLETED),
    // Lists.
    ("runs-list", Runs(2, &[1_446_280_448])),
    ("runs-list-limit-1", Runs(1, &[838_648_320])),
    ("runs-list-unknown-agent", Runs(0, &[])),
    ("runs-list-malformed-agent", Runs(0, &[])),
    ("runs-list-no-slash", Redirect),
    ("runs-list-bad-status", Refusal("'nonsense' is not a valid RunStatus")),
    ("runs-list-bad-limit", Refusal("Input should be greater than or equal to 1")),
    ("runs-list-bad-stop-reason", Refusal("Input should be 'end_turn'")),
    // Two messages at once to one agent.
    ("twice-run-0", COMPLETED),
    ("twice-run-0-messages", Messages(&["user_message", "assistant_message"], Some("echo: slow 2 number 0"))),
    ("twice-run-1", COMPLETED),
    ("twice-run-1-messages", Messages(&["user_message", "assistant_message"], Some("echo: slow 2 number 1"))),
    (
        "twice-agent-messages",
        Messages(
            &["system_message", "user_message", "assistant_message", "user_message", "assistant_message"],
            Some("echo: slow 2 number 1\n\necho: slow 2 number 0"),
        ),
    ),
    ("twice-next-run", COMPLETED),
    // A server that was restarted, an agent that was deleted.
    ("run-orphaned", CREATED),
    ("cancel-orphaned", Word("cancelled")),
    ("run-orphaned-cancelled", CANCELLED),
    ("agent-delete", Word("Agent id=agent-dc31142d-f9ac-45eb-961f-29d7b6c481e9 successfully deleted")),
    ("run-of-deleted-agent", Refusal("Run not found with id=")),
    ("run-of-deleted-agent-later", Refusal("Run not found with id=")),
    ("post-async-deleted-agent", Refusal("Agent not found")),
    ("run-delete", Refusal("An unknown error occurred")),
    ("run-delete-after", COMPLETED),
    // Streams.
    ("stream-background", Stream(13)),
    ("stream-background-failed", Stream(3)),
    ("run-stream", Stream(13)),
    ("run-stream-after", Stream(11)),
    ("run-stream-completed", COMPLETED),
    ("run-stream-no-body", Refusal("An unknown error occurred")),
    (
        "run-failed-stream",
        ARun("failed", Some("llm_api_error"), Failed, Some("An error occurred with the LLM request. (INTERNAL_")),
    ),
    // Refusals.
    ("error-malformed-agent", Refusal("String should match pattern 'agent-{uuid4}'")),
    ("error-unknown-agent", Refusal("Agent not found")),
    ("error-malformed-run", Refusal("INVALID_ARGUMENT: Invalid run ID format: nonsense")),
    ("error-malformed-run-prefix", Refusal("INVALID_ARGUMENT: Invalid run ID format: job-")),
    ("error-unknown-run", Refusal("Run not found with id=")),
    ("error-unknown-run-messages", Refusal("Run not found with id=")),
    ("error-unknown-run-usage", Refusal("Run not found with id=")),
    ("error-no-messages", Refusal("Must specify either 'input' or 'messages'.")),
    ("error-messages-null", Refusal("Must specify either 'input' or 'messages'.")),
    ("error-messages-and-input", Refusal("Cannot specify both 'input' and 'messages'.")),
    ("error-bad-enum", Refusal("Input should be 'system_message'")),
    ("error-bad-role", Refusal("Input should be <MessageRole.user: 'user'>")),
    ("error-bad-max-steps", Refusal("Input should be a valid integer")),
    ("error-not-json", Refusal("JSON decode error")),
    ("error-no-body", Refusal("Field required")),
    ("error-wrong-content-type", Refusal("Input should be a valid dictionary or object")),
    ("error-wrong-token", Refusal("Unauthorized")),
    ("error-wrong-token-post", Refusal("Unauthorized")),
    ("error-no-token", Refusal("Unauthorized")),
    ("error-no-such-path", Refusal("Not Found")),
    ("error-wrong-method", Refusal("Method Not Allowed")),
    ("error-get-on-async", Refusal("Method Not Allowed")),
    ("health-no-token", Word("0.16.8")),
];
