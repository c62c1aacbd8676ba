/**
 * NTLM in SPNEGO (MS-SPNG, RFC 4178), both sides: what Windows speaks where it has no ticket. The server's side is chosen
 * by gssapi.ts, where the client has begun with NTLM, or with Kerberos that nobody here can speak; the client's is
 * used where GSS-SPNEGO is asked for by name for a password.
 *
 * What the two have agreed on is signed by both with the key of the login (mechListMIC): always where the client had
 * meant another mechanism first, so that nobody between the two can talk it out of that one.
 */
import {
  challenge,
  type Exchange,
  type Failure,
  failed,
  respond,
  sameOctets,
  WRONG,
} from './exchange.ts'
import type { ClientMechanism, SaslResult, ServerContext } from './mechanism.ts'
import { type NtlmCarrier, ntlmExchange } from './ntlm.ts'
import { ntlmRounds } from './ntlm-client.ts'
import { signatureOf } from './ntlm-keys.ts'
import { FLAG } from './ntlm-message.ts'
import {
  formatInit,
  formatResp,
  type NegTokenInit,
  type NegTokenResp,
  NTLMSSP,
  parseResp,
  STATE,
} from './spnego.ts'

/** Without a signature there is no mechListMIC. */
const SIGNING = FLAG.sign | FLAG.key128 | FLAG.key56

/** The server's side, behind a first token that names NTLM. */
export function* spnegoNtlm(
  name: string,
  init: NegTokenInit,
  context: ServerContext,
): Exchange<SaslResult> {
  const preferred = init.mechanisms[0] === NTLMSSP
  let agreed = false
  /** The client's next token; what we have chosen is named with the first of ours. */
  function* turn(state: number, token?: Uint8Array): Exchange<NegTokenResp | Failure> {
    const naming = agreed ? {} : { mechanism: NTLMSSP }
    agreed = true
    const said = formatResp({ state, ...naming, ...(token !== undefined && { token }) })
    return parseResp(yield* challenge(said)) ?? failed('malformed', 'not a NegTokenResp')
  }
  let negotiate = preferred ? init.token : undefined
  if (negotiate === undefined) {
    const said = yield* turn(preferred ? STATE.incomplete : STATE.requestMic)
    if ('kind' in said) return said
    if (said.token === undefined) return failed('malformed', 'no NEGOTIATE_MESSAGE')
    negotiate = said.token
  }
  let mic: Uint8Array | undefined
  const carrier: NtlmCarrier = {
    flags: SIGNING,
    *challenge(offer) {
      const said = yield* turn(STATE.incomplete, offer)
      if ('kind' in said) return said
      mic = said.mic
      return said.token ?? failed('malformed', 'no AUTHENTICATE_MESSAGE')
    },
    signed(key) {
      if (mic === undefined && !preferred)
        return failed('denied', 'what was agreed on is not signed')
      if (mic === undefined) return formatResp({ state: STATE.completed })
      if (!sameOctets(signatureOf(key, 'client', init.list), mic)) return failed('denied', WRONG)
      return formatResp({ state: STATE.completed, mic: signatureOf(key, 'server', init.list) })
    },
  }
  return yield* ntlmExchange(name, negotiate, context, carrier)
}

/** GSS-SPNEGO with a password in place of a ticket. */
export const spnegoNtlmClient: ClientMechanism = {
  name: 'GSS-SPNEGO',
  plaintext: false,
  initial: true,
  by: 'password',
  *start(credentials, context) {
    const login = ntlmRounds(credentials, context, SIGNING)
    if (login === undefined) return false
    const { list, octets } = formatInit(NTLMSSP, login.negotiate)
    const offered = parseResp(yield* respond(octets))
    if (offered === undefined || offered.state === STATE.reject) return false
    if ((offered.mechanism ?? NTLMSSP) !== NTLMSSP) return 'the server speaks another mechanism'
    const proof = login.authenticate(offered.token ?? new Uint8Array(0))
    if (proof === undefined) return false
    const mic = signatureOf(proof.key, 'client', list)
    const last = parseResp(
      yield* respond(formatResp({ state: STATE.incomplete, token: proof.message, mic })),
    )
    if (last === undefined || last.state !== STATE.completed) return false
    // A server that knows the password can sign as well as we can; an old one leaves it.
    if (last.mic === undefined) return true
    return sameOctets(signatureOf(proof.key, 'server', list), last.mic)
  },
}
