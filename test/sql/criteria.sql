-- what criteria may say: each expression assigns exactly the records that it selects in plain SQL's WHERE
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_criteria;
CREATE TYPE reg_criteria.tier AS ENUM ('bronze', 'silver', 'gold');
CREATE DOMAIN reg_criteria.postcode AS text CHECK (VALUE ~ '^[0-9]{4}');
CREATE DOMAIN reg_criteria.headcount AS int CHECK (VALUE >= 0);
CREATE TYPE reg_criteria.address AS (street text, city text);
CREATE TABLE reg_criteria.t (
  id int PRIMARY KEY, country text, "Mixed Case" text, "select" int, name varchar(40), code char(4),
  employees int, small smallint, big bigint, revenue numeric(14,2), score float8, ratio real,
  active bool, tags text[], numbers int[], doc jsonb, since date, seen timestamptz, local timestamp, at time, lasts interval,
  tier reg_criteria.tier, zip reg_criteria.postcode, heads reg_criteria.headcount, place territory.territory, addr reg_criteria.address,
  ref uuid, ip inet, during daterange, latin text COLLATE "C", bits bit(4), raw bytea,
  total numeric GENERATED ALWAYS AS (revenue * 2) STORED);
INSERT INTO reg_criteria.t
SELECT i, (ARRAY['NL', 'BE', 'DE', 'fr', '', NULL])[1 + i % 6], 'M' || i % 4, i % 5, 'name ' || i, 'c' || i % 3,
       i * 37 % 1000, i % 7 - 3, CASE i % 4 WHEN 0 THEN 9007199254740993 WHEN 1 THEN i WHEN 2 THEN -1 END, i * 10.50, CASE i % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN 0.1 WHEN 3 THEN -0.0 ELSE i END, i / 8.0,
       CASE i % 3 WHEN 0 THEN true WHEN 1 THEN false END, CASE i % 4 WHEN 0 THEN '{}' WHEN 1 THEN ARRAY['vip', 'x' || i % 2] WHEN 2 THEN ARRAY['x', NULL] END, ARRAY[i % 3, i % 5],
       CASE i % 4 WHEN 0 THEN '{"a": {"b": 1}, "k": "v"}'::jsonb WHEN 1 THEN '{"a": [1,2,3]}' WHEN 2 THEN 'null' END,
       date '2026-01-01' + i * 10, timestamptz '2026-03-28 20:00+00' + i * interval '3 hours', timestamp '2026-03-28 20:00' + i * interval '3 hours', time '00:00' + i * interval '25 minutes', i * interval '13 hours',
       (ARRAY['bronze', 'silver', 'gold', NULL])[1 + i % 4]::reg_criteria.tier, (1000 + i)::text, i % 9, CASE i % 3 WHEN 0 THEN 'EMEA.NL' WHEN 1 THEN 'EMEA' ELSE 'AMER' END::territory.territory, ROW('s', 'city' || i % 3)::reg_criteria.address,
       lpad(i::text, 32, '0')::uuid, ('10.0.' || i % 4 || '.1')::inet, daterange('2026-01-01', date '2026-01-01' + i), CASE i % 4 WHEN 0 THEN 'É' WHEN 1 THEN 'e' WHEN 2 THEN 'Z' ELSE 'i' END, (i % 16)::bit(4), decode(lpad(to_hex(i), 2, '0'), 'hex')
  FROM generate_series(1, 48) i;
-- a few extremes
INSERT INTO reg_criteria.t (id, revenue, big, small, employees, seen, since, score) VALUES
  (100, 'NaN', 9223372036854775807, 32767, 2147483647, 'infinity', 'infinity', '-Infinity'), (101, NULL, -9223372036854775808, -32768, -2147483648, '-infinity', '-infinity', NULL), (102, 0.00, 0, 0, 0, NULL, NULL, 0);
SELECT territory.attach('reg_criteria.t', mode => 'all');
CREATE TABLE reg_criteria.expression (id int GENERATED ALWAYS AS IDENTITY, criteria text);
INSERT INTO reg_criteria.expression (criteria) VALUES
-- equality, IN, NULL
($$country = 'NL'$$), ($$'NL' = country$$), ($$country <> 'NL'$$), ($$country IN ('NL', 'BE')$$), ($$country NOT IN ('NL', 'BE')$$),
($$country IN ('NL', NULL)$$), ($$country NOT IN ('NL', NULL)$$), ($$country = NULL$$), ($$country <> NULL$$), ($$country IS NULL$$), ($$country IS NOT NULL$$),
($$country = ''$$), ($$country = ANY ('{}')$$), ($$country <> ALL ('{}')$$), ($$country = ANY (ARRAY['NL', 'DE'])$$), ($$country = ANY ('{NL,NULL}')$$), ($$country <> ALL (ARRAY['NL', 'DE'])$$), ($$country <> ALL ('{NL,NULL}')$$), ($$country <> ANY (ARRAY['NL', 'DE'])$$), ($$country = ALL (ARRAY['NL', 'NL'])$$), ($$country = ALL ('{}')$$),
($$NOT country IN ('NL', 'BE')$$), ($$NOT (country = 'NL')$$), ($$NOT (country <> 'NL')$$), ($$country IS DISTINCT FROM 'NL'$$), ($$country IS NOT DISTINCT FROM 'NL'$$), ($$country IS NOT DISTINCT FROM NULL$$), ($$(country = 'NL') IS NOT TRUE$$), ($$(country = 'NL') IS UNKNOWN$$), ($$(country = 'NL') IS FALSE$$), ($$(country = 'NL') IS NULL$$),
($$country = 'NL' OR country = 'BE' OR country = 'NL'$$), ($$country = 'NL' AND country = 'BE'$$), ($$country = 'NL' AND NULL$$), ($$country = 'NL' OR NULL$$), ($$NULL$$), ($$true$$), ($$false$$), ($$NOT NULL::bool$$),
($$country || '' = 'NL'$$), ($$lower(country) = 'nl'$$), ($$upper(country) IN ('FR', 'NL')$$), ($$country < 'DE'$$), ($$country >= 'DE' AND country < 'O'$$), ($$country BETWEEN 'BE' AND 'NL'$$), ($$country NOT BETWEEN 'BE' AND 'NL'$$), ($$country BETWEEN SYMMETRIC 'NL' AND 'BE'$$), ($$length(country) = 2$$),
-- names
($$"Mixed Case" = 'M1'$$), ($$"select" = 3 AND t."Mixed Case" <> 'M1'$$), ($$reg_criteria.t."select" IN (1, 2)$$), ($$COUNTRY = 'NL'$$),
-- patterns
($$name LIKE 'name 1%'$$), ($$name NOT LIKE 'name 1%'$$), ($$name ILIKE 'NAME 2_'$$), ($$name LIKE '%5'$$), ($$name LIKE 'name\_1' ESCAPE '\'$$), ($$name SIMILAR TO 'name (1|2)_'$$), ($$name ~ '^name [1-3]$'$$), ($$name !~ '3$'$$), ($$name ~* 'NAME .{2}$'$$), ($$starts_with(name, 'name 4')$$), ($$name ^@ 'name 4'$$), ($$name LIKE ANY (ARRAY['%1', '%2'])$$), ($$country LIKE ''$$), ($$country LIKE NULL$$),
($$code = 'c1'$$), ($$code = 'c1  '$$), ($$code IN ('c1', 'c2')$$), ($$code LIKE 'c1'$$), ($$code::text = 'c1'$$), ($$name = 'name 7'::text$$), ($$name::char(6) = 'name 7'$$),
-- numbers of one width and another
($$employees = 500$$), ($$employees > 500$$), ($$employees >= 500 AND employees < 600$$), ($$500 < employees$$), ($$employees <> 37$$), ($$employees BETWEEN 100 AND 300$$), ($$employees IN (37, 74, 111)$$), ($$employees NOT IN (37, 74, 111)$$), ($$employees = 37::smallint$$), ($$employees = 37::bigint$$), ($$employees = 37.0$$), ($$employees = 37.5$$), ($$employees > 36.5 AND employees < 74.5$$), ($$employees = 37::float8$$), ($$employees IN (37, 3000000000)$$), ($$employees < 3000000000$$), ($$employees > -3000000000$$), ($$employees IN (37::bigint, 74::bigint)$$), ($$employees = ANY (ARRAY[37, 74]::smallint[])$$), ($$employees = '37'$$),
($$small = 3$$), ($$small = 100000$$), ($$small < 100000$$), ($$small > 2$$), ($$small = -3::bigint$$), ($$small IN (1, 2, 100000)$$), ($$small = '3'$$), ($$small BETWEEN -40000 AND 40000$$), ($$abs(small::int) = 3$$), ($$small * 2 > employees$$),
($$big = 5$$), ($$big = 9007199254740993$$), ($$big = 9007199254740992$$), ($$big = 9007199254740993::float8$$), ($$big > 9007199254740992$$), ($$big = -1$$), ($$big IN (1, 5, 9)$$), ($$big = 5::smallint$$), ($$big <= 2147483647$$), ($$big = 9223372036854775807$$), ($$big = employees$$), ($$big = 5.0$$),
($$revenue = 105$$), ($$revenue = 105.0$$), ($$revenue = 105.000$$), ($$revenue IN (105, 210.50, 21)$$), ($$revenue > 400.505$$), ($$revenue = 'NaN'$$), ($$revenue >= 'NaN'$$), ($$revenue < 'Infinity'$$), ($$revenue < 100::float8$$), ($$trunc(revenue) = 105$$), ($$total > 500$$), ($$round(revenue, -2) = 100$$),
($$score = 0.1$$), ($$score = 'NaN'$$), ($$score <> 'NaN'$$), ($$score = 0$$), ($$score = -0.0$$), ($$score > 1e308$$), ($$score >= 'NaN'$$), ($$score < 0$$), ($$score IN ('NaN', 0)$$), ($$score = '-Infinity'$$), ($$ratio = 0.1$$), ($$ratio = 0.125$$), ($$ratio::float8 = 0.125$$), ($$ratio < 1$$),
($$employees / nullif("select", 0) > 100$$), ($$employees % 2 = 0 AND employees & 4 = 4$$), ($$mod(employees, 10) IN (1, 3, 7)$$), ($$power(employees, 2) > 250000$$), ($$greatest(employees, small, 500) = 500$$), ($$least(employees, 500) < 500$$),
-- booleans
($$active$$), ($$NOT active$$), ($$active = true$$), ($$active IS TRUE$$), ($$active IS NOT TRUE$$), ($$active IS UNKNOWN$$), ($$active IS NOT FALSE$$), ($$active <> (country = 'NL')$$), ($$active IN (true)$$), ($$active OR country = 'NL'$$), ($$active AND NOT country = 'NL'$$),
-- CASE and its like
($$CASE WHEN country = 'NL' THEN employees > 100 WHEN country = 'BE' THEN employees > 500 ELSE false END$$), ($$CASE country WHEN 'NL' THEN true END$$), ($$coalesce(country, 'NL') = 'NL'$$), ($$nullif(country, '') IS NULL$$), ($$coalesce(active, false)$$), ($$(CASE WHEN small > 0 THEN 'pos' ELSE 'neg' END) = 'pos'$$), ($$CASE WHEN "select" <> 0 THEN 10 / "select" > 3 END$$),
-- rows, arrays, jsonb, composite
($$(country, employees) = ('NL', 222)$$), ($$(country, employees) >= ('DE', 100)$$), ($$(country, "select") IN (('NL', 1), ('BE', 2), ('DE', 3))$$), ($$(country, active) IS NULL$$), ($$ROW(country, employees) IS NOT DISTINCT FROM ROW('NL', 222)$$),
($$tags @> '{vip}'$$), ($$tags && ARRAY['x', 'x1']$$), ($$'vip' = ANY (tags)$$), ($$'vip' <> ALL (tags)$$), ($$tags <@ ARRAY['vip', 'x0']$$), ($$cardinality(tags) = 0$$), ($$tags[1] = 'vip'$$), ($$tags = '{}'$$), ($$array_length(tags, 1) IS NULL$$), ($$tags[2] IS NULL$$), ($$numbers[1:1] = '{1}'$$), ($$numbers @> ARRAY[2]$$), ($$employees % 3 = ANY (numbers)$$), ($$array_position(tags, 'vip') = 1$$),
($$doc @> '{"a": {"b": 1}}'$$), ($$doc ? 'k'$$), ($$doc ->> 'k' = 'v'$$), ($$doc -> 'a' ->> 'b' = '1'$$), ($$(doc #>> '{a,b}')::int = 1$$), ($$doc['a']['b'] = '1'$$), ($$doc @? '$.a[*] ? (@ > 2)'$$), ($$jsonb_typeof(doc) = 'null'$$), ($$doc IS NULL$$), ($$doc = 'null'$$), ($$doc ?| ARRAY['k', 'z']$$),
($$(addr).city = 'city1'$$), ($$(addr).city IS NULL$$), ($$addr IS NULL$$),
-- date and time
($$since >= '2026-06-01'$$), ($$since = date '2026-02-10'$$), ($$since BETWEEN '2026-03-01' AND '2026-05-01'$$), ($$since > current_date - 36500$$), ($$since < now()$$), ($$since = 'infinity'$$), ($$extract(year FROM since) = 2026 AND extract(month FROM since) = 4$$), ($$date_trunc('month', local) = timestamp '2026-04-01'$$), ($$extract(doy FROM since) < 30$$), ($$since IN ('2026-01-11', '2026-01-21')$$), ($$isfinite(since)$$), ($$since = '2026-02-10 00:00'::timestamp$$), ($$since < timestamptz '2026-03-01 00:00+00'$$),
($$seen >= timestamptz '2026-03-29 12:00'$$), ($$seen < '2026-03-29 03:30'$$), ($$seen::date = '2026-03-29'$$), ($$seen = '-infinity'$$), ($$extract(hour FROM seen) = 5$$), ($$to_char(seen, 'YYYY-MM-DD HH24') = '2026-03-29 05'$$), ($$seen AT TIME ZONE 'UTC' > timestamp '2026-03-31 00:00'$$), ($$seen > local$$), ($$seen + interval '1 day' > timestamptz '2026-04-01 00:00+00'$$), ($$seen > now() - interval '100 years'$$), ($$local::timestamptz > '2026-03-30'$$), ($$seen::text LIKE '2026-03-29%'$$), ($$age(local, timestamp '2026-03-01') > interval '30 days'$$),
($$at < '12:00'$$), ($$at BETWEEN '08:00' AND '18:00'$$), ($$lasts > interval '5 days'$$), ($$lasts = '26 hours'$$), ($$lasts = '1 day 2 hours'$$), ($$lasts IN ('13:00', '26:00')$$),
-- enums, domains, other types
($$tier = 'gold'$$), ($$tier > 'bronze'$$), ($$tier IN ('gold', 'silver')$$), ($$tier <> 'gold'$$), ($$tier IS NULL$$), ($$zip = '1007'$$), ($$zip BETWEEN '1010' AND '1019'$$), ($$zip LIKE '102%'$$), ($$left(zip, 3) = '101'$$), ($$zip::int > 1040$$), ($$heads = 3$$), ($$heads > 5::bigint$$), ($$heads IN (1, 2)$$), ($$heads + 1 = 3$$),
($$place <@ 'EMEA'$$), ($$place = 'EMEA.NL'$$), ($$place @> 'EMEA.NL.North'$$), ($$place IN ('EMEA', 'AMER')$$), ($$nlevel(place) = 2$$), ($$place <@ ANY (ARRAY['EMEA', 'AMER']::territory[])$$), ($$label(place) = 'NL'$$), ($$place > 'B'$$), ($$place::text = 'EMEA'$$),
($$ref = '00000000000000000000000000000007'$$), ($$ref > '00000000-0000-0000-0000-000000000040'$$), ($$ip << '10.0.1.0/24'$$), ($$ip = '10.0.2.1'$$), ($$during @> date '2026-01-20'$$), ($$upper(during) > '2026-02-01'$$), ($$isempty(during)$$), ($$bits = B'0011'$$), ($$bits & B'0001' = B'0001'$$), ($$raw = '\x07'$$), ($$md5(name) < '8'$$),
-- collations
($$latin < 'a'$$), ($$latin COLLATE "POSIX" = 'e'$$), ($$latin > 'Z' COLLATE "C"$$), ($$country COLLATE "C" < 'a'$$), ($$lower(latin COLLATE "C") = 'e'$$), ($$latin IN ('e', 'Z')$$), ($$latin ILIKE 'é'$$),
-- long ones
($$country IN ('NL', 'BE') AND (employees >= 500 OR name ILIKE 'name 1%') AND zip BETWEEN '1000' AND '1099'$$), ($$NOT (NOT (country = 'NL') AND NOT (employees > 500))$$), ($$NOT (country = 'NL' AND (employees > 500 OR active))$$), ($$NOT (country = 'NL' OR (employees > 500 AND NOT active))$$), ($$(country = 'NL' OR employees > 900) AND (active OR small = 0 OR tier = 'gold')$$), ($$country = 'NL' AND country IN ('NL', 'BE') AND country <> 'BE' AND country > 'A'$$), ($$employees > 100 AND employees > 500 AND employees < 800 AND employees <= 700$$),
($$  country
   =   'NL' -- a comment
$$), ($$/* another */ country = 'NL'$$), ($$(((country = 'NL')))$$), ($$country = E'N\x4c'$$), ($$country = U&'\004eL'$$), ($$country = $q$NL$q$ $$);

INSERT INTO territory.node (path) VALUES ('Criteria');
INSERT INTO territory.node (path) SELECT ('Criteria.' || id)::territory FROM reg_criteria.expression;
-- one by one, so that a refused one does not hide the others
CREATE FUNCTION reg_criteria.write_rules() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
  e reg_criteria.expression;
BEGIN
  FOR e IN SELECT * FROM reg_criteria.expression ORDER BY id LOOP
    BEGIN
      INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (territory.node_id(('Criteria.' || e.id)::territory), 'reg_criteria.t', e.id, e.criteria);
    EXCEPTION WHEN OTHERS THEN
      RETURN NEXT e.criteria || ': ' || sqlerrm;
    END;
  END LOOP;
END $$;
-- the criteria are read and evaluated under the model's settings, so that is where plain SQL is asked
CREATE FUNCTION reg_criteria.differences() RETURNS TABLE (criteria text, stored int[], sql int[]) LANGUAGE plpgsql AS $$
DECLARE
  e reg_criteria.expression;
BEGIN
  FOR e IN SELECT * FROM reg_criteria.expression ORDER BY id LOOP
    criteria := e.criteria;
    stored := ARRAY(SELECT a.id FROM reg_criteria.t_territory a WHERE a.node_id = territory.node_id(('Criteria.' || e.id)::territory) ORDER BY 1);
    PERFORM set_config('TimeZone', m.time_zone, true), set_config('DateStyle', m.date_style, true) FROM territory.model m WHERE m.state = 'active';
    EXECUTE format(E'SELECT ARRAY(SELECT id FROM reg_criteria.t WHERE (%s\n) ORDER BY 1)', e.criteria) INTO sql;
    IF stored IS DISTINCT FROM sql THEN RETURN NEXT; END IF;
  END LOOP;
END $$;
UPDATE territory.model SET time_zone = 'Europe/Amsterdam' WHERE state = 'active';
-- written under other settings than the model's
SET TimeZone = 'Pacific/Kiritimati';
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'sql_standard';
SELECT reg_criteria.write_rules();
SELECT count(*) FROM territory.rule WHERE object = 'reg_criteria.t'::regclass;
SELECT * FROM reg_criteria.differences();
SELECT * FROM territory.verify('reg_criteria.t');
-- the trigger agrees, in a batch
CREATE TABLE reg_criteria.copy AS SELECT * FROM reg_criteria.t;
ALTER TABLE reg_criteria.copy DROP COLUMN total;
CREATE FUNCTION reg_criteria.reload(rows_at_once bool) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  names text := (SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'reg_criteria.copy'::regclass AND attnum > 0 AND NOT attisdropped);
  i int;
BEGIN
  DELETE FROM reg_criteria.t;
  IF rows_at_once THEN
    EXECUTE format('INSERT INTO reg_criteria.t (%1$s) SELECT %1$s FROM reg_criteria.copy', names);
  ELSE
    FOR i IN SELECT id FROM reg_criteria.copy LOOP
      EXECUTE format('INSERT INTO reg_criteria.t (%1$s) SELECT %1$s FROM reg_criteria.copy WHERE id = $1', names) USING i;
    END LOOP;
  END IF;
END $$;
SET TimeZone = 'America/St_Johns';
SET DateStyle = 'German';
SELECT reg_criteria.reload(true);
SELECT * FROM reg_criteria.differences();
-- and one by one
SELECT reg_criteria.reload(false);
SELECT * FROM reg_criteria.differences();
-- so does an update of every column
UPDATE reg_criteria.t SET country = NULL, name = NULL, employees = NULL, revenue = NULL, score = NULL, tags = NULL, doc = NULL, since = NULL, seen = NULL, place = NULL, tier = NULL;
SELECT * FROM reg_criteria.differences();
UPDATE reg_criteria.t t SET country = c.country, name = c.name, employees = c.employees, revenue = c.revenue, score = c.score, tags = c.tags, doc = c.doc, since = c.since, seen = c.seen, place = c.place, tier = c.tier
  FROM reg_criteria.copy c WHERE c.id = t.id;
SELECT * FROM reg_criteria.differences();
-- so does match()
SELECT count(*) FROM reg_criteria.t t CROSS JOIN LATERAL territory.match('reg_criteria.t', t) m
  FULL JOIN reg_criteria.t_territory a ON a.id = t.id AND a.node_id = m.node_id WHERE a.rule_id IS DISTINCT FROM m.rule_id;
-- and run, which has nothing to do
SELECT * FROM territory.run('reg_criteria.t');
RESET TimeZone;
RESET DateStyle;
RESET IntervalStyle;
SELECT * FROM reg_criteria.differences();
-- all rules at once
UPDATE territory.rule SET active = false WHERE object = 'reg_criteria.t'::regclass;
SELECT count(*) FROM reg_criteria.t_territory;
UPDATE territory.rule SET active = true WHERE object = 'reg_criteria.t'::regclass;
SELECT * FROM reg_criteria.differences();
-- the qualified form means the same when it is written as criteria itself
UPDATE territory.rule SET criteria = expression WHERE object = 'reg_criteria.t'::regclass;
SELECT * FROM reg_criteria.differences();
SELECT * FROM territory.verify('reg_criteria.t');
-- the model's time zone is another: what depends on it follows (but a timestamptz that was written without zone is a point in time since)
UPDATE territory.model SET time_zone = 'Asia/Tokyo' WHERE state = 'active';
SELECT * FROM reg_criteria.differences() WHERE criteria NOT LIKE '%timestamptz ''%' AND criteria NOT LIKE 'seen < ''%' AND criteria NOT LIKE 'local::timestamptz >%';
SELECT * FROM territory.verify('reg_criteria.t');
SELECT territory.detach('reg_criteria.t');
DELETE FROM territory.node WHERE path <@ 'Criteria';
UPDATE territory.model SET time_zone = territory.database_time_zone() WHERE state = 'active';
DROP SCHEMA reg_criteria CASCADE;
