-- The calendar: periods without gaps, of any fiscal year.
SET client_min_messages = warning;
SET search_path = public, territory;
CREATE FUNCTION pg_temp.err(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    d text;
    h text;
BEGIN
    EXECUTE statement;
    RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS d = PG_EXCEPTION_DETAIL, h = PG_EXCEPTION_HINT;
    RETURN SQLSTATE || ': ' || SQLERRM || CASE WHEN d <> '' THEN E'\nDETAIL: ' || d ELSE '' END || CASE WHEN h <> '' THEN E'\nHINT: ' || h ELSE '' END;
END $$;
SET DateStyle = ISO;

-- first and last day are covered; what is there already is returned too
SELECT name, kind, starts, ends FROM make_periods('quarter', '2026-03-31', '2026-12-31');
SELECT name, starts, ends FROM make_periods('month', '2026-02-28', '2026-04-01');
SELECT count(*) FROM make_periods('month', '2026-01-01', '2026-12-31');
SELECT name FROM make_periods('year', '2025-12-31', '2026-01-01');
SELECT count(*), count(DISTINCT id) FROM period;

-- no gaps, no overlaps, no crossing
SELECT pg_temp.err($$SELECT make_periods('month', '2027-03-01', '2027-03-01')$$);
SELECT pg_temp.err($$SELECT make_periods('quarter', '2026-01-01', '2026-12-31', 2)$$);
SELECT pg_temp.err($$INSERT INTO period (name, kind, starts, ends) VALUES ('late', 'month', '2026-12-15', '2027-02-01')$$);
SELECT pg_temp.err($$DELETE FROM period WHERE name = '2026-06'$$);
SELECT pg_temp.err($$UPDATE period SET ends = ends + 1 WHERE name = '2026-Q4'$$);
SELECT pg_temp.err($$TRUNCATE period$$);
INSERT INTO period (name, kind, starts, ends) VALUES ('sprint 2', 'sprint', '2026-01-12', '2026-01-26'), ('sprint 1', 'sprint', '2025-12-29', '2026-01-12');
SELECT pg_temp.err($$UPDATE period SET ends = ends - 1 WHERE name = 'sprint 1'$$);
UPDATE period SET starts = starts + 7, ends = ends + 7 WHERE kind = 'sprint';
DELETE FROM period WHERE name = 'sprint 2';
DELETE FROM period;

-- a fiscal year that begins in April, named by its start and by its end
SELECT name, starts, ends FROM make_periods('year', '2026-03-31', '2026-04-01', 4);
SELECT name, starts, ends FROM make_periods('quarter', '2026-03-31', '2026-04-01', 4);
SELECT string_agg(name, ' ') FROM make_periods('month', '2026-03-31', '2026-04-01', 4);
DELETE FROM period;
SELECT name, starts, ends FROM make_periods('year', '2026-03-31', '2026-04-01', 4, 'end');
SELECT name, starts, ends FROM make_periods('quarter', '2026-03-31', '2026-04-01', 4, 'end');
DELETE FROM period;

-- every start month: twelve years of months nest in quarters, and these in years, whole
CREATE TEMP TABLE year_of (month int, kind text, periods bigint, shortest int, longest int);
DO $$
BEGIN
    FOR m IN 1..12 LOOP
        PERFORM make_periods(k, '1999-06-01', '2010-06-01', m, CASE WHEN m % 2 = 0 THEN 'end' ELSE 'start' END)
           FROM unnest('{month,quarter,year}'::text[]) k;
        INSERT INTO year_of SELECT m, kind, count(*), min(ends - starts), max(ends - starts) FROM period GROUP BY kind;
        DELETE FROM period;
    END LOOP;
END $$;
SELECT kind, periods, shortest, longest, count(*) FROM year_of GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;

-- 4-4-5 weeks: years of 52 or 53 weeks that begin on a Monday; quarters of 13 weeks
SELECT name, starts, ends, (ends - starts) / 7 AS weeks FROM make_periods('year', '2026-06-01', '2033-06-01', weeks => '4-4-5');
SELECT name, starts, ends, (ends - starts) / 7 AS weeks FROM make_periods('quarter', '2026-06-01', '2027-06-01', weeks => '4-4-5');
SELECT string_agg(format('%s:%s', name, (ends - starts) / 7), ' ' ORDER BY starts) FROM make_periods('month', '2026-06-01', '2026-12-31', weeks => '4-4-5');
SELECT bool_and(extract(isodow FROM starts) = 1) FROM period;
DELETE FROM period;
-- the retail year: from the Sunday that is nearest to the first of February
SELECT name, starts, ends FROM make_periods('year', '2023-06-01', '2026-06-01', 2, weeks => '4-5-4', week_start => 7);
DELETE FROM period;

-- what is refused
SELECT pg_temp.err($$SELECT make_periods('week', '2026-01-01', '2026-12-31')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-02', '2026-01-01')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-02', 'infinity')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '0026-01-02', '2026-01-01')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-01', '2026-01-01', 13)$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-01', '2026-01-01', 1, 'middle')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-01', '2026-01-01', weeks => '4-4-4')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-01', '2026-01-01', weeks => '4-4-5 ')$$);
SELECT pg_temp.err($$SELECT make_periods('month', '2026-01-01', '2026-01-01', weeks => '4-4-5', week_start => 0)$$);
SELECT pg_temp.err($$SELECT make_periods('month', NULL, '2026-01-01')$$);
SELECT count(*) FROM period;
