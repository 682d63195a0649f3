--
-- The database that every driver's program finds. Each check runs in a
-- transaction that is rolled back, so they all find the same.
--
CREATE EXTENSION territory;
SELECT format('ALTER DATABASE %I SET search_path = public, territory', current_database()) \gexec
SET search_path = public, territory;

CREATE TABLE region (id int PRIMARY KEY, path territory, paths territory[]);
INSERT INTO region VALUES
  (1, 'EMEA', NULL),
  (2, 'EMEA.Benelux', '{EMEA,NULL,"US.\"St. Louis\""}'),
  (3, 'EMEA.DACH', '{}'),
  (4, NULL, NULL);
-- enough of others for the planner to prefer an index
INSERT INTO region SELECT n, 'APAC.' || n, NULL FROM generate_series(1001, 6000) n;
CREATE INDEX ON region (path);
ANALYZE region;

-- values of unusual length and letters, with the text that they have to come back as
CREATE TABLE unusual (name text PRIMARY KEY, path territory, text text);
INSERT INTO unusual (name, text) VALUES
  ('long', (SELECT string_agg('L' || n, '.' ORDER BY n) FROM generate_series(1, 999) n) || '.' || repeat('x', 1000)),
  ('Unicode', 'EMEA."St. Louis".Île-de-France.東京');
UPDATE unusual SET path = text;
