/** Names that lie: what must be found of a domain and its hosts. */

import { diagnoses, zone } from '../../test/kit/diagnosed.ts'
import { simIdentity } from '../world/sim/index.ts'

diagnoses([
  ['a domain with nothing wrong', {}, ''],
  ['an address that is taken', { subject: 'joe@x.test' }, ''],

  // Names.
  ['a domain that does not exist', { subject: 'gone.test' }, 'fault no-such-domain'],
  ['a name server that fails', { fails: { 'x.test': 'SERVFAIL' } }, 'fault dns-fails'],
  ['a name server that is silent', { fails: { 'x.test': 'timeout' } }, 'fault dns-fails'],
  ['a domain that takes no mail', zone({ mx: [[0, '.']] }), 'fault null-mx'],
  [
    'null MX among others',
    zone({
      mx: [
        [0, '.'],
        [10, 'mx.test'],
      ],
      txt: ['v=spf1 mx -all'],
    }),
    'warning null-mx-among-others',
  ],
  [
    'an address in an MX record',
    zone({ mx: [[0, '198.51.100.1']] }),
    'fault mx-is-address, fault no-usable-host',
  ],
  [
    'an MX host that is none',
    zone({
      mx: [
        [0, 'a_b.test'],
        [1, 'mx.test'],
      ],
    }),
    'fault mx-is-no-host-name',
  ],
  [
    'an MX host that does not exist',
    zone({
      mx: [
        [0, 'no.test'],
        [1, 'mx.test'],
      ],
    }),
    'fault mx-without-address',
  ],
  [
    'an MX host without an address',
    zone(
      {
        mx: [
          [0, 'bare.test'],
          [1, 'mx.test'],
        ],
      },
      { 'bare.test': { txt: ['x'] } },
    ),
    'fault mx-without-address',
  ],
  [
    'an MX host that is an alias',
    {
      ...zone({ mx: [[0, 'alias.test']] }, { 'alias.test': { cname: 'mx.test' } }),
      ...{ script: { identity: simIdentity(['alias.test']) } },
    },
    'warning mx-is-alias',
  ],
  [
    'an MX host whose address cannot be looked up',
    {
      ...zone({
        mx: [
          [0, 'lost.test'],
          [1, 'mx.test'],
        ],
      }),
      fails: { 'lost.test': 'SERVFAIL' },
    },
    'fault dns-fails',
  ],
  [
    'an MX host on a private network',
    zone({ mx: [[0, 'in.test']] }, { 'in.test': { a: ['10.1.2.3'] } }),
    'fault address-private, fault connect-unreachable',
  ],
  [
    'an MX host on loopback',
    zone({ mx: [[0, 'lo.test']] }, { 'lo.test': { a: ['127.0.0.1'] } }),
    'fault address-loopback, fault connect-refused',
  ],
  [
    'an MX host at no address of a host',
    zone({ mx: [[0, 'zero.test']] }, { 'zero.test': { a: ['0.0.0.0'] } }),
    'fault address-unusable, fault no-usable-host',
  ],
  ['two SPF records', zone({ txt: ['v=spf1 mx -all', 'v=spf1 -all'] }), 'warning spf-several'],
  ['SPF that lets everybody', zone({ txt: ['v=spf1 mx +all'] }), 'warning spf-allows-all'],
  [
    'two DMARC records',
    { zones: { '_dmarc.x.test': { txt: ['v=DMARC1; p=none', 'v=DMARC1; p=none'] } } },
    'warning dmarc-several',
  ],
  ['no key under a selector', { options: { selectors: ['s1'] } }, 'warning dkim-missing'],
  [
    'a key that was revoked',
    { options: { selectors: ['s1'] }, zones: { 's1._domainkey.x.test': { txt: ['v=DKIM1; p='] } } },
    'warning dkim-revoked',
  ],
  [
    'our own address without a name',
    {
      options: { own: true, ours: ['mx.test'] },
      zones: { '198.51.100.1': { ptr: [] }, '2001:db8::1': { ptr: [] } },
    },
    'warning reverse-missing',
  ],
  [
    'our own address whose name leads elsewhere',
    { options: { own: true, ours: ['mx.test'] }, zones: { '198.51.100.1': { ptr: ['us.test'] } } },
    'warning reverse-unconfirmed',
  ],
  [
    'our own domain whose mail goes elsewhere',
    { options: { own: true, ours: ['we.test'] } },
    'fault mx-elsewhere',
  ],
])
