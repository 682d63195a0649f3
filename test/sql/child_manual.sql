-- decisions by hand, history and checks of contacts, deals and families
CREATE SCHEMA reg_child_manual;
SET search_path = reg_child_manual, territory, public;
CREATE FUNCTION reg_child_manual.err(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text;
BEGIN EXECUTE command; RETURN 'no error';
EXCEPTION WHEN OTHERS THEN
  GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
  RETURN SQLSTATE || ': ' || SQLERRM || coalesce(nullif(' (' || detail || ')', ' ()'), '') || coalesce(nullif(' [' || hint || ']', ' []'), '');
END $$;
INSERT INTO node (path) VALUES ('C'), ('C.NL'), ('C.DE'), ('C.DE.Big'), ('C.Old'), ('C.New');
CREATE TABLE account (id int PRIMARY KEY, country text, parent_id int);
CREATE INDEX ON account (parent_id);
CREATE TABLE contact (id int PRIMARY KEY, account_id int, seller text);
CREATE INDEX ON contact (account_id);
CREATE TABLE deal (id int PRIMARY KEY, account_id int, seller text, stage text, amount numeric);
CREATE INDEX ON deal (account_id);
SELECT attach('account', family => 'parent_id', family_mode => 'unmatched');
SELECT attach('contact', 'contact', parent => 'account', parent_key => 'account_id', owner => 'lower(seller)');
SELECT attach('deal', 'deal', parent => 'account', parent_key => 'account_id', owner => 'seller', amount => 'amount', category => 'stage');
-- pairs: what stands; different: what is not as it should be
CREATE FUNCTION reg_child_manual.pairs() RETURNS TABLE (object regclass, key text, path territory, rule bool, manual bool) LANGUAGE sql AS $$
  SELECT a.object, a.key, a.path, a.rule_id IS NOT NULL, a.manual FROM assignment a WHERE a.object IN ('account'::regclass, 'contact'::regclass, 'deal'::regclass) ORDER BY 1, 2, 3 $$;
CREATE FUNCTION reg_child_manual.different() RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM object o CROSS JOIN LATERAL verify(o.object) WHERE o.object IN ('account'::regclass, 'contact'::regclass, 'deal'::regclass) $$;
INSERT INTO rule (node_id, object, criteria) VALUES (node_id('C.NL'), 'account', $$country = 'NL'$$), (node_id('C.DE'), 'account', $$country = 'DE'$$),
  (node_id('C.DE.Big'), 'deal', 'amount > 100');
INSERT INTO account VALUES (1, 'NL', NULL), (2, 'FR', 1), (3, 'FR', NULL);
INSERT INTO contact VALUES (11, 1), (12, 2), (13, 3);
INSERT INTO deal VALUES (21, 1, 'ann', 'pipeline', 1), (22, 3, 'ann', 'pipeline', 200), (23, 1, 'ann', 'closed', 1);
SELECT * FROM pairs();

-- what an account is given by hand, those below it have in the same statement
SELECT assign('account', '3', 'C.DE'), assign('account', '1', 'C.Old');
SELECT * FROM pairs();
SELECT different();
SELECT key, path, begin_cause, begin_detail FROM (SELECT key, path, cause AS begin_cause, detail AS begin_detail, lower(during) AS at FROM history WHERE object IN ('contact'::regclass, 'deal'::regclass) AND upper(during) IS NULL) h ORDER BY key, path;
SELECT unassign('account', '1', 'C.Old');
SELECT exclude('account', '3', 'C.DE');
SELECT * FROM pairs() WHERE key IN ('1', '2', '11', '12', '13', '22', '23');
SELECT include('account', '3', 'C.DE'), assign('account', '3', 'C.DE');

-- decisions about those below: beside what the parent gives
SELECT assign('contact', '13', 'C.DE'), assign('contact', '13', 'C.New');
SELECT unassign('contact', '13', 'C.DE'), err($$SELECT unassign('contact', '13', 'C.DE')$$);
SELECT * FROM pairs() WHERE object = 'contact'::regclass AND key = '13';
SELECT exclude('contact', '13', NULL);
SELECT * FROM pairs() WHERE object = 'contact'::regclass AND key = '13';
SELECT include('contact', '13', NULL);
SELECT * FROM pairs() WHERE object = 'contact'::regclass AND key = '13';

-- a deal has one node: what it is given by hand replaces the others, and goes back
SELECT assign('deal', ARRAY['21', '22', '23'], 'C.Old');
SELECT * FROM pairs() WHERE object = 'deal'::regclass;
SELECT assign('deal', ARRAY['21', '22'], 'C.New');
SELECT * FROM pairs() WHERE object = 'deal'::regclass;
SELECT different();
SELECT unassign('deal', '22', 'C.New'), unassign('deal', '23', 'C.Old');
SELECT * FROM pairs() WHERE object = 'deal'::regclass;
SELECT different();

-- a family: all below have what the top is given
INSERT INTO account VALUES (4, 'FR', 3), (5, 'DE', 3);
SELECT assign('account', '3', 'C.New');
SELECT * FROM pairs() WHERE object = 'account'::regclass;
SELECT unassign('account', ARRAY['3'], 'C.New');
SELECT * FROM pairs() WHERE object = 'account'::regclass;
SELECT different();

-- dropped nodes hand on what is by hand, and what closed deals keep
UPDATE deal SET account_id = 3, stage = 'closed' WHERE id = 23;
SELECT assign('account', '3', 'C.Old');
SELECT * FROM pairs() WHERE path ~ '*.Old' OR path ~ '*.DE' OR path ~ '*.New';
INSERT INTO member (node_id, member) VALUES (node_id('C.Old'), 'ann');
SELECT different();
SELECT * FROM drop_node('C.Old', transfer_to => 'C.New');
SELECT * FROM pairs();
UPDATE rule SET criteria = 'false' WHERE node_id = node_id('C.DE');
DELETE FROM exclusion WHERE object = 'account'::regclass;
UPDATE account SET country = 'DE' WHERE id = 1;
SELECT different();
INSERT INTO deal VALUES (24, 3, 'bob', 'closed', 500);
SELECT path FROM pairs() WHERE key = '24';
SELECT deleted, pairs FROM drop_node('C.DE.Big', transfer_to => 'C.NL');
SELECT path, rule, manual FROM pairs() WHERE key = '24';
SELECT different();

-- checks of those below hold when those above change
INSERT INTO pair_check (name, object, kind, bound) VALUES ('few contacts', 'contact', 'nodes_per_record', 2);
SELECT count(*) FROM pairs() WHERE key = '13';
SELECT err($$SELECT assign('account', '3', 'C')$$);
SELECT err($$WITH x AS (INSERT INTO rule (node_id, object, criteria) VALUES (node_id('C.NL'), 'account', 'true'), (node_id('C'), 'account', 'true')) SELECT$$);
SELECT different();

-- distribution writes the owner: that must be a column
SELECT err($$SELECT * FROM distribute('contact', 'C.NL')$$);
SELECT err($$INSERT INTO distribution (object, node_id) VALUES ('contact', node_id('C.NL'))$$);
SELECT err($$SELECT * FROM distribute('account', 'C.NL')$$);
UPDATE deal SET seller = NULL;
SELECT * FROM distribute('deal', 'C.New');
SELECT id, seller FROM deal ORDER BY id;
SELECT different();

SELECT detach('deal'), detach('contact'), detach('account');
DROP SCHEMA reg_child_manual CASCADE;
DELETE FROM node WHERE path <@ 'C';
