-- keys of every type
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_keys;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_keys.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
INSERT INTO territory.node (path) VALUES ('K'), ('K.NL');
CREATE DOMAIN reg_keys.code AS text CHECK (VALUE <> '');
CREATE DOMAIN reg_keys.code2 AS reg_keys.code;
CREATE COLLATION reg_keys.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE reg_keys.k_smallint (k smallint PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_integer (k integer PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_bigint (k bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_uuid (k uuid PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_text (k text PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_varchar (k varchar(40) PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_c (k text COLLATE "C" PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_domain (k reg_keys.code2 PRIMARY KEY, country text);
CREATE TABLE reg_keys.k_last (country text, x int, gone int, y int, k integer PRIMARY KEY);
ALTER TABLE reg_keys.k_last DROP COLUMN gone;
-- each: insert, update, rekey, exclude, delete, verify, run, explain, assignments
CREATE FUNCTION reg_keys.test(t regclass, a text, b text, c text) RETURNS TABLE (step text, keys text) LANGUAGE plpgsql AS $$
DECLARE
  always text := CASE WHEN t = 'reg_keys.k_bigint'::regclass THEN 'OVERRIDING SYSTEM VALUE' ELSE '' END;
BEGIN
  PERFORM territory.attach(t);
  SELECT format_type(atttypid, atttypmod) || coalesce(' ' || (SELECT quote_ident(collname) FROM pg_collation WHERE oid = attcollation AND collname <> 'default'), '') INTO keys FROM pg_attribute WHERE attrelid = (t || '_territory')::regclass AND attname = 'k';
  step := 'type'; RETURN NEXT;
  INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('K.NL'), t, $q$country = 'NL'$q$);
  EXECUTE format('INSERT INTO %s (k, country) %s VALUES (%L, ''NL''), (%L, ''BE''), (%L, ''NL'')', t, always, a, b, c);
  SELECT string_agg(key, ',' ORDER BY key COLLATE "C") INTO keys FROM territory.assignments(t);
  step := 'insert'; RETURN NEXT;
  EXECUTE format('UPDATE %s SET country = CASE country WHEN ''NL'' THEN ''BE'' ELSE ''NL'' END', t);
  SELECT string_agg(key, ',' ORDER BY key COLLATE "C") INTO keys FROM territory.assignments(t);
  step := 'update'; RETURN NEXT;
  IF always = '' THEN
    EXECUTE format('DELETE FROM %s WHERE k = %L', t, a);
    EXECUTE format('UPDATE %s SET k = %L WHERE k = %L', t, a, b);
    EXECUTE format('INSERT INTO %s (k, country) VALUES (%L, ''NL'')', t, b);
    SELECT string_agg(key, ',' ORDER BY key COLLATE "C") INTO keys FROM territory.assignments(t);
    step := 'rekey'; RETURN NEXT;
  END IF;
  INSERT INTO territory.exclusion (object, key) VALUES (t, b);
  SELECT string_agg(key, ',' ORDER BY key COLLATE "C") INTO keys FROM territory.assignments(t);
  step := 'exclude ' || (SELECT key FROM territory.exclusion WHERE object = t); RETURN NEXT;
  SELECT string_agg(DISTINCT decision, ',') INTO keys FROM territory.explain(t, b);
  step := 'explain'; RETURN NEXT;
  SELECT count(*)::text INTO keys FROM territory.verify(t);
  step := 'verify'; RETURN NEXT;
  SELECT r::text INTO keys FROM territory.run(t, "only" => format('k <> %L', c)) r;
  step := 'run'; RETURN NEXT;
  EXECUTE format('DELETE FROM %s', t);
  SELECT count(*)::text INTO keys FROM territory.assignments(t);
  step := 'delete'; RETURN NEXT;
  PERFORM territory.detach(t);
END $$;
SELECT * FROM reg_keys.test('reg_keys.k_smallint', '-32768', '0', '32767');
SELECT * FROM reg_keys.test('reg_keys.k_integer', '-2147483648', '0', '2147483647');
SELECT * FROM reg_keys.test('reg_keys.k_bigint', '-9223372036854775808', '0', '9223372036854775807');
SELECT * FROM reg_keys.test('reg_keys.k_uuid', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', '00000000000000000000000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff');
SELECT * FROM reg_keys.test('reg_keys.k_text', 'a', 'B''"\ ,{}', 'Ünïcode');
SELECT * FROM reg_keys.test('reg_keys.k_text', '', ' ', 'NULL');
SELECT * FROM reg_keys.test('reg_keys.k_varchar', 'a', 'b ', 'b');
SELECT * FROM reg_keys.test('reg_keys.k_c', 'a', 'B', 'c');
SELECT * FROM reg_keys.test('reg_keys.k_domain', 'a', 'B', 'c');
SELECT * FROM reg_keys.test('reg_keys.k_last', '1', '2', '3');
-- long keys
SELECT territory.attach('reg_keys.k_text');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('K.NL'), 'reg_keys.k_text', $$country = 'NL'$$);
INSERT INTO reg_keys.k_text SELECT repeat(md5(i::text), 60), 'NL' FROM generate_series(1, 20) i;
UPDATE reg_keys.k_text SET k = repeat(md5(k), 50) WHERE k > '8';
SELECT count(*), min(length(k)), max(length(k)) FROM reg_keys.k_text_territory;
SELECT count(*) FROM territory.verify('reg_keys.k_text');
DELETE FROM reg_keys.k_text;
SELECT count(*) FROM reg_keys.k_text_territory;
SELECT territory.detach('reg_keys.k_text');
-- a collation that calls different keys equal
CREATE TABLE reg_keys.k_nocase (k text COLLATE reg_keys.nocase PRIMARY KEY, country text);
SELECT reg_keys.err($$SELECT territory.attach('reg_keys.k_nocase')$$);
-- the key that was named is not the primary key; it may be in the criteria
CREATE TABLE reg_keys.two (id int PRIMARY KEY, code text NOT NULL, country text);
ALTER TABLE reg_keys.two ADD UNIQUE (code);
SELECT territory.attach('reg_keys.two', key => 'code');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('K.NL'), 'reg_keys.two', $$code LIKE 'x%' AND country = 'NL'$$);
INSERT INTO reg_keys.two VALUES (1, 'x1', 'NL'), (2, 'y1', 'NL');
UPDATE reg_keys.two SET id = id + 10;
UPDATE reg_keys.two SET code = CASE code WHEN 'x1' THEN 'y2' ELSE 'x2' END;
SELECT key FROM territory.assignments('reg_keys.two');
SELECT count(*) FROM territory.verify('reg_keys.two');
SELECT territory.detach('reg_keys.two');
DELETE FROM territory.node WHERE path <@ 'K';
DROP SCHEMA reg_keys CASCADE;
