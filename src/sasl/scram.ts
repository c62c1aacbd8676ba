/**
 * SCRAM-SHA-256 (RFC 5802, RFC 7677), both sides, without channel binding: neither the password nor
 * anything it can be logged in with crosses the wire or rests in the store.
 *
 * The server's signature is the success's data (`final`); SMTP, POP3 and IMAP send it as a last
 * challenge that the client answers with nothing.
 */
import { pbkdf2Sync } from 'node:crypto'
import {
  ask,
  challenge,
  conclude,
  decodeText,
  encodeText,
  failed,
  noOctets,
  WRONG,
} from './exchange.ts'
import type { ClientMechanism, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'
import {
  clientProof,
  ITERATIONS_MIN,
  proofHolds,
  type ScramHash,
  sameOctets,
  serverKeyOf,
  serverSignature,
  sha256,
} from './scram-keys.ts'
import {
  encodeBase64,
  formatName,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from './scram-message.ts'

/** A server that demands more keeps us busy for its own ends; the work is done on our thread. */
const ITERATIONS_MAX = 200_000

/** 120 bits, and a whole number of base64 quanta. */
const NONCE_OCTETS = 15

type Chance = (octets: number) => Uint8Array
type MakeNonce = (chance: Chance) => string

const makeNonce: MakeNonce = chance => encodeBase64(chance(NONCE_OCTETS))

export const scramSha256Server: ServerMechanism = scramServer('SCRAM-SHA-256', sha256)
export const scramSha256Client: ClientMechanism = scramClient('SCRAM-SHA-256', sha256)

/** The server side over any hash; `nonce` is a parameter for the test vectors' sake. */
export function scramServer(
  name: string,
  hash: ScramHash,
  nonce: MakeNonce = makeNonce,
): ServerMechanism {
  return {
    name,
    plaintext: false,
    *start(initial, chance) {
      const first = parseClientFirst(decodeText(initial ?? (yield* challenge(noOctets))) ?? '')
      if (first === undefined) return failed('malformed', 'not a client-first-message')
      // §6: without -PLUS nothing can be bound, and 'y' is true: this server offers no -PLUS.
      if (first.binding === 'p')
        return failed('denied', `channel binding ${first.bindingName} is not offered`)

      const username = prepare(first.username)
      const authorize = first.authzid === '' ? '' : prepare(first.authzid)
      if (username === undefined || authorize === undefined) return failed('denied', WRONG)
      const known = yield* ask({ kind: 'scram', mechanism: name, username })
      if (known.kind !== 'verifier')
        return known.kind === 'account' ? failed('unavailable', 'no verifier') : conclude(known)
      const { verifier } = known

      const wholeNonce = first.nonce + nonce(chance)
      const serverFirst = `r=${wholeNonce},s=${encodeBase64(verifier.salt)},i=${verifier.iterations}`
      const last = parseClientFinal(decodeText(yield* challenge(encodeText(serverFirst))) ?? '')
      if (last === undefined || last.proof.length !== hash.octets)
        return failed('malformed', 'not a client-final-message')

      // The header's repetition is what tells us that nobody changed it under way (§5.1 `c`).
      if (!sameOctets(last.bindingData, encodeText(first.gs2Header)))
        return failed('denied', 'the channel binding differs')
      if (last.nonce !== wholeNonce) return failed('denied', 'the nonce differs')
      const authMessage = `${first.bare},${serverFirst},${last.withoutProof}`
      if (!proofHolds(hash, verifier, last.proof, authMessage)) return failed('denied', WRONG)

      const signature = serverSignature(hash, verifier.serverKey, authMessage)
      return conclude(
        yield* ask({ kind: 'proven', mechanism: name, username, authorize }),
        encodeText(`v=${encodeBase64(signature)}`),
      )
    },
  }
}

/** The client side over any hash. */
export function scramClient(name: string, hash: ScramHash): ClientMechanism {
  return {
    name,
    plaintext: false,
    initial: true,
    *start(credentials, chance) {
      const username = prepare(credentials.username)
      const password = prepare(credentials.password)
      const authorize = credentials.authorize ? prepare(credentials.authorize) : ''
      if (username === undefined || password === undefined || authorize === undefined) return false

      const clientNonce = makeNonce(chance)
      const header = `n,${authorize === '' ? '' : `a=${formatName(authorize)}`},`
      const bare = `n=${formatName(username)},r=${clientNonce}`
      const serverFirst = decodeText(yield encodeText(header + bare)) ?? ''
      const first = parseServerFirst(serverFirst)
      // §5.1: the nonce must begin with ours, and must go on.
      if (first === undefined || !first.nonce.startsWith(clientNonce)) return false
      if (first.nonce === clientNonce) return false
      if (first.iterations < ITERATIONS_MIN || first.iterations > ITERATIONS_MAX) return false

      const salted = pbkdf2Sync(password, first.salt, first.iterations, hash.octets, hash.name)
      const withoutProof = `c=${encodeBase64(encodeText(header))},r=${first.nonce}`
      const authMessage = `${bare},${serverFirst},${withoutProof}`
      const proof = encodeBase64(clientProof(hash, salted, authMessage))
      const serverFinal = yield encodeText(`${withoutProof},p=${proof}`)

      // A server that does not know the password cannot sign: it is not the one we mean (§3).
      const signature = parseServerFinal(decodeText(serverFinal) ?? '')
      const expected = serverSignature(hash, serverKeyOf(hash, salted), authMessage)
      return signature !== undefined && sameOctets(signature, expected)
    },
  }
}
