/**
 * XFORWARD (Postfix, XFORWARD_README): whom the next message came from before it came to the trusted
 * peer. Kept for the transaction that follows, and no longer; several commands add to each other.
 */
import type { Forwarded } from '../../../mail/forwarded.ts'
import { formatIp, parseIp } from '../../../wire/network.ts'
import { type Attribute, parseAttributes, parsePort } from '../../attribute.ts'
import type { Draft } from '../../extension/extension.ts'
import { XFORWARD_ATTRIBUTES } from '../../extension/xforward.ts'
import { replies } from '../../replies.ts'
import type { Conversation } from '../conversation.ts'

type Name = (typeof XFORWARD_ATTRIBUTES)[number]

export function xforward(conversation: Conversation, argument: string): void {
  const attributes = parseAttributes(argument, XFORWARD_ATTRIBUTES)
  if (typeof attributes === 'string') {
    conversation.reply(replies.badAttribute(attributes))
    return
  }
  const forwarded: Draft<Forwarded> = { ...conversation.peer.forwarded }
  for (const attribute of attributes) {
    if (take(forwarded, attribute)) continue
    conversation.reply(replies.badAttribute(attribute.name))
    return
  }
  conversation.forwarded(forwarded)
  conversation.reply(replies.ok)
}

const fields = {
  NAME: 'name',
  ADDR: 'address',
  PORT: 'port',
  PROTO: 'protocol',
  HELO: 'hello',
  IDENT: 'ident',
  SOURCE: 'source',
} as const satisfies Record<Name, keyof Forwarded>

/** Takes one attribute, or forgets it where it has no value; false where the value is none. */
function take(forwarded: Draft<Forwarded>, { name, value }: Attribute<Name>): boolean {
  if (value === undefined) {
    delete forwarded[fields[name]]
    return true
  }
  switch (name) {
    case 'PORT':
      forwarded.port = parsePort(value)
      return !Number.isNaN(forwarded.port)
    case 'SOURCE': {
      const source = value.toUpperCase()
      if (source !== 'LOCAL' && source !== 'REMOTE') return false
      forwarded.source = source
      return true
    }
    case 'ADDR': {
      // It may be no IP address at all; one is written as we write it.
      const octets = parseIp(value.replace(/^IPV6:/i, ''))
      forwarded.address = octets === undefined ? value : formatIp(octets)
      return true
    }
    default:
      forwarded[fields[name]] = value
      return true
  }
}
