-- The oracle for records that depend on others: accounts in families, contacts, deals. What each must have is worked
-- out anew after every step, from the words of the design alone; test/oracle/oracle.sql is there already. The tables
-- are those of test/oracle/Children.pm: w.account, w.contact, w.deal.
--
-- What a closed deal keeps is history: oracle.deal remembers what each deal had to have after the last step.

\ir explain.sql

CREATE TABLE oracle.line (id int, above int);
CREATE TABLE oracle.must (object text, key text, node_id int, rule_id int);
CREATE TABLE oracle.by_hand (object text, key text, node_id int);
-- scratch
CREATE TABLE oracle.top (key text, top text);
CREATE TABLE oracle.own (key text);
CREATE TABLE oracle.above (key text, node_id int, rule_id int);
CREATE TABLE oracle.choice (node_id int, rule_id int);
CREATE TABLE oracle.now_deal (uid int, parent text, closed bool, node_id int, rule_id int);

CREATE TABLE oracle.deal (uid int, parent text, closed bool, node_id int, rule_id int);

-- the nodes of the active model, each with itself and all above it
CREATE FUNCTION oracle.fill_lines() RETURNS void LANGUAGE sql AS $$
    DELETE FROM oracle.line;
    INSERT INTO oracle.line
    WITH RECURSIVE up AS (
        SELECT n.id, n.id AS above, n.parent_id FROM territory.node n JOIN territory.model m ON m.id = n.model_id WHERE m.state = 'active'
        UNION ALL
        SELECT up.id, n.id, n.parent_id FROM up JOIN territory.node n ON n.id = up.parent_id)
    SELECT id, above FROM up;
$$;

CREATE FUNCTION oracle.excluded(obj text, record text, node int) RETURNS bool LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM territory.exclusion e WHERE e.object = obj::regclass AND e.key = record AND coalesce(e.node_id, node) = node)
$$;

-- what was given by hand, to records that are there still
CREATE FUNCTION oracle.add_by_hand(obj text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM oracle.by_hand h WHERE h.object = obj) THEN
        RETURN;
    END IF;
    -- those of truncated records are gone
    EXECUTE format('DELETE FROM oracle.by_hand h WHERE h.object = %1$L AND NOT EXISTS (SELECT FROM %1$s r WHERE r.k::text = h.key)', obj);
    EXECUTE format('INSERT INTO oracle.must SELECT h.object, h.key, h.node_id, NULL FROM oracle.by_hand h'
                   ' WHERE h.object = %1$L AND NOT oracle.excluded(%1$L, h.key, h.node_id)'
                   '   AND NOT EXISTS (SELECT FROM oracle.must m WHERE m.object = h.object AND m.key = h.key AND m.node_id = h.node_id)', obj);
END $$;

-- the top of an account's family; itself where there is none
CREATE FUNCTION oracle.top(account text) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    at text := account;
    up text;
    seen text[] := '{}';
BEGIN
    LOOP
        SELECT p.k::text INTO up FROM w.account a JOIN w.account p ON p.k = a.up WHERE a.k::text = at;
        IF up IS NULL THEN
            RETURN at;
        END IF;
        seen := seen || at;
        IF up = ANY (seen) THEN
            RETURN account;
        END IF;
        at := up;
    END LOOP;
END $$;

CREATE FUNCTION oracle.fill_accounts() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    o territory.object;
BEGIN
    SELECT * INTO STRICT o FROM territory.object WHERE object = 'w.account'::regclass;
    DELETE FROM oracle.must;
    INSERT INTO oracle.must SELECT 'w.account', e.key, e.node_id, e.rule_id FROM oracle.expected('w.account') e;
    IF o.family IS NULL OR o.family_mode = 'none' THEN
        PERFORM oracle.add_by_hand('w.account');
        RETURN;
    END IF;
    DELETE FROM oracle.top;
    INSERT INTO oracle.top SELECT a.k::text AS key, oracle.top(a.k::text) AS top FROM w.account a;
    DELETE FROM oracle.own;
    INSERT INTO oracle.own SELECT key FROM oracle.must;
    DELETE FROM oracle.must m USING oracle.top t WHERE t.key = m.key AND (t.top <> t.key AND o.family_mode = 'all');
    PERFORM oracle.add_by_hand('w.account');
    DELETE FROM oracle.above;
    INSERT INTO oracle.above SELECT key, node_id, rule_id FROM oracle.must;
    INSERT INTO oracle.must
    SELECT 'w.account', t.key, a.node_id, a.rule_id FROM oracle.top t JOIN oracle.above a ON a.key = t.top
     WHERE t.top <> t.key AND NOT oracle.excluded('w.account', t.key, a.node_id)
       AND (o.family_mode = 'all' OR NOT EXISTS (SELECT FROM oracle.own w WHERE w.key = t.key))
       AND NOT EXISTS (SELECT FROM oracle.must m WHERE m.key = t.key AND m.node_id = a.node_id AND m.rule_id IS NOT NULL);
    -- by hand and by the family: the rule counts
    DELETE FROM oracle.must m WHERE m.rule_id IS NULL AND EXISTS (SELECT FROM oracle.must n WHERE n.key = m.key AND n.node_id = m.node_id AND n.rule_id IS NOT NULL);
END $$;

CREATE FUNCTION oracle.fill_contacts() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO oracle.must
    SELECT 'w.contact', c.k::text, m.node_id, m.rule_id FROM w.contact c JOIN oracle.must m ON m.object = 'w.account' AND m.key = c.account::text
     WHERE NOT oracle.excluded('w.contact', c.k::text, m.node_id);
    PERFORM oracle.add_by_hand('w.contact');
END $$;

-- the one node of a deal, chosen now; NULL: none
CREATE FUNCTION oracle.choose(deal_key text, parent text, parent_object text, person text, hits oracle.pair[], OUT chosen_node int, OUT chosen_rule int)
LANGUAGE plpgsql AS $$
DECLARE
    best int;
    options int;
BEGIN
    IF NOT EXISTS (SELECT FROM oracle.must m WHERE m.object = parent_object AND m.key = parent) THEN
        RETURN;
    END IF;
    -- nodes with true rules, every gating node above them too, under a node of the parent
    DELETE FROM oracle.choice;
    INSERT INTO oracle.choice
    WITH hit AS (SELECT h.node_id, min(h.rule_id) AS rule_id FROM unnest(hits) h WHERE h.key = deal_key GROUP BY 1),
    open AS (
        SELECT h.* FROM hit h
         WHERE h.node_id IN (SELECT l.id FROM oracle.line l JOIN oracle.must m ON m.node_id = l.above WHERE m.object = parent_object AND m.key = parent)
           AND NOT oracle.excluded('w.deal', deal_key, h.node_id)
           AND NOT EXISTS (
            SELECT FROM oracle.line l JOIN territory.node n ON n.id = l.above AND n.cascade
             WHERE l.id = h.node_id AND l.above <> l.id
               AND EXISTS (SELECT FROM territory.rule r WHERE r.node_id = n.id AND r.object = 'w.deal'::regclass AND r.active)
               AND NOT EXISTS (SELECT FROM hit g WHERE g.node_id = n.id)))
    SELECT o.node_id, o.rule_id FROM open o
     WHERE NOT EXISTS (SELECT FROM open d JOIN oracle.line l ON l.id = d.node_id WHERE l.above = o.node_id AND d.node_id <> o.node_id);
    IF NOT EXISTS (SELECT FROM oracle.choice) THEN
        INSERT INTO oracle.choice SELECT m.node_id, m.rule_id FROM oracle.must m
         WHERE m.object = parent_object AND m.key = parent AND NOT oracle.excluded('w.deal', deal_key, m.node_id)
           AND EXISTS (SELECT FROM oracle.line l WHERE l.id = m.node_id);
    END IF;
    SELECT max(n.priority) INTO best FROM oracle.choice c JOIN territory.node n ON n.id = c.node_id;
    DELETE FROM oracle.choice c USING territory.node n WHERE n.id = c.node_id AND n.priority < best;
    SELECT count(*) INTO options FROM oracle.choice;
    IF options > 1 THEN
        DELETE FROM oracle.choice c WHERE NOT EXISTS (
            SELECT FROM territory.member m WHERE m.node_id = c.node_id AND m.member = person
               AND (m.starts IS NULL OR m.starts <= current_date) AND (m.ends IS NULL OR m.ends > current_date));
        SELECT count(*) INTO options FROM oracle.choice;
    END IF;
    IF options = 1 THEN
        SELECT c.node_id, c.rule_id INTO chosen_node, chosen_rule FROM oracle.choice c;
    END IF;
END $$;

CREATE FUNCTION oracle.fill_deals() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    o territory.object;
    hits oracle.pair[];
    d record;
    was oracle.deal;
    chosen record;
    given bool;
    frozen bool;
BEGIN
    SELECT * INTO STRICT o FROM territory.object WHERE object = 'w.deal'::regclass;
    hits := oracle.hits('w.deal', 'k', 'true');
    DELETE FROM oracle.now_deal;
    FOR d IN SELECT k::text AS key, up::text AS up, person, stage, uid, coalesce(stage IN ('closed', 'omitted'), false) AS closed FROM w.deal LOOP
        SELECT * INTO was FROM oracle.deal WHERE uid = d.uid;
        given := EXISTS (SELECT FROM oracle.by_hand h WHERE h.object = 'w.deal' AND h.key = d.key AND NOT oracle.excluded('w.deal', d.key, h.node_id));
        frozen := o.closed = 'freeze' AND d.closed AND was.closed AND was.node_id IS NOT NULL AND was.parent IS NOT DISTINCT FROM d.up
            AND NOT given AND NOT oracle.excluded('w.deal', d.key, was.node_id) AND EXISTS (SELECT FROM oracle.line WHERE id = was.node_id);
        IF frozen THEN
            SELECT was.node_id AS node_id, was.rule_id AS rule_id INTO chosen;
        ELSE
            SELECT c.chosen_node AS node_id, c.chosen_rule AS rule_id INTO chosen FROM oracle.choose(d.key, d.up, o.parent::text, d.person, hits) c;
        END IF;
        IF given AND NOT EXISTS (SELECT FROM oracle.by_hand h WHERE h.object = 'w.deal' AND h.key = d.key AND h.node_id = chosen.node_id) THEN
            SELECT NULL::int AS node_id, NULL::int AS rule_id INTO chosen;
        END IF;
        INSERT INTO oracle.now_deal VALUES (d.uid, d.up, d.closed, chosen.node_id, chosen.rule_id);
        IF chosen.node_id IS NOT NULL THEN
            INSERT INTO oracle.must VALUES ('w.deal', d.key, chosen.node_id, chosen.rule_id);
        END IF;
    END LOOP;
    PERFORM oracle.add_by_hand('w.deal');
    DELETE FROM oracle.deal;
    INSERT INTO oracle.deal SELECT * FROM oracle.now_deal;
END $$;

-- One case: 'ok' or what is wrong. also: 'v' compares territory.verify too, 'm' territory.match, 'r' runs, which must find nothing to do, 'h' looks at the history,
-- 'e' compares territory.explain
CREATE FUNCTION oracle.compare_children(also text) RETURNS text LANGUAGE plpgsql
SET search_path = pg_catalog, territory, oracle SET TimeZone = 'UTC' SET client_min_messages = error AS $$
DECLARE
    obj text;
    assignment text;
    pairs oracle.pair[];
    must oracle.pair[];
    wrong text;
    total int := 0;
    r record;
BEGIN
    -- an exclusion takes what was given by hand away for good
    DELETE FROM oracle.by_hand h WHERE oracle.excluded(h.object, h.key, h.node_id);
    PERFORM oracle.fill_lines(), oracle.fill_accounts();
    PERFORM oracle.fill_contacts();
    PERFORM oracle.fill_deals();
    FOREACH obj IN ARRAY '{w.account,w.contact,w.deal}'::text[] LOOP
        SELECT o.assignment::text INTO assignment FROM territory.object o WHERE o.object = obj::regclass;
        EXECUTE format('SELECT coalesce(array_agg((k::text, node_id, rule_id, manual)::oracle.pair), ''{}'') FROM %s', assignment) INTO pairs;
        SELECT coalesce(array_agg((m.key, m.node_id, m.rule_id, EXISTS (
                   SELECT FROM oracle.by_hand h WHERE h.object = obj AND h.key = m.key AND h.node_id = m.node_id))::oracle.pair), '{}')
          INTO must FROM oracle.must m WHERE m.object = obj;
        wrong := oracle.difference(must, pairs);
        IF wrong IS NOT NULL THEN
            RETURN format('BAD %s: %s', obj, wrong);
        END IF;
        total := total + cardinality(must);
        IF also ~ 'h' THEN
            wrong := oracle.history_flaws(obj::regclass);
            IF wrong IS NOT NULL THEN
                RETURN format('BAD history of %s: %s', obj, wrong);
            END IF;
        END IF;
        IF also ~ 'e' THEN
            wrong := oracle.explain_flaws(obj::regclass);
            IF wrong IS NOT NULL THEN
                RETURN format('BAD territory.explain(%s): %s', obj, wrong);
            END IF;
        END IF;
        IF also ~ 'v' THEN
            SELECT string_agg(v::text, '; ') INTO wrong FROM territory.verify(obj::regclass) v;
            IF wrong IS NOT NULL THEN
                RETURN format('BAD territory.verify(%s): %s', obj, wrong);
            END IF;
        END IF;
        IF also ~ 'r' THEN
            SELECT * INTO r FROM territory.run(obj::regclass);
            IF r.added + r.removed > 0 THEN
                RETURN format('BAD territory.run(%s): %s', obj, r);
            END IF;
        END IF;
    END LOOP;
    IF also ~ 'm' THEN
        SELECT string_agg(c::text, '; ') INTO wrong FROM (
            SELECT c.k::text, m.node_id, m.rule_id FROM w.contact c CROSS JOIN LATERAL territory.match('w.contact', c) m
            EXCEPT SELECT key, node_id, rule_id FROM oracle.must WHERE object = 'w.contact') c;
        IF wrong IS NOT NULL THEN
            RETURN format('BAD territory.match: %s', wrong);
        END IF;
    END IF;
    RETURN format('ok %s', total);
END $$;

-- a decision by hand, with a copy of it; what it brings about must be there at once
CREATE FUNCTION oracle.decide(verb text, obj text, record text, given int) RETURNS text LANGUAGE plpgsql
SET client_min_messages = error AS $$
DECLARE
    path territory.territory;
    deal bool := obj = 'w.deal';
    answer bool;
BEGIN
    SELECT n.path INTO path FROM territory.node n JOIN territory.model m ON m.id = n.model_id AND m.state = 'active' WHERE n.id = given;
    IF path IS NULL THEN
        RETURN 'nothing';
    END IF;
    EXECUTE format('SELECT territory.%I(%L::regclass, %L::text, %L::territory.territory)', verb, obj, record, path) INTO answer;
    IF verb = 'assign' THEN
        DELETE FROM oracle.by_hand h WHERE h.object = obj AND h.key = record AND (deal OR h.node_id = given);
        INSERT INTO oracle.by_hand VALUES (obj, record, given);
    ELSIF verb = 'unassign' THEN
        DELETE FROM oracle.by_hand h WHERE h.object = obj AND h.key = record AND h.node_id = given;
    END IF;
    RETURN answer::text;
END $$;

-- pairs made by hand go with their records: before an UPDATE, for a record whose new key leads to another partition is
-- deleted here and inserted there
CREATE FUNCTION oracle.forget_by_hand() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        DELETE FROM oracle.by_hand WHERE object = TG_ARGV[0] AND key = OLD.k::text;
    ELSE
        UPDATE oracle.by_hand SET key = NEW.k::text WHERE object = TG_ARGV[0] AND key = OLD.k::text;
    END IF;
    RETURN NEW;
END $$;

CREATE FUNCTION oracle.clean_children() RETURNS text LANGUAGE plpgsql SET client_min_messages = error AS $$
BEGIN
    PERFORM territory.detach(object) FROM territory.object WHERE kind = 'deal';
    PERFORM territory.detach(object) FROM territory.object WHERE kind = 'contact';
    TRUNCATE oracle.line, oracle.must, oracle.by_hand, oracle.deal, oracle.top, oracle.own, oracle.above, oracle.choice, oracle.now_deal;
    RETURN oracle.clean();
END $$;
