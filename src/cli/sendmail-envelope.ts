/**
 * Whom a message that `sendmail` takes goes from and to. Programs of this machine write names without a domain, and
 * the machine's own name where they want one; both mean the domain that its mail comes from. Read by
 * command/sendmail.ts; whether an address is anybody is the server's to say.
 */
import type { Address } from '../mail/address.ts'
import type { Notify } from '../mail/envelope.ts'
import { ExitError } from '../server/exit-error.ts'
import { parseMailbox } from '../smtp/path.ts'
import { EXIT } from './exit.ts'
import type { SendmailFlags } from './sendmail-flags.ts'
import { argumentRecipients, headerRecipients } from './sendmail-message.ts'

/** Where it is called. */
export interface Home {
  readonly user: string
  /** The domain of names without one. */
  readonly origin: string
  /** What the system calls itself, in small letters. */
  readonly machine: string
}

/** `-f`, or who calls; `-f ''` is the null reverse-path. */
export function reversePathOf({ sender }: SendmailFlags, home: Home): Address | null {
  return sender === '' ? null : atOrigin(address(sender ?? home.user, home.origin), home)
}

/** Those of the arguments, and of the header where it is asked for; each once. */
export function recipientsOf(
  flags: SendmailFlags,
  message: Buffer,
  home: Home,
): readonly Address[] {
  const { origin } = home
  const listed = flags.fromHeader ? headerRecipients(message, origin) : { addresses: [] }
  if (listed.fault !== undefined) {
    throw new ExitError(EXIT.data, `the header's recipients cannot be read: ${listed.fault}`)
  }
  const named = [...flags.recipients.flatMap(text => addresses(text, origin)), ...listed.addresses]
  if (named.length === 0) {
    throw new ExitError(
      EXIT.usage,
      flags.fromHeader
        ? 'no To, Cc or Bcc in the message names a recipient'
        : 'no recipient: name some, or use -t for those of the header',
    )
  }
  return unique(named.map(one => atOrigin(one, home)))
}

/**
 * `root@localhost` and `root@box` are whoever `root` is: such a name is no domain (RFC 5321 §2.3.5), and programs
 * that ask the system for its name write it.
 */
function atOrigin(address: Address, { origin, machine }: Home): Address {
  const { domain } = address
  const own = domain === machine && !machine.includes('.')
  const loopback = /^localhost(?:\.localdomain)?$/.test(domain)
  return own || loopback ? { ...address, domain: origin } : address
}

function address(text: string, origin: string): Address {
  const qualified = text.includes('@') ? text : `${text}@${origin}`
  const found = parseMailbox(qualified.replace(/^<(.*)>$/, '$1'))
  if (found === undefined) throw new ExitError(EXIT.noUser, `${text} is no address`)
  return found
}

/** What programs pass as one recipient: mostly an address, sometimes several as in a header. */
function addresses(text: string, origin: string): readonly Address[] {
  if (!/[,\s]/.test(text) || parseMailbox(text) !== undefined) return [address(text, origin)]
  const list = argumentRecipients(text, origin)
  if (list.fault !== undefined || list.addresses.length === 0) {
    throw new ExitError(EXIT.noUser, `${text} is no address`)
  }
  return list.addresses
}

function unique(addresses: readonly Address[]): readonly Address[] {
  const seen = new Map(addresses.map(one => [`${one.local}@${one.domain}`, one]))
  return [...seen.values()]
}

/** `-N never` or `-N failure,delay,success`; what is none of them would be silence about what matters. */
export function notifyOf(text: string | undefined): Notify | undefined {
  if (text === undefined) return undefined
  const words = text.toUpperCase().split(',')
  if (words.length === 1 && words[0] === 'NEVER') return 'NEVER'
  const wanted = (['SUCCESS', 'FAILURE', 'DELAY'] as const).filter(word => words.includes(word))
  if (wanted.length === words.length) return wanted
  throw new ExitError(EXIT.usage, '-N takes never, or success, failure and delay')
}
