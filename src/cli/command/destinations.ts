/** `destinations`: what mail waits for beside its time, and the power to stop and to resume it. */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import type { DestinationRecord } from '../../server/operation/destination-record.ts'
import { parseDuration } from '../../wire/measure.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatWhen, table } from '../print.ts'

export function addDestinations(program: Command, face: Face): void {
  const destinations = program
    .command('destinations')
    .description('hosts that are down, rules that hold mail up, and what waits for them')
  common(
    destinations.command('list', { isDefault: true }).description('list what mail waits for'),
  ).action(async (options: CommonOptions) => {
    const { destinations: list } = await call(face, options, 'destination.list', {})
    print(face, options, list, rows => shown(rows, face.clock.now()))
  })
  common(
    destinations
      .command('show <name>')
      .description('one of them: a domain, the name of a rule, or as the list shows it'),
  ).action(async (name: string, options: CommonOptions) => {
    const { destinations: list } = await call(face, options, 'destination.list', { name })
    print(face, options, list, rows =>
      rows.length === 0 ? `nothing keeps mail from ${name}\n` : shown(rows, face.clock.now()),
    )
  })
  common(destinations.command('suspend <name>').description('send nothing there for a while'))
    .requiredOption('--for <duration>', 'how long, such as 2h')
    .option('--reason <text>', 'why, for whoever asks')
    .action(async (name: string, options: CommonOptions & { for: string; reason?: string }) => {
      const forMs = parseDuration(options.for)
      if (forMs === undefined || forMs === 0) {
        throw new ExitError(EXIT.usage, `"${options.for}" is no duration, such as 30m or 2h`)
      }
      const { reason } = options
      const input = { name, forMs, ...(reason !== undefined && { reason }) }
      const row = await call(face, options, 'destination.suspend', input)
      print(face, options, row, one => shown([one], face.clock.now()))
    })
  common(
    destinations
      .command('resume <name>')
      .description('end a suspension, or probe a host that is down now'),
  ).action(async (name: string, options: CommonOptions) => {
    const done = await call(face, options, 'destination.resume', { name })
    print(face, options, done, ({ name: lane, resumed }) =>
      resumed ? `${lane} goes on\n` : `${lane} was not stopped\n`,
    )
  })
}

function shown(rows: readonly DestinationRecord[], now: number): string {
  return table(
    ['NAME', 'STATE', 'SINCE', 'NEXT', 'WAITING', 'REASON'],
    rows.map(({ name, state, since, until, waiting, reason }) => [
      name,
      state,
      formatWhen(since, now),
      until === undefined ? '-' : formatWhen(until, now),
      String(waiting),
      reason ?? '-',
    ]),
    'nothing is held up',
  )
}
