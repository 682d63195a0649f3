-- who sees what, where something once leaked: drop_node, collations, records above, INSERT ... SELECT, kept expressions, policies of others
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA reg_mended;
SET search_path = reg_mended, territory, public;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_mended.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
  IF SQLSTATE = 'ZZ000' THEN RETURN 'no error'; END IF;
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
CREATE ROLE reg_mended_dba; CREATE ROLE reg_mended_ann; CREATE ROLE reg_mended_bob; CREATE ROLE reg_mended_mia;
GRANT USAGE ON SCHEMA reg_mended TO PUBLIC;
GRANT CREATE ON SCHEMA reg_mended TO reg_mended_dba, reg_mended_ann;
INSERT INTO node (id, path) VALUES (9301, 'A'), (9302, 'A.North'), (9303, 'A.North.Deep'), (9304, 'A.South'), (9305, 'B'), (9306, 'A.South.Deep');
SET ROLE reg_mended_dba;
CREATE TABLE account (id int PRIMARY KEY, country text, owner text, up int);
CREATE INDEX ON account (up);
CREATE TABLE contact (id int PRIMARY KEY, account_id int);
CREATE INDEX ON contact (account_id);
CREATE TABLE deal (id int PRIMARY KEY, account_id int, seller text, amount numeric, stage text, closes date);
CREATE INDEX ON deal (account_id);
SELECT attach('account', owner => 'owner', family => 'up');
SELECT attach('contact', 'contact', parent => 'account', parent_key => 'account_id');
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id', owner => 'seller', amount => 'amount', close_date => 'closes', category => $$CASE stage WHEN 'won' THEN 'closed' ELSE 'pipeline' END$$);
RESET ROLE;
INSERT INTO rule (id, node_id, object, criteria) VALUES (9301, 9302, 'account', $$country = 'N'$$), (9302, 9304, 'account', $$country = 'S'$$), (9303, 9305, 'account', $$country = 'B'$$), (9304, 9303, 'deal', 'amount > 100'), (9305, 9306, 'deal', 'amount > 200');
SET ROLE reg_mended_dba;
INSERT INTO account VALUES (1, 'N', NULL, NULL), (2, 'S', NULL, NULL), (3, 'B', NULL, NULL), (4, 'N', NULL, 3), (5, NULL, NULL, 3), (6, 'B', 'reg_mended_ann', NULL);
INSERT INTO contact VALUES (10, 1), (20, 2), (30, 3);
INSERT INTO deal VALUES (100, 1, 'reg_mended_ann', 500, 'open', '2026-01-01'), (200, 2, 'reg_mended_ann', 10, 'open', '2026-01-01'), (300, 3, 'reg_mended_ann', 10, 'won', '2026-01-01');
GRANT SELECT, INSERT, UPDATE, DELETE ON account, contact, deal TO reg_mended_ann, reg_mended_bob, reg_mended_mia;
GRANT SELECT ON account_territory, account_territory_history, contact_territory, contact_territory_history, deal_territory, deal_territory_history TO reg_mended_ann, reg_mended_bob, reg_mended_mia;
RESET ROLE;
INSERT INTO member (node_id, member, role, access) VALUES (9302, 'reg_mended_ann', 'member', 'write'), (9304, 'reg_mended_bob', 'member', 'write'), (9302, 'reg_mended_mia', 'manager', 'read');
SELECT grant_rights('reg_mended_mia', 'manager'), protect('account');

-- a manager hands nothing over to a territory that is not below his: neither pairs by hand nor adjustments, which the engine moves
INSERT INTO node (id, path) VALUES (9307, 'A.North.Gone');
SELECT make_periods('quarter', '2026-01-01', '2026-03-31') IS NOT NULL AS period;
INSERT INTO adjustment (node_id, period_id, amount) SELECT 9307, id, 1000 FROM period WHERE name = '2026-Q1' AND kind = 'quarter';
SELECT assign('account', '1', 'A.North.Gone');
SET ROLE reg_mended_mia;
SELECT c AS command, err(c) FROM unnest(ARRAY[$$SELECT drop_node('A.North.Gone', 'B')$$, $$SELECT drop_node('A.North.Gone', 'A.North')$$, $$SELECT drop_node('A.North.Gone', 'A.South.Deep')$$]) c;
SELECT deleted, pairs FROM drop_node('A.North.Gone', 'A.North.Deep');
RESET ROLE;
SELECT node_id, amount FROM adjustment WHERE node_id BETWEEN 9301 AND 9307;
DELETE FROM adjustment WHERE node_id = 9303;
DELETE FROM period WHERE name = '2026-Q1';
SELECT unassign('account', '1', 'A.North.Deep');

-- an index with another collation than the key's finds no rows for sees()
CREATE TABLE word (k text COLLATE "C" PRIMARY KEY, n int);
SELECT attach('word');
INSERT INTO rule (node_id, object, criteria) VALUES (9302, 'word', 'n = 1');
CREATE COLLATION reg_mended.blind (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE INDEX word_blind ON word (k COLLATE reg_mended.blind);
INSERT INTO word VALUES ('a', 1), ('A', 2), ('b', 2), ('B', 1);
INSERT INTO word SELECT 'x' || i, 2 FROM generate_series(1, 2000) i;
VACUUM ANALYZE word; VACUUM ANALYZE word_territory;
SELECT protect('word');
GRANT SELECT ON word TO reg_mended_ann;
ALTER TABLE word DROP CONSTRAINT word_pkey;
SET ROLE reg_mended_ann;
SET enable_seqscan = off;
SELECT k FROM word ORDER BY k COLLATE "C";
EXPLAIN (COSTS OFF) SELECT k FROM word;
RESET ROLE;
ALTER TABLE word ADD PRIMARY KEY (k);
SET ROLE reg_mended_ann;
SELECT k FROM word ORDER BY k COLLATE "C";
EXPLAIN (COSTS OFF) SELECT n FROM word;
RESET enable_seqscan;
RESET ROLE;
SELECT unprotect('word'); SELECT detach('word');
DROP TABLE word;

-- match() has the territories of a record above for who may read that
SET ROLE reg_mended_ann;
SELECT k, ARRAY(SELECT n.node_id FROM match('contact', ROW(0, k)::contact) n) AS contact, ARRAY(SELECT n.node_id FROM match('deal', ROW(0, k, NULL, 10, 'open', NULL)::deal) n) AS deal,
       ARRAY(SELECT n.node_id FROM match('account', ROW(0, NULL, NULL, k)::account) n) AS family FROM unnest('{1,2,3,99}'::int[]) k;
SELECT err($$INSERT INTO contact VALUES (31, 3)$$), err($$INSERT INTO contact VALUES (11, 1)$$), err($$INSERT INTO account VALUES (31, NULL, NULL, 3)$$), err($$INSERT INTO account VALUES (31, NULL, NULL, 1)$$);
RESET ROLE;
-- where all follow the top, one that is not readable gives nothing, and the record's own rules do not count
UPDATE object SET family_mode = 'all' WHERE object = 'account'::regclass;
SET ROLE reg_mended_ann;
SELECT err($$INSERT INTO account VALUES (31, 'N', NULL, 3)$$), err($$INSERT INTO account VALUES (31, 'S', NULL, 1)$$);
RESET ROLE;
UPDATE object SET family_mode = 'unmatched' WHERE object = 'account'::regclass;
-- who may not read its table at all gets an error
REVOKE SELECT ON account FROM reg_mended_bob;
SET ROLE reg_mended_bob;
SELECT err($$SELECT match('contact', ROW(0, 1)::contact)$$);
RESET ROLE;
SELECT unprotect('account');
SET ROLE reg_mended_bob;
SELECT err($$SELECT match('contact', ROW(0, 1)::contact)$$);
RESET ROLE;
GRANT SELECT (id) ON account TO reg_mended_bob;
SET ROLE reg_mended_bob;
SELECT match('contact', ROW(0, 1)::contact);
RESET ROLE;
REVOKE SELECT (id) ON account FROM reg_mended_bob;
GRANT SELECT ON account TO reg_mended_bob;
SELECT protect('account');

-- explain and why_not show the territories of a record above to who may read it: deals of ann's, of accounts that she does not see, and two accounts
SELECT assign('account', '2', 'B'), assign('account', '3', 'A.South'), exclude('contact', '10', 'A.North');
INSERT INTO deal VALUES (201, 2, 'reg_mended_ann', 500, 'open', '2026-01-01');
CREATE POLICY mine ON contact FOR SELECT TO reg_mended_bob USING (true);
SET ROLE reg_mended_ann;
SELECT k, path, decision, because, by_rule IS NOT NULL AS ruled, note, from_object, from_key FROM unnest('{100,200,201,300}'::text[]) k, explain('deal', k) WHERE path IS NULL OR decision <> 'criterion failed';
SELECT k, path, decision, because, note, from_key FROM unnest('{4}'::text[]) k, explain('account', k) WHERE decision <> 'criterion failed';
SELECT * FROM explain_text('deal', '300');
SELECT decision, because, note FROM explain('deal', '300', 'A.South');
SELECT w.path, reason, value, becomes, proven, of_object, of_key FROM why_not('deal', '300', 'A.South') w;
SELECT w.path, reason, value, becomes, proven, of_object, of_key FROM why_not('deal', '200', 'A.South.Deep') w;
SET ROLE reg_mended_bob;
SELECT k, path, decision, because, note, from_key FROM unnest('{10,30}'::text[]) k, explain('contact', k) WHERE path IS NULL OR decision <> 'criterion failed';
RESET ROLE;
-- and all of it to others
SELECT k, path, decision, because, by_rule IS NOT NULL AS ruled, note, from_object, from_key FROM unnest('{200,201,300}'::text[]) k, explain('deal', k) WHERE path IS NULL OR decision <> 'criterion failed';
SELECT k, path, decision, because, note, from_key FROM unnest('{10,30}'::text[]) k, explain('contact', k);
DROP POLICY mine ON contact;
DELETE FROM deal WHERE id = 201;
SELECT unassign('account', '2', 'B'), unassign('account', '3', 'A.South'), include('contact', '10', 'A.North');

-- nobody attaches below a table whose policies hold for him, nor protects one above a table of another
SET ROLE reg_mended_dba;
GRANT REFERENCES ON account TO reg_mended_ann;
SET ROLE reg_mended_ann;
CREATE TABLE mine (id int PRIMARY KEY, account_id int);
INSERT INTO mine VALUES (1, 1), (2, 2), (3, 3);
SELECT err($$SELECT attach('mine', 'contact', parent => 'account', parent_key => 'account_id')$$);
RESET ROLE;
SELECT unprotect('account');
SET ROLE reg_mended_ann;
SELECT attach('mine', 'contact', parent => 'account', parent_key => 'account_id');
SET ROLE reg_mended_dba;
SELECT err($$SELECT protect('account')$$);
SELECT count(*) AS policies FROM pg_policy WHERE polrelid = 'account'::regclass;
RESET ROLE;
-- a superuser may, and protects it as well
SELECT protect('account');
SELECT count(*) AS policies FROM pg_policy WHERE polrelid = 'mine'::regclass;
SET ROLE reg_mended_dba;
SET client_min_messages = notice;
SELECT unprotect('account');
SET client_min_messages = warning;
RESET ROLE;
SELECT unprotect('mine'); SELECT detach('mine');
DROP TABLE mine;
SELECT protect('account');

-- what policies consist of does not run in workers, which read memberships by another snapshot than the leader
SELECT p.oid::regprocedure, proparallel FROM pg_proc p WHERE pronamespace = 'territory'::regnamespace
   AND proname IN ('sees', 'edits', 'visible_keys', 'inserting', 'sees_node', 'edits_node', 'my_nodes', 'visible_nodes', 'team', 'member') ORDER BY p.oid::regprocedure::text COLLATE "C";

-- a record without territories is not shown where one reads the table to insert elsewhere, nor to insert into itself
INSERT INTO account VALUES (50, 'D', NULL, NULL);
SET territory.defer_runs = on;
INSERT INTO rule (node_id, object, criteria) VALUES (9302, 'account', $$country = 'D'$$);
RESET territory.defer_runs;
SET ROLE reg_mended_ann;
CREATE TEMP TABLE copied (id int);
INSERT INTO copied SELECT id FROM account;
SELECT array_agg(id ORDER BY id) FROM copied;
WITH i AS (INSERT INTO account SELECT id + 1000, country, owner, up FROM account RETURNING id) SELECT array_agg(id ORDER BY id) FROM i;
-- a row that is there already is not taken for one that is being inserted
WITH i AS (INSERT INTO account SELECT 60, 'N' WHERE NOT EXISTS (SELECT FROM account WHERE id = 50) RETURNING id) SELECT array_agg(id ORDER BY id) FROM i;
INSERT INTO copied SELECT -i FROM unnest('{1,50,999}'::int[]) i WHERE inserting('account_territory', i);
SELECT array_agg(id ORDER BY id) FROM copied WHERE id < 0;
DELETE FROM account WHERE id > 50;
DROP TABLE copied;
RESET ROLE;
DELETE FROM account WHERE id >= 50;

-- an expression that PL/pgSQL keeps: another person of an application, also in a STABLE function at another statement
SET territory.identity = 'app.person';
CREATE FUNCTION by_turns() RETURNS text LANGUAGE plpgsql AS $$
DECLARE answer text := ''; seen bool;
BEGIN
  FOR i IN 1..4 LOOP
    PERFORM set_config('app.person', CASE i WHEN 2 THEN 'reg_mended_bob' WHEN 3 THEN '' ELSE 'reg_mended_ann' END, true);
    seen := sees('account_territory', 1);
    answer := concat_ws(' ', answer, seen);
  END LOOP;
  RETURN answer;
END $$;
CREATE FUNCTION now_and_then() RETURNS bool STABLE LANGUAGE plpgsql AS $$ BEGIN RETURN sees('account_territory', 1); END $$;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT by_turns();
SET LOCAL app.person = 'reg_mended_ann';
SELECT now_and_then();
SET LOCAL app.person = 'reg_mended_bob';
SELECT now_and_then();
COMMIT;
RESET territory.identity;

-- a cursor goes on with what it began with, whoever fetches
BEGIN;
SET LOCAL ROLE reg_mended_ann;
SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off;
DECLARE c CURSOR FOR SELECT id FROM account ORDER BY id;
DECLARE d CURSOR FOR SELECT id FROM account;
FETCH 1 FROM c;
FETCH 1 FROM d;
SET LOCAL ROLE reg_mended_bob;
FETCH ALL FROM c;
FETCH ALL FROM d;
SELECT array_agg(id ORDER BY id) FROM account;
ROLLBACK;

-- row-level security that was on before protect stays on after unprotect, on each table
CREATE TABLE shut (id int PRIMARY KEY, country text) PARTITION BY RANGE (id);
CREATE TABLE shut_a PARTITION OF shut FOR VALUES FROM (0) TO (10);
CREATE TABLE shut_b PARTITION OF shut FOR VALUES FROM (10) TO (20);
SELECT attach('shut');
ALTER TABLE shut ENABLE ROW LEVEL SECURITY; ALTER TABLE shut_b ENABLE ROW LEVEL SECURITY;
SELECT protect('shut'); SELECT protect('shut'); SELECT unprotect('shut');
SELECT relname, relrowsecurity, (SELECT string_agg(polname, ' ') FROM pg_policy WHERE polrelid = c.oid) FROM pg_class c WHERE relnamespace = 'reg_mended'::regnamespace AND relname ~ '^shut' AND relkind IN ('r', 'p') ORDER BY 1;
ALTER TABLE shut DISABLE ROW LEVEL SECURITY; ALTER TABLE shut_b DISABLE ROW LEVEL SECURITY;
SELECT protect('shut'); SELECT unprotect('shut');
SELECT bool_or(relrowsecurity) FROM pg_class WHERE relnamespace = 'reg_mended'::regnamespace AND relname ~ '^shut';
-- policies of these names that are somebody's own are neither dropped nor taken for ours
CREATE POLICY territory_update ON shut FOR UPDATE USING (country = 'N');
SELECT err($$SELECT protect('shut')$$);
ALTER POLICY territory_update ON shut RENAME TO own_update;
CREATE POLICY territory_select ON shut_territory USING (id > 0);
SELECT err($$SELECT protect('shut')$$), err($$SELECT unprotect('shut')$$);
DROP POLICY territory_select ON shut_territory;
CREATE POLICY territory_select ON shut FOR SELECT USING (true);
SELECT err($$SELECT protect('shut')$$), err($$SELECT unprotect('shut')$$);
DROP POLICY territory_select ON shut;
SELECT protect('shut');
-- where row-level security was switched off, nothing is protected
SELECT via FROM why_visible('shut', '1', 'reg_mended_ann');
ALTER TABLE shut DISABLE ROW LEVEL SECURITY;
SELECT via, sees, note FROM why_visible('shut', '1', 'reg_mended_ann');
SELECT unprotect('shut');
SELECT string_agg(polname, ' ') FROM pg_policy WHERE polrelid = 'shut'::regclass;
SELECT detach('shut');
DROP TABLE shut;

-- a reader reads the views of forecasts, and all else but what is about records, as far as he sees these; and asks nothing about other people
SELECT grant_rights('reg_mended_ann', 'reader');
SET ROLE reg_mended_ann;
SELECT c.relname, left(err(format('SELECT * FROM territory.%I', c.relname)), 60) AS err FROM pg_class c WHERE relnamespace = 'territory'::regnamespace AND relkind IN ('r', 'v', 'm')
   AND err(format('SELECT * FROM territory.%I', c.relname)) <> 'no error' ORDER BY 1;
SELECT err($$SELECT * FROM visible_nodes('reg_mended_bob')$$), err($$SELECT * FROM why_visible('account', '1', 'reg_mended_bob')$$);
RESET ROLE;
SELECT revoke_rights('reg_mended_ann');
SET ROLE reg_mended_ann;
SELECT err('SELECT * FROM forecast_member'), err('SELECT node_id FROM member');
RESET ROLE;

-- team() says no more of a territory that is there than of one that is not
SET ROLE reg_mended_ann;
SELECT err($$SELECT * FROM team('B')$$), err($$SELECT * FROM team('nowhere')$$), err($$SELECT * FROM team('A.North')$$);
RESET ROLE;
SELECT err($$SELECT * FROM team('nowhere')$$);

SELECT unprotect('account'); SELECT detach('deal'), detach('contact'); SELECT detach('account');
DELETE FROM node WHERE path <@ 'A' OR path <@ 'B';
SET client_min_messages = error;
DROP SCHEMA reg_mended CASCADE;
DROP OWNED BY reg_mended_dba, reg_mended_ann, reg_mended_bob, reg_mended_mia;
DROP ROLE reg_mended_dba, reg_mended_ann, reg_mended_bob, reg_mended_mia;
