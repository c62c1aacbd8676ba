/**
 * What has bitten other servers, and the dialogues and tests here that would see it bite this one. A row is a
 * hazard of SMTP, with faults of others that are known by it; each has a dialogue or a test by name.
 */
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

interface Hazard {
  readonly seenAs: string
  /** Files of transcript/smtp and transcript/smtp-client. */
  readonly smtp?: readonly string[]
  readonly client?: readonly string[]
  /** Tests of more than a dialogue can say, from the top of the project. */
  readonly tests?: readonly string[]
}

const hazards: Readonly<Record<string, Hazard>> = {
  'smuggling: an end of the message that is none': {
    seenAs: 'CVE-2023-51764, -51765, -51766, -51747',
    smtp: [
      ...[
        'crlf-dot-lf',
        'crlf-dot-cr',
        'crlf-dot-cr-cr-lf',
        'lf-dot-lf',
        'lf-dot-crlf',
        'lf-dot-cr',
      ],
      ...['cr-dot-cr', 'cr-dot-crlf', 'crlf-dot-nul-crlf', 'crlf-nul-dot-crlf'],
    ].map(end => `${end}-does-not-end-a-message`),
    tests: ['src/wire/wire.test.ts'],
  },
  'smuggling outwards: what is sent on re-reads as two': {
    seenAs: 'Postfix 20240109, 20260816',
    client: ['dots-are-doubled-and-a-missing-line-end-is-mended'],
    tests: [
      'src/wire/wire.test.ts',
      'src/transport/mirror.test.ts',
      'test/interop/relay-sink.interop.ts',
    ],
  },
  'BDAT: sync lost between chunks and commands': {
    seenAs: 'CVE-2017-16943, CVE-2020-28019, CVE-2026-45185',
    smtp: [
      'a-chunk-without-recipients-is-swallowed',
      'a-chunk-before-hello-is-swallowed',
      'a-chunk-behind-the-last-one-is-refused',
      'a-chunk-too-large-to-count-closes-the-session',
      'a-last-chunk-over-the-limit-ends-the-transaction',
      'after-a-failed-chunk-all-chunks-fail-until-rset',
      'chunks-behind-refused-recipients-are-swallowed-in-one-group',
      'data-and-rcpt-after-a-chunk-are-refused',
      'malformed-chunk-sizes-are-refused',
      'the-end-of-the-stream-within-a-chunk-accepts-nothing',
    ],
  },
  'STARTTLS: commands or replies from before it': {
    seenAs: 'CVE-2011-0411, CVE-2021-33515, CVE-2021-38371',
    smtp: ['commands-injected-behind-starttls-are-never-run', 'tls-makes-all-things-new'],
    client: [
      'clear-text-behind-the-220-to-starttls-ends-the-connection',
      'what-was-offered-in-the-clear-counts-no-more-under-tls',
    ],
  },
  'commands out of order confuse the state': {
    seenAs: 'Postfix 20260812, CVE-2020-28017 to -28026',
    smtp: ['vrfy-in-an-international-transaction-leaves-it-as-it-is'],
    tests: [
      'test/fuzz/smtp-model.test.ts',
      'test/fuzz/mutants.test.ts',
      'src/smtp/server/session.test.ts',
    ],
  },
  'a line, or a header, without end': {
    seenAs: 'smtp-server 592c566, GHSA-w878-pj84-3j5v',
    smtp: [
      'an-endless-line-costs-nothing-and-one-reply',
      'a-command-line-may-have-512-octets-and-no-more',
    ],
    client: ['a-line-of-a-reply-that-is-far-too-long-is-understood-by-its-head'],
    tests: ['test/abuse/abuse.test.ts', 'src/wire/proxy.test.ts'],
  },
  'replies that nobody reads': {
    seenAs: 'slow readers behind pipelined commands',
    tests: ['src/smtp/server/session.test.ts', 'test/abuse/abuse.test.ts'],
  },
  'line ends and control characters within a value': {
    seenAs: 'CVE-2020-28015, -28021, -28026, GHSA-54wq-72mp-cq7c',
    smtp: [
      'nul-in-a-command-is-refused',
      'a-bare-lf-in-a-command-is-an-error-and-no-second-command',
      'a-hello-told-by-xclient-cannot-forge-a-field',
    ],
    client: [
      'an-address-with-a-line-end-never-becomes-a-command',
      'a-domain-with-a-line-end-never-becomes-an-etrn',
    ],
    tests: ['src/message/dsn.test.ts', 'src/message/compose.test.ts'],
  },
  'AUTH: garbage for base64, and a line that only LF has ended': {
    seenAs: 'CVE-2025-59028, CVE-2023-42114',
    smtp: [
      'bad-base64-ends-an-exchange',
      'a-response-that-only-lf-has-ended-logs-nobody-in',
      'auth-needs-ehlo-and-stays-out-of-transactions',
    ],
  },
  'addresses that lead elsewhere than they say': {
    seenAs: 'open relays by %, !, quotes and source routes',
    smtp: ['malformed-addresses-are-refused', 'source-routes-can-be-refused'],
    tests: ['src/server/self-test.ts', 'src/smtp/grammar.test.ts', 'src/inbound/recipient.test.ts'],
  },
  'time that grows faster than the input': {
    seenAs: 'CVE-2025-14874, GHSA-9h6g-pr28-7cqp, CVE-2024-23184',
    tests: [
      'test/fuzz/linear.test.ts',
      'src/message/quoted-printable.test.ts',
      'src/imap/list-pattern.test.ts',
    ],
  },
  'XCLIENT, XFORWARD and PROXY from strangers': {
    seenAs: 'trust lists of all servers',
    smtp: [
      'xclient-is-neither-shown-to-strangers-nor-taken-from-them',
      'xclient-and-xforward-are-not-implemented-where-nobody-is-trusted',
      'an-address-told-by-xclient-is-not-trusted-itself',
    ],
    tests: ['test/abuse/proxied.test.ts', 'test/abuse/trusted.test.ts'],
  },
  'bounces of bounces, and loops': {
    seenAs: 'backscatter',
    tests: ['test/sim/town.test.ts', 'test/sim/forwarding.test.ts'],
  },
  'SIZE is believed as it was declared': {
    seenAs: 'smtp-server README',
    smtp: [
      'a-declared-size-over-the-limit-is-refused-at-mail',
      'a-long-line-is-taken-within-the-message-size',
      'what-is-gone-on-with-counts-against-the-size-limit',
    ],
    tests: ['test/crash/full-disk.test.ts'],
  },
  'what is advertised is not there': {
    seenAs: 'Haraka#331',
    tests: ['test/transcript/coverage.test.ts', 'src/server/extension-switch.test.ts'],
  },
}

const top = join(import.meta.dirname, '..', '..')

test('each hazard of SMTP has its dialogues and tests', () => {
  for (const [hazard, { smtp = [], client = [], tests = [] }] of Object.entries(hazards)) {
    const files = [
      ...smtp.map(name => `test/transcript/smtp/${name}.txt`),
      ...client.map(name => `test/transcript/smtp-client/${name}.txt`),
      ...tests,
    ]
    assert.ok(files.length > 0, hazard)
    assert.deepEqual(
      files.filter(file => !existsSync(join(top, file))),
      [],
      hazard,
    )
  }
})
