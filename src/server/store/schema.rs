//! The tables. A migration is never changed once it was released; a new one is added behind it.

use crate::db::Identity;

/// Whose files these are: "agsv" in the header.
pub(in crate::server) const IDENTITY: Identity = Identity { application_id: 0x6167_7376, migrations: &[TABLES] };

/// Times are microseconds since 1970. A run is open while its status is `created` or `running`;
/// `owner` then names the process that works on it or will, `attempt` counts the claims and fences
/// their writes, `lost` counts the processes that died over it.
const TABLES: &str = "
CREATE TABLE agents (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  system TEXT NOT NULL,
  created INTEGER NOT NULL,
  updated INTEGER NOT NULL,
  settings TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  stop_reason TEXT,
  error TEXT,
  created INTEGER NOT NULL,
  completed INTEGER,
  model TEXT NOT NULL,
  request TEXT NOT NULL,
  resume_model TEXT,
  resume_text TEXT,
  resume_at INTEGER NOT NULL DEFAULT 0,
  callback_url TEXT,
  callback_sent INTEGER,
  callback_status INTEGER,
  callback_error TEXT,
  ttft_ns INTEGER,
  duration_ns INTEGER,
  owner TEXT,
  lease_until INTEGER,
  attempt INTEGER NOT NULL DEFAULT 0,
  lost INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX runs_of_agent ON runs (agent_id, seq);
CREATE INDEX runs_open ON runs (agent_id, seq) WHERE status IN ('created', 'running');

CREATE TABLE steps (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  model TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  stop_reason TEXT,
  error_type TEXT,
  error TEXT
) STRICT;
CREATE INDEX steps_of_run ON steps (run_id, seq);

CREATE TABLE messages (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  run_seq INTEGER NOT NULL,
  run_id TEXT REFERENCES runs (id) ON DELETE SET NULL,
  step_id TEXT,
  date INTEGER NOT NULL,
  message_type TEXT NOT NULL,
  name TEXT,
  otid TEXT,
  sender_id TEXT,
  own TEXT NOT NULL
) STRICT;
CREATE INDEX messages_of_agent ON messages (agent_id, run_seq, seq);
CREATE INDEX messages_of_run ON messages (run_id, seq);

CREATE TABLE approvals (
  agent_id TEXT PRIMARY KEY REFERENCES agents (id) ON DELETE CASCADE,
  run_id TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  message_id TEXT NOT NULL,
  tool_call_id TEXT NOT NULL,
  name TEXT NOT NULL,
  arguments TEXT NOT NULL,
  resume_model TEXT NOT NULL,
  resume_text TEXT NOT NULL,
  resume_at INTEGER NOT NULL
) STRICT;
CREATE INDEX approvals_of_run ON approvals (run_id);

CREATE TABLE outbox (
  run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  owner TEXT
) STRICT;
";
