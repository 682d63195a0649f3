-- territory.criteria: conditions by number
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_pattern;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_pattern.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
SELECT territory.criteria('(1 and 2) or 3', $$country = 'NL'$$, 'employees > 50', $$industry ILIKE 'soft%'$$);
SELECT p AS pattern, territory.criteria(p, 'a', 'b', 'c') FROM unnest(ARRAY['1 and 2 and 3', '1 or 2 or 3', '1 AND 2 Or 3', '1 or 2 and 3', '(1 or 2) and 3', 'not 1 and not (2 or 3)', '((1)) and (2 and (3))', E' 1\tand\n2 or(3) ', '3 and 2 and 1', '1 and 2 and 3 and 1', 'not not 1 or 2 or 3', '1 and(not 2)and 3']) p;
SELECT territory.criteria('1', 'country = ''NL'' OR country = ''BE''');
SELECT territory.criteria('01', 'a');
SELECT territory.criteria('10 and 9 and 8 and 7 and 6 and 5 and 4 and 3 and 2 and 1', VARIADIC ARRAY['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']);
SELECT territory.criteria(NULL, 'a') IS NULL AS of_null, territory.criteria('1', VARIADIC NULL::text[]) IS NULL AS of_null;
-- the positions are those in the pattern
SELECT territory.criteria('1 and 3', 'a', 'b');
SELECT territory.criteria('1 and 0', 'a');
SELECT territory.criteria('1', 'a', 'b');
SELECT territory.criteria('2', 'a', 'b', 'c');
SELECT territory.criteria('1 and 99999999999999999999', 'a');
SELECT territory.criteria('1 and -1', 'a');
SELECT territory.criteria('1 and 1.5', 'a');
SELECT territory.criteria('1 and', 'a');
SELECT territory.criteria('and 1', 'a');
SELECT territory.criteria('1 2', 'a', 'b');
SELECT territory.criteria('(1 and 2', 'a', 'b');
SELECT territory.criteria('1 and 2)', 'a', 'b');
SELECT territory.criteria('()', 'a');
SELECT territory.criteria('', 'a');
SELECT territory.criteria('1 xor 2', 'a', 'b');
SELECT territory.criteria('1 & 2', 'a', 'b');
SELECT territory.criteria('1and2', 'a', 'b');
SELECT territory.criteria('not', 'a');
SELECT territory.criteria('1 und é', 'a');
SELECT territory.criteria('é', 'a');
SELECT territory.criteria('1; drop table x', 'a');
SELECT territory.criteria('1');
SELECT territory.criteria('1', NULL);
SELECT territory.criteria('1 and 2', 'a', '');
SELECT territory.criteria('1 and 2', 'a', '  ');
-- however deep
SELECT length(territory.criteria(repeat('(', 500) || '1' || repeat(')', 500), 'a')) > 0 AS deep;
SELECT left(reg_pattern.err(format('SELECT territory.criteria(%L, ''a'')', repeat('(', 1000000))), 5);
SELECT left(reg_pattern.err(format('SELECT territory.criteria(%L, ''a'')', repeat('not ', 1000000) || '1')), 5) IN ('54001', 'no er') AS handled;
-- a condition stays one: it cannot break out of its parentheses, nor swallow what follows
CREATE TABLE reg_pattern.t (id int PRIMARY KEY, a int, b int);
SELECT territory.attach('reg_pattern.t');
INSERT INTO territory.node (path) VALUES ('N');
INSERT INTO reg_pattern.t VALUES (1, 1, 1), (2, 1, 2), (3, 2, 2);
SELECT c AS condition, reg_pattern.err(format($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('N'), 'reg_pattern.t', territory.criteria('1 and 2', 'a = 1', %L))$$, c)) = 'no error' AS taken
  FROM unnest(ARRAY['b = 2', 'b = 2 -- a comment', 'b = 2 /* a comment */', 'false) OR (true', 'b = 2) --', 'b = 2, true', 'b = 2 ORDER BY a', '(b = 2', E'b = ''2', 'b = 2 /*']) c;
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('N'), 'reg_pattern.t', territory.criteria('1 and 2', 'a = 1', 'b = 1 OR b = 2 -- either'));
SELECT key FROM territory.assignments('reg_pattern.t') ORDER BY key;
UPDATE territory.rule SET criteria = territory.criteria('not (1 or 2)', 'a = 1', 'b = 1') WHERE object = 'reg_pattern.t'::regclass;
SELECT key FROM territory.assignments('reg_pattern.t') ORDER BY key;
SELECT territory.detach('reg_pattern.t');
DELETE FROM territory.node WHERE path = 'N';
DROP SCHEMA reg_pattern CASCADE;
