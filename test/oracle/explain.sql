-- What territory.explain must say of each record and node, worked out from the words of the design alone: criteria are
-- evaluated one by one, the tree is walked by parent_id. Of the records above, what is stored counts.
-- Needs test/oracle/oracle.sql.

CREATE TYPE oracle.verdict AS (key text, node_id int, there bool, decision text, by_rule int, from_key text);

-- each record: its key, that of the record above (up; null: none), its owner, whether it is a closed deal
CREATE TYPE oracle.record AS (key text, up text, owner text, closed bool);

CREATE FUNCTION oracle.records(o territory.object) RETURNS oracle.record[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    up text := CASE WHEN o.parent IS NOT NULL THEN o.parent_key WHEN o.family_mode <> 'none' THEN o.family END;
    result oracle.record[];
BEGIN
    EXECUTE format('SELECT coalesce(array_agg((%I::text, %s, %s, coalesce((%s) IN (''closed'', ''omitted''), false))::oracle.record), ''{}'') FROM %s',
                   o.key_column, coalesce(quote_ident(up) || '::text', 'NULL'), coalesce('(' || o.owner || ')::text', 'NULL'),
                   coalesce('(' || o.category || ')::text', 'NULL'), o.object) INTO result;
    RETURN result;
END $$;

-- the records above: (key, key of the record above), those that are there; in families the tops
CREATE FUNCTION oracle.tops(o territory.object, records oracle.record[]) RETURNS TABLE (key text, top text) LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys text[];
BEGIN
    IF o.parent IS NOT NULL THEN
        EXECUTE format('SELECT array_agg(%I::text) FROM %s', (SELECT p.key_column FROM territory.object p WHERE p.object = o.parent), o.parent) INTO keys;
        RETURN QUERY SELECT r.key, r.up FROM unnest(records) r WHERE r.up = ANY (keys);
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE walk AS (
        SELECT r.key, r.key AS at, '{}'::text[] AS seen, false AS circle FROM unnest(records) r
        UNION ALL
        SELECT w.key, p.key, w.seen || w.at, p.key = ANY (w.seen || w.at)
          FROM walk w JOIN unnest(records) c ON c.key = w.at JOIN unnest(records) p ON p.key = c.up WHERE NOT w.circle)
    SELECT w.key, w.at FROM walk w
     WHERE w.at <> w.key AND NOT EXISTS (SELECT FROM walk v WHERE v.key = w.key AND v.circle)
       AND NOT EXISTS (SELECT FROM unnest(records) c JOIN unnest(records) p ON p.key = c.up WHERE c.key = w.at);
END $$;

CREATE FUNCTION oracle.verdicts(obj regclass) RETURNS SETOF oracle.verdict LANGUAGE plpgsql STABLE AS $$
DECLARE
    o territory.object;
    records oracle.record[];
    hits oracle.pair[];
    above regclass;
BEGIN
    SELECT * INTO STRICT o FROM territory.object WHERE object = obj;
    records := oracle.records(o);
    hits := oracle.hits(obj, o.key_column, 'true');
    above := coalesce(o.parent, CASE WHEN o.family IS NOT NULL AND o.family_mode <> 'none' THEN obj END);
    RETURN QUERY
    WITH RECURSIVE
    node AS MATERIALIZED (
        SELECT n.id, n.parent_id, n.priority, n.cascade,
               EXISTS (SELECT FROM territory.rule r WHERE r.node_id = n.id AND r.object = obj AND r.active) AS ruled
          FROM territory.node n JOIN territory.model m ON m.id = n.model_id WHERE m.state = 'active'),
    up AS (
        SELECT n.id, n.id AS at, n.parent_id FROM node n
        UNION ALL SELECT u.id, n.id, n.parent_id FROM up u JOIN node n ON n.id = u.parent_id),
    line AS MATERIALIZED (SELECT id, at AS above FROM up),
    depth AS (SELECT id, count(*) AS levels FROM line GROUP BY 1),
    record AS MATERIALIZED (SELECT * FROM unnest(records)),
    top AS MATERIALIZED (SELECT t.* FROM oracle.tops(o, records) t WHERE above IS NOT NULL),
    stored AS MATERIALIZED (SELECT * FROM territory.assignments(obj)),
    given AS MATERIALIZED (
        SELECT t.key, p.node_id, p.rule_id FROM top t JOIN territory.assignments(above) p ON p.key = t.top JOIN node n ON n.id = p.node_id),
    excluded AS MATERIALIZED (SELECT e.key, n.id AS node_id FROM territory.exclusion e JOIN node n ON n.id = coalesce(e.node_id, n.id) WHERE e.object = obj),
    -- of a deal, a node of another model counts too
    banned AS MATERIALIZED (SELECT e.key, e.node_id FROM territory.exclusion e WHERE e.object = obj),
    hit AS MATERIALIZED (SELECT h.key, h.node_id, min(h.rule_id) AS rule_id FROM unnest(hits) h GROUP BY 1, 2),
    gated AS MATERIALIZED (
        SELECT DISTINCT h.key, h.node_id FROM hit h JOIN line l ON l.id = h.node_id AND l.above <> l.id JOIN node g ON g.id = l.above AND g.cascade AND g.ruled
         WHERE NOT EXISTS (SELECT FROM hit t WHERE t.key = h.key AND t.node_id = g.id)),
    candidate AS MATERIALIZED (
        SELECT h.* FROM hit h WHERE (h.key, h.node_id) NOT IN (SELECT g.key, g.node_id FROM gated g)
           AND (h.key, h.node_id) NOT IN (SELECT e.key, e.node_id FROM excluded e)
           AND (o.kind <> 'deal' OR EXISTS (SELECT FROM line l JOIN given p ON p.node_id = l.above WHERE l.id = h.node_id AND p.key = h.key))),
    deepest AS MATERIALIZED (
        SELECT c.* FROM candidate c WHERE NOT EXISTS (
            SELECT FROM candidate d JOIN line l ON l.id = d.node_id WHERE d.key = c.key AND l.above = c.node_id AND d.node_id <> c.node_id)),
    first AS (
        SELECT DISTINCT ON (c.key) c.* FROM candidate c JOIN node n ON n.id = c.node_id JOIN depth d ON d.id = c.node_id
          JOIN territory.node p ON p.id = c.node_id ORDER BY c.key, n.priority DESC, d.levels DESC, p.path),
    own AS MATERIALIZED (
        SELECT * FROM deepest WHERE o.mode = 'deepest' OR o.kind = 'deal'
        UNION ALL SELECT * FROM candidate WHERE o.mode = 'all' AND o.kind <> 'deal'
        UNION ALL SELECT * FROM first WHERE o.mode = 'first' AND o.kind <> 'deal'),
    -- of deals: those among which priority and membership decide
    option AS (
        SELECT d.key, d.node_id, d.rule_id, true AS by_rule FROM deepest d WHERE o.kind = 'deal'
        UNION ALL
        SELECT g.key, g.node_id, g.rule_id, false FROM given g
         WHERE o.kind = 'deal' AND NOT EXISTS (SELECT FROM deepest d WHERE d.key = g.key)
           AND (g.key, g.node_id) NOT IN (SELECT e.key, e.node_id FROM excluded e)),
    best AS (
        SELECT p.*, n.priority = max(n.priority) OVER (PARTITION BY p.key) AS highest, m.ok AS owns
          FROM option p JOIN node n ON n.id = p.node_id JOIN record r ON r.key = p.key
          CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM territory.member m WHERE m.node_id = p.node_id AND m.member = r.owner
             AND coalesce(m.starts <= current_date, true) AND coalesce(m.ends > current_date, true)) AS ok) m),
    left_over AS MATERIALIZED (
        SELECT b.*, b.highest AND (b.owns OR NOT bool_or(b.highest AND b.owns) OVER (PARTITION BY b.key)) AS remains FROM best b),
    fate AS MATERIALIZED (SELECT l.*, count(*) FILTER (WHERE l.remains) OVER (PARTITION BY l.key) AS remaining FROM left_over l),
    by_hand AS MATERIALIZED (
        SELECT DISTINCT s.key FROM stored s WHERE s.manual AND o.kind = 'deal'
           AND NOT EXISTS (SELECT FROM banned b WHERE b.key = s.key AND coalesce(b.node_id, s.node_id) = s.node_id)),
    kept AS MATERIALIZED (
        SELECT s.key, s.node_id, s.rule_id FROM stored s JOIN record r ON r.key = s.key JOIN node n ON n.id = s.node_id
         WHERE o.kind = 'deal' AND o.closed = 'freeze' AND r.closed AND s.key NOT IN (SELECT b.key FROM by_hand b)
           AND (s.key, s.node_id) NOT IN (SELECT e.key, e.node_id FROM excluded e)),
    told AS (
        SELECT r.key, n.id AS node_id, n.ruled, t.top, r.up,
               s.node_id IS NOT NULL AS there, s.rule_id AS stored_rule, coalesce(s.manual, false) AS manual,
               (r.key, n.id) IN (SELECT e.key, e.node_id FROM excluded e) AS excluded,
               h.rule_id IS NOT NULL AS hit, (r.key, n.id) IN (SELECT x.key, x.node_id FROM gated x) AS gated,
               w.node_id IS NOT NULL AS own, EXISTS (SELECT FROM own x WHERE x.key = r.key) AS has_own,
               g.node_id IS NOT NULL AS given, f.node_id IS NOT NULL AS option, f.by_rule, f.remains, f.remaining,
               k.node_id IS NOT NULL AS kept, EXISTS (SELECT FROM kept x WHERE x.key = r.key) AS keeps,
               r.key IN (SELECT b.key FROM by_hand b) AS by_hand,
               EXISTS (SELECT FROM line l JOIN given p ON p.node_id = l.above AND p.key = r.key WHERE l.id = n.id) AS below
          FROM record r CROSS JOIN node n
          LEFT JOIN top t ON t.key = r.key
          LEFT JOIN stored s ON s.key = r.key AND s.node_id = n.id
          LEFT JOIN hit h ON h.key = r.key AND h.node_id = n.id
          LEFT JOIN own w ON w.key = r.key AND w.node_id = n.id
          LEFT JOIN given g ON g.key = r.key AND g.node_id = n.id
          LEFT JOIN fate f ON f.key = r.key AND f.node_id = n.id
          LEFT JOIN kept k ON k.key = r.key AND k.node_id = n.id),
    ruled AS (
        SELECT t.*, CASE WHEN NOT t.hit THEN 'criterion failed' WHEN t.gated THEN 'blocked by ancestor'
                         WHEN o.mode = 'first' AND o.kind <> 'deal' THEN 'outranked' ELSE 'shadowed by descendant' END AS by_rules
          FROM told t),
    said AS (
        SELECT t.*, CASE
            WHEN t.excluded THEN 'excluded'
            WHEN o.kind = 'contact' THEN
                CASE WHEN t.given THEN 'inherited' WHEN t.manual THEN 'manual' WHEN t.top IS NOT NULL THEN 'not inherited' ELSE 'no parent' END
            WHEN o.kind = 'deal' THEN
                CASE WHEN t.kept THEN 'frozen'
                     WHEN t.option AND t.remains AND t.remaining = 1 AND NOT t.keeps AND (t.manual OR NOT t.by_hand)
                         THEN CASE WHEN t.by_rule THEN 'matched' ELSE 'inherited' END
                     WHEN t.manual THEN 'manual'
                     WHEN t.top IS NULL THEN 'no parent'
                     WHEN t.option THEN CASE WHEN t.remains AND t.remaining > 1 AND NOT t.keeps AND NOT t.by_hand THEN 'tied' ELSE 'outranked' END
                     WHEN NOT t.below THEN 'outside parent'
                     WHEN t.ruled AND (t.hit OR NOT t.given) THEN t.by_rules
                     WHEN t.given THEN 'outranked' ELSE 'no rules' END
            WHEN t.top IS NOT NULL AND t.given AND (o.family_mode = 'all' OR NOT t.has_own) THEN 'inherited'
            WHEN t.own AND NOT (t.top IS NOT NULL AND o.family_mode = 'all') THEN 'matched'
            WHEN t.manual THEN 'manual'
            WHEN t.given OR t.own THEN 'outranked'
            WHEN t.ruled THEN t.by_rules
            ELSE 'no rules' END AS decision
          FROM ruled t)
    SELECT s.key, s.node_id, s.there, s.decision,
           CASE WHEN s.decision IN ('matched', 'inherited', 'frozen') THEN s.stored_rule END,
           CASE WHEN s.decision IN ('inherited', 'not inherited', 'outside parent') THEN s.top
                WHEN s.decision = 'no parent' THEN s.up END
      FROM said s;
END $$;

-- what explain says that is not so; null: nothing
CREATE FUNCTION oracle.explain_flaws(obj regclass, OUT flaws text) LANGUAGE plpgsql AS $$
BEGIN
    WITH must AS MATERIALIZED (
        SELECT v.*, n.path FROM oracle.verdicts(obj) v JOIN territory.node n ON n.id = v.node_id),
    must_there AS (SELECT m.*, m.decision IN ('matched', 'inherited', 'frozen', 'manual') AS is_there FROM must m),
    said AS MATERIALIZED (
        SELECT DISTINCT k.key, e.node_id, e.decision, e.by_rule, e.from_key
          FROM (SELECT DISTINCT key FROM must) k CROSS JOIN LATERAL territory.explain(obj, k.key) e),
    single AS (
        SELECT DISTINCT ON (m.key) m.* FROM must m ORDER BY m.key, random()),
    asked AS (
        SELECT DISTINCT s.key, e.node_id, e.decision, e.by_rule, e.from_key FROM single s CROSS JOIN LATERAL territory.explain(obj, s.key, s.path) e)
    SELECT string_agg(flaw, '; ') INTO flaws FROM (
        SELECT format('record %s, node %s: stored %s, must be %s', m.key, m.path, m.there, m.decision) FROM must_there m WHERE m.there <> m.is_there
        UNION ALL
        SELECT format('record %s, node %s: explain says %s (rule %s, from %s), must be %s (rule %s, from %s)', m.key, m.path, coalesce(s.decision, 'nothing'), s.by_rule, s.from_key, m.decision, m.by_rule, m.from_key)
          FROM must_there m LEFT JOIN said s ON s.key = m.key AND s.node_id = m.node_id
         WHERE CASE WHEN s.key IS NULL THEN m.is_there OR m.decision NOT IN ('no rules', 'outside parent', 'no parent', 'not inherited', 'excluded')
                    ELSE s.decision <> m.decision OR s.by_rule IS DISTINCT FROM m.by_rule
                         OR (m.from_key IS NOT NULL AND s.from_key IS DISTINCT FROM m.from_key) END
        UNION ALL
        SELECT format('record %s, node %s: when asked, explain says %s, must be %s', m.key, m.path, s.decision, m.decision)
          FROM asked s JOIN must m ON m.key = s.key AND m.node_id = s.node_id
         WHERE s.decision <> m.decision OR s.by_rule IS DISTINCT FROM m.by_rule OR (m.from_key IS NOT NULL AND s.from_key IS DISTINCT FROM m.from_key)
        UNION ALL
        SELECT format('record %s: explain says nothing', k.key) FROM (SELECT DISTINCT key FROM must) k
          JOIN territory.object o ON o.object = obj AND o.kind IN ('contact', 'deal') WHERE k.key NOT IN (SELECT s.key FROM said s)) f (flaw);
END $$;
