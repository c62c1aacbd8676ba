/**
 * When a recipient is tried again and given up: the first of `queue.schedules` that matches it, with what
 * is left out taken from `queue`. Asked after each attempt, so that a change of the config counts for mail
 * already queued; and by whoever tells an operator or a sender when something ends.
 */
import { parseStoredAddress } from '../mail/address.ts'
import type { Schedule } from '../queue/schedule.ts'
import { type AddressPattern, matchesAddress, parseAddressPattern } from '../route/pattern.ts'
import type { Settings } from './settings/settings.ts'

interface Rule {
  readonly recipient: readonly AddressPattern[] | undefined
  readonly hop: readonly string[] | undefined
  readonly schedule: Schedule
}

interface Schedules {
  readonly rules: readonly Rule[]
  readonly usual: Schedule
}

const known = new WeakMap<Settings, Schedules>()

/** @param way the names of the configured hops it goes by, parted by commas; where it is not known yet, no rule of a hop matches */
export function scheduleOf(settings: Settings, address: string, way = ''): Schedule {
  const made = known.get(settings) ?? makeSchedules(settings)
  known.set(settings, made)
  const { rules, usual } = made
  if (rules.length === 0) return usual
  const recipient = parseStoredAddress(address)
  const hops = way.split(', ')
  const rule = rules.find(
    ({ recipient: patterns, hop }) =>
      (patterns === undefined || patterns.some(one => matchesAddress(one, recipient))) &&
      (hop === undefined || hop.some(name => hops.includes(name))),
  )
  return rule?.schedule ?? usual
}

function makeSchedules({ queue }: Settings): Schedules {
  const { retry, jitter, delayWarning, expire } = queue
  const rules = queue.schedules.map(
    (written): Rule => ({
      recipient: written.match.recipient?.flatMap(text => parseAddressPattern(text) ?? []),
      hop: written.match.hop,
      schedule: scheduleIn({ retry, jitter, delayWarning, expire, ...written }),
    }),
  )
  return { rules, usual: scheduleIn(queue) }
}

function scheduleIn(times: {
  readonly retry: readonly number[]
  readonly jitter: number
  readonly delayWarning: number
  readonly expire: number
}): Schedule {
  const { retry: retryMs, jitter, delayWarning: delayWarningMs, expire: expireMs } = times
  return { retryMs, jitter, delayWarningMs, expireMs }
}
