/** Postrider and Dovecot with the same accounts and the same mail in each, for what reads. */
import { argon2Sync, randomBytes } from 'node:crypto'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { formatPhc } from '../../../src/account/argon2-string.ts'
import { defaultHashCost } from '../../../src/account/settings.ts'
import { MOST_SESSIONS } from '../contestants.ts'
import { send } from '../load.ts'
import { makeCertificate } from '../peer/certificate.ts'
import { hasDovecot, startDovecot } from '../peer/dovecot.ts'
import { dataFolder, startPostrider } from '../peer/postrider.ts'
import type { ReadPeer } from '../peer/read-peer.ts'
import { freePort, run } from '../program.ts'

const SCRIPT = fileURLToPath(new URL('../../../bin/postrider', import.meta.url))
const USERS = 20
const PASSWORD = 'a secret of the bench'

export interface Readers extends ReadPeer {
  readonly users: readonly { readonly username: string; readonly password: string }[]
}

/** Both keep passwords by Argon2id at the same cost. */
export async function startReaders(
  folder: string,
): Promise<{ readonly peers: readonly Readers[]; stop(): Promise<void> }> {
  chmodSync(folder, 0o755)
  const stops: (() => Promise<void>)[] = []
  const peers: Readers[] = []
  const names = Array.from({ length: USERS }, (_, i) => `reader${i}`)
  const stop = async () => {
    for (const one of stops) await one()
  }
  try {
    const data = dataFolder(folder, 'ours')
    const server = await startPostrider(data, await freePort(), [
      ...['listeners.imap.plaintextAuth=true', 'listeners.pop3.plaintextAuth=true'],
      `limits.perAddress=${MOST_SESSIONS * 10}`,
    ])
    stops.push(server.stop)
    const domain = server.local.slice(server.local.indexOf('@') + 1)
    const users = names.map(name => ({ username: `${name}@${domain}`, password: PASSWORD }))
    const secret = join(folder, 'password')
    writeFileSync(secret, PASSWORD)
    for (const { username } of users) {
      await run(SCRIPT, ['account', 'add', username, '--password-file', secret, '--data', data])
    }
    peers.push({ ...server.reader, users })
    if (await hasDovecot()) {
      const certificate = await makeCertificate(folder)
      const options = { certificate, users: names, password: hashed() }
      const dovecot = await startDovecot(folder, options)
      stops.push(dovecot.stop)
      const known = names.map(username => ({ username, password: PASSWORD }))
      peers.push({ ...dovecot, name: 'Dovecot', users: known })
    }
    return { peers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function hashed(): string {
  const { memoryKib, passes, lanes } = defaultHashCost
  const cost = { memory: memoryKib, passes, parallelism: lanes, tagLength: 32 }
  const salt = randomBytes(16)
  const tag = argon2Sync('argon2id', { message: PASSWORD, nonce: salt, ...cost })
  return `{ARGON2ID}${formatPhc({ memoryKib, passes, lanes, salt, tag })}`
}

/** So many messages of that size into each mailbox. */
export async function fill(peer: Readers, messages: number, sizeOctets: number): Promise<void> {
  for (const { username } of peer.users) {
    const load = { messages, sizeOctets, sessions: 10, kept: true, lmtp: true }
    await send(load, peer.ports.lmtp, username)
  }
}
