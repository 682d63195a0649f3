#!/usr/bin/perl
# Compiled rules never serve longer than they hold: whatever changes them (this session, another one, a rollback to a
# savepoint, DDL, DROP EXTENSION), the next statement of every backend goes by what is committed, or its own.
# territory.verify(), which uses none of the compiled rules, is the judge.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my $db = 'territory_cache';
my $seed = $ENV{TERRITORY_SEED} // time;
srand $seed;
note "TERRITORY_SEED=$seed";

Psql::fresh_database($db);
my $schema = <<'SQL';
CREATE TABLE account (id int PRIMARY KEY, country text, size int, joined date, seen timestamptz, note text);
DO $$BEGIN PERFORM territory.attach('account'); END$$;
INSERT INTO territory.node (path) VALUES ('A'), ('A.B'), ('A.C'), ('D'), ('D.E'), ('D.E.F');
INSERT INTO territory.rule (node_id, object, criteria) VALUES
    (territory.node_id('A'), 'account', 'size > 5'),
    (territory.node_id('A.B'), 'account', 'country = ''NL'''),
    (territory.node_id('D.E'), 'account', 'country IN (''BE'', ''US'')');
INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'US', 'FR'])[1 + i % 4], i % 12, date '2026-01-01' + i, now() - i * interval '1 day'
  FROM generate_series(1, 40) i;
SQL
my ($one, $two, $three) = map { Psql->new($db) } 1 .. 3;
$one->do($schema);

my $next = 1000;
sub wrong { return $_[0]->query("SELECT count(*) FROM territory.verify('account')") }
sub nodes
{
	my ($session, $key) = @_;
	return $session->query("SELECT string_agg(path::text, ' ' ORDER BY path) FROM territory.assignment WHERE key = '$key'");
}

# insert(SESSION, COUNTRY, SIZE): a new record, and where it came to
sub insert
{
	my ($session, $country, $size) = @_;
	$next++;
	my $answer = $session->query("INSERT INTO account (id, country, size) VALUES ($next, '$country', $size)");
	return $answer || nodes($session, $next);
}
sub set_criteria
{
	my ($node, $criteria) = @_;
	$criteria =~ s/'/''/g;
	return "UPDATE territory.rule SET criteria = '$criteria' WHERE node_id = territory.node_id('$node')";
}

# ---- another session's change counts from the next statement on
is(insert($two, 'NL', 9), 'A.B', 'a backend fills its cache');
$one->do(set_criteria('A.B', "country = 'FR'"));
is(insert($two, 'NL', 9), 'A', 'a rule changed elsewhere');
is(insert($two, 'FR', 9), 'A.B', 'a rule changed elsewhere, new matches');
$one->do("UPDATE territory.node SET cascade = false WHERE id = territory.node_id('A')");
is(insert($two, 'FR', 1), 'A.B', 'a gate opened elsewhere');
$one->do("UPDATE territory.node SET parent_id = territory.node_id('D') WHERE id = territory.node_id('A.B')");
is(insert($two, 'FR', 9), 'A D.B', 'a node moved elsewhere');
$one->do("INSERT INTO territory.exclusion (object, key, node_id) VALUES ('account', '" . ($next + 1) . "', territory.node_id('A'))");
is(insert($two, 'FR', 9), 'D.B', 'an exclusion made elsewhere, the first one');
$one->do('DELETE FROM territory.exclusion');
$one->do("UPDATE territory.object SET mode = 'first'; UPDATE territory.node SET priority = 1 WHERE id = territory.node_id('A')");
is(insert($two, 'FR', 9), 'A', 'a mode changed elsewhere');
$one->do("UPDATE territory.object SET mode = 'deepest'");
is(wrong($_), 0, 'nothing wrong') for $one, $two;

# ---- two statements in one transaction of the other session, at every isolation level
for my $level ('READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE')
{
	$two->do("BEGIN ISOLATION LEVEL $level; SELECT count(*) FROM account");
	$one->do(set_criteria('A', 'size > 7'));
	is(insert($two, 'US', 6), 'D.E', "$level: the first statement goes by the newest rules");
	$two->do('COMMIT');
	$one->do(set_criteria('A', 'size > 5'));
	is(insert($two, 'US', 6), 'A D.E', "$level: so does the next transaction");
}
is(wrong($two), 0, 'nothing wrong');

# ---- rollbacks of one's own changes
$one->do(set_criteria('A.C', '') =~ s/UPDATE.*/INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('A.C'), 'account', 'false')/r);
is(insert($one, 'FR', 9), 'A D.B', 'before');
$one->do('BEGIN');
$one->do(set_criteria('A.C', "country = 'FR'"));
is(insert($one, 'FR', 9), 'A.C D.B', 'own change');
$one->do('SAVEPOINT s');
$one->do(set_criteria('A.C', 'size = 3'));
is(insert($one, 'FR', 9), 'A D.B', 'own change after a savepoint');
$one->do('ROLLBACK TO s');
is(insert($one, 'FR', 9), 'A.C D.B', 'after ROLLBACK TO');
$one->do(q{DO $$BEGIN UPDATE territory.rule SET active = false; INSERT INTO account (id, country, size) VALUES (-1, 'FR', 9); RAISE 'no'; EXCEPTION WHEN raise_exception THEN NULL; END$$});
is(insert($one, 'FR', 9), 'A.C D.B', 'after an exception caught in plpgsql');
$one->do('ROLLBACK');
is(insert($one, 'FR', 9), 'A D.B', 'after ROLLBACK');
is(wrong($_), 0, 'nothing wrong') for $one, $two;
$one->do(q{DO $$
BEGIN
    UPDATE territory.rule SET criteria = 'country = ''FR''' WHERE node_id = territory.node_id('A.C');
    INSERT INTO account (id, country, size) VALUES (-10, 'FR', 9);
    BEGIN
        UPDATE territory.node SET parent_id = territory.node_id('D') WHERE id = territory.node_id('A.C');
        INSERT INTO account (id, country, size) VALUES (-11, 'FR', 9);
        BEGIN
            DELETE FROM territory.rule WHERE node_id = territory.node_id('A');
            INSERT INTO account (id, country, size) VALUES (-12, 'FR', 9);
            IF EXISTS (SELECT FROM territory.verify('account')) THEN RAISE 'wrong in the innermost block'; END IF;
            PERFORM 1 / 0;
        EXCEPTION WHEN division_by_zero THEN
            INSERT INTO account (id, country, size) VALUES (-13, 'FR', 9);
            IF EXISTS (SELECT FROM territory.verify('account')) THEN RAISE 'wrong in the innermost handler'; END IF;
        END;
        RAISE numeric_value_out_of_range;
    EXCEPTION WHEN numeric_value_out_of_range THEN
        INSERT INTO account (id, country, size) VALUES (-14, 'FR', 9);
        IF EXISTS (SELECT FROM territory.verify('account')) THEN RAISE 'wrong in the outer handler'; END IF;
    END;
END$$});
is($one->query("SELECT string_agg(key || ' ' || path, ', ' ORDER BY key::int DESC, path) FROM territory.assignment WHERE key LIKE '-1_'"),
	'-10 A.C, -10 D.B, -14 A.C, -14 D.B', 'three nested blocks, two caught exceptions');
is(wrong($_), 0, 'nothing wrong') for $one, $two;

# ---- prepared statements
$two->do('SET plan_cache_mode = force_generic_plan; PREPARE put (int, text, int) AS INSERT INTO account (id, country, size) VALUES ($1, $2, $3)',
	'PREPARE move (int, text) AS UPDATE account SET country = $2 WHERE id = $1',
	'PREPARE match AS SELECT count(*) FROM account a, territory.match(\'account\', a)');
for my $round (1 .. 4)
{
	$next++;
	$two->do("EXECUTE put ($next, 'NL', 3)", "EXECUTE move ($next, 'ZZ')", 'EXECUTE match');
	$one->do(set_criteria('A.C', $round % 2 ? "country = 'ZZ'" : "size = $round"));
	$two->do("EXECUTE move ($next, 'NL')", "EXECUTE move ($next, 'ZZ')");
	is(nodes($two, $next), $round % 2 ? 'A.C' : 'NULL', "prepared statements follow, $round");
	is($two->query('EXECUTE match'), $two->query('SELECT count(*) FROM account_territory'), "so does a prepared match(), $round");
}
is(wrong($two), 0, 'nothing wrong');

# ---- prepared transactions
{
	cmp_ok($one->query('SHOW max_prepared_transactions'), '>', 0, 'the server takes prepared transactions');
	$two->do("SET lock_timeout = '100ms'");
	for my $end ('COMMIT', 'ROLLBACK')
	{
		$one->do(set_criteria('A.C', 'size = 2'));
		is(insert($two, 'XX', 2), 'A.C', "$end PREPARED: before");
		$one->do('BEGIN', set_criteria('A.C', 'size = 4'), "PREPARE TRANSACTION 'territory'");
		like(insert($two, 'XX', 2), qr/canceling statement due to lock timeout/, "$end PREPARED: a writer waits for what is prepared");
		is($two->query("SELECT count(*) FROM territory.match('account', (SELECT a FROM account a WHERE id = " . ($next - 1) . "))"), 1, "$end PREPARED: a reader does not");
		$three->do("$end PREPARED 'territory'");
		is(insert($two, 'XX', 4), $end eq 'COMMIT' ? 'A.C' : 'NULL', "$end PREPARED: after");
		is(insert($one, 'XX', 2), $end eq 'COMMIT' ? 'NULL' : 'A.C', "$end PREPARED: after, in the backend that prepared");
		is(wrong($two), 0, 'nothing wrong');
	}
	$two->do('RESET lock_timeout', "BEGIN; INSERT INTO account (id, country, size) VALUES (" . ++$next . ", 'XX', 4); PREPARE TRANSACTION 'territory'");
	$one->do("SET lock_timeout = '100ms'");
	like($one->query(set_criteria('A.C', 'size = 3')), qr/lock timeout/, 'a prepared record: a rule change waits');
	$one->do('RESET lock_timeout');
	$three->do("COMMIT PREPARED 'territory'");
	$one->do(set_criteria('A.C', 'size = 3'));
	is(wrong($one), 0, 'nothing wrong');
}

# ---- DDL on the table, here and elsewhere, committed and rolled back
$one->do(set_criteria('A.C', "note LIKE 'x%' OR country = 'FR'"), 'ALTER TABLE account ADD COLUMN spare int');
my @ddl = (
	'ALTER TABLE account ADD COLUMN extra text DEFAULT \'xyz\'',
	'ALTER TABLE account DROP COLUMN spare',
	'ALTER TABLE account RENAME COLUMN country TO land',
	'ALTER TABLE account ALTER COLUMN size TYPE bigint',
	'ALTER TABLE account ALTER COLUMN size TYPE numeric USING 11 - size',
	'ALTER TABLE account ALTER COLUMN note TYPE varchar(100)',
	'ALTER TABLE account RENAME TO client',
	'CREATE SCHEMA crm; ALTER TABLE client SET SCHEMA crm; ALTER TABLE account_territory SET SCHEMA crm; SET search_path = public, crm',
	q{ALTER TABLE crm.account_territory RENAME TO "Client's"});
my ($table, $country) = ('account', 'country');
sub write_some
{
	my ($session, $what) = @_;
	$next++;
	my $answer = $session->query("INSERT INTO $table (id, $country, size, note) VALUES ($next, 'FR', 9, 'x'), (-$next, 'NL', 1, 'x');"
		  . " UPDATE $table SET size = 11 - size WHERE id IN ($next, 3, 4); DELETE FROM $table WHERE id = -$next;"
		  . " SELECT count(*) FROM territory.verify('$table')");
	is($answer, 0, $what);
}
for my $ddl (@ddl)
{
	my $short = $ddl =~ s/^ALTER TABLE //r;
	my ($new_table, $new_country) = ($table, $country);
	$new_country = 'land' if $ddl =~ / TO land/;
	$new_table = 'client' if $ddl =~ / TO client/;
	$new_table = 'crm.client' if $ddl =~ /SCHEMA/;
	write_some($_, "warm, before $short") for $one, $two;
	$one->do('BEGIN', $ddl);
	{
		my ($old_table, $old_country) = ($table, $country);
		($table, $country) = ($new_table, $new_country);
		write_some($one, "in the transaction: $short");
		($table, $country) = ($old_table, $old_country);
	}
	$one->do('ROLLBACK');
	write_some($_, "rolled back: $short") for $one, $two;
	$one->do('BEGIN; SAVEPOINT s', $ddl, 'ROLLBACK TO s');
	write_some($one, "rolled back to a savepoint: $short");
	$one->do('COMMIT');
	$three->do($ddl);
	($table, $country) = ($new_table, $new_country);
	$_->do("SET search_path = public, crm") for $ddl =~ /crm/ ? ($one, $two) : ();
	write_some($_, "committed elsewhere: $short") for $two, $one, $three;
}
like($one->query("ALTER TABLE $table DROP COLUMN note"), qr/^ERROR: .*would break rule \d+ .*of table crm.client/, 'a column that a rule reads stays');
write_some($_, 'after the refusal') for $one, $two;
$one->do("ALTER TABLE crm.\"Client's\" RENAME TO account_territory; ALTER TABLE crm.account_territory SET SCHEMA public; ALTER TABLE crm.client RENAME TO account; ALTER TABLE crm.account SET SCHEMA public; ALTER TABLE account RENAME land TO country");
$_->do('RESET search_path') for $one, $two, $three;
($table, $country) = ('account', 'country');
write_some($_, 'all renamed back') for $one, $two, $three;

# ---- configuration that arrives without triggers (logical replication, session_replication_role)
$one->do('DELETE FROM territory.rule', "INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('A'), 'account', 'size > 5')");
my $other = $one->query("INSERT INTO territory.rule (node_id, object, criteria, active) VALUES (territory.node_id('D'), 'account', 'size > 5', false) RETURNING id");
is(insert($two, 'ZZ', 9), 'A', 'replica: before');
$three->do("SET session_replication_role = replica; UPDATE territory.rule SET active = true WHERE id = $other");
is(insert($two, 'ZZ', 9), 'A D', 'replica: a rule');
$three->do("DELETE FROM territory.rule WHERE id = $other");
is(insert($two, 'ZZ', 9), 'A', 'replica: a rule deleted');
$three->do("INSERT INTO territory.exclusion (object, key) VALUES ('account', '" . ($next + 1) . "')");
is(insert($two, 'ZZ', 9), 'NULL', 'replica: an exclusion');
$three->do("UPDATE territory.object SET mode = 'first'");
$one->do("INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('A.C'), 'account', 'size > 5')");
is(insert($two, 'ZZ', 9), 'A', 'replica: a mode');
$three->do("UPDATE territory.node SET priority = 5 WHERE id = territory.node_id('A.C')");
is(insert($two, 'ZZ', 9), 'A.C', 'replica: a node');
$three->do('RESET session_replication_role');
$one->do("SELECT territory.run('account')");
is(wrong($one), 0, 'replica: a run settles the rest');
$one->do("UPDATE territory.object SET mode = 'deepest'; DELETE FROM territory.exclusion");

# ---- the writer's role and settings do not matter
$one->do('DELETE FROM territory.rule', 'DROP ROLE IF EXISTS territory_cache_writer', 'CREATE ROLE territory_cache_writer', 'GRANT SELECT, INSERT, UPDATE, DELETE ON account TO territory_cache_writer',
	"UPDATE territory.model SET time_zone = 'Europe/Amsterdam'");
my $dated = "INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('%s'), 'account', '%s')";
for (['A', "joined >= ''01/02/2026''"], ['A.C', "seen::date = ''2026-03-01''"], ['D', "seen > now() - interval ''30 days''"],
	['D.E', 'extract(hour from seen) = 12'], ['D.E.F', "seen = ''2026-03-01 12:30''"])
{
	$two->do("SET DateStyle = 'ISO, DMY'; SET TimeZone = 'Pacific/Auckland'", sprintf($dated, @$_));
}
$two->do("UPDATE territory.node SET cascade = false");
my %seen;
for my $settings ('RESET ALL', "SET TimeZone = 'Asia/Tokyo'", "SET TimeZone = 'America/Los_Angeles'; SET DateStyle = 'SQL, DMY'", "SET DateStyle = 'German'; SET IntervalStyle = 'sql_standard'",
	'SET search_path = \'\'', 'CREATE TEMP TABLE account (id int); SET search_path = public, pg_temp', 'RESET ALL; SET ROLE territory_cache_writer', 'SET extra_float_digits = 0; SET standard_conforming_strings = off; SET escape_string_warning = off')
{
	my $session = Psql->new($db);
	$session->do($settings);
	$next += 10;
	my $answer = $session->query("INSERT INTO public.account (id, joined, seen) VALUES ($next, '2026-01-02', '2026-03-01 00:15+01'), ($next + 1, '2026-01-01', '2026-02-28 23:59+01'), ($next + 2, '2026-03-03', '2026-03-01 12:30+01'), ($next + 3, NULL, now())");
	$answer ||= $three->query("SELECT string_agg((key::int - $next) || ' ' || path, ', ' ORDER BY key::int, path) FROM territory.assignment WHERE key::int BETWEEN $next AND $next + 3");
	push @{ $seen{$answer} }, $settings;
	$next += 3;
	is($session->query("SELECT count(*) FROM territory.verify('public.account')"), 0, "nothing wrong, says a session after $settings") unless $settings =~ /ROLE/;
	$session->close;
}
is(scalar keys %seen, 1, 'the same nodes whoever writes') or diag explain \%seen;
like((keys %seen)[0], qr/^0 A\.C, 2 A\.C, 2 D\.E\.F/, 'dates are read as the model says') or diag explain \%seen;
is(wrong($three), 0, 'nothing wrong');
$one->do('ALTER TABLE account OWNER TO territory_cache_writer', 'ALTER TABLE account_territory OWNER TO territory_cache_writer');
unlike(insert($_, 'NL', 3), qr/ERROR/, 'after a change of owner') for $one, $two;
is(wrong($three), 0, 'nothing wrong');
$one->do('ALTER TABLE account OWNER TO CURRENT_USER', 'ALTER TABLE account_territory OWNER TO CURRENT_USER', 'DROP OWNED BY territory_cache_writer', 'DROP ROLE territory_cache_writer');

# ---- DROP EXTENSION and CREATE EXTENSION in one session, also rolled back, while others are warm
$one->do('SET client_min_messages = error');
for my $round (1 .. 6)
{
	unlike(insert($two, 'NL', 9), qr/ERROR/, "round $round: warm");
	$one->do('BEGIN; DROP EXTENSION territory CASCADE', "INSERT INTO account (id) VALUES (" . ++$next . ')', 'ROLLBACK');
	unlike(insert($_, 'NL', 9), qr/ERROR/, "round $round: DROP EXTENSION rolled back") for $one, $two;
	is(wrong($one), 0, 'nothing wrong');
	$one->do('DROP EXTENSION territory CASCADE', 'DROP TABLE account_territory, account_territory_history');
	is($_->query("INSERT INTO account (id) VALUES (" . ++$next . ')'), '', "round $round: without the extension") for $one, $two;
	my $again = "CREATE EXTENSION territory; DO \$\$BEGIN PERFORM territory.attach('account'); END\$\$; INSERT INTO territory.node (path) VALUES ('A'), ('A.B');"
	  . " INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('A'), 'account', 'size > $round'), (territory.node_id('A.B'), 'account', 'country = ''NL''')";
	$one->do('BEGIN', $again);
	is(insert($one, 'NL', 9), 'A.B', "round $round: created anew");
	is(wrong($one), 0, 'nothing wrong');
	$one->do('ROLLBACK');
	is($_->query("INSERT INTO account (id) VALUES (" . ++$next . ')'), '', "round $round: creation rolled back") for $one, $two;
	$one->do($again);
	is(insert($_, 'NL', 9), 'A.B', "round $round: created anew and kept") for $two, $one;
	is(wrong($_), 0, 'nothing wrong') for $one, $two;
}

# ---- random walks
$one->do('DROP EXTENSION territory CASCADE', 'DROP TABLE account, account_territory, account_territory_history', 'CREATE EXTENSION territory', $schema);
my @countries = qw(NL BE US FR DE);
sub any { return $_[ rand @_ ] }
sub criteria
{
	my $c = any(@countries);
	my $n = int rand 12;
	return any("country = ''$c''", "size > $n", "size BETWEEN $n AND $n + 3", "country IN (''$c'', ''FR'') AND size < $n", "NOT (country = ''$c'')",
		"country LIKE ''" . substr($c, 0, 1) . "%''", "seen > now() - interval ''$n days''", "joined < ''2026-01-" . ($n + 1) . "''", "size % 3 = 1 OR country = ''$c''", 'note IS NULL', 'true');
}
my $a_node = '(SELECT id FROM territory.node ORDER BY random() LIMIT 1)';
my $a_rule = '(SELECT id FROM territory.rule ORDER BY random() LIMIT 1)';
my $an_id = '(SELECT id FROM account ORDER BY random() LIMIT 1)';
sub caught { return "DO \$\$BEGIN $_[0]; EXCEPTION WHEN OTHERS THEN IF SQLSTATE LIKE 'XX%' THEN RAISE; END IF; END\$\$" }
sub write_record
{
	$next++;
	my ($c, $n) = (any(@countries), int rand 12);
	return any(
		"INSERT INTO account VALUES ($next, '$c', $n, date '2026-01-01' + $n, now() - $n * interval '25 hours')",
		"INSERT INTO account VALUES (" . (1 + int rand 60) . ", '$c', $n) ON CONFLICT (id) DO UPDATE SET country = EXCLUDED.country, size = EXCLUDED.size",
		"UPDATE account SET country = '$c' WHERE id % 7 = $n", "UPDATE account SET size = $n WHERE id = $an_id",
		"UPDATE account SET id = $next WHERE id = $an_id", "DELETE FROM account WHERE id = $an_id",
		"WITH gone AS (DELETE FROM account WHERE id = $an_id RETURNING *) INSERT INTO account SELECT $next, country, size FROM gone",
		"MERGE INTO account USING (VALUES ($n, '$c'), ($next, '$c')) v (id, c) ON account.id = v.id WHEN MATCHED THEN UPDATE SET country = c WHEN NOT MATCHED THEN INSERT (id, country) VALUES (v.id, c)");
}
sub change_rules
{
	my $n = int rand 5;
	return any(
		("INSERT INTO territory.rule (node_id, object, criteria) VALUES ($a_node, 'account', '" . criteria() . "')") x 2,
		"UPDATE territory.rule SET criteria = '" . criteria() . "' WHERE id = $a_rule",
		"UPDATE territory.rule SET active = NOT active WHERE id = $a_rule",
		"UPDATE territory.rule SET node_id = $a_node WHERE id = $a_rule",
		"DELETE FROM territory.rule WHERE id = $a_rule",
		caught("UPDATE territory.node SET parent_id = $a_node WHERE id = $a_node"),
		"UPDATE territory.node SET cascade = NOT cascade WHERE id = $a_node",
		"UPDATE territory.node SET priority = $n, name = name WHERE id = $a_node",
		caught("UPDATE territory.node SET name = 'n$n' WHERE id = $a_node"),
		"INSERT INTO territory.exclusion (object, key, node_id) VALUES ('account', $an_id, $a_node) ON CONFLICT DO NOTHING",
		"DELETE FROM territory.exclusion WHERE id % 2 = $n % 2",
		"UPDATE territory.object SET mode = '" . any(qw(deepest deepest all first)) . "'",
		"UPDATE territory.model SET time_zone = '" . any('UTC', 'Asia/Tokyo') . "'");
}
sub block
{
	my ($depth) = @_;
	my @body = map { rand() < 0.5 ? change_rules() : write_record() } 1 .. 1 + rand 3;
	s/^DO .*?BEGIN (.*?); EXCEPTION.*/BEGIN $1; EXCEPTION WHEN OTHERS THEN NULL; END/s for @body;
	push @body, block($depth + 1) if $depth < 3 && rand() < 0.6;
	push @body, "IF EXISTS (SELECT FROM territory.verify('account')) THEN RAISE internal_error USING MESSAGE = 'wrong at depth $depth'; END IF";
	push @body, "RAISE 'undo'" if rand() < 0.5;
	return 'BEGIN ' . join('; ', @body) . '; EXCEPTION WHEN internal_error THEN RAISE; WHEN OTHERS THEN NULL; END';
}
my ($steps, $checks, $bad) = ($ENV{TERRITORY_STEPS} // 2500, 0, 0);
my ($depth, $open, @walk) = (0, 0);
sub check
{
	my ($session, $what) = @_;
	my $answer = wrong($session);
	$checks++;
	return if $answer eq '0';
	$bad++;
	diag "$what: $answer; the last steps:\n  ", join("\n  ", @walk[ ($#walk > 30 ? $#walk - 30 : 0) .. $#walk ]) if $bad <= 3;
}
for my $step (1 .. $steps)
{
	my $sql;
	my $dice = rand;
	if (!$open && $dice < 0.5) { ($sql, $open) = ('BEGIN', 1) }
	elsif ($open && $dice < 0.06) { ($sql, $open, $depth) = (any('COMMIT', 'COMMIT', 'ROLLBACK'), 0, 0) }
	elsif ($open && $depth < 3 && $dice < 0.16) { $sql = 'SAVEPOINT s' . ++$depth }
	elsif ($depth && $dice < 0.24) { $sql = "ROLLBACK TO s$depth" }
	elsif ($depth && $dice < 0.28) { $sql = 'RELEASE s' . $depth--; }
	elsif ($depth && $dice < 0.31) { $depth = 1 + int rand $depth; $sql = "ROLLBACK TO s$depth" }
	elsif ($dice < 0.37) { $sql = 'DO $$BEGIN ' . block(1) . '; END$$' }
	elsif ($dice < 0.62) { $sql = change_rules() }
	else { $sql = write_record() }
	push @walk, $sql;
	my $answer = $one->query($sql);
	if ($answer =~ /ERROR/)
	{
		# nothing is known that may fail
		$bad++;
		diag "$sql\n$answer" if $bad <= 3;
		$one->query('ROLLBACK');
		($open, $depth) = (0, 0);
	}
	check($one, 'here');
	next if $open;
	my $elsewhere = write_record();
	push @walk, "elsewhere: $elsewhere";
	$two->do($elsewhere);
	check($two, 'elsewhere');
}
$one->query('COMMIT') if $open;
check($three, 'at the end');
is($bad, 0, "random walk of $steps steps, $checks checks");
note $one->query('SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM account_territory), (SELECT count(*) FROM territory.rule)');

$_->close for $one, $two, $three;
system('dropdb', '--force', $db);
done_testing();
