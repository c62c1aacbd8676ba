/**
 * GSSAPI and GSS-SPNEGO, the server's side: Kerberos by the system's library, which policy asks for us (world/gss.ts).
 * GSSAPI is that of RFC 4752 where the client begins with a token of Kerberos, and Microsoft's where it begins
 * with one of SPNEGO (RFC 4178): there the exchange ends with the context, and no layer is spoken of.
 * GSS-SPNEGO is that last alone, as Cyrus SASL has it. The client's side is gssapi-client.ts.
 *
 * Of the three security layers only "none" is offered. A ticket proves who the client is, and the server proves
 * itself by the same context; nothing that crosses the wire lets anybody guess at a password of ours.
 */
import type { Established, GssAnswer, GssContext, GssForm } from '../world/gss.ts'
import { bindingOf } from './channel.ts'
import {
  ask,
  challenge,
  conclude,
  decodeText,
  type Exchange,
  type Failure,
  failed,
  noOctets,
  WRONG,
} from './exchange.ts'
import { formOf, LAYER, OFFER, parseChoice } from './gss-token.ts'
import type { SaslResult, ServerContext, ServerMechanism } from './mechanism.ts'
import { ntlmExchange } from './ntlm.ts'
import { prepare } from './prepare.ts'
import { NTLMSSP, parseInit } from './spnego.ts'
import { spnegoNtlm } from './spnego-ntlm.ts'

/** Kerberos needs one round, a negotiation that begins with a wrong guess two; nobody needs more. */
const ROUNDS_MAX = 6

type Name = 'GSSAPI' | 'GSS-SPNEGO'

export const gssapiServer = server('GSSAPI')
export const gssSpnegoServer = server('GSS-SPNEGO')

function server(name: Name): ServerMechanism {
  const start: ServerMechanism['start'] = (initial, context) => begun(name, initial, context)
  return { name, plaintext: false, start }
}

function* begun(
  name: Name,
  initial: Uint8Array | undefined,
  context: ServerContext,
): Exchange<SaslResult> {
  // The client speaks first: an empty response says no more than none.
  const token = initial?.length ? initial : yield* challenge(noOctets)
  if (isNtlm(token)) return yield* bareNtlm(name, token, context)
  const form = formOf(token)
  if (form === undefined || (form === 'krb5' && name === 'GSS-SPNEGO'))
    return failed('malformed', 'not a first token of this mechanism')
  return yield* negotiated(name, form, token, context)
}

/** By NTLM where the client has begun with it, or can it and there is no key for tickets; else by the library. */
function* negotiated(
  name: Name,
  form: GssForm,
  token: Uint8Array,
  context: ServerContext,
): Exchange<SaslResult> {
  const init = form === 'spnego' && context.offered.includes('NTLM') ? parseInit(token) : undefined
  const ntlm = init?.mechanisms.includes(NTLMSSP) ? init : undefined
  if (ntlm?.mechanisms[0] === NTLMSSP) return yield* spnegoNtlm(name, ntlm, context)
  const held: Held = { context: undefined, keyless: false }
  try {
    const ended = yield* exchange(name, form, token, context, held)
    if (!held.keyless || ntlm === undefined) return ended
  } finally {
    held.context?.free()
  }
  return yield* spnegoNtlm(name, ntlm, context)
}

/** The context that the library keeps for us until we say that we are done: also where the client just goes. */
interface Held {
  context: GssContext | undefined
  /** Nobody here has a key for tickets. */
  keyless: boolean
}

function* exchange(
  mechanism: Name,
  form: GssForm,
  first: Uint8Array,
  context: ServerContext,
  held: Held,
): Exchange<SaslResult> {
  const peer = yield* establish(mechanism, form, first, context, held)
  if ('kind' in peer) return peer
  const { established, last } = peer
  const { principal } = established
  if (form === 'spnego') return yield* concludePrincipal(mechanism, principal, '', last)
  // RFC 4752 §3.2: the layers may be spoken of only where integrity is to be had.
  if (!established.integrity) return failed('denied', 'the context has no integrity')
  if (last !== undefined && (yield* challenge(last)).length > 0)
    return failed('malformed', 'a token behind the last')
  const choice = yield* chosen(mechanism, held)
  if ('kind' in choice) return choice
  return yield* concludePrincipal(mechanism, principal, choice.authorize, undefined)
}

/** Tokens to and fro until the context stands; `last` is what the server has to say to that, if anything. */
function* establish(
  mechanism: Name,
  form: GssForm,
  first: Uint8Array,
  { service, tls }: ServerContext,
  held: Held,
): Exchange<
  { readonly established: Established; readonly last: Uint8Array | undefined } | Failure
> {
  const bindings = bindingsOf(tls)
  let token = first
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const stepped = yield* askGss(mechanism, held, {
      ...{ kind: 'accept', form, token, service: service === 'lmtp' ? 'smtp' : service },
      bindings,
      ...(held.context !== undefined && { context: held.context }),
    })
    if ('reason' in stepped) {
      held.context = undefined
      return stepped
    }
    held.context = stepped.context
    const { octets, complete, established } = stepped
    if (complete && established !== undefined)
      return { established, last: octets.length > 0 ? octets : undefined }
    token = yield* challenge(octets)
  }
  return failed('malformed', 'the negotiation does not end')
}

/**
 * What a client may bind its context to: the server's certificate (RFC 5929), as Windows does, or the connection; with
 * the binding's name before it, or as Cyrus SASL has it, who takes the Finished of any handshake. Who names
 * nothing is let in; who names another connection is not. RFC 4752 knows no binding, so that none is the right one.
 */
function bindingsOf(tls: ServerContext['tls']): readonly Uint8Array[] {
  const named = ['tls-server-end-point', 'tls-exporter', 'tls-unique'].flatMap(name => {
    const octets = bindingOf(tls, name)
    return octets === undefined ? [] : [Buffer.concat([Buffer.from(`${name}:`), octets])]
  })
  return tls?.finished === undefined ? named : [...named, Buffer.from(tls.finished, 'base64')]
}

/** RFC 4752 §3.2: the layers are offered and chosen in wrapped octets. */
function* chosen(mechanism: Name, held: Held): Exchange<{ readonly authorize: string } | Failure> {
  const { context } = held
  if (context === undefined) return failed('unavailable', 'the context is gone')
  const offer = yield* askGss(mechanism, held, { kind: 'wrap', context, octets: OFFER })
  if ('reason' in offer) return offer
  const wrapped = yield* challenge(offer.octets)
  const plain = yield* askGss(mechanism, held, { kind: 'unwrap', context, octets: wrapped })
  if ('reason' in plain) return plain
  const choice = parseChoice(plain.octets)
  if (choice === undefined) return failed('malformed', 'fewer than four octets')
  if (choice.layer !== LAYER.none)
    return failed('denied', 'a layer was chosen that was not offered')
  // §3.2: who has chosen no layer receives nothing wrapped.
  if (choice.sizeMax !== 0) return failed('malformed', 'a size without a layer')
  const authorize = decodeText(choice.authorize)
  return authorize === undefined ? failed('malformed', 'the identity is not UTF-8') : { authorize }
}

function* askGss(
  mechanism: Name,
  held: Held,
  step: Extract<Parameters<typeof ask>[0], { kind: 'gss' }>['step'],
): Exchange<Extract<GssAnswer, { kind: 'gss' }> | Failure> {
  const answer = yield* ask({ kind: 'gss', mechanism, username: '', step })
  if (answer.kind === 'gss') return answer
  if (answer.kind === 'unavailable' && answer.keyless === true) {
    held.keyless = true
    return failed('denied', 'nobody here speaks Kerberos')
  }
  if (answer.kind === 'denied') return failed('denied', answer.why)
  return failed('unavailable', answer.kind === 'unavailable' ? answer.why : 'no answer was given')
}

function* concludePrincipal(
  mechanism: Name,
  principal: string,
  named: string,
  final: Uint8Array | undefined,
): Exchange<SaslResult> {
  const authorize = named === '' ? '' : prepare(named)
  if (authorize === undefined) return failed('denied', WRONG)
  const question = { kind: 'principal', mechanism, username: '', principal, authorize } as const
  return conclude(yield* ask(question), final)
}

const SIGNATURE = Buffer.from('NTLMSSP\0', 'latin1')

/** Windows without a ticket leaves out the negotiation and speaks NTLM as it is. */
function isNtlm(token: Uint8Array): boolean {
  return SIGNATURE.equals(token.subarray(0, SIGNATURE.length))
}

function* bareNtlm(name: Name, token: Uint8Array, context: ServerContext): Exchange<SaslResult> {
  if (!context.offered.includes('NTLM')) return failed('denied', 'NTLM is off')
  return yield* ntlmExchange(name, token, context)
}
