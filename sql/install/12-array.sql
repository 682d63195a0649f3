--
-- Arrays of paths: is there an element that ..., and which is the first one?
-- NULL elements are passed over.
--

CREATE FUNCTION territory_array_contains(territory[], territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_array_contains';
COMMENT ON FUNCTION territory_array_contains(territory[], territory) IS
    'implementation of @> operator';
CREATE OPERATOR @> (
    LEFTARG = territory[], RIGHTARG = territory, FUNCTION = territory_array_contains,
    COMMUTATOR = <@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR @> (territory[], territory) IS 'an element contains';
CREATE FUNCTION territory_array_contains_mirror(territory, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.@>) $1;
COMMENT ON FUNCTION territory_array_contains_mirror(territory, territory[]) IS
    'implementation of <@ operator';
CREATE OPERATOR <@ (
    LEFTARG = territory, RIGHTARG = territory[], FUNCTION = territory_array_contains_mirror,
    COMMUTATOR = @>,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <@ (territory, territory[]) IS 'is contained in an element of';
CREATE FUNCTION territory_array_contained(territory[], territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_array_contained';
COMMENT ON FUNCTION territory_array_contained(territory[], territory) IS
    'implementation of <@ operator';
CREATE OPERATOR <@ (
    LEFTARG = territory[], RIGHTARG = territory, FUNCTION = territory_array_contained,
    COMMUTATOR = @>,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR <@ (territory[], territory) IS 'an element is contained in';
CREATE FUNCTION territory_array_contained_mirror(territory, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.<@) $1;
COMMENT ON FUNCTION territory_array_contained_mirror(territory, territory[]) IS
    'implementation of @> operator';
CREATE OPERATOR @> (
    LEFTARG = territory, RIGHTARG = territory[], FUNCTION = territory_array_contained_mirror,
    COMMUTATOR = <@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR @> (territory, territory[]) IS 'contains an element of';
CREATE FUNCTION territory_array_matches(territory[], pattern) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_array_matches';
COMMENT ON FUNCTION territory_array_matches(territory[], pattern) IS
    'implementation of ~ operator';
CREATE OPERATOR ~ (
    LEFTARG = territory[], RIGHTARG = pattern, FUNCTION = territory_array_matches,
    COMMUTATOR = ~,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ~ (territory[], pattern) IS 'an element matches';
CREATE FUNCTION territory_array_matches_mirror(pattern, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.~) $1;
COMMENT ON FUNCTION territory_array_matches_mirror(pattern, territory[]) IS
    'implementation of ~ operator';
CREATE OPERATOR ~ (
    LEFTARG = pattern, RIGHTARG = territory[], FUNCTION = territory_array_matches_mirror,
    COMMUTATOR = ~,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ~ (pattern, territory[]) IS 'is matched by an element of';
CREATE FUNCTION territory_array_matches_any(territory[], pattern[]) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'territory_sql_array_matches_any';
COMMENT ON FUNCTION territory_array_matches_any(territory[], pattern[]) IS
    'implementation of ? operator';
CREATE OPERATOR ? (
    LEFTARG = territory[], RIGHTARG = pattern[], FUNCTION = territory_array_matches_any,
    COMMUTATOR = ?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ? (territory[], pattern[]) IS 'an element matches one of';
CREATE FUNCTION territory_array_matches_any_mirror(pattern[], territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.?) $1;
COMMENT ON FUNCTION territory_array_matches_any_mirror(pattern[], territory[]) IS
    'implementation of ? operator';
CREATE OPERATOR ? (
    LEFTARG = pattern[], RIGHTARG = territory[], FUNCTION = territory_array_matches_any_mirror,
    COMMUTATOR = ?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ? (pattern[], territory[]) IS 'one of them is matched by an element of';
CREATE FUNCTION territory_array_satisfies(territory[], label_query) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_array_satisfies';
COMMENT ON FUNCTION territory_array_satisfies(territory[], label_query) IS
    'implementation of @ operator';
CREATE OPERATOR @ (
    LEFTARG = territory[], RIGHTARG = label_query, FUNCTION = territory_array_satisfies,
    COMMUTATOR = @,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR @ (territory[], label_query) IS 'an element satisfies';
CREATE FUNCTION territory_array_satisfies_mirror(label_query, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.@) $1;
COMMENT ON FUNCTION territory_array_satisfies_mirror(label_query, territory[]) IS
    'implementation of @ operator';
CREATE OPERATOR @ (
    LEFTARG = label_query, RIGHTARG = territory[], FUNCTION = territory_array_satisfies_mirror,
    COMMUTATOR = @,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR @ (label_query, territory[]) IS 'is satisfied by an element of';

--
-- The first element that ...; NULL if there is none
--

CREATE FUNCTION territory_first_contains(territory[], territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_first_contains';
COMMENT ON FUNCTION territory_first_contains(territory[], territory) IS
    'implementation of ?@> operator';
CREATE OPERATOR ?@> (
    LEFTARG = territory[], RIGHTARG = territory, FUNCTION = territory_first_contains
);
COMMENT ON OPERATOR ?@> (territory[], territory) IS 'first element that contains';
CREATE FUNCTION territory_first_contained(territory[], territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_first_contained';
COMMENT ON FUNCTION territory_first_contained(territory[], territory) IS
    'implementation of ?<@ operator';
CREATE OPERATOR ?<@ (
    LEFTARG = territory[], RIGHTARG = territory, FUNCTION = territory_first_contained
);
COMMENT ON OPERATOR ?<@ (territory[], territory) IS 'first element that is contained in';
CREATE FUNCTION territory_first_matches(territory[], pattern) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_first_matches';
COMMENT ON FUNCTION territory_first_matches(territory[], pattern) IS
    'implementation of ?~ operator';
CREATE OPERATOR ?~ (
    LEFTARG = territory[], RIGHTARG = pattern, FUNCTION = territory_first_matches
);
COMMENT ON OPERATOR ?~ (territory[], pattern) IS 'first element that matches';
CREATE FUNCTION territory_first_satisfies(territory[], label_query) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_first_satisfies';
COMMENT ON FUNCTION territory_first_satisfies(territory[], label_query) IS
    'implementation of ?@ operator';
CREATE OPERATOR ?@ (
    LEFTARG = territory[], RIGHTARG = label_query, FUNCTION = territory_first_satisfies
);
COMMENT ON OPERATOR ?@ (territory[], label_query) IS 'first element that satisfies';

--
-- The operators of ltree that use no index, for comparisons with those that do
--

CREATE FUNCTION territory_array_contains_unindexed(territory[], territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_array_contains';
COMMENT ON FUNCTION territory_array_contains_unindexed(territory[], territory) IS
    'implementation of ^@> operator';
CREATE OPERATOR ^@> (
    LEFTARG = territory[], RIGHTARG = territory, FUNCTION = territory_array_contains_unindexed,
    COMMUTATOR = ^<@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^@> (territory[], territory) IS 'an element contains, without an index';
CREATE FUNCTION territory_array_contains_mirror_unindexed(territory, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^@>) $1;
COMMENT ON FUNCTION territory_array_contains_mirror_unindexed(territory, territory[]) IS
    'implementation of ^<@ operator';
CREATE OPERATOR ^<@ (
    LEFTARG = territory, RIGHTARG = territory[], FUNCTION = territory_array_contains_mirror_unindexed,
    COMMUTATOR = ^@>,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^<@ (territory, territory[]) IS 'is contained in an element of, without an index';
CREATE FUNCTION territory_array_contained_unindexed(territory[], territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_array_contained';
COMMENT ON FUNCTION territory_array_contained_unindexed(territory[], territory) IS
    'implementation of ^<@ operator';
CREATE OPERATOR ^<@ (
    LEFTARG = territory[], RIGHTARG = territory, FUNCTION = territory_array_contained_unindexed,
    COMMUTATOR = ^@>,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^<@ (territory[], territory) IS 'an element is contained in, without an index';
CREATE FUNCTION territory_array_contained_mirror_unindexed(territory, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^<@) $1;
COMMENT ON FUNCTION territory_array_contained_mirror_unindexed(territory, territory[]) IS
    'implementation of ^@> operator';
CREATE OPERATOR ^@> (
    LEFTARG = territory, RIGHTARG = territory[], FUNCTION = territory_array_contained_mirror_unindexed,
    COMMUTATOR = ^<@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^@> (territory, territory[]) IS 'contains an element of, without an index';
CREATE FUNCTION territory_array_matches_unindexed(territory[], pattern) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_array_matches';
COMMENT ON FUNCTION territory_array_matches_unindexed(territory[], pattern) IS
    'implementation of ^~ operator';
CREATE OPERATOR ^~ (
    LEFTARG = territory[], RIGHTARG = pattern, FUNCTION = territory_array_matches_unindexed,
    COMMUTATOR = ^~,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^~ (territory[], pattern) IS 'an element matches, without an index';
CREATE FUNCTION territory_array_matches_mirror_unindexed(pattern, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^~) $1;
COMMENT ON FUNCTION territory_array_matches_mirror_unindexed(pattern, territory[]) IS
    'implementation of ^~ operator';
CREATE OPERATOR ^~ (
    LEFTARG = pattern, RIGHTARG = territory[], FUNCTION = territory_array_matches_mirror_unindexed,
    COMMUTATOR = ^~,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^~ (pattern, territory[]) IS 'is matched by an element of, without an index';
CREATE FUNCTION territory_array_matches_any_unindexed(territory[], pattern[]) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20
    AS 'MODULE_PATHNAME', 'territory_sql_array_matches_any';
COMMENT ON FUNCTION territory_array_matches_any_unindexed(territory[], pattern[]) IS
    'implementation of ^? operator';
CREATE OPERATOR ^? (
    LEFTARG = territory[], RIGHTARG = pattern[], FUNCTION = territory_array_matches_any_unindexed,
    COMMUTATOR = ^?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^? (territory[], pattern[]) IS 'an element matches one of, without an index';
CREATE FUNCTION territory_array_matches_any_mirror_unindexed(pattern[], territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^?) $1;
COMMENT ON FUNCTION territory_array_matches_any_mirror_unindexed(pattern[], territory[]) IS
    'implementation of ^? operator';
CREATE OPERATOR ^? (
    LEFTARG = pattern[], RIGHTARG = territory[], FUNCTION = territory_array_matches_any_mirror_unindexed,
    COMMUTATOR = ^?,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^? (pattern[], territory[]) IS 'one of them is matched by an element of, without an index';
CREATE FUNCTION territory_array_satisfies_unindexed(territory[], label_query) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_array_satisfies';
COMMENT ON FUNCTION territory_array_satisfies_unindexed(territory[], label_query) IS
    'implementation of ^@ operator';
CREATE OPERATOR ^@ (
    LEFTARG = territory[], RIGHTARG = label_query, FUNCTION = territory_array_satisfies_unindexed,
    COMMUTATOR = ^@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^@ (territory[], label_query) IS 'an element satisfies, without an index';
CREATE FUNCTION territory_array_satisfies_mirror_unindexed(label_query, territory[]) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $2 OPERATOR(territory.^@) $1;
COMMENT ON FUNCTION territory_array_satisfies_mirror_unindexed(label_query, territory[]) IS
    'implementation of ^@ operator';
CREATE OPERATOR ^@ (
    LEFTARG = label_query, RIGHTARG = territory[], FUNCTION = territory_array_satisfies_mirror_unindexed,
    COMMUTATOR = ^@,
    RESTRICT = matchingsel, JOIN = matchingjoinsel
);
COMMENT ON OPERATOR ^@ (label_query, territory[]) IS 'is satisfied by an element of, without an index';

--
-- GIN for arrays of paths: subtrees, ancestors, patterns, and what every array
-- has
--

CREATE FUNCTION territory_gin_paths_query(territory[], internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_paths_query';
COMMENT ON FUNCTION territory_gin_paths_query(territory[], internal, smallint, internal, internal, internal, internal) IS
    'GIN support';
CREATE FUNCTION territory_gin_paths_compare_partial(territory, territory, smallint, internal) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_paths_compare_partial';
COMMENT ON FUNCTION territory_gin_paths_compare_partial(territory, territory, smallint, internal) IS
    'GIN support';
CREATE FUNCTION territory_gin_paths_consistent(internal, smallint, territory[], integer, internal, internal, internal) RETURNS "char"
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_paths_consistent';
COMMENT ON FUNCTION territory_gin_paths_consistent(internal, smallint, territory[], integer, internal, internal, internal) IS
    'GIN support';

CREATE OPERATOR CLASS territory_array_ops
    DEFAULT FOR TYPE territory[] USING gin AS
        OPERATOR 1 pg_catalog.&& (anyarray, anyarray),
        OPERATOR 2 pg_catalog.@> (anyarray, anyarray),
        OPERATOR 3 pg_catalog.<@ (anyarray, anyarray),
        OPERATOR 4 pg_catalog.= (anyarray, anyarray),
        OPERATOR 5 @> (territory[], territory),
        OPERATOR 6 <@ (territory[], territory),
        OPERATOR 7 ~ (territory[], pattern),
        OPERATOR 8 @ (territory[], label_query),
        OPERATOR 9 ? (territory[], pattern[]),
        FUNCTION 1 territory_cmp(territory, territory),
        FUNCTION 2 pg_catalog.ginarrayextract(anyarray, internal, internal),
        FUNCTION 3 territory_gin_paths_query(territory[], internal, smallint, internal, internal, internal, internal),
        FUNCTION 5 territory_gin_paths_compare_partial(territory, territory, smallint, internal),
        FUNCTION 6 territory_gin_paths_consistent(internal, smallint, territory[], integer, internal, internal, internal),
        STORAGE territory;
COMMENT ON OPERATOR CLASS territory_array_ops USING gin IS
    'arrays by the paths in them: an index answers @>, <@, ~, @, ? with a path or a pattern, and &&, @>, <@, = with another array';

--
-- GIN for paths by their labels
--

CREATE FUNCTION territory_gin_labels_value(territory, internal, internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_labels_value';
COMMENT ON FUNCTION territory_gin_labels_value(territory, internal, internal) IS
    'GIN support';
CREATE FUNCTION territory_gin_labels_query(territory, internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_labels_query';
COMMENT ON FUNCTION territory_gin_labels_query(territory, internal, smallint, internal, internal, internal, internal) IS
    'GIN support';
CREATE FUNCTION territory_gin_labels_compare_partial(territory, territory, smallint, internal) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_labels_compare_partial';
COMMENT ON FUNCTION territory_gin_labels_compare_partial(territory, territory, smallint, internal) IS
    'GIN support';
CREATE FUNCTION territory_gin_labels_consistent(internal, smallint, territory, integer, internal, internal, internal) RETURNS "char"
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gin_labels_consistent';
COMMENT ON FUNCTION territory_gin_labels_consistent(internal, smallint, territory, integer, internal, internal, internal) IS
    'GIN support';

CREATE OPERATOR CLASS territory_label_ops
    DEFAULT FOR TYPE territory USING gin AS
        OPERATOR 1 ~ (territory, pattern),
        OPERATOR 2 @ (territory, label_query),
        OPERATOR 3 ? (territory, pattern[]),
        FUNCTION 1 territory_cmp(territory, territory),
        FUNCTION 2 territory_gin_labels_value(territory, internal, internal),
        FUNCTION 3 territory_gin_labels_query(territory, internal, smallint, internal, internal, internal, internal),
        FUNCTION 5 territory_gin_labels_compare_partial(territory, territory, smallint, internal),
        FUNCTION 6 territory_gin_labels_consistent(internal, smallint, territory, integer, internal, internal, internal);
COMMENT ON OPERATOR CLASS territory_label_ops USING gin IS
    'paths by their labels: an index answers ~, @ and ?, wherever in the path the labels are';
