/** `fetch`: asks a provider for the mail that he keeps for us, now. */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import type { FetchedProvider, FetchRecord } from '../../server/operation.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { printable } from '../print.ts'
import { passwordFrom } from './account.ts'

interface FetchFlags extends CommonOptions {
  readonly atrn?: boolean
  readonly etrn?: boolean
  readonly turn?: boolean
  readonly domain?: readonly string[]
  readonly port?: string
  readonly tls?: NonNullable<FetchedProvider['tls']>
  readonly user?: string
  readonly passwordFile?: string
}

const several = (value: string, all: readonly string[] = []) => [...all, value]

export function addFetch(program: Command, face: Face): void {
  common(
    program
      .command('fetch [host]')
      .description('ask the providers of the config, or this one, for the mail they keep for us'),
  )
    .option('--atrn', 'by ATRN: it comes back over the connection (RFC 2645)')
    .option('--etrn', 'by ETRN: it is sent to our own port 25 (RFC 1985)')
    .option('--turn', 'by TURN, as ATRN (RFC 821)')
    .option('--domain <domain>', 'only mail for this domain; may be repeated', several)
    .option('--port <port>', '366 for ATRN, else 25')
    .option('--tls <how>', 'never, opportunistic, require or implicit')
    .option('--user <name>', 'log in')
    .option('--password-file <file>', 'with the password in this file (- is standard input)')
    .action(async (host: string | undefined, flags: FetchFlags) => {
      const provider = await providerOf(face, host, flags)
      const input = provider ? { provider } : host === undefined ? {} : { host }
      const { fetched } = await call(face, flags, 'fetch', input)
      print(face, flags, fetched, all => all.map(show).join(''))
      if (fetched.some(({ trouble }) => trouble !== undefined)) {
        face.terminal.setExit(EXIT.unavailable)
      }
    })
}

/** The provider that the flags describe; undefined where the config's is meant. */
async function providerOf(
  face: Face,
  host: string | undefined,
  flags: FetchFlags,
): Promise<FetchedProvider | undefined> {
  const ways = (['atrn', 'etrn', 'turn'] as const).filter(way => flags[way] === true)
  const [by] = ways
  if (by === undefined) return undefined
  if (ways.length > 1) throw new ExitError(EXIT.usage, 'one of --atrn, --etrn and --turn')
  if (host === undefined) throw new ExitError(EXIT.usage, 'name the host that is to be asked')
  const { domain, port, tls, user, passwordFile } = flags
  const ask = passwordFile === undefined
  const password =
    user === undefined
      ? undefined
      : ask
        ? await face.terminal.ask('Password: ', true)
        : await passwordFrom(face, { passwordFile })
  return {
    host,
    by,
    ...(domain && { domains: domain }),
    ...(port !== undefined && { port: Number(port) }),
    ...(tls !== undefined && { tls }),
    ...(user !== undefined && password !== undefined && { username: user, password }),
  }
}

function show({ host, answers, exchanged, trouble }: FetchRecord): string {
  const lines = answers.map(({ asked, said }) => `${host}: ${asked}: ${printable(said)}`)
  if (exchanged) lines.push(`${host}: what there was has come over the connection`)
  if (trouble !== undefined) lines.push(`${host}: ${printable(trouble)}`)
  return lines.map(line => `${line}\n`).join('')
}
