--
-- The types pattern and label_query, and what they say of paths. As in ltree
-- (there: lquery and ltxtquery), every operator has its mirror image.
--

CREATE TYPE pattern;

CREATE FUNCTION pattern_in(cstring) RETURNS pattern
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_pattern_in';
CREATE FUNCTION pattern_out(pattern) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_pattern_out';
CREATE FUNCTION pattern_recv(internal) RETURNS pattern
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_pattern_recv';
CREATE FUNCTION pattern_send(pattern) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_pattern_send';
CREATE TYPE pattern (
    INPUT = pattern_in,
    OUTPUT = pattern_out,
    RECEIVE = pattern_recv,
    SEND = pattern_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON FUNCTION pattern_in(cstring) IS 'I/O';
COMMENT ON FUNCTION pattern_out(pattern) IS 'I/O';
COMMENT ON FUNCTION pattern_recv(internal) IS 'I/O';
COMMENT ON FUNCTION pattern_send(pattern) IS 'I/O';
COMMENT ON TYPE pattern IS
    'pattern of paths: items joined by dots, each a label, alternatives a|b, !a, or * for any labels; {n,m} behind an item says how many; behind a label @ means any case, * any ending, % word by word';

CREATE TYPE label_query;

CREATE FUNCTION label_query_in(cstring) RETURNS label_query
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_label_query_in';
CREATE FUNCTION label_query_out(label_query) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_label_query_out';
CREATE FUNCTION label_query_recv(internal) RETURNS label_query
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_label_query_recv';
CREATE FUNCTION label_query_send(label_query) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_label_query_send';
CREATE TYPE label_query (
    INPUT = label_query_in,
    OUTPUT = label_query_out,
    RECEIVE = label_query_recv,
    SEND = label_query_send,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON FUNCTION label_query_in(cstring) IS 'I/O';
COMMENT ON FUNCTION label_query_out(label_query) IS 'I/O';
COMMENT ON FUNCTION label_query_recv(internal) IS 'I/O';
COMMENT ON FUNCTION label_query_send(label_query) IS 'I/O';
COMMENT ON TYPE label_query IS
    'condition on the labels of a path: labels joined by & and |, with ! and parentheses; behind a label @ means any case, * any ending, % word by word';

--
-- ~ : does the path match the pattern? The planner turns it into conditions on
-- a btree, for which it needs pattern_start and pattern_end.
--

CREATE FUNCTION pattern_start(pattern) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_pattern_start';
COMMENT ON FUNCTION pattern_start(pattern) IS
    'a path that no match of the pattern comes before in tree order: the labels that the pattern begins with';
CREATE FUNCTION pattern_end(pattern) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_pattern_end';
COMMENT ON FUNCTION pattern_end(pattern) IS
    'a value that all matches of the pattern come before in tree order; only good as a bound';
CREATE FUNCTION territory_matches_support(internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_matches_support';
COMMENT ON FUNCTION territory_matches_support(internal) IS
    'planner support of ~';
CREATE FUNCTION territory_matches(territory, pattern) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    SUPPORT territory_matches_support COST 3
    AS 'MODULE_PATHNAME', 'territory_sql_matches';
COMMENT ON FUNCTION territory_matches(territory, pattern) IS
    'implementation of ~ operator';
CREATE FUNCTION territory_matches_sel(internal, oid, internal, integer) RETURNS double precision
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_matches_sel';
COMMENT ON FUNCTION territory_matches_sel(internal, oid, internal, integer) IS
    'restriction selectivity of ~';
CREATE OPERATOR ~ (
    LEFTARG = territory, RIGHTARG = pattern, FUNCTION = territory_matches,
    COMMUTATOR = ~,
    RESTRICT = territory_matches_sel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ~ (territory, pattern) IS 'matches';
CREATE FUNCTION pattern_matches(pattern, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.~) $1;
COMMENT ON FUNCTION pattern_matches(pattern, territory) IS
    'implementation of ~ operator';
CREATE OPERATOR ~ (
    LEFTARG = pattern, RIGHTARG = territory, FUNCTION = pattern_matches,
    COMMUTATOR = ~,
    RESTRICT = territory_matches_sel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ~ (pattern, territory) IS 'is matched by';

--
-- ? : does the path match one of the patterns?
--

CREATE FUNCTION territory_matches_any(territory, pattern[]) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_matches_any';
COMMENT ON FUNCTION territory_matches_any(territory, pattern[]) IS
    'implementation of ? operator';
CREATE OPERATOR ? (
    LEFTARG = territory, RIGHTARG = pattern[], FUNCTION = territory_matches_any,
    COMMUTATOR = ?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ? (territory, pattern[]) IS 'matches one of';
CREATE FUNCTION patterns_match(pattern[], territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.?) $1;
COMMENT ON FUNCTION patterns_match(pattern[], territory) IS
    'implementation of ? operator';
CREATE OPERATOR ? (
    LEFTARG = pattern[], RIGHTARG = territory, FUNCTION = patterns_match,
    COMMUTATOR = ?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ? (pattern[], territory) IS 'one of them is matched by';

--
-- @ : is the label query true of the path?
--

CREATE FUNCTION territory_satisfies(territory, label_query) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3
    AS 'MODULE_PATHNAME', 'territory_sql_satisfies';
COMMENT ON FUNCTION territory_satisfies(territory, label_query) IS
    'implementation of @ operator';
CREATE OPERATOR @ (
    LEFTARG = territory, RIGHTARG = label_query, FUNCTION = territory_satisfies,
    COMMUTATOR = @,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR @ (territory, label_query) IS 'satisfies';
CREATE FUNCTION label_query_satisfied(label_query, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.@) $1;
COMMENT ON FUNCTION label_query_satisfied(label_query, territory) IS
    'implementation of @ operator';
CREATE OPERATOR @ (
    LEFTARG = label_query, RIGHTARG = territory, FUNCTION = label_query_satisfied,
    COMMUTATOR = @,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR @ (label_query, territory) IS 'is satisfied by';

--
-- The operators of ltree that use no index, for comparisons with those that do
--

CREATE FUNCTION territory_contains_unindexed(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contains';
COMMENT ON FUNCTION territory_contains_unindexed(territory, territory) IS
    'implementation of ^@> operator';
CREATE FUNCTION territory_contained_unindexed(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contained';
COMMENT ON FUNCTION territory_contained_unindexed(territory, territory) IS
    'implementation of ^<@ operator';
CREATE FUNCTION territory_matches_unindexed(territory, pattern) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3
    AS 'MODULE_PATHNAME', 'territory_sql_matches';
COMMENT ON FUNCTION territory_matches_unindexed(territory, pattern) IS
    'implementation of ^~ operator';
CREATE FUNCTION territory_matches_any_unindexed(territory, pattern[]) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_matches_any';
COMMENT ON FUNCTION territory_matches_any_unindexed(territory, pattern[]) IS
    'implementation of ^? operator';
CREATE FUNCTION territory_satisfies_unindexed(territory, label_query) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 3
    AS 'MODULE_PATHNAME', 'territory_sql_satisfies';
COMMENT ON FUNCTION territory_satisfies_unindexed(territory, label_query) IS
    'implementation of ^@ operator';
CREATE OPERATOR ^@> (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_contains_unindexed,
    COMMUTATOR = ^<@,
    RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel
);
COMMENT ON OPERATOR ^@> (territory, territory) IS 'contains, without an index';
CREATE OPERATOR ^<@ (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_contained_unindexed,
    COMMUTATOR = ^@>,
    RESTRICT = territory_contained_sel, JOIN = territory_contained_joinsel
);
COMMENT ON OPERATOR ^<@ (territory, territory) IS 'is contained, without an index';
CREATE OPERATOR ^~ (
    LEFTARG = territory, RIGHTARG = pattern, FUNCTION = territory_matches_unindexed,
    COMMUTATOR = ^~,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^~ (territory, pattern) IS 'matches, without an index';
CREATE FUNCTION pattern_matches_unindexed(pattern, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^~) $1;
COMMENT ON FUNCTION pattern_matches_unindexed(pattern, territory) IS
    'implementation of ^~ operator';
CREATE OPERATOR ^~ (
    LEFTARG = pattern, RIGHTARG = territory, FUNCTION = pattern_matches_unindexed,
    COMMUTATOR = ^~,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^~ (pattern, territory) IS 'is matched by, without an index';
CREATE OPERATOR ^? (
    LEFTARG = territory, RIGHTARG = pattern[], FUNCTION = territory_matches_any_unindexed,
    COMMUTATOR = ^?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^? (territory, pattern[]) IS 'matches one of, without an index';
CREATE FUNCTION patterns_match_unindexed(pattern[], territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^?) $1;
COMMENT ON FUNCTION patterns_match_unindexed(pattern[], territory) IS
    'implementation of ^? operator';
CREATE OPERATOR ^? (
    LEFTARG = pattern[], RIGHTARG = territory, FUNCTION = patterns_match_unindexed,
    COMMUTATOR = ^?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^? (pattern[], territory) IS 'one of them is matched by, without an index';
CREATE OPERATOR ^@ (
    LEFTARG = territory, RIGHTARG = label_query, FUNCTION = territory_satisfies_unindexed,
    COMMUTATOR = ^@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^@ (territory, label_query) IS 'satisfies, without an index';
CREATE FUNCTION label_query_satisfied_unindexed(label_query, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^@) $1;
COMMENT ON FUNCTION label_query_satisfied_unindexed(label_query, territory) IS
    'implementation of ^@ operator';
CREATE OPERATOR ^@ (
    LEFTARG = label_query, RIGHTARG = territory, FUNCTION = label_query_satisfied_unindexed,
    COMMUTATOR = ^@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^@ (label_query, territory) IS 'is satisfied by, without an index';
