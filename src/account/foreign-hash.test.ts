/** Hashes of other servers: the examples of their makers, and damage to them. */
import assert from 'node:assert/strict'
import { createHash, pbkdf2Sync } from 'node:crypto'
import { test } from 'node:test'
import { isForeignHash } from './foreign-hash.ts'
import { checkForeignHash } from './foreign-hash-check.ts'

const hash = (name: string, text: string) => createHash(name).update(text).digest()
const salted = (name: string) =>
  Buffer.concat([hash(name, 'secretNaCl'), Buffer.from('NaCl')]).toString('base64')

const known: readonly (readonly [string, string])[] = [
  ['{PLAIN}secret', 'secret'],
  ['{cleartext}secret', 'secret'],
  ['{PLAIN.b64}c2VjcmV0', 'secret'],
  [`{SHA}${hash('sha1', 'secret').toString('base64')}`, 'secret'],
  [`{SHA256.hex}${hash('sha256', 'secret').toString('hex')}`, 'secret'],
  [`{SHA512}${hash('sha512', 'secret').toString('base64')}`, 'secret'],
  [`{PLAIN-MD5}${hash('md5', 'secret').toString('hex')}`, 'secret'],
  [`{LDAP-MD5}${hash('md5', 'secret').toString('base64')}`, 'secret'],
  [`{SSHA}${salted('sha1')}`, 'secret'],
  [`{SSHA256}${salted('sha256')}`, 'secret'],
  [`{SSHA512}${salted('sha512')}`, 'secret'],
  [`{SMD5}${salted('md5')}`, 'secret'],
  [
    `{PBKDF2}$1$NaCl$100$${pbkdf2Sync('secret', 'NaCl', 100, 20, 'sha1').toString('hex')}`,
    'secret',
  ],
  // The examples of Drepper's specification of SHA-crypt.
  ['{SHA256-CRYPT}$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5', 'Hello world!'],
  [
    '{CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1',
    'Hello world!',
  ],
  // Of crypt_blowfish; Dovecot writes $2y$.
  ['{BLF-CRYPT}$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  ['$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
  // echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1
  [
    '{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc',
    'password',
  ],
]

test('the right password is right, and no other', () => {
  for (const [text, password] of known) {
    assert.ok(isForeignHash(text), text)
    assert.equal(checkForeignHash(text, password), true, text)
    // One is enough of what is dear.
    const wrongs = /ARGON2/i.test(text) ? ['x'] : ['', 'x', `${password} `, `X${password}`, text]
    for (const wrong of wrongs)
      assert.equal(checkForeignHash(text, wrong), false, `${text} ${wrong}`)
  }
})

test('what is damaged, unknown or made to keep us busy is nobody', () => {
  for (const text of [
    '',
    'secret',
    '{}secret',
    '{CONSTRUCTOR}x',
    '{__PROTO__}x',
    '{CRYPT}secret',
    '{CRYPT}{CRYPT}x',
    '{SSHA}AAAA',
    '{SHA}AAAA',
    '$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
    '$6$rounds=9999999$salt$abc',
    '$6$',
    '$argon2id$v=19$m=9999999,t=1,p=1$c29tZXNhbHQ$AAAA',
    '$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$AAAA',
    '{PBKDF2}$1$x$9999999$00',
  ])
    assert.equal(checkForeignHash(text, 'secret'), false, text)
})
