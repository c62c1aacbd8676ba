/**
 * Placeholders in arguments of programs and paths of files: `{user}` and its kin, put in as they are, once,
 * into one argument or one part of a path. What is put in is a stranger's word: an argument that would begin
 * with `-` by it, and a part of a path that would lead elsewhere, are refused.
 */
import { canonicalDomain, canonicalLocal } from '../account/address.ts'
import { type Address, formatAddress } from '../mail/address.ts'
import { NOBODY } from './mail-text.ts'

/** What is known of a delivery. */
export interface Delivering {
  readonly id: string
  readonly sender: Address | null
  readonly recipient: Address
  /** What parts a local part from its detail; '' where nothing does. */
  readonly separator: string
}

/** In arguments; `{recipients}` alone is as many arguments as there are recipients. */
export const PLACEHOLDERS = [
  'sender',
  'recipient',
  'local',
  'user',
  'detail',
  'domain',
  'node',
  'id',
] as const
/** In paths. */
export const PATH_PLACEHOLDERS = ['local', 'user', 'detail', 'domain', 'node'] as const

type Placeholder = (typeof PLACEHOLDERS)[number]

const IN_BRACES = /\{([a-z]+)\}/g
const CONTROL = /[\u0000-\u001f\u007f]/

/** The names in braces that a text asks for. */
export function placeholdersIn(text: string): readonly string[] {
  return [...text.matchAll(IN_BRACES)].map(([, name = '']) => name)
}

function valuesOf({ id, sender, recipient, separator }: Delivering): Record<Placeholder, string> {
  const { local, domain } = recipient
  const cut = separator === '' ? -1 : local.indexOf(separator, 1)
  return {
    id,
    sender: sender === null ? NOBODY : formatAddress(sender),
    recipient: formatAddress(recipient),
    local,
    user: cut < 0 ? local : local.slice(0, cut),
    detail: cut < 0 ? '' : local.slice(cut + 1),
    domain,
    node: domain.split('.')[0] ?? '',
  }
}

/** The arguments; undefined where one of them would be another than was meant. */
export function fillArguments(
  argv: readonly string[],
  deliveries: readonly [Delivering, ...Delivering[]],
): readonly string[] | undefined {
  const [first] = deliveries
  const filled: string[] = []
  for (const argument of argv) {
    const several = argument === '{recipients}'
    for (const delivering of several ? deliveries : [first]) {
      const text = several
        ? formatAddress(delivering.recipient)
        : fill(argument, valuesOf(delivering))
      if (text === undefined || CONTROL.test(text)) return undefined
      // An option is what the config has written, never what an address has.
      if (text.startsWith('-') && !argument.startsWith('-')) return undefined
      filled.push(text)
    }
  }
  return filled
}

/** The path, its addresses in canonical form; undefined where a part of it would lead elsewhere. */
export function fillPath(path: string, delivering: Delivering): string | undefined {
  const { local, domain } = delivering.recipient
  const recipient = { local: canonicalLocal(local), domain: canonicalDomain(domain) }
  const values = valuesOf({ ...delivering, recipient })
  for (const name of placeholdersIn(path) as Placeholder[]) {
    const value = values[name]
    const safe = /^[^/\\.\u0000-\u001f\u007f][^/\\\u0000-\u001f\u007f]{0,200}$/u.test(value)
    if (!safe) return undefined
  }
  return fill(path, values)
}

function fill(text: string, values: Readonly<Record<string, string>>): string | undefined {
  let known = true
  const filled = text.replace(IN_BRACES, (_whole, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined) known = false
    return value ?? ''
  })
  return known ? filled : undefined
}
