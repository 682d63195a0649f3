#!/usr/bin/env perl
# forecast.pl: random trees, deals, shares, currencies, targets and moves; after every step a forecast's figures, by territory
# or by person, are compared with what test/oracle/forecast.sql says they must be. test/oracle/Forecast.pm makes the steps.
#
# FORECAST_CASES  comparisons in all (default 6000)    FORECAST_SEED  the first world's number (default: by the clock)
# FORECAST_JOBS   processes (default 2)
#
# forecast.pl --print SEED writes a world's script, forecast.pl --shrink SEED the shortest part of it that fails in the
# database that PGDATABASE names; psql -f test/oracle/forecast.sql prepares that for both.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use File::Temp qw(tempdir);
use Test::More;
use Forecast;

my $oracle = "$FindBin::Bin/../oracle";
my $cases = $ENV{FORECAST_CASES} || 6000;
my $seed = $ENV{FORECAST_SEED} || time % 1_000_000_000;
my $jobs = $ENV{FORECAST_JOBS} || 2;
my $folder = tempdir('forecast-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $psql = ($ENV{PG_BINDIR} ? "$ENV{PG_BINDIR}/" : '') . 'psql';

# errors that steps may well meet: keys and references that do not fit, members that are there, periods that would not
# follow each other, a territory moved below itself or deleted while it is needed, nothing to split, deals that are not there
my %expected_error = map { $_ => 1 } qw(23505 23503 23502 23514 23P01 22023 2BP01 22004 25P02 42P17 55000);

sub run_psql
{
	my ($database, $script, $name) = @_;
	open my $file, '>', "$folder/$name.sql" or die "$folder/$name.sql: $!";
	print $file $script;
	close $file;
	return scalar `$psql -XqAt -v VERBOSITY=verbose -d '$database' -f '$folder/$name.sql' 2>&1 </dev/null`;
}

sub make_database
{
	my ($name) = @_;
	my $made = run_psql('postgres', "DROP DATABASE IF EXISTS $name;\nCREATE DATABASE $name;\n", $name);
	$made .= run_psql($name, "SET client_min_messages = warning;\n\\set ON_ERROR_STOP on\nCREATE EXTENSION territory;\n\\i '$oracle/forecast.sql'\n", $name);
	die "the database $name was not made: $made" if $made =~ /ERROR|FATAL/;
}

# result OUTPUT: the cases that agreed, the deals in them, and the first thing wrong
sub result
{
	my ($out) = @_;
	my %r = (ok => 0, deals => 0);
	my ($step, $ended) = (-1, 0);
	for my $line (split /\n/, $out)
	{
		if ($line =~ /^S (\d+)/) { $step = $1 }
		elsif ($line =~ /^C -?\d+ ok (\d+)/) { $r{ok}++; $r{deals} += $1 }
		elsif ($line eq '-- end') { $ended = 1 }
		elsif ($line =~ /^C -?\d+ (BAD.*)/) { @r{qw(step wrong)} = ($step, $1) unless $r{wrong} }
		elsif ($line =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
		{
			$r{errors}{$1}++;
			@r{qw(step wrong)} = ($step, "an error that no step may meet: $1: $2") unless $r{wrong} || ($step >= 0 && $expected_error{$1}) || $1 eq '23503';
		}
	}
	@r{qw(step wrong)} = ($step, 'the script did not come to its end') unless $ended || $r{wrong};
	return \%r;
}

# leaves out the steps that a failure does not need
sub smallest
{
	my ($database, $world, $first) = @_;
	my @steps = 0 .. ($first->{step} < 0 ? 0 : $first->{step});
	my $until = time + 40;
	for my $one (reverse 0 .. $steps[-1])
	{
		last if time > $until;
		my @less = grep { $_ != $one } @steps;
		next unless @less;
		my $r = result(run_psql($database, $world->script(\@less), "shrink$$"));
		@steps = @less if $r->{wrong} && $r->{wrong} !~ /^an error/ == $first->{wrong} !~ /^an error/;
	}
	return \@steps;
}

sub report
{
	my ($database, $world, $r) = @_;
	my $script = $world->script(smallest($database, $world, $r));
	my $out = run_psql($database, $script, "last$$");
	return "world $world->{seed}, step $r->{step}: $r->{wrong}\n$script" . join("\n", grep { /BAD|ERROR|FATAL|closed/ } split /\n/, $out) . "\n";
}

# job NUMBER, CASES: worlds one after another; writes its findings to a file for the parent
sub job
{
	my ($number, $wanted) = @_;
	my $database = "forecast_${$}_$number";
	my %sum = (ok => 0, deals => 0, worlds => 0);
	my (%errors, @reports);
	make_database($database);
	for (my $world_seed = $seed + $number; $sum{ok} < $wanted && @reports < 3; $world_seed += $jobs)
	{
		my $world = Forecast->new($world_seed);
		my $r = result(run_psql($database, $world->script, "world$number"));
		$sum{$_} += $r->{$_} for qw(ok deals);
		$sum{worlds}++;
		$errors{$_} += $r->{errors}{$_} for keys %{ $r->{errors} };
		push @reports, report($database, $world, $r) if $r->{wrong};
	}
	run_psql('postgres', "DROP DATABASE $database WITH (FORCE);", "drop$number");
	open my $file, '>', "$folder/job$number" or die "$folder/job$number: $!";
	print $file join(' ', %sum), "\n", join(' ', %errors), "\n", @reports;
	close $file;
}

if (@ARGV == 2 && $ARGV[0] =~ /^--(print|shrink)$/)
{
	my $world = Forecast->new($ARGV[1]);
	if ($ARGV[0] eq '--print') { print $world->script; exit }
	my $r = result(run_psql($ENV{PGDATABASE}, $world->script, 'world'));
	print $r->{wrong} ? report($ENV{PGDATABASE}, $world, $r) : "nothing is wrong with world $ARGV[1]\n";
	exit;
}

diag("FORECAST_SEED=$seed, $cases cases");
my $started = time;
my %child;
for my $number (0 .. $jobs - 1)
{
	my $pid = fork // die "fork: $!";
	if ($pid == 0)
	{
		require POSIX;
		eval { job($number, $cases / $jobs); 1 } or do { warn $@; POSIX::_exit(1) };
		POSIX::_exit(0);
	}
	$child{$number} = $pid;
}
my (%sum, %errors);
for my $number (0 .. $jobs - 1)
{
	waitpid $child{$number}, 0;
	my $ended = $?;
	my ($sum, $met, $reports) = ('', '', '');
	if (open my $file, '<', "$folder/job$number")
	{
		chomp($sum = <$file> // '');
		chomp($met = <$file> // '');
		local $/;
		$reports = <$file> // '';
	}
	my %here = split / /, $sum;
	my %met = split / /, $met;
	$sum{$_} += $here{$_} for keys %here;
	$errors{$_} += $met{$_} for keys %met;
	ok($ended == 0 && $reports eq '' && $here{ok}, "the forecasts are what brute force says, worlds $seed + $number, + $jobs, ...");
	diag($reports) if $reports ne '';
}
diag(sprintf '%d cases, %d deals, in %d worlds; %d s; errors met: %s', @sum{qw(ok deals worlds)}, time - $started,
	join(', ', map { "$_ $errors{$_}" } sort keys %errors));
cmp_ok($sum{ok}, '>=', $cases, "$cases cases") or diag('the search ended at the failures above');
cmp_ok($sum{deals} / ($sum{ok} || 1), '>', 3, 'and they are not empty');
done_testing();
