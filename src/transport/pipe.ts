/**
 * The pipe transport: gives a message to a program, with fixed arguments and a fixed environment, never by a
 * shell and never as root, and reads what became of it from its exit code (sysexits.h). What the program
 * says is kept, its first line as the reason. A gateway to UUCP and whatever else has no TCP is made of it.
 */
import { Slots } from '../limit/slots.ts'
import type { Outcome } from '../mail/outcome.ts'
import type { Pipe, Route } from '../route/route.ts'
import type { Source } from '../wire/effect.ts'
import type { Ended } from '../world/programs.ts'
import type { World } from '../world/world.ts'
import { behind, fromLine, traceFields, withLf } from './mail-text.ts'
import { type Delivering, fillArguments } from './placeholder.ts'
import type { Carried, Load, Transport } from './transport.ts'

const OUTPUT_MAX_OCTETS = 4096
const REASON_MAX_CHARS = 300
/** Programs at once, whatever the queue has. */
const AT_ONCE = 20

/** Exit codes that say what is wrong with the mail. All others are mistakes of ours, or troubles that pass: it waits. */
const FAILURES: Readonly<Record<number, readonly [status: string, meaning: string]>> = {
  65: ['5.6.0', 'it does not take what the message holds (EX_DATAERR)'],
  67: ['5.1.1', 'it knows no such user (EX_NOUSER)'],
  68: ['5.1.2', 'it knows no such host (EX_NOHOST)'],
  69: ['5.3.0', 'it does not take it (EX_UNAVAILABLE)'],
  76: ['5.5.0', 'it was not understood (EX_PROTOCOL)'],
  77: ['5.7.0', 'it does not permit it (EX_NOPERM)'],
  // As qmail's programs say it.
  100: ['5.3.0', 'it does not take it (100)'],
}

const TROUBLES: Readonly<Record<number, readonly [status: string, meaning: string]>> = {
  64: ['4.3.5', 'it does not understand its arguments (EX_USAGE)'],
  73: ['4.2.0', 'it cannot write (EX_CANTCREAT)'],
  75: ['4.3.0', 'it asks to be tried again (EX_TEMPFAIL)'],
  78: ['4.3.5', 'it is not set up (EX_CONFIG)'],
  126: ['4.3.5', 'it cannot be run (126)'],
  127: ['4.3.5', 'it is not there (127)'],
}

export function pipeTransport(world: World, separator: () => string): Transport {
  const slots = new Slots(AT_ONCE, Number.POSITIVE_INFINITY)
  return {
    carry: async (load, route) => {
      if (route.kind !== 'pipe') return all(load, deferred('4.3.5', 'not a route to a program'))
      const slotted = await slots.run(() => run(world, load, route, separator()))
      return slotted.kind === 'done'
        ? slotted.value
        : all(load, deferred('4.3.2', 'too many at once'))
    },
    // What goes on after us would do its work once more when it is carried again.
    close: async () => world.programs.endAll(),
  }
}

async function run(
  world: World,
  load: Load,
  route: Extract<Route, { kind: 'pipe' }>,
  separator: string,
): Promise<Carried> {
  const place = `pipe:${route.argv[0]}`
  const { sender, recipients } = load.envelope
  // A program that hands mail on may speak to anybody, in whatever way (RFC 8689 §4.2.1).
  if (sender.requireTls && sender.reversePath !== null && !route.final) {
    const reason = 'it may go on only under verified TLS, and a program gives no proof of it'
    return all(load, { kind: 'failed', status: '5.7.30', reason, place })
  }
  const deliveries = recipients.map(
    ({ forwardPath: recipient }): Delivering => ({
      id: load.id,
      sender: sender.reversePath,
      recipient,
      separator,
    }),
  )
  const safe = deliveries.map(one => fillArguments(route.argv, [one]) !== undefined)
  const [first, ...rest] = deliveries.filter((_one, i) => safe[i])
  const argv = first && fillArguments(route.argv, [first, ...rest])
  const unsafe: Outcome = { kind: 'failed', status: '5.1.3', reason: UNSAFE, place }
  if (argv === undefined) return all(load, unsafe)
  const { outcome, dialogue } = await give(world, load, route, argv)
  const outcomes = safe.map(isSafe => (isSafe ? { ...outcome, place } : unsafe))
  return { outcomes, ...(dialogue !== undefined && { dialogue }) }
}

const UNSAFE =
  'an address of it would be read as an option by the program, or has control characters'

async function give(
  world: World,
  load: Load,
  route: Pipe,
  argv: readonly string[],
): Promise<{ readonly outcome: Outcome; readonly dialogue?: string }> {
  try {
    const ended = await world.programs.run(
      {
        argv,
        environment: { PATH: '/usr/local/bin:/usr/bin:/bin', ...route.environment },
        folder: route.folder ?? '/',
        ...(route.user !== undefined && { user: route.user }),
        timeoutMs: route.timeoutMs,
        outputMax: OUTPUT_MAX_OCTETS,
      },
      inputOf(load, route, world.clock.now()),
    )
    const said = 'output' in ended ? ended.output : ended.reason
    return { outcome: judge(ended, route), dialogue: `$ ${argv.join(' ')}\n${printable(said)}` }
  } catch (error) {
    world.log.warn('source-failed', { message: load.id, reason: String(error) })
    return { outcome: deferred('4.3.0', 'the content of the message could not be read') }
  }
}

/** What the program reads. */
function inputOf(load: Load, route: Pipe, now: number): Source {
  const { reversePath } = load.envelope.sender
  const [recipient] = load.envelope.recipients
  const { fromLine: wanted = false, final = false, lineEnds = 'lf' } = route
  const uucpName = typeof wanted === 'string' ? wanted : undefined
  let front = wanted === false ? '' : `${fromLine(reversePath, now, uucpName)}\n`
  if (final && recipient) front += traceFields(reversePath, recipient.forwardPath)
  const content = load.content()
  if (lineEnds === 'lf') return behind(front, withLf(content))
  return front === '' ? content : behind(front.replaceAll('\n', '\r\n'), content)
}

function judge(ended: Ended, { final = false, timeoutMs }: Pipe): Outcome {
  switch (ended.kind) {
    case 'unstarted':
      return deferred('4.3.5', `the program was not started: ${ended.reason}`)
    case 'timeout': {
      const reason = `the program did not end within ${Math.round(timeoutMs / 1000)} s`
      // It may have done its work all the same.
      return { ...deferred('4.4.7', reason), inDoubt: true }
    }
    case 'signal':
      return { ...deferred('4.3.0', `the program was ended by ${ended.signal}`), inDoubt: true }
    case 'exit':
      break
  }
  const { code, output } = ended
  if (code === 0) {
    const how = final ? ('mailbox' as const) : ('relayed' as const)
    return {
      kind: 'delivered',
      how,
      status: '2.0.0',
      reason: firstLine(output, 'the program took it'),
    }
  }
  const [status, meaning] = FAILURES[code] ?? []
  if (status !== undefined && meaning !== undefined) {
    return { kind: 'failed', status, reason: firstLine(output, meaning) }
  }
  const [trouble, why] = TROUBLES[code] ?? ['4.3.0', `it ended with ${code}`]
  return deferred(trouble, firstLine(output, why))
}

function deferred(status: string, reason: string) {
  return { kind: 'deferred' as const, status, reason }
}

function all({ envelope }: Load, outcome: Outcome): Carried {
  return { outcomes: envelope.recipients.map(() => outcome) }
}

function firstLine(output: string, otherwise: string): string {
  const line = output
    .split('\n')
    .map(text => printable(text).trim())
    .find(text => text !== '')
  return line === undefined ? otherwise : `${otherwise}: ${line.slice(0, REASON_MAX_CHARS)}`
}

/** What a program says may hold anything; what is kept of it is text. */
function printable(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '?')
}
