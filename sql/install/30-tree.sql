-- The tree: triggers that keep territory.node and territory.model true.

CREATE FUNCTION node_lock() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_lock';
CREATE FUNCTION node_place() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_place';
CREATE FUNCTION node_settle() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_settle';
CREATE FUNCTION node_guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_guard';
CREATE FUNCTION node_clear() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_node_clear';
CREATE FUNCTION model_guard_nodes() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_model_guard_nodes';
CREATE FUNCTION model_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_model_check';
CREATE FUNCTION model_guard() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_model_guard';
COMMENT ON FUNCTION node_lock() IS 'trigger of territory.node and territory.model: one editor of the trees at a time';
COMMENT ON FUNCTION node_place() IS 'trigger of territory.node: derives path from parent_id and name, or these from path';
COMMENT ON FUNCTION node_settle() IS 'trigger of territory.node: finds parents that came after their children; carries the subtree of a moved node along';
COMMENT ON FUNCTION node_guard() IS 'trigger of territory.node: a node whose children remain stays';
COMMENT ON FUNCTION node_clear() IS 'trigger of territory.node: a deleted node takes its rules, exclusions and members along';
COMMENT ON FUNCTION model_guard_nodes() IS 'trigger of territory.model: a model that has nodes stays';
COMMENT ON FUNCTION model_check() IS 'trigger of territory.model: refuses unknown settings; on restoring a dump, its model 1 replaces the one of CREATE EXTENSION';
COMMENT ON FUNCTION model_guard() IS 'trigger of territory.model: one model stays active';

CREATE TRIGGER "00_lock" BEFORE INSERT OR UPDATE OR DELETE ON node
    FOR EACH STATEMENT EXECUTE FUNCTION node_lock();
CREATE TRIGGER "10_place" BEFORE INSERT OR UPDATE ON node
    FOR EACH ROW EXECUTE FUNCTION node_place();
CREATE TRIGGER "10_settle" AFTER INSERT OR UPDATE ON node
    FOR EACH ROW EXECUTE FUNCTION node_settle();
CREATE TRIGGER "10_guard" AFTER DELETE ON node
    FOR EACH ROW EXECUTE FUNCTION node_guard();

CREATE TRIGGER "25_clear" AFTER DELETE ON node
    FOR EACH ROW EXECUTE FUNCTION node_clear();

CREATE TRIGGER "00_lock" BEFORE INSERT OR UPDATE OR DELETE ON model
    FOR EACH STATEMENT EXECUTE FUNCTION node_lock();
CREATE TRIGGER "10_check" BEFORE INSERT OR UPDATE ON model
    FOR EACH ROW EXECUTE FUNCTION model_check();
CREATE TRIGGER "10_guard" AFTER UPDATE OR DELETE ON model
    FOR EACH STATEMENT EXECUTE FUNCTION model_guard();
CREATE TRIGGER "10_guard_nodes" AFTER DELETE ON model
    FOR EACH ROW EXECUTE FUNCTION model_guard_nodes();

