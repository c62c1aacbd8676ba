/** The process that attackers live in, so that what they cost is not taken for what they do. Started by ../hostile.ts. */

import type { Victim } from './attack.ts'
import { attacks } from './table.ts'

interface Order {
  readonly name: string
  readonly ms: number
  readonly scale: number
  readonly victim: Victim
}

process.on('message', (order: Order) => {
  const { name, ms, scale, victim } = order
  const attack = attacks.find(each => each.name === name)
  const until = performance.now() + ms
  const time = { left: () => until - performance.now(), scale }
  void (attack?.run(victim, time) ?? Promise.resolve({})).then(
    tally => process.send?.({ tally }),
    error => process.send?.({ tally: {}, error: String(error) }),
  )
})
process.send?.('ready')
