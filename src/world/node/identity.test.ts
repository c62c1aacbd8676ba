/** Certificates that change while they are used. */
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silent } from '../log.ts'
import { selfMadeCertificate, writeSelfMadeCertificate } from './demo-certificate.ts'
import { loadIdentity } from './identity.ts'

test('a new pair is taken, a bad one is reported once and the good one kept', async t => {
  const directory = await mkdtemp(join(tmpdir(), 'postrider-'))
  t.after(() => rm(directory, { recursive: true }))
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
  await writeSelfMadeCertificate(files, ['mx.test'])
  assert.equal(statSync(files.keyFile).mode & 0o777, 0o600)
  assert.equal(statSync(files.certFile).mode & 0o777, 0o644)
  const warned: string[] = []
  const identity = loadIdentity(files, { ...silent, warn: event => warned.push(event) })
  const first = identity.current()
  assert.equal(identity.refresh(), false)

  const next = await selfMadeCertificate(['mx.test'])
  await writeFile(files.certFile, next.cert)
  assert.equal(identity.refresh(), false, 'the new certificate does not match the old key')
  assert.equal(identity.refresh(), false)
  assert.deepEqual(warned, ['certificate-kept'])
  assert.equal(identity.current(), first)

  await writeFile(files.keyFile, next.key)
  assert.equal(identity.refresh(), true)
  assert.notEqual(identity.current(), first)

  await rm(files.certFile)
  identity.refresh()
  identity.refresh()
  assert.deepEqual(warned, ['certificate-kept', 'certificate-kept'])
})

test('a pair that is missing at the start is an error', () => {
  assert.throws(() => loadIdentity({ certFile: '/nonexistent', keyFile: '/nonexistent' }, silent))
})
