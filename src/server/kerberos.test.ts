/** Kerberos without a library: nothing is offered, and why is said once. And whose a principal is. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Log, silent } from '../world/log.ts'
import { mechanismsAt } from './auth.ts'
import { kerberosAuthority } from './kerberos.ts'
import { kerberosSchema } from './settings/authority.ts'
import { settingsSchema } from './settings/settings.ts'

const accountOf = (settings: object) => {
  const library = '/nonexistent/libgssapi.so'
  return kerberosAuthority(kerberosSchema.parse({ library, ...settings }), silent).authority
    .accountOf
}

test('without the library nothing is offered, and one line says why', async () => {
  const lines: unknown[] = []
  const log: Log = { ...silent, warn: (event, facts) => void lines.push([event, facts]) }
  const settings = settingsSchema.parse({
    auth: { kerberos: { library: '/nonexistent/libgssapi.so' } },
  })
  const { kerberos } = settings.auth
  assert.ok(kerberos)
  const { authority, ready } = kerberosAuthority(kerberos, log)
  await ready
  assert.deepEqual(authority.services, [])
  assert.equal(lines.length, 1)
  // The package may be missing as well: then that is what is said.
  assert.match(JSON.stringify(lines), /kerberos is not offered.*(?:nonexistent|koffi)/)
  const offered = (services: readonly string[]) => mechanismsAt(settings, 'imap', services)
  assert.equal(offered(authority.services).includes('GSSAPI'), false)
  assert.equal(offered(['smtp']).includes('GSSAPI'), false)
  assert.equal(offered(['smtp', 'imap']).includes('GSSAPI'), true)
  assert.equal(mechanismsAt(settings, 'lmtp', ['smtp', 'imap']).includes('GSSAPI'), false)
  const step = { kind: 'accept', form: 'krb5', token: new Uint8Array(1), service: 'imap' } as const
  assert.equal((await authority.step({ ...step, bindings: [] })).kind, 'unavailable')
})

test('a principal of one part is somebody of its realm, and others are whom the config names', () => {
  const all = accountOf({ principals: { 'alice/admin@EXAMPLE.ORG': 'root@example.org' } })
  assert.equal(all('alice@EXAMPLE.ORG'), 'alice@example.org')
  assert.equal(all('alice/admin@EXAMPLE.ORG'), 'root@example.org')
  const nobody = [
    ...['bob/admin@EXAMPLE.ORG', 'WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS', 'host/mx@EXAMPLE.ORG'],
    ...[
      'alice',
      '@EXAMPLE.ORG',
      'alice@',
      'al\\@ice@EXAMPLE.ORG',
      'alice@EXAMPLE.ORG@EVIL.ORG',
      '',
    ],
  ]
  for (const principal of nobody) assert.equal(all(principal), undefined, principal)
  const named = accountOf({ realms: { 'AD.EXAMPLE.ORG': 'example.org' } })
  assert.equal(named('alice@AD.EXAMPLE.ORG'), 'alice@example.org')
  for (const realm of ['EXAMPLE.ORG', 'ad.example.org', 'constructor', '__proto__'])
    assert.equal(named(`alice@${realm}`), undefined, realm)
})
