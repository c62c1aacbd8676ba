/**
 * XCLIENT (Postfix, XCLIENT_README): from here on the connection is another client's. Its address, name,
 * hello and login count for policy, limits and Received as if it had come itself; all else begins anew
 * with the greeting. What is trusted is the peer that connected, whatever it said before.
 */
import type { Account } from '../../../sasl/mechanism.ts'
import type { Endpoint } from '../../../wire/effect.ts'
import { formatIp, parseIp } from '../../../wire/network.ts'
import { type Attribute, parseAttributes, parsePort } from '../../attribute.ts'
import { XCLIENT_ATTRIBUTES } from '../../extension/xclient.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'
import { after } from '../state.ts'
import { askLogin, type Turn, type Waiting } from '../turn.ts'
import { greeting } from './greeting.ts'

type Name = (typeof XCLIENT_ATTRIBUTES)[number]

/** What the attributes made of the client, bit by bit. */
interface Claim {
  remote: Endpoint
  local: Endpoint
  name: string | undefined
  /** Without HELO and LOGIN nobody has said hello or logged in. */
  hello: string
  extended: boolean
  login: string | undefined
}

export function* xclient(conversation: Conversation, argument: string): Turn {
  const { remote, local, name } = conversation.peer
  const claim = { remote, local, name, hello: '', extended: false, login: undefined }
  const wrong = readClaim(claim, argument)
  if (wrong !== undefined) {
    conversation.reply(replies.badAttribute(wrong))
    return
  }
  const account = yield* accountOf(conversation, claim)
  if (account === 'none') {
    conversation.reply(replies.noSuchLogin)
    return
  }
  if (account === 'unavailable') {
    conversation.close(replies.cannotProceed(conversation.settings.hostname))
    return
  }
  const next = after(conversation.state, claim.hello === '' ? 'XCLIENT' : 'EHLO')
  conversation.abandon()
  conversation.conclude()
  conversation.become({ ...claim, account })
  conversation.state = next
  yield* greeting(conversation)
}

/** The attributes, each over what was known; gives the name of one that is wrong. */
function readClaim(claim: Claim, argument: string): string | undefined {
  const attributes = parseAttributes(argument, XCLIENT_ATTRIBUTES)
  if (typeof attributes === 'string') return attributes
  return attributes.find(attribute => !take(claim, attribute))?.name
}

/** Takes one attribute; false where its value is none. */
function take(claim: Claim, { name, value }: Attribute<Name>): boolean {
  switch (name) {
    case 'NAME':
      claim.name = value
      return value === undefined || /^[\w.-]+$/.test(value)
    case 'ADDR':
      claim.remote = withAddress(claim.remote, value)
      return isRight(claim.remote)
    case 'DESTADDR':
      claim.local = withAddress(claim.local, value)
      return isRight(claim.local)
    case 'PORT':
      claim.remote = withPort(claim.remote, value)
      return isRight(claim.remote)
    case 'DESTPORT':
      claim.local = withPort(claim.local, value)
      return isRight(claim.local)
    case 'PROTO':
      claim.extended = /^(?:ESMTP|LMTP)$/i.test(value ?? '')
      return value === undefined || claim.extended || /^SMTP$/i.test(value)
    case 'HELO':
      claim.hello = value ?? ''
      return true
    case 'LOGIN':
      claim.login = value
      return true
  }
}

const isRight = (end: Endpoint) => !Number.isNaN(end.port)

/** `192.0.2.1` or `IPV6:2001:db8::1`; without a value the address is not known. */
function withAddress({ port }: Endpoint, value: string | undefined): Endpoint {
  if (value === undefined) return { address: '', port: 0 }
  const octets = parseIp(value.replace(/^IPV6:/i, ''))
  return octets ? { address: formatIp(octets), port } : { address: '', port: Number.NaN }
}

function withPort({ address }: Endpoint, value: string | undefined): Endpoint {
  return { address, port: value === undefined ? 0 : parsePort(value) }
}

/** LOGIN counts only for an account that is here; who it is, is the trusted peer's word. */
function* accountOf(
  conversation: Conversation,
  { login }: Claim,
): Waiting<Account | undefined | 'none' | 'unavailable'> {
  if (login === undefined) return undefined
  const answer = yield* askLogin(conversation, {
    kind: 'proven',
    mechanism: 'XCLIENT',
    username: login,
    authorize: '',
  })
  if (answer.kind === 'account') return answer.account
  return answer.kind === 'unavailable' ? 'unavailable' : 'none'
}
