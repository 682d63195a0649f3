-- Why a record has its territories, and what would have to change.

CREATE FUNCTION explain(object regclass, key text, node territory DEFAULT NULL,
                        OUT path territory, OUT node_id int, OUT rule_id int, OUT rule text,
                        OUT criterion text, OUT value text, OUT result bool,
                        OUT decision text, OUT because text,
                        OUT item text, OUT level int, OUT rule_result bool,
                        OUT by_rule int, OUT who text, OUT since timestamptz, OUT note text,
                        OUT from_object regclass, OUT from_key text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE COST 1000 ROWS 100
    AS 'MODULE_PATHNAME', 'territory_explain';
COMMENT ON FUNCTION explain(regclass, text, territory) IS
    'why a record has its territories and why not the others: a row for each node, rule and criterion, in tree order. AND, OR and NOT are rows too; item (2.1: the first part of the second criterion) and level say what belongs together. value is what the criterion saw, result its truth, null: unknown; rule_result is the rule''s. decision is the node''s: matched, inherited (from the record above), frozen (a closed deal), manual; criterion failed, blocked by ancestor, shadowed by descendant, outranked, tied (deals), excluded, outside parent (deals), not inherited, no parent, or (a node that was asked for) no rules. because names the other nodes, by_rule the rule by which the record is there, who and note who excluded or assigned the record and why, since when it is there, or excluded; from_object and from_key the record above, for explain() to go on with. Nodes without active rules are shown where the record, or the one above it, stands in them all the same, or when asked for; a contact or deal for which there is none has one row without a node';

CREATE FUNCTION explain_text(object regclass, key text, node territory DEFAULT NULL) RETURNS SETOF text
    LANGUAGE c STABLE PARALLEL UNSAFE COST 1000 ROWS 100
    AS 'MODULE_PATHNAME', 'territory_explain_text';
COMMENT ON FUNCTION explain_text(regclass, text, territory) IS
    'what explain() says, as an indented text, a line a row: in front of each criterion yes, no, or ? for unknown';

CREATE FUNCTION why_not(object regclass, key text, node territory,
                        OUT column_name text, OUT value text, OUT becomes text, OUT suggestion text,
                        OUT path territory, OUT rule_id int, OUT rule text, OUT reason text,
                        OUT proven bool, OUT minimal bool, OUT of_object regclass, OUT of_key text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE COST 100000 ROWS 10
    AS 'MODULE_PATHNAME', 'territory_why_not';
COMMENT ON FUNCTION why_not(regclass, text, territory) IS
    'the smallest set of columns whose change brings a record to a territory: for each of them what it must become, for which rule, and of which territory (path), and a value that serves; no row: the record stands there. of_object and of_key: whose column it is, the record''s own or that of a record above it. reason: must match, ancestor must match, descendant must not match, must not outrank, must take its ancestor''s place (which outranks), must not match itself (it would not follow the top of its family), owner must be a member and deal must be open (deals); record above must have it (what follows says how); no parent; excluded, assigned by hand, rule not active (becomes is then a statement); no rules; impossible (no change makes the rules of path true, or all that is needed; rows without a column then say what stands in the way: must not outrank, tied, must not match itself). proven: with the suggestions (null: NULL), and all else that the rows say, the engine assigns the record; where a criterion cannot be inverted it must itself become true, and there is no suggestion. minimal: fewer columns of that record do not do';
