# Access.pm: makes a random world for test/tap/access.pl: that of Children.pm, protected, with people of all rights, and
# after each of its steps some cases of access. The same seed makes the same text.
package Access;
use strict;
use warnings;
use Children;
our @ISA = ('Children');

sub rnd { int rand $_[0] }
sub chance { rand() < $_[0] }
sub pick { $_[ rnd(scalar @_) ] }

my @people = qw(ann bob cy);
my @tables = qw(w.account w.contact w.deal);

sub new
{
	my ($class, $seed, %option) = @_;
	my $self = $class->SUPER::new($seed, %option);
	srand($seed * 7 + 1);
	$self->{identity} = pick('role', 'role', 'setting', 'json');
	s/attach\('w\.account'/attach('w.account', owner => 'CASE size WHEN 3 THEN ''ann'' WHEN 4 THEN ''bob'' END'/ for @{ $self->{setup} };
	push @{ $self->{setup} }, $self->protection;
	splice @{ $self->{steps} }, rnd(scalar @{ $self->{steps} }), 0, $self->people for 1 .. 8;
	unshift @{ $self->{steps} }, $self->people for 1 .. 6;
	$self->{cases} = [ map { [ map { $self->case } 1 .. 8 ] } @{ $self->{steps} } ];
	return $self;
}

sub protection
{
	my ($self) = @_;
	my $app = $self->{identity} eq 'role' ? join(', ', @people) : 'oracle_app';
	my @grants = map { ("GRANT SELECT, INSERT, UPDATE, DELETE ON $_ TO $app", "GRANT SELECT ON ${_}_territory, ${_}_territory_history TO $app",
		"CREATE VIEW ${_}_view WITH (security_invoker = true) AS SELECT * FROM $_", "GRANT SELECT ON ${_}_view TO $app") } @tables;
	my @rights = map { ("SELECT 1 FROM territory.grant_rights('$_', 'manager')", "SELECT 1 FROM territory.grant_rights('$_', 'reader')") } split /, /, $app;
	return ("GRANT USAGE ON SCHEMA w, oracle TO $app", "GRANT USAGE ON ALL SEQUENCES IN SCHEMA w TO $app", @grants, @rights,
		"SET territory.identity = '" . { role => '', setting => 'app.claims', json => 'app.claims ->> sub' }->{ $self->{identity} } . "'",
		"SELECT 1 FROM territory.protect('w.account')");
}

# somebody's place, or what he may there
sub people
{
	my ($self) = @_;
	return "UPDATE territory.member SET role = '" . pick('manager', 'member') . "', access = '" . pick('read', 'write') . "' WHERE id = " . $self->some_member if chance(0.25);
	return "SELECT 1 FROM territory.protect('" . pick(@tables) . "')" if chance(0.05);
	return 'INSERT INTO territory.member (node_id, member, role, access, starts, ends) SELECT ' . $self->node . ", '" . pick(@people) . "', '" . pick('manager', 'member', 'member') . "', '" .
	  pick('read', 'read', 'write') . "', " . pick('NULL, NULL', 'NULL, NULL', 'current_date, NULL', 'current_date + 1, NULL', 'NULL, current_date');
}

# a key of a table, as text
sub text_key
{
	my ($self, $table) = @_;
	my $key = $table eq 'w.account' ? $self->account : 1 + rnd(10);
	return $key =~ s/'//gr;
}

# a new row: its key as text, and its values
sub row
{
	my ($self, $table) = @_;
	my $values = $table eq 'w.account' ? $self->account_row : $table eq 'w.contact' ? $self->contact_row : $self->deal_row;
	my ($key) = $values =~ /^([^,]*),/;
	return ($key =~ s/'//gr, $values);
}

# settings under which the planner goes other ways
sub plan
{
	return pick('', '', '', 'SET enable_seqscan = off', 'SET enable_indexscan = off; SET enable_indexonlyscan = off', 'SET enable_bitmapscan = off; SET enable_seqscan = off',
		'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0', 'SET enable_nestloop = off', "SET work_mem = '64kB'");
}

sub case
{
	my ($self) = @_;
	my ($person, $table) = (pick(@people), pick(@tables));
	my $start = "'$self->{identity}', '$person'";
	my $draw = rand();
	my $quote = sub { "'" . ($_[0] =~ s/'/''/gr) . "'" };
	if ($draw < 0.16)
	{
		my ($key, $values) = $self->row($table);
		return "oracle.access_insert($start, '$table', '$key', " . $quote->($values) . ')';
	}
	return "oracle.access_manage($start, '" . join(' ', pick('insert', 'update', 'delete'), pick('rule', 'node')) . "', " . $self->node . ')' if $draw < 0.22;
	return "oracle.access_manage($start, '" . pick('insert', 'delete') . " member', " . $self->node . ')' if $draw < 0.25;
	return "oracle.access_assign($start, '$table', '" . $self->text_key($table) . "', " . $self->node . ')' if $draw < 0.30;
	my $kind = pick(qw(select select point point first last shuffled called view pairs assignment history coverage lock update update update_one update_owner delete delete_one why match nodes));
	my $arg = $kind =~ /^(point|update_one|delete_one)$/ ? $self->text_key($table) : $kind eq 'update_owner' ? pick(@people) : $kind =~ /^(first|last)$/ ? 1 + rnd(4) : rnd(100);
	$table = pick('w.account', 'w.deal') if $kind eq 'update_owner';
	return "oracle.access_case($start, '$kind', '$table', '$arg')";
}

# script(SETUP, STEPS): the text for psql, or that of the statements and steps with these numbers; after each of the steps
# lines "C number answer"; that the pairs themselves are right is told with the number -1, and is no case.
sub script
{
	my ($self, $setup, $steps) = @_;
	srand($self->{seed} + 3);
	my $text = "SET search_path = public, territory;\nSET client_min_messages = warning;\nSET statement_timeout = '60s';\nSET jit = off;\nRESET territory.identity;\nSELECT territory.unprotect(object) FROM territory.object WHERE kind = 'account' \\g /dev/null\nSELECT oracle.clean_children() \\g /dev/null\n";
	my $compare = "SELECT 'C -1 ' || oracle.compare_children('');\n";
	my $attached = 0;
	for my $sql (@{ $self->{setup} }[ $setup ? @$setup : 0 .. $#{ $self->{setup} } ])
	{
		$attached ||= $sql =~ /attach\('w\.deal'/;
		$text .= "$sql \\g /dev/null\n" . ($attached ? $compare : '');
	}
	# all of them, so that each is the same whichever are asked for
	my @step = map { "\\echo -- step $_\n$self->{steps}[$_];\n$compare" . $self->cases_after($_) } 0 .. $#{ $self->{steps} };
	return join '', $text, @step[ $steps ? @$steps : 0 .. $#step ], "\\echo -- end\n";
}

# the cases of access after a step. What COPY prints is between two lines that begin with K; the first says what it must be.
sub cases_after
{
	my ($self, $number) = @_;
	my $text = '';
	for my $case (@{ $self->{cases}[$number] })
	{
		my $plan = plan();
		my @names = $plan =~ /SET (\w+)/g;
		$text .= "$plan;\n" if $plan;
		$text .= "SELECT 'C $number ' || $case;\n";
		$text .= "RESET $_;\n" for @names;
	}
	return $text unless $self->{identity} eq 'role' && chance(0.15);
	my ($person, $table) = (pick(@people), pick(@tables));
	return "${text}SELECT 'K ' || array_to_string(oracle.open_to('$table', '$person', false), ' ');\nSET ROLE $person;\nCOPY " . ($table eq 'w.account' ? "$table (k)" : "(SELECT k FROM $table)") . " TO STDOUT;\nRESET ROLE;\n\\echo K\n";
}

1;
