/**
 * NTLM as MS-SMTPNTLM, MS-POP3 and MS-OXIMAP4 frame it, the server's side, in version 2 alone (MS-NLMP §3.3.2):
 * negotiate, challenge, authenticate. Off by default: what must be kept for it, the NT hash, is as good as the
 * password. The client's side is ntlm-client.ts.
 *
 * Where the client began without a message SMTP's first 334 has words in place of base64, and clients
 * look at none of them.
 */
import {
  ask,
  challenge,
  conclude,
  type Exchange,
  encodeText,
  type Failure,
  failed,
  rightOf,
  sameOctets,
  WRONG,
} from './exchange.ts'
import type { SaslResult, Secret, ServerContext, ServerMechanism } from './mechanism.ts'
import {
  channelHashes,
  micOf,
  PROOF_OCTETS,
  proofOf,
  responseKey,
  sessionKeyOf,
} from './ntlm-keys.ts'
import {
  type Authenticate,
  AV,
  FLAG,
  formatChallenge,
  formatPairs,
  MIC_AT,
  MIC_OCTETS,
  type Pairs,
  parseAuthenticate,
  parseNegotiate,
  parsePairs,
  utf16,
} from './ntlm-message.ts'
import { prepare } from './prepare.ts'

/** Signing and sealing are no part of a login: whatever else a client asks for is left out. */
const FLAGS =
  FLAG.requestTarget |
  FLAG.ntlm |
  FLAG.alwaysSign |
  FLAG.targetIsServer |
  FLAG.extendedSecurity |
  FLAG.targetInfo

/** Before the AV pairs of an NTLMv2 response (§2.2.2.7). */
const BLOB_HEAD = 28

export const ntlmServer: ServerMechanism = {
  name: 'NTLM',
  plaintext: false,
  *start(initial, context) {
    const negotiate =
      initial === undefined || initial.length === 0
        ? yield* challenge(encodeText('NTLM supported'), 'words')
        : initial
    return yield* ntlmExchange('NTLM', negotiate, context)
  },
}

/** How its messages are carried. */
export interface NtlmCarrier {
  /** What is agreed to beyond a login, where the client asks for it. */
  readonly flags: number
  /** Sends our challenge, and gives the client's last message. */
  challenge(offer: Uint8Array): Exchange<Uint8Array | Failure>
  /** The client has proven itself, and has the same key of the session: what goes with the success. */
  signed(sessionKey: Uint8Array): Uint8Array | Failure | undefined
}

const bare: NtlmCarrier = { flags: 0, challenge, signed: () => undefined }

/** From the client's first message to the end; SPNEGO carries the same (spnego-ntlm.ts). */
export function* ntlmExchange(
  mechanism: string,
  negotiate: Uint8Array,
  context: ServerContext,
  carrier = bare,
): Exchange<SaslResult> {
  const asked = parseNegotiate(negotiate)
  if (asked === undefined) return failed('malformed', 'not a NEGOTIATE_MESSAGE')
  const random = context.chance(8)
  const offer = challengeOf(random, context.hostname, asked, asked & carrier.flags)
  const authenticate = yield* carrier.challenge(offer)
  if ('kind' in authenticate) return authenticate
  const message = parseAuthenticate(authenticate)
  if (message === undefined) return failed('malformed', 'not an AUTHENTICATE_MESSAGE')
  const { ntResponse } = message
  // An LM or NTLMv1 response is of 24 octets, and nothing is ever compared with it.
  if (ntResponse.length < PROOF_OCTETS + BLOB_HEAD + 4) return failed('denied', WRONG)
  const pairs = parsePairs(ntResponse.subarray(PROOF_OCTETS + BLOB_HEAD))
  if (pairs === undefined) return failed('malformed', 'not an NTLMv2 response')
  const username = prepare(nameOf(message))
  if (username === undefined || !boundHere(pairs, context)) return failed('denied', WRONG)

  const known = yield* ask({ kind: 'secret', mechanism, username, scheme: 'nt' })
  if (known.kind !== 'secret') return conclude(known)
  const messages = [negotiate, offer, authenticate] as const
  const right = provenBy(known.secrets, message, pairs, random, messages)
  if (right === undefined) return failed('denied', WRONG)
  const final = carrier.signed(right.sessionKey)
  if (final !== undefined && 'kind' in final) return final
  const { credential } = right
  const question = { kind: 'proven', mechanism, username, authorize: '' } as const
  return conclude(
    yield* ask(credential === undefined ? question : { ...question, credential }),
    final,
  )
}

/** Text in Unicode, or in the OEM's characters where the client has no other (curl). */
function challengeOf(
  random: Uint8Array,
  hostname: string,
  asked: number,
  more: number,
): Uint8Array {
  const unicode = (asked & FLAG.unicode) !== 0
  const [label = ''] = hostname.split('.')
  const computer = label.toUpperCase().slice(0, 15)
  const domain = hostname.slice(label.length + 1) || hostname
  const targetInfo = formatPairs([
    [AV.nbDomain, utf16(computer)],
    [AV.nbComputer, utf16(computer)],
    [AV.dnsDomain, utf16(domain)],
    [AV.dnsComputer, utf16(hostname)],
  ])
  const flags = (FLAGS | more | (unicode ? FLAG.unicode : FLAG.oem)) >>> 0
  const target = unicode ? utf16(computer) : Buffer.from(computer, 'latin1')
  return formatChallenge({ flags, challenge: random, targetInfo }, target)
}

/** A domain of a Windows network is no domain of mail; one with a dot may be. */
function nameOf({ user, domain }: Authenticate): string {
  return user.includes('@') || !domain.includes('.') ? user : `${user}@${domain}`
}

/** A client that says to which TLS connection it speaks must mean this one; zeros say nothing. */
function boundHere(pairs: Pairs, { tls }: ServerContext): boolean {
  const said = pairs.get(AV.channelBindings)
  if (said === undefined || said.every(octet => octet === 0)) return true
  return channelHashes(tls).some(hash => sameOctets(hash, said))
}

function provenBy(
  secrets: readonly Secret[],
  { user, domain, ntResponse, payloadAt }: Authenticate,
  pairs: Pairs,
  random: Uint8Array,
  messages: readonly [Uint8Array, Uint8Array, Uint8Array],
): { readonly credential?: string; readonly sessionKey: Uint8Array } | undefined {
  const proof = ntResponse.subarray(0, PROOF_OCTETS)
  const blob = ntResponse.subarray(PROOF_OCTETS)
  const keyOf = (nt: Uint8Array) => responseKey(nt, user, domain)
  const found = rightOf(secrets, nt => proofOf(keyOf(nt), random, blob), proof)
  const secret = secrets.find(
    ({ octets, genuine }) => genuine && sameOctets(proofOf(keyOf(octets), random, blob), proof),
  )
  const right = found &&
    secret && { ...found, sessionKey: sessionKeyOf(keyOf(secret.octets), proof) }
  // §3.2.5.1.2: where the pairs say that there is a MIC, it must be right.
  const flags = Buffer.from(pairs.get(AV.flags) ?? [])
  if (right === undefined || flags.length !== 4 || (flags.readUInt32LE() & 2) === 0) return right
  if (payloadAt < MIC_AT + MIC_OCTETS) return undefined
  const mic = messages[2].subarray(MIC_AT, MIC_AT + MIC_OCTETS)
  const isRight = secrets.some(({ octets }) =>
    sameOctets(micOf(keyOf(octets), proof, messages), mic),
  )
  return isRight ? right : undefined
}
