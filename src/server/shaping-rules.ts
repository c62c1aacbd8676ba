/** The rules of shaping that a config makes (settings/shaping.ts), with those that we know ourselves. */
import { knownReplies, type ShapingRule } from '../shape/rule.ts'
import type { Settings } from './settings/settings.ts'

interface Shaped {
  readonly shaping: Settings['shaping']
  readonly outbound: Pick<Settings['outbound'], 'knownReplies'>
}

const made = new WeakMap<object, readonly ShapingRule[]>()

/** The rules of a config, and behind them those that come with the program. */
export function shapingRules(settings: Shaped): readonly ShapingRule[] {
  const known = made.get(settings)
  if (known !== undefined) return known
  const own = settings.shaping.map(
    ({ suspend, warmUp, ...written }): ShapingRule => ({
      ...written,
      warmUp: warmUp && { fromMs: Date.parse(warmUp.from), perDay: warmUp.perDay },
      suspend: suspend.map(({ reply, for: forMs }) => ({ reply, forMs })),
    }),
  )
  const names = new Set(own.map(({ name }) => name))
  const others = knownReplies.filter(({ name }) => !names.has(name))
  const rules = settings.outbound.knownReplies ? [...own, ...others] : own
  made.set(settings, rules)
  return rules
}
