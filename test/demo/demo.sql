-- demo.sql: one company's territories from nothing to a roll-up, in ten steps (make demo).
-- Can be run in any empty database of a server that has the extension: psql -f demo.sql

\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null -
SET client_min_messages = warning;

\echo
\echo 1. An account table full of rows, as any CRM has one
\echo
-- deterministic: every value is a hash of the row's number
CREATE TABLE account (
  id bigint PRIMARY KEY,
  name text NOT NULL,
  country text,
  state text,
  city text,
  industry text,
  employees int,
  annual_revenue numeric
);
WITH number AS (
  SELECT i, hashint8extended(i, 1) & 1048575 AS a, hashint8extended(i, 2) & 1048575 AS b, hashint8extended(i, 3) & 1048575 AS c,
         hashint8extended(i, 4) & 1048575 AS d
  FROM generate_series(1, 10000) AS i
), place (n, country, state, city) AS (
  VALUES (0, 'NL', null, 'Amsterdam'), (1, 'NL', null, 'Utrecht'), (2, 'BE', null, 'Antwerp'), (3, 'BE', null, 'Ghent'),
         (4, 'DE', null, 'Berlin'), (5, 'DE', null, 'Munich'), (6, 'DE', null, 'Hamburg'), (7, 'AT', null, 'Vienna'),
         (8, 'CH', null, 'Zurich'), (9, 'FR', null, 'Paris'), (10, 'FR', null, 'Lyon'), (11, 'US', 'CA', 'San Diego'),
         (12, 'US', 'CA', 'Oakland'), (13, 'US', 'WA', 'Seattle'), (14, 'US', 'NY', 'Albany'), (15, 'US', 'MA', 'Boston'),
         (16, 'US', 'TX', 'Austin'), (17, 'US', 'IL', 'Chicago'), (18, 'CA', 'ON', 'Toronto'), (19, 'JP', null, 'Osaka')
)
INSERT INTO account
SELECT number.i,
       (ARRAY['Blue', 'North', 'Bright', 'Royal', 'Green', 'First', 'Silver', 'Open'])[1 + b % 8] || ' '
       || (ARRAY['River', 'Harbour', 'Field', 'Bridge', 'Tower', 'Forest', 'Stone', 'Market'])[1 + c % 8] || ' ' || number.i,
       country, state, city,
       (ARRAY['Manufacturing', 'Software', 'Retail', 'Finance', 'Health', 'Energy', 'Logistics', 'Education'])[1 + d % 8],
       floor(exp(b / 1048576.0 * 10.0))::int,
       round((exp(c / 1048576.0 * 9.0) * 1000)::numeric, -2)
FROM number JOIN place ON place.n = a % 20;
ANALYZE account;

\set ECHO queries
SELECT * FROM account ORDER BY id LIMIT 5;
\set ECHO none

\echo
\echo 2. A tree of territories
\echo
\set ECHO queries
CREATE EXTENSION territory;
SET search_path = public, territory;   -- for operators such as <@

INSERT INTO territory.node (path) VALUES
  ('EMEA'), ('EMEA.Benelux'), ('EMEA.Benelux.Netherlands'), ('EMEA.Benelux.Belgium'), ('EMEA.Benelux.Key accounts'),
  ('EMEA.DACH'), ('EMEA.DACH.Manufacturing'), ('EMEA.France'),
  ('Americas'), ('Americas.Canada'), ('Americas.US'), ('Americas.US.West'), ('Americas.US.East'), ('Americas.US.Central');
\set ECHO none

\echo
\echo 3. The table is attached, and ten rules say in SQL what belongs where
\echo
\set ECHO queries
SELECT territory.attach('account');

INSERT INTO territory.rule (node_id, object, name, criteria) VALUES
  (territory.node_id('EMEA.Benelux.Netherlands'),  'account', 'Dutch',           $$country = 'NL'$$),
  (territory.node_id('EMEA.Benelux.Belgium'),      'account', 'Belgian',         $$country = 'BE'$$),
  (territory.node_id('EMEA.Benelux.Key accounts'), 'account', 'Big in Benelux',  $$country IN ('NL', 'BE', 'LU') AND employees >= 5000$$),
  (territory.node_id('EMEA.DACH'),                 'account', 'German-speaking', $$country IN ('DE', 'AT', 'CH')$$),
  (territory.node_id('EMEA.DACH.Manufacturing'),   'account', 'Factories',       $$industry = 'Manufacturing' AND employees >= 100$$),
  (territory.node_id('EMEA.France'),               'account', 'French',          $$country = 'FR'$$),
  (territory.node_id('Americas.Canada'),           'account', 'Canadian',        $$country = 'CA'$$),
  (territory.node_id('Americas.US.West'),          'account', 'West coast',      $$country = 'US' AND state IN ('CA', 'OR', 'WA')$$),
  (territory.node_id('Americas.US.East'),          'account', 'East coast',      $$country = 'US' AND state IN ('NY', 'MA', 'FL')$$),
  (territory.node_id('Americas.US.Central'),       'account', 'Central',         $$country = 'US' AND state IN ('TX', 'IL')$$);
\set ECHO none

\echo
\echo 4. Who got what: the accounts found their territories by themselves
\echo
\set ECHO queries
SELECT n.path, count(*) AS accounts
FROM account_territory AS a JOIN territory.node AS n ON n.id = a.node_id
GROUP BY n.path
ORDER BY n.path;
\set ECHO none
\echo '(Japan is nobody''s; a big Dutch account is in Netherlands and in Key accounts;'
\echo ' a German factory is in DACH.Manufacturing only, the deepest territory that matches;'
\echo ' a French one is not, because it does not match EMEA.DACH above.)'

\echo
\echo 5. An insert finds its territory in the same transaction
\echo
\set ECHO queries
INSERT INTO account VALUES (10001, 'Tulip Works', 'NL', null, 'Leiden', 'Manufacturing', 250, 4000000);

SELECT a.id, a.name, n.path
FROM account AS a JOIN account_territory AS t USING (id) JOIN territory.node AS n ON n.id = t.node_id
WHERE a.id = 10001;
\set ECHO none

\echo
\echo 6. An update moves it
\echo
\set ECHO queries
UPDATE account SET country = 'DE', city = 'Cologne' WHERE id = 10001;

SELECT a.id, a.name, n.path
FROM account AS a JOIN account_territory AS t USING (id) JOIN territory.node AS n ON n.id = t.node_id
WHERE a.id = 10001;
\set ECHO none

\echo
\echo 7. A rule changes, and the accounts it concerns move with it
\echo
CREATE TEMP TABLE before AS
SELECT node_id, count(*) AS accounts FROM account_territory GROUP BY node_id;
\set ECHO queries
UPDATE territory.rule SET criteria = $$industry IN ('Manufacturing', 'Energy') AND employees >= 20$$
WHERE name = 'Factories';
\set ECHO none
\echo
SELECT n.path, b.accounts AS before, a.accounts AS after
FROM before AS b JOIN (SELECT node_id, count(*) AS accounts FROM account_territory GROUP BY node_id) AS a USING (node_id)
  JOIN territory.node AS n ON n.id = node_id
WHERE n.path <@ 'EMEA.DACH'
ORDER BY n.path;

\echo
\echo 8. Why is Tulip Works where it is, and why is it not elsewhere in EMEA?
\echo
\set ECHO queries
SELECT path, rule, criterion, value, result, decision, because
FROM territory.explain('account', '10001') WHERE path <@ 'EMEA';
\set ECHO none

\echo
\echo 9. Revenue rolls up the tree (Key accounts overlaps its neighbours and is left out, so that nothing counts twice)
\echo
\set ECHO queries
SELECT e.path, e.own_sum AS own_revenue, e.total_sum AS revenue, e.total_count AS accounts
FROM territory.each((
  SELECT territory.rollup(n.path, a.annual_revenue)
  FROM account AS a JOIN account_territory AS t USING (id) JOIN territory.node AS n ON n.id = t.node_id
  WHERE n.name <> 'Key accounts')) AS e
ORDER BY e.path;
\set ECHO none

\echo
\echo 10. Proof: what is stored is what a brute-force evaluation of every rule as plain SQL gives
\echo
\set ECHO queries
SELECT count(*) AS differences FROM territory.verify('account');
\set ECHO none

\echo 'That is all. README.md goes on with the tasks: trees, rules, modes, exclusions, runs, models, backups.'
\echo
