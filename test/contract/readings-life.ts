/** What was found in bodies and is kept (src/mailbox/reading.ts), for rooms.test.ts: the same on every store. */
import assert from 'node:assert/strict'
import * as reading from '../../src/mailbox/reading.ts'
import { reader } from '../../src/store/store.ts'
import type { Witness } from './life.ts'

/** What was found in bodies: kept, found anew by another scanner, gone with the body, swept without it. */
export async function readingsLife(w: Witness, mailboxId: number): Promise<void> {
  const all = { mailboxId, uids: [1, 2, 3] }
  const told = await w.read(reading.readMessages, { ...all, scanner: 1 })
  assert.ok(told.every(({ envelope }) => envelope === null))
  const bodyId = told[0]?.bodyId ?? 0
  const kept = (envelope: string) => ({ bodyId, envelope, structure: '("text")', heading: '' })
  await w.write(reading.keepReadings, { scanner: 1, found: [kept('(one)')] })
  await w.read(reading.readMessages, { ...all, scanner: 1 })
  await w.read(reading.readMessages, { ...all, scanner: 2 })
  await w.write(reading.keepReadings, { scanner: 2, found: [kept('(two)')] })
  const again = await w.read(reading.readMessages, { ...all, scanner: 2 })
  assert.equal(again[0]?.envelope, '(two)')
  const lost = { bodyId: 123_456, envelope: '(lost)', structure: '', heading: '' }
  await headings(w, all, bodyId)
  await w.write(reading.keepReadings, { scanner: 2, found: [lost] })
  const needless = await w.read(reading.needlessReadings, Number.MIN_SAFE_INTEGER)
  assert.deepEqual(needless.ids, [123_456])
  await w.write(reading.forgetReadings, needless.ids)
  await w.read(reading.needlessReadings, Number.MIN_SAFE_INTEGER)
}

const headed = reader(
  'test.headed',
  (tx, input: Parameters<typeof reading.headedMessages>[1] & { likely?: reading.Likely }) =>
    reading.headedMessages(tx, input, input.likely),
)

/** A heading is kept beside an envelope, and a message is left out only where it surely has not what is likely. */
async function headings(
  w: Witness,
  some: { readonly mailboxId: number; readonly uids: readonly number[] },
  bodyId: number,
): Promise<void> {
  const all = { ...some, scanner: 2 }
  const count = async (text: string, field = 'subject') =>
    (await w.read(headed, { ...all, likely: { field, text } })).length
  const keep = (heading: string) =>
    w.write(reading.keepReadings, {
      scanner: 2,
      found: [{ bodyId, envelope: '', structure: '', heading }],
    })
  const messages = (await w.read(headed, all)).length
  assert.equal(await count('nowhere'), messages, 'nothing is known')
  await keep(' \nsubject:100% of A_b\\c [Ä\nfrom:joe\n'.replace('Ä', 'A'))
  const [told] = await w.read(reading.readMessages, all)
  assert.equal(told?.envelope, '(two)', 'what was not looked for stays')
  assert.equal(await count('nowhere'), 0)
  for (const text of ['100% of', 'a_b', 'b\\c', '[a', 'joe']) {
    assert.equal(await count(text), messages, text)
  }
  for (const text of ['100_ of', 'a%c', 'b/c']) assert.equal(await count(text), 0, text)
  assert.equal(await count('nowhere', 'he'), messages, 'its own head may have it')
  await w.read(headed, { ...all, uids: [2, 900], likely: { field: 'subject', text: 'joe' } })
  await keep('!\nsubject:Ä\n')
  assert.equal(await count('nowhere'), messages, 'letters may stand for others')
}
