//! The tables. A migration is never changed once it was released; a new one is added behind it.

use crate::db::Identity;

/// Whose files these are: "agsv" in the header.
pub(in crate::server) const IDENTITY: Identity =
    Identity { application_id: 0x6167_7376, migrations: &[TABLES, SERVING, KINDS, REQUESTS, WAITED_FOR] };

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
  settings TEXT NOT NULL
) STRICT;

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  agent_id TEXT NOT NULL REFERENCES agents (id) ON DELETE CASCADE,
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

/// What a server needs that stays and has many runs: a callback is `due` again and again until it gets through,
/// each list has an index in its order, a key makes a request count once, `gauge` knows how many runs are open.
const SERVING: &str = "
CREATE TABLE callbacks (
  run_id TEXT PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
  agent_id TEXT NOT NULL,
  owner TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  due INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO callbacks (run_id, agent_id, owner)
  SELECT run_id, agent_id, outbox.owner FROM outbox JOIN runs ON runs.id = run_id;
DROP TABLE outbox;
ALTER TABLE callbacks RENAME TO outbox;
CREATE INDEX outbox_of_agent ON outbox (agent_id, due);
CREATE INDEX outbox_due ON outbox (due);

CREATE INDEX runs_of_status ON runs (status, seq);
CREATE INDEX runs_of_agent_and_status ON runs (agent_id, status, seq);
CREATE INDEX runs_of_stop_reason ON runs (stop_reason, seq) WHERE stop_reason IS NOT NULL;
CREATE INDEX agents_of_name ON agents (name, seq);

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

CREATE TABLE gauge (open INTEGER NOT NULL) STRICT;
INSERT INTO gauge SELECT count(*) FROM runs WHERE status IN ('created', 'running');
CREATE TRIGGER run_opened AFTER INSERT ON runs WHEN new.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open + 1; END;
CREATE TRIGGER run_closed AFTER UPDATE OF status ON runs
  WHEN old.status IN ('created', 'running') AND new.status NOT IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open - 1; END;
CREATE TRIGGER run_reopened AFTER UPDATE OF status ON runs
  WHEN old.status NOT IN ('created', 'running') AND new.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open + 1; END;
CREATE TRIGGER open_run_deleted AFTER DELETE ON runs WHEN old.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open - 1; END;
";

/// What is long about a request is read only by whoever works on its run, and goes with the run's end; with the run
/// stays what it shows of it. (The column has a new name, so that an older program that still runs fails rather than
/// misreads it.) Runs that are open are few and change much: they are not in the indexes of those that
/// ended.
const REQUESTS: &str = "
CREATE TABLE requests (
  run_seq INTEGER PRIMARY KEY REFERENCES runs (seq) ON DELETE CASCADE,
  body TEXT NOT NULL
) STRICT;
INSERT INTO requests SELECT seq, request FROM runs WHERE status IN ('created', 'running');
ALTER TABLE runs RENAME COLUMN request TO kept;
UPDATE runs SET kept = iif(json_valid(kept), json_object(
  'use_assistant_message', json(iif(kept ->> '$.use_assistant_message', 'true', 'false')),
  'assistant_message_tool_name', kept ->> '$.assistant_message_tool_name',
  'assistant_message_tool_kwarg', kept ->> '$.assistant_message_tool_kwarg',
  'include_return_message_types', json(kept -> '$.include_return_message_types'),
  'sent', iif(json_type(kept, '$.inputs') = 'array', (SELECT count(*) FROM json_each(kept, '$.inputs') AS input
    WHERE input.value ->> '$.Message' IS NOT NULL), 0)), '{}');
CREATE TRIGGER request_read AFTER UPDATE OF status ON runs
  WHEN old.status IN ('created', 'running') AND new.status NOT IN ('created', 'running')
  BEGIN DELETE FROM requests WHERE run_seq = new.seq; END;

DROP INDEX runs_of_agent_and_status;
CREATE INDEX runs_ended ON runs (agent_id, status, seq) WHERE status NOT IN ('created', 'running');
";

/// Runs whose senders wait for them are few beside the others, and can be asked for.
const WAITED_FOR: &str = "CREATE INDEX runs_waited_for ON runs (seq) WHERE kind <> 'async'";

/// How the sender of a run listens, and when an agent was changed.
const KINDS: &str = "
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'async';
ALTER TABLE agents ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
UPDATE agents SET updated = created;
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db;

    #[test]
    fn what_an_older_server_stored_is_kept_apart() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it.db");
        let older = Identity { migrations: &[TABLES, SERVING, KINDS], ..IDENTITY };
        let request = r#"{"inputs": [{"Message": {"content": "hi"}}, {"Decisions": []}, {"Message": {}}], "max_steps": 9,
            "use_assistant_message": true, "assistant_message_tool_name": "t", "assistant_message_tool_kwarg": "k",
            "include_return_message_types": ["tool_call_message"]}"#;
        let insert =
            "INSERT INTO runs (id, agent_id, status, created, model, request) VALUES (?1, 'a', ?1, 0, 'm', ?2)";
        let old = db::open(&path, older).expect("opened");
        old.execute("INSERT INTO agents VALUES (1, 'a', 'n', 'm', 's', 0, '{}', 0)", []).expect("an agent");
        for (status, request) in [("created", request), ("completed", request), ("failed", "no JSON")] {
            old.execute(insert, [status, request]).expect("a run");
        }
        drop(old);
        let new = db::open(&path, IDENTITY).expect("opened");
        let text = |sql: &str| new.query_row(sql, [], |row| row.get::<_, String>(0)).expect("a text");
        let kept = concat!(
            r#"{"use_assistant_message":true,"assistant_message_tool_name":"t","assistant_message_tool_kwarg":"k","#,
            r#""include_return_message_types":["tool_call_message"],"sent":2}"#
        );
        assert_eq!(text("SELECT group_concat(kept, ' ') FROM runs"), [kept, kept, "{}"].join(" "));
        assert_eq!(text("SELECT group_concat(run_seq || body) FROM requests"), format!("1{request}"));
        new.execute("UPDATE runs SET status = 'failed'", []).expect("ended");
        assert_eq!(text("SELECT '' || count(*) FROM requests"), "0");
    }
}
