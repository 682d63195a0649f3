-- accounts.sql: the accounts that the cases of rules work on, and an unattached table beside them. Variable: n (accounts).

CREATE FUNCTION segment(k int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (ARRAY['SMB', 'MM', 'ENT', 'GOV', 'EDU'])[1 + k];
CREATE FUNCTION country(k int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'C' || lpad(k::text, 2, '0');
CREATE FUNCTION state(k int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN 'S' || lpad(k::text, 2, '0');
CREATE FUNCTION day(k int) RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE
  RETURN timestamptz '2020-01-01 00:00+00' + k * interval '1 day';
-- one of so many worlds, which a value belongs to; with one world, the value as it is
CREATE FUNCTION of_world(value text, world int, worlds int) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN worlds = 1 THEN value ELSE value || '.' || world END;

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

-- the denominator: the same table, which nothing is attached to
CREATE TABLE bare (LIKE account INCLUDING ALL);
ANALYZE;
