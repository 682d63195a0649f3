#!/usr/bin/env perl
# forecast.pl: random trees, deals, shares, currencies, targets and moves; after every step a forecast's figures, by territory
# or by person, are compared with what test/oracle/forecast.sql says they must be. test/oracle/Forecast.pm makes the steps,
# test/oracle/Search.pm runs them.
#
# FORECAST_CASES (default 6000), FORECAST_SEED and others, --print SEED, --shrink SEED: see Search.pm. A database for
# --shrink has the extension and test/oracle/forecast.sql.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../oracle";
use Forecast;
use Search qw(search);
use Test::More;

sub line
{
	my ($r, $line) = @_;
	if ($line =~ /^C -?\d+ ok (\d+)/) { $r->{ok}++; $r->{deals} += $1 }
	return;
}

my %sum = search(
	name => 'forecast', world => 'Forecast', cases => 6000,
	files => ['forecast'],
	setup_errors => qr/^23503/,
	# keys and references that do not fit, members that are there, periods that would not follow each other, a territory moved
	# below itself or deleted while it is needed, nothing to split, deals that are not there
	step_errors => qr/^(?:23505|23503|23502|23514|23P01|22023|2BP01|22004|25P02|42P17|55000)/,
	spare => qr/^INSERT INTO (?:w\.|territory\.(?!forecast_def))/, line => \&line, counts => ['deals'],
	claim => 'the forecasts are what brute force says');
cmp_ok($sum{deals} / ($sum{ok} || 1), '>', 3, 'and they are not empty');
done_testing();
