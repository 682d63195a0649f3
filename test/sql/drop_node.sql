-- drop_node: what a deleted node has goes to another, or with it
CREATE SCHEMA reg_drop;
SET search_path = reg_drop, territory, public;
CREATE FUNCTION reg_drop.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
INSERT INTO node (path) VALUES ('D'), ('D.NL'), ('D.NL.Big'), ('D.NL.Small'), ('D.BE'), ('D.BE.Big'), ('D.X');
CREATE TABLE account (id int PRIMARY KEY, country text, size int);
CREATE TABLE lead (id int PRIMARY KEY);
INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'US'])[1 + i % 3], i FROM generate_series(1, 9) i;
INSERT INTO lead SELECT generate_series(1, 3);
SELECT attach('account'), attach('lead');
INSERT INTO rule (node_id, object, criteria) VALUES
  (node_id('D.NL'), 'account', $$country = 'NL'$$), (node_id('D.NL.Big'), 'account', 'size > 5'), (node_id('D.BE'), 'account', $$country = 'BE'$$), (node_id('D.NL'), 'lead', 'id = 1');
INSERT INTO member (node_id, member, starts) VALUES (node_id('D.NL'), 'ann', NULL), (node_id('D.NL'), 'bob', NULL), (node_id('D.BE'), 'bob', '2026-01-01'), (node_id('D.NL.Big'), 'cid', NULL);
SELECT assign('account', ARRAY['1', '2', '3'], 'D.NL'), assign('account', '1', 'D.BE'), assign('lead', '2', 'D.NL'), exclude('account', '2', 'D.BE');
CREATE VIEW pair AS SELECT 'account' AS object, a.id, n.path, a.rule_id IS NOT NULL AS rule, a.manual FROM account_territory a JOIN node n ON n.id = a.node_id
  UNION ALL SELECT 'lead', a.id, n.path, a.rule_id IS NOT NULL, a.manual FROM lead_territory a JOIN node n ON n.id = a.node_id ORDER BY 1, 2, 3;
SELECT * FROM pair;

-- what cannot be
SELECT err($$DELETE FROM node WHERE path <@ 'D.NL'$$);
SELECT err($$SELECT drop_node('D.NL', 'D.NL.Big')$$), err($$SELECT drop_node('D.NL', 'D.NL')$$);
SELECT err($$SELECT drop_node('D.NL', 'D.BE')$$);
SELECT err($$SELECT drop_node('D.NL', 'D.Q')$$), err($$SELECT drop_node('D.Q')$$), err($$SELECT drop_node(NULL)$$), err($$SELECT drop_node('D', model => 'none')$$);
SELECT err($$SELECT drop_node('D.NL')$$);
SELECT * FROM verify('account');

-- all that it has goes to the other node: not an excluded record, nor a member who is there
UPDATE node SET name = 'Large' WHERE path = 'D.BE.Big';
SELECT * FROM drop_node('D.NL', transfer_to => 'D.BE');
SELECT * FROM pair;
SELECT path FROM node WHERE path <@ 'D' ORDER BY 1;
SELECT n.path, r.object, r.criteria FROM rule r JOIN node n ON n.id = node_id WHERE path <@ 'D' ORDER BY 1, 2, 3;
SELECT n.path, m.member, m.starts FROM member m JOIN node n ON n.id = node_id WHERE path <@ 'D' ORDER BY 1, 2, 3;
SELECT * FROM verify('account');
SELECT * FROM verify('lead');

-- to the node above
SELECT * FROM drop_node('D.BE.Big', transfer_to => 'D.BE');
SELECT * FROM drop_node('D.BE', transfer_to => 'D');
SELECT * FROM pair;
SELECT * FROM verify('account');
SELECT * FROM verify('lead');

-- with all below it
INSERT INTO node (path) VALUES ('D.Y'), ('D.Y.Z');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('D.Y'), 'account', 'size < 4'), (node_id('D.Y.Z'), 'account', 'size < 3');
INSERT INTO member (node_id, member) VALUES (node_id('D.Y.Z'), 'ann');
SELECT * FROM pair WHERE path <@ 'D.Y';
SET territory.defer_runs = on;
SELECT * FROM drop_node('D.Y');
RESET territory.defer_runs;
SELECT * FROM pair WHERE path <@ 'D.Y';
SELECT err($$SELECT drop_node('D')$$);
SELECT * FROM drop_node('D.X');
SELECT * FROM verify('account');

-- another model
INSERT INTO model (name) VALUES ('reg_drop plan');
INSERT INTO node (model_id, path) SELECT id, p::territory FROM model, unnest(ARRAY['D', 'D.P', 'D.P.Q']) p WHERE name = 'reg_drop plan';
SELECT * FROM drop_node('D.P', 'D', 'reg_drop plan');
SELECT * FROM drop_node('D', model => 'reg_drop plan');
DELETE FROM model WHERE name = 'reg_drop plan';

-- by the rights of whoever calls it
CREATE ROLE reg_drop_rep;
GRANT USAGE ON SCHEMA territory TO reg_drop_rep;
GRANT SELECT ON node, model TO reg_drop_rep;
SET ROLE reg_drop_rep;
SELECT drop_node('D');
RESET ROLE;
REVOKE ALL ON SCHEMA territory FROM reg_drop_rep;
REVOKE ALL ON node, model FROM reg_drop_rep;
DROP ROLE reg_drop_rep;
SET client_min_messages = warning;
DROP VIEW pair;
SELECT detach('account'), detach('lead');
SELECT * FROM drop_node('D');
DROP SCHEMA reg_drop CASCADE;
