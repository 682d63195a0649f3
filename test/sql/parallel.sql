-- Where the server would plan parallel queries: re-evaluation, and match() in workers
CREATE SCHEMA reg_parallel;
SET search_path = reg_parallel, territory, public;
CREATE TABLE account (id int PRIMARY KEY, country text, size int);
INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'DE', 'FR'])[1 + i % 4], i FROM generate_series(1, 10000) AS i;
ANALYZE account;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SELECT attach('account');
INSERT INTO node (path) VALUES ('P'), ('P.NL'), ('P.BE');
-- more records than a batch holds
INSERT INTO rule (node_id, object, criteria) VALUES
  (node_id('P'), 'account', 'size > 0'), (node_id('P.NL'), 'account', $$country = 'NL'$$), (node_id('P.BE'), 'account', $$country = 'BE'$$);
SELECT path, records FROM coverage WHERE object = 'account'::regclass;
UPDATE node SET cascade = false WHERE path = 'P';
UPDATE rule SET criteria = 'size > 5000' WHERE criteria = 'size > 0';
SELECT * FROM run('account', "only" => 'size > 100');
SELECT path, records FROM coverage WHERE object = 'account'::regclass;
SELECT count(*) FROM verify('account');
-- match in parallel workers gives what is stored
CREATE FUNCTION is_parallel(query text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE line text; BEGIN
  FOR line IN EXECUTE 'EXPLAIN ' || query LOOP IF line ~ 'Gather' THEN RETURN true; END IF; END LOOP;
  RETURN false;
END $$;
SELECT is_parallel('SELECT a.id, m.node_id FROM account a CROSS JOIN LATERAL territory.match(''account'', a) m WHERE size > 10');
SELECT count(*) FROM (
  SELECT a.id, m.node_id, m.rule_id FROM account a CROSS JOIN LATERAL match('account', a) m
  EXCEPT ALL SELECT id, node_id, rule_id FROM account_territory) AS differences;
SELECT count(*) FROM account a CROSS JOIN LATERAL match('account', a) m;
-- rules changed in the same session before and after
UPDATE rule SET active = false WHERE criteria = 'size > 5000';
SELECT count(*) FROM account a CROSS JOIN LATERAL match('account', a) m;
SELECT count(*) FROM account_territory;
\set VERBOSITY terse
SELECT detach('account');
DELETE FROM node WHERE path <@ 'P';
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA reg_parallel CASCADE;
