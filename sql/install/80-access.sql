-- Access: who sees and edits which records.

-- Who is asking.
CREATE FUNCTION member() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'territory_member';
COMMENT ON FUNCTION member() IS
    'who is asking: the database role (current_user), or what the setting that territory.identity names holds; null: nobody, who sees nothing';

CREATE FUNCTION visibility_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_visibility_changed';
COMMENT ON FUNCTION visibility_changed() IS 'trigger of territory.member, node and model: what people see is to be computed again';
REVOKE EXECUTE ON FUNCTION visibility_changed() FROM PUBLIC;
CREATE TRIGGER "20_visibility" AFTER INSERT OR UPDATE OR DELETE ON member FOR EACH ROW EXECUTE FUNCTION visibility_changed();
CREATE TRIGGER "20_visibility" AFTER INSERT OR UPDATE OR DELETE ON node FOR EACH ROW EXECUTE FUNCTION visibility_changed();
CREATE TRIGGER "20_visibility" AFTER INSERT OR UPDATE OR DELETE ON model FOR EACH ROW EXECUTE FUNCTION visibility_changed();
ALTER TABLE member ENABLE ALWAYS TRIGGER "20_visibility";
ALTER TABLE node ENABLE ALWAYS TRIGGER "20_visibility";
ALTER TABLE model ENABLE ALWAYS TRIGGER "20_visibility";

-- What policies consist of. They read the pairs whatever rights the asker has on them, and tell him of nothing else than
-- that he sees or edits a record, or a node. All that depends on memberships runs in the leader of a parallel query: workers
-- have no newer snapshot than the transaction's.
CREATE FUNCTION sees_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'territory_sees_support';
CREATE FUNCTION edits_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'territory_edits_support';
CREATE FUNCTION inserting_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'territory_inserting_support';
CREATE FUNCTION visible_keys_support(internal) RETURNS internal
    LANGUAGE c STABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'territory_visible_keys_support';
COMMENT ON FUNCTION sees_support(internal) IS 'planner support of territory.sees()';
COMMENT ON FUNCTION edits_support(internal) IS 'planner support of territory.edits()';
COMMENT ON FUNCTION inserting_support(internal) IS 'planner support of territory.inserting()';
COMMENT ON FUNCTION visible_keys_support(internal) IS 'planner support of territory.visible_keys()';

CREATE FUNCTION sees(assignment regclass, key anyelement) RETURNS bool
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 10 SUPPORT sees_support
    AS 'MODULE_PATHNAME', 'territory_sees';
COMMENT ON FUNCTION sees(regclass, anyelement) IS
    'does the record with this key stand in a territory that the one who is asking sees? The assignment table says of which table. For policies';
CREATE FUNCTION edits(assignment regclass, key anyelement) RETURNS bool
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 10 SUPPORT edits_support
    AS 'MODULE_PATHNAME', 'territory_edits';
COMMENT ON FUNCTION edits(regclass, anyelement) IS
    'does the record with this key stand in a territory where the one who is asking may write? The assignment table says of which table. For policies';
CREATE FUNCTION sees_node(node_id int) RETURNS bool
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'territory_sees_node';
COMMENT ON FUNCTION sees_node(int) IS 'does the one who is asking see the records of this node? For policies';
CREATE FUNCTION edits_node(node_id int) RETURNS bool
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'territory_edits_node';
COMMENT ON FUNCTION edits_node(int) IS 'may the one who is asking write the records of this node? For policies';
CREATE FUNCTION inserting(assignment regclass, key anyelement) RETURNS bool
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 10 SUPPORT inserting_support
    AS 'MODULE_PATHNAME', 'territory_inserting';
COMMENT ON FUNCTION inserting(regclass, anyelement) IS
    'has the record with this key no territories yet, in a statement that inserts records? For policies';
CREATE FUNCTION visible_keys(assignment regclass, example anyelement, writable bool) RETURNS anyarray
    LANGUAGE c STABLE PARALLEL RESTRICTED COST 10000 SUPPORT visible_keys_support
    AS 'MODULE_PATHNAME', 'territory_visible_keys';
COMMENT ON FUNCTION visible_keys(regclass, anyelement, bool) IS
    'the keys of all records that pass sees(), or (writable) edits(); by them an index finds the rows. The example, such as NULL::bigint, gives the type. Plans alone call it; to others it is null';

-- Protecting tables.
CREATE FUNCTION protect(object regclass) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'territory_protect';
COMMENT ON FUNCTION protect(regclass) IS
    'row-level security on an attached table, on its tables of pairs, and on the tables attached below it: records are seen by their owner, by members of their territories and of those above; edited by the owner, by managers and by members with access write. Only the table''s owner may';
CREATE FUNCTION unprotect(object regclass) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'territory_unprotect';
COMMENT ON FUNCTION unprotect(regclass) IS
    'undoes protect; row-level security stays on where the table has policies of others. Only the table''s owner may';

-- People and what they see.
CREATE FUNCTION my_nodes(OUT node_id int, OUT path territory, OUT role text, OUT access text, OUT starts date, OUT ends date)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 3 COST 1000
    AS 'MODULE_PATHNAME', 'territory_my_nodes';
COMMENT ON FUNCTION my_nodes() IS 'the territories of the active model in which the one who is asking is a member today';
CREATE FUNCTION visible_nodes(member text DEFAULT NULL, OUT node_id int, OUT path territory, OUT access text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 100 COST 1000
    AS 'MODULE_PATHNAME', 'territory_visible_nodes';
COMMENT ON FUNCTION visible_nodes(text) IS
    'the territories whose records a member sees, by default the one who is asking: his own and all below; access: read or write. About others it takes SELECT on member, node and model';
CREATE FUNCTION team(node territory, OUT member text, OUT role text, OUT access text, OUT path territory, OUT inherited bool) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 10 COST 1000
    AS 'MODULE_PATHNAME', 'territory_team';
COMMENT ON FUNCTION team(territory) IS
    'the people of a territory today; where it has no manager, those of the nearest territory above that has (inherited, path). For who sees the territory, or has SELECT on member, node and model';
CREATE FUNCTION why_visible(object regclass, key text, member text DEFAULT NULL,
                            OUT via text, OUT path territory, OUT member_path territory, OUT role text, OUT access text,
                            OUT sees bool, OUT edits bool, OUT note text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 3 COST 1000
    AS 'MODULE_PATHNAME', 'territory_why_visible';
COMMENT ON FUNCTION why_visible(regclass, text, text) IS
    'every way in which a member, by default the one who is asking, sees a record. via: owner; member (of path, where the record stands); above (of member_path, above path); administrator (note says why row-level security does not concern him); other policies; not protected; none';

-- Managers change what is below their territories, and nothing else.
CREATE FUNCTION node_subtree() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_subtree';
CREATE FUNCTION item_subtree() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_item_subtree';
COMMENT ON FUNCTION node_subtree() IS 'trigger of territory.node: holds managers to what is below their territories';
COMMENT ON FUNCTION item_subtree() IS 'trigger of territory.rule and territory.member: holds managers to what is below their territories';
REVOKE EXECUTE ON FUNCTION node_subtree(), item_subtree() FROM PUBLIC;
CREATE TRIGGER "15_subtree" BEFORE INSERT OR UPDATE OR DELETE ON node FOR EACH ROW EXECUTE FUNCTION node_subtree();
CREATE TRIGGER "05_subtree" BEFORE INSERT OR UPDATE OR DELETE ON rule FOR EACH ROW EXECUTE FUNCTION item_subtree();
CREATE TRIGGER "05_subtree" BEFORE INSERT OR UPDATE OR DELETE ON member FOR EACH ROW EXECUTE FUNCTION item_subtree();

CREATE FUNCTION grant_rights(role regrole, rights text) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'territory_grant_rights';
COMMENT ON FUNCTION grant_rights(regrole, text) IS
    'grants a role what it takes in schema territory. admin: everything; editor: to read everything and to change trees, rules, members, exclusions, checks and distributions; manager: to change nodes, rules and members below the territories that one manages, for people trusted with the values of the columns that rules read, of all records; reader: to read trees and views, those of forecasts too. As the caller''s GRANTs';
CREATE FUNCTION revoke_rights(role regrole) RETURNS void
    LANGUAGE c VOLATILE STRICT PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'territory_revoke_rights';
COMMENT ON FUNCTION revoke_rights(regrole) IS 'revokes all rights on tables and sequences of schema territory from a role';
