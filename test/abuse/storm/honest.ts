/**
 * The process of those who may come in: logs in where it is told to, over a connection of its own each time, and says
 * how long each step took. Alone in its process, so that no wait is its own. Started by ../login-storm.ts.
 */
import { randomBytes } from 'node:crypto'
import { clientMechanism } from '../../../src/sasl/registry.ts'
import { stretching } from '../../../src/sasl/scripted.ts'
import { Dialogue } from '../../kit/dialogue.ts'

export interface Entry {
  readonly door: string
  readonly port: number
  readonly address: string
  readonly password: string
  /** The address it comes from. */
  readonly from: string
}

/** How long each step of a login took, ms; `later`: how often it was told to come later. */
export interface Entered {
  readonly door: string
  readonly totalMs: number
  readonly later: number
  readonly steps: Readonly<Record<string, number>>
  readonly why?: string
}

const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Logs in; the last line of the server. */
async function logIn(
  dialogue: Dialogue,
  { door, address, password }: Entry,
  step: (name: string) => void,
): Promise<string> {
  if (door.startsWith('submission')) {
    await dialogue.reply()
    step('greeting')
    await dialogue.command('EHLO client.example')
    step('hello')
    if (door === 'submissions')
      return dialogue.ask(`AUTH PLAIN ${base64(`\0${address}\0${password}`)}`)
    return scram(dialogue, address, password)
  }
  await dialogue.line()
  step('greeting')
  if (door.startsWith('imap')) return dialogue.ask(`a LOGIN ${address} ${password}`)
  await dialogue.ask(`USER ${address}`)
  step('hello')
  return dialogue.ask(`PASS ${password}`)
}

/** In the clear a password is not said. */
async function scram(dialogue: Dialogue, username: string, password: string): Promise<string> {
  const name = 'SCRAM-SHA-256'
  const mechanism = clientMechanism(name)
  if (mechanism === undefined) throw new Error(name)
  const context = {
    chance: (octets: number) => randomBytes(octets),
    ...{ offered: [name], hostname: 'localhost', service: 'smtp' as const },
  }
  const rounds = stretching(mechanism.start({ username, password }, context))
  const response = (challenge: Uint8Array) => {
    const { value } = rounds.next(challenge)
    return Buffer.from(value instanceof Uint8Array ? value : []).toString('base64')
  }
  let heard = await dialogue.ask(`AUTH ${name} ${response(new Uint8Array(0))}`)
  while (heard.startsWith('334 '))
    heard = await dialogue.ask(response(Buffer.from(heard.slice(4), 'base64')))
  return heard
}

const TLS: readonly string[] = ['imaps', 'pop3s', 'submissions']
const SUCCESS = /^a OK|^\+OK|^235/
const LATER = /UNAVAILABLE|SYS\/TEMP|^454/
const GOODBYE: readonly [string, string][] = [
  ['imap', 'b LOGOUT'],
  ['pop3', 'QUIT'],
  ['submission', 'QUIT'],
]

async function enter(entry: Entry): Promise<Entered> {
  const begun = performance.now()
  for (let later = 0; ; later++) {
    const steps: Record<string, number> = {}
    let last = performance.now()
    const step = (name: string) => {
      const now = performance.now()
      steps[name] = now - last
      last = now
    }
    let said = ''
    try {
      const dialogue = await Dialogue.connect(entry.port, { from: entry.from, timeoutMs: 60_000 })
      step('connect')
      if (TLS.includes(entry.door)) {
        await dialogue.secure()
        step('secure')
      }
      said = await logIn(dialogue, entry, step)
      step('login')
      const bye = GOODBYE.find(([door]) => entry.door.startsWith(door))?.[1] ?? ''
      void dialogue.send(`${bye}\r\n`)
      void dialogue.closed().then(() => dialogue.end())
    } catch (error) {
      said = String(error)
    }
    const totalMs = performance.now() - begun
    const { door } = entry
    if (SUCCESS.test(said)) return { door, totalMs, later, steps }
    if (!LATER.test(said) || totalMs > 30_000) return { door, totalMs, later, steps, why: said }
  }
}

process.on('message', (entry: Entry) => {
  void enter(entry).then(entered => process.send?.(entered))
})
process.send?.('ready')
