-- What why_not() answers, checked by brute force: check_why_not() compares its answers for one record and all nodes with
-- what match() gives for every row of a small domain, and applies what is suggested to the record itself.
CREATE TABLE account (id int PRIMARY KEY, a int, b text COLLATE "C", c int NOT NULL, d bool);

-- a value of each kind that the rules tell apart
CREATE TABLE domain AS
  SELECT a, b, c, d
    FROM unnest(ARRAY[NULL, -1, 0, 1, 2, 3, 4, 5]) a, unnest(ARRAY[NULL, '', 'w', 'x', 'x0', 'y', 'y0', 'z', 'z0']) b,
         generate_series(-1, 5) c, unnest(ARRAY[NULL, true, false]) d;

-- holds: what a row of why_not asks of a column, as a condition
CREATE FUNCTION holds(column_name text, becomes text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN becomes LIKE '%, or NULL' THEN format('(%I %s OR %1$I IS NULL)', column_name, left(becomes, -9))
              ELSE format('(%I %s)', column_name, becomes) END
$$;

-- check_node: what is wrong with the answer for a record and a node, or null. plain: no criterion reads several columns
CREATE FUNCTION check_node(r account, node node, plain bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  w record;
  least int;
  wrong int;
  columns text[];
  suggested account := r;
BEGIN
  SELECT array_agg(DISTINCT column_name) FILTER (WHERE column_name IS NOT NULL) AS columns, bool_and(proven) AS proven, bool_and(minimal) AS minimal,
         array_agg(reason) AS reasons, array_agg(becomes) FILTER (WHERE reason = 'excluded') AS statements, count(*) AS rows,
         string_agg(holds(column_name, becomes), ' AND ') FILTER (WHERE column_name IS NOT NULL) AS condition, json_agg(y)::text AS shown,
         jsonb_object_agg(column_name, suggestion) FILTER (WHERE column_name IS NOT NULL) AS values
    INTO w FROM why_not('account', r.id::text, node.path) y;
  -- as if it were not excluded
  FOR i IN 1 .. coalesce(cardinality(w.statements), 0) LOOP
    EXECUTE w.statements[i];
  END LOOP;
  IF NOT EXISTS (SELECT FROM rule WHERE node_id = node.id AND active) THEN
    RETURN CASE WHEN w.reasons && ARRAY['no rules', 'rule not active'] THEN NULL ELSE 'rules: ' || w.shown END;
  END IF;
  SELECT min((s.a IS DISTINCT FROM r.a)::int + (s.b IS DISTINCT FROM r.b)::int + (s.c IS DISTINCT FROM r.c)::int + (s.d IS DISTINCT FROM r.d)::int)
    INTO least
    FROM domain s WHERE EXISTS (SELECT FROM match('account', (r.id, s.a, s.b, s.c, s.d)::account) m WHERE m.node_id = node.id);
  IF least = 0 THEN
    RETURN CASE WHEN w.rows > coalesce(cardinality(w.statements), 0) THEN 'has it: ' || w.shown END;
  END IF;
  IF least IS NULL THEN
    RETURN CASE WHEN 'impossible' = ANY (w.reasons) OR (NOT plain AND NOT w.proven) THEN NULL ELSE 'impossible: ' || coalesce(w.shown, 'no rows') END;
  END IF;
  IF w.columns IS NULL OR (plain AND NOT (w.proven AND w.minimal)) THEN
    RETURN format('not proven, brute force needs %s: %s', least, w.shown);
  END IF;
  IF NOT w.proven THEN RETURN NULL; END IF;
  IF cardinality(w.columns) <> least AND plain THEN
    RETURN format('%s columns, brute force needs %s: %s', cardinality(w.columns), least, w.shown);
  END IF;
  -- the suggestions, applied to the record
  suggested := jsonb_populate_record(r, w.values);
  UPDATE account SET a = suggested.a, b = suggested.b, c = suggested.c, d = suggested.d WHERE id = r.id;
  IF NOT EXISTS (SELECT FROM account_territory t WHERE t.id = r.id AND t.node_id = node.id) THEN
    RETURN format('does not come there as %s: %s', suggested, w.shown);
  END IF;
  -- whatever satisfies the conditions comes there
  IF plain THEN
    EXECUTE format('SELECT count(*) FROM domain s WHERE %s AND %s AND NOT EXISTS (SELECT FROM match(''account'', ($1, s.a, s.b, s.c, s.d)::account) m WHERE m.node_id = $2)',
                   w.condition, (SELECT coalesce(string_agg(format('s.%I IS NOT DISTINCT FROM ($3).%1$I', c), ' AND '), 'true')
                                   FROM unnest(ARRAY['a', 'b', 'c', 'd']) c WHERE c <> ALL (w.columns)))
      INTO wrong USING r.id, node.id, r;
    IF wrong > 0 THEN
      RETURN format('%s rows satisfy the conditions and do not come there: %s', wrong, w.shown);
    END IF;
  END IF;
  RETURN NULL;
END $$;

-- check_why_not: the same for all nodes; what it tries is undone
CREATE FUNCTION check_why_not(plain bool, OUT answers int, OUT changes int, OUT wrong text) LANGUAGE plpgsql AS $$
DECLARE
  n node;
  r account;
  found text;
BEGIN
  answers := 0; changes := 0;
  FOR r IN SELECT * FROM account ORDER BY id LOOP
    FOR n IN SELECT * FROM node ORDER BY path LOOP
      BEGIN
        found := check_node(r, n, plain);
        RAISE EXCEPTION USING ERRCODE = 'ZZ000';
      EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
        NULL;
      END;
      answers := answers + 1;
      changes := changes + (SELECT count(*) FROM why_not('account', r.id::text, n.path) WHERE proven);
      IF found IS NOT NULL THEN
        wrong := format('record %s, node %s: %s', r, n.path, found);
        RETURN;
      END IF;
    END LOOP;
  END LOOP;
END $$;
