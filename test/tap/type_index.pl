#!/usr/bin/env perl
# type_index.pl: random paths and arrays of paths, asked by every operator through every kind of index that can answer
# it, by parallel plans and by joins; each answer is compared with that of a plain scan of the table. Then what indexes
# and joins rest on: the order, the hashes, the binary form.
#
# TYPE_INDEX_SEED  the random numbers to repeat (default: by the clock)
# TYPE_INDEX_ROWS  rows of each table (default 3000)     TYPE_INDEX_ARGUMENTS  of each operator (default 30)
use strict;
use warnings;
use utf8;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use File::Temp qw(tempdir);
use Psql;
use Test::More;

my $seed = $ENV{TYPE_INDEX_SEED} || time % 1_000_000_000;
my $rows = $ENV{TYPE_INDEX_ROWS} || 3000;
my $arguments = $ENV{TYPE_INDEX_ARGUMENTS} || 30;
my $database = 'territory_type_index';
my $folder = tempdir('type-index-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $session;

# ---------- random values, as lists of labels ----------

sub one { return $_[ rand @_ ] }
sub maybe { my ($share) = @_; return rand() < $share }

# Few labels, so that paths have something in common, among them: what is next to the bounds of searches, such as the
# last ASCII characters; what has to be quoted; what GIN keys, which are 512 bytes long at the most, keep a part of
my @long = map { 'x' x $_ } 511 .. 514;
my @labels = ((qw(a b c d)) x 4, qw(ab aB A foo_bar bar foo bar_foo), 'foo bar', 'St. Louis', 'É', 'é', '日本', '日', '😀', 'a~', 'a~b', '~', '~~', '}',
	"a\x7f", "a\x01", "\x{10fffd}", '*', 'a*', '!', '"', @long, map { ($_ . 'é', $_ . 'y.z') } @long[ 0, 1 ]);

sub random_path { return map { one(@labels) } 1 .. (maybe(0.02) ? 60 : int rand 5) }

sub relative
{
	my @path = @_;
	my $how = int rand 5;
	return @path[ 0 .. int(rand(@path + 1)) - 1 ] if $how <= 1;
	return (@path, one(@labels)) if $how == 2;
	$path[ rand @path ] = one(@labels) if $how == 3 && @path;
	return @path;
}

# ---------- as texts ----------

sub label { my ($label) = @_; return $label if $label =~ /^\w+\z/a; return '"' . $label =~ s/"/""/gr . '"' }
sub path { return join '.', map { label($_) } @_ }

# term(LABEL): a term of a pattern or a label query that the label matches
sub term
{
	my ($label) = @_;
	my $how = int rand 10;
	return label(substr $label, 0, 1 + rand length $label) . '*' if $how <= 2;
	return label(maybe(0.5) ? uc $label : lc $label) . one('@', '*@') if $how == 3;
	return label(one(grep { length } split(/[_ ]/, $label), $label)) . '%' if $how == 4;
	return label($label);
}

sub item
{
	my ($label) = @_;
	my $how = int rand 12;
	return '*' if $how == 0;
	return one('*{1}', '*{,2}', '*{1,}', '*{1,3}') if $how == 1;
	return term($label) . '|' . term(one(@labels)) if $how == 2;
	return '!' . term(one(@labels)) if $how == 3;
	return term($label) . one('{1}', '{,2}', '{1,}', '{0,}') if $how == 4;
	return $how <= 8 ? label($label) : term($label);
}

sub pattern
{
	my @path = relative(@_);
	my @items = maybe(0.5) ? map { label($_) } @path : map { item($_) } @path;
	push @items, one('*', '*{1,}', '*{2,}', '*{,1}') if !@items || maybe(0.5);
	unshift @items, '*' if maybe(0.15);
	return join '.', @items;
}

sub label_query
{
	my @path = @_;
	my $query = (maybe(0.15) ? '!' : '') . (maybe(0.1) ? label(one(@long)) : term(maybe(0.7) && @path ? one(@path) : one(@labels)));
	return $query if maybe(0.4);
	return "$query " . one('&', '|') . ' ' . (maybe(0.3) ? (maybe(0.3) ? '!' : '') . '(' . label_query(@path) . ')' : label_query(@path));
}

sub array { return '{' . join(',', map { defined $_ ? '"' . s/(["\\])/\\$1/gr . '"' : 'NULL' } @_) . '}' }
sub random_array { my ($paths) = @_; return array(map { maybe(0.1) ? undef : path(relative(@{ one(@$paths) })) } 1 .. rand 5) }
sub literal { my ($text) = @_; return "'" . $text =~ s/'/''/gr . "'" }

# load(TABLE, ROW...): rows of a table from lists of texts
sub load
{
	my ($table, @rows) = @_;
	open my $file, '>:encoding(UTF-8)', "$folder/rows" or die "$folder/rows: $!";
	for my $row (@rows)
	{
		print $file join("\t", map { defined $_ ? s/([\\\t\n])/\\$1/gr : '\N' } @$row), "\n";
	}
	close $file;
	$session->do("\\copy $table FROM '$folder/rows'");
	return;
}

# ---------- questions ----------

# What an operator is asked: the condition, with the argument for "?", the one that no index answers, and the argument
my %argument = (
	path => sub { literal(path(relative(@_))) . '::territory' },
	pattern => sub { literal(pattern(@_)) . '::pattern' },
	query => sub { literal(label_query(@_)) . '::label_query' },
	patterns => sub { my @path = @_; literal(array(map { maybe(0.1) ? undef : pattern(@path) } 1 .. rand 4)) . '::pattern[]' },
	paths => sub { my @path = @_; literal(random_array([ \@path, [], [ 'a' ] ])) . '::territory[]' },
	text_path => sub { literal(path(relative(@_))) . '::text' },
);
my %operators = (
	place => [
		(map { [ "path $_ ?", "territory_cmp(path, ?) $_ 0", 'path' ] } qw(= < <= > >=)),
		[ 'path = ANY (?)', 'path IS NOT NULL AND array_position(?, path) > 0', 'paths' ],
		[ 'path <@ ?', 'path ^<@ ?', 'path' ], [ '? @> path', '? ^@> path', 'path' ], [ 'path <@ ?', 'path ^<@ ?::territory', 'text_path' ],
		[ 'path @> ?', 'path ^@> ?', 'path' ], [ '? <@ path', '? ^<@ path', 'path' ], [ 'path @> ?', 'path ^@> ?::territory', 'text_path' ],
		[ 'is_ancestor(?, path)', '? ^@> path', 'path' ], [ 'is_ancestor(path, ?)', 'path ^@> ?', 'path' ],
		[ 'path ~ ?', 'path ^~ ?', 'pattern' ], [ '? ~ path', '? ^~ path', 'pattern' ],
		[ 'path @ ?', 'path ^@ ?', 'query' ], [ '? @ path', '? ^@ path', 'query' ],
		[ 'path ?? ?', 'path ^?? ?', 'patterns' ], [ '? ?? path', '? ^?? path', 'patterns' ],
	],
	crowd => [
		(map { [ "paths $_ ?", "paths $_ ?", 'paths' ] } qw(&& @> <@ =)),
		(map { [ "paths $_->[0] ?", "paths ^$_->[0] ?", $_->[1] ], [ "? $_->[2] paths", "? ^$_->[2] paths", $_->[1] ] }
			[ '@>', 'path', '<@' ], [ '<@', 'path', '@>' ], [ '~', 'pattern', '~' ], [ '@', 'query', '@' ], [ '??', 'patterns', '??' ]),
	]);

# fill_in(CONDITION, ARGUMENT): "?" stands for the argument and "??" for the operator ?
sub fill_in { my ($condition, $argument) = @_; return $condition =~ s/(\?\??)/$1 eq '?' ? $argument : '?'/ger }

sub questions
{
	my ($paths) = @_;
	my @questions;
	for my $table (sort keys %operators)
	{
		for my $operator (@{ $operators{$table} })
		{
			my ($condition, $plain, $kind) = @$operator;
			for (1 .. $arguments)
			{
				my $argument = $argument{$kind}->(@{ one(@$paths) });
				push @questions, [ scalar @questions, $table, fill_in($condition, $kind), fill_in($condition, $argument), fill_in($plain, $argument) ];
			}
		}
	}
	return @questions;
}

# answer_plainly(TABLE): what scans of the table say, before an index is asked
sub answer_plainly
{
	my ($table) = @_;
	$session->do('SET enable_seqscan = on', map { "SET enable_$_ = off" } qw(indexscan indexonlyscan bitmapscan));
	is($session->query("WITH a AS (SELECT n, a.* FROM question, answer(source, plain) AS a WHERE source = '$table'),
		u AS (UPDATE question AS q SET count = a.count, ids = a.ids FROM a WHERE a.n = q.n RETURNING a.plan)
		SELECT count(*) > 0 AND count(*) = count(*) FILTER (WHERE plan ~ 'Seq Scan on $table' AND plan !~ 'Index|Gather') FROM u"), 't',
		"the answers to compare with are by scans of $table");
	$session->do('SET enable_seqscan = off', map { "RESET enable_$_" } qw(indexscan indexonlyscan bitmapscan));
	return;
}

# compare(NAME, SOURCE, CONDITIONS, PLAN [, SHARE]): asks what is about these conditions; the plan must be as expected, of
# all questions or a share of them
sub compare
{
	my ($name, $source, $operators, $plan, $share) = @_;
	my $answers = $session->query("SELECT operator, count(*), count(*) FILTER (WHERE a.plan ~ '$plan'), sum(a.count),
			count(*) FILTER (WHERE (a.count, a.ids) IS DISTINCT FROM (q.count, q.ids)),
			left(min(format(E'%s: %s rows, not %s\\n%s', asked, a.count, q.count, a.plan)) FILTER (WHERE (a.count, a.ids) IS DISTINCT FROM (q.count, q.ids)), 3000)
		FROM question AS q, answer(source, asked) AS a WHERE source = '$source' AND operator ~ '$operators' GROUP BY operator ORDER BY operator");
	my ($asked, $used, $found, $wrong) = (0) x 4;
	for my $line ($answers =~ /^(.*\|\d+\|\d+\|\d+\|\d+\|)/mg)
	{
		my ($operator, @counts) = split /\|(?=\d)/, $line =~ s/\|\z//r;
		$asked += $counts[0];
		$used += $counts[1];
		$found += $counts[2];
		$wrong += $counts[3];
		# of a few questions none may find something
		ok(0, "$name: $operator finds nothing") unless $counts[2] || $counts[0] < 20;
	}
	ok($asked && !$wrong, "$name: $asked questions, $found rows") or diag("TYPE_INDEX_SEED=$seed\n$answers");
	cmp_ok($used, '>=', ($share // 1) * $asked, "$name: answered by the plan that is meant ($used)");
	return;
}

# change(TABLE, N): some rows go, others come; their entries of a GIN index are on its pending list
sub change
{
	my ($table, $n) = @_;
	$session->do("DELETE FROM $table WHERE id % 6 = $n", "VACUUM $table", "INSERT INTO $table SELECT * FROM spare_$table WHERE id % 6 = $n");
	return;
}

# ---------- indexes ----------

diag("TYPE_INDEX_SEED=$seed");
srand $seed;
Psql::fresh_database($database);
$session = Psql->new($database, 'SET search_path = public, territory');
binmode $session->{to}, ':encoding(UTF-8)';
$session->do('SET client_min_messages = warning', 'SET jit = off', "SELECT setseed($seed / 1e9)", 'SET max_parallel_workers_per_gather = 0',
	map { ("CREATE TABLE ${_}place (id int, path territory)", "CREATE TABLE ${_}crowd (id int, paths territory[])") } '', 'spare_');
my @paths = ([], map { [ random_path() ] } 1 .. $rows / 2);
for my $prefix ('', 'spare_')
{
	load("${prefix}place", map { [ $_, maybe(0.05) ? undef : path(@{ one(@paths) }) ] } 1 .. $rows);
	load("${prefix}crowd", map { [ $_, maybe(0.05) ? undef : maybe(0.02) ? '{{a,b},{c,NULL}}' : random_array(\@paths) ] } 1 .. $rows);
}
$session->do('VACUUM ANALYZE place', 'VACUUM ANALYZE crowd', 'CREATE TABLE question (n int, source text, operator text, asked text, plain text, count bigint, ids numeric)');
$session->do(q{CREATE FUNCTION answer(source text, condition text, OUT count bigint, OUT ids numeric, OUT plan text) LANGUAGE plpgsql AS $$
DECLARE
    query text := format('SELECT count(*), sum(id) FROM %I WHERE %s', source, condition);
    line text;
BEGIN
    plan := '';
    FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
        plan := concat(plan, E'\n', line);
    END LOOP;
    EXECUTE query INTO count, ids;
END
$$});
load('question (n, source, operator, asked, plain)', questions(\@paths));

# the index, what it answers, and how many of these questions it has to take
my @ancestry = ('^path (=|<|>|@>)|@> path|<@ path|is_ancestor', 1);
my @patterns = ('~', 0.3);   # about half of them; one that begins with no label of its own is for GIN
my @labels_anywhere = ('~| @ |\?', 1);
my $n = 0;
for my $index (
	[ 'btree', 'place', 'btree (path)', \@ancestry, \@patterns ],
	[ 'hash', 'place', 'hash (path)', [ '^path = ', 1 ] ],
	[ 'BRIN', 'place', 'brin (path) WITH (pages_per_range = 1)', \@ancestry, \@patterns ],
	[ 'GIN for labels', 'place', 'gin (path)', \@labels_anywhere ],
	[ 'GIN for labels, without a pending list', 'place', 'gin (path) WITH (fastupdate = off)', \@labels_anywhere ],
	[ 'GIN for arrays', 'crowd', 'gin (paths)', [ '.', 1 ] ])
{
	my ($name, $table, $definition, @answered) = @$index;
	answer_plainly($table);
	$session->do("CREATE INDEX asked_index ON $table USING $definition");
	compare($name, $table, $_->[0], 'Index .*asked_index', $_->[1]) for @answered;
	change($table, $n++);
	answer_plainly($table);
	compare("$name, after changes", $table, $_->[0], 'Index .*asked_index', $_->[1]) for @answered;
	$session->do('DROP INDEX asked_index');
}

# values that are known only when the scan begins: the inner side of a join
$session->do('CREATE TABLE argument (n int, path territory, pattern pattern, query label_query, patterns pattern[])');
load('argument', map { my @path = @{ one(@paths) }; [ $_, path(relative(@path)), pattern(@path), label_query(@path), array(pattern(@path), maybe(0.5) ? undef : pattern()) ] } 1 .. 4 * $arguments);
for my $join (
	[ 'place', 'btree (path)', 'i.path <@ a.path', 'i.path ^<@ a.path' ], [ 'place', 'btree (path)', 'i.path @> a.path', 'i.path ^@> a.path' ],
	[ 'place', 'btree (path)', 'i.path ~ a.pattern', 'i.path ^~ a.pattern' ], [ 'place', 'brin (path)', 'i.path <@ a.path', 'i.path ^<@ a.path' ],
	[ 'place', 'gin (path)', 'i.path ~ a.pattern', 'i.path ^~ a.pattern' ], [ 'place', 'gin (path)', 'i.path @ a.query', 'i.path ^@ a.query' ],
	[ 'place', 'gin (path)', 'i.path ? a.patterns', 'i.path ^? a.patterns' ],
	[ 'crowd', 'gin (paths)', 'i.paths @> a.path', 'i.paths ^@> a.path' ], [ 'crowd', 'gin (paths)', 'i.paths <@ a.path', 'i.paths ^<@ a.path' ],
	[ 'crowd', 'gin (paths)', 'i.paths ~ a.pattern', 'i.paths ^~ a.pattern' ], [ 'crowd', 'gin (paths)', 'i.paths ? a.patterns', 'i.paths ^? a.patterns' ])
{
	my ($table, $definition, $condition, $plain) = @$join;
	my $query = "SELECT md5(string_agg(concat_ws(' ', n, count, ids), E'\\n' ORDER BY n)), sum(count)
		FROM (SELECT a.n, count(*), sum(i.id) AS ids FROM argument AS a JOIN $table AS i ON %s GROUP BY a.n) AS s";
	my $expected = $session->query(sprintf $query, $plain);
	$session->do("CREATE INDEX asked_index ON $table USING $definition");
	my $plan = $session->query('EXPLAIN (COSTS OFF) ' . sprintf $query, $condition);
	like($plan, qr/Nested Loop.*Index .*asked_index/s, "$condition: an inner scan of $definition") or diag($plan);
	is($session->query(sprintf $query, $condition), $expected, "$condition: finds the same, " . ($expected =~ /(\d+)\z/)[0] . ' rows');
	$session->do('DROP INDEX asked_index');
}

# parallel plans
$session->do('DELETE FROM question WHERE n % 7 <> 0', 'SET enable_seqscan = on', 'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0', 'SET min_parallel_table_scan_size = 0',
	'SET min_parallel_index_scan_size = 0', 'SET max_parallel_workers_per_gather = 2', map { "ALTER TABLE $_ SET (parallel_workers = 2)" } 'place', 'crowd');
compare("parallel scans of $_", $_, '.', 'Parallel Seq Scan') for 'place', 'crowd';
$session->do('SET enable_seqscan = off', 'CREATE INDEX asked_index ON place (path)');
compare('parallel scans of a btree', 'place', '^path (<|>|<@)', 'Parallel (Index|Bitmap)', 0.5);
$session->do('DROP INDEX asked_index', 'CREATE INDEX asked_index ON crowd USING gin (paths)');
compare('parallel bitmaps of GIN', 'crowd', '.', 'Parallel Bitmap Heap Scan', 0.3);
$session->do('RESET enable_seqscan');

# a large btree, grown in random order
$session->do('CREATE TABLE much (path territory)', 'CREATE INDEX much_path ON much (path)',
	"INSERT INTO much SELECT concat_ws('.', 'R' || i % 7, 'C' || i % 1001, 'D ' || i % 100003, '\"' || i % 3 || '.0\"')::territory FROM generate_series(1, 1000000) AS i ORDER BY random()");
SKIP:
{
	my $created = $session->query('CREATE EXTENSION amcheck');
	skip "amcheck is not installed here: $created", 1 if $created =~ /is not available|could not open extension control file/;
	is($created, '', 'amcheck is there');
	is($session->query("SELECT bt_index_check('much_path', heapallindexed => true)"), '', 'amcheck finds nothing wrong with a btree of a million entries');
}
$session->do('DROP TABLE much');

# ---------- the order ----------

# paths that are next to each other, three at a time; "key" is the same path to PostgreSQL's own comparison
$session->do('CREATE TABLE pick (id int, path territory, key text[] COLLATE "C")');
load('pick (id, path)', map { [ $_, path(map { one('a', 'b', 'ab', "a\x01", "a\x7f", 'é', '日', '😀', ' ', '!', '.', '-', @long[ 0 .. 1 ]) } 1 .. rand 4) ] } 1 .. 1500);
$session->do('UPDATE pick SET key = levels(path)', 'ANALYZE pick',
	'CREATE TABLE triple AS SELECT x.path AS x, y.path AS y, z.path AS z, x.key AS x_key, y.key AS y_key
	   FROM (SELECT ceil(1500 * random()) AS x, ceil(1500 * random()) AS y, ceil(1500 * random()) AS z FROM generate_series(1, 100000)) AS r
	   JOIN pick AS x ON x.id = r.x JOIN pick AS y ON y.id = r.y JOIN pick AS z ON z.id = r.z');
is($session->query('SELECT count(*) FILTER (WHERE territory_cmp(x, y) <> -territory_cmp(y, x)), count(*) FILTER (WHERE x <= y AND y <= z AND NOT x <= z),
		count(*) FILTER (WHERE (x = y) <> (territory_send(x) = territory_send(y))), count(*) FILTER (WHERE (x = y) <> (territory_hash_extended(x, 7) = territory_hash_extended(y, 7))),
		count(*) FILTER (WHERE x = y AND territory_hash(x) <> territory_hash(y)), count(*) FILTER (WHERE (x < y, x <= y, x > y, x >= y, x = y, x <> y)
		IS DISTINCT FROM (x_key < y_key, x_key <= y_key, x_key > y_key, x_key >= y_key, x_key = y_key, x_key <> y_key)),
		count(*) FILTER (WHERE x = y) > 100, count(*) = 100000 FROM triple'), '0|0|0|0|0|0|t|t', 'the order is a total one, and equality, bytes and hashes agree');

# What sorts, groups and joins says the same of a path and of its labels in an array
my @queries = (
	'row_number() OVER (ORDER BY K, id), rank() OVER (ORDER BY K), dense_rank() OVER (ORDER BY K DESC), ntile(7) OVER (ORDER BY K, id)',
	'sum(id) OVER (ORDER BY K RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), count(*) OVER (ORDER BY K RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING)',
	'sum(id) OVER (ORDER BY K GROUPS BETWEEN 2 PRECEDING AND 1 FOLLOWING), sum(id) OVER (ORDER BY K GROUPS BETWEEN 3 PRECEDING AND CURRENT ROW EXCLUDE TIES)',
	'sum(id) OVER (ORDER BY K, id ROWS BETWEEN 3 PRECEDING AND 2 FOLLOWING), sum(id) OVER (PARTITION BY K), lag(id, 2) OVER (PARTITION BY K ORDER BY id)');
@queries = ((map { "SELECT id, $_ FROM pick" } @queries),
	'SELECT min(id), count(*) FROM pick GROUP BY K', 'SELECT DISTINCT ON (K) id FROM pick ORDER BY K, id', 'SELECT id FROM pick ORDER BY K DESC, id LIMIT 100',
	'SELECT count(*) FROM (SELECT DISTINCT K FROM pick) AS d', 'SELECT count(DISTINCT K) FROM pick',
	'SELECT count(*) FROM (SELECT K FROM pick WHERE id % 2 = 0 INTERSECT SELECT K FROM pick WHERE id % 3 = 0) AS i',
	'SELECT count(*) FROM (SELECT K FROM pick WHERE id % 2 = 0 EXCEPT ALL SELECT K FROM pick WHERE id % 3 = 0) AS e',
	'SELECT a.id, b.id FROM pick AS a JOIN pick AS b USING (K)', 'SELECT a.id, b.id FROM (SELECT * FROM pick WHERE id % 2 = 0) AS a FULL JOIN (SELECT * FROM pick WHERE id % 3 = 0) AS b USING (K)',
	'SELECT a.id FROM pick AS a WHERE NOT EXISTS (SELECT FROM pick AS b WHERE b.K = a.K AND b.id > a.id)');
$session->do('SET max_parallel_workers_per_gather = 0', 'SET enable_nestloop = off');
for my $setting ('enable_hashjoin = off; SET enable_hashagg = off', 'enable_mergejoin = off; SET enable_hashagg = on; SET enable_sort = off; SET enable_hashjoin = on', "work_mem = '64kB'")
{
	$session->do("SET $setting");
	my @different = grep {
		my $query = $_;
		my ($path, $key) = map { my $k = $_; $session->query('SELECT count(*), md5(string_agg(row::text, E\'\n\' ORDER BY row::text)) FROM (' . $query =~ s/\bK\b/$k/gr . ') AS row') } 'path', 'key';
		$path ne $key || $path !~ /^[1-9]\d*\|\w{32}$/
	} @queries;
	is(join("\n", @different), '', "$setting: windows, groups and joins are those of the labels");
}
$session->do('RESET ALL', 'SET search_path = public, territory');

# ---------- the binary form ----------

# mutated(BYTES): a binary value with a few changes
sub mutated
{
	my ($bytes) = @_;
	for (0 .. rand 3)
	{
		my $at = int rand(1 + length $bytes);
		my $new = one("\0", "\1", "\2", "\x7f", "\x80", "\xc3", "\xed\xa0\x80", "\xf5", "\xff", '"', '.', '{', '}', '|', '!', '(', ')', '&', '*', ' ', '{9,1}', '{99999}', chr int rand 256);
		my $how = int rand 5;
		if ($how == 0) { $bytes = substr $bytes, 0, $at }
		elsif ($how == 1) { substr $bytes, $at, 1 + rand 3, '' }
		elsif ($how == 2) { substr $bytes, $at, 0, $new x (maybe(0.05) ? 70000 : 1) }
		elsif ($how == 3) { substr $bytes, $at, 1, $new }
		else { substr $bytes, $at, 1, chr(ord(substr $bytes, $at, 1) ^ 1 << int rand 8) if $at < length $bytes }
	}
	return $bytes;
}

# write_file(NAME, BYTES): a file of COPY BINARY with one value, whose size is now and then not what is said
sub write_file
{
	my ($name, $bytes, $honest) = @_;
	my $size = length($bytes) + (!$honest && maybe(0.02) ? one(-1, 1, 4) : 0);
	open my $file, '>:raw', "$folder/$name" or die "$folder/$name: $!";
	print $file "PGCOPY\n\xff\r\n\0" . pack('NN', 0, 0) . pack('nN', 1, $size) . $bytes . pack('n', 65535);
	close $file;
	return;
}

# receive(TYPE, BYTES): what is said to a binary value
sub receive
{
	my ($type, $bytes) = @_;
	write_file('one', $bytes, 1);
	return $session->query("SELECT receive('$type', '$folder/one')");
}

$session->do(q{CREATE FUNCTION receive(type text, file text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('COPY received_%s FROM %L (FORMAT binary)', type, file);
    RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$});
my $backend = $session->query('SELECT pg_backend_pid(), pg_postmaster_start_time()');
my %text = (territory => sub { path(@_) }, pattern => \&pattern, label_query => \&label_query);
for my $type (sort keys %text)
{
	my $files = 1500;
	for my $i (1 .. $files)
	{
		my $value = $text{$type}->(@{ one(@paths) });
		utf8::encode($value);
		write_file($i, mutated("\1$value"));
	}
	$session->do("CREATE TABLE received_$type (value $type)");
	is(join(' ', map { receive($type, $_) } "\1a", "\2a", "\0a", "a", "\1a\0b", "\1a\xff", ''), 'accepted 22P03 22P03 22P03 22021 22021 08P01',
		"$type: what is wrong with a version, a byte, no bytes");
	my %outcome = map { split /\|/ } split /\n/, $session->query("SELECT state, count(*) FROM generate_series(1, $files) AS i, receive('$type', '$folder/' || i) AS state GROUP BY state");
	my @odd = grep { !/^(accepted|22...|54000|08P01)$/ } keys %outcome;
	is("@odd", '', "$type: of $files mutated values those that are refused are so by clean errors: " . join ', ', map { "$_ $outcome{$_}" } sort keys %outcome);
	ok($outcome{accepted} > 100 && $outcome{accepted} < $files - 300, "$type: some of them are values");
	is($session->query("SELECT count(*) FROM received_$type WHERE value::text::$type\::text IS DISTINCT FROM value::text"), 0, "$type: and these are written and read as themselves");
	# the whole way of a value that is right
	$session->do("CREATE TABLE again_$type (value $type)", "\\copy received_$type TO '$folder/all' (FORMAT binary)", "\\copy again_$type FROM '$folder/all' (FORMAT binary)");
	is($session->query("SELECT count(*) FROM (SELECT value::text FROM received_$type EXCEPT ALL SELECT value::text FROM again_$type) AS lost"), 0, "$type: binary COPY loses nothing");
}
is($session->query('SELECT pg_backend_pid(), pg_postmaster_start_time()'), $backend, 'the server went on');

$session->close;
system('dropdb', '--if-exists', '--force', $database);
done_testing();
