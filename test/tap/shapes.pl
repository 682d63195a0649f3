#!/usr/bin/env perl
# shapes.pl: rules of every shape and type over rows full of boundary values; what the engine stores for each rule is
# compared with the rows for which plain SQL says WHERE (criteria) IS TRUE. test/oracle/Shapes.pm makes tables, rows and
# rules, test/oracle/shapes.sql brings them together and compares.
#
# SHAPES_CASES  rules in all (default 20000)    SHAPES_SEED  the first world's number (default: by the clock)
# SHAPES_JOBS   processes (default 2)           SHAPES_SHRINK=0  do not look for the smallest rule that fails
#
# shapes.pl --print SEED writes a world's script; shapes.pl --shrink SEED the smallest rule, row and script that fail in
# the database that PGDATABASE names, which shapes.pl --prepare makes ready.
use strict;
use warnings;
use utf8;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use Encode qw(decode encode);
use Search qw(fewer in_processes);
use Shapes;
use Test::More;

binmode $_, ':utf8' for *STDOUT, *STDERR, Test::More->builder->output, Test::More->builder->failure_output;
my $shapes_sql = "$FindBin::Bin/../oracle/shapes.sql";
my $cases = $ENV{SHAPES_CASES} || 20000;
my $seed = $ENV{SHAPES_SEED} || time % 1_000_000_000;
my $jobs = $ENV{SHAPES_JOBS} || 2;
my $shrink = !defined $ENV{SHAPES_SHRINK} || $ENV{SHAPES_SHRINK};
my $world_cases = 2000;
$ENV{PGCLIENTENCODING} = 'UTF8';

# run_psql DATABASE, SCRIPT: returns what it wrote
sub run_psql
{
	my ($database, $script) = @_;
	return decode('UTF-8', Search::run_psql($database, encode('UTF-8', "SET client_min_messages = warning;\n$script")));
}

# prepare DATABASE: what worlds need in it; returns what the server has
sub prepare
{
	my ($database) = @_;
	my %has = (
		icu => run_psql($database, "SELECT 'here' FROM pg_collation WHERE collname = 'en-x-icu' AND collprovider = 'i';\n") =~ /here/,
		citext => run_psql($database, "SELECT 'here' FROM pg_available_extensions WHERE name = 'citext';\n") =~ /here/);
	my $made = run_psql($database, "\\set ON_ERROR_STOP on\nCREATE EXTENSION territory;\n" . ($has{citext} ? "CREATE EXTENSION citext SCHEMA public;\n" : '') . "\\i '$shapes_sql'\n"
		. ($has{icu} ? "CREATE COLLATION shapes.nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);\n" : ''));
	die "the database $database was not made ready: $made" if $made =~ /ERROR|BAD|FATAL/;
	return %has;
}

sub make_database
{
	my ($name, $how) = @_;
	my $made = run_psql('postgres', "DROP DATABASE IF EXISTS $name;\nCREATE DATABASE $name TEMPLATE template0 $how;\n");
	die "the database $name was not made: $made" if $made =~ /ERROR|BAD|FATAL/;
	return prepare($name);
}

# result OUTPUT: cases, pairs, and the first thing wrong (batch, rule and row where it says so, text)
sub result
{
	my ($out) = @_;
	my %r = (cases => 0, pairs => 0, mixed => 0, refused => [], wrong => '');
	my ($batch, $ended) = (-1, 0);
	for my $line (split /\n/, $out)
	{
		if ($line =~ /^-- batch (\d+)/) { $batch = $1 }
		elsif ($line eq '-- end') { $ended = 1 }
		elsif ($line =~ /^cases (\d+) pairs (\d+) mixed (\d+)/) { $r{cases} += $1; $r{pairs} += $2; $r{mixed} += $3 }
		elsif ($line =~ /^refused (.*)/) { push @{ $r{refused} }, $1 }
		elsif ($line =~ /^BAD (.*)/ || $line =~ /((?:ERROR|FATAL|PANIC):  .*|server closed the connection.*)/)
		{
			next if $r{wrong};
			@r{qw(batch wrong)} = ($batch, $1);
			@r{qw(rule row)} = $line =~ /\brule (\d+) row (\d+)/ if $line !~ /^BAD error/;
		}
	}
	@r{qw(batch wrong)} = ($batch, 'the script did not come to its end') unless $ended || $r{wrong};
	return \%r;
}

# ---------- making a failure smaller ----------

# script WORLD, PART: the setup and one batch, with some of its rules and rows
sub script
{
	my ($world, $part) = @_;
	return $world->setup(@{ $part->{rows} }) . $world->batch_script($part->{batch}, @{ $part->{rules} }) . "\\echo -- end\n";
}

# smallest: the fewest rules and rows, and the smallest criteria, that still fail
sub smallest
{
	my ($database, $world, $r) = @_;
	my $rules = $world->{batch}[ $r->{batch} ]{rules};
	my $part = { batch => $r->{batch}, rules => [ 0 .. $#$rules ], rows => [ 0 .. $world->{row_count} - 1 ] };
	my $until = time + ($ENV{SHAPES_SHRINK_SECONDS} || 60);
	my $fails = sub { my ($key, $value) = @_; return result(run_psql($database, script($world, { %$part, $key => $value })))->{wrong} ne '' };
	return $part unless $fails->(rows => $part->{rows});
	if ($r->{rule} && $fails->(rules => [ $r->{rule} - 1 ])) { $part->{rules} = [ $r->{rule} - 1 ] }
	else { $part->{rules} = fewer($part->{rules}, sub { $fails->(rules => $_[0]) }, $until) }
	if ($r->{row} && $fails->(rows => [ $r->{row} - 1 ])) { $part->{rows} = [ $r->{row} - 1 ] }
	else { $part->{rows} = fewer($part->{rows}, sub { $fails->(rows => $_[0]) }, $until) }
	for my $rule (@{ $part->{rules} })
	{
		my @less = Shapes::smaller($rules->[$rule]);
		while (@less && time < $until)
		{
			my $whole = $rules->[$rule];
			$rules->[$rule] = shift @less;
			if ($fails->(rows => $part->{rows})) { @less = Shapes::smaller($rules->[$rule]) }
			else { $rules->[$rule] = $whole }
		}
	}
	return $part;
}

sub report
{
	my ($database, $world, $r) = @_;
	my $text = "world $world->{seed}, batch $r->{batch}: $r->{wrong}\n";
	return $text if $r->{batch} < 0;
	return "$text(SHAPES_SHRINK=0)\n" unless $shrink;
	my $part = smallest($database, $world, $r);
	my $script = script($world, $part);
	my $last = result(run_psql($database, $script));
	my $shown = 0;
	my ($many, $first) = (scalar @{ $part->{rules} }, ($last->{rule} || 0) - 1);
	$text .= "the smallest that fails: $many rules, plan $world->{batch}[ $r->{batch} ]{plan}\n";
	for my $rule (sort { ($b == $first) <=> ($a == $first) || $a <=> $b } @{ $part->{rules} })
	{
		last if $shown++ == 5;
		my $criteria = Shapes::text($world->{batch}[ $r->{batch} ]{rules}[$rule]);
		$text .= 'rule ' . ($rule + 1) . ": $criteria\n";
		for my $row (@{ $part->{rows} }[ 0 .. ($#{ $part->{rows} } > 4 ? 4 : $#{ $part->{rows} }) ])
		{
			$text .= '  row ' . ($row + 1) . ': ' . join(', ', map { "$_ = " . ($world->{row}[$row]{$_} // 'NULL') } grep { $criteria =~ /\b$_\b/ } @{ $world->{name} }) . "\n";
		}
	}
	$text .= "which says: $last->{wrong}\n";
	if ($ENV{TERRITORY_LOGS} && open my $log, '>:utf8', "$ENV{TERRITORY_LOGS}/shapes-$world->{seed}.sql")
	{
		print $log $script;
		close $log;
		$text .= "the script: $ENV{TERRITORY_LOGS}/shapes-$world->{seed}.sql\n";
	}
	return "$text";
}

# ---------- the processes ----------

# job NUMBER, CASES: worlds one after another, some in a database with an ICU collation for default; returns its sums and
# what it found
sub job
{
	my ($number, $wanted) = @_;
	my @database = ("shapes_${$}_0", "shapes_${$}_1");
	my %has = make_database($database[0], '');
	if ($has{icu}) { make_database($database[1], "LOCALE_PROVIDER icu ICU_LOCALE 'en-US'") }
	else { pop @database }
	my %sum = (cases => 0, pairs => 0, mixed => 0, worlds => 0, refused => 0, citext_named => 0, icu_named => 0, %has);
	my (@reports, @refused);
	for (my $world_seed = $seed + $number; $sum{cases} < $wanted; $world_seed += $jobs)
	{
		my $database = $database[ int($world_seed / $jobs) % @database ];
		my $world = Shapes->new($world_seed, cases => $world_cases, %has);
		my $script = $world->script;
		my $r = result(run_psql($database, $script));
		$sum{citext_named} += () = $script =~ /citext/g;
		$sum{icu_named} += () = $script =~ /en-x-icu|nocase/g;
		$sum{$_} += $r->{$_} for qw(cases pairs mixed);
		$sum{worlds}++;
		push @refused, map { "world $world_seed: $_" } @{ $r->{refused} };
		push @reports, report($database, $world, $r) if $r->{wrong};
		last if @reports >= ($ENV{SHAPES_REPORTS} || 3);
		print STDERR "# progress: process $number, $sum{cases} of $wanted rules\n" if $ENV{TERRITORY_PROGRESS} && $sum{worlds} % 10 == 0;
	}
	$sum{refused} = @refused;
	run_psql('postgres', "DROP DATABASE $_ WITH (FORCE);") for @database;
	return { sum => \%sum, reports => \@reports, refused => [ @refused[ 0 .. ($#refused > 4 ? 4 : $#refused) ] ] };
}

if (@ARGV && $ARGV[0] eq '--prepare') { prepare($ENV{PGDATABASE}); exit }
if (@ARGV == 2 && $ARGV[0] =~ /^--(print|shrink)$/)
{
	my $has = run_psql($ENV{PGDATABASE}, "SELECT 'citext' FROM pg_extension WHERE extname = 'citext' UNION ALL SELECT 'icu' FROM pg_collation WHERE collname = 'nocase';\n");
	my $world = Shapes->new($ARGV[1], cases => $world_cases, icu => scalar($has =~ /icu/), citext => scalar($has =~ /citext/));
	if ($ARGV[0] eq '--print') { print $world->script; exit }
	my $r = result(run_psql($ENV{PGDATABASE}, $world->script));
	print $r->{wrong} ? report($ENV{PGDATABASE}, $world, $r) : "nothing is wrong with world $ARGV[1]\n";
	exit;
}

diag("SHAPES_SEED=$seed, $cases rules");
my $started = time;
my %sum = map { $_ => 0 } qw(cases pairs mixed worlds refused icu citext citext_named icu_named);
my @found = in_processes($jobs, sub { job($_[0], $cases / $jobs) });
for my $number (0 .. $jobs - 1)
{
	my $here = $found[$number] || { sum => {}, reports => [], refused => [] };
	$sum{$_} += $here->{sum}{$_} || 0 for keys %{ $here->{sum} };
	ok(!@{ $here->{reports} } && $here->{sum}{cases}, "what is stored is what plain SQL finds, worlds $seed + $number, + $jobs, ...");
	diag($_) for @{ $here->{reports} }, @{ $here->{refused} };
}
diag(sprintf '%d rules, %d pairs, in %d worlds; %d rules find some rows and not others; %d s', @sum{qw(cases pairs worlds mixed)}, time - $started);
cmp_ok($sum{cases}, '>=', $cases, "$cases rules") or diag('the search ended at the failures above');
cmp_ok($sum{mixed} / ($sum{cases} || 1), '>', 0.6, 'most of them find some rows and not others');
cmp_ok($sum{refused} / ($sum{cases} || 1), '<', 0.002, 'plain SQL takes the criteria that the test makes');
for my $part ([ citext => 'the extension citext' ], [ icu => 'ICU collations' ])
{
	SKIP:
	{
		skip "$part->[1] cannot be had here: columns of it were not tested", 1 unless $sum{ $part->[0] };
		cmp_ok($sum{"$part->[0]_named"}, '>', 0, "worlds have columns of $part->[1]");
	}
}
done_testing();
