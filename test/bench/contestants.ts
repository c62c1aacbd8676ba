/**
 * Who stands in the table, and what each can do. All are started in one way, in a folder of their own, by a file of peer/;
 * what a server has not (Haraka no mailboxes, Exim no LMTP) is an empty place in the table.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startBare } from './peer/bare.ts'
import type { CertificateFiles } from './peer/certificate.ts'
import { hasDovecot, startDovecot } from './peer/dovecot.ts'
import { findExim, startExim } from './peer/exim.ts'
import { findHaraka, startHaraka } from './peer/haraka.ts'
import { findOpenSmtpd, startOpenSmtpd } from './peer/opensmtpd.ts'
import { debianVersion, npmVersion } from './peer/package.ts'
import type { Peer, Work } from './peer/peer.ts'
import { startPostfix } from './peer/postfix.ts'
import { dataFolder, startPostrider } from './peer/postrider.ts'
import type { Sink } from './peer/sink.ts'
import { findSmtpServer, startSmtpServer } from './peer/smtp-server.ts'

/** By which way mail comes. */
export type Way = 'smtp' | 'starttls' | 'lmtp'

export interface Place {
  readonly folder: string
  readonly work: Work
  readonly sink: Sink
  readonly certificate: CertificateFiles
}

export interface Contestant {
  readonly name: string
  readonly version: string
  readonly works: readonly Work[]
  readonly ways: readonly Way[]
  /** Its code is compiled as it runs: it takes some ten thousand messages until all is. */
  readonly warms?: boolean
  start(place: Place): Promise<Peer>
}

export interface Field {
  readonly contestants: readonly Contestant[]
  /** Who cannot be had, and why. */
  readonly missing: readonly string[]
}

/** Connections at once that each must take. */
export const MOST_SESSIONS = 1_000

/** Installs who is not here, where that may be done. */
export async function gather(withPostfix: boolean): Promise<Field> {
  const missing: string[] = []
  const contestants: Contestant[] = [postrider()]
  if (withPostfix) contestants.push(postfix(await debianVersion('postfix')))
  else missing.push('Postfix: needs root and its package')
  const add = async (
    name: string,
    found: string | undefined,
    make: (found: string) => Contestant | Promise<Contestant>,
  ) => {
    if (found === undefined) missing.push(`${name}: its package cannot be had, or there is no root`)
    else contestants.push(await make(found))
  }
  await add('Exim', await findExim(), exim)
  await add('OpenSMTPD', await findOpenSmtpd(), openSmtpd)
  await add('Dovecot', (await hasDovecot()) ? '' : undefined, dovecot)
  await add('Haraka', await findHaraka(), haraka)
  await add('smtp-server', await findSmtpServer(), smtpServer)
  contestants.push(bare())
  return { contestants, missing }
}

function postrider(): Contestant {
  return {
    name: 'Postrider',
    version: '',
    warms: true,
    works: ['accept', 'deliver', 'relay'],
    ways: ['smtp', 'starttls', 'lmtp'],
    start: async ({ folder, work, sink }) => {
      const data = dataFolder(folder, 'ours')
      const set = [`limits.perAddress=${MOST_SESSIONS * 10}`]
      if (work !== 'accept') return startPostrider(data, sink.port, set)
      const config = join(folder, 'hold.toml')
      writeFileSync(
        config,
        `[[routes]]\nmatch = { recipient = "remote" }\nto = { hold = "bench" }\n`,
      )
      return startPostrider(data, sink.port, set, ['--config', config])
    },
  }
}

function postfix(version: string): Contestant {
  return {
    name: 'Postfix',
    version,
    works: ['accept', 'deliver', 'relay'],
    ways: ['smtp', 'starttls'],
    start: ({ folder, work, sink, certificate }) =>
      startPostfix(folder, sink, [
        'smtpd_tls_security_level = may',
        `smtpd_tls_chain_files = ${certificate.both}`,
        ...(work === 'accept' ? ['smtpd_client_restrictions = static:HOLD'] : []),
      ]),
  }
}

async function exim(program: string): Promise<Contestant> {
  return {
    name: 'Exim',
    version: await debianVersion('exim4-daemon-light'),
    works: ['accept', 'deliver', 'relay'],
    ways: ['smtp', 'starttls'],
    start: ({ folder, work, sink, certificate }) =>
      startExim(folder, program, { sink, certificate, hold: work === 'accept' }),
  }
}

async function openSmtpd(program: string): Promise<Contestant> {
  return {
    name: 'OpenSMTPD',
    version: await debianVersion('opensmtpd'),
    works: ['deliver', 'relay'],
    ways: ['smtp', 'starttls'],
    start: ({ folder, sink, certificate }) =>
      startOpenSmtpd(folder, program, { sink, certificate }),
  }
}

async function dovecot(): Promise<Contestant> {
  return {
    name: 'Dovecot',
    version: await debianVersion('dovecot-core'),
    works: ['deliver'],
    ways: ['lmtp'],
    start: async ({ folder, certificate }) => {
      const { name, pid, ports, recipient, stop } = await startDovecot(folder, { certificate })
      return {
        ...{ name, pid, port: ports.lmtp, lmtpPort: ports.lmtp, stop },
        ...{ local: recipient, remote: recipient },
        // It answers when it has delivered.
        done: () => Number.POSITIVE_INFINITY,
      }
    },
  }
}

function haraka(program: string): Contestant {
  return {
    name: 'Haraka',
    version: npmVersion(program),
    warms: true,
    works: ['accept', 'relay'],
    ways: ['smtp', 'starttls'],
    start: ({ folder, work, sink, certificate }) =>
      startHaraka(folder, program, { sink, certificate, hold: work === 'accept' }),
  }
}

function smtpServer(program: string): Contestant {
  return {
    name: 'smtp-server',
    version: npmVersion(program),
    warms: true,
    works: ['accept', 'deliver'],
    ways: ['smtp', 'starttls', 'lmtp'],
    start: ({ folder, certificate }) => startSmtpServer(folder, program, certificate),
  }
}

function bare(): Contestant {
  return {
    name: 'bare Node',
    version: '',
    warms: true,
    works: ['accept', 'deliver'],
    ways: ['smtp', 'starttls'],
    start: ({ folder, certificate }) => startBare(folder, certificate),
  }
}
