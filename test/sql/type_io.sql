-- The text form and the binary form of paths: what is accepted, what is not, and where
SET search_path = public, territory;
SET client_encoding = 'UTF8';

-- good text: value, number of labels, labels
SELECT t, t::territory AS path, nlevel(t::territory), levels(t::territory)
  FROM unnest(ARRAY[
    '', 'A', 'A.B.C', 'EMEA.New York.Île-de-France."St. Louis"', '"A"', '"A B".C', '" A"', '"A "', '" "',
    '"a""b"', '""""', '"."', '日本.東京', 'É.é.ß.İ', '😀.😀', 'a-b_c/d(e)''f\g', '1.2.3', 'A B', 'NULL.null', '{}.,'
  ]) AS t;

-- bad text: state, message, detail, hint
CREATE FUNCTION pg_temp.complaint(t text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text;
    hint text;
BEGIN
    PERFORM t::territory;
    RETURN 'none';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN format(E'%s: %s\n%s\n%s', SQLSTATE, SQLERRM, detail, hint);
END
$$;
CREATE TEMP TABLE bad (id serial, t text);
INSERT INTO bad (t) VALUES
    ('.'), ('.A'), ('A.'), ('A..B'), ('""'), ('A."".B'),
    ('"'), ('"A'), ('A."B.C'), ('"A""'), ('"""'),
    ('A"B'), ('Île.A"B"'), ('A.B""'),
    ('"A"B'), ('"A" .B'), ('"A""B"C'),
    (' '), (' A'), ('A '), ('A. B'), ('Île .B'), (' "A"'), ('A.B '),
    (E'A\nB'), (E'\tA'), (E'A\x7f');
SELECT t, pg_temp.complaint(t) FROM bad ORDER BY id;
-- a literal: the position of the literal, then the position in it
SELECT 'EMEA.Benelux..Utrecht'::territory;
-- a message repeats the beginning of a long text, cut between characters
SELECT pg_temp.complaint(repeat('é.', 100) || '.');

-- every character that has a meaning, and every one below 128, in every place of a label
CREATE TEMP TABLE label AS
    SELECT prefix || chr(i) || suffix AS label
      FROM generate_series(1, 127) AS i, unnest(ARRAY['', 'a', ' ', '"']) AS prefix, unnest(ARRAY['', 'a', ' ', '"']) AS suffix
     UNION ALL
    SELECT prefix || c || suffix
      FROM unnest(ARRAY['é', '日', '😀', U&'\00a0', U&'\3000', U&'\0085']) AS c, unnest(ARRAY['', 'a', ' ', '"']) AS prefix,
           unnest(ARRAY['', 'a', ' ', '"']) AS suffix;
-- a label goes through the text form alone, in the middle and at both ends
SELECT count(*), count(*) FILTER (WHERE label(path::text::territory) = label AND path::text::territory = path
                                        AND nlevel(path) = 1 AND level(three::text::territory, 2) = label
                                        AND three::text::territory = three) AS same
  FROM label, child('', label) AS path, child(child('x', label), 'y') AS three;
-- quotes are there only if the text would not mean the same without them
SELECT count(*) AS quoted_without_need FROM label
 WHERE child('', label)::text <> label
   AND CASE WHEN pg_temp.complaint(label) = 'none' THEN levels(label::territory) = ARRAY[label] END;
SELECT count(*) AS unquoted_in_need FROM label
 WHERE child('', label)::text = label AND pg_temp.complaint(label) <> 'none';

-- limits of a label, in characters whatever their bytes; quotes do not count
SELECT length(c) * n AS chars, octet_length(c) * n AS bytes,
       left(pg_temp.complaint('A.' || repeat(c, n)), 95) AS plain, pg_temp.complaint('A."' || repeat(c, n - 1) || '"""') AS quoted
  FROM unnest(ARRAY['a', 'é', '日', '😀']) WITH ORDINALITY AS c (c, i), generate_series(999, 1001) AS n
 ORDER BY i, n;
-- limits of levels
SELECT n, CASE WHEN n <= 65535 THEN nlevel((repeat('a.', n - 1) || 'a')::territory)::text
          ELSE pg_temp.complaint(repeat('a.', n - 1) || 'a') END
  FROM unnest(ARRAY[65534, 65535, 65536, 65537, 131073]) AS n;
SELECT nlevel(path), path::text::territory = path AS same, octet_length(path::text)
  FROM (SELECT (repeat('"a"".".', 65534) || '"."')::territory AS path) AS s;

-- soft errors, where the server has them: the same verdict as hard ones
SELECT current_setting('server_version_num')::int >= 160000 AS soft \gset
\if :soft
SELECT bool_and(NOT pg_input_is_valid(t, 'territory.territory')) AS rejected FROM bad \gset
SELECT bool_and(pg_input_is_valid(child('', label)::text, 'territory.territory')) AS accepted FROM label \gset
SELECT NOT pg_input_is_valid(repeat('a.', 65535) || 'a', 'territory.territory') AND NOT pg_input_is_valid(repeat('a', 1001), 'territory.territory') AS limited \gset
\else
\set rejected t
\set accepted t
\set limited t
\endif
\echo :rejected :accepted :limited

-- binary form: a version byte and the text form
SELECT territory_send(''), territory_send('A."b.c"'), convert_from(substring(territory_send('Île') FROM 2), 'UTF8');
CREATE TEMP TABLE sent (path territory);
INSERT INTO sent SELECT child('x', label) FROM label;
INSERT INTO sent VALUES (''), (NULL), ((repeat('"a"".".', 65534) || '"."')::territory), (repeat('😀', 1000)::territory);
CREATE TEMP TABLE received (path territory);
COPY sent TO PROGRAM 'cat >territory_type_io.bin' (FORMAT binary);
COPY received FROM PROGRAM 'cat territory_type_io.bin && rm territory_type_io.bin' (FORMAT binary);
SELECT count(*) = (SELECT count(*) FROM sent) AS all_rows,
       (SELECT count(*) FROM (TABLE sent EXCEPT ALL TABLE received) AS lost) AS lost
  FROM received;

-- binary form from elsewhere: bytes of one value in hexadecimal
CREATE FUNCTION pg_temp.receive(bytes bytea) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message bytea := '\x5047434f50590aff0d0a000000000000000000' || '\x0001'::bytea || int4send(length(bytes)) || bytes || '\xffff'::bytea;
    octal text;
BEGIN
    SELECT string_agg(format('\%s%s%s', b / 64, b / 8 % 8, b % 8), '' ORDER BY i) INTO octal
      FROM generate_series(0, length(message) - 1) AS i, get_byte(message, i) AS b;
    DELETE FROM received;
    EXECUTE format('COPY received FROM PROGRAM %L (FORMAT binary)', format('printf ''%s''', octal));
    RETURN (SELECT path::text FROM received);
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE || ': ' || SQLERRM;
END
$$;
SELECT bytes, pg_temp.receive(bytes)
  FROM unnest(ARRAY['\x01', '\x01412e42', '\x01224122', '\x0122412e4222', '\x', '\x00', '\x00412e42', '\x02412e42', '\xff',
                    '\x01412e', '\x012e', '\x0122', '\x01410042', '\x01c3', '\x0141c328']::bytea[]) AS bytes;
SELECT pg_temp.receive('\x01' || convert_to(repeat('a', n), 'UTF8')) = repeat('a', n) AS accepted FROM generate_series(999, 1000) AS n;
SELECT pg_temp.receive('\x01' || convert_to(repeat('a', 1001), 'UTF8'));

-- values of all storage forms: short header, long header, compressed, out of line
CREATE TABLE stored (id int, path territory);
INSERT INTO stored SELECT n, (repeat('EMEA.', n) || 'x')::territory FROM unnest(ARRAY[0, 1, 20, 30, 500, 2000, 40000]) AS n;
ALTER TABLE stored ALTER path SET STORAGE external;
INSERT INTO stored SELECT -id, path || '' FROM stored;
SELECT a.id, a.path = b.path AS same, a.path <= b.path AND a.path @> b.path AS contains, nlevel(a.path) = nlevel(b.path) AND nlevel(a.path) = a.id + 1 AS levels,
       territory_hash(a.path) = territory_hash(b.path) AS hash, a.path::text = b.path::text AS text
  FROM stored AS a JOIN stored AS b ON a.id = -b.id AND (a.id > 0 OR a.ctid < b.ctid)
 ORDER BY a.id;
DROP TABLE stored;

-- bounds, once stored, are read as what they are
CREATE TABLE bound AS SELECT subtree_end(path) AS path FROM (VALUES (''::territory), ('A'), (repeat('x', 1000)::territory), (repeat('é', 1000)::territory)) AS v (path)
    UNION ALL SELECT pattern_end(p) FROM (VALUES ('*.a'::pattern), ('é*'), ((repeat('x', 1000) || '.*')::pattern)) AS v (p);
SELECT count(*), bool_and(path::text::territory = path) AS same FROM bound;
DROP TABLE bound;
