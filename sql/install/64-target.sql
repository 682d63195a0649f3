-- Targets: what is to be reached, and what managers say beside what is computed.

CREATE TABLE target (
    id serial PRIMARY KEY,
    node_id int NOT NULL,
    period_id int NOT NULL,
    member text CHECK (member <> ''),
    metric text NOT NULL DEFAULT 'amount' CHECK (metric <> ''),
    amount numeric NOT NULL CHECK (amount >= 0 AND amount < 'Infinity'),
    CONSTRAINT target_once UNIQUE NULLS NOT DISTINCT (node_id, period_id, metric, member)
);
CREATE INDEX ON target (period_id);
COMMENT ON TABLE target IS 'what a territory, or a person in it, is to reach in a period; no change of the tree deletes one';
COMMENT ON COLUMN target.node_id IS 'of territory.node, or of territory.former_node when that has been deleted since';
COMMENT ON COLUMN target.period_id IS 'of territory.period';
COMMENT ON COLUMN target.member IS 'the person whose target it is; null: the node''s own, for itself and all below it';
COMMENT ON COLUMN target.metric IS 'name of the forecast that it belongs to';

CREATE TABLE adjustment (
    id serial PRIMARY KEY,
    node_id int NOT NULL,
    period_id int NOT NULL,
    member text CHECK (member <> ''),
    metric text NOT NULL DEFAULT 'amount' CHECK (metric <> ''),
    amount numeric NOT NULL CHECK (amount > '-Infinity' AND amount < 'Infinity'),
    note text,
    CONSTRAINT adjustment_once UNIQUE NULLS NOT DISTINCT (node_id, period_id, metric, member)
);
CREATE INDEX ON adjustment (period_id);
COMMENT ON TABLE adjustment IS 'what managers add to a forecast or take from it; shown beside the computed figures, never in them';
COMMENT ON COLUMN adjustment.node_id IS 'of territory.node, or of territory.former_node when that has been deleted since';
COMMENT ON COLUMN adjustment.period_id IS 'of territory.period';
COMMENT ON COLUMN adjustment.member IS 'the person whose forecast is adjusted; null: the node''s';
COMMENT ON COLUMN adjustment.metric IS 'name of the forecast that it belongs to';
COMMENT ON COLUMN adjustment.amount IS 'added to it; negative: taken from it';
COMMENT ON COLUMN adjustment.note IS 'why';

GRANT SELECT, INSERT, UPDATE, DELETE ON target, adjustment TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE target_id_seq, adjustment_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('target', '');
SELECT pg_catalog.pg_extension_config_dump('target_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('adjustment', '');
SELECT pg_catalog.pg_extension_config_dump('adjustment_id_seq', '');

-- Who may set what. A person is known by its role name here.
CREATE FUNCTION may_set_target(node_id int, member text, who text) RETURNS bool
    LANGUAGE sql STABLE PARALLEL SAFE
BEGIN ATOMIC
    SELECT NOT EXISTS (SELECT FROM territory.member m
                         JOIN territory.node n ON n.id = m.node_id
                         JOIN territory.model o ON o.id = n.model_id AND o.state = 'active'
                        WHERE m.member = $3)
        OR (coalesce($2 <> $3, true)
            AND EXISTS (SELECT FROM territory.node n
                          JOIN territory.node a ON a.model_id = n.model_id AND n.path OPERATOR(territory.<@) a.path
                          JOIN territory.member m ON m.node_id = a.id AND m.member = $3 AND m.role = 'manager'
                         WHERE n.id = $1 AND (a.id <> n.id OR $2 IS NOT NULL)
                           AND coalesce(m.starts <= current_date, true) AND coalesce(m.ends > current_date, true)));
END;
COMMENT ON FUNCTION may_set_target(int, text, text) IS
    'may this person set targets and adjustments of a node (member null) or of somebody in it? Whoever is in no territory of the active model may, as privileges allow; who is in one, as a manager for the nodes below his own and for others in his own';

CREATE FUNCTION target_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_target_check';
COMMENT ON FUNCTION target_check() IS 'trigger of territory.target and territory.adjustment: node and period must be there, and the writer be allowed to';
REVOKE EXECUTE ON FUNCTION target_check() FROM PUBLIC;
CREATE TRIGGER "10_check" AFTER INSERT OR UPDATE OR DELETE ON target FOR EACH ROW EXECUTE FUNCTION target_check();
CREATE TRIGGER "10_check" AFTER INSERT OR UPDATE OR DELETE ON adjustment FOR EACH ROW EXECUTE FUNCTION target_check();

CREATE FUNCTION split_target(node territory, period text, by text DEFAULT 'children', weights jsonb DEFAULT NULL,
                             metric text DEFAULT 'amount', scale int DEFAULT 2, model text DEFAULT NULL) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'territory_split_target';
COMMENT ON FUNCTION split_target(territory, text, text, jsonb, text, int, text) IS
    'divides a node''s target among its children, its members (by: members) or the periods of a kind within the period (by: month, quarter, ...), exactly to the last digit of scale; returns how many targets it set. weights: {"name": number, ...}, who is not named has none; null: equal, of members their weights';

CREATE FUNCTION sum_targets(node territory, period text, metric text DEFAULT 'amount', model text DEFAULT NULL) RETURNS int
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'territory_sum_targets';
COMMENT ON FUNCTION sum_targets(territory, text, text, text) IS
    'sets the targets of a node and of those below it, from the bottom up, to the sum of their children''s and members'' where there are such; returns how many it set';
