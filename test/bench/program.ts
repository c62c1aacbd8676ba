/**
 * A program that the bench has started: its process, what it printed, its end. Ended by its own id and
 * no other; nothing is left behind when the bench ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { familyPids } from './proc.ts'

export interface Program {
  readonly child: ChildProcess
  /** What it has printed so far. */
  output(): string
  /** SIGTERM, and SIGKILL for who does not listen; resolves when it is gone. */
  stop(): Promise<void>
}

const running = new Set<ChildProcess>()
// Whatever ends the bench, a signal too, ends what it has started, and what that has.
process.on('exit', () => {
  for (const { pid } of running) {
    for (const member of pid === undefined ? [] : familyPids(pid)) {
      try {
        process.kill(member, 'SIGKILL')
      } catch {
        // It has ended meanwhile.
      }
    }
  }
})

/** Starts a program that goes on running; both of its outputs go to the file. */
export function launch(command: string, args: readonly string[], outputFile: string): Program {
  const output = openSync(outputFile, 'w')
  const child = spawn(command, args, { stdio: ['ignore', output, output] })
  closeSync(output)
  running.add(child)
  const ended = new Promise<void>(resolve => {
    const end = () => {
      running.delete(child)
      resolve()
    }
    child.once('exit', end)
    child.once('error', end)
  })
  return {
    child,
    output: () => readFileSync(outputFile, 'utf8'),
    stop: async () => {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), 20_000)
      await ended
      clearTimeout(late)
    },
  }
}

/** Runs a program to its end; rejects with what it said where it fails, or has not ended in time. */
export async function run(
  command: string,
  args: readonly string[],
  limitMs?: number,
): Promise<string> {
  const child = spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(limitMs === undefined ? {} : { timeout: limitMs, killSignal: 'SIGKILL' }),
  })
  running.add(child)
  let said = ''
  child.stdout.on('data', octets => (said += octets))
  child.stderr.on('data', octets => (said += octets))
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  }).finally(() => running.delete(child))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: exit ${code}: ${said.trim()}`)
  return said
}

/** A port of an address of the loopback that nobody listens on now. */
export function freePort(address = '127.0.0.1'): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, address, () => {
      const at = server.address()
      server.close(() => resolve(typeof at === 'object' && at ? at.port : 0))
    })
  })
}

/** Asks until the answer is not undefined; rejects after the limit. */
export async function until<Answer>(
  what: string,
  ask: () => Answer | undefined | Promise<Answer | undefined>,
  { everyMs = 50, limitMs = 30_000 } = {},
): Promise<Answer> {
  const end = performance.now() + limitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms for ${what}`)
    await sleep(everyMs)
  }
}
