-- History: who held what when, and who changed the configuration.
--
-- A pair carries the moment of its beginning, the table of pairs that ended
-- (<table>_territory_history) that of its end too; territory.change says of each
-- moment by whom and why.

CREATE TABLE change (
    at timestamptz PRIMARY KEY,
    object regclass NOT NULL,
    cause text NOT NULL,
    detail text,
    actor text NOT NULL,
    login text,
    xid xid8 NOT NULL
);
COMMENT ON TABLE change IS 'moments at which pairs began or ended, each later than all before it, whatever the clock does; written by the engine';
COMMENT ON COLUMN change.at IS 'since of the pairs that began, until of those that ended';
COMMENT ON COLUMN change.cause IS 'record inserted, record updated, record inserted or updated (by one statement), record deleted, table truncated, rule changed, node changed, model changed, mode changed, exclusion changed, table altered, run, assigned by hand, unassigned by hand, record above changed (contacts, deals and families follow; detail: why that one changed), member changed';
COMMENT ON COLUMN change.detail IS 'which rule or node, or what run';
COMMENT ON COLUMN change.actor IS 'the role that acted';
COMMENT ON COLUMN change.login IS 'the role that had logged in, where it is another';
COMMENT ON COLUMN change.xid IS 'the transaction';

CREATE TABLE former_node (
    id int PRIMARY KEY,
    model_id int NOT NULL,
    path territory.territory NOT NULL,
    deleted timestamptz NOT NULL
);
COMMENT ON TABLE former_node IS 'deleted nodes, for the history that names them; written by the engine';
COMMENT ON COLUMN former_node.path IS 'the last one';
COMMENT ON COLUMN former_node.deleted IS 'when';

CREATE TABLE audit (
    id bigserial PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    login text,
    xid xid8 NOT NULL,
    table_name text NOT NULL,
    row_id text NOT NULL,
    model_id int,
    operation text NOT NULL CHECK (operation IN ('INSERT', 'UPDATE', 'DELETE')),
    old jsonb,
    new jsonb
);
CREATE INDEX ON audit (table_name, row_id);
CREATE INDEX ON audit USING brin (at);
COMMENT ON TABLE audit IS 'who changed which row of the configuration: models, nodes, rules, objects, exclusions, members, checks, distributions, periods, targets, adjustments, forecasts, exchange rates, shares; written by the engine';
COMMENT ON COLUMN audit.at IS 'when';
COMMENT ON COLUMN audit.actor IS 'the role that acted';
COMMENT ON COLUMN audit.login IS 'the role that had logged in, where it is another';
COMMENT ON COLUMN audit.xid IS 'the transaction';
COMMENT ON COLUMN audit.operation IS 'INSERT, UPDATE or DELETE';
COMMENT ON COLUMN audit.table_name IS 'the table of schema territory';
COMMENT ON COLUMN audit.row_id IS 'its id; of an object, the table''s name';
COMMENT ON COLUMN audit.model_id IS 'the model that it belongs to, if it does to one';
COMMENT ON COLUMN audit.old IS 'the row before; null: it was inserted';
COMMENT ON COLUMN audit.new IS 'the row after; null: it was deleted';

GRANT SELECT, INSERT, UPDATE, DELETE ON change, former_node, audit TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE audit_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('change', '');
SELECT pg_catalog.pg_extension_config_dump('former_node', '');
SELECT pg_catalog.pg_extension_config_dump('audit', '');
SELECT pg_catalog.pg_extension_config_dump('audit_id_seq', '');

CREATE FUNCTION history_guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_history_guard';
CREATE FUNCTION audit_rows() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_audit_rows';
CREATE FUNCTION node_forgotten() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_forgotten';
COMMENT ON FUNCTION history_guard() IS 'trigger of the tables of history: only the engine writes there';
COMMENT ON FUNCTION audit_rows() IS 'trigger of the configuration: writes territory.audit';
COMMENT ON FUNCTION node_forgotten() IS 'trigger of territory.node: keeps the path of a deleted node';
CREATE TRIGGER "00_guard" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON change FOR EACH STATEMENT EXECUTE FUNCTION history_guard();
CREATE TRIGGER "00_guard" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON former_node FOR EACH STATEMENT EXECUTE FUNCTION history_guard();
CREATE TRIGGER "00_guard" BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION history_guard();
-- before the node's rules go, whose audit asks for its model
CREATE TRIGGER "20_forgotten" AFTER DELETE ON node FOR EACH ROW EXECUTE FUNCTION node_forgotten();
REVOKE EXECUTE ON FUNCTION history_guard(), audit_rows(), node_forgotten() FROM PUBLIC;

CREATE FUNCTION moment_is_own(moment timestamptz) RETURNS bool
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED
    AS 'MODULE_PATHNAME', 'territory_moment_is_own';
COMMENT ON FUNCTION moment_is_own(timestamptz) IS 'did the running transaction change pairs at this moment? For statements of the engine';

CREATE FUNCTION pair_history(object regclass, record text DEFAULT NULL,
                             OUT key text, OUT node_id int, OUT rule_id int, OUT manual bool,
                             OUT since timestamptz, OUT until timestamptz) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1000 COST 10
    AS 'MODULE_PATHNAME', 'territory_pair_history';
COMMENT ON FUNCTION pair_history(regclass, text) IS
    'the pairs of an attached table, or of one record, that stand (until null) and that ended, read as the caller';

CREATE FUNCTION pairs_as_of(object regclass, at timestamptz,
                            OUT key text, OUT node_id int, OUT rule_id int, OUT manual bool) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1000 COST 10
    AS 'MODULE_PATHNAME', 'territory_pairs_as_of';
COMMENT ON FUNCTION pairs_as_of(regclass, timestamptz) IS 'the pairs of an attached table as they stood at a time, read as the caller';

CREATE FUNCTION as_of(object regclass, at timestamptz)
    RETURNS TABLE (key text, node_id int, path territory, rule_id int, manual bool)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT p.key, p.node_id, coalesce(n.path, f.path), p.rule_id, p.manual
      FROM territory.pairs_as_of($1, $2) p
      LEFT JOIN territory.node n ON n.id = p.node_id
      LEFT JOIN territory.former_node f ON f.id = p.node_id;
END;
COMMENT ON FUNCTION as_of(regclass, timestamptz) IS
    'the (record, node) pairs of an attached table as they stood at a time, with the rule and the flag manual of that time; path is the node''s of today, or its last';

CREATE FUNCTION record_history(object regclass, record text DEFAULT NULL)
    RETURNS TABLE (key text, node_id int, path territory, during tstzrange,
                   cause text, detail text, actor text, login text, xid xid8, rule_id int, manual bool,
                   end_cause text, end_detail text, end_actor text, end_login text, end_xid xid8)
    LANGUAGE sql STABLE PARALLEL RESTRICTED
BEGIN ATOMIC
    SELECT h.key, h.node_id, coalesce(n.path, f.path), tstzrange(h.since, h.until),
           b.cause, b.detail, b.actor, b.login, b.xid, h.rule_id, h.manual,
           e.cause, e.detail, e.actor, e.login, e.xid
      FROM territory.pair_history($1, $2) h
      LEFT JOIN territory.node n ON n.id = h.node_id
      LEFT JOIN territory.former_node f ON f.id = h.node_id
      LEFT JOIN territory.change b ON b.at = h.since AND b.object = $1
      LEFT JOIN territory.change e ON e.at = h.until AND e.object = $1;
END;
COMMENT ON FUNCTION record_history(regclass, text) IS
    'what territory.history says of one record, found by an index, or (null) of an attached table';

CREATE VIEW history WITH (security_invoker = true, security_barrier = true) AS
    SELECT o.object, h.* FROM territory.object o CROSS JOIN LATERAL territory.record_history(o.object) h;
COMMENT ON VIEW history IS 'who held what when: a row for each time that a record stood in a node, from its beginning to its end';
COMMENT ON COLUMN history.path IS 'the node''s of today; of a deleted node, the last';
COMMENT ON COLUMN history.during IS 'from when to when; without end: it stands. A pair that no transaction but its own has seen is not there';
COMMENT ON COLUMN history.cause IS 'why it began; the columns up to xid: what is known of it; null: history was off';
COMMENT ON COLUMN history.rule_id IS 'the last one by which it stood; null: by hand only';
COMMENT ON COLUMN history.end_cause IS 'why it ended; null: it stands';
GRANT SELECT ON history TO @extowner@;

CREATE FUNCTION prune_history(keep interval DEFAULT NULL, OUT pairs bigint, OUT audits bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000
    AS 'MODULE_PATHNAME', 'territory_prune_history';
COMMENT ON FUNCTION prune_history(interval) IS
    'removes history and audit that is older than territory.object.keep_history, else than the argument, else than the setting territory.keep_history; returns how many pairs and rows of audit. For whoever may DELETE from territory.audit';
