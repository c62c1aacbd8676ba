/**
 * Reading beside Dovecot: the same messages by LMTP into one mailbox of each, then the same commands by the
 * same client, in turn. A command counts from its first octet until its last line.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LineClient } from '../line-client.ts'
import { hasDovecot, startDovecot } from '../peer/dovecot.ts'
import { dataFolder, startPostrider } from '../peer/postrider.ts'
import type { ReadPeer } from '../peer/read-peer.ts'
import { freePort } from '../program.ts'

export interface ReadWork {
  readonly name: string
  /** The least ratio: their time by ours. */
  readonly goal: number
  /** Runs it; gives the octets that were read. */
  run(session: ReadSession): Promise<number>
  /** IMAP's by default. */
  readonly by?: 'pop3'
  /** Runs before each time, and does not count. */
  before?(session: ReadSession): Promise<unknown>
}

export interface ReadTimes {
  readonly work: ReadWork
  readonly oursMs: readonly number[]
  readonly theirsMs: readonly number[]
}

export interface ReadRuns {
  /** Of the peer. */
  readonly name: string
  /** Messages a second by LMTP. */
  readonly delivered: readonly [number, number]
  readonly times: readonly ReadTimes[]
}

const command = (text: string) => (session: ReadSession) => session.imap(text)

export const READ_WORKS: readonly ReadWork[] = [
  { name: 'SELECT', goal: 1, run: command('SELECT INBOX'), before: command('UNSELECT') },
  { name: 'FETCH 1:* (UID FLAGS)', goal: 1, run: command('FETCH 1:* (UID FLAGS)') },
  {
    name: 'FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)',
    goal: 1,
    run: command('FETCH 1:* (FLAGS ENVELOPE BODYSTRUCTURE)'),
  },
  { name: 'FETCH 1:* BODY.PEEK[]', goal: 1, run: command('FETCH 1:* BODY.PEEK[]') },
  { name: 'SEARCH SUBJECT', goal: 1, run: command('SEARCH SUBJECT "number 77"') },
  { name: 'SEARCH TEXT', goal: 2, run: command('SEARCH TEXT "needle 77"') },
  {
    name: 'STORE 1:* +FLAGS',
    goal: 1,
    run: command('STORE 1:* +FLAGS (\\Flagged)'),
    before: command('STORE 1:* -FLAGS.SILENT (\\Flagged)'),
  },
  { name: 'POP3 RETR of all', goal: 1, by: 'pop3', run: session => session.retrieve() },
]

/** `messages` of some 4 KB; undefined where there is no Dovecot. */
export async function readCell(
  root: string,
  messages: number,
  pairs: number,
): Promise<ReadRuns | undefined> {
  if (!(await hasDovecot())) return undefined
  const folder = mkdtempSync(join(root, 'read-'))
  // Dovecot's processes give root away and must still reach their folder below.
  chmodSync(folder, 0o755)
  const stops: (() => Promise<void>)[] = []
  try {
    const server = await startPostrider(dataFolder(folder, 'ours'), await freePort(), [
      'listeners.imap.plaintextAuth=true',
      'listeners.pop3.plaintextAuth=true',
    ])
    stops.push(server.stop)
    const dovecot = await startDovecot(folder)
    stops.push(dovecot.stop)
    const peers = [server.reader, dovecot] as const
    const delivered: number[] = []
    for (const peer of peers) delivered.push(await deliver(peer, messages))
    const times: ReadTimes[] = []
    for (const work of READ_WORKS) times.push(await inTurn(work, peers, pairs, messages))
    return {
      name: dovecot.name,
      delivered: delivered as [number, number],
      times,
    }
  } finally {
    for (const stop of stops) await stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function inTurn(
  work: ReadWork,
  peers: readonly [ReadPeer, ReadPeer],
  pairs: number,
  messages: number,
): Promise<ReadTimes> {
  const times: [number[], number[]] = [[], []]
  // The first round warms up: both servers keep what they had to find out.
  for (let pair = 0; pair <= pairs; pair++) {
    for (const [which, peer] of peers.entries()) {
      const session = await ReadSession.open(peer, work.by ?? 'imap', messages)
      await work.before?.(session)
      const from = performance.now()
      await work.run(session)
      if (pair > 0) times[which]?.push(performance.now() - from)
      await session.close()
    }
  }
  return { work, oursMs: times[0], theirsMs: times[1] }
}

/** One login, its mailbox open. */
class ReadSession {
  readonly #client: LineClient
  readonly #messages: number

  private constructor(client: LineClient, messages: number) {
    this.#client = client
    this.#messages = messages
  }

  static async open(peer: ReadPeer, by: 'imap' | 'pop3', messages: number): Promise<ReadSession> {
    const { username, password, ports } = peer
    if (by === 'pop3') {
      const client = await LineClient.open(ports.pop3, /^\+OK/)
      await client.say(`USER ${username}\r\n`, /^\+OK/)
      await client.say(`PASS ${password}\r\n`, /^\+OK/)
      return new ReadSession(client, messages)
    }
    const client = await LineClient.open(ports.imap, /^\* OK/)
    const session = new ReadSession(client, messages)
    await session.imap(`LOGIN "${username}" "${password}"`)
    await session.imap('SELECT INBOX')
    return session
  }

  async imap(text: string): Promise<number> {
    const line = await this.#client.say(`a1 ${text}\r\n`, /^a1 /)
    if (!line.startsWith('a1 OK')) throw new Error(`${text}: ${line}`)
    return this.#client.octets
  }

  async retrieve(): Promise<number> {
    let octets = 0
    for (let n = 1; n <= this.#messages; n++) {
      await this.#client.say(`RETR ${n}\r\n`, /^\.$|^-ERR/)
      octets += this.#client.octets
    }
    return octets
  }

  async close(): Promise<void> {
    this.#client.close()
  }
}

/** Delivers by twenty sessions that stay; gives messages a second. */
async function deliver({ ports, recipient }: ReadPeer, messages: number): Promise<number> {
  let next = 0
  const from = performance.now()
  const one = async () => {
    const client = await LineClient.open(ports.lmtp, /^220 /)
    await client.say('LHLO bench.test\r\n', /^250 /)
    for (let n = next++; n < messages; n = next++) {
      await client.say('MAIL FROM:<sender@source.test>\r\n', /^250 /)
      await client.say(`RCPT TO:<${recipient}>\r\n`, /^250 /)
      await client.say('DATA\r\n', /^354 /)
      await client.say(`${letter(n)}.\r\n`, /^250 /)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: 20 }, one))
  return (messages * 1000) / (performance.now() - from)
}

/** A message as people send them, of some 4 KB: text and HTML, a few words of its own. */
function letter(n: number): string {
  const line = `Line of ${n}: the quick brown fox jumps over the lazy dog, again and again.`
  const text = Array.from({ length: 18 }, () => line).join('\r\n')
  const html = Array.from({ length: 18 }, () => `<p>${line}</p>`).join('\r\n')
  return [
    `Date: Fri, 27 Nov 2026 ${String(n % 24).padStart(2, '0')}:00:00 +0000`,
    `From: "Sender ${n % 97}" <sender${n % 97}@source.test>`,
    'To: "The Reader" <reader@example.test>, other@example.test',
    `Subject: A letter with the number ${n} of many`,
    `Message-ID: <${n}.bench@source.test>`,
    `References: <${n % 100}.first@source.test>`,
    'MIME-Version: 1.0',
    'Content-Type: multipart/alternative; boundary="between"',
    '',
    '--between',
    'Content-Type: text/plain; charset=utf-8',
    '',
    `${text}\r\nneedle ${n}`,
    '--between',
    'Content-Type: text/html; charset=utf-8',
    'Content-Transfer-Encoding: 7bit',
    '',
    html,
    '--between--',
    '',
  ].join('\r\n')
}
