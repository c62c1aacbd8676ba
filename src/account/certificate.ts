/**
 * Whose a client's certificate is (EXTERNAL): the accounts that the config names for its fingerprint, subject
 * or common name; else those whose addresses stand in it (rfc822Name, RFC 5280 §4.2.1.6). It was verified
 * before anybody asks.
 */
import type { CertificateFacts } from '../sasl/login-question.ts'

export function accountsOfCertificate(
  { fingerprint, subject, commonName, mailboxes }: CertificateFacts,
  named: Readonly<Record<string, string>>,
): readonly string[] {
  for (const [name, account] of Object.entries(named)) {
    const same = plain(name) === plain(fingerprint)
    if (same || name === subject || name === commonName) return [account]
  }
  return mailboxes
}

/** A fingerprint is written with colons or without. */
function plain(fingerprint: string): string {
  return fingerprint.replaceAll(':', '').toUpperCase()
}
