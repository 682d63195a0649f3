-- common.sql: the extension, and the hashes that the data of all cases is made of: each value is one of row number and seed,
-- so that it is the same on every machine.
CREATE EXTENSION territory;

-- a number in [0, 1); an integer in [0, n), even, or leaning towards 0
CREATE FUNCTION unit(i bigint, seed int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (hashint8extended(i, seed) & 4294967295)::float8 / 4294967296.0;
CREATE FUNCTION even(i bigint, seed int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN floor((hashint8extended(i, seed) & 4294967295)::float8 / 4294967296.0 * n)::int;
CREATE FUNCTION leaning(i bigint, seed int, n int) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN floor(power((hashint8extended(i, seed) & 4294967295)::float8 / 4294967296.0, 2.0) * n)::int;
