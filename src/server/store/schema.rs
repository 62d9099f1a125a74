//! The tables. A migration is never changed once it was released; a new one is added behind it.

use crate::db::Identity;

/// Whose files these are: "agsv" in the header.
pub const IDENTITY: Identity =
    Identity { application_id: 0x6167_7376, migrations: &[TABLES, SERVING, KINDS, REQUESTS, WAITED_FOR, NUMBERS] };

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

/// Runs and messages name their agent and their run by its number, not by its id: an index in which each agent has a
/// place of its own then holds five times as much in a page, and a write of many runs changes few pages. (A column of an
/// integer primary key stands behind each entry of an index anyway.) The number of a run that was deleted is not used
/// again, so its messages stay nobody's. Who opens a run counts it: an insert with a trigger keeps a journal of its own.
const NUMBERS: &str = "
CREATE TABLE numbered_runs (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  agent INTEGER NOT NULL REFERENCES agents (seq) ON DELETE CASCADE,
  kind TEXT NOT NULL DEFAULT 'async',
  status TEXT NOT NULL,
  stop_reason TEXT,
  error TEXT,
  created INTEGER NOT NULL,
  completed INTEGER,
  model TEXT NOT NULL,
  kept TEXT NOT NULL,
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
INSERT INTO numbered_runs
  SELECT runs.seq, runs.id, agents.seq, kind, status, stop_reason, error, runs.created, completed, runs.model, kept,
    resume_model, resume_text, resume_at, callback_url, callback_sent, callback_status, callback_error, ttft_ns,
    duration_ns, owner, lease_until, attempt, lost
  FROM runs JOIN agents ON agents.id = agent_id ORDER BY runs.seq;

CREATE TABLE numbered_messages (
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
INSERT INTO numbered_messages
  SELECT messages.seq, messages.id, agents.seq, run_seq, step_id, date, message_type, messages.name, otid, sender_id, own
  FROM messages JOIN agents ON agents.id = agent_id ORDER BY messages.seq;

DELETE FROM sqlite_sequence WHERE name IN ('numbered_runs', 'numbered_messages');
INSERT INTO sqlite_sequence (name, seq)
  SELECT 'numbered_' || name, seq FROM sqlite_sequence WHERE name IN ('runs', 'messages');
DROP TABLE runs;
DROP TABLE messages;
ALTER TABLE numbered_runs RENAME TO runs;
ALTER TABLE numbered_messages RENAME TO messages;

UPDATE gauge SET open = (SELECT count(*) FROM runs WHERE status IN ('created', 'running'));
CREATE INDEX runs_of_agent ON runs (agent);
CREATE INDEX runs_open ON runs (agent) WHERE status IN ('created', 'running');
CREATE INDEX runs_ended ON runs (agent, status) WHERE status NOT IN ('created', 'running');
CREATE INDEX runs_of_status ON runs (status);
CREATE INDEX runs_of_stop_reason ON runs (stop_reason) WHERE stop_reason IS NOT NULL;
CREATE INDEX runs_waited_for ON runs (seq) WHERE kind <> 'async';
CREATE INDEX messages_of_agent ON messages (agent, run_seq);

CREATE TRIGGER run_closed AFTER UPDATE OF status ON runs
  WHEN old.status IN ('created', 'running') AND new.status NOT IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open - 1; DELETE FROM requests WHERE run_seq = new.seq; END;
CREATE TRIGGER run_reopened AFTER UPDATE OF status ON runs
  WHEN old.status NOT IN ('created', 'running') AND new.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open + 1; END;
CREATE TRIGGER open_run_deleted AFTER DELETE ON runs WHEN old.status IN ('created', 'running')
  BEGIN UPDATE gauge SET open = open - 1; END;
";

/// How the sender of a run listens, and when an agent was changed.
const KINDS: &str = "
ALTER TABLE runs ADD COLUMN kind TEXT NOT NULL DEFAULT 'async';
ALTER TABLE agents ADD COLUMN updated INTEGER NOT NULL DEFAULT 0;
UPDATE agents SET updated = created;
";

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::db;

    /// A file as a server of an older version left it, and what that has stored.
    fn old(migrations: &'static [&'static str], sql: &str) -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("it.db");
        let older = db::open(&path, Identity { migrations, ..IDENTITY }).expect("opened");
        older.execute_batch(sql).expect("stored");
        drop(older);
        let new = db::open(&path, IDENTITY).expect("opened");
        (dir, new)
    }

    fn text(connection: &Connection, sql: &str) -> String {
        connection.query_row(sql, [], |row| row.get(0)).expect("a text")
    }

    #[test]
    fn what_an_older_server_stored_is_kept_apart() {
        let request = r#"{"inputs": [{"Message": {"content": "hi"}}, {"Decisions": []}, {"Message": {}}], "max_steps": 9,
            "use_assistant_message": true, "assistant_message_tool_name": "t", "assistant_message_tool_kwarg": "k",
            "include_return_message_types": ["tool_call_message"]}"#;
        let run = |status: &str, request: &str| {
            format!(
                "INSERT INTO runs (id, agent_id, status, created, model, request)
                 VALUES ('{status}', 'a', '{status}', 0, 'm', '{request}');"
            )
        };
        let runs = [run("created", request), run("completed", request), run("failed", "no JSON")].concat();
        let agent = "INSERT INTO agents VALUES (1, 'a', 'n', 'm', 's', 0, '{}', 0);";
        let (_dir, new) = old(&[TABLES, SERVING, KINDS], &format!("{agent}{runs}"));
        let kept = concat!(
            r#"{"use_assistant_message":true,"assistant_message_tool_name":"t","assistant_message_tool_kwarg":"k","#,
            r#""include_return_message_types":["tool_call_message"],"sent":2}"#
        );
        assert_eq!(text(&new, "SELECT group_concat(kept, ' ') FROM runs"), [kept, kept, "{}"].join(" "));
        assert_eq!(text(&new, "SELECT group_concat(run_seq || body) FROM requests"), format!("1{request}"));
        new.execute("UPDATE runs SET status = 'failed'", []).expect("ended");
        assert_eq!(text(&new, "SELECT '' || count(*) FROM requests"), "0");
    }

    /// Two agents; the newest run of one was deleted, another has a step, a callback, a key, a question and messages.
    const STORED: &str = "
INSERT INTO agents VALUES (7, 'agent-a', 'n', 'm', 's', 0, '{}', 0), (9, 'agent-b', 'n', 'm', 's', 0, '{}', 0);
INSERT INTO runs (seq, id, agent_id, kind, status, created, model, kept, owner, lease_until, attempt, lost)
  VALUES (3, 'run-1', 'agent-b', 'stream', 'running', 5, 'm', '{}', 'me', 6, 2, 1),
    (4, 'run-2', 'agent-a', 'async', 'completed', 5, 'm', '{}', NULL, NULL, 1, 0),
    (8, 'run-3', 'agent-a', 'async', 'failed', 5, 'm', '{}', NULL, NULL, 1, 0);
INSERT INTO requests VALUES (3, '{}');
INSERT INTO steps (id, run_id, model, prompt_tokens, completion_tokens) VALUES ('step-1', 'run-2', 'm', 1, 2);
INSERT INTO outbox (run_id, agent_id) VALUES ('run-2', 'agent-a');
INSERT INTO idempotency VALUES ('agent-a', 'r', 'k', x'00', 'run-2', 0);
INSERT INTO approvals VALUES ('agent-a', 'run-2', 'message-2', 't', 'n', '', 'm', '', 0);
INSERT INTO messages (seq, id, agent_id, run_seq, run_id, step_id, date, message_type, own)
  VALUES (1, 'message-1', 'agent-b', 3, 'run-1', NULL, 0, 'user_message', '{}'),
    (2, 'message-2', 'agent-a', 4, 'run-2', 'step-1', 0, 'user_message', '{}'),
    (5, 'message-3', 'agent-a', 8, 'run-3', NULL, 0, 'user_message', '{}');
DELETE FROM runs WHERE id = 'run-3';
";

    #[test]
    fn what_an_older_server_stored_gets_numbers_and_loses_nothing() {
        let (_dir, new) = old(&[TABLES, SERVING, KINDS, REQUESTS, WAITED_FOR], STORED);
        let said = |sql: &str| text(&new, &format!("SELECT group_concat(x, ' ') FROM ({sql})"));
        let run = "seq || id || agent || kind || status || coalesce(owner, '') || attempt || lost";
        assert_eq!(
            said(&format!("SELECT {run} AS x FROM runs ORDER BY seq")),
            "3run-19streamrunningme21 4run-27asynccompleted10"
        );
        let message = "seq || id || agent || run_seq || coalesce(step_id, '')";
        let messages = said(&format!("SELECT {message} AS x FROM messages ORDER BY seq"));
        assert_eq!(messages, "1message-193 2message-274step-1 5message-378");
        for table in ["requests", "steps", "outbox", "idempotency", "approvals", "gauge"] {
            assert_eq!(said(&format!("SELECT count(*) AS x FROM {table}")), "1", "{table}");
        }
        assert_eq!(said("SELECT open AS x FROM gauge"), "1");
        assert_eq!(said("SELECT count(*) AS x FROM pragma_foreign_key_check"), "0");
        new.execute(
            "INSERT INTO runs (id, agent, status, created, model, kept) VALUES ('new', 7, 'failed', 0, 'm', '')",
            [],
        )
        .expect("a run");
        assert_eq!(new.last_insert_rowid(), 9, "the number of a run that was deleted is not used again");
        new.execute("DELETE FROM agents WHERE id = 'agent-a'", []).expect("deleted");
        assert_eq!(said("SELECT id AS x FROM messages UNION ALL SELECT id FROM runs"), "message-1 run-1");
        for table in ["steps", "outbox", "idempotency", "approvals"] {
            assert_eq!(said(&format!("SELECT count(*) AS x FROM {table}")), "0", "{table}");
        }
    }
}
