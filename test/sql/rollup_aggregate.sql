-- the aggregates rollup and rollup_merge, against plain SQL
SET search_path = public, territory;

-- what the aggregates are: no internal state, combinable, parallel safe
SELECT p.oid::regprocedure, a.aggtranstype::regtype, a.aggcombinefn, p.proparallel
FROM pg_aggregate a JOIN pg_proc p ON p.oid = a.aggfnoid
WHERE a.aggtranstype = 'rollup'::regtype ORDER BY p.proname;

-- nothing to add up, NULLs
SELECT rollup(p::territory, a) FROM (VALUES ('a', 1)) AS v (p, a) WHERE false;
SELECT rollup(p::territory, a) FROM (VALUES (NULL, 1), ('a', NULL)) AS v (p, a);
SELECT rollup(p::territory, a) FROM (VALUES (NULL, 1), ('a', 1.50), ('a', NULL), ('a', 2)) AS v (p, a);
SELECT rollup_merge(r) FROM (VALUES (NULL::rollup)) AS v (r);
SELECT rollup_merge(r) FROM (VALUES (NULL), ('{"a": [1, 1]}'::rollup), (NULL), ('{"b": [1, 1]}'), ('{"a": [2, 2]}')) AS v (r);
SELECT rollup(DISTINCT p::territory, a), rollup(p::territory, a) FILTER (WHERE a > 1)
FROM (VALUES ('a', 1), ('a', 1), ('a', 2), ('b', 1)) AS v (p, a);
-- the support functions outside an aggregate
SELECT rollup_accum(rollup_accum(NULL, 'a', 1.5), 'b', 2), rollup_accum(NULL, NULL, 1), rollup_accum('{"a": [1, 1]}', 'a', NULL);
SELECT rollup_combine(NULL, '{"a": [1, 1]}'), rollup_combine('{"a": [1, 1]}', NULL), rollup_combine(NULL, NULL);

-- sums are those of sum(numeric), with the same scale, in any order; each number
-- many times, for small states and large ones work differently
CREATE TABLE rollup_number (set int, a numeric);
INSERT INTO rollup_number VALUES
  (1, 0), (1, 0.000),
  (2, 999999999999.9999), (2, -0.0001), (2, 9999999999999999),
  (3, 9223372036854775807), (3, 1), (3, -1), (3, -9223372036854775808), (3, -9223372036854775808),
  (4, 9000000000000000), (4, 0.001), (4, 0.0000000000000000001), (4, -9000000000000000.5),
  (5, 1e300), (5, -1e300), (5, 1e-300), (5, 1),
  (6, 0.1), (6, 1000000000000000), (6, 0.000000000000000001), (6, 123456789),
  (7, 'NaN'), (7, 1), (7, 'Infinity'),
  (8, 'Infinity'), (8, -5), (8, 1e50),
  (9, 'Infinity'), (9, '-Infinity'),
  (10, -0.5), (10, 0.50), (10, -1e17), (10, 10000), (10, 100000000.00), (10, 1e-18), (10, -1e-18),
  (11, 0.0000000000000000000000000), (11, 5000000000000000000), (11, 5000000000000000000);
INSERT INTO rollup_number SELECT 12, 9000000000000000.0 FROM generate_series(1, 5000);
INSERT INTO rollup_number SELECT 13, (i * 7919 % 1000003) / 10.0 ^ (i % 25) FROM generate_series(1, 500) i;
SELECT set, (rollup('x', a ORDER BY a) -> 'x')::text = sum(a)::text AS ascending,
       (rollup('x', a ORDER BY a DESC) -> 'x')::text = sum(a)::text AS descending,
       (rollup('x', a ORDER BY md5(a::text)) -> '')::text = sum(a)::text AS shuffled,
       coalesce((rollup('x', a) - rollup('x', -a) -> ''), 0.000)::text = (2 * sum(a))::text AS subtracted,
       subtree_count(rollup('x', a), 'x') = count(*) AS counted
FROM rollup_number, generate_series(1, 20) GROUP BY set ORDER BY set;
-- every length and scale by itself, both signs
SELECT count(*) AS numbers, bool_and((rollup_accum(NULL, 'x', a) -> 'x')::text = a::text) AS same
FROM (SELECT round(s * d * 10.0::numeric(60, 30) ^ e, greatest(0, sc)) AS a
      FROM unnest(ARRAY[1, -1]) s, unnest(ARRAY[1, 1234567, 9999.9999, 12345678901234567890]) d,
           generate_series(-22, 22) e, generate_series(0, 22) sc) AS n;
-- and its overflow
SELECT rollup('x', a) FROM (VALUES (9e131071), (9e131071)) AS v (a);

-- random deals: labels with dots, quotes, spaces and letters beyond ASCII
CREATE TABLE rollup_deal (id int, month int, labels text[], path territory, amount numeric);
CREATE FUNCTION rollup_path(labels text[]) RETURNS territory LANGUAGE sql IMMUTABLE AS
  $$ SELECT coalesce(string_agg('"' || replace(l, '"', '""') || '"', '.' ORDER BY n), '')::territory
     FROM unnest(labels) WITH ORDINALITY AS u (l, n) $$;
CREATE FUNCTION rollup_random_labels(depth int) RETURNS text[] LANGUAGE sql VOLATILE AS
  $$ SELECT coalesce(array_agg((ARRAY['a', 'b', 'ab', 'a b', 'St. Louis', 'Île', 'say "x"'])[1 + floor(random() * 7)::int]), '{}')
     FROM generate_series(1, depth) $$;
CREATE FUNCTION rollup_random_amount() RETURNS numeric LANGUAGE sql VOLATILE AS
  $$ SELECT CASE floor(random() * 20)::int
       WHEN 0 THEN NULL
       WHEN 1 THEN 0
       WHEN 2 THEN round((random() * 1e15)::numeric, 3) * 1e8
       WHEN 3 THEN round(random()::numeric, 25)
       ELSE round((random() * 2e6 - 1e6)::numeric, floor(random() * 4)::int) END $$;

-- compares each() and -> with count and sum over <@, in both directions and in order; returns what differs
CREATE FUNCTION rollup_differences(r rollup, deals rollup_deal[]) RETURNS bigint LANGUAGE sql STABLE AS $$
  WITH deal AS MATERIALIZED (SELECT * FROM unnest(deals) WHERE amount IS NOT NULL AND path IS NOT NULL),
  node AS MATERIALIZED (SELECT DISTINCT rollup_path(labels[1:n]) AS path FROM deal, generate_series(0, cardinality(labels)) n),
  expected AS MATERIALIZED (
    SELECT row_number() OVER (ORDER BY n.path) AS place, n.path,
           count(d.*) FILTER (WHERE d.path = n.path) AS own_count,
           coalesce(sum(d.amount) FILTER (WHERE d.path = n.path), 0)::text AS own_sum,
           count(d.*) AS total_count, sum(d.amount)::text AS total_sum
    FROM node n JOIN deal d ON d.path <@ n.path GROUP BY n.path),
  actual AS MATERIALIZED (
    SELECT place, path, own_count, own_sum::text, total_count, total_sum::text
    FROM each(r) WITH ORDINALITY AS e (path, own_count, own_sum, total_count, total_sum, place))
  SELECT (SELECT count(*) FROM (TABLE expected EXCEPT ALL TABLE actual) x)
       + (SELECT count(*) FROM (TABLE actual EXCEPT ALL TABLE expected) x)
       + (SELECT count(*) FROM expected WHERE (r -> path)::text IS DISTINCT FROM total_sum
                                           OR subtree_count(r, path) <> total_count)
$$;

SELECT setseed(0.4);
DO $$
DECLARE
  deals rollup_deal[];
  part rollup_deal[];
  r rollup;
  merged rollup;
  bad int := 0;
BEGIN
  FOR i IN 1..400 LOOP
    SELECT array_agg(ROW(d.id, d.month, d.labels, CASE WHEN random() > 0.03 THEN rollup_path(d.labels) END, d.amount)::rollup_deal)
    INTO deals
    FROM (SELECT id, 1 + id % 3 AS month, rollup_random_labels(floor(random() * 6 + id * 0)::int) AS labels,
                 CASE WHEN id > 0 THEN rollup_random_amount() END AS amount
          FROM generate_series(1, 1 + floor(random() * 40)::int) id) d;
    SELECT rollup(path, amount) INTO r FROM unnest(deals);
    -- totals by plain SQL
    bad := bad + rollup_differences(r, deals);
    -- the sum of the parts is the whole, and the whole less a part is the rest
    SELECT rollup_merge(p) INTO merged FROM (SELECT rollup(path, amount) AS p FROM unnest(deals) GROUP BY month) x;
    SELECT array_agg(d) INTO part FROM unnest(deals) d WHERE month = 1;
    IF merged::text IS DISTINCT FROM r::text
       OR r - coalesce((SELECT rollup(path, amount) FROM unnest(part)), '{}')
          IS DISTINCT FROM coalesce((SELECT rollup(path, amount) FROM unnest(deals) WHERE month <> 1), CASE WHEN r IS NOT NULL THEN '{}'::rollup END)
       OR r::text::rollup::text IS DISTINCT FROM r::text THEN
      bad := bad + 1;
    END IF;
  END LOOP;
  RAISE NOTICE 'cases that differ: %', bad;
END $$;

-- a larger table for plans
SELECT setseed(0.5);
INSERT INTO rollup_deal (id, month, labels, amount)
  SELECT id, 1 + id % 12, rollup_random_labels(floor(random() * 5 + id * 0)::int), CASE WHEN id > 0 THEN rollup_random_amount() END
  FROM generate_series(1, 12000) id;
UPDATE rollup_deal SET path = rollup_path(labels) WHERE id % 97 <> 0;
ANALYZE rollup_deal;

-- total = own + children, at every node
WITH e AS MATERIALIZED (SELECT each.*, nlevel(each.path) AS level FROM each((SELECT rollup(path, amount) FROM rollup_deal)))
SELECT count(*) > 500 AS many_nodes,
       bool_and(total_sum = own_sum + coalesce(children_sum, 0) AND total_count = own_count + coalesce(children_count, 0)) AS invariant
FROM e, LATERAL (SELECT sum(c.total_sum) AS children_sum, sum(c.total_count) AS children_count
                 FROM e c WHERE c.path <@ e.path AND c.level = e.level + 1) AS c;

-- serial results, to which every other plan is compared
SET max_parallel_workers_per_gather = 0;
CREATE TABLE rollup_serial AS SELECT rollup(path, amount)::text AS r FROM rollup_deal;
CREATE TABLE rollup_serial_month AS SELECT month, rollup(path, amount)::text AS r FROM rollup_deal GROUP BY month;
SELECT rollup_differences(r::rollup, (SELECT array_agg(d) FROM rollup_deal d)) AS differences FROM rollup_serial;

CREATE FUNCTION rollup_plan_has(query text, what text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  line text;
BEGIN
  FOR line IN EXECUTE 'EXPLAIN (COSTS off) ' || query LOOP
    IF strpos(line, what) > 0 THEN
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;

-- parallel, with and without the leader, also groups that some workers do not see
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SELECT rollup_plan_has('SELECT rollup(path, amount) FROM rollup_deal', 'Partial Aggregate');
SELECT rollup(path, amount)::text = (SELECT r FROM rollup_serial) AS same FROM rollup_deal;
SELECT count(*), bool_and(s.r = p.r) AS same
FROM (SELECT month, rollup(path, amount)::text AS r FROM rollup_deal GROUP BY month) p JOIN rollup_serial_month s USING (month);
SET parallel_leader_participation = off;
SELECT rollup(path, amount)::text = (SELECT r FROM rollup_serial) AS same FROM rollup_deal;
SELECT rollup(path, amount) FILTER (WHERE id = 17)::text = rollup_accum(NULL, max(path) FILTER (WHERE id = 17), max(amount) FILTER (WHERE id = 17))::text AS same FROM rollup_deal;
SELECT rollup(path, amount) FILTER (WHERE id < 0) IS NULL AS none FROM rollup_deal;
SELECT rollup_merge(r::rollup)::text = (SELECT r FROM rollup_serial) AS same FROM rollup_serial_month;
RESET parallel_leader_participation;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;

-- partitionwise
CREATE TABLE rollup_part (LIKE rollup_deal) PARTITION BY RANGE (month);
CREATE TABLE rollup_part_1 PARTITION OF rollup_part FOR VALUES FROM (1) TO (5);
CREATE TABLE rollup_part_2 PARTITION OF rollup_part FOR VALUES FROM (5) TO (9);
CREATE TABLE rollup_part_3 PARTITION OF rollup_part FOR VALUES FROM (9) TO (13);
INSERT INTO rollup_part SELECT * FROM rollup_deal;
ANALYZE rollup_part;
SET enable_partitionwise_aggregate = on;
SET max_parallel_workers_per_gather = 0;
SELECT rollup_plan_has('SELECT rollup(path, amount) FROM rollup_part', 'Partial Aggregate');
SELECT rollup(path, amount)::text = (SELECT r FROM rollup_serial) AS same FROM rollup_part;
SELECT count(*), bool_and(s.r = p.r) AS same
FROM (SELECT month, rollup(path, amount)::text AS r FROM rollup_part GROUP BY month) p JOIN rollup_serial_month s USING (month);
RESET enable_partitionwise_aggregate;

-- groups that do not fit in memory, sorted and hashed
SET work_mem = '64kB';
SET enable_sort = off;
CREATE TABLE rollup_hashed AS SELECT id % 4000 AS g, rollup(path, amount)::text AS r FROM rollup_deal GROUP BY 1;
SET enable_sort = on;
SET enable_hashagg = off;
CREATE TABLE rollup_sorted AS SELECT id % 4000 AS g, rollup(path, amount)::text AS r FROM rollup_deal GROUP BY 1;
RESET enable_sort;
RESET enable_hashagg;
RESET work_mem;
SELECT count(*), bool_and(h.r IS NOT DISTINCT FROM s.r) AS same FROM rollup_hashed h JOIN rollup_sorted s USING (g);
SELECT count(*) AS sets, bool_and(CASE WHEN month IS NULL THEN r = (SELECT r FROM rollup_serial)
                                  ELSE r = (SELECT r FROM rollup_serial_month s WHERE s.month = x.month) END) AS same
FROM (SELECT month, rollup(path, amount)::text AS r FROM rollup_deal GROUP BY ROLLUP (month)) x;

-- windows: growing, moving and peer frames
SELECT count(*) AS rows,
       bool_and((growing -> '') IS NOT DISTINCT FROM growing_sum) AS growing,
       bool_and((moving -> 'a') IS NOT DISTINCT FROM moving_sum) AS moving,
       bool_and((peers -> '') IS NOT DISTINCT FROM peers_sum) AS peers
FROM (SELECT rollup(path, amount) OVER g AS growing, sum(amount) FILTER (WHERE path IS NOT NULL) OVER g AS growing_sum,
             rollup(path, amount) OVER m AS moving, sum(amount) FILTER (WHERE path <@ 'a') OVER m AS moving_sum,
             rollup(path, amount) OVER p AS peers, sum(amount) FILTER (WHERE path IS NOT NULL) OVER p AS peers_sum
      FROM rollup_deal WHERE id <= 600
      WINDOW g AS (PARTITION BY month ORDER BY id),
             m AS (ORDER BY id ROWS BETWEEN 5 PRECEDING AND 2 FOLLOWING EXCLUDE CURRENT ROW),
             p AS (ORDER BY id / 10)) x;
-- a frame's value is not changed by the rows that come after it
SELECT r, lag(r) OVER (ORDER BY n) AS previous
FROM (SELECT n, rollup('a', n) OVER (ORDER BY n) AS r FROM generate_series(1, 3) n) x;

-- every object of this chapter has a comment
SELECT p.oid::regprocedure AS without_comment
FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
WHERE (p.prorettype = 'rollup'::regtype OR 'rollup'::regtype = ANY (p.proargtypes::oid[]))
  AND obj_description(p.oid, 'pg_proc') IS NULL;
SELECT o.oid::regoperator AS without_comment FROM pg_operator o
WHERE o.oprleft = 'rollup'::regtype AND obj_description(o.oid, 'pg_operator') IS NULL;

DROP TABLE rollup_number, rollup_serial, rollup_serial_month, rollup_part, rollup_hashed, rollup_sorted;
DROP FUNCTION rollup_differences, rollup_plan_has, rollup_path, rollup_random_labels, rollup_random_amount;
DROP TABLE rollup_deal;
