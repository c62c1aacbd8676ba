/**
 * NTLM, the client's side: version 2, with a MIC over all three messages and bound to the server's certificate
 * under TLS. Used only where it is asked for by name, as nothing is weaker.
 */
import { respond } from './exchange.ts'
import { ntHash } from './md4.ts'
import type { ClientContext, ClientMechanism, Credentials } from './mechanism.ts'
import { channelHashes, micOf, proofOf, responseKey, sessionKeyOf } from './ntlm-keys.ts'
import {
  AV,
  FLAG,
  formatAuthenticate,
  formatNegotiate,
  formatPairs,
  MIC_AT,
  type Pairs,
  parseChallenge,
  parsePairs,
} from './ntlm-message.ts'

const FLAGS =
  FLAG.unicode | FLAG.requestTarget | FLAG.ntlm | FLAG.alwaysSign | FLAG.extendedSecurity

/** 100 ns between 1601 and 1970. */
const EPOCH = 116_444_736_000_000_000n

export const ntlmClient: ClientMechanism = {
  name: 'NTLM',
  plaintext: false,
  initial: true,
  by: 'password',
  *start(credentials, context) {
    const login = ntlmRounds(credentials, context, 0)
    if (login === undefined) return false
    const proof = login.authenticate(yield* respond(login.negotiate))
    if (proof === undefined) return false
    yield proof.message
    return true
  },
}

interface NtlmRounds {
  readonly negotiate: Uint8Array
  /** What follows the server's challenge, and the key of the session; undefined where that is none. */
  authenticate(
    offer: Uint8Array,
  ): { readonly message: Uint8Array; readonly key: Uint8Array } | undefined
}

/** The two messages of a client; undefined for whom it cannot log in. */
export function ntlmRounds(
  { username, password = '', authorize = '' }: Credentials,
  { chance, tls }: ClientContext,
  more: number,
): NtlmRounds | undefined {
  if (authorize !== '' && authorize !== username) return undefined
  const negotiate = formatNegotiate((FLAGS | more) >>> 0)
  return {
    negotiate,
    authenticate(offer) {
      const challenge = parseChallenge(offer)
      // Without the server's info there is no NTLMv2 worth the name.
      const info = challenge && parsePairs(challenge.targetInfo)
      if (challenge === undefined || info === undefined) return undefined
      const [domain = '', user = ''] = username.includes('\\')
        ? username.split('\\', 2)
        : ['', username]
      const blob = blobOf(info, chance(8), tls)
      const key = responseKey(ntHash(password), user, domain)
      const proof = proofOf(key, challenge.challenge, blob)
      const ntResponse = Buffer.concat([proof, blob])
      const flags = challenge.flags & ~FLAG.keyExchange
      const message = formatAuthenticate(flags, { domain, user, ntResponse })
      message.set(micOf(key, proof, [negotiate, offer, message]), MIC_AT)
      return { message, key: sessionKeyOf(key, proof) }
    },
  }
}

/** What an NTLMv2 response is of beside the challenge (§2.2.2.7): that there is a MIC, and to which channel it is bound. */
function blobOf(info: Pairs, random: Uint8Array, tls: ClientContext['tls']): Uint8Array {
  const [binding = new Uint8Array(16)] = channelHashes(tls)
  const flags = Buffer.alloc(4)
  flags.writeUInt32LE(2)
  const pairs = new Map([...info, [AV.flags, flags], [AV.channelBindings, binding]])
  const time = Buffer.alloc(8)
  time.writeBigUInt64LE(EPOCH)
  return Buffer.concat([
    Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]),
    info.get(AV.timestamp) ?? time,
    random,
    Buffer.alloc(4),
    formatPairs(pairs),
    Buffer.alloc(4),
  ])
}
