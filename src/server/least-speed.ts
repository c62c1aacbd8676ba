/** How slowly octets may move at least (`limits.bytesPerSecond`), as sessions and the pump want to know it. */
import type { Settings } from './settings/settings.ts'

type Limits = Pick<Settings['limits'], 'bytesPerSecond' | 'dataTimeout'>

/** What comes in: so much within the time that content may stand still. */
export function contentStepOf({ bytesPerSecond }: Limits, patienceMs: number): number {
  return Math.max(1, Math.floor((bytesPerSecond * patienceMs) / 1000))
}

/** What we send: so much must be taken in so long. */
export function floorOf(limits: Limits) {
  const { dataTimeout } = limits
  return { stallMs: dataTimeout, stallOctets: contentStepOf(limits, dataTimeout) }
}
