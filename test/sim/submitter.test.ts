/** AUTH= of MAIL in the town (RFC 4954 §5): a smart host that we log in at hears who submitted, no other hop does. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { passwordOf } from './residents.ts'
import { createTown } from './town.ts'

const RELAY = 'relay@b.test'

test('who submitted is told to the smart host that we log in at, and to no other', async () => {
  const login = { username: RELAY, password: passwordOf(RELAY) }
  const smarthost = { host: 'mx.b.test', port: 25, tls: 'never' as const, ...login }
  for (const [port, submitter, told] of [
    [587, undefined, 'AUTH=alice@a.test'],
    [587, null, 'AUTH=<>'],
    [587, 'ann@a.test', 'AUTH=<>'],
    [25, undefined, undefined],
  ] as const) {
    const hop =
      port === 587 ? { ...smarthost, port } : { host: 'mx.b.test', port, tls: 'never' as const }
    const town = await createTown({
      seed: 'submitter',
      servers: [
        {
          domain: 'a.test',
          accounts: ['alice', 'ann'],
          config: { outbound: { smarthost: hop } },
        },
        {
          domain: 'b.test',
          accounts: ['bob', 'relay'],
          config: { submission: { enforceSender: false } },
        },
      ],
    })
    const said: string[] = []
    town.internet.network.faults.fate = ({ from, to, octets }) => {
      if (from === 'mx.a.test' && to === 'mx.b.test') said.push(Buffer.from(octets).toString())
      return 'deliver'
    }
    const asks = () => (submitter === undefined ? {} : { submitter })
    await town.send({ from: 'alice@a.test', to: ['bob@b.test'], asks })
    await town.advance('1 minute')
    const mail = /MAIL FROM:[^\r]*/.exec(said.join(''))?.[0] ?? ''
    assert.equal(/AUTH=\S+/.exec(mail)?.[0], told, `${port} ${submitter}: ${mail}`)
    assert.equal((await town.internet.complete(town.user('bob@b.test').read())).length, 1)
  }
})
