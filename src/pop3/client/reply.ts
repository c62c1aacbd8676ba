/** A server's reply line as the client reads it (RFC 1939 §3, response codes of RFC 2449 §8). */
import type { Result } from './question.ts'

/** `+OK text` or `-ERR [CODE] text`; anything else breaks the protocol. */
export function serverReply(
  line: string | undefined,
): Extract<Result, { kind: 'ok' | 'refused' | 'broken' }> {
  if (line === undefined) return { kind: 'broken', why: 'a reply is too long' }
  if (/^\+OK(?: |$)/i.test(line)) return { kind: 'ok', text: line.slice(4) }
  if (!/^-ERR(?: |$)/i.test(line)) return { kind: 'broken', why: `no reply: ${line.slice(0, 80)}` }
  const text = line.slice(5)
  const close = text.startsWith('[') ? text.indexOf(']') : -1
  if (close < 0) return { kind: 'refused', text }
  return { kind: 'refused', code: text.slice(1, close).toUpperCase(), text: text.slice(close + 2) }
}
