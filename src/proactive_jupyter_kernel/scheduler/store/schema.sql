-- Everything the embedded scheduler keeps. Version 4 (PRAGMA user_version).
-- Columns beside a record repeat what queries look for; the record is the JSON of the whole row.

-- Names that count: job_id is the highest job id ever given, so that ids are not used again after a removal; revision
-- is the number of the state of all jobs, which rises with every change.
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

-- One row a job, small, for lists and polls. words is what a search finds it by, without case: name and variables.
CREATE TABLE jobs (
    job_id            INTEGER PRIMARY KEY,
    name              TEXT    NOT NULL,
    owner             TEXT    NOT NULL,
    status            TEXT    NOT NULL,
    priority          INTEGER NOT NULL,
    project           TEXT    NOT NULL,
    bucket            TEXT    NOT NULL,
    mode              TEXT    NOT NULL,
    parent_id         INTEGER,
    submitted_at      INTEGER NOT NULL,
    started_at        INTEGER NOT NULL,
    finished_at       INTEGER NOT NULL,
    in_error_at       INTEGER NOT NULL,
    start_at          INTEGER,
    remove_at         INTEGER,
    total             INTEGER NOT NULL,
    pending           INTEGER NOT NULL,
    running           INTEGER NOT NULL,
    finished          INTEGER NOT NULL,
    failed            INTEGER NOT NULL,
    faulty            INTEGER NOT NULL,
    in_error          INTEGER NOT NULL,
    core_time         INTEGER NOT NULL DEFAULT 0,
    nodes             INTEGER NOT NULL DEFAULT 0,
    nodes_in_parallel INTEGER NOT NULL DEFAULT 0,
    has_result_map    INTEGER NOT NULL DEFAULT 0,
    record            TEXT    NOT NULL,
    facts             TEXT    NOT NULL,
    extras            TEXT    NOT NULL DEFAULT '{}',
    words             TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX jobs_by_name ON jobs (name);
CREATE INDEX jobs_by_status ON jobs (status);
-- Lists for people: counts by state and their pages read this alone.
CREATE INDEX jobs_by_state ON jobs (status, faulty, failed, in_error, project, owner);
CREATE INDEX jobs_by_words ON jobs (words);
CREATE INDEX jobs_by_owner ON jobs (owner, parent_id);
CREATE INDEX jobs_by_submission ON jobs (submitted_at);
CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_by_removal ON jobs (remove_at) WHERE remove_at IS NOT NULL;

-- The submitted workflow; large, and read only on request or when the job continues after a restart.
CREATE TABLE submissions (
    job_id   INTEGER PRIMARY KEY REFERENCES jobs (job_id) ON DELETE CASCADE,
    xml      TEXT NOT NULL,
    workflow TEXT NOT NULL
);

-- One row a task, copies by loop and replicate included.
CREATE TABLE tasks (
    job_id     INTEGER NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    task_id    INTEGER NOT NULL,
    name       TEXT    NOT NULL,
    tag        TEXT    NOT NULL,
    status     TEXT    NOT NULL,
    started_at INTEGER NOT NULL,
    record     TEXT    NOT NULL,
    PRIMARY KEY (job_id, task_id)
) WITHOUT ROWID;
CREATE INDEX tasks_by_name ON tasks (job_id, name);
CREATE INDEX tasks_by_tag ON tasks (tag) WHERE tag != '';
CREATE INDEX tasks_failed ON tasks (job_id, task_id)
WHERE status IN ('FAULTY', 'FAILED', 'NOT_RESTARTED', 'IN_ERROR', 'WAITING_ON_ERROR');

-- One row an execution that ended; the highest attempt is the task's result. value is the JSON text of the task's value,
-- null for null, and stands last, so that the rest of a row is read without it; checksum is the CRC-32 of value.
CREATE TABLE results (
    job_id      INTEGER NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    task_id     INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    record      TEXT    NOT NULL,
    checksum    INTEGER,
    value       BLOB,
    PRIMARY KEY (job_id, task_id, attempt)
);

-- A task's output in parts of many lines: JSON rows of [stream, time, text], stream 0 output and 1 error.
-- first_line and first_byte count from the beginning of the log, so that old parts can go without being counted.
CREATE TABLE log_parts (
    job_id     INTEGER NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    task_id    INTEGER NOT NULL,
    first_line INTEGER NOT NULL,
    end_line   INTEGER NOT NULL,
    first_byte INTEGER NOT NULL,
    end_byte   INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    lines      TEXT    NOT NULL,
    PRIMARY KEY (job_id, task_id, first_line)
);

-- Channels of keys and values that tasks share and that outlive the scheduler's process; entries is a JSON object.
CREATE TABLE channels (
    name    TEXT PRIMARY KEY,
    entries TEXT NOT NULL
) WITHOUT ROWID;
