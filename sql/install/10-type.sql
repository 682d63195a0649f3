--
-- The type territory: a path of labels, the root being the empty path.
--

CREATE TYPE territory;

CREATE FUNCTION territory_in(cstring) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_in';
CREATE FUNCTION territory_out(territory) RETURNS cstring
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_out';
CREATE FUNCTION territory_recv(internal) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_recv';
CREATE FUNCTION territory_send(territory) RETURNS bytea
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_send';

CREATE FUNCTION territory_typanalyze(internal) RETURNS boolean
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_typanalyze';
COMMENT ON FUNCTION territory_typanalyze(internal) IS
    'ANALYZE: the usual statistics, and how many rows are in which subtree';
CREATE TYPE territory (
    INPUT = territory_in,
    OUTPUT = territory_out,
    RECEIVE = territory_recv,
    SEND = territory_send,
    ANALYZE = territory_typanalyze,
    INTERNALLENGTH = VARIABLE,
    ALIGNMENT = int4,
    STORAGE = extended
);
COMMENT ON FUNCTION territory_in(cstring) IS 'I/O';
COMMENT ON FUNCTION territory_out(territory) IS 'I/O';
COMMENT ON FUNCTION territory_recv(internal) IS 'I/O';
COMMENT ON FUNCTION territory_send(territory) IS 'I/O';
COMMENT ON TYPE territory IS
    'path of a sales territory: up to 65535 labels of up to 1000 characters, joined by dots; a label is in double quotes where it contains a dot, a double quote or a control character, or begins or ends with a space; the empty text is the root';


--
-- Casts. They are for assignment, so that drivers that bind text can write
-- paths, and no expression changes its meaning for them.
--

CREATE FUNCTION territory_from_text(text) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_from_text';
COMMENT ON FUNCTION territory_from_text(text) IS
    'the path of a text form; an error names the position in the text';
CREATE FUNCTION territory_to_text(territory) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_to_text';
COMMENT ON FUNCTION territory_to_text(territory) IS
    'the text form of a path';

CREATE CAST (text AS territory) WITH FUNCTION territory_from_text(text) AS ASSIGNMENT;
COMMENT ON CAST (text AS territory) IS 'reads the text form of a path';
CREATE CAST (varchar AS territory) WITH FUNCTION territory_from_text(text) AS ASSIGNMENT;
COMMENT ON CAST (varchar AS territory) IS 'reads the text form of a path';
CREATE CAST (territory AS text) WITH FUNCTION territory_to_text(territory) AS ASSIGNMENT;
COMMENT ON CAST (territory AS text) IS 'writes the text form of a path';
CREATE CAST (territory AS varchar) WITH FUNCTION territory_to_text(territory) AS ASSIGNMENT;
COMMENT ON CAST (territory AS varchar) IS 'writes the text form of a path';

--
-- Comparison: bytewise, which is depth-first tree order under every collation.
--

CREATE FUNCTION territory_eq(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_eq';
COMMENT ON FUNCTION territory_eq(territory, territory) IS
    'implementation of = operator';
CREATE FUNCTION territory_ne(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_ne';
COMMENT ON FUNCTION territory_ne(territory, territory) IS
    'implementation of <> operator';
CREATE FUNCTION territory_lt(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_lt';
COMMENT ON FUNCTION territory_lt(territory, territory) IS
    'implementation of < operator';
CREATE FUNCTION territory_le(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_le';
COMMENT ON FUNCTION territory_le(territory, territory) IS
    'implementation of <= operator';
CREATE FUNCTION territory_gt(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_gt';
COMMENT ON FUNCTION territory_gt(territory, territory) IS
    'implementation of > operator';
CREATE FUNCTION territory_ge(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_ge';
COMMENT ON FUNCTION territory_ge(territory, territory) IS
    'implementation of >= operator';

CREATE OPERATOR = (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_eq,
    COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (territory, territory) IS 'equal';
CREATE OPERATOR <> (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_ne,
    COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (territory, territory) IS 'not equal';
CREATE OPERATOR < (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_lt,
    COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (territory, territory) IS 'before, in tree order';
CREATE OPERATOR <= (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_le,
    COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (territory, territory) IS 'before or equal, in tree order';
CREATE OPERATOR > (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_gt,
    COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (territory, territory) IS 'behind, in tree order';
CREATE OPERATOR >= (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_ge,
    COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (territory, territory) IS 'behind or equal, in tree order';

--
-- Operator classes
--

CREATE FUNCTION territory_cmp(territory, territory) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_cmp';
COMMENT ON FUNCTION territory_cmp(territory, territory) IS
    'less, equal or greater: -1, 0 or 1, in tree order';
CREATE FUNCTION territory_sortsupport(internal) RETURNS void
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_sortsupport';
COMMENT ON FUNCTION territory_sortsupport(internal) IS
    'sort support';

CREATE OPERATOR CLASS territory_ops
    DEFAULT FOR TYPE territory USING btree AS
        OPERATOR 1 <,
        OPERATOR 2 <=,
        OPERATOR 3 =,
        OPERATOR 4 >=,
        OPERATOR 5 >,
        FUNCTION 1 territory_cmp(territory, territory),
        FUNCTION 2 territory_sortsupport(internal),
        FUNCTION 4 pg_catalog.btequalimage(oid);
COMMENT ON OPERATOR CLASS territory_ops USING btree IS
    'tree order; an index answers <@, @> and ~ too';

CREATE OPERATOR CLASS territory_minmax_ops
    DEFAULT FOR TYPE territory USING brin AS
        OPERATOR 1 <,
        OPERATOR 2 <=,
        OPERATOR 3 =,
        OPERATOR 4 >=,
        OPERATOR 5 >,
        FUNCTION 1 pg_catalog.brin_minmax_opcinfo(internal),
        FUNCTION 2 pg_catalog.brin_minmax_add_value(internal, internal, internal, internal),
        FUNCTION 3 pg_catalog.brin_minmax_consistent(internal, internal, internal),
        FUNCTION 4 pg_catalog.brin_minmax_union(internal, internal, internal);
COMMENT ON OPERATOR CLASS territory_minmax_ops USING brin IS
    'first and last path of each range of pages; an index answers <@, @> and ~ too';

CREATE FUNCTION territory_hash(territory) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_hash';
COMMENT ON FUNCTION territory_hash(territory) IS
    'hash';
CREATE FUNCTION territory_hash_extended(territory, bigint) RETURNS bigint
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_hash_extended';
COMMENT ON FUNCTION territory_hash_extended(territory, bigint) IS
    'hash with a seed';

CREATE OPERATOR CLASS territory_ops
    DEFAULT FOR TYPE territory USING hash AS
        OPERATOR 1 =,
        FUNCTION 1 territory_hash(territory),
        FUNCTION 2 territory_hash_extended(territory, bigint);
COMMENT ON OPERATOR CLASS territory_ops USING hash IS 'equality of paths';

--
-- Ancestry. The planner turns the operators into conditions on a btree, for
-- which it needs subtree_end and lineage.
--

CREATE FUNCTION subtree_end(territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_subtree_end';
COMMENT ON FUNCTION subtree_end(territory) IS
    'the first value behind the subtree in tree order; only good as a bound. The end of the root is greater than every path';
CREATE FUNCTION lineage(territory) RETURNS territory[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_lineage';
COMMENT ON FUNCTION lineage(territory) IS
    'all paths that contain this one: the root, the ancestors from the top, itself; an error if they take more than 64 MB';
CREATE FUNCTION territory_contains_support(internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contains_support';
COMMENT ON FUNCTION territory_contains_support(internal) IS
    'planner support of @>';
CREATE FUNCTION territory_contained_support(internal) RETURNS internal
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contained_support';
COMMENT ON FUNCTION territory_contained_support(internal) IS
    'planner support of <@';
CREATE FUNCTION territory_contains(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    SUPPORT territory_contains_support COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contains';
COMMENT ON FUNCTION territory_contains(territory, territory) IS
    'implementation of @> operator';
CREATE FUNCTION territory_contained(territory, territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    SUPPORT territory_contained_support COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contained';
COMMENT ON FUNCTION territory_contained(territory, territory) IS
    'implementation of <@ operator';
CREATE FUNCTION is_ancestor(ancestor territory, path territory) RETURNS boolean
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF
    SUPPORT territory_contains_support COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contains';
COMMENT ON FUNCTION is_ancestor(ancestor territory, path territory) IS
    'is the first path the second one or an ancestor of it? The same as @>';
CREATE FUNCTION territory_contains_sel(internal, oid, internal, integer) RETURNS double precision
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contains_sel';
COMMENT ON FUNCTION territory_contains_sel(internal, oid, internal, integer) IS
    'restriction selectivity of @>';
CREATE FUNCTION territory_contains_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contains_joinsel';
COMMENT ON FUNCTION territory_contains_joinsel(internal, oid, internal, smallint, internal) IS
    'join selectivity of @>';
CREATE FUNCTION territory_contained_sel(internal, oid, internal, integer) RETURNS double precision
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contained_sel';
COMMENT ON FUNCTION territory_contained_sel(internal, oid, internal, integer) IS
    'restriction selectivity of <@';
CREATE FUNCTION territory_contained_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
    LANGUAGE C STABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_contained_joinsel';
COMMENT ON FUNCTION territory_contained_joinsel(internal, oid, internal, smallint, internal) IS
    'join selectivity of <@';

CREATE OPERATOR @> (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_contains,
    COMMUTATOR = <@,
    RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel
);
COMMENT ON OPERATOR @> (territory, territory) IS 'contains: equal, or an ancestor';
CREATE OPERATOR <@ (
    LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_contained,
    COMMUTATOR = @>,
    RESTRICT = territory_contained_sel, JOIN = territory_contained_joinsel
);
COMMENT ON OPERATOR <@ (territory, territory) IS 'is contained: equal, or a descendant';

--
-- Concatenation
--

CREATE FUNCTION territory_concat(territory, territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_concat';
COMMENT ON FUNCTION territory_concat(territory, territory) IS
    'implementation of || operator';
CREATE OPERATOR || (LEFTARG = territory, RIGHTARG = territory, FUNCTION = territory_concat);
COMMENT ON OPERATOR || (territory, territory) IS 'concatenate paths';
CREATE FUNCTION territory_concat_text(territory, text) RETURNS territory
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.||) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_concat_text(territory, text) IS
    'implementation of || operator';
CREATE FUNCTION text_concat_territory(text, territory) RETURNS territory
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.||) $2;
COMMENT ON FUNCTION text_concat_territory(text, territory) IS
    'implementation of || operator';
CREATE OPERATOR || (LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_concat_text);
COMMENT ON OPERATOR || (territory, text) IS 'append the path that the text is';
CREATE OPERATOR || (LEFTARG = text, RIGHTARG = territory, FUNCTION = text_concat_territory);
COMMENT ON OPERATOR || (text, territory) IS 'prepend the path that the text is';

--
-- Comparison with text, for drivers that bind every parameter as text. The
-- functions are inlined, so that the operators above decide, with their indexes.
--

CREATE FUNCTION territory_eq_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.=) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_eq_text(territory, text) IS
    'implementation of = operator';
CREATE FUNCTION text_eq_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.=) $2;
COMMENT ON FUNCTION text_eq_territory(text, territory) IS
    'implementation of = operator';
CREATE FUNCTION territory_ne_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.<>) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_ne_text(territory, text) IS
    'implementation of <> operator';
CREATE FUNCTION text_ne_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.<>) $2;
COMMENT ON FUNCTION text_ne_territory(text, territory) IS
    'implementation of <> operator';
CREATE FUNCTION territory_lt_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.<) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_lt_text(territory, text) IS
    'implementation of < operator';
CREATE FUNCTION text_lt_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.<) $2;
COMMENT ON FUNCTION text_lt_territory(text, territory) IS
    'implementation of < operator';
CREATE FUNCTION territory_le_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.<=) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_le_text(territory, text) IS
    'implementation of <= operator';
CREATE FUNCTION text_le_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.<=) $2;
COMMENT ON FUNCTION text_le_territory(text, territory) IS
    'implementation of <= operator';
CREATE FUNCTION territory_gt_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.>) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_gt_text(territory, text) IS
    'implementation of > operator';
CREATE FUNCTION text_gt_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.>) $2;
COMMENT ON FUNCTION text_gt_territory(text, territory) IS
    'implementation of > operator';
CREATE FUNCTION territory_ge_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.>=) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_ge_text(territory, text) IS
    'implementation of >= operator';
CREATE FUNCTION text_ge_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.>=) $2;
COMMENT ON FUNCTION text_ge_territory(text, territory) IS
    'implementation of >= operator';
CREATE FUNCTION territory_contains_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.@>) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_contains_text(territory, text) IS
    'implementation of @> operator';
CREATE FUNCTION text_contains_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.@>) $2;
COMMENT ON FUNCTION text_contains_territory(text, territory) IS
    'implementation of @> operator';
CREATE FUNCTION territory_contained_text(territory, text) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN $1 OPERATOR(territory.<@) CAST($2 AS territory.territory);
COMMENT ON FUNCTION territory_contained_text(territory, text) IS
    'implementation of <@ operator';
CREATE FUNCTION text_contained_territory(text, territory) RETURNS boolean
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 2
    RETURN CAST($1 AS territory.territory) OPERATOR(territory.<@) $2;
COMMENT ON FUNCTION text_contained_territory(text, territory) IS
    'implementation of <@ operator';

CREATE OPERATOR = (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_eq_text,
    COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR <> (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_ne_text,
    COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR < (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_lt_text,
    COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR <= (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_le_text,
    COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR > (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_gt_text,
    COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR >= (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_ge_text,
    COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR @> (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_contains_text,
    COMMUTATOR = <@,
    RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel
);
COMMENT ON OPERATOR @> (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR <@ (
    LEFTARG = territory, RIGHTARG = text, FUNCTION = territory_contained_text,
    COMMUTATOR = @>,
    RESTRICT = territory_contained_sel, JOIN = territory_contained_joinsel
);
COMMENT ON OPERATOR <@ (territory, text) IS 'the same as with the path that the text is';
CREATE OPERATOR = (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_eq_territory,
    COMMUTATOR = =, NEGATOR = <>,
    RESTRICT = eqsel, JOIN = eqjoinsel
);
COMMENT ON OPERATOR = (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR <> (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_ne_territory,
    COMMUTATOR = <>, NEGATOR = =,
    RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR < (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_lt_territory,
    COMMUTATOR = >, NEGATOR = >=,
    RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR <= (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_le_territory,
    COMMUTATOR = >=, NEGATOR = >,
    RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR > (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_gt_territory,
    COMMUTATOR = <, NEGATOR = <=,
    RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR >= (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_ge_territory,
    COMMUTATOR = <=, NEGATOR = <,
    RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR @> (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_contains_territory,
    COMMUTATOR = <@,
    RESTRICT = territory_contains_sel, JOIN = territory_contains_joinsel
);
COMMENT ON OPERATOR @> (text, territory) IS 'the same as with the path that the text is';
CREATE OPERATOR <@ (
    LEFTARG = text, RIGHTARG = territory, FUNCTION = text_contained_territory,
    COMMUTATOR = @>,
    RESTRICT = territory_contained_sel, JOIN = territory_contained_joinsel
);
COMMENT ON OPERATOR <@ (text, territory) IS 'the same as with the path that the text is';

--
-- Functions
--

CREATE FUNCTION nlevel(territory) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_nlevel';
COMMENT ON FUNCTION nlevel(territory) IS
    'number of labels; 0 for the root';
CREATE FUNCTION subltree(territory, start_label integer, end_label integer) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_subltree';
COMMENT ON FUNCTION subltree(territory, start_label integer, end_label integer) IS
    'the labels from start to end - 1, counted from 0; an error if there is no label at start or end is before it';
CREATE FUNCTION subpath(territory, start_label integer, len integer) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_subpath';
COMMENT ON FUNCTION subpath(territory, start_label integer, len integer) IS
    'len labels from start on, counted from 0; a negative start counts from the end, a negative len leaves out labels at the end; an error if there is no label at start';
CREATE FUNCTION subpath(territory, start_label integer) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_subpath_to_end';
COMMENT ON FUNCTION subpath(territory, start_label integer) IS
    'the labels from start to the end, counted from 0; a negative start counts from the end; an error if there is no label at start';
CREATE FUNCTION index(territory, part territory) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_index';
COMMENT ON FUNCTION index(territory, part territory) IS
    'the level, counted from 0, at which the part occurs first; -1 if it does not';
CREATE FUNCTION index(territory, part territory, start_label integer) RETURNS integer
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_index_from';
COMMENT ON FUNCTION index(territory, part territory, start_label integer) IS
    'the level, counted from 0 and not before start, at which the part occurs first; -1 if it does not; a negative start counts from the end';
CREATE FUNCTION lca(territory[]) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_lca_array';
COMMENT ON FUNCTION lca(territory[]) IS
    'the longest path that is an ancestor of all elements and equal to none; NULL if one is NULL or the root';
CREATE FUNCTION lca(territory, VARIADIC territory[]) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_lca';
COMMENT ON FUNCTION lca(territory, VARIADIC territory[]) IS
    'the longest path that is an ancestor of all arguments and equal to none; NULL if one is NULL or the root';
CREATE FUNCTION parent(territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_parent';
COMMENT ON FUNCTION parent(territory) IS
    'the path without its last label; NULL for the root';
CREATE FUNCTION label(territory) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_label';
COMMENT ON FUNCTION label(territory) IS
    'the last label, as raw text; NULL for the root';
CREATE FUNCTION level(territory, n integer) RETURNS text
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_level';
COMMENT ON FUNCTION level(territory, n integer) IS
    'label n, counted from 1, as raw text; NULL if there is none';
CREATE FUNCTION levels(territory) RETURNS text[]
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_levels';
COMMENT ON FUNCTION levels(territory) IS
    'all labels, as raw text';
CREATE FUNCTION from_levels(labels text[]) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
    AS 'MODULE_PATHNAME', 'territory_sql_from_levels';
COMMENT ON FUNCTION from_levels(labels text[]) IS
    'the path of these labels, each of them raw text in which dots and quotes mean themselves; what levels() takes apart';
CREATE FUNCTION child(territory, label text) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2
    AS 'MODULE_PATHNAME', 'territory_sql_child';
COMMENT ON FUNCTION child(territory, label text) IS
    'the path extended by one label of raw text, in which dots and quotes mean themselves';
CREATE FUNCTION ancestors(territory) RETURNS SETOF territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
    ROWS 5 COST 5
    AS 'MODULE_PATHNAME', 'territory_sql_ancestors';
COMMENT ON FUNCTION ancestors(territory) IS
    'the path of every label, the top one first and the path itself last; the root is not among them';

--
-- Aggregates
--

CREATE FUNCTION territory_smaller(territory, territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_smaller';
COMMENT ON FUNCTION territory_smaller(territory, territory) IS
    'smaller of two paths in tree order';
CREATE AGGREGATE min(territory) (
    SFUNC = territory_smaller, STYPE = territory, COMBINEFUNC = territory_smaller,
    SORTOP = <, PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(territory) IS 'first path in tree order';
CREATE FUNCTION territory_larger(territory, territory) RETURNS territory
    LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE LEAKPROOF COST 1
    AS 'MODULE_PATHNAME', 'territory_sql_larger';
COMMENT ON FUNCTION territory_larger(territory, territory) IS
    'larger of two paths in tree order';
CREATE AGGREGATE max(territory) (
    SFUNC = territory_larger, STYPE = territory, COMBINEFUNC = territory_larger,
    SORTOP = >, PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(territory) IS 'last path in tree order';
