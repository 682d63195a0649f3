# Psql: sessions of psql that stay open, for TAP tests with several of them. One query at a time each; errors are
# part of the answer, so that a test can compare them.
package Psql;
use strict;
use warnings;
use IPC::Open3 qw(open3);

# Psql->new(DATABASE [, SQL]): a session, which runs the SQL first
sub new
{
	my ($class, $database, $sql) = @_;
	my $self = bless { count => 0, database => $database }, $class;
	local $ENV{PGCLIENTENCODING} = 'UTF8';
	$self->{pid} = open3($self->{to}, $self->{from}, undef, 'psql', '-XqAt', '-d', $database,
		'-v', 'VERBOSITY=terse', '-v', 'SHOW_CONTEXT=never', '-P', 'null=NULL');
	$self->{to}->autoflush(1);
	$self->query($sql) if defined $sql;
	return $self;
}

# send(SQL): begins a query whose answer result() waits for
sub send
{
	my ($self, $sql) = @_;
	$self->{count}++;
	$sql =~ s/\s*;?\s*\z/;/ unless $sql =~ /^\s*\\/;
	print { $self->{to} } "$sql\n\\echo == $self->{count} ==\n";
	return $self;
}

# result: what the last query answered, lines without the last newline
sub result
{
	my ($self) = @_;
	my $answer = '';
	my $from = $self->{from};
	while (defined(my $line = <$from>))
	{
		if ($line eq "== $self->{count} ==\n")
		{
			chomp $answer;
			return $answer;
		}
		$answer .= $line;
	}
	die "psql on $self->{database} ended: $answer";
}

sub query
{
	my ($self, $sql) = @_;
	return $self->send($sql)->result;
}

# do(SQL...): queries that must not fail
sub do
{
	my ($self, @sql) = @_;
	for my $sql (@sql)
	{
		my $answer = $self->query($sql);
		die "$sql\n$answer" if $answer =~ /^(ERROR|FATAL|PANIC):/m;
	}
	return;
}

sub close
{
	my ($self) = @_;
	CORE::close $self->{to};
	CORE::close $self->{from};
	waitpid $self->{pid}, 0;
	return;
}

# fresh_database(NAME): a database with the extension, an old one of that name dropped
sub fresh_database
{
	my ($name, $bare) = @_;
	local $ENV{PGOPTIONS} = '-c client_min_messages=warning';
	system('dropdb', '--if-exists', '--force', $name) == 0 && system('createdb', '-T', 'template0', $name) == 0
	  or die "could not make database $name";
	return if $bare;
	Psql->new($name)->do('CREATE EXTENSION territory');
	return;
}

1;
