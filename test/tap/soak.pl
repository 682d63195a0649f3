#!/usr/bin/perl
# Many writers of accounts beside a session that changes rules, moves nodes and excludes, at all isolation levels: at
# the end nothing is wrong, and writers of accounts have not locked one another out. SOAK_SECONDS (15).
#
# Before that, pairs of SERIALIZABLE transactions: of those the server may end one (40001), which one depends on its
# plans, so that the isolation specs leave them out.
use strict;
use warnings;
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use lib dirname(__FILE__);
use Psql;
use Test::More;

my $db = 'territory_soak';
my $seconds = $ENV{SOAK_SECONDS} // 15;
my $folder = tempdir(CLEANUP => 1);

Psql::fresh_database($db);
my $one = Psql->new($db);
$one->do(<<'SQL');
CREATE TABLE account (id int PRIMARY KEY, country text NOT NULL, size int NOT NULL, note text);
CREATE INDEX ON account (country);
INSERT INTO account SELECT i, 'C' || i % 7, i % 50 FROM generate_series(1, 400) i;
DO $$BEGIN PERFORM territory.attach('account'); END$$;
INSERT INTO territory.node (path) VALUES ('A'), ('B'), ('C');
INSERT INTO territory.node (path) SELECT (p || '.N' || i)::territory.territory FROM unnest('{A,B,C}'::text[]) p, generate_series(1, 4) i;
INSERT INTO territory.node (path) SELECT (n.path::text || '.M' || i)::territory.territory FROM territory.node n, generate_series(1, 2) i WHERE territory.nlevel(n.path) = 2;
INSERT INTO territory.rule (node_id, object, criteria)
SELECT id, 'account', CASE territory.nlevel(path) WHEN 1 THEN 'size > ' || id % 5 WHEN 2 THEN 'country IN (''C' || id % 7 || ''', ''C' || id % 5 || ''')' ELSE 'size % 3 = ' || id % 3 END
  FROM territory.node;
SQL
sub wrong { return $one->query("SELECT count(*) FROM territory.verify('account')") }
is(wrong(), 0, 'nothing wrong to begin with');

# ---- two SERIALIZABLE transactions, in every order
my %write = (
	insert => "INSERT INTO account VALUES (-1, 'C1', 9), (-2, 'C2', 9)", update => "UPDATE account SET country = 'C1', size = 8 WHERE id <= 5",
	delete => 'DELETE FROM account WHERE id IN (2, 3)', rekey => 'UPDATE account SET id = -id WHERE id <= 5');
my %change = (
	rule => "UPDATE territory.rule SET criteria = 'country = ''C1''' WHERE node_id = territory.node_id('A.N1')",
	gate => "DELETE FROM territory.rule WHERE node_id = territory.node_id('A')",
	new => "INSERT INTO territory.rule (node_id, object, criteria) VALUES (territory.node_id('B'), 'account', 'size = 8')",
	move => "UPDATE territory.node SET parent_id = territory.node_id('B.N2') WHERE id = territory.node_id('A.N1')",
	flip => "UPDATE territory.node SET cascade = false WHERE id = territory.node_id('A')",
	exclude => "INSERT INTO territory.exclusion (object, key) VALUES ('account', '-1'), ('account', '1')", run => "SELECT territory.run('account')");
my ($writer, $changer) = map { Psql->new($db) } 1 .. 2;
my $undo = "DELETE FROM account WHERE id <= 5; INSERT INTO account SELECT i, 'C' || i % 7, i % 50 FROM generate_series(1, 5) i";
my ($failed, $wrong, $both) = (0, 0, 0);
$one->do('CREATE TABLE kept_rule AS SELECT * FROM territory.rule', 'CREATE TABLE kept_node AS SELECT * FROM territory.node');

# again(): rules and nodes as they were
sub again
{
	$one->do('DELETE FROM territory.exclusion', 'DELETE FROM territory.rule', 'UPDATE territory.node n SET cascade = true, parent_id = k.parent_id FROM kept_node k WHERE k.id = n.id',
		'INSERT INTO territory.rule (id, node_id, object, criteria, active) SELECT id, node_id, object, criteria, active FROM kept_rule', $undo);
	return;
}
for my $write (sort keys %write)
{
	for my $change (sort keys %change)
	{
		for my $order ('wc', 'cw')
		{
			again();
			my ($first, $second) = $order eq 'wc' ? ($writer, $changer) : ($changer, $writer);
			my %sql = ($writer => $write{$write}, $changer => $change{$change});
			$_->do('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; SELECT count(*) FROM pg_class') for $writer, $changer;
			my $answer = $first->query($sql{$first});
			$second->send($sql{$second});
			select undef, undef, undef, 0.005;
			$answer .= $first->query('COMMIT');
			$answer .= $second->result;
			$answer .= $second->query('COMMIT');
			$both++ if $answer !~ /ERROR/;
			$failed++, diag "$write $change $order: $answer" if $answer =~ /ERROR:(?!  could not serialize access|  current transaction is aborted)/;
			my $bad = wrong();
			$wrong++, diag "$write $change $order: $bad wrong" if $bad ne '0';
		}
	}
}
is($failed, 0, 'SERIALIZABLE pairs: no other error than 40001');
is($wrong, 0, 'SERIALIZABLE pairs: nothing wrong');
cmp_ok($both, '>', 0, 'SERIALIZABLE pairs: some get through');
$_->close for $writer, $changer;
again();

# ---- the soak
sub script
{
	my ($name, $sql) = @_;
	open my $out, '>', "$folder/$name" or die $!;
	print $out $sql;
	close $out;
	return "$folder/$name";
}

# the writers touch one row a statement, or several in key order: among themselves they have no reason to deadlock
my $write = script('write', <<'SQL');
\set id random(1, 400)
\set new random(1000, 100000000)
\set c random(0, 8)
\set size random(0, 49)
\set dice random(1, 100)
\set level random(1, 3)
\if :level = 1
BEGIN ISOLATION LEVEL READ COMMITTED;
\elif :level = 2
BEGIN ISOLATION LEVEL REPEATABLE READ;
\else
BEGIN ISOLATION LEVEL SERIALIZABLE;
\endif
SELECT count(*) FROM account_territory;
\if :dice <= 25
INSERT INTO account VALUES (:new, 'C' || :c, :size) ON CONFLICT (id) DO UPDATE SET country = EXCLUDED.country;
\elif :dice <= 60
UPDATE account SET country = 'C' || :c, size = :size WHERE id = :id;
\elif :dice <= 70
UPDATE account SET note = 'n' || :c WHERE id = :id;
\elif :dice <= 80
DELETE FROM account WHERE id = :id;
INSERT INTO account VALUES (:id, 'C' || :c, :size) ON CONFLICT DO NOTHING;
\elif :dice <= 85
DELETE FROM account WHERE id > 1000 AND id % 7 = :c AND id = (SELECT max(id) FROM account);
\elif :dice <= 90
INSERT INTO account SELECT :new + i, 'C' || :c, i FROM generate_series(1, 20) i ON CONFLICT DO NOTHING;
\elif :dice <= 95
SAVEPOINT s;
INSERT INTO account VALUES (:new, 'C' || :c, :size) ON CONFLICT DO NOTHING;
ROLLBACK TO s;
INSERT INTO account VALUES (:new, 'C' || :c, :size + 1) ON CONFLICT DO NOTHING;
\else
UPDATE account SET id = :new WHERE id = :id AND NOT EXISTS (SELECT FROM account WHERE id = :new);
INSERT INTO account VALUES (:id, 'C' || :c, :size) ON CONFLICT DO NOTHING;
\endif
COMMIT;
SQL
# one change a transaction, sometimes two, sometimes rolled back
my $change = script('change', <<'SQL');
\set node random(1, 39)
\set other random(1, 39)
\set c random(0, 8)
\set size random(0, 49)
\set id random(1, 400)
\set dice random(1, 100)
\set level random(1, 3)
\set end random(1, 10)
\sleep 3 ms
\if :level = 1
BEGIN ISOLATION LEVEL READ COMMITTED;
\elif :level = 2
BEGIN ISOLATION LEVEL REPEATABLE READ;
\else
BEGIN ISOLATION LEVEL SERIALIZABLE;
\endif
SELECT count(*) FROM account_territory;
\if :dice <= 15
UPDATE territory.rule SET criteria = 'country = ''C' || :c || ''' OR size = ' || :size WHERE node_id = :node;
\elif :dice <= 25
INSERT INTO territory.rule (node_id, object, criteria) VALUES (:node, 'account', 'size BETWEEN ' || :size || ' AND ' || :size + 5);
DELETE FROM territory.rule r WHERE id = (SELECT max(id) FROM territory.rule WHERE id <> r.id) AND (SELECT count(*) FROM territory.rule) > 50;
\elif :dice <= 35
DELETE FROM territory.rule WHERE node_id = :other;
INSERT INTO territory.rule (node_id, object, criteria) VALUES (:node, 'account', 'size % 4 = ' || :c % 4);
\elif :dice <= 45
UPDATE territory.rule SET active = NOT active WHERE node_id = :node;
\elif :dice <= 60
UPDATE territory.node SET parent_id = o.id FROM territory.node o WHERE node.id = :node AND o.id = :other AND NOT o.path OPERATOR(territory.<@) node.path AND NOT EXISTS (SELECT FROM territory.node s WHERE s.parent_id = o.id AND s.name = node.name);
\elif :dice <= 70
UPDATE territory.node SET cascade = NOT cascade WHERE id = :node;
\elif :dice <= 80
INSERT INTO territory.exclusion (object, key, node_id) VALUES ('account', :id, nullif(:node, :c)) ON CONFLICT DO NOTHING;
\elif :dice <= 88
DELETE FROM territory.exclusion WHERE id % 3 = :c % 3;
\elif :dice <= 93
SELECT * FROM territory.run('account');
\elif :dice <= 97
UPDATE territory.object SET mode = CASE :c % 3 WHEN 0 THEN 'all' WHEN 1 THEN 'first' ELSE 'deepest' END;
\else
UPDATE territory.model SET time_zone = CASE :c % 2 WHEN 0 THEN 'UTC' ELSE 'Asia/Tokyo' END;
\endif
\if :end = 1
ROLLBACK;
\else
COMMIT;
\endif
SQL
my %pid;
for (['writers', $write, 4], ['changer', $change, 1])
{
	my ($name, $file, $clients) = @$_;
	defined($pid{$name} = fork) or die "fork: $!";
	next if $pid{$name};
	open STDOUT, '>', "$folder/$name.out" or die $!;
	open STDERR, '>&', \*STDOUT;
	exec 'pgbench', '-n', '-T', $seconds, '-c', $clients, '-j', ($clients > 1 ? 2 : 1), '-f', $file, '--max-tries=1000', '--verbose-errors', $db or exit 127;
}
for my $name (sort keys %pid)
{
	waitpid $pid{$name}, 0;
	my $ended = $? == 0;
	open my $handle, '<', "$folder/$name.out" or die $!;
	my $text = do { local $/; <$handle> };
	close $handle;
	my ($done) = $text =~ /number of transactions actually processed: (\d+)/;
	my ($retried) = $text =~ /number of transactions retried: (\d+)/;
	my @errors = grep { !/could not serialize access/ } $text =~ /((?:ERROR|FATAL|PANIC): .*)/g;
	ok($ended && $text !~ /aborted in command/, "$name: came to their end") or diag $text =~ s/\A(.{3000}).*/$1/sr;
	cmp_ok($done // 0, '>', 0, "$name: did something");
	is(scalar(grep { /deadlock/ } @errors), 0, "$name: no deadlock");
	is(scalar(grep { !/deadlock/ } @errors), 0, "$name: no error but 40001") or diag join "\n", @errors[ 0 .. ($#errors < 5 ? $#errors : 5) ];
	note "$name: ", $done // '?', ' transactions, ', $retried // '?', ' retried';
}
is(wrong(), 0, 'nothing wrong at the end');
is($one->query('SELECT count(*) FROM (SELECT id FROM account_territory EXCEPT ALL SELECT a.id FROM account a, territory.match(\'account\', a)) x'), 0, 'nor does match() say otherwise');
note $one->query("SELECT (SELECT count(*) FROM account), (SELECT count(*) FROM account_territory), (SELECT count(*) FROM territory.rule), (SELECT string_agg(path::text, ' ') FROM territory.node)");
like($one->query("SELECT rows_read > 0, added, removed FROM territory.run('account')"), qr/^t\|0\|0$/, 'a run has nothing to do');
is($one->query('SELECT count(*) FROM territory.node n LEFT JOIN territory.node p ON p.id = n.parent_id WHERE n.path <> coalesce(territory.child(p.path, n.name), territory.child(\'\', n.name))' =~ s/n\.path <>/n.path OPERATOR(territory.<>)/r),
	0, 'the paths are as the parents say');

$one->close;
system('dropdb', '--force', $db);
done_testing();
