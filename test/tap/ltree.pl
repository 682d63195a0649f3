#!/usr/bin/env perl
# ltree.pl: random paths, patterns and label queries through contrib ltree and through territory; every answer is
# compared. What is asked are all operators and functions that ltree has on this server, found in its catalog, so that
# none is forgotten.
#
# LTREE_SEED  the random numbers to repeat (default: by the clock)      LTREE_ROWS  values (default 12000)
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use File::Temp qw(tempdir);
use Psql;
use Test::More;

# What differs on purpose, each entry with its reason: an expression for ltree and its answer, one for territory and its
# answer. Random values stay clear of these; README.md, "Coming from ltree", tells them to the user.
my @differences = (
	[ 'labels are any text, in quotes where they need them',
		[ q{'St. Louis'::ltree}, 'error' ], [ q{'"St. Louis".Île'::territory}, '"St. Louis".Île' ] ],
	[ 'a plain label may have spaces inside, in label queries too',
		[ q{'a b'::ltxtquery}, 'error' ], [ q{'New York.x'::territory @ 'New York & x'::label_query}, 'true' ] ],
	[ 'special characters of patterns need quotes, which ltree does not know',
		[ q{'"a*".b'::lquery}, 'error' ], [ q{'a*.b'::territory ~ '"a*".b'::pattern}, 'true' ] ],
	[ 'in % a space separates words as _ does, since labels may have some',
		[ q{'foo_bar'::ltree ~ 'bar_foo%'::lquery}, 'true' ], [ q{'foo bar'::territory ~ 'bar_foo%'::pattern}, 'true' ] ],
	[ 'NULL elements are passed over',
		[ q{'{a,NULL}'::ltree[] @> 'a.b'::ltree}, 'error' ], [ q{'{a,NULL}'::territory[] @> 'a.b'::territory}, 'true' ] ],
	[ 'arrays may have several dimensions',
		[ q{'{{a},{b}}'::ltree[] @> 'b.c'::ltree}, 'error' ], [ q{'{{a},{b}}'::territory[] @> 'b.c'::territory}, 'true' ] ],
	[ 'lca of a NULL element is NULL',
		[ q{lca('{a.b,NULL}'::ltree[])}, 'error' ], [ q{lca('{a.b,NULL}'::territory[])}, 'NULL' ] ],
	[ 'in any case means what lower() says, on every server even where that changes the number of bytes',
		[ q{'a'::ltree ~ 'A@'::lquery}, 'true' ], [ q{'Ⱥ'::territory ~ 'ⱥ@'::pattern}, 'true' ] ],
	[ 'a text cast, where ltree has functions',
		[ q{text2ltree('a.b')}, 'a.b' ], [ q{('a.' || 'b')::territory}, 'a.b' ] ],
);

my $seed = $ENV{LTREE_SEED} || time % 1_000_000_000;
my $rows = $ENV{LTREE_ROWS} || 12000;
my $database = 'territory_ltree';
my $folder = tempdir('ltree-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# ---------- random values ----------

sub one { return $_[ rand @_ ] }
sub maybe { my ($share) = @_; return rand() < $share }

my @labels;
sub random_label { return one(@labels) }
sub random_path { return map { random_label() } 1 .. int rand 13 }

# relative(LABELS): a path that has to do with another one
sub relative
{
	my @path = @_;
	my $how = int rand 7;
	return @path if $how == 0;
	return @path[ 0 .. int(rand(@path + 1)) - 1 ] if $how <= 2;
	return (@path, map { random_label() } 1 .. 1 + rand 2) if $how <= 4;
	return @path[ @path / 2 .. $#path ] if $how == 5;
	$path[ rand @path ] = random_label() if @path;
	return @path;
}

# flip_case(LABEL): the same in another case
sub flip_case { my ($label) = @_; return join '', map { maybe(0.5) ? uc : lc } split //, $label }

# term(LABEL): what matches the label, by any of the modifiers and their combinations
sub term
{
	my ($label) = @_;
	my ($case, $prefix, $words) = map { maybe(0.3) } 1 .. 3;
	if ($words)
	{
		my @words = grep { length } split /_/, $label;
		@words = reverse @words if maybe(0.5);
		pop @words if @words > 1 && maybe(0.5);
		@words = map { substr $_, 0, 1 + rand length } @words if $prefix;
		$label = join '_', @words if @words;
	}
	elsif ($prefix) { $label = substr $label, 0, 1 + rand length $label }
	$label = flip_case($label) if $case;
	my @modifiers = (('@') x !!$case, ('*') x !!$prefix, ('%') x !!$words);
	return join '', $label, maybe(0.5) ? reverse @modifiers : @modifiers;
}

# count_around(N): braces that allow n labels
sub count_around
{
	my ($n) = @_;
	return one("{$n}", "{$n,}", "{,$n}", sprintf('{%d,%d}', $n - int rand($n + 1), $n + int rand 3));
}

# item(N, LABELS): an item of a pattern that stands for all the labels
sub item
{
	my ($n, @path) = @_;
	my @terms;
	return one('*', '*' . count_around($n)) if $n == 0 || maybe(0.35);
	if (maybe(0.2) && !grep { $_ eq 'zz' } @path)
	{
		return $n == 1 ? '!zz' : '!zz' . count_around($n);
	}
	@terms = map { term($_) } @path;
	@terms = (@terms, random_label()) if maybe(0.2);
	return join('|', @terms) . ($n == 1 && maybe(0.7) ? '' : count_around($n));
}

# pattern(LABELS): a pattern that matches the path, or nearly
sub pattern
{
	my @path = @_;
	my @items;
	$path[ rand @path ] = random_label() if @path && maybe(0.4);
	pop @path if maybe(0.1);
	while (@path)
	{
		my $n = maybe(0.7) ? 1 : int rand 4;
		push @items, item($n > @path ? scalar @path : $n, splice @path, 0, $n);
	}
	push @items, '*' if !@items || maybe(0.1);
	return join '.', @items;
}

# label_query(DEPTH, LABELS): a condition on the labels of a path
sub label_query
{
	my ($depth, @path) = @_;
	my $query = maybe(0.6) && @path ? term(one(@path)) : term(random_label());
	for (1 .. int rand 3)
	{
		my $operand = $depth > 0 && maybe(0.4) ? '(' . label_query($depth - 1, @path) . ')' : term(maybe(0.5) && @path ? one(@path) : random_label());
		$query .= one('&', '|', ' & ', ' | ') . (maybe(0.25) ? '!' : '') . $operand;
	}
	return (maybe(0.25) ? one('!', '! ') : '') . $query;
}

# garbage(TEXT, TOKENS): a text, right or wrong: the given one with a change, or something new
sub garbage
{
	my ($text, @tokens) = @_;
	return join '', map { one(@tokens) } 1 .. 1 + rand 9 if maybe(0.5);
	substr $text, rand(1 + length $text), maybe(0.5), maybe(0.7) ? one(@tokens) : '';
	return $text;
}

sub path { return join '.', @_ }
sub array { return '{' . join(',', map { qq{"$_"} } @_) . '}' }

# load(SESSION, TABLE, COLUMNS, ROW...): rows as COPY takes them; there is nothing in them to be escaped
sub load
{
	my ($session, $table, @rows) = @_;
	open my $file, '>', "$folder/rows" or die "$folder/rows: $!";
	print $file map { join("\t", @$_) . "\n" } @rows;
	close $file;
	$session->do("\\copy $table FROM '$folder/rows'");
	return;
}

# ---------- questions ----------

# ask(SESSION, QUESTION): compares the answers to an expression of the columns of the tables "theirs" and "ours".
# QUESTION is {name, theirs, ours, raises}. Where an expression may raise an error, that is an answer too.
sub ask
{
	my ($session, $question) = @_;
	my %answer = map { $_ => "($question->{$_})::text" } 'theirs', 'ours';
	if ($question->{raises})
	{
		for my $side ('theirs', 'ours')
		{
			$session->do("CREATE OR REPLACE FUNCTION answer(r $side) RETURNS text LANGUAGE plpgsql AS
				\$\$BEGIN RETURN (SELECT $answer{$side} FROM (SELECT r.*) AS r); EXCEPTION WHEN $main::clean_error THEN RETURN 'error'; END\$\$");
			$answer{$side} = 'answer(r)';
		}
	}
	my $both = "SELECT i, l.answer AS theirs, t.answer AS ours FROM (SELECT i, $answer{theirs} AS answer FROM theirs AS r) AS l
		JOIN (SELECT i, $answer{ours} AS answer FROM ours AS r) AS t USING (i)";
	my $counts = $session->query("WITH both_answers AS MATERIALIZED ($both)
		SELECT count(*), count(*) FILTER (WHERE theirs IS DISTINCT FROM ours),
		       count(*) FILTER (WHERE theirs IS NOT NULL AND theirs NOT IN ('false', 'error', '-1')), count(*) FILTER (WHERE theirs = 'error'),
		       (SELECT string_agg(format(E'%s | %s | %s', theirs, ours, s), E'\\n')
		          FROM (SELECT * FROM both_answers WHERE theirs IS DISTINCT FROM ours LIMIT 5) AS d JOIN sample AS s USING (i))
		  FROM both_answers");
	my ($asked, $different, $positive, $errors, $report) = $counts =~ /^(\d+)\|(\d+)\|(\d+)\|(\d+)\|(.*)\z/s
	  or die "$question->{name}: $counts";
	return { asked => $asked, different => $different, positive => $positive, errors => $errors, report => $report };
}

# operators(SESSION): a question for each operator of ltree
sub operators
{
	my ($session) = @_;
	# a column for each type; the second one where both sides have the same
	my %column = ('ltree' => 'a', 'ltree[]' => 'many', lquery => 'p', 'lquery[]' => 'ps', ltxtquery => 'q', text => 't');
	my @questions;
	for my $line (split /\n/, $session->query(
		"SELECT o.oprname, format_type(oprleft, NULL), format_type(oprright, NULL), oprresult::regtype FROM pg_operator AS o
		  WHERE oprnamespace = 'ltree'::regnamespace ORDER BY 2, 3, 1"))
	{
		my ($name, $left, $right, $result) = split /(?<=.)\|(?=\w)/, $line;
		my $expression = "$column{$left} $name " . ($left eq $right ? 'b' : $column{$right});
		push @questions, { name => "$left $name $right", theirs => $expression, ours => $expression, boolean => $result eq 'boolean' };
	}
	return @questions;
}

# functions: a question for each function of ltree
sub functions
{
	my @scalars = 'a' .. 'h';
	my @same = ('nlevel(a)', 'index(a, b)', 'index(a, b, n)', 'index(a, c, n)', 'lca(many)', map { 'lca(' . join(', ', @scalars[ 0 .. $_ ]) . ')' } 1 .. 7);
	my @raising = ('subltree(a, n, m)', 'subltree(a, abs(n), abs(n) + m)', 'subpath(a, n)', 'subpath(a, n, m)', 'subpath(a, abs(n), m)');
	return (
		(map { { name => $_, theirs => $_, ours => $_ } } @same),
		(map { { name => $_, theirs => $_, ours => $_, raises => 1 } } @raising),
		{ name => 'ltree2text(a)', theirs => 'ltree2text(a)', ours => 'a' },
		{ name => 'text2ltree(t)', theirs => 'text2ltree(t)', ours => 't::territory' });
}

# ---------- the test ----------

Psql::fresh_database($database);
my $session = Psql->new($database, 'SET client_min_messages = warning');
my $created = $session->query('CREATE SCHEMA ltree; CREATE EXTENSION ltree SCHEMA ltree');
if ($created =~ /ERROR:\s*(.*)/)
{
	my $reason = $1;
	$session->close;
	system('dropdb', '--if-exists', $database);
	die "ltree was not created: $reason" unless $reason =~ /is not available|could not open extension control file/;
	plan skip_all => "ltree is not installed here: $reason";
}
diag("LTREE_SEED=$seed");
srand $seed;
my $hyphen = $session->query('SHOW server_version_num') >= 160000;   # since then ltree has labels with a hyphen
@labels = (qw(a b A B ab aB foo foo_bar Foo_Bar bar foo_bar_baz _ a_ _a a__b 1 12 zz), ('a-b', '-') x $hyphen);
our $clean_error = 'data_exception OR program_limit_exceeded OR syntax_error OR invalid_parameter_value OR name_too_long';

# one parse of an expression serves both: the types of the columns say whose operator or function is meant
$session->do('SET search_path = public, territory, ltree', 'SET jit = off',
	'CREATE TABLE sample (i int, a text, b text, c text, d text, e text, f text, g text, h text, t text, p text, ps text[], q text, many text[], n int, m int)');
load($session, 'sample', map {
		my @a = random_path();
		[ $_, path(@a), (map { path(maybe(0.8) ? relative(@a) : random_path()) } 'b' .. 'h', 't'),
			pattern(@a), array(map { pattern(maybe(0.5) ? @a : random_path()) } 1 .. rand 4), label_query(2, @a),
			array(map { path(maybe(0.6) ? relative(@a) : random_path()) } 1 .. rand 5), int(rand 17) - 8, int(rand 17) - 6 ]
	} 1 .. $rows);
for my $side ([ 'theirs', qw(ltree lquery ltxtquery) ], [ 'ours', qw(territory pattern label_query) ])
{
	my ($table, $path, $pattern, $query) = @$side;
	$session->do("CREATE TABLE $table AS SELECT i, " . join(', ', map { "$_\::$path" } 'a' .. 'h')
		. ", t, p::$pattern, ps::$pattern\[], q::$query, many::$path\[], n, m FROM sample", "ANALYZE $table");
}

my @questions = (operators($session), functions());
my $compared = 0;
for my $question (@questions)
{
	my $answer = ask($session, $question);
	my $share = $answer->{positive} / $answer->{asked};
	$compared += $answer->{asked};
	is($answer->{different}, 0, sprintf '%s: %d answers are the same; %.0f %% are true or a value', $question->{name}, $answer->{asked}, 100 * $share)
	  or diag("ltree | territory | sample (LTREE_SEED=$seed):\n$answer->{report}");
	ok($share > 0.05 && (!$question->{boolean} || $share < 0.95), "$question->{name}: the answers are mixed") or diag(sprintf '%.3f', $share);
	ok($answer->{errors} > 0.05 * $answer->{asked}, "$question->{name}: errors are among them") if $question->{raises};
}

# nothing of ltree was left out
is($session->query(
	"SELECT string_agg(DISTINCT proname, ' ' ORDER BY proname) FROM pg_proc AS p
	  WHERE pronamespace = 'ltree'::regnamespace AND p.oid NOT IN (SELECT oprcode FROM pg_operator)
	    AND 'internal'::regtype <> ALL (proargtypes) AND proname !~ '_(in|out|recv|send|cmp)\$|^hash_'"),
	'index lca ltree2text nlevel subltree subpath text2ltree', 'all functions of ltree are asked');

# order, grouping and joins
sub same_for_both
{
	my ($name, $query) = @_;
	my ($theirs, $ours) = map { $session->query($query =~ s/\bTABLE\b/$_/gr) } 'theirs', 'ours';
	$compared += $rows;
	ok($theirs eq $ours && $theirs =~ /\S/, $name) or diag("LTREE_SEED=$seed, $query\n$theirs\n$ours");
}
$session->do('CREATE FUNCTION md5_of(text[]) RETURNS text LANGUAGE sql AS $$SELECT md5(array_to_string($1, E\'\n\'))$$');
same_for_both('ORDER BY', 'SELECT md5_of(array_agg(i::text ORDER BY a, i)), md5_of(array_agg(a::text ORDER BY a DESC)) FROM TABLE');
same_for_both('GROUP BY', 'SELECT md5_of(array_agg(format(\'%s %s\', a, n) ORDER BY a)), sum(n * n) FROM (SELECT a, count(*) AS n FROM TABLE GROUP BY a) AS g');
same_for_both('DISTINCT', 'SELECT count(*), md5_of(array_agg(b::text ORDER BY b)) FROM (SELECT DISTINCT b FROM TABLE) AS d');
for my $off ('enable_mergejoin', 'enable_hashjoin')
{
	$session->do("SET $off = off");
	same_for_both("a join with $off = off", 'SELECT count(*), sum(x.i::bigint * y.i) FROM TABLE AS x JOIN TABLE AS y ON x.a = y.b');
	$session->do("RESET $off");
}

# texts that may be wrong: both accept the same, and what both accept means the same
my %grammar = (
	path => [ 'ltree', 'territory', sub { path(random_path()) }, [ qw(a b A 1 _ . .), ('-') x $hyphen ], qr/^$/, '<=' ],
	# a comma that no brace is open for is a character of a label to territory
	pattern => [ 'lquery', 'pattern', sub { pattern(random_path()) }, [ split ' ', 'a b A 1 _ . . . * * | ! @ % , { } {1} {2} {1,2} {,2} {1,} {,} {2,1} {65535} {65536} {a}' ],
		qr/(?:^|\})[^{]*,/, '~' ],
	# and so is a space inside of one
	'label query' => [ 'ltxtquery', 'label_query', sub { label_query(2, random_path()) }, [ split(' ', 'a b A 1 _ & & | | ! ( ) ( ) @ % * .'), ' ' ], qr/[\w-] +[\w-]/, '@' ],
);
for my $name (sort keys %grammar)
{
	my ($theirs, $ours, $right, $tokens, $known, $use) = @{ $grammar{$name} };
	my @inputs = grep { !/$known/ } map { garbage($right->(), @$tokens) } 1 .. 3 * $rows;
	$session->do('DROP TABLE IF EXISTS garbage', 'CREATE TABLE garbage (number int, input text, theirs boolean, ours boolean)');
	load($session, 'garbage (number, input)', map { [ $_, $inputs[$_] ] } 0 .. $#inputs);
	for my $side ([ 'theirs', $theirs ], [ 'ours', $ours ])
	{
		my ($column, $type) = @$side;
		$session->do("CREATE OR REPLACE FUNCTION accepts(text) RETURNS boolean LANGUAGE plpgsql AS
			\$\$BEGIN PERFORM \$1::$type; RETURN true; EXCEPTION WHEN $clean_error THEN RETURN false; END\$\$", "UPDATE garbage SET $column = accepts(input)");
	}
	my ($tried, $accepted) = split /\|/, $session->query('SELECT count(*), count(*) FILTER (WHERE theirs) FROM garbage');
	$compared += $tried;
	is($session->query('SELECT theirs, ours, input FROM garbage WHERE theirs <> ours ORDER BY length(input), input LIMIT 20'), '', "$name: the same of $tried texts are accepted");
	cmp_ok(abs($accepted / $tried - 0.5), '<', 0.4, "$name: $accepted of them are right");
	is($session->query("SELECT input, l.a FROM garbage JOIN theirs AS l ON i = 1 + number % $rows JOIN ours AS o USING (i)
		WHERE garbage.theirs AND garbage.ours AND (input::$theirs $use l.a) <> (input::$ours $use o.a) LIMIT 20"), '', "$name: and they mean the same");
}

# the differences are as they are told
$session->do("CREATE FUNCTION outcome(expression text) RETURNS text LANGUAGE plpgsql AS
	\$\$DECLARE answer text; BEGIN EXECUTE format('SELECT (%s)::text', expression) INTO answer; RETURN coalesce(answer, 'NULL');
	EXCEPTION WHEN $clean_error OR null_value_not_allowed THEN RETURN 'error'; END\$\$");
for my $difference (@differences)
{
	my ($reason, @sides) = @$difference;
	is($session->query("SELECT outcome(\$_\$$_->[0]\$_\$)"), $_->[1], "$reason: $_->[0]") for @sides;
}

diag("$compared comparisons");
cmp_ok($compared, '>', 60 * $rows, 'hundreds of comparisons for each value');
$session->close;
system('dropdb', '--if-exists', '--force', $database);
done_testing();
