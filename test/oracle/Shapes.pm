# Shapes.pm: makes a random world for the test of the match engine (test/tap/shapes.pl): one attached table with a
# column of every type, rows full of boundary values, and rules of every shape that an index over rules could get wrong,
# as text for psql. The same seed makes the same text.
#
# A rule's criteria are a tree: a text, or [ operator, argument, ... ], so that a failing one can be made smaller.
package Shapes;
use strict;
use warnings;
use utf8;

sub rnd { int rand $_[0] }
sub chance { rand() < $_[0] }
sub pick { $_[ rnd(scalar @_) ] }
sub shuffle { my @l = @_; for my $i (reverse 1 .. $#l) { my $k = rnd($i + 1); @l[ $i, $k ] = @l[ $k, $i ] } @l }
sub some { my ($n, @l) = @_; @l = shuffle(@l); @l[ 0 .. ($n < @l ? $n : scalar @l) - 1 ] }
sub quote { my ($s) = @_; $s =~ s/'/''/g; "'$s'" }

# ---------- columns ----------

my @words = ('', ' ', 'a', 'A', 'ab', 'AB', 'aB', 'ab ', 'a b', 'ab%', 'ab%c', 'ab_', 'ab_d', 'a\\b', "a'b", 'abb', 'abc', 'abcd', 'ABC', 'abd', 'abz', "ab\x{7f}", "ab\x{10fffd}",
	'ac', 'b', 'B', 'ba', 'é', 'É', 'éa', "e\x{301}a", 'ea', 'f', 'z', 'Z', 'ß', 'ss', 'SS', 'i', 'I', 'ı', 'İ', '_', '%', '-', 'a-b', '1', '10', '2', '日', '日本', '日本語', "\x{10fffd}", 'abcdefghijklmnopqrstuvwxyz' x 3);
# long enough to be compressed, and to be stored out of line
push @words, 'ab' x 1500, join '', map { chr(97 + ($_ * $_ * 7 + $_ * 31 + ($_ >> 3) * 13) % 26) } 1 .. 6000;
my @short = grep { length($_) <= 4 && !/[^\x00-\x7f]{3}/ } @words;
my @number = (qw(-10 -9 -3 -2 -1 0 1 2 3 4 5 6 7 8 9 10 20 24 25 26 49 50 51 99 100));
my @moment = ('-infinity', '1999-12-31 23:59:59.999999', '2000-01-01 00:00', '2024-02-28 23:30', '2024-02-29 00:00', '2024-02-29 12:00', '2024-03-01 00:00', '2024-03-01 00:00:00.000001',
	'2024-03-30 23:00', '2024-03-31 01:30', '2024-03-31 02:30', '2024-03-31 03:30', '2024-10-27 02:30', 'infinity');

# type: as declared. cast: of an array's elements. values: in ascending order where that is easy; constants and rows come
# from them alike. cross: constants of other types. expr: expressions that never raise an error, with constants to compare.
# only: conditions that make sense for the column alone. kind: text, number; unordered: has no < and =.
my %column = (
	sm => { type => 'smallint', kind => 'number', values => [qw(-32768 -32767 -100 -2 -1 0 1 2 5 6 7 8 9 100 101 32766 32767)],
		cross => [ '7::int', '7::bigint', '7.0', '7.00000000000000000001', '6.5', '7::numeric', '7::float8', '7.5::real', '32768', '-32769', '32768::int', '65543', '65543::bigint', '99999999999', '1e3', "'7'", "'-32768'::smallint" ],
		expr => [ [ 'sm % 10::smallint', 0, 7, '-1' ], [ '-sm::int', 7, -7, 32768 ], [ 'sm::int + 1', 8, 32768 ], [ 'sm & 1::smallint', 0, 1 ] ] },
	i => { type => 'int', kind => 'number', values => [qw(-2147483648 -2147483647 -32769 -1000 -8 -7 -6 -1 0 1 2 3 6 7 8 99 100 101 32767 32768 999 1000 1001 16777216 16777217 2147483646 2147483647)],
		cross => [ '7::smallint', '7::bigint', '7.0', '7.5', '6.99999999999', '7::numeric', '7::float8', '7.5::float8', '16777217::real', '16777216::real', '3000000000', '-3000000000', '4294967303', '1e20', '2147483647::bigint', '2147483648', '2147483647::float8', "'-2147483648'::int", "'NaN'::float8", "'Infinity'::numeric", 'p', 'sm' ],
		expr => [ [ 'i::bigint + 1', 1, 8, 2147483648 ], [ 'i % 10', 0, 7, 8, -8 ], [ 'i & 7', 0, 7 ], [ 'i::numeric / 2', 3.5, 50 ], [ '-i::bigint', 7, 2147483648 ], [ 'i::text', "'7'", "'100'" ] ], only => [ 'i = p', 'i > p', 'i <= sm', 'i BETWEEN p AND 100', 'i = i', 'i <> i', 'i <= i', 'i IS DISTINCT FROM p', 'i::text LIKE \'10%\'', 'abs(i::bigint) = 7' ] },
	b => { type => 'bigint', kind => 'number', values => [qw(-9223372036854775808 -9223372036854775807 -9007199254740993 -2147483649 -2147483648 -1 0 1 2 5 6 7 8 2147483647 2147483648 4294967296 4294967303 9007199254740991 9007199254740992 9007199254740993 9007199254740994 9223372036854775806 9223372036854775807)],
		cross => [ '7::smallint', '7::int', '-1::smallint', '7.0', '7.5', '7::float8', '9007199254740993::float8', '9007199254740992::float8', '9223372036854775807::float8', '9223372036854775808', '-9223372036854775809', '9007199254740993.0', '9007199254740992.5', '2147483648', "'7'", '1e18', 'i' ],
		expr => [ [ 'b % 10', 0, 7, 3 ], [ 'b / 2', 3, 4503599627370496 ], [ 'b::numeric + 1', 8, '9223372036854775808' ] ], only => [ 'b = i', 'b > i', 'b < p' ] },
	p => { type => 'int', kind => 'number', values => \@number, cross => [ '5::smallint', '5::bigint', '5.0', '4.5', '5::float8', '25.0', '25::numeric', "'5'" ],
		expr => [ [ 'p + 1', 1, 6, 8 ], [ 'p % 10', 0, 5, 9, -1 ], [ 'abs(p)', 1, 5, 10 ], [ 'p * 2', 4, 10, 50 ], [ '-p', 1, -5 ], [ '100 - p', 50, 75, 100 ], [ 'p / 5', 0, 1, 5 ], [ 'p & 1', 0, 1 ], [ 'p::float8 * 0.5', 0.5, 2.5 ], [ 'p / nullif(p, p)', 1 ], [ 'power(p, 2)', 25, 100 ] ],
		only => [ 'p <> 0 AND 100 / p > 5', 'p <> 0 AND 100 / p = 25', '0 <> p AND 100 / p = 50', 'p <> 0 AND 25 = 100 / p', 'p <> 0 AND 100 / p IN (20, 25, 50)', 'p <> 0 AND 100 / p BETWEEN 20 AND 50', 'p <> 0 AND (100 / p = 25 OR 100 / p = 50)', 'p <> 0 AND 100 / p > 20 AND 100 / p <= 50',
			'p = 0 OR 100 / p > 5', 'p = 0 OR 100 / p = 20', 'p IN (0) OR 100 / p IN (20, 50)', 'NOT (p = 0 OR 100 / p <= 5)', 'NOT (p = 0 OR 100 / p <> 25)', 'NOT (p <> 0 AND 100 / p = 25)', 'CASE WHEN p <> 0 THEN 100 / p > 5 END', 'CASE p WHEN 0 THEN false ELSE 100 / p = 25 END', 'p IS DISTINCT FROM 0 AND 100 / p = 4',
			'p > 0 AND sqrt(p) = 2', 'p > 0 AND sqrt(p) IN (2, 3)', 'p > 0 AND ln(p) > 1', 'p NOT IN (0, 5) AND 20 / (p * (p - 5)) = 0', 'p <> 0 AND p <> 5 AND 100 / p = 10 AND 100 / (p - 5) = 20', 'p BETWEEN 1 AND 10 AND 10 / p = 5', 'coalesce(p, 0) <> 0 AND 100 / p < 0', 'i > 3 AND p <> 0 AND 100 / p = 25', 'p <> 0 AND t IS NOT NULL AND 100 / p = 50',
			'(p <> 0) IS TRUE AND 100 / p = 25', 'p IN (1, 2, 4) AND 100 / p = 50', 'p = ANY (ARRAY[1, 2, 4]) AND 100 / p = 25', '(p < 0 OR p > 0) AND 100 / p > 10', 'NOT p = 0 AND 100 / p = 5', '100 / nullif(p, 0) = 25', '100 / nullif(p, 0) IN (20, 25)', 'p > 2 AND p < 7 AND 100 / (p - 2) = 50', 'p <> 0 AND f AND 100 / p = 25', 'p = g', 'p * 2 = g', 'greatest(p, i, sm) = 7', 'least(p, i) < 0', 'num_nulls(p, i, t) = 1' ] },
	g => { type => 'int GENERATED ALWAYS AS (p * 2) STORED', cast => 'int', kind => 'number', values => [ map { $_ * 2 } @number ], generated => 1 },
	late => { type => 'int', kind => 'number', values => [qw(6 7 8)], later => 7 },
	n => { type => 'numeric', kind => 'number', values => [ qw(-Infinity -1e30 -1 -0.5 0 0.00 1e-20 0.1 0.99999999999999999999 1 1.0 1.00 1.00000000000000000001 1.5 2 2.50 7 100 1e2 99999999999999999999.99 1e30 123456789012345678901234567890.123456789 Infinity NaN), '1.' . '0' x 900 . '1' ],
		cross => [ '1::smallint', '1::int', '1::bigint', '1::float8', '1.5::real', '0.1::float8', '1', '1.0', '2.5', '1e2', "'NaN'::float8", "'NaN'", '0', '-0.0', 'i', 'p' ],
		expr => [ [ 'round(n)', 1, 2, 100, "'NaN'" ], [ 'n + 0', 1, 1.5 ], [ 'abs(n)', 1, 0.5 ], [ 'trunc(n, 1)', 1, 2.5 ], [ 'scale(n)', 0, 1, 2 ], [ '-n', 1, '-1.0' ], [ 'sign(n)', 1, -1 ], [ 'n::text', "'1.0'", "'1'" ] ], only => [ 'n = p', 'n > i', 'n <> n' ] },
	n2 => { type => 'numeric(8,2)', kind => 'number', values => [qw(-999999.99 -0.01 0 0.01 0.10 1 1.00 1.005 1.01 1.10 2.5 100 100.00 999999.99 NaN)], cross => [ '1', '1.005', '1.00000', '1::float8', '0.1::float8', '0.1::real', '1000000', 'n' ] },
	r => { type => 'real', kind => 'number', values => [qw(-Infinity -1 -1e-45 -0 0 1e-45 0.1 0.125 1 1.5 2 16777216 16777218 3.4e38 Infinity NaN)], cross => [ '0.1', "'0.1'", '0.1::float8', '0.1::real', '0.1::numeric', '0.125', '1::int', '16777217::int', '16777217', '1e39::float8', "'NaN'::float8", '-0.0', 'x' ],
		expr => [ [ 'abs(r)', 1, 0, 0.125 ], [ 'r::float8', 0.1, 0.125 ], [ '-r', 0, 1, "'NaN'" ] ], only => [ 'r = x', 'r < x', 'r = r' ] },
	x => { type => 'float8', kind => 'number', values => [qw(-Infinity -1.5 -1 -5e-324 -0 0 5e-324 0.1 0.30000000000000004 0.3 1 1.5 2 7 9007199254740992 1e300 Infinity NaN)], cross => [ '0.1', '0.1::real', '0.3', '1::int', '7::bigint', '9007199254740993', '9007199254740993::bigint', '7::smallint', "'NaN'::real", '-0.0', "'-0'::float8", '1e308', 'i', 'b' ],
		expr => [ [ 'abs(x)', 1, 0, 1.5 ], [ '-x', 0, "'-0'", 1, "'NaN'" ], [ 'trunc(x)', 0, 1 ], [ 'x::text', "'-0'", "'NaN'", "'0'" ] ], only => [ 'x = r', 'x = i', 'x <> x', 'x = x', 'x > b' ] },
	t => { type => 'text', kind => 'text', values => \@words, cross => [ "'ab'::varchar", "'ab'::varchar(1)", "'ab  '::bpchar", "'ab'::name", "'ab'::text", 't2', 'v', 'h' ],
		expr => [ [ 't || t2', "'ab'", "'abab'", "''" ], [ "t || 'x'", "'abx'", "'x'" ], [ 'length(t)', 0, 1, 2, 3 ], [ 'octet_length(t)', 2, 3 ], [ 'trim(t)', "'ab'", "''" ], [ 'reverse(t)', "'ba'" ], [ "coalesce(t, t2)", "'ab'", "''" ], [ 'md5(t)', "'187ef4436122d1cc2f40dc2b92f0eba0'" ], [ 'char_length(t || v)', 2, 4 ], [ 't::varchar(2)', "'ab'" ], [ 't::bpchar', "'ab'", "'ab '" ] ],
		only => [ "t ~ '^[0-9]+\$' AND t::int > 5", "t ~ '^[0-9]+\$' AND t::int IN (1, 10)", "CASE WHEN t ~ '^[0-9]+\$' THEN t::int = 10 END", 't = t2', 't < t2', "t > v", "t = h", 't = tc COLLATE "C"', "'ab' LIKE t", "'abc' LIKE t || '%'", 't LIKE t', "t <> '' AND ascii(t) = 97", "t LIKE v || '%' AND false", 't ^@ t', "'abcd' ^@ t", 't2 ^@ t', 't = t', 't <> t' ] },
	t2 => { type => 'text', kind => 'text', values => [ '', 'a', 'ab', 'abc', 'B', 'é', 'x', '日本' ] },
	tc => { type => 'text COLLATE "C"', cast => 'text', kind => 'text', values => \@words, cross => [ "'ab'::varchar", "('ab' COLLATE \"POSIX\")", "'ab'::name" ], expr => [ [ "tc || ''", "'ab'", "'abc'" ], [ 'length(tc)', 2, 3 ] ] },
	v => { type => 'varchar(12)', cast => 'varchar', kind => 'text', values => [ grep { length($_) <= 12 } @words ], cross => [ "'ab'::text", "'ab'::bpchar", "'ab'::name", 't' ], expr => [ [ 'v::text', "'ab'", "'abc'" ], [ "v || 'x'", "'abx'" ], [ 'length(v)', 2 ], [ 'v::char(2)', "'ab'", "'a'" ], [ 'v::varchar(1)', "'a'" ] ], only => [ 'v = t', 'v <> t2', 'v > t2' ] },
	h => { type => 'char(4)', cast => 'bpchar', kind => 'text', values => \@short, cross => [ "'ab'::text", "'ab  '::text", "'ab  '::bpchar", "'ab'::char(2)", "'ab'::varchar", "'ab      '", "'ab'::name" ], expr => [ [ 'h::text', "'ab'", "'ab  '" ], [ 'length(h)', 2, 4, 0 ], [ "h || 'x'", "'abx'", "'ab  x'" ], [ 'octet_length(h)', 4, 5 ] ], only => [ 'h = t', 'h = v', "h::text = t", 'h = t::bpchar', "h LIKE 'ab  '", "h LIKE 'ab__'", "h LIKE 'ab'", "h = ''", "h IN ('ab ', 'ac  ')" ] },
	q => { type => '"char"', values => [ '', qw(A B a b c z 1) ], cross => [ "'a'::\"char\"", "'a'::text", "'a'::name" ] },
	nm => { type => 'name', kind => 'text', values => [ grep { length($_) < 16 } @words ], cross => [ "'ab'::text", "'ab'::varchar", "'abc'::name", 'tc' ], only => [ 'nm = t COLLATE "C"' ] },
	u => { type => 'uuid', values => [ '00000000-0000-0000-0000-000000000000', '00000000-0000-0000-0000-000000000001', '00000000-0000-0000-0000-000000000100', '0fffffff-ffff-ffff-ffff-ffffffffffff', '10000000-0000-0000-0000-000000000000', '{A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11}', 'a0eebc999c0b4ef8bb6d6bb9bd380a11', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12', 'ffffffff-ffff-ffff-ffff-ffffffffffff' ], expr => [ [ 'u::text', "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'" ] ], only => [ "u::text LIKE '0000%'", "u::text LIKE 'A0%'" ] },
	ba => { type => 'bytea', values => [ '\\x', '\\x00', '\\x0000', '\\x0001', '\\x01', '\\x61', '\\x6162', '\\x616200', '\\x616263', 'ab', '\\x61ff', '\\x7f', '\\x80', '\\xff', '\\xffff' ], expr => [ [ 'length(ba)', 0, 1, 2 ], [ "ba || '\\x00'", "'\\x0000'", "'\\x6100'" ], [ 'substr(ba, 1, 1)', "'\\x61'", "'\\xff'" ] ], only => [ "ba LIKE 'ab%'::bytea", "ba LIKE '\\x6125'::bytea", "ba NOT LIKE '\\x6125'::bytea", "ba LIKE '%'::bytea", "ba LIKE '\\x5f'::bytea" ] },
	d => { type => 'date', values => [ '-infinity', '4713-01-01 BC', '1999-12-31', '2000-01-01', '2024-02-28', '2024-02-29', '2024-03-01', '2024-03-02', '2024-03-31', '2024-10-27', 'infinity' ],
		cross => [ "timestamp '2024-03-01 00:00'", "timestamp '2024-03-01 00:00:00.000001'", "timestamptz '2024-03-01 00:00'", "timestamptz '2024-02-29 23:00+00'", "timestamptz '2024-03-01 00:00+00'", "timestamp 'infinity'", "date '2024-03-01'", "'March 1, 2024'", "'20240229'", 'ts', 'tz' ],
		expr => [ [ 'extract(year from d)', 2024, 2000 ], [ 'extract(month from d)', 2, 3 ], [ 'isfinite(d)', 'true', 'false' ], [ "date_trunc('month', d)", "'2024-03-01'" ], [ 'd::timestamp', "'2024-03-01'" ] ],
		only => [ 'd < now()', 'd >= current_date', 'isfinite(d)', 'isfinite(d) AND d + 1 = \'2024-03-01\'', "isfinite(d) AND d - date '2024-03-01' IN (0, 1)", "d::text LIKE '2024-0%'", "to_char(d, 'MM') = '03'", 'd = ts', 'd < tz', "(d, d) OVERLAPS (date '2024-02-29', date '2024-03-02')" ] },
	ts => { type => 'timestamp', values => \@moment, cross => [ "date '2024-03-01'", "date '2024-02-29'", "date 'infinity'", "timestamptz '2024-03-01 00:00'", "timestamptz '2024-03-01 00:00+00'", "timestamptz '2024-03-31 02:30'", 'd', 'tz' ], expr => [ [ 'ts::date', "'2024-02-29'", "'2024-03-01'" ], [ "date_trunc('day', ts)", "'2024-02-29'" ], [ 'extract(hour from ts)', 0, 2, 12 ], [ "ts + interval '1 day'", "'2024-03-01'", "'infinity'" ], [ "ts AT TIME ZONE 'Asia/Tokyo'", "timestamptz '2024-02-29 15:00+00'" ] ] },
	tz => { type => 'timestamptz', zoned => 1, values => \@moment, cross => [ "date '2024-03-01'", "date '2024-02-29'", "date '2024-03-31'", "timestamp '2024-03-01 00:00'", "timestamp '2024-03-31 02:30'", "timestamp '2024-10-27 02:30'", "timestamptz '2024-03-01 00:00'", "timestamptz '2024-03-01 01:00+01'", "timestamp 'infinity'", 'd', 'ts' ],
		expr => [ [ 'tz::date', "'2024-02-29'", "'2024-03-01'", "'2024-03-31'" ], [ "date_trunc('day', tz)", "'2024-03-01'", "'2024-03-31'" ], [ "date_trunc('month', tz)", "'2024-03-01'" ], [ 'extract(hour from tz)', 0, 1, 12, 23 ], [ "tz AT TIME ZONE 'UTC'", "'2024-03-01'" ], [ "tz + interval '1 day'", "'2024-03-01'", "'2024-03-31 23:00+00'" ], [ 'tz::time', "'00:00'", "'12:00'" ], [ 'tz::timestamp', "'2024-03-01'" ] ],
		only => [ 'tz < now()', "tz::text LIKE '2024-03-01%'", "to_char(tz, 'YYYY-MM-DD') = '2024-03-01'", 'tz::date = d', 'tz > ts', "tz::date BETWEEN '2024-02-29' AND '2024-03-01'" ] },
	tm => { type => 'time', values => [qw(00:00 00:00:00.000001 08:00 11:59:59.999999 12:00 12:00:00 23:59:59.999999 24:00)], cross => [ "interval '12 hours'", "time '12:00 PM'", "'12:00 PM'" ], expr => [ [ 'extract(hour from tm)', 0, 12, 24 ], [ "tm - time '00:00'", "'12:00'" ] ] },
	tt => { type => 'timetz', values => [ '00:00+00', '12:00+00', '14:00+02', '07:00-05', '12:00+01', '24:00+00' ] },
	iv => { type => 'interval', values => [ '-1 day', '00:00', '24:00', '1 day', '29 days', '30 days', '720 hours', '1 mon', '1 mon 00:00:01', '31 days', '360 days', '12 mons', '1 year' ], cross => [ "interval '30 days'", "interval '1 mon'", "interval '2592000 seconds'", "time '12:00'" ], expr => [ [ 'extract(day from iv)', 1, 30 ], [ 'justify_days(iv)', "'1 mon'" ], [ "iv * 2", "'2 mon'", "'2 days'" ], [ "extract(epoch from iv)", 86400, 2592000 ] ] },
	f => { type => 'bool', kind => 'bool', values => [qw(false true)], cross => [ "'yes'::bool", "'f'", '(1 = 1)', '(p > 0)', 'f2' ], only => [ ('f') x 4, ('NOT f') x 3, 'f = f2', 'f <> f2', 'f AND f2', 'f OR f2', 'f AND NOT f2', 'f = (i > 3)', 'f < true', 'f >= f2', 'NOT (f = false)', 'coalesce(f, false)', 'coalesce(f, true)', 'f AND f', 'f OR NOT f', 'f AND NULL', 'f OR NULL', 'f IN (true)', 'f IN (true, NULL)', 'f NOT IN (true)', 'f = ANY (ARRAY[true, NULL])', 'bool(i & 1) = f', 'f::int = 1', 'NOT NOT f', 'NOT NOT NOT f', 'f IS DISTINCT FROM f2', '(f IS TRUE) = f2', 'CASE f WHEN true THEN p > 0 ELSE NULL END' ] },
	f2 => { type => 'bool', kind => 'bool', values => [qw(false true)], only => [ 'f2', 'NOT f2' ] },
	e => { type => 'shapes.tier', values => [qw(low mid high)], cross => [ "'mid'::shapes.tier" ] },
	di => { type => 'shapes.small', cast => 'int', kind => 'number', values => [qw(-1 0 1 2 5 6 7 8 100)], cross => [ '7::bigint', '7.0', '7::smallint', '3000000000', "'7'::shapes.small", 'p' ], expr => [ [ 'di + 1', 1, 8 ], [ 'di % 2', 0, 1 ] ], only => [ 'di = p', 'di::bigint = 7' ] },
	dt => { type => 'shapes.code', cast => 'text', kind => 'text', values => [qw(a ab abc abd b é 1000 1001 2000)], cross => [ "'ab'::varchar", "'ab'::shapes.code" ], expr => [ [ 'left(dt, 2)', "'ab'", "'10'" ], [ 'lower(dt)', "'ab'" ] ] },
	ia => { type => 'int[]', values => [ '{}', '{1}', '{1,NULL}', '{1,2}', '{2,1}', '{2}', '{NULL}', '{{1,2}}', '{5,6,7}' ], expr => [ [ 'cardinality(ia)', 0, 1, 2 ], [ 'ia[1]', 1, 2 ] ], only => [ "ia \@> '{1}'", "ia \@> '{}'", "ia \@> '{1,NULL}'", "ia && '{2,3}'", "ia <\@ '{1,2}'", '1 = ANY (ia)', 'p = ANY (ia)', '1 <> ALL (ia)', '2 > ANY (ia)', '2 >= ALL (ia)', 'NOT 1 = ANY (ia)', 'i IN (ia[1], 7)', 'array_length(ia, 1) IS NULL', 'array_ndims(ia) = 1 AND array_position(ia, 2) = 1', '7.0 = ANY (ia)', 'NULL = ANY (ia)' ] },
	ta => { type => 'text[]', values => [ '{}', '{a}', '{a,b}', '{b,a}', '{ab}', '{NULL}', '{a,NULL}', '{""}' ], only => [ "ta \@> '{a}'", "ta && '{b,ab}'", "ta <\@ '{a,b}'", "'a' = ANY (ta)", "t = ANY (ta)", "'a' <> ALL (ta)", "'ab' LIKE ANY (ta)", "ta[1] LIKE 'a%'", "t <> ALL (ta)", "cardinality(ta) > 1", "NOT ta \@> '{a}'" ] },
	j => { type => 'jsonb', values => [ 'null', '"a"', '1', 'true', '[]', '[1,2]', '{}', '{"k":"v"}', '{"k":"v","n":1}', '{"n":1.0}', '{"n":2,"k":null}', '{"a":{"b":[1,2]}}' ],
		expr => [ [ "j ->> 'k'", "'v'", "'V'" ], [ "j -> 'n'", "'1'", "'1.0'", "'2'" ], [ "j #>> '{a,b,0}'", "'1'" ], [ 'jsonb_typeof(j)', "'object'", "'null'" ], [ "lower(j ->> 'k')", "'v'" ], [ "j -> 'a' ->> 'b'", "'[1, 2]'" ] ],
		only => [ "j \@> '{\"k\":\"v\"}'", "j \@> '{}'", "j \@> '{\"a\":{\"b\":[2]}}'", "j ? 'k'", "j ?| '{k,a}'", "j ?& '{k,n}'", "NOT j ? 'k'", "j ->> 'k' IS NULL", "j ->> 'k' LIKE 'v%'", "jsonb_typeof(j -> 'n') = 'number' AND (j ->> 'n')::numeric = 1", "jsonb_typeof(j -> 'n') = 'number' AND (j ->> 'n')::numeric > 1", "j ->> 'k' IN ('v', 'w')", "j \@? '\$.a.b[*] ? (@ > 1)'", "j <\@ '{\"k\":\"v\",\"n\":1}'" ] },
	ip => { type => 'inet', values => [ '10.0.0.0', '10.0.0.1', '10.0.0.1/32', '10.0.0.1/24', '10.0.0.0/24', '10.0.1.0/24', '10.0.0.255', '10.1.0.0', '192.168.0.1', '::1', '::ffff:10.0.0.1' ], cross => [ "cidr '10.0.0.0/24'", "inet '10.0.0.1'", 'cd' ], expr => [ [ 'masklen(ip)', 24, 32 ], [ 'family(ip)', 4, 6 ], [ 'host(ip)', "'10.0.0.1'" ] ], only => [ "ip <<= '10.0.0.0/24'", "ip << '10.0.0.0/8'", "ip >>= '10.0.0.1'", "ip >> '10.0.0.1'", "ip && '10.0.0.0/16'", "NOT ip <<= '10.0.0.0/8'", "ip <<= '0.0.0.0/0'", "ip <<= '::/0'", "'10.0.0.1' <<= ip", 'ip <<= cd', "ip <<= ANY (ARRAY['10.0.0.0/24', '192.168.0.0/16']::inet[])" ] },
	cd => { type => 'cidr', values => [ '10.0.0.0/8', '10.0.0.0/24', '10.0.1.0/24', '10.0.0.1/32', '0.0.0.0/0', '192.168.0.0/16', '::/0' ], cross => [ "inet '10.0.0.0/24'", 'ip' ], only => [ "cd <<= '10.0.0.0/8'", "cd >> '10.0.0.1'" ] },
	ma => { type => 'macaddr', values => [ '00:00:00:00:00:00', '08:00:2b:01:02:03', '08-00-2B-01-02-03', '08:00:2b:01:02:04', 'ff:ff:ff:ff:ff:ff' ] },
	rg => { type => 'int4range', values => [ 'empty', '(,)', '(,5)', '[1,5)', '[1,4]', '(0,5)', '[5,7)', '[5,)', '[7,7]' ], expr => [ [ 'lower(rg)', 1, 5 ], [ 'upper(rg)', 5, 8 ] ], only => [ 'rg @> 5', 'rg @> 4', '5 <@ rg', "rg \@> 'empty'::int4range", "rg <\@ '[0,10)'::int4range", "rg && '[4,6)'::int4range", 'isempty(rg)', 'upper_inf(rg)', 'rg @> p', 'NOT rg @> 5', "rg << '[6,8)'::int4range", "rg -|- '[5,6)'::int4range", 'p <@ rg' ] },
	dr => { type => 'daterange', values => [ 'empty', '[2024-02-29,2024-03-01)', '[2024-02-29,2024-02-29]', '[2024-03-01,)', '(,2024-03-01)', '(,infinity)' ], only => [ "dr \@> date '2024-02-29'", "dr \@> d", "dr && '[2024-03-01,2024-03-02]'::daterange" ] },
	w => { type => 'territory.territory', values => [ '', 'A', 'A!', 'A.B', 'A.B.C', 'A.B.C.D', '"A.B"', 'A.B!', 'A.BC', 'A.C', 'AB', 'B', 'B.A', 'a', 'a.b', 'É', 'É.日本', '"A b"', '"A b".x' ], cross => [ "'A.B'::territory", "'A.B'::text", "'A' || 'B'::territory", "'A.B'::varchar" ],
		expr => [ [ 'nlevel(w)', 0, 1, 2, 3 ], [ 'parent(w)', "'A'", "''", "'A.B'" ], [ 'label(w)', "'B'", "'A'" ], [ "w || 'X'::territory", "'A.X'", "'X'" ], [ 'w::text', "'A.B'", "''" ] ],
		only => [ (map { my $k = $_; "w <\@ '$k'", "w \@> '$k'" } '', 'A', 'A.B', 'A.B.C', '"A.B"', 'É', 'ZZ', 'A.B.C.D.E'), "'A' \@> w", "'A.B.C' <\@ w", "NOT w <\@ 'A'", "NOT w \@> 'A.B'", "w <\@ 'A' AND w <> 'A'", "w <\@ 'A' AND NOT w <\@ 'A.B'", "w <\@ 'A' OR w <\@ 'B'", "w <\@ 'A.B' OR w IS NULL", "w ~ 'A.*'::pattern", "w ~ '*.B.*'::pattern", "w ~ '*{2}'::pattern", "w ~ 'A.B|C'::pattern", "w ~ 'A*.*'::pattern", "w ~ 'a\@.*'::pattern", "NOT w ~ 'A.*'::pattern", "w ~ '*'::pattern",
			"w \@ 'B'::label_query", "w ? ARRAY['A', 'B.*']::pattern[]", "w <\@ ANY (ARRAY['A.B', 'B']::territory[])", "w = ANY (ARRAY['A.B', 'B']::territory[])", "w <\@ ALL (ARRAY['A', 'A.B']::territory[])", "NOT w <\@ ANY (ARRAY['A.B', 'B']::territory[])", "nlevel(w) >= 2 AND subpath(w, 0, 2) = 'A.B'", "w <\@ w", "w <\@ parent(w)", "(w <\@ 'A') IS NOT TRUE", "w <\@ NULL::territory", "is_ancestor('A', w)", "w::text LIKE 'A.%'" ] },
	m => { type => 'money', values => [qw(-5.00 0.00 0.01 1.00 1 2.50 1000.00)] },
	bi => { type => 'bit(4)', cast => 'bit(4)', values => [qw(0000 0001 0101 1000 1111)], expr => [ [ "bi & B'0001'", "B'0001'" ] ] },
	vb => { type => 'varbit', values => [ '', '0', '00', '01', '010', '1' ] },
	o => { type => 'oid', values => [qw(0 1 5 7 2147483648 4294967295)], cross => [ '7::int', '7::bigint' ] },
	# an equality without a negator, so that NOT stays
	ci => { type => 'cid', unordered => 1, values => [qw(0 1 5 7)], only => [ "ci = '5'", "NOT ci = '5'", "'7' = ci", "ci IN ('5', '7')", "NOT ci IN ('5', '7')", "ci = ANY (ARRAY['5', '7']::cid[])", "ci = '5' OR ci = '7'", "NOT (ci = '5' OR f)", "NOT (ci = '5' AND p > 0)", "(ci = '5') IS NOT TRUE", "ci = '5' OR NOT ci = '7'", 'NOT ci = ci', "NOT (NOT ci = '5' AND NOT ci IN ('1', '7'))" ] },
	co => { type => 'shapes.pair', typed => 1, values => [ '(,)', '(1,)', '(1,a)', '(1,b)', '(2,a)', '(,a)' ], only => [ '(co).n = 1', "(co).s LIKE 'a%'", 'co IS NOT NULL', 'NOT co IS NULL', "co = ROW(1, 'a')::shapes.pair", '(co).s IS NULL', "co IN (ROW(1, 'a')::shapes.pair, ROW(2, NULL)::shapes.pair)" ] },
	pt => { type => 'point', unordered => 1, values => [ '(0,0)', '(1,1)', '(1,-1)', '(0.5,0.5)' ], only => [ "pt <\@ box '(0,0),(1,1)'", "pt ~= '(1,1)'", "pt << '(0.5,0)'", "pt[0] = 1", "NOT pt ~= '(0,0)'", "pt <-> '(0,0)' < 1" ] },
);
# columns that need more of the server than every server has
my %icu_column = (
	ti => { type => 'text COLLATE "en-x-icu"', cast => 'text', kind => 'text', values => [ grep { length($_) < 3000 } @words ], cross => [ "('ab' COLLATE \"C\")", "'ab'::varchar" ], expr => [ [ "ti || ''", "'ab'", "'É'" ], [ 'length(ti)', 2 ] ], only => [ 'ti < t2 COLLATE "C"', 'ti > t2 COLLATE "en-x-icu"' ] },
	tn => { type => 'text COLLATE shapes.nocase', cast => 'text', nopattern => 1, values => \@words, cross => [ "('AB' COLLATE \"C\")", "'ab'::varchar" ], expr => [ [ 'upper(tn)', "'AB'", "'É'" ], [ "tn || 'X'", "'abx'" ], [ 'length(tn)', 2 ] ], only => [ "tn COLLATE \"C\" LIKE 'ab%'", "tn COLLATE \"C\" = 'ab'", 'tn = t2 COLLATE "C"', 'tn = t2 COLLATE shapes.nocase', "tn IN ('AB', 'É') AND tn <> 'é'" ] },
);
my %citext_column = (
	ct => { type => 'citext', kind => 'text', values => \@words, cross => [ "'AB'::text", "'AB'::citext", "'AB'::varchar" ], expr => [ [ 'lower(ct)', "'ab'", "'AB'" ], [ 'ct::text', "'ab'", "'AB'" ], [ 'length(ct)', 2 ], [ "ct || 'X'", "'abx'" ] ], only => [ 'ct = t', 'ct < t2', "ct::text LIKE 'ab%'" ] });

# ---------- constants ----------

sub raw { my ($self, $c) = @_; pick(@{ $self->{column}{$c}{values} }) }

# a constant of a column's own type, in one spelling or another
sub spelled
{
	my ($self, $c, $raw) = @_;
	my $column = $self->{column}{$c};
	$raw = "$raw+00" if $column->{zoned} && $raw !~ /infinity/ && chance(0.7);
	return pick($raw, uc $raw) if ($column->{kind} || '') eq 'bool';
	return $raw if ($column->{kind} || '') eq 'number' && $raw =~ /^-?\d+(\.\d+)?(e-?\d+)?$/ && chance(0.6);
	return quote($raw) . '::' . $column->{cast} if $column->{typed} || chance(0.1);
	return quote($raw);
}

sub constant { my ($self, $c) = @_; $self->spelled($c, $self->raw($c)) }
sub constants { my ($self, $c, $n) = @_; map { $self->constant($c) } 1 .. $n }

# a constant, perhaps of another type, or another column
sub operand { my ($self, $c) = @_; my $x = $self->{column}{$c}{cross}; return $x && chance(0.25) ? pick(@$x) : $self->constant($c) }

# a long list of constants that mostly are no row's
sub long_list
{
	my ($self, $c, $n) = @_;
	my $type = $self->{column}{$c}{cast};
	my $from = rnd(1000);
	my $make = { int => sub { $_[0] * 3 - 100 }, bigint => sub { $_[0] * 1000003 + 7 }, smallint => sub { $_[0] }, numeric => sub { "$_[0].5" }, text => sub { "'ab$_[0]'" }, varchar => sub { "'ab$_[0]'" }, uuid => sub { sprintf "'%08x-0000-0000-0000-000000000000'", $_[0] },
		date => sub { sprintf "'%04d-%02d-%02d'", 1900 + $_[0] % 200, 1 + $_[0] % 12, 1 + $_[0] % 28 }, citext => sub { "'AB$_[0]'" }, 'territory.territory' => sub { "'A.B.x$_[0]'" }, float8 => sub { "'$_[0].25'" } }->{$type};
	my @own = $self->constants($c, 3);
	return @own unless $make;
	return shuffle(@own, map { $make->($from + $_) } 1 .. $n - @own);
}

# ---------- conditions on one column ----------

my @order = ('<', '<=', '>', '>=');
my @test = ('IS TRUE', 'IS NOT TRUE', 'IS FALSE', 'IS NOT FALSE', 'IS UNKNOWN', 'IS NOT UNKNOWN');

sub list_atom
{
	my ($self, $c) = @_;
	my $type = $self->{column}{$c}{cast};
	my $n = chance(0.04) ? 50 : pick(1, 1, 2, 2, 3, 5);
	my @list = $self->constants($c, $n);
	@list = $self->long_list($c, 50) if chance(0.02);
	push @list, 'NULL' if chance(0.12);
	push @list, $self->operand($c) if chance(0.08);
	my $list = join ', ', shuffle(@list);
	my $array = 'ARRAY[' . join(', ', $self->constants($c, $n), chance(0.15) ? 'NULL' : ()) . "]::$type\[]";
	return pick("$c IN ($list)", "$c IN ($list)", "$c IN ($list)", "$c NOT IN ($list)", "NOT $c IN ($list)") if chance(0.6) || $type =~ /\[]/;
	return pick("$c = ANY ($array)", "$c = ANY ($array)", "$c <> ALL ($array)", "$c <> ALL ($array)", "NOT $c = ANY ($array)", "$c <> ANY ($array)", "$c = ALL ($array)",
		"$c " . pick(@order) . ' ' . pick('ANY', 'ALL') . " ($array)", "$c = ANY (NULL::$type\[])", "$c = ANY ('{}'::$type\[])", "$c <> ALL ('{}'::$type\[])", "$c IN (" . $self->constant($c) . ") IS NOT TRUE");
}

sub range_atom
{
	my ($self, $c) = @_;
	my ($k, $l) = ($self->operand($c), $self->operand($c));
	my ($x, $y, $z) = $self->constants($c, 3);
	my ($more, $less) = (pick('>', '>='), pick('<', '<='));
	my $between = pick('BETWEEN', 'BETWEEN', 'NOT BETWEEN', 'BETWEEN SYMMETRIC', 'NOT BETWEEN SYMMETRIC');
	return pick("$c $more $k", "$c $less $k", "$k $more $c", "$k $less $c", "$c $more $k AND $c $less $l", "$k $less $c AND $l $more $c", "$c $more $x AND $c $less $x", "$c $between $k AND $l", "$c $between $k AND $l", "$c $between $x AND $x",
		"$c $less $x OR $c $more $y", "NOT ($c $less $x OR $c $more $y)", "NOT ($c $more $x AND $c $less $y)", "NOT $c $more $k", "NOT $c $less $k", "$c $more $x AND $c $more $y AND $c $less $z", "$c $less $x AND $c $less $y", "$c $more $x AND $c $less $y AND $c <> $z", "$c = $x AND $c $more $y", "$c $more $x OR $c $more $y",
		"$c $more $x AND $c IS NULL", "$c $less $x OR $c IS NULL", "$c $less NULL", "$c BETWEEN $x AND NULL", "$c BETWEEN NULL AND $x", "NOT $c BETWEEN NULL AND $x", "$x BETWEEN $c AND greatest($c, $y)", "($c $more $x) " . pick(@test), "($c BETWEEN $x AND $y) " . pick(@test), "$c $more $x AND ($c $less $y OR $c = $z)");
}

sub equality_atom
{
	my ($self, $c) = @_;
	my ($k, $x, $y, $z) = ($self->operand($c), $self->constants($c, 3));
	my $type = $self->{column}{$c}{cast};
	return pick("$c = $k", "$c = $k", "$c = $k", "$k = $c", "$c <> $k", "$k <> $c", "NOT $c = $k", "NOT $c <> $k", "$c = $x OR $c = $y", "$c = $x AND $c = $y", "$c <> $x AND $c <> $y", "$c <> $x OR $c <> $y", "$c = $x AND $c <> $y", "$c = $x OR $c IS NULL", "$c = NULL", "$c <> NULL", "$c = $c", "$c <> $c",
		"$c IS NULL", "$c IS NOT NULL", "NOT $c IS NULL", "$c IS DISTINCT FROM $k", "$c IS NOT DISTINCT FROM $k", "$c IS DISTINCT FROM NULL", "$c IS NOT DISTINCT FROM NULL", "NOT $c IS DISTINCT FROM $x", "($c = $x) " . pick(@test), "($c <> $x) " . pick(@test), "($c IS NULL) = ($c = $x)",
		"coalesce($c, $x) = $y", "coalesce($c, $x) IN ($x, $y)", "coalesce($c, $x) <> $x", "coalesce($c = $x, false)", "coalesce($c = $x, true)", "nullif($c, $x) IS NULL", "nullif($c, $x) = $y", "nullif($c, $x) IS NOT NULL", "CASE $c WHEN $x THEN true WHEN $y THEN false ELSE NULL END", "CASE WHEN $c = $x THEN $c = $y ELSE $c <> $z END",
		"CASE WHEN $c < $x THEN 1 WHEN $c < $y THEN 2 ELSE 3 END = " . (1 + rnd(3)), "greatest($c, $x) = $x", "least($c, $x) = $c", "$c = greatest(coalesce(NULL::$type, $x), $y)", "($c = $x) = ($c = $y)", "($c = $x) <> ($c > $y)", "($c = $x) IS DISTINCT FROM ($c = $y)", $type =~ /\[]/ ? () : "(ARRAY[$x, $y]::$type\[])[1] = $c");
}

my $special = qr/([\\%_])/;

# a prefix of some value of a text column, at times longer or with wildcards in it
sub prefix
{
	my ($self, $c) = @_;
	my $v = $self->raw($c);
	$v = $self->raw($c) if length $v > 30;
	return substr($v, 0, rnd(length($v) + 1)) . (chance(0.1) ? pick('a', '%', '_', 'z', 'é', "\x{10fffd}") : '');
}

sub like_atom
{
	my ($self, $c) = @_;
	my $p = $self->prefix($c);
	my $like = pick('LIKE', 'LIKE', 'LIKE', 'LIKE', 'NOT LIKE', 'ILIKE', 'NOT ILIKE', '~~', '!~~');
	my $end = pick(('%') x 6, '', '%%', '_%', '_', '%b', '%_', '%b%', '_b%');
	my $escaped = $p =~ s/$special/\\$1/gr;
	$escaped = $p =~ s/\\/\\\\/gr if chance(0.15);
	my $banged = $p =~ s/([!%_])/!$1/gr;
	return "$c $like " . quote("$escaped$end") if chance(0.7) || $like =~ /~/;
	return "$c $like " . quote("$banged$end") . " ESCAPE '!'" if chance(0.5);
	return "$c $like " . quote($p . $end) . " ESCAPE ''" if chance(0.5);
	return "$c LIKE " . pick('ANY', 'ALL') . ' (ARRAY[' . quote("$escaped%") . ', ' . quote($self->prefix($c) =~ s/$special/\\$1/gr . '%') . '])' if chance(0.5);
	return pick("$c LIKE ''", "$c LIKE '%'", "$c NOT LIKE '%'", "$c LIKE NULL", "$c LIKE '%%'", "$c LIKE '_%'", "$c LIKE '__'", "$c LIKE '%b'", "$c LIKE 'a%b'", "$c LIKE '\\%%'", "$c LIKE 'ab\\%%'", "$c LIKE 'ab\\_%'", "$c LIKE 'a\\\\%'", "$c LIKE 'a\\b'", "NOT $c NOT LIKE 'ab%'", "$c LIKE 'ab%' AND $c LIKE '%c'", "$c LIKE 'ab%' AND $c NOT LIKE 'abc%'", "$c LIKE 'a%' OR $c LIKE 'ab%' OR $c LIKE 'abc%'", "($c LIKE 'ab%') " . pick(@test));
}

sub regex_atom
{
	my ($self, $c) = @_;
	my $p = $self->prefix($c) =~ s/([^\w\s\x{80}-\x{10fffd}])/\\$1/gr;
	my $q = $p =~ s/_/\\_/gr;
	my $op = pick('~', '~', '~', '!~', '~*', '!~*');
	return pick("$c $op " . quote("^$p"), "$c $op " . quote("^$p"), "$c $op " . quote("^$p\$"), "$c $op " . quote($p), "$c $op " . quote("^$p.*"), "$c $op " . quote("^$p.?b"), "$c $op '^(ab|ac)'", "$c $op '^ab?'", "$c $op '^ab+'", "$c $op '^a[bc]\$'", "$c $op '^'", "$c $op ''", "$c $op '(?i)^ab'", "$c $op '***=ab'", "NOT $c ~ " . quote("^$p"),
		"$c SIMILAR TO " . quote("$q%"), "$c SIMILAR TO " . quote($q), "$c NOT SIMILAR TO " . quote("$q%"), "$c SIMILAR TO '(ab|b)%'", "$c SIMILAR TO 'a_'", "$c SIMILAR TO 'a#_' ESCAPE '#'");
}

sub text_atom
{
	my ($self, $c) = @_;
	return $self->like_atom($c) if chance(0.55);
	return $self->regex_atom($c) if chance(0.4);
	my $p = quote($self->prefix($c));
	my ($k, $l) = $self->constants($c, 2);
	my $op = pick('=', '<>', @order);
	# the server's own hash function of type name does not know of collations that take different bytes for equal
	my @collation = ('"C"', '"POSIX"', '"default"', $self->{icu} ? ('"en-x-icu"', $c eq 'nm' ? () : 'shapes.nocase') : ());
	my $collation = pick(@collation);
	return pick("$c ^\@ $p", "$c ^\@ $p", "NOT $c ^\@ $p", "starts_with($c, $p)", "NOT starts_with($c, $p)", "$c ^\@ $p AND $c ^\@ " . quote($self->prefix($c)), "left($c, 2) = $p", "left($c, -1) = $p", "substr($c, 1, 1) = $p", "lower($c) = $k", "lower($c) IN ($k, $l)", "upper($c) $op $k", "lower($c) LIKE 'ab%'", "length($c) $op 2",
		"$c COLLATE $collation $op $k", "$k COLLATE $collation $op $c", "$c COLLATE $collation IN ($k, $l)", "$c COLLATE $collation BETWEEN $k AND $l", "$c COLLATE $collation $op $k COLLATE $collation", "lower($c COLLATE $collation) = $k");
}

# what lies below or above a constant: territories, networks
sub below_atom
{
	my ($self, $c) = @_;
	my ($k, $l) = $self->constants($c, 2);
	my ($down, $up) = $c eq 'w' ? ('<@', '@>') : ('<<=', '>>=');
	return pick("$c $down $k", "$c $down $k", "$c $down $k", "$c $up $k", "$k $up $c", "$k $down $c", "NOT $c $down $k", "NOT $c $up $k", "$c $down $k AND $c <> $k", "$c $down $k OR $c $down $l", "$c $down $k AND $c $down $l", "$c $down $k AND NOT $c $down $l", "$c $down $k AND $c > $l", "$c $down $k OR $c IS NULL", "($c $down $k) " . pick(@test), "$c $down $c", "$c $down NULL");
}

# PostgreSQL prints some expressions without the schema of their operator, so that rules with them are refused for types
# whose operators are not in pg_catalog
sub unprintable { my ($text) = @_; return $text =~ /\b(w|ct)\b/ && $text =~ /DISTINCT FROM(?! NULL)|nullif|CASE \w+ WHEN|^(NOT )?\(\w+, \w+\) (<|>|IS)/ }

# a condition, random
sub atom
{
	my ($self) = @_;
	my $text;
	do { $text = $self->any_atom } while unprintable($text);
	return $text;
}

sub any_atom
{
	my ($self) = @_;
	return pick('true', 'false', '1 = 1', '1 = 2', 'NULL::bool', "'a' = 'a'", 'NULL IS NULL', 'NOT NULL::bool', "1 = ANY ('{}'::int[])", "1 <> ALL ('{}'::int[])", 'p < 5 AND p > 7', 'p >= 5 AND p < 5', "t > 'b' AND t < 'a'", 'p = 1 AND p = 2', 'p IN (1, 2) AND p IN (3, 4)', 'p IS NULL AND p = 5', 'p = 5 OR p <> 5', 'p < 5 OR p >= 5 OR p IS NULL') if chance(0.02);
	return $self->row_atom if chance(0.03);
	my $c = pick(@{ $self->{focus} });
	my $column = $self->{column}{$c};
	return pick(@{ $column->{only} }) if $column->{only} && ($column->{unordered} || chance(0.25));
	return pick("$c IS NULL", "$c IS NOT NULL") if $column->{unordered};
	return pick("$c " . pick(@test), "NOT $c", $c, $self->equality_atom($c), $self->list_atom($c), $self->range_atom($c)) if ($column->{kind} || '') eq 'bool';
	return $self->text_atom($c) if ($column->{kind} || '') eq 'text' && !$column->{nopattern} && chance(0.4);
	if ($column->{expr} && chance(0.15))
	{
		my ($expr, @k) = @{ pick(@{ $column->{expr} }) };
		my ($k, $l) = (pick(@k), pick(@k));
		my $op = pick('=', '=', '<>', @order);
		return pick("$expr $op $k", "$expr $op $k", "$k $op $expr", "$expr IN ($k, $l)", "$expr NOT IN ($k, $l)", "$expr BETWEEN $k AND $l", "($expr) IS NULL", "$expr = $k OR $expr = $l", "NOT $expr $op $k", "($expr) IS NOT DISTINCT FROM $k");
	}
	return $self->below_atom($c) if $c =~ /^(w|ip|cd)$/ && chance(0.3);
	my $what = rnd(10);
	return $what < 4 ? $self->equality_atom($c) : $what < 6 ? $self->list_atom($c) : $self->range_atom($c);
}

# comparisons of rows
sub row_atom
{
	my ($self) = @_;
	my @c = some(2, grep { my $c = $self->{column}{$_}; !$c->{unordered} && $_ ne 'co' } @{ $self->{focus} });
	@c = ('i', 't') if @c < 2;
	my ($a, $b) = map { '(' . join(', ', map { $self->constant($_) } @c) . ')' } 1 .. 2;
	my $row = "($c[0], $c[1])";
	return pick("$row = $a", "$row IN ($a, $b)", "$row NOT IN ($a, $b)", "$row <> $a", "$row < $a", "$row >= $a", "$row IS NULL", "$row IS NOT NULL", "NOT $row IS NOT NULL", "$row IS DISTINCT FROM $a", "$row >= $a AND $row < $b");
}

# a condition that a row makes true, mostly
sub true_atom
{
	my ($self, $row, $c) = @_;
	my $text;
	do { $text = $self->any_true_atom($row, $c) } while unprintable($text);
	return $text;
}

sub any_true_atom
{
	my ($self, $row, $c) = @_;
	my $column = $self->{column}{$c};
	my $raw = $row->{$c};
	return pick("$c IS NULL", "$c IS NOT DISTINCT FROM NULL", "coalesce($c, NULL) IS NULL", "$c IS NULL OR $c = " . $self->constant($c)) if !defined $raw && !$column->{unordered};
	return defined $raw ? "$c IS NOT NULL" : "$c IS NULL" if $column->{unordered};
	my $v = $self->spelled($c, $raw);
	my ($k, $l) = $self->constants($c, 2);
	if (($column->{kind} || '') eq 'text' && !$column->{nopattern} && chance(0.4))
	{
		my $p = substr($raw, 0, rnd(length($raw) + 1));
		my $like = $p =~ s/$special/\\$1/gr;
		return pick("$c LIKE " . quote("$like%"), "$c LIKE " . quote("$like%"), "$c ^\@ " . quote($p), "starts_with($c, " . quote($p) . ')', "$c ILIKE " . quote("\L$like\E%"), "NOT $c NOT LIKE " . quote("$like%"));
	}
	return pick("$c <\@ $v", "$c \@> $v", "$c <\@ " . quote($raw =~ s/\.[^."]*$//r)) if $c eq 'w' && chance(0.4);
	return pick($raw eq 'true' ? ($c, "$c IS TRUE", "NOT NOT $c", "$c = true") : ("NOT $c", "$c IS FALSE", "$c = false", "$c <> true")) if ($column->{kind} || '') eq 'bool';
	return pick("$c = $v", "$c = $v", "$v = $c", "$c IN ($k, $v, $l)", "$c IN ($v)", "$c >= $v", "$c <= $v", "$v >= $c", "$c BETWEEN $v AND $v", "$c BETWEEN SYMMETRIC $v AND $k", "$c IS NOT DISTINCT FROM $v", "NOT $c <> $v", "NOT ($c < $v OR $c > $v)", "$c = $k OR $c = $v", "coalesce($c, $k) = $v",
		"($c = $v) IS TRUE", "($c > $v) IS NOT TRUE", "$c >= $v AND $c <= $v", "$c <> $k OR $c IS NOT NULL", "$c IS NOT NULL", "$c NOT IN ($k, $l) OR $c = $v", "NOT $c NOT IN ($v, $k)", "$c IS NOT NULL AND $c >= $v");
}

# ---------- criteria ----------

sub witness
{
	my ($self, $n) = @_;
	my $row = pick(@{ $self->{row} });
	my @c = @{ $self->{focus} };
	return map { chance(0.93) ? $self->true_atom($row, pick(@c)) : $self->atom } 1 .. $n;
}

sub tree
{
	my ($self, $depth) = @_;
	return $self->atom if $depth <= 0 || chance(0.3);
	my $what = rnd(16);
	my @args = map { $self->tree($depth - 1) } 1 .. pick(2, 2, 2, 3, 4);
	return [ 'AND', @args[ 0, 1 ] ] if $what < 4;
	return [ 'AND', $args[0], $self->witness(1) ] if $what == 4;
	return [ 'OR', @args ] if $what < 9;
	return [ 'NOT', $args[0] ] if $what == 9;
	return [ 'NOT', [ pick('AND', 'OR'), @args ] ] if $what < 12;
	return [ pick(@test, '= true', '<> false', 'IS DISTINCT FROM false'), $args[0] ] if $what == 12;
	return [ 'CASE', @args[ 0, 1 ], $args[2] // 'NULL' ] if $what == 13;
	return [ pick('=', '<>', 'IS DISTINCT FROM'), @args[ 0, 1 ] ] if $what == 14;
	return [ 'COALESCE', @args[ 0, 1 ] ];
}

sub criteria
{
	my ($self) = @_;
	my $what = rnd(100);
	if (chance(0.006))
	{
		my $c = pick(@{ $self->{focus} });
		my $list = join ', ', $self->long_list($c, 2000);
		return pick("$c IN ($list)", "$c NOT IN ($list)", [ 'AND', $self->witness(1), "$c IN ($list)" ], [ 'OR', "$c IN ($list)", $self->atom ]) unless $self->{column}{$c}{unordered};
	}
	return $self->atom if $what < 30;
	return [ 'AND', $self->witness(2 + rnd(3)) ] if $what < 50;
	return [ 'AND', $self->witness(1 + rnd(2)), [ 'OR', $self->witness(1), $self->atom, $self->atom ] ] if $what < 57;
	return [ 'OR', map { [ 'AND', $self->witness(2), chance(0.3) ? $self->atom : () ] } 1 .. 2 + rnd(3) ] if $what < 65;
	return [ 'AND', $self->witness(1 + rnd(3)), [ 'NOT', $self->tree(2) ] ] if $what < 72;
	return [ pick('AND', 'AND', 'OR'), $self->witness(25) ] if $what < 75;
	return [ pick('AND', 'OR'), map { [ pick('OR', 'AND'), $self->witness(3), $self->atom ] } 1 .. 6 ] if $what < 78;
	return $self->tree(6) if $what < 84;
	return $self->tree(2);
}

# every constant of another type, every expression and every own value once in each comparison; a world takes a tenth, so
# that ten worlds in a row have all
sub sweep
{
	my ($self) = @_;
	my (@rare, @own);
	for my $c (@{ $self->{name} })
	{
		my $column = $self->{column}{$c};
		push @rare, grep { !unprintable($_) } @{ $column->{only} || [] };
		for my $k (@{ $column->{cross} || [] })
		{
			push @rare, map({ "$c $_ $k" } '=', '<>', @order), "$k = $c", "$k <= $c", "$k > $c", "$c BETWEEN $k AND $k", "NOT $c BETWEEN $k AND $k", "$c IN ($k, " . $self->constant($c) . ')', "$c NOT IN ($k)", "NOT $c = $k", "$c > $k AND $c >= $k";
		}
		for my $expr (@{ $column->{expr} || [] })
		{
			my ($e, @k) = @$expr;
			push @rare, map({ my $k = $_; map { "$e $_ $k" } '=', '<>', '<', '>=' } @k), "$e IN (" . join(', ', @k) . ')', "$e NOT IN (" . join(', ', @k) . ')', "($e) IS NULL";
		}
		next if $column->{unordered};
		for my $v (@{ $column->{values} })
		{
			my $k = $self->spelled($c, $v);
			push @own, map { "$c $_ $k" } '=', @order;
		}
	}
	my @all = (@rare, @own);
	return shuffle(map { $all[$_] } grep { $_ % 10 == $self->{seed} % 10 } 0 .. $#all);
}

# the SQL of a tree
sub text
{
	my ($tree) = @_;
	return $tree unless ref $tree;
	my ($op, @args) = @$tree;
	@args = map { '(' . text($_) . ')' } @args;
	return join " $op ", @args if $op =~ /^(AND|OR|=|<>|IS DISTINCT FROM)$/ && @args > 1 || $op =~ /^(AND|OR)$/;
	return "NOT $args[0]" if $op eq 'NOT';
	return "CASE WHEN $args[0] THEN $args[1] ELSE $args[2] END" if $op eq 'CASE';
	return "coalesce($args[0], $args[1])" if $op eq 'COALESCE';
	return "$args[0] $op";
}

# trees with one part less
sub smaller
{
	my ($tree) = @_;
	return () unless ref $tree;
	my ($op, @args) = @$tree;
	my @less = @args;
	if ($op =~ /^(AND|OR)$/ && @args > 2)
	{
		push @less, map { my $i = $_; [ $op, @args[ grep { $_ != $i } 0 .. $#args ] ] } 0 .. $#args;
	}
	for my $i (0 .. $#args)
	{
		push @less, map { my @copy = @args; $copy[$i] = $_; [ $op, @copy ] } smaller($args[$i]);
	}
	return @less;
}

# ---------- the world ----------

# new(SEED, icu, citext): what the server has is told
sub new
{
	my ($class, $seed, %option) = @_;
	srand($seed);
	my $self = bless { seed => $seed, icu => $option{icu} }, $class;
	my %all = (%column, $option{icu} ? %icu_column : (), $option{citext} ? %citext_column : ());
	$self->{column} = { map { $_ => { %{ $all{$_} } } } keys %all };
	$self->{name} = [ sort keys %all ];
	$_->{cast} ||= $_->{type} for values %{ $self->{column} };
	$self->add_values;
	$self->{columns} = [ shuffle(@{ $self->{name} }) ];
	$self->{row_count} = pick(40, 120, 120, 250, 400);
	$self->{row} = [ map { $self->make_row } 1 .. $self->{row_count} ];
	$self->{analyze} = chance(0.5);
	$self->{zone} = [ some(2, 'UTC', 'Europe/Amsterdam', 'America/New_York', 'Asia/Kolkata', 'Pacific/Auckland') ];
	$self->{style} = [ some(2, 'ISO, MDY', 'SQL, DMY', 'German') ];
	$self->make_batches($option{cases} || 1000);
	return $self;
}

# further constants with their neighbours, for many distinct bounds
sub add_values
{
	my ($self) = @_;
	for my $c (qw(i b p n d t w))
	{
		my $column = $self->{column}{$c};
		my @more;
		for (1 .. pick(0, 3, 10, 40))
		{
			my $k = rnd($c eq 'p' ? 100 : 5000);
			push @more, $c eq 'w' ? join '.', map { pick('A', 'B', 'C', 'ab', 'é') } 0 .. $k % 5 : $c eq 'd' ? sprintf('%04d-%02d-%02d', 1990 + $k % 50, 1 + $k % 12, 1 + $k % 28) : $c eq 't' ? map { sprintf 'k%03d%s', $k / 10, $_ } '', 'a', 'ab' : ($k - 1, $k, $k + 1);
		}
		$column->{values} = [ @{ $column->{values} }, @more ];
	}
	return;
}

sub make_row
{
	my ($self) = @_;
	return { map { $_ => $self->{column}{$_}{later} || ($self->{column}{$_}{generated} || chance(0.15) ? undef : $self->raw($_)) } @{ $self->{name} } };
}

# a batch is a list of criteria and how they come into being
sub make_batches
{
	my ($self, $cases) = @_;
	my $made = 0;
	my @sweep = $self->sweep;
	while ($made < $cases)
	{
		my $size = pick(1, 5, 5, 60, 60, 60, 60, 1000, 1000);
		$size = $cases - $made if $size > $cases - $made;
		my @usable = grep { !$self->{column}{$_}{generated} || chance(0.2) } @{ $self->{name} };
		$self->{focus} = [ chance(0.5) ? @usable : some(pick(1, 2, 3, 6, 12), @usable) ];
		my @rules;
		for (1 .. $size)
		{
			push @rules, @sweep && chance(0.5) ? shift @sweep : @rules && chance(0.04) ? pick(@rules) : $self->criteria;
		}
		push @{ $self->{batch} }, { rules => \@rules, plan => pick(qw(rows rows rows rules rules defer steps steps)), chunks => pick(1, 1, 3, 7), update => chance(0.25), verify => chance(0.1), match => [ map { 1 + rnd($self->{row_count}) } 1 .. 3 ], shift => 1 + rnd(20), part => 2 + rnd(3) };
		$made += $size;
	}
	return;
}

# ---------- text for psql ----------

sub setup
{
	my ($self, @rows) = @_;
	@rows = 0 .. $self->{row_count} - 1 unless @rows;
	my @created = grep { !$self->{column}{$_}{later} } @{ $self->{columns} };
	my @written = grep { !$self->{column}{$_}{generated} } @created;
	my $junk = 0;
	my $sql = "SELECT shapes.clean();\nUPDATE territory.model SET time_zone = '$self->{zone}[0]', date_style = '$self->{style}[0]' WHERE state = 'active';\n"
	  . "SET TimeZone = '$self->{zone}[1]';\nSET DateStyle = '$self->{style}[1]';\nSET IntervalStyle = 'iso_8601';\nSET search_path = public, territory;\nSET jit = off;\nCREATE SCHEMA s;\n";
	$sql .= 'CREATE TABLE s.t (id int PRIMARY KEY' . join('', map { ($junk < 2 && $_ =~ /^[dtiw]$/ ? ', junk' . ++$junk . ' text' : '') . ", $_ $self->{column}{$_}{type}" } @created) . ");\n";
	$sql .= "ALTER TABLE s.t DROP COLUMN junk$_;\n" for 1 .. $junk;
	my $zoned = sub { my ($c, $raw) = @_; return $self->{column}{$c}{zoned} && $raw !~ /infinity/ ? "$raw+00" : $raw };
	$sql .= 'CREATE TABLE s.source AS SELECT id' . join('', map { ", $_" } @written) . " FROM s.t;\nINSERT INTO s.source (id, " . join(', ', @written) . ") VALUES\n" . join(",\n",
		map { my $row = $self->{row}[$_]; '(' . join(', ', $_ + 1, map { defined $row->{$_} ? quote($zoned->($_, $row->{$_})) : 'NULL' } @written) . ')' } @rows) . ";\n";
	$sql .= "SELECT shapes.attach();\n";
	$sql .= "SELECT shapes.fill(1);\n";
	# rows that are there already have no place for these
	$sql .= "ALTER TABLE s.t ADD COLUMN $_ $self->{column}{$_}{type} DEFAULT $self->{column}{$_}{later};\n" for grep { $self->{column}{$_}{later} } @{ $self->{columns} };
	$sql .= "ANALYZE s.t;\n" if $self->{analyze};
	return $sql;
}

sub batch_script
{
	my ($self, $number, @rules) = @_;
	my $batch = $self->{batch}[$number];
	my $all = $batch->{rules};
	@rules = 0 .. $#$all unless @rules;
	my $sql = "\\echo -- batch $number\nBEGIN;\nTRUNCATE shapes.rule;\nINSERT INTO shapes.rule (number, criteria) VALUES\n" . join(",\n", map { '(' . ($_ + 1) . ', ' . quote(text($all->[$_])) . ')' } @rules) . ";\nCOMMIT;\n";
	$sql .= "SELECT shapes.try('$batch->{plan}', $batch->{chunks}, $batch->{part}, " . ($batch->{update} ? $batch->{shift} : 'NULL') . ', ' . ($batch->{verify} ? 'true' : 'false') . ", '{" . join(',', @{ $batch->{match} }) . "}');\n";
	return $sql;
}

sub script
{
	my ($self) = @_;
	return $self->setup . join('', map { $self->batch_script($_) } 0 .. $#{ $self->{batch} }) . "\\echo -- end\n";
}

1;
