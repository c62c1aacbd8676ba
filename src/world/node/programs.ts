/**
 * Programs of this machine. Implements world/programs.ts. Each is the head of a process group of its own,
 * so that all it has started ends with it; none is ever started as root.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { Source } from '../../wire/effect.ts'
import type { Ended, Programs, Run } from '../programs.ts'
import { findUser, isRoot } from './process.ts'

/** How long a program may take to end by itself once it was told to. */
const KILL_AFTER_MS = 2_000
/** Output is awaited so long after the end: a child in the background may keep it open. */
const OUTPUT_AFTER_MS = 200

const running = new Set<ChildProcess>()

export const nodePrograms: Programs = {
  endAll() {
    for (const child of running) signalGroup(child, 'SIGKILL')
  },
  async run(run, input) {
    const identity = identityFor(run)
    if ('reason' in identity) return { kind: 'unstarted', reason: identity.reason }
    const [program = '', ...rest] = run.argv
    const child = spawn(program, rest, {
      env: run.environment,
      cwd: run.folder,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      ...identity,
    })
    running.add(child)
    try {
      return await new Running(child, run).end(input)
    } finally {
      running.delete(child)
    }
  },
}

type Identity = { readonly uid?: number; readonly gid?: number } | { readonly reason: string }

/** Whom it runs as. Root is nobody's. */
function identityFor({ user }: Run): Identity {
  if (user === undefined) {
    return isRoot() ? { reason: 'this server is root: name a user for it' } : {}
  }
  const found = findUser(user)
  if (found === undefined) return { reason: `there is no user ${user}` }
  if (found.uid === 0) return { reason: `${user} is root` }
  if (found.uid === process.geteuid?.()) return {}
  if (!isRoot()) return { reason: `only root may start it as ${user}` }
  // With these, supplementary groups are given up too (libuv calls setgroups).
  return { uid: found.uid, gid: found.gid }
}

class Running {
  readonly #child: ChildProcess
  readonly #run: Run
  readonly #output: Buffer[] = []
  #kept = 0
  #timedOut = false

  constructor(child: ChildProcess, run: Run) {
    this.#child = child
    this.#run = run
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (octets: Buffer) => this.#keep(octets))
      stream?.on('error', () => {})
    }
  }

  async end(input: Source): Promise<Ended> {
    const child = this.#child
    const started = new Promise<string | undefined>(resolve => {
      child.once('spawn', () => resolve(undefined))
      child.once('error', error => resolve(error.message))
    })
    const exited = new Promise<[number | null, NodeJS.Signals | null]>(resolve =>
      child.once('exit', (code, signal) => resolve([code, signal])),
    )
    const closed = once(child, 'close').catch(() => {})
    const reason = await started
    if (reason !== undefined) return { kind: 'unstarted', reason }
    const timer = setTimeout(() => {
      this.#timedOut = true
      this.#kill(exited)
    }, this.#run.timeoutMs)
    try {
      await Promise.race([give(input, child.stdin as Writable), exited])
    } catch (error) {
      this.#kill(exited)
      await exited
      throw error
    } finally {
      await exited.then(() => clearTimeout(timer))
    }
    const [code, signal] = await exited
    let late: NodeJS.Timeout | undefined
    await Promise.race([
      closed,
      new Promise(resolve => (late = setTimeout(resolve, OUTPUT_AFTER_MS))),
    ])
    clearTimeout(late)
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
    const output = Buffer.concat(this.#output).toString('utf8')
    if (this.#timedOut) return { kind: 'timeout', output }
    return signal === null
      ? { kind: 'exit', code: code ?? 0, output }
      : { kind: 'signal', signal, output }
  }

  #keep(octets: Buffer): void {
    const room = this.#run.outputMax - this.#kept
    if (room <= 0) return
    this.#output.push(Buffer.from(octets.subarray(0, room)))
    this.#kept += Math.min(room, octets.length)
  }

  /** Ends the whole group: politely, then not. */
  #kill(exited: Promise<unknown>): void {
    signalGroup(this.#child, 'SIGTERM')
    const timer = setTimeout(() => signalGroup(this.#child, 'SIGKILL'), KILL_AFTER_MS)
    // What it has left behind in its group goes with it.
    void exited.then(() => {
      clearTimeout(timer)
      signalGroup(this.#child, 'SIGKILL')
    })
  }
}

function signalGroup({ pid }: ChildProcess, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // The group is gone.
  }
}

/** Writes the octets as they are taken. A reader that has had enough (EPIPE) is no error. */
async function give(input: Source, stdin: Writable): Promise<void> {
  let gone = false
  let goOn: (() => void) | undefined
  stdin.on('error', () => (gone = true))
  stdin.on('drain', () => goOn?.())
  stdin.on('close', () => {
    gone = true
    goOn?.()
  })
  const write = (octets: Uint8Array): Promise<void> | undefined => {
    if (gone || stdin.write(octets)) return undefined
    return new Promise<void>(resolve => (goOn = resolve))
  }
  if (input instanceof Uint8Array) await write(input)
  else {
    for await (const octets of input) {
      await write(octets)
      if (gone) break
    }
  }
  if (!gone) stdin.end()
}
