/**
 * The thread that makes a self-made certificate and ends. Started by demo-certificate.ts with the names
 * as its data; posts one CertificatePair.
 */
import { isIP } from 'node:net'
import { generate } from 'selfsigned'
import type { CertificatePair } from './demo-certificate.ts'
import { here } from './thread.ts'

const DAYS = 825

async function make(names: readonly string[]): Promise<CertificatePair> {
  const [commonName = 'localhost'] = names
  const altNames = names.map(name =>
    isIP(name) === 0 ? { type: 2 as const, value: name } : { type: 7 as const, ip: name },
  )
  // An hour of grace for clients whose clock is behind.
  const notBeforeDate = new Date(Date.now() - 3_600_000)
  const notAfterDate = new Date(Date.now() + DAYS * 86_400_000)
  const made = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    notBeforeDate,
    notAfterDate,
    extensions: [
      // cA, so that a client that is given this very file as its trusted root takes it.
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', digitalSignature: true, keyCertSign: true, critical: true },
      // It may be shown as a client's own, too (RFC 3207 §4.1).
      { name: 'extKeyUsage', serverAuth: true, clientAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  })
  return { cert: made.cert, key: made.private }
}

const thread = here()
thread.post(await make(thread.data as readonly string[]))
