-- rivals.sql: what one writes by hand for the same rules. Row triggers put the nodes into an array column of the row; a
-- statement trigger and the queries of a nightly job write pairs.
SET client_min_messages = warning;
DROP TABLE IF EXISTS rival, rival_pair, rival_rule, rival_criterion, rival_key, indexed CASCADE;
CREATE TABLE rival (LIKE account INCLUDING ALL, nodes int[]);
CREATE TABLE rival_pair (LIKE account_territory INCLUDING ALL);

-- a rule as text, and as text about the row NEW
CREATE TABLE rival_rule AS
SELECT l.node_id, r.criteria, regexp_replace(r.criteria, '(^| AND )([a-z_]+) ', '\1NEW.\2 ', 'g') AS of_new
  FROM rule_source AS r JOIN leaf AS l USING (rule) ORDER BY rule;

-- PL/pgSQL, an EXECUTE for each rule
CREATE OR REPLACE FUNCTION rival_execute() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE
  one record;
  found_true boolean;
BEGIN
  NEW.nodes := '{}';
  FOR one IN SELECT node_id, of_new FROM rival_rule LOOP
    EXECUTE 'SELECT ' || replace(one.of_new, 'NEW.', '($1).') INTO found_true USING NEW;
    IF found_true THEN NEW.nodes := NEW.nodes || one.node_id; END IF;
  END LOOP;
  RETURN NEW;
END $f$;

-- generated PL/pgSQL: one expression of all rules
DO $d$
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION rival_array() RETURNS trigger LANGUAGE plpgsql AS %L',
    'BEGIN NEW.nodes := array_remove(ARRAY[' || (SELECT string_agg(format('CASE WHEN %s THEN %s END', of_new, node_id), E',\n') FROM rival_rule)
    || '], NULL); RETURN NEW; END');
END $d$;

-- the generic table of criteria: field, operator, value
CREATE TABLE rival_criterion AS SELECT l.node_id, c.field, c.operator, c.operands FROM criterion AS c JOIN leaf AS l USING (rule);
CREATE OR REPLACE FUNCTION rival_criteria() RETURNS trigger LANGUAGE plpgsql AS $f$
DECLARE
  r jsonb := to_jsonb(NEW);
BEGIN
  NEW.nodes := ARRAY(
    SELECT node_id FROM rival_criterion GROUP BY node_id
    HAVING bool_and(coalesce(
      CASE operator
        WHEN '=' THEN r ->> field = operands[1]
        WHEN 'IN' THEN r ->> field = ANY (operands)
        WHEN '<>' THEN r ->> field <> operands[1]
        WHEN 'LIKE' THEN r ->> field LIKE operands[1] || '%'
        WHEN 'BETWEEN' THEN (r ->> field)::numeric BETWEEN operands[1]::numeric AND operands[2]::numeric
        WHEN '<' THEN (r ->> field)::numeric < operands[1]::numeric
        WHEN '>=' THEN CASE field WHEN 'created_at' THEN NEW.created_at >= operands[1]::timestamptz
                       ELSE (r ->> field)::numeric >= operands[1]::numeric END
      END, false)));
  RETURN NEW;
END $f$;

-- a column for each criterion, NULL where it does not matter
CREATE OR REPLACE FUNCTION rival_nullable() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  NEW.nodes := ARRAY(
    SELECT l.node_id FROM flat AS f JOIN leaf AS l USING (rule)
     WHERE (f.country IS NULL OR f.country = NEW.country) AND (f.states IS NULL OR NEW.state = ANY (f.states))
       AND (f.city IS NULL OR f.city = NEW.city) AND (f.owner IS NULL OR f.owner = NEW.owner)
       AND (f.postal_prefix IS NULL OR left(NEW.postal_code, 3) = f.postal_prefix)
       AND (f.industries IS NULL OR NEW.industry = ANY (f.industries)) AND (f.not_industry IS NULL OR NEW.industry <> f.not_industry)
       AND (f.segment IS NULL OR f.segment = NEW.segment) AND (f.not_segment IS NULL OR NEW.segment <> f.not_segment)
       AND (f.employees_from IS NULL OR NEW.employees >= f.employees_from) AND (f.employees_to IS NULL OR NEW.employees <= f.employees_to)
       AND (f.employees_below IS NULL OR NEW.employees < f.employees_below)
       AND (f.revenue_from IS NULL OR NEW.annual_revenue >= f.revenue_from) AND (f.created_from IS NULL OR NEW.created_at >= f.created_from));
  RETURN NEW;
END $f$;

-- a key of two equalities for each shape of rule, in one index, and the rest as a filter
CREATE TABLE rival_key AS
SELECT k.key, l.node_id, f.*
  FROM flat AS f JOIN leaf AS l USING (rule), LATERAL (
    SELECT DISTINCT '0|' || country || '|' || unnest(states) AS key WHERE shape = 0
    UNION ALL SELECT DISTINCT '1|' || country || '|' || unnest(industries) WHERE shape = 1
    UNION ALL SELECT '2|' || country || '|' || postal_prefix WHERE shape = 2
    UNION ALL SELECT '3|' || city || '|' || segment WHERE shape = 3
    UNION ALL SELECT '4|' || owner WHERE shape = 4) AS k;
CREATE INDEX ON rival_key (key);
CREATE OR REPLACE FUNCTION rival_keyed() RETURNS trigger LANGUAGE plpgsql AS $f$
BEGIN
  NEW.nodes := ARRAY(
    SELECT node_id FROM rival_key AS f
     WHERE key = ANY (ARRAY['0|' || NEW.country || '|' || NEW.state, '1|' || NEW.country || '|' || NEW.industry,
                            '2|' || NEW.country || '|' || left(NEW.postal_code, 3), '3|' || NEW.city || '|' || NEW.segment, '4|' || NEW.owner])
       AND CASE shape
             WHEN 0 THEN NEW.employees BETWEEN f.employees_from AND f.employees_to
             WHEN 1 THEN NEW.annual_revenue >= f.revenue_from
             WHEN 2 THEN NEW.segment <> f.not_segment
             WHEN 3 THEN NEW.employees < f.employees_below
             WHEN 4 THEN NEW.industry <> f.not_industry AND NEW.created_at >= f.created_from
           END);
  RETURN NEW;
END $f$;

-- a statement trigger with the hash joins of the view matching, over the rows that were written
DO $d$
BEGIN
  EXECUTE format('CREATE OR REPLACE FUNCTION rival_joined() RETURNS trigger LANGUAGE plpgsql AS %L',
    format('BEGIN INSERT INTO rival_pair (id, node_id) SELECT id, node_id FROM (%s) AS m JOIN leaf USING (rule); RETURN NULL; END',
           replace(rtrim(pg_get_viewdef('matching'), ';'), 'JOIN account a ', 'JOIN written a ')));
END $d$;

-- a nightly job with an INSERT for each of the first rules, by the indexes of the table that it reads
CREATE OR REPLACE PROCEDURE rival_job(source text, most int) LANGUAGE plpgsql AS $f$
DECLARE
  one record;
BEGIN
  FOR one IN SELECT node_id, criteria FROM rival_rule LIMIT most LOOP
    EXECUTE format('INSERT INTO rival_pair (id, node_id) SELECT id, %s FROM %I WHERE %s', one.node_id, source, one.criteria);
  END LOOP;
END $f$;
CREATE TABLE indexed (LIKE account INCLUDING ALL);
CREATE INDEX ON indexed (country, state);
CREATE INDEX ON indexed (country, industry);
CREATE INDEX ON indexed (country, postal_code text_pattern_ops);
CREATE INDEX ON indexed (city, segment);
CREATE INDEX ON indexed (owner);
ANALYZE rival_rule, rival_criterion, rival_key;
