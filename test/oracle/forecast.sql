-- What a forecast's views must show, in plain SQL over the tables of a world of test/oracle/Forecast.pm: w.deal with its
-- columns as they are, the pairs of territory.assignment, and the tree by parent_id.
CREATE SCHEMA oracle;
SET search_path = oracle, pg_catalog;
-- the tables of the world come later
SET check_function_bodies = off;

-- the forecasts of the world; with_* say what attach was told
CREATE TABLE definition (name text, measure text, big_only bool);
INSERT INTO definition VALUES ('amount', 'amount', false), ('likely', 'weighted', false), ('many', 'count', true), ('pieces', 'quantity', false);
CREATE TABLE world (with_probability bool, with_currency bool);

-- each node with itself and all above it
CREATE VIEW above AS
    WITH RECURSIVE a AS (
        SELECT n.id AS node_id, n.id AS above_id, n.parent_id FROM territory.node n JOIN territory.model m ON m.id = n.model_id AND m.state = 'active'
        UNION ALL
        SELECT a.node_id, n.id, n.parent_id FROM a JOIN territory.node n ON n.id = a.parent_id)
    SELECT node_id, above_id FROM a;

-- the deals of a forecast by what they count for; credit: none, revenue or overlay
CREATE FUNCTION deal(forecast text, credit text)
    RETURNS TABLE (k int, node_id int, member text, closes date, category text, unknown bool, value numeric, weighted numeric, bad bool)
    LANGUAGE sql STABLE AS $$
    SELECT d.k, (SELECT a.node_id FROM territory.assignment a JOIN territory.model m ON m.id = a.model_id AND m.state = 'active'
                  WHERE a.object = 'w.deal'::regclass AND a.key = d.k::text),
           CASE WHEN $2 = 'none' THEN d.person ELSE coalesce(s.member, d.person) END, d.closes, x.category, x.unknown,
           CASE WHEN f.measure = 'weighted' THEN v.value * p.probability ELSE v.value END, v.value * p.probability,
           w.with_probability AND coalesce(d.probability < 0 OR d.probability > 1, false)
      FROM w.deal d
     CROSS JOIN oracle.world w
      JOIN oracle.definition f ON f.name = $1
      LEFT JOIN territory.deal_share s ON $2 <> 'none' AND s.object = 'w.deal'::regclass AND s.key = d.k::text AND s.kind = $2
     CROSS JOIN LATERAL (SELECT CASE WHEN d.stage IS NULL THEN 'pipeline' WHEN d.stage IN ('closed', 'commit', 'best_case', 'pipeline', 'omitted') THEN d.stage
                                     ELSE 'omitted' END AS category,
                                coalesce(d.stage NOT IN ('closed', 'commit', 'best_case', 'pipeline', 'omitted'), false) AS unknown) x
     CROSS JOIN LATERAL (SELECT CASE WHEN NOT w.with_currency OR d.currency IS NULL OR d.currency = 'EUR' THEN 1
                                     ELSE (SELECT r.rate FROM territory.exchange_rate r WHERE r.currency = d.currency AND r.reporting = 'EUR' AND r.starts <= d.closes
                                            ORDER BY r.starts DESC LIMIT 1) END AS rate) r
     CROSS JOIN LATERAL (SELECT CASE f.measure WHEN 'count' THEN 1 WHEN 'quantity' THEN coalesce(d.pieces * 2, 0) ELSE coalesce(d.amount, 0) * r.rate END
                                * coalesce(s.share, 1) AS value) v
     CROSS JOIN LATERAL (SELECT CASE WHEN x.category = 'closed' THEN 1 WHEN x.category = 'omitted' OR NOT w.with_probability THEN 0
                                     WHEN d.probability >= 0 AND d.probability <= 1 THEN d.probability ELSE 0 END AS probability) p
     WHERE (NOT f.big_only OR d.amount >= 2) AND ($2 <> 'overlay' OR s.id IS NOT NULL)
$$;

-- the columns that are compared, of deals in some nodes and a period
CREATE TYPE figures AS (closed numeric, commit numeric, best_case numeric, pipeline numeric, omitted numeric, weighted numeric,
                        deals bigint, closed_deals bigint, omitted_deals bigint, no_rate bigint, unknown bigint, bad bigint);

CREATE FUNCTION expected(forecast text, by_member bool)
    RETURNS TABLE (node_id int, member text, period text, target numeric, sub_targets numeric, member_targets numeric,
                   own_closed numeric, own_commit numeric, own_best_case numeric, own_pipeline numeric, own_deals bigint,
                   f figures, own_adjustment numeric, adjustment numeric, overlay_closed numeric, overlay_open numeric)
    LANGUAGE sql STABLE AS $$
    WITH d AS MATERIALIZED (SELECT * FROM oracle.deal($1, CASE WHEN $2 THEN 'revenue' ELSE 'none' END)),
    o AS MATERIALIZED (SELECT * FROM oracle.deal($1, 'overlay') WHERE $2),
    a AS MATERIALIZED (SELECT * FROM oracle.above),
    t AS MATERIALIZED (SELECT * FROM territory.target WHERE metric = $1),
    j AS MATERIALIZED (SELECT * FROM territory.adjustment WHERE metric = $1),
    person AS (
        SELECT DISTINCT a.above_id AS node_id, x.member
          FROM (SELECT d.node_id, d.member FROM d JOIN territory.period p ON d.closes >= p.starts AND d.closes < p.ends
                UNION SELECT o.node_id, o.member FROM o JOIN territory.period p ON o.closes >= p.starts AND o.closes < p.ends WHERE o.category <> 'omitted'
                UNION SELECT t.node_id, t.member FROM t WHERE t.member IS NOT NULL
                UNION SELECT j.node_id, j.member FROM j WHERE j.member IS NOT NULL
                UNION SELECT m.node_id, m.member FROM territory.member m) x
          JOIN a ON a.node_id = x.node_id
         WHERE $2
        UNION ALL
        SELECT DISTINCT a.above_id, NULL FROM a WHERE NOT $2)
    SELECT n.node_id, n.member, p.name,
           (SELECT t.amount FROM t WHERE t.node_id = n.node_id AND t.period_id = p.id AND t.member IS NOT DISTINCT FROM n.member AND (NOT $2 OR t.member IS NOT NULL)),
           (SELECT sum(t.amount) FROM t JOIN territory.node c ON c.id = t.node_id WHERE c.parent_id = n.node_id AND t.period_id = p.id AND t.member IS NOT DISTINCT FROM n.member
               AND (NOT $2 OR t.member IS NOT NULL)),
           (SELECT sum(t.amount) FROM t WHERE NOT $2 AND t.node_id = n.node_id AND t.period_id = p.id AND t.member IS NOT NULL),
           own.closed, own.commit, own.best_case, own.pipeline, own.deals, total.f,
           (SELECT coalesce(sum(j.amount), 0) FROM j WHERE j.node_id = n.node_id AND j.period_id = p.id AND (NOT $2 OR j.member = n.member)),
           (SELECT coalesce(sum(j.amount), 0) FROM j JOIN a ON a.node_id = j.node_id AND a.above_id = n.node_id WHERE j.period_id = p.id AND (NOT $2 OR j.member = n.member)),
           (SELECT coalesce(sum(o.value), 0) FROM o JOIN a ON a.node_id = o.node_id AND a.above_id = n.node_id
             WHERE o.member = n.member AND o.closes >= p.starts AND o.closes < p.ends AND o.category = 'closed'),
           (SELECT coalesce(sum(o.value), 0) FROM o JOIN a ON a.node_id = o.node_id AND a.above_id = n.node_id
             WHERE o.member = n.member AND o.closes >= p.starts AND o.closes < p.ends AND o.category NOT IN ('closed', 'omitted'))
      FROM person n
     CROSS JOIN territory.period p
     CROSS JOIN LATERAL (
        SELECT coalesce(sum(d.value) FILTER (WHERE d.category = 'closed'), 0) AS closed, coalesce(sum(d.value) FILTER (WHERE d.category = 'commit'), 0) AS commit,
               coalesce(sum(d.value) FILTER (WHERE d.category = 'best_case'), 0) AS best_case, coalesce(sum(d.value) FILTER (WHERE d.category = 'pipeline'), 0) AS pipeline,
               count(*) FILTER (WHERE d.category <> 'omitted') AS deals
          FROM d WHERE d.node_id = n.node_id AND (NOT $2 OR d.member IS NOT DISTINCT FROM n.member) AND d.closes >= p.starts AND d.closes < p.ends) own
     CROSS JOIN LATERAL (
        SELECT ROW(coalesce(sum(d.value) FILTER (WHERE d.category = 'closed'), 0), coalesce(sum(d.value) FILTER (WHERE d.category = 'commit'), 0),
                   coalesce(sum(d.value) FILTER (WHERE d.category = 'best_case'), 0), coalesce(sum(d.value) FILTER (WHERE d.category = 'pipeline'), 0),
                   coalesce(sum(d.value) FILTER (WHERE d.category = 'omitted'), 0), coalesce(sum(d.weighted), 0),
                   count(*) FILTER (WHERE d.category <> 'omitted'), count(*) FILTER (WHERE d.category = 'closed'), count(*) FILTER (WHERE d.category = 'omitted'),
                   count(*) FILTER (WHERE d.value IS NULL), count(*) FILTER (WHERE d.unknown), count(*) FILTER (WHERE d.bad))::oracle.figures AS f
          FROM d JOIN a ON a.node_id = d.node_id AND a.above_id = n.node_id
         WHERE (NOT $2 OR d.member IS NOT DISTINCT FROM n.member) AND d.closes >= p.starts AND d.closes < p.ends) total
$$;

-- what the extension says, in the same form
CREATE FUNCTION shown(forecast text, by_member bool)
    RETURNS TABLE (node_id int, member text, period text, target numeric, sub_targets numeric, member_targets numeric,
                   own_closed numeric, own_commit numeric, own_best_case numeric, own_pipeline numeric, own_deals bigint,
                   f figures, own_adjustment numeric, adjustment numeric, overlay_closed numeric, overlay_open numeric)
    LANGUAGE sql STABLE AS $$
    SELECT r.node_id, r.member, r.period, r.target, r.sub_targets, r.member_targets,
           r.own_closed, r.own_commit, r.own_best_case, r.own_pipeline, r.own_deals,
           ROW(r.closed, r.commit, r.best_case, r.pipeline, r.omitted, r.weighted, r.deals, r.closed_deals, r.omitted_deals, r.no_rate, r.unknown_category, r.bad_probability)::oracle.figures,
           r.own_adjustment, r.adjustment, r.overlay_closed, r.overlay_open
      FROM territory.forecast_figures($1, $2, NULL, NULL) r WHERE r.node_id IS NOT NULL
$$;

-- what stands in no territory, and that nothing is lost: per period, the top and what is unassigned are all deals
CREATE FUNCTION lost(forecast text) RETURNS TABLE (period text, all_deals bigint, all_value numeric, shown_deals bigint, shown_value numeric)
    LANGUAGE sql STABLE AS $$
    SELECT p.name, e.deals, e.value, t.deals, t.closed + t.commit + t.best_case + t.pipeline
      FROM territory.period p
     CROSS JOIN LATERAL (SELECT count(*) AS deals, coalesce(sum(d.value), 0) AS value FROM oracle.deal($1, 'none') d
                          WHERE d.category <> 'omitted' AND d.closes >= p.starts AND d.closes < p.ends) e
      JOIN territory.forecast_total t ON t.period = p.name AND t.forecast = $1
     WHERE (e.deals, e.value) IS DISTINCT FROM (t.deals, t.closed + t.commit + t.best_case + t.pipeline)
    UNION ALL
    SELECT p.name, e.deals, e.value, u.deals, u.closed + u.commit + u.best_case + u.pipeline
      FROM territory.period p
     CROSS JOIN LATERAL (SELECT count(*) AS deals, coalesce(sum(d.value), 0) AS value FROM oracle.deal($1, 'none') d
                          WHERE d.node_id IS NULL AND d.category <> 'omitted' AND d.closes >= p.starts AND d.closes < p.ends) e
      JOIN territory.forecast_unassigned u ON u.period = p.name AND u.forecast = $1
     WHERE (e.deals, e.value) IS DISTINCT FROM (u.deals, u.closed + u.commit + u.best_case + u.pipeline)
$$;

-- what the columns of the views are to one another, closed(T) = own(T) + closed(children) among it
CREATE FUNCTION broken(forecast text) RETURNS SETOF text
    LANGUAGE sql STABLE AS $$
    WITH v AS MATERIALIZED (SELECT * FROM territory.forecast_all WHERE forecast = $1)
    SELECT format('%s %s', v.path, v.period) FROM v
     WHERE v.closed <> v.own_closed + (SELECT coalesce(sum(c.closed), 0) FROM v c JOIN territory.node n ON n.id = c.node_id WHERE n.parent_id = v.node_id AND c.period = v.period)
        OR v.deals <> v.own_deals + (SELECT coalesce(sum(c.deals), 0) FROM v c JOIN territory.node n ON n.id = c.node_id WHERE n.parent_id = v.node_id AND c.period = v.period)
        OR v.mismatch <> CASE WHEN v.sub_targets IS NULL AND v.member_targets IS NULL THEN 0 ELSE coalesce(v.target, 0) - coalesce(v.sub_targets, 0) - coalesce(v.member_targets, 0) END
        OR v.gap IS DISTINCT FROM v.target - v.closed OR v.closed_commit <> v.closed + v.commit OR v.closed_best_case <> v.closed_commit + v.best_case
        OR v.open_pipeline <> v.commit + v.best_case + v.pipeline OR v.adjusted <> v.closed + v.commit + v.adjustment
        OR v.achieved_pct IS DISTINCT FROM round(v.closed * 100 / nullif(v.target, 0), 2)
        OR (v.issues IS NULL) <> NOT EXISTS (SELECT FROM oracle.deal($1, 'none') d JOIN oracle.above a ON a.node_id = d.node_id AND a.above_id = v.node_id
                                              WHERE d.closes >= v.starts AND d.closes < v.ends AND (d.value IS NULL OR d.unknown OR d.bad))
    UNION ALL
    SELECT 'rows' WHERE (SELECT count(*) FROM v) <> (SELECT count(*) FROM territory.node n JOIN territory.model m ON m.id = n.model_id AND m.state = 'active')
                                                   * (SELECT count(*) FROM territory.period)
$$;

-- targets, adjustments and snapshots, which no change of the tree takes away
CREATE FUNCTION possessions() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT concat((SELECT coalesce(sum(amount), 0) FROM territory.target), ' ', (SELECT coalesce(sum(amount), 0) FROM territory.adjustment), ' ',
                  (SELECT count(*) FROM territory.snapshot_figure), ' ', (SELECT count(*) FROM territory.snapshot_deal))
$$;

-- compares one forecast with what it must be; prints "ok" and the number of deals counted, or what is wrong
CREATE FUNCTION compare(forecast text, by_member bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    wrong text;
    deals bigint;
BEGIN
    SELECT string_agg(format('%s %s', side, x), E'\n') INTO wrong
      FROM ((SELECT 'expected' AS side, e::text AS x FROM (SELECT * FROM oracle.expected($1, $2) EXCEPT ALL SELECT * FROM oracle.shown($1, $2)) e)
            UNION ALL (SELECT 'shown', e::text FROM (SELECT * FROM oracle.shown($1, $2) EXCEPT ALL SELECT * FROM oracle.expected($1, $2)) e)) d;
    IF wrong IS NULL AND NOT $2 THEN
        SELECT string_agg(l::text, E'\n') INTO wrong FROM oracle.lost($1) l;
        SELECT coalesce(wrong || E'\n', '') || string_agg('broken ' || b, E'\n') INTO wrong FROM oracle.broken($1) b;
    END IF;
    IF wrong IS NOT NULL THEN
        RETURN 'BAD ' || $1 || ' ' || replace(wrong, E'\n', E'\n    ');
    END IF;
    SELECT count(*) INTO deals FROM oracle.deal($1, 'none') d JOIN territory.period p ON d.closes >= p.starts AND d.closes < p.ends WHERE d.node_id IS NOT NULL;
    RETURN 'ok ' || deals;
END $$;
-- an empty world
CREATE FUNCTION clean() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    t text;
BEGIN
    FOREACH t IN ARRAY '{w.deal,w.account}'::text[] LOOP
        IF to_regclass(t) IS NOT NULL THEN PERFORM territory.detach(t); END IF;
    END LOOP;
    DROP SCHEMA IF EXISTS w CASCADE;
    TRUNCATE oracle.world;
    FOREACH t IN ARRAY '{deal_share,forecast_def,target,adjustment,snapshot,period,exchange_rate,member,rule,node}'::text[] LOOP
        EXECUTE format('DELETE FROM territory.%I', t);
    END LOOP;
    UPDATE territory.model SET state = CASE id WHEN 1 THEN 'active' ELSE 'archived' END WHERE id = 1 OR state = 'active';
    DELETE FROM territory.model WHERE id <> 1;
END $$;
RESET check_function_bodies;
RESET search_path;
