-- Contacts and deals: what beside rules decides about them.

CREATE FUNCTION reassign_members() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_reassign_members';
COMMENT ON FUNCTION reassign_members() IS 'trigger of territory.member: chooses the territories of the person''s deals anew';
REVOKE EXECUTE ON FUNCTION reassign_members() FROM PUBLIC;

CREATE TRIGGER "30_reassign_insert" AFTER INSERT ON member REFERENCING NEW TABLE AS new_member
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_members();
CREATE TRIGGER "30_reassign_update" AFTER UPDATE ON member REFERENCING OLD TABLE AS old_member NEW TABLE AS new_member
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_members();
CREATE TRIGGER "30_reassign_delete" AFTER DELETE ON member REFERENCING OLD TABLE AS old_member
    FOR EACH STATEMENT EXECUTE FUNCTION reassign_members();
