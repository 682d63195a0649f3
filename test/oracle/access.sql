-- The oracle for access: who sees and edits which records, from the words of the README alone. The tree is walked by
-- parent_id, the pairs are read as they stand (test/oracle/children.sql says whether they are right), owners are looked up.
-- Nothing of the module is used: no policy, no sees(), no visible_nodes().
--
-- A case runs a statement as a person and compares what it did, or how it failed, with that.

-- the tables' triggers that keep the other oracle's books
ALTER FUNCTION oracle.forget_by_hand() SECURITY DEFINER;

-- what somebody may do in which nodes
CREATE FUNCTION oracle.rights(person text) RETURNS TABLE (node_id int, edit bool, administer bool)
LANGUAGE sql STABLE AS $$
    WITH RECURSIVE below AS (
        SELECT n.id, m.access = 'write' OR m.role = 'manager' AS edit, false AS administer, m.role = 'manager' AS manager
          FROM territory.member m JOIN territory.node n ON n.id = m.node_id JOIN territory.model o ON o.id = n.model_id
         WHERE o.state = 'active' AND m.member = person
           AND (m.starts IS NULL OR m.starts <= (now() AT TIME ZONE o.time_zone)::date)
           AND (m.ends IS NULL OR m.ends > (now() AT TIME ZONE o.time_zone)::date)
        UNION ALL
        SELECT n.id, b.edit, b.manager, b.manager FROM below b JOIN territory.node n ON n.parent_id = b.id)
    SELECT id, bool_or(b.edit), bool_or(b.administer) FROM below b GROUP BY id
$$;

-- whose a record is: as the tables are attached
CREATE FUNCTION oracle.owned(obj text, person text) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys text[];
BEGIN
    EXECUTE CASE obj
        WHEN 'w.account' THEN $q$SELECT array_agg(k::text) FROM w.account WHERE CASE size WHEN 3 THEN 'ann' WHEN 4 THEN 'bob' END = $1$q$
        WHEN 'w.deal' THEN 'SELECT array_agg(k::text) FROM w.deal WHERE person = $1'
        ELSE 'SELECT NULL::text[]' END INTO keys USING person;
    RETURN coalesce(keys, '{}');
END $$;

-- the keys of the records that somebody sees, or edits
CREATE FUNCTION oracle.open_to(obj text, person text, edit bool) RETURNS text[]
LANGUAGE plpgsql STABLE AS $$
DECLARE
    keys text[];
BEGIN
    EXECUTE format('SELECT array_agg(r.k::text ORDER BY r.k::text) FROM %s r WHERE r.k::text = ANY ($1)'
                   ' OR EXISTS (SELECT FROM %s_territory t JOIN oracle.rights($2) n ON n.node_id = t.node_id'
                   '             WHERE t.k = r.k AND (n.edit OR NOT $3))', obj, obj)
       INTO keys USING oracle.owned(obj, person), person, edit;
    RETURN coalesce(keys, '{}');
END $$;

-- runs a query as somebody, and undoes it; its result is an array of keys
CREATE FUNCTION oracle.run_as(identity text, person text, query text, OUT keys text[], OUT state text)
LANGUAGE plpgsql AS $$
BEGIN
    IF identity = 'role' THEN
        EXECUTE format('SET LOCAL ROLE %I', person);
    ELSE
        SET LOCAL ROLE oracle_app;
        PERFORM set_config('app.claims', CASE identity WHEN 'json' THEN jsonb_build_object('sub', person, 'x', 1)::text ELSE person END, true);
    END IF;
    IF query ~ '^(SELECT|WITH)|RETURNING' THEN
        EXECUTE query INTO keys;
    ELSE
        EXECUTE query;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
    state := CASE SQLSTATE WHEN 'ZZ000' THEN 'ok' ELSE SQLSTATE END;
    IF state = 'ok' THEN
        keys := coalesce(keys, '{}');
    END IF;
END $$;

-- compares what a query returns with what it must
CREATE FUNCTION oracle.same_keys(identity text, person text, query text, expected text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    r := oracle.run_as(identity, person, query);
    RETURN CASE WHEN r.state = 'ok' AND ARRAY(SELECT x FROM unnest(r.keys) x ORDER BY x) = ARRAY(SELECT x FROM unnest(expected) x ORDER BY x)
                THEN 'ok ' || cardinality(r.keys)
                ELSE format('BAD %s: %s gives %s %s, must give %s', person, query, r.state, r.keys, expected) END;
END $$;

-- compares how a statement ends with how it may
CREATE FUNCTION oracle.same_end(identity text, person text, query text, expected text[]) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    r := oracle.run_as(identity, person, query);
    RETURN CASE WHEN r.state = ANY (expected) THEN 'ok 1' ELSE format('BAD %s: %s ends with %s, must with %s', person, query, r.state, expected) END;
END $$;

-- how an INSERT may end: tried by one who may everything, and looked at
CREATE FUNCTION oracle.end_of_insert(person text, obj text, key text, sql text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    allowed bool;
BEGIN
    EXECUTE sql;
    allowed := key = ANY (oracle.open_to(obj, person, true));
    -- deal rules may give a node below the parent's, but count for who sees the parent
    IF allowed AND obj = 'w.deal' THEN
        EXECUTE 'SELECT coalesce(d.person = $1, false) OR coalesce(d.up::text = ANY (oracle.open_to($2, $1, false)), false) FROM w.deal d WHERE d.k::text = $3'
           INTO allowed USING person, (SELECT format('w.%I', c.relname) FROM territory.object o JOIN pg_class c ON c.oid = o.parent WHERE o.object = 'w.deal'::regclass), key;
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000';
EXCEPTION WHEN OTHERS THEN
    RETURN CASE WHEN SQLSTATE <> 'ZZ000' THEN ARRAY[SQLSTATE, '42501'] WHEN allowed THEN '{ok}' ELSE '{42501}' END;
END $$;

-- One case. arg: a key, a number, or a statement's variable part.
CREATE FUNCTION oracle.access_case(identity text, person text, kind text, obj text, arg text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    seen text[] := oracle.open_to(obj, person, false);
    edited text[] := oracle.open_to(obj, person, true);
    same text := CASE obj WHEN 'w.account' THEN 'up = up' WHEN 'w.contact' THEN 'note = note' ELSE 'amount = amount' END;
    expected text[];
    r record;
BEGIN
    IF NOT edited <@ seen THEN
        RETURN 'BAD oracle: edits what is not seen';
    END IF;
    CASE kind
    WHEN 'select' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(k::text) FROM %s', obj), seen);
    WHEN 'point' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(k::text) FROM %s WHERE k = %L', obj, arg),
                                ARRAY(SELECT x FROM unnest(seen) x WHERE x = arg));
    WHEN 'first' THEN
        EXECUTE format('SELECT array_agg(k::text) FROM (SELECT k FROM %s WHERE k::text = ANY ($1) ORDER BY k LIMIT %s) x', obj, arg) INTO expected USING seen;
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(k::text) FROM (SELECT k FROM %s ORDER BY k LIMIT %s) x', obj, arg), coalesce(expected, '{}'));
    WHEN 'last' THEN
        EXECUTE format('SELECT array_agg(k::text) FROM (SELECT k FROM %s WHERE k::text = ANY ($1) ORDER BY k DESC LIMIT %s) x', obj, arg) INTO expected USING seen;
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(k::text) FROM (SELECT k FROM %s ORDER BY k DESC LIMIT %s) x', obj, arg), coalesce(expected, '{}'));
    WHEN 'shuffled' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(l.k) FROM (SELECT k FROM oracle.all_keys(%L) k ORDER BY md5(k || %L)) s'
            ' CROSS JOIN LATERAL (SELECT t.k::text AS k FROM %s t WHERE t.k::text = s.k OFFSET 0) l', obj, arg, obj), seen);
    WHEN 'called' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(k) FROM (SELECT k, row_number() OVER () FROM oracle.all_keys(%L) k ORDER BY md5(k || %L)) s'
            ' WHERE territory.sees(''%s_territory'', k::%s)', obj, arg, obj, oracle.key_type(obj)), ARRAY(SELECT x FROM unnest(seen) x WHERE NOT x = ANY (oracle.owned(obj, person))
               OR EXISTS (SELECT FROM territory.assignments(obj::regclass) a JOIN oracle.rights(person) n USING (node_id) WHERE a.key = x)));
    WHEN 'view' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(k::text) FROM %s_view', obj), seen);
    WHEN 'pairs' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(concat(k, '' '', node_id)) FROM %s_territory', obj),
            ARRAY(SELECT concat(key, ' ', node_id) FROM territory.assignments(obj::regclass) WHERE key = ANY (seen)));
    WHEN 'assignment' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(concat(key, '' '', node_id)) FROM territory.assignment WHERE object = %L::regclass', obj),
            ARRAY(SELECT concat(key, ' ', node_id) FROM territory.assignments(obj::regclass) WHERE key = ANY (seen)));
    WHEN 'history' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(concat(key, '' '', node_id, '' '', during)) FROM territory.history WHERE object = %L::regclass', obj),
            ARRAY(SELECT concat(key, ' ', node_id, ' ', during) FROM territory.record_history(obj::regclass) WHERE key = ANY (seen)));
    WHEN 'coverage' THEN
        RETURN oracle.same_keys(identity, person, format('SELECT array_agg(concat(node_id, '' '', records)) FROM territory.coverage WHERE object = %L::regclass AND (node_id IS NULL OR records > 0)', obj),
            ARRAY(SELECT concat(a.node_id, ' ', count(*)) FROM territory.assignments(obj::regclass) a JOIN territory.node n ON n.id = a.node_id
                    JOIN territory.model m ON m.id = n.model_id WHERE m.state = 'active' AND a.key = ANY (seen) GROUP BY a.node_id)
            || ARRAY[' ' || cardinality(seen) - (SELECT count(DISTINCT a.key) FROM territory.assignments(obj::regclass) a JOIN territory.node n ON n.id = a.node_id
                    JOIN territory.model m ON m.id = n.model_id WHERE m.state = 'active' AND a.key = ANY (seen))]);
    WHEN 'lock' THEN
        RETURN oracle.same_keys(identity, person, format('WITH l AS MATERIALIZED (SELECT k FROM %s FOR UPDATE) SELECT array_agg(k::text) FROM l', obj), edited);
    WHEN 'update' THEN
        RETURN oracle.same_keys(identity, person, format('WITH u AS (UPDATE %s SET %s RETURNING k) SELECT array_agg(k::text) FROM u', obj, same), edited);
    WHEN 'update_one' THEN
        RETURN oracle.same_keys(identity, person, format('WITH u AS (UPDATE %s SET %s WHERE k = %L RETURNING k) SELECT array_agg(k::text) FROM u', obj, same, arg),
                                ARRAY(SELECT x FROM unnest(edited) x WHERE x = arg));
    WHEN 'update_owner' THEN
        -- who has a record as its owner only cannot give it away
        EXECUTE format('SELECT array_agg(r.k::text) FROM %1$s r WHERE r.k::text = ANY ($1) AND NOT EXISTS (SELECT FROM %1$s_territory t JOIN oracle.rights($2) n ON n.node_id = t.node_id AND n.edit WHERE t.k = r.k)', obj)
           INTO expected USING edited, person;
        r := oracle.run_as(identity, person, format('WITH u AS (UPDATE %s SET %s WHERE true RETURNING k) SELECT array_agg(k::text) FROM u', obj,
            CASE obj WHEN 'w.account' THEN 'size = CASE ' || quote_literal(arg) || ' WHEN ''ann'' THEN 3 WHEN ''bob'' THEN 4 ELSE 0 END' ELSE format('person = %L', arg) END));
        RETURN CASE WHEN CASE WHEN arg = person AND (obj <> 'w.account' OR person <> 'cy') OR cardinality(expected) IS NULL
                              THEN r.state = 'ok' AND ARRAY(SELECT x FROM unnest(r.keys) x ORDER BY x) = edited ELSE r.state = '42501' END
                    THEN 'ok ' || cardinality(edited) ELSE format('BAD %s gives %s to %s: %s %s, must be %s but for %s', person, obj, arg, r.state, r.keys, edited, expected) END;
    WHEN 'delete' THEN
        RETURN oracle.same_keys(identity, person, format('WITH d AS (DELETE FROM %s RETURNING k) SELECT array_agg(k::text) FROM d', obj), edited);
    WHEN 'delete_one' THEN
        RETURN oracle.same_keys(identity, person, format('WITH d AS (DELETE FROM %s WHERE k = %L RETURNING k) SELECT array_agg(k::text) FROM d', obj, arg),
                                ARRAY(SELECT x FROM unnest(edited) x WHERE x = arg));
    WHEN 'why' THEN
        FOR r IN SELECT k, (SELECT bool_or(y.sees) FROM territory.why_visible(obj::regclass, k, person) y) AS sees,
                           (SELECT bool_or(y.edits) FROM territory.why_visible(obj::regclass, k, person) y) AS edits FROM oracle.all_keys(obj) k LOOP
            IF r.sees <> (r.k = ANY (seen)) OR r.edits <> (r.k = ANY (edited)) THEN
                RETURN format('BAD why_visible of %s and %s %s: %s %s', person, obj, r.k, r.sees, r.edits);
            END IF;
        END LOOP;
        RETURN 'ok ' || cardinality(seen);
    WHEN 'match' THEN
        -- what contacts of all accounts would get: the pairs of those accounts that the person sees
        seen := oracle.open_to('w.account', person, false);
        RETURN oracle.same_keys(identity, person, 'SELECT array_agg(concat(k, '' '', m.node_id)) FROM oracle.all_keys(''w.account'') k,'
            ' territory.match(''w.contact'', jsonb_populate_record(NULL::w.contact, jsonb_build_object(''k'', -1, ''account'', k))) m',
            ARRAY(SELECT concat(key, ' ', node_id) FROM territory.assignments('w.account'::regclass) WHERE key = ANY (seen)));
    WHEN 'nodes' THEN
        RETURN oracle.same_keys(identity, person, 'SELECT array_agg(concat(node_id, '' '', access)) FROM territory.visible_nodes()',
            ARRAY(SELECT concat(node_id, ' ', CASE WHEN edit THEN 'write' ELSE 'read' END) FROM oracle.rights(person)));
    ELSE
        RETURN 'BAD no such case: ' || kind;
    END CASE;
END $$;

-- An INSERT of one row with a key: as VALUES, and with RETURNING, and by MERGE.
CREATE FUNCTION oracle.access_insert(identity text, person text, obj text, key text, vals text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    sql text := format('INSERT INTO %s VALUES (%s)', obj, vals);
    ends text[] := oracle.end_of_insert(person, obj, key, sql);
    plain text := oracle.same_end(identity, person, sql, ends);
    seen bool := key = ANY (oracle.open_to(obj, person, false));
    edited bool := key = ANY (oracle.open_to(obj, person, true));
BEGIN
    IF plain LIKE 'BAD%' THEN
        RETURN plain;
    END IF;
    plain := oracle.same_end(identity, person, sql || ' RETURNING ARRAY[k::text]', ends);
    IF plain LIKE 'BAD%' THEN
        RETURN plain;
    END IF;
    RETURN oracle.same_end(identity, person,
        format('MERGE INTO %s t USING (SELECT %L::%s AS key) s ON t.k = s.key WHEN MATCHED THEN UPDATE SET k = t.k WHEN NOT MATCHED THEN INSERT VALUES (%s)',
               obj, key, oracle.key_type(obj), vals),
        CASE WHEN edited THEN '{ok}' WHEN seen THEN '{42501}' ELSE ends END);
END $$;

-- What managers may change: a rule, a member or a node at a node.
CREATE FUNCTION oracle.access_manage(identity text, person text, what text, node int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    below bool := EXISTS (SELECT FROM oracle.rights(person) r WHERE r.node_id = node AND r.administer);
    manages bool := below OR EXISTS (SELECT FROM territory.member m JOIN oracle.rights(person) r ON r.node_id = m.node_id AND m.node_id = node
        WHERE m.member = person AND m.role = 'manager' AND coalesce(m.starts <= current_date, true) AND coalesce(m.ends > current_date, true));
    allowed bool := CASE what WHEN 'insert node' THEN manages ELSE below END;
    r record;
BEGIN
    IF node IS NULL THEN
        RETURN 'ok 0';
    END IF;
    r := oracle.run_as(identity, person, CASE what
        WHEN 'insert rule' THEN format('INSERT INTO territory.rule (node_id, object, criteria) VALUES (%s, ''w.account'', ''true'')', node)
        WHEN 'update rule' THEN format('UPDATE territory.rule SET name = ''x'' WHERE node_id = %s', node)
        WHEN 'delete rule' THEN format('DELETE FROM territory.rule WHERE node_id = %s', node)
        WHEN 'insert member' THEN format('INSERT INTO territory.member (node_id, member) VALUES (%s, ''dora'')', node)
        WHEN 'delete member' THEN format('DELETE FROM territory.member WHERE node_id = %s', node)
        WHEN 'insert node' THEN format('INSERT INTO territory.node (parent_id, name) VALUES (%s, ''fresh'')', node)
        WHEN 'update node' THEN format('UPDATE territory.node SET description = ''x'' WHERE id = %s', node)
        WHEN 'delete node' THEN format('DELETE FROM territory.node WHERE id = %s', node) END);
    -- where there is no row, nothing is refused
    IF what IN ('update rule', 'delete rule') AND NOT EXISTS (SELECT FROM territory.rule x WHERE x.node_id = node)
       OR what = 'delete member' AND NOT EXISTS (SELECT FROM territory.member x WHERE x.node_id = node) THEN
        allowed := true;
    END IF;
    RETURN CASE WHEN allowed = (r.state IS DISTINCT FROM '42501') THEN 'ok 1' ELSE format('BAD %s, %s at node %s: %s', person, what, node, r.state) END;
END $$;

-- A decision by hand.
CREATE FUNCTION oracle.access_assign(identity text, person text, obj text, key text, node int) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    edited bool := key = ANY (oracle.open_to(obj, person, true));
    below bool := EXISTS (SELECT FROM oracle.rights(person) r WHERE r.node_id = node AND r.administer);
    r record;
BEGIN
    r := oracle.run_as(identity, person, format('SELECT ARRAY[territory.assign(%L, %L, %L)::text]', obj, key, (SELECT path FROM territory.node n WHERE n.id = node)));
    RETURN CASE WHEN r.state = 'ok' AND NOT (edited AND below) OR edited AND below AND r.state = '42501'
                THEN format('BAD %s assigns %s %s to node %s: %s', person, obj, key, node, r.state) ELSE 'ok 1' END;
END $$;

CREATE FUNCTION oracle.key_type(obj text) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = obj::regclass AND attname = 'k'
$$;

-- all keys of a table, whoever asks
CREATE FUNCTION oracle.all_keys(obj text) RETURNS SETOF text LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 AS $$
BEGIN
    RETURN QUERY EXECUTE format('SELECT k::text FROM %s', obj);
END $$;
