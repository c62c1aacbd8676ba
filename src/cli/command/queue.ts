/** `queue`: what is on its way, why it is not there yet, and the power to hurry, hold or end it. */
import type { Command } from 'commander'
import { AMOUNT_FIELDS, CHOICE_FIELDS, TEXT_FIELDS } from '../../queue/query.ts'
import { ExitError } from '../../server/exit-error.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { facts, printable } from '../print.ts'
import { showExplanations, showMessage } from '../show.ts'
import { showItems } from '../show-queue.ts'
import { addChanges } from './queue-change.ts'

interface ListOptions extends CommonOptions {
  readonly limit: string
  readonly after?: string
}

export function addQueue(program: Command, face: Face): void {
  const queue = program
    .command('queue')
    .description('mail that is on its way')
    .addHelpText('after', queryHelp)
  addList(queue, face)
  common(queue.command('show <message>').description('a message, its recipients and attempts'))
    .option('--content', 'and the message itself')
    .action(async (message: string, options: CommonOptions & { content?: boolean }) => {
      const content = options.content === true
      const shown = await call(face, options, 'queue.show', { message, content })
      print(face, options, shown, value => showMessage(value, face.clock.now()))
      if (options.json !== true && shown.content !== undefined) {
        face.terminal.out(`\n${printable(Buffer.from(shown.content, 'latin1').toString(), true)}`)
      }
    })
  common(
    queue
      .command('why <message-or-address>')
      .description('why mail is where it is, and what happens next'),
  ).action(async (subject: string, options: CommonOptions) => {
    const { explanations } = await call(face, options, 'queue.why', { subject })
    print(face, options, explanations, list => showExplanations(list, face.clock.now()))
  })
  addChanges(queue, face)
}

function addList(queue: Command, face: Face): void {
  common(queue.command('list [query...]', { isDefault: true }).description('list what waits'))
    .option('--limit <count>', 'at most so many', '100')
    .option('--after <place>', 'the page behind this place')
    .allowUnknownOption()
    .action(async (words: readonly string[], options: ListOptions) => {
      const input = { query: words.join(' '), limit: limitOf(options), ...placeOf(options) }
      const listed = await call(face, options, 'queue.list', input)
      print(face, options, listed, ({ items, total, next }) => {
        const empty = words.length === 0 ? 'the queue is empty\n' : 'nothing matches\n'
        const place = next === undefined ? '' : `--after ${next.messageId}/${next.n}`
        return (
          (items.length === 0 ? empty : showItems(items, face.clock.now())) +
          (next === undefined ? '' : `of ${total} in all; the next page: ${place}\n`)
        )
      })
    })
}

function limitOf(options: ListOptions): number {
  const limit = Number(options.limit)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 100_000) return limit
  throw new ExitError(EXIT.usage, '--limit wants a whole number from 1 to 100000')
}

/** `ID/N`, as the page before has told it. */
function placeOf({ after }: ListOptions): { after?: { messageId: string; n: number } } {
  if (after === undefined) return {}
  const [, messageId = '', n] = /^([0-9a-v]+)\/(\d{1,9})$/.exec(after) ?? []
  if (n !== undefined) return { after: { messageId, n: Number(n) } }
  throw new ExitError(EXIT.usage, '--after wants a place as a page before has told it')
}

function queryHelp(): string {
  const fields: [string, string][] = []
  for (const [name, what] of Object.entries(TEXT_FIELDS)) fields.push([`  ${name}:`, what])
  for (const [name, words] of Object.entries(CHOICE_FIELDS)) {
    fields.push([`  ${name}:`, words.join(', ')])
  }
  for (const [name, { what, unit }] of Object.entries(AMOUNT_FIELDS)) {
    fields.push([`  ${name}${unit === 'count' ? ': < >' : '< >'}`, what])
  }
  return `
A query is one word or more that all must match, best in single quotes:

  postrider queue list 'to:*@example.org state:deferred age>1h'
  postrider queue hold 'from:(a@example.net b@example.net) !reason:"mailbox full" size>10MB'

${facts(fields)}
* is anything, \\* itself; ~ in front means any part; (a b) is one of them; ! or - turns a term around.
Where no state is named, all that waits is meant. A word alone is a message's id.
`
}
