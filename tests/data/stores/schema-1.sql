-- Of commit 4c6695a^.
BEGIN TRANSACTION;
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "counters" VALUES('job_id',4);
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
    extras            TEXT    NOT NULL DEFAULT '{}'
);
INSERT INTO "jobs" VALUES(1,'finished','root','FINISHED',3,'','','rest-api',NULL,1795675411014,1795675411014,1795675416035,-1,NULL,NULL,1,0,0,1,0,0,0,4993,1,1,0,'{"job_id":1,"name":"finished","owner":"root","status":"FINISHED","priority":3,"submitted_at":1795675411014,"started_at":1795675411014,"finished_at":1795675416035,"total":1,"finished":1}','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api"}}','{}');
INSERT INTO "jobs" VALUES(2,'failed','root','FINISHED',3,'','','rest-api',NULL,1795675416105,1795675416105,1795675416164,-1,NULL,NULL,1,0,0,1,0,1,0,47,1,1,0,'{"job_id":2,"name":"failed","owner":"root","status":"FINISHED","priority":3,"submitted_at":1795675416105,"started_at":1795675416105,"finished_at":1795675416164,"total":1,"finished":1,"faulty":1}','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api"}}','{}');
INSERT INTO "jobs" VALUES(3,'waiting','root','PENDING',3,'','','rest-api',NULL,1795675416236,-1,-1,-1,4070908800000,NULL,1,0,0,0,0,0,0,0,0,0,0,'{"job_id":3,"name":"waiting","owner":"root","status":"PENDING","priority":3,"submitted_at":1795675416236,"start_at":4070908800000,"total":1}','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api","START_AT":"2099-01-01T00:00:00+00:00"}}','{}');
INSERT INTO "jobs" VALUES(4,'running','root','RUNNING',3,'','','rest-api',NULL,1795675416256,1795675416256,-1,-1,NULL,NULL,1,0,1,0,0,0,0,0,1,1,0,'{"job_id":4,"name":"running","owner":"root","status":"RUNNING","priority":3,"submitted_at":1795675416256,"started_at":1795675416256,"total":1,"running":1}','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api"}}','{}');
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
INSERT INTO "log_parts" VALUES(1,0,0,1,0,33,1,'[[0,1795675415957,"kept \u00e9"]]');
INSERT INTO "log_parts" VALUES(2,0,0,2,0,101,1,'[[1,1795675416144,"oops"],[1,1795675416153,"Failed to execute task: Script failed with exit code 3"]]');
INSERT INTO "log_parts" VALUES(4,0,0,1,0,27,1,'[[0,1795675416290,"begun"]]');
CREATE TABLE results (
    job_id      INTEGER NOT NULL REFERENCES jobs (job_id) ON DELETE CASCADE,
    task_id     INTEGER NOT NULL,
    attempt     INTEGER NOT NULL,
    finished_at INTEGER NOT NULL,
    record      TEXT    NOT NULL,
    PRIMARY KEY (job_id, task_id, attempt)
);
INSERT INTO "results" VALUES(1,0,1,1795675416035,'{"job_id":1,"task_id":0,"attempt":1,"finished_at":1795675416035,"duration":4993,"host":"vm","value":{"a":[1,2.5]}}');
INSERT INTO "results" VALUES(2,0,1,1795675416164,'{"job_id":2,"task_id":0,"attempt":1,"finished_at":1795675416164,"duration":47,"host":"vm","failure":{"kind":"error","exception":"TaskException","message":"Failed to execute task: Script failed with exit code 3"},"variables":{"EXIT_VALUE":3}}');
CREATE TABLE submissions (
    job_id   INTEGER PRIMARY KEY REFERENCES jobs (job_id) ON DELETE CASCADE,
    xml      TEXT NOT NULL,
    workflow TEXT NOT NULL
);
INSERT INTO "submissions" VALUES(1,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="finished"><taskFlow><task name="A" ><scriptExecutable><script><code language="python"><![CDATA[print(''kept é'')
result = {''a'': [1, 2.5]}]]></code></script></scriptExecutable></task></taskFlow></job>','{"name":"finished","tasks":[{"name":"A","executable":{"$class":"Script","language":"python","code":"print(''kept \u00e9'')\nresult = {''a'': [1, 2.5]}"}}],"generic_information":{"submission.mode":"rest-api"}}');
INSERT INTO "submissions" VALUES(2,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="failed"><taskFlow><task name="B" maxNumberOfExecution="1"><scriptExecutable><script><code language="bash"><![CDATA[echo oops >&2; exit 3]]></code></script></scriptExecutable></task></taskFlow></job>','{"name":"failed","tasks":[{"name":"B","executable":{"$class":"Script","language":"bash","code":"echo oops >&2; exit 3"},"max_executions":1}],"generic_information":{"submission.mode":"rest-api"}}');
INSERT INTO "submissions" VALUES(3,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="waiting"><genericInformation><info name="START_AT" value="2099-01-01T00:00:00+00:00"/></genericInformation><taskFlow><task name="C" ><scriptExecutable><script><code language="bash"><![CDATA[true]]></code></script></scriptExecutable></task></taskFlow></job>','{"name":"waiting","tasks":[{"name":"C","executable":{"$class":"Script","language":"bash","code":"true"}}],"generic_information":{"submission.mode":"rest-api","START_AT":"2099-01-01T00:00:00+00:00"}}');
INSERT INTO "submissions" VALUES(4,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="running"><taskFlow><task name="D" ><scriptExecutable><script><code language="bash"><![CDATA[echo begun; sleep 600]]></code></script></scriptExecutable></task></taskFlow></job>','{"name":"running","tasks":[{"name":"D","executable":{"$class":"Script","language":"bash","code":"echo begun; sleep 600"}}],"generic_information":{"submission.mode":"rest-api"}}');
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
INSERT INTO "tasks" VALUES(1,0,'A','','FINISHED',1795675411014,'{"job_id":1,"task_id":0,"name":"A","base_name":"A","status":"FINISHED","attempts":1,"scheduled_at":1795675411014,"started_at":1795675411014,"finished_at":1795675416035,"duration":4993,"slot":"local-0","host":"vm","progress":100,"propagated":{}}');
INSERT INTO "tasks" VALUES(2,0,'B','','FAULTY',1795675416105,'{"job_id":2,"task_id":0,"name":"B","base_name":"B","status":"FAULTY","attempts":1,"executions_left":0,"scheduled_at":1795675416105,"started_at":1795675416105,"finished_at":1795675416164,"duration":47,"slot":"local-0","host":"vm","progress":100,"failure":{"kind":"error","exception":"TaskException","message":"Failed to execute task: Script failed with exit code 3"},"propagated":{"EXIT_VALUE":3},"private":{"faulty":true}}');
INSERT INTO "tasks" VALUES(3,0,'C','','SUBMITTED',-1,'{"job_id":3,"task_id":0,"name":"C","base_name":"C","status":"SUBMITTED"}');
INSERT INTO "tasks" VALUES(4,0,'D','','RUNNING',1795675416256,'{"job_id":4,"task_id":0,"name":"D","base_name":"D","status":"RUNNING","attempts":1,"scheduled_at":1795675416256,"started_at":1795675416256,"slot":"local-0","host":"vm"}');
CREATE INDEX jobs_by_name ON jobs (name);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_by_removal ON jobs (remove_at) WHERE remove_at IS NOT NULL;
CREATE INDEX tasks_by_name ON tasks (job_id, name);
COMMIT;
PRAGMA user_version = 1;
