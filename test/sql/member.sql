-- territory.member: people in nodes
CREATE SCHEMA reg_member;
SET search_path = reg_member, territory, public;
SET DateStyle = 'ISO, YMD';
CREATE FUNCTION reg_member.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
INSERT INTO node (id, path) VALUES (9001, 'M'), (9002, 'M.North'), (9003, 'M.South');

-- the defaults, and all columns
INSERT INTO member (node_id, member) VALUES (9001, 'ann') RETURNING node_id, member, role, access, weight, capacity, starts, ends;
INSERT INTO member (node_id, member, role, access, weight, capacity, starts, ends) VALUES
  (9002, 'ann', 'manager', 'write', 0.5, 10, '2026-01-01', '2026-04-01'), (9002, 'ann', 'member', 'read', 0, 0, '2026-04-01', NULL),
  (9002, 'bob', 'member', 'write', 2, NULL, NULL, '2026-01-01');
SELECT node_id, member, role, access, weight, capacity, starts, ends FROM member ORDER BY id;

-- what a row may not say
SELECT err($$INSERT INTO member (node_id, member) VALUES (9001, '')$$) LIKE '23514: %' AS empty_name;
SELECT err($$INSERT INTO member (node_id, member) VALUES (9001, NULL)$$) LIKE '23502: %' AS no_name;
SELECT err($$INSERT INTO member (node_id, member) VALUES (NULL, 'x')$$) LIKE '23502: %' AS no_node;
SELECT err($$INSERT INTO member (node_id, member) VALUES (-1, 'x')$$);
SELECT err($$INSERT INTO member (node_id, member, role) VALUES (9001, 'x', 'boss')$$) LIKE '23514: %' AS role;
SELECT err($$INSERT INTO member (node_id, member, access) VALUES (9001, 'x', 'all')$$) LIKE '23514: %' AS access;
SELECT err($$INSERT INTO member (node_id, member, weight) VALUES (9001, 'x', -1)$$) LIKE '23514: %' AS weight,
       err($$INSERT INTO member (node_id, member, weight) VALUES (9001, 'x', 'NaN')$$) LIKE '23514: %' AS nan,
       err($$INSERT INTO member (node_id, member, weight) VALUES (9001, 'x', 'Infinity')$$) LIKE '23514: %' AS infinite,
       err($$INSERT INTO member (node_id, member, capacity) VALUES (9001, 'x', -1)$$) LIKE '23514: %' AS capacity;
SELECT err($$INSERT INTO member (node_id, member, starts, ends) VALUES (9001, 'x', '2026-01-02', '2026-01-02')$$) LIKE '23514: %' AS dates;
-- once at a time: the first day is in, the last one is not
SELECT err($$INSERT INTO member (node_id, member) VALUES (9001, 'ann')$$) LIKE '23505: %' AS twice;
SELECT err($$INSERT INTO member (node_id, member, starts) VALUES (9001, 'ann', '2030-01-01')$$);
SELECT err($$INSERT INTO member (node_id, member, starts, ends) VALUES (9002, 'ann', '2025-01-01', '2026-01-02')$$);
SELECT err($$INSERT INTO member (node_id, member, ends) VALUES (9002, 'ann', '2026-01-01')$$);
SELECT err($$UPDATE member SET ends = '2026-04-02' WHERE starts = '2026-01-01'$$);
SELECT err($$UPDATE member SET node_id = 9002 WHERE node_id = 9001$$);
-- a statement that ends one time and begins another, in either order
UPDATE member SET starts = CASE WHEN starts = '2026-01-01' THEN starts ELSE '2026-03-01' END, ends = CASE WHEN starts = '2026-01-01' THEN date '2026-03-01' END
 WHERE node_id = 9002 AND member = 'ann' AND starts IS NOT NULL;
SELECT member, starts, ends FROM member WHERE node_id = 9002 ORDER BY member, starts;

-- members go with their node, and follow it
UPDATE node SET path = 'M.South.North' WHERE path = 'M.North';
SELECT path, member, starts FROM member JOIN node ON node.id = node_id ORDER BY path, member, starts;
DELETE FROM node WHERE path = 'M.South.North';
SELECT path, member FROM member JOIN node ON node.id = node_id;
TRUNCATE member;
DELETE FROM node WHERE path <@ 'M';
CREATE TABLE other (id int);
SELECT err($$CREATE TRIGGER t AFTER INSERT ON other FOR EACH ROW EXECUTE FUNCTION territory.member_check(); INSERT INTO other VALUES (1)$$);
SET client_min_messages = warning;
DROP SCHEMA reg_member CASCADE;
