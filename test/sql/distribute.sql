-- distribute: records without an owner go to the members of their node
CREATE SCHEMA reg_distribute;
SET search_path = reg_distribute, territory, public;
CREATE FUNCTION reg_distribute.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
INSERT INTO node (path) VALUES ('S'), ('S.NL'), ('S.BE'), ('S.None');
CREATE TABLE lead (id int PRIMARY KEY, country text, "The Owner" varchar(20));
INSERT INTO lead SELECT i, 'NL', CASE WHEN i = 1 THEN 'cid' WHEN i = 2 THEN 'gone' END FROM generate_series(1, 12) i;
SELECT err($$SELECT attach('lead', owner => 'nobody')$$);
SELECT attach('lead', kind => 'lead', owner => 'The Owner');
SELECT kind, owner FROM object WHERE object = 'lead'::regclass;
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('S.NL'), 'lead', $$country = 'NL'$$), (node_id('S.BE'), 'lead', $$country = 'BE'$$);
INSERT INTO member (node_id, member, weight, capacity, starts, ends) VALUES
  (node_id('S.NL'), 'ann', 1, NULL, NULL, NULL), (node_id('S.NL'), 'bob', 2, 4, NULL, NULL), (node_id('S.NL'), 'cid', 1, NULL, current_date, NULL),
  (node_id('S.NL'), 'dan', 0, NULL, NULL, NULL), (node_id('S.NL'), 'eve', 9, NULL, current_date + 1, NULL), (node_id('S.NL'), 'fay', 9, NULL, NULL, current_date),
  (node_id('S.BE'), 'gus', 1, 2, NULL, NULL), (node_id('S.BE'), 'hal', 1, 1, NULL, NULL);

-- nobody is changed who has an owner; the order is that of the keys
SELECT * FROM distribute('lead', 'S.NL');
SELECT id, "The Owner" FROM lead ORDER BY id;
SELECT key, path, member, reason FROM distribution_log WHERE object = 'lead'::regclass ORDER BY id;
SELECT * FROM distribute('lead', 'S.NL');
-- the same again from the same state
BEGIN;
CREATE TEMP TABLE first AS SELECT id, "The Owner" AS owner FROM lead;
UPDATE lead SET "The Owner" = NULL WHERE id > 2;
SELECT * FROM distribute('lead', 'S.NL');
SELECT count(*) FROM first JOIN lead USING (id) WHERE owner IS DISTINCT FROM "The Owner";
ROLLBACK;
-- step by step as a plain loop would do it
CREATE FUNCTION greedy(n int) RETURNS TABLE (place int, member text) LANGUAGE plpgsql AS $$
DECLARE chosen record;
BEGIN
  CREATE TEMP TABLE load ON COMMIT DROP AS SELECT m.id, m.member, m.weight, m.capacity, 0 AS owned FROM territory.member m WHERE m.node_id = territory.node_id('S.None');
  FOR place IN 1 .. n LOOP
    SELECT l.* INTO chosen FROM load l WHERE l.weight > 0 AND (l.capacity IS NULL OR l.owned < l.capacity) ORDER BY (l.owned + 1) / l.weight, l.id LIMIT 1;
    EXIT WHEN NOT FOUND;
    UPDATE load l SET owned = owned + 1 WHERE l.id = chosen.id;
    greedy.place := place; greedy.member := chosen.member;
    RETURN NEXT;
  END LOOP;
END $$;
INSERT INTO member (node_id, member, weight, capacity) SELECT node_id('S.None'), 'm' || i, (i * 7 % 5 + 1) / 4.0, CASE WHEN i % 3 = 0 THEN i * 5 END FROM generate_series(1, 9) i;
INSERT INTO lead SELECT i, 'none' FROM generate_series(101, 400) i;
SELECT assign('lead', array(SELECT id::text FROM lead WHERE id > 100), 'S.None');
SELECT * FROM distribute('lead', 'S.None');
SELECT count(*) AS different FROM greedy(300) g JOIN lead l ON l.id = 100 + g.place WHERE g.member <> l."The Owner";

-- as records arrive: at the end of the statement that brings them, whatever it is
INSERT INTO distribution (object, node_id) VALUES ('lead', node_id('S.BE'));
INSERT INTO lead VALUES (51, 'BE', NULL), (52, 'BE', 'zed');
UPDATE lead SET country = 'BE', "The Owner" = NULL WHERE id = 3;
SELECT id, "The Owner" FROM lead WHERE country = 'BE' ORDER BY id;
-- all are full
INSERT INTO lead VALUES (53, 'BE'), (54, 'BE');
SELECT id, "The Owner" FROM lead WHERE country = 'BE' ORDER BY id;
UPDATE member SET capacity = NULL WHERE member = 'hal';
INSERT INTO lead VALUES (100, 'x');
SELECT assign('lead', '100', 'S.BE');
SELECT id, "The Owner" FROM lead WHERE id > 50 AND id < 101 ORDER BY id;
SELECT key, member, reason FROM distribution_log WHERE object = 'lead'::regclass AND path = 'S.BE' ORDER BY id;
SELECT * FROM verify('lead');

-- with the caller's rights; as records arrive, with those of the table's owner
CREATE ROLE reg_distribute_rep;
GRANT USAGE ON SCHEMA reg_distribute, territory TO reg_distribute_rep;
GRANT SELECT, INSERT ON lead TO reg_distribute_rep;
UPDATE lead SET "The Owner" = NULL WHERE id IN (4, 5);
SET ROLE reg_distribute_rep;
SELECT err($$SELECT distribute('lead', 'S.NL')$$);
INSERT INTO lead VALUES (60, 'BE');
RESET ROLE;
GRANT UPDATE ("The Owner") ON lead TO reg_distribute_rep;
ALTER TABLE lead ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON lead USING (id <> 5);
SET ROLE reg_distribute_rep;
SELECT * FROM distribute('lead', 'S.NL');
RESET ROLE;
SELECT id, "The Owner" FROM lead WHERE id IN (4, 5, 60) ORDER BY id;

-- the log says who owns a record in the end, whatever triggers of the table do to it
CREATE FUNCTION hand_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF new.id = 71 THEN new."The Owner" := 'boss'; END IF;
  IF new.id = 72 THEN new.id := 1072; END IF;
  IF new.id = 73 THEN RETURN NULL; END IF;
  IF new.id = 74 THEN new."The Owner" := NULL; END IF;
  RETURN new;
END $$;
INSERT INTO node (path) VALUES ('S.Log');
INSERT INTO member (node_id, member) VALUES (node_id('S.Log'), 'ida'), (node_id('S.Log'), 'jan');
INSERT INTO lead SELECT i, 'log' FROM generate_series(71, 75) i;
SELECT assign('lead', array(SELECT id::text FROM lead WHERE id BETWEEN 71 AND 75), 'S.Log');
CREATE TRIGGER hand_over BEFORE UPDATE ON lead FOR EACH ROW EXECUTE FUNCTION hand_over();
SELECT * FROM distribute('lead', 'S.Log');
DROP TRIGGER hand_over ON lead;
SELECT id, "The Owner" FROM lead WHERE country = 'log' ORDER BY id;
SELECT key, member, reason FROM distribution_log WHERE path = 'S.Log' ORDER BY id;

-- what cannot be
CREATE TABLE other (id int PRIMARY KEY);
SELECT attach('other');
SELECT err($$SELECT distribute('other', 'S')$$), err($$INSERT INTO distribution (object) VALUES ('other')$$), err($$SELECT distribute('lead', NULL)$$), err($$SELECT distribute('lead', 'S.X')$$);
SELECT err($$INSERT INTO distribution (object, node_id) VALUES ('lead', -1)$$), err($$INSERT INTO distribution (object, node_id) VALUES ('lead', node_id('S.BE'))$$) LIKE '23505: %' AS twice;
SET client_min_messages = warning;
SELECT detach('lead'), detach('other');
SELECT count(*) FROM distribution, distribution_log;
DELETE FROM node WHERE path <@ 'S';
DROP SCHEMA reg_distribute CASCADE;
REVOKE USAGE ON SCHEMA territory FROM reg_distribute_rep;
DROP ROLE reg_distribute_rep;
