-- Constraints on pairs: how many nodes a record may stand in, how many records or
-- how much of something a node may hold, and that every record stands somewhere.

CREATE TABLE pair_check (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    object regclass NOT NULL,
    kind text NOT NULL CHECK (kind IN ('nodes_per_record', 'records_per_node', 'amount_per_node', 'assigned')),
    node_id int,
    bound numeric CHECK (bound >= 0 AND bound < 'Infinity'),
    amount text,
    deferred bool NOT NULL DEFAULT false,
    expression text,
    CONSTRAINT pair_check_arguments CHECK ((bound IS NULL) = (kind = 'assigned') AND (amount IS NOT NULL) = (kind = 'amount_per_node'))
);
CREATE INDEX ON pair_check (object);
COMMENT ON TABLE pair_check IS 'what must hold of the pairs of an attached table, whoever or whatever makes them; a violation is a check violation (23514) with the name of the row';
COMMENT ON COLUMN pair_check.object IS 'of territory.object; detaching the table deletes the row';
COMMENT ON COLUMN pair_check.kind IS 'nodes_per_record: a record stands in at most bound nodes; records_per_node: a node holds at most bound records; amount_per_node: the records of a node sum up to at most bound; assigned: every record stands somewhere';
COMMENT ON COLUMN pair_check.node_id IS 'of territory.node; nodes_per_record and assigned: only nodes from here down count; records_per_node and amount_per_node: of this node alone. null: all nodes, and each of them. Deleting the node deletes the row';
COMMENT ON COLUMN pair_check.bound IS 'the most that there may be: nodes, records or amount; null for assigned';
COMMENT ON COLUMN pair_check.amount IS 'amount_per_node: a SQL expression over the table''s columns, of which NULL counts as 0';
COMMENT ON COLUMN pair_check.deferred IS 'checked when the transaction commits; else at the end of each statement';
COMMENT ON COLUMN pair_check.expression IS 'amount with every name resolved and qualified, derived when the row is written';

GRANT SELECT, INSERT, UPDATE, DELETE ON pair_check TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE pair_check_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('pair_check', '');
SELECT pg_catalog.pg_extension_config_dump('pair_check_id_seq', '');

CREATE FUNCTION check_derive() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_check_derive';
CREATE FUNCTION check_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_check_changed';
CREATE FUNCTION check_validate() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_check_validate';
COMMENT ON FUNCTION check_derive() IS 'trigger of territory.pair_check: table and node must be there; derives the column expression';
COMMENT ON FUNCTION check_changed() IS 'trigger of territory.pair_check: every backend looks them up again';
COMMENT ON FUNCTION check_validate() IS 'trigger of territory.pair_check: a new check must hold of what stands';
REVOKE EXECUTE ON FUNCTION check_derive(), check_changed(), check_validate() FROM PUBLIC;

CREATE TRIGGER "10_derive" BEFORE INSERT OR UPDATE ON pair_check
    FOR EACH ROW EXECUTE FUNCTION check_derive();
CREATE TRIGGER "20_changed" AFTER INSERT OR UPDATE OR DELETE ON pair_check
    FOR EACH ROW EXECUTE FUNCTION check_changed();
CREATE TRIGGER "30_validate" AFTER INSERT OR UPDATE ON pair_check
    FOR EACH ROW EXECUTE FUNCTION check_validate();
ALTER TABLE pair_check ENABLE ALWAYS TRIGGER "20_changed";
