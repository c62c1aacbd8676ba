/**
 * XFORWARD (Postfix, XFORWARD_README): a trusted peer says whom the next message came from, for the
 * ledger alone. Shown only to peers in the listener's `xforward` networks; said to a smart host whose
 * setting asks for it. The verb is server/verb/xforward.ts.
 */
import type { Forwarded } from '../../mail/forwarded.ts'
import { isWithin } from '../../wire/network.ts'
import { encodeXtext } from '../../wire/xtext.ts'
import type { Extension } from './extension.ts'

export const XFORWARD_ATTRIBUTES = [
  'NAME',
  'ADDR',
  'PORT',
  'PROTO',
  'HELO',
  'IDENT',
  'SOURCE',
] as const

export const xforward: Extension = {
  keyword: 'XFORWARD',
  rfcs: [],
  help: 'whom the next message came from, from trusted peers',
  has: settings => settings.xforwardFrom.length > 0,
  shownTo: (origin, settings) => isWithin(origin.address, settings.xforwardFrom),
  offer: () => `XFORWARD ${XFORWARD_ATTRIBUTES.join(' ')}`,
  verbs: ['XFORWARD'],
}

/** A line has 512 octets (RFC 5321 §4.5.3.1.4); what would burst it goes into the next command. */
const LINE_MAX = 510

/** The commands that tell a hop whom a message came from: of what it knows, all; '' where that is nothing. */
export function xforwardCommands(forwarded: Forwarded, offered: string): readonly string[] {
  const { name, address, port, protocol, hello, ident, source } = forwarded
  const said: Readonly<Record<(typeof XFORWARD_ATTRIBUTES)[number], string | number | undefined>> =
    {
      NAME: name,
      ADDR: address?.includes(':') ? `IPV6:${address}` : address,
      PORT: port,
      PROTO: protocol,
      HELO: hello,
      IDENT: ident,
      SOURCE: source,
    }
  const wanted = offered.toUpperCase().split(/\s+/)
  const commands: string[] = []
  let line = ''
  for (const attribute of XFORWARD_ATTRIBUTES) {
    if (!wanted.includes(attribute)) continue
    const word = ` ${attribute}=${encodeXtext(String(said[attribute] ?? '[UNAVAILABLE]'))}`
    if (word.length > LINE_MAX - 'XFORWARD'.length) continue
    if (line.length + word.length > LINE_MAX) {
      commands.push(line)
      line = ''
    }
    line = `${line === '' ? 'XFORWARD' : line}${word}`
  }
  return line === '' ? commands : [...commands, line]
}
