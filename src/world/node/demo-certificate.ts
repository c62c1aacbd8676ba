/**
 * A self-made certificate for the demo and for tests: an EC key, signed by itself, good for the
 * given names and addresses. Nobody trusts it but those who are given the file.
 */
import { open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { IdentityFiles } from './identity.ts'
import { type CertificatePair, selfSigned } from './self-signed.ts'

export type { CertificatePair } from './self-signed.ts'

const HOUR_MS = 3_600_000
const DAYS = 825

/** Makes a certificate for DNS names and addresses; the first is its common name. PEM. */
export function selfMadeCertificate(names: readonly string[]): CertificatePair {
  const now = Date.now()
  return selfSigned({
    names,
    // An hour of grace for clients whose clock is behind.
    notBefore: new Date(now - HOUR_MS),
    notAfter: new Date(now + DAYS * 24 * HOUR_MS),
  })
}

/**
 * Writes a self-made pair: the key 0600, the certificate 0644. Replaces what is there. The key is durable before
 * the certificate has its name: where there is a certificate, a power cut has left a key to it.
 */
export async function writeSelfMadeCertificate(
  files: IdentityFiles,
  names: readonly string[],
): Promise<void> {
  const { cert, key } = selfMadeCertificate(names)
  await replace(files.keyFile, key, 0o600)
  await replace(files.certFile, cert, 0o644)
}

async function replace(path: string, text: string, mode: number): Promise<void> {
  const draft = `${path}.${process.pid}.new`
  await writeFile(draft, text, { mode, flag: 'w', flush: true })
  await rename(draft, path)
  const directory = await open(dirname(path), 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
