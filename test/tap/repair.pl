#!/usr/bin/perl
# territory.run repairs the assignment table, whatever is wrong with it, and touches nothing else. With the triggers
# switched off, random pairs are taken away, added, given other rules, left without a record; records are changed and
# made by hand. territory.verify(), which uses nothing of what run does, says beforehand what is to be added and removed.
#
# TERRITORY_SEED repeats a run; REPAIR_ROUNDS is the number of rounds a table (default 12).
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my $db = 'territory_repair';
my $seed = $ENV{TERRITORY_SEED} // time;
my $rounds = $ENV{REPAIR_ROUNDS} || 12;
srand $seed;
note "TERRITORY_SEED=$seed";

Psql::fresh_database($db);
my $s = Psql->new($db, 'SET search_path = public, territory');
$s->do("CREATE DOMAIN number AS bigint", "INSERT INTO node (path) VALUES ('A'), ('A.B'), ('A.B.C'), ('A.D'), ('E'), ('E.F'), ('G')",
	"UPDATE node SET cascade = false WHERE path = 'E'");

sub rnd { int rand $_[0] }
sub pick { $_[ rnd(scalar @_) ] }

# the key of record N
my %key = (
	smallint => sub { "(($_[0]) * 6 - 9000)::smallint" },
	int => sub { "($_[0])::int" },
	bigint => sub { "(($_[0]) * 4294967296 - 5)" },
	number => sub { "(($_[0]) * -64)::number" },
	uuid => sub { "md5(($_[0])::text)::uuid" },
	text => sub { "('k ''é' || ($_[0]) || repeat('x', ($_[0])::int % 300))" },
	varchar => sub { "('v' || ($_[0]))::varchar" });

my @columns = ('"Key" %s NOT NULL', 'country text', 'size int', 'part int NOT NULL', 'note text');

# a table of records, plain or partitioned, whose partitions have their columns in other orders
sub make_table
{
	my ($type, $parted, $mode) = @_;
	my $definition = sub {
		my @all = map { s{%s}{$type}r } @columns;
		for my $i (reverse 1 .. $#all) { my $k = rnd($i + 1); @all[ $i, $k ] = @all[ $k, $i ] }
		splice @all, rnd(@all + 1), 0, 'gone numeric';
		return '(' . join(', ', @all) . ')';
	};
	$s->do('CREATE TABLE account ' . $definition->() . ($parted ? ' PARTITION BY LIST (part)' : ''), 'ALTER TABLE account DROP COLUMN gone',
		'ALTER TABLE account ADD PRIMARY KEY ("Key"' . ($parted ? ', part)' : ')'));
	for my $n ($parted ? (0 .. 2) : ())
	{
		$s->do("CREATE TABLE p$n " . $definition->(), "ALTER TABLE p$n DROP COLUMN gone",
			"ALTER TABLE account ATTACH PARTITION p$n " . ($n == 2 ? 'DEFAULT' : "FOR VALUES IN ($n)"));
	}
	$s->do("DO \$\$BEGIN PERFORM attach('account', key => 'Key', mode => '$mode'); END\$\$");
	$s->do("INSERT INTO rule (node_id, object, criteria) SELECT n.id, 'account', c FROM node n, unnest(ARRAY['country = ''NL''', 'size % 5 = 0', 'size > 70']) WITH ORDINALITY u(c, i) WHERE (n.id * 5 + i) % 4 < 2");
	$s->do(insert(1, 1500));
	$s->do("INSERT INTO exclusion (object, key, node_id) SELECT 'account', \"Key\"::text, CASE WHEN size % 2 = 0 THEN node_id('A') END FROM account WHERE size BETWEEN 40 AND 42") if rnd(2);
	return $key{$type};
}

sub insert
{
	my ($from, $to) = @_;
	my $new = $key{$s->{type}}->('i');
	# the key identifies a record, in whichever partition it has come to stand
	return "INSERT INTO account (\"Key\", country, size, part) SELECT $new, (ARRAY['NL', 'BE', 'DE'])[1 + i % 3], i * 7 % 100, i % 4"
	  . " FROM generate_series($from, $to) i WHERE NOT EXISTS (SELECT FROM account a WHERE a.\"Key\" = $new)";
}

# some: a condition for a few pairs, or many
sub some { my ($column) = @_; return "hashtext($column\::text || 'r" . rnd(1e9) . "') % " . pick(2, 20, 200, 1000) . ' = 0' }

my %corrupt = (
	missing => sub { 'DELETE FROM account_territory WHERE ' . some('"Key" || node_id::text') },
	surplus => sub { 'INSERT INTO account_territory ("Key", node_id, rule_id, manual) SELECT "Key", n.id, ' . pick('1', 'NULL', '(SELECT min(id) FROM rule)') . ', false FROM account, node n WHERE ' . some('"Key" || n.id::text') . ' ON CONFLICT DO NOTHING' },
	rule => sub { 'UPDATE account_territory SET rule_id = rule_id + 1 WHERE ' . some('"Key"') },
	no_rule => sub { 'UPDATE account_territory SET rule_id = NULL WHERE ' . some('"Key"') },
	swapped => sub { 'UPDATE account_territory a SET rule_id = b.rule_id FROM account_territory b WHERE a."Key" = b."Key" AND a.node_id <> b.node_id AND ' . some('a."Key"') },
	orphan => sub { my $n = 5000 + rnd(1000); 'INSERT INTO account_territory ("Key", node_id, rule_id, manual) SELECT ' . $key{$s->{type}}->('i') . ", (SELECT min(id) FROM node), 1, " . pick('true', 'false') . " FROM generate_series($n, $n + " . pick(0, 3, 500) . ') i ON CONFLICT DO NOTHING' },
	manual_orphan => sub { my $n = 5000 + rnd(1000); 'INSERT INTO account_territory ("Key", node_id, manual) SELECT ' . $key{$s->{type}}->('i') . ", (SELECT max(id) FROM node), true FROM generate_series($n, $n + " . pick(0, 3, 500) . ') i ON CONFLICT DO NOTHING' },
	manual => sub { 'INSERT INTO account_territory ("Key", node_id, manual) SELECT "Key", n.id, true FROM account, node n WHERE ' . some('"Key" || n.id::text') . ' ON CONFLICT ("Key", node_id) DO UPDATE SET manual = true' },
	manual_rule => sub { 'INSERT INTO account_territory ("Key", node_id, rule_id, manual) SELECT "Key", n.id, 1, true FROM account, node n WHERE ' . some('"Key" || n.id::text') . ' ON CONFLICT DO NOTHING' },
	deleted => sub { 'DELETE FROM account WHERE ' . some('"Key"') },
	changed => sub { 'UPDATE account SET size = size + 1, country = NULL, part = 3 - part % 4 WHERE ' . some('"Key"') },
	inserted => sub { my $n = 1501 + rnd(2000); insert($n, $n + rnd(100)) . ' ON CONFLICT DO NOTHING' },
	all_missing => sub { 'TRUNCATE account_territory' },
	all_orphans => sub { 'DELETE FROM account' },
	all_rules => sub { 'UPDATE account_territory SET rule_id = rule_id + 1' },
	rules_off => sub { 'UPDATE rule SET active = NOT active WHERE id % ' . (1 + rnd(3)) . ' = 0' },
	exclusion => sub { "INSERT INTO exclusion (object, key, node_id) SELECT 'account', a.\"Key\"::text, a.node_id FROM account_territory a WHERE " . some('a."Key"') . ' ON CONFLICT DO NOTHING' });

# without triggers nothing tells the backends of changed rules and exclusions: those are changed with triggers, but deferred
sub corrupt
{
	my ($what) = @_;
	my $off = $what =~ /^(rules_off|exclusion)$/ ? 'SET LOCAL territory.defer_runs = on' : 'SET LOCAL session_replication_role = replica';
	$s->do("BEGIN; $off; " . $corrupt{$what}->() . '; COMMIT');
}

my %count;
sub round
{
	my ($label) = @_;
	my @what = rnd(6) == 0 ? pick(grep { /^all|^rules/ } sort keys %corrupt) : map { pick(grep { !/^all/ } sort keys %corrupt) } 0 .. rnd(4);
	corrupt($_) for @what;
	$count{$_}++ for @what;
	my $name = "$label: @what";
	$s->do('DROP TABLE IF EXISTS before, wrong', "CREATE TABLE wrong AS SELECT * FROM verify('account')",
		'CREATE TABLE before AS SELECT ctid AS place, xmin::text AS writer, "Key"::text AS key, node_id FROM account_territory');
	my $expected = $s->query("SELECT (SELECT count(*) FROM account), count(*) FILTER (WHERE NOT stored), count(*) FILTER (WHERE NOT computed) FROM wrong");
	my $answer = $s->query("SELECT * FROM run('account')");
	is($answer, $expected, "$name: rows read, added, removed");
	is($s->query("SELECT count(*) FROM verify('account')"), 0, "$name: all is right");
	is($s->query('SELECT count(*) FROM before b LEFT JOIN account_territory a ON a."Key"::text = b.key AND a.node_id = b.node_id AND a.ctid = b.place AND a.xmin::text = b.writer'
			. ' WHERE a.node_id IS NULL AND NOT EXISTS (SELECT FROM wrong w WHERE w.key = b.key AND w.node_id = b.node_id)'), 0, "$name: what was right is untouched");
	$s->do('DROP TABLE before', 'CREATE TABLE before AS SELECT ctid AS place, xmin::text AS writer, * FROM account_territory');
	is($s->query("SELECT added, removed FROM run('account')"), '0|0', "$name: there is nothing left to do");
	is($s->query('SELECT count(*) FROM (SELECT ctid, xmin::text, * FROM account_territory EXCEPT ALL SELECT * FROM before) d'), 0, "$name: and nothing is done");
	$s->do(insert(1, 1500) . ' ON CONFLICT DO NOTHING') if "@what" =~ /all_orphans/ && $label !~ /partitioned/;
	$s->do("DELETE FROM exclusion; UPDATE rule SET active = true") if rnd(4) == 0;
}

for my $type (sort keys %key)
{
	for my $parted (0, 1)
	{
		my $mode = pick('all', 'deepest', 'first');
		my $label = "$type, $mode" . ($parted ? ', partitioned' : '');
		$s->{type} = $type;
		make_table($type, $parted, $mode);
		round("$label, round $_") for 1 .. $rounds;
		$s->do("DO \$\$BEGIN PERFORM detach('account'); END\$\$", 'DROP TABLE account');
	}
}
diag("TERRITORY_SEED=$seed: " . join ', ', map { "$_ $count{$_}" } sort keys %count);

$s->close;
done_testing();
