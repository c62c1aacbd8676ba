/**
 * Base64 as SASL exchanges demand it (RFC 4648 §4, RFC 4954 §4): the decoder takes no white space, no
 * foreign character and no missing padding, and is linear. Called by AUTH in every protocol.
 */

/** The octets, or undefined where the text is not base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined
  return Buffer.from(text, 'base64')
}

export function encodeBase64(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.byteLength).toString('base64')
}
