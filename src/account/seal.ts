/**
 * Passwords that must be known again (CRAM-MD5, APOP), encrypted by AES-256-GCM under the installation's key,
 * and bound to their account: a row moved to another opens nothing.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import type { Random } from '../world/random.ts'

const NONCE_OCTETS = 12
const TAG_OCTETS = 16

/** The key of 32 octets that a secret of any length stands for. */
export function sealingKey(secret: string): Uint8Array {
  return createHash('sha256').update(`postrider password key\0${secret}`).digest()
}

export function seal(key: Uint8Array, random: Random, address: string, password: string): string {
  const nonce = random.octets(NONCE_OCTETS)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(address))
  const text = Buffer.concat([cipher.update(password, 'utf8'), cipher.final()])
  return Buffer.concat([nonce, cipher.getAuthTag(), text]).toString('base64')
}

/** The password; undefined where the key is another, or the text was changed. */
export function unseal(key: Uint8Array, address: string, sealed: string): string | undefined {
  const octets = Buffer.from(sealed, 'base64')
  if (octets.length < NONCE_OCTETS + TAG_OCTETS) return undefined
  const nonce = octets.subarray(0, NONCE_OCTETS)
  const tag = octets.subarray(NONCE_OCTETS, NONCE_OCTETS + TAG_OCTETS)
  try {
    const cipher = createDecipheriv('aes-256-gcm', key, nonce)
      .setAAD(Buffer.from(address))
      .setAuthTag(tag)
    const text = octets.subarray(NONCE_OCTETS + TAG_OCTETS)
    return Buffer.concat([cipher.update(text), cipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
