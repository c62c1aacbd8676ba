# A life by Perl's libraries: Net::SMTP, Mail::IMAPClient, Net::POP3; for libraries.interop.ts, which gives the ports
# of submission, imap, imaps and pop3s, a user and a password. Dies at the first thing that is not as it must be.
use strict;
use warnings;
use Mail::IMAPClient;
use Net::POP3;
use Net::SMTP;

my ($submission, $imap, $imaps, $pop3s, $user, $password) = @ARGV;
my @plain = (SSL_verify_mode => 0);

sub must {
    my ($what, $is, $why) = @_;
    die "$what: " . ($why // '') . "\n" unless $is;
}

my $text = "From: $user\r\nTo: $user\r\nSubject: perl\r\n\r\n.dot\r\n..two\r\n";
my $smtp = Net::SMTP->new('127.0.0.1', Port => $submission, Hello => 'client.example');
must 'STARTTLS', $smtp->starttls(@plain);
must 'a wrong password is refused', !$smtp->auth($user, 'wrong');
must 'AUTH', $smtp->auth($user, $password);
must 'MAIL', $smtp->mail($user, Size => length $text, Bits => 8, Return => 'HDRS', Envelope => 'e');
my @taken = $smtp->to($user, 'nobody@demo.test', { SkipBad => 1, Notify => ['FAILURE'] });
must 'SkipBad', "@taken" eq $user;
must 'DATA', $smtp->data($text), $smtp->message;
must 'QUIT', $smtp->quit;

for my $secured ([Port => $imaps, Ssl => \@plain, Authmechanism => 'PLAIN'], [Port => $imap, Starttls => \@plain]) {
    my $client = Mail::IMAPClient->new(
        Server => '127.0.0.1', User => $user, Password => $password, Uid => 1, Peek => 1, @$secured
    );
    must 'login', $client && $client->IsAuthenticated, $@;
    my $folder = 'Perl "quoted" &- more/Sub';
    must 'create', $client->create($folder), $client->LastError;
    must 'list', scalar(grep { $_ eq $folder } $client->folders);
    my $big = "Subject: big\r\n\r\n" . ('x' x 70 . "\r\n") x 20_000;
    my $uid = $client->append_string($folder, $big, '\Flagged');
    must 'append', $uid, $client->LastError;
    must 'select', $client->select($folder);
    must 'every octet', $client->message_string($uid) eq $big;
    must 'see', $client->see($uid);
    must 'flags', join(' ', sort grep { $_ ne '\Recent' } $client->flags($uid)) eq '\Flagged \Seen', join ' ', $client->flags($uid);
    must 'search', ($client->search('SEEN', 'SUBJECT', \'big'))[0] == $uid;
    must 'sort', ($client->sort('(REVERSE DATE)', 'UTF-8', 'ALL'))[0] == $uid;
    must 'envelope', $client->get_envelope($uid)->subject eq 'big';
    must 'structure', lc $client->get_bodystructure($uid)->bodytype eq 'text';
    must 'copy', my $copy = $client->copy($folder, $uid);
    must 'move', $client->move('Archive', $copy);
    $client->expunge;
    must 'one is left', $client->message_count == 1;
    my $idle = $client->idle;
    must 'idle', $idle && $client->done($idle);
    must 'delete', $client->delete_message($uid) && $client->close && $client->delete($folder), $client->LastError;
    $client->logout;
}
must 'a wrong password opens nothing', !Mail::IMAPClient->new(
    Server => '127.0.0.1', Port => $imaps, Ssl => \@plain, User => $user, Password => 'wrong'
);

my $pop = Net::POP3->new('127.0.0.1', Port => $pop3s, SSL => 1, @plain);
must 'POP3', ($pop->login($user, $password) // 0) == 1;
must 'UIDL', keys %{ $pop->uidl } == 1;
my $got = join '', @{ $pop->get(1) };
must 'dots', $got =~ /\r?\n\r?\n\.dot\r?\n\.\.two\r?\n\z/, $got;
must 'DELE', $pop->delete(1) && $pop->quit;
