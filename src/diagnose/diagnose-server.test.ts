/** What a server says that it should not, before and after EHLO. */
import { diagnoses, greeted, replies } from '../../test/kit/diagnosed.ts'

diagnoses([
  ['a host where nothing listens', { down: true }, 'fault connect-refused'],
  ['a host that is off', { silent: true }, 'fault connect-silent, warning port-25-blocked'],
  ['a server that says nothing', greeted('silence'), 'fault greeting-silent'],
  ['a server that hangs up at once', greeted(''), 'fault greeting-none'],
  ['a server that greets with a refusal', greeted('554 no mail here'), 'fault greeting-refused'],
  ['a server that greets with 421', greeted('421 4.3.2 busy'), 'fault greeting-refused'],
  [
    'a server with a block list',
    greeted('554 5.7.1 Client host blocked using zen.spamhaus.org'),
    'fault blocked-here',
  ],
  [
    'a server that wants our name',
    greeted('550 5.7.25 no PTR for your address'),
    'fault our-reverse-wanted',
  ],
  ['SSH where SMTP should be', greeted('SSH-2.0-OpenSSH_9.6'), 'fault another-protocol'],
  ['IMAP where SMTP should be', greeted('* OK IMAP4rev1 ready'), 'fault another-protocol'],
  [
    'a firewall that rewrites the greeting',
    greeted('220 ********************'),
    'warning greeting-masked',
  ],
  ['a greeting without a name', greeted('220 localhost ESMTP'), 'warning greeting-nameless'],
  [
    'EHLO that is refused',
    replies({ EHLO: '502 5.5.1 what?' }),
    'warning hello-only, warning tls-missing',
  ],
  [
    'EHLO and HELO that are refused',
    replies({ EHLO: '502 what?', HELO: '502 what?' }),
    'fault hello-refused',
  ],
  [
    'EHLO that wants a better name',
    replies({ EHLO: '550 5.7.1 bad HELO name', HELO: '550 bad HELO name' }),
    'fault our-name-refused',
  ],
  ['421 to EHLO', replies({ EHLO: '421 4.3.2 busy' }), 'fault hello-refused'],
  [
    'a firewall that blots out extensions',
    { script: { extensions: ['XXXXXXXA', 'SIZE'] } },
    'warning hello-masked, warning tls-missing',
  ],
  [
    'a server that takes little',
    { script: { extensions: ['SIZE 1000000', 'STARTTLS'] } },
    'warning size-small',
  ],
  ['a hang-up at EHLO', replies({ EHLO: '' }), 'fault session-ended'],
  ['silence at EHLO', replies({ EHLO: 'silence' }), 'fault too-slow'],
  ['nonsense at EHLO', replies({ EHLO: 'hello yourself' }), 'fault out-of-protocol'],
])
