-- territory.attach and territory.detach: what can be attached, what cannot, and that detaching leaves nothing behind
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_attach;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_attach.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE TABLE reg_attach.account (id int PRIMARY KEY, country text, code text NOT NULL UNIQUE, nullable int UNIQUE, plain int NOT NULL, part int NOT NULL);
CREATE UNIQUE INDEX account_part ON reg_attach.account (part) WHERE part > 0;
CREATE UNIQUE INDEX account_expr ON reg_attach.account (lower(country));
CREATE UNIQUE INDEX account_two ON reg_attach.account (plain, part);
INSERT INTO reg_attach.account VALUES (1, 'NL', 'a', 1, 1, 1), (2, 'BE', 'b', 2, 2, 2);
INSERT INTO territory.node (path) VALUES ('Attach'), ('Attach.NL');
-- good
SELECT territory.attach('reg_attach.account');
\d reg_attach.account_territory
SELECT obj_description('reg_attach.account_territory'::regclass);
SELECT tgname, tgenabled FROM pg_trigger WHERE tgrelid = 'reg_attach.account'::regclass AND NOT tgisinternal ORDER BY 1;
SELECT object, kind, key_column, mode, assignment FROM territory.object;
SELECT object, scope, who = session_user AS who, rows_read, added, removed FROM territory.run_log;
-- again
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account_territory')$$);
-- detach: a clean table
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), 'reg_attach.account', $$country = 'NL'$$), (territory.node_id('Attach.NL'), 'reg_attach.account', $$country = 'BE'$$);
INSERT INTO territory.exclusion (object, key) VALUES ('reg_attach.account', '2');
SELECT id FROM reg_attach.account_territory;
-- (says what it removes)
SELECT territory.detach('reg_attach.account');
SELECT to_regclass('reg_attach.account_territory'), (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'reg_attach.account'::regclass) AS triggers,
  (SELECT count(*) FROM territory.object) AS objects, (SELECT count(*) FROM territory.rule) AS rules, (SELECT count(*) FROM territory.exclusion) AS exclusions, (SELECT count(*) FROM territory.run_log) AS runs;
INSERT INTO reg_attach.account VALUES (3, 'FR', 'c', 3, 3, 3);
-- and again
SELECT territory.attach('reg_attach.account', key => 'code', mode => 'all', kind => 'lead');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), 'reg_attach.account', $$country = 'NL'$$);
SELECT code, node_id = territory.node_id('Attach.NL') AS nl FROM reg_attach.account_territory;
SELECT kind, key_column, mode FROM territory.object;
SELECT territory.detach('reg_attach.account');
SELECT reg_attach.err($$SELECT territory.detach('reg_attach.account')$$);
-- a statement that is half-way: attach and detach inside transactions
BEGIN;
SELECT territory.attach('reg_attach.account');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), 'reg_attach.account', $$country IN ('NL', 'DE')$$);
INSERT INTO reg_attach.account VALUES (4, 'DE', 'd', 4, 4, 4);
SELECT id FROM reg_attach.account_territory ORDER BY 1;
SAVEPOINT s;
SELECT territory.detach('reg_attach.account');
INSERT INTO reg_attach.account VALUES (5, 'IT', 'e', 5, 5, 5);
ROLLBACK TO s;
DELETE FROM reg_attach.account WHERE id = 1;
SELECT id FROM reg_attach.account_territory ORDER BY 1;
ROLLBACK;
SELECT count(*), (SELECT count(*) FROM territory.object) AS objects FROM reg_attach.account;

-- bad arguments
SELECT reg_attach.err($$SELECT territory.attach(NULL)$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', kind => NULL)$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', mode => NULL)$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', kind => 'customer')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', mode => 'Deepest')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.nosuch')$$);
SELECT left(reg_attach.err('SELECT territory.' || f), 5) AS sqlstate, f FROM unnest(ARRAY['attach(1)', 'detach(1)', 'run(1)', 'verify(1)', 'explain(1, ''x'')', 'match(1, NULL::reg_attach.account)', 'match(1, (SELECT a FROM reg_attach.account a LIMIT 1))', 'assignments(1)', 'record_count(1)']) f;
SELECT reg_attach.err($$SELECT territory.detach(NULL)$$);
SELECT reg_attach.err($$SELECT territory.detach('reg_attach.account')$$);
-- keys
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'nosuch')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'ctid')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => '')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'country')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'nullable')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'plain')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'part')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account', key => 'id, code')$$);
CREATE TABLE reg_attach.nokey (id int, country text);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.nokey')$$);
CREATE TABLE reg_attach.composite (region text, "Number" int, country text, PRIMARY KEY (region, "Number"));
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.composite')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.composite', key => 'Number')$$);
CREATE TABLE reg_attach.included (id int, country text, PRIMARY KEY (id) INCLUDE (country));
SELECT territory.attach('reg_attach.included');
SELECT territory.detach('reg_attach.included');
CREATE TABLE reg_attach.deferred (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, country text);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.deferred')$$) LIKE '42P16:%' AS deferrable_refused;
CREATE TABLE reg_attach.keys (d date PRIMARY KEY, n numeric NOT NULL UNIQUE, b bytea NOT NULL UNIQUE, a int[] NOT NULL UNIQUE, c char(3) NOT NULL UNIQUE, m name NOT NULL UNIQUE, o oid NOT NULL UNIQUE, j jsonb NOT NULL UNIQUE);
SELECT reg_attach.err('SELECT territory.attach(''reg_attach.keys'', key => ' || quote_literal(k) || ')') FROM unnest('{d,n,b,a,c,m,o,j}'::text[]) k;
CREATE TABLE reg_attach.taken (node_id int PRIMARY KEY, rule_id int NOT NULL UNIQUE, manual text NOT NULL UNIQUE, since int NOT NULL UNIQUE);
SELECT reg_attach.err('SELECT territory.attach(''reg_attach.taken'', key => ' || quote_literal(k) || ')') FROM unnest('{node_id,rule_id,manual,since}'::text[]) k;
-- kinds of relation
CREATE VIEW reg_attach.v AS SELECT * FROM reg_attach.account;
CREATE MATERIALIZED VIEW reg_attach.mv AS SELECT * FROM reg_attach.account;
CREATE SEQUENCE reg_attach.seq;
CREATE TYPE reg_attach.comp AS (id int);
CREATE TEMP TABLE reg_temp (id int PRIMARY KEY);
CREATE TABLE reg_attach.parent (id int PRIMARY KEY);
CREATE TABLE reg_attach.child (x int) INHERITS (reg_attach.parent);
ALTER TABLE reg_attach.child ADD PRIMARY KEY (id);
CREATE TABLE reg_attach.parted (id int PRIMARY KEY, country text) PARTITION BY RANGE (id);
CREATE TABLE reg_attach.parted1 PARTITION OF reg_attach.parted FOR VALUES FROM (0) TO (100) PARTITION BY RANGE (id);
CREATE TABLE reg_attach.parted11 PARTITION OF reg_attach.parted1 FOR VALUES FROM (0) TO (50);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.v')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.mv')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.seq')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.comp')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.account_pkey')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_temp')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.parent')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.parted1')$$);
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.parted11')$$);
SELECT reg_attach.err($$SELECT territory.attach('pg_catalog.pg_class')$$);
SELECT reg_attach.err($$SELECT territory.attach('information_schema.sql_features')$$);
SELECT reg_attach.err($$SELECT territory.attach('territory.node')$$);
SELECT reg_attach.err($$SELECT territory.attach('territory.assignment')$$);
CREATE FOREIGN DATA WRAPPER reg_attach_fdw;
CREATE SERVER reg_attach_server FOREIGN DATA WRAPPER reg_attach_fdw;
CREATE FOREIGN TABLE reg_attach.far (id int NOT NULL) SERVER reg_attach_server;
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.far')$$);
DROP FOREIGN DATA WRAPPER reg_attach_fdw CASCADE;
-- a child of inheritance can be
SELECT territory.attach('reg_attach.child');
SELECT territory.detach('reg_attach.child');
-- one cannot become a parent of inheritance, or a partition, behind the engine's back
SELECT territory.attach('reg_attach.account');
SELECT left(reg_attach.err($$CREATE TABLE reg_attach.heir (y int) INHERITS (reg_attach.account)$$), 5) <> 'no er' AS inheritance_refused;
-- unlogged: so is the table beside it
CREATE UNLOGGED TABLE reg_attach.fast (id int PRIMARY KEY);
SELECT territory.attach('reg_attach.fast');
SELECT relpersistence FROM pg_class WHERE oid = 'reg_attach.fast_territory'::regclass;
SELECT territory.detach('reg_attach.fast');

-- names
CREATE TABLE reg_attach.clash (id int PRIMARY KEY);
CREATE VIEW reg_attach.clash_territory AS SELECT 1;
SELECT reg_attach.err($$SELECT territory.attach('reg_attach.clash')$$);
CREATE SCHEMA "Reg ""Attach"".x";
CREATE TABLE "Reg ""Attach"".x"."My ""Accounts""; DROP" ("The ""Key"", %s" int PRIMARY KEY, "Land" text, "select" int);
SELECT territory.attach('"Reg ""Attach"".x"."My ""Accounts""; DROP"');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), '"Reg ""Attach"".x"."My ""Accounts""; DROP"', $$"Land" = 'NL' AND "select" > 1$$);
INSERT INTO "Reg ""Attach"".x"."My ""Accounts""; DROP" VALUES (1, 'NL', 2), (2, 'NL', 1), (3, 'BE', 2);
UPDATE "Reg ""Attach"".x"."My ""Accounts""; DROP" SET "select" = 5, "The ""Key"", %s" = 20 WHERE "The ""Key"", %s" = 2;
TABLE "Reg ""Attach"".x"."My ""Accounts""; DROP_territory" ORDER BY 1 LIMIT 0;
SELECT "The ""Key"", %s" AS key, manual FROM "Reg ""Attach"".x"."My ""Accounts""; DROP_territory" ORDER BY 1;
SELECT object, key, path FROM territory.assignment ORDER BY key;
SELECT * FROM territory.verify('"Reg ""Attach"".x"."My ""Accounts""; DROP"');
SELECT * FROM territory.run('"Reg ""Attach"".x"."My ""Accounts""; DROP"', 'Attach.NL', $$"Land" = 'NL'$$);
SELECT path, criterion, value, result, decision FROM territory.explain('"Reg ""Attach"".x"."My ""Accounts""; DROP"', '20');
SELECT territory.detach('"Reg ""Attach"".x"."My ""Accounts""; DROP"');
DROP SCHEMA "Reg ""Attach"".x" CASCADE;
-- of 63 bytes: cut, at a character
SELECT format('CREATE TABLE reg_attach.%I (id int PRIMARY KEY)', repeat('é', 31)), format('CREATE TABLE reg_attach.%I (id int PRIMARY KEY)', repeat('é', 30) || 'ab') \gexec
SELECT attach::text = format('reg_attach.%I', repeat('é', 26) || '_territory') AS cut FROM territory.attach(format('reg_attach.%I', repeat('é', 31)));
SELECT reg_attach.err(format('SELECT territory.attach(%L)', 'reg_attach.' || repeat('é', 30) || 'ab')) LIKE '42P07: relation%HINT:%' AS two_names_cut_to_one;
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), format('reg_attach.%I', repeat('é', 31))::regclass, 'id > 1');
SELECT format('INSERT INTO reg_attach.%I VALUES (1), (2)', repeat('é', 31)) \gexec
SELECT key FROM territory.assignments(format('reg_attach.%I', repeat('é', 31)));
SELECT territory.detach(format('reg_attach.%I', repeat('é', 31)));

-- dropping what is attached
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), 'reg_attach.account', $$country = 'NL'$$);
SELECT reg_attach.err($$DROP TABLE reg_attach.account$$);
SELECT reg_attach.err($$DROP TABLE reg_attach.account CASCADE$$);
SELECT left(reg_attach.err($$DROP TABLE reg_attach.account_territory$$), 5), left(reg_attach.err($$DROP TABLE reg_attach.account_territory CASCADE$$), 5);
SELECT reg_attach.err($$DROP SCHEMA reg_attach CASCADE$$) ~ '^2BP01: cannot drop table reg_attach.account(_territory)?: it is attached' AS schema_refused;
-- the hint of a partner table names the table to detach
SELECT reg_attach.err($$DROP TABLE reg_attach.account_territory$$) LIKE '%territory.detach(''reg_attach.account'')%' AS hint;
-- other tables drop as they did
CREATE TABLE reg_attach.elsewhere (id int REFERENCES reg_attach.account);
DROP TABLE reg_attach.elsewhere, reg_attach.composite CASCADE;
-- nothing of the extension was lost
SELECT count(*) FROM pg_trigger WHERE tgrelid = 'reg_attach.account'::regclass AND tgname LIKE '00_territory_%';
SELECT id FROM reg_attach.account_territory;
SELECT key, path FROM territory.assignment;
-- the engine's own triggers and objects
SELECT left(reg_attach.err($$DROP FUNCTION territory.record_changed() CASCADE$$), 5) AS function_of_the_extension;
SELECT left(reg_attach.err($$DROP TABLE territory.rule CASCADE$$), 5) AS table_of_the_extension;
SELECT reg_attach.err($$INSERT INTO territory.object (object, key_column, assignment) VALUES ('reg_attach.parent', 'id', 'reg_attach.child')$$);
SELECT reg_attach.err($$DELETE FROM territory.object$$);
SELECT reg_attach.err($$UPDATE territory.object SET mode = 'sometimes'$$) LIKE '23514%' AS mode, reg_attach.err($$UPDATE territory.object SET kind = 'deal'$$) LIKE '23514%' AS kind;
SELECT left(reg_attach.err($$UPDATE territory.object SET key_column = 'code'$$), 5) <> 'no er' AS key_refused,
       left(reg_attach.err($$UPDATE territory.object SET object = 'reg_attach.parent'$$), 5) <> 'no er' AS object_refused,
       left(reg_attach.err($$UPDATE territory.object SET assignment = 'reg_attach.child'$$), 5) <> 'no er' AS assignment_refused;
SELECT reg_attach.err($$TRUNCATE territory.object$$);
SELECT reg_attach.err($$TRUNCATE territory.object CASCADE$$) LIKE '0A000%detach%' AS truncate_refused;
-- other objects than the owner's
CREATE ROLE reg_attach_owner;
CREATE ROLE reg_attach_other;
GRANT USAGE, CREATE ON SCHEMA reg_attach TO reg_attach_owner, reg_attach_other;
CREATE TABLE reg_attach.owned (id int PRIMARY KEY, country text);
ALTER TABLE reg_attach.owned OWNER TO reg_attach_owner;
GRANT ALL ON reg_attach.owned TO reg_attach_other;
SET ROLE reg_attach_other;
SELECT territory.attach('reg_attach.owned');
RESET ROLE;
SET ROLE reg_attach_owner;
SELECT territory.attach('reg_attach.owned');
RESET ROLE;
SELECT tableowner FROM pg_tables WHERE tablename = 'owned_territory';
SET ROLE reg_attach_other;
SELECT territory.detach('reg_attach.owned');
SELECT territory.run('reg_attach.owned');
SELECT territory.verify('reg_attach.owned');
DROP TABLE reg_attach.owned;
RESET ROLE;
-- DROP OWNED
SET ROLE reg_attach_owner;
DROP OWNED BY reg_attach_owner;
SELECT territory.detach('reg_attach.owned');
RESET ROLE;
-- a superuser may detach for others; the owner lost the right to create in the schema
REVOKE CREATE ON SCHEMA reg_attach FROM reg_attach_owner;
SET ROLE reg_attach_owner;
SELECT territory.attach('reg_attach.owned');
RESET ROLE;
GRANT CREATE ON SCHEMA reg_attach TO reg_attach_owner;
SELECT territory.attach('reg_attach.owned');
SELECT tableowner FROM pg_tables WHERE tablename = 'owned_territory';
SELECT territory.detach('reg_attach.owned');
-- another owner: the assignment table follows
SELECT territory.attach('reg_attach.owned');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('Attach.NL'), 'reg_attach.owned', $$country = 'NL'$$);
ALTER TABLE reg_attach.owned OWNER TO reg_attach_other;
SET ROLE reg_attach_other;
INSERT INTO reg_attach.owned VALUES (1, 'NL');
SELECT count(*) FROM reg_attach.owned_territory;
SELECT territory.detach('reg_attach.owned');
RESET ROLE;
SELECT territory.detach('reg_attach.account');
DELETE FROM territory.node WHERE path <@ 'Attach';
SELECT count(*) FROM territory.object;
DROP SCHEMA reg_attach CASCADE;
DROP ROLE reg_attach_owner, reg_attach_other;
