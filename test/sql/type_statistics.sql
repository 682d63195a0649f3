-- Estimates of the planner, against what comes out
SET search_path = public, territory;
SET TimeZone = 'UTC';

-- estimated and actual rows of a query
CREATE FUNCTION pg_temp.rows(query text, OUT estimated float8, OUT actual float8, OUT factor float8) LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    estimated := greatest((plan->0->'Plan'->>'Plan Rows')::float8, 1);
    EXECUTE format('SELECT greatest(count(*), 1) FROM (%s) AS s', query) INTO actual;
    factor := greatest(estimated / actual, actual / estimated);
END
$$;

-- a skewed table: subtrees of one level differ by a factor of hundreds; a third of it is the sample
SELECT setseed(0.4);
CREATE TABLE skewed AS
    SELECT i, CASE WHEN i % 50 > 0 THEN
                ('R' || floor(random() ^ 3 * 8) || '.C' || floor(random() ^ 2 * 12) || '.S' || floor(random() ^ 2 * 6) || CASE WHEN i % 3 > 0 THEN '.a' || i ELSE '' END)::territory
              END AS path
      FROM generate_series(1, 100000) AS i;
INSERT INTO skewed SELECT i, '' FROM generate_series(1, 1000) AS i;
CREATE INDEX skewed_path ON skewed (path);
ANALYZE skewed;
CREATE TABLE node AS SELECT DISTINCT a AS path FROM skewed, ancestors(path) AS a WHERE nlevel(a) < 4;
ANALYZE node;

-- every subtree of 200 rows or more, at every level, within a factor of two; all others within 200 rows
SELECT nlevel(path) AS level, count(*) > 5 AS some, max(factor) FILTER (WHERE actual > 200) < 2 AS within_2, max(abs(estimated - actual)) FILTER (WHERE actual <= 200) < 200 AS small
  FROM node, pg_temp.rows(format('SELECT FROM skewed WHERE path <@ %L', path)) GROUP BY nlevel(path) ORDER BY nlevel(path);
SELECT max(factor) < 2 AS leaves FROM (SELECT path FROM skewed WHERE path IS NOT NULL AND nlevel(path) = 4 ORDER BY i LIMIT 30) AS s, pg_temp.rows(format('SELECT FROM skewed WHERE path <@ %L', path));
SELECT q, factor < 2 AS within_2
  FROM (VALUES ('path <@ '''''), ('path @> ''R1.C2.S3.a1'''), ('path @> ''R1.C2'''), ('''R0.C1'' @> path'), ('is_ancestor(''R0.C1'', path)'), ('path <@ ''R0.C1''::text'),
               ('path ~ ''R0.C1.*'''), ('path ~ ''R0.*'''), ('path ~ ''R0.C1.S2'''), ('path ~ ''*'''), ('path <@ ''nowhere'''), ('path <@ ''R0.nowhere''') , ('path <@ NULL'), ('path IS NULL')) AS v (q),
       pg_temp.rows('SELECT FROM skewed WHERE ' || q);
-- never more than the subtree that a pattern is in
SELECT q, estimated < 1.5 * (SELECT count(*) FROM skewed WHERE path <@ above) AS bounded
  FROM (VALUES ('R1.C2.*.a7*', 'R1.C2'), ('R1.C2*', 'R1'), ('R1.!C2.*', 'R1'), ('*.S1', '')) AS v (q, above), pg_temp.rows(format('SELECT FROM skewed WHERE path ~ %L', q));
-- joins, either way round: all nodes, one level of them, a few
SELECT q, factor < 2.5 AS close
  FROM (VALUES ('SELECT FROM skewed AS s JOIN node AS n ON s.path <@ n.path'), ('SELECT FROM node AS n JOIN skewed AS s ON n.path @> s.path'),
               ('SELECT FROM node AS a JOIN node AS b ON a.path <@ b.path'), ('SELECT FROM skewed AS s JOIN node AS n ON is_ancestor(n.path, s.path)')) AS v (q), pg_temp.rows(q);
-- a value that is not known: what a row has as ancestors on average
SET plan_cache_mode = force_generic_plan;
PREPARE below(territory) AS SELECT FROM skewed WHERE path <@ $1;
CREATE FUNCTION pg_temp.generic() RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) EXECUTE below(''R1'')' INTO plan;
    RETURN plan->0->'Plan'->>'Plan Rows';
END
$$;
SELECT pg_temp.generic() BETWEEN 1 AND 1000 AS generic;
RESET plan_cache_mode;

-- all kinds of tables and samples
CREATE TABLE odd (path territory);
ANALYZE odd;
INSERT INTO odd VALUES (NULL), (NULL);
ANALYZE odd;
SELECT estimated FROM pg_temp.rows('SELECT FROM odd WHERE path <@ ''A''');
TRUNCATE odd;
INSERT INTO odd SELECT '' FROM generate_series(1, 100);
ANALYZE odd;
SELECT estimated AS root FROM pg_temp.rows('SELECT FROM odd WHERE path <@ ''''');
SELECT estimated AS nothing FROM pg_temp.rows('SELECT FROM odd WHERE path <@ ''A.B''');
TRUNCATE odd;
INSERT INTO odd SELECT (repeat('deep.', 99) || 'x' || i % 10)::territory FROM generate_series(1, 100) AS i;
ANALYZE odd;
SELECT estimated AS deep FROM pg_temp.rows(format('SELECT FROM odd WHERE path <@ %L', repeat('deep.', 60) || 'deep'));
TRUNCATE odd;
INSERT INTO odd SELECT (repeat('wide', 240) || '.' || repeat('x', 900) || i % 10)::territory FROM generate_series(1, 100) AS i;
ANALYZE odd;
SELECT estimated > 0 AS wide FROM pg_temp.rows(format('SELECT FROM odd WHERE path <@ %L', repeat('wide', 240)));
ALTER TABLE odd ALTER path SET STATISTICS 0;
ANALYZE odd;
ALTER TABLE odd ALTER path SET STATISTICS 3;
ANALYZE odd;
-- an expression's, a domain's, a partition's and an inheritance parent's statistics
CREATE INDEX skewed_parent ON skewed (parent(path));
CREATE DOMAIN place AS territory;
CREATE TABLE whole (i int, path place) PARTITION BY RANGE (i);
CREATE TABLE part_one PARTITION OF whole FOR VALUES FROM (0) TO (50000);
CREATE TABLE part_two PARTITION OF whole DEFAULT;
INSERT INTO whole SELECT * FROM skewed;
ANALYZE skewed, whole;
SELECT factor < 2 AS expression FROM pg_temp.rows('SELECT FROM skewed WHERE parent(path) <@ ''R0.C1''');
SELECT max(factor) < 2 AS partitions FROM (SELECT path FROM node WHERE nlevel(path) = 2) AS n, pg_temp.rows(format('SELECT FROM whole WHERE path <@ %L', path)) WHERE actual > 600;

-- without a census, as after a restored dump, the histogram does
UPDATE pg_statistic SET stakind1 = CASE stakind1 WHEN 21587 THEN 0 ELSE stakind1 END, stakind2 = CASE stakind2 WHEN 21587 THEN 0 ELSE stakind2 END,
                        stakind3 = CASE stakind3 WHEN 21587 THEN 0 ELSE stakind3 END, stakind4 = CASE stakind4 WHEN 21587 THEN 0 ELSE stakind4 END,
                        stakind5 = CASE stakind5 WHEN 21587 THEN 0 ELSE stakind5 END
 WHERE starelid = 'skewed'::regclass;
SELECT max(factor) < 2 AS histogram FROM (SELECT path FROM node WHERE nlevel(path) = 1) AS n, pg_temp.rows(format('SELECT FROM skewed WHERE path <@ %L', path)) WHERE actual > 5000;

-- the statistics of hidden rows are shown to no function that could tell of them
CREATE TABLE secret AS SELECT 'hidden'::territory || (i % 20)::text AS path FROM generate_series(1, 1000) AS i;
INSERT INTO secret VALUES ('shown');
ANALYZE secret;
CREATE ROLE regress_territory_reader;
GRANT SELECT ON secret TO regress_territory_reader;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY shown ON secret USING (path = 'shown');
CREATE FUNCTION leak(territory, territory) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN false; END $$;
CREATE FUNCTION leak(territory, pattern) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN false; END $$;
CREATE OPERATOR <<<@ (LEFTARG = territory, RIGHTARG = territory, FUNCTION = leak, RESTRICT = territory_contained_sel, JOIN = territory_contained_joinsel);
CREATE OPERATOR @>>> (LEFTARG = territory, RIGHTARG = territory, FUNCTION = leak, RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel);
CREATE OPERATOR ~~~~ (LEFTARG = territory, RIGHTARG = pattern, FUNCTION = leak, RESTRICT = territory_matches_sel, JOIN = matchingjoinsel);
SET ROLE regress_territory_reader;
EXPLAIN (COSTS OFF) SELECT FROM secret WHERE path <<<@ 'hidden.1';
EXPLAIN (COSTS OFF) SELECT FROM secret WHERE path @>>> 'hidden.1';
EXPLAIN (COSTS OFF) SELECT FROM secret WHERE path ~~~~ 'hidden.1';
EXPLAIN (COSTS OFF) SELECT FROM secret AS a JOIN secret AS b ON a.path <<<@ b.path;
SELECT count(*) FROM secret WHERE path <<<@ 'hidden.1';
SELECT count(*) FROM secret WHERE path <@ 'hidden';
RESET ROLE;
DROP OPERATOR <<<@ (territory, territory);
DROP OPERATOR @>>> (territory, territory);
DROP OPERATOR ~~~~ (territory, pattern);
DROP FUNCTION leak(territory, territory), leak(territory, pattern);
-- an estimator attached to what it is not for does no harm
CREATE FUNCTION odd(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE FUNCTION odd(territory, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT territory.nlevel($1) < $2';
CREATE FUNCTION odd(pattern, territory) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
CREATE OPERATOR <<<@ (LEFTARG = text, RIGHTARG = text, FUNCTION = odd, RESTRICT = territory_matches_sel);
CREATE OPERATOR <<<@ (LEFTARG = territory, RIGHTARG = int, FUNCTION = odd, RESTRICT = territory_matches_sel);
CREATE OPERATOR <<<@ (LEFTARG = pattern, RIGHTARG = territory, FUNCTION = odd, RESTRICT = territory_matches_sel);
SELECT count(*) FROM skewed WHERE i::text <<<@ '2';
SELECT count(*) FROM skewed WHERE path <<<@ 1;
SELECT count(*) FROM skewed WHERE 'A'::pattern <<<@ path;
CREATE FUNCTION odd_support(text, text) RETURNS bool LANGUAGE internal IMMUTABLE STRICT SUPPORT territory_matches_support AS 'text_lt';
CREATE INDEX skewed_text ON skewed ((i::text));
SET enable_seqscan = off;
SELECT count(*) FROM skewed WHERE odd_support(i::text, '2');
DROP OWNED BY regress_territory_reader;
DROP ROLE regress_territory_reader;
SET client_min_messages = warning;
DROP FUNCTION odd(text, text), odd(territory, int), odd(pattern, territory), odd_support CASCADE;
DROP TABLE skewed, node, odd, whole, secret;
DROP DOMAIN place;
