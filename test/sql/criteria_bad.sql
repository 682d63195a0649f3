-- what criteria may not say: refused when the rule is written, with the position inside the criteria
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_bad;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_bad.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE TABLE reg_bad.t (id int PRIMARY KEY, country text, employees int, active bool, tags text[], since date, doc jsonb, big bigint);
CREATE TABLE reg_bad.other (id int PRIMARY KEY, country text);
INSERT INTO reg_bad.t SELECT i, CASE i % 2 WHEN 0 THEN 'NL' ELSE 'BE' END, i * 100 FROM generate_series(1, 10) i;
SELECT territory.attach('reg_bad.t');
INSERT INTO territory.node (path) VALUES ('Bad'), ('Bad.good');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Bad'), 'reg_bad.t', 'true'), (territory.node_id('Bad.good'), 'reg_bad.t', $$country = 'NL'$$);
CREATE TABLE reg_bad.before AS SELECT * FROM reg_bad.t_territory;
-- rule: writes a rule, as the tests below do
CREATE FUNCTION reg_bad.rule(criteria text, object regclass DEFAULT 'reg_bad.t') RETURNS int LANGUAGE sql AS
  'INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id(''Bad''), $2, $1) RETURNING 1';
PREPARE rule(text) AS INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Bad'), 'reg_bad.t', $1);

-- names and types: the position is inside the criteria
EXECUTE rule($$nosuch = 1$$);
EXECUTE rule($$country = 'NL' AND contry = 'BE'$$);
EXECUTE rule($$country = "NL"$$);
EXECUTE rule($$other.country = 'NL'$$);
EXECUTE rule($$reg_bad.other.country = 'NL'$$);
EXECUTE rule($$employees > 'many'$$);
EXECUTE rule($$country = 'Île' AND employees > 'many'$$);
EXECUTE rule($$employees > country$$);
EXECUTE rule($$since > 'yesterdayish'$$);
EXECUTE rule($$nosuch(country)$$);
EXECUTE rule($$country = 'NL'::nosuch$$);
EXECUTE rule($$country COLLATE nosuch = 'NL'$$);
EXECUTE rule($$country === 'NL'$$);
EXECUTE rule($$employees$$);
EXECUTE rule($$country$$);
EXECUTE rule($$tags$$);
EXECUTE rule($$employees = 1 / 0$$);
EXECUTE rule($$country IN (1, 2)$$);
EXECUTE rule($$employees AND active$$);
EXECUTE rule($$country LIKE 5$$);
EXECUTE rule($$tags @> 'vip'$$);
-- syntax
EXECUTE rule($$country =$$);
EXECUTE rule($$country = 'NL$$);
EXECUTE rule($$(country = 'NL'$$);
EXECUTE rule($$country = 'NL')$$);
EXECUTE rule($$country = 'NL' AND$$);
EXECUTE rule($$country = 'NL' /* open$$);
EXECUTE rule($$WHERE country = 'NL'$$);
EXECUTE rule($$SELECT true$$);
EXECUTE rule($$country = 'NL';$$);
EXECUTE rule($$true; DROP TABLE reg_bad.t$$);
EXECUTE rule($$true) OR (true$$);
EXECUTE rule($$true, false$$);
EXECUTE rule($$true AS x$$);
EXECUTE rule($$true x$$);
EXECUTE rule($$*$$);
EXECUTE rule($$t.*$$);
EXECUTE rule($$DISTINCT true$$);
EXECUTE rule($$true ORDER BY country$$);
EXECUTE rule($$true LIMIT 1$$);
EXECUTE rule($$true FROM reg_bad.other$$);
EXECUTE rule($$true WHERE false$$);
EXECUTE rule($$true GROUP BY country$$);
EXECUTE rule($$true HAVING true$$);
EXECUTE rule($$true UNION SELECT false$$);
EXECUTE rule($$true FOR UPDATE$$);
EXECUTE rule($$true INTO x$$);
EXECUTE rule($$true WINDOW w AS ()$$);
EXECUTE rule($$country := 'NL'$$);
SELECT reg_bad.err($$EXECUTE rule('')$$) AS empty, reg_bad.err($$EXECUTE rule('  ')$$) = reg_bad.err($$EXECUTE rule('')$$) AS blank, reg_bad.err($$EXECUTE rule('-- nothing')$$) = reg_bad.err($$EXECUTE rule('')$$) AS comment;
SELECT reg_bad.err($$EXECUTE rule(NULL)$$);
-- a comment at the end swallows nothing
SELECT reg_bad.err($$EXECUTE rule('true --')$$);
-- beyond one record
EXECUTE rule($$employees > (SELECT avg(employees) FROM reg_bad.t)$$);
EXECUTE rule($$country IN (SELECT country FROM reg_bad.other)$$);
EXECUTE rule($$active AND EXISTS (SELECT 1)$$);
EXECUTE rule($$active OR country = ANY (ARRAY(SELECT country FROM reg_bad.other))$$);
EXECUTE rule($$country = (VALUES ('NL'))$$);
EXECUTE rule($$employees > (TABLE reg_bad.nosuch)$$);
EXECUTE rule($$CASE WHEN active THEN (WITH x AS (SELECT true) TABLE x) END$$);
EXECUTE rule($$active AND count(*) > 1$$);
EXECUTE rule($$max(employees) > 1$$);
EXECUTE rule($$active AND row_number() OVER () = 1$$);
EXECUTE rule($$sum(employees) OVER (PARTITION BY country) > 1$$);
EXECUTE rule($$generate_series(1, employees) = 1$$);
EXECUTE rule($$unnest(tags) = 'vip'$$);
EXECUTE rule($$grouping(country) = 1$$);
EXECUTE rule($$employees = $1$$);
EXECUTE rule($$country = $1 AND true$$);
EXECUTE rule($$active AND DEFAULT$$);
EXECUTE rule($$CURRENT OF c$$);
EXECUTE rule($$active AND ctid = '(0,1)'$$);
EXECUTE rule($$xmin::text = '5'$$);
EXECUTE rule($$tableoid = 'reg_bad.t'::regclass$$);
EXECUTE rule($$active AND t IS NOT NULL$$);
EXECUTE rule($$to_jsonb(t) ? 'x'$$);
EXECUTE rule($$t = ROW(1, 'NL', 1, true, NULL, NULL, NULL, 1)::reg_bad.t$$);
-- of the session, of chance, of the server
EXECUTE rule($$country = current_user$$);
EXECUTE rule($$country = session_user OR active$$);
EXECUTE rule($$country = user$$);
EXECUTE rule($$country = current_role$$);
EXECUTE rule($$country = current_catalog$$);
EXECUTE rule($$country = current_schema$$);
EXECUTE rule($$country = current_database()$$);
EXECUTE rule($$country = current_setting('role')$$);
EXECUTE rule($$active AND set_config('role', 'none', false) = ''$$);
EXECUTE rule($$active AND random() < 0.5$$);
EXECUTE rule($$since < clock_timestamp()$$);
EXECUTE rule($$country = timeofday()$$);
EXECUTE rule($$nextval('territory.node_id_seq') > 0$$);
EXECUTE rule($$txid_current() > 0$$);
EXECUTE rule($$pg_sleep(1) IS NOT NULL$$);
EXECUTE rule($$pg_postmaster_start_time() < now()$$);
EXECUTE rule($$pg_backend_pid() = 1$$);
EXECUTE rule($$inet_client_addr() IS NULL$$);
EXECUTE rule($$version() = 'x'$$);
EXECUTE rule($$has_table_privilege('reg_bad.other', 'SELECT')$$);
EXECUTE rule($$table_to_xml('reg_bad.other', true, true, '') IS NOT NULL$$);
EXECUTE rule($$query_to_xml('SELECT 1', true, true, '') IS NOT NULL$$);
EXECUTE rule($$pg_read_file('/etc/passwd') IS NOT NULL$$);
EXECUTE rule($$lo_get(1) IS NULL$$);
EXECUTE rule($$country::regclass IS NOT NULL$$);
EXECUTE rule($$to_regclass(country) IS NULL$$);
EXECUTE rule($$country::regprocedure IS NOT NULL$$);
EXECUTE rule($$pg_get_viewdef(big::oid) = ''$$);
EXECUTE rule($$format('%s', country) = 'NL'$$);
EXECUTE rule($$concat(country, employees) = 'NL1'$$);
EXECUTE rule($$to_tsvector(country) @@ 'nl'$$);
EXECUTE rule($$gen_random_uuid() IS NULL$$);
EXECUTE rule($$pg_notify('x', country) IS NULL$$);
EXECUTE rule($$pg_try_advisory_lock(1)$$);
EXECUTE rule($$territory.node_id('Bad') = 1$$);
EXECUTE rule($$territory.active_model() = 1$$);
EXECUTE rule($$(territory.run('reg_bad.t')).added = 0$$);
-- what the same functions' neighbours may
SELECT reg_bad.err(format('EXECUTE rule(%L)', c)) AS result, c AS criteria FROM unnest(ARRAY[
  $$since < now()$$, $$since < current_date$$, $$since < current_timestamp$$, $$since < localtimestamp$$, $$since > statement_timestamp() - interval '1 day'$$,
  $$age(since) > interval '1 year'$$, $$to_char(since, 'YYYY') = '2026'$$, $$extract(year FROM current_date) = 2026$$, $$date_trunc('month', now()) = since$$, $$to_tsvector('simple', country) @@ 'nl'$$, $$country::date > '2026-01-01'$$, $$make_timestamptz(2026, 1, 1, 0, 0, 0) > since$$]) c;
-- the object and the node
SELECT reg_bad.err($$SELECT reg_bad.rule('true', 'reg_bad.other')$$);
SELECT reg_bad.err($$SELECT reg_bad.rule('true', 'reg_bad.t_territory')$$);
SELECT reg_bad.err($$SELECT reg_bad.rule('true', 'pg_class')$$);
SELECT reg_bad.err($$SELECT reg_bad.rule('true', 'territory.node')$$);
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (-1, 'reg_bad.t', 'true')$$);
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (NULL, 'reg_bad.t', 'true')$$);
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Bad'), NULL, 'true')$$);
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Bad'), 2147483647, 'true')$$) ~ '^(42P01|55000)' AS no_such_relation;
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Bad'), 'reg_bad.nosuch', 'true')$$);
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria, active) VALUES (territory.node_id('Bad'), 'reg_bad.t', 'true', NULL)$$);
SELECT reg_bad.err($$TRUNCATE territory.rule$$);
SELECT reg_bad.err($$TRUNCATE territory.exclusion$$);
-- updates are checked likewise; the expression is nobody's to write
SELECT reg_bad.err($$UPDATE territory.rule SET criteria = 'nosuch = 1' WHERE object = 'reg_bad.t'::regclass$$);
SELECT reg_bad.err($$UPDATE territory.rule SET object = 'reg_bad.other' WHERE object = 'reg_bad.t'::regclass$$);
SELECT reg_bad.err($$UPDATE territory.rule SET node_id = -1 WHERE object = 'reg_bad.t'::regclass$$);
INSERT INTO territory.rule (node_id, object, name, criteria, expression) VALUES (territory.node_id('Bad'), 'reg_bad.t', 'forged', 'employees < 0', 'true');
UPDATE territory.rule SET expression = 'true' WHERE name = 'forged' RETURNING criteria, expression;
DELETE FROM territory.rule WHERE name = 'forged';
-- an inactive rule is checked as well
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria, active) VALUES (territory.node_id('Bad'), 'reg_bad.t', 'nosuch = 1', false)$$);
-- one bad rule of several: none is written
SELECT reg_bad.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Bad'), 'reg_bad.t', 'active'), (territory.node_id('Bad'), 'reg_bad.t', 'nosuch')$$);

-- functions of ordinary users
CREATE ROLE reg_bad_user;
CREATE ROLE reg_bad_editor;
GRANT CREATE, USAGE ON SCHEMA reg_bad TO reg_bad_user;
SET ROLE reg_bad_user;
CREATE FUNCTION reg_bad.mine(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'I am %', current_user; RETURN true; END $$;
CREATE FUNCTION reg_bad.mine_sql(text) RETURNS bool LANGUAGE sql IMMUTABLE RETURN $1 = 'NL';
CREATE FUNCTION reg_bad.eq(text, int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RETURN true; END $$;
CREATE OPERATOR reg_bad.= (LEFTARG = text, RIGHTARG = int, FUNCTION = reg_bad.eq);
CREATE DOMAIN reg_bad.spy AS text CHECK (reg_bad.mine(VALUE));
CREATE DOMAIN reg_bad.plain AS text;
CREATE TYPE reg_bad.pair AS (a text, b int);
CREATE FUNCTION reg_bad.pair(text) RETURNS reg_bad.pair LANGUAGE sql IMMUTABLE AS 'SELECT $1, 1';
RESET ROLE;
EXECUTE rule($$active AND reg_bad.mine(country)$$);
EXECUTE rule($$reg_bad.mine_sql(country)$$);
EXECUTE rule($$country OPERATOR(reg_bad.=) 5$$);
EXECUTE rule($$country OPERATOR(reg_bad.=) ANY (ARRAY[5])$$);
EXECUTE rule($$active OR country::reg_bad.spy = 'NL'$$);
EXECUTE rule($$(reg_bad.pair(country)).a = 'NL'$$);
SELECT reg_bad.err($$EXECUTE rule('country::reg_bad.plain = ''NL''')$$) AS a_domain_without_checks;
-- of a superuser: taken
CREATE FUNCTION reg_bad.ours(text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$SELECT $1 = 'NL'$$;
CREATE FUNCTION reg_bad.ours_volatile(text) RETURNS bool LANGUAGE sql AS $$SELECT $1 = 'NL'$$;
CREATE FUNCTION reg_bad.ours_stable(date) RETURNS bool LANGUAGE sql STABLE AS $$SELECT $1 < now()$$;
EXECUTE rule($$reg_bad.ours_volatile(country)$$);
EXECUTE rule($$reg_bad.ours_stable(since)$$);
INSERT INTO territory.node (path) VALUES ('Bad.ours');
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('Bad.ours'), 'reg_bad.t', 'ours', 'reg_bad.ours(country)');
SELECT count(*) FROM reg_bad.t_territory WHERE node_id = territory.node_id('Bad.ours');
SELECT * FROM territory.verify('reg_bad.t');
DELETE FROM territory.rule WHERE name = 'ours';
DELETE FROM territory.node WHERE path = 'Bad.ours';

-- names resolve once, under the writer's search_path
CREATE SCHEMA reg_bad_a;
CREATE SCHEMA reg_bad_b;
CREATE FUNCTION reg_bad_a.big_enough(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 > 500';
CREATE FUNCTION reg_bad_b.big_enough(int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < 0';
CREATE FUNCTION reg_bad_b.eq(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT false';
CREATE OPERATOR reg_bad_b.= (LEFTARG = text, RIGHTARG = text, FUNCTION = reg_bad_b.eq);
CREATE TYPE reg_bad_a.color AS ENUM ('red', 'blue');
INSERT INTO territory.node (path) VALUES ('Bad.path');
EXECUTE rule($$big_enough(employees)$$);
EXECUTE rule($$'red'::reg_bad_a.color::text = country$$);
SET search_path = reg_bad_a, reg_bad, public;
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('Bad.path'), 't', 'path', $$big_enough(employees) AND country = 'NL' AND 'red'::color < 'blue'$$);
SET search_path = reg_bad_b, pg_catalog;
SELECT criteria, expression FROM territory.rule WHERE name OPERATOR(pg_catalog.=) 'path';
INSERT INTO reg_bad.t (id, country, employees) VALUES (11, 'NL', 1100), (12, 'BE', 1200);
SELECT a.id FROM reg_bad.t_territory a JOIN territory.node n ON n.id OPERATOR(pg_catalog.=) a.node_id WHERE n.name OPERATOR(pg_catalog.=) 'path' ORDER BY 1;
SELECT * FROM territory.verify('reg_bad.t');
SELECT * FROM territory.run('reg_bad.t');
SELECT node_id OPERATOR(pg_catalog.=) territory.node_id('Bad.path') AS path FROM territory.match('reg_bad.t', (SELECT t FROM reg_bad.t WHERE id = 11));
SET search_path = '';
UPDATE reg_bad.t SET employees = 100 WHERE id = 10;
UPDATE reg_bad.t SET employees = 900 WHERE id = 2;
SELECT a.id FROM reg_bad.t_territory a JOIN territory.node n ON n.id = a.node_id WHERE n.name = 'path' ORDER BY 1;
UPDATE territory.rule SET active = true, name = 'path 2' WHERE name = 'path';
SELECT criteria, expression FROM territory.rule WHERE name = 'path 2';
SELECT * FROM territory.verify('reg_bad.t');
SET search_path = public, territory;
DELETE FROM reg_bad.t WHERE id > 10;
UPDATE reg_bad.t SET employees = id * 100;
DELETE FROM territory.rule WHERE name = 'path 2';
DELETE FROM territory.node WHERE path = 'Bad.path';

-- a condition guards the one after it, as in WHERE
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES
  (territory.node_id('Bad'), 'reg_bad.t', 'guarded', $$employees <> 0 AND 1000 / employees = 5$$),
  (territory.node_id('Bad'), 'reg_bad.t', 'guarded', $$jsonb_typeof(doc -> 'a') = 'number' AND (doc ->> 'a')::int = 5$$),
  (territory.node_id('Bad'), 'reg_bad.t', 'guarded', $$CASE WHEN employees <> 0 THEN 1000 / employees = 5 END$$);
INSERT INTO reg_bad.t (id, employees, doc) VALUES (11, 0, '{"a": "abc"}'), (12, NULL, NULL), (13, 200, '{"a": 5}');
SELECT count(*) FROM reg_bad.t_territory WHERE id > 10;
DELETE FROM reg_bad.t WHERE id > 10;
DELETE FROM territory.rule WHERE name = 'guarded';
-- criteria that raise at some records: the error names the rule, and nothing is half done
SELECT reg_bad.err($$EXECUTE rule('1000 / (employees - 300) = 5')$$);
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('Bad'), 'reg_bad.t', 'raises', '1000 / (employees - 77) = 5');
DO $$
DECLARE
  c text;
BEGIN
  INSERT INTO reg_bad.t (id, employees) VALUES (11, 1), (12, 77);
EXCEPTION WHEN division_by_zero THEN
  GET STACKED DIAGNOSTICS c = PG_EXCEPTION_CONTEXT;
  RAISE WARNING '%', coalesce(substring(c FROM 'rule \d+( \(raises\) of territory "Bad")'), c);
END $$;
SELECT reg_bad.err($$INSERT INTO reg_bad.t (id, employees) VALUES (11, 1), (12, 77)$$);
SELECT reg_bad.err($$UPDATE reg_bad.t SET employees = 77 WHERE id = 3$$);
SELECT reg_bad.err($$SELECT territory.match('reg_bad.t', ROW(1, 'NL', 77, NULL, NULL, NULL, NULL, NULL)::reg_bad.t)$$);
DELETE FROM territory.rule WHERE name = 'raises';

-- after all these errors nothing has changed
SELECT count(*) FROM territory.rule WHERE object = 'reg_bad.t'::regclass;
SELECT count(*) FROM (TABLE reg_bad.before EXCEPT TABLE reg_bad.t_territory) x;
SELECT count(*) FROM (SELECT id, node_id, rule_id FROM reg_bad.t_territory EXCEPT SELECT id, node_id, rule_id FROM reg_bad.before) x;
SELECT * FROM territory.verify('reg_bad.t');
DEALLOCATE rule;
SELECT territory.detach('reg_bad.t');
DELETE FROM territory.node WHERE path <@ 'Bad';
DROP SCHEMA reg_bad, reg_bad_a, reg_bad_b CASCADE;
DROP ROLE reg_bad_user, reg_bad_editor;
