-- clear.sql: no attached table, no rules and no nodes any more, at once: without the triggers that look after records and
-- foreign keys.
SET client_min_messages = warning;
SET session_replication_role = replica;
TRUNCATE account;
SELECT territory.detach(object) FROM territory.object;
DELETE FROM territory.node;
RESET session_replication_role;
VACUUM territory.rule, territory.node;
