-- Contacts, deals and families: territories from the record above.
SET client_min_messages = warning;
CREATE SCHEMA reg_child;
SET search_path = reg_child;
CREATE FUNCTION err(statement text) RETURNS text LANGUAGE plpgsql AS $$
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
INSERT INTO territory.node (path) VALUES ('EMEA'), ('EMEA.NL'), ('EMEA.BE'), ('Global');
CREATE TABLE account (id bigint PRIMARY KEY, country text, global bool NOT NULL DEFAULT false, parent_id bigint);
CREATE TABLE contact (id int PRIMARY KEY, account_id int, name text);
CREATE TABLE deal (id int PRIMARY KEY, contact_id bigint, seller text, amount numeric, closes date, "Stage" text);
CREATE VIEW pair AS
    SELECT object::text, key, path, rule_id - (SELECT min(id) FROM territory.rule) + 1 AS rule, manual FROM territory.assignment ORDER BY object::text, key, path;

-- what attach refuses
SELECT err($$SELECT territory.attach('contact', 'contact')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'account_id')$$);
SELECT err($$SELECT territory.attach('account', parent => 'contact', parent_key => 'id')$$);
SELECT err($$SELECT territory.attach('account', family => 'nowhere')$$);
SELECT err($$SELECT territory.attach('account', family => 'country')$$);
SELECT err($$SELECT territory.attach('account', family => 'parent_id', family_mode => 'some')$$);
SET client_min_messages = notice;
SELECT territory.attach('account', mode => 'all', family => 'parent_id');
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'name')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'acount_id')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'contact', parent_key => 'account_id')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'account_id', mode => 'all')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'account_id', family => 'id')$$);
SELECT err($$SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'account_id', closed => 'maybe')$$);
SELECT territory.attach('contact', 'contact', parent => 'account', parent_key => 'account_id');
SET client_min_messages = warning;
CREATE INDEX ON contact (account_id);
CREATE INDEX ON deal (contact_id);
SELECT err($$SELECT territory.attach('deal', 'deal', parent => 'contact', parent_key => 'contact_id', owner => 'current_user')$$);
SELECT err($$SELECT territory.attach('deal', 'deal', parent => 'contact', parent_key => 'contact_id', amount => 'closes')$$);
SELECT err($$SELECT territory.attach('deal', 'deal', parent => 'contact', parent_key => 'contact_id', category => 'random()::text')$$);
SELECT territory.attach('deal', 'deal', parent => 'contact', parent_key => 'contact_id', owner => 'lower(seller)', amount => 'amount * 2',
                        close_date => 'closes', category => 'Stage');
SELECT object::text, kind, parent::text, parent_key, owner, amount, close_date, category, closed, family, family_mode FROM territory.object ORDER BY 1;
SELECT err($$UPDATE territory.object SET parent_key = 'id' WHERE kind = 'contact'$$);
SELECT err($$UPDATE territory.object SET kind = 'account' WHERE kind = 'contact'$$);
SELECT err($$INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('EMEA'), 'contact', 'true')$$);
INSERT INTO territory.rule (node_id, object, criteria) VALUES
    (territory.node_id('EMEA'), 'account', $$country IN ('NL', 'BE')$$), (territory.node_id('EMEA.NL'), 'account', $$country = 'NL'$$),
    (territory.node_id('Global'), 'account', 'global'), (territory.node_id('EMEA.NL'), 'deal', 'amount >= 100'), (territory.node_id('EMEA.BE'), 'deal', 'amount >= 100');

-- a child before its parent, and a chain of both, in one statement each
INSERT INTO deal VALUES (1, 1, 'Ann', 10, NULL, 'pipeline'), (2, 2, 'Ann', 500, NULL, 'pipeline');
INSERT INTO contact VALUES (1, 1, 'a'), (2, 2, 'b'), (3, NULL, 'c'), (4, 99, 'd');
INSERT INTO account VALUES (1, 'NL', false), (2, 'BE', false);
TABLE pair;
UPDATE account SET country = 'DE', global = true WHERE id = 1;
TABLE pair;
UPDATE contact SET account_id = 2 WHERE id = 1;
DELETE FROM account WHERE id = 1;
TABLE pair;
UPDATE account SET id = 99 WHERE id = 2;
TABLE pair;
TRUNCATE account;
TABLE pair;
INSERT INTO account VALUES (1, 'NL', true), (2, 'BE', false);
-- an exclusion of a contact is its own
INSERT INTO territory.exclusion (object, key, node_id) VALUES ('contact', '2', territory.node_id('EMEA'));
SELECT * FROM pair WHERE object <> 'account' AND key = '2';
DELETE FROM territory.exclusion;

-- deals: a tie has none, then priority, then the owner's membership of today
UPDATE deal SET contact_id = 5, amount = 1;
INSERT INTO contact VALUES (5, 1, 'e');
SELECT * FROM pair WHERE object = 'deal';
INSERT INTO territory.member (node_id, member, ends) VALUES (territory.node_id('Global'), 'ann', current_date);
SELECT * FROM pair WHERE object = 'deal';
INSERT INTO territory.member (node_id, member) VALUES (territory.node_id('EMEA.NL'), 'ann');
SELECT * FROM pair WHERE object = 'deal';
UPDATE deal SET seller = 'bob' WHERE id = 1;
SELECT * FROM pair WHERE object = 'deal';
UPDATE territory.node SET priority = 1 WHERE name = 'Global';
SELECT * FROM pair WHERE object = 'deal';
SELECT d.id, m.node_id = territory.node_id('Global') AS global FROM deal d CROSS JOIN LATERAL territory.match('deal', d) m ORDER BY 1;
SELECT d.id, count(*) FROM contact d CROSS JOIN LATERAL territory.match('contact', d) m GROUP BY 1 ORDER BY 1;
SELECT rule, access FROM territory.rule_stats('deal', false) ORDER BY rule_id;

-- closed deals keep their territory until they are opened again or belong to somebody else
UPDATE deal SET "Stage" = 'closed' WHERE id = 1;
UPDATE deal SET "Stage" = 'omitted' WHERE id = 2;
UPDATE account SET global = false WHERE id = 1;
UPDATE territory.node SET priority = 0 WHERE name = 'Global';
UPDATE deal SET seller = 'zoe', amount = 1000;
SELECT * FROM territory.run('deal');
SELECT * FROM pair WHERE object = 'deal';
UPDATE deal SET "Stage" = 'commit' WHERE id = 1;
UPDATE deal SET contact_id = 2 WHERE id = 2;
SELECT * FROM pair WHERE object = 'deal';
UPDATE deal SET seller = 'Ann', "Stage" = 'closed', contact_id = 5;
SELECT * FROM pair WHERE object = 'deal';
DELETE FROM account;
SELECT * FROM pair WHERE object = 'deal';
SELECT err($$DELETE FROM territory.node WHERE path = 'EMEA.NL'$$) LIKE '2BP01:%' AS held;
UPDATE territory.object SET closed = 'follow' WHERE kind = 'deal';
SELECT * FROM pair WHERE object = 'deal';
UPDATE territory.object SET closed = 'freeze' WHERE kind = 'deal';

-- families follow their top, unless they match themselves; a circle has no top
INSERT INTO account VALUES (1, 'NL', false, NULL), (2, 'US', false, 1), (3, 'US', false, 2), (4, 'BE', false, 3), (5, 'US', false, 6), (6, 'US', true, 5), (7, 'US', false, 6);
INSERT INTO contact VALUES (13, 3, 'x');
SELECT * FROM pair WHERE object <> 'deal';
UPDATE account SET country = 'BE' WHERE id = 1;
SELECT * FROM pair WHERE object <> 'deal';
UPDATE account SET parent_id = 8 WHERE id = 2;
INSERT INTO account VALUES (8, 'US', true, NULL);
SELECT * FROM pair WHERE object <> 'deal';
UPDATE territory.object SET family_mode = 'all' WHERE kind = 'account';
SELECT * FROM pair WHERE object = 'account';
UPDATE territory.object SET family_mode = 'none' WHERE kind = 'account';
SELECT * FROM pair WHERE object = 'account';
SELECT object::text, v.* FROM territory.object o CROSS JOIN LATERAL territory.verify(o.object) v;
SELECT object::text, r.added, r.removed FROM territory.object o CROSS JOIN LATERAL territory.run(o.object) r ORDER BY 1;

-- verify sees what is wrong
ALTER TABLE contact_territory DISABLE TRIGGER USER;
ALTER TABLE deal_territory DISABLE TRIGGER USER;
INSERT INTO contact_territory VALUES (4, territory.node_id('Global'), NULL);
INSERT INTO deal_territory VALUES (1, territory.node_id('Global'), NULL);
DELETE FROM contact_territory WHERE id = 5;
ALTER TABLE contact_territory ENABLE TRIGGER USER;
ALTER TABLE deal_territory ENABLE TRIGGER USER;
SELECT key, stored, computed FROM territory.verify('contact') ORDER BY 1;
SELECT added, removed FROM territory.run('contact');
SELECT * FROM territory.verify('contact');

-- what DDL may not do
SELECT err('ALTER TABLE contact DROP account_id');
SELECT err('ALTER TABLE contact RENAME account_id TO account');
SELECT err('ALTER TABLE contact ALTER account_id TYPE text');
SELECT err('ALTER TABLE account DROP parent_id');
SELECT err('ALTER TABLE deal DROP seller');
SELECT err('DROP TABLE contact');
SELECT err($$SELECT territory.detach('account')$$);
ALTER TABLE contact ALTER account_id TYPE bigint;
ALTER TABLE deal RENAME seller TO person;
ALTER TABLE deal RENAME "Stage" TO stage;
SELECT owner, category FROM territory.object WHERE kind = 'deal';

-- who may attach below another's table
CREATE ROLE reg_child_eve;
GRANT CREATE, USAGE ON SCHEMA reg_child TO reg_child_eve;
GRANT USAGE ON SCHEMA territory TO reg_child_eve;
SET ROLE reg_child_eve;
CREATE TABLE visit (id int PRIMARY KEY, account_id int);
CREATE INDEX ON visit (account_id);
INSERT INTO visit VALUES (1, 8);
SELECT err($$SELECT territory.attach('visit', 'contact', parent => 'account', parent_key => 'account_id')$$);
RESET ROLE;
GRANT SELECT, REFERENCES ON account TO reg_child_eve;
SET ROLE reg_child_eve;
SELECT territory.attach('visit', 'contact', parent => 'account', parent_key => 'account_id');
INSERT INTO visit VALUES (2, 1);
RESET ROLE;
UPDATE account SET global = true WHERE id = 1;
SELECT * FROM pair WHERE object = 'visit';

SELECT territory.detach('visit'), territory.detach('deal');
SELECT territory.detach('contact');
SELECT territory.detach('account');
DELETE FROM territory.node;
DROP SCHEMA reg_child CASCADE;
DROP OWNED BY reg_child_eve;
DROP ROLE reg_child_eve;
