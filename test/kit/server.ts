/**
 * A real Postrider for tests: `bin/postrider start --demo --ports auto --json` on a folder of its
 * own, its JSON line parsed, its log kept, its end awaited. One test may start the same folder again
 * and again: passwords are shown only once, so they are remembered here by folder.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Told } from './command.ts'
import { type DemoAccount, furnishDemo } from './demo-folder.ts'
import { Dialogue, type DialogueOptions } from './dialogue.ts'

/** The command itself: `spawnSync(POSTRIDER, ['check', '--data', data])`. */
export const POSTRIDER = fileURLToPath(new URL('../../bin/postrider', import.meta.url))

export type { DemoAccount } from './demo-folder.ts'

export type ListenerName =
  | 'smtp'
  | 'submission'
  | 'submissions'
  | 'lmtp'
  | 'odmr'
  | 'pop3'
  | 'pop3s'
  | 'imap'
  | 'imaps'
  | 'mtqp'
  | 'http'

export interface ServerOptions {
  /** The data folder; without one a new one is made, which `clear` removes. */
  readonly data?: string
  /** Another server on the same database: its demo accounts and passwords are ours. */
  readonly beside?: Server
  /** Settings by path, as `--set PATH=VALUE`. */
  readonly set?: Readonly<Record<string, string | number | boolean>>
  readonly smarthost?: string
  /** A config file. */
  readonly config?: string
  readonly env?: NodeJS.ProcessEnv
  /** A command in front of it, such as `['prlimit', '--fsize=1000000']`. */
  readonly under?: readonly string[]
  /** Without the demo: needs a `config` that names everything. */
  readonly demo?: boolean
  /** Makes its folder itself, as a first start does: most take a copy of one that was made once. */
  readonly first?: boolean
  readonly timeoutMs?: number
}

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** The server did not become ready: how it ended and what it said. */
export class NotStarted extends Error {
  readonly ended: Ended
  readonly output: string
  constructor(ended: Ended, output: string) {
    super(`the server did not start (${ended.code ?? ended.signal}): ${output}`)
    this.ended = ended
    this.output = output
  }
}

interface ReadyLine {
  readonly ready: true
  readonly pid: number
  readonly listeners: Readonly<Partial<Record<ListenerName, number>>>
  readonly domain: string
  readonly accounts: readonly { readonly address: string; readonly password: string | null }[]
  readonly certificate: string
}

const folders = new Set<string>()
const children = new Set<ChildProcess>()
const passwords = new Map<string, string>()

/** A new folder that `clear` removes. */
export function newFolder(name = 'data'): string {
  const folder = mkdtempSync(join(tmpdir(), `postrider-${name}-`))
  folders.add(folder)
  return folder
}

/** Ends every server that still runs, at once. */
export function stopAll(): void {
  for (const child of children) child.kill('SIGKILL')
}
// What a test that failed has started behind its file's `after` ends with the file.
process.on('exit', stopAll)

/** Ends every server and removes every folder made here; for `after`. */
export function clear(): void {
  stopAll()
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
  folders.clear()
}

/** Starts a server; resolves when every listener accepts. Rejects with NotStarted. */
export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const data = options.data ?? newFolder()
  const copied = copiedFor(options, data)
  if (copied !== undefined) {
    for (const { address, password } of await furnishDemo(data, copied, firstStart)) {
      passwords.set(`${data} ${address}`, password)
    }
  }
  const command = [...(options.under ?? []), POSTRIDER, 'start', ...argumentsOf(options, data)]
  const child = spawn(command[0] as string, command.slice(1), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  })
  children.add(child)
  const log: string[] = []
  const ended = ending(child, log)
  const ready = await readyLine(child, log, ended, options.timeoutMs ?? 30_000)
  for (const { address, password } of options.beside?.accounts ?? []) {
    passwords.set(`${data} ${address}`, password)
  }
  return new Server(data, ready, log, ended)
}

/** What a first start would make there is, as far as it is what it makes everywhere, a copy; verifiers are made for the mechanisms. */
function copiedFor(options: ServerOptions, data: string): 'all' | 'keys' | undefined {
  const { demo, first, config, set = {} } = options
  if (demo === false || first === true || 'hostname' in set || 'auth.mechanisms' in set)
    return undefined
  const said = config === undefined ? '' : readFileSync(config, 'utf8')
  if (/\b(?:hostname|database|mechanisms)\b/.test(said)) return undefined
  if (existsSync(data) && readdirSync(data).length > 0) return undefined
  return 'database' in set ? 'keys' : 'all'
}

async function firstStart(data: string): Promise<readonly DemoAccount[]> {
  const server = await startServer({ data, first: true })
  await server.stop()
  return server.accounts
}

/** Runs a command of the CLI in this process; its output and code. */
export async function run(args: readonly string[]): Promise<Told> {
  // Most who start servers give no command, and need not load them.
  const { command } = await import('./command.ts')
  return command(args)
}

export class Server {
  readonly data: string
  readonly pid: number
  readonly domain: string
  readonly certificate: string
  readonly accounts: readonly DemoAccount[]
  readonly listeners: ReadyLine['listeners']
  /** Every line of standard error. */
  readonly log: readonly string[]
  readonly ended: Promise<Ended>

  constructor(data: string, ready: ReadyLine, log: readonly string[], ended: Promise<Ended>) {
    this.data = data
    this.pid = ready.pid
    this.domain = ready.domain
    this.certificate = ready.certificate
    this.listeners = ready.listeners
    this.log = log
    this.ended = ended
    this.accounts = ready.accounts.map(({ address, password }) => {
      const key = `${data} ${address}`
      if (password !== null) passwords.set(key, password)
      return { address, password: passwords.get(key) ?? '' }
    })
  }

  port(name: ListenerName): number {
    const port = this.listeners[name]
    if (port === undefined) throw new Error(`there is no listener ${name}`)
    return port
  }

  /** The account at a place of the demo: 0 or 1. */
  account(index = 0): DemoAccount {
    const account = this.accounts[index]
    if (!account) throw new Error(`there is no account ${index}`)
    return account
  }

  /** Connects to a listener; those that begin with TLS are secured. */
  connect(name: ListenerName, options: DialogueOptions = {}): Promise<Dialogue> {
    const tls = name === 'submissions' || name === 'pop3s' || name === 'imaps'
    return Dialogue.connect(this.port(name), { tls, ...options })
  }

  /** Connects and reads greeting and EHLO. */
  async smtp(name: 'smtp' | 'submission' | 'submissions' | 'lmtp' = 'smtp'): Promise<Dialogue> {
    const dialogue = await this.connect(name)
    await dialogue.reply()
    await dialogue.command(`${name === 'lmtp' ? 'LHLO' : 'EHLO'} client.example`)
    return dialogue
  }

  /** Submission over TLS, logged in. */
  async submission(account = this.account(0)): Promise<Dialogue> {
    const dialogue = await this.smtp('submissions')
    const secret = Buffer.from(`\0${account.address}\0${account.password}`).toString('base64')
    const { code, text } = await dialogue.command(`AUTH PLAIN ${secret}`)
    if (code !== 235) throw new Error(text)
    return dialogue
  }

  /** POP3 over TLS, logged in. */
  async pop3(account = this.account(0)): Promise<Dialogue> {
    const dialogue = await this.connect('pop3s')
    await dialogue.line()
    await dialogue.ask(`USER ${account.address}`)
    const status = await dialogue.ask(`PASS ${account.password}`)
    if (!status.startsWith('+OK')) throw new Error(status)
    return dialogue
  }

  /** Every message of a mailbox, whole, as POP3 gives it. */
  async mail(account = this.account(0)): Promise<Buffer[]> {
    const dialogue = await this.pop3(account)
    const count = Number((await dialogue.ask('STAT')).split(' ')[1])
    const messages: Buffer[] = []
    for (let number = 1; number <= count; number++) {
      const status = await dialogue.ask(`RETR ${number}`)
      if (!status.startsWith('+OK')) throw new Error(status)
      messages.push(await dialogue.multiline())
    }
    await dialogue.ask('QUIT')
    dialogue.end()
    return messages
  }

  /** A command of the CLI on this server's data. */
  run(...args: readonly string[]): Promise<Told> {
    return run([...args, '--data', this.data])
  }

  /** Resident memory in MB: now, and the most it ever was. */
  memory(): { readonly now: number; readonly peak: number } {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8')
    const of = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1]) / 1024
    return { now: of('VmRSS'), peak: of('VmHWM') }
  }

  /** Open descriptors. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Has it take its config file anew, and waits until it has. */
  async reload(): Promise<void> {
    const times = () => this.log.filter(line => line.includes('"event":"reloaded"')).length
    const before = times()
    this.signal('SIGHUP')
    for (let waits = 0; times() === before; waits++) {
      if (waits > 1_000) throw new Error(`it does not reload: ${this.log.slice(-3).join('\n')}`)
      await sleep(20)
    }
  }

  get alive(): boolean {
    try {
      process.kill(this.pid, 0)
      return true
    } catch {
      return false
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.alive) process.kill(this.pid, signal)
  }

  /** Ends it and waits: by SIGTERM, or as one likes. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(signal)
    return this.ended
  }

  /** Lines of the log that say a thing happened that never should. */
  faults(): string[] {
    return this.log.filter(line => /uncaught|unhandled|"level":"error"|heap/i.test(line))
  }
}

function argumentsOf(options: ServerOptions, data: string): string[] {
  return [
    ...(options.demo === false ? [] : ['--demo']),
    ...(options.config ? ['--config', options.config] : []),
    '--data',
    data,
    '--ports',
    'auto',
    '--json',
    ...(options.smarthost ? ['--smarthost', options.smarthost] : []),
    ...Object.entries(options.set ?? {}).flatMap(([path, value]) => ['--set', `${path}=${value}`]),
  ]
}

/** Collects the log by lines; resolves when the process is gone and everything it said is read. */
function ending(child: ChildProcess, log: string[]): Promise<Ended> {
  let rest = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    log.push(...lines)
  })
  return new Promise(resolve => {
    child.once('error', error => log.push(String(error)))
    child.once('close', (code, signal) => {
      children.delete(child)
      if (rest !== '') log.push(rest)
      resolve({ code, signal })
    })
  })
}

function readyLine(
  child: ChildProcess,
  log: readonly string[],
  ended: Promise<Ended>,
  timeoutMs: number,
): Promise<ReadyLine> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (piece: string) => {
      text += piece
      const end = text.indexOf('\n')
      if (end === -1) return
      clearTimeout(late)
      const line = JSON.parse(text.slice(0, end)) as ReadyLine
      if (line.ready) resolve(line)
    })
    void ended.then(how => {
      clearTimeout(late)
      reject(new NotStarted(how, `${text}${log.join('\n')}`))
    })
  })
}
