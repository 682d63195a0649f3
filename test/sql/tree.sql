-- territory.node: path, parent_id and name stay true to each other
\set SHOW_CONTEXT never
SET search_path = public, territory;
CREATE SCHEMA reg_tree;
-- err: how a statement fails; it is undone in any case
CREATE FUNCTION reg_tree.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  m text; d text; h text;
BEGIN
  EXECUTE statement;
  RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
  IF sqlstate = 'ZZ000' THEN RETURN 'no error'; END IF;
  GET STACKED DIAGNOSTICS m = MESSAGE_TEXT, d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
  -- numbers that depend on what ran before
  m := regexp_replace(m, '\m(node|rule|node_id) \d+', '\1 N');
  d := regexp_replace(CASE WHEN d NOT LIKE 'Failing row%' THEN d END, '\m(\w*id)\)=\(\d+', '\1)=(N');
  h := regexp_replace(h, '\m(node|rule|node_id =) \d+', '\1 N');
  RETURN concat_ws(E'\n', sqlstate || ': ' || m, 'DETAIL: ' || nullif(d, ''), 'HINT: ' || nullif(h, ''));
END $$;
-- nodes: the tree without ids
CREATE VIEW reg_tree.nodes AS
  SELECT n.path, n.name, p.path AS parent FROM territory.node n LEFT JOIN territory.node p ON p.id = n.parent_id
   WHERE n.model_id = territory.active_model() ORDER BY n.path;
-- broken: nodes whose path is not their parent's path and their name
CREATE VIEW reg_tree.broken AS
  SELECT n.path, n.name, p.path AS parent FROM territory.node n LEFT JOIN territory.node p ON p.id = n.parent_id
   WHERE n.path::text <> territory.child(coalesce(p.path, ''), n.name)::text
      OR n.name <> territory.label(n.path) OR p.model_id <> n.model_id
      OR (p.id IS NULL) <> (territory.nlevel(n.path) = 1);

-- by path, one by one
INSERT INTO territory.node (path) VALUES ('W');
INSERT INTO territory.node (path, priority, description) VALUES ('W.EMEA', 5, 'Europe and more');
-- parents first in one statement
INSERT INTO territory.node (path) VALUES ('W.EMEA.Benelux'), ('W.EMEA.Benelux.NL'), ('W.EMEA.Benelux.NL.North');
-- children first in one statement
INSERT INTO territory.node (path) VALUES ('W.APAC.JP.Tokyo'), ('W.APAC.JP'), ('W.APAC');
-- by parent_id and name
INSERT INTO territory.node (parent_id, name) VALUES (territory.node_id('W'), 'AMER');
INSERT INTO territory.node (name) VALUES ('Second top');
-- what agrees may be given twice
INSERT INTO territory.node (path, name) VALUES ('W.AMER.US', 'US');
INSERT INTO territory.node (path, parent_id, name) VALUES ('W.AMER.CA', territory.node_id('W.AMER'), 'CA');
INSERT INTO territory.node (path, parent_id) VALUES ('W.AMER.MX', territory.node_id('W.AMER'));
-- two ways in one statement
INSERT INTO territory.node (path, parent_id, name) VALUES ('W.AMER.US.East', NULL, NULL), (NULL, territory.node_id('W.AMER.US'), 'West');
-- names that need quotes, or look as if they did
INSERT INTO territory.node (path) VALUES ('W.AMER.US."St. Louis"'), ('W.AMER.US."say ""hi"""'), ('W.EMEA."Île-de-France"'), ('W.APAC.日本');
INSERT INTO territory.node (parent_id, name) VALUES
  (territory.node_id('W.APAC'), 'New South Wales'), (territory.node_id('W.APAC'), 'a.b'), (territory.node_id('W.APAC'), '"'),
  (territory.node_id('W.APAC'), 'back\slash'), (territory.node_id('W.APAC'), ' '), (territory.node_id('W.APAC'), E'tab\there'), (territory.node_id('W.APAC'), 'O''Brien');
SELECT * FROM reg_tree.nodes;
SELECT * FROM reg_tree.broken;
SELECT priority, description, cascade FROM territory.node WHERE path IN ('W', 'W.EMEA') ORDER BY path;
-- RETURNING sees what was derived
INSERT INTO territory.node (path) VALUES ('W.EMEA.Nordics') RETURNING path, name, parent_id = territory.node_id('W.EMEA') AS parent;
INSERT INTO territory.node (parent_id, name) VALUES (territory.node_id('W.EMEA.Nordics'), 'S.E') RETURNING path, name;
-- COPY, children first
COPY territory.node (path, priority) FROM stdin;
W.EMEA.DACH.AT.Wien	1
W.EMEA.DACH.AT	2
W.EMEA.DACH	3
\.
SELECT * FROM reg_tree.nodes WHERE path <@ 'W.EMEA.DACH';

-- without our schema on search_path the engine works all the same
BEGIN;
RESET search_path;
INSERT INTO territory.node (path) VALUES ('Plain.child.x'), ('Plain.child'), ('Plain');
UPDATE territory.node SET name = 'Plainer' WHERE name = 'Plain';
DELETE FROM territory.node WHERE name = 'x';
SELECT path FROM territory.node WHERE path::text LIKE 'Plain%' ORDER BY 1;
ROLLBACK;

-- what is refused
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('W.Nowhere.Land.Here')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('Nowhere.Land')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('W.Q.a'), ('W.R')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('W.EMEA')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('W.Z'), ('W.Z')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (parent_id, name) VALUES (territory.node_id('W'), 'EMEA')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path) VALUES ('W..X')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (name) VALUES ('')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (parent_id, name) VALUES (territory.node_id('W'), '')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (name) VALUES (repeat('x', 1001))$$);
SELECT reg_tree.err($$INSERT INTO territory.node (priority) VALUES (1)$$);
SELECT reg_tree.err($$INSERT INTO territory.node (parent_id) VALUES (territory.node_id('W'))$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path, name) VALUES ('W.X', 'Y')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path, parent_id) VALUES ('W.X', territory.node_id('W.EMEA'))$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path, parent_id) VALUES ('X', territory.node_id('W'))$$);
SELECT reg_tree.err($$INSERT INTO territory.node (parent_id, name) VALUES (-1, 'X')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path, parent_id) VALUES ('W.X', -1)$$);
SELECT reg_tree.err($$INSERT INTO territory.node (model_id, path) VALUES (NULL, 'X')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (model_id, path) VALUES (-1, 'X')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path, cascade) VALUES ('X', NULL)$$);
SELECT reg_tree.err($$INSERT INTO territory.node (path, priority) VALUES ('X', NULL)$$);
SELECT reg_tree.err($$TRUNCATE territory.node CASCADE$$);
SELECT reg_tree.err($$TRUNCATE territory.model CASCADE$$);
SELECT count(*) FROM reg_tree.nodes;

-- node_id
SELECT territory.node_id('W.EMEA') = (SELECT id FROM territory.node WHERE path = 'W.EMEA') AS found,
       territory.node_id('W.EMEA', 'default') = territory.node_id('W.EMEA') AS by_model,
       territory.node_id(NULL) IS NULL AS of_null;
SELECT reg_tree.err($$SELECT territory.node_id('W.Atlantis')$$);
SELECT reg_tree.err($$SELECT territory.node_id('W', 'no such model')$$);
SELECT reg_tree.err($$SELECT territory.node_id('')$$);
SELECT reg_tree.err($$SELECT territory.node_id('W..X')$$);

-- a rename carries the subtree along
CREATE TEMP TABLE id_before AS SELECT id, path FROM territory.node;
UPDATE territory.node SET name = 'Low Countries' WHERE path = 'W.EMEA.Benelux';
SELECT * FROM reg_tree.nodes WHERE path <@ 'W.EMEA."Low Countries"';
UPDATE territory.node SET name = 'EMEA.2' WHERE path = 'W.EMEA';
SELECT * FROM reg_tree.nodes WHERE parent <@ 'W."EMEA.2"';
UPDATE territory.node SET name = 'EMEA' WHERE path = 'W."EMEA.2"' RETURNING path, name;
UPDATE territory.node SET path = 'W.EMEA.Benelux' WHERE path = 'W.EMEA."Low Countries"' RETURNING path, name;
SELECT count(*) AS other FROM id_before b FULL JOIN territory.node n USING (id) WHERE b.path IS DISTINCT FROM n.path AND n.path::text <> 'W.EMEA.Benelux';

-- a move by parent_id, and back by path
UPDATE territory.node SET parent_id = territory.node_id('W.APAC') WHERE path = 'W.EMEA.DACH';
SELECT path FROM reg_tree.nodes WHERE name IN ('DACH', 'AT', 'Wien');
UPDATE territory.node SET path = 'W.EMEA.DACH' WHERE path = 'W.APAC.DACH';
SELECT path FROM reg_tree.nodes WHERE name IN ('DACH', 'AT', 'Wien');
-- to the top and below again
UPDATE territory.node SET parent_id = NULL WHERE path = 'W.EMEA.DACH';
SELECT * FROM reg_tree.nodes WHERE name IN ('DACH', 'AT', 'Wien');
UPDATE territory.node SET path = 'W.EMEA.DACH' WHERE path = 'DACH';
-- both at once: another parent and another name
UPDATE territory.node SET parent_id = territory.node_id('W.APAC'), name = 'D-A-CH' WHERE path = 'W.EMEA.DACH';
SELECT path FROM reg_tree.nodes WHERE path <@ 'W.APAC.D-A-CH';
UPDATE territory.node SET path = 'W.EMEA.DACH' WHERE path = 'W.APAC.D-A-CH';
-- several moves in one statement: two neighbours exchange their places
UPDATE territory.node n SET parent_id = v.to_id
  FROM (VALUES (territory.node_id('W.EMEA.DACH'), territory.node_id('W.AMER')),
               (territory.node_id('W.AMER.US'), territory.node_id('W.EMEA'))) AS v(id, to_id) WHERE n.id = v.id;
SELECT path FROM reg_tree.nodes WHERE path <@ 'W.AMER.DACH' OR path <@ 'W.EMEA.US';
-- a node and a node below it move in one statement, whichever comes first
UPDATE territory.node n SET parent_id = v.to_id
  FROM (VALUES (territory.node_id('W.AMER.DACH.AT'), territory.node_id('W.EMEA')),
               (territory.node_id('W.AMER.DACH'), territory.node_id('W.EMEA'))) AS v(id, to_id) WHERE n.id = v.id;
SELECT path FROM reg_tree.nodes WHERE name IN ('DACH', 'AT', 'Wien') ORDER BY path;
SELECT * FROM reg_tree.broken;
UPDATE territory.node n SET parent_id = v.to_id
  FROM (VALUES (territory.node_id('W.EMEA.US'), territory.node_id('W.AMER')),
               (territory.node_id('W.EMEA.AT'), territory.node_id('W.EMEA.DACH'))) AS v(id, to_id) WHERE n.id = v.id;
-- all names at once
UPDATE territory.node SET name = lower(name) WHERE path <@ 'W.EMEA.DACH' OR path <@ 'W.EMEA.Benelux';
SELECT path FROM reg_tree.nodes WHERE path <@ 'W.EMEA.dach' OR path <@ 'W.EMEA.benelux';
SELECT * FROM reg_tree.broken;
-- names exchanged in two statements (one would meet the unique index half-way)
UPDATE territory.node SET name = CASE name WHEN 'dach' THEN 'DACH' ELSE 'Benelux' END WHERE path IN ('W.EMEA.dach', 'W.EMEA.benelux');
SELECT path FROM reg_tree.nodes WHERE path <@ 'W.EMEA.DACH' OR path <@ 'W.EMEA.Benelux';
-- an update that changes nothing of the three
UPDATE territory.node SET priority = 7, description = 'd' WHERE path = 'W.EMEA';
UPDATE territory.node SET name = name, path = path, parent_id = parent_id WHERE path <@ 'W.EMEA';
SELECT * FROM reg_tree.broken;

-- what is refused
SELECT reg_tree.err($$UPDATE territory.node SET parent_id = territory.node_id('W.EMEA.Benelux.nl') WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET parent_id = id WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = 'W.EMEA.EMEA' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = 'W.EMEA.Benelux.X' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = 'W.Atlantis.EMEA' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = '' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = 'W.APAC' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET name = 'APAC' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET name = '' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET name = NULL WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = NULL, name = NULL WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET parent_id = -1 WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = 'W.X', name = 'Y' WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET path = 'W.X', parent_id = territory.node_id('W.APAC') WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$UPDATE territory.node SET id = -id WHERE path = 'W.EMEA'$$);
-- a cycle of moves that are harmless alone: of two, of three
SET statement_timeout = '20s';
SELECT territory.node_id('W.APAC') AS apac, territory.node_id('W.AMER') AS amer, territory.node_id('W.APAC.JP') AS jp,
       territory.node_id('W.AMER.CA') AS ca, territory.node_id('W.EMEA.DACH') AS dach \gset
SELECT substring(reg_tree.err(format('UPDATE territory.node n SET parent_id = v.to_id FROM (VALUES (%1$s, %2$s), (%2$s, %1$s)) AS v(id, to_id) WHERE n.id = v.id',
  :apac, :amer)) FROM '^[^"]*');
SELECT substring(reg_tree.err(format('UPDATE territory.node n SET parent_id = v.to_id FROM (VALUES (%1$s, %2$s), (%2$s, %3$s), (%3$s, %1$s)) AS v(id, to_id) WHERE n.id = v.id',
  :jp, :ca, :dach)) FROM '^[^"]*');
-- node_id sees the tree as the statement that calls it found it
UPDATE territory.node n SET name = v.name
  FROM (VALUES ('W.APAC', 'A'), ('W.APAC.JP', 'J'), ('W.APAC.JP.Tokyo', 'T')) AS v(path, name) WHERE n.id = territory.node_id(v.path::territory);
SELECT * FROM reg_tree.nodes WHERE name IN ('A', 'J', 'T');
UPDATE territory.node n SET name = CASE name WHEN 'A' THEN 'APAC' WHEN 'J' THEN 'JP' ELSE 'Tokyo' END WHERE name IN ('A', 'J', 'T');
RESET statement_timeout;
SELECT * FROM reg_tree.broken;
SELECT count(*) FROM reg_tree.nodes;
-- path NULL asks for the derived one
UPDATE territory.node SET path = NULL, name = 'Americas' WHERE path = 'W.AMER' RETURNING path;
UPDATE territory.node SET name = 'AMER' WHERE path = 'W.Americas';

-- moves undone
BEGIN;
UPDATE territory.node SET parent_id = territory.node_id('W.APAC') WHERE path = 'W.EMEA';
SAVEPOINT s;
UPDATE territory.node SET name = 'Japan' WHERE path = 'W.APAC.JP';
ROLLBACK TO s;
SELECT path FROM reg_tree.nodes WHERE path <@ 'W.APAC.JP' OR name = 'EMEA';
ROLLBACK;
SELECT path FROM reg_tree.nodes WHERE path <@ 'W.APAC.JP' OR name = 'EMEA';

-- deletion
SELECT reg_tree.err($$DELETE FROM territory.node WHERE path = 'W.EMEA'$$);
SELECT reg_tree.err($$DELETE FROM territory.node WHERE path = 'W.EMEA.DACH.at'$$);
SELECT reg_tree.err($$DELETE FROM territory.node WHERE path = 'W.AMER.US'$$);
SELECT reg_tree.err($$DELETE FROM territory.node WHERE path IN ('W.EMEA.DACH', 'W.EMEA.DACH.at')$$);
DELETE FROM territory.node WHERE path = 'W.EMEA.DACH.at.wien';
DELETE FROM territory.node WHERE path <@ 'W.EMEA';
SELECT path FROM reg_tree.nodes;
-- the hint of a quoted name is right
INSERT INTO territory.node (path) VALUES ('W.AMER."it''s a ""test"""'), ('W.AMER."it''s a ""test""".x');
SELECT reg_tree.err($$DELETE FROM territory.node WHERE name = 'it''s a "test"'$$);
DELETE FROM territory.node WHERE path <@ 'W.AMER."it''s a ""test"""';

-- a second model may have the same paths
INSERT INTO territory.model (name, description) VALUES ('next year', 'a plan') RETURNING name, state;
INSERT INTO territory.node (model_id, path) SELECT m.id, v.path::territory.territory FROM territory.model m, (VALUES ('W'), ('W.APAC'), ('W.EMEA')) v(path) WHERE m.name = 'next year';
INSERT INTO territory.node (model_id, parent_id, name) SELECT m.id, territory.node_id('W.EMEA', 'next year'), 'FR' FROM territory.model m WHERE m.name = 'next year';
SELECT m.name AS model, n.path, p.path AS parent, pm.name AS parents_model
  FROM territory.node n JOIN territory.model m ON m.id = n.model_id
  LEFT JOIN territory.node p ON p.id = n.parent_id LEFT JOIN territory.model pm ON pm.id = p.model_id
 WHERE n.path IN ('W', 'W.APAC', 'W.EMEA', 'W.EMEA.FR') ORDER BY m.name, n.path;
SELECT territory.node_id('W') <> territory.node_id('W', 'next year') AS two_nodes;
SELECT reg_tree.err($$SELECT territory.node_id('W.EMEA.FR')$$);
SELECT reg_tree.err($$SELECT territory.node_id('W.AMER', 'next year')$$);
SELECT reg_tree.err($$INSERT INTO territory.node (model_id, path) SELECT id, 'W.AMER.X' FROM territory.model WHERE name = 'next year'$$);
SELECT reg_tree.err($$INSERT INTO territory.node (parent_id, name) VALUES (territory.node_id('W', 'next year'), 'X')$$);
SELECT reg_tree.err($$UPDATE territory.node SET parent_id = territory.node_id('W', 'next year') WHERE path = 'W.APAC' AND model_id = 1$$);
SELECT reg_tree.err($$UPDATE territory.node SET model_id = 1 WHERE path = 'W.EMEA.FR'$$);
-- moves stay in their model
UPDATE territory.node SET name = 'World' WHERE id = territory.node_id('W', 'next year');
SELECT m.name AS model, n.path FROM territory.node n JOIN territory.model m ON m.id = n.model_id WHERE n.name IN ('W', 'World', 'APAC') ORDER BY 1, 2;

-- exactly one model is active
SELECT reg_tree.err($$UPDATE territory.model SET state = 'active' WHERE name = 'next year'$$);
SELECT reg_tree.err($$UPDATE territory.model SET state = 'archived' WHERE name = 'default'$$);
SELECT reg_tree.err($$DELETE FROM territory.model WHERE name = 'default'$$);
SELECT reg_tree.err($$DELETE FROM territory.model WHERE name = 'next year'$$);
SELECT reg_tree.err($$INSERT INTO territory.model (name, state) VALUES ('third', 'active')$$);
SELECT reg_tree.err($$INSERT INTO territory.model (name, state) VALUES ('third', 'asleep')$$);
SELECT reg_tree.err($$INSERT INTO territory.model (name) VALUES ('next year')$$);
SELECT reg_tree.err($$INSERT INTO territory.model (name) VALUES ('')$$);
SELECT reg_tree.err($$INSERT INTO territory.model (name) VALUES (NULL)$$);
SELECT left(reg_tree.err($$INSERT INTO territory.model (name, time_zone) VALUES ('third', 'Mars/Olympus_Mons')$$), 5);
SELECT left(reg_tree.err($$INSERT INTO territory.model (name, date_style) VALUES ('third', 'fortnights')$$), 5);
SELECT left(reg_tree.err($$UPDATE territory.model SET time_zone = 'Mars/Olympus_Mons' WHERE name = 'default'$$), 5);
-- an activation is one statement
UPDATE territory.model SET state = CASE name WHEN 'next year' THEN 'active' ELSE 'archived' END WHERE name IN ('next year', 'default');
SELECT name, state FROM territory.model ORDER BY id;
SELECT * FROM reg_tree.nodes;
INSERT INTO territory.node (path) VALUES ('World.Here') RETURNING model_id = territory.active_model() AS in_the_active;
SELECT territory.node_id('World') = territory.node_id('World', 'next year') AS active_now;
SELECT reg_tree.err($$SELECT territory.node_id('W')$$);
-- or two, with the check deferred
BEGIN;
SET CONSTRAINTS territory.model_one_active DEFERRED;
UPDATE territory.model SET state = 'active' WHERE name = 'default';
UPDATE territory.model SET state = 'archived' WHERE name = 'next year';
COMMIT;
SELECT name, state FROM territory.model ORDER BY id;
BEGIN;
SET CONSTRAINTS territory.model_one_active DEFERRED;
UPDATE territory.model SET state = 'active' WHERE name = 'next year';
COMMIT;
SELECT name, state FROM territory.model ORDER BY id;
-- ON CONFLICT and MERGE, as a seed script does
INSERT INTO territory.node (path, description) VALUES ('W.APAC', 'new') ON CONFLICT (model_id, path) DO UPDATE SET description = EXCLUDED.description;
INSERT INTO territory.node (path) VALUES ('W.APAC'), ('W.APAC.KR') ON CONFLICT DO NOTHING;
MERGE INTO territory.node n USING (VALUES ('W.APAC.KR'::territory.territory, 'Korea'), ('W.APAC.AU', 'Australia')) v(path, text) ON n.path = v.path AND n.model_id = 1
 WHEN MATCHED THEN UPDATE SET description = v.text WHEN NOT MATCHED THEN INSERT (path, description) VALUES (v.path, v.text);
SELECT path, description FROM territory.node WHERE description IS NOT NULL ORDER BY path;

-- deeper than anyone needs
INSERT INTO territory.node (path) SELECT ('Deep' || repeat('.d', i))::territory.territory FROM generate_series(120, 0, -1) i;
UPDATE territory.node SET name = 'Deeper' WHERE path = 'Deep';
SELECT count(*), max(territory.nlevel(path)) FROM territory.node WHERE path <@ 'Deeper';
SELECT * FROM reg_tree.broken;

DELETE FROM territory.node;
DELETE FROM territory.model WHERE id <> 1;
SELECT name, state FROM territory.model;
DROP SCHEMA reg_tree CASCADE;
