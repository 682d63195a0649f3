-- Paths and text: casts, literals, and comparison with text as drivers bind it
SET search_path = public, territory;
CREATE TABLE deal (id int, path territory, name text, code varchar(16));
CREATE INDEX deal_path ON deal (path);

-- casts for assignment, both ways
INSERT INTO deal SELECT 1, t, t, t FROM (VALUES ('EMEA.Benelux'::text)) AS s (t);
INSERT INTO deal SELECT 2, v, v, v FROM (VALUES ('EMEA."St. Paul"'::varchar)) AS s (v);
INSERT INTO deal SELECT id + 2, path, path, subpath(path, 0, 1) FROM deal;
UPDATE deal SET path = name || '.NL' WHERE id = 3;
SELECT * FROM deal ORDER BY id;
-- a value too long for its column, and one that is no path
INSERT INTO deal (code) SELECT path || 'Minnesota' FROM deal WHERE id = 2;
INSERT INTO deal (path) SELECT 'A..B'::text;
-- explicit, through every kind of text, of arrays too
SELECT 'A.B'::text::territory, 'A.B'::varchar::territory, 'A.B'::varchar(3)::territory, 'A.B'::name::territory,
       'A.B'::territory::text, 'A.B'::territory::varchar, 'A.B'::territory::varchar(1), 'A.B'::territory::char(5), CAST('A.B' AS territory), territory 'A.B',
       ARRAY['A.B', 'C']::text[]::territory[], ARRAY['A.B', 'C']::territory[]::text[];
SELECT castsource::regtype, casttarget::regtype, castcontext, castmethod FROM pg_cast
 WHERE 'territory'::regtype IN (castsource, casttarget) AND (castsource = ANY ('{text,varchar}'::regtype[]) OR casttarget = ANY ('{text,varchar}'::regtype[]))
 ORDER BY castsource = 'territory'::regtype, castsource::regtype::text, casttarget::regtype::text;

-- a literal is a path; text is compared as a path, by the index
INSERT INTO deal SELECT i, 'EMEA.N' || i % 500 || '.D' || i FROM generate_series(10, 5000) AS i;
VACUUM ANALYZE deal;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path = 'EMEA.Benelux';
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path <@ 'EMEA.N7';
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE 'EMEA.N7' @> path;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path = 'EMEA.Benelux'::text;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path = 'EMEA.Benelux'::varchar;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path <@ 'EMEA.N7'::text;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path @> 'EMEA.N7.D7'::text;
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path >= 'EMEA.N7'::text AND path < 'EMEA.N8'::text;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path > 'EMEA.N7'::text AND path <= 'EMEA.N8'::text;
RESET enable_seqscan;
PREPARE by_text(text) AS SELECT count(*) FROM deal WHERE path <@ $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE by_text('EMEA.N7');
EXECUTE by_text('EMEA.N7');
EXECUTE by_text('EMEA.');
EXECUTE by_text(NULL);
RESET plan_cache_mode;
SET enable_mergejoin = off;
SET enable_hashjoin = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM (VALUES ('EMEA.N7'), ('EMEA.N8')) AS wanted (t) JOIN deal ON path <@ t;
SELECT count(*) FROM (VALUES ('EMEA.N7'), ('EMEA.N8')) AS wanted (t) JOIN deal ON path <@ t;
RESET enable_mergejoin;
RESET enable_hashjoin;
-- arrays of text: right, and fast once they are cast
SELECT count(*) FROM deal WHERE path = ANY (ARRAY['EMEA.Benelux', 'EMEA."St. Paul"']);
SELECT count(*) FROM deal WHERE path = ANY ('{EMEA.Benelux,"EMEA.\"St. Paul\""}');
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE path = ANY (ARRAY['EMEA.Benelux', 'EMEA.N7']::text[]::territory[]);
SELECT count(*) FROM deal WHERE path IN ('EMEA.Benelux', 'EMEA."St. Paul"');
-- text on the left
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE 'EMEA.Benelux'::text = path;
EXPLAIN (COSTS OFF) SELECT id FROM deal WHERE 'EMEA.N7'::varchar @> path;
SELECT count(*) FROM deal WHERE 'EMEA.N7'::text @> path;
SELECT bool_and((a.path = b.path) = (a.path::text = b.path) AND (a.path <> b.path) = (a.path::text <> b.path) AND (a.path < b.path) = (a.path::text < b.path)
                AND (a.path <= b.path) = (a.path::text <= b.path) AND (a.path > b.path) = (a.path::text > b.path) AND (a.path >= b.path) = (a.path::text >= b.path)
                AND (a.path @> b.path) = (a.path::text @> b.path) AND (a.path <@ b.path) = (a.path::text <@ b.path)) AS same
  FROM deal AS a, deal AS b WHERE a.id < 60 AND b.id % 100 = 1;
-- an array of text that is a parameter: right, but without the index
SET plan_cache_mode = force_generic_plan;
PREPARE by_texts(text[]) AS SELECT count(*) FROM deal WHERE path = ANY ($1);
EXECUTE by_texts(ARRAY['EMEA.Benelux', '"EMEA"."St. Paul"', 'EMEA."St. Paul"', NULL, 'nowhere']);
EXECUTE by_texts(ARRAY['EMEA.Benelux', 'EMEA.']);
PREPARE by_paths(text[]) AS SELECT count(*) FROM deal WHERE path = ANY ($1::territory[]);
EXPLAIN (COSTS OFF) EXECUTE by_paths('{}');
PREPARE among_texts(text) AS SELECT count(*) FROM deal WHERE $1 = ANY (ARRAY[path]);
EXECUTE among_texts('EMEA.Benelux');
RESET plan_cache_mode;
-- a foreign key is between columns of the type
CREATE TABLE place (path territory PRIMARY KEY);
\set VERBOSITY terse
CREATE TABLE visit (place text REFERENCES place);
\set VERBOSITY default
CREATE TABLE visit (place territory REFERENCES place);
DROP TABLE visit, place;
-- every operator: text means the path that it is, not its characters
SELECT t, path = t::text AS eq, path <> t::text AS ne, path < t::text AS lt, path <= t::text AS le, path > t::text AS gt, path >= t::text AS ge,
       path @> t::text AS contains, path <@ t::text AS contained
  FROM (VALUES ('A.B'::territory)) AS s (path), (VALUES ('A.B'), ('"A"."B"'), ('A'), ('A.B.C'), ('A B'), (''), (NULL)) AS u (t);
SELECT bool_and((a.path = b.path) = (a.path = b.path::text) AND (a.path <> b.path) = (a.path <> b.path::text) AND (a.path < b.path) = (a.path < b.path::text)
                AND (a.path <= b.path) = (a.path <= b.path::text) AND (a.path > b.path) = (a.path > b.path::text) AND (a.path >= b.path) = (a.path >= b.path::text)
                AND (a.path @> b.path) = (a.path @> b.path::text) AND (a.path <@ b.path) = (a.path <@ b.path::text)) AS same
  FROM deal AS a, deal AS b WHERE a.id < 60 AND b.id % 100 = 1;
SELECT 'A'::territory = 'A.';
\set VERBOSITY terse
SELECT 'A'::territory <@ 'A.'::text;
SELECT 'A.B  '::char(5)::territory;
\set VERBOSITY default

-- for other types the operators with text change nothing, wherever the schema stands
CREATE FUNCTION pg_temp.types() RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    expression text;
    result text;
    results text[] := '{}';
BEGIN
    FOREACH expression IN ARRAY ARRAY[
        $q$'a'::varchar || 'x'$q$, $q$'x' || 'a'::varchar$q$, $q$'a'::varchar || 1$q$, $q$1 || 'x'$q$, $q$'a'::name || 'x'$q$, $q$'a'::char(3) || 'x'$q$,
        $q$'{}'::jsonb || '{}'$q$, $q$array['a'] || 'x'::text$q$, $q$'x' || 'y'$q$, $q$current_date || 'x'$q$, $q$'a'::text || 'b'::varchar$q$,
        $q$null || 'x'::text$q$, $q$'a'::text || null$q$, $q$array['a'] || '{b}'$q$, $q$'a'::varchar = 'a'$q$, $q$'a'::name = 'a'$q$, $q$'a'::char(3) < 'a'$q$,
        $q$'a' = 'b'$q$, $q$'a'::text >= 'a'::name$q$, $q$array['a'] @> '{a}'$q$, $q$'[1,2]'::int4range @> 1$q$, $q$'{}'::jsonb <@ '{}'$q$, $q$1 <@ '[1,2]'::int4range$q$,
        $q$'a' = any('{a}'::varchar[])$q$, $q$null = 'a'::varchar$q$, $q$'a'::text ? 'a'$q$] LOOP
        BEGIN
            EXECUTE format('SELECT pg_typeof(%1$s) || '' '' || coalesce((%1$s)::text, ''NULL'')', expression) INTO result;
        EXCEPTION WHEN undefined_function OR ambiguous_function THEN
            result := 'none';
        END;
        results := results || result;
    END LOOP;
    RETURN results;
END
$$;
SET search_path = public;
SELECT pg_temp.types() AS without \gset
SET search_path = public, territory;
SELECT pg_temp.types() = :'without' AS same, :'without' LIKE '%none%' AS none;
SET search_path = territory, public;
SELECT pg_temp.types() = :'without' AS same;

-- a search_path that hides the schema changes nothing for what names it
RESET search_path;
SELECT path OPERATOR(territory.=) 'EMEA.Benelux'::text AS eq, path OPERATOR(territory.<@) 'EMEA'::text AS below FROM public.deal WHERE id = 1;
EXPLAIN (COSTS OFF) SELECT id FROM public.deal WHERE path OPERATOR(territory.=) 'EMEA.Benelux'::text;
-- a cast needs no search_path
SELECT count(*) FROM public.deal WHERE path::text = 'EMEA.Benelux';
DROP TABLE public.deal;
