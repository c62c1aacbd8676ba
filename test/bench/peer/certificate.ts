/** One kind of self-made certificate for all peers, so that the same handshake is measured. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'selfsigned'

export interface CertificateFiles {
  readonly key: string
  readonly certificate: string
  /** Both in one file. */
  readonly both: string
}

/** ECDSA on P-256, as Postrider makes its own. */
export async function makeCertificate(folder: string): Promise<CertificateFiles> {
  const made = await generate([{ name: 'commonName', value: 'bench.test' }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
  })
  const files = {
    key: join(folder, 'key.pem'),
    certificate: join(folder, 'certificate.pem'),
    both: join(folder, 'both.pem'),
  }
  writeFileSync(files.key, made.private)
  writeFileSync(files.certificate, made.cert)
  writeFileSync(files.both, made.private + made.cert)
  chmodSync(files.key, 0o600)
  return files
}
