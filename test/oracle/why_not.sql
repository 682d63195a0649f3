-- What why_not() answers, checked by brute force: check_why_not() compares its answers for each record and all nodes with
-- what match() gives for every row of a small domain, and applies what is suggested to the records themselves.
-- Needs test/oracle/oracle.sql and explain.sql.
CREATE TABLE account (id int PRIMARY KEY, a int, b text COLLATE "C", c int NOT NULL, d bool, up int);
CREATE TABLE contact (id int PRIMARY KEY, account int);
-- deals of accounts, and of contacts
CREATE TABLE deal (id int PRIMARY KEY, up int, person text, amount int, stage text);
CREATE TABLE offer (id int PRIMARY KEY, up int, person text, amount int, stage text);

-- a value of each kind that the rules tell apart
CREATE TABLE account_domain AS
  SELECT a, b, c, d
    FROM unnest(ARRAY[NULL, -1, 0, 1, 2, 3, 4, 5]) a, unnest(ARRAY[NULL, '', 'w', 'x', 'x0', 'y', 'y0', 'z', 'z0']) b,
         generate_series(-1, 5) c, unnest(ARRAY[NULL, true, false]) d;
CREATE TABLE deal_domain AS
  SELECT person, amount, stage
    FROM unnest(ARRAY[NULL, '', 'ann', 'bob', 'cy', 'zoe']) person, unnest(ARRAY[NULL, -1, 0, 1, 2, 3, 4, 5]) amount,
         unnest(ARRAY[NULL, '', 'won', 'lost', 'new', 'late']) stage;

CREATE TABLE kind (object regclass PRIMARY KEY, domain text, columns text[]);
INSERT INTO kind VALUES ('account', 'account_domain', '{a,b,c,d}'), ('contact', NULL, '{}'), ('deal', 'deal_domain', '{person,amount,stage}'), ('offer', 'deal_domain', '{person,amount,stage}');

-- holds: what a row of why_not asks of a column, as a condition on an alias s
CREATE FUNCTION holds(column_name text, becomes text) RETURNS text LANGUAGE sql AS $$
  SELECT CASE WHEN becomes = 'a category other than closed and omitted' THEN '(s.stage IS DISTINCT FROM ''won'' AND s.stage IS DISTINCT FROM ''lost'')'
              WHEN becomes LIKE '%, or NULL' THEN format('(s.%I %s OR s.%1$I IS NULL)', column_name, left(becomes, -9))
              ELSE format('(s.%I %s)', column_name, becomes) END
$$;

-- a row of the record's table, as the record with the columns of a row s of its domain
CREATE FUNCTION changed_row(obj regclass, columns text[]) RETURNS text LANGUAGE sql AS $$
  SELECT format('(%s)::%s', string_agg(CASE WHEN a.attname = ANY (columns) THEN 's.' ELSE 'r.' END || quote_ident(a.attname), ', ' ORDER BY a.attnum), obj)
    FROM pg_attribute a WHERE a.attrelid = obj AND a.attnum > 0
$$;

-- least_change: the smallest number of columns of the record whose change brings it to a node; null: none does. A
-- closed deal that has another node must be opened for it.
CREATE FUNCTION least_change(obj regclass, key text, node node) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  k kind;
  frozen bool;
  least int;
BEGIN
  SELECT * INTO k FROM kind WHERE object = obj;
  IF EXISTS (SELECT FROM territory.assignments(obj) t WHERE t.key = least_change.key AND t.node_id = node.id) THEN
    RETURN 0;
  END IF;
  IF k.domain IS NULL THEN
    RETURN NULL;
  END IF;
  frozen := EXISTS (SELECT FROM object o WHERE o.object = obj AND o.kind = 'deal' AND o.closed = 'freeze') AND EXISTS (SELECT FROM territory.assignments(obj) t JOIN node n ON n.id = t.node_id AND n.model_id = active_model() WHERE t.key = least_change.key)
    AND EXISTS (SELECT FROM unnest(oracle.records((SELECT o FROM object o WHERE o.object = obj))) r WHERE r.key = least_change.key AND r.closed);
  EXECUTE format('SELECT min(%s) FROM %s r, %s s WHERE r.id::text = $1 AND %s AND EXISTS (SELECT FROM match(%L, %s) m WHERE m.node_id = $2)',
                 (SELECT string_agg(format('(s.%I IS DISTINCT FROM r.%1$I)::int', c), ' + ') FROM unnest(k.columns) c), obj, k.domain,
                 CASE WHEN frozen THEN 's.stage IS DISTINCT FROM ''won'' AND s.stage IS DISTINCT FROM ''lost''' ELSE 'true' END,
                 obj, changed_row(obj, k.columns))
    INTO least USING key, node.id;
  RETURN least;
END $$;

-- apply: does what the answer says of all records
CREATE FUNCTION apply(w jsonb, done text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t record;
BEGIN
  FOR t IN SELECT x.becomes FROM jsonb_to_recordset(w) x (reason text, becomes text)
            WHERE x.reason IN ('excluded', 'assigned by hand') AND x.becomes <> ALL (coalesce(done, '{}')) LOOP
    EXECUTE t.becomes;
  END LOOP;
  -- the records above first; rows of one record at once
  FOR t IN SELECT x.of_object::regclass AS object, x.of_key, string_agg(DISTINCT format('%I = %L', x.column_name, x.suggestion), ', ') AS sets
             FROM jsonb_to_recordset(w) x (of_object text, of_key text, column_name text, suggestion text)
            WHERE x.column_name IS NOT NULL GROUP BY 1, 2
            ORDER BY array_position(ARRAY['account', 'contact', 'deal', 'offer']::regclass[], x.of_object::regclass), 2 LOOP
    EXECUTE format('UPDATE %s SET %s WHERE id = %s', t.object, t.sets, t.of_key);
  END LOOP;
END $$;

-- wrong_rows: how many rows satisfy the conditions and do not come there, where the conditions say it all
CREATE FUNCTION wrong_rows(obj regclass, key text, node node, columns text[], condition text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  k kind;
  wrong int;
BEGIN
  SELECT * INTO k FROM kind WHERE object = obj;
  EXECUTE format('SELECT count(*) FROM %s r, %s s WHERE r.id::text = $1 AND %s AND %s AND NOT EXISTS (SELECT FROM match(%L, %s) m WHERE m.node_id = $2)',
                 obj, k.domain, condition,
                 (SELECT coalesce(string_agg(format('s.%I IS NOT DISTINCT FROM r.%1$I', c), ' AND '), 'true') FROM unnest(k.columns) c WHERE c <> ALL (columns)),
                 obj, changed_row(obj, k.columns))
    INTO wrong USING key, node.id;
  RETURN wrong;
END $$;

-- check_node: what is wrong with the answer for a record and a node, or null. plain: no criterion reads several columns
CREATE FUNCTION check_node(obj regclass, key text, node node, plain bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  w record;
  statement text;
  least int;
  wrong int;
BEGIN
  SELECT coalesce(jsonb_agg(y), '[]') AS whole, json_agg(y)::text AS shown, count(*) AS rows,
         array_agg(becomes) FILTER (WHERE own AND reason IN ('excluded', 'assigned by hand') AND becomes IS NOT NULL) AS statements,
         count(*) FILTER (WHERE own AND reason IN ('excluded', 'assigned by hand')) AS lifted, array_agg(reason) AS reasons,
         array_agg(DISTINCT column_name) FILTER (WHERE own AND column_name IS NOT NULL) AS columns,
         count(DISTINCT (of_object, of_key)) FILTER (WHERE column_name IS NOT NULL) AS records,
         bool_and(coalesce(proven, false)) FILTER (WHERE reason NOT IN ('excluded', 'assigned by hand')) AS proven,
         bool_and(minimal) FILTER (WHERE own AND column_name IS NOT NULL) AS minimal,
         'record above must have it' = ANY (array_agg(reason)) AS above,
         string_agg(holds(column_name, becomes), ' AND ') FILTER (WHERE own AND column_name IS NOT NULL) AS condition
    INTO w FROM (SELECT y.*, y.of_object = obj AND y.of_key = check_node.key AS own FROM why_not(obj, key, node.path) y) y;
  FOR i IN 1 .. coalesce(cardinality(w.statements), 0) LOOP
    EXECUTE w.statements[i];
  END LOOP;
  least := least_change(obj, key, node);
  IF least = 0 THEN
    RETURN CASE WHEN w.rows > w.lifted THEN 'has it: ' || w.shown END;
  END IF;
  IF w.rows = w.lifted THEN
    RETURN 'nothing is said: ' || coalesce(w.shown, '');
  END IF;
  IF NOT w.proven THEN
    -- what cannot be inverted may be possible all the same
    RETURN CASE WHEN least IS NOT NULL AND (plain OR w.columns IS NULL AND w.reasons && ARRAY['no rules', 'rule not active', 'no parent'])
                THEN format('not proven, brute force needs %s: %s', least, w.shown) END;
  END IF;
  IF w.above AND least IS NOT NULL AND plain THEN
    RETURN format('the record above is asked, brute force needs %s here: %s', least, w.shown);
  END IF;
  IF NOT w.above AND (w.columns IS NULL OR least IS NULL) THEN
    RETURN format('brute force needs %s: %s', least, w.shown);
  END IF;
  IF plain AND NOT w.above AND (NOT w.minimal OR cardinality(w.columns) <> least) THEN
    RETURN format('%s columns, brute force needs %s: %s', cardinality(w.columns), least, w.shown);
  END IF;
  -- whatever satisfies the conditions comes there
  wrong := CASE WHEN plain AND NOT w.above THEN wrong_rows(obj, key, node, w.columns, w.condition) END;
  IF wrong > 0 THEN
    RETURN format('%s rows satisfy the conditions and do not come there: %s', wrong, w.shown);
  END IF;
  -- a closed deal without a territory would keep the first one that it gets on the way
  IF w.above AND w.columns IS NULL AND obj IN ('deal'::regclass, 'offer') AND EXISTS (SELECT FROM unnest(oracle.records((SELECT o FROM object o WHERE o.object = obj))) r WHERE r.key = check_node.key AND r.closed) THEN
    RETURN NULL;
  END IF;
  PERFORM apply(w.whole, w.statements);
  IF NOT EXISTS (SELECT FROM territory.assignments(obj) t WHERE t.key = check_node.key AND t.node_id = node.id) THEN
    RETURN format('does not come there: %s', w.shown);
  END IF;
  RETURN NULL;
END $$;

-- check_why_not: the same for all records and nodes; what it tries is undone. And explain.
CREATE FUNCTION check_why_not(plain bool, OUT answers int, OUT changes int, OUT above int, OUT wrong text) LANGUAGE plpgsql AS $$
DECLARE
  n node;
  o object;
  r oracle.record;
  found text;
BEGIN
  answers := 0; changes := 0; above := 0;
  FOR o IN SELECT * FROM object ORDER BY object::text LOOP
    wrong := oracle.explain_flaws(o.object);
    IF wrong IS NOT NULL THEN
      RETURN;
    END IF;
    FOREACH r IN ARRAY oracle.records(o) LOOP
      FOR n IN SELECT * FROM node ORDER BY path LOOP
        BEGIN
          found := check_node(o.object, r.key, n, plain);
          RAISE EXCEPTION USING ERRCODE = 'ZZ000';
        EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
          NULL;
        END;
        answers := answers + 1;
        changes := changes + (SELECT count(*) FROM why_not(o.object, r.key, n.path) WHERE proven AND column_name IS NOT NULL);
        above := above + (SELECT count(*) FROM why_not(o.object, r.key, n.path) WHERE proven AND reason = 'record above must have it');
        IF found IS NOT NULL THEN
          wrong := format('%s %s, node %s: %s', o.object, r, n.path, found);
          RETURN;
        END IF;
      END LOOP;
    END LOOP;
  END LOOP;
END $$;
