-- what the conditions of a rule mean at their edges: each line is a rule and the rows that stand in its territory; they
-- are the rows for which plain SQL says WHERE (criteria) IS TRUE
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_shapes;
CREATE TABLE reg_shapes.t (
  id int PRIMARY KEY, i int, small smallint, big bigint, n numeric, x float8, word text COLLATE "C", code char(4), flag bool,
  day date, seen timestamptz, lasts interval, place territory.territory, tags int[], doc jsonb);
INSERT INTO reg_shapes.t VALUES
  (1,    6,     6,     6, 1.0,          '-0',       'ab',   'ab',  true,  '2024-02-29', '2024-02-29 22:30+00', '1 mon',    'A',        '{}',     '{"n": 1}'),
  (2,    7,     7,     7, 1.00,         0,          'abc',  'ab ', false, '2024-03-01', '2024-02-29 23:00+00', '30 days',  'A.B',      '{1}',    '{"n": "x"}'),
  (3,    8, 32767, 65543, 1.0000000001, 0.1,        'ab%c', 'abc', true,  '2024-03-02', '2024-03-01 22:59+00', '31 days',  'A.B.C',    '{1,NULL}', '{}'),
  (4,    0,     0, 9007199254740993, 'NaN', 'NaN',  '',     '',    NULL,  'infinity',   'infinity',            '24:00',    'AB',       '{2}',    'null'),
  (5, NULL,  NULL,  NULL, NULL,         NULL,       NULL,   NULL,  NULL,  NULL,         NULL,                  NULL,       NULL,       NULL,     NULL),
  (6, 2147483647, -32768, -9223372036854775808, -1, 'Infinity', 'é', 'AB', false, '-infinity', '-infinity', '1 day', '',             '{1,2}',  '[1]'),
  (7,   -5,    -5,    -5, 'Infinity',   '-Infinity', 'b',   'b',   NULL,  '2024-03-01', '2024-03-31 01:30+00', '-1 day',   '"A.B"',    '{NULL}', '{"n": 10}');
SELECT territory.attach('reg_shapes.t', mode => 'all');
-- dates and times are read and compared as this zone has them
UPDATE territory.model SET time_zone = 'Europe/Amsterdam' WHERE state = 'active';
INSERT INTO territory.node (path) SELECT ('Shape ' || i)::territory FROM generate_series(1, 40) i;

-- found(CRITERIA...): a territory for each, all at once; a warning where plain SQL says something else
CREATE FUNCTION reg_shapes.found(VARIADIC criteria text[]) RETURNS TABLE (rule text, rows int[]) LANGUAGE plpgsql AS $$
DECLARE
  wanted int[];
BEGIN
  INSERT INTO territory.rule (node_id, object, criteria)
  SELECT node_id(('Shape ' || number)::territory), 'reg_shapes.t', text FROM unnest(criteria) WITH ORDINALITY c (text, number);
  PERFORM set_config('TimeZone', 'Europe/Amsterdam', true);
  FOR i IN 1 .. cardinality(criteria) LOOP
    rule := criteria[i];
    rows := ARRAY(SELECT id FROM reg_shapes.t_territory WHERE node_id = node_id(('Shape ' || i)::territory) ORDER BY id);
    EXECUTE format('SELECT ARRAY(SELECT id FROM reg_shapes.t WHERE (%s) IS TRUE ORDER BY id)', rule) INTO wanted;
    IF rows <> wanted THEN
      RAISE WARNING 'plain SQL finds % for %', wanted, rule;
    END IF;
    RETURN NEXT;
  END LOOP;
  IF EXISTS (SELECT FROM territory.verify('reg_shapes.t')) THEN
    RAISE WARNING 'verify finds differences';
  END IF;
  DELETE FROM territory.rule WHERE object = 'reg_shapes.t'::regclass;
END $$;
SET TimeZone = 'Asia/Tokyo';

-- ranges: bounds in and out, the constant on either side, empty ones, a hole
SELECT * FROM reg_shapes.found('i < 7', 'i <= 7', 'i > 7', 'i >= 7', '7 > i', '7 >= i', 'i > 6 AND i < 8', 'i >= 6 AND i <= 8 AND i <> 7', 'i BETWEEN 6 AND 7', 'i BETWEEN 7 AND 6',
  'i BETWEEN SYMMETRIC 7 AND 6', 'i NOT BETWEEN 6 AND 7', 'i NOT BETWEEN 7 AND 6', 'i > 7 AND i < 7', 'i >= 7 AND i <= 7', 'i < 7 OR i > 7', 'i < 5 AND i > 7', 'i > 0 AND i > 6 AND i < 100', 'i > 2147483647', 'i >= 2147483647', 'i < 3000000000', 'i > -3000000000');

-- NULL: neither true nor false, so NOT does not make it true
SELECT * FROM reg_shapes.found('i = 7', 'NOT i = 7', 'i <> 7', 'NOT (i < 7 OR i > 7)', 'i = NULL', 'NOT i = NULL', 'i BETWEEN NULL AND 6', 'NOT i BETWEEN NULL AND 6', 'i = i', 'i <> i', 'i IS NULL', 'i IS NOT NULL', 'i = 7 OR i IS NULL',
  '(i = 7) IS NOT TRUE', '(i = 7) IS UNKNOWN', '(i = 7) IS FALSE', 'i IS DISTINCT FROM 7', 'i IS NOT DISTINCT FROM NULL', 'coalesce(i, 7) = 7', 'nullif(i, 7) IS NULL', 'i = 7 OR NULL', 'i = 7 AND NULL', 'NOT (i = 7 AND NULL)', 'NOT (i = 7 OR NULL)');

-- booleans
SELECT * FROM reg_shapes.found('flag', 'NOT flag', 'flag = true', 'flag <> true', 'flag = false', 'flag IS TRUE', 'flag IS NOT TRUE', 'flag IS FALSE', 'flag IS UNKNOWN', 'NOT NOT flag', 'flag = (i > 7)', 'flag < true', 'flag AND i > 7', 'flag OR i > 7', 'NOT (flag AND i > 7)', 'NOT (flag OR i > 7)', 'CASE WHEN flag THEN i > 7 ELSE true END');

-- lists
SELECT * FROM reg_shapes.found('i IN (6, 7)', 'i NOT IN (6, 7)', 'NOT i IN (6, 7)', 'i IN (6, NULL)', 'i NOT IN (6, NULL)', 'NOT i IN (6, NULL)', 'i = ANY (ARRAY[6, 7, 7])', 'i <> ALL (ARRAY[6, 7])', 'i <> ANY (ARRAY[6, 7])', 'i = ALL (ARRAY[7, 7])', 'i = ANY (''{}'')', 'i <> ALL (''{}'')', 'NOT i = ANY (''{}'')', 'i = ANY (NULL::int[])',
  'i > ANY (ARRAY[6, 7])', 'i > ALL (ARRAY[6, 7])', 'i IN (6, 7) AND i IN (7, 8)', 'i IN (6, 7) AND i IN (8, 9)', '1 = ANY (tags)', '1 <> ALL (tags)', 'NOT 1 = ANY (tags)', 'tags @> ''{1}''', 'tags && ''{2,3}''', 'tags = ''{}''');
SELECT rows FROM reg_shapes.found((SELECT format('i IN (%s)', string_agg(g::text, ', ')) FROM generate_series(7, 2006) g), (SELECT format('i NOT IN (%s)', string_agg(g::text, ', ')) FROM generate_series(7, 2006) g));

-- constants of other types, wider ones, other spellings of the same value
SELECT * FROM reg_shapes.found('i = 7::smallint', 'i = 7::bigint', 'i = 7.0', 'i = 7.5', 'i > 6.5 AND i < 7.5', 'i IN (6, 7.5, 8)', 'i IN (7, 4294967303)', 'i = 4294967303', 'small = 65543', 'small <> 65543', 'small < 40000', 'small >= -32768', 'big = 7::smallint', 'big = 65543', 'big = 9007199254740993', 'big = 9007199254740992', 'big = 9007199254740992::float8', 'big < 0',
  'n = 1', 'n = 1.000', 'n IN (1, 2)', 'n > 1', 'n = ''NaN''', 'n >= ''Infinity''', 'n < ''NaN''', 'n = 1::float8', 'x = 0', 'x = ''-0''', 'x < 0', 'x = ''NaN''', 'x > 1e308', 'x = 0.1', 'x = 0.1::real', 'x IN (0, ''NaN'')', 'x <> x');

-- prefixes and patterns
SELECT * FROM reg_shapes.found('word LIKE ''ab%''', 'word LIKE ''abc%''', 'word LIKE ''abcdef%''', 'word LIKE ''%''', 'word LIKE ''''', 'word LIKE ''ab''', 'word LIKE ''ab_''', 'word LIKE ''ab\%%''', 'word LIKE ''ab!%%'' ESCAPE ''!''', 'word LIKE ''a%c''', 'word LIKE ''é%''', 'word NOT LIKE ''ab%''', 'NOT word LIKE ''ab%''', 'word ILIKE ''AB%''', 'word LIKE NULL',
  'word ^@ ''ab''', 'starts_with(word, '''')', 'NOT word ^@ ''ab''', 'word ~ ''^ab''', 'word ~ ''^ab$''', 'word !~ ''^ab''', 'word SIMILAR TO ''ab(c|d)?''', 'word LIKE ''ab%'' AND word NOT LIKE ''abc%''', 'word LIKE ''a%'' OR word LIKE ''ab%''', 'word >= ''ab'' AND word < ''ac''', 'left(word, 2) = ''ab''', 'length(word) = 1', 'lower(word) IN (''é'', ''b'')');

-- char(n): trailing blanks do not count in comparisons, but in patterns they stand there
SELECT * FROM reg_shapes.found('code = ''ab''', 'code = ''ab    ''', 'code IN (''ab '', ''b'')', 'code <> ''ab''', 'code = ''''', 'code = ''ab''::text', 'code = ''ab  ''::text', 'code LIKE ''ab''', 'code LIKE ''ab%''', 'code LIKE ''ab  ''', 'code < ''abc''', 'length(code) = 2', 'code || ''x'' = ''abx''');

-- alternatives of patterns, some of which ask for more than their first letters
SELECT * FROM reg_shapes.found('word LIKE ANY (ARRAY[''a%c'', ''b%''])', 'word LIKE ANY (ARRAY[''ab_'', NULL])', 'NOT (word NOT LIKE ALL (ARRAY[''a%c'']))', 'word NOT LIKE ALL (ARRAY[''a%c'', ''b%''])');

-- a condition in front guards the next one from an error
SELECT * FROM reg_shapes.found('i <> 0 AND 100 / i > 12', 'i <> 0 AND 100 / i = 14', '0 <> i AND 100 / i IN (12, 14)', 'i = 0 OR 100 / i = 14', 'NOT (i = 0 OR 100 / i <> 14)', 'CASE WHEN i <> 0 THEN 100 / i = 14 END', 'NOT (i <> 0 AND 100 / i = 14)', '100 / nullif(i, 0) = 14', 'i > 0 AND sqrt(i) > 2.7', 'jsonb_typeof(doc -> ''n'') = ''number'' AND (doc ->> ''n'')::int = 10');
-- which nothing does here: the write that meets it fails
INSERT INTO territory.rule (node_id, object, name, criteria) VALUES (node_id('Shape 1'), 'reg_shapes.t', 'unguarded', '100 / i = 14');

-- territories: at, below and above
SELECT * FROM reg_shapes.found('place <@ ''A''', 'place <@ ''A.B''', 'place <@ ''''', 'NOT place <@ ''A''', 'place @> ''A.B''', '''A.B'' @> place', 'place <@ ''A'' AND place <> ''A''', 'place = ''"A.B"''', 'place IN ('''', ''AB'')', 'place > ''A''', 'place ~ ''A.*''::pattern', 'nlevel(place) = 2', 'parent(place) = ''A''', 'place <@ ''A.B'' OR place IS NULL');

-- date and time: under the zone of the model, whatever the session's
SELECT * FROM reg_shapes.found('day = ''2024-03-01''', 'day < ''2024-03-01''', 'day = timestamp ''2024-03-01 00:00''', 'day = timestamp ''2024-03-01 00:01''', 'day > timestamptz ''2024-03-01 00:00''', 'day = ''infinity''', 'isfinite(day)', 'seen < ''2024-03-01''', 'seen >= date ''2024-03-01'' AND seen < date ''2024-03-02''', 'seen::date = ''2024-03-01''', 'extract(hour from seen) = 3', 'seen = ''2024-03-31 03:30''',
  'lasts = ''1 mon''', 'lasts = ''720 hours''', 'lasts > ''30 days''', 'lasts IN (''24:00'', ''1 year'')', 'lasts < ''0''');

-- many columns, deep nesting, never and always
SELECT * FROM reg_shapes.found('i = 7 AND word = ''abc'' AND NOT flag AND day = ''2024-03-01'' AND place <@ ''A''', 'i = 7 AND (word = ''abc'' OR flag) AND (n > 5 OR x = 0)', '(i = 6 AND flag) OR (i = 7 AND NOT flag) OR (i IS NULL AND flag IS NULL)', 'NOT (NOT (i = 6 OR i = 7) OR NOT (flag OR word LIKE ''abc%''))', '((i > 5 AND i < 9) OR (big > 100 AND NOT small < 0)) AND NOT (flag AND word LIKE ''ab%'')',
  '(i, word) = (7, ''abc'')', '(i, word) IN ((6, ''ab''), (7, NULL), (8, ''x''))', '(i, small) < (7, 0)', 'i % 10 = 7', 'abs(i::bigint) = 5', '1 = 1', '1 = 2', 'i = 1 AND i = 2', 'i = 7 OR i <> 7', 'i = 7', 'i = 7');

SELECT territory.detach('reg_shapes.t');
DELETE FROM territory.node WHERE path::text LIKE 'Shape %';
UPDATE territory.model SET time_zone = territory.database_time_zone() WHERE state = 'active';
DROP SCHEMA reg_shapes CASCADE;
