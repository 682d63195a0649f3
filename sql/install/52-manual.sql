-- By hand: what people decide about single records.
--
-- Whoever may UPDATE a record may call these on it: they lock it by a statement
-- of the caller's own, so that privileges and row-level security hold.

CREATE FUNCTION assign(object regclass, key text, node territory) RETURNS bool
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'territory_assign';
CREATE FUNCTION assign(object regclass, keys text[], node territory) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'territory_assign_many';
CREATE FUNCTION unassign(object regclass, key text, node territory) RETURNS bool
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'territory_unassign';
CREATE FUNCTION unassign(object regclass, keys text[], node territory) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'territory_unassign_many';
CREATE FUNCTION exclude(object regclass, key text, node territory DEFAULT NULL, note text DEFAULT NULL) RETURNS bool
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'territory_exclude';
CREATE FUNCTION exclude(object regclass, keys text[], node territory DEFAULT NULL, note text DEFAULT NULL) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'territory_exclude_many';
CREATE FUNCTION include(object regclass, key text, node territory DEFAULT NULL) RETURNS bool
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 1000 AS 'MODULE_PATHNAME', 'territory_include';
CREATE FUNCTION include(object regclass, keys text[], node territory DEFAULT NULL) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 10000 AS 'MODULE_PATHNAME', 'territory_include_many';

COMMENT ON FUNCTION assign(regclass, text, territory) IS
    'puts a record into a node by hand, where it stays whatever the rules say; whether that is new. An excluded record is refused';
COMMENT ON FUNCTION assign(regclass, text[], territory) IS
    'puts records into a node by hand, all or none of them; returns how many are new there by hand. The error names all that cannot be';
COMMENT ON FUNCTION unassign(regclass, text, territory) IS
    'takes a record that was put into a node by hand out again, unless a rule gives it as well; whether it was there by hand. One that is there by a rule alone is refused';
COMMENT ON FUNCTION unassign(regclass, text[], territory) IS
    'takes records that were put into a node by hand out again, all or none of them; returns how many were there by hand';
COMMENT ON FUNCTION exclude(regclass, text, territory, text) IS
    'keeps a record out of a node (null: out of every node), and takes it out where it is by hand; whether that, or the note, is new';
COMMENT ON FUNCTION exclude(regclass, text[], territory, text) IS
    'keeps records out of a node (null: out of every node), all or none of them; returns for how many that, or the note, is new';
COMMENT ON FUNCTION include(regclass, text, territory) IS
    'takes back what exclude did with the same node (null: every node); whether there was such an exclusion';
COMMENT ON FUNCTION include(regclass, text[], territory) IS
    'takes back what exclude did with the same node (null: every node), for all or none of the records; returns how many exclusions there were';

-- The caller needs the rights of the statements that it stands for: DELETE and
-- UPDATE on node, rule and member.
CREATE FUNCTION drop_node(path territory, transfer_to territory DEFAULT NULL, model text DEFAULT NULL,
                          OUT deleted bigint, OUT children bigint, OUT rules bigint, OUT members bigint, OUT pairs bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'territory_drop_node';
COMMENT ON FUNCTION drop_node(territory, territory, text) IS
    'deletes a node. transfer_to: its children, rules, members and the records that stand in it by hand go to that node of the same model, and what the rules of either concern is evaluated once; else all below it goes with it, unless records stand there by hand. Returns how many nodes it deleted, and of its children, rules, members and pairs by hand how many it moved, or (rules, members) deleted';
