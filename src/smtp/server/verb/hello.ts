/** HELO and EHLO (RFC 5321 §4.1.1.1), LHLO (RFC 2033 §4.1): who the client says it is. */
import { parseIp } from '../../../wire/network.ts'
import { parseLiteral } from '../../domain.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { after, type Verb } from '../state.ts'
import { ask, type Turn } from '../turn.ts'
import { offeredMechanisms } from './auth.ts'

/** Printable ASCII without what could not stand in a Received field (RFC 5322 §3.2.1). */
const NAME = /^[!#-'*-+\--:=?-[\]-~]+$/
const NAME_MAX = 255

export const helo = (conversation: Conversation, argument: string) =>
  hello(conversation, argument, 'HELO')
export const ehlo = (conversation: Conversation, argument: string) =>
  hello(conversation, argument, 'EHLO')
export const lhlo = (conversation: Conversation, argument: string) =>
  hello(conversation, argument, 'LHLO')

/**
 * The field's names have underscores and worse, so they are checked for what could do harm only;
 * what begins as an address literal must be one. RFC 5321 §4.1.4: a refused hello changes nothing, an accepted one ends a transaction.
 */
function* hello(conversation: Conversation, argument: string, verb: Verb): Turn {
  const malformed = argument.startsWith('[') && !isLiteral(argument)
  if (argument.length > NAME_MAX || !NAME.test(argument) || malformed) {
    conversation.reply(replies.badHello)
    return
  }
  const extended = verb !== 'HELO'
  const peer = { ...conversation.peer, hello: argument, extended }
  const verdict = yield* ask(conversation, { kind: 'hello', peer })
  if (verdict.kind !== 'accept') {
    conversation.refuse(verdict)
    return
  }
  conversation.abandon()
  conversation.conclude()
  conversation.state = after(conversation.state, verb)
  conversation.greeted(argument, extended)
  const name = conversation.settings.hostname
  conversation.reply(replies.hello(extended ? [name, ...offered(conversation)] : [name]))
}

/**
 * RFC 5321 §4.1.3; and as the field writes IPv6, without its tag or with a zone.
 *
 *     General-address-literal = Standardized-tag ":" 1*dcontent
 */
function isLiteral(argument: string): boolean {
  if (parseLiteral(argument, 0)?.next === argument.length) return true
  const inner = /^\[(.+)\]$/.exec(argument)?.[1] ?? ''
  const address = inner.replace(/^IPv6:|%.*$/gi, '')
  if (address.includes(':') && parseIp(address) !== undefined) return true
  return /^(?!IPv6:)[A-Z0-9-]*[A-Z0-9]:[!-Z^-~]+$/i.test(inner)
}

/** The EHLO keyword lines of this moment, in the order of the table. */
function offered(conversation: Conversation): readonly string[] {
  const { settings, peer, dialect } = conversation
  const offering = {
    settings,
    tls: peer.tls !== undefined,
    proven: conversation.proven,
    loggedIn: peer.account !== undefined,
    mechanisms: offeredMechanisms(conversation),
  }
  const shown = dialect.extensions.filter(each => conversation.shows(each))
  return shown.map(each => each.offer(offering)).filter(line => line !== undefined)
}
