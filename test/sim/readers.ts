/**
 * People who read: some fetch their mail by POP3 or IMAP and take it from the server, some move it to another
 * folder. A shelf is what a reader has on his own machine, and what he has ever asked to be taken away: so
 * the oracle knows mail that he has from mail that was lost.
 */
import type { World } from '../../src/world/world.ts'
import { LineClient } from './line-client.ts'

export type Habit = 'stays' | 'pop3' | 'imap' | 'moves'

/** A place of mail: a mailbox's UIDVALIDITY and a UID in it, as UIDL has it too. */
export type Place = string

export class Shelf {
  /** Octets as they were read, and never other ones under one place. */
  readonly read = new Map<Place, string>()
  /** Where the server was asked to take mail away. */
  readonly asked = new Set<Place>()
  readonly faults: string[] = []

  put(place: Place, octets: string): void {
    const before = this.read.get(place)
    if (before !== undefined && before !== octets) {
      this.faults.push(`${place} was another message before`)
    }
    this.read.set(place, octets)
  }
}

export interface Door {
  readonly address: string
  readonly servername: string
  readonly username: string
  readonly password: string
}

/** Reads once, as is the habit. Rejects where the server cannot be read, or says no. */
export function visit(world: World, door: Door, habit: Habit, shelf: Shelf): Promise<void> {
  if (habit === 'pop3') return visitByPop3(world, door, shelf)
  return visitByImap(world, door, habit, shelf)
}

async function visitByPop3(world: World, door: Door, shelf: Shelf): Promise<void> {
  const client = await LineClient.open(world, { ...door, port: 995 })
  const ask = async (line: string) => {
    client.send(line)
    const said = await client.line()
    if (!said.startsWith('+OK')) throw new Error(`${line}: ${said}`)
  }
  const lines = async () => {
    const found: string[] = []
    for (;;) {
      const line = await client.line()
      if (line === '.') return found
      found.push(line.startsWith('.') ? line.slice(1) : line)
    }
  }
  try {
    await client.line()
    await ask(`USER ${door.username}`)
    await ask(`PASS ${door.password}`)
    await ask('UIDL')
    const listed = (await lines()).map(line => line.split(' ') as [string, Place])
    for (const [number, place] of listed) {
      await ask(`RETR ${number}`)
      shelf.put(place, `${(await lines()).join('\r\n')}\r\n`)
    }
    for (const [number, place] of listed) {
      shelf.asked.add(place)
      await ask(`DELE ${number}`)
    }
    await ask('QUIT')
  } finally {
    client.close()
  }
}

async function visitByImap(world: World, door: Door, habit: Habit, shelf: Shelf): Promise<void> {
  const session = await ImapSession.open(world, door)
  try {
    const validity = await session.select('INBOX')
    const uids: string[] = []
    for (const [uid, octets] of await session.fetchAll()) {
      shelf.put(`${validity}.${uid}`, octets)
      uids.push(uid)
    }
    if (habit === 'stays' || uids.length === 0) return
    for (const uid of uids) shelf.asked.add(`${validity}.${uid}`)
    const set = uids.join(',')
    if (habit === 'moves') await session.ask(`UID MOVE ${set} Archive`)
    else {
      await session.ask(`UID STORE ${set} +FLAGS.SILENT (\\Deleted)`)
      await session.ask(`UID EXPUNGE ${set}`)
    }
    await session.ask('LOGOUT')
  } finally {
    session.close()
  }
}

/** Everything in a folder, by IMAP. */
export async function readFolder(
  world: World,
  door: Door,
  folder: string,
): Promise<Map<Place, string>> {
  const session = await ImapSession.open(world, door)
  try {
    const validity = await session.select(folder)
    const all = await session.fetchAll()
    return new Map(all.map(([uid, octets]) => [`${validity}.${uid}`, octets]))
  } finally {
    session.close()
  }
}

class ImapSession {
  readonly #client: LineClient
  #tags = 0

  private constructor(client: LineClient) {
    this.#client = client
  }

  static async open(world: World, door: Door): Promise<ImapSession> {
    const client = await LineClient.open(world, { ...door, port: 993 })
    const session = new ImapSession(client)
    await client.line()
    await session.ask(`LOGIN "${door.username}" "${door.password}"`)
    return session
  }

  /** Untagged answers of a command, literals in place. Rejects where it was not OK. */
  async ask(command: string): Promise<string[]> {
    const tag = `a${++this.#tags}`
    this.#client.send(`${tag} ${command}`)
    const untagged: string[] = []
    for (;;) {
      let line = await this.#client.line()
      for (let size = literal(line); size !== undefined; size = literal(line)) {
        line = `${line}\r\n${await this.#client.octets(size)}`
        line += await this.#client.line()
      }
      if (line.startsWith(`${tag} OK`)) return untagged
      if (line.startsWith(`${tag} `)) throw new Error(`${command}: ${line}`)
      untagged.push(line)
    }
  }

  /** The UIDVALIDITY. */
  async select(folder: string): Promise<string> {
    const said = await this.ask(`SELECT ${folder}`)
    return /\[UIDVALIDITY (\d+)\]/.exec(said.join('\n'))?.[1] ?? ''
  }

  async fetchAll(): Promise<[uid: string, octets: string][]> {
    const said = await this.ask('UID FETCH 1:* (UID BODY.PEEK[])')
    return said.flatMap(answer => {
      const [, uid, size] = /^\* \d+ FETCH \(UID (\d+) BODY\[\] \{(\d+)\}\r\n/.exec(answer) ?? []
      if (uid === undefined) return []
      const from = answer.indexOf('\r\n') + 2
      return [[uid, answer.slice(from, from + Number(size))] as [string, string]]
    })
  }

  close(): void {
    this.#client.close()
  }
}

/** The size of the literal that a line ends with. Only the end of what came last counts. */
function literal(line: string): number | undefined {
  const size = /\{(\d+)\}$/.exec(line.slice(-24))?.[1]
  return size === undefined ? undefined : Number(size)
}
