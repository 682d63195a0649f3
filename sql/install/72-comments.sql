-- Columns that mean the same in several views are described once: a column without a comment has that of the same name in
-- another view.
DO $$
DECLARE
    likeness text[];    -- a view, and the one that describes its columns
    described record;
BEGIN
    FOREACH likeness SLICE 1 IN ARRAY ARRAY[
        ['forecast_all', 'forecast'],
        ['forecast_member', 'forecast'],
        ['forecast_member_all', 'forecast_member'],
        ['forecast_unassigned', 'forecast'],
        ['forecast_total', 'forecast_unassigned'],
        ['leaderboard', 'forecast_total'],
        ['leaderboard', 'forecast_member'],
        ['report_territory', 'forecast_total'],
        ['report_territory', 'forecast'],
        ['report_member', 'report_territory'],
        ['report_member', 'leaderboard'],
        ['report_pipeline', 'report_territory'],
        ['report_performer', 'leaderboard'],
        ['tree', 'forecast'],
        ['coverage', 'tree']]
    LOOP
        FOR described IN
            SELECT c.attname AS name, pg_catalog.col_description(o.attrelid, o.attnum) AS comment
              FROM pg_catalog.pg_attribute c
              JOIN pg_catalog.pg_attribute o ON o.attname = c.attname
             WHERE c.attrelid = pg_catalog.format('territory.%I', likeness[1])::pg_catalog.regclass
               AND o.attrelid = pg_catalog.format('territory.%I', likeness[2])::pg_catalog.regclass
               AND pg_catalog.col_description(c.attrelid, c.attnum) IS NULL
               AND pg_catalog.col_description(o.attrelid, o.attnum) IS NOT NULL
        LOOP
            EXECUTE pg_catalog.format('COMMENT ON COLUMN territory.%I.%I IS %L', likeness[1], described.name, described.comment);
        END LOOP;
    END LOOP;
END $$;

