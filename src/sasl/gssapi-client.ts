/**
 * GSSAPI (RFC 4752) and GSS-SPNEGO, the client's side: a ticket for the server's service, which the system's library
 * has or gets. The server must prove itself by the same context. Of the security layers "none" is chosen,
 * and a server that wants one is not logged in at.
 */
import type { Established, GssAnswer, GssContext, GssForm, GssStep } from '../world/gss.ts'
import { bindingOf } from './channel.ts'
import { type ClientExchange, encodeText, noOctets, respond } from './exchange.ts'
import { LAYER, parseOffer } from './gss-token.ts'
import type { ClientContext, ClientMechanism, Credentials } from './mechanism.ts'

const ROUNDS_MAX = 6

type Name = 'GSSAPI' | 'GSS-SPNEGO'

export const gssapiClient = client('GSSAPI')
export const gssSpnegoClient = client('GSS-SPNEGO')

function client(name: Name): ClientMechanism {
  return {
    name,
    plaintext: false,
    initial: true,
    by: 'ticket',
    *start(credentials, context) {
      const spnego = name === 'GSS-SPNEGO' || credentials.ticket?.spnego === true
      const held: Held = { context: undefined }
      try {
        return yield* exchange(spnego ? 'spnego' : 'krb5', credentials, context, held)
      } finally {
        held.context?.free()
      }
    },
  }
}

interface Held {
  context: GssContext | undefined
}

function* exchange(
  form: GssForm,
  credentials: Credentials,
  context: ClientContext,
  held: Held,
): ClientExchange<boolean | string> {
  const { authorize = '' } = credentials
  const peer = yield* establish(form, credentials, context, held)
  if (typeof peer === 'string') return peer
  if (!peer.mutual) return 'the server did not prove itself'
  // RFC 4752 §3.1: what the server offers comes behind our last token, be it empty.
  const wrapped = yield* respond(peer.last)
  // SPNEGO ends with the context; but Dovecot goes on as if it were Kerberos alone.
  if (form === 'spnego' && wrapped.length === 0)
    return authorize === '' || 'SPNEGO cannot say whom we act as'
  const { context: present } = peer
  const offer = yield* askGss({ kind: 'unwrap', context: present, octets: wrapped }, held)
  if (typeof offer === 'string') return offer
  const offered = parseOffer(offer.octets)
  if (offered === undefined || (offered.layers & LAYER.none) === 0)
    return 'the server wants a security layer'
  const octets = Buffer.concat([Buffer.of(LAYER.none, 0, 0, 0), encodeText(authorize)])
  const choice = yield* askGss({ kind: 'wrap', context: present, octets }, held)
  if (typeof choice === 'string') return choice
  yield choice.octets
  return true
}

interface Stood extends Established {
  readonly context: GssContext
  /** Our last token, which may be empty. */
  readonly last: Uint8Array
}

function* establish(
  form: GssForm,
  { ticket = {} }: Credentials,
  { hostname, service, tls }: ClientContext,
  held: Held,
): ClientExchange<Stood | string> {
  const target = `${ticket.service ?? service}@${hostname}`
  const endPoint = bindingOf(tls, 'tls-server-end-point')
  const binding = endPoint && Buffer.concat([Buffer.from('tls-server-end-point:'), endPoint])
  let token: Uint8Array = noOctets
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const step: GssStep = {
      ...{ kind: 'initiate', form, target, token, ticket },
      ...(held.context !== undefined && { context: held.context }),
      ...(binding !== undefined && { binding }),
    }
    const stepped = yield* askGss(step, held)
    if (typeof stepped === 'string') return stepped
    const { context, octets, complete, established } = stepped
    if (complete && established !== undefined) return { ...established, context, last: octets }
    token = yield* respond(octets)
  }
  return 'the negotiation does not end'
}

/** The library's answer, or why there is none. */
function* askGss(
  step: GssStep,
  held: Held,
): ClientExchange<Extract<GssAnswer, { readonly kind: 'gss' }> | string> {
  const answer = yield step
  if (answer instanceof Uint8Array || answer.kind === 'stretched') return 'no answer was given'
  if (answer.kind !== 'gss') {
    // What failed was given back by the library.
    held.context = undefined
    return answer.why
  }
  held.context = answer.context
  return answer
}
