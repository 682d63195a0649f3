-- the extension, for all tests that follow in this database
CREATE EXTENSION territory;
-- what it starts with: one active model, and nothing else
SELECT id, name, state FROM territory.model;
SELECT (SELECT count(*) FROM territory.node) AS nodes,
       (SELECT count(*) FROM territory.object) AS objects,
       (SELECT count(*) FROM territory.rule) AS rules,
       (SELECT count(*) FROM territory.exclusion) AS exclusions,
       (SELECT count(*) FROM territory.run_log) AS runs;
