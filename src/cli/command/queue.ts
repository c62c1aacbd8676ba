/** `queue`: what is on its way, why it is not there yet, and the power to hurry, hold or end it. */
import type { Command } from 'commander'
import type {
  OperationInput,
  QueueItem,
  RecipientState,
  Selection,
} from '../../server/operation.ts'
import { formatSize } from '../../wire/measure.ts'
import { call } from '../call.ts'
import { CommandError, EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { formatSender, formatWhen, printable, table } from '../print.ts'
import { showExplanations, showMessage } from '../show.ts'

interface ListOptions extends CommonOptions {
  readonly state?: string
  readonly domain?: string
  readonly sender?: string
  readonly recipient?: string
  readonly limit?: string
}

interface SelectOptions extends CommonOptions {
  readonly domain?: string
  readonly sender?: string
  readonly recipient?: string
  readonly all?: boolean
  readonly bounce?: boolean
}

const STATES: readonly RecipientState[] = [
  'queued',
  'leased',
  'held',
  'delivered',
  'relayed',
  'expanded',
  'failed',
  'expired',
  'deleted',
]

export function addQueue(program: Command, face: Face): void {
  const queue = program.command('queue').description('mail that is on its way')
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
  addVerb(queue, face, 'retry', 'try again now', 'due now')
  addVerb(queue, face, 'hold', 'keep it until it is released', 'held')
  addVerb(queue, face, 'release', 'let held mail go on', 'released')
  addVerb(queue, face, 'delete', 'end it', 'deleted')
}

function addList(queue: Command, face: Face): void {
  common(queue.command('list', { isDefault: true }).description('list what is on its way'))
    .option('--state <state>', `only in this state: ${STATES.join(', ')}`)
    .option('--domain <domain>', 'only for this domain')
    .option('--sender <address>', 'only from this sender')
    .option('--recipient <address>', 'only for this recipient')
    .option('--limit <count>', 'at most so many', '100')
    .action(async (options: ListOptions) => {
      const listed = await call(face, options, 'queue.list', listInput(options))
      print(face, options, listed, ({ items, total }) => {
        const more = total - items.length
        return (
          (items.length === 0 ? 'the queue is empty\n' : showItems(items, face.clock.now())) +
          (more > 0 ? `and ${more} more: --limit shows them\n` : '')
        )
      })
    })
}

function listInput(options: ListOptions): OperationInput<'queue.list'> {
  const { state, domain, sender, recipient } = options
  const limit = Number(options.limit)
  if (!Number.isInteger(limit) || limit < 1) {
    throw new CommandError(EXIT.usage, '--limit wants a whole number from 1')
  }
  if (state !== undefined && !STATES.includes(state as RecipientState)) {
    throw new CommandError(EXIT.usage, `--state is one of ${STATES.join(', ')}`)
  }
  return {
    limit,
    ...(state !== undefined && { state: state as RecipientState }),
    ...(domain !== undefined && { domain }),
    ...(sender !== undefined && { sender }),
    ...(recipient !== undefined && { recipient }),
  }
}

/** The queue as a table; `mailq` prints it too. */
export function showItems(items: readonly QueueItem[], now: number): string {
  return table(
    ['MESSAGE', 'SIZE', 'AGE', 'STATE', 'NEXT', 'TRIES', 'SENDER', 'RECIPIENT', 'REASON'],
    items.map(item => [
      item.message,
      formatSize(item.sizeOctets),
      formatWhen(item.receivedAt, now).replace(' ago', ''),
      item.state,
      item.state === 'queued' ? (item.dueAt <= now ? 'now' : formatWhen(item.dueAt, now)) : '-',
      String(item.attempts),
      formatSender(item.sender),
      item.address,
      item.reason ?? '-',
    ]),
  )
}

function addVerb(
  queue: Command,
  face: Face,
  verb: 'retry' | 'hold' | 'release' | 'delete',
  what: string,
  done: string,
): void {
  const command = common(queue.command(`${verb} [message]`).description(what))
    .option('--domain <domain>', 'mail for this domain')
    .option('--sender <address>', 'mail from this sender')
    .option('--recipient <address>', 'mail for this recipient')
    .option('--all', 'all mail')
  if (verb === 'delete') command.option('--bounce', 'and tell the sender')
  command.action(async (message: string | undefined, options: SelectOptions) => {
    const input = { ...selection(message, options), ...(options.bounce && { bounce: true }) }
    const result = await call(face, options, `queue.${verb}`, input)
    print(face, options, result, ({ changed }) =>
      changed === 0
        ? 'nothing matches\n'
        : `${changed} recipient${changed === 1 ? '' : 's'} ${done}\n`,
    )
  })
}

/** Refuses to mean everything by saying nothing. */
function selection(message: string | undefined, options: SelectOptions): Selection {
  const { domain, sender, recipient, all } = options
  const chosen: Selection = {
    ...(message !== undefined && { message }),
    ...(domain !== undefined && { domain }),
    ...(sender !== undefined && { sender }),
    ...(recipient !== undefined && { recipient }),
    ...(all === true && { all }),
  }
  if (Object.keys(chosen).length === 0) {
    throw new CommandError(
      EXIT.usage,
      'say which: a message, --domain, --sender, --recipient, or --all',
    )
  }
  return chosen
}
