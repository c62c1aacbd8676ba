/** An IMAP client that speaks with sessions of ours over a store in memory: for the tests of access/. */
import assert from 'node:assert/strict'
import { type ImapAccess, imapRole } from '../../src/access/imap.ts'
import { MailWatch } from '../../src/access/watch.ts'
import { noLimit } from '../../src/account/quota.ts'
import { addAccount, addDomain } from '../../src/account/writer.ts'
import { settings } from '../../src/imap/scripted.ts'
import type { Answer, Question } from '../../src/imap/server/question.ts'
import { ServerSession } from '../../src/imap/server/session.ts'
import { furnish } from '../../src/mailbox/folder.ts'
import { openMemoryStore } from '../../src/store/memory.ts'
import { isLent, type Source } from '../../src/wire/effect.ts'
import { silent } from '../../src/world/log.ts'
import { createWorld } from '../../src/world/sim/index.ts'

export const endpoint = { address: '192.0.2.1', port: 40_000 }

const ACCOUNTS = ['joe@example.org', 'ann@example.org', 'bob@example.org']

export async function access(): Promise<ImapAccess> {
  const { world } = createWorld({ seed: 1 }).host({ name: 'mail', addresses: ['192.0.2.1'] })
  const store = await openMemoryStore()
  await store.write(addDomain, { name: 'example.org', catchAll: null })
  for (const [at, address] of ACCOUNTS.entries()) {
    await store.write(addAccount, { address, domain: 'example.org', verifiers: [] })
    // INBOX and no other: so a listing is short.
    await store.write(furnish, { accountId: at + 1, folders: [] })
  }
  let made = 0
  return {
    world,
    store,
    watch: new MailWatch(store),
    login: question => {
      const named = question.kind === 'password' ? `${question.username}@example.org` : ''
      const id = ACCOUNTS.indexOf(named) + 1
      return { kind: 'account', account: { id, address: named } }
    },
    identify: () => ({ id: `m${++made}`, bodyKey: made }),
    inlineUpToOctets: () => undefined,
    quota: () => noLimit,
    keeps: () => true,
    room: { for: () => true },
    log: silent,
  }
}

/** A client that says one command after the other, and hears all that comes of each. */
export class Client {
  readonly #session: ServerSession
  #heard: Source[] = []
  #asked: Promise<unknown> = Promise.resolve()

  constructor(shared: ImapAccess) {
    const role = imapRole(shared, { remote: endpoint, local: endpoint }, () =>
      this.#session.tell({ kind: 'changed' }),
    )
    const asks = async (question: Question, answer: Promise<Answer>) => {
      let given: Answer
      try {
        given = await answer
      } catch (error) {
        assert.fail(`${question.kind}: ${String(error)}`)
      }
      this.#session.answer(given)
    }
    this.#session = new ServerSession(
      {
        send: output => this.#heard.push(Buffer.from(output)),
        stream: source => {
          assert.ok(!isLent(source))
          this.#heard.push(source)
        },
        ask: question => {
          const answer = role.ask(question)
          if (!(answer instanceof Promise)) return answer
          this.#asked = asks(question, answer)
          return undefined
        },
        content: (octets, from, to) => {
          void role.content?.(octets, from, to)
        },
        secure: () => {},
        compress: () => {},
        handOver: () => {},
        close: () => {},
      },
      { ...settings, appendMaxOctets: 1_048_576 },
      { remote: endpoint, local: endpoint },
    )
    this.#session.start()
  }

  async say(command: string): Promise<string> {
    this.#heard = []
    this.#session.receive(Buffer.from(`x ${command}\r\n`))
    let text = ''
    for (let tries = 0; tries < 1000 && !/^x (?:OK|NO|BAD) /m.test(text); tries++) {
      await this.#asked
      for (const source of this.#heard.splice(0)) {
        if (source instanceof Uint8Array) text += Buffer.from(source).toString('latin1')
        else for await (const piece of source) text += Buffer.from(piece).toString('latin1')
      }
      this.#session.drained()
    }
    return text.replaceAll('\r\n', '\n')
  }

  /** What was told since the last command, without being asked for. */
  async unasked(): Promise<string> {
    for (let tries = 0; tries < 20; tries++) {
      await this.#asked
      await new Promise(setImmediate)
    }
    return this.#heard.map(source => Buffer.from(source as Uint8Array).toString()).join('')
  }

  /** Its lines without those of the tagged answer's text. */
  async told(command: string): Promise<string[]> {
    const text = await this.say(command)
    return text.trimEnd().split('\n').slice(0, -1)
  }
}

export async function opened(): Promise<{ readonly shared: ImapAccess; readonly client: Client }> {
  const shared = await access()
  const client = new Client(shared)
  await client.say('LOGIN joe secret')
  return { shared, client }
}

export const letter = (text: string) => text.replaceAll('\n', '\r\n')

export async function append(client: Client, text: string, flags = '()', mailbox = 'INBOX') {
  const octets = letter(text)
  return client.say(`APPEND ${mailbox} ${flags} {${octets.length}+}\r\n${octets}`)
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100 && !(await holds()); tries++) await new Promise(setImmediate)
}
