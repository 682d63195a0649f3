-- The functions on paths, with the edges of each
SET search_path = public, territory;

-- an error as text, so that good and bad arguments stand side by side
CREATE FUNCTION pg_temp.try(expression text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
    detail text;
BEGIN
    EXECUTE format('SELECT (%s)::text', expression) INTO result;
    RETURN coalesce('<' || result || '>', 'NULL');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN format('%s: %s; %s', SQLSTATE, SQLERRM, detail);
END
$$;
CREATE FUNCTION pg_temp.try_all(VARIADIC expressions text[]) RETURNS TABLE (expression text, result text)
    LANGUAGE sql AS 'SELECT e, pg_temp.try(e) FROM unnest(expressions) AS e';

-- nlevel, label, parent
SELECT path, nlevel(path), label(path), parent(path), levels(path), lineage(path)
  FROM unnest(ARRAY['', 'A', 'A.B', 'A."b.c"."d""e"', NULL]::territory[]) AS path;

-- level: from 1, NULL beyond
SELECT n, level('A."b.c".D', n), level('', n) FROM unnest(ARRAY[-2147483648, -1, 0, 1, 2, 3, 4, 65536, 2147483647, NULL]) AS n;

-- ancestors: from the top, itself last
SELECT path, array(SELECT ancestors(path)) FROM unnest(ARRAY['', 'A', 'A.B."c.d"', NULL]::territory[]) AS path;
SELECT * FROM ancestors('EMEA.Benelux.NL') WITH ORDINALITY;
SELECT ancestors('A.B.C') LIMIT 2;
SELECT count(*), max(nlevel(a)) FROM ancestors((repeat('a.', 999) || 'a')::territory) AS a;

-- is_ancestor
SELECT is_ancestor('A', 'A.B'), is_ancestor('A', 'A'), is_ancestor('', ''), is_ancestor('', 'A'),
       is_ancestor('A.B', 'A'), is_ancestor('A', 'AB'), is_ancestor('A', 'a'), is_ancestor('A', NULL);

-- child: raw text, no quotes and no dots that mean something
SELECT * FROM pg_temp.try_all(
    'child(''A'', ''B'')', 'child('''', ''B.C'')', 'child(''A'', '' "B" '')', 'child(''A'', E''\n'')', 'child(''A'', NULL)',
    'child(''A'', '''')', 'nlevel(child(''A'', repeat(''é'', 1000)))', 'child(''A'', repeat(''é'', 1001))',
    'nlevel(child((repeat(''a.'', 65533) || ''a'')::territory, ''B''))', 'child((repeat(''a.'', 65534) || ''a'')::territory, ''B'')');

-- concatenation
SELECT 'A'::territory || 'B.C'::territory, 'A'::territory || 'B.C', 'A.B' || 'C'::territory, 'A'::territory || 'B."c.d"'::text, 'A'::text || 'B'::territory,
       '' || 'A'::territory, 'A'::territory || '', ''::territory || '', 'A'::territory || NULL::territory;
SELECT * FROM pg_temp.try_all(
    '''A''::territory || ''B.''', '''A''::territory || ''.B''::text',
    '(SELECT nlevel(a || a || ''b'') FROM CAST(repeat(''a.'', 32766) || ''a'' AS territory) AS a)',
    '(SELECT a || a || ''b.c'' FROM CAST(repeat(''a.'', 32766) || ''a'' AS territory) AS a)',
    '(SELECT a || a FROM CAST(repeat(''a.'', 32767) || ''a'' AS territory) AS a)');

-- subltree: from start to before end
SELECT * FROM pg_temp.try_all(
    'subltree(''A.B.C.D'', 0, 1)', 'subltree(''A.B.C.D'', 1, 3)', 'subltree(''A.B.C.D'', 0, 4)', 'subltree(''A.B.C.D'', 3, 4)',
    'subltree(''A.B.C.D'', 2, 2)', 'subltree(''A.B.C.D'', 2, 2147483647)', 'subltree(''A."b.c".D'', 1, 2)',
    'subltree(''A.B.C.D'', 4, 4)', 'subltree(''A.B.C.D'', -1, 2)', 'subltree(''A.B.C.D'', 2, 1)', 'subltree(''A.B.C.D'', 0, -1)', 'subltree('''', 0, 0)');

-- subpath: a negative offset counts from the end (twice, as in ltree, if there are too few labels),
-- a negative length leaves out labels at the end
SELECT * FROM pg_temp.try_all(
    'subpath(''A.B.C.D'', 0)', 'subpath(''A.B.C.D'', 2)', 'subpath(''A.B.C.D'', 3)', 'subpath(''A.B.C.D'', -1)', 'subpath(''A.B.C.D'', -4)',
    'subpath(''A.B.C.D'', 4)', 'subpath(''A.B.C.D'', -5)', 'subpath(''A.B.C.D'', -8)', 'subpath(''A.B.C.D'', -9)', 'subpath('''', 0)', 'subpath('''', -1)', 'subpath(''A.B.C.D'', -2147483648)');
SELECT * FROM pg_temp.try_all(
    'subpath(''A.B.C.D'', 0, 2)', 'subpath(''A.B.C.D'', 1, 2)', 'subpath(''A.B.C.D'', 1, 0)', 'subpath(''A.B.C.D'', 1, 9)', 'subpath(''A.B.C.D'', 1, 2147483647)',
    'subpath(''A.B.C.D'', -3, 2)', 'subpath(''A.B.C.D'', 0, -1)', 'subpath(''A.B.C.D'', 1, -1)', 'subpath(''A.B.C.D'', -3, -2)', 'subpath(''A.B.C.D'', 0, -4)',
    'subpath(''A.B.C.D'', 2, -3)', 'subpath(''A.B.C.D'', 4, 1)', 'subpath(''A.B.C.D'', -5, 1)', 'subpath(''A.B.C.D'', -6, -1)', 'subpath(''A.B.C.D'', -9, 1)', 'subpath('''', 0, 0)', 'subpath(''A.B.C.D'', 0, -2147483648)');

-- index: where a path occurs in another one
SELECT path, part, index(path::territory, part::territory)
  FROM (VALUES ('0.1.2.3.5.4.5.6.8.5.6.8', '5.6'), ('A.B.C', 'A'), ('A.B.C', 'C'), ('A.B.C', 'A.B.C'), ('A.B.C', 'A.C'),
               ('A.B.C', 'A.B.C.D'), ('A.AB.B', 'B'), ('A', ''), ('', 'A'), ('', '')) AS s (path, part);
SELECT path, part, start, index(path::territory, part::territory, start)
  FROM (VALUES ('0.1.2.3.5.4.5.6.8.5.6.8', '5.6', 6), ('0.1.2.3.5.4.5.6.8.5.6.8', '5.6', 7), ('0.1.2.3.5.4.5.6.8.5.6.8', '5.6', -7),
               ('0.1.2.3.5.4.5.6.8.5.6.8', '5.6', -3), ('0.1.2.3.5.4.5.6.8.5.6.8', '5.6', -2), ('A.B.A', 'A', -3), ('A.B.A', 'A', -4),
               ('A.B.A', 'A', 1), ('A.B.A', 'A', 2), ('A.B.A', 'A', 3), ('A.B.A', 'A', 2147483647), ('A.B.A', 'A', -2147483648)) AS s (path, part, start);

-- lca: the longest path that is a proper ancestor of all
SELECT lca('A.B.C', 'A.B.D'), lca('A.B.C', 'A.B.C'), lca('A.B', 'A.B.C.D'), lca('A.B.C', 'A.BC'), lca('A', 'B'), lca('A', 'A');
SELECT lca('A.B.C.D', 'A.B.C.E', 'A.B.F', 'A.B.G.H'), lca('A.B.C', VARIADIC ARRAY['A.B.D', 'A.E']::territory[]), lca('A.B', ''), lca('', 'A'), lca('A.B', NULL), lca(NULL, 'A.B'),
       lca('A.B', VARIADIC '{}');
SELECT lca('{A.B.C, A.B.D}'), lca('{A.B.C}'), lca('{A}'), lca('{}'), lca('{A.B, NULL}'), lca('{A.B, ""}'), lca(NULL), lca('{{A.B, A.C}, {A.D, A.E.F}}');
SELECT lca(array_agg((repeat('a.', 100) || i)::territory)) = (repeat('a.', 99) || 'a')::territory AS many FROM generate_series(1, 1000) AS i;

-- lineage: what it returns grows with the square of the labels
SELECT cardinality(lineage((repeat('a.', 7999) || 'a')::territory));
SELECT lineage((repeat('a.', 65534) || 'a')::territory);

-- subtree_end: a bound
SELECT subtree_end('A') > ('A.' || repeat(chr(1114111), 1000))::territory AS behind, subtree_end('A') < 'A!' AS before, subtree_end('A.B') < 'A.B!' AS before;

-- random paths: parts put together again are the whole
SELECT setseed(0.7);
CREATE TEMP TABLE random_path AS
    SELECT string_agg(chr(97 + floor(random() * 3)::int), '.')::territory AS path FROM generate_series(1, 500) AS i, generate_series(1, 1 + i % 9) AS j GROUP BY i;
SELECT count(*) AS paths,
       bool_and(child(parent(path), label(path)) = path) AS child_of_parent,
       bool_and(subpath(path, 0, n) || subltree(path, n, 99) = path) AS subpath_and_subltree,
       bool_and(subpath(path, n - nlevel(path)) = subpath(path, n)) AS from_the_end,
       bool_and(array_to_string(levels(path), '.') = path::text) AS levels,
       bool_and((SELECT array_agg(level(path, l) ORDER BY l) FROM generate_series(1, nlevel(path)) AS l) = levels(path)) AS level,
       bool_and(index(path, subpath(path, n)) <= n) AS index,
       bool_and(lineage(path) = ARRAY[''::territory] || array(SELECT ancestors(path))) AS lineage,
       bool_and((SELECT bool_and(a @> path) FROM ancestors(path) AS a)) AS ancestors
  FROM random_path, LATERAL (SELECT nlevel(path) / 2 AS n) AS half;
SELECT count(*) FILTER (WHERE l IS DISTINCT FROM (SELECT a FROM unnest(lineage(parent(p.path))) AS a WHERE a @> parent(q.path) ORDER BY nlevel(a) DESC LIMIT 1)) AS wrong_lca
  FROM random_path AS p, random_path AS q, LATERAL lca(p.path, q.path) AS l;

-- labels put together
SELECT from_levels('{EMEA,"St. Louis","a\"b"}'), from_levels('{}') = '' AS root, from_levels(NULL) IS NULL AS null, from_levels('{{A},{B}}');
SELECT from_levels('{A,NULL}');
SELECT from_levels('{A,""}');
SELECT from_levels(array_fill('a'::text, ARRAY[65536]));
SELECT bool_and(from_levels(levels(path)) = path) AS inverse FROM random_path;
-- NULL in, NULL out; and what every function promises
SELECT count(*) FILTER (WHERE proisstrict) = count(*) AS strict,
       count(*) FILTER (WHERE proparallel = 's') = count(*) AS parallel_safe,
       count(*) FILTER (WHERE provolatile = 'i' OR proname ~ 'sel$|typanalyze$') = count(*) AS immutable,
       count(*) FILTER (WHERE obj_description(p.oid, 'pg_proc') IS NOT NULL) = count(*) AS commented
  FROM pg_proc AS p WHERE prosrc LIKE 'territory\_sql\_%';
SELECT proname FROM pg_proc WHERE prosrc LIKE 'territory\_sql\_%' AND proleakproof ORDER BY proname;
SELECT count(*) >= 19 AS operators, count(*) FILTER (WHERE obj_description(oid, 'pg_operator') IS NULL) AS without_comment,
       count(*) FILTER (WHERE oprname IN ('=', '<>', '<', '<=', '>', '>=', '@>', '<@') AND (oprrest = 0 OR oprjoin = 0)) AS without_estimator,
       count(*) FILTER (WHERE oprright = oprleft AND oprname <> '||' AND oprcom = 0) AS without_commutator
  FROM pg_operator WHERE oprcode IN (SELECT oid FROM pg_proc WHERE proname ~ '^(territory_[a-z]+|territory_[a-z]+_text|text_concat_territory)$'
                                        AND pronargs = 2 AND proargtypes[0] IN ('territory'::regtype, 'text'::regtype) AND proargtypes[1] IN ('territory'::regtype, 'text'::regtype));
SELECT count(*) AS classes_without_comment FROM pg_opclass WHERE opcname LIKE 'territory%' AND obj_description(oid, 'pg_opclass') IS NULL;
