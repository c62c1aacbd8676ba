/**
 * NTLM, the client's side: version 2, with a MIC over all three messages and bound to the server's certificate
 * under TLS. Used only where it is asked for by name, as nothing is weaker.
 */
import { respond } from './exchange.ts'
import { ntHash } from './md4.ts'
import type { ClientMechanism } from './mechanism.ts'
import { channelHashes, micOf, proofOf, responseKey } from './ntlm-keys.ts'
import {
  AV,
  FLAG,
  formatAuthenticate,
  formatNegotiate,
  formatPairs,
  MIC_AT,
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
  *start({ username, password = '', authorize = '' }, { chance, tls }) {
    if (authorize !== '' && authorize !== username) return false
    const negotiate = formatNegotiate(FLAGS)
    const offer = yield* respond(negotiate)
    const challenge = parseChallenge(offer)
    const info = challenge && parsePairs(challenge.targetInfo)
    if (challenge === undefined || info === undefined) return false
    // Without the server's info there is no NTLMv2 worth the name.
    const [domain = '', user = ''] = username.includes('\\')
      ? username.split('\\', 2)
      : ['', username]
    const [binding = new Uint8Array(16)] = channelHashes(tls)
    const flags = Buffer.alloc(4)
    flags.writeUInt32LE(2)
    const pairs = new Map([...info, [AV.flags, flags], [AV.channelBindings, binding]])
    const time = Buffer.alloc(8)
    time.writeBigUInt64LE(EPOCH)
    const blob = Buffer.concat([
      Buffer.from([1, 1, 0, 0, 0, 0, 0, 0]),
      info.get(AV.timestamp) ?? time,
      chance(8),
      Buffer.alloc(4),
      formatPairs(pairs),
      Buffer.alloc(4),
    ])
    const key = responseKey(ntHash(password), user, domain)
    const proof = proofOf(key, challenge.challenge, blob)
    const ntResponse = Buffer.concat([proof, blob])
    const authenticate = formatAuthenticate(challenge.flags & ~FLAG.keyExchange, {
      ...{ domain, user, ntResponse },
    })
    authenticate.set(micOf(key, proof, [negotiate, offer, authenticate]), MIC_AT)
    yield authenticate
    return true
  },
}
