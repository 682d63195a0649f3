-- Order, equality, hashing, operator classes, sorts and aggregates
SET search_path = public, territory;

-- depth-first tree order, whatever the characters between: an ancestor, then its subtree, then the next
SELECT path
  FROM unnest(ARRAY['A.C', 'A B', 'A', '', 'A!', 'B', 'A.B', 'A.B.C', 'a', '"A."', 'A-B', 'É', 'Z', 'A.B!', E'"A\u0001"', 'A.É', '10', '9']::territory[]) AS path
 ORDER BY path;

-- random paths that share much: labels from a small and odd alphabet
SELECT setseed(0.42);
CREATE TABLE walk AS
    SELECT i, string_to_array(string_agg(CASE WHEN random() < 0.35 AND j > 1 THEN '|' ELSE '' END || (ARRAY['a', 'b', '!', ' ', '.', '"', 'é', chr(1)])[1 + floor(random() * 8)::int], ''), '|') AS labels
      FROM generate_series(1, 3000) AS i, LATERAL (SELECT j FROM generate_series(1, 1 + i % 7) AS j) AS s
     GROUP BY i;
ALTER TABLE walk ADD path territory;
CREATE FUNCTION pg_temp.path_of(labels text[]) RETURNS territory LANGUAGE plpgsql AS $$
DECLARE
    result territory := '';
    label text;
BEGIN
    FOREACH label IN ARRAY labels LOOP
        result := child(result, label);
    END LOOP;
    RETURN result;
END
$$;
UPDATE walk SET path = pg_temp.path_of(labels);
SELECT count(*) AS paths, count(DISTINCT path) = count(DISTINCT labels) AS distinct_as_labels, bool_and(levels(path) = labels) AS labels_kept FROM walk;

-- the operators and the arrays of labels agree; two arrays in order "C" are in tree order
CREATE TEMP TABLE pair AS
    SELECT a.path AS a, b.path AS b, a.labels COLLATE "C" AS la, b.labels COLLATE "C" AS lb
      FROM walk AS a, walk AS b WHERE a.i % 20 = 0 AND b.i % 7 = 0;
SELECT count(*) > 50000 AS many,
       count(*) FILTER (WHERE (a = b) <> (la = lb)) AS eq, count(*) FILTER (WHERE (a <> b) <> (la <> lb)) AS ne,
       count(*) FILTER (WHERE (a < b) <> (la < lb)) AS lt, count(*) FILTER (WHERE (a <= b) <> (la <= lb)) AS le,
       count(*) FILTER (WHERE (a > b) <> (la > lb)) AS gt, count(*) FILTER (WHERE (a >= b) <> (la >= lb)) AS ge,
       count(*) FILTER (WHERE territory_cmp(a, b) <> btarraycmp(la, lb)) AS cmp,
       count(*) FILTER (WHERE territory_cmp(a, b) <> -territory_cmp(b, a)) AS antisymmetry,
       count(*) FILTER (WHERE (a @> b) <> (lb[:cardinality(la)] = la)) AS contains,
       count(*) FILTER (WHERE (a <@ b) <> (b @> a)) AS contained,
       count(*) FILTER (WHERE (a @> b) <> is_ancestor(a, b)) AS is_ancestor,
       count(*) FILTER (WHERE (a @> b) <> (b >= a AND b < subtree_end(a))) AS subtree,
       count(*) FILTER (WHERE (a @> b) <> (a = ANY (lineage(b)))) AS lineage
  FROM pair;
SELECT count(*) AS not_equal_hash FROM pair
 WHERE (a = b) <> (territory_hash(a) = territory_hash(b)) OR a = b AND territory_hash_extended(a, 7) <> territory_hash_extended(b, 7);
SELECT count(*) AS seedless FROM walk WHERE (territory_hash_extended(path, 0) & 4294967295) <> (territory_hash(path)::bigint & 4294967295);
SELECT count(*) AS not_transitive
  FROM walk AS a JOIN walk AS b ON a.path < b.path JOIN walk AS c ON b.path <= c.path
 WHERE a.i % 60 = 0 AND b.i % 60 = 1 AND c.i % 60 = 2 AND NOT a.path < c.path;
-- long paths
SELECT a < b AS lt, b > a AS gt, a @> b AS contains, b @> a AS contained, a = b AS eq
  FROM (SELECT (repeat('a.', n - 2) || 'a')::territory AS a, (repeat('a.', n - 1) || 'a')::territory AS b FROM unnest(ARRAY[14653, 65535]) AS n) AS s;

-- nothing is behind the end of the root
SELECT bool_and(path < subtree_end('')) AS before_end FROM walk;
SELECT repeat(chr(1114111), 1000)::territory < subtree_end('') AS before_end;

-- operator classes
SELECT amname, opcname, opcdefault, amvalidate(c.oid)
  FROM pg_opclass AS c JOIN pg_am AS a ON a.oid = c.opcmethod
 WHERE opcintype = 'territory'::regtype AND amname IN ('btree', 'hash') ORDER BY amname;
SELECT btequalimage('territory'::regtype) AS deduplication;

-- sorts: in memory with and without abbreviated keys, on disk, descending
CREATE FUNCTION pg_temp.sorted(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    sorted boolean;
BEGIN
    EXECUTE format('SELECT bool_and(previous IS NULL OR territory_cmp(previous, path) <= 0) FROM (SELECT path, lag(path) OVER () AS previous FROM (%s) AS s) AS t', query) INTO sorted;
    RETURN sorted;
END
$$;
CREATE TABLE many AS SELECT ('T' || i % 97)::territory || child('', 'node ' || (i * 7919 % 30011)) AS path FROM generate_series(1, 30000) AS i;
CREATE TABLE alike AS SELECT 'Territory.Europe'::territory || child('', (i * 7919 % 30011)::text) AS path FROM generate_series(1, 30000) AS i;
SELECT pg_temp.sorted('SELECT path FROM many ORDER BY path') AS many, pg_temp.sorted('SELECT path FROM alike ORDER BY path') AS alike,
       pg_temp.sorted('SELECT path FROM walk ORDER BY path') AS walk;
SET work_mem = '64kB';
SELECT pg_temp.sorted('SELECT path FROM many ORDER BY path') AS many, pg_temp.sorted('SELECT path FROM alike ORDER BY path') AS alike,
       pg_temp.sorted('SELECT path FROM walk ORDER BY path') AS walk;
RESET work_mem;

-- joins and groups: merge, hash and nested loop agree
SET enable_hashjoin = off;
SET enable_nestloop = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM walk AS a JOIN walk AS b USING (path);
SELECT count(*) AS merge FROM walk AS a JOIN walk AS b USING (path) \gset
SET enable_hashjoin = on;
SET enable_mergejoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM walk AS a JOIN walk AS b USING (path);
SELECT count(*) AS hash FROM walk AS a JOIN walk AS b USING (path) \gset
SELECT count(*) AS labels FROM walk AS a JOIN walk AS b USING (labels) \gset
SELECT :merge = :labels AS merge, :hash = :labels AS hash;
RESET enable_hashjoin;
RESET enable_nestloop;
RESET enable_mergejoin;
CREATE TABLE hashed (path territory) PARTITION BY HASH (path);
CREATE TABLE hashed_0 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE hashed_1 PARTITION OF hashed FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO hashed SELECT path FROM walk;
SELECT count(*) FROM hashed;

-- min and max: from rows, from an index, from nothing, in parallel
SELECT min(path) = (SELECT path FROM walk ORDER BY path LIMIT 1) AS min, max(path) = (SELECT path FROM walk ORDER BY path DESC LIMIT 1) AS max FROM walk;
SELECT min(path), max(path) FROM walk WHERE false;
SELECT min(path), max(path) FROM unnest(ARRAY[NULL, 'B', 'A.B', 'A']::territory[]) AS path;
CREATE INDEX ON many (path);
ANALYZE many;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query;
END
$$;
SELECT count(*) FROM pg_temp.plan('SELECT max(path) FROM many') AS line WHERE line LIKE '%Index Only Scan Backward%';
SELECT min(path), max(path) FROM many;
ALTER TABLE alike SET (parallel_workers = 2);
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT min(path), max(path) FROM alike;
SELECT min(path), max(path) FROM alike;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

DROP TABLE walk, many, alike, hashed;
