/**
 * The fuzzer's command: `npm run fuzz [-- --target NAME --minutes M --resume --seed N]`. Every target in turn,
 * a minute each unless said otherwise; `--resume` goes on from what .fuzz/ has kept, so that shares add up.
 * `--blind` does not look at what was reached, and so tries more. `--input FILE` gives one input to a target. `--commit` writes the shortest inputs kept to test/fuzz/corpus.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { campaign, type Fault, tried } from './lab/campaign.ts'
import { commit, keep, nothing, readKept, readProgress } from './lab/kept.ts'
import type { Target } from './lab/target.ts'
import { targets } from './target/table.ts'

const { values } = parseArgs({
  options: {
    target: { type: 'string', multiple: true },
    minutes: { type: 'string', default: '1' },
    seed: { type: 'string' },
    input: { type: 'string' },
    resume: { type: 'boolean', default: false },
    /** Looks at nothing that is reached, and keeps nothing: many times as many inputs. */
    blind: { type: 'boolean', default: false },
    commit: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})

const { target: names } = values
const chosen = targets.filter(({ name }) => names === undefined || names.includes(name))
if (values.list || chosen.length === 0) {
  console.log(targets.map(({ name }) => name).join('\n'))
  process.exit(chosen.length === 0 ? 64 : 0)
}

// A promise that nobody waits for is a fault of whatever ran last.
let current = ''
process.on('unhandledRejection', error => {
  console.log(`not ok ${current}: an unhandled rejection:`, error)
  process.exit(1)
})

function tell({ target, input, error }: Fault): void {
  const folder = join(import.meta.dirname, '../../.fuzz')
  mkdirSync(folder, { recursive: true })
  const file = join(folder, `${target}.fault`)
  writeFileSync(file, input)
  console.log(`not ok ${target}: ${JSON.stringify(input.toString('latin1'))}`)
  console.log(error)
  console.log(`# again: npm run fuzz -- --target ${target} --input ${file}`)
}

async function one(target: Target): Promise<boolean> {
  current = target.name
  const before = values.resume ? readProgress(target.name) : nothing
  const seed = values.seed === undefined ? before.seed : Number(values.seed)
  const since = performance.now()
  const seconds = () => (performance.now() - since) / 1000
  const { inputs, kept, blocks, fault } = await campaign(target, {
    seed,
    done: () => seconds() >= Number(values.minutes) * 60,
    kept: readKept(target.name, values.resume),
    coverage: !values.blind,
  })
  const all = {
    inputs: before.inputs + inputs,
    seconds: Math.round(before.seconds + seconds()),
    seed: seed + 1,
  }
  if (!values.blind) keep(target.name, kept, all)
  if (values.commit) commit(target.name, kept)
  const shown = `${inputs} inputs in ${seconds().toFixed(0)} s, seed ${seed}; ${kept.length} kept, ${blocks} blocks`
  const sum = values.resume
    ? `; ${all.inputs} inputs in ${(all.seconds / 60).toFixed(0)} minutes in all`
    : ''
  console.log(`${fault ? 'not ok' : 'ok'} ${target.name}: ${shown}${sum}`)
  if (fault) tell(fault)
  return fault === undefined
}

let good = true
for (const target of chosen) {
  if (values.input === undefined) good = (await one(target)) && good
  else {
    const error = await tried(target, readFileSync(values.input))
    console.log(error ?? 'ok')
    good = error === undefined
  }
}
process.exit(good ? 0 : 1)
