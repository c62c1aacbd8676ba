/** `explain`: the whole decision about a message that is not sent (server/explain), from the session to the schedule. */
import { type Command, Option } from 'commander'
import { ExitError } from '../../server/exit-error.ts'
import type { OperationInput } from '../../server/operation.ts'
import { parseDuration, parseSize } from '../../wire/measure.ts'
import { call } from '../call.ts'
import { EXIT } from '../exit.ts'
import { type CommonOptions, common, type Face, print } from '../face.ts'
import { showExplained } from '../show-explained.ts'

interface ExplainFlags extends CommonOptions {
  readonly from: string
  readonly to: readonly string[]
  readonly ip?: string
  readonly hello?: string
  readonly account?: string
  readonly listener?: 'smtp' | 'submission' | 'local'
  readonly size?: string
  readonly header?: readonly string[]
  readonly at?: string
}

const several = (value: string, all: readonly string[] = []) => [...all, value]

export function addExplain(program: Command, face: Face): void {
  common(
    program
      .command('explain')
      .description('what would become of a message, and why; nothing is sent or kept'),
  )
    .requiredOption('--from <address>', "its sender; '' is the null one")
    .requiredOption('--to <address>', 'a recipient; may be repeated', several)
    .option('--ip <address>', 'from where it comes; else a stranger')
    .option('--hello <name>', 'what the peer calls itself')
    .option('--account <address>', 'who has logged in; it is submitted then')
    .addOption(
      new Option('--listener <name>', 'where it comes in; smtp unless an account is named').choices(
        ['smtp', 'submission', 'local'],
      ),
    )
    .option('--size <size>', 'how large it is, such as 5MB')
    .option('--header <field>', "a field of its header, 'Name: value'; may be repeated", several)
    .option('--at <time>', 'when: 2026-12-24T18:00Z, or in so long, such as 2h')
    .action(async (flags: ExplainFlags) => {
      const output = await call(face, flags, 'explain', inputOf(face, flags))
      print(face, flags, output, showExplained)
    })
}

function inputOf(face: Face, flags: ExplainFlags): OperationInput<'explain'> {
  const { from, to, ip, hello, account, listener, size, header, at } = flags
  const sizeOctets = size === undefined ? undefined : parseSize(size)
  if (size !== undefined && sizeOctets === undefined) {
    throw new ExitError(EXIT.usage, '--size: such as 20000 or 5MB')
  }
  return {
    from: from === '<>' ? '' : from,
    to,
    ...(ip !== undefined && { ip }),
    ...(hello !== undefined && { hello }),
    ...(account !== undefined && { account }),
    ...(listener && { listener }),
    ...(sizeOctets !== undefined && { sizeOctets }),
    ...(header && { header }),
    ...(at !== undefined && { at: timeOf(face, at) }),
  }
}

function timeOf(face: Face, text: string): number {
  const later = parseDuration(text)
  const at = later === undefined ? Date.parse(text) : face.clock.now() + later
  if (Number.isFinite(at)) return at
  throw new ExitError(EXIT.usage, '--at: such as 2026-12-24T18:00Z or 2h')
}
