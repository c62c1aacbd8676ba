/** Handshakes and certificates, and logins under them. */

import { certified, DAY, diagnoses, login, NAMES, NOW, replies } from '../../test/kit/diagnosed.ts'
import { simIdentity } from '../world/sim/index.ts'
import { fingerprintOf } from '../world/sim/tls.ts'

diagnoses([
  ['no STARTTLS', { script: { extensions: NAMES } }, 'warning tls-missing'],
  ['STARTTLS that is refused', replies({ STARTTLS: '454 4.7.0 not now' }), 'warning tls-refused'],
  [
    'a handshake that fails',
    {
      script: {
        greeting: '220 mx.test',
        extensions: [...NAMES, 'STARTTLS'],
        identity: {
          current: () => {
            throw new Error('no key')
          },
        },
      },
    },
    'fault tls-fails',
  ],
  [
    'a handshake that fails, and a hang-up in clear text',
    {
      subject: 'joe@x.test',
      ...replies({ STARTTLS: '220 go\r\n250 injected', RCPT: '' }),
    },
    'fault tls-injection, fault session-ended',
  ],
  [
    'clear text behind STARTTLS',
    replies({ STARTTLS: '220 go\r\n250 injected' }),
    'fault tls-injection',
  ],
  ['a self-signed certificate', certified(['mx.test'], false), 'warning certificate-self-signed'],
  [
    'a certificate that is the one that was pinned',
    { ...certified(['other.test'], false), options: { pins: [fingerprintOf(['other.test'])] } },
    '',
  ],
  [
    'a certificate that is another than was pinned',
    { ...certified(['mx.test'], true), options: { pins: [fingerprintOf(['other.test'])] } },
    'fault certificate-not-pinned',
  ],
  [
    'a chain that is not whole',
    certified(['mx.test'], false, { fault: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }),
    'warning certificate-incomplete',
  ],
  [
    'an authority nobody knows',
    certified(['mx.test'], false, { fault: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    'warning certificate-untrusted',
  ],
  [
    'a certificate that has ended',
    certified(['mx.test'], false, { fault: 'CERT_HAS_EXPIRED', validTo: NOW - DAY }),
    'warning certificate-expired',
  ],
  [
    'a certificate that ends soon',
    certified(['mx.test'], true, { validFrom: NOW - 80 * DAY, validTo: NOW + 5 * DAY }),
    'warning certificate-expires-soon',
  ],
  [
    'a certificate of tomorrow',
    certified(['mx.test'], false, { fault: 'CERT_NOT_YET_VALID', validFrom: NOW + DAY }),
    'warning certificate-early',
  ],
  [
    'a certificate for another name',
    certified(['other.test'], true),
    'warning certificate-other-name',
  ],
  [
    'a certificate with everything wrong',
    certified(['other.test'], false, { validTo: NOW - DAY }),
    'warning certificate-self-signed, warning certificate-other-name, warning certificate-expired',
  ],

  // Logins.
  [
    'passwords asked for in clear text',
    { script: { extensions: [...NAMES, 'STARTTLS', 'AUTH PLAIN LOGIN'] } },
    'warning login-in-clear',
  ],
  [
    'a submission port without logins',
    { subject: 'mx.test:587', port: 587 },
    'fault login-missing',
  ],
  [
    'a submission port with a self-signed certificate',
    { subject: 'mx.test:587', port: 587, ...certified(['mx.test'], false) },
    'fault certificate-self-signed, fault login-missing',
  ],

  ['a login that works', login({ AUTH: '235 2.7.0 ok' }), 'warning login-in-clear'],
  [
    'a login that is refused',
    login({ AUTH: '535 5.7.8 no' }),
    'warning login-in-clear, fault login-refused',
  ],
  [
    'a login at a server that nobody vouches for',
    login({ AUTH: '235 2.7.0 ok' }, simIdentity(['mx.test'], false)),
    'fault certificate-self-signed, warning login-in-clear, fault login-unsafe',
  ],
  [
    'a login at a server with no TLS',
    {
      ...login({ AUTH: '235 2.7.0 ok' }),
      script: { extensions: [...NAMES, 'AUTH PLAIN'], replies: { AUTH: '235 ok' } },
    },
    'fault tls-missing, warning login-in-clear, fault login-unsafe',
  ],
])
