/**
 * The same load, blows and judge for Postrider and for Postfix with Dovecot (their packages, default settings,
 * instances of their own in one folder), so that what is said of one can be compared. Postfix takes and relays,
 * and hands what is for here to Dovecot by LMTP; Dovecot keeps it in a Maildir and is read by POP3. Used by rivals.ts.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { startDovecot } from '../bench/peer/dovecot.ts'
import { startPostfix } from '../bench/peer/postfix.ts'
import { familyPids } from '../bench/proc.ts'
import { Dialogue } from '../kit/dialogue.ts'
import { startServer } from '../kit/server.ts'
import type { Target } from './load.ts'

/** One that runs. */
export interface Standing extends Target {
  /** SIGKILL to all of its processes at once. */
  kill(): Promise<void>
  /** A log-in to the mailbox that is written to, by POP3. */
  pop3(): Promise<Dialogue>
}

export interface Contestant {
  readonly name: string
  /** Starts it on that folder, whatever is left there; mail for outside goes to the port. */
  start(folder: string, sinkPort: number): Promise<Standing>
}

export const postrider: Contestant = {
  name: 'Postrider',
  async start(folder, sinkPort) {
    const server = await startServer({
      data: join(folder, 'data'),
      first: true,
      timeoutMs: 300_000,
      smarthost: `127.0.0.1:${sinkPort}`,
      set: { 'queue.retry': '1s', 'limits.freeSpace': 0 },
    })
    return {
      get alive() {
        return server.alive
      },
      smtp: by => server.smtp(by),
      submission: () => server.submission(),
      account: index => server.account(index),
      async pop3() {
        const { address, password } = server.account(1)
        const dialogue = await server.connect('pop3s', { timeoutMs: PATIENCE_MS })
        return loggedIn(dialogue, address, password)
      },
      async kill() {
        await server.stop('SIGKILL')
      },
    }
  },
}

/** On a machine with other work a log-in may take a minute. */
const PATIENCE_MS = 180_000

async function loggedIn(dialogue: Dialogue, name: string, password: string): Promise<Dialogue> {
  await dialogue.line()
  await dialogue.ask(`USER ${name}`)
  const status = await dialogue.ask(`PASS ${password}`)
  if (!status.startsWith('+OK')) throw new Error(status)
  return dialogue
}

/** What is late with them is only waited for longer; none of it is about safety. */
const SOONER = [
  'minimal_backoff_time = 1s',
  'maximal_backoff_time = 2s',
  'queue_run_delay = 1s',
  'transport_retry_time = 1s',
  'smtpd_peername_lookup = no',
]

export const postfixAndDovecot: Contestant = {
  name: 'Postfix and Dovecot',
  async start(folder, sinkPort) {
    const dovecot = await startDovecot(folder)
    const transport = `virtual_transport = lmtp:inet:127.0.0.1:${dovecot.ports.lmtp}`
    const sink = { port: sinkPort, count: () => 0, stop: async () => {} }
    const postfix = await startPostfix(folder, sink as never, [transport, ...SOONER])
    const address = 'reader@bench.test'
    let alive = true
    const smtp = async (): Promise<Dialogue> => {
      const dialogue = await Dialogue.connect(postfix.port)
      await dialogue.reply()
      await dialogue.command('EHLO client.example')
      return dialogue
    }
    return {
      get alive() {
        return alive
      },
      smtp,
      submission: smtp,
      account: () => ({ address }),
      async pop3() {
        const port = dovecot.ports.pop3 as number
        const dialogue = await Dialogue.connect(port, { timeoutMs: PATIENCE_MS })
        return loggedIn(dialogue, dovecot.username, dovecot.password)
      },
      async kill() {
        alive = false
        await killFamilies([postfix.pid, dovecot.pid])
        await Promise.all([postfix.stop(), dovecot.stop()])
      },
    }
  },
}

/** Stopped first, so that no one of them sees another die; by their numbers, and twice, for who was just born. */
async function killFamilies(pids: readonly number[]): Promise<void> {
  for (const signal of ['SIGSTOP', 'SIGSTOP', 'SIGKILL'] as const) {
    for (const pid of pids.flatMap(familyPids)) {
      try {
        process.kill(pid, signal)
      } catch {
        // It has ended meanwhile.
      }
    }
  }
}

/** Whether the packages are here. */
export function haveRivals(): boolean {
  const files = ['/usr/sbin/postfix', '/usr/sbin/dovecot', '/usr/lib/dovecot/lmtp']
  return process.getuid?.() === 0 && files.every(file => existsSync(file))
}
