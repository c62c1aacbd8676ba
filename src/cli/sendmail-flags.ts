/**
 * The flags of `sendmail`, as thirty years of callers write them: bundled with their values or
 * not, most of them meaningless here and taken without a word. Read by command/sendmail.ts.
 */
import { ExitError } from '../server/exit-error.ts'
import { EXIT } from './exit.ts'

export interface SendmailFlags {
  readonly mode: 'submit' | 'verify' | 'dialogue' | 'list' | 'flush' | 'nothing'
  /** `-t`: recipients are those of the header. */
  readonly fromHeader: boolean
  /** `-i`: a line with a dot alone is part of the message. */
  readonly dotIsText: boolean
  /** `-f`: the envelope sender; '' is the null reverse-path. */
  readonly sender?: string
  /** `-F`: the full name of the sender. */
  readonly fullName?: string
  readonly verbose: boolean
  /** `-N`, `-R`, `-V`: what DSN (RFC 3461) is asked for. */
  readonly notify?: string
  readonly ret?: 'FULL' | 'HDRS'
  readonly envelopeId?: string
  /** Ours: the data folder of the server. */
  readonly data?: string
  readonly recipients: readonly string[]
}

/** Flags that take a value, in the same argument or the next. */
const WITH_VALUE = 'fFrNRVoOBbCehLpXAdqDM'
/** Of those, the ones whose value may be missing: what follows is another argument. */
const VALUE_OPTIONAL = 'qd'

/** Reads the arguments; throws an `ExitError` for a mode that is not ours. */
export function parseSendmailFlags(args: readonly string[]): SendmailFlags {
  const found: { -readonly [Key in keyof SendmailFlags]: SendmailFlags[Key] } = {
    mode: 'submit',
    fromHeader: false,
    dotIsText: false,
    verbose: false,
    recipients: [],
  }
  const recipients: string[] = []
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string
    if (arg === '--') {
      recipients.push(...args.slice(i + 1))
      break
    }
    if (arg === '--data' || arg.startsWith('--data=')) {
      found.data = arg === '--data' ? (args[++i] ?? '') : arg.slice('--data='.length)
    } else if (arg === '-' || !arg.startsWith('-')) recipients.push(arg)
    else i += flag(arg, args[i + 1], found)
  }
  return { ...found, recipients }
}

type Found = { -readonly [Key in keyof SendmailFlags]: SendmailFlags[Key] }

/** One argument of flags, several in one (`-ti`) perhaps. Gives how many arguments it took beside. */
function flag(arg: string, next: string | undefined, found: Found): 0 | 1 {
  for (let at = 1; at < arg.length; at++) {
    const name = arg[at] as string
    if (!WITH_VALUE.includes(name)) {
      if (name === 't') found.fromHeader = true
      else if (name === 'i') found.dotIsText = true
      else if (name === 'v') found.verbose = true
      // As newaliases: nothing is to be built, and no message comes.
      else if (name === 'I') found.mode = 'nothing'
      continue
    }
    const rest = arg.slice(at + 1)
    if (rest !== '' || VALUE_OPTIONAL.includes(name)) {
      take(name, rest, found)
      return 0
    }
    if (next === undefined) throw new ExitError(EXIT.usage, `-${name} wants a value`)
    take(name, next, found)
    return 1
  }
  return 0
}

function take(name: string, value: string, found: Found): void {
  switch (name) {
    case 'f':
    case 'r':
      found.sender = value.replace(/^<(.*)>$/, '$1')
      return
    case 'F':
      found.fullName = value
      return
    case 'N':
      found.notify = value
      return
    case 'R':
      if (!/^(?:full|hdrs)$/i.test(value)) {
        throw new ExitError(EXIT.usage, '-R takes full or hdrs')
      }
      found.ret = value.toUpperCase() as 'FULL' | 'HDRS'
      return
    case 'V':
      found.envelopeId = value
      return
    case 'o':
      // -oi and -oitrue; the other options of old have no meaning here.
      if (/^i(?:t(?:rue)?|y(?:es)?)?$/i.test(value)) found.dotIsText = true
      return
    case 'O':
      if (/^IgnoreDots(?:=t(?:rue)?)?$/i.test(value)) found.dotIsText = true
      return
    case 'q':
      found.mode = 'flush'
      return
    case 'b':
      found.mode = mode(value)
  }
}

function mode(letter: string): SendmailFlags['mode'] {
  switch (letter) {
    case 'm':
      return 'submit'
    case 'v':
      return 'verify'
    case 's':
      return 'dialogue'
    case 'p':
      return 'list'
    case 'i':
      return 'nothing'
    case 'd':
    case 'D':
      throw new ExitError(EXIT.usage, 'to run the server: postrider start')
    default:
      throw new ExitError(EXIT.usage, `there is no mode -b${letter} here`)
  }
}
