-- Distribution: records without an owner go to the members of their node.

CREATE TABLE distribution (
    id serial PRIMARY KEY,
    object regclass NOT NULL,
    node_id int,
    CONSTRAINT distribution_once UNIQUE NULLS NOT DISTINCT (object, node_id)
);
CREATE INDEX ON distribution (node_id);
COMMENT ON TABLE distribution IS 'nodes whose new records are distributed as they arrive, at the end of the statement that brings them';
COMMENT ON COLUMN distribution.object IS 'of territory.object; detaching the table deletes the row';
COMMENT ON COLUMN distribution.node_id IS 'of territory.node; null: every node. Deleting the node deletes the row';

CREATE TABLE distribution_log (
    id bigserial PRIMARY KEY,
    object regclass NOT NULL,
    key text NOT NULL,
    node_id int NOT NULL,
    path territory.territory NOT NULL,
    member text NOT NULL,
    reason text NOT NULL,
    who text NOT NULL DEFAULT session_user,
    at timestamptz NOT NULL DEFAULT pg_catalog.now()
);
CREATE INDEX ON distribution_log (object, key);
COMMENT ON TABLE distribution_log IS 'why each record that was distributed got whom';
COMMENT ON COLUMN distribution_log.key IS 'the record''s key as text';
COMMENT ON COLUMN distribution_log.path IS 'of the node, at that time';
COMMENT ON COLUMN distribution_log.member IS 'who became the record''s owner';
COMMENT ON COLUMN distribution_log.reason IS 'what the member owned in the node, capacity and weight, and among how many members it was the least';
COMMENT ON COLUMN distribution_log.at IS 'the time of the transaction';

GRANT SELECT, INSERT, UPDATE, DELETE ON distribution, distribution_log TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE distribution_id_seq, distribution_log_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('distribution', '');
SELECT pg_catalog.pg_extension_config_dump('distribution_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('distribution_log', '');
SELECT pg_catalog.pg_extension_config_dump('distribution_log_id_seq', '');

CREATE FUNCTION distribution_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_distribution_check';
COMMENT ON FUNCTION distribution_check() IS 'trigger of territory.distribution: the table must be attached with an owner, the node be there';
REVOKE EXECUTE ON FUNCTION distribution_check() FROM PUBLIC;
CREATE TRIGGER "10_check" BEFORE INSERT OR UPDATE ON distribution
    FOR EACH ROW EXECUTE FUNCTION distribution_check();
CREATE TRIGGER "20_changed" AFTER INSERT OR UPDATE OR DELETE ON distribution
    FOR EACH ROW EXECUTE FUNCTION check_changed();
ALTER TABLE distribution ENABLE ALWAYS TRIGGER "20_changed";

CREATE FUNCTION distribute(object regclass, node territory, OUT given bigint, OUT left_over bigint)
    LANGUAGE c VOLATILE PARALLEL UNSAFE COST 100000 AS 'MODULE_PATHNAME', 'territory_distribute';
COMMENT ON FUNCTION distribute(regclass, territory) IS
    'gives the records of a node that have no owner, in the order of their keys, each to the member who then owns the fewest for his weight, below his capacity; of equals to the one who was added first. Updates the owner''s column with the caller''s rights, and says why in territory.distribution_log';
