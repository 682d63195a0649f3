-- Few changed rules among many are compiled beside the others, not all anew.
SET client_min_messages = warning;
SET search_path = public, territory;
CREATE TABLE patched (id int PRIMARY KEY, country text, n int);
SELECT territory.attach('patched', mode => 'all');
INSERT INTO territory.node (path) VALUES ('Patch'), ('Patch.Late');
INSERT INTO territory.node (path) SELECT ('Patch.N' || i)::territory.territory FROM generate_series(1, 40) i;
INSERT INTO territory.rule (node_id, object, name, criteria)
SELECT territory.node_id(('Patch.N' || i)::territory.territory), 'patched', 'n' || i, format('country = %L', 'C' || i) FROM generate_series(1, 40) i;
INSERT INTO patched VALUES (1, 'C1', 1), (2, 'C2', 0), (3, 'Q', 3);
CREATE VIEW held AS
SELECT string_agg(t.id || ' ' || label(path), ', ' ORDER BY t.id, path) AS pairs
  FROM patched_territory AS t JOIN territory.node ON node.id = node_id;
SELECT * FROM held;

\set VERBOSITY terse
SET client_min_messages = debug1;
-- its criteria
UPDATE territory.rule SET criteria = 'country IN (''C1'', ''Q'')' WHERE name = 'n1';
SELECT * FROM held;
-- a new one, on a node that had none
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id('Patch.Late'), 'patched', 'late', 'n = 0 OR country = ''Q''');
SELECT * FROM held;
-- one less
DELETE FROM territory.rule WHERE name = 'n2';
SELECT * FROM held;
-- another node for a rule that stays as it is, and a place in the tree for a node
UPDATE territory.rule SET node_id = territory.node_id('Patch.N40') WHERE name = 'n3';
UPDATE territory.node SET parent_id = territory.node_id('Patch.N1') WHERE path = 'Patch.Late';
SELECT * FROM held;
-- what is taken back
BEGIN;
UPDATE territory.rule SET criteria = 'country = ''none''' WHERE name = 'n1';
SELECT * FROM held;
SAVEPOINT s;
UPDATE territory.rule SET criteria = 'country IN (''C1'', ''C2'')' WHERE name = 'n1';
SELECT * FROM held;
ROLLBACK TO s;
UPDATE patched SET country = country || '' WHERE id = 1;
ROLLBACK;
UPDATE patched SET country = 'C1' WHERE id = 2;
SELECT * FROM held;
-- a rule that raises an error is named; when it is gone, so is the error
INSERT INTO territory.rule (id, node_id, object, name, criteria) VALUES (990001, territory.node_id('Patch.N5'), 'patched', 'quotient', '10 / (n + 7) > 100');
\set VERBOSITY default
INSERT INTO patched VALUES (4, 'C4', -7);
\set VERBOSITY terse
DELETE FROM territory.rule WHERE name = 'quotient';
INSERT INTO patched VALUES (4, 'C4', -7);
SELECT * FROM held;
-- likewise one that was compiled with the others
SET client_min_messages = warning;
UPDATE territory.rule SET criteria = '10 / (n + 8) > 100' WHERE name = 'n7';
UPDATE territory.rule SET name = name WHERE object = 'patched'::regclass;
INSERT INTO patched VALUES (5, 'C4', -8);
SET client_min_messages = debug1;
DELETE FROM territory.rule WHERE name = 'n7';
INSERT INTO patched VALUES (5, 'C4', -8);
-- many rules at once
UPDATE territory.rule SET criteria = criteria || ' AND n IS NOT NULL' WHERE object = 'patched'::regclass;
SELECT * FROM held;
-- people see all rules in their order
UPDATE territory.rule SET criteria = 'country = ''C9''' WHERE name = 'n9';
SELECT count(*), count(*) FILTER (WHERE access = 'country') FROM territory.rule_stats('patched');
-- a patch that rows have cost enough is merged
UPDATE territory.rule SET criteria = 'country = ''C10''' WHERE name = 'n10';
INSERT INTO patched SELECT i, 'C10', i FROM generate_series(100, 1100) i;
INSERT INTO patched VALUES (2000, 'C10', 1);
SET client_min_messages = warning;
SELECT count(*) FROM territory.verify('patched');
DROP VIEW held;
SELECT territory.detach('patched');
DELETE FROM territory.node WHERE path <@ 'Patch';
DROP TABLE patched;
