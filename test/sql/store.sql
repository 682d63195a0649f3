-- How pairs are written: directly, or by SQL where somebody else has a say in the assignment table
CREATE SCHEMA reg_store;
SET search_path = reg_store, territory, public;
SET client_min_messages = warning;
INSERT INTO node (path) VALUES ('S'), ('S.A'), ('S.B');
-- what is wrong, and how many pairs there are of each node
CREATE FUNCTION state(object regclass) RETURNS text LANGUAGE plpgsql AS $$
DECLARE pairs text;
BEGIN
  EXECUTE format('SELECT string_agg(n.path::text || '':'' || c, '' '' ORDER BY n.path) FROM (SELECT node_id, count(*) AS c FROM %s GROUP BY 1) a JOIN territory.node n ON n.id = a.node_id',
                 (SELECT assignment FROM territory.object o WHERE o.object = $1)) INTO pairs;
  RETURN format('%s wrong; %s', (SELECT count(*) FROM territory.verify($1)), coalesce(pairs, 'none'));
END$$;
CREATE FUNCTION err(sql text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN EXECUTE sql; RETURN 'done'; EXCEPTION WHEN others THEN RETURN sqlstate || ' ' || sqlerrm; END$$;
CREATE TABLE seen (what text, n bigint);

-- every kind of write, over whatever stands on the assignment table
CREATE TABLE t (k int PRIMARY KEY, v int, note text);
SELECT attach('t', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 't', 'v > 0'), (node_id('S'), 't', 'v > 5'),
  (node_id('S.A'), 't', 'v IN (1, 2)'), (node_id('S.B'), 't', 'v = 2');
CREATE PROCEDURE writes() LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO t SELECT i, i % 4 FROM generate_series(1, 100) i;
  INSERT INTO seen SELECT 'insert: ' || state('t');
  INSERT INTO t VALUES (101, 1);
  UPDATE t SET v = (v + 1) % 4;
  INSERT INTO seen SELECT 'update: ' || state('t');
  UPDATE t SET v = 6 WHERE k = 7;
  UPDATE territory.rule SET active = NOT active WHERE criteria = 'v > 0';
  INSERT INTO seen SELECT 'rule: ' || state('t');
  UPDATE territory.rule SET active = NOT active WHERE criteria = 'v > 0';
  UPDATE t SET k = k + 1000 WHERE k < 10;
  DELETE FROM t WHERE k % 3 = 0;
  INSERT INTO seen SELECT 'delete: ' || state('t');
  INSERT INTO t VALUES (3, 2), (1001, 2) ON CONFLICT (k) DO UPDATE SET v = 3;
  INSERT INTO t VALUES (3, 2) ON CONFLICT DO NOTHING;
  INSERT INTO seen SELECT 'upsert: ' || state('t');
  DELETE FROM t;
  INSERT INTO seen SELECT 'empty: ' || state('t');
END$$;
CALL writes();
SELECT what FROM seen;
CREATE TABLE plain AS TABLE seen;
-- the same, but for what the table adds
CREATE FUNCTION compare(addition text, undo text) RETURNS TABLE (what text, n bigint) LANGUAGE plpgsql AS $$
BEGIN
  TRUNCATE seen;
  EXECUTE addition;
  CALL writes();
  EXECUTE undo;
  RETURN QUERY SELECT 'differs: ' || s.what, NULL::bigint FROM (SELECT seen.what FROM seen WHERE seen.n IS NULL EXCEPT ALL SELECT plain.what FROM plain) s;
  RETURN QUERY SELECT seen.what, sum(seen.n)::bigint FROM seen WHERE seen.n IS NOT NULL GROUP BY 1 ORDER BY 1;
END$$;
CREATE FUNCTION saw() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO reg_store.seen VALUES (lower(tg_when || ' ' || tg_op || ' ' || tg_level), 1); RETURN CASE WHEN tg_op = 'DELETE' THEN old ELSE new END; END$$;
CREATE FUNCTION counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO reg_store.seen SELECT 'transition table', count(*) FROM added; RETURN NULL; END$$;
SELECT * FROM compare('CREATE TRIGGER x AFTER INSERT OR UPDATE OR DELETE ON t_territory FOR EACH ROW EXECUTE FUNCTION saw()', 'DROP TRIGGER x ON t_territory');
SELECT * FROM compare('CREATE TRIGGER x BEFORE INSERT OR UPDATE OR DELETE ON t_territory FOR EACH ROW EXECUTE FUNCTION saw()', 'DROP TRIGGER x ON t_territory');
SELECT * FROM compare('CREATE TRIGGER x BEFORE DELETE ON t_territory FOR EACH ROW EXECUTE FUNCTION saw()', 'DROP TRIGGER x ON t_territory');
SELECT * FROM compare('CREATE TRIGGER x AFTER UPDATE ON t_territory FOR EACH STATEMENT EXECUTE FUNCTION saw()', 'DROP TRIGGER x ON t_territory');
SELECT * FROM compare('CREATE TRIGGER x AFTER INSERT ON t_territory REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION counted()', 'DROP TRIGGER x ON t_territory');
SELECT * FROM compare('ALTER TABLE t_territory ADD FOREIGN KEY (k) REFERENCES t ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED', 'SET CONSTRAINTS ALL IMMEDIATE');
ALTER TABLE t_territory DROP CONSTRAINT t_territory_k_fkey;
SELECT * FROM compare('ALTER TABLE t_territory ADD CHECK (node_id > 0 OR rule_id > 0)', 'ALTER TABLE t_territory DROP CONSTRAINT t_territory_check');
SELECT * FROM compare('ALTER TABLE t_territory ADD COLUMN by name DEFAULT current_user, ADD COLUMN twice int GENERATED ALWAYS AS (node_id * 2) STORED', 'ALTER TABLE t_territory DROP COLUMN by, DROP COLUMN twice');
SELECT detach('t');
CREATE FUNCTION attach_again() RETURNS void LANGUAGE sql AS $$
  SELECT attach('t', mode => 'all');
  INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 't', 'v > 0'), (node_id('S'), 't', 'v > 5'),
    (node_id('S.A'), 't', 'v IN (1, 2)'), (node_id('S.B'), 't', 'v = 2') $$;
SELECT attach_again();
-- indexes of all kinds; one on rule_id, so that a changed rule needs new entries
SELECT * FROM compare('CREATE INDEX x ON t_territory (rule_id, since) INCLUDE (k); CREATE UNIQUE INDEX y ON t_territory (node_id, k); CREATE INDEX z ON t_territory USING hash (node_id)', '');
SET enable_seqscan = off;
INSERT INTO t SELECT i, i % 4 FROM generate_series(1, 40) i;
UPDATE t SET v = 7 WHERE v = 1 AND k > 20;
UPDATE rule SET active = false WHERE criteria = 'v > 0';
SELECT count(*), count(*) FILTER (WHERE rule_id = r.id) AS now FROM t_territory, rule r WHERE r.criteria = 'v > 5' AND rule_id = r.id;
UPDATE rule SET active = true WHERE criteria = 'v > 0';
SELECT count(*) FROM t_territory a, rule r WHERE r.criteria = 'v > 0' AND a.rule_id = r.id;
RESET enable_seqscan;
DELETE FROM t;
DROP INDEX x, y, z;
SELECT * FROM compare('CREATE INDEX x ON t_territory ((node_id % 7), k); CREATE INDEX y ON t_territory (k) WHERE rule_id IS NULL; CREATE UNIQUE INDEX z ON t_territory (k, node_id, coalesce(rule_id, 0))', '');
INSERT INTO t SELECT i, 1 + i % 3 FROM generate_series(1, 30) i;
SET enable_seqscan = off;
SELECT count(*) FROM t_territory WHERE node_id % 7 = node_id('S') % 7;
RESET enable_seqscan;
SELECT state('t');
DELETE FROM t;
DROP INDEX x, y, z;
SELECT * FROM compare('ALTER TABLE t_territory ADD CONSTRAINT x UNIQUE (node_id, k, manual) DEFERRABLE INITIALLY DEFERRED', 'SET CONSTRAINTS ALL IMMEDIATE');
ALTER TABLE t_territory DROP CONSTRAINT x;
-- constraints of users hold
CREATE UNIQUE INDEX x ON t_territory (k);
SELECT err('INSERT INTO t VALUES (1, 2)'), err('INSERT INTO t SELECT i, 1 + i % 2 FROM generate_series(1, 200) i');
DROP INDEX x;
CREATE UNIQUE INDEX x ON t_territory (k) WHERE rule_id IS NOT NULL;
SELECT err('INSERT INTO t VALUES (1, 2)');
DROP INDEX x;
ALTER TABLE t_territory ADD CHECK (k < 100);
SELECT err('INSERT INTO t VALUES (1, 2), (100, 1)'), err('INSERT INTO t VALUES (1, 2)');
ALTER TABLE t_territory DROP CONSTRAINT t_territory_k_check;
SELECT err('ALTER TABLE t_territory ALTER rule_id SET NOT NULL'), err('INSERT INTO t VALUES (2, 2)');
ALTER TABLE t_territory ALTER rule_id DROP NOT NULL;
CREATE ROLE reg_store_writer;
GRANT USAGE ON SCHEMA reg_store TO reg_store_writer;
GRANT ALL ON t, seen TO reg_store_writer;
ALTER TABLE t_territory ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SET ROLE reg_store_writer;
INSERT INTO t VALUES (3, 2);
UPDATE t SET v = 1 WHERE k = 1;
DELETE FROM t WHERE k = 2;
RESET ROLE;
ALTER TABLE t_territory DISABLE ROW LEVEL SECURITY;
SELECT state('t');
-- another owner of the assignment table, who may not be passed by
ALTER TABLE t_territory OWNER TO reg_store_writer;
SELECT err('UPDATE t SET v = 2 WHERE k = 1'), state('t');
DROP TRIGGER "00_territory_guard" ON t_territory;
INSERT INTO t VALUES (4, 2);
SELECT state('t');
SELECT detach('t');
DROP TABLE t;

-- what is left over from times when triggers were switched off; a pair made by hand stays
CREATE TABLE l (k uuid PRIMARY KEY, v int);
SELECT attach('l', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 'l', 'v > 0'), (node_id('S.A'), 'l', 'v = 1');
CREATE FUNCTION u(int) RETURNS uuid LANGUAGE sql AS $$SELECT (lpad(to_hex($1 * 77 % 256), 8, '0') || '-0000-4000-8000-00000000abcd')::uuid$$;
INSERT INTO l SELECT u(i), 1 FROM generate_series(1, 200) i;
ALTER TABLE l DISABLE TRIGGER ALL;
DELETE FROM l;
ALTER TABLE l ENABLE TRIGGER ALL;
ALTER TABLE l_territory DISABLE TRIGGER ALL;
UPDATE l_territory SET rule_id = NULL, manual = true WHERE k = u(1);
UPDATE l_territory SET rule_id = -1 WHERE k = u(2);
ALTER TABLE l_territory ENABLE TRIGGER ALL;
INSERT INTO l VALUES (u(1), 2);
INSERT INTO l SELECT u(i), i % 3 FROM generate_series(2, 150) i;
SELECT count(*) FILTER (WHERE manual), count(*) FILTER (WHERE rule_id IS NULL), count(*) FILTER (WHERE rule_id < 0) FROM l_territory;
SELECT count(*) FROM verify('l') v JOIN l ON l.k::text = v.key WHERE stored AND computed;
SELECT * FROM run('l');
SELECT state('l');
SELECT detach('l');

-- batches: more records than one holds; far apart; packed and long keys
CREATE TABLE b (k int PRIMARY KEY, v int GENERATED ALWAYS AS (k % 3) STORED, w int);
SELECT attach('b', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 'b', 'v > 0'), (node_id('S.A'), 'b', 'w IS NULL'), (node_id('S.B'), 'b', 'w = 1');
COPY b (k) FROM PROGRAM 'seq 1 10000';
SELECT state('b');
UPDATE b SET w = k % 2;
SELECT state('b');
UPDATE b SET w = 1 WHERE k % 1000 = 0;
SELECT state('b');
UPDATE b SET w = NULL;
SELECT state('b');
UPDATE b SET k = -k WHERE k % 2 = 0;
SELECT state('b');
DELETE FROM b WHERE k % 5 = 0;
SELECT state('b');
SELECT detach('b');
CREATE TABLE x (k text PRIMARY KEY, v text);
ALTER TABLE x ALTER k SET STORAGE EXTERNAL;
SELECT attach('x', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 'x', 'length(k) > 1000');
INSERT INTO x SELECT i || string_agg(md5(j::text), ''), repeat('x', 10000) FROM generate_series(1, 3) i, generate_series(1, 80) j GROUP BY i;
UPDATE x SET v = '';
SELECT a.k = x.k FROM x_territory a JOIN x USING (k);
SELECT state('x');
SELECT detach('x');

-- isolation levels
CREATE TABLE i (k int PRIMARY KEY, v int);
SELECT attach('i', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 'i', 'v > 0'), (node_id('S.A'), 'i', 'v = 1');
BEGIN ISOLATION LEVEL REPEATABLE READ;
INSERT INTO i VALUES (1, 1), (2, 1);
UPDATE i SET v = v + 1;
DELETE FROM i WHERE k = 2;
SELECT state('i');
COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE;
INSERT INTO i SELECT n, 1 FROM generate_series(3, 20) n;
UPDATE i SET v = v + 1 WHERE k < 10;
SELECT state('i');
SAVEPOINT s;
UPDATE i SET v = 0;
INSERT INTO i VALUES (30, 1);
ROLLBACK TO s;
UPDATE i SET v = 1 WHERE k = 3;
INSERT INTO i VALUES (30, 1);
COMMIT;
SELECT state('i'), (SELECT count(DISTINCT since) FROM i_territory);
BEGIN;
INSERT INTO i VALUES (40, 1);
SET TRANSACTION READ ONLY;
SELECT err('UPDATE i SET v = 2');
ROLLBACK;
SELECT detach('i');

-- two records of one key: the user's word was wrong, and the last one decides
CREATE TABLE d (k int, p int, v int, PRIMARY KEY (k, p)) PARTITION BY LIST (p);
CREATE TABLE d1 PARTITION OF d FOR VALUES IN (1);
CREATE TABLE d2 PARTITION OF d FOR VALUES IN (2);
SELECT attach('d', key => 'k', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S'), 'd', 'v > 0'), (node_id('S.A'), 'd', 'v = 1');
INSERT INTO d VALUES (1, 1, 1), (2, 1, 1);
SELECT err('INSERT INTO d VALUES (3, 1, 1), (3, 2, 2)');
INSERT INTO d VALUES (1, 2, 2);
DELETE FROM d WHERE k = 1 AND p = 1;
UPDATE d SET v = v;
SELECT * FROM run('d');
SELECT state('d');
SELECT detach('d');

DELETE FROM node WHERE path <@ 'S';
RESET search_path;
DROP SCHEMA reg_store CASCADE;
DROP ROLE reg_store_writer;
