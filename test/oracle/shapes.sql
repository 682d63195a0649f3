-- What the test of the match engine (test/tap/shapes.pl) needs in a database: types for its columns, a node for each
-- rule, and functions that bring rules and rows together in different orders and compare what is stored with plain SQL.
--
-- The table is s.t, its rows stand in s.source as well; rules come from shapes.rule, rule N belongs to node N.

CREATE SCHEMA shapes;
CREATE TYPE shapes.tier AS ENUM ('low', 'high');
ALTER TYPE shapes.tier ADD VALUE 'mid' BEFORE 'high';
CREATE DOMAIN shapes.small AS int CHECK (VALUE BETWEEN -1000 AND 1000000);
CREATE DOMAIN shapes.code AS text CHECK (VALUE <> '');
CREATE TYPE shapes.pair AS (n int, s text);
CREATE UNLOGGED TABLE shapes.rule (number int PRIMARY KEY, criteria text NOT NULL, expected int[], live bool NOT NULL DEFAULT false);
INSERT INTO territory.node (id, name) SELECT i, 'n' || i FROM generate_series(1, 1000) i;

CREATE FUNCTION shapes.clean() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM territory.detach(object) FROM territory.object;
    DROP SCHEMA IF EXISTS s CASCADE;
END $$;

CREATE FUNCTION shapes.attach() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM territory.attach('s.t', mode => 'all');
END $$;

-- the columns that rows are written by
CREATE FUNCTION shapes.columns(prefix text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT string_agg(prefix || quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute
             WHERE attrelid = 's.source'::regclass AND attnum > 0 AND NOT attisdropped);
END $$;

-- writes all rows anew, in one statement or in several
CREATE FUNCTION shapes.fill(chunks int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM s.t;
    FOR i IN 0 .. chunks - 1 LOOP
        EXECUTE format('INSERT INTO s.t (%1$s) SELECT %1$s FROM s.source WHERE id %% %2$s = %3$s', shapes.columns(''), chunks, i);
    END LOOP;
END $$;

-- gives every row the values of another
CREATE FUNCTION shapes.rotate(distance int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('UPDATE s.t SET (%1$s) = ROW (%2$s) FROM s.source o, (SELECT count(*)::int AS n, min(id) AS low FROM s.source) c'
                   ' WHERE o.id = c.low + (t.id - c.low + %3$s) %% c.n',
                   regexp_replace(shapes.columns(''), '^id, ', ''), regexp_replace(shapes.columns('o.'), '^o.id, ', ''), distance);
END $$;

-- the rows that plain SQL finds for each rule, under the settings that the model pins; returns what it refuses
CREATE FUNCTION shapes.expect() RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    zone text := current_setting('TimeZone');
    style text := current_setting('DateStyle');
    r shapes.rule;
    found int[];
BEGIN
    PERFORM set_config('TimeZone', time_zone, false), set_config('DateStyle', date_style, false) FROM territory.model WHERE state = 'active';
    FOR r IN SELECT * FROM shapes.rule ORDER BY number LOOP
        BEGIN
            EXECUTE format(E'SELECT coalesce(array_agg(id ORDER BY id), ''{}'') FROM s.t WHERE (%s\n) IS TRUE', r.criteria) INTO found;
            UPDATE shapes.rule SET expected = found WHERE number = r.number;
        EXCEPTION WHEN OTHERS THEN
            RETURN NEXT format('refused %s: %s: %s', r.number, left(r.criteria, 300), sqlerrm);
            DELETE FROM shapes.rule WHERE number = r.number;
        END;
    END LOOP;
    PERFORM set_config('TimeZone', zone, false), set_config('DateStyle', style, false);
END $$;

-- writes the rules whose number leaves a remainder from low to high
CREATE FUNCTION shapes.write(part int, low int, high int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO territory.rule (node_id, object, criteria)
    SELECT number, 's.t', criteria FROM shapes.rule WHERE NOT live AND number % part BETWEEN low AND high ORDER BY number;
    UPDATE shapes.rule SET live = true WHERE number % part BETWEEN low AND high;
END $$;

-- the first rules for which something else is stored than expected
CREATE FUNCTION shapes.compare(moment text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY
    SELECT format('BAD %s: rule %s row %s %s: %s', moment, number, coalesce(missing[1], extra[1]),
                  concat_ws(', ', 'missing ' || nullif(missing, '{}')::text, 'too many ' || nullif(extra, '{}')::text), criteria)
      FROM (SELECT number, criteria,
                   ARRAY(SELECT unnest(wanted) EXCEPT SELECT unnest(ids) ORDER BY 1) AS missing,
                   ARRAY(SELECT unnest(ids) EXCEPT SELECT unnest(wanted) ORDER BY 1) AS extra
              FROM (SELECT coalesce(e.number, a.node_id) AS number, e.criteria, coalesce(e.expected, '{}') AS wanted, coalesce(a.ids, '{}') AS ids
                      FROM (SELECT number, criteria, CASE WHEN live THEN expected ELSE '{}' END AS expected FROM shapes.rule) e
                      FULL JOIN (SELECT node_id, array_agg(id ORDER BY id) AS ids FROM s.t_territory GROUP BY 1) a ON a.node_id = e.number) both_sides
             WHERE wanted <> ids
             LIMIT 3) wrong
    UNION ALL
    (SELECT format('BAD %s: rule %s row %s is said to be by rule_id %s', moment, a.node_id, a.id, a.rule_id)
       FROM s.t_territory a LEFT JOIN territory.rule r ON r.id = a.rule_id AND r.node_id = a.node_id
      WHERE r.id IS NULL OR a.manual LIMIT 3);
END $$;

-- what territory.match says about some rows
CREATE FUNCTION shapes.compare_match(ids int[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    one int;
    wrong int;
BEGIN
    FOREACH one IN ARRAY ids LOOP
        SELECT coalesce(m.node_id, e.number) INTO wrong
          FROM (SELECT number FROM shapes.rule WHERE live AND one = ANY (expected)) e
          FULL JOIN (SELECT m.node_id FROM s.t record_ CROSS JOIN LATERAL territory.match('s.t', record_) m WHERE record_.id = one) m ON m.node_id = e.number
         WHERE e.number IS NULL OR m.node_id IS NULL LIMIT 1;
        IF FOUND THEN
            RETURN NEXT format('BAD territory.match: rule %s row %s', wrong, one);
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION shapes.compare_verify() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY SELECT format('BAD territory.verify: rule %s row %s, stored %s, computed %s', node_id, key, stored, computed) FROM territory.verify('s.t') LIMIT 3;
END $$;

-- rules and rows together, in the order that the plan says
CREATE FUNCTION shapes.bring(plan text, chunks int, part int) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    CASE plan
    WHEN 'rows' THEN    -- rules first, then rows
        DELETE FROM s.t;
        PERFORM shapes.write(1, 0, 0);
        PERFORM shapes.fill(chunks);
    WHEN 'rules' THEN   -- rows first, then rules
        PERFORM shapes.write(1, 0, 0);
    WHEN 'defer' THEN   -- both, then a run
        SET territory.defer_runs = on;
        PERFORM shapes.write(1, 0, 0);
        RESET territory.defer_runs;
        PERFORM territory.run('s.t');
    WHEN 'steps' THEN   -- rules by and by, some go, some rest, some become others
        PERFORM shapes.write(part, 0, 0);
        RETURN QUERY SELECT * FROM shapes.compare('the first rules');
        PERFORM shapes.write(part, 1, part - 1);
        RETURN QUERY SELECT * FROM shapes.compare('all rules');
        DELETE FROM territory.rule WHERE node_id % part = 1;
        UPDATE territory.rule SET active = false WHERE node_id % 5 = 2;
        UPDATE shapes.rule SET live = false WHERE number % part = 1 OR number % 5 = 2;
        RETURN QUERY SELECT * FROM shapes.compare('less rules');
        UPDATE territory.rule SET active = true WHERE NOT active;
        UPDATE territory.rule r SET criteria = o.criteria FROM shapes.rule o WHERE r.node_id % 7 = 3 AND o.number = r.node_id + 1;
        UPDATE shapes.rule r SET criteria = o.criteria, expected = o.expected FROM shapes.rule o WHERE r.number % 7 = 3 AND o.number = r.number + 1;
        UPDATE shapes.rule SET live = number IN (SELECT node_id FROM territory.rule);
        PERFORM shapes.write(1, 0, 0);
    END CASE;
    RETURN QUERY SELECT * FROM shapes.compare(plan);
END $$;

-- a batch: what the rules of shapes.rule give in all ways, and what they must
CREATE FUNCTION shapes.try(plan text, chunks int, part int, distance int, also_verify bool, ids int[]) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    context text;
BEGIN
    RETURN QUERY SELECT * FROM shapes.expect();
    BEGIN
        RETURN QUERY SELECT * FROM shapes.bring(plan, chunks, part);
        RETURN QUERY SELECT * FROM shapes.compare_match(ids);
        RETURN QUERY SELECT format('cases %s pairs %s mixed %s', count(*), sum(cardinality(expected)),
                                   count(*) FILTER (WHERE cardinality(expected) BETWEEN 1 AND (SELECT count(*) - 1 FROM s.t))) FROM shapes.rule;
        IF also_verify THEN
            RETURN QUERY SELECT * FROM shapes.compare_verify();
        END IF;
        IF distance IS NOT NULL THEN
            PERFORM shapes.rotate(distance);
            RETURN QUERY SELECT * FROM shapes.expect();
            RETURN QUERY SELECT * FROM shapes.compare('other rows');
        END IF;
    EXCEPTION WHEN OTHERS THEN
        GET STACKED DIAGNOSTICS context = PG_EXCEPTION_CONTEXT;
        RETURN NEXT replace(format('BAD error: %s: %s: %s', sqlstate, sqlerrm, context), E'\n', ' | ');
    END;
    DELETE FROM territory.rule;
    IF distance IS NOT NULL THEN
        PERFORM shapes.fill(1);
    END IF;
END $$;
