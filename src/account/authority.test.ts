/** Names and passwords that others keep, tokens, and addresses that become accounts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseStoredAddress } from '../mail/address.ts'
import type { LoginQuestion } from '../sasl/mechanism.ts'
import { openTestRoom } from './account-world.ts'
import type { Authorities, AuthorityAnswer } from './authority.ts'
import { Hasher } from './credentials.ts'

const password = (username: string, secret: string): LoginQuestion => ({
  ...{ kind: 'password', mechanism: 'PLAIN', username, authorize: '', password: secret },
})

/** Others know dan and eve; dan's password is `other`. */
async function town() {
  const asked: string[] = []
  const people: Readonly<Record<string, string>> = {
    'dan@example.org': 'dan@example.org',
    'd@example.org': 'dan@example.org',
    'eve@example.org': 'eve@elsewhere.test',
  }
  const others: Authorities = {
    passwords: [
      {
        name: 'test',
        check({ username, password: secret }): Promise<AuthorityAnswer> {
          asked.push(username)
          const address = people[username]
          if (username === 'down@example.org')
            return Promise.resolve({ kind: 'unavailable', why: 'down' })
          if (address === undefined) return Promise.resolve({ kind: 'unknown' })
          return Promise.resolve(
            secret === 'other' ? { kind: 'account', address } : { kind: 'wrong' },
          )
        },
      },
    ],
    kerberos: {
      services: ['smtp'],
      step: () => Promise.resolve({ kind: 'denied', why: 'no' }),
      accountOf: name => (name === 'nobody' ? undefined : `${name}@example.org`),
    },
    addresses: { accountOf: address => Promise.resolve(people[address]) },
    tokens: {
      check: token =>
        Promise.resolve(
          token === ''
            ? { kind: 'refused', error: { status: 'invalid_token' } }
            : { kind: 'owner', names: [token] },
        ),
    },
  }
  const room = await openTestRoom({}, { authorities: () => others })
  await room.accounts.addDomain('example.org')
  await room.accounts.addAccount('alice@example.org', 'secret')
  const answer = async (question: LoginQuestion) => {
    const given = await room.login.answer(question)
    return given.kind === 'account' ? given.account.address : given.kind
  }
  return { ...room, asked, answer }
}

test('others are asked for names without a password here, and their people become accounts', async () => {
  const { answer, asked, accounts } = await town()
  assert.equal(await answer(password('alice@example.org', 'secret')), 'alice@example.org')
  assert.equal(await answer(password('alice@example.org', 'other')), 'denied')
  assert.deepEqual(asked, [])
  assert.equal(await answer(password('dan@example.org', 'wrong')), 'denied')
  assert.equal((await accounts.accounts()).length, 1)
  assert.equal(await answer(password('DAN@example.org', 'other')), 'dan@example.org')
  assert.equal(await answer(password('d@example.org', 'other')), 'dan@example.org')
  assert.equal((await accounts.accounts()).length, 2)
  // Remembered: not asked again; another password is.
  const before = asked.length
  assert.equal(await answer(password('dan@example.org', 'other')), 'dan@example.org')
  assert.equal(asked.length, before)
  assert.equal(await answer(password('dan@example.org', 'wrong')), 'denied')
  assert.equal(await answer(password('nobody@example.org', 'other')), 'denied')
  assert.equal(await answer(password('down@example.org', 'other')), 'unavailable')
  // An address in a domain that is not ours is no account here.
  assert.equal(await answer(password('eve@example.org', 'other')), 'denied')
  await accounts.disable('dan@example.org')
  assert.equal(await answer(password('dan@example.org', 'other')), 'denied')
  assert.equal(await answer(password('d@example.org', 'other')), 'denied')
})

test('a token is of whom it says, and of nobody else', async () => {
  const { answer } = await town()
  const token = (owner: string, authorize = '') =>
    answer({
      ...{ kind: 'token', mechanism: 'OAUTHBEARER', username: authorize, authorize, token: owner },
    })
  assert.equal(await token('alice@example.org'), 'alice@example.org')
  assert.equal(await token('ALICE@example.org', 'alice@example.org'), 'alice@example.org')
  assert.equal(await token('alice@example.org', 'dan@example.org'), 'denied')
  assert.equal(await token('new@example.org'), 'new@example.org')
  assert.equal(await token('eve@elsewhere.test'), 'denied')
  assert.equal(await token(''), 'denied')
})

test('a ticket is of the account of its principal, under its name with the domain and without', async () => {
  const { answer } = await town()
  const ticket = (principal: string, authorize = '') =>
    answer({ kind: 'principal', mechanism: 'GSSAPI', username: '', principal, authorize })
  assert.equal(await ticket('alice'), 'alice@example.org')
  for (const name of ['alice', 'ALICE@example.org'])
    assert.equal(await ticket('alice', name), 'alice@example.org')
  assert.equal(await ticket('new'), 'new@example.org')
  for (const name of ['new', 'alice@elsewhere.test', '@', 'alice@'])
    assert.equal(await ticket('alice', name), 'denied', name)
  assert.equal(await ticket('nobody'), 'denied')
})

test('mail for whom a directory knows arrives before his first login', async () => {
  const { directory, accounts } = await town()
  const resolve = async (address: string) => {
    const found = await directory.resolve(parseStoredAddress(address))
    return found.kind === 'account' ? found.account.address : found.kind
  }
  assert.equal(await resolve('nobody@example.org'), 'unknown')
  assert.equal(await resolve('eve@example.org'), 'unknown')
  assert.equal(await resolve('d@example.org'), 'alias')
  assert.equal(await resolve('dan+list@example.org'), 'dan@example.org')
  assert.equal((await accounts.accounts()).length, 2)
})

test('who is refused has cost one hash, whoever has refused him: time tells no name', async t => {
  const { answer, accounts } = await town()
  await accounts.addAccount('old@example.org', { hash: '{PLAIN}secret' })
  const hashed = t.mock.method(Hasher.prototype, 'verify')
  for (const name of ['alice', 'dan', 'nobody', 'old']) {
    assert.equal(await answer(password(`${name}@example.org`, 'wrong')), 'denied')
    assert.equal(hashed.mock.callCount(), 1, name)
    hashed.mock.resetCalls()
  }
})
