-- Assignment: attaching tables, the triggers on them, re-assignment on changes.

-- Triggers of attached tables and of their assignment tables. Whoever writes a
-- record needs no rights here.
CREATE FUNCTION statement_begin() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_statement_begin';
CREATE FUNCTION statement_end() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_statement_end';
CREATE FUNCTION record_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_record_changed';
CREATE FUNCTION records_truncated() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_records_truncated';
CREATE FUNCTION assignment_guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_assignment_guard';
COMMENT ON FUNCTION statement_begin() IS 'trigger of attached tables: a statement begins';
COMMENT ON FUNCTION statement_end() IS 'trigger of attached tables: evaluates and writes what the statement touched';
COMMENT ON FUNCTION record_changed() IS 'trigger of attached tables: notes a touched record';
COMMENT ON FUNCTION records_truncated() IS 'trigger of attached tables: removes the pairs of truncated records';
CREATE FUNCTION assignment_ended() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_assignment_ended';
COMMENT ON FUNCTION assignment_ended() IS 'trigger of assignment tables: keeps what pairs were that a foreign key of yours removed';
COMMENT ON FUNCTION assignment_guard() IS 'trigger of assignment tables: only the engine writes there';

CREATE FUNCTION attach(object regclass, kind text DEFAULT 'account', key text DEFAULT NULL, mode text DEFAULT 'deepest',
                       parent regclass DEFAULT NULL, parent_key text DEFAULT NULL,
                       owner text DEFAULT NULL, amount text DEFAULT NULL, close_date text DEFAULT NULL, category text DEFAULT NULL,
                       closed text DEFAULT 'freeze', family text DEFAULT NULL, family_mode text DEFAULT 'unmatched',
                       probability text DEFAULT NULL, currency text DEFAULT NULL, stage text DEFAULT NULL, created text DEFAULT NULL)
    RETURNS regclass
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'territory_attach';
COMMENT ON FUNCTION attach(regclass, text, text, text, regclass, text, text, text, text, text, text, text, text, text, text, text, text) IS
    'attaches a table: makes <table>_territory beside it and the triggers on it; returns the former. Only the table''s owner may. kind: account, lead, contact or deal. key: a column that identifies records, by default the primary key. mode: deepest, all or first. parent, parent_key: of contacts and deals, the attached table above and the column that holds its key. owner, amount, close_date, category, probability, currency, stage, created: columns or expressions. closed: freeze or follow. family: the column that holds the key of the record above in the same table; family_mode: unmatched, all or none';

CREATE FUNCTION detach(object regclass) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE
    AS 'MODULE_PATHNAME', 'territory_detach';
COMMENT ON FUNCTION detach(regclass) IS
    'undoes attach: drops the triggers, the assignment table and the history, deletes the table''s rules and exclusions. Only the table''s owner may';

CREATE FUNCTION match(object regclass, record anyelement, OUT node_id int, OUT rule_id int) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE ROWS 2 COST 100
    AS 'MODULE_PATHNAME', 'territory_match';
COMMENT ON FUNCTION match(regclass, anyelement) IS
    'the nodes that a row of the table would get by its rules and exclusions, each with the lowest of its matching rules; writes nothing';

CREATE FUNCTION run(object regclass, under territory DEFAULT NULL, "only" text DEFAULT NULL,
                    OUT rows_read bigint, OUT added bigint, OUT removed bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'territory_run';
COMMENT ON FUNCTION run(regclass, territory, text) IS
    're-evaluates the records that stand: all, those that a subtree (under) may concern, or those for which a SQL condition (only) holds; writes what differs, and a row of territory.run_log';

CREATE FUNCTION verify(object regclass, OUT key text, OUT node_id int, OUT stored bool, OUT computed bool) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'territory_verify';
COMMENT ON FUNCTION verify(regclass) IS
    'pairs where what is stored differs from a brute-force evaluation of the criteria as plain SQL; none is right. Both true: the pair is right, its rule_id is not';

-- Changes of rules, nodes, models, objects and exclusions.
CREATE FUNCTION reassign_rules() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_reassign_rules';
CREATE FUNCTION reassign_nodes() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_reassign_nodes';
CREATE FUNCTION reassign_models() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_reassign_models';
CREATE FUNCTION reassign_objects() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_reassign_objects';
CREATE FUNCTION reassign_exclusions() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_reassign_exclusions';
CREATE FUNCTION exclusion_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_exclusion_check';
CREATE FUNCTION exclusion_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_exclusion_changed';
CREATE FUNCTION node_guard_assignments() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_guard_assignments';
CREATE FUNCTION object_guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_object_guard';
COMMENT ON FUNCTION reassign_rules() IS 'trigger of territory.rule: re-assigns the records that changed rules concern';
COMMENT ON FUNCTION reassign_nodes() IS 'trigger of territory.node: re-assigns the records that moved nodes concern';
COMMENT ON FUNCTION reassign_models() IS 'trigger of territory.model: re-assigns all records';
COMMENT ON FUNCTION reassign_objects() IS 'trigger of territory.object: re-assigns all records when the mode changes';
COMMENT ON FUNCTION reassign_exclusions() IS 'trigger of territory.exclusion: re-assigns the records named';
COMMENT ON FUNCTION exclusion_check() IS 'trigger of territory.exclusion: the table must be attached, the key one of its type';
COMMENT ON FUNCTION exclusion_changed() IS 'trigger of territory.exclusion: whether there are any is to be looked up again';
COMMENT ON FUNCTION node_guard_assignments() IS 'trigger of territory.node: a node that records hold stays';
COMMENT ON FUNCTION object_guard() IS 'trigger of territory.object: only attach and detach add and remove rows';

CREATE TRIGGER "30_reassign_insert" AFTER INSERT ON rule REFERENCING NEW TABLE AS new_rule
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_rules();
CREATE TRIGGER "30_reassign_update" AFTER UPDATE ON rule REFERENCING OLD TABLE AS old_rule NEW TABLE AS new_rule
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_rules();
CREATE TRIGGER "30_reassign_delete" AFTER DELETE ON rule REFERENCING OLD TABLE AS old_rule
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_rules();

CREATE TRIGGER "15_guard_assignments" AFTER DELETE ON node
    FOR EACH ROW EXECUTE FUNCTION node_guard_assignments();
CREATE TRIGGER "30_reassign" AFTER UPDATE ON node REFERENCING OLD TABLE AS old_node NEW TABLE AS new_node
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_nodes();
CREATE TRIGGER "30_reassign" AFTER UPDATE ON model
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_models();

CREATE TRIGGER "00_guard" BEFORE INSERT OR DELETE OR UPDATE OF object, key_column, assignment, past, parent, parent_key, owner, amount, close_date, category, family, probability, currency, stage, created ON object
    FOR EACH STATEMENT EXECUTE FUNCTION object_guard();
CREATE TRIGGER "30_reassign" AFTER UPDATE ON object REFERENCING OLD TABLE AS old_object NEW TABLE AS new_object
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_objects();
CREATE TRIGGER "10_check" BEFORE INSERT OR UPDATE ON exclusion
    FOR EACH ROW EXECUTE FUNCTION exclusion_check();
CREATE TRIGGER "20_changed" AFTER INSERT OR UPDATE OR DELETE ON exclusion
    FOR EACH ROW EXECUTE FUNCTION exclusion_changed();
ALTER TABLE exclusion ENABLE ALWAYS TRIGGER "20_changed";
CREATE TRIGGER "30_reassign_insert" AFTER INSERT ON exclusion REFERENCING NEW TABLE AS new_exclusion
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_exclusions();
CREATE TRIGGER "30_reassign_update" AFTER UPDATE ON exclusion REFERENCING OLD TABLE AS old_exclusion NEW TABLE AS new_exclusion
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_exclusions();
CREATE TRIGGER "30_reassign_delete" AFTER DELETE ON exclusion REFERENCING OLD TABLE AS old_exclusion
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_exclusions();

-- Only the extension's own tables have these triggers.
REVOKE EXECUTE ON FUNCTION
    node_lock(), node_place(), node_settle(), node_guard(), node_clear(),
    model_check(), model_guard(), model_guard_nodes(),
    rule_check(), rule_changed(), object_changed(), tree_changed(), refuse_truncate(),
    reassign_rules(), reassign_nodes(), reassign_models(), reassign_objects(), reassign_exclusions(),
    exclusion_check(), exclusion_changed(), node_guard_assignments(), object_guard()
    FROM PUBLIC;

-- DDL on attached tables.
CREATE FUNCTION ddl_end() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_ddl_end';
CREATE FUNCTION ddl_drop() RETURNS event_trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_ddl_drop';
COMMENT ON FUNCTION ddl_end() IS 'event trigger: rules follow renamed columns; DDL that would break a rule is refused';
COMMENT ON FUNCTION ddl_drop() IS 'event trigger: an attached table is not dropped';
CREATE EVENT TRIGGER territory_ddl_end ON ddl_command_end
    WHEN TAG IN ('ALTER TABLE', 'CREATE TABLE', 'ALTER TYPE', 'ALTER DOMAIN', 'ALTER FUNCTION', 'ALTER OPERATOR',
                 'ALTER COLLATION', 'ALTER SCHEMA')
    EXECUTE FUNCTION ddl_end();
CREATE EVENT TRIGGER territory_ddl_drop ON sql_drop
    WHEN TAG IN ('DROP TABLE', 'DROP SCHEMA', 'DROP OWNED', 'DROP TYPE', 'DROP DOMAIN', 'DROP FUNCTION',
                 'DROP OPERATOR', 'DROP COLLATION', 'DROP CAST', 'DROP EXTENSION', 'ALTER TABLE')
    EXECUTE FUNCTION ddl_drop();

COMMENT ON EVENT TRIGGER territory_ddl_end IS 'rules follow renamed columns; DDL that would break a rule is refused';
COMMENT ON EVENT TRIGGER territory_ddl_drop IS 'attached tables, and what rules name, are not dropped';

-- The pairs of all attached tables.
CREATE FUNCTION assignments(object regclass, OUT key text, OUT node_id int, OUT rule_id int, OUT manual bool, OUT since timestamptz)
    RETURNS SETOF record
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED ROWS 1000 COST 10
    AS 'MODULE_PATHNAME', 'territory_assignments';
COMMENT ON FUNCTION assignments(regclass) IS
    'the (record, node) pairs of an attached table, read as the caller; the key as text';

CREATE FUNCTION record_count(object regclass) RETURNS bigint
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED COST 1000
    AS 'MODULE_PATHNAME', 'territory_record_count';
COMMENT ON FUNCTION record_count(regclass) IS 'number of records of an attached table that the caller sees';

CREATE VIEW assignment WITH (security_invoker = true, security_barrier = true) AS
    SELECT o.object, a.key, n.model_id, a.node_id, n.path, a.rule_id, a.manual, a.since
      FROM territory.object o
     CROSS JOIN LATERAL territory.assignments(o.object) a
      JOIN territory.node n ON n.id = a.node_id;
COMMENT ON VIEW assignment IS 'the (record, node) pairs of all attached tables';
COMMENT ON COLUMN assignment.key IS 'the record''s key as text';
COMMENT ON COLUMN assignment.rule_id IS 'the lowest of the node''s matching rules; null: by hand only';
COMMENT ON COLUMN assignment.manual IS 'assigned by hand (perhaps by a rule as well)';
COMMENT ON COLUMN assignment.since IS 'when the record came to the node';
GRANT SELECT ON assignment TO @extowner@;


CREATE FUNCTION rule_stats(object regclass, timing bool DEFAULT true,
                           OUT rule_id int, OUT path territory, OUT rule text, OUT access text,
                           OUT tried bigint, OUT matched bigint, OUT share float8) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'territory_rule_stats';
COMMENT ON FUNCTION rule_stats(regclass, bool) IS
    'for each active rule of the table: access (by what of a record it is found, or "scanned for every row"), on how many records it was tried and true, and its share of the time of trying rules; reads the whole table once and writes nothing. timing off: access alone';
