-- territory.rollup: counts and sums per path, and their totals up the tree

-- type

CREATE TYPE territory.rollup;

CREATE FUNCTION territory.rollup_in(cstring) RETURNS territory.rollup
  AS 'MODULE_PATHNAME', 'rollup_in' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION territory.rollup_out(territory.rollup) RETURNS cstring
  AS 'MODULE_PATHNAME', 'rollup_out' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION territory.rollup_recv(internal) RETURNS territory.rollup
  AS 'MODULE_PATHNAME', 'rollup_recv' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE FUNCTION territory.rollup_send(territory.rollup) RETURNS bytea
  AS 'MODULE_PATHNAME', 'rollup_send' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE TYPE territory.rollup (
  INPUT = territory.rollup_in,
  OUTPUT = territory.rollup_out,
  RECEIVE = territory.rollup_recv,
  SEND = territory.rollup_send,
  INTERNALLENGTH = VARIABLE,
  ALIGNMENT = double,
  STORAGE = extended
);

COMMENT ON TYPE territory.rollup IS
  'exact count and sum (numeric) of rows per territory; only territories with rows of their own are stored. The text form is JSON: {"EMEA.NL": [3, 1500.00]}';
COMMENT ON FUNCTION territory.rollup_in(cstring) IS 'I/O';
COMMENT ON FUNCTION territory.rollup_out(territory.rollup) IS 'I/O';
COMMENT ON FUNCTION territory.rollup_recv(internal) IS 'I/O';
COMMENT ON FUNCTION territory.rollup_send(territory.rollup) IS 'I/O';

-- functions that have an operator

CREATE FUNCTION territory.rollup_add(territory.rollup, territory.rollup) RETURNS territory.rollup
  AS 'MODULE_PATHNAME', 'rollup_add' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION territory.rollup_subtract(territory.rollup, territory.rollup) RETURNS territory.rollup
  AS 'MODULE_PATHNAME', 'rollup_subtract' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION territory.rollup_eq(territory.rollup, territory.rollup) RETURNS boolean
  AS 'MODULE_PATHNAME', 'rollup_eq' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION territory.rollup_ne(territory.rollup, territory.rollup) RETURNS boolean
  AS 'MODULE_PATHNAME', 'rollup_ne' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION territory.subtree_sum(territory.rollup, territory.territory) RETURNS numeric
  AS 'MODULE_PATHNAME', 'subtree_sum' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION territory.rollup_add(territory.rollup, territory.rollup) IS
  'counts and sums added, territory by territory';
COMMENT ON FUNCTION territory.rollup_subtract(territory.rollup, territory.rollup) IS
  'counts and sums subtracted, territory by territory; a territory whose count and sum are both 0 vanishes. As in numeric, an infinity less itself is NaN';
COMMENT ON FUNCTION territory.rollup_eq(territory.rollup, territory.rollup) IS
  'same territories, counts and sums; the scale of a sum does not matter';
COMMENT ON FUNCTION territory.rollup_ne(territory.rollup, territory.rollup) IS
  'not the same territories, counts and sums';
COMMENT ON FUNCTION territory.subtree_sum(territory.rollup, territory.territory) IS
  'sum of a territory and all below it; NULL if the rollup has nothing there';

-- other functions

CREATE FUNCTION territory.subtree_count(territory.rollup, territory.territory) RETURNS bigint
  AS 'MODULE_PATHNAME', 'subtree_count' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION territory.each(
  territory.rollup,
  OUT path territory.territory,
  OUT own_count bigint,
  OUT own_sum numeric,
  OUT total_count bigint,
  OUT total_sum numeric
) RETURNS SETOF record
  AS 'MODULE_PATHNAME', 'rollup_each' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100 ROWS 1000;

COMMENT ON FUNCTION territory.subtree_count(territory.rollup, territory.territory) IS
  'number of rows counted at a territory and all below it; 0 if the rollup has nothing there';
COMMENT ON FUNCTION territory.each(territory.rollup) IS
  'one row for every territory that occurs and every ancestor of one, in tree order, the root (the grand total) first: its own count and sum, and those of its whole subtree. No row for an empty rollup';

-- aggregates

CREATE FUNCTION territory.rollup_accum(territory.rollup, territory.territory, numeric) RETURNS territory.rollup
  AS 'MODULE_PATHNAME', 'rollup_accum' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;

CREATE FUNCTION territory.rollup_combine(territory.rollup, territory.rollup) RETURNS territory.rollup
  AS 'MODULE_PATHNAME', 'rollup_combine' LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE COST 10;

-- the state is the type itself, never internal: partial results can be stored,
-- and distributed engines can send them between nodes
CREATE AGGREGATE territory.rollup(path territory.territory, amount numeric) (
  SFUNC = territory.rollup_accum,
  STYPE = territory.rollup,
  SSPACE = 4096,
  COMBINEFUNC = territory.rollup_combine,
  PARALLEL = SAFE
);

CREATE AGGREGATE territory.rollup_merge(territory.rollup) (
  SFUNC = territory.rollup_combine,
  STYPE = territory.rollup,
  SSPACE = 4096,
  COMBINEFUNC = territory.rollup_combine,
  PARALLEL = SAFE
);

COMMENT ON FUNCTION territory.rollup_accum(territory.rollup, territory.territory, numeric) IS
  'transition function of the aggregate territory.rollup';
COMMENT ON FUNCTION territory.rollup_combine(territory.rollup, territory.rollup) IS
  'combine function of the aggregates over territory.rollup: rollup_add, where NULL adds nothing';
COMMENT ON AGGREGATE territory.rollup(territory.territory, numeric) IS
  'count and sum of the amounts per path. A row whose path or amount is NULL is ignored, as count(amount) and sum(amount) ignore it; NULL if there is no other row. NaN and infinities are summed as sum(numeric) does';
COMMENT ON AGGREGATE territory.rollup_merge(territory.rollup) IS
  'all rollups added up, territory by territory; NULLs are ignored, and NULL is the result if there is nothing else';

-- operators

CREATE OPERATOR territory.+ (
  LEFTARG = territory.rollup, RIGHTARG = territory.rollup, FUNCTION = territory.rollup_add,
  COMMUTATOR = OPERATOR(territory.+)
);

CREATE OPERATOR territory.- (
  LEFTARG = territory.rollup, RIGHTARG = territory.rollup, FUNCTION = territory.rollup_subtract
);

CREATE OPERATOR territory.-> (
  LEFTARG = territory.rollup, RIGHTARG = territory.territory, FUNCTION = territory.subtree_sum
);

CREATE OPERATOR territory.= (
  LEFTARG = territory.rollup, RIGHTARG = territory.rollup, FUNCTION = territory.rollup_eq,
  COMMUTATOR = OPERATOR(territory.=), NEGATOR = OPERATOR(territory.<>),
  RESTRICT = eqsel, JOIN = eqjoinsel, HASHES
);

CREATE OPERATOR territory.<> (
  LEFTARG = territory.rollup, RIGHTARG = territory.rollup, FUNCTION = territory.rollup_ne,
  COMMUTATOR = OPERATOR(territory.<>), NEGATOR = OPERATOR(territory.=),
  RESTRICT = neqsel, JOIN = neqjoinsel
);

COMMENT ON OPERATOR territory.+ (territory.rollup, territory.rollup) IS
  'counts and sums added, territory by territory';
COMMENT ON OPERATOR territory.- (territory.rollup, territory.rollup) IS
  'counts and sums subtracted, territory by territory';
COMMENT ON OPERATOR territory.-> (territory.rollup, territory.territory) IS
  'sum of a territory and all below it; NULL if the rollup has nothing there';
COMMENT ON OPERATOR territory.= (territory.rollup, territory.rollup) IS
  'same territories, counts and sums; the scale of a sum does not matter';
COMMENT ON OPERATOR territory.<> (territory.rollup, territory.rollup) IS
  'not the same territories, counts and sums';

-- operator class: DISTINCT, GROUP BY and hash joins of rollups

CREATE FUNCTION territory.rollup_hash(territory.rollup) RETURNS integer
  AS 'MODULE_PATHNAME', 'rollup_hash' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

CREATE FUNCTION territory.rollup_hash_extended(territory.rollup, bigint) RETURNS bigint
  AS 'MODULE_PATHNAME', 'rollup_hash_extended' LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;

COMMENT ON FUNCTION territory.rollup_hash(territory.rollup) IS 'hash';
COMMENT ON FUNCTION territory.rollup_hash_extended(territory.rollup, bigint) IS 'hash with a seed';

CREATE OPERATOR CLASS territory.rollup_ops DEFAULT FOR TYPE territory.rollup USING hash AS
  OPERATOR 1 territory.=,
  FUNCTION 1 territory.rollup_hash(territory.rollup),
  FUNCTION 2 territory.rollup_hash_extended(territory.rollup, bigint);

COMMENT ON OPERATOR CLASS territory.rollup_ops USING hash IS
  'equality of rollups, for DISTINCT, GROUP BY and hash joins';
