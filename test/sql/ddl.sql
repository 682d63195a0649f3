-- DDL on attached tables: rules follow renames, what would break one is refused
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_ddl;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_ddl.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE TABLE reg_ddl.account (id int PRIMARY KEY, country text, size int, since date, note text, unused int, tags text[]);
INSERT INTO reg_ddl.account (id, country, size, since) VALUES (1, 'NL', 10, '2026-01-01'), (2, 'NL', 900, '2026-02-01'), (3, 'BE', 900, '2026-03-01'), (4, NULL, NULL, NULL);
INSERT INTO territory.node (path) VALUES ('D'), ('D.NL'), ('D.NL.Big');
SELECT territory.attach('reg_ddl.account');
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('D'), 'reg_ddl.account', 'top', $$country IS NOT NULL AND account.size > 0$$), (territory.node_id('D.NL'), 'reg_ddl.account', 'nl', $$country = 'NL'$$), (territory.node_id('D.NL.Big'), 'reg_ddl.account', NULL, $$size >= 500 -- big ones$$);
INSERT INTO territory.rule (node_id, object, name, criteria, active) VALUES (territory.node_id('D.NL'), 'reg_ddl.account', 'sleeping', $$since > '2026-01-15' OR 'x' = ANY (tags)$$, false);
CREATE FUNCTION reg_ddl.now() RETURNS TABLE (id int, nodes text) LANGUAGE sql AS $$ SELECT a.key::int, string_agg(n.path::text, ', ' ORDER BY n.path) FROM territory.assignments((SELECT object FROM territory.object WHERE key_column = 'id' ORDER BY object::oid LIMIT 1)) a JOIN territory.node n ON n.id = a.node_id GROUP BY 1 ORDER BY 1 $$;
CREATE FUNCTION reg_ddl.rules() RETURNS TABLE (name text, criteria text, expression text, active bool) LANGUAGE sql AS 'SELECT name, criteria, expression, active FROM territory.rule ORDER BY id';
SELECT * FROM reg_ddl.now();
-- a rename: rules follow; those that do not read the column stay as they were written
ALTER TABLE reg_ddl.account RENAME COLUMN size TO "Head Count";
SELECT name, criteria, expression, active FROM reg_ddl.rules();
INSERT INTO reg_ddl.account (id, country, "Head Count") VALUES (5, 'NL', 600);
UPDATE reg_ddl.account SET "Head Count" = 600 WHERE id = 1;
SELECT * FROM reg_ddl.now();
SELECT * FROM territory.verify('reg_ddl.account');
-- a session's settings have no say in that
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('D.NL'), 'reg_ddl.account', 'dated', $$since > '2026-02-01' AND note <> '3'$$);
BEGIN;
SET LOCAL DateStyle = 'SQL, DMY';
ALTER TABLE reg_ddl.account RENAME note TO remark;
ALTER TABLE reg_ddl.account RENAME remark TO note;
COMMIT;
SELECT expression FROM territory.rule WHERE name = 'dated';
DELETE FROM territory.rule WHERE name = 'dated';
-- an inactive rule follows too
ALTER TABLE reg_ddl.account RENAME since TO "select";
UPDATE territory.rule SET active = true WHERE name = 'sleeping';
SELECT expression FROM territory.rule WHERE name = 'sleeping';
UPDATE territory.rule SET active = false WHERE name = 'sleeping';
-- two columns trade their names
BEGIN;
ALTER TABLE reg_ddl.account RENAME country TO x;
ALTER TABLE reg_ddl.account RENAME note TO country;
ALTER TABLE reg_ddl.account RENAME x TO note;
SELECT name, criteria, expression, active FROM reg_ddl.rules();
UPDATE reg_ddl.account SET note = 'BE', country = 'NL' WHERE id = 2;
SELECT * FROM reg_ddl.now();
SELECT * FROM territory.verify('reg_ddl.account');
ROLLBACK;
SELECT name, criteria, expression, active FROM reg_ddl.rules();
SELECT * FROM reg_ddl.now();
-- by a view's rename nothing happens
CREATE VIEW reg_ddl.v AS SELECT id, country FROM reg_ddl.account;
ALTER VIEW reg_ddl.v RENAME COLUMN country TO land;
SELECT reg_ddl.err('ALTER TABLE reg_ddl.v RENAME COLUMN land TO country');
DROP VIEW reg_ddl.v;
-- dropping: refused where a rule reads it, active or not, naming the rule
CREATE FUNCTION reg_ddl.rule_named(statement text) RETURNS TABLE (code text, names_the_rule bool, hint text) LANGUAGE plpgsql AS $$
DECLARE
  c text; m text;
BEGIN
  EXECUTE statement;
  RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS c = PG_EXCEPTION_CONTEXT, hint = PG_EXCEPTION_HINT, m = MESSAGE_TEXT, code = RETURNED_SQLSTATE;
  names_the_rule := concat(m, c) ~ '(rule \d+|\d+ \(\w+\)).* of territory "D';
  RETURN NEXT;
END $$;
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN country');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN country CASCADE');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN unused, DROP COLUMN "select"');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN tags');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN id');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN note');
ALTER TABLE reg_ddl.account DROP COLUMN unused, ADD COLUMN unused2 text DEFAULT 'u';
SELECT * FROM reg_ddl.now();
UPDATE reg_ddl.account SET country = 'NL' WHERE id = 3;
SELECT * FROM reg_ddl.now();
SELECT * FROM territory.verify('reg_ddl.account');
-- a column dropped and made anew in one statement is another one
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account DROP COLUMN country, ADD COLUMN country int');
-- types: what still means something is evaluated anew, what does not is refused
ALTER TABLE reg_ddl.account ALTER "Head Count" TYPE bigint;
SELECT name, expression FROM territory.rule WHERE name IS NULL;
INSERT INTO reg_ddl.account (id, country, "Head Count") VALUES (6, 'NL', 5000000000);
SELECT * FROM reg_ddl.now();
ALTER TABLE reg_ddl.account ALTER "Head Count" TYPE numeric USING "Head Count" / 10.0;
SELECT * FROM reg_ddl.now();
SELECT * FROM territory.verify('reg_ddl.account');
ALTER TABLE reg_ddl.account ALTER country TYPE varchar(10);
SELECT * FROM territory.verify('reg_ddl.account');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account ALTER "Head Count" TYPE text');
SELECT * FROM reg_ddl.rule_named('ALTER TABLE reg_ddl.account ALTER country TYPE int USING 1');
ALTER TABLE reg_ddl.account ALTER country TYPE text USING 'NL';
SELECT * FROM reg_ddl.now();
SELECT * FROM territory.verify('reg_ddl.account');
UPDATE reg_ddl.account SET country = CASE WHEN id < 4 THEN 'NL' ELSE 'BE' END;
-- safe: a command is refused, or all goes on working after it
CREATE FUNCTION reg_ddl.safe(statement text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  BEGIN
    EXECUTE statement;
  EXCEPTION WHEN OTHERS THEN
    RETURN 'safe';
  END;
  BEGIN
    ALTER TABLE reg_ddl.account ADD COLUMN safe int;
    INSERT INTO reg_ddl.account (id, country, "Head Count", safe) VALUES (1000, 'NL', 5, 1);
    PERFORM territory.verify('reg_ddl.account');
    UPDATE territory.rule SET name = name, active = true;
    DELETE FROM territory.rule;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
  EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION '%', CASE sqlstate WHEN 'ZZ000' THEN 'safe' ELSE 'after it: ' || sqlerrm END USING ERRCODE = 'ZZ001';
  END;
EXCEPTION WHEN SQLSTATE 'ZZ001' THEN
  RETURN sqlerrm;
END $$;
-- an enum's new value; a renamed one
CREATE TYPE reg_ddl.tier AS ENUM ('bronze', 'gold');
ALTER TABLE reg_ddl.account ADD COLUMN tier reg_ddl.tier;
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('D.NL'), 'reg_ddl.account', 'tier', $$tier = 'gold'$$);
ALTER TYPE reg_ddl.tier ADD VALUE 'silver' BEFORE 'gold';
UPDATE reg_ddl.account SET tier = 'silver' WHERE id = 4;
UPDATE reg_ddl.account SET tier = 'gold' WHERE id = 5;
SELECT * FROM reg_ddl.now();
SELECT reg_ddl.safe($$ALTER TYPE reg_ddl.tier RENAME VALUE 'gold' TO 'platinum'$$) AS rename_value, reg_ddl.safe('ALTER TYPE reg_ddl.tier RENAME TO level') AS rename_type, reg_ddl.safe('DROP TYPE reg_ddl.tier CASCADE') AS drop_type;
DELETE FROM territory.rule WHERE name = 'tier';
-- a function that criteria use
CREATE FUNCTION reg_ddl.f(text) RETURNS bool LANGUAGE sql IMMUTABLE AS $$SELECT $1 = 'BE'$$;
CREATE SCHEMA reg_ddl3;
CREATE FUNCTION reg_ddl3.f(text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('D.NL'), 'reg_ddl.account', 'f', 'reg_ddl.f(country) AND reg_ddl3.f(country)');
SELECT * FROM reg_ddl.now();
SELECT s AS statement, reg_ddl.safe(s) FROM unnest(ARRAY['DROP FUNCTION reg_ddl.f(text)', 'ALTER FUNCTION reg_ddl.f(text) RENAME TO g', 'ALTER FUNCTION reg_ddl.f(text) SET SCHEMA public', 'DROP FUNCTION reg_ddl.f(text) CASCADE', 'ALTER SCHEMA reg_ddl3 RENAME TO reg_ddl_other']) s;
DELETE FROM territory.rule WHERE name = 'f';
DROP SCHEMA reg_ddl3 CASCADE;
-- the key column
SELECT reg_ddl.err('ALTER TABLE reg_ddl.account RENAME COLUMN id TO key');
SELECT reg_ddl.err('ALTER TABLE reg_ddl.account ALTER id TYPE bigint');
SELECT reg_ddl.err('ALTER TABLE reg_ddl.account ALTER id TYPE text');
SELECT left(reg_ddl.err('ALTER TABLE reg_ddl.account DROP COLUMN id CASCADE'), 5) <> 'no er' AS refused;
SELECT left(reg_ddl.err('ALTER TABLE reg_ddl.account_territory RENAME COLUMN id TO key'), 5) <> 'no er' AS rename_refused,
       left(reg_ddl.err('ALTER TABLE reg_ddl.account_territory DROP COLUMN id'), 5) <> 'no er' AS drop_refused,
       left(reg_ddl.err('ALTER TABLE reg_ddl.account_territory ALTER node_id TYPE bigint'), 5) <> 'no er' AS type_refused,
       left(reg_ddl.err('ALTER TABLE reg_ddl.account_territory DROP CONSTRAINT account_territory_pkey'), 5) <> 'no er' AS pkey_refused;
ALTER TABLE reg_ddl.account_territory ADD COLUMN extra text DEFAULT 'e';
INSERT INTO reg_ddl.account (id, country, "Head Count") VALUES (7, 'NL', 5);
SELECT extra FROM reg_ddl.account_territory WHERE id = 7;
-- renames of the tables, and to another schema
ALTER TABLE reg_ddl.account RENAME TO "My Accounts";
SELECT object, assignment FROM territory.object;
INSERT INTO reg_ddl."My Accounts" (id, country, "Head Count") VALUES (8, 'NL', 5);
UPDATE territory.rule SET criteria = $$"My Accounts".country = 'NL' AND country <> 'DE'$$ WHERE name = 'nl';
SELECT * FROM reg_ddl.now();
SELECT * FROM territory.verify('reg_ddl."My Accounts"');
CREATE SCHEMA reg_ddl2;
ALTER TABLE reg_ddl."My Accounts" SET SCHEMA reg_ddl2;
ALTER TABLE reg_ddl.account_territory RENAME TO "pairs ""x""";
ALTER SCHEMA reg_ddl2 RENAME TO "reg_ddl ""two""";
INSERT INTO "reg_ddl ""two"""."My Accounts" (id, country, "Head Count") VALUES (9, 'NL', 500);
UPDATE "reg_ddl ""two"""."My Accounts" SET id = 19 WHERE id = 9;
SELECT object, assignment FROM territory.object;
SELECT * FROM reg_ddl.now() WHERE id > 7;
SELECT * FROM territory.verify('"reg_ddl ""two"""."My Accounts"');
SELECT added, removed FROM territory.run('"reg_ddl ""two"""."My Accounts"');
SELECT DISTINCT decision FROM territory.explain('"reg_ddl ""two"""."My Accounts"', '19');
SELECT reg_ddl.err('DROP SCHEMA "reg_ddl ""two""" CASCADE') ~ '^2BP01: cannot drop table' AS refused;
ALTER TABLE "reg_ddl ""two"""."My Accounts" RENAME TO account;
ALTER TABLE "reg_ddl ""two""".account SET SCHEMA reg_ddl;
-- what has nothing to do with the engine
ALTER TABLE reg_ddl.account ADD CHECK (id > 0), ALTER note SET DEFAULT 'n', ALTER country SET NOT NULL;
CREATE INDEX ON reg_ddl.account (country);
COMMENT ON TABLE reg_ddl.account IS 'accounts';
ALTER TABLE reg_ddl.account ALTER country SET STATISTICS 50, SET (fillfactor = 90);
ALTER TABLE reg_ddl.account SET UNLOGGED;
ALTER TABLE reg_ddl.account SET LOGGED;
CREATE TABLE reg_ddl.elsewhere (id int, country text);
ALTER TABLE reg_ddl.elsewhere RENAME COLUMN country TO land;
ALTER TABLE reg_ddl.elsewhere DROP COLUMN land;
DROP TABLE reg_ddl.elsewhere;
CREATE TABLE reg_ddl.as_select AS SELECT * FROM reg_ddl.account;
SELECT * INTO reg_ddl.into_select FROM reg_ddl.account;
CREATE TABLE reg_ddl.copy (LIKE reg_ddl.account INCLUDING ALL);
INSERT INTO reg_ddl.copy SELECT * FROM reg_ddl.account;
SELECT * FROM territory.verify('reg_ddl.account');
-- DDL in a function, several commands, undone
DO $$
BEGIN
  ALTER TABLE reg_ddl.account RENAME country TO land;
  INSERT INTO reg_ddl.account (id, land, "Head Count") VALUES (30, 'NL', 5);
  ALTER TABLE reg_ddl.account RENAME land TO country;
  INSERT INTO reg_ddl.account (id, country, "Head Count") VALUES (31, 'NL', 5);
  BEGIN
    ALTER TABLE reg_ddl.account DROP COLUMN country;
  EXCEPTION WHEN OTHERS THEN
    INSERT INTO reg_ddl.account (id, country, "Head Count") VALUES (32, 'NL', 5);
  END;
END $$;
SELECT * FROM reg_ddl.now() WHERE id >= 30;
SELECT * FROM territory.verify('reg_ddl.account');
-- generated columns follow their base
ALTER TABLE reg_ddl.account ADD COLUMN big bool GENERATED ALWAYS AS ("Head Count" >= 50) STORED;
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('D.NL'), 'reg_ddl.account', 'generated', 'big');
UPDATE reg_ddl.account SET "Head Count" = 50 WHERE id = 30;
SELECT * FROM territory.verify('reg_ddl.account');
ALTER TABLE reg_ddl.account ALTER big DROP EXPRESSION;
UPDATE reg_ddl.account SET "Head Count" = 5, big = false WHERE id = 30;
SELECT * FROM territory.verify('reg_ddl.account');
SELECT territory.detach('reg_ddl.account');
DROP SCHEMA "reg_ddl ""two""";
DELETE FROM territory.node WHERE path <@ 'D';
DROP SCHEMA reg_ddl CASCADE;
