-- The tables of the configuration: each statement on them is audited, and TRUNCATE, which triggers for rows do not hear of,
-- is refused; with this hint, or (empty) that of refuse_truncate(); always: also where it arrives by replication.
DO $$
DECLARE
    configuration record;
BEGIN
    FOR configuration IN
        SELECT * FROM (VALUES
            ('model', '', true),
            ('node', '', true),
            ('rule', '', true),
            ('object', 'Use territory.detach() for each table.', true),
            ('exclusion', '', true),
            ('member', NULL, NULL),     -- may be truncated
            ('pair_check', '', true),
            ('distribution', '', true),
            ('period', 'Use DELETE.', false),
            ('target', 'Use DELETE.', false),
            ('adjustment', 'Use DELETE.', false),
            ('forecast_def', 'Use DELETE.', false),
            ('exchange_rate', 'Use DELETE.', false),
            ('deal_share', 'Use DELETE.', false)) AS c (name, truncate_hint, always)
    LOOP
        EXECUTE pg_catalog.format(
            'CREATE TRIGGER "40_audit_insert" AFTER INSERT ON territory.%1$I REFERENCING NEW TABLE AS new_%1$s'
            '    FOR EACH STATEMENT EXECUTE FUNCTION territory.audit_rows();'
            'CREATE TRIGGER "40_audit_update" AFTER UPDATE ON territory.%1$I REFERENCING OLD TABLE AS old_%1$s NEW TABLE AS new_%1$s'
            '    FOR EACH STATEMENT EXECUTE FUNCTION territory.audit_rows();'
            'CREATE TRIGGER "40_audit_delete" AFTER DELETE ON territory.%1$I REFERENCING OLD TABLE AS old_%1$s'
            '    FOR EACH STATEMENT EXECUTE FUNCTION territory.audit_rows()', configuration.name);
        IF configuration.truncate_hint IS NOT NULL THEN
            EXECUTE pg_catalog.format(
                'CREATE TRIGGER "00_truncate" BEFORE TRUNCATE ON territory.%I'
                '    FOR EACH STATEMENT EXECUTE FUNCTION territory.refuse_truncate(%s)',
                configuration.name, pg_catalog.quote_literal(nullif(configuration.truncate_hint, '')));
        END IF;
        IF configuration.always THEN
            EXECUTE pg_catalog.format('ALTER TABLE territory.%I ENABLE ALWAYS TRIGGER "00_truncate"', configuration.name);
        END IF;
    END LOOP;
END $$;
