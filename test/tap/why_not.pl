#!/usr/bin/env perl
# why_not.pl: what why_not() suggests brings the record to the node, and no smaller set of columns does. Random trees,
# rules, exclusions and records; brute force over a small domain (test/oracle/why_not.sql).
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

my $plain;

# condition: on one column, or now and then on several
sub condition
{
	return pick('a < c', 'a + c = 3', "b || a::text = 'x1'", 'a % 2 = c % 2') if !$plain && rnd(4) == 0;
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

sub criteria
{
	my ($depth) = @_;
	my $kind = rnd(5);
	return condition() if $depth == 0 || $kind == 0;
	return 'NOT (' . criteria($depth - 1) . ')' if $kind == 1;
	return '(' . join(pick(' AND ', ' OR '), map { criteria($depth - 1) } 0 .. 1 + rnd(2)) . ')';
}

sub value { my ($null, @values) = @_; return $null && rnd(4) == 0 ? 'NULL' : pick(@values) }

# make_world: the statements that make one
sub make_world
{
	my @paths = ('N');
	push @paths, pick(@paths) . '.' . chr(65 + scalar @paths) for 1 .. 3 + rnd(6);
	my @sql = ('DELETE FROM account', 'DELETE FROM rule', 'DELETE FROM exclusion', 'DELETE FROM node');
	push @sql, "UPDATE territory.object SET mode = '" . pick('deepest', 'deepest', 'first', 'all') . "'";
	for my $path (@paths)
	{
		push @sql, "INSERT INTO node (path, priority, cascade) VALUES ('$path', " . rnd(3) . ', ' . pick('true', 'true', 'true', 'false') . ')';
		for (1 .. pick(0, 1, 1, 1, 2))
		{
			(my $text = criteria(2)) =~ s/'/''/g;
			push @sql, "INSERT INTO rule (node_id, object, criteria, active) VALUES (node_id('$path'), 'account', '$text', " . pick('true', 'true', 'true', 'true', 'false') . ')';
		}
	}
	for my $id (1 .. 3)
	{
		push @sql, "INSERT INTO account VALUES ($id, " . join(', ', value(1, 0 .. 4), value(1, "'x'", "'y'", "'z'", "'x0'", "'w'"), value(0, 0 .. 4), value(1, 'true', 'false')) . ')';
	}
	push @sql, "INSERT INTO exclusion (object, key, node_id) VALUES ('account', '" . (1 + rnd(3)) . "', " . (rnd(4) ? "node_id('" . pick(@paths) . "')" : 'NULL') . ') ON CONFLICT DO NOTHING' for 1 .. rnd(4);
	return @sql;
}

system('dropdb', '--if-exists', $database) == 0 and system('createdb', $database) == 0 or die 'could not make a database';
my $session = Psql->new($database, "SET client_min_messages = warning; CREATE EXTENSION territory; SET search_path = public, territory; \\i $FindBin::Bin/../oracle/why_not.sql");
$session->do("SELECT attach('account')");
diag("WHY_NOT_SEED=$seed");
my ($answers, $changes) = (0, 0);
for my $world ($seed .. $seed + $worlds - 1)
{
	srand($world);
	$plain = rnd(3) > 0;
	my @sql = make_world();
	$session->do('BEGIN', 'SET LOCAL territory.defer_runs = on', @sql, 'COMMIT', "SELECT run('account')");
	my $result = $session->query('SELECT answers, changes, wrong FROM check_why_not(' . ($plain ? 'true' : 'false') . ')');
	my ($asked, $proven, $wrong) = split /\|/, $result, 3;
	is($wrong, 'NULL', "world $world") or diag($result, "\n", join(";\n", @sql));
	$answers += $asked =~ /^\d+$/ ? $asked : 0;
	$changes += $proven || 0;
}
cmp_ok($changes, '>', $worlds, "$answers answers, $changes proven changes of a column");
$session->close;
system('dropdb', $database);
done_testing();
