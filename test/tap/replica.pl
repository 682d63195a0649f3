#!/usr/bin/perl
# Where ordinary triggers do not fire (logical replication's apply, session_replication_role = replica) the triggers of an
# attached table work when they are ENABLE ALWAYS; apply fires row triggers only, no statement triggers. The subscriber
# has rules of its own.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my ($publisher, $subscriber) = ('territory_publisher', 'territory_subscriber');
my $super = Psql->new('postgres');

# drop_old(): what an earlier run left, and what this one leaves
sub drop_old
{
	if ($super->query("SELECT count(*) FROM pg_database WHERE datname = '$subscriber'") eq '1')
	{
		my $session = Psql->new($subscriber);
		$session->query($_) for 'ALTER SUBSCRIPTION accounts DISABLE', 'ALTER SUBSCRIPTION accounts SET (slot_name = NONE)', 'DROP SUBSCRIPTION accounts';
		$session->close;
	}
	for my $try (1 .. 100)
	{
		last if $super->query("SELECT count(pg_drop_replication_slot(slot_name)) FROM pg_replication_slots WHERE slot_name = 'territory_accounts'") =~ /^\d/;
		select undef, undef, undef, 0.1;
	}
	system('dropdb', '--if-exists', '--force', $_) for $publisher, $subscriber;
	return;
}

$super->do('SET client_min_messages = error');
is($super->query('SHOW wal_level'), 'logical', 'the server decodes its log');
$ENV{PGOPTIONS} = '-c client_min_messages=error';
drop_old();
Psql::fresh_database($_) for $publisher, $subscriber;
my ($pub, $sub) = map { Psql->new($_) } $publisher, $subscriber;
my $tables = <<'SQL';
CREATE TABLE account (id int PRIMARY KEY, country text, size int, seen timestamptz DEFAULT now());
CREATE TABLE lead (id bigint, region int, amount int, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
CREATE TABLE lead_1 PARTITION OF lead FOR VALUES IN (1);
CREATE TABLE lead_2 (amount int, region int NOT NULL, id bigint NOT NULL);
ALTER TABLE lead ATTACH PARTITION lead_2 FOR VALUES IN (2);
SQL
$_->do($tables) for $pub, $sub;
$pub->do("INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'US'])[1 + i % 3], i % 9 FROM generate_series(1, 30) i",
	'INSERT INTO lead SELECT i, 1 + i % 2, i FROM generate_series(1, 30) i',
	'CREATE PUBLICATION accounts FOR TABLE account, lead',
	"SELECT pg_create_logical_replication_slot('territory_accounts', 'pgoutput')");
$sub->do(<<'SQL');
DO $$BEGIN PERFORM territory.attach('account'); PERFORM territory.attach('lead', kind => 'lead', key => 'id'); END$$;
INSERT INTO territory.node (path) VALUES ('A'), ('A.B'), ('A.C'), ('D');
INSERT INTO territory.rule (node_id, object, criteria) VALUES
    (territory.node_id('A'), 'account', 'size > 2'), (territory.node_id('A.B'), 'account', 'country = ''NL'''),
    (territory.node_id('A.C'), 'account', 'seen > now() - interval ''1 hour'' AND country IN (''BE'')'), (territory.node_id('D'), 'lead', 'amount > 10');
INSERT INTO territory.exclusion (object, key) VALUES ('account', '6');
SQL

# always(SESSION): every trigger of the engine on the attached tables, and on their partitions, fires always
sub always
{
	my ($session, $state) = @_;
	$session->do(<<"SQL");
DO \$\$
DECLARE t record;
BEGIN
    FOR t IN SELECT tgrelid::regclass AS relation, tgname FROM pg_trigger
              WHERE NOT tgisinternal AND tgname LIKE '00\\_territory\\_%' AND tgname <> '00_territory_guard' AND tgparentid = 0
                AND tgrelid IN (SELECT inhrelid FROM pg_inherits UNION SELECT object FROM territory.object)
    LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', t.relation, t.tgname);
    END LOOP;
END\$\$;
SQL
	return;
}
always($sub);
is($sub->query("SELECT string_agg(DISTINCT tgenabled::text, '') FROM pg_trigger WHERE NOT tgisinternal AND tgrelid IN ('account'::regclass, 'lead'::regclass, 'lead_1'::regclass, 'lead_2'::regclass)"),
	'A', 'every trigger is ENABLE ALWAYS, those of partitions too');

my ($port, $host) = map { $pub->query("SHOW $_") } 'port', 'unix_socket_directories';
$host =~ s/,.*//;
$sub->do("CREATE SUBSCRIPTION accounts CONNECTION 'host=$host port=$port dbname=$publisher user=" . $pub->query('SELECT current_user') . "' PUBLICATION accounts WITH (create_slot = false, slot_name = 'territory_accounts')");

# caught_up(): waits until all that the publisher did has been applied
sub caught_up
{
	my $lsn = $pub->query('SELECT pg_current_wal_lsn()');
	for my $try (1 .. 600)
	{
		return 1 if $pub->query("SELECT coalesce(bool_and(confirmed_flush_lsn >= '$lsn'), false) FROM pg_replication_slots WHERE slot_name = 'territory_accounts'") eq 't'
		  && $sub->query("SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel") eq 't';
		select undef, undef, undef, 0.1;
	}
	return 0;
}
sub wrong { return join ' ', map { $sub->query("SELECT count(*) FROM territory.verify('$_')") } 'account', 'lead' }
sub same
{
	my ($what) = @_;
	ok(caught_up(), "$what: applied");
	for my $table ('account', 'lead')
	{
		my $query = "SELECT md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM (SELECT * FROM $table) x";
		my ($there, $here) = map { $_->query("SET TimeZone = UTC; $query") } $pub, $sub;
		is($here, $there, "$what: the same rows of $table");
	}
	is(wrong(), '0 0', "$what: nothing wrong");
	return;
}
same('initial copy');
is($sub->query('SELECT (SELECT count(*) FROM account_territory) > 10 AND (SELECT count(*) FROM lead_territory) = 20'), 't', 'there are assignments');

my @steps = (
	['insert', "INSERT INTO account VALUES (101, 'NL', 5), (102, 'NL', 1), (103, 'BE', 5), (104, 'US', 5); INSERT INTO lead VALUES (101, 1, 20), (102, 2, 20), (103, 2, 1)"],
	['update', "UPDATE account SET country = 'NL', size = size + 1 WHERE id % 4 = 0; UPDATE lead SET amount = amount + 5 WHERE id % 2 = 0"],
	['no rule column', "UPDATE account SET seen = '2020-01-01' WHERE country = 'BE' AND id < 10; UPDATE account SET size = size"],
	['change of key', 'UPDATE account SET id = id + 1000 WHERE id < 10; UPDATE lead SET id = id + 1000 WHERE id < 10'],
	['move between partitions', 'UPDATE lead SET region = 3 - region WHERE id % 3 = 0'],
	['delete', 'DELETE FROM account WHERE id % 5 = 0; DELETE FROM lead WHERE id % 5 = 0'],
	['delete and insert again', 'BEGIN; DELETE FROM account WHERE id = 101; INSERT INTO account VALUES (101, \'BE\', 7); UPDATE account SET size = 8 WHERE id = 101; COMMIT'],
	['many rows', "INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'US'])[1 + i % 3], i % 9 FROM generate_series(5000, 8000) i; UPDATE account SET size = 9 - size WHERE id >= 5000; DELETE FROM account WHERE id > 6000"],
	['savepoint', "BEGIN; INSERT INTO account VALUES (201, 'NL', 5); SAVEPOINT s; INSERT INTO account VALUES (202, 'NL', 5); ROLLBACK TO s; INSERT INTO account VALUES (203, 'NL', 5); COMMIT"],
	['truncate', 'TRUNCATE account, lead'],
	['after truncate', "INSERT INTO account VALUES (1, 'NL', 5), (6, 'NL', 5); INSERT INTO lead VALUES (1, 1, 11), (2, 2, 11)"]);
for (@steps)
{
	my ($what, $sql) = @$_;
	$pub->do($sql);
	same($what);
}
is($sub->query("SELECT string_agg(object || ' ' || key || ' ' || path, ', ' ORDER BY object::text, key, path) FROM territory.assignment"),
	'account 1 A.B, lead 1 D, lead 2 D', 'and they are what one expects');

# the subscriber's rules change while changes come in
for my $round (1 .. 12)
{
	$pub->send("INSERT INTO account SELECT i, (ARRAY['NL', 'BE', 'US'])[1 + i % 3], i % 9 FROM generate_series($round * 1000, $round * 1000 + 300) i; UPDATE account SET size = size + 1 WHERE id % 7 = $round % 7");
	$sub->do("UPDATE territory.rule SET criteria = 'size > $round' WHERE node_id = territory.node_id('A')") if $round % 3;
	$sub->do('UPDATE territory.node SET cascade = NOT cascade WHERE id = territory.node_id(\'A\')') unless $round % 3;
	$pub->result;
}
same('rules changed meanwhile');
is($sub->query("SELECT count(*) FROM pg_stat_subscription_stats WHERE apply_error_count > 0"), 0, 'apply met no error');

# the assignments themselves, replicated as a table like any other: what the engine writes without SQL is in the log too
$pub->do(<<'SQL');
CREATE TABLE deal (id int PRIMARY KEY, v int);
DO $$BEGIN PERFORM territory.attach('deal', mode => 'all'); END$$;
INSERT INTO territory.node (path) VALUES ('X'), ('X.Y');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('X'), 'deal', 'v > 0'),
    (territory.node_id('X.Y'), 'deal', 'v > 3'), (territory.node_id('X.Y'), 'deal', 'v > 5');
ALTER PUBLICATION accounts ADD TABLE deal_territory;
SQL
$sub->do('CREATE TABLE deal_territory (id int, node_id int, rule_id int, manual bool, since timestamptz, PRIMARY KEY (id, node_id))', 'ALTER SUBSCRIPTION accounts REFRESH PUBLICATION');
caught_up();
for ('INSERT INTO deal VALUES (1, 7)', 'INSERT INTO deal SELECT i, i % 10 FROM generate_series(2, 3000) i', 'UPDATE deal SET v = 9 - v WHERE id % 3 = 0',
	"UPDATE territory.rule SET active = false WHERE criteria = 'v > 3'", 'BEGIN; UPDATE deal SET v = 6; SAVEPOINT s; UPDATE deal SET v = 0; ROLLBACK TO s; COMMIT',
	"UPDATE territory.rule SET active = true WHERE criteria = 'v > 3'", 'ALTER TABLE deal_territory REPLICA IDENTITY FULL; UPDATE deal SET v = id % 8', 'DELETE FROM deal WHERE id % 2 = 0')
{
	$pub->do($_);
	caught_up();
	my ($there, $here) = map { $_->query("SET TimeZone = UTC; SELECT count(*) || md5(string_agg(x::text, ' ' ORDER BY x::text)) FROM deal_territory x") } $pub, $sub;
	is($here, $there, "replicated assignments: $_");
}
is($sub->query('SELECT count(*) > 1000 FROM deal_territory'), 't', 'and there are many');
$pub->do('ALTER TABLE deal_territory REPLICA IDENTITY NOTHING', 'INSERT INTO deal VALUES (-1, 5)');
like($pub->query('UPDATE deal SET v = 0 WHERE id = -1'), qr/^ERROR:  cannot delete from table "deal_territory" because it does not have a replica identity/m, 'without a replica identity, an error as from SQL');
$pub->do('ALTER TABLE deal_territory REPLICA IDENTITY DEFAULT');

# both levels of triggers are needed: with ordinary ones verify() shows what was missed, and run() mends it
$sub->do('ALTER TABLE account ENABLE TRIGGER "00_territory_record"');
$pub->do("INSERT INTO account VALUES (-1, 'NL', 50)");
ok(caught_up(), 'ordinary triggers: applied');
is($sub->query("SELECT key || stored || computed FROM territory.verify('account')"), '-1falsetrue', 'ordinary triggers do not fire in apply; verify() says so');
$sub->do("SELECT territory.run('account')");
is(wrong(), '0 0', 'a run mends it');
always($sub);
$sub->close;
$pub->close;
drop_old();

# ---- session_replication_role = replica in a plain session
Psql::fresh_database($subscriber);
$sub = Psql->new($subscriber);
$sub->do($tables, q{DO $$BEGIN PERFORM territory.attach('account'); PERFORM territory.attach('lead', kind => 'lead', key => 'id'); END$$;
INSERT INTO territory.node (path) VALUES ('A'), ('A.B'), ('D');
INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('A'), 'account', 'size > 2'),
    (territory.node_id('A.B'), 'account', 'country = ''NL'''), (territory.node_id('D'), 'lead', 'amount > 10')});
for my $which ('all triggers', 'row triggers only')
{
	always($sub);
	if ($which ne 'all triggers')
	{
		$sub->do("ALTER TABLE $_ ENABLE TRIGGER \"00_territory_begin\", ENABLE TRIGGER \"00_territory_end\"") for 'account', 'lead';
	}
	$sub->do('SET session_replication_role = replica');
	for (@steps, ['upsert', "INSERT INTO account VALUES (1, 'US', 5), (300, 'NL', 9) ON CONFLICT (id) DO UPDATE SET country = EXCLUDED.country"],
		['merge', "MERGE INTO account USING (VALUES (1), (301)) v (id) ON v.id = account.id WHEN MATCHED THEN UPDATE SET country = 'NL' WHEN NOT MATCHED THEN INSERT VALUES (v.id, 'NL', 5)"],
		['a partition itself', 'INSERT INTO lead_2 VALUES (50, 2, 400); UPDATE lead_2 SET amount = 1 WHERE id = 2; TRUNCATE lead_1'],
		['copy', "\\copy account (id, country, size) from program 'echo 400,NL,5' csv"], ['clear', 'TRUNCATE account, lead'])
	{
		my ($what, $sql) = @$_;
		$sub->do($sql);
		is(wrong(), '0 0', "replica role, $which: $what: nothing wrong");
	}
	$sub->do('RESET session_replication_role');
}
$sub->do('ALTER TABLE account ENABLE TRIGGER "00_territory_record"', 'SET session_replication_role = replica', "INSERT INTO account VALUES (1, 'NL', 5)");
is($sub->query("SELECT key || stored || computed FROM territory.verify('account')"), '1falsetrue', 'replica role, ordinary triggers: verify() says what is missing');
$sub->do("SELECT territory.run('account')");
is(wrong(), '0 0', 'a run mends it');

$sub->close;
system('dropdb', '--force', $subscriber);
$super->close;
done_testing();
