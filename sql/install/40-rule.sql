-- Rules: criteria are checked and resolved when they are written; every backend
-- hears of a change. The latter triggers fire always, also where rules arrive by
-- replication.

CREATE FUNCTION rule_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_rule_check';
CREATE FUNCTION rule_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_rule_changed';
CREATE FUNCTION object_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_object_changed';
CREATE FUNCTION tree_changed() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_tree_changed';
CREATE FUNCTION refuse_truncate() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_refuse_truncate';
COMMENT ON FUNCTION rule_check() IS 'trigger of territory.rule: checks criteria and derives the column expression';
COMMENT ON FUNCTION rule_changed() IS 'trigger of territory.rule: compiled rules of the table are stale';
COMMENT ON FUNCTION object_changed() IS 'trigger of territory.object: compiled rules of the table are stale';
COMMENT ON FUNCTION tree_changed() IS 'trigger of territory.node and territory.model: all compiled rules are stale';
COMMENT ON FUNCTION refuse_truncate() IS 'trigger of tables whose rows have consequences: TRUNCATE is refused';

CREATE TRIGGER "10_check" BEFORE INSERT OR UPDATE ON rule
    FOR EACH ROW EXECUTE FUNCTION rule_check();
CREATE TRIGGER "20_changed" AFTER INSERT OR UPDATE OR DELETE ON rule
    FOR EACH ROW EXECUTE FUNCTION rule_changed();
CREATE TRIGGER "20_changed" AFTER INSERT OR UPDATE OR DELETE ON object
    FOR EACH ROW EXECUTE FUNCTION object_changed();
-- A new node has no rules yet. A deleted one has none any more, but they may have been deleted in the same statement,
-- whose triggers on rules come later than this one; and the node's exclusions go before these.
CREATE TRIGGER "20_changed" AFTER UPDATE OR DELETE ON node
    FOR EACH ROW EXECUTE FUNCTION tree_changed();
CREATE TRIGGER "20_changed" AFTER INSERT OR UPDATE OR DELETE ON model
    FOR EACH ROW EXECUTE FUNCTION tree_changed();
ALTER TABLE rule ENABLE ALWAYS TRIGGER "20_changed";
ALTER TABLE object ENABLE ALWAYS TRIGGER "20_changed";
ALTER TABLE node ENABLE ALWAYS TRIGGER "20_changed";
ALTER TABLE model ENABLE ALWAYS TRIGGER "20_changed";

-- For people who come from numbered conditions.
CREATE FUNCTION criteria(pattern text, VARIADIC conditions text[]) RETURNS text
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'territory_criteria';
COMMENT ON FUNCTION criteria(text, text[]) IS
    'criteria from numbered conditions: criteria(''(1 and 2) or 3'', ''country = NL'', ''employees > 50'', ''vip''). Every condition must be used, every number be one of them';

