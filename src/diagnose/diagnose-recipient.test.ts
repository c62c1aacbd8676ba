/** What a server says of senders and recipients. */
import { asked, diagnoses, replies } from '../../test/kit/diagnosed.ts'

diagnoses([
  ['a mailbox that is not there', asked('550 5.1.1 no such user'), 'fault recipient-unknown'],
  ['a mailbox that is full', asked('452 4.2.2 mailbox full'), 'fault recipient-full'],
  ['greylisting', asked('450 4.7.1 Greylisted, see you'), 'warning recipient-greylisted'],
  ['not now', asked('451 4.3.0 try again later'), 'fault recipient-later'],
  [
    'a host that does not know the domain',
    asked('550 5.7.1 Relaying denied'),
    'fault relaying-denied',
  ],
  ['a policy', asked('550 5.7.1 not from you'), 'fault recipient-blocked'],
  ['a block list at RCPT', asked('554 5.7.1 listed at dnsbl.test'), 'fault blocked-here'],
  ['a refusal that says nothing', asked('550 no'), 'fault recipient-refused'],
  ['421 at RCPT', asked('421 4.7.0 too many errors'), 'fault session-ended'],
  ['a hang-up at RCPT', asked(''), 'fault session-ended'],
  ['silence at RCPT', asked('silence'), 'fault too-slow'],
  [
    'the null sender refused',
    { subject: 'joe@x.test', ...replies({ MAIL: '550 5.7.1 no null sender' }) },
    'fault sender-refused',
  ],
  [
    'a port that wants a login',
    { subject: 'joe@x.test', ...replies({ MAIL: '530 5.7.0 Authentication required' }) },
    'fault login-required',
  ],
  [
    'an address beyond ASCII without SMTPUTF8',
    { subject: 'jörg@x.test', script: { extensions: ['STARTTLS'] } },
    'fault utf8-missing',
  ],
  [
    'postmaster and abuse that our own server refuses',
    {
      flags: { own: true },
      options: { own: true, ours: ['mx.test'] },
      ...replies({ RCPT: '550 5.1.1 nobody' }),
    },
    'fault postmaster-refused, warning abuse-refused',
  ],
  [
    'an open relay of our own',
    { options: { own: true, ours: ['mx.test'], relayTo: 'who@else.test' } },
    'fault open-relay, warning relay-by-local-part',
  ],
  [
    'a server of our own that relays for nobody',
    {
      options: { own: true, ours: ['mx.test'], relayTo: 'who@else.test' },
      ...replies({ RCPT: '550 5.7.1 relaying denied' }),
    },
    '',
  ],
])
