-- Of commit 15da4e3.
BEGIN TRANSACTION;
CREATE TABLE channels (
    name    TEXT PRIMARY KEY,
    entries TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "counters" VALUES('job_id',4);
INSERT INTO "counters" VALUES('revision',1795691341898);
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
INSERT INTO "jobs" VALUES(1,'finished','root','FINISHED',3,'','','rest-api',NULL,1795691343202,1795691343202,1795691355342,-1,NULL,NULL,1,0,0,1,0,0,0,11551,1,1,0,'{"job_id":1,"name":"finished","owner":"root","status":"FINISHED","priority":3,"submitted_at":1795691343202,"started_at":1795691343202,"finished_at":1795691355342,"total":1,"finished":1}f29aa9a7','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api"}}1f12968e','{}');
INSERT INTO "jobs" VALUES(2,'failed','root','FINISHED',3,'','','rest-api',NULL,1795691355486,1795691355486,1795691355522,-1,NULL,NULL,1,0,0,1,0,1,0,13,1,1,0,'{"job_id":2,"name":"failed","owner":"root","status":"FINISHED","priority":3,"submitted_at":1795691355486,"started_at":1795691355486,"finished_at":1795691355522,"total":1,"finished":1,"faulty":1}4bfb4a92','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api"}}1f12968e','{}');
INSERT INTO "jobs" VALUES(3,'waiting','root','PENDING',3,'','','rest-api',NULL,1795691355551,-1,-1,-1,4070908800000,NULL,1,0,0,0,0,0,0,0,0,0,0,'{"job_id":3,"name":"waiting","owner":"root","status":"PENDING","priority":3,"submitted_at":1795691355551,"start_at":4070908800000,"total":1}942923da','{"mode":"rest-api","generic_information":{"START_AT":"2099-01-01T00:00:00+00:00","submission.mode":"rest-api"}}354c8ebb','{}');
INSERT INTO "jobs" VALUES(4,'running','root','RUNNING',3,'','','rest-api',NULL,1795691355595,1795691355595,-1,-1,NULL,NULL,1,0,1,0,0,0,0,0,1,1,0,'{"job_id":4,"name":"running","owner":"root","status":"RUNNING","priority":3,"submitted_at":1795691355595,"started_at":1795691355595,"total":1,"running":1}28194897','{"mode":"rest-api","generic_information":{"submission.mode":"rest-api"}}1f12968e','{}');
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
INSERT INTO "log_parts" VALUES(1,0,0,1,0,33,1,'[[0,1795691355316,"kept \u00e9"]]fb5668a8');
INSERT INTO "log_parts" VALUES(2,0,0,2,0,101,1,'[[1,1795691355513,"oops"],[1,1795691355514,"Failed to execute task: Script failed with exit code 3"]]2f82d8ac');
INSERT INTO "log_parts" VALUES(4,0,0,1,0,27,1,'[[0,1795691355628,"begun"]]ac589f41');
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
INSERT INTO "results" VALUES(1,0,1,1795691355342,'{"job_id":1,"task_id":0,"attempt":1,"finished_at":1795691355342,"duration":11551,"host":"vm","source":"Default","nodes":1}1cbc9488',697675432,X'7B2261223A5B312C322E355D7D');
INSERT INTO "results" VALUES(2,0,1,1795691355522,'{"job_id":2,"task_id":0,"attempt":1,"finished_at":1795691355522,"duration":13,"host":"vm","source":"Default","nodes":1,"failure":{"kind":"error","exception":"TaskException","message":"Failed to execute task: Script failed with exit code 3"}}6b340735',NULL,NULL);
CREATE TABLE submissions (
    job_id   INTEGER PRIMARY KEY REFERENCES jobs (job_id) ON DELETE CASCADE,
    xml      TEXT NOT NULL,
    workflow TEXT NOT NULL
);
INSERT INTO "submissions" VALUES(1,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="finished"><taskFlow><task name="A" ><scriptExecutable><script><code language="python"><![CDATA[print(''kept é'')
result = {''a'': [1, 2.5]}]]></code></script></scriptExecutable></task></taskFlow></job>4115c929','{"name":"finished","tasks":[{"name":"A","executable":{"$class":"Script","language":"python","code":"print(''kept \u00e9'')\nresult = {''a'': [1, 2.5]}"}}],"generic_information":{"submission.mode":"rest-api"}}5c982a0d');
INSERT INTO "submissions" VALUES(2,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="failed"><taskFlow><task name="B" maxNumberOfExecution="1"><scriptExecutable><script><code language="bash"><![CDATA[echo oops >&2; exit 3]]></code></script></scriptExecutable></task></taskFlow></job>ed84c85b','{"name":"failed","tasks":[{"name":"B","executable":{"$class":"Script","language":"bash","code":"echo oops >&2; exit 3"},"max_executions":1}],"generic_information":{"submission.mode":"rest-api"}}e3531d62');
INSERT INTO "submissions" VALUES(3,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="waiting"><genericInformation><info name="START_AT" value="2099-01-01T00:00:00+00:00"/></genericInformation><taskFlow><task name="C" ><scriptExecutable><script><code language="bash"><![CDATA[true]]></code></script></scriptExecutable></task></taskFlow></job>3bd51929','{"name":"waiting","tasks":[{"name":"C","executable":{"$class":"Script","language":"bash","code":"true"}}],"generic_information":{"START_AT":"2099-01-01T00:00:00+00:00","submission.mode":"rest-api"}}b91a1efd');
INSERT INTO "submissions" VALUES(4,'<job xmlns="urn:proactive:jobdescriptor:3.14" name="running"><taskFlow><task name="D" ><scriptExecutable><script><code language="bash"><![CDATA[echo begun; sleep 600]]></code></script></scriptExecutable></task></taskFlow></job>a30e8104','{"name":"running","tasks":[{"name":"D","executable":{"$class":"Script","language":"bash","code":"echo begun; sleep 600"}}],"generic_information":{"submission.mode":"rest-api"}}1d85b414');
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
INSERT INTO "tasks" VALUES(1,0,'A','','FINISHED',1795691343202,'{"job_id":1,"task_id":0,"name":"A","base_name":"A","status":"FINISHED","attempts":1,"scheduled_at":1795691343202,"started_at":1795691343202,"finished_at":1795691355342,"duration":11551,"slot":"local-0","host":"vm","progress":100,"propagated":{}}457d0205');
INSERT INTO "tasks" VALUES(2,0,'B','','FAULTY',1795691355486,'{"job_id":2,"task_id":0,"name":"B","base_name":"B","status":"FAULTY","attempts":1,"executions_left":0,"scheduled_at":1795691355486,"started_at":1795691355486,"finished_at":1795691355522,"duration":13,"slot":"local-0","host":"vm","progress":100,"failure":{"kind":"error","exception":"TaskException","message":"Failed to execute task: Script failed with exit code 3"},"propagated":{"EXIT_VALUE":3},"private":{"faulty":true}}443047da');
INSERT INTO "tasks" VALUES(3,0,'C','','SUBMITTED',-1,'{"job_id":3,"task_id":0,"name":"C","base_name":"C","status":"SUBMITTED"}f1958d4c');
INSERT INTO "tasks" VALUES(4,0,'D','','RUNNING',1795691355595,'{"job_id":4,"task_id":0,"name":"D","base_name":"D","status":"RUNNING","attempts":1,"scheduled_at":1795691355595,"started_at":1795691355595,"slot":"local-0","host":"vm"}ef9e3d98');
CREATE INDEX jobs_by_name ON jobs (name);
CREATE INDEX jobs_by_status ON jobs (status);
CREATE INDEX jobs_by_owner ON jobs (owner, parent_id);
CREATE INDEX jobs_by_submission ON jobs (submitted_at);
CREATE INDEX jobs_by_parent ON jobs (parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX jobs_by_removal ON jobs (remove_at) WHERE remove_at IS NOT NULL;
CREATE INDEX tasks_by_name ON tasks (job_id, name);
CREATE INDEX tasks_by_tag ON tasks (tag) WHERE tag != '';
COMMIT;
PRAGMA user_version = 3;
