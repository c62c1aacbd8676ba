/**
 * The keys of SCRAM (RFC 5802 §3, RFC 7677) and the string that keeps them (RFC 5803).
 *
 * The slow step, Hi() (PBKDF2), is done where the password is: at whoever sets it (account/) and
 * in the client. The server side of an exchange is a few HMACs.
 */
import { createHash, createHmac } from 'node:crypto'
import { sameOctets } from './exchange.ts'
import type { ScramHashName, ScramVerifier } from './login-question.ts'
import { decodeBase64, encodeBase64 } from './scram-message.ts'

/** A hash by node's name, its length, and the mechanism and stored scheme that are named by it. */
export interface ScramHash {
  readonly name: ScramHashName
  readonly octets: number
  readonly mechanism: string
}

/** RFC 5802. */
export const sha1: ScramHash = { name: 'sha1', octets: 20, mechanism: 'SCRAM-SHA-1' }
/** RFC 7677. */
export const sha256: ScramHash = { name: 'sha256', octets: 32, mechanism: 'SCRAM-SHA-256' }
/** draft-melnikov-scram-sha-512. */
export const sha512: ScramHash = { name: 'sha512', octets: 64, mechanism: 'SCRAM-SHA-512' }

export const scramHashes: readonly ScramHash[] = [sha1, sha256, sha512]

/** RFC 5802 §5.1, RFC 7677 §4: the least number of iterations. */
export const ITERATIONS_MIN = 4096

/** The stored half of the keys, from SaltedPassword. */
export function verifierOf(
  hash: ScramHash,
  saltedPassword: Uint8Array,
  salt: Uint8Array,
  iterations: number,
): ScramVerifier {
  const storedKey = digest(hash, hmac(hash, saltedPassword, 'Client Key'))
  const serverKey = hmac(hash, saltedPassword, 'Server Key')
  return { salt, iterations, storedKey, serverKey, genuine: true }
}

/** ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage). */
export function clientProof(
  hash: ScramHash,
  saltedPassword: Uint8Array,
  authMessage: string,
): Uint8Array {
  const clientKey = hmac(hash, saltedPassword, 'Client Key')
  return xor(clientKey, hmac(hash, digest(hash, clientKey), authMessage))
}

/** Whether a proof was made with the password behind StoredKey; takes the same time either way. */
export function proofHolds(
  hash: ScramHash,
  verifier: ScramVerifier,
  proof: Uint8Array,
  authMessage: string,
): boolean {
  const clientKey = xor(proof, hmac(hash, verifier.storedKey, authMessage))
  const holds = sameOctets(digest(hash, clientKey), verifier.storedKey)
  return holds && verifier.genuine
}

/** ServerSignature = HMAC(ServerKey, AuthMessage). */
export function serverSignature(
  hash: ScramHash,
  serverKey: Uint8Array,
  authMessage: string,
): Uint8Array {
  return hmac(hash, serverKey, authMessage)
}

/** ServerKey, from SaltedPassword. */
export function serverKeyOf(hash: ScramHash, saltedPassword: Uint8Array): Uint8Array {
  return hmac(hash, saltedPassword, 'Server Key')
}

/** RFC 5803 §2: `SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey`. */
export function formatVerifier(hash: ScramHash, verifier: ScramVerifier): string {
  const { salt, iterations, storedKey, serverKey } = verifier
  return `${hash.mechanism}$${iterations}:${encodeBase64(salt)}$${encodeBase64(storedKey)}:${encodeBase64(serverKey)}`
}

/** Reads what `formatVerifier` wrote; undefined for another scheme or damaged text. */
export function parseVerifier(hash: ScramHash, text: string): ScramVerifier | undefined {
  const [name, parameters = '', keys = '', ...rest] = text.split('$')
  if (name !== hash.mechanism || rest.length > 0) return undefined
  const [count = '', saltText = '', ...more] = parameters.split(':')
  const [storedText = '', serverText = '', ...other] = keys.split(':')
  if (more.length > 0 || other.length > 0 || !/^[1-9][0-9]{0,9}$/.test(count)) return undefined
  const salt = decodeBase64(saltText)
  const storedKey = decodeBase64(storedText)
  const serverKey = decodeBase64(serverText)
  if (salt === undefined || salt.length === 0) return undefined
  if (storedKey?.length !== hash.octets || serverKey?.length !== hash.octets) return undefined
  return { salt, iterations: Number(count), storedKey, serverKey, genuine: true }
}

function hmac(hash: ScramHash, key: Uint8Array, data: string): Uint8Array {
  return createHmac(hash.name, key).update(data, 'utf8').digest()
}

function digest(hash: ScramHash, data: Uint8Array): Uint8Array {
  return createHash(hash.name).update(data).digest()
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, i) => octet ^ (b[i] ?? 0))
}
