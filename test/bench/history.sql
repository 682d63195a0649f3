-- history.sql: accounts with one territory each, for the case history: n rows, 200 rules on one column
SELECT territory.detach(object) FROM territory.object WHERE object::text = 'held';
DROP TABLE IF EXISTS held, held_source;
CREATE TABLE held (id bigint PRIMARY KEY, name text, country int, employees int, revenue numeric, city text);
SELECT territory.attach('held');
INSERT INTO territory.node (path) SELECT 'Held'::territory.territory UNION ALL SELECT ('Held.' || i)::territory.territory FROM generate_series(1, 200) i ON CONFLICT DO NOTHING;
INSERT INTO territory.rule (node_id, object, criteria) SELECT territory.node_id(('Held.' || i)::territory.territory), 'held', 'country = ' || i FROM generate_series(1, 200) i;
CREATE TABLE held_source AS SELECT i AS id, 'account number ' || i AS name, 1 + even(i, 1, 200) AS country, leaning(i, 2, 10000) AS employees, even(i, 3, 1000000) * 0.5 AS revenue, 'city ' || even(i, 4, 500) AS city
  FROM generate_series(1, :n) i;
