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
INSERT INTO rule (node_id, object, criteria) VALUES (9302, 'account', $$country = 'N'$$), (9304, 'account', $$country = 'S'$$), (9305, 'account', $$country = 'B'$$), (9303, 'deal', 'amount > 100'), (9306, 'deal', 'amount > 200');
SET ROLE reg_mended_dba;
INSERT INTO account VALUES (1, 'N', NULL, NULL), (2, 'S', NULL, NULL), (3, 'B', NULL, NULL), (4, 'N', NULL, 3), (5, NULL, NULL, 3), (6, 'B', 'reg_mended_ann', NULL);
INSERT INTO contact VALUES (10, 1), (20, 2), (30, 3);
INSERT INTO deal VALUES (100, 1, 'reg_mended_ann', 500, 'open', '2026-01-01'), (200, 2, 'reg_mended_ann', 10, 'open', '2026-01-01'), (300, 3, 'reg_mended_ann', 10, 'won', '2026-01-01');
GRANT SELECT, INSERT, UPDATE, DELETE ON account, contact, deal TO reg_mended_ann, reg_mended_bob, reg_mended_mia;
GRANT SELECT ON account_territory, account_territory_history, contact_territory, contact_territory_history, deal_territory, deal_territory_history TO reg_mended_ann, reg_mended_bob, reg_mended_mia;
RESET ROLE;
INSERT INTO member (node_id, member, role, access) VALUES (9302, 'reg_mended_ann', 'member', 'write'), (9304, 'reg_mended_bob', 'member', 'write'), (9302, 'reg_mended_mia', 'manager', 'read');
SELECT grant_rights('reg_mended_mia', 'manager'), protect('account');

-- a manager hands nothing over to a territory that is not below his: neither pairs by hand nor targets, which the engine moves
INSERT INTO node (id, path) VALUES (9307, 'A.North.Gone');
SELECT make_periods('quarter', '2026-01-01', '2026-03-31') IS NOT NULL AS period;
INSERT INTO target (node_id, period_id, amount) SELECT 9307, id, 1000 FROM period WHERE name = '2026-Q1' AND kind = 'quarter';
SELECT assign('account', '1', 'A.North.Gone');
SET ROLE reg_mended_mia;
SELECT c AS command, err(c) FROM unnest(ARRAY[$$SELECT drop_node('A.North.Gone', 'B')$$, $$SELECT drop_node('A.North.Gone', 'A.North')$$, $$SELECT drop_node('A.North.Gone', 'A.South.Deep')$$]) c;
SELECT deleted, pairs FROM drop_node('A.North.Gone', 'A.North.Deep');
RESET ROLE;
SELECT node_id, amount FROM target WHERE node_id BETWEEN 9301 AND 9307;
DELETE FROM target WHERE node_id = 9303;
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

SELECT unprotect('account'); SELECT detach('deal'), detach('contact'); SELECT detach('account');
DELETE FROM node WHERE path <@ 'A' OR path <@ 'B';
SET client_min_messages = error;
DROP SCHEMA reg_mended CASCADE;
DROP OWNED BY reg_mended_dba, reg_mended_ann, reg_mended_bob, reg_mended_mia;
DROP ROLE reg_mended_dba, reg_mended_ann, reg_mended_bob, reg_mended_mia;
