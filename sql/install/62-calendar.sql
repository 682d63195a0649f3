-- The calendar: periods that targets and forecasts are kept by.

CREATE TABLE period (
    id serial PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (name <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    starts date NOT NULL CHECK (starts > '-infinity'),
    ends date NOT NULL CHECK (ends < 'infinity'),
    CONSTRAINT period_dates CHECK (starts < ends)
);
CREATE INDEX ON period (kind, starts);
COMMENT ON TABLE period IS 'the calendar; territory.make_periods() fills it. Periods of one kind follow each other without gaps; months lie within quarters, and these within years';
COMMENT ON COLUMN period.name IS 'such as 2026-03, 2026-Q1 or 2026; unique';
COMMENT ON COLUMN period.kind IS 'month, quarter, year, or a word of one''s own for a calendar of another shape';
COMMENT ON COLUMN period.starts IS 'first day';
COMMENT ON COLUMN period.ends IS 'the day after the last one';

GRANT SELECT, INSERT, UPDATE, DELETE ON period TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE period_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('period', '');
SELECT pg_catalog.pg_extension_config_dump('period_id_seq', '');

CREATE FUNCTION period_lock() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_period_lock';
CREATE FUNCTION period_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_period_check';
COMMENT ON FUNCTION period_lock() IS 'trigger of territory.period: one writer at a time';
COMMENT ON FUNCTION period_check() IS 'trigger of territory.period: no gaps or overlaps within a kind, no crossing of borders, no loss of what targets are for';
REVOKE EXECUTE ON FUNCTION period_lock(), period_check() FROM PUBLIC;
CREATE TRIGGER "00_lock" BEFORE INSERT OR UPDATE OR DELETE ON period
    FOR EACH STATEMENT EXECUTE FUNCTION period_lock();
CREATE TRIGGER "10_check" AFTER INSERT OR UPDATE OR DELETE ON period
    FOR EACH STATEMENT EXECUTE FUNCTION period_check();

CREATE FUNCTION make_periods(kind text, first date, last date, fiscal_start_month int DEFAULT 1, named_by text DEFAULT 'start',
                             weeks text DEFAULT NULL, week_start int DEFAULT 1) RETURNS SETOF period
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 12
    AS 'MODULE_PATHNAME', 'territory_make_periods';
COMMENT ON FUNCTION make_periods(text, date, date, int, text, text, int) IS
    'adds the months, quarters or years that cover a span, first and last day included, and returns them, also those that are there already. named_by: start or end, the calendar year that gives a fiscal year its name. weeks: months of so many weeks, such as 4-4-5; the year then begins on the weekday week_start (1: Monday) that is nearest to the first of fiscal_start_month';
