-- territory.exclusion, territory.explain, and the views tree, coverage and assignment
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_explain;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_explain.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE TABLE reg_explain.account (id int PRIMARY KEY, country text, size int, "Owner" text);
INSERT INTO reg_explain.account VALUES (1, 'NL', 10, 'a'), (2, 'NL', 900, 'b'), (3, 'BE', 900, NULL), (4, NULL, NULL, 'd'), (5, 'DE', 5, 'e');
INSERT INTO territory.node (path, priority) VALUES ('E', 0), ('E.Europe', 0), ('E.Europe.NL', 0), ('E.Europe.NL.Big', 0), ('E.Key', 3), ('E.Nobody', 0);
SELECT territory.attach('reg_explain.account');
INSERT INTO territory.rule (node_id, object, name, criteria) SELECT territory.node_id(v.path::territory), 'reg_explain.account', v.name, v.criteria FROM (VALUES
  ('E.Europe', 'europe', $$country IN ('NL', 'BE')$$), ('E.Europe', NULL, $$country = 'DE' AND size > 100$$), ('E.Europe.NL', 'nl', $$country = 'NL'$$), ('E.Europe.NL.Big', 'big', $$size >= 500 AND ("Owner" = 'b' OR "Owner" IS NULL)$$),
  ('E.Key', 'key', $$size > 100 AND true AND country IS NOT NULL$$), ('E.Nobody', 'nobody', 'false')) v(path, name, criteria);
CREATE VIEW reg_explain.now AS SELECT a.id, string_agg(n.path::text, ', ' ORDER BY n.path) AS nodes FROM reg_explain.account a LEFT JOIN reg_explain.account_territory t USING (id) LEFT JOIN territory.node n ON n.id = t.node_id GROUP BY a.id ORDER BY 1;
CREATE FUNCTION reg_explain.why(key text, node territory DEFAULT NULL) RETURNS TABLE (path territory, rule text, criterion text, value text, result bool, decision text, because text) LANGUAGE sql AS
  $$ SELECT e.path, e.rule, e.criterion, e.value, e.result, e.decision, e.because FROM territory.explain('reg_explain.account', key, node) e $$;
TABLE reg_explain.now;
-- deepest
SELECT * FROM reg_explain.why('2');
SELECT * FROM reg_explain.why('3');
SELECT * FROM reg_explain.why('4');
SELECT * FROM reg_explain.why('5');
-- one node
SELECT * FROM reg_explain.why('3', 'E.Europe.NL.Big');
SELECT e.node_id = territory.node_id('E.Europe') AS node, r.name, e.rule FROM territory.explain('reg_explain.account', '3', 'E.Europe') e JOIN territory.rule r ON r.id = e.rule_id;
-- a node without rules
SELECT * FROM reg_explain.why('3', 'E');
-- blocked by the nearest closed gate
SELECT * FROM reg_explain.why('3', 'E.Europe.NL.Big');
-- mode all, mode first
UPDATE territory.object SET mode = 'all' WHERE object = 'reg_explain.account'::regclass;
SELECT path, rule, decision, because FROM reg_explain.why('2');
UPDATE territory.object SET mode = 'first' WHERE object = 'reg_explain.account'::regclass;
SELECT path, rule, decision, because FROM reg_explain.why('2');
SELECT path, rule, decision, because FROM reg_explain.why('1');
-- exclusions
INSERT INTO territory.exclusion (object, key, node_id, note) VALUES ('reg_explain.account', '2', territory.node_id('E.Key'), 'a friend''s');
SELECT path, rule, decision, because FROM reg_explain.why('2');
UPDATE territory.object SET mode = 'deepest' WHERE object = 'reg_explain.account'::regclass;
TABLE reg_explain.now;
-- the excluded one still gates, and what lies above takes its place
INSERT INTO territory.exclusion (object, key, node_id) VALUES ('reg_explain.account', '2', territory.node_id('E.Europe.NL.Big')), ('reg_explain.account', '1', territory.node_id('E.Europe'));
SELECT path, rule, decision, because FROM reg_explain.why('2');
SELECT path, rule, decision, because FROM reg_explain.why('1');
TABLE reg_explain.now;
SELECT * FROM territory.verify('reg_explain.account');
-- from every node
INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', '3');
SELECT path, rule, decision, because FROM reg_explain.why('3');
TABLE reg_explain.now;
-- moved to another record, lifted, and the record rekeyed
UPDATE territory.exclusion SET key = '1' WHERE key = '3';
TABLE reg_explain.now;
DELETE FROM territory.exclusion WHERE key = '1';
TABLE reg_explain.now;
UPDATE reg_explain.account SET id = 22 WHERE id = 2;
TABLE reg_explain.now;
UPDATE reg_explain.account SET id = 2 WHERE id = 22;
SELECT * FROM territory.verify('reg_explain.account');
-- before the record is there, and after it is gone
INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', '60');
INSERT INTO reg_explain.account VALUES (60, 'NL', 900, 'b'), (61, 'NL', 900, 'b');
SELECT * FROM reg_explain.now WHERE id >= 60;
DELETE FROM reg_explain.account WHERE id >= 60;
SELECT count(*) FROM territory.exclusion WHERE key = '60';
-- undone
BEGIN;
DELETE FROM territory.exclusion;
TABLE reg_explain.now;
SAVEPOINT s;
INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', '1');
ROLLBACK TO s;
INSERT INTO reg_explain.account VALUES (60, 'NL', 900, 'b');
SELECT * FROM reg_explain.now WHERE id IN (1, 60);
ROLLBACK;
TABLE reg_explain.now;
-- bad ones
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', 'x')$$);
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', '')$$);
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', '99999999999')$$);
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', NULL)$$);
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES (NULL, '1')$$);
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES ('territory.model', '1')$$);
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key, node_id) VALUES ('reg_explain.account', '1', -1)$$);
-- twice, however it is written
SELECT reg_explain.err($$INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', '7'), ('reg_explain.account', ' 07 ')$$) LIKE '23505: %' AS refused;
INSERT INTO territory.exclusion (object, key) VALUES ('reg_explain.account', ' 0007 ') RETURNING key;
-- a node with exclusions goes, and they with it
INSERT INTO territory.node (path) VALUES ('E.gone');
INSERT INTO territory.exclusion (object, key, node_id) VALUES ('reg_explain.account', '1', territory.node_id('E.gone'));
DELETE FROM territory.node WHERE path = 'E.gone';
SELECT count(*) FROM territory.exclusion WHERE key = '1';
-- explain's errors
SELECT reg_explain.err($$SELECT territory.explain('reg_explain.account', '99')$$);
SELECT reg_explain.err($$SELECT territory.explain('reg_explain.account', 'x')$$);
SELECT reg_explain.err($$SELECT territory.explain('territory.model', '1')$$);
SELECT reg_explain.err($$SELECT territory.explain('reg_explain.account', '1', 'E.Atlantis')$$);
SELECT (SELECT count(*) FROM territory.explain(NULL, '1')), (SELECT count(*) FROM territory.explain('reg_explain.account', NULL));
-- under other settings the same
UPDATE territory.rule SET criteria = $$country = 'DE' AND size > 1 AND date '2026-02-01' > date '01/02/2026'$$ WHERE name IS NULL AND object = 'reg_explain.account'::regclass;
SET DateStyle = 'SQL, DMY';
SELECT criterion, value, result, decision FROM reg_explain.why('5', 'E.Europe');
RESET DateStyle;

-- views
SELECT path, depth, indented, path_text, levels, priority, cascade, children, rules FROM territory.tree WHERE path <@ 'E';
SELECT object, path, depth, records, records_below, manual, rules FROM territory.coverage WHERE path <@ 'E' OR path = '';
SELECT model_id = territory.active_model() AS active, object, key, path, manual, rule_id IS NOT NULL AS rule, since <= now() AS since FROM territory.assignment ORDER BY key::int, path;
-- a record in two nodes of a subtree counts once
UPDATE territory.object SET mode = 'all' WHERE object = 'reg_explain.account'::regclass;
SELECT path, records, records_below FROM territory.coverage WHERE path <@ 'E' OR path = '';
SELECT territory.record_count('reg_explain.account'), (SELECT count(*) FROM territory.assignments('reg_explain.account'));
SELECT territory.record_count(NULL) IS NULL, (SELECT count(*) FROM territory.assignments(NULL));
SELECT reg_explain.err($$SELECT territory.record_count('territory.model')$$);
SELECT reg_explain.err($$SELECT territory.assignments('territory.model')$$);
-- views hide nothing and show nothing to those who may not read
CREATE ROLE reg_explain_reader;
GRANT SELECT ON territory.tree, territory.coverage, territory.assignment TO reg_explain_reader;
SET ROLE reg_explain_reader;
SELECT count(*) FROM territory.tree;
SELECT count(*) FROM territory.assignment;
SELECT count(*) FROM territory.coverage;
SELECT count(*) FROM territory.explain('reg_explain.account', '1');
SELECT count(*) FROM territory.assignments('reg_explain.account');
SELECT territory.record_count('reg_explain.account');
RESET ROLE;
GRANT SELECT ON territory.node, territory.model, territory.rule, territory.object TO reg_explain_reader;
GRANT USAGE ON SCHEMA reg_explain TO reg_explain_reader;
SET ROLE reg_explain_reader;
SELECT count(*) FROM territory.tree WHERE path <@ 'E';
SELECT count(*) FROM territory.assignment;
RESET ROLE;
GRANT SELECT ON reg_explain.account, reg_explain.account_territory TO reg_explain_reader;
-- row-level security of the table attached holds in explain and record_count
ALTER TABLE reg_explain.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON reg_explain.account FOR SELECT TO reg_explain_reader USING (country = 'NL');
SET ROLE reg_explain_reader;
SELECT territory.record_count('reg_explain.account');
SELECT reg_explain.err($$SELECT territory.explain('reg_explain.account', '3')$$);
SELECT path, decision FROM territory.explain('reg_explain.account', '1', 'E.Europe') LIMIT 1;
RESET ROLE;
-- columns that the caller may not read are not shown
REVOKE SELECT ON reg_explain.account FROM reg_explain_reader;
GRANT SELECT (id, country) ON reg_explain.account TO reg_explain_reader;
SET ROLE reg_explain_reader;
SELECT reg_explain.err($$SELECT territory.explain('reg_explain.account', '1')$$);
RESET ROLE;
REVOKE ALL ON territory.node, territory.model, territory.rule, territory.object, territory.tree, territory.coverage, territory.assignment FROM reg_explain_reader;
DROP VIEW reg_explain.now;
SELECT territory.detach('reg_explain.account');
DELETE FROM territory.node WHERE path <@ 'E';
DROP SCHEMA reg_explain CASCADE;
DROP ROLE reg_explain_reader;
