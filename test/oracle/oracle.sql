-- The oracle: what the assignments of a table must be, from the words of the design alone.
--
-- Criteria are evaluated one by one as WHERE over the table, the tree is walked by parent_id from the top down.
-- Nothing of the engine is used: no territory.match, no verify, no rule.expression, no node.path.

CREATE SCHEMA oracle;
GRANT USAGE ON SCHEMA oracle TO PUBLIC;

CREATE TYPE oracle.pair AS (key text, node_id int, rule_id int, manual bool);

-- all true rules of all records
CREATE FUNCTION oracle.hits(obj regclass, key_column name, only_where text) RETURNS oracle.pair[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    query text;
    result oracle.pair[];
BEGIN
    SELECT string_agg(format(E'SELECT %I::text AS key, %s AS node_id, %s AS rule_id FROM %s WHERE (%s\n) AND (%s)',
                             key_column, r.node_id, r.id, obj, r.criteria, only_where), E'\nUNION ALL ')
      INTO query
      FROM territory.rule r JOIN territory.node n ON n.id = r.node_id
      JOIN territory.model m ON m.id = n.model_id
     WHERE m.state = 'active' AND r.object = obj AND r.active;
    IF query IS NULL THEN
        RETURN '{}';
    END IF;
    EXECUTE 'SELECT array_agg((h.key, h.node_id, h.rule_id, false)::oracle.pair) FROM (' || query || ') h' INTO result;
    RETURN coalesce(result, '{}');
END $$;

\ir manual.sql

CREATE FUNCTION oracle.expected(obj regclass, only_where text DEFAULT 'true') RETURNS SETOF oracle.pair
LANGUAGE plpgsql STABLE AS $$
DECLARE
    o territory.object;
    hits oracle.pair[];
    by_hand oracle.pair[];
    keys text[];
BEGIN
    SELECT * INTO STRICT o FROM territory.object WHERE object = obj;
    hits := oracle.hits(obj, o.key_column, only_where);
    by_hand := oracle.by_hand(obj, o.key_column, only_where);
    EXECUTE format('SELECT coalesce(array_agg(%I::text), ''{}'') FROM %s WHERE %s', o.key_column, obj, only_where) INTO keys;
    RETURN QUERY
    WITH RECURSIVE
    hit AS MATERIALIZED (
        SELECT h.key, h.node_id, min(h.rule_id) AS rule_id FROM unnest(hits) h GROUP BY 1, 2),
    node AS MATERIALIZED (
        SELECT n.id, n.parent_id, n.name, n.priority, n.cascade,
               EXISTS (SELECT FROM territory.rule r WHERE r.node_id = n.id AND r.object = obj AND r.active) AS ruled
          FROM territory.node n JOIN territory.model m ON m.id = n.model_id WHERE m.state = 'active'),
    -- open: every ancestor that gates matches
    walk AS (
        SELECT k.key, n.id, n.parent_id, true AS open, n.ruled AND h.rule_id IS NOT NULL AS matches,
               n.ruled AND n.cascade AS gates, h.rule_id, n.priority, 1 AS depth, ARRAY[n.name] COLLATE "C" AS names,
               ARRAY[n.id] AS line
          FROM unnest(keys) AS k(key) CROSS JOIN node n LEFT JOIN hit h ON h.key = k.key AND h.node_id = n.id
         WHERE n.parent_id IS NULL
        UNION ALL
        SELECT w.key, n.id, n.parent_id, w.open AND (NOT w.gates OR w.matches),
               w.open AND (NOT w.gates OR w.matches) AND n.ruled AND h.rule_id IS NOT NULL,
               n.ruled AND n.cascade, h.rule_id, n.priority, w.depth + 1, w.names || n.name, w.line || n.id
          FROM walk w JOIN node n ON n.parent_id = w.id LEFT JOIN hit h ON h.key = w.key AND h.node_id = n.id),
    candidate AS MATERIALIZED (
        SELECT w.* FROM walk w
         WHERE w.matches AND NOT EXISTS (
            SELECT FROM territory.exclusion e
             WHERE e.object = obj AND e.key = w.key AND (e.node_id IS NULL OR e.node_id = w.id))),
    ranked AS (
        SELECT c.*, row_number() OVER (PARTITION BY c.key ORDER BY c.priority DESC, c.depth DESC, c.names COLLATE "C") AS place
          FROM candidate c),
    chosen AS (
    SELECT c.key, c.id, c.rule_id FROM ranked c
     WHERE CASE o.mode
           WHEN 'all' THEN true
           WHEN 'first' THEN c.place = 1
           ELSE NOT EXISTS (SELECT FROM candidate d WHERE d.key = c.key AND d.id <> c.id AND c.id = ANY (d.line)) END)
    SELECT coalesce(c.key, h.key), coalesce(c.id, h.node_id), c.rule_id, h.key IS NOT NULL
      FROM chosen c FULL JOIN unnest(by_hand) h ON h.key = c.key AND h.node_id = c.id;
END $$;

-- the differing pairs of two sets, as text; NULL when there are none
CREATE FUNCTION oracle.difference(expected oracle.pair[], stored oracle.pair[]) RETURNS text
LANGUAGE sql IMMUTABLE AS $$
    SELECT string_agg(CASE WHEN s.key IS NULL THEN format('missing (key %s, node %s, rule %s)', e.key, e.node_id, e.rule_id)
                           WHEN e.key IS NULL THEN format('too much (key %s, node %s, rule %s)', s.key, s.node_id, s.rule_id)
                           ELSE format('(key %s, node %s) has rule %s, manual %s, must have %s, %s', e.key, e.node_id, s.rule_id, s.manual, e.rule_id, e.manual) END, '; '
                      ORDER BY coalesce(e.key, s.key), coalesce(e.node_id, s.node_id))
      FROM unnest(expected) e FULL JOIN unnest(stored) s ON s.key = e.key AND s.node_id = e.node_id
     WHERE s.key IS NULL OR e.key IS NULL OR (s.rule_id, s.manual) IS DISTINCT FROM (e.rule_id, e.manual)
$$;

-- What of the history cannot be; NULL when there is nothing. It is true of the present (pairs are what stands now), no
-- record is twice in a node at a time, nothing ends before it begins, and each beginning and end is known.
CREATE FUNCTION oracle.history_flaws(obj regclass) RETURNS text
LANGUAGE sql AS $$
    WITH pair AS MATERIALIZED (SELECT *, row_number() OVER () AS number FROM territory.pair_history(obj)),
    told AS (SELECT key, node_id, rule_id, manual FROM territory.as_of(obj, clock_timestamp())),
    stored AS (SELECT key, node_id, rule_id, manual FROM territory.assignments(obj))
    SELECT string_agg(flaw, '; ') FROM (
        SELECT format('%s overlaps %s', a, b) FROM pair a JOIN pair b ON a.key = b.key AND a.node_id = b.node_id AND a.number < b.number
         WHERE tstzrange(a.since, a.until) && tstzrange(b.since, b.until)
        UNION ALL SELECT format('%s is empty', a) FROM pair a WHERE a.until <= a.since
        UNION ALL SELECT format('of %s the beginning or end is unknown', a) FROM pair a
         WHERE NOT EXISTS (SELECT FROM territory.change c WHERE c.at = a.since AND c.object = obj)
            OR a.until IS NOT NULL AND NOT EXISTS (SELECT FROM territory.change c WHERE c.at = a.until AND c.object = obj)
        UNION ALL SELECT format('node %s has no path', h.node_id) FROM territory.record_history(obj) h WHERE h.path IS NULL
        UNION ALL SELECT format('%s ended in the transaction that began it', h) FROM territory.record_history(obj) h WHERE h.xid = h.end_xid
        UNION ALL (SELECT format('%s does not stand', t) FROM (TABLE told EXCEPT ALL TABLE stored) t)
        UNION ALL (SELECT format('%s stands', t) FROM (TABLE stored EXCEPT ALL TABLE told) t)) f (flaw)
$$;

-- One case: 'ok' or what is wrong. also: 'm' compares territory.match as well, 'v' territory.verify, 'p' the paths,
-- 'h' the history.
-- Security definer: so that it looks at everything, whoever the world's writer is.
CREATE FUNCTION oracle.compare(obj regclass, also text DEFAULT '', only_where text DEFAULT 'true') RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, territory, oracle
SET TimeZone = 'UTC' SET DateStyle = 'ISO, MDY' AS $$
DECLARE
    o territory.object;
    m territory.model;
    expected oracle.pair[];
    pairs oracle.pair[];
    doubled bool;
    wrong text;
BEGIN
    SELECT * INTO STRICT m FROM territory.model WHERE state = 'active';
    PERFORM set_config('TimeZone', m.time_zone, true), set_config('DateStyle', m.date_style, true);
    SELECT * INTO o FROM territory.object WHERE object = obj;
    IF NOT FOUND THEN
        RETURN 'detached';
    END IF;
    EXECUTE format('SELECT count(*) > count(DISTINCT %I) FROM %s', o.key_column, obj) INTO doubled;
    IF doubled THEN
        RETURN 'doubled keys';
    END IF;
    -- a transaction that has written nothing sees what is committed
    wrong := oracle.violated(obj, o.key_column, o.assignment, pg_current_xact_id_if_assigned() IS NULL);
    IF wrong IS NOT NULL THEN
        RETURN 'BAD violated: ' || wrong;
    END IF;
    PERFORM oracle.settle(obj, true);
    SELECT coalesce(array_agg(e), '{}') INTO expected FROM oracle.expected(obj, only_where) e;
    EXECUTE format('SELECT coalesce(array_agg((a.%1$I::text, node_id, rule_id, manual)::oracle.pair), ''{}'')'
                   '  FROM %2$s a WHERE %4$L = ''true'' OR a.%1$I IN (SELECT %1$I FROM %3$s WHERE %4$s)',
                   o.key_column, o.assignment, obj, only_where)
       INTO pairs;
    wrong := oracle.difference(expected, pairs);
    IF wrong IS NOT NULL THEN
        RETURN 'BAD assignments: ' || wrong;
    END IF;
    IF also ~ 'm' THEN
        EXECUTE format('SELECT coalesce(array_agg((record_.%I::text, m.node_id, m.rule_id, false)::oracle.pair), ''{}'')'
                       '  FROM %s record_ CROSS JOIN LATERAL territory.match(%L, record_) m WHERE %s', o.key_column, obj, obj, only_where) INTO pairs;
        wrong := oracle.difference(array(SELECT (e.key, e.node_id, e.rule_id, false)::oracle.pair FROM unnest(expected) e WHERE e.rule_id IS NOT NULL), pairs);
        IF wrong IS NOT NULL THEN
            RETURN 'BAD territory.match: ' || wrong;
        END IF;
    END IF;
    IF also ~ 'v' THEN
        SELECT string_agg(v::text, '; ') INTO wrong FROM territory.verify(obj) v;
        IF wrong IS NOT NULL THEN
            RETURN 'BAD territory.verify: ' || wrong;
        END IF;
    END IF;
    IF also ~ 'p' THEN
        WITH RECURSIVE walk AS (
            SELECT id, model_id, ARRAY[name] AS names FROM territory.node WHERE parent_id IS NULL
            UNION ALL
            SELECT n.id, n.model_id, w.names || n.name FROM walk w JOIN territory.node n ON n.parent_id = w.id)
        SELECT string_agg(format('node %s is %s, must be %s', n.id, n.path, w.names), '; ') INTO wrong
          FROM territory.node n LEFT JOIN walk w ON w.id = n.id
         WHERE w.names IS DISTINCT FROM territory.levels(n.path) OR w.model_id <> n.model_id;
        IF wrong IS NOT NULL THEN
            RETURN 'BAD paths: ' || wrong;
        END IF;
    END IF;
    IF also ~ 'h' THEN
        wrong := oracle.history_flaws(obj);
        IF wrong IS NOT NULL THEN
            RETURN 'BAD history: ' || wrong;
        END IF;
    END IF;
    RETURN format('ok %s %s %s', cardinality(expected), (SELECT count(*) FROM unnest(expected) e WHERE e.manual), also);
END $$;

-- what worlds need
CREATE COLLATION oracle.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- takes the last world away
CREATE FUNCTION oracle.clean() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    TRUNCATE oracle.manual;
    PERFORM territory.detach(object) FROM territory.object;
    DELETE FROM territory.rule;
    DELETE FROM territory.node;
    UPDATE territory.model SET state = CASE id WHEN 1 THEN 'active' ELSE 'archived' END WHERE state = 'active' OR id = 1;
    DELETE FROM territory.model WHERE id <> 1;
    DROP SCHEMA IF EXISTS w CASCADE;
    RETURN 'clean';
END $$;

-- a writer who is no superuser; the role may be there already, from another database
DO $$ BEGIN CREATE ROLE oracle_writer; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;
GRANT USAGE ON SCHEMA territory, oracle TO oracle_writer;
GRANT ALL ON oracle.manual TO oracle_writer;
GRANT ALL ON ALL TABLES IN SCHEMA territory TO oracle_writer;
GRANT ALL ON ALL SEQUENCES IN SCHEMA territory TO oracle_writer;
