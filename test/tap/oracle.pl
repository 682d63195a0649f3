#!/usr/bin/env perl
# oracle.pl: random tables, trees, rules and writes; after every step the assignments are compared with what plain SQL
# says they must be (test/oracle/oracle.sql). test/oracle/World.pm makes the steps.
#
# ORACLE_CASES  comparisons in all (default 20000)     ORACLE_SEED  the first world's number (default: by the clock)
# ORACLE_JOBS   processes (default 2)                  ORACLE_STEPS  steps a world (default 100)
# ORACLE_SHRINK=0  do not look for the shortest script that fails
#
# oracle.pl --print SEED writes a world's script, oracle.pl --shrink SEED the shortest part of it that fails in the
# database that PGDATABASE names; psql -f test/oracle/oracle.sql prepares that for both.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use File::Temp qw(tempdir);
use Test::More;
use World;

my $oracle_sql = "$FindBin::Bin/../oracle/oracle.sql";
my $cases = $ENV{ORACLE_CASES} || 20000;
my $seed = $ENV{ORACLE_SEED} || time % 1_000_000_000;
my $jobs = $ENV{ORACLE_JOBS} || 2;
my $shrink = !defined $ENV{ORACLE_SHRINK} || $ENV{ORACLE_SHRINK};
my %option = (steps => $ENV{ORACLE_STEPS} || 100, dblink => 1);
my $folder = tempdir('oracle-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $psql = ($ENV{PG_BINDIR} ? "$ENV{PG_BINDIR}/" : '') . 'psql';

# errors that steps may well meet: keys, references and partitions that do not fit, a territory moved below itself or
# deleted while it is needed, a transaction that failed before
my %expected_error = map { $_ => 1 } qw(23505 23503 23502 23514 21000 22023 2BP01 25P02 3B001 25001);

# psql DATABASE, SCRIPT, NAME: runs a script; returns what it wrote
sub run_psql
{
	my ($database, $script, $name) = @_;
	open my $file, '>', "$folder/$name.sql" or die "$folder/$name.sql: $!";
	print $file $script;
	close $file;
	my $out = `$psql -XqAt -d '$database' -f '$folder/$name.sql' 2>&1 </dev/null`;
	$out .= "\nBAD psql ended with status $?\n" if $?;
	return $out;
}

sub make_database
{
	my ($name) = @_;
	my $made = run_psql('postgres', "DROP DATABASE IF EXISTS $name;\nCREATE DATABASE $name;\n", $name);
	$made .= run_psql($name, "SET client_min_messages = warning;\n\\set ON_ERROR_STOP on\nCREATE EXTENSION territory;\n\\i '$oracle_sql'\n", $name);
	die "the database $name was not made: $made" if $made =~ /ERROR|BAD|FATAL/;
	return run_psql($name, 'CREATE EXTENSION dblink;', $name) eq '';
}

# result OUTPUT: the cases that agreed, how they were looked at, and the first thing wrong (step number, text)
sub result
{
	my ($out) = @_;
	my %r = (ok => 0, m => 0, v => 0, p => 0, h => 0, pairs => 0, manual => 0, runs => 0, apart => 0, errors => {});
	my ($step, $ended) = (-1, 0);
	for my $line (split /\n/, $out)
	{
		if ($line =~ /^-- step (\d+)/) { $step = $1 }
		elsif ($line eq '-- end') { $ended = 1 }
		elsif ($line =~ /^C-?\d+ ok (\d+) (\d+) (\w*)$/) { $r{ok}++; $r{pairs} += $1; $r{manual} += $2; $r{$_}++ for split //, $3 }
		elsif ($line =~ / DEBUG:  \w{5}: territory: compared \d+ records of .*, (\d+) of them in [12] workers of 2$/) { $r{runs}++; $r{apart} += $1 }
		elsif ($line =~ /^C-?\d+ doubled/) { $r{doubled}++ }
		elsif ($line =~ /^C-?\d+ detached/) { @r{qw(step wrong)} = ($step, 'the table is not attached') unless $r{wrong} }
		elsif ($line =~ /\bBAD (.*)/) { @r{qw(step wrong)} = ($step, $1) unless $r{wrong} }
		elsif ($line =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
		{
			$r{errors}{$1}++;
			@r{qw(step wrong)} = ($step, "an error that no step may meet: $1: $2") unless $r{wrong} || $step < 0 && $1 =~ /^23/ || $step >= 0
			  && ($expected_error{$1} || $2 =~ /^invalid ON UPDATE specification|^moving row to another partition|^invalid input syntax for type territory|^cannot (un)?assign [^:]* records? of /);
		}
		elsif ($line =~ /server closed the connection|connection to server was lost/) { @r{qw(step wrong)} = ($step, $line) unless $r{wrong} }
	}
	@r{qw(step wrong)} = ($step, 'the script did not come to its end') unless $ended || $r{wrong};
	return \%r;
}

# a failure of the same kind: the differing pairs may be others
sub kind { my ($r) = @_; return '' unless $r->{wrong}; return ($r->{wrong} =~ /^an error/ ? $r->{wrong} =~ s/".*?"|\d+//gr : $r->{wrong} =~ s/[:(\d].*//sr) }

# leaves out what a failure does not need: groups of steps, steps, statements of the setup
sub smallest
{
	my ($database, $world, $first) = @_;
	my @setup = 0 .. $#{ $world->{setup} };
	my @steps = 0 .. ($first->{step} < 0 ? 0 : $first->{step});
	my $fails = sub { my $r = result(run_psql($database, $world->script(@_), "shrink$$")); return kind($r) eq kind($first) };
	my $until = time + ($ENV{ORACLE_SHRINK_SECONDS} || 60);
	return ([@setup], [@steps]) unless $fails->(\@setup, \@steps);
	my @groups = do { my %g; map { $_->{group} } grep { !$g{ $_->{group} }++ } @{ $world->{steps} }[@steps] };
	for my $group (reverse @groups)
	{
		last if time > $until;
		my @less = grep { $world->{steps}[$_]{group} != $group } @steps;
		@steps = @less if $fails->(\@setup, \@less);
	}
	for my $list (\@steps, \@setup, \@steps)
	{
		for my $one (reverse @$list)
		{
			last if time > $until;
			my @less = grep { $_ != $one } @$list;
			my @try = $list == \@steps ? (\@setup, \@less) : (\@less, \@steps);
			@$list = @less if $fails->(@try);
		}
	}
	return (\@setup, \@steps);
}

sub report
{
	my ($database, $world, $r) = @_;
	my $text = "world $world->{seed}, step $r->{step}: $r->{wrong}\n";
	my @all = ([ 0 .. $#{ $world->{setup} } ], [ 0 .. ($r->{step} < 0 ? 0 : $r->{step}) ]);
	if ($ENV{TERRITORY_LOGS} && open my $log, '>', "$ENV{TERRITORY_LOGS}/oracle-$world->{seed}.sql")
	{
		print $log $world->script(@all);
		close $log;
		$text .= "the whole script: $ENV{TERRITORY_LOGS}/oracle-$world->{seed}.sql, or test/tap/oracle.pl --print $world->{seed}\n";
	}
	@all = smallest($database, $world, $r) if $shrink;
	my $script = $world->script(@all);
	my $out = run_psql($database, $script, "last$$");
	$text .= "to replay: a database with the extensions territory and dblink, psql -f test/oracle/oracle.sql, then\n$script";
	$text .= "which says\n" . join "\n", grep { /BAD|ERROR|FATAL|closed/ } split /\n/, $out;
	return "$text\n";
}

# job NUMBER, CASES: worlds one after another; writes its findings to a file for the parent
sub job
{
	my ($number, $wanted) = @_;
	my $database = "oracle_${$}_$number";
	my %sum = (ok => 0, m => 0, v => 0, p => 0, h => 0, pairs => 0, manual => 0, runs => 0, apart => 0, worlds => 0);
	my (%errors, @reports);
	my $world_option = { %option, dblink => make_database($database) };
	for (my $world_seed = $seed + $number; $sum{ok} < $wanted; $world_seed += $jobs)
	{
		my $world = World->new($world_seed, %$world_option);
		my $r = result(run_psql($database, $world->script, "world$number"));
		$sum{$_} += $r->{$_} for qw(ok m v p h pairs manual runs apart);
		$sum{worlds}++;
		$errors{$_} += $r->{errors}{$_} for keys %{ $r->{errors} };
		push @reports, report($database, $world, $r) if $r->{wrong};
		last if @reports >= ($ENV{ORACLE_REPORTS} || 3);
		print STDERR "# progress: process $number, $sum{ok} of $wanted cases\n" if $ENV{TERRITORY_PROGRESS} && $sum{worlds} % 100 == 0;
	}
	run_psql('postgres', "DROP DATABASE $database WITH (FORCE);", "drop$number");
	open my $file, '>', "$folder/job$number" or die "$folder/job$number: $!";
	print $file join(' ', %sum), "\n", join(' ', %errors), "\n", @reports ? join("\n", @reports) : '';
	close $file;
}

if (@ARGV == 2 && $ARGV[0] =~ /^--(print|shrink)$/)
{
	my $world = World->new($ARGV[1], %option);
	if ($ARGV[0] eq '--print') { print $world->script; exit }
	my $r = result(run_psql($ENV{PGDATABASE}, $world->script, 'world'));
	print $r->{wrong} ? report($ENV{PGDATABASE}, $world, $r) : "nothing is wrong with world $ARGV[1]\n";
	exit;
}

diag("ORACLE_SEED=$seed, $cases cases");
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
	ok($ended == 0 && $reports eq '' && $here{ok}, "the assignments are what brute force says, worlds $seed + $number, + $jobs, ...");
	diag($reports) if $reports ne '';
}
run_psql('postgres', 'DROP ROLE IF EXISTS oracle_writer;', 'role');
diag(sprintf '%d cases, %d pairs, %d of them by hand, in %d worlds; territory.match in %d, verify in %d, paths in %d, history in %d of them; %d runs with workers, which compared %d records; %d s; errors met: %s',
	@sum{qw(ok pairs manual worlds m v p h runs apart)}, time - $started, join(', ', map { "$_ $errors{$_}" } sort keys %errors));
cmp_ok($sum{ok}, '>=', $cases, "$cases cases") or diag('the search ended at the failures above');
cmp_ok($sum{pairs} / ($sum{ok} || 1), '>', 3, 'and they are not empty');
cmp_ok($sum{manual} / ($sum{ok} || 1), '>', 0.3, 'some of them are made by hand');
ok($sum{m} && $sum{v} && $sum{p} && $sum{h}, 'territory.match, territory.verify, the paths of the tree and history agree as well');
ok($sum{runs} && $sum{apart}, 'and so do runs with parallel workers');
done_testing();
