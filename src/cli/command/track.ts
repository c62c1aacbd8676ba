/** `track`: asks a server by MTQP what became of a message that was marked with MTRK (RFC 3887). */
import type { Command } from 'commander'
import { askTracking } from '../../access/mtqp-ask.ts'
import type { TrackResult } from '../../mtqp/client/session.ts'
import { ExitError } from '../../server/exit-error.ts'
import { decodeBase64 } from '../../wire/base64.ts'
import { EXIT } from '../exit.ts'
import type { Face } from '../face.ts'
import { printable } from '../print.ts'
import { connectTo, hostAndPort } from '../server-address.ts'

const PORT = 1038
const TIMEOUT_MS = 30_000

interface TrackFlags {
  readonly server: string
  readonly secret: string
  readonly name?: string
  readonly clear?: boolean
}

export function addTrack(program: Command, face: Face): void {
  program
    .command('track <envelope-id>')
    .description('ask a server what became of a message that was sent with MTRK and this ENVID')
    .requiredOption('--server <host:port>', 'the server; port 1038 unless said')
    .requiredOption('--secret <base64>', 'the secret whose hash the message was marked with')
    .option('--name <name>', 'the name its certificate has, if not that of --server')
    .option('--clear', 'without TLS, even where it is offered')
    .action(async (envelopeId: string, flags: TrackFlags) => {
      const secret = decodeBase64(flags.secret)
      if (secret === undefined) throw new ExitError(EXIT.usage, '--secret is no base64')
      const { host, port } = hostAndPort(flags.server, PORT)
      const connection = await connectTo(host, port, TIMEOUT_MS)
      const startTls = flags.clear !== true
      const asked = { host: flags.name ?? host, envelopeId, secret, startTls }
      const result = await askTracking(face.clock, connection, asked)
      if (result.kind === 'found') face.terminal.out(result.part.replaceAll('\r\n', '\n'))
      else throw errorOf(result)
    })
}

function errorOf(result: Exclude<TrackResult, { kind: 'found' }>): ExitError {
  if (result.kind === 'lost') return new ExitError(EXIT.unavailable, result.why)
  const line = printable(result.line)
  if (/^-ERR\/noinfo/i.test(line)) return new ExitError(EXIT.noUser, line)
  const named = /\/bad-fqdn/i.test(line)
  const hint = '; --name NAME gives the name of its certificate, --clear asks without TLS'
  return new ExitError(named ? EXIT.noHost : EXIT.tempFail, named ? `${line}${hint}` : line)
}
