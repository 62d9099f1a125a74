//! The tables.
//!
//! There are no migrations: a change of the tables gets a new version, and files of other versions are refused.

use crate::db::Identity;

/// The identity of the server's databases. The application id is "agsv" in ASCII.
pub const IDENTITY: Identity = Identity { application_id: 0x6167_7376, version: 7, schema: SCHEMA };

/// The SQL that creates all tables of an empty file.
const SCHEMA: &str = "
-- Times are in microseconds since 1970.
CREATE TABLE agents (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  model TEXT NOT NULL,
  system TEXT NOT NULL,
  created INTEGER NOT NULL,
  settings TEXT NOT NULL,
  updated INTEGER NOT NULL
) STRICT;
CREATE INDEX agents_of_name ON agents (name, seq);

-- A run is open while its status is 'created' or 'running'. The process `owner` then has a lease on it until
-- `lease_until`. `attempt` counts the claims and is the fencing token of writes; `lost` counts the processes that died
-- while they executed the run. `error` is JSON with a kind and a message. Runs refer to their agent by `seq`, not by
-- id: five times as many entries of an index fit into a page, so a write of many runs changes fewer pages.
-- AUTOINCREMENT never reuses the number of a deleted run, so its messages are not assigned to another run.
CREATE TABLE runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  agent INTEGER NOT NULL REFERENCES agents (seq) ON DELETE CASCADE,
  kind TEXT NOT NULL,
  status TEXT NOT NULL,
  stop_reason TEXT,
  error TEXT,
  created INTEGER NOT NULL,
  completed INTEGER,
  model TEXT NOT NULL,
  config TEXT NOT NULL,
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
-- SQLite appends the primary key to the entries of every index, so these are in the order of `seq`. Open runs are few
-- and change often, so they are not in the index of ended ones.
CREATE INDEX runs_of_agent ON runs (agent);
CREATE INDEX runs_open ON runs (agent) WHERE status IN ('created', 'running');
CREATE INDEX runs_ended ON runs (agent, status) WHERE status NOT IN ('created', 'running');
CREATE INDEX runs_of_status ON runs (status);
CREATE INDEX runs_of_stop_reason ON runs (stop_reason) WHERE stop_reason IS NOT NULL;
CREATE INDEX runs_waited_for ON runs (seq) WHERE kind <> 'async';

-- Request bodies have their own table and are deleted when the run ends.
CREATE TABLE requests (
  run_seq INTEGER PRIMARY KEY REFERENCES runs (seq) ON DELETE CASCADE,
  body TEXT NOT NULL
) STRICT;

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
  agent INTEGER NOT NULL REFERENCES agents (seq) ON DELETE CASCADE,
  run_seq INTEGER NOT NULL,
  step_id TEXT,
  date INTEGER NOT NULL,
  message_type TEXT NOT NULL,
  name TEXT,
  otid TEXT,
  sender_id TEXT,
  own TEXT NOT NULL
) STRICT;
CREATE INDEX messages_of_agent ON messages (agent, run_seq);

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

-- Callbacks to deliver. Each attempt that fails moves `due`.
CREATE TABLE outbox (
  run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  owner TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX outbox_of_agent ON outbox (agent_id, due);
CREATE INDEX outbox_due ON outbox (due);

CREATE TABLE idempotency (
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
  route TEXT NOT NULL,
  key TEXT NOT NULL,
  body BLOB NOT NULL,
  run_id TEXT NOT NULL,
  created INTEGER NOT NULL,
  PRIMARY KEY (agent_id, route, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_by_age ON idempotency (created);

-- The number of open runs. The statement that accepts a run increments it: an INSERT with a trigger would write a
-- statement journal. All other changes are counted by triggers.
CREATE TABLE gauge (open INTEGER NOT NULL) STRICT;
INSERT INTO gauge VALUES (0);
CREATE TRIGGER run_closed AFTER UPDATE OF status ON runs
  WHEN old.status IN ('created', 'running') AND new.status NOT IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open - 1; DELETE FROM requests WHERE run_seq = new.seq; END;
CREATE TRIGGER run_reopened AFTER UPDATE OF status ON runs
  WHEN old.status NOT IN ('created', 'running') AND new.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open + 1; END;
CREATE TRIGGER open_run_deleted AFTER DELETE ON runs WHEN old.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open - 1; END;
";
