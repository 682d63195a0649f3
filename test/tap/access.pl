#!/usr/bin/env perl
# access.pl: random trees, members, owners, access levels and statements; what each person sees and writes is compared
# with what test/oracle/access.sql says. test/oracle/Access.pm makes the worlds, test/oracle/Search.pm runs them.
#
# ACCESS_CASES (default 10000), ACCESS_SEED and others, --print SEED, --shrink SEED: see Search.pm. A database for --shrink
# has the extension, test/oracle/oracle.sql, test/oracle/children.sql and test/oracle/access.sql, its server the roles
# ann, bob, cy and oracle_app.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use Access;
use Search qw(search);
use Test::More;

# what COPY writes is between two lines with K; the first says what it must be
sub line
{
	my ($r, $line) = @_;
	if ($line =~ /^C \d+ ok (\d+)/) { $r->{ok}++; $r->{rows} += $1 }
	elsif ($line =~ /^K (.*)/) { $r->{copy} = { must => join(' ', sort split / /, $1), copied => [] } }
	elsif ($line eq 'K' && $r->{copy})
	{
		my ($must, $copied) = ($r->{copy}{must}, join ' ', sort @{ $r->{copy}{copied} });
		$r->{ok}++;
		$r->{copies}++;
		delete $r->{copy};
		return "COPY: gives $copied, must give $must" if $must ne $copied;
	}
	elsif ($r->{copy}) { push @{ $r->{copy}{copied} }, $line }
	return;
}

my %sum = search(
	name => 'access', world => 'Access', cases => 10000,
	files => [qw(oracle children access)], roles => [qw(ann bob cy oracle_app oracle_writer)],
	setup_errors => qr/^23503/,
	# as in children.pl
	step_errors => qr/^(?:23505|23503|23502|23514|23P01|21000|22023|2BP01|25P02|3B001|42P17|0A000|55000)/,
	spare => qr/^INSERT INTO/, line => \&line, counts => [qw(rows copies)],
	claim => 'people see and write what brute force says');
cmp_ok($sum{rows} / ($sum{ok} || 1), '>', 1, 'and they are not empty');
done_testing();
