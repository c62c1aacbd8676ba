/** Postfix's smtp-sink, which takes mail and misbehaves as it is told (its man page has the flags). */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { newFolder } from '../kit/server.ts'
import { find, until } from './program.ts'

/**
 * A port of the loopback that is free now: none of those that the kernel gives to whoever connects or listens
 * anywhere, which may be taken before the program that is to have it is up.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Whether something accepts there. */
export function accepts(port: number): Promise<true | undefined> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => socket.destroy() && resolve(true))
    socket.on('error', () => resolve(undefined))
  })
}

const running = new Set<ChildProcess>()

export class Sink {
  readonly port: number
  readonly #child: ChildProcess
  readonly #folder: string

  constructor(port: number, child: ChildProcess, folder: string) {
    this.port = port
    this.#child = child
    this.#folder = folder
  }

  /** Every message taken, with the envelope as fields on top (X-Mail-Args, X-Rcpt-Args). */
  messages(): string[] {
    return readdirSync(this.#folder)
      .map(name => readFileSync(join(this.#folder, name), 'latin1'))
      .filter(text => text !== '')
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    const gone = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.kill('SIGTERM')
    await gone
    running.delete(this.#child)
  }
}

/** Starts one; on `port`, to follow another there. */
export async function startSink(flags: readonly string[], port?: number): Promise<Sink> {
  const at = port ?? (await freePort())
  const folder = newFolder('sink')
  chmodSync(folder, 0o777)
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const args = [...user, '-d', `${folder}/%s.`, ...flags, `inet:127.0.0.1:${at}`, '64']
  const child = spawn(find('smtp-sink') as string, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  running.add(child)
  await until(`smtp-sink ${flags.join(' ')}`, () => accepts(at))
  return new Sink(at, child, folder)
}

/** Ends all of them; for `after`. */
export function endSinks(): void {
  for (const child of running) child.kill('SIGKILL')
  running.clear()
}
