-- who held what when and why, as of any time; who changed the configuration; what is kept how long
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_history;
SET search_path = reg_history, territory;
CREATE TABLE account (id int PRIMARY KEY, country text, size int);
SELECT attach('account');
INSERT INTO node (path) VALUES ('H'), ('H.NL'), ('H.NL.Big'), ('H.DE'), ('H.Old');
INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('H.NL'), 'account', 'nl', $$country = 'NL'$$), (node_id('H.NL.Big'), 'account', 'big', 'size > 500'), (node_id('H.DE'), 'account', 'de', $$country = 'DE'$$);

-- told: the history without what differs from run to run: times as the numbers of moments of this table
CREATE FUNCTION told(record text DEFAULT NULL) RETURNS TABLE (key text, path territory, begin bigint, "end" bigint, cause text, detail text, end_cause text, end_detail text, rule text, same_actor bool)
LANGUAGE sql AS $$
  WITH moment AS (SELECT at, row_number() OVER (ORDER BY at) AS number FROM change WHERE object = 'account'::regclass)
  SELECT h.key, h.path, b.number, e.number, h.cause, regexp_replace(h.detail, '\d+', 'N'), h.end_cause, regexp_replace(h.end_detail, '\d+', 'N'), r.name, h.actor = current_user AND h.login IS NULL
    FROM record_history('account', record) h LEFT JOIN moment b ON b.at = lower(h.during) LEFT JOIN moment e ON e.at = upper(h.during) LEFT JOIN rule r ON r.id = h.rule_id
   ORDER BY h.key::int, b.number, h.path $$;
-- checked: nothing overlaps, nothing is empty, what stands is as it stands, and no moment is without its row
CREATE FUNCTION checked(attached regclass DEFAULT 'account') RETURNS text LANGUAGE sql AS $$
  SELECT concat_ws(', ',
    (SELECT 'overlaps: ' || count(*) FROM pair_history(attached) a JOIN pair_history(attached) b ON a.key = b.key AND a.node_id = b.node_id AND (a.since, a.until) IS DISTINCT FROM (b.since, b.until)
      WHERE tstzrange(a.since, a.until) && tstzrange(b.since, b.until) HAVING count(*) > 0),
    (SELECT 'twice: ' || count(*) FROM (SELECT FROM pair_history(attached) h GROUP BY h.key, h.node_id, h.since HAVING count(*) > 1) x HAVING count(*) > 0),
    (SELECT 'empty: ' || count(*) FROM pair_history(attached) h WHERE isempty(tstzrange(h.since, h.until)) HAVING count(*) > 0),
    (SELECT 'now: ' || count(*) FROM (SELECT key, node_id, rule_id, manual FROM as_of(attached, clock_timestamp())) a FULL JOIN (SELECT key, node_id, rule_id, manual FROM assignments(attached)) b USING (key, node_id, rule_id, manual)
      WHERE a.key IS NULL OR b.key IS NULL HAVING count(*) > 0),
    (SELECT 'unknown: ' || count(*) FROM pair_history(attached) h WHERE NOT EXISTS (SELECT FROM change c WHERE c.at = h.since) OR h.until IS NOT NULL AND NOT EXISTS (SELECT FROM change c WHERE c.at = h.until) HAVING count(*) > 0),
    'checked') $$;
-- remembered: the pairs at some times
CREATE TABLE remembered (what text, at timestamptz, key text, node_id int, rule_id int, manual bool);
CREATE PROCEDURE remember(what text) LANGUAGE sql AS $$ INSERT INTO remembered SELECT what, clock_timestamp(), key, node_id, rule_id, manual FROM assignments('account') $$;

INSERT INTO account VALUES (1, 'NL', 10), (2, 'NL', 900), (3, 'DE', 10), (4, 'FR', 10);
CALL remember('inserted');
UPDATE account SET country = 'DE' WHERE id = 1;
UPDATE account SET size = 20 WHERE id = 1;
INSERT INTO account VALUES (2, 'DE', 1), (5, 'DE', 1) ON CONFLICT (id) DO UPDATE SET size = 1;
CALL remember('updated');
DELETE FROM account WHERE id = 3;
UPDATE rule SET criteria = 'size >= 20' WHERE name = 'big';
UPDATE account SET country = 'NL' WHERE id = 1;
CALL remember('moved');
INSERT INTO exclusion (object, key, node_id) VALUES ('account', '5', NULL);
UPDATE node SET cascade = false WHERE path = 'H.NL';
UPDATE object SET mode = 'all' WHERE object = 'account'::regclass;
CALL remember('all');
UPDATE object SET mode = 'deepest' WHERE object = 'account'::regclass;
SET territory.defer_runs = on;
DELETE FROM rule WHERE name = 'de';
RESET territory.defer_runs;
INSERT INTO account VALUES (6, 'NL', 1);
SELECT added, removed FROM run('account', "only" => 'id < 100');
SELECT * FROM told();
SELECT checked();
SELECT what, (SELECT count(*) FROM as_of('account', r.at)) AS "then",
       (SELECT count(*) FROM remembered x FULL JOIN as_of('account', r.at) a ON a.key = x.key AND a.node_id = x.node_id AND a.rule_id = x.rule_id AND a.manual = x.manual WHERE x.what = r.what AND a.key IS NOT NULL) AS right
  FROM (SELECT what, max(at) AS at, count(*) FROM remembered GROUP BY what) r ORDER BY at;
SELECT count(*) FROM as_of('account', '2000-01-01');
SELECT count(*) FROM as_of('account', NULL);

-- the view has them all, in the contract's order; one record is found by the index
SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'territory.history'::regclass AND attnum > 0;
SELECT count(*) = (SELECT count(*) FROM told()) FROM history WHERE object = 'account'::regclass;
SELECT key, path, cause FROM history WHERE object = 'account'::regclass AND key = '1' AND during @> clock_timestamp();
SELECT path, begin, "end" FROM told('1');

-- what no other transaction has seen is not there; nor what was rolled back
BEGIN;
INSERT INTO account VALUES (10, 'NL', 1);
UPDATE account SET country = 'FR' WHERE id = 10;
SAVEPOINT s;
UPDATE account SET country = 'NL' WHERE id = 10;
ROLLBACK TO s;
UPDATE account SET country = 'NL', size = 100 WHERE id = 10;
COMMIT;
BEGIN;
DELETE FROM account;
ROLLBACK;
SELECT path, cause, "end" FROM told('10');
SELECT checked();

-- the rule by which a record stands may change while it stands: one line of history, but as_of knows
INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('H.Old'), 'account', 'first', 'id = 20'), (node_id('H.Old'), 'account', 'second', 'id >= 20');
INSERT INTO account VALUES (20, 'FR', 0);
SELECT clock_timestamp() AS before \gset
DELETE FROM rule WHERE name = 'first';
SELECT path, rule, cause, "end" FROM told('20');
SELECT r.name FROM as_of('account', clock_timestamp()) a JOIN rule r ON r.id = a.rule_id WHERE a.key = '20';
SELECT a.rule_id = (SELECT (old ->> 'id')::int FROM audit WHERE operation = 'DELETE' AND old ->> 'name' = 'first') AS first FROM as_of('account', :'before') a WHERE a.key = '20';
-- a pair that begins and changes its rule in one transaction has no past
BEGIN;
INSERT INTO account VALUES (21, 'FR', 0);
INSERT INTO rule (id, node_id, object, name, criteria) VALUES (-1, node_id('H.Old'), 'account', 'third', 'id = 21');
COMMIT;
SELECT count(*) FROM account_territory_history WHERE id = 21;
SELECT checked();

-- keys: history follows them, swapped ones too
UPDATE account SET id = id + 500 WHERE id IN (10, 20);
UPDATE account SET id = 530 - id WHERE id IN (510, 520);
SELECT key, path, rule, cause FROM told() WHERE key IN ('10', '20') AND "end" IS NULL;
UPDATE account SET id = 11 WHERE id = 1;
SELECT count(*) FROM told('1');
SELECT path, begin, "end" FROM told('11');
-- the key of a record that is gone: what both had at the same time stands once
INSERT INTO account VALUES (40, 'NL', 0), (41, 'NL', 0), (42, 'FR', 0);
DELETE FROM account WHERE id = 41;
INSERT INTO account VALUES (41, 'NL', 0);
DELETE FROM account WHERE id = 41;
UPDATE account SET id = 41 WHERE id = 40;
UPDATE account SET id = 3 WHERE id = 42;
-- and of one that goes in the same statement
INSERT INTO account VALUES (12, 'NL', 0), (13, 'NL', 0);
WITH gone AS (DELETE FROM account WHERE id = 12) UPDATE account SET id = 14 WHERE id = 13;
INSERT INTO account VALUES (13, 'NL', 0);
CREATE FUNCTION take_over() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN UPDATE reg_history.account SET id = OLD.id WHERE id = 14; RETURN NULL; END$$;
CREATE TRIGGER take_over AFTER DELETE ON account FOR EACH ROW EXECUTE FUNCTION take_over();
DELETE FROM account WHERE id = 13;
DROP TRIGGER take_over ON account;
SELECT key, path, begin, "end", cause FROM told() WHERE key IN ('12', '13', '14');
SELECT key, path, "end" IS NOT NULL AS ended FROM told('41') UNION ALL SELECT key, path, "end" IS NOT NULL FROM told('3');
SELECT checked();

-- paths: the node's of today; of a deleted node, the last
UPDATE node SET name = 'Holland' WHERE path = 'H.NL';
DELETE FROM account WHERE id IN (20, 10, 21);
DELETE FROM rule WHERE name IN ('second', 'third');
DELETE FROM node WHERE path = 'H.Old';
SELECT DISTINCT path FROM told() ORDER BY path;
SELECT path FROM as_of('account', :'before') WHERE key IN ('10', '20') ORDER BY path;

-- switched off, and on again
UPDATE object SET history = false WHERE object = 'account'::regclass;
INSERT INTO account VALUES (50, 'NL', 0);
UPDATE account SET country = 'FR' WHERE id = 11;
UPDATE object SET history = true WHERE object = 'account'::regclass;
UPDATE account SET country = 'FR' WHERE id = 50;
UPDATE account SET country = 'NL' WHERE id = 11;
SELECT path, cause, end_cause FROM told('50');
SELECT path, cause, end_cause FROM told('11');
SELECT count(*) FROM pair_history('account') h WHERE until <= since;

-- where the engine may not write directly: triggers, further columns, indexes of expressions; and the same with more records
CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN coalesce(NEW, OLD); END$$;
CREATE TABLE other (k text PRIMARY KEY, country text, size int);
SELECT attach('other');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('H.DE'), 'other', $$country = 'DE'$$), (node_id('H.Holland'), 'other', $$country = 'NL'$$), (node_id('H'), 'other', $$size = 1$$), (node_id('H'), 'other', $$size IN (1, 2)$$);
UPDATE node SET cascade = false WHERE path = 'H';
CREATE PROCEDURE change_all() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO other SELECT 'k' || i, CASE i % 3 WHEN 0 THEN 'DE' WHEN 1 THEN 'NL' END, i % 4 FROM generate_series(1, 30) i; COMMIT;
  UPDATE other SET country = 'NL' WHERE country = 'DE'; COMMIT;
  UPDATE other SET size = 2 WHERE size = 1; COMMIT;
  UPDATE other SET k = 'x' || k WHERE country = 'NL'; COMMIT;
  DELETE FROM other WHERE size = 3; COMMIT;
  TRUNCATE other; COMMIT;
END $$;
CREATE FUNCTION what_is() RETURNS text LANGUAGE sql AS $$ SELECT format('%s ended, %s held, %s stand, %s', count(*) FILTER (WHERE NOT held), count(*) FILTER (WHERE held), (SELECT count(*) FROM other_territory), checked('other')) FROM other_territory_history $$;
CALL change_all();
SELECT what_is();
CREATE TRIGGER nothing BEFORE INSERT OR UPDATE OR DELETE ON other_territory FOR EACH ROW EXECUTE FUNCTION nothing();
CALL change_all();
SELECT what_is();
DROP TRIGGER nothing ON other_territory;
CREATE INDEX ON other_territory_history (lower(k));
CALL change_all();
SELECT what_is();
CREATE TRIGGER nothing BEFORE INSERT ON other_territory_history FOR EACH ROW EXECUTE FUNCTION nothing();
ALTER TABLE other_territory_history ADD COLUMN more int DEFAULT 7;
CALL change_all();
SELECT what_is(), (SELECT count(*) FROM other_territory_history WHERE more = 7);
SELECT count(DISTINCT xid) AS transactions FROM history WHERE object = 'other'::regclass;
SELECT DISTINCT end_cause FROM history WHERE object = 'other'::regclass ORDER BY 1;
-- a foreign key of the user removes pairs
ALTER TABLE other_territory ADD FOREIGN KEY (k) REFERENCES other ON DELETE CASCADE;
INSERT INTO other VALUES ('a', 'NL', 0), ('b', 'DE', 0);
DELETE FROM other WHERE k = 'a';
SELECT key, path, cause, end_cause FROM record_history('other', 'a');
SELECT checked('other');
-- DDL on the table of pairs that ended
ALTER TABLE other_territory_history DROP COLUMN held;
ALTER TABLE other_territory_history RENAME COLUMN until TO til;
DROP TABLE other_territory_history;
ALTER TABLE other_territory_history RENAME TO former;
UPDATE other SET country = 'DE', size = 1;
DELETE FROM other;
SELECT key, path, end_cause FROM record_history('other', 'b') ORDER BY path;
SELECT attach('former');
DROP TABLE former;

-- nobody but the engine writes any of it
DELETE FROM account_territory_history;
TRUNCATE account_territory_history;
INSERT INTO change VALUES (now(), 'account', 'x', NULL, 'me', NULL, '1');
UPDATE audit SET actor = 'somebody else';
TRUNCATE audit;
DELETE FROM former_node;
UPDATE object SET past = 'account';

-- who sees it: whoever may read both tables of pairs, and of the records those that he may read
CREATE ROLE reg_history_reader;
CREATE ROLE reg_history_writer;
GRANT USAGE ON SCHEMA reg_history TO reg_history_reader, reg_history_writer;
GRANT SELECT ON ALL TABLES IN SCHEMA territory TO reg_history_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON account TO reg_history_writer;
SET ROLE reg_history_writer;
INSERT INTO account VALUES (60, 'NL', 0), (61, 'NL', 0);
UPDATE account SET country = 'FR' WHERE id = 60;
SELECT count(*) FROM history;
SELECT count(*) FROM audit;
SELECT prune_history('1 s');
RESET ROLE;
SELECT key, cause, actor, login = session_user AS login, end_actor, end_login = session_user AS end_login FROM record_history('account') WHERE key IN ('60', '61') ORDER BY key;
SET ROLE reg_history_reader;
SELECT count(*) FROM record_history('account');
RESET ROLE;
GRANT SELECT ON account, account_territory TO reg_history_reader;
SET ROLE reg_history_reader;
SELECT count(*) FROM record_history('account');
SELECT count(*) FROM as_of('account', now());
RESET ROLE;
GRANT SELECT ON account_territory_history TO reg_history_reader;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON account TO reg_history_reader USING (id IN (11, 60));
SET ROLE reg_history_reader;
SELECT DISTINCT key FROM record_history('account') ORDER BY key;
SELECT count(*) FROM record_history('account', '61');
SELECT DISTINCT key FROM as_of('account', clock_timestamp()) ORDER BY key;
RESET ROLE;
ALTER TABLE account DISABLE ROW LEVEL SECURITY;
SET ROLE reg_history_reader;
SELECT count(*) > 10 FROM record_history('account');
SELECT count(*) > 10 AS audit FROM audit;
RESET ROLE;

-- the audit: each change once, with what was and what is; what follows by itself is not in it
SELECT coalesce(max(id), 0) AS last FROM audit \gset
UPDATE node SET parent_id = node_id('H.DE') WHERE path = 'H.Holland';
UPDATE node SET priority = priority;
INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('H.DE'), 'account', 'one', 'id = 1'), (node_id('H.DE'), 'account', 'two', 'id = 2');
UPDATE rule SET criteria = CASE name WHEN 'one' THEN 'id = 3' ELSE criteria END WHERE name IN ('one', 'two');
UPDATE rule SET id = -100 WHERE name = 'one';
UPDATE exclusion SET note = 'why' WHERE key = '5';
DELETE FROM exclusion WHERE key = '5';
UPDATE model SET description = 'd' WHERE state = 'active';
ALTER TABLE account RENAME COLUMN size TO staff;
BEGIN;
DELETE FROM rule WHERE name = 'two';
ROLLBACK;
SET ROLE reg_history_reader;
UPDATE node SET name = 'x';
RESET ROLE;
DELETE FROM rule WHERE node_id = node_id('H.DE') AND object = 'account'::regclass;
DELETE FROM rule WHERE node_id = node_id('H.DE');
INSERT INTO rule (node_id, object, name, criteria, active) VALUES (node_id('H.DE.Holland'), 'account', 'gone', 'id = 1', false);
DELETE FROM account;
DELETE FROM other;
DELETE FROM node WHERE path <@ 'H.DE.Holland';
SELECT table_name, operation, model_id = active_model() AS model, actor = session_user AS actor, login,
       (SELECT string_agg(coalesce(o.key, n.key) || ': ' || coalesce(o.value, '-') || ' > ' || coalesce(n.value, '-'), ', ' ORDER BY coalesce(o.key, n.key) COLLATE "C")
          FROM jsonb_each_text(coalesce(old, '{}')) o FULL JOIN jsonb_each_text(coalesce(new, '{}')) n ON n.key = o.key
         WHERE o.value IS DISTINCT FROM n.value AND coalesce(o.key, n.key) NOT IN ('id', 'node_id', 'parent_id', 'model_id', 'active', 'object', 'cascade', 'priority', 'created_at', 'created_by')) AS changed
  FROM audit WHERE id > :last ORDER BY min(id) OVER (PARTITION BY xid, table_name, operation), length(row_id), row_id;
SELECT table_name, row_id, operation, new ->> 'past' AS past FROM audit WHERE table_name = 'object' AND row_id LIKE 'reg_history.%' AND operation = 'INSERT' ORDER BY id;

-- retention: by table, by argument, by setting; what a standing pair tells is kept
INSERT INTO account VALUES (70, 'FR', 0);
INSERT INTO node (path) VALUES ('H.New');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('H.New'), 'account', $$country = 'FR'$$), (node_id('H.New'), 'other', $$country = 'FR'$$);
INSERT INTO other VALUES ('c', 'FR', 0);
SELECT (prune_history()).pairs;
SET territory.keep_history = 'nonsense';
SELECT prune_history();
SET territory.keep_history = '1 day';
SELECT * FROM prune_history();
UPDATE object SET keep_history = '0 s' WHERE object = 'account'::regclass;
SELECT pairs > 10 AS pairs, audits FROM prune_history();
SELECT key, path, cause FROM record_history('account');
SELECT count(*) FROM change WHERE object = 'account'::regclass;
SELECT count(*) > 10 FROM record_history('other');
SELECT count(*) > 0 AS kept FROM former_node;
SELECT pairs > 10 AS pairs, audits > 10 AS audits FROM prune_history('0 s');
SELECT (SELECT count(*) FROM former_node) AS nodes, (SELECT count(*) FROM audit) AS audits, (SELECT count(*) FROM change) AS moments, (SELECT count(*) FROM history) AS pairs;
RESET territory.keep_history;

-- detaching takes history along
SELECT territory.detach('account');
SELECT territory.detach('other');
SELECT to_regclass('account_territory_history'), (SELECT count(*) FROM change WHERE object::text LIKE '%account' OR object::text LIKE '%other');

-- names: a table of that name is in the way; long ones are cut
CREATE TABLE account_territory_history (id int);
SELECT attach('account');
DROP TABLE account_territory_history;
CREATE TABLE "a table with a name that is as long as a name may be, or nearly!" (until int PRIMARY KEY, k int NOT NULL UNIQUE);
SELECT attach('"a table with a name that is as long as a name may be, or nearly!"');
SELECT attach('"a table with a name that is as long as a name may be, or nearly!"', key => 'k') IS NOT NULL AS attached;
SELECT past FROM object;
SELECT territory.detach(object) FROM object;

DELETE FROM rule;
DELETE FROM node;
SELECT (prune_history('0 s')).pairs;
DROP OWNED BY reg_history_reader, reg_history_writer;
DROP ROLE reg_history_reader, reg_history_writer;
DROP SCHEMA reg_history CASCADE;
