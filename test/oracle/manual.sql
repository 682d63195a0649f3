-- What people decide by hand, for the oracle: a copy of it that the engine does not know.
--
-- Records are known there by a number that they keep for life (column uid of the worlds' tables), whatever happens to
-- their keys and whichever partition they stand in. An exclusion takes a manual pair away for good: at once where it
-- is written, or where a statement gives the record an excluded key.

CREATE TABLE oracle.manual (object regclass, uid bigint, node_id int, PRIMARY KEY (object, uid, node_id));

-- assign, unassign, exclude or include, and the same in the copy
CREATE FUNCTION oracle.hand(verb text, obj regclass, keys text[], id int) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, territory, oracle AS $$
DECLARE
    node territory.territory;
    key_column name;
    changed text;
BEGIN
    SELECT n.path INTO node FROM territory.node n WHERE n.id = hand.id AND n.model_id = territory.active_model();
    IF node IS NULL AND hand.id IS NOT NULL THEN
        RETURN 'no such node';
    END IF;
    SELECT o.key_column INTO key_column FROM territory.object o WHERE o.object = obj;
    IF cardinality(keys) = 1 THEN
        EXECUTE format('SELECT territory.%I($1, $2, $3)', verb) INTO changed USING obj, keys[1], node;
    ELSE
        EXECUTE format('SELECT territory.%I($1, $2, $3)', verb) INTO changed USING obj, keys, node;
    END IF;
    IF verb = 'assign' THEN
        EXECUTE format('INSERT INTO oracle.manual SELECT $1, o.uid, $2 FROM %s o WHERE o.%I::text = ANY ($3) ON CONFLICT DO NOTHING', obj, key_column)
          USING obj, id, keys;
    ELSIF verb = 'unassign' THEN
        EXECUTE format('DELETE FROM oracle.manual m USING %s o WHERE m.object = $1 AND m.uid = o.uid AND m.node_id = $2 AND o.%I::text = ANY ($3)', obj, key_column)
          USING obj, id, keys;
    END IF;
    RETURN verb || ' ' || changed;
END $$;

-- drop_node, and the same in the copy
CREATE FUNCTION oracle.drop_node(id int, other int) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, territory, oracle AS $$
DECLARE
    node territory.territory;
    transfer_to territory.territory;
    model text;
    dropped record;
BEGIN
    SELECT n.path, m.name INTO node, model FROM territory.node n JOIN territory.model m ON m.id = n.model_id WHERE n.id = drop_node.id;
    SELECT n.path INTO transfer_to FROM territory.node n JOIN territory.model m ON m.id = n.model_id WHERE n.id = other AND m.name = model;
    IF node IS NULL THEN
        RETURN 'no such node';
    END IF;
    SELECT * INTO dropped FROM territory.drop_node(node, transfer_to, model);
    IF transfer_to IS NOT NULL THEN
        INSERT INTO oracle.manual SELECT object, uid, other FROM oracle.manual m WHERE m.node_id = drop_node.id ON CONFLICT DO NOTHING;
        DELETE FROM oracle.manual m WHERE m.node_id = drop_node.id;
        PERFORM oracle.settle(o.object) FROM territory.object o;
    END IF;
    RETURN dropped::text;
END $$;

-- takes what is excluded out of the copy, and (gone) records that are no longer in the table
CREATE FUNCTION oracle.settle(obj regclass, gone bool DEFAULT false) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, territory, oracle AS $$
DECLARE
    key_column name;
BEGIN
    IF NOT EXISTS (SELECT FROM oracle.manual m WHERE m.object = obj) THEN
        RETURN;
    END IF;
    SELECT o.key_column INTO key_column FROM territory.object o WHERE o.object = obj;
    EXECUTE format('DELETE FROM oracle.manual m USING %s o, territory.exclusion e'
                   ' WHERE m.object = $1 AND o.uid = m.uid AND e.object = $1 AND e.key = o.%I::text AND coalesce(e.node_id, m.node_id) = m.node_id',
                   obj, key_column) USING obj;
    IF gone THEN
        EXECUTE format('DELETE FROM oracle.manual m WHERE m.object = $1 AND NOT EXISTS (SELECT FROM %s o WHERE o.uid = m.uid)', obj) USING obj;
    END IF;
END $$;

CREATE FUNCTION oracle.settle_table() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM oracle.settle(TG_RELID::regclass); RETURN NULL; END$$;
CREATE FUNCTION oracle.settle_all() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM oracle.settle(o.object) FROM territory.object o;
    RETURN NULL;
END $$;
CREATE TRIGGER zzz_settle AFTER INSERT OR UPDATE ON territory.exclusion FOR EACH STATEMENT EXECUTE FUNCTION oracle.settle_all();

-- The first check of a table that does not hold, or null. committed: those that are deferred, too.
CREATE FUNCTION oracle.violated(obj regclass, key_column name, assignment regclass, committed bool) RETURNS text
LANGUAGE plpgsql STABLE AS $$
DECLARE
    c territory.pair_check;
    below int[];
    wrong text;
BEGIN
    FOR c IN SELECT * FROM territory.pair_check p WHERE p.object = obj AND (committed OR NOT p.deferred) LOOP
        WITH RECURSIVE walk AS (
            SELECT n.id FROM territory.node n WHERE n.id = c.node_id
            UNION ALL
            SELECT n.id FROM walk w JOIN territory.node n ON n.parent_id = w.id)
        SELECT array_agg(id) INTO below FROM walk;
        EXECUTE CASE c.kind
            WHEN 'nodes_per_record' THEN format('SELECT max(x::text) FROM (SELECT a.%I FROM %s a WHERE $1 IS NULL OR a.node_id = ANY ($2) GROUP BY 1 HAVING count(*) > $3) x', key_column, assignment)
            WHEN 'records_per_node' THEN format('SELECT max(x::text) FROM (SELECT a.node_id FROM %s a WHERE $1 IS NULL OR a.node_id = $1 GROUP BY 1 HAVING count(*) > $3) x', assignment)
            WHEN 'amount_per_node' THEN format('SELECT max(x::text) FROM (SELECT a.node_id FROM %s a JOIN %s o USING (%I) WHERE $1 IS NULL OR a.node_id = $1 GROUP BY 1 HAVING sum(%s) > $3) x', assignment, obj, key_column, c.amount)
            ELSE format('SELECT max(o.%1$I::text) FROM %2$s o WHERE NOT EXISTS (SELECT FROM %3$s a WHERE a.%1$I = o.%1$I AND ($1 IS NULL OR a.node_id = ANY ($2)))', key_column, obj, assignment) END
           INTO wrong USING c.node_id, below, c.bound;
        IF wrong IS NOT NULL THEN
            RETURN format('check %s (%s, node %s, bound %s, deferred %s): %s', c.name, c.kind, c.node_id, c.bound, c.deferred, wrong);
        END IF;
    END LOOP;
    RETURN NULL;
END $$;

-- the manual pairs of a table
CREATE FUNCTION oracle.by_hand(obj regclass, key_column name, only_where text) RETURNS oracle.pair[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    result oracle.pair[];
BEGIN
    EXECUTE format('SELECT array_agg((o.key, m.node_id, NULL, true)::oracle.pair) FROM oracle.manual m'
                   '  JOIN (SELECT uid, %I::text AS key FROM %s WHERE %s) o ON o.uid = m.uid WHERE m.object = $1',
                   key_column, obj, only_where) INTO result USING obj;
    RETURN coalesce(result, '{}');
END $$;
