-- Rows that users' triggers write while their statement is still at its triggers: before ours ("!") and after ours (zz)
CREATE SCHEMA reg_write;
SET search_path = reg_write, territory, public;
SET client_min_messages = warning;
INSERT INTO node (path) VALUES ('W'), ('W.A');
CREATE FUNCTION differences(object regclass) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM territory.verify($1)';
CREATE TABLE t (k int PRIMARY KEY, v int, task text, other text);
CREATE TABLE p (k int PRIMARY KEY, v int, task text, other text) PARTITION BY HASH (k);
CREATE TABLE p_one PARTITION OF p FOR VALUES WITH (MODULUS 1, REMAINDER 0);
SELECT attach('t', mode => 'all'), attach('p', mode => 'all');
INSERT INTO rule (node_id, object, criteria) SELECT node_id(r.path), o, r.criteria
  FROM (VALUES ('W'::territory, 'v > 0'), ('W.A', 'v IN (1, 3)')) r (path, criteria), unnest('{t,p}'::regclass[]) o;

-- one task a row, done to this row, an earlier one (1), a later one (9), by a trigger that the first statement fires
CREATE FUNCTION work() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE name text := tg_argv[0];
BEGIN
  IF new.task = '' OR pg_trigger_depth() > 1 THEN RETURN NULL; END IF;
  CASE split_part(new.task, ' ', 1)
    WHEN 'own' THEN EXECUTE format('UPDATE %s SET v = v + 1 WHERE k = $1', name) USING new.k;
    WHEN 'earlier' THEN EXECUTE format('UPDATE %s SET v = v + 1 WHERE k = 1', name);
    WHEN 'later' THEN EXECUTE format('UPDATE %s SET v = v + 1 WHERE k = 9', name);
    WHEN 'all' THEN EXECUTE format('UPDATE %s SET v = v + 1', name);
    WHEN 'other' THEN EXECUTE format('UPDATE %s SET other = ''seen''', name);
    WHEN 'delete' THEN EXECUTE format('DELETE FROM %s WHERE k IN (1, 9, $1)', name) USING new.k;
    WHEN 'rekey' THEN EXECUTE format('DELETE FROM %s WHERE k > 100', name);
      EXECUTE format('UPDATE %s SET k = k + 100', name);
    WHEN 'replace' THEN EXECUTE format('DELETE FROM %s WHERE k = 1', name);
      EXECUTE format('INSERT INTO %s VALUES (1, 3, '''')', name);
    WHEN 'undone' THEN
      BEGIN EXECUTE format('UPDATE %s SET v = v + 1', name); RAISE division_by_zero; EXCEPTION WHEN division_by_zero THEN NULL; END;
    WHEN 'done' THEN
      BEGIN EXECUTE format('UPDATE %s SET v = v + 1', name); EXCEPTION WHEN division_by_zero THEN NULL; END;
    WHEN 'lock' THEN EXECUTE format('SELECT FROM %s FOR UPDATE', name);
    WHEN 'rule' THEN UPDATE territory.rule SET active = NOT active WHERE criteria = 'v > 0';
    WHEN 'upsert' THEN EXECUTE format('INSERT INTO %s VALUES (1, 1, ''''), (9, 2, ''''), (50, 3, '''') ON CONFLICT (k) DO UPDATE SET v = excluded.v', name);
  END CASE;
  RETURN NULL;
END$$;
CREATE TABLE wrong (what text);
CREATE PROCEDURE try(object regclass, outside regclass, inside text) LANGUAGE plpgsql AS $$
DECLARE trigger text; task text; at int; found bigint;
BEGIN
  FOREACH trigger IN ARRAY ARRAY['!', 'zz'] LOOP
    EXECUTE format('CREATE TRIGGER %I AFTER INSERT OR UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION reg_write.work(%L)', trigger, object, inside);
    FOREACH task IN ARRAY '{own,earlier,later,all,other,delete,rekey,replace,undone,done,lock,rule,upsert}'::text[] LOOP
      FOREACH at IN ARRAY '{1,5,9}'::int[] LOOP
        EXECUTE format('DELETE FROM %s', outside);
        EXECUTE format('INSERT INTO %s SELECT i, i %% 4, CASE i WHEN $1 THEN $2 ELSE '''' END FROM generate_series(1, 9) i', outside) USING at, task;
        found := differences(object);
        INSERT INTO wrong SELECT concat_ws(' ', outside, inside, trigger, task, at, 'insert') WHERE found > 0;
        EXECUTE format('UPDATE %s SET task = ''''', outside);
        EXECUTE format('UPDATE %s SET v = v + 1, task = CASE k WHEN $1 THEN $2 ELSE '''' END', outside) USING at, task;
        found := differences(object);
        INSERT INTO wrong SELECT concat_ws(' ', outside, inside, trigger, task, at, 'update') WHERE found > 0;
        EXECUTE format('UPDATE %s SET task = ''''', outside);
        EXECUTE format('INSERT INTO %s SELECT i, 1, CASE i WHEN $1 THEN $2 ELSE '''' END FROM generate_series(1, 12, 2) i ON CONFLICT (k) DO UPDATE SET v = excluded.v, task = excluded.task', outside) USING at, task;
        found := differences(object);
        INSERT INTO wrong SELECT concat_ws(' ', outside, inside, trigger, task, at, 'upsert') WHERE found > 0;
        UPDATE territory.rule SET active = true WHERE NOT active;
        INSERT INTO wrong SELECT concat_ws(' ', outside, inside, trigger, task, at, 'end') WHERE differences(object) > 0;
      END LOOP;
    END LOOP;
    EXECUTE format('DROP TRIGGER %I ON %s', trigger, object);
  END LOOP;
END$$;
CALL try('t', 't', 't');
CALL try('p', 'p', 'p');
-- past the partitioned table, where no statement is told of
CALL try('p', 'p', 'p_one');
CALL try('p', 'p_one', 'p_one');
CALL try('p', 'p_one', 'p');
SELECT * FROM wrong;

-- statements inside a statement, not in its triggers
DELETE FROM t;
CREATE FUNCTION inside(i int) RETURNS int VOLATILE LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO t VALUES (i + 100, 1, '') ON CONFLICT (k) DO UPDATE SET v = t.v + 1;
  UPDATE t SET v = v + 1 WHERE k = i - 1 OR k = 101;
  RETURN i % 3;
END$$;
INSERT INTO t SELECT i, inside(i), '' FROM generate_series(1, 20) i;
SELECT differences('t'), (SELECT count(*) FROM t_territory);
UPDATE t SET v = inside(k) WHERE k BETWEEN 200 AND 300 OR k % 2 = 0;
SELECT differences('t'), (SELECT count(*) FROM t_territory);
WITH a AS (UPDATE t SET v = 3 WHERE k < 5 RETURNING k), b AS (INSERT INTO t SELECT i, 1, '' FROM generate_series(500, 505) i RETURNING k),
     c AS (DELETE FROM t WHERE k BETWEEN 5 AND 8 RETURNING k)
UPDATE t SET v = 0 WHERE k BETWEEN 9 AND 12;
SELECT differences('t'), (SELECT count(*) FROM t_territory);

-- a trigger on the assignment table that writes into a partition, while a row is at its own
DELETE FROM p;
CREATE FUNCTION write_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE reg_write.p_one SET v = 1 WHERE k = new.k + 1 AND v = 0; RETURN NULL; END$$;
CREATE TRIGGER back AFTER INSERT ON p_territory FOR EACH ROW EXECUTE FUNCTION write_back();
INSERT INTO p VALUES (1, 0, ''), (2, 0, ''), (3, 0, '');
UPDATE p_one SET v = 2 WHERE k = 1;
SELECT k, v FROM p ORDER BY k;
SELECT differences('p');
DROP TRIGGER back ON p_territory;

-- an error in the middle, and the next statement
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('W'), 't', '1 / (v - 7) > 0');
DO $$BEGIN
  INSERT INTO t VALUES (1000, 1, ''), (1001, 7, '');
EXCEPTION WHEN division_by_zero THEN INSERT INTO t VALUES (1000, 3, '');
END$$;
UPDATE t SET v = 8 WHERE k = 1000;
SELECT differences('t'), (SELECT count(*) FROM t_territory WHERE k = 1000);
-- criteria for which settings are pinned
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('W.A'), 't', 'to_char(now(), ''YYYY'') > ''2000'' AND v > 10');
INSERT INTO t SELECT i, 11, '' FROM generate_series(2000, 2010) i;
SELECT differences('t'), (SELECT count(*) FROM t_territory WHERE k BETWEEN 2000 AND 2010);

\set VERBOSITY terse
SELECT detach('t'), detach('p');
DELETE FROM node WHERE path <@ 'W';
RESET search_path;
DROP SCHEMA reg_write CASCADE;
