/** One kind of self-made certificate for all peers, so that the same handshake is measured. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { selfMadeCertificate } from '../../../src/world/node/demo-certificate.ts'

export interface CertificateFiles {
  readonly key: string
  readonly certificate: string
  /** Both in one file. */
  readonly both: string
}

/** ECDSA on P-256, as Postrider makes its own. */
export async function makeCertificate(folder: string): Promise<CertificateFiles> {
  const { cert, key } = await selfMadeCertificate(['bench.test'])
  const files = {
    key: join(folder, 'key.pem'),
    certificate: join(folder, 'certificate.pem'),
    both: join(folder, 'both.pem'),
  }
  writeFileSync(files.key, key)
  writeFileSync(files.certificate, cert)
  writeFileSync(files.both, key + cert)
  chmodSync(files.key, 0o600)
  return files
}
