-- who may do what, and that nobody's search_path, role or triggers get into the engine's statements
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_privilege;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_privilege.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE ROLE reg_privilege_owner;
CREATE ROLE reg_privilege_writer;
CREATE ROLE reg_privilege_editor;
CREATE ROLE reg_privilege_mallory;
GRANT USAGE ON SCHEMA reg_privilege TO PUBLIC;
GRANT CREATE ON SCHEMA reg_privilege TO reg_privilege_owner;
SET ROLE reg_privilege_owner;
CREATE TABLE reg_privilege.account (id int PRIMARY KEY, country text, size int);
SELECT territory.attach('reg_privilege.account');
RESET ROLE;
INSERT INTO territory.node (path) VALUES ('V'), ('V.NL'), ('V.NL.Big');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V.NL'), 'reg_privilege.account', $$country = 'NL'$$), (territory.node_id('V.NL.Big'), 'reg_privilege.account', 'size > 500');
GRANT INSERT, UPDATE, DELETE, SELECT ON reg_privilege.account TO reg_privilege_writer;

-- PUBLIC: no table, view or sequence of the extension; usage of the schema, and functions that read as their caller
SELECT c.relname, c.relkind FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'territory',
  LATERAL aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a WHERE a.grantee = 0;
SELECT c.relname, r.rolname FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'territory', pg_roles r
 WHERE r.rolname LIKE 'reg_privilege_%' AND c.relkind IN ('r', 'v', 'S') AND CASE c.relkind WHEN 'S' THEN has_sequence_privilege(r.rolname, c.oid, 'USAGE, SELECT, UPDATE') ELSE has_table_privilege(r.rolname, c.oid, 'SELECT, INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER') OR has_any_column_privilege(r.rolname, c.oid, 'SELECT, INSERT, UPDATE, REFERENCES') END;
SELECT has_schema_privilege('reg_privilege_writer', 'territory', 'USAGE') AS usage, has_schema_privilege('reg_privilege_writer', 'territory', 'CREATE') AS "create";

-- a writer with INSERT, UPDATE, DELETE on the account table and nothing else
SET ROLE reg_privilege_writer;
INSERT INTO reg_privilege.account VALUES (1, 'NL', 10), (2, 'NL', 900), (3, 'BE', 900);
UPDATE reg_privilege.account SET country = 'NL' WHERE id = 3;
UPDATE reg_privilege.account SET id = 30 WHERE id = 3;
DELETE FROM reg_privilege.account WHERE id = 1;
COPY reg_privilege.account FROM stdin;
4	NL	5
\.
-- sees neither the pairs nor the rules
SELECT * FROM reg_privilege.account_territory;
SELECT * FROM territory.rule;
SELECT * FROM territory.assignments('reg_privilege.account');
SELECT reg_privilege.err('SELECT territory.node_id(''V'')');
SELECT count(*) FROM territory.match('reg_privilege.account', ROW(9, 'NL', 1)::reg_privilege.account);
-- nor may manage anything
SELECT s AS statement, left(reg_privilege.err(s), 5) AS sqlstate FROM unnest(ARRAY[
  $$INSERT INTO territory.node (path) VALUES ('X')$$, $$UPDATE territory.node SET name = 'x'$$, 'DELETE FROM territory.node', 'TRUNCATE territory.node CASCADE', 'TRUNCATE territory.run_log',
  $$INSERT INTO territory.rule (node_id, object, criteria) VALUES (1, 'reg_privilege.account', 'true')$$, 'DELETE FROM territory.rule', $$UPDATE territory.model SET state = 'archived'$$,
  $$INSERT INTO territory.exclusion (object, key) VALUES ('reg_privilege.account', '1')$$, 'DELETE FROM territory.exclusion', 'DELETE FROM territory.object', 'DELETE FROM territory.run_log', $$SELECT territory.run('reg_privilege.account')$$, $$SELECT * FROM territory.verify('reg_privilege.account')$$,
  $$SELECT territory.attach('reg_privilege.account')$$, $$SELECT territory.detach('reg_privilege.account')$$, 'CREATE TABLE territory.mine (id int)', 'CREATE TRIGGER t BEFORE INSERT ON territory.rule FOR EACH ROW EXECUTE FUNCTION territory.rule_check()',
  'CREATE TRIGGER t AFTER INSERT ON reg_privilege.account FOR EACH ROW EXECUTE FUNCTION territory.record_changed()', 'LOCK TABLE territory.node', $$SELECT nextval('territory.node_id_seq')$$, 'CREATE RULE r AS ON INSERT TO territory.rule DO INSTEAD NOTHING',
  'ALTER TABLE reg_privilege.account DISABLE TRIGGER ALL', 'INSERT INTO reg_privilege.account_territory VALUES (1, 1)', 'DROP EXTENSION territory CASCADE', 'ALTER FUNCTION territory.run OWNER TO reg_privilege_writer']) s;
RESET ROLE;
SELECT a.key, n.path FROM territory.assignments('reg_privilege.account') a JOIN territory.node n ON n.id = a.node_id ORDER BY a.key::int;
SELECT * FROM territory.verify('reg_privilege.account');
-- the owner of the table: may run and verify, read and not write the pairs
SET ROLE reg_privilege_owner;
SELECT * FROM territory.run('reg_privilege.account');
SELECT * FROM territory.run('reg_privilege.account', 'V.NL');
SELECT count(*) FROM territory.verify('reg_privilege.account');
SELECT count(*) FROM reg_privilege.account_territory;
SELECT reg_privilege.err('DELETE FROM reg_privilege.account_territory');
-- the two settings of a restored dump do not open the guards for the others
SET check_function_bodies = off;
SET search_path = '';
SELECT reg_privilege.err($$INSERT INTO territory.rule (node_id, object, criteria, expression) VALUES (1, 'reg_privilege.account', 'true', 'true')$$) AS rule;
RESET ROLE;
SET ROLE reg_privilege_writer;
INSERT INTO reg_privilege.account VALUES (5, 'NL', 1);
RESET ROLE;
RESET check_function_bodies;
SET search_path = public, territory;
SELECT a.key FROM territory.assignments('reg_privilege.account') a WHERE key = '5';

-- an editor: what a DBA grants for it
GRANT SELECT, INSERT, UPDATE, DELETE ON territory.node, territory.rule, territory.exclusion TO reg_privilege_editor;
GRANT SELECT ON territory.model, territory.object, territory.tree TO reg_privilege_editor;
GRANT USAGE ON SEQUENCE territory.node_id_seq, territory.rule_id_seq, territory.exclusion_id_seq TO reg_privilege_editor;
SET ROLE reg_privilege_editor;
INSERT INTO territory.node (path) VALUES ('V.E'), ('V.E.x');
-- criteria tell of the columns that they read: their author may read those
SELECT left(reg_privilege.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V.E'), 'reg_privilege.account', $q$country = 'BE'$q$)$$), 5) AS rule,
       left(reg_privilege.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V.E'), 'reg_privilege.account', 'country::int = 1')$$), 5) AS error_of_a_record,
       left(reg_privilege.err($$SELECT territory.run('reg_privilege.account', "only" => 'size > 100')$$), 5) AS run;
RESET ROLE;
GRANT SELECT (id, country) ON reg_privilege.account TO reg_privilege_editor;
SET ROLE reg_privilege_editor;
SELECT left(reg_privilege.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V.E'), 'reg_privilege.account', $q$country = 'BE' AND size > 5$q$)$$), 5) AS rule;
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('V.E'), 'reg_privilege.account', 'editor', $$country = 'BE'$$);
UPDATE territory.node SET path = 'V.F' WHERE path = 'V.E';
UPDATE territory.rule SET criteria = $$country = 'NL'$$ WHERE name = 'editor';
INSERT INTO territory.exclusion (object, key, node_id) VALUES ('reg_privilege.account', '2', territory.node_id('V.F'));
SELECT count(*) FROM territory.verify('reg_privilege.account');
SELECT rows_read > 0 AS run FROM territory.run('reg_privilege.account');
-- but not read the accounts or the pairs
SELECT reg_privilege.err('SELECT * FROM reg_privilege.account');
SELECT reg_privilege.err('SELECT * FROM reg_privilege.account_territory');
SELECT reg_privilege.err($$SELECT * FROM territory.explain('reg_privilege.account', '2')$$);
RESET ROLE;
SELECT a.key, n.path FROM territory.assignments('reg_privilege.account') a JOIN territory.node n ON n.id = a.node_id ORDER BY a.key::int, n.path;
-- a function that its owner keeps to herself
CREATE FUNCTION reg_privilege.secret(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
REVOKE EXECUTE ON FUNCTION reg_privilege.secret(text) FROM PUBLIC;
SET ROLE reg_privilege_editor;
SELECT left(reg_privilege.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V.F'), 'reg_privilege.account', 'reg_privilege.secret(country)')$$), 5) AS no_execute;
SELECT left(reg_privilege.err($$INSERT INTO territory.rule (node_id, object, criteria, active) VALUES (territory.node_id('V.F'), 'reg_privilege.account', 'reg_privilege.secret(country)', false)$$), 5) AS no_execute;
RESET ROLE;
DELETE FROM territory.rule WHERE name = 'editor';
DELETE FROM territory.node WHERE path <@ 'V.F';

-- row-level security on the account table: the engine sees all records, the writer his own; FORCE makes no difference to it
ALTER TABLE reg_privilege.account ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON reg_privilege.account TO reg_privilege_writer USING (size < 100) WITH CHECK (true);
SET ROLE reg_privilege_writer;
SELECT count(*) FROM reg_privilege.account;
INSERT INTO reg_privilege.account VALUES (40, 'NL', 5), (41, 'NL', 900);
UPDATE reg_privilege.account SET size = 901 WHERE id = 40;
UPDATE reg_privilege.account SET country = 'BE';
DELETE FROM reg_privilege.account WHERE id = 41;
RESET ROLE;
SELECT a.key, n.path FROM territory.assignments('reg_privilege.account') a JOIN territory.node n ON n.id = a.node_id ORDER BY a.key::int;
SELECT * FROM territory.verify('reg_privilege.account');
SET ROLE reg_privilege_owner;
SELECT count(*) FROM reg_privilege.account;
SELECT rows_read, added, removed FROM territory.run('reg_privilege.account');
SELECT count(*) FROM territory.verify('reg_privilege.account');
RESET ROLE;
UPDATE territory.rule SET criteria = $$country IN ('NL', 'BE')$$ WHERE node_id = territory.node_id('V.NL');
SELECT * FROM territory.verify('reg_privilege.account');
SELECT count(*) FROM reg_privilege.account_territory;
-- on the assignment table too
ALTER TABLE reg_privilege.account_territory ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET ROLE reg_privilege_writer;
INSERT INTO reg_privilege.account VALUES (50, 'NL', 5);
UPDATE reg_privilege.account SET size = 7, country = NULL WHERE id = 4;
DELETE FROM reg_privilege.account WHERE id = 5;
RESET ROLE;
SELECT * FROM territory.verify('reg_privilege.account');
SELECT count(*) FROM reg_privilege.account_territory;
ALTER TABLE reg_privilege.account_territory DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
ALTER TABLE reg_privilege.account DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;

-- a hostile search_path: operators, functions and tables of the engine's names, planted in front of pg_catalog
CREATE SCHEMA reg_mallory AUTHORIZATION reg_privilege_mallory;
GRANT USAGE ON SCHEMA reg_mallory TO PUBLIC;
GRANT INSERT, UPDATE, DELETE, SELECT, TRUNCATE ON reg_privilege.account TO reg_privilege_mallory;
GRANT SELECT, INSERT, UPDATE, DELETE ON territory.node, territory.rule, territory.exclusion, territory.model TO reg_privilege_mallory;
GRANT SELECT ON territory.object, territory.tree, territory.coverage, territory.assignment TO reg_privilege_mallory;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA territory TO reg_privilege_mallory;
SET SESSION AUTHORIZATION reg_privilege_mallory;
CREATE TABLE reg_mallory.loot (who text, what text);
GRANT INSERT ON reg_mallory.loot TO PUBLIC;
DO $do$
DECLARE
  t text;
  f record;
BEGIN
  -- = and <> of every type that the engine compares, || of text
  FOREACH t IN ARRAY '{int4,int8,int2,text,oid,bool,name,regclass,uuid,varchar,timestamptz,numeric}'::text[] LOOP
    EXECUTE format($f$CREATE FUNCTION reg_mallory.%1$s_eq(%1$s, %1$s) RETURNS bool LANGUAGE plpgsql AS $b$ BEGIN
        IF current_user <> 'reg_privilege_mallory' THEN INSERT INTO reg_mallory.loot VALUES (current_user, '%1$s ='); END IF; RETURN $1::text OPERATOR(pg_catalog.=) $2::text; END $b$$f$, t);
    EXECUTE format('CREATE OPERATOR reg_mallory.= (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = reg_mallory.%1$s_eq)', t);
    EXECUTE format($f$CREATE FUNCTION reg_mallory.%1$s_ne(%1$s, %1$s) RETURNS bool LANGUAGE plpgsql AS $b$ BEGIN
        IF current_user <> 'reg_privilege_mallory' THEN INSERT INTO reg_mallory.loot VALUES (current_user, '%1$s <>'); END IF; RETURN $1::text OPERATOR(pg_catalog.<>) $2::text; END $b$$f$, t);
    EXECUTE format('CREATE OPERATOR reg_mallory.<> (LEFTARG = %1$s, RIGHTARG = %1$s, FUNCTION = reg_mallory.%1$s_ne)', t);
  END LOOP;
  FOR f IN SELECT * FROM (VALUES ('now', '', 'timestamptz', 'pg_catalog.now()'), ('clock_timestamp', '', 'timestamptz', 'pg_catalog.clock_timestamp()'), ('unnest', 'int4[]', 'SETOF int4', 'pg_catalog.unnest($1)'), ('unnest', 'anyarray', 'SETOF anyelement', 'pg_catalog.unnest($1)'),
      ('round', 'numeric, int4', 'numeric', 'pg_catalog.round($1, $2)'), ('format', 'text, text, text', 'text', '$1'), ('coalesce', 'text, text', 'text', '$1'), ('quote_ident', 'text', 'text', '$1'), ('nlevel', 'territory.territory', 'int4', '1'), ('child', 'territory.territory, text', 'territory.territory', '$1')) v(name, args, result, body) LOOP
    EXECUTE format($f$CREATE FUNCTION reg_mallory.%I(%s) RETURNS %s LANGUAGE plpgsql AS $b$ BEGIN
        IF current_user <> 'reg_privilege_mallory' THEN INSERT INTO reg_mallory.loot VALUES (current_user, %L); END IF; RETURN %s %s; END $b$$f$, f.name, f.args, f.result, f.name, CASE WHEN f.result LIKE 'SETOF%' THEN 'QUERY SELECT' ELSE '' END, f.body);
  END LOOP;
  CREATE FUNCTION reg_mallory.step(int8) RETURNS int8 LANGUAGE plpgsql AS $b$ BEGIN IF current_user <> 'reg_privilege_mallory' THEN INSERT INTO reg_mallory.loot VALUES (current_user, 'count'); END IF; RETURN $1 OPERATOR(pg_catalog.+) 1; END $b$;
  CREATE AGGREGATE reg_mallory.count(*) (SFUNC = reg_mallory.step, STYPE = int8, INITCOND = '0');
  CREATE FUNCTION reg_mallory.least4(int4, int4) RETURNS int4 LANGUAGE plpgsql AS $b$ BEGIN IF current_user <> 'reg_privilege_mallory' THEN INSERT INTO reg_mallory.loot VALUES (current_user, 'min or max or sum'); END IF; RETURN LEAST($1, $2); END $b$;
  CREATE AGGREGATE reg_mallory.min(int4) (SFUNC = reg_mallory.least4, STYPE = int4);
  CREATE AGGREGATE reg_mallory.max(int4) (SFUNC = reg_mallory.least4, STYPE = int4);
  CREATE AGGREGATE reg_mallory.sum(int4) (SFUNC = reg_mallory.least4, STYPE = int4);
  CREATE FUNCTION reg_mallory.tmin(territory.territory, territory.territory) RETURNS territory.territory LANGUAGE plpgsql AS $b$ BEGIN IF current_user <> 'reg_privilege_mallory' THEN INSERT INTO reg_mallory.loot VALUES (current_user, 'min path'); END IF; RETURN $1; END $b$;
  CREATE AGGREGATE reg_mallory.min(territory.territory) (SFUNC = reg_mallory.tmin, STYPE = territory.territory);
END $do$;
CREATE TABLE reg_mallory.node (id int); CREATE TABLE reg_mallory.rule (id int); CREATE TABLE reg_mallory.object (object regclass);
CREATE DOMAIN reg_mallory.int AS int4; CREATE DOMAIN reg_mallory.timestamptz AS pg_catalog.timestamptz; CREATE DOMAIN reg_mallory.bool AS pg_catalog.bool; CREATE DOMAIN reg_mallory.text AS pg_catalog.text;
SET search_path = reg_mallory, territory, pg_catalog;
-- each kind of work, in fresh plans
INSERT INTO reg_privilege.account VALUES (60, 'NL', 900), (61, 'BE', 5), (62, NULL, NULL);
UPDATE reg_privilege.account SET size = 901, country = 'NL' WHERE id OPERATOR(pg_catalog.>=) 60;
UPDATE reg_privilege.account SET id = id OPERATOR(pg_catalog.+) 10 WHERE id OPERATOR(pg_catalog.>=) 60;
DELETE FROM reg_privilege.account WHERE id OPERATOR(pg_catalog.=) 70;
INSERT INTO territory.node (path) VALUES ('V.M'), ('V.M.a'), ('V.M.b');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V.M'), 'reg_privilege.account', $$size > 0$$), (territory.node_id('V.M.a'), 'reg_privilege.account', $$country OPERATOR(pg_catalog.=) 'NL'$$);
UPDATE territory.rule SET criteria = 'size > 1' WHERE criteria OPERATOR(pg_catalog.=) 'size > 0';
UPDATE territory.rule SET active = false WHERE criteria OPERATOR(pg_catalog.=) 'size > 1';
UPDATE territory.rule SET active = true WHERE criteria OPERATOR(pg_catalog.=) 'size > 1';
UPDATE territory.node SET name = 'MM', cascade = false, priority = 3 WHERE id OPERATOR(pg_catalog.=) territory.node_id('V.M');
UPDATE territory.node SET parent_id = NULL WHERE id OPERATOR(pg_catalog.=) territory.node_id('V.MM');
UPDATE territory.node SET path = 'V.M' WHERE id OPERATOR(pg_catalog.=) territory.node_id('MM');
INSERT INTO territory.exclusion (object, key) VALUES ('reg_privilege.account', '71');
UPDATE territory.exclusion SET note = 'n', key = '72' WHERE key OPERATOR(pg_catalog.=) '71';
DELETE FROM territory.exclusion WHERE key OPERATOR(pg_catalog.=) '72';
UPDATE territory.model SET description = 'd' WHERE state OPERATOR(pg_catalog.=) 'active';
INSERT INTO territory.model (name) VALUES ('reg_mallory');
DELETE FROM territory.model WHERE name OPERATOR(pg_catalog.=) 'reg_mallory';
SELECT FROM territory.run('reg_privilege.account');
SELECT FROM territory.run('reg_privilege.account', 'V', 'size > 5');
SELECT FROM territory.verify('reg_privilege.account');
SELECT FROM territory.match('reg_privilege.account', ROW(9, 'NL', 1)::reg_privilege.account);
SELECT FROM territory.explain('reg_privilege.account', '71');
DELETE FROM territory.rule WHERE node_id OPERATOR(pg_catalog.=) territory.node_id('V.M');
DELETE FROM territory.rule WHERE node_id OPERATOR(pg_catalog.=) territory.node_id('V.M.a');
DELETE FROM territory.node WHERE id OPERATOR(pg_catalog.=) territory.node_id('V.M.b');
DELETE FROM territory.node WHERE parent_id OPERATOR(pg_catalog.=) territory.node_id('V.M');
DELETE FROM territory.node WHERE id OPERATOR(pg_catalog.=) territory.node_id('V.M');
TRUNCATE reg_privilege.account;
-- attach, detach and DDL of a table of her own
CREATE TABLE reg_mallory.own (id pg_catalog.int4 PRIMARY KEY, country pg_catalog.text);
SELECT territory.attach('reg_mallory.own');
SELECT attname, format_type(atttypid, NULL) FROM pg_catalog.pg_attribute WHERE attrelid OPERATOR(pg_catalog.=) 'reg_mallory.own_territory'::regclass AND attnum OPERATOR(pg_catalog.>) 0;
INSERT INTO reg_mallory.own VALUES (1, 'NL');
ALTER TABLE reg_mallory.own RENAME COLUMN country TO land;
ALTER TABLE reg_mallory.own ADD COLUMN x pg_catalog.int4;
SELECT territory.detach('reg_mallory.own');
RESET SESSION AUTHORIZATION;
-- nothing of it ran as anybody else
SELECT who, what FROM reg_mallory.loot GROUP BY 1, 2 ORDER BY 1, 2;
SET search_path = public, territory;
-- criteria run as the owner of the table, not as the one who writes, nor as the extension's owner
CREATE FUNCTION reg_privilege.who(text) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE WARNING 'evaluated by %', current_user; RETURN true; END $$;
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('V'), 'reg_privilege.account', 'reg_privilege.who(country)');
SET ROLE reg_privilege_writer;
INSERT INTO reg_privilege.account VALUES (1, 'NL', 10);
SELECT pg_catalog.count(*) FROM territory.match('reg_privilege.account', ROW(9, 'NL', 1)::reg_privilege.account);
RESET ROLE;
SELECT added FROM territory.run('reg_privilege.account');
-- triggers on the assignment table run as the owner of the table
CREATE FUNCTION reg_privilege.who_trigger() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'trigger run by %', current_user; RETURN NULL; END $$;
CREATE TRIGGER who AFTER INSERT OR DELETE ON reg_privilege.account_territory FOR EACH STATEMENT EXECUTE FUNCTION reg_privilege.who_trigger();
DELETE FROM territory.rule WHERE node_id = territory.node_id('V');
SET ROLE reg_privilege_writer;
INSERT INTO reg_privilege.account VALUES (2, 'NL', 10);
-- after an error the role is one's own again
SELECT reg_privilege.err('INSERT INTO reg_privilege.account VALUES (2, ''NL'', 10)');
SELECT current_user;
RESET ROLE;
SELECT territory.detach('reg_privilege.account');
DELETE FROM territory.node WHERE path <@ 'V';
UPDATE territory.model SET description = NULL WHERE state = 'active';
DROP SCHEMA reg_mallory, reg_privilege CASCADE;
DROP OWNED BY reg_privilege_owner, reg_privilege_writer, reg_privilege_editor, reg_privilege_mallory;
DROP ROLE reg_privilege_owner, reg_privilege_writer, reg_privilege_editor, reg_privilege_mallory;
