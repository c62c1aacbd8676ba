/** The process that attackers live in, so that what they cost is not taken for what they do. Started by ../hostile.ts. */

import type { Tally, Victim } from './attack.ts'
import { attacks } from './table.ts'

interface Order {
  readonly name: string
  readonly what: 'prepare' | 'attack'
  readonly ms: number
  readonly scale: number
  readonly victim: Victim
}

process.on('message', (order: Order) => {
  void carriedOut(order).then(
    tally => process.send?.({ tally }),
    error => process.send?.({ tally: {}, error: String(error) }),
  )
})
process.send?.('ready')

async function carriedOut({ name, what, ms, scale, victim }: Order): Promise<Tally> {
  const attack = attacks.find(each => each.name === name)
  if (attack === undefined) throw new Error(`there is no attack ${name}`)
  if (what === 'attack') {
    const until = performance.now() + ms
    return attack.run(victim, { left: () => until - performance.now(), scale })
  }
  await attack.prepare?.(victim, scale)
  return {}
}
