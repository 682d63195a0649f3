#!/usr/bin/env perl
# why_not.pl: what why_not() suggests brings the record to the node, and no smaller set of columns does; what explain() says
# is what decides. Random trees, rules, exclusions, decisions by hand, members, and accounts, in families or not, with contacts
# and deals; brute force over a small domain (test/oracle/why_not.sql, explain.sql).
#
# WHY_NOT_WORLDS  how many (default 60)    WHY_NOT_SEED  the first world's number (default: by the clock)
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Psql;
use Test::More;

my $worlds = $ENV{WHY_NOT_WORLDS} || 60;
my $seed = $ENV{WHY_NOT_SEED} || time % 1_000_000_000;
my $database = 'territory_why_not';

sub rnd { return int(rand($_[0])) }
sub pick { return $_[rnd(scalar @_)] }

my ($plain, $family);

# condition: on one column, or now and then on several
sub condition
{
	return pick('a < c', 'a + c = 3', "b || a::text = 'x1'", 'a % 2 = c % 2') if !$plain && rnd(4) == 0;
	# what nobody can change where it says which record is above
	return pick('up IS NULL', 'up IS NULL', 'up IS NOT NULL') if $family ne 'none' && rnd(6) == 0;
	my $number = pick('a', 'c');
	return pick(
		"$number " . pick('=', '<>', '<', '<=', '>', '>=') . ' ' . rnd(5),
		"$number IN (" . join(', ', map { rnd(5) } 0 .. rnd(3)) . ')',
		"$number NOT IN (" . rnd(5) . ', ' . rnd(5) . ')',
		"$number BETWEEN " . rnd(3) . ' AND ' . (1 + rnd(4)),
		"$number IS NULL", "$number IS NOT NULL",
		'b ' . pick('=', '<>', '<', '>=') . " '" . pick('x', 'y', 'z') . "'",
		"b IN ('" . pick('x', 'y') . "', '" . pick('y', 'z') . "')",
		"b LIKE '" . pick('x', 'y') . "%'",
		"b NOT LIKE '" . pick('x', 'y') . "%'",
		'b IS NULL', 'd', 'd', 'd IS NULL');
}

# deal_condition: likewise, of deals
sub deal_condition
{
	return pick('amount::text < stage', "person || amount::text = 'ann1'") if !$plain && rnd(5) == 0;
	return pick(
		'amount ' . pick('=', '<>', '<', '<=', '>', '>=') . ' ' . rnd(5), 'amount ' . pick('>', '>=', '<') . ' ' . rnd(3),
		'amount IS NULL', "person = '" . pick('ann', 'bob') . "'", "person <> 'cy'", "stage = '" . pick('new', 'late', 'won') . "'", "stage <> 'late'", 'true');
}

sub criteria
{
	my ($depth, $condition) = @_;
	my $kind = rnd(5);
	return $condition->() if $depth == 0 || $kind == 0;
	return 'NOT (' . criteria($depth - 1, $condition) . ')' if $kind == 1;
	return '(' . join(pick(' AND ', ' OR '), map { criteria($depth - 1, $condition) } 0 .. 1 + rnd(2)) . ')';
}

sub value { my ($null, @values) = @_; return $null && rnd(4) == 0 ? 'NULL' : pick(@values) }

sub rule
{
	my ($path, $object, $text) = @_;
	$text =~ s/'/''/g;
	return "INSERT INTO rule (node_id, object, criteria, active) VALUES (node_id('$path'), '$object', '$text', " . pick('true', 'true', 'true', 'true', 'false') . ')';
}

sub deal_row { my ($id) = @_; return "($id, " . join(', ', value(1, 1 .. 4, 1 .. 3), value(1, "'ann'", "'bob'", "'cy'"), value(1, 0 .. 4), value(1, "'new'", "'late'")) . ')' }

# make_world: the statements that make one, and those that come when its records have their territories
sub make_world
{
	my @paths = ('N');
	$family = pick('none', 'unmatched', 'unmatched', 'all');
	push @paths, rnd(8) ? pick(@paths) . '.' . chr(65 + scalar @paths) : chr(65 + scalar @paths) for 1 .. 3 + rnd(6);
	my @sql = ((map { "DELETE FROM $_" } qw(deal offer contact account rule exclusion node)), "UPDATE territory.object SET mode = '" . pick('deepest', 'deepest', 'first', 'all') . "' WHERE kind = 'account'",
		"UPDATE territory.object SET family_mode = '$family' WHERE family IS NOT NULL", "UPDATE territory.object SET closed = '" . pick('freeze', 'freeze', 'follow') . "' WHERE kind = 'deal'");
	for my $path (@paths)
	{
		push @sql, "INSERT INTO node (path, priority, cascade) VALUES ('$path', " . pick(0, 0, 1, 2) . ', ' . pick('true', 'true', 'true', 'false') . ')';
		push @sql, rule($path, 'account', criteria(2, \&condition)) for 1 .. pick(0, 1, 1, 1, 2);
		for my $object ('deal', 'offer')
		{
			push @sql, rule($path, $object, criteria(1, \&deal_condition)) for 1 .. pick(0, 0, 1, 1);
		}
		push @sql, "INSERT INTO member (node_id, member) VALUES (node_id('$path'), '" . pick('ann', 'bob', 'cy') . "') ON CONFLICT DO NOTHING" for 1 .. rnd(3);
	}
	push @sql, "INSERT INTO account VALUES ($_, " . join(', ', value(1, 0 .. 4), value(1, "'x'", "'y'", "'z'", "'x0'", "'w'"), value(0, 0 .. 4), value(1, 'true', 'false'), $_ == 1 && rnd(2) ? 'NULL' : value(1, 1, 1 .. 4)) . ')' for 1 .. 3;
	push @sql, "INSERT INTO contact VALUES ($_, " . value(1, 1 .. 4) . ')' for 1 .. 3;
	push @sql, "INSERT INTO $_ VALUES " . deal_row(1) . ', ' . deal_row(2) for 'deal', 'offer';
	my $record = sub { my $object = pick('account', 'account', 'contact', 'deal', 'offer'); return "'$object', '" . (1 + rnd($object =~ /deal|offer/ ? 2 : 3)) . "'" };
	push @sql, 'INSERT INTO exclusion (object, key, node_id) VALUES (' . $record->() . ', ' . (rnd(4) ? "node_id('" . pick(@paths) . "')" : 'NULL') . ') ON CONFLICT DO NOTHING' for 1 .. rnd(5);
	my @later = map { "UPDATE $_ SET stage = '" . pick('won', 'lost') . "' WHERE id = 1" } grep { rnd(2) } 'deal', 'offer';
	push @later, 'UPDATE account SET ' . pick('a = ' . rnd(5), "b = 'x'", 'd = NOT d') . ' WHERE id < 3' for 1 .. rnd(3);
	push @later, "SELECT assign('account', '1', '" . pick(@paths) . "')" if $family ne 'none' && rnd(2);
	push @later, 'SELECT assign(' . $record->() . ", '" . pick(@paths) . "')" if !rnd(2);
	return (\@sql, \@later);
}

system('dropdb', '--if-exists', $database) == 0 and system('createdb', $database) == 0 or die 'could not make a database';
my $session = Psql->new($database, "SET client_min_messages = warning; CREATE EXTENSION territory; SET search_path = public, territory; \\i $FindBin::Bin/../oracle/oracle.sql
\\i $FindBin::Bin/../oracle/explain.sql
\\i $FindBin::Bin/../oracle/why_not.sql");
my @deal = map { "SELECT attach('$_->[0]', 'deal', parent => '$_->[1]', parent_key => 'up', owner => 'person', category => \$\$CASE WHEN stage = 'won' THEN 'closed' WHEN stage = 'lost' THEN 'omitted' ELSE 'pipeline' END\$\$)" } ['deal', 'account'], ['offer', 'contact'];
$session->do("SELECT attach('account', family => 'up')", "SELECT attach('contact', 'contact', parent => 'account', parent_key => 'account')", @deal);
diag("WHY_NOT_SEED=$seed");
my ($answers, $changes, $above) = (0, 0, 0);
for my $world ($seed .. $seed + $worlds - 1)
{
	srand($world);
	$plain = rnd(3) > 0;
	my ($sql, $later) = make_world();
	$session->do('BEGIN', 'SET LOCAL territory.defer_runs = on', @$sql, 'COMMIT', map { "SELECT run('$_')" } qw(account contact deal offer));
	# somebody who is excluded cannot be assigned
	$session->query($_) for @$later;
	my $result = $session->query('SELECT answers, changes, above, wrong FROM check_why_not(' . ($plain ? 'true' : 'false') . ')');
	my ($asked, $proven, $followed, $wrong) = split /\|/, $result, 4;
	is($wrong, 'NULL', "world $world") or diag($result, "\n", join(";\n", @$sql, @$later));
	$answers += $asked =~ /^\d+$/ ? $asked : 0;
	$changes += $proven || 0;
	$above += $followed || 0;
}
cmp_ok($changes, '>', $worlds, "$answers answers, $changes proven changes of a column");
cmp_ok($above, '>', $worlds, "$above of them by the record above");
$session->close;
system('dropdb', $database);
done_testing();
