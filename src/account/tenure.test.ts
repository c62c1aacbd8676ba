/** Whether an address still leads to whom it led (RFC 7293 §5.1, §9). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Directory, Resolution } from './directory.ts'
import { isRoleAccount, type Tenure, tenureOf } from './tenure.ts'

const account: Resolution = { kind: 'account', account: { id: 1, address: 'joe@example.org' } }
const targets = [{ local: 'joe', domain: 'example.org' }]

/** An address that was made at 1000, asked about with a time. */
function asked(found: Resolution, atMs: number, local = 'joe') {
  const directory = {
    resolve: async () => found,
    since: async () => 1_000,
  } as unknown as Directory
  const forwardPath = { local, domain: 'example.org' }
  return tenureOf(directory, { forwardPath, validSince: { atMs, action: 'R' } })
}

test('an account and an alias are known from when they were made', async () => {
  for (const found of [
    account,
    { kind: 'disabled', account: account.account },
    { kind: 'alias', via: 'alias', targets },
  ] satisfies Resolution[]) {
    assert.equal(await asked(found, 999), 'changed')
    assert.equal(await asked(found, 1_000), 'held')
    assert.equal(await asked(found, 2_000), 'held')
  }
})

test('where nothing is on record it is unknown, and of others it is not ours to say', async () => {
  const cases: [Resolution, Tenure][] = [
    [{ kind: 'alias', via: 'catch-all', targets }, 'unknown'],
    [{ kind: 'alias', via: 'role', targets }, 'held'],
    [{ kind: 'foreign' }, 'held'],
    // It fails as nobody, not as somebody else.
    [{ kind: 'unknown' }, 'held'],
  ]
  for (const [found, tenure] of cases) assert.equal(await asked(found, 0), tenure)
})

test('§5.1 (1): a role account is never asked about', async () => {
  assert.equal(await asked(account, 0, 'Webmaster'), 'held')
  assert.equal(isRoleAccount({ local: 'security', domain: 'x' }), true)
  assert.equal(isRoleAccount({ local: 'joe', domain: 'x' }), false)
})

test('who does not ask is not answered', async () => {
  const directory = {} as Directory
  assert.equal(await tenureOf(directory, { forwardPath: { local: 'a', domain: 'b' } }), 'held')
})
