-- Rows that are changed again while a statement is still at work, and rules that change meanwhile
CREATE SCHEMA reg_nested;
SET search_path = reg_nested, territory, public;
INSERT INTO node (path) VALUES ('N'), ('N.M');
CREATE FUNCTION differences(object regclass) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM territory.verify($1)';

-- an AFTER trigger of the same statement updates a column that no rule reads, of another row
CREATE TABLE a (k int PRIMARY KEY, t text, other text, note text);
CREATE FUNCTION echo() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  IF new.note = 'echo' THEN UPDATE a SET other = 'seen' WHERE k = 1; END IF; RETURN NULL; END$$;
CREATE TRIGGER zz_echo AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION echo();
SELECT attach('a');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 'a', $$t = 'x'$$);
INSERT INTO a (k, t, note) VALUES (1, 'x', ''), (2, 'x', 'echo');
SELECT k FROM a_territory ORDER BY k;
SELECT differences('a');

-- the same in a direct write into a partition, where no statement trigger fires
CREATE TABLE p (k int PRIMARY KEY, t text, other text) PARTITION BY HASH (k);
CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE FUNCTION echo_p() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  IF new.k = 1 THEN UPDATE p SET other = new.t WHERE k = 2; END IF; RETURN NULL; END$$;
CREATE TRIGGER zz_echo AFTER INSERT OR UPDATE ON p FOR EACH ROW EXECUTE FUNCTION echo_p();
SELECT attach('p');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 'p', $$t = 'x'$$);
INSERT INTO p (k, t) VALUES (1, 'y'), (2, 'y');
UPDATE p0 SET t = 'x';
SELECT k FROM p_territory ORDER BY k;
SELECT differences('p');

-- a record that is deleted and inserted anew in one statement
CREATE TABLE d (k int PRIMARY KEY, n int);
SELECT attach('d');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 'd', 'n = 1');
INSERT INTO d VALUES (1, 1);
WITH gone AS (DELETE FROM d WHERE k = 1 RETURNING 1), again AS (INSERT INTO d VALUES (1, 2) RETURNING 1)
SELECT count(*) FROM gone, again;
SELECT differences('d');

-- keys that change, one of them twice
CREATE TABLE s (k int, n int, PRIMARY KEY (k));
SELECT attach('s');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 's', 'n = 1'), (node_id('N.M'), 's', 'n IN (1, 2)');
INSERT INTO s VALUES (1, 1), (2, 2), (3, 3);
CREATE FUNCTION rekey() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  IF new.k = 10 THEN UPDATE s SET k = 99 WHERE k = 10; END IF; RETURN NULL; END$$;
CREATE TRIGGER "!rekey" AFTER UPDATE ON s FOR EACH ROW EXECUTE FUNCTION rekey();
UPDATE s SET k = k * 10;
SELECT k, n FROM s ORDER BY k, n;
SELECT k FROM s_territory ORDER BY k;
SELECT differences('s');

-- a rule that a trigger switches off in the middle of the statement
CREATE TABLE m (k int PRIMARY KEY, t text);
CREATE FUNCTION switch_off() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  IF new.k = 1 AND new.t = 'y' THEN UPDATE territory.rule SET active = false WHERE object = 'reg_nested.m'::regclass; END IF;
  RETURN NULL; END$$;
CREATE TRIGGER "!switch" AFTER UPDATE ON m FOR EACH ROW EXECUTE FUNCTION switch_off();
SELECT attach('m');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 'm', $$t = 'x'$$);
INSERT INTO m VALUES (1, 'x'), (2, 'x');
UPDATE m SET t = 'y';
SELECT differences('m');

-- rules compiled in a statement that then fails are not kept
CREATE TABLE f (k int PRIMARY KEY, f bool);
SELECT attach('f');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N.M'), 'f', 'f');
INSERT INTO f VALUES (1, false), (2, true), (3, true);
INSERT INTO exclusion (object, key, node_id) VALUES ('f', '2', node_id('N'));
ALTER TABLE f ADD COLUMN extra int;
\set VERBOSITY sqlstate
DELETE FROM node WHERE path <@ 'N';
\set VERBOSITY default
UPDATE f SET f = true WHERE k = 1;
SELECT differences('f');

-- a node goes together with its rules, in one statement, and takes an exclusion along
CREATE TABLE e (k int PRIMARY KEY, f bool);
SELECT attach('e');
INSERT INTO node (path) VALUES ('N.E');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 'e', 'f OR NOT f'), (node_id('N.E'), 'e', 'f');
INSERT INTO e VALUES (1, true), (2, false);
INSERT INTO exclusion (object, key, node_id) VALUES ('e', '1', node_id('N.E'));
WITH gone AS (DELETE FROM rule WHERE node_id = node_id('N.E')) DELETE FROM node WHERE path = 'N.E';
SELECT t.k, n.path FROM e_territory AS t LEFT JOIN node AS n ON n.id = t.node_id ORDER BY t.k;
SELECT differences('e');

-- a trigger on the assignment table writes to the attached table
CREATE TABLE w (k int PRIMARY KEY, n int);
SELECT attach('w');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('N'), 'w', 'n < 3'), (node_id('N.M'), 'w', 'n = 2');
CREATE FUNCTION write_back() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
  UPDATE reg_nested.w SET n = n + 1 WHERE k = new.k; RETURN NULL; END$$;
CREATE TRIGGER write_back AFTER INSERT ON w_territory FOR EACH ROW EXECUTE FUNCTION write_back();
INSERT INTO w VALUES (1, 1), (2, 2), (3, 3);
SELECT * FROM w ORDER BY k;
SELECT differences('w');

\set VERBOSITY terse
SELECT detach(o) FROM unnest('{a,p,d,s,m,f,e,w}'::regclass[]) AS o;
DELETE FROM node WHERE path <@ 'N';
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA reg_nested CASCADE;
