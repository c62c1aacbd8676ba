/** A helper process that answers, fails, crashes and hangs: who asked is told, and the next is asked anew. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { Neighbour } from './neighbour.ts'

const MODULE = `
import { serve } from ${JSON.stringify(new URL('./neighbour.ts', import.meta.url).href)}
serve(async question => {
  if (question.do === 'die') process.kill(process.pid, 'SIGSEGV')
  if (question.do === 'fail') throw new Error('it failed')
  if (question.do === 'hang') return new Promise(() => {})
  return { pid: process.pid, octets: question.octets, secret: process.env.POSTRIDER_SECRET }
})
`

test('octets cross as they are; failures, crashes and silence are told, and the next one is asked anew', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'postrider-neighbour-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'module.mts')
  writeFileSync(file, MODULE)
  process.env['POSTRIDER_SECRET'] = 'of ours'
  const neighbour = new Neighbour(pathToFileURL(file))
  t.after(() => neighbour.end())
  type Answer = { pid: number; octets: Uint8Array; secret: string | undefined }
  const ask = (question: object, ms = 20_000) => neighbour.ask(question, ms) as Promise<Answer>
  const octets = Uint8Array.of(0, 255, 10)
  const first = await ask({ octets })
  assert.deepEqual([Buffer.from(first.octets), first.secret], [Buffer.from(octets), undefined])
  await assert.rejects(ask({ do: 'fail' }), /it failed/)
  await assert.rejects(ask({ do: 'hang' }, 20), /no answer within 20 ms/)
  assert.equal((await ask({ octets })).pid, first.pid)
  const [died, beside] = await Promise.allSettled([ask({ do: 'die' }), ask({ do: 'hang' })])
  assert.deepEqual([died.status, beside.status], ['rejected', 'rejected'])
  assert.notEqual((await ask({ octets })).pid, first.pid)
})
