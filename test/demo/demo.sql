-- demo.sql: one company's territories from nothing to a roll-up, in ten steps and two screens (make demo).
-- Can be run in any empty database of a server that has the extension: psql -f demo.sql

\set QUIET on
\set ON_ERROR_STOP on
\pset footer off
\pset null -
SET client_min_messages = warning;

\echo
\echo 1. An account table full of rows, as any CRM has one
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
CREATE TABLE deal (id int PRIMARY KEY, account_id bigint, seller text, amount numeric, stage text);
CREATE INDEX ON deal (account_id);
ANALYZE account;

\set ECHO queries
SELECT * FROM account ORDER BY id LIMIT 3;
\set ECHO none

\echo 2. A tree of territories; the table is attached; rules say in SQL what belongs where
\set ECHO queries
CREATE EXTENSION territory;
SET search_path = public, territory;   -- for operators such as <@
INSERT INTO node (path) VALUES
  ('EMEA'), ('EMEA.Benelux'), ('EMEA.Benelux.Key accounts'), ('EMEA.DACH'), ('EMEA.DACH.Factories'), ('Americas');
\pset tuples_only on
SELECT attach('account');
\pset tuples_only off
INSERT INTO rule (node_id, object, name, criteria) SELECT node_id(path::territory), 'account', name, criteria FROM (VALUES
  ('EMEA.Benelux',              'Benelux',   $$country IN ('NL', 'BE', 'LU')$$),
  ('EMEA.Benelux.Key accounts', 'Big',       $$employees >= 5000$$),
  ('EMEA.DACH',                 'German',    $$country IN ('DE', 'AT', 'CH')$$),
  ('EMEA.DACH.Factories',       'Factories', $$industry = 'Manufacturing' AND employees >= 100$$),
  ('Americas',                  'American',  $$country IN ('US', 'CA')$$)) AS r (path, name, criteria);
\set ECHO none

\echo
\echo 3. The accounts have found their territories, the deepest that match (the row without a path: those that have none)
\set ECHO queries
SELECT path, records AS accounts FROM coverage WHERE records > 0;
\set ECHO none

\echo 4. An INSERT finds its territory, an UPDATE moves it, in the same transaction
CREATE VIEW stands AS
SELECT a.id, a.name, n.path FROM account a JOIN account_territory t USING (id) JOIN node n ON n.id = t.node_id;
\pset tuples_only on
\set ECHO queries
INSERT INTO account VALUES (10001, 'Tulip Works', 'NL', null, 'Leiden', 'Manufacturing', 50, 4000000);
SELECT * FROM stands WHERE id = 10001;
UPDATE account SET country = 'DE', city = 'Cologne' WHERE id = 10001;
SELECT * FROM stands WHERE id = 10001;
\set ECHO none

\echo 5. Why is it in DACH and no factory, and what would make it a key account?
\pset format unaligned
\set ECHO queries
SELECT * FROM explain_text('account', '10001', 'EMEA.DACH.Factories');
\set ECHO none
\pset tuples_only off
\pset format aligned
\set ECHO queries
SELECT column_name, value, becomes, suggestion, path, rule FROM why_not('account', '10001', 'EMEA.Benelux.Key accounts');
\set ECHO none

\echo 6. A rule changes: the accounts that it concerns move, and no others
CREATE TEMP TABLE before AS SELECT node_id, count(*) AS accounts FROM account_territory GROUP BY node_id;
\set ECHO queries
UPDATE rule SET criteria = $$industry IN ('Manufacturing', 'Energy') AND employees >= 20$$ WHERE name = 'Factories';
\set ECHO none
SELECT n.path, b.accounts AS before, a.accounts AS after
FROM before AS b JOIN (SELECT node_id, count(*) AS accounts FROM account_territory GROUP BY node_id) AS a USING (node_id)
  JOIN node AS n ON n.id = node_id
WHERE n.path <@ 'EMEA.DACH'
ORDER BY n.path;

\echo 7. A deal has one of the territories of its account: of several, the one where its owner works
\pset tuples_only on
\pset format unaligned
\set ECHO queries
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id', owner => 'seller', category => 'stage');
INSERT INTO member (node_id, member) VALUES (node_id('EMEA.DACH.Factories'), 'ann'), (node_id('Americas'), 'bob');
INSERT INTO deal VALUES (1, 10001, 'ann', 90000, 'pipeline');
SELECT assign('account', '10001', 'Americas');   -- by hand: a second territory for the account
SELECT * FROM explain_text('deal', '1');
\set ECHO none

\echo
\echo 8. The account is taken out of Factories, by hand; the deal follows: now two territories tie for it. What would decide?
\set ECHO queries
SELECT exclude('account', '10001', 'EMEA.DACH.Factories', note => 'makes nothing there');
SELECT * FROM explain_text('account', '10001', 'EMEA.DACH.Factories');
SELECT * FROM explain_text('deal', '1');
\set ECHO none
\pset tuples_only off
\pset format aligned
\set ECHO queries
SELECT of_object, of_key, column_name, value, becomes, reason, path FROM why_not('deal', '1', 'Americas');
SELECT path, cause, actor, end_cause FROM record_history('account', '10001') ORDER BY during;
\set ECHO none

\echo 9. Revenue rolls up the tree (who stands in two territories counts in both)
\set ECHO queries
SELECT path, own_sum AS own_revenue, total_sum AS revenue, total_count AS accounts FROM each((
  SELECT rollup(n.path, a.annual_revenue) FROM account a JOIN account_territory t USING (id) JOIN node n ON n.id = t.node_id));
\set ECHO none

\echo 10. Proof: what is stored is what a brute-force evaluation of every rule as plain SQL gives
\pset tuples_only on
\set ECHO queries
SELECT (SELECT count(*) FROM verify('account')) + (SELECT count(*) FROM verify('deal')) AS differences;
\set ECHO none

\echo 'That is all. README.md goes on with the tasks: trees, rules, modes, exclusions, runs, models, backups.'
