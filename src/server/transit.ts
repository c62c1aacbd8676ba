/** Addresses in transit as the settings have them: opened once for a house, asked by its inbound and outbound halves. */
import { daysOf, Transit, type TransitSettings } from '../transit/transit.ts'
import type { HouseOptions } from './house.ts'
import type { LocalDomains } from './local-domains.ts'
import type { Settings } from './settings.ts'

export function openTransit(house: HouseOptions, domains: LocalDomains): Promise<Transit> {
  const { store, world, settings } = house
  const { clock, random } = world
  const isOurs = (domain: string) => domains.has(domain)
  return Transit.open({ store, clock, isOurs, settings: () => transitSettings(settings()) }, random)
}

function transitSettings({ outbound: { srs } }: Settings): TransitSettings {
  return srs === undefined ? {} : { srs: { ...srs, keepDays: daysOf(srs.keep) } }
}
