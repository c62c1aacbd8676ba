# Rewrites addresses by Mail::SRS for srs.interop.ts: each line of the input is `forward SENDER ALIAS`
# or `reverse ADDRESS`; each line of the output the address, or `invalid`.
use strict;
use warnings;
use Mail::SRS;

my $srs = Mail::SRS->new(Secret => $ARGV[0], MaxAge => 21, HashLength => $ARGV[1], HashMin => $ARGV[1]);
$SIG{__WARN__} = sub { };
while (my $line = <STDIN>) {
  chomp $line;
  my ($what, @words) = split / /, $line;
  my $address = eval { $what eq 'forward' ? $srs->forward(@words) : $srs->reverse(@words) };
  print defined $address ? "$address\n" : "invalid\n";
}
