# Manual.pm: random decisions by hand for the oracle's worlds (World.pm); test/oracle/manual.sql keeps a copy of them.
package Manual;
use strict;
use warnings;

sub rnd { int rand $_[0] }
sub pick { $_[ rnd(scalar @_) ] }

# the keys of some pairs that stand, with the node of one of them
sub of_pairs
{
	my ($verb, $table, $which) = @_;
	my $salt = rnd(1000);
	return "SELECT oracle.hand('$verb', '$table->{name}', array_agg(key), node_id) FROM (SELECT a.key, a.node_id FROM territory.assignment a"
	  . " WHERE a.object = '$table->{name}'::regclass AND a.node_id = (SELECT b.node_id FROM territory.assignment b WHERE b.object = '$table->{name}'::regclass AND $which"
	  . " ORDER BY md5(b.key || b.node_id || '$salt') LIMIT 1) AND $which ORDER BY md5(a.key || '$salt') LIMIT " . (1 + rnd(4)) . ') x GROUP BY node_id';
}

# change WORLD: one statement
sub change
{
	my ($world) = @_;
	my $table = $world->any_table;
	my $node = $world->any_node;
	my $what = rnd(22);
	my $one = 'ARRAY[' . $table->{keyof}->($world->any_number) . '::text]';
	my $some = "array(SELECT $table->{key}\::text FROM $table->{name} ORDER BY md5($table->{key}\::text || '" . rnd(1000) . "') LIMIT " . (1 + rnd(6)) . ')';
	my $keys = pick($one, $some, $some, $some, "$some || $one || $one");
	return "SELECT oracle.hand('assign', '$table->{name}', $keys, $node)" if $what < 9;
	return of_pairs('assign', $table, 'true') if $what < 11;
	return of_pairs('unassign', $table, 'manual') if $what < 14;
	return "SELECT oracle.hand('unassign', '$table->{name}', $keys, $node)" if $what == 14;
	return of_pairs('exclude', $table, pick('manual', 'true')) if $what < 17;
	return "SELECT oracle.hand('exclude', '$table->{name}', $keys, " . pick($node, $node, 'NULL') . ')' if $what == 17;
	return "SELECT oracle.drop_node($node, " . pick($world->any_node, $world->any_node, "(SELECT parent_id FROM territory.node WHERE id = $node)", 'NULL') . ')' if $what > 19;
	return "SELECT oracle.hand('include', object, array_agg(key), node_id) FROM (SELECT * FROM territory.exclusion e WHERE object = '$table->{name}'::regclass AND EXISTS (SELECT FROM $table->{name} o WHERE o.$table->{key}\::text = e.key)) x"
	  . ' GROUP BY object, node_id ORDER BY md5(node_id::text) LIMIT ' . (1 + rnd(3));
}

# check_change WORLD: one statement on territory.pair_check. Its bound is what stands, or a little more, so that the check
# can be made and the next statements come against it. The columns that an amount reads are in no rule.
sub check_change
{
	my ($world) = @_;
	my $table = $world->any_table;
	my $name = 'c' . rnd(4);
	return 'DELETE FROM territory.pair_check WHERE ' . pick("name = '$name'", 'true') if rnd(10) < 3;
	my $kind = pick(qw(nodes_per_record nodes_per_record records_per_node amount_per_node amount_per_node assigned));
	my $amount = $kind eq 'amount_per_node' ? "'coalesce(length(note), 0) + uid % 3'" : 'NULL';
	my $node = rnd(10) < 5 ? $world->any_node : 'NULL';
	my $of = "territory.assignment a JOIN $table->{name} o ON o.$table->{key}\::text = a.key WHERE a.object = '$table->{name}'::regclass";
	my $below = $node eq 'NULL' ? '' : " AND a.model_id = (SELECT model_id FROM territory.node WHERE id = $node) AND a.path <@ (SELECT path FROM territory.node WHERE id = $node)";
	my $here = $node eq 'NULL' ? '' : " AND a.node_id = $node";
	my %stands = (
		nodes_per_record => "count(*) AS x FROM $of$below GROUP BY a.key",
		records_per_node => "count(*) AS x FROM $of$here GROUP BY a.node_id",
		amount_per_node => "sum(coalesce(length(o.note), 0) + o.uid % 3) AS x FROM $of$here GROUP BY a.node_id");
	my $bound = $kind eq 'assigned' ? 'NULL' : "greatest(coalesce((SELECT max(x) FROM (SELECT $stands{$kind}) s), 0) + " . pick(0, 0, 1, 3) . ', 0)';
	return "INSERT INTO territory.pair_check (name, object, kind, node_id, bound, amount, deferred) VALUES ('$name', '$table->{name}', '$kind', $node, $bound, $amount, " . pick('false', 'false', 'true') . ')'
	  . ' ON CONFLICT (name) DO UPDATE SET object = EXCLUDED.object, kind = EXCLUDED.kind, node_id = EXCLUDED.node_id, bound = EXCLUDED.bound, amount = EXCLUDED.amount, deferred = EXCLUDED.deferred';
}

1;
