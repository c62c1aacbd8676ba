/**
 * A self-made certificate for the demo and for tests: an EC key, signed by itself, good for the
 * given names and addresses. Nobody trusts it but those who are given the file.
 */
import { open, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { IdentityFiles } from './identity.ts'
import { startThread } from './thread.ts'

export interface CertificatePair {
  readonly cert: string
  readonly key: string
}

/**
 * Makes a certificate for DNS names and addresses; the first is its common name. PEM. A thread does it
 * and ends: the packages for it are needed once in a server's life, and 13 MB stay where they were loaded.
 */
export function selfMadeCertificate(names: readonly string[]): Promise<CertificatePair> {
  return new Promise((resolve, reject) => {
    const module = new URL('./demo-certificate-worker.ts', import.meta.url)
    startThread(module, names, {
      message: made => resolve(made as CertificatePair),
      ended: error => reject(error ?? new Error('the thread ended without a certificate')),
    })
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
  const { cert, key } = await selfMadeCertificate(names)
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
