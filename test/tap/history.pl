#!/usr/bin/env perl
# history.pl: random transactions on an attached table; after each its pairs are remembered, and at the end history must
# say of each of these times what was remembered. test/oracle/History.pm makes the transactions.
#
# HISTORY_WORLDS  worlds in all (default 60)     HISTORY_SEED  the first world's number (default: by the clock)
# HISTORY_STEPS   transactions a world (default 60)
#
# history.pl --print SEED writes a world's script, for a database with the extension and test/oracle/history.sql.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use History;
use Search qw(make_database run_psql);
use Test::More;

my $steps = $ENV{HISTORY_STEPS} || 60;
if (@ARGV == 2 && $ARGV[0] eq '--print') { print History->new($ARGV[1], $steps)->script; exit }
my $worlds = $ENV{HISTORY_WORLDS} || 60;
my $first = $ENV{HISTORY_SEED} || time % 1_000_000_000;
my $database = "history_$$";

# keys that are there already, cycles, nodes that are needed, transactions that failed before
my %expected_error = map { $_ => 1 } qw(23505 23503 22023 2BP01 25P02 3B001 40001);

# wrong OUTPUT: what is wrong with a world, or nothing; adds to the sums
my %sum = map { $_ => 0 } qw(times pairs pruned sabotages errors);
sub wrong
{
	my ($out) = @_;
	my ($step, $sabotages, $seen) = (0, 0, 0);
	for my $line (split /\n/, $out)
	{
		if ($line =~ /^-- step (\d+)/) { $step = $1 }
		elsif ($line eq '-- end') { $seen++ }
		elsif ($line eq 'sabotage') { $sabotages++ }
		elsif ($line =~ /^([SF]) (.*)/)
		{
			return "a sabotage was not noticed: $line" if $sabotages && $2 !~ /BAD/;
			$sum{sabotages}++ if $sabotages;
			$sabotages = 0;
		}
		elsif ($line =~ /BAD/) { return "after step $step: $line" }
		elsif ($line =~ /^[AB] ok (\d+) (\d+)/) { $seen++; $sum{times} += $1; $sum{pairs} += $2 }
		elsif ($line =~ /^P (\d+)/) { $sum{pruned} += $1 }
		elsif ($line =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
		{
			$sum{errors}++;
			return "step $step: $1: $2" unless $expected_error{$1};
		}
		elsif ($line =~ /server closed the connection/) { return $line }
	}
	return $seen == 3 ? undef : 'the script did not come to its end';
}

diag("HISTORY_SEED=$first, $worlds worlds");
my @found;
for my $seed ($first .. $first + $worlds - 1)
{
	make_database($database, 'history');
	my $flaw = wrong(run_psql($database, History->new($seed, $steps)->script));
	push @found, "world $seed: $flaw" if defined $flaw;
	last if @found >= 3;
}
run_psql('postgres', "DROP DATABASE IF EXISTS $database WITH (FORCE);\n");
ok(!@found, 'history says what was remembered') or diag(join "\n", @found);
diag(sprintf '%d times, %d pairs, %d pairs pruned, %d sabotages noticed, %d errors met', @sum{qw(times pairs pruned sabotages errors)});
cmp_ok($sum{times}, '>=', $worlds * $steps, 'at each time');
cmp_ok($sum{pairs} / ($sum{times} || 1), '>', 3, 'and there was something to remember');
cmp_ok($sum{pruned}, '>', 0, 'pruning leaves what is newer');
cmp_ok($sum{sabotages}, '>', 0, 'a falsified history is noticed');
done_testing();
