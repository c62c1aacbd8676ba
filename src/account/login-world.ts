/** Who logs in in the tests of this room: two accounts with one password, one that is disabled, and how they say it. */
import assert from 'node:assert/strict'
import type { LoginAnswer, LoginQuestion } from '../sasl/mechanism.ts'
import { clientMechanism, serverMechanism } from '../sasl/registry.ts'
import { dialogue } from '../sasl/scripted.ts'
import { openTestRoom } from './account-world.ts'
import type { Login } from './login.ts'
import type { Scope } from './verifier.ts'

export const denied: LoginAnswer = { kind: 'denied', why: 'wrong user name or password' }
export const alice: LoginAnswer = {
  kind: 'account',
  account: { id: 1, address: 'alice@example.org' },
}

export async function town(changes = {}) {
  const room = await openTestRoom(changes)
  await room.accounts.addDomain('example.org')
  await room.accounts.addAccount('alice@example.org', 'pass\u00a0wörd')
  await room.accounts.addAccount('bob@example.org', 'pass\u00a0wörd')
  await room.accounts.addAccount('gone@example.org', 'secret')
  await room.accounts.disable('gone@example.org')
  return room
}

export function password(username: string, password: string, authorize = ''): LoginQuestion {
  return { kind: 'password', mechanism: 'PLAIN', username, authorize, password }
}

/** A whole exchange between the client and the server of a mechanism. */
export async function exchange(
  login: Login,
  name: string,
  username: string,
  secret: string,
  authorize?: string,
  scope?: Scope,
) {
  const [client, server] = [clientMechanism(name), serverMechanism(name)]
  assert.ok(server !== undefined && client !== undefined)
  const credentials = { username, password: secret, ...(authorize ? { authorize } : {}) }
  return dialogue(client, server, credentials, question => login.answer(question, scope))
}

/** Those that compute with what is kept, and must be switched on. */
export const everything = [
  'SCRAM-SHA-1',
  'SCRAM-SHA-256',
  'SCRAM-SHA-512',
  'CRAM-MD5',
  'NTLM',
  'APOP',
]
