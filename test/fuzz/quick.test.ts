/**
 * The fuzzer's quick form: every target over its seeds, what former campaigns kept, and some inputs made of
 * them, always the same. The long form is `npm run fuzz`.
 */
import { test } from 'node:test'
import { campaign } from './lab/campaign.ts'
import { readKept } from './lab/kept.ts'
import { targets } from './target/table.ts'

/** Inputs of each target, beside its seeds. */
const INPUTS = 200
const MOST_MS = 250

for (const target of targets) {
  test(`${target.name}: nothing breaks it`, async () => {
    const since = performance.now()
    const { fault } = await campaign(target, {
      seed: 0,
      done: inputs => inputs >= INPUTS || performance.now() - since > MOST_MS,
      kept: readKept(target.name, false),
      coverage: false,
    })
    if (fault === undefined) return
    const input = JSON.stringify(fault.input.toString('latin1'))
    throw new Error(`${target.name} over ${input}`, { cause: fault.error })
  })
}
