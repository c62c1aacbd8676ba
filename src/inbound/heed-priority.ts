/**
 * `MT-Priority: priority-value` (RFC 6758): the priority of a message where MAIL has none. Called by heed.ts.
 */
import type { Envelope } from '../mail/envelope.ts'
import type { Header } from '../message/header.ts'
import { Lexer } from '../message/token.ts'
import type { Heeded } from './heed.ts'

export const PRIORITY = 'mt-priority'

/**
 * §3.1: a single, well-formed field counts. The message leaves with one field that says what was decided
 * (§3.3): a hop without MT-PRIORITY finds it there.
 */
export function heedPriority(
  envelope: Envelope,
  header: Header,
  priorityMax: number | undefined,
): Partial<Heeded> {
  if (priorityMax === undefined) return {}
  const found = header.all(PRIORITY)
  // An explicit 0 is what goes without saying, and every client that knows MT-PRIORITY says it.
  if (found.length === 0 && !envelope.sender.priority) return {}
  const told = found.length === 1 && found[0] ? parsePriority(header.text(found[0])) : undefined
  const asked = envelope.sender.priority ?? told ?? 0
  const priority = Math.min(asked, priorityMax)
  const kept = told === priority
  return {
    envelope: { ...envelope, sender: { ...envelope.sender, priority } },
    omitted: kept ? [] : found,
    fields: kept ? '' : `MT-Priority: ${priority}\r\n`,
    ...(priority === asked ? {} : { priorityChangedTo: priority }),
  }
}

/** `[CFWS] priority-value [CFWS]`, with comments as `4 (ultra)`. */
function parsePriority(text: string): number | undefined {
  const lexer = new Lexer(text)
  let value: string | undefined
  for (let token = lexer.next(); token.kind !== 'end'; token = lexer.next()) {
    if (token.kind === 'comment') continue
    if (token.kind !== 'atom' || value !== undefined) return undefined
    value = token.text
  }
  const whole = value !== undefined && !lexer.unclosed && /^(?:0|-?[1-9])$/.test(value)
  return whole ? Number(value) : undefined
}
