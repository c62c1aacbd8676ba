/**
 * The thread that makes a self-made certificate and ends. Started by demo-certificate.ts with the names
 * as its data; posts one CertificatePair.
 */
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import type { CertificatePair } from './demo-certificate.ts'
import { here } from './thread.ts'

const DAYS = 825
/** ub-common-name of RFC 5280 Appendix A. */
const COMMON_NAME_MAX = 64
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

async function make(names: readonly string[]): Promise<CertificatePair> {
  const commonName = names.find(name => name.length <= COMMON_NAME_MAX) ?? 'localhost'
  const alternatives = names.map(
    value => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const,
  )
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: [{ CN: [commonName] }],
    keys,
    signingAlgorithm: ALGORITHM,
    // An hour of grace for clients whose clock is behind.
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + DAYS * 86_400_000),
    extensions: [
      // cA, so that a client that is given this very file as its trusted root takes it.
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyCertSign,
        true,
      ),
      // It may be shown as a client's own, too (RFC 3207 §4.1).
      new x509.ExtendedKeyUsageExtension([
        x509.ExtendedKeyUsage.serverAuth,
        x509.ExtendedKeyUsage.clientAuth,
      ]),
      new x509.SubjectAlternativeNameExtension(alternatives),
      // Strict verifiers want both of a root (RFC 5280 §4.2.1.1, §4.2.1.2).
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const key = new Uint8Array(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  return {
    cert: `${certificate.toString('pem')}\n`,
    key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n`,
  }
}

const thread = here()
thread.post(await make(thread.data as readonly string[]))
