/** `ban`: who is turned away for a while, at every door of every node. */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import type { BanRecord } from '../../server/operation/ban-record.ts'
import { parseDuration } from '../../wire/measure.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatWhen, table } from '../print.ts'

export function addBan(program: Command, face: Face): void {
  const ban = program
    .command('ban')
    .description('addresses that are turned away for a while: after wrong logins, errors, guessing')
  common(
    ban
      .command('list [address]', { isDefault: true })
      .description('list them, or those that an address is in'),
  ).action(async (address: string | undefined, options: CommonOptions) => {
    const input = address === undefined ? {} : { address }
    const { bans } = await call(face, options, 'ban.list', input)
    print(face, options, bans, rows => shown(rows, face.clock.now()))
  })
  common(ban.command('add <network>').description('turn an address or a network away'))
    .option('--for <duration>', 'how long, such as 2h; else as a limit would')
    .option('--reason <text>', 'why, for whoever asks')
    .action(async (network: string, options: CommonOptions & { for?: string; reason?: string }) => {
      const forMs = options.for === undefined ? undefined : parseDuration(options.for)
      if (options.for !== undefined && !forMs) {
        throw new ExitError(EXIT.usage, `"${options.for}" is no duration, such as 30m or 2h`)
      }
      const { reason } = options
      const input = {
        network,
        ...(forMs !== undefined && { forMs }),
        ...(reason !== undefined && { reason }),
      }
      const made = await call(face, options, 'ban.add', input)
      print(face, options, made, row => shown([row], face.clock.now()))
    })
  common(ban.command('lift <network>').description('let an address or a network in again')).action(
    async (network: string, options: CommonOptions) => {
      const done = await call(face, options, 'ban.lift', { network })
      print(face, options, done, ({ lifted }) =>
        lifted.length === 0
          ? `${network} was not banned\n`
          : `${lifted.join(', ')} may come again\n`,
      )
    },
  )
}

function shown(rows: readonly BanRecord[], now: number): string {
  return table(
    ['NETWORK', 'SINCE', 'UNTIL', 'TIMES', 'BY', 'REASON'],
    rows.map(({ network, since, until, level, origin, reason }) => [
      network,
      formatWhen(since, now),
      formatWhen(until, now),
      String(level),
      origin,
      reason,
    ]),
    'nobody is banned',
  )
}
