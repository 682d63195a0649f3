-- assignments follow every kind of write, whatever else hangs on the table
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_assign;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_assign.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
-- verify's columns, without ids; empty is right
CREATE FUNCTION reg_assign.wrong(object regclass) RETURNS TABLE (key text, node territory, stored bool, computed bool) LANGUAGE sql AS
  'SELECT v.key, n.path, v.stored, v.computed FROM territory.verify(object) v LEFT JOIN territory.node n ON n.id = v.node_id';
-- oracle: the same by plain SQL, for these three nodes
CREATE TABLE reg_assign.account (id int PRIMARY KEY, country text, employees int, note text, doubled int GENERATED ALWAYS AS (employees * 2) STORED);
INSERT INTO territory.node (path) VALUES ('Assign'), ('Assign.NL'), ('Assign.NL.big');
SELECT territory.attach('reg_assign.account');
INSERT INTO territory.rule (node_id, object, criteria) VALUES
  (territory.node_id('Assign'), 'reg_assign.account', $$country IS NOT NULL$$), (territory.node_id('Assign.NL'), 'reg_assign.account', $$country = 'NL'$$), (territory.node_id('Assign.NL.big'), 'reg_assign.account', $$doubled >= 1000$$);
CREATE VIEW reg_assign.pairs AS SELECT a.id, n.path, a.manual, a.rule_id = (SELECT min(r.id) FROM territory.rule r WHERE r.node_id = n.id) AS rule FROM reg_assign.account_territory a JOIN territory.node n ON n.id = a.node_id ORDER BY 1, 2;
CREATE FUNCTION reg_assign.different() RETURNS TABLE (id int, path territory) LANGUAGE sql AS $$
  WITH should AS (SELECT a.id, CASE WHEN a.country = 'NL' AND a.employees >= 500 THEN 'Assign.NL.big' WHEN a.country = 'NL' THEN 'Assign.NL' WHEN a.country IS NOT NULL THEN 'Assign' END::territory AS path FROM reg_assign.account a)
  SELECT coalesce(s.id, p.id), coalesce(s.path, p.path) FROM (SELECT * FROM should WHERE path IS NOT NULL) s FULL JOIN reg_assign.pairs p ON p.id = s.id AND p.path = s.path WHERE s.id IS NULL OR p.id IS NULL $$;
-- INSERT
INSERT INTO reg_assign.account VALUES (1, 'NL', 10), (2, 'NL', 900), (3, 'BE', 900), (4, NULL, 900), (5, 'NL', NULL);
TABLE reg_assign.pairs;
INSERT INTO reg_assign.account SELECT i, (ARRAY['NL', 'BE', NULL])[1 + i % 3], i * 10 FROM generate_series(10, 99) i;
SELECT * FROM reg_assign.different();
-- more rows than a batch holds
INSERT INTO reg_assign.account SELECT i, (ARRAY['NL', 'BE', NULL])[1 + i % 3], i % 1000 FROM generate_series(1000, 6000) i;
SELECT count(*) FROM reg_assign.account_territory;
SELECT * FROM reg_assign.different();
UPDATE reg_assign.account SET employees = 999 - employees WHERE id >= 1000;
SELECT * FROM reg_assign.different();
UPDATE reg_assign.account SET id = id + 10000, country = 'NL' WHERE id >= 1000;
SELECT * FROM reg_assign.different();
DELETE FROM reg_assign.account WHERE id >= 1000;
SELECT count(*) FROM reg_assign.account_territory WHERE id >= 1000;
-- no rows
INSERT INTO reg_assign.account SELECT 1, country FROM reg_assign.account WHERE false;
UPDATE reg_assign.account SET country = 'NL' WHERE false;
DELETE FROM reg_assign.account WHERE false;
-- UPDATE: of a rule's column, of a generated one's base, of another, of the key
UPDATE reg_assign.account SET country = 'BE' WHERE id = 1 RETURNING country;
UPDATE reg_assign.account SET employees = 501 WHERE id = 5;
UPDATE reg_assign.account SET note = 'x' WHERE id = 2;
UPDATE reg_assign.account SET id = 7 WHERE id = 3;
SELECT * FROM reg_assign.pairs WHERE id < 10;
-- what has not changed keeps its "since"
CREATE TEMP TABLE since AS SELECT id, node_id, since, ctid AS at FROM reg_assign.account_territory WHERE id < 10;
UPDATE reg_assign.account SET note = note || 'y', employees = employees + 1;
SELECT count(*) FROM since s JOIN reg_assign.account_territory a ON a.id = s.id AND a.node_id = s.node_id AND a.since = s.since AND a.ctid = s.at;
SELECT count(*) FROM since;
-- keys that trade places, or move up one another
UPDATE reg_assign.account SET id = -id;
SELECT * FROM reg_assign.different();
UPDATE reg_assign.account SET id = -id;
SELECT * FROM reg_assign.different();
ALTER TABLE reg_assign.account DROP CONSTRAINT account_pkey, ADD PRIMARY KEY (id) DEFERRABLE;
UPDATE reg_assign.account SET id = id + 1 WHERE id >= 10;
SELECT * FROM reg_assign.different();
UPDATE reg_assign.account SET id = CASE id WHEN 1 THEN 2 ELSE 1 END WHERE id IN (1, 2);
SELECT * FROM reg_assign.different();
ALTER TABLE reg_assign.account DROP CONSTRAINT account_pkey, ADD PRIMARY KEY (id);
-- ON CONFLICT
INSERT INTO reg_assign.account VALUES (1, 'DE', 5), (200, 'NL', 600) ON CONFLICT (id) DO UPDATE SET country = EXCLUDED.country, employees = EXCLUDED.employees;
INSERT INTO reg_assign.account VALUES (1, 'NL', 600), (201, 'NL', 600) ON CONFLICT DO NOTHING;
SELECT * FROM reg_assign.pairs WHERE id IN (1, 200, 201);
-- MERGE
MERGE INTO reg_assign.account a USING (VALUES (1, 'NL'), (200, NULL), (201, 'BE'), (202, 'NL')) v(id, country) ON v.id = a.id
  WHEN MATCHED AND v.country IS NULL THEN DELETE WHEN MATCHED THEN UPDATE SET country = v.country WHEN NOT MATCHED THEN INSERT (id, country, employees) VALUES (v.id, v.country, 700);
SELECT * FROM reg_assign.pairs WHERE id IN (1, 200, 201, 202);
-- COPY
COPY reg_assign.account (id, country, employees) FROM stdin;
300	NL	1
301	NL	1000
302	\N	1
303	BE	\N
\.
SELECT * FROM reg_assign.pairs WHERE id BETWEEN 300 AND 310;
SELECT * FROM reg_assign.different();
-- several in one statement
WITH gone AS (DELETE FROM reg_assign.account WHERE id = 300 RETURNING *), more AS (INSERT INTO reg_assign.account (id, country, employees) SELECT 310, country, 800 FROM gone RETURNING id),
     other AS (UPDATE reg_assign.account SET country = 'NL' WHERE id = 303 RETURNING id)
UPDATE reg_assign.account SET country = NULL WHERE id = 301;
SELECT * FROM reg_assign.pairs WHERE id BETWEEN 300 AND 310;
-- a function that writes while a query reads
CREATE FUNCTION reg_assign.touch(int) RETURNS int LANGUAGE sql AS 'UPDATE reg_assign.account SET employees = 1 WHERE id = $1 RETURNING (SELECT count(*)::int FROM reg_assign.account_territory WHERE id = $1)';
SELECT reg_assign.touch(id) FROM (VALUES (310), (303)) v(id);
SELECT * FROM reg_assign.pairs WHERE id BETWEEN 300 AND 310;
-- transactions
BEGIN;
INSERT INTO reg_assign.account VALUES (400, 'NL', 1);
SAVEPOINT a;
UPDATE reg_assign.account SET employees = 1000 WHERE id = 400;
SAVEPOINT b;
DELETE FROM reg_assign.account WHERE id = 400;
SELECT * FROM reg_assign.pairs WHERE id >= 400;
ROLLBACK TO b;
SELECT * FROM reg_assign.pairs WHERE id >= 400;
ROLLBACK TO a;
SELECT * FROM reg_assign.pairs WHERE id >= 400;
INSERT INTO reg_assign.account VALUES (400, 'NL', 1);
ROLLBACK TO a;
DO $$
BEGIN
  INSERT INTO reg_assign.account VALUES (401, 'NL', 1);
  BEGIN
    INSERT INTO reg_assign.account VALUES (402, 'NL', 1);
    INSERT INTO reg_assign.account VALUES (401, 'NL', 1);
  EXCEPTION WHEN unique_violation THEN
    INSERT INTO reg_assign.account VALUES (403, 'NL', 1);
  END;
END $$;
SELECT * FROM reg_assign.pairs WHERE id >= 400;
COMMIT;
SELECT * FROM reg_assign.pairs WHERE id >= 400;
SELECT * FROM reg_assign.different();
-- a rule changes in the same transaction, before and after, and is rolled back
BEGIN;
UPDATE territory.rule SET criteria = $$country = 'DE'$$ WHERE node_id = territory.node_id('Assign.NL');
INSERT INTO reg_assign.account VALUES (410, 'DE', 1), (411, 'NL', 1);
SELECT * FROM reg_assign.pairs WHERE id >= 410;
SAVEPOINT s;
UPDATE territory.rule SET criteria = $$country = 'FR'$$ WHERE node_id = territory.node_id('Assign.NL');
INSERT INTO reg_assign.account VALUES (412, 'FR', 1);
SELECT * FROM reg_assign.pairs WHERE id >= 410;
ROLLBACK TO s;
INSERT INTO reg_assign.account VALUES (413, 'DE', 1);
SELECT * FROM reg_assign.pairs WHERE id >= 410;
ROLLBACK;
INSERT INTO reg_assign.account VALUES (413, 'DE', 1), (414, 'NL', 1);
SELECT * FROM reg_assign.pairs WHERE id >= 410;
SELECT * FROM reg_assign.different();
-- prepared, in a cursor's loop, by a view, by a rule of the rewriter
PREPARE ins(int, text) AS INSERT INTO reg_assign.account (id, country) VALUES ($1, $2);
EXECUTE ins(420, 'NL');
EXECUTE ins(421, NULL);
CREATE VIEW reg_assign.updatable AS SELECT * FROM reg_assign.account WHERE id >= 420 WITH CHECK OPTION;
INSERT INTO reg_assign.updatable (id, country, employees) VALUES (422, 'NL', 900);
UPDATE reg_assign.updatable SET country = 'NL' WHERE id = 421;
DO $$
DECLARE
  c CURSOR FOR SELECT * FROM reg_assign.account WHERE id >= 420 FOR UPDATE;
BEGIN
  FOR r IN c LOOP UPDATE reg_assign.account SET employees = 600 WHERE CURRENT OF c; END LOOP;
END $$;
SELECT * FROM reg_assign.pairs WHERE id >= 420;
-- foreign keys: the account as a child
CREATE TABLE reg_assign.company (code text PRIMARY KEY);
INSERT INTO reg_assign.company VALUES ('NL'), ('BE'), ('DE');
ALTER TABLE reg_assign.account ADD FOREIGN KEY (country) REFERENCES reg_assign.company ON UPDATE CASCADE ON DELETE SET NULL;
UPDATE reg_assign.company SET code = CASE code WHEN 'NL' THEN 'XX' ELSE code END;
SELECT count(*) FROM reg_assign.pairs WHERE path <@ 'Assign.NL';
SELECT * FROM reg_assign.different();
UPDATE reg_assign.company SET code = 'NL' WHERE code = 'XX';
SELECT count(*) > 0 FROM reg_assign.pairs WHERE path <@ 'Assign.NL';
DELETE FROM reg_assign.company WHERE code IN ('BE', 'DE');
SELECT * FROM reg_assign.different();
ALTER TABLE reg_assign.account DROP CONSTRAINT account_country_fkey, ADD FOREIGN KEY (country) REFERENCES reg_assign.company ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED;
BEGIN;
INSERT INTO reg_assign.account VALUES (500, 'FR', 1);
INSERT INTO reg_assign.company VALUES ('FR'), ('IT');
COMMIT;
INSERT INTO reg_assign.account VALUES (501, 'IT', 1), (502, 'FR', 3);
DELETE FROM reg_assign.company WHERE code IN ('FR', 'IT');
SELECT count(*) FROM reg_assign.pairs WHERE id BETWEEN 500 AND 502;
SELECT * FROM reg_assign.different();
ALTER TABLE reg_assign.account DROP CONSTRAINT account_country_fkey;

-- triggers of users, named to fire before ours and after
CREATE FUNCTION reg_assign.before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.note = 'to NL' THEN new.country := 'NL'; END IF;
  IF new.note = 'skip' THEN RETURN NULL; END IF;
  RETURN new;
END $$;
CREATE TRIGGER aaa_before BEFORE INSERT OR UPDATE ON reg_assign.account FOR EACH ROW EXECUTE FUNCTION reg_assign.before_row();
CREATE TRIGGER zzz_before BEFORE INSERT OR UPDATE ON reg_assign.account FOR EACH ROW EXECUTE FUNCTION reg_assign.before_row();
INSERT INTO reg_assign.account VALUES (600, 'BE', 1, 'to NL'), (601, 'NL', 1, 'skip'), (602, 'BE', 900, '');
UPDATE reg_assign.account SET note = 'to NL' WHERE id = 602;
UPDATE reg_assign.account SET country = 'DE', note = 'skip' WHERE id = 600;
SELECT * FROM reg_assign.pairs WHERE id >= 600;
CREATE FUNCTION reg_assign.after_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.note LIKE TG_NAME || ' delete%' THEN DELETE FROM reg_assign.account WHERE id = new.id; END IF;
  IF new.note LIKE TG_NAME || ' update%' THEN UPDATE reg_assign.account SET country = 'NL', note = '' WHERE id = new.id; END IF;
  IF new.note LIKE TG_NAME || ' rekey%' THEN UPDATE reg_assign.account SET id = new.id + 1000, note = '' WHERE id = new.id; END IF;
  IF new.note LIKE TG_NAME || ' insert%' THEN INSERT INTO reg_assign.account VALUES (new.id + 1000, 'NL', 900, ''); END IF;
  IF new.note LIKE TG_NAME || ' replace%' THEN
    DELETE FROM reg_assign.account WHERE id = new.id;
    INSERT INTO reg_assign.account VALUES (new.id, 'NL', 900, '');
  END IF;
  IF new.note LIKE TG_NAME || ' error%' THEN
    BEGIN
      UPDATE reg_assign.account SET country = 'NL', employees = 1 / 0 WHERE id = new.id;
    EXCEPTION WHEN division_by_zero THEN
      UPDATE reg_assign.account SET country = 'NL', note = '' WHERE id = new.id;
    END;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER "00_aaa" AFTER INSERT OR UPDATE ON reg_assign.account FOR EACH ROW EXECUTE FUNCTION reg_assign.after_row();
CREATE TRIGGER zzz AFTER INSERT OR UPDATE ON reg_assign.account FOR EACH ROW EXECUTE FUNCTION reg_assign.after_row();
INSERT INTO reg_assign.account SELECT 700 + row_number() OVER (), 'BE', 1, t || ' ' || w FROM unnest('{00_aaa,zzz}'::text[]) t, unnest('{delete,update,rekey,insert,replace,error}'::text[]) w;
SELECT * FROM reg_assign.pairs WHERE id >= 700;
SELECT * FROM reg_assign.different();
INSERT INTO reg_assign.account SELECT 800 + row_number() OVER (), NULL, 1, '' FROM generate_series(1, 12);
UPDATE reg_assign.account a SET country = 'BE', note = v.note FROM (SELECT 800 + row_number() OVER () AS id, t || ' ' || w AS note FROM unnest('{00_aaa,zzz}'::text[]) t, unnest('{delete,update,rekey,insert,replace,error}'::text[]) w) v WHERE v.id = a.id;
SELECT * FROM reg_assign.pairs WHERE id >= 800 AND id < 1000 OR id >= 1800;
SELECT * FROM reg_assign.different();
-- a statement trigger that writes, and a constraint trigger at commit
CREATE FUNCTION reg_assign.statement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN UPDATE reg_assign.account SET country = 'NL', note = '' WHERE note = 'statement'; RETURN NULL; END $$;
CREATE TRIGGER aaa_statement AFTER INSERT ON reg_assign.account FOR EACH STATEMENT EXECUTE FUNCTION reg_assign.statement();
CREATE TRIGGER "000_statement" BEFORE INSERT ON reg_assign.account FOR EACH STATEMENT EXECUTE FUNCTION reg_assign.statement();
CREATE FUNCTION reg_assign.late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.note = 'late' THEN UPDATE reg_assign.account SET country = 'NL' WHERE id = new.id; END IF; RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER late AFTER INSERT ON reg_assign.account DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION reg_assign.late();
INSERT INTO reg_assign.account VALUES (900, 'BE', 1, 'statement'), (901, 'BE', 1, 'late');
SELECT * FROM reg_assign.pairs WHERE id BETWEEN 900 AND 910;
SELECT * FROM reg_assign.different();
-- a trigger that looks at the territories after ours
CREATE FUNCTION reg_assign.look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE WARNING '% %', TG_NAME, (SELECT array_agg(p.path) FROM inserted i JOIN reg_assign.pairs p ON p.id = i.id); RETURN NULL; END $$;
CREATE TRIGGER zzz_look AFTER INSERT ON reg_assign.account REFERENCING NEW TABLE AS inserted FOR EACH STATEMENT EXECUTE FUNCTION reg_assign.look();
INSERT INTO reg_assign.account VALUES (902, 'NL', 900, '');
DROP TRIGGER zzz_look ON reg_assign.account;
-- an error in a trigger of a user undoes all
CREATE FUNCTION reg_assign.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF new.note = 'refuse' THEN RAISE EXCEPTION 'no'; END IF; RETURN NULL; END $$;
CREATE TRIGGER zzz_refuse AFTER INSERT OR UPDATE ON reg_assign.account FOR EACH ROW EXECUTE FUNCTION reg_assign.refuse();
SELECT reg_assign.err($$INSERT INTO reg_assign.account VALUES (903, 'NL', 1, ''), (904, 'NL', 1, 'refuse')$$);
SELECT reg_assign.err($$UPDATE reg_assign.account SET country = 'BE', note = 'refuse' WHERE id = 902$$);
SELECT * FROM reg_assign.pairs WHERE id BETWEEN 900 AND 910;
DROP TRIGGER zzz_refuse ON reg_assign.account;

-- direct writes to the assignment table are refused, to its owner and to a superuser
SELECT reg_assign.err($$INSERT INTO reg_assign.account_territory VALUES (1, 1, 1)$$);
SELECT reg_assign.err($$UPDATE reg_assign.account_territory SET manual = true$$);
SELECT reg_assign.err($$DELETE FROM reg_assign.account_territory$$);
SELECT reg_assign.err($$TRUNCATE reg_assign.account_territory$$);
SELECT reg_assign.err($$MERGE INTO reg_assign.account_territory t USING (VALUES (1)) v(x) ON t.id = v.x WHEN MATCHED THEN DELETE$$);
COPY reg_assign.account_territory FROM stdin;
1	1	\N	f	now
\.
-- not even from a trigger of the table that the engine is writing for
CREATE FUNCTION reg_assign.smuggle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM reg_assign.account_territory; RETURN NULL; END $$;
CREATE TRIGGER zzz_smuggle AFTER UPDATE ON reg_assign.account FOR EACH STATEMENT EXECUTE FUNCTION reg_assign.smuggle();
SELECT reg_assign.err($$UPDATE reg_assign.account SET country = 'NL' WHERE id = 902$$);
DROP TRIGGER zzz_smuggle ON reg_assign.account;
CREATE TABLE reg_assign.log (what text, id int, path territory);
CREATE FUNCTION reg_assign.audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO reg_assign.log SELECT TG_OP, CASE TG_OP WHEN 'DELETE' THEN old.id ELSE new.id END, path FROM territory.node WHERE id = CASE TG_OP WHEN 'DELETE' THEN old.node_id ELSE new.node_id END;
  IF TG_OP = 'INSERT' AND new.id = 999 THEN DELETE FROM reg_assign.account_territory WHERE id = 902; END IF;
  RETURN NULL;
END $$;
-- a user's trigger and a foreign key on the assignment table hold
CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON reg_assign.account_territory FOR EACH ROW EXECUTE FUNCTION reg_assign.audit();
INSERT INTO reg_assign.account VALUES (910, 'NL', 1, '');
UPDATE reg_assign.account SET employees = 900 WHERE id = 910;
UPDATE reg_assign.account SET employees = 901 WHERE id = 910;
UPDATE reg_assign.account SET id = 911 WHERE id = 910;
DELETE FROM reg_assign.account WHERE id = 911;
TABLE reg_assign.log;
SELECT reg_assign.err($$INSERT INTO reg_assign.account VALUES (999, 'NL', 1, '')$$);
DROP TRIGGER audit ON reg_assign.account_territory;
-- a trigger there that writes to the table attached, which makes more pairs
ALTER TABLE reg_assign.account ADD COLUMN label text, ADD COLUMN steps int DEFAULT 0;
CREATE FUNCTION reg_assign.name_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE reg_assign.account SET label = concat_ws(' ', label, (SELECT name FROM territory.node WHERE id = new.node_id)), steps = steps + 1, employees = employees + 200 WHERE id = new.id AND steps < 5;
  RETURN NULL;
END $$;
CREATE TRIGGER name_it AFTER INSERT ON reg_assign.account_territory FOR EACH ROW EXECUTE FUNCTION reg_assign.name_it();
INSERT INTO reg_assign.account (id, country, employees) SELECT i, 'NL', i - 740 FROM generate_series(920, 1340, 60) i;
SELECT id, employees, label, steps FROM reg_assign.account WHERE id BETWEEN 920 AND 1340 AND id % 60 = 20 ORDER BY id;
SELECT * FROM reg_assign.different();
UPDATE reg_assign.account SET country = 'BE', label = NULL, steps = 0 WHERE id BETWEEN 920 AND 1340 AND id % 60 = 20;
SELECT id, employees, label, steps FROM reg_assign.account WHERE id BETWEEN 920 AND 1340 AND id % 60 = 20 ORDER BY id;
SELECT * FROM reg_assign.different();
DROP TRIGGER name_it ON reg_assign.account_territory;
ALTER TABLE reg_assign.account_territory ADD FOREIGN KEY (id) REFERENCES reg_assign.account DEFERRABLE INITIALLY DEFERRED, ADD FOREIGN KEY (node_id) REFERENCES territory.node;
INSERT INTO reg_assign.account VALUES (912, 'NL', 1, '');
DELETE FROM reg_assign.account WHERE id = 912;
SELECT * FROM reg_assign.pairs WHERE id = 912;
ALTER TABLE reg_assign.account_territory DROP CONSTRAINT account_territory_id_fkey, DROP CONSTRAINT account_territory_node_id_fkey;
ALTER TABLE reg_assign.account_territory ADD CONSTRAINT no_913 CHECK (id <> 913);
SELECT reg_assign.err($$INSERT INTO reg_assign.account VALUES (913, 'NL', 1, '')$$);
ALTER TABLE reg_assign.account_territory DROP CONSTRAINT no_913;
-- a table that refers to pairs
CREATE TABLE reg_assign.plan (id int, node_id int, FOREIGN KEY (id, node_id) REFERENCES reg_assign.account_territory ON DELETE CASCADE);
INSERT INTO reg_assign.plan SELECT id, node_id FROM reg_assign.account_territory WHERE id = 902;
UPDATE reg_assign.account SET country = NULL WHERE id = 902;
SELECT count(*) FROM reg_assign.plan;
DROP TABLE reg_assign.plan;
SELECT * FROM reg_assign.different();
SELECT * FROM reg_assign.wrong('reg_assign.account');

-- TRUNCATE
BEGIN;
TRUNCATE reg_assign.account;
SELECT count(*) FROM reg_assign.account_territory;
INSERT INTO reg_assign.account VALUES (1, 'NL', 1);
SELECT * FROM reg_assign.pairs;
ROLLBACK;
SELECT * FROM reg_assign.different();
TRUNCATE reg_assign.account RESTART IDENTITY CASCADE;
SELECT count(*) FROM reg_assign.account_territory;
-- rewriting DDL changes nothing
INSERT INTO reg_assign.account VALUES (1, 'NL', 1), (2, 'BE', 1);
VACUUM FULL reg_assign.account;
CLUSTER reg_assign.account USING account_pkey;
ALTER TABLE reg_assign.account ADD COLUMN extra int DEFAULT (random() * 0)::int;
SELECT * FROM reg_assign.different();

-- the trigger functions are of no use elsewhere
SELECT reg_assign.err(format('SELECT territory.%I()', proname)) FROM pg_proc WHERE pronamespace = 'territory'::regnamespace AND prorettype = 'trigger'::regtype ORDER BY proname COLLATE "C";
-- on other tables than those they were made for they are refused, wherever that is
CREATE ROLE reg_assign_eve;
GRANT CREATE, USAGE ON SCHEMA reg_assign TO reg_assign_eve;
SET ROLE reg_assign_eve;
CREATE TABLE reg_assign.other (id int8, model_id int8, parent_id int8, name int8, path int8, priority int8, description int8, cascade int8);
INSERT INTO reg_assign.other VALUES (1, 1, 1, 1, 1, 1, 1, 1);
RESET ROLE;
-- not even a superuser's trigger
SELECT proname, level, min(code) AS code, max(code) AS other_code FROM (
  SELECT proname, level, left(reg_assign.err(format('CREATE TRIGGER t %s %s ON reg_assign.other FOR EACH %s EXECUTE FUNCTION territory.%I(); %s', at, event, level, proname,
           CASE event WHEN 'INSERT' THEN 'INSERT INTO reg_assign.other VALUES (1, 1, 1, 1, 1, 1, 1, 1)' WHEN 'UPDATE' THEN 'UPDATE reg_assign.other SET id = 2' ELSE 'DELETE FROM reg_assign.other' END)), 5) AS code
    FROM pg_proc p, unnest('{BEFORE,AFTER}'::text[]) at, unnest('{INSERT,UPDATE,DELETE}'::text[]) event, unnest('{ROW,STATEMENT}'::text[]) level
   WHERE pronamespace = 'territory'::regnamespace AND prorettype = 'trigger'::regtype
     AND proname <> ALL ('{statement_begin,statement_end,record_changed,records_truncated}')) x GROUP BY 1, 2 HAVING min(code) <> '39P01' OR max(code) <> '39P01' ORDER BY proname COLLATE "C", 2;
-- the names of transition tables are no SQL
CREATE TRIGGER t AFTER INSERT ON reg_assign.other REFERENCING NEW TABLE AS "(SELECT 1::oid AS object, 1 / 0 AS key) x" FOR EACH STATEMENT EXECUTE FUNCTION territory.reassign_exclusions();
SELECT reg_assign.err($$INSERT INTO reg_assign.other DEFAULT VALUES$$) LIKE '39P01%' AS refused;
DROP TABLE reg_assign.other;
CREATE TABLE reg_assign.other (id int PRIMARY KEY, country text);
-- those of attached tables do nothing on a table that is not attached, or say that they are in the wrong place
SELECT proname, at, event, level, reg_assign.err(format('CREATE TRIGGER t %s %s ON reg_assign.other FOR EACH %s EXECUTE FUNCTION territory.%I(); INSERT INTO reg_assign.other VALUES (1); UPDATE reg_assign.other SET id = 2; DELETE FROM reg_assign.other', at, event, level, proname))
  FROM unnest('{statement_begin,statement_end,record_changed,records_truncated}'::text[]) proname, unnest('{BEFORE,AFTER}'::text[]) at, unnest('{INSERT OR UPDATE,DELETE}'::text[]) event, unnest('{ROW,STATEMENT}'::text[]) level;
DROP VIEW reg_assign.pairs CASCADE;
REVOKE ALL ON SCHEMA reg_assign FROM reg_assign_eve;
DROP ROLE reg_assign_eve;
SELECT territory.detach('reg_assign.account');
DELETE FROM territory.node WHERE path <@ 'Assign';
DROP SCHEMA reg_assign CASCADE;
