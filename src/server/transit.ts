/** Addresses in transit as the settings have them: opened once for a house, asked by its inbound and outbound halves. */
import type { OldRoutes } from '../transit/old-route.ts'
import { type Rewriting, rewritingOf } from '../transit/rewriting.ts'
import { daysOf, Transit, type TransitSettings } from '../transit/transit.ts'
import type { HouseOptions } from './house.ts'
import type { LocalDomains } from './local-domains.ts'
import { oncePer } from './once.ts'
import type { SmtpName } from './settings/listener-name.ts'
import type { Settings } from './settings/settings.ts'

export function openTransit(house: HouseOptions, domains: LocalDomains): Promise<Transit> {
  const { store, world, settings } = house
  const { clock, random } = world
  const isOurs = (domain: string) => domains.has(domain)
  return Transit.open(
    { store, clock, isOurs, settings: oncePer(settings, transitSettings) },
    random,
  )
}

function transitSettings({ outbound, addresses }: Settings): TransitSettings {
  const { srs, batv, verp } = outbound
  return {
    ...(srs && { srs: { ...srs, keepDays: daysOf(srs.keep) } }),
    ...(batv && { batv: { ...batv, keepDays: daysOf(batv.keep) } }),
    ...(verp && { verp: { ...verp, separator: addresses.separator } }),
  }
}

/** Rules are made ready once for each epoch. */
const RULES = new WeakMap<Settings, Rewriting | undefined>()

/** How addresses are rewritten at a listener: where users send, and elsewhere only if the config says so. */
export function rewritingAt(settings: Settings, name: string): { readonly rewriting?: Rewriting } {
  const { at } = settings.rewrite
  const role = name === 'submissions' ? 'submission' : name
  if (!(at as readonly string[]).includes(role)) return {}
  if (!RULES.has(settings)) RULES.set(settings, rewritingOf(settings.rewrite))
  const rewriting = RULES.get(settings)
  return rewriting ? { rewriting } : {}
}

/** Which routes in local parts are read at a listener. */
export function oldRoutesOf({ listeners }: Settings, name: SmtpName): OldRoutes {
  const { percent, uucp } = listeners[name]
  return { percent: percent === 'normalize', uucp: uucp === 'normalize' }
}
