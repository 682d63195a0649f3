-- explain, explain_text and why_not of contacts, deals and families
\set SHOW_CONTEXT never
SET search_path = public, territory;
SET client_min_messages = warning;
CREATE SCHEMA reg_kin;
CREATE TABLE reg_kin.account (id bigint PRIMARY KEY, country text, global bool NOT NULL DEFAULT false, parent_id bigint);
CREATE TABLE reg_kin.contact (id int PRIMARY KEY, account_id int);
CREATE TABLE reg_kin.deal (id int PRIMARY KEY, account_id int, seller text, amount numeric, stage text);
CREATE TABLE reg_kin.offer (id int PRIMARY KEY, contact_id int, category text);
INSERT INTO node (path, priority) VALUES ('K', 0), ('K.NL', 0), ('K.NL.Big', 0), ('K.BE', 0), ('K.Global', 0), ('K.First', 5), ('K.Hand', 0), ('K.Deals', 0);
SELECT attach('reg_kin.account', family => 'parent_id');
SELECT attach('reg_kin.contact', 'contact', parent => 'reg_kin.account', parent_key => 'account_id');
SELECT attach('reg_kin.deal', 'deal', parent => 'reg_kin.account', parent_key => 'account_id', owner => 'lower(seller)', amount => 'amount',
              category => $$CASE stage WHEN 'won' THEN 'closed' WHEN 'lost' THEN 'omitted' ELSE 'pipeline' END$$);
SELECT attach('reg_kin.offer', 'deal', parent => 'reg_kin.contact', parent_key => 'contact_id', category => 'category');
INSERT INTO rule (node_id, object, name, criteria) VALUES
  (node_id('K.NL'), 'reg_kin.account', 'Dutch', $$country = 'NL'$$), (node_id('K.BE'), 'reg_kin.account', 'Belgian', $$country = 'BE'$$),
  (node_id('K.Global'), 'reg_kin.account', 'global', 'global'), (node_id('K.First'), 'reg_kin.account', 'French', $$country = 'FR'$$),
  (node_id('K.NL.Big'), 'reg_kin.deal', 'big', 'amount > 1000'), (node_id('K.Deals'), 'reg_kin.deal', 'small', 'amount < 5');
INSERT INTO member (node_id, member) VALUES (node_id('K.NL'), 'ann'), (node_id('K.NL'), 'bob'), (node_id('K.Global'), 'bob'), (node_id('K.Global'), 'cy');
INSERT INTO reg_kin.account VALUES (1, 'NL', true, NULL), (2, 'US', false, 1), (3, 'BE', false, 2), (4, 'US', false, NULL);
INSERT INTO reg_kin.contact VALUES (1, 1), (2, 2), (3, NULL), (4, 99), (5, 4);
INSERT INTO reg_kin.deal VALUES (1, 1, 'Ann', 10, 'new'), (2, 1, 'bob', 10, 'new'), (3, 1, 'bob', 2000, 'new'), (4, 4, 'ann', 10, 'new'), (5, NULL, 'ann', 1, 'new'), (6, 1, 'ann', 10, 'won'), (7, 1, NULL, 3, 'new');
INSERT INTO reg_kin.offer VALUES (1, 2, 'commit'), (2, 3, 'closed');
CREATE FUNCTION reg_kin.why(object regclass, key text, node territory DEFAULT NULL) RETURNS TABLE (path territory, decision text, because text, by_rule text, from_object regclass, from_key text, who bool, since bool, note text) LANGUAGE sql AS
  $$ SELECT DISTINCT e.path, e.decision, e.because, (SELECT r.name FROM rule r WHERE r.id = e.by_rule), e.from_object, e.from_key, e.who = current_user, e.since <= clock_timestamp(), e.note
       FROM explain(object, key, node) e ORDER BY e.path $$;
CREATE FUNCTION reg_kin.text(object regclass, key text, node territory DEFAULT NULL) RETURNS SETOF text LANGUAGE sql AS
  $$ SELECT regexp_replace(replace(t, 'by ' || current_user, 'by ME'), ' on \d{4}-\d\d-\d\d', ' on DATE') FROM explain_text(object, key, node) t $$;
CREATE FUNCTION reg_kin.not(object regclass, key text, node territory) RETURNS TABLE (record text, column_name text, value text, becomes text, suggestion text, path territory, rule text, reason text, proven bool, minimal bool) LANGUAGE sql AS
  $$ SELECT concat_ws(' ', w.of_object, w.of_key), w.column_name, replace(w.value, 'by ' || current_user, 'by ME'), regexp_replace(w.becomes, 'id = \d+', 'id = N'), w.suggestion, w.path, w.rule, w.reason, w.proven, w.minimal FROM why_not(object, key, node) w $$;

-- contacts: from the parent, whose own may come from the top of its family; no parent; one that is not there, or has nothing
SELECT * FROM reg_kin.why('reg_kin.contact', '2');
SELECT * FROM reg_kin.why('reg_kin.contact', '2', 'K.BE');
SELECT * FROM reg_kin.why('reg_kin.account', '2');
SELECT * FROM reg_kin.why('reg_kin.contact', '3');
SELECT * FROM reg_kin.why('reg_kin.contact', '3', 'K.BE');
SELECT * FROM reg_kin.why('reg_kin.contact', '4');
SELECT * FROM reg_kin.why('reg_kin.contact', '5');
SELECT * FROM reg_kin.text('reg_kin.contact', '2');
SELECT * FROM reg_kin.text('reg_kin.contact', '3');
SELECT * FROM reg_kin.text('reg_kin.contact', '4');
SELECT * FROM reg_kin.text('reg_kin.contact', '5');
-- its own exclusion, its own pair by hand, what the parent has by hand
SELECT exclude('reg_kin.contact', '2', 'K.Global', note => 'private'), assign('reg_kin.contact', '2', 'K.BE'), assign('reg_kin.account', '1', 'K.Hand');
SELECT * FROM reg_kin.why('reg_kin.contact', '2');
SELECT * FROM reg_kin.text('reg_kin.contact', '2');
SELECT * FROM reg_kin.not('reg_kin.contact', '2', 'K.Global');
SELECT include('reg_kin.contact', '2', 'K.Global'), unassign('reg_kin.contact', '2', 'K.BE'), unassign('reg_kin.account', '1', 'K.Hand');

-- families
SELECT * FROM reg_kin.why('reg_kin.account', '3');
SELECT * FROM reg_kin.text('reg_kin.account', '3');
SELECT * FROM reg_kin.not('reg_kin.account', '3', 'K.Global');
SELECT * FROM reg_kin.not('reg_kin.account', '2', 'K.Hand');
UPDATE rule SET criteria = $$country = 'NL' AND parent_id IS NULL$$ WHERE name = 'Dutch';
SELECT * FROM reg_kin.not('reg_kin.account', '3', 'K.NL');
UPDATE rule SET criteria = $$country = 'NL'$$ WHERE name = 'Dutch';
UPDATE territory.object SET family_mode = 'all' WHERE object = 'reg_kin.account'::regclass;
SELECT * FROM reg_kin.why('reg_kin.account', '3');
SELECT * FROM reg_kin.text('reg_kin.account', '3', 'K.BE');
SELECT * FROM reg_kin.not('reg_kin.account', '3', 'K.BE');
UPDATE territory.object SET family_mode = 'none' WHERE object = 'reg_kin.account'::regclass;
SELECT * FROM reg_kin.why('reg_kin.account', '2');
SELECT * FROM reg_kin.text('reg_kin.account', '2', 'K.BE');
UPDATE territory.object SET family_mode = 'unmatched' WHERE object = 'reg_kin.account'::regclass;

-- deals: by the owner, a tie, by deal rules, outside of what the parent has, no parent
SELECT * FROM reg_kin.why('reg_kin.deal', '1');
SELECT * FROM reg_kin.why('reg_kin.deal', '2');
SELECT * FROM reg_kin.why('reg_kin.deal', '3');
SELECT * FROM reg_kin.why('reg_kin.deal', '4');
SELECT * FROM reg_kin.why('reg_kin.deal', '5');
SELECT * FROM reg_kin.why('reg_kin.deal', '7');
SELECT * FROM reg_kin.why('reg_kin.deal', '1', 'K');
SELECT * FROM reg_kin.text('reg_kin.deal', '1');
SELECT * FROM reg_kin.text('reg_kin.deal', '2');
SELECT * FROM reg_kin.text('reg_kin.deal', '3');
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.Global');
SELECT * FROM reg_kin.not('reg_kin.deal', '2', 'K.NL');
SELECT * FROM reg_kin.not('reg_kin.deal', '3', 'K.NL');
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.NL.Big');
SELECT * FROM reg_kin.not('reg_kin.deal', '4', 'K.NL.Big');
SELECT * FROM reg_kin.not('reg_kin.deal', '5', 'K.NL.Big');
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.Deals');
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.BE');
-- nobody else is a member: what decides
DELETE FROM member WHERE member = 'cy';
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.Global');
-- priority
UPDATE node SET priority = 3 WHERE path = 'K.NL';
SELECT * FROM reg_kin.why('reg_kin.deal', '2', 'K.Global');
SELECT * FROM reg_kin.not('reg_kin.deal', '2', 'K.Global');
UPDATE node SET priority = 0 WHERE path = 'K.NL';
-- a node of a higher priority gives way to one below it
INSERT INTO node (path, priority) VALUES ('K.NL.Way', 5), ('K.NL.Way.Deep', -1), ('K.Global.T', 0);
INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('K.NL.Way'), 'reg_kin.deal', 'way', 'true'), (node_id('K.NL.Way.Deep'), 'reg_kin.deal', 'deep', 'amount > 3000'), (node_id('K.Global.T'), 'reg_kin.deal', 't', 'amount IS NOT NULL');
DELETE FROM rule WHERE name = 'big';
SELECT * FROM reg_kin.why('reg_kin.deal', '2', 'K.Global.T');
SELECT * FROM reg_kin.not('reg_kin.deal', '2', 'K.Global.T');
SELECT deleted FROM drop_node('K.NL.Way') UNION ALL SELECT deleted FROM drop_node('K.Global.T');
INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('K.NL.Big'), 'reg_kin.deal', 'big', 'amount > 1000');
-- closed
UPDATE reg_kin.account SET country = 'BE', global = false WHERE id = 1;
SELECT * FROM reg_kin.why('reg_kin.deal', '6');
SELECT * FROM reg_kin.text('reg_kin.deal', '6');
SELECT * FROM reg_kin.not('reg_kin.deal', '6', 'K.BE');
-- by hand
SELECT assign('reg_kin.deal', '1', 'K.Hand');
SELECT * FROM reg_kin.why('reg_kin.deal', '1');
SELECT * FROM reg_kin.text('reg_kin.deal', '1');
SELECT exclude('reg_kin.deal', '1', 'K.BE');
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.BE');
SELECT * FROM reg_kin.not('reg_kin.deal', '1', 'K.Hand');
-- a chain of three, asked from below; what is done brings it there
SELECT * FROM reg_kin.not('reg_kin.offer', '1', 'K.First');
BEGIN;
UPDATE reg_kin.account SET country = 'FR' WHERE id = 2;
SELECT * FROM reg_kin.why('reg_kin.offer', '1', 'K.First');
ROLLBACK;
SELECT * FROM reg_kin.not('reg_kin.offer', '2', 'K.First');

-- who assigned a pair: the last one who did, nobody where history is off or does not say
CREATE ROLE reg_kin_boss;
GRANT USAGE ON SCHEMA reg_kin TO reg_kin_boss;
GRANT SELECT, UPDATE ON reg_kin.account TO reg_kin_boss;
SET ROLE reg_kin_boss;
SELECT assign('reg_kin.account', '1', 'K.BE');
RESET ROLE;
SELECT path, decision, who, note FROM explain('reg_kin.account', '1', 'K.BE');
SELECT unassign('reg_kin.account', '1', 'K.BE'), assign('reg_kin.account', '1', 'K.BE');
SELECT path, decision, who = current_user AS me, note FROM explain('reg_kin.account', '1', 'K.BE');
UPDATE rule SET criteria = $$country = 'B'$$ WHERE name = 'Belgian';
SELECT path, decision, who = current_user AS me, note FROM explain('reg_kin.account', '1', 'K.BE');
UPDATE rule SET criteria = $$country = 'BE'$$ WHERE name = 'Belgian';
UPDATE territory.object SET history = false WHERE object = 'reg_kin.account'::regclass;
SELECT assign('reg_kin.account', '4', 'K.Hand');
SELECT path, decision, who, since <= now() AS since FROM explain('reg_kin.account', '4', 'K.Hand');
SELECT * FROM reg_kin.text('reg_kin.account', '4', 'K.Hand');
UPDATE territory.object SET history = true WHERE object = 'reg_kin.account'::regclass;

-- a record above that the caller may not read: its key only where the record itself names it, and no more of it
GRANT SELECT ON reg_kin.contact TO reg_kin_boss;
ALTER TABLE reg_kin.account ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON reg_kin.account TO reg_kin_boss USING (id = 2);
SET ROLE reg_kin_boss;
SELECT path, decision, from_key FROM explain('reg_kin.account', '2', 'K.BE') e;
SELECT * FROM explain_text('reg_kin.account', '2', 'K.Global');
SELECT reason, path, of_key FROM why_not('reg_kin.account', '2', 'K.Hand');
SELECT path, decision, from_key FROM explain('reg_kin.contact', '1', 'K.BE') e;
SELECT reason, path, of_key FROM why_not('reg_kin.contact', '1', 'K.Hand');
RESET ROLE;
REVOKE SELECT ON reg_kin.account FROM reg_kin_boss;
SET ROLE reg_kin_boss;
SELECT path, decision, from_key FROM explain('reg_kin.contact', '1', 'K.BE') e;
SELECT reason, path, of_key FROM why_not('reg_kin.contact', '1', 'K.Hand');
RESET ROLE;

SELECT detach('reg_kin.offer'), detach('reg_kin.deal');
SELECT detach('reg_kin.contact');
SELECT detach('reg_kin.account');
DELETE FROM node WHERE path <@ 'K';
DROP SCHEMA reg_kin CASCADE;
DROP ROLE reg_kin_boss;
