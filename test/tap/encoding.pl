#!/usr/bin/env perl
# encoding.pl: the path type in databases of other encodings and collations. What it does with bytes is the same
# everywhere; only the modifier @ asks the database's collation, and then an index says what a plain scan says.
use strict;
use warnings;
use File::Basename qw(dirname);
use lib dirname(__FILE__);
use Psql;
use Test::More;

# name, how it is made, a label with a letter of its own in capitals and in small letters
my @databases = (
	[ 'C', q{ENCODING 'UTF8' LOCALE 'C'}, undef ],
	[ 'C.UTF-8', q{ENCODING 'UTF8' LOCALE 'C.UTF-8'}, [ q{U&'\00CEle'}, q{U&'\00EELE'} ] ],
	[ 'ICU', q{ENCODING 'UTF8' LOCALE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'und'}, [ q{U&'STRA\00DFE \03A3'}, q{U&'stra\00DFe \03C3'} ] ],
	[ 'Turkish by ICU', q{ENCODING 'UTF8' LOCALE 'C.UTF-8' LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR'}, [ q{'DIYARBAKIR'}, q{U&'d\0131yarbak\0131r'} ] ],
	[ 'LATIN1', q{ENCODING 'LATIN1' LOCALE 'C'}, undef ],
	[ 'EUC_JP', q{ENCODING 'EUC_JP' LOCALE 'C'}, undef ],
);
my $name = 'territory_encoding';

for my $database (@databases)
{
	my ($label, $options, $letters) = @$database;
	my $admin = Psql->new('postgres', 'SET client_min_messages = warning');
	$admin->do("DROP DATABASE IF EXISTS $name");
	my $made = $admin->query("CREATE DATABASE $name TEMPLATE template0 $options");
	$admin->close;
  SKIP: {
		# a server without ICU, a machine without the locale; whatever else goes wrong is a failure
		skip "$label: $made", 1 if $made =~ /ICU is not supported|invalid locale name|locale.*does not exist|could not create locale/i;
		die "$label: $made" if $made =~ /ERROR/;
		my $db = Psql->new($name, q{SET client_min_messages = warning; SET standard_conforming_strings = on});
		$db->do(q{CREATE EXTENSION territory}, q{SET search_path = public, territory});
		# letters above ASCII of the encoding, alone and within labels
		my $letters_of = $label =~ /LATIN1/ ? 'chr(i)' : $label =~ /EUC/
		  ? q{convert_from(set_byte(set_byte('\x0000'::bytea, 0, 161 + i / 94 % 84), 1, 161 + i % 94), 'EUC_JP')} : 'chr(i + 160)';
		my $range = $label =~ /LATIN1/ ? '161, 255' : $label =~ /EUC/ ? '1128, 1500' : '1, 900';
		$db->do(qq{CREATE TABLE word AS SELECT i, $letters_of AS w FROM generate_series($range) AS i});
		$db->do(q{CREATE TABLE place AS SELECT i, child(child(child('', 'X'), w || 'a'), 'b' || w) AS path FROM word
			UNION ALL SELECT -i, child(child('', w), 'A ' || w || '_c d.') FROM word},
			q{INSERT INTO place VALUES (0, ''), (100000, NULL)},
			q{CREATE INDEX place_path ON place (path)}, q{CREATE INDEX place_labels ON place USING gin (path)}, q{ANALYZE place});
		cmp_ok($db->query('SELECT count(*) FROM place'), '>', 180, "$label: there are letters");
		is($db->query('SELECT count(*) FROM place WHERE path::text::territory <> path OR path::text::territory::text <> path::text'), 0, "$label: text and back");
		is($db->query(q{SELECT count(*) FROM place AS a, place AS b WHERE a.i % 7 = 0 AND b.i % 5 = 0 AND (a.path < b.path) <> (array_to_string(levels(a.path), E'\x01') COLLATE "C" < array_to_string(levels(b.path), E'\x01') COLLATE "C")}),
			0, "$label: the order is that of bytes");
		# every question to the indexes and to a plain scan
		my @questions = (
			q{path <@ child('', w)}, q{path @> child(child(child('', 'X'), w || 'a'), 'b' || w)}, q{path = child(child(child('', 'X'), w || 'a'), 'b' || w)},
			map({ "path ~ $_" } q{('"' || w || '".*')::pattern}, q{('X."' || w || '"*.*')::pattern}, q{('*."b' || w || '"')::pattern}, q{('*."B' || w || '"@')::pattern},
				q{('X."' || w || 'A"@.*')::pattern}, q{('*."c ' || w || '"%')::pattern}),
			map({ "path @ $_" } q{('"' || w || '" | "' || w || 'a"')::label_query}, q{('"' || w || 'A"@*')::label_query}, q{('X & !"b' || w || '"')::label_query}));
		my ($asked, $differ) = (0, '');
		for my $question (@questions)
		{
			my $sql = "SELECT string_agg(q, ' ' ORDER BY w) FROM (SELECT w, (SELECT count(*) || ':' || coalesce(sum(i), 0) FROM place WHERE $question) AS q FROM word WHERE i % 29 = 0) AS s";
			my $by_index = $db->query("SET enable_seqscan = off; $sql");
			my $by_scan = $db->query("SET enable_seqscan = on; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; $sql");
			$db->do('RESET enable_indexscan', 'RESET enable_bitmapscan', 'RESET enable_indexonlyscan');
			$asked++ if $by_scan =~ /[1-9]\d*:/;
			$differ .= "$question\n$by_index\n$by_scan\n" if $by_index ne $by_scan;
		}
		is($differ, '', "$label: indexes say what a plain scan says");
		is($asked, scalar @questions, "$label: every question has answers");
		if ($letters)
		{
			my ($one, $other) = @$letters;
			is($db->query("SELECT child('', $one) ~ ('\"' || $other || '\"\@')::pattern, child('', $other) ~ ('\"' || $one || '\"\@')::pattern, child('', $one) ~ ('\"' || $other || '\"')::pattern"), 't|t|f',
				"$label: \@ means any case, by the database's rules");
		}
		$db->close;
	}
}
Psql->new('postgres', 'SET client_min_messages = warning')->do("DROP DATABASE IF EXISTS $name");
done_testing();
