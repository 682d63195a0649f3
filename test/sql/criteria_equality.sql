-- criteria over types whose equality is not that of the bytes: citext, nondeterministic collations, char(n), numeric, float
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_equality;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_equality.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE EXTENSION citext SCHEMA reg_equality;
SET search_path = public, territory, reg_equality;
CREATE COLLATION reg_equality.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE reg_equality.t (id int PRIMARY KEY, ci citext, nc text COLLATE reg_equality.nocase, c char(5), n numeric, f float8, iv interval, j jsonb, tz timetz, arr numeric[]);
INSERT INTO reg_equality.t VALUES (1, 'NL', 'NL', 'a', 1, 0, '1 day', '1', '12:00+00', '{1,2}'), (2, 'nl', 'nl', 'a ', 1.0, -0.0, '24 hours', '1.0', '13:00+01', '{1.0,2.00}'), (3, 'Nl', 'Nl', 'a', 1.000, 'NaN', '1 day 1 second', '"1"', '12:00+01', '{1}'), (4, 'BE', 'be', 'b', 'NaN', 'Infinity', '1 mon', 'null', NULL, NULL), (5, NULL, NULL, NULL, NULL, NULL, '30 days', NULL, NULL, '{NULL}');
SELECT territory.attach('reg_equality.t', mode => 'all');
INSERT INTO territory.node (path) VALUES ('Q');
CREATE TABLE reg_equality.expression (id int GENERATED ALWAYS AS IDENTITY, criteria text);
INSERT INTO reg_equality.expression (criteria) VALUES ($$ci = 'nl'$$), ($$ci IN ('NL', 'be')$$), ($$ci <> 'NL'$$), ($$ci NOT IN ('nL')$$), ($$ci::text = 'nl'$$), ($$ci = 'nl'::text$$), ($$ci LIKE 'n%'$$), ($$ci > 'C'$$), ($$ci = ANY (ARRAY['BE', NULL]::citext[])$$), ($$lower(ci) = 'be'$$),
  ($$nc = 'nl'$$), ($$nc IN ('BE', 'xx')$$), ($$nc <> 'NL'$$), ($$nc NOT IN ('nl', 'xx')$$), ($$nc COLLATE "C" = 'nl'$$), ($$nc COLLATE "C" IN ('NL', 'be')$$), ($$nc = ANY ('{nl,be}')$$), ($$nc BETWEEN 'BD' AND 'bf'$$),
  ($$c = 'a'$$), ($$c = 'a    '$$), ($$c IN ('a ', 'b')$$), ($$c::text = 'a'$$), ($$c = 'a '::text$$), ($$c LIKE 'a'$$), ($$c <> 'a'$$),
  ($$n = 1$$), ($$n = 1.0000$$), ($$n IN (1.00, 2)$$), ($$n <> 1$$), ($$n = 'NaN'$$), ($$n IN ('NaN', 1)$$), ($$f = 0$$), ($$f = -0.0$$), ($$f IN (0, 'Infinity')$$), ($$f = 'NaN'$$), ($$f <> 'NaN'$$), ($$f = 0::float4$$),
  ($$iv = '1 day'$$), ($$iv = '24:00'$$), ($$iv IN ('30 days', '1 day')$$), ($$iv = '1 month'$$), ($$j = '1'$$), ($$j = '1.00'$$), ($$j IN ('1', 'null')$$), ($$j ->> 0 IS NULL$$), ($$tz = '12:00+00'$$), ($$tz IN ('14:00+02', '12:00+01')$$), ($$arr = '{1,2}'$$), ($$arr IN ('{1}', '{1.0,2}')$$), ($$arr <> '{1,2}'$$), ($$1.0 = ANY (arr)$$), ($$2 = ALL (arr)$$);
INSERT INTO territory.node (path) SELECT ('Q.' || id)::territory FROM reg_equality.expression;
INSERT INTO territory.rule (node_id, object, criteria) SELECT territory.node_id(('Q.' || id)::territory), 'reg_equality.t', criteria FROM reg_equality.expression;
CREATE FUNCTION reg_equality.differences() RETURNS TABLE (criteria text, stored int[], sql int[]) LANGUAGE plpgsql AS $$
DECLARE
  e reg_equality.expression;
BEGIN
  FOR e IN SELECT * FROM reg_equality.expression ORDER BY id LOOP
    criteria := e.criteria;
    stored := ARRAY(SELECT a.id FROM reg_equality.t_territory a WHERE a.node_id = territory.node_id(('Q.' || e.id)::territory) ORDER BY 1);
    EXECUTE format('SELECT ARRAY(SELECT id FROM reg_equality.t WHERE (%s) ORDER BY 1)', e.criteria) INTO sql;
    IF stored IS DISTINCT FROM sql THEN RETURN NEXT; END IF;
  END LOOP;
END $$;
SELECT count(*) FROM territory.rule;
SELECT * FROM reg_equality.differences();
CREATE TABLE reg_equality.copy AS TABLE reg_equality.t;
DELETE FROM reg_equality.t;
INSERT INTO reg_equality.t TABLE reg_equality.copy;
SELECT * FROM reg_equality.differences();
-- what counts as changed is told by the bytes: a change of case or scale may matter to another rule
UPDATE reg_equality.t SET ci = upper(ci::text), nc = upper(nc), n = n + 0.00, c = c || ' ', j = '1.000';
SELECT * FROM reg_equality.differences();
UPDATE reg_equality.t SET ci = lower(ci::text), nc = lower(nc), f = -f;
SELECT * FROM reg_equality.differences();
SELECT * FROM territory.verify('reg_equality.t');
SET search_path = '';
INSERT INTO reg_equality.t (id, ci, nc) VALUES (10, 'nL', 'nL'), (11, 'bE', 'Be');
SET search_path = public, territory, reg_equality;
SELECT * FROM reg_equality.differences();
-- an extension that rules need does not go
SELECT reg_equality.err('DROP EXTENSION citext') <> 'no error' AS refused;
SELECT territory.detach('reg_equality.t');
DELETE FROM territory.node WHERE path <@ 'Q';
DROP SCHEMA reg_equality CASCADE;
