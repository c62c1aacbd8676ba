/**
 * Address lists of header fields: `From:`, `To:` and their like (RFC 5322 §3.4 and §4.4, RFC 6532).
 *
 * Called to see who a message says it is from, and by the command line to read recipients. It
 * reads once from left to right with counters in place of recursion, so hostile nesting costs
 * nothing. What it cannot read it skips to the next comma and names as a fault; it never guesses
 * an address out of a display name, a comment or an encoded-word.
 */
import { type Address, formatAddress } from '../mail/address.ts'
import { decodeWords, encodeWords, isPlainText } from './encoded-word.ts'
import { Lexer, type Token } from './token.ts'

export interface Mailbox {
  /** The display name decoded for people; '' where there is none. */
  readonly name: string
  readonly address: Address
  /** The obs-route that stood before the address, `@a,@b`; only of a raw reading. */
  readonly route?: string
}

export interface Group {
  readonly name: string
  readonly members: readonly Mailbox[]
}

export interface AddressList {
  readonly entries: readonly (Mailbox | Group)[]
  /** Every mailbox, those of groups too, in order. */
  readonly mailboxes: readonly Mailbox[]
  /** What was wrong first, if anything: then the list is not to be trusted as a whole. */
  readonly fault?: string
}

/** More addresses than this in one field are not read unless the caller wants them. */
const MAILBOXES_MAX = 100_000

interface State {
  readonly lexer: Lexer
  readonly entries: (Mailbox | Group)[]
  readonly mailboxes: Mailbox[]
  /** How a display name is read: decoded for people, or left as it stands. */
  readonly name: (text: string) => string
  /** Whether a domain keeps its capitals, which mean nothing. */
  readonly raw: boolean
  /** The domain of a name without one; undefined where such a name is a fault. */
  readonly origin: string | undefined
  /** Whether `<>` is nobody's address rather than a fault. */
  readonly empty?: boolean
  fault: string | undefined
}

function blame(state: State, fault: string): void {
  state.fault ??= fault
}

/**
 * The text of a phrase: its words with the spaces that stood between them (RFC 5322 §3.2.5,
 * §4.1: obs-phrase has dots). A quoted string counts as its content.
 */
function phrase(state: State, words: readonly Token[]): string {
  let text = ''
  for (const word of words) text += `${word.spaced && text !== '' ? ' ' : ''}${word.text}`
  return state.name(text).trim()
}

/**
 * ```
 * local-part = dot-atom / quoted-string / obs-local-part      obs-local-part = word *("." word)
 * domain     = dot-atom / domain-literal / obs-domain         obs-domain     = atom *("." atom)
 * ```
 */
function addrSpec(
  tokens: readonly Token[],
  { raw, origin }: Pick<State, 'raw' | 'origin'>,
): Address | undefined {
  const at = tokens.findIndex(token => token.kind === '@')
  // `From: root` is no address, but it says who wrote.
  if (at < 0 && origin !== undefined) return localOnly(tokens, origin)
  if (at < 1) return undefined
  const local = dotted(tokens.slice(0, at), true)
  const rest = tokens.slice(at + 1)
  const only = rest.length === 1 ? rest[0] : undefined
  const domain = only?.kind === 'literal' ? only.text.replace(/\s/g, '') : dotted(rest, false)
  if (local === undefined || domain === undefined) return undefined
  return { local, domain: raw || only?.kind === 'literal' ? domain : domain.toLowerCase() }
}

function localOnly(tokens: readonly Token[], domain: string): Address | undefined {
  const local = dotted(tokens, true)
  return local === undefined ? undefined : { local, domain }
}

/**
 * Words with exactly one dot between each two of them. A tab in quotes is folding space (RFC 5322 §3.2.4), and no path
 * of RFC 5321 §4.1.2 has one.
 */
function dotted(tokens: readonly Token[], quotes: boolean): string | undefined {
  if (tokens.length % 2 === 0) return undefined
  let text = ''
  for (const [i, token] of tokens.entries()) {
    const wanted = i % 2 === 1 ? '.' : token.kind === 'quoted' && quotes ? 'quoted' : 'atom'
    if (token.kind !== wanted) return undefined
    text += token.text.replaceAll('\t', ' ')
  }
  return text
}

/** Reads on behind `<`: an optional obs-route, an addr-spec and `>` (RFC 5322 §4.4 obs-angle-addr). */
function angleAddress(state: State): Pick<Mailbox, 'address' | 'route'> | undefined {
  const tokens: Token[] = []
  let route: string | undefined
  for (;;) {
    const token = state.lexer.next()
    if (token.kind === '>') break
    // A route `@a,@b:` before the address leads nowhere (RFC 5321 §4.1.1.3); who hands the list on is told of it.
    const inRoute = tokens[0]?.kind === '@' && route === undefined
    if (token.kind === ':' && inRoute) {
      route = state.raw ? routeOf(tokens) : ''
      tokens.length = 0
    } else if (inRoute && token.kind === ',') {
      if (state.raw) tokens.push(token)
    } else if (token.kind === 'comment') {
    } else if (token.kind === 'end' || token.kind === ',' || token.kind === ';') {
      state.lexer.back(token)
      return undefined
    } else if (token.kind === ':' || token.kind === '<') {
      return undefined
    } else tokens.push(token)
  }
  if (tokens.length === 0 && state.empty === true) return { address: { local: '', domain: '' } }
  const address = addrSpec(tokens, state)
  return address && (route ? { address, route } : { address })
}

/** obs-domain-list without its spaces and comments; its empty places go too. */
function routeOf(tokens: readonly Token[]): string {
  const text = tokens.map(each => each.text).join('')
  return text.replace(/,+(?=,|$)/g, '')
}

/** Skips to the `,` or `;` that ends a broken element. */
function skipElement(state: State): Token {
  for (;;) {
    const token = state.lexer.next()
    if (token.kind === ',' || token.kind === ';' || token.kind === 'end') return token
  }
}

/** What one element was: a mailbox, the opening of a group, nothing, or broken. */
interface Element {
  readonly mailbox?: Mailbox
  readonly group?: string
  /** The token behind it: `,`, `;` or the end; `:` behind the name of a group. */
  readonly last: Token
}

/** Behind `name <address>` only comments may follow. */
function afterAngle(state: State, mailbox: Mailbox): Element {
  let token = state.lexer.next()
  while (token.kind === 'comment') token = state.lexer.next()
  if (token.kind === ',' || token.kind === ';' || token.kind === 'end') {
    return { mailbox, last: token }
  }
  blame(state, 'text behind an address')
  return { last: skipElement(state) }
}

/** `mailbox / group-name ":" / nothing`, up to the separator behind it. */
function element(state: State): Element {
  const words: Token[] = []
  let comment = ''
  for (;;) {
    const token = state.lexer.next()
    switch (token.kind) {
      case 'comment':
        comment = token.text
        break
      case '<': {
        const found = angleAddress(state)
        if (found !== undefined && words.every(word => word.kind !== '@')) {
          return afterAngle(state, { name: phrase(state, words), ...found })
        }
        blame(state, 'a malformed address in angle brackets')
        return { last: skipElement(state) }
      }
      case ':':
        if (words.length > 0 && words.every(word => word.kind !== '@')) {
          return { group: phrase(state, words), last: token }
        }
        blame(state, 'a colon without a group name')
        return { last: skipElement(state) }
      case ',':
      case ';':
      case 'end':
        return bare(state, words, comment, token)
      case '>':
      case 'junk':
        blame(state, 'a character that no address has')
        return { last: skipElement(state) }
      case 'atom':
      case 'quoted':
      case 'literal':
      case '.':
      case '@':
        words.push(token)
        break
    }
  }
}

/** `joe@example.org (Joe)`: the name is in the comment, by old custom. Empty elements are legal (§4.4). */
function bare(state: State, words: readonly Token[], comment: string, last: Token): Element {
  if (words.length === 0) return { last }
  const address = addrSpec(words, state)
  if (address === undefined) {
    blame(state, 'words that are no address')
    return { last }
  }
  return { mailbox: { name: state.name(comment).trim(), address }, last }
}

/** What is left of a value once it is unfolded and tabs are allowed for. */
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f]/g

/**
 * Reads the value of a field, folded or not. Linear; never throws. At `mailboxesMax` addresses it
 * stops with a fault.
 */
export function parseAddressList(text: string, mailboxesMax = MAILBOXES_MAX): AddressList {
  return read(text, mailboxesMax, { name: decodeWords, raw: false, origin: undefined })
}

/** The same as programs of one machine write it: a name without a domain (`root (Cron Daemon)`) is of `origin`. */
export function parseLocalAddressList(text: string, origin: string): AddressList {
  return read(text, MAILBOXES_MAX, { name: decodeWords, raw: false, origin })
}

/** The same of authors: without a domain it is '', and in `MAILER-DAEMON <>` all of the address is. */
export function parseNamelessAddressList(text: string, mailboxesMax: number): AddressList {
  return read(text, mailboxesMax, { name: decodeWords, raw: false, origin: '', empty: true })
}

/**
 * The same with names and domains as they stand, encoded-words and all, for who hands them on; where there is no
 * domain it is ''.
 */
export function parseRawAddressList(text: string, mailboxesMax = MAILBOXES_MAX): AddressList {
  return read(text, mailboxesMax, { name: text => text, raw: true, origin: '' })
}

function read(
  text: string,
  mailboxesMax: number,
  way: Pick<State, 'name' | 'raw' | 'origin' | 'empty'>,
): AddressList {
  const unfolded = text.replace(/\r?\n(?=[ \t])/g, '')
  const printable = unfolded.replace(CONTROLS, ' ')
  const lexer = new Lexer(printable)
  const state: State = { lexer, entries: [], mailboxes: [], ...way, fault: undefined }
  // With its controls made spaces no address can carry a line end into another field.
  if (printable !== unfolded) blame(state, 'a control character')
  let group: { name: string; members: Mailbox[] } | undefined
  for (;;) {
    const { mailbox, group: opened, last } = element(state)
    if (mailbox !== undefined) {
      state.mailboxes.push(mailbox)
      if (group === undefined) state.entries.push(mailbox)
      else group.members.push(mailbox)
    }
    if (opened !== undefined) {
      // Groups do not nest (RFC 5322 §3.4): a second name is a fault, its members stay here.
      if (group !== undefined) blame(state, 'a group within a group')
      else {
        group = { name: opened, members: [] }
        state.entries.push(group)
      }
    }
    if (last.kind === ';') {
      if (group === undefined) blame(state, 'a semicolon outside a group')
      group = undefined
    }
    if (last.kind === 'end') break
    if (state.mailboxes.length >= mailboxesMax || state.entries.length >= mailboxesMax) {
      blame(state, 'too many addresses')
      break
    }
  }
  if (group !== undefined) blame(state, 'a group without its end')
  if (lexer.unclosed) blame(state, 'an open quote, comment or bracket')
  const { entries, mailboxes, fault } = state
  return fault === undefined ? { entries, mailboxes } : { entries, mailboxes, fault }
}

/** Words of atoms: a display name that needs no quotes. */
const ATOMS = /^[\w!#$%&'*+\-/=?^`{|}~]+(?: [\w!#$%&'*+\-/=?^`{|}~]+)*$/
/** A longer word cannot be folded, so the name is written as encoded-words. */
const LONG_WORD = /[^ ]{60}/

/** A display name as atoms, as a quoted string, or as encoded-words; any text is safe. */
export function formatPhrase(name: string): string {
  if (!isPlainText(name) || LONG_WORD.test(name)) return encodeWords(name)
  if (ATOMS.test(name)) return name
  return `"${name.replace(/["\\]/g, '\\$&')}"`
}

/** `Name <address>`, or the bare address. The address is UTF-8 where it must be (RFC 6532 §3.2). */
export function formatMailbox(mailbox: Mailbox): string {
  const address = formatAddress(mailbox.address)
  return mailbox.name.trim() === '' ? address : `${formatPhrase(mailbox.name.trim())} <${address}>`
}

/** The whole list, unfolded, with `, ` between its entries. */
export function formatAddressList(entries: readonly (Mailbox | Group)[]): string {
  return entries
    .map(entry =>
      'members' in entry
        ? `${formatPhrase(entry.name)}: ${entry.members.map(formatMailbox).join(', ')};`
        : formatMailbox(entry),
    )
    .join(', ')
}
