/**
 * AUTH (RFC 4954 §4): frames a SASL mechanism's exchange. The mechanism knows the protocol of its
 * name, policy knows the passwords; here are only base64, order and replies.
 */

import type { Reply } from '../../../mail/status.ts'
import { carry } from '../../../sasl/carry.ts'
import { noOctets } from '../../../sasl/exchange.ts'
import type { SaslResult, ServerMechanism } from '../../../sasl/mechanism.ts'
import { offeredOn } from '../../../sasl/registry.ts'
import { decodeBase64, encodeBase64 } from '../../../wire/base64.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { askLogin, response, type Turn, type Waiting } from '../turn.ts'

/** The listener's mechanisms that may run on this connection, in its order. */
export function offeredMechanisms(conversation: Conversation): readonly ServerMechanism[] {
  const { settings, mechanism, peer } = conversation
  const channel = { tls: peer.tls, clear: settings.plaintextAuth === true }
  return offeredOn(settings.mechanisms, channel, mechanism)
}

export function* auth(conversation: Conversation, argument: string): Turn {
  const mechanism = choose(conversation, argument)
  if ('code' in mechanism) {
    conversation.reply(mechanism)
    return
  }
  const initial = initialResponse(argument)
  if (initial === 'malformed') {
    conversation.reply(replies.badBase64)
    return
  }
  if (initial !== undefined && mechanism.serverFirst === true) {
    conversation.reply(replies.serverBegins)
    return
  }
  const result = yield* exchange(conversation, mechanism, initial)
  if ('code' in result) conversation.reply(result)
  else if (result.kind === 'done') {
    conversation.authenticated(result.account)
    conversation.reply(replies.authenticated)
  } else {
    if (result.reason === 'denied') conversation.denied()
    conversation.reply(failure[result.reason])
  }
}

const failure: Readonly<Record<'malformed' | 'denied' | 'unavailable', Reply>> = {
  malformed: replies.badBase64,
  denied: replies.loginDenied,
  unavailable: replies.loginUnavailable,
}

/** The mechanism that may run now, or the reply that says why none may. */
function choose(conversation: Conversation, argument: string): ServerMechanism | Reply {
  if (!conversation.peer.extended) return replies.needsExtendedHello
  if (conversation.peer.account !== undefined) return replies.alreadyAuthenticated
  const words = argument.split(' ')
  if (words.length > 2) return replies.authSyntax
  const name = words[0]?.toUpperCase() ?? ''
  const offered = offeredMechanisms(conversation).find(each => each.name === name)
  if (offered !== undefined) return offered
  const known = conversation.settings.mechanisms.includes(name)
  // RFC 4954 §4: no password crosses an open wire.
  return known && conversation.mechanism(name)?.plaintext === true
    ? replies.encryptionNeeded
    : replies.unknownMechanism
}

/** `=` is the empty initial response (RFC 4954 §4). */
function initialResponse(argument: string): Uint8Array | undefined | 'malformed' {
  const text = argument.split(' ')[1]
  if (text === undefined) return undefined
  return text === '=' ? noOctets : (decodeBase64(text) ?? 'malformed')
}

function* exchange(
  conversation: Conversation,
  mechanism: ServerMechanism,
  initial: Uint8Array | undefined,
): Waiting<SaslResult | Reply> {
  const { settings, peer } = conversation
  const steps = mechanism.start(initial, {
    chance: settings.chance,
    tls: peer.tls,
    offered: offeredMechanisms(conversation).map(each => each.name),
    hostname: settings.hostname,
    service: settings.protocol,
  })
  return yield* carry(steps, {
    ask: question => askLogin(conversation, question),
    challenge: (octets, words) => challenge(conversation, octets, words),
  })
}

/** Sends a challenge; gives the response, or the reply that ends the exchange. */
function* challenge(
  conversation: Conversation,
  octets: Uint8Array,
  words: boolean,
): Waiting<Uint8Array | Reply> {
  const text = words ? Buffer.from(octets).toString('latin1') : encodeBase64(octets)
  conversation.reply(replies.challenge(text))
  const line = yield* response()
  if (line === 'overlong') return replies.responseTooLong
  if (line.text === '*') return replies.cancelled
  return decodeBase64(line.text) ?? replies.badBase64
}
