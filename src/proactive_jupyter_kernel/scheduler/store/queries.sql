-- Every statement the store runs, by name. What follows "-- name:" is the name Python asks for.

-- name: count_job_id
-- Remember the highest job id ever given.
INSERT INTO counters (name, value) VALUES ('job_id', :job_id)
ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value);

-- name: last_job_id
-- The highest job id ever given.
SELECT value FROM counters WHERE name = 'job_id';

-- name: save_revision
-- Number the state that this transaction makes.
INSERT INTO counters (name, value) VALUES ('revision', :revision)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- name: revision
-- The number of the state.
SELECT value FROM counters WHERE name = 'revision';

-- name: add_job
-- A new job with what never changes about it; save_job follows in the same transaction.
INSERT INTO jobs (
    job_id, name, owner, status, priority, project, bucket, mode, parent_id, submitted_at, started_at, finished_at,
    in_error_at, start_at, remove_at, total, pending, running, finished, failed, faulty, in_error, record, facts, words
) VALUES (
    :job_id, :name, :owner, :status, :priority, :project, :bucket, :mode, :parent_id, :submitted_at, :started_at,
    :finished_at, :in_error_at, :start_at, :remove_at, :total, :pending, :running, :finished, :failed, :faulty, :in_error,
    :record, :facts, :words
);

-- name: add_submission
-- What was submitted.
INSERT INTO submissions (job_id, xml, workflow) VALUES (:job_id, :xml, :workflow);

-- name: save_job
-- The job as it is now. Name, owner and time of submission never change.
UPDATE jobs SET
    status = :status, priority = :priority, started_at = :started_at, finished_at = :finished_at, in_error_at = :in_error_at, start_at = :start_at, remove_at = :remove_at,
    total = :total, pending = :pending, running = :running, finished = :finished, failed = :failed,
    faulty = :faulty, in_error = :in_error, record = :record
WHERE job_id = :job_id;

-- name: save_task
-- The task as it is now; nothing if its job was removed.
INSERT INTO tasks (job_id, task_id, name, tag, status, started_at, record)
SELECT :job_id, :task_id, :name, :tag, :status, :started_at, :record
WHERE EXISTS (SELECT 1 FROM jobs WHERE job_id = :job_id)
ON CONFLICT (job_id, task_id) DO UPDATE SET
    name = excluded.name, tag = excluded.tag, status = excluded.status, started_at = excluded.started_at,
    record = excluded.record;

-- name: save_result
-- What came of an execution; nothing if its job was removed.
INSERT OR REPLACE INTO results (job_id, task_id, attempt, finished_at, record, value, checksum)
SELECT :job_id, :task_id, :attempt, :finished_at, :record, :value, :checksum
WHERE EXISTS (SELECT 1 FROM jobs WHERE job_id = :job_id);

-- name: add_core_time
-- Count an execution's time, and remember whether any gave an entry to the job's result map.
UPDATE jobs SET core_time = core_time + :duration, has_result_map = max(has_result_map, :has_result_map)
WHERE job_id = :job_id;

-- name: add_nodes
-- Count the nodes of a start; saved after the job, whose running tasks include it.
UPDATE jobs SET nodes = nodes + :nodes, nodes_in_parallel = max(nodes_in_parallel, running, :nodes)
WHERE job_id = :job_id;

-- name: save_extras
-- What was attached to a job.
UPDATE jobs SET extras = :extras WHERE job_id = :job_id;

-- name: log_end
-- Where the log of a task ends, in lines and bytes from its beginning.
SELECT end_line, end_byte FROM log_parts WHERE job_id = :job_id AND task_id = :task_id
ORDER BY first_line DESC LIMIT 1;

-- name: add_log
-- Append a part to a task's log; nothing if its job was removed.
INSERT INTO log_parts (job_id, task_id, first_line, end_line, first_byte, end_byte, attempt, lines)
SELECT :job_id, :task_id, :first_line, :end_line, :first_byte, :end_byte, :attempt, :lines
WHERE EXISTS (SELECT 1 FROM jobs WHERE job_id = :job_id);

-- name: oldest_log
-- The oldest part that is kept of a task's log.
SELECT first_line, end_line, end_byte FROM log_parts WHERE job_id = :job_id AND task_id = :task_id
ORDER BY first_line LIMIT 1;

-- name: drop_log
-- Forget one part of a task's log.
DELETE FROM log_parts WHERE job_id = :job_id AND task_id = :task_id AND first_line = :first_line;

-- name: log
-- What is kept of a task's log, oldest first.
SELECT first_line, attempt, lines FROM log_parts WHERE job_id = :job_id AND task_id = :task_id ORDER BY first_line;

-- name: log_tail
-- The last parts of a job's output after a position, newest first, without their lines; the number of a row rises
-- within a job.
SELECT rowid, end_line - first_line, end_byte - first_byte FROM log_parts WHERE rowid IN (
    SELECT rowid FROM log_parts
    WHERE job_id = :job_id AND (:task_id IS NULL OR task_id = :task_id) AND rowid > :after
    ORDER BY rowid DESC LIMIT :parts
) ORDER BY rowid DESC;

-- name: log_part
-- One part.
SELECT task_id, attempt, lines FROM log_parts WHERE rowid = :position;

-- name: forget_job
-- Remove a job; its tasks, results and logs follow by their references.
DELETE FROM jobs WHERE job_id = :job_id;

-- name: job
-- One job.
SELECT record, facts, core_time, nodes, nodes_in_parallel, has_result_map, extras,
    (SELECT count(*) FROM jobs AS child WHERE child.parent_id = jobs.job_id), job_id
FROM jobs WHERE job_id = :job_id;

-- name: jobs
-- Jobs that meet every condition that is not null; the order is put in for {order}, from a fixed list of columns.
SELECT record, facts, core_time, nodes, nodes_in_parallel, has_result_map, extras,
    (SELECT count(*) FROM jobs AS child WHERE child.parent_id = jobs.job_id), job_id
FROM jobs
WHERE {conditions}
ORDER BY {order}
LIMIT :limit OFFSET :offset;

-- name: jobs_of_page
-- The same, but that the page is chosen by what the indices have before any row is read.
SELECT record, facts, core_time, nodes, nodes_in_parallel, has_result_map, extras,
    (SELECT count(*) FROM jobs AS child WHERE child.parent_id = jobs.job_id), job_id
FROM jobs
WHERE job_id IN (SELECT job_id FROM jobs WHERE {conditions} ORDER BY {order} LIMIT :limit OFFSET :offset)
ORDER BY {order};

-- name: job_groups
-- How many jobs meet the conditions, by status and whether a task of them failed.
SELECT status, faulty + failed + in_error > 0, count(*) FROM jobs WHERE {conditions} GROUP BY 1, 2;

-- name: projects
-- The projects that there are.
SELECT DISTINCT project FROM jobs WHERE project != '' ORDER BY project LIMIT :limit;

-- name: owners
-- Whose jobs there are.
SELECT DISTINCT owner FROM jobs ORDER BY owner LIMIT :limit;

-- name: first_failure
-- The first task of a job that failed; the condition is that of its index.
SELECT record, job_id, task_id FROM tasks
WHERE job_id = :job_id AND status IN ('FAULTY', 'FAILED', 'NOT_RESTARTED', 'IN_ERROR', 'WAITING_ON_ERROR')
ORDER BY task_id LIMIT 1;

-- name: job_columns
-- What the columns of a job say; for a job whose record is damaged.
SELECT job_id, name, owner, status, priority, submitted_at, started_at, finished_at, in_error_at, start_at, remove_at,
    total, pending, running, finished, failed, faulty, in_error
FROM jobs WHERE job_id = :job_id;

-- name: task_columns
-- The same of a task.
SELECT job_id, task_id, name, tag, status, started_at FROM tasks WHERE job_id = :job_id AND task_id = :task_id;

-- name: count_jobs
-- How many jobs meet the conditions.
SELECT count(*) FROM jobs WHERE {conditions};

-- name: xml
-- The text that was submitted.
SELECT xml FROM submissions WHERE job_id = :job_id;

-- name: workflow
-- The workflow with its references resolved.
SELECT workflow FROM submissions WHERE job_id = :job_id;

-- name: tasks
-- A job's tasks by id.
SELECT record, job_id, task_id FROM tasks WHERE job_id = :job_id ORDER BY task_id;

-- name: tasks_of
-- Some tasks of a job, a JSON list of ids.
SELECT record, job_id, task_id FROM tasks
WHERE job_id = :job_id AND task_id IN (SELECT value FROM json_each(:task_ids)) ORDER BY task_id;

-- name: task_outlines
-- The columns of all tasks of a job, without their records.
SELECT task_id, name, status, started_at FROM tasks WHERE job_id = :job_id ORDER BY task_id;

-- name: task
-- One task.
SELECT record, job_id, task_id FROM tasks WHERE job_id = :job_id AND task_id = :task_id;

-- name: task_named
-- The task of a name.
SELECT record, job_id, task_id FROM tasks WHERE job_id = :job_id AND name = :name;

-- name: find_tasks
-- Tasks of all jobs that meet every condition that is given.
SELECT tasks.record, tasks.job_id, tasks.task_id FROM tasks JOIN jobs USING (job_id)
WHERE {conditions}
ORDER BY job_id DESC, task_id
LIMIT :limit OFFSET :offset;

-- name: count_tasks
-- How many tasks meet the conditions.
SELECT count(*) FROM tasks JOIN jobs USING (job_id) WHERE {conditions};

-- name: count_tasks_alone
-- The same for conditions that are about tasks alone.
SELECT count(*) FROM tasks WHERE {conditions};

-- name: results
-- All results of a job, in the order in which they came; values larger than :most bytes by their size alone.
SELECT record, length(value), CASE WHEN length(value) <= :most THEN value END, checksum
FROM results WHERE job_id = :job_id ORDER BY finished_at, rowid;

-- name: results_of
-- All results of some tasks, a JSON list of ids.
SELECT record, length(value), CASE WHEN length(value) <= :most THEN value END, checksum
FROM results WHERE job_id = :job_id AND task_id IN (SELECT value FROM json_each(:task_ids))
ORDER BY finished_at, rowid;

-- name: value
-- The value of one execution.
SELECT value, checksum FROM results WHERE job_id = :job_id AND task_id = :task_id AND attempt = :attempt;

-- name: jobs_to_restore
-- Jobs that have not ended, and those that are to be forgotten some time.
SELECT record, job_id FROM jobs WHERE status IN ('PENDING', 'RUNNING', 'STALLED', 'PAUSED', 'IN_ERROR')
UNION ALL
SELECT record, job_id FROM jobs WHERE remove_at IS NOT NULL AND +status IN ('FINISHED', 'CANCELED', 'FAILED', 'KILLED');

-- name: save_channel
INSERT OR REPLACE INTO channels (name, entries) VALUES (:name, :entries);

-- name: forget_channel
DELETE FROM channels WHERE name = :name;

-- name: channels
SELECT name, entries FROM channels;
