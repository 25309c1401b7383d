-- Values of results in a column of their own, last in the row; those of older rows stay in their records.
ALTER TABLE results ADD COLUMN checksum INTEGER;
ALTER TABLE results ADD COLUMN value BLOB;
-- So that listings of a few jobs do not read them all.
CREATE INDEX jobs_by_owner ON jobs (owner, parent_id);
CREATE INDEX jobs_by_submission ON jobs (submitted_at);
CREATE INDEX tasks_by_tag ON tasks (tag) WHERE tag != '';
