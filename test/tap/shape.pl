#!/usr/bin/perl
# Criteria that are read by their shape (src/rule/shape.c) are read as the parser reads them. The setting
# territory.check_shapes makes the server do both and compare the trees; a message of level debug1 tells how many it read
# by their shape, so that the comparison is known to have taken place.
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin, "$FindBin::Bin/../oracle";
use Psql;
use World;
use Test::More;

my $db = 'territory_shape';
my $seed = $ENV{TERRITORY_SEED} // time % 1_000_000;
note "TERRITORY_SEED=$seed";
Psql::fresh_database($db);

# ---- criteria made by hand, as they might stand in the column expression: [how many are read by their shape, texts]
my $one = Psql->new($db);
$one->do(<<'SQL', 'SET territory.check_shapes = on', 'SET territory.defer_runs = on');
CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
CREATE DOMAIN small AS int CHECK (VALUE < 1000);
CREATE FUNCTION twice(int) RETURNS int LANGUAGE sql IMMUTABLE RETURN $1 * 2;
CREATE TABLE t (id int PRIMARY KEY, t text, i int, b bigint, n numeric(10, 2), f bool, d date, z timestamptz, s timestamp,
  v varchar(10), c char(4), e mood, small small, a text[], ia int[], j jsonb, x float8, iv interval, bits bit(8), "q'1" text,
  w territory.territory);
INSERT INTO t (id) VALUES (1);
DO $$BEGIN PERFORM territory.attach('t'); END$$;
INSERT INTO territory.node (path) VALUES ('A');
SQL
my $version = $one->query('SHOW server_version_num');

# the rules with these texts as expressions, derived from nothing: as a restore writes them
sub put
{
	my (@texts) = @_;
	my $values = join ', ', map { my $text = $_; "(1, 'public.t', 'true', \$here\$$text\$here\$)" } @texts;
	$one->do('DELETE FROM territory.rule', 'SET check_function_bodies = off', "SELECT set_config('search_path', '', false)",
		"INSERT INTO territory.rule (node_id, object, criteria, expression) VALUES $values",
		'RESET search_path', 'RESET check_function_bodies');
	return;
}

# compiled(SESSION, TABLE [, LEVEL]): what is said when the rules are compiled
sub compiled
{
	my ($session, $table, $level) = @_;
	$level ||= 'debug1';
	my $answer = $session->query("SET client_min_messages = $level; SELECT count(*) > -1"
		  . " FROM territory.match('$table', (SELECT r FROM $table AS r WHERE i IS NULL LIMIT 1)); RESET client_min_messages");
	return join "\n", grep { !/^DEBUG:  (?!\d+ of)/ } split /\n/, $answer;
}

# series(PATTERN, VALUES...): the pattern with each value in the place of ?
sub series { my ($pattern, @values) = @_; return map { $pattern =~ s/\?/$_/gr } @values }

my @groups = (
	# strings
	[ 2, series('(t = ?::text)', "'a'", "'b''c'", "''", "'Île \"x\"'") ],
	[ 2, series('(t = ?::text)', "E'a\\\\b'", "E'c\\\\\\\\d''e'", "'x'", "e'y'") ],
	[ 0, series('(t = ?::text)', "E'a\\tb'", "E'\\x41'", "E'\\'q'") ],
	[ 0, series('(t = ?)', "'a\\b'", "'c\\d'", "'e\\\\'") ],
	[ 0, series('(t = ?)', "U&'d\\0061'", "U&'d\\0062'", "u&'x'") ],
	[ 0, series('(U&"t" = ?)', "'a'", "'b'", "'c'") ],
	[ 0, series('(t = ?)', '$$a$$', '$q$a$q$', '$$b$$') ],
	[ 0, series('(t = ?)', "'a'\n  'b'", "'c'\n 'd'", "'e' \n'f'") ],
	[ 0, series('(t = N?)', "'a'", "'b'", "'c'") ],
	[ 0, series('(t = ?) -- a remark', "'a'", "'b'", "'c'") ],
	[ 0, series("(t = /* 'x' */ ?)", "'a'", "'b'", "'c'") ],
	[ 1, series('("q\'1" = ? AND i = 1)', "'a'", "'1'", "'''s'") ],
	[ 1, series('(t.t = ?)', "'t.t'", "'AND'", "'?'") ],
	# numbers
	[ 2, series('(i = ?)', 5, 2147483647, 0, 12) ],
	[ 1, series('(i = ?)', '007', '08', '0000000000009') ],
	[ 1, series('(i = ?)', 2147483648, 9223372036854775807, 3000000000) ],
	[ 1, series('(n = ?)', '9223372036854775808', '99999999999999999999', '123456789012345678901.5') ],
	[ 1, series('(n > ?)', '1.5', '2.50', '1e5') ],
	[ 1, series('(n > ?)', '1.5e-3', '2E+10', '0.0') ],
	[ 0, '(i = 1)', '(i = 2147483648)', '(i = 1.0)', '(i = 9223372036854775808::float8)' ],
	[ 0, series('(n > ?)', '.5', '.25', '.125') ],
	[ 0, series('(n > ?)', '1.', '2.', '3.') ],
	[ 0, series('(i = ?)', -5, -6, -7) ],
	[ 1, series('(i = ?)', -5, -5, -5) ],
	[ 0, series('(i = - (?))', 5, 6, 7) ],
	[ 0, series('(b = ?)', -2147483648, -2147483649, -9223372036854775808) ],
	[ 1, series('(i - ? > 1)', 5, 6, 7) ],
	[ 1, series('(i-? > 1)', 5, 6, 7) ],
	[ 1, series('(i = +?)', 5, 6, 7) ],
	[ 1, series('(i = (?)::bigint)', 5, 6, 7) ],
	[ 1, series('(x > (?)::double precision)', 5, 6, 7) ],
	[ 1, series('(n >= (?)::numeric)', 5, 600, 70000) ],
	[ 0, series('(bits = ?)', "B'00000101'", "B'1'", "x'1F'") ],
	# where the grammar wants a literal
	[ 0, series("(n = '1.5'::numeric(?,2))", 5, 6, 7) ],
	[ 0, series("(n = ?::numeric(5,2))", "'1.234'", "'2'", "'3.5'") ],
	[ 1, series("(v = ?::varchar(3))", "'abcd'", "'abcd'", "'abcd'") ],
	[ 0, series("(v = ?::varchar(3))", "'abcd'", "'x'", "'yz'") ],
	[ 1, series("(c = ?::char(4))", "'abcde'", "'x'", "'yz'") ],
	[ 1, series("(iv = interval ? day)", "'1'", "'2'", "'30'") ],
	[ 1, series('(iv = make_interval(?))', 1, 2, 3) ],	# with arguments by default
	[ 0, series('(iv = make_interval(days => ?))', 1, 2, 3) ],
	[ 1, series("(iv = interval(0) ?)", "'1.7 s'", "'2'", "'3 days'") ],
	[ 1, series("(iv = ?::interval)", "'1 day'", "'02:00'", "'1 mon -3 days'") ],
	# types
	[ 1, series('(a = ?::text[])', "'{a,b}'", "'{}'", "'{NULL,\"x y\"}'") ],
	[ 1, series('(t = ANY (?::text[]))', "'{a,b}'", "'{}'", "'{NULL,\"x y\"}'") ],
	[ 1, series('(z = ?::timestamp with time zone)', "'2020-01-01 00:00:00+00'", "'2020-07-01 12:00'", "'infinity'") ],
	[ 1, series('(z > ?::timestamp)', "'2020-01-01'", "'2020-07-01 12:00'", "'-infinity'") ],
	[ 3, series('(z > ?::timestamptz)', "'now'", "'today'", "'yesterday'", "'tomorrow'", "'epoch'") ],
	[ 1, series('(d = date ?)', "'2020-01-01'", "'01/02/2020'", "'today'") ],
	[ 0, series('(s = timestamp(0) ?)', "'2020-01-01 00:00:00.7'", "'2020-01-02'", "'2020-01-03'") ],
	[ 1, series('(e = ?::public.mood)', "'sad'", "'ok'", "'happy'") ],
	[ 1, series('(small = ?)', 5, 6, 7) ],
	[ 0, series('(i = (?)::public.small)', 5, 6, 7) ],
	[ 0, series('(i = ?::public.small)', "'5'", "'6'", "'7'") ],
	[ 1, series('((i)::oid = (?::regclass)::oid)', "'pg_class'", "'pg_type'", "'1247'") ],
	[ 0, series('(f = ?::boolean)', "'t'", "'false'", "'on'") ],
	[ 1, series('(j @> ?::jsonb)', "'{\"a\":1}'", "'[]'", "'null'") ],
	[ 1, series("((j ->> ?::text) = 'x'::text)", "'a'", "'b'", "'c'") ],
	[ 0, series('(w OPERATOR(territory.<@) ?::territory.territory)', "'A'", "'A.B'", "''") ],
	[ 1, series('(w OPERATOR(territory.<@) ?::territory.territory)', "'A'", "'A'", "'A'") ],
	[ 1, series('((w OPERATOR(territory.<@) \'A\'::territory.territory) AND (t = ?))', "'A'", "'B'", "'C'") ],
	[ 1, series('(w OPERATOR(territory.=) ?::territory.territory)', "'A'", "'A.B'", "''") ],
	# expressions
	[ 1, '((i, b) = (1, 2))', '((i, b) = (3, 4))', '((i, b) = (5, 5))' ],
	[ 0, '((i, b) < (1, 2))', '((i, b) < (3, 4))', '((i, b) < (5, 5))' ],
	[ 0, series('(CASE WHEN (i = ?) THEN true ELSE false END)', 1, 2, 3) ],
	[ 0, series('(CASE ? WHEN 1 THEN f ELSE false END)', 1, 2, 3) ],
	[ 1, series('(COALESCE(i, 0) = ?)', 1, 2, 3) ],
	[ 0, series('(COALESCE(i, ?) = 1)', 1, 2, 3) ],
	[ 0, series('(COALESCE(?, i) = 1)', 1, 2, 3) ],
	[ 0, series('(GREATEST(i, ?) = 1)', 1, 2, 3) ],
	[ 0, series('(NULLIF(i, ?) IS NULL)', 1, 2, 3) ],
	[ 1, 'i BETWEEN 1 AND 5', 'i BETWEEN 5 AND 1', 'i BETWEEN 7 AND 8' ],
	[ 0, 'i BETWEEN SYMMETRIC 1 AND 5', 'i BETWEEN SYMMETRIC 5 AND 1', 'i BETWEEN SYMMETRIC 7 AND 8' ],
	[ 1, 'i + 1 BETWEEN 1 AND 5', 'i + 1 BETWEEN 5 AND 1', 'i + 1 BETWEEN 7 AND 8' ],
	[ 0, 'i + 1 BETWEEN 1 AND 5', 'i + 2 BETWEEN 5 AND 1', 'i + 3 BETWEEN 7 AND 8' ],
	[ 1, series('(i IS DISTINCT FROM ?)', 1, 2, 3) ],
	[ 1, series('(i IS NOT DISTINCT FROM ?)', 1, 2, 3) ],
	[ 1, series('((i = ?) IS NOT TRUE)', 1, 2, 3) ],
	[ 1, series('(t LIKE ?)', "'a%'", "'%'", "'_b'") ],
	[ 1, series("(t LIKE ? ESCAPE '!')", "'a%'", "'!%'", "'_b'") ],
	[ 1, series('(t SIMILAR TO ?)', "'a%'", "'(a|b)'", "'_b'") ],
	[ 1, series('(t ~* ?)', "'^a'", "'(a|b)'", "'b\$'") ],
	[ 1, series('((t COLLATE "C") = ?)', "'a'", "'b'", "'c'") ],
	[ 1, series('(t = ? COLLATE "C")', "'a'", "'b'", "'c'") ],
	[ 1, series('(t > (? COLLATE "POSIX"))', "'a'", "'b'", "'c'") ],
	[ 1, series("(t = ? || 'x')", "'a'", "'b'", "'c'") ],
	[ 1, series('(i IN (?))', '1, 2', '3, 3', '5, 6') ],
	[ 1, series('(i = ANY (ARRAY[?]))', '1, 2', '3, 3', '5, 6') ],
	[ 1, series('(n = ANY (ARRAY[?]))', '1, 2.5', '3, 3.0', '5, 1e1') ],
	[ 1, series('(n = ANY (ARRAY[(?)::numeric, NULL]))', 1, 2, 3) ],
	[ 1, series('(i = ANY (ARRAY[b, ?]))', 1, 2, 3) ],
	[ 1, series('(ia = ARRAY[[1, ?], [3, 4]])', 1, 2, 3) ],
	[ 1, series('(i <> ALL (ARRAY[?]))', map { my $k = $_; join ', ', map { $_ * $k } 1 .. 2000 } 1 .. 3) ],
	[ 1, series('(t = ANY (ARRAY[?]))', map { my $k = $_; join ', ', map { "'$_ $k'::text" } 1 .. 2000 } 1 .. 3) ],
	[ 1, series("(a[?] = 'x')", 1, 2, 3) ],
	[ 1, series("('{1,2,3}'::int[])[?] = i", 1, 2, 3) ],
	[ 1, series("(t = substring('abc' from ?))", "'a'", "'b'", "'z'", "'c'") ],	# no match: NULL
	[ 1, series('(i > (10 / ?))', 2, 5, 1) ],
	[ 0, series('(i = public.twice(?))', 2, 5, 1) ],
	[ 1, series('(public.twice(i) = ?)', 2, 5, 1) ],
	[ 1, series('(num_nulls(i, ?) = 1)', "'a'", "'b'", "'c'") ],
	[ 1, series('(d > (CURRENT_DATE - ?))', 30, 60, 90) ],
	[ 1, series('(z > (now() - ?::interval))', "'30 days'", "'1 mon'", "'1 year'") ],
	[ 1, series('(EXTRACT(year FROM d) = (?)::numeric)', 2020, 2021, 2022) ],
	[ 1, series("((z AT TIME ZONE ?) > '2020-01-01')", "'UTC'", "'Asia/Tokyo'", "'Europe/Paris'") ],
	[ 1, series('(i::text = ?)', "'1'", "'2'", "'3'") ],
	[ 1, series("(t = ((?)::text))", 1, 2, 3) ],
	# what is never evaluated raises no error
	[ 0, series('(false AND (i > (? / 0)))', 1, 2, 3) ],
	[ 0, series('(((t = NULL) IS TRUE) AND (i > (? / 0)))', 1, 2, 3) ],
	[ 0, series('(true OR (i > (? / 0)))', 1, 2, 3) ],
	# constants that say all
	[ 0, series('(? = 1)', 1, 2, 3) ],
	[ 0, series('((i = 1) OR (? > 1))', 1, 2, 3) ],
	[ 0, series("((i = 1) AND ?::bool)", "'t'", "'f'", "'1'") ],
	[ 1, 'true', 'true', 'true' ],
);
push @groups, [ 0, series('(i = ?)', '0x1F', '0b11', '1_000') ] if $version >= 160000;

for my $conforming ('on', 'off')
{
	$one->do("SET standard_conforming_strings = $conforming; SET escape_string_warning = off");
	my @sensible = grep { $conforming eq 'on' || $_->[1] !~ /U&'/ } @groups;	# which off refuses
	for my $group (@sensible)
	{
		my ($alike, @texts) = @$group;
		put(@texts);
		my $answer = compiled($one, 't');
		my $name = "standard_conforming_strings $conforming: $texts[0]";
		like($answer, qr/^DEBUG:  $alike of ${\scalar @texts} criteria read by their shape$/m, substr($name, 0, 100));
		unlike($answer, qr/ERROR/, '... without an error');
	}
	# all of them at once
	put(map { my ($alike, @texts) = @$_; @texts } @sensible);
	like(compiled($one, 't'), qr/^DEBUG:  \d+ of \d+ criteria read by their shape\nt$/m, "standard_conforming_strings $conforming: all at once");
	$one->do('RESET standard_conforming_strings');
}

# ---- errors say the same, at the same place
$one->query('\set VERBOSITY default');
$one->query('\set SHOW_CONTEXT always');
my @errors = (
	[ "(i = ?::integer)", "'1'", "'2'", "'x'" ],
	[ "(i = 1 AND t = 'é' AND z < ?::timestamptz)", "'2020-01-01'", "'2020-02-01'", "'2020-13-01'" ],
	[ '(e = ?::public.mood)', "'sad'", "'ok'", "'gone'" ],
	[ '(a = ?::text[])', "'{}'", "'{a}'", "'{a'" ],
	[ '((i)::oid = (?::regclass)::oid)', "'pg_class'", "'pg_type'", "'pg_nothing'" ],
	[ '(i > (10 / ?))', 1, 2, 0 ],
	[ '(i = (?)::smallint)', 1, 2, 70000 ],
	[ '(w OPERATOR(territory.=) ?::territory.territory)', "'A'", "'B'", "'A..B'" ],
);
for my $error (@errors)
{
	my ($pattern, @values) = @$error;
	my @texts = series($pattern, @values);
	put($texts[-1]);
	my $alone = compiled($one, 't', 'notice') =~ s/rule \d+ of/rule of/r;
	put(@texts);
	my $third = compiled($one, 't', 'notice') =~ s/rule \d+ of/rule of/r;
	like($third, qr/^ERROR:.*rule of table territory\.rule/s, "an error: $texts[-1]");
	is($third, $alone, '... is that of the parser');
}
$one->close;

# ---- random criteria, as written and resolved
my @columns = qw(i b t n f d a v h x z c j w g parent);
my $world;
do { $world = World->new($seed++) } while $world->{ordinary} || $world->{two};
my $two = Psql->new($db);
$two->query('SET client_min_messages = warning');
$two->query("\\i '$FindBin::Bin/../oracle/oracle.sql'");
$two->query($_) for @{ $world->{setup} };
my $table = $world->{table}[0]{name};
srand $seed;
$two->do('SET territory.defer_runs = on', 'SET territory.check_shapes = on', "DELETE FROM territory.rule",
	"INSERT INTO $table ($world->{table}[0]{key}, part) SELECT " . $world->{table}[0]{keyof}->(99) . ', 1');
my $insert = "INSERT INTO territory.rule (node_id, object, criteria) VALUES (1, '$table', \$here\$?\$here\$);\n";

# other_values(CRITERIA): with other literals; the result may be no criteria
my %other = (NL => 'BE', BE => 'DE', DE => 'nl', nl => 'NL ', x => 'y', A => 'A.B', 'A.B' => 'B');
sub other_values
{
	my ($criteria) = @_;
	my $strings = join '|', map { quotemeta } sort { length $b <=> length $a } keys %other;
	return $criteria =~ s/'($strings)'/'$other{$1}'/gr =~ s/2024-01-0([1-4])/"2024-01-0" . (1 + $1 % 4)/ger =~ s/(?<![\w.'-])([0-6])(?![\w.'-])/($1 + 1) % 7/ger;
}
my ($sum_alike, $sum) = (0, 0);
for my $round (1 .. ($ENV{SHAPE_ROUNDS} || 6))
{
	my ($same, $other) = ('', '');
	for (1 .. 200)
	{
		my $criteria = World::criteria(\@columns, $round % 3);
		$same .= ($insert =~ s/\?/$criteria/r) x 2;
		$other .= $insert =~ s/\?/other_values($criteria)/er;
	}
	is($two->query("DELETE FROM territory.rule;\n$same"), '', "round $round: the rules are written");
	$two->query($other);
	my $answer = compiled($two, $table);
	like($answer, qr/^DEBUG:  (\d+) of (\d+) criteria read by their shape\nt$/m, "round $round: they are read alike");
	my ($alike, $count) = $answer =~ /^DEBUG:  (\d+) of (\d+) criteria/m;
	$sum_alike += $alike // 0;
	$sum += $count // 0;
}
cmp_ok($sum_alike, '>', $sum / 8, "$sum_alike of $sum by their shape");
$two->close;
done_testing;
