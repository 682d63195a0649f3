-- territory.pair_check: constraints on pairs
CREATE SCHEMA reg_check;
SET search_path = reg_check, territory, public;
CREATE FUNCTION reg_check.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; name text; tab text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, name = CONSTRAINT_NAME, tab = TABLE_NAME;
  RETURN SQLSTATE || ' ' || name || ' ' || tab || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
INSERT INTO node (path) VALUES ('C'), ('C.NL'), ('C.NL.Big'), ('C.BE'), ('C.Extra'), ('Other');
CREATE TABLE account (id int PRIMARY KEY, country text, size int, revenue numeric, note text);
INSERT INTO account SELECT i, (ARRAY['NL', 'BE'])[1 + i % 2], i, 100 FROM generate_series(1, 6) i;
SELECT attach('account', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES
  (node_id('C.NL'), 'account', $$country = 'NL'$$), (node_id('C.NL.Big'), 'account', 'size > 5'), (node_id('C.BE'), 'account', $$country = 'BE'$$);
SELECT a.id, n.path FROM account_territory a JOIN node n ON n.id = a.node_id ORDER BY 1, 2;

-- a new check must hold of what stands; what a row may not say
SELECT err($$INSERT INTO pair_check (name, object, kind, bound) VALUES ('few', 'account', 'nodes_per_record', 1)$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, bound) VALUES ('few', 'account', 'records_per_node', 2)$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('much', 'account', 'amount_per_node', 299.5, 'revenue')$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, node_id) VALUES ('all', 'account', 'assigned', node_id('C.NL'))$$);
SELECT err($$INSERT INTO pair_check (name, object, kind) VALUES ('x', 'account', 'records_per_node')$$) LIKE '23514 pair_check_arguments %' AS bound,
       err($$INSERT INTO pair_check (name, object, kind, bound) VALUES ('x', 'account', 'amount_per_node', 1)$$) LIKE '23514 pair_check_arguments %' AS amount,
       err($$INSERT INTO pair_check (name, object, kind, bound) VALUES ('x', 'account', 'assigned', 1)$$) LIKE '23514 pair_check_arguments %' AS none,
       err($$INSERT INTO pair_check (name, object, kind, bound) VALUES ('x', 'account', 'records_per_node', -1)$$) LIKE '23514 %' AS negative;
SELECT err($$INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('x', 'account', 'amount_per_node', 1, 'nothing')$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('x', 'account', 'amount_per_node', 1, 'note')$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('x', 'account', 'amount_per_node', 1, 'random()')$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('x', 'account', 'amount_per_node', 1, '(SELECT 1)')$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('x', 'account', 'amount_per_node', 1, '1) IS NULL OR (true')$$);
SELECT err($$INSERT INTO pair_check (name, object, kind, node_id) VALUES ('x', 'account', 'assigned', -1)$$), err($$INSERT INTO pair_check (name, object, kind) VALUES ('x', 'node', 'assigned')$$);

-- at most n nodes a record, of a subtree
INSERT INTO pair_check (name, object, kind, bound, node_id) VALUES ('one in NL', 'account', 'nodes_per_record', 2, node_id('C.NL'));
SELECT assign('account', '5', 'Other'), assign('account', '5', 'C.Extra'), assign('account', '5', 'C.NL.Big');
SELECT err($$UPDATE node SET parent_id = node_id('C.NL') WHERE path = 'C.Extra'; UPDATE node SET parent_id = node_id('C.NL') WHERE path = 'Other'$$);
SELECT err($$SELECT assign('account', '6', 'C.BE'), assign('account', '6', 'C.NL')$$);
UPDATE pair_check SET bound = 1 WHERE name = 'none';
SELECT err($$UPDATE pair_check SET bound = 1 WHERE name = 'one in NL'$$);
SELECT unassign('account', '5', 'C.NL.Big');
DELETE FROM pair_check;

-- at most n records a node, whatever brings them
INSERT INTO pair_check (name, object, kind, bound, node_id) VALUES ('four in NL', 'account', 'records_per_node', 4, node_id('C.NL')), ('seven', 'account', 'records_per_node', 7, NULL);
SELECT err($$INSERT INTO account VALUES (7, 'NL', 1, 0), (8, 'NL', 1, 0)$$);
INSERT INTO account VALUES (7, 'NL', 1, 0);
SELECT err($$INSERT INTO account VALUES (8, 'NL', 1, 0)$$), err($$UPDATE account SET country = 'NL'$$), err($$SELECT assign('account', '1', 'C.NL')$$);
SELECT err($$UPDATE rule SET criteria = 'size > 0' WHERE node_id = node_id('C.NL')$$);
-- one leaves, another comes
UPDATE account SET country = CASE id WHEN 7 THEN 'BE' WHEN 1 THEN 'NL' ELSE country END WHERE id IN (1, 7);
SET territory.defer_runs = on;
UPDATE rule SET criteria = 'size > 0' WHERE node_id = node_id('C.NL');
RESET territory.defer_runs;
SELECT err($$SELECT run('account')$$);
UPDATE rule SET criteria = $$country = 'NL'$$ WHERE node_id = node_id('C.NL');
SELECT err($$SELECT drop_node('C.BE', transfer_to => 'C.NL')$$);
SELECT err($$INSERT INTO account SELECT i, 'BE', 1, 0 FROM generate_series(20, 30) i$$);
INSERT INTO node (path) SELECT ('C.Extra.' || i)::territory FROM generate_series(1, 8) i;
SELECT err($$INSERT INTO rule (node_id, object, criteria) SELECT id, 'account', 'true' FROM node WHERE path <@ 'C.Extra' AND path <> 'C.Extra'; INSERT INTO account VALUES (40, 'US', 1)$$);
DELETE FROM pair_check;

-- so much a node: the sum changes without any rule's column
INSERT INTO pair_check (name, object, kind, bound, amount) VALUES ('much', 'account', 'amount_per_node', 400, 'revenue - 0.5');
SELECT name, expression FROM pair_check;
SELECT err($$UPDATE account SET revenue = 300 WHERE id = 2$$), err($$UPDATE account SET note = 'x'$$);
UPDATE account SET revenue = 101.5 WHERE id = 2;
SELECT err($$INSERT INTO account VALUES (50, 'NL', 1, 200)$$);
ALTER TABLE account DROP COLUMN revenue;
ALTER TABLE account RENAME COLUMN revenue TO income;
DELETE FROM pair_check;

-- every record somewhere: at the end of the statement, or of the transaction
SELECT err($$INSERT INTO account VALUES (60, 'US', 1, 0); INSERT INTO pair_check (name, object, kind) VALUES ('somewhere', 'account', 'assigned')$$);
INSERT INTO pair_check (name, object, kind) VALUES ('somewhere', 'account', 'assigned');
SELECT err($$INSERT INTO account VALUES (60, 'US', 1, 0)$$), err($$UPDATE account SET country = 'US' WHERE id < 5$$), err($$DELETE FROM rule WHERE node_id = node_id('C.BE')$$), err($$SELECT exclude('account', '3')$$);
UPDATE pair_check SET deferred = true;
BEGIN;
INSERT INTO account VALUES (60, 'US', 1, 0);
SELECT assign('account', '60', 'Other');
COMMIT;
BEGIN;
INSERT INTO account SELECT i, 'US', 1, 0 FROM generate_series(61, 68) i;
SAVEPOINT s;
SELECT assign('account', '61', 'Other');
ROLLBACK TO s;
COMMIT;
SELECT count(*) FROM account WHERE id > 60;
BEGIN;
INSERT INTO account VALUES (70, 'US', 1, 0);
DELETE FROM account WHERE id = 70;
COMMIT;
DELETE FROM account WHERE id = 60;
-- with the node, and with the table
INSERT INTO node (path) VALUES ('Gone');
INSERT INTO pair_check (name, object, kind, node_id, bound) VALUES ('gone', 'account', 'records_per_node', node_id('Gone'), 1);
DELETE FROM node WHERE path = 'Gone';
SELECT name FROM pair_check;
SELECT detach('account');
SELECT name FROM pair_check;
DELETE FROM node WHERE path <@ ANY (ARRAY['C', 'Other']::territory[]);
SET client_min_messages = warning;
DROP SCHEMA reg_check CASCADE;
