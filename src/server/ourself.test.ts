/** Whom the DNS may name that is nobody but us. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ourselfOf } from './ourself.ts'
import { type Config, settingsSchema } from './settings/settings.ts'

const addresses = () => ['127.0.0.1', '::1', '192.0.2.1']

test('a host is ourself by its name or address, on loopback only where the port may be ours', () => {
  const cases: readonly (readonly [Config, string, boolean])[] = [
    [{}, '192.0.2.1', true],
    [{}, '192.0.2.2', false],
    [{}, '127.0.0.1', true],
    [{}, '::1', true],
    [{ outbound: { port: 2526 } }, '127.0.0.1', false],
    [{ outbound: { port: 2526 } }, '::1', false],
    [{ outbound: { port: 2526 } }, '192.0.2.1', true],
    [{ outbound: { port: 2525 }, listeners: { smtp: { port: 2525 } } }, '127.0.0.1', true],
    [{ outbound: { port: 587 } }, '127.0.0.1', true],
    [{ listeners: { smtp: { port: 2525 } } }, '127.0.0.1', true],
  ]
  for (const [config, address, expected] of cases) {
    const settings = settingsSchema.parse({ hostname: 'Mail.us.test', ...config })
    const isOurself = ourselfOf(settings, addresses)
    assert.equal(isOurself('mx.b.test', address), expected, `${JSON.stringify(config)} ${address}`)
    assert.equal(isOurself('mail.us.test', '198.51.100.1'), true)
    assert.equal(isOurself('mx.b.test'), false)
  }
})
