-- Forecasts: figures by territory, person and period, for BI tools.

CREATE TABLE forecast_def (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    object regclass,
    measure text NOT NULL DEFAULT 'amount' CHECK (measure IN ('amount', 'weighted', 'count', 'quantity')),
    quantity text,
    filter text,
    currency text CHECK (currency <> ''),
    quantity_expression text,
    filter_expression text,
    CONSTRAINT forecast_quantity CHECK ((measure = 'quantity') = (quantity IS NOT NULL))
);
COMMENT ON TABLE forecast_def IS 'the forecasts. The one called amount, of the amounts of all deals, is there without a row; a row of this name says more of it';
COMMENT ON COLUMN forecast_def.name IS 'also the metric of its targets and adjustments; does not change';
COMMENT ON COLUMN forecast_def.object IS 'the attached table of deals; null: all of them';
COMMENT ON COLUMN forecast_def.measure IS 'what is added up: amount, weighted (amount times probability), count (of deals) or quantity';
COMMENT ON COLUMN forecast_def.quantity IS 'measure quantity: an expression over the table''s columns';
COMMENT ON COLUMN forecast_def.filter IS 'criteria: only these deals count';
COMMENT ON COLUMN forecast_def.currency IS 'amounts are turned into this one; null: the one that territory.exchange_rate has rates for';
COMMENT ON COLUMN forecast_def.quantity_expression IS 'quantity with every name resolved and qualified; derived';
COMMENT ON COLUMN forecast_def.filter_expression IS 'filter with every name resolved and qualified; derived';

CREATE TABLE exchange_rate (
    id serial PRIMARY KEY,
    currency text NOT NULL CHECK (currency <> ''),
    reporting text NOT NULL CHECK (reporting <> ''),
    starts date NOT NULL,
    rate numeric NOT NULL CHECK (rate > 0 AND rate < 'Infinity'),
    CONSTRAINT exchange_rate_once UNIQUE (currency, reporting, starts),
    CONSTRAINT exchange_rate_pair CHECK (currency <> reporting)
);
COMMENT ON TABLE exchange_rate IS 'what one unit of a currency was worth in another, from a day on until the next row';
COMMENT ON COLUMN exchange_rate.currency IS 'that of deals, as the expression currency of their table gives it';
COMMENT ON COLUMN exchange_rate.reporting IS 'the one that forecasts are in';
COMMENT ON COLUMN exchange_rate.starts IS 'first day; a deal is converted by the rate of its close date';
COMMENT ON COLUMN exchange_rate.rate IS 'units of reporting for one of currency';

CREATE TABLE deal_share (
    id serial PRIMARY KEY,
    object regclass NOT NULL,
    key text NOT NULL,
    member text NOT NULL CHECK (member <> ''),
    kind text NOT NULL DEFAULT 'revenue' CHECK (kind IN ('revenue', 'overlay')),
    share numeric NOT NULL CHECK (share > 0 AND share <= 1),
    CONSTRAINT deal_share_once UNIQUE (object, key, kind, member)
);
COMMENT ON TABLE deal_share IS 'who has a part of a deal; a deal without shares of kind revenue is its owner''s. The shares of a deal, of each kind, add up to 1 when a transaction commits';
COMMENT ON COLUMN deal_share.object IS 'of territory.object; detaching the table deletes the share';
COMMENT ON COLUMN deal_share.key IS 'the deal''s key as text';
COMMENT ON COLUMN deal_share.member IS 'the person';
COMMENT ON COLUMN deal_share.kind IS 'revenue: divides the deal among persons; overlay: credit beside that, which is in no sum of revenue';
COMMENT ON COLUMN deal_share.share IS 'from above 0 to 1';

GRANT SELECT, INSERT, UPDATE, DELETE ON forecast_def, exchange_rate, deal_share TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE forecast_def_id_seq, exchange_rate_id_seq, deal_share_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('forecast_def', '');
SELECT pg_catalog.pg_extension_config_dump('forecast_def_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('exchange_rate', '');
SELECT pg_catalog.pg_extension_config_dump('exchange_rate_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('deal_share', '');
SELECT pg_catalog.pg_extension_config_dump('deal_share_id_seq', '');

CREATE FUNCTION forecast_derive() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_forecast_derive';
CREATE FUNCTION share_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_share_check';
COMMENT ON FUNCTION forecast_derive() IS 'trigger of territory.forecast_def: checks table and expressions, derives what is evaluated';
COMMENT ON FUNCTION share_check() IS 'trigger of territory.deal_share: shares add up to 1';
REVOKE EXECUTE ON FUNCTION forecast_derive(), share_check() FROM PUBLIC;
CREATE TRIGGER "10_derive" BEFORE INSERT OR UPDATE ON forecast_def FOR EACH ROW EXECUTE FUNCTION forecast_derive();
CREATE CONSTRAINT TRIGGER "10_check" AFTER INSERT OR UPDATE OR DELETE ON deal_share
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION share_check();

-- All that follows reads as its caller: sums are of what he may see.
CREATE FUNCTION forecast_deals(forecast text DEFAULT 'amount', at timestamptz DEFAULT NULL, model text DEFAULT NULL, credit text DEFAULT NULL,
                               OUT object regclass, OUT key text, OUT node_id int, OUT member text, OUT close_date date, OUT category text,
                               OUT value numeric, OUT weighted numeric, OUT amount numeric, OUT currency text, OUT rate numeric,
                               OUT probability numeric, OUT stage text, OUT created date, OUT issue text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1000 COST 100000
    AS 'MODULE_PATHNAME', 'territory_forecast_deals';
COMMENT ON FUNCTION forecast_deals(text, timestamptz, text, text) IS
    'the deals of a forecast with what they count for; node_id null: no territory; value null: its exchange rate is missing. at: by the territories of that time; model: by the nodes of that model, null: the active one; credit (revenue or overlay): a row for each person who has a part';

CREATE FUNCTION forecast_figures(forecast text, by_member bool, at timestamptz, model text,
                                 OUT node_id int, OUT path territory, OUT depth int, OUT member text,
                                 OUT period_id int, OUT period text, OUT period_kind text, OUT starts date, OUT ends date,
                                 OUT target numeric, OUT sub_targets numeric, OUT member_targets numeric,
                                 OUT own_closed numeric, OUT own_commit numeric, OUT own_best_case numeric, OUT own_pipeline numeric,
                                 OUT closed numeric, OUT commit numeric, OUT best_case numeric, OUT pipeline numeric, OUT omitted numeric,
                                 OUT weighted numeric, OUT own_deals bigint, OUT deals bigint, OUT closed_deals bigint, OUT omitted_deals bigint,
                                 OUT own_adjustment numeric, OUT adjustment numeric, OUT overlay_closed numeric, OUT overlay_open numeric,
                                 OUT no_rate bigint, OUT unknown_category bigint, OUT bad_probability bigint) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1000 COST 100000
    AS 'MODULE_PATHNAME', 'territory_forecast_figures';
COMMENT ON FUNCTION forecast_figures(text, bool, timestamptz, text) IS
    'what a forecast''s views are made of: a row for each node, or (by_member) person in it, and period; node_id null: deals without a territory';

CREATE FUNCTION forecast_rows(forecast text, by_member bool, at timestamptz, model text)
    RETURNS TABLE (path territory, depth int, period text, target numeric, sub_targets numeric, mismatch numeric,
                   own_closed numeric, closed numeric, commit numeric, best_case numeric, pipeline numeric, weighted numeric,
                   deals bigint, achieved_pct numeric, gap numeric, path_text text,
                   level_1 text, level_2 text, level_3 text, level_4 text, level_5 text, level_6 text, name text,
                   node_id int, period_kind text, starts date, ends date, member_targets numeric,
                   own_commit numeric, own_best_case numeric, own_pipeline numeric, own_deals bigint,
                   closed_deals bigint, omitted numeric, omitted_deals bigint,
                   closed_commit numeric, closed_best_case numeric, open_pipeline numeric, coverage numeric,
                   own_adjustment numeric, adjustment numeric, adjusted numeric, issues text, forecast text,
                   member text, period_id int, overlay_closed numeric, overlay_open numeric)
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 1000
BEGIN ATOMIC
    SELECT f.path, f.depth, f.period, f.target, f.sub_targets,
           CASE WHEN f.sub_targets IS NULL AND f.member_targets IS NULL THEN 0
                ELSE coalesce(f.target, 0) - coalesce(f.sub_targets, 0) - coalesce(f.member_targets, 0) END,
           f.own_closed, f.closed, f.commit, f.best_case, f.pipeline, f.weighted, f.deals,
           round(100 * f.closed / nullif(f.target, 0), 2), f.target - f.closed, f.path::text,
           territory.level(f.path, 1), territory.level(f.path, 2), territory.level(f.path, 3),
           territory.level(f.path, 4), territory.level(f.path, 5), territory.level(f.path, 6), territory.label(f.path),
           f.node_id, f.period_kind, f.starts, f.ends, f.member_targets,
           f.own_commit, f.own_best_case, f.own_pipeline, f.own_deals, f.closed_deals, f.omitted, f.omitted_deals,
           f.closed + f.commit, f.closed + f.commit + f.best_case, f.commit + f.best_case + f.pipeline,
           CASE WHEN f.target > f.closed THEN round((f.commit + f.best_case + f.pipeline) / (f.target - f.closed), 4) END,
           f.own_adjustment, f.adjustment, f.closed + f.commit + f.adjustment,
           CASE WHEN f.no_rate > 0 OR f.unknown_category > 0 OR f.bad_probability > 0 THEN
               pg_catalog.concat_ws(', ', CASE WHEN f.no_rate > 0 THEN 'deals without an exchange rate: ' || f.no_rate END,
                                    CASE WHEN f.unknown_category > 0 THEN 'of unknown category: ' || f.unknown_category END,
                                    CASE WHEN f.bad_probability > 0 THEN 'with a probability outside 0 to 1: ' || f.bad_probability END) END,
           $1, f.member, f.period_id, f.overlay_closed, f.overlay_open
      FROM territory.forecast_figures($1, $2, $3, $4) f;
END;
COMMENT ON FUNCTION forecast_rows(text, bool, timestamptz, text) IS 'forecast_figures with what follows from them, as the views show it';

CREATE FUNCTION forecast_names() RETURNS SETOF text
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 3
BEGIN ATOMIC
    SELECT 'amount' UNION SELECT name FROM territory.forecast_def;
END;
COMMENT ON FUNCTION forecast_names() IS 'the forecasts that there are';

CREATE VIEW forecast WITH (security_invoker = true, security_barrier = true) AS
    SELECT r.path, r.depth, r.period, r.target, r.sub_targets, r.mismatch, r.own_closed, r.closed, r.commit, r.best_case,
           r.pipeline, r.weighted, r.deals, r.achieved_pct, r.gap, r.path_text, r.level_1, r.level_2, r.level_3,
           r.level_4, r.level_5, r.level_6, r.name, r.node_id, r.period_kind, r.starts, r.ends, r.member_targets,
           r.own_commit, r.own_best_case, r.own_pipeline, r.own_deals, r.closed_deals, r.omitted, r.omitted_deals,
           r.closed_commit, r.closed_best_case, r.open_pipeline, r.coverage, r.own_adjustment, r.adjustment, r.adjusted,
           r.issues, r.forecast
      FROM territory.forecast_rows('amount', false, NULL, NULL) r
     WHERE r.node_id IS NOT NULL;
COMMENT ON VIEW forecast IS 'the forecast called amount: a row for each territory of the active model and each period';
COMMENT ON COLUMN forecast.path IS 'the territory';
COMMENT ON COLUMN forecast.depth IS 'number of names in path; 1 at the top';
COMMENT ON COLUMN forecast.period IS 'name of the period';
COMMENT ON COLUMN forecast.target IS 'the territory''s own target; null: not set';
COMMENT ON COLUMN forecast.sub_targets IS 'targets of the territories directly below, added up; null: none is set';
COMMENT ON COLUMN forecast.mismatch IS 'target less sub_targets and member_targets, where one of these is set; else 0. Other than 0: they do not agree';
COMMENT ON COLUMN forecast.own_closed IS 'won in the territory itself';
COMMENT ON COLUMN forecast.closed IS 'won in the territory and all below it';
COMMENT ON COLUMN forecast.commit IS 'open deals of category commit, in the territory and below, as all that follows';
COMMENT ON COLUMN forecast.best_case IS 'open deals of category best_case';
COMMENT ON COLUMN forecast.pipeline IS 'open deals of category pipeline';
COMMENT ON COLUMN forecast.weighted IS 'deals by their probability: open ones times it, closed ones whole';
COMMENT ON COLUMN forecast.deals IS 'number of closed and open deals';
COMMENT ON COLUMN forecast.achieved_pct IS 'closed in percent of target; null: no target';
COMMENT ON COLUMN forecast.gap IS 'target less closed; null: no target';
COMMENT ON COLUMN forecast.path_text IS 'path as text, for tools that do not know the type';
COMMENT ON COLUMN forecast.level_1 IS 'first name of path';
COMMENT ON COLUMN forecast.level_2 IS 'second name of path; null: there is none';
COMMENT ON COLUMN forecast.level_3 IS 'third name of path';
COMMENT ON COLUMN forecast.level_4 IS 'fourth name of path';
COMMENT ON COLUMN forecast.level_5 IS 'fifth name of path';
COMMENT ON COLUMN forecast.level_6 IS 'sixth name of path';
COMMENT ON COLUMN forecast.name IS 'last name of path';
COMMENT ON COLUMN forecast.node_id IS 'of territory.node';
COMMENT ON COLUMN forecast.period_kind IS 'month, quarter, year or other; choose one: a deal counts in one period of each kind';
COMMENT ON COLUMN forecast.starts IS 'first day of the period';
COMMENT ON COLUMN forecast.ends IS 'the day after its last one';
COMMENT ON COLUMN forecast.member_targets IS 'targets of the persons in the territory, added up; null: none is set';
COMMENT ON COLUMN forecast.own_commit IS 'commit, in the territory itself';
COMMENT ON COLUMN forecast.own_best_case IS 'best_case, in the territory itself';
COMMENT ON COLUMN forecast.own_pipeline IS 'pipeline, in the territory itself';
COMMENT ON COLUMN forecast.own_deals IS 'number of closed and open deals in the territory itself';
COMMENT ON COLUMN forecast.closed_deals IS 'number of deals won';
COMMENT ON COLUMN forecast.omitted IS 'lost and left out';
COMMENT ON COLUMN forecast.omitted_deals IS 'number of deals lost or left out';
COMMENT ON COLUMN forecast.closed_commit IS 'cumulative: closed and commit';
COMMENT ON COLUMN forecast.closed_best_case IS 'cumulative: closed, commit and best_case';
COMMENT ON COLUMN forecast.open_pipeline IS 'cumulative: commit, best_case and pipeline, without closed';
COMMENT ON COLUMN forecast.coverage IS 'open_pipeline divided by gap: how often the open deals would fill it; null: no gap';
COMMENT ON COLUMN forecast.own_adjustment IS 'what managers add or take, for the territory itself';
COMMENT ON COLUMN forecast.adjustment IS 'the same, with all below';
COMMENT ON COLUMN forecast.adjusted IS 'closed_commit and adjustment';
COMMENT ON COLUMN forecast.issues IS 'deals that are not, or not wholly, in these sums, and why; null: none';
COMMENT ON COLUMN forecast.forecast IS 'name of the forecast';

CREATE VIEW forecast_all WITH (security_invoker = true, security_barrier = true) AS
    SELECT r.path, r.depth, r.period, r.target, r.sub_targets, r.mismatch, r.own_closed, r.closed, r.commit, r.best_case,
           r.pipeline, r.weighted, r.deals, r.achieved_pct, r.gap, r.path_text, r.level_1, r.level_2, r.level_3,
           r.level_4, r.level_5, r.level_6, r.name, r.node_id, r.period_kind, r.starts, r.ends, r.member_targets,
           r.own_commit, r.own_best_case, r.own_pipeline, r.own_deals, r.closed_deals, r.omitted, r.omitted_deals,
           r.closed_commit, r.closed_best_case, r.open_pipeline, r.coverage, r.own_adjustment, r.adjustment, r.adjusted,
           r.issues, r.forecast
      FROM territory.forecast_names() f(name)
     CROSS JOIN LATERAL territory.forecast_rows(f.name, false, NULL, NULL) r
     WHERE r.node_id IS NOT NULL;
COMMENT ON VIEW forecast_all IS 'all forecasts: as territory.forecast, by the column forecast';

CREATE VIEW forecast_member WITH (security_invoker = true, security_barrier = true) AS
    SELECT r.path, r.depth, r.member, r.period, r.target, r.sub_targets, r.mismatch, r.own_closed, r.closed, r.commit,
           r.best_case, r.pipeline, r.weighted, r.deals, r.achieved_pct, r.gap, r.path_text, r.level_1, r.level_2,
           r.level_3, r.level_4, r.level_5, r.level_6, r.name, r.node_id, r.period_kind, r.starts, r.ends,
           r.member_targets, r.own_commit, r.own_best_case, r.own_pipeline, r.own_deals, r.closed_deals, r.omitted,
           r.omitted_deals, r.closed_commit, r.closed_best_case, r.open_pipeline, r.coverage, r.own_adjustment,
           r.adjustment, r.adjusted, r.issues, r.overlay_closed, r.overlay_open, r.forecast
      FROM territory.forecast_rows('amount', true, NULL, NULL) r
     WHERE r.node_id IS NOT NULL;
COMMENT ON VIEW forecast_member IS 'the forecast called amount: a row for each territory of the active model, person who is in it, has a target or deals there or below, and period';
COMMENT ON COLUMN forecast_member.member IS 'the person: the deal''s owner, or who has a share of it; null: nobody';
COMMENT ON COLUMN forecast_member.target IS 'the person''s target in the territory; null: not set';
COMMENT ON COLUMN forecast_member.sub_targets IS 'the person''s targets in the territories directly below, added up; null: none is set';
COMMENT ON COLUMN forecast_member.mismatch IS 'target less sub_targets, where the latter is set; else 0';
COMMENT ON COLUMN forecast_member.member_targets IS 'null here';
COMMENT ON COLUMN forecast_member.overlay_closed IS 'overlay credit of deals won; no revenue, and in no other column';
COMMENT ON COLUMN forecast_member.overlay_open IS 'overlay credit of open deals';

CREATE VIEW forecast_member_all WITH (security_invoker = true, security_barrier = true) AS
    SELECT r.path, r.depth, r.member, r.period, r.target, r.sub_targets, r.mismatch, r.own_closed, r.closed, r.commit,
           r.best_case, r.pipeline, r.weighted, r.deals, r.achieved_pct, r.gap, r.path_text, r.level_1, r.level_2,
           r.level_3, r.level_4, r.level_5, r.level_6, r.name, r.node_id, r.period_kind, r.starts, r.ends,
           r.member_targets, r.own_commit, r.own_best_case, r.own_pipeline, r.own_deals, r.closed_deals, r.omitted,
           r.omitted_deals, r.closed_commit, r.closed_best_case, r.open_pipeline, r.coverage, r.own_adjustment,
           r.adjustment, r.adjusted, r.issues, r.overlay_closed, r.overlay_open, r.forecast
      FROM territory.forecast_names() f(name)
     CROSS JOIN LATERAL territory.forecast_rows(f.name, true, NULL, NULL) r
     WHERE r.node_id IS NOT NULL;
COMMENT ON VIEW forecast_member_all IS 'all forecasts: as territory.forecast_member, by the column forecast';

CREATE VIEW forecast_unassigned WITH (security_invoker = true, security_barrier = true) AS
    SELECT r.period, r.closed, r.commit, r.best_case, r.pipeline, r.weighted, r.deals, r.period_kind, r.starts, r.ends,
           r.closed_deals, r.omitted, r.omitted_deals, r.issues, r.forecast
      FROM territory.forecast_names() f(name)
     CROSS JOIN LATERAL territory.forecast_rows(f.name, false, NULL, NULL) r
     WHERE r.node_id IS NULL;
COMMENT ON VIEW forecast_unassigned IS 'deals that stand in no territory of the active model: a row for each forecast and period. No other view has them';
COMMENT ON COLUMN forecast_unassigned.closed IS 'won without a territory';
COMMENT ON COLUMN forecast_unassigned.commit IS 'open deals of category commit';

CREATE VIEW forecast_total WITH (security_invoker = true, security_barrier = true) AS
    SELECT r.forecast, r.period, r.period_kind, r.starts, r.ends,
           sum(r.target) FILTER (WHERE r.depth = 1) AS target,
           sum(r.closed) AS closed, sum(r.commit) AS commit, sum(r.best_case) AS best_case, sum(r.pipeline) AS pipeline,
           sum(r.weighted) AS weighted, sum(r.deals)::bigint AS deals, sum(r.omitted) AS omitted,
           coalesce(sum(r.closed) FILTER (WHERE r.node_id IS NULL), 0) AS unassigned_closed,
           coalesce(sum(r.open_pipeline) FILTER (WHERE r.node_id IS NULL), 0) AS unassigned_open,
           coalesce(sum(r.deals) FILTER (WHERE r.node_id IS NULL), 0)::bigint AS unassigned_deals
      FROM territory.forecast_names() f(name)
     CROSS JOIN LATERAL territory.forecast_rows(f.name, false, NULL, NULL) r
     WHERE r.depth = 1 OR r.node_id IS NULL
     GROUP BY r.forecast, r.period, r.period_kind, r.starts, r.ends;
COMMENT ON VIEW forecast_total IS 'the whole: all territories at the top and what is unassigned, a row for each forecast and period';
COMMENT ON COLUMN forecast_total.target IS 'targets of the territories at the top, added up';
COMMENT ON COLUMN forecast_total.period_kind IS 'month, quarter, year or other; choose one';
COMMENT ON COLUMN forecast_total.closed IS 'won';
COMMENT ON COLUMN forecast_total.weighted IS 'deals by their probability';
COMMENT ON COLUMN forecast_total.unassigned_closed IS 'of closed, what stands in no territory';
COMMENT ON COLUMN forecast_total.unassigned_open IS 'of the open deals, what stands in no territory';
COMMENT ON COLUMN forecast_total.unassigned_deals IS 'of deals, those in no territory';

CREATE VIEW leaderboard WITH (security_invoker = true, security_barrier = true) AS
    SELECT t.period, pg_catalog.rank() OVER (PARTITION BY t.forecast, t.period_id ORDER BY t.closed DESC) AS rank, t.member, t.target, t.closed,
           round(100 * t.closed / nullif(t.target, 0), 2) AS achieved_pct, t.target - t.closed AS gap,
           t.commit, t.best_case, t.pipeline, t.weighted, t.deals, t.closed_deals, t.overlay_closed, t.overlay_open,
           t.closed >= t.target AS at_target, t.period_kind, t.starts, t.ends, t.forecast
      FROM (SELECT r.forecast, r.period_id, r.period, r.period_kind, r.starts, r.ends, r.member, sum(r.target) AS target,
                   coalesce(sum(r.closed) FILTER (WHERE r.top), 0) AS closed, coalesce(sum(r.commit) FILTER (WHERE r.top), 0) AS commit,
                   coalesce(sum(r.best_case) FILTER (WHERE r.top), 0) AS best_case, coalesce(sum(r.pipeline) FILTER (WHERE r.top), 0) AS pipeline,
                   coalesce(sum(r.weighted) FILTER (WHERE r.top), 0) AS weighted,
                   coalesce(sum(r.deals) FILTER (WHERE r.top), 0)::bigint AS deals,
                   coalesce(sum(r.closed_deals) FILTER (WHERE r.top), 0)::bigint AS closed_deals,
                   coalesce(sum(r.overlay_closed) FILTER (WHERE r.top), 0) AS overlay_closed,
                   coalesce(sum(r.overlay_open) FILTER (WHERE r.top), 0) AS overlay_open
              FROM (SELECT a.*, a.depth = 1 OR a.node_id IS NULL AS top
                      FROM territory.forecast_names() f(name)
                     CROSS JOIN LATERAL territory.forecast_rows(f.name, true, NULL, NULL) a) r
             WHERE r.member IS NOT NULL
             GROUP BY r.forecast, r.period_id, r.period, r.period_kind, r.starts, r.ends, r.member) t;
COMMENT ON VIEW leaderboard IS 'who has won how much in a period, over all territories and without one; a person''s targets in several territories add up';
COMMENT ON COLUMN leaderboard.rank IS 'by closed; 1 is the most';
COMMENT ON COLUMN leaderboard.member IS 'the person';
COMMENT ON COLUMN leaderboard.target IS 'the person''s targets, added up; null: none is set';
COMMENT ON COLUMN leaderboard.deals IS 'number of closed and open deals of which the person has a part';
COMMENT ON COLUMN leaderboard.closed_deals IS 'of these, those won';
COMMENT ON COLUMN leaderboard.overlay_closed IS 'overlay credit of deals won; in no other column';
COMMENT ON COLUMN leaderboard.at_target IS 'closed is at or above target; null: no target';

GRANT SELECT ON forecast, forecast_all, forecast_member, forecast_member_all, forecast_unassigned, forecast_total, leaderboard TO @extowner@;
