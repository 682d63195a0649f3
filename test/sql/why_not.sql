-- explain taken apart, explain_text and why_not
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_why;
CREATE TABLE reg_why.account (id int PRIMARY KEY, country varchar(2), employees int NOT NULL, industry text, vip bool, founded date, revenue numeric(12,2), code uuid,
  size text GENERATED ALWAYS AS (CASE WHEN employees >= 1000 THEN 'L' ELSE 'S' END) STORED);
INSERT INTO reg_why.account VALUES (1, 'NL', 120, 'Software', false, '2020-01-01', 100, NULL), (2, 'NL', 8000, 'Retail', true, '2024-01-01', 5000, NULL), (3, 'BE', 40, 'Food', NULL, '2022-02-02', 12, NULL);
INSERT INTO node (path, priority) VALUES ('W', 0), ('W.Benelux', 0), ('W.Benelux.Bruges', 0), ('W.Benelux.Key', 0), ('W.DACH', 0), ('W.Global', 5), ('W.Global."St. Louis"', 5), ('W.Hand', 0), ('W.Never', 0), ('W.Off', 0);
SELECT attach('reg_why.account');
INSERT INTO rule (node_id, object, name, criteria, active) SELECT node_id(v.path::territory), 'reg_why.account', v.name, v.criteria, v.active FROM (VALUES
  ('W.Benelux', 'benelux', $$country IN ('NL', 'BE', 'LU')$$, true),
  ('W.Benelux.Key', 'big', $$employees >= 5000 AND (industry ILIKE 'soft%' OR vip) AND NOT (founded > '2025-01-01' AND revenue < 10.5)$$, true),
  ('W.Benelux.Key', 'small', $$employees BETWEEN 10 AND 20 AND NOT vip$$, true),
  ('W.DACH', 'dach', $$'DE' = country OR country IN ('AT', 'CH') OR lower(industry) = 'steel'$$, true),
  ('W.Global."St. Louis"', 'odd', $$employees <> 40 AND 1000 / (employees - 40) > 1$$, true),
  ('W.Never', 'never', $$employees > 5 AND employees < 5$$, true),
  ('W.Off', 'off', $$country = 'FR'$$, false)) v(path, name, criteria, active);
CREATE FUNCTION reg_why.apart(key text, node territory) RETURNS TABLE (item text, level int, criterion text, value text, result bool, rule_result bool, note text) LANGUAGE sql AS
  $$ SELECT e.item, e.level, e.criterion, e.value, e.result, e.rule_result, e.note FROM explain('reg_why.account', key, node) e $$;
CREATE FUNCTION reg_why.not(key text, node territory) RETURNS TABLE (column_name text, value text, becomes text, suggestion text, path territory, rule text, reason text, proven bool, minimal bool) LANGUAGE sql AS
  $$ SELECT w.column_name, replace(w.value, 'by ' || current_user, 'by ME'), regexp_replace(w.becomes, 'id = \d+', 'id = N'), w.suggestion, w.path, w.rule, w.reason, w.proven, w.minimal FROM why_not('reg_why.account', key, node) w $$;
-- AND, OR, NOT at any depth
SELECT * FROM reg_why.apart('3', 'W.Benelux.Key');
SELECT * FROM reg_why.apart('3', 'W.DACH');
-- a condition that WHERE would not come to
SELECT * FROM reg_why.apart('3', 'W.Global."St. Louis"');
SELECT path, decision, by_rule = rule_id AS by_rule, who, since <= now() AS since FROM explain('reg_why.account', '3', 'W.Benelux');
-- nodes without rules: by hand, asked for, with rules that are not active
SET territory.defer_runs = on;
SELECT path, item, decision, note FROM explain('reg_why.account', '3', 'W.Off');
SELECT path, item, decision, note FROM explain('reg_why.account', '3', 'W.Hand');
RESET territory.defer_runs;
-- exclusions: by whom, when, why; who writes them cannot say otherwise
CREATE ROLE reg_why_editor;
GRANT USAGE ON SCHEMA reg_why TO reg_why_editor;
GRANT SELECT ON territory.model, territory.node TO reg_why_editor;
GRANT SELECT, INSERT, UPDATE ON territory.exclusion TO reg_why_editor;
GRANT USAGE ON SEQUENCE territory.exclusion_id_seq TO reg_why_editor;
SET ROLE reg_why_editor;
INSERT INTO exclusion (object, key, node_id, note, created_by, created_at) VALUES ('reg_why.account', '2', node_id('W.Benelux.Key'), 'a friend''s', 'somebody', '1999-01-01');
RESET ROLE;
UPDATE exclusion SET note = 'direct customer' WHERE object = 'reg_why.account'::regclass;
SELECT created_by, created_at = now() AS now, created_at <= now() AS past, note FROM exclusion WHERE object = 'reg_why.account'::regclass;
SELECT path, item, decision, who, since <= now() AS since, note FROM explain('reg_why.account', '2', 'W.Benelux.Key') WHERE item IN ('1', '2.2');
SELECT regexp_replace(t, ' on \d{4}-\d\d-\d\d', ' on DATE') AS explain_text FROM explain_text('reg_why.account', '2') t;
SELECT * FROM explain_text('reg_why.account', '3');
SELECT * FROM explain_text('reg_why.account', '3', 'W.DACH');
-- why not: itself, gates, what lies below, exclusions, rules that are missing
SELECT * FROM reg_why.not('3', 'W.Benelux.Key');
SELECT * FROM reg_why.not('1', 'W.DACH');
SELECT * FROM reg_why.not('2', 'W.Benelux.Key');
SELECT * FROM reg_why.not('3', 'W.Global."St. Louis"');
SELECT * FROM reg_why.not('3', 'W.Never');
SELECT * FROM reg_why.not('3', 'W.Off');
SELECT * FROM reg_why.not('3', 'W.Hand');
SELECT * FROM reg_why.not('3', 'W.Benelux');
DELETE FROM exclusion WHERE object = 'reg_why.account'::regclass;
SELECT * FROM reg_why.not('2', 'W.Benelux');
UPDATE rule SET criteria = 'employees >= 5000' WHERE name = 'big' AND object = 'reg_why.account'::regclass;
INSERT INTO reg_why.account VALUES (4, 'DE', 9000, NULL, NULL, NULL, NULL, NULL);
SELECT * FROM reg_why.not('4', 'W.Benelux');
SELECT * FROM reg_why.not('1', 'W.Benelux.Key');
-- mode first, mode all
UPDATE territory.object SET mode = 'first' WHERE object = 'reg_why.account'::regclass;
SELECT * FROM reg_why.not('1', 'W.Benelux');
SELECT path, decision, because, note FROM explain('reg_why.account', '1', 'W.Benelux');
UPDATE territory.object SET mode = 'all' WHERE object = 'reg_why.account'::regclass;
SELECT * FROM reg_why.not('4', 'W.Benelux');
-- from every territory
INSERT INTO territory.exclusion (object, key) VALUES ('reg_why.account', '4');
SELECT * FROM reg_why.not('4', 'W.Benelux');
DELETE FROM exclusion WHERE object = 'reg_why.account'::regclass;
-- by hand, in a node without rules and in one with rules
ALTER TABLE reg_why.account_territory DISABLE TRIGGER ALL;
INSERT INTO reg_why.account_territory (id, node_id, manual) VALUES (3, node_id('W.Hand'), true), (3, node_id('W.Benelux.Key'), true);
UPDATE reg_why.account_territory SET manual = true WHERE id = 3 AND node_id = node_id('W.Benelux');
ALTER TABLE reg_why.account_territory ENABLE TRIGGER ALL;
SELECT DISTINCT ON (path) path, decision, note, since IS NOT NULL AS since FROM explain('reg_why.account', '3') ORDER BY path;
SELECT regexp_replace(t, ' on \d{4}-\d\d-\d\d', ' on DATE') AS explain_text FROM explain_text('reg_why.account', '3') t WHERE t ~ 'stands|hand|manual';
SELECT * FROM reg_why.not('3', 'W.Hand');
INSERT INTO territory.exclusion (object, key) VALUES ('reg_why.account', '3');
SELECT path, decision, note FROM explain('reg_why.account', '3', 'W.Hand');
DELETE FROM exclusion WHERE object = 'reg_why.account'::regclass;
-- conditions that cannot be inverted: over several columns, generated columns, functions
INSERT INTO rule (node_id, object, name, criteria) SELECT node_id('W.Hand'), 'reg_why.account', v.name, v.criteria FROM (VALUES ('two', $$md5(country || industry) = 'x' AND vip$$)) v(name, criteria);
SELECT * FROM reg_why.not('1', 'W.Hand');
UPDATE rule SET criteria = $$country || industry = 'DEFood'$$ WHERE name = 'two' AND object = 'reg_why.account'::regclass;
SELECT * FROM reg_why.not('1', 'W.Hand');
UPDATE rule SET criteria = $$size = 'L'$$ WHERE name = 'two' AND object = 'reg_why.account'::regclass;
SELECT * FROM reg_why.not('1', 'W.Hand');
UPDATE rule SET criteria = $$upper(industry) LIKE 'STEEL%' AND founded > current_date - 30 AND founded <= current_date AND revenue > 10.55 AND code = '00000000-0000-0000-0000-000000000001'$$ WHERE name = 'two' AND object = 'reg_why.account'::regclass;
SELECT column_name, value, becomes, CASE WHEN column_name <> 'founded' THEN suggestion END, proven, minimal FROM reg_why.not('1', 'W.Hand');
-- the key is what a record is
UPDATE rule SET criteria = 'id = 7' WHERE name = 'two' AND object = 'reg_why.account'::regclass;
SELECT * FROM reg_why.not('1', 'W.Hand');
-- nothing in, nothing out; errors
SELECT (SELECT count(*) FROM why_not(NULL, '1', 'W.Hand')), (SELECT count(*) FROM why_not('reg_why.account', NULL, 'W.Hand')), (SELECT count(*) FROM why_not('reg_why.account', '1', NULL)),
  (SELECT count(*) FROM explain_text(NULL, '1')), (SELECT count(*) FROM explain_text('reg_why.account', NULL));
SELECT * FROM why_not('reg_why.account', '99', 'W.Hand');
SELECT * FROM why_not('reg_why.account', '1', 'W.Atlantis');
SELECT * FROM explain_text('reg_why.account', '99');
SELECT * FROM explain_text('reg_why.account', '1', 'W.Atlantis');
SELECT * FROM why_not('territory.model', '1', 'W.Hand');
-- records and columns that the caller may not read
SET ROLE reg_why_editor;
SELECT * FROM why_not('reg_why.account', '1', 'W.Benelux.Key');
SELECT * FROM explain_text('reg_why.account', '1');
RESET ROLE;
GRANT SELECT (id, country) ON reg_why.account TO reg_why_editor;
SET ROLE reg_why_editor;
SELECT * FROM why_not('reg_why.account', '1', 'W.Benelux.Key');
RESET ROLE;
GRANT SELECT ON reg_why.account TO reg_why_editor;
ALTER TABLE reg_why.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON reg_why.account FOR SELECT TO reg_why_editor USING (country = 'NL');
SET ROLE reg_why_editor;
SELECT count(*) > 0 AS shown FROM explain_text('reg_why.account', '1');
SELECT count(*) > 0 AS shown FROM why_not('reg_why.account', '1', 'W.Benelux.Key');
SELECT * FROM why_not('reg_why.account', '3', 'W.Benelux.Key');
SELECT * FROM explain_text('reg_why.account', '3');
RESET ROLE;
-- nothing is written by any of them, and they are as volatile as they say
SELECT proname, provolatile, obj_description(oid, 'pg_proc') IS NOT NULL AS comment FROM pg_proc WHERE pronamespace = 'territory'::regnamespace AND proname IN ('explain', 'explain_text', 'why_not') ORDER BY 1;
BEGIN READ ONLY;
SELECT count(*) FROM why_not('reg_why.account', '3', 'W.Benelux.Key');
COMMIT;
SELECT * FROM verify('reg_why.account');
DELETE FROM exclusion WHERE object = 'reg_why.account'::regclass;
SELECT detach('reg_why.account');
DELETE FROM node WHERE path <@ 'W';
DROP SCHEMA reg_why CASCADE;
REVOKE ALL ON territory.model, territory.node, territory.exclusion FROM reg_why_editor;
REVOKE ALL ON SEQUENCE territory.exclusion_id_seq FROM reg_why_editor;
DROP ROLE reg_why_editor;
