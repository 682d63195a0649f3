-- Views for people and BI tools. Columns are only ever added, at the end.

CREATE VIEW tree WITH (security_invoker = true, security_barrier = true) AS
    SELECT n.model_id, m.name AS model, n.id AS node_id, n.parent_id, n.name, n.path,
           territory.nlevel(n.path) AS depth,
           pg_catalog.repeat('  ', territory.nlevel(n.path) - 1) || n.name AS indented,
           n.path::text AS path_text, territory.levels(n.path) AS levels,
           n.priority, n.cascade, n.description,
           (SELECT pg_catalog.count(*) FROM territory.node c WHERE c.parent_id = n.id) AS children,
           (SELECT pg_catalog.count(*) FROM territory.rule r WHERE r.node_id = n.id AND r.active) AS rules,
           territory.level(n.path, 1) AS level_1, territory.level(n.path, 2) AS level_2, territory.level(n.path, 3) AS level_3,
           territory.level(n.path, 4) AS level_4, territory.level(n.path, 5) AS level_5, territory.level(n.path, 6) AS level_6
      FROM territory.node n
      JOIN territory.model m ON m.id = n.model_id
     ORDER BY m.id, n.path;
COMMENT ON VIEW tree IS 'the territories of all models in tree order';
COMMENT ON COLUMN tree.model_id IS 'of territory.model';
COMMENT ON COLUMN tree.model IS 'the model''s name';
COMMENT ON COLUMN tree.parent_id IS 'of the node above; null at the top';
COMMENT ON COLUMN tree.path IS 'names from the top down';
COMMENT ON COLUMN tree.priority IS 'mode first, and deals: the highest wins';
COMMENT ON COLUMN tree.cascade IS 'on: where the node has rules, nothing below it matches unless it matches too';
COMMENT ON COLUMN tree.description IS 'for people';
COMMENT ON COLUMN tree.indented IS 'name, indented by depth';
COMMENT ON COLUMN tree.levels IS 'the names of path, from the top down';
COMMENT ON COLUMN tree.children IS 'nodes directly below';
COMMENT ON COLUMN tree.rules IS 'active rules';

-- A record that stands in several nodes of a subtree counts once in records_below.
CREATE VIEW coverage WITH (security_invoker = true, security_barrier = true) AS
    WITH pair AS MATERIALIZED (
        SELECT a.object, a.key, a.node_id, a.path, a.manual
          FROM territory.assignment a
          JOIN territory.model m ON m.id = a.model_id AND m.state = 'active'),
    own AS (
        SELECT p.object, p.node_id, pg_catalog.count(*) AS records,
               pg_catalog.count(*) FILTER (WHERE p.manual) AS manual
          FROM pair p GROUP BY p.object, p.node_id),
    below AS (
        SELECT p.object, t.path, pg_catalog.count(DISTINCT p.key) AS records
          FROM pair p CROSS JOIN LATERAL territory.ancestors(p.path) AS t(path)
         GROUP BY p.object, t.path),
    assigned AS (
        SELECT p.object, pg_catalog.count(DISTINCT p.key) AS records
          FROM pair p GROUP BY p.object)
    SELECT o.object, NULL::int AS node_id, ''::territory.territory AS path, 0 AS depth,
           territory.record_count(o.object) - coalesce(s.records, 0) AS records,
           territory.record_count(o.object) AS records_below,
           0::bigint AS manual, 0::bigint AS rules, ''::text AS path_text, NULL::text AS level_1, NULL::text AS level_2,
           NULL::text AS level_3, NULL::text AS level_4, NULL::text AS level_5, NULL::text AS level_6
      FROM territory.object o LEFT JOIN assigned s ON s.object = o.object
    UNION ALL
    SELECT o.object, n.id, n.path, territory.nlevel(n.path),
           coalesce(w.records, 0), coalesce(b.records, 0), coalesce(w.manual, 0),
           (SELECT pg_catalog.count(*) FROM territory.rule r
             WHERE r.node_id = n.id AND r.object = o.object AND r.active),
           n.path::text, territory.level(n.path, 1), territory.level(n.path, 2), territory.level(n.path, 3),
           territory.level(n.path, 4), territory.level(n.path, 5), territory.level(n.path, 6)
      FROM territory.object o
     CROSS JOIN territory.node n
      JOIN territory.model m ON m.id = n.model_id AND m.state = 'active'
      LEFT JOIN own w ON w.object = o.object AND w.node_id = n.id
      LEFT JOIN below b ON b.object = o.object AND b.path = n.path
     ORDER BY 1, 3;
COMMENT ON VIEW coverage IS 'how many records of each attached table stand where in the active model; the row with the empty path holds those that stand nowhere';
COMMENT ON COLUMN coverage.object IS 'the attached table';
COMMENT ON COLUMN coverage.node_id IS 'of territory.node; null: the whole table';
COMMENT ON COLUMN coverage.path IS 'the territory; empty: the whole table';
COMMENT ON COLUMN coverage.records IS 'records that stand in the node itself; with the empty path: in none';
COMMENT ON COLUMN coverage.records_below IS 'records that stand in the node or below it, each counted once; with the empty path: all records';
COMMENT ON COLUMN coverage.manual IS 'of records, those assigned by hand';
COMMENT ON COLUMN coverage.rules IS 'active rules of the node for the table';

GRANT SELECT ON tree, coverage TO @extowner@;

