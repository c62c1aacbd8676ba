/** An oracle that finds nothing proves nothing: here each of its rules is broken behind its back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Writer, writer } from '../../src/store/store.ts'
import { judge } from './oracle.ts'
import { createTown } from './town.ts'

const sql = (name: string, text: string): Writer<null, null> =>
  writer(`tamper.${name}`, async tx => {
    await tx.run(text)
    return null
  })

const COPY = `INSERT INTO mailbox_message (mailbox_id, uid, mod_seq, message_id, body_id, head, size_octets, flags, internal_date)
  SELECT mailbox_id, uid + 7, mod_seq, message_id, body_id, head, size_octets, flags, internal_date FROM mailbox_message`

const cases: readonly (readonly [what: string, tamper: Writer<null, null>, rules: RegExp])[] = [
  [
    'a message that was taken is lost',
    sql('lose', 'DELETE FROM mailbox_message'),
    /^a body is referenced|who was taken arrives or is reported/,
  ],
  ['a message is there twice', sql('copy', COPY), /a second copy needs a doubt/],
  [
    'a number is given again',
    sql('uid', 'UPDATE mailbox SET uid_next = 1'),
    /between two commits: .*UIDs went back/,
  ],
  [
    'what was settled waits again',
    sql('unsettle', `UPDATE recipient SET state = 'held', settled_at = NULL`),
    /between two commits: .*is final/,
  ],
  [
    'a queue is not empty',
    sql('wait', `UPDATE recipient SET state = 'held', settled_at = NULL`),
    /queues are empty/,
  ],
  [
    'octets change',
    sql(
      'octets',
      `UPDATE body SET octets = CAST(replace(CAST(octets AS TEXT), 'well', 'sick') AS BLOB)`,
    ),
    /what arrives is what was sent/,
  ],
]

for (const [what, tamper, rule] of cases) {
  test(`the oracle sees that ${what}`, async () => {
    const town = await createTown({
      seed: 'oracle',
      servers: [
        { domain: 'a.test', accounts: ['alice'] },
        { domain: 'b.test', accounts: ['bob'] },
      ],
    })
    await town.send({ from: 'alice@a.test', to: ['bob@b.test'] })
    await town.advance('1 hour')
    assert.deepEqual(await judge(town), [])
    await town.internet.complete(town.server('b.test').store.write(tamper, null))
    const said = (await judge(town)).map(broken => `${broken.rule}: ${broken.what}`)
    assert.match(said.join('\n'), rule)
  })
}
