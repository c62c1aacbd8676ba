/** The self-made certificate, as OpenSSL reads it. */
import assert from 'node:assert/strict'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { test } from 'node:test'
import { selfMadeCertificate } from './demo-certificate.ts'

test('it signs itself for the names that were said, and strict verifiers find what they want', async () => {
  const pair = await selfMadeCertificate(['mail.demo.test', '127.0.0.1', '::1'])
  const certificate = new X509Certificate(pair.cert)
  assert.ok(certificate.verify(certificate.publicKey))
  assert.ok(certificate.checkPrivateKey(createPrivateKey(pair.key)))
  // With key identifiers only: X509_check_issued compares them.
  assert.ok(certificate.checkIssued(certificate))
  assert.ok(certificate.ca)
  assert.equal(certificate.subject, 'CN=mail.demo.test')
  assert.equal(
    certificate.subjectAltName,
    'DNS:mail.demo.test, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1',
  )
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
  // Their OIDs: 2.5.29.14 and 2.5.29.35 (RFC 5280 §4.2.1.2, §4.2.1.1).
  for (const last of [14, 35]) assert.ok(certificate.raw.includes(Buffer.from([0x55, 0x1d, last])))
})

test('a name too long for a common name is an alternative all the same', async () => {
  const long = `${'a'.repeat(60)}.${'b'.repeat(60)}.test`
  const certificate = new X509Certificate((await selfMadeCertificate([long, 'localhost'])).cert)
  assert.equal(certificate.subject, 'CN=localhost')
  assert.equal(certificate.checkHost(long), long)
})
