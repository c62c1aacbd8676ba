/** All targets of the fuzzer, in the order in which they run. */
import type { Target } from '../lab/target.ts'
import { messageTargets } from './message.ts'
import { outsideTargets } from './outside.ts'
import { relayTargets } from './relay.ts'
import { saslTargets } from './sasl.ts'
import { sessionTargets } from './session.ts'
import { textTargets } from './text.ts'

export const targets: readonly Target[] = [
  ...sessionTargets,
  ...relayTargets,
  ...messageTargets,
  ...textTargets,
  ...saslTargets,
  ...outsideTargets,
]
