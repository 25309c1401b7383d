-- Channels of keys and values that tasks share and that outlive the scheduler's process; entries is a JSON object.
CREATE TABLE channels (
    name    TEXT PRIMARY KEY,
    entries TEXT NOT NULL
) WITHOUT ROWID;
