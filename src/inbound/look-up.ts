/**
 * VRFY and EXPN (RFC 5321 §3.5), where a listener answers them: who somebody is here, and who is behind
 * an alias. Called by reception.ts alone. A name without a domain means the one address that has it.
 */
import type { Directory, Resolution } from '../account/directory.ts'
import { type Address, formatAddress, formatPath } from '../mail/address.ts'
import { accept, refuse, type Verdict } from '../mail/verdict.ts'
import { parseMailbox } from '../smtp/path.ts'

/** What a listener does with VRFY: 252 always, the truth, or 502. */
export type Verifying = 'unsure' | 'answer' | 'refuse'

const AMBIGUOUS = refuse(553, '1.4', 'the name is ambiguous here; say it with a domain')
const SWITCHED_OFF = refuse(502, '5.1', 'VRFY is switched off here')

/** VRFY (§4.1.1.6). `relays`: whether the peer may send mail elsewhere, so that 252 is true of it. */
export async function verifyName(
  directory: Directory,
  verifying: Verifying,
  text: string,
  relays: boolean,
): Promise<Verdict> {
  // §7.3: nobody learns by it who is here, unless the operator wants it so.
  if (verifying === 'unsure') return accept()
  if (verifying === 'refuse') return SWITCHED_OFF
  const found = await find(directory, text)
  if ('code' in found) return found
  const { address, resolution } = found
  const name = formatAddress(address)
  switch (resolution.kind) {
    case 'account':
    case 'alias':
      return accept(formatPath(address))
    case 'disabled':
      return refuse(550, '2.1', `${name}: mailbox is disabled for now`)
    case 'unknown':
      return refuse(550, '1.1', `${name}: no such mailbox here`)
    case 'foreign':
      return relays ? accept() : refuse(550, '7.1', `${name}: not a mailbox here`)
  }
}

/** EXPN (§4.1.1.7): the targets of an alias, one a line, as they were written. */
export async function expandName(directory: Directory, text: string): Promise<Verdict> {
  const found = await find(directory, text)
  if ('code' in found) return found
  const { address, resolution } = found
  const name = formatAddress(address)
  if (resolution.kind === 'alias' && resolution.via === 'alias') {
    return accept(resolution.targets.map(formatPath).join('\n'))
  }
  if (resolution.kind === 'unknown' || resolution.kind === 'foreign') {
    return refuse(550, '1.1', `${name}: no such list here`)
  }
  return refuse(550, '2.4', `${name}: that is a mailbox, not a list`)
}

interface Found {
  readonly address: Address
  readonly resolution: Resolution
}

type Refusal = Extract<Verdict, { kind: 'refuse' }>

/** `joe`, `joe@example.org`, `<joe@example.org>` or `Joe <joe@example.org>`. */
async function find(directory: Directory, text: string): Promise<Found | Refusal> {
  const written = /<([^<>]+)>$/.exec(text)?.[1] ?? text
  const address = parseMailbox(written) ?? (await byLocalPart(directory, written))
  if (address === 'ambiguous') return AMBIGUOUS as Refusal
  if (address === undefined) return refuse(550, '1.1', 'no such name here') as Refusal
  return { address, resolution: await directory.resolve(address) }
}

async function byLocalPart(
  directory: Directory,
  local: string,
): Promise<Address | 'ambiguous' | undefined> {
  if (local.includes('@') || local.length > 64) return undefined
  const [first, second] = await directory.namesakes(local)
  if (second !== undefined) return 'ambiguous'
  if (first !== undefined) return first
  return local.toLowerCase() === 'postmaster' ? { local: 'postmaster', domain: '' } : undefined
}
