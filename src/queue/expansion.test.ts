/** Whom a message goes to, and what its sender hears, where aliases and repetitions meet (RFC 3461 §5.2.7). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Directory, Resolution } from '../account/directory.ts'
import { type Address, formatAddress } from '../mail/address.ts'
import type { Notify, Recipient } from '../mail/envelope.ts'
import { expandRecipients } from './expansion.ts'

const at = (local: string): Address => ({ local, domain: 'example.org' })

/** `team` is ann and bob, `one` is bob; ann and bob have mailboxes. */
const TARGETS: Readonly<Record<string, readonly Address[]>> = {
  team: [at('ann'), at('bob')],
  one: [at('bob')],
}

function resolve({ local }: Address): Resolution {
  const targets = TARGETS[local]
  if (targets !== undefined) return { kind: 'alias', via: 'alias', targets }
  return { kind: 'account', account: { id: local.length, address: formatAddress(at(local)) } }
}

const directory = {
  cached: resolve,
  resolve: async (who: Address) => resolve(who),
  expanded: { get: () => undefined, set: () => {} },
  now: () => 0,
} as unknown as Directory

const to = (local: string, notify?: Notify): Recipient => ({
  forwardPath: at(local),
  ...(notify && { notify }),
  originalRecipient: { type: 'rfc822', address: `${local}@its.example` },
})

async function rowsOf(...recipients: Recipient[]): Promise<string[]> {
  const rows = await expandRecipients(directory, recipients)
  return rows.map(
    ({ address, notify, originalRecipient, expanded }) =>
      `${expanded ? 'expanded ' : ''}${address.split('@')[0]} ${notify} ${originalRecipient?.slice(7).split('@')[0]}`,
  )
}

test('who is named himself and behind an alias is told of as he was named', async () => {
  const rows = ['expanded team null team', 'ann null team', 'bob SUCCESS,FAILURE,DELAY bob']
  assert.deepEqual(await rowsOf(to('team'), to('bob', ['SUCCESS'])), [
    ...rows.slice(0, 2),
    'bob FAILURE,DELAY,SUCCESS bob',
  ])
  assert.deepEqual(await rowsOf(to('bob', ['SUCCESS']), to('team')), [
    'bob SUCCESS,FAILURE,DELAY bob',
    ...rows.slice(0, 2),
  ])
})

test('who is named twice is told of in every case that either asked for', async () => {
  assert.deepEqual(await rowsOf(to('bob', 'NEVER'), to('bob', ['SUCCESS'])), ['bob SUCCESS bob'])
  assert.deepEqual(await rowsOf(to('bob', 'NEVER'), to('bob')), ['bob null bob'])
  assert.deepEqual(await rowsOf(to('bob', ['DELAY']), to('one', ['FAILURE'])), [
    'bob DELAY,FAILURE bob',
  ])
})

test('an alias of several answers for success itself', async () => {
  const wish: Notify = ['SUCCESS', 'FAILURE']
  assert.deepEqual(await rowsOf(to('team', wish)), [
    'expanded team SUCCESS,FAILURE team',
    'ann FAILURE team',
    'bob FAILURE team',
  ])
})
