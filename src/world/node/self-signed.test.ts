/** The self-made certificate, as OpenSSL reads it. */
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { selfSigned } from './self-signed.ts'

const notBefore = new Date('2026-11-27T12:00:00Z')
const notAfter = new Date('2029-03-01T12:00:00Z')
const made = (...names: string[]) =>
  new X509Certificate(selfSigned({ names, notBefore, notAfter }).cert)

test('it signs itself, for the time and the names that were said', () => {
  const names = ['mail.demo.test', 'bücher.test', '127.0.0.1', '[::1]']
  const pair = selfSigned({ names, notBefore, notAfter })
  const certificate = new X509Certificate(pair.cert)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.checkIssued(certificate))
  assert.ok(certificate.ca)
  assert.equal(certificate.subject, 'CN=mail.demo.test')
  assert.equal(certificate.issuer, 'CN=mail.demo.test')
  assert.equal(certificate.validFromDate.getTime(), notBefore.getTime())
  assert.equal(certificate.validToDate.getTime(), notAfter.getTime())
  assert.equal(
    certificate.subjectAltName,
    'DNS:mail.demo.test, DNS:xn--bcher-kva.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
})

test('a name too long for a common name is an alternative all the same', () => {
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.test`
  const certificate = made(long, 'localhost')
  assert.equal(certificate.subject, 'CN=localhost')
  assert.equal(certificate.checkHost(long), long)
})

test('a certificate of many names has a length of more than two octets', () => {
  const names = Array.from({ length: 40 }, (_, i) => `host-${i}.example.test`)
  assert.equal(made(...names).checkHost('host-39.example.test'), 'host-39.example.test')
})

test('from 2050 on years have four digits', () => {
  const certificate = new X509Certificate(
    selfSigned({ names: ['localhost'], notBefore, notAfter: new Date('2050-01-01T00:00:00Z') })
      .cert,
  )
  assert.equal(certificate.validToDate.toISOString(), '2050-01-01T00:00:00.000Z')
})
