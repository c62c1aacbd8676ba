/**
 * What the role behind a listener must know of it, besides how one connection came in: the same for real peers
 * (serve.ts) and for those that `explain` makes up.
 */
import type { Heeding } from '../inbound/heed.ts'
import { dialectOf } from '../smtp/extension/table.ts'
import type { SessionSettings } from '../smtp/server/question.ts'
import type { SmtpName } from './settings/listener-name.ts'
import type { Settings } from './settings/settings.ts'
import { oldRoutesOf, rewritingAt } from './transit.ts'

export function doorOf(of: Settings, name: SmtpName, settings: SessionSettings) {
  return {
    vrfy: of.listeners[name].vrfy,
    routes: oldRoutesOf(of, name),
    heeding: { ...heedingOf(settings), ...rewritingAt(of, name) },
    protocol: settings.protocol,
  }
}

/** Which fields of a header count at a listener: those of the extensions it has. */
function heedingOf(settings: SessionSettings): Heeding {
  const { keywords } = dialectOf(settings)
  return {
    tenure: keywords.has('RRVS'),
    unwanted: keywords.has('NO-SOLICITING') ? settings.unwanted : [],
    ...(keywords.has('MT-PRIORITY') ? { priorityMax: settings.priorityMax } : {}),
  }
}
