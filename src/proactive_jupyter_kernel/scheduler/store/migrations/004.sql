-- So that people find jobs by a word and by their state without reading all of them.
ALTER TABLE jobs ADD COLUMN words TEXT NOT NULL DEFAULT '';
-- As `search_words` makes them, but that SQLite knows only the cases of ASCII. The text of a row ends with its checksum.
UPDATE jobs SET words = lower(name || coalesce((
    SELECT group_concat(char(10) || json_extract(variable.value, '$.name') || '=' ||
        CASE WHEN upper(replace(coalesce(json_extract(variable.value, '$.model'), ''), ' ', '')) = 'PA:HIDDEN' THEN ''
        ELSE substr(coalesce(json_extract(variable.value, '$.value'), ''), 1, 200) END, '')
    FROM json_each(
        CASE WHEN json_valid(substr(facts, 1, length(facts) - 9)) THEN substr(facts, 1, length(facts) - 9)
        WHEN json_valid(facts) THEN facts ELSE '{}' END, '$.variables'
    ) AS variable
), ''));
CREATE INDEX jobs_by_state ON jobs (status, faulty, failed, in_error, project, owner);
CREATE INDEX jobs_by_words ON jobs (words);
CREATE INDEX tasks_failed ON tasks (job_id, task_id)
WHERE status IN ('FAULTY', 'FAILED', 'NOT_RESTARTED', 'IN_ERROR', 'WAITING_ON_ERROR');
