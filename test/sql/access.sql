-- who sees and edits which records: people, identities, policies, managers; the rows T55 to T62 of the list of faults by name
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA reg_access;
SET search_path = reg_access, territory, public;
SET DateStyle = 'ISO, YMD';
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_access.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE = 'ZZ000' THEN RETURN 'no error'; END IF;
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
CREATE ROLE reg_access_dba; CREATE ROLE reg_access_ann; CREATE ROLE reg_access_bob; CREATE ROLE reg_access_mia; CREATE ROLE reg_access_app; CREATE ROLE reg_access_writer;
GRANT USAGE ON SCHEMA reg_access TO PUBLIC;
GRANT CREATE ON SCHEMA reg_access TO reg_access_dba;
INSERT INTO node (id, path) VALUES (9101, 'A'), (9102, 'A.North'), (9103, 'A.South'), (9104, 'A.North.Deep'), (9105, 'B');
SET ROLE reg_access_dba;
CREATE TABLE account (id int PRIMARY KEY, country text, owner text, secret text);
CREATE TABLE contact (id int PRIMARY KEY, account_id int, name text);
CREATE INDEX ON contact (account_id);
CREATE TABLE deal (id int PRIMARY KEY, account_id int, seller text);
CREATE INDEX ON deal (account_id);
SELECT attach('account', owner => 'owner');
SELECT attach('contact', 'contact', parent => 'account', parent_key => 'account_id');
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id', owner => 'seller');
RESET ROLE;
INSERT INTO rule (node_id, object, criteria) VALUES (9102, 'account', $$country = 'N'$$), (9103, 'account', $$country = 'S'$$), (9104, 'account', $$country IN ('D', 'N') AND id > 10$$), (9105, 'account', $$country = 'B'$$);
SET ROLE reg_access_dba;
INSERT INTO account VALUES (1, 'N', NULL, 'sN'), (2, 'S', 'reg_access_ann', 'sS'), (3, 'B', NULL, 'sB'), (4, 'X', NULL, 'sX'), (11, 'N', 'reg_access_bob', 'sD');
INSERT INTO contact VALUES (100, 1, 'c1'), (200, 2, 'c2'), (300, 3, 'c3'), (400, NULL, 'c4');
INSERT INTO deal VALUES (1000, 1, NULL), (2000, 2, 'reg_access_bob'), (3000, 3, NULL);
GRANT SELECT, INSERT, UPDATE, DELETE ON account, contact, deal TO reg_access_ann, reg_access_bob, reg_access_mia, reg_access_app, reg_access_writer;
GRANT SELECT ON account_territory, account_territory_history, contact_territory, contact_territory_history, deal_territory, deal_territory_history TO reg_access_ann, reg_access_bob, reg_access_mia;
RESET ROLE;

-- people: members, managers, dates; a territory without a manager falls to the one above
INSERT INTO member (node_id, member, role, access, starts, ends) VALUES
  (9102, 'reg_access_ann', 'member', 'write', NULL, NULL), (9105, 'reg_access_ann', 'member', 'read', NULL, NULL),
  (9103, 'reg_access_ann', 'member', 'write', NULL, '2020-01-01'), (9103, 'reg_access_ann', 'member', 'write', '9999-01-01', NULL),
  (9101, 'reg_access_mia', 'manager', 'read', NULL, NULL), (9101, 'reg_access_bob', 'member', 'read', NULL, NULL);
SET ROLE reg_access_ann;
SELECT member();
SELECT * FROM my_nodes();
SELECT * FROM visible_nodes();
SELECT * FROM team('A.North.Deep');
SELECT err($$SELECT * FROM team('A.South')$$);
SELECT err($$SELECT * FROM visible_nodes('reg_access_bob')$$);
SELECT err($$SELECT * FROM team('nowhere')$$);
RESET ROLE;
SELECT * FROM visible_nodes('reg_access_bob');
SELECT * FROM team('A.South');
SELECT * FROM team('B');

-- only the owner of an attached table protects it; those attached below follow
SET ROLE reg_access_ann;
SELECT err($$SELECT protect('account')$$), err($$SELECT unprotect('account')$$);
SET ROLE reg_access_dba;
CREATE TABLE loose (id int PRIMARY KEY);
SELECT err($$SELECT protect('loose')$$), err($$SELECT protect(NULL)$$), err($$SELECT protect(1)$$);
SELECT protect('account');
SELECT protect('account');
SELECT c.relname, c.relrowsecurity, string_agg(p.polname, ' ' ORDER BY p.polname) FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
 WHERE c.relnamespace = 'reg_access'::regnamespace AND c.relkind = 'r' GROUP BY 1, 2 ORDER BY 1;
-- a new contact of another owner is not the owner's of the accounts to protect
RESET ROLE;
ALTER TABLE deal OWNER TO reg_access_mia;
SET ROLE reg_access_dba;
SELECT err($$SELECT protect('account')$$);
RESET ROLE;
ALTER TABLE deal OWNER TO reg_access_dba;
GRANT SELECT, INSERT, UPDATE, DELETE ON deal TO reg_access_mia;
GRANT SELECT ON deal_territory, deal_territory_history TO reg_access_mia;

-- who sees and edits what
CREATE VIEW seen WITH (security_invoker = true) AS
  SELECT (SELECT string_agg(id::text, ' ' ORDER BY id) FROM account) AS accounts, (SELECT string_agg(id::text, ' ' ORDER BY id) FROM contact) AS contacts, (SELECT string_agg(id::text, ' ' ORDER BY id) FROM deal) AS deals;
GRANT SELECT ON seen TO PUBLIC;
SET ROLE reg_access_ann; SELECT * FROM seen; SELECT id, node_id FROM account_territory ORDER BY 1, 2;
WITH u AS (UPDATE account SET secret = secret RETURNING id) SELECT array_agg(id ORDER BY id) FROM u;
SET ROLE reg_access_bob; SELECT * FROM seen;
WITH u AS (UPDATE account SET secret = secret RETURNING id) SELECT array_agg(id ORDER BY id) FROM u;
SET ROLE reg_access_mia; SELECT * FROM seen;
WITH u AS (UPDATE account SET secret = secret RETURNING id) SELECT array_agg(id ORDER BY id) FROM u;
SET ROLE reg_access_writer; SELECT * FROM seen; SELECT * FROM my_nodes(); SELECT * FROM visible_nodes();
SET ROLE reg_access_dba; SELECT * FROM seen;
RESET ROLE;

-- a new record is for who will edit it, and comes back to who will see it
SET ROLE reg_access_ann;
INSERT INTO account VALUES (20, 'N', NULL, 'new') RETURNING *;
INSERT INTO account VALUES (21, 'S', 'reg_access_ann', 'own') RETURNING *;
INSERT INTO contact VALUES (2000, 20, 'of a new one'), (2100, 1, 'of another') RETURNING *;
INSERT INTO deal VALUES (20000, 20, NULL) RETURNING *;
SELECT err($$INSERT INTO account VALUES (22, 'S', NULL, 'not there')$$), err($$INSERT INTO account VALUES (22, 'B', NULL, 'read only')$$), err($$INSERT INTO account VALUES (22, 'X', NULL, 'nowhere')$$), err($$INSERT INTO contact VALUES (2200, 2, 'of what he owns only')$$);
INSERT INTO account VALUES (20, 'N', NULL, 'again') ON CONFLICT (id) DO UPDATE SET secret = EXCLUDED.secret RETURNING *;
SELECT err($$INSERT INTO account VALUES (3, 'N', NULL, 'x') ON CONFLICT (id) DO UPDATE SET secret = 'taken'$$);
MERGE INTO account a USING (VALUES (20), (23)) v(id) ON a.id = v.id WHEN MATCHED THEN UPDATE SET secret = 'merged' WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'N', NULL, 'merged');
SELECT err($$MERGE INTO account a USING (VALUES (3)) v(id) ON a.id = v.id WHEN MATCHED THEN DELETE$$);
COPY (SELECT id, secret FROM account ORDER BY id) TO STDOUT;
-- an editable record may leave one's territories; what one owns only cannot be given away by a statement that reads
UPDATE account SET country = 'S' WHERE id = 23 RETURNING id;
SELECT * FROM seen;
SELECT err($$UPDATE account SET owner = 'reg_access_bob' WHERE id = 21$$), err($$UPDATE account SET id = 50 WHERE id = 20$$);
UPDATE account SET owner = 'reg_access_bob' WHERE id = 20;
DELETE FROM account WHERE id IN (20, 21, 23, 3) RETURNING id;
DELETE FROM contact WHERE id > 1000;
DELETE FROM deal WHERE id > 10000;
-- nobody writes pairs
SELECT err('DELETE FROM account_territory');
SET ROLE reg_access_dba;
DELETE FROM account WHERE id = 23;
DELETE FROM contact WHERE id > 1000;
DELETE FROM deal WHERE id > 10000;
RESET ROLE;
SELECT * FROM verify('account') UNION ALL SELECT * FROM verify('contact') UNION ALL SELECT * FROM verify('deal');

-- the engine works as before, FORCE or not, whoever writes; so do runs, changed rules, decisions by hand
ALTER TABLE account FORCE ROW LEVEL SECURITY; ALTER TABLE account_territory FORCE ROW LEVEL SECURITY; ALTER TABLE contact FORCE ROW LEVEL SECURITY; ALTER TABLE deal FORCE ROW LEVEL SECURITY;
SET ROLE reg_access_dba; SELECT * FROM seen;
SELECT rows_read, added, removed FROM run('account'), (SELECT count(*) FROM verify('account')) v;
SET ROLE reg_access_ann;
UPDATE account SET country = 'B' WHERE id = 1;
SELECT * FROM seen;
RESET ROLE;
UPDATE rule SET criteria = $$country IN ('B', 'X')$$ WHERE node_id = 9105;
SELECT assign('account', '4', 'A.North');
UPDATE account SET country = 'N' WHERE id = 1;
SELECT unassign('account', '4', 'A.North');
UPDATE rule SET criteria = $$country = 'B'$$ WHERE node_id = 9105;
SELECT * FROM verify('account') UNION ALL SELECT * FROM verify('contact') UNION ALL SELECT * FROM verify('deal');
ALTER TABLE account NO FORCE ROW LEVEL SECURITY; ALTER TABLE account_territory NO FORCE ROW LEVEL SECURITY; ALTER TABLE contact NO FORCE ROW LEVEL SECURITY; ALTER TABLE deal NO FORCE ROW LEVEL SECURITY;

-- why
SET ROLE reg_access_ann;
SELECT * FROM why_visible('account', '1');
SELECT * FROM why_visible('account', '2');
SELECT * FROM why_visible('account', '4');
SELECT * FROM why_visible('account', '999');
SELECT err($$SELECT * FROM why_visible('account', '1', 'reg_access_bob')$$);
RESET ROLE;
SELECT * FROM why_visible('account', '11', 'reg_access_bob');
SELECT * FROM why_visible('account', '11', 'reg_access_mia');
SELECT via, note FROM why_visible('account', '11', 'reg_access_dba');
SELECT via, note FROM why_visible('account', '11', current_user);
SELECT via FROM why_visible('account', '11', 'nobody of this name');
REVOKE SELECT ON account FROM reg_access_bob;
SELECT * FROM why_visible('account', '11', 'reg_access_bob');
GRANT SELECT ON account TO reg_access_bob;
CREATE POLICY mine ON account FOR SELECT TO reg_access_writer USING (id = 4);
SELECT via, sees, note FROM why_visible('account', '4', 'reg_access_writer');
SET ROLE reg_access_writer; SELECT accounts FROM seen; RESET ROLE;
DROP POLICY mine ON account;
SELECT via FROM why_visible('loose', '1', 'x');

-- managers: below their territories and nowhere else
SELECT grant_rights('reg_access_mia', 'manager'), grant_rights('reg_access_ann', 'reader');
SELECT err($$SELECT grant_rights('reg_access_mia', 'king')$$);
SET ROLE reg_access_mia;
INSERT INTO node (path, description) VALUES ('A.West', 'new'), ('A.West.Far', 'new');
UPDATE node SET path = 'A.South.West' WHERE path = 'A.West';
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A.South.West'), 'account', $$country = 'W'$$);
INSERT INTO member (node_id, member) VALUES (node_id('A.South.West'), 'reg_access_writer');
UPDATE member SET access = 'write' WHERE member = 'reg_access_writer';
SELECT assign('account', '1', 'A.South.West');
SELECT c AS command, err(c) FROM unnest(ARRAY[
  $$INSERT INTO node (path) VALUES ('C')$$, $$INSERT INTO node (path) VALUES ('B.x')$$, $$UPDATE node SET description = 'x' WHERE path = 'A'$$, $$UPDATE node SET path = 'B.West' WHERE path = 'A.South.West'$$, $$DELETE FROM node WHERE path = 'B'$$,
  $$INSERT INTO rule (node_id, object, criteria) VALUES (9101, 'account', 'true')$$, $$INSERT INTO rule (node_id, object, criteria) VALUES (9105, 'account', 'true')$$, $$UPDATE rule SET node_id = 9105 WHERE node_id = 9103$$, $$DELETE FROM rule WHERE node_id = 9105$$,
  $$INSERT INTO member (node_id, member) VALUES (9101, 'reg_access_writer')$$, $$UPDATE member SET access = 'write' WHERE node_id = 9105$$, $$DELETE FROM member$$,
  $$INSERT INTO exclusion (object, key) VALUES ('account', '1')$$, $$UPDATE model SET description = 'x'$$, $$SELECT run('account')$$,
  $$SELECT assign('account', '1', 'B')$$, $$SELECT assign('account', '1', 'A')$$, $$SELECT exclude('account', '1')$$, $$SELECT assign('account', '3', 'A.South.West')$$, $$SELECT drop_node('A.South', 'B')$$]) c;
SELECT unassign('account', '1', 'A.South.West');
SELECT exclude('account', '1', 'A.North');
RESET ROLE;
SELECT include('account', '1', 'A.North');
SET ROLE reg_access_mia;
SELECT deleted, rules, members FROM drop_node('A.South.West');
-- a member with access to write is no manager
SET ROLE reg_access_ann;
SELECT err($$SELECT assign('account', '1', 'A.North.Deep')$$), err($$INSERT INTO rule (node_id, object, criteria) VALUES (9104, 'account', 'true')$$);
-- who may write a whole table writes all of it, as before; and nothing after revoke_rights
RESET ROLE;
SELECT grant_rights('reg_access_mia', 'editor');
SET ROLE reg_access_mia;
UPDATE node SET description = 'edited' WHERE path = 'B';
SELECT err($$SELECT assign('account', '1', 'B')$$), err($$DELETE FROM audit$$);
RESET ROLE;
SELECT revoke_rights('reg_access_mia');
SET ROLE reg_access_mia;
SELECT err($$SELECT * FROM node$$), err($$UPDATE node SET description = 'x' WHERE path = 'A.North'$$);
RESET ROLE;
SELECT grant_rights('reg_access_mia', 'admin');
SELECT has_table_privilege('reg_access_mia', 'audit', 'DELETE') AS admin;
SELECT revoke_rights('reg_access_mia');

-- the views show what the caller sees
SET ROLE reg_access_ann;
SELECT key, path FROM assignment WHERE object = 'account'::regclass ORDER BY key, path;
SELECT path, records, records_below FROM coverage WHERE object = 'account'::regclass AND records_below > 0;
SELECT DISTINCT key FROM history WHERE object = 'account'::regclass ORDER BY 1;
SELECT record_count('account');
SELECT DISTINCT key FROM as_of('account', clock_timestamp()) ORDER BY 1;
SELECT count(*) > 0 AS explained, err($$SELECT * FROM explain('account', '4')$$) FROM explain('account', '3');
SELECT c AS command, left(err('SELECT * FROM ' || c), 5) FROM unnest('{run_log,exclusion,distribution_log,audit,member,pair_check}'::text[]) c;
RESET ROLE;

-- nodes of a model that is not active do not count
INSERT INTO model (id, name) VALUES (9100, 'reg_access');
INSERT INTO node (id, model_id, path) VALUES (9110, 9100, 'A');
INSERT INTO member (node_id, member, access) VALUES (9110, 'reg_access_writer', 'write');
SET ROLE reg_access_writer; SELECT * FROM visible_nodes(); SELECT * FROM seen; RESET ROLE;
UPDATE model SET state = CASE id WHEN 9100 THEN 'active' ELSE 'planning' END WHERE id = 9100 OR state = 'active';
SET ROLE reg_access_writer; SELECT path, access FROM visible_nodes(); SET ROLE reg_access_ann; SELECT * FROM visible_nodes(); SELECT * FROM seen; RESET ROLE;
UPDATE model SET state = CASE name WHEN 'default' THEN 'active' ELSE 'archived' END WHERE id = 9100 OR name = 'default';
SET ROLE reg_access_ann; SELECT accounts FROM seen; RESET ROLE;
DELETE FROM node WHERE id = 9110;
DELETE FROM model WHERE id = 9100;

-- identity: the setting of an application
SET territory.identity = 'app.person';
SET ROLE reg_access_app;
SELECT member(), accounts FROM seen;
SET app.person = 'reg_access_ann'; SELECT member(), accounts FROM seen;
SET app.person = ''; SELECT member(), accounts FROM seen;
SELECT * FROM my_nodes(); SELECT * FROM visible_nodes(); SELECT via FROM why_visible('account', '1');
BEGIN; SET LOCAL app.person = 'reg_access_bob'; SELECT member(), accounts FROM seen; COMMIT;
SELECT member() IS NULL AS nobody;
RESET ROLE;
SET territory.identity = 'request.jwt.claims ->> sub';
SET ROLE reg_access_app;
SET request.jwt.claims = '{"sub": "reg_access_ann", "role": "x"}'; SELECT member(), accounts FROM seen;
SET request.jwt.claims = '{"sub": null}'; SELECT member(), accounts FROM seen;
SET request.jwt.claims = '{"role": "reg_access_ann"}'; SELECT member(), accounts FROM seen;
SET request.jwt.claims = ''; SELECT member(), accounts FROM seen;
SET request.jwt.claims = 'no json'; SELECT left(err('SELECT * FROM seen'), 5);
RESET ROLE;
SET territory.identity = 'request.jwt.claims -> user ->> id';
SET request.jwt.claims = '{"user": {"id": 42}}'; SELECT member();
SELECT err($$SET territory.identity = 'a ->> '$$), err($$SET territory.identity = '-> b'$$);
RESET territory.identity;
SET ROLE reg_access_ann;
SELECT member();

-- T55: nobody but a superuser says who is asking, not even before the library is loaded
SELECT err($$SET territory.identity = 'app.person'$$), err($$SELECT set_config('territory.identity', 'app.person', false)$$);
RESET ROLE;
\c -
SET search_path = reg_access, territory, public;
SET ROLE reg_access_writer;
SET client_min_messages = error;
SET territory.identity = 'app.person';
SET app.person = 'reg_access_mia';
SELECT * FROM seen;
SELECT member();
RESET ROLE;
SET client_min_messages = warning;
SHOW territory.identity;
SET ROLE reg_access_writer;
-- nor in the middle of a statement
SELECT count(*) FROM (SELECT set_config('app.person', 'reg_access_mia', false) AS x OFFSET 0) s, account;
RESET ROLE;

-- T56: what is kept is right at the next statement: roles, prepared plans, changed memberships, SECURITY DEFINER, cursors
PREPARE q AS SELECT string_agg(id::text, ' ' ORDER BY id) FROM account;
SET ROLE reg_access_ann; EXECUTE q; SET ROLE reg_access_bob; EXECUTE q; SET ROLE reg_access_writer; EXECUTE q; RESET ROLE; EXECUTE q;
SET plan_cache_mode = force_generic_plan;
SET ROLE reg_access_ann; EXECUTE q; SET ROLE reg_access_mia; EXECUTE q; RESET ROLE;
CREATE FUNCTION as_mia() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT string_agg(id::text, '' '' ORDER BY id) FROM reg_access.account';
ALTER FUNCTION as_mia() OWNER TO reg_access_mia;
CREATE FUNCTION as_caller() RETURNS text LANGUAGE plpgsql AS $$ DECLARE r text; BEGIN SELECT string_agg(id::text, ' ' ORDER BY id) INTO r FROM reg_access.account; RETURN r; END $$;
SET ROLE reg_access_ann; SELECT as_mia(), as_caller(); SET ROLE reg_access_bob; SELECT as_mia(), as_caller(); RESET ROLE;
BEGIN;
SET LOCAL ROLE reg_access_ann; EXECUTE q; RESET ROLE;
DELETE FROM member WHERE member = 'reg_access_ann' AND node_id = 9102;
SET LOCAL ROLE reg_access_ann; EXECUTE q; SELECT as_caller(); RESET ROLE;
SAVEPOINT s;
INSERT INTO member (node_id, member) VALUES (9103, 'reg_access_ann') ON CONFLICT DO NOTHING;
UPDATE member SET ends = NULL WHERE member = 'reg_access_ann' AND node_id = 9103 AND starts IS NULL AND ends IS NULL;
UPDATE node SET path = 'B.North' WHERE path = 'A.North';
SET LOCAL ROLE reg_access_ann; EXECUTE q; SET LOCAL ROLE reg_access_bob; EXECUTE q; RESET ROLE;
ROLLBACK TO s;
SET LOCAL ROLE reg_access_ann; EXECUTE q; SET LOCAL ROLE reg_access_bob; EXECUTE q; RESET ROLE;
-- a cursor goes on with what it began with
DECLARE c CURSOR FOR SELECT id FROM account ORDER BY id;
ROLLBACK;
BEGIN;
SET LOCAL ROLE reg_access_mia;
DECLARE c CURSOR FOR SELECT id FROM account ORDER BY id;
FETCH 1 FROM c;
RESET ROLE;
DELETE FROM member WHERE member = 'reg_access_mia';
SET LOCAL ROLE reg_access_mia;
SELECT accounts FROM seen;
FETCH ALL FROM c;
ROLLBACK;
SET ROLE reg_access_ann; EXECUTE q; RESET ROLE;
RESET plan_cache_mode;
-- an expression that PL/pgSQL keeps: a changed membership, another role
CREATE FUNCTION kept() RETURNS text LANGUAGE plpgsql AS $$
DECLARE seen bool; answer text := '';
BEGIN
  FOR i IN 1..4 LOOP
    IF i = 3 THEN DELETE FROM member WHERE member = 'reg_access_ann'; END IF;
    PERFORM set_config('role', CASE i WHEN 2 THEN 'reg_access_writer' ELSE 'reg_access_ann' END, true);
    seen := sees('account_territory', 1);
    answer := concat_ws(' ', answer, seen);
    PERFORM set_config('role', 'none', true);
  END LOOP;
  RETURN answer;
END $$;
BEGIN;
SELECT kept();
ROLLBACK;

-- T57: no function of the user's sees a hidden row; no error tells of one
CREATE FUNCTION leak(text) RETURNS bool LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN IF $1 IN ('sX', '4', '200', '400', '2000') THEN RAISE WARNING 'leak %', $1; END IF; RETURN true; END $$;
SET ROLE reg_access_ann;
SELECT id FROM account WHERE leak(secret) ORDER BY id;
SELECT key FROM assignment WHERE leak(key) AND object = 'account'::regclass ORDER BY key;
SELECT id FROM account_territory WHERE leak(id::text) ORDER BY id;
SELECT count(*) FROM history WHERE leak(key) AND object = 'deal'::regclass;
SELECT records_below FROM coverage WHERE leak(path::text) AND object = 'account'::regclass AND node_id IS NULL;
SELECT err('SELECT 1 / (id - 4) FROM account'), err('SELECT secret::int FROM account WHERE id = 4'), err('SELECT secret::int FROM account WHERE id IN (1, 4)');
SELECT err($$INSERT INTO account VALUES (4, 'N', NULL, NULL)$$);
-- statistics are hidden as PostgreSQL hides those of protected tables
RESET ROLE;
ANALYZE account; ANALYZE account_territory;
SELECT count(*) > 0 AS superuser FROM pg_stats WHERE schemaname = 'reg_access' AND tablename IN ('account', 'account_territory');
SET ROLE reg_access_ann;
SELECT count(*) AS stats FROM pg_stats WHERE schemaname = 'reg_access' AND tablename IN ('account', 'account_territory');
RESET ROLE;
SELECT c.relname FROM pg_class c JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'territory'
 WHERE c.relkind = 'v' AND NOT (c.reloptions @> '{security_invoker=true}' AND c.reloptions @> '{security_barrier=true}');

-- T58: of all functions, those alone are said to be leakproof that compare the bytes of paths
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND e.extname = 'territory' WHERE p.proleakproof ORDER BY p.oid::regprocedure::text COLLATE "C";
-- what policies consist of tells nobody more than he sees, and takes anything
SET ROLE reg_access_ann;
SELECT id, sees('account_territory', id), edits('account_territory', id), inserting('account_territory', id) FROM unnest('{1,2,3,4,11,999}'::int[]) id;
SELECT n, sees_node(n), edits_node(n) FROM unnest('{9101,9102,9104,9105,-1}'::int[]) n;
SELECT visible_keys('account_territory', NULL::int, false), visible_keys('account_territory', NULL::int, true);
SELECT err(c) FROM unnest(ARRAY[$$SELECT sees('account_territory', 'x'::text)$$, $$SELECT sees('account', 1)$$, $$SELECT sees(0, 1)$$, $$SELECT edits('pg_class', 1)$$, $$SELECT sees('account_territory', ARRAY[1])$$, $$SELECT inserting('account_territory', 1.5)$$, $$SELECT sees('account_territory', ROW(1))$$]) c;
SELECT sees('account_territory', NULL::int), sees(NULL, 1);

-- T59: what is derived shows visible rows only
SELECT territory.each(rollup(n.path, 1)) FROM account_territory t JOIN node n ON n.id = t.node_id;
SELECT count(*) FROM account_territory_history WHERE id NOT IN (SELECT id FROM account);
SELECT a.key FROM as_of('contact', now()) a ORDER BY 1;
SELECT * FROM explain_text('account', '1');
SELECT err($$SELECT * FROM explain_text('account', '4')$$);
-- whether a record has territories is told of those alone that are being inserted
CREATE TEMP TABLE probe (there bool);
INSERT INTO probe SELECT inserting('account_territory', i) FROM unnest('{4,999}'::int[]) i;
SELECT array_agg(there) FROM probe;
DROP TABLE probe;
SELECT err($$SELECT * FROM why_not('account', '4', 'B')$$);
RESET ROLE;

-- T60: names are only names
CREATE SCHEMA "reg_access'$$"" %s";
CREATE TABLE "reg_access'$$"" %s"."t'""$$ %s" ("k'"" %s" text PRIMARY KEY, "o'"" %s" text, "territory_record" int);
SELECT attach('"reg_access''$$"" %s"."t''""$$ %s"', owner => '"o''"" %s"');
INSERT INTO "reg_access'$$"" %s"."t'""$$ %s" VALUES ('a''"', 'reg_access_ann', 1), ('b', NULL, 2);
SELECT protect('"reg_access''$$"" %s"."t''""$$ %s"');
GRANT USAGE ON SCHEMA "reg_access'$$"" %s" TO reg_access_ann; GRANT ALL ON ALL TABLES IN SCHEMA "reg_access'$$"" %s" TO reg_access_ann;
SET ROLE reg_access_ann;
SELECT * FROM "reg_access'$$"" %s"."t'""$$ %s";
INSERT INTO "reg_access'$$"" %s"."t'""$$ %s" VALUES ('c', 'reg_access_ann', 1) RETURNING 1;
SELECT via FROM why_visible('"reg_access''$$"" %s"."t''""$$ %s"', 'a''"');
SELECT count(*) FROM "reg_access'$$"" %s"."t'""$$ %s_territory";
RESET ROLE;
SELECT unprotect('"reg_access''$$"" %s"."t''""$$ %s"');
SELECT detach('"reg_access''$$"" %s"."t''""$$ %s"');
DROP SCHEMA "reg_access'$$"" %s" CASCADE;

-- T61: who writes needs no rights in schema territory
SET ROLE reg_access_writer;
INSERT INTO account VALUES (60, 'N', 'reg_access_writer', 'mine') RETURNING id;
UPDATE account SET secret = 'still mine' WHERE id = 60 RETURNING secret;
SELECT err('SELECT * FROM territory.rule'), err('SELECT * FROM territory.member'), err('SELECT * FROM account_territory');
DELETE FROM account WHERE id = 60;
RESET ROLE;
SELECT r.rolname, c.relname FROM pg_roles r, pg_class c WHERE r.rolname = 'reg_access_writer' AND c.relnamespace = 'territory'::regnamespace AND c.relkind IN ('r', 'v') AND has_table_privilege(r.oid, c.oid, 'SELECT, INSERT, UPDATE, DELETE');

-- T62: errors tell of nothing but what the caller has said
CREATE FUNCTION all_of_it(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE d text; h text; c text; n text; o text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT, n = CONSTRAINT_NAME, o = COLUMN_NAME;
  RETURN concat_ws('|', SQLSTATE, SQLERRM, d, h, n, o);
END $$;
SET ROLE reg_access_ann;
SELECT all_of_it(c) FROM unnest(ARRAY[$$INSERT INTO account VALUES (70, 'S', NULL, 'x')$$, $$UPDATE account SET owner = 'z' WHERE id = 2$$, $$INSERT INTO account VALUES (3, 'B', 'reg_access_ann', 'x')$$, $$SELECT assign('account', '4', 'A.North')$$, $$INSERT INTO deal VALUES (70, 3, NULL)$$]) c;
RESET ROLE;

-- partitions: new ones, and those that are there, show nothing to who reads them directly
CREATE TABLE part (id int PRIMARY KEY, country text) PARTITION BY RANGE (id);
CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (10);
SELECT attach('part');
INSERT INTO rule (node_id, object, criteria) VALUES (9102, 'part', $$country = 'N'$$);
SELECT protect('part');
CREATE TABLE part_2 PARTITION OF part FOR VALUES FROM (10) TO (20);
INSERT INTO part VALUES (1, 'N'), (2, 'S'), (11, 'N'), (12, 'S');
GRANT ALL ON part, part_1, part_2, part_territory TO reg_access_ann;
SET ROLE reg_access_ann;
SELECT * FROM part ORDER BY id;
SELECT (SELECT count(*) FROM part_1) AS one, (SELECT count(*) FROM part_2) AS two, (SELECT count(*) FROM part_territory) AS pairs;
INSERT INTO part VALUES (13, 'N') RETURNING *;
UPDATE part SET country = country RETURNING id;
SELECT err($$INSERT INTO part_1 VALUES (5, 'N')$$);
RESET ROLE;
SELECT err($$SELECT detach('part')$$), err('DROP TABLE part_territory CASCADE');
SELECT unprotect('part');
SELECT relname, relrowsecurity FROM pg_class WHERE relnamespace = 'reg_access'::regnamespace AND relname LIKE 'part%' AND relkind IN ('r', 'p') ORDER BY 1;
SELECT detach('part');

-- how the planner finds the rows: from the nodes of who sees few; along the index where some are asked for; by another key
CREATE TABLE big (id int PRIMARY KEY, country text);
SELECT attach('big');
INSERT INTO rule (node_id, object, criteria) VALUES (9104, 'big', $$country = 'D'$$), (9105, 'big', $$country = 'B'$$);
INSERT INTO big SELECT i, CASE WHEN i % 100 = 0 THEN 'D' ELSE 'B' END FROM generate_series(1, 20000) i;
DELETE FROM member WHERE member = 'reg_access_writer';
INSERT INTO member (node_id, member) VALUES (9104, 'reg_access_writer');
VACUUM ANALYZE big; VACUUM ANALYZE big_territory;
SELECT protect('big');
GRANT SELECT, UPDATE ON big TO reg_access_writer, reg_access_mia;
SET ROLE reg_access_writer;
EXPLAIN (COSTS OFF) SELECT count(*) FROM big;
EXPLAIN (COSTS OFF) SELECT count(*) FROM big WHERE id = 100;
EXPLAIN (COSTS OFF) SELECT big.* FROM contact c JOIN big ON big.id = c.account_id WHERE c.id = 100;
EXPLAIN (COSTS OFF) SELECT id FROM big ORDER BY id LIMIT 1;
SELECT count(*), min(id), max(id) FROM big;
SELECT id FROM big ORDER BY id LIMIT 2;
SELECT id FROM big ORDER BY id DESC LIMIT 2;
SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off;
SELECT count(*), min(id), max(id) FROM big;
SELECT count(*) FROM (SELECT id FROM big ORDER BY hashint4(id)) x;
SELECT count(s.id) FROM (SELECT i FROM generate_series(0, 20001) i ORDER BY hashint4(i) OFFSET 0) x(i), LATERAL (SELECT i AS id WHERE sees('big_territory', i)) s;
SET work_mem = '64kB'; SET hash_mem_multiplier = 1;
SELECT count(s.id) FROM (SELECT i FROM generate_series(0, 20001) i ORDER BY hashint4(i) OFFSET 0) x(i), LATERAL (SELECT i AS id WHERE sees('big_territory', i)) s;
RESET work_mem; RESET hash_mem_multiplier; RESET enable_indexscan; RESET enable_bitmapscan; RESET enable_indexonlyscan;
SET ROLE reg_access_ann;
SELECT count(s.id) FROM (SELECT i FROM generate_series(0, 20001) i ORDER BY hashint4(i) OFFSET 0) x(i), LATERAL (SELECT i AS id WHERE sees('big_territory', i)) s;
SET work_mem = '64kB'; SET hash_mem_multiplier = 1;
SELECT count(s.id) FROM (SELECT i FROM generate_series(0, 20001) i ORDER BY hashint4(i) OFFSET 0) x(i), LATERAL (SELECT i AS id WHERE sees('big_territory', i)) s;
RESET work_mem; RESET hash_mem_multiplier;
RESET ROLE;
-- workers ask for the same person
SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET enable_indexonlyscan = off; SET enable_indexscan = off; SET enable_bitmapscan = off;
SET ROLE reg_access_writer; SELECT count(*) FROM big; SET ROLE reg_access_mia; SELECT count(*) FROM big; RESET ROLE;
RESET parallel_setup_cost; RESET parallel_tuple_cost; RESET min_parallel_table_scan_size; RESET max_parallel_workers_per_gather; RESET enable_indexonlyscan; RESET enable_indexscan; RESET enable_bitmapscan;
-- another primary key of the pairs is none to find them by
ALTER TABLE big_territory DROP CONSTRAINT big_territory_pkey, ADD CONSTRAINT big_territory_pkey PRIMARY KEY (node_id, id);
SET ROLE reg_access_writer; SELECT err('SELECT id FROM big WHERE id = 100'); RESET ROLE;
SELECT unprotect('big'), detach('big');

-- what is taken back
SELECT unprotect('account');
SET ROLE reg_access_writer; SELECT * FROM seen; RESET ROLE;
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'reg_access'::regnamespace AND (c.relrowsecurity OR EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid));
SELECT via FROM why_visible('account', '1', 'reg_access_ann');
CREATE POLICY other ON account USING (true);
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
SELECT protect('account'); SELECT unprotect('account');
SELECT relrowsecurity, (SELECT string_agg(polname, ' ') FROM pg_policy WHERE polrelid = 'account'::regclass) FROM pg_class WHERE oid = 'account'::regclass;
SELECT detach('deal'), detach('contact'); SELECT detach('account');
DELETE FROM node WHERE path <@ 'A' OR path <@ 'B';
SELECT count(*) FROM member WHERE member LIKE 'reg_access%';
SET client_min_messages = error;
DROP SCHEMA reg_access CASCADE;
DROP OWNED BY reg_access_dba, reg_access_ann, reg_access_bob, reg_access_mia, reg_access_app, reg_access_writer;
DROP ROLE reg_access_dba, reg_access_ann, reg_access_bob, reg_access_mia, reg_access_app, reg_access_writer;
