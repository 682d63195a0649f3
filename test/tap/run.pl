#!/usr/bin/perl
# territory.run: that it says how far it is, that a cancelled run leaves nothing behind, that many rules changed at once
# are compiled and evaluated once, and that the ways to re-evaluate read what they should.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my $db = 'territory_run';
my $seed = $ENV{TERRITORY_SEED} // time;
srand $seed;
note "TERRITORY_SEED=$seed";

Psql::fresh_database($db);
my $s = Psql->new($db, 'SET search_path = public, territory');
my $rows = 60000;
$s->do("CREATE TABLE account (id int PRIMARY KEY, country text, size int, city text)",
	"DO \$\$BEGIN PERFORM attach('account', mode => 'all'); END\$\$",
	"INSERT INTO node (path) VALUES ('World'), ('World.Far'), ('Other')",
	"INSERT INTO node (path) SELECT ('World.N' || i)::territory FROM generate_series(1, 150) i",
	"INSERT INTO account SELECT i, 'C' || i % 40, i % 500, 'City' || i % 3000 FROM generate_series(1, $rows) i",
	"INSERT INTO rule (node_id, object, name, criteria) SELECT id, 'account', name, format('country = %L AND size %% 3 = %s', 'C' || id % 40, id % 3) FROM node WHERE name ~ '^N'",
	'ANALYZE account', 'ANALYZE account_territory');

sub wrong { return $s->query("SELECT count(*) FROM verify('account')") }
sub pairs { return $s->query("SELECT count(*), sum(hashtextextended(a::text, 0)) FROM account_territory a") }
is(wrong(), 0, 'the records are right to begin with');

# ---- what is compiled and evaluated, as the server's messages at DEBUG1 tell
sub work
{
	my ($sql) = @_;
	my $answer = $s->query("SET client_min_messages = debug1; $sql; RESET client_min_messages");
	unlike($answer, qr/ERROR/, 'no error') or diag($answer);
	my $compiled = () = $answer =~ /territory: compiled \d+ (?:changed )?rules of public\.account/g;
	my @evaluated = $answer =~ /territory: evaluated (\d+) records of public\.account/g;
	return ($compiled, @evaluated);
}
my $hundred = "UPDATE rule SET criteria = criteria || ' AND size < 400' WHERE id IN (SELECT id FROM rule ORDER BY id LIMIT 100)";
is_deeply([ work($hundred) ], [ 1, $rows ], 'a hundred rules in one statement: one compilation, one evaluation, of all records');
is(wrong(), 0, 'and they are right');
my ($compiled, @evaluated) = work("BEGIN; SET LOCAL territory.defer_runs = on; " . join('', map { "UPDATE rule SET criteria = replace(criteria, 'size < 400', 'size < 300') WHERE name = 'N$_';" } 1 .. 100)
	  . "SET LOCAL territory.defer_runs = off; SELECT run('account'); COMMIT");
is_deeply([ $compiled, @evaluated ], [ 1, $rows ], 'a hundred in one transaction, deferred: one compilation, one evaluation');
is(wrong(), 0, 'and they are right');
is_deeply([ work("INSERT INTO model (name) VALUES ('run test'); INSERT INTO node (model_id, path) SELECT id, 'Planned' FROM model WHERE name = 'run test';"
	. "INSERT INTO rule (node_id, object, criteria) VALUES (node_id('Planned', 'run test'), 'account', 'size = 1')") ],
	[0], 'a rule of a model that is not active: no compilation, no evaluation');
($compiled, @evaluated) = work("UPDATE rule SET criteria = 'country = ''C7'' AND size = 7' WHERE name = 'N30'");
is($compiled, 1, 'a rule: one compilation');
cmp_ok($evaluated[0], '<', 2000, 'of the records that its old or new criteria select, no others');
is(wrong(), 0, 'and they are right');

# ---- a subtree: what stands in it or satisfies its rules and those that gate it
$s->do("INSERT INTO rule (node_id, object, criteria) VALUES (node_id('World.Far'), 'account', 'city = ''City5'''), (node_id('World'), 'account', 'size = 5'), (node_id('Other'), 'account', 'size < 50')");
is($s->query("SELECT rows_read FROM run('account', under => 'World.Far')"), $s->query("SELECT count(*) FROM account WHERE city = 'City5' AND size = 5"), 'the rules of a subtree and their gate');
$s->do("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM account_territory WHERE node_id = node_id('World.Far'); INSERT INTO account_territory (id, node_id, rule_id, manual) VALUES (1, node_id('World.Far'), 1, false); COMMIT");
is($s->query("SELECT * FROM run('account', under => 'World.Far')"), '21|20|1', 'what is missing there, and what has no business there');
$s->do("UPDATE node SET cascade = false WHERE path = 'World'");
is($s->query("SELECT rows_read FROM run('account', under => 'World.Far')"), 20, 'without a gate: all that satisfy the rules');
is($s->query("SELECT rows_read FROM run('account', under => 'World.Far', \"only\" => 'id <= 6000')"), 2, 'both filters');
is(wrong(), 0, 'and they are right');
$s->do('CREATE INDEX ON account (city)');
like($s->query("LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_nested_statements = on; SET client_min_messages = log; SELECT run('account', under => 'World.Far'); RESET client_min_messages; SET auto_explain.log_min_duration = -1"),
	qr/Index Scan[^\n]*account_city_idx/, 'by an index of the table');

# ---- a run that is cancelled leaves nothing behind
my $cancelled = 0;
my $right = pairs();
for my $round (1 .. 24)
{
	my $damage = ('DELETE FROM account_territory', 'UPDATE account_territory SET rule_id = rule_id + 1 WHERE id % 2 = 0', 'INSERT INTO account_territory (id, node_id, manual) SELECT -i, (SELECT max(id) FROM node), i % 2 = 0 FROM generate_series(1, 20000) i')[ $round % 3 ];
	$s->do("BEGIN; SET LOCAL session_replication_role = replica; $damage; COMMIT");
	my $damaged = pairs();
	my $answer = $s->query('SET statement_timeout = ' . (1 + int rand 250) . "; SELECT 'run' FROM run('account'); SET statement_timeout = 0");
	$s->do('RESET statement_timeout');
	if ($answer =~ /canceling statement/)
	{
		$cancelled++;
		is(pairs(), $damaged, 'a cancelled run leaves all as it was');
		$s->do("DO \$\$BEGIN PERFORM run('account'); END\$\$");
	}
	else { is($answer, 'run', 'no other error') }
	is(pairs() =~ s/\|.*//r, $right =~ s/\|.*//r, 'the next run is whole');
}
cmp_ok($cancelled, '>', 3, "runs were cancelled: $cancelled of 24");
is(wrong(), 0, 'and all is right');

# ---- progress
$s->do("CREATE FUNCTION slow(int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM pg_sleep(0.02); RETURN \$1 % 2 = 0; END'",
	'CREATE TABLE slow_account (id int PRIMARY KEY)', "DO \$\$BEGIN PERFORM attach('slow_account'); END\$\$", 'INSERT INTO slow_account SELECT generate_series(1, 120)', 'ANALYZE slow_account',
	'SET territory.defer_runs = on', "INSERT INTO rule (node_id, object, criteria) VALUES (node_id('Other'), 'slow_account', 'slow(id)')", 'RESET territory.defer_runs');
for my $what (['all are new', "SELECT run('slow_account')", 60], ['compared', "SELECT run('slow_account')", 0],
	['by a condition', "SELECT run('slow_account', \"only\" => 'id > 0')", 0])
{
	my $answer = $s->query("SET territory.progress = 1; $what->[1]");
	my @said = $answer =~ /NOTICE:  public\.slow_account: (\d+) of about 120 records (?:evaluated|compared), 0 pairs added, 0 removed/g;
	ok(@said >= 1 && @said <= 5, "progress, $what->[0]") or diag($answer);
	is_deeply(\@said, [ sort { $a <=> $b } @said ], 'ever further');
	like($answer, qr/^\(120,$what->[2],0\)$/m, 'and the result');
}
unlike($s->query("SET territory.progress = 0; SELECT run('slow_account')"), qr/NOTICE/, 'progress can be turned off');
like($s->query("SET territory.progress = -1"), qr/^ERROR:  -1 s is outside the valid range for parameter "territory.progress"/, 'and has no negative values');

# ---- no partitions, no records
$s->do("CREATE TABLE empty (id int, part int, PRIMARY KEY (id, part)) PARTITION BY LIST (part)", 'CREATE TABLE empty_1 PARTITION OF empty FOR VALUES IN (1)',
	"DO \$\$BEGIN PERFORM attach('empty', key => 'id'); END\$\$", "INSERT INTO rule (node_id, object, criteria) VALUES (node_id('Other'), 'empty', 'id > 2')");
is($s->query("SELECT * FROM run('empty')"), '0|0|0', 'a partition without records');
$s->do('INSERT INTO empty SELECT i, 1 FROM generate_series(1, 5) i', 'BEGIN; SET LOCAL session_replication_role = replica; DROP TABLE empty_1; COMMIT');
$s->do("BEGIN; SET LOCAL session_replication_role = replica; INSERT INTO empty_territory (id, node_id, rule_id, manual) VALUES (1, node_id('Other'), 1, false), (2, node_id('Other'), NULL, true); COMMIT");
is($s->query("SELECT rows_read, added FROM run('empty')"), '0|0', 'no partitions');
is($s->query("SELECT count(*) FROM empty_territory"), 0, 'no pairs');
$s->close;
done_testing();
