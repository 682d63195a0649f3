# Forecast.pm: makes a random world for test/tap/forecast.pl: accounts and their deals in a tree, a calendar, forecasts,
# targets, shares and rates, and random steps over all of them, as text for psql. The same seed makes the same text.
package Forecast;
use strict;
use warnings;

sub rnd { int rand $_[0] }
sub chance { rand() < $_[0] }
sub pick { $_[ rnd(scalar @_) ] }

my @people = qw(ann bob cy dee);
my @forecasts = qw(amount amount amount likely many pieces);

sub new
{
	my ($class, $seed, %option) = @_;
	srand($seed);
	my $self = bless { seed => $seed, nodes => 0, models => 0 }, $class;
	$self->{$_} = chance(0.7) ? 'true' : 'false' for qw(probability currency);
	$self->{setup} = [ $self->setup ];
	$self->{steps} = [ map { [ $self->step ] } 1 .. $option{steps} || 100 ];
	return $self;
}

sub person { return chance(0.1) ? 'NULL' : "'" . pick(@people) . "'" }
sub day { return "'2026-01-01'::date + " . (rnd(420) - 30) }
sub deal { return 1 + rnd(25) }

sub deal_row
{
	my ($k) = @_;
	return join ', ', $k // deal(), chance(0.1) ? 'NULL' : 1 + rnd(8), person(), chance(0.1) ? 'NULL' : pick(rnd(5), rnd(500) / 100, -1, '1e20', '0.000000000001', rnd(100000)),
	  chance(0.05) ? 'NULL' : day(), chance(0.05) ? 'NULL' : "'" . pick(qw(pipeline best_case commit closed closed closed omitted strange)) . "'",
	  chance(0.1) ? 'NULL' : pick(0, 0.1, 0.25, 0.5, 1, 1, 2, -1), chance(0.2) ? 'NULL' : "'" . pick(qw(EUR EUR USD USD GBP)) . "'", chance(0.1) ? 'NULL' : rnd(6);
}

my @columns = qw(account person amount closes stage probability currency pieces);

sub setup
{
	my ($self) = @_;
	my $optional = ($self->{probability} eq 'true' ? ", probability => 'probability'" : '') . ($self->{currency} eq 'true' ? ", currency => 'currency'" : '');
	my $partition = chance(0.2) ? ' PARTITION BY HASH (k)' : '';
	return ('CREATE SCHEMA w', 'CREATE TABLE w.account (k int PRIMARY KEY, country text, size int)',
		"CREATE TABLE w.deal (k int PRIMARY KEY, account int, person text, amount numeric, closes date, stage text, probability numeric, currency text, pieces int)$partition",
		$partition ? ('CREATE TABLE w.deal_0 PARTITION OF w.deal FOR VALUES WITH (MODULUS 2, REMAINDER 0)', 'CREATE TABLE w.deal_1 PARTITION OF w.deal FOR VALUES WITH (MODULUS 2, REMAINDER 1)') : (),
		'CREATE INDEX ON w.deal (account)', "SELECT FROM territory.attach('w.account', mode => '" . pick('deepest', 'all', 'first') . "')",
		"SELECT FROM territory.attach('w.deal', 'deal', parent => 'w.account', parent_key => 'account', owner => 'person', amount => 'amount', close_date => 'closes', "
		. "category => 'stage', closed => '" . pick('freeze', 'follow') . "'$optional)",
		"INSERT INTO oracle.world VALUES ($self->{probability}, $self->{currency})",
		"INSERT INTO territory.forecast_def (name, object, measure, filter, currency) VALUES ('amount', NULL, 'amount', NULL, 'EUR'), ('likely', 'w.deal', 'weighted', NULL, 'EUR'), ('many', 'w.deal', 'count', 'amount >= 2', NULL)",
		"INSERT INTO territory.forecast_def (name, object, measure, quantity) VALUES ('pieces', 'w.deal', 'quantity', 'pieces * 2')",
		"INSERT INTO territory.exchange_rate (currency, reporting, starts, rate) VALUES ('USD', 'EUR', '2025-12-01', 0.9), ('USD', 'EUR', '2026-03-01', 0.8)",
		"SELECT FROM territory.make_periods('quarter', '2026-01-01', '2026-12-31')", 
		(map { $self->step_node } 1 .. 4 + rnd(4)), (map { $self->step_rule } 1 .. 5),
		'INSERT INTO w.account VALUES ' . join(', ', map { "($_, '" . pick(qw(NL BE DE XX)) . "', " . rnd(4) . ')' } 1 .. 7),
		'INSERT INTO w.deal VALUES ' . join(', ', map { '(' . deal_row($_) . ')' } 1 .. 12),
		(map { $self->step_target } 1 .. 3));
}

sub node { return '(SELECT id FROM territory.node ORDER BY model_id, path OFFSET ' . rnd(40) . ' % (SELECT greatest(count(*), 1) FROM territory.node) LIMIT 1)' }
sub node_path { return '(SELECT path FROM territory.node WHERE model_id = territory.active_model() ORDER BY path OFFSET ' . rnd(40) . ' % (SELECT greatest(count(*), 1) FROM territory.node WHERE model_id = territory.active_model()) LIMIT 1)' }
sub period { return '(SELECT id FROM territory.period ORDER BY starts, id OFFSET ' . rnd(40) . ' % (SELECT greatest(count(*), 1) FROM territory.period) LIMIT 1)' }
sub period_name { return '(SELECT name FROM territory.period ORDER BY starts, id OFFSET ' . rnd(40) . ' % (SELECT greatest(count(*), 1) FROM territory.period) LIMIT 1)' }
sub metric { return "'" . pick(@forecasts) . "'" }

sub step_node
{
	my ($self) = @_;
	my $name = 'n' . $self->{nodes}++;
	my $parent = $self->{nodes} > 1 && chance(0.8) ? $self->node : 'NULL';
	return "INSERT INTO territory.node (parent_id, name, priority) VALUES ($parent, '$name', " . rnd(2) . ')';
}

sub step_rule
{
	my ($self) = @_;
	my $deal = chance(0.3);
	my $criteria = $deal ? pick('amount > 1', "person = 'ann'", 'true') : pick("country = 'NL'", "country IN ('NL', 'BE')", 'size > 1', 'true', "country = 'DE'");
	return 'INSERT INTO territory.rule (node_id, object, criteria) SELECT ' . $self->node . ", 'w." . ($deal ? 'deal' : 'account') . "', \$\$$criteria\$\$";
}

sub step_target
{
	my ($self) = @_;
	my $table = pick('target', 'target', 'adjustment');
	my $amount = $table eq 'target' ? pick(0, 1, 2.5, 100, 33.33) : pick(-5, 2, 0.5);
	my $member = chance(0.4) ? person() : 'NULL';
	return "INSERT INTO territory.$table (node_id, period_id, member, metric, amount) VALUES (" . $self->node . ', ' . period() . ", $member, " . metric() . ", $amount)"
	  . " ON CONFLICT ON CONSTRAINT ${table}_once DO UPDATE SET amount = EXCLUDED.amount";
}

# shares of a deal, which add up to 1, or none
sub shares
{
	my ($kind, $k) = (pick('revenue', 'overlay'), deal());
	my @some = @people[ 0 .. rnd(3) ];
	my @weights = map { 1 + rnd(4) } @some;
	my $rest = 1;
	my @rows;
	for my $i (0 .. $#some)
	{
		my $share = $i == $#some ? $rest : pick('0.25', '0.125', '0.1');
		$rest -= $share if $i < $#some;
		push @rows, "('w.deal', '$k', '$some[$i]', '$kind', round($share, 6))";
	}
	return ("BEGIN; DELETE FROM territory.deal_share WHERE key = '$k' AND kind = '$kind'; INSERT INTO territory.deal_share (object, key, member, kind, share) VALUES " . join(', ', @rows) . '; COMMIT');
}

# a step: its SQL, and whether it is one of the tree
sub step
{
	my ($self) = @_;
	my $at = rand;
	if ($at < 0.30) { return ('INSERT INTO w.deal VALUES ' . join(', ', map { '(' . deal_row() . ')' } 0 .. rnd(3)) . ' ON CONFLICT DO NOTHING', 0) }
	if ($at < 0.48)
	{
		my $column = pick(@columns);
		my @row = split /, /, deal_row(1);
		my %value;
		@value{@columns} = @row[ 1 .. $#row ];
		return ("UPDATE w.deal SET $column = $value{$column} WHERE k % " . (1 + rnd(6)) . ' = ' . rnd(3), 0);
	}
	if ($at < 0.52) { return ('DELETE FROM w.deal WHERE k = ' . deal(), 0) }
	if ($at < 0.54) { return ('UPDATE w.deal SET k = ' . deal() . ' WHERE k = ' . deal(), 0) }
	if ($at < 0.60) { return ("UPDATE w.account SET country = '" . pick(qw(NL BE DE XX)) . "', size = " . rnd(4) . ' WHERE k = ' . (1 + rnd(8)), 0) }
	if ($at < 0.63) { return ("INSERT INTO w.account VALUES (8, 'NL', 1) ON CONFLICT (k) DO UPDATE SET country = 'BE'", 0) }
	if ($at < 0.66) { return ($self->step_rule, 0) }
	if ($at < 0.68) { return ('DELETE FROM territory.rule WHERE id = (SELECT id FROM territory.rule ORDER BY id OFFSET ' . rnd(8) . ' LIMIT 1)', 0) }
	if ($at < 0.71) { return ($self->step_node, 1) }
	if ($at < 0.76) { return ('UPDATE territory.node SET parent_id = ' . (chance(0.2) ? 'NULL' : $self->node) . ' WHERE id = ' . $self->node, 1) }
	if ($at < 0.79) { return ('SELECT FROM territory.drop_node(' . node_path() . ', ' . node_path() . ')', 1) }
	if ($at < 0.80) { return ('SELECT FROM territory.drop_node(' . node_path() . ')', 1) }
	if ($at < 0.88) { return ($self->step_target, 0) }
	if ($at < 0.91) { return (shares(), 0) }
	if ($at < 0.93) { return ("INSERT INTO territory.exchange_rate (currency, reporting, starts, rate) VALUES ('" . pick('USD', 'GBP') . "', 'EUR', " . day() . ', ' . pick(0.5, 0.25, 1.1) . ') ON CONFLICT DO NOTHING', 0) }
	if ($at < 0.94) { return ("DELETE FROM territory.exchange_rate WHERE currency = 'USD' AND starts = (SELECT min(starts) FROM territory.exchange_rate)", 0) }
	if ($at < 0.955) { return ("SELECT FROM territory.make_periods('" . pick('month', 'quarter', 'year') . "', (SELECT max(ends) - 1 FROM territory.period WHERE kind = 'quarter') - " . rnd(400) . ", (SELECT max(ends) FROM territory.period WHERE kind = 'quarter'))", 0) }
	if ($at < 0.97) { return ('INSERT INTO territory.member (node_id, member, role) VALUES (' . $self->node . ', ' . person() . ", 'member')", 0) }
	if ($at < 0.975) { return ("SELECT territory.snapshot_forecast('amount')", 0) }
	if ($at < 0.985) { return ('SELECT territory.split_target(' . node_path() . ', ' . period_name() . ", '" . pick('children', 'members') . "', metric => " . metric() . ')', 0) }
	if ($at < 0.99) { return ("SELECT territory.assign('w.deal', '" . deal() . "', " . node_path() . ')', 0) }
	return $self->step_model;
}

# another model becomes active, a copy or the old one
sub step_model
{
	my ($self) = @_;
	my $name = 'm' . $self->{models}++;
	return ("INSERT INTO territory.model (name) VALUES ('$name'); INSERT INTO territory.node (model_id, path, priority) SELECT m.id, n.path, n.priority FROM territory.node n, territory.model m"
		. " WHERE n.model_id = territory.active_model() AND m.name = '$name' ORDER BY n.path; INSERT INTO territory.rule (node_id, object, criteria)"
		. " SELECT territory.node_id(n.path, '$name'), r.object, r.criteria FROM territory.rule r JOIN territory.node n ON n.id = r.node_id WHERE n.model_id = territory.active_model();"
		. " UPDATE territory.model SET state = CASE name WHEN '$name' THEN 'active' ELSE 'archived' END WHERE name = '$name' OR state = 'active'", 1);
}

# script(SETUP, STEPS): the text for psql, or that of the statements and steps with these numbers. Each step is compared
# afterwards: C NUMBER ok DEALS, or C NUMBER BAD ...
sub script
{
	my ($self, $setup, $steps) = @_;
	my @setup = @{ $self->{setup} }[ $setup ? @$setup : 0 .. $#{ $self->{setup} } ];
	my @steps = $steps ? @$steps : 0 .. $#{ $self->{steps} };
	srand($self->{seed} + 1);
	my @check = map { [ pick(@forecasts), pick('false', 'false', 'true') ] } 0 .. $#{ $self->{steps} };
	my $text = "SET client_min_messages = warning;\nSET jit = off;\nSET statement_timeout = '60s';\nSELECT oracle.clean() \\g /dev/null\n" . join('', map { "$_ \\g /dev/null\n" } @setup);
	for my $step (@steps)
	{
		my ($sql, $of_tree) = @{ $self->{steps}[$step] };
		my ($forecast, $by_member) = @{ $check[$step] };
		$text .= "\\echo -- step $step\n" . ($of_tree ? "SELECT oracle.possessions() AS before \\gset\n" : '') . "$sql;\n" . ($sql =~ /^BEGIN/ ? "ROLLBACK;\n" : '')
		  . ($of_tree ? "SELECT 'C -1 BAD targets, adjustments and snapshots were ' || :'before' || ' and are ' || oracle.possessions() WHERE :'before' <> oracle.possessions();\n" : '')
		  . "SELECT 'C $step ' || oracle.compare('$forecast', $by_member);\n";
	}
	return "$text\\echo -- end\n";
}

1;
