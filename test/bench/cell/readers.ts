/**
 * Many who read, and one who reads much: what an idle IMAP session holds, in the clear and over TLS beside a bare
 * node:tls; how long a mailbox of 100,000 takes to open and what a session on it holds; how soon IDLE tells.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { LineClient } from '../line-client.ts'
import { dataFolder, type Postrider, startPostrider } from '../peer/postrider.ts'
import { memoryOf } from '../proc.ts'
import { freePort } from '../program.ts'

export interface Readers {
  /** KB for each session in IDLE. */
  readonly clearKb: number
  readonly tlsKb: number
  readonly bareTlsKb: number
  /** Of the large mailbox. */
  readonly messages: number
  /** The first of the process, and the others. */
  readonly coldOpenMs: number
  readonly openMs: readonly number[]
  readonly flagsMs: readonly number[]
  readonly largeKb: number
  /** From the answer to APPEND until another session in IDLE is told. */
  readonly pushMs: readonly number[]
}

const SESSIONS = 1_000
const PUSHES = 50

export async function readersCell(root: string): Promise<Readers> {
  const folder = mkdtempSync(join(root, 'readers-'))
  const data = dataFolder(folder, 'ours')
  const set = ['listeners.imap.plaintextAuth=true', 'limits.perAddress=10000']
  try {
    let server = await startPostrider(data, await freePort(), set)
    const { username, password } = server.reader
    const login = `LOGIN "${username}" "${password}"`
    const idle = { ...(await idleKb(server, login)), bareTlsKb: await bareTlsKb(data) }
    const pushMs = await pushes(server, login)
    const messages = await fill(server, login)
    await server.stop()
    // A process that has seen nothing of it yet.
    server = await startPostrider(data, await freePort(), set)
    try {
      return { ...idle, pushMs, messages, ...(await large(server, login)) }
    } finally {
      await server.stop()
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function opened(port: number, login: string, secure: boolean): Promise<LineClient> {
  const client = await LineClient.open(port, /^\* OK/, secure)
  await said(client, login)
  await said(client, 'SELECT INBOX')
  return client
}

/** Gives how long it took. */
async function said(client: LineClient, command: string): Promise<number> {
  const from = performance.now()
  const line = await client.say(`a ${command}\r\n`, /^a /)
  if (!line.startsWith('a OK')) throw new Error(`${command}: ${line}`)
  return performance.now() - from
}

async function idleKb(server: Postrider, login: string) {
  const kb = async (port: number, secure: boolean) => {
    const open = async () => {
      const client = await opened(port, login, secure)
      await client.say('i IDLE\r\n', /^\+ /)
      return client
    }
    return grown(server.pid, SESSIONS, open)
  }
  const clearKb = await kb(server.reader.ports.imap, false)
  return { clearKb, tlsKb: await kb(server.reader.ports.imaps, true) }
}

async function bareTlsKb(data: string): Promise<number> {
  const script = fileURLToPath(new URL('../peer/bare-tls.ts', import.meta.url))
  const words = [script, join(data, 'key.pem'), join(data, 'certificate.pem')]
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    const [line] = await once(child.stdout, 'data')
    const port = Number(String(line))
    return await grown(child.pid ?? 0, SESSIONS, () => LineClient.open(port, /^\* OK/, true))
  } finally {
    child.kill()
  }
}

/** By how many KB a process grows with each of so many clients, behind some others that stay. */
async function grown(pid: number, count: number, open: () => Promise<LineClient>): Promise<number> {
  const clients: LineClient[] = []
  const upTo = async (most: number) => {
    while (clients.length < most) {
      const next = Array.from({ length: Math.min(20, most - clients.length) }, open)
      clients.push(...(await Promise.all(next)))
    }
    await sleep(2_000)
    return memoryOf(pid).rssMb
  }
  try {
    const first = Math.ceil(count / 2)
    const before = await upTo(first)
    return ((await upTo(first + count)) - before) / (count / 1000)
  } finally {
    for (const client of clients) client.close()
    await sleep(500)
  }
}

async function pushes(server: Postrider, login: string): Promise<number[]> {
  const { imap } = server.reader.ports
  const [one, other] = [await opened(imap, login, false), await opened(imap, login, false)]
  const times: number[] = []
  await one.say('i IDLE\r\n', /^\+ /)
  for (let n = 0; n < PUSHES; n++) {
    const heard = one.hear(/^\* \d+ EXISTS/).then(() => performance.now())
    const letter = `Subject: ${n}\r\n\r\nbody\r\n`
    await said(other, `APPEND INBOX {${letter.length}+}\r\n${letter}`)
    const committed = performance.now()
    times.push(Math.max(0, (await heard) - committed))
  }
  for (const client of [one, other]) client.close()
  return times
}

/** Copies what is there onto itself until there are a hundred thousand. */
async function fill(server: Postrider, login: string): Promise<number> {
  const client = await opened(server.reader.ports.imap, login, false)
  let messages = PUSHES
  for (; messages < 100_000; messages *= 2) {
    for (let from = 1; from <= messages; from += 10_000) {
      await said(client, `COPY ${from}:${Math.min(messages, from + 9_999)} INBOX`)
    }
    await said(client, 'NOOP')
  }
  client.close()
  return messages
}

async function large(server: Postrider, login: string) {
  const { imap } = server.reader.ports
  const client = await LineClient.open(imap, /^\* OK/)
  await said(client, login)
  const coldOpenMs = await said(client, 'SELECT INBOX')
  const [openMs, flagsMs]: [number[], number[]] = [[], []]
  for (let n = 0; n < 5; n++) {
    await said(client, 'UNSELECT')
    openMs.push(await said(client, 'SELECT INBOX'))
    flagsMs.push(await said(client, 'FETCH 1:* (UID FLAGS)'))
  }
  client.close()
  const largeKb = await grown(server.pid, 50, () => opened(imap, login, false))
  return { coldOpenMs, openMs, flagsMs, largeKb }
}
