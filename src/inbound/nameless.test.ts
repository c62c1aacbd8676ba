/** What becomes of authors that programs of one machine name without an address. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asItCame } from '../message/amend.ts'
import { scanHeader } from '../message/header.ts'
import { isNameless, withAddresses } from './nameless.ts'

const own = { local: 'alice', domain: 'here.example' }

for (const [before, ...after] of [
  [
    'From: root (Cron Daemon)',
    'From: Cron Daemon <alice@here.example>',
    'X-Original-From: root (Cron Daemon)',
  ],
  [
    'From: MAILER-DAEMON <>',
    'From: MAILER-DAEMON <alice@here.example>',
    'X-Original-From: MAILER-DAEMON <>',
  ],
  ['From: <>', 'From: alice@here.example', 'X-Original-From: <>'],
  [
    'From: "The Printer" <printer>',
    'From: The Printer <alice@here.example>',
    'X-Original-From: "The Printer" <printer>',
  ],
  ['From:', 'From: alice@here.example'],
  [
    'From: root, daemon, joe@b',
    'From: root <alice@here.example>, joe@b',
    'X-Original-From: root, daemon, joe@b',
  ],
  [
    'From: =?utf-8?q?J=C3=B6rg?= <>',
    'From: =?UTF-8?Q?J=C3=B6rg?= <alice@here.example>',
    'X-Original-From: =?utf-8?q?J=C3=B6rg?= <>',
  ],
  ['From: a@b\r\nSender: root', 'From: a@b'],
  ['From: a@b\r\nSender:', 'From: a@b'],
  // Whom these name nobody knows: they stay, and are refused.
  ['From: no address', 'From: no address'],
  ['From: joe <joe@>', 'From: joe <joe@>'],
  ['From: a@b@c, <>', 'From: a@b@c, <>'],
  ['From: undisclosed:;', 'From: undisclosed:;'],
  ['From: root\r\nFrom: root', 'From: root', 'From: root'],
  // To readers these are as they should be.
  ['From: a@b, , c@d', 'From: a@b, , c@d'],
  ['Subject: no author', 'Subject: no author'],
] as const) {
  test(`the header ${JSON.stringify(before)} leaves as ${JSON.stringify(after)}`, () => {
    const header = scanHeader(Buffer.from(`${before}\r\n\r\n`))
    const written = withAddresses(asItCame(header), own).header
    const lines = written.fields.map(field => Buffer.from(written.raw(field)).toString().trimEnd())
    assert.deepEqual(lines, after)
    // A large message waits for it before its octets are staged.
    if (written !== header) assert.ok(isNameless(header))
  })
}
