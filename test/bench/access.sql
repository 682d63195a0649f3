-- Accounts of the case access: each stands in one of 10,000 nodes of a tree of four levels, by hash. People: "rep" in 3
-- nodes with 165 below them, "boss" in all nodes at the top, "crowd" in 500 nodes anywhere; "other" asks by a setting.
SET client_min_messages = warning;
CREATE TABLE record (id bigint PRIMARY KEY, name text NOT NULL, country text NOT NULL, owner text);
SELECT territory.attach('record', mode => 'all');
INSERT INTO territory.node (path) SELECT from_levels(ARRAY['t' || a]) FROM generate_series(1, 5) a;
INSERT INTO territory.node (path) SELECT from_levels(ARRAY['t' || a, 'r' || b]) FROM generate_series(1, 5) a, generate_series(1, 8) b;
-- 40 x 4 nodes, each with 55 below it; 995 more to make 10,000
INSERT INTO territory.node (path) SELECT from_levels(ARRAY['t' || a, 'r' || b, 'u' || c]) FROM generate_series(1, 5) a, generate_series(1, 8) b, generate_series(1, 4) c;
INSERT INTO territory.node (path) SELECT from_levels(ARRAY['t' || a, 'r' || b, 'u' || c, 'v' || d]) FROM generate_series(1, 5) a, generate_series(1, 8) b, generate_series(1, 4) c, generate_series(1, 55) d;
INSERT INTO territory.node (path) SELECT from_levels(ARRAY['t1', 'x' || a]) FROM generate_series(1, 995) a;
SELECT count(*) = 10000 AS right FROM territory.node WHERE path ~ 't1|t2|t3|t4|t5.*' \gset
\if :right
\else
  \echo the tree has not 10,000 nodes
  \quit 3
\endif
CREATE TEMP TABLE place AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS number FROM territory.node WHERE path ~ 't1|t2|t3|t4|t5.*';
CREATE INDEX ON place (number);
ANALYZE place;
SET session_replication_role = replica;
INSERT INTO record SELECT i, 'Account ' || i, 'C' || i % 60, NULL FROM generate_series(1, :n) i;
-- past the engine, as a dump is restored: only the owner can
SET check_function_bodies = off;
SET search_path = '';
INSERT INTO public.record_territory (id, node_id, manual)
  SELECT r.id, p.id, true FROM public.record r JOIN pg_temp.place p ON p.number = ((pg_catalog.hashint8extended(r.id, 401) & 4294967295) * 10000) >> 32;
RESET check_function_bodies;
SET search_path = public, territory;
SET session_replication_role = origin;
INSERT INTO territory.member (node_id, member) SELECT node_id(p::territory), 'rep' FROM unnest('{t2.r1.u1,t3.r2.u2,t4.r3.u3}'::text[]) p;
INSERT INTO territory.member (node_id, member) SELECT id, 'boss' FROM territory.node WHERE parent_id IS NULL AND path ~ 't1|t2|t3|t4|t5';
INSERT INTO territory.member (node_id, member) SELECT id, 'crowd' FROM (SELECT id FROM place ORDER BY hashint8(number) LIMIT 500) x;
CREATE ROLE rep; CREATE ROLE boss; CREATE ROLE crowd;
GRANT SELECT ON record TO rep, boss, crowd;
-- the same rows, unprotected, and what people write by hand
CREATE TABLE bare (LIKE record INCLUDING ALL);
INSERT INTO bare SELECT * FROM record;
CREATE TABLE bare_territory (LIKE record_territory INCLUDING ALL);
INSERT INTO bare_territory SELECT * FROM record_territory;
GRANT SELECT ON bare, bare_territory TO rep, boss, crowd;
SELECT territory.protect('record');
VACUUM ANALYZE record; VACUUM ANALYZE record_territory; VACUUM ANALYZE bare; VACUUM ANALYZE bare_territory; VACUUM ANALYZE territory.node; VACUUM ANALYZE territory.member;
