/** A certificate's fingerprint (SHA-256) as a person writes it. Used by the config and the command line. */

/** As `openssl x509 -fingerprint -sha256` prints it, or bare; comes out with colons. Undefined for anything else. */
export function parseFingerprint(text: string): string | undefined {
  const hex = text.replace(/^sha256 fingerprint=/i, '')
  if (!/^(?:[0-9a-f]{2}:?){31}[0-9a-f]{2}$/i.test(hex)) return undefined
  return hex.replaceAll(':', '').toUpperCase().match(/../g)?.join(':')
}
