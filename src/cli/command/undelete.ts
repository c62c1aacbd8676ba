/** `undelete`: brings back expunged mail, or shows what could be. */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import { formatSize, parseDuration } from '../../wire/measure.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatTime, table } from '../print.ts'

interface UndeleteOptions extends CommonOptions {
  readonly mailbox?: string
  readonly since?: string
  readonly before?: string
}

export function addUndelete(program: Command, face: Face): void {
  const undelete = program
    .command('undelete')
    .description('mail that was deleted, within the window of undelete.keep')
  for (const [verb, what] of [
    ['list', 'show what was deleted and is kept still'],
    ['restore', 'put it back where it was'],
  ] as const) {
    common(undelete.command(`${verb} <address>`).description(what))
      .option('--mailbox <name>', 'only what was in this mailbox')
      .option('--since <time>', 'deleted since: a time ago (2h), or 2026-11-27T08:00Z')
      .option('--before <time>', 'deleted before')
      .action(async (address: string, options: UndeleteOptions) => {
        const selection = {
          address,
          ...(options.mailbox !== undefined && { mailbox: options.mailbox }),
          ...(options.since !== undefined && { since: timeFrom(face, options.since) }),
          ...(options.before !== undefined && { before: timeFrom(face, options.before) }),
        }
        if (verb === 'restore') {
          const done = await call(face, options, 'undelete.restore', selection)
          print(face, options, done, ({ restored }) =>
            restored === 0
              ? 'nothing is kept: nothing is back\n'
              : `${restored} ${restored === 1 ? 'message is' : 'messages are'} back\n`,
          )
          return
        }
        const found = await call(face, options, 'undelete.list', selection)
        print(face, options, found, ({ items, total }) => {
          const rows = items.map(item => [
            item.mailbox,
            formatTime(item.removedAt),
            formatTime(item.receivedAt),
            formatSize(item.sizeOctets),
            item.message,
          ])
          const more = total > items.length ? `... and ${total - items.length} more\n` : ''
          const heading = ['MAILBOX', 'DELETED', 'RECEIVED', 'SIZE', 'MESSAGE']
          return table(heading, rows, 'nothing is kept') + more
        })
      })
  }
}

/** A time ago (`2h`), or a date and time. */
function timeFrom(face: Face, text: string): number {
  const agoMs = parseDuration(text)
  if (agoMs !== undefined) return face.clock.now() - agoMs
  const at = Date.parse(text)
  if (Number.isNaN(at)) {
    throw new ExitError(EXIT.usage, `'${text}' is no time: write 2h, or 2026-11-27T08:00Z`)
  }
  return at
}
