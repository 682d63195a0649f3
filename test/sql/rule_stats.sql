-- How rules are found, and a word on many that cannot be.
CREATE SCHEMA reg_stats;
SET search_path = reg_stats, territory, public;
CREATE TABLE t (id int PRIMARY KEY, country text, city text, zip text, size int, vip bool, place territory, tags text[]);
INSERT INTO t SELECT i, 'C' || i % 10, 'City' || i % 50, lpad((i * 7 % 1000)::text, 5, '0'), i, i % 3 = 0,
       ('A.B' || i % 4)::territory, ARRAY['x' || i % 5] FROM generate_series(1, 200) AS i;
ANALYZE t;
INSERT INTO node (path) SELECT ('Stats ' || i)::territory FROM generate_series(1, 12) AS i;
SELECT attach('t', mode => 'all');
INSERT INTO rule (node_id, object, name, criteria)
SELECT node_id(('Stats ' || number)::territory), 't', criteria, criteria
  FROM unnest(ARRAY['country = ''C1''', 'city IN (''City1'', ''City2'') AND size > 50', 'zip LIKE ''0012%''',
                    'size BETWEEN 10 AND 19', 'place <@ ''A.B1''', 'vip', 'country IS NULL', 'lower(city) = ''city3''',
                    'country = ''C2'' OR size < 3', 'tags @> ARRAY[''x1'']', 'size < 5 AND size > 7',
                    'NOT (country <> ''C3'' OR vip)']) WITH ORDINALITY AS c (criteria, number);

-- what each is found by; a rule is tried for the records that come near, and true for those that match
SELECT rule, access, tried, matched FROM rule_stats('t') ORDER BY rule_id;
SELECT s.rule_id, s.matched, count(a.id) FROM rule_stats('t') AS s LEFT JOIN t_territory AS a USING (rule_id)
 GROUP BY 1, 2 HAVING s.matched <> count(a.id);
-- shares are of the whole; without counting there are none
SELECT round(sum(share)::numeric, 1) AS shares FROM rule_stats('t');
SELECT count(*), count(tried), count(share) FROM rule_stats('t', timing => false);

-- many rules of a country are told apart by what else they ask for
SET territory.defer_runs = on;
INSERT INTO rule (node_id, object, name, criteria)
SELECT node_id('Stats 1'), 't', 'many', format('country = ''C1'' AND city = ''City%s'' AND size > %s', i % 50, i) FROM generate_series(1, 100) AS i;
RESET territory.defer_runs;
SELECT access, count(*), sum(tried) < 200 * count(*) / 10 AS few FROM rule_stats('t') WHERE rule = 'many' GROUP BY 1;
DELETE FROM rule WHERE name = 'many';

-- who asks must be allowed to; NULL gives nothing
SELECT count(*) FROM rule_stats(NULL);
SELECT count(*) FROM rule_stats('pg_class');
CREATE ROLE reg_stats_other;
SET ROLE reg_stats_other;
SELECT count(*) FROM territory.rule_stats('reg_stats.t');
RESET ROLE;
DROP ROLE reg_stats_other;

-- a notice on many rules that nothing leads to, when one more is written
INSERT INTO rule (node_id, object, criteria) SELECT node_id('Stats 1'), 't', format('size %% %s = 1', i + 2) FROM generate_series(1, 50) AS i;
\set VERBOSITY terse
INSERT INTO rule (node_id, object, criteria) SELECT node_id('Stats 1'), 't', format('tags @> ARRAY[''x%s'']', i + 2) FROM generate_series(1, 98) AS i;
SELECT access = 'scanned for every row' AS scanned, count(*) FROM rule_stats('t', false) GROUP BY 1 ORDER BY 1;
INSERT INTO rule (id, node_id, object, criteria) VALUES (900001, node_id('Stats 1'), 't', 'tags && ARRAY[''y'']');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('Stats 1'), 't', 'country = ''C9''');
\set VERBOSITY default

-- nothing is left out of the order: constants with a collation, in rules of one shape
INSERT INTO rule (id, node_id, object, criteria) SELECT 900001 + i, node_id('Stats 1'), 't', format('city LIKE ''%%ty%s'' COLLATE "C"', i) FROM generate_series(1, 3) AS i;
SELECT count(*) FROM verify('t');

SELECT detach('t');

-- rows that are equal or not, but have no order
CREATE TYPE pair AS (x xid, m money);
CREATE TABLE p (id int PRIMARY KEY, pair pair);
INSERT INTO p VALUES (1, ROW('1', '2')), (2, ROW('1', '3')), (3, NULL);
SELECT attach('p', mode => 'all');
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('Stats 1'), 'p', 'pair = ROW(''1'', ''2'')::reg_stats.pair'),
  (node_id('Stats 2'), 'p', 'pair <> ROW(''1'', ''2'')::reg_stats.pair');
SELECT a.id, n.path FROM p_territory AS a JOIN node AS n ON n.id = a.node_id ORDER BY 1;
SELECT detach('p');
DELETE FROM node WHERE name LIKE 'Stats %';
\set VERBOSITY terse
DROP SCHEMA reg_stats CASCADE;
