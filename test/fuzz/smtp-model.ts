/**
 * A small reference model of an SMTP and LMTP server (RFC 5321 §4.1.4, RFC 2033, RFC 3030, RFC 3207,
 * RFC 4954): what each command is answered in each state, and which messages come of it. Written from
 * the RFCs and not from src/smtp, so that the two can disagree. Used by smtp-model.test.ts.
 */
export interface Step {
  readonly verb:
    | 'HELO'
    | 'EHLO'
    | 'LHLO'
    | 'MAIL'
    | 'RCPT'
    | 'DATA'
    | 'BDAT'
    | 'RSET'
    | 'NOOP'
    | 'VRFY'
    | 'EXPN'
    | 'HELP'
    | 'STARTTLS'
    | 'AUTH'
    | 'QUIT'
    | 'RAW'
  /** The line, or what stands behind the verb. */
  readonly text?: string
  /** Lines that follow in an AUTH exchange. */
  readonly responses?: readonly string[]
  /** For MAIL: what was declared. */
  readonly sizeOctets?: number
  readonly binary?: boolean
  /** For MAIL and RCPT: what policy says. */
  readonly verdict?: 250 | 450 | 550
  /** For MAIL and RCPT: parameters of extensions, and how they are answered if nothing else is wrong. */
  readonly parameters?: readonly [text: string, code: number]
  /** For DATA and BDAT. */
  readonly content?: string
  readonly last?: boolean
  /** For RAW: its reply; for AUTH: how it would end. */
  readonly code?: number
}

export interface Rules {
  readonly protocol: 'smtp' | 'lmtp'
  readonly sizeMaxBytes: number
  readonly recipientsMax: number
  readonly requireAuth: boolean
  readonly errorsMax: number
  readonly transactionsMax: number
}

/** What is to be sent, and the codes of the replies to it. */
export interface Predicted {
  readonly octets: string
  readonly codes: readonly number[]
  /** TLS begins: nothing may be in the same group behind it. */
  readonly secures?: boolean
}

type Stage = 'none' | 'mail' | 'rcpt' | 'chunks' | 'broken'

export class SmtpModel {
  /** Messages that must have been taken, whole. */
  readonly messages: string[] = []
  closed = false
  readonly #rules: Rules
  #hello: 'none' | 'plain' | 'extended' = 'none'
  #tls = false
  #login = false
  #stage: Stage = 'none'
  #binary = false
  #recipients = 0
  #chunks = ''
  #errors = 0
  #transactions = 0

  constructor(rules: Rules) {
    this.#rules = rules
  }

  /** Goes on by one command. */
  step(step: Step): Predicted {
    const { octets, codes, secures } = this.#predict(step)
    const counted: number[] = []
    for (const code of codes) {
      counted.push(code)
      if (code >= 500) this.#errors += 1
    }
    const { errorsMax } = this.#rules
    if (!this.closed && errorsMax > 0 && this.#errors >= errorsMax) {
      counted.push(421)
      this.closed = true
    }
    return { octets, codes: counted, ...(secures === undefined ? {} : { secures }) }
  }

  #predict(step: Step): Predicted {
    switch (step.verb) {
      case 'HELO':
      case 'EHLO':
      case 'LHLO':
        return this.#greet(step)
      case 'MAIL':
        return { octets: mailLine(step), codes: [this.#mail(step)] }
      case 'RCPT':
        return {
          octets: `RCPT TO:<${step.text}>${step.parameters?.[0] ?? ''}\r\n`,
          codes: [this.#rcpt(step)],
        }
      case 'DATA':
        return this.#data(step)
      case 'BDAT':
        return this.#bdat(step)
      case 'RSET':
        this.#reset()
        return { octets: 'RSET\r\n', codes: [250] }
      case 'NOOP':
        return { octets: 'NOOP x\r\n', codes: [250] }
      case 'HELP':
        return { octets: 'HELP\r\n', codes: [214] }
      case 'VRFY':
      case 'EXPN':
        return { octets: `${step.verb} bob\r\n`, codes: [this.#needsLogin ? 530 : 252] }
      case 'STARTTLS':
        return this.#startTls()
      case 'AUTH':
        return this.#auth(step)
      case 'QUIT':
        this.closed = true
        return { octets: 'QUIT\r\n', codes: [221] }
      case 'RAW':
        return { octets: `${step.text}\r\n`, codes: [step.code ?? 500] }
    }
  }

  get #needsLogin(): boolean {
    return this.#rules.requireAuth && !this.#login
  }

  #reset(): void {
    this.#stage = 'none'
    this.#recipients = 0
    this.#chunks = ''
    this.#binary = false
  }

  #greet({ verb, text }: Step): Predicted {
    const octets = `${verb} ${text}\r\n`
    if ((verb === 'LHLO') !== (this.#rules.protocol === 'lmtp')) return { octets, codes: [500] }
    this.#reset()
    this.#hello = verb === 'HELO' ? 'plain' : 'extended'
    return { octets, codes: [250] }
  }

  #mail({ sizeOctets = 0, verdict = 250, binary = false, parameters }: Step): number {
    if (this.#hello === 'none' || this.#stage !== 'none') return 503
    if (this.#needsLogin) return 530
    if (sizeOctets > this.#rules.sizeMaxBytes) return 552
    if (parameters !== undefined && parameters[1] !== 250) return parameters[1]
    if (this.#transactions >= this.#rules.transactionsMax) {
      this.closed = true
      return 421
    }
    if (verdict !== 250) return verdict
    this.#transactions += 1
    this.#stage = 'mail'
    this.#binary = binary
    return 250
  }

  #rcpt({ verdict = 250, parameters }: Step): number {
    if (this.#stage !== 'mail' && this.#stage !== 'rcpt') return 503
    if (parameters !== undefined && parameters[1] !== 250) return parameters[1]
    if (this.#recipients >= this.#rules.recipientsMax) return 452
    if (verdict !== 250) return verdict
    this.#recipients += 1
    this.#stage = 'rcpt'
    return 250
  }

  /** Without a recipient: 554 (RFC 5321 §3.3), and in LMTP 503 (RFC 2033 §4.2). */
  get #contentRefused(): number | undefined {
    if (this.#stage === 'mail') return this.#rules.protocol === 'smtp' ? 554 : 503
    return this.#stage === 'none' || this.#stage === 'broken' ? 503 : undefined
  }

  #data({ content = '' }: Step): Predicted {
    const refused = this.#contentRefused ?? (this.#stage === 'chunks' || this.#binary ? 503 : 0)
    if (refused > 0) return { octets: 'DATA\r\n', codes: [refused] }
    const lines = content === '' ? [] : content.slice(0, -2).split('\r\n')
    const stuffed = lines.map(line => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')
    const codes = [354, ...this.#finish(content)]
    return { octets: `DATA\r\n${stuffed}.\r\n`, codes }
  }

  #bdat({ content = '', last = false }: Step): Predicted {
    const octets = `BDAT ${content.length}${last ? ' LAST' : ''}\r\n${content}`
    const refused = this.#contentRefused
    if (refused !== undefined) return { octets, codes: [refused] }
    this.#chunks += content
    if (last) return { octets, codes: this.#finish(this.#chunks) }
    if (this.#chunks.length > this.#rules.sizeMaxBytes) {
      this.#reset()
      this.#stage = 'broken'
      return { octets, codes: [552] }
    }
    this.#stage = 'chunks'
    return { octets, codes: [250] }
  }

  #finish(content: string): readonly number[] {
    const code = content.length > this.#rules.sizeMaxBytes ? 552 : 250
    const count = this.#rules.protocol === 'lmtp' ? this.#recipients : 1
    if (code === 250) this.messages.push(content)
    this.#reset()
    return Array.from({ length: count }, () => code)
  }

  #startTls(): Predicted {
    const octets = 'STARTTLS\r\n'
    if (this.#hello === 'none' || this.#tls) return { octets, codes: [503] }
    this.#reset()
    this.#hello = 'none'
    this.#login = false
    this.#tls = true
    return { octets, codes: [220], secures: true }
  }

  #auth({ text = '', responses = [], code = 535 }: Step): Predicted {
    const line = `AUTH PLAIN${text === '' ? '' : ` ${text}`}\r\n`
    const early =
      this.#hello !== 'extended' || this.#stage !== 'none' || this.#login
        ? 503
        : this.#tls
          ? undefined
          : 538
    if (early !== undefined) return { octets: line, codes: [early] }
    if (code === 235) this.#login = true
    const octets = line + responses.map(response => `${response}\r\n`).join('')
    return { octets, codes: [...responses.map(() => 334), code] }
  }
}

function mailLine({ text = 'a@x.test', sizeOctets, binary, parameters }: Step): string {
  const size = sizeOctets === undefined ? '' : ` SIZE=${sizeOctets}`
  const more = parameters?.[0] ?? ''
  return `MAIL FROM:<${text}>${size}${binary ? ' BODY=BINARYMIME' : ''}${more}\r\n`
}
