-- Families, deals and checks where statements, subtransactions and models cross.
SET client_min_messages = warning;
CREATE SCHEMA reg_cross;
SET search_path = reg_cross, territory, public;
CREATE FUNCTION err(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE command;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END $$;
INSERT INTO node (path) VALUES ('A'), ('B');

-- a check sees all that a statement did, though a nested statement failed, or passed and was undone, within it
CREATE TABLE account (id int PRIMARY KEY, country text, n int DEFAULT 0);
SELECT attach('account');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', $$country = 'A'$$), (node_id('B'), 'account', $$country = 'B'$$);
INSERT INTO pair_check (name, object, kind, bound, node_id) VALUES ('none', 'account', 'records_per_node', 0, node_id('A'));
CREATE FUNCTION nest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF new.id = 1 THEN
        UPDATE account SET n = 1, country = 'A' WHERE id = 1;
    ELSIF new.id = 2 THEN
        BEGIN
            INSERT INTO account VALUES (99, 'B');
        EXCEPTION WHEN check_violation THEN
            NULL;
        END;
    ELSIF new.id = 3 THEN
        BEGIN
            DELETE FROM account WHERE id = 4;
            RAISE EXCEPTION 'undone' USING ERRCODE = 'P0009';
        EXCEPTION WHEN SQLSTATE 'P0009' THEN
            NULL;
        END;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER nest AFTER INSERT ON account FOR EACH ROW EXECUTE FUNCTION nest();
SELECT err($$INSERT INTO account VALUES (1, 'A'), (2, 'C')$$);
SELECT err($$INSERT INTO account VALUES (3, 'C'), (4, 'A')$$);
SELECT err($$INSERT INTO account VALUES (4, 'A'), (3, 'C')$$);
INSERT INTO pair_check (name, object, kind, bound, node_id) VALUES ('no B', 'account', 'records_per_node', 0, node_id('B'));
DELETE FROM pair_check WHERE name = 'none';
INSERT INTO pair_check (name, object, kind, bound, node_id, deferred) VALUES ('none', 'account', 'records_per_node', 0, node_id('A'), true);
BEGIN;
INSERT INTO account VALUES (1, 'A'), (2, 'C');
COMMIT;
SELECT count(*) FROM account;

-- what statements noted is not kept one by one
DROP TRIGGER nest ON account;
DELETE FROM pair_check;
INSERT INTO pair_check (name, object, kind, bound) VALUES ('many', 'account', 'records_per_node', 1000);
BEGIN;
INSERT INTO account SELECT i, 'A' FROM generate_series(1, 10) AS i;
DO $$BEGIN FOR i IN 1..2000 LOOP UPDATE account SET country = CASE country WHEN 'A' THEN 'B' ELSE 'A' END WHERE id = 1 + i % 10; END LOOP; END$$;
SELECT count(*) < 10 AS few FROM pg_backend_memory_contexts WHERE name = 'territory checked nodes';
COMMIT;
SELECT detach('account');
DROP TABLE account;

-- the top of a family is truncated with its partition
CREATE TABLE account (id int, region text, country text, up int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE account_e PARTITION OF account FOR VALUES IN ('E');
CREATE TABLE account_w PARTITION OF account FOR VALUES IN ('W');
SELECT attach('account', key => 'id', family => 'up');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', $$country = 'A'$$);
INSERT INTO account VALUES (1, 'E', 'A', NULL), (2, 'W', NULL, 1), (3, 'E', 'C', NULL), (4, 'W', 'A', 3);
SELECT key, path FROM assignment ORDER BY 1, 2;
TRUNCATE account_e;
SELECT key, path FROM assignment ORDER BY 1, 2;
SELECT * FROM verify('account');
SELECT detach('account');
DROP TABLE account;

-- a long chain is one way up, not one for each of its records
CREATE TABLE account (id int PRIMARY KEY, country text, up int);
CREATE INDEX ON account (up);
SELECT attach('account', family => 'up');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', $$country = 'A'$$), (node_id('B'), 'account', $$country = 'B'$$);
INSERT INTO account SELECT i, CASE i WHEN 1 THEN 'A' END, nullif(i - 1, 0) FROM generate_series(1, 1000) AS i;
UPDATE account SET country = 'B' WHERE id = 1;
SELECT path, count(*) FROM assignment GROUP BY path ORDER BY path;
UPDATE account SET up = 1000 WHERE id = 1;
SELECT path, count(*) FROM assignment GROUP BY path ORDER BY path;
SELECT * FROM verify('account');
SELECT detach('account');
DROP TABLE account;

-- a node that was given by hand in another model is none of a deal's in this one
CREATE TABLE account (id int PRIMARY KEY, country text);
CREATE TABLE deal (id int PRIMARY KEY, account_id int);
SELECT attach('account');
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', 'true');
INSERT INTO account VALUES (1, 'A');
INSERT INTO deal VALUES (1, 1), (2, 1);
SELECT assign('deal', '1', 'B');
SELECT key, path FROM assignment WHERE object = 'deal'::regclass ORDER BY 1, 2;
INSERT INTO model (name) VALUES ('next');
INSERT INTO node (model_id, path) VALUES ((SELECT id FROM model WHERE name = 'next'), 'N');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N', 'next'), 'account', 'true');
UPDATE model SET state = CASE name WHEN 'next' THEN 'active' ELSE 'archived' END WHERE name IN ('default', 'next');
SELECT a.key, m.name, a.path, a.manual FROM assignment a JOIN model m ON m.id = a.model_id WHERE a.object = 'deal'::regclass ORDER BY 1, 2, 3;
SELECT * FROM verify('deal');
UPDATE model SET state = CASE name WHEN 'default' THEN 'active' ELSE 'archived' END WHERE name IN ('default', 'next');
SELECT a.key, m.name, a.path, a.manual FROM assignment a JOIN model m ON m.id = a.model_id WHERE a.object = 'deal'::regclass ORDER BY 1, 2, 3;
SELECT * FROM verify('deal');
SELECT detach('deal');
SELECT detach('account');
DROP TABLE account, deal;
DELETE FROM node WHERE path = 'N';
DELETE FROM model WHERE name = 'next';

-- a node that goes was one of two between which nothing decided
CREATE TABLE account (id int PRIMARY KEY);
CREATE TABLE deal (id int PRIMARY KEY, account_id int, amount int);
SELECT attach('account');
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id');
INSERT INTO node (path) VALUES ('A.1'), ('A.2');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', 'true'), (node_id('A.1'), 'deal', 'true'), (node_id('A.2'), 'deal', 'amount > 1');
INSERT INTO account VALUES (1);
INSERT INTO deal VALUES (1, 1, 1), (2, 1, 2);
SELECT key, path FROM assignment WHERE object = 'deal'::regclass ORDER BY 1, 2;
DELETE FROM node WHERE path = 'A.2';
SELECT key, path FROM assignment WHERE object = 'deal'::regclass ORDER BY 1, 2;
SELECT * FROM verify('deal');
SELECT detach('deal');
SELECT detach('account');
DROP TABLE account, deal;

-- a partition that is attached brings records, which have to be somewhere
CREATE TABLE account (id int PRIMARY KEY, country text) PARTITION BY RANGE (id);
CREATE TABLE account_1 PARTITION OF account FOR VALUES FROM (0) TO (100);
CREATE TABLE account_2 (id int PRIMARY KEY, country text);
SELECT attach('account');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', $$country = 'A'$$);
INSERT INTO account_2 VALUES (101, 'A'), (102, NULL);
INSERT INTO pair_check (name, object, kind) VALUES ('somewhere', 'account', 'assigned');
SELECT err('ALTER TABLE account ATTACH PARTITION account_2 FOR VALUES FROM (100) TO (200)');
UPDATE pair_check SET deferred = true;
BEGIN;
ALTER TABLE account ATTACH PARTITION account_2 FOR VALUES FROM (100) TO (200);
UPDATE account SET country = 'A' WHERE id = 102;
COMMIT;
ALTER TABLE account DETACH PARTITION account_2;
UPDATE account_2 SET country = NULL WHERE id = 101;
BEGIN;
ALTER TABLE account ATTACH PARTITION account_2 FOR VALUES FROM (100) TO (200);
COMMIT;
UPDATE account_2 SET country = 'A';
UPDATE pair_check SET deferred = false;
SELECT err('ALTER TABLE account ATTACH PARTITION account_2 FOR VALUES FROM (100) TO (200)');

SELECT detach('account');
DROP TABLE account;

-- a move of nodes is looked at when the check is due
CREATE TABLE account (id int PRIMARY KEY, country text);
SELECT attach('account', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A.1'), 'account', $$country = 'A'$$), (node_id('B'), 'account', $$country = 'A'$$);
INSERT INTO account VALUES (1, 'A');
INSERT INTO pair_check (name, object, kind, bound, node_id) VALUES ('one', 'account', 'nodes_per_record', 1, node_id('A'));
SELECT err($$UPDATE node SET parent_id = node_id('A') WHERE path = 'B'$$);
UPDATE pair_check SET deferred = true;
BEGIN;
UPDATE node SET parent_id = node_id('A') WHERE path = 'B';
UPDATE node SET parent_id = NULL WHERE path = 'A.B';
COMMIT;
BEGIN;
UPDATE node SET parent_id = node_id('A') WHERE path = 'B';
COMMIT;

SELECT detach('account');
DROP TABLE account;

-- checks are about the model that is active; hints name one that is not
CREATE TABLE account (id int PRIMARY KEY, country text);
SELECT attach('account');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'account', $$country = 'A'$$);
INSERT INTO account VALUES (1, 'A'), (2, 'C');
SELECT assign('account', '2', 'A');
INSERT INTO pair_check (name, object, kind) VALUES ('somewhere', 'account', 'assigned');
INSERT INTO pair_check (name, object, kind, bound, node_id) VALUES ('few', 'account', 'records_per_node', 2, node_id('A'));
INSERT INTO pair_check (name, object, kind, node_id) VALUES ('here', 'account', 'assigned', node_id('A'));
INSERT INTO model (name) VALUES ('next');
INSERT INTO node (model_id, path) VALUES ((SELECT id FROM model WHERE name = 'next'), 'N');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N', 'next'), 'account', $$country = 'A'$$);
SELECT err($$UPDATE model SET state = CASE name WHEN 'next' THEN 'active' ELSE 'archived' END WHERE name IN ('default', 'next')$$);
UPDATE rule SET criteria = $$country IN ('A', 'C')$$ WHERE node_id = node_id('N', 'next');
UPDATE model SET state = CASE name WHEN 'next' THEN 'active' ELSE 'archived' END WHERE name IN ('default', 'next');
SELECT err($$UPDATE account SET country = 'D' WHERE id = 2$$);
INSERT INTO account VALUES (3, 'A');
\set VERBOSITY default
DELETE FROM node WHERE path = 'A';
SELECT * FROM drop_node('A', model => 'default');
UPDATE model SET state = CASE name WHEN 'default' THEN 'active' ELSE 'archived' END WHERE name IN ('default', 'next');
DELETE FROM pair_check;
UPDATE model SET state = CASE name WHEN 'default' THEN 'active' ELSE 'archived' END WHERE name IN ('default', 'next');
UPDATE rule SET id = -7 WHERE node_id = node_id('A');
SELECT err($$UPDATE rule SET criteria = '1000 / (id - 1) > 1' WHERE id = -7$$);
CREATE FUNCTION context(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE context text;
BEGIN
    EXECUTE command;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
    RETURN context;
END $$;
SELECT context($$UPDATE rule SET criteria = '1000 / (id - 1) > 1' WHERE id = -7$$) ~ 'after a change of rule -7\n' AS named;

-- history is not kept for less than no time
SELECT err($$SELECT prune_history('-5 days')$$);
SELECT err($$UPDATE object SET keep_history = '-1 day'$$);
SELECT detach('account');
DELETE FROM node;
DELETE FROM model WHERE name = 'next';
DROP SCHEMA reg_cross CASCADE;
