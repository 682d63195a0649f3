-- Errors of input that a caller catches without an exception: PostgreSQL 16 and later
SELECT current_setting('server_version_num')::int < 160000 AS older \gset
\if :older
\echo not run: this server has no soft errors
\quit
\endif
SET search_path = public, territory;
SELECT t AS type, left(v, 24) AS value, pg_input_is_valid(v, t) AS valid, message, detail, hint, sql_error_code
  FROM (VALUES ('territory', 'EMEA.Benelux'), ('territory', 'EMEA..Benelux'), ('territory', 'A."B'), ('territory', repeat('x', 1001)), ('territory', repeat('a.', 65535) || 'a'),
               ('pattern', 'EMEA.*{1,2}.!B|C*@%'), ('pattern', 'EMEA.*{2,1}'), ('pattern', 'a*b'), ('pattern', '*{65536}'), ('pattern', repeat('x', 1001)), ('pattern', ''),
               ('label_query', 'EMEA & !(B | C)'), ('label_query', 'EMEA &'), ('label_query', '(EMEA'), ('label_query', 'a.b'), ('label_query', repeat('x', 1001))) AS v (t, v),
       pg_input_error_info(v, t);
-- arrays of them too
SELECT pg_input_is_valid('{A.B,C}', 'territory[]'), pg_input_is_valid('{A.B,C.}', 'territory[]'), pg_input_is_valid('{*.B,C.}', 'pattern[]');
-- many kinds of garbage: never an exception, and valid is what a cast takes
SELECT setseed(0.7);
CREATE FUNCTION pg_temp.casts(value text, type text) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT %L::%s', value, type);
    RETURN true;
EXCEPTION WHEN invalid_text_representation OR program_limit_exceeded THEN
    RETURN false;
END
$$;
SELECT t, count(*), bool_and(pg_input_is_valid(v, t) = pg_temp.casts(v, t)) AS same, count(*) FILTER (WHERE pg_input_is_valid(v, t)) BETWEEN 20 AND 900 AS some_valid
  FROM (SELECT string_agg(substr('ab.*{}1,|!@%&() "é', 1 + floor(random() * 18)::int, 1), '') AS v FROM generate_series(1, 3000) AS i GROUP BY i % 1000) AS s,
       unnest('{territory,pattern,label_query}'::text[]) AS t
 GROUP BY t ORDER BY t;
-- COPY that passes over bad rows: PostgreSQL 17 and later
SELECT current_setting('server_version_num')::int < 170000 AS older \gset
\if :older
\quit
\endif
CREATE TABLE heap_of_paths (i int, path territory, what pattern);
COPY heap_of_paths FROM stdin (ON_ERROR ignore);
1	EMEA.Benelux	*.B
2	EMEA..Benelux	*.B
3	EMEA	*.B{2,1}
4	"a	*.B
5	\N	\N
\.
SELECT * FROM heap_of_paths ORDER BY i;
DROP TABLE heap_of_paths;
