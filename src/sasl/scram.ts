/**
 * SCRAM over SHA-1, SHA-256 and SHA-512 (RFC 5802, RFC 7677), the server's side; the client's is
 * scram-client.ts. Neither the password nor anything it can be logged in with crosses the wire or rests
 * in the store. A -PLUS form is bound to its TLS connection (RFC 5056): who sits between the two with a
 * certificate of his own can pass nothing on.
 *
 * The server's signature is the success's data (`final`); SMTP, POP3 and IMAP send it as a last
 * challenge that the client answers with nothing.
 */
import { bindingOf } from './channel.ts'
import {
  ask,
  challenge,
  conclude,
  decodeText,
  encodeText,
  type Failure,
  failed,
  noOctets,
  sameOctets,
  WRONG,
} from './exchange.ts'
import type { ScramVerifier, ServerContext, ServerMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'
import { proofHolds, type ScramHash, serverSignature, sha1, sha256, sha512 } from './scram-keys.ts'
import {
  type ClientFirst,
  encodeBase64,
  parseClientFinal,
  parseClientFirst,
} from './scram-message.ts'

export type Chance = (octets: number) => Uint8Array
export type ScramForm = 'unbound' | 'bound'

/** 120 bits, and a whole number of base64 quanta. */
const NONCE_OCTETS = 15

/** A nonce of its own for every exchange: what was recorded of one is of no use in another. */
export const makeNonce = (chance: Chance): string => encodeBase64(chance(NONCE_OCTETS))

export function scramName(hash: ScramHash, form: ScramForm): string {
  return form === 'bound' ? `${hash.mechanism}-PLUS` : hash.mechanism
}

/** The server side over any hash; `nonce` is a parameter for the test vectors' sake. */
export function scramServer(hash: ScramHash, form: ScramForm, nonce = makeNonce): ServerMechanism {
  const name = scramName(hash, form)
  return {
    name,
    plaintext: false,
    ...(form === 'bound' && { needs: 'binding' as const }),
    *start(initial, context) {
      const first = parseClientFirst(decodeText(initial ?? (yield* challenge(noOctets))) ?? '')
      if (first === undefined) return failed('malformed', 'not a client-first-message')
      const binding = boundTo(first, hash, form, context)
      if ('kind' in binding) return binding

      const username = prepare(first.username)
      const authorize = first.authzid === '' ? '' : prepare(first.authzid)
      if (username === undefined || authorize === undefined) return failed('denied', WRONG)
      const known = yield* ask({ kind: 'scram', mechanism: name, username, hash: hash.name })
      if (known.kind !== 'verifier') return conclude(known)
      const { salt, iterations } = known.verifier

      const wholeNonce = first.nonce + nonce(context.chance)
      const serverFirst = `r=${wholeNonce},s=${encodeBase64(salt)},i=${iterations}`
      const last = parseClientFinal(decodeText(yield* challenge(encodeText(serverFirst))) ?? '')
      if (last === undefined || last.proof.length !== hash.octets)
        return failed('malformed', 'not a client-final-message')

      // The header's repetition is what tells us that nobody changed it under way (§5.1 `c`).
      const bound = Buffer.concat([encodeText(first.gs2Header), binding.octets])
      if (!sameOctets(last.bindingData, bound))
        return failed('denied', 'the channel binding differs')
      if (last.nonce !== wholeNonce) return failed('denied', 'the nonce differs')
      const authMessage = `${first.bare},${serverFirst},${last.withoutProof}`
      const proven = provenBy(
        hash,
        [known.verifier, ...(known.more ?? [])],
        last.proof,
        authMessage,
      )
      if (proven === undefined) return failed('denied', WRONG)

      const signature = serverSignature(hash, proven.serverKey, authMessage)
      const { credential } = proven
      const question = { kind: 'proven', mechanism: name, username, authorize } as const
      return conclude(
        yield* ask({ ...question, ...(credential !== undefined && { credential }) }),
        encodeText(`v=${encodeBase64(signature)}`),
      )
    },
  }
}

/**
 * What the client's gs2-cbind-flag binds the exchange to, or why it may not go on (RFC 5802 §6): 'p' belongs
 * to the -PLUS forms and to nothing else; 'y' says that we offer none that he knows, which somebody has told him who took
 * them out of our list.
 */
function boundTo(
  { binding, bindingName }: ClientFirst,
  hash: ScramHash,
  form: ScramForm,
  { tls, offered }: ServerContext,
): { readonly octets: Uint8Array } | Failure {
  if (form === 'bound') {
    const octets = binding === 'p' ? bindingOf(tls, bindingName) : undefined
    if (octets !== undefined) return { octets }
    return failed('denied', binding === 'p' ? `no channel binding ${bindingName}` : 'not bound')
  }
  if (binding === 'p') return failed('denied', 'channel binding belongs to the -PLUS forms')
  // Who speaks a hash speaks the ones before it, so that he would have known those.
  const known = [sha1, sha256, sha512].filter(each => each.octets <= hash.octets)
  const plus = known.some(each => offered.includes(scramName(each, 'bound')))
  if (binding === 'y' && plus)
    return failed('denied', 'the list of mechanisms was changed under way')
  return { octets: noOctets }
}

/** The one of an account's passwords that the proof is of; all are tried, so that time tells nothing. */
function provenBy(
  hash: ScramHash,
  verifiers: readonly ScramVerifier[],
  proof: Uint8Array,
  authMessage: string,
): ScramVerifier | undefined {
  return verifiers.filter(each => proofHolds(hash, each, proof, authMessage))[0]
}
