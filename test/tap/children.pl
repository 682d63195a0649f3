#!/usr/bin/env perl
# children.pl: random accounts in families, contacts and deals; after every step the assignments of all three tables are
# compared with what test/oracle/children.sql says they must be. test/oracle/Children.pm makes the steps,
# test/oracle/Search.pm runs them.
#
# CHILDREN_CASES (default 20000), CHILDREN_SEED and others, --print SEED, --shrink SEED: see Search.pm. A database for
# --shrink has the extension, test/oracle/oracle.sql and test/oracle/children.sql.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use Children;
use Search qw(search);
use Test::More;

sub line
{
	my ($r, $line) = @_;
	if ($line =~ /^C -?\d+ ok (\d+)/) { $r->{ok}++; $r->{pairs} += $1 }
	return;
}

my %sum = search(
	name => 'children', world => 'Children', cases => 20000,
	files => [qw(oracle children)], roles => ['oracle_writer'],
	setup_errors => qr/^23503/,
	# keys and references that do not fit, members and exclusions that are there, a territory moved below itself or deleted
	# while it is needed, decisions against exclusions or rules, a transaction that failed before
	step_errors => qr/^(?:23505|23503|23502|23514|23P01|21000|22023|2BP01|25P02|3B001|42P17|0A000|55000)/,
	spare => qr/^INSERT INTO/, line => \&line, counts => ['pairs'],
	claim => 'the assignments are what brute force says');
cmp_ok($sum{pairs} / ($sum{ok} || 1), '>', 3, 'and they are not empty');
done_testing();
