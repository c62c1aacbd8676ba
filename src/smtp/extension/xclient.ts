/**
 * XCLIENT (Postfix, XCLIENT_README): a trusted peer says whose connection this really is. Shown only to
 * peers in the listener's `xclient` networks. The verb is server/verb/xclient.ts.
 */
import { isWithin } from '../../wire/network.ts'
import type { Extension } from './extension.ts'

export const XCLIENT_ATTRIBUTES = [
  'NAME',
  'ADDR',
  'PORT',
  'PROTO',
  'HELO',
  'LOGIN',
  'DESTADDR',
  'DESTPORT',
] as const

export const xclient: Extension = {
  keyword: 'XCLIENT',
  rfcs: [],
  help: 'whose connection this really is, from trusted peers',
  has: settings => settings.xclientFrom.length > 0,
  shownTo: (origin, settings) => isWithin(origin.address, settings.xclientFrom),
  offer: () => `XCLIENT ${XCLIENT_ATTRIBUTES.join(' ')}`,
  verbs: ['XCLIENT'],
}
