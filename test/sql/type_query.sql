-- Patterns, label queries and operators on arrays: text forms, limits, answers, plans
SET search_path = public, territory;
SET client_encoding = 'UTF8';
SET client_min_messages = warning;

-- what a text is as a value of a type, or what is wrong with it: state, message, detail, hint
CREATE FUNCTION pg_temp.canonical(text, type text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    detail text;
    hint text;
BEGIN
    EXECUTE format('SELECT ($1::%s)::text', type) INTO answer USING $1;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(E'\n', SQLSTATE || ': ' || SQLERRM, detail, nullif(hint, ''));
END
$$;

--
-- Text forms of patterns
--

SELECT t, t::pattern AS pattern, t::pattern::text::pattern::text = t::pattern::text AS again
  FROM unnest(ARRAY[
    'A', 'A.B.*', '*', '*{3}', '*{2,}', '*{,4}', '*{2,4}', '*{,}', '*{0,}', '*{0,65535}', '*{007}', '*{0}',
    'A{1}', 'A{1,1}', 'A{,}', 'A|B{2,3}', '!A', '!A|B.C', 'A*', 'A@', 'A%', 'A*@%', 'A%@*', 'A@@',
    'New York.*', 'a&(b)', 'a-b', 'Île|日本*.😀@', '"A"', '"a.b"*', '"a|b"@{2}', '"!"', '"*"', '""""', '" a "', '"a"|"b c"', E'"a\nb"'
  ]) AS t;
-- good and bad, side by side
CREATE TEMP TABLE bad (id serial, type text, t text);
INSERT INTO bad (type, t) SELECT 'pattern', unnest(ARRAY[
    '', '.', 'A.', '.A', 'A..B', '!', '!!A', 'A|', '|A', 'A|!B', 'A*B', 'A@b', '*A', '**', '*.*', '@', '{2}', 'A{', 'A{}', 'A{1', 'A{1,2',
    'A{2,1}', 'A{1}{2}', 'A{a}', 'A{-1}', 'A{1 }', 'A}', '"A', '"A"B', 'A"B"', '""', '"".A', ' A', 'A ', 'A. B', 'A .B', 'A |B', '* ', E'A\nB',
    'Île.日本. x', '日本.Île{3,2}', '日本.Île{70000}'
  ]);
SELECT t, pg_temp.canonical(t, type) FROM bad WHERE type = 'pattern' ORDER BY id;
-- a literal: the position of the literal, then the position in it
SELECT 'EMEA..Utrecht'::pattern;
SELECT 'EMEA & (Utrecht'::label_query;

--
-- Text forms of label queries
--

SELECT t, t::label_query AS query, t::label_query::text::label_query::text = t::label_query::text AS again
  FROM unnest(ARRAY[
    'A', 'A&B', 'A|B&C', '(A|B)&C', '!A', '!!A', '!(A&!B)', '((A))', ' ( A ) ', '! A', 'A*@%', 'A% & b@*', 'New York & x', 'New York  |x', 'a-b',
    '"New York" & x', '"a.b"', '"a&b"@', '"(a)"', '"""" | x', 'Île|日本*', E'a\n&\tb', '"a" &"b"', '" a"*'
  ]) AS t;
INSERT INTO bad (type, t) SELECT 'label_query', unnest(ARRAY[
    '', ' ', '&', 'A&', '&A', 'A|', 'A&&B', 'A&|B', 'A!B', '!', '()', '(', ')', '(A', 'A)', '((A)', '(A))', 'A(B)', '(A)(B)', 'A.B', 'A@b', 'A @', '*', '@A',
    'A{1}', 'A}', '"A', '"A"B', '"A" B', 'A"B"', '""', 'Île & (日本', 'Île & 日本)', 'Île & 日本 . x'
  ]);
SELECT t, pg_temp.canonical(t, type) FROM bad WHERE type = 'label_query' ORDER BY id;
-- soft errors, where the server has them: the same verdict as hard ones
SELECT current_setting('server_version_num')::int >= 160000 AS soft \gset
\if :soft
SELECT bool_and(pg_input_is_valid(t, type) = (pg_temp.canonical(t, type) !~ '^(22P02|54000): ')) AS same FROM bad \gset
\else
\set same t
\endif
\echo :same

--
-- Binary forms: a version byte and the text form
--

SELECT pattern_send('A.*{2}'), label_query_send('a&"b.c"'), convert_from(substring(pattern_send('Île') FROM 2), 'UTF8');
CREATE TEMP TABLE sent (pattern pattern, query label_query);
INSERT INTO sent VALUES ('A.*{2,3}.!b|"c.d"@*%.日本', '!(A & "b.c"@ | 日本*)'), (NULL, NULL), ((repeat('a.', 50000) || 'a')::pattern, ('a' || repeat('|!(a)', 50000))::label_query);
CREATE TEMP TABLE received (LIKE sent);
COPY sent TO PROGRAM 'cat >territory_type_query.bin' (FORMAT binary);
COPY received FROM PROGRAM 'cat territory_type_query.bin && rm territory_type_query.bin' (FORMAT binary);
SELECT count(*) FROM (SELECT pattern::text, query::text FROM sent INTERSECT SELECT pattern::text, query::text FROM received) AS same;

--
-- Limits
--

SELECT n, left(pg_temp.canonical('*.' || repeat('日', n) || '*', 'pattern'), 40) AS pattern,
       left(pg_temp.canonical('!' || repeat('日', n) || '@', 'label_query'), 40) AS query
  FROM generate_series(999, 1001) AS n;
SELECT n, pg_temp.canonical(format('*{%s}', n), 'pattern'), pg_temp.canonical(format('A{,%s}', n), 'pattern'), pg_temp.canonical(format('A{%s,}', n), 'pattern')
  FROM generate_series(65534, 65536) AS n;
SELECT n, left(pg_temp.canonical(repeat('*.', n - 1) || 'A', 'pattern'), 90) AS items, left(pg_temp.canonical('A' || repeat('|A', n - 1), 'pattern'), 90) AS alternatives
  FROM generate_series(65534, 65536) AS n;
SELECT left(pg_temp.canonical('A' || repeat('|AB', 65534 * 128), 'label_query'), 60) AS too_long;
-- parentheses and operators have none but the length: nothing recurses
SELECT 'A.B'::territory @ (repeat('!(', 2000001) || 'A' || repeat(')', 2000001))::label_query AS nested,
       'A.B'::territory @ ('A' || repeat('&(C|B', 1000000) || repeat(')', 1000000))::label_query AS mixed;

--
-- ~
--

SELECT t AS path, p AS pattern, t::territory ~ p::pattern AS matches
  FROM (VALUES
    ('', '*'), ('', '*{0}'), ('', 'A{0}'), ('', 'A{,3}.*'), ('', '*{1,}'), ('', 'A'),
    ('A.B.C', 'A.B.C'), ('A.B.C', 'A.B'), ('A.B.C', 'B.C'), ('A.B.C', 'A.*'), ('A.B.C', 'A.B.C.*'), ('A.B.C', '*.B.*'), ('A.B.C', '*.C.*{1}'),
    ('A.B.C', 'A.*{1}.C'), ('A.B.C', 'A.*{2}.C'), ('A.B.C', '*{2,3}'), ('A.B.C', '*{4,}'), ('A.B.C', 'A|B{2}.C'), ('A.B.C', 'A|B{3}'), ('A.B.C', 'A|B{,5}.C|B{1,2}'),
    ('A.B.C', '!X{3}'), ('A.B.C', '!B{3}'), ('A.B.C', '!B.!A.!X'), ('A.B.C', 'A.!B.C'), ('A.B.C', 'A.!X|Y.C'), ('A.B.C', 'a.b.c'), ('A.B.C', 'a@.b@.C'),
    ('Benelux', 'Bene*'), ('Benelux', 'bene*'), ('Benelux', 'bene@*'), ('Benelux', 'Benelux*'), ('Benelux', 'Beneluxe*'), ('Benelux', 'nelux*'),
    ('key_account_NL', 'account%'), ('key_account_NL', 'NL_key%'), ('key_account_NL', 'acc%'), ('key_account_NL', 'acc_k%*'), ('key_account_NL', 'nl_KEY%@'), ('key_account_NL', 'NL_BE%'),
    ('Key Accounts NL', 'nl_key%@'), ('Key Accounts NL', 'Accounts Key%'), ('_x_', 'x%'), ('_', '_%'), ('A', '_%'),
    ('"a.b".c', '"a.b".*'), ('"a.b".c', 'a.b.*'), ('"a*"', '"a*"'), ('ab', '"a*"'), ('"!"."|"', '"!"."|"')
  ) AS v (t, p);
-- paths of any number of levels
SELECT count(*) FILTER (WHERE path ~ format('*.a{%s}', n)::pattern AND NOT path ~ format('*.a{%s}', n + 1)::pattern) AS all
  FROM generate_series(1, 300) AS n, LATERAL (SELECT (repeat('a.', n - 1) || 'a')::territory) AS s (path);
-- any case is what lower() says, whatever the collation of the database
SELECT t AS path, p AS pattern FROM (VALUES ('Île', 'ÎLE'), ('Île', 'ile'), ('ǅ', 'ǆ'), ('Ⱥ', 'ⱥ'), ('STRASSE', 'straße'), ('İ', 'i'), ('I', 'ı'), ('Σς', 'σΣ')) AS v (t, p)
 WHERE (t::territory ~ (p || '@')::pattern) <> (lower(t) = lower(p)) OR (t::territory ~ (left(p, 2) || '@*')::pattern) <> starts_with(lower(t), lower(left(p, 2)));
-- label queries
SELECT t AS path, q AS query, t::territory @ q::label_query AS satisfies
  FROM (VALUES
    ('', 'A'), ('', '!A'), ('A.B.C', 'B'), ('A.B.C', 'A & C'), ('A.B.C', 'A & X'), ('A.B.C', 'A & !X'), ('A.B.C', 'X | C'), ('A.B.C', 'X | Y'), ('A.B.C', '!(X | Y)'), ('A.B.C', '!(X & A)'),
    ('A.B.C', 'X & A | C'), ('A.B.C', 'X & (A | C)'), ('A.B.C', 'A | X & Y'), ('A.B.C', '(A | X) & Y'), ('A.B.C', 'X & A & B | C'), ('A.B.C', '!A | !X & B'), ('A.B.C', '!!A'),
    ('New York.Key accounts', 'new york@ & key% & acc%*'), ('New York.Key accounts', 'New & York'), ('New York.Key accounts', '"New York"'), ('"a.b"', 'a'), ('"a.b"', '"a.b"')
  ) AS v (t, q);
-- a label matches a term as a whole: not one word of it here and another one there
SELECT 'foo.bar'::territory @ 'foo_bar%' AS apart, 'foo_bar'::territory @ 'bar_foo%' AS together, 'foo.bar'::territory @ 'foo% & bar%' AS two_terms;

--
-- Arrays: NULL elements are passed over, dimensions do not matter
--

CREATE TEMP TABLE box (name text, paths territory[]);
INSERT INTO box VALUES ('two', '{A.B,C}'), ('a null', '{NULL,A.B,C}'), ('square', '{{X,A.B},{C,NULL}}'), ('root', '{""}'), ('nothing', '{}'), ('nulls', '{NULL,NULL}'), ('null', NULL);
SELECT name, paths @> 'A.B.C' AS "@>", paths <@ 'A' AS "<@", paths ~ 'A.*' AS "~", paths @ 'C | D' AS "@", paths ? '{X.Y,NULL,*.B}' AS "?",
       paths ?@> 'A.B.C' AS "?@>", paths ?<@ 'A' AS "?<@", paths ?~ '!A.*' AS "?~", paths ?@ 'C | D' AS "?@"
  FROM box;
-- mirror images, and the operators that use no index
SELECT name, 'A.B.C' <@ paths AS "<@", 'A' @> paths AS "@>", 'A.*'::pattern ~ paths AS "~", 'C | D'::label_query @ paths AS "@", '{X.Y,NULL,*.B}'::pattern[] ? paths AS "?",
       paths ^@> 'A.B.C' AS "^@>", paths ^<@ 'A' AS "^<@", paths ^~ 'A.*' AS "^~", paths ^@ 'C | D' AS "^@", paths ^? '{X.Y,NULL,*.B}' AS "^?"
  FROM box;
SELECT path ? '{}'::pattern[] AS none, path ? '{NULL}'::pattern[] AS null, path ? '{X,NULL,A.*}'::pattern[] AS one, '{{X},{A.*}}'::pattern[] ? path AS square
  FROM (VALUES ('A.B'::territory)) AS v (path);

-- every operator on patterns, label queries and arrays: with NULL on either side it is NULL; a commutator says the same
CREATE TEMP TABLE sample (type regtype, value text);
INSERT INTO sample VALUES ('territory', 'A'), ('pattern', 'A.*'), ('label_query', 'A'), ('territory[]', '{A,C}'), ('pattern[]', '{A.*}'), ('text', 'A');
CREATE FUNCTION pg_temp.apply(operator text, l text, r text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('SELECT (%s %s %s)::text', l, operator, r) INTO answer;
    RETURN coalesce(answer, 'NULL');
END
$$;
SELECT count(*) AS operators, count(*) FILTER (WHERE pg_temp.apply(oprname, 'NULL::' || l.type, format('%L::%s', r.value, r.type)) <> 'NULL') AS left_null,
       count(*) FILTER (WHERE pg_temp.apply(oprname, format('%L::%s', l.value, l.type), 'NULL::' || r.type) <> 'NULL') AS right_null,
       count(*) FILTER (WHERE pg_temp.apply(oprname, format('%L::%s', l.value, l.type), format('%L::%s', r.value, r.type)) = 'NULL') AS not_null
  FROM pg_operator JOIN sample AS l ON oprleft = l.type JOIN sample AS r ON oprright = r.type
 WHERE oprnamespace = 'territory'::regnamespace;
SELECT o.oid::regoperator AS operator, c.oid::regoperator AS mirror
  FROM pg_operator AS o JOIN pg_operator AS c ON c.oid = o.oprcom JOIN sample AS l ON o.oprleft = l.type JOIN sample AS r ON o.oprright = r.type
 WHERE o.oprnamespace = 'territory'::regnamespace
   AND pg_temp.apply(o.oprname, format('%L::%s', l.value, l.type), format('%L::%s', r.value, r.type))
       <> pg_temp.apply(c.oprname, format('%L::%s', r.value, r.type), format('%L::%s', l.value, l.type));
-- with parameters of type text, as drivers bind them: cast
PREPARE by_text(text, text, text) AS SELECT 'A.B'::territory ~ $1::pattern AS matches, 'A.B'::territory @ $2::label_query AS satisfies, 'A.B'::territory <@ $3 AS contained;
EXECUTE by_text('A.*', 'B & !C', 'A');
EXECUTE by_text('A..', 'B', 'A');

--
-- Plans
--

SELECT setseed(0.4);
CREATE TABLE place AS
    SELECT i, CASE WHEN i % 100 = 0 THEN NULL ELSE subpath(format('R%s.C%s.D %s', i % 5, i % 31, i % 997)::territory, 0, 1 + i % 3) END AS path FROM generate_series(1, 5000) AS i;
CREATE INDEX place_path ON place (path);
VACUUM ANALYZE place;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
-- a btree: one path; a subtree; what begins like that, which is to be filtered; a pattern that begins with anything
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.C2';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.C2.*';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE 'R1.C2*'::pattern ~ path;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.*.D 7';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.C2|C3';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.*{1,}';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.*{,9}';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ '~~*';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ '*';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.*'::text::pattern;
SET enable_seqscan = on;
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ '*.C2';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'r1@.*';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ^~ 'R1.C2';
SET enable_seqscan = off;
-- a pattern that is known only when the scan begins
-- a pattern that is a parameter: a plan for any pattern uses no btree, for it may begin with "*"; the usual plan, for the one at hand, does
PREPARE matches(pattern) AS SELECT count(*) FROM place WHERE path ~ $1;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE matches('R1.C2');
SET plan_cache_mode = force_custom_plan;
EXPLAIN (COSTS OFF) EXECUTE matches('R1.C2.*');
SET plan_cache_mode = force_generic_plan;
EXECUTE matches('R1.*');
EXECUTE matches('*.C2');
EXECUTE matches('*');
EXECUTE matches('');
EXECUTE matches(NULL);
RESET plan_cache_mode;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET enable_material = off;
EXPLAIN (COSTS OFF) SELECT count(*) FROM unnest('{R1.*,R2.C2,*.C3}'::pattern[]) AS q (pattern) JOIN place AS p ON p.path ~ q.pattern;
SELECT n, count(*) FROM unnest('{R1.*,R2.C2,*.C3,R3.C4*}'::pattern[]) WITH ORDINALITY AS q (pattern, n) JOIN place AS p ON p.path ~ q.pattern GROUP BY n ORDER BY n;
-- BRIN, GIN by labels
DROP INDEX place_path;
RESET enable_bitmapscan;
CREATE INDEX place_brin ON place USING brin (path) WITH (pages_per_range = 1);
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ 'R1.*.D 7';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path <@ 'R1.C2';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path @> 'R1.C2.D 3';
DROP INDEX place_brin;
CREATE INDEX place_labels ON place USING gin (path);
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ~ '*.C2.*';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path @ 'C2 & !R1';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE path ? '{*.C2,R1}';
EXPLAIN (COSTS OFF) SELECT i FROM place WHERE '{*.C2,R1}'::pattern[] ? path;
SELECT count(*) FILTER (WHERE path ^~ '*.C2.*') AS pattern, count(*) FILTER (WHERE path ^@ 'C2 & !R1') AS query, count(*) FILTER (WHERE path ^? '{*.C2,R1}') AS patterns,
       (SELECT count(*) FROM place WHERE path ~ '*.C2.*') AS by_index, (SELECT count(*) FROM place WHERE path @ 'C2 & !R1') AS by_index, (SELECT count(*) FROM place WHERE path ? '{*.C2,R1}') AS by_index
  FROM place;
-- labels that a key keeps only the beginning of are told apart, negated ones too
CREATE TABLE far AS SELECT label, label::territory AS path FROM generate_series(509, 513) AS n, unnest(ARRAY['a', 'b']) AS c, concat(repeat('x', n), c) AS label;
CREATE INDEX far_labels ON far USING gin (path);
SELECT length(f.label) AS n, (SELECT count(*) FROM far WHERE path @ f.label::label_query) AS query, (SELECT count(*) FROM far WHERE path @ ('!' || f.label)::label_query) AS negated,
       (SELECT count(*) FROM far WHERE path ~ f.label::pattern) AS pattern, (SELECT count(*) FROM far WHERE path ~ ('!' || f.label)::pattern) AS negated
  FROM far AS f WHERE f.label LIKE '%a' ORDER BY n;
DROP TABLE far;
-- GIN for arrays: all that it answers
CREATE TABLE crowd AS SELECT i, ARRAY[format('R%s.C%s', i % 5, i % 31), format('R%s', i % 7)]::territory[] AS paths FROM generate_series(1, 2000) AS i;
CREATE INDEX crowd_paths ON crowd USING gin (paths);
VACUUM ANALYZE crowd;
CREATE FUNCTION pg_temp.by_gin(condition text, OUT index text, OUT count bigint, OUT same boolean) LANGUAGE plpgsql AS $$
DECLARE
    line text;
    plainly bigint;
BEGIN
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) SELECT FROM crowd WHERE ' || condition LOOP
        index := coalesce(index, substring(line FROM 'Bitmap Index Scan on (\w+)'));
    END LOOP;
    EXECUTE 'SELECT count(*) FROM crowd WHERE ' || condition INTO count;
    -- an expression has no index
    EXECUTE 'SELECT count(*) FROM crowd WHERE ' || replace(condition, 'paths', '(paths || ''{}''::territory[])') INTO plainly;
    same := count = plainly;
END
$$;
SELECT * FROM unnest(ARRAY[
    $$paths && '{R1,R2.C3}'$$, $$paths @> '{R1,R2.C3}'::territory[]$$, $$paths <@ '{R1,R2.C2,R0.C0,NULL}'::territory[]$$, $$paths = '{R1.C1,R1}'$$,
    $$paths @> 'R1.C1.X'::territory$$, $$paths <@ 'R1.C1'::territory$$, $$paths ~ 'R1.*{1}'$$, $$paths @ 'C1 & !R1'$$, $$paths ? '{R1.C1,NULL,*.C3}'$$,
    $$'R1.C1.X' <@ paths$$, $$'R1.C1' @> paths$$, $$'R1.*{1}'::pattern ~ paths$$, $$'C1 & !R1'::label_query @ paths$$, $$'{R1.C1,NULL,*.C3}'::pattern[] ? paths$$
  ]) AS condition, pg_temp.by_gin(condition);
DROP TABLE place, crowd;

--
-- Time: items times levels, whatever the pattern; and it can be cancelled
--

SET statement_timeout = '60s';
SELECT path ~ '*.a.*.a.*.a.*.b' AS matches, path || 'b' ~ '*.a.*.a.*.a.*.b' AS matches_then, path ~ '*{2,}.a{3,}.!b{,65000}.a|b{1,}.*' AS counted, path ~ 'a{60000}' AS all, path ~ 'a{,59999}' AS fewer
  FROM (SELECT (repeat('a.', 59999) || 'a')::territory) AS s (path);
CREATE TEMP TABLE heavy AS SELECT (repeat('a.', 59999) || 'a')::territory AS path, (repeat('*.a.', 30000) || 'b')::pattern AS pattern,
    ('x' || repeat(' | x', 100000))::label_query AS query;
CREATE FUNCTION pg_temp.cancelled(condition text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('SELECT FROM heavy WHERE %s', condition);
    RETURN false;
EXCEPTION WHEN query_canceled THEN
    RETURN true;
END
$$;
SET statement_timeout = '100ms';
SELECT pg_temp.cancelled('path ~ pattern');
SELECT pg_temp.cancelled('path ? ARRAY[pattern]');
SELECT pg_temp.cancelled('ARRAY[path] ~ pattern');
SELECT pg_temp.cancelled('path @ query');
RESET statement_timeout;
