#!/usr/bin/env perl
# tap.pl SECONDS FOLDER FILE...: runs programs that print TAP one by one and counts their assertions.
# Writes "passed failed skipped" to FOLDER/counts and each test's whole output to FOLDER/NAME.out. A file that dies,
# takes longer than SECONDS or runs another number of tests than it planned is one more failure. Lines that begin with
# "# progress: " are shown at once.
use strict;
use warnings;
use File::Basename qw(basename);
use TAP::Parser;

# what runs a program, by the ending of its name
my %command = (
	pl => ['perl'],
	py => ['/usr/bin/python3'],    # the one that sees the distribution's modules
	js => ['node'],
	java => [ 'java', '-XX:-UsePerfData' ],    # compiles a single file by itself; leaves nothing in /tmp
);
my ($limit, $folder, @files) = @ARGV;
my %count = (passed => 0, failed => 0, skipped => 0);
$| = 1;

for my $file (@files)
{
	my $out = "$folder/" . basename($file) . '.out';
	my %here = (passed => 0, failed => 0, skipped => 0);
	my (@bad, $started);
	my $below = '';
	$started = time;
	print "  $file ... ";
	open my $log, '>', $out or die "$out: $!";
	my ($ending) = $file =~ /\.(\w+)$/;
	my $parser = TAP::Parser->new({
		exec => [ 'timeout', $limit, 'sh', '-c', 'exec "$@" 2>&1', 'tap', @{ $command{$ending} }, $file ] });
	while (my $line = $parser->next)
	{
		print $log $line->as_string, "\n";
		if ($line->as_string =~ /^# progress: (.*)/)
		{
			print "\n    $1";
			$below = "\n    ";
		}
		next unless $line->is_test;
		if ($line->has_skip || $line->has_todo) { $here{skipped}++ }
		elsif ($line->is_ok) { $here{passed}++ }
		else { $here{failed}++; push @bad, $line->as_string }
	}
	close $log;
	if ($parser->skip_all)
	{
		print "not run: ", $parser->skip_all, "\n";
		$count{skipped}++;
		next;
	}
	if (!$here{failed} && ($parser->parse_errors || $parser->exit || $parser->wait))
	{
		$here{failed}++;
		push @bad, $parser->exit == 124 ? "took longer than $limit s" : 'ended with status ' . $parser->exit, $parser->parse_errors;
	}
	printf "%s%d passed%s%s (%d s)\n", $below, $here{passed},
	  $here{failed} ? ", $here{failed} FAILED" : '', $here{skipped} ? ", $here{skipped} not run" : '', time - $started;
	if ($here{failed})
	{
		print "    $_\n" for @bad;
		print "    --- the end of $out:\n";
		print "    $_" for do { open my $f, '<', $out or die; my @l = <$f>; @l > 25 ? @l[ -25 .. -1 ] : @l };
	}
	$count{$_} += $here{$_} for keys %here;
}

open my $counts, '>', "$folder/counts" or die "$folder/counts: $!";
print $counts "@count{qw(passed failed skipped)}\n";
close $counts;
exit($count{failed} ? 1 : 0);
