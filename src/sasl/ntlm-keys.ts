/** What NTLMv2 computes (MS-NLMP §3.3.2). NTLMv1 and LM responses are spoken by nobody here. */
import { createHash, createHmac } from 'node:crypto'
import type { TlsFacts } from '../wire/effect.ts'
import { bindingOf } from './channel.ts'
import { MIC_AT, MIC_OCTETS, utf16 } from './ntlm-message.ts'

export const PROOF_OCTETS = 16

/** NTOWFv2: the NT hash, made that of a name in a domain. */
export function responseKey(nt: Uint8Array, user: string, domain: string): Uint8Array {
  return hmacMd5(nt, utf16(user.toUpperCase() + domain))
}

/** NTProofStr. */
export function proofOf(key: Uint8Array, challenge: Uint8Array, blob: Uint8Array): Uint8Array {
  return hmacMd5(key, challenge, blob)
}

/** The session's key, where none is exchanged (§3.1.5.1.2). */
export function sessionKeyOf(key: Uint8Array, proof: Uint8Array): Uint8Array {
  return hmacMd5(key, proof)
}

/** What one side signs first (§3.4.4.2, §3.4.5.2): version, checksum, and the number 0. */
export function signatureOf(
  sessionKey: Uint8Array,
  side: 'client' | 'server',
  octets: Uint8Array,
): Uint8Array {
  const way = side === 'client' ? 'client-to-server' : 'server-to-client'
  const key = createHash('md5')
    .update(sessionKey)
    .update(`session key to ${way} signing key magic constant\0`, 'latin1')
    .digest()
  const number = Buffer.alloc(4)
  const checksum = hmacMd5(key, number, octets).subarray(0, 8)
  return Buffer.concat([Buffer.of(1, 0, 0, 0), checksum, number])
}

/** The MIC: of all three messages, its own place in the last one zeros (§3.1.5.1.2). */
export function micOf(
  key: Uint8Array,
  proof: Uint8Array,
  messages: readonly [Uint8Array, Uint8Array, Uint8Array],
): Uint8Array {
  const [negotiate, challenge, authenticate] = messages
  const zeroed = Buffer.from(authenticate)
  zeroed.fill(0, MIC_AT, MIC_AT + MIC_OCTETS)
  return hmacMd5(sessionKeyOf(key, proof), negotiate, challenge, zeroed)
}

/**
 * The MD5 of a gss_channel_bindings_struct (RFC 4121 §4.1.1.2) over the server's certificate or the handshake:
 * all that may stand in MsvAvChannelBindings on this connection.
 */
export function channelHashes(tls: TlsFacts | undefined): readonly Uint8Array[] {
  return (['tls-server-end-point', 'tls-unique'] as const)
    .map(name => ({ name, octets: bindingOf(tls, name) }))
    .filter(({ octets }) => octets !== undefined)
    .map(({ name, octets = new Uint8Array(0) }) => {
      const data = Buffer.concat([Buffer.from(`${name}:`), octets])
      const head = Buffer.alloc(20)
      head.writeUInt32LE(data.length, 16)
      return createHash('md5').update(head).update(data).digest()
    })
}

function hmacMd5(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('md5', key)
  for (const part of parts) hmac.update(part)
  return hmac.digest()
}
