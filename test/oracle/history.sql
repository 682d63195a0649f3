-- What the random test of history compares with: the pairs, remembered after each transaction.
--
-- A record is known by ident, which never changes, while its key may; so what is remembered by ident is compared with
-- what history says of the record's last key. A deleted record of the same key is of the same history, and goes along.

-- the table that the functions name is made later
SET check_function_bodies = off;
CREATE SCHEMA h;
CREATE SEQUENCE h.fresh START 1000;
CREATE TABLE h.remembered (at timestamptz, ident int, node_id int, rule_id int, manual bool);
CREATE TABLE h.times (at timestamptz, step int);
CREATE TABLE h.last_key (ident int PRIMARY KEY, key text);

CREATE FUNCTION h.note_key() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO h.last_key VALUES (NEW.ident, NEW.id::text);
    ELSIF NEW.id <> OLD.id THEN
        UPDATE h.last_key SET key = NEW.id::text WHERE key = OLD.id::text;
    END IF;
    RETURN NULL;
END $$;

CREATE PROCEDURE h.remember(step int) LANGUAGE plpgsql AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    INSERT INTO h.remembered SELECT moment, a.ident, t.node_id, t.rule_id, t.manual FROM h.acc a JOIN h.acc_territory t USING (id);
    INSERT INTO h.times VALUES (moment, step);
END $$;

-- ok and the number of times, or the first that history has wrong
CREATE FUNCTION h.compare(since timestamptz DEFAULT '-infinity') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    t record;
    wrong text;
    times int := 0;
    pairs int := 0;
BEGIN
    FOR t IN SELECT * FROM h.times WHERE at >= since ORDER BY at LOOP
        WITH right_ AS (
            SELECT k.key, r.node_id, r.rule_id, r.manual FROM h.remembered r JOIN h.last_key k USING (ident) WHERE r.at = t.at),
        told AS (SELECT key, node_id, rule_id, manual FROM territory.as_of('h.acc', t.at))
        SELECT string_agg(x, '; ') INTO wrong FROM (
            SELECT 'missing ' || m::text AS x FROM (SELECT * FROM right_ EXCEPT ALL SELECT * FROM told) m
            UNION ALL SELECT 'too much ' || m::text FROM (SELECT * FROM told EXCEPT ALL SELECT * FROM right_) m) w;
        IF wrong IS NOT NULL THEN
            RETURN format('BAD as of step %s, %s: %s', t.step, t.at, wrong);
        END IF;
        times := times + 1;
        pairs := pairs + (SELECT count(*) FROM h.remembered WHERE at = t.at);
    END LOOP;
    RETURN format('ok %s %s', times, pairs);
END $$;

-- what holds of any history; NULL, or what is wrong
CREATE FUNCTION h.flaws() RETURNS text LANGUAGE sql AS $$
    WITH pair AS MATERIALIZED (SELECT *, row_number() OVER () AS number FROM territory.pair_history('h.acc'))
    SELECT 'BAD ' || string_agg(flaw, '; ') FROM (
        SELECT format('overlap of %s and %s', a, b) FROM pair a JOIN pair b ON a.key = b.key AND a.node_id = b.node_id AND a.number < b.number
         WHERE tstzrange(a.since, a.until) && tstzrange(b.since, b.until)
        UNION ALL
        SELECT format('%s is empty', a) FROM pair a WHERE a.until <= a.since
        UNION ALL
        SELECT format('%s has no beginning', a) FROM pair a WHERE NOT EXISTS (SELECT FROM territory.change c WHERE c.at = a.since)
        UNION ALL
        SELECT format('%s has no end', a) FROM pair a WHERE a.until IS NOT NULL AND NOT EXISTS (SELECT FROM territory.change c WHERE c.at = a.until)
        UNION ALL
        SELECT format('the view says %s, not %s', (SELECT count(*) FROM territory.history WHERE object = 'h.acc'::regclass), (SELECT count(*) FROM pair))
         WHERE (SELECT count(*) FROM territory.history WHERE object = 'h.acc'::regclass) <> (SELECT count(*) FROM pair)
        UNION ALL
        SELECT format('node %s has no path', h.node_id) FROM territory.history h WHERE h.path IS NULL
        UNION ALL
        SELECT format('pair that ended in its own transaction: %s', h.key) FROM territory.history h WHERE h.xid = h.end_xid) f (flaw)
$$;
