<?php
// PHP's imap functions, which are the c-client library of the University of Washington: IMAP and POP3; for
// libraries.interop.ts, which gives the ports of imap, imaps, pop3 and pop3s, a user and a password. INBOX holds one message.
[, $imap, $imaps, $pop3, $pop3s, $user, $password] = $argv;

function must(string $what, mixed $is): void
{
    if (!$is) {
        fwrite(STDERR, "$what: " . implode('; ', imap_errors() ?: []) . "\n");
        exit(1);
    }
}

// Its /tls is TLS 1.0 and nothing else, which no server of today speaks.
foreach (["$imaps/imap/ssl" => true, "$imap/imap/tls-sslv23" => true, "$pop3s/pop3/ssl" => false, "$pop3/pop3/tls-sslv23" => false] as $how => $folders) {
    $server = "{127.0.0.1:$how/novalidate-cert}";
    must('a wrong password is refused', !@imap_open("{$server}INBOX", $user, 'wrong', 0, 1));
    imap_errors();
    must("open $how", $box = imap_open("{$server}INBOX", $user, $password, 0, 1));
    must('check', imap_check($box)->Nmsgs === 1);
    must('overview', imap_fetch_overview($box, '1')[0]->subject === 'c-client');
    must('structure', imap_fetchstructure($box, 1)->type === 0);
    must('header', imap_headerinfo($box, 1)->from[0]->host === 'example.org');
    must('body', imap_body($box, 1, FT_PEEK) === "hello\r\n");
    if ($folders) {
        $folder = 'PHP &APw-/Sub';
        must('create', imap_createmailbox($box, $server . $folder));
        must('list', in_array($server . $folder, imap_list($box, $server, '*')));
        $big = "Subject: php\r\n\r\n" . str_repeat(str_repeat('z', 70) . "\r\n", 10000);
        must('append', imap_append($box, $server . $folder, $big, '\\Flagged', '01-Jan-2020 10:00:00 +0100'));
        must('reopen', imap_reopen($box, $server . $folder) && imap_num_msg($box) === 1);
        must('every octet', imap_fetchheader($box, 1) . imap_body($box, 1) === $big);
        must('search', imap_search($box, 'FLAGGED SUBJECT "php"') === [1]);
        must('sort', imap_sort($box, SORTDATE, true) === [1] && imap_thread($box));
        must('flags', imap_setflag_full($box, '1', '\\Answered') && imap_mail_copy($box, '1', 'Archive'));
        must('move', imap_mail_move($box, '1', 'Archive') && imap_expunge($box) && imap_num_msg($box) === 0);
        must('close', imap_reopen($box, "{$server}INBOX") && imap_deletemailbox($box, $server . $folder));
    }
    must('end', imap_close($box) && imap_errors() === false);
}
