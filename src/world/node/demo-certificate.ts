/**
 * A self-made certificate for the demo and for tests: an EC key, signed by itself, good for the
 * given names and addresses. Nobody trusts it but those who are given the file.
 */
import { rename, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import type { IdentityFiles } from './identity.ts'

const DAYS = 825

export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

/** Makes a certificate for DNS names and addresses; the first is its common name. PEM. */
export async function selfMadeCertificate(names: readonly string[]): Promise<CertificatePair> {
  // Needed once in a server's life: its packages take 10 MB.
  const { generate } = await import('selfsigned')
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
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames },
    ],
  })
  return { cert: made.cert, key: made.private }
}

/** Writes a self-made pair: the key 0600, the certificate 0644. Replaces what is there. */
export async function writeSelfMadeCertificate(
  files: IdentityFiles,
  names: readonly string[],
): Promise<void> {
  const { cert, key } = await selfMadeCertificate(names)
  await replace(files.keyFile, key, 0o600)
  await replace(files.certFile, cert, 0o644)
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, text, { mode, flag: 'w' })
  await rename(draft, path)
}
