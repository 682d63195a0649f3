-- Forecasts: targets, figures by territory and person, shares, currencies, snapshots, reports.
SET client_min_messages = warning;
CREATE SCHEMA reg_forecast;
SET search_path = reg_forecast, public, territory;
SET DateStyle = ISO;
SET jit = off;
CREATE FUNCTION err(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    d text;
    h text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN d <> '' THEN E'\nDETAIL: ' || d ELSE '' END || CASE WHEN h <> '' THEN E'\nHINT: ' || h ELSE '' END;
END $$;
CREATE TABLE account (id int PRIMARY KEY, country text);
CREATE TABLE deal (id int PRIMARY KEY, account_id int, seller text, amount numeric, closes date, stage text, chance int, currency text, opened date, pieces int);
CREATE INDEX ON deal (account_id);
INSERT INTO node (path) VALUES ('EMEA'), ('EMEA.NL'), ('EMEA.BE'), ('US');
SELECT attach('account');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('EMEA'), 'account', $$country IN ('NL', 'BE', 'DE')$$),
    (node_id('EMEA.NL'), 'account', $$country = 'NL'$$), (node_id('EMEA.BE'), 'account', $$country = 'BE'$$);
INSERT INTO account VALUES (1, 'NL'), (2, 'BE'), (3, 'DE'), (4, 'XX');
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id', owner => 'seller', amount => 'amount', close_date => 'closes',
              category => $$CASE stage WHEN 'won' THEN 'closed' WHEN 'lost' THEN 'omitted' ELSE stage END$$,
              probability => 'chance / 100.0', currency => 'currency', stage => 'stage', created => 'opened');
SELECT probability, currency, stage, created FROM object WHERE object = 'deal'::regclass;
INSERT INTO deal VALUES (1, 1, 'ann', 100, '2026-01-15', 'won', 100, 'EUR', '2025-12-01', 3), (2, 1, 'ann', 50, '2026-02-15', 'commit', 80, NULL, '2025-12-01', 1),
    (3, 2, 'bob', 70, '2026-02-20', 'pipeline', 20, 'USD', '2026-01-01', 1), (4, 3, 'bob', 30, '2026-03-31', 'best_case', 50, 'GBP', '2026-01-01', 2),
    (5, 4, 'cas', 500, '2026-03-31', 'won', 100, 'EUR', '2026-01-01', 9), (6, 2, 'bob', 9, '2026-04-01', 'lost', 0, 'EUR', '2026-01-01', 1),
    (7, 2, 'bob', 9, '2026-03-01', 'weird', 700, 'EUR', '2026-01-01', 1), (8, 2, NULL, 9, NULL, 'pipeline', 10, 'EUR', '2026-01-01', 1), (9, 1, 'ann', 8, '2030-01-01', NULL, NULL, 'EUR', NULL, NULL);
-- without a calendar there is nothing to show, and all is said to be missing
SELECT count(*) FROM forecast;
SELECT key, issue FROM report_issue ORDER BY key;
SELECT name FROM make_periods('quarter', '2026-01-01', '2026-06-30');
SELECT name FROM make_periods('year', '2026-01-01', '2026-06-30');

-- targets: top-down, bottom-up, mismatch
SELECT err($$INSERT INTO target (node_id, period_id, amount) VALUES (0, (SELECT min(id) FROM period), 1)$$);
SELECT err($$INSERT INTO target (node_id, period_id, amount) VALUES (node_id('US'), 0, 1)$$);
SELECT err($$INSERT INTO target (node_id, period_id, amount) VALUES (node_id('US'), (SELECT min(id) FROM period), 'NaN')$$) ~ 'target_amount_check' AS refused;
INSERT INTO target (node_id, period_id, amount) SELECT node_id('EMEA'), id, 200.01 FROM period WHERE name = '2026-Q1';
SELECT split_target('EMEA', '2026-Q1');
SELECT n.path, t.amount FROM target t JOIN node n ON n.id = t.node_id ORDER BY 1;
SELECT split_target('EMEA', '2026-Q1', weights => '{"NL": 2, "BE": 1}');
INSERT INTO member (node_id, member, weight) VALUES (node_id('EMEA.NL'), 'ann', 2), (node_id('EMEA.NL'), 'abe', 1), (node_id('EMEA.BE'), 'bob', 1);
SELECT split_target('EMEA.NL', '2026-Q1', 'members', scale => 0);
SELECT n.path, t.member, t.amount FROM target t JOIN node n ON n.id = t.node_id ORDER BY 1, 2 NULLS FIRST;
UPDATE target SET amount = amount + 10 WHERE member = 'ann';
SELECT path, target, sub_targets, member_targets, mismatch FROM forecast WHERE period = '2026-Q1' ORDER BY path;
SELECT sum_targets('EMEA', '2026-Q1');
SELECT path, target, sub_targets, member_targets, mismatch FROM forecast WHERE period = '2026-Q1' ORDER BY path;
INSERT INTO target (node_id, period_id, amount) SELECT node_id('US'), id, 100 FROM period WHERE name = '2026';
SELECT split_target('US', '2026', 'quarter', '{"2026-Q1": 3, "2026-Q2": 1}');
SELECT err($$SELECT split_target('EMEA', '2026-Q2')$$);
SELECT err($$SELECT split_target('EMEA', '2099-Q2')$$);
SELECT p.name, t.amount FROM target t JOIN period p ON p.id = t.period_id WHERE t.node_id = node_id('US') ORDER BY 1;
SELECT operation, count(*) FROM audit WHERE table_name = 'target' GROUP BY 1 ORDER BY 1;

-- the figures
INSERT INTO adjustment (node_id, period_id, amount, note) SELECT node_id(p::territory), id, a, 'says so' FROM period, (VALUES ('EMEA', 20), ('EMEA.NL', -5)) v(p, a) WHERE name = '2026-Q1';
SELECT path, period, own_closed, closed, commit, best_case, pipeline, weighted, deals, achieved_pct, gap FROM forecast WHERE period IN ('2026-Q1', '2026') ORDER BY period, path;
INSERT INTO exchange_rate (currency, reporting, starts, rate) VALUES ('USD', 'EUR', '2026-01-01', 0.9), ('USD', 'EUR', '2026-02-16', 0.5);
SELECT path, depth, own_closed, closed, commit, best_case, pipeline, weighted, deals, achieved_pct, gap, issues FROM forecast WHERE period = '2026-Q1' ORDER BY path;
SELECT path_text, level_1, level_2, level_3, name, period_kind, starts, ends, closed_commit, closed_best_case, open_pipeline, coverage, adjustment, adjusted, omitted, omitted_deals FROM forecast WHERE period = '2026-Q1' ORDER BY path;
SELECT path, member, target, closed, commit, pipeline, deals, achieved_pct FROM forecast_member WHERE period = '2026-Q1' ORDER BY path, member;
SELECT period, closed, deals FROM forecast_unassigned WHERE forecast = 'amount' ORDER BY period;
SELECT period, target, closed, commit, best_case, pipeline, deals, unassigned_closed, unassigned_deals FROM forecast_total WHERE forecast = 'amount' ORDER BY period;
-- plain types but for the path
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'forecast'::regclass AND attnum > 0 ORDER BY attnum;
SELECT c.relname, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'territory'::regnamespace AND c.relkind = 'v' AND c.relname ~ 'forecast|leaderboard|report' AND col_description(c.oid, a.attnum) IS NULL;

-- other forecasts
INSERT INTO forecast_def (name, object, measure, filter) VALUES ('big', 'deal', 'count', 'amount >= 70');
INSERT INTO forecast_def (name, object, measure, quantity) VALUES ('pieces', 'deal', 'quantity', 'pieces * 2');
INSERT INTO forecast_def (name, measure) VALUES ('likely', 'weighted');
INSERT INTO target (node_id, period_id, metric, amount) SELECT node_id('EMEA'), id, 'big', 4 FROM period WHERE name = '2026-Q1';
SELECT forecast, path, target, closed, commit, pipeline, deals, achieved_pct FROM forecast_all WHERE period = '2026-Q1' AND deals > 0 ORDER BY forecast, path;
SELECT err($$INSERT INTO forecast_def (name, object) VALUES ('x', 'account')$$);
SELECT err($$INSERT INTO forecast_def (name, object, filter) VALUES ('x', 'deal', 'amonut > 1')$$);
SELECT err($$INSERT INTO forecast_def (name, object, filter) VALUES ('x', 'deal', 'seller = current_user')$$);
SELECT err($$INSERT INTO forecast_def (name, filter) VALUES ('x', 'true')$$);
SELECT err($$UPDATE forecast_def SET name = 'small' WHERE name = 'big'$$);
SELECT err($$SELECT * FROM forecast_deals('none')$$);
ALTER TABLE deal RENAME COLUMN amount TO worth;
SELECT name, filter, filter_expression FROM forecast_def WHERE name = 'big';
SELECT amount FROM object WHERE object = 'deal'::regclass;
SELECT err($$ALTER TABLE deal DROP COLUMN pieces$$);
SELECT forecast, closed FROM forecast_all WHERE period = '2026-Q1' AND path = 'EMEA' ORDER BY forecast;

-- shares add up to 1
SELECT err($$INSERT INTO deal_share (object, key, member, share) VALUES ('deal', '1', 'ann', 0.6); SET CONSTRAINTS ALL IMMEDIATE$$);
SELECT err($$INSERT INTO deal_share (object, key, member, share) VALUES ('account', '1', 'ann', 1.6)$$) ~ 'deal_share_share_check' AS refused;
BEGIN;
INSERT INTO deal_share (object, key, member, share) VALUES ('deal', '1', 'ann', 0.6);
INSERT INTO deal_share (object, key, member, share) VALUES ('deal', '1', 'bob', 0.4);
INSERT INTO deal_share (object, key, member, kind, share) VALUES ('deal', '1', 'zed', 'overlay', 1);
COMMIT;
SELECT period, rank, member, target, closed, achieved_pct, deals, overlay_closed, at_target FROM leaderboard WHERE period = '2026-Q1' AND forecast = 'amount' ORDER BY rank, member;

-- snapshots, what changed, and how it was
SELECT snapshot_forecast(note => 'first') - (SELECT min(id) FROM snapshot) AS snapshot;
SELECT snapshot_forecast() - (SELECT min(id) FROM snapshot) AS snapshot;
UPDATE deal SET stage = 'won' WHERE id = 2;
UPDATE deal SET worth = 99 WHERE id = 3;
UPDATE deal SET stage = 'lost' WHERE id = 4;
UPDATE deal SET closes = '2026-04-02' WHERE id = 7;
UPDATE account SET country = 'NL' WHERE id = 2;
INSERT INTO deal VALUES (20, 3, 'bob', 11, '2026-02-02', 'pipeline', 10, NULL, '2026-01-15');
SELECT path, change, deals, amount_from, amount_to, difference FROM forecast_change((SELECT max(id) FROM snapshot), period => '2026-Q1') WHERE change <> 'unchanged';
SELECT DISTINCT change FROM forecast_change((SELECT min(id) FROM snapshot), (SELECT max(id) FROM snapshot));
SELECT path, deals, own_deals FROM forecast_as_of((SELECT max(taken) FROM snapshot)) WHERE period = '2026-Q1' ORDER BY path;
SELECT path, deals, own_deals FROM forecast WHERE period = '2026-Q1' ORDER BY path;
SELECT count(*) FROM forecast_change(now() - interval '1 year');

-- a re-organisation takes nothing away
SELECT drop_node('EMEA.NL', 'EMEA.BE');
UPDATE node SET parent_id = node_id('US') WHERE path = 'EMEA.BE';
SELECT n.path, p.name AS period, t.metric, t.member, t.amount FROM target t JOIN node n ON n.id = t.node_id JOIN period p ON p.id = t.period_id ORDER BY 1, 2, 3, 4 NULLS FIRST;
SELECT drop_node('US.BE', 'US');
-- the target that US has already stays with the node that is gone
SELECT coalesce(n.path, f.path) AS path, n.id IS NULL AS gone, p.name AS period, t.metric, t.member, t.amount
  FROM target t LEFT JOIN node n ON n.id = t.node_id LEFT JOIN former_node f ON f.id = t.node_id JOIN period p ON p.id = t.period_id ORDER BY 1, 2, 3, 4, 5 NULLS FIRST;
SELECT path, amount FROM adjustment JOIN node n ON n.id = node_id ORDER BY 1;
SELECT count(DISTINCT snapshot_id), count(*) FROM snapshot_figure;
SELECT err($$DELETE FROM period$$) ~ '23503: cannot delete a period' AS refused;

-- reports
SELECT path, revenue, contribution_pct, won, lost, open, win_rate_pct, average_deal, average_cycle_days FROM report_territory WHERE period = '2026-Q1' ORDER BY path;
SELECT member, revenue, contribution_pct, won, lost, open, win_rate_pct, average_deal, average_cycle_days FROM report_member WHERE period = '2026-Q1' ORDER BY member;
SELECT path, stage, category, deals, amount, weighted FROM report_pipeline ORDER BY path, stage, category;
SELECT period, rank, member, target, closed FROM report_performer ORDER BY period, rank, member;
SELECT key, issue FROM report_issue ORDER BY key;

-- who may set targets: planners; a manager those below his own and of others in it
CREATE ROLE reg_forecast_boss;
CREATE ROLE reg_forecast_planner;
GRANT SELECT, INSERT, UPDATE, DELETE ON target, adjustment TO reg_forecast_boss, reg_forecast_planner;
GRANT SELECT ON node, model, period TO reg_forecast_boss, reg_forecast_planner;
GRANT USAGE ON SEQUENCE target_id_seq TO reg_forecast_boss, reg_forecast_planner;
GRANT USAGE ON SCHEMA reg_forecast TO reg_forecast_boss, reg_forecast_planner;
INSERT INTO node (path) VALUES ('EMEA.DE'), ('EMEA.DE.South');
INSERT INTO member (node_id, member, role) VALUES (node_id('EMEA.DE'), 'reg_forecast_boss', 'manager');
SET ROLE reg_forecast_boss;
SELECT p, m, left(err(format('INSERT INTO target (node_id, period_id, member, amount) SELECT node_id(%L), id, %L, 1 FROM period WHERE name = ''2026''', p, m)), 5) AS err
  FROM (VALUES ('EMEA.DE.South', NULL), ('EMEA.DE', NULL), ('EMEA.DE', 'reg_forecast_boss'), ('EMEA.DE', 'eve'), ('EMEA', NULL), ('EMEA.DE.South', 'reg_forecast_boss')) v(p, m);
SELECT left(err($$UPDATE target SET amount = 0 WHERE node_id = node_id('EMEA')$$), 5) AS err, left(err($$DELETE FROM target WHERE node_id = node_id('EMEA')$$), 5) AS err;
SET ROLE reg_forecast_planner;
SELECT err($$INSERT INTO target (node_id, period_id, amount) SELECT node_id('EMEA.DE'), id, 1 FROM period WHERE name = '2026'$$);
RESET ROLE;

-- sums are of what their reader may see
CREATE ROLE reg_forecast_reader;
GRANT USAGE ON SCHEMA reg_forecast TO reg_forecast_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA territory TO reg_forecast_reader;
SET ROLE reg_forecast_reader;
SELECT left(err('SELECT * FROM forecast'), 5) AS no_rights;
RESET ROLE;
GRANT SELECT ON deal, deal_territory TO reg_forecast_reader;
ALTER TABLE deal ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON deal TO reg_forecast_reader USING (seller = 'bob');
SET ROLE reg_forecast_reader;
SELECT path, closed, pipeline, deals FROM forecast WHERE period = '2026-Q1' ORDER BY path;
SELECT period, deals, unassigned_deals FROM forecast_total WHERE forecast = 'amount' ORDER BY period;
SELECT key FROM forecast_deals() ORDER BY key::int;
RESET ROLE;

-- it goes with the table
SELECT detach('deal');
SELECT (SELECT count(*) FROM deal_share) AS shares, (SELECT string_agg(name, ' ' ORDER BY name) FROM forecast_def) AS forecasts, (SELECT count(*) FROM target) > 0 AS targets;
SELECT path, closed, target FROM forecast WHERE period = '2026-Q1' ORDER BY path;
DELETE FROM snapshot;
SELECT (SELECT count(*) FROM snapshot_node) + (SELECT count(*) FROM snapshot_figure) + (SELECT count(*) FROM snapshot_deal) AS rest;
DELETE FROM forecast_def;
DELETE FROM exchange_rate;
DELETE FROM target;
DELETE FROM adjustment;
DELETE FROM period;
DELETE FROM member;
SELECT detach('account');
DELETE FROM node;
DROP SCHEMA reg_forecast CASCADE;
DROP OWNED BY reg_forecast_boss, reg_forecast_planner, reg_forecast_reader;
DROP ROLE reg_forecast_boss, reg_forecast_planner, reg_forecast_reader;
