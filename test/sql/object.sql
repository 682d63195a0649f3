-- every object of the extension: a comment, honest flags, nothing that runs with its owner's rights
SET search_path = pg_catalog, territory;
-- member: the extension's objects
CREATE TEMP VIEW member AS
  SELECT d.classid, d.objid, i.type, i.identity, a.proname AS function
    FROM pg_extension e JOIN pg_depend d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
   CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, 0) i LEFT JOIN pg_proc a ON d.classid = 'pg_proc'::regclass AND a.oid = d.objid
   WHERE e.extname = 'territory';
-- without a comment (what PostgreSQL makes by itself apart: row and array types, sequences, operator families)
SELECT m.type, m.identity FROM member m
 WHERE obj_description(m.objid, (SELECT relname FROM pg_class WHERE oid = m.classid)) IS NULL
   AND m.type NOT IN ('sequence', 'index', 'toast table', 'schema', 'operator family')
   AND NOT (m.classid = 'pg_type'::regclass AND EXISTS (SELECT FROM pg_type t WHERE t.oid = m.objid AND (t.typelem <> 0 AND t.typlen = -1 AND t.typcategory = 'A' OR t.typrelid <> 0)))
 ORDER BY m.type, m.identity COLLATE "C";
SELECT obj_description(oid, 'pg_extension') IS NOT NULL AS extension FROM pg_extension WHERE extname = 'territory';
-- event triggers
SELECT evtname, evtenabled, obj_description(oid, 'pg_event_trigger') IS NOT NULL AS comment FROM pg_event_trigger WHERE evtname LIKE 'territory%' ORDER BY 1;
-- nothing else in the schema, and nothing of ours elsewhere
SELECT p.oid::regprocedure FROM pg_proc p WHERE p.pronamespace = 'territory'::regnamespace AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_proc'::regclass AND m.objid = p.oid);
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'territory'::regnamespace AND c.relkind NOT IN ('i', 't') AND NOT EXISTS (SELECT FROM member m WHERE m.classid = 'pg_class'::regclass AND m.objid = c.oid);
SELECT m.type, m.identity FROM member m WHERE m.identity !~ 'territory' AND m.type <> 'cast';
-- no function with its owner's rights; none that anybody could mistake for leakproof; no window functions
SELECT p.oid::regprocedure FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass WHERE p.prosecdef OR p.prokind = 'w';
SELECT p.oid::regprocedure FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass WHERE p.proleakproof ORDER BY p.oid::regprocedure::text COLLATE "C";
-- functions with internal arguments: only receive and support functions, which SQL cannot call
SELECT p.oid::regprocedure FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass WHERE 'internal'::regtype = ANY (p.proargtypes::oid[]) ORDER BY p.oid::regprocedure::text COLLATE "C";
SELECT t.typname FROM member m JOIN pg_type t ON t.oid = m.objid AND m.classid = 'pg_type'::regclass WHERE t.typtype = 'b' AND t.typelem = 0 AND (t.typreceive = 0 OR t.typsend = 0);
-- no aggregate keeps internal state
SELECT a.aggfnoid::regprocedure FROM pg_aggregate a JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = a.aggfnoid WHERE a.aggtranstype = 'internal'::regtype;
-- functions of SQL: their search_path is fixed, or their body is parsed
SELECT p.oid::regprocedure, l.lanname FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass JOIN pg_language l ON l.oid = p.prolang
 WHERE l.lanname <> 'c' AND p.prokind <> 'a' AND p.prosqlbody IS NULL AND NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog, pg_temp%', false);
-- volatility, parallel safety and strictness of what people call
SELECT p.oid::regprocedure AS function, p.provolatile, p.proparallel, p.proisstrict
  FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass
 WHERE p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype) AND (p.provolatile <> 'i' OR p.proparallel <> 's')
 ORDER BY p.proname COLLATE "C", p.oid::regprocedure::text COLLATE "C";
-- the immutable ones read no table; all are parallel safe
SELECT count(*) > 0 AS some FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass WHERE p.provolatile = 'i' AND p.proparallel = 's';
-- who may execute: everybody, but for the triggers of our own tables
SELECT p.oid::regprocedure FROM member m JOIN pg_proc p ON p.oid = m.objid AND m.classid = 'pg_proc'::regclass
 WHERE NOT EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0) ORDER BY p.oid::regprocedure::text COLLATE "C";
-- views: as their caller, and no barrier to be looked behind
SELECT c.relname, c.reloptions FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass WHERE c.relkind = 'v' ORDER BY 1;
-- tables: what pg_dump takes along; a sequence for each that has one
SELECT c.relname, c.relkind, c.oid = ANY (e.extconfig) AS dumped FROM pg_extension e, member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass
 WHERE e.extname = 'territory' AND c.relkind IN ('r', 'S') ORDER BY c.relname COLLATE "C";
-- columns of types that pg_upgrade refuses
SELECT a.attrelid::regclass, a.attname, a.atttypid::regtype FROM member m JOIN pg_attribute a ON m.classid = 'pg_class'::regclass AND a.attrelid = m.objid AND a.attnum > 0 JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
 WHERE a.atttypid IN ('oid'::regtype, 'regproc'::regtype, 'regprocedure'::regtype, 'regoper'::regtype, 'regoperator'::regtype, 'regconfig'::regtype, 'regdictionary'::regtype, 'regnamespace'::regtype, 'regcollation'::regtype, 'regclass'::regtype, 'regtype'::regtype, 'regrole'::regtype) ORDER BY 1, a.attnum;
-- columns without a comment are those that explain themselves: id, name, description and references
SELECT a.attrelid::regclass AS table, a.attname FROM member m JOIN pg_class c ON c.oid = m.objid AND m.classid = 'pg_class'::regclass AND c.relkind = 'r' JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE col_description(a.attrelid, a.attnum) IS NULL AND a.attname NOT IN ('id', 'name', 'description', 'object', 'kind', 'active', 'note', 'who', 'started') AND a.attname NOT LIKE '%\_id' ORDER BY 1, 2;
-- triggers on our tables: those that fire always
SELECT t.tgrelid::regclass AS table, t.tgname, t.tgenabled FROM member m JOIN pg_trigger t ON m.classid = 'pg_class'::regclass AND t.tgrelid = m.objid WHERE NOT t.tgisinternal AND t.tgenabled <> 'O' ORDER BY t.tgrelid::regclass::text COLLATE "C", t.tgname COLLATE "C";
-- foreign keys have an index behind them
SELECT c.conrelid::regclass, c.conname FROM member m JOIN pg_constraint c ON m.classid = 'pg_class'::regclass AND c.conrelid = m.objid AND c.contype = 'f'
 WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1]) ORDER BY 1, 2;
-- operator classes are what the access methods expect
SELECT o.opcname, a.amname, amvalidate(o.oid) FROM member m JOIN pg_opclass o ON o.oid = m.objid AND m.classid = 'pg_opclass'::regclass JOIN pg_am a ON a.oid = o.opcmethod ORDER BY 1, 2;
-- operators: commutators and negators are each other's, estimators are there
SELECT o.oid::regoperator FROM member m JOIN pg_operator o ON o.oid = m.objid AND m.classid = 'pg_operator'::regclass LEFT JOIN pg_operator n ON n.oid = o.oprnegate LEFT JOIN pg_operator c ON c.oid = o.oprcom
 WHERE n.oprnegate <> o.oid OR c.oprcom <> o.oid OR o.oprcode = 0 OR o.oprresult = 'bool'::regtype AND (o.oprrest = 0 OR o.oprjoin = 0) ORDER BY o.oid::regoperator::text COLLATE "C";
-- the extension goes without a trace, and comes again
BEGIN;
DROP EXTENSION territory;
SELECT count(*) FROM pg_class WHERE relnamespace IN (SELECT oid FROM pg_namespace WHERE nspname = 'territory');
SELECT count(*) FROM pg_namespace WHERE nspname = 'territory';
SELECT count(*) FROM pg_event_trigger WHERE evtname LIKE 'territory%';
CREATE EXTENSION territory;
SELECT name, state FROM territory.model;
CREATE TABLE public.reg_object (id int PRIMARY KEY, country text);
SELECT territory.attach('public.reg_object');
INSERT INTO territory.node (path) VALUES ('O');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('O'), 'public.reg_object', $$country = 'NL'$$);
INSERT INTO public.reg_object VALUES (1, 'NL'), (2, 'BE');
SELECT key, path FROM territory.assignment;
-- not while tables are attached, unless with CASCADE, which leaves users' tables alone
SAVEPOINT s;
DROP EXTENSION territory;
ROLLBACK TO s;
SET client_min_messages = warning;
DROP EXTENSION territory CASCADE;
RESET client_min_messages;
SELECT count(*) FROM public.reg_object;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'public.reg_object'::regclass;
INSERT INTO public.reg_object VALUES (3, 'NL');
SELECT id FROM public.reg_object_territory;
ROLLBACK;
-- in the same session as before
INSERT INTO territory.node (path) VALUES ('O');
DELETE FROM territory.node;
-- nowhere else than in its schema, and only once
CREATE SCHEMA reg_object;
ALTER EXTENSION territory SET SCHEMA reg_object;
CREATE EXTENSION territory;
DROP SCHEMA reg_object;
DROP VIEW member;
