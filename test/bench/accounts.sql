-- accounts.sql: the accounts and rules of the cases copy and run.
-- Variables: n (accounts), rules (rules).

CREATE FUNCTION segment(k int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (ARRAY['SMB', 'MM', 'ENT', 'GOV', 'EDU'])[1 + k];
CREATE FUNCTION country(k int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'C' || lpad(k::text, 2, '0');
CREATE FUNCTION state(k int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'S' || lpad(k::text, 2, '0');
CREATE FUNCTION day(k int) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  RETURN timestamptz '2020-01-01 00:00+00' + k * interval '1 day';

-- 118 bytes a row
CREATE TABLE account (
  id bigint PRIMARY KEY, name text, country text, state text, city text, postal_code text, industry text, employees int,
  annual_revenue numeric, segment text, created_at timestamptz, owner text
);

CREATE UNLOGGED TABLE account_source AS
SELECT i AS id, 'Account ' || i AS name, country(leaning(i, 1, 60)) AS country, state(even(i, 2, 50)) AS state,
       'City' || even(i, 3, 2000) AS city, lpad(even(i, 4, 100000)::text, 5, '0') AS postal_code,
       CASE WHEN unit(i, 15) >= 0.05 THEN 'Ind' || even(i, 5, 30) END AS industry,
       floor(exp(unit(i, 6) * 11.5))::int AS employees, round((exp(unit(i, 7) * 12) * 1000)::numeric, 2) AS annual_revenue,
       segment(even(i, 8, 5)) AS segment, day(even(i, 9, 2190)) AS created_at, 'owner' || even(i, 10, 500) AS owner
FROM generate_series(1::bigint, :n) AS i;

-- three criteria a rule, in five shapes: 40, 20, 20, 10 and 10 %
CREATE TABLE rule_source AS
SELECT i AS id,
  CASE (ARRAY[0, 0, 0, 0, 1, 1, 2, 2, 3, 4])[1 + even(i, 100, 10)]
    WHEN 0 THEN format('country = %L AND state IN (%L, %L, %L) AND employees BETWEEN %s AND %s', country(leaning(i, 102, 60)),
                       state(even(i, 103, 50)), state(even(i, 104, 50)), state(even(i, 105, 50)),
                       floor(exp(unit(i, 106) * 8)), floor(exp(unit(i, 106) * 8 + 2.5)))
    WHEN 1 THEN format('country = %L AND industry IN (%L, %L, %L) AND annual_revenue >= %s', country(leaning(i, 102, 60)),
                       'Ind' || even(i, 108, 30), 'Ind' || even(i, 109, 30), 'Ind' || even(i, 110, 30),
                       round((exp(unit(i, 111) * 12) * 1000)::numeric, 0))
    WHEN 2 THEN format('country = %L AND postal_code LIKE %L AND segment <> %L', country(leaning(i, 102, 60)),
                       lpad(even(i, 112, 1000)::text, 3, '0') || '%', segment(even(i, 113, 5)))
    WHEN 3 THEN format('city = %L AND segment = %L AND employees < %s', 'City' || even(i, 114, 2000), segment(even(i, 115, 5)),
                       floor(exp(4 + unit(i, 107) * 7)))
    WHEN 4 THEN format('owner = %L AND industry <> %L AND created_at >= %L::timestamptz', 'owner' || even(i, 116, 500),
                       'Ind' || even(i, 117, 30), day(even(i, 118, 2190)))
  END AS criteria
FROM generate_series(1::bigint, :rules) AS i;

-- a tree of 4 levels whose leaves are the territories, one a rule: so the pairs are the matches
INSERT INTO territory.node (path) VALUES ('World');
INSERT INTO territory.node (path) SELECT ('World.R' || i)::territory.territory FROM generate_series(0, 9) AS i;
INSERT INTO territory.node (path) SELECT ('World.R' || i % 10 || '.A' || i)::territory.territory FROM generate_series(0, 99) AS i;
INSERT INTO territory.node (path)
  SELECT ('World.R' || id % 10 || '.A' || id % 100 || '.T' || id)::territory.territory FROM rule_source;
SELECT territory.attach('account', mode => 'all');
INSERT INTO territory.rule (node_id, object, name, criteria)
  SELECT n.id, 'account', 'rule ' || r.id, r.criteria FROM rule_source AS r JOIN territory.node AS n ON n.name = 'T' || r.id;

-- the denominators: the same tables, which nothing is attached to
CREATE TABLE bare (LIKE account INCLUDING ALL);
CREATE TABLE bare_pair (LIKE account_territory INCLUDING ALL);
ANALYZE;
