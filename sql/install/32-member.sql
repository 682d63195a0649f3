-- Members: people in nodes.

CREATE TABLE member (
    id serial PRIMARY KEY,
    node_id int NOT NULL,
    member text NOT NULL CHECK (member <> ''),
    role text NOT NULL DEFAULT 'member' CHECK (role IN ('manager', 'member')),
    access text NOT NULL DEFAULT 'read' CHECK (access IN ('read', 'write')),
    weight numeric NOT NULL DEFAULT 1 CHECK (weight >= 0 AND weight < 'Infinity'),
    capacity int CHECK (capacity >= 0),
    starts date,
    ends date,
    CONSTRAINT member_once UNIQUE NULLS NOT DISTINCT (node_id, member, starts),
    CONSTRAINT member_dates CHECK (starts < ends)
);
CREATE INDEX ON member (member);
COMMENT ON TABLE member IS 'people in territories; one person''s times in one territory do not overlap';
COMMENT ON COLUMN member.node_id IS 'of territory.node; deleting the node deletes the member';
COMMENT ON COLUMN member.member IS 'who: the role name, or what the setting territory.identity gives';
COMMENT ON COLUMN member.role IS 'manager or member';
COMMENT ON COLUMN member.access IS 'to the records of the node and of all below it: read or write; a manager always writes';
COMMENT ON COLUMN member.weight IS 'share of new records that distribution gives the member, relative to the others'' weights; 0: none';
COMMENT ON COLUMN member.capacity IS 'records that the member may own in the node, by distribution; null: any number';
COMMENT ON COLUMN member.starts IS 'first day; null: since ever';
COMMENT ON COLUMN member.ends IS 'the day after the last one; null: no end';

GRANT SELECT, INSERT, UPDATE, DELETE ON member TO @extowner@;
GRANT USAGE, SELECT, UPDATE ON SEQUENCE member_id_seq TO @extowner@;
SELECT pg_catalog.pg_extension_config_dump('member', '');
SELECT pg_catalog.pg_extension_config_dump('member_id_seq', '');

CREATE FUNCTION member_check() RETURNS trigger LANGUAGE c AS 'MODULE_PATHNAME', 'territory_member_check';
COMMENT ON FUNCTION member_check() IS 'trigger of territory.member: the node must be there, and a person be in it once at a time';
REVOKE EXECUTE ON FUNCTION member_check() FROM PUBLIC;
CREATE TRIGGER "10_check" AFTER INSERT OR UPDATE OF node_id, member, starts, ends ON member
    FOR EACH ROW EXECUTE FUNCTION member_check();
