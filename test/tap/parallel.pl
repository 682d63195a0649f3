#!/usr/bin/perl
# territory.run with parallel workers does what it does alone: over tables of many shapes, with changes of its own
# transaction, at every isolation level, with too few workers, with errors, and cancelled in the middle. That workers were
# there, and what they read, the server's messages at DEBUG1 tell.
use strict;
use warnings;
use File::Basename qw(dirname);
use Time::HiRes qw(sleep time);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my $db = 'territory_parallel';
Psql::fresh_database($db);
my $path = 'SET search_path = public, territory';
my $s = Psql->new($db, $path);
my $other = Psql->new($db, $path);

# messages_of SQL: what the server says at DEBUG1, and the answer
sub messages_of { my ($sql) = @_; return $s->query("SET client_min_messages = debug1; $sql; RESET client_min_messages") }
my $shared = qr/territory: compared (\d+) records of \S+, (\d+) of them in (\d+) workers of (\d+)/;

# attached TABLE, MODE, LEAF...: attaches a table, and wants two workers for its leaves
sub attached
{
	my ($table, $mode, @leaves) = @_;
	my ($key) = $table =~ /^part/ ? ", key => 'id'" : '';
	$s->do("DO \$\$BEGIN PERFORM attach('$table', mode => '$mode'$key); END\$\$", map { "ALTER TABLE $_ SET (parallel_workers = 2)" } @leaves ? @leaves : $table);
}

# pairs TABLE: all but the time of its pairs
sub pairs { my ($table) = @_; return "SELECT count(*), md5(string_agg(format('%s %s %s %s', id, node_id, rule_id, manual), ',' ORDER BY id, node_id)) FROM ${table}_territory" }

# same NAME, TABLE, DAMAGE [, BEGIN]: the damage is undone alone, by workers only, and by the leader with workers
sub same
{
	my ($name, $table, $damage, $begin) = @_;
	my %found;
	for my $how (qw(alone workers both))
	{
		my $answer = messages_of(join '; ', $begin // 'BEGIN', 'SET LOCAL session_replication_role = replica', $damage, 'SET LOCAL session_replication_role = origin',
			'SET LOCAL max_parallel_maintenance_workers = ' . ($how eq 'alone' ? 0 : 2), 'SET LOCAL parallel_leader_participation = ' . ($how eq 'both' ? 'on' : 'off'),
			"SELECT 'run', * FROM run('$table')", "SELECT 'pairs', * FROM (" . pairs($table) . ') p', "SELECT 'wrong', count(*) FROM verify('$table')", "SELECT 'rows', count(*) FROM $table",
			"SELECT 'log', rows_read, added, removed FROM run_log ORDER BY id DESC LIMIT 1", 'ROLLBACK');
		unlike($answer, qr/ERROR|WARNING/, "$name, $how: no error") or diag($answer);
		my ($rows) = $answer =~ /^rows\|(\d+)/m;
		my ($run) = $answer =~ /^run\|(.*)/m;
		like($answer, qr/^log\|\Q$run\E$/m, "$name, $how: and in the log");
		like($answer, qr/^wrong\|0$/m, "$name, $how: what stands is right");
		$found{$how} = join ' ', $answer =~ /^(?:run|pairs)\|.*/mg;
		my @workers = $answer =~ $shared;
		if ($how eq 'alone') { is_deeply(\@workers, [], "$name: no workers where none are allowed") }
		elsif ($how eq 'workers') { is_deeply(\@workers, [ $rows, $rows, 2, 2 ], "$name: two workers have compared all") or diag($answer) }
		else { is_deeply([ @workers[ 0, 2, 3 ] ], [ $rows, 2, 2 ], "$name: two workers beside the leader") }
	}
	is($found{workers}, $found{alone}, "$name: workers alone do the same");
	is($found{both}, $found{alone}, "$name: so do both");
	note "$name: $found{alone}";
	return;
}

# ---- tables of many shapes
my $columns = 'country text, size int, note text, at timestamptz';
my $values = "'C' || i % 7, i % 50, CASE WHEN i % 97 = 0 THEN repeat('long ' || i, 2000) ELSE 'n' || i % 3 END, timestamptz '2024-01-01 00:00+00' + i % 96 * interval '1 hour'";
$s->do("INSERT INTO node (path) VALUES ('A'), ('A.N'), ('A.N.M'), ('B'), ('B.Q'), ('Hand')",
	"CREATE FUNCTION sure(n int) RETURNS bool LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS 'BEGIN RETURN n % 4 = 1; END'",
	"CREATE TABLE plain (id int PRIMARY KEY, $columns)", "CREATE TABLE keyed (id text PRIMARY KEY, $columns)", "CREATE TABLE named (id uuid PRIMARY KEY, $columns)",
	"CREATE TABLE empty (id bigint PRIMARY KEY, $columns)", "CREATE TABLE single (id smallint PRIMARY KEY, $columns)",
	"CREATE TABLE part (id int, $columns, p int, PRIMARY KEY (id, p)) PARTITION BY LIST (p)",
	'CREATE TABLE part_1 PARTITION OF part FOR VALUES IN (1)',
	'CREATE TABLE part_2 (p int NOT NULL, junk int, at timestamptz, size int, id int NOT NULL, note text, country text)', 'ALTER TABLE part_2 DROP COLUMN junk', 'ALTER TABLE part ATTACH PARTITION part_2 FOR VALUES IN (2)',
	'CREATE TABLE part_3 PARTITION OF part FOR VALUES IN (3, 4, 5) PARTITION BY RANGE (id)', 'CREATE TABLE part_3a PARTITION OF part_3 FOR VALUES FROM (0) TO (1000)', 'CREATE TABLE part_3b PARTITION OF part_3 DEFAULT',
	'CREATE TABLE part_none PARTITION OF part DEFAULT');
# values out of line, and compressed keys
$s->do('ALTER TABLE plain ALTER COLUMN note SET STORAGE EXTERNAL');
attached('plain', 'deepest');
attached('keyed', 'all');
attached('named', 'first');
attached($_, 'deepest') for qw(empty single);
attached('part', 'deepest', qw(part_1 part_2 part_3a part_3b part_none));
$s->do("INSERT INTO plain SELECT i, $values FROM generate_series(1, 6000) i", "INSERT INTO keyed SELECT CASE WHEN i % 5 = 0 THEN repeat('k', 3000) ELSE 'k' END || i, $values FROM generate_series(1, 3000) i",
	"INSERT INTO named SELECT md5(i::text)::uuid, $values FROM generate_series(1, 3000) i", "INSERT INTO single SELECT i, $values FROM generate_series(1, 1) i",
	"INSERT INTO part SELECT i, $values, 1 + i % 5 FROM generate_series(1, 5000) i");
for my $table (qw(plain keyed named empty single part))
{
	$s->do("INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('A'), '$table', 'gate', 'size < 40'), (node_id('A.N'), '$table', NULL, 'country IN (''C1'', ''C2'', ''C3'')'),
		(node_id('A.N'), '$table', 'twice', 'size % 10 = 3'), (node_id('A.N.M'), '$table', 'long', 'length(note) > 1000 OR note = ''n1'''),
		(node_id('B'), '$table', 'time', 'at::date = ''2024-01-02'' AND size > 10'), (node_id('B.Q'), '$table', 'sure', 'sure(size)')");
}
# the model's TimeZone counts, not the session's
$s->do("SET TimeZone = 'Asia/Tokyo'", "SET DateStyle = 'German'");
# a record kept out, and pairs made by hand, one of them with a rule as well
$s->do("INSERT INTO exclusion (object, key, node_id) VALUES ('plain', '1', node_id('A.N')), ('plain', '2', NULL), ('part', '7', NULL)");

my $some = "DELETE FROM %s_territory WHERE hashtext(id::text) %% 50 = 0; UPDATE %1\$s_territory SET rule_id = rule_id + 1 WHERE hashtext(id::text) %% 70 = 1; INSERT INTO %1\$s_territory (id, node_id, manual) SELECT id, node_id('Hand'), true FROM %1\$s WHERE size = 5; UPDATE %1\$s_territory SET manual = true WHERE hashtext(id::text) %% 90 = 3";
same('nothing to do', $_, 'SELECT 1') for qw(plain keyed named single part);
same('some pairs are wrong', $_, sprintf $some, $_) for qw(plain keyed named single part);
same('half of the pairs are gone', $_, "DELETE FROM ${_}_territory WHERE hashtext(id::text) % 2 = 0") for qw(plain keyed named part);
same('records are gone', $_, "DELETE FROM $_ WHERE size = 7; INSERT INTO ${_}_territory (id, node_id, manual) SELECT id, node_id('Hand'), true FROM $_ WHERE size = 8; DELETE FROM $_ WHERE size = 8") for qw(plain keyed named part);
same('pairs of an empty table', 'empty', "INSERT INTO empty_territory (id, node_id, rule_id, manual) SELECT i, node_id('A'), 1, false FROM generate_series(1, 500) i; INSERT INTO empty_territory (id, node_id, manual) VALUES (7, node_id('B'), true)");
same('a table that is emptied', 'part', 'DELETE FROM part');

# ---- what the own transaction has changed: rows of several versions in it, rules, the table itself; in subtransactions
my $own = "INSERT INTO plain SELECT i, $values FROM generate_series(6001, 6500) i; UPDATE plain SET size = size + 1 WHERE id > 5800; SAVEPOINT a; UPDATE plain SET size = size + 1, country = 'C2' WHERE id > 5900;"
  . ' DELETE FROM plain WHERE id % 11 = 0; SAVEPOINT b; UPDATE plain SET size = 0 WHERE id % 13 = 0; ROLLBACK TO b; UPDATE plain SET size = 3 WHERE id % 17 = 0';
same('own changes', 'plain', $own, $_) for 'BEGIN', 'BEGIN ISOLATION LEVEL REPEATABLE READ', 'BEGIN ISOLATION LEVEL SERIALIZABLE';
same('own rules', 'plain', 'SELECT 1', "BEGIN; SET LOCAL territory.defer_runs = on; UPDATE rule SET criteria = 'size < 30' WHERE name = 'gate'; DELETE FROM rule WHERE name = 'long'; INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A.N.M'), 'plain', 'size = 4');"
	  . " UPDATE node SET path = 'B.N' WHERE path = 'A.N'; UPDATE object SET mode = 'all'; SET LOCAL territory.defer_runs = off");
same('a table that is written anew', 'plain', 'DELETE FROM plain_territory WHERE id % 9 = 0', 'BEGIN; ALTER TABLE plain ADD COLUMN extra timestamptz DEFAULT clock_timestamp(); CLUSTER plain USING plain_pkey; CLUSTER plain_territory USING plain_territory_pkey');
same('a new partition', 'part', "INSERT INTO part SELECT i, $values, 9 FROM generate_series(9001, 9300) i", 'BEGIN; CREATE TABLE part_new PARTITION OF part FOR VALUES IN (9); ALTER TABLE part_new SET (parallel_workers = 2)');
my $block = "DO \$\$BEGIN BEGIN PERFORM run('plain'); RAISE EXCEPTION 'undone'; EXCEPTION WHEN raise_exception THEN NULL; END; PERFORM run('plain'); END\$\$";
my $answer = messages_of("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM plain_territory WHERE id % 2 = 0; $own; SET LOCAL session_replication_role = origin; SET LOCAL parallel_leader_participation = off; $block; SELECT 'wrong', count(*) FROM verify('plain'); ROLLBACK");
is(scalar(my @four = $answer =~ /$shared/g), 2 * 4, 'in a subtransaction, which is undone, and again') or diag($answer);
like($answer, qr/^wrong\|0$/m, 'and the second one is whole');

# ---- a transaction that began before others changed rules and records
for my $level ('READ COMMITTED', 'REPEATABLE READ')
{
	$s->do("BEGIN ISOLATION LEVEL $level", 'SELECT count(*) FROM plain');
	$other->do('BEGIN', 'SET LOCAL session_replication_role = replica', "UPDATE plain SET size = size + 7 WHERE id % 3 = 0", "UPDATE rule SET criteria = criteria || ' AND id > 9' WHERE object = 'plain'::regclass AND name = 'long'", 'COMMIT');
	$answer = messages_of("SET LOCAL parallel_leader_participation = off; SELECT 'run', * FROM run('plain')");
	like($answer, qr/^run\|6000\|[1-9]\d*\|[1-9]/m, "$level: what others have committed is seen") or diag($answer);
	is_deeply([ $answer =~ $shared ], [ 6000, 6000, 2, 2 ], "$level: by workers");
	$s->do('COMMIT');
	is($s->query("SELECT count(*) FROM verify('plain')"), 0, "$level: and all is right");
}

# ---- a change of many rules compares all records, within the statement that changes them
$answer = messages_of("SET parallel_leader_participation = off; UPDATE rule SET criteria = '(' || criteria || ') AND id <> 77' WHERE object = 'plain'::regclass; RESET parallel_leader_participation");
is_deeply([ $answer =~ $shared ], [ 6000, 6000, 2, 2 ], 'changed rules: by workers') or diag($answer);
is($s->query("SELECT count(*) FROM verify('plain')"), 0, 'and all is right');

# ---- who may write rules but not read the table, which has row-level security
$s->do('DROP ROLE IF EXISTS territory_parallel_editor', 'DROP ROLE IF EXISTS territory_parallel_owner', 'CREATE ROLE territory_parallel_editor', 'CREATE ROLE territory_parallel_owner', 'GRANT INSERT ON rule TO territory_parallel_editor', 'GRANT USAGE ON SCHEMA territory TO territory_parallel_editor',
	'GRANT ALL ON SCHEMA public TO territory_parallel_owner', 'ALTER TABLE plain OWNER TO territory_parallel_owner', 'ALTER TABLE plain_territory OWNER TO territory_parallel_owner', 'ALTER TABLE plain ENABLE ROW LEVEL SECURITY', 'ALTER TABLE plain FORCE ROW LEVEL SECURITY', 'CREATE POLICY none ON plain USING (false)');
$s->do('BEGIN', 'SET LOCAL session_replication_role = replica', 'DELETE FROM plain_territory WHERE id % 3 = 0', 'COMMIT', 'SET parallel_leader_participation = off');
$answer = messages_of("SET ROLE territory_parallel_editor; SELECT 'run', * FROM run('plain'); RESET ROLE");
like($answer, qr/^run\|6000\|[1-9]\d*\|0$/m, 'as an editor of rules, all records') or diag($answer);
is_deeply([ $answer =~ $shared ], [ 6000, 6000, 2, 2 ], 'by workers');
$s->do('ALTER TABLE plain DISABLE ROW LEVEL SECURITY');
is($s->query("SELECT count(*) FROM verify('plain')"), 0, 'and all is right');

# ---- workers that are not to be had, and tables that want none
my %alone = ('max_parallel_workers = 0' => [ 6000, 0, 0, 2 ], 'max_parallel_maintenance_workers = 0' => [], 'max_parallel_maintenance_workers = 1' => [ 6000, 6000, 1, 1 ]);
for my $setting (sort keys %alone)
{
	$answer = messages_of("BEGIN; SET LOCAL session_replication_role = replica; DELETE FROM plain_territory WHERE id % 5 = 0; SET LOCAL session_replication_role = origin; SET LOCAL $setting; SELECT 'run', * FROM run('plain'); SELECT 'wrong', count(*) FROM verify('plain'); ROLLBACK");
	is_deeply([ $answer =~ $shared ], $alone{$setting}, "$setting: so many workers") or diag($answer);
	like($answer, qr/^wrong\|0$/m, "$setting: what stands is right");
}
my $size = "SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL parallel_setup_cost = 0";
for my $case ([ 'a small table', 'SELECT 1', 0 ], [ 'by size', $size, 1 ], [ 'that must be worth while', "$size; SET LOCAL parallel_setup_cost = 100000", 0 ],
	[ 'a table that wants none', "ALTER TABLE plain SET (parallel_workers = 0); $size", 0 ], [ 'a table that wants more than are allowed', 'ALTER TABLE plain SET (parallel_workers = 20)', 1 ])
{
	my ($name, $before, $workers) = @$case;
	$answer = messages_of("BEGIN; ALTER TABLE plain RESET (parallel_workers); ANALYZE plain; $before; SELECT 'run', * FROM run('plain'); ROLLBACK");
	like($answer, qr/^run\|6000\|0\|0$/m, "$name: the run") or diag($answer);
	is($answer =~ $shared ? 1 : 0, $workers, "$name: workers, or none") or diag($answer);
}

# ---- a function that workers must not call: a block with EXCEPTION does not work there
$s->do("CREATE FUNCTION number_of(t text) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN t::int; EXCEPTION WHEN invalid_text_representation THEN RETURN 0; END'",
	"CREATE FUNCTION folded() RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN public.number_of(''x''); END'",
	'CREATE TABLE unsafe (id int PRIMARY KEY, code text)', "INSERT INTO unsafe SELECT i, CASE WHEN i % 2 = 0 THEN i::text ELSE 'x' END FROM generate_series(1, 1000) i");
attached('unsafe', 'all');
for my $criteria ('number_of(code) > 10', 'id > folded()')
{
	$s->do('DELETE FROM rule WHERE object = \'unsafe\'::regclass', "INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'unsafe', '$criteria')");
	$answer = messages_of("SELECT 'run', * FROM run('unsafe')");
	like($answer, qr/^run\|1000\|0\|0$/m, "$criteria: the run");
	unlike($answer, $shared, "$criteria: without workers");
}

# ---- an error in a worker names the rule, as without workers
$s->do("CREATE TABLE bad (id int PRIMARY KEY, n int)", 'INSERT INTO bad SELECT i, i FROM generate_series(1, 3000) i', "CREATE FUNCTION slow(n int) RETURNS bool LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS 'BEGIN PERFORM pg_sleep(0.02); RETURN n % 2 = 0; END'");
attached('bad', 'all');
$s->do("INSERT INTO rule (node_id, object, name, criteria) VALUES (node_id('A'), 'bad', 'sound', 'n > 5'), (node_id('B'), 'bad', 'divides', '1000 / (n - 5000) > 1')");
$s->do('BEGIN', 'SET LOCAL session_replication_role = replica', 'UPDATE bad SET n = 5000 WHERE id = 2500', 'COMMIT');
my $before = $s->query(pairs('bad'));
my %said;
for my $workers (0, 2)
{
	$said{$workers} = messages_of("\\set VERBOSITY default\n\\set SHOW_CONTEXT always\nSET max_parallel_maintenance_workers = $workers; SELECT run('bad'); RESET max_parallel_maintenance_workers;\n\\set VERBOSITY terse\n\\set SHOW_CONTEXT never\nSELECT 1");
	like($said{$workers}, qr/ERROR:  division by zero\nCONTEXT:  rule \d+ \(divides\) of territory "B"\n/, "an error, $workers workers") or diag($said{$workers});
	is($s->query(pairs('bad')), $before, 'and nothing is changed');
}
like($said{2}, qr/territory "B"\nparallel worker/, 'it was raised in a worker');
unlike($said{0}, qr/parallel worker/, 'or not');
# in a worker while the leader works as well, and caught
$answer = messages_of("DO \$\$BEGIN PERFORM run('bad'); EXCEPTION WHEN division_by_zero THEN RAISE NOTICE 'caught'; END\$\$");
like($answer, qr/NOTICE:  caught/, 'an error that is caught') or diag($answer);
$s->do('BEGIN', 'SET LOCAL session_replication_role = replica', 'UPDATE bad SET n = 2500 WHERE id = 2500', 'COMMIT');
$answer = messages_of("SELECT 'run', * FROM run('bad')");
like($answer, qr/^run\|3000\|0\|0$/m, 'the next run is whole');
is_deeply([ $answer =~ $shared ], [ 3000, 3000, 2, 2 ], 'by workers');

# ---- in the middle: workers are seen, progress is said, cancelling ends them
$s->do('CREATE TABLE slow_account (id int PRIMARY KEY, note text)', 'INSERT INTO slow_account SELECT i, repeat(\'x\', 1500) FROM generate_series(1, 400) i');
attached('slow_account', 'all');
$s->do('ANALYZE slow_account');
$s->do('SET territory.defer_runs = on', "INSERT INTO rule (node_id, object, criteria) VALUES (node_id('A'), 'slow_account', 'slow(id)')", 'RESET territory.defer_runs',
	'BEGIN', 'SET LOCAL session_replication_role = replica', "INSERT INTO slow_account_territory (id, node_id, rule_id, manual) SELECT i, node_id('A'), (SELECT id FROM rule WHERE object = 'slow_account'::regclass), false FROM generate_series(2, 400, 2) i", 'COMMIT');
my $running = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND query LIKE '%slow_account%' AND datname = current_database()";
sub seen
{
	my ($wanted) = @_;
	my $until = time + 20;
	my $count;
	while (($count = $other->query($running)) ne $wanted && time < $until) { sleep 0.02 }
	return $count;
}
$s->send("SELECT 'run', * FROM run('slow_account')");
is(seen(2), 2, 'two workers at work');
is(seen(0), 0, 'and they end');
is($s->result, 'run|400|0|0', 'with the right result');

$s->do('SET parallel_leader_participation = on', 'SET territory.progress = 1');
$answer = messages_of("SELECT 'run', * FROM run('slow_account')");
my @said = $answer =~ /NOTICE:  public\.slow_account: (\d+) of about 400 records compared, 0 pairs added, 0 removed/g;
ok(@said >= 1 && @said <= 5, 'progress') or diag($answer);
is_deeply(\@said, [ sort { $a <=> $b } @said ], 'ever further');
my @share = $answer =~ $shared;
ok($share[1] > 0 && $share[1] < 400, "the leader and its workers all work: $share[1] of $share[0]");
$s->do('RESET territory.progress');

for my $participation ('on', 'off')
{
	my $whole = $s->query(pairs('slow_account'));
	my $backend = $s->query('SELECT pg_backend_pid()');
	$s->do("SET parallel_leader_participation = $participation");
	$s->send("SELECT 'run', * FROM run('slow_account')");
	is(seen(2), 2, 'two workers at work');
	$other->do("SELECT pg_cancel_backend($backend)");
	like($s->result, qr/^ERROR:  canceling statement due to user request$/, "cancelled, leader's participation $participation");
	is(seen(0), 0, 'no workers are left');
	is($s->query(pairs('slow_account')), $whole, 'and nothing is changed');
	is($s->query("SET statement_timeout = '300ms'; SELECT run('slow_account')"), 'ERROR:  canceling statement due to statement timeout', 'a time-out');
	$s->do('RESET statement_timeout');
	is(seen(0), 0, 'no workers are left');
}
# at any time, also while workers start
$s->do('SET parallel_leader_participation = on');
my ($ended, $right) = (0, $s->query(pairs('part')));
for my $round (1 .. 40)
{
	$s->do('BEGIN', 'SET LOCAL session_replication_role = replica', 'DELETE FROM part_territory WHERE id % 40 = ' . $round % 40, 'COMMIT');
	my $answer = $s->query('SET statement_timeout = ' . (1 + $round) . "; SELECT 'run' FROM run('part'); SET statement_timeout = 0");
	# the time may also be up between the run and the end of the statements
	$answer =~ /^(?:run|(?:run\n)?ERROR:  canceling statement due to statement timeout)$/ or fail("round $round: $answer");
	$ended += $answer ne 'run';
	$s->do('RESET statement_timeout', "DO \$\$BEGIN PERFORM run('part'); END\$\$");
	is($s->query(pairs('part')), $right, 'the next run is whole') if $round % 10 == 0;
}
cmp_ok($ended, '>', 3, "runs were cancelled: $ended of 40");
# a worker that is ended from outside is an error of the run, never a wrong result
$s->do('SET parallel_leader_participation = off');
my $terminate = "SELECT count(pg_terminate_backend(pid)) FROM (SELECT pid FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND datname = current_database() LIMIT 1) w";
$s->send("SELECT 'run', * FROM run('slow_account')");
is(seen(2), 2, 'two workers at work');
is($other->query($terminate), 1, 'one is ended');
like($s->result, qr/^ERROR:  terminating (?:connection|background worker)/, 'which ends the run');
is(seen(0), 0, 'no workers are left');
is($s->query("SELECT 'run', * FROM run('slow_account')"), 'run|400|0|0', 'the next run is whole');
# at any time, above all while it compiles many rules
$s->do('SET territory.defer_runs = on', "INSERT INTO node (path) VALUES ('Many')", "INSERT INTO node (path) SELECT ('Many.N' || i)::territory FROM generate_series(1, 2000) i", 'CREATE TABLE many (id int PRIMARY KEY, country text, size int)', "INSERT INTO many SELECT i, 'C' || i % 100, i % 50 FROM generate_series(1, 3000) i");
attached('many', 'all');
$s->do("INSERT INTO rule (node_id, object, criteria) SELECT id, 'many', format('country = %L AND size >= %s', 'C' || id % 100, id % 50) FROM node WHERE path <@ 'Many' AND name ~ '^N'", 'RESET territory.defer_runs', "DO \$\$BEGIN PERFORM run('many'); END\$\$");
$right = $s->query(pairs('many'));
my ($hit, $whole) = (0, 0);
for my $round (1 .. 40)
{
	$s->send("SELECT 'run', * FROM run('many')");
	sleep rand 0.02;
	$hit += $other->query($terminate);
	my $answer = $s->result;
	$whole += $answer eq 'run|3000|0|0';
	$answer =~ /^(?:run\|3000\|0\|0|ERROR:  .*terminating .*|ERROR:  parallel worker failed to initialize|ERROR:  lost connection to parallel worker)$/s or fail("round $round: $answer");
}
cmp_ok($hit, '>', 3, "workers were ended: $hit in 40 runs; $whole of these are whole");
is($s->query(pairs('many')), $right, 'and nothing is changed');
is($s->query("SELECT 'run', * FROM run('many')"), 'run|3000|0|0', 'the next run is whole');

$s->do('ALTER TABLE plain OWNER TO CURRENT_USER', 'ALTER TABLE plain_territory OWNER TO CURRENT_USER', 'DROP OWNED BY territory_parallel_owner', 'DROP OWNED BY territory_parallel_editor', 'DROP ROLE territory_parallel_owner', 'DROP ROLE territory_parallel_editor');
$_->close for $s, $other;
done_testing();
