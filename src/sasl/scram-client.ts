/** SCRAM (RFC 5802, RFC 7677), the client's side: see scram.ts. */
import { createHash } from 'node:crypto'
import { BINDING_NAMES, bindingOf } from './channel.ts'
import {
  type ClientExchange,
  decodeText,
  encodeText,
  noOctets,
  respond,
  sameOctets,
} from './exchange.ts'
import type { ClientContext, ClientMechanism } from './mechanism.ts'
import { prepare } from './prepare.ts'
import { makeNonce, type ScramForm, scramName } from './scram.ts'
import {
  clientProof,
  ITERATIONS_MIN,
  type ScramHash,
  serverKeyOf,
  serverSignature,
} from './scram-keys.ts'
import {
  encodeBase64,
  formatName,
  parseServerFinal,
  parseServerFirst,
  type ServerFirst,
} from './scram-message.ts'

/**
 * A server that demands more keeps us busy for its own ends: the work is some 300 ms at most, on another thread. It
 * is done once for a server whose salt stays the same (§5.1 allows to keep it).
 */
export const ITERATIONS_MAX = 600_000
const KEPT_MAX = 32
const kept = new Map<string, Uint8Array>()

/** The client side over any hash. */
export function scramClient(hash: ScramHash, form: ScramForm): ClientMechanism {
  return {
    name: scramName(hash, form),
    plaintext: false,
    ...(form === 'bound' && { needs: 'binding' as const }),
    initial: true,
    by: 'password',
    *start(credentials, context) {
      const username = prepare(credentials.username)
      const password = prepare(credentials.password ?? '')
      const authorize = credentials.authorize ? prepare(credentials.authorize) : ''
      if (username === undefined || password === undefined || authorize === undefined) return false
      const binding = bindingFor(form, context)
      if (binding === undefined) return false

      const clientNonce = makeNonce(context.chance)
      const header = `${binding.flag},${authorize === '' ? '' : `a=${formatName(authorize)}`},`
      const bare = `n=${formatName(username)},r=${clientNonce}`
      const serverFirst = decodeText(yield* respond(encodeText(header + bare))) ?? ''
      const first = parseServerFirst(serverFirst)
      // §5.1: the nonce must begin with ours, and must go on.
      if (first === undefined || !first.nonce.startsWith(clientNonce)) return false
      if (first.nonce === clientNonce) return false
      if (first.iterations < ITERATIONS_MIN || first.iterations > ITERATIONS_MAX) return false

      const salted = yield* saltedPassword(hash, password, first)
      if (salted === undefined) return 'the password could not be prepared'
      const bound = Buffer.concat([encodeText(header), binding.octets])
      const withoutProof = `c=${encodeBase64(bound)},r=${first.nonce}`
      const authMessage = `${bare},${serverFirst},${withoutProof}`
      const proof = encodeBase64(clientProof(hash, salted, authMessage))
      const serverFinal = yield* respond(encodeText(`${withoutProof},p=${proof}`))

      // A server that does not know the password cannot sign: it is not the one we mean (§3).
      const signature = parseServerFinal(decodeText(serverFinal) ?? '')
      const expected = serverSignature(hash, serverKeyOf(hash, salted), authMessage)
      return signature !== undefined && sameOctets(signature, expected)
    },
  }
}

/**
 * The gs2-cbind-flag and what goes with it (RFC 5802 §6). 'y': we could bind and were offered no -PLUS form;
 * a server that did offer one learns by it that its list was changed.
 */
function bindingFor(
  form: ScramForm,
  { tls, offered }: ClientContext,
): { readonly flag: string; readonly octets: Uint8Array } | undefined {
  if (form === 'bound') {
    for (const name of BINDING_NAMES) {
      const octets = bindingOf(tls, name)
      if (octets !== undefined) return { flag: `p=${name}`, octets }
    }
    return undefined
  }
  const plus = offered.some(each => each.startsWith('SCRAM-') && each.endsWith('-PLUS'))
  return { flag: tls?.bindings !== undefined && !plus ? 'y' : 'n', octets: noOctets }
}

/** Hi() of the password, or what it was the last time. */
function* saltedPassword(
  { name, octets }: ScramHash,
  password: string,
  { salt, iterations }: ServerFirst,
): ClientExchange<Uint8Array | undefined> {
  const salting = `${name}:${iterations}:${encodeBase64(salt)}:${password}`
  const key = createHash('sha256').update(salting).digest('base64')
  const known = kept.get(key)
  if (known !== undefined) return known
  const made = yield { kind: 'stretch', hash: name, password, salt, iterations, octets }
  if (made instanceof Uint8Array || made.kind !== 'stretched') return undefined
  if (kept.size >= KEPT_MAX) kept.clear()
  kept.set(key, made.key)
  return made.key
}
