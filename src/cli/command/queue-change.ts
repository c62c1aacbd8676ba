/**
 * Orders about the queue: what would be changed is shown, a person is asked, and then it is done, a piece
 * at a time, so that an interrupt leaves no piece half done and the same command goes on with the rest.
 */
import type { Command } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import type { QueueOrder, QueuePreview, QueueSelection } from '../../server/operation.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face } from '../face.ts'
import { formatWhen, json } from '../print.ts'
import { showItems } from '../show-queue.ts'

interface ChangeOptions extends CommonOptions {
  readonly all?: boolean
  readonly yes?: boolean
  readonly bounce?: boolean
  readonly set?: string
  readonly via?: string
}

interface Verb {
  readonly name: string
  readonly what: string
  /** What has become of a recipient. */
  readonly done: string
  readonly order: (options: ChangeOptions) => QueueOrder
}

const VERBS: readonly Verb[] = [
  {
    name: 'retry',
    what: 'try again now, whatever the schedule says',
    done: 'due now',
    order: () => ({ order: 'retry' }),
  },
  {
    name: 'hold',
    what: 'keep it until it is released',
    done: 'held',
    order: () => ({ order: 'hold' }),
  },
  {
    name: 'release',
    what: 'let held mail go on, now',
    done: 'released',
    order: () => ({ order: 'release' }),
  },
  {
    name: 'expire',
    what: 'give it up now; its sender is told',
    done: 'given up',
    order: () => ({ order: 'expire' }),
  },
  {
    name: 'delete',
    what: 'end it; nobody is told, unless --bounce',
    done: 'deleted',
    order: ({ bounce }) => ({ order: bounce === true ? 'bounce' : 'delete' }),
  },
  {
    name: 'priority',
    what: 'set which goes first: --set from -9 to 9',
    done: 'set',
    order: ({ set }) => ({ order: 'priority', priority: priorityOf(set) }),
  },
  {
    name: 'reroute',
    what: 'send it another way, now: --via a hop of outbound.hops, mx, or usual to undo that',
    done: 'rerouted',
    order: ({ via = '' }) => ({ order: 'reroute', via: via === 'usual' ? null : via }),
  },
]

export function addChanges(queue: Command, face: Face): void {
  for (const verb of VERBS) {
    const command = common(queue.command(`${verb.name} [query...]`).description(verb.what))
      .option('--all', 'all that waits')
      .option('--yes', 'without asking')
    if (verb.name === 'delete') command.option('--bounce', 'and tell the sender')
    if (verb.name === 'priority') command.requiredOption('--set <priority>', 'from -9 to 9')
    if (verb.name === 'reroute') command.requiredOption('--via <hop>', 'a hop, mx, or usual')
    command.addHelpText('after', "\n'postrider queue --help' tells what a query may hold.")
    // A term that is turned around begins as an option does.
    command.allowUnknownOption()
    command.action(async (words: readonly string[], options: ChangeOptions) => {
      const selection = {
        query: words.join(' '),
        ...(options.all === true && { all: true }),
      }
      await run(face, options, verb, selection)
    })
  }
}

async function run(
  face: Face,
  options: ChangeOptions,
  verb: Verb,
  selection: QueueSelection,
): Promise<void> {
  const order = { ...selection, ...verb.order(options) }
  const preview = await call(face, options, 'queue.preview', order)
  const { terminal } = face
  const isJson = options.json === true
  if (!isJson) terminal.out(showPreview(verb.name, preview, face.clock.now()))
  if (isJson && options.yes !== true) return terminal.out(json(preview))
  if (!isJson && preview.recipients === 0) return
  if (options.yes !== true) {
    if (!terminal.interactive) {
      throw new ExitError(EXIT.usage, 'nothing was changed: --yes does it without asking')
    }
    const answer = await terminal.ask('do it? [y/N] ', false)
    if (!/^y(?:es)?$/i.test(answer.trim())) return terminal.out('nothing was changed\n')
  }
  const done = await carryOut(face, options, { ...order, moment: preview.moment })
  if (isJson) terminal.out(json({ ...done, carried: preview.carried }))
  else terminal.out(`${showDone(verb, done, preview)}\n`)
}

interface Done {
  readonly changed: number
  readonly passed: number
  /** An interrupt left something to do. */
  readonly stopped: boolean
}

/** Calls until nothing is left, or the user interrupts: `sendmail -q` does it too. */
export async function carryOut(
  face: Face,
  options: CommonOptions,
  order: Parameters<typeof call<'queue.change'>>[3],
): Promise<Done> {
  let stopped = false
  face.terminal.onInterrupt(() => {
    stopped = true
  })
  let changed = 0
  let passed = 0
  for (let asked = order; ; ) {
    const some = await call(face, options, 'queue.change', asked)
    changed += some.changed
    passed += some.passed
    if (some.next === undefined) return { changed, passed, stopped: false }
    if (stopped) return { changed, passed, stopped }
    if (face.terminal.interactive) face.terminal.err(`\r${changed} ... `)
    asked = { ...order, moment: some.moment, after: some.next }
  }
}

function showPreview(name: string, preview: QueuePreview, now: number): string {
  const { recipients, messages, byState, byDomain, others, oldest, items, carried } = preview
  const busy = carried === 0 ? '' : `${count(carried, 'more')} being carried just now: left alone\n`
  if (recipients === 0) return `nothing matches\n${busy}`
  const age = oldest === undefined ? '' : `, the oldest from ${formatWhen(oldest, now)}`
  const states = byState.map(({ state, recipients: n }) => `${n} ${state}`).join(', ')
  const domains = byDomain.map(({ domain, recipients: n }) => `${n} to ${domain}`)
  if (others > 0) domains.push(`${others} to others`)
  const more = recipients - items.length
  return (
    `${name}: ${count(recipients, 'recipient')} of ${count(messages, 'message')}${age}\n` +
    `  ${states}\n  ${domains.join(', ')}\n` +
    showItems(items, now) +
    (more > 0 ? `and ${more} more\n` : '') +
    busy
  )
}

function showDone(
  verb: Verb,
  { changed, passed, stopped }: Done,
  { carried }: QueuePreview,
): string {
  const parts = [`${count(changed, 'recipient')} ${verb.done}`]
  if (passed > 0) parts.push(`${passed} did not wait any more`)
  if (carried > 0) parts.push(`${carried} were being carried`)
  if (stopped) parts.push('the same command goes on with the rest')
  return parts.join('; ')
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 || what === 'more' ? '' : 's'}`
}

function priorityOf(text: string | undefined): number {
  const priority = Number(text)
  if (text !== undefined && /^-?[0-9]$/.test(text)) return priority
  throw new ExitError(EXIT.usage, '--set wants a whole number from -9 to 9')
}
