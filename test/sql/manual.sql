-- assign, unassign, exclude, include: what people decide about single records
CREATE SCHEMA reg_manual;
SET search_path = reg_manual, territory, public;
CREATE FUNCTION reg_manual.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
INSERT INTO node (path) VALUES ('H'), ('H.NL'), ('H.NL.Big'), ('H.BE'), ('H.none');
CREATE TABLE account (id int PRIMARY KEY, country text, size int);
INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'US'])[1 + i % 3], i FROM generate_series(1, 9) i;
SELECT attach('account');
INSERT INTO rule (node_id, object, criteria) VALUES
  (node_id('H.NL'), 'account', $$country = 'NL'$$), (node_id('H.NL.Big'), 'account', 'size > 5'), (node_id('H.BE'), 'account', $$country = 'BE'$$);
CREATE VIEW pair AS SELECT a.id, n.path, a.rule_id IS NOT NULL AS rule, a.manual FROM account_territory a JOIN node n ON n.id = a.node_id ORDER BY 1, 2;
SELECT * FROM pair;

-- beside the rules, and the mode: the record keeps what they give
SELECT assign('account', '3', 'H.none') AS first, assign('account', '3', 'H.none') AS again;
SELECT assign('account', '6', 'H.NL') AS above;
SELECT * FROM pair WHERE id IN (3, 6);
SELECT * FROM verify('account');
-- a pair both by hand and by a rule stays without either
SELECT assign('account', '3', 'H.NL') AS both;
UPDATE account SET country = 'US' WHERE id = 3;
SELECT * FROM pair WHERE id = 3;
UPDATE account SET country = 'NL' WHERE id = 3;
SELECT * FROM pair WHERE id = 3;
SELECT unassign('account', '3', 'H.NL') AS both, unassign('account', '3', 'H.none') AS by_hand, unassign('account', '3', 'H.none') AS again;
SELECT * FROM pair WHERE id = 3;
-- by a rule alone
SELECT err($$SELECT unassign('account', '3', 'H.NL')$$);

-- many: all or nothing, and the error names all that are wrong
SELECT assign('account', ARRAY['1', '2', '2', ' 5 '], 'H.none') AS three, assign('account', ARRAY['1', '4'], 'H.none') AS one, assign('account', '{}'::text[], 'H.none') AS none;
SELECT exclude('account', ARRAY['7', '8'], 'H.none', 'theirs') AS two;
SELECT err($$SELECT assign('account', ARRAY['6', '7', '77', 'x', '8', '-1'], 'H.none')$$);
SELECT err($$SELECT unassign('account', ARRAY['1', '9', '6', '99'], 'H.NL.Big')$$);
SELECT * FROM pair WHERE path = 'H.none' OR id IN (6, 9);
SELECT unassign('account', array(SELECT id::text FROM account WHERE id < 5), 'H.none') AS three;
SELECT id, assign('account', id::text, 'H.none') FROM account WHERE country = 'US' AND id <> 8 ORDER BY id;
SELECT * FROM pair WHERE path = 'H.none';

-- exclusion before all: the next matching node takes its place; what was by hand is gone for good
SELECT exclude('account', '6', 'H.NL.Big') AS first, exclude('account', '6', 'H.NL.Big') AS again, exclude('account', '6', 'H.NL.Big', 'a note') AS noted;
SELECT * FROM pair WHERE id = 6;
SELECT exclude('account', '6', 'H.NL');
SELECT * FROM pair WHERE id = 6;
SELECT err($$SELECT assign('account', '6', 'H.NL')$$);
SELECT include('account', '6', 'H.NL') AS first, include('account', '6', 'H.NL') AS again, include('account', '6', 'H.NL.Big') AS big;
SELECT * FROM pair WHERE id = 6;
SELECT assign('account', '6', 'H.none');
SELECT exclude('account', '6', note => 'from all');
SELECT * FROM pair WHERE id = 6;
SELECT err($$SELECT assign('account', '6', 'H.none')$$), include('account', '6', 'H.none') AS not_that_one, include('account', '6') AS all_of_them;
SELECT key, note, n.path FROM exclusion e LEFT JOIN node n ON n.id = e.node_id WHERE object = 'account'::regclass ORDER BY 1;
SELECT err($$SELECT exclude('account', ARRAY['1', '111', '112'])$$), err($$SELECT include('account', '111')$$);

-- manual pairs stay through runs, changed rules, moved nodes; they follow the key, and go with the record
SELECT assign('account', ARRAY['1', '6', '9'], 'H.none');
SELECT * FROM run('account');
UPDATE rule SET criteria = 'false' WHERE object = 'account'::regclass;
SELECT * FROM pair;
UPDATE node SET path = 'H.NL.none' WHERE path = 'H.none';
UPDATE account SET id = id + 10 WHERE id IN (1, 6);
UPDATE account SET id = CASE id WHEN 5 THEN 20 ELSE 5 END WHERE id IN (5, 9);
SELECT * FROM pair;
DELETE FROM account WHERE id = 11;
SELECT * FROM pair;
INSERT INTO account VALUES (11, 'XX', 1);
SELECT * FROM pair WHERE id = 11;
SELECT * FROM verify('account');
-- explain, coverage and the view of all pairs know them
SELECT path, decision FROM explain('account', '16', 'H.NL.none');
SELECT path, records, manual FROM coverage WHERE object = 'account'::regclass AND path = 'H.NL.none';
SELECT count(*) FROM assignment WHERE object = 'account'::regclass AND manual AND rule_id IS NULL;
TRUNCATE account;
SELECT count(*) FROM account_territory;

-- what cannot be
SELECT err($$SELECT assign('account', NULL, 'H')$$), err($$SELECT assign('account', '1', NULL)$$), err($$SELECT assign(NULL, '1', 'H')$$);
SELECT err($$SELECT assign('account', ARRAY['1', NULL], 'H')$$);
SELECT err($$SELECT assign('account', '1', 'H.XX')$$), err($$SELECT assign('node', '1', 'H')$$);
SELECT err($$INSERT INTO account_territory (id, node_id, manual) VALUES (1, 1, true)$$);

-- where the assignment table is not as attach made it, by SQL
INSERT INTO account VALUES (1, 'NL', 1), (2, 'NL', 9), (3, 'BE', 1);
UPDATE rule SET criteria = $$country = 'NL'$$ WHERE node_id = node_id('H.NL');
CREATE TABLE seen (what text);
CREATE FUNCTION see() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO reg_manual.seen VALUES (TG_OP || ' ' || coalesce(NEW.id, OLD.id) || coalesce(' ' || NEW.manual, '')); RETURN NULL; END$$;
CREATE TRIGGER see AFTER INSERT OR UPDATE OR DELETE ON account_territory FOR EACH ROW EXECUTE FUNCTION see();
SELECT assign('account', ARRAY['1', '2', '3'], 'H.NL') AS three, assign('account', ARRAY['1', '2', '3'], 'H.NL') AS none;
SELECT * FROM pair;
UPDATE account SET country = CASE id WHEN 1 THEN 'BE' ELSE 'NL' END;
SELECT * FROM pair;
SELECT unassign('account', ARRAY['1', '2', '3'], 'H.NL') AS three;
SELECT * FROM pair;
SELECT what FROM seen;
DROP TRIGGER see ON account_territory;

-- keys of other types
CREATE TABLE lead (id uuid PRIMARY KEY, n int);
CREATE TABLE firm ("The Key" text COLLATE "C" PRIMARY KEY, n int);
SELECT attach('lead'), attach('firm');
INSERT INTO lead VALUES ('00000000-0000-4000-8000-00000000abcd', 1);
INSERT INTO firm VALUES ('', 1), ('a ''b"', 2), ('é', 3);
SELECT assign('lead', '{00000000-0000-4000-8000-00000000ABCD}', 'H'), assign('firm', ARRAY['', 'a ''b"', 'é'], 'H'), exclude('firm', 'é', 'H');
SELECT err($$SELECT assign('lead', ARRAY['x', '00000000-0000-4000-8000-00000000ABCE'], 'H')$$), err($$SELECT assign('firm', ARRAY['A', 'é', 'z'], 'H')$$);
SELECT key, path, manual FROM assignment WHERE object IN ('lead'::regclass, 'firm') ORDER BY key;
-- partitioned
CREATE TABLE part (id int, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE part_a PARTITION OF part FOR VALUES IN ('a');
CREATE TABLE part_b PARTITION OF part DEFAULT;
INSERT INTO part VALUES (1, 'a'), (2, 'b');
SELECT attach('part', key => 'id');
SELECT assign('part', ARRAY['1', '2'], 'H.BE');
UPDATE part SET region = 'b' WHERE id = 1;
SELECT key, path, manual FROM assignment WHERE object = 'part'::regclass ORDER BY key;
SELECT * FROM verify('part');

-- a new key that leads to another partition; a record that gets the key of one that is deleted at the same time
CREATE TABLE hashed (id int PRIMARY KEY, n int) PARTITION BY HASH (id);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
SELECT attach('hashed');
INSERT INTO hashed SELECT i, 1 FROM generate_series(1, 8) i;
SELECT assign('hashed', array(SELECT id::text FROM hashed), 'H.BE');
WITH was AS (SELECT tableoid, id FROM hashed), u AS (UPDATE hashed SET id = id + 100 RETURNING tableoid, id)
SELECT count(*) FILTER (WHERE was.tableoid <> u.tableoid) > 0 AS moved, count(*) FROM was JOIN u ON u.id = was.id + 100;
SELECT array_agg(id ORDER BY id) FROM hashed_territory WHERE manual;
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('H.BE'), 'hashed', 'n = 1');
SELECT assign('hashed', '104', 'H.NL');
MERGE INTO hashed h USING (VALUES (104), (105)) v (i) ON h.id = v.i WHEN MATCHED AND h.id = 104 THEN DELETE WHEN MATCHED THEN UPDATE SET id = 104, n = 1;
SELECT path, manual, rule_id IS NOT NULL AS rule FROM hashed_territory JOIN node n ON n.id = node_id WHERE hashed_territory.id = 104;
MERGE INTO hashed h USING (VALUES (106, 0), (107, 1)) v (i, n) ON h.id = v.i WHEN MATCHED AND h.id = 106 THEN DELETE WHEN MATCHED THEN UPDATE SET n = 2
  WHEN NOT MATCHED THEN INSERT VALUES (i, v.n);
SELECT t.id, path, manual, rule_id IS NOT NULL AS rule FROM hashed_territory t JOIN node n ON n.id = node_id WHERE t.id IN (106, 107);
SELECT * FROM verify('hashed');

-- rights: those on the record; none in schema territory beyond USAGE
CREATE ROLE reg_manual_rep;
GRANT USAGE ON SCHEMA reg_manual, territory TO reg_manual_rep;
SET ROLE reg_manual_rep;
SELECT err($$SELECT assign('account', '1', 'H')$$);
RESET ROLE;
GRANT SELECT, UPDATE (size) ON account TO reg_manual_rep;
SET ROLE reg_manual_rep;
SELECT assign('account', '1', 'H.BE') AS assign, exclude('account', '2', 'H') AS exclude, include('account', '2', 'H') AS include, unassign('account', '1', 'H.BE') AS unassign;
RESET ROLE;
-- rows that the caller does not see, or sees and may not update, are no records
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON account FOR SELECT USING (id <= 2);
CREATE POLICY edit ON account FOR UPDATE USING (id >= 2);
SET ROLE reg_manual_rep;
SELECT err($$SELECT assign('account', ARRAY['1', '2', '3'], 'H.BE')$$), assign('account', '2', 'H.BE'), err($$SELECT exclude('account', '3')$$);
RESET ROLE;
SELECT * FROM verify('account');
-- a statement that changes keys, in the middle of which all is run: what is by hand goes along with records that are not noted yet
CREATE TABLE moving (k text PRIMARY KEY, note text);
SELECT attach('moving');
INSERT INTO node (path) VALUES ('Moving'), ('Moving.Hand');
INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('Moving'), 'moving', 'moving', 'note IS NULL');
CREATE FUNCTION run_all() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM territory.run('moving'); RETURN NULL; END$$;
CREATE TRIGGER zz_run AFTER UPDATE ON moving FOR EACH ROW WHEN (NEW.note = 'run') EXECUTE FUNCTION run_all();
INSERT INTO moving SELECT 'k' || i, CASE WHEN i = 1 THEN 'run' END FROM generate_series(1, 6) AS i;
SELECT assign('moving', ARRAY['k1', 'k3', 'k6'], 'Moving.Hand');
UPDATE moving SET k = k || 'x';
SELECT k, n.path, rule_id IS NOT NULL AS by_rule, manual FROM moving_territory JOIN node AS n ON n.id = node_id ORDER BY 1, 2;
SELECT count(*) FROM verify('moving');
SELECT detach('moving');
DROP TABLE moving;
DROP FUNCTION run_all;
DELETE FROM rule WHERE name = 'moving';
DELETE FROM node WHERE path <@ 'Moving'::territory;

SET client_min_messages = warning;
DROP VIEW pair;
SELECT detach(object) FROM object WHERE object::text ~ 'account|lead|firm|part|hashed';
DELETE FROM node WHERE path <@ 'H';
DROP SCHEMA reg_manual CASCADE;
REVOKE USAGE ON SCHEMA territory FROM reg_manual_rep;
DROP ROLE reg_manual_rep;
