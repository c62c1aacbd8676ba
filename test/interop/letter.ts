/**
 * Hands a message in word by word, with whatever parameters a test wants, and watches in the
 * server's log (at level debug) what becomes of its recipients.
 */
import type { Server } from '../kit/server.ts'
import { until } from './program.ts'

export interface Letter {
  /** Each an address, or an address with parameters of RCPT behind it: `a@b.test NOTIFY=NEVER`. */
  readonly to: readonly string[]
  /** Parameters of MAIL. */
  readonly mail?: string
  readonly from?: string
  /** Line ends are CRLF; without one a small letter is made. */
  readonly content?: string | Buffer
  readonly chunked?: boolean
}

/** Submits over TLS, logged in as the first account; resolves with our id of it. */
export async function post(server: Server, letter: Letter): Promise<string> {
  const dialogue = await server.submission()
  const expect = async (code: number, command: string) => {
    const reply = await dialogue.command(command)
    if (reply.code !== code) throw new Error(`${command}: ${reply.text}`)
    return reply.text
  }
  const from = letter.from ?? server.account(0).address
  await expect(250, `MAIL FROM:<${from}>${letter.mail ? ` ${letter.mail}` : ''}`)
  for (const to of letter.to) {
    const [, address, more] = /^(\S+)(.*)$/.exec(to) as RegExpExecArray
    await expect(250, `RCPT TO:<${address}>${more}`)
  }
  const made = `From: ${from}\r\nTo: someone\r\nSubject: letter\r\n\r\n.\r\nHello\r\n`
  const content = Buffer.from(letter.content ?? made)
  let accepted: string
  if (letter.chunked) {
    await dialogue.send(`BDAT ${content.length} LAST\r\n`)
    await dialogue.send(content)
    accepted = (await dialogue.reply()).text
  } else {
    await expect(354, 'DATA')
    await dialogue.send(stuffed(content))
    accepted = await expect(250, '.')
  }
  await dialogue.command('QUIT')
  dialogue.end()
  const id = /queued as (\S+)/.exec(accepted)?.[1]
  if (id === undefined) throw new Error(accepted)
  return id
}

/** Dots doubled at line starts (RFC 5321 §4.5.2). */
export function stuffed(content: Buffer): Buffer {
  return Buffer.from(content.toString('latin1').replace(/(^|\r\n)\./g, '$1..'), 'latin1')
}

/** What the log says of a recipient. */
export interface Said {
  readonly recipient: string
  readonly state: string
  readonly status: string
  readonly reason: string
}

/** Every event of a message's recipients so far. */
export function said(server: Server, id: string, recipient?: string): Said[] {
  return server.log
    .filter(line => line.includes(id) && line.includes('"event":"recipient"'))
    .map(line => JSON.parse(line) as Said)
    .filter(event => recipient === undefined || event.recipient === recipient)
}

/** Waits until a recipient is in one of the states. */
export function becomes(
  server: Server,
  id: string,
  recipient: string,
  state: string | readonly string[],
  timeoutMs = 8_000,
): Promise<Said> {
  const states = typeof state === 'string' ? [state] : state
  return until(
    `${recipient} ${states.join(' or ')}`,
    () => said(server, id, recipient).findLast(event => states.includes(event.state)),
    timeoutMs,
  )
}
