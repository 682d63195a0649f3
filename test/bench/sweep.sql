-- sweep.sql: rows and rules of one line and column of the growth table. Variables: n (rows), rules, criteria (of a rule), keys
-- (values of the columns k1 and k2), any (0: AND; 1: OR and NOT), none (1: no rule matches).

\ir clear.sql
DROP TABLE IF EXISTS wide;
SELECT format('CREATE TABLE wide (id bigint PRIMARY KEY, k1 text, k2 text, %s)', string_agg(format('a%s text, n%s int', i, i), ', ' ORDER BY i))
  FROM generate_series(1, 12) AS i \gexec
SELECT format('INSERT INTO wide SELECT i, ''k'' || even(i, 1, %1$s), ''k'' || even(i, 2, %1$s), %2$s FROM generate_series(1::bigint, %3$s) AS i', :keys,
              string_agg(format('''v'' || even(i, %s, 20), even(i, %s, 1000)', 400 + c, 500 + c), ', ' ORDER BY c), :n)
  FROM generate_series(1, 12) AS c \gexec
VACUUM ANALYZE wide;

-- A rule names a value of k1 (of k1 or of k2), and so many of the other 24 columns, each with a condition that 19 of 20
-- rows pass, from a column of its own on; with NOT, the opposite of such a condition is negated.
CREATE OR REPLACE FUNCTION weak(i bigint, j int, negated bool, impossible bool) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE
  WHEN impossible THEN format('n%s < 0', 1 + (even(i, 300, 12) + j) % 12)
  WHEN (even(i, 300, 24) + j) % 2 = 0
    THEN format(CASE WHEN negated THEN 'NOT (a%s = %L)' ELSE 'a%s <> %L' END, 1 + (even(i, 300, 24) + j) % 24 / 2, 'v' || even(i, 310 + j, 20))
  ELSE format(CASE WHEN negated THEN 'NOT (n%1$s < %2$s OR n%1$s > %3$s)' ELSE 'n%1$s BETWEEN %2$s AND %3$s' END,
              1 + (even(i, 300, 24) + j) % 24 / 2, even(i, 340 + j, 50), even(i, 340 + j, 50) + 949)
END;

SET territory.defer_runs = on;
SET enable_seqscan = off;
INSERT INTO territory.node (path) VALUES ('World');
INSERT INTO territory.node (path) SELECT ('World.T' || i)::territory.territory FROM generate_series(0, 999) AS i;
RESET enable_seqscan;
ANALYZE territory.node;
SELECT territory.attach('wide', mode => 'all');
INSERT INTO territory.rule (node_id, object, criteria)
SELECT n.id, 'wide',
       'k1 = ' || quote_literal('k' || even(i, 302, :keys))
       || coalesce((SELECT string_agg(' AND ' || weak(i, j, false, :none = 1 AND j = half), '') FROM generate_series(1, half) AS j), '')
       || CASE WHEN :any = 0 THEN '' ELSE ' OR k2 = ' || quote_literal('k' || even(i, 303, :keys))
          || coalesce((SELECT string_agg(' AND ' || weak(i, j, true, false), '') FROM generate_series(half + 1, :criteria - 2) AS j), '') END
FROM generate_series(1::bigint, :rules) AS i
JOIN territory.node AS n ON n.name = 'T' || i % 1000,
  LATERAL (SELECT CASE WHEN :any = 0 THEN :criteria - 1 ELSE (:criteria - 1) / 2 END AS half) AS h;
ANALYZE territory.rule;

-- pairs of the first rows, rule by rule, as plain SQL
CREATE OR REPLACE FUNCTION right_pairs(rows int) RETURNS bigint LANGUAGE plpgsql AS $f$
DECLARE
  one record;
  sum bigint;
BEGIN
  CREATE TEMP TABLE right_pair (id bigint, node_id int);
  FOR one IN SELECT * FROM territory.rule LOOP
    EXECUTE format('INSERT INTO right_pair SELECT id, %s FROM wide WHERE id <= %s AND (%s)', one.node_id, rows, one.criteria);
  END LOOP;
  SELECT sum(id * node_id) INTO sum FROM (SELECT DISTINCT id, node_id FROM right_pair) AS p;
  RETURN coalesce(sum, 0);
END $f$;
