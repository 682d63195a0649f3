-- partitioned tables
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_partition;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_partition.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
CREATE TABLE reg_partition.account (id int, region text, country text, size int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE reg_partition.eu PARTITION OF reg_partition.account FOR VALUES IN ('EU');
-- columns in another order, with a hole
CREATE TABLE reg_partition.us (size int, gone int, country text, region text NOT NULL, id int NOT NULL);
ALTER TABLE reg_partition.us DROP COLUMN gone;
ALTER TABLE reg_partition.account ATTACH PARTITION reg_partition.us FOR VALUES IN ('US');
CREATE TABLE reg_partition.apac PARTITION OF reg_partition.account FOR VALUES IN ('APAC') PARTITION BY RANGE (id);
CREATE TABLE reg_partition.apac_low PARTITION OF reg_partition.apac FOR VALUES FROM (0) TO (1000);
CREATE TABLE reg_partition.apac_high PARTITION OF reg_partition.apac FOR VALUES FROM (1000) TO (2000);
INSERT INTO territory.node (path) VALUES ('P'), ('P.NL'), ('P.NL.Big'), ('P.US');
CREATE VIEW reg_partition.wrong AS SELECT v.key, n.path, v.stored, v.computed FROM territory.verify('reg_partition.account') v LEFT JOIN territory.node n ON n.id = v.node_id;
SELECT reg_partition.err($$SELECT territory.attach('reg_partition.account')$$);
SELECT territory.attach('reg_partition.account', key => 'id');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('P.NL'), 'reg_partition.account', $$country = 'NL'$$), (territory.node_id('P.NL.Big'), 'reg_partition.account', 'size >= 500'), (territory.node_id('P.US'), 'reg_partition.account', $$region = 'US' AND country <> 'NL'$$);
CREATE VIEW reg_partition.now AS SELECT a.id, a.tableoid::regclass AS partition, string_agg(n.path::text, ', ' ORDER BY n.path) AS nodes FROM reg_partition.account a LEFT JOIN reg_partition.account_territory t USING (id) LEFT JOIN territory.node n ON n.id = t.node_id GROUP BY 1, 2 ORDER BY 1;
INSERT INTO reg_partition.account VALUES (1, 'EU', 'NL', 10), (2, 'EU', 'NL', 900), (3, 'US', 'NL', 900), (4, 'US', 'US', 900), (5, 'APAC', 'NL', 900), (1500, 'APAC', 'NL', 1);
TABLE reg_partition.now;
-- written into a partition itself
INSERT INTO reg_partition.eu VALUES (10, 'EU', 'NL', 900);
INSERT INTO reg_partition.us (id, region, country, size) VALUES (11, 'US', 'NL', 900), (12, 'US', 'US', 1);
INSERT INTO reg_partition.apac VALUES (13, 'APAC', 'NL', 900), (1513, 'APAC', 'NL', 900);
INSERT INTO reg_partition.apac_high VALUES (1514, 'APAC', 'NL', 900);
UPDATE reg_partition.us SET size = 5 WHERE id = 11;
UPDATE reg_partition.apac_low SET country = 'BE' WHERE id = 13;
DELETE FROM reg_partition.apac WHERE id = 1513;
COPY reg_partition.us (id, region, country, size) FROM stdin;
15	US	NL	1000
16	US	DE	1000
\.
TABLE reg_partition.now;
SELECT * FROM reg_partition.wrong;
-- rows that move between partitions keep their pairs, and when they came
CREATE TEMP TABLE before AS TABLE reg_partition.account_territory;
UPDATE reg_partition.account SET region = 'US' WHERE id IN (1, 2);
UPDATE reg_partition.account SET region = 'EU', country = 'BE' WHERE id = 3;
UPDATE reg_partition.account SET id = id + 1000 WHERE id = 5;
UPDATE reg_partition.account SET region = 'EU', id = 2000 + id WHERE id = 1500;
SELECT * FROM reg_partition.now WHERE id IN (1, 2, 3, 1005, 3500);
SELECT count(*) FROM before b JOIN reg_partition.account_territory a USING (id, node_id) WHERE id IN (1, 2) AND b.since = a.since;
SELECT * FROM reg_partition.wrong;
-- all at once
UPDATE reg_partition.account SET region = CASE region WHEN 'EU' THEN 'US' ELSE 'EU' END, size = 1000 - size;
TABLE reg_partition.now;
SELECT * FROM reg_partition.wrong;
INSERT INTO reg_partition.account VALUES (1, 'EU', 'BE', 1) ON CONFLICT (id, region) DO UPDATE SET country = EXCLUDED.country;
MERGE INTO reg_partition.account a USING (VALUES (1, 'EU'), (2, 'EU'), (40, 'US')) v(id, region) ON a.id = v.id WHEN MATCHED THEN UPDATE SET region = v.region, country = 'NL' WHEN NOT MATCHED THEN INSERT VALUES (v.id, v.region, 'NL', 600);
SELECT * FROM reg_partition.now WHERE id IN (1, 2, 40);
SELECT * FROM reg_partition.wrong;
-- match: rows of the table, of a partition
SELECT count(*) FROM reg_partition.account a CROSS JOIN LATERAL territory.match('reg_partition.account', a) m FULL JOIN reg_partition.account_territory t ON t.id = a.id AND t.node_id = m.node_id AND t.rule_id = m.rule_id WHERE a.id IS NULL OR t.id IS NULL;
SELECT u.id, n.path FROM reg_partition.us u CROSS JOIN LATERAL territory.match('reg_partition.account', u) m JOIN territory.node n ON n.id = m.node_id ORDER BY 1, 2;
SELECT reg_partition.err($$SELECT territory.match('reg_partition.us', u) FROM reg_partition.us u$$);
-- a rule names the table, not a partition
SELECT reg_partition.err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('P'), 'reg_partition.us', 'true')$$);
-- a rule change reaches all partitions
UPDATE territory.rule SET criteria = $$country IN ('NL', 'DE')$$ WHERE node_id = territory.node_id('P.NL');
TABLE reg_partition.now;
SELECT * FROM reg_partition.wrong;
SELECT rows_read > 0 AS read, added, removed FROM territory.run('reg_partition.account');
-- TRUNCATE of a partition, of a sub-partitioned one, of a leaf below
TRUNCATE reg_partition.us;
SELECT * FROM reg_partition.wrong;
TRUNCATE reg_partition.apac;
SELECT * FROM reg_partition.wrong;
INSERT INTO reg_partition.account VALUES (20, 'APAC', 'NL', 900), (1020, 'APAC', 'NL', 900);
TRUNCATE ONLY reg_partition.apac_high;
SELECT * FROM reg_partition.wrong;
TABLE reg_partition.now;
TRUNCATE reg_partition.account;
SELECT count(*) FROM reg_partition.account_territory;
-- new partitions: made, attached with rows, split
INSERT INTO reg_partition.account VALUES (1, 'EU', 'NL', 1), (2, 'US', 'NL', 900);
CREATE TABLE reg_partition.latam PARTITION OF reg_partition.account FOR VALUES IN ('LATAM');
INSERT INTO reg_partition.account VALUES (30, 'LATAM', 'NL', 900);
INSERT INTO reg_partition.latam VALUES (31, 'LATAM', 'NL', 1);
CREATE TABLE reg_partition.mea (LIKE reg_partition.account);
INSERT INTO reg_partition.mea VALUES (32, 'MEA', 'NL', 900), (33, 'MEA', NULL, 900);
ALTER TABLE reg_partition.account ATTACH PARTITION reg_partition.mea FOR VALUES IN ('MEA');
TABLE reg_partition.now;
SELECT * FROM reg_partition.wrong;
TRUNCATE reg_partition.mea;
TRUNCATE reg_partition.latam;
SELECT * FROM reg_partition.wrong;
CREATE TABLE reg_partition.other PARTITION OF reg_partition.account DEFAULT PARTITION BY HASH (id);
CREATE TABLE reg_partition.other0 PARTITION OF reg_partition.other FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE reg_partition.other1 PARTITION OF reg_partition.other FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO reg_partition.account SELECT i, 'x' || i, 'NL', 900 FROM generate_series(50, 60) i;
SELECT count(*) FROM reg_partition.account_territory WHERE id BETWEEN 50 AND 60;
TRUNCATE reg_partition.other1;
SELECT * FROM reg_partition.wrong;
-- a partition goes: detached, dropped
INSERT INTO reg_partition.account VALUES (30, 'LATAM', 'NL', 900), (32, 'MEA', 'NL', 900);
ALTER TABLE reg_partition.account DETACH PARTITION reg_partition.latam;
SELECT * FROM reg_partition.wrong;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'reg_partition.latam'::regclass;
INSERT INTO reg_partition.latam VALUES (35, 'LATAM', 'NL', 900);
UPDATE reg_partition.latam SET country = 'BE';
DELETE FROM reg_partition.latam WHERE id = 30;
TRUNCATE reg_partition.latam;
SELECT * FROM reg_partition.wrong;
DROP TABLE reg_partition.mea;
SELECT * FROM reg_partition.wrong;
DROP TABLE reg_partition.apac;
SELECT * FROM reg_partition.wrong;
DROP TABLE reg_partition.other;
SELECT * FROM reg_partition.wrong;
TABLE reg_partition.now;
-- and may be attached to the engine by itself
ALTER TABLE reg_partition.latam ADD UNIQUE (id);
SELECT territory.attach('reg_partition.latam', key => 'id');
SELECT reg_partition.err($$ALTER TABLE reg_partition.account ATTACH PARTITION reg_partition.latam FOR VALUES IN ('LATAM')$$) <> 'no error' AS refused;
SELECT territory.detach('reg_partition.latam');
CREATE TABLE reg_partition.anz PARTITION OF reg_partition.account FOR VALUES IN ('ANZ');
INSERT INTO reg_partition.account VALUES (70, 'ANZ', 'NL', 1);
ALTER TABLE reg_partition.account DETACH PARTITION reg_partition.anz CONCURRENTLY;
SELECT * FROM reg_partition.wrong;
DROP TABLE reg_partition.anz;
-- a column that rules read, dropped by way of a partition's parent; renamed
SELECT reg_partition.err($$ALTER TABLE reg_partition.account DROP COLUMN size$$) LIKE '2BP01%' AS refused;
SELECT * FROM reg_partition.now;
ALTER TABLE reg_partition.account RENAME COLUMN size TO "Employee Count";
UPDATE reg_partition.account SET "Employee Count" = 900 - "Employee Count";
SELECT * FROM reg_partition.wrong;
-- detach takes all triggers along
DROP VIEW reg_partition.now;
SELECT territory.detach('reg_partition.account');
SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE '%territory%' AND tgrelid::regclass::text LIKE 'reg_partition.%';
INSERT INTO reg_partition.account VALUES (77, 'EU', 'NL', 1);
TRUNCATE reg_partition.us;
DELETE FROM territory.node WHERE path <@ 'P';
DROP SCHEMA reg_partition CASCADE;
