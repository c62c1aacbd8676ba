/** Who may be told to have submitted (RFC 4954 §5). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openTestRoom } from '../account/account-world.ts'
import type { Peer } from '../smtp/server/question.ts'
import type { Inbound } from './role.ts'
import { withSubmitter } from './submitter.ts'

const endpoint = { address: '192.0.2.1', port: 25 }
const stranger: Peer = { remote: endpoint, local: endpoint, hello: 'c', extended: true }
const ALICE = 'alice@here.example'

const room = (async () => {
  const opened = await openTestRoom()
  await opened.accounts.addDomain('here.example')
  await opened.accounts.addAccount(ALICE, 'secret')
  await opened.accounts.addAccount('bob@here.example', 'secret')
  await opened.accounts.addAlias('team@here.example', [ALICE, 'bob@here.example'])
  return opened
})()

for (const [claimed, who, more, told] of [
  [undefined, 'alice', {}, ALICE],
  [undefined, 'alice', { tellsSubmitter: false }, undefined],
  [undefined, 'alice', { origin: 'mx' }, undefined],
  [undefined, 'nobody', {}, undefined],
  [null, 'alice', {}, undefined],
  [null, 'nobody', {}, undefined],
  [ALICE, 'alice', {}, ALICE],
  ['Alice@HERE.example', 'alice', {}, 'Alice@HERE.example'],
  ['team@here.example', 'alice', {}, 'team@here.example'],
  ['bob@here.example', 'alice', {}, undefined],
  ['x@there.example', 'alice', {}, undefined],
  ['x@there.example', 'alice', { enforceSender: false }, 'x@there.example'],
  ['x@there.example', 'nobody', { enforceSender: false }, undefined],
  [ALICE, 'nobody', { origin: 'local' }, undefined],
] as const) {
  const identities = { as: [], behalf: [] }
  const what = claimed === undefined ? 'nothing' : (claimed ?? '<>')
  test(`${who} says ${what} ${JSON.stringify(more)}: ${told ?? '<>'} is told`, async () => {
    const { directory } = await room
    const found = await directory.resolve({ local: 'alice', domain: 'here.example' })
    assert.equal(found.kind, 'account')
    const account = found.kind === 'account' ? found.account : { id: 0, address: '' }
    const { origin = 'submission', ...settings } = { ...more } as {
      origin?: 'mx' | 'submission' | 'local'
    }
    const inbound = {
      directory,
      settings: () => ({ enforceSender: true, identities, tellsSubmitter: true, ...settings }),
    } as unknown as Inbound
    const sender = { reversePath: null, body: '7BIT' as const, utf8: false }
    const asked = claimed === undefined ? sender : { ...sender, submitter: claimed }
    const peer = who === 'alice' ? { ...stranger, account } : stranger
    const envelope = { sender: asked, recipients: [] }
    const kept = await withSubmitter(inbound, peer, envelope, origin)
    assert.equal(kept.sender.submitter, told)
  })
}
