-- Tables: models, their trees of nodes, attached objects, rules, exclusions, the log of runs.
--
-- They are the interface: plain INSERT, UPDATE and DELETE; the triggers of the
-- following parts keep them true. Internal triggers are numbered in the order in
-- which they fire.
--
-- References between these tables are kept by those triggers, not by declared
-- foreign keys: a dump's rows arrive in any order, in parallel, and the foreign
-- keys of an extension's tables would be there before the rows.

GRANT USAGE ON SCHEMA territory TO PUBLIC;

CREATE FUNCTION database_time_zone() RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT coalesce(
        (SELECT pg_catalog.split_part(setting, '=', 2)
           FROM pg_catalog.pg_db_role_setting s
          CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS setting
          WHERE s.setrole = 0
            AND s.setdatabase = (SELECT oid FROM pg_catalog.pg_database
                                  WHERE datname = pg_catalog.current_database())
            AND pg_catalog.lower(setting) LIKE 'timezone=%'),
        (SELECT pg_settings.reset_val FROM pg_catalog.pg_settings WHERE pg_settings.name = 'TimeZone'));
END;
COMMENT ON FUNCTION database_time_zone() IS
    'the TimeZone set for this database, else the session''s own default; the default of territory.model.time_zone';

CREATE TABLE model (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    state text NOT NULL DEFAULT 'planning' CHECK (state IN ('planning', 'active', 'archived')),
    description text,
    time_zone text NOT NULL DEFAULT territory.database_time_zone(),
    date_style text NOT NULL DEFAULT 'ISO, MDY',
    -- deferrable: an activation exchanges two states in one statement
    CONSTRAINT model_one_active EXCLUDE USING btree (state WITH =) WHERE (state = 'active') DEFERRABLE INITIALLY IMMEDIATE
);
COMMENT ON TABLE model IS 'a whole tree of territories with its rules; exactly one is active, and only its rules assign records';
COMMENT ON COLUMN model.state IS 'planning, active or archived';
COMMENT ON COLUMN model.time_zone IS 'TimeZone under which criteria are read and evaluated, whatever the session''s is';
COMMENT ON COLUMN model.date_style IS 'DateStyle under which criteria are read and evaluated, whatever the session''s is';

INSERT INTO model (name, state) VALUES ('default', 'active');

CREATE FUNCTION active_model() RETURNS int
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT id FROM territory.model WHERE state = 'active';
END;
COMMENT ON FUNCTION active_model() IS 'id of the active model';

CREATE TABLE node (
    id serial PRIMARY KEY,
    model_id int NOT NULL DEFAULT territory.active_model(),
    parent_id int,
    name text NOT NULL,
    path territory.territory NOT NULL,
    priority int NOT NULL DEFAULT 0,
    description text,
    cascade bool NOT NULL DEFAULT true,
    UNIQUE (model_id, path)
);
CREATE INDEX ON node (parent_id);
COMMENT ON TABLE node IS 'a territory: a node of a model''s tree. INSERT gives path, or parent_id and name; the other is derived. UPDATE of any of the three moves the subtree';
COMMENT ON COLUMN node.model_id IS 'of territory.model; the active one by default';
COMMENT ON COLUMN node.parent_id IS 'of territory.node, in the same model; null at the top';
COMMENT ON COLUMN node.name IS 'the last label of path, as plain text';
COMMENT ON COLUMN node.path IS 'names from the top down; unique in a model';
COMMENT ON COLUMN node.priority IS 'mode first: the highest wins, then depth, then path order';
COMMENT ON COLUMN node.cascade IS 'on: where this node has rules, nothing below it matches unless it matches too';

CREATE TABLE object (
    object regclass PRIMARY KEY,
    kind text NOT NULL DEFAULT 'account' CHECK (kind IN ('account', 'lead', 'contact', 'deal')),
    key_column name NOT NULL,
    mode text NOT NULL DEFAULT 'deepest' CHECK (mode IN ('deepest', 'all', 'first')),
    assignment regclass NOT NULL UNIQUE,
    history bool NOT NULL DEFAULT true,
    past regclass NOT NULL UNIQUE,
    keep_history interval CHECK (keep_history >= interval '0'),
    parent regclass,
    parent_key name,
    owner text,
    amount text,
    close_date text,
    category text,
    closed text NOT NULL DEFAULT 'freeze' CHECK (closed IN ('freeze', 'follow')),
    family name,
    family_mode text NOT NULL DEFAULT 'unmatched' CHECK (family_mode IN ('unmatched', 'all', 'none')),
    probability text,
    currency text,
    stage text,
    created text,
    CONSTRAINT object_parent CHECK ((kind IN ('contact', 'deal')) = (parent IS NOT NULL) AND (parent IS NULL) = (parent_key IS NULL)),
    CONSTRAINT object_family CHECK (family IS NULL OR parent IS NULL)
);
COMMENT ON TABLE object IS 'the attached tables; filled by territory.attach()';
COMMENT ON COLUMN object.key_column IS 'the column that identifies a record';
COMMENT ON COLUMN object.mode IS 'which of the matching nodes a record gets: deepest (those with no matching descendant), all, or first (one, by priority, depth, path)';
COMMENT ON COLUMN object.assignment IS 'the table beside it that holds the (record, node) pairs';
COMMENT ON COLUMN object.history IS 'on: what pairs were is kept when they end';
COMMENT ON COLUMN object.past IS 'the table beside it that holds the pairs that ended';
COMMENT ON COLUMN object.keep_history IS 'how long; null: as the setting territory.keep_history says';
COMMENT ON COLUMN object.kind IS 'account and lead: by rules; contact: the nodes of its parent; deal: at most one node, the parent''s or one below it';
COMMENT ON COLUMN object.parent IS 'of a contact or deal: the attached table above it';
COMMENT ON COLUMN object.parent_key IS 'of a contact or deal: the column that holds the parent''s key';
COMMENT ON COLUMN object.owner IS 'expression over the columns: the person whose record it is';
COMMENT ON COLUMN object.amount IS 'expression over the columns: what a deal is worth';
COMMENT ON COLUMN object.close_date IS 'expression over the columns: the day a deal is or will be closed';
COMMENT ON COLUMN object.category IS 'expression over the columns: pipeline, best_case, commit, closed (won) or omitted (lost)';
COMMENT ON COLUMN object.probability IS 'expression over the columns: how likely a deal is to be won, 0 to 1';
COMMENT ON COLUMN object.currency IS 'expression over the columns: what the amount is in';
COMMENT ON COLUMN object.stage IS 'expression over the columns: the step of the sales process that a deal is in';
COMMENT ON COLUMN object.created IS 'expression over the columns: the day a deal began';
COMMENT ON COLUMN object.closed IS 'deals whose category is closed or omitted: freeze (they keep their territory when others change) or follow';
COMMENT ON COLUMN object.family IS 'the column that holds the key of the record above in the same table, as of a subsidiary''s parent company';
COMMENT ON COLUMN object.family_mode IS 'which records follow the top of their family: unmatched (those that match nothing themselves), all, or none';

CREATE TABLE rule (
    id serial PRIMARY KEY,
    node_id int NOT NULL,
    object regclass NOT NULL,
    name text,
    criteria text NOT NULL,
    active bool NOT NULL DEFAULT true,
    expression text NOT NULL
);
CREATE INDEX ON rule (node_id);
CREATE INDEX ON rule (object);
COMMENT ON TABLE rule IS 'criteria by which records of an attached table come to a node; several rules of a node are alternatives';
COMMENT ON COLUMN rule.node_id IS 'of territory.node; deleting the node deletes the rule';
COMMENT ON COLUMN rule.object IS 'of territory.object; detaching the table deletes the rule';
COMMENT ON COLUMN rule.criteria IS 'a SQL boolean expression over the table''s columns, as in WHERE; NULL is no match';
COMMENT ON COLUMN rule.expression IS 'the criteria with every name resolved and qualified, derived when the rule is written; this is what is evaluated';

CREATE TABLE exclusion (
    id serial PRIMARY KEY,
    object regclass NOT NULL,
    key text NOT NULL,
    node_id int,
    note text,
    created_by text,
    created_at timestamptz,
    CONSTRAINT exclusion_once UNIQUE NULLS NOT DISTINCT (object, key, node_id)
);
CREATE INDEX ON exclusion (node_id);
COMMENT ON TABLE exclusion IS 'records kept out of a node, or (node_id null) out of every node, whatever the rules say';
COMMENT ON COLUMN exclusion.node_id IS 'of territory.node; null: every node';
COMMENT ON COLUMN exclusion.key IS 'the record''s key as text';
COMMENT ON COLUMN exclusion.created_by IS 'who excluded this record from this node; filled in by the engine';
COMMENT ON COLUMN exclusion.created_at IS 'when; filled in by the engine';

CREATE TABLE run_log (
    id serial PRIMARY KEY,
    object regclass NOT NULL,
    scope text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    started timestamptz NOT NULL,
    seconds numeric NOT NULL,
    rows_read bigint NOT NULL,
    added bigint NOT NULL,
    removed bigint NOT NULL
);
CREATE INDEX ON run_log (object);
COMMENT ON TABLE run_log IS 'one row a run';
COMMENT ON COLUMN run_log.scope IS 'what was re-evaluated: attach, all, a subtree, a filter';
COMMENT ON COLUMN run_log.seconds IS 'duration in seconds';
COMMENT ON COLUMN run_log.rows_read IS 'records evaluated';
COMMENT ON COLUMN run_log.added IS 'pairs added';
COMMENT ON COLUMN run_log.removed IS 'pairs removed';

-- a database owner who is no superuser keeps, dumps and restores them
GRANT SELECT, INSERT, UPDATE, DELETE ON model, node, object, rule, exclusion, run_log TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE model_id_seq, node_id_seq, rule_id_seq, exclusion_id_seq, run_log_id_seq TO @extowner@;

SELECT pg_catalog.pg_extension_config_dump('model', '');
SELECT pg_catalog.pg_extension_config_dump('model_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('node', '');
SELECT pg_catalog.pg_extension_config_dump('node_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('object', '');
SELECT pg_catalog.pg_extension_config_dump('rule', '');
SELECT pg_catalog.pg_extension_config_dump('rule_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('exclusion', '');
SELECT pg_catalog.pg_extension_config_dump('exclusion_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('run_log', '');
SELECT pg_catalog.pg_extension_config_dump('run_log_id_seq', '');

CREATE FUNCTION node_id(path territory, model text DEFAULT NULL) RETURNS int
    LANGUAGE c STABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'territory_node_id';
COMMENT ON FUNCTION node_id(territory, text) IS
    'id of the node at this path in the named model, by default the active one; an error where there is none';

