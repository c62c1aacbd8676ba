/**
 * A scripted SMTP server for tests of the transport: says what it is told to, counts connections,
 * keeps messages. Raw on purpose: it must be able to do what no server should.
 */
import type { Connection, ServerIdentity } from '../world/net.ts'
import type { World } from '../world/world.ts'

export interface Script {
  readonly greeting?: string
  readonly extensions?: readonly string[]
  /** Replies by verb in place of the usual; '' hangs up, 'silence' says nothing ever. */
  readonly replies?: Readonly<Record<string, string | ((line: string, nth: number) => string)>>
  /** Throws away what it has not read when it replies, as some do that offer PIPELINING all the same. */
  readonly flushes?: boolean
  /** Throws away what it has read behind the end of a message. */
  readonly flushesBehind?: boolean
  /** For STARTTLS; without one the handshake fails. */
  readonly identity?: ServerIdentity
}

export class FakeServer {
  readonly messages: string[] = []
  readonly lines: string[] = []
  connections = 0
  open = 0
  openMax = 0
  secured = 0
  /** Messages behind whose end more had come before it was answered. */
  grouped = 0
  #script: Script

  constructor(script: Script = {}) {
    this.#script = script
  }

  set script(script: Script) {
    this.#script = script
  }

  async listen(world: World, port = 25): Promise<void> {
    await world.net.listen({ kind: 'tcp', address: '0.0.0.0', port }, connection =>
      this.#serve(connection),
    )
  }

  #serve(connection: Connection): void {
    const script = this.#script
    const counts = new Map<string, number>()
    let rest = ''
    let content: string | undefined
    let silent = false
    this.connections += 1
    this.open += 1
    this.openMax = Math.max(this.openMax, this.open)
    const reply = (verb: string, line: string, otherwise: string) => {
      if (silent) return
      const nth = (counts.get(verb) ?? 0) + 1
      counts.set(verb, nth)
      // Recipients are counted anew in each transaction.
      if (verb === 'MAIL') counts.delete('RCPT')
      const other = script.replies?.[verb]
      const text = (typeof other === 'function' ? other(line, nth) : other) ?? otherwise
      if (text === 'silence') silent = true
      else if (text === '') connection.destroy()
      else {
        connection.write(`${text}\r\n`)
        if (text.startsWith('354')) content = ''
        if (verb === 'QUIT' || text.startsWith('421')) connection.end()
        if (verb === 'STARTTLS' && text.startsWith('220')) {
          const { identity } = script
          if (identity === undefined) connection.destroy()
          else {
            connection.secure({ side: 'server', identity }).then(
              () => (this.secured += 1),
              () => {},
            )
          }
        }
      }
    }
    const command = (line: string) => {
      this.lines.push(line)
      const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? ''
      reply(verb, line, usual(verb, script))
    }
    connection.open({
      received: octets => {
        rest += Buffer.from(octets).toString('latin1')
        for (;;) {
          const end = rest.indexOf('\r\n')
          if (end < 0) return
          const line = rest.slice(0, end)
          rest = rest.slice(end + 2)
          if (content === undefined) {
            if (script.flushes) rest = ''
            command(line)
          } else if (line !== '.') content += `${line}\r\n`
          else {
            this.messages.push(content)
            content = undefined
            if (rest !== '') this.grouped += 1
            if (script.flushesBehind) rest = ''
            reply('.', line, '250 2.0.0 queued')
          }
        }
      },
      ended: () => connection.end(),
      drained: () => {},
      closed: () => {
        this.open -= 1
      },
    })
    reply('', '', script.greeting ?? '220 mx.test')
  }
}

function usual(verb: string, { extensions = ['PIPELINING', 'SIZE 0'] }: Script): string {
  if (verb === 'EHLO') {
    return ['250-mx.test', ...extensions.map(name => `250-${name}`), '250 HELP'].join('\r\n')
  }
  const others: Readonly<Record<string, string>> = {
    DATA: '354 go',
    QUIT: '221 bye',
    STARTTLS: '220 go',
  }
  return others[verb] ?? '250 ok'
}
