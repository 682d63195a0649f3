-- Forecasts as they were, kept figures of a day, what changed between two, and reports.

CREATE FUNCTION forecast_as_of(at timestamptz, forecast text DEFAULT 'amount', model text DEFAULT NULL) RETURNS SETOF forecast
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1000
BEGIN ATOMIC
    SELECT r.path, r.depth, r.period, r.target, r.sub_targets, r.mismatch, r.own_closed, r.closed, r.commit, r.best_case,
           r.pipeline, r.weighted, r.deals, r.achieved_pct, r.gap, r.path_text, r.level_1, r.level_2, r.level_3,
           r.level_4, r.level_5, r.level_6, r.name, r.node_id, r.period_kind, r.starts, r.ends, r.member_targets,
           r.own_commit, r.own_best_case, r.own_pipeline, r.own_deals, r.closed_deals, r.omitted, r.omitted_deals,
           r.closed_commit, r.closed_best_case, r.open_pipeline, r.coverage, r.own_adjustment, r.adjustment, r.adjusted,
           r.issues, r.forecast
      FROM territory.forecast_rows($2, false, $1, $3) r
     WHERE r.node_id IS NOT NULL;
END;
COMMENT ON FUNCTION forecast_as_of(timestamptz, text, text) IS
    'territory.forecast with the deals where they stood at a time, in the tree of a model (null: the active one), with today''s amounts; what these were then only a snapshot knows';

-- Snapshots: the figures, the tree and the deals of a moment. Nothing deletes them but DELETE.
CREATE TABLE snapshot (
    id serial PRIMARY KEY,
    forecast text NOT NULL,
    taken timestamptz NOT NULL DEFAULT now(),
    taken_by text NOT NULL DEFAULT current_user,
    note text
);
CREATE TABLE snapshot_node (
    snapshot_id int NOT NULL,
    node_id int NOT NULL,
    path territory NOT NULL,
    PRIMARY KEY (snapshot_id, node_id)
);
CREATE TABLE snapshot_figure (
    snapshot_id int NOT NULL,
    node_id int NOT NULL,
    period text NOT NULL,
    starts date NOT NULL,
    ends date NOT NULL,
    target numeric,
    own_closed numeric NOT NULL,
    closed numeric NOT NULL,
    commit numeric NOT NULL,
    best_case numeric NOT NULL,
    pipeline numeric NOT NULL,
    omitted numeric NOT NULL,
    weighted numeric NOT NULL,
    deals bigint NOT NULL,
    adjustment numeric NOT NULL,
    issues text,
    PRIMARY KEY (snapshot_id, node_id, period)
);
CREATE TABLE snapshot_deal (
    snapshot_id int NOT NULL,
    object regclass NOT NULL,
    key text NOT NULL,
    node_id int,
    member text,
    close_date date,
    category text NOT NULL,
    value numeric,
    weighted numeric,
    PRIMARY KEY (snapshot_id, object, key)
);
COMMENT ON TABLE snapshot IS 'moments at which a forecast was kept; territory.snapshot_forecast() writes them';
COMMENT ON COLUMN snapshot.forecast IS 'name of the forecast';
COMMENT ON COLUMN snapshot.taken IS 'when';
COMMENT ON COLUMN snapshot.taken_by IS 'by whom: of what he may see';
COMMENT ON COLUMN snapshot.note IS 'why';
COMMENT ON TABLE snapshot_node IS 'the tree of a snapshot';
COMMENT ON COLUMN snapshot_node.path IS 'where the node stood then';
COMMENT ON TABLE snapshot_figure IS 'the figures of a snapshot: the columns of territory.forecast of these names';
COMMENT ON TABLE snapshot_deal IS 'the deals of a snapshot, as territory.forecast_deals() gave them';
COMMENT ON COLUMN snapshot_deal.node_id IS 'null: without a territory';

GRANT SELECT, INSERT, UPDATE, DELETE ON snapshot, snapshot_node, snapshot_figure, snapshot_deal TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE snapshot_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('snapshot', '');
SELECT pg_catalog.pg_extension_config_dump('snapshot_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('snapshot_node', '');
SELECT pg_catalog.pg_extension_config_dump('snapshot_figure', '');
SELECT pg_catalog.pg_extension_config_dump('snapshot_deal', '');

-- Who deletes a snapshot deletes what belongs to it.
CREATE FUNCTION snapshot_clear() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_snapshot_clear';
COMMENT ON FUNCTION snapshot_clear() IS 'trigger of territory.snapshot: a deleted snapshot takes its rows along';
REVOKE EXECUTE ON FUNCTION snapshot_clear() FROM PUBLIC;
CREATE TRIGGER "25_clear" AFTER DELETE ON snapshot FOR EACH ROW EXECUTE FUNCTION snapshot_clear();

CREATE FUNCTION snapshot_forecast(forecast text DEFAULT 'amount', note text DEFAULT NULL) RETURNS int
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
BEGIN ATOMIC
    WITH s AS (
        INSERT INTO territory.snapshot (forecast, note) VALUES ($1, $2) RETURNING id),
    node AS (
        INSERT INTO territory.snapshot_node (snapshot_id, node_id, path)
        SELECT s.id, n.id, n.path FROM s, territory.node n
          JOIN territory.model m ON m.id = n.model_id AND m.state = 'active'),
    figure AS (
        INSERT INTO territory.snapshot_figure (snapshot_id, node_id, period, starts, ends, target, own_closed, closed, commit, best_case,
                                               pipeline, omitted, weighted, deals, adjustment, issues)
        SELECT s.id, r.node_id, r.period, r.starts, r.ends, r.target, r.own_closed, r.closed, r.commit, r.best_case,
               r.pipeline, r.omitted, r.weighted, r.deals, r.adjustment, r.issues
          FROM s, territory.forecast_rows($1, false, NULL, NULL) r WHERE r.node_id IS NOT NULL),
    deal AS (
        INSERT INTO territory.snapshot_deal (snapshot_id, object, key, node_id, member, close_date, category, value, weighted)
        SELECT s.id, d.object, d.key, d.node_id, d.member, d.close_date, d.category, d.value, d.weighted
          FROM s, territory.forecast_deals($1) d)
    SELECT id FROM s;
END;
COMMENT ON FUNCTION snapshot_forecast(text, text) IS
    'keeps a forecast as it is now, of what the caller may see: its figures, tree and deals; returns the snapshot''s id';

-- A deal is in a node when it stands there or below. The empty path is the whole, with what stands nowhere.
CREATE FUNCTION forecast_change("from" int, "to" int DEFAULT NULL, period text DEFAULT NULL)
    RETURNS TABLE (path territory, depth int, change text, deals bigint, amount_from numeric, amount_to numeric, difference numeric, node_id int)
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1000
BEGIN ATOMIC
    WITH span AS (
        SELECT p.starts, p.ends FROM territory.period p WHERE p.name = $3),
    before AS MATERIALIZED (
        SELECT d.object, d.key, d.node_id, d.close_date, d.category, d.value,
               $3 IS NULL OR EXISTS (SELECT FROM span s WHERE d.close_date >= s.starts AND d.close_date < s.ends) AS inside
          FROM territory.snapshot_deal d WHERE d.snapshot_id = $1),
    after AS MATERIALIZED (
        SELECT d.*, $3 IS NULL OR EXISTS (SELECT FROM span s WHERE d.close_date >= s.starts AND d.close_date < s.ends) AS inside
          FROM (SELECT k.object, k.key, k.node_id, k.close_date, k.category, k.value FROM territory.snapshot_deal k WHERE k.snapshot_id = $2
                UNION ALL
                SELECT k.object, k.key, k.node_id, k.close_date, k.category, k.value
                  FROM territory.snapshot s CROSS JOIN LATERAL territory.forecast_deals(s.forecast) k WHERE s.id = $1 AND $2 IS NULL) d),
    node_before AS MATERIALIZED (
        SELECT n.node_id, n.path FROM territory.snapshot_node n WHERE n.snapshot_id = $1),
    node_after AS MATERIALIZED (
        SELECT n.node_id, n.path FROM territory.snapshot_node n WHERE n.snapshot_id = $2
        UNION ALL
        SELECT n.id, n.path FROM territory.node n JOIN territory.model m ON m.id = n.model_id AND m.state = 'active' WHERE $2 IS NULL),
    -- each node with itself and all above it; 0 stands for the whole, null for no territory
    above_before AS MATERIALIZED (
        SELECT n.node_id, a.node_id AS above FROM node_before n JOIN node_before a ON n.path OPERATOR(territory.<@) a.path
        UNION ALL SELECT n.node_id, 0 FROM node_before n UNION ALL SELECT NULL, 0),
    above_after AS MATERIALIZED (
        SELECT n.node_id, a.node_id AS above FROM node_after n JOIN node_after a ON n.path OPERATOR(territory.<@) a.path
        UNION ALL SELECT n.node_id, 0 FROM node_after n UNION ALL SELECT NULL, 0),
    placed_before AS (
        SELECT b.object, b.key, a.above, b.category, b.value, b.close_date FROM before b
          JOIN above_before a ON coalesce(a.node_id, -1) = coalesce(b.node_id, -1) WHERE b.inside),
    placed_after AS (
        SELECT b.object, b.key, a.above, b.category, b.value, b.close_date FROM after b
          JOIN above_after a ON coalesce(a.node_id, -1) = coalesce(b.node_id, -1) WHERE b.inside),
    compared AS (
        SELECT coalesce(b.above, a.above) AS above, b.value AS value_from, a.value AS value_to,
               CASE WHEN b.key IS NULL THEN CASE WHEN EXISTS (SELECT FROM before x WHERE x.object = a.object AND x.key = a.key) THEN 'moved in' ELSE 'new' END
                    WHEN a.key IS NULL THEN CASE WHEN EXISTS (SELECT FROM after x WHERE x.object = b.object AND x.key = b.key) THEN 'moved out' ELSE 'deleted' END
                    WHEN a.category = 'closed' AND b.category <> 'closed' THEN 'won'
                    WHEN a.category = 'omitted' AND b.category <> 'omitted' THEN 'lost'
                    WHEN b.category IN ('closed', 'omitted') AND a.category <> b.category THEN 'reopened'
                    WHEN a.value <> b.value OR (a.value IS NULL) <> (b.value IS NULL) THEN 'amount changed'
                    WHEN a.category <> b.category THEN 'category changed'
                    WHEN a.close_date <> b.close_date OR (a.close_date IS NULL) <> (b.close_date IS NULL) THEN 'date changed'
                    ELSE 'unchanged' END AS change
          FROM placed_before b FULL JOIN placed_after a ON a.object = b.object AND a.key = b.key AND a.above = b.above)
    SELECT coalesce(n.path, o.path, ''::territory.territory), territory.nlevel(coalesce(n.path, o.path, ''::territory.territory)), c.change,
           count(*), coalesce(sum(c.value_from), 0), coalesce(sum(c.value_to), 0), coalesce(sum(c.value_to), 0) - coalesce(sum(c.value_from), 0),
           nullif(c.above, 0)
      FROM compared c
      LEFT JOIN node_after n ON n.node_id = c.above
      LEFT JOIN node_before o ON o.node_id = c.above
     GROUP BY n.path, o.path, c.above, c.change
     ORDER BY 1, 3;
END;
COMMENT ON FUNCTION forecast_change(int, int, text) IS
    'what became of a territory''s deals between two snapshots (to null: until now): new, won, lost, reopened, moved in, moved out, amount changed, category changed, date changed, deleted, unchanged. With a period: of the deals that close in it; one whose date leaves it has moved out. The empty path: all deals';

CREATE FUNCTION forecast_change("from" timestamptz, "to" timestamptz DEFAULT NULL, period text DEFAULT NULL, forecast text DEFAULT 'amount')
    RETURNS TABLE (path territory, depth int, change text, deals bigint, amount_from numeric, amount_to numeric, difference numeric, node_id int)
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1000
BEGIN ATOMIC
    SELECT c.*
      FROM (SELECT (SELECT s.id FROM territory.snapshot s WHERE s.forecast = $4 AND s.taken <= $1 ORDER BY s.taken DESC, s.id DESC LIMIT 1) AS first,
                   (SELECT s.id FROM territory.snapshot s WHERE s.forecast = $4 AND s.taken <= $2 ORDER BY s.taken DESC, s.id DESC LIMIT 1) AS last) i
     CROSS JOIN LATERAL territory.forecast_change(i.first, i.last, $3) c
     WHERE i.first IS NOT NULL AND ($2 IS NULL OR i.last IS NOT NULL);
END;
COMMENT ON FUNCTION forecast_change(timestamptz, timestamptz, text, text) IS
    'the same between the snapshots that were the last ones at two times; nothing where there was none';

-- Reports: territories and persons by period. Deals count by their close date.
CREATE VIEW report_territory WITH (security_invoker = true, security_barrier = true) AS
    WITH deal AS MATERIALIZED (
        SELECT d.node_id, p.id AS period_id, d.category, d.value, d.close_date - d.created AS cycle
          FROM territory.forecast_deals() d
          JOIN territory.period p ON d.close_date >= p.starts AND d.close_date < p.ends),
    own AS (
        SELECT d.node_id, d.period_id, count(*) FILTER (WHERE d.category = 'closed') AS won, count(*) FILTER (WHERE d.category = 'omitted') AS lost,
               count(*) FILTER (WHERE d.category NOT IN ('closed', 'omitted')) AS open,
               sum(d.value) FILTER (WHERE d.category = 'closed') AS revenue,
               sum(d.cycle) FILTER (WHERE d.category = 'closed') AS cycle_days,
               count(d.cycle) FILTER (WHERE d.category = 'closed') AS cycles
          FROM deal d GROUP BY d.node_id, d.period_id),
    whole AS (
        SELECT o.period_id, sum(o.revenue) AS revenue FROM own o GROUP BY o.period_id),
    total AS (
        SELECT a.id AS node_id, o.period_id, sum(o.won) AS won, sum(o.lost) AS lost, sum(o.open) AS open, sum(o.revenue) AS revenue,
               sum(o.cycle_days) AS cycle_days, sum(o.cycles) AS cycles
          FROM own o
          JOIN territory.node n ON n.id = o.node_id
          JOIN territory.node a ON a.model_id = n.model_id AND n.path OPERATOR(territory.<@) a.path
         GROUP BY a.id, o.period_id)
    SELECT n.path, territory.nlevel(n.path) AS depth, p.name AS period, coalesce(t.revenue, 0) AS revenue,
           round(100 * coalesce(t.revenue, 0) / nullif(w.revenue, 0), 2) AS contribution_pct,
           coalesce(t.won, 0)::bigint AS won, coalesce(t.lost, 0)::bigint AS lost, coalesce(t.open, 0)::bigint AS open,
           round(100 * t.won / nullif(t.won + t.lost, 0), 2) AS win_rate_pct,
           round(t.revenue / nullif(t.won, 0), 2) AS average_deal,
           round(t.cycle_days / nullif(t.cycles, 0), 1) AS average_cycle_days,
           n.path::text AS path_text, p.kind AS period_kind, p.starts, p.ends, n.id AS node_id
      FROM territory.node n
      JOIN territory.model m ON m.id = n.model_id AND m.state = 'active'
     CROSS JOIN territory.period p
      LEFT JOIN total t ON t.node_id = n.id AND t.period_id = p.id
      LEFT JOIN whole w ON w.period_id = p.id;
COMMENT ON VIEW report_territory IS 'a territory with all below it, by period: revenue and how it comes about';

CREATE VIEW report_member WITH (security_invoker = true, security_barrier = true) AS
    SELECT d.member, p.name AS period, coalesce(sum(d.value) FILTER (WHERE d.category = 'closed'), 0) AS revenue,
           round(100 * coalesce(sum(d.value) FILTER (WHERE d.category = 'closed'), 0)
                     / nullif(sum(sum(d.value) FILTER (WHERE d.category = 'closed')) OVER (PARTITION BY p.id), 0), 2) AS contribution_pct,
           count(*) FILTER (WHERE d.category = 'closed') AS won, count(*) FILTER (WHERE d.category = 'omitted') AS lost,
           count(*) FILTER (WHERE d.category NOT IN ('closed', 'omitted')) AS open,
           round(100.0 * count(*) FILTER (WHERE d.category = 'closed') / nullif(count(*) FILTER (WHERE d.category IN ('closed', 'omitted')), 0), 2) AS win_rate_pct,
           round(sum(d.value) FILTER (WHERE d.category = 'closed') / nullif(count(*) FILTER (WHERE d.category = 'closed'), 0), 2) AS average_deal,
           round(avg(d.close_date - d.created) FILTER (WHERE d.category = 'closed'), 1) AS average_cycle_days,
           p.kind AS period_kind, p.starts, p.ends
      FROM territory.forecast_deals(credit => 'revenue') d
      JOIN territory.period p ON d.close_date >= p.starts AND d.close_date < p.ends
     GROUP BY d.member, p.id, p.name, p.kind, p.starts, p.ends;
COMMENT ON VIEW report_member IS 'a person''s deals and shares of deals by period, wherever they stand; member null: nobody''s';

CREATE VIEW report_pipeline WITH (security_invoker = true, security_barrier = true) AS
    SELECT a.path, territory.nlevel(a.path) AS depth, d.stage, d.category,
           CASE WHEN d.created IS NULL THEN 'unknown' WHEN current_date - d.created <= 30 THEN '0 to 30 days' WHEN current_date - d.created <= 90 THEN '31 to 90 days'
                WHEN current_date - d.created <= 180 THEN '91 to 180 days' ELSE 'more than 180 days' END AS age,
           count(*) AS deals, coalesce(sum(d.value), 0) AS amount, coalesce(sum(d.weighted), 0) AS weighted,
           round(avg(current_date - d.created), 1) AS average_age_days, count(*) FILTER (WHERE d.close_date < current_date) AS overdue,
           a.path::text AS path_text, a.id AS node_id
      FROM territory.forecast_deals() d
      JOIN territory.node n ON n.id = d.node_id
      JOIN territory.node a ON a.model_id = n.model_id AND n.path OPERATOR(territory.<@) a.path
     WHERE d.category NOT IN ('closed', 'omitted')
     GROUP BY a.id, a.path, 3, 4, 5;
COMMENT ON VIEW report_pipeline IS 'the open deals of a territory and all below it, by stage, category and age';

CREATE VIEW report_performer WITH (security_invoker = true, security_barrier = true) AS
    SELECT l.period, l.rank, l.member, l.target, l.closed, l.achieved_pct, l.period_kind, l.starts, l.ends
      FROM territory.leaderboard l WHERE l.at_target AND l.forecast = 'amount';
COMMENT ON VIEW report_performer IS 'who is at or above target, by period';

CREATE VIEW report_issue WITH (security_invoker = true, security_barrier = true) AS
    SELECT d.object, d.key, d.member, d.close_date, d.category, d.value, d.amount, d.currency,
           pg_catalog.concat_ws(', ', d.issue, CASE WHEN NOT d.dated THEN 'in no period' END) AS issue
      FROM (SELECT f.*, f.close_date IS NULL OR EXISTS (SELECT FROM territory.period p WHERE f.close_date >= p.starts AND f.close_date < p.ends) AS dated
              FROM territory.forecast_deals() f) d
     WHERE d.issue IS NOT NULL OR NOT d.dated;
COMMENT ON VIEW report_issue IS 'deals that no figure has, or not wholly, and why: without a territory, a close date, a period or an exchange rate, or of unknown category';
COMMENT ON COLUMN report_territory.revenue IS 'won';
COMMENT ON COLUMN report_territory.contribution_pct IS 'revenue in percent of that of all deals';
COMMENT ON COLUMN report_territory.won IS 'number of deals won';
COMMENT ON COLUMN report_territory.lost IS 'number of deals lost or left out';
COMMENT ON COLUMN report_territory.open IS 'number of open deals';
COMMENT ON COLUMN report_territory.win_rate_pct IS 'won in percent of won and lost; null: neither';
COMMENT ON COLUMN report_territory.average_deal IS 'revenue by deal won';
COMMENT ON COLUMN report_territory.average_cycle_days IS 'days from the beginning of a deal to the day it was won';
COMMENT ON COLUMN report_territory.path_text IS 'path as text';
COMMENT ON COLUMN report_member.contribution_pct IS 'revenue in percent of that of all';
COMMENT ON COLUMN report_member.won IS 'number of deals won of which the person has a part';
COMMENT ON COLUMN report_pipeline.stage IS 'as the table says it';
COMMENT ON COLUMN report_pipeline.category IS 'pipeline, best_case or commit';
COMMENT ON COLUMN report_pipeline.age IS 'days since the deal began';
COMMENT ON COLUMN report_pipeline.deals IS 'number of deals';
COMMENT ON COLUMN report_pipeline.amount IS 'their value';
COMMENT ON COLUMN report_pipeline.weighted IS 'their value by their probability';
COMMENT ON COLUMN report_pipeline.average_age_days IS 'days since they began, on average';
COMMENT ON COLUMN report_pipeline.overdue IS 'number of those whose close date has passed';
COMMENT ON COLUMN report_performer.target IS 'the persons targets, added up';
COMMENT ON COLUMN report_performer.achieved_pct IS 'closed in percent of target';
COMMENT ON COLUMN report_issue.object IS 'the table of deals';
COMMENT ON COLUMN report_issue.key IS 'the deals key as text';
COMMENT ON COLUMN report_issue.member IS 'its owner';
COMMENT ON COLUMN report_issue.close_date IS 'the day it is or will be closed';
COMMENT ON COLUMN report_issue.category IS 'closed, commit, best_case, pipeline or omitted';
COMMENT ON COLUMN report_issue.value IS 'what it would count for; null: not known';
COMMENT ON COLUMN report_issue.amount IS 'as the table says it';
COMMENT ON COLUMN report_issue.currency IS 'what the amount is in';
COMMENT ON COLUMN report_issue.issue IS 'what is missing or wrong';

GRANT SELECT ON report_territory, report_member, report_pipeline, report_performer, report_issue TO @extowner@;
