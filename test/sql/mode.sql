-- which of the matching nodes a record gets: modes, gates, transparent nodes, priorities, several rules
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_mode;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_mode.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  m text; d text; h text;
BEGIN
  EXECUTE statement;
  RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
  IF sqlstate = 'ZZ000' THEN RETURN 'no error'; END IF;
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
  -- numbers that depend on what ran before
  m := regexp_replace(m, '\m(node|rule|node_id) \d+', '\1 N');
  d := regexp_replace(CASE WHEN d NOT LIKE 'Failing row%' THEN d END, '\m(\w*id)\)=\(\d+', '\1)=(N');
  h := regexp_replace(h, '\m(node|rule|node_id =) \d+', '\1 N');
  RETURN concat_ws(E'\n', sqlstate || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
CREATE TABLE reg_mode.account (id int PRIMARY KEY, country text, size int, vip bool);
INSERT INTO reg_mode.account VALUES (1, 'NL', 10, false), (2, 'NL', 900, false), (3, 'BE', 900, true), (4, 'DE', 900, true), (5, NULL, 5, true), (6, 'NL', 900, true), (7, 'US', NULL, NULL);
INSERT INTO territory.node (path) VALUES ('M'), ('M.Europe'), ('M.Europe.Benelux'), ('M.Europe.Benelux.NL'), ('M.Europe.Benelux.NL.Big'), ('M.Europe.DE'), ('M.Key'), ('M.Key.Big'), ('M.US');
SELECT territory.attach('reg_mode.account');
INSERT INTO territory.rule (node_id, object, criteria) SELECT territory.node_id(v.path::territory), 'reg_mode.account', v.criteria FROM (VALUES
  ('M.Europe', $$country IN ('NL', 'BE', 'DE')$$), ('M.Europe.Benelux.NL', $$country = 'NL'$$), ('M.Europe.Benelux.NL.Big', 'size >= 500'), ('M.Europe.DE', $$country = 'DE'$$),
  ('M.Key', 'vip'), ('M.Key.Big', 'size >= 500'), ('M.US', $$country = 'US'$$)) v(path, criteria);
CREATE VIEW reg_mode.now AS SELECT a.id, string_agg(n.path::text, ', ' ORDER BY n.path) AS nodes FROM reg_mode.account a LEFT JOIN reg_mode.account_territory t USING (id) LEFT JOIN territory.node n ON n.id = t.node_id GROUP BY a.id ORDER BY 1;
-- match() and verify() agree with what is stored: no rows
CREATE VIEW reg_mode.wrong AS
  SELECT 'match' AS what, coalesce(m.id, t.id) AS id FROM (SELECT a.id, m.* FROM reg_mode.account a CROSS JOIN LATERAL territory.match('reg_mode.account', a) m) m
    FULL JOIN reg_mode.account_territory t ON t.id = m.id AND t.node_id = m.node_id AND t.rule_id = m.rule_id WHERE t.id IS NULL OR m.id IS NULL
  UNION ALL SELECT 'verify', key::int FROM territory.verify('reg_mode.account');
-- deepest: where a chain matches, its end; Benelux is transparent; Big does not match where NL does not
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- all
UPDATE territory.object SET mode = 'all' WHERE object = 'reg_mode.account'::regclass;
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- first: depth, then path
UPDATE territory.object SET mode = 'first' WHERE object = 'reg_mode.account'::regclass;
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- first: priority before depth
UPDATE territory.node SET priority = 10 WHERE path = 'M.Key';
TABLE reg_mode.now;
UPDATE territory.node SET priority = 10 WHERE path = 'M.Europe';
TABLE reg_mode.now;
UPDATE territory.node SET priority = -1 WHERE path IN ('M.Key', 'M.Europe');
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- first: the same priority and depth: path order, which a rename turns
UPDATE territory.node SET priority = 5 WHERE path IN ('M.Europe', 'M.Key');
TABLE reg_mode.now;
UPDATE territory.node SET name = 'A Key' WHERE path = 'M.Key';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
UPDATE territory.node SET name = 'Key' WHERE path = 'M."A Key"';
UPDATE territory.node SET priority = 0;
-- the gate of an inner node that does not cascade is open
UPDATE territory.object SET mode = 'deepest' WHERE object = 'reg_mode.account'::regclass;
UPDATE territory.node SET cascade = false WHERE path = 'M.Key';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- an outer one gates on
UPDATE territory.node SET cascade = false WHERE path = 'M.Europe.Benelux.NL';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
UPDATE territory.node SET cascade = false WHERE path = 'M.Europe';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- cascade of a node without rules means nothing
UPDATE territory.node SET cascade = false WHERE path IN ('M', 'M.Europe.Benelux');
TABLE reg_mode.wrong;
UPDATE territory.node SET cascade = true;
-- a top node begins to gate, and ceases to
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('M'), 'reg_mode.account', 'top', 'size IS NOT NULL AND id <> 6');
TABLE reg_mode.now;
TABLE reg_mode.wrong;
UPDATE territory.rule SET active = false WHERE name = 'top';
TABLE reg_mode.now;
UPDATE territory.rule SET active = true, criteria = 'NOT vip' WHERE name = 'top';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
DELETE FROM territory.rule WHERE name = 'top';
-- an inactive rule is none: the node is transparent
UPDATE territory.rule SET active = false WHERE node_id = territory.node_id('M.Europe.Benelux.NL');
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- but one of several
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('M.Europe.Benelux.NL'), 'reg_mode.account', $$country = 'BE'$$), (territory.node_id('M.Europe.Benelux.NL'), 'reg_mode.account', $$country = 'BE' AND vip$$);
TABLE reg_mode.now;
-- rule_id is the lowest of those that match
UPDATE territory.rule SET name = 'r' || (SELECT count(*) FROM territory.rule r WHERE r.node_id = rule.node_id AND r.id <= rule.id) WHERE node_id = territory.node_id('M.Europe.Benelux.NL');
SELECT r.name FROM reg_mode.account_territory a JOIN territory.rule r ON r.id = a.rule_id WHERE a.id = 3 AND r.name LIKE 'r_';
UPDATE territory.rule SET active = true WHERE name = 'r1';
SELECT a.id, r.name FROM reg_mode.account_territory a JOIN territory.rule r ON r.id = a.rule_id WHERE r.name LIKE 'r_';
UPDATE territory.node SET cascade = false WHERE path = 'M.Europe.Benelux.NL';
UPDATE territory.rule SET criteria = 'size < 0' WHERE node_id = territory.node_id('M.Europe.Benelux.NL.Big');
SELECT a.id, r.name FROM reg_mode.account_territory a JOIN territory.rule r ON r.id = a.rule_id WHERE r.name LIKE 'r_' ORDER BY 1;
UPDATE territory.rule SET active = false WHERE name = 'r2';
SELECT a.id, r.name FROM reg_mode.account_territory a JOIN territory.rule r ON r.id = a.rule_id WHERE r.name LIKE 'r_' ORDER BY 1;
DELETE FROM territory.rule WHERE name = 'r3';
SELECT a.id, r.name FROM reg_mode.account_territory a JOIN territory.rule r ON r.id = a.rule_id WHERE r.name LIKE 'r_' ORDER BY 1;
UPDATE territory.rule SET active = true WHERE name = 'r2';
TABLE reg_mode.wrong;
DELETE FROM territory.rule WHERE name = 'r2';
UPDATE territory.node SET cascade = true WHERE path = 'M.Europe.Benelux.NL';
UPDATE territory.rule SET criteria = 'size >= 500' WHERE node_id = territory.node_id('M.Europe.Benelux.NL.Big');
-- "since" stays where only the rule changes
CREATE TEMP TABLE before AS TABLE reg_mode.account_territory;
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('M.US'), 'reg_mode.account', 'id = 7');
UPDATE territory.rule SET active = false WHERE node_id = territory.node_id('M.US') AND criteria <> 'id = 7';
SELECT a.rule_id <> b.rule_id AS other_rule, a.since = b.since AS since FROM before b JOIN reg_mode.account_territory a USING (id, node_id) WHERE id = 7;
UPDATE territory.rule SET active = true WHERE node_id = territory.node_id('M.US');
DELETE FROM territory.rule WHERE criteria = 'id = 7';
SELECT count(*) FROM before b FULL JOIN reg_mode.account_territory a USING (id, node_id, rule_id, manual, since) WHERE a.id IS NULL OR b.id IS NULL;
-- moves: the gates above are others
UPDATE territory.node SET parent_id = territory.node_id('M.Key') WHERE path = 'M.Europe.Benelux';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
UPDATE territory.node SET path = 'M.Europe.Benelux' WHERE path = 'M.Key.Benelux';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
-- a rename changes nobody
CREATE TEMP TABLE before2 AS TABLE reg_mode.account_territory;
UPDATE territory.node SET name = 'Zone' WHERE path = 'M.Europe';
SELECT count(*) FROM (TABLE before2 EXCEPT TABLE reg_mode.account_territory) x;
UPDATE territory.node SET name = 'Europe' WHERE path = 'M.Zone';
-- rules of another object do not count here
CREATE TABLE reg_mode.lead (id text PRIMARY KEY, country text);
SELECT territory.attach('reg_mode.lead', kind => 'lead');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('M'), 'reg_mode.lead', $$country = 'BE'$$), (territory.node_id('M.Europe.Benelux.NL'), 'reg_mode.lead', 'true');
INSERT INTO reg_mode.lead VALUES ('a', 'NL'), ('b', 'BE');
SELECT l.key, n.path FROM territory.assignments('reg_mode.lead') l JOIN territory.node n ON n.id = l.node_id;
TABLE reg_mode.wrong;
SELECT object, key, path, manual FROM territory.assignment ORDER BY object::text, key COLLATE "C", path;
SELECT territory.detach('reg_mode.lead');
-- nor do those of a model that is not active
INSERT INTO territory.model (name) VALUES ('reg_mode plan');
INSERT INTO territory.node (model_id, path) SELECT id, p::territory FROM territory.model, unnest('{M,M.Other}'::text[]) p WHERE name = 'reg_mode plan';
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('M', 'reg_mode plan'), 'reg_mode.account', 'id = 0'), (territory.node_id('M.Other', 'reg_mode plan'), 'reg_mode.account', 'true');
TABLE reg_mode.now;
TABLE reg_mode.wrong;
UPDATE territory.rule SET criteria = 'id > 3' WHERE node_id = territory.node_id('M', 'reg_mode plan');
TABLE reg_mode.wrong;
-- until it is
UPDATE territory.model SET state = CASE name WHEN 'reg_mode plan' THEN 'active' ELSE 'archived' END WHERE state = 'active' OR name = 'reg_mode plan';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
INSERT INTO reg_mode.account VALUES (8, 'NL', 1, true);
SELECT * FROM reg_mode.now WHERE id = 8;
SELECT model_id = territory.active_model() AS active, count(*) FROM territory.assignment GROUP BY 1;
UPDATE territory.model SET state = CASE name WHEN 'reg_mode plan' THEN 'planning' ELSE 'active' END WHERE id = 1 OR name = 'reg_mode plan';
TABLE reg_mode.now;
TABLE reg_mode.wrong;
DELETE FROM territory.node WHERE model_id <> 1;
DELETE FROM territory.model WHERE name = 'reg_mode plan';
-- match: of rows that do not stand, of other rows
SELECT n.path, m.rule_id IS NOT NULL AS rule FROM territory.match('reg_mode.account', ROW(99, 'NL', 700, true)::reg_mode.account) m JOIN territory.node n ON n.id = m.node_id ORDER BY 1;
SELECT n.path FROM territory.match('reg_mode.account', NULL::reg_mode.account) m JOIN territory.node n ON n.id = m.node_id;
SELECT n.path FROM territory.match('reg_mode.account', ROW(NULL, NULL, NULL, NULL)::reg_mode.account) m JOIN territory.node n ON n.id = m.node_id;
SELECT n.path FROM territory.match(NULL, ROW(99, 'NL', 700, true)::reg_mode.account) m JOIN territory.node n ON n.id = m.node_id;
SELECT reg_mode.err($$SELECT territory.match('reg_mode.account', 5)$$);
SELECT reg_mode.err($$SELECT territory.match('reg_mode.account', ROW(1, 'NL', 5, true))$$);
SELECT reg_mode.err($$SELECT territory.match('reg_mode.account', m) FROM territory.model m$$);
SELECT reg_mode.err($$SELECT territory.match('territory.model', m) FROM territory.model m$$);
SELECT reg_mode.err($$SELECT territory.match('reg_mode.account', '{1}'::int[])$$);
CREATE DOMAIN reg_mode.account_domain AS reg_mode.account;
SELECT n.path FROM territory.match('reg_mode.account', ROW(99, 'NL', 700, false)::reg_mode.account::reg_mode.account_domain) m JOIN territory.node n ON n.id = m.node_id;
-- in a query of many rows, on parallel workers too
CREATE TABLE reg_mode.many AS SELECT i AS id, (ARRAY['NL', 'BE', 'DE', 'US', NULL])[1 + i % 5] AS country, i % 1000 AS size, i % 3 = 0 AS vip FROM generate_series(1, 3000) i;
INSERT INTO reg_mode.account SELECT 1000 + id, country, size, vip FROM reg_mode.many;
ANALYZE reg_mode.account;
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2;
TABLE reg_mode.wrong;
SELECT count(*) FROM reg_mode.account a CROSS JOIN LATERAL territory.match('reg_mode.account', a) m;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather;
SELECT count(*) FROM reg_mode.account_territory;
DELETE FROM reg_mode.account WHERE id > 7;

-- run: has nothing to do; finds what was written behind its back
SELECT * FROM territory.run('reg_mode.account');
CREATE FUNCTION reg_mode.spoil() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  ALTER TABLE reg_mode.account_territory DISABLE TRIGGER ALL;
  DELETE FROM reg_mode.account_territory WHERE id = 1;
  UPDATE reg_mode.account_territory SET node_id = territory.node_id('M.US') WHERE id = 2;
  UPDATE reg_mode.account_territory SET rule_id = -1 WHERE id = 4;
  INSERT INTO reg_mode.account_territory VALUES (77, territory.node_id('M'), NULL, true);
  INSERT INTO reg_mode.account_territory VALUES (5, territory.node_id('M.US'), NULL, false);
  ALTER TABLE reg_mode.account_territory ENABLE TRIGGER ALL;
  ALTER TABLE reg_mode.account DISABLE TRIGGER ALL;
  UPDATE reg_mode.account SET country = 'NL' WHERE id = 7;
  INSERT INTO reg_mode.account VALUES (8, 'DE', 5, NULL);
  ALTER TABLE reg_mode.account ENABLE TRIGGER ALL;
END $$;
SELECT reg_mode.spoil();
SELECT v.key, n.path, v.stored, v.computed FROM territory.verify('reg_mode.account') v JOIN territory.node n ON n.id = v.node_id;
BEGIN;
SELECT * FROM territory.run('reg_mode.account');
TABLE reg_mode.wrong;
TABLE reg_mode.now;
SELECT * FROM territory.run('reg_mode.account');
ROLLBACK;
-- under a subtree: those that its rules or its pairs concern
BEGIN;
SELECT * FROM territory.run('reg_mode.account', 'M.US');
SELECT v.key, n.path, v.stored, v.computed FROM territory.verify('reg_mode.account') v JOIN territory.node n ON n.id = v.node_id;
SELECT * FROM territory.run('reg_mode.account', under => 'M.Europe');
SELECT v.key, n.path, v.stored, v.computed FROM territory.verify('reg_mode.account') v JOIN territory.node n ON n.id = v.node_id;
SELECT * FROM territory.run('reg_mode.account', under => '');
SELECT v.key, n.path, v.stored, v.computed FROM territory.verify('reg_mode.account') v JOIN territory.node n ON n.id = v.node_id;
ROLLBACK;
-- only some, and both
BEGIN;
SELECT * FROM territory.run('reg_mode.account', "only" => $$country = 'NL' AND id <= 2$$);
SELECT v.key, n.path, v.stored, v.computed FROM territory.verify('reg_mode.account') v JOIN territory.node n ON n.id = v.node_id;
SELECT * FROM territory.run('reg_mode.account', 'M.Europe', 'id = 8');
SELECT * FROM territory.run('reg_mode.account', 'M.Europe', 'false');
SELECT * FROM territory.run('reg_mode.account', NULL, NULL);
TABLE reg_mode.wrong;
SELECT scope, rows_read, added, removed, seconds >= 0 AS seconds, who = session_user AS who, started <= clock_timestamp() AS started FROM territory.run_log WHERE object = 'reg_mode.account'::regclass ORDER BY id DESC LIMIT 4;
COMMIT;
SELECT reg_mode.err($$SELECT territory.run('reg_mode.account', 'M.Atlantis')$$);
SELECT reg_mode.err($$SELECT territory.run('reg_mode.account', "only" => 'nosuch = 1')$$);
SELECT reg_mode.err($$SELECT territory.run('reg_mode.account', "only" => '')$$);
SELECT reg_mode.err($$SELECT territory.run('reg_mode.account', "only" => 'true; DELETE FROM territory.node')$$);
SELECT reg_mode.err($$SELECT territory.run('reg_mode.account', "only" => 'id IN (SELECT 1)')$$);
SELECT reg_mode.err($$SELECT territory.run('reg_mode.account', "only" => 'id')$$);
SELECT reg_mode.err($$SELECT territory.run(NULL)$$);
SELECT reg_mode.err($$SELECT territory.run('reg_mode.many')$$);
SELECT reg_mode.err($$SELECT territory.verify('reg_mode.many')$$);
SELECT count(*) FROM territory.verify(NULL);
-- a later run is left to us
SET territory.defer_runs = on;
UPDATE territory.rule SET criteria = $$country = 'BE'$$ WHERE node_id = territory.node_id('M.Europe.Benelux.NL');
UPDATE territory.node SET cascade = false WHERE path = 'M.Key';
INSERT INTO territory.exclusion (object, key) VALUES ('reg_mode.account', '4');
UPDATE territory.object SET mode = 'all' WHERE object = 'reg_mode.account'::regclass;
SELECT count(*) > 0 AS differs FROM territory.verify('reg_mode.account');
-- what is written meanwhile follows the new rules
INSERT INTO reg_mode.account VALUES (9, 'BE', 5, NULL);
SELECT * FROM reg_mode.now WHERE id = 9;
-- a node that records still hold cannot go, though its rule is gone
DELETE FROM territory.rule WHERE node_id = territory.node_id('M.US');
RESET territory.defer_runs;
SELECT added > 0 AS added, removed > 0 AS removed FROM territory.run('reg_mode.account');
SELECT * FROM territory.verify('reg_mode.account');
SELECT reg_mode.err('SET territory.defer_runs = maybe');

-- deleting nodes that hold records
SELECT reg_mode.err($$DELETE FROM territory.node WHERE path = 'M.Europe.DE'$$);
SELECT reg_mode.err($$DELETE FROM territory.node WHERE path <@ 'M.Europe'$$);
DELETE FROM territory.node WHERE path = 'M.US';
DELETE FROM territory.rule WHERE node_id IN (SELECT id FROM territory.node WHERE path <@ 'M.Europe');
DELETE FROM territory.node WHERE path <@ 'M.Europe';
TABLE reg_mode.now;
SELECT * FROM territory.verify('reg_mode.account');
DROP VIEW reg_mode.now, reg_mode.wrong;
SELECT territory.detach('reg_mode.account');
DELETE FROM territory.node WHERE path <@ 'M';
DROP SCHEMA reg_mode CASCADE;
