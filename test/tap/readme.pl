#!/usr/bin/perl
# The README's 60-second example, and what goes on from it: every block of SQL that is followed by its output is run, and
# must print that.
use strict;
use warnings;
use utf8;
use File::Basename qw(dirname);
use File::Temp qw(tempfile);
use Test::More;

my $readme = dirname(__FILE__) . '/../../README.md';
open my $in, '<:encoding(UTF-8)', $readme or die "$readme: $!";
my $text = do { local $/; <$in> };
close $in;

my ($example) = $text =~ /^## 60 seconds\n(.*)/ms;
ok(defined $example, 'the README has its example');
my (@sql, @printed);
while ($example =~ /^```sql\n(.*?)^```\n```\n(.*?)^```$/gms)
{
	push @sql, $1;
	push @printed, $2;
}
cmp_ok(scalar @sql, '>=', 7, 'the example has its blocks');

system('dropdb', '--if-exists', 'territory_readme') == 0 and system('createdb', 'territory_readme') == 0
  or die 'could not make a database';

# all blocks in one session, a mark between them
my ($out, $script) = tempfile(UNLINK => 1);
binmode $out, ':encoding(UTF-8)';
print $out join("\\echo ---- next\n", @sql);
close $out;
open my $psql, '-|:encoding(UTF-8)', 'psql', '-XqAt', '--no-align', '-P', 'format=aligned', '-P', 'tuples_only=off',
  '-v', 'ON_ERROR_STOP=1', '-d', 'territory_readme', '-f', $script or die "psql: $!";
my $got = do { local $/; <$psql> };
ok(close $psql, 'the example runs without an error');
my @got = split /^---- next\n/m, $got;

for my $i (0 .. $#printed)
{
	is($got[$i], $printed[$i], 'block ' . ($i + 1) . ' prints what the README says');
}
system('dropdb', 'territory_readme');
done_testing();
