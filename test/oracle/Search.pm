# Search.pm: searches random worlds for one that fails. A world is a script for psql that a class makes from a number
# (World.pm, Children.pm, ...): some statements that set it up, and steps. Processes run such scripts side by side, each
# in a database of its own, and read what they write:
#
#   -- step NUMBER      what follows is of this step; before the first, of the setup
#   C NUMBER BAD text   what is wrong after that step
#   -- end              the script came to its end
#
# An error that is not expected is wrong as well, and so is a lost connection and a psql that ends badly; the test itself
# reads all other lines. What fails is made smaller by leaving out steps, then statements of the setup, as long as it still
# fails in the same way: parts of half the size, a quarter and so on (after delta debugging: Zeller and Hildebrandt 2002).
#
# NAME_CASES  comparisons in all                     NAME_SEED     the first world's number (default: by the clock)
# NAME_JOBS   processes (default 2)                  NAME_STEPS    steps a world (default 100)
# NAME_SHRINK=0  do not make smaller what fails      NAME_REPORTS  failures after which a process ends (default 3)
# NAME_SHRINK_SECONDS  how long to do so (default 60)
#
# where NAME is the test's in capitals. TERRITORY_LOGS is a folder for the script and the output of worlds that fail;
# TERRITORY_PROGRESS=1 tells how far the search is. By hand, in the database that PGDATABASE names:
#
# --print SEED   writes a world's script
# --shrink SEED  runs it, and writes the shortest part of it that fails
package Search;
use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use FindBin;
use IO::Handle;
use POSIX ();
use Storable qw(fd_retrieve store_fd);
use Test::More;

our @EXPORT_OK = qw(search run_psql make_database in_processes fewer);

my $programs = $ENV{PG_BINDIR} ? "$ENV{PG_BINDIR}/" : '';
my $folder = tempdir('search-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my %test;    # what search was told

# ---------- databases and processes ----------

# wait_for_server: as it starts again after a crash, which it learns of a moment after the client
sub wait_for_server
{
	for (1 .. 60) { sleep 1; last if system("${programs}pg_isready", '-q') == 0 }
	return;
}

# run_psql DATABASE, SCRIPT: returns what it wrote; whoever comes next finds a server, even if this script made it crash
sub run_psql
{
	my ($database, $script) = @_;
	my $name = "$folder/script$$.sql";
	open my $file, '>', $name or die "$name: $!";
	print $file $script;
	close $file or die "$name: $!";
	my $out = `${programs}psql -XqAt -v VERBOSITY=verbose -d '$database' -f '$name' 2>&1 </dev/null`;
	my $status = $? or return $out;
	wait_for_server() if $status >> 8 == 2;    # no connection, or a lost one
	return "$out\nBAD psql ended with status $status\n";
}

# make_database NAME, FILE...: one with the extension and these files of test/oracle
sub make_database
{
	my ($name, @files) = @_;
	my $made = run_psql('postgres', "DROP DATABASE IF EXISTS $name WITH (FORCE);\nCREATE DATABASE $name;\n");
	$made .= run_psql($name, "SET client_min_messages = warning;\n\\set ON_ERROR_STOP on\nCREATE EXTENSION territory;\n" . join '', map { "\\i '$FindBin::Bin/../oracle/$_.sql'\n" } @files);
	die "the database $name was not made: $made" if $made =~ /ERROR|BAD|FATAL/;
	return;
}

# in_processes MANY, WORK: calls WORK with 0, 1, ..., each in a process of its own. Returns the references that they
# return, and nothing true for one that died.
sub in_processes
{
	my ($many, $work) = @_;
	my @pipe;
	for my $number (0 .. $many - 1)
	{
		my $pid = open(my $pipe, '-|') // die "fork: $!";
		push @pipe, $pipe;
		next if $pid;
		eval { store_fd($work->($number), \*STDOUT) && STDOUT->flush } or do { warn $@; POSIX::_exit(1) };
		POSIX::_exit(0);
	}
	return map { my $found = eval { fd_retrieve($_) }; close($_) ? $found : undef } @pipe;
}

# ---------- what a script wrote ----------

# setting NAME, DEFAULT: from the environment
sub setting
{
	my ($name, $default) = @_;
	my $value = $ENV{ uc "$test{name}_$name" };
	return defined $value && $value ne '' ? $value : $default;
}

# result OUTPUT: the cases that agreed, the test's own counts, the errors met, and the first thing wrong (step, text)
sub result
{
	my ($out) = @_;
	my %r = ((map { $_ => 0 } 'ok', @{ $test{counts} }), errors => {}, step => -1, wrong => '');
	my ($step, $ended) = (-1, 0);
	for my $line (split /\n/, $out)
	{
		my $wrong;
		if ($line =~ /^-- step (\d+)/) { $step = $1 }
		elsif ($line eq '-- end') { $ended = 1 }
		elsif ($line =~ /^(?:C ?-?\d+ )?BAD (.*)/) { $wrong = $1 }
		elsif ($line =~ /(?:ERROR|FATAL|PANIC):  ((\w{5}): .*)/)
		{
			$r{errors}{$2}++;
			my $error = $1;
			$wrong = "an error that no step may meet: $error" if $error !~ $test{ $step < 0 ? 'setup_errors' : 'step_errors' };
		}
		elsif ($line =~ /server closed the connection|connection to server was lost/) { $wrong = $line }
		else { $wrong = $test{line}->(\%r, $line) }
		@r{qw(step wrong)} = ($step, $wrong) if $wrong && !$r{wrong};
	}
	@r{qw(step wrong)} = ($step, 'the script did not come to its end') unless $ended || $r{wrong};
	return \%r;
}

# ---------- a world that fails ----------

# a failure of the same kind: names and numbers may be others
sub kind { my ($r) = @_; return $r->{wrong} =~ /^an error/ ? $r->{wrong} =~ s/".*?"|\d+//gr : $r->{wrong} =~ s/[:(\d].*//sr }

# fewer LIST, FAILS, UNTIL: leaves out of a list what a failure does not need; from its end, as later things need earlier ones
sub fewer
{
	my ($list, $fails, $until) = @_;
	my @list = @$list;
	for (my $size = int(@list / 2); $size >= 1; $size = int($size / 2))
	{
		for (my $end = @list; $end > 0 && time < $until; $end -= $size)
		{
			my @less = @list;
			splice @less, $end > $size ? $end - $size : 0, $end > $size ? $size : $end;
			@list = @less if @less && $fails->(\@less);
		}
	}
	return \@list;
}

# smallest DATABASE, WORLD, FOUND, SETUP, STEPS: the numbers of the statements that a failure needs
sub smallest
{
	my ($database, $world, $found, $setup, $steps) = @_;
	my $fails = sub { my $r = result(run_psql($database, $world->script(@_))); return $r->{wrong} && kind($r) eq kind($found) };
	my $until = time + setting(shrink_seconds => 60);
	return ($setup, $steps) unless $fails->($setup, $steps);
	my $fewer_steps = sub { fewer($steps, sub { $fails->($setup, @_) }, $until) };
	my @must = grep { $world->{setup}[$_] !~ $test{spare} } @$setup;
	my $with = sub { return [ sort { $a <=> $b } @must, @{ $_[0] } ] };
	$steps = $fewer_steps->();
	$setup = $with->(fewer([ grep { $world->{setup}[$_] =~ $test{spare} } @$setup ], sub { $fails->($with->(@_), $steps) }, $until));
	$steps = $fewer_steps->();
	return ($setup, $steps);
}

# keep NAME, TEXT: in TERRITORY_LOGS, for later; returns where
sub keep
{
	my ($name, $text) = @_;
	return () unless $ENV{TERRITORY_LOGS};
	my $path = "$ENV{TERRITORY_LOGS}/$name";
	open my $file, '>', $path or return ();
	print $file $text;
	close $file;
	return "kept: $path\n";
}

# report DATABASE, WORLD, OUTPUT, FOUND: what is wrong, and the shortest script that shows it
sub report
{
	my ($database, $world, $out, $found) = @_;
	my @part = ([ 0 .. $#{ $world->{setup} } ], [ 0 .. $found->{step} ]);
	my $text = join '', "world $world->{seed}, step $found->{step}: $found->{wrong}\n",
	  keep("$test{name}-$world->{seed}.sql", $world->script(@part)), keep("$test{name}-$world->{seed}.out", $out),
	  "the whole script: test/tap/$test{name}.pl --print $world->{seed}\n";
	@part = smallest($database, $world, $found, @part) if setting(shrink => 1);
	my $script = $world->script(@part);
	my $says = run_psql($database, $script);
	my $last = result($says);
	return join '', $text, 'to replay: a database with ', join(', ', 'territory', @{ $test{extensions} }), ', psql', (map { " -f test/oracle/$_.sql" } @{ $test{files} }), ", then\n$script",
	  'which says, ', $last->{wrong} ? "step $last->{step}: $last->{wrong}\n" : "this time, nothing wrong\n", map { "$_\n" } grep { /BAD|ERROR|FATAL|PANIC|closed|lost|^    / } split /\n/, $says;
}

# ---------- the search ----------

# new_world SEED, HAS: has are the extensions that the database has
sub new_world { my ($seed, %has) = @_; return $test{world}->new($seed, steps => setting(steps => 100), %has) }

# job NUMBER, JOBS, SEED, CASES: every JOBS-th world, until so many cases agreed; returns its sums and reports
sub job
{
	my ($number, $jobs, $seed, $wanted) = @_;
	my $database = "$test{name}_${$}_$number";
	my %sum = (ok => 0, worlds => 0, errors => {}, reports => []);
	make_database($database, @{ $test{files} });
	my %has = map { $_ => run_psql($database, "CREATE EXTENSION $_;") eq '' } @{ $test{extensions} };
	for (my $one = $seed + $number; $sum{ok} < $wanted && @{ $sum{reports} } < setting(reports => 3); $one += $jobs)
	{
		my $world = new_world($one, %has);
		my $out = run_psql($database, $world->script);
		my $r = result($out);
		$sum{$_} += $r->{$_} for 'ok', @{ $test{counts} };
		$sum{errors}{$_} += $r->{errors}{$_} for keys %{ $r->{errors} };
		$sum{worlds}++;
		push @{ $sum{reports} }, report($database, $world, $out, $r) if $r->{wrong};
		print STDERR "# progress: process $number, $sum{ok} of $wanted cases\n" if $ENV{TERRITORY_PROGRESS} && $sum{worlds} % 100 == 0;
	}
	run_psql('postgres', "DROP DATABASE $database WITH (FORCE);");
	return \%sum;
}

# command, SEED: what is asked for by hand, about one world
sub command
{
	my ($command, $seed) = @_;
	my $world = new_world($seed, map { $_ => 1 } @{ $test{extensions} });
	return $world->script if $command eq '--print';
	my $database = $ENV{PGDATABASE} // die "PGDATABASE does not name a database\n";
	my $out = run_psql($database, $world->script);
	my $r = result($out);
	return $r->{wrong} ? report($database, $world, $out, $r) : "nothing is wrong with world $seed\n";
}

# make_roles: those that the worlds need, which may be there already
sub make_roles
{
	my $made = run_psql('postgres', join '', map { "CREATE ROLE $_;\n" } @{ $test{roles} });
	die "the roles were not made: $made" if $made =~ /BAD|ERROR:  (?!42710)/;
	return;
}

# search(
#   name          the test's
#   world         the class: new(SEED, steps => COUNT, EXTENSION => BOOL, ...) has {seed}, and in {setup} and {steps} what
#                 script(SETUP, STEPS), lists of numbers, makes into text, or all of it without arguments
#   cases         how many without a NAME_CASES
#   files         of test/oracle, which a database needs
#   extensions    which worlds use where they can be had
#   roles         which worlds need
#   setup_errors, step_errors    what a "SQLSTATE: message" matches that is well in the setup and in a step
#   spare         what a statement of the setup matches that a failing world may do without
#   line          sub: gets a result and a line; counts, in {ok} the case if it is one, and returns what is wrong, if anything
#   counts        what it counts beside {ok}
#   claim         what is true when nothing is found)
#
# Asserts the claim for each process, and that there were enough cases; returns the sums.
sub search
{
	%test = (extensions => [], roles => [], @_);
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	if (@ARGV == 2 && $ARGV[0] =~ /^--(print|shrink)$/) { print command(@ARGV); exit }
	my ($cases, $jobs, $seed) = (setting(cases => $test{cases}), setting(jobs => 2), setting(seed => time % 1_000_000_000));
	my $started = time;
	my (%sum, %errors);
	diag("\U$test{name}\E_SEED=$seed, $cases cases");
	make_roles();
	my @found = in_processes($jobs, sub { job($_[0], $jobs, $seed, $cases / $jobs) });
	run_psql('postgres', join '', map { "DROP ROLE $_;\n" } @{ $test{roles} });
	for my $number (0 .. $jobs - 1)
	{
		my $here = $found[$number] || { reports => [] };
		ok(!@{ $here->{reports} } && $here->{ok}, "$test{claim}, worlds $seed + $number, + $jobs, ...") or diag(join "\n", @{ $here->{reports} });
		$sum{$_} += $here->{$_} || 0 for qw(ok worlds), @{ $test{counts} };
		$errors{$_} += $here->{errors}{$_} for keys %{ $here->{errors} };
	}
	diag(sprintf '%d cases in %d worlds; %s; %d s; errors met: %s', @sum{qw(ok worlds)}, join(', ', map { "$_ $sum{$_}" } @{ $test{counts} }), time - $started,
		join(', ', map { "$_ $errors{$_}" } sort keys %errors));
	cmp_ok($sum{ok}, '>=', $cases, "$cases cases") or diag('the search ended at the failures above');
	return %sum;
}

1;
