/** Who asks for mail that was accepted this moment is given it; what is long under way keeps nobody waiting. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newbornFor, pendingFor } from '../queue/reader.ts'
import type { Peer } from '../smtp/server/question.ts'
import { createWorld } from '../world/sim/index.ts'
import { OnDemandMail, type OnDemandNeeds } from './on-demand.ts'
import { settingsSchema } from './settings/settings.ts'

const address = 'customer@isp.test'
const peer = { account: { id: 1, address }, remote: { address: '192.0.2.1' } } as Peer
const settings = settingsSchema.parse({ onDemand: { 'home.test': { accounts: [address] } } })

/** A house where mail is being born for so many looks; then it waits. */
function houseWith(births: number) {
  const internet = createWorld({ seed: 1 })
  const { world } = internet.host({ name: 'mx.isp.test', addresses: ['192.0.2.201'] })
  let looks = 0
  const answers = new Map<unknown, () => unknown>([
    [newbornFor, () => looks++ < births],
    [pendingFor, () => (looks > births ? 1 : 0)],
  ])
  const store = { read: async (reader: unknown) => answers.get(reader)?.() }
  const needs = { world, store, settings: () => settings } as unknown as OnDemandNeeds
  const mail = new OnDemandMail(needs)
  return { ask: () => internet.complete(mail.exchange(peer, 'ATRN', [])), looks: () => looks }
}

const rows: readonly (readonly [what: string, births: number, kind: string, looks: number])[] = [
  ['what waits already is looked for once', 0, 'exchange', 1],
  ['what was accepted this moment is waited for', 3, 'exchange', 4],
  ['what somebody carries for long is not', 1000, 'defer', 40],
]
for (const [what, births, kind, looks] of rows) {
  test(what, async () => {
    const house = houseWith(births)
    assert.equal((await house.ask()).kind, kind)
    assert.equal(house.looks(), looks)
  })
}
