/**
 * Postrider as a peer: its own demo, as a newcomer starts it. Relayed mail is for a domain of `relayDomains`,
 * since smtp-source cannot log in.
 */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launch, type Program, until } from '../program.ts'
import type { Peer, Work } from './peer.ts'
import type { ReadPeer } from './read-peer.ts'

const SCRIPT = fileURLToPath(new URL('../../../bin/postrider', import.meta.url))

export interface Postrider extends Peer {
  /** How long it took from the start of the process to the ready line. */
  readonly readyMs: number
  /** Its demo's first account, for reading. */
  readonly reader: ReadPeer & { readonly ports: { readonly imaps: number } }
  /** A value of /metrics. */
  metric(series: string): Promise<number>
}

interface Ready {
  readonly pid: number
  readonly listeners: Readonly<Record<string, number>>
  readonly accounts: readonly { readonly address: string; readonly password: string }[]
}

const RELAYED = 'elsewhere.test'

/**
 * Starts on that data folder; mail for elsewhere goes to the smart host's port, or without one to its own
 * hosts. The flags are those of `start`.
 */
export async function startPostrider(
  data: string,
  smarthostPort: number | undefined,
  set: readonly string[] = [],
  flags: readonly string[] = [],
): Promise<Postrider> {
  const from = performance.now()
  const program = launch(
    SCRIPT,
    [
      ...['start', '--demo', '--data', data, '--ports', 'auto', '--json'],
      ...(smarthostPort === undefined ? [] : ['--smarthost', `127.0.0.1:${smarthostPort}`]),
      ...[`relayDomains=${RELAYED}`, ...set].flatMap(setting => ['--set', setting]),
      ...flags,
    ],
    `${data}.out`,
  )
  const ready = await until('Postrider', () => readyOf(program), { everyMs: 5, limitMs: 120_000 })
  const readyMs = performance.now() - from
  const { pid, listeners, accounts } = ready
  const local = accounts[0]?.address ?? ''
  const metric = (series: string) => metricOf(listeners['http'] ?? 0, series)
  const state = (work: Work) => (work === 'relay' ? 'relayed' : 'delivered')
  const port = (name: string) => listeners[name] ?? 0
  return {
    name: 'Postrider',
    pid,
    port: port('smtp'),
    local,
    remote: `joe@${RELAYED}`,
    readyMs,
    metric,
    lmtpPort: port('lmtp'),
    done: work =>
      work === 'accept'
        ? Number.POSITIVE_INFINITY
        : metric(`postrider_recipients_total{outcome="${state(work)}"`),
    commits: () => metric('postrider_store_commits_total '),
    stop: program.stop,
    reader: {
      name: 'Postrider',
      pid,
      ports: {
        ...{ imap: port('imap'), imaps: port('imaps') },
        ...{ pop3: port('pop3'), lmtp: port('lmtp') },
      },
      recipient: local,
      username: local,
      password: accounts[0]?.password ?? '',
      stop: program.stop,
    },
  }
}

function readyOf(program: Program): Ready | undefined {
  const line = program
    .output()
    .split('\n')
    .find(text => text.startsWith('{"ready":true'))
  if (line !== undefined) return JSON.parse(line) as Ready
  if (program.child.exitCode !== null) throw new Error(`Postrider ended: ${program.output()}`)
  return undefined
}

/** The sum of the lines that begin so; 0 where there is none yet. */
async function metricOf(port: number, series: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  return text
    .split('\n')
    .filter(line => line.startsWith(series))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

/** A data folder below that folder. */
export function dataFolder(folder: string, name: string): string {
  return join(folder, `data-${name}`)
}
