-- territory.rollup: text and binary form, operators, each()
SET search_path = public, territory;

-- text form: tree order, scales kept, JSON
SELECT '{}'::rollup;
SELECT ' { } '::rollup;
SELECT '{"EMEA.NL": [3, 1500.00], "": [1, -0.5], "APAC": [2, 1e3]}'::rollup;
SELECT E'\t{"b":[1,2],\n"a.b" : [ -1 , 2.50 ] ,"a":[0,7],"a c":[1,1]}\r\n'::rollup;
SELECT '{"EMEA.\"St. Louis\"": [1, 2.00], "\u0045MEA.x\/y": [1, 2]}'::rollup;
SELECT '{"a": [1, "NaN"], "b": [1, "Infinity"], "c": [1, "-Infinity"]}'::rollup;
SELECT '{"a": [1, 0.00000000000000000000000000000001], "b": [1, 99999999999999999999999999999999.5]}'::rollup;
SELECT '{"a": [9223372036854775807, 0], "b": [-9223372036854775808, 0]}'::rollup;
-- the output is JSON
SELECT jsonb_pretty('{"EMEA.\"St. Louis\"": [3, 1500.00], "a": [1, "NaN"]}'::rollup::text::jsonb);
-- an entry with neither count nor sum is none
SELECT '{"a": [0, 0.00], "b": [0, 1], "c": [1, 0.000]}'::rollup;

-- bad text
SELECT ''::rollup;
SELECT 'x'::rollup;
SELECT '{'::rollup;
SELECT '{"a"'::rollup;
SELECT '{"a'::rollup;
SELECT '{a: [1, 2]}'::rollup;
SELECT '{"a" [1, 2]}'::rollup;
SELECT '{"a": 1, 2}'::rollup;
SELECT '{"a": [1.5, 2]}'::rollup;
SELECT '{"a": [x, 2]}'::rollup;
SELECT '{"a": [1]}'::rollup;
SELECT '{"a": [1, ]}'::rollup;
SELECT '{"a": [1, 2.]}'::rollup;
SELECT '{"a": [1, 2e]}'::rollup;
SELECT '{"a": [1, NaN]}'::rollup;
SELECT '{"a": [1, "12"]}'::rollup;
SELECT '{"a": [1, 2, 3]}'::rollup;
SELECT '{"a": [1, 2]'::rollup;
SELECT '{"a": [1, 2],}'::rollup;
SELECT '{"a": [1, 2] "b": [1, 2]}'::rollup;
SELECT '{"a": [1, 2]} x'::rollup;
SELECT '{"a\x": [1, 2]}'::rollup;
SELECT '{"\u00g0": [1, 2]}'::rollup;
SELECT '{"\u0000": [1, 2]}'::rollup;
SELECT '{"\ud800": [1, 2]}'::rollup;
SELECT '{"\udc00": [1, 2]}'::rollup;
SELECT '{"\ud800\u0041": [1, 2]}'::rollup;
SELECT '{"a": [9223372036854775808, 2]}'::rollup;
SELECT '{"a": [1, 1e1000000]}'::rollup;
-- a path twice, also in another spelling
SELECT '{"a": [1, 2], "b": [1, 2], "a": [3, 4]}'::rollup;
SELECT '{"a": [0, 0], "\u0061": [3, 4]}'::rollup;
-- a bad path has the error of the path
\set VERBOSITY sqlstate
SELECT '{"a..b": [1, 2]}'::rollup;
\set VERBOSITY default
-- errors are soft where the server has such (16 and newer)
\set ECHO none
SELECT format($$SELECT bool_or(%s) AS valid FROM unnest(ARRAY['{"a', '{"a": [x]}', '{"a": [1, 1e1000000]}', '{"a..b": [1, 2]}', '{"a": [9223372036854775808, 2]}', '{"a": [1, 2], "a": [1, 2]}']) t$$,
  CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'pg_input_is_valid(t, ''territory.rollup'')' ELSE 'false' END) \gexec
\set ECHO all

-- binary form: what is sent is received
CREATE TABLE rollup_value (id int, r rollup);
INSERT INTO rollup_value VALUES
  (1, '{}'),
  (2, '{"EMEA.NL": [3, 1500.00], "": [1, -0.5], "EMEA.\"St. Louis\"": [-2, 1e30]}'),
  (3, '{"a": [1, "NaN"], "b": [1, "Infinity"], "c": [1, "-Infinity"]}'),
  (4, NULL);
CREATE TABLE rollup_copy (LIKE rollup_value);
\copy rollup_value TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_copy FROM 'results/rollup.bin' (FORMAT binary)
SELECT v.id, v.r::text IS NOT DISTINCT FROM c.r::text AS text_same,
       rollup_send(v.r) IS NOT DISTINCT FROM rollup_send(c.r) AS binary_same
FROM rollup_value v JOIN rollup_copy c USING (id) ORDER BY id;
SELECT rollup_send('{"a": [1, 2.5]}');

-- bad binary forms; a bytea is sent as it is, so a copy feeds it to the receive function
CREATE TABLE rollup_message (r rollup);
-- good: {"a": [1, 2.5]}
\copy (SELECT '\x01 00000001 00000001 61 0000000000000001 0000000c 0002 0000 0000 0001 0002 1388'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
SELECT * FROM rollup_message;
-- nothing at all
\copy (SELECT '\x'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- version
\copy (SELECT '\x02 00000000'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- more entries than there are
\copy (SELECT '\x01 ffffffff'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- bytes after the last entry
\copy (SELECT '\x01 00000000 00'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- length of a path: negative, too large
\copy (SELECT '\x01 00000001 ffffffff 61'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
\copy (SELECT '\x01 00000001 7fffffff 61'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- path with needless quotes
\copy (SELECT '\x01 00000001 00000003 226122 0000000000000001 0000000c 0002 0000 0000 0001 0002 1388'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- length of a sum: negative, too short, too long
\copy (SELECT '\x01 00000001 00000001 61 0000000000000001 80000000 0002 0000 0000 0001 0002 1388'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
\copy (SELECT '\x01 00000001 00000001 61 0000000000000001 0000000a 0002 0000 0000 0001 0002 1388'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
\copy (SELECT '\x01 00000001 00000001 61 0000000000000001 0000000d 0002 0000 0000 0001 0002 1388 00'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- sum with a leading zero digit
\copy (SELECT '\x01 00000001 00000001 61 0000000000000001 0000000e 0003 0001 0000 0001 0000 0002 1388'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- neither count nor sum
\copy (SELECT '\x01 00000001 00000001 61 0000000000000000 00000008 0000 0000 0000 0000'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
-- a path twice, paths out of order
\copy (SELECT '\x01 00000002 00000001 61 0000000000000001 00000008 0000 0000 0000 0000 00000001 61 0000000000000001 00000008 0000 0000 0000 0000'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
\copy (SELECT '\x01 00000002 00000001 62 0000000000000001 00000008 0000 0000 0000 0000 00000001 61 0000000000000001 00000008 0000 0000 0000 0000'::bytea) TO 'results/rollup.bin' (FORMAT binary)
\copy rollup_message FROM 'results/rollup.bin' (FORMAT binary)
SELECT count(*) FROM rollup_message;

-- totals, with every ancestor, the root first
SELECT * FROM each('{"EMEA.NL": [3, 1500.00], "A.B.C": [1, 1], "EMEA.NL.x": [2, 2.5], "EMEA.BE": [2, 2]}');
SELECT * FROM each('{"": [1, 7.0]}');
SELECT * FROM each('{}');
SELECT * FROM each(NULL);
SELECT * FROM each('{"a.b": [1, "Infinity"], "a.c": [1, "-Infinity"], "d": [1, "Infinity"], "e": [1, 1]}');
-- order is by label: a name that starts another does not come between
SELECT path, total_sum FROM each('{"a": [1, 1], "a b": [1, 1], "a.c": [1, 1], "aa": [1, 1]}');
SELECT * FROM each('{"a.b": [9223372036854775807, 1], "a.c": [1, 1]}');

-- sum and count of a subtree
SELECT p, r -> p::territory AS sum, subtree_count(r, p::territory) AS count
FROM (VALUES (''), ('EMEA'), ('EMEA.NL'), ('EMEA.NL.x'), ('EME'), ('EMEA.N'), ('zz')) AS v (p),
     (VALUES ('{"EMEA.NL": [3, 1500.00], "EMEA.NL.x": [2, 2.5], "EMEA.NLD": [1, 1], "A": [1, 1]}'::rollup)) AS t (r);
SELECT '{"a": [1, 2]}'::rollup -> 'a', '{}'::rollup -> '', NULL::rollup -> 'a', '{}'::rollup -> NULL;

-- plus and minus
SELECT '{"a": [1, 2.5], "c": [1, 1]}'::rollup + '{"a": [2, 1.25], "b": [1, 1]}';
SELECT '{"a": [1, 2.5], "c": [1, 1]}'::rollup - '{"a": [1, 2.50], "b": [1, 1]}';
SELECT '{"a": [1, 2.5]}'::rollup - '{"a": [1, 2.5]}', '{"a": [-1, -2]}'::rollup + '{"a": [1, 2.00]}';
SELECT '{"a": [1, "Infinity"], "b": [1, "NaN"]}'::rollup - '{"a": [1, "Infinity"], "b": [1, "NaN"]}';
SELECT r + r, r - r, r + r - r FROM (VALUES ('{"a": [1, 2.5], "b": [1, 3]}'::rollup)) AS v (r);
SELECT '{}'::rollup + NULL;
SELECT '{"a": [9223372036854775807, 1]}'::rollup + '{"a": [1, 1]}';
SELECT '{"a": [-9223372036854775808, 1]}'::rollup - '{"a": [1, 1]}';
SELECT '{"a": [1, 9e131071]}'::rollup + '{"a": [1, 9e131071]}';

-- equality and hash: scale does not matter, all else does
SELECT a = b AS eq, a <> b AS ne, rollup_hash(a) = rollup_hash(b) AS hash,
       rollup_hash_extended(a, 7) = rollup_hash_extended(b, 7) AS hash_extended
FROM (VALUES ('{}'::rollup, '{}'::rollup), ('{"a": [1, 2]}', '{"a": [1, 2.00]}'), ('{"a": [1, "NaN"]}', '{"a": [1, "NaN"]}'),
             ('{"a": [1, 2]}', '{"a": [2, 2]}'), ('{"a": [1, 2]}', '{"a": [1, 3]}'),
             ('{"a": [1, 2]}', '{"b": [1, 2]}'), ('{"a": [1, 2]}', '{"a": [1, 2], "b": [1, 1]}')) AS v (a, b);
SELECT count(*) FROM (SELECT DISTINCT r FROM (VALUES ('{"a": [1, 2]}'::rollup), ('{"a": [1, 2.0]}'), ('{"b": [1, 2]}')) AS v (r)) AS d;

-- in PL/pgSQL: a value that was copied stays, and so does one whose change fails
DO $$
DECLARE
  r rollup := '{}';
  before rollup;
BEGIN
  FOR i IN 1..1000 LOOP
    r := r + format('{"a.n%s": [1, %s.5]}', i % 10, i)::rollup;
  END LOOP;
  RAISE NOTICE '% % %', r -> '', subtree_count(r, ''), r -> 'a.n3';
  r := r + r;
  before := r;
  BEGIN
    r := r + '{"a.n1": [1, 9e131071], "a.n3": [9223372036854775807, 1]}';
  EXCEPTION WHEN numeric_value_out_of_range THEN
    RAISE NOTICE '%', SQLERRM;
  END;
  RAISE NOTICE '% %', r = before, r -> '';
  r := r - r;
  RAISE NOTICE '% %', r, subtree_count(before, '');
END $$;

-- stored out of line, compressed and not
CREATE TABLE rollup_large (r rollup);
INSERT INTO rollup_large
  SELECT ('{' || string_agg(format('"node %s.leaf %s": [1, %s.25]', i % 50, i, i), ', ') || '}')::rollup FROM generate_series(1, 5000) i;
ALTER TABLE rollup_large ALTER r SET STORAGE external;
INSERT INTO rollup_large SELECT r + '{}' FROM rollup_large;
SELECT count(*) AS rows, count(DISTINCT r::text) AS texts, min(r -> ''), max(r -> 'node 7') FROM rollup_large;
SELECT (SELECT count(*) FROM each(r)) AS nodes FROM rollup_large;

DROP TABLE rollup_value, rollup_copy, rollup_message, rollup_large;
