/** Who may write as whom (settings/submission.ts), as the submission role reads it. */
import type { Grant, IdentityRules } from '../inbound/identity.ts'
import { parseAddressPattern } from '../route/pattern.ts'
import type { Settings } from './settings/settings.ts'

type Written = Readonly<Record<string, string | readonly string[]>>

/** What a config says, as the submission role reads it; made once for each. */
export function identityRules(settings: Settings['submission']): IdentityRules {
  const made = known.get(settings)
  if (made !== undefined) return made
  const { identities, onBehalf, mailFrom, from, foreignFrom } = settings
  const rules = {
    as: grantsOf(identities),
    behalf: grantsOf(onBehalf),
    mailFrom,
    from,
    foreignFrom,
  }
  known.set(settings, rules)
  return rules
}

const known = new WeakMap<object, IdentityRules>()

function grantsOf(written: Written): Grant[] {
  return Object.entries(written).flatMap(([who, whom]) => {
    const [account, ...addresses] = [who, whom].flat().map(parseAddressPattern)
    const patterns = addresses.filter(each => each !== undefined)
    return account === undefined ? [] : [{ who: account, whom: patterns }]
  })
}
