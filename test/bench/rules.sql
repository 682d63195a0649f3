-- rules.sql: a tree and rules for the accounts, instead of those that are there. Variables: rules (rules), worlds (1, or how
-- many times as many countries, cities and owners there are).
\ir clear.sql
DROP TABLE IF EXISTS bare_pair, leaf, criterion, flat CASCADE;

-- three criteria a rule, in five shapes: 40, 20, 20, 10 and 10 %
CREATE TABLE criterion AS
SELECT r.id AS rule, r.shape, c.position, c.field, c.operator, c.operands
FROM (SELECT id, (ARRAY[0, 0, 0, 0, 1, 1, 2, 2, 3, 4])[1 + even(id, 100, 10)] AS shape
        FROM generate_series(1::bigint, :rules) AS id) AS r,
  LATERAL (VALUES
    ('{0, 1, 2}'::int[], 1, 'country', '=', ARRAY[of_world(country(leaning(id, 102, 60)), even(id, 120, :worlds), :worlds)]),
    ('{0}', 2, 'state', 'IN', ARRAY[state(even(id, 103, 50)), state(even(id, 104, 50)), state(even(id, 105, 50))]),
    ('{0}', 3, 'employees', 'BETWEEN', ARRAY[floor(exp(unit(id, 106) * 8))::text, floor(exp(unit(id, 106) * 8 + 2.5))::text]),
    ('{1}', 2, 'industry', 'IN', ARRAY['Ind' || even(id, 108, 30), 'Ind' || even(id, 109, 30), 'Ind' || even(id, 110, 30)]),
    ('{1}', 3, 'annual_revenue', '>=', ARRAY[round((exp(unit(id, 111) * 12) * 1000)::numeric, 0)::text]),
    ('{2}', 2, 'postal_code', 'LIKE', ARRAY[lpad(even(id, 112, 1000)::text, 3, '0')]),
    ('{2}', 3, 'segment', '<>', ARRAY[segment(even(id, 113, 5))]),
    ('{3}', 1, 'city', '=', ARRAY[of_world('City' || even(id, 114, 2000), even(id, 120, :worlds), :worlds)]),
    ('{3}', 2, 'segment', '=', ARRAY[segment(even(id, 115, 5))]),
    ('{3}', 3, 'employees', '<', ARRAY[floor(exp(4 + unit(id, 107) * 7))::text]),
    ('{4}', 1, 'owner', '=', ARRAY[of_world('owner' || even(id, 116, 500), even(id, 120, :worlds), :worlds)]),
    ('{4}', 2, 'industry', '<>', ARRAY['Ind' || even(id, 117, 30)]),
    ('{4}', 3, 'created_at', '>=', ARRAY[day(even(id, 118, 2190))::text])
  ) AS c (shapes, position, field, operator, operands)
WHERE r.shape = ANY (c.shapes);

-- a rule's criteria as SQL
CREATE VIEW rule_source AS
SELECT rule, string_agg(
         CASE operator
           WHEN 'IN' THEN format('%I IN (%s)', field, (SELECT string_agg(quote_literal(o), ', ') FROM unnest(operands) AS o))
           WHEN 'BETWEEN' THEN format('%I BETWEEN %s AND %s', field, operands[1], operands[2])
           WHEN 'LIKE' THEN format('%I LIKE %L', field, operands[1] || '%')
           ELSE format(CASE WHEN field IN ('employees', 'annual_revenue') THEN '%I %s %s' ELSE '%I %s %L' END, field, operator, operands[1])
         END, ' AND ' ORDER BY position) AS criteria
FROM criterion GROUP BY rule;

-- a rule as a row with a column for each operand, as one keeps rules without the extension
CREATE TABLE flat AS
SELECT rule, shape,
       min(operands[1]) FILTER (WHERE field = 'country') AS country,
       min(operands) FILTER (WHERE field = 'state') AS states,
       min(operands[1]) FILTER (WHERE operator = 'BETWEEN')::int AS employees_from,
       min(operands[2]) FILTER (WHERE operator = 'BETWEEN')::int AS employees_to,
       min(operands[1]) FILTER (WHERE operator = '<')::int AS employees_below,
       min(operands) FILTER (WHERE field = 'industry' AND operator = 'IN') AS industries,
       min(operands[1]) FILTER (WHERE field = 'industry' AND operator = '<>') AS not_industry,
       min(operands[1]) FILTER (WHERE field = 'annual_revenue')::numeric AS revenue_from,
       min(operands[1]) FILTER (WHERE field = 'postal_code') AS postal_prefix,
       min(operands[1]) FILTER (WHERE field = 'city') AS city,
       min(operands[1]) FILTER (WHERE field = 'segment' AND operator = '=') AS segment,
       min(operands[1]) FILTER (WHERE field = 'segment' AND operator = '<>') AS not_segment,
       min(operands[1]) FILTER (WHERE field = 'owner') AS owner,
       min(operands[1]) FILTER (WHERE field = 'created_at')::timestamptz AS created_from
FROM criterion GROUP BY rule, shape;

-- a tree of 4 levels whose leaves are the territories, one a rule: so the pairs are the matches
SET territory.defer_runs = on;
-- the plans that look nodes up are made once a statement, while the table is still empty
SET enable_seqscan = off;
INSERT INTO territory.node (path) VALUES ('World');
INSERT INTO territory.node (path) SELECT ('World.R' || i)::territory.territory FROM generate_series(0, 9) AS i;
INSERT INTO territory.node (path) SELECT ('World.R' || i % 10 || '.A' || i)::territory.territory FROM generate_series(0, 99) AS i;
INSERT INTO territory.node (path)
  SELECT ('World.R' || i % 10 || '.A' || i % 100 || '.T' || i)::territory.territory FROM generate_series(1, :rules) AS i;
RESET enable_seqscan;
CREATE TABLE leaf AS SELECT substr(name, 2)::int AS rule, id AS node_id FROM territory.node WHERE name LIKE 'T%';
ANALYZE territory.node, leaf, flat;
SELECT territory.attach('account', mode => 'all');
INSERT INTO territory.rule (node_id, object, name, criteria)
  SELECT l.node_id, 'account', 'rule ' || r.rule, r.criteria FROM rule_source AS r JOIN leaf AS l USING (rule) ORDER BY r.rule;
ANALYZE territory.rule;

-- the denominator of the pairs
CREATE TABLE bare_pair (LIKE account_territory INCLUDING ALL);

-- the accounts of as many worlds as the rules have
CREATE OR REPLACE VIEW account_of_world AS
SELECT id, name, of_world(country, even(id, 20, :worlds), :worlds) AS country, state, of_world(city, even(id, 20, :worlds), :worlds) AS city,
       postal_code, industry, employees, annual_revenue, segment, created_at, of_world(owner, even(id, 20, :worlds), :worlds) AS owner
FROM account_source;

-- which accounts match which rules, as SQL by hand: a hash join for each shape, by its two equalities, the rest as a filter
CREATE VIEW matching AS
SELECT a.id, f.rule
  FROM (SELECT DISTINCT rule, country, unnest(states) AS state, employees_from, employees_to FROM flat WHERE shape = 0) AS f
  JOIN account AS a ON a.country = f.country AND a.state = f.state AND a.employees BETWEEN f.employees_from AND f.employees_to
UNION ALL
SELECT a.id, f.rule
  FROM (SELECT DISTINCT rule, country, unnest(industries) AS industry, revenue_from FROM flat WHERE shape = 1) AS f
  JOIN account AS a ON a.country = f.country AND a.industry = f.industry AND a.annual_revenue >= f.revenue_from
UNION ALL
SELECT a.id, f.rule FROM flat AS f
  JOIN account AS a ON a.country = f.country AND left(a.postal_code, 3) = f.postal_prefix AND a.segment <> f.not_segment
 WHERE f.shape = 2
UNION ALL
SELECT a.id, f.rule FROM flat AS f
  JOIN account AS a ON a.city = f.city AND a.segment = f.segment AND a.employees < f.employees_below
 WHERE f.shape = 3
UNION ALL
SELECT a.id, f.rule FROM flat AS f
  JOIN account AS a ON a.owner = f.owner AND a.industry <> f.not_industry AND a.created_at >= f.created_from
 WHERE f.shape = 4;
