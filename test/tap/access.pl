#!/usr/bin/env perl
# access.pl: random trees, members, owners, access levels and statements; what each person sees and writes is compared
# with what test/oracle/access.sql says. test/oracle/Access.pm makes the worlds.
#
# ACCESS_CASES  comparisons in all (default 10000)    ACCESS_SEED  the first world's number (default: by the clock)
# ACCESS_JOBS   processes (default 2)
#
# access.pl --print SEED writes a world's script; psql -f test/oracle/oracle.sql -f test/oracle/children.sql -f
# test/oracle/access.sql prepares a database for it, with the roles ann, bob, cy and oracle_app.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use File::Temp qw(tempdir);
use Test::More;
use Access;

my $oracle = "$FindBin::Bin/../oracle";
my $cases = $ENV{ACCESS_CASES} || 10000;
my $seed = $ENV{ACCESS_SEED} || time % 1_000_000_000;
my $jobs = $ENV{ACCESS_JOBS} || 2;
my $folder = tempdir('access-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my $psql = ($ENV{PG_BINDIR} ? "$ENV{PG_BINDIR}/" : '') . 'psql';
my @roles = qw(ann bob cy oracle_app);

# errors that the steps of a world may well meet, as in children.pl
my %expected_error = map { $_ => 1 } qw(23505 23503 23502 23514 23P01 21000 22023 2BP01 25P02 3B001 42P17 0A000 55000);

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
	$made .= run_psql($name, "SET client_min_messages = warning;\n\\set ON_ERROR_STOP on\nCREATE EXTENSION territory;\n" . join('', map { "\\i '$oracle/$_.sql'\n" } qw(oracle children access)), $name);
	die "the database $name was not made: $made" if $made =~ /ERROR|FATAL/;
}

# result OUTPUT: the cases that agreed, what they were about, and the first thing wrong
sub result
{
	my ($out) = @_;
	my %r = (ok => 0, rows => 0, copies => 0);
	my ($step, $ended) = (-1, 0);
	my ($must, @copied);
	for my $line (split /\n/, $out)
	{
		if ($line =~ /^S (\d+)/) { $step = $1 }
		elsif ($line =~ /^C \d+ ok (\d+)/) { $r{ok}++; $r{rows} += $1 }
		elsif ($line eq '-- end') { $ended = 1 }
		elsif ($line =~ /^C -?\d+ (BAD.*)/) { @r{qw(step wrong)} = ($step, $1) unless $r{wrong} }
		elsif ($line =~ /(?:ERROR|FATAL|PANIC):  (\w{5}): (.*)/)
		{
			$r{errors}{$1}++;
			@r{qw(step wrong)} = ($step, "an error that no step may meet: $1: $2") unless $r{wrong} || ($step >= 0 && $expected_error{$1}) || $1 eq '23503';
		}
		elsif ($line =~ /^K (.*)/) { ($must, @copied) = ($1) }
		elsif ($line eq 'K' && defined $must)
		{
			my $copied = join ' ', sort @copied;
			@r{qw(step wrong)} = ($step, "COPY gives $copied, must give $must") if join(' ', sort split / /, $must) ne $copied && !$r{wrong};
			$r{ok}++;
			$r{copies}++;
			undef $must;
		}
		elsif (defined $must) { push @copied, $line }
	}
	@r{qw(step wrong)} = ($step, 'the script did not come to its end') unless $ended || $r{wrong};
	return \%r;
}

# job NUMBER, CASES: worlds one after another; writes its findings to a file for the parent
sub job
{
	my ($number, $wanted) = @_;
	my $database = "access_${$}_$number";
	my %sum = (ok => 0, rows => 0, copies => 0, worlds => 0);
	my @reports;
	make_database($database);
	for (my $world_seed = $seed + $number; $sum{ok} < $wanted && @reports < 3; $world_seed += $jobs)
	{
		my $world = Access->new($world_seed);
		my $r = result(run_psql($database, $world->script, "world$number"));
		$sum{$_} += $r->{$_} for qw(ok rows copies);
		$sum{worlds}++;
		push @reports, "world $world_seed, step $r->{step}: $r->{wrong}\n" if $r->{wrong};
	}
	run_psql('postgres', "DROP DATABASE $database WITH (FORCE);", "drop$number");
	open my $file, '>', "$folder/job$number" or die "$folder/job$number: $!";
	print $file join(' ', %sum), "\n", @reports;
	close $file;
}

if (@ARGV == 2 && $ARGV[0] eq '--print')
{
	print Access->new($ARGV[1])->script;
	exit;
}

diag("ACCESS_SEED=$seed, $cases cases");
my $started = time;
my $made = run_psql('postgres', join('', map { "CREATE ROLE $_;\n" } @roles), 'roles');
die "the roles were not made: $made" if $made =~ /ERROR:  (?!42710)/;
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
my %sum;
for my $number (0 .. $jobs - 1)
{
	waitpid $child{$number}, 0;
	my $ended = $?;
	my ($sum, $reports) = ('', '');
	if (open my $file, '<', "$folder/job$number")
	{
		chomp($sum = <$file> // '');
		local $/;
		$reports = <$file> // '';
	}
	my %here = split / /, $sum;
	$sum{$_} += $here{$_} for keys %here;
	ok($ended == 0 && $reports eq '' && $here{ok}, "people see and write what brute force says, worlds $seed + $number, + $jobs, ...");
	diag($reports) if $reports ne '';
}
run_psql('postgres', join('', map { "DROP ROLE $_;\n" } @roles), 'roles');
diag(sprintf '%d cases about %d rows in %d worlds, %d of them by COPY; %d s', @sum{qw(ok rows worlds copies)}, time - $started);
cmp_ok($sum{ok}, '>=', $cases, "$cases cases") or diag('the search ended at the failures above');
cmp_ok($sum{rows} / ($sum{ok} || 1), '>', 1, 'and they are not empty');
done_testing();
