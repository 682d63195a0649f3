#!/usr/bin/env perl
# oracle.pl: random tables, trees, rules and writes; after every step the assignments are compared with what plain SQL
# says they must be (test/oracle/oracle.sql). test/oracle/World.pm makes the steps, test/oracle/Search.pm runs them.
#
# ORACLE_CASES (default 20000), ORACLE_SEED and others, --print SEED, --shrink SEED: see Search.pm. A database for --shrink
# has the extensions territory and dblink and test/oracle/oracle.sql.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use Search qw(search);
use Test::More;
use World;

my %also = (m => 'match', v => 'verify', p => 'paths', h => 'history');

sub line
{
	my ($r, $line) = @_;
	if ($line =~ /^C-?\d+ ok (\d+) (\d+) (\w*)$/)
	{
		$r->{ok}++;
		$r->{pairs} += $1;
		$r->{by_hand} += $2;
		$r->{ $also{$_} }++ for split //, $3;
	}
	elsif ($line =~ / DEBUG:  \w{5}: territory: compared \d+ records of .*, (\d+) of them in [12] workers of 2$/) { $r->{runs_with_workers}++; $r->{by_workers} += $1 }
	elsif ($line =~ /^C-?\d+ detached/) { return 'the table is not attached' }
	return;
}

my %sum = search(
	name => 'oracle', world => 'World', cases => 20000,
	files => ['oracle'], extensions => ['dblink'], roles => ['oracle_writer'],
	setup_errors => qr/^23/,
	# keys, references and partitions that do not fit, a territory moved below itself or deleted while it is needed, a
	# transaction that failed before
	step_errors => qr/^(?:23505|23503|23502|23514|21000|22023|2BP01|25P02|3B001|25001)
		|^\w+:\ (?:invalid\ ON\ UPDATE\ specification|moving\ row\ to\ another\ partition|invalid\ input\ syntax\ for\ type\ territory|cannot\ (?:un)?assign\ [^:]*\ records?\ of\ )/x,
	spare => qr/./, line => \&line, counts => [ qw(pairs by_hand), sort(values %also), qw(runs_with_workers by_workers) ],
	claim => 'the assignments are what brute force says');
cmp_ok($sum{pairs} / ($sum{ok} || 1), '>', 3, 'and they are not empty');
cmp_ok($sum{by_hand} / ($sum{ok} || 1), '>', 0.3, 'some of them are made by hand');
ok($sum{match} && $sum{verify} && $sum{paths} && $sum{history}, 'territory.match, territory.verify, the paths of the tree and history agree as well');
ok($sum{runs_with_workers} && $sum{by_workers}, 'and so do runs with parallel workers');
done_testing();
