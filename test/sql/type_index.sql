-- The btree answers <@ and @>: plans, answers and estimates
SET search_path = public, territory;

-- a random tree of four levels, with nodes of all levels and NULLs
SELECT setseed(0.3);
CREATE TABLE place AS
    SELECT i, CASE WHEN i % 100 = 0 THEN NULL ELSE
               subpath(('R' || floor(random() * 5) || '.C' || floor(random() ^ 2 * 30) || '.D ' || floor(random() * 20) || '."' || floor(random() * 9) || '.0"')::territory,
                       0, 1 + floor(4 * sqrt(random()))::int) END AS path
      FROM generate_series(1, 20000) AS i;
INSERT INTO place VALUES (0, '');
CREATE INDEX place_path ON place (path);
VACUUM ANALYZE place;

-- a plan as rows, where it is too long or differs between servers
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END
$$;
-- plans: a constant, both sides of both operators, the function
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ 'R1.C2';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE 'R1.C2' @> path;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path @> 'R1.C2.D 3';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE 'R1.C2.D 3' <@ path;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE is_ancestor('R1.C2', path);
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE is_ancestor(path, 'R1.C2.D 3');
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ '';
EXPLAIN (COSTS OFF) SELECT path FROM place WHERE path <@ 'R1.C2' AND path > 'R1.C2.D 3' ORDER BY path LIMIT 5;
-- a path with too many ancestors for an array: none of them comes behind it
SELECT count(*) FROM pg_temp.plan('SELECT i FROM place WHERE path @> (repeat(''a.'', 65534) || ''a'')::territory') AS line WHERE line LIKE '%Index Cond: (path <= %';
-- a value that is known only when the scan begins
PREPARE below(territory) AS SELECT count(*) FROM place WHERE path <@ $1;
PREPARE above(territory) AS SELECT count(*) FROM place WHERE path @> $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE below('R1.C2');
EXPLAIN (COSTS OFF) EXECUTE above('R1.C2.D 3');
EXECUTE below('R1');
EXECUTE below('');
EXECUTE below(NULL);
EXECUTE above('R1.C2.D 3');
EXECUTE above('');
RESET plan_cache_mode;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ ('R1'::text || '.C2')::territory;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ current_setting('territory.here', true)::territory;
-- a join: the inner side by index, whichever side contains
CREATE TABLE region AS SELECT DISTINCT path FROM place WHERE nlevel(path) = 1;
ANALYZE region;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM unnest('{R1,R2.C2}'::territory[]) AS r (path) JOIN place AS p ON p.path <@ r.path;
EXPLAIN (COSTS OFF) SELECT count(*) FROM unnest('{R1,R2.C2}'::territory[]) AS r (path) JOIN place AS p ON p.path @> r.path;
SELECT r.path, count(*) = (SELECT count(*) FROM place WHERE level(path, 1) = r.path::text) AS same
  FROM region AS r JOIN place AS p ON p.path <@ r.path GROUP BY r.path ORDER BY r.path;
RESET enable_hashjoin;
RESET enable_mergejoin;
RESET enable_material;
-- a bitmap, the second column of an index, an expression, a domain
RESET enable_bitmapscan;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ 'R1.C2' OR path @> 'R2.C2';
RESET enable_indexscan;
RESET enable_indexonlyscan;
SET enable_bitmapscan = off;
CREATE INDEX place_two ON place ((i % 10), path);
CREATE INDEX place_parent ON place (parent(path));
CREATE DOMAIN upper_place AS territory CHECK (VALUE <> '');
CREATE TABLE domain_place (path upper_place);
CREATE INDEX domain_place_path ON domain_place (path);
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE i % 10 = 3 AND path <@ 'R1.C2.D 3';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE parent(path) <@ 'R1.C2';
EXPLAIN (COSTS OFF) SELECT * FROM domain_place WHERE path <@ 'R1.C2';
EXPLAIN (COSTS OFF) SELECT * FROM domain_place WHERE path @> 'R1.C2';
-- on a column but the first one, what contains a value is found in the order of the index
CREATE TABLE many AS SELECT i % 50 AS i, CASE i % 4 WHEN 0 THEN 'a' WHEN 1 THEN 'a.b' WHEN 2 THEN 'a.b.c' ELSE 'z' || i % 1000 END::territory AS path FROM generate_series(1, 20000) AS i;
CREATE INDEX many_two ON many (i, path);
CREATE INDEX many_down ON many (i DESC, path DESC);
VACUUM ANALYZE many;
SET enable_sort = off;
SET enable_hashagg = off;
SELECT count(*) FROM (SELECT i, lag(i) OVER () AS before FROM (SELECT i FROM many WHERE path @> 'a.b.c' ORDER BY i) AS s) AS t WHERE before > i;
SELECT count(*) FROM (SELECT i, lag(i) OVER () AS before FROM (SELECT i FROM many WHERE is_ancestor(path, 'a.b.c') ORDER BY i DESC) AS s) AS t WHERE before < i;
SELECT count(*), sum(n) FROM (SELECT i, count(*) AS n FROM many WHERE path @> 'a.b.c' AND i < 10 GROUP BY i) AS s;
SET enable_hashjoin = off;
SET enable_nestloop = off;
SELECT count(*) FROM many AS a JOIN (SELECT DISTINCT i FROM many) AS b ON a.i = b.i WHERE a.path @> 'a.b.c';
RESET enable_hashjoin;
RESET enable_nestloop;
RESET enable_sort;
RESET enable_hashagg;
DROP TABLE many;
-- what an index cannot answer: a value of the same row, a volatile one, a hash index
SET enable_seqscan = on;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ parent(path);
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ random()::text::territory;
DROP INDEX place_path, place_two, place_parent;
CREATE INDEX place_hash ON place USING hash (path);
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path = 'R1.C2';
SET enable_seqscan = on;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ 'R1.C2';
DROP INDEX place_hash;
-- nor does an index in another order
CREATE FUNCTION backwards(territory, territory) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT territory.territory_cmp($2, $1)';
CREATE OPERATOR CLASS backwards_ops FOR TYPE territory USING btree AS
    OPERATOR 1 territory.>, OPERATOR 2 territory.>=, OPERATOR 3 territory.=, OPERATOR 4 territory.<=, OPERATOR 5 territory.<, FUNCTION 1 backwards(territory, territory);
CREATE INDEX place_backwards ON place (path backwards_ops);
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ 'R1.C2';
DROP INDEX place_backwards;
DROP OPERATOR FAMILY backwards_ops USING btree;
DROP FUNCTION backwards;

-- answers: the index and the operator agree for every value that occurs, and for some that do not
CREATE TEMP TABLE question AS
    SELECT DISTINCT path FROM place WHERE i % 100 = 1 AND path IS NOT NULL
     UNION SELECT unnest(ARRAY['', 'R', 'R1.C', 'R1."C1 "', 'R1!', 'R9', 'R1.C2.D 3."1.0".X', E'R1."C2\u0001"']::territory[]);
CREATE FUNCTION pg_temp.answers(OUT below bigint, OUT above bigint, OUT checksum bigint) LANGUAGE sql AS $$
    SELECT (SELECT count(*) FROM question AS q JOIN place AS p ON p.path <@ q.path),
           (SELECT count(*) FROM question AS q JOIN place AS p ON p.path @> q.path),
           (SELECT sum(q.i * p.i) FROM (SELECT path, row_number() OVER (ORDER BY path) AS i FROM question) AS q JOIN place AS p ON p.path <@ q.path OR p.path @> q.path)
$$;
SELECT * FROM pg_temp.answers() \gset by_scan_
CREATE INDEX place_path ON place (path);
ANALYZE place;
SET enable_seqscan = off;
SELECT :by_scan_below = below AS below, :by_scan_above = above AS above, :by_scan_checksum = checksum AS checksum, below > 5000 AND above > 1000 AS many
  FROM pg_temp.answers();
RESET enable_seqscan;
SET enable_bitmapscan = on;
SET enable_indexscan = off;
SELECT :by_scan_below = below AS below, :by_scan_above = above AS above, :by_scan_checksum = checksum AS checksum FROM pg_temp.answers();
RESET enable_indexscan;
-- after changes and deduplication
DELETE FROM place WHERE i % 3 = 0;
INSERT INTO place SELECT i + 30000, path || 'new' FROM place WHERE i % 5 = 0 AND path IS NOT NULL;
UPDATE place SET path = parent(path) WHERE i % 7 = 0;
VACUUM ANALYZE place;
SELECT * FROM pg_temp.answers() \gset by_index_
DROP INDEX place_path;
SELECT :by_index_below = below AS below, :by_index_above = above AS above, :by_index_checksum = checksum AS checksum FROM pg_temp.answers();

-- estimates: within a factor of what comes out
CREATE FUNCTION pg_temp.misjudged(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
    estimated float8;
    actual float8;
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    estimated := plan->0->'Plan'->>'Plan Rows';
    EXECUTE format('SELECT greatest(count(*), 1) FROM (%s) AS s', query) INTO actual;
    estimated := greatest(estimated, 1);
    RETURN greatest(estimated / actual, actual / estimated);
END
$$;
SELECT max(pg_temp.misjudged(format('SELECT FROM place WHERE path <@ %L', path))) < 2 AS regions FROM region;
SELECT max(factor) < 100 AS max, percentile_cont(0.5) WITHIN GROUP (ORDER BY factor) < 15 AS median
  FROM question, pg_temp.misjudged(format('SELECT FROM place WHERE path <@ %L', path)) AS factor WHERE nlevel(path) IN (2, 3);
SELECT max(pg_temp.misjudged(format('SELECT FROM place WHERE path @> %L', path))) < 50 AS above FROM question WHERE path <> '';
SELECT pg_temp.misjudged('SELECT FROM place WHERE path <@ ''''') < 1.1 AS root, pg_temp.misjudged('SELECT FROM place WHERE is_ancestor(''R1'', path)') < 2 AS call,
       pg_temp.misjudged('SELECT FROM place WHERE path <@ NULL') = 1 AS null,
       pg_temp.misjudged('SELECT FROM region AS r JOIN place AS p ON p.path <@ r.path') < 10 AS below_join,
       pg_temp.misjudged('SELECT FROM place AS p JOIN place AS q ON p.path @> q.path WHERE q.i < 100') < 100 AS above_join;
-- without statistics, and on tables without rows
CREATE TABLE unknown (path territory, t text, n int, p int[]);
EXPLAIN (COSTS OFF) SELECT FROM unknown WHERE path <@ 'A';
INSERT INTO unknown SELECT 'A', 'A', 1, '{1}' FROM generate_series(1, 200);
ANALYZE unknown;
SELECT pg_temp.misjudged('SELECT FROM unknown WHERE path <@ ''A''') < 1.1 AS all, pg_temp.misjudged('SELECT FROM unknown WHERE path @> ''A.B''') < 1.1 AS all_above,
       pg_temp.misjudged('SELECT FROM unknown WHERE path <@ ''B''') < 5 AS none;

-- estimators and support functions that are attached to what they are not for do no harm
SET client_min_messages = warning;
CREATE FUNCTION odd(int, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE FUNCTION odd(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT $1 < $2';
CREATE FUNCTION odd(territory, int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT territory.nlevel($1) < $2';
CREATE FUNCTION odd(int[], int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN $1[1] < $2; END';
CREATE OPERATOR <<<@ (LEFTARG = int, RIGHTARG = int, FUNCTION = odd, RESTRICT = territory_contained_sel, JOIN = territory_contained_joinsel);
CREATE OPERATOR <<<@ (LEFTARG = text, RIGHTARG = text, FUNCTION = odd, RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel);
CREATE OPERATOR <<<@ (LEFTARG = territory, RIGHTARG = int, FUNCTION = odd, RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel);
CREATE OPERATOR <<<@ (LEFTARG = int[], RIGHTARG = int, FUNCTION = odd, RESTRICT = territory_contains_sel, JOIN = territory_contained_joinsel);
CREATE FUNCTION odd_support(text, text) RETURNS bool LANGUAGE internal IMMUTABLE STRICT SUPPORT territory_contains_support AS 'text_lt';
CREATE INDEX ON unknown (t);
SET enable_seqscan = off;
SELECT count(*) FROM unknown WHERE n <<<@ 2;
SELECT count(*) FROM unknown WHERE t <<<@ 'B';
SELECT count(*) FROM unknown WHERE path <<<@ 2;
SELECT count(*) FROM unknown WHERE p <<<@ 2;
SELECT count(*) FROM unknown WHERE odd_support(t, 'B');
SELECT count(*) FROM unknown AS a JOIN unknown AS b ON a.n <<<@ b.n;
DROP FUNCTION odd_support;
DROP OPERATOR <<<@ (int, int);
DROP OPERATOR <<<@ (text, text);
DROP OPERATOR <<<@ (territory, int);
DROP OPERATOR <<<@ (int[], int);
DROP FUNCTION odd(int, int), odd(text, text), odd(territory, int), odd(int[], int);
DROP TABLE place, region, unknown, domain_place;
DROP DOMAIN upper_place;
