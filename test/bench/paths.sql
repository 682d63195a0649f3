-- paths.sql: the paths of the case type. Variables: n (paths), ltree (is the server's ltree there?).

-- 10,000 nodes: each hangs below an earlier one, the sooner the earlier it is; so few have many children, and many have none
CREATE TABLE tree AS
WITH RECURSIVE parent AS MATERIALIZED (
  SELECT i::int AS id, 1 + leaning(i, 225, i::int - 1) AS parent_id FROM generate_series(2::bigint, 10000) AS i
), tree AS (
  SELECT 1 AS id, 't1' AS path
  UNION ALL
  SELECT p.id, t.path || '.t' || p.id FROM tree AS t JOIN parent AS p ON p.parent_id = t.id
)
SELECT * FROM tree;

-- a row has one path in all types; the paths are spread evenly below the nodes, and lie in the table in no order of the tree
CREATE UNLOGGED TABLE place (
  id int, text text COLLATE "C" NOT NULL, path territory GENERATED ALWAYS AS (text::territory) STORED
);
\if :ltree
CREATE EXTENSION ltree;
ALTER TABLE place ADD COLUMN ltree ltree GENERATED ALWAYS AS (text::ltree) STORED;
\endif
INSERT INTO place (id, text)
SELECT i, t.path || '.a' || i FROM generate_series(1::bigint, :n) AS i JOIN tree AS t ON t.id = 1 + even(i, 226, 10000) ORDER BY i;
VACUUM ANALYZE place;

-- the nodes to look up: those whose subtrees come next to these parts of all paths
CREATE TABLE subtree AS
WITH own AS (
  SELECT parent(path) AS path, count(*) AS rows FROM place GROUP BY 1
), node AS (
  SELECT a.path, sum(own.rows)::int AS rows FROM own, ancestors(own.path) AS a(path) GROUP BY 1
)
SELECT DISTINCT ON (part) part, path, rows
  FROM node, unnest(ARRAY[0.0001, 0.001, 0.008, 0.04, 0.2]) AS part
 ORDER BY part, abs(rows - part * :n), path;
