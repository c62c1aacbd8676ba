/**
 * The SMTP and LMTP client session (RFC 5321, RFC 2033) as a synchronous state machine: octets in,
 * effects out (wire/effect.ts). It reads replies, resumes the phase that waits for them, and owns
 * every unhappy end: silence, a lost connection, 421, a reply out of protocol. Whatever happens,
 * each message it was given gets its outcomes exactly once. Started through world/pump.ts by
 * transport/ and by library users; it chooses no host and retries nothing.
 */
import type { Reply } from '../../mail/status.ts'
import { unanswered } from '../../sasl/exchange.ts'
import type { Lent, Session, Sink, Source, TlsFacts, Transform } from '../../wire/effect.ts'
import type { AsideAnswer, AsideStep } from '../../world/aside.ts'
import { Allowance } from './allowance.ts'
import { Dialogue } from './dialogue.ts'
import { errand } from './errand.ts'
import { Following } from './following.ts'
import { type Ledger, ledgerOf } from './ledger.ts'
import { type Opened, opening, reopening } from './opening.ts'
import { type Probed, probe } from './probe.ts'
import type {
  Carry,
  ClientAnswer,
  ClientEvent,
  ClientQuestion,
  ClientSettings,
  Errand,
  HopFacts,
  Trouble,
} from './question.ts'
import { ReplyReader } from './reply-reader.ts'
import { reset } from './reset.ts'
import { type State, states } from './state.ts'
import { factsOf, lossOf, replyText, type Script, statusOf, type Talk } from './talk.ts'
import { type Aftermath, transaction } from './transaction.ts'

/** What a phase is resumed with where the hop has said nothing. */
const noReply: Reply = { code: 0, lines: [] }

export class ClientSession implements Session<ClientAnswer, ClientEvent>, Talk {
  readonly settings: ClientSettings
  readonly dialogue: Dialogue
  greeting = ''
  extensions: ReadonlyMap<string, string> = new Map()
  tls: TlsFacts | undefined
  login: string | undefined
  aside: AsideAnswer | undefined
  readonly allowance = new Allowance()
  step = 0
  readonly #sink: Sink<ClientQuestion, ClientAnswer>
  readonly #replies = new ReplyReader()
  #state: State = 'greeting'
  #resume: ((reply: Reply) => void) | undefined
  /** Of the message under way. */
  #ledger: Ledger | undefined
  readonly #following = new Following()
  #facts: HopFacts | undefined
  #leaving = false

  constructor(settings: ClientSettings, sink: Sink<ClientQuestion, ClientAnswer>) {
    this.settings = settings
    this.dialogue = new Dialogue(settings.witness)
    this.tls = settings.tls
    this.#sink = sink
  }

  // The inputs.

  start(): void {
    if (this.tls !== undefined) this.dialogue.note(`TLS from the start: ${this.tls.protocol}`)
    this.#run(opening(this), opened => this.#opened(opened))
  }

  receive(octets: Uint8Array): void {
    if (this.#state === 'closed') return
    if (this.#state === 'handshake') {
      this.#injected()
      return
    }
    this.#replies.push(octets)
    this.#read()
    this.#replies.keep()
  }

  answer(answer: ClientAnswer): void {
    if (this.#state === 'aside') this.#asideDone(answer)
    else if (this.#state === 'idle') this.#work(answer)
    else return
    this.#read()
  }

  secured(tls: TlsFacts): void {
    if (this.#state !== 'handshake') return
    this.tls = tls
    this.dialogue.secured(tls)
    this.#run(reopening(this), opened => this.#opened(opened))
  }

  drained(): void {}

  tell(event: ClientEvent): void {
    // A connection lost in the handshake is a TLS failure (RFC 3463 X.7.5).
    if (event.kind === 'lost')
      this.#lose(this.#state === 'handshake' ? '4.7.5' : '4.4.2', event.why)
    else if (this.#state === 'idle') this.#quit()
    else this.#leaving = true
  }

  expire(): void {
    if (this.#state === 'quit') this.#close()
    else this.#lose('4.4.2', `timed out waiting for ${states[this.#state].awaited}`)
  }

  end(): void {
    this.#lose('4.4.2', `the connection ended while waiting for ${states[this.#state].awaited}`)
  }

  get patienceMs(): number {
    const { timeout } = states[this.#state]
    return timeout === 'none' ? 0 : this.settings.timeouts[timeout]
  }

  get backlogOctets(): number {
    return this.#replies.octets
  }

  // What the phases do.

  say(text: string, shown = text): void {
    this.dialogue.said(shown)
    this.#sink.send(text)
  }

  stream(source: Source | Lent, transform: Transform): void {
    this.#sink.stream(source, transform)
  }

  progress(): void {
    this.step += 1
  }

  ended(): void {
    if (this.#state === 'content') this.#enter('dot')
  }

  follow(): void {
    const free = !this.#leaving && !this.#replies.pending && this.#ledger
    if (!free || !this.#following.may(this, free)) return
    const next = this.#sink.ask({ kind: 'next' })
    if (next?.kind === 'carry') this.#following.begin(this, next)
  }

  askAside(step: AsideStep): AsideAnswer | undefined {
    const answer = this.#sink.ask({ kind: 'aside', step })
    return answer?.kind === 'aside' ? answer.answer : undefined
  }

  abandon(status: string, reason: string): void {
    this.#lose(status, reason)
  }

  /** The script goes on; it finds the answer in `aside`. */
  #asideDone(answer: ClientAnswer): void {
    this.aside = answer.kind === 'aside' ? answer.answer : unanswered
    this.#resume?.(noReply)
  }

  // Replies.

  #read(): void {
    while (this.#state !== 'closed' && this.#state !== 'handshake') {
      const reply = this.#replies.next()
      if (reply === undefined) return
      if (reply === 'malformed') {
        const { awaited } = states[this.#state]
        this.#lose(
          '4.5.0',
          `no reply but ${JSON.stringify(this.#replies.offence)} came for ${awaited}`,
        )
      } else this.#heard(reply)
    }
  }

  #heard(reply: Reply): void {
    this.step += 1
    this.dialogue.heard(reply)
    if (this.#state === 'quit') {
      this.#close()
      return
    }
    // RFC 5321 §3.8: 421 may answer anything at any time, and the connection ends with it.
    if (reply.code === 421) {
      const reason = `the hop ends the session: ${replyText(reply)}`
      this.#lose(statusOf(reply, '3.2'), reason, reply)
    } else if (this.#state === 'idle' || this.#state === 'aside') {
      this.#lose('4.5.0', `said unasked: ${replyText(reply)}`, reply)
    } else this.#resume?.(reply)
  }

  /** Runs a phase up to its end, reply by reply. */
  #run<T>(script: Script<T>, finished: (result: T) => void, begun = script.next()): void {
    const take = (turn: IteratorResult<State, T>) => {
      // The phase itself may have ended the connection.
      if (this.#state === 'closed') return
      if (turn.done) finished(turn.value)
      else this.#enter(turn.value)
    }
    // Named first: V8 makes what is assigned as it is made among what is old, where all it closes over would stay.
    const resume = (reply: Reply) => take(script.next(reply))
    this.#resume = resume
    take(begun)
  }

  #enter(state: State): void {
    this.#state = state
    this.step += 1
  }

  // The life of the connection.

  #opened(opened: Opened): void {
    if (opened === 'ready') {
      this.#ready()
      return
    }
    if (opened === 'secure') {
      this.#secure()
      return
    }
    this.#part(opened)
  }

  #secure(): void {
    // RFC 3207 §4.2 and CVE-2011-0411: nothing said in clear text may count behind the handshake.
    if (this.#replies.pending) {
      this.#injected()
      return
    }
    this.#enter('handshake')
    this.#sink.secure()
  }

  #injected(): void {
    this.#lose('4.7.0', 'clear text came behind the reply to STARTTLS')
  }

  #ready(): void {
    if (this.#leaving) {
      this.#quit()
      return
    }
    this.#ledger = undefined
    this.#resume = undefined // and with it all of the message before: an idle connection holds none
    this.#enter('idle')
    // A reply that came early would be taken for the answer to the next command. A 421 ends all, and says why.
    if (this.#replies.pending) {
      const early = this.#replies.next()
      if (typeof early === 'object' && early.code === 421) this.#heard(early)
      else this.#lose('4.5.0', 'more was said than was asked')
      return
    }
    this.#following.inStep()
    this.#facts ??= factsOf(this)
    if (this.allowance.spent) {
      const reason = 'the hop takes no more messages on one connection (RFC 9422 MAILMAX)'
      this.#part({ kind: 'deferred', phase: 'idle', status: '4.5.3', reason, again: 'anew' })
      return
    }
    const answer = this.#sink.ask({ kind: 'ready', facts: this.#facts })
    if (answer !== undefined) this.#work(answer)
  }

  #work(answer: ClientAnswer): void {
    if (answer.kind === 'quit') {
      this.#quit()
      return
    }
    if (answer.kind === 'carry') this.#carry(answer)
    else if (answer.kind === 'probe') {
      this.dialogue.begin()
      this.#run(probe(this, answer), probed => this.#probed(probed))
    } else if (answer.kind !== 'noted' && answer.kind !== 'aside') {
      this.dialogue.begin()
      this.#run(errand(this, answer), reply => this.#answered(answer, reply))
    }
  }

  /** The hop's word on an errand. 250 to ATRN and TURN ends this session, and the roles change. */
  #answered({ kind }: Errand, reply: Reply): void {
    const exchanged = kind === 'exchange' && reply.code === 250
    if (exchanged && this.#replies.pending) {
      this.#lose('4.5.0', 'more was said than the reply behind which the roles change')
      return
    }
    this.#sink.ask({ kind: 'errand', reply, exchanged })
    if (!exchanged) {
      this.#ready()
      return
    }
    this.#state = 'closed'
    this.#resume = undefined
    this.#sink.handOver()
  }

  #probed({ trouble, ...replies }: Probed): void {
    this.#sink.ask({ kind: 'probed', ...replies })
    if (trouble === undefined) this.#ready()
    else this.#part(trouble)
  }

  #carry(carry: Carry): void {
    const ledger = ledgerOf(carry, this.settings)
    this.#ledger = ledger
    this.dialogue.begin()
    this.#run(transaction(this, carry, ledger), aftermath => this.#carried(ledger, aftermath))
  }

  #carried(ledger: Ledger, aftermath: Aftermath): void {
    if (typeof aftermath !== 'string') {
      // In the middle of the content no command can be said, nor behind the DATA of the next message.
      if (aftermath.phase === 'content' || this.#following.ahead) this.#fall(aftermath)
      else this.#part(aftermath)
      return
    }
    this.#announce(ledger)
    this.#following.ended(ledger)
    if (aftermath === 'clean') {
      this.#goOn()
      return
    }
    this.#run(reset(this), trouble => (trouble === undefined ? this.#ready() : this.#part(trouble)))
  }

  #goOn(): void {
    const ahead = this.#following.take(this)
    if (ahead === undefined) {
      this.#ready()
      return
    }
    const { ledger, script, turn } = ahead
    this.#ledger = ledger
    this.#run(script, aftermath => this.#carried(ledger, aftermath), turn)
  }

  #announce(ledger: Ledger, trouble?: Trouble): void {
    this.#ledger = undefined
    const wanted = this.settings.dialogueAlways || !ledger.allDelivered
    this.#sink.ask({
      kind: 'outcomes',
      outcomes: ledger.outcomes(),
      ...(wanted ? { dialogue: this.dialogue.text() } : {}),
      ...(trouble === undefined ? {} : { trouble }),
    })
  }

  #lose(status: string, reason: string, reply?: Reply): void {
    if (this.#state === 'closed') return
    if (this.#state === 'quit') {
      this.#close()
      return
    }
    const { phase } = states[this.#state]
    const grouped = this.#following.isUnanswered(phase)
    this.#fall(lossOf(this, { kind: 'deferred', phase, status, reason }, { reply, grouped }), reply)
  }

  /** The connection ends here; `said` is the hop's own word (421) on the message under way. */
  #fall(trouble: Trouble, said?: Reply): void {
    this.dialogue.note(trouble.reason)
    this.#close()
    this.#report(trouble, said)
  }

  /** Likewise, where the hop is in step: RFC 5321 §4.1.1.10, also an unhappy client says QUIT. */
  #part(trouble: Trouble): void {
    this.#report(trouble)
    // All is told; nobody waits for the goodbye.
    this.#quit()
  }

  #report(trouble: Trouble, said?: Reply): void {
    if (this.#ledger === undefined) {
      this.#sink.ask({ kind: 'trouble', trouble, dialogue: this.dialogue.text() })
      return
    }
    this.#ledger.lose(trouble.status, trouble.reason, said)
    this.#announce(this.#ledger, trouble)
  }

  #quit(): void {
    this.say('QUIT\r\n')
    this.#enter('quit')
  }

  #close(): void {
    this.#state = 'closed'
    this.#resume = undefined
    this.#following.ahead = undefined
    this.#replies.clear()
    this.#sink.close()
  }
}
