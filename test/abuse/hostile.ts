/**
 * A real server under attack while somebody uses it: a message sent by SMTP and read by IMAP each 100 ms, timed
 * without an attack and under each. What is measured: how long that took, what the process held at its
 * worst, and what it still held when the attackers had left. Used by run-hostile.ts and abuse.test.ts.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Dialogue } from '../kit/dialogue.ts'
import type { Server } from '../kit/server.ts'
import type { Tally, Victim } from './attacker/attack.ts'

/** So often that a p99 of ten seconds is one of some hundred uses, and not the worst of a few. */
const EVERY_MS = 25
/** What may have come meanwhile: a reader's thread with its files, and a connection that is just going. */
export const DESCRIPTORS_MAX = 10

export interface Latency {
  readonly count: number
  readonly failed: number
  readonly p50: number
  readonly p99: number
}

export interface Report {
  readonly name: string
  readonly tally: Tally
  readonly latency: Latency
  readonly peakMb: number
  /** When all had left. */
  readonly rest: Held
  readonly descriptors: number
}

/** What a process holds, MB: in all, of it JavaScript's heap, and what that holds outside. */
export interface Held {
  readonly allMb: number
  readonly heapMb: number
  readonly externalMb: number
}

/** Somebody with a mailbox. */
export class User {
  readonly #server: Server
  #imap: Dialogue | undefined
  #tag = 0
  #next = 1

  constructor(server: Server) {
    this.#server = server
  }

  /** Uses the server until told otherwise. */
  async work(goesOn: () => boolean): Promise<Latency> {
    const times: number[] = []
    let failed = 0
    while (goesOn()) {
      const from = performance.now()
      try {
        await this.#once()
        times.push(performance.now() - from)
      } catch {
        failed += 1
        this.#imap?.end()
        this.#imap = undefined
      }
      await sleep(Math.max(0, EVERY_MS - (performance.now() - from)))
    }
    times.sort((a, b) => a - b)
    const at = (part: number) => times[Math.min(times.length - 1, Math.floor(times.length * part))]
    return { count: times.length, failed, p50: at(0.5) ?? Infinity, p99: at(0.99) ?? Infinity }
  }

  end(): void {
    this.#imap?.end()
  }

  async #once(): Promise<void> {
    this.#imap ??= await this.#login()
    const imap = this.#imap
    const smtp = await this.#server.smtp()
    const { address } = this.#server.account(0)
    await smtp.command('MAIL FROM:<joe@remote.example>')
    await smtp.command(`RCPT TO:<${address}>`)
    await smtp.command('DATA')
    const { code } = await smtp.command('Subject: normal\r\n\r\nhello\r\n.')
    smtp.end()
    if (code !== 250) throw new Error(`${code}`)
    for (;;) {
      const lines = await this.#say(imap, `UID FETCH ${this.#next}:* BODY.PEEK[TEXT]`)
      const found = lines.map(line => Number(/UID (\d+)/.exec(line)?.[1] ?? 0))
      const last = Math.max(0, ...found)
      if (last >= this.#next) {
        this.#next = last + 1
        return
      }
    }
  }

  async #login(): Promise<Dialogue> {
    const { address, password } = this.#server.account(0)
    const imap = await this.#server.connect('imaps')
    await imap.line()
    await this.#say(imap, `LOGIN ${address} ${password}`)
    const selected = await this.#say(imap, 'SELECT INBOX')
    this.#next = Number(/UIDNEXT (\d+)/.exec(selected.join('\n'))?.[1] ?? 1)
    return imap
  }

  async #say(imap: Dialogue, command: string): Promise<string[]> {
    const tag = `t${++this.#tag}`
    await imap.send(`${tag} ${command}\r\n`)
    const lines: string[] = []
    for (;;) {
      const line = await imap.line()
      if (line.startsWith(`${tag} OK`)) return lines
      if (line.startsWith(`${tag} `)) throw new Error(line)
      lines.push(line)
    }
  }
}

/** The attackers' process, idle between attacks. */
export class Attackers {
  readonly #process: ChildProcess
  readonly #victim: Victim

  private constructor(process: ChildProcess, victim: Victim) {
    this.#process = process
    this.#victim = victim
  }

  static async start(server: Server): Promise<Attackers> {
    const { address, password } = server.account(1)
    const ports = server.listeners as Readonly<Record<string, number>>
    const child = fork(join(import.meta.dirname, 'attacker/process.ts'), [], { execArgv: [] })
    await new Promise(resolve => child.once('message', resolve))
    leaveRoom(child.pid ?? 0)
    return new Attackers(child, { ports, address, password })
  }

  /** Makes what an attack needs, so that it is there when its time begins. */
  async prepare(name: string, scale: number): Promise<void> {
    await this.#order('prepare', name, 0, scale)
  }

  attack(name: string, ms: number, scale: number): Promise<Tally> {
    return this.#order('attack', name, ms, scale)
  }

  async #order(what: string, name: string, ms: number, scale: number): Promise<Tally> {
    this.#process.send({ what, name, ms, scale, victim: this.#victim })
    const said = await new Promise<{ tally: Tally; error?: string }>(resolve =>
      this.#process.once('message', resolve as (message: unknown) => void),
    )
    assert.equal(said.error, undefined, `${name}: ${said.error}`)
    return said.tally
  }

  end(): void {
    this.#process.kill()
  }
}

/**
 * Attackers have machines of their own. Here they have what is left of this one: they run where nobody else wants to
 * (SCHED_IDLE), so that what is measured is what the server makes of them, and not who has how many cores. Where
 * this command runs in real time (`chrt -r 10`, for a machine that does other things too), they do so below it. By
 * turns (SCHED_RR): under SCHED_FIFO the server's own threads wait for its main thread and for its user, for seconds.
 */
function leaveRoom(pid: number): void {
  const below = isRealTime() ? ['-o', '-p', '0'] : ['-i', '-p', '0']
  const { status } = spawnSync('chrt', ['-a', ...below, String(pid)], { stdio: 'ignore' })
  if (status !== 0) setPriority(pid, Math.min(19, getPriority() + 10))
}

/** proc(5): the 41st field of stat is the policy, 1 is SCHED_FIFO, 2 SCHED_RR. The name of the program may hold blanks. */
function isRealTime(): boolean {
  try {
    const [, rest = ''] = readFileSync('/proc/self/stat', 'utf8').split(/.*\) /s)
    return ['1', '2'].includes(rest.split(' ')[38] ?? '')
  } catch {
    return false
  }
}

/** How it is without anybody else. */
export async function quiet(user: User, ms: number): Promise<Latency> {
  const until = performance.now() + ms
  return user.work(() => performance.now() < until)
}

/** One attack, the user at work meanwhile; then it is waited for the descriptors to come back. */
export async function attacked(
  server: Server,
  user: User,
  attackers: Attackers,
  attack: { readonly name: string; readonly ms: number; readonly scale: number },
): Promise<Report> {
  const before = server.descriptors()
  let goesOn = true
  let peakMb = 0
  const watch = setInterval(() => {
    if (server.alive) peakMb = Math.max(peakMb, server.memory().now)
  }, 50)
  const working = user.work(() => goesOn)
  const tally = await attackers.attack(attack.name, attack.ms, attack.scale)
  goesOn = false
  const latency = await working
  clearInterval(watch)
  assert.ok(server.alive, `${attack.name}: it died:\n${server.log.slice(-20).join('\n')}`)
  assert.deepEqual(server.faults(), [], attack.name)
  for (let tries = 0; server.descriptors() > before + DESCRIPTORS_MAX && tries < 300; tries++)
    await sleep(50)
  return {
    name: attack.name,
    tally,
    latency,
    peakMb,
    rest: await heldBy(server),
    descriptors: server.descriptors() - before,
  }
}

async function heldBy(server: Server): Promise<Held> {
  const metrics = await (await fetch(`http://127.0.0.1:${server.port('http')}/metrics`)).text()
  const of = (name: string) =>
    Number(new RegExp(`^postrider_${name} (\\S+)`, 'm').exec(metrics)?.[1]) / 1_048_576
  return {
    allMb: of('process_resident_memory_bytes'),
    heapMb: of('heap_total_bytes'),
    externalMb: of('external_memory_bytes'),
  }
}
